/* The verdicts of `verify`: what the plan would do with a row says how its lead differs. */
#include "config.h"

#include "sync/model/change.h"
#include "sync/pipeline/run_int.h"
#include "sync/report/diff_format.h"

enum { ADDRESS_MAX = 8192, CHANGES_MAX = 1 << 20, NAME_MAX_BYTES = 64 << 10 };

static int add_change(const struct diff_field *field, struct buf *list)
{
    struct buf name = BUF_INIT(NAME_MAX_BYTES);
    int bad = field->custom ? buf_adds(&name, "custom_variables.") : 0;
    bad |= buf_add(&name, field->name.p, field->name.n);
    const struct change change = {buf_str(&name), field->old_value, field->new_value};
    bad = bad == 0 ? change_add(&change, list) : bad;
    buf_free(&name);
    return bad;
}

/* The fields that the plan would write, old and wanted, as a packed list. */
static int pack_changes(struct run *r, const struct decision *d, const struct lead *old, const struct lead *lead,
                        struct buf *list)
{
    const struct diff_change change = {.op = OP_UPDATE,
                                       .old_lead = old,
                                       .new_lead = lead,
                                       .fields = d->fields,
                                       .custom = r->scratch.custom_changed};
    struct diff_field field;
    size_t at = 0;
    int rc;
    if (d->fields == 0 && !d->custom)
        return 0;
    while ((rc = diff_field_next(&change, &at, &field)) == 1)
        if (add_change(&field, list) != 0)
            return -1;
    return rc;
}

static int find_double(struct run *r, const struct entry *entry, struct page_lead *out, struct err *e)
{
    struct buf address = BUF_INIT(ADDRESS_MAX);
    int rc = 0;
    if (entry->email.n > 0 && r->targets.created_n > 0 && r->compare.sample_n == 0 &&
        mapping_email_key(entry->email, &address) == 0)
        rc = pages_find_double(remote_pages(r->compare.remote), buf_str(&address), &r->compare.row.found.lead.id,
                               &r->known_arena, out, e);
    buf_free(&address);
    return rc;
}

/* Sign and kind of a row whose lead is in Instantly. */
static int judge_there(struct run *r, const struct entry *entry, const struct decision *d, struct verify_item *item,
                       struct page_lead *twin, struct err *e)
{
    const struct remote_found *found = &r->compare.row.found;
    bool elsewhere = found->lead.placed && !target_eq(&found->lead.place, item->target);
    int doubled = find_double(r, entry, twin, e);
    if (doubled < 0)
        return -1;
    item->lead_id = &found->lead.id;
    item->sign = VERIFY_DIFFERS;
    if (elsewhere || !found->lead.placed) {
        item->kind = VERIFY_MOVED;
        item->where = found->lead.placed ? &found->lead.place : NULL;
    } else if (doubled == 1) {
        item->kind = VERIFY_DOUBLED;
        item->where = &twin->place;
    } else if (d->fields != 0 || d->custom) {
        item->kind = VERIFY_EDITED;
    } else {
        item->sign = VERIFY_SAME;
        item->kind = VERIFY_NO_KIND;
    }
    return 0;
}

/* A row that the mapping leaves alone is no difference. */
static void judge_left_out(struct run *r, const struct decision *d)
{
    struct verify_counts *counts = verify_counts(r->compare.verify);
    counts->left_out++;
    counts->reasons[d->reason]++;
}

int row_verify_decided(struct run *r, struct entry *entry, const struct decision *d, uint32_t target, const struct lead *old,
                       const struct lead *lead, struct err *e)
{
    const struct remote_found *found = &r->compare.row.found;
    struct buf changes = BUF_INIT(CHANGES_MAX);
    struct page_lead twin;
    const struct target *to = run_target(r, target);
    if (to == NULL)
        return err_set(e, XS_STATE, "the state has no target %u; restore the state from a backup", target);
    struct verify_item item = {.row = entry->row,
                               .line = entry->line,
                               .key = entry->key_text,
                               .email = entry->email,
                               .target = to,
                               .sign = VERIFY_SAME};
    bool acts = d->op != OP_NONE || d->outcome == OUTCOME_UNCHANGED;
    int rc = 0;
    if (d->outcome == OUTCOME_DEFERRED) {
        item.sign = VERIFY_UNTOLD;
        item.kind = VERIFY_OPEN;
    } else if (found->where == REMOTE_GONE || (!acts && d->reason == REASON_DELETED_THERE && found->where != REMOTE_THERE)) {
        item.sign = VERIFY_MISSING;
        item.kind = VERIFY_DELETED;
    } else if (d->op == OP_CREATE) {
        item.sign = VERIFY_MISSING;
        item.kind = VERIFY_NEVER;
    } else if (acts && found->where == REMOTE_THERE) {
        rc = judge_there(r, entry, d, &item, &twin, e);
        if (rc == 0 && pack_changes(r, d, old, lead, &changes) != 0)
            rc = err_oom(e);
        item.changes = buf_str(&changes);
    } else if (!acts) {
        judge_left_out(r, d);
        return 0;
    }
    if (rc == 0)
        rc = verify_add(r->compare.verify, &item, e);
    buf_free(&changes);
    return rc;
}

int row_verify_left_out(struct run *r, const struct entry *entry, uint32_t target, struct err *e)
{
    struct remote_found found;
    struct verify_counts *counts;
    if (r->compare.verify == NULL || entry->outcome == OUTCOME_UNCHANGED ||
        (entry->row != 0 && r->compare.row.row == entry->row))
        return 0;
    counts = verify_counts(r->compare.verify);
    counts->left_out++;
    counts->reasons[entry->reason]++;
    counts->keyless += entry->key_text.n == 0;
    if ((entry->key_text.n == 0 && entry->email.n == 0) || target == 0)
        return 0;
    struct known_lead known = {.target = target};
    arena_reset(&r->known_arena);
    int rc = entry->key_text.n > 0 ? state_lead_get(r->state, &entry->key, &r->known_arena, &known, e) : 0;
    const struct remote_row row = {.key_text = entry->key_text,
                                   .email = entry->email,
                                   .target = target,
                                   .known = rc == 1 ? &known : NULL};
    if (rc < 0 || remote_find(r->compare.remote, &row, &r->known_arena, &found, e) != 0)
        return -1;
    bool live = rc == 1 && (known.flags & (KNOWN_REMOVED | KNOWN_DELETED_THERE)) == 0;
    if (entry->reason != REASON_SKIP_WHEN || !live || found.where != REMOTE_THERE || !opt_out_entry_removes(r, entry))
        return 0;
    counts->left_out--;
    counts->reasons[entry->reason]--;
    const struct verify_item item = {.sign = VERIFY_SURPLUS,
                                     .kind = VERIFY_OPTED_OUT,
                                     .row = entry->row,
                                     .line = entry->line,
                                     .key = entry->key_text,
                                     .email = entry->email,
                                     .lead_id = &found.lead.id,
                                     .target = &found.lead.place};
    return verify_add(r->compare.verify, &item, e);
}
