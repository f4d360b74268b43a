#include "config.h"

#include "connectors/postgres/postgres_results.h"

#include "connectors/postgres/postgres_table.h"
#include "sync/base/buf.h"
#include "sync/base/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    BATCH_ROWS = 1000,
    BATCH_BYTES = 4 << 20, /* of one column's array, before it is sent */
    ARRAY_MAX = 64 << 20,
    SQL_MAX = 64 << 10,
};

/* `sync` is a parameter for itself. Its number in the run identifies a row; a row without a key has an empty one. */
enum column {
    C_RUN,
    C_ROW,
    C_LINE,
    C_KEY,
    C_OUTCOME,
    C_REASON,
    C_LEAD_ID,
    C_TARGET,
    C_HTTP_STATUS,
    C_AT,
    NARROW_N, /* The columns of a table that an older leadsync has made. */
    C_OP = NARROW_N,
    C_DETAIL,
    C_CHANGES,
    COLUMN_N
};

#define COLUMNS "run, \"row\", line, key, outcome, reason, lead_id, target, http_status, at"
#define MORE ", op, detail, changes"

static const char create_columns[] =
    "run bigint not null, sync text not null, \"row\" bigint not null, line bigint, key text not null,"
    " outcome text not null, reason text, lead_id uuid, target text, http_status integer, at timestamptz not null,"
    " op text, detail text, changes text, primary key (sync, run, \"row\", key)";

/* Of two records of one row (an update and a move of its lead) the one that went wrong is kept. */
static const char insert_format[] =
    "insert into %s as t (sync, " COLUMNS "%s)"
    " select distinct on (run, \"row\", key) $1::text, " COLUMNS "%s"
    " from unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::uuid[], $9::text[],"
    " $10::integer[], $11::timestamptz[]%s) with ordinality as u (" COLUMNS "%s, n)"
    " order by run, \"row\", key, outcome in ('failed', 'deferred') desc, n desc"
    " on conflict (sync, run, \"row\", key) do update set (line, outcome, reason, lead_id, target, http_status, at%s)"
    " = (excluded.line, excluded.outcome, excluded.reason, excluded.lead_id, excluded.target, excluded.http_status,"
    " excluded.at%s)";

struct postgres_results {
    struct postgres_conn conn;
    const char *sync;
    char *table; /* quoted for SQL if it needs quotes */
    char *label;
    struct buf insert;
    struct buf arrays[COLUMN_N]; /* "{1,2" and so on: closed when they are sent */
    size_t columns_n;            /* NARROW_N or COLUMN_N */
    size_t rows;
    uint64_t last_run, last_row;
};

static const char may_create_sql[] =
    "select coalesce(has_schema_privilege(s, 'CREATE'), false), coalesce(s, '…') from"
    " (select case cardinality(parse_ident($1)) when 1 then current_schema() else (parse_ident($1))[1] end) t (s)";

/* ---- opening ---- */

static int resolve_table(struct postgres_results *w, const char *table, bool *missing, struct err *e)
{
    if (postgres_table_resolve(&w->conn, table, &w->table, missing, e) != 0)
        return -1;
    if (asprintf(&w->label, "%s, table %s", w->conn.label, w->table) < 0) {
        w->label = NULL;
        return err_oom(e);
    }
    return 0;
}

static int make_table(struct postgres_results *w, struct err *e)
{
    struct buf sql = BUF_INIT(SQL_MAX);
    PGresult *result = NULL;

    if (buf_addf(&sql, "create table if not exists %s (%s)", w->table, create_columns) != 0 || buf_cstr(&sql) == NULL)
        err_oom(e);
    else
        result = postgres_conn_run(&w->conn, sql.p, 0, NULL, e);
    buf_free(&sql);
    PQclear(result);
    return result != NULL ? 0 : -1;
}

/* Adds the columns that a table of an older leadsync lacks. If that fails, the table is written without them. */
static void widen_table(struct postgres_results *w)
{
    struct buf sql = BUF_INIT(SQL_MAX);
    struct err e = ERR_INIT;

    if (buf_addf(&sql, "alter table %s add op text, add detail text, add changes text", w->table) == 0 &&
        buf_cstr(&sql) != NULL && postgres_table_write(&w->conn, sql.p, 0, NULL, NULL, &e) == 0)
        w->columns_n = COLUMN_N;
    err_clear(&e);
    buf_free(&sql);
}

/* Which columns has the table? A text of another encoding could be refused, so such a database gets no values of leads. */
static int look_at_columns(struct postgres_results *w, bool create, struct err *e)
{
    static const char sql[] =
        "select count(a.attname), bool_and(pg_has_role(c.relowner, 'USAGE') and c.relkind in ('r', 'p')),"
        " current_setting('server_encoding') = 'UTF8' from pg_class c left join pg_attribute a on a.attrelid = c.oid"
        " and a.attname in ('op', 'detail', 'changes') and not a.attisdropped where c.oid = to_regclass($1)";
    const char *table = w->table;
    PGresult *result = postgres_conn_run(&w->conn, sql, 1, &table, e);
    if (result == NULL)
        return -1;
    int has = atoi(PQgetvalue(result, 0, 0));
    bool owns = *PQgetvalue(result, 0, 1) == 't', utf8 = *PQgetvalue(result, 0, 2) == 't';
    PQclear(result);
    w->columns_n = has == COLUMN_N - NARROW_N && utf8 ? COLUMN_N : NARROW_N;
    if (has == 0 && owns && utf8 && create)
        widen_table(w);
    return 0;
}

static int write_insert(struct postgres_results *w, struct err *e)
{
    bool wide = w->columns_n == COLUMN_N;
    const char *more = wide ? MORE : "";

    buf_reset(&w->insert);
    int bad = buf_addf(&w->insert, insert_format, w->table, more, more,
                       wide ? ", $12::text[], $13::text[], $14::text[]" : "", more, more,
                       wide ? ", excluded.op, excluded.detail, excluded.changes" : "");
    return bad == 0 && buf_cstr(&w->insert) != NULL ? 0 : err_oom(e);
}

/* Explained, the statement is planned and its privileges are looked up, and nothing is written: a column that is missing
 * or of another type, a missing key, and a role that may not write are all found before the first row. */
static int try_table(struct postgres_results *w, bool create, struct err *e)
{
    static const char *const nothing[COLUMN_N + 1];
    struct buf sql = BUF_INIT(SQL_MAX);
    PGresult *result = NULL;

    if (look_at_columns(w, create, e) != 0 || write_insert(w, e) != 0)
        return -1;
    if (buf_addf(&sql, "explain %.*s", STR_ARG(buf_str(&w->insert))) != 0 || buf_cstr(&sql) == NULL)
        err_oom(e);
    else
        result = postgres_conn_run(&w->conn, sql.p, (int)w->columns_n + 1, nothing, e);
    buf_free(&sql);
    PQclear(result);
    return result != NULL ? 0 : -1;
}

static int open_connection(struct postgres_results *w, const char *url, int64_t deadline_us, struct err *e)
{
    int status = postgres_conn_open(&w->conn, url, deadline_us, e);

    w->conn.writes = true;
    return status;
}

static int connect_to(const char *url, const char *table, int64_t deadline_us, struct postgres_results **out, bool *missing,
                      struct err *e)
{
    struct postgres_results *w = calloc(1, sizeof *w);

    *out = w;
    if (w == NULL)
        return err_oom(e);
    buf_init(&w->insert, SQL_MAX);
    for (size_t i = 0; i < COLUMN_N; i++)
        buf_init(&w->arrays[i], ARRAY_MAX);
    return open_connection(w, url, deadline_us, e) != 0 || resolve_table(w, table, missing, e) != 0 ? -1 : 0;
}

static int no_table(const struct postgres_results *w, struct err *e)
{
    return err_set(e, XS_CONFIG,
                   "%s: the table does not exist; set create: true under results_to: postgres:, or run\n"
                   "create table %s (%s)",
                   w->label, w->table, create_columns);
}

int postgres_results_open(const char *url, const char *table, bool create, const char *sync, int64_t deadline_us,
                          struct postgres_results **out, struct err *e)
{
    bool missing = false;

    if (connect_to(url, table, deadline_us, out, &missing, e) == 0) {
        (*out)->sync = sync;
        int made = !missing ? 0 : create ? make_table(*out, e) : no_table(*out, e);
        if (made == 0 && try_table(*out, create, e) == 0)
            return 0;
    }
    postgres_results_close(*out);
    *out = NULL;
    return -1;
}

/* May the user make a table in the schema where it would be? */
static int try_create(struct postgres_results *w, const char *table, struct err *e)
{
    PGresult *result = postgres_conn_run(&w->conn, may_create_sql, 1, &table, e);
    if (result == NULL)
        return -1;
    int status = 0;
    if (*PQgetvalue(result, 0, 0) != 't')
        status = err_set(e, XS_NO_SOURCE,
                         "%s: the table is missing, and the user of the connection may not create it; GRANT CREATE "
                         "ON SCHEMA %s TO it, or run\ncreate table %s (%s)",
                         w->label, PQgetvalue(result, 0, 1), w->table, create_columns);
    PQclear(result);
    return status;
}

int postgres_results_check(const char *url, const char *table, bool create, bool *missing, bool *narrow, struct err *e)
{
    struct postgres_results *w;
    int status = connect_to(url, table, 0, &w, missing, e);

    if (status == 0 && *missing)
        status = create ? try_create(w, table, e) : no_table(w, e);
    else if (status == 0)
        status = try_table(w, false, e);
    *narrow = status == 0 && !*missing && w->columns_n == NARROW_N;
    postgres_results_close(w);
    return status;
}

void postgres_results_close(struct postgres_results *w)
{
    if (w == NULL)
        return;
    postgres_conn_close(&w->conn);
    buf_free(&w->insert);
    for (size_t i = 0; i < COLUMN_N; i++)
        buf_free(&w->arrays[i]);
    free(w->table);
    free(w->label);
    free(w);
}

/* ---- numbers of runs ---- */

/* Runs a query about runs of the sync; its one value goes to `out`, "" when there is no row. Caller frees. */
static char *ask_runs(struct postgres_results *w, const char *format_before, const char *format_after, int n,
                      const char *const *values, struct err *e)
{
    struct buf sql = BUF_INIT(SQL_MAX);
    PGresult *result = NULL;
    char *out = NULL;

    if (buf_addf(&sql, "%s%s%s", format_before, w->table, format_after) != 0 || buf_cstr(&sql) == NULL)
        err_oom(e);
    else
        result = postgres_conn_run(&w->conn, sql.p, n, values, e);
    if (result != NULL && (out = strdup(PQntuples(result) > 0 ? PQgetvalue(result, 0, 0) : "")) == NULL)
        err_oom(e);
    PQclear(result);
    buf_free(&sql);
    return out;
}

int postgres_results_last_run(const char *url, const char *table, const char *sync, int64_t deadline_us, uint64_t *run,
                              struct err *e)
{
    struct postgres_results *w;
    bool missing = false;
    int status = connect_to(url, table, deadline_us, &w, &missing, e);
    char *last = NULL;

    *run = 0;
    if (status == 0 && !missing) {
        last = ask_runs(w, "select max(run) from ", " where sync = $1", 1, &sync, e);
        status = last != NULL ? 0 : -1;
    }
    if (last != NULL && last[0] != '\0' && last[0] != '-')
        *run = strtoull(last, NULL, 10);
    free(last);
    postgres_results_close(w);
    return status;
}

int postgres_results_taken(struct postgres_results *w, uint64_t run, int64_t at_ms, bool *taken, struct err *e)
{
    char number[32], at[TIME_TEXT_N];
    snprintf(number, sizeof number, "%" PRIu64, run);
    const char *const values[] = {w->sync, number, time_format(at_ms, at)};
    char *other = ask_runs(w, "select at <> $3::timestamptz from ", " where sync = $1 and run = $2::bigint limit 1", 3,
                           values, e);

    *taken = other != NULL && other[0] == 't';
    free(other);
    return other != NULL ? 0 : -1;
}

const char *postgres_results_label(const struct postgres_results *w)
{
    return w->label;
}

/* ---- writing ---- */

static int add_number(struct buf *array, uint64_t n, bool null)
{
    return null ? buf_adds(array, "NULL") : buf_addf(array, "%" PRIu64, n);
}

static bool is_full(const struct postgres_results *w)
{
    bool full = w->rows >= BATCH_ROWS;

    for (size_t i = 0; i < w->columns_n; i++)
        full |= w->arrays[i].n >= BATCH_BYTES;
    return full;
}

int postgres_results_add(struct postgres_results *w, const struct result_row *row, struct err *e)
{
    char at[TIME_TEXT_N];
    struct buf *a = w->arrays;
    int bad = 0;

    /* The records of one row stay together, for one statement to choose among them. */
    bool same_row = row->run == w->last_run && row->row == w->last_row && row->row != 0;
    if (is_full(w) && !same_row && postgres_results_flush(w, e) != 0)
        return -1;
    for (size_t i = 0; i < w->columns_n; i++)
        bad |= buf_addc(&a[i], w->rows == 0 ? '{' : ',');
    bad |= add_number(&a[C_RUN], row->run, false) | add_number(&a[C_ROW], row->row, false);
    bad |= add_number(&a[C_LINE], row->line, row->line == 0);
    bad |= postgres_array_text(&a[C_KEY], row->key, false) |
           postgres_array_text(&a[C_OUTCOME], str_from(row->outcome), false);
    bad |= postgres_array_text(&a[C_REASON], row->reason, row->reason.n == 0);
    bad |= postgres_array_text(&a[C_LEAD_ID], row->lead_id, row->lead_id.n == 0);
    bad |= postgres_array_text(&a[C_TARGET], row->target, row->target.n == 0);
    bad |= add_number(&a[C_HTTP_STATUS], (uint64_t)row->http_status, row->http_status <= 0);
    bad |= postgres_array_text(&a[C_AT], str_from(time_format(row->at_ms, at)), false);
    if (w->columns_n == COLUMN_N) {
        bad |= postgres_array_text(&a[C_OP], row->op, row->op.n == 0) |
               postgres_array_text(&a[C_DETAIL], row->detail, row->detail.n == 0);
        bad |= postgres_array_text(&a[C_CHANGES], row->changes, row->changes.n == 0);
    }
    if (bad != 0)
        return err_oom(e);
    w->rows++;
    w->last_run = row->run;
    w->last_row = row->row;
    return 0;
}

int postgres_results_flush(struct postgres_results *w, struct err *e)
{
    const char *values[COLUMN_N + 1];

    if (w->rows == 0)
        return 0;
    values[0] = w->sync;
    for (size_t i = 0; i < w->columns_n; i++) {
        if (buf_addc(&w->arrays[i], '}') != 0 || (values[i + 1] = buf_cstr(&w->arrays[i])) == NULL)
            return err_oom(e);
    }
    int status = postgres_table_write(&w->conn, w->insert.p, (int)w->columns_n + 1, values, NULL, e);
    for (size_t i = 0; i < COLUMN_N; i++)
        buf_reset(&w->arrays[i]);
    w->rows = 0;
    return status;
}
