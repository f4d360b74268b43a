/* --ping: reports to a watchdog, such as healthchecks.io, that a run has started, succeeded or failed. */
#ifndef SYNC_CLI_PING_H
#define SYNC_CLI_PING_H

#include "sync/base/clock.h"
#include "sync/base/err.h"
#include "sync/base/str.h"

enum ping_what { PING_START, PING_SUCCESS, PING_FAIL };

/* Sends a GET to `url` with "/start", nothing or "/fail" after its path. If there is a `body`, sends it by POST, and a GET if that is
 * refused. Blocks for at most 20 seconds, and sends no key. XS_API: the answer was not 2xx; the caller only warns of it. */
int ping_send(const char *url, enum ping_what what, struct str body, const char *user_agent, struct clock *clock,
              struct err *e);

#endif
