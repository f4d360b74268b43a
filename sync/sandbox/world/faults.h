/* Faults on order: which request goes wrong, and how. The grammar is in sandbox.h. Knows no socket: it only decides.
 * */
#ifndef SYNC_SANDBOX_WORLD_FAULTS_H
#define SYNC_SANDBOX_WORLD_FAULTS_H

#include "sync/base/err.h"
#include "sync/base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum sim_fault_kind {
    SIM_FAULT_NONE,
    SIM_FAULT_DROP,
    SIM_FAULT_STATUS,
    SIM_FAULT_TRUNCATE,
    SIM_FAULT_GARBAGE,
    SIM_FAULT_EMPTY,
    SIM_FAULT_SLOW,
    SIM_FAULT_HANG,
    SIM_FAULT_LIE,
    SIM_FAULT_LATE
};

/* False content of a complete answer with a good status, or work that it leaves undone. The endpoint applies the lie. */
enum sim_lie {
    SIM_LIE_NONE,
    SIM_LIE_EMPTY_CREATED,
    SIM_LIE_NAMELESS_OMITTED,
    SIM_LIE_SHIFTED_INDEX,
    SIM_LIE_CREATED_INDEX,
    SIM_LIE_SAME_ID,
    SIM_LIE_STRANGER_ID,
    SIM_LIE_UPLOADED_UNLISTED,
    SIM_LIE_PATCH_IGNORED,
    SIM_LIE_PATCH_ECHOED,
    SIM_LIE_DELETE_IGNORED,
    SIM_LIE_JOB,
    SIM_LIE_LIST_EMPTY,
    SIM_LIE_LIST_LAG
};

struct sim_fault {
    enum sim_fault_kind kind;
    enum sim_lie lie; /* of SIM_FAULT_LIE */
    bool after;       /* the work is done before it goes wrong */
    bool reset;       /* drop: RST instead of FIN */
    bool hold;        /* late: the connection stays open until the work is done */
    bool date;        /* status: Retry-After as a date */
    bool raw;         /* garbage: no HTTP at all */
    unsigned status;
    int64_t arg;      /* Retry-After seconds, or milliseconds; -1: none given */
    const char *name; /* the item's text for the request log; lives as long as the rules */
};

struct sim_fault_item {
    struct sim_fault fault;
    double share;         /* 0..1; negative: by number */
    uint64_t first, last; /* by number, from 1 */
};

struct sim_fault_rule {
    char *method, *path; /* owned; "*" any */
    struct sim_fault_item *items;
    size_t items_n;
    uint64_t seen; /* requests that matched */
};

struct sim_faults {
    char *text; /* owned copy, which item names point into */
    struct sim_fault_rule *rules;
    size_t rules_n;
    uint64_t seed;
};

/* Replaces the rules; NULL or "" is none. XS_USAGE names the place that is wrong; the rules then stay as they were. */
int sim_faults_set(struct sim_faults *f, const char *text, uint64_t seed, struct err *e);
void sim_faults_free(struct sim_faults *f);
/* `path` without /api/v2, `pattern` the route it fell on (NULL: none). Counts the request. */
struct sim_fault sim_faults_pick(struct sim_faults *f, const char *method, const char *path, const char *pattern);

#endif
