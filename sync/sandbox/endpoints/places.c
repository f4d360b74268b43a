/* Campaigns and lead lists. */
#include "sync/base/clock.h"
#include "sync/sandbox/world/lead.h"
#include "sync/sandbox/server/route.h"

#include <stdlib.h>
#include <string.h>

enum { PAGE_USUAL = 10 };

/* The schema has made sure that it is 1 to 100. */
static long page_limit(const struct sim_request *q)
{
    struct str text = sim_query_get(q, "limit");
    return text.n > 0 ? strtol(text.p, NULL, 10) : PAGE_USUAL;
}

/* --- campaigns --- */

/* The schedule says nothing that matters here, but every campaign has one. */
static void write_schedule(struct jsonw *j)
{
    static const char schedule[] =
        "{\"schedules\":[{\"name\":\"Weekdays\",\"timing\":{\"from\":\"09:00\",\"to\":\"17:00\"},"
        "\"days\":{\"1\":true,\"2\":true,\"3\":true,\"4\":true,\"5\":true},\"timezone\":\"America/Chicago\"}]}";
    jsonw_member_raw(j, "campaign_schedule", str_from(schedule));
}

/* One step with one variant: enough to see which variables a mail uses. */
static void write_sequence(const char *mail, struct jsonw *j)
{
    jsonw_member_array(j, "sequences");
    jsonw_object(j);
    jsonw_member_array(j, "steps");
    jsonw_object(j);
    jsonw_member_text(j, "type", "email");
    jsonw_member_int(j, "delay", 1);
    jsonw_member_array(j, "variants");
    jsonw_object(j);
    jsonw_member_text(j, "subject", "");
    jsonw_member_text(j, "body", mail);
    jsonw_object_end(j);
    jsonw_array_end(j);
    jsonw_object_end(j);
    jsonw_array_end(j);
    jsonw_object_end(j);
    jsonw_array_end(j);
}

static void write_campaign(struct sim_world *w, const struct sim_place *place, struct jsonw *j)
{
    jsonw_object(j);
    jsonw_member_uuid(j, "id", &place->id);
    jsonw_member_text(j, "name", place->name);
    jsonw_member_int(j, "status", place->status);
    write_schedule(j);
    sim_write_time(j, "timestamp_created", place->created_ms);
    sim_write_time(j, "timestamp_updated", place->updated_ms);
    jsonw_member_uuid(j, "organization", &w->workspace);
    if (place->mail != NULL)
        write_sequence(place->mail, j);
    if (place->core_seen != 0) { /* absent on a fresh draft */
        jsonw_member_object(j, "core_variables");
        for (unsigned i = 0; i < BF_API_N; i++)
            if ((place->core_seen & 1u << i) != 0 && sim_field_names[i].payload != NULL)
                jsonw_member_bool(j, sim_field_names[i].payload, true);
        jsonw_object_end(j);
    }
    if (place->vars_n != 0) {
        jsonw_member_object(j, "custom_variables");
        for (size_t i = 0; i < place->vars_n; i++)
            jsonw_member_bool(j, place->vars[i], true);
        jsonw_object_end(j);
    }
    jsonw_object_end(j);
}

static int answer_campaign(struct sim_world *w, uint32_t no, struct sim_answer *a)
{
    struct jsonw j;
    jsonw_init(&j, &a->body);
    write_campaign(w, sim_place_at(w, no), &j);
    return jsonw_end(&j);
}

/* Part of the name in any case, and status. */
static bool campaign_wanted(const struct sim_place *place, const struct sim_request *q)
{
    struct str status = sim_query_get(q, "status"), not_status = sim_query_get(q, "exclude_status");
    return place->is_campaign && sim_text_has(str_from(place->name), sim_query_get(q, "search")) &&
           (status.n == 0 || place->status == strtol(status.p, NULL, 10)) &&
           (not_status.n == 0 || place->status != strtol(not_status.p, NULL, 10)) &&
           /* nothing is tagged here, and no agent owns anything */
           sim_query_get(q, "tag_ids").n == 0 && sim_query_get(q, "ai_sales_agent_id").n == 0;
}

/* The order is that of ids, descending: stable, and not by time. */
int sim_campaigns_list(struct sim_world *w, struct sim_request *q, struct sim_answer *a)
{
    struct str after = sim_query_get(q, "starting_after");
    struct uuid last;
    struct jsonw j;
    bool some = after.n > 0;
    if (some && uuid_parse(after, &last) != 0)
        return sim_answer_error(a, 400, "querystring/starting_after must match format \"uuid\"");
    jsonw_init(&j, &a->body);
    jsonw_object(&j);
    jsonw_member_array(&j, "items");
    long left = page_limit(q), n = 0;
    for (; n < left; n++) {
        const struct sim_place *next = NULL;
        for (size_t i = 0; i < w->places_n; i++) {
            const struct sim_place *place = &w->places[i];
            if ((!some || memcmp(&place->id, &last, sizeof last) < 0) &&
                (next == NULL || memcmp(&place->id, &next->id, sizeof last) > 0) && campaign_wanted(place, q))
                next = place;
        }
        if (next == NULL)
            break;
        write_campaign(w, next, &j);
        last = next->id;
        some = true;
    }
    jsonw_array_end(&j);
    if (n > 0)
        jsonw_member_uuid(&j, "next_starting_after", &last);
    jsonw_object_end(&j);
    return jsonw_end(&j);
}

int sim_campaign_get(struct sim_world *w, struct sim_request *q, struct sim_answer *a)
{
    uint32_t no = sim_place_by_id(w, &q->id, true);
    return no == 0 ? sim_answer_not_found(a) : answer_campaign(w, no, a);
}

/* What the status says, unless a story has set another diagnosis. */
int sim_campaign_sending(struct sim_world *w, struct sim_request *q, struct sim_answer *a)
{
    static const char *const words[] = {"campaign_draft", "healthy", "campaign_paused", "campaign_completed", "healthy"};
    uint32_t no = sim_place_by_id(w, &q->id, true);
    struct jsonw j;
    if (no == 0)
        return sim_answer_not_found(a);
    const struct sim_place *place = sim_place_at(w, no);
    bool known = place->status >= 0 && place->status < (int)(sizeof words / sizeof words[0]);
    jsonw_init(&j, &a->body);
    jsonw_object(&j);
    jsonw_member_object(&j, "diagnostics");
    jsonw_member_text(&j, "status",
                      place->diagnosis != NULL ? place->diagnosis
                      : known                  ? words[place->status]
                                               : "all_accounts_unhealthy");
    jsonw_object_end(&j);
    jsonw_object_end(&j);
    return jsonw_end(&j);
}

/* Adding a name twice is harmless. */
int sim_campaign_variables(struct sim_world *w, struct sim_request *q, struct sim_answer *a)
{
    json_object *names = sim_json_get(q->json, "variables");
    uint32_t no = sim_place_by_id(w, &q->id, true);
    if (no == 0)
        return sim_answer_not_found(a);
    for (size_t i = 0; i < json_object_array_length(names); i++)
        if (sim_place_var(w, no, sim_json_str(json_object_array_get_idx(names, i))) != 0)
            return -1;
    return answer_campaign(w, no, a);
}

/* --- lists --- */

static void write_list(struct sim_world *w, const struct sim_place *place, struct jsonw *j)
{
    jsonw_object(j);
    jsonw_member_uuid(j, "id", &place->id);
    jsonw_member_uuid(j, "organization_id", &w->workspace);
    if (place->has_enrichment_flag)
        jsonw_member_bool(j, "has_enrichment_task", place->enrichment);
    if (place->has_owner)
        jsonw_member_uuid(j, "owned_by", &place->owner);
    jsonw_member_text(j, "name", place->name);
    sim_write_time(j, "timestamp_created", place->created_ms);
    jsonw_object_end(j);
}

static int answer_list(struct sim_world *w, uint32_t no, struct sim_answer *a)
{
    struct jsonw j;
    jsonw_init(&j, &a->body);
    write_list(w, sim_place_at(w, no), &j);
    return jsonw_end(&j);
}

int sim_list_get(struct sim_world *w, struct sim_request *q, struct sim_answer *a)
{
    uint32_t no = sim_place_by_id(w, &q->id, false);
    return no == 0 ? sim_answer_not_found(a) : answer_list(w, no, a);
}

/* Names are not unique: a repeated request makes a second list. */
int sim_list_create(struct sim_world *w, struct sim_request *q, struct sim_answer *a)
{
    struct str owner = sim_json_text(q->json, "owned_by");
    uint32_t no = sim_place_add(w, sim_json_text(q->json, "name"), false, NULL);
    if (no == 0)
        return -1;
    struct sim_place *place = sim_place_at(w, no);
    place->has_owner = owner.p != NULL && uuid_parse(owner, &place->owner) == 0;
    if (!place->has_owner) {
        place->owner = w->owner;
        place->has_owner = true;
    }
    place->has_enrichment_flag = sim_json_get(q->json, "has_enrichment_task") != NULL;
    place->enrichment = sim_json_true(q->json, "has_enrichment_task");
    sim_place_changed(w, no);
    return answer_list(w, no, a);
}

static bool list_wanted(const struct sim_place *place, const struct sim_request *q)
{
    struct str enriched = sim_query_get(q, "has_enrichment_task");
    return !place->is_campaign && sim_text_has(str_from(place->name), sim_query_get(q, "search")) &&
           (enriched.n == 0 || str_is(enriched, "true") == place->enrichment);
}

/* Newest first; the cursor is the time of the last item, so that lists of one millisecond can be lost at a page's
 * edge, as in the real API. */
int sim_lists_list(struct sim_world *w, struct sim_request *q, struct sim_answer *a)
{
    struct str after = sim_query_get(q, "starting_after");
    int64_t before_ms = INT64_MAX;
    struct jsonw j;
    if (after.n > 0 && time_parse(after, &before_ms) != 0)
        return sim_answer_error(a, 400, "querystring/starting_after must match format \"date-time\"");
    jsonw_init(&j, &a->body);
    jsonw_object(&j);
    jsonw_member_array(&j, "items");
    long limit = page_limit(q), n = 0;
    const struct sim_place *last = NULL;
    for (; n < limit; n++) {
        const struct sim_place *next = NULL;
        for (size_t i = 0; i < w->places_n; i++) {
            const struct sim_place *place = &w->places[i];
            bool follows = last == NULL                            ? place->created_ms < before_ms
                           : place->created_ms != last->created_ms ? place->created_ms < last->created_ms
                                                                   : place < last;
            bool nearer = next == NULL || place->created_ms > next->created_ms ||
                          (place->created_ms == next->created_ms && place > next);
            if (follows && nearer && list_wanted(place, q))
                next = place;
        }
        if (next == NULL)
            break;
        write_list(w, next, &j);
        last = next;
    }
    jsonw_array_end(&j);
    if (last != NULL)
        sim_write_time(&j, "next_starting_after", last->created_ms);
    jsonw_object_end(&j);
    return jsonw_end(&j);
}

/* The way to follow verify_leads_on_import, whose job has no id. What was never verified is in total_leads alone. */
int sim_list_stats(struct sim_world *w, struct sim_request *q, struct sim_answer *a)
{
    static const struct {
        const char *name;
        int code;
    } names[] = {{"verified", 1},
                 {"invalid", -1},
                 {"risky", -2},
                 {"catch_all", -3},
                 {"job_change", -4},
                 {"verification_job_pending_leadfinder", 12},
                 {"verification_job_pending_user", 11}};
    uint32_t no = sim_place_by_id(w, &q->id, false);
    uint64_t counts[sizeof names / sizeof names[0]] = {0}, total = 0;
    struct jsonw j;
    if (no == 0)
        return sim_answer_not_found(a);
    for (uint32_t i = 1; i <= w->leads.n; i++) {
        const struct sim_lead *lead = sim_table_at(&w->leads, i);
        if (lead->text == NULL || lead->place != no)
            continue;
        total++;
        int code = sim_lead_verification(w, lead);
        for (size_t k = 0; k < sizeof names / sizeof names[0]; k++)
            counts[k] += names[k].code == code;
    }
    jsonw_init(&j, &a->body);
    jsonw_object(&j);
    jsonw_member_object(&j, "stats");
    for (size_t k = 0; k < sizeof names / sizeof names[0]; k++)
        jsonw_member_uint(&j, names[k].name, counts[k]);
    jsonw_object_end(&j);
    jsonw_member_uint(&j, "total_leads", total);
    jsonw_object_end(&j);
    return jsonw_end(&j);
}
