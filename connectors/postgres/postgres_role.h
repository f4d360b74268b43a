/* What the user of a connection may do beyond reading, so that a source gets only the rights that it needs.
 *
 * Only reads. Knows nothing of queries. */
#ifndef CONNECTORS_POSTGRES_POSTGRES_ROLE_H
#define CONNECTORS_POSTGRES_POSTGRES_ROLE_H

#include "sync/base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct postgres_role {
    char *name; /* owned, like `example` */
    bool superuser;
    bool creates;        /* roles, databases or replication */
    uint64_t writable_n; /* tables outside of the catalogues that it may insert into, update, delete from or truncate */
    char *example;       /* one of them; NULL: none */
};

/* Connects and asks. Errors as of postgres_conn_open() and postgres_conn_run(). The caller frees in either case. */
int postgres_role_look(const char *url, struct postgres_role *out, struct err *e);
void postgres_role_free(struct postgres_role *role);

#endif
