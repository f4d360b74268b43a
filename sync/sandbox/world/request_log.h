/* The last requests, for GET /__requests: what came, what was answered, what was done to it. Bounded. */
#ifndef SYNC_SANDBOX_WORLD_REQUEST_LOG_H
#define SYNC_SANDBOX_WORLD_REQUEST_LOG_H

#include "sync/base/jsonw.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sim_request_log_entry {
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

struct sim_request_log;
struct sim_request_log *sim_request_log_new(void);
void sim_request_log_free(struct sim_request_log *r);
/* A copy is kept; n is filled in. */
void sim_request_log_add(struct sim_request_log *r, const struct sim_request_log_entry *entry);
void sim_request_log_write(const struct sim_request_log *r, struct jsonw *w);
void sim_request_log_clear(struct sim_request_log *r);

#endif
