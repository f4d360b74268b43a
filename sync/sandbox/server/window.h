/* How many requests fell into the last second or minute: exact, by the time of each. */
#ifndef SYNC_SANDBOX_SERVER_WINDOW_H
#define SYNC_SANDBOX_SERVER_WINDOW_H

#include <stddef.h>
#include <stdint.h>

struct box_window {
    int64_t span_us;
    int64_t *at; /* ring, owned */
    size_t head, n, cap;
    size_t peak; /* the most that ever fell into one span */
};

void box_window_init(struct box_window *w, int64_t span_us);
void box_window_free(struct box_window *w);
/* Requests in the span that ends now. */
size_t box_window_count(struct box_window *w, int64_t now_us);
/* Notes a request. Beyond four million in one span, or when memory is short, the oldest is forgotten. */
void box_window_add(struct box_window *w, int64_t now_us);

#endif
