/* The journal of by-hand writes: the same intents, outcomes and runs as those of a sync, so that status, results, jobs
 * and resume know them. Entries carry no key, which keeps the memory of the sync's rows as it is, but for deletions. */
#include "config.h"

#include "sync/leads/lead_edit_int.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mappings/mapping.h"
#include "sync/base/log.h"
#include "sync/base/stop.h"
#include "sync/compare/pages.h"
#include "sync/api/http/url.h"
#include "sync/pipeline/run.h"
#include "sync/pipeline/run_fill.h"

enum { STATE_BYTES = 64 << 20, RESUME_BYTES = 256 << 20, ARENA_MAX = 64 << 20, REPORT_MAX = 16 << 20 };

/* The name of a state that by-hand commands make if no state exists. */
static const char own_name[] = "by-hand";

/* ---- opening ---- */

static int open_file(struct lead_edit *edit, enum state_access access_kind, struct err *e)
{
    struct url url;
    if (url_check(edit->c.api->base_url, XS_USAGE, "--api-url", &url, e) != 0)
        return -1;
    const struct state_options options = {
        .path = edit->c.state_path,
        .access = access_kind,
        .sync = access(edit->c.state_path, F_OK) == 0 ? NULL : own_name,
        .api_host = url.loopback ? "loopback" : url.host,
        .memory_max = STATE_BYTES,
        .clock = edit->c.clock,
    };
    int rc = state_open(&options, &edit->state, e);
    if (rc == 1)
        rc = state_missing(edit->c.state_path, e);
    else if (rc == 0 && access_kind == STATE_WRITE)
        rc = state_lock(edit->state, edit->c.wait_lock_ms, e);
    url_free(&url);
    return rc;
}

static int count_open(struct lead_edit *edit, size_t *n, struct err *e)
{
    struct arena arena;
    struct batch *open;
    arena_init(&arena, (size_t)1 << 30);
    int rc = state_batches_open(edit->state, &arena, &open, n, e);
    arena_free(&arena);
    return rc;
}

/* What is open is settled first, as sync does it: by the same code, with a client and a run of its own. */
static int settle_earlier(struct lead_edit *edit, struct err *e)
{
    struct run_report report;
    const struct run_config config = {
        .state_path = edit->c.state_path,
        .api = edit->c.api,
        .clock = edit->c.clock,
        .memory_max = RESUME_BYTES,
        .actor = edit->c.actor,
        .wait_lock_ms = edit->c.wait_lock_ms,
    };
    log_notice("requests of earlier runs are open: they are settled first");
    lead_edit_state_close(edit);
    int rc = run_resume(&config, &report, e);
    run_report_free(&report);
    return rc == 0 ? open_file(edit, STATE_WRITE, e) : -1;
}

/* Another workspace has other leads under the same names. */
static int check_workspace(struct lead_edit *edit, struct err *e)
{
    struct workspace workspace;
    const char *known;
    if (api_workspace_get(edit->api, &edit->arena, &workspace, e) != 0)
        return -1;
    if (workspace.id == NULL)
        return 0;
    edit->workspace = workspace.name;
    if (state_get(edit->state, "workspace", &known, e) < 0)
        return -1;
    if (known != NULL && strcmp(known, workspace.id) != 0)
        return err_set(e, XS_CONFIG,
                       "this state belongs to workspace %s, and the key to workspace %s: use that "
                       "workspace's key, or another --state",
                       known, workspace.id);
    return known != NULL || edit->c.api->read_only ? 0 : state_set(edit->state, "workspace", workspace.id, e);
}

/* A run that died may have settled what it did not merge: only the merged state is asked about people. */
static int take_up_earlier(struct lead_edit *edit, struct err *e)
{
    size_t open_n = 0;
    if (count_open(edit, &open_n, e) != 0 || (open_n > 0 && settle_earlier(edit, e) != 0))
        return -1;
    return state_merge(edit->state, 0, e);
}

int lead_edit_state_open(struct lead_edit *edit, struct err *e)
{
    bool writes = !edit->c.api->read_only;
    if (edit->state != NULL)
        return 0;
    if (open_file(edit, writes ? STATE_WRITE : STATE_READ, e) != 0 || (writes && take_up_earlier(edit, e) != 0))
        return -1;
    if (writes && pages_forget(edit->c.state_path, e) != 0)
        return -1;
    return check_workspace(edit, e) != 0 ? -1 : state_lists_open(edit->state, NULL, NULL, e);
}

int lead_edit_state_read(struct lead_edit *edit, struct err *e)
{
    return open_file(edit, STATE_READ, e);
}

void lead_edit_state_close(struct lead_edit *edit)
{
    state_close(edit->state);
    edit->state = NULL;
    edit->looks_up = false;
}

static int start_record(struct lead_edit *edit, struct err *e)
{
    const struct run_report report = {.actor = edit->c.actor};
    struct buf begun = BUF_INIT(REPORT_MAX);
    struct run_record record = {.started_ms = edit->started_ms, .status = "running", .read = ""};
    record.begun = run_report_begun(&report, &begun) == 0 ? buf_cstr(&begun) : NULL;
    int rc = record.begun == NULL ? err_oom(e) : state_set(edit->state, STATE_PLAN, NULL, e);
    if (rc == 0)
        rc = state_run_start(edit->state, &record, e);
    if (rc == 0)
        edit->run = record.id;
    buf_free(&begun);
    return rc;
}

int lead_edit_begin(struct lead_edit *edit, struct err *e)
{
    return lead_edit_state_open(edit, e) == 0 && start_record(edit, e) == 0 ? lead_edit_upload_open(edit, e) : -1;
}

/* ---- ending ---- */

/* The leads that an error or a signal kept from being written. */
static void defer_rest(struct lead_edit *edit)
{
    for (size_t i = 0; i < edit->leads_n; i++)
        if (edit->leads[i].outcome == OUTCOME_NONE)
            lead_edit_outcome(&edit->leads[i], OUTCOME_DEFERRED, REASON_INTERRUPTED, 0);
}

static void tally(const struct lead_edit *edit, struct tally *t)
{
    for (size_t i = 0; i < edit->leads_n; i++) {
        const struct edited_lead *lead = &edit->leads[i];
        /* In the state it is as if this run had removed them; what the state knew before is no news of this run. */
        if (lead->missing && lead->known_absent)
            continue;
        enum outcome outcome = lead->missing ? OUTCOME_REMOVED : lead->outcome;
        if (outcome != OUTCOME_REMOVED)
            t->read++;
        tally_row(t, outcome, lead->missing ? REASON_NONE : lead->reason);
    }
    t->updated = edit->uploaded.updated;
    t->moved = edit->uploaded.moved;
}

static int write_record(struct lead_edit *edit, struct run_report *report, struct err *e)
{
    struct buf json = BUF_INIT(REPORT_MAX);
    /* clang-format off */
    struct run_record record = {
        .id = edit->run, .started_ms = edit->started_ms, .finished_ms = report->finished_ms, .status = report->status,
        .read = "", .exit_code = (int)report->exit_code,
    };
    /* clang-format on */
    int rc = run_report_json(report, &json);
    record.report = rc == 0 ? buf_cstr(&json) : NULL;
    rc = record.report == NULL ? err_oom(e) : state_run_finish(edit->state, &record, e);
    if (rc == 0)
        rc = state_commit(edit->state, e);
    buf_free(&json);
    return rc;
}

/* `why`: what ended the run; no error: it came to its end. */
static int record(struct lead_edit *edit, enum exit_status status, const struct err *why, struct err *e)
{
    struct run_report report = {.run = edit->run,
                                .command = edit->c.command,
                                .started_ms = edit->started_ms,
                                .exit_code = status,
                                .actor = edit->c.actor};
    report.finished_ms = edit->c.clock->wall_ms(edit->c.clock);
    run_fill_costs(&report, edit->api);
    report.status = status == XS_DONE                             ? "complete"
                    : status == XS_LEFT_OVER                      ? "partial"
                    : status == XS_SIGINT || status == XS_SIGTERM ? "interrupted"
                                                                  : "failed";
    if (why->status != XS_DONE)
        run_report_stopped(&report, why);
    tally(edit, &report.tally);
    report.sync = strdup(state_sync(edit->state));
    int rc = report.sync != NULL && run_fill_jobs(&report, edit->upload) == 0 ? write_record(edit, &report, e) : err_oom(e);
    run_report_free(&report);
    return rc;
}

void lead_edit_record_failure(struct lead_edit *edit, const struct err *why)
{
    struct err late = ERR_INIT;
    if (edit->c.api->read_only || edit->c.state_path == NULL || access(edit->c.state_path, F_OK) != 0)
        return;
    if ((edit->state == NULL && open_file(edit, STATE_WRITE, &late) != 0) || start_record(edit, &late) != 0 ||
        record(edit, why->status, why, &late) != 0)
        log_detail("the failure is not on record: %s", err_text(&late));
    edit->run = 0;
    err_clear(&late);
}

int lead_edit_end(struct lead_edit *edit, int rc, struct err *e)
{
    struct err late = ERR_INIT;
    size_t open_n = 0;
    if (edit->run == 0)
        return rc;
    defer_rest(edit);
    enum exit_status status = rc != 0 ? e->status : lead_edit_status(edit);
    if (rc == 0 && edit->stopped)
        rc = err_set(e, status = (enum exit_status)(128 + stop_requested()), "interrupted; what was in flight is settled");
    int done = state_merge(edit->state, 0, &late);
    if (done == 0)
        done = count_open(edit, &open_n, &late);
    if (open_n > 0)
        log_notice("%zu batch%s open; leadsync resume settles %s", open_n, open_n == 1 ? " stays" : "es stay",
                   open_n == 1 ? "it" : "them");
    if (done == 0)
        done = record(edit, status, e, &late);
    if (done != 0 && rc == 0)
        rc = err_take(e, &late);
    err_clear(&late);
    return rc;
}

/* ---- intents and outcomes ---- */

int lead_edit_target_number(struct lead_edit *edit, const struct target *t, uint32_t *number, struct err *e)
{
    *number = 0;
    if (t == NULL)
        return 0;
    struct target plain = *t;
    plain.name = NULL; /* which name means which id is the sync's to say */
    plain.status = TARGET_STATUS_UNKNOWN;
    if (state_target_called(edit->state, t, e) != 0)
        return -1;
    return state_target_put(edit->state, &plain, false, number, e);
}

int lead_edit_is_forgotten(struct lead_edit *edit, struct str email, bool *forgotten, struct err *e)
{
    struct buf normal = BUF_INIT(ADDRESS_MAX);
    int rc = 0;
    *forgotten = false;
    /* A text that is not an address cannot have been forgotten. */
    if (email.n > 0 && mapping_email_key(email, &normal) == 0)
        rc = state_forgotten_address(edit->state, buf_str(&normal), forgotten, e);
    buf_free(&normal);
    return rc;
}

/* Removals come from no row; everything else is numbered as it was selected. Who was forgotten is not written down
 * again: the id must do. */
struct entry lead_edit_entry(const struct lead_edit *edit, const struct edited_lead *lead, enum op op, struct str values)
{
    struct str email = lead->forgotten ? STR_NONE : lead->email;
    bool deleted = lead->ours && lead->outcome == OUTCOME_REMOVED && lead->reason == REASON_NONE;
    return (struct entry){
        .key = lead->key,
        .key_text = lead->key_text.n > 0 ? lead->key_text : email,
        .email = email,
        .row = op == OP_REMOVE ? 0 : (uint64_t)(lead - edit->leads) + 1,
        .values = values,
        .has_lead_id = lead->has_id,
        .lead_id = lead->id,
        .outcome = lead->missing ? OUTCOME_REMOVED : lead->outcome,
        .reason = lead->missing ? REASON_NONE
                  : deleted     ? REASON_DELETED_THERE
                                : lead->reason,
        .http_status = lead->http_status,
        .detail = lead->detail,
    };
}

int lead_edit_note(struct lead_edit *edit, struct edited_lead *lead, struct err *e)
{
    if (lead_edit_is_forgotten(edit, lead->email, &lead->forgotten, e) != 0)
        return -1;
    const struct entry entry = lead_edit_entry(edit, lead, OP_NONE, STR_NONE);
    return state_entry_add(edit->state, edit->run, 0, &entry, e);
}
