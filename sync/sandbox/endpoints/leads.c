/* One lead at a time: create, get, patch, delete, merge, interest, subsequences. */
#include "sync/sandbox/world/lead.h"
#include "sync/sandbox/server/route.h"

#include <stdlib.h>
#include <string.h>

enum { CUSTOM_MAX = SIM_BODY_MAX };

static int answer_lead(struct sim_world *w, uint32_t no, struct sim_answer *a)
{
    struct jsonw j;
    jsonw_init(&j, &a->body);
    sim_lead_write(w, sim_table_at(&w->leads, no), &j);
    return jsonw_end(&j);
}

/* The lead that a member of the body names, 0: none. */
static uint32_t find_lead(struct sim_world *w, json_object *body, const char *name)
{
    struct uuid id;
    return uuid_parse(sim_json_text(body, name), &id) == 0 ? sim_table_by_id(&w->leads, &id) : 0;
}

/* To be called after every change but creation and deletion. */
static void touch(struct sim_world *w, uint32_t no)
{
    sim_table_at(&w->leads, no)->updated_ms = w->now_ms;
    w->counters.updated++;
    sim_world_lead_changed(w, no);
}

/* --- create --- */

/* A lead with the address that makes a new one unwanted: in the target, or where the skip flags look. */
static uint32_t find_existing(struct sim_world *w, json_object *body, struct str email, uint32_t place)
{
    uint32_t there = 0;
    sim_each_by_email(&w->leads, email, no)
    {
        uint32_t p = sim_table_at(&w->leads, no)->place;
        bool is_campaign = p != 0 && sim_place_at(w, p)->is_campaign;
        if (place != 0 && p == place)
            return no;
        if (sim_json_true(body, "skip_if_in_workspace") || (is_campaign && sim_json_true(body, "skip_if_in_campaign")) ||
            (p != 0 && !is_campaign && sim_json_true(body, "skip_if_in_list")))
            there = no;
    }
    return there;
}

/* The lead's number, or 0 when memory is short. */
static uint32_t leads_create(struct sim_world *w, json_object *body, uint32_t place)
{
    /* This endpoint, unlike leads/add, fills these with "" when they are not given. */
    static const enum sim_field filled[] = {BF_FIRST_NAME, BF_LAST_NAME, BF_COMPANY_NAME, BF_WEBSITE, BF_PERSONALIZATION};
    struct sim_fields fields = {0};
    struct buf custom = BUF_INIT(CUSTOM_MAX);
    uint32_t no = 0;
    if (sim_fields_overlay(&fields, body, false, &custom) == 0) {
        for (size_t i = 0; i < sizeof filled / sizeof filled[0]; i++)
            if (fields.f[filled[i]].p == NULL)
                fields.f[filled[i]] = STR("");
        if (fields.f[BF_EMAIL].n == 0)
            fields.f[BF_EMAIL] = STR_NONE;
        no = sim_world_lead_add(w, &fields, place);
    }
    if (no != 0) {
        struct sim_lead *lead = sim_table_at(&w->leads, no);
        lead->alone = true;
        sim_lead_interest(w, lead, body);
        if (sim_json_true(body, "verify_leads_on_import") && fields.f[BF_EMAIL].n > 0)
            lead->verify_due_ms = w->now_ms + w->knobs.verify_ms;
        sim_world_lead_changed(w, no);
    }
    buf_free(&custom);
    return no;
}

/* Finds the target. 0 (place may be 0: an orphan), 1 refused, -1 out of memory. */
static int leads_find_target(struct sim_world *w, json_object *body, uint32_t *place, struct sim_answer *a)
{
    struct str campaign = sim_json_text(body, "campaign"), list = sim_json_text(body, "list_id");
    struct uuid id;
    *place = 0;
    if (campaign.p != NULL && list.p != NULL)
        return sim_answer_error(a, 400, "You must provide a campaign or a list_id, but not both") == 0 ? 1 : -1;
    if (campaign.p == NULL && list.p == NULL)
        return 0;
    if (uuid_parse(campaign.p != NULL ? campaign : list, &id) == 0)
        *place = sim_place_by_id(w, &id, campaign.p != NULL);
    if (*place == 0)
        return sim_answer_not_found(a) == 0 ? 1 : -1;
    return 0;
}

/* 200 does not prove that a lead was made: one that was there comes back as it is. Clients must compare times. */
int sim_lead_create(struct sim_world *w, struct sim_request *q, struct sim_answer *a)
{
    struct str email = sim_json_text(q->json, "email");
    uint32_t place;
    int rc = leads_find_target(w, q->json, &place, a);
    if (rc != 0)
        return rc < 0 ? -1 : 0;
    bool to_campaign = place != 0 && sim_place_at(w, place)->is_campaign;
    if (to_campaign && email.n == 0)
        return sim_answer_error(a, 400, "Email is required when adding a lead to a campaign");
    if (email.n == 0 && sim_json_text(q->json, "first_name").n == 0 && sim_json_text(q->json, "last_name").n == 0)
        return sim_answer_error(a, 400, "At least one of email, first_name or last_name is required");
    if (email.n > 0 && !sim_email_valid(email))
        return sim_answer_error(a, 400, "Invalid lead email");
    if (sim_place_locked(w, place))
        return sim_answer_locked(w, a);
    uint32_t no = find_existing(w, q->json, email, place);
    if (no != 0)
        return answer_lead(w, no, a); /* as it is: not updated, and maybe elsewhere */
    if (sim_block_has(w, email))
        return sim_answer_error(a, 400, "Lead is in the blocklist");
    if (sim_world_room(w) < 1)
        return sim_answer_error(a, 403, "Lead limit reached. Remaining uploads: 0");
    no = leads_create(w, q->json, place);
    return no == 0 ? -1 : answer_lead(w, no, a);
}

/* --- get, patch, delete --- */

int sim_lead_get(struct sim_world *w, struct sim_request *q, struct sim_answer *a)
{
    uint32_t no = sim_table_by_id(&w->leads, &q->id);
    return no == 0 ? sim_answer_not_found(a) : answer_lead(w, no, a);
}

/* Fields that are not given stay; custom_variables replace all or merge, by a knob, since both were reported. */
static int patch(struct sim_world *w, struct sim_request *q, uint32_t no)
{
    struct sim_lead *lead = sim_table_at(&w->leads, no);
    struct buf custom = BUF_INIT(CUSTOM_MAX);
    struct sim_fields fields;
    sim_lead_fields(lead, &fields);
    struct str email = fields.f[BF_EMAIL];
    int rc = sim_fields_overlay(&fields, q->json, w->knobs.patch_merges, &custom);
    fields.f[BF_EMAIL] = email; /* no member of this body: an address that came is dropped */
    if (rc == 0)
        rc = sim_world_lead_set(w, no, &fields);
    buf_free(&custom);
    if (rc == 0)
        sim_lead_interest(w, lead, q->json);
    return rc;
}

/* Answers with the new values, then takes them back: the store never hears of them. */
static int echo_patch(struct sim_world *w, struct sim_request *q, uint32_t no, struct sim_answer *a)
{
    struct sim_lead *lead = sim_table_at(&w->leads, no), was = *lead;
    lead->text = malloc(was.text_n);
    if (lead->text == NULL) {
        *lead = was;
        return -1;
    }
    memcpy(lead->text, was.text, was.text_n);
    int rc = patch(w, q, no);
    lead->updated_ms = w->now_ms;
    if (rc == 0)
        rc = answer_lead(w, no, a);
    free(lead->text);
    *lead = was;
    return rc;
}

int sim_lead_patch(struct sim_world *w, struct sim_request *q, struct sim_answer *a)
{
    uint32_t no = sim_table_by_id(&w->leads, &q->id);
    if (no == 0)
        return sim_answer_not_found(a);
    if (a->fault.lie == SIM_LIE_PATCH_ECHOED)
        return echo_patch(w, q, no, a);
    if (a->fault.lie == SIM_LIE_PATCH_IGNORED)
        return answer_lead(w, no, a);
    if (patch(w, q, no) != 0)
        return -1;
    touch(w, no);
    return answer_lead(w, no, a);
}

/* Answers with the lead as it was. */
int sim_lead_remove(struct sim_world *w, struct sim_request *q, struct sim_answer *a)
{
    uint32_t no = sim_table_by_id(&w->leads, &q->id);
    if (no == 0)
        return sim_answer_not_found(a);
    uint32_t place = sim_table_at(&w->leads, no)->place;
    if (sim_place_locked(w, place))
        return sim_answer_locked(w, a);
    if (answer_lead(w, no, a) != 0)
        return -1;
    if (a->fault.lie != SIM_LIE_DELETE_IGNORED)
        sim_world_lead_delete(w, no);
    return 0;
}

/* --- merge, interest, subsequences --- */

/* The destination keeps what it has and takes what it lacks; the source stays, as was observed. */
int sim_lead_merge(struct sim_world *w, struct sim_request *q, struct sim_answer *a)
{
    uint32_t from = find_lead(w, q->json, "lead_id"), to = find_lead(w, q->json, "destination_lead_id");
    if (from == 0 || to == 0)
        return sim_answer_not_found(a);
    struct sim_fields source, fields;
    sim_lead_fields(sim_table_at(&w->leads, from), &source);
    sim_lead_fields(sim_table_at(&w->leads, to), &fields);
    for (unsigned i = 0; i < BF_N; i++)
        if (i != BF_EMAIL && fields.f[i].n == 0)
            fields.f[i] = source.f[i];
    if (sim_world_lead_set(w, to, &fields) != 0)
        return -1;
    touch(w, to);
    return answer_lead(w, to, a);
}

/* {"message": …} and {"error": …}: the answers of the older endpoints. */
static int answer_word(struct sim_answer *a, unsigned status, const char *name, const char *text)
{
    struct jsonw j;
    a->status = status;
    jsonw_init(&j, &a->body);
    jsonw_object(&j);
    jsonw_member_text(&j, name, text);
    jsonw_object_end(&j);
    return jsonw_end(&j);
}

/* Says "submitted" and has done it: there is no job to ask about. */
int sim_lead_set_interest(struct sim_world *w, struct sim_request *q, struct sim_answer *a)
{
    struct str email = sim_json_text(q->json, "lead_email");
    struct str campaign = sim_json_text(q->json, "campaign_id"), list = sim_json_text(q->json, "list_id");
    uint32_t in = campaign.p != NULL ? sim_place_by_text(w, campaign, true)
                  : list.p != NULL   ? sim_place_by_text(w, list, false)
                                     : 0;
    bool anywhere = campaign.p == NULL && list.p == NULL, found = false;
    sim_each_by_email(&w->leads, email, no)
    {
        struct sim_lead *lead = sim_table_at(&w->leads, no);
        if (!anywhere && (in == 0 || lead->place != in))
            continue;
        found = true;
        lead->has_interest = sim_json_get(q->json, "interest_value") != NULL; /* null: back to "Lead" */
        lead->interest = (int16_t)sim_json_int(q->json, "interest_value", 0);
        lead->interest_ms = w->now_ms;
        touch(w, no);
    }
    if (!found)
        return answer_word(a, 400, "error", "Invalid lead email");
    return answer_word(a, 202, "message", "Lead interest status update background job submitted");
}

static int set_subsequence(struct sim_world *w, struct sim_request *q, struct str id, struct sim_answer *a)
{
    uint32_t no = find_lead(w, q->json, "id");
    struct sim_fields fields;
    if (no == 0)
        return sim_answer_not_found(a);
    sim_lead_fields(sim_table_at(&w->leads, no), &fields);
    fields.f[BF_SUBSEQUENCE] = id;
    if (sim_world_lead_set(w, no, &fields) != 0)
        return -1;
    touch(w, no);
    return answer_lead(w, no, a);
}

int sim_lead_to_subsequence(struct sim_world *w, struct sim_request *q, struct sim_answer *a)
{
    return set_subsequence(w, q, sim_json_text(q->json, "subsequence_id"), a);
}

int sim_lead_from_subsequence(struct sim_world *w, struct sim_request *q, struct sim_answer *a)
{
    return set_subsequence(w, q, STR_NONE, a);
}
