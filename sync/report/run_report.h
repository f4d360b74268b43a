/* The report of a run: what it did, what ended it, and who began it; for people, scripts, watchdogs and metrics.
 *
 * The pipeline and the commands by hand fill a struct run_report; this room turns it into text and JSON. It knows nothing
 * of sources, states or the API. */
#ifndef SYNC_REPORT_RUN_REPORT_H
#define SYNC_REPORT_RUN_REPORT_H

#include "sync/base/buf.h"
#include "sync/base/err.h"
#include "sync/base/hash.h"
#include "sync/model/target.h"
#include "sync/report/tally.h"

#include <stdbool.h>
#include <stdint.h>

/* Who runs the command, and where. All members are borrowed. */
struct run_actor {
    const char *user, *host, *version;
    const char *command; /* the command line, without what is secret */
};

/* A background job that this run started or waited for. */
struct run_job {
    char id[64];
    char *type, *status;            /* as the API reports them, owned by the report; NULL: not reported */
    int64_t total, success, failed; /* -1: not reported */
};

/* A guard, as the run judged it last. */
struct run_guard {
    const char *name;
    char limit[32]; /* as a mapping says it: "10%", "500", "none", "stop" */
    uint64_t counted, of;
    bool stops;
};
enum { RUN_GUARDS_MAX = 10 }; /* more than there are guards */

/* What a run did in a campaign or list. */
struct run_target_counts {
    char target[TARGET_TEXT_N]; /* "campaign:UUID" */
    char *name;                 /* owned; NULL: not known */
    uint64_t created, changed, moved, removed;
};

/* The report of a run (its JSON: docs/leadsync.1, REPORTS). Filled as far as the run got, also on errors. */
struct run_report {
    uint64_t run;        /* 0: it never started */
    char *sync;          /* owned, like all strings here */
    const char *command; /* borrowed: what was done by hand ("leads interest"); NULL: this is a run */
    int64_t started_ms, finished_ms;
    const char *status; /* complete partial interrupted failed */
    const char *read;   /* full incremental partial; NULL: no source was read */
    struct tally tally;
    uint64_t requests_total, requests_retried, requests_rate_limited;
    uint64_t requests_by_kind[8]; /* enum api_kind */
    struct run_job *jobs;         /* owned */
    size_t jobs_n;
    double leads_per_second;
    uint64_t peak_rss_bytes;
    uint64_t open_batches, open_jobs, waiting_rows; /* left for the next sync */
    uint64_t given_up;             /* rows that were given up since the last complete full read, see attempts_exhausted */
    uint64_t others_wait;          /* rows made by another mapping, which wait until a full read */
    uint64_t missing_waiting;      /* missing leads that stay, because rows without a usable key may be theirs */
    uint64_t removals_before;      /* leads that an earlier run left to be removed, and this one did not decide on */
    bool removals_need_all;        /* only a full read finds these again, so the next read is full */
    char *missing_waits_for;       /* which rows these are, and what to do; NULL: none */
    bool source_changed;           /* while it was read: the next sync reads it again */
    bool results_wait;             /* results_to: could not be written; the next run does */
    char *results_error;           /* why; NULL: they do not wait, or an earlier run said why */
    char *workspace, *target_text; /* for people; NULL when not known */
    struct run_guard guards[RUN_GUARDS_MAX]; /* those that were judged */
    size_t guards_n;
    uint64_t limit_rows; /* of the configuration */
    bool not_begun;      /* it ended before it began, so only the reason is known */
    char *stop_message;  /* the message of the error that ended the run, without the key; NULL: it came to its end */
    struct run_target_counts *targets; /* owned: those of the mapping, then others where something was done */
    size_t targets_n;
    const char *plan;              /* borrowed: the id of the saved plan that the run applies; NULL: none */
    const struct run_actor *actor; /* these three borrowed from the configuration */
    const char *const *overrides;
    size_t overrides_n;
    char mapping_sha256[SHA256_HEX_N]; /* "": the run had no mapping */
    char *source;                      /* owned: how messages name it; NULL: none was opened */
    char source_sha256[SHA256_HEX_N];  /* of the bytes that were read, if the whole was; "": not known */
    uint64_t state_serial;             /* state_serial() before the run, */
    bool has_state_serial;             /* if that is known */
    enum exit_status exit_code;
};

void run_report_free(struct run_report *report);
/* Notes the error that ended the run: exit status and message. If memory is short, the message is left out. */
void run_report_stopped(struct run_report *report, const struct err *why);
/* Notes that results_to: could not be written, and why. */
void run_report_results_failed(struct run_report *report, const struct err *why);
/* Leads that wait to be removed: those of this run, else those that an earlier one left. */
uint64_t run_report_removals_waiting(const struct run_report *report);
/* The kind of the error that ended the run ("guard", "source", …). NULL: it came to its end. */
const char *run_report_stop_kind(const struct run_report *report);
/* The report as one JSON object, and as the summary table people read. Appends. 0/-1 (memory). */
int run_report_json(const struct run_report *report, struct buf *out);
int run_report_text(const struct run_report *report, bool colour, struct buf *out);
/* Appends what run_report_begin() noted, as one JSON object. The record of a run has it from the start. 0/-1 */
int run_report_begun(const struct run_report *report, struct buf *out);
/* For a watchdog: sync, status and what ended the run, as one short JSON object. Appends. 0/-1 */
int run_report_ping(const struct run_report *report, struct buf *out);
/* What a run left over, in one line, for a mail or a log that has no room for the table. */
int run_report_brief(const struct run_report *report, struct buf *out);
/* Prometheus text format; `last_success_ms` 0: never. */
int run_report_metrics(const struct run_report *report, int64_t last_success_ms, int64_t watermark_lag_ms, struct buf *out);

#endif
