/* A connection to PostgreSQL that gives up when a signal asks to stop, and whose errors say what the user can do.
 *
 * Knows libpq and nothing of rows or watermarks. Passwords never get into labels or messages. */
#ifndef CONNECTORS_POSTGRES_POSTGRES_CONN_H
#define CONNECTORS_POSTGRES_POSTGRES_CONN_H

#include "sync/base/err.h"

#include <libpq-fe.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

struct postgres_conn {
    PGconn *pg;
    PGcancel *cancel;
    char *label;       /* "postgres service=crm" */
    const char *query; /* the user's SQL, for carets; borrowed */
    bool rows_flow;    /* the first row has come: errors are the data's, not the SQL's */
    bool runs;         /* the query was accepted and runs: so are errors of the classes that speak of values */
    bool writes;       /* for messages: the queries are not a read */
    bool left;         /* the server did not answer a request to cancel: the socket is shut down */
    volatile sig_atomic_t cancelled;
    int64_t deadline_us; /* by the system's mono; 0: none */
};

/* Connects. `url` is whatever libpq takes: a URL, "key=value …", or a database name. Whatever waits past
 * the deadline gives up with XS_LEFT_OVER, as it does for a signal. On failure the struct may be closed.
 * Errors: XS_CONFIG (no connection string), XS_NO_SOURCE (anything on the way to a session), XS_SIGINT or XS_SIGTERM (a
 * signal came). Blocks at most for libpq's connect_timeout (30 s by default) per address; looking up a host's name is the
 * system's, and not interrupted. */
int postgres_conn_open(struct postgres_conn *c, const char *url, int64_t deadline_us, struct err *e);
/* Cancels what is running, waits up to 2 s for its end, and disconnects. Never waits for a server that does not answer. */
void postgres_conn_close(struct postgres_conn *c);

/* Makes whatever waits on this connection give up, now or later: it is remembered, so it cannot come too early. Safe in a
 * signal handler; noticed after 250 ms at the latest. */
void postgres_conn_cancel(struct postgres_conn *c);

/* The next result of what was sent, NULL after the last one, as PQgetResult(); *failed is set with the errors
 * (XS_SIGINT or XS_SIGTERM: a signal came; XS_SOURCE: cancelled; XS_LEFT_OVER:
 * the deadline passed. Then the query is over on the server, too, unless the server does not answer within 2 s: it is
 * left, and the message says so. XS_NO_SOURCE: the server is gone). */
PGresult *postgres_conn_result(struct postgres_conn *c, bool *failed, struct err *e);

/* Sends SQL of our own with text parameters and returns its only result, or NULL with the error. Caller clears. */
PGresult *postgres_conn_run(struct postgres_conn *c, const char *sql, int n, const char *const *values, struct err *e);

/* Turns a failed result (NULL: the connection itself failed) into an error; `of_query`: it is about the user's SQL.
 * Returns -1. Errors: XS_CONFIG (SQL refused), XS_SOURCE (while rows flow, timeout), XS_NO_SOURCE (privileges, server
 * gone). */
int postgres_conn_fail(struct postgres_conn *c, const PGresult *result, bool of_query, struct err *e);

#endif
