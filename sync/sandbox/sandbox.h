/* A local stand-in for the Instantly API v2, strict about what is documented or was observed: schema, limits, counters,
 * job life, locks, read lag, faults. A second opinion: it shares no line with the client's body, endpoint or queue code.
 * It only ever listens on 127.0.0.1. */
#ifndef SYNC_SANDBOX_SANDBOX_H
#define SYNC_SANDBOX_SANDBOX_H

#include "sync/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sandbox_config {
    uint16_t port;                 /* 0: any free one */
    const char *key_file;          /* NULL: any key is accepted */
    const char *const *campaigns;  /* names added to "Demo" */
    size_t campaigns_n;
    const char *const *lists;      /* names added to "Incoming" */
    size_t lists_n;
    const char *store;             /* file that survives restarts, NULL: memory */
    uint64_t seed;
    unsigned rate_per_second, rate_per_minute; /* 0: none */
    int64_t latency_ms;
    int64_t plan_limit;            /* -1: none */
    const char *faults;            /* the --faults text, NULL: none */
    bool spec_strict;
    /* knobs of API behaviour that is unknown or was seen both ways */
    bool patch_merges;             /* custom_variables of a PATCH merge instead of replace */
    bool plan_partial;             /* over the plan limit: take what fits instead of refusing the whole */
    int64_t read_lag_ms;           /* leads appear in leads/list this much later */
    int64_t job_ms;                /* life of a move job; default 300 */
    const char *scopes;            /* comma list the key has; NULL: all */
    bool ignore_case_off;          /* addresses are compared with case */
};

struct sandbox;
int sandbox_start(const struct sandbox_config *config, struct sandbox **out, struct err *e);
uint16_t sandbox_port(const struct sandbox *s);
/* Serves until a signal (sync/base/stop.h); then stops and saves the store. */
int sandbox_serve(struct sandbox *s, struct err *e);
void sandbox_free(struct sandbox *s);

#endif
