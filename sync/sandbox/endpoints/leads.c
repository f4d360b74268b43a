/* One lead at a time: create, get, patch, delete, merge, interest, subsequences. */
#include "sync/sandbox/world/lead.h"
#include "sync/sandbox/server/route.h"

#include <stdlib.h>
#include <string.h>

enum { CUSTOM_MAX = BOX_BODY_MAX };

static int answer_lead(struct box_world *w, uint32_t no, struct box_answer *a)
{
    struct jsonw j;
    jsonw_init(&j, &a->body);
    box_lead_write(w, box_table_at(&w->leads, no), &j);
    return jsonw_end(&j);
}

/* The lead that a member of the body names, 0: none. */
static uint32_t find_lead(struct box_world *w, json_object *body, const char *name)
{
    struct uuid id;
    return uuid_parse(box_json_text(body, name), &id) == 0 ? box_table_by_id(&w->leads, &id) : 0;
}

/* To be called after every change but creation and deletion. */
static void touch(struct box_world *w, uint32_t no)
{
    box_table_at(&w->leads, no)->updated_ms = w->now_ms;
    w->counters.updated++;
    box_world_lead_changed(w, no);
}

/* --- create --- */

/* A lead with the address that makes a new one unwanted: in the target, or where the skip flags look. */
static uint32_t find_existing(struct box_world *w, json_object *body, struct str email, uint32_t place)
{
    uint32_t there = 0;
    box_each_by_email(&w->leads, email, no)
    {
        uint32_t p = box_table_at(&w->leads, no)->place;
        bool is_campaign = p != 0 && box_place_at(w, p)->is_campaign;
        if (place != 0 && p == place)
            return no;
        if (box_json_true(body, "skip_if_in_workspace") || (is_campaign && box_json_true(body, "skip_if_in_campaign")) ||
            (p != 0 && !is_campaign && box_json_true(body, "skip_if_in_list")))
            there = no;
    }
    return there;
}

/* The lead's number, or 0 when memory is short. */
static uint32_t leads_create(struct box_world *w, json_object *body, uint32_t place)
{
    /* This endpoint, unlike leads/add, fills these with "" when they are not given. */
    static const enum box_field filled[] = {BF_FIRST_NAME, BF_LAST_NAME, BF_COMPANY_NAME, BF_WEBSITE, BF_PERSONALIZATION};
    struct box_fields fields = {0};
    struct buf custom = BUF_INIT(CUSTOM_MAX);
    uint32_t no = 0;
    if (box_fields_overlay(&fields, body, false, &custom) == 0) {
        for (size_t i = 0; i < sizeof filled / sizeof filled[0]; i++)
            if (fields.f[filled[i]].p == NULL)
                fields.f[filled[i]] = STR("");
        if (fields.f[BF_EMAIL].n == 0)
            fields.f[BF_EMAIL] = STR_NONE;
        no = box_world_lead_add(w, &fields, place);
    }
    if (no != 0) {
        struct box_lead *lead = box_table_at(&w->leads, no);
        lead->alone = true;
        box_lead_interest(w, lead, body);
        if (box_json_true(body, "verify_leads_on_import") && fields.f[BF_EMAIL].n > 0)
            lead->verify_due_ms = w->now_ms + w->knobs.verify_ms;
        box_world_lead_changed(w, no);
    }
    buf_free(&custom);
    return no;
}

/* Finds the target. 0 (place may be 0: an orphan), 1 refused, -1 out of memory. */
static int leads_find_target(struct box_world *w, json_object *body, uint32_t *place, struct box_answer *a)
{
    struct str campaign = box_json_text(body, "campaign"), list = box_json_text(body, "list_id");
    struct uuid id;
    *place = 0;
    if (campaign.p != NULL && list.p != NULL)
        return box_answer_error(a, 400, "You must provide a campaign or a list_id, but not both") == 0 ? 1 : -1;
    if (campaign.p == NULL && list.p == NULL)
        return 0;
    if (uuid_parse(campaign.p != NULL ? campaign : list, &id) == 0)
        *place = box_place_by_id(w, &id, campaign.p != NULL);
    if (*place == 0)
        return box_answer_not_found(a) == 0 ? 1 : -1;
    return 0;
}

/* 200 does not prove that a lead was made: one that was there comes back as it is. Clients must compare times. */
int box_lead_create(struct box_world *w, struct box_request *q, struct box_answer *a)
{
    struct str email = box_json_text(q->json, "email");
    uint32_t place;
    int rc = leads_find_target(w, q->json, &place, a);
    if (rc != 0)
        return rc < 0 ? -1 : 0;
    bool to_campaign = place != 0 && box_place_at(w, place)->is_campaign;
    if (to_campaign && email.n == 0)
        return box_answer_error(a, 400, "Email is required when adding a lead to a campaign");
    if (email.n == 0 && box_json_text(q->json, "first_name").n == 0 && box_json_text(q->json, "last_name").n == 0)
        return box_answer_error(a, 400, "At least one of email, first_name or last_name is required");
    if (email.n > 0 && !box_email_valid(email))
        return box_answer_error(a, 400, "Invalid lead email");
    if (box_place_locked(w, place))
        return box_answer_locked(w, a);
    uint32_t no = find_existing(w, q->json, email, place);
    if (no != 0)
        return answer_lead(w, no, a); /* as it is: not updated, and maybe elsewhere */
    if (box_block_has(w, email))
        return box_answer_error(a, 400, "Lead is in the blocklist");
    if (box_world_room(w) < 1)
        return box_answer_error(a, 403, "Lead limit reached. Remaining uploads: 0");
    no = leads_create(w, q->json, place);
    return no == 0 ? -1 : answer_lead(w, no, a);
}

/* --- get, patch, delete --- */

int box_lead_get(struct box_world *w, struct box_request *q, struct box_answer *a)
{
    uint32_t no = box_table_by_id(&w->leads, &q->id);
    return no == 0 ? box_answer_not_found(a) : answer_lead(w, no, a);
}

/* Fields that are not given stay; custom_variables replace all or merge, by a knob, since both were reported. */
static int patch(struct box_world *w, struct box_request *q, uint32_t no)
{
    struct box_lead *lead = box_table_at(&w->leads, no);
    struct buf custom = BUF_INIT(CUSTOM_MAX);
    struct box_fields fields;
    box_lead_fields(lead, &fields);
    struct str email = fields.f[BF_EMAIL];
    int rc = box_fields_overlay(&fields, q->json, w->knobs.patch_merges, &custom);
    fields.f[BF_EMAIL] = email; /* no member of this body: an address that came is dropped */
    if (rc == 0)
        rc = box_world_lead_set(w, no, &fields);
    buf_free(&custom);
    if (rc == 0)
        box_lead_interest(w, lead, q->json);
    return rc;
}

/* Answers with the new values, then takes them back: the store never hears of them. */
static int echo_patch(struct box_world *w, struct box_request *q, uint32_t no, struct box_answer *a)
{
    struct box_lead *lead = box_table_at(&w->leads, no), was = *lead;
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

int box_lead_patch(struct box_world *w, struct box_request *q, struct box_answer *a)
{
    uint32_t no = box_table_by_id(&w->leads, &q->id);
    if (no == 0)
        return box_answer_not_found(a);
    if (a->fault.lie == BOX_LIE_PATCH_ECHOED)
        return echo_patch(w, q, no, a);
    if (a->fault.lie == BOX_LIE_PATCH_IGNORED)
        return answer_lead(w, no, a);
    if (patch(w, q, no) != 0)
        return -1;
    touch(w, no);
    return answer_lead(w, no, a);
}

/* Answers with the lead as it was. */
int box_lead_remove(struct box_world *w, struct box_request *q, struct box_answer *a)
{
    uint32_t no = box_table_by_id(&w->leads, &q->id);
    if (no == 0)
        return box_answer_not_found(a);
    uint32_t place = box_table_at(&w->leads, no)->place;
    if (box_place_locked(w, place))
        return box_answer_locked(w, a);
    if (answer_lead(w, no, a) != 0)
        return -1;
    if (a->fault.lie != BOX_LIE_DELETE_IGNORED)
        box_world_lead_delete(w, no);
    return 0;
}

/* --- merge, interest, subsequences --- */

/* The destination keeps what it has and takes what it lacks; the source stays, as was observed. */
int box_lead_merge(struct box_world *w, struct box_request *q, struct box_answer *a)
{
    uint32_t from = find_lead(w, q->json, "lead_id"), to = find_lead(w, q->json, "destination_lead_id");
    if (from == 0 || to == 0)
        return box_answer_not_found(a);
    struct box_fields source, fields;
    box_lead_fields(box_table_at(&w->leads, from), &source);
    box_lead_fields(box_table_at(&w->leads, to), &fields);
    for (unsigned i = 0; i < BF_N; i++)
        if (i != BF_EMAIL && fields.f[i].n == 0)
            fields.f[i] = source.f[i];
    if (box_world_lead_set(w, to, &fields) != 0)
        return -1;
    touch(w, to);
    return answer_lead(w, to, a);
}

/* {"message": …} and {"error": …}: the answers of the older endpoints. */
static int answer_word(struct box_answer *a, unsigned status, const char *name, const char *text)
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
int box_lead_set_interest(struct box_world *w, struct box_request *q, struct box_answer *a)
{
    struct str email = box_json_text(q->json, "lead_email");
    struct str campaign = box_json_text(q->json, "campaign_id"), list = box_json_text(q->json, "list_id");
    uint32_t in = campaign.p != NULL ? box_place_by_text(w, campaign, true)
                  : list.p != NULL   ? box_place_by_text(w, list, false)
                                     : 0;
    bool anywhere = campaign.p == NULL && list.p == NULL, found = false;
    box_each_by_email(&w->leads, email, no)
    {
        struct box_lead *lead = box_table_at(&w->leads, no);
        if (!anywhere && (in == 0 || lead->place != in))
            continue;
        found = true;
        lead->has_interest = box_json_get(q->json, "interest_value") != NULL; /* null: back to "Lead" */
        lead->interest = (int16_t)box_json_int(q->json, "interest_value", 0);
        lead->interest_ms = w->now_ms;
        touch(w, no);
    }
    if (!found)
        return answer_word(a, 400, "error", "Invalid lead email");
    return answer_word(a, 202, "message", "Lead interest status update background job submitted");
}

static int set_subsequence(struct box_world *w, struct box_request *q, struct str id, struct box_answer *a)
{
    uint32_t no = find_lead(w, q->json, "id");
    struct box_fields fields;
    if (no == 0)
        return box_answer_not_found(a);
    box_lead_fields(box_table_at(&w->leads, no), &fields);
    fields.f[BF_SUBSEQUENCE] = id;
    if (box_world_lead_set(w, no, &fields) != 0)
        return -1;
    touch(w, no);
    return answer_lead(w, no, a);
}

int box_lead_to_subsequence(struct box_world *w, struct box_request *q, struct box_answer *a)
{
    return set_subsequence(w, q, box_json_text(q->json, "subsequence_id"), a);
}

int box_lead_from_subsequence(struct box_world *w, struct box_request *q, struct box_answer *a)
{
    return set_subsequence(w, q, STR_NONE, a);
}
