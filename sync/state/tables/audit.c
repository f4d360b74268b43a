/* Invariants that hold between any two commits; docs/STATE.md names them. A line each for what does not hold. */
#include "config.h"

#include "sync/state/tables/people.h"
#include "sync/state/tables/results.h"
#include "sync/state/state_int.h"

#include <string.h>

struct audit {
    struct state *state;
    struct buf *out;
    size_t violations;
};

static int report(struct audit *a, const char *what, const char *detail, struct err *e)
{
    a->violations++;
    return buf_addf(a->out, "%s%s%s\n", what, detail[0] != '\0' ? ": " : "", detail) < 0 ? err_oom(e) : 0;
}

/* Each query counts what must not be there. */
static const struct {
    const char *what, *sql;
} checks[] = {
    {"leads without a row of values, or two leads with one",
     "SELECT (SELECT count(*) FROM leads l LEFT JOIN lead_values v USING(n) WHERE v.n IS NULL)"
     " + (SELECT count(*) - count(DISTINCT n) FROM leads)"},
    {"rows of values without a lead", "SELECT (SELECT count(*) FROM lead_values) - (SELECT count(*) FROM leads)"},
    {"keys that are not 16 bytes", "SELECT count(*) FROM leads WHERE length(key) <> 16"},
    {"leads in a target that is not known",
     "SELECT count(*) FROM leads WHERE target <> 0 AND target NOT IN (SELECT number FROM targets)"},
    {"keys that are both a lead and a refusal of the same row",
     "SELECT count(*) FROM refusals r JOIN leads l USING(key) WHERE l.fingerprint = r.fingerprint AND l.fingerprint <> "
     "0"},
    {"keys that are both a lead and to be tried again for the same row",
     "SELECT count(*) FROM retries r JOIN leads l USING(key) WHERE l.fingerprint = r.fingerprint AND l.fingerprint <> "
     "0"},
    {"retries without values", "SELECT count(*) FROM retries r LEFT JOIN retry_values v USING(n) WHERE v.n IS NULL"},
    {"values of retries that belong to none", "SELECT (SELECT count(*) FROM retry_values) - (SELECT count(*) FROM retries)"},
    {"lead ids that two leads have",
     "SELECT coalesce(sum(c - 1), 0) FROM (SELECT count(*) AS c FROM lead_values JOIN leads USING(n)"
     " WHERE lead_id IS NOT NULL AND flags & 6 = 0 GROUP BY lead_id HAVING c > 1)"},
    {"numbers given out that the counter has not reached",
     "SELECT (SELECT count(*) FROM lead_values, identity WHERE n >= next_lead)"
     " + (SELECT count(*) FROM retry_values, identity WHERE n >= next_retry)"
     " + (SELECT count(*) FROM batches, identity WHERE id >= next_batch)"},
    {"batches of a run that is not known", "SELECT count(*) FROM batches WHERE run NOT IN (SELECT id FROM runs)"},
    {"forgotten people who are there", "SELECT (SELECT count(*) FROM forgotten JOIN leads USING(key)) + (SELECT "
                                       "count(*) FROM forgotten JOIN retries USING(key))"
                                       " + (SELECT count(*) FROM forgotten JOIN refusals USING(key))"},
    {"people with an unknown status", "SELECT count(*) FROM people WHERE status NOT IN (-1, -2, -3)"},
    {"counters that do not count",
     "SELECT (SELECT count(*) FROM identity WHERE leads_n <> (SELECT count(*) FROM leads)"
     " OR refusals_n <> (SELECT count(*) FROM refusals) OR retries_n <> (SELECT count(*) FROM retries)"
     " OR forgotten_n <> (SELECT count(*) FROM forgotten))"
     " + (SELECT count(*) FROM settings WHERE name = 'leads_gone'"
     " AND value <> CAST((SELECT count(*) FROM leads WHERE flags & 6 <> 0) AS TEXT))"},
};

static int run_checks(struct audit *a, struct err *e)
{
    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
        int64_t n;
        char count[32];
        if (db_int(&a->state->main, &n, 0, checks[i].sql, e) < 0)
            return -1;
        sqlite3_snprintf(sizeof count, count, "%lld", (long long)n);
        if (n != 0 && report(a, checks[i].what, count, e) < 0)
            return -1;
    }
    return 0;
}

/* A person who is kept out by the key is kept out by the address. */
static int check_people(struct audit *a, struct err *e)
{
    uint64_t n;
    char count[32];
    if (people_missing(a->state, &n, e) < 0)
        return -1;
    sqlite3_snprintf(sizeof count, count, "%llu", (unsigned long long)n);
    return n == 0 ? 0 : report(a, "leads of a status that their addresses lack", count, e);
}

static int check_integrity(struct audit *a, struct db *db, struct err *e)
{
    sqlite3_stmt *st;
    int rc = db_query(db, &st, e, "PRAGMA integrity_check(20)", "");
    for (; rc == 1; rc = db_next(db, st, e)) {
        char line[256];
        struct str text = db_text(st, 0);
        sqlite3_snprintf(sizeof line, line, "%.*s", str_len_int(text), text.p != NULL ? text.p : "");
        if (strcmp(line, "ok") != 0 && report(a, db->path, line, e) < 0)
            return -1;
    }
    return rc;
}

/* Every blob unpacks to as many results as its batch had entries, in row order. */
static int check_results(struct audit *a, struct err *e)
{
    struct db *db = &a->state->main;
    sqlite3_stmt *st;
    int rc = db_query(db, &st, e, "SELECT id, target, entries_n, first_row, entries FROM batches ORDER BY id", "");
    for (; rc == 1; rc = db_next(db, st, e)) {
        struct result_unpacker u;
        struct result r;
        uint64_t n = 0, last = 0, first = 0;
        int more;
        bool ordered = true;
        char id[32];
        result_unpacker_init(&u, (uint32_t)sqlite3_column_int64(st, 1), db_blob(st, 4));
        while ((more = result_unpack(&u, &r)) == 1) {
            uint64_t row = result_order(r.entry.row);
            first = n == 0 ? row : first;
            ordered = ordered && row >= last;
            last = row;
            n++;
        }
        sqlite3_snprintf(sizeof id, id, "%lld", (long long)sqlite3_column_int64(st, 0));
        if ((more < 0 || !ordered || n != (uint64_t)sqlite3_column_int64(st, 2) ||
             (n > 0 && first != (uint64_t)sqlite3_column_int64(st, 3))) &&
            report(a, "results of a batch that do not fit it", id, e) < 0)
            return -1;
    }
    return rc;
}

/* Open batches have no outcome, settled ones have one for each entry (which reading them checks). */
static int check_journal(struct audit *a, struct err *e)
{
    struct state *s = a->state;
    struct arena arena;
    struct journal_batch jb;
    int64_t loose;
    uint64_t after = 0;
    int rc;
    if (!s->journal.open)
        return 0;
    if (check_integrity(a, &s->journal.db, e) < 0)
        return -1;
    if (db_int(&s->journal.db, &loose, 0,
               "SELECT (SELECT count(*) FROM outcomes o JOIN batches b USING(id) WHERE b.state < " SQL_BATCH_DONE ")"
               " + (SELECT count(*) FROM batches b LEFT JOIN outcomes o USING(id) WHERE b.state = " SQL_BATCH_DONE
               " AND o.id IS NULL)"
               " + (SELECT count(*) FROM intents LEFT JOIN batches b USING(id) WHERE b.id IS NULL)",
               e) < 0)
        return -1;
    if (loose != 0 && report(a, "batches of the journal whose entries do not fit their state", "", e) < 0)
        return -1;
    arena_init(&arena, ARENA_BATCH_MAX);
    do {
        struct err bad = ERR_INIT;
        arena_reset(&arena);
        rc = journal_next(s, JOURNAL_ALL, after, &arena, &jb, &bad);
        if (rc == 1 && after == 0 && !s->id.journal_noted &&
            report(a, "batches of the journal, of which the main file does not know", "", e) < 0)
            rc = -1;
        else if (rc == 1)
            after = jb.b.id;
        else if (rc < 0)
            rc = report(a, err_text(&bad), "", e);
        err_clear(&bad);
    } while (rc == 1);
    arena_free(&arena);
    return rc;
}

/* The counts of a finished run's report add up; the report is JSON, which SQLite reads. */
static int check_reports(struct audit *a, struct err *e)
{
    struct db *db = &a->state->main;
    sqlite3_stmt *st;
    int rc = db_query(db, &st, e,
                      "SELECT id FROM runs WHERE report IS NOT NULL AND (NOT json_valid(report) OR"
                      " (json_extract(report, '$.rows.read') IS NOT NULL AND json_extract(report, '$.rows.read') <>"
                      " ifnull(json_extract(report, '$.rows.created'), 0) +"
                      " ifnull(json_extract(report, '$.rows.changed'), 0) +"
                      " ifnull(json_extract(report, '$.rows.unchanged'), 0) +"
                      " ifnull(json_extract(report, '$.rows.skipped'), 0) +"
                      " ifnull(json_extract(report, '$.rows.rejected'), 0) +"
                      " ifnull(json_extract(report, '$.rows.failed'), 0) +"
                      " ifnull(json_extract(report, '$.rows.deferred'), 0)))",
                      "");
    for (; rc == 1; rc = db_next(db, st, e)) {
        char id[32];
        sqlite3_snprintf(sizeof id, id, "%lld", (long long)sqlite3_column_int64(st, 0));
        if (report(a, "a run whose report does not add up", id, e) < 0)
            return -1;
    }
    return rc;
}

int state_audit(struct state *s, struct buf *out, size_t *violations, struct err *e)
{
    struct audit a = {.state = s, .out = out};
    *violations = 0;
    if (journal_flush_loose(s, e) < 0 || check_integrity(&a, &s->main, e) < 0)
        return -1;
    /* In a file that SQLite itself finds damaged the rest would only repeat it. */
    if (a.violations == 0 && (run_checks(&a, e) < 0 || check_people(&a, e) < 0 || check_results(&a, e) < 0 ||
                              check_journal(&a, e) < 0 || check_reports(&a, e) < 0))
        return -1;
    *violations = a.violations;
    return 0;
}
