/* The targets of a run, each with its number in the state: those of the mapping in route order, then the destinations of removed
 * leads, then targets of older rows. */
#ifndef SYNC_PLAN_TARGETS_H
#define SYNC_PLAN_TARGETS_H

#include "mappings/mapping.h"
#include "sync/api/api.h"
#include "sync/state/state.h"

struct targets {
    struct arena arena;
    struct run_target {
        struct target target;
        uint32_t number; /* in the state */
    } * v;               /* [0 .. mapped_n): what mapped.target_index means */
    size_t n, mapped_n;
    size_t created_n;   /* [0 .. created_n): where leads are created: the mapping's, and then the stage's list */
    size_t removals_at; /* from here on: a destination for each policy that moves, in their order */
};

/* The policies for leads that are no longer wanted. Number 0 is the mapping's `removed`, for mode mirror only; number i, from 1 on,
 * is the `then` of the i-th rule of skip_when. NULL past the last. */
const struct removal *targets_policy(const struct mapping *m, size_t i);
/* The destination of policy i, once the targets are numbered; NULL unless it is REMOVAL_MOVE. */
const struct run_target *targets_of_policy(const struct targets *t, const struct mapping *m, size_t i);

/* Finds every target that the mapping names. `api` NULL: UUIDs only, else XS_KEY. `ask`: UUIDs are looked up too. */
int targets_find(struct targets *t, const struct mapping *m, struct api *api, bool ask, struct err *e);
/* Asks for the `sending` of each campaign of the mapping that was looked up: a request each. */
int targets_ask_sending(struct targets *t, struct api *api, struct err *e);
/* True if `target:` and the stage's target are the same words in the mapping, so that no lookup is needed to compare them. */
bool targets_promote_same(const struct mapping *m);
/* XS_CONFIG: the stage promotes to another target than the mapping's, by their ids. 0/-1 */
int targets_promote_judge(const struct mapping *m, const struct target *promote, const struct target *target, struct err *e);
/* Gives each its number in the state. */
int targets_number(struct targets *t, struct state *s, bool accept, struct err *e);
/* The target with this number, of the mapping or else of the state. XS_STATE: it is not known. Borrowed until targets_free(). */
const struct target *targets_get(struct targets *t, struct state *s, uint32_t number, struct err *e);
/* The number of a campaign or list in which a lead was met, which the mapping need not name. Adds it to the targets, and to the
 * state if that may be written. */
int targets_meet(struct targets *t, struct state *s, const struct target *place, uint32_t *number, struct err *e);
void targets_free(struct targets *t);

#endif
