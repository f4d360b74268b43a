/* Many leads at a time, at once: list, bulk delete, bulk assign. (Moving takes a job: move.c.) */
#include "sync/sandbox/world/lead.h"
#include "sync/sandbox/server/route.h"
#include "sync/sandbox/endpoints/select.h"

#include <stdlib.h>
#include <string.h>

enum { PAGE_USUAL = 10 };

/* --- list --- */

static int answer_page(struct sim_world *w, const struct sim_numbers *page, bool by_contact, struct sim_answer *a)
{
    struct jsonw j;
    jsonw_init(&j, &a->body);
    jsonw_object(&j);
    jsonw_member_array(&j, "items");
    for (size_t i = 0; i < page->n; i++)
        sim_lead_write(w, sim_table_at(&w->leads, page->v[i]), &j);
    jsonw_array_end(&j);
    if (page->n > 0) { /* a cursor comes even on a short last page; only an empty page has none */
        const struct sim_lead *last = sim_table_at(&w->leads, page->v[page->n - 1]);
        if (by_contact) {
            jsonw_member_str(&j, "next_starting_after", sim_lead_email(last));
        } else {
            jsonw_member_uuid(&j, "next_starting_after", &last->id);
        }
    }
    jsonw_object_end(&j);
    return jsonw_end(&j);
}

struct contact {
    struct str email;
    uint32_t no;
};

/* By address, then by number, so that the oldest lead of a person is the one shown. */
static int compare_contacts(const void *x, const void *y)
{
    const struct contact *a = x, *b = y;
    size_t n = a->email.n < b->email.n ? a->email.n : b->email.n;
    int order = n > 0 ? memcmp(a->email.p, b->email.p, n) : 0;
    if (order != 0)
        return order;
    if (a->email.n != b->email.n)
        return a->email.n < b->email.n ? -1 : 1;
    return (a->no > b->no) - (a->no < b->no);
}

/* One lead an address, in the order of addresses, after the cursor; leaves the page in `list`. 0/-1. */
static int distinct_contacts(struct sim_world *w, struct sim_numbers *list, struct str after, size_t limit)
{
    struct contact *contacts = calloc(list->n + 1, sizeof *contacts);
    size_t n = 0, page = 0;
    if (contacts == NULL)
        return -1;
    for (size_t i = 0; i < list->n; i++) {
        struct str email = sim_lead_email(sim_table_at(&w->leads, list->v[i]));
        if (email.n > 0)
            contacts[n++] = (struct contact){email, list->v[i]};
    }
    qsort(contacts, n, sizeof *contacts, compare_contacts);
    for (size_t i = 0; i < n && page < limit; i++) {
        bool repeated = i > 0 && str_eq(contacts[i].email, contacts[i - 1].email);
        if (!repeated && (after.p == NULL || str_cmp(contacts[i].email, after) > 0))
            list->v[page++] = contacts[i].no;
    }
    list->n = page;
    free(contacts);
    return 0;
}

/* The only way to find a lead without its id. select.c reads the filters, and ignores unknown ones. */
int sim_leads_list(struct sim_world *w, struct sim_request *q, struct sim_answer *a)
{
    struct sim_selector s;
    struct sim_numbers page = {0};
    bool by_contact = sim_json_true(q->json, "distinct_contacts");
    int64_t limit = sim_json_int(q->json, "limit", PAGE_USUAL);
    struct str after = sim_json_text(q->json, "starting_after");
    struct uuid cursor;
    int rc = sim_select_parse(w, q->json, "campaign", &s, a);
    if (rc != 0)
        return rc < 0 ? -1 : 0;
    s.lag_ms = a->fault.lie == SIM_LIE_LIST_LAG ? a->fault.arg : w->knobs.read_lag_ms;
    s.never = s.never || a->fault.lie == SIM_LIE_LIST_EMPTY;
    s.limit = by_contact ? INT64_MAX : limit;
    if (!by_contact && after.p != NULL && uuid_parse(after, &cursor) == 0)
        s.after = sim_lead_no(&cursor) < w->leads.n ? sim_lead_no(&cursor) : w->leads.n;
    else if (!by_contact && after.n > 0)
        rc = sim_answer_error(a, 400, "body/starting_after must match format \"uuid\"") == 0 ? 1 : -1;
    if (rc == 0)
        rc = sim_select_run(w, &s, &page);
    if (rc == 0 && by_contact)
        rc = distinct_contacts(w, &page, after, (size_t)limit);
    if (rc == 0)
        rc = answer_page(w, &page, by_contact, a);
    free(page.v);
    sim_select_free(&s);
    return rc < 0 ? -1 : 0;
}

/* --- bulk delete --- */

/* Everything that is selected, in a place that exists and is not locked. */
int sim_leads_delete(struct sim_world *w, struct sim_request *q, struct sim_answer *a)
{
    struct sim_selector s;
    struct sim_numbers gone = {0};
    struct jsonw j;
    int rc = sim_select_parse(w, q->json, "campaign_id", &s, a);
    if (rc != 0)
        return rc < 0 ? -1 : 0;
    if (s.campaign == 0 && s.list == 0) {
        sim_select_free(&s);
        return sim_answer_not_found(a);
    }
    if (sim_place_locked(w, s.campaign) || sim_place_locked(w, s.list)) {
        sim_select_free(&s);
        return sim_answer_locked(w, a);
    }
    s.by_status = sim_json_get(q->json, "status") != NULL;
    s.status = (int)sim_json_int(q->json, "status", 0);
    s.limit = sim_json_int(q->json, "limit", INT64_MAX);
    rc = sim_select_run(w, &s, &gone);
    for (size_t i = 0; rc == 0 && i < gone.n && a->fault.lie != SIM_LIE_DELETE_IGNORED; i++)
        sim_world_lead_delete(w, gone.v[i]);
    if (rc == 0) {
        jsonw_init(&j, &a->body);
        jsonw_object(&j);
        jsonw_member_uint(&j, "count", gone.n);
        jsonw_object_end(&j);
        rc = jsonw_end(&j);
    }
    free(gone.v);
    sim_select_free(&s);
    return rc;
}

/* --- bulk assign --- */

/* Deals the leads out to the users in turn. */
static int many_assign(struct sim_world *w, const struct sim_numbers *leads, json_object *users)
{
    for (size_t i = 0; i < leads->n; i++) {
        struct sim_fields fields;
        sim_lead_fields(sim_table_at(&w->leads, leads->v[i]), &fields);
        fields.f[BF_ASSIGNED] = sim_json_str(json_object_array_get_idx(users, i % json_object_array_length(users)));
        if (sim_world_lead_set(w, leads->v[i], &fields) != 0)
            return -1;
        sim_table_at(&w->leads, leads->v[i])->updated_ms = w->now_ms;
        w->counters.updated++;
        sim_world_lead_changed(w, leads->v[i]);
    }
    return 0;
}

/* The shape has made sure that there is at least one user. */
int sim_leads_assign(struct sim_world *w, struct sim_request *q, struct sim_answer *a)
{
    json_object *users = sim_json_get(q->json, "organization_user_ids");
    struct sim_selector s;
    struct sim_numbers leads = {0};
    struct jsonw j;
    int64_t limit = sim_json_int(q->json, "limit", 0);
    jsonw_init(&j, &a->body);
    for (size_t i = 0; i < json_object_array_length(users); i++) {
        struct uuid id;
        if (uuid_parse(sim_json_str(json_object_array_get_idx(users, i)), &id) == 0 && !uuid_is_nil(&id))
            continue;
        a->status = 400;
        jsonw_object(&j);
        jsonw_member_text(&j, "message", "Invalid ID on `organization_user_ids` field");
        jsonw_object_end(&j);
        return jsonw_end(&j);
    }
    int rc = sim_select_parse(w, q->json, "campaign", &s, a);
    if (rc != 0)
        return rc < 0 ? -1 : 0;
    s.users = NULL; /* here they are who gets the leads, not who has them */
    s.limit = limit > 0 ? limit : INT64_MAX;
    rc = sim_select_run(w, &s, &leads);
    if (rc == 0)
        rc = many_assign(w, &leads, users);
    if (rc == 0) {
        a->status = 202;
        jsonw_object(&j);
        jsonw_member_text(&j, "status", "accepted");
        jsonw_member_text(&j, "message", "Your request will be processed in a background job");
        jsonw_object_end(&j);
        rc = jsonw_end(&j);
    }
    free(leads.v);
    sim_select_free(&s);
    return rc;
}
