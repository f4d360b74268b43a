/* Fills the report at the end of a run: counts of requests, jobs and targets, time and memory. */
#include "config.h"

#include "sync/pipeline/run_fill.h"
#include "sync/pipeline/run_int.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "sync/base/log.h"

enum { BEGUN_BYTES = 64 << 20 };

static int target_text(struct run *r)
{
    char id[TARGET_TEXT_N];
    if (r->targets.mapped_n == 0)
        return 0;
    const struct target *t = &r->targets.v[0].target;
    struct buf text = BUF_INIT(1 << 16);
    int rc = buf_addf(&text, "%s %s", target_kind_text(t->kind), t->name != NULL ? t->name : target_format(t, id));
    if (rc == 0 && r->targets.mapped_n > 1)
        rc = buf_addf(&text, " and %zu more", r->targets.mapped_n - 1);
    for (size_t i = 0; i < r->targets.mapped_n && rc == 0; i++) {
        t = &r->targets.v[i].target;
        /* A draft is filled before it is launched: nothing to hear of every night. */
        if (t->status == CAMPAIGN_DRAFT)
            continue;
        if (t->sending != NULL && r->targets.mapped_n > 1)
            rc = buf_addf(&text, "; %s: %s", t->name != NULL ? t->name : target_format(t, id), t->sending);
        else if (t->sending != NULL)
            rc = buf_addf(&text, "; %s", t->sending);
    }
    const char *s = rc == 0 ? buf_cstr(&text) : NULL;
    r->report->target_text = s != NULL ? strdup(s) : NULL;
    buf_free(&text);
    return r->report->target_text != NULL ? 0 : -1;
}

int run_fill_jobs(struct run_report *report, const struct upload *u)
{
    size_t n = 0;
    while (u != NULL && upload_job(u, n) != NULL)
        n++;
    if (n == 0)
        return 0;
    report->jobs = calloc(n, sizeof *report->jobs);
    if (report->jobs == NULL)
        return -1;
    for (; report->jobs_n < n; report->jobs_n++) {
        const struct upload_job *job = upload_job(u, report->jobs_n);
        struct run_job *reported = &report->jobs[report->jobs_n];
        *reported = (struct run_job){.total = job->total,
                                     .success = job->success,
                                     .failed = job->failed,
                                     .type = job->type != NULL ? strdup(job->type) : NULL,
                                     .status = job->status != NULL ? strdup(job->status) : NULL};
        memcpy(reported->id, job->id, sizeof reported->id);
    }
    return 0;
}

static int add_target(struct run *r, const struct target *t, const struct tally_target *counts)
{
    struct run_target_counts *out = &r->report->targets[r->report->targets_n++];
    target_format(t, out->target);
    out->name = t->name != NULL ? strdup(t->name) : NULL;
    if (counts != NULL) {
        out->created = counts->created;
        out->changed = counts->changed;
        out->moved = counts->moved;
        out->removed = counts->removed;
    }
    return t->name == NULL || out->name != NULL ? 0 : -1;
}

/* First the targets of the mapping in its order, then others: a stage's list, or where leads were before. */
static int report_targets(struct run *r)
{
    const struct tally *t = r->tally;
    int rc = 0;
    r->report->targets = calloc(r->targets.mapped_n + t->targets_n + 1, sizeof *r->report->targets);
    if (r->report->targets == NULL)
        return -1;
    for (size_t i = 0; i < r->targets.mapped_n; i++) {
        size_t k = 0;
        while (k < t->targets_n && t->targets[k].number != r->targets.v[i].number)
            k++;
        rc |= add_target(r, &r->targets.v[i].target, k < t->targets_n ? &t->targets[k] : NULL);
    }
    for (size_t k = 0; k < t->targets_n; k++) {
        size_t i = 0;
        while (i < r->targets.mapped_n && t->targets[k].number != r->targets.v[i].number)
            i++;
        const struct target *other = i == r->targets.mapped_n ? run_target(r, t->targets[k].number) : NULL;
        rc |= other != NULL ? add_target(r, other, &t->targets[k]) : 0;
    }
    return rc;
}

void run_fill_costs(struct run_report *report, const struct api *api)
{
    struct rusage usage;
    if (api != NULL) {
        struct api_counts counts;
        api_get_counts(api, &counts);
        report->requests_total = counts.total;
        report->requests_retried = counts.retried;
        report->requests_rate_limited = counts.rate_limited;
        memcpy(report->requests_by_kind, counts.by_kind, sizeof report->requests_by_kind);
    }
    if (getrusage(RUSAGE_SELF, &usage) == 0)
        report->peak_rss_bytes = (uint64_t)usage.ru_maxrss * 1024;
}

void run_fill_report(struct run *r)
{
    struct run_report *report = r->report;
    report->finished_ms = r->c->clock->wall_ms(r->c->clock);
    run_fill_costs(report, r->api);
    if (r->source != NULL) {
        report->source = strdup(r->source->label);
        memcpy(report->source_sha256, r->source->sha256, sizeof report->source_sha256);
    }
    double seconds = (double)(r->c->clock->mono_us(r->c->clock) - r->started_us) / 1e6;
    uint64_t written = r->tally->outcomes[OUTCOME_CREATED] + r->tally->updated + r->tally->moved;
    report->leads_per_second = seconds > 0 ? (double)written / seconds : 0;
    if (r->workspace.name != NULL)
        report->workspace = strdup(r->workspace.name);
    if (run_fill_jobs(report, r->upload) != 0)
        log_detail("not enough memory to report the background jobs of the run");
    if (report_targets(r) != 0)
        log_detail("not enough memory to report the counts per target");
    if (target_text(r) != 0)
        log_detail("not enough memory to report the target's name");
}

const char *run_begun(struct run *r)
{
    struct buf text = BUF_INIT(BEGUN_BYTES);
    const char *begun = run_report_begun(r->report, &text) == 0 && buf_cstr(&text) != NULL
                            ? arena_dup(&r->run_arena, text.p, text.n)
                            : NULL;
    buf_free(&text);
    return begun;
}

void run_report_begin(struct run_report *report, const struct run_config *config)
{
    report->actor = config->actor;
    report->overrides = config->overrides;
    report->overrides_n = config->overrides_n;
    report->limit_rows = config->limit_rows;
    report->plan = config->plan != NULL ? plan_file_id(config->plan) : NULL;
    if (config->mapping != NULL)
        memcpy(report->mapping_sha256, config->mapping->sha256, sizeof report->mapping_sha256);
}
