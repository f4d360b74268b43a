/* Leads that are no longer wanted: their row is missing from the source (mode mirror), or a rule of skip_when matches it
 * (`then: delete` or `move_to`).
 *
 * Only a complete read of the whole source shows which rows are missing, and only if nearly all its rows have a key
 * (guards.keyless): a row without a key could be the row of any lead. A skipped row shows by itself that it is skipped, so
 * any read does, except a partial --input. */
#include "config.h"

#include "sync/pipeline/run_int.h"
#include "sync/upload/cost.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sync/base/log.h"
#include "sync/base/text.h"
#include "sync/plan/eligibility.h"

/* Marks of state_mark_protected(). */
enum { MARK_REJECTED = 1, MARK_SKIPPED };
enum { KEYLESS_SHOWN = 3 }; /* Rows named in a message. */
enum { WAITING_LISTED = 1000 };
enum { PLACES_MAX = 1 << 20, DETAIL_MAX = 1 << 20 };

/* Removals that share requests. A dry run counts them to estimate the requests. */
struct removal_count {
    enum op op;
    uint32_t from, to;
    uint64_t n;
};

struct missing_rows {
    bool spares;                   /* The state has leads or retry rows that a row could keep from being removed. */
    uint64_t keyless;              /* Rows without a usable key, except those that a rule of skip_when matches. */
    uint64_t where[KEYLESS_SHOWN]; /* The lines of the first of them, or their row numbers if the source has no lines. */
    bool has_lines;
    uint64_t skipped;   /* Rows that were skipped. */
    uint64_t wanted;    /* Rows that opt out and want an existing lead removed. */
    uint64_t rekeys;    /* Leads whose place another lead takes. */
    uint64_t planned;   /* Leads to remove. */
    uint64_t unsettled; /* Those of them that an earlier, unsettled run may have removed. Counted in a dry run. */
    uint64_t waiting;   /* Missing leads that stay because too many rows have no key. */
    uint64_t kept;      /* Missing leads that stay because of `removed: keep`. */
    uint64_t there;     /* Leads that the state knows to be in Instantly. */
    bool stays_known;   /* Leads that could not move, because the destination has their address, are not tried again. */
    struct removal_count *counts; /* Owned. Counted in a dry run. */
    size_t counts_n;
};

/* Keys of rejected and skipped rows are kept only if the state has something that they could protect. */
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

/* True if this read shows which leads to remove: a full read, by the same row key as before. */
static bool mirrors(const struct run *r)
{
    return !r->change.key && targets_policy(r->m, 0)->policy != REMOVAL_KEEP && strcmp(r->read.kind, "full") == 0;
}

/* True for a mirror with `removed: keep`: missing leads are only counted. */
static bool keeps(struct run *r)
{
    return !r->change.key && r->m->mode == MODE_MIRROR && r->m->removed.policy == REMOVAL_KEEP && missing_read_whole(r);
}

/* True if too many rows have no key, so that no lead counts as missing. Known at the end of the source. */
static bool keyless_blocks(const struct run *r)
{
    return guard_exceeds(&r->m->guards.keyless, r->missing->keyless, r->tally->read - r->tally->retried);
}

int missing_keyless_text(const struct run *r, struct buf *out)
{
    const struct missing_rows *g = r->missing;
    uint64_t shown = g->keyless < KEYLESS_SHOWN ? g->keyless : KEYLESS_SHOWN;
    const char *what = g->has_lines ? "line" : "row";
    int bad = buf_addf(out, "%llu row%s no usable key (%s%s ", (unsigned long long)g->keyless,
                       g->keyless == 1 ? " has" : "s have", what, g->keyless == 1 ? "" : "s");
    for (uint64_t i = 0; i < shown; i++)
        bad |= buf_addf(out, "%s%llu", i > 0 ? ", " : "", (unsigned long long)g->where[i]);
    bad |= buf_addf(out, "%s): correct %s, leave %s out with skip_when, or allow them with --guard keyless=%llu",
                    g->keyless > shown ? ", ..." : "", g->keyless == 1 ? "it" : "them", g->keyless == 1 ? "it" : "them",
                    (unsigned long long)g->keyless);
    /* The guard judges only removals that do not wait, so its verdict of a later night is announced now. */
    if (guard_exceeds(&r->m->guards.removed, g->waiting, g->there))
        bad |= buf_addf(out, "; then guard `removed` would stop the run: %llu of %llu known leads would be removed",
                        (unsigned long long)g->waiting, (unsigned long long)g->there);
    return bad;
}

/* ---- while rows are read ---- */

/* The policy of targets_policy() by which the rule removes existing leads; 0: it removes none. */
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

/* A row that cannot be used still shows that its lead is in the source. A row without a key could be the row of any lead,
 * so such rows are counted, and too many of them prevent all removals. */
int missing_protect(struct run *r, const struct mapped *mapped, const struct entry *entry, struct err *e)
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
    return state_mark_protected(r->state, &entry->key, rejected ? MARK_REJECTED : MARK_SKIPPED, e);
}

int missing_protect_key(struct run *r, const struct hash128 *key, struct err *e)
{
    return r->missing->spares ? state_mark_protected(r->state, key, MARK_REJECTED, e) : 0;
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
        /* A DELETE is preceded and followed by a read of the leads. */
        uint64_t requests = count->op == OP_REMOVE ? 3 : 1;
        r->dry.summary.requests_remove += requests * ((count->n + batch - 1) / batch);
        r->dry.summary.move_reads += count->op == OP_REMOVE ? 0 : cost_move_reads(count->n);
        r->dry.summary.remove += count->n;
        r->dry.summary.most.remove += count->op == OP_REMOVE ? cost_remove_most(count->n) : cost_move_most(count->n);
    }
}

/* Compares the destinations of removed leads with those of the last run. If they differ, or with --full, leads that could
 * not move then are tried again. */
static int load_stays(struct run *r, struct err *e)
{
    static const char name[] = "stays_for";
    struct buf places = BUF_INIT(PLACES_MAX);
    const struct removal *removal;
    const char *before;
    int rc = 0;
    for (size_t i = 0; rc == 0 && (removal = targets_policy(r->m, i)) != NULL; i++)
        if (removal->policy == REMOVAL_MOVE)
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

/* False for a lead that is already in the destination, or whose id is not known. */
static bool may_be_removed(const struct known_lead *known, const struct run_target *to)
{
    if (!known->has_lead_id || (to != NULL && to->number == known->target))
        return false;
    /* A lead that bounced or unsubscribed does not move into a campaign. */
    return to == NULL || to->target.kind != TARGET_CAMPAIGN || lead_status_reason(known->status) == REASON_NONE;
}

/* The destination had a lead with the same address, so the move cannot succeed. It is not tried again until the destination
 * or `if_there` changes. */
static bool stays(const struct run *r, const struct known_lead *known, size_t i)
{
    const struct removal *removal = targets_policy(r->m, i);
    return r->missing->stays_known && (known->flags & KNOWN_STAYS) != 0 && removal->policy == REMOVAL_MOVE &&
           !removal->delete_if_there;
}

bool missing_read_whole(void *ctx)
{
    const struct run *r = ctx;
    return r->missing != NULL && r->read.ended && !run_is_partial(r) && !keyless_blocks(r) && r->read.kind != NULL &&
           strcmp(r->read.kind, "full") == 0;
}

/* Plans to remove the lead by policy i; `why` is the detail that results and a diff show. */
static int plan_removal(struct run *r, const struct hash128 *key, const struct known_lead *known, size_t i, struct str why,
                        struct err *e)
{
    const struct run_target *to = targets_of_policy(&r->targets, r->m, i);
    struct lead lead;
    if (!may_be_removed(known, to))
        return 0;
    struct planned p = {
        .op = to != NULL ? OP_MOVE : OP_REMOVE,
        .target = to != NULL ? to->number : known->target,
        .from = known->target,
        .entry = {.key = *key, .key_text = known->key_text, .has_lead_id = true, .lead_id = known->lead_id, .detail = why},
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
        r->left.hands_over = true; /* A row with another key takes the lead over. */
        return 0;
    }
    if (r->diff != NULL && count_removal(r->missing, p.op, p.from, p.target, e) != 0)
        return -1;
    r->missing->planned++;
    r->missing->unsettled += known->unsettled;
    if (r->diff == NULL)
        return phases_put(r, &p, e);
    return missing_show_removal(r, &p, readable == 1 ? &lead : NULL, !known->unsettled, e);
}

/* The old lead of a row with another address is removed after the new one is created, as `removed` says. */
int missing_rekey(struct run *r, const struct known_lead *old, struct err *e)
{
    const struct run_target *to = targets_of_policy(&r->targets, r->m, 0);
    if (!mirrors(r) || !may_be_removed(old, to) || (old->flags & (KNOWN_REMOVED | KNOWN_DELETED_THERE)) != 0)
        return 0;
    r->missing->rekeys++;
    r->left.hands_over = true; /* If the new lead has to wait, the next full read removes the old one. */
    return r->diff == NULL ? 0
                           : count_removal(r->missing, to != NULL ? OP_MOVE : OP_REMOVE, old->target,
                                           to != NULL ? to->number : old->target, e);
}

uint64_t missing_rekeys(const struct run *r)
{
    return r->missing->rekeys;
}

int missing_superseded(void *ctx, const struct hash128 *key, const struct known_lead *old, struct err *e)
{
    struct run *r = ctx;
    /* Batches of earlier runs are settled before the first row; their old leads are found at the end like other missing ones. */
    if (r->missing == NULL || !mirrors(r) || keyless_blocks(r))
        return 0;
    return plan_removal(r, key, old, 0, STR_NONE, e);
}

/* Sets *mark if a row with the lead's address, but another key, opts out. With `key:` another record of the person may do so,
 * and after a change of the key the state knows leads under their old keys. */
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

/* Counts a missing lead that stays, unless a row with another key takes it over. */
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

/* Plans to remove the lead, because a rule of skip_when matches a row of its person. */
static int plan_opt_out(struct run *r, const struct hash128 *key, const struct known_lead *known, size_t policy,
                        uint64_t mark, struct err *e)
{
    struct buf why = BUF_INIT(DETAIL_MAX);
    int rc = opt_out_text(r, mark, &why) != 0 ? err_oom(e) : plan_removal(r, key, known, policy, buf_str(&why), e);
    buf_free(&why);
    return rc;
}

/* Lists the first leads that wait in `results`. Without a key, so that nothing that is known of the lead changes. */
static int note_waiting(struct run *r, const struct known_lead *known, struct err *e)
{
    const struct entry entry = {
        .key_text = known->key_text,
        .has_lead_id = known->has_lead_id,
        .lead_id = known->lead_id,
        .outcome = OUTCOME_DEFERRED,
        .reason = REASON_INTERRUPTED,
        .detail = STR("no row in the source; not removed while rows have no usable key"),
    };
    if (r->diff != NULL)
        return missing_show_waiting(r, known, e);
    if (r->missing->waiting > WAITING_LISTED)
        return 0;
    return state_entry_add(r->state, r->record.id, known->target, &entry, e);
}

static int take_unseen(struct run *r, const struct hash128 *key, const struct known_lead *known, uint64_t mark,
                       struct err *e)
{
    bool is_missing = mark == 0;
    if (is_missing && state_any_opted_out(r->state) && opted_out_elsewhere(r, known, &mark, e) != 0)
        return -1;
    size_t policy = (mark & STATE_OPTED_OUT) != 0 ? policy_of_rule(r, opt_out_rule(r, mark & ~STATE_OPTED_OUT)) : 0;
    /* A rule that keeps leads does not keep those whose own row is missing. */
    if (is_missing && policy == 0 && mirrors(r))
        mark = 0;
    if (policy > 0)
        return plan_opt_out(r, key, known, policy, mark & ~STATE_OPTED_OUT, e);
    if ((mark & STATE_OPTED_OUT) != 0 || mark == MARK_SKIPPED)
        return active_check_put(r, known, e);
    if (is_missing && keeps(r))
        return count_kept(r, known, e);
    if (mark == MARK_REJECTED || !mirrors(r))
        return 0;
    if (keyless_blocks(r)) {
        r->missing->waiting++;
        return note_waiting(r, known, e);
    }
    return plan_removal(r, key, known, 0, STR(DIFF_NO_ROW), e);
}

/* Reports which rows delay removals, and what to do about them. */
static int report_waiting(struct run *r, struct err *e)
{
    struct buf text = BUF_INIT(4096);
    const struct missing_rows *g = r->missing;
    if (missing_keyless_text(r, &text) != 0) {
        buf_free(&text);
        return err_oom(e);
    }
    log_notice("%llu of %llu known lead%s %s missing from the source and not removed, because %.*s",
               (unsigned long long)g->waiting, (unsigned long long)g->there, text_plural(g->there),
               g->waiting == 1 ? "is" : "are", STR_ARG(buf_str(&text)));
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
        log_notice(
            "%llu of the removals %s under way in a run that is not settled: after `leadsync resume` the diff is exact",
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
    /* The rekeys were counted while rows were read, when it was not known whether the read would be complete. */
    if (keyless_blocks(r)) {
        g->waiting = g->rekeys;
        g->counts_n = 0;
    } else {
        g->planned = g->rekeys;
    }
    if (!all && g->wanted == 0 && g->skipped == 0)
        return note_kept(r, e);
    /* An incremental read leaves nearly all leads unseen, so only a full read looks through them for opt-outs. */
    bool elsewhere = (r->change.meets_other_keys || r->m->has_key) && state_any_opted_out(r->state) &&
                     strcmp(r->read.kind, "full") == 0;
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
    /* Without a mirror a waiting row is sent although the source no longer has it, unless a row of the source has its address. */
    if (!*drops && missing_read_whole(r) && row_address_has(r, waiting->email, drops, e) != 0)
        return -1;
    return *drops ? missing_end_wait(r, waiting, e) : 0;
}

int missing_end_wait(struct run *r, const struct entry *waiting, struct err *e)
{
    if (r->diff != NULL || state_retries_n(r->state) == 0)
        return 0;
    struct entry entry = entry_note_status(&waiting->key, REASON_NONE);
    entry.key_text = waiting->key_text;
    return state_entry_add(r->state, r->record.id, r->targets.v[0].number, &entry, e);
}
