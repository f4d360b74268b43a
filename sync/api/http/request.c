/* Doubly linked, so that an answer can take its request out of the middle. */
#include "config.h"

#include "sync/api/http/request.h"

#include <stdlib.h>

void request_insert(struct request_list *list, struct request *before, struct request *r)
{
    r->next = before;
    r->prev = before != NULL ? before->prev : list->last;
    *(r->prev != NULL ? &r->prev->next : &list->first) = r;
    *(before != NULL ? &before->prev : &list->last) = r;
    list->n++;
}

void request_remove(struct request_list *list, struct request *r)
{
    *(r->prev != NULL ? &r->prev->next : &list->first) = r->next;
    *(r->next != NULL ? &r->next->prev : &list->last) = r->prev;
    r->prev = r->next = NULL;
    list->n--;
}

void request_insert_due(struct request_list *list, struct request *r)
{
    /* From the end: back-offs are mostly equal, so a new one is mostly the last. */
    struct request *before = NULL;
    for (struct request *at = list->last; at != NULL && at->due_us > r->due_us; at = at->prev)
        before = at;
    request_insert(list, before, r);
}

static void request_free(struct request *r)
{
    answer_reader_close(&r->reader);
    free(r->path);
    buf_free(&r->body);
    free(r);
}

void request_finish(struct request *r, struct api_reply *reply)
{
    reply->sent_wall_ms = r->sent_wall_ms;
    reply->attempts = r->attempts;
    if (r->done != NULL)
        r->done(r->ctx, reply);
    request_free(r);
}

void request_drop(struct request *r)
{
    if (r->drop != NULL)
        r->drop(r->ctx);
    request_free(r);
}
