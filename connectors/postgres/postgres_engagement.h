/* The records of `pull` in a table of the user's PostgreSQL database: one per sync and lead, written over when it changes.
 *
 * A connection of its own: the source's role only reads. Knows the columns (sync/model/engagement.h) and nothing of what they mean.
 * Needs no session: each statement is in a transaction of its own, so a pooler may share the connection between transactions. */
#ifndef CONNECTORS_POSTGRES_POSTGRES_ENGAGEMENT_H
#define CONNECTORS_POSTGRES_POSTGRES_ENGAGEMENT_H

#include "sync/base/err.h"
#include "sync/model/engagement.h"

#include <stdbool.h>
#include <stdint.h>

struct postgres_engagement;

/* XS_USAGE: the text of --to has a password, which `ps` would show, or cannot be a connection string. 0/-1 */
int postgres_engagement_check_url(const char *url, struct err *e);

/* Connects and looks at the table: has it the columns and the key, may it be read, inserted and updated? `table` is a name as SQL
 * has it. With `create` a missing table is made, and missing columns are added. `sync` is borrowed until close. *fresh (may be
 * NULL): the table has no record of this sync. Errors: XS_CONFIG (no such table, a missing column or one of another type),
 * XS_NO_SOURCE (no connection, no privilege), XS_SIGINT and XS_SIGTERM. Blocks as postgres_conn_open(). After `deadline_us`
 * (0: none) every wait for this connection ends with XS_LEFT_OVER. */
int postgres_engagement_open(const char *url, const char *table, bool create, const char *sync, int64_t deadline_us,
                             struct postgres_engagement **out, bool *fresh, struct err *e);
/* Adds a record; its cells are copied. Records are sent, and durable, about a thousand at a time. No two records between two flushes
 * may be of one lead. Blocks for the server. */
int postgres_engagement_add(struct postgres_engagement *w, const struct str cells[ENGAGEMENT_COLUMN_N], struct err *e);
/* Sends the rest. *changed: the records that the table did not have so, of all since the opening. */
int postgres_engagement_flush(struct postgres_engagement *w, uint64_t *changed, struct err *e);
void postgres_engagement_close(struct postgres_engagement *w); /* NULL is fine; what was not flushed is not written */
/* "postgres service=crm, table public.leadsync_engagement": for messages. Borrowed until close. */
const char *postgres_engagement_label(const struct postgres_engagement *w);

#endif
