/* leads/list: the read-back. Its filter is a hint to the API and no promise: callers look at what came. */
#include "config.h"

#include "sync/api/body/body.h"

#include <string.h>

/* The format "email" of the JSON Schema validator behind the API (ajv): runs of these joined by single dots. */
static bool atoms(struct str s, bool local)
{
    size_t run = 0;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool letter = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        bool edge = run == 0 || i + 1 == s.n || s.p[i + 1] == '.'; /* a label has no - at its ends */
        if (c == '.' && run > 0) {
            run = 0;
            continue;
        }
        if (!letter && (local ? c == '\0' || strchr("!#$%&'*+/=?^_`{|}~-", c) == NULL : c != '-' || edge))
            return false;
        run++;
    }
    return run > 0;
}

bool body_contact_fits(struct str email)
{
    const char *at = email.n > 0 ? memchr(email.p, '@', email.n) : NULL;
    if (at == NULL)
        return false;
    struct str local = {email.p, (size_t)(at - email.p)};
    struct str domain = {at + 1, email.n - local.n - 1};
    return atoms(local, true) && atoms(domain, false) && memchr(domain.p, '.', domain.n) != NULL;
}

int body_leads_list(const struct leads_list *list, struct buf *out, struct err *e)
{
    if (list->contacts_n > LEADS_LIST_MAX || list->ids_n > LEADS_LIST_MAX || (list->contacts_n != 0 && list->ids_n != 0))
        return err_set(e, XS_INTERNAL,
                       "leads/list: %zu contacts and %zu ids, at most %d of one kind can be asked for; "
                       "please report this",
                       list->contacts_n, list->ids_n, LEADS_LIST_MAX);
    struct jsonw w;
    jsonw_init(&w, out);
    jsonw_object(&w);
    if (list->target != NULL)
        body_target(&w, TARGET_FILTER, list->target);
    if (list->contacts_n != 0) {
        jsonw_member_array(&w, "contacts");
        for (size_t i = 0; i < list->contacts_n; i++)
            jsonw_str(&w, list->contacts[i]);
        jsonw_array_end(&w);
    }
    if (list->ids_n != 0)
        body_ids(&w, list->ids, list->ids_n);
    jsonw_member_int(&w, "limit", LEADS_LIST_MAX); /* ten unless asked; more is a 400 */
    jsonw_object_end(&w);
    return body_end(&w, "leads/list", e);
}

int body_leads_search(const struct target *target, struct str text, struct buf *out, struct err *e)
{
    if (text.n == 0)
        return err_set(e, XS_INTERNAL, "leads/list: a search for nothing would find everything; please report this");
    struct jsonw w;
    jsonw_init(&w, out);
    jsonw_object(&w);
    if (target != NULL)
        body_target(&w, TARGET_FILTER, target);
    jsonw_member_str(&w, "search", text);
    jsonw_member_int(&w, "limit", LEADS_LIST_MAX);
    jsonw_object_end(&w);
    return body_end(&w, "leads/list", e);
}

int body_next_page(struct str first, struct str cursor, struct buf *out, struct err *e)
{
    /* All members of the first page's object, and one more: it is never empty, and ends in the bracket dropped here. */
    if (buf_add(out, first.p, first.n - 1) != 0 || buf_adds(out, ",\"starting_after\":") != 0)
        return err_oom(e);
    struct jsonw w;
    jsonw_init(&w, out);
    jsonw_str(&w, cursor);
    if (body_end(&w, "leads/list", e) != 0)
        return -1;
    return buf_addc(out, '}') == 0 ? 0 : err_oom(e);
}
