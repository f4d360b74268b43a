/* The part of `check` that concerns databases: whether the source's role may write, and whether results_to: can be written. */
#include "config.h"

#include "sync/preflight/check_int.h"

#include <stdlib.h>

#include "connectors/postgres/postgres_results.h"
#include "connectors/postgres/postgres_role.h"

/* Reads use a read-only transaction, but a leaked password can do whatever the role may do. */
static void check_role(struct check *c)
{
    struct err e = ERR_INIT;
    struct postgres_role role;
    if (postgres_role_look(c->m->source.as.sql.url, &role, &e) != 0)
        check_error(c, "source", &e);
    else if (role.superuser)
        check_report(c, FINDING_WARNING, "source",
                     "role %s is a superuser: a source needs a role that may SELECT what it reads, "
                     "and nothing else",
                     role.name);
    else if (role.writable_n > 0)
        check_report(c, FINDING_WARNING, "source",
                     "role %s may write to %llu table%s (%s): SELECT is all that a source needs", role.name,
                     (unsigned long long)role.writable_n, role.writable_n == 1 ? "" : "s, among them", role.example);
    else if (role.creates)
        check_report(c, FINDING_WARNING, "source",
                     "role %s may create roles or databases, or replicate: SELECT is all that a "
                     "source needs",
                     role.name);
    else
        check_report(c, FINDING_OK, "source", "role %s can read, and cannot write to any table", role.name);
    postgres_role_free(&role);
}

static void check_results(struct check *c)
{
    struct err e = ERR_INIT;
    const struct mapping *m = c->m;
    bool missing = false, narrow = false;
    if (postgres_results_check(m->results_url, m->results_table, m->results_create, &missing, &narrow, &e) != 0)
        check_error(c, "results_to", &e);
    else
        check_report(c, FINDING_OK, "results_to", "table %s %s", m->results_table,
                     missing ? "does not exist yet; the first sync creates it" : "can be written");
    if (narrow)
        check_report(
            c, FINDING_NOTICE, "results_to",
            "table %s lacks the columns op, detail and changes, which are optional; its owner can add them: alter table "
            "%s add op text, add detail text, add changes text",
            m->results_table, m->results_table);
}

void check_databases(struct check *c)
{
    /* If the source could not be opened, the connection error was reported already. */
    if (c->m->source.kind == SOURCE_POSTGRES && c->counted)
        check_role(c);
    if (c->m->results_url != NULL)
        check_results(c);
}
