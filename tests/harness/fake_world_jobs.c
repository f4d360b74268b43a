/* Moves of the stand-in, which are background jobs: done when they are due, and shown as their mode says. */
#include "tests/harness/fake_world_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sync/base/hash.h"

static const char *end_of(struct json_object *filters, bool to)
{
    const char *campaign = world_text(filters, to ? "to_campaign_id" : "campaign");
    return campaign[0] != '\0' ? campaign : world_text(filters, to ? "to_list_id" : "list_id");
}

static struct json_object *by_id(struct world *w, const char *id)
{
    for (size_t i = 0; i < world_n(w); i++)
        if (strcmp(world_text(json_object_array_get_idx(w->leads, i), "id"), id) == 0)
            return json_object_array_get_idx(w->leads, i);
    return NULL;
}

static void work_job(struct world *w, struct world_job *job)
{
    struct json_object *ids = world_member(job->filters, "ids");
    const char *from = end_of(job->filters, false), *to = end_of(job->filters, true);
    size_t n = json_object_array_length(ids), stop = n;
    bool half = job->mode == WJOB_FAILED || job->mode == WJOB_CANCELLED || job->mode == WJOB_HALF ||
                job->mode == WJOB_BOASTS;
    if (half)
        stop = n / 2;
    for (size_t i = 0; i < n && job->mode != WJOB_ZERO; i++) {
        struct json_object *lead = by_id(w, json_object_get_string(json_object_array_get_idx(ids, i)));
        const char *email = world_text(lead, "email");
        if (lead == NULL || strcmp(world_target_of(lead), from) != 0)
            continue;
        job->total++;
        if (job->mode == WJOB_BOASTS || job->mode == WJOB_LIES)
            json_object_array_add(job->emails, json_object_new_string(email));
        if (job->mode == WJOB_LIES) {
            job->moved++;
            continue;
        }
        if (i >= stop || world_starts(email, "stays") || (email[0] != '\0' && world_find(w, to, email) != NULL))
            continue;
        if (job->mode != WJOB_BOASTS && job->mode != WJOB_SILENT)
            json_object_array_add(job->emails, json_object_new_string(email));
        json_object_array_add(job->leads, json_object_get(lead));
        job->moved++;
    }
}

static void show_job(struct world_job *job)
{
    for (size_t i = 0; i < json_object_array_length(job->leads); i++) {
        world_move_to(json_object_array_get_idx(job->leads, i), end_of(job->filters, true));
        world_put_int(json_object_array_get_idx(job->leads, i), "status", 1);
    }
}

void world_step_jobs(struct world *w)
{
    for (size_t i = 0; i < w->jobs_n; i++) {
        struct world_job *job = &w->jobs[i];
        if (job->mode == WJOB_STUCK && w->job_mode == WJOB_OK) {
            job->mode = WJOB_OK;
            job->due_ms = w->clock->wall;
        }
        if (!job->done && job->mode != WJOB_STUCK && job->due_ms <= w->clock->wall) {
            job->done = true;
            work_job(w, job);
        }
        /* Where a lead is shows late; what the job says of it does not. */
        if (job->done && !job->shown && job->due_ms + w->lag_ms <= w->clock->wall) {
            job->shown = true;
            show_job(job);
        }
    }
}

bool world_is_locked(const struct world *w, const char *target)
{
    for (size_t i = 0; i < w->jobs_n; i++)
        if (!w->jobs[i].done && (strcmp(end_of(w->jobs[i].filters, false), target) == 0 ||
                                 strcmp(end_of(w->jobs[i].filters, true), target) == 0))
            return true;
    return false;
}

static const char *job_status(const struct world *w, const struct world_job *job)
{
    int64_t third = (job->due_ms - job->created_ms) / 3, age = w->clock->wall - job->created_ms;
    if (job->done)
        return job->mode == WJOB_FAILED ? "failed" : job->mode == WJOB_CANCELLED ? "cancelled" : "success";
    if (job->mode == WJOB_PAUSED || job->mode == WJOB_DRAINING || job->mode == WJOB_ODD)
        return age < third                  ? "pending"
               : job->mode == WJOB_PAUSED   ? "paused"
               : job->mode == WJOB_DRAINING ? "draining"
                                            : "rebalancing";
    return age < third ? "pending" : "in-progress";
}

static struct json_object *tell_job(const struct world *w, const struct world_job *job)
{
    struct json_object *o = json_object_new_object(), *data = json_object_new_object();
    char when[TIME_TEXT_N];
    world_put_text(o, "id", job->id);
    world_put_text(o, "type", "move-leads");
    world_put_text(o, "status", job_status(w, job));
    world_put_int(o, "progress", job->done ? 100 : 0);
    world_put_text(o, "created_at", time_format(job->created_ms + w->skew_ms, when));
    world_put_text(o, "updated_at", time_format(w->clock->wall + w->skew_ms, when));
    world_put_text(o, "entity_id", end_of(job->filters, false));
    json_object_object_add(data, "filters", json_object_get(job->filters));
    if (job->done) {
        world_put_int(data, "total_leads", job->total);
        world_put_int(data, "moved_leads", job->moved);
        json_object_object_add(data, "moved_lead_emails", json_object_get(job->emails));
    }
    json_object_object_add(o, "data", data);
    return o;
}

void world_answer_move(struct world *w, struct json_object *body, struct fake_answer *a)
{
    size_t n = json_object_array_length(world_member(body, "ids"));
    if (world_is_locked(w, end_of(body, false)) || world_is_locked(w, end_of(body, true))) {
        world_refuse(w, 409, "There is a move-leads job in progress. You cannot add or remove leads", a);
        return;
    }
    if (n == 0 || end_of(body, false)[0] == '\0' || (size_t)json_object_get_int64(world_member(body, "limit")) != n) {
        fprintf(stderr, "fake_world: a move without ids, source or limit\n");
        abort();
    }
    if (w->ids_max > 0 && n > w->ids_max) {
        world_refuse(w, 400, "body/ids must NOT have more items", a);
        return;
    }
    if (w->jobs_n == WORLD_JOBS_MAX)
        abort();
    struct world_job *job = &w->jobs[w->jobs_n++];
    bool slow = w->job_mode == WJOB_PAUSED || w->job_mode == WJOB_DRAINING || w->job_mode == WJOB_ODD;
    *job = (struct world_job){.mode = w->job_mode,
                              .created_ms = w->clock->wall,
                              .filters = json_object_get(body),
                              .due_ms = w->clock->wall + w->job_ms * (slow ? 3 : 1),
                              .emails = json_object_new_array(),
                              .leads = json_object_new_array()};
    snprintf(job->id, sizeof job->id, "6a4431f44bcfcb42%08zx", w->jobs_n);
    a->body = world_keep(w, tell_job(w, job));
}

void world_answer_jobs(struct world *w, const char *path, struct fake_answer *a)
{
    struct json_object *o = json_object_new_object(), *items = json_object_new_array();
    const char *ids = strstr(path, "ids="), *entity = strstr(path, "entity_id=");
    for (size_t i = w->jobs_n; i-- > 0;) {
        const struct world_job *job = &w->jobs[i];
        bool hidden = job->mode == WJOB_VANISHED || job->mode == WJOB_UNLISTED;
        if (!hidden && (ids == NULL || strstr(ids, job->id) != NULL) &&
            (entity == NULL || strstr(entity, end_of(job->filters, false)) != NULL))
            json_object_array_add(items, tell_job(w, job));
    }
    json_object_object_add(o, "items", items);
    a->body = world_keep(w, o);
}

void world_answer_job(struct world *w, const char *id, struct fake_answer *a)
{
    for (size_t i = 0; i < w->jobs_n; i++)
        if (strcmp(w->jobs[i].id, id) == 0 && w->jobs[i].mode != WJOB_VANISHED) {
            a->body = world_keep(w, tell_job(w, &w->jobs[i]));
            return;
        }
    world_refuse(w, 404, "Resource not found", a);
}

void world_jobs_vanish(struct world *w)
{
    for (size_t i = 0; i < w->jobs_n; i++) {
        json_object_put(w->jobs[i].filters);
        json_object_put(w->jobs[i].emails);
        json_object_put(w->jobs[i].leads);
    }
    w->jobs_n = 0;
}
