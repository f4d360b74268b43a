/* GET /__state: the whole world as one JSON object, for assertions. */
#include "sync/sandbox/endpoints/jobs.h"
#include "sync/sandbox/world/lead.h"
#include "sync/sandbox/server/route.h"

#include <stdio.h>

static void number(struct jsonw *j, const char *name, int64_t n)
{
    jsonw_key(j, name);
    jsonw_int(j, n);
}

static void flag(struct jsonw *j, const char *name, bool on)
{
    jsonw_key(j, name);
    jsonw_bool(j, on);
}

static void write_knobs(const struct box_knobs *k, struct jsonw *j)
{
    jsonw_key(j, "knobs");
    jsonw_object(j);
    number(j, "rate_per_second", k->rate_per_second);
    number(j, "rate_per_minute", k->rate_per_minute);
    number(j, "latency_ms", k->latency_ms);
    number(j, "plan_limit", k->plan_limit);
    number(j, "read_lag_ms", k->read_lag_ms);
    number(j, "job_ms", k->job_ms);
    number(j, "verify_ms", k->verify_ms);
    number(j, "esp_ms", k->esp_ms);
    number(j, "advance_ms", k->advance_ms);
    flag(j, "spec_strict", k->spec_strict);
    flag(j, "patch_merges", k->patch_merges);
    flag(j, "plan_partial", k->plan_partial);
    flag(j, "refuse_unknown", k->refuse_unknown);
    jsonw_key(j, "plan_kind");
    jsonw_text(j, k->plan_is_bundle ? "bundle" : "outreach");
    jsonw_key(j, "jobs");
    jsonw_text(j, box_job_mode_names[k->job_mode]);
    jsonw_key(j, "scopes");
    jsonw_text(j, k->scopes);
    jsonw_object_end(j);
}

/* What stories assert on most: how much was asked in the worst second and minute, and what was refused. */
static void write_counters(const struct box_world *w, struct jsonw *j)
{
    const struct box_counters *c = &w->counters;
    char status[8];
    jsonw_key(j, "counters");
    jsonw_object(j);
    number(j, "requests", (int64_t)c->requests);
    number(j, "max_in_1s", (int64_t)w->seen_1s.peak);
    number(j, "max_in_60s", (int64_t)w->seen_60s.peak);
    number(j, "rate_limited", (int64_t)c->rate_limited);
    number(j, "locked", (int64_t)c->locked);
    number(j, "refused_by_schema", (int64_t)c->refused_schema);
    number(j, "unknown_keys", (int64_t)c->unknown_keys);
    number(j, "faults", (int64_t)c->faults);
    number(j, "created", (int64_t)c->created);
    number(j, "updated", (int64_t)c->updated);
    number(j, "deleted", (int64_t)c->deleted);
    number(j, "moved", (int64_t)c->moved);
    number(j, "copied", (int64_t)c->copied);
    number(j, "leads", (int64_t)w->leads.live);
    number(j, "late_writes", (int64_t)w->late_n); /* still to be worked */
    jsonw_key(j, "by_status"); /* "0": closed without an answer */
    jsonw_object(j);
    for (unsigned i = 0; i < sizeof c->answers / sizeof c->answers[0]; i++)
        if (c->answers[i] != 0) {
            snprintf(status, sizeof status, "%u", i);
            number(j, status, (int64_t)c->answers[i]);
        }
    jsonw_object_end(j);
    jsonw_key(j, "by_endpoint");
    jsonw_object(j);
    for (size_t i = 0; i < BOX_ROUTES_MAX; i++)
        if (c->by_route[i] != 0)
            number(j, box_route_name(i), (int64_t)c->by_route[i]);
    jsonw_object_end(j);
    jsonw_object_end(j);
}

static void write_places(struct box_world *w, bool campaigns, struct jsonw *j)
{
    jsonw_key(j, campaigns ? "campaigns" : "lists");
    jsonw_array(j);
    for (size_t i = 0; i < w->places_n; i++) {
        const struct box_place *place = &w->places[i];
        if (place->is_campaign != campaigns)
            continue;
        jsonw_object(j);
        box_write_uuid(j, "id", &place->id);
        jsonw_key(j, "name");
        jsonw_text(j, place->name);
        number(j, "status", place->status);
        flag(j, "locked", place->locks > 0);
        jsonw_key(j, "variables");
        jsonw_array(j);
        for (size_t v = 0; v < place->vars_n; v++)
            jsonw_text(j, place->vars[v]);
        jsonw_array_end(j);
        jsonw_object_end(j);
    }
    jsonw_array_end(j);
}

/* As GET /leads/{id} shows them, so that a story can compare the two. */
static void write_leads(struct box_world *w, struct jsonw *j)
{
    jsonw_key(j, "leads");
    jsonw_array(j);
    for (uint32_t no = 1; no <= w->leads.n; no++)
        if (box_table_at(&w->leads, no)->text != NULL)
            box_lead_write(w, box_table_at(&w->leads, no), j);
    jsonw_array_end(j);
}

int box_control_state(struct box_world *w, struct box_request *q, struct box_answer *a)
{
    struct jsonw j;
    jsonw_init(&j, &a->body);
    jsonw_object(&j);
    write_knobs(&w->knobs, &j);
    write_counters(w, &j);
    write_places(w, true, &j);
    write_places(w, false, &j);
    jsonw_key(&j, "blocks");
    jsonw_array(&j);
    for (size_t i = 0; i < w->blocks_n; i++)
        jsonw_text(&j, w->blocks[i].value);
    jsonw_array_end(&j);
    jsonw_key(&j, "jobs");
    jsonw_array(&j);
    for (size_t i = 0; i < w->jobs_n; i++)
        box_job_write(w, &w->jobs[i], STR_NONE, &j);
    jsonw_array_end(&j);
    if (!str_is(box_query_get(q, "leads"), "0"))
        write_leads(w, &j);
    jsonw_object_end(&j);
    return jsonw_end(&j);
}
