#include "config.h"

#include "sync/plan/changes.h"

#include "sync/plan/plan.h"
#include "sync/model/change.h"

#define CUSTOM_PREFIX "custom_variables."

enum { LIST_MAX = 1 << 20, NAME_MAX_BYTES = 64 << 10 };

static int changes_add_value(struct buf *list, struct str name, const struct value *before, const struct value *after)
{
    if (!plan_value_changes(before, after, OVERWRITE_ALWAYS))
        return 0;
    const struct change change = {name, *before, *after};
    return change_add(&change, list);
}

static int add_custom(struct buf *list, struct str name, const struct value *before, const struct value *after)
{
    struct buf full = BUF_INIT(NAME_MAX_BYTES);
    int bad = buf_adds(&full, CUSTOM_PREFIX) | buf_add(&full, name.p, name.n);
    if (bad == 0)
        bad = changes_add_value(list, buf_str(&full), before, after);
    buf_free(&full);
    return bad;
}

int changes_pack(struct arena *arena, const struct lead *wanted, uint32_t fields, const bool *custom,
                 const struct remote_lead *remote, const struct lead *before, struct str *out)
{
    struct buf list = BUF_INIT(LIST_MAX);
    struct value there = {VALUE_ABSENT, NULL, 0};
    int bad = 0;
    for (int f = 0; f < LEAD_FIELD_N; f++) {
        if ((fields & 1U << f) == 0)
            continue;
        if (remote != NULL)
            api_remote_field(remote, (enum lead_field)f, &there);
        else if (before != NULL)
            there = before->core[f];
        bad |= changes_add_value(&list, str_from(lead_field_table[f].api), &there, &wanted->core[f]);
    }
    for (size_t c = 0; c < wanted->shape->custom_n; c++) {
        if (custom != NULL && !custom[c])
            continue;
        if (remote != NULL)
            api_remote_custom(remote, wanted->shape->custom_names[c], &there);
        else if (before != NULL)
            there = before->custom[c];
        bad |= add_custom(&list, wanted->shape->custom_names[c], &there, &wanted->custom[c]);
    }
    if (bad == 0)
        bad = arena_str(arena, buf_str(&list), out);
    buf_free(&list);
    return bad == 0 ? 0 : -1;
}
