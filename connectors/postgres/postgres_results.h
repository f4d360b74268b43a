/* The outcomes of the rows of a run, written into a table of the user's PostgreSQL database: one record per row and run.
 * A second write replaces the record, so that repeating a write that was cut off completes it.
 *
 * A connection of its own: the source's role only reads. Knows the table and nothing of states or leads. */
#ifndef CONNECTORS_POSTGRES_POSTGRES_RESULTS_H
#define CONNECTORS_POSTGRES_POSTGRES_RESULTS_H

#include "sync/base/err.h"
#include "sync/base/str.h"

#include <stdbool.h>
#include <stdint.h>

struct postgres_results;

struct result_row {
    uint64_t run;
    uint64_t row, line; /* row 0: not from the source; line 0: it has none */
    struct str key;     /* may be empty */
    const char *outcome;
    struct str reason, lead_id, target; /* empty: none; lead_id a UUID */
    int http_status;                    /* 0: none */
    int64_t at_ms;                      /* when the run began */
    struct str op, detail, changes;     /* empty: none; left out if the table lacks these columns */
};

/* Connects and looks at the table: has it the columns, may they be read, inserted and updated? `table` is a name as SQL
 * has it, with a schema or without. With `create` one that is missing is made, and one of an older leadsync gets the columns
 * op, detail and changes, if the user owns it. On success nothing is written yet.
 * `sync` is borrowed until close. Errors: XS_CONFIG (no such table, a column is missing or of another type), XS_NO_SOURCE
 * (no connection, no privilege), XS_SIGINT and XS_SIGTERM. Blocks as postgres_conn_open(). After `deadline_us` (0: none)
 * every wait for this connection, now and later, ends with XS_LEFT_OVER. */
int postgres_results_open(const char *url, const char *table, bool create, const char *sync, int64_t deadline_us,
                          struct postgres_results **out, struct err *e);
/* Is there a table, or may one be made? Creates nothing. As open otherwise; *missing: open would create it; *narrow: it lacks
 * the columns op, detail and changes. */
int postgres_results_check(const char *url, const char *table, bool create, bool *missing, bool *narrow, struct err *e);
/* The greatest run of this sync in the table; 0: none, or there is no table. Connects for it. Errors as of open. */
int postgres_results_last_run(const char *url, const char *table, const char *sync, int64_t deadline_us, uint64_t *run,
                              struct err *e);
/* Has the table a run of this number that began at another moment? Then it is of another life of the state. */
int postgres_results_taken(struct postgres_results *w, uint64_t run, int64_t at_ms, bool *taken, struct err *e);
/* Adds a record; strings are copied. They are sent, and durable, a thousand or so at a time, rows 0 and equal rows of a
 * run in one go. Blocks for the server. */
int postgres_results_add(struct postgres_results *w, const struct result_row *row, struct err *e);
/* Sends the rest. */
int postgres_results_flush(struct postgres_results *w, struct err *e);
void postgres_results_close(struct postgres_results *w); /* NULL is fine; what was not flushed is not written */
/* "postgres service=crm, table public.lead_results": for messages. Borrowed until close. */
const char *postgres_results_label(const struct postgres_results *w);

#endif
