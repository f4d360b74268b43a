/* Giving leads to users: by ids, those of one place at a time, proved by reading back. */
#include "config.h"

#include "sync/leads/lead_edit_int.h"

#include <stdlib.h>
#include <string.h>

enum { PACK_MAX = 4096 };

static bool lead_edit_assign_is_open(const struct edited_lead *lead)
{
    return lead->outcome == OUTCOME_NONE;
}

struct assigned {
    struct lead_edit *edit;
    struct edited_lead **leads;
    size_t n;
    const struct uuid *users;
    size_t users_n;
};

static int see_assigned(void *ctx, const struct remote_lead *remote, struct err *e)
{
    const struct assigned *a = ctx;
    struct value there;
    struct uuid user;
    api_remote_field(remote, LEAD_ASSIGNED_TO, &there);
    bool right = there.kind == VALUE_STRING && uuid_parse((struct str){there.p, there.n}, &user) == 0;
    bool ours = false;
    for (size_t i = 0; i < a->users_n && right; i++)
        ours = ours || uuid_eq(&a->users[i], &user);
    for (size_t i = 0; i < a->n; i++)
        if (ours && uuid_eq(&a->leads[i]->id, &remote->id)) {
            const struct lead_shape shape = {0};
            struct lead now = {.shape = &shape};
            now.core[LEAD_ASSIGNED_TO] = there;
            if (lead_edit_note_changes(a->edit, a->leads[i], &now, e) != 0)
                return -1;
            lead_edit_outcome(a->leads[i], OUTCOME_CHANGED, REASON_NONE, 200);
        }
    return 0;
}

/* The answer says "accepted" and no more: whose the leads are is looked at. */
static int look_assigned(struct assigned *a, bool taken, struct err *e)
{
    struct lead_edit *edit = a->edit;
    int again = 1;
    for (unsigned look = 1; again > 0; look++) {
        size_t open = 0;
        for (size_t at = 0; at < a->n; at += LEADS_LIST_MAX) {
            size_t n = a->n - at < LEADS_LIST_MAX ? a->n - at : LEADS_LIST_MAX;
            if (lead_edit_look(edit, a->leads + at, n, see_assigned, a, e) != 0)
                return -1;
        }
        for (size_t i = 0; i < a->n; i++)
            open += lead_edit_assign_is_open(a->leads[i]);
        again = open > 0 ? lead_edit_wait_look(edit, look, e) : 0;
    }
    for (size_t i = 0; i < a->n && !edit->stopped; i++)
        if (lead_edit_assign_is_open(a->leads[i]))
            lead_edit_outcome(a->leads[i], taken ? OUTCOME_DEFERRED : OUTCOME_FAILED,
                              taken ? REASON_OUTCOME_OPEN : REASON_API_ERROR, 0);
    return again;
}

/* What one user's leads look like afterwards, so that resume can tell. Who of several gets which lead, nobody knows. */
static int wanted_values(struct lead_edit *edit, const struct assigned *a, struct str *out, struct err *e)
{
    struct lead_shape shape = {0};
    struct lead wanted = {.shape = &shape};
    struct buf packed = BUF_INIT(PACK_MAX);
    char user[UUID_TEXT_N];
    *out = STR_NONE;
    if (a->users_n != 1)
        return 0;
    wanted.core[LEAD_ASSIGNED_TO] = (struct value){VALUE_STRING, uuid_format(&a->users[0], user), UUID_TEXT_N - 1};
    int rc = state_shape_put(edit->state, NULL, 0, &shape.id, e);
    if (rc == 0)
        rc = lead_pack(&wanted, &packed) == 0 && arena_str(&edit->arena, buf_str(&packed), out) == 0 ? 0 : err_oom(e);
    buf_free(&packed);
    return rc;
}

static int make_request(const struct assigned *a, struct by_hand *request, struct err *e)
{
    struct uuid *ids = calloc(a->n, sizeof *ids);
    if (ids == NULL)
        return err_oom(e);
    for (size_t i = 0; i < a->n; i++)
        ids[i] = a->leads[i]->id;
    /* clang-format off */
    const struct leads_assign assign = {
        .in = a->leads[0]->has_place ? &a->leads[0]->place : NULL,
        .ids = ids, .ids_n = a->n, .users = a->users, .users_n = a->users_n,
    };
    /* clang-format on */
    int rc = by_hand_assign(request, &assign, e);
    free(ids);
    if (rc != 0)
        by_hand_free(request);
    return rc;
}

static int judge(struct assigned *a, struct lead_edit_write *w, enum lead_edit_sent sent, const struct api_reply *reply,
                 struct err *e)
{
    if (sent == EDIT_DONE || sent == EDIT_UNKNOWN)
        return look_assigned(a, sent == EDIT_DONE, e);
    if (sent == EDIT_REFUSED)
        return w->to != NULL ? lead_edit_refused_in(a->edit, w, reply, e) : lead_edit_refused(a->edit, w, reply, e);
    for (size_t i = 0; i < a->n; i++)
        lead_edit_outcome(a->leads[i], OUTCOME_DEFERRED, REASON_INTERRUPTED, 0);
    return 0;
}

static int assign_batch(struct assigned *a, struct err *e)
{
    struct lead_edit *edit = a->edit;
    struct by_hand request;
    struct api_reply reply;
    enum lead_edit_sent sent;
    struct err late = ERR_INIT;
    bool placed = a->leads[0]->has_place, open = false;
    struct lead_edit_write w = {.op = placed && a->users_n == 1 ? OP_UPDATE : OP_HAND,
                                .leads = a->leads,
                                .n = a->n,
                                .to = placed ? &a->leads[0]->place : NULL};
    if (wanted_values(edit, a, &w.values, e) != 0 || make_request(a, &request, e) != 0)
        return -1;
    if (lead_edit_intent(edit, &w, &request, e) != 0) {
        by_hand_free(&request);
        return -1;
    }
    int rc = lead_edit_send(edit, &request, &reply, &sent, e);
    if (rc == 0 || sent == EDIT_NOT)
        rc |= judge(a, &w, sent, &reply, e);
    for (size_t i = 0; i < a->n; i++) {
        open = open || lead_edit_assign_is_open(a->leads[i]);
        edit->updated += a->leads[i]->outcome == OUTCOME_CHANGED;
    }
    int kept = open ? lead_edit_leave_open(edit, &w, REASON_OUTCOME_OPEN, &late) : lead_edit_settle(edit, &w, &late);
    if (kept != 0 && rc == 0)
        rc = err_take(e, &late);
    err_clear(&late);
    return rc;
}

int lead_edit_assign(struct lead_edit *edit, const struct uuid *users, size_t users_n, struct err *e)
{
    struct edited_lead **batch = calloc(LEADS_MOVE_MAX, sizeof(struct edited_lead *));
    int rc = batch == NULL ? err_oom(e) : 0;
    for (size_t i = 0; rc == 0 && i < edit->leads_n && !lead_edit_interrupted(edit); i++) {
        struct assigned a = {edit, batch, 0, users, users_n};
        if (!lead_edit_assign_is_open(&edit->leads[i]))
            continue;
        for (size_t k = i; k < edit->leads_n && a.n < LEADS_MOVE_MAX; k++)
            if (lead_edit_assign_is_open(&edit->leads[k]) && lead_edit_same_place(&edit->leads[i], &edit->leads[k]))
                batch[a.n++] = &edit->leads[k];
        rc = assign_batch(&a, e);
    }
    free(batch);
    return rc;
}
