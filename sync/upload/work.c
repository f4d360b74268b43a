/* A batch in memory: from the intent to the moment when every entry has its outcome. */
#include "config.h"

#include "sync/upload/ops/move.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sync/base/log.h"

enum { WORK_ARENA_MAX = 256 << 20 };

void upload_fail(struct upload *u, const struct err *e)
{
    err_copy(&u->fatal, e);
}

void upload_fail_oom(struct upload *u)
{
    err_oom(&u->fatal);
}

void upload_leave_stuck(struct upload *u, uint32_t target)
{
    if (upload_is_stuck(u, target))
        return;
    uint32_t *grown = realloc(u->stuck, (u->stuck_n + 1) * sizeof *grown);
    if (grown == NULL) {
        upload_fail_oom(u);
        return;
    }
    u->stuck = grown;
    u->stuck[u->stuck_n++] = target;
}

bool upload_is_stuck(const struct upload *u, uint32_t target)
{
    for (size_t i = 0; i < u->stuck_n; i++)
        if (u->stuck[i] == target)
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

static int copy_target(struct upload *u, uint32_t number, struct target *out, struct err *e)
{
    const struct target *t = targets_get(u->c.targets, u->c.state, number, e);
    if (t == NULL)
        return -1;
    *out = *t;
    return 0;
}

struct work *work_new(struct upload *u, enum op op, uint32_t target, uint32_t from, size_t entries_max, struct err *e)
{
    struct target to, source = {.status = TARGET_STATUS_UNKNOWN};
    /* Copied one by one: looking up the second may move the first. */
    if (copy_target(u, target, &to, e) != 0 || (from != 0 && copy_target(u, from, &source, e) != 0))
        return NULL;
    struct work *w = calloc(1, sizeof *w);
    if (w == NULL) {
        err_oom(e);
        return NULL;
    }
    w->u = u;
    w->target = to;
    w->from = source;
    w->batch = (struct batch){.run = u->c.run, .op = op, .state = BATCH_SENT, .target = target, .source = from};
    arena_init(&w->arena, WORK_ARENA_MAX);
    buf_init(&w->body, LEADS_ADD_MAX_BYTES);
    w->entries_cap = entries_max;
    if (op == OP_MOVE && (w->move = calloc(1, sizeof *w->move)) != NULL)
        w->move->request_max = LEADS_MOVE_MAX;
    w->batch.entries = calloc(entries_max, sizeof *w->batch.entries);
    w->aims = calloc(entries_max, sizeof *w->aims);
    w->next = u->works;
    if (u->works != NULL)
        u->works->prev = w;
    u->works = w;
    u->works_n++;
    if (w->batch.entries == NULL || w->aims == NULL || (op == OP_MOVE && w->move == NULL)) {
        work_free(w);
        err_oom(e);
        return NULL;
    }
    return w;
}

void work_free(struct work *w)
{
    if (w == NULL)
        return;
    if (w->prev != NULL)
        w->prev->next = w->next;
    else
        w->u->works = w->next;
    if (w->next != NULL)
        w->next->prev = w->prev;
    w->u->works_n--;
    refused_alike_forget(w);
    arena_free(&w->arena);
    buf_free(&w->body);
    free(w->batch.entries);
    free(w->aims);
    if (w->move != NULL)
        free(w->move->hold);
    free(w->move);
    free(w);
}

static int copy_entry(struct arena *a, const struct entry *from, struct entry *to)
{
    *to = *from;
    return arena_str(a, from->key_text, &to->key_text) != 0 || arena_str(a, from->email, &to->email) != 0 ||
                   arena_str(a, from->values, &to->values) != 0 || arena_str(a, from->cells, &to->cells) != 0 ||
                   arena_str(a, from->cells_by_values, &to->cells_by_values) != 0 ||
                   arena_str(a, from->detail, &to->detail) != 0
               ? -1
               : 0;
}

int work_add(struct work *w, const struct planned *p, struct err *e)
{
    size_t i = w->batch.entries_n;
    struct aim *aim = &w->aims[i];
    if (copy_entry(&w->arena, &p->entry, &w->batch.entries[i]) != 0 ||
        arena_str(&w->arena, p->custom_changed, &aim->custom_changed) != 0)
        return err_oom(e);
    aim->fields = p->fields;
    aim->created = p->created;
    aim->takes_place = p->takes_place;
    aim->old_id = p->old_id;
    w->batch.entries[i].outcome = OUTCOME_NONE;
    w->batch.entries_n++;
    w->open_n++;
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

int work_lead(struct work *w, uint32_t i, struct arena *arena, struct lead *out)
{
    struct err e = ERR_INIT;
    errno = EINVAL;
    if (upload_unpack(w->u, w->batch.entries[i].values, arena, out) == 0)
        return 0;
    /* What was packed here can be unpacked: the values come from a file that was tampered with. */
    if (errno != ENOMEM) {
        err_set(&e, XS_STATE, "row %llu: its values in the state are damaged; restore the state and its journal from a backup",
                (unsigned long long)w->batch.entries[i].row);
        upload_fail(w->u, &e);
    }
    err_clear(&e);
    return -1;
}

/* The row's lead is where and as the row wants it. */
static bool is_settled(enum outcome outcome)
{
    return outcome == OUTCOME_CREATED || outcome == OUTCOME_CHANGED || outcome == OUTCOME_UNCHANGED;
}

/* A lead that has only reached the stage's list: its row is counted where the way ends. */
static bool goes_on(const struct work *w, uint32_t i)
{
    const struct entry *entry = &w->batch.entries[i];
    return entry->staged && !w->earlier && is_settled(entry->outcome);
}

/* The same by target: `by` 1 or -1, the latter for a row that does not count any more. */
static void count_target(struct work *w, uint32_t i, enum outcome outcome, int by)
{
    bool row = w->batch.entries[i].row != 0, removed = outcome == OUTCOME_REMOVED;
    const struct tally_change change = {
        .number = removed ? w->batch.source : w->batch.target,
        .outcome = row && goes_on(w, i) ? OUTCOME_NONE : outcome,
        .moved = row && by > 0 && w->aims[i].moved && (outcome == OUTCOME_CREATED || outcome == OUTCOME_CHANGED),
        .by = by,
    };
    if ((!row || !w->earlier) && tally_in_target(w->u->c.tally, &change) != 0)
        upload_fail_oom(w->u);
}

static void count(struct work *w, uint32_t i, enum outcome outcome, enum reason reason)
{
    struct tally *t = w->u->c.tally;
    count_target(w, i, outcome, 1);
    if (w->batch.entries[i].row == 0) {
        /* What an earlier run left is removed now, or wanted anew. */
        if (!w->earlier || outcome == OUTCOME_REMOVED)
            tally_removal(t, outcome);
        else if (outcome != OUTCOME_SKIPPED)
            t->removals_undone++;
        return;
    }
    if (w->earlier) {
        t->settled += is_settled(outcome);
        return;
    }
    if (!goes_on(w, i))
        tally_row(t, outcome, reason);
    if (outcome == OUTCOME_REJECTED)
        *(reason == REASON_REFUSED_THERE ? &t->refused : &t->found_bad) += 1;
    if (outcome == OUTCOME_CHANGED)
        t->updated += w->batch.op != OP_MOVE || w->aims[i].patched;
    if (outcome == OUTCOME_CHANGED || outcome == OUTCOME_CREATED)
        t->moved += w->aims[i].moved;
}

bool work_is_open(const struct work *w, uint32_t i)
{
    const struct aim *aim = &w->aims[i];
    return w->batch.entries[i].outcome == OUTCOME_NONE && !aim->busy && !aim->held && !aim->as_wanted &&
           aim->patch == PATCH_OPEN;
}

void work_detail(struct work *w, uint32_t i, struct str text)
{
    if (arena_str(&w->arena, text, &w->batch.entries[i].detail) != 0)
        w->batch.entries[i].detail = STR_NONE;
}

void work_detail_place(struct work *w, uint32_t i, const struct remote_lead *remote)
{
    const struct upload_config *c = &w->u->c;
    struct target there = {.kind = remote->has_campaign ? TARGET_CAMPAIGN : TARGET_LIST,
                           .id = remote->has_campaign ? remote->campaign : remote->list};
    struct buf text = BUF_INIT(1 << 12);
    char id[TARGET_TEXT_N];
    int bad = buf_adds(&text, "it is in ");
    if (!remote->has_campaign && !remote->has_list)
        bad |= buf_adds(&text, "no campaign and no list");
    else
        bad |= c->where != NULL ? c->where(c->ctx, &there, &text) : buf_adds(&text, target_format(&there, id));
    work_detail(w, i, bad == 0 ? buf_str(&text) : STR_NONE);
    buf_free(&text);
}

void work_entry_done(struct work *w, uint32_t i, enum outcome outcome, enum reason reason, int http_status)
{
    struct entry *entry = &w->batch.entries[i];
    if (entry->outcome != OUTCOME_NONE)
        return;
    entry->outcome = outcome;
    entry->reason = reason;
    entry->http_status = http_status;
    w->open_n--;
    count(w, i, outcome, reason);
}

/* Hands on the moves of what has reached the stage's list, once that is in the journal. */
static int hand_on(struct work *w, struct err *e)
{
    const struct upload_config *c = &w->u->c;
    for (size_t i = 0; i < w->batch.entries_n; i++) {
        if (!goes_on(w, (uint32_t)i))
            continue;
        struct planned move = {.op = OP_MOVE, .target = c->promote, .from = w->batch.target,
                               .entry = w->batch.entries[i], .created = w->batch.entries[i].outcome == OUTCOME_CREATED};
        move.entry.outcome = OUTCOME_NONE;
        move.entry.staged = false;
        if (c->staged(c->ctx, &move, e) != 0)
            return -1;
    }
    return 0;
}

void work_learn(struct work *w, uint32_t i, enum reason status, struct str address)
{
    struct err e = ERR_INIT;
    struct entry found = {.key = w->batch.entries[i].key, .email = address,
                          .outcome = OUTCOME_UNCHANGED, .reason = status};
    if (status == REASON_NONE)
        return;
    if (state_entry_add(w->u->c.state, w->u->c.run, w->batch.target, &found, &e) != 0)
        upload_fail(w->u, &e);
    w->learnt = true;
    err_clear(&e);
}

void work_learnt(struct work *w)
{
    struct err e = ERR_INIT;
    if (w->learnt && state_commit(w->u->c.state, &e) != 0)
        upload_fail(w->u, &e);
    w->learnt = false;
    err_clear(&e);
}

void work_entry_stays_open(struct work *w, uint32_t i, int http_status)
{
    w->aims[i].stays_open = w->splits = true;
    work_entry_done(w, i, OUTCOME_DEFERRED, REASON_OUTCOME_OPEN, http_status);
}

/* A batch is settled whole. Leads that stay open leave it in the same commit, with an open batch of their own. */
static int split_off_open(struct work *w, struct err *e)
{
    struct batch open = w->batch;
    open.state = BATCH_UNKNOWN;
    open.sent_ms = w->first_sent_ms;
    open.skew_ms = w->skew_ms;
    open.entries_n = 0;
    open.entries = arena_calloc(&w->arena, w->batch.entries_n + 1, sizeof *open.entries);
    if (open.entries == NULL)
        return err_oom(e);
    for (size_t i = 0; i < w->batch.entries_n; i++) {
        struct entry *entry = &open.entries[open.entries_n];
        if (!w->aims[i].stays_open)
            continue;
        *entry = w->batch.entries[i];
        entry->outcome = OUTCOME_NONE;
        entry->reason = REASON_NONE;
        open.entries_n++;
    }
    return state_batch_add(w->u->c.state, &open, e);
}

static void settle(struct work *w)
{
    struct err e = ERR_INIT;
    w->batch.state = BATCH_DONE;
    if (w->splits && split_off_open(w, &e) != 0)
        upload_fail(w->u, &e);
    else if (rekey_settle(w, &e) != 0 || state_batch_settle(w->u->c.state, &w->batch, &e) != 0 || hand_on(w, &e) != 0)
        upload_fail(w->u, &e);
    err_clear(&e);
}

void work_check(struct work *w)
{
    if (w->parts_n == 1 && w->on_quiet != NULL) {
        void (*on_quiet)(struct work *) = w->on_quiet;
        w->on_quiet = NULL;
        on_quiet(w);
        return;
    }
    if (w->parts_n > 0 || (!w->left_open && update_finish(w)))
        return;
    if (w->open_n == 0 && !w->left_open)
        settle(w);
    else if (!w->left_open)
        work_leave_open(w);
    work_free(w);
}

/* Their rows must not be moved a second time while the first move is open. */
static void keep_open_keys(struct work *w)
{
    struct upload *u = w->u;
    struct hash128 *grown = realloc(u->open_keys, (u->open_keys_n + w->batch.entries_n) * sizeof *grown);
    if (grown == NULL) {
        upload_fail_oom(u);
        return;
    }
    u->open_keys = grown;
    u->open_keys_sorted = false;
    for (size_t i = 0; i < w->batch.entries_n; i++)
        grown[u->open_keys_n++] = w->batch.entries[i].key;
}

/* A batch is settled whole or stays open whole, and is read back the next time. So an outcome that is known already is
 * not on record, and its row counts with the others as deferred, as the results of the run list it. */
static void defer_known(struct work *w, uint32_t i, enum reason open_reason)
{
    struct tally *t = w->u->c.tally;
    const struct entry *entry = &w->batch.entries[i];
    if (entry->row == 0)
        return;
    if (w->earlier) {
        t->settled -= is_settled(entry->outcome);
        return;
    }
    if (!goes_on(w, i))
        tally_row_undo(t, entry->outcome, entry->reason);
    count_target(w, i, entry->outcome, -1);
    if (entry->outcome == OUTCOME_REJECTED)
        *(entry->reason == REASON_REFUSED_THERE ? &t->refused : &t->found_bad) -= 1;
    tally_row(t, OUTCOME_DEFERRED, open_reason);
}

void work_leave_open(struct work *w)
{
    if (w->left_open)
        return;
    w->left_open = true;
    bool job_open = w->batch.job != NULL;
    enum reason open_reason = job_open ? REASON_JOB_OPEN : REASON_OUTCOME_OPEN;
    if (w->move != NULL)
        keep_open_keys(w);
    for (size_t i = 0; i < w->batch.entries_n; i++)
        if (w->batch.entries[i].outcome == OUTCOME_NONE)
            work_entry_done(w, (uint32_t)i, OUTCOME_DEFERRED, open_reason, 0);
        else
            defer_known(w, (uint32_t)i, open_reason);
    struct err e = ERR_INIT;
    w->batch.state = job_open ? BATCH_ACCEPTED : BATCH_UNKNOWN;
    w->batch.sent_ms = w->first_sent_ms != 0 ? w->first_sent_ms : w->batch.sent_ms;
    if (state_batch_update(w->u->c.state, &w->batch, &e) != 0)
        upload_fail(w->u, &e);
    err_clear(&e);
}

struct part *part_new(struct work *w, size_t n, struct err *e)
{
    struct part *p = calloc(1, sizeof *p + n * sizeof p->index[0]);
    if (p == NULL) {
        err_oom(e);
        return NULL;
    }
    p->work = w;
    w->parts_n++;
    return p;
}

struct part *part_all(struct work *w, struct err *e)
{
    struct part *p = part_new(w, w->batch.entries_n, e);
    if (p == NULL)
        return NULL;
    p->n = w->batch.entries_n;
    for (size_t i = 0; i < p->n; i++)
        p->index[i] = (uint32_t)i;
    return p;
}

struct part *part_open(const struct part *from, size_t first, size_t n, struct err *e)
{
    struct part *p = part_new(from->work, n, e);
    if (p == NULL)
        return NULL;
    p->round = from->round;
    for (size_t k = first; k < first + n; k++)
        if (work_is_open(from->work, from->index[k]))
            p->index[p->n++] = from->index[k];
    return p;
}

void part_free(struct part *p)
{
    struct work *w = p->work;
    if (w->move != NULL && w->move->hold == p)
        w->move->hold = NULL;
    free(p);
    w->parts_n--;
    work_check(w);
}
