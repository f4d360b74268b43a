/* One lead, and those that no row of a run has met. */
#include "config.h"

#include "sync/state/lookup/lookup.h"
#include "sync/state/tables/values.h"

#include <stdlib.h>
#include <string.h>

int lead_get_stored(struct state *s, const struct hash128 *key, struct arena *arena, struct known_lead *out, struct err *e)
{
    sqlite3_stmt *st;
    struct hash128 same;
    memset(out, 0, sizeof *out);
    out->status = TARGET_STATUS_UNKNOWN;
    int rc = db_query(&s->main, &st, e,
                      "SELECT l.fingerprint, l.target, l.status, l.flags, v.who, v.lead_id, v.packed"
                      " FROM leads l JOIN lead_values v USING(n) WHERE l.key = ?",
                      "k", key);
    if (rc != 1)
        return rc;
    out->fingerprint = (uint64_t)sqlite3_column_int64(st, 0);
    out->target = (uint32_t)sqlite3_column_int64(st, 1);
    out->status = db_is_null(st, 2) ? TARGET_STATUS_UNKNOWN : sqlite3_column_int(st, 2);
    uint32_t flags = (uint32_t)sqlite3_column_int64(st, 3);
    out->flags = flags & KNOWN_PUBLIC;
    out->has_lead_id = db_blob16(st, 5, out->lead_id.b);
    struct str packed = db_blob(st, 6);
    if (who_take(s, st, 4, &same, &out->key_text, e) < 0)
        rc = -1;
    else if (arena_str(arena, out->key_text, &out->key_text) < 0 ||
             arena_str(arena, packed, flags & KNOWN_HASHED_VALUES ? &out->hashes : &out->values) < 0)
        rc = err_oom(e);
    sqlite3_reset(st);
    return rc;
}

int state_lead_get(struct state *s, const struct hash128 *key, struct arena *arena, struct known_lead *out, struct err *e)
{
    struct lookup *l = s->lookup;
    const struct overlay_lead *overlaid = l != NULL && l->overlay.n > 0 ? overlay_find(&l->overlay, key) : NULL;
    return overlaid != NULL ? overlay_lead_get(s, &l->overlay, overlaid, arena, out, e)
                            : lead_get_stored(s, key, arena, out, e);
}

/* ---- unseen ---- */

/* Two streams in key order: the lead table, and what the overlay adds to it or changes. */
struct unseen {
    struct state *state;
    sqlite3_stmt *st; /* owned */
    bool any;         /* st stands on a row */
    bool marked;      /* only those that a row spared are wanted */
    struct hash128 key;
    uint32_t flags;
    size_t overlay_at;
    uint64_t live;
};

static int stored_next(struct unseen *u, struct err *e)
{
    int rc = db_next(&u->state->main, u->st, e);
    u->any = rc == 1;
    if (rc != 1)
        return rc;
    u->flags = (uint32_t)sqlite3_column_int64(u->st, 1);
    return db_blob16(u->st, 0, u->key.b)
               ? 0
               : err_set(e, XS_STATE, "%s: a damaged key; restore the file from a backup", u->state->path);
}

int state_unseen_open(struct state *s, bool marked, struct unseen **out, struct err *e)
{
    struct unseen *u = calloc(1, sizeof *u);
    *out = NULL;
    if (u == NULL)
        return err_oom(e);
    u->state = s;
    u->marked = marked;
    /* Not from the cache of statements: two may be open at once. */
    if (sqlite3_prepare_v2(s->main.h, "SELECT key, flags FROM leads ORDER BY key", -1, &u->st, NULL) != SQLITE_OK) {
        db_fail(&s->main, e);
        free(u);
        return -1;
    }
    if (stored_next(u, e) < 0) {
        state_unseen_close(u);
        return -1;
    }
    *out = u;
    return 0;
}

void state_unseen_close(struct unseen *u)
{
    if (u == NULL)
        return;
    sqlite3_finalize(u->st);
    free(u);
}

/* The next key of either stream, with its flags as the overlay has them. */
static int next_key(struct unseen *u, struct hash128 *key, bool *candidate, bool *unsettled, struct err *e)
{
    const struct lookup *l = u->state->lookup;
    const struct overlay_lead *overlaid = l != NULL && u->overlay_at < l->overlay.n ? &l->overlay.leads[u->overlay_at]
                                                                                    : NULL;
    if (!u->any && overlaid == NULL)
        return 0;
    int order = !u->any ? 1 : overlaid == NULL ? -1 : memcmp(u->key.b, overlaid->key.b, sizeof u->key.b);
    uint32_t flags = u->flags;
    bool known = true;
    *unsettled = false;
    *key = u->key;
    if (order >= 0) {
        *key = overlaid->key;
        flags = overlaid->fold.flags;
        *unsettled = overlaid->fold.open;
        known = overlaid->fold.known;
        u->overlay_at++;
    }
    bool live = known && !(flags & (KNOWN_REMOVED | KNOWN_DELETED_THERE));
    u->live += live;
    *unsettled |= l != NULL && lookup_is_open(l, key);
    *candidate = live && (!*unsettled || u->state->access == STATE_READ);
    return order <= 0 && stored_next(u, e) < 0 ? -1 : 1;
}

uint64_t state_unseen_live(const struct unseen *u)
{
    return u->live;
}

/* What rows of this run say of a key that no row wants: 1 with their mark, 0 when a row wants it, or `marked` and none says
 * anything; -1. A row that opts out speaks before all others. */
static int is_unwanted(struct unseen *u, const struct hash128 *key, uint64_t *mark, struct err *e)
{
    *mark = 0;
    int opted_out = state_opted_out(u->state, key, mark, e);
    if (opted_out == 1)
        *mark |= STATE_OPTED_OUT;
    if (opted_out != 0)
        return opted_out;
    int protected = lookup_protected(u->state, key, mark, e);
    /* One that a row spares and another row wants is wanted. */
    int seen = protected < 0 ? -1 : protected == 0 && u->marked ? 1 : lookup_seen(u->state, key, e);
    return seen < 0 ? -1 : seen == 0;
}

int state_unseen_next(struct unseen *u, struct hash128 *key, struct arena *arena, struct known_lead *out, uint64_t *mark,
                      struct err *e)
{
    bool candidate, unsettled;
    int rc;
    while ((rc = next_key(u, key, &candidate, &unsettled, e)) == 1) {
        if (!candidate)
            continue;
        int unwanted = is_unwanted(u, key, mark, e);
        if (unwanted < 0)
            return -1;
        if (unwanted == 1) {
            rc = state_lead_get(u->state, key, arena, out, e) < 0 ? -1 : 1;
            out->unsettled = unsettled;
            return rc;
        }
    }
    return rc;
}
