/* leads/list: the read-back. Its filter is a hint to the API and no promise: callers look at what came. */
#include "config.h"

#include "sync/api/body.h"

int body_leads_list(const struct leads_list *list, struct buf *out, struct err *e)
{
    if (list->contacts_n > LEADS_LIST_MAX || list->ids_n > LEADS_LIST_MAX ||
        (list->contacts_n != 0 && list->ids_n != 0))
        return err_set(e, XS_INTERNAL, "leads/list: %zu contacts and %zu ids, at most %d of one kind can be asked for; "
                       "please report this", list->contacts_n, list->ids_n, LEADS_LIST_MAX);
    struct jsonw w;
    jsonw_init(&w, out);
    jsonw_object(&w);
    if (list->target != NULL)
        body_target(&w, TARGET_FILTER, list->target);
    if (list->contacts_n != 0) {
        jsonw_key(&w, "contacts");
        jsonw_array(&w);
        for (size_t i = 0; i < list->contacts_n; i++)
            jsonw_str(&w, list->contacts[i]);
        jsonw_array_end(&w);
    }
    if (list->ids_n != 0)
        body_ids(&w, list->ids, list->ids_n);
    jsonw_key(&w, "limit");
    jsonw_int(&w, LEADS_LIST_MAX); /* ten unless asked; more is a 400 */
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
