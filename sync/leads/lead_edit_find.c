/* Which leads are selected: every way of naming leads ends in a list of their ids. */
#include "config.h"

#include "sync/leads/lead_edit_int.h"

#include <string.h>

/* ---- selections ---- */

struct pages {
    struct lead_edit *edit;
    const struct lead_selector *selector;
    struct leads_filter filter; /* of the question under way */
    lead_edit_see_fn *see;
    void *ctx;
    uint64_t seen;
    bool enough;
};

static bool has_uuid(const struct uuid *ids, size_t n, const struct uuid *id)
{
    for (size_t i = 0; i < n; i++)
        if (uuid_eq(&ids[i], id))
            return true;
    return false;
}

static bool has_number(const int *numbers, size_t n, int number)
{
    for (size_t i = 0; i < n; i++)
        if (numbers[i] == number)
            return true;
    return false;
}

static bool has_email(const struct str *emails, size_t n, struct str email)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq_nocase(emails[i], email))
            return true;
    return false;
}

/* A lead must match the selection, as far as it shows. */
static bool passes(const struct pages *p, const struct remote_lead *lead)
{
    const struct lead_selector *s = p->selector;
    const struct leads_filter *f = &s->filter;
    if (f->in != NULL && !api_remote_is_in(lead, f->in))
        return false;
    if (f->ids_n > 0 && !has_uuid(f->ids, f->ids_n, &lead->id))
        return false;
    if (f->contacts_n > 0 && !has_email(f->contacts, f->contacts_n, lead->email))
        return false;
    if (s->excluded_n > 0 && has_uuid(s->excluded, s->excluded_n, &lead->id))
        return false;
    if (s->statuses_n > 0 && !has_number(s->statuses, s->statuses_n, lead->status))
        return false;
    return s->esp < 0 || api_remote_esp(lead) == s->esp;
}

static int see_lead(void *ctx, const struct remote_lead *lead, struct err *e)
{
    struct pages *p = ctx;
    if (!passes(p, lead))
        return 0;
    int rc = p->see(p->ctx, lead, e);
    if (rc < 0)
        return -1;
    p->seen++;
    p->enough = rc > 0 || (p->selector->limit > 0 && p->seen >= p->selector->limit);
    return p->enough;
}

/* One question, all its pages. */
static int ask_pages(struct pages *p, struct err *e)
{
    return by_hand_each(p->edit->api, &p->filter, see_lead, p, e);
}

static int ask_ids(struct pages *p, struct err *e)
{
    const struct leads_filter *f = &p->selector->filter;
    p->filter.contacts_n = 0; /* held against what comes */
    for (size_t at = 0; at < f->ids_n && !p->enough; at += LEADS_LIST_MAX) {
        p->filter.ids = f->ids + at;
        p->filter.ids_n = f->ids_n - at < LEADS_LIST_MAX ? f->ids_n - at : LEADS_LIST_MAX;
        if (ask_pages(p, e) != 0)
            return -1;
    }
    return 0;
}

/* An address that the API's format "email" refuses cannot stand among the others: it is searched for. */
static int ask_odd_contact(struct pages *p, struct str email, struct err *e)
{
    const struct leads_filter *f = &p->selector->filter;
    if (f->search.n > 0)
        return err_set(e, XS_USAGE,
                       "the address %.*s can only be found by a search, and another one is asked for: leave "
                       "one of them out",
                       STR_ARG(email));
    p->filter.contacts_n = 0;
    p->filter.search = email;
    int rc = ask_pages(p, e);
    p->filter.search = STR_NONE;
    return rc;
}

static int ask_contacts(struct pages *p, struct err *e)
{
    const struct leads_filter *f = &p->selector->filter;
    struct str plain[LEADS_LIST_MAX];
    size_t n = 0;
    for (size_t i = 0; i < f->contacts_n && !p->enough; i++) {
        if (leads_contact_fits(f->contacts[i]))
            plain[n++] = f->contacts[i];
        else if (ask_odd_contact(p, f->contacts[i], e) != 0)
            return -1;
        if (n == 0 || (n < LEADS_LIST_MAX && i + 1 < f->contacts_n))
            continue;
        p->filter.contacts = plain;
        p->filter.contacts_n = n;
        if (ask_pages(p, e) != 0)
            return -1;
        n = 0;
    }
    return 0;
}

int lead_edit_each(struct lead_edit *edit, const struct lead_selector *selector, lead_edit_see_fn *see, void *ctx,
                   struct err *e)
{
    struct pages p = {.edit = edit, .selector = selector, .filter = selector->filter, .see = see, .ctx = ctx};
    if (selector->filter.ids_n > 0)
        return ask_ids(&p, e);
    return selector->filter.contacts_n > 0 ? ask_contacts(&p, e) : ask_pages(&p, e);
}

/* ---- into edit->leads ---- */

static int take(void *ctx, const struct remote_lead *remote, struct err *e)
{
    struct lead_edit *edit = ctx;
    struct edited_lead *lead = lead_edit_lead_new(edit, e);
    return lead == NULL ? -1 : lead_edit_lead_read(edit, lead, remote, e);
}

int lead_edit_find(struct lead_edit *edit, const struct lead_selector *selector, struct err *e)
{
    return lead_edit_each(edit, selector, take, edit, e);
}

int lead_edit_look(struct lead_edit *edit, struct edited_lead *const *leads, size_t n, lead_edit_see_fn *see, void *ctx,
                   struct err *e)
{
    struct uuid ids[LEADS_LIST_MAX];
    for (size_t i = 0; i < n; i++)
        ids[i] = leads[i]->id;
    const struct lead_selector selector = {.filter = {.ids = ids, .ids_n = n, .in_campaign = -1, .in_list = -1}, .esp = -1};
    return lead_edit_each(edit, &selector, see, ctx, e);
}

/* ---- one lead ---- */

static bool is_named_already(const struct lead_edit *edit, size_t n, const struct uuid *id)
{
    for (size_t i = 0; i < n; i++)
        if (edit->leads[i].has_id && uuid_eq(&edit->leads[i].id, id))
            return true;
    return false;
}

static int add_missing(struct lead_edit *edit, const struct uuid *id, struct str email, const char *why, struct err *e)
{
    struct edited_lead *lead = lead_edit_lead_new(edit, e);
    if (lead == NULL)
        return -1;
    if (id != NULL) {
        lead->id = *id;
        lead->has_id = true;
    }
    lead_edit_outcome(lead, OUTCOME_FAILED, REASON_GONE_THERE, 404);
    return arena_str(&edit->arena, email, &lead->email) == 0 && arena_str(&edit->arena, str_from(why), &lead->detail) == 0
               ? 0
               : err_oom(e);
}

static int find_id(struct lead_edit *edit, const struct uuid *id, const struct target *in, struct err *e)
{
    struct remote_lead remote;
    if (is_named_already(edit, edit->leads_n, id))
        return 0;
    int rc = by_hand_find(edit->api, id, &remote, e);
    if (rc <= 0)
        return rc < 0 ? -1 : add_missing(edit, id, STR_NONE, "there is no such lead in this workspace", e);
    if (in != NULL && !api_remote_is_in(&remote, in))
        return add_missing(edit, id, remote.email, "the lead is not where it was looked for", e);
    return take(edit, &remote, e);
}

static int report_several(struct lead_edit *edit, size_t first, struct str email, struct err *e)
{
    struct buf list = BUF_INIT(4096);
    char id[UUID_TEXT_N];
    for (size_t i = first; i < edit->leads_n; i++) {
        const struct edited_lead *lead = &edit->leads[i];
        if ((buf_addf(&list, "\n  %s in ", uuid_format(&lead->id, id)) |
             (lead->has_place ? lead_edit_place_show(edit, &lead->place, &list) : buf_adds(&list, "no campaign or list"))) !=
            0)
            break; /* the first ones will do */
    }
    const char *text = buf_cstr(&list);
    err_set(e, XS_USAGE, "%.*s is the address of several leads; give one's id, or --campaign or --list:%s", STR_ARG(email),
            text != NULL ? text : "");
    buf_free(&list);
    return -1;
}

int lead_edit_find_one(struct lead_edit *edit, struct str id_or_email, const struct target *in, struct err *e)
{
    struct uuid id;
    size_t first = edit->leads_n;
    if (uuid_parse(id_or_email, &id) == 0)
        return find_id(edit, &id, in, e);
    if (id_or_email.n == 0 || memchr(id_or_email.p, '@', id_or_email.n) == NULL)
        return err_set(e, XS_USAGE, "\"%.*s\" is neither a lead's id nor an address", STR_ARG(id_or_email));
    const struct lead_selector selector =
        {.filter = {.contacts = &id_or_email, .contacts_n = 1, .in = in, .in_campaign = -1, .in_list = -1}, .esp = -1};
    if (lead_edit_find(edit, &selector, e) != 0)
        return -1;
    if (edit->leads_n == first)
        return add_missing(edit, NULL, id_or_email, "no lead has this address", e);
    if (edit->leads_n > first + 1)
        return report_several(edit, first, id_or_email, e);
    if (is_named_already(edit, first, &edit->leads[first].id))
        edit->leads_n--;
    return 0;
}
