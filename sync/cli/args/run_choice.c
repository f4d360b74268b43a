#include "config.h"

#include "sync/cli/args/run_choice.h"

#include "sync/base/log.h"
#include "sync/report/report_read.h"

enum { LOOK_BACK = 100 };

bool run_choice_is_unread(const struct run_record *run)
{
    return run->finished_ms > 0 && run->exit_code > XS_LEFT_OVER && run->exit_code != XS_GUARD &&
           report_read_rows(run->report, "read") == 0;
}

/* A resume reads no rows, so the latest run that read a source is shown. */
static int latest_reading(struct state *state, struct arena *arena, struct run_record *out, struct err *e)
{
    struct run_record *runs;
    size_t n;
    if (state_runs(state, LOOK_BACK, arena, &runs, &n, e) != 0)
        return -1;
    if (n > 0 && run_choice_is_unread(&runs[0]))
        log_notice("run %llu, the latest, ended with %d before it read a row: leadsync status --run %llu",
                   (unsigned long long)runs[0].id, runs[0].exit_code, (unsigned long long)runs[0].id);
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

int run_choice_report_rejects(struct state *state, const struct run_record *shown, struct arena *arena, struct err *e)
{
    struct run_record *runs;
    size_t n;
    if (state_runs(state, LOOK_BACK, arena, &runs, &n, e) != 0)
        return -1;
    for (size_t i = 0; i < n; i++) {
        struct str header;
        char delimiter;
        uint64_t rejected = runs[i].id < shown->id ? report_read_rows(runs[i].report, "rejected") : 0;
        int kept = rejected > 0 ? state_header_get(state, runs[i].id, arena, &header, &delimiter, e) : 0;
        if (kept < 0)
            return -1;
        if (kept == 0)
            continue;
        if (report_read_rows(shown->report, "rejected") == 0)
            log_notice("run %llu rejected no row; run %llu rejected %llu: --run %llu", (unsigned long long)shown->id,
                       (unsigned long long)runs[i].id, (unsigned long long)rejected, (unsigned long long)runs[i].id);
        else
            log_notice("run %llu read only changed rows; run %llu rejected %llu, too: --run %llu",
                       (unsigned long long)shown->id, (unsigned long long)runs[i].id, (unsigned long long)rejected,
                       (unsigned long long)runs[i].id);
        return 0;
    }
    return 0;
}
