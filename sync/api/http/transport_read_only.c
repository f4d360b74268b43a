/* The dry run's brake sits where requests leave, judges by method and path alone, and has a list of what may pass and
 * none of what may not: a new endpoint is refused. */
#include "config.h"

#include "sync/api/http/transport.h"

#include <stdlib.h>
#include <string.h>

struct refused {
    const struct transport_request *request;
    transport_done_fn *done;
    void *queue;
    struct refused *next;
};

struct read_only {
    struct transport base;
    struct transport *inner;
    struct refused *first, **last;
};

static bool only_reads(const struct transport_request *request)
{
    if (strcmp(request->method, "GET") == 0)
        return request->body.n == 0;
    /* The one read that is a POST; it has no query. */
    return strcmp(request->method, "POST") == 0 && strcmp(request->path, "/api/v2/leads/list") == 0;
}

static int read_only_start(struct transport *self, const struct transport_request *request, transport_done_fn *done,
                           void *queue, struct err *e)
{
    struct read_only *t = (struct read_only *)self;
    if (only_reads(request))
        return t->inner->start(t->inner, request, done, queue, e);
    struct refused *r = malloc(sizeof *r);
    if (r == NULL)
        return err_oom(e);
    *r = (struct refused){request, done, queue, NULL};
    *t->last = r;
    t->last = &r->next;
    return 0;
}

static int read_only_poll(struct transport *self, int64_t timeout_ms, struct err *e)
{
    struct read_only *t = (struct read_only *)self;
    if (t->first == NULL)
        return t->inner->poll(t->inner, timeout_ms, e);
    while (t->first != NULL) {
        struct refused *r = t->first;
        t->first = r->next;
        if (t->first == NULL)
            t->last = &t->first;
        struct transport_answer answer = {
            .end = TRANSPORT_REFUSED,
            .retry_after_ms = -1,
            .detail = "a dry run sends nothing that could change anything",
        };
        r->done(r->queue, r->request, &answer);
        free(r);
    }
    return t->inner->poll(t->inner, 0, e);
}

static void read_only_free(struct transport *self)
{
    struct read_only *t = (struct read_only *)self;
    while (t->first != NULL) {
        struct refused *r = t->first;
        t->first = r->next;
        free(r);
    }
    t->inner->free(t->inner);
    free(t);
}

int transport_read_only_new(struct transport *inner, struct transport **out, struct err *e)
{
    struct read_only *t = malloc(sizeof *t);
    if (t == NULL) {
        inner->free(inner);
        return err_oom(e);
    }
    *t = (struct read_only){{read_only_start, read_only_poll, read_only_free}, inner, NULL, NULL};
    t->last = &t->first;
    *out = &t->base;
    return 0;
}
