#include "sync/sandbox/world/jobs.h"

#include "sync/base/clock.h"
#include "sync/sandbox/world/lead.h"
#include "sync/sandbox/world/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const sim_job_mode_names[SIM_JOB_MODES] = {
    [SIM_JOB_OK] = "ok",         [SIM_JOB_FAIL] = "fail",       [SIM_JOB_CANCEL] = "cancel",
    [SIM_JOB_VANISH] = "vanish", [SIM_JOB_PAUSE] = "pause",     [SIM_JOB_DRAINING] = "draining",
    [SIM_JOB_ZERO] = "zero",     [SIM_JOB_PARTIAL] = "partial", [SIM_JOB_UNKNOWN] = "unknown-status",
    [SIM_JOB_STUCK] = "stuck",   [SIM_JOB_LIES] = "lies",
};

/* --- life --- */

/* The status between the second and the third part of a detour's life; NULL: the mode takes none. */
static const char *detour(enum sim_job_mode mode)
{
    return mode == SIM_JOB_PAUSE      ? "paused"
           : mode == SIM_JOB_DRAINING ? "draining"
           : mode == SIM_JOB_UNKNOWN  ? "rebalancing"
                                      : NULL;
}

/* pending for a fifth of its life, in progress, for some in the middle third something else, then the end. */
const char *sim_job_status(const struct sim_world *w, const struct sim_job *job, int *progress)
{
    int64_t life = job->due_ms - job->created_ms, age = w->now_ms - job->created_ms;
    *progress = 0;
    if (job->done) {
        *progress = strcmp(job->status, "success") == 0 ? 100 : 50;
        return job->status;
    }
    if (job->mode == SIM_JOB_STUCK)
        life = w->knobs.job_ms * 10;
    if (age * 5 < life)
        return "pending";
    if (detour(job->mode) != NULL && age * 3 >= life && age * 3 < life * 2)
        return detour(job->mode);
    return "in-progress";
}

/* Counted, not flagged: a place may be an end of several jobs. */
static void lock_places(struct sim_world *w, const struct sim_job *job, int by)
{
    const uint32_t places[] = {job->from, job->from_list, job->to};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
        if (places[i] != 0)
            sim_place_at(w, places[i])->locks += (unsigned)by;
}

struct sim_job *sim_job_add(struct sim_world *w, uint32_t from, uint32_t from_list, uint32_t to, struct str filters,
                            bool lies)
{
    struct sim_job *jobs = sim_grow(w->jobs, w->jobs_n, &w->jobs_cap, sizeof *jobs);
    if (jobs == NULL)
        return NULL;
    w->jobs = jobs;
    struct sim_job *job = &jobs[w->jobs_n];
    *job = (struct sim_job){.created_ms = w->now_ms,
                            .updated_ms = w->now_ms,
                            .from = from,
                            .from_list = from_list,
                            .to = to,
                            .missing_email = -1,
                            .filters = str_dup(filters)};
    if (job->filters == NULL)
        return NULL;
    if (w->knobs.job_mode_left != 0) {
        job->mode = w->knobs.job_mode;
        if (w->knobs.job_mode_left > 0)
            w->knobs.job_mode_left--;
    }
    if (lies)
        job->mode = SIM_JOB_LIES;
    job->due_ms = w->now_ms + w->knobs.job_ms * (detour(job->mode) != NULL ? 3 : 1);
    if (job->mode == SIM_JOB_STUCK)
        job->due_ms = INT64_MAX;
    job->hidden = job->mode == SIM_JOB_VANISH;
    /* as Mongo makes them: seconds, a constant of the process, a counter */
    uint64_t seconds = w->seed != 0 ? 0x6956f400u + w->jobs_n : (uint64_t)(w->now_ms / 1000);
    snprintf(job->id, sizeof job->id, "%08llx%010llx%06zx", (unsigned long long)(seconds & 0xffffffffu),
             (unsigned long long)(sim_mix(w->seed) & 0xffffffffffu), (w->jobs_n + 1) & 0xffffffu);
    w->jobs_n++;
    lock_places(w, job, 1);
    sim_store_note_job(w, w->jobs_n - 1);
    return job;
}

/* The locks are let go before the move runs: the job itself is what they keep others from disturbing. */
static void end_job(struct sim_world *w, struct sim_job *job)
{
    int64_t now = w->now_ms;
    w->now_ms = job->due_ms < now ? job->due_ms : now; /* it ended when it was due, not when a request looked */
    job->status = job->mode == SIM_JOB_FAIL ? "failed" : job->mode == SIM_JOB_CANCEL ? "cancelled" : "success";
    job->updated_ms = w->now_ms;
    lock_places(w, job, -1);
    w->carry_out(w, job);
    job->done = true;
    sim_store_note_job(w, (size_t)(job - w->jobs));
    w->now_ms = now;
}

/* Nothing runs in the background: a due job is carried out when a request could notice, in the order of the
 * times, with the clock set back to each. */
void sim_jobs_step(struct sim_world *w)
{
    for (;;) {
        struct sim_job *next = NULL;
        while (w->jobs_closed < w->jobs_n && w->jobs[w->jobs_closed].done)
            w->jobs_closed++;
        for (size_t i = w->jobs_closed; i < w->jobs_n; i++)
            if (!w->jobs[i].done && w->jobs[i].due_ms <= w->now_ms && (next == NULL || w->jobs[i].due_ms < next->due_ms))
                next = &w->jobs[i];
        if (next == NULL)
            return;
        end_job(w, next);
    }
}

void sim_jobs_release(struct sim_world *w)
{
    for (size_t i = w->jobs_closed; i < w->jobs_n; i++)
        if (!w->jobs[i].done && w->jobs[i].mode == SIM_JOB_STUCK)
            w->jobs[i].due_ms = w->now_ms;
}

/* --- store --- */

static void jobs_write_place(struct sim_world *w, struct jsonw *j, const char *key, uint32_t place)
{
    if (place != 0)
        jsonw_member_uuid(j, key, &sim_place_at(w, place)->id);
}

void sim_job_save(struct sim_world *w, const struct sim_job *job, struct jsonw *j)
{
    const int64_t numbers[] = {job->created_ms, job->updated_ms,    job->due_ms,    job->total,  job->moved,
                               job->duplicated, job->missing_email, job->elsewhere, job->blocked};
    jsonw_object(j);
    jsonw_member_text(j, "job", job->id);
    jsonw_member_int(j, "mode", (int)job->mode);
    jsonw_member_text(j, "status", job->done ? job->status : NULL);
    jobs_write_place(w, j, "from", job->from);
    jobs_write_place(w, j, "from_list", job->from_list);
    jobs_write_place(w, j, "to", job->to);
    jsonw_member_raw(j, "filters", str_from(job->filters));
    if (job->emails != NULL)
        jsonw_member_raw(j, "emails", str_from(job->emails));
    jsonw_member_array(j, "numbers");
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        jsonw_int(j, numbers[i]);
    jsonw_array_end(j);
    jsonw_object_end(j);
}

static uint32_t jobs_load_place(struct sim_world *w, json_object *o, const char *key)
{
    struct uuid id;
    uint32_t no = 0;
    if (uuid_parse(sim_json_text(o, key), &id) == 0 && (no = sim_place_by_id(w, &id, true)) == 0)
        no = sim_place_by_id(w, &id, false);
    return no;
}

static const char *load_status(struct str status)
{
    static const char *const ends[] = {"success", "failed", "cancelled"};
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
        if (str_is(status, ends[i]))
            return ends[i];
    return NULL;
}

/* A job may stand in the file twice, when it was made and when it ended: the later line wins, and the lock is taken
 * and let go accordingly. */
int sim_job_load(struct sim_world *w, json_object *o)
{
    struct str id = sim_json_text(o, "job");
    json_object *filters = sim_json_get(o, "filters"), *emails = sim_json_get(o, "emails");
    json_object *numbers = sim_json_get(o, "numbers");
    size_t i = 0;
    if (id.n != 24 || filters == NULL || !json_object_is_type(numbers, json_type_array) ||
        json_object_array_length(numbers) != 9)
        return 1;
    while (i < w->jobs_n && !str_is(id, w->jobs[i].id))
        i++;
    struct sim_job *jobs = sim_grow(w->jobs, i, &w->jobs_cap, sizeof *jobs);
    if (jobs == NULL)
        return -1;
    w->jobs = jobs;
    struct sim_job *job = &jobs[i], was = i < w->jobs_n ? *job : (struct sim_job){0};
    *job = (struct sim_job){.mode = (enum sim_job_mode)(sim_json_int(o, "mode", 0) % SIM_JOB_MODES),
                            .from = jobs_load_place(w, o, "from"),
                            .from_list = jobs_load_place(w, o, "from_list"),
                            .to = jobs_load_place(w, o, "to"),
                            .status = load_status(sim_json_text(o, "status"))};
    int64_t *const into[] = {&job->created_ms, &job->updated_ms,    &job->due_ms,    &job->total,  &job->moved,
                             &job->duplicated, &job->missing_email, &job->elsewhere, &job->blocked};
    for (size_t n = 0; n < sizeof into / sizeof into[0]; n++)
        *into[n] = json_object_get_int64(json_object_array_get_idx(numbers, n));
    memcpy(job->id, id.p, id.n);
    job->done = job->status != NULL;
    job->hidden = job->mode == SIM_JOB_VANISH;
    job->filters = strdup(json_object_to_json_string_ext(filters, JSON_C_TO_STRING_PLAIN));
    job->emails = emails == NULL ? NULL : strdup(json_object_to_json_string_ext(emails, JSON_C_TO_STRING_PLAIN));
    bool was_open = i < w->jobs_n && !was.done;
    if (i == w->jobs_n)
        w->jobs_n++;
    if (was_open != !job->done)
        lock_places(w, job, was_open ? -1 : 1);
    free(was.filters);
    free(was.emails);
    if (job->filters == NULL || (emails != NULL && job->emails == NULL))
        return -1;
    return job->to == 0 || (job->from == 0 && job->from_list == 0) ? 1 : 0;
}
