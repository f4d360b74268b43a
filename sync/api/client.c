/* A client: its configuration checked, its parts put together, and one call waited for. */
#include "config.h"

#include "sync/api/answer/answer.h"
#include "sync/api/http/queue.h"
#include "sync/api/http/rate_share.h"
#include "sync/base/log.h"
#include "sync/base/stop.h"
#include "sync/api/http/url.h"

#include <ctype.h>
#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

enum {
    CONNECTIONS_MAX = 64,
    IN_FLIGHT_LIMIT = 256, /* maximum that a user can set */
    WAIT_MS = 1000,        /* a signal ends a wait anyway; this is for those that come between look and wait */
};

/* ---- configuration ---- */

/* What goes into a header must not end it. */
static bool is_header_safe(const char *text)
{
    for (; *text != '\0'; text++)
        if (*text <= 0x20 || *text >= 0x7F)
            return false;
    return true;
}

static int check_config(const struct api_config *c, struct err *e)
{
    struct url url;
    if (url_check(c->base_url, XS_USAGE, "--api-url", &url, e) != 0)
        return -1;
    url_free(&url);
    if (c->key == NULL || c->key[0] == '\0')
        return err_set(e, XS_KEY, "no API key: set INSTANTLY_API_KEY or give --api-key-file");
    if (!is_header_safe(c->key))
        return err_set(e, XS_KEY,
                       "the API key has blanks or characters that no key has: set INSTANTLY_API_KEY or the key file "
                       "to the key alone");
    if (c->workspace != NULL && !is_header_safe(c->workspace))
        return err_set(e, XS_USAGE, "--workspace: not a workspace's UUID");
    if (c->in_flight > IN_FLIGHT_LIMIT)
        return err_set(e, XS_CONFIG, "limits.in_flight: %u is more than the %d that are possible", c->in_flight,
                       IN_FLIGHT_LIMIT);
    return 0;
}

/* ---- putting together ---- */

/* A given transport is a test's or a fault injector's; the brake of a dry run goes over either. */
static int make_transport(struct api *a, const struct api_config *c, struct transport *given, struct err *e)
{
    a->transport = given;
    if (given == NULL) {
        struct buf url = BUF_INIT(4096);
        size_t n = strlen(c->base_url);
        while (n > 0 && c->base_url[n - 1] == '/')
            n--;
        if (buf_add(&url, c->base_url, n) != 0 || buf_cstr(&url) == NULL) {
            buf_free(&url);
            return err_set(e, XS_USAGE, "--api-url: too long");
        }
        struct transport_curl_config config = {
            .base_url = buf_cstr(&url),
            .key = c->key,
            .workspace = c->workspace,
            .user_agent = c->user_agent,
            .connections_max = c->in_flight != 0 ? c->in_flight : CONNECTIONS_MAX,
        };
        int r = transport_curl_new(&config, &a->transport, e);
        buf_free(&url);
        if (r != 0)
            return -1;
    }
    if (!c->read_only)
        return 0;
    struct transport *inner = a->transport;
    a->transport = NULL;
    return transport_read_only_new(inner, &a->transport, e);
}

static void drop_list(struct request_list *list)
{
    while (list->first != NULL) {
        struct request *r = list->first;
        request_remove(list, r);
        request_drop(r);
    }
}

/* Drops the answer that api_call_wait() keeps. */
static void wait_forget(struct api *a)
{
    struct waiter *w = &a->waiter;
    json_object_put(w->json);
    w->json = NULL;
    buf_free(&w->message);
    err_clear(&w->err);
    w->done = w->taken_back = false;
}

void api_free(struct api *a)
{
    if (a == NULL)
        return;
    if (a->transport != NULL)
        a->transport->free(a->transport);
    drop_list(&a->urgent);
    drop_list(&a->ready);
    drop_list(&a->waiting);
    drop_list(&a->flying);
    answer_memory_free(&a->answers);
    pacer_free(&a->pacer);
    rate_share_free(a->share);
    second_chance_free(&a->chances);
    created_leads_free(&a->created);
    if (a->tokener != NULL)
        json_tokener_free(a->tokener); /* json-c up to 0.16 does not take NULL */
    err_clear(&a->fatal);
    err_clear(&a->last_lost);
    wait_forget(a);
    waits_free(&a->waits);
    free(a->address);
    free(a);
}

int api_new(const struct api_config *config, struct transport *transport, struct clock *clock, struct api **out,
            struct err *e)
{
    struct api *a = calloc(1, sizeof *a);
    if (a == NULL) {
        if (transport != NULL)
            transport->free(transport);
        return err_oom(e);
    }
    a->clock = clock;
    a->in_flight_fixed = config->in_flight;
    answer_memory_init(&a->answers, config->memory_max);
    /* Jitter only: it has to differ between processes that were throttled together, not to be secret. */
    a->random = (uint64_t)clock->mono_us(clock) | 1;
    waits_init(&a->waits, clock);
    a->waiter.message = (struct buf)BUF_INIT(4 * MESSAGE_MAX + 64);
    a->transport = transport;
    if (check_config(config, e) != 0 || make_transport(a, config, transport, e) != 0)
        goto fail;
    a->address = strdup(config->base_url);
    a->tokener = answer_tokener();
    if (a->address == NULL || a->tokener == NULL) {
        err_oom(e);
        goto fail;
    }
    if (pacer_init(&a->pacer, config->requests_per_second, config->requests_per_minute) != 0) {
        if (errno == EINVAL)
            err_set(e, XS_CONFIG, "limits: more than %d requests a second or a minute cannot be counted; 0 is no limit",
                    PACER_LIMIT_MAX);
        else
            err_oom(e);
        goto fail;
    }
    if (config->rate_share != NULL &&
        rate_share_open(config->rate_share, config->requests_per_second, config->requests_per_minute, &a->share, e) != 0)
        goto fail;
    *out = a;
    return 0;

fail:
    api_free(a);
    return -1;
}

/* ---- the end of waiting ---- */

static size_t unanswered(const struct api *a)
{
    size_t n = 0;
    for (const struct request *r = a->flying.first; r != NULL; r = r->next)
        n += r->done != NULL;
    return n;
}

static void report_last_wait(const struct api *a)
{
    size_t n = unanswered(a);
    if (n > 0)
        log_notice("waiting up to %d s for %zu request%s in flight%s", API_LAST_WAIT_MS / 1000, n, n == 1 ? "" : "s",
                   stop_requested() != 0 ? "; interrupt again to leave at once" : ", because the time is over");
}

/* The bytes of such a request are the transport's until it ends, so it stays where it is, without a caller. */
static void leave_in_flight(struct api *a)
{
    for (struct request *r = a->flying.first; r != NULL; r = r->next) {
        api_done_fn *done = r->done;
        const struct api_reply reply = {.class = r->expected.write ? API_UNKNOWN : API_CANCELLED,
                                        .room = -1,
                                        .sent_wall_ms = r->sent_wall_ms,
                                        .attempts = r->attempts};
        r->done = NULL;
        r->drop = NULL;
        r->last_try = true;
        if (done != NULL)
            done(r->ctx, &reply);
    }
}

bool api_last_wait(struct api *a)
{
    int64_t now_us = a->clock->mono_us(a->clock);
    if (a->last_wait_until_us == 0) {
        a->last_wait_until_us = now_us + INT64_C(1000) * API_LAST_WAIT_MS;
        report_last_wait(a);
    }
    if (now_us < a->last_wait_until_us)
        return false;
    api_cancel_queued(a);
    leave_in_flight(a);
    /* What the callbacks asked for. */
    api_cancel_queued(a);
    return true;
}

/* ---- one call, waited for ---- */

/* The reply dies with the callback: what the waiting caller will look at is kept. */
static void wait_done(void *ctx, const struct api_reply *reply)
{
    struct waiter *w = ctx;
    w->reply = *reply;
    w->json = json_object_get(reply->json);
    w->reply.json = w->json;
    if (buf_add(&w->message, reply->message.p, reply->message.n) != 0)
        buf_reset(&w->message);
    w->reply.message = buf_str(&w->message);
    if (reply->err != NULL) {
        err_copy(&w->err, reply->err);
        w->reply.err = &w->err;
    }
    w->done = true;
}

void api_lock_wait(struct api *a, int64_t ms)
{
    a->lock_wait_ms = ms;
}

void api_wait_until(struct api *a, int64_t mono_us)
{
    a->wait_until_us = mono_us;
}

/* How long one step of a wait may take; 0: the time is up. */
static int64_t wait_left_ms(const struct api *a)
{
    if (a->wait_until_us == 0)
        return WAIT_MS;
    int64_t left_us = a->wait_until_us - a->clock->mono_us(a->clock);
    if (left_us <= 0)
        return 0;
    return left_us / 1000 < WAIT_MS ? left_us / 1000 + 1 : WAIT_MS;
}

/* A user at the keyboard does not want to wait for the back-off of a read. A write is withdrawn only if it has not left;
 * a request in flight is awaited for a limited time. 0: continue to wait. */
static int wait_stopped(struct api *a, const struct api_call *call, struct err *e)
{
    int signo = stop_requested();
    if (signo == 0)
        return 0;
    if (!call->write)
        return err_set(e, signo == 15 ? XS_SIGTERM : XS_SIGINT, "interrupted while waiting for the API");
    if (!a->waiter.taken_back)
        api_cancel_queued(a);
    a->waiter.taken_back = true;
    api_last_wait(a);
    return 0;
}

int api_call_wait(struct api *a, const struct api_call *call, struct api_reply *reply, struct err *e)
{
    struct waiter *w = &a->waiter;
    wait_forget(a);
    if (api_call(a, call, wait_done, w, e) != 0)
        return -1;
    while (!w->done) {
        int stopped = wait_stopped(a, call, e);
        if (w->done)
            break;
        int64_t left_ms = wait_left_ms(a);
        if (stopped == 0 && left_ms <= 0 && !api_last_word(a, e))
            err_set(e, XS_API,
                    "the API at %s has not answered within --max-seconds: check that it is reachable, or give more time",
                    a->address);
        if (stopped != 0 || left_ms <= 0 || api_step(a, left_ms, e) != 0) {
            queue_abandon(a, w);
            return -1;
        }
    }
    *reply = w->reply;
    if (reply->err != NULL)
        return err_copy(e, reply->err);
    return 0;
}
