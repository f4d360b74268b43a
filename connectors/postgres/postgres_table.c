#include "config.h"

#include "connectors/postgres/postgres_table.h"

#include <stdlib.h>
#include <string.h>

/* The server takes the name apart by its own rules (folding, quotes, schema) and puts it together again safely. */
static const char resolve_sql[] = "select string_agg(quote_ident(p), '.' order by n), to_regclass($1) is null"
                                  " from unnest(parse_ident($1)) with ordinality as t (p, n)";

int postgres_table_resolve(struct postgres_conn *c, const char *table, char **name, bool *missing, struct err *e)
{
    PGresult *result = postgres_conn_run(c, resolve_sql, 1, &table, e);
    *name = NULL;
    if (result == NULL)
        return -1;
    *name = strdup(PQgetvalue(result, 0, 0));
    *missing = *PQgetvalue(result, 0, 1) == 't';
    PQclear(result);
    return *name != NULL ? 0 : err_oom(e);
}

int postgres_table_run(struct postgres_conn *c, const char *sql, int n, const char *const *values, struct err *e)
{
    PGresult *result = postgres_conn_run(c, sql, n, values, e);

    PQclear(result);
    return result != NULL ? 0 : -1;
}

/* Another user's lock on the table must not hold the sync's own lock for the rest of the night. Settings of the role or the
 * connection string stay; for the transaction only, since a pooler hands the session on. */
static const char begin_sql[] =
    "begin; select set_config('lock_timeout', '30s', true) where current_setting('lock_timeout') = '0';"
    "select set_config('statement_timeout', '5min', true) where current_setting('statement_timeout') = '0'";

int postgres_table_write(struct postgres_conn *c, const char *sql, int n, const char *const *values, uint64_t *changed,
                         struct err *e)
{
    struct err late = ERR_INIT;
    PGresult *result = NULL;
    if (postgres_table_run(c, begin_sql, 0, NULL, e) == 0 && (result = postgres_conn_run(c, sql, n, values, e)) != NULL) {
        if (changed != NULL)
            *changed = strtoull(PQcmdTuples(result), NULL, 10);
        PQclear(result);
        return postgres_table_run(c, "commit", 0, NULL, e);
    }
    /* The first error counts; the connection may be of use for another statement. */
    if (!c->left)
        postgres_table_run(c, "rollback", 0, NULL, &late);
    err_clear(&late);
    return -1;
}

int postgres_array_text(struct buf *array, struct str text, bool null)
{
    if (null)
        return buf_adds(array, "NULL");
    int bad = buf_addc(array, '"');
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '"' || text.p[i] == '\\')
            bad |= buf_addc(array, '\\');
        bad |= buf_addc(array, text.p[i]);
    }
    return bad | buf_addc(array, '"');
}
