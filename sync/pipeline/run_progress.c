/* The figures of the progress line. It counts decided rows, because reading is ahead by the rows that wait for the guards and
 * by those in flight. */
#include "config.h"

#include "sync/pipeline/run_int.h"

enum { PROGRESS_US = 100 * 1000, RATE_US = 1000 * 1000 };

double run_request_limit(const struct limits *limits)
{
    double per_second = limits->requests_per_second > 0 ? (double)limits->requests_per_second : -1;
    if (limits->requests_per_minute > 0 && (per_second < 0 || (double)limits->requests_per_minute / 60 < per_second))
        per_second = (double)limits->requests_per_minute / 60;
    return per_second;
}

/* The share of the request limit used in about the last second. */
static double limit_share(struct run *r, int64_t now)
{
    struct run_pulse *p = &r->pulse;
    double limit = r->m != NULL ? run_request_limit(&r->m->limits) : -1;
    if (r->api == NULL || limit <= 0)
        return -1;
    if (now - p->rate_us >= RATE_US) {
        struct api_counts counts;
        api_get_counts(r->api, &counts);
        double seconds = (double)(now - p->rate_us) / 1e6;
        p->limit_share = p->rate_us > 0 ? (double)(counts.total - p->requests) / seconds / limit : -1;
        p->rate_us = now;
        p->requests = counts.total;
    }
    return p->limit_share;
}

/* The share of all rows that is done. The number of rows still to come is estimated from the bytes still to be read. */
static double done_share(const struct run *r, uint64_t done)
{
    double rows = (double)r->tally->read;
    if (r->source == NULL || rows <= 0)
        return -1;
    if (!r->read.ended && (r->source->bytes_total == 0 || r->source->bytes_read == 0))
        return -1;
    if (!r->read.ended && r->source->bytes_read < r->source->bytes_total)
        rows *= (double)r->source->bytes_total / (double)r->source->bytes_read;
    return (double)done < rows ? (double)done / rows : 1;
}

void run_show_progress(void *run)
{
    struct run *r = run;
    int64_t now = r->c->clock->mono_us(r->c->clock);
    if (r->c->progress == NULL || now - r->pulse.shown_us < PROGRESS_US)
        return;
    /* A dry run is done with what it has read. */
    uint64_t done = r->diff != NULL ? r->tally->read : tally_decided(r->tally);
    struct run_progress progress = {
        .rows = r->tally->read,
        .done = done,
        .created = r->tally->outcomes[OUTCOME_CREATED],
        .updated = r->tally->updated,
        .moved = r->tally->moved,
        .removed = r->tally->outcomes[OUTCOME_REMOVED],
        .dry = r->diff != NULL,
        .held = r->spools.guard != NULL && !r->spools.releasing,
        .reads = !r->read.ended,
        .ops = r->upload != NULL ? upload_ops(r->upload) : 0,
        .open_batches = r->upload != NULL ? upload_open_n(r->upload) : 0,
        .leads_per_second = now > r->started_us ? (double)done * 1e6 / (double)(now - r->started_us) : 0,
        .limit_share = limit_share(r, now),
        .done_share = done_share(r, done),
    };
    progress.waits = r->api != NULL && api_waits(r->api, &progress.wait);
    const struct upload_job *job;
    for (size_t i = 0; r->upload != NULL && (job = upload_job(r->upload, i)) != NULL; i++)
        progress.open_jobs += job->open;
    if (progress.rows == 0 && progress.open_batches == 0)
        return;
    r->pulse.shown_us = now;
    r->c->progress(r->c->ctx, &progress);
}
