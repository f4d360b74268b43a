/* A batch in memory: from the intent to the moment when every entry has its outcome. */
#include "config.h"

#include "sync/upload/batch.h"

#include <stdlib.h>

#include "sync/base/log.h"
#include "sync/upload/proof/jobs.h"
#include "sync/upload/proof/proof.h"
#include "sync/upload/upload_int.h"

enum { BATCH_ARENA_MAX = 256 << 20 };

#define ROW(state, next) #state,
static const char *const batch_life_names[] = {BATCH_LIFE_TABLE(ROW)};
#undef ROW
#define ROW(state, next) next,
static const unsigned batch_life_next[] = {BATCH_LIFE_TABLE(ROW)};
#undef ROW

const char *batch_life_text(enum batch_life life)
{
    return batch_life_names[life];
}

bool batch_life_may(enum batch_life from, enum batch_life to)
{
    return (batch_life_next[from] & 1U << to) != 0;
}

void batch_fail_step(struct batch_run *b, const char *what, const char *from, const char *to)
{
    struct err e = ERR_INIT;
    err_set(&e, XS_INTERNAL, "%s of an upload (%s) cannot go from %s to %s: please report this", what, b->operation->name,
            from, to);
    /* A run that ends with 70 settles what it can, and the next run repairs the rest: a test that compares only the end would
     * not notice. */
    if (getenv("LEADSYNC_ABORT") != NULL) {
        log_error("%s", err_text(&e));
        abort();
    }
    upload_fail(b->u, &e);
    err_clear(&e);
}

void batch_advance(struct batch_run *b, struct batch_slice *s, enum batch_life to)
{
    enum batch_life *life = s != NULL ? &s->life : &b->life;
    if (!batch_life_may(*life, to))
        batch_fail_step(b, s != NULL ? "a slice" : "a batch", batch_life_text(*life), batch_life_text(to));
    *life = to;
}

/* A copy, because the table of targets grows, and moves its rows, while batches live. */
static int batch_copy_target(struct upload *u, uint32_t number, struct target *out, struct err *e)
{
    *out = (struct target){.status = TARGET_STATUS_UNKNOWN};
    if (number == 0)
        return 0;
    const struct target *t = targets_get(u->c.targets, u->c.state, number, e);
    if (t == NULL)
        return -1;
    *out = *t;
    return 0;
}

struct batch_run *batch_new(struct upload *u, enum op op, uint32_t target, uint32_t from, size_t entries_max, struct err *e)
{
    struct target to, source;
    /* Copied one by one: looking up the second may move the first. */
    if (batch_copy_target(u, target, &to, e) != 0 || batch_copy_target(u, from, &source, e) != 0)
        return NULL;
    struct batch_run *b = calloc(1, sizeof *b);
    if (b == NULL) {
        err_oom(e);
        return NULL;
    }
    b->u = u;
    b->target = to;
    b->from = source;
    b->record = (struct batch){.run = u->c.run, .op = op, .state = BATCH_SENT, .target = target, .source = from};
    arena_init(&b->arena, BATCH_ARENA_MAX);
    buf_init(&b->body, LEADS_ADD_MAX_BYTES);
    b->entries_cap = entries_max;
    b->operation = operation_of(op);
    b->move.request_max = LEADS_MOVE_MAX;
    b->record.entries = calloc(entries_max, sizeof *b->record.entries);
    b->progress = calloc(entries_max, sizeof *b->progress);
    b->next = u->batches;
    if (u->batches != NULL)
        u->batches->prev = b;
    u->batches = b;
    u->batches_n++;
    if (b->record.entries == NULL || b->progress == NULL) {
        batch_free(b);
        err_oom(e);
        return NULL;
    }
    return b;
}

void batch_free(struct batch_run *b)
{
    if (b == NULL)
        return;
    if (b->prev != NULL)
        b->prev->next = b->next;
    else
        b->u->batches = b->next;
    if (b->next != NULL)
        b->next->prev = b->prev;
    b->u->batches_n--;
    /* Held refusals and jobs refer to the batch. They forget it before it is freed. */
    refused_alike_forget(b);
    jobs_forget(b);
    while (b->slices != NULL) {
        struct batch_slice *s = b->slices;
        b->slices = s->batch_next;
        free(s);
    }
    arena_free(&b->arena);
    buf_free(&b->body);
    free(b->record.entries);
    free(b->progress);
    free(b->move.present);
    free(b);
}

static int batch_copy_entry(struct arena *a, const struct entry *from, struct entry *to)
{
    *to = *from;
    return arena_str(a, from->key_text, &to->key_text) != 0 || arena_str(a, from->email, &to->email) != 0 ||
                   arena_str(a, from->values, &to->values) != 0 || arena_str(a, from->cells, &to->cells) != 0 ||
                   arena_str(a, from->cells_by_values, &to->cells_by_values) != 0 ||
                   arena_str(a, from->detail, &to->detail) != 0
               ? -1
               : 0;
}

/* The caller reuses the buffers of the row as soon as this returns, so that everything is copied into the arena. */
int batch_add(struct batch_run *b, const struct planned *planned, struct err *e)
{
    size_t i = b->record.entries_n;
    struct entry_progress *progress = &b->progress[i];
    if (batch_copy_entry(&b->arena, &planned->entry, &b->record.entries[i]) != 0 ||
        arena_str(&b->arena, planned->custom_changed, &progress->custom_changed) != 0)
        return err_oom(e);
    progress->tag = planned->tag;
    progress->why = b->record.entries[i].detail;
    progress->fields = planned->fields;
    progress->created = planned->created;
    progress->takes_place = planned->takes_place;
    progress->old_id = planned->old_id;
    b->record.entries[i].outcome = OUTCOME_NONE;
    b->record.entries_n++;
    b->open_n++;
    return 0;
}

/* Hands on the moves of what has reached the stage's list, once that is in the journal. */
static int batch_hand_on(struct batch_run *b, struct err *e)
{
    const struct upload_config *c = &b->u->c;
    for (size_t i = 0; i < b->record.entries_n; i++) {
        if (!batch_entry_goes_on(b, (uint32_t)i))
            continue;
        struct planned move = {.op = OP_MOVE,
                               .target = c->promote,
                               .from = b->record.target,
                               .entry = b->record.entries[i],
                               .created = b->record.entries[i].outcome == OUTCOME_CREATED};
        move.entry.outcome = OUTCOME_NONE;
        move.entry.staged = false;
        if (c->staged(c->ctx, &move, e) != 0)
            return -1;
    }
    return 0;
}

/* A batch is settled whole. Leads that stay open leave it in the same commit, with an open batch of their own. */
static int batch_split_off_open(struct batch_run *b, struct err *e)
{
    struct batch open = b->record;
    open.state = BATCH_UNKNOWN;
    open.sent_ms = b->first_sent_ms;
    open.skew_ms = b->skew_ms;
    open.entries_n = 0;
    open.entries = arena_calloc(&b->arena, b->record.entries_n + 1, sizeof *open.entries);
    if (open.entries == NULL)
        return err_oom(e);
    for (size_t i = 0; i < b->record.entries_n; i++) {
        struct entry *entry = &open.entries[open.entries_n];
        if (!b->progress[i].stays_open)
            continue;
        *entry = b->record.entries[i];
        entry->outcome = OUTCOME_NONE;
        entry->reason = REASON_NONE;
        open.entries_n++;
    }
    return state_batch_add(b->u->c.state, &open, e);
}

/* Reports the recorded outcomes to the caller. `open_reason` NONE: the batch is settled; else all of its entries stay open. */
static void batch_report_entries(const struct batch_run *b, enum reason open_reason)
{
    const struct upload_config *c = &b->u->c;
    for (size_t i = 0; c->settled != NULL && !b->earlier && i < b->record.entries_n; i++) {
        struct entry entry = b->record.entries[i];
        if (open_reason != REASON_NONE) {
            entry.outcome = OUTCOME_DEFERRED;
            entry.reason = open_reason;
        }
        c->settled(c->ctx, b->progress[i].tag, &entry);
    }
}

/* One group commit has the outcomes, the old leads of rows with another address, and nothing between them. The moves out of
 * the stage are handed on only after that, because they rely on these outcomes. */
static void batch_settle(struct batch_run *b)
{
    struct err e = ERR_INIT;
    batch_advance(b, NULL, LIFE_SETTLED);
    b->record.state = BATCH_DONE;
    if (b->splits && batch_split_off_open(b, &e) != 0)
        upload_fail(b->u, &e);
    else if (rekey_settle(b, &e) != 0 || state_batch_settle(b->u->c.state, &b->record, &e) != 0 || batch_hand_on(b, &e) != 0)
        upload_fail(b->u, &e);
    else
        batch_report_entries(b, REASON_NONE);
    err_clear(&e);
}

/* The only place where a batch ends; the caller must not touch it afterwards. The operation may continue first. Then the
 * names of locations are asked for, because a settled batch no longer changes. */
void batch_check(struct batch_run *b)
{
    struct upload *u = b->u;
    const struct operation *operation = b->operation;
    if (b->under_way_n > 0 || (b->life != LIFE_LEFT_OPEN && operation->next != NULL && operation->next(b)))
        return;
    if (b->open_n == 0 && b->life != LIFE_LEFT_OPEN && location_ask(b))
        return; /* it comes back here when the names are known */
    if (b->open_n == 0 && b->life != LIFE_LEFT_OPEN)
        batch_settle(b);
    else
        batch_leave_open(b);
    batch_free(b);
    if (operation->freed != NULL)
        operation->freed(u);
}

void batch_all_done(struct batch_run *b, enum outcome outcome, enum reason reason)
{
    for (uint32_t i = 0; i < b->record.entries_n; i++)
        batch_entry_done(b, i, outcome, reason, 0);
}

/* A batch with a job is ACCEPTED, so that resume asks for the job. Without a job it is UNKNOWN, and resume reads the leads. */
void batch_leave_open(struct batch_run *b)
{
    if (b->life == LIFE_LEFT_OPEN)
        return;
    batch_advance(b, NULL, LIFE_LEFT_OPEN);
    bool job_open = b->record.job != NULL;
    enum reason open_reason = job_open ? REASON_JOB_OPEN : REASON_OUTCOME_OPEN;
    if (b->operation->left_open != NULL)
        b->operation->left_open(b);
    for (size_t i = 0; i < b->record.entries_n; i++)
        if (b->record.entries[i].outcome == OUTCOME_NONE)
            batch_entry_done(b, (uint32_t)i, OUTCOME_DEFERRED, open_reason, 0);
        else
            batch_entry_defer_known(b, (uint32_t)i, open_reason);
    struct err e = ERR_INIT;
    b->record.state = job_open ? BATCH_ACCEPTED : BATCH_UNKNOWN;
    b->record.sent_ms = b->first_sent_ms != 0 ? b->first_sent_ms : b->record.sent_ms;
    if (state_batch_update(b->u->c.state, &b->record, &e) != 0)
        upload_fail(b->u, &e);
    else
        batch_report_entries(b, open_reason);
    err_clear(&e);
}
