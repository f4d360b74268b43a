#include "tests/harness/fake_transport.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *copy(struct str s)
{
    char *p = str_dup(s);
    if (p == NULL)
        abort();
    return p;
}

static int fake_start(struct transport *self, const struct transport_request *request, transport_done_fn *done, void *queue,
                      struct err *e)
{
    struct fake_transport *f = (struct fake_transport *)self;
    if (f->start_fails)
        return err_set(e, XS_API, "the transport broke");
    if (f->sent_n == FAKE_SENT_MAX || f->flying_n == FAKE_FLYING_MAX) {
        fprintf(stderr, "fake_transport: more requests than a test should need\n");
        abort();
    }
    int64_t now_us = f->clock->base.mono_us(&f->clock->base);
    f->sent[f->sent_n++] = (struct fake_sent){copy(str_from(request->method)), copy(str_from(request->path)),
                                              copy(request->body), now_us, request->write};
    struct fake_answer answer = f->script_at < f->script_n ? f->script[f->script_at++] : f->otherwise;
    if (f->on_request != NULL)
        f->on_request(f->ctx, request, &answer);
    int64_t latency_us = answer.latency_ms * 1000;
    f->flying[f->flying_n++] = (struct fake_flying){
        request,
        done,
        queue,
        answer,
        now_us + latency_us,
        answer.opens_ms >= 0 ? now_us + answer.opens_ms * 1000 : INT64_MAX,
    };
    if (f->flying_n > f->flying_most)
        f->flying_most = f->flying_n;
    return 0;
}

static void answer_one(struct fake_transport *f, size_t at)
{
    struct fake_flying x = f->flying[at];
    memmove(&f->flying[at], &f->flying[at + 1], (f->flying_n - at - 1) * sizeof x);
    f->flying_n--;
    /* A copy without slack, so that a sanitizer sees a reader that goes too far. */
    struct str body = str_from(x.answer.body);
    char *bytes = body.n > 0 ? malloc(body.n) : NULL;
    if (body.n > 0)
        memcpy(bytes, body.p, body.n);
    /* clang-format off */
    struct transport_answer answer = {
        .end = x.answer.end,
        .status = x.answer.status,
        .body = {bytes, body.n},
        .retry_after_ms = x.answer.retry_after_ms == 0 ? -1 : x.answer.retry_after_ms < 0 ? 0 : x.answer.retry_after_ms,
        .date_ms = x.answer.date_ms,
        .latency_us = x.answer.latency_ms * 1000,
        .detail = x.answer.end == TRANSPORT_ANSWERED ? NULL : "as scripted",
        .advice = x.answer.advice,
    };
    /* clang-format on */
    x.done(x.queue, x.request, &answer);
    free(bytes);
}

/* Moves the clock to the next thing that happens, or by the whole timeout. */
static int fake_poll(struct transport *self, int64_t timeout_ms, struct err *e)
{
    struct fake_transport *f = (struct fake_transport *)self;
    int64_t now_us = f->clock->base.mono_us(&f->clock->base), until_us = now_us + timeout_ms * 1000;
    (void)e;
    for (size_t i = 0; i < f->flying_n; i++) {
        if (f->flying[i].left_us < until_us)
            until_us = f->flying[i].left_us;
        if (f->flying[i].due_us < until_us)
            until_us = f->flying[i].due_us;
    }
    if (until_us > now_us)
        clock_fake_advance_us(f->clock, until_us - now_us);
    now_us = f->clock->base.mono_us(&f->clock->base);
    for (size_t i = 0; i < f->flying_n; i++) {
        if (f->flying[i].left_us > now_us)
            continue;
        f->flying[i].left_us = INT64_MAX;
        for (int n = 0; n < 1 + f->flying[i].answer.leaves_again; n++)
            if (f->flying[i].request->left != NULL)
                f->flying[i].request->left(f->flying[i].queue, f->flying[i].request);
    }
    for (size_t i = 0; i < f->flying_n;) {
        if (f->flying[i].due_us <= now_us)
            answer_one(f, i);
        else
            i++;
    }
    return 0;
}

static void fake_free(struct transport *self)
{
    ((struct fake_transport *)self)->freed = true;
}

void fake_transport_init(struct fake_transport *f, struct clock_fake *clock)
{
    memset(f, 0, sizeof *f);
    f->base = (struct transport){fake_start, fake_poll, fake_free};
    f->clock = clock;
    f->otherwise = (struct fake_answer){.status = 200, .body = "{\"items\":[],\"id\":\"x\",\"created_leads\":[]}"};
}

void fake_transport_add(struct fake_transport *f, struct fake_answer answer)
{
    if (f->script_n == FAKE_SCRIPT_MAX)
        abort();
    f->script[f->script_n++] = answer;
}

void fake_transport_add_n(struct fake_transport *f, size_t n, struct fake_answer answer)
{
    while (n-- > 0)
        fake_transport_add(f, answer);
}

void fake_transport_done(struct fake_transport *f)
{
    for (size_t i = 0; i < f->sent_n; i++) {
        free(f->sent[i].method);
        free(f->sent[i].path);
        free(f->sent[i].body);
    }
    f->sent_n = 0;
}
