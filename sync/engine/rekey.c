/* Another address under a known `key:`.
 *
 * Instantly cannot change a lead's address, so the row gets a new lead, and from then on the state has that one under the
 * row's key. The old one must not be forgotten: it is mailed on, and `removed` says what becomes of it. In the same group
 * commit as the new lead's outcome it becomes a lead of its own, under a key that is made of its id. No row has such a
 * key, so it is gone from the source from the start: whatever dies in between, the next complete read of a mirror finds
 * it. Nothing else has to remember it, and without a mirror it simply stays. */
#include "config.h"

#include "sync/engine/work.h"

#include <string.h>

enum { KNOWN_MAX = 1 << 20 };

static struct hash128 old_key(struct state *s, const struct uuid *id)
{
    char text[] = "\1was:................";
    memcpy(text + sizeof text - 1 - sizeof id->b, id->b, sizeof id->b);
    return hash_keyed128(state_secret(s), text, sizeof text - 1);
}

bool rekey_is_old(struct state *s, const struct entry *entry)
{
    if (!entry->has_lead_id)
        return false;
    const struct hash128 old = old_key(s, &entry->lead_id);
    return hash128_eq(&entry->key, &old);
}

static bool is_there(const struct known_lead *known)
{
    return known->has_lead_id && (known->flags & (KNOWN_REMOVED | KNOWN_DELETED_THERE)) == 0;
}

/* The row's new lead is one that was kept as an old one: an address that came back. Or it was another key's in the time
 * when the mapping had other keys: then it is this row's now. */
static int end_other(struct work *w, const struct entry *entry, struct arena *arena, struct err *e)
{
    struct state *s = w->u->c.state;
    struct known_lead known;
    struct entry end = {.key = old_key(s, &entry->lead_id), .outcome = OUTCOME_UNCHANGED, .reason = REASON_DELETED_THERE};
    int rc = entry->outcome == OUTCOME_CREATED ? 0 : 1;
    if (rc == 1 && w->u->c.reidentified)
        rc = state_id_owner(s, &entry->lead_id, &end.key, e);
    if (rc == 1)
        rc = hash128_eq(&end.key, &entry->key) ? 0 : state_lead_get(s, &end.key, arena, &known, e);
    if (rc != 1 || !is_there(&known))
        return rc < 0 ? -1 : 0;
    return state_entry_add(s, w->u->c.run, known.target, &end, e);
}

static int keep_old(struct work *w, const struct entry *entry, struct arena *arena, struct err *e)
{
    const struct upload_config *c = &w->u->c;
    struct known_lead known;
    int rc = state_lead_get(c->state, &entry->key, arena, &known, e);
    if (rc != 1 || !is_there(&known) || uuid_eq(&known.lead_id, &entry->lead_id))
        return rc < 0 ? -1 : 0;
    struct entry old = {.key = old_key(c->state, &known.lead_id), .key_text = known.key_text, .values = known.values,
                        .outcome = OUTCOME_UNCHANGED, .has_lead_id = true, .lead_id = known.lead_id};
    if (state_entry_add(c->state, c->run, known.target, &old, e) != 0)
        return -1;
    return c->superseded != NULL && !w->earlier ? c->superseded(c->ctx, &old.key, &known, e) : 0;
}

int rekey_settle(struct work *w, struct err *e)
{
    const struct upload_config *c = &w->u->c;
    struct arena arena;
    int rc = 0;
    /* What is resumed without a mapping may be of any. */
    if (w->batch.op != OP_CREATE || !(c->mapping->has_key || c->reidentified || w->earlier) || state_leads_n(c->state) == 0)
        return 0;
    arena_init(&arena, KNOWN_MAX);
    for (size_t i = 0; rc == 0 && i < w->batch.entries_n; i++) {
        const struct entry *entry = &w->batch.entries[i];
        if (!entry->has_lead_id || (entry->outcome != OUTCOME_CREATED && entry->outcome != OUTCOME_CHANGED &&
                                    entry->outcome != OUTCOME_UNCHANGED))
            continue;
        arena_reset(&arena);
        rc = end_other(w, entry, &arena, e) != 0 || keep_old(w, entry, &arena, e) != 0 ? -1 : 0;
    }
    arena_free(&arena);
    return rc;
}

/* Left over from a rekey, a lead is about to be removed, where the mapping removes: all but one that stays. */
static int is_to_go(struct work *w, const struct hash128 *old, bool *goes, struct err *e)
{
    const struct upload_config *c = &w->u->c;
    struct known_lead known;
    struct arena arena;
    *goes = c->mapping->mode == MODE_MIRROR && c->mapping->removed.policy != GONE_KEEP;
    if (!*goes || c->stays == NULL)
        return 0;
    arena_init(&arena, KNOWN_MAX);
    int rc = state_lead_get(c->state, old, &arena, &known, e);
    *goes = rc != 1 || !c->stays(c->ctx, &known);
    arena_free(&arena);
    return rc < 0 ? -1 : 0;
}

/* The lead is another row's. */
static void end_meeting(struct work *w, uint32_t i, bool left_over)
{
    /* What an earlier run left open is planned again, with all that this run knows. */
    if (left_over || w->earlier)
        work_entry_done(w, i, OUTCOME_DEFERRED, REASON_OUTCOME_OPEN, 0);
    else
        work_entry_done(w, i, OUTCOME_SKIPPED, REASON_DUPLICATE_IN_SOURCE, 0);
}

int rekey_meet(struct work *w, uint32_t i, const struct uuid *id, bool *ours, bool *conflict, struct err *e)
{
    struct upload *u = w->u;
    const struct hash128 old = old_key(u->c.state, id);
    struct hash128 owner;
    *conflict = held_ids_has(&u->held, id);
    if (*conflict) {
        /* Two leads of one run: an answer gave one of them an id that is not its own. */
        work_entry_done(w, i, OUTCOME_DEFERRED, REASON_OUTCOME_OPEN, 0);
        return 0;
    }
    /* Without a key of the mapping's own, the address that was found is the row's identity. */
    bool by_address = !u->c.mapping->has_key && !u->c.reidentified && !w->earlier;
    int rc = by_address ? 0 : state_id_owner(u->c.state, id, &owner, e);
    if (rc < 0)
        return -1;
    if (rc == 1)
        *ours = false;
    if (rc == 1 && !u->c.reidentified && !hash128_eq(&owner, &w->batch.entries[i].key)) {
        /* One that was left over from a rekey belongs to no row, unless it is about to be removed. */
        bool left_over = hash128_eq(&owner, &old), removes = true;
        if (left_over && is_to_go(w, &old, &removes, e) != 0)
            return -1;
        *conflict = !left_over || removes;
        if (*conflict)
            end_meeting(w, i, left_over);
    }
    /* What an earlier run left open may come again in this one, under the same key. */
    if (*conflict || w->earlier)
        return 0;
    return held_ids_add(&u->held, id) == 0 ? 0 : err_oom(e);
}
