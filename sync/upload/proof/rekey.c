/* Another address under a known `key:`.
 *
 * Instantly cannot change a lead's address, so the row gets a new lead, and from then on the state has that one under the
 * row's key. The old one must not be forgotten: campaigns still mail it, and `removed` decides about it. In the same group
 * commit as the new lead's outcome it becomes a lead of its own, under a key that is made of its id. No row has such a
 * key, so it is gone from the source from the start: whatever dies in between, the next complete read of a mirror finds
 * it. Nothing else has to remember it, and without a mirror it simply stays.
 *
 * A row may also meet a lead that another key has: a record got another key, or rows swap their addresses. The row takes
 * the lead over when no row of the other key can want it. The other key's note and the new owner share one commit. */
#include "config.h"

#include "sync/upload/upload_int.h"

#include <string.h>

#include "sync/upload/proof/proof.h"

enum { KNOWN_MAX = 1 << 20, DETAIL_MAX = 4096 };

static struct hash128 rekey_key_of_id(struct state *s, const char *prefix, const struct uuid *id)
{
    char text[32];
    size_t n = strlen(prefix);
    memcpy(text, prefix, n);
    memcpy(text + n, id->b, sizeof id->b);
    return hash_keyed128(state_secret(s), text, n + sizeof id->b);
}

static struct hash128 rekey_old_key(struct state *s, const struct uuid *id)
{
    return rekey_key_of_id(s, "\1was:", id);
}

/* ---- what this run knows of a lead ---- */

static int rekey_mark(struct state *s, const char *what, const struct uuid *id, struct err *e)
{
    const struct hash128 key = rekey_key_of_id(s, what, id);
    return state_mark_protected(s, &key, 1, e);
}

static int rekey_is_marked(struct state *s, const char *what, const struct uuid *id, bool *is, struct err *e)
{
    const struct hash128 key = rekey_key_of_id(s, what, id);
    return state_seen(s, &key, is, e);
}

static const char LEFT[] = "\1left:", TAKEN[] = "\1taken:", REIMPORTED[] = "\1reimported:";

int upload_rekey_leaves(struct state *s, const struct uuid *id, struct err *e)
{
    return rekey_mark(s, LEFT, id, e);
}

int upload_rekey_is_taken(struct state *s, const struct uuid *id, bool *taken, struct err *e)
{
    return rekey_is_marked(s, TAKEN, id, taken, e);
}

bool upload_rekey_is_old(struct state *s, const struct entry *entry)
{
    if (!entry->has_lead_id)
        return false;
    const struct hash128 old = rekey_old_key(s, &entry->lead_id);
    return hash128_eq(&entry->key, &old);
}

static bool rekey_is_there(const struct known_lead *known)
{
    return known->has_lead_id && (known->flags & (KNOWN_REMOVED | KNOWN_DELETED_THERE)) == 0;
}

/* The note says that the key no longer has this lead. It has no effect on a key that has another lead by now. */
static int rekey_end_key(struct batch_run *b, const struct hash128 *key, const struct entry *entry, struct err *e)
{
    const struct entry end = entry_note(NOTE_TAKEN, key, &entry->lead_id);
    return state_entry_add(b->u->c.state, b->u->c.run, b->record.target, &end, e);
}

/* The note says that the key's lead was met while a write to it may still be carried out. Two such looks end the doubt: two
 * rows that swap their addresses would wait for each other's lead forever. */
static int rekey_note_met(struct batch_run *b, const struct hash128 *key, const struct uuid *id, uint32_t target,
                          struct err *e)
{
    const struct entry met = entry_note(NOTE_MET, key, id);
    return state_entry_add(b->u->c.state, b->u->c.run, target, &met, e);
}

/* The note says that values were written to the key's lead, and not whether they are there: the entry met the lead, and did not
 * take it over. */
static int rekey_note_written(struct batch_run *b, const struct entry *entry, struct err *e)
{
    struct hash128 owner;
    int rc = state_id_owner(b->u->c.state, &entry->lead_id, &owner, e);
    if (rc != 1)
        return rc;
    const struct entry written = entry_note(NOTE_WRITTEN, &owner, &entry->lead_id);
    return state_entry_add(b->u->c.state, b->u->c.run, b->record.target, &written, e);
}

/* The row's lead was another key's: rekey_meet() has found that the row may take it over. Its owner may have left it in
 * this very run, and then it is an old lead since. */
static int rekey_end_other(struct batch_run *b, const struct entry *entry, struct err *e)
{
    struct state *s = b->u->c.state;
    struct hash128 owner, old = rekey_old_key(s, &entry->lead_id);
    int rc = b->u->c.mapping->has_key || b->u->c.reidentified ? state_id_owner(s, &entry->lead_id, &owner, e) : 0;
    bool reimported = false;
    /* The state knows the reimported lead of another row under its former id only. */
    if (rc == 0 && rekey_is_marked(s, REIMPORTED, &entry->lead_id, &reimported, e) != 0)
        return -1;
    if (reimported) {
        owner = old;
        rc = 1;
    }
    if (rc != 1 || hash128_eq(&owner, &entry->key))
        return rc < 0 ? -1 : 0;
    if (rekey_end_key(b, &owner, entry, e) != 0 || (!hash128_eq(&owner, &old) && rekey_end_key(b, &old, entry, e) != 0))
        return -1;
    return b->earlier ? 0 : rekey_mark(s, TAKEN, &entry->lead_id, e);
}

int rekey_old_reimported(struct batch_run *b, uint32_t i, const struct remote_lead *remote, struct err *e)
{
    const struct upload_config *c = &b->u->c;
    const struct entry *entry = &b->record.entries[i];
    struct known_lead known;
    struct hash128 owner;
    struct arena arena;
    if (held_ids_has(&b->u->held, &remote->id) || lead_match_is_another_rows(b, entry, remote))
        return 0;
    int rc = state_id_owner(c->state, &remote->id, &owner, e);
    if (rc != 0)
        return rc < 0 ? -1 : 0;
    arena_init(&arena, KNOWN_MAX);
    rc = state_lead_get(c->state, &entry->key, &arena, &known, e);
    arena_free(&arena);
    if (rc != 1 || !rekey_is_there(&known))
        return rc < 0 ? -1 : 0;
    const struct target *target = targets_get(c->targets, c->state, known.target, e);
    if (target == NULL)
        return -1;
    if (!api_remote_is_in(remote, target))
        return 0;
    b->progress[i].old_reimported = true;
    b->progress[i].old_id = remote->id;
    return rekey_mark(c->state, REIMPORTED, &remote->id, e);
}

/* For `results`, where a new lead under a known key looks like any other that was created. */
static void rekey_explain(struct batch_run *b, uint32_t i, const struct known_lead *old, struct arena *arena)
{
    const struct entry *entry = &b->record.entries[i];
    struct buf text = BUF_INIT(DETAIL_MAX);
    struct lead lead;
    struct str address = STR_NONE;
    if (entry->detail.n > 0 || entry->outcome == OUTCOME_UNCHANGED)
        return;
    if (old->values.n > 0 && upload_unpack(b->u, old->values, arena, &lead) == 0 &&
        lead.core[LEAD_EMAIL].kind == VALUE_STRING)
        address = (struct str){lead.core[LEAD_EMAIL].p, lead.core[LEAD_EMAIL].n};
    /* The lead was imported again under another id, and the row has the address that it had. */
    if (address.n > 0 && mapping_same_address(address, entry->email))
        return;
    int bad = address.n > 0 ? buf_addf(&text, "rekey: replaces %.*s, the row's address before", STR_ARG(address))
                            : buf_adds(&text, "rekey: replaces the lead of the row's address before");
    if (bad == 0)
        batch_entry_detail(b, i, buf_str(&text));
    buf_free(&text);
}

/* The old lead becomes a lead of its own in the commit that makes the new lead's outcome durable. So a death leaves both or
 * none. */
static int rekey_keep_old(struct batch_run *b, uint32_t i, struct arena *arena, struct err *e)
{
    const struct upload_config *c = &b->u->c;
    const struct entry *entry = &b->record.entries[i];
    struct known_lead known;
    int rc = state_lead_get(c->state, &entry->key, arena, &known, e);
    if (rc != 1 || !rekey_is_there(&known))
        return rc < 0 ? -1 : 0;
    /* A record of the id that is gone could not lead to a removal if the state has the address as a hash only. */
    if (b->progress[i].old_reimported)
        known.lead_id = b->progress[i].old_id;
    if (uuid_eq(&known.lead_id, &entry->lead_id))
        return 0;
    rekey_explain(b, i, &known, arena);
    bool taken = false;
    if (!b->earlier && upload_rekey_is_taken(c->state, &known.lead_id, &taken, e) != 0)
        return -1;
    if (taken)
        return 0;
    struct entry old = {.key = rekey_old_key(c->state, &known.lead_id),
                        .key_text = known.key_text,
                        .values = known.values,
                        .hashes = known.hashes,
                        .outcome = OUTCOME_UNCHANGED,
                        .has_lead_id = true,
                        .lead_id = known.lead_id};
    if (state_entry_add(c->state, c->run, known.target, &old, e) != 0)
        return -1;
    return c->superseded != NULL && !b->earlier ? c->superseded(c->ctx, &old.key, &known, e) : 0;
}

int rekey_settle(struct batch_run *b, struct err *e)
{
    const struct upload_config *c = &b->u->c;
    struct arena arena;
    int rc = 0;
    /* What is resumed without a mapping may be of any. */
    if ((b->record.op != OP_CREATE && b->record.op != OP_MOVE) || state_leads_n(c->state) == 0 ||
        !(c->mapping->has_key || c->reidentified || b->earlier))
        return 0;
    arena_init(&arena, KNOWN_MAX);
    for (size_t i = 0; rc == 0 && i < b->record.entries_n; i++) {
        const struct entry *entry = &b->record.entries[i];
        if (b->record.op == OP_MOVE && !b->progress[i].took_double)
            continue;
        if (entry->unproved && entry->has_lead_id)
            rc = rekey_note_written(b, entry, e);
        if (!entry->has_lead_id ||
            (entry->outcome != OUTCOME_CREATED && entry->outcome != OUTCOME_CHANGED && entry->outcome != OUTCOME_UNCHANGED))
            continue;
        arena_reset(&arena);
        rc = rekey_end_other(b, entry, e) != 0 || rekey_keep_old(b, (uint32_t)i, &arena, e) != 0 ? -1 : 0;
    }
    arena_free(&arena);
    return rc;
}

enum { TAKE, WAIT, LEAVE };

/* Did a read that had the rows of both keys leave the lead to the other one? row_address_lost() notes that, or a refusal of the
 * row as it is. A row that waits has no refusal. */
static int rekey_was_left(struct batch_run *b, const struct entry *entry, bool *left, struct err *e)
{
    struct state *s = b->u->c.state;
    if (state_was_refused(s, &entry->key, state_address_hash(s, entry->email), REASON_DUPLICATE_IN_SOURCE, left, e) != 0)
        return -1;
    return *left ? 0 : state_was_refused(s, &entry->key, entry->fingerprint, REASON_DUPLICATE_IN_SOURCE, left, e);
}

/* The lead is another key's. The row takes it over when no row of that key can want it: the key was an old lead's, its row
 * has another address now, or the whole source was read without it. A removal that may still be carried out comes first. A row
 * that meets the lead of a key that was not read waits for a full read, unless one has told already. */
static int rekey_judge_owner(struct batch_run *b, uint32_t i, const struct uuid *id, const struct hash128 *owner,
                             int *verdict, struct err *e)
{
    const struct upload_config *c = &b->u->c;
    const struct hash128 old = rekey_old_key(c->state, id);
    struct known_lead known;
    struct arena arena;
    bool removes = c->mapping->mode == MODE_MIRROR && c->mapping->removed.policy != REMOVAL_KEEP;
    bool free = hash128_eq(owner, &old), seen = true, whole = c->read_whole != NULL && c->read_whole(c->ctx);
    *verdict = WAIT;
    /* What an earlier run left open is planned again, with all that this run knows. */
    if (b->earlier)
        return 0;
    if (!free && rekey_is_marked(c->state, LEFT, id, &free, e) != 0)
        return -1;
    if (!free && state_seen(c->state, owner, &seen, e) != 0)
        return -1;
    free = free || (whole && !seen);
    *verdict = free ? TAKE : LEAVE;
    bool left = false;
    if (!free && !seen && rekey_was_left(b, &b->record.entries[i], &left, e) != 0)
        return -1;
    if (!free && !seen && !left && c->wait_for_full != NULL && c->wait_for_full(c->ctx)) {
        *verdict = WAIT;
        batch_entry_detail(
            b, i, STR("another key has the lead of this address; the next sync reads the whole source and decides"));
    }
    if (!free || !removes)
        return 0;
    arena_init(&arena, KNOWN_MAX);
    int rc = state_lead_get(c->state, owner, &arena, &known, e);
    if (rc == 1 && (known.flags & KNOWN_UNSURE) != 0) {
        *verdict = WAIT;
        rc = rekey_note_met(b, owner, id, known.target, e);
    }
    arena_free(&arena);
    return rc < 0 ? -1 : 0;
}

int rekey_meet(struct batch_run *b, uint32_t i, const struct uuid *id, bool *ours, bool *conflict, struct err *e)
{
    struct upload *u = b->u;
    struct hash128 owner;
    *conflict = held_ids_has(&u->held, id);
    if (*conflict) {
        /* Two leads of one run: an answer gave one of them an id that is not its own. */
        batch_entry_done(b, i, OUTCOME_DEFERRED, REASON_OUTCOME_OPEN, 0);
        return 0;
    }
    /* Without a key of the mapping's own, the address that was found is the row's identity. */
    bool by_address = !u->c.mapping->has_key && !u->c.reidentified && !b->earlier;
    int rc = by_address ? 0 : state_id_owner(u->c.state, id, &owner, e);
    if (rc < 0)
        return -1;
    if (rc == 1)
        *ours = false;
    if (rc == 1 && !u->c.reidentified && !hash128_eq(&owner, &b->record.entries[i].key)) {
        int verdict;
        if (rekey_judge_owner(b, i, id, &owner, &verdict, e) != 0)
            return -1;
        *conflict = verdict != TAKE;
        if (verdict == WAIT)
            batch_entry_done(b, i, OUTCOME_DEFERRED, REASON_OUTCOME_OPEN, 0);
        else if (verdict == LEAVE)
            batch_entry_done(b, i, OUTCOME_SKIPPED, REASON_DUPLICATE_IN_SOURCE, 0);
    }
    /* What an earlier run left open may come again in this one, under the same key. */
    if (*conflict || b->earlier)
        return 0;
    return held_ids_add(&u->held, id) == 0 ? 0 : err_oom(e);
}
