/* Test control: what a story may change in the world, and what it may look at. No part of the API.
 *
 * POST /__control takes an object; members are applied in the order of the tables below, and the first that is wrong
 * ends in 400 with its name (what came before it stays applied). PLACE is a name or id of a campaign, else of a list.
 *   numbers  latency_ms plan_limit (-1: none) read_lag_ms job_ms verify_ms esp_ms, rate_per_second and rate_per_minute
 *            (0: none)
 *   flags    spec_strict patch_merges plan_partial refuse_unknown
 *   advance_ms   moves the world's clock on, by this much more each time: jobs end, verdicts and provider codes arrive
 *   answer   true: waiting answers (latency, slow, hang) leave at once, so that a story can let a request hang until it
 *            has seen what it needs
 *   faults   the text of --faults; "" ends them          scopes   comma list; null: all
 *   jobs     how the next jobs go: ok fail cancel vanish pause draining zero partial unknown-status stuck lies; "ok" also
 *            lets stuck ones end
 *   jobs_n   for how many jobs that holds                reset    true: counters, windows and request log restart
 *   campaigns, lists   [name]                            campaign_status   {PLACE: status}
 *   block    [address or domain]                         variables         {PLACE: [name]}
 *   mail     {CAMPAIGN: body of the one mail of its sequence}    sending   {CAMPAIGN: word of its sending-status}
 *   add      {"to": PLACE, "leads": [lead as in leads/add]}, or an array of such; existing leads do not change
 *   status, interest   {address: number}                 contacted         [address]: mailed just now
 *   engaged  {address: {"opens": N, "clicks": N, "replies": N}}: what just happened, in all
 *   edit     {address or lead id: {members as in PATCH}}
 *   move     {"to": PLACE, "leads": [address or lead id]}, or an array of such: as by hand in the web app
 *   delete   [address or lead id]                        plan_kind   outreach or bundle: the member of plan-details
 *   ids_changed   [PLACE]: its leads get new ids, as if imported again by hand */
#include "sync/sandbox/endpoints/control.h"
#include "sync/sandbox/server/check.h"
#include "sync/sandbox/world/jobs.h"
#include "sync/sandbox/world/lead.h"
#include "sync/sandbox/world/request_log.h"
#include "sync/sandbox/server/route.h"
#include "sync/sandbox/world/store.h"

#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* --- knobs --- */

/* Jobs that become due on the way end at once, so that a story sees their outcome with its next request. */
static int advance(struct sim_world *w, json_object *value)
{
    if (!json_object_is_type(value, json_type_int) || json_object_get_int64(value) < 0 ||
        json_object_get_int64(value) > INT_MAX)
        return 1;
    w->knobs.advance_ms += json_object_get_int64(value);
    w->now_ms += json_object_get_int64(value);
    sim_store_note_clock(w);
    sim_route_step(w);
    return 0;
}

static int set_scopes(struct sim_world *w, json_object *value)
{
    char *scopes = NULL;
    if (value != NULL && !json_object_is_type(value, json_type_string))
        return 1;
    if (value != NULL && (scopes = str_dup(sim_json_str(value))) == NULL)
        return -1;
    free(w->knobs.scopes);
    w->knobs.scopes = scopes;
    return 0;
}

static int set_plan_kind(struct sim_world *w, json_object *value)
{
    struct str kind = sim_json_str(value);
    w->knobs.plan_is_bundle = str_is(kind, "bundle");
    return !w->knobs.plan_is_bundle && !str_is(kind, "outreach");
}

/* Going back to "ok" also lets go of jobs that are stuck, else no story could ever end them. */
static int set_jobs(struct sim_world *w, json_object *value)
{
    for (unsigned i = 0; i < SIM_JOB_MODES; i++) {
        if (!str_is(sim_json_str(value), sim_job_mode_names[i]))
            continue;
        w->knobs.job_mode = (enum sim_job_mode)i;
        w->knobs.job_mode_left = -1;
        if (i == SIM_JOB_OK)
            sim_jobs_release(w);
        return 0;
    }
    return 1;
}

static int set_jobs_n(struct sim_world *w, json_object *value)
{
    w->knobs.job_mode_left = json_object_get_int64(value);
    return !json_object_is_type(value, json_type_int);
}

/* For a story that wants to count from here on; the world stays as it is. */
static int reset(struct sim_world *w, json_object *value)
{
    struct sim_window *const windows[] = {&w->accepted_1s, &w->accepted_60s, &w->seen_1s, &w->seen_60s};
    if (!json_object_is_type(value, json_type_boolean))
        return 1;
    if (!json_object_get_boolean(value))
        return 0;
    w->counters = (struct sim_counters){0};
    for (size_t i = 0; i < sizeof windows / sizeof windows[0]; i++)
        sim_window_free(windows[i]);
    sim_request_log_clear(w->ring);
    return 0;
}

static int control_answer(struct sim_world *w, json_object *value)
{
    w->answer_now = json_object_get_boolean(value);
    return !json_object_is_type(value, json_type_boolean);
}

/* --- places and blocks --- */

static int add_campaign(struct sim_world *w, struct str name)
{
    uint32_t no = sim_place_add(w, name, true, NULL);
    if (no != 0)
        sim_place_changed(w, no);
    return no != 0 ? 0 : -1;
}

static int add_list(struct sim_world *w, struct str name)
{
    uint32_t no = sim_place_add(w, name, false, NULL);
    if (no != 0)
        sim_place_changed(w, no);
    return no != 0 ? 0 : -1;
}

static int add_campaigns(struct sim_world *w, json_object *value)
{
    return control_texts(w, value, add_campaign);
}

static int add_lists(struct sim_world *w, json_object *value)
{
    return control_texts(w, value, add_list);
}

static int set_place_status(struct sim_world *w, struct str place, json_object *value)
{
    uint32_t no = control_place(w, place);
    if (no == 0 || !json_object_is_type(value, json_type_int))
        return 1;
    sim_place_at(w, no)->status = json_object_get_int(value);
    sim_place_changed(w, no);
    return 0;
}

static int set_campaign_status(struct sim_world *w, json_object *value)
{
    return control_members(w, value, set_place_status);
}

static int add_variables(struct sim_world *w, struct str place, json_object *names)
{
    uint32_t no = control_place(w, place);
    if (no == 0 || !json_object_is_type(names, json_type_array))
        return 1;
    for (size_t i = 0; i < json_object_array_length(names); i++)
        if (sim_place_var(w, no, sim_json_str(json_object_array_get_idx(names, i))) != 0)
            return -1;
    return 0;
}

static int set_variables(struct sim_world *w, json_object *value)
{
    return control_members(w, value, add_variables);
}

/* Sets an owned text of a campaign. */
static int set_place_text(struct sim_world *w, struct str place, json_object *value, size_t member)
{
    uint32_t no = control_place(w, place);
    struct str text = sim_json_str(value);
    if (no == 0 || text.p == NULL)
        return 1;
    char *copy = str_dup(text), **kept = (char **)((char *)sim_place_at(w, no) + member);
    if (copy == NULL)
        return -1;
    free(*kept);
    *kept = copy;
    return 0;
}

static int set_place_mail(struct sim_world *w, struct str place, json_object *body)
{
    return set_place_text(w, place, body, offsetof(struct sim_place, mail));
}

static int set_place_diagnosis(struct sim_world *w, struct str place, json_object *word)
{
    return set_place_text(w, place, word, offsetof(struct sim_place, diagnosis));
}

static int set_sending(struct sim_world *w, json_object *value)
{
    return control_members(w, value, set_place_diagnosis);
}

static int set_mail(struct sim_world *w, json_object *value)
{
    return control_members(w, value, set_place_mail);
}

static int block(struct sim_world *w, json_object *value)
{
    return control_texts(w, value, sim_block_add);
}

/* --- the tables --- */

static const struct {
    const char *name;
    control_change *apply;
} changes[] = {
    {"reset", reset},
    {"advance_ms", advance},
    {"scopes", set_scopes},
    {"jobs", set_jobs},
    {"jobs_n", set_jobs_n},
    {"campaigns", add_campaigns},
    {"lists", add_lists},
    {"campaign_status", set_campaign_status},
    {"variables", set_variables},
    {"mail", set_mail},
    {"sending", set_sending},
    {"block", block},
    {"add", control_add},
    {"status", control_status},
    {"interest", control_interest},
    {"contacted", control_contacted},
    {"engaged", control_engaged},
    {"edit", control_edit},
    {"move", control_move},
    {"delete", control_delete},
    {"ids_changed", control_change_ids},
    {"plan_kind", set_plan_kind},
    {"answer", control_answer},
};

static const char *const number_names[] = {"latency_ms", "plan_limit", "read_lag_ms",     "job_ms",
                                           "verify_ms",  "esp_ms",     "rate_per_second", "rate_per_minute"};
static const char *const flag_names[] = {"spec_strict", "patch_merges", "plan_partial", "refuse_unknown"};

/* 0 set, 1 the value is wrong, 2 no such number. Only the plan limit may be -1. */
static int set_number(struct sim_knobs *k, const char *name, json_object *value)
{
    int64_t *const into[] = {&k->latency_ms, &k->plan_limit, &k->read_lag_ms, &k->job_ms, &k->verify_ms, &k->esp_ms};
    unsigned *const rates[] = {&k->rate_per_second, &k->rate_per_minute};
    const size_t n = sizeof into / sizeof into[0];
    int64_t v = json_object_get_int64(value);
    for (size_t i = 0; i < sizeof number_names / sizeof number_names[0]; i++) {
        if (strcmp(name, number_names[i]) != 0)
            continue;
        if (!json_object_is_type(value, json_type_int) || v < (i == 1 ? -1 : 0) || v > INT_MAX)
            return 1;
        if (i < n)
            *into[i] = v;
        else
            *rates[i - n] = (unsigned)v;
        return 0;
    }
    return 2;
}

/* 0 set, 1 the value is wrong, 2 no such flag. */
static int set_flag(struct sim_knobs *k, const char *name, json_object *value)
{
    bool *const into[] = {&k->spec_strict, &k->patch_merges, &k->plan_partial, &k->refuse_unknown};
    for (size_t i = 0; i < sizeof flag_names / sizeof flag_names[0]; i++)
        if (strcmp(name, flag_names[i]) == 0) {
            *into[i] = json_object_get_boolean(value);
            return !json_object_is_type(value, json_type_boolean);
        }
    return 2;
}

static bool is_change(const char *name)
{
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++)
        if (strcmp(name, changes[i].name) == 0)
            return true;
    return false;
}

/* 0, or 1 with the reason. */
static int set_faults(struct sim_world *w, json_object *body, struct err *why)
{
    json_object *text = NULL;
    if (!json_object_object_get_ex(body, "faults", &text))
        return 0;
    if (!json_object_is_type(text, json_type_string)) {
        err_set(why, XS_USAGE, "faults: must be a text");
        return 1;
    }
    return sim_faults_set(&w->faults, json_object_get_string(text), w->seed, why) != 0;
}

/* Knobs first, then what changes the world, so that one request can set a clock and use it. Unknown names are an
 * error here, unlike in the API: a story with a slip in it should not pass. */
int sim_control_change(struct sim_world *w, struct sim_request *q, struct sim_answer *a)
{
    if (!json_object_is_type(q->json, json_type_object))
        return sim_answer_error(a, 400, "POST /__control takes a JSON object");
    sim_json_each(q->json, i)
    {
        const char *key = json_object_iter_peek_name(&i);
        json_object *value = json_object_iter_peek_value(&i);
        if (is_change(key) || strcmp(key, "faults") == 0)
            continue;
        int rc = set_number(&w->knobs, key, value);
        if (rc == 2)
            rc = set_flag(&w->knobs, key, value);
        if (rc != 0)
            return sim_answer_error(a, 400, "%s: %s", key, rc == 2 ? "unknown" : "this value cannot be");
    }
    struct err why = ERR_INIT;
    if (set_faults(w, q->json, &why) != 0) {
        int rc = sim_answer_error(a, 400, "%s", err_text(&why));
        err_clear(&why);
        return rc;
    }
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        json_object *given = NULL;
        if (!json_object_object_get_ex(q->json, changes[i].name, &given))
            continue;
        int rc = changes[i].apply(w, given);
        if (rc != 0)
            return rc < 0 ? -1 : sim_answer_error(a, 400, "%s: this value cannot be", changes[i].name);
    }
    return buf_adds(&a->body, "{}");
}

int sim_control_requests(struct sim_world *w, struct sim_request *q, struct sim_answer *a)
{
    struct jsonw j;
    (void)q;
    jsonw_init(&j, &a->body);
    sim_request_log_write(w->ring, &j);
    return jsonw_end(&j);
}
