/* What follows when a request was not done: how long to wait before the same one is sent again, or that it never is. Only
 * what surely had no effect, and reads. For this room only. */
#ifndef SYNC_API_HTTP_RETRY_H
#define SYNC_API_HTTP_RETRY_H

#include "sync/api/http/queue.h"

/* Milliseconds until the same request is sent again (a pause of all requests is kept apart from it, and is 0); -1: never.
 * Logs a longer wait. */
int64_t retry_delay_ms(struct api *a, struct request *r, enum verdict verdict, const struct transport_answer *answer);
/* The error of a request that kept failing. */
void retry_failed(const struct request *r, enum verdict verdict, const struct transport_answer *answer, struct str message,
                  struct err *e);
/* Another process of the user got a 429, and this process waits too: logs the wait. */
void retry_shared_pause(struct api *a, int64_t now_us);

#endif
