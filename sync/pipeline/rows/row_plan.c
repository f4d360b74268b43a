/* From a row to a decision: maps it, looks it up by its key, decides, and passes on what has to be sent. */
#include "config.h"

#include "sync/pipeline/run_int.h"
#include "sync/pipeline/rows/conflicting_rows.h"

#include <stdlib.h>
#include <string.h>

#include "sync/base/log.h"
#include "sync/pipeline/source_bind.h"
#include "sync/plan/eligibility.h"
#include "sync/upload/upload.h"

/* JSON turns one byte into at most six. The rest is for the syntax around values and names. */
enum { FITS_SURELY = (LEADS_ADD_MAX_BYTES - (64 << 10)) / 6 };

uint64_t row_plan_reject_hash(const struct run *r, const struct entry *entry)
{
    unsigned char reason = (unsigned char)entry->reason;
    uint64_t h = hash_keyed64(state_secret(r->state), entry->cells.p, entry->cells.n);
    return h ^ hash_keyed64(state_secret(r->state), &reason, 1);
}

static bool is_known_reject(const struct run *r, const struct entry *entry)
{
    uint64_t h = row_plan_reject_hash(r, entry);
    size_t low = 0, high = r->old_rejects.n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (r->old_rejects.hashes[mid] < h)
            low = mid + 1;
        else
            high = mid;
    }
    return low < r->old_rejects.n && r->old_rejects.hashes[low] == h;
}

/* A row whose request is open is only counted, which a search for it must not hide. */
static int row_plan_report_waiting(struct run *r, struct entry *entry, struct err *e)
{
    if (!row_cells_wanted(r))
        return 0;
    if (row_cells_keep(r, entry, e) != 0)
        return -1;
    int found = diff_finds(r->diff, entry);
    if (found > 0)
        log_notice("row %llu has the text of --match, and waits: %s", (unsigned long long)entry->row,
                   reason_help(entry->reason));
    return found < 0 ? err_oom(e) : 0;
}

/* Every row that is not sent ends here: it is counted, shown by a dry run or verify, and recorded by a run. A forgotten
 * person's data are erased first. */
int row_plan_leave_out(struct run *r, struct entry *entry, uint32_t target, const char *column, struct str value,
                       struct err *e)
{
    bool blotted;
    if (forgotten_rows_erase(r, entry, &blotted, e) != 0)
        return -1;
    if (blotted) {
        column = NULL;
        value = STR_NONE;
    }
    tally_row(r->tally, entry->outcome, entry->reason);
    if (r->compare.verify != NULL && row_verify_left_out(r, entry, target, e) != 0)
        return -1;
    if (r->diff != NULL) {
        if (entry->outcome == OUTCOME_UNCHANGED)
            return 0;
        if (entry->outcome == OUTCOME_DEFERRED) {
            r->dry.summary.open++;
            return row_plan_report_waiting(r, entry, e);
        }
        if (entry->reason == REASON_DUPLICATE_IN_SOURCE)
            r->dry.summary.duplicates++;
        if ((!blotted || row_cells_wanted(r)) && row_cells_keep(r, entry, e) != 0)
            return -1;
        const struct diff_left_out left = {entry, column, value};
        return diff_left_out(r->diff, &left, e);
    }
    if (!blotted && entry->outcome != OUTCOME_SKIPPED && entry->outcome != OUTCOME_UNCHANGED &&
        row_cells_keep(r, entry, e) != 0)
        return -1;
    if (entry->outcome == OUTCOME_REJECTED && is_known_reject(r, entry))
        r->tally->known_rejects++;
    return state_entry_add(r->state, r->record.id, target, entry, e);
}

/* Values are packed under the list of custom variables of their time. Those of an older list are put in today's order; a
 * variable that it did not have is absent. */
int row_plan_unpack(struct run *r, struct str packed, struct arena *arena, struct lead *out, struct err *e)
{
    const struct lead_shape *shape = &r->m->shape;
    struct lead_shape older;
    struct lead there;
    uint32_t id;
    if (packed.n == 0 || lead_packed_shape(packed, &id) != 0)
        return 0;
    if (id == shape->id)
        return lead_unpack(packed, shape, arena, out) == 0;
    int rc = state_shape_get(r->state, id, arena, &older, e);
    if (rc != 1)
        return rc;
    if (lead_unpack(packed, &older, arena, &there) != 0)
        return 0;
    *out = there;
    out->shape = shape;
    out->custom = arena_calloc(arena, shape->custom_n + 1, sizeof *out->custom);
    if (out->custom == NULL)
        return err_oom(e);
    for (size_t c = 0; c < shape->custom_n; c++)
        for (size_t o = 0; o < older.custom_n; o++)
            if (str_eq(older.custom_names[o], shape->custom_names[c]))
                out->custom[c] = there.custom[o];
    return 1;
}

/* With `values: hashed` the state can only compare a value with the one last written. */
static void compare_hashes(struct run *r, const struct known_lead *known, const struct lead *wanted, struct decision *d)
{
    const struct value *email = &wanted->core[LEAD_EMAIL];
    bool stays = d->op == OP_UPDATE || d->op == OP_MOVE || d->outcome == OUTCOME_UNCHANGED;
    bool another = known->hashes.n > 0 && r->rules.has_key && email->kind == VALUE_STRING && email->n > 0 &&
                   !state_address_unchanged(r->state, known->hashes, (struct str){email->p, email->n});
    if (another && stays)
        plan_rekey(&r->rules, known, d);
    else if (another && d->op == OP_CREATE && known->has_lead_id && (known->flags & KNOWN_REMOVED) != 0)
        d->looks_back = true;
    if (known->hashes.n == 0 || (d->op != OP_UPDATE && d->op != OP_MOVE))
        return;
    d->custom = false;
    for (int f = 0; f < LEAD_FIELD_N; f++)
        if ((d->fields & 1U << f) != 0 &&
            state_value_unchanged(r->state, known->hashes, lead_field_table[f].api, false, &wanted->core[f]))
            d->fields &= ~(1U << f);
    for (size_t c = 0; c < wanted->shape->custom_n; c++) {
        struct str name = wanted->shape->custom_names[c];
        char *text = arena_dup(&r->known_arena, name.p, name.n);
        if (r->scratch.custom_changed[c] && text != NULL &&
            state_value_unchanged(r->state, known->hashes, text, true, &wanted->custom[c]))
            r->scratch.custom_changed[c] = false;
        d->custom = d->custom || r->scratch.custom_changed[c];
    }
    if (d->fields == 0 && !d->custom && !d->move) {
        d->op = OP_NONE;
        d->outcome = OUTCOME_UNCHANGED;
    }
}

/* The state does not know what Instantly has. So an update without fields makes the upload compare all of them and write what
 * differs, and so does a move with all fields. A dry run cannot do that. */
static void compare_all(struct run *r, const struct remembered *remembered, const struct known_lead *known,
                        const struct lead *lead, uint32_t target, struct decision *d)
{
    if (d->op == OP_MOVE)
        plan_decide(&r->rules, remembered, known, NULL, lead, target, r->scratch.custom_changed, d);
    else
        *d = (struct decision){.op = OP_UPDATE};
}

const struct target *run_target(struct run *r, uint32_t number)
{
    struct err ignored = ERR_INIT;
    const struct target *t = targets_get(&r->targets, r->state, number, &ignored);
    err_clear(&ignored);
    return t;
}

/* 1: a request with this lead alone is within the size limit; 0; -1 */
static int fits_request(struct run *r, const struct decision *d, uint32_t target, const struct lead *lead, struct err *e)
{
    if (d->op == OP_CREATE) {
        const struct target *t = run_target(r, target);
        return t != NULL ? upload_create_fits(r->m, t, lead, e) : 1;
    }
    if (d->fields == 0 && !d->custom)
        return 1;
    /* The request also carries the variables that only Instantly has, whose size is not known here. */
    struct lead changed = *lead;
    changed.custom = arena_calloc(&r->row_arena, lead->shape->custom_n + 1, sizeof *changed.custom);
    if (changed.custom == NULL)
        return err_oom(e);
    for (size_t c = 0; c < lead->shape->custom_n; c++)
        changed.custom[c] = r->scratch.custom_changed[c] ? lead->custom[c] : (struct value){VALUE_ABSENT, NULL, 0};
    return api_lead_patch_fits(&(struct lead_patch){.lead = &changed, .fields = d->fields, .custom = d->custom}, e);
}

/* A dry run: rejects a lead that the upload would find too large. 1: it was left out; 0; -1 */
static int reject_too_large(struct run *r, const struct decision *d, struct entry *entry, uint32_t target,
                            const struct lead *lead, struct err *e)
{
    size_t bytes = entry->values.n;
    for (size_t c = 0; c < lead->shape->custom_n; c++)
        bytes += lead->shape->custom_names[c].n;
    int fits = bytes > FITS_SURELY ? fits_request(r, d, target, lead, e) : 1;
    if (fits != 0)
        return fits > 0 ? 0 : -1;
    entry->outcome = OUTCOME_REJECTED;
    entry->reason = REASON_LEAD_TOO_LARGE;
    return row_plan_leave_out(r, entry, target, NULL, STR_NONE, e) != 0 ? -1 : 1;
}

static int pass_on(struct run *r, const struct decision *d, struct entry *entry, uint32_t target,
                   const struct known_lead *known, const struct lead *old, const struct lead *lead, struct err *e)
{
    /* While a move of the lead from an earlier run is open, it is not known where the lead is. */
    if (r->upload != NULL && upload_key_is_open(r->upload, &entry->key)) {
        entry->outcome = OUTCOME_DEFERRED;
        entry->reason = REASON_JOB_OPEN;
        return row_plan_leave_out(r, entry, target, NULL, STR_NONE, e);
    }
    if (d->op == OP_CREATE)
        target = stage_target(r, entry, target);
    r->guards.returning += d->op == OP_MOVE && (known->flags & KNOWN_AWAY) != 0;
    bool updates = d->op != OP_CREATE && (d->fields != 0 || d->custom);
    if (r->diff != NULL) {
        int rc = reject_too_large(r, d, entry, target, lead, e);
        if (rc != 0)
            return rc > 0 ? 0 : -1;
        r->guards.updates += updates;
        return dry_run_show(r, d, entry, target, known->target, old, lead, e);
    }
    r->guards.updates += updates;
    if (row_cells_keep_by_values(r, entry, e) != 0)
        return -1;
    struct planned planned = {.op = d->op,
                              .target = target,
                              .entry = *entry,
                              .lead = lead,
                              .fields = d->fields,
                              .from = d->op == OP_MOVE ? known->target : 0,
                              .takes_place = d->rekey || d->looks_back,
                              .old_id = known->lead_id};
    if (d->op != OP_CREATE && d->custom)
        planned.custom_changed = (struct str){(const char *)r->scratch.custom_changed, lead->shape->custom_n};
    return guard_spool_put(r, &planned, e);
}

/* The fingerprint covers the target as well, so that a row whose route changes is never taken for unchanged. */
static int pack_values(struct run *r, const struct lead *lead, uint32_t target, struct entry *entry, struct err *e)
{
    const struct target *t = run_target(r, target);
    buf_reset(&r->scratch.values);
    if (t == NULL)
        return err_set(e, XS_STATE, "the state has no target %u; restore the state from a backup", target);
    if (lead_pack(lead, &r->scratch.values) != 0)
        return err_oom(e);
    size_t n = r->scratch.values.n;
    unsigned char kind = (unsigned char)t->kind;
    if (buf_add(&r->scratch.values, t->id.b, sizeof t->id.b) != 0 || buf_add(&r->scratch.values, &kind, 1) != 0)
        return err_oom(e);
    entry->fingerprint = hash_keyed64(state_secret(r->state), r->scratch.values.p, r->scratch.values.n);
    if (entry->fingerprint == 0)
        entry->fingerprint = 1;
    entry->values = (struct str){r->scratch.values.p, n};
    return 0;
}

/* The values to remember after an update: those of the row, and the old ones where the row has none. */
static int overlay_values(struct run *r, const struct lead *old, const struct lead *lead, struct entry *entry, struct err *e)
{
    struct lead merged;
    uint64_t fingerprint = entry->fingerprint;
    merged.custom = arena_calloc(&r->known_arena, lead->shape->custom_n + 1, sizeof *merged.custom);
    if (merged.custom == NULL)
        return err_oom(e);
    plan_overlay(old, lead, &merged);
    buf_reset(&r->scratch.values);
    if (lead_pack(&merged, &r->scratch.values) != 0)
        return err_oom(e);
    entry->values = buf_str(&r->scratch.values);
    entry->fingerprint = fingerprint;
    return 0;
}

/* Keeps out people who unsubscribed, bounced or were skipped. They are looked up by key and by address, because a person may
 * come back under another key. */
static int keep_out(struct run *r, const struct entry *entry, uint32_t target, const struct known_lead *known,
                    struct decision *d, struct err *e)
{
    enum reason status = lead_status_reason(known->status);
    if (d->op != OP_CREATE && d->op != OP_MOVE)
        return 0;
    const struct target *to = run_target(r, target);
    if (status == REASON_NONE && eligibility_recorded(r->state, entry->email, &status, e) != 0)
        return -1;
    if (status != REASON_NONE && d->op == OP_CREATE && row_key_take_over(r, entry, e) != 0)
        return -1;
    plan_keep_out(status, to != NULL ? to->kind : TARGET_CAMPAIGN, d);
    return 0;
}

/* What is known of the lead decides: the state's memory, or with --remote what Instantly has. Then the opt-outs, forgotten
 * people and other rows with the address have their say, and only what is left is passed on. */
int row_plan_remembered(struct run *r, struct entry *entry, const struct lead *lead, uint32_t target,
                        struct remembered remembered, struct err *e)
{
    struct known_lead known = {.target = target};
    struct lead old_lead;
    const struct lead *old = NULL;
    struct decision d;
    bool same = remembered.kind == REMEMBERED_SAME;
    if (remembered.kind == REMEMBERED_OTHER || (same && r->compare.remote != NULL) ||
        (remembered.kind == REMEMBERED_RETRY && r->diff != NULL)) {
        arena_reset(&r->known_arena);
        int rc = state_lead_get(r->state, &entry->key, &r->known_arena, &known, e);
        if (rc < 0)
            return -1;
        if (rc == 1)
            remembered.kind = REMEMBERED_OTHER;
        else if (remembered.kind == REMEMBERED_OTHER)
            remembered.kind = REMEMBERED_NOTHING;
        if (rc == 1 && (rc = row_plan_unpack(r, known.values, &r->known_arena, &old_lead, e)) < 0)
            return -1;
        old = rc == 1 ? &old_lead : NULL;
    }
    if (r->compare.remote != NULL &&
        row_remote_look(r, entry, lead, target, same, &remembered, &known, &old_lead, &old, e) != 0)
        return -1;
    bool removed = (known.flags & (KNOWN_REMOVED | KNOWN_DELETED_THERE)) != 0;
    r->guards.known_seen += remembered.kind == REMEMBERED_SAME || (remembered.kind == REMEMBERED_OTHER && !removed);
    bool refused = remembered.kind == REMEMBERED_REFUSED;
    plan_decide(&r->rules, &remembered, &known, old, lead, target, r->scratch.custom_changed, &d);
    compare_hashes(r, &known, lead, &d);
    if (r->c->plan != NULL && run_apply_agrees(r, entry, &d, e) != 0)
        return -1;
    if (d.check && r->diff == NULL)
        compare_all(r, &remembered, &known, lead, target, &d);
    /* A create writes to no known lead, but a dry run shows which lead the new one replaces. */
    if (known.has_lead_id && (d.op != OP_CREATE || (d.rekey && r->diff != NULL))) {
        entry->has_lead_id = true;
        entry->lead_id = known.lead_id;
    }
    bool taken = false, forgotten = false;
    if (d.op != OP_NONE && forgotten_rows_match(r, entry, &forgotten, e) != 0)
        return -1;
    if (forgotten)
        d = (struct decision){.outcome = OUTCOME_SKIPPED, .reason = REASON_DELETED_THERE};
    if (!forgotten && (d.op == OP_CREATE || refused) && row_address_want(r, entry->email, e) != 0)
        return -1;
    if (d.rekey && upload_rekey_leaves(r->state, &known.lead_id, e) != 0)
        return -1;
    if (keep_out(r, entry, target, &known, &d, e) != 0)
        return -1;
    if (r->m->has_key && row_address_take(r, entry, &d, &taken, e) != 0)
        return -1;
    if (taken) {
        d = (struct decision){.outcome = OUTCOME_SKIPPED, .reason = REASON_DUPLICATE_IN_SOURCE};
        if (missing_end_wait(r, entry, e) != 0)
            return -1;
        row_address_lost(r, entry);
    }
    if (d.rekey && missing_rekey(r, &known, e) != 0)
        return -1;
    if (r->compare.remote != NULL) {
        int done = row_remote_decided(r, entry, &d, target, old, lead, e);
        if (done != 0)
            return done < 0 ? -1 : 0;
    }
    if (remembered.kind == REMEMBERED_OTHER && d.op != OP_CREATE && overlay_values(r, old, lead, entry, e) != 0)
        return -1;
    if (d.op != OP_NONE)
        return pass_on(r, &d, entry, target, &known, old, lead, e);
    entry->outcome = d.outcome;
    entry->reason = d.reason;
    if (refused && refused_before_detail(r, entry, e) != 0)
        return -1;
    /* `results` adds this to the rows of a run, which need not all store it. */
    if (r->diff != NULL && d.reason == REASON_DELETED_THERE && entry->detail.n == 0)
        entry->detail = str_from(REASON_DELETED_THERE_DETAIL);
    if (remembered.kind == REMEMBERED_SEEN && remembered.first_row == 0)
        remembered.first_row = conflicting_rows_first(r, &entry->key);
    if (remembered.kind == REMEMBERED_SEEN &&
        row_address_report_double(r, entry, !r->m->has_key, remembered.first_row, e) != 0)
        return -1;
    if (remembered.kind == REMEMBERED_SAME && !remembered.waits) {
        tally_row(r->tally, d.outcome, d.reason); /* The hot path: an unchanged row is only counted. */
        return 0;
    }
    /* Only an unchanged row that was compared field by field stores its values; otherwise the state has them already. */
    if (d.outcome != OUTCOME_UNCHANGED || remembered.kind == REMEMBERED_SAME)
        entry->values = STR_NONE;
    int rc = row_plan_leave_out(r, entry, target, NULL, STR_NONE, e);
    r->tally->refused_before += rc == 0 && remembered.kind == REMEMBERED_REFUSED && entry->outcome == OUTCOME_REJECTED;
    return rc;
}

int row_plan_lead(struct run *r, struct entry *entry, const struct lead *lead, uint32_t target, struct err *e)
{
    struct remembered remembered;
    if (run_compare_unsampled(r, entry->email)) {
        r->tally->read--;
        return 0;
    }
    bool waits = r->scratch.row != NULL && r->spools.opt_out != NULL;
    int left = waits ? 0 : opt_out_leave(r, entry, target, e);
    if (left != 0)
        return left < 0 ? -1 : 0;
    if (pack_values(r, lead, target, entry, e) != 0)
        return -1;
    if (r->scratch.row != NULL)
        conflicting_rows_add(r, entry, entry->fingerprint);
    if (state_lookup(r->state, &entry->key, entry->fingerprint, entry->row, &remembered, e) != 0)
        return -1;
    /* The other key that had the address may have none by now. */
    if (r->m->has_key && remembered.kind == REMEMBERED_REFUSED && remembered.reason == REASON_DUPLICATE_IN_SOURCE)
        remembered.kind = REMEMBERED_OTHER;
    return waits ? opt_out_spool_put(r, entry, target, &remembered, e)
                 : row_plan_remembered(r, entry, lead, target, remembered, e);
}

/* Column, value and cause, for results and diff. */
static int row_plan_explain(struct run *r, const struct reject *why, struct entry *entry, struct err *e)
{
    buf_reset(&r->scratch.text);
    if (mapping_reject_text(why, &r->scratch.text) != 0 ||
        arena_str(&r->row_arena, buf_str(&r->scratch.text), &entry->detail) != 0)
        return err_oom(e);
    return 0;
}

static int unusable(struct run *r, const struct mapped *mapped, struct entry *entry, struct err *e)
{
    const struct reject *why = mapped->rejects_n > 0 ? &mapped->rejects[0] : &mapped->skip;
    const char *column = why->column;
    bool opts_out = mapped->skip_value > 0;
    entry->outcome = mapped->verdict == MAPPED_SKIP ? OUTCOME_SKIPPED : OUTCOME_REJECTED;
    entry->reason = mapped->reason;
    if (missing_protect(r, mapped, entry, e) != 0)
        return -1;
    entry->email = mapped->email_key;
    /* A route says where leads go, and this row is none. */
    uint32_t target = r->m->routes_n == 0 ? r->targets.v[0].number : 0;
    if ((opts_out ? opt_out_report(r, mapped, entry, &column, e) : row_plan_explain(r, why, entry, e)) != 0)
        return -1;
    return row_plan_leave_out(r, entry, target, column, opts_out ? mapped->skip_cell : why->value, e);
}

/* Memory is slow: where the key stands in the index is fetched while the rest of the row is mapped and packed. */
static void key_known(void *ctx, struct str key_text)
{
    struct run *r = ctx;
    r->scratch.key = hash_keyed128(state_secret(r->state), key_text.p, key_text.n);
    state_lookup_soon(r->state, &r->scratch.key);
}

void row_plan_listen(struct run *r)
{
    r->m->key_known = key_known;
    r->m->key_known_ctx = r;
}

/* The row is a reject, a skip, or a lead with its key. With `duplicates: last` or `reject` it waits for others of its key. */
static int map_row(struct run *r, const struct row *row, struct err *e)
{
    struct mapped mapped;
    r->tally->read++;
    arena_reset(&r->row_arena);
    if (mapping_apply(r->m, row, &r->row_arena, &mapped, e) != 0)
        return -1;
    source_bind_warn(r->source, row, &mapped, r->diff != NULL);
    if (odd_cells_see(&r->read.odd_cells, r->source, r->m, row, e) != 0)
        return -1;
    if (mapped.emptied_n > 0 && emptied_values_count(r, row, &mapped, e) != 0)
        return -1;
    struct entry entry = {.row = row->number, .line = row->line, .key_text = mapped.key_text};
    if (mapped.key_text.n > 0)
        entry.key = r->scratch.key;
    if (mapped.verdict != MAPPED_LEAD)
        return unusable(r, &mapped, &entry, e);
    const struct value *email = &mapped.lead.core[LEAD_EMAIL];
    if (email->kind == VALUE_STRING)
        entry.email = (struct str){email->p, email->n};
    uint32_t target = r->targets.v[mapped.target_index].number;
    if (r->spools.dedupe != NULL)
        return dedupe_spool_put(r, &entry, &mapped.lead, target, e);
    return row_plan_lead(r, &entry, &mapped.lead, target, e);
}

int row_plan_pass(struct run *r, const struct row *row, struct err *e)
{
    struct mapped mapped;
    arena_reset(&r->row_arena);
    if (mapping_apply(r->m, row, &r->row_arena, &mapped, e) != 0)
        return -1;
    source_bind_warn(r->source, row, &mapped, r->diff != NULL);
    struct entry entry = {.row = row->number, .line = row->line, .key_text = mapped.key_text};
    if (mapped.key_text.n > 0)
        entry.key = r->scratch.key;
    return mapped.skip_value > 0 ? opt_out_take(r, &mapped, &entry, e) : 0;
}

int row_plan_take(struct run *r, const struct row *row, struct err *e)
{
    r->scratch.row = row;
    int rc = map_row(r, row, e);
    r->scratch.row = NULL;
    return rc;
}
