/* The entry points: run_sync() applies, run_diff() shows, run_resume() settles. All share the loop over the source, and
 * all but the dry run end in finish(), which merges, counts, judges and records. */
#include "config.h"

#include "sync/pipeline/run_int.h"
#include "sync/pipeline/rows/conflicting_rows.h"

#ifdef HAVE_MALLOC_TRIM
#include <malloc.h>
#endif
#include <stdlib.h>
#include <string.h>

#include "sync/base/log.h"
#include "sync/base/stop.h"
#include "sync/pipeline/watermark.h"

enum { STEP_ROWS = 64, REPORT_MAX = 16 << 20 };

/* ---- reading ---- */

/* A signal and the deadline end the read in the same way. What was read is settled or deferred, and no removal follows. */
bool run_must_stop(const struct run *r)
{
    return stop_requested() != 0 || (r->deadline_us != 0 && r->c->clock->mono_us(r->c->clock) >= r->deadline_us);
}

static void end_read(struct run *r)
{
    r->read.ended = true;
    conflicting_rows_report(r);
    emptied_values_report(r);
    odd_cells_report(&r->read.odd_cells);
    if (r->source->changed != NULL) {
        /* The source changed during the read, so no lead counts as missing, and the watermark stays where it was. */
        r->report->source_changed = true;
        r->report->read = r->record.read = r->read.kind = "partial";
        log_warning(
            "%s: %s while it was read, so rows may be missing or half old: the read is not complete and removes no lead; "
            "run again when its writer is done",
            r->source->label, r->source->changed);
    }
    const struct source_mark *mark = &r->source->mark;
    if (mark->incremental && mark->null_rows > 0)
        log_notice("%llu row%s no watermark and %s left out: full reads have them", (unsigned long long)mark->null_rows,
                   mark->null_rows == 1 ? " has" : "s have", mark->null_rows == 1 ? "was" : "were");
}

/* The upload is stepped between rows, so that requests and responses move while the source is read. Every 64 rows are
 * enough, because a step costs more than a row. */
static int read_rows(struct run *r, struct err *e)
{
    struct row row;
    uint64_t most = r->c->limit_rows > 0 && mapping_skip_values_n(r->m) == 0 ? r->c->limit_rows : UINT64_MAX;
    for (uint64_t n = 0;; n++) {
        if (n % STEP_ROWS == 0) {
            if (run_must_stop(r))
                return 0;
            run_show_progress(r);
            if (r->upload != NULL && upload_step(r->upload, 0, e) != 0)
                return -1;
        }
        int rc = n < most ? source_next(r->source, &row, e) : 0;
        if (rc < 0 && e->status == XS_LEFT_OVER && run_must_stop(r)) {
            log_notice("%s", err_text(e));
            err_clear(e);
            return 0;
        }
        if (rc == 0)
            end_read(r);
        if (rc <= 0)
            return rc;
        /* A trial (--limit) takes only the first rows. Later rows are still read for opt-outs, so that no person who opts out
         * is mailed. */
        if (r->c->limit_rows > 0 && n >= r->c->limit_rows)
            rc = row_plan_pass(r, &row, e);
        else
            rc = row_plan_take(r, &row, e) != 0 ? -1 : guard_spool_step(r, e);
        if (rc != 0)
            return -1;
    }
}

/* ---- reporting ---- */

void run_report_start(struct run_report *report, const struct run_config *c)
{
    *report = (struct run_report){.started_ms = c->clock->wall_ms(c->clock), .status = "failed"};
    run_report_begin(report, c);
}

static int keyless_text(struct run *r)
{
    struct buf text = BUF_INIT(1 << 16);
    const char *s = missing_keyless_text(r, &text) == 0 ? buf_cstr(&text) : NULL;
    free(r->report->missing_waits_for);
    r->report->missing_waits_for = s != NULL ? strdup(s) : NULL;
    buf_free(&text);
    return r->report->missing_waits_for != NULL ? 0 : -1;
}

/* The exit status by what is left: rows that failed or wait, removals, open batches. A run that did not read its source to
 * the end is partial whatever its rows are. */
static void judge_outcome(struct run *r)
{
    struct tally *t = r->tally;
    uint64_t rejected = t->outcomes[OUTCOME_REJECTED];
    if (r->read.kind == NULL)
        t->removals_left += t->removals_undone; /* No source was read that could ask for them again. */
    r->report->missing_waiting = missing_waiting(r);
    if (r->report->missing_waiting > 0 && keyless_text(r) != 0)
        log_detail("not enough memory to list the rows that delay removals");
    bool left = t->outcomes[OUTCOME_FAILED] > 0 || t->outcomes[OUTCOME_DEFERRED] > 0 ||
                run_report_removals_waiting(r->report) > 0 || r->report->open_batches > 0 || r->report->given_up > 0 ||
                r->report->others_wait > 0 || r->report->results_wait || r->report->source_changed;
    bool rejects = !r->c->rejects_ok && (r->c->new_rejects_only ? rejected > t->known_rejects : rejected > 0);
    r->report->status = !r->read.ended || left ? "partial" : "complete";
    /* resume reports whether rows wait. A sync shows that by the outcomes of its own rows. */
    bool waits = r->read.kind == NULL && r->report->waiting_rows > 0;
    r->report->exit_code = left || rejects || waits || !r->read.ended ? XS_LEFT_OVER : XS_DONE;
}

/* Stores the watermark with its type and with the time that it stands for, because only the database can read its own spelling
 * of a time. A read that found no watermark leaves the old one. So does a read after which a removal is still due: the row
 * that asks for it has to be read again. */
static int advance_watermark(struct run *r, struct err *e)
{
    char ms[32];
    const struct source *s = r->source;
    const char *value = s->ops->watermark != NULL ? s->ops->watermark(r->source) : NULL;
    bool has = watermark_used(r->m);
    bool again = r->m->skip_removes && r->tally->removals_left > 0;
    if (has && (value == NULL || again))
        return 0;
    snprintf(ms, sizeof ms, "%lld", (long long)(r->report->started_ms - s->mark.age_ms));
    if (state_set(r->state, "watermark", has ? value : NULL, e) != 0 ||
        state_set(r->state, "watermark_type", has ? s->mark.type : NULL, e) != 0)
        return -1;
    return state_set(r->state, "watermark_ms", has && s->mark.has_age ? ms : NULL, e);
}

/* Stores what the next run starts from. Called only when everything that was read is durable. */
static int advance(struct run *r, struct err *e)
{
    char text[32];
    if (!r->read.ended || run_is_partial(r) || r->report->source_changed)
        return 0;
    if (strcmp(r->read.kind, "full") == 0) {
        /* Rows of the source only, without retries: the guards of the next run compare it with their own count. While removals
         * wait the number stays, or a source that shrinks a little each night would never be stopped. */
        snprintf(text, sizeof text, "%llu", (unsigned long long)(r->tally->read - r->tally->retried));
        bool waits = missing_waiting(r) > 0 || r->tally->removals_left > 0;
        if ((!waits || r->read.last_full_rows == 0) && state_set(r->state, "last_full_rows", text, e) != 0)
            return -1;
        snprintf(text, sizeof text, "%lld", (long long)r->report->started_ms);
        if (state_set(r->state, "last_full_ms", text, e) != 0)
            return -1;
        /* A whole read answers all of these; run_left_removals() sets again those that still apply. */
        static const char *const reasons[] = {STATE_REMOVALS_WAIT, STATE_REMOVALS_WHY,  STATE_REMOVALS_LEFT,
                                              STATE_CHECK_FIRST,   STATE_OTHER_MAPPING, STATE_OWNERS_UNREAD,
                                              STATE_FULL_STOPPED};
        for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
            if (state_set(r->state, reasons[i], NULL, e) != 0)
                return -1;
        r->read.whole = true;
    }
    if (!r->read.whole && run_left_rows_read(r, e) != 0)
        return -1;
    return advance_watermark(r, e) != 0 || row_key_keep(r, e) != 0 ? -1 : run_keep_mapping(r, e);
}

static int report_interrupted(const struct run *r, struct err *e)
{
    enum exit_status status = (enum exit_status)(128 + stop_requested());
    if (r->report->open_batches > 0)
        return err_set(e, status,
                       "interrupted; the outcome of %llu batch%s is not known yet: run the same command "
                       "again, which first reads it back and then continues",
                       (unsigned long long)r->report->open_batches, r->report->open_batches == 1 ? "" : "es");
    return err_set(e, status, "interrupted; the requests in flight are settled; run the same command again to continue");
}

int run_write_record(struct run *r, struct err *e)
{
    struct buf json = BUF_INIT(REPORT_MAX);
    int rc = run_report_json(r->report, &json);
    r->record.finished_ms = r->report->finished_ms;
    r->record.status = r->report->status;
    r->record.exit_code = (int)r->report->exit_code;
    r->record.report = rc == 0 ? buf_cstr(&json) : NULL;
    rc = r->record.report == NULL ? err_oom(e) : state_run_finish(r->state, &r->record, e);
    if (rc == 0)
        rc = run_left_removals(r, e);
    if (rc == 0)
        rc = state_commit(r->state, e);
    buf_free(&json);
    r->record.report = NULL;
    return rc;
}

static void report_error(struct run *r, const struct err *e)
{
    run_report_stopped(r->report, e);
    r->report->status = e->status == XS_SIGINT || e->status == XS_SIGTERM ? "interrupted" : "failed";
}

/* The upload has freed its batches, but libc keeps that memory in small blocks. The merge needs one large block. */
static void trim_memory(void)
{
#ifdef HAVE_MALLOC_TRIM
    malloc_trim(0);
#endif
}

/* Ends a run, successful or not: merges the journal, counts, sets the exit code and writes the record. `e` holds the error
 * that ended the run, if any. */
static int finish(struct run *r, int rc, struct err *e)
{
    struct err late = ERR_INIT;
    if (r->state != NULL && r->upload != NULL && r->diff == NULL) {
        trim_memory();
        int done = state_merge(r->state, r->refusal_context, &late);
        if (done == 0 && (run_left_finish(r, &late) != 0 || run_left_count(r, &late) != 0))
            done = -1;
        if (done == 0)
            r->report->results_wait = run_write_results(r) != 0;
        if (done == 0 && r->m->keep_runs > 0)
            done = state_prune(r->state, r->m->keep_runs, &late);
        if (done != 0 && rc == 0)
            rc = err_take(e, &late);
    }
    if (rc != 0)
        tally_cut_short(r->tally);
    run_fill_report(r);
    if (rc == 0 && !tally_closes(r->tally))
        rc = err_set(e, XS_INTERNAL, "%llu row%s read, but the sum of the outcomes differs: please report",
                     (unsigned long long)r->tally->read, r->tally->read == 1 ? " was" : "s were");
    /* A signal ended the run, whatever else failed afterwards. */
    if (stop_requested() != 0 && e->status != XS_INTERNAL) {
        if (rc != 0)
            log_warning("%s", err_text(e));
        err_clear(e);
        rc = report_interrupted(r, e);
    }
    if (rc == 0)
        judge_outcome(r);
    if (rc == 0 && run_left_unanswered(r, e))
        rc = -1;
    if (rc != 0)
        report_error(r, e);
    if (rc != 0 && e->status == XS_GUARD && r->record.id != 0 && r->read.kind != NULL && strcmp(r->read.kind, "full") == 0 &&
        state_set(r->state, STATE_FULL_STOPPED, "1", &late) != 0)
        log_detail("cannot note that the next read has to be full: %s", err_text(&late));
    err_clear(&late);
    if (rc != 0 && r->record.id == 0 && run_state_note(r, e) != 0)
        return rc;
    if (r->record.id != 0 && run_write_record(r, &late) != 0 && rc == 0) {
        rc = err_take(e, &late);
        report_error(r, e);
    }
    err_clear(&late);
    return rc;
}

/* ---- sync ---- */

/* Reads, releases what waited, and drains the upload. Only a run that was neither stopped nor failed moves its watermark. */
static int apply_source(struct run *r, struct err *e)
{
    int rc = r->c->plan != NULL ? run_apply_rows(r, e) : read_rows(r, e);
    if (rc == 0 && r->read.ended)
        rc = guard_spool_end(r, e);
    enum reason reason = stop_requested() != 0 || rc != 0 ? REASON_INTERRUPTED : REASON_TIME_BUDGET;
    struct err late = ERR_INIT;
    /* Rows that a guard stopped, or that the user did not confirm, must not be sent by the next run from the retry table. */
    bool keep = rc == 0 || (e->status != XS_GUARD && e->status != XS_USAGE);
    if (rc != 0 || !r->read.ended)
        upload_stop(r->upload, reason);
    int kept = guard_spool_abandon(r, reason, keep, &late);
    /* Wait for requests in flight, even after an error. */
    int drained = upload_drain(r->upload, &late);
    if ((kept != 0 || drained != 0) && rc == 0)
        rc = err_take(e, &late);
    err_clear(&late);
    if (rc != 0 || upload_stopped(r->upload))
        return rc;
    run_left_warn(r);
    row_remote_report(r);
    return advance(r, e);
}

/* Whatever fails in between, finish() merges what is proved and writes the record. */
int run_sync(const struct run_config *config, struct run_report *report, struct err *e)
{
    run_report_start(report, config);
    struct run r = {.c = config, .report = report, .tally = &report->tally, .read.kind = "full"};
    int rc = run_open(&r, e);
    if (rc == 0)
        rc = apply_source(&r, e);
    rc = finish(&r, rc, e);
    run_close(&r);
    return rc;
}

void run_not_begun(const struct run_config *config, const struct err *why, struct run_report *report)
{
    struct err ignored = ERR_INIT;
    run_report_start(report, config);
    struct run r = {.c = config, .report = report, .tally = &report->tally, .m = config->mapping, .opening.named = true};
    run_init(&r);
    report->sync = strdup(r.m->name);
    report->finished_ms = report->started_ms;
    run_report_stopped(report, why);
    if (run_state_note(&r, why) == 0 && run_write_record(&r, &ignored) != 0)
        log_detail("cannot record this run: %s", err_text(&ignored));
    err_clear(&ignored);
    run_close(&r);
}

void run_without_mapping(const struct run_config *config, const char *sync, const struct err *why, struct run_report *report)
{
    run_report_start(report, config);
    struct run r = {.c = config, .report = report, .tally = &report->tally};
    run_init(&r);
    report->sync = strdup(sync);
    report->finished_ms = report->started_ms;
    run_report_stopped(report, why);
    run_state_count(&r, sync);
    run_close(&r);
}

/* ---- resume ---- */

/* No source is read, so that no lead can be missing, and the rows of this run are those that earlier runs left open. */
int run_resume(const struct run_config *config, struct run_report *report, struct err *e)
{
    run_report_start(report, config);
    struct run r = {.c = config, .report = report, .tally = &report->tally, .read.ended = true};
    int rc = run_open_for_resume(&r, e);
    if (rc == 0)
        rc = upload_settle_open(r.upload, e);
    rc = finish(&r, rc, e);
    run_close(&r);
    return rc;
}

/* ---- diff ---- */

int run_workspace_text(struct run *r, const char **out, struct err *e)
{
    const char *id, *name;
    struct buf text = BUF_INIT(REPORT_MAX);
    int bad = 0;
    *out = NULL;
    if (state_get(r->state, "workspace_name", &name, e) != 0)
        return -1;
    if (name != NULL)
        bad = buf_addf(&text, "%s ", name);
    if (state_get(r->state, "workspace", &id, e) != 0) {
        buf_free(&text);
        return -1;
    }
    if (id == NULL)
        id = r->c->api != NULL ? r->c->api->workspace : NULL;
    if (id != NULL) {
        bad |= buf_adds(&text, id);
        *out = bad == 0 ? arena_dup(&r->run_arena, text.p, text.n) : NULL;
    }
    buf_free(&text);
    return id == NULL || *out != NULL ? 0 : err_oom(e);
}

static int send_head(struct run *r, struct err *e)
{
    const char *workspace;
    run_state_report_holder(r);
    if (run_workspace_text(r, &workspace, e) != 0)
        return -1;
    struct target *targets = arena_calloc(&r->run_arena, r->targets.n + 1, sizeof *targets);
    if (targets == NULL)
        return err_oom(e);
    for (size_t i = 0; i < r->targets.mapped_n; i++)
        targets[i] = r->targets.v[i].target;
    struct str *columns = arena_calloc(&r->run_arena, r->source->columns_n + 1, sizeof *columns);
    struct run_record last = {.id = 0};
    if (columns == NULL)
        return err_oom(e);
    for (size_t i = 0; i < r->source->columns_n; i++)
        columns[i] = r->source->columns[i].name;
    if (state_run_get(r->state, 0, &r->run_arena, &last, e) < 0)
        return -1;
    /* clang-format off */
    const struct diff_head head = {
        .sync = r->m->name, .source = r->source->label, .targets = targets, .targets_n = r->targets.mapped_n,
        .at_ms = r->report->started_ms, .workspace = workspace, .has_key = r->m->has_key,
        .secret = state_secret(r->state), .shape = &r->m->shape, .columns = columns, .columns_n = r->source->columns_n,
        .last_run = last.id, .overrides = r->c->overrides, .overrides_n = r->c->overrides_n,
    };
    /* clang-format on */
    return diff_head(r->diff, &head, e);
}

static int new_variables(struct run *r, struct err *e)
{
    struct str *there;
    const struct str *filled;
    size_t there_n;
    int rc = unused_columns_variables(r, &there, &there_n, e);
    if (rc != 1)
        return rc;
    size_t filled_n = mapping_filled(r->m, &filled);
    const char **names = arena_calloc(&r->run_arena, filled_n + 1, sizeof *names);
    if (names == NULL)
        return err_oom(e);
    for (size_t i = 0; i < filled_n; i++) {
        bool known = false;
        for (size_t k = 0; !known && k < LEAD_FIELD_N; k++)
            known = str_is(filled[i], lead_field_table[k].payload) || str_is(filled[i], lead_field_table[k].api);
        for (size_t k = 0; !known && k < there_n; k++)
            known = str_eq(filled[i], there[k]);
        if (known)
            continue;
        names[r->dry.summary.new_variables_n] = arena_dup(&r->run_arena, filled[i].p, filled[i].n);
        if (names[r->dry.summary.new_variables_n++] == NULL)
            return err_oom(e);
    }
    r->dry.summary.new_variables = names;
    return 0;
}

static int finish_diff(struct run *r, struct err *e)
{
    struct diff_summary *s = &r->dry.summary;
    s->read = r->tally->read;
    s->unchanged = r->tally->outcomes[OUTCOME_UNCHANGED];
    s->skipped = r->tally->outcomes[OUTCOME_SKIPPED];
    s->rejected = r->tally->outcomes[OUTCOME_REJECTED];
    s->reasons = r->tally->reasons;
    s->missing_waiting = missing_waiting(r);
    if (s->missing_waiting > 0 && keyless_text(r) != 0)
        return err_oom(e);
    s->waits_for = r->report->missing_waits_for;
    s->guards = r->report->guards;
    s->guards_n = r->report->guards_n;
    s->would_stop = buf_str(&r->guards.warnings);
    s->mapping_sha256 = r->report->mapping_sha256;
    s->source_sha256 = r->source->sha256;
    if (r->opening.scratch_state == NULL && state_serial(r->state, &s->state_serial, e) != 0)
        return -1;
    if (dry_cost_fill(r, e) != 0 || dry_payload_end(r, e) != 0)
        return -1;
    if (s->read != s->create + s->changed + s->unchanged + s->skipped + s->rejected + s->open)
        return err_set(e, XS_INTERNAL, "%llu rows were read, but the sum of the outcomes differs: please report",
                       (unsigned long long)s->read);
    return new_variables(r, e) != 0 ? -1 : diff_finish(r->diff, s, e);
}

int run_plan_rows(struct run *r, struct err *e)
{
    if (read_rows(r, e) != 0)
        return -1;
    if (!r->read.ended)
        return err_set(e, stop_requested() != 0 ? (enum exit_status)(128 + stop_requested()) : XS_LEFT_OVER,
                       stop_requested() != 0 ? "interrupted" : "the time budget ended before the source did");
    return guard_spool_end(r, e);
}

int run_diff(const struct run_config *config, struct diff *diff, struct run_report *report, struct err *e)
{
    run_report_start(report, config);
    struct run r = {.c = config, .report = report, .tally = &report->tally, .diff = diff, .read.kind = "full"};
    int rc = run_open(&r, e);
    if (rc == 0)
        rc = send_head(&r, e);
    if (rc == 0)
        rc = run_plan_rows(&r, e);
    if (rc == 0) {
        run_left_warn(&r);
        row_remote_report(&r);
        rc = finish_diff(&r, e);
    }
    run_fill_report(&r);
    if (rc == 0) {
        report->status = "complete";
        report->exit_code = XS_DONE;
    } else {
        report_error(&r, e);
    }
    run_close(&r);
    return rc;
}
