/* --ping: tells a watchdog (healthchecks.io and its like) that a run starts, went well or failed. */
#ifndef SYNC_CLI_PING_H
#define SYNC_CLI_PING_H

#include "sync/base/clock.h"
#include "sync/base/err.h"
#include "sync/base/str.h"

enum ping_what { PING_START, PING_SUCCESS, PING_FAIL };

/* GETs `url` with "/start", nothing or "/fail" after its path; POSTs `body` there when it has one, and GETs where that is
 * not taken. Blocks for 20 seconds at most, and sends no key. XS_API when it was not answered with 2xx; the caller decides
 * that this stops nothing. */
int ping_send(const char *url, enum ping_what what, struct str body, const char *user_agent, struct clock *clock,
              struct err *e);

#endif
