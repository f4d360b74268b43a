/* What the files of this room share. */
#ifndef SYNC_PLANFILE_PLAN_FILE_INT_H
#define SYNC_PLANFILE_PLAN_FILE_INT_H

#include "sync/model/row.h"
#include "sync/planfile/plan_file.h"

#include <json-c/json.h>
#include <stddef.h>

enum {
    PLAN_VERSION = 1,
    PLAN_LINE_MAX = 64 << 20, /* bytes of one line: a lead of the largest allowed size, twice, with room */
};

/* The counts of the summary, as members of the same names. */
struct plan_count {
    const char *name;
    size_t offset; /* in struct diff_summary */
};
extern const struct plan_count plan_counts[];
extern const size_t plan_counts_n;
/* The same of doubles; negative: not known. */
extern const struct plan_count plan_seconds[];
extern const size_t plan_seconds_n;

/* ---- reading ---- */
struct plan_file {
    char *path;
    FILE *f;
    struct json_tokener *parser;
    struct buf line;
    uint64_t line_n;
    char id[SHA256_HEX_N];
    struct arena arena; /* of head and summary */
    struct lead_shape shape;
    struct diff_head head;
    struct plan_origin origin;
    struct diff_summary summary;
    struct diff_warnings warnings;
    struct run_guard guards[RUN_GUARDS_MAX];
    uint64_t reasons[REASON_N];
    bool has_head, has_summary;
    unsigned char mask_secret[HASH_SECRET_N];
    bool ended; /* the last record was returned */
    /* Of the last two records. */
    struct slot {
        struct arena arena;
        struct lead leads[2];
        struct target targets[2];
        bool *custom;
    } slots[2], *slot; /* slot: that of the record at hand */
};

enum { PLAN_LIST_MAX = 100000 };

/* ---- plan_json.c; `p` is for messages ---- */
/* XS_SOURCE with file and line. -1 */
int plan_bad(const struct plan_file *p, struct err *e, const char *what);
/* Borrowed; NULL or empty if the member is absent or of another kind. */
struct json_object *plan_member(struct json_object *o, const char *key);
struct str plan_text(struct json_object *v);
bool plan_member_is(struct json_object *o, const char *key, const char *text);
bool plan_truth(struct json_object *o, const char *key);
int64_t plan_number(struct json_object *o, const char *key);
uint64_t plan_count(struct json_object *o, const char *key); /* 0 for a negative number */
/* Copies; 0/-1. A C string is NULL for null, and may have no NUL inside. */
int plan_copy_text(struct arena *arena, struct json_object *v, struct str *out);
int plan_copy_cstr(struct plan_file *p, struct arena *arena, struct json_object *v, char **out, struct err *e);
int plan_copy_texts(struct plan_file *p, struct json_object *list, char ***out, size_t *n, struct err *e);
int plan_copy_names(struct plan_file *p, struct json_object *list, const struct str **out, size_t *n, struct err *e);
/* 1 with the target, 0 it is null, -1 */
int plan_read_target(struct plan_file *p, struct arena *arena, struct json_object *o, struct target *out, struct err *e);

/* ---- plan_record.c ---- */
/* 1 with the record, 0 the line is the summary, -1 */
int plan_record_read(struct plan_file *p, struct json_object *o, struct plan_record *out, struct err *e);

#endif
