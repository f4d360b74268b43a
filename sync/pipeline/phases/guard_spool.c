/* What waits, and for what: the first ten thousand rows for the guards, a shrunken source for its size, rows that
 * compete under `duplicates: last|reject` and rows whose person may yet opt out for the end of the source, rows of the
 * retry table for those that replace them. */
#include "config.h"

#include "sync/pipeline/run_int.h"

#include <stdlib.h>
#include <string.h>

#include "sync/base/log.h"
#include "sync/base/stop.h"
#include "sync/base/text.h"

enum { GUARD_ROWS = 10000, ATTEMPTS_MAX = 5, SPOOL_MEMORY = 8 << 20 };

int guard_spool_start(struct run *r, struct err *e)
{
    const struct guard_limit *shrank = &r->m->guards.source_shrank;
    r->hold_rows = GUARD_ROWS;
    if (phases_start(r, e) != 0 || missing_start(r, e) != 0)
        return -1;
    /* A source is known not to have shrunk when as many rows were read as the guard asks for. */
    if (r->last_full_rows > 0 && strcmp(r->read_kind, "full") == 0) {
        double least = shrank->kind == GUARD_SHARE ? (1.0 - shrank->value) * (double)r->last_full_rows
                       : shrank->kind == GUARD_COUNT && shrank->value < (double)r->last_full_rows
                           ? (double)r->last_full_rows - shrank->value
                           : 0;
        if (least > (double)r->hold_rows)
            r->hold_rows = (uint64_t)least;
    }
    if (phases_hold_all(r))
        r->hold_rows = UINT64_MAX;
    if (state_leads_there(r->state, &r->known_there, e) != 0)
        return -1;
    if (r->diff == NULL && spool_new(SPOOL_MEMORY, &r->guard_spool, e) != 0)
        return -1;
    if (r->m->duplicates != DUPLICATES_FIRST)
        return spool_new(SPOOL_MEMORY, &r->dedupe_spool, e);
    return mapping_skip_values_n(r->m) > 0 ? spool_new(SPOOL_MEMORY, &r->opt_out_spool, e) : 0;
}

/* ---- letting go ---- */

static int leave_planned_out(struct run *r, const struct planned *planned, enum reason reason, struct err *e)
{
    struct entry entry = planned->entry;
    entry.outcome = OUTCOME_SKIPPED;
    entry.reason = reason;
    return row_plan_leave_out(r, &entry, planned->target, NULL, STR_NONE, e);
}

/* An owner that waits from an earlier run may have no row any more: the row waits until a full read tells. */
static int leave_to_owner(struct run *r, const struct planned *planned, struct err *e)
{
    bool waits;
    if (row_address_owner_waits(r, planned->entry.email, &waits, e) != 0)
        return -1;
    if (waits && row_address_wait_for_full(r)) {
        struct entry entry = planned->entry;
        entry.outcome = OUTCOME_DEFERRED;
        entry.reason = REASON_OUTCOME_OPEN;
        return row_plan_leave_out(r, &entry, planned->target, NULL, STR_NONE, e);
    }
    return missing_end_wait(r, &planned->entry, e) != 0 ? -1
                                                    : leave_planned_out(r, planned, REASON_DUPLICATE_IN_SOURCE, e);
}

/* Whatever the step ends with, the row at hand goes to the upload, which counts it: as deferred where nothing more is
 * sent. */
int guard_spool_upload(struct run *r, const struct planned *planned, struct err *e)
{
    struct err late = ERR_INIT;
    bool removal = planned->op == OP_REMOVE || planned->entry.row == 0, forgotten = false, other = false;
    /* A row may have waited for hours since it was planned, and its person may be forgotten by now. */
    int rc = removal ? rekey_is_taken(r->state, &planned->entry.lead_id, &other, e)
                     : forgotten_rows_match(r, &planned->entry, &forgotten, e);
    if (removal && other)
        return 0; /* the lead is a row's now */
    if (forgotten)
        return leave_planned_out(r, planned, REASON_DELETED_THERE, e);
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

int guard_spool_put(struct run *r, const struct planned *planned, struct err *e)
{
    if (planned->op == OP_MOVE || planned->op == OP_REMOVE)
        return phases_put(r, planned, e);
    return r->guard_spool != NULL ? spool_put(r->guard_spool, planned, e) : guard_spool_upload(r, planned, e);
}

/* One by one: a record counts as deferred only while it is still held. */
static int release_held(struct run *r, struct err *e)
{
    struct spool *held = r->guard_spool;
    struct planned planned;
    int rc = 1;
    r->releases = true;
    while (rc == 1 && (rc = spool_get(held, &planned, e)) == 1)
        if (guard_spool_upload(r, &planned, e) != 0)
            rc = -1;
    if (rc == 0) {
        r->guard_spool = NULL;
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
                      t->status == 1 ? " (mail may go out at once)" : "");
    if (rc == 0)
        rc = buf_addf(&text, ": %llu of %llu row%s %swould be sent", (unsigned long long)rows,
                      (unsigned long long)r->tally->read, text_plural(r->tally->read), r->eof ? "" : "read so far ");
    const char *s = rc == 0 ? buf_cstr(&text) : NULL;
    int yes = s != NULL ? r->c->consent(r->c->ctx, s) : -1;
    buf_free(&text);
    if (yes < 0)
        return err_oom(e);
    return yes ? 0 : err_set(e, XS_USAGE, "not confirmed, nothing was sent: answer y, or give --yes");
}

/* Where the source can be read only once, the question comes in the run itself. */
static int ask_before_release(struct run *r, struct err *e)
{
    return r->diff == NULL ? guard_spool_consent(r, spool_n(r->guard_spool), e) : 0;
}

int guard_spool_step(struct run *r, struct err *e)
{
    bool lets_go = r->guard_spool != NULL && r->dedupe_spool == NULL && r->opt_out_spool == NULL && r->tally->read >= r->hold_rows &&
                   !guard_changed_may_stop(r);
    if (!lets_go && r->tally->read < r->judged_rows + GUARD_ROWS)
        return 0;
    if (guard_rejected(r, e) != 0 || guard_verdict(r, e) != 0)
        return -1;
    if (!lets_go)
        return 0;
    return ask_before_release(r, e) != 0 ? -1 : release_held(r, e);
}

/* ---- duplicates: last | reject ---- */

int dedupe_spool_put(struct run *r, const struct entry *entry, const struct lead *lead, uint32_t target, struct err *e)
{
    struct planned planned = {.op = OP_NONE, .target = target, .entry = *entry};
    buf_reset(&r->pack);
    if (row_cells_keep(r, &planned.entry, e) != 0)
        return -1;
    if (lead_pack(lead, &r->pack) != 0)
        return err_oom(e);
    planned.entry.values = buf_str(&r->pack);
    if (r->conflicts != NULL)
        conflicting_rows_add(r, entry, hash_keyed64(state_secret(r->state), r->pack.p, r->pack.n) ^ target);
    return spool_put(r->dedupe_spool, &planned, e);
}

struct contender {
    union {
        struct hash128 key;
        uint64_t winner; /* at the end: 0, or the row to which it loses */
    };
    uint64_t at, row; /* place in the spool; row of the source */
};

static int by_key(const void *a, const void *b)
{
    const struct contender *x = a, *y = b;
    int c = memcmp(x->key.b, y->key.b, sizeof x->key.b);
    return c != 0 ? c : (x->at > y->at) - (x->at < y->at);
}

static int by_position(const void *a, const void *b)
{
    const struct contender *x = a, *y = b;
    return (x->at > y->at) - (x->at < y->at);
}

/* Rows of one key, in order: all lose but the last, or all of them, each to another one. */
static void find_winners(const struct run *r, struct contender *all, size_t n)
{
    const bool last_wins = r->m->duplicates == DUPLICATES_LAST || n == 1;
    const uint64_t first = all[0].row, second = n > 1 ? all[1].row : 0, last = all[n - 1].row;
    for (size_t i = 0; i < n; i++)
        if (last_wins)
            all[i].winner = i + 1 < n ? last : 0;
        else
            all[i].winner = i > 0 ? first : second;
}

/* Each place of the spool and to which row it loses. Needs 32 bytes a row: refused past --memory, never guessed. */
static int losers(struct run *r, struct spool *replay, struct contender **out, struct err *e)
{
    size_t n = 0, cap = (size_t)spool_n(r->dedupe_spool);
    struct contender *all = NULL;
    struct planned planned;
    int rc = 1;
    if (cap * sizeof *all > r->c->memory_max)
        return err_set(e, XS_CONFIG, "`duplicates: %s` over %zu rows needs more than --memory: raise it, or use "
                       "`duplicates: first`", r->m->duplicates == DUPLICATES_LAST ? "last" : "reject", cap);
    *out = all = malloc((cap + 1) * sizeof *all);
    if (all == NULL)
        return err_oom(e);
    while ((rc = spool_get(r->dedupe_spool, &planned, e)) == 1) {
        all[n] = (struct contender){.key = planned.entry.key, .at = n, .row = planned.entry.row};
        n++;
        if (spool_put(replay, &planned, e) != 0)
            return -1;
    }
    if (rc != 0)
        return rc;
    qsort(all, n, sizeof *all, by_key);
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i + 1; end < n && hash128_eq(&all[end].key, &all[i].key); end++)
            ;
        find_winners(r, all + i, end - i);
    }
    qsort(all, n, sizeof *all, by_position);
    return 0;
}

static int dedupe_spool_settle(struct run *r, struct err *e)
{
    struct spool *replay = NULL;
    struct contender *all = NULL;
    struct planned planned;
    int rc = spool_new(SPOOL_MEMORY, &replay, e);
    if (rc == 0)
        rc = losers(r, replay, &all, e);
    spool_free(r->dedupe_spool);
    r->dedupe_spool = NULL;
    for (uint64_t at = 0; rc == 0; at++) {
        int got = spool_get(replay, &planned, e);
        if (got <= 0) {
            rc = got;
            break;
        }
        struct lead lead;
        struct entry entry = planned.entry;
        arena_reset(&r->row_arena);
        if ((got = opt_out_leave(r, &entry, planned.target, e)) != 0) {
            rc = got < 0 ? -1 : 0;
        } else if (lead_unpack(entry.values, &r->m->shape, &r->row_arena, &lead) != 0) {
            rc = err_set(e, XS_INTERNAL, "a held row cannot be read back: please report");
        } else if (all[at].winner > 0) {
            entry.outcome = r->m->duplicates == DUPLICATES_LAST ? OUTCOME_SKIPPED : OUTCOME_REJECTED;
            entry.reason = REASON_DUPLICATE_IN_SOURCE;
            entry.values = STR_NONE;
            rc = row_address_report_double(r, &entry, !r->m->has_key, all[at].winner, e);
            if (rc == 0)
                rc = missing_spare_key(r, &entry.key, e);
            if (rc == 0)
                rc = row_plan_leave_out(r, &entry, planned.target, NULL, STR_NONE, e);
        } else {
            rc = row_plan_lead(r, &entry, &lead, planned.target, e);
        }
    }
    free(all);
    /* What was not reached is counted by guard_spool_abandon(). */
    if (rc != 0)
        r->dedupe_spool = replay;
    else
        spool_free(replay);
    return rc;
}

/* ---- skip_when: whoever opts out does so for all rows of the person ---- */

/* May the row ask for something? All others are decided by what the state has of them. */
static bool may_ask(const struct remembered *remembered)
{
    return remembered->kind == REMEMBERED_NOTHING || remembered->kind == REMEMBERED_OTHER ||
           remembered->kind == REMEMBERED_RETRY;
}

int opt_out_spool_put(struct run *r, const struct entry *entry, uint32_t target, const struct remembered *remembered,
                 struct err *e)
{
    struct planned planned = {.op = OP_NONE, .target = target, .entry = *entry, .remembered = *remembered};
    int rc = 0;
    if (!may_ask(remembered))
        planned.entry.values = STR_NONE;
    /* The cells of an unchanged row are wanted by nobody. */
    if (row_cells_wanted(r) && remembered->kind != REMEMBERED_SAME && remembered->kind != REMEMBERED_SEEN)
        rc = row_cells_keep_by_values(r, &planned.entry, e);
    return rc != 0 ? -1 : spool_put(r->opt_out_spool, &planned, e);
}

static int decide_waiting(struct run *r, struct planned *p, struct err *e)
{
    struct lead lead = {.shape = &r->m->shape};
    arena_reset(&r->row_arena);
    if (may_ask(&p->remembered) && lead_unpack(p->entry.values, &r->m->shape, &r->row_arena, &lead) != 0)
        return err_set(e, XS_INTERNAL, "a held row cannot be read back: please report");
    return row_plan_remembered(r, &p->entry, &lead, p->target, p->remembered, e);
}

/* What an error leaves in the spool is counted by guard_spool_abandon(). */
static int opt_out_spool_settle(struct run *r, struct err *e)
{
    struct planned planned;
    int rc;
    while ((rc = spool_get(r->opt_out_spool, &planned, e)) == 1) {
        arena_reset(&r->row_arena);
        int left = opt_out_leave(r, &planned.entry, planned.target, e);
        if (left < 0 || (left == 0 && decide_waiting(r, &planned, e) != 0))
            return -1;
    }
    if (rc == 0) {
        spool_free(r->opt_out_spool);
        r->opt_out_spool = NULL;
    }
    return rc;
}

/* The source was not read to its end: who opts out is not known, so nothing is asked for. */
static int opt_out_spool_abandon(struct run *r, enum reason reason, bool keep, struct str detail, struct err *e)
{
    struct planned planned;
    int rc;
    while ((rc = spool_get(r->opt_out_spool, &planned, e)) == 1) {
        if (!may_ask(&planned.remembered)) {
            rc = decide_waiting(r, &planned, e);
        } else {
            planned.entry.outcome = OUTCOME_DEFERRED;
            planned.entry.reason = reason;
            if (!keep) {
                planned.entry.detail = detail;
                planned.entry.values = STR_NONE;
            }
            rc = row_plan_leave_out(r, &planned.entry, planned.target, NULL, STR_NONE, e);
        }
        if (rc != 0)
            break;
    }
    spool_free(r->opt_out_spool);
    r->opt_out_spool = NULL;
    return rc;
}

/* ---- the retry table ---- */

static int retry_one(struct run *r, struct entry *entry, uint32_t target, struct err *e)
{
    bool replaced, drops;
    struct lead lead;
    if (state_seen(r->state, &entry->key, &replaced, e) != 0)
        return -1;
    if (replaced)
        return 0; /* by a row of the source with this key */
    if (missing_drops_retry(r, entry, &drops, e) != 0)
        return -1;
    if (drops)
        return 0; /* its row is gone, and so would be the lead */
    r->tally->read++;
    r->tally->retried++;
    entry->retried = true;
    /* With a stage there is one place where leads belong, whichever step of the way failed. */
    if (r->m->stage.on)
        target = r->targets.v[0].number;
    arena_reset(&r->row_arena);
    int readable = row_plan_unpack(r, entry->values, &r->row_arena, &lead, e);
    if (readable < 0)
        return -1;
    if (entry->attempts >= ATTEMPTS_MAX || readable == 0) {
        entry->outcome = OUTCOME_FAILED;
        entry->reason = REASON_ATTEMPTS_EXHAUSTED;
        entry->values = STR_NONE;
        return row_plan_leave_out(r, entry, target, NULL, STR_NONE, e);
    }
    return row_plan_lead(r, entry, &lead, target, e);
}

/* Made by another mapping, so not as this one would: never sent. Counted for the notice. */
static int pass_over(struct run *r, const struct entry *entry, struct err *e)
{
    bool seen;
    if (state_seen(r->state, &entry->key, &seen, e) != 0)
        return -1;
    r->others++;
    r->others_read += seen;
    return 0;
}

/* Copied out first: planning writes into the state that is being read. */
static int retry_rows_take(struct run *r, struct err *e)
{
    struct retries *retries = NULL;
    struct spool *spool = NULL;
    struct planned planned = {.op = OP_NONE};
    uint64_t mapping;
    /* A trial sends the rows that it was asked for. */
    if (state_retries_n(r->state) == 0 || r->c->limit_rows > 0)
        return 0;
    int rc = spool_new(SPOOL_MEMORY, &spool, e);
    if (rc == 0)
        rc = state_retries_open(r->state, &retries, e);
    while (rc == 0) {
        arena_reset(&r->known_arena);
        int got = state_retries_next(retries, &r->known_arena, &planned.entry, &planned.target, &mapping, e);
        if (got <= 0) {
            rc = got;
            break;
        }
        rc = mapping == r->m->digest ? spool_put(spool, &planned, e) : pass_over(r, &planned.entry, e);
    }
    state_retries_close(retries);
    while (rc == 0) {
        int got = spool_get(spool, &planned, e);
        if (got <= 0) {
            rc = got;
            break;
        }
        rc = retry_one(r, &planned.entry, planned.target, e);
    }
    spool_free(spool);
    return rc;
}

/* Rows that waited need not wait once more when nothing that is found later may stop the run. */
static int release_early(struct run *r, struct err *e)
{
    if (r->guard_spool == NULL || phases_hold_all(r) || guard_changed_may_stop(r) || r->c->consent != NULL)
        return 0;
    if (guard_rejected(r, e) != 0 || guard_verdict(r, e) != 0)
        return -1;
    return ask_before_release(r, e) != 0 ? -1 : release_held(r, e);
}

int guard_spool_end(struct run *r, struct err *e)
{
    if (guard_source(r, e) != 0)
        return -1;
    if (r->dedupe_spool != NULL && dedupe_spool_settle(r, e) != 0)
        return -1;
    if (r->opt_out_spool != NULL && (release_early(r, e) != 0 || opt_out_spool_settle(r, e) != 0))
        return -1;
    if (missing_plan(r, e) != 0)
        return -1;
    /* A run that ends here leaves what waits as it is; the other guards judge what they have all the same. */
    if (!guard_tripped(r) && retry_rows_take(r, e) != 0)
        return -1;
    if (guard_rejected(r, e) != 0 || phases_judge(r, e) != 0)
        return -1;
    if (r->guard_spool != NULL && (ask_before_release(r, e) != 0 || release_held(r, e) != 0))
        return -1;
    if (phases_apply(r, e) != 0)
        return -1;
    return active_check_run(r, e);
}

int guard_spool_abandon(struct run *r, enum reason reason, bool keep, struct err *e)
{
    struct spool *spools[] = {r->dedupe_spool, r->guard_spool, r->moves, r->removals};
    struct str detail = STR_NONE;
    int rc = keep ? 0 : guard_detail(r, &detail, e);
    if (rc == 0 && r->opt_out_spool != NULL)
        rc = opt_out_spool_abandon(r, reason, keep, detail, e);
    for (size_t i = 0; i < sizeof spools / sizeof spools[0]; i++) {
        struct planned planned;
        int got = 0;
        while (spools[i] != NULL && rc == 0 && (got = spool_get(spools[i], &planned, e)) == 1) {
            planned.entry.outcome = OUTCOME_DEFERRED;
            planned.entry.reason = reason;
            if (!keep) {
                planned.entry.detail = detail;
                planned.entry.values = STR_NONE;
            }
            if (planned.entry.row == 0) {
                tally_removal(r->tally, OUTCOME_DEFERRED);
                continue;
            }
            rc = row_plan_leave_out(r, &planned.entry, planned.target, NULL, STR_NONE, e);
        }
        if (got < 0)
            rc = -1;
        spool_free(spools[i]);
    }
    r->dedupe_spool = r->guard_spool = r->moves = r->removals = NULL;
    return rc;
}
