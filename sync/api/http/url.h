/* The address of a server that gets the API key: https anywhere, plain http on this machine only. Looks nothing up. */
#ifndef SYNC_API_HTTP_URL_H
#define SYNC_API_HTTP_URL_H

#include "sync/base/err.h"

#include <stdbool.h>

struct url {
    char *base;    /* owned; as given, without slashes at the end */
    char *host;    /* owned; as libcurl connects to it, without port and brackets */
    bool loopback; /* 127.0.0.0/8, ::1 or "localhost" */
};

/* Judges `text`, which stands under the name `what` ("--api-url"). A wrong address sets an error with the status `bad` and
 * leaves `out` empty. 0/-1. */
int url_check(const char *text, enum exit_status bad, const char *what, struct url *out, struct err *e);
void url_free(struct url *url);

#endif
