/* The lead that an entry wants, held against the one that Instantly has. */
#include "config.h"

#include "sync/upload/upload_int.h"

#include "sync/plan/plan.h"
#include "sync/upload/proof/proof.h"

enum { WANTED_MAX = 1 << 24 };

int wanted_lead_open(struct batch_run *b, uint32_t i, struct wanted_lead *out)
{
    *out = (struct wanted_lead){.fields = 0};
    arena_init(&out->arena, WANTED_MAX);
    if (batch_entry_lead(b, i, &out->arena, &out->lead) == 0)
        out->custom = arena_calloc(&out->arena, out->lead.shape->custom_n + 1, sizeof *out->custom);
    if (out->custom == NULL)
        upload_fail_oom(b->u);
    return out->custom != NULL ? 0 : -1;
}

void wanted_lead_free(struct wanted_lead *wanted)
{
    arena_free(&wanted->arena);
}

/* A value that the API does not tell is only taken for granted in a lead
 * that we created ourselves, with it; anywhere else it is written, again if need be. */
bool wanted_lead_changes(struct batch_run *b, uint32_t i, struct wanted_lead *wanted, const struct remote_lead *remote,
                         bool ours)
{
    const enum overwrite *rules = b->u->c.mapping->overwrite;
    bool ruled = wanted->lead.shape == &b->u->c.mapping->shape, any = false;
    const struct entry_progress *progress = &b->progress[i];
    bool only_changed = b->record.op != OP_CREATE && (progress->fields != 0 || progress->custom_changed.n > 0);
    wanted->fields = 0;
    for (int f = 0; f < LEAD_FIELD_N; f++) {
        struct value there;
        api_remote_field(remote, (enum lead_field)f, &there);
        bool untold = there.kind == VALUE_ABSENT && lead_field_table[f].payload[0] == '\0';
        if (f == LEAD_EMAIL || (only_changed && (progress->fields & 1U << f) == 0) || (untold && ours))
            continue;
        if (plan_value_changes(&there, &wanted->lead.core[f], ruled ? rules[f] : OVERWRITE_ALWAYS))
            wanted->fields |= 1U << f;
    }
    for (size_t c = 0; c < wanted->lead.shape->custom_n; c++) {
        struct value there;
        api_remote_custom(remote, wanted->lead.shape->custom_names[c], &there);
        bool mine = !only_changed || (c < progress->custom_changed.n && progress->custom_changed.p[c] != 0);
        wanted->custom[c] = mine && plan_value_changes(&there, &wanted->lead.custom[c],
                                                       ruled ? rules[LEAD_FIELD_N + c] : OVERWRITE_ALWAYS);
        any = any || wanted->custom[c];
    }
    return wanted->fields != 0 || any;
}
