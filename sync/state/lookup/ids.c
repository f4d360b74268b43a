/* Which lead of ours has an Instantly id. Asked only where a row's identity is not the address, when a row meets a lead
 * there for the first time: the table has no index for it, since a million syncs that never ask would pay for it. */
#include "config.h"

#include "sync/state/lookup/index.h"
#include "sync/state/state_int.h"

#include <stdlib.h>
#include <string.h>

enum { IDS_SHARE = 8 }; /* of memory_max */

struct lead_ids {
    struct index keys; /* leads by Instantly's id, with the first half of their keys */
    bool loaded;       /* else each question is a query */
};

void lead_ids_free(struct state *s)
{
    if (s->ids != NULL)
        index_free(&s->ids->keys);
    free(s->ids);
    s->ids = NULL;
}

/* Ids of leads that are there, as far as we know: not of removed ones, unless they were only moved. */
#define LEADS_THERE "FROM leads l JOIN lead_values v USING(n) WHERE (l.flags & 6 = 0 OR l.flags & 16)"

/* Ids are made in the order of time and would crowd in one place of the table. */
static struct hash128 spread(const struct state *s, const struct uuid *id)
{
    return hash_keyed128(s->id.secret, id->b, sizeof id->b);
}

/* 0 also where memory does not allow it. */
static int ids_load(struct state *s, struct err *e)
{
    sqlite3_stmt *st;
    uint64_t n = s->id.leads_n;
    struct lead_ids *ids = s->ids = calloc(1, sizeof *ids);
    if (ids == NULL)
        return err_oom(e);
    if (n == 0 || index_bytes(n, INDEX_IN_MEMORY) > s->memory_max / IDS_SHARE)
        return 0;
    if (index_init(&ids->keys, n, INDEX_IN_MEMORY, e) < 0)
        return -1;
    int rc = db_query(&s->main, &st, e, "SELECT v.lead_id, l.key " LEADS_THERE, "");
    for (; rc == 1; rc = db_next(&s->main, st, e)) {
        struct uuid id;
        struct hash128 key;
        if (!db_blob16(st, 0, id.b) || !db_blob16(st, 1, key.b))
            continue;
        struct hash128 slot = spread(s, &id);
        if (index_add(&ids->keys, &slot, hash128_high(&key), e) < 0)
            return -1;
    }
    if (rc < 0 || index_done(&ids->keys, e) < 0)
        return -1;
    ids->loaded = true;
    return 0;
}

/* By the first half of a key, which is as good as the whole. */
static int key_from(struct state *s, uint64_t high, struct hash128 *key, struct err *e)
{
    sqlite3_stmt *st;
    struct hash128 least = {{0}};
    for (size_t i = 0; i < 8; i++)
        least.b[i] = (unsigned char)(high >> (56 - 8 * i));
    int rc = db_query(&s->main, &st, e, "SELECT key FROM leads WHERE key >= ? ORDER BY key LIMIT 1", "k", &least);
    if (rc != 1)
        return rc;
    rc = db_blob16(st, 0, key->b) && hash128_high(key) == high;
    sqlite3_reset(st);
    return rc;
}

int state_id_owner(struct state *s, const struct uuid *id, struct hash128 *key, struct err *e)
{
    if (s->id.leads_n == 0)
        return 0;
    if (s->ids == NULL && ids_load(s, e) < 0)
        return -1;
    if (s->ids->loaded) {
        struct hash128 slot = spread(s, id);
        int64_t at;
        uint64_t owner;
        int found = index_find(&s->ids->keys, &slot, &at, &owner, e);
        return found == 1 ? key_from(s, owner, key, e) : found;
    }
    sqlite3_stmt *st;
    int rc = db_query(&s->main, &st, e, "SELECT l.key " LEADS_THERE " AND v.lead_id = ?", "d", id);
    if (rc == 1) {
        rc = db_blob16(st, 0, key->b);
        sqlite3_reset(st);
    }
    return rc;
}
