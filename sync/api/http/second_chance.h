/* A 403 of an endpoint that has worked in this run may be a throttle in other words (reported once): such a request waits
 * and is sent again, before the 403 ends the run. A 403 says that nothing was done, so that is safe for writes too.
 * For this room only. */
#ifndef SYNC_API_HTTP_SECOND_CHANCE_H
#define SYNC_API_HTTP_SECOND_CHANCE_H

#include "sync/api/http/request.h"

enum {
    SECOND_CHANCE_ENDPOINTS = 32, /* of the API, the client uses fewer */
    SECOND_CHANCE_MS = 15000,
    SECOND_CHANCE_MAX_MS = 60000, /* a Retry-After is followed up to here */
};

/* All zeros to begin with. */
struct second_chance {
    struct {
        const char *method; /* static */
        char *path;         /* owned; of the first request that worked */
    } worked[SECOND_CHANCE_ENDPOINTS];
    size_t n;
    int64_t reported_us; /* when the last wait was reported ends; many requests wait at once */
};

/* Takes each answer in. How long to wait before the request is sent again, or -1: never. */
int64_t second_chance_ms(struct second_chance *s, struct request *r, enum verdict verdict,
                         const struct transport_answer *answer, int64_t now_us);
void second_chance_free(struct second_chance *s);

#endif
