/* Faults on order: which request goes wrong, and how. The grammar is in sandbox.h. Knows no socket: it only decides.
 * */
#ifndef SYNC_SANDBOX_SERVER_FAULTS_H
#define SYNC_SANDBOX_SERVER_FAULTS_H

#include "sync/base/err.h"
#include "sync/base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum box_fault_kind {
    BOX_FAULT_NONE,
    BOX_FAULT_DROP,
    BOX_FAULT_STATUS,
    BOX_FAULT_TRUNCATE,
    BOX_FAULT_GARBAGE,
    BOX_FAULT_EMPTY,
    BOX_FAULT_SLOW,
    BOX_FAULT_HANG,
    BOX_FAULT_LIE,
    BOX_FAULT_LATE
};

/* False content of a complete answer with a good status, or work that it leaves undone. The endpoint applies the lie. */
enum box_lie {
    BOX_LIE_NONE,
    BOX_LIE_EMPTY_CREATED,
    BOX_LIE_NAMELESS_OMITTED,
    BOX_LIE_SHIFTED_INDEX,
    BOX_LIE_CREATED_INDEX,
    BOX_LIE_SAME_ID,
    BOX_LIE_STRANGER_ID,
    BOX_LIE_UPLOADED_UNLISTED,
    BOX_LIE_PATCH_IGNORED,
    BOX_LIE_PATCH_ECHOED,
    BOX_LIE_DELETE_IGNORED,
    BOX_LIE_JOB,
    BOX_LIE_LIST_EMPTY,
    BOX_LIE_LIST_LAG
};

struct box_fault {
    enum box_fault_kind kind;
    enum box_lie lie; /* of BOX_FAULT_LIE */
    bool after;       /* the work is done before it goes wrong */
    bool reset;       /* drop: RST instead of FIN */
    bool hold;        /* late: the connection stays open until the work is done */
    bool date;        /* status: Retry-After as a date */
    bool raw;         /* garbage: no HTTP at all */
    unsigned status;
    int64_t arg;      /* Retry-After seconds, or milliseconds; -1: none given */
    const char *name; /* the item's text for the request log; lives as long as the rules */
};

struct box_fault_item {
    struct box_fault fault;
    double share;         /* 0..1; negative: by number */
    uint64_t first, last; /* by number, from 1 */
};

struct box_fault_rule {
    char *method, *path; /* owned; "*" any */
    struct box_fault_item *items;
    size_t items_n;
    uint64_t seen; /* requests that matched */
};

struct box_faults {
    char *text; /* owned copy, which item names point into */
    struct box_fault_rule *rules;
    size_t rules_n;
    uint64_t seed;
};

/* Replaces the rules; NULL or "" is none. XS_USAGE names the place that is wrong; the rules then stay as they were. */
int box_faults_set(struct box_faults *f, const char *text, uint64_t seed, struct err *e);
void box_faults_free(struct box_faults *f);
/* `path` without /api/v2, `pattern` the route it fell on (NULL: none). Counts the request. */
struct box_fault box_faults_pick(struct box_faults *f, const char *method, const char *path, const char *pattern);

#endif
