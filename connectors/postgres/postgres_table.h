/* A table of the user's that leadsync writes: its name, and rows that travel as one array a column in one statement.
 *
 * Such a statement can write over what is there, which COPY cannot, and it needs nothing that outlives a transaction, so that a
 * pooler may hand the session on between two of them. */
#ifndef CONNECTORS_POSTGRES_POSTGRES_TABLE_H
#define CONNECTORS_POSTGRES_POSTGRES_TABLE_H

#include "connectors/postgres/postgres_conn.h"
#include "sync/base/buf.h"

/* The table's name, quoted for SQL if it needs quotes; the caller frees it. *missing: the table does not exist. 0/-1 */
int postgres_table_resolve(struct postgres_conn *c, const char *table, char **name, bool *missing, struct err *e);
/* Runs SQL whose result does not matter. 0/-1 */
int postgres_table_run(struct postgres_conn *c, const char *sql, int n, const char *const *values, struct err *e);
/* One transaction for the statement, with limits on waiting. *changed (may be NULL): the rows that it wrote. 0/-1 */
int postgres_table_write(struct postgres_conn *c, const char *sql, int n, const char *const *values, uint64_t *changed,
                         struct err *e);
/* Appends an element of an array's text, in quotes: else a text that reads NULL would be one. `null`: it is one. 0/-1 */
int postgres_array_text(struct buf *array, struct str text, bool null);

#endif
