/* Rows that are held back until the guards have judged, and the end of the source.
 *
 * The first 10 000 rows wait; more if the source may have shrunk or the run may move or remove leads. Then they are released
 * into the upload, and later rows go there directly. guard_spool_end() is the order in which everything that waits is
 * settled. */
#include "config.h"

#include "sync/pipeline/run_int.h"

#include <string.h>

#include "sync/base/text.h"

enum { GUARD_ROWS = 10000, SPOOL_MEMORY = 8 << 20 };

/* How many rows wait is known before the first one: the number that the guards need for their verdict, or all. */
int guard_spool_start(struct run *r, struct err *e)
{
    const struct guard_limit *shrank = &r->m->guards.source_shrank;
    r->spools.hold_rows = GUARD_ROWS;
    if (phases_start(r, e) != 0 || missing_start(r, e) != 0)
        return -1;
    /* Hold back as many rows as the guard `source_shrank` asks for: when they are read, the source has not shrunk. */
    if (r->read.last_full_rows > 0 && strcmp(r->read.kind, "full") == 0) {
        double least = shrank->kind == GUARD_SHARE ? (1.0 - shrank->value) * (double)r->read.last_full_rows
                       : shrank->kind == GUARD_COUNT && shrank->value < (double)r->read.last_full_rows
                           ? (double)r->read.last_full_rows - shrank->value
                           : 0;
        if (least > (double)r->spools.hold_rows)
            r->spools.hold_rows = (uint64_t)least;
    }
    if (phases_hold_all(r) || r->c->plan != NULL)
        r->spools.hold_rows = UINT64_MAX;
    if (state_leads_there(r->state, &r->guards.known_there, e) != 0)
        return -1;
    if (r->diff == NULL && spool_new(SPOOL_MEMORY, &r->spools.guard, e) != 0)
        return -1;
    if (r->c->plan != NULL)
        return 0; /* The dry run has decided between rows, and who opts out. */
    if (r->m->duplicates != DUPLICATES_FIRST)
        return spool_new(SPOOL_MEMORY, &r->spools.dedupe, e);
    return mapping_skip_values_n(r->m) > 0 ? spool_new(SPOOL_MEMORY, &r->spools.opt_out, e) : 0;
}

/* ---- release ---- */

static int leave_planned_out(struct run *r, const struct planned *planned, enum outcome outcome, enum reason reason,
                             struct err *e)
{
    struct entry entry = planned->entry;
    entry.outcome = outcome;
    entry.reason = reason;
    if (reason == REASON_DUPLICATE_IN_SOURCE)
        row_address_lost(r, &entry);
    return row_plan_leave_out(r, &entry, planned->target, NULL, STR_NONE, e);
}

/* The row that owns the address waits from an earlier run, and the source may no longer have it. So this row waits too,
 * until a full read. */
static int leave_to_owner(struct run *r, const struct planned *planned, struct err *e)
{
    bool waits;
    if (row_address_owner_waits(r, planned->entry.email, &waits, e) != 0)
        return -1;
    if (waits && row_address_wait_for_full(r))
        return leave_planned_out(r, planned, OUTCOME_DEFERRED, REASON_OUTCOME_OPEN, e);
    return missing_end_wait(r, &planned->entry, e) != 0
               ? -1
               : leave_planned_out(r, planned, OUTCOME_SKIPPED, REASON_DUPLICATE_IN_SOURCE, e);
}

/* Even after an error the row goes to the upload, which counts it, as deferred if nothing more is sent. */
int guard_spool_upload(struct run *r, const struct planned *planned, struct err *e)
{
    struct err late = ERR_INIT;
    bool removal = planned->op == OP_REMOVE || planned->entry.row == 0, forgotten = false, other = false;
    /* The row may have waited for hours, and its person may have been forgotten meanwhile. */
    int rc = removal ? upload_rekey_is_taken(r->state, &planned->entry.lead_id, &other, e)
                     : forgotten_rows_match(r, &planned->entry, &forgotten, e);
    if (removal && other)
        return 0; /* A row has taken the lead over. */
    if (forgotten)
        return leave_planned_out(r, planned, OUTCOME_SKIPPED, REASON_DELETED_THERE, e);
    if (rc == 0 && planned->op == OP_CREATE)
        rc = row_address_owned(r, planned->entry.email, &other, e);
    if (other)
        return leave_to_owner(r, planned, e);
    while (rc == 0 && upload_full(r->upload))
        rc = upload_step(r->upload, 1000, e);
    if (upload_add(r->upload, planned, &late) != 0 && rc == 0)
        rc = err_take(e, &late);
    err_clear(&late);
    return rc;
}

/* Where a planned row goes: moves and removals to their phase, the others to the guards or, once these have judged, to the
 * upload. */
int guard_spool_put(struct run *r, const struct planned *planned, struct err *e)
{
    if (planned->op == OP_MOVE || planned->op == OP_REMOVE)
        return phases_put(r, planned, e);
    return r->spools.guard != NULL ? spool_put(r->spools.guard, planned, e) : guard_spool_upload(r, planned, e);
}

/* Takes the rows one by one, so that after an error those still in the spool count as deferred. */
static int release_held(struct run *r, struct err *e)
{
    struct spool *held = r->spools.guard;
    struct planned planned;
    int rc = 1;
    r->spools.releasing = true;
    while (rc == 1 && (rc = spool_get(held, &planned, e)) == 1)
        if (guard_spool_upload(r, &planned, e) != 0)
            rc = -1;
    if (rc == 0) {
        r->spools.guard = NULL;
        spool_free(held);
    }
    return rc;
}

int guard_spool_consent(struct run *r, uint64_t rows, struct err *e)
{
    if (r->c->consent == NULL || rows == 0)
        return 0;
    struct buf text = BUF_INIT(1 << 16);
    char where[TARGET_TEXT_N];
    const struct target *t = &r->targets.v[0].target;
    int rc = buf_addf(&text, "workspace %s, %s \"%s\"", r->workspace.name != NULL ? r->workspace.name : "(not readable)",
                      target_kind_text(t->kind), t->name != NULL ? t->name : target_format(t, where));
    if (rc == 0 && t->kind == TARGET_CAMPAIGN)
        rc = buf_addf(&text, ", status %s%s", campaign_status_text(t->status, where),
                      t->status == CAMPAIGN_ACTIVE ? " (mail may go out at once)" : "");
    if (rc == 0 && t->sending != NULL)
        rc = buf_addf(&text, " (%s)", t->sending);
    const struct diff_summary *plan = r->c->plan != NULL ? plan_file_summary(r->c->plan) : NULL;
    if (rc == 0 && plan != NULL)
        rc = buf_addf(&text, ": plan %.12s: %llu to create, %llu to update, %llu to move, %llu to remove",
                      plan_file_id(r->c->plan), (unsigned long long)plan->create, (unsigned long long)plan->update,
                      (unsigned long long)plan->move, (unsigned long long)plan->remove);
    else if (rc == 0)
        rc = buf_addf(&text, ": %llu of %llu row%s %swould be sent", (unsigned long long)rows,
                      (unsigned long long)r->tally->read, text_plural(r->tally->read), r->read.ended ? "" : "read so far ");
    uint64_t left = r->tally->outcomes[OUTCOME_SKIPPED] + r->tally->outcomes[OUTCOME_REJECTED];
    if (rc == 0 && left > 0 && r->read.ended)
        rc = buf_addf(&text, ", %llu left out (leadsync diff shows why)", (unsigned long long)left);
    const char *s = rc == 0 ? buf_cstr(&text) : NULL;
    int yes = s != NULL ? r->c->consent(r->c->ctx, s) : -1;
    buf_free(&text);
    if (yes < 0)
        return err_oom(e);
    return yes ? 0 : err_set(e, XS_USAGE, "not confirmed, nothing was sent: answer y, or give --yes");
}

/* A source that can be read only once, such as stdin, is asked about in the run itself; see run_ask.c. */
static int ask_before_release(struct run *r, struct err *e)
{
    uint64_t rows = spool_n(r->spools.guard);
    if (r->c->plan != NULL)
        rows += spool_n(r->spools.moves) + spool_n(r->spools.removals);
    return r->diff == NULL ? guard_spool_consent(r, rows, e) : 0;
}

/* Called after each row. `rejected` is judged again every 10 000 rows; the rows that wait are released once, as soon as no
 * guard can stop the run. */
int guard_spool_step(struct run *r, struct err *e)
{
    bool lets_go = r->spools.guard != NULL && r->spools.dedupe == NULL && r->spools.opt_out == NULL &&
                   r->tally->read >= r->spools.hold_rows && !guard_changed_may_stop(r);
    if (!lets_go && r->tally->read < r->guards.judged_rows + GUARD_ROWS)
        return 0;
    if (guard_rejected(r, e) != 0 || guard_verdict(r, e) != 0)
        return -1;
    if (!lets_go)
        return 0;
    return ask_before_release(r, e) != 0 ? -1 : release_held(r, e);
}

/* Releases the held rows before the opt-out spool is settled, if no guard can still stop the run. */
static int release_early(struct run *r, struct err *e)
{
    if (r->spools.guard == NULL || phases_hold_all(r) || guard_changed_may_stop(r) || r->c->consent != NULL)
        return 0;
    if (guard_rejected(r, e) != 0 || guard_verdict(r, e) != 0)
        return -1;
    return ask_before_release(r, e) != 0 ? -1 : release_held(r, e);
}

/* Plans what had to wait for the end of the source, and judges the guards for the last time. */
static int end_source(struct run *r, struct err *e)
{
    if (guard_source(r, e) != 0)
        return -1;
    /* The rows that waited for the end of the source are planned now. */
    if (r->spools.dedupe != NULL && dedupe_spool_settle(r, e) != 0)
        return -1;
    if (r->spools.opt_out != NULL && (release_early(r, e) != 0 || opt_out_spool_settle(r, e) != 0))
        return -1;
    if (missing_plan(r, e) != 0)
        return -1;
    /* If a guard stops the run, the retry table stays as it is; the other guards still judge what was read. */
    if (!guard_tripped(r) && retry_rows_take(r, e) != 0)
        return -1;
    /* All rows are planned, so every guard judges, and one message has the verdict of all. Nothing is written before. */
    return guard_rejected(r, e) != 0 || guard_changed(r, e) != 0 || phases_judge_moved(r, e) != 0 ? -1 : guard_verdict(r, e);
}

int guard_spool_end(struct run *r, struct err *e)
{
    /* A saved plan was judged when it was saved. */
    if (r->c->plan == NULL && end_source(r, e) != 0)
        return -1;
    if (r->diff == NULL && phases_check_scope(r, e) != 0)
        return -1;
    if (r->spools.guard != NULL && (ask_before_release(r, e) != 0 || release_held(r, e) != 0))
        return -1;
    return phases_apply(r, e) != 0 ? -1 : active_check_run(r, e);
}

/* Records a removal that a guard prevented, so that `results` lists the lead. Its row in the source is not judged by this. */
static int note_prevented(struct run *r, const struct planned *planned, struct str guards, struct err *e)
{
    struct entry entry = planned->entry;
    struct buf detail = BUF_INIT(1 << 16);
    int bad = entry.detail.n > 0 ? buf_add(&detail, entry.detail.p, entry.detail.n) | buf_adds(&detail, "; ") : 0;
    bad |= buf_add(&detail, guards.p, guards.n);
    entry.detail = buf_str(&detail);
    int rc = bad != 0 ? err_oom(e) : state_entry_add(r->state, r->record.id, planned->from, &entry, e);
    buf_free(&detail);
    return rc;
}

/* The run ends early. Every row that was read has to be counted, and keeps its values for the next run, unless a guard or
 * the user did not want them sent. */
int guard_spool_abandon(struct run *r, enum reason reason, bool keep, struct err *e)
{
    struct spool *spools[] = {r->spools.dedupe, r->spools.guard, r->spools.moves, r->spools.removals};
    struct str detail = STR_NONE;
    int rc = keep ? 0 : guard_detail(r, &detail, e);
    if (rc == 0 && r->spools.opt_out != NULL)
        rc = opt_out_spool_abandon(r, reason, keep, detail, e);
    for (size_t i = 0; i < sizeof spools / sizeof spools[0]; i++) {
        struct planned planned;
        int got = 0;
        while (spools[i] != NULL && rc == 0 && (got = spool_get(spools[i], &planned, e)) == 1) {
            planned.entry.outcome = OUTCOME_DEFERRED;
            planned.entry.reason = reason;
            if (planned.entry.row == 0) {
                tally_removal(r->tally, OUTCOME_DEFERRED);
                rc = keep ? 0 : note_prevented(r, &planned, detail, e);
                continue;
            }
            if (!keep) {
                planned.entry.detail = detail;
                planned.entry.values = STR_NONE;
            }
            rc = row_plan_leave_out(r, &planned.entry, planned.target, NULL, STR_NONE, e);
        }
        if (got < 0)
            rc = -1;
        spool_free(spools[i]);
    }
    r->spools.dedupe = r->spools.guard = r->spools.moves = r->spools.removals = NULL;
    return rc;
}
