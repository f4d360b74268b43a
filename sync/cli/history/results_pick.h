/* Which rows `results` shows: --outcome, --reason and --match. */
#ifndef SYNC_CLI_HISTORY_RESULTS_PICK_H
#define SYNC_CLI_HISTORY_RESULTS_PICK_H

#include "sync/cli/command.h"
#include "sync/model/match.h"
#include "sync/state/state.h"

struct results_pick {
    bool wanted[OUTCOME_N], reasons[REASON_N];
    struct match match;
    struct buf changes; /* scratch */
    struct arena arena; /* of a lead that is looked into */
};

/* The lists may be empty (outcomes: all but unchanged; reasons: all), match NULL. After it, even failed: free. 0, or -1: XS_USAGE,
 * memory */
int results_pick_init(struct results_pick *pick, const struct opt_list *outcomes, const struct opt_list *reasons,
                      const char *match, struct err *e);
void results_pick_free(struct results_pick *pick);
/* Is it one of the rows that are asked for? The text is looked for in what the result has, and in what was last written for its
 * lead. 1/0/-1 */
int results_pick_has(struct results_pick *pick, struct state *state, const struct entry *entry, struct err *e);
/* Has the run such a row? 1/0/-1 */
int results_pick_run_has(struct results_pick *pick, struct state *state, uint64_t run, struct err *e);

#endif
