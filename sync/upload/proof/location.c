/* Where a lead is that was found elsewhere. Instantly names only the id of a campaign or list, and people know the name: a
 * batch asks for the names that are not known before it is settled. A name is a courtesy, so a failed request changes
 * nothing. */
#include "config.h"

#include "sync/upload/proof/proof.h"
#include "sync/upload/upload_int.h"

#include <stdlib.h>

enum { TEXT_BYTES = 1 << 12, ARENA_BYTES = 1 << 20, ASKED_MAX = 20 };

/* A request for the name of batch->unnamed[k]. */
struct location_call {
    struct batch_slice *slice;
    unsigned k;
};

static const char detail_start[] = "it is in ";

void batch_entry_location(struct batch_run *b, uint32_t i, const struct remote_lead *remote)
{
    const struct upload_config *c = &b->u->c;
    struct target there = {.kind = remote->has_campaign ? TARGET_CAMPAIGN : TARGET_LIST,
                           .id = remote->has_campaign ? remote->campaign : remote->list};
    struct buf text = BUF_INIT(TEXT_BYTES);
    char id[TARGET_TEXT_N];
    int named = 0, bad = buf_adds(&text, detail_start);
    if (!remote->has_campaign && !remote->has_list)
        bad |= buf_adds(&text, "no campaign and no list");
    else if (c->where != NULL && (named = c->where(c->ctx, &there, &text)) < 0)
        bad = -1;
    else if (named == 0)
        bad |= buf_adds(&text, target_format(&there, id));
    batch_entry_detail(b, i, bad == 0 ? buf_str(&text) : STR_NONE);
    buf_free(&text);
    if (c->where == NULL || named != 0 || (!remote->has_campaign && !remote->has_list))
        return;
    for (unsigned k = 0; k < b->unnamed_n; k++)
        if (target_eq(&b->unnamed[k], &there))
            return;
    if (b->unnamed_n < BATCH_UNNAMED_MAX)
        b->unnamed[b->unnamed_n++] = there;
}

static void location_named(void *ctx, const struct api_reply *reply)
{
    struct location_call *call = ctx;
    struct batch_slice *s = call->slice;
    struct batch_run *b = s->batch;
    struct arena arena;
    struct target named;
    arena_init(&arena, ARENA_BYTES);
    if (api_target_read(reply, &b->unnamed[call->k], &arena, &named) && named.name != NULL)
        b->u->c.location_record(b->u->c.ctx, &named);
    arena_free(&arena);
    free(call);
    slice_free(s);
}

static void location_ask_one(struct batch_run *b, unsigned k)
{
    struct err e = ERR_INIT;
    struct location_call *call = malloc(sizeof *call);
    struct batch_slice *s = call != NULL ? slice_new(b, 0, &e) : NULL;
    b->u->locations_asked++;
    if (s != NULL) {
        slice_park(s);
        *call = (struct location_call){s, k};
        if (api_target_get(b->u->c.api, &b->unnamed[k], location_named, call, &e) == 0) {
            err_clear(&e);
            return;
        }
        slice_free(s); /* the caller's slice keeps the batch */
    }
    free(call);
    err_clear(&e);
}

/* Replaces the id by the name in the details that have only the id. */
static void location_rename(struct batch_run *b, const struct target *t)
{
    const struct upload_config *c = &b->u->c;
    struct buf before = BUF_INIT(TEXT_BYTES), after = BUF_INIT(TEXT_BYTES);
    char id[TARGET_TEXT_N];
    if (buf_addf(&before, "%s%s", detail_start, target_format(t, id)) == 0 && buf_adds(&after, detail_start) == 0 &&
        c->where(c->ctx, t, &after) > 0)
        for (uint32_t i = 0; i < b->record.entries_n; i++)
            if (str_eq(b->record.entries[i].detail, buf_str(&before)))
                batch_entry_detail(b, i, buf_str(&after));
    buf_free(&before);
    buf_free(&after);
}

bool location_ask(struct batch_run *b)
{
    struct err e = ERR_INIT;
    struct batch_slice *hold;
    if (b->unnamed_n == 0)
        return false;
    if (b->unnamed_asked || upload_ended(b->u) || (hold = slice_new(b, 0, &e)) == NULL) {
        for (unsigned k = 0; k < b->unnamed_n; k++)
            location_rename(b, &b->unnamed[k]);
        b->unnamed_n = 0;
        err_clear(&e);
        return false;
    }
    b->unnamed_asked = true;
    slice_park(hold);
    for (unsigned k = 0; k < b->unnamed_n && b->u->locations_asked < ASKED_MAX; k++)
        location_ask_one(b, k);
    slice_free(hold); /* settles the batch if nothing is under way */
    return true;
}
