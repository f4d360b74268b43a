#include "config.h"

#include "connectors/postgres/postgres_role.h"

#include "connectors/postgres/postgres_conn.h"

#include <stdlib.h>
#include <string.h>

/* Privileges count however they came: by a grant, by PUBLIC, or by a role that this one is a member of. */
static const char role_sql[] =
    "with t as (select c.oid::regclass::text as name from pg_class c join pg_namespace n on n.oid = c.relnamespace"
    " where c.relkind in ('r', 'p', 'v', 'f') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'"
    " and has_schema_privilege(n.oid, 'USAGE')"
    " and has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE'))"
    " select current_user, rolsuper, rolcreaterole or rolcreatedb or rolreplication, (select count(*) from t),"
    " (select min(name) from t) from pg_roles where rolname = current_user";

static bool is_true(const PGresult *result, int column)
{
    return *PQgetvalue(result, 0, column) == 't';
}

int postgres_role_look(const char *url, struct postgres_role *out, struct err *e)
{
    struct postgres_conn conn;
    PGresult *result = NULL;
    int status = -1;

    *out = (struct postgres_role){.name = NULL};
    if (postgres_conn_open(&conn, url, 0, e) != 0 || (result = postgres_conn_run(&conn, role_sql, 0, NULL, e)) == NULL)
        goto done;
    out->name = strdup(PQgetvalue(result, 0, 0));
    out->superuser = is_true(result, 1);
    out->creates = is_true(result, 2);
    out->writable_n = strtoull(PQgetvalue(result, 0, 3), NULL, 10);
    if (out->writable_n > 0)
        out->example = strdup(PQgetvalue(result, 0, 4));
    if (out->name == NULL || (out->writable_n > 0 && out->example == NULL))
        err_oom(e);
    else
        status = 0;
done:
    PQclear(result);
    postgres_conn_close(&conn);
    return status;
}

void postgres_role_free(struct postgres_role *role)
{
    free(role->name);
    free(role->example);
    *role = (struct postgres_role){.name = NULL};
}
