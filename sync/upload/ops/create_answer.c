/* What an answer to leads/add proves about each lead, and what it leaves open.
 *
 * An entry of created_leads proves a lead when it names the address that was sent at its index and an id that can only be
 * this lead's: no other entry has the id, no lead of this run or of the state has it, and it was not made before the
 * request left. An entry without an address is believed only when nothing in the answer contradicts what was sent.
 *
 * Counters speak of the leads that the answer does not name, and only when the answer accounts for all that it uploaded.
 * A counter explains as many leads as it counts. */
#include "config.h"

#include "sync/upload/upload_int.h"

#include <string.h>
#include <strings.h>

#include "sync/base/log.h"
#include "sync/base/text.h"
#include "sync/upload/proof/proof.h"

/* What two clocks of the server may differ by. Its Date, which our clock is held against, has whole seconds. */
enum { CLOCK_MARGIN_MS = 2000, LEAD_MAX = 1 << 24 };

/* ---- which lead an entry names ---- */

enum naming {
    NAMES_THE_LEAD,
    NAMES_NONE, /* neither an address nor, of a lead that has none, a name */
    NAMES_ANOTHER,
};

/* The API may answer another spelling of the address. Then the normalised form decides. */
static bool create_answer_same_address(struct upload *u, struct str sent, struct str answered)
{
    if (sent.n == answered.n && strncasecmp(sent.p, answered.p, sent.n) == 0)
        return true;
    uint64_t hash = upload_email_hash(u, sent);
    return hash != 0 && hash == upload_email_hash(u, answered);
}

/* A lead without an address: its names, as far as the answer has them. */
static enum naming create_answer_by_names(struct batch_run *b, uint32_t i, const struct added_lead *added)
{
    struct lead lead;
    struct arena arena;
    bool same = false;
    if (added->first_name.n + added->last_name.n == 0)
        return NAMES_NONE;
    arena_init(&arena, LEAD_MAX);
    if (batch_entry_lead(b, i, &arena, &lead) == 0) {
        const struct value *first = &lead.core[LEAD_FIRST_NAME], *last = &lead.core[LEAD_LAST_NAME];
        same = (added->first_name.n == 0 || str_eq(added->first_name, (struct str){first->p, first->n})) &&
               (added->last_name.n == 0 || str_eq(added->last_name, (struct str){last->p, last->n}));
    }
    arena_free(&arena);
    return same ? NAMES_THE_LEAD : NAMES_ANOTHER;
}

/* The address decides before the names, because two people can share a name. */
static enum naming create_answer_names(struct batch_run *b, uint32_t i, const struct added_lead *added)
{
    struct str sent = b->record.entries[i].email;
    if (sent.n == 0)
        return added->email.n > 0 ? NAMES_ANOTHER : create_answer_by_names(b, i, added);
    if (added->email.n == 0)
        return NAMES_NONE;
    return create_answer_same_address(b->u, sent, added->email) ? NAMES_THE_LEAD : NAMES_ANOTHER;
}

/* ---- whose an id is ---- */

/* Ids of leads are version 7: the first 48 bits are milliseconds (observed). */
static bool create_answer_id_moment(const struct uuid *id, int64_t *ms)
{
    *ms = 0;
    for (size_t i = 0; i < 6; i++)
        *ms = *ms << 8 | id->b[i];
    return id->b[6] >> 4 == 7;
}

/* Asking the state may read all leads once, so it is asked only about ids that may be as old as its leads. */
static int create_answer_id_is_new(struct batch_run *b, const struct uuid *id, int64_t sent_ms, bool *is_new, struct err *e)
{
    struct upload *u = b->u;
    int64_t ms, skew_ms = b->skew_ms != 0 ? b->skew_ms : u->skew_ms;
    struct hash128 owner;
    bool dated = create_answer_id_moment(id, &ms);
    *is_new = !held_ids_has(&u->held, id) && (!dated || ms >= sent_ms + skew_ms - CLOCK_MARGIN_MS);
    if (!*is_new || (dated && ms > u->c.known_until_ms + skew_ms + CLOCK_MARGIN_MS))
        return 0;
    int rc = state_id_owner(u->c.state, id, &owner, e);
    *is_new = rc == 0;
    return rc < 0 ? -1 : 0;
}

enum { PLACES_N = 2048 };
_Static_assert(PLACES_N >= 2 * LEADS_ADD_MAX_LEADS, "a place for each lead, and as many empty ones");

/* Of entries with the same id none is believed. */
static int create_answer_refuse_twins(const struct leads_added *a, bool *proved, struct arena *arena, struct err *e)
{
    uint16_t *places = arena_calloc(arena, PLACES_N, sizeof *places);
    if (places == NULL)
        return err_oom(e);
    for (size_t c = 0; c < a->created_n; c++) {
        const struct uuid *id = &a->created[c].id;
        uint64_t halves[2];
        memcpy(halves, id->b, sizeof halves);
        size_t at = (size_t)((halves[0] ^ halves[1]) * UINT64_C(0x9e3779b97f4a7c15) >> 53);
        while (places[at] != 0 && !uuid_eq(&a->created[places[at] - 1].id, id))
            at = (at + 1) % PLACES_N;
        if (places[at] != 0)
            proved[c] = proved[places[at] - 1] = false;
        else
            places[at] = (uint16_t)(c + 1);
    }
    return 0;
}

/* ---- the answer ---- */

/* Dozens of batches are under way, and each entry and its address are out of the cache by now: fetched a few leads ahead,
 * they are there when they are looked at. */
static void create_answer_fetch_ahead(const struct batch_slice *s, const struct leads_added *a, size_t c)
{
    enum { ENTRY_AHEAD = 16, ADDRESS_AHEAD = 8 };
    const struct entry *entries = s->batch->record.entries;
    if (c + ENTRY_AHEAD < a->created_n)
        __builtin_prefetch(&entries[s->index[a->created[c + ENTRY_AHEAD].index]].email);
    if (c + ADDRESS_AHEAD < a->created_n) {
        __builtin_prefetch(entries[s->index[a->created[c + ADDRESS_AHEAD].index]].email.p);
        held_ids_prefetch(&s->batch->u->held, &a->created[c + ADDRESS_AHEAD].id);
    }
}

/* Three passes: what each entry names, which of these names can be believed, and whose ids they are. An id becomes this
 * run's in the last pass only, so that an entry that is not believed holds back no id. */
int create_answer_prove(struct batch_slice *s, const struct leads_added *a, int64_t sent_ms, struct arena *arena,
                        bool **proved, size_t *proved_n, struct err *e)
{
    struct batch_run *b = s->batch;
    size_t named_n = 0, wrong_n = 0;
    unsigned char *naming = arena_calloc(arena, a->created_n + 1, 1);
    *proved = arena_calloc(arena, a->created_n + 1, sizeof **proved);
    *proved_n = 0;
    if (naming == NULL || *proved == NULL)
        return err_oom(e);
    for (size_t c = 0; c < a->created_n; c++) {
        create_answer_fetch_ahead(s, a, c);
        naming[c] = (unsigned char)create_answer_names(b, s->index[a->created[c].index], &a->created[c]);
        named_n += a->created[c].email.n > 0;
        wrong_n += naming[c] == NAMES_ANOTHER;
    }
    for (size_t c = 0; c < a->created_n; c++) {
        /* A server that names addresses leaves none out, and one wrong index casts doubt on all. */
        bool addressed = b->record.entries[s->index[a->created[c].index]].email.n > 0;
        bool silence_is_fine = wrong_n == 0 && (!addressed || named_n == 0);
        (*proved)[c] = (naming[c] == NAMES_THE_LEAD && (addressed || wrong_n == 0)) ||
                       (naming[c] == NAMES_NONE && silence_is_fine);
    }
    if (create_answer_refuse_twins(a, *proved, arena, e) != 0)
        return -1;
    for (size_t c = 0; c < a->created_n; c++) {
        if ((*proved)[c] && create_answer_id_is_new(b, &a->created[c].id, sent_ms, &(*proved)[c], e) != 0)
            return -1;
        if ((*proved)[c] && held_ids_add(&b->u->held, &a->created[c].id) != 0)
            return err_oom(e);
        *proved_n += (*proved)[c];
    }
    return 0;
}

/* ---- what the counters explain ---- */

static void create_answer_explain_as(struct batch_slice *rest, enum outcome outcome, enum reason reason)
{
    rest->account = ACCOUNT_EXPLAINED;
    rest->absent_outcome = outcome;
    rest->absent_reason = reason;
}

/* Counters are believed only if the answer accounts for all leads that it uploaded. One counter that covers all absent
 * leads explains each of them. Several counters say nothing about a single lead, and a smaller request says more. */
void create_answer_explain(struct batch_slice *rest, const struct leads_added *a, size_t proved_n)
{
    struct batch_run *b = rest->batch;
    const struct {
        int64_t n;
        enum outcome outcome;
        enum reason reason;
    } counters[] = {
        {a->in_blocklist, OUTCOME_SKIPPED, REASON_BLOCKLISTED},
        {a->invalid_email, OUTCOME_REJECTED, REASON_INVALID_THERE},
        {a->incomplete, OUTCOME_REJECTED, REASON_INCOMPLETE},
        {a->duplicate_email, OUTCOME_SKIPPED, REASON_DUPLICATE_IN_SOURCE},
        {a->skipped, OUTCOME_SKIPPED, create_elsewhere_reason(b)},
        {a->duplicated, OUTCOME_SKIPPED, REASON_IN_TARGET},
    };
    int64_t absent_n = (int64_t)(rest->asked_n - a->created_n), sum = 0;
    size_t speaks = 0, counter = 0;
    bool accounts = proved_n == a->created_n && a->uploaded == (int64_t)proved_n;
    rest->account = accounts ? ACCOUNT_AMBIGUOUS : ACCOUNT_CLAIMED;
    rest->absent_outcome = OUTCOME_FAILED;
    rest->absent_reason = REASON_UNATTRIBUTED;
    for (size_t i = 0; i < sizeof counters / sizeof counters[0]; i++)
        if (counters[i].n > 0) {
            speaks++;
            sum += counters[i].n;
            counter = i;
        }
    if (!accounts) {
        log_warning("leads/add: the answer counts %lld uploaded lead%s and proves %zu of %zu; reading the others back",
                    (long long)a->uploaded, text_plural((unsigned long long)a->uploaded), proved_n, rest->asked_n);
    } else if (speaks == 1 && sum == absent_n) {
        create_answer_explain_as(rest, counters[counter].outcome, counters[counter].reason);
    } else if (speaks == 0 && a->remaining_in_plan == 0 && b->target.kind == TARGET_CAMPAIGN) {
        /* Took what fits and said nothing of the rest: a plan that is full does not always refuse. */
        create_answer_explain_as(rest, OUTCOME_DEFERRED, REASON_PLAN_FULL);
        b->u->plan_full[TARGET_CAMPAIGN] = true;
    } else if (sum < absent_n) {
        rest->account = ACCOUNT_SHORT;
        log_warning("leads/add: the counters of the answer explain %lld of %lld lead%s not created; reading back",
                    (long long)sum, (long long)absent_n, text_plural((unsigned long long)absent_n));
    }
}
