/* The statement compares the whole record before it writes, so a lead that has not changed costs no new row version, no WAL and no
 * trigger, and a record that another user has changed by hand is set right. */
#include "config.h"

#include "connectors/postgres/postgres_engagement.h"

#include "connectors/postgres/postgres_table.h"
#include "connectors/postgres/postgres_url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    BATCH_ROWS = 1000,
    BATCH_BYTES = 4 << 20, /* of one column's array, before it is sent */
    ARRAY_MAX = 64 << 20,
    SQL_MAX = 64 << 10,
};

struct postgres_engagement {
    struct postgres_conn conn;
    const char *sync;
    char *table; /* quoted for SQL if it needs quotes */
    char *label;
    struct buf insert;
    struct buf arrays[ENGAGEMENT_COLUMN_N]; /* "{1,2" and so on: closed when they are sent */
    size_t rows;
    uint64_t changed;
};

int postgres_engagement_check_url(const char *url, struct err *e)
{
    struct err wrong = ERR_INIT;
    char *label;
    int rc = postgres_url_label(url, &label, &wrong);
    free(label);
    if (rc != 0) {
        err_set(e, XS_USAGE, "--to: %s", err_text(&wrong));
        err_clear(&wrong);
        return -1;
    }
    PQconninfoOption *options = PQconninfoParse(url, NULL);
    bool has = postgres_url_option(options, "password") != NULL;
    PQconninfoFree(options);
    return has ? err_set(e, XS_USAGE,
                         "--to: the URL has a password, which other users of this host can see; put it into a passfile "
                         "(~/.pgpass) or a service (~/.pg_service.conf)")
               : 0;
}

/* ---- the statement ---- */

/* Appends `prefix` and name of each column, with a comma between. */
static int add_names(struct buf *out, const char *prefix)
{
    int bad = 0;
    for (size_t i = 0; i < ENGAGEMENT_COLUMN_N; i++)
        bad |= buf_addf(out, "%s%s%.*s", i > 0 ? ", " : "", prefix, STR_ARG(engagement_column_table[i].name));
    return bad;
}

static int engagement_write_insert(struct postgres_engagement *w, struct err *e)
{
    struct buf *sql = &w->insert;
    int bad = buf_addf(sql, "insert into %s as t (sync, ", w->table) | add_names(sql, "") |
              buf_adds(sql, ", pulled_at) select $1::text, ") | add_names(sql, "u.") | buf_adds(sql, ", now() from unnest(");
    for (size_t i = 0; i < ENGAGEMENT_COLUMN_N; i++)
        bad |= buf_addf(sql, "%s$%zu::%s[]", i > 0 ? ", " : "", i + 2, engagement_column_table[i].sql_type);
    bad |= buf_adds(sql, ") as u (") | add_names(sql, "") | buf_adds(sql, ") on conflict (sync, lead_id) do update set (") |
           add_names(sql, "") | buf_adds(sql, ", pulled_at) = (") | add_names(sql, "excluded.") |
           buf_adds(sql, ", now()) where (") | add_names(sql, "t.") | buf_adds(sql, ") is distinct from (") |
           add_names(sql, "excluded.") | buf_adds(sql, ")");
    return bad == 0 && buf_cstr(sql) != NULL ? 0 : err_oom(e);
}

/* ---- opening ---- */

static int add_create(struct buf *sql, const char *table)
{
    int bad = buf_addf(sql, "create table if not exists %s (sync text not null", table);
    for (size_t i = 0; i < ENGAGEMENT_COLUMN_N; i++)
        bad |= buf_addf(sql, ", %.*s %s%s", STR_ARG(engagement_column_table[i].name), engagement_column_table[i].sql_type,
                        i == ENGAGEMENT_LEAD_ID ? " not null" : "");
    return bad | buf_adds(sql, ", pulled_at timestamptz not null, primary key (sync, lead_id))");
}

static int engagement_make_table(struct postgres_engagement *w, bool create, struct err *e)
{
    struct buf sql = BUF_INIT(SQL_MAX);
    int rc = -1;
    if (add_create(&sql, w->table) != 0 || buf_cstr(&sql) == NULL)
        err_oom(e);
    else if (!create)
        err_set(e, XS_CONFIG, "%s: the table does not exist; give --create, or run\n%s", w->label, sql.p);
    else if ((rc = postgres_table_write(&w->conn, sql.p, 0, NULL, NULL, e)) != 0)
        err_context(e, "%s: cannot create the table; its owner can run\n%s\n", w->label, sql.p);
    buf_free(&sql);
    return rc;
}

/* Appends the ALTER TABLE that adds the columns which the table lacks; *missing: there are any. */
static int add_missing(struct postgres_engagement *w, struct buf *sql, bool *missing, struct err *e)
{
    static const char lacks_sql[] =
        "select string_agg('add ' || c || ' ' || t, ', ' order by n)"
        " from unnest($2::text[], $3::text[]) with ordinality as u (c, t, n) where not exists"
        " (select from pg_attribute where attrelid = to_regclass($1) and attname = c and not attisdropped)";
    struct buf names = BUF_INIT(SQL_MAX), types = BUF_INIT(SQL_MAX);
    int bad = buf_adds(&names, "{") | add_names(&names, "") | buf_adds(&names, ", pulled_at}") | buf_adds(&types, "{");
    for (size_t i = 0; i < ENGAGEMENT_COLUMN_N; i++)
        bad |= buf_addf(&types, "%s,", engagement_column_table[i].sql_type);
    bad |= buf_adds(&types, "timestamptz}");
    const char *const values[] = {w->table, buf_cstr(&names), buf_cstr(&types)};
    PGresult *result = bad == 0 && values[1] != NULL && values[2] != NULL
                           ? postgres_conn_run(&w->conn, lacks_sql, 3, values, e)
                           : NULL;
    if (result == NULL && e->status == XS_DONE)
        err_oom(e);
    *missing = result != NULL && !PQgetisnull(result, 0, 0);
    if (*missing && (buf_addf(sql, "alter table %s %s", w->table, PQgetvalue(result, 0, 0)) != 0 || buf_cstr(sql) == NULL))
        err_oom(e);
    PQclear(result);
    buf_free(&names);
    buf_free(&types);
    return e->status == XS_DONE ? 0 : -1;
}

/* A table of an older leadsync lacks columns. */
static int engagement_widen_table(struct postgres_engagement *w, bool create, struct err *e)
{
    struct buf sql = BUF_INIT(SQL_MAX);
    bool missing;
    int rc = add_missing(w, &sql, &missing, e);
    if (rc == 0 && missing && !create)
        rc = err_set(e, XS_CONFIG, "%s: the table lacks columns; give --create to add them, or run\n%s", w->label, sql.p);
    else if (rc == 0 && missing && (rc = postgres_table_write(&w->conn, sql.p, 0, NULL, NULL, e)) != 0)
        err_context(e, "%s: cannot add columns; the table's owner can run\n%s\n", w->label, sql.p);
    buf_free(&sql);
    return rc;
}

/* Explained, the statement is planned and its privileges are looked up, and nothing is written: a column of another type, a missing
 * key, and a role that may not write are all found before the pages are read. */
static int try_insert(struct postgres_engagement *w, struct err *e)
{
    static const char *const nothing[ENGAGEMENT_COLUMN_N + 1];
    struct buf sql = BUF_INIT(SQL_MAX);
    int rc = buf_addf(&sql, "explain %.*s", STR_ARG(buf_str(&w->insert))) != 0 || buf_cstr(&sql) == NULL
                 ? err_oom(e)
                 : postgres_table_run(&w->conn, sql.p, ENGAGEMENT_COLUMN_N + 1, nothing, e);
    buf_free(&sql);
    return rc;
}

static int is_fresh(struct postgres_engagement *w, bool *fresh, struct err *e)
{
    struct buf sql = BUF_INIT(SQL_MAX);
    PGresult *result = NULL;
    if (buf_addf(&sql, "select not exists (select from %s where sync = $1)", w->table) != 0 || buf_cstr(&sql) == NULL)
        err_oom(e);
    else
        result = postgres_conn_run(&w->conn, sql.p, 1, &w->sync, e);
    if (result != NULL)
        *fresh = *PQgetvalue(result, 0, 0) == 't';
    buf_free(&sql);
    PQclear(result);
    return result != NULL ? 0 : -1;
}

static int open_table(struct postgres_engagement *w, const char *url, const char *table, bool create, int64_t deadline_us,
                      struct err *e)
{
    bool missing;
    if (postgres_conn_open(&w->conn, url, deadline_us, e) != 0)
        return -1;
    w->conn.writes = true;
    if (postgres_table_resolve(&w->conn, table, &w->table, &missing, e) != 0)
        return -1;
    if (asprintf(&w->label, "%s, table %s", w->conn.label, w->table) < 0) {
        w->label = NULL;
        return err_oom(e);
    }
    int rc = missing ? engagement_make_table(w, create, e) : engagement_widen_table(w, create, e);
    return rc != 0 || engagement_write_insert(w, e) != 0 ? -1 : try_insert(w, e);
}

int postgres_engagement_open(const char *url, const char *table, bool create, const char *sync, int64_t deadline_us,
                             struct postgres_engagement **out, bool *fresh, struct err *e)
{
    struct postgres_engagement *w = *out = calloc(1, sizeof *w);
    if (w == NULL)
        return err_oom(e);
    w->sync = sync;
    buf_init(&w->insert, SQL_MAX);
    for (size_t i = 0; i < ENGAGEMENT_COLUMN_N; i++)
        buf_init(&w->arrays[i], ARRAY_MAX);
    if (open_table(w, url, table, create, deadline_us, e) == 0 && (fresh == NULL || is_fresh(w, fresh, e) == 0))
        return 0;
    postgres_engagement_close(w);
    *out = NULL;
    return -1;
}

void postgres_engagement_close(struct postgres_engagement *w)
{
    if (w == NULL)
        return;
    postgres_conn_close(&w->conn);
    buf_free(&w->insert);
    for (size_t i = 0; i < ENGAGEMENT_COLUMN_N; i++)
        buf_free(&w->arrays[i]);
    free(w->table);
    free(w->label);
    free(w);
}

const char *postgres_engagement_label(const struct postgres_engagement *w)
{
    return w->label;
}

/* ---- writing ---- */

static int send_rows(struct postgres_engagement *w, struct err *e)
{
    const char *values[ENGAGEMENT_COLUMN_N + 1];
    uint64_t changed = 0;
    if (w->rows == 0)
        return 0;
    values[0] = w->sync;
    for (size_t i = 0; i < ENGAGEMENT_COLUMN_N; i++)
        if (buf_addc(&w->arrays[i], '}') != 0 || (values[i + 1] = buf_cstr(&w->arrays[i])) == NULL)
            return err_oom(e);
    int rc = postgres_table_write(&w->conn, w->insert.p, ENGAGEMENT_COLUMN_N + 1, values, &changed, e);
    for (size_t i = 0; i < ENGAGEMENT_COLUMN_N; i++)
        buf_reset(&w->arrays[i]);
    w->rows = 0;
    w->changed += changed;
    return rc;
}

int postgres_engagement_add(struct postgres_engagement *w, const struct str cells[ENGAGEMENT_COLUMN_N], struct err *e)
{
    bool full = w->rows >= BATCH_ROWS;
    int bad = 0;
    for (size_t i = 0; i < ENGAGEMENT_COLUMN_N; i++)
        full |= w->arrays[i].n >= BATCH_BYTES;
    if (full && send_rows(w, e) != 0)
        return -1;
    for (size_t i = 0; i < ENGAGEMENT_COLUMN_N; i++)
        bad |= buf_addc(&w->arrays[i], w->rows == 0 ? '{' : ',') |
               postgres_array_text(&w->arrays[i], cells[i], cells[i].p == NULL);
    w->rows++;
    return bad == 0 ? 0 : err_oom(e);
}

int postgres_engagement_flush(struct postgres_engagement *w, uint64_t *changed, struct err *e)
{
    int rc = send_rows(w, e);
    *changed = w->changed;
    return rc;
}
