/* PATCH: one request a changed lead, carrying only what changed. Custom variables are read first and sent as the
 * complete set, because whether a PATCH merges or replaces them is not known; this is right under both. */
#include "config.h"

#include "sync/engine/work.h"

#include <stdlib.h>
#include <string.h>

#include "sync/base/log.h"

struct patch_call {
    struct work *work;
    uint32_t i;
    enum outcome proved;
};

/* Ends the PATCH's hold on its entry and its work. */
static void patch_over(struct patch_call *call)
{
    struct work *w = call->work;
    w->aims[call->i].busy = false;
    free(call);
    w->parts_n--;
    work_check(w);
}

/* It may have been applied: read it back, compare, and only then send again. */
static void look_again(struct patch_call *call)
{
    struct work *w = call->work;
    struct err e = ERR_INIT;
    struct part *p = part_new(w, 1, &e);
    if (p == NULL) {
        upload_fail(w->u, &e);
        work_leave_open(w);
    } else {
        p->index[p->n++] = call->i;
        p->round = 1;
        w->aims[call->i].busy = false;
        readback_start(p);
    }
    err_clear(&e);
}

static void patched(void *ctx, const struct api_reply *reply)
{
    struct patch_call *call = ctx;
    struct work *w = call->work;
    struct entry *entry = &w->batch.entries[call->i];
    switch (reply->class) {
    case API_OK:
        update_proved(w, call->i, call->proved, reply->http_status);
        break;
    case API_REFUSED:
    case API_PLAN_FULL:
        if (arena_str(&w->arena, reply->message, &entry->detail) != 0)
            entry->detail = STR_NONE;
        if (reply->http_status == 404)
            work_entry_done(w, call->i, OUTCOME_FAILED, REASON_GONE_THERE, 404);
        else if (reply->http_status == 409)
            work_entry_done(w, call->i, OUTCOME_DEFERRED, REASON_JOB_OPEN, 409);
        else
            work_entry_done(w, call->i, OUTCOME_REJECTED, REASON_REFUSED_THERE, reply->http_status);
        break;
    case API_UNKNOWN:
        if (w->aims[call->i].rounds >= ROUNDS_MAX)
            work_entry_done(w, call->i, OUTCOME_FAILED, REASON_API_ERROR, reply->http_status);
        else
            look_again(call);
        break;
    case API_FAILED:
    case API_FATAL:
        upload_fail(w->u, reply->err);
        work_entry_done(w, call->i, OUTCOME_DEFERRED, REASON_INTERRUPTED, reply->http_status);
        break;
    case API_CANCELLED:
        work_entry_done(w, call->i, OUTCOME_DEFERRED, w->u->c.stop_reason, 0);
        break;
    }
    patch_over(call);
}

void update_proved(struct work *w, uint32_t i, enum outcome proved, int http_status)
{
    struct aim *aim = &w->aims[i];
    if (w->batch.op != OP_MOVE) {
        work_entry_done(w, i, proved, REASON_NONE, http_status);
        return;
    }
    aim->as_wanted = true;
    aim->patched = proved == OUTCOME_CHANGED;
}

void update_patch(struct work *w, uint32_t i, struct lead *lead, uint32_t fields, const bool *custom,
                  const struct remote_lead *remote, enum outcome proved)
{
    struct err e = ERR_INIT;
    struct lead_patch patch = {.id = w->batch.entries[i].lead_id, .lead = lead, .fields = fields, .remote = remote};
    struct patch_call *call;
    if (upload_ended(w->u)) {
        work_entry_done(w, i, OUTCOME_DEFERRED, w->u->c.stop_reason, 0);
        return;
    }
    call = malloc(sizeof *call);
    if (call == NULL) {
        upload_fail_oom(w->u);
        return;
    }
    *call = (struct patch_call){w, i, proved};
    for (size_t c = 0; c < lead->shape->custom_n; c++) {
        patch.custom = patch.custom || custom[c];
        /* Not ours to write now: what is there stays. */
        if (!custom[c])
            lead->custom[c].kind = VALUE_ABSENT;
    }
    w->aims[i].busy = true;
    w->aims[i].rounds++;
    w->parts_n++;
    if (api_lead_patch(w->u->c.api, &patch, patched, call, &e) != 0) {
        /* A value that cannot be sent back exactly is this lead's own trouble. */
        log_warning("row %llu: %s", (unsigned long long)w->batch.entries[i].row, err_text(&e));
        w->aims[i].busy = false;
        work_entry_done(w, i, OUTCOME_REJECTED, e.status == XS_SOURCE ? REASON_LEAD_TOO_LARGE : REASON_REFUSED_THERE, 0);
        free(call);
        w->parts_n--;
    }
    err_clear(&e);
}

/* Custom variables are sent as a set, and `if-empty` speaks of what is there: both have to be read first. */
static bool needs_read(const struct work *w, const struct aim *aim)
{
    if (aim->custom_changed.n > 0 && memchr(aim->custom_changed.p, 1, aim->custom_changed.n) != NULL)
        return true;
    for (int f = 0; f < LEAD_FIELD_N; f++)
        if ((aim->fields & 1U << f) != 0 && w->u->c.mapping->overwrite[f] == OVERWRITE_IF_EMPTY)
            return true;
    return false;
}

void update_send(struct part *p)
{
    struct work *w = p->work;
    bool read_first = false;
    if (w->first_sent_ms == 0)
        w->first_sent_ms = w->u->c.clock->wall_ms(w->u->c.clock);
    for (size_t k = 0; k < p->n; k++)
        read_first = read_first || needs_read(w, &w->aims[p->index[k]]);
    if (read_first) {
        readback_start(p);
        return;
    }
    for (size_t k = 0; k < p->n; k++) {
        struct lead lead;
        bool *none = NULL;
        arena_reset(&w->u->scratch);
        if (work_lead(w, p->index[k], &w->u->scratch, &lead) == 0)
            none = arena_calloc(&w->u->scratch, lead.shape->custom_n + 1, sizeof *none);
        if (none == NULL)
            upload_fail_oom(w->u);
        else
            update_patch(w, p->index[k], &lead, w->aims[p->index[k]].fields, none, NULL, OUTCOME_CHANGED);
    }
    part_free(p);
}
