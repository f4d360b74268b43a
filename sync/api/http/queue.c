/* A request lives on one of four lists: urgent and ready wait for the pacer, waiting for a time, flying for an answer.
 * Only pump() starts requests and only on_done() takes them back, so there is one place to look for each. What an
 * answer means is decided in classify.c, whether and when the same is sent again in retry.c.
 *
 * The one rule that everything else bends to: a write goes out a second time only when the first one surely had no
 * effect. 429 and the lock of a move job are such answers, and so is a connection that never opened. */
#include "config.h"

#include "sync/api/http/queue.h"

#include "sync/api/answer/answer.h"
#include "sync/api/http/rate_share.h"
#include "sync/api/http/retry.h"
#include "sync/base/log.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

enum {
    IN_FLIGHT_MIN = 24, /* enough for 100 requests/s at 240 ms */
    IN_FLIGHT_MAX = 64,
    UNLIMITED_PER_SECOND = 1000, /* what connections are reckoned with when no rate is set */
    STEP_MAX_MS = 3600000,
};

/* ---- where requests wait ---- */

static struct request_list *ready_list(struct api *a, const struct request *r)
{
    return r->urgent ? &a->urgent : &a->ready;
}

/* What was tried already goes before what was not. */
static void queue_make_ready(struct api *a, struct request *r)
{
    struct request_list *list = ready_list(a, r);
    r->where = REQUEST_READY;
    request_insert(list, r->attempts > 0 ? list->first : NULL, r);
}

static void make_wait(struct api *a, struct request *r, int64_t delay_ms)
{
    r->where = REQUEST_WAITING;
    r->due_us = a->clock->mono_us(a->clock) + delay_ms * 1000;
    request_insert_due(&a->waiting, r);
}

/* This sends nothing: requests leave in api_step() only, whatever queues them. */
int queue_add(struct api *a, struct request *template, struct err *e)
{
    struct request *r = template->path != NULL ? malloc(sizeof *r) : NULL;
    if (r == NULL) {
        free(template->path);
        buf_free(&template->body);
        return err_oom(e);
    }
    *r = *template;
    r->api = a;
    queue_make_ready(a, r);
    return 0;
}

/* A request in flight cannot be cancelled; its response is dropped. */
void queue_abandon(struct api *a, const void *ctx)
{
    struct request_list *lists[] = {&a->urgent, &a->ready, &a->waiting, &a->flying};
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        for (struct request *r = lists[i]->first, *next; r != NULL; r = next) {
            next = r->next;
            if (r->ctx != ctx)
                continue;
            r->done = NULL;
            r->last_try = true;
            if (r->where == REQUEST_FLYING)
                continue;
            request_remove(lists[i], r);
            request_drop(r);
        }
    }
}

/* Takes a list away first, because a callback may queue more. Returns how many were called back. */
static size_t flush(struct request_list *list, enum api_class class, struct err *err)
{
    struct request_list taken = *list;
    *list = (struct request_list){0};
    size_t n = taken.n;
    while (taken.first != NULL) {
        struct request *r = taken.first;
        request_remove(&taken, r);
        struct api_reply reply = {.class = class, .err = err, .room = -1};
        request_finish(r, &reply);
    }
    return n;
}

static size_t flush_all(struct api *a, enum api_class class, struct err *err)
{
    return flush(&a->urgent, class, err) + flush(&a->ready, class, err) + flush(&a->waiting, class, err);
}

void api_cancel_queued(struct api *a)
{
    /* What flies gets its answer, since that may be the proof of an effect, but no second attempt. */
    for (struct request *r = a->flying.first; r != NULL; r = r->next)
        r->last_try = true;
    flush_all(a, API_CANCELLED, NULL);
}

/* ---- what follows from an answer ---- */

/* If no write of a run has a usable answer, the API is down, whatever its reads answer. */
static void count_write(struct api *a, const struct request *r, const struct api_reply *reply,
                        const struct transport_answer *answer)
{
    if (reply->class == API_OK || reply->class == API_REFUSED || reply->class == API_PLAN_FULL)
        a->writes_answered++;
    if (reply->class != API_UNKNOWN)
        return;
    a->writes_lost++;
    err_clear(&a->last_lost);
    if (answer->end == TRANSPORT_ANSWERED)
        err_set(&a->last_lost, XS_API, "%s was answered with %d %.*s", r->method, answer->status, STR_ARG(reply->message));
    else
        err_set(&a->last_lost, XS_API, "%s: %s", r->method,
                answer->detail != NULL ? answer->detail : "the connection ended");
}

bool api_writes_unanswered(const struct api *a, struct err *e)
{
    if (a->writes_lost == 0 || a->writes_answered > 0)
        return false;
    err_set(
        e, XS_API,
        "%s: none of %llu write request%s had a usable answer (the last %s): the API is unavailable; run the same command "
        "again later, which tries these rows again",
        a->address, (unsigned long long)a->writes_lost, a->writes_lost == 1 ? "" : "s", err_text(&a->last_lost));
    return true;
}

/* The verdict that no repetition changes. The first fatal one is kept: the rest of the queue gets it too. */
static void settle(struct api *a, struct request *r, enum verdict verdict, const struct transport_answer *answer,
                   struct str message, struct json_object *json, bool apart)
{
    struct err err = ERR_INIT;
    struct api_reply reply = {.http_status = answer->status,
                              .message = message,
                              .json = json,
                              .created = apart ? &a->created : NULL,
                              .room = -1};
    if (answer->date_ms != 0)
        reply.skew_ms = answer->date_ms - a->clock->wall_ms(a->clock);
    switch (verdict) {
    case VERDICT_OK: reply.class = API_OK; break;
    case VERDICT_REFUSED: reply.class = API_REFUSED; break;
    case VERDICT_PLAN_FULL:
        reply.class = API_PLAN_FULL;
        reply.room = classify_room(message);
        break;
    case VERDICT_LOCKED: reply.class = r->last_try ? API_CANCELLED : API_REFUSED; break;
    case VERDICT_THROTTLED:
    case VERDICT_NOT_SENT: reply.class = r->last_try ? API_CANCELLED : API_FAILED; break;
    case VERDICT_LOST: reply.class = r->expected.write ? API_UNKNOWN : r->last_try ? API_CANCELLED : API_FAILED; break;
    default:
        reply.class = API_FATAL;
        if (a->fatal.status == XS_DONE)
            classify_fatal(verdict, r->method, r->path, answer, message, &a->fatal);
        reply.err = &a->fatal;
        break;
    }
    if (r->expected.write)
        count_write(a, r, &reply, answer);
    if (reply.class == API_FAILED) {
        retry_failed(r, verdict, answer, message, &err);
        reply.err = &err;
    }
    request_finish(r, &reply);
    err_clear(&err);
}

/* The answer shows when the request reached the server, and the server counts by that time. */
static void note_arrival(struct api *a, const struct request *r)
{
    int64_t at_us = jitter_arrival_us(&a->jitter, r->kind, r->left_us, a->clock->mono_us(a->clock));
    pacer_arrived(&a->pacer, r->left_nth, at_us);
}

/* A request that was answered, or will not be. What never left takes no part of the budget and is no request to those
 * who count them. */
static void count_end(struct api *a, struct request *r, const struct transport_answer *answer)
{
    bool went = answer->end == TRANSPORT_ANSWERED || answer->end == TRANSPORT_LOST;
    if (!r->left && went)
        pacer_left(&a->pacer, a->clock->mono_us(a->clock));
    else if (!r->left)
        pacer_drop(&a->pacer);
    if (!went) {
        a->counts.total--;
        a->counts.by_kind[r->kind]--;
        if (r->attempts > 1)
            a->counts.retried--;
    }
    if (answer->end == TRANSPORT_ANSWERED) {
        if (r->left)
            note_arrival(a, r);
        int64_t old = a->counts.latency_us;
        a->counts.latency_us = old == 0 ? answer->latency_us : old + (answer->latency_us - old) / 8;
        if (answer->status != 429 && r->left_us >= a->pause_until_us) {
            a->throttled_n = 0;
            waits_over(&a->waits, API_WAIT_RATE_LIMIT);
        }
    }
}

/* The moment that counts against the rate: the connection is open and the first byte goes out. libcurl may come here
 * twice for one read, which it repeats by itself when a kept connection turns out to be dead. */
static void on_left(void *queue, const struct transport_request *wire)
{
    struct api *a = queue;
    struct request *r = wire->ctx;
    int64_t now_us = a->clock->mono_us(a->clock);
    if (r->left) {
        pacer_left_again(&a->pacer, now_us);
    } else {
        pacer_left(&a->pacer, now_us);
        r->left = true;
        r->left_us = now_us;
        r->left_nth = a->pacer.log_n - 1;
    }
}

static enum transport_take on_piece(void *queue, const struct transport_request *wire, int status, struct str piece)
{
    struct request *r = wire->ctx;
    (void)queue;
    return answer_reader_take(r->reader, status, piece);
}

/* `apart`: the created leads are in a->created. An answer that is too large is no answer. */
static struct json_object *parse(struct api *a, const struct request *r, struct transport_answer *answer, bool *apart)
{
    struct answer_reader *reader = r->reader;
    if (answer->body.n > 0) /* of a transport that hands it over whole */
        answer_reader_take(reader, answer->status, answer->body);
    answer->body = buf_str(&reader->text);
    struct json_object *json = answer_reader_json(reader, a->tokener, r->adds_leads ? &a->created : NULL, apart);
    if (reader->too_large) {
        answer->end = TRANSPORT_LOST;
        answer->status = 0;
    }
    return json;
}

static void on_done(void *queue, const struct transport_request *wire, const struct transport_answer *ended)
{
    struct api *a = queue;
    struct request *r = wire->ctx;
    struct transport_answer whole = *ended, *answer = &whole;
    request_remove(&a->flying, r);
    count_end(a, r, answer);
    bool apart = false;
    struct json_object *json = answer->end == TRANSPORT_ANSWERED ? parse(a, r, answer, &apart) : NULL;
    enum verdict verdict = classify(&r->expected, answer, json);
    /* A look-up that may fail, such as the plan's room, must not end the run of a narrowly scoped key. */
    if ((verdict == VERDICT_SCOPE || verdict == VERDICT_CLOSED) && r->optional)
        verdict = VERDICT_REFUSED;

    if (verdict != VERDICT_LOST && verdict != VERDICT_NOT_SENT) {
        waits_over(&a->waits, API_WAIT_SERVER);
        waits_over(&a->waits, API_WAIT_CONNECTION);
    }
    if (r->locked_n > 0 && verdict != VERDICT_LOCKED)
        waits_over(&a->waits, API_WAIT_LOCK);
    int64_t delay_ms = r->last_try ? -1 : retry_delay_ms(a, r, verdict, answer);
    if (delay_ms >= 0) {
        log_debug("%s %s: answer %d, again in %lld ms", r->method, r->path, answer->status, (long long)delay_ms);
        answer_reader_close(&r->reader);
        if (delay_ms == 0)
            queue_make_ready(a, r);
        else
            make_wait(a, r, delay_ms);
    } else {
        struct buf message = BUF_INIT(4 * MESSAGE_MAX + 64);
        if (verdict != VERDICT_OK && classify_message(answer, json, &message) != 0)
            buf_reset(&message);
        settle(a, r, verdict, answer, buf_str(&message), json, apart);
        buf_free(&message);
    }
    json_object_put(json);
}

/* ---- sending ---- */

/* connections = rate × latency, with a quarter to spare. */
static size_t in_flight_limit(const struct api *a)
{
    if (a->in_flight_fixed != 0)
        return a->in_flight_fixed;
    int64_t rate = a->pacer.per_second != 0   ? a->pacer.per_second
                   : a->pacer.per_minute != 0 ? (a->pacer.per_minute + 59) / 60
                                              : UNLIMITED_PER_SECOND;
    int64_t latency_us = a->counts.latency_us < 10000000 ? a->counts.latency_us : 10000000;
    int64_t n = rate * latency_us / 800000 + 1;
    return n < IN_FLIGHT_MIN ? IN_FLIGHT_MIN : n > IN_FLIGHT_MAX ? IN_FLIGHT_MAX : (size_t)n;
}

/* Microseconds until the next one may leave; INT64_MAX: something has to happen first. */
static int64_t send_wait_us(const struct api *a, int64_t now_us)
{
    if (a->urgent.n + a->ready.n == 0 || a->flying.n >= in_flight_limit(a))
        return INT64_MAX;
    if (a->pause_until_us > now_us)
        return a->pause_until_us - now_us;
    int64_t wait_us = pacer_wait_us(&a->pacer, now_us);
    return wait_us != 0 || a->share == NULL ? wait_us : rate_share_wait_us(a->share, now_us);
}

static int queue_start(struct api *a, struct request *r, int64_t now_us, struct err *e)
{
    request_remove(ready_list(a, r), r);
    r->where = REQUEST_FLYING;
    request_insert(&a->flying, NULL, r);
    r->attempts++;
    r->left = false;
    r->left_us = now_us;
    r->sent_wall_ms = a->clock->wall_ms(a->clock);
    r->reader = answer_reader_open(&a->answers, r->kind);
    r->wire = (struct transport_request){
        .method = r->method,
        .path = r->path,
        .body = buf_str(&r->body),
        /* The API's edge gives up after about 100 s; waiting longer could only hear 524. */
        .timeout_ms = r->kind == API_KIND_ADD || r->kind == API_KIND_LIST ? 100000 : 60000,
        .write = r->expected.write,
        .left = on_left,
        .take = on_piece,
        .ctx = r,
    };
    if ((r->reader == NULL && err_oom(e) != 0) || a->transport->start(a->transport, &r->wire, on_done, a, e) != 0) {
        request_remove(&a->flying, r);
        answer_reader_close(&r->reader);
        r->attempts--;
        queue_make_ready(a, r);
        return -1;
    }
    pacer_take(&a->pacer, now_us);
    if (a->share != NULL)
        rate_share_use(a->share);
    a->counts.total++;
    a->counts.by_kind[r->kind]++;
    if (r->attempts > 1)
        a->counts.retried++;
    return 0;
}

/* Sends what may be sent now. 1 when callbacks were called meanwhile. */
static int pump(struct api *a, struct err *e)
{
    /* The same key, scope or plan would refuse every other request too. */
    if (a->fatal.status != XS_DONE)
        return flush_all(a, API_FATAL, &a->fatal) != 0;
    int64_t now_us = a->clock->mono_us(a->clock);
    while (a->waiting.first != NULL && a->waiting.first->due_us <= now_us) {
        struct request *r = a->waiting.first;
        request_remove(&a->waiting, r);
        queue_make_ready(a, r);
    }
    while (send_wait_us(a, now_us) == 0) {
        if (queue_start(a, a->urgent.first != NULL ? a->urgent.first : a->ready.first, now_us, e) != 0)
            return -1;
        now_us = a->clock->mono_us(a->clock);
    }
    return 0;
}

static int step(struct api *a, int64_t timeout_ms, struct err *e)
{
    int called = pump(a, e);
    if (called < 0)
        return -1;
    int64_t now_us = a->clock->mono_us(a->clock);
    /* Until whatever comes first: the caller's time, the pacer, a back-off, an answer. */
    int64_t wait_us = (timeout_ms < STEP_MAX_MS ? timeout_ms : STEP_MAX_MS) * 1000;
    int64_t send_us = send_wait_us(a, now_us);
    if (send_us < wait_us)
        wait_us = send_us;
    if (send_us > 0)
        retry_shared_pause(a, now_us);
    if (a->waiting.first != NULL && a->waiting.first->due_us - now_us < wait_us)
        wait_us = a->waiting.first->due_us - now_us;
    if (called > 0 || wait_us < 0)
        wait_us = 0;
    if (a->transport->poll(a->transport, (wait_us + 999) / 1000, e) != 0)
        return -1;
    /* What became free is used before the caller turns to other work. */
    return pump(a, e) < 0 ? -1 : 0;
}

int api_step(struct api *a, int64_t timeout_ms, struct err *e)
{
    if (a->stepping)
        return err_set(e, XS_INTERNAL, "the API client was stepped from one of its callbacks; please report this");
    a->stepping = true;
    int r = step(a, timeout_ms, e);
    a->stepping = false;
    return r;
}

/* ---- asking ---- */

size_t api_queued(const struct api *a)
{
    return a->urgent.n + a->ready.n + a->waiting.n + a->flying.n;
}

bool api_full(const struct api *a)
{
    /* A quarter more than can fly, so that a freed connection finds the next body made. */
    size_t limit = in_flight_limit(a);
    return api_queued(a) >= limit + limit / 4 + 1;
}

void api_get_counts(const struct api *a, struct api_counts *out)
{
    *out = a->counts;
}

bool api_waits(const struct api *a, struct api_wait *out)
{
    return api_queued(a) > 0 && waits_now(&a->waits, out);
}

bool api_last_word(const struct api *a, struct err *e)
{
    return waits_last_word(&a->waits, e);
}
