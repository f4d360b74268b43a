/* leads/add was refused: which of its leads is at fault, or does the API refuse all?
 *
 * A request is all or nothing, so one bad lead is found by halves, and needs 2·log2 n + 1 requests. When both halves are
 * refused with the same words and nothing was accepted since, a few leads from all over the request are tried alone. If all
 * of them are refused with these words, it is not the leads (refused_alike.c); if one is accepted, the halves go on. */
#include "config.h"

#include "sync/upload/work.h"

#include <ctype.h>
#include <string.h>

static void send_as(struct part *p, size_t first, size_t n, unsigned trial, unsigned epoch)
{
    struct err e = ERR_INIT;
    struct part *slice = part_open(p, first, n, &e);
    if (slice == NULL) {
        upload_fail(p->work->u, &e);
        work_leave_open(p->work);
    } else {
        slice->trial = trial;
        slice->trial_epoch = epoch;
        create_send(slice);
    }
    err_clear(&e);
}

void create_send_slice(struct part *p, size_t first, size_t n, unsigned trial)
{
    send_as(p, first, n, trial, p->work->u->refused[ENDPOINT_ADD].epoch);
}

static void send_halves_as(struct part *p, unsigned trial)
{
    size_t half = p->n / 2;
    unsigned epoch = p->work->u->refused[ENDPOINT_ADD].epoch;
    if (half > 0)
        send_as(p, 0, half, trial, epoch);
    send_as(p, half, p->n - half, trial, epoch);
    part_free(p);
}

void create_send_halves(struct part *p)
{
    send_halves_as(p, p->trial == TRIAL_OVER ? TRIAL_OVER : TRIAL_WHOLE);
}

/* ---- do they all fail? ---- */

static bool is_in_trial(const struct part *p)
{
    return p->trial == TRIAL_WHOLE ||
           (p->trial != TRIAL_OVER && p->trial_epoch == p->work->u->refused[ENDPOINT_ADD].epoch);
}

static struct part *parked_half(const struct part *p)
{
    struct part *other = p->work->u->refused[ENDPOINT_ADD].parked;
    while (other != NULL && (other->work != p->work || other->trial != TRIAL_HALF))
        other = other->next;
    return other;
}

/* Takes the lead at place k of both halves out of its half, and tries it alone. */
static void probe(struct part *a, struct part *b, size_t k)
{
    struct part *half = k < a->n ? a : b;
    size_t at = k < a->n ? k : k - a->n;
    send_as(half, at, 1, TRIAL_PROBE, half->trial_epoch);
    memmove(half->index + at, half->index + at + 1, (half->n - at - 1) * sizeof half->index[0]);
    half->n--;
}

static void send_probes(struct part *a, struct part *b)
{
    size_t n = a->n + b->n;
    /* From the end, so that taking one away does not shift those that follow. */
    for (size_t j = ALIKE_MIN; j-- > 0 && n >= ALIKE_MIN;)
        probe(a, b, j * (n - 1) / (ALIKE_MIN - 1));
}

/* Words that name no lead. Owns the part. */
static void try_leads(struct part *p)
{
    struct refused_alike *r = &p->work->u->refused[ENDPOINT_ADD];
    if (p->trial == TRIAL_HALF) {
        struct part *other = parked_half(p);
        refused_alike_park(p);
        if (other != NULL)
            send_probes(p, other);
    } else if (p->n <= ALIKE_MIN) {
        for (size_t k = 0; k < p->n; k++)
            create_send_slice(p, k, 1, TRIAL_WHOLE);
        part_free(p);
    } else if (r->trying) {
        refused_alike_park(p); /* the trial of another batch decides */
    } else {
        r->trying = true;
        send_halves_as(p, TRIAL_HALF);
    }
}

/* ---- which lead? ---- */

/* "body/leads/3/email must be string": the index of the lead a schema violation names, or -1. */
static long named_lead(const struct api_reply *reply)
{
    static const char mark[] = "leads/";
    struct str message = reply->message;
    if (reply->http_status != 400 && reply->http_status != 422)
        return -1;
    for (size_t i = 0; i + sizeof mark - 1 < message.n; i++) {
        if (memcmp(message.p + i, mark, sizeof mark - 1) != 0)
            continue;
        size_t at = i + sizeof mark - 1;
        long v = 0;
        if (!isdigit((unsigned char)message.p[at]))
            continue;
        for (; at < message.n && isdigit((unsigned char)message.p[at]) && v < 100000; at++)
            v = v * 10 + (message.p[at] - '0');
        return v;
    }
    return -1;
}

static void refuse_one(struct part *p, size_t k, const struct api_reply *reply, enum refused_how how)
{
    struct work *w = p->work;
    if (is_in_trial(p)) {
        refused_alike_lead(w, p->index[k], ENDPOINT_ADD, reply, how);
        return;
    }
    work_detail(w, p->index[k], reply->message);
    work_entry_done(w, p->index[k], OUTCOME_REJECTED, REASON_REFUSED_THERE, reply->http_status);
}

/* Many leads that are named with the same words are as suspicious as many that are refused alone. */
static bool believes_name(const struct part *p, long named)
{
    bool one_by_one = p->trial == TRIAL_WHOLE && p->work->u->refused[ENDPOINT_ADD].n < ALIKE_MIN;
    return named >= 0 && (size_t)named < p->n && (one_by_one || !is_in_trial(p));
}

static void find_lead(struct part *p, const struct api_reply *reply)
{
    struct upload *u = p->work->u;
    long named = named_lead(reply);
    if (is_in_trial(p))
        refused_alike_compare(u, ENDPOINT_ADD, reply);
    if (p->n == 1) {
        refuse_one(p, 0, reply, p->trial == TRIAL_PROBE ? REFUSED_SPREAD : REFUSED_ALONE);
        part_free(p);
    } else if (believes_name(p, named)) {
        refuse_one(p, (size_t)named, reply, REFUSED_NAMED);
        create_send_slice(p, 0, p->n, p->trial);
        part_free(p);
    } else if (is_in_trial(p) && reply->http_status != 413) {
        try_leads(p);
    } else {
        if (!is_in_trial(p))
            p->trial = TRIAL_OVER;
        create_send_halves(p);
    }
}

static void create_not_found(struct part *p)
{
    create_part_done(p, OUTCOME_DEFERRED, REASON_INTERRUPTED, 404);
}

void create_refused(struct part *p, const struct api_reply *reply)
{
    struct upload *u = p->work->u;
    if (reply->http_status == 404) {
        missing_target_ask(p, "POST /leads/add", reply, create_not_found);
    } else if (reply->http_status == 409) {
        /* Somebody's move held the target for as long as this run waits for jobs, and that is waited for once. */
        upload_leave_stuck(u, p->work->batch.target);
        create_part_done(p, OUTCOME_DEFERRED, REASON_JOB_OPEN, 409);
    } else if (upload_ended(u)) {
        create_part_done(p, OUTCOME_DEFERRED, u->c.stop_reason, reply->http_status);
    } else {
        find_lead(p, reply);
    }
}
