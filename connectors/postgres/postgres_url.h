/* What a connection string says, as far as messages may show it: never a user or a password, and nothing of a string that
 * libpq may read in another way than its author meant. Connects to nothing. */
#ifndef CONNECTORS_POSTGRES_POSTGRES_URL_H
#define CONNECTORS_POSTGRES_POSTGRES_URL_H

#include "sync/base/err.h"

#include <libpq-fe.h>

/* "postgres service=crm", or host and database, as the user wrote them; the caller frees it. XS_CONFIG: the string is
 * malformed or ambiguous, and the message quotes none of it. 0/-1. */
int postgres_url_label(const char *url, char **label, struct err *e);
/* The value of a keyword, borrowed; NULL: none. `options` may be NULL. */
const char *postgres_url_option(const PQconninfoOption *options, const char *keyword);

#endif
