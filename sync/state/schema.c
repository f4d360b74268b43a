/* Why the tables are cut as they are:
 *
 * A lead stands in two of them. `leads` is what every row of every run is compared with: 38 bytes a lead in key order,
 * so that a scan of all or a lookup of one touches few pages. `lead_values` holds the bulk in order of arrival: new
 * leads are appended, where key order would have rewritten every page of the file for each large run. `n` ties the two.
 *
 * What happened to the entries of a batch is one packed blob a batch, about a byte for a lead that was simply created,
 * because it refers to `lead_values` by number for everything else. */
#include "config.h"

#include "sync/state/schema.h"

#include "sync/state/tables/people.h"

#define PEOPLE_TABLE "CREATE TABLE people(address INTEGER PRIMARY KEY, status INTEGER NOT NULL) STRICT;"
#define PULLED_TABLE \
    "CREATE TABLE pulled(" \
    " lead BLOB NOT NULL, destination INTEGER NOT NULL, digest INTEGER NOT NULL, PRIMARY KEY(lead, destination))" \
    " STRICT, WITHOUT ROWID;"
#define MAPPING_COLUMNS \
    "ALTER TABLE retries ADD COLUMN run INTEGER NOT NULL DEFAULT 0;" \
    "ALTER TABLE runs ADD COLUMN mapping INTEGER NOT NULL DEFAULT 0;"

const char schema_tables[] =
    /* One row: who this state belongs to, the numbers to go on with, and the counts that are too dear to count. */
    "CREATE TABLE identity("
    " one INTEGER PRIMARY KEY CHECK(one = 1),"
    " state_id BLOB NOT NULL,"
    " secret BLOB NOT NULL,"
    " sync TEXT,"
    " api_host TEXT,"
    " hashed INTEGER NOT NULL DEFAULT 0,"
    " created_ms INTEGER NOT NULL,"
    " next_batch INTEGER NOT NULL DEFAULT 1,"
    " next_lead INTEGER NOT NULL DEFAULT 1,"
    " next_retry INTEGER NOT NULL DEFAULT 1,"
    " leads_n INTEGER NOT NULL DEFAULT 0,"
    " refusals_n INTEGER NOT NULL DEFAULT 0,"
    " retries_n INTEGER NOT NULL DEFAULT 0,"
    " forgotten_n INTEGER NOT NULL DEFAULT 0) STRICT;"
    "CREATE TABLE settings(name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE targets("
    " number INTEGER PRIMARY KEY, kind INTEGER NOT NULL, id BLOB NOT NULL, name TEXT, status INTEGER,"
    " UNIQUE(kind, id)) STRICT;"
    "CREATE TABLE shapes(id INTEGER PRIMARY KEY, names BLOB NOT NULL UNIQUE) STRICT;"
    "CREATE TABLE leads("
    " key BLOB PRIMARY KEY, fingerprint INTEGER NOT NULL, n INTEGER NOT NULL, target INTEGER NOT NULL,"
    " status INTEGER, flags INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE lead_values(n INTEGER PRIMARY KEY, who ANY NOT NULL, lead_id BLOB, packed BLOB) STRICT;"
    "CREATE TABLE former_ids("
    " n INTEGER NOT NULL, run INTEGER NOT NULL, lead_id BLOB NOT NULL, PRIMARY KEY(n, run)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE refusals("
    " key BLOB PRIMARY KEY, fingerprint INTEGER NOT NULL, context INTEGER NOT NULL, reason INTEGER NOT NULL,"
    " at_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE retries("
    " key BLOB PRIMARY KEY, fingerprint INTEGER NOT NULL, n INTEGER NOT NULL,"
    " run INTEGER NOT NULL DEFAULT 0) STRICT, WITHOUT ROWID;"
    "CREATE TABLE retry_values("
    " n INTEGER PRIMARY KEY, row INTEGER NOT NULL, target INTEGER NOT NULL, intent BLOB NOT NULL) STRICT;"
    "CREATE TABLE runs("
    " id INTEGER PRIMARY KEY, started_ms INTEGER NOT NULL, finished_ms INTEGER NOT NULL, status TEXT NOT NULL,"
    " read TEXT NOT NULL, report TEXT, exit_code INTEGER NOT NULL, mapping INTEGER NOT NULL DEFAULT 0,"
    " begun TEXT) STRICT;"
    "CREATE TABLE headers(run INTEGER PRIMARY KEY, header BLOB NOT NULL, delimiter INTEGER NOT NULL) STRICT;"
    "CREATE TABLE batches("
    " id INTEGER PRIMARY KEY, run INTEGER NOT NULL, op INTEGER NOT NULL, target INTEGER NOT NULL,"
    " source INTEGER NOT NULL, sent_ms INTEGER NOT NULL, http_status INTEGER NOT NULL, job TEXT,"
    " first_row INTEGER NOT NULL, entries_n INTEGER NOT NULL, entries BLOB NOT NULL) STRICT;"
    "CREATE INDEX batches_by_run ON batches(run, first_row);"
    "CREATE INDEX batches_by_job ON batches(job) WHERE job IS NOT NULL;"
    "CREATE TABLE rejects(batch INTEGER PRIMARY KEY, run INTEGER NOT NULL, cells BLOB NOT NULL) STRICT;"
    "CREATE TABLE jobs("
    " id TEXT PRIMARY KEY, type TEXT NOT NULL, status TEXT NOT NULL, progress INTEGER NOT NULL, filters TEXT,"
    " total INTEGER NOT NULL, success INTEGER NOT NULL, failed INTEGER NOT NULL, came_from TEXT, went_to TEXT,"
    " run INTEGER NOT NULL, created_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE forgotten(key BLOB PRIMARY KEY) STRICT, WITHOUT ROWID;" PEOPLE_TABLE PULLED_TABLE;

/* Append-only but for a batch's few changing facts, which stand apart from its entries so that a change of state writes
 * one small page. */
const char journal_tables[] =
    "CREATE TABLE owner(one INTEGER PRIMARY KEY CHECK(one = 1), state_id BLOB NOT NULL) STRICT;"
    "CREATE TABLE batches("
    " id INTEGER PRIMARY KEY, run INTEGER NOT NULL, op INTEGER NOT NULL, state INTEGER NOT NULL,"
    " target INTEGER NOT NULL, source INTEGER NOT NULL, sent_ms INTEGER NOT NULL, skew_ms INTEGER NOT NULL,"
    " http_status INTEGER NOT NULL, body_sha256 TEXT NOT NULL, job TEXT, first_row INTEGER NOT NULL,"
    " entries_n INTEGER NOT NULL) STRICT;"
    "CREATE TABLE intents(id INTEGER PRIMARY KEY, entries BLOB NOT NULL) STRICT;"
    "CREATE TABLE outcomes(id INTEGER PRIMARY KEY, entries BLOB NOT NULL) STRICT;";

/* A change of a table adds its step here and changes schema_tables with it.
 *
 * 1 to 2: intents (`retry_values`) say a text once. What is there is read as it is; version 1 would misread the new.
 * 2 to 3: a person's status is kept by the address, too; version 2 would make such a person active again. A run keeps the
 * digest of its mapping, and a retry row the run that left it; version 2 would send what another mapping made.
 * 3 to 4: a run keeps who began it and how; of older runs that is not known. Results keep what an update changed, which
 * version 3 would misread.
 * 4 to 5: these changes are a list that keeps each value's kind (change.h). Texts that are there stay; version 4 would print the
 * list.
 * 5 to 6: what `pull` has written of a lead is kept as a digest. */
const struct schema_step schema_steps[] = {{1, "", NULL},
                                           {2, PEOPLE_TABLE MAPPING_COLUMNS, people_fill},
                                           {3, "ALTER TABLE runs ADD COLUMN begun TEXT", NULL},
                                           {4, "", NULL},
                                           {5, PULLED_TABLE, NULL},
                                           {0, NULL, NULL}};

static int run_step(struct db *db, const struct schema_step *step, void *ctx, struct err *e)
{
    char version[64];
    sqlite3_snprintf(sizeof version, version, "PRAGMA user_version = %d", step->from + 1);
    if (db_begin(db, e) < 0)
        return -1;
    if (db_exec(db, step->sql, e) < 0 || (step->fill != NULL && step->fill(ctx, e) < 0) || db_exec(db, version, e) < 0 ||
        db_commit(db, e) < 0) {
        db_rollback(db);
        return err_context(e, "taking the state from version %d to %d", step->from, step->from + 1);
    }
    return 0;
}

int schema_migrate(struct db *db, const struct schema_step *steps, void *ctx, int to, struct err *e)
{
    int64_t at;
    if (db_int(db, &at, 0, "PRAGMA user_version", e) < 0)
        return -1;
    while (at < to) {
        const struct schema_step *step = steps;
        while (step->sql != NULL && step->from != at)
            step++;
        if (step->sql == NULL)
            return err_set(e, XS_STATE, "%s: version %lld of a state is not known to this leadsync; restore a backup",
                           db->path, (long long)at);
        if (run_step(db, step, ctx, e) < 0)
            return -1;
        at++;
    }
    return 0;
}

int state_schema_check(struct db *db, int application_id, int newest, int *version, struct err *e)
{
    int64_t id, at;
    if (db_int(db, &id, 0, "PRAGMA application_id", e) < 0 || db_int(db, &at, 0, "PRAGMA user_version", e) < 0)
        return -1;
    if (id != application_id)
        return err_set(e, XS_STATE,
                       "%s: is an SQLite file of another program, not a leadsync state; name another "
                       "with --state",
                       db->path);
    if (at > newest)
        return err_set(e, XS_STATE, "%s: was written by a newer leadsync (version %lld, this one knows %d); use that one",
                       db->path, (long long)at, newest);
    if (at < 1)
        return err_set(e, XS_STATE, "%s: has no version; it is damaged: restore it from a backup", db->path);
    *version = (int)at;
    return 0;
}
