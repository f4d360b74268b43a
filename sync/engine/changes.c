#include "config.h"

#include "sync/engine/changes.h"

#include "sync/base/text.h"
#include "sync/engine/plan.h"

static int add_value(const struct value *v, struct buf *out)
{
    if (v->kind == VALUE_ABSENT)
        return buf_adds(out, "(nothing)");
    if (v->kind == VALUE_NULL)
        return buf_adds(out, "(cleared)");
    if (v->n == 0)
        return buf_adds(out, "(empty)");
    struct str text = {v->p, v->n};
    if (text.n <= CHANGES_VALUE_BYTES)
        return buf_add(out, text.p, text.n);
    text.n = CHANGES_VALUE_BYTES;
    return buf_add(out, text.p, text_utf8_prefix(text)) | buf_adds(out, "…");
}

static int add_change(struct buf *out, const char *prefix, struct str name, const struct value *old, const struct value *new)
{
    if (!plan_value_changes(old, new, OVERWRITE_ALWAYS) || out->n > CHANGES_BYTES)
        return 0;
    return buf_addf(out, "%s%s%.*s: ", out->n > 0 ? "; " : "", prefix, STR_ARG(name)) | add_value(old, out) |
           buf_adds(out, " -> ") | add_value(new, out);
}

int changes_text(struct arena *arena, const struct lead *wanted, uint32_t fields, const bool *custom,
                 const struct remote_lead *remote, struct str *out)
{
    struct buf text = BUF_INIT(1 << 20);
    struct value there;
    int bad = 0;
    for (int f = 0; f < LEAD_FIELD_N; f++) {
        if ((fields & 1U << f) == 0)
            continue;
        api_remote_field(remote, (enum lead_field)f, &there);
        bad |= add_change(&text, "", str_from(lead_field_table[f].api), &there, &wanted->core[f]);
    }
    for (size_t c = 0; c < wanted->shape->custom_n; c++) {
        if (!custom[c])
            continue;
        api_remote_custom(remote, wanted->shape->custom_names[c], &there);
        bad |= add_change(&text, "custom_variables.", wanted->shape->custom_names[c], &there, &wanted->custom[c]);
    }
    if (bad == 0)
        bad = arena_str(arena, buf_str(&text), out);
    buf_free(&text);
    return bad == 0 ? 0 : -1;
}
