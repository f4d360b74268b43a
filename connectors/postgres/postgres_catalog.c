#include "config.h"

#include "connectors/postgres/postgres_catalog.h"

#include "sync/base/buf.h"
#include "sync/base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SQL_MAX = 1 << 20 };

PGresult *postgres_type_names(struct postgres_conn *c, const PGresult *description, struct err *e)
{
    struct buf oids = BUF_INIT(SQL_MAX), mods = BUF_INIT(SQL_MAX);
    PGresult *result = NULL;
    int status = buf_addc(&oids, '{') | buf_addc(&mods, '{');

    for (int i = 0; i < PQnfields(description); i++) {
        status |= buf_addf(&oids, "%s%u", i > 0 ? "," : "", PQftype(description, i));
        status |= buf_addf(&mods, "%s%d", i > 0 ? "," : "", PQfmod(description, i));
    }
    status |= buf_addc(&oids, '}') | buf_addc(&mods, '}');
    if (status == 0) {
        const char *values[] = {buf_cstr(&oids), buf_cstr(&mods)};
        result =
            postgres_conn_run(c,
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

int postgres_refuse_type(struct postgres_conn *c, Oid oid, struct err *e)
{
    char number[16];
    const char *values[] = {number};

    snprintf(number, sizeof number, "%u", oid);
    PGresult *result = postgres_conn_run(c, "select pg_catalog.format_type($1::oid, null)", 1, values, e);
    if (result == NULL)
        return -1;
    err_set(e, XS_CONFIG,
            "%s: watermark: :watermark is compared as %s, which cannot be one; cast both sides and the column to a "
            "time, a number or text that grows with every change",
            c->label, PQgetvalue(result, 0, 0));
    PQclear(result);
    return -1;
}

static const char origin_sql[] = "select a.attrelid::regclass::text, quote_ident(a.attname), a.attnotnull or t.typnotnull"
                                 " from pg_catalog.pg_attribute a join pg_catalog.pg_type t on t.oid = a.atttypid"
                                 " where a.attrelid = $1::oid and a.attnum = $2::int2";

int postgres_origin_look(struct postgres_conn *c, const PGresult *description, int i, struct postgres_origin *out,
                         struct err *e)
{
    char table[16], column[16];
    const char *values[] = {table, column};

    *out = (struct postgres_origin){.table = NULL};
    if (PQftable(description, i) == InvalidOid || PQftablecol(description, i) == 0)
        return 0;
    snprintf(table, sizeof table, "%u", PQftable(description, i));
    snprintf(column, sizeof column, "%d", PQftablecol(description, i));
    PGresult *result = postgres_conn_run(c, origin_sql, 2, values, e);
    if (result == NULL)
        return -1;
    int status = 0;
    if (PQntuples(result) == 1) {
        out->table = strdup(PQgetvalue(result, 0, 0));
        out->column = strdup(PQgetvalue(result, 0, 1));
        out->not_null = *PQgetvalue(result, 0, 2) == 't';
        status = out->table != NULL && out->column != NULL ? 0 : err_oom(e);
    }
    PQclear(result);
    return status;
}

/* The savepoint keeps the transaction of the read alive when the count is refused. */
int postgres_origin_count_nulls(struct postgres_conn *c, const struct postgres_origin *origin, uint64_t *out, struct err *e)
{
    struct buf sql = BUF_INIT(SQL_MAX);
    struct err refused = ERR_INIT;
    int status = -1;

    *out = 0;
    if (buf_addf(&sql, "select count(*) from %s where %s is null", origin->table, origin->column) != 0)
        return err_oom(e);
    PGresult *result = postgres_conn_run(c, "savepoint leadsync_count", 0, NULL, e);
    PQclear(result);
    if (result == NULL)
        goto done;
    result = postgres_conn_run(c, buf_cstr(&sql), 0, NULL, &refused);
    if (result != NULL) {
        *out = strtoull(PQgetvalue(result, 0, 0), NULL, 10);
        status = 0;
    } else if (PQtransactionStatus(c->pg) == PQTRANS_INERROR) {
        log_detail("%s", err_text(&refused));
        result = postgres_conn_run(c, "rollback to savepoint leadsync_count", 0, NULL, e);
        status = result != NULL ? 0 : -1;
    } else {
        *e = refused;
        refused = (struct err)ERR_INIT;
    }
    PQclear(result);
done:
    err_clear(&refused);
    buf_free(&sql);
    return status;
}

void postgres_origin_free(struct postgres_origin *origin)
{
    free(origin->table);
    free(origin->column);
}
