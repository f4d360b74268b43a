/* The output of a dry run: what a sync would do with each row, as text, JSON, NDJSON, CSV or a page of HTML, in source
 * order.
 *
 * A diff takes the decisions one by one. The guards that would stop the sync are printed first, but known last. So text, JSON and
 * HTML wait in unlinked temporary files until the end, and memory does not grow with the source. */
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

enum diff_format { DIFF_TEXT, DIFF_JSON, DIFF_NDJSON, DIFF_CSV, DIFF_HTML, DIFF_NONE }; /* NONE: nothing is shown */

enum { DIFF_OUT_BYTES = 32 << 10, DIFF_OUT_BUFFER_BYTES = 2 * DIFF_OUT_BYTES };

/* The warnings that were logged during the dry run. */
struct diff_warnings {
    char **v;
    size_t n;
};

struct diff_head;
struct diff_change;
struct diff_left_out;
struct diff_summary;

/* Sees each decision beside the format, shown or not; masked with options.mask. 0/-1. head and finish may be NULL. */
struct diff_watch {
    int (*change)(void *ctx, const struct diff_change *change, struct err *e);
    int (*left_out)(void *ctx, const struct diff_left_out *left_out, struct err *e);
    void *ctx;
    int (*head)(void *ctx, const struct diff_head *head, struct err *e);
    int (*finish)(void *ctx, const struct diff_summary *summary, const struct diff_warnings *warnings, struct err *e);
};

/* Words of --op: the operations of changes, and the outcomes of rows that are left out. */
enum {
    DIFF_SHOW_CREATE = 1 << 0,
    DIFF_SHOW_UPDATE = 1 << 1,
    DIFF_SHOW_MOVE = 1 << 2,
    DIFF_SHOW_REMOVE = 1 << 3,
    DIFF_SHOW_REKEY = 1 << 4,
    DIFF_SHOW_SKIPPED = 1 << 5,
    DIFF_SHOW_REJECTED = 1 << 6,
    DIFF_SHOW_WAITING = 1 << 7,
};
/* Adds the word's bit. 0/-1: it is unknown */
int diff_show_find(struct str word, unsigned *show);
#define DIFF_SHOW_WORDS "create, update, move, remove, rekey, skipped, rejected, waiting"

struct diff_options {
    enum diff_format format;
    const struct diff_watch *watch;       /* borrowed; NULL: none */
    const struct diff_warnings *warnings; /* borrowed, and looked at by diff_finish(); NULL: not known */
    FILE *out;                            /* borrowed */
    /* Called before bytes leave for `out`, if its buffer has DIFF_OUT_BUFFER_BYTES; may be NULL. */
    void (*before_output)(void *ctx);
    void *ctx;
    bool remote;      /* changes say whether state and Instantly differ */
    bool colour;      /* text */
    bool all;         /* text: more than 50 changes a kind */
    unsigned columns; /* text: width of the terminal */
    /* What is shown; counts, guards and the exit status always cover everything. */
    const char *match; /* only changes and rows with this text; NULL: every one */
    unsigned show;     /* only these: DIFF_SHOW_…; 0: every one */
    bool summary;      /* no changes and rows */
    bool left_out;     /* csv: also left-out rows and waiting leads, which `show` can ask for, too */
    bool payload;      /* json, ndjson: diff_payload() */
    bool mask;         /* nothing that identifies a person leaves */
    bool has_at;       /* the head shows at_ms in place of the present time */
    int64_t at_ms;
};

/* The head of the output; its strings are borrowed as long as the diff lives. */
struct diff_head {
    const char *sync, *source;
    const char *workspace;        /* NULL: not known */
    const struct target *targets; /* of the mapping, in route order */
    size_t targets_n;
    int64_t at_ms;
    bool has_key; /* the row key is `key:`, not the address */
    /* HASH_SECRET_N bytes by which masks are made: the same bytes give the same masks. NULL: random ones */
    const unsigned char *secret;
    const char *plan;             /* the id of a saved plan; NULL: none */
    const char *const *overrides; /* guards that the command line allows, as "NAME=VALUE" */
    size_t overrides_n;
    /* For a saved plan only; NULL and 0 if they are not known. */
    const struct lead_shape *shape; /* of the leads */
    const struct str *columns;      /* of the source */
    size_t columns_n;
    uint64_t last_run; /* the latest run that the state has; 0: none */
};

struct diff_change {
    enum op op;
    bool rekey;                         /* a create that replaces the entry's lead */
    const struct entry *entry;          /* key_text, row, line, lead id; cells if they are wanted */
    const struct target *target, *from; /* from: NULL unless it is a move or removal */
    bool certain;
    bool drift;                             /* state and Instantly differ; known with --remote */
    const struct lead *old_lead, *new_lead; /* old NULL: creates, or not known */
    uint32_t fields;                        /* a bit per core field that is written */
    const bool *custom;                     /* a flag per custom variable of new_lead's shape; NULL: none */
};

/* The detail of a removal whose row is missing. It is the only one that --mask shows. */
#define DIFF_NO_ROW "no row in the source"

struct diff_left_out {
    const struct entry *entry; /* key_text, row, line, outcome, reason, detail; cells if they are wanted */
    const char *column;        /* may be NULL */
    struct str value;
};

/* Requests about leads at most, see sync/upload/cost.h. */
struct diff_most {
    uint64_t create, update, move, remove;
    double seconds; /* at the limit, with all waits for lists and jobs; <0: no limit configured */
};

/* The leads of the workspace's plan. */
struct diff_plan {
    bool known;
    int64_t used, limit;
};

/* A request that a sync would send. */
struct diff_payload {
    enum op op;
    const char *method, *path;
    uint64_t leads;
    struct str body; /* JSON; empty: the ids of its leads are not known before they are created */
};

struct diff_summary {
    uint64_t read, create, update, move, remove, changed, unchanged, skipped, rejected, duplicates, open;
    uint64_t requests_create, requests_update, requests_move, requests_remove;
    uint64_t
        missing_waiting; /* missing leads that a sync would not remove yet, because rows without a usable key may be theirs */
    const char *waits_for;  /* which rows delay them, and what to do; NULL: none */
    bool at_work;           /* another run is active, and its batches are among the open ones */
    uint64_t verifications; /* each spends credits */
    uint64_t move_reads;    /* of leads before and after their moves; the least, and not among requests_… */
    double least_seconds;   /* seconds_at_limit with these */
    struct diff_most most;
    struct diff_plan plan;
    const char
        *patch; /* what a PATCH does to custom variables, as far as it decides about the reads; NULL: nothing is known */
    double seconds_at_limit;          /* <0: no limit configured */
    const char *const *new_variables; /* NULL: not known */
    size_t new_variables_n;
    const uint64_t *reasons;        /* REASON_N of them */
    const struct run_guard *guards; /* those that were judged */
    size_t guards_n;
    struct str would_stop;                      /* the messages of the guards that would stop a sync, one per line */
    const char *mapping_sha256, *source_sha256; /* "": not known */
    uint64_t state_serial;                      /* state_serial(); 0: there is no state */
};

struct diff;
int diff_open(const struct diff_options *options, struct diff **out, struct err *e);
int diff_head(struct diff *d, const struct diff_head *head, struct err *e);
int diff_change(struct diff *d, const struct diff_change *change, struct err *e);
/* A lead without a row that a sync does not remove yet, because a row without a key may be its row: a removal, as in diff_change(). */
int diff_waiting(struct diff *d, const struct diff_change *waits, struct err *e);
bool diff_wants_payload(const struct diff *d);
int diff_payload(struct diff *d, const struct diff_payload *payload, struct err *e);
int diff_left_out(struct diff *d, const struct diff_left_out *left_out, struct err *e);
/* Has this row the text of --match, which a diff shows of changes and left-out rows only? 0 without --match. 1/0/-1 (memory) */
int diff_finds(struct diff *d, const struct entry *entry);
/* The last call; XS_IO when not all could be written. */
int diff_finish(struct diff *d, const struct diff_summary *summary, struct err *e);
bool diff_has_changes(const struct diff *d); /* shown or not */
bool diff_wants_cells(const struct diff *d); /* an entry's cells are looked into */
void diff_close(struct diff *d);             /* NULL is fine */

#endif
