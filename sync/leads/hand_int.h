/* Inside of hand_*.c. */
#ifndef SYNC_LEADS_HAND_INT_H
#define SYNC_LEADS_HAND_INT_H

#include "sync/leads/hand.h"
#include "sync/state/state.h"

/* ---- hand.c ---- */

/* What an answer means for a write. */
enum hand_sent {
    HAND_DONE,
    HAND_REFUSED, /* surely not applied; the reply says why */
    HAND_UNKNOWN, /* may have been applied */
    HAND_NOT,     /* surely never arrived */
};
/* Sends and frees the request. 0, or -1 when nothing more can be sent; `sent` tells of this request either way. */
int hand_send(struct hand *h, struct by_hand *request, struct api_reply *reply, enum hand_sent *sent, struct err *e);
/* The same for a read: 0/-1. API_REFUSED is left to the caller. */
int hand_ask(struct hand *h, struct by_hand *request, struct api_reply *reply, struct err *e);
/* Waits before look `look` (from 1) of a read-back: 1 look again, 0 that was the last, or it was interrupted; -1. */
int hand_wait_look(struct hand *h, unsigned look, struct err *e);
int hand_wait_ms(struct hand *h, int64_t ms, struct err *e); /* 1 the time has passed, 0 interrupted, -1 */
bool hand_interrupted(struct hand *h);                       /* notes it in h->stopped */

void hand_outcome(struct hand_lead *lead, enum outcome outcome, enum reason reason, int http_status);
struct hand_write;
/* A write of leads that are named by their ids alone: gone_there for a 404, job_open for the lock of a job, plan_full
 * where it is that, else refused_there; each with the API's words. 0/-1 (memory) */
int hand_refused(struct hand *h, struct hand_write *w, const struct api_reply *reply, struct err *e);
/* The same of a write that names w->from or w->to as well, which a 404 may mean: then Instantly is asked for them, the
 * leads are deferred, and -1 says what is missing. `reply` is no longer valid. */
int hand_refused_in(struct hand *h, struct hand_write *w, const struct api_reply *reply, struct err *e);
struct hand_lead *hand_lead_add(struct hand *h, struct err *e); /* zeroed, valid until the next one is added */
/* Fills in what the API tells of a lead. 0/-1 (memory) */
int hand_lead_told(struct hand *h, struct hand_lead *lead, const struct remote_lead *remote, struct err *e);
/* Both in the same place, or both in none? */
bool hand_same_place(const struct hand_lead *a, const struct hand_lead *b);

/* ---- hand_find.c ---- */

/* leads/list by the ids of n leads, at most LEADS_LIST_MAX: sees those that are there. */
int hand_look(struct hand *h, struct hand_lead *const *leads, size_t n, hand_see_fn *see, void *ctx, struct err *e);

/* ---- hand_write.c ---- */

/* The values of a lead, packed as the state keeps them, in the hand's arena. 0/-1 (memory) */
int hand_pack(struct hand *h, const struct lead *wanted, struct str *out, struct err *e);

/* ---- hand_people.c ---- */

/* The key under which the state has the lead with this id: 1; 0 none, and all zeroes; -1. */
int hand_owner(struct hand *h, const struct uuid *id, struct hash128 *key, struct err *e);
/* hand_keep_back() of one lead, with the state as it is open or not. 0/-1 */
int hand_keep_one(struct hand *h, struct hand_lead *lead, const struct target *to, struct err *e);
/* On record, durable with the next commit: who of these leads unsubscribed, bounced or was skipped. Due before a write that
 * makes Instantly forget it. */
int hand_note_statuses(struct hand *h, struct hand_lead *const *leads, size_t n, struct err *e);

/* ---- hand_state.c ---- */

/* Opens and locks the state (or opens it for reading in a dry run) and settles what is open in it. */
int hand_state_open(struct hand *h, struct err *e);
/* Opens it for reading only, without a lock; hand_state_close() after it. XS_STATE: there is none. */
int hand_state_read(struct hand *h, struct err *e);
void hand_state_close(struct hand *h);

/* Was a person with this address forgotten (leadsync forget)? 0/-1 */
int hand_is_forgotten(struct hand *h, struct str email, bool *forgotten, struct err *e);

/* A write of some leads, in the journal from before it is sent until each has its outcome. */
enum { ADDRESS_MAX = 64 << 10 }; /* bytes of a normalised address */

struct hand_write {
    enum op op;
    const struct target *from, *to; /* NULL: none */
    struct str values;              /* packed lead of what is wanted of each; empty: none */
    struct hand_lead **leads;       /* in the order of h->leads; not owned */
    size_t n;
    struct batch batch;             /* entries in the hand's arena */
};
/* Makes the intent durable. */
int hand_intent(struct hand *h, struct hand_write *w, const struct by_hand *request, struct err *e);
/* Durable: the job is known, the outcome is not. */
int hand_accepted(struct hand *h, struct hand_write *w, const char *job, struct err *e);
/* Durable: every lead's outcome. */
int hand_settle(struct hand *h, struct hand_write *w, struct err *e);
/* Leaves the batch for resume; its leads are deferred with `reason`. */
int hand_leave_open(struct hand *h, struct hand_write *w, enum reason reason, struct err *e);
/* Outcomes that no request was needed for. */
int hand_note(struct hand *h, struct hand_lead *lead, struct err *e);

#endif
