/* leads/add was refused: which of its leads is at fault, or does the API refuse all?
 *
 * A request is all or nothing, so one bad lead is found by halves, and needs 2·log2 n + 1 requests. When both halves are
 * refused with the same words and nothing was accepted since, a few leads from all over the request are tried alone. If all
 * of them are refused with these words, it is not the leads (refused_alike.c); if one is accepted, the halves go on. */
#include "config.h"

#include "sync/upload/upload_int.h"

#include <ctype.h>
#include <string.h>

/* ---- do they all fail? ---- */

/* A slice that was sent before the refusals were explained no longer takes part in the trial. */
static bool create_refused_is_in_trial(const struct batch_slice *s)
{
    return s->trial == TRIAL_WHOLE || (s->trial != TRIAL_OVER && s->trial_epoch == s->batch->u->refused[ENDPOINT_ADD].epoch);
}

/* The half of the same request that was refused first. It is parked until its sibling has its answer. */
static struct batch_slice *create_refused_parked_half(const struct batch_slice *s)
{
    struct batch_slice *other = s->batch->u->refused[ENDPOINT_ADD].parked;
    while (other != NULL && (other->batch != s->batch || other->trial != TRIAL_HALF))
        other = other->next;
    return other;
}

/* Takes the lead at place k of both halves out of its half, and tries it alone. */
static void create_refused_probe(struct batch_slice *a, struct batch_slice *b, size_t k)
{
    struct batch_slice *half = k < a->n ? a : b;
    size_t at = k < a->n ? k : k - a->n;
    create_send_slice(half, at, 1, TRIAL_PROBE);
    memmove(half->index + at, half->index + at + 1, (half->n - at - 1) * sizeof half->index[0]);
    half->n--;
}

/* The probes are spread evenly, because neighbours in a source often have the same fault. */
static void create_refused_send_probes(struct batch_slice *a, struct batch_slice *b)
{
    size_t n = a->n + b->n;
    /* From the end, so that taking one away does not shift those that follow. */
    for (size_t j = ALIKE_MIN; j-- > 0 && n >= ALIKE_MIN;)
        create_refused_probe(a, b, j * (n - 1) / (ALIKE_MIN - 1));
}

/* Words that name no lead. */
static void create_refused_try_leads(struct batch_slice *s)
{
    struct refused_alike *r = &s->batch->u->refused[ENDPOINT_ADD];
    if (s->trial == TRIAL_HALF) {
        struct batch_slice *other = create_refused_parked_half(s);
        refused_alike_park(s);
        if (other != NULL)
            create_refused_send_probes(s, other);
    } else if (s->n <= ALIKE_MIN) {
        for (size_t k = 0; k < s->n; k++)
            create_send_slice(s, k, 1, TRIAL_WHOLE);
        slice_free(s);
    } else if (r->trying) {
        refused_alike_park(s); /* the trial of another batch decides */
    } else {
        r->trying = true;
        create_send_halves(s, TRIAL_HALF);
    }
}

/* ---- which lead? ---- */

/* "body/leads/3/email must be string": the index of the lead a schema violation names, or -1. */
static long create_refused_named_lead(const struct api_reply *reply)
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

/* Within a trial the lead is held without an outcome, because the API may refuse all leads alike. Otherwise the refusal is
 * the lead's own. */
static void create_refused_refuse_one(struct batch_slice *s, size_t k, const struct api_reply *reply, enum refused_how how)
{
    struct batch_run *b = s->batch;
    if (create_refused_is_in_trial(s)) {
        refused_alike_lead(b, s->index[k], ENDPOINT_ADD, reply, how);
        return;
    }
    batch_entry_detail(b, s->index[k], reply->message);
    batch_entry_done(b, s->index[k], OUTCOME_REJECTED, REASON_REFUSED_THERE, reply->http_status);
}

/* Many leads that are named with the same words are as suspicious as many that are refused alone. */
static bool create_refused_believes_name(const struct batch_slice *s, long named)
{
    bool one_by_one = s->trial == TRIAL_WHOLE && s->batch->u->refused[ENDPOINT_ADD].n < ALIKE_MIN;
    return named >= 0 && (size_t)named < s->n && (one_by_one || !create_refused_is_in_trial(s));
}

/* From the cheapest conclusion to the dearest: a single lead, a lead that the words name, a trial of all, halves. A 413
 * speaks of the size, for which halves are enough. */
static void create_refused_find_lead(struct batch_slice *s, const struct api_reply *reply)
{
    struct upload *u = s->batch->u;
    long named = create_refused_named_lead(reply);
    if (create_refused_is_in_trial(s))
        refused_alike_compare(u, ENDPOINT_ADD, reply);
    if (s->n == 1) {
        create_refused_refuse_one(s, 0, reply, s->trial == TRIAL_PROBE ? REFUSED_SPREAD : REFUSED_ALONE);
        slice_free(s);
    } else if (create_refused_believes_name(s, named)) {
        create_refused_refuse_one(s, (size_t)named, reply, REFUSED_NAMED);
        create_send_slice(s, 0, s->n, s->trial);
        slice_free(s);
    } else if (create_refused_is_in_trial(s) && reply->http_status != 413) {
        create_refused_try_leads(s);
    } else {
        create_send_halves(s, create_refused_is_in_trial(s) ? TRIAL_WHOLE : TRIAL_OVER);
    }
}

static void create_refused_target_missing(struct batch_slice *s)
{
    slice_done(s, OUTCOME_DEFERRED, REASON_INTERRUPTED, 404);
}

void create_refused(struct batch_slice *s, const struct api_reply *reply)
{
    struct upload *u = s->batch->u;
    if (reply->http_status == 404) {
        missing_target_ask(s, "POST /leads/add", reply, create_refused_target_missing);
    } else if (reply->http_status == 409) {
        /* Another move held the target for as long as this run waits for jobs, and it waits once per target. */
        upload_lock_target(u, s->batch->record.target);
        slice_done(s, OUTCOME_DEFERRED, REASON_JOB_OPEN, 409);
    } else if (upload_ended(u)) {
        slice_done(s, OUTCOME_DEFERRED, u->c.stop_reason, reply->http_status);
    } else {
        create_refused_find_lead(s, reply);
    }
}
