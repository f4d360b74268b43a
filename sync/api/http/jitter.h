/* When a request reached the server at the latest, judged by its answer. Both ways and the work take at least as long as the
 * fastest answers of the same kind. An answer's extra time may all have been spent on the way to the server. So the request
 * arrived at the latest at its departure plus this extra time. Pure; knows no clock. */
#ifndef SYNC_API_HTTP_JITTER_H
#define SYNC_API_HTTP_JITTER_H

#include <stdint.h>

enum { JITTER_KINDS = 8 };

struct jitter {
    struct jitter_kind {
        int64_t fastest_us[2]; /* of this block of answers and of the one before; 0: none */
        unsigned block_n;
    } kinds[JITTER_KINDS];
};

/* A request of that kind (0 to JITTER_KINDS - 1) left and was answered: when it arrived at the latest. */
int64_t jitter_arrival_us(struct jitter *j, unsigned kind, int64_t left_us, int64_t answered_us);

#endif
