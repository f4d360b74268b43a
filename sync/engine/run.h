/* A run: the pipeline from a source row to a proven outcome, and its dry twin.
 *
 *   source ─▶ mapping ─▶ contest ─▶ lookup ─▶ plan ─▶ hold ─▶ upload ─▶ settle ─▶ state
 *                        (duplicates)                 (guards)
 *
 * run_sync() applies, run_diff() shows what run_sync() would do and sends nothing that changes anything, run_resume()
 * only settles what earlier runs left open. All three end in a report whose sum closes or in XS_INTERNAL.
 * Knows rooms of floor 2 through their headers; knows nothing of options, terminals or files of output. */
#ifndef SYNC_ENGINE_RUN_H
#define SYNC_ENGINE_RUN_H

#include "mappings/mapping.h"
#include "sync/api/api.h"
#include "sync/base/clock.h"
#include "sync/base/err.h"
#include "sync/api/api.h"
#include "sync/engine/tally.h"

#include <stdbool.h>
#include <stdint.h>

struct transport;

/* What a progress line shows; called at most ten times a second, from the run's own thread. */
struct run_progress {
    uint64_t rows, done;      /* read; with an outcome */
    uint64_t created, updated, moved, removed;
    bool dry;                 /* nothing is written */
    bool held;                /* rows wait for the guards' verdict before the first is written */
    bool reads;               /* the source has more, as far as is known */
    unsigned ops;             /* what is being written: a bit per enum op */
    uint64_t open_batches;    /* under way; before the first row they are of earlier runs */
    uint64_t open_jobs;       /* background jobs that are waited for */
    double leads_per_second;  /* outcomes since the start */
    double limit_share;       /* share of the configured request rate that is in use, 0..1; <0: no limit, or not known yet */
    double done_share;        /* of all rows, as far as their number is known or can be guessed; <0: not */
    bool waits;               /* for the API */
    struct api_wait wait;
};

/* Who runs what, for the record; all borrowed. */
struct run_actor {
    const char *user, *host, *version;
    const char *command; /* the command line, without what is secret */
};

struct run_config {
    struct mapping *mapping;      /* borrowed; a straight CSV's name is completed by the run */
    const char *state_path;       /* NULL: the default place of the mapping's name */
    const struct api_config *api; /* key NULL: only a diff whose targets are UUIDs can do without */
    struct transport *transport;  /* for tests; NULL: libcurl */
    struct clock *clock;
    size_t memory_max;            /* bytes */
    int64_t max_ms;               /* 0: no time budget */
    int64_t wait_lock_ms;
    uint64_t resume_run;          /* run_resume() settles this run's batches only; 0: all */
    bool journal_lost;            /* run_resume() goes on without a journal that is missing: the next sync reads everything */
    bool full;                    /* ignore the watermark and the remembered refusals */
    bool partial_input;           /* --input: no removals, no watermark */
    uint64_t limit_rows;          /* a trial of so many rows of the source: as partial; 0: all */
    bool recreate;
    bool accept_target;
    bool rejects_ok, new_rejects_only;
    bool no_exec;                 /* a `command` source is refused */
    const struct run_actor *actor;     /* NULL: not known */
    const char *const *overrides;      /* guards that the command line allows, as "NAME=VALUE" */
    size_t overrides_n;
    void (*progress)(void *ctx, const struct run_progress *progress); /* NULL: none */
    /* Asked once by run_ask(), or by run_sync() before its first write; returns 1 to go on, 0 to stop (XS_USAGE).
     * NULL: never asked (no terminal, --yes). `text` says workspace, target, status, counts. */
    int (*consent)(void *ctx, const char *text);
    void *ctx;
};

/* A background job that this run started or waited for. */
struct run_job {
    char id[64];
    char *type, *status;            /* the API's words, owned by the report; NULL: not told */
    int64_t total, success, failed; /* -1: not told */
};

/* A guard as a run has judged it, when it judged it last. */
struct run_guard {
    const char *name;
    char limit[32];               /* as a mapping says it: "10%", "500", "none", "stop" */
    uint64_t counted, of;
    bool stops;
};
enum { RUN_GUARDS_MAX = 8 };      /* more than there are guards */

/* What a run did in a campaign or list. */
struct run_target_counts {
    char target[TARGET_TEXT_N];   /* "campaign:UUID" */
    char *name;                   /* owned; NULL: not known */
    uint64_t created, changed, moved, removed;
};

/* The report of a run (its JSON: docs/leadsync.1, REPORTS). Filled as far as the run got, also on errors. */
struct run_report {
    uint64_t run;                 /* 0: it never started */
    char *sync;                   /* owned, like all strings here */
    const char *command;          /* borrowed: what was done by hand ("leads interest"); NULL: this is a run */
    int64_t started_ms, finished_ms;
    const char *status;           /* complete partial interrupted failed */
    const char *read;             /* full incremental partial; NULL: no source was read */
    struct tally tally;
    uint64_t requests_total, requests_retried, requests_rate_limited;
    uint64_t requests_by_kind[8]; /* enum api_kind */
    struct run_job *jobs;         /* owned */
    size_t jobs_n;
    double leads_per_second;
    uint64_t peak_rss_bytes;
    uint64_t open_batches, open_jobs, waiting_rows; /* left for the next sync */
    uint64_t given_up;            /* rows that were given up since the last complete full read, see attempts_exhausted */
    uint64_t others_wait;         /* rows that wait as another mapping made them, until a full read */
    uint64_t gone_waiting;        /* leads that are gone and stay, because rows without a usable key may be theirs */
    uint64_t removals_before;     /* leads that an earlier run left to be removed, and this one did not decide on */
    bool removals_need_all;       /* only a full read wants these again: the next one is */
    char *gone_waits_for;         /* which rows these are, and what to do; NULL: none */
    bool source_changed;          /* while it was read: the next sync reads it again */
    bool results_wait;            /* results_to: could not be written; the next run does */
    char *workspace, *target_text; /* for people; NULL when not known */
    struct run_guard guards[RUN_GUARDS_MAX]; /* those that were judged */
    size_t guards_n;
    uint64_t limit_rows;          /* of the configuration */
    bool not_begun;               /* it ended before it began: all that there is to say is why */
    char *stop_message;           /* what ended the run, without the secret; NULL: it came to its end */
    struct run_target_counts *targets; /* owned: those of the mapping, then others where something was done */
    size_t targets_n;
    const struct run_actor *actor;     /* these three borrowed from the configuration */
    const char *const *overrides;
    size_t overrides_n;
    char mapping_sha256[SHA256_HEX_N]; /* "": the run had no mapping */
    enum exit_status exit_code;
};

/* 0 when the run came to its end (report->exit_code says how), -1 when something ended it (e->status, which is also in
 * the report). The caller frees the report in either case. */
int run_sync(const struct run_config *config, struct run_report *report, struct err *e);
int run_resume(const struct run_config *config, struct run_report *report, struct err *e);

/* Plans every row as run_diff() does, and asks config->consent if anything would be sent. Writes nothing: a refusal leaves no
 * run and no state. 0: go on with run_sync(), which also tells what a guard or the source has against it; -1: XS_USAGE,
 * refused; or what else stands in the way. */
int run_ask(const struct run_config *config, struct err *e);

/* A run that ended before run_sync() could be called, for `why`: fills the report, and writes the run's record where there
 * is a state. The configuration needs the mapping, the state's path, the API's address and the clock. */
void run_not_begun(const struct run_config *config, const struct err *why, struct run_report *report);

struct diff;
/* Plans every row and hands each decision to `diff` (sync/engine/diff.h), which the caller opened and closes. */
int run_diff(const struct run_config *config, struct diff *diff, struct run_report *report, struct err *e);

void run_report_free(struct run_report *report);
/* What is known of a run before it does anything: actor, mapping, overrides. For a report that run_*() does not fill. */
void run_report_begin(struct run_report *report, const struct run_config *config);
/* Notes what ended the run: exit status and message. Memory that is short costs the message. */
void run_report_stopped(struct run_report *report, const struct err *why);
/* Leads that wait to be removed: those of this run, else those that an earlier one left. */
uint64_t run_report_removals_waiting(const struct run_report *report);
/* What kind of thing ended the run ("guard", "source", …); NULL: it came to its end. */
const char *run_report_stop_kind(const struct run_report *report);
/* The report as one JSON object, and as the summary table people read. Appends. 0/-1 (memory). */
int run_report_json(const struct run_report *report, struct buf *out);
int run_report_text(const struct run_report *report, bool colour, struct buf *out);
/* What run_report_begin() noted, as one JSON object: the record of a run has it from the start. Appends. 0/-1 */
int run_report_begun(const struct run_report *report, struct buf *out);
/* For a watchdog: sync, status and what ended the run, as one short JSON object. Appends. 0/-1 */
int run_report_ping(const struct run_report *report, struct buf *out);
/* What a run left over, in one line, for a mail or a log that has no room for the table. */
int run_report_brief(const struct run_report *report, struct buf *out);
/* Prometheus text format; `last_success_ms` 0: never. */
int run_report_metrics(const struct run_report *report, int64_t last_success_ms, int64_t watermark_lag_ms, struct buf *out);

#endif
