/* POST /leads/add: the bulk create. Judges every lead first, so that a plan without room can refuse the whole. */
#include "sync/sandbox/world/lead.h"
#include "sync/sandbox/server/route.h"

#include <stdlib.h>
#include <string.h>

enum { SEEN_N = 4096 /* power of two, well above the 1000 leads of a request */, CUSTOM_MAX = SIM_BODY_MAX };

enum verdict { CREATE, INVALID, INCOMPLETE, REPEATED, BLOCKED, THERE, SKIPPED, VERDICTS };

struct addition {
    struct sim_world *w;
    json_object *body, *leads;
    uint32_t place;
    bool to_campaign, skip_workspace, skip_campaign, skip_list;
    enum sim_lie lie; /* about created_leads */
    size_t n, counts[VERDICTS];
    size_t create_n, created_n; /* leads to create, and leads created so far */
    uint32_t first_no;          /* the first lead that this request created; 0: none yet */
    uint32_t stranger_no;       /* the last older lead that an entry named; 0: none yet */
    unsigned char *verdicts;    /* one a lead */
    uint64_t seen[SEEN_N];      /* hashes of the addresses so far; 0: free */
    struct buf custom;
};

/* Whether the address came before in this request. */
static bool seen_before(struct addition *add, struct str email)
{
    uint64_t hash = sim_table_hash(&add->w->leads, email) | 1;
    for (size_t i = hash >> 1 & (SEEN_N - 1);; i = (i + 1) & (SEEN_N - 1)) {
        if (add->seen[i] == hash)
            return true;
        if (add->seen[i] == 0) {
            add->seen[i] = hash;
            return false;
        }
    }
}

/* The flags look at every campaign or list, not at the target alone (that is what `duplicated` is for). */
static bool skipped(struct addition *add, struct str email)
{
    if (add->skip_workspace) /* overrides the other two */
        return sim_table_by_email(&add->w->leads, email, 0) != 0;
    return (add->skip_campaign && sim_world_has_kind(add->w, email, true, false, 0)) ||
           (add->skip_list && sim_world_has_kind(add->w, email, false, true, 0));
}

/* The order of the checks decides which counter a lead that fails several goes to. */
static enum verdict judge(struct addition *add, json_object *lead)
{
    struct str email = sim_json_text(lead, "email");
    if (email.n == 0) {
        if (add->to_campaign)
            return INVALID;
        return sim_json_text(lead, "first_name").n > 0 || sim_json_text(lead, "last_name").n > 0 ? CREATE : INCOMPLETE;
    }
    return !sim_email_valid(email)                    ? INVALID
           : seen_before(add, email)                  ? REPEATED
           : sim_block_has(add->w, email)             ? BLOCKED
           : sim_world_has(add->w, email, add->place) ? THERE
           : skipped(add, email)                      ? SKIPPED
                                                      : CREATE;
}

/* The campaign learns the names that its leads bring, as the real one does, so that templates may use them. */
static int note_variables(struct sim_world *w, uint32_t no, const struct sim_fields *fields)
{
    struct str custom = fields->f[BF_CUSTOM], name, value;
    unsigned core = 0;
    for (unsigned i = 0; i < BF_API_N; i++)
        if (fields->f[i].p != NULL && sim_field_names[i].payload != NULL)
            core |= 1u << i;
    struct sim_place *place = sim_place_at(w, no);
    if ((place->core_seen | core) != place->core_seen) {
        place->core_seen |= core;
        sim_place_changed(w, no);
    }
    while (sim_custom_next(&custom, &name, &value))
        if (sim_place_var(w, no, name) != 0)
            return -1;
    return 0;
}

/* Creates one lead. Its number, or 0 when memory is short: what was created before stays. */
static uint32_t add_create(struct addition *add, json_object *item)
{
    struct sim_world *w = add->w;
    struct sim_fields fields = {0};
    if (sim_fields_overlay(&fields, item, false, &add->custom) != 0)
        return 0;
    if (fields.f[BF_EMAIL].n == 0)
        fields.f[BF_EMAIL] = STR_NONE;
    if (fields.f[BF_ASSIGNED].p == NULL)
        fields.f[BF_ASSIGNED] = sim_json_text(add->body, "assigned_to");
    uint32_t no = sim_world_lead_add(w, &fields, add->place);
    if (no == 0 || (add->to_campaign && note_variables(w, add->place, &fields) != 0))
        return 0;
    struct sim_lead *lead = sim_table_at(&w->leads, no);
    sim_lead_interest(w, lead, item);
    if (sim_json_true(add->body, "verify_leads_on_import") && fields.f[BF_EMAIL].n > 0)
        lead->verify_due_ms = w->now_ms + w->knobs.verify_ms;
    sim_world_lead_changed(w, no);
    return no;
}

/* --- created_leads, and the lies about it --- */

static bool is_omitted(const struct addition *add, const struct sim_fields *fields)
{
    return add->lie == SIM_LIE_EMPTY_CREATED || (add->lie == SIM_LIE_NAMELESS_OMITTED && fields->f[BF_EMAIL].n == 0) ||
           (add->lie == SIM_LIE_UPLOADED_UNLISTED && add->created_n >= add->create_n / 2);
}

/* The place in the request, the only link between a row sent and the lead it became. */
static size_t shown_index(const struct addition *add, size_t index)
{
    return add->lie == SIM_LIE_SHIFTED_INDEX   ? (index + 1) % add->n
           : add->lie == SIM_LIE_CREATED_INDEX ? add->created_n
                                               : index;
}

/* The lead whose id an entry shows. Older leads take turns as the stranger, each once, then the truth must do. */
static const struct sim_lead *shown_lead(struct addition *add, uint32_t no)
{
    const struct sim_table *leads = &add->w->leads;
    if (add->lie == SIM_LIE_SAME_ID)
        return sim_table_at(leads, add->first_no);
    while (add->lie == SIM_LIE_STRANGER_ID && add->stranger_no + 1 < add->first_no) {
        const struct sim_lead *stranger = sim_table_at(leads, ++add->stranger_no);
        if (stranger->text != NULL)
            return stranger;
    }
    return sim_table_at(leads, no);
}

/* One entry of created_leads: of lead `no`, which was number `index` of the request. */
static void write_created(struct addition *add, uint32_t no, size_t index, struct jsonw *j)
{
    static const enum sim_field shown[] = {BF_EMAIL, BF_FIRST_NAME, BF_LAST_NAME, BF_PHONE};
    struct sim_fields fields;
    sim_lead_fields(sim_table_at(&add->w->leads, no), &fields);
    if (add->first_no == 0)
        add->first_no = no;
    if (!is_omitted(add, &fields)) {
        jsonw_object(j);
        jsonw_member_uint(j, "index", shown_index(add, index));
        jsonw_member_uuid(j, "id", &shown_lead(add, no)->id);
        for (size_t i = 0; i < sizeof shown / sizeof shown[0]; i++)
            if (fields.f[shown[i]].p != NULL)
                jsonw_member_str(j, sim_field_names[shown[i]].api, fields.f[shown[i]]);
        jsonw_object_end(j);
    }
    add->created_n++;
}

/* `room` is what the plan takes: with the partial knob only that many are created, the rest stay uncounted. */
static int add_answer(struct addition *add, int64_t room, struct sim_answer *a)
{
    struct sim_world *w = add->w;
    size_t create_n = (int64_t)add->counts[CREATE] < room ? add->counts[CREATE] : (size_t)room;
    struct str blocklist = sim_json_text(add->body, "blocklist_id");
    struct jsonw j;
    add->create_n = create_n;
    jsonw_init(&j, &a->body);
    jsonw_object(&j);
    jsonw_member_text(&j, "status", "success");
    jsonw_member_uint(&j, "total_sent", add->n);
    jsonw_member_uint(&j, "leads_uploaded", create_n);
    jsonw_member_uint(&j, "in_blocklist", add->counts[BLOCKED]);
    if (w->blocks_n > 0 && blocklist.p != NULL)
        jsonw_member_str(&j, "blocklist_used", blocklist);
    else
        jsonw_member_uuid(&j, "blocklist_used", w->blocks_n > 0 ? &w->blocklist : NULL);
    jsonw_member_uint(&j, "duplicated_leads", add->counts[THERE]);
    jsonw_member_uint(&j, "skipped_count", add->counts[SKIPPED]);
    jsonw_member_uint(&j, "invalid_email_count", add->counts[INVALID]);
    jsonw_member_uint(&j, "incomplete_count", add->counts[INCOMPLETE]);
    jsonw_member_uint(&j, "duplicate_email_count", add->counts[REPEATED]);
    if (add->to_campaign && room != INT64_MAX)
        jsonw_member_int(&j, "remaining_in_plan", room - (int64_t)create_n);
    else
        jsonw_member_null(&j, "remaining_in_plan");
    jsonw_member_array(&j, "created_leads");
    for (size_t i = 0; i < add->n && add->created_n < create_n; i++) {
        if (add->verdicts[i] != CREATE)
            continue;
        uint32_t no = add_create(add, json_object_array_get_idx(add->leads, i));
        if (no == 0)
            return -1;
        write_created(add, no, i, &j);
    }
    jsonw_array_end(&j);
    jsonw_object_end(&j);
    return jsonw_end(&j);
}

/* Fills in the target. 0, 1 refused, -1 out of memory. */
static int add_find_target(struct addition *add, struct sim_answer *a)
{
    struct str campaign = sim_json_text(add->body, "campaign_id"), list = sim_json_text(add->body, "list_id");
    struct uuid id;
    if ((campaign.p == NULL) == (list.p == NULL))
        return sim_answer_error(a, 400,
                                campaign.p == NULL ? "You must provide a campaign_id or a list_id"
                                                   : "You must provide a campaign_id or a list_id, but not both") == 0
                   ? 1
                   : -1;
    add->to_campaign = campaign.p != NULL;
    if (uuid_parse(add->to_campaign ? campaign : list, &id) == 0)
        add->place = sim_place_by_id(add->w, &id, add->to_campaign);
    if (add->place == 0)
        return sim_answer_not_found(a) == 0 ? 1 : -1;
    if (sim_place_locked(add->w, add->place))
        return sim_answer_locked(add->w, a) == 0 ? 1 : -1;
    return 0;
}

/* Judge all, look at the plan, create: a request that is refused has created nothing. */
int sim_leads_add(struct sim_world *w, struct sim_request *q, struct sim_answer *a)
{
    struct addition *add = calloc(1, sizeof *add);
    if (add == NULL)
        return -1;
    add->w = w;
    add->body = q->json;
    add->lie = a->fault.lie;
    add->leads = sim_json_get(q->json, "leads");
    add->n = json_object_array_length(add->leads);
    add->verdicts = calloc(add->n, 1);
    add->skip_workspace = sim_json_true(q->json, "skip_if_in_workspace");
    add->skip_campaign = sim_json_true(q->json, "skip_if_in_campaign");
    add->skip_list = sim_json_true(q->json, "skip_if_in_list");
    buf_init(&add->custom, CUSTOM_MAX);
    int rc = add->verdicts == NULL ? -1 : add_find_target(add, a);
    if (rc == 0) {
        for (size_t i = 0; i < add->n; i++) {
            add->verdicts[i] = (unsigned char)judge(add, json_object_array_get_idx(add->leads, i));
            add->counts[add->verdicts[i]]++;
        }
        int64_t room = sim_world_room(w);
        if ((int64_t)add->counts[CREATE] > room && (!w->knobs.plan_partial || room == 0))
            rc = sim_answer_error(a, 403, "Lead limit reached. Remaining uploads: %lld", (long long)room);
        else
            rc = add_answer(add, room, a);
    }
    buf_free(&add->custom);
    free(add->verdicts);
    free(add);
    return rc < 0 ? -1 : 0;
}
