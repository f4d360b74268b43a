#include "config.h"

#include "tests/bench/mock_window.h"

#include <stdlib.h>
#include <time.h>

void mock_window_init(struct mock_window *w)
{
    *w = (struct mock_window){.n = 0};
    pthread_mutex_init(&w->lock, NULL);
}

int mock_window_note(struct mock_window *w)
{
    int rc = -1;
    struct timespec t;
    pthread_mutex_lock(&w->lock);
    if (w->n == w->room) {
        size_t room = w->room == 0 ? 4096 : w->room * 2;
        int64_t *grown = realloc(w->at_us, room * sizeof *grown);
        if (grown == NULL)
            goto out;
        w->at_us = grown;
        w->room = room;
    }
    /* Read under the lock: the times must ascend. */
    clock_gettime(CLOCK_MONOTONIC, &t);
    w->at_us[w->n++] = (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
    rc = 0;
out:
    pthread_mutex_unlock(&w->lock);
    return rc;
}

size_t mock_window_most(struct mock_window *w, int64_t width_us)
{
    size_t most = 0;
    pthread_mutex_lock(&w->lock);
    for (size_t first = 0, last = 0; last < w->n; last++) {
        while (w->at_us[last] - w->at_us[first] >= width_us)
            first++;
        if (last - first + 1 > most)
            most = last - first + 1;
    }
    pthread_mutex_unlock(&w->lock);
    return most;
}

int64_t mock_window_span_us(struct mock_window *w)
{
    pthread_mutex_lock(&w->lock);
    int64_t span = w->n > 0 ? w->at_us[w->n - 1] - w->at_us[0] : 0;
    pthread_mutex_unlock(&w->lock);
    return span;
}

void mock_window_reset(struct mock_window *w)
{
    pthread_mutex_lock(&w->lock);
    w->n = 0;
    pthread_mutex_unlock(&w->lock);
}
