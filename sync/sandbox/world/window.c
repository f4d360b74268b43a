#include "sync/sandbox/world/window.h"

#include <stdlib.h>

enum { WINDOW_MAX = 1 << 22 };

void sim_window_init(struct sim_window *w, int64_t span_us)
{
    *w = (struct sim_window){.span_us = span_us};
}

void sim_window_free(struct sim_window *w)
{
    free(w->at);
    sim_window_init(w, w->span_us);
}

/* Drops what has left the span: what came exactly one span ago is out. */
size_t sim_window_count(struct sim_window *w, int64_t now_us)
{
    while (w->n > 0 && w->at[w->head] <= now_us - w->span_us) {
        w->head = (w->head + 1) % w->cap;
        w->n--;
    }
    return w->n;
}

/* Unrolls the ring into twice the room. */
static void grow(struct sim_window *w)
{
    size_t cap = w->cap == 0 ? 256 : w->cap * 2;
    int64_t *at = malloc(cap * sizeof *at);
    if (at == NULL)
        return;
    for (size_t i = 0; i < w->n; i++)
        at[i] = w->at[(w->head + i) % w->cap];
    free(w->at);
    w->at = at;
    w->head = 0;
    w->cap = cap;
}

void sim_window_add(struct sim_window *w, int64_t now_us)
{
    sim_window_count(w, now_us);
    if (w->n == w->cap && w->cap < WINDOW_MAX)
        grow(w);
    if (w->cap == 0)
        return;
    if (w->n == w->cap) {
        w->head = (w->head + 1) % w->cap;
        w->n--;
    }
    w->at[(w->head + w->n++) % w->cap] = now_us;
    if (w->n > w->peak)
        w->peak = w->n;
}
