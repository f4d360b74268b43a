/* What the formats of the diff share. A format turns each event into bytes of `record`, and decides whether they are written now
 * or kept until the end. Only diff.c writes, counts and owns the files. */
#ifndef SYNC_REPORT_DIFF_FORMAT_H
#define SYNC_REPORT_DIFF_FORMAT_H

#include "sync/base/jsonw.h"
#include "sync/model/match.h"
#include "sync/report/diff.h"
#include "sync/report/record.h"

/* A kind of change as it is shown: the operations, and a create or removal that is half of a rekey. */
enum diff_kind { DIFF_KIND_CREATE, DIFF_KIND_UPDATE, DIFF_KIND_MOVE, DIFF_KIND_REMOVE, DIFF_KIND_REKEY, DIFF_KIND_N };

/* Records that are printed at the end. Their file is unlinked, has mode 0600, and is created when it is first needed. */
struct diff_later {
    FILE *f;
    uint64_t n; /* records in it */
};

struct diff_format_ops;
struct diff {
    struct diff_options options;
    const struct diff_format_ops *ops;
    struct diff_head head;        /* borrowed, see struct diff_head */
    struct buf record;            /* the bytes of the event under way */
    struct record_writer records; /* CSV: writes there */
    struct diff_later changes, left_out, rejects;
    uint64_t changes_n, kinds[DIFF_KIND_N], left_out_n; /* of those that are shown */
    uint64_t hidden_n;                                  /* changes that `match` leaves out */
    struct match match;
    size_t unflushed;
    bool begun, finished;
};

/* Every member appends to d->record and lets diff_write() or diff_keep() take it. 0/-1. */
struct diff_format_ops {
    int (*head)(struct diff *d, struct err *e);
    int (*change)(struct diff *d, const struct diff_change *change, struct err *e);
    int (*left_out)(struct diff *d, const struct diff_left_out *left_out, struct err *e);
    int (*finish)(struct diff *d, const struct diff_summary *summary, struct err *e);
};
extern const struct diff_format_ops diff_format_text, diff_format_json, diff_format_ndjson, diff_format_csv;

/* Takes what is in d->record to the output, or into a file for later. */
int diff_write(struct diff *d, struct err *e);
int diff_keep(struct diff *d, struct diff_later *later, struct err *e);
/* Copies what was kept to the output. */
int diff_pour(struct diff *d, struct diff_later *later, struct err *e);

enum diff_kind diff_kind_of(const struct diff_change *change);
const char *diff_kind_text(enum diff_kind kind);

/* One written field of a change, with its values; VALUE_ABSENT is "not known" or, of a create, "nothing". */
struct diff_field {
    struct str name;
    bool custom;
    struct value old_value, new_value;
};
/* The fields of a change in lead order, core fields first: 1 with the next one, 0 at the end. Start with *at 0. A
 * create has every field that the lead has. */
int diff_field_next(const struct diff_change *change, size_t *at, struct diff_field *out);

/* ---- diff_match.c: is it to be shown? 1/0/-1 (memory) ---- */
int diff_match_change(struct diff *d, const struct diff_change *change);
int diff_match_left_out(struct diff *d, const struct diff_left_out *left_out);

#endif
