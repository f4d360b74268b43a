/* Leads that are no longer wanted: their row is gone from the source (mode mirror), or a rule of skip_when has taken it
 * (`then: delete` or `move_to`).
 *
 * Who is gone is only known from a complete read of the whole source in which rows had a key, all but so many as
 * guards.keyless allows: a row without one may be anybody's. Who is skipped is known from the row itself, and so from every read but that of a partial --input. */
#include "config.h"

#include "sync/pipeline/run_int.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sync/base/log.h"
#include "sync/base/text.h"
#include "sync/plan/eligibility.h"

/* Marks of state_spare(). */
enum { MARK_REJECTED = 1, MARK_SKIPPED };
enum { KEYLESS_SHOWN = 3 }; /* rows named in a message */
enum { PLACES_MAX = 1 << 20 };

/* Removals that travel in the same requests, for a dry run's count of them. */
struct removal_count {
    enum op op;
    uint32_t from, to;
    uint64_t n;
};

struct missing_rows {
    bool spares;          /* is there anything that a row could spare? */
    uint64_t keyless;     /* rows without a usable key, but for those that a rule of skip_when takes */
    uint64_t where[KEYLESS_SHOWN]; /* of the first of them: the line, or the row's number where the source has no lines */
    bool has_lines;
    uint64_t skipped;     /* rows that were skipped */
    uint64_t wanted;      /* rows that opt out, and want a lead that is there removed */
    uint64_t rekeys;      /* leads that another is to take the place of */
    uint64_t planned;     /* leads to remove */
    uint64_t unsettled;   /* of those, what an earlier run may have removed; of a dry run */
    uint64_t waiting;     /* leads that are gone, but wait for rows with a key */
    uint64_t kept;        /* leads that are gone, and stay: `removed: keep` */
    uint64_t there;        /* leads known there */
    bool stays_known;     /* leads that stay, since where they should go another one has their address, are not asked for again */
    struct removal_count *counts;     /* owned; of a dry run */
    size_t counts_n;
};

int missing_start(struct run *r, struct err *e)
{
    r->missing = calloc(1, sizeof *r->missing);
    if (r->missing == NULL)
        return err_oom(e);
    r->missing->spares = state_leads_n(r->state) > 0 || state_retries_n(r->state) > 0;
    return 0;
}

void missing_free(struct run *r)
{
    if (r->missing == NULL)
        return;
    spool_free(r->spools.active);
    r->spools.active = NULL;
    free(r->missing->counts);
    free(r->missing);
    r->missing = NULL;
}

uint64_t missing_waiting(const struct run *r)
{
    return r->missing != NULL ? r->missing->waiting : 0;
}

/* Only a complete read says who is gone, and only when rows are told apart as their leads were. */
static bool mirrors(const struct run *r)
{
    return !r->change.key && targets_policy(r->m, 0)->policy != GONE_KEEP && strcmp(r->read.kind, "full") == 0;
}

/* A mirror that removes nobody: who is gone is only counted. */
static bool keeps(struct run *r)
{
    return !r->change.key && r->m->mode == MODE_MIRROR && r->m->removed.policy == GONE_KEEP && missing_read_whole(r);
}

/* So many rows without a key may be anybody's, that nobody is gone. Known at the source's end. */
static bool keyless_blocks(const struct run *r)
{
    return guard_exceeds(&r->m->guards.keyless, r->missing->keyless, r->tally->read - r->tally->retried);
}

int missing_keyless_text(const struct run *r, struct buf *out)
{
    const struct missing_rows *g = r->missing;
    uint64_t shown = g->keyless < KEYLESS_SHOWN ? g->keyless : KEYLESS_SHOWN;
    const char *what = g->has_lines ? "line" : "row";
    int bad = buf_addf(out, "%llu row%s no usable key (%s%s ", (unsigned long long)g->keyless, g->keyless == 1 ? " has" : "s have",
                       what, g->keyless == 1 ? "" : "s");
    for (uint64_t i = 0; i < shown; i++)
        bad |= buf_addf(out, "%s%llu", i > 0 ? ", " : "", (unsigned long long)g->where[i]);
    return bad | buf_addf(out, "%s): correct %s, leave %s out with skip_when, or allow so many with --guard keyless=%llu",
                          g->keyless > shown ? ", ..." : "", g->keyless == 1 ? "it" : "them", g->keyless == 1 ? "it" : "them",
                          (unsigned long long)g->keyless);
}

/* ---- while rows are read ---- */

/* What the rule is to do about leads that are there: a policy of targets_policy(), 0 for none. */
static size_t policy_of_rule(const struct run *r, size_t rule)
{
    return opt_out_removes(r, rule) ? rule : 0;
}

static int take_opt_out(struct run *r, const struct mapped *mapped, const struct entry *entry, struct err *e)
{
    bool removes = policy_of_rule(r, mapping_skip_value(r->m, mapped->skip_value).rule) != 0;
    r->missing->wanted += r->missing->spares && removes;
    r->missing->skipped += r->missing->spares && !removes;
    return opt_out_take(r, mapped, entry, e);
}

int missing_spare(struct run *r, const struct mapped *mapped, const struct entry *entry, struct err *e)
{
    bool rejected = mapped->verdict == MAPPED_REJECT;
    if (mapped->skip_value > 0)
        return take_opt_out(r, mapped, entry, e);
    if (mapped->key_text.n == 0) {
        if (r->missing->keyless < KEYLESS_SHOWN)
            r->missing->where[r->missing->keyless] = entry->line > 0 ? entry->line : entry->row;
        r->missing->has_lines = entry->line > 0;
        r->missing->keyless++;
        return 0;
    }
    if (!r->missing->spares)
        return 0;
    r->missing->skipped += !rejected;
    return state_spare(r->state, &entry->key, rejected ? MARK_REJECTED : MARK_SKIPPED, e);
}

int missing_spare_key(struct run *r, const struct hash128 *key, struct err *e)
{
    return r->missing->spares ? state_spare(r->state, key, MARK_REJECTED, e) : 0;
}

/* ---- planning ---- */

static int count_removal(struct missing_rows *g, enum op op, uint32_t from, uint32_t to, struct err *e)
{
    size_t i = 0;
    while (i < g->counts_n && (g->counts[i].op != op || g->counts[i].from != from || g->counts[i].to != to))
        i++;
    if (i == g->counts_n) {
        struct removal_count *counts = realloc(g->counts, (g->counts_n + 1) * sizeof *counts);
        if (counts == NULL)
            return err_oom(e);
        g->counts = counts;
        counts[g->counts_n++] = (struct removal_count){op, from, to, 0};
    }
    g->counts[i].n++;
    return 0;
}

static void add_up_requests(struct run *r)
{
    for (size_t i = 0; i < r->missing->counts_n; i++) {
        const struct removal_count *count = &r->missing->counts[i];
        uint64_t batch = count->op == OP_REMOVE ? LEADS_DELETE_MAX : LEADS_MOVE_MAX;
        /* A DELETE has a look before it and one after. */
        uint64_t requests = count->op == OP_REMOVE ? 3 : 1;
        r->dry.summary.requests_remove += requests * ((count->n + batch - 1) / batch);
        r->dry.summary.remove += count->n;
    }
}

static int show_removal(struct run *r, const struct planned *p, bool certain, struct err *e)
{
    const struct target *to = NULL, *from;
    if (p->op == OP_MOVE && (to = targets_get(&r->targets, r->state, p->target, e)) == NULL)
        return -1;
    struct target copy = to != NULL ? *to : (struct target){.status = TARGET_STATUS_UNKNOWN};
    if ((from = targets_get(&r->targets, r->state, p->from, e)) == NULL)
        return -1;
    const struct diff_change change = {.op = OP_REMOVE, .entry = &p->entry, .target = to != NULL ? &copy : NULL,
                                       .from = from, .certain = certain};
    return diff_change(r->diff, &change, e);
}

/* Where gone leads go, as the state's numbers. With other places than those of the last walk, or with --full, leads that
 * stayed are asked for again. */
static int load_stays(struct run *r, struct err *e)
{
    static const char name[] = "stays_for";
    struct buf places = BUF_INIT(PLACES_MAX);
    const struct gone *gone;
    const char *before;
    int rc = 0;
    for (size_t i = 0; rc == 0 && (gone = targets_policy(r->m, i)) != NULL; i++)
        if (gone->policy == GONE_MOVE)
            rc = buf_addf(&places, "%u ", targets_of_policy(&r->targets, r->m, i)->number);
    const char *now = rc == 0 ? buf_cstr(&places) : NULL;
    if (now == NULL || state_get(r->state, name, &before, e) < 0)
        rc = now == NULL ? err_oom(e) : -1;
    bool same = rc == 0 && before != NULL && strcmp(before, now) == 0;
    r->missing->stays_known = same && !r->c->full;
    if (rc == 0 && !same && r->diff == NULL)
        rc = state_set(r->state, name, now, e);
    buf_free(&places);
    return rc;
}

/* A lead that is where it would be moved to, or without an id to name it by, is left. */
static bool may_be_removed(const struct known_lead *known, const struct run_target *to)
{
    if (!known->has_lead_id || (to != NULL && to->number == known->target))
        return false;
    /* Into a campaign goes nobody who bounced or unsubscribed. */
    return to == NULL || to->target.kind != TARGET_CAMPAIGN || eligibility_status_reason(known->status) == REASON_NONE;
}

static bool stays(const struct run *r, const struct known_lead *known, size_t i)
{
    const struct gone *gone = targets_policy(r->m, i);
    return r->missing->stays_known && (known->flags & KNOWN_STAYS) != 0 && gone->policy == GONE_MOVE &&
           !gone->delete_if_there;
}

bool missing_read_whole(void *ctx)
{
    const struct run *r = ctx;
    return r->missing != NULL && r->read.ended && !run_is_partial(r) && !keyless_blocks(r) && r->read.kind != NULL &&
           strcmp(r->read.kind, "full") == 0;
}

/* By policy i. */
static int plan_removal(struct run *r, const struct hash128 *key, const struct known_lead *known, size_t i, struct err *e)
{
    const struct run_target *to = targets_of_policy(&r->targets, r->m, i);
    struct lead lead;
    if (!may_be_removed(known, to))
        return 0;
    struct planned p = {
        .op = to != NULL ? OP_MOVE : OP_REMOVE,
        .target = to != NULL ? to->number : known->target,
        .from = known->target,
        .entry = {.key = *key, .key_text = known->key_text, .has_lead_id = true, .lead_id = known->lead_id},
        .delete_if_there = to != NULL && targets_policy(r->m, i)->delete_if_there,
    };
    if (stays(r, known, i))
        return 0;
    int readable = row_plan_unpack(r, known->values, &r->known_arena, &lead, e);
    if (readable < 0)
        return -1;
    if (readable == 1 && lead.core[LEAD_EMAIL].kind == VALUE_STRING)
        p.entry.email = (struct str){lead.core[LEAD_EMAIL].p, lead.core[LEAD_EMAIL].n};
    bool wanted = false;
    if (i == 0 && (known->flags & KNOWN_UNSURE) == 0 && row_address_wanted(r, p.entry.email, &wanted, e) != 0)
        return -1;
    if (wanted) {
        r->left.hands_over = true; /* to a row with another key, which takes the lead over */
        return 0;
    }
    if (r->diff != NULL && count_removal(r->missing, p.op, p.from, p.target, e) != 0)
        return -1;
    r->missing->planned++;
    r->missing->unsettled += known->unsettled;
    if (guard_tripped(r))
        return 0; /* the source is not to be believed: only counted, for its guard to say so too */
    return r->diff != NULL ? show_removal(r, &p, !known->unsettled, e) : phases_put(r, &p, e);
}

int missing_rekey(struct run *r, const struct known_lead *old, struct err *e)
{
    const struct run_target *to = targets_of_policy(&r->targets, r->m, 0);
    if (!mirrors(r) || !may_be_removed(old, to) || (old->flags & (KNOWN_REMOVED | KNOWN_DELETED_THERE)) != 0)
        return 0;
    r->missing->rekeys++;
    r->left.hands_over = true; /* a new lead that has to wait leaves the old one for the next full read */
    return r->diff == NULL ? 0 : count_removal(r->missing, to != NULL ? OP_MOVE : OP_REMOVE, old->target,
                                           to != NULL ? to->number : old->target, e);
}

uint64_t missing_rekeys(const struct run *r)
{
    return r->missing->rekeys;
}

/* The new lead is there: now the old one may go. */
int missing_superseded(void *ctx, const struct hash128 *key, const struct known_lead *old, struct err *e)
{
    struct run *r = ctx;
    /* What an earlier run left open is settled before the first row: then it is found as any that is gone. */
    if (r->missing == NULL || !mirrors(r) || keyless_blocks(r))
        return 0;
    return plan_removal(r, key, old, 0, e);
}

/* Does a row of the lead's address opt out, though none has its key? With `key:` another record of the person may say so, and
 * after a change of the key leads are known under keys of before. */
static int opted_out_elsewhere(struct run *r, const struct known_lead *known, uint64_t *mark, struct err *e)
{
    struct lead lead;
    struct hash128 address;
    int readable = row_plan_unpack(r, known->values, &r->known_arena, &lead, e);
    if (readable != 1 || lead.core[LEAD_EMAIL].kind != VALUE_STRING)
        return readable < 0 ? -1 : 0;
    struct str email = {lead.core[LEAD_EMAIL].p, lead.core[LEAD_EMAIL].n};
    if (!row_address_key(r, ROW_ADDRESS, email, &address)) {
        buf_reset(&r->scratch.text);
        if (r->m->has_key || mapping_email_key(email, &r->scratch.text) != 0)
            return 0;
        address = hash_keyed128(state_secret(r->state), r->scratch.text.p, r->scratch.text.n);
    }
    int rc = state_opted_out(r->state, &address, mark, e);
    if (rc == 1)
        *mark |= STATE_OPTED_OUT;
    return rc < 0 ? -1 : 0;
}

/* A lead that a row with another key takes over is not missing. */
static int count_kept(struct run *r, const struct known_lead *known, struct err *e)
{
    struct lead lead;
    bool wanted = false;
    int readable = row_plan_unpack(r, known->values, &r->known_arena, &lead, e);
    if (readable < 0)
        return -1;
    if (readable == 1 && lead.core[LEAD_EMAIL].kind == VALUE_STRING &&
        row_address_wanted(r, (struct str){lead.core[LEAD_EMAIL].p, lead.core[LEAD_EMAIL].n}, &wanted, e) != 0)
        return -1;
    r->missing->kept += !wanted;
    return 0;
}

static int take_unseen(struct run *r, const struct hash128 *key, const struct known_lead *known, uint64_t mark,
                       struct err *e)
{
    bool is_gone = mark == 0;
    if (is_gone && state_any_opted_out(r->state) && opted_out_elsewhere(r, known, &mark, e) != 0)
        return -1;
    size_t policy = (mark & STATE_OPTED_OUT) != 0 ? policy_of_rule(r, opt_out_rule(r, mark & ~STATE_OPTED_OUT)) : 0;
    /* A rule that keeps leads does not keep those whose own row is gone. */
    if (is_gone && policy == 0 && mirrors(r))
        mark = 0;
    if (policy > 0)
        return plan_removal(r, key, known, policy, e);
    if ((mark & STATE_OPTED_OUT) != 0 || mark == MARK_SKIPPED)
        return active_check_put(r, known, e);
    if (is_gone && keeps(r))
        return count_kept(r, known, e);
    if (mark == MARK_REJECTED || !mirrors(r))
        return 0;
    if (keyless_blocks(r)) {
        r->missing->waiting++;
        return 0;
    }
    return plan_removal(r, key, known, 0, e);
}

/* Which rows keep removals waiting, and what to do. */
static int report_waiting(struct run *r, struct err *e)
{
    struct buf text = BUF_INIT(4096);
    const struct missing_rows *g = r->missing;
    if (missing_keyless_text(r, &text) != 0) {
        buf_free(&text);
        return err_oom(e);
    }
    log_notice("%llu lead%s missing from the source and not removed, because %.*s", (unsigned long long)g->waiting,
               g->waiting == 1 ? " is" : "s are", STR_ARG(buf_str(&text)));
    buf_free(&text);
    return 0;
}

static int judge_removed(struct run *r, struct err *e)
{
    const struct missing_rows *g = r->missing;
    char advice[GUARD_ADVICE_N];
    if (g->waiting > 0 && report_waiting(r, e) != 0)
        return -1;
    if (g->kept > 0)
        log_notice("%llu lead%s missing from the source and kept (removed: keep)", (unsigned long long)g->kept,
                   g->kept == 1 ? " is" : "s are");
    if (g->unsettled > 0)
        log_notice("%llu of the removals %s under way in a run that is not settled: after `leadsync resume` the diff is exact",
                   (unsigned long long)g->unsettled, g->unsettled == 1 ? "is" : "are");
    if (!guard_judge(r, "removed", &r->m->guards.removed, g->planned > 0, g->planned, g->there))
        return 0;
    const struct guard_trip trip = {"removed", "nothing was done", "see `leadsync diff`, ", "correct the source",
                                    guard_advice("removed", g->planned, g->there, advice)};
    return guard_trip(r, &trip, e, "%llu of %llu known lead%s would be removed", (unsigned long long)g->planned,
                          (unsigned long long)g->there, text_plural(g->there));
}

/* For `status`; a complete read under another mapping takes the note away. */
static int note_kept(struct run *r, struct err *e)
{
    char text[64];
    if (r->diff != NULL || !missing_read_whole(r))
        return 0;
    snprintf(text, sizeof text, "%" PRIu64 " %" PRIu64, r->record.id, r->missing->kept);
    return state_set(r->state, STATE_LEADS_KEPT, r->missing->kept > 0 ? text : NULL, e);
}

int missing_plan(struct run *r, struct err *e)
{
    struct missing_rows *g = r->missing;
    struct unseen *unseen;
    bool all = mirrors(r) || keeps(r);
    int rc;
    /* Counted while rows were read, without knowing yet whether the read is complete. */
    if (keyless_blocks(r)) {
        g->waiting = g->rekeys;
        g->counts_n = 0;
    } else {
        g->planned = g->rekeys;
    }
    if (!all && g->wanted == 0 && g->skipped == 0)
        return note_kept(r, e);
    /* An incremental read leaves nearly all leads unseen: those are looked through in full ones. */
    bool elsewhere = (r->change.meets_other_keys || r->m->has_key) && state_any_opted_out(r->state) && strcmp(r->read.kind, "full") == 0;
    if (load_stays(r, e) != 0 || state_unseen_open(r->state, !all && !elsewhere, &unseen, e) != 0)
        return -1;
    do {
        struct hash128 key;
        struct known_lead known;
        uint64_t mark;
        arena_reset(&r->known_arena);
        rc = state_unseen_next(unseen, &key, &r->known_arena, &known, &mark, e);
        if (rc == 1 && take_unseen(r, &key, &known, mark, e) != 0)
            rc = -1;
    } while (rc == 1);
    g->there = state_unseen_live(unseen);
    state_unseen_close(unseen);
    add_up_requests(r);
    return rc != 0 || note_kept(r, e) != 0 ? -1 : judge_removed(r, e);
}

int missing_drops_retry(struct run *r, const struct entry *waiting, bool *drops, struct err *e)
{
    *drops = mirrors(r) && !keyless_blocks(r);
    /* Without a mirror what waits is sent for a row that is gone, too, but not in place of a row of the source. */
    if (!*drops && missing_read_whole(r) && row_address_has(r, waiting->email, drops, e) != 0)
        return -1;
    return *drops ? missing_end_wait(r, waiting, e) : 0;
}

int missing_end_wait(struct run *r, const struct entry *waiting, struct err *e)
{
    if (r->diff != NULL || state_retries_n(r->state) == 0)
        return 0;
    /* No row, no values, no id: all it says is that nothing waits any more. */
    struct entry entry = {.key = waiting->key, .key_text = waiting->key_text, .outcome = OUTCOME_UNCHANGED};
    return state_entry_add(r->state, r->record.id, r->targets.v[0].number, &entry, e);
}
