/* A request and its answer, free of any HTTP library: what endpoints see. */
#ifndef SYNC_SANDBOX_SERVER_HTTP_H
#define SYNC_SANDBOX_SERVER_HTTP_H

#include "sync/base/buf.h"
#include "sync/base/jsonw.h"
#include "sync/base/str.h"
#include "sync/sandbox/world/json.h"
#include "sync/sandbox/world/world.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    SIM_BODY_MAX = 1 << 20, /* Fastify's default body limit */
    SIM_ANSWER_MAX = 1 << 30,
    SIM_QUERY_MAX = 32,
};

struct sim_pair {
    struct str name, value; /* value.p NULL: "?name" without "=" */
};

/* Members of a body that the API does not know. */
struct sim_unknown {
    bool refuse; /* answer 400 instead of dropping them */
    size_t n;
    char first[64]; /* path of the first one, as body/leads/0/emial */
};

struct sim_request {
    const char *method;
    const char *path; /* decoded, without the query */
    struct sim_pair query[SIM_QUERY_MAX];
    size_t query_n;
    struct str user_agent, authorization, content_type, as_workspace; /* p NULL: not sent */
    struct str body;                                                  /* raw */
    bool body_too_large, url_too_long;
    /* filled in on the way to the endpoint */
    json_object *json; /* owned by route.c */
    struct sim_unknown unknown;
    struct str param; /* the {…} part of the path */
    struct uuid id;   /* param as a UUID, where the route says so */
};

/* What was asked for, as text; STR_NONE when it was not. */
struct str sim_query_get(const struct sim_request *q, const char *name);

struct sim_answer {
    unsigned status;
    struct buf body;
    const char *type;       /* content type */
    struct sim_fault fault; /* what is to go wrong on the wire */
};

void sim_answer_init(struct sim_answer *a);
void sim_answer_free(struct sim_answer *a);
/* {"statusCode","error","message"}; replaces what was there. Returns 0, or -1 when memory is short. */
int sim_answer_error(struct sim_answer *a, unsigned status, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
int sim_answer_not_found(struct sim_answer *a);
/* As observed: "campaign" even where it is a list. */
/* clang-format off */
#define SIM_LOCKED_TEXT "There is a move-leads job in progress. You cannot add or remove leads from this campaign " \
                        "until the process is complete."
/* clang-format on */
int sim_answer_locked(struct sim_world *w, struct sim_answer *a);
const char *sim_status_text(unsigned status);

#endif
