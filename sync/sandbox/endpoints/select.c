#include "sync/sandbox/endpoints/select.h"

#include "sync/sandbox/world/lead.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int add_number(struct sim_numbers *list, uint32_t no)
{
    uint32_t *v = sim_grow(list->v, list->n, &list->cap, sizeof *v);
    if (v == NULL)
        return -1;
    list->v = v;
    v[list->n++] = no;
    return 0;
}

static int compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* In order and each once. */
static void sort_numbers(struct sim_numbers *list)
{
    size_t n = 0;
    if (list->n > 1)
        qsort(list->v, list->n, sizeof *list->v, compare);
    for (size_t i = 0; i < list->n; i++)
        if (n == 0 || list->v[n - 1] != list->v[i])
            list->v[n++] = list->v[i];
    list->n = n;
}

/* The list must be sorted. */
static bool has_number(const struct sim_numbers *list, uint32_t no)
{
    return list->n > 0 && bsearch(&no, list->v, list->n, sizeof no, compare) != NULL;
}

static size_t array_length(json_object *array)
{
    return json_object_is_type(array, json_type_array) ? json_object_array_length(array) : 0;
}

/* Ids of no lead are dropped: they select nothing, and are no error. */
static int read_ids(struct sim_world *w, json_object *array, struct sim_numbers *out)
{
    for (size_t i = 0; i < array_length(array); i++) {
        struct uuid id;
        uint32_t no = 0;
        if (uuid_parse(sim_json_str(json_object_array_get_idx(array, i)), &id) == 0)
            no = sim_table_by_id(&w->leads, &id);
        if (no != 0 && add_number(out, no) != 0)
            return -1;
    }
    sort_numbers(out);
    return 0;
}

static int read_contacts(struct sim_world *w, json_object *array, struct sim_numbers *out)
{
    for (size_t i = 0; i < array_length(array); i++) {
        struct str email = sim_json_str(json_object_array_get_idx(array, i));
        sim_each_by_email(&w->leads, email, no) if (add_number(out, no) != 0) return -1;
    }
    sort_numbers(out);
    return 0;
}

/* -1: not given, which is not the same as false. */
static int read_flag(json_object *body, const char *name)
{
    return sim_json_get(body, name) == NULL ? -1 : sim_json_true(body, name);
}

static uint32_t read_place(struct sim_world *w, json_object *body, const char *name, bool is_campaign, bool *given)
{
    struct uuid id;
    if (uuid_parse(sim_json_text(body, name), &id) != 0)
        return 0;
    *given = true;
    return sim_place_by_id(w, &id, is_campaign);
}

/* The schema has judged the types; here it is about what they mean. */
int sim_select_parse(struct sim_world *w, json_object *body, const char *campaign_name, struct sim_selector *s,
                     struct sim_answer *a)
{
    struct str esg = sim_json_text(body, "esg_code");
    *s = (struct sim_selector){.limit = INT64_MAX};
    /* Ignoring a selector would select more than was meant: what cannot be done is refused. */
    if (array_length(sim_json_get(body, "queries")) > 0 || sim_json_get(body, "smart_view_id") != NULL)
        return sim_answer_error(a, 400,
                                "the sandbox knows no \"queries\" and no \"smart_view_id\"; select by ids, "
                                "contacts, search or filter") == 0
                   ? 1
                   : -1;
    s->search = sim_json_text(body, "search");
    s->filter = sim_json_text(body, "filter");
    s->campaign = read_place(w, body, campaign_name, true, &s->by_place);
    s->list = read_place(w, body, "list_id", false, &s->by_place);
    s->in_campaign = read_flag(body, "in_campaign");
    s->in_list = read_flag(body, "in_list");
    s->users = sim_json_get(body, "organization_user_ids");
    s->by_esp = sim_json_get(body, "esp_code") != NULL;
    s->esp = sim_json_int(body, "esp_code", 0);
    /* No lead here was enriched, came from a website or sits behind a security gateway. */
    s->never = sim_json_get(body, "enrichment_status") != NULL || sim_json_true(body, "is_website_visitor") ||
               (esg.n > 0 && !str_is(esg, "all") && !str_is(esg, "none"));
    s->by_ids = array_length(sim_json_get(body, "ids")) > 0;
    s->by_contacts = array_length(sim_json_get(body, "contacts")) > 0;
    if (read_ids(w, sim_json_get(body, "ids"), &s->ids) != 0 ||
        read_ids(w, sim_json_get(body, "excluded_ids"), &s->excluded) != 0 ||
        read_contacts(w, sim_json_get(body, "contacts"), &s->contacts) != 0) {
        sim_select_free(s);
        return -1;
    }
    return 0;
}

void sim_select_free(struct sim_selector *s)
{
    free(s->ids.v);
    free(s->excluded.v);
    free(s->contacts.v);
    *s = (struct sim_selector){0};
}

/* --- one lead --- */

enum test {
    STATUS,
    INTEREST,
    VERIFICATION,
    CONTACTED,
    NOT_CONTACTED,
    IN_SUBSEQUENCE,
    NO_OPENS,
    OPENED_NO_REPLY,
    COMPLETED_NO_REPLY,
    REPLIED,
    CLICKED
};

static const struct {
    const char *name;
    enum test test;
    int value;
} filters[] = {
    {"FILTER_VAL_CONTACTED", CONTACTED, 0},
    {"FILTER_VAL_NOT_CONTACTED", NOT_CONTACTED, 0},
    {"FILTER_VAL_ACTIVE", STATUS, 1},
    {"FILTER_VAL_COMPLETED", STATUS, 3},
    {"FILTER_VAL_BOUNCED", STATUS, -1},
    {"FILTER_VAL_UNSUBSCRIBED", STATUS, -2},
    {"FILTER_VAL_SKIPPED", STATUS, -3},
    {"FILTER_VAL_VALID", VERIFICATION, 1},
    {"FILTER_VAL_INVALID", VERIFICATION, -1},
    {"FILTER_VAL_RISKY", VERIFICATION, -2},
    {"FILTER_VAL_IN_SUBSEQUENCE", IN_SUBSEQUENCE, 0},
    {"FILTER_VAL_COMPLETED_NO_REPLY", COMPLETED_NO_REPLY, 3},
    {"FILTER_VAL_NO_OPENS", NO_OPENS, 0},
    {"FILTER_VAL_OPENED_NO_REPLY", OPENED_NO_REPLY, 0},
    {"FILTER_VAL_REPLIED", REPLIED, 0},
    {"FILTER_VAL_LINK_CLICKED", CLICKED, 0},
    {"FILTER_LEAD_OUT_OF_OFFICE", INTEREST, 0},
    {"FILTER_LEAD_INTERESTED", INTEREST, 1},
    {"FILTER_LEAD_MEETING_BOOKED", INTEREST, 2},
    {"FILTER_LEAD_MEETING_COMPLETED", INTEREST, 3},
    {"FILTER_LEAD_CLOSED", INTEREST, 4},
    {"FILTER_LEAD_NOT_INTERESTED", INTEREST, -1},
    {"FILTER_LEAD_WRONG_PERSON", INTEREST, -2},
    {"FILTER_LEAD_LOST", INTEREST, -3},
    {"FILTER_LEAD_NO_SHOW", INTEREST, -4},
};

static bool passes_filter(const struct sim_world *w, const struct sim_lead *lead, struct str name)
{
    for (size_t i = 0; i < sizeof filters / sizeof filters[0]; i++) {
        if (!str_is(name, filters[i].name))
            continue;
        struct sim_fields fields;
        switch (filters[i].test) {
        case STATUS: return lead->status == filters[i].value;
        case INTEREST: return lead->has_interest && lead->interest == filters[i].value;
        case VERIFICATION: return sim_lead_verification(w, lead) == filters[i].value;
        case CONTACTED: return lead->contacted_ms != SIM_NEVER;
        case NOT_CONTACTED: return lead->contacted_ms == SIM_NEVER;
        case IN_SUBSEQUENCE: sim_lead_fields(lead, &fields); return fields.f[BF_SUBSEQUENCE].n > 0;
        case NO_OPENS: return lead->opens == 0;
        case OPENED_NO_REPLY: return lead->opens > 0 && lead->replies == 0;
        case COMPLETED_NO_REPLY: return lead->status == filters[i].value && lead->replies == 0;
        case REPLIED: return lead->replies > 0;
        case CLICKED: return lead->clicks > 0;
        }
    }
    return false; /* the custom labels, of which there are none */
}

/* Name or address, each alone or both names with a blank between. */
static bool passes_search(const struct sim_lead *lead, struct str word)
{
    struct sim_fields fields;
    char name[256];
    sim_lead_fields(lead, &fields);
    struct str first = fields.f[BF_FIRST_NAME], last = fields.f[BF_LAST_NAME];
    int n = snprintf(name, sizeof name, "%.*s %.*s", STR_ARG(first), STR_ARG(last));
    return sim_text_has(fields.f[BF_EMAIL], word) || sim_text_has(first, word) || sim_text_has(last, word) ||
           sim_text_has((struct str){name, n < (int)sizeof name ? (size_t)n : sizeof name - 1}, word);
}

/* Users are compared as texts, in any case. */
static bool assigned_to_one_of(const struct sim_lead *lead, json_object *users)
{
    struct sim_fields fields;
    sim_lead_fields(lead, &fields);
    for (size_t i = 0; i < array_length(users); i++)
        if (str_eq_nocase(fields.f[BF_ASSIGNED], sim_json_str(json_object_array_get_idx(users, i))))
            return true;
    return false;
}

/* Campaign and list together mean either of them: a lead is in one place only. */
static bool passes_place(struct sim_world *w, const struct sim_selector *s, uint32_t place)
{
    bool is_campaign = place != 0 && sim_place_at(w, place)->is_campaign;
    if (s->by_place && (place == 0 || (place != s->campaign && place != s->list)))
        return false;
    if (s->in_campaign >= 0 && s->in_campaign != is_campaign)
        return false;
    return s->in_list < 0 || s->in_list == (place != 0 && !is_campaign);
}

/* All conditions must hold. With the lag, a lead is seen as it was a while ago. */
static bool selected(struct sim_world *w, const struct sim_selector *s, uint32_t no)
{
    const struct sim_lead *lead = sim_table_at(&w->leads, no);
    uint32_t place = lead->place;
    if (lead->text == NULL || no <= s->after)
        return false;
    if (s->lag_ms > 0 && w->now_ms < lead->created_ms + s->lag_ms)
        return false;
    if (s->lag_ms > 0 && lead->moved_ms != SIM_NEVER && w->now_ms < lead->moved_ms + s->lag_ms)
        place = lead->place_was;
    if (!passes_place(w, s, place) || has_number(&s->excluded, no) || (s->by_ids && !has_number(&s->ids, no)) ||
        (s->by_contacts && !has_number(&s->contacts, no)))
        return false;
    if (s->by_status && lead->status != s->status)
        return false;
    if (s->by_esp && !(s->esp == 1000 && w->now_ms >= lead->created_ms + w->knobs.esp_ms))
        return false;
    int verification = s->not_in_verification ? sim_lead_verification(w, lead) : 0;
    if (verification == 11 || verification == 12)
        return false;
    return (s->filter.p == NULL || passes_filter(w, lead, s->filter)) &&
           (s->search.n == 0 || passes_search(lead, s->search)) && (s->users == NULL || assigned_to_one_of(lead, s->users));
}

int sim_select_run(struct sim_world *w, const struct sim_selector *s, struct sim_numbers *out)
{
    /* The shortest road: the leads named by id or address, else everything past the cursor. */
    const struct sim_numbers *few = s->by_ids ? &s->ids : s->by_contacts ? &s->contacts : NULL;
    size_t n = few != NULL ? few->n : w->leads.n;
    for (size_t i = few != NULL ? 0 : s->after; !s->never && i < n && (int64_t)out->n < s->limit; i++) {
        uint32_t no = few != NULL ? few->v[i] : (uint32_t)i + 1;
        if (selected(w, s, no) && add_number(out, no) != 0)
            return -1;
    }
    return 0;
}
