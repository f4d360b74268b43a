/* Is it the lead that is refused, or does the endpoint refuse all leads? */
#include "config.h"

#include "sync/upload/refused_alike.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "sync/upload/upload_int.h"

/* As many as this are enough even while requests are under way: a batch of updates. */
enum { ALIKE_MANY = 100, WORDS_MAX = 4096 };

/* ---- the same words ---- */

/* "body/leads/17/email must be …": which lead of the request it was does not make it another refusal. */
static int refused_alike_normalise(struct str message, struct buf *out)
{
    static const char mark[] = "leads/";
    for (size_t i = 0; i < message.n; i++) {
        if (buf_addc(out, message.p[i]) != 0)
            return -1;
        size_t end = i + 1;
        if (end < sizeof mark - 1 || memcmp(message.p + end - (sizeof mark - 1), mark, sizeof mark - 1) != 0)
            continue;
        while (i + 1 < message.n && isdigit((unsigned char)message.p[i + 1]))
            i++;
    }
    return 0;
}

/* ---- outcomes of the held leads ---- */

/* A move waits for its held leads only when it has nothing else to do; with other operations each of them counts as
 * under way. */
static void refused_alike_let_go(struct batch_run *b, enum endpoint endpoint, size_t leads_n)
{
    if (endpoint != ENDPOINT_MOVE)
        b->under_way_n -= (unsigned)leads_n;
    batch_check(b);
}

static void refused_alike_give_outcome(struct upload *u, enum endpoint endpoint, enum outcome outcome, enum reason reason)
{
    struct refused_alike *r = &u->refused[endpoint], taken = *r;
    /* Taken away first: what follows may send, and be refused again. */
    r->leads = NULL;
    r->parked = NULL;
    r->n = r->cap = r->alone_n = r->spread_n = 0;
    r->trying = false;
    r->epoch++;
    for (size_t k = 0; k < taken.n; k++) {
        struct batch_run *b = taken.leads[k].batch;
        batch_entry_done(b, taken.leads[k].i, outcome, reason, taken.status);
    }
    while (taken.n > 0) {
        struct batch_run *b = taken.leads[taken.n - 1].batch;
        size_t left = 0;
        for (size_t k = 0; k < taken.n; k++)
            if (taken.leads[k].batch != b)
                taken.leads[left++] = taken.leads[k];
        refused_alike_let_go(b, endpoint, taken.n - left);
        taken.n = left;
    }
    free(taken.leads);
    while (taken.parked != NULL) {
        struct batch_slice *s = taken.parked;
        taken.parked = s->next;
        create_send_halves(s, TRIAL_OVER); /* or, when the upload has ended, defers them */
    }
}

void refused_alike_accepted(struct upload *u, enum endpoint endpoint)
{
    struct refused_alike *r = &u->refused[endpoint];
    buf_reset(&r->words);
    r->status = 0;
    refused_alike_give_outcome(u, endpoint, OUTCOME_REJECTED, REASON_REFUSED_THERE);
}

void refused_alike_compare(struct upload *u, enum endpoint endpoint, const struct api_reply *reply)
{
    struct refused_alike *r = &u->refused[endpoint];
    struct buf words = BUF_INIT(WORDS_MAX);
    if (refused_alike_normalise(reply->message, &words) != 0) {
        upload_fail_oom(u);
    } else if (r->status != reply->http_status || !str_eq(buf_str(&words), buf_str(&r->words))) {
        refused_alike_accepted(u, endpoint);
        buf_free(&r->words);
        r->words = words;
        r->status = reply->http_status;
        return;
    }
    buf_free(&words);
}

/* ---- all of them ---- */

static void refused_alike_end_run(struct upload *u, enum endpoint endpoint)
{
    static const char *const names[] = {
        [ENDPOINT_ADD] = "POST /leads/add",
        [ENDPOINT_PATCH] = "PATCH /leads/{id}",
        [ENDPOINT_MOVE] = "POST /leads/move",
    };
    const struct refused_alike *r = &u->refused[endpoint];
    struct err e = ERR_INIT;
    err_set(&e, XS_API,
            "%s: Instantly refused each of %zu leads with the same words (%d: %.*s) and accepted none, so the "
            "run ends and remembers no refusal: correct what the message names, or wait, then run the same command again",
            names[endpoint], r->n, r->status, STR_ARG(buf_str(&r->words)));
    upload_fail(u, &e);
    err_clear(&e);
    refused_alike_give_outcome(u, endpoint, OUTCOME_DEFERRED, u->c.stop_reason);
}

static int refused_alike_hold(struct refused_alike *r, struct batch_run *b, uint32_t i)
{
    if (r->n == r->cap) {
        size_t cap = r->cap == 0 ? 2 * ALIKE_MIN : 2 * r->cap;
        struct refused_lead *grown = realloc(r->leads, cap * sizeof *grown);
        if (grown == NULL)
            return -1;
        r->leads = grown;
        r->cap = cap;
    }
    r->leads[r->n++] = (struct refused_lead){b, i};
    batch_entry_advance(b, i, ENTRY_HELD);
    return 0;
}

void refused_alike_lead(struct batch_run *b, uint32_t i, enum endpoint endpoint, const struct api_reply *reply,
                        enum refused_how how)
{
    struct upload *u = b->u;
    struct refused_alike *r = &u->refused[endpoint];
    batch_entry_detail(b, i, reply->message);
    if (!upload_ended(u))
        refused_alike_compare(u, endpoint, reply);
    if (!upload_ended(u) && refused_alike_hold(r, b, i) != 0)
        upload_fail_oom(u);
    if (upload_ended(u)) {
        batch_entry_done(b, i, OUTCOME_DEFERRED, u->c.stop_reason, reply->http_status);
        return;
    }
    if (endpoint != ENDPOINT_MOVE)
        b->under_way_n++;
    r->alone_n += how != REFUSED_NAMED;
    r->spread_n += how == REFUSED_SPREAD;
    if (r->spread_n >= ALIKE_MIN || r->alone_n >= ALIKE_MANY || (r->alone_n >= ALIKE_MIN && r->under_way == 0))
        refused_alike_end_run(u, endpoint);
}

void refused_alike_park(struct batch_slice *s)
{
    struct refused_alike *r = &s->batch->u->refused[ENDPOINT_ADD];
    slice_park(s);
    s->next = r->parked;
    r->parked = s;
}

/* ---- the end of it ---- */

void refused_alike_step(struct upload *u)
{
    if (api_queued(u->c.api) > 0 || u->ready_n > 0 || u->waiting != NULL)
        return;
    for (int e = 0; e < ENDPOINT_N; e++) {
        struct refused_alike *r = &u->refused[e];
        /* More batches may still come, and show what a few refusals mean; parked leads do not wait for them. */
        if (r->parked != NULL || (r->n > 0 && u->draining))
            refused_alike_give_outcome(u, (enum endpoint)e, OUTCOME_REJECTED, REASON_REFUSED_THERE);
    }
}

void refused_alike_stop(struct upload *u)
{
    for (int e = 0; e < ENDPOINT_N; e++)
        refused_alike_give_outcome(u, (enum endpoint)e, OUTCOME_DEFERRED, u->c.stop_reason);
}

void refused_alike_forget(struct batch_run *b)
{
    for (int e = 0; e < ENDPOINT_N; e++) {
        struct refused_alike *r = &b->u->refused[e];
        size_t left = 0;
        for (size_t k = 0; k < r->n; k++)
            if (r->leads[k].batch != b)
                r->leads[left++] = r->leads[k];
        r->n = left;
    }
}

void refused_alike_free(struct upload *u)
{
    for (int e = 0; e < ENDPOINT_N; e++) {
        struct refused_alike *r = &u->refused[e];
        free(r->leads);
        buf_free(&r->words);
    }
}
