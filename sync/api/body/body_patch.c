/* PATCH /leads/{id}. Whether custom_variables merges with or replaces what is stored is not known: the complete set is
 * right either way. */
#include "config.h"

#include "sync/api/body/body.h"

#include "sync/api/answer/answer.h"

#include <errno.h>
#include <json-c/json.h>

/* Custom variables come back flattened in `payload`, mixed with the core fields under their old names. */
static bool is_core_key(struct str key)
{
    if (str_is(key, "campaign") || str_is(key, "list_id"))
        return true;
    for (size_t i = 0; i < LEAD_FIELD_N; i++)
        if (lead_field_table[i].payload[0] != '\0' && str_is(key, lead_field_table[i].payload))
            return true;
    return false;
}

/* Does the lead itself say something about this variable? */
static bool is_patched(const struct lead *lead, struct str key)
{
    size_t n = lead->shape != NULL ? lead->shape->custom_n : 0;
    for (size_t i = 0; i < n; i++)
        if (lead->custom[i].kind != VALUE_ABSENT && str_eq(lead->shape->custom_names[i], key))
            return true;
    return false;
}

/* What is stored and stays. Objects and arrays cannot be sent; json-c holds integers of 64 bits and silently clamps
 * larger ones, so one at the edge cannot be sent back as it was. */
static int stored_custom(struct jsonw *w, const struct lead_patch *patch, struct err *e)
{
    struct json_object *payload;
    struct json_object_iter at;
    if (patch->remote == NULL || !answer_object(patch->remote->object, "payload", &payload))
        return 0;
    json_object_object_foreachC (payload, at) {
        struct str key = str_from(at.key);
        struct value value;
        if (is_core_key(key) || is_patched(patch->lead, key) || (patch->without.n > 0 && str_eq(key, patch->without)))
            continue;
        if (at.val == NULL) {
            jsonw_key_str(w, key);
            jsonw_null(w);
            continue;
        }
        if (!answer_exact(at.val))
            return err_set(e, XS_API,
                           "variable \"%s\" of the lead holds a number that cannot be sent back exactly: correct "
                           "it in Instantly",
                           at.key);
        answer_value(at.val, &value);
        body_value(w, key, &value);
    }
    return 0;
}

int body_lead_patch(const struct lead_patch *patch, struct buf *out, struct err *e)
{
    struct jsonw w;
    bool any = patch->custom;
    jsonw_init(&w, out);
    jsonw_object(&w);
    for (size_t i = 0; i < LEAD_FIELD_N; i++) {
        const struct lead_field_row *row = &lead_field_table[i];
        const struct value *value = &patch->lead->core[i];
        if ((patch->fields & (UINT32_C(1) << i)) == 0 || value->kind == VALUE_ABSENT)
            continue;
        if (!row->patchable)
            return err_set(e, XS_INTERNAL, "%s of a lead cannot be changed; please report this", row->api);
        if (row->kind == LEAD_KIND_NUMBER && value->kind != VALUE_NUMBER)
            return err_set(e, XS_INTERNAL, "%s cannot be cleared by PATCH; please report this", row->api);
        any = true;
        if (row->kind != LEAD_KIND_NUMBER && value->kind != VALUE_NULL) {
            jsonw_member_str(&w, row->api, (struct str){value->p, value->n});
        } else {
            body_value(&w, str_from(row->api), value);
        }
    }
    if (!any)
        return err_set(e, XS_INTERNAL, "PATCH of a lead that changes nothing; please report this");
    if (patch->custom) {
        jsonw_member_object(&w, "custom_variables");
        if (stored_custom(&w, patch, e) != 0)
            return -1;
        size_t n = patch->lead->shape != NULL ? patch->lead->shape->custom_n : 0;
        for (size_t i = 0; i < n; i++)
            body_value(&w, patch->lead->shape->custom_names[i], &patch->lead->custom[i]);
        jsonw_object_end(&w);
    }
    jsonw_object_end(&w);
    if (jsonw_end(&w) == 0)
        return 0;
    return errno == ENOMEM ? err_oom(e)
                           : err_set(e, XS_SOURCE, "its values are larger than a request may be (%d bytes): shorten them",
                                     BODY_MAX_BYTES);
}

int api_lead_patch_body(const struct lead_patch *patch, struct buf *out, struct err *e)
{
    return body_lead_patch(patch, out, e);
}

int api_lead_patch_fits(const struct lead_patch *patch, struct err *e)
{
    struct err why = ERR_INIT;
    struct buf body = BUF_INIT(BODY_MAX_BYTES);
    int fits = body_lead_patch(patch, &body, &why) == 0 ? 1 : why.status == XS_SOURCE ? 0 : -1;
    buf_free(&body);
    if (fits < 0)
        err_take(e, &why);
    err_clear(&why);
    return fits;
}
