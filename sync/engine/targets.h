/* The targets of a run: those of the mapping, in route order, and whatever older rows still name; each with the state's
 * number. */
#ifndef SYNC_ENGINE_TARGETS_H
#define SYNC_ENGINE_TARGETS_H

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
};

/* Finds every target that the mapping names. `api` NULL: UUIDs only, else XS_KEY. `ask`: UUIDs are looked up too. */
int targets_find(struct targets *t, const struct mapping *m, struct api *api, bool ask, struct err *e);
/* Gives each its number in the state. */
int targets_number(struct targets *t, struct state *s, bool accept, struct err *e);
/* By number, from the state when it is none of the mapping's: XS_STATE when unknown. Borrowed until targets_free(). */
const struct target *targets_get(struct targets *t, struct state *s, uint32_t number, struct err *e);
void targets_free(struct targets *t);

#endif
