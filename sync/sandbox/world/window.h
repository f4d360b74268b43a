/* How many requests fell into the last second or minute: exact, by the time of each. */
#ifndef SYNC_SANDBOX_WORLD_WINDOW_H
#define SYNC_SANDBOX_WORLD_WINDOW_H

#include <stddef.h>
#include <stdint.h>

struct sim_window {
    int64_t span_us;
    int64_t *at; /* ring, owned */
    size_t head, n, cap;
    size_t peak; /* the most that ever fell into one span */
};

void sim_window_init(struct sim_window *w, int64_t span_us);
void sim_window_free(struct sim_window *w);
/* Requests in the span that ends now. */
size_t sim_window_count(struct sim_window *w, int64_t now_us);
/* Notes a request. Beyond four million in one span, or when memory is short, the oldest is forgotten. */
void sim_window_add(struct sim_window *w, int64_t now_us);

#endif
