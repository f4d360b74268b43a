/* The targets of a run: those of the mapping, in route order, then those that removed leads are moved to, and whatever
 * older rows still name; each with the state's number. */
#ifndef SYNC_PLAN_TARGETS_H
#define SYNC_PLAN_TARGETS_H

#include "mappings/mapping.h"
#include "sync/api/api.h"
#include "sync/state/state.h"

struct targets {
    struct arena arena;
    struct run_target {
        struct target target;
        uint32_t number;       /* in the state */
    } *v;                      /* [0 .. mapped_n): what mapped.target_index means */
    size_t n, mapped_n;
    size_t created_n;          /* [0 .. created_n): where leads are created: the mapping's, and then the stage's list */
    size_t removals_at;            /* from here on: a destination for each policy that moves, in their order */
};

/* What is done with leads that are no longer wanted: number 0 is the mapping's `removed`, which is for its mode mirror
 * only, number i the `then` of the i-th rule of skip_when from 1 on. NULL past the last. */
const struct gone *targets_policy(const struct mapping *m, size_t i);
/* Where policy i moves leads to, once numbered; NULL unless it is GONE_MOVE. */
const struct run_target *targets_of_policy(const struct targets *t, const struct mapping *m, size_t i);

/* Finds every target that the mapping names. `api` NULL: UUIDs only, else XS_KEY. `ask`: UUIDs are looked up too. */
int targets_find(struct targets *t, const struct mapping *m, struct api *api, bool ask, struct err *e);
/* A stage promotes to the target itself. Is that so by the mapping's own words, so that nothing needs to be looked up? */
bool targets_promote_same(const struct mapping *m);
/* Are these two, as Instantly knows them, one place? Else XS_CONFIG. */
int targets_promote_judge(const struct mapping *m, const struct target *promote, const struct target *target,
                          struct err *e);
/* Gives each its number in the state. */
int targets_number(struct targets *t, struct state *s, bool accept, struct err *e);
/* By number, from the state when it is none of the mapping's: XS_STATE when unknown. Borrowed until targets_free(). */
const struct target *targets_get(struct targets *t, struct state *s, uint32_t number, struct err *e);
void targets_free(struct targets *t);

#endif
