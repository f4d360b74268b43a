/* A run: the pipeline from a source row to a proven outcome, and its dry twin.
 *
 *   source ─▶ mapping ─▶ dedupe spool ─▶ lookup ─▶ plan ─▶ guard spool ─▶ upload ─▶ settle ─▶ state
 *                        (duplicates:)                      (guards)
 *
 * run_sync() applies, run_diff() shows what run_sync() would do and sends nothing that changes anything, run_resume()
 * only settles what earlier runs left open. All three end in a report whose sum closes or in XS_INTERNAL.
 * Knows rooms of floor 2 through their headers; knows nothing of options, terminals or files of output. */
#ifndef SYNC_PIPELINE_RUN_H
#define SYNC_PIPELINE_RUN_H

#include "mappings/mapping.h"
#include "sync/api/api.h"
#include "sync/base/clock.h"
#include "sync/base/err.h"
#include "sync/report/run_report.h"

#include <stdbool.h>
#include <stdint.h>

struct plan_file;
struct state;
struct transport;

/* What a progress line shows. config->progress gets it at most ten times per second, in the run's own thread. */
struct run_progress {
    uint64_t rows, done; /* read; with an outcome */
    uint64_t created, updated, moved, removed;
    bool dry;                /* nothing is written */
    bool held;               /* rows wait for the guards' verdict before the first is written */
    bool reads;              /* the source has more, as far as is known */
    unsigned ops;            /* what is being written: a bit per enum op */
    uint64_t open_batches;   /* under way; before the first row they are of earlier runs */
    uint64_t open_jobs;      /* background jobs that are waited for */
    double leads_per_second; /* outcomes since the start */
    double limit_share;      /* share of the configured request rate that is in use, 0..1; <0: no limit, or not known yet */
    double done_share;       /* of all rows, as far as their number is known or can be guessed; <0: not */
    bool waits;              /* for the API */
    struct api_wait wait;
    bool reads_targets;     /* the leads of the targets are read, before the first row */
    uint64_t leads;         /* of them, so far */
    uint64_t leads_guessed; /* how many there may be; 0: not known */
};

/* What a run asks of the leads that the targets hold, by reading all of their pages first. */
enum run_remote {
    RUN_REMOTE_NOT,
    RUN_REMOTE_PLAN,   /* plans against them in place of what the state remembers */
    RUN_REMOTE_VERIFY, /* a dry run: only compares */
    RUN_REMOTE_ADOPT,  /* takes those that rows match into the state, and sends nothing */
    RUN_REMOTE_PULL,   /* run_pull(): reads no row, and sends nothing */
};

struct run_config {
    struct mapping *mapping;      /* borrowed; the run completes the name of a CSV without a mapping */
    const char *state_path;       /* NULL: the default place of the mapping's name */
    const char *likely_state;     /* for check_run(): of a straight CSV, before its target is known; NULL: none */
    const struct api_config *api; /* key NULL: only a diff whose targets are UUIDs can do without */
    struct transport *transport;  /* for tests; NULL: libcurl */
    struct clock *clock;
    size_t memory_max; /* bytes */
    int64_t max_ms;    /* 0: no time budget */
    int64_t wait_lock_ms;
    uint64_t resume_run;    /* run_resume() settles this run's batches only; 0: all */
    bool journal_lost;      /* run_resume() goes on without a journal that is missing: the next sync reads everything */
    bool full;              /* ignore the watermark and the remembered refusals */
    bool partial_input;     /* --input: no removals, no watermark */
    struct plan_file *plan; /* run_sync() applies it in place of the source; borrowed; NULL: none */
    uint64_t limit_rows;    /* a trial: only the first rows of the source, as a partial read; 0: all */
    enum run_remote remote;
    uint64_t sample_rows; /* RUN_REMOTE_VERIFY: the number of rows to compare, chosen at random; 0: all */
    bool recreate;
    bool accept_target;
    bool rejects_ok, new_rejects_only;
    bool no_exec;                  /* a `command` source is refused */
    const struct run_actor *actor; /* NULL: not known */
    const char *const *overrides;  /* guards that the command line allows, as "NAME=VALUE" */
    size_t overrides_n;
    void (*progress)(void *ctx, const struct run_progress *progress); /* NULL: none */
    /* Asked once by run_ask(), or by run_sync() before its first write; returns 1 to go on, 0 to stop (XS_USAGE).
     * NULL: never asked (no terminal, --yes). `text` says workspace, target, status, counts. */
    int (*consent)(void *ctx, const char *text);
    /* Called once, when the state is open and the mapping is bound, before the first row. NULL: never. 0, or -1 to end the run. */
    int (*opened)(void *ctx, struct state *state, const struct mapping *m, struct err *e);
    void *ctx;
};

/* 0 when the run came to its end (report->exit_code says how), -1 when something ended it (e->status, which is also in
 * the report). The caller frees the report in either case. */
int run_sync(const struct run_config *config, struct run_report *report, struct err *e);
int run_resume(const struct run_config *config, struct run_report *report, struct err *e);

/* Plans every row as run_diff() does, and asks config->consent if anything would be sent. Writes nothing, so a refusal leaves
 * no run and no state. 0: go on with run_sync(), which also reports guards and source errors. -1: XS_USAGE if the user
 * refused, or another error. */
int run_ask(const struct run_config *config, struct err *e);

/* For a run that ended before run_sync() could be called, because of `why`: fills the report, and records the run if there
 * is a state. The configuration needs the mapping, the state's path, the API's address and the clock. */
void run_not_begun(const struct run_config *config, const struct err *why, struct run_report *report);
/* The same for a run whose mapping cannot be loaded: `sync` is its name. Nothing is recorded. */
void run_without_mapping(const struct run_config *config, const char *sync, const struct err *why,
                         struct run_report *report);

struct diff;
/* Plans every row and hands each decision to `diff` (sync/report/diff.h), which the caller opened and closes. */
int run_diff(const struct run_config *config, struct diff *diff, struct run_report *report, struct err *e);

struct verify;
/* Compares every row, or a sample, with what the targets hold. Writes nothing. *out gets the differences (verify_free());
 * NULL after a failure. */
int run_verify(const struct run_config *config, struct verify **out, struct run_report *report, struct err *e);

/* Fills in what is known before a run starts: actor, mapping, overrides. For reports that run_*() does not fill. */
void run_report_begin(struct run_report *report, const struct run_config *config);

#endif
