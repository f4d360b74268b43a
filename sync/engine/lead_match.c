/* Whose lead is it? An id that the state has may be another person's (an answer that named the wrong one), or be gone
 * while the person is there under a new id (leads that were exported and imported again). The address decides: what has
 * another one is not written to, and what has the same one is the row's lead. */
#include "config.h"

#include "sync/engine/work.h"

static bool is_text(const struct value *v)
{
    return v->kind == VALUE_STRING && v->n > 0;
}

/* The entry brings no address: the state may know the lead's, as text or as a hash. */
static bool differs_from_known(struct work *w, uint32_t i, struct str email)
{
    struct upload *u = w->u;
    const struct entry *entry = &w->batch.entries[i];
    struct known_lead known;
    struct lead lead;
    struct err e = ERR_INIT;
    arena_reset(&u->scratch);
    int rc = state_lead_get(u->c.state, &entry->key, &u->scratch, &known, &e);
    if (rc < 0)
        upload_fail(u, &e);
    err_clear(&e);
    if (rc != 1 || !known.has_lead_id || !uuid_eq(&known.lead_id, &entry->lead_id))
        return false;
    if (known.hashes.n > 0)
        return !state_address_unchanged(u->c.state, known.hashes, email);
    if (known.values.n == 0 || upload_unpack(u, known.values, &u->scratch, &lead) != 0 || !is_text(&lead.core[LEAD_EMAIL]))
        return false;
    const struct value *address = &lead.core[LEAD_EMAIL];
    return email_hash(u, (struct str){address->p, address->n}) != email_hash(u, email);
}

bool lead_match_differs(struct work *w, uint32_t i, const struct remote_lead *remote)
{
    struct aim *aim = &w->aims[i];
    struct str email = w->batch.entries[i].email;
    if (remote->email.n == 0)
        return false;
    if (email.n == 0)
        return differs_from_known(w, i, remote->email);
    if (aim->email_hash == 0)
        aim->email_hash = email_hash(w->u, email);
    return aim->email_hash != 0 && email_hash(w->u, remote->email) != aim->email_hash;
}

bool lead_match_relink(struct work *w, uint32_t i, const struct uuid *id)
{
    struct entry *entry = &w->batch.entries[i];
    struct hash128 owner;
    struct err e = ERR_INIT;
    int rc = state_id_owner(w->u->c.state, id, &owner, &e);
    if (rc < 0)
        upload_fail(w->u, &e);
    err_clear(&e);
    if (rc < 0 || (rc == 1 && !hash128_eq(&owner, &entry->key)))
        return false;
    entry->has_lead_id = true;
    entry->lead_id = *id;
    return true;
}
