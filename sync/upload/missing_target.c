/* Asks for the targets of a refused request one after the other, and ends the upload with what the answers say. */
#include "config.h"

#include "sync/upload/missing_target.h"

#include "sync/upload/upload_int.h"

#include <stdlib.h>

enum { WORDS_BYTES = 4096, SHOWN_BYTES = 1 << 16 };

int missing_target_err(const char *call, struct str words, const struct target *t, struct str shown,
                       const struct api_reply *seen, struct err *e)
{
    const char *colon = words.n > 0 ? ": " : "";
    err_clear(e);
    if (seen->class == API_OK) {
        err_set(e, XS_API,
                "%s: Instantly answers 404%s%.*s, but %.*s exists: the run ends and remembers no refusal; run "
                "the same command again later, or ask Instantly's support",
                call, colon, STR_ARG(words), STR_ARG(shown));
        return 1;
    }
    if (seen->class == API_REFUSED && seen->http_status == 404)
        return err_set(e, XS_CONFIG, "%.*s is no longer in Instantly (%s: 404%s%.*s); create it again, or use another %s",
                       STR_ARG(shown), call, colon, STR_ARG(words), target_kind_text(t->kind));
    return err_set(e, XS_API,
                   "%s: Instantly answers 404%s%.*s and does not show whether %.*s exists (%d%s%.*s); check this in "
                   "Instantly, then run the same command again",
                   call, colon, STR_ARG(words), STR_ARG(shown), seen->http_status, seen->message.n > 0 ? " " : "",
                   STR_ARG(seen->message));
}

/* ---- of a run ---- */

static void missing_target_ask_next(struct upload *u);

/* Each slice continues with the function that its operation has given to missing_target_ask(). */
static void missing_target_hand_back(struct upload *u)
{
    while (u->missing.slices != NULL) {
        struct batch_slice *s = u->missing.slices;
        u->missing.slices = s->next;
        s->next = NULL;
        s->wake(s);
    }
}

/* Is there another target to ask for? Else the upload has failed, or stops for a reason of its own. */
static bool missing_target_goes_on(struct upload *u, const struct api_reply *reply)
{
    struct missing_target *m = &u->missing;
    const struct target *t = &m->targets[m->asked_n - 1];
    struct buf shown = BUF_INIT(SHOWN_BYTES);
    struct err e = ERR_INIT;
    bool there = false;
    int named;
    if (reply->class == API_CANCELLED)
        return false;
    if (reply->err != NULL)
        err_copy(&e, reply->err);
    else if ((named = t->name == NULL && u->c.where != NULL ? u->c.where(u->c.ctx, t, &shown) : 0) < 0 ||
             (named == 0 && target_show(t, &shown) != 0))
        err_oom(&e);
    else
        there = missing_target_err(m->call, buf_str(&m->words), t, buf_str(&shown), reply, &e) > 0;
    bool more = there && m->asked_n < m->targets_n;
    if (!more)
        upload_fail(u, &e);
    buf_free(&shown);
    err_clear(&e);
    return more;
}

static void missing_target_answered(void *ctx, const struct api_reply *reply)
{
    struct upload *u = ctx;
    if (missing_target_goes_on(u, reply))
        missing_target_ask_next(u);
    else
        missing_target_hand_back(u);
}

static void missing_target_ask_next(struct upload *u)
{
    struct missing_target *m = &u->missing;
    struct err e = ERR_INIT;
    if (api_target_get(u->c.api, &m->targets[m->asked_n++], missing_target_answered, u, &e) != 0) {
        upload_fail(u, &e);
        missing_target_hand_back(u);
    }
    err_clear(&e);
}

/* The first slice asks, and all that are refused meanwhile wait for the same answer. A stop hands them back at once. */
void missing_target_ask(struct batch_slice *s, const char *call, const struct api_reply *reply,
                        void (*refused)(struct batch_slice *s))
{
    struct batch_run *b = s->batch;
    struct missing_target *m = &b->u->missing;
    bool asked = m->slices != NULL;
    slice_park(s);
    s->next = m->slices;
    s->wake = refused;
    m->slices = s;
    if (upload_ended(b->u)) {
        if (!asked)
            missing_target_hand_back(b->u);
        return;
    }
    if (asked)
        return;
    m->call = call;
    m->targets[0] = b->target;
    m->targets[1] = b->from;
    m->targets_n = b->record.source != 0 ? 2 : 1;
    m->asked_n = 0;
    buf_free(&m->words);
    m->words = (struct buf)BUF_INIT(WORDS_BYTES);
    if (buf_add(&m->words, reply->message.p, reply->message.n) != 0)
        buf_reset(&m->words);
    missing_target_ask_next(b->u);
}

void missing_target_free(struct upload *u)
{
    buf_free(&u->missing.words);
}
