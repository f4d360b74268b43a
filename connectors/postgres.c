/* Rows of one SELECT from PostgreSQL, in single-row mode: memory is one row. Everything happens in one read-only
 * repeatable-read transaction, so that the rows and the now() of the watermark belong to one moment. */
#include "config.h"

#include "connectors/columns.h"
#include "connectors/drivers.h"
#include "connectors/postgres_conn.h"
#include "connectors/postgres_mark.h"
#include "connectors/sqltext.h"
#include "sync/base/text.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    BOOL_OID = 16,
    QUERY_MAX = 1 << 20,
    MESSAGE_MAX = 8192,
};

struct postgres_source {
    struct source base;
    struct postgres_conn conn;
    struct buf query;  /* with $1 for :watermark */
    size_t uses;       /* of :watermark */
    struct columns columns;
    bool *is_bool;     /* by column */
    struct cell *cells;
    PGresult *row;     /* that the cells borrow from */
    size_t field_max;
    bool bytes_unchecked; /* the server does not know its encoding: bytes may be anything */
    uint64_t rows;
    long mark_column;  /* -1: none */
    bool incremental;  /* a stored watermark was bound */
    struct postgres_mark mark;
    char *watermark;   /* after the clean end */
    bool ended, failed;
};

static void close_source(struct source *self)
{
    struct postgres_source *s = (struct postgres_source *)self;

    PQclear(s->row);
    postgres_conn_close(&s->conn);
    postgres_mark_free(&s->mark);
    columns_free(&s->columns);
    buf_free(&s->query);
    free(s->is_bool);
    free(s->cells);
    free(s->watermark);
    free(s);
}

static int begin(struct postgres_source *s, const struct sql_spec *spec, struct err *e)
{
    char sql[512];

    /* Local to the transaction, so that a pooler's next client finds nothing of it. */
    snprintf(sql, sizeof sql,
             "begin isolation level repeatable read read only;"
             "set local datestyle = 'ISO'; set local intervalstyle = 'iso_8601'; set local bytea_output = 'hex';"
             "set local extra_float_digits = 1; set local idle_in_transaction_session_timeout = 0");
    /* None in the mapping: what the role or the connection string says stays. */
    if (spec->statement_timeout_ms > 0)
        snprintf(sql + strlen(sql), sizeof sql - strlen(sql), ";set local statement_timeout = %" PRId64,
                 spec->statement_timeout_ms);
    PGresult *result = postgres_conn_run(&s->conn, sql, 0, NULL, e);
    if (result == NULL)
        return -1;
    PQclear(result);
    const char *encoding = PQparameterStatus(s->conn.pg, "server_encoding");
    s->bytes_unchecked = encoding == NULL || strcmp(encoding, "SQL_ASCII") == 0;
    if (!s->bytes_unchecked)
        return 0;
    /* Asked for UTF-8, it would end the whole read at the first byte that is none. */
    result = postgres_conn_run(&s->conn, "set local client_encoding = 'SQL_ASCII'", 0, NULL, e);
    PQclear(result);
    return result != NULL ? 0 : -1;
}

/* Sends a step of the preparation and returns its result, or NULL with the error under a caret. */
static PGresult *describe_step(struct postgres_source *s, int sent, struct err *e)
{
    PGresult *result = NULL, *next;
    bool failed = sent == 0;

    while (!failed && (next = postgres_conn_result(&s->conn, &failed, e)) != NULL) {
        PQclear(result);
        result = next;
    }
    if (!failed && PQresultStatus(result) == PGRES_COMMAND_OK)
        return result;
    if (!failed || sent == 0)
        postgres_conn_fail(&s->conn, result, true, e);
    PQclear(result);
    return NULL;
}

/* Names of the types that are not text, as the server spells them: "integer", "timestamp with time zone". */
static PGresult *type_names(struct postgres_source *s, const PGresult *description, struct err *e)
{
    struct buf oids = BUF_INIT(QUERY_MAX), mods = BUF_INIT(QUERY_MAX);
    PGresult *result = NULL;
    int status = buf_addc(&oids, '{') | buf_addc(&mods, '{');

    for (int i = 0; i < PQnfields(description); i++) {
        status |= buf_addf(&oids, "%s%u", i > 0 ? "," : "", PQftype(description, i));
        status |= buf_addf(&mods, "%s%d", i > 0 ? "," : "", PQfmod(description, i));
    }
    status |= buf_addc(&oids, '}') | buf_addc(&mods, '}');
    if (status == 0) {
        const char *values[] = {buf_cstr(&oids), buf_cstr(&mods)};
        result = postgres_conn_run(&s->conn,
                                   "select case when o in ('text'::regtype, 'varchar'::regtype, 'bpchar'::regtype) then null "
                                   "else pg_catalog.format_type(o, m) end "
                                   "from unnest($1::oid[], $2::int4[]) with ordinality as t (o, m, n) order by n",
                                   2, values, e);
    } else {
        err_oom(e);
    }
    buf_free(&oids);
    buf_free(&mods);
    return result;
}

static int set_columns(struct postgres_source *s, const PGresult *description, struct err *e)
{
    size_t n = (size_t)PQnfields(description);
    struct str *names = calloc(n + 1, sizeof *names);
    const char **types = calloc(n + 1, sizeof *types);
    PGresult *spelled = NULL;
    int status = -1;

    s->is_bool = calloc(n + 1, sizeof *s->is_bool);
    s->cells = calloc(n + 1, sizeof *s->cells);
    if (names == NULL || types == NULL || s->is_bool == NULL || s->cells == NULL) {
        err_oom(e);
        goto done;
    }
    if (n == 0) {
        err_set(e, XS_CONFIG, "%s: query: must be one SELECT; it returns no columns", s->conn.label);
        goto done;
    }
    spelled = type_names(s, description, e);
    if (spelled == NULL)
        goto done;
    for (size_t i = 0; i < n; i++) {
        names[i] = str_from(PQfname(description, (int)i));
        types[i] = PQgetisnull(spelled, (int)i, 0) ? NULL : PQgetvalue(spelled, (int)i, 0);
        s->is_bool[i] = PQftype(description, (int)i) == BOOL_OID;
    }
    status = columns_set(&s->columns, names, types, n, s->conn.label, "give it a name of its own with AS in query:", e);
    s->base.columns = s->columns.list;
    s->base.columns_n = s->columns.n;
done:
    PQclear(spelled);
    free(types);
    free(names);
    return status;
}

static int no_mark_column(const struct postgres_source *s, const char *name, struct err *e)
{
    struct buf list = BUF_INIT(MESSAGE_MAX);

    err_set(e, XS_CONFIG, "%s: watermark: column \"%s\" is not in the query; it has %s", s->conn.label, name,
            columns_list(&s->columns, &list) == 0 ? buf_cstr(&list) : "others");
    buf_free(&list);
    return -1;
}

/* The type that the server gives :watermark decides how it is bound, compared and set back. */
static int set_mark(struct postgres_source *s, const struct sql_spec *spec, const PGresult *description, struct err *e)
{
    const char *label = s->conn.label;

    if (spec->watermark == NULL)
        return s->uses == 0 ? 0 : err_set(e, XS_CONFIG, "%s: query: uses :watermark; name its column with watermark:", label);
    if (s->uses == 0)
        return err_set(e, XS_CONFIG, "%s: watermark: is set, but query: does not use :watermark outside of quotes and comments "
                       "(… where %s > :watermark)", label, spec->watermark);
    s->mark_column = columns_find(&s->columns, str_from(spec->watermark));
    if (s->mark_column < 0)
        return no_mark_column(s, spec->watermark, e);
    const struct postgres_mark_type *type = postgres_mark_type_find(PQparamtype(description, 0));
    if (type == NULL)
        return err_set(e, XS_CONFIG, "%s: :watermark cannot be of the type that the server infers (oid %u); add a cast, as in "
                       ":watermark::timestamptz", label, PQparamtype(description, 0));
    const struct postgres_mark_type *column = postgres_mark_type_find(PQftype(description, (int)s->mark_column));
    bool numbers = column != NULL && column->kind != PG_MARK_TIME && column->kind != PG_MARK_TEXT &&
                   type->kind != PG_MARK_TIME && type->kind != PG_MARK_TEXT;
    if (column == NULL || (column->kind != type->kind && !numbers))
        return err_set(e, XS_CONFIG, "%s: watermark: column \"%s\" is %s, but :watermark is compared as %s; add a cast to one of "
                       "them", label, spec->watermark,
                       s->base.columns[s->mark_column].type != NULL ? s->base.columns[s->mark_column].type : "text",
                       type->name);
    return postgres_mark_init(&s->mark, type, spec, label, e);
}

static int describe(struct postgres_source *s, const struct sql_spec *spec, struct err *e)
{
    PGresult *result = describe_step(s, PQsendPrepare(s->conn.pg, "", buf_cstr(&s->query), 0, NULL), e);

    PQclear(result);
    if (result == NULL)
        return -1;
    result = describe_step(s, PQsendDescribePrepared(s->conn.pg, ""), e);
    if (result == NULL)
        return -1;
    int status = -1;
    if (PQnparams(result) > (s->uses > 0))
        err_set(e, XS_CONFIG, "%s: query: has a parameter besides :watermark, which is the only one that is bound",
                s->conn.label);
    else if (set_columns(s, result, e) == 0)
        status = set_mark(s, spec, result, e);
    PQclear(result);
    return status;
}

/* A watermark from when its column had another type would only be refused with the query, which has no fault. */
static int try_watermark(struct postgres_source *s, const char *stored, struct err *e)
{
    char sql[100];

    if (stored == NULL || s->mark_column < 0)
        return 0;
    snprintf(sql, sizeof sql, "select $1::%s", s->mark.type->name);
    PGresult *result = postgres_conn_run(&s->conn, sql, 1, &stored, e);
    PQclear(result);
    if (result == NULL && e->status == XS_CONFIG)
        err_context(e, "the watermark of the last read is no %s, as which :watermark is compared now; read everything once, with "
                    "leadsync sync --full", s->mark.type->name);
    return result != NULL ? 0 : -1;
}

static int send_query(struct postgres_source *s, const char *stored, struct err *e)
{
    const bool bound = s->mark_column >= 0;
    const Oid type = bound ? s->mark.type->oid : 0;
    const char *value = !bound ? NULL : stored != NULL ? stored : s->mark.type->smallest;

    s->incremental = bound && stored != NULL;
    if (PQsendQueryParams(s->conn.pg, buf_cstr(&s->query), bound, &type, &value, NULL, NULL, 0) == 0 ||
        PQsetSingleRowMode(s->conn.pg) == 0)
        return postgres_conn_fail(&s->conn, NULL, true, e);
    return 0;
}

static int open_source(const struct source_spec *spec, const struct source_read *read, struct clock *clock,
                       struct source **out, struct err *e)
{
    struct postgres_source *s = calloc(1, sizeof *s);
    const struct sql_spec *sql = &spec->as.sql;

    (void)clock; /* the server's counts */
    if (s == NULL)
        return err_oom(e);
    s->base.ops = &source_postgres;
    s->base.delimiter = ',';
    s->field_max = read->field_max;
    s->mark_column = -1;
    buf_init(&s->query, QUERY_MAX);
    if (sqltext_number_watermark(sql->query, &s->query, &s->uses) != 0 || buf_cstr(&s->query) == NULL) {
        err_set(e, XS_CONFIG, "postgres: query: is longer than %d bytes", QUERY_MAX);
        goto fail;
    }
    if (postgres_conn_open(&s->conn, sql->url, read->deadline_us, e) != 0)
        goto fail;
    s->base.label = s->conn.label;
    s->conn.query = sql->query;
    if (begin(s, sql, e) != 0 || describe(s, sql, e) != 0 || try_watermark(s, read->watermark, e) != 0 ||
        send_query(s, read->watermark, e) != 0)
        goto fail;
    *out = &s->base;
    return 0;

fail:
    close_source(&s->base);
    return -1;
}

/* After the last row, still inside the transaction: the server takes the overlap off, and it alone knows its now(). */
static int finish_mark(struct postgres_source *s, struct err *e)
{
    const char *values[] = {buf_cstr(&s->mark.text), buf_cstr(&s->mark.overlap)};
    struct str value = str_from(values[0]);
    PGresult *result = NULL;

    if (values[0] == NULL || values[1] == NULL)
        return err_oom(e);
    if (s->mark.type->finish != NULL) {
        result = postgres_conn_run(&s->conn, s->mark.type->finish, 2, values, e);
        if (result == NULL)
            return -1;
        value = str_from(PQgetvalue(result, 0, 0));
        double age_ms = PQnfields(result) == 2 ? strtod(PQgetvalue(result, 0, 1), NULL) : INFINITY;
        s->base.watermark_is_time = isfinite(age_ms);
        s->base.watermark_age_ms = isfinite(age_ms) ? (int64_t)age_ms : 0;
    }
    s->watermark = str_dup(value);
    PQclear(result);
    return s->watermark != NULL ? 0 : err_oom(e);
}

static int end_of_rows(struct postgres_source *s, struct err *e)
{
    bool failed;
    PGresult *result;

    while ((result = postgres_conn_result(&s->conn, &failed, e)) != NULL)
        PQclear(result);
    if (failed || (s->mark_column >= 0 && s->mark.seen && finish_mark(s, e) != 0))
        return -1;
    result = postgres_conn_run(&s->conn, "commit", 0, NULL, e);
    if (result == NULL)
        return -1;
    PQclear(result);
    s->ended = true;
    return 0;
}

static enum reason read_cell(struct postgres_source *s, int i, struct cell *cell)
{
    *cell = (struct cell){PQgetvalue(s->row, 0, i), (size_t)PQgetlength(s->row, 0, i), PQgetisnull(s->row, 0, i) != 0};
    s->base.bytes_read += cell->n;
    if (s->is_bool[i] && !cell->null) {
        bool yes = cell->p[0] == 't';
        cell->p = yes ? "true" : "false";
        cell->n = yes ? 4 : 5;
    }
    if (cell->n > s->field_max)
        return REASON_FIELD_TOO_LONG;
    return s->bytes_unchecked && !text_is_utf8((struct str){cell->p, cell->n}) ? REASON_NOT_UTF8 : REASON_NONE;
}

/* Looks at the row's watermark. 1: the row is to be handed out, 0: it is left out, -1. */
static int see_mark(struct postgres_source *s, struct err *e)
{
    int column = (int)s->mark_column;

    if (s->mark_column < 0)
        return 1;
    if (PQgetisnull(s->row, 0, column)) {
        s->base.null_watermarks += s->incremental;
        return !s->incremental;
    }
    struct str value = {PQgetvalue(s->row, 0, column), (size_t)PQgetlength(s->row, 0, column)};
    return postgres_mark_see(&s->mark, value) == 0 ? 1 : err_oom(e);
}

static int next_result(struct postgres_source *s, struct err *e)
{
    bool failed;

    PQclear(s->row);
    s->row = postgres_conn_result(&s->conn, &failed, e);
    if (failed)
        return -1;
    switch (s->row != NULL ? PQresultStatus(s->row) : PGRES_FATAL_ERROR) {
    case PGRES_SINGLE_TUPLE:
        s->conn.rows_flow = true;
        return 1;
    case PGRES_TUPLES_OK: /* an empty result closes the rows */
        return end_of_rows(s, e);
    default:
        return postgres_conn_fail(&s->conn, s->row, true, e);
    }
}

static int next_row(struct source *self, struct row *out, struct err *e)
{
    struct postgres_source *s = (struct postgres_source *)self;

    if (s->failed)
        return err_set(e, XS_SOURCE, "%s: read again after an error", self->label);
    if (s->ended)
        return 0;
    for (;;) {
        int got = next_result(s, e);
        int wanted = got > 0 ? see_mark(s, e) : 0;
        s->failed = got < 0 || wanted < 0;
        if (got <= 0 || wanted < 0)
            return s->failed ? -1 : 0;
        if (wanted > 0)
            break;
    }
    *out = (struct row){.number = ++s->rows, .cells = s->cells, .n = s->columns.n};
    for (size_t i = 0; i < s->columns.n; i++) {
        enum reason defect = read_cell(s, (int)i, &s->cells[i]);
        if (defect != REASON_NONE)
            out->defect = defect;
    }
    return 1;
}

static const char *watermark(struct source *self)
{
    return ((struct postgres_source *)self)->watermark;
}

static void cancel(struct source *self)
{
    postgres_conn_cancel(&((struct postgres_source *)self)->conn);
}

const struct source_ops source_postgres = {
    .name = "postgres",
    .open = open_source,
    .next = next_row,
    .watermark = watermark,
    .cancel = cancel,
    .close = close_source,
};
