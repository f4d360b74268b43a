/* A stand-in for the API inside the process, over fake_transport: holds leads, answers as Instantly was seen to, and
 * misbehaves on order. With a clock_fake a minute of waiting takes no time. Addresses decide what becomes of a lead:
 *
 *   blocked…  invalid…  incomplete…   left out, and counted under that counter
 *   poison…                           the whole request is refused (400) without saying whose fault it is
 *   named…                            the whole request is refused (400), and the message names the lead's index */
#ifndef TESTS_HARNESS_FAKE_WORLD_H
#define TESTS_HARNESS_FAKE_WORLD_H

#include "tests/harness/fake_transport.h"

#include <json-c/json.h>

#define WORLD_LIST "11111111-1111-4111-8111-111111111111"
#define WORLD_CAMPAIGN "22222222-2222-4222-8222-222222222222"
#define WORLD_ELSEWHERE "33333333-3333-4333-8333-333333333333"
#define WORLD_WORKSPACE "0a11ca3e-0000-4000-8000-00000000b0c5"

enum world_kind { WORLD_ADD, WORLD_READ, WORLD_PATCH, WORLD_OTHER, WORLD_KIND_N };

/* …_AFTER: the request is carried out, and then its answer goes wrong. */
enum world_fault {
    FAULT_NONE,
    FAULT_500, FAULT_500_AFTER,
    FAULT_LOST, FAULT_LOST_AFTER,
    FAULT_NOT_SENT,
    FAULT_GARBAGE_AFTER, FAULT_ERROR_KEY_AFTER, FAULT_NO_LIST_AFTER,
    FAULT_INDEX_TWICE_AFTER, FAULT_INDEX_FAR_AFTER,
    FAULT_400, FAULT_401, FAULT_404, FAULT_409, FAULT_413, FAULT_429, FAULT_EDGE,
    FAULT_FULL,                 /* 403 "Lead limit reached", with `room` */
    FAULT_N
};

enum { WORLD_RULES_MAX = 16 };
struct world {
    struct fake_transport t;
    struct clock_fake *clock;
    struct json_object *leads;  /* as leads/list tells them */
    struct json_object *bodies; /* answers, kept while they may be read */
    struct {
        enum world_kind kind;
        unsigned first, last;   /* which requests of the kind, from 1 */
        enum world_fault fault;
        int room;
    } rules[WORLD_RULES_MAX];
    size_t rules_n;
    unsigned n[WORLD_KIND_N];   /* requests so far */
    unsigned leads_asked;       /* leads in all adds */
    unsigned last_asked;        /* leads in the last add */
    unsigned ids;
    int64_t lag_ms;             /* leads/list knows a lead this much later */
    int64_t skew_ms;            /* the server's clock runs ahead */
    size_t body_max;            /* larger requests are a 413; 0: none */
    const char *workspace;
    int stop_at;                /* a signal while the n-th request is under way; 0: never */
};

void world_init(struct world *w, struct clock_fake *clock);
void world_free(struct world *w);
/* Requests first … last of this kind (from 1) go wrong like this; counted from the last world_count(). */
void world_fault(struct world *w, enum world_kind kind, unsigned first, unsigned last, enum world_fault fault);
/* Forgets rules and starts counting again. */
void world_count(struct world *w);
/* Puts a lead there that nobody asked for; `target` is one of the ids above. */
void world_put(struct world *w, const char *target, const char *email, const char *first_name);
void world_delete(struct world *w, const char *email);
size_t world_n(const struct world *w);
/* The lead of that address in the list or campaign; NULL when there is none. */
struct json_object *world_find(const struct world *w, const char *target, const char *email);
/* A member of the lead, or of its payload; "" when there is none. */
const char *world_value(const struct world *w, const char *target, const char *email, const char *name);
/* Leads beyond the first with the same target and the same address or leadsync_key. */
size_t world_doubles(const struct world *w);

#endif
