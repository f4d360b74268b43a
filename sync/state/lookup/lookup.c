/* A row's key against what is remembered of it: the index or the lead table, the refusals and the retry table, and with
 * STATE_READ what is not merged yet. lookup_load.c has made ready what is asked here. */
#include "config.h"

#include "sync/state/lookup/lookup.h"

/* ---- what is stored of a key ---- */

/* A lead as the lead table or its index has it. */
struct stored {
    bool known;
    int64_t slot; /* when indexed */
    uint64_t n;   /* when not */
    uint64_t fingerprint;
};

static int find_lead(struct state *s, const struct hash128 *key, struct stored *out, struct err *e)
{
    const struct lookup *l = s->lookup;
    sqlite3_stmt *st;
    *out = (struct stored){.slot = -1};
    if (l->indexed) {
        int found = index_find(&l->leads, key, &out->slot, &out->fingerprint, e);
        out->known = found == 1;
        return found < 0 ? -1 : 0;
    }
    int rc = db_query(&s->main, &st, e, "SELECT fingerprint, n FROM leads WHERE key = ?", "k", key);
    if (rc != 1)
        return rc;
    out->known = true;
    out->fingerprint = (uint64_t)sqlite3_column_int64(st, 0);
    out->n = (uint64_t)sqlite3_column_int64(st, 1);
    sqlite3_reset(st);
    return 0;
}

static bool bit_is_set(const unsigned char *bits, uint64_t n)
{
    return (bits[n / 8] >> (n % 8) & 1) != 0;
}

/* Has this run met the key? 1/0/-1; *row where known. */
static int is_seen(struct lookup *l, const struct hash128 *key, const struct stored *lead, uint64_t *row, struct err *e)
{
    if (lead->known && l->indexed)
        return index_seen(&l->leads, lead->slot);
    if (lead->known && lead->n < l->met_n)
        return bit_is_set(l->met, lead->n);
    return seen_find(&l->seen, key, row, e);
}

/* As is_seen(), and marks it. */
static int see(struct lookup *l, const struct hash128 *key, const struct stored *lead, uint64_t row, uint64_t *first_row,
               struct err *e)
{
    bool bit = lead->known && (l->indexed || lead->n < l->met_n);
    if (!bit)
        return seen_put(&l->seen, key, row, first_row, e);
    int seen = is_seen(l, key, lead, first_row, e);
    if (seen != 0)
        return seen;
    if (l->indexed)
        index_mark(&l->leads, lead->slot);
    else
        l->met[lead->n / 8] = (unsigned char)(l->met[lead->n / 8] | 1u << (lead->n % 8));
    return 0;
}

static int find_refusal(struct state *s, const struct hash128 *key, uint64_t fingerprint, struct remembered *out,
                        struct err *e)
{
    const struct lookup *l = s->lookup;
    uint64_t reason = UINT64_MAX;
    if (l->options.ignore_refusals || s->id.refusals_n == 0)
        return 0;
    if (l->indexed) {
        int64_t slot;
        uint64_t refused;
        int found = index_find(&l->refused, key, &slot, &refused, e);
        if (found != 1)
            return found;
        reason = refused ^ lookup_mixed(fingerprint);
    } else {
        sqlite3_stmt *st;
        int rc = db_query(&s->main, &st, e,
                          "SELECT reason FROM refusals WHERE key = ? AND fingerprint = ? AND context = ? AND at_ms >= ?",
                          "kuui", key, fingerprint, l->options.refusal_context, l->options.refusals_since_ms);
        if (rc != 1)
            return rc;
        reason = (uint64_t)sqlite3_column_int64(st, 0);
        sqlite3_reset(st);
    }
    if (reason < REASON_N) {
        out->kind = REMEMBERED_REFUSED;
        out->reason = (enum reason)reason;
    }
    return 0;
}

int state_was_refused(struct state *s, const struct hash128 *key, uint64_t fingerprint, enum reason reason, bool *was,
                      struct err *e)
{
    struct remembered found = {.kind = REMEMBERED_NOTHING};
    int rc = find_refusal(s, key, fingerprint, &found, e);
    *was = rc == 0 && found.kind == REMEMBERED_REFUSED && found.reason == reason;
    return rc < 0 ? -1 : 0;
}

/* Says in `out` that the key waits. Only to a reader it is also an answer: a run takes what waits after its source. */
static int find_retry(struct state *s, const struct hash128 *key, uint64_t fingerprint, struct remembered *out,
                      struct err *e)
{
    const struct lookup *l = s->lookup;
    uint64_t waiting;
    if (s->id.retries_n == 0)
        return 0;
    if (l->indexed) {
        int64_t slot;
        int found = index_find(&l->retries, key, &slot, &waiting, e);
        if (found != 1)
            return found;
    } else {
        sqlite3_stmt *st;
        int rc = db_query(&s->main, &st, e, "SELECT fingerprint FROM retries WHERE key = ?", "k", key);
        if (rc != 1)
            return rc;
        waiting = (uint64_t)sqlite3_column_int64(st, 0);
        sqlite3_reset(st);
    }
    out->waits = true;
    if (s->access == STATE_READ && waiting == fingerprint && out->kind != REMEMBERED_SAME)
        out->kind = REMEMBERED_RETRY;
    return 0;
}

/* A lead of ours with another fingerprint may still be one whose new form was refused, or waits to be tried again. */
static int find_stored(struct state *s, const struct hash128 *key, const struct stored *lead, uint64_t fingerprint,
                       struct remembered *out, struct err *e)
{
    if (lead->known)
        out->kind = lead->fingerprint == fingerprint && fingerprint != 0 ? REMEMBERED_SAME : REMEMBERED_OTHER;
    if (out->kind != REMEMBERED_SAME && find_refusal(s, key, fingerprint, out, e) < 0)
        return -1;
    return out->kind != REMEMBERED_REFUSED ? find_retry(s, key, fingerprint, out, e) : 0;
}

/* The journal is newer than the tables: an open request decides before all, and what it has dropped is not looked up. */
static int find_overlaid(struct state *s, const struct overlay_lead *lead, const struct hash128 *key, uint64_t fingerprint,
                         struct remembered *out, struct err *e)
{
    const struct fold *f = &lead->fold;
    out->kind = f->known ? REMEMBERED_OTHER : REMEMBERED_NOTHING;
    if (f->open) {
        out->kind = REMEMBERED_OPEN;
    } else if (f->known && f->fingerprint == fingerprint && fingerprint != 0) {
        out->kind = REMEMBERED_SAME;
    } else {
        if (f->refusal == FOLD_KEEP && find_refusal(s, key, fingerprint, out, e) < 0)
            return -1;
        if (f->refusal == FOLD_PUT && f->refusal_fingerprint == fingerprint && !s->lookup->options.ignore_refusals) {
            out->kind = REMEMBERED_REFUSED;
            out->reason = f->refusal_reason;
        }
        if (out->kind == REMEMBERED_REFUSED)
            return 0;
        if (f->retry == FOLD_PUT && f->retry_fingerprint == fingerprint)
            out->kind = REMEMBERED_RETRY;
        return f->retry == FOLD_KEEP ? find_retry(s, key, fingerprint, out, e) : 0;
    }
    return 0;
}

/* ---- lookups ---- */

void state_lookup_soon(const struct state *s, const struct hash128 *key)
{
    const struct lookup *l = s->lookup;
    if (l == NULL)
        return;
    if (l->indexed)
        index_prefetch(&l->leads, key);
    seen_prefetch(&l->seen, key);
}

/* Marks the key as met before it answers. So the second row of a key is recognised, and a lead whose key was never met is
 * missing from the source. */
int state_lookup(struct state *s, const struct hash128 *key, uint64_t fingerprint, uint64_t row, struct remembered *out,
                 struct err *e)
{
    struct lookup *l = s->lookup;
    *out = (struct remembered){.kind = REMEMBERED_NOTHING};
    if (l == NULL)
        return err_set(e, XS_INTERNAL, "state_lookup() before state_lookup_start(); please report this");
    struct stored lead;
    if (find_lead(s, key, &lead, e) < 0)
        return -1;
    int seen = see(l, key, &lead, row, &out->first_row, e);
    if (seen != 0) {
        out->kind = REMEMBERED_SEEN;
        return seen < 0 ? -1 : 0;
    }
    if (lookup_is_forgotten(l, key)) {
        out->kind = REMEMBERED_FORGOTTEN;
        return 0;
    }
    const struct overlay_lead *overlaid = l->overlay.n > 0 ? overlay_find(&l->overlay, key) : NULL;
    return overlaid != NULL ? find_overlaid(s, overlaid, key, fingerprint, out, e)
                            : find_stored(s, key, &lead, fingerprint, out, e);
}

int lookup_seen(struct state *s, const struct hash128 *key, struct err *e)
{
    struct lookup *l = s->lookup;
    if (l == NULL)
        return 0;
    struct stored lead;
    return find_lead(s, key, &lead, e) < 0 ? -1 : is_seen(l, key, &lead, NULL, e);
}

int lookup_protected(struct state *s, const struct hash128 *key, uint64_t *mark, struct err *e)
{
    return s->lookup == NULL ? 0 : seen_find(&s->lookup->protected, key, mark, e);
}

int state_mark_protected(struct state *s, const struct hash128 *key, uint64_t mark, struct err *e)
{
    if (s->lookup == NULL)
        return err_set(e, XS_INTERNAL, "state_mark_protected() before state_lookup_start(); please report this");
    return seen_put(&s->lookup->protected, key, mark, NULL, e) < 0 ? -1 : 0;
}

int state_opt_out(struct state *s, const struct hash128 *key, uint64_t mark, struct err *e)
{
    if (s->lookup == NULL)
        return err_set(e, XS_INTERNAL, "state_opt_out() before state_lookup_start(); please report this");
    return seen_put(&s->lookup->opted_out, key, mark, NULL, e) < 0 ? -1 : 0;
}

int state_opted_out(struct state *s, const struct hash128 *key, uint64_t *mark, struct err *e)
{
    return s->lookup == NULL ? 0 : seen_find(&s->lookup->opted_out, key, mark, e);
}

bool state_any_opted_out(const struct state *s)
{
    return s->lookup != NULL && (s->lookup->opted_out.used > 0 || s->lookup->opted_out.runs_n > 0);
}

/* Any of the three ways in which a row of this read can have had the key: planned, left out, opted out. */
int state_seen(struct state *s, const struct hash128 *key, bool *seen, struct err *e)
{
    int rc = lookup_seen(s, key, e);
    if (rc == 0)
        rc = lookup_protected(s, key, NULL, e);
    if (rc == 0)
        rc = state_opted_out(s, key, NULL, e);
    *seen = rc == 1;
    return rc < 0 ? -1 : 0;
}

uint64_t state_leads_n(struct state *s)
{
    return s->id.leads_n;
}

int state_leads_there(struct state *s, uint64_t *n, struct err *e)
{
    if (identity_count_absent(s, e) < 0)
        return -1;
    *n = s->id.leads_n - s->id.absent_n;
    return 0;
}
