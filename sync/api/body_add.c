/* leads/add: leads are written once, as they come, and joined later: the same bytes are counted against the body's
 * limit, digested for the intent, and sent. */
#include "config.h"

#include "sync/api/body.h"

#include <errno.h>

/* Core fields are strings to the API, except one number. That one has no null: a new lead without it is the same. */
static void lead_core(struct jsonw *w, const struct lead *lead)
{
    for (size_t i = 0; i < LEAD_FIELD_N; i++) {
        const struct value *value = &lead->core[i];
        if (value->kind == VALUE_ABSENT)
            continue;
        const struct lead_field_row *row = &lead_field_table[i];
        if (row->kind == LEAD_KIND_NUMBER) {
            if (value->kind != VALUE_NUMBER)
                continue;
            jsonw_key(w, row->api);
            jsonw_raw(w, (struct str){value->p, value->n});
            continue;
        }
        jsonw_key(w, row->api);
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
            jsonw_key(&w, "custom_variables");
            jsonw_object(&w);
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

/* Everything but the leads; leaves the array open. */
static void head(struct jsonw *w, const struct leads_add *add)
{
    static const char *const skip_keys[] = {
        [SKIP_IN_WORKSPACE] = "skip_if_in_workspace",
        [SKIP_IN_CAMPAIGN] = "skip_if_in_campaign",
        [SKIP_IN_LIST] = "skip_if_in_list",
    };
    jsonw_object(w);
    body_target(w, TARGET_ADD, &add->target);
    if (add->blocklist_id != NULL) {
        jsonw_key(w, "blocklist_id");
        jsonw_text(w, add->blocklist_id);
    }
    if (add->verify_on_import) {
        jsonw_key(w, "verify_leads_on_import");
        jsonw_bool(w, true);
    }
    if (add->skip != SKIP_NOTHING) {
        jsonw_key(w, skip_keys[add->skip]);
        jsonw_bool(w, true);
    }
    jsonw_key(w, "leads");
    jsonw_array(w);
}

static void tail(struct jsonw *w)
{
    jsonw_array_end(w);
    jsonw_object_end(w);
}

size_t leads_add_overhead(const struct leads_add *add)
{
    struct buf b = BUF_INIT(4096);
    struct jsonw w;
    jsonw_init(&w, &b);
    head(&w, add);
    tail(&w);
    /* Out of memory here is out of memory for the body too: nothing fits. */
    size_t n = jsonw_end(&w) == 0 ? b.n : LEADS_ADD_MAX_BYTES;
    buf_free(&b);
    return n;
}

int body_leads_add(const struct leads_add *add, struct buf *out, struct err *e)
{
    if (add->leads_n == 0 || add->leads_n > LEADS_ADD_MAX_LEADS)
        return err_set(e, XS_INTERNAL, "leads/add: %zu leads, 1 to %d can be sent; please report this", add->leads_n,
                       LEADS_ADD_MAX_LEADS);
    size_t bytes = 512;
    for (size_t i = 0; i < add->leads_n; i++)
        bytes += add->leads[i].n + 1;
    if (bytes <= out->max && buf_reserve(out, bytes) != 0) /* one allocation where it fits */
        return err_oom(e);
    struct jsonw w;
    jsonw_init(&w, out);
    head(&w, add);
    for (size_t i = 0; i < add->leads_n; i++)
        jsonw_raw(&w, add->leads[i]);
    tail(&w);
    return body_end(&w, "leads/add", e);
}

int api_leads_add_digest(const struct leads_add *add, char body_sha256[SHA256_HEX_N], struct err *e)
{
    struct buf body = BUF_INIT(LEADS_ADD_MAX_BYTES);
    int r = body_leads_add(add, &body, e);
    if (r == 0 && sha256_hex(body.p, body.n, body_sha256) != 0)
        r = err_set(e, XS_INTERNAL, "leads/add: no SHA-256 of the request; please report this");
    buf_free(&body);
    return r;
}
