/* A refusal for the rate concerns the workspace: every request waits. A lock or a failure concerns one request. */
#include "config.h"

#include "sync/api/http/retry.h"

#include "sync/api/http/rate_share.h"

#include <string.h>

enum {
    NOT_SENT_RETRIES = 5, /* after 0.5, 1, 2, 4, 8 s */
    LOST_ATTEMPTS = 6,    /* of a read */
    BACKOFF_MS = 500,
    SERVER_BACKOFF_MAX_MS = 60000, /* a Retry-After on a 5xx is followed up to here */
    LOCKED_MIN_MS = 2000,          /* a move job of ten leads takes half a second, of thousands minutes */
    LOCKED_MAX_MS = 30000,
    SECOND_MS = 1000,
    CROWDED_MIN_MS = 20,     /* the shortest pause after a 429 */
    OWN_MAX_MS = 900,        /* so much of a second is as good as all of it: a busy machine leaves gaps, too */
    THROTTLED_MIN_MS = 1000, /* from the second pause on, when nothing else was answered in between */
    THROTTLED_MAX_MS = 60000,
    RETRY_AFTER_MIN_MS = 250, /* "at once" is not believed */
    THROTTLED_ROUNDS = 30,    /* pauses; without Retry-After 25 to 30 minutes of nothing but 429 */
};

/* Spreads what would else come back all at once: `ms` and up to a quarter more. */
static int64_t jittered(struct api *a, int64_t ms)
{
    a->random ^= a->random << 13;
    a->random ^= a->random >> 7;
    a->random ^= a->random << 17;
    return ms + (int64_t)(a->random % (uint64_t)(ms / 4 + 1));
}

static int64_t doubled_ms(int64_t first_ms, unsigned times, int64_t max_ms)
{
    int64_t ms = first_ms;
    while (times-- > 0 && ms < max_ms)
        ms *= 2;
    return ms < max_ms ? ms : max_ms;
}

/* ---- 429 ---- */

/* The rest of the second that was full. It held our own departures and those of others: ours leave it at the pace at which
 * we send, so next to a rare neighbour a place is free at once; the less of it was ours, the longer do the others' take to
 * leave it. Pauses that follow each other within seconds double, up to the whole second. */
static int64_t crowded_ms(struct api *a, int64_t now_us)
{
    int64_t passed = (now_us - a->crowded_us) / (SECOND_MS * INT64_C(1000));
    a->crowded_n = passed >= a->crowded_n ? 0 : a->crowded_n - (unsigned)passed;
    a->crowded_us = now_us;
    int64_t own_ms = (int64_t)(SECOND_MS * pacer_used(&a->pacer, now_us)), ms = own_ms < OWN_MAX_MS ? SECOND_MS - own_ms : 0;
    return doubled_ms(ms > CROWDED_MIN_MS ? ms : CROWDED_MIN_MS, a->crowded_n++, SECOND_MS);
}

/* Returns false when the API has said nothing else for too long. An answer to what had left before the last pause was over is
 * news of the old state: it lengthens no back-off, and only a Retry-After moves the end. */
static bool throttle(struct api *a, const struct request *r, const struct transport_answer *answer)
{
    int64_t now_us = a->clock->mono_us(a->clock), ms = answer->retry_after_ms;
    bool news = r->left_us >= a->pause_until_us;
    a->counts.rate_limited++;
    if (news)
        a->throttled_n++;
    else if (ms < 0)
        return true;
    if (ms >= 0)
        ms = ms > RETRY_AFTER_MIN_MS ? ms : RETRY_AFTER_MIN_MS;
    else if (a->throttled_n <= 1)
        ms = crowded_ms(a, now_us);
    else
        ms = doubled_ms(THROTTLED_MIN_MS, a->throttled_n - 2, THROTTLED_MAX_MS);
    ms = jittered(a, ms);
    if (a->throttled_n > THROTTLED_ROUNDS)
        return false;
    int64_t until_us = now_us + ms * 1000;
    if (until_us <= a->pause_until_us)
        return true;
    a->pause_until_us = until_us;
    if (a->share != NULL)
        rate_share_pause(a->share, now_us, until_us);
    buf_adds(waits_why(&a->waits, API_WAIT_RATE_LIMIT), "the API answered 429 (rate limit)");
    waits_add(&a->waits, API_WAIT_RATE_LIMIT, ms, 0);
    return true;
}

void retry_shared_pause(struct api *a, int64_t now_us)
{
    int64_t left_us = a->share != NULL && a->pause_until_us <= now_us ? rate_share_paused_us(a->share, now_us) : 0;
    if (left_us == 0)
        return;
    buf_adds(waits_why(&a->waits, API_WAIT_RATE_LIMIT), "the API answered 429 (rate limit) to another leadsync process");
    waits_add(&a->waits, API_WAIT_RATE_LIMIT, left_us / 1000, 0);
}

/* ---- the request's own ---- */

/* Without the query, which may have an address in it. */
static void add_request(struct buf *why, const struct request *r)
{
    buf_addf(why, "%s %.*s", r->method, (int)strcspn(r->path, "?"), r->path);
}

/* Ends when the job does, and jobs of thousands of leads take their time: never a failure, but a caller with a limit gets
 * the 409 itself in the end. */
static int64_t locked_delay_ms(struct api *a, struct request *r)
{
    int64_t now_us = a->clock->mono_us(a->clock), end_us = 0;
    if (r->locked_n == 0)
        r->locked_since_us = now_us;
    int64_t ms = jittered(a, doubled_ms(LOCKED_MIN_MS, r->locked_n++, LOCKED_MAX_MS));
    if (a->lock_wait_ms != 0) {
        int64_t left_ms = a->lock_wait_ms - (now_us - r->locked_since_us) / 1000;
        if (left_ms <= 0)
            return -1;
        end_us = now_us + left_ms * 1000;
        ms = ms < left_ms ? ms : left_ms;
    }
    struct buf *why = waits_why(&a->waits, API_WAIT_LOCK);
    add_request(why, r);
    buf_adds(why, ": leads are being moved in Instantly (409)");
    waits_add(&a->waits, API_WAIT_LOCK, ms, end_us);
    return ms;
}

static int64_t not_sent_delay_ms(struct api *a, struct request *r, const struct transport_answer *answer)
{
    if (answer->advice != NULL || r->not_sent_n >= NOT_SENT_RETRIES)
        return -1;
    int64_t ms = jittered(a, doubled_ms(BACKOFF_MS, r->not_sent_n++, SERVER_BACKOFF_MAX_MS));
    buf_addf(waits_why(&a->waits, API_WAIT_CONNECTION), "the API at %s cannot be reached: %s", a->address,
             answer->detail != NULL ? answer->detail : "no connection");
    waits_add(&a->waits, API_WAIT_CONNECTION, ms, 0);
    return ms;
}

static int64_t lost_delay_ms(struct api *a, struct request *r, const struct transport_answer *answer)
{
    /* A write whose outcome is unknown is settled by reading back, never by sending it again. */
    if (r->expected.write || r->reader->too_large || ++r->lost_n >= LOST_ATTEMPTS)
        return -1;
    int64_t ms = doubled_ms(BACKOFF_MS, r->lost_n - 1, SERVER_BACKOFF_MAX_MS);
    if (answer->end == TRANSPORT_ANSWERED && answer->retry_after_ms > ms)
        ms = answer->retry_after_ms < SERVER_BACKOFF_MAX_MS ? answer->retry_after_ms : SERVER_BACKOFF_MAX_MS;
    ms = jittered(a, ms);
    struct buf *why = waits_why(&a->waits, API_WAIT_SERVER);
    add_request(why, r);
    if (answer->end != TRANSPORT_ANSWERED)
        buf_addf(why, ": no answer (%s)", answer->detail != NULL ? answer->detail : "the connection ended");
    else if (answer->status < 400)
        buf_addf(why, ": the API answered %d without anything of use", answer->status);
    else
        buf_addf(why, ": the API answered %d", answer->status);
    waits_add(&a->waits, API_WAIT_SERVER, ms, 0);
    return ms;
}

int64_t retry_delay_ms(struct api *a, struct request *r, enum verdict verdict, const struct transport_answer *answer)
{
    switch (verdict) {
    case VERDICT_THROTTLED: return throttle(a, r, answer) ? 0 : -1;
    case VERDICT_LOCKED: return locked_delay_ms(a, r);
    case VERDICT_NOT_SENT: return not_sent_delay_ms(a, r, answer);
    case VERDICT_LOST: return lost_delay_ms(a, r, answer);
    default: return second_chance_ms(&a->chances, r, verdict, answer, a->clock->mono_us(a->clock));
    }
}

void retry_failed(const struct request *r, enum verdict verdict, const struct transport_answer *answer, struct str message,
                  struct err *e)
{
    const char *detail = answer->detail != NULL ? answer->detail : "";
    if (verdict == VERDICT_NOT_SENT)
        err_set(e, XS_API, "the API at %s cannot be reached: %s (%u attempt%s); %s%s%s, then run the same command again",
                r->api->address, detail, r->attempts, r->attempts == 1 ? "" : "s",
                answer->proxy != NULL ? answer->proxy : "", answer->proxy != NULL ? " names the proxy: " : "",
                answer->advice != NULL  ? answer->advice
                : answer->proxy != NULL ? "see whether it runs and its address is right"
                                        : "see whether this machine gets there");
    else if (verdict == VERDICT_THROTTLED)
        err_set(e, XS_API,
                "the API answers nothing but 429 (too many requests): lower limits.requests_per_second, or wait "
                "until other tools leave room");
    else if (r->reader->too_large)
        err_set(e, XS_API, "%s %s: the answer takes more than %zu MB of memory; see whether %s is the API's address",
                r->method, r->path, r->reader->limit >> 20, r->api->address);
    else if (answer->end == TRANSPORT_ANSWERED)
        err_set(e, XS_API, "the API kept failing on %s %s (%u attempts, last answer %d %.*s): try again later", r->method,
                r->path, r->attempts, answer->status, STR_ARG(message));
    else
        err_set(e, XS_API, "the API kept failing on %s %s (%u attempts, last: %s): try again later", r->method, r->path,
                r->attempts, detail);
}
