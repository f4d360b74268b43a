/* POST /leads/move. */
#include "config.h"

#include "sync/engine/work.h"

void move_start(struct part *p)
{
    for (size_t k = 0; k < p->n; k++)
        work_entry_done(p->work, p->index[k], OUTCOME_DEFERRED, REASON_INTERRUPTED, 0);
    part_free(p);
}
