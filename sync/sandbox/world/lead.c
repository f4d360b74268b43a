#include "sync/sandbox/world/lead.h"

#include "sync/base/clock.h"

#include <stdlib.h>
#include <string.h>

const struct sim_field_name sim_field_names[BF_API_N] = {
    [BF_EMAIL] = {"email", "email"},
    [BF_FIRST_NAME] = {"first_name", "firstName"},
    [BF_LAST_NAME] = {"last_name", "lastName"},
    [BF_COMPANY_NAME] = {"company_name", "companyName"},
    [BF_JOB_TITLE] = {"job_title", "jobTitle"},
    [BF_PHONE] = {"phone", "phone"},
    [BF_WEBSITE] = {"website", "website"},
    [BF_PERSONALIZATION] = {"personalization", "personalization"},
    [BF_PL_VALUE] = {"pl_value_lead", NULL},
};

enum { VALUE_MAX = 1 << 20, ESP_NOT_FOUND = 1000 };

/* --- custom variables --- */

int sim_custom_next(struct str *packed, struct str *name, struct str *value_json)
{
    const char *p = packed->p, *end = packed->p + packed->n;
    if (packed->n == 0 || unpack_str(&p, end, name) != 0 || unpack_str(&p, end, value_json) != 0)
        return 0;
    *packed = (struct str){p, (size_t)(end - p)};
    return 1;
}

void sim_custom_write(struct jsonw *w, struct str packed)
{
    struct str name, value;
    jsonw_object(w);
    while (sim_custom_next(&packed, &name, &value)) {
        jsonw_key_str(w, name);
        jsonw_raw(w, value);
    }
    jsonw_object_end(w);
}

/* `old` survives where it is merged and not given again. Values are kept as JSON text, since a lead is written far
 * more often than one of its variables is read. */
static int pack_custom(struct str old, json_object *o, bool merge, struct buf *out)
{
    struct str name, value;
    struct buf text = BUF_INIT(VALUE_MAX);
    int rc = 0;
    buf_reset(out);
    if (buf_reserve(out, 1) != 0)
        return -1;
    while (merge && rc == 0 && sim_custom_next(&old, &name, &value)) {
        char *key = str_dup(name);
        if (key == NULL)
            return -1;
        if (!json_object_object_get_ex(o, key, NULL))
            rc = buf_add_str(out, name) != 0 || buf_add_str(out, value) != 0 ? -1 : 0;
        free(key);
    }
    sim_json_each(o, i)
    {
        struct jsonw w;
        if (rc != 0)
            break;
        buf_reset(&text);
        jsonw_init(&w, &text);
        sim_json_write(&w, json_object_iter_peek_value(&i));
        if (jsonw_end(&w) != 0 || buf_add_str(out, str_from(json_object_iter_peek_name(&i))) != 0 ||
            buf_add_str(out, buf_str(&text)) != 0)
            rc = -1;
    }
    buf_free(&text);
    return rc;
}

/* -1: no field of a lead. */
static int find_field(const char *key)
{
    for (int i = 0; i < BF_API_N; i++)
        if (strcmp(key, sim_field_names[i].api) == 0)
            return i;
    return -1;
}

/* Ignores members that are not fields (flags, targets), because the schema has checked them. */
int sim_fields_overlay(struct sim_fields *fields, json_object *o, bool merge, struct buf *custom)
{
    sim_json_each(o, i)
    {
        const char *key = json_object_iter_peek_name(&i);
        json_object *value = json_object_iter_peek_value(&i);
        int field = find_field(key);
        if (field >= 0) {
            fields->f[field] = sim_json_str(value);
        } else if (strcmp(key, "assigned_to") == 0) {
            fields->f[BF_ASSIGNED] = sim_json_str(value);
        } else if (strcmp(key, "custom_variables") == 0 && json_object_is_type(value, json_type_object)) {
            if (pack_custom(fields->f[BF_CUSTOM], value, merge, custom) != 0)
                return -1;
            fields->f[BF_CUSTOM] = (struct str){custom->p, custom->n};
        }
    }
    return 0;
}

void sim_lead_interest(struct sim_world *w, struct sim_lead *lead, json_object *o)
{
    if (sim_json_get(o, "lt_interest_status") == NULL)
        return;
    lead->has_interest = true;
    lead->interest = (int16_t)sim_json_int(o, "lt_interest_status", 0);
    lead->interest_ms = w->now_ms;
}

/* --- verification --- */

/* By words in the part before the @, so that a story can choose: jane.invalid@example.com. */
int sim_verdict(struct str email)
{
    static const struct {
        const char *word;
        int code;
    } verdicts[] = {{"invalid", -1}, {"risky", -2}, {"catchall", -3}, {"jobchange", -4}};
    const char *at = email.n > 0 ? memchr(email.p, '@', email.n) : NULL;
    struct str local = {email.p, at == NULL ? email.n : (size_t)(at - email.p)};
    for (size_t i = 0; i < sizeof verdicts / sizeof verdicts[0]; i++)
        if (sim_text_has(local, str_from(verdicts[i].word)))
            return verdicts[i].code;
    return 1;
}

/* Worked out on demand: no lead changes when its verdict arrives. */
int sim_lead_verification(const struct sim_world *w, const struct sim_lead *lead)
{
    enum { PENDING = 11 };
    if (lead->verify_due_ms == SIM_NEVER)
        return 0;
    return w->now_ms < lead->verify_due_ms ? PENDING : sim_verdict(sim_lead_email(lead));
}

/* --- writing --- */

void sim_write_time(struct jsonw *j, const char *key, int64_t ms)
{
    char text[TIME_TEXT_N];
    if (ms == SIM_NEVER)
        return;
    jsonw_member_text(j, key, time_format(ms, text));
}

/* The API leaves out what is null. */
static void write_text(struct jsonw *j, const char *key, struct str s)
{
    if (s.p == NULL)
        return;
    jsonw_member_str(j, key, s);
}

static void lead_write_place(struct sim_world *w, struct jsonw *j, uint32_t place, bool campaign)
{
    if (place != 0 && sim_place_at(w, place)->is_campaign == campaign)
        jsonw_member_uuid(j, campaign ? "campaign" : "list_id", &sim_place_at(w, place)->id);
}

/* A custom variable that is named like a core field collides inside `payload`; there the core field wins. */
static bool is_taken(const struct sim_lead *lead, const struct sim_fields *fields, struct str name)
{
    if (lead->alone && (str_is(name, "campaign") || str_is(name, "list_id")))
        return true;
    for (unsigned i = 0; i < BF_API_N; i++)
        if (fields->f[i].p != NULL && sim_field_names[i].payload != NULL && str_is(name, sim_field_names[i].payload))
            return true;
    return false;
}

/* Core fields under their camel-case names and custom variables, mixed, in one flat object. */
static void write_payload(struct sim_world *w, const struct sim_lead *lead, const struct sim_fields *fields, struct jsonw *j)
{
    struct str custom = fields->f[BF_CUSTOM], name, value;
    jsonw_member_object(j, "payload");
    for (unsigned i = 0; i < BF_API_N; i++)
        if (sim_field_names[i].payload != NULL)
            write_text(j, sim_field_names[i].payload, fields->f[i]);
    if (lead->alone) {
        lead_write_place(w, j, lead->place, true);
        lead_write_place(w, j, lead->place, false);
    }
    while (sim_custom_next(&custom, &name, &value)) {
        if (is_taken(lead, fields, name))
            continue;
        jsonw_key_str(j, name);
        jsonw_raw(j, value);
    }
    jsonw_object_end(j);
}

/* Opens, replies and clicks come only by the test control. */
static void write_counts(const struct sim_lead *lead, struct jsonw *j)
{
    jsonw_member_int(j, "status", lead->status);
    jsonw_member_int(j, "email_open_count", lead->opens);
    jsonw_member_int(j, "email_reply_count", lead->replies);
    jsonw_member_int(j, "email_click_count", lead->clicks);
}

/* esp_code comes some seconds after the lead, as a look-up of its mail provider would bring it. */
static void write_states(struct sim_world *w, const struct sim_lead *lead, struct jsonw *j)
{
    int verification = sim_lead_verification(w, lead);
    if (lead->has_interest)
        jsonw_member_int(j, "lt_interest_status", lead->interest);
    if (verification != 0)
        jsonw_member_int(j, "verification_status", verification);
    sim_write_time(j, "timestamp_last_contact", lead->contacted_ms);
    sim_write_time(j, "timestamp_last_open", lead->opened_ms);
    sim_write_time(j, "timestamp_last_click", lead->clicked_ms);
    sim_write_time(j, "timestamp_last_reply", lead->replied_ms);
    sim_write_time(j, "timestamp_last_interest_change", lead->interest_ms);
    jsonw_member_text(j, "upload_method", "api");
    if (w->now_ms >= lead->created_ms + w->knobs.esp_ms && sim_lead_email(lead).n > 0)
        jsonw_member_int(j, "esp_code", ESP_NOT_FOUND);
}

/* Late effects (provider looked up, verdict reached) bump the update time when their moment has come. */
static int64_t updated_ms(const struct sim_world *w, const struct sim_lead *lead)
{
    int64_t updated = lead->updated_ms;
    if (lead->touched_ms <= w->now_ms && lead->touched_ms > updated)
        updated = lead->touched_ms;
    if (lead->verify_due_ms <= w->now_ms && lead->verify_due_ms > updated)
        updated = lead->verify_due_ms;
    return updated;
}

void sim_lead_write(struct sim_world *w, const struct sim_lead *lead, struct jsonw *j)
{
    struct sim_fields fields;
    sim_lead_fields(lead, &fields);
    struct str email = fields.f[BF_EMAIL];
    const char *at = email.n > 0 ? memchr(email.p, '@', email.n) : NULL;
    jsonw_object(j);
    jsonw_member_uuid(j, "id", &lead->id);
    sim_write_time(j, "timestamp_created", lead->created_ms);
    sim_write_time(j, "timestamp_updated", updated_ms(w, lead));
    jsonw_member_uuid(j, "organization", &w->workspace);
    lead_write_place(w, j, lead->place, true);
    write_counts(lead, j);
    jsonw_member_str(j, "company_domain", at == NULL ? STR("") : (struct str){at + 1, email.n - (size_t)(at + 1 - email.p)});
    jsonw_member_object(j, "status_summary");
    jsonw_object_end(j);
    for (unsigned i = 0; i < BF_API_N; i++)
        write_text(j, sim_field_names[i].api, fields.f[i]);
    write_payload(w, lead, &fields, j);
    write_states(w, lead, j);
    lead_write_place(w, j, lead->place, false);
    write_text(j, "assigned_to", fields.f[BF_ASSIGNED]);
    write_text(j, "subsequence_id", fields.f[BF_SUBSEQUENCE]);
    jsonw_object_end(j);
}
