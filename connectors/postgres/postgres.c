/* Rows of one SELECT from PostgreSQL, in single-row mode: memory is one row. Everything happens in one read-only
 * repeatable-read transaction, so that the rows and the now() of the watermark belong to one moment. */
#include "config.h"

#include "connectors/drivers.h"
#include "connectors/postgres/postgres_int.h"
#include "connectors/sqltext.h"
#include "sync/base/text.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    BOOL_OID = 16,
    BPCHAR_OID = 1042,
};

static void postgres_close_source(struct source *self)
{
    struct postgres_source *s = (struct postgres_source *)self;

    PQclear(s->row);
    postgres_conn_close(&s->conn);
    postgres_mark_free(&s->mark);
    postgres_origin_free(&s->origin);
    columns_free(&s->columns);
    buf_free(&s->query);
    buf_free(&s->type);
    free(s->types);
    free(s->cells);
    free(s->flaws);
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

/* What :watermark is for this read: the stored value less the overlap, or the smallest of its type. A result of the server
 * goes to *kept, for the caller to clear. NULL with the error. */
static const char *value_to_bind(struct postgres_source *s, const char *stored, PGresult **kept, struct err *e)
{
    const char *values[] = {stored, buf_cstr(&s->mark.overlap)};

    *kept = NULL;
    if (!s->base.mark.incremental)
        return s->mark.type->smallest;
    if (s->mark.type->bind == NULL)
        return stored;
    *kept = values[1] != NULL ? postgres_conn_run(&s->conn, s->mark.type->bind, 2, values, e) : NULL;
    if (*kept != NULL)
        return PQgetvalue(*kept, 0, 0);
    if (values[1] == NULL)
        err_oom(e);
    else if (e->status == XS_CONFIG)
        err_context(e, "the watermark of the last read is not a valid %s; read everything once with leadsync sync --full",
                    s->mark.type->name);
    return NULL;
}

static int send_sql(struct postgres_source *s, const char *sql, int n, const Oid *types, const char *const *values,
                    struct err *e)
{
    if (PQsendQueryParams(s->conn.pg, sql, n, types, values, NULL, NULL, 0) == 0 || PQsetSingleRowMode(s->conn.pg) == 0)
        return postgres_conn_fail(&s->conn, NULL, true, e);
    s->conn.runs = true;
    return 0;
}

static int send_query(struct postgres_source *s, const struct sql_spec *spec, const struct source_read *read, struct err *e)
{
    struct source_mark *mark = &s->base.mark;
    PGresult *kept;

    if (s->mark_column < 0)
        return send_sql(s, buf_cstr(&s->query), 0, NULL, NULL, e);
    if (read->count_nulls && mark->table != NULL && mark->may_be_null &&
        postgres_origin_count_nulls(&s->conn, &s->origin, &mark->table_nulls, e) != 0)
        return -1;
    mark->incremental = read->watermark != NULL && read->watermark_type != NULL &&
                        strcmp(read->watermark_type, mark->type) == 0;
    if (!mark->incremental && spec->full_query != NULL) {
        s->conn.query = spec->full_query;
        return send_sql(s, spec->full_query, 0, NULL, NULL, e);
    }
    const char *value = value_to_bind(s, read->watermark, &kept, e);
    int status = value != NULL ? send_sql(s, buf_cstr(&s->query), 1, &s->mark.type->oid, &value, e) : -1;
    PQclear(kept);
    return status;
}

static int postgres_open_source(const struct source_spec *spec, const struct source_read *read, struct clock *clock,
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
    buf_init(&s->type, MESSAGE_MAX);
    if (sqltext_number_watermark(sql->query, &s->query, &s->uses) != 0 || buf_cstr(&s->query) == NULL) {
        err_set(e, XS_CONFIG, "postgres: query: is longer than %d bytes", QUERY_MAX);
        goto fail;
    }
    if (postgres_conn_open(&s->conn, sql->url, read->deadline_us, e) != 0)
        goto fail;
    s->base.label = s->conn.label;
    s->conn.query = sql->query;
    if (begin(s, sql, e) != 0 || postgres_describe(s, sql, e) != 0 || postgres_describe_full(s, sql, e) != 0 ||
        send_query(s, sql, read, e) != 0)
        goto fail;
    *out = &s->base;
    return 0;

fail:
    postgres_close_source(&s->base);
    return -1;
}

/* After the last row, still inside the transaction: only the server knows its now(), which no stored time lies past. */
static int finish_mark(struct postgres_source *s, struct err *e)
{
    const char *value = buf_cstr(&s->mark.text);
    PGresult *result = NULL;

    if (value == NULL)
        return err_oom(e);
    if (s->mark.type->store != NULL) {
        result = postgres_conn_run(&s->conn, s->mark.type->store, 1, &value, e);
        if (result == NULL)
            return -1;
        value = PQgetvalue(result, 0, 0);
        double age_ms = strtod(PQgetvalue(result, 0, 1), NULL);
        s->base.mark.has_age = isfinite(age_ms);
        s->base.mark.age_ms = isfinite(age_ms) ? (int64_t)age_ms : 0;
    }
    s->watermark = strdup(value);
    PQclear(result);
    return s->watermark != NULL ? 0 : err_oom(e);
}

static int postgres_end_of_rows(struct postgres_source *s, struct err *e)
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

static enum reason postgres_read_cell(struct postgres_source *s, int i, struct cell *cell)
{
    *cell = (struct cell){PQgetvalue(s->row, 0, i), (size_t)PQgetlength(s->row, 0, i), PQgetisnull(s->row, 0, i) != 0};
    s->base.bytes_read += cell->n;
    if (s->types[i] == BOOL_OID && !cell->null) {
        bool yes = cell->p[0] == 't';
        cell->p = yes ? "true" : "false";
        cell->n = yes ? 4 : 5;
    }
    while (s->types[i] == BPCHAR_OID && cell->n > 0 && cell->p[cell->n - 1] == ' ')
        cell->n--; /* what pads a character(n) is no part of its value */
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
        s->base.mark.null_rows++;
        return !s->base.mark.incremental;
    }
    struct str value = {PQgetvalue(s->row, 0, column), (size_t)PQgetlength(s->row, 0, column)};
    return postgres_mark_see(&s->mark, value, &s->base.mark) == 0 ? 1 : err_oom(e);
}

static int next_result(struct postgres_source *s, struct err *e)
{
    bool failed;

    PQclear(s->row);
    s->row = postgres_conn_result(&s->conn, &failed, e);
    if (failed)
        return -1;
    switch (s->row != NULL ? PQresultStatus(s->row) : PGRES_FATAL_ERROR) {
    case PGRES_SINGLE_TUPLE: s->conn.rows_flow = true; return 1;
    case PGRES_TUPLES_OK: return postgres_end_of_rows(s, e); /* an empty result closes the rows */
    default: return postgres_conn_fail(&s->conn, s->row, true, e);
    }
}

static int postgres_next_row(struct source *self, struct row *out, struct err *e)
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
        s->flaws[i] = (uint8_t)postgres_read_cell(s, (int)i, &s->cells[i]);
        if (s->flaws[i] != REASON_NONE)
            out->flaws = s->flaws;
    }
    return 1;
}

static const char *postgres_watermark(struct source *self)
{
    return ((struct postgres_source *)self)->watermark;
}

static void postgres_cancel(struct source *self)
{
    postgres_conn_cancel(&((struct postgres_source *)self)->conn);
}

const struct source_ops source_postgres = {
    .name = "postgres",
    .open = postgres_open_source,
    .next = postgres_next_row,
    .watermark = postgres_watermark,
    .cancel = postgres_cancel,
    .close = postgres_close_source,
};
