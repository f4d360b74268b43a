#include "config.h"

#include "sync/cmd/run_choice.h"

int run_choice(struct state *state, uint64_t id, struct arena *arena, struct run_record *out, struct err *e)
{
    int found = state_run_get(state, id, arena, out, e);
    if (found > 0)
        return 0;
    if (found == 0 && id == 0)
        return err_set(e, XS_STATE, "sync \"%s\" has not run yet", state_sync(state));
    if (found == 0)
        return err_set(e, XS_USAGE, "sync \"%s\" has no run %llu; leadsync status lists its runs", state_sync(state),
                       (unsigned long long)id);
    return -1;
}
