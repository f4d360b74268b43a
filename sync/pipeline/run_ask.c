/* The question before a sync at a terminal. It is asked before the run starts, so that a refusal leaves no record and no
 * state. The source is read twice for that. */
#include "config.h"

#include "sync/pipeline/run_int.h"

static int plan_and_ask(struct run *r, struct err *e)
{
    const struct diff_head head = {.sync = r->m->name};
    /* A run that holds the lock now would stop the sync after the question. */
    if (r->c->wait_lock_ms == 0 && r->opening.scratch_state == NULL && state_check_lock(r->state, e) != 0)
        return -1;
    if (api_workspace_get(r->api, &r->run_arena, &r->workspace, e) != 0 || diff_head(r->diff, &head, e) != 0 ||
        run_plan_rows(r, e) != 0)
        return -1;
    return r->dry.would_stop ? 0 : guard_spool_consent(r, r->dry.summary.create + r->dry.summary.changed, e);
}

int run_ask(const struct run_config *config, struct err *e)
{
    const struct diff_options options = {.format = DIFF_NONE};
    struct run_report report = {.started_ms = config->clock->wall_ms(config->clock), .status = "failed"};
    struct run r = {.c = config, .report = &report, .tally = &report.tally, .read.kind = "full", .dry.asks = true};
    if (diff_open(&options, &r.diff, e) != 0)
        return -1;
    int rc = run_open(&r, e);
    if (rc == 0)
        rc = plan_and_ask(&r, e);
    if (rc != 0 && e->status == XS_SOURCE) {
        err_clear(e);
        rc = 0;
    }
    struct diff *diff = r.diff;
    run_close(&r);
    diff_close(diff);
    run_report_free(&report);
    return rc;
}
