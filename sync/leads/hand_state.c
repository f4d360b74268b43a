/* The journal of by-hand writes: the same intents, outcomes and runs as those of a sync, so that status, results, jobs
 * and resume know them. Entries carry no key, which keeps the memory of the sync's rows as it is, but for deletions. */
#include "config.h"

#include "sync/leads/hand_int.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "mappings/mapping.h"
#include "sync/base/log.h"
#include "sync/base/stop.h"
#include "sync/base/url.h"
#include "sync/pipeline/run.h"

enum { STATE_BYTES = 64 << 20, RESUME_BYTES = 256 << 20, ARENA_MAX = 64 << 20, REPORT_MAX = 16 << 20 };

/* The name of a state that by-hand commands make where there is none. */
static const char own_name[] = "by-hand";

/* ---- opening ---- */

static int open_file(struct hand *h, enum state_access access_kind, struct err *e)
{
    struct url url;
    if (url_check(h->c.api->base_url, XS_USAGE, "--api-url", &url, e) != 0)
        return -1;
    const struct state_options options = {
        .path = h->c.state_path,
        .access = access_kind,
        .sync = access(h->c.state_path, F_OK) == 0 ? NULL : own_name,
        .api_host = url.loopback ? "loopback" : url.host,
        .memory_max = STATE_BYTES,
        .clock = h->c.clock,
    };
    int rc = state_open(&options, &h->state, e);
    if (rc == 1)
        rc = state_missing(h->c.state_path, e);
    else if (rc == 0 && access_kind == STATE_WRITE)
        rc = state_lock(h->state, h->c.wait_lock_ms, e);
    url_free(&url);
    return rc;
}

static int count_open(struct hand *h, size_t *n, struct err *e)
{
    struct arena arena;
    struct batch *open;
    arena_init(&arena, (size_t)1 << 30);
    int rc = state_batches_open(h->state, &arena, &open, n, e);
    arena_free(&arena);
    return rc;
}

/* What is open is settled first, as sync does it: by the same code, with a client and a run of its own. */
static int settle_earlier(struct hand *h, struct err *e)
{
    struct run_report report;
    const struct run_config config = {
        .state_path = h->c.state_path,
        .api = h->c.api,
        .clock = h->c.clock,
        .memory_max = RESUME_BYTES,
        .actor = h->c.actor,
        .wait_lock_ms = h->c.wait_lock_ms,
    };
    log_notice("requests of earlier runs are open: they are settled first");
    hand_state_close(h);
    int rc = run_resume(&config, &report, e);
    run_report_free(&report);
    return rc == 0 ? open_file(h, STATE_WRITE, e) : -1;
}

/* Another workspace has other leads under the same names. */
static int check_workspace(struct hand *h, struct err *e)
{
    struct workspace workspace;
    const char *known;
    if (api_workspace_get(h->api, &h->arena, &workspace, e) != 0)
        return -1;
    if (workspace.id == NULL)
        return 0;
    h->workspace = workspace.name;
    if (state_get(h->state, "workspace", &known, e) < 0)
        return -1;
    if (known != NULL && strcmp(known, workspace.id) != 0)
        return err_set(e, XS_CONFIG, "this state belongs to workspace %s, and the key to workspace %s: use that "
                       "workspace's key, or another --state", known, workspace.id);
    return known != NULL || h->c.api->read_only ? 0 : state_set(h->state, "workspace", workspace.id, e);
}

/* A run that died may have settled what it did not merge: only the merged state is asked about people. */
static int take_up_earlier(struct hand *h, struct err *e)
{
    size_t open_n = 0;
    if (count_open(h, &open_n, e) != 0 || (open_n > 0 && settle_earlier(h, e) != 0))
        return -1;
    return state_merge(h->state, 0, e);
}

int hand_state_open(struct hand *h, struct err *e)
{
    bool writes = !h->c.api->read_only;
    if (h->state != NULL)
        return 0;
    if (open_file(h, writes ? STATE_WRITE : STATE_READ, e) != 0 || (writes && take_up_earlier(h, e) != 0))
        return -1;
    return check_workspace(h, e) != 0 ? -1 : state_lists_open(h->state, NULL, NULL, e);
}

int hand_state_read(struct hand *h, struct err *e)
{
    return open_file(h, STATE_READ, e);
}

void hand_state_close(struct hand *h)
{
    state_close(h->state);
    h->state = NULL;
    h->looks_up = false;
}

int hand_begin(struct hand *h, struct err *e)
{
    if (hand_state_open(h, e) != 0)
        return -1;
    const struct run_report report = {.actor = h->c.actor};
    struct buf begun = BUF_INIT(REPORT_MAX);
    struct run_record record = {.started_ms = h->started_ms, .status = "running", .read = ""};
    record.begun = run_report_begun(&report, &begun) == 0 ? buf_cstr(&begun) : NULL;
    int rc = record.begun != NULL ? state_run_start(h->state, &record, e) : err_oom(e);
    if (rc == 0)
        h->run = record.id;
    buf_free(&begun);
    return rc;
}

/* ---- ending ---- */

/* Whom an error or a signal kept from being written. */
static void defer_rest(struct hand *h)
{
    for (size_t i = 0; i < h->leads_n; i++)
        if (h->leads[i].outcome == OUTCOME_NONE)
            hand_outcome(&h->leads[i], OUTCOME_DEFERRED, REASON_INTERRUPTED, 0);
}

static void tally(const struct hand *h, struct tally *t)
{
    for (size_t i = 0; i < h->leads_n; i++) {
        const struct hand_lead *lead = &h->leads[i];
        /* In the state it is as if this run had removed them; what the state knew before is no news of this run. */
        if (lead->missing && lead->known_gone)
            continue;
        enum outcome outcome = lead->missing ? OUTCOME_REMOVED : lead->outcome;
        if (outcome != OUTCOME_REMOVED)
            t->read++;
        tally_row(t, outcome, lead->missing ? REASON_NONE : lead->reason);
    }
    t->updated = h->updated;
    t->moved = h->moved;
}

static int add_jobs(const struct hand *h, struct run_report *report)
{
    report->jobs = calloc(h->jobs_n + 1, sizeof *report->jobs);
    if (report->jobs == NULL)
        return -1;
    report->jobs_n = h->jobs_n;
    for (size_t i = 0; i < h->jobs_n; i++) {
        struct run_job *job = &report->jobs[i];
        *job = (struct run_job){.type = strdup("move-leads"), .status = str_dup(h->jobs[i].status),
                                .total = h->jobs[i].total, .success = h->jobs[i].moved, .failed = -1};
        memcpy(job->id, h->jobs[i].id, sizeof job->id);
        if (job->type == NULL || job->status == NULL)
            return -1;
    }
    return 0;
}

static int write_record(struct hand *h, struct run_report *report, struct err *e)
{
    struct buf json = BUF_INIT(REPORT_MAX);
    struct run_record record = {
        .id = h->run, .started_ms = h->started_ms, .finished_ms = report->finished_ms, .status = report->status,
        .read = "", .exit_code = (int)report->exit_code,
    };
    int rc = run_report_json(report, &json);
    record.report = rc == 0 ? buf_cstr(&json) : NULL;
    rc = record.report == NULL ? err_oom(e) : state_run_finish(h->state, &record, e);
    if (rc == 0)
        rc = state_commit(h->state, e);
    buf_free(&json);
    return rc;
}

/* `why`: what ended the run; no error: it came to its end. */
static int record(struct hand *h, enum exit_status status, const struct err *why, struct err *e)
{
    struct run_report report = {.run = h->run, .command = h->c.command, .started_ms = h->started_ms, .exit_code = status,
                                .actor = h->c.actor};
    struct api_counts counts;
    struct rusage usage;
    api_get_counts(h->api, &counts);
    report.finished_ms = h->c.clock->wall_ms(h->c.clock);
    report.requests_total = counts.total;
    report.requests_retried = counts.retried;
    report.requests_rate_limited = counts.rate_limited;
    report.status = status == XS_DONE                              ? "complete"
                    : status == XS_LEFT_OVER                       ? "partial"
                    : status == XS_SIGINT || status == XS_SIGTERM ? "interrupted"
                                                                   : "failed";
    if (getrusage(RUSAGE_SELF, &usage) == 0)
        report.peak_rss_bytes = (uint64_t)usage.ru_maxrss * 1024;
    if (why->status != XS_DONE)
        run_report_stopped(&report, why);
    tally(h, &report.tally);
    report.sync = strdup(state_sync(h->state));
    int rc = report.sync != NULL && add_jobs(h, &report) == 0 ? write_record(h, &report, e) : err_oom(e);
    run_report_free(&report);
    return rc;
}

int hand_end(struct hand *h, int rc, struct err *e)
{
    struct err late = ERR_INIT;
    size_t open_n = 0;
    if (h->run == 0)
        return rc;
    defer_rest(h);
    enum exit_status status = rc != 0 ? e->status : hand_status(h);
    if (rc == 0 && h->stopped)
        rc = err_set(e, status = (enum exit_status)(128 + stop_requested()), "interrupted; what was in flight is settled");
    int done = state_merge(h->state, 0, &late);
    if (done == 0)
        done = count_open(h, &open_n, &late);
    if (open_n > 0)
        log_notice("%zu batch%s open; leadsync resume settles %s", open_n, open_n == 1 ? " stays" : "es stay",
                   open_n == 1 ? "it" : "them");
    if (done == 0)
        done = record(h, status, e, &late);
    if (done != 0 && rc == 0)
        rc = err_set(e, late.status, "%s", err_text(&late));
    err_clear(&late);
    return rc;
}

/* ---- intents and outcomes ---- */

static int target_number(struct hand *h, const struct target *t, uint32_t *number, struct err *e)
{
    *number = 0;
    if (t == NULL)
        return 0;
    struct target plain = *t;
    plain.name = NULL; /* which name means which id is the sync's to say */
    plain.status = TARGET_STATUS_UNKNOWN;
    if (state_target_called(h->state, t, e) != 0)
        return -1;
    return state_target_put(h->state, &plain, false, number, e);
}

int hand_is_forgotten(struct hand *h, struct str email, bool *forgotten, struct err *e)
{
    struct buf normal = BUF_INIT(ADDRESS_MAX);
    int rc = 0;
    *forgotten = false;
    /* What is no address was nobody's to forget. */
    if (email.n > 0 && mapping_email_key(email, &normal) == 0)
        rc = state_forgotten_address(h->state, buf_str(&normal), forgotten, e);
    buf_free(&normal);
    return rc;
}

/* Removals come from no row; everything else is numbered as it was selected. Who was forgotten is not written down
 * again: the id must do. */
static struct entry entry_of(const struct hand *h, const struct hand_lead *lead, enum op op, struct str values)
{
    struct str email = lead->forgotten ? STR_NONE : lead->email;
    bool deleted = lead->ours && lead->outcome == OUTCOME_REMOVED && lead->reason == REASON_NONE;
    return (struct entry){
        .key = lead->key,
        .key_text = lead->key_text.n > 0 ? lead->key_text : email,
        .email = email,
        .row = op == OP_REMOVE ? 0 : (uint64_t)(lead - h->leads) + 1,
        .values = values,
        .has_lead_id = lead->has_id,
        .lead_id = lead->id,
        .outcome = lead->missing ? OUTCOME_REMOVED : lead->outcome,
        .reason = lead->missing ? REASON_NONE : deleted ? REASON_DELETED_THERE : lead->reason,
        .http_status = lead->http_status,
        .detail = lead->detail,
    };
}

int hand_intent(struct hand *h, struct hand_write *w, const struct by_hand *request, struct err *e)
{
    uint32_t to, from;
    struct entry *entries = arena_calloc(&h->arena, w->n, sizeof *entries);
    if (entries == NULL)
        return err_oom(e);
    if (target_number(h, w->to, &to, e) != 0 || target_number(h, w->from, &from, e) != 0)
        return -1;
    for (size_t i = 0; i < w->n; i++) {
        if (hand_is_forgotten(h, w->leads[i]->email, &w->leads[i]->forgotten, e) != 0)
            return -1;
        entries[i] = entry_of(h, w->leads[i], w->op, w->values);
    }
    w->batch = (struct batch){
        .run = h->run,
        .op = w->op,
        .state = BATCH_SENT,
        .target = to,
        .source = from,
        .sent_ms = h->c.clock->wall_ms(h->c.clock),
        .entries = entries,
        .entries_n = w->n,
    };
    if (by_hand_digest(request, w->batch.body_sha256, e) != 0 || state_batch_add(h->state, &w->batch, e) != 0)
        return -1;
    return state_commit(h->state, e);
}

int hand_accepted(struct hand *h, struct hand_write *w, const char *job, struct err *e)
{
    w->batch.state = BATCH_ACCEPTED;
    w->batch.job = job;
    return state_batch_update(h->state, &w->batch, e) != 0 ? -1 : state_commit(h->state, e);
}

int hand_settle(struct hand *h, struct hand_write *w, struct err *e)
{
    for (size_t i = 0; i < w->n; i++)
        w->batch.entries[i] = entry_of(h, w->leads[i], w->op, w->values);
    w->batch.state = BATCH_DONE;
    return state_batch_settle(h->state, &w->batch, e) != 0 ? -1 : state_commit(h->state, e);
}

int hand_leave_open(struct hand *h, struct hand_write *w, enum reason reason, struct err *e)
{
    for (size_t i = 0; i < w->n; i++)
        hand_outcome(w->leads[i], OUTCOME_DEFERRED, reason, w->leads[i]->http_status);
    if (w->batch.state != BATCH_ACCEPTED)
        w->batch.state = BATCH_UNKNOWN;
    return state_batch_update(h->state, &w->batch, e) != 0 ? -1 : state_commit(h->state, e);
}

int hand_note(struct hand *h, struct hand_lead *lead, struct err *e)
{
    if (hand_is_forgotten(h, lead->email, &lead->forgotten, e) != 0)
        return -1;
    const struct entry entry = entry_of(h, lead, OP_NONE, STR_NONE);
    return state_entry_add(h->state, h->run, 0, &entry, e);
}
