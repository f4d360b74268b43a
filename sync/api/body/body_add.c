/* leads/add: leads are written once, as they come, into the body that is counted, digested for the intent, and sent. */
#include "config.h"

#include "sync/api/body/body.h"

#include <errno.h>

/* As they stand in the JSON of a lead, which is written a million times. */
static const struct str core_keys[] = {
#define LEAD_FIELD(id, api, payload, kind, patchable) {"\"" api "\":", sizeof "\"" api "\":" - 1},
#include "sync/model/lead_fields.def"
#undef LEAD_FIELD
};

/* Core fields are strings to the API, except one number. That one has no null: a new lead without it is the same. */
static void lead_core(struct jsonw *w, const struct lead *lead)
{
    for (size_t i = 0; i < LEAD_FIELD_N; i++) {
        const struct value *value = &lead->core[i];
        if (value->kind == VALUE_ABSENT)
            continue;
        if (lead_field_table[i].kind == LEAD_KIND_NUMBER) {
            if (value->kind != VALUE_NUMBER)
                continue;
            jsonw_key_plain(w, core_keys[i]);
            jsonw_raw(w, (struct str){value->p, value->n});
            continue;
        }
        jsonw_key_plain(w, core_keys[i]);
        if (value->kind == VALUE_NULL)
            jsonw_null(w);
        else
            jsonw_str(w, (struct str){value->p, value->n});
    }
}

int api_lead_json(const struct lead *lead, struct buf *out)
{
    struct jsonw w;
    size_t start = out->n;
    jsonw_init(&w, out);
    jsonw_object(&w);
    lead_core(&w, lead);
    size_t custom_n = lead->shape != NULL ? lead->shape->custom_n : 0;
    bool open = false;
    for (size_t i = 0; i < custom_n; i++) {
        if (lead->custom[i].kind == VALUE_ABSENT)
            continue;
        if (!open) {
            jsonw_member_object(&w, "custom_variables");
            open = true;
        }
        body_value(&w, lead->shape->custom_names[i], &lead->custom[i]);
    }
    if (open)
        jsonw_object_end(&w);
    jsonw_object_end(&w);
    if (jsonw_end(&w) == 0)
        return 0;
    out->n = start;
    return -1;
}

static const char tail[] = "]}";
enum { TAIL_N = sizeof tail - 1 };

int api_leads_add_open(const struct leads_add *add, struct buf *body)
{
    static const char *const skip_keys[] = {
        [SKIP_IN_WORKSPACE] = "skip_if_in_workspace",
        [SKIP_IN_CAMPAIGN] = "skip_if_in_campaign",
        [SKIP_IN_LIST] = "skip_if_in_list",
    };
    struct jsonw w;
    jsonw_init(&w, body);
    jsonw_object(&w);
    body_target(&w, TARGET_ADD, &add->target);
    if (add->blocklist_id != NULL)
        jsonw_member_text(&w, "blocklist_id", add->blocklist_id);
    if (add->verify_on_import)
        jsonw_member_bool(&w, "verify_leads_on_import", true);
    if (add->skip != SKIP_NOTHING)
        jsonw_member_bool(&w, skip_keys[add->skip], true);
    jsonw_member_array(&w, "leads");
    return w.failed ? -1 : 0;
}

int api_leads_add_lead(const struct lead *lead, struct buf *body)
{
    size_t start = body->n;
    bool first = body->p[start - 1] == '[';
    if ((first || buf_addc(body, ',') == 0) && api_lead_json(lead, body) == 0 && body->n + TAIL_N <= body->max)
        return 1;
    bool full = body->n + TAIL_N > body->max || errno == EOVERFLOW;
    body->n = start;
    return full ? 0 : -1;
}

int api_leads_add_close(struct buf *body)
{
    return buf_add(body, tail, TAIL_N);
}
