#include "config.h"

#include "sync/upload/missing_target.h"

#include "sync/upload/work.h"

#include <stdlib.h>

enum { WORDS_BYTES = 4096, SHOWN_BYTES = 1 << 16 };

int missing_target_err(const char *call, struct str words, const struct target *t, struct str shown,
                       const struct api_reply *seen, struct err *e)
{
    const char *colon = words.n > 0 ? ": " : "";
    err_clear(e);
    if (seen->class == API_OK) {
        err_set(e, XS_API,
                "%s: Instantly answers 404%s%.*s, though %.*s is there: the run ends and remembers no refusal; run the same "
                "command again later, or ask Instantly's support", call, colon, STR_ARG(words), STR_ARG(shown));
        return 1;
    }
    if (seen->class == API_REFUSED && seen->http_status == 404)
        return err_set(e, XS_CONFIG, "%.*s is not in Instantly any more (%s: 404%s%.*s): create it again, or use another %s",
                       STR_ARG(shown), call, colon, STR_ARG(words), target_kind_text(t->kind));
    return err_set(e, XS_API,
                   "%s: Instantly answers 404%s%.*s, and does not tell whether %.*s is there (%d%s%.*s): look for it in "
                   "Instantly, then run the same command again", call, colon, STR_ARG(words), STR_ARG(shown),
                   seen->http_status, seen->message.n > 0 ? " " : "", STR_ARG(seen->message));
}

/* ---- of a run ---- */

static void ask_next(struct upload *u);

static void hand_back(struct upload *u)
{
    while (u->missing.parts != NULL) {
        struct part *p = u->missing.parts;
        u->missing.parts = p->next;
        p->next = NULL;
        p->wake(p);
    }
}

/* Is there another end to ask for? Else the upload has failed, or stops for a reason of its own. */
static bool goes_on(struct upload *u, const struct api_reply *reply)
{
    struct missing_target *m = &u->missing;
    const struct target *t = &m->ends[m->asked_n - 1];
    struct buf shown = BUF_INIT(SHOWN_BYTES);
    struct err e = ERR_INIT;
    bool there = false;
    if (reply->class == API_CANCELLED)
        return false;
    if (reply->err != NULL)
        err_copy(&e, reply->err);
    else if (target_show(t, &shown) != 0)
        err_oom(&e);
    else
        there = missing_target_err(m->call, buf_str(&m->words), t, buf_str(&shown), reply, &e) > 0;
    bool more = there && m->asked_n < m->ends_n;
    if (!more)
        upload_fail(u, &e);
    buf_free(&shown);
    err_clear(&e);
    return more;
}

static void end_seen(void *ctx, const struct api_reply *reply)
{
    struct upload *u = ctx;
    if (goes_on(u, reply))
        ask_next(u);
    else
        hand_back(u);
}

static void ask_next(struct upload *u)
{
    struct missing_target *m = &u->missing;
    struct err e = ERR_INIT;
    if (api_target_get(u->c.api, &m->ends[m->asked_n++], end_seen, u, &e) != 0) {
        upload_fail(u, &e);
        hand_back(u);
    }
    err_clear(&e);
}

void missing_target_ask(struct part *p, const char *call, const struct api_reply *reply, void (*refused)(struct part *p))
{
    struct work *w = p->work;
    struct missing_target *m = &w->u->missing;
    bool asked = m->parts != NULL;
    p->next = m->parts;
    p->wake = refused;
    m->parts = p;
    if (upload_ended(w->u)) {
        if (!asked)
            hand_back(w->u);
        return;
    }
    if (asked)
        return;
    m->call = call;
    m->ends[0] = w->target;
    m->ends[1] = w->from;
    m->ends_n = w->batch.source != 0 ? 2 : 1;
    m->asked_n = 0;
    buf_free(&m->words);
    m->words = (struct buf)BUF_INIT(WORDS_BYTES);
    if (buf_add(&m->words, reply->message.p, reply->message.n) != 0)
        buf_reset(&m->words);
    ask_next(w->u);
}

void missing_target_free(struct upload *u)
{
    while (u->missing.parts != NULL) {
        struct part *p = u->missing.parts;
        u->missing.parts = p->next;
        free(p);
    }
    buf_free(&u->missing.words);
}
