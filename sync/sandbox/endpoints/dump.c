/* GET /__state: the whole world as one JSON object, for assertions. */
#include "sync/sandbox/endpoints/move.h"
#include "sync/sandbox/world/jobs.h"
#include "sync/sandbox/world/lead.h"
#include "sync/sandbox/server/route.h"

#include <stdio.h>

static void write_knobs(const struct sim_knobs *k, struct jsonw *j)
{
    jsonw_member_object(j, "knobs");
    jsonw_member_int(j, "rate_per_second", k->rate_per_second);
    jsonw_member_int(j, "rate_per_minute", k->rate_per_minute);
    jsonw_member_int(j, "latency_ms", k->latency_ms);
    jsonw_member_int(j, "plan_limit", k->plan_limit);
    jsonw_member_int(j, "read_lag_ms", k->read_lag_ms);
    jsonw_member_int(j, "job_ms", k->job_ms);
    jsonw_member_int(j, "verify_ms", k->verify_ms);
    jsonw_member_int(j, "esp_ms", k->esp_ms);
    jsonw_member_int(j, "advance_ms", k->advance_ms);
    jsonw_member_bool(j, "spec_strict", k->spec_strict);
    jsonw_member_bool(j, "patch_merges", k->patch_merges);
    jsonw_member_bool(j, "plan_partial", k->plan_partial);
    jsonw_member_bool(j, "refuse_unknown", k->refuse_unknown);
    jsonw_member_text(j, "plan_kind", k->plan_is_bundle ? "bundle" : "outreach");
    jsonw_member_text(j, "jobs", sim_job_mode_names[k->job_mode]);
    jsonw_member_text(j, "scopes", k->scopes);
    jsonw_object_end(j);
}

/* What stories assert on most: how much was asked in the worst second and minute, and what was refused. */
static void write_counters(const struct sim_world *w, struct jsonw *j)
{
    const struct sim_counters *c = &w->counters;
    char status[8];
    jsonw_member_object(j, "counters");
    jsonw_member_int(j, "requests", (int64_t)c->requests);
    jsonw_member_int(j, "max_in_1s", (int64_t)w->seen_1s.peak);
    jsonw_member_int(j, "max_in_60s", (int64_t)w->seen_60s.peak);
    jsonw_member_int(j, "rate_limited", (int64_t)c->rate_limited);
    jsonw_member_int(j, "locked", (int64_t)c->locked);
    jsonw_member_int(j, "refused_by_schema", (int64_t)c->refused_schema);
    jsonw_member_int(j, "unknown_keys", (int64_t)c->unknown_keys);
    jsonw_member_int(j, "faults", (int64_t)c->faults);
    jsonw_member_int(j, "created", (int64_t)c->created);
    jsonw_member_int(j, "updated", (int64_t)c->updated);
    jsonw_member_int(j, "deleted", (int64_t)c->deleted);
    jsonw_member_int(j, "moved", (int64_t)c->moved);
    jsonw_member_int(j, "copied", (int64_t)c->copied);
    jsonw_member_int(j, "leads", (int64_t)w->leads.live);
    jsonw_member_int(j, "late_writes", (int64_t)w->late_n); /* still to be worked */
    jsonw_member_object(j, "by_status");                    /* "0": closed without an answer */
    for (unsigned i = 0; i < sizeof c->answers / sizeof c->answers[0]; i++)
        if (c->answers[i] != 0) {
            snprintf(status, sizeof status, "%u", i);
            jsonw_member_int(j, status, (int64_t)c->answers[i]);
        }
    jsonw_object_end(j);
    jsonw_member_object(j, "by_endpoint");
    for (size_t i = 0; i < SIM_ROUTES_MAX; i++)
        if (c->by_route[i] != 0)
            jsonw_member_int(j, sim_route_name(i), (int64_t)c->by_route[i]);
    jsonw_object_end(j);
    jsonw_object_end(j);
}

static void write_places(struct sim_world *w, bool campaigns, struct jsonw *j)
{
    jsonw_member_array(j, campaigns ? "campaigns" : "lists");
    for (size_t i = 0; i < w->places_n; i++) {
        const struct sim_place *place = &w->places[i];
        if (place->is_campaign != campaigns)
            continue;
        jsonw_object(j);
        jsonw_member_uuid(j, "id", &place->id);
        jsonw_member_text(j, "name", place->name);
        jsonw_member_int(j, "status", place->status);
        jsonw_member_bool(j, "locked", place->locks > 0);
        jsonw_member_array(j, "variables");
        for (size_t v = 0; v < place->vars_n; v++)
            jsonw_text(j, place->vars[v]);
        jsonw_array_end(j);
        jsonw_object_end(j);
    }
    jsonw_array_end(j);
}

/* As GET /leads/{id} shows them, so that a story can compare the two. */
static void write_leads(struct sim_world *w, struct jsonw *j)
{
    jsonw_member_array(j, "leads");
    for (uint32_t no = 1; no <= w->leads.n; no++)
        if (sim_table_at(&w->leads, no)->text != NULL)
            sim_lead_write(w, sim_table_at(&w->leads, no), j);
    jsonw_array_end(j);
}

int sim_control_state(struct sim_world *w, struct sim_request *q, struct sim_answer *a)
{
    struct jsonw j;
    jsonw_init(&j, &a->body);
    jsonw_object(&j);
    write_knobs(&w->knobs, &j);
    write_counters(w, &j);
    write_places(w, true, &j);
    write_places(w, false, &j);
    jsonw_member_array(&j, "blocks");
    for (size_t i = 0; i < w->blocks_n; i++)
        jsonw_text(&j, w->blocks[i].value);
    jsonw_array_end(&j);
    jsonw_member_array(&j, "jobs");
    for (size_t i = 0; i < w->jobs_n; i++)
        sim_job_write(w, &w->jobs[i], STR_NONE, &j);
    jsonw_array_end(&j);
    if (!str_is(sim_query_get(q, "leads"), "0"))
        write_leads(w, &j);
    jsonw_object_end(&j);
    return jsonw_end(&j);
}
