/* PATCH /leads/{id}: one request per changed lead, with only what changed.
 *
 * The leads are read first, a hundred per request: an id may name another lead by now, `if-empty` depends on what Instantly
 * has, and custom variables are sent as the complete set, because whether a PATCH merges or replaces them is not known.
 * update_unread.c learns that from the answers, and then sends what needs no read.
 * Whether a PATCH has stored its values is proved in update_proof.c. */
#include "config.h"

#include "sync/upload/upload_int.h"

#include <stdlib.h>

#include "sync/base/log.h"
#include "sync/plan/changes.h"
#include "sync/upload/proof/proof.h"

enum { TARGETS_MAX = 1 << 24 };

struct patch_call {
    struct batch_run *batch;
    uint32_t i;
    enum outcome proved;
};

/* The PATCH has been answered or dropped. */
static void update_patch_over(struct patch_call *call)
{
    struct batch_run *b = call->batch;
    free(call);
    b->under_way_n--;
    batch_check(b);
}

/* It may have been applied: read it back, compare, and only then send again. */
static void update_read_again(struct patch_call *call)
{
    struct batch_run *b = call->batch;
    struct err e = ERR_INIT;
    struct batch_slice *s = slice_new(b, 1, &e);
    if (s == NULL) {
        upload_fail(b->u, &e);
        batch_leave_open(b);
    } else {
        s->index[s->n++] = call->i;
        s->round = 1;
        batch_entry_advance(b, call->i, ENTRY_OPEN);
        b->operation->patch_lost(s);
    }
    err_clear(&e);
}

/* The values are there: the outcome of an update, and the first half of a move. */
static void update_proved(struct batch_run *b, uint32_t i, enum outcome proved, int http_status)
{
    struct entry_progress *progress = &b->progress[i];
    if (b->record.op != OP_MOVE) {
        batch_entry_done(b, i, proved, REASON_NONE, http_status);
        return;
    }
    batch_entry_advance(b, i, ENTRY_AS_WANTED);
    progress->patched = proved == OUTCOME_CHANGED;
}

/* The read after the last PATCH of the batch proves an update (update_proof.c). A move continues with its request, and
 * reads the lead in its target. */
static void update_answered(struct patch_call *call, const struct api_reply *reply)
{
    struct batch_run *b = call->batch;
    struct entry_progress *progress = &b->progress[call->i];
    bool confirmed = update_proof_answer(b, call->i, reply);
    progress->patch_status = reply->http_status;
    progress->proved = call->proved;
    if (confirmed && update_unread_learns(b, call->i, reply, call->proved))
        return;
    if (!confirmed)
        update_unread_untold(b, call->i, reply);
    if (!confirmed)
        log_detail("the answer to a PATCH does not tell the new values: looking at the lead");
    if (b->record.op != OP_MOVE)
        batch_entry_advance(b, call->i, confirmed ? ENTRY_CONFIRMED : ENTRY_UNPROVED);
    else if (confirmed)
        update_proved(b, call->i, call->proved, reply->http_status);
    else if (progress->rounds >= ROUNDS_MAX)
        batch_entry_done(b, call->i, OUTCOME_FAILED, REASON_NOT_STORED, reply->http_status);
    else
        update_read_again(call);
}

/* A 404 of an update is examined once per batch (update_next()), because the lead may have another id by now. A refusal is
 * held: all leads may be refused alike (refused_alike.c). */
static void update_patch_answered(void *ctx, const struct api_reply *reply)
{
    struct patch_call *call = ctx;
    struct batch_run *b = call->batch;
    b->u->refused[ENDPOINT_PATCH].under_way--;
    if (reply->class != API_OK)
        update_unread_untold(b, call->i, reply);
    switch (reply->class) {
    case API_OK:
        b->progress[call->i].written = true;
        refused_alike_accepted(b->u, ENDPOINT_PATCH);
        update_answered(call, reply);
        break;
    case API_REFUSED:
    case API_PLAN_FULL:
        batch_entry_detail(b, call->i, reply->message);
        if (reply->http_status == 404 && b->record.op != OP_MOVE)
            batch_entry_advance(b, call->i, ENTRY_MISSING);
        else if (reply->http_status == 404)
            batch_entry_done(b, call->i, OUTCOME_FAILED, REASON_GONE_THERE, 404);
        else if (reply->http_status == 409)
            batch_entry_done(b, call->i, OUTCOME_DEFERRED, REASON_JOB_OPEN, 409);
        else
            refused_alike_lead(b, call->i, ENDPOINT_PATCH, reply, REFUSED_ALONE);
        break;
    case API_UNKNOWN:
        b->progress[call->i].written = true;
        if (b->progress[call->i].rounds >= ROUNDS_MAX)
            batch_entry_done(b, call->i, OUTCOME_FAILED, REASON_API_ERROR, reply->http_status);
        else
            update_read_again(call);
        break;
    case API_FAILED:
    case API_FATAL:
        upload_fail(b->u, reply->err);
        batch_entry_done(b, call->i, OUTCOME_DEFERRED, REASON_INTERRUPTED, reply->http_status);
        break;
    case API_CANCELLED: batch_entry_done(b, call->i, OUTCOME_DEFERRED, b->u->c.stop_reason, 0); break;
    }
    update_patch_over(call);
}

/* The changes of entry i, for the results. The old values of a lead that was not read are those last written. */
static int update_note_changes(struct batch_run *b, uint32_t i, const struct wanted_lead *wanted,
                               const struct remote_lead *remote)
{
    struct entry *entry = &b->record.entries[i];
    struct known_lead known;
    struct lead before;
    struct arena arena;
    struct err e = ERR_INIT;
    bool known_before = false;
    arena_init(&arena, TARGETS_MAX);
    if (remote == NULL) {
        int rc = state_lead_get(b->u->c.state, &entry->key, &arena, &known, &e);
        if (rc < 0)
            upload_fail(b->u, &e);
        known_before = rc == 1 && known.values.n > 0 && upload_unpack(b->u, known.values, &arena, &before) == 0 &&
                       before.shape == wanted->lead.shape;
    }
    int rc = changes_pack(&b->arena, &wanted->lead, wanted->fields, wanted->custom, remote, known_before ? &before : NULL,
                          &entry->changes);
    arena_free(&arena);
    err_clear(&e);
    return rc;
}

/* What is sent now is what has to be seen later. What a second try finds is half its own. */
static int update_note_sent(struct batch_run *b, uint32_t i, const struct wanted_lead *wanted,
                            const struct remote_lead *remote)
{
    struct entry_progress *progress = &b->progress[i];
    progress->fields = wanted->fields;
    if (progress->rounds == 0 && !b->u->c.mapping->values_hashed && batch_entry_may_name(b, i) &&
        update_note_changes(b, i, wanted, remote) != 0)
        return -1;
    return arena_str(&b->arena, (struct str){(const char *)wanted->custom, wanted->lead.shape->custom_n},
                     &progress->custom_changed);
}

/* Each PATCH counts as under way, so that the batch cannot be settled before its answer has come. */
void update_patch(struct batch_run *b, uint32_t i, struct wanted_lead *wanted, const struct remote_lead *remote,
                  enum outcome proved)
{
    struct err e = ERR_INIT;
    struct lead *lead = &wanted->lead;
    struct lead_patch patch = {.id = b->record.entries[i].lead_id, .lead = lead, .fields = wanted->fields, .remote = remote};
    struct patch_call *call;
    if (upload_ended(b->u)) {
        batch_entry_done(b, i, OUTCOME_DEFERRED, b->progress[i].rounds > 0 ? REASON_OUTCOME_OPEN : b->u->c.stop_reason, 0);
        return;
    }
    call = malloc(sizeof *call);
    if (call == NULL || update_note_sent(b, i, wanted, remote) != 0) {
        free(call);
        upload_fail_oom(b->u);
        return;
    }
    *call = (struct patch_call){b, i, proved};
    b->progress[i].partial = remote == NULL || wanted->left_out > 0;
    if (wanted->left_out > 0)
        patch.without = lead->shape->custom_names[wanted->left_out - 1];
    for (size_t c = 0; c < lead->shape->custom_n; c++) {
        patch.custom = patch.custom || wanted->custom[c];
        /* The value does not change: the one in Instantly stays. */
        if (!wanted->custom[c])
            lead->custom[c].kind = VALUE_ABSENT;
    }
    batch_entry_advance(b, i, ENTRY_PATCHING);
    b->progress[i].rounds++;
    b->under_way_n++;
    if (api_lead_patch(b->u->c.api, &patch, update_patch_answered, call, &e) != 0) {
        /* A value that cannot be sent back exactly is this lead's own trouble. */
        log_warning("row %llu: %s", (unsigned long long)b->record.entries[i].row, err_text(&e));
        batch_entry_done(b, i, OUTCOME_REJECTED, e.status == XS_SOURCE ? REASON_LEAD_TOO_LARGE : REASON_REFUSED_THERE, 0);
        free(call);
        b->under_way_n--;
    } else {
        b->u->refused[ENDPOINT_PATCH].under_way++;
        b->u->patch.trial = b->u->patch.trial || (b->progress[i].partial && !b->u->patch.agreed);
    }
    err_clear(&e);
}

/* ---- reading: before a PATCH, after a lost answer, and what an earlier run left ---- */

/* What has to be written over `remote`. A changed field is written even if the lead seems to have the value: a list lags,
 * and may show an older value. `*changes`: the lead does not seem to have it. */
static bool update_is_due(struct batch_run *b, uint32_t i, struct wanted_lead *wanted, const struct remote_lead *remote,
                          bool *changes)
{
    const struct entry_progress *progress = &b->progress[i];
    const enum overwrite *rules = b->u->c.mapping->overwrite;
    if (!update_unread_kept(b, i, remote) && update_unread_flag_lost(b, i, wanted, remote) != 0)
        upload_fail_oom(b->u);
    bool differs = wanted_lead_changes(b, i, wanted, remote, false);
    *changes = differs;
    if (progress->rounds > 0 || b->earlier)
        return differs;
    for (int f = 0; f < LEAD_FIELD_N; f++)
        if ((progress->fields & 1U << f) != 0 && rules[f] == OVERWRITE_ALWAYS)
            wanted->fields |= 1U << f;
    for (size_t c = 0; c < wanted->lead.shape->custom_n && c < progress->custom_changed.n; c++) {
        if (progress->custom_changed.p[c] != 0 && rules[LEAD_FIELD_N + c] == OVERWRITE_ALWAYS)
            wanted->custom[c] = true;
        differs = differs || wanted->custom[c];
    }
    return differs || wanted->fields != 0;
}

/* The state's number of the target that has the lead: 1, 0 it has none, -1. */
static int update_target_number(struct batch_run *b, const struct remote_lead *remote, uint32_t *number, struct err *e)
{
    struct target there;
    struct arena arena;
    int rc;
    arena_init(&arena, TARGETS_MAX);
    for (*number = 1; (rc = state_target_get(b->u->c.state, *number, &arena, &there, e)) == 1; ++*number)
        if (api_remote_is_in(remote, &there))
            break;
    arena_free(&arena);
    return rc;
}

/* An update without fields reads a lead of which an earlier request was left open. If that was a move that was carried out
 * late, the lead is in another target of this sync: the state records it, and the next run moves the lead. */
static bool update_is_astray(struct batch_run *b, uint32_t i, const struct remote_lead *remote)
{
    const struct entry *entry = &b->record.entries[i];
    const struct entry_progress *progress = &b->progress[i];
    struct err e = ERR_INIT;
    uint32_t number;
    if (b->earlier || b->record.op != OP_UPDATE || progress->fields != 0 || progress->custom_changed.n > 0 ||
        api_remote_is_in(remote, &b->target))
        return false;
    int rc = update_target_number(b, remote, &number, &e);
    const struct entry there = {.key = entry->key,
                                .email = entry->email,
                                .has_lead_id = true,
                                .lead_id = remote->id,
                                .outcome = OUTCOME_UNCHANGED};
    if (rc < 0 || (rc == 1 && state_entry_add(b->u->c.state, b->u->c.run, number, &there, &e) != 0))
        upload_fail(b->u, &e);
    err_clear(&e);
    if (rc == 1) {
        b->record.entries[i].detail = STR("an earlier move was carried out late; the next run moves it back");
        batch_entry_done(b, i, OUTCOME_FAILED, REASON_MOVE_NOT_DONE, 0);
    }
    return rc == 1;
}

/* `again`: a PATCH of this run or of an earlier one may have written what this read shows, so that values as wanted mean
 * changed. */
static void update_seen(struct batch_slice *s, uint32_t i, const struct remote_lead *remote)
{
    struct batch_run *b = s->batch;
    struct wanted_lead wanted;
    bool again = b->progress[i].rounds > 0 || b->earlier, changes;
    if (update_is_astray(b, i, remote))
        return;
    if (wanted_lead_open(b, i, &wanted) == 0) {
        if (!update_is_due(b, i, &wanted, remote, &changes))
            update_proved(b, i, again ? OUTCOME_CHANGED : OUTCOME_UNCHANGED, s->http_status);
        else if (b->progress[i].rounds >= ROUNDS_MAX)
            batch_entry_done(b, i, OUTCOME_FAILED, REASON_API_ERROR, s->http_status);
        else if (!b->earlier) { /* else nothing is written, and it may still come */
            update_unread_probe(b, i, &wanted, remote);
            update_patch(b, i, &wanted, remote, again || changes || !b->u->c.by_hand ? OUTCOME_CHANGED : OUTCOME_UNCHANGED);
        }
    }
    wanted_lead_free(&wanted);
}

static void update_give_up(struct batch_slice *s)
{
    s->batch->operation->give_up(s);
}

static void update_search_done(struct batch_slice *s)
{
    struct batch_run *b = s->batch;
    for (size_t k = 0; k < s->n; k++)
        if (!b->progress[s->index[k]].shown && b->progress[s->index[k]].state != ENTRY_PATCHING)
            batch_entry_done(b, s->index[k], OUTCOME_FAILED, REASON_GONE_THERE, s->http_status);
    slice_free(s);
}

static const struct lead_read_calls update_searching = {update_seen, update_search_done, update_give_up};

/* Keeps those that have no outcome and no PATCH under way, with `unshown` only those that the read did not show. */
static size_t update_keep_open(struct batch_slice *s, bool unshown)
{
    const struct batch_run *b = s->batch;
    size_t n = 0;
    for (size_t k = 0; k < s->n; k++) {
        const struct entry_progress *progress = &b->progress[s->index[k]];
        if (progress->state == ENTRY_OPEN && !(unshown && progress->shown))
            s->index[n++] = s->index[k];
    }
    return s->n = n;
}

/* What the list does not show is asked for by its id. Of an earlier run nothing is written, and the leads are read again
 * later instead. */
static void update_read_done(struct batch_slice *s)
{
    struct batch_run *b = s->batch;
    s->attempt++;
    if (update_keep_open(s, !b->earlier) == 0) {
        slice_free(s);
    } else if (!b->earlier) {
        lead_read_everywhere(s, &update_searching);
    } else if (b->u->stopping) {
        update_give_up(s);
    } else if (s->attempt < ATTEMPTS_MAX) {
        /* The run died, and its last request may be carried out late. */
        slice_wait_attempt(s, false, update_read);
    } else {
        slice_done(s, OUTCOME_DEFERRED, REASON_OUTCOME_OPEN, 0);
    }
}

static const struct lead_read_calls update_reading = {update_seen, update_read_done, update_give_up};

void update_read(struct batch_slice *s)
{
    lead_read_by_id(s, &update_reading);
}

static void update_start(struct batch_slice *s)
{
    struct batch_run *b = s->batch;
    if (b->first_sent_ms == 0)
        b->first_sent_ms = b->u->c.clock->wall_ms(b->u->c.clock);
    update_unread_start(s);
}

/* Those of the batch whose last PATCH was answered with 404; NULL: none, or an error. */
static struct batch_slice *update_slice_of_missing(struct batch_run *b, struct err *e)
{
    struct batch_slice *s = NULL;
    for (uint32_t i = 0; i < b->record.entries_n; i++) {
        if (b->progress[i].state != ENTRY_MISSING)
            continue;
        if (s == NULL && (s = slice_new(b, b->record.entries_n, e)) == NULL)
            return NULL;
        s->index[s->n++] = i;
        batch_entry_advance(b, i, ENTRY_OPEN);
    }
    if (s != NULL)
        s->round = 1;
    return s;
}

bool update_next(struct batch_run *b)
{
    struct err e = ERR_INIT;
    struct batch_slice *s = update_slice_of_missing(b, &e);
    if (e.status != XS_DONE) {
        upload_fail(b->u, &e);
        err_clear(&e);
        return false;
    }
    if (s == NULL)
        return update_proof_next(b);
    if (upload_ended(b->u))
        update_give_up(s);
    else
        lead_read_everywhere(s, &update_searching);
    return true;
}

const struct operation update_operation = {
    .name = "update",
    .entries_max = LEADS_LIST_MAX, /* one leads/list reads them all */
    .start = update_start,
    .resume = update_read,
    .next = update_next,
    .patch_lost = update_read,
    .give_up = slice_leave_open,
};
