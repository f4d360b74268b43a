/* Does a lead show what a request by hand asked? Its intent says what that is (struct one_shot in upload.h).
 *
 * The leads are read as often as anything that may appear late, by a list first; at the end each is asked for itself, since a list
 * lags behind. A lead that still does not show it stays open if the API has accepted the request, which a later run may see
 * carried out. If the answer was lost, the request has failed: it is not sent again. */
#include "config.h"

#include "sync/upload/upload_int.h"

#include <string.h>

#include "sync/base/log.h"
#include "sync/model/change.h"
#include "sync/plan/plan.h"
#include "sync/upload/proof/proof.h"

enum { CHANGE_MAX = 1 << 16 };

/* The core field that the request sets; LEAD_FIELD_N: none, or several. */
static int one_shot_proof_field(const struct lead *wanted)
{
    int found = LEAD_FIELD_N;
    for (int f = 0; f < LEAD_FIELD_N; f++)
        if (wanted->core[f].kind != VALUE_ABSENT)
            found = f;
    return found;
}

static bool one_shot_proof_wants_any(const struct lead *wanted)
{
    return wanted->shape->custom_n > 0 || one_shot_proof_field(wanted) != LEAD_FIELD_N;
}

/* Is the user one of the ids in the list? */
static bool one_shot_proof_is_listed(const struct value *list, const struct value *user)
{
    struct uuid id, listed;
    if (user->kind != VALUE_STRING || uuid_parse((struct str){user->p, user->n}, &id) != 0)
        return false;
    for (size_t at = 0; at + UUID_TEXT_N - 1 <= list->n; at += UUID_TEXT_N)
        if (uuid_parse((struct str){list->p + at, UUID_TEXT_N - 1}, &listed) == 0 && uuid_eq(&id, &listed))
            return true;
    return false;
}

static bool one_shot_proof_is_in(const struct value *subsequence, const struct remote_lead *remote)
{
    struct uuid id;
    if (subsequence->kind != VALUE_STRING)
        return !remote->has_subsequence;
    return remote->has_subsequence && uuid_parse((struct str){subsequence->p, subsequence->n}, &id) == 0 &&
           uuid_eq(&id, &remote->subsequence);
}

/* Each kind of request has its own trace in the lead: a subsequence, one of the users, or the value of the field. */
static bool one_shot_proof_is(const struct lead *wanted, const struct remote_lead *remote)
{
    struct value there;
    int field = one_shot_proof_field(wanted);
    if (wanted->shape->custom_n > 0)
        return one_shot_proof_is_in(&wanted->custom[0], remote);
    if (field == LEAD_FIELD_N)
        return false;
    api_remote_field(remote, (enum lead_field)field, &there);
    return field == LEAD_ASSIGNED_TO ? one_shot_proof_is_listed(&wanted->core[field], &there)
                                     : !plan_value_changes(&there, &wanted->core[field], OVERWRITE_ALWAYS);
}

/* ---- what the request changed ---- */

void one_shot_proof_before(struct batch_run *b, uint32_t i, const struct remote_lead *remote)
{
    struct wanted_lead wanted;
    struct value there;
    if (b->record.entries[i].values.n == 0)
        return;
    int field = wanted_lead_open(b, i, &wanted) == 0 ? one_shot_proof_field(&wanted.lead) : LEAD_FIELD_N;
    if (field != LEAD_FIELD_N) {
        api_remote_field(remote, (enum lead_field)field, &there);
        const char *text = there.n > 0 ? arena_dup(&b->arena, there.p, there.n) : "";
        if (text == NULL)
            upload_fail_oom(b->u);
        else
            b->progress[i].before = (struct value){there.kind, text, there.n};
    }
    wanted_lead_free(&wanted);
}

/* Without the old value, as of an earlier run, there is no change to tell. */
static void one_shot_proof_note(struct batch_run *b, uint32_t i, int field, const struct remote_lead *remote)
{
    struct buf list = BUF_INIT(CHANGE_MAX);
    struct change change = {.before = b->progress[i].before};
    if (b->earlier || field == LEAD_FIELD_N || !batch_entry_may_name(b, i))
        return;
    change.name = str_from(lead_field_table[field].api);
    api_remote_field(remote, (enum lead_field)field, &change.after);
    if (plan_value_changes(&change.before, &change.after, OVERWRITE_ALWAYS) || change.after.kind == VALUE_ABSENT)
        if (change_add(&change, &list) != 0 || arena_str(&b->arena, buf_str(&list), &b->record.entries[i].changes) != 0)
            upload_fail_oom(b->u);
    buf_free(&list);
}

bool one_shot_proof_shows(struct batch_run *b, uint32_t i, const struct remote_lead *remote, int http_status)
{
    struct wanted_lead wanted;
    bool shows = wanted_lead_open(b, i, &wanted) == 0 && one_shot_proof_is(&wanted.lead, remote);
    if (shows) {
        one_shot_proof_note(b, i, one_shot_proof_field(&wanted.lead), remote);
        batch_entry_done(b, i, OUTCOME_CHANGED, REASON_NONE, http_status);
    }
    wanted_lead_free(&wanted);
    return shows;
}

/* ---- reading ---- */

static size_t one_shot_proof_keep_open(struct batch_slice *s)
{
    size_t n = 0;
    for (size_t k = 0; k < s->n; k++)
        if (s->batch->progress[s->index[k]].state == ENTRY_OPEN)
            s->index[n++] = s->index[k];
    return s->n = n;
}

/* They may still come to show it. The others of the batch are settled without them. */
static void one_shot_proof_stays_open(struct batch_slice *s)
{
    struct batch_run *b = s->batch;
    if (b->earlier) {
        slice_leave_open(s);
        return;
    }
    for (size_t k = 0; k < s->n; k++)
        batch_entry_stays_open(b, s->index[k], s->http_status);
    slice_free(s);
}

static void one_shot_proof_seen(struct batch_slice *s, uint32_t i, const struct remote_lead *remote)
{
    one_shot_proof_shows(s->batch, i, remote, s->http_status);
}

/* The last read. A request that the API has accepted may still be carried out, so its leads stay open; without an answer
 * the request counts as failed. */
static void one_shot_proof_asked(struct batch_slice *s)
{
    struct batch_run *b = s->batch;
    slice_unshown_done(s, OUTCOME_FAILED, REASON_GONE_THERE, 404);
    one_shot_proof_keep_open(s);
    if (b->earlier)
        slice_done(s, OUTCOME_DEFERRED, REASON_OUTCOME_OPEN, 0);
    else if (s->taken)
        one_shot_proof_stays_open(s);
    else
        slice_done(s, OUTCOME_FAILED, REASON_API_ERROR, s->http_status);
}

static const struct lead_read_calls one_shot_proof_asking = {one_shot_proof_seen, one_shot_proof_asked,
                                                             one_shot_proof_stays_open};

static void one_shot_proof_read(struct batch_slice *s);

static void one_shot_proof_read_done(struct batch_slice *s)
{
    s->attempt++;
    if (one_shot_proof_keep_open(s) == 0)
        slice_free(s);
    else if (upload_ended(s->batch->u))
        one_shot_proof_stays_open(s);
    else if (s->attempt < ATTEMPTS_MAX)
        slice_wait_attempt(s, false, one_shot_proof_read);
    else
        lead_read_each(s, &one_shot_proof_asking);
}

static const struct lead_read_calls one_shot_proof_reading = {one_shot_proof_seen, one_shot_proof_read_done,
                                                              one_shot_proof_stays_open};

static void one_shot_proof_read(struct batch_slice *s)
{
    lead_read_by_id(s, &one_shot_proof_reading);
}

/* No lead shows it: true if the entry got its outcome. */
static bool one_shot_proof_is_unattributed(struct batch_run *b, uint32_t i, int http_status)
{
    struct wanted_lead wanted;
    bool any = false;
    if (b->record.entries[i].values.n > 0) {
        if (wanted_lead_open(b, i, &wanted) != 0 || one_shot_proof_wants_any(&wanted.lead))
            any = true;
        wanted_lead_free(&wanted);
    }
    if (!any)
        batch_entry_done(b, i, OUTCOME_FAILED, REASON_UNATTRIBUTED, http_status);
    return !any;
}

/* Leads that cannot show what was asked are unattributed at once. Only the others are worth a read. */
void one_shot_proof_start(struct batch_slice *s)
{
    struct batch_run *b = s->batch;
    bool any = false;
    unsigned long long run = b->record.run;
    for (size_t k = 0; k < s->n; k++)
        any |= one_shot_proof_is_unattributed(b, s->index[k], s->http_status);
    if (any && b->earlier)
        log_warning("run %llu, by hand, was cut off in a request whose outcome cannot be found out; leadsync results --run "
                    "%llu names its leads: look at them in Instantly",
                    run, run);
    else if (any)
        log_warning("the answer to the merge was lost, and whether it was done cannot be found out: look at the lead");
    if (one_shot_proof_keep_open(s) == 0)
        slice_free(s);
    else
        one_shot_proof_read(s);
}
