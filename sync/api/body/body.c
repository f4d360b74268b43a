/* What the builders share. */
#include "config.h"

#include "sync/api/body/body.h"

#include <errno.h>
#include <string.h>

/* The one table of keys that name a target: {"campaign_id": …} in a filter is ignored by the API, and the whole
 * workspace is selected. */
static const struct {
    const char *campaign, *list;
} target_keys[] = {
    [TARGET_ADD] = {"campaign_id", "list_id"},
    [TARGET_FILTER] = {"campaign", "list_id"},
    [TARGET_DESTINATION] = {"to_campaign_id", "to_list_id"},
};

void body_uuid(struct jsonw *w, const struct uuid *id)
{
    char text[UUID_TEXT_N];
    jsonw_text(w, uuid_format(id, text));
}

void body_target(struct jsonw *w, enum target_role role, const struct target *target)
{
    const char *key = target->kind == TARGET_CAMPAIGN ? target_keys[role].campaign : target_keys[role].list;
    jsonw_member_uuid(w, key, &target->id);
}

void body_value(struct jsonw *w, struct str key, const struct value *value)
{
    if (value->kind == VALUE_ABSENT)
        return;
    jsonw_key_str(w, key);
    struct str text = {value->p, value->n};
    switch (value->kind) {
    case VALUE_NUMBER:
    case VALUE_BOOL:
        jsonw_raw(w, text); /* JSON text by the mapping's promise, sent verbatim */
        break;
    case VALUE_STRING: jsonw_str(w, text); break;
    default: jsonw_null(w); break;
    }
}

void body_ids(struct jsonw *w, const struct uuid *ids, size_t n)
{
    jsonw_member_array(w, "ids");
    for (size_t i = 0; i < n; i++)
        body_uuid(w, &ids[i]);
    jsonw_array_end(w);
}

int body_end(struct jsonw *w, const char *what, struct err *e)
{
    if (jsonw_end(w) == 0)
        return 0;
    if (errno == ENOMEM)
        return err_oom(e);
    return err_set(e, XS_INTERNAL, "%s: the request does not fit %d bytes; please report this", what, BODY_MAX_BYTES);
}

int body_url_escape(struct str text, struct buf *out)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        bool keep = c != '\0' && strchr(plain, c) != NULL;
        if ((keep ? buf_addc(out, c) : buf_addf(out, "%%%02X", (unsigned)(unsigned char)c)) != 0)
            return -1;
    }
    return 0;
}
