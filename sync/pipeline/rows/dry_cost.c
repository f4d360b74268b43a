/* What a sync would cost: requests and seconds at least and at most, and room in the plan. */
#include "config.h"

#include <string.h>

#include "sync/base/log.h"
#include "sync/pipeline/run_int.h"
#include "sync/upload/cost.h"

static void count_creates(struct run *r)
{
    struct diff_summary *s = &r->dry.summary;
    uint64_t batch = (uint64_t)r->m->limits.batch;
    for (size_t i = 0; i < r->targets.created_n; i++) {
        uint64_t n = r->dry.creates_by_target[i];
        s->requests_create += (n + batch - 1) / batch;
        s->most.create += cost_create_most(n, batch, r->m->mode != MODE_CREATE);
    }
    s->most.create += cost_rekey_most(r->dry.rekeys);
}

/* At least: each request leaves at once. At most: in addition, leadsync waits for lists that lag and for jobs as long as it may. How
 * long Instantly takes to answer is not known. */
static void count_seconds(struct run *r)
{
    struct diff_summary *s = &r->dry.summary;
    const struct limits *limits = &r->m->limits;
    uint64_t least = s->requests_create + s->requests_update + s->requests_move + s->requests_remove;
    uint64_t most = s->most.create + s->most.update + s->most.move + s->most.remove;
    double per_second = run_request_limit(limits);
    s->seconds_at_limit = s->least_seconds = s->most.seconds = -1;
    if (per_second <= 0)
        return;
    s->seconds_at_limit = (double)least / per_second;
    s->least_seconds = (double)(least + s->move_reads) / per_second;
    s->most.seconds = (double)most / per_second;
    if (most > 0)
        s->most.seconds += (double)limits->settle_ms / 1000 * cost_waits_most((uint64_t)limits->batch);
    if (s->most.move > 0 || s->verifications > 0)
        s->most.seconds += (double)limits->job_wait_ms / 1000;
}

/* Only --remote reads Instantly; other diffs ask for names alone. */
static int ask_plan(struct run *r, struct err *e)
{
    struct workspace w = {.lead_limit = -1, .lead_count = -1};
    if (r->api == NULL || r->c->remote != RUN_REMOTE_PLAN)
        return 0;
    if (api_plan_get(r->api, &w, e) != 0)
        return -1;
    if (w.plan_notice != NULL)
        log_detail("%s", w.plan_notice);
    r->dry.summary.plan = (struct diff_plan){.known = w.lead_limit >= 0 && w.lead_count >= 0,
                                             .used = w.lead_count,
                                             .limit = w.lead_limit};
    return 0;
}

/* It decides whether updates are read before they are written. */
static int name_patch(struct run *r, struct err *e)
{
    char text[PATCH_EFFECT_TEXT_N];
    if (r->dry.lone_updates == 0 || r->dry.patch.variables == PATCH_UNKNOWN)
        return 0;
    state_patch_effect_text(&r->dry.patch, text);
    r->dry.summary.patch = arena_dup(&r->run_arena, text, strlen(text));
    return r->dry.summary.patch != NULL ? 0 : err_oom(e);
}

int dry_cost_fill(struct run *r, struct err *e)
{
    struct diff_summary *s = &r->dry.summary;
    count_creates(r);
    s->most.update = cost_update_most(s->update);
    for (size_t i = 0; i < r->dry.move_counts_n; i++) {
        s->most.move += cost_move_most(r->dry.move_counts[i].n);
        s->move_reads += cost_move_reads(r->dry.move_counts[i].n);
    }
    count_seconds(r);
    return name_patch(r, e) != 0 ? -1 : ask_plan(r, e);
}
