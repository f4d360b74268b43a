/* All that is known of one person, table by table. The leads come first, because results and jobs may have nothing of a
 * person but the key or the id of a lead. */
#include "config.h"

#include "sync/state/forget/person.h"

#include <stdlib.h>

enum { ARENA_MAX = 1 << 30 };

struct visit {
    struct person person;
    struct state *state;
    person_visit_fn *visit;
    void *ctx;
    struct arena arena;
    struct hash128 *keys; /* owned; under which the person is known, the address's own first */
    size_t keys_n;
};

static bool has_key(const struct visit *w, const struct hash128 *key)
{
    for (size_t i = 0; i < w->keys_n; i++)
        if (hash128_eq(&w->keys[i], key))
            return true;
    return false;
}

static int add_key(struct visit *w, const struct hash128 *key, struct err *e)
{
    if (has_key(w, key))
        return 0;
    struct hash128 *grown = reallocarray(w->keys, w->keys_n + 1, sizeof *grown);
    if (grown == NULL)
        return err_oom(e);
    w->keys = grown;
    w->keys[w->keys_n++] = *key;
    return 0;
}

/* The packed lead, or NULL without one. */
static int unpack(struct visit *w, struct str packed, struct lead *lead, const struct lead **out, struct err *e)
{
    *out = NULL;
    if (packed.n == 0)
        return 0;
    if (value_hasher_unpack(&w->person.hasher, packed, lead, e) < 0)
        return -1;
    *out = lead;
    return 0;
}

/* ---- leads ---- */

static int find_keys(struct visit *w, struct err *e)
{
    struct db *db = &w->state->main;
    sqlite3_stmt *st;
    int rc = db_query(db, &st, e, "SELECT n, who, packed, lead_id FROM lead_values ORDER BY n", "");
    for (; rc == 1; rc = db_next(db, st, e)) {
        struct hash128 key;
        struct uuid id;
        bool same;
        if (person_is_lead(&w->person, st, &key, &same, e) < 0 || (same && add_key(w, &key, e) < 0) ||
            (same && db_blob16(st, 3, id.b) && person_add_id(&w->person, &id, e) < 0)) {
            sqlite3_reset(st);
            return -1;
        }
    }
    return rc;
}

static int visit_lead(struct visit *w, const struct hash128 *key, struct err *e)
{
    struct known_lead known;
    struct lead lead;
    const struct lead *values;
    int rc = state_lead_get(w->state, key, &w->arena, &known, e);
    if (rc != 1)
        return rc;
    if (unpack(w, known.values, &lead, &values, e) < 0)
        return -1;
    const struct person_record record = {.kind = PERSON_LEAD, .known = &known, .values = values};
    return w->visit(w->ctx, &record, e);
}

static int visit_refusal(struct visit *w, const struct hash128 *key, struct err *e)
{
    sqlite3_stmt *st;
    int rc = db_query(&w->state->main, &st, e, "SELECT reason, at_ms FROM refusals WHERE key = ?", "k", key);
    if (rc != 1)
        return rc;
    const struct person_record record = {.kind = PERSON_REFUSAL,
                                         .reason = (enum reason)sqlite3_column_int(st, 0),
                                         .at_ms = sqlite3_column_int64(st, 1)};
    sqlite3_reset(st);
    return w->visit(w->ctx, &record, e);
}

static int visit_status(struct visit *w, struct err *e)
{
    sqlite3_stmt *st;
    int rc = db_query(&w->state->main, &st, e, "SELECT status FROM people WHERE address = ?", "u", w->person.hash);
    if (rc != 1)
        return rc;
    const struct person_record record = {.kind = PERSON_STATUS, .status = sqlite3_column_int(st, 0)};
    sqlite3_reset(st);
    return w->visit(w->ctx, &record, e);
}

/* ---- rows that wait ---- */

static int is_entry(struct visit *w, const struct entry *entry, bool *same, struct err *e)
{
    *same = has_key(w, &entry->key) || (entry->has_lead_id && person_has_id(&w->person, &entry->lead_id));
    if (!*same && person_is_text(&w->person, entry->email, same, e) < 0)
        return -1;
    if (!*same && person_is_text(&w->person, entry->key_text, same, e) < 0)
        return -1;
    return *same ? 0 : person_is_packed(&w->person, entry->values, same, e);
}

/* The record of an entry that waits, if it is the person's; its other members are the caller's. */
static int visit_waiting(struct visit *w, struct person_record *record, const struct entry *entry, struct err *e)
{
    struct lead lead;
    bool same;
    if (is_entry(w, entry, &same, e) < 0)
        return -1;
    if (!same)
        return 0;
    record->entry = entry;
    if (unpack(w, entry->values, &lead, &record->values, e) < 0)
        return -1;
    return w->visit(w->ctx, record, e) != 0 ? -1 : add_key(w, &entry->key, e);
}

static int visit_retries(struct visit *w, struct err *e)
{
    struct retries *retries;
    struct entry entry;
    struct person_record record = {.kind = PERSON_RETRY};
    uint64_t mapping;
    int rc = state_retries_open(w->state, &retries, e) < 0 ? -1 : 1;
    while (rc == 1 && (rc = state_retries_next(retries, &w->arena, &entry, &record.target, &mapping, e)) == 1) {
        if (visit_waiting(w, &record, &entry, e) != 0)
            rc = -1;
        arena_reset(&w->arena);
    }
    state_retries_close(retries);
    return rc;
}

static int visit_open(struct visit *w, struct err *e)
{
    struct batch *batches;
    size_t n;
    if (state_batches_open(w->state, &w->arena, &batches, &n, e) < 0)
        return -1;
    for (size_t b = 0; b < n; b++) {
        struct person_record record = {.kind = PERSON_OPEN_BATCH,
                                       .batch = &batches[b],
                                       .op = batches[b].op,
                                       .target = batches[b].target};
        for (size_t i = 0; i < batches[b].entries_n; i++)
            if (visit_waiting(w, &record, &batches[b].entries[i], e) != 0)
                return -1;
    }
    return 0;
}

/* ---- what happened ---- */

static int is_result(struct visit *w, const struct entry *entry, bool *same, struct err *e)
{
    if (is_entry(w, entry, same, e) < 0)
        return -1;
    if (!*same && person_named_in(&w->person, entry->detail, same, e) < 0)
        return -1;
    if (!*same && person_in_changes(&w->person, entry->changes, same, e) < 0)
        return -1;
    return *same ? 0 : person_in_cells(&w->person, entry->cells, same, e);
}

static int visit_run(struct visit *w, const struct run_record *run, struct err *e)
{
    struct results *results;
    struct entry entry;
    struct person_record record = {.kind = PERSON_RESULT, .run = run, .entry = &entry};
    struct arena arena;
    bool same;
    arena_init(&arena, ARENA_MAX);
    int rc = state_results_open(w->state, run->id, &results, e) < 0 ? -1 : 1;
    while (rc == 1 && (rc = state_results_next(results, &arena, &entry, &record.op, &record.target, e)) == 1) {
        if (is_result(w, &entry, &same, e) < 0 || (same && w->visit(w->ctx, &record, e) != 0))
            rc = -1;
        arena_reset(&arena);
    }
    state_results_close(results);
    arena_free(&arena);
    return rc;
}

static int visit_runs(struct visit *w, struct err *e)
{
    struct run_record *runs;
    size_t n;
    int rc = state_runs(w->state, SIZE_MAX, &w->arena, &runs, &n, e);
    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = visit_run(w, &runs[i], e);
    return rc;
}

static int names_job(struct visit *w, const struct job_record *job, bool *same, struct err *e)
{
    struct str filters = str_from(job->filters);
    char id[UUID_TEXT_N];
    if (person_named_in(&w->person, filters, same, e) < 0)
        return -1;
    for (size_t i = 0; !*same && i < w->person.ids_n; i++)
        *same = str_find(filters, str_from(uuid_format(&w->person.ids[i], id))) != NULL;
    return 0;
}

static int visit_jobs(struct visit *w, struct err *e)
{
    struct job_record *jobs;
    size_t n;
    bool same;
    int rc = state_jobs(w->state, &w->arena, &jobs, &n, e);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        const struct person_record record = {.kind = PERSON_JOB, .job = &jobs[i]};
        if (names_job(w, &jobs[i], &same, e) < 0 || (same && w->visit(w->ctx, &record, e) != 0))
            rc = -1;
    }
    return rc;
}

/* ---- */

static int visit_all(struct visit *w, struct err *e)
{
    if (add_key(w, &w->person.key, e) < 0 || find_keys(w, e) < 0)
        return -1;
    /* Rows of the retry table know further keys. */
    if (visit_retries(w, e) != 0)
        return -1;
    for (size_t i = 0; i < w->keys_n; i++)
        if (visit_lead(w, &w->keys[i], e) < 0 || visit_refusal(w, &w->keys[i], e) < 0)
            return -1;
    return visit_status(w, e) != 0 || visit_open(w, e) != 0 || visit_runs(w, e) != 0 ? -1 : visit_jobs(w, e);
}

int state_person_visit(struct state *s, const struct person_name *name, person_visit_fn *visit, void *ctx, struct err *e)
{
    struct visit w = {.state = s, .visit = visit, .ctx = ctx};
    arena_init(&w.arena, ARENA_MAX);
    int rc = person_init(&w.person, s, name, e) < 0 ? -1 : visit_all(&w, e);
    person_free(&w.person);
    arena_free(&w.arena);
    free(w.keys);
    return rc;
}

static int count(void *ctx, const struct person_record *record, struct err *e)
{
    struct forgotten *counts = ctx;
    (void)e;
    if (record->kind == PERSON_LEAD)
        counts->leads++;
    else
        counts->others++;
    return 0;
}

int state_person_count(struct state *s, const struct person_name *name, struct forgotten *counts, struct err *e)
{
    *counts = (struct forgotten){0};
    return state_person_visit(s, name, count, counts, e);
}
