/* The last requests, for GET /__requests: what came, what was answered, what was done to it. Bounded. */
#ifndef SYNC_SANDBOX_SERVER_RING_H
#define SYNC_SANDBOX_SERVER_RING_H

#include "sync/base/jsonw.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct box_ring_entry {
    int64_t at_ms;
    uint64_t n; /* counted from 1 over the whole life */
    char method[8];
    char path[160];    /* cut when longer */
    char fault[24];    /* "" none */
    char unknown[64];  /* path of the first member of the body that the API does not know; "" none */
    unsigned status;   /* 0: the connection was closed without an answer */
    size_t leads;      /* in the body */
    bool as_workspace; /* x-as-workspace was sent */
};

struct box_ring;
struct box_ring *box_ring_new(void);
void box_ring_free(struct box_ring *r);
/* A copy is kept; n is filled in. */
void box_ring_add(struct box_ring *r, const struct box_ring_entry *entry);
void box_ring_write(const struct box_ring *r, struct jsonw *w);
void box_ring_clear(struct box_ring *r);

#endif
