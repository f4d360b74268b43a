/* One request from the moment it is queued until it is called back, and the lists that requests wait in. For this room
 * only; knows no rate and no retry. */
#ifndef SYNC_API_HTTP_REQUEST_H
#define SYNC_API_HTTP_REQUEST_H

#include "sync/api/http/answer_reader.h"
#include "sync/api/api.h"
#include "sync/api/http/classify.h"
#include "sync/api/http/transport.h"

struct request {
    const char *method; /* static */
    char *path;         /* owned */
    struct buf body;    /* owned */
    bool adds_leads;    /* its answer may be read in parts: the reply dies with the callback */
    struct expected expected;
    enum api_kind kind;
    bool urgent;
    bool optional; /* a missing scope or a closed endpoint refuses this request, and does not end the run */
    api_done_fn *done;
    void *ctx;
    void (*drop)(void *ctx); /* frees ctx when the client goes away instead of calling back; NULL: nothing to free */

    /* the queue's */
    struct api *api;
    struct transport_request wire;
    struct request *prev, *next;
    enum { REQUEST_READY, REQUEST_WAITING, REQUEST_FLYING } where;
    int64_t due_us; /* REQUEST_WAITING */
    int64_t sent_wall_ms;
    unsigned attempts, not_sent_n, lost_n, locked_n;
    bool chance_taken;            /* after a 403 (second_chance.h) */
    size_t left_nth;              /* which departure it was, for the pacer; `left` */
    int64_t left_us;              /* when this attempt left; until that is known, when it was started */
    int64_t locked_since_us;      /* first 409 of a move job */
    struct answer_reader *reader; /* REQUEST_FLYING: of the answer to come */
    bool left;                    /* the pacer knows this attempt */
    bool last_try;                /* taken back while it was in flight: not to be repeated */
};

struct request_list {
    struct request *first, *last;
    size_t n;
};

/* Puts `r` before `before`, at the end when that is NULL. A request is on one list at a time. */
void request_insert(struct request_list *list, struct request *before, struct request *r);
void request_remove(struct request_list *list, struct request *r);
/* In order of due_us: those that came first go first among equals. */
void request_insert_due(struct request_list *list, struct request *r);

/* Calls back, once, with what only the request knows filled in, and frees; it is on no list now. */
void request_finish(struct request *r, struct api_reply *reply);
/* Frees without calling back. */
void request_drop(struct request *r);

#endif
