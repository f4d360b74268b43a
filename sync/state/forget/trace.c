/* Two passes: first the keys, numbers and ids under which the lead is known, then every batch that has one of them. A batch is
 * unpacked and its entries are compared by number, which costs about a second for ten million entries. */
#include "config.h"

#include "sync/state/forget/trace.h"

#include "sync/state/forget/person.h"
#include "sync/state/tables/results.h"

#include <stdlib.h>
#include <string.h>

/* One trace under way. */
struct tracer {
    struct state *state;
    const struct trace_query *query;
    struct arena *arena; /* the caller's */
    struct trace *out;
    struct person person; /* also the ids of the leads; without an address only those */
    bool has_address;
    uint64_t *numbers; /* in lead_values; owned */
    size_t numbers_n, leads_cap, retries_cap, batches_cap;
    struct arena batch_arena; /* of a lead or a batch that is looked at */
    struct lead_shape shape;  /* of the last lead that was unpacked, in the caller's arena */
    bool has_shape;
};

/* One more zeroed item of a list in the arena; the old items stay there until the arena goes. NULL: memory. */
static void *trace_push(struct arena *arena, void **list, size_t *n, size_t *cap, size_t size, struct err *e)
{
    if (*n == *cap) {
        size_t grown_cap = *cap == 0 ? 8 : *cap * 2;
        void *grown = arena_calloc(arena, grown_cap, size);
        if (grown == NULL) {
            err_oom(e);
            return NULL;
        }
        if (*n > 0)
            memcpy(grown, *list, *n * size);
        *list = grown;
        *cap = grown_cap;
    }
    return (char *)*list + size * (*n)++;
}

static int trace_keep_text(struct arena *arena, struct str *text, struct err *e)
{
    return arena_str(arena, *text, text) < 0 ? err_oom(e) : 0;
}

static int trace_keep_entry(struct arena *arena, struct entry *entry, struct err *e)
{
    struct str *const texts[] = {&entry->key_text, &entry->email,  &entry->values,
                                 &entry->cells,    &entry->detail, &entry->changes};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (trace_keep_text(arena, texts[i], e) < 0)
            return -1;
    entry->cells_by_values = STR_NONE;
    return 0;
}

int state_values_unpack(struct state *s, struct str packed, struct arena *arena, struct lead *out, struct err *e)
{
    struct lead_shape *shape = arena_calloc(arena, 1, sizeof *shape);
    uint32_t id;
    if (shape == NULL)
        return err_oom(e);
    if (packed.n == 0 || lead_packed_shape(packed, &id) != 0)
        return 0;
    int rc = state_shape_get(s, id, arena, shape, e);
    if (rc != 1)
        return rc;
    return lead_unpack(packed, shape, arena, out) == 0 ? 1 : 0;
}

/* ---- under which keys, numbers and ids ---- */

static bool trace_has_key(const struct tracer *t, const struct hash128 *key)
{
    for (size_t i = 0; i < t->out->leads_n; i++)
        if (hash128_eq(&t->out->leads[i].key, key))
            return true;
    return false;
}

static int trace_add_key(struct tracer *t, const struct hash128 *key, struct err *e)
{
    static const struct hash128 none;
    if (hash128_eq(key, &none) || trace_has_key(t, key))
        return 0;
    void *list = t->out->leads;
    struct traced_lead *lead = trace_push(t->arena, &list, &t->out->leads_n, &t->leads_cap, sizeof *lead, e);
    t->out->leads = list;
    if (lead == NULL)
        return -1;
    lead->key = *key;
    return 0;
}

static int trace_add_text(struct tracer *t, struct str key_text, struct err *e)
{
    const struct hash128 key = hash_keyed128(t->state->id.secret, key_text.p, key_text.n);
    return key_text.n > 0 ? trace_add_key(t, &key, e) : 0;
}

/* The keys of a query over lead_values whose column 0 is `who`. */
static int trace_add_who(struct tracer *t, const char *sql, const struct uuid *id, struct err *e)
{
    sqlite3_stmt *st;
    int rc = db_query(&t->state->main, &st, e, sql, "d", id);
    for (; rc == 1; rc = db_next(&t->state->main, st, e)) {
        struct hash128 key;
        struct str text;
        if (who_take(t->state, st, 0, &key, &text, e) < 0 || trace_add_key(t, &key, e) < 0) {
            sqlite3_reset(st);
            return -1;
        }
    }
    return rc;
}

static int trace_find_id(struct tracer *t, const struct uuid *id, struct err *e)
{
    if (person_add_id(&t->person, id, e) < 0 || trace_add_who(t, "SELECT who FROM lead_values WHERE lead_id = ?", id, e) < 0)
        return -1;
    return trace_add_who(t, "SELECT v.who FROM former_ids f JOIN lead_values v ON v.n = f.n WHERE f.lead_id = ?", id, e);
}

/* Is it the address of these values, or its hash among hashed ones? Which of both they are stands in another table, and asking it
 * for each lead would take longer than all the rest; a hash that reads as a lead is not an address. */
static int trace_is_packed(struct tracer *t, struct str packed, bool *same, struct err *e)
{
    struct lead lead;
    uint32_t id;
    *same = values_have_hash(packed, t->person.hash);
    if (*same || packed.n == 0 || lead_packed_shape(packed, &id) != 0)
        return 0;
    if (!t->has_shape || t->shape.id != id) {
        int rc = state_shape_get(t->state, id, t->arena, &t->shape, e);
        t->has_shape = rc == 1;
        if (rc != 1)
            return rc;
    }
    arena_reset(&t->batch_arena);
    if (lead_unpack(packed, &t->shape, &t->batch_arena, &lead) != 0 || lead.core[LEAD_EMAIL].kind != VALUE_STRING)
        return 0;
    return person_is_text(&t->person, (struct str){lead.core[LEAD_EMAIL].p, lead.core[LEAD_EMAIL].n}, same, e);
}

/* Where the row key is not the address, only the values say whose lead it is. */
static int trace_find_address(struct tracer *t, struct err *e)
{
    const char *identity, *other;
    sqlite3_stmt *st;
    bool same;
    if (state_get(t->state, "identity", &identity, e) < 0)
        return -1;
    bool by_address = identity != NULL && strcmp(identity, "email") == 0;
    if (state_get(t->state, STATE_OTHER_KEYS, &other, e) < 0)
        return -1;
    if (by_address && other == NULL)
        return 0;
    int rc = db_query(&t->state->main, &st, e, "SELECT who, packed FROM lead_values", "");
    for (; rc == 1; rc = db_next(&t->state->main, st, e)) {
        struct hash128 key;
        struct str text;
        if (trace_is_packed(t, db_blob(st, 1), &same, e) < 0 ||
            (same && (who_take(t->state, st, 0, &key, &text, e) < 0 || trace_add_key(t, &key, e) < 0))) {
            sqlite3_reset(st);
            return -1;
        }
    }
    return rc;
}

static bool trace_has_id(const struct tracer *t, const struct entry *entry)
{
    return entry->has_lead_id && person_has_id(&t->person, &entry->lead_id);
}

static int trace_is_entry(struct tracer *t, const struct entry *entry, bool *same, struct err *e)
{
    *same = trace_has_key(t, &entry->key) || trace_has_id(t, entry);
    if (*same || !t->has_address)
        return 0;
    if (entry->email.n > 0)
        return person_is_text(&t->person, entry->email, same, e);
    return person_is_packed(&t->person, entry->values, same, e);
}

/* The retry table knows further keys. */
static int trace_retries(struct tracer *t, struct err *e)
{
    struct retries *retries;
    struct traced_retry now = {.target = 0};
    int rc = state_retries_open(t->state, &retries, e) < 0 ? -1 : 1;
    while (rc == 1 && (rc = state_retries_next(retries, &t->batch_arena, &now.entry, &now.target, &now.mapping, e)) == 1) {
        bool same;
        if (trace_is_entry(t, &now.entry, &same, e) < 0) {
            rc = -1;
        } else if (same) {
            void *list = t->out->retries;
            struct traced_retry *retry = trace_push(t->arena, &list, &t->out->retries_n, &t->retries_cap, sizeof *retry, e);
            t->out->retries = list;
            if (retry != NULL)
                *retry = now;
            rc = retry == NULL || trace_keep_entry(t->arena, &retry->entry, e) < 0 || trace_add_key(t, &now.entry.key, e) < 0
                     ? -1
                     : 1;
        }
        arena_reset(&t->batch_arena);
    }
    state_retries_close(retries);
    return rc;
}

/* ---- what stands under a key ---- */

static int trace_add_number(struct tracer *t, uint64_t n, struct err *e)
{
    uint64_t *grown = reallocarray(t->numbers, t->numbers_n + 1, sizeof *grown);
    if (grown == NULL)
        return err_oom(e);
    t->numbers = grown;
    t->numbers[t->numbers_n++] = n;
    return 0;
}

/* The lead's number, and every id that it has or had. */
static int trace_load_ids(struct tracer *t, const struct traced_lead *lead, struct err *e)
{
    sqlite3_stmt *st;
    struct uuid id;
    int64_t n = 0;
    int rc = db_query(&t->state->main, &st, e, "SELECT n FROM leads WHERE key = ?", "k", &lead->key);
    if (rc != 1)
        return rc;
    n = sqlite3_column_int64(st, 0);
    sqlite3_reset(st);
    if (trace_add_number(t, (uint64_t)n, e) < 0)
        return -1;
    if (lead->known && lead->lead.has_lead_id && person_add_id(&t->person, &lead->lead.lead_id, e) < 0)
        return -1;
    rc = db_query(&t->state->main, &st, e, "SELECT lead_id FROM former_ids WHERE n = ?", "i", n);
    for (; rc == 1; rc = db_next(&t->state->main, st, e))
        if (db_blob16(st, 0, id.b) && person_add_id(&t->person, &id, e) < 0) {
            sqlite3_reset(st);
            return -1;
        }
    return rc;
}

static int trace_load_lead(struct tracer *t, struct traced_lead *lead, struct err *e)
{
    sqlite3_stmt *st;
    struct lead *values = arena_calloc(t->arena, 1, sizeof *values);
    int rc = values == NULL ? err_oom(e) : state_lead_get(t->state, &lead->key, t->arena, &lead->lead, e);
    lead->known = rc == 1;
    if (rc == 1 && (rc = state_values_unpack(t->state, lead->lead.values, t->arena, values, e)) == 1)
        lead->values = values;
    if (rc < 0 || trace_load_ids(t, lead, e) < 0 || state_forgotten(t->state, &lead->key, &lead->forgotten, e) < 0)
        return -1;
    rc = db_query(&t->state->main, &st, e, "SELECT reason, at_ms FROM refusals WHERE key = ?", "k", &lead->key);
    if (rc != 1)
        return rc;
    int reason = sqlite3_column_int(st, 0);
    lead->refused = reason > REASON_NONE && reason < REASON_N;
    lead->reason = lead->refused ? (enum reason)reason : REASON_NONE;
    lead->refused_ms = sqlite3_column_int64(st, 1);
    sqlite3_reset(st);
    return 0;
}

/* ---- batches ---- */

static bool trace_is_result(const struct tracer *t, const struct result *r)
{
    for (size_t i = 0; r->lead != 0 && i < t->numbers_n; i++)
        if (t->numbers[i] == r->lead)
            return true;
    return (r->lead == 0 && trace_has_key(t, &r->entry.key)) || trace_has_id(t, &r->entry);
}

static int trace_add_batch(struct tracer *t, const struct batch *batch, const struct entry *entry, uint32_t target,
                           struct err *e)
{
    void *list = t->out->batches;
    struct traced_batch *touched = trace_push(t->arena, &list, &t->out->batches_n, &t->batches_cap, sizeof *touched, e);
    t->out->batches = list;
    if (touched == NULL)
        return -1;
    *touched = (struct traced_batch){.batch = *batch, .entry = *entry, .target = target};
    touched->batch.entries = NULL;
    touched->batch.entries_n = 0;
    struct str job = str_from(batch->job);
    if (batch->job != NULL && (touched->batch.job = arena_dup(t->arena, job.p, job.n)) == NULL)
        return err_oom(e);
    return trace_keep_entry(t->arena, &touched->entry, e);
}

/* One batch of the main file, in the columns of trace_merged(). */
static int trace_read_batch(struct tracer *t, sqlite3_stmt *st, struct err *e)
{
    struct result_unpacker unpacker;
    struct result result;
    int op = sqlite3_column_int(st, 2), rc;
    const struct batch batch = {
        .id = (uint64_t)sqlite3_column_int64(st, 0),
        .run = (uint64_t)sqlite3_column_int64(st, 1),
        .op = op >= OP_NONE && op < OP_N ? (enum op)op : OP_NONE,
        .state = BATCH_DONE,
        .target = (uint32_t)sqlite3_column_int64(st, 3),
        .source = (uint32_t)sqlite3_column_int64(st, 4),
        .sent_ms = sqlite3_column_int64(st, 5),
        .http_status = sqlite3_column_int(st, 6),
        .job = (const char *)sqlite3_column_text(st, 7),
    };
    result_unpacker_init(&unpacker, batch.target, db_blob(st, 8));
    while ((rc = result_unpack(&unpacker, &result)) == 1)
        if (trace_is_result(t, &result) && trace_add_batch(t, &batch, &result.entry, result.target, e) < 0)
            return -1;
    if (rc < 0)
        return err_set(e, XS_STATE, "%s: the results of batch %llu are damaged; restore the file from a backup",
                       t->state->path, (unsigned long long)batch.id);
    return 0;
}

static int trace_merged(struct tracer *t, struct err *e)
{
    sqlite3_stmt *st;
    int rc = db_query(&t->state->main, &st, e,
                      "SELECT id, run, op, target, source, sent_ms, http_status, job, entries FROM batches ORDER BY id", "");
    for (; rc == 1; rc = db_next(&t->state->main, st, e))
        if (trace_read_batch(t, st, e) < 0) {
            sqlite3_reset(st);
            return -1;
        }
    return rc;
}

static int trace_journal(struct tracer *t, struct err *e)
{
    struct journal_batch jb;
    uint64_t after = 0;
    int rc;
    while ((rc = journal_next(t->state, JOURNAL_ALL, after, &t->batch_arena, &jb, e)) == 1) {
        after = jb.b.id;
        for (size_t i = 0; i < jb.b.entries_n; i++) {
            struct entry *entry = &jb.b.entries[i];
            bool same;
            results_defer_open(&jb.b, entry);
            if (trace_is_entry(t, entry, &same, e) < 0 ||
                (same && trace_add_batch(t, &jb.b, entry, journal_entry_target(&jb, i), e) < 0))
                return -1;
        }
        arena_reset(&t->batch_arena);
    }
    return rc;
}

static int trace_by_id(const void *a, const void *b)
{
    const struct traced_batch *x = a, *y = b;
    return x->batch.id != y->batch.id ? (x->batch.id < y->batch.id ? -1 : 1) : 0;
}

/* ---- */

static int trace_all(struct tracer *t, struct err *e)
{
    const struct trace_query *q = t->query;
    sqlite3_stmt *st;
    t->out->status = TARGET_STATUS_UNKNOWN;
    if (trace_add_text(t, q->person.address, e) < 0 || trace_add_text(t, q->key_text, e) < 0 ||
        (q->lead_id != NULL && trace_find_id(t, q->lead_id, e) < 0) || (t->has_address && trace_find_address(t, e) < 0) ||
        trace_retries(t, e) < 0)
        return -1;
    for (size_t i = 0; i < t->out->leads_n; i++)
        if (trace_load_lead(t, &t->out->leads[i], e) < 0)
            return -1;
    if (t->has_address) {
        int rc = db_query(&t->state->main, &st, e, "SELECT status FROM people WHERE address = ?", "u", t->person.hash);
        if (rc < 0)
            return -1;
        if (rc == 1) {
            t->out->status = sqlite3_column_int(st, 0);
            sqlite3_reset(st);
        }
    }
    if (trace_merged(t, e) < 0 || trace_journal(t, e) < 0)
        return -1;
    if (t->out->batches_n > 0)
        qsort(t->out->batches, t->out->batches_n, sizeof *t->out->batches, trace_by_id);
    return 0;
}

int state_trace(struct state *s, const struct trace_query *query, struct arena *arena, struct trace *out, struct err *e)
{
    struct tracer t = {.state = s, .query = query, .arena = arena, .out = out};
    int rc = 0;
    *out = (struct trace){.leads = NULL};
    t.has_address = query->person.address.n > 0;
    arena_init(&t.batch_arena, ARENA_BATCH_MAX);
    if (t.has_address)
        rc = person_init(&t.person, s, &query->person, e);
    if (rc == 0)
        rc = trace_all(&t, e);
    if (t.has_address)
        person_free(&t.person);
    else
        free(t.person.ids);
    arena_free(&t.batch_arena);
    free(t.numbers);
    return rc;
}
