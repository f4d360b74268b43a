/* What one answer means for its request: a table over status and body. Pure; knows no queue, no retry, no time. */
#ifndef SYNC_API_HTTP_CLASSIFY_H
#define SYNC_API_HTTP_CLASSIFY_H

#include "sync/api/http/transport.h"
#include "sync/base/err.h"

#include <json-c/json_types.h>
#include <stdbool.h>
#include <stdint.h>

enum verdict {
    VERDICT_OK,
    VERDICT_REFUSED,   /* this body; surely not applied */
    VERDICT_PLAN_FULL, /* surely not applied */
    VERDICT_THROTTLED, /* 429: surely not applied, the whole workspace has to wait */
    VERDICT_LOCKED,    /* 409, a move job holds the target: surely not applied, this one has to wait */
    VERDICT_NOT_SENT,  /* surely never arrived */
    VERDICT_LOST,      /* no usable answer: a read may be repeated, the outcome of a write is unknown */
    VERDICT_KEY,       /* key refused */
    VERDICT_UNPAID,    /* the plan does not allow it */
    VERDICT_SCOPE,     /* the key may not do this */
    VERDICT_CLOSED,    /* this endpoint serves no request at all; surely not applied */
    VERDICT_EDGE,      /* refused before the API saw it */
    VERDICT_REDIRECT,  /* not the API's address */
    VERDICT_DRY,       /* this process refused to send it */
};

/* What the request can say about the answers it understands. */
struct expected {
    bool write;         /* an unknown outcome matters */
    bool needs_answer;  /* an empty 2xx proves nothing */
    const char *member; /* a 2xx object without it is not a usable answer; NULL: any */
    enum json_type member_type;
};

/* `json` is the parsed body, NULL when it is empty or no JSON. */
enum verdict classify(const struct expected *expected, const struct transport_answer *answer, struct json_object *json);

/* The API's words for an error, from message, error or detail, else a short plain-text body; cleaned of control
 * characters, cut at MESSAGE_MAX bytes on a character's edge. Appends to `out`. 0/-1. */
enum { MESSAGE_MAX = 300 };
int classify_message(const struct transport_answer *answer, struct json_object *json, struct buf *out);

/* N of "Remaining uploads: N" in the API's words, -1 when not said. */
int64_t classify_room(struct str message);

/* The scope that a call needs ("leads:create"), NULL when not known. */
const char *classify_scope(const char *method, const char *path);

/* The error that ends a run, for the verdicts KEY, UNPAID, SCOPE, CLOSED, EDGE, REDIRECT and DRY. Returns -1. */
int classify_fatal(enum verdict verdict, const char *method, const char *path, const struct transport_answer *answer,
                   struct str message, struct err *e);

#endif
