/* results_to: writes the outcomes of rows to the user's database. If that fails, because the database was unreachable or the
 * process died, the next run writes them: the state remembers the oldest run that is not written completely, and writing a run
 * twice does no harm. An error here is a warning; it does not end the run. */
#include "config.h"

#include "sync/pipeline/run_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "connectors/postgres/postgres_results.h"
#include "sync/base/log.h"
#include "sync/base/stop.h"
#include "sync/base/text.h"
#include "sync/model/change.h"

/* The setting with the first run whose results may still change in the table. */
#define RESULTS_FROM "results_from"

/* True for removed leads whose row in the table is named by the lead id: the state keeps no text of the key, or the key
 * belongs to another lead by now, and the row would read as if that lead had been removed. */
static bool goes_by_id(const struct run *r, const struct entry *entry)
{
    return entry->row == 0 && (entry->key_text.n == 0 || upload_rekey_is_old(r->state, entry));
}

static int write_row(struct run *r, struct postgres_results *w, const struct run_record *record, const struct entry *entry,
                     enum op op, uint32_t target_number, struct err *e)
{
    char id[UUID_TEXT_N], target_text[TARGET_TEXT_N];
    struct target target;
    int found = target_number == 0 ? 0 : state_target_get(r->state, target_number, &r->known_arena, &target, e);
    if (found < 0)
        return -1;
    struct buf *changes = &r->scratch.text;
    buf_reset(changes);
    if (change_show(entry->changes, changes) != 0)
        return err_set(e, XS_STATE, "the changes of a row in the state are damaged; see leadsync status --audit");
    struct str lead_id = entry->has_lead_id ? str_from(uuid_format(&entry->lead_id, id)) : STR_NONE;
    const struct result_row row = {
        .run = record->id,
        .row = entry->row,
        .line = entry->line,
        .key = goes_by_id(r, entry) ? lead_id : entry->key_text,
        .outcome = outcome_text(entry->outcome),
        .reason = str_from(reason_text(entry->reason)),
        .lead_id = lead_id,
        .target = found > 0 ? str_from(target_format(&target, target_text)) : STR_NONE,
        .http_status = entry->http_status,
        .at_ms = record->started_ms,
        .op = op != OP_NONE ? str_from(op_text(op)) : STR_NONE,
        .detail = entry->detail,
        .changes = buf_str(changes),
    };
    return postgres_results_add(w, &row, e);
}

static int write_run(struct run *r, struct postgres_results *w, const struct run_record *record, uint64_t *rows,
                     struct err *e)
{
    struct results *results;
    struct entry entry;
    enum op op;
    uint32_t target;
    int rc;
    if (state_results_open(r->state, record->id, &results, e) != 0)
        return -1;
    do {
        arena_reset(&r->known_arena);
        rc = state_results_next(results, &r->known_arena, &entry, &op, &target, e);
        /* Leave out unchanged rows, as `results` does. Some of these entries are only notes of the state. */
        if (rc == 1 && entry.outcome != OUTCOME_NONE && entry.outcome != OUTCOME_UNCHANGED) {
            ++*rows;
            rc = write_row(r, w, record, &entry, op, target, e) == 0 ? 1 : -1;
        }
        if (rc == 1 && stop_requested() != 0)
            rc = err_set(e, (enum exit_status)(128 + stop_requested()), "interrupted");
    } while (rc == 1);
    state_results_close(results);
    return rc;
}

/* The oldest run whose results are not written completely. A new table gets the results of all runs. */
static int first_run(struct run *r, uint64_t *from, struct err *e)
{
    const char *text;
    if (state_get(r->state, RESULTS_FROM, &text, e) != 0)
        return -1;
    *from = text != NULL ? strtoull(text, NULL, 10) : 1;
    return 0;
}

/* The table has runs that this state does not know: an older copy was restored, or a second host runs the sync. */
static void warn_of_other_runs(const struct run *r, uint64_t last)
{
    enum { RECORD_BYTES = 64 << 20 };
    struct err e = ERR_INIT;
    struct arena arena;
    struct run_record own = {.id = 0};
    arena_init(&arena, RECORD_BYTES);
    if (state_run_get(r->state, 0, &arena, &own, &e) < 0)
        log_detail("results_to: %s", err_text(&e));
    else if (last > own.id)
        log_warning(
            "results_to: the table has run %llu of this sync, and this state knows %s: this state is an older copy, "
            "or new, or another host runs the sync with a state of its own; see \"Restore\" and \"A second host by mistake\" in OPERATIONS.md",
            (unsigned long long)last, own.id > 0 ? "only earlier runs" : "no run");
    err_clear(&e);
    arena_free(&arena);
}

/* After an older copy of the state is restored, run numbers repeat, and the table still has rows of the lost runs. New runs
 * get numbers after those. 0: the table cannot be read; then write_runs() compares before it writes. */
uint64_t run_results_number(const struct run *r)
{
    /* A greater number cannot come from leadsync, so it is ignored. */
    enum { NUMBER_BITS = 53 };
    struct err e = ERR_INIT;
    const struct mapping *m = r->m;
    uint64_t last = 0;
    if (m == NULL || m->results_url == NULL)
        return 0;
    if (postgres_results_last_run(m->results_url, m->results_table, r->report->sync, r->deadline_us, &last, &e) != 0)
        log_detail("results_to: %s", err_text(&e));
    else if (last >> NUMBER_BITS == 0)
        warn_of_other_runs(r, last);
    err_clear(&e);
    return last >> NUMBER_BITS == 0 ? last + 1 : 0;
}

/* Rows in open batches get their outcome later, and then belong to the run that sent them. */
static int remember(struct run *r, struct err *e)
{
    char text[32];
    struct batch *open;
    size_t n;
    uint64_t from = r->record.id + 1;
    arena_reset(&r->known_arena);
    if (state_batches_open(r->state, &r->known_arena, &open, &n, e) != 0)
        return -1;
    for (size_t i = 0; i < n; i++)
        from = open[i].run < from ? open[i].run : from;
    snprintf(text, sizeof text, "%llu", (unsigned long long)from);
    return state_set(r->state, RESULTS_FROM, text, e) != 0 ? -1 : state_set(r->state, STATE_RESULTS_ERROR, NULL, e);
}

static int write_if_free(struct run *r, struct postgres_results *w, const struct run_record *record, uint64_t *rows,
                         struct err *e)
{
    bool taken;
    if (postgres_results_taken(w, record->id, record->started_ms, &taken, e) != 0)
        return -1;
    if (!taken)
        return write_run(r, w, record, rows, e);
    log_warning("results_to: %s already has another run %llu of this sync, probably because an older copy of the state was "
                "restored; the rows of this run are not written: see leadsync results --run %llu",
                postgres_results_label(w), (unsigned long long)record->id, (unsigned long long)record->id);
    return 0;
}

static int write_runs(struct run *r, struct postgres_results *w, uint64_t *rows, struct err *e)
{
    struct run_record *runs;
    uint64_t from;
    size_t n;
    if (first_run(r, &from, e) != 0 || state_runs(r->state, SIZE_MAX, &r->run_arena, &runs, &n, e) != 0)
        return -1;
    /* The oldest first. */
    while (n-- > 0)
        if (runs[n].id >= from && write_if_free(r, w, &runs[n], rows, e) < 0)
            return -1;
    return postgres_results_flush(w, e) != 0 ? -1 : remember(r, e);
}

/* A run that has reached --max-seconds still writes its results, but waits only briefly for the database. */
static int64_t deadline(const struct run *r)
{
    enum { GRACE_US = 5 * 1000 * 1000 };
    int64_t now_us = r->c->clock->mono_us(r->c->clock);
    if (r->deadline_us == 0)
        return 0;
    return (r->deadline_us > now_us ? r->deadline_us : now_us) + GRACE_US;
}

/* A sync without results_to: has nothing that waits. A resume may have no mapping, and then does not know. */
static int forget_failure(struct run *r)
{
    struct err e = ERR_INIT;
    if (r->read.kind != NULL && state_set(r->state, STATE_RESULTS_ERROR, NULL, &e) != 0)
        log_detail("results_to: %s", err_text(&e));
    err_clear(&e);
    return 0;
}

static void report_failure(struct run *r, const struct err *why)
{
    struct err e = ERR_INIT;
    log_warning("results_to: %s\nleads were synced normally; the next run also writes these results", err_text(why));
    run_report_results_failed(r->report, why);
    if (state_set(r->state, STATE_RESULTS_ERROR, r->report->results_error, &e) != 0)
        log_detail("cannot note that results_to: was not written: %s", err_text(&e));
    err_clear(&e);
}

int run_write_results(struct run *r)
{
    struct postgres_results *w = NULL;
    struct err e = ERR_INIT;
    uint64_t rows = 0;
    const struct mapping *m = r->m;
    if (r->record.id == 0)
        return 0;
    if (m->results_url == NULL)
        return forget_failure(r);
    /* After a signal the run ends at once; the next run writes the results. */
    if (stop_requested() != 0)
        return -1;
    bool late = r->report->results_wait;
    int rc = postgres_results_open(m->results_url, m->results_table, m->results_create, r->report->sync, deadline(r), &w,
                                   &e);
    if (rc == 0)
        rc = write_runs(r, w, &rows, &e);
    if (rc == 0)
        log_msg(late ? LOG_NOTICE : LOG_DETAIL, "results_to: %llu row%s written to %s%s", (unsigned long long)rows,
                text_plural(rows), postgres_results_label(w), late ? ", with those of earlier runs" : "");
    else
        report_failure(r, &e);
    postgres_results_close(w);
    err_clear(&e);
    return rc;
}
