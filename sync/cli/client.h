/* An API client for commands that are not runs: key, shared request budget, and half of the workspace's rate limit, from the
 * shared options. Knows neither mapping nor state. */
#ifndef SYNC_CLI_CLIENT_H
#define SYNC_CLI_CLIENT_H

#include "sync/api/api.h"
#include "sync/cli/common.h"
#include "sync/cli/key.h"

#include <stdbool.h>

struct client {
    const struct common *common; /* borrowed */
    struct api_key key;
    char *rate_share; /* owned */
    struct api *api;
};

/* Half of the workspace's budget, which other tools share. */
enum { CLIENT_PER_SECOND = 50, CLIENT_PER_MINUTE = 3000 };
#define CLIENT_USER_AGENT "leadsync/" PACKAGE_VERSION

/* Loads the key and opens the client; from then on the log hides the key. `read_only`: requests that change anything are refused.
 * 0; 1: there is no key, and it is not `needed`; -1 (XS_KEY: there is no key). With --max-seconds, blocking calls end by then.
 * Call client_close() after a failure too. */
int client_open(struct client *client, const struct common *c, bool needed, bool read_only, struct err *e);
void client_close(struct client *client);

/* The file of the request budget that all processes of this user with this key share. The caller frees the path. NULL: it is not
 * available, and each process has its own budget. */
char *client_rate_share(const struct common *c, const struct api_key *key);

#endif
