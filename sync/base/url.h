/* The address of a server that gets a key, judged once and for all: taken apart strictly, so that what parsers disagree
 * about is refused, and plain http is for this machine only. Looks nothing up. */
#ifndef SYNC_BASE_URL_H
#define SYNC_BASE_URL_H

#include "sync/base/err.h"

#include <stdbool.h>

struct url {
    char *base;     /* owned; without slashes at the end */
    char *host;     /* owned; without port, and without the brackets of an IPv6 address */
    bool loopback;  /* 127.0.0.0/8, ::1 or "localhost" */
};

/* What is wrong is told under `what` ("--api-url") with the status `bad`. On failure `out` is empty. 0/-1. */
int url_check(const char *url, enum exit_status bad, const char *what, struct url *out, struct err *e);
void url_free(struct url *url);

#endif
