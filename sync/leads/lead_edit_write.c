/* Writes to single leads. Each is an intent, a request, and a proof: the answer where it tells, else what is there. */
#include "config.h"

#include "sync/leads/lead_edit_int.h"

#include <json-c/json.h>
#include <string.h>

#include "sync/base/log.h"
#include "sync/plan/changes.h"
#include "sync/plan/plan.h"

enum { PACK_MAX = 8 << 20 };

/* Does what is there have what is wanted? */
typedef bool lead_edit_is_fn(void *ctx, const struct remote_lead *remote);

static bool lead_edit_write_is_open(const struct edited_lead *lead)
{
    return lead->outcome == OUTCOME_NONE;
}

static struct lead_edit_write one_lead(enum op op, struct edited_lead **lead, struct str values)
{
    struct lead_edit_write w = {.op = op, .values = values, .leads = lead, .n = 1};
    if ((*lead)->has_place)
        w.to = &(*lead)->place;
    else if (op == OP_UPDATE)
        w.op = OP_HAND; /* what is nowhere cannot be read back later: a batch needs its place for that */
    return w;
}

/* The answer of a write was lost, or does not tell: the lead itself does, by its id, which lists may lag behind. */
static int look_until(struct lead_edit *edit, struct edited_lead *lead, lead_edit_is_fn *is, void *ctx,
                      enum outcome otherwise, enum reason reason, struct err *e)
{
    int again = 1;
    for (unsigned look = 1; again > 0; look++) {
        struct json_object *json;
        struct remote_lead remote;
        int there = lead_edit_get(edit, &lead->id, &json, e);
        if (there < 0)
            return -1;
        if (there == 0) {
            lead_edit_outcome(lead, OUTCOME_FAILED, REASON_GONE_THERE, 404);
            return 0;
        }
        if (api_remote_lead_read(json, &remote, e) != 0)
            return -1;
        if (is(ctx, &remote)) {
            lead_edit_outcome(lead, OUTCOME_CHANGED, REASON_NONE, 200);
            return 0;
        }
        again = lead_edit_wait_look(edit, look, e);
    }
    /* Not looked at for long enough: nothing is concluded, and the batch stays open. */
    if (again == 0 && !edit->stopped)
        lead_edit_outcome(lead, otherwise, reason, 0);
    return again;
}

/* What a good answer proves, and what becomes of a lead that does not show it after all looks. */
struct proof {
    bool by_answer; /* the answer that tells it is enough; else the lead itself has to */
    enum outcome otherwise;
    enum reason reason;
};
/* The API takes the request and says no more. */
static const struct proof later = {false, OUTCOME_DEFERRED, REASON_OUTCOME_OPEN};

/* Sends one request about one lead. */
static int write_one(struct lead_edit *edit, struct lead_edit_write *w, struct by_hand *request, lead_edit_is_fn *is,
                     void *ctx, const struct proof *proof, struct err *e)
{
    struct edited_lead *lead = w->leads[0];
    struct api_reply reply;
    struct remote_lead remote;
    enum lead_edit_sent sent;
    struct err unread = ERR_INIT;
    if (lead_edit_intent(edit, w, request, e) != 0) {
        by_hand_free(request);
        return -1;
    }
    int rc = lead_edit_send(edit, request, &reply, &sent, e);
    if (sent == EDIT_NOT) {
        lead_edit_outcome(lead, OUTCOME_DEFERRED, REASON_INTERRUPTED, 0);
    } else if (sent == EDIT_REFUSED) {
        rc = lead_edit_refused(edit, w, &reply, e);
    } else if (rc == 0 && sent == EDIT_DONE && proof->by_answer && api_remote_lead_read(reply.json, &remote, &unread) == 0 &&
               uuid_eq(&remote.id, &lead->id) && is(ctx, &remote)) {
        lead_edit_outcome(lead, OUTCOME_CHANGED, REASON_NONE, reply.http_status);
    } else if (rc == 0 && sent == EDIT_DONE) {
        rc = look_until(edit, lead, is, ctx, proof->otherwise, proof->reason, e);
    } else if (rc == 0) {
        rc = look_until(edit, lead, is, ctx, OUTCOME_FAILED, REASON_API_ERROR, e);
    }
    err_clear(&unread);
    if (lead->outcome == OUTCOME_NONE) {
        struct err late = ERR_INIT;
        if (lead_edit_leave_open(edit, w, REASON_OUTCOME_OPEN, &late) != 0 && rc == 0)
            rc = err_take(e, &late);
        err_clear(&late);
        return rc;
    }
    edit->updated += lead->outcome == OUTCOME_CHANGED;
    struct err late = ERR_INIT;
    if (lead_edit_settle(edit, w, &late) != 0 && rc == 0)
        rc = err_take(e, &late);
    err_clear(&late);
    return rc;
}

/* ---- patch ---- */

static bool value_is(const struct value *there, const struct value *wanted)
{
    return !plan_value_changes(there, wanted, OVERWRITE_ALWAYS);
}

static bool is_patched(void *ctx, const struct remote_lead *remote)
{
    const struct lead *wanted = ctx;
    struct value there;
    for (int f = 0; f < LEAD_FIELD_N; f++) {
        api_remote_field(remote, (enum lead_field)f, &there);
        if (!value_is(&there, &wanted->core[f]))
            return false;
    }
    for (size_t c = 0; c < wanted->shape->custom_n; c++) {
        api_remote_custom(remote, wanted->shape->custom_names[c], &there);
        if (!value_is(&there, &wanted->custom[c]))
            return false;
    }
    return true;
}

int lead_edit_note_changes(struct lead_edit *edit, struct edited_lead *lead, const struct lead *wanted, struct err *e)
{
    struct remote_lead before;
    uint32_t fields = 0;
    for (int f = 0; f < LEAD_FIELD_N; f++)
        if (wanted->core[f].kind != VALUE_ABSENT)
            fields |= UINT32_C(1) << f;
    if (lead->before != NULL && api_remote_lead_read(lead->before, &before, e) != 0)
        return -1;
    return changes_pack(&edit->arena, wanted, fields, NULL, lead->before != NULL ? &before : NULL, &lead->changes) == 0
               ? 0
               : err_oom(e);
}

int lead_edit_pack(struct lead_edit *edit, const struct lead *wanted, struct str *out, struct err *e)
{
    struct buf packed = BUF_INIT(PACK_MAX);
    int rc = lead_pack(wanted, &packed) == 0 && arena_str(&edit->arena, buf_str(&packed), out) == 0 ? 0 : err_oom(e);
    buf_free(&packed);
    return rc;
}

/* ---- interest ---- */

static void interest_wanted(const struct leads_interest *how, char text[16], struct lead *wanted, struct lead_shape *shape)
{
    *shape = (struct lead_shape){0};
    *wanted = (struct lead){.shape = shape};
    int n = snprintf(text, 16, "%d", how->value);
    wanted->core[LEAD_LT_INTEREST_STATUS] = how->clear ? (struct value){VALUE_NULL, NULL, 0}
                                                       : (struct value){VALUE_NUMBER, text, (size_t)n};
}

/* The request names an address, and changes everybody who has it: they all stand in its intent. */
static int interest_of_one(struct lead_edit *edit, struct edited_lead *lead, const struct leads_interest *how,
                           struct lead *wanted, struct str values, struct err *e)
{
    struct leads_interest one = *how;
    struct by_hand request;
    one.email = lead->email;
    if (by_hand_interest(&request, &one, e) != 0) {
        by_hand_free(&request);
        return -1;
    }
    struct lead_edit_write w = one_lead(OP_UPDATE, &lead, values);
    return write_one(edit, &w, &request, is_patched, wanted, &later, e);
}

/* A second lead of the same address was changed by the first one's request: looked at, not asked for again. */
static bool asked_already(const struct lead_edit *edit, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (str_eq_nocase(edit->leads[k].email, edit->leads[i].email) &&
            (edit->leads[k].outcome == OUTCOME_CHANGED || edit->leads[k].reason == REASON_OUTCOME_OPEN))
            return true;
    return false;
}

int lead_edit_interest(struct lead_edit *edit, const struct leads_interest *how, struct err *e)
{
    struct lead_shape shape;
    struct lead wanted;
    struct str values;
    char text[16];
    interest_wanted(how, text, &wanted, &shape);
    if (state_shape_put(edit->state, NULL, 0, &shape.id, e) != 0 || lead_edit_pack(edit, &wanted, &values, e) != 0)
        return -1;
    for (size_t i = 0; i < edit->leads_n && !lead_edit_interrupted(edit); i++) {
        struct edited_lead *lead = &edit->leads[i];
        int rc = 0;
        if (!lead_edit_write_is_open(lead))
            continue;
        if (lead_edit_note_changes(edit, lead, &wanted, e) != 0)
            return -1;
        if (lead->email.n == 0) {
            lead_edit_outcome(lead, OUTCOME_REJECTED, REASON_EMAIL_MISSING, 0);
            rc = lead_edit_note(edit, lead, e);
        } else if (asked_already(edit, i)) {
            rc = look_until(edit, lead, is_patched, &wanted, OUTCOME_DEFERRED, REASON_OUTCOME_OPEN, e);
            if (rc == 0 && lead->outcome != OUTCOME_NONE)
                rc = lead_edit_note(edit, lead, e);
            edit->updated += lead->outcome == OUTCOME_CHANGED;
        } else {
            rc = interest_of_one(edit, lead, how, &wanted, values, e);
        }
        if (rc != 0)
            return -1;
    }
    return 0;
}

/* ---- merge ---- */

/* What a person did is lost with the lead that is merged away, and where the other one is in a campaign, it is mailed. */
static int keep_from_merge(struct lead_edit *edit, struct err *e)
{
    struct edited_lead *lead = &edit->leads[0], *stays = &edit->leads[1];
    if (!stays->has_place || stays->place.kind != TARGET_CAMPAIGN)
        return 0;
    if (lead_edit_keep_one(edit, lead, NULL, e) != 0)
        return -1;
    if (lead->outcome == OUTCOME_NONE)
        return 0;
    lead_edit_outcome(stays, OUTCOME_UNCHANGED, REASON_NONE, 0);
    return lead_edit_note(edit, lead, e);
}

/* No field of a lead says that it was merged: without its answer a merge stays untold, and is not tried again. */
int lead_edit_merge(struct lead_edit *edit, struct err *e)
{
    struct edited_lead *leads[2] = {&edit->leads[0], &edit->leads[1]};
    struct by_hand request;
    struct api_reply reply;
    enum lead_edit_sent sent;
    if (keep_from_merge(edit, e) != 0)
        return -1;
    if (leads[0]->outcome != OUTCOME_NONE)
        return 0;
    if (by_hand_merge(&request, &leads[0]->id, &leads[1]->id, e) != 0) {
        by_hand_free(&request);
        return -1;
    }
    struct lead_edit_write w = {.op = OP_HAND, .leads = leads, .n = 2};
    if (lead_edit_note_statuses(edit, leads, 1, e) != 0 || lead_edit_intent(edit, &w, &request, e) != 0) {
        by_hand_free(&request);
        return -1;
    }
    int rc = lead_edit_send(edit, &request, &reply, &sent, e);
    struct err late = ERR_INIT;
    if (sent == EDIT_DONE) {
        lead_edit_outcome(leads[0], OUTCOME_UNCHANGED, REASON_NONE, reply.http_status);
        lead_edit_outcome(leads[1], OUTCOME_CHANGED, REASON_NONE, reply.http_status);
        edit->updated++;
    }
    if (sent == EDIT_REFUSED)
        rc |= lead_edit_refused(edit, &w, &reply, e);
    for (size_t i = 0; i < 2 && (sent == EDIT_NOT || sent == EDIT_UNKNOWN); i++)
        lead_edit_outcome(leads[i], sent == EDIT_NOT ? OUTCOME_DEFERRED : OUTCOME_FAILED,
                          sent == EDIT_NOT ? REASON_INTERRUPTED : REASON_UNATTRIBUTED, reply.http_status);
    if (sent == EDIT_UNKNOWN)
        log_warning("the answer to the merge was lost, and whether it was done cannot be found out: look at the lead");
    if (lead_edit_settle(edit, &w, &late) != 0 && rc == 0)
        rc = err_take(e, &late);
    err_clear(&late);
    return rc;
}
