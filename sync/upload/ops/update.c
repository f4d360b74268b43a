/* PATCH: one request a changed lead, carrying only what changed.
 *
 * The leads are looked at first, a hundred a request: an id may name another lead by now, `if-empty` depends on what is
 * there, and custom variables are sent as the complete set, because whether a PATCH merges or replaces them is not known.
 * A PATCH that is answered with 200 may have stored nothing (reported). Its answer is the whole lead, and is compared; and
 * when all of a batch are answered, one more look has to show the new values. What that look does not show is looked at
 * again as anything that may appear late, then the lead itself is asked for, and then it is not_stored. */
#include "config.h"

#include "sync/upload/work.h"

#include <json-c/json_types.h>
#include <stdlib.h>
#include <string.h>

#include "sync/base/log.h"
#include "sync/plan/plan.h"

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
static void update_look_again(struct patch_call *call)
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
        if (w->batch.op == OP_CREATE)
            readback_start(p);
        else
            update_look(p);
    }
    err_clear(&e);
}

/* ---- what a PATCH has stored ---- */

static bool update_is_number(struct arena *a, const struct value *there, const struct value *wanted)
{
    if (there->kind != VALUE_NUMBER || wanted->kind != VALUE_NUMBER)
        return false;
    const char *x = arena_dup(a, there->p, there->n), *y = arena_dup(a, wanted->p, wanted->n);
    return x != NULL && y != NULL && strtod(x, NULL) == strtod(y, NULL);
}

/* Servers trim text and write numbers their own way: that is no other value. */
static bool update_is_value(struct arena *a, const struct value *there, const struct value *wanted)
{
    if (!plan_value_changes(there, wanted, OVERWRITE_ALWAYS))
        return true;
    if (there->kind <= VALUE_NULL || wanted->kind <= VALUE_NULL)
        return false;
    return update_is_number(a, there, wanted) ||
           str_eq(str_trim((struct str){there->p, there->n}), str_trim((struct str){wanted->p, wanted->n}));
}

/* Does the lead have what was last sent for entry i? Fields that the API may not tell are trusted while it does not. */
static bool update_is_stored(struct work *w, uint32_t i, const struct remote_lead *remote)
{
    const struct aim *aim = &w->aims[i];
    struct lead wanted;
    struct value there;
    arena_reset(&w->u->scratch);
    if (work_lead(w, i, &w->u->scratch, &wanted) != 0) {
        upload_fail_oom(w->u);
        return false;
    }
    for (int f = 0; f < LEAD_FIELD_N; f++) {
        if ((aim->fields & 1U << f) == 0)
            continue;
        api_remote_field(remote, (enum lead_field)f, &there);
        bool untold = there.kind == VALUE_ABSENT && lead_field_table[f].payload[0] == '\0';
        if (!untold && !update_is_value(&w->u->scratch, &there, &wanted.core[f]))
            return false;
    }
    for (size_t c = 0; c < wanted.shape->custom_n && c < aim->custom_changed.n; c++) {
        api_remote_custom(remote, wanted.shape->custom_names[c], &there);
        if (aim->custom_changed.p[c] != 0 && !update_is_value(&w->u->scratch, &there, &wanted.custom[c]))
            return false;
    }
    return true;
}

/* The answer to a PATCH is the lead: ours, with the new values? */
static bool update_is_told(struct work *w, uint32_t i, const struct api_reply *reply)
{
    struct remote_lead remote;
    struct err ignored = ERR_INIT;
    bool told = api_remote_lead_read(reply->json, &remote, &ignored) == 0 &&
                uuid_eq(&remote.id, &w->batch.entries[i].lead_id) && !lead_match_differs(w, i, &remote) &&
                update_is_stored(w, i, &remote);
    err_clear(&ignored);
    return told;
}

static void update_answered(struct patch_call *call, const struct api_reply *reply)
{
    struct work *w = call->work;
    struct aim *aim = &w->aims[call->i];
    bool told = update_is_told(w, call->i, reply);
    aim->patch_status = reply->http_status;
    aim->proved = call->proved;
    if (!told)
        log_detail("the answer to a PATCH does not tell the new values: looking at the lead");
    if (w->batch.op != OP_MOVE)
        aim->patch = told ? PATCH_TOLD : PATCH_UNTOLD;
    else if (told)
        update_proved(w, call->i, call->proved, reply->http_status);
    else if (aim->rounds >= ROUNDS_MAX)
        work_entry_done(w, call->i, OUTCOME_FAILED, REASON_NOT_STORED, reply->http_status);
    else
        update_look_again(call);
}

static void patched(void *ctx, const struct api_reply *reply)
{
    struct patch_call *call = ctx;
    struct work *w = call->work;
    w->u->refused[ENDPOINT_PATCH].under_way--;
    switch (reply->class) {
    case API_OK:
        refused_alike_accepted(w->u, ENDPOINT_PATCH);
        update_answered(call, reply);
        break;
    case API_REFUSED:
    case API_PLAN_FULL:
        work_detail(w, call->i, reply->message);
        if (reply->http_status == 404 && w->batch.op != OP_MOVE)
            w->aims[call->i].patch = PATCH_GONE;
        else if (reply->http_status == 404)
            work_entry_done(w, call->i, OUTCOME_FAILED, REASON_GONE_THERE, 404);
        else if (reply->http_status == 409)
            work_entry_done(w, call->i, OUTCOME_DEFERRED, REASON_JOB_OPEN, 409);
        else
            refused_alike_lead(w, call->i, ENDPOINT_PATCH, reply, REFUSED_ALONE);
        break;
    case API_UNKNOWN:
        if (w->aims[call->i].rounds >= ROUNDS_MAX)
            work_entry_done(w, call->i, OUTCOME_FAILED, REASON_API_ERROR, reply->http_status);
        else
            update_look_again(call);
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

/* What is sent now is what has to be seen later. What a second try finds is half its own. */
static int update_note_sent(struct work *w, uint32_t i, const struct lead *lead, uint32_t fields, const bool *custom,
                            const struct remote_lead *remote)
{
    struct aim *aim = &w->aims[i];
    aim->fields = fields;
    aim->patch = PATCH_OPEN;
    if (aim->rounds == 0 && remote != NULL && !w->u->c.mapping->values_hashed &&
        changes_pack(&w->arena, lead, fields, custom, remote, &w->batch.entries[i].changes) != 0)
        return -1;
    return arena_str(&w->arena, (struct str){(const char *)custom, lead->shape->custom_n}, &aim->custom_changed);
}

void update_patch(struct work *w, uint32_t i, struct lead *lead, uint32_t fields, const bool *custom,
                  const struct remote_lead *remote, enum outcome proved)
{
    struct err e = ERR_INIT;
    struct lead_patch patch = {.id = w->batch.entries[i].lead_id, .lead = lead, .fields = fields, .remote = remote};
    struct patch_call *call;
    if (upload_ended(w->u)) {
        work_entry_done(w, i, OUTCOME_DEFERRED, w->aims[i].rounds > 0 ? REASON_OUTCOME_OPEN : w->u->c.stop_reason, 0);
        return;
    }
    call = malloc(sizeof *call);
    if (call == NULL || update_note_sent(w, i, lead, fields, custom, remote) != 0) {
        free(call);
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
    } else {
        w->u->refused[ENDPOINT_PATCH].under_way++;
    }
    err_clear(&e);
}

/* ---- looking before, after a lost answer, and at what an earlier run left ---- */

/* What is to be written over `remote`. A changed field is written also when it seems to be there already: a list lags, and
 * may show a value from before the one that it had since. */
static bool update_is_due(struct work *w, uint32_t i, const struct lead *wanted, const struct remote_lead *remote,
                          uint32_t *fields, bool *custom)
{
    const struct aim *aim = &w->aims[i];
    const enum overwrite *rules = w->u->c.mapping->overwrite;
    bool differs = readback_differs(w, i, wanted, remote, false, fields, custom);
    if (aim->rounds > 0 || w->earlier)
        return differs;
    for (int f = 0; f < LEAD_FIELD_N; f++)
        if ((aim->fields & 1U << f) != 0 && rules[f] == OVERWRITE_ALWAYS)
            *fields |= 1U << f;
    for (size_t c = 0; c < wanted->shape->custom_n && c < aim->custom_changed.n; c++) {
        custom[c] = custom[c] || (aim->custom_changed.p[c] != 0 && rules[LEAD_FIELD_N + c] == OVERWRITE_ALWAYS);
        differs = differs || custom[c];
    }
    return differs || *fields != 0;
}

/* The state's number of the place where the lead is: 1, 0 it has none, -1. */
static int update_place(struct work *w, const struct remote_lead *remote, uint32_t *number, struct err *e)
{
    struct target there;
    int rc;
    arena_reset(&w->u->scratch);
    for (*number = 1; (rc = state_target_get(w->u->c.state, *number, &w->u->scratch, &there, e)) == 1; ++*number)
        if (look_is_in(&there, remote))
            break;
    return rc;
}

/* An update without fields looks at a lead of which an earlier request was left open. When that was a move that was carried
 * out late, the lead is in another place of this sync: the state is told so, and the next run moves it. */
static bool update_is_astray(struct work *w, uint32_t i, const struct remote_lead *remote)
{
    const struct entry *entry = &w->batch.entries[i];
    const struct aim *aim = &w->aims[i];
    struct err e = ERR_INIT;
    uint32_t number;
    if (w->earlier || w->batch.op != OP_UPDATE || aim->fields != 0 || aim->custom_changed.n > 0 || look_is_in(&w->target, remote))
        return false;
    int rc = update_place(w, remote, &number, &e);
    const struct entry there = {.key = entry->key, .email = entry->email, .has_lead_id = true, .lead_id = remote->id,
                                .outcome = OUTCOME_UNCHANGED};
    if (rc < 0 || (rc == 1 && state_entry_add(w->u->c.state, w->u->c.run, number, &there, &e) != 0))
        upload_fail(w->u, &e);
    err_clear(&e);
    if (rc == 1) {
        w->batch.entries[i].detail = STR("an earlier move was carried out late; the next run moves it back");
        work_entry_done(w, i, OUTCOME_FAILED, REASON_MOVE_NOT_DONE, 0);
    }
    return rc == 1;
}

static void update_seen(struct part *p, uint32_t i, const struct remote_lead *remote)
{
    struct work *w = p->work;
    struct lead wanted;
    uint32_t fields;
    bool *custom = NULL;
    if (update_is_astray(w, i, remote))
        return;
    arena_reset(&w->u->scratch);
    if (work_lead(w, i, &w->u->scratch, &wanted) == 0)
        custom = arena_calloc(&w->u->scratch, wanted.shape->custom_n + 1, sizeof *custom);
    if (custom == NULL)
        upload_fail_oom(w->u);
    else if (!update_is_due(w, i, &wanted, remote, &fields, custom))
        update_proved(w, i, w->aims[i].rounds > 0 || w->earlier ? OUTCOME_CHANGED : OUTCOME_UNCHANGED, p->http_status);
    else if (w->earlier)
        return; /* nothing is written there, and it may still come */
    else if (w->aims[i].rounds >= ROUNDS_MAX)
        work_entry_done(w, i, OUTCOME_FAILED, REASON_API_ERROR, p->http_status);
    else
        update_patch(w, i, &wanted, fields, custom, remote, OUTCOME_CHANGED);
}

static void update_give_up(struct part *p)
{
    if (p->work->move != NULL) {
        move_give_up(p, p->work->u->c.stop_reason);
        return;
    }
    work_leave_open(p->work);
    part_free(p);
}

static void update_searched(struct part *p)
{
    struct work *w = p->work;
    for (size_t k = 0; k < p->n; k++)
        if (!w->aims[p->index[k]].shown && !w->aims[p->index[k]].busy)
            work_entry_done(w, p->index[k], OUTCOME_FAILED, REASON_GONE_THERE, p->http_status);
    part_free(p);
}

static const struct look_calls update_searching = {update_seen, update_searched, update_give_up};

/* Keeps those that have no outcome and no PATCH under way, with `unshown` only those that the look did not show. */
static size_t update_keep_open(struct part *p, bool unshown)
{
    const struct work *w = p->work;
    size_t n = 0;
    for (size_t k = 0; k < p->n; k++) {
        const struct aim *aim = &w->aims[p->index[k]];
        if (work_is_open(w, p->index[k]) && !(unshown && aim->shown))
            p->index[n++] = p->index[k];
    }
    return p->n = n;
}

static void update_looked(struct part *p)
{
    struct work *w = p->work;
    p->look++;
    if (update_keep_open(p, !w->earlier) == 0) {
        part_free(p);
    } else if (!w->earlier) {
        look_everywhere(p, &update_searching);
    } else if (w->u->stopping) {
        update_give_up(p);
    } else if (p->look < LOOKS_MAX) {
        /* The run died, and its last request may be carried out late. */
        part_wait_look(p, false, update_look);
    } else {
        for (size_t k = 0; k < p->n; k++)
            work_entry_done(w, p->index[k], OUTCOME_DEFERRED, REASON_OUTCOME_OPEN, 0);
        part_free(p);
    }
}

static const struct look_calls update_looking = {update_seen, update_looked, update_give_up};

void update_look(struct part *p)
{
    look_by_id(p, &update_looking);
}

void update_send(struct part *p)
{
    struct work *w = p->work;
    if (w->first_sent_ms == 0)
        w->first_sent_ms = w->u->c.clock->wall_ms(w->u->c.clock);
    update_look(p);
}

/* ---- the last look: is it stored? ---- */

static void update_settle_told(struct work *w, uint32_t i)
{
    struct aim *aim = &w->aims[i];
    aim->patch = PATCH_OPEN;
    work_entry_done(w, i, aim->proved, REASON_NONE, aim->patch_status);
}

static void proof_seen(struct part *p, uint32_t i, const struct remote_lead *remote)
{
    if (update_is_stored(p->work, i, remote))
        update_settle_told(p->work, i);
}

/* The looks cannot go on. An answer that told the new values is a proof; the others stay open. */
static void proof_give_up(struct part *p)
{
    struct work *w = p->work;
    for (size_t k = 0; k < p->n; k++)
        if (w->aims[p->index[k]].patch == PATCH_TOLD)
            update_settle_told(w, p->index[k]);
        else if (w->aims[p->index[k]].patch == PATCH_UNTOLD)
            work_leave_open(w);
    part_free(p);
}

static void proof_is_missing(struct part *p)
{
    struct work *w = p->work;
    for (size_t k = 0; k < p->n; k++) {
        uint32_t i = p->index[k];
        if (w->aims[i].patch == PATCH_OPEN)
            continue;
        bool shown = w->aims[i].shown;
        w->aims[i].patch = PATCH_OPEN;
        work_entry_done(w, i, OUTCOME_FAILED, shown ? REASON_NOT_STORED : REASON_GONE_THERE, w->aims[i].patch_status);
    }
    part_free(p);
}

static const struct look_calls proof_asking = {proof_seen, proof_is_missing, proof_give_up};

static void proof_look(struct part *p);

static void proof_looked(struct part *p)
{
    struct work *w = p->work;
    size_t n = 0;
    for (size_t k = 0; k < p->n; k++)
        if (w->aims[p->index[k]].patch != PATCH_OPEN)
            p->index[n++] = p->index[k];
    p->n = n;
    p->look++;
    if (n == 0)
        part_free(p);
    else if (upload_ended(w->u))
        proof_give_up(p);
    else if (p->look < LOOKS_MAX)
        part_wait_look(p, false, proof_look);
    else
        look_at_leads(p, &proof_asking);
}

static const struct look_calls proof_looking = {proof_seen, proof_looked, proof_give_up};

static void proof_look(struct part *p)
{
    look_by_id(p, &proof_looking);
}

/* Those of the batch whose last PATCH was answered with 404, or with 200. */
static struct part *update_part(struct work *w, bool gone, struct err *e)
{
    struct part *p = part_new(w, w->batch.entries_n, e);
    if (p == NULL)
        return NULL;
    for (uint32_t i = 0; i < w->batch.entries_n; i++) {
        struct aim *aim = &w->aims[i];
        if (aim->patch != PATCH_OPEN && (aim->patch == PATCH_GONE) == gone)
            p->index[p->n++] = i;
        if (aim->patch == PATCH_GONE)
            aim->patch = PATCH_OPEN;
    }
    p->round = 1;
    return p;
}

bool update_finish(struct work *w)
{
    struct err e = ERR_INIT;
    bool gone = false, answered = false;
    for (size_t i = 0; i < w->batch.entries_n && !gone; i++) {
        gone = w->aims[i].patch == PATCH_GONE;
        answered = answered || w->aims[i].patch != PATCH_OPEN;
    }
    if (!gone && !answered)
        return false;
    struct part *p = update_part(w, gone, &e);
    if (p == NULL) {
        upload_fail(w->u, &e);
        err_clear(&e);
        return false;
    }
    if (gone && upload_ended(w->u))
        update_give_up(p);
    else if (gone)
        look_everywhere(p, &update_searching);
    else if (upload_ended(w->u))
        proof_give_up(p);
    else
        proof_look(p);
    return true;
}
