/* The entries of a batch: their outcomes, how these are counted, and what is recorded with them. */
#include "config.h"

#include "sync/upload/batch.h"

#include <errno.h>

#include "sync/upload/upload_int.h"

int batch_entry_lead(struct batch_run *b, uint32_t i, struct arena *arena, struct lead *out)
{
    struct err e = ERR_INIT;
    errno = EINVAL;
    if (upload_unpack(b->u, b->record.entries[i].values, arena, out) == 0)
        return 0;
    /* What was packed here can be unpacked: the values come from a file that was tampered with. */
    if (errno != ENOMEM) {
        err_set(&e, XS_STATE,
                "row %llu: its values in the state are damaged; restore the state and its journal from a backup",
                (unsigned long long)b->record.entries[i].row);
        upload_fail(b->u, &e);
    }
    err_clear(&e);
    return -1;
}

struct uuid *batch_entry_ids(struct batch_run *b)
{
    struct uuid *ids = arena_alloc(&b->arena, b->record.entries_n * sizeof *ids);
    for (size_t i = 0; ids != NULL && i < b->record.entries_n; i++)
        ids[i] = b->record.entries[i].lead_id;
    return ids;
}

/* The row's lead is where and as the row wants it. */
static bool batch_entry_is_settled(enum outcome outcome)
{
    return outcome == OUTCOME_CREATED || outcome == OUTCOME_CHANGED || outcome == OUTCOME_UNCHANGED;
}

bool batch_entry_goes_on(const struct batch_run *b, uint32_t i)
{
    const struct entry *entry = &b->record.entries[i];
    return entry->staged && !b->earlier && batch_entry_is_settled(entry->outcome);
}

/* Counts the outcome for its target; `by` is 1, or -1 for a row that no longer counts. */
static void batch_entry_count_target(struct batch_run *b, uint32_t i, enum outcome outcome, int by)
{
    bool row = b->record.entries[i].row != 0, removed = outcome == OUTCOME_REMOVED;
    const struct tally_change change = {
        .number = removed ? b->record.source : b->record.target,
        .outcome = row && batch_entry_goes_on(b, i) ? OUTCOME_NONE : outcome,
        .moved = row && by > 0 && b->progress[i].moved && (outcome == OUTCOME_CREATED || outcome == OUTCOME_CHANGED),
        .by = by,
    };
    if (change.number != 0 && (!row || !b->earlier) && tally_in_target(b->u->c.tally, &change) != 0)
        upload_fail_oom(b->u);
}

/* A row is counted by the run that read it. Batches of earlier runs count as settled only, but a removal counts whenever it
 * is proved. */
static void batch_entry_count(struct batch_run *b, uint32_t i, enum outcome outcome, enum reason reason)
{
    struct tally *t = b->u->c.tally;
    batch_entry_count_target(b, i, outcome, 1);
    if (b->record.entries[i].row == 0) {
        /* What an earlier run left is removed now, or wanted again. */
        if (!b->earlier || outcome == OUTCOME_REMOVED)
            tally_removal(t, outcome);
        else if (outcome != OUTCOME_SKIPPED)
            t->removals_undone++;
        return;
    }
    if (b->earlier) {
        t->settled += batch_entry_is_settled(outcome);
        return;
    }
    if (!batch_entry_goes_on(b, i))
        tally_row(t, outcome, reason);
    if (outcome == OUTCOME_REJECTED)
        *(reason == REASON_REFUSED_THERE ? &t->refused : &t->found_bad) += 1;
    if (outcome == OUTCOME_CHANGED)
        t->updated += b->operation != &move_operation || b->progress[i].patched;
    if (outcome == OUTCOME_CHANGED || outcome == OUTCOME_CREATED)
        t->moved += b->progress[i].moved;
}

#define ROW(state, next) #state,
static const char *const batch_entry_state_names[] = {ENTRY_STATE_TABLE(ROW)};
#undef ROW
#define ROW(state, next) next,
static const unsigned batch_entry_state_next[] = {ENTRY_STATE_TABLE(ROW)};
#undef ROW

const char *batch_entry_state_text(enum entry_state state)
{
    return batch_entry_state_names[state];
}

bool batch_entry_state_may(enum entry_state from, enum entry_state to)
{
    return (batch_entry_state_next[from] & 1U << to) != 0;
}

void batch_entry_advance(struct batch_run *b, uint32_t i, enum entry_state to)
{
    enum entry_state *state = &b->progress[i].state;
    if (*state == ENTRY_DONE)
        return;
    if (!batch_entry_state_may(*state, to))
        batch_fail_step(b, "an entry", batch_entry_state_text(*state), batch_entry_state_text(to));
    *state = to;
}

void batch_entry_detail(struct batch_run *b, uint32_t i, struct str text)
{
    if (arena_str(&b->arena, text, &b->record.entries[i].detail) != 0)
        b->record.entries[i].detail = STR_NONE;
}

void batch_entry_done(struct batch_run *b, uint32_t i, enum outcome outcome, enum reason reason, int http_status)
{
    struct entry *entry = &b->record.entries[i];
    if (entry->outcome != OUTCOME_NONE)
        return;
    batch_entry_advance(b, i, ENTRY_DONE);
    entry->outcome = outcome;
    entry->reason = reason;
    entry->http_status = http_status;
    /* What an earlier run wrote is not known. A removal writes no values. */
    entry->unproved = entry->row != 0 && !batch_entry_is_settled(outcome) && (b->earlier || b->progress[i].written);
    b->open_n--;
    batch_entry_count(b, i, outcome, reason);
}

void batch_entry_stays_open(struct batch_run *b, uint32_t i, int http_status)
{
    b->progress[i].stays_open = b->splits = true;
    batch_entry_done(b, i, OUTCOME_DEFERRED, REASON_OUTCOME_OPEN, http_status);
}

/* A batch is settled whole or stays open whole, and is read back the next time. So an outcome that is known already is
 * not on record, and its row counts with the others as deferred, as the results of the run list it.
 * `updated` and `moved` keep the operation: it was proved in this run, and the next run counts its row as settled only. */
void batch_entry_defer_known(struct batch_run *b, uint32_t i, enum reason open_reason)
{
    struct tally *t = b->u->c.tally;
    const struct entry *entry = &b->record.entries[i];
    if (entry->row == 0)
        return;
    if (b->earlier) {
        t->settled -= batch_entry_is_settled(entry->outcome);
        return;
    }
    if (!batch_entry_goes_on(b, i))
        tally_row_undo(t, entry->outcome, entry->reason);
    batch_entry_count_target(b, i, entry->outcome, -1);
    if (entry->outcome == OUTCOME_REJECTED)
        *(entry->reason == REASON_REFUSED_THERE ? &t->refused : &t->found_bad) -= 1;
    tally_row(t, OUTCOME_DEFERRED, open_reason);
}

bool batch_entry_may_name(const struct batch_run *b, uint32_t i)
{
    const struct entry *entry = &b->record.entries[i];
    return entry->email.n > 0 || !hash128_is_zero(&entry->key);
}

void batch_entry_record_status(struct batch_run *b, uint32_t i, enum reason status, struct str address)
{
    struct err e = ERR_INIT;
    struct entry found = entry_note_status(&b->record.entries[i].key, status);
    found.email = batch_entry_may_name(b, i) ? address : STR_NONE;
    if (status == REASON_NONE)
        return;
    /* By hand a lead is named by its id alone, and the row that has it keeps the status. */
    if (hash128_is_zero(&found.key) && state_id_owner(b->u->c.state, &b->record.entries[i].lead_id, &found.key, &e) < 0)
        upload_fail(b->u, &e);
    else if (state_entry_add(b->u->c.state, b->u->c.run, b->record.target, &found, &e) != 0)
        upload_fail(b->u, &e);
    b->statuses_open = true;
    err_clear(&e);
}

void batch_entry_commit_statuses(struct batch_run *b)
{
    struct err e = ERR_INIT;
    if (b->statuses_open && state_commit(b->u->c.state, &e) != 0)
        upload_fail(b->u, &e);
    b->statuses_open = false;
    err_clear(&e);
}
