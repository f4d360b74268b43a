/* A local stand-in for the Instantly API v2, strict about what is documented or was observed: schema, limits,
 * counters, job life, locks, read lag, faults. A second opinion: it shares no line with the client's body, endpoint
 * or queue code. It only ever listens on 127.0.0.1, and prints nothing.
 *
 * Fixed ids. Campaign "Demo", list "Incoming" and the workspace have the ids below; a name added by `campaigns` or
 * `lists` gets an id that depends on the name alone. With a seed other than 0 every id and every fault depends on the
 * seed and the order of requests alone; with seed 0 lead and job ids carry the time, as the real ones do.
 *
 * Faults. TEXT = RULE (";" RULE)*, RULE = METHOD " " PATH ":" ITEM ("," ITEM)*, ITEM = KIND ["@" ARG] "=" WHEN.
 *   METHOD  GET, POST, PATCH, DELETE, or * for any
 *   PATH    without /api/v2: "/leads/add", a pattern "/leads/{id}", a prefix "/leads*", or * for any
 *   WHEN    "2%" or "0.5%" of the matching requests (by the seed), "#3" exactly the third, "#3-5" the third to the
 *           fifth, "4" the first four
 *   KIND    drop-before   connection closed, nothing done          drop-after   done, then closed without an answer
 *           500           any status 400..599 instead of the work   500-after    done, then that status
 *           truncate      done, half of the answer, then closed     garbage      done, 200 with a body that is not JSON
 *           empty         done, 204 without a body                  slow         done, answer ARG ms later (3000)
 *           hang          nothing done, silent ARG ms (600000), closed           hang-after   done, silent, closed
 *           late-write    a write: closed without an answer, done ARG ms later (1500), whatever the client does meanwhile
 *           late-hang     the same, but silent and closed only when it is done
 *           A lie gives a good status. It belongs to one endpoint, and only happens there:
 *           POST /leads/add, in created_leads; the work is done and every counter is true:
 *             empty-created     no entry                          nameless-omitted  no entry of a lead without an address
 *             uploaded-unlisted the first half of the entries     shifted-index     `index` is one too high (the last: 0);
 *                                                                                   "@created": counts created leads only
 *             same-id           the first id in every entry;      "@stranger": the ids of older leads of the workspace
 *           PATCH /leads/{id}:  patch-ignored   stores nothing, answers the old lead; "@echo": answers the new values
 *           DELETE /leads, /leads/{id}: delete-ignored   deletes nothing, answers as if it had
 *           POST /leads/move:   job-lies   the job ends in success, counts and names every lead, and moves none
 *           POST /leads/list:   list-empty no items;  list-lag   new and moved leads show ARG ms later (1500)
 *   ARG     drop-*: "rst" resets instead of closing · 429, 503: Retry-After seconds, "date2" as an HTTP date ·
 *           slow, hang, late-*, list-lag: milliseconds · garbage: "http" is no HTTP at all
 *   Items of a rule are tried in order, the first rule with an item that fires wins: one fault a request.
 *   Example: 'POST /leads/add:drop-after=2%,429@2=#3;GET *:500=1%'
 *
 * Store. One JSON object per line, appended before the answer leaves: it survives kill -9 of the sandbox (not a power
 * cut: nothing is fsynced before the end). At the end it is rewritten compactly, beside and renamed.
 *
 * Test control (no key, no limits, no faults):
 *   GET  /__state      everything: knobs, counters, campaigns, lists, jobs, blocks, leads (?leads=0: not these)
 *   GET  /__requests   the last 10 000 requests: n, at, method, path, status, leads, fault, unknown (dropped
 *                     member of the body), workspace
 *   POST /__control    an object of what to change; see sync/sandbox/endpoints/control.c for the table
 */
#ifndef SYNC_SANDBOX_SANDBOX_H
#define SYNC_SANDBOX_SANDBOX_H

#include "sync/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SANDBOX_CAMPAIGN_DEMO "0a11ca3e-0000-4000-8000-00000000de30"
#define SANDBOX_LIST_INCOMING "0a11ca3e-0000-4000-8000-0000000011c0"
#define SANDBOX_WORKSPACE "0a11ca3e-0000-4000-8000-00000000b0c5"
#define SANDBOX_OWNER "0a11ca3e-0000-4000-8000-00000000a5e4"
#define SANDBOX_BLOCKLIST "0a11ca3e-0000-4000-8000-00000000b10c"

struct sandbox_config {
    uint16_t port;                /* 0: any free one */
    const char *key_file;         /* NULL: any key is accepted */
    const char *const *campaigns; /* names added to "Demo", with ":draft", ":active", ":paused" or ":completed" behind */
    size_t campaigns_n;
    const char *const *lists; /* names added to "Incoming" */
    size_t lists_n;
    const char *store; /* file that survives restarts, NULL: memory */
    uint64_t seed;
    unsigned rate_per_second, rate_per_minute; /* 0: none */
    int64_t latency_ms;
    int64_t plan_limit; /* -1: none; counts leads in campaigns and in lists */
    const char *faults; /* the --faults text, NULL: none */
    bool spec_strict;
    bool refuse_unknown; /* members of a body that the API does not know: 400 instead of dropping them */
    /* knobs of API behaviour that is unknown or was seen both ways */
    bool patch_merges;    /* custom_variables of a PATCH merge instead of replace */
    bool plan_partial;    /* over the plan limit: take what fits instead of refusing the whole */
    int64_t read_lag_ms;  /* leads appear in leads/list this much later, and moved ones stay where they were */
    int64_t job_ms;       /* life of a move job and of a verification; 0: 300 */
    const char *scopes;   /* comma list the key has; NULL: all */
    bool ignore_case_off; /* addresses are compared with case */
};

struct sandbox;
/* Listens and serves on a thread of its own from here on: tests may talk to it at once. The config is only read during
 * the call. XS_USAGE: faults or key file; XS_STATE: store; XS_IO: the port is unavailable. */
int sandbox_start(const struct sandbox_config *config, struct sandbox **out, struct err *e);
uint16_t sandbox_port(const struct sandbox *s);
/* Blocks until a signal (sync/base/stop.h); then stops serving and saves the store. */
int sandbox_serve(struct sandbox *s, struct err *e);
/* Stops serving when it still does, and saves the store; NULL is fine. */
void sandbox_free(struct sandbox *s);

#endif
