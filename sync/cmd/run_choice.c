#include "config.h"

#include "sync/cmd/run_choice.h"

/* A resume has no rows of its own: who asks for the latest rows means the run before it. */
static int latest_reading(struct state *state, struct arena *arena, struct run_record *out, struct err *e)
{
    enum { LOOK_BACK = 100 };
    struct run_record *runs;
    size_t n;
    if (state_runs(state, LOOK_BACK, arena, &runs, &n, e) != 0)
        return -1;
    for (size_t i = 0; i < n; i++)
        if (runs[i].read != NULL && runs[i].read[0] != '\0') {
            *out = runs[i];
            return 1;
        }
    return 0;
}

int run_choice(struct state *state, uint64_t id, struct arena *arena, struct run_record *out, struct err *e)
{
    int found = id == 0 ? latest_reading(state, arena, out, e) : 0;
    if (found == 0)
        found = state_run_get(state, id, arena, out, e);
    if (found > 0)
        return 0;
    if (found == 0 && id == 0)
        return err_set(e, XS_STATE, "sync \"%s\" has not run yet", state_sync(state));
    if (found == 0)
        return err_set(e, XS_USAGE, "sync \"%s\" has no run %llu; leadsync status lists its runs", state_sync(state),
                       (unsigned long long)id);
    return -1;
}
