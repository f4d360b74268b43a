/* Plans a row against what Instantly holds, for --remote, verify and adopt.
 *
 * The plan stays as it is: it gets a known lead and its last written values. Here both are replaced by what the pages of the
 * targets show, before the plan decides. */
#include "config.h"

#include "sync/pipeline/run_int.h"

#include <inttypes.h>

#include "sync/base/log.h"
#include "sync/plan/eligibility.h"

/* ---- one row ---- */

/* True if a lead that was moved by hand belongs back where its row wants it. */
static bool moves_back(const struct run *r, uint32_t place)
{
    bool mapped = r->m->routes_n > 0 || r->m->mode == MODE_MIRROR;
    return mapped || (place != 0 && place == stage_list(r));
}

/* The lead is in Instantly: what is known of it is what is there. */
static void take_there(struct run *r, uint32_t target, struct remembered *remembered, struct known_lead *known,
                       struct lead *old_lead, const struct lead **old)
{
    struct row_remote *row = &r->compare.row;
    const struct remote_found *found = &row->found;
    int status = found->lead.status;
    uint32_t remembered_in = row->known ? known->target : target;
    if (!row->known)
        *known = (struct known_lead){.status = known->status, .fingerprint = known->fingerprint};
    remembered->kind = REMEMBERED_OTHER;
    known->lead_id = found->lead.id;
    known->has_lead_id = true;
    /* What is known of a person is never lowered. */
    if (lead_status_reason(status) != REASON_NONE)
        known->status = status;
    known->hashes = STR_NONE;
    /* A move resets the status in Instantly, so a person who unsubscribed stays where another user has put the lead. */
    bool back = moves_back(r, found->place) && lead_status_reason(known->status) == REASON_NONE;
    known->target = found->place != 0 && (!found->moved || back) ? found->place : remembered_in;
    *old_lead = found->values;
    *old = old_lead;
    row->drift = row->known && (found->edited || found->moved);
    r->compare.edited += row->known && found->edited;
    r->compare.left += found->moved && known->target != found->place;
}

int row_remote_look(struct run *r, const struct entry *entry, const struct lead *lead, uint32_t target, bool same,
                    struct remembered *remembered, struct known_lead *known, struct lead *old_lead, const struct lead **old,
                    struct err *e)
{
    struct row_remote *row = &r->compare.row;
    bool remembers = remembered->kind == REMEMBERED_OTHER,
         decides = remembers || remembered->kind == REMEMBERED_NOTHING || remembered->kind == REMEMBERED_RETRY;
    *row = (struct row_remote){.row = entry->row};
    if (!remembers)
        arena_reset(&r->known_arena);
    row->known = remembers && known->has_lead_id && (known->flags & (KNOWN_REMOVED | KNOWN_DELETED_THERE)) == 0;
    const struct remote_row asked = {
        .key_text = entry->key_text,
        .email = entry->email,
        .wanted = lead,
        .target = target,
        .known = remembers ? known : NULL,
        .memory = *old,
        .same = same,
    };
    if (remote_find(r->compare.remote, &asked, &r->known_arena, &row->found, e) != 0)
        return -1;
    if (!decides)
        return 0;
    if (row->found.where == REMOTE_GONE) {
        known->flags |= KNOWN_DELETED_THERE;
        row->drift = true;
        r->compare.deleted++;
    }
    /* A lead that this sync moved away is not the one that another tool has put in its place. */
    if (row->found.where != REMOTE_THERE || (remembers && (known->flags & KNOWN_AWAY) != 0))
        return 0;
    int status = remembers ? known->status : TARGET_STATUS_UNKNOWN;
    row->learns = lead_status_reason(row->found.lead.status) != REASON_NONE && row->found.lead.status != status;
    take_there(r, target, remembered, known, old_lead, old);
    if (same && !row->drift && !row->learns)
        remembered->kind = REMEMBERED_SAME;
    return 0;
}

/* ---- adopt ---- */

/* What is known of the person is an entry of its own, after the one that makes the lead known. */
static int learn_status(struct run *r, const struct entry *entry, uint32_t target, struct err *e)
{
    enum reason reason = lead_status_reason(r->compare.row.found.lead.status);
    struct entry status = entry_note_status(&entry->key, reason);
    status.key_text = entry->key_text;
    status.email = entry->email;
    return reason == REASON_NONE ? 0 : state_entry_add(r->state, r->record.id, target, &status, e);
}

/* Takes a lead that a row matches into the state. A row whose values Instantly does not have keeps no fingerprint, so that the
 * next run looks at it. */
static int adopt(struct run *r, struct entry *entry, const struct decision *d, uint32_t target, const struct lead *old,
                 struct err *e)
{
    const struct remote_found *found = &r->compare.row.found;
    struct entry adopted = *entry;
    uint32_t place = found->place != 0 ? found->place : target;
    /* A row that another row of this read keeps out, or that was refused, is left out as in a sync. */
    if (old == NULL && d->op == OP_NONE)
        return 0;
    if (found->where != REMOTE_THERE || old == NULL) {
        r->compare.absent++;
        r->tally->read--;
        return 1;
    }
    tally_row(r->tally, OUTCOME_UNCHANGED, REASON_NONE);
    r->compare.adopted += !r->compare.row.known;
    if (r->compare.row.known && !r->compare.row.drift)
        return learn_status(r, entry, place, e) != 0 ? -1 : 1;
    buf_reset(&r->scratch.values);
    if (lead_pack(old, &r->scratch.values) != 0)
        return err_oom(e);
    adopted.outcome = OUTCOME_UNCHANGED;
    adopted.reason = REASON_NONE;
    adopted.has_lead_id = true;
    adopted.lead_id = found->lead.id;
    adopted.values = buf_str(&r->scratch.values);
    if (d->outcome != OUTCOME_UNCHANGED)
        adopted.fingerprint = 0;
    return state_entry_add(r->state, r->record.id, place, &adopted, e) != 0 || learn_status(r, entry, place, e) != 0 ? -1
                                                                                                                     : 1;
}

int row_remote_decided(struct run *r, struct entry *entry, const struct decision *d, uint32_t target, const struct lead *old,
                       const struct lead *lead, struct err *e)
{
    switch (r->c->remote) {
    case RUN_REMOTE_VERIFY: return row_verify_decided(r, entry, d, target, old, lead, e);
    case RUN_REMOTE_ADOPT: return adopt(r, entry, d, target, old, e);
    default: break;
    }
    /* Whatever happens to the row: a lead that is deleted or moved later has no status, and the person stays protected. */
    return r->diff == NULL && r->compare.row.learns ? learn_status(r, entry, target, e) : 0;
}

void row_remote_report(struct run *r)
{
    struct run_compare *c = &r->compare;
    c->used = true;
    if (c->remote == NULL || r->c->remote == RUN_REMOTE_VERIFY)
        return;
    if (r->c->remote == RUN_REMOTE_ADOPT) {
        log_notice("%" PRIu64 " lead%s taken into the state; %" PRIu64 " row%s no lead in Instantly", c->adopted,
                   c->adopted == 1 ? " was" : "s were", c->absent, c->absent == 1 ? " matches" : "s match");
        return;
    }
    if (c->deleted > 0)
        log_notice("%" PRIu64 " lead%s deleted in Instantly%s", c->deleted, c->deleted == 1 ? " was" : "s were",
                   r->c->recreate ? "" : "; --recreate creates them again");
    if (c->left > 0)
        log_notice("%" PRIu64
                   " lead%s moved by hand to another campaign or list, and %s there: only a mapping with route: or "
                   "mode: mirror moves leads back, and never people who unsubscribed",
                   c->left, c->left == 1 ? " was" : "s were", c->left == 1 ? "stays" : "stay");
    if (c->edited > 0)
        log_notice("%" PRIu64 " lead%s edited by hand; overwrite: decides which values are set back", c->edited,
                   c->edited == 1 ? " was" : "s were");
}
