/* Times in HTTP headers: RFC 9110 dates and Retry-After. libcurl's own Retry-After cannot be used: up to 8.12 it
 * returns a large negative number for a date that has passed and 1 for "1.5". Pure functions, no clock. */
#ifndef SYNC_API_HTTP_HTTP_TIME_H
#define SYNC_API_HTTP_HTTP_TIME_H

#include "sync/base/str.h"

#include <stdint.h>

enum { RETRY_AFTER_MAX_MS = 600000 };

/* A date as Unix milliseconds: "Sun, 06 Nov 1994 08:49:37 GMT", or any other form that curl_getdate(3) reads. 0/-1. */
int http_date_parse(struct str text, int64_t *ms);
/* Milliseconds to wait, clamped to 0..RETRY_AFTER_MAX_MS; -1 for what is neither seconds nor a date. A date counts
 * from `now_ms`, best the server's own Date. */
int64_t retry_after_parse(struct str text, int64_t now_ms);

#endif
