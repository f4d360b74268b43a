/* The dry run's output: what each row would do, as text, JSON, NDJSON or CSV, streamed in source order.
 *
 * A diff is given decisions one by one. A guard that would stop the sync is named first, and is known last, so text and
 * JSON are kept in unlinked temporary files until the end: memory does not grow with the source. */
#ifndef SYNC_REPORT_DIFF_H
#define SYNC_REPORT_DIFF_H

#include "mappings/mapping.h"
#include "sync/base/err.h"
#include "sync/report/run_report.h"
#include "sync/model/entry.h"
#include "sync/model/target.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum diff_format { DIFF_TEXT, DIFF_JSON, DIFF_NDJSON, DIFF_CSV, DIFF_NONE }; /* NONE: nothing is shown */

enum { DIFF_OUT_BYTES = 32 << 10, DIFF_OUT_BUFFER_BYTES = 2 * DIFF_OUT_BYTES };

/* What was warned of until the end of the dry run, as texts for people. */
struct diff_warnings {
    char **v;
    size_t n;
};

struct diff_options {
    enum diff_format format;
    const struct diff_warnings *warnings; /* borrowed, and looked at by diff_finish(); NULL: not known */
    FILE *out;            /* borrowed */
    /* Called before bytes leave for `out`, if its buffer has DIFF_OUT_BUFFER_BYTES; NULL: nobody asks. */
    void (*before_output)(void *ctx);
    void *ctx;
    bool colour;          /* text */
    bool all;             /* text: more than 50 changes a kind */
    unsigned columns;     /* text: width of the terminal */
    const char *match;    /* only changes and rows with this text are shown, and all are counted; NULL: every one */
};

/* What is said before the first change; strings borrowed for the diff's life. */
struct diff_head {
    const char *sync, *source;
    const char *workspace;               /* NULL: not known */
    const struct target *targets;        /* of the mapping, in route order */
    size_t targets_n;
    int64_t at_ms;
    bool has_key;                        /* rows are told apart by `key:`, not by their address */
};

struct diff_change {
    enum op op;
    bool rekey;                          /* a create that takes the place of the entry's lead */
    const struct entry *entry;           /* key_text, row, line, lead id; cells if they are wanted */
    const struct target *target, *from;  /* from: NULL unless it is a move or removal */
    bool certain;
    const struct lead *old_lead, *new_lead; /* old NULL: creates, or not known */
    uint32_t fields;                     /* bit a core field that is written */
    const bool *custom;                  /* a flag a custom variable of new_lead's shape; NULL: none */
};

struct diff_left_out {
    const struct entry *entry;           /* key_text, row, line, outcome, reason, detail; cells if they are wanted */
    const char *column;                  /* may be NULL */
    struct str value;
};

struct diff_summary {
    uint64_t read, create, update, move, remove, changed, unchanged, skipped, rejected, duplicates, open;
    uint64_t requests_create, requests_update, requests_move, requests_remove;
    uint64_t missing_waiting;               /* leads that a sync would not remove yet: rows without a usable key may be theirs */
    const char *waits_for;               /* what keeps them, and what to do; NULL: none waits */
    bool at_work;                        /* another run is: its batches are among the open ones */
    uint64_t verifications;              /* each spends credits */
    double seconds_at_limit;             /* <0: no limit configured */
    const char *const *new_variables;    /* NULL: not known */
    size_t new_variables_n;
    const uint64_t *reasons;             /* REASON_N of them */
    const struct run_guard *guards;      /* those that were judged */
    size_t guards_n;
    struct str would_stop;               /* what the guards that would stop a sync say, a line each */
    const char *mapping_sha256;
    uint64_t state_serial;               /* state_serial(); 0: there is no state */
};

struct diff;
int diff_open(const struct diff_options *options, struct diff **out, struct err *e);
int diff_head(struct diff *d, const struct diff_head *head, struct err *e);
int diff_change(struct diff *d, const struct diff_change *change, struct err *e);
int diff_left_out(struct diff *d, const struct diff_left_out *left_out, struct err *e);
/* The last call; XS_IO when not all could be written. */
int diff_finish(struct diff *d, const struct diff_summary *summary, struct err *e);
bool diff_has_changes(const struct diff *d); /* shown or not */
bool diff_wants_cells(const struct diff *d); /* an entry's cells are looked into */
void diff_close(struct diff *d);         /* NULL is fine */

#endif
