/* A batch in memory: from the intent to the moment when every entry has its outcome. */
#include "config.h"

#include "sync/upload/ops/move.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sync/base/log.h"

enum { BATCH_ARENA_MAX = 256 << 20 };

void upload_fail(struct upload *u, const struct err *e)
{
    err_copy(&u->fatal, e);
}

void upload_fail_oom(struct upload *u)
{
    err_oom(&u->fatal);
}

void upload_lock_target(struct upload *u, uint32_t target)
{
    if (upload_target_is_locked(u, target))
        return;
    uint32_t *grown = realloc(u->locked_targets, (u->locked_targets_n + 1) * sizeof *grown);
    if (grown == NULL) {
        upload_fail_oom(u);
        return;
    }
    u->locked_targets = grown;
    u->locked_targets[u->locked_targets_n++] = target;
}

bool upload_target_is_locked(const struct upload *u, uint32_t target)
{
    for (size_t i = 0; i < u->locked_targets_n; i++)
        if (u->locked_targets[i] == target)
            return true;
    return false;
}

bool upload_ended(const struct upload *u)
{
    return u->stopping || u->fatal.status != XS_DONE;
}

uint64_t email_hash(struct upload *u, struct str email)
{
    buf_reset(&u->key);
    if (email.n == 0 || mapping_email_key(email, &u->key) != 0)
        return 0;
    return hash_keyed64(state_secret(u->c.state), u->key.p, u->key.n);
}

static int batch_copy_target(struct upload *u, uint32_t number, struct target *out, struct err *e)
{
    const struct target *t = targets_get(u->c.targets, u->c.state, number, e);
    if (t == NULL)
        return -1;
    *out = *t;
    return 0;
}

struct batch_run *batch_new(struct upload *u, enum op op, uint32_t target, uint32_t from, size_t entries_max, struct err *e)
{
    struct target to, source = {.status = TARGET_STATUS_UNKNOWN};
    /* Copied one by one: looking up the second may move the first. */
    if (batch_copy_target(u, target, &to, e) != 0 || (from != 0 && batch_copy_target(u, from, &source, e) != 0))
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
    if (op == OP_MOVE && (b->move = calloc(1, sizeof *b->move)) != NULL)
        b->move->request_max = LEADS_MOVE_MAX;
    b->record.entries = calloc(entries_max, sizeof *b->record.entries);
    b->progress = calloc(entries_max, sizeof *b->progress);
    b->next = u->batches;
    if (u->batches != NULL)
        u->batches->prev = b;
    u->batches = b;
    u->batches_n++;
    if (b->record.entries == NULL || b->progress == NULL || (op == OP_MOVE && b->move == NULL)) {
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
    refused_alike_forget(b);
    arena_free(&b->arena);
    buf_free(&b->body);
    free(b->record.entries);
    free(b->progress);
    if (b->move != NULL)
        free(b->move->hold);
    free(b->move);
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

int batch_add(struct batch_run *b, const struct planned *p, struct err *e)
{
    size_t i = b->record.entries_n;
    struct entry_progress *progress = &b->progress[i];
    if (batch_copy_entry(&b->arena, &p->entry, &b->record.entries[i]) != 0 ||
        arena_str(&b->arena, p->custom_changed, &progress->custom_changed) != 0)
        return err_oom(e);
    progress->fields = p->fields;
    progress->created = p->created;
    progress->takes_place = p->takes_place;
    progress->old_id = p->old_id;
    b->record.entries[i].outcome = OUTCOME_NONE;
    b->record.entries_n++;
    b->open_n++;
    return 0;
}

int upload_unpack(struct upload *u, struct str values, struct arena *arena, struct lead *out)
{
    const struct lead_shape *shape = &u->c.mapping->shape;
    uint32_t id;
    if (lead_packed_shape(values, &id) != 0)
        return -1;
    if (id != shape->id) {
        /* Written under an older list of custom variables: the state knows their names. */
        struct err e = ERR_INIT;
        struct lead_shape *older = arena_calloc(arena, 1, sizeof *older);
        int rc = older != NULL ? state_shape_get(u->c.state, id, arena, older, &e) : -1;
        err_clear(&e);
        if (rc != 1)
            return -1;
        shape = older;
    }
    return lead_unpack(values, shape, arena, out);
}

int batch_entry_lead(struct batch_run *b, uint32_t i, struct arena *arena, struct lead *out)
{
    struct err e = ERR_INIT;
    errno = EINVAL;
    if (upload_unpack(b->u, b->record.entries[i].values, arena, out) == 0)
        return 0;
    /* What was packed here can be unpacked: the values come from a file that was tampered with. */
    if (errno != ENOMEM) {
        err_set(&e, XS_STATE, "row %llu: its values in the state are damaged; restore the state and its journal from a backup",
                (unsigned long long)b->record.entries[i].row);
        upload_fail(b->u, &e);
    }
    err_clear(&e);
    return -1;
}

/* The row's lead is where and as the row wants it. */
static bool batch_is_settled(enum outcome outcome)
{
    return outcome == OUTCOME_CREATED || outcome == OUTCOME_CHANGED || outcome == OUTCOME_UNCHANGED;
}

/* A lead that has only reached the stage's list: its row is counted where the way ends. */
static bool batch_entry_goes_on(const struct batch_run *b, uint32_t i)
{
    const struct entry *entry = &b->record.entries[i];
    return entry->staged && !b->earlier && batch_is_settled(entry->outcome);
}

/* The same by target: `by` 1 or -1, the latter for a row that does not count any more. */
static void batch_count_target(struct batch_run *b, uint32_t i, enum outcome outcome, int by)
{
    bool row = b->record.entries[i].row != 0, removed = outcome == OUTCOME_REMOVED;
    const struct tally_change change = {
        .number = removed ? b->record.source : b->record.target,
        .outcome = row && batch_entry_goes_on(b, i) ? OUTCOME_NONE : outcome,
        .moved = row && by > 0 && b->progress[i].moved && (outcome == OUTCOME_CREATED || outcome == OUTCOME_CHANGED),
        .by = by,
    };
    if ((!row || !b->earlier) && tally_in_target(b->u->c.tally, &change) != 0)
        upload_fail_oom(b->u);
}

static void batch_count(struct batch_run *b, uint32_t i, enum outcome outcome, enum reason reason)
{
    struct tally *t = b->u->c.tally;
    batch_count_target(b, i, outcome, 1);
    if (b->record.entries[i].row == 0) {
        /* What an earlier run left is removed now, or wanted anew. */
        if (!b->earlier || outcome == OUTCOME_REMOVED)
            tally_removal(t, outcome);
        else if (outcome != OUTCOME_SKIPPED)
            t->removals_undone++;
        return;
    }
    if (b->earlier) {
        t->settled += batch_is_settled(outcome);
        return;
    }
    if (!batch_entry_goes_on(b, i))
        tally_row(t, outcome, reason);
    if (outcome == OUTCOME_REJECTED)
        *(reason == REASON_REFUSED_THERE ? &t->refused : &t->found_bad) += 1;
    if (outcome == OUTCOME_CHANGED)
        t->updated += b->record.op != OP_MOVE || b->progress[i].patched;
    if (outcome == OUTCOME_CHANGED || outcome == OUTCOME_CREATED)
        t->moved += b->progress[i].moved;
}

bool batch_entry_is_open(const struct batch_run *b, uint32_t i)
{
    const struct entry_progress *progress = &b->progress[i];
    return b->record.entries[i].outcome == OUTCOME_NONE && !progress->busy && !progress->held && !progress->as_wanted &&
           progress->patch == PATCH_OPEN;
}

void batch_entry_detail(struct batch_run *b, uint32_t i, struct str text)
{
    if (arena_str(&b->arena, text, &b->record.entries[i].detail) != 0)
        b->record.entries[i].detail = STR_NONE;
}

void batch_entry_location(struct batch_run *b, uint32_t i, const struct remote_lead *remote)
{
    const struct upload_config *c = &b->u->c;
    struct target there = {.kind = remote->has_campaign ? TARGET_CAMPAIGN : TARGET_LIST,
                           .id = remote->has_campaign ? remote->campaign : remote->list};
    struct buf text = BUF_INIT(1 << 12);
    char id[TARGET_TEXT_N];
    int bad = buf_adds(&text, "it is in ");
    if (!remote->has_campaign && !remote->has_list)
        bad |= buf_adds(&text, "no campaign and no list");
    else
        bad |= c->where != NULL ? c->where(c->ctx, &there, &text) : buf_adds(&text, target_format(&there, id));
    batch_entry_detail(b, i, bad == 0 ? buf_str(&text) : STR_NONE);
    buf_free(&text);
}

void batch_entry_done(struct batch_run *b, uint32_t i, enum outcome outcome, enum reason reason, int http_status)
{
    struct entry *entry = &b->record.entries[i];
    if (entry->outcome != OUTCOME_NONE)
        return;
    entry->outcome = outcome;
    entry->reason = reason;
    entry->http_status = http_status;
    b->open_n--;
    batch_count(b, i, outcome, reason);
}

/* Hands on the moves of what has reached the stage's list, once that is in the journal. */
static int batch_hand_on(struct batch_run *b, struct err *e)
{
    const struct upload_config *c = &b->u->c;
    for (size_t i = 0; i < b->record.entries_n; i++) {
        if (!batch_entry_goes_on(b, (uint32_t)i))
            continue;
        struct planned move = {.op = OP_MOVE, .target = c->promote, .from = b->record.target,
                               .entry = b->record.entries[i], .created = b->record.entries[i].outcome == OUTCOME_CREATED};
        move.entry.outcome = OUTCOME_NONE;
        move.entry.staged = false;
        if (c->staged(c->ctx, &move, e) != 0)
            return -1;
    }
    return 0;
}

void batch_record_status(struct batch_run *b, uint32_t i, enum reason status, struct str address)
{
    struct err e = ERR_INIT;
    struct entry found = {.key = b->record.entries[i].key, .email = address,
                          .outcome = OUTCOME_UNCHANGED, .reason = status};
    if (status == REASON_NONE)
        return;
    if (state_entry_add(b->u->c.state, b->u->c.run, b->record.target, &found, &e) != 0)
        upload_fail(b->u, &e);
    b->statuses_open = true;
    err_clear(&e);
}

void batch_commit_statuses(struct batch_run *b)
{
    struct err e = ERR_INIT;
    if (b->statuses_open && state_commit(b->u->c.state, &e) != 0)
        upload_fail(b->u, &e);
    b->statuses_open = false;
    err_clear(&e);
}

void batch_entry_stays_open(struct batch_run *b, uint32_t i, int http_status)
{
    b->progress[i].stays_open = b->splits = true;
    batch_entry_done(b, i, OUTCOME_DEFERRED, REASON_OUTCOME_OPEN, http_status);
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

static void batch_settle(struct batch_run *b)
{
    struct err e = ERR_INIT;
    b->record.state = BATCH_DONE;
    if (b->splits && batch_split_off_open(b, &e) != 0)
        upload_fail(b->u, &e);
    else if (rekey_settle(b, &e) != 0 || state_batch_settle(b->u->c.state, &b->record, &e) != 0 || batch_hand_on(b, &e) != 0)
        upload_fail(b->u, &e);
    err_clear(&e);
}

void batch_check(struct batch_run *b)
{
    if (b->under_way_n == 1 && b->on_quiet != NULL) {
        void (*on_quiet)(struct batch_run *) = b->on_quiet;
        b->on_quiet = NULL;
        on_quiet(b);
        return;
    }
    if (b->under_way_n > 0 || (!b->left_open && update_finish(b)))
        return;
    if (b->open_n == 0 && !b->left_open)
        batch_settle(b);
    else if (!b->left_open)
        batch_leave_open(b);
    batch_free(b);
}

/* Their rows must not be moved a second time while the first move is open. */
static void batch_keep_open_keys(struct batch_run *b)
{
    struct upload *u = b->u;
    struct hash128 *grown = realloc(u->open_keys, (u->open_keys_n + b->record.entries_n) * sizeof *grown);
    if (grown == NULL) {
        upload_fail_oom(u);
        return;
    }
    u->open_keys = grown;
    u->open_keys_sorted = false;
    for (size_t i = 0; i < b->record.entries_n; i++)
        grown[u->open_keys_n++] = b->record.entries[i].key;
}

/* A batch is settled whole or stays open whole, and is read back the next time. So an outcome that is known already is
 * not on record, and its row counts with the others as deferred, as the results of the run list it. */
static void batch_defer_known(struct batch_run *b, uint32_t i, enum reason open_reason)
{
    struct tally *t = b->u->c.tally;
    const struct entry *entry = &b->record.entries[i];
    if (entry->row == 0)
        return;
    if (b->earlier) {
        t->settled -= batch_is_settled(entry->outcome);
        return;
    }
    if (!batch_entry_goes_on(b, i))
        tally_row_undo(t, entry->outcome, entry->reason);
    batch_count_target(b, i, entry->outcome, -1);
    if (entry->outcome == OUTCOME_REJECTED)
        *(entry->reason == REASON_REFUSED_THERE ? &t->refused : &t->found_bad) -= 1;
    tally_row(t, OUTCOME_DEFERRED, open_reason);
}

void batch_leave_open(struct batch_run *b)
{
    if (b->left_open)
        return;
    b->left_open = true;
    bool job_open = b->record.job != NULL;
    enum reason open_reason = job_open ? REASON_JOB_OPEN : REASON_OUTCOME_OPEN;
    if (b->move != NULL)
        batch_keep_open_keys(b);
    for (size_t i = 0; i < b->record.entries_n; i++)
        if (b->record.entries[i].outcome == OUTCOME_NONE)
            batch_entry_done(b, (uint32_t)i, OUTCOME_DEFERRED, open_reason, 0);
        else
            batch_defer_known(b, (uint32_t)i, open_reason);
    struct err e = ERR_INIT;
    b->record.state = job_open ? BATCH_ACCEPTED : BATCH_UNKNOWN;
    b->record.sent_ms = b->first_sent_ms != 0 ? b->first_sent_ms : b->record.sent_ms;
    if (state_batch_update(b->u->c.state, &b->record, &e) != 0)
        upload_fail(b->u, &e);
    err_clear(&e);
}

struct batch_slice *slice_new(struct batch_run *b, size_t n, struct err *e)
{
    struct batch_slice *s = calloc(1, sizeof *s + n * sizeof s->index[0]);
    if (s == NULL) {
        err_oom(e);
        return NULL;
    }
    s->batch = b;
    b->under_way_n++;
    return s;
}

struct batch_slice *slice_of_all(struct batch_run *b, struct err *e)
{
    struct batch_slice *s = slice_new(b, b->record.entries_n, e);
    if (s == NULL)
        return NULL;
    s->n = b->record.entries_n;
    for (size_t i = 0; i < s->n; i++)
        s->index[i] = (uint32_t)i;
    return s;
}

struct batch_slice *slice_of_open(const struct batch_slice *from, size_t first, size_t n, struct err *e)
{
    struct batch_slice *s = slice_new(from->batch, n, e);
    if (s == NULL)
        return NULL;
    s->round = from->round;
    for (size_t k = first; k < first + n; k++)
        if (batch_entry_is_open(from->batch, from->index[k]))
            s->index[s->n++] = from->index[k];
    return s;
}

void slice_free(struct batch_slice *s)
{
    struct batch_run *b = s->batch;
    if (b->move != NULL && b->move->hold == s)
        b->move->hold = NULL;
    free(s);
    b->under_way_n--;
    batch_check(b);
}
