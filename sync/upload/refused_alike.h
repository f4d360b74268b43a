/* Leads that Instantly refuses one by one with the same words: is it the lead, or does it refuse all? Internal to the
 * upload.
 *
 * A refusal is recorded for weeks, so it has to be about its lead. A lead that was refused alone is therefore held without
 * an outcome. When the endpoint accepts a request or refuses one with other words, the held leads are rejected. When
 * enough leads are refused with the same words and none is accepted, the run ends and nothing is recorded as refused. */
#ifndef SYNC_UPLOAD_REFUSED_ALIKE_H
#define SYNC_UPLOAD_REFUSED_ALIKE_H

#include "sync/api/api.h"

struct batch_slice;
struct upload;
struct batch_run;

enum endpoint { ENDPOINT_ADD, ENDPOINT_PATCH, ENDPOINT_MOVE, ENDPOINT_N };

/* What a refusal says about other leads. */
enum refused_how {
    REFUSED_NAMED,  /* the words name the lead; its request had others, too */
    REFUSED_ALONE,  /* its request had no other lead; its neighbours in the source may have the same fault */
    REFUSED_SPREAD, /* alone as well, and chosen far from the others */
};
enum { ALIKE_MIN = 5 }; /* leads that have to be refused before all are believed to be */

struct refused_alike {
    int status; /* of the refusals since the last request that was accepted */
    struct buf words;
    struct refused_lead {
        struct batch_run *batch;
        uint32_t i;
    } * leads; /* held; owned */
    size_t n, cap, alone_n, spread_n;
    struct batch_slice *parked; /* creates: refused requests of several leads, until it is clear what that means; owned */
    bool trying;                /* creates: one of them is being tried in halves */
    size_t under_way;           /* requests of the endpoint that are not answered yet */
    unsigned epoch;             /* goes up when the held leads get their outcomes */
};

/* The endpoint took a request. */
void refused_alike_accepted(struct upload *u, enum endpoint endpoint);
/* A request was refused. Words that differ from those before show that leads are judged one by one. */
void refused_alike_compare(struct upload *u, enum endpoint endpoint, const struct api_reply *reply);
/* Entry i was refused: held, or deferred when the upload has ended. May end the upload. */
void refused_alike_lead(struct batch_run *b, uint32_t i, enum endpoint endpoint, const struct api_reply *reply,
                        enum refused_how how);
/* Keeps the slice until the refusals are understood; then its leads are sent in halves. */
void refused_alike_park(struct batch_slice *s);
/* Nothing is under way that could still be accepted: too few leads were refused to blame the endpoint. */
void refused_alike_step(struct upload *u);
/* The upload has ended: held leads and parked slices are deferred. */
void refused_alike_stop(struct upload *u);
void refused_alike_forget(struct batch_run *b); /* before it is freed */
void refused_alike_free(struct upload *u);

#endif
