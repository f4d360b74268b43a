/* Whose lead is it? An id that the state has may be another person's (an answer that named the wrong one), or be gone
 * while the person is there under a new id (leads that were exported and imported again). The address decides: what has
 * another one is not written to, and what has the same one is the row's lead. */
#include "config.h"

#include "sync/upload/upload_int.h"

#include "sync/upload/proof/proof.h"

enum { CREATED_MARGIN_MS = 2000, KNOWN_MAX = 1 << 24 };

static bool lead_match_is_text(const struct value *v)
{
    return v->kind == VALUE_STRING && v->n > 0;
}

/* The entry brings no address: the state may know the lead's, as text or as a hash. */
static bool lead_match_differs_from_known(struct batch_run *b, uint32_t i, struct str email)
{
    struct upload *u = b->u;
    const struct entry *entry = &b->record.entries[i];
    struct known_lead known;
    struct lead lead;
    struct err e = ERR_INIT;
    struct arena arena;
    bool differs = false;
    arena_init(&arena, KNOWN_MAX);
    int rc = state_lead_get(u->c.state, &entry->key, &arena, &known, &e);
    if (rc < 0)
        upload_fail(u, &e);
    err_clear(&e);
    bool same_id = rc == 1 && known.has_lead_id && uuid_eq(&known.lead_id, &entry->lead_id);
    const struct value *address = &lead.core[LEAD_EMAIL];
    if (same_id && known.hashes.n > 0)
        differs = !state_address_unchanged(u->c.state, known.hashes, email);
    else if (same_id && known.values.n > 0 && upload_unpack(u, known.values, &arena, &lead) == 0 &&
             lead_match_is_text(address))
        differs = upload_email_hash(u, (struct str){address->p, address->n}) != upload_email_hash(u, email);
    arena_free(&arena);
    return differs;
}

/* Does the lead carry another row's key? One without a key may have lost it to another tool. */
static bool lead_match_key_differs(struct batch_run *b, const struct entry *entry, const struct remote_lead *remote)
{
    struct state *s = b->u->c.state;
    struct value key;
    api_remote_custom(remote, STR("leadsync_key"), &key);
    if (!lead_match_is_text(&key) || hash128_is_zero(&entry->key))
        return false;
    if (entry->key_text.n > 0)
        return !str_eq((struct str){key.p, key.n}, entry->key_text);
    const struct hash128 hash = hash_keyed128(state_secret(s), key.p, key.n);
    return !hash128_eq(&hash, &entry->key) && !upload_rekey_is_old(s, entry);
}

bool lead_match_differs(struct batch_run *b, uint32_t i, const struct remote_lead *remote)
{
    struct entry_progress *progress = &b->progress[i];
    struct str email = b->record.entries[i].email;
    if (remote->email.n == 0)
        return email.n > 0 || lead_match_key_differs(b, &b->record.entries[i], remote);
    if (email.n == 0)
        return lead_match_differs_from_known(b, i, remote->email);
    if (progress->email_hash == 0)
        progress->email_hash = upload_email_hash(b->u, email);
    return progress->email_hash != 0 && upload_email_hash(b->u, remote->email) != progress->email_hash;
}

/* Does the lead carry the key of the entry's own row? A lead that a rekey left carries it too, but has another key in the state. */
static bool lead_match_carries_key(struct batch_run *b, const struct entry *entry, const struct remote_lead *remote)
{
    struct value key;
    api_remote_custom(remote, STR("leadsync_key"), &key);
    if (!lead_match_is_text(&key))
        return false;
    const struct hash128 hash = hash_keyed128(state_secret(b->u->c.state), key.p, key.n);
    return hash128_eq(&hash, &entry->key);
}

bool lead_match_is_another_rows(struct batch_run *b, const struct entry *entry, const struct remote_lead *remote)
{
    const struct upload *u = b->u;
    return u->c.mapping->has_key && !lead_match_carries_key(b, entry, remote) &&
           (lead_match_key_differs(b, entry, remote) ||
            remote->created_ms >= u->started_ms + u->skew_ms - CREATED_MARGIN_MS);
}

/* An id that another key has in the state is the lead of that key's row, and stays so. */
bool lead_match_relink(struct batch_run *b, uint32_t i, const struct remote_lead *remote)
{
    struct entry *entry = &b->record.entries[i];
    struct hash128 owner;
    struct err e = ERR_INIT;
    if (hash128_is_zero(&entry->key) || lead_match_is_another_rows(b, entry, remote))
        return false;
    int rc = state_id_owner(b->u->c.state, &remote->id, &owner, &e);
    if (rc < 0)
        upload_fail(b->u, &e);
    err_clear(&e);
    if (rc < 0 || (rc == 1 && !hash128_eq(&owner, &entry->key)))
        return false;
    entry->has_lead_id = true;
    entry->lead_id = remote->id;
    return true;
}
