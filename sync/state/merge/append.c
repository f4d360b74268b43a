/* The half of the merge that follows the batches' own order: everything here is appended, nothing is looked for. */
#include "config.h"

#include "sync/state/merge/merge.h"

#include "sync/state/tables/pack.h"
#include "sync/state/tables/people.h"
#include "sync/state/tables/results.h"

#include <string.h>

/* ---- values ---- */

static bool append_next(void *ctx)
{
    struct append_bulk_insert *f = ctx;
    f->at++;
    return f->at < f->n;
}

static void append_column(void *ctx, sqlite3_context *out, int column)
{
    const struct append_bulk_insert *f = ctx;
    const struct append_row *row = &f->rows[f->at];
    switch (column) {
    case 0: sqlite3_result_int64(out, (int64_t)row->lead); break;
    case 1:
        if (row->who.text)
            sqlite3_result_text64(out, row->who.bytes.p, row->who.bytes.n, SQLITE_STATIC, SQLITE_UTF8);
        else
            sqlite3_result_blob64(out, row->who.bytes.p, row->who.bytes.n, SQLITE_STATIC);
        break;
    case 2:
        if (row->id != NULL)
            sqlite3_result_blob(out, row->id->b, sizeof row->id->b, SQLITE_STATIC);
        break;
    case 3:
        if (row->packed.n > 0)
            sqlite3_result_blob64(out, row->packed.p, row->packed.n, SQLITE_STATIC);
        break;
    default: break;
    }
}

/* Values as they are to be kept, in the arena where they are not the entry's own. */
static int kept_values(struct merge *m, const struct entry *entry, struct str *out, struct err *e)
{
    *out = entry->hashes.n > 0 ? entry->hashes : entry->values;
    if (!m->state->hashed || entry->hashes.n > 0 || entry->values.n == 0)
        return 0;
    buf_reset(&m->scratch);
    if (value_hasher_pack(&m->hasher, entry->values, &m->scratch, e) < 0)
        return -1;
    return arena_str(&m->arena, buf_str(&m->scratch), out) < 0 ? err_oom(e) : 0;
}

static int write_values(struct merge *m, const struct entry *entry, uint64_t place, struct err *e)
{
    struct append_row *row = &m->append.rows[m->append.n];
    row->lead = place >> PLACE_BITS;
    row->id = entry->has_lead_id && !(place & PLACE_ID_HERE) ? &entry->lead_id : NULL;
    if (kept_values(m, entry, &row->packed, e) < 0)
        return -1;
    if (place & PLACE_UPDATE)
        return db_run(&m->state->main, e,
                      "UPDATE lead_values SET lead_id = coalesce(?, lead_id), packed = coalesce(?, packed) WHERE n = ?",
                      "dBu", row->id, row->packed, row->lead);
    m->append.n++;
    return who_make(m->state, &entry->key, entry->key_text, &m->arena, &row->who, e);
}

static int write_appended(struct merge *m, struct err *e)
{
    if (m->append.n == 0)
        return 0;
    m->append.at = SIZE_MAX; /* before the first */
    m->state->feed = (struct bulk_insert){&m->append, append_next, append_column};
    return db_run(&m->state->main, e,
                  "INSERT OR FAIL INTO lead_values(n, who, lead_id, packed) SELECT c0, c1, c2, c3 FROM feed", "");
}

/* ---- retries ---- */

static int write_retry(struct merge *m, const struct entry *entry, uint32_t target, size_t ordinal, struct err *e)
{
    struct entry again = *entry;
    again.retried = true;
    again.attempts += entry->outcome == OUTCOME_FAILED && reason_is_of_row(entry->reason);
    again.has_lead_id = false; /* the lead's row in the state says it, and may come to say something else */
    if (m->state->hashed)
        again.cells = again.cells_by_values = STR_NONE;
    buf_reset(&m->scratch);
    if (entry_pack_intent(&again, &m->scratch) < 0)
        return err_oom(e);
    return db_run(&m->state->main, e, "INSERT INTO retry_values(n, row, target, intent) VALUES(?, ?, ?, ?)", "uuib",
                  m->state->id.next_retry + ordinal, result_order(entry->row), (int64_t)target, buf_str(&m->scratch));
}

/* ---- results and cells ---- */

static int add_result(struct merge *m, struct result_packer *packer, const struct entry *entry, uint32_t target,
                      uint64_t place, size_t position, struct err *e)
{
    struct result r = {.entry = *entry, .target = target, .lead = place >> PLACE_BITS};
    if (r.lead != 0 && !(place & PLACE_ID_HERE))
        r.entry.has_lead_id = false;
    if (m->state->hashed)
        r.entry.detail = r.entry.changes = r.entry.key_text = STR_NONE;
    if (result_pack(packer, &r) < 0)
        return err_oom(e);
    return m->state->hashed ? 0 : reject_add(m->state, &m->rejects, &m->scratch, position, entry, e);
}

/* The results of a batch are one packed value, because most batches are pruned without being read again. */
static int write_batch(struct merge *m, const struct batch *b, uint64_t first_row, struct err *e)
{
    struct db *db = &m->state->main;
    if (db_run(db, e,
               "INSERT INTO batches(id, run, op, target, source, sent_ms, http_status, job, first_row, entries_n, entries)"
               " VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
               "uuiiiiizuub", b->id, b->run, (int64_t)b->op, (int64_t)b->target, (int64_t)b->source, b->sent_ms,
               (int64_t)b->http_status, b->job, first_row, (uint64_t)b->entries_n, buf_str(&m->results)) < 0)
        return -1;
    return m->rejects.n == 0 ? 0
                             : db_run(db, e, "INSERT INTO rejects(batch, run, cells) VALUES(?, ?, ?)", "uub", b->id, b->run,
                                      buf_str(&m->rejects));
}

static int write_results(struct merge *m, const struct journal_batch *jb, const uint64_t *places, struct err *e)
{
    const struct batch *b = &jb->b;
    const uint32_t *order = results_order(b->entries, b->entries_n, &m->arena, e);
    if (order == NULL)
        return -1;
    struct result_packer packer;
    buf_reset(&m->results);
    buf_reset(&m->rejects);
    result_packer_init(&packer, b->target, &m->results);
    for (size_t i = 0; i < b->entries_n; i++) {
        size_t at = order[i];
        if (add_result(m, &packer, &b->entries[at], journal_entry_target(jb, at), places[at], i, e) < 0)
            return -1;
    }
    return write_batch(m, b, b->entries_n > 0 ? result_order(b->entries[order[0]].row) : 0, e);
}

/* Each entry that merge_collect() took has a place. It says where the entry's values, its retry row and its result go. */
int append_batch(struct merge *m, const struct journal_batch *jb, bool retries, size_t *ordinal, struct err *e)
{
    const struct batch *b = &jb->b;
    size_t n = b->entries_n;
    uint64_t *places = arena_calloc(&m->arena, n + 1, sizeof *places);
    m->append = (struct append_bulk_insert){.rows = arena_calloc(&m->arena, n + 1, sizeof *m->append.rows)};
    if (places == NULL || m->append.rows == NULL)
        return err_oom(e);
    for (size_t i = 0; i < n; i++) {
        const struct entry *entry = &b->entries[i];
        if (!fold_wants(entry, b->op, retries))
            continue;
        size_t at = (*ordinal)++;
        places[i] = m->places[at];
        if ((places[i] & (PLACE_INSERT | PLACE_UPDATE)) && write_values(m, entry, places[i], e) < 0)
            return -1;
        if ((places[i] & PLACE_RETRY) && write_retry(m, entry, journal_entry_target(jb, i), at, e) < 0)
            return -1;
    }
    if (write_appended(m, e) < 0)
        return -1;
    for (size_t i = 0; i < n; i++)
        if (people_record_status(&m->hasher, &b->entries[i], e) < 0)
            return -1;
    return write_results(m, jb, places, e);
}
