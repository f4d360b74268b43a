/* Applies a saved plan: its rows replace those of the source.
 *
 * Each row is decided again, against the same state, and has to come out as planned. So the protection of people who opted out, and
 * every proof, is that of a sync. Nothing is sent before the whole plan was decided (guard_spool_start()). The guards were judged
 * when the plan was saved, over all rows of the source; here only those of the plan are known. */
#include "config.h"

#include "sync/pipeline/run_int.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "sync/plan/eligibility.h"

enum { STEP_RECORDS = 64, KEYS_SHOWN = 20, RUNS_LOOKED_AT = 10000, TEXT_MAX = 1 << 20 };

/* ---- a source without rows, for the columns to which the mapping is bound ---- */

struct plan_source {
    struct source source;
    struct column *columns;
    char *label;
};

static int plan_source_next(struct source *self, struct row *out, struct err *e)
{
    (void)self;
    (void)out;
    (void)e;
    return 0;
}

static void plan_source_close(struct source *self)
{
    struct plan_source *s = (struct plan_source *)self;
    free(s->columns);
    free(s->label);
    free(s);
}

int run_apply_source(struct run *r, struct err *e)
{
    static const struct source_ops ops = {.name = "plan", .next = plan_source_next, .close = plan_source_close};
    const struct diff_head *head = plan_file_head(r->c->plan);
    struct plan_source *s = calloc(1, sizeof *s);
    if (s == NULL)
        return err_oom(e);
    s->source = (struct source){.ops = &ops, .columns_n = head->columns_n, .delimiter = ','};
    s->columns = calloc(head->columns_n + 1, sizeof *s->columns);
    s->label = strdup(head->source);
    if (s->columns == NULL || s->label == NULL) {
        plan_source_close(&s->source);
        return err_oom(e);
    }
    for (size_t i = 0; i < head->columns_n; i++)
        s->columns[i].name = head->columns[i];
    s->source.columns = s->columns;
    s->source.label = s->label;
    r->source = &s->source;
    return 0;
}

/* ---- is it stale? ---- */

/* Appends the runs since the plan, and the first keys that they touched. 0/-1 */
static int show_since(struct run *r, struct buf *out, struct err *e)
{
    uint64_t since = plan_file_head(r->c->plan)->last_run;
    struct run_record *runs;
    size_t n, shown = 0;
    if (state_runs(r->state, RUNS_LOOKED_AT, &r->run_arena, &runs, &n, e) != 0)
        return -1;
    int bad = 0;
    for (size_t i = n; i-- > 0 && bad == 0;) {
        struct results *results;
        uint64_t rows = 0;
        size_t before = out->n;
        if (runs[i].id <= since)
            continue;
        if (state_results_open(r->state, runs[i].id, &results, e) != 0)
            return -1;
        bad = buf_addf(out, "\n  run %" PRIu64 " (%s)", runs[i].id, runs[i].status);
        for (;;) {
            struct entry entry;
            enum op op;
            uint32_t target;
            arena_reset(&r->known_arena);
            int rc = state_results_next(results, &r->known_arena, &entry, &op, &target, e);
            if (rc < 0) {
                state_results_close(results);
                return -1;
            }
            if (rc == 0)
                break;
            rows++;
            if (shown < KEYS_SHOWN && entry.key_text.n > 0)
                bad |= buf_addf(out, "%s%.*s %s", rows == 1 ? ": " : ", ", STR_ARG(entry.key_text),
                                outcome_text(entry.outcome));
            shown += entry.key_text.n > 0;
        }
        state_results_close(results);
        bad |= buf_addf(out, "; %" PRIu64 " row%s in its results", rows, rows == 1 ? "" : "s");
        if (rows == 0)
            out->n = before; /* It changed nothing. */
    }
    return bad == 0 ? 0 : err_oom(e);
}

/* True if a run that applied this plan came to its end. `id` gets its number. */
static int applied_before(struct run *r, uint64_t *id, struct err *e)
{
    struct run_record *runs;
    size_t n;
    if (state_runs(r->state, RUNS_LOOKED_AT, &r->run_arena, &runs, &n, e) != 0)
        return -1;
    for (size_t i = 0; i < n; i++)
        if (runs[i].begun != NULL && strstr(runs[i].begun, plan_file_id(r->c->plan)) != NULL &&
            strcmp(runs[i].status, "complete") == 0) {
            *id = runs[i].id;
            return 1;
        }
    return 0;
}

static int stale(const char *what, struct err *e)
{
    return err_set(e, XS_GUARD, "the plan is stale: %s; nothing was sent; save a new plan with leadsync diff --save", what);
}

static int state_is_stale(struct run *r, struct err *e)
{
    struct buf text = BUF_INIT(TEXT_MAX);
    int rc = show_since(r, &text, e);
    const char *since = rc == 0 && text.n > 0 ? buf_cstr(&text) : "";
    if (rc == 0)
        rc = since == NULL
                 ? err_oom(e)
                 : err_set(
                       e, XS_GUARD,
                       "the plan is stale: the state has changed since it was saved; nothing was sent; save a new plan with "
                       "leadsync diff --save%s%s",
                       text.n > 0 ? "\nsince then:" : "", since);
    buf_free(&text);
    return rc;
}

/* True if the state has this plan half done, and nothing else since. */
static int goes_on(struct run *r, bool *out, struct err *e)
{
    const char *id;
    if (state_get(r->state, STATE_PLAN, &id, e) < 0)
        return -1;
    *out = id != NULL && strcmp(id, plan_file_id(r->c->plan)) == 0;
    return 0;
}

static int same_targets(const struct run *r, const struct diff_head *head)
{
    bool same = head->targets_n == r->targets.mapped_n;
    for (size_t i = 0; same && i < head->targets_n; i++)
        same = target_eq(&head->targets[i], &r->targets.v[i].target);
    return same;
}

static bool same_shape(const struct run *r)
{
    const struct lead_shape *planned = plan_file_head(r->c->plan)->shape, *now = &r->m->shape;
    bool same = planned->custom_n == now->custom_n;
    for (size_t c = 0; same && c < now->custom_n; c++)
        same = str_eq(planned->custom_names[c], now->custom_names[c]);
    return same;
}

int run_apply_check(struct run *r, struct err *e)
{
    const struct diff_summary *summary = plan_file_summary(r->c->plan);
    const struct diff_head *head = plan_file_head(r->c->plan);
    const char *workspace;
    uint64_t serial = 0, run;
    int applied = applied_before(r, &run, e);
    if (applied != 0)
        return applied < 0 ? -1
                           : err_set(e, XS_GUARD, "the plan was already applied by run %" PRIu64 "; nothing was sent", run);
    if (strcmp(head->sync, r->m->name) != 0)
        return stale("its sync has another name now", e);
    if (strcmp(summary->mapping_sha256, r->report->mapping_sha256) != 0 || !same_shape(r))
        return stale("the mapping has changed since it was saved", e);
    if (!same_targets(r, head))
        return stale("a name of the mapping now means another campaign or list", e);
    if (run_workspace_text(r, &workspace, e) != 0)
        return -1;
    if (head->workspace != NULL && workspace != NULL && strcmp(head->workspace, workspace) != 0)
        return stale("the key belongs to another workspace", e);
    if (summary->would_stop.n > 0)
        return err_set(e, XS_GUARD, "guards stop this plan, and nothing was sent: %.*s", STR_ARG(summary->would_stop));
    if (state_serial(r->state, &serial, e) != 0 || goes_on(r, &r->apply.goes_on, e) != 0)
        return -1;
    return serial == summary->state_serial || r->apply.goes_on ? 0 : state_is_stale(r, e);
}

/* ---- rows ---- */

static int number_of(struct run *r, const struct target *t, uint32_t *out, struct err *e)
{
    for (size_t i = 0; i < r->targets.n; i++)
        if (target_eq(&r->targets.v[i].target, t)) {
            *out = r->targets.v[i].number;
            return 0;
        }
    return stale("a change names a campaign or list that the mapping does not have", e);
}

/* True if these two records are one row's: values are written where the lead is, and then it moves. */
static bool is_second_step(const struct plan_record *first, const struct plan_record *second)
{
    return first->kind == PLAN_CHANGE && second->kind == PLAN_CHANGE && second->change.op == OP_MOVE &&
           (first->change.op == OP_UPDATE || first->change.op == OP_CREATE) && first->entry.row == second->entry.row &&
           str_eq(first->entry.key_text, second->entry.key_text);
}

int run_apply_agrees(struct run *r, const struct entry *entry, const struct decision *d, struct err *e)
{
    const struct run_apply *a = &r->apply;
    const struct diff_change *first = &a->first->change;
    bool moves = first->op == OP_MOVE || (a->second != NULL && first->op == OP_UPDATE);
    if (!a->planning || (d->op == OP_NONE && (d->outcome != OUTCOME_UNCHANGED || a->goes_on)))
        return 0;
    bool same = first->op == OP_CREATE ? d->op == OP_CREATE && d->rekey == first->rekey
                : moves                ? d->op == OP_MOVE
                                       : d->op == OP_UPDATE;
    if (same && first->op != OP_CREATE && !d->check) {
        same = d->fields == (first->op == OP_UPDATE ? first->fields : 0) && d->custom == (first->custom != NULL);
        for (size_t c = 0; same && d->custom && c < r->m->shape.custom_n; c++)
            same = r->scratch.custom_changed[c] == first->custom[c];
    }
    if (same && first->op != OP_CREATE && entry->has_lead_id && a->first->entry.has_lead_id)
        same = uuid_eq(&entry->lead_id, &a->first->entry.lead_id);
    if (same)
        return 0;
    return err_set(e, XS_GUARD,
                   "the plan is stale: row %" PRIu64
                   " (%.*s) would be decided differently now; nothing was sent; save a new "
                   "plan with leadsync diff --save",
                   entry->row, STR_ARG(entry->key_text));
}

static int take_change(struct run *r, struct plan_record *first, const struct plan_record *second, struct err *e)
{
    struct entry entry = first->entry;
    struct lead lead = *first->change.new_lead;
    const struct target *to = second != NULL ? second->change.target : first->change.target;
    uint32_t target;
    r->tally->read++;
    arena_reset(&r->row_arena);
    if (number_of(r, to, &target, e) != 0)
        return -1;
    lead.shape = &r->m->shape;
    entry.key = hash_keyed128(state_secret(r->state), entry.key_text.p, entry.key_text.n);
    entry.detail = STR_NONE;
    entry.has_lead_id = false;
    r->apply.first = first;
    r->apply.second = second;
    r->apply.planning = true;
    int rc = row_plan_lead(r, &entry, &lead, target, e);
    r->apply.planning = false;
    return rc;
}

static int take_left_out(struct run *r, struct plan_record *record, struct err *e)
{
    struct entry entry = record->entry;
    r->tally->read++;
    /* The guard `rejected` has judged them already. */
    r->tally->refused_before += entry.outcome == OUTCOME_REJECTED;
    if (entry.key_text.n > 0)
        entry.key = hash_keyed128(state_secret(r->state), entry.key_text.p, entry.key_text.n);
    return row_plan_leave_out(r, &entry, r->targets.v[0].number, record->left_out.column, record->left_out.value, e);
}

/* The lead's destination may have its address already; a policy says what happens then. */
static bool deletes_if_there(const struct run *r, uint32_t to)
{
    const struct removal *removal;
    for (size_t i = 0; (removal = targets_policy(r->m, i)) != NULL; i++)
        if (removal->policy == REMOVAL_MOVE && targets_of_policy(&r->targets, r->m, i)->number == to)
            return removal->delete_if_there;
    return false;
}

static int take_removal(struct run *r, const struct diff_change *change, struct err *e)
{
    struct hash128 key;
    struct known_lead known;
    struct planned p = {.op = change->target != NULL ? OP_MOVE : OP_REMOVE};
    arena_reset(&r->known_arena);
    int rc = state_id_owner(r->state, &change->entry->lead_id, &key, e);
    if (rc == 1)
        rc = state_lead_get(r->state, &key, &r->known_arena, &known, e);
    bool there = rc == 1 && (known.flags & (KNOWN_REMOVED | KNOWN_DELETED_THERE)) == 0;
    if (rc < 0 || (!there && !r->apply.goes_on))
        return rc < 0 ? -1 : stale("a lead that it removes is no longer known", e);
    if (!there)
        return 0; /* An earlier run of this plan has removed it. */
    if (change->target != NULL && number_of(r, change->target, &p.target, e) != 0)
        return -1;
    if (change->target == NULL)
        p.target = known.target;
    p.from = known.target;
    p.delete_if_there = change->target != NULL && deletes_if_there(r, p.target);
    p.entry = (struct entry){.key = key,
                             .key_text = known.key_text,
                             .email = change->entry->email,
                             .has_lead_id = true,
                             .lead_id = known.lead_id,
                             .detail = change->entry->detail};
    return change->target != NULL && known.target == p.target ? 0 : phases_put(r, &p, e);
}

/* A record, or two that are one row's. *has_next: `next` is read already. */
static int take(struct run *r, struct plan_record *record, struct plan_record *next, bool *has_next, struct err *e)
{
    *has_next = false;
    if (record->kind == PLAN_LEFT_OUT)
        return take_left_out(r, record, e);
    if (record->change.op == OP_REMOVE)
        return take_removal(r, &record->change, e);
    bool may_follow = record->change.op == OP_UPDATE || record->change.op == OP_CREATE;
    int rc = may_follow ? plan_file_next(r->c->plan, next, e) : 0;
    if (rc < 0)
        return -1;
    bool second = rc == 1 && is_second_step(record, next);
    *has_next = rc == 1 && !second;
    return take_change(r, record, second ? next : NULL, e);
}

int run_apply_rows(struct run *r, struct err *e)
{
    struct plan_record records[2];
    bool has_next = false;
    size_t at = 0;
    if (plan_file_rewind(r->c->plan, e) != 0)
        return -1;
    for (uint64_t n = 0;; n++) {
        if (n % STEP_RECORDS == 0) {
            if (run_must_stop(r))
                return 0;
            run_show_progress(r);
            if (upload_step(r->upload, 0, e) != 0)
                return -1;
        }
        int rc = has_next ? 1 : plan_file_next(r->c->plan, &records[at], e);
        if (rc == 0)
            r->read.ended = true;
        if (rc <= 0)
            return rc;
        if (take(r, &records[at], &records[!at], &has_next, e) != 0)
            return -1;
        at = has_next ? !at : at;
    }
}
