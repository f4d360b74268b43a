/* Moving by hand: ids out of one place into another, a job for each thousand.
 *
 * Two jobs with a common end would lock each other out, so the next one is asked for when the one before is over. A job
 * that ends well may have moved nothing: who is there afterwards is read back, lead by lead. */
#include "config.h"

#include "sync/leads/lead_edit_int.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "sync/base/log.h"

enum { NOTHING_MAX = 4096 };
static const int64_t POLL_FIRST_MS = 100, POLL_LAST_MS = 10000;

struct move {
    struct lead_edit *edit;
    const struct target *from, *to;
    const struct leads_move_options *options;
    struct lead_edit_write write;
    struct lead_edit_job *job;
    struct uuid *present;      /* copies: leads of these addresses that the destination had before; owned */
    size_t present_n, present_cap;
};

/* ---- the job ---- */

static int job_told(struct move *m, const struct remote_job *told, struct err *e)
{
    struct lead_edit_job *job = m->job;
    if (told->id.n >= sizeof job->id)
        return err_set(e, XS_API, "the id of a background job has %zu characters, which none should have", told->id.n);
    if (told->id.n > 0) {
        memcpy(job->id, told->id.p, told->id.n);
        job->id[told->id.n] = '\0';
    }
    job->total = told->total;
    job->moved = told->moved;
    job->duplicated = told->duplicated;
    job->missing_email = told->missing_email;
    job->in_other_campaigns = told->in_other_campaigns;
    job->blocklisted = told->blocklisted;
    return arena_str(&m->edit->arena, told->status_text, &job->status) == 0 ? 0 : err_oom(e);
}

static uint64_t count_or_zero(int64_t n)
{
    return n > 0 ? (uint64_t)n : 0;
}

/* The job's row in the state: `jobs` shows it. `success` is what was proved. */
static int put_job(struct move *m, const struct remote_job *told, struct err *e)
{
    struct lead_edit *edit = m->edit;
    char from[TARGET_TEXT_N], to[TARGET_TEXT_N];
    uint64_t success = 0, failed = 0;
    struct json_object *data, *filters = NULL;
    for (size_t i = 0; i < m->write.n; i++) {
        success += m->write.leads[i]->outcome == OUTCOME_CHANGED;
        failed += m->write.leads[i]->outcome == OUTCOME_FAILED || m->write.leads[i]->outcome == OUTCOME_SKIPPED;
    }
    if (json_object_object_get_ex(told->object, "data", &data))
        json_object_object_get_ex(data, "filters", &filters);
    const struct job_record record = {
        .id = m->job->id,
        .type = "move-leads",
        .status = arena_dup(&edit->arena, told->status_text.p != NULL ? told->status_text.p : "", told->status_text.n),
        .progress = told->progress > 0 ? (int)told->progress : 0,
        .filters = filters != NULL ? json_object_to_json_string_ext(filters, JSON_C_TO_STRING_PLAIN) : NULL,
        .total = told->total >= 0 ? count_or_zero(told->total) : m->write.n,
        .success = success,
        .failed = failed,
        .from = target_format(m->from, from),
        .to = target_format(m->to, to),
        .run = edit->run,
        .created_ms = told->created_ms,
        .updated_ms = told->updated_ms,
    };
    return record.status == NULL ? err_oom(e) : state_job_put(edit->state, &record, e);
}

/* 1 it is over, 0 the time is up or it was interrupted, -1. A job that is not known any more is over, too. */
static int poll_job(struct move *m, struct err *e)
{
    struct lead_edit *edit = m->edit;
    int64_t wait_ms = POLL_FIRST_MS, end_us = edit->c.clock->mono_us(edit->c.clock) + edit->c.job_wait_ms * 1000;
    bool warned = false;
    for (;;) {
        struct by_hand request;
        struct api_reply reply;
        struct remote_job told;
        if (by_hand_job(&request, str_from(m->job->id), e) != 0 || lead_edit_ask(edit, &request, &reply, e) != 0)
            return -1;
        if (reply.class != API_OK)
            return 1;
        if (api_remote_job_read(reply.json, &told, e) != 0 || job_told(m, &told, e) != 0)
            return -1;
        if (job_status_is_final(told.status))
            return 1;
        if (told.status == JOB_PAUSED && !warned)
            log_notice("job %s is paused; it is waited for", m->job->id);
        warned = warned || told.status == JOB_PAUSED;
        int64_t left_ms = (end_us - edit->c.clock->mono_us(edit->c.clock)) / 1000;
        if (left_ms <= 0)
            return 0;
        int waited = lead_edit_wait_ms(edit, wait_ms < left_ms ? wait_ms : left_ms, e);
        if (waited <= 0)
            return waited;
        wait_ms = 2 * wait_ms < POLL_LAST_MS ? 2 * wait_ms : POLL_LAST_MS;
    }
}

/* ---- who is there ---- */

static bool was_present(const struct move *m, const struct uuid *id)
{
    for (size_t i = 0; i < m->present_n; i++)
        if (uuid_eq(&m->present[i], id))
            return true;
    return false;
}

static int see_moved(void *ctx, const struct remote_lead *remote, struct err *e)
{
    struct move *m = ctx;
    const struct target *to = m->to;
    (void)e;
    bool there = to->kind == TARGET_CAMPAIGN ? remote->has_campaign && uuid_eq(&remote->campaign, &to->id)
                                             : remote->has_list && uuid_eq(&remote->list, &to->id);
    for (size_t i = 0; i < m->write.n; i++) {
        struct edited_lead *lead = m->write.leads[i];
        /* A copy has an id of its own; its original is known by the address. A lead of before is no copy. */
        bool same = m->options->copy ? lead->email.n > 0 && str_eq_nocase(lead->email, remote->email) &&
                                           !was_present(m, &remote->id)
                                     : uuid_eq(&lead->id, &remote->id);
        if (!same || !there || lead->outcome != OUTCOME_NONE)
            continue;
        lead_edit_outcome(lead, OUTCOME_CHANGED, REASON_NONE, 200);
        if (!m->options->copy)
            lead->place = *to;
    }
    return 0;
}

static int move_see_present(void *ctx, const struct remote_lead *remote, struct err *e)
{
    struct move *m = ctx;
    if (m->present_n == m->present_cap) {
        size_t cap = m->present_cap == 0 ? 64 : 2 * m->present_cap;
        struct uuid *grown = reallocarray(m->present, cap, sizeof *grown);
        if (grown == NULL)
            return err_oom(e);
        m->present = grown;
        m->present_cap = cap;
    }
    m->present[m->present_n++] = remote->id;
    return 0;
}

/* Before a copy: what the destination has of these addresses is no copy. */
static int find_present(struct move *m, struct err *e)
{
    struct str emails[LEADS_LIST_MAX];
    size_t n = 0;
    for (size_t i = 0; i < m->write.n; i++) {
        if (m->write.leads[i]->email.n > 0)
            emails[n++] = m->write.leads[i]->email;
        if (n == 0 || (n < LEADS_LIST_MAX && i + 1 < m->write.n))
            continue;
        const struct lead_selector selector = {
            .filter = {.in = m->to, .contacts = emails, .contacts_n = n, .in_campaign = -1, .in_list = -1}, .esp = -1};
        if (lead_edit_each(m->edit, &selector, move_see_present, m, e) != 0)
            return -1;
        n = 0;
    }
    return 0;
}

/* Those of `n` leads from `first` on that are still open: by their ids, copies by their addresses in the destination. */
static int look_slice(struct move *m, size_t first, size_t n, struct err *e)
{
    struct edited_lead *open[LEADS_LIST_MAX];
    struct str emails[LEADS_LIST_MAX];
    size_t open_n = 0;
    for (size_t i = first; i < first + n; i++) {
        struct edited_lead *lead = m->write.leads[i];
        if (lead->outcome != OUTCOME_NONE || (m->options->copy && lead->email.n == 0))
            continue;
        emails[open_n] = lead->email;
        open[open_n++] = lead;
    }
    if (open_n == 0)
        return 0;
    if (!m->options->copy)
        return lead_edit_look(m->edit, open, open_n, see_moved, m, e);
    const struct lead_selector selector = {
        .filter = {.in = m->to, .contacts = emails, .contacts_n = open_n, .in_campaign = -1, .in_list = -1}, .esp = -1};
    return lead_edit_each(m->edit, &selector, see_moved, m, e);
}

static size_t open_n(const struct move *m)
{
    size_t n = 0;
    for (size_t i = 0; i < m->write.n; i++)
        n += m->write.leads[i]->outcome == OUTCOME_NONE;
    return n;
}

static int see_same_address(void *ctx, const struct remote_lead *remote, struct err *e)
{
    struct edited_lead *lead = ctx;
    (void)e;
    if (!uuid_eq(&remote->id, &lead->id))
        lead_edit_outcome(lead, OUTCOME_FAILED, REASON_EXISTS_IN_TARGET, 0);
    return 0;
}

/* No list shows that the lead went, which a list may fail to do: the lead itself tells whether it has, is gone, or is where it
 * was, perhaps since another one with its address is there. */
static int ask_lead(struct move *m, struct edited_lead *lead, struct err *e)
{
    struct json_object *json;
    struct remote_lead remote;
    int there = lead_edit_get(m->edit, &lead->id, &json, e);
    if (there < 0 || (there > 0 && api_remote_lead_read(json, &remote, e) != 0))
        return -1;
    if (there > 0 && see_moved(m, &remote, e) != 0)
        return -1;
    const struct lead_selector selector = {
        .filter = {.in = m->to, .contacts = &lead->email, .contacts_n = 1, .in_campaign = -1, .in_list = -1}, .esp = -1};
    if (lead->outcome == OUTCOME_NONE && lead->email.n > 0 && lead_edit_each(m->edit, &selector, see_same_address, lead, e) != 0)
        return -1;
    if (lead->outcome == OUTCOME_NONE)
        lead_edit_outcome(lead, OUTCOME_FAILED, there > 0 ? REASON_MOVE_NOT_DONE : REASON_GONE_THERE, there > 0 ? 0 : 404);
    return 0;
}

/* What the counts of the job do not promise is not waited for. */
static bool may_still_show(const struct move *m, size_t shown)
{
    return m->job->moved < 0 || (int64_t)shown < m->job->moved;
}

/* 0 all told, 1 interrupted before, -1 */
static int find_outcomes(struct move *m, struct err *e)
{
    int again = 1;
    for (unsigned look = 1; again > 0 && open_n(m) > 0; look++) {
        for (size_t at = 0; at < m->write.n; at += LEADS_LIST_MAX) {
            size_t n = m->write.n - at < LEADS_LIST_MAX ? m->write.n - at : LEADS_LIST_MAX;
            if (look_slice(m, at, n, e) != 0)
                return -1;
        }
        if (open_n(m) > 0)
            again = may_still_show(m, m->write.n - open_n(m)) ? lead_edit_wait_look(m->edit, look, e) : 0;
    }
    /* Interrupted: those that are proved go with the rest of the batch, which stays open. */
    if (again == 0 && m->edit->stopped && open_n(m) > 0)
        return 1;
    for (size_t i = 0; again >= 0 && i < m->write.n; i++)
        if (m->write.leads[i]->outcome == OUTCOME_NONE && ask_lead(m, m->write.leads[i], e) != 0)
            return -1;
    return again < 0 ? -1 : 0;
}

/* ---- one batch ---- */

/* The answer is the job: known before anything else is done. */
static int accepted(struct move *m, const struct api_reply *reply, struct err *e)
{
    struct remote_job told;
    if (api_remote_job_read(reply->json, &told, e) != 0 || job_told(m, &told, e) != 0 || put_job(m, &told, e) != 0 ||
        lead_edit_accepted(m->edit, &m->write, m->job->id, e) != 0)
        return -1;
    return 0;
}

static int update_job(struct move *m, struct err *e)
{
    struct by_hand request;
    struct api_reply reply;
    struct remote_job told;
    if (by_hand_job(&request, str_from(m->job->id), e) != 0 || lead_edit_ask(m->edit, &request, &reply, e) != 0)
        return -1;
    if (reply.class != API_OK)
        return 0; /* it vanished: the state keeps what was last told */
    return api_remote_job_read(reply.json, &told, e) != 0 ? -1 : put_job(m, &told, e);
}

static void settle_untold(struct move *m, struct err *e)
{
    for (size_t i = 0; i < m->write.n; i++)
        if (m->write.leads[i]->outcome == OUTCOME_NONE)
            lead_edit_outcome(m->write.leads[i], OUTCOME_DEFERRED, REASON_JOB_OPEN, 0);
    lead_edit_settle(m->edit, &m->write, e);
}

/* After the job was taken: wait, look, settle. */
static int follow(struct move *m, bool wait, struct err *e)
{
    int over = wait ? poll_job(m, e) : 0;
    int left = over > 0 ? find_outcomes(m, e) : 1;
    if (left == 0) {
        for (size_t i = 0; i < m->write.n; i++)
            m->edit->moved += m->write.leads[i]->outcome == OUTCOME_CHANGED;
        return update_job(m, e) != 0 || lead_edit_settle(m->edit, &m->write, e) != 0 ? -1 : 0;
    }
    /* What resume could not prove is not left to it: a copy stays told as its job was told last. */
    struct err late = ERR_INIT;
    if (m->write.op == OP_MOVE)
        lead_edit_leave_open(m->edit, &m->write, REASON_JOB_OPEN, &late);
    else
        settle_untold(m, &late);
    err_clear(&late);
    return over >= 0 && left >= 0 ? 0 : -1;
}

static int not_taken(struct move *m, enum lead_edit_sent sent, const struct api_reply *reply, struct err *e)
{
    int rc = sent == EDIT_REFUSED ? lead_edit_refused_in(m->edit, &m->write, reply, e) : 0;
    for (size_t i = 0; i < m->write.n && sent == EDIT_NOT; i++)
        lead_edit_outcome(m->write.leads[i], OUTCOME_DEFERRED, REASON_INTERRUPTED, 0);
    struct err late = ERR_INIT;
    if (lead_edit_settle(m->edit, &m->write, &late) != 0 && rc == 0)
        rc = err_take(e, &late);
    err_clear(&late);
    return rc;
}

static int move_batch(struct move *m, bool wait, struct err *e)
{
    struct lead_edit *edit = m->edit;
    struct by_hand request;
    struct api_reply reply;
    enum lead_edit_sent sent;
    struct uuid *ids = calloc(m->write.n, sizeof *ids);
    if (ids == NULL)
        return err_oom(e);
    for (size_t i = 0; i < m->write.n; i++)
        ids[i] = m->write.leads[i]->id;
    const struct leads_move move = {*m->from, *m->to, ids, m->write.n};
    int rc = by_hand_move(&request, &move, m->options, e);
    /* A copy leaves the lead as it is. */
    if (rc == 0 && !m->options->copy)
        rc = lead_edit_note_statuses(edit, m->write.leads, m->write.n, e);
    if (rc == 0)
        rc = lead_edit_intent(edit, &m->write, &request, e);
    free(ids);
    if (rc != 0) {
        by_hand_free(&request);
        return -1;
    }
    rc = lead_edit_send(edit, &request, &reply, &sent, e);
    if (sent == EDIT_DONE)
        return accepted(m, &reply, e) != 0 ? -1 : follow(m, wait, e);
    if (sent != EDIT_UNKNOWN)
        return not_taken(m, sent, &reply, e) != 0 ? -1 : rc;
    log_warning("the answer to the move was lost; leadsync resume looks for its job and settles it");
    edit->jobs_n--; /* there is none to tell of */
    return lead_edit_leave_open(edit, &m->write, REASON_OUTCOME_OPEN, e) != 0 ? -1 : rc;
}

/* No value changes: what resume reads of an intent is a lead that wants nothing. */
static int no_values(struct lead_edit *edit, struct str *out, struct err *e)
{
    struct lead_shape shape = {0};
    const struct lead nothing = {.shape = &shape};
    struct buf packed = BUF_INIT(NOTHING_MAX);
    int rc = state_shape_put(edit->state, NULL, 0, &shape.id, e);
    if (rc == 0)
        rc = lead_pack(&nothing, &packed) == 0 && arena_str(&edit->arena, buf_str(&packed), out) == 0 ? 0 : err_oom(e);
    buf_free(&packed);
    return rc;
}

/* `by_place`: only the leads that are in `from`. */
static int move_from(struct lead_edit *edit, const struct target *from, const struct target *to, bool by_place,
                     const struct leads_move_options *options, bool wait, struct err *e)
{
    struct edited_lead **batch = calloc(LEADS_MOVE_MAX, sizeof(struct edited_lead *));
    struct str values;
    int rc = batch == NULL ? err_oom(e) : no_values(edit, &values, e);
    size_t i = 0;
    while (rc == 0 && i < edit->leads_n && !lead_edit_interrupted(edit)) {
        size_t n = 0;
        for (; i < edit->leads_n && n < LEADS_MOVE_MAX; i++)
            if (edit->leads[i].outcome == OUTCOME_NONE && (!by_place || target_eq(&edit->leads[i].place, from)))
                batch[n++] = &edit->leads[i];
        if (n == 0)
            break;
        struct lead_edit_job *jobs = reallocarray(edit->jobs, edit->jobs_n + 1, sizeof *jobs);
        if (jobs == NULL) {
            rc = err_oom(e);
            break;
        }
        edit->jobs = jobs;
        jobs[edit->jobs_n] = (struct lead_edit_job){.total = -1, .moved = -1, .duplicated = -1, .missing_email = -1,
                                            .in_other_campaigns = -1, .blocklisted = -1};
        /* A copy cannot be told from its original later: only a plain move is settled by reading back. */
        struct move m = {
            .edit = edit, .from = from, .to = to, .options = options, .job = &jobs[edit->jobs_n++],
            .write = {.op = options->copy ? OP_HAND : OP_MOVE, .from = from, .to = to, .values = values,
                      .leads = batch, .n = n},
        };
        rc = options->copy ? find_present(&m, e) : 0;
        if (rc == 0)
            rc = move_batch(&m, wait, e);
        else
            edit->jobs_n--; /* there is none to tell of */
        free(m.present);
    }
    free(batch);
    return rc;
}

int lead_edit_move(struct lead_edit *edit, const struct target *from, const struct target *to,
              const struct leads_move_options *options, bool wait, struct err *e)
{
    if (lead_edit_keep_back(edit, to, e) != 0)
        return -1;
    if (from != NULL)
        return move_from(edit, from, to, false, options, wait, e);
    for (size_t i = 0; i < edit->leads_n && !lead_edit_interrupted(edit); i++) {
        const struct target place = edit->leads[i].place; /* a lead that was moved is elsewhere */
        if (edit->leads[i].outcome == OUTCOME_NONE && move_from(edit, &place, to, true, options, wait, e) != 0)
            return -1;
    }
    return 0;
}
