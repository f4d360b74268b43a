/* How many requests the fullest second and the fullest minute held, as a server counts them. Thread-safe. */
#ifndef TESTS_BENCH_MOCK_WINDOW_H
#define TESTS_BENCH_MOCK_WINDOW_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

struct mock_window {
    pthread_mutex_t lock;
    int64_t *at_us; /* when each request arrived, ascending; owned */
    size_t n, room;
};

void mock_window_init(struct mock_window *w);
/* Notes a request that arrived now (CLOCK_MONOTONIC). 0/-1 (memory). */
int mock_window_note(struct mock_window *w);
/* Most requests in any window of this length, counted as [t, t + width). */
size_t mock_window_most(struct mock_window *w, int64_t width_us);
/* Microseconds between the first and the last request. */
int64_t mock_window_span_us(struct mock_window *w);
void mock_window_reset(struct mock_window *w);

#endif
