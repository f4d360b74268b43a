/* The report of a run, as JSON, as text and as metrics for Prometheus. Pure.
 *
 * None of them has lead data, because reports are mailed and metrics files are readable by all. */
#include "config.h"

#include "sync/report/run_begun.h"

#include <stdlib.h>
#include <string.h>

#include "sync/api/api.h"
#include "sync/base/clock.h"
#include "sync/base/text.h"

void run_report_free(struct run_report *report)
{
    for (size_t i = 0; i < report->jobs_n; i++) {
        free(report->jobs[i].type);
        free(report->jobs[i].status);
    }
    free(report->jobs);
    for (size_t i = 0; i < report->targets_n; i++)
        free(report->targets[i].name);
    free(report->targets);
    tally_free(&report->tally);
    free(report->stop_message);
    free(report->results_error);
    free(report->source);
    free(report->sync);
    free(report->workspace);
    free(report->target_text);
    free(report->missing_waits_for);
    *report = (struct run_report){0};
}

/* ---- JSON ---- */

static void jobs(struct jsonw *w, const struct run_report *report)
{
    jsonw_member_array(w, "jobs");
    for (size_t i = 0; i < report->jobs_n; i++) {
        const struct run_job *job = &report->jobs[i];
        jsonw_object(w);
        jsonw_member_text(w, "id", job->id);
        jsonw_member_text(w, "type", job->type);
        jsonw_member_text(w, "status", job->status);
        jsonw_member_count(w, "total", job->total);
        jsonw_member_count(w, "success", job->success);
        jsonw_member_count(w, "failed", job->failed);
        jsonw_object_end(w);
    }
    jsonw_array_end(w);
}

static void targets(struct jsonw *w, const struct run_report *report)
{
    jsonw_member_array(w, "targets");
    for (size_t i = 0; i < report->targets_n; i++) {
        const struct run_target_counts *t = &report->targets[i];
        jsonw_object(w);
        jsonw_member_text(w, "target", t->target);
        jsonw_member_text(w, "name", t->name);
        jsonw_member_uint(w, "created", t->created);
        jsonw_member_uint(w, "changed", t->changed);
        jsonw_member_uint(w, "moved", t->moved);
        jsonw_member_uint(w, "removed", t->removed);
        jsonw_object_end(w);
    }
    jsonw_array_end(w);
}

/* What a diff has, too, so that the two can be put side by side. */
static void basis(struct jsonw *w, const struct run_report *report)
{
    source_json(report->source, report->source_sha256, w);
    if (report->has_state_serial)
        jsonw_member_uint(w, "state_serial", report->state_serial);
    else
        jsonw_member_null(w, "state_serial");
    jsonw_member_array(w, "guards");
    for (size_t i = 0; i < report->guards_n; i++)
        guard_json(&report->guards[i], w);
    jsonw_array_end(w);
}

int run_report_json(const struct run_report *report, struct buf *out)
{
    struct jsonw w;
    jsonw_init_output(&w, out);
    jsonw_object(&w);
    jsonw_member_uint(&w, "version", 1);
    jsonw_member_ordinal(&w, "run", report->run);
    jsonw_member_text(&w, "sync", report->sync);
    if (report->command != NULL)
        jsonw_member_text(&w, "command", report->command);
    jsonw_member_time(&w, "started_at", report->started_ms);
    jsonw_member_time(&w, "finished_at", report->finished_ms);
    jsonw_member_text(&w, "status", report->status);
    jsonw_member_text(&w, "read", report->read);
    tally_json(&report->tally, &w);
    jsonw_member_uint(&w, "removals_waiting", run_report_removals_waiting(report));
    jsonw_member_object(&w, "requests");
    jsonw_member_uint(&w, "total", report->requests_total);
    jsonw_member_uint(&w, "retried", report->requests_retried);
    jsonw_member_uint(&w, "rate_limited", report->requests_rate_limited);
    jsonw_object_end(&w);
    jobs(&w, report);
    jsonw_member_number(&w, "leads_per_second", report->leads_per_second, 1);
    jsonw_member_uint(&w, "peak_rss_bytes", report->peak_rss_bytes);
    jsonw_member_int(&w, "exit_code", report->exit_code);
    run_stopped_json(report, &w);
    jsonw_member_text(&w, "results_error", report->results_error);
    targets(&w, report);
    run_begun_json(report, &w);
    basis(&w, report);
    jsonw_object_end(&w);
    return jsonw_end(&w);
}

/* ---- text ---- */

#define GREEN "\033[32m"
#define YELLOW "\033[33m"
#define RED "\033[31m"
#define OFF "\033[0m"

static const char *status_colour(const struct run_report *report)
{
    if (report->exit_code == XS_DONE)
        return GREEN;
    return report->exit_code == XS_LEFT_OVER ? YELLOW : RED;
}

static int foreign_line(struct buf *out, const char *label, const char *text)
{
    if (text == NULL)
        return 0;
    return buf_adds(out, label) | text_show(str_from(text), 0, out) | buf_addc(out, '\n');
}

/* An override, and what its guard counted. */
static int allowed_line(const struct run_report *r, const char *override, struct buf *out)
{
    size_t n = strcspn(override, "=");
    int bad = buf_adds(out, "Allowed    --guard ") | text_show(str_from(override), 0, out);
    for (size_t i = 0; i < r->guards_n; i++)
        if (strlen(r->guards[i].name) == n && strncmp(r->guards[i].name, override, n) == 0)
            bad |= buf_addf(out, " (%llu of %llu)", (unsigned long long)r->guards[i].counted,
                            (unsigned long long)r->guards[i].of);
    return bad | buf_addc(out, '\n');
}

static int head(const struct run_report *r, bool colour, struct buf *out)
{
    int bad = buf_adds(out, "Run");
    if (r->run > 0)
        bad |= buf_addf(out, " %llu", (unsigned long long)r->run);
    if (r->sync != NULL)
        bad |= buf_adds(out, " of ") | text_show(str_from(r->sync), 0, out);
    bad |= buf_addf(out, ": %s%s%s", colour ? status_colour(r) : "", r->status != NULL ? r->status : "not started",
                    colour ? OFF : "");
    /* The kind is enough, because the message is printed beside the report. */
    if (run_report_stop_kind(r) != NULL)
        bad |= buf_addf(out, " (%s)", run_report_stop_kind(r));
    if (r->finished_ms > r->started_ms && r->started_ms > 0)
        bad |= buf_addf(out, " after %.1f s", (double)(r->finished_ms - r->started_ms) / 1000);
    bad |= buf_addc(out, '\n');
    bad |= foreign_line(out, "Workspace  ", r->workspace) | foreign_line(out, "Target     ", r->target_text);
    if (r->read != NULL)
        bad |= buf_addf(out, "Read       %s", r->read);
    if (r->read != NULL && r->limit_rows > 0)
        bad |= buf_addf(out, ": a trial of the first %llu row%s (--limit)", (unsigned long long)r->limit_rows,
                        text_plural(r->limit_rows));
    bad |= r->read != NULL ? buf_addc(out, '\n') : 0;
    for (size_t i = 0; i < r->overrides_n; i++)
        bad |= allowed_line(r, r->overrides[i], out);
    return bad;
}

/* With one target the counts of the rows are those of the target. */
static int target_lines(const struct run_report *r, struct buf *out)
{
    int bad = r->targets_n > 1 ? buf_addf(out, "\nTargets %14s %10s %10s %10s\n", "created", "changed", "moved", "removed")
                               : 0;
    for (size_t i = 0; i < r->targets_n && r->targets_n > 1; i++) {
        const struct run_target_counts *t = &r->targets[i];
        bad |= buf_addf(out, "  %20llu %10llu %10llu %10llu  %.*s", (unsigned long long)t->created,
                        (unsigned long long)t->changed, (unsigned long long)t->moved, (unsigned long long)t->removed,
                        t->name != NULL ? (int)strcspn(t->target, ":") : (int)sizeof t->target, t->target);
        if (t->name != NULL)
            bad |= buf_adds(out, " \"") | text_show(str_from(t->name), 0, out) | buf_addc(out, '"');
        bad |= buf_addc(out, '\n');
    }
    return bad;
}

static int run_report_count_line(struct buf *out, const char *what, uint64_t n, const char *note)
{
    if (n == 0)
        return 0;
    return buf_addf(out, "  %-10s %10llu%s%s\n", what, (unsigned long long)n, *note != '\0' ? "  " : "", note);
}

/* After a guard or a refusal the user has to act first, so the rows held back are not announced for the next sync. */
static const char *deferred_note(const struct run_report *r)
{
    const struct tally *t = &r->tally;
    if (r->exit_code == XS_USAGE)
        return "not confirmed, nothing was sent";
    if (r->exit_code != XS_GUARD)
        return "the next sync takes them first";
    bool wrote = t->outcomes[OUTCOME_CREATED] + t->outcomes[OUTCOME_REMOVED] + t->updated + t->moved + t->settled > 0 ||
                 r->open_batches > 0;
    return wrote ? "the guard stopped the run before they were sent" : "the guard stopped the run, nothing was written";
}

/* The outcomes, the most wanted first. Zeroes are not shown, except for the rows read. */
static int rows(const struct run_report *r, struct buf *out)
{
    const struct tally *t = &r->tally;
    int bad = buf_addf(out, "\n  %-10s %10llu\n", "read", (unsigned long long)t->read);
    bad |= run_report_count_line(out, "created", t->outcomes[OUTCOME_CREATED], "");
    bad |= run_report_count_line(out, "changed", t->outcomes[OUTCOME_CHANGED], "");
    bad |= run_report_count_line(out, "  updated", t->updated, "");
    bad |= run_report_count_line(out, "  moved", t->moved, "");
    bad |= run_report_count_line(out, "unchanged", t->outcomes[OUTCOME_UNCHANGED], "");
    bad |= run_report_count_line(out, "skipped", t->outcomes[OUTCOME_SKIPPED], "");
    bad |= run_report_count_line(out, "rejected", t->outcomes[OUTCOME_REJECTED],
                                 "leadsync rejects lists them, to be corrected");
    bad |= run_report_count_line(out, "failed", t->outcomes[OUTCOME_FAILED], "the next sync tries again");
    bad |= run_report_count_line(out, "deferred", t->outcomes[OUTCOME_DEFERRED], deferred_note(r));
    bad |= run_report_count_line(out, "removed", t->outcomes[OUTCOME_REMOVED], "leads");
    bad |= run_report_count_line(out, "removals", t->removals_left,
                                 t->removals_left == 1 ? "lead waits to be removed" : "leads wait to be removed");
    bad |= run_report_count_line(out, "waiting", r->missing_waiting,
                                 r->missing_waiting == 1
                                     ? "lead is missing, and not removed while rows have no usable key"
                                     : "leads are missing, and not removed while rows have no usable key");
    bad |= run_report_count_line(out, "settled", t->settled, "rows of earlier runs");
    bad |= run_report_count_line(out, "retried", t->retried, "rows of earlier runs, tried again");
    return bad;
}

static int run_report_reasons(const struct run_report *report, struct buf *out)
{
    const struct tally *t = &report->tally;
    bool any = false;
    int bad = 0;
    for (size_t r = REASON_NONE + 1; r < REASON_N; r++) {
        if (t->reasons[r] == 0)
            continue;
        bad |= any ? 0 : buf_adds(out, "\nReasons\n");
        any = true;
        bad |= buf_addf(out, "  %-20s %10llu  %s\n", reason_text((enum reason)r), (unsigned long long)t->reasons[r],
                        r == REASON_INTERRUPTED && report->exit_code == XS_GUARD
                            ? "the guard stopped the run before this row was sent"
                            : reason_help((enum reason)r));
    }
    return bad;
}

static uint64_t removals_before(const struct run_report *r)
{
    return r->tally.removals_left + r->missing_waiting > 0 ? 0 : r->removals_before;
}

/* What is left to do, and how. Empty if nothing is. */
static int left_over(const struct run_report *r, bool colour, struct buf *out)
{
    int bad = 0;
    if (r->tally.skipped_active > 0)
        bad |= buf_addf(out, "\n%sWarning:%s %llu skipped %s active in Instantly and may still be mailed\n",
                        colour ? YELLOW : "", colour ? OFF : "", (unsigned long long)r->tally.skipped_active,
                        r->tally.skipped_active == 1 ? "row belongs to a lead that is" : "rows belong to leads that are");
    if (r->open_batches + r->open_jobs > 0)
        bad |= buf_addf(out, "\nStill open: %llu batch%s, %llu job%s; leadsync resume settles them\n",
                        (unsigned long long)r->open_batches, r->open_batches == 1 ? "" : "es",
                        (unsigned long long)r->open_jobs, text_plural(r->open_jobs));
    if (r->missing_waits_for != NULL)
        bad |= buf_addf(out, "\nThe removals wait: %s\n", r->missing_waits_for);
    uint64_t before = removals_before(r);
    if (before > 0)
        bad |= buf_addf(out, "\n%llu lead%s of an earlier run wait%s to be removed%s\n", (unsigned long long)before,
                        text_plural(before), before == 1 ? "s" : "",
                        r->removals_need_all ? "; the next sync reads the whole source" : "");
    if (r->results_error != NULL)
        bad |= foreign_line(out, "\nThe table of results_to is not written: ", r->results_error) |
               buf_adds(out, "The next sync, or leadsync resume, writes it\n");
    if (r->waiting_rows > 0)
        bad |= buf_addf(out, "\n%llu row%s for the next sync\n", (unsigned long long)r->waiting_rows,
                        r->waiting_rows == 1 ? " waits" : "s wait");
    uint64_t no_room = r->tally.reasons[REASON_PLAN_FULL];
    if (no_room > 0)
        bad |= buf_addf(out, "%llu row%s until the plan has room: delete leads in Instantly, or enlarge the plan\n",
                        (unsigned long long)no_room, no_room == 1 ? " waits" : "s wait");
    if (r->given_up > 0)
        bad |=
            buf_addf(out,
                     "\n%llu row%s given up (attempts_exhausted); the next sync reads the whole source and tries %s again\n",
                     (unsigned long long)r->given_up, r->given_up == 1 ? " was" : "s were",
                     r->given_up == 1 ? "it" : "them");
    return bad;
}

int run_report_text(const struct run_report *report, bool colour, struct buf *out)
{
    int bad = head(report, colour, out) | rows(report, out) | target_lines(report, out) | run_report_reasons(report, out);
    bad |= left_over(report, colour, out);
    bad |= buf_addf(out, "\n%llu request%s", (unsigned long long)report->requests_total,
                    text_plural(report->requests_total));
    if (report->requests_retried > 0)
        bad |= buf_addf(out, ", %llu sent again", (unsigned long long)report->requests_retried);
    if (report->requests_rate_limited > 0)
        bad |= buf_addf(out, ", %llu rate-limited", (unsigned long long)report->requests_rate_limited);
    if (report->leads_per_second > 0)
        bad |= buf_addf(out, ", %.1f leads/s", report->leads_per_second);
    if (report->peak_rss_bytes > 0)
        bad |= buf_addf(out, ", %.0f MB of memory at most", (double)report->peak_rss_bytes / (1 << 20));
    return bad | buf_addc(out, '\n');
}

/* ---- one line ---- */

static int part(struct buf *out, const char **between, uint64_t n, const char *what)
{
    int bad = n > 0 ? buf_addf(out, "%s%llu %s", *between, (unsigned long long)n, what) : 0;
    if (n > 0)
        *between = ", ";
    return bad;
}

int run_report_brief(const struct run_report *r, struct buf *out)
{
    const struct tally *t = &r->tally;
    const char *between = ": ";
    int bad = text_show(str_from(r->sync), 0, out);
    bad |= part(out, &between, t->outcomes[OUTCOME_REJECTED], "rejected");
    bad |= part(out, &between, t->outcomes[OUTCOME_FAILED], "failed");
    bad |= part(out, &between, t->outcomes[OUTCOME_DEFERRED], "deferred");
    bad |= part(out, &between, run_report_removals_waiting(r), "not removed yet");
    bad |= part(out, &between, r->given_up, "given up");
    bad |= part(out, &between, r->others_wait, "waiting as another mapping made them");
    const char *before = between;
    between = " (";
    /* In the order of the enum the reasons to skip a row come first; they need no action. */
    for (size_t reason = REASON_EMAIL_MISSING; reason < REASON_N; reason++)
        if (t->reasons[reason] > 0) {
            bad |= buf_addf(out, "%s%s %llu", between, reason_text((enum reason)reason),
                            (unsigned long long)t->reasons[reason]);
            between = ", ";
        }
    if (between[0] == ',')
        bad |= buf_addc(out, ')');
    between = before;
    bad |= part(out, &between, r->open_batches,
                r->open_batches == 1 ? "request of unknown outcome" : "requests of unknown outcome");
    bad |= part(out, &between, r->open_jobs, r->open_jobs == 1 ? "background job" : "background jobs");
    bool unread = between[0] == ':' && !r->source_changed && !r->results_wait;
    if (r->results_wait)
        bad |= buf_addf(out, "%sthe table of results_to is not written", between);
    between = r->results_wait ? ", " : between;
    if (r->source_changed)
        bad |= buf_addf(out, "%snot complete, as the source changed while it was read; run again when its writer is done",
                        between);
    if (r->missing_waits_for != NULL)
        bad |= buf_addf(out, "; %s", r->missing_waits_for);
    if (unread)
        bad |= buf_adds(out, ": the source was not read to its end");
    if (t->outcomes[OUTCOME_REJECTED] > 0)
        bad |= buf_adds(out, "; leadsync rejects lists the rows to correct");
    bool before_all = removals_before(r) > 0 && r->removals_need_all;
    if (r->given_up + r->others_wait > 0 || before_all)
        bad |= buf_adds(out, "; the next sync reads the whole source");
    /* A further sync does not help with rejects, which the user has to correct, with leads that are gone, and with removals that
     * wait for rows with a key. */
    uint64_t over = t->reasons[REASON_GONE_THERE] + t->reasons[REASON_ATTEMPTS_EXHAUSTED];
    uint64_t waits = t->outcomes[OUTCOME_FAILED] - over + t->outcomes[OUTCOME_DEFERRED] + t->removals_left +
                     r->open_batches + r->open_jobs + (before_all ? 0 : removals_before(r));
    /* Rows of --input are not in the source of the next sync. */
    if (unread && r->read != NULL && strcmp(r->read, "partial") == 0)
        return bad | buf_adds(out, "; run the same command again to continue");
    if (r->results_wait && waits == 0)
        return bad | buf_adds(out, "; the next sync writes it");
    return bad | (waits > 0 || unread ? buf_adds(out, "; the next sync continues with the rest") : 0);
}

/* ---- metrics ---- */

/* Names of enum api_kind. */
static const char *const request_kinds[] = {
    [API_KIND_ADD] = "add",   [API_KIND_LIST] = "list", [API_KIND_PATCH] = "patch", [API_KIND_DELETE] = "delete",
    [API_KIND_MOVE] = "move", [API_KIND_JOBS] = "jobs", [API_KIND_OTHER] = "other",
};

/* All values of run_report_stop_kind(). Each has a sample, so that a query need not know which one occurs. */
static const char *const stop_kinds[] = {"guard", "source", "mapping", "state", "api", "key", "lock", "signal", "internal"};

static int gauge(struct buf *out, const char *name, const char *help)
{
    return buf_addf(out, "# HELP leadsync_%s %s\n# TYPE leadsync_%s gauge\n", name, help, name);
}

/* A label's value: backslash, quote and newline are escaped. */
static int label(struct buf *out, const char *name, const char *text)
{
    int bad = buf_addf(out, "%s=\"", name);
    for (const char *p = text != NULL ? text : ""; *p != '\0'; p++) {
        if (*p == '\n')
            bad |= buf_adds(out, "\\n");
        else if (*p == '\\' || *p == '"')
            bad |= buf_addc(out, '\\') | buf_addc(out, *p);
        else
            bad |= buf_addc(out, *p);
    }
    return bad | buf_addc(out, '"');
}

/* One gauge with the sync as its only label; `text` is the number. */
static int plain(struct buf *out, const struct run_report *r, const char *name, const char *help, double value, int decimals)
{
    int bad = gauge(out, name, help) | buf_addf(out, "leadsync_%s{", name) | label(out, "sync", r->sync);
    return bad | buf_addf(out, "} %.*f\n", decimals, value);
}

static int labelled(struct buf *out, const struct run_report *r, const char *name, const char *key, const char *value,
                    uint64_t n)
{
    int bad = buf_addf(out, "leadsync_%s{", name) | label(out, "sync", r->sync) | buf_addc(out, ',') |
              label(out, key, value);
    return bad | buf_addf(out, "} %llu\n", (unsigned long long)n);
}

int run_report_metrics(const struct run_report *report, int64_t last_success_ms, int64_t watermark_lag_ms, struct buf *out)
{
    const struct run_report *r = report;
    int bad = gauge(out, "rows", "Rows of the latest run by outcome; removed counts leads.");
    for (size_t o = OUTCOME_CREATED; o < OUTCOME_N; o++)
        bad |= labelled(out, r, "rows", "outcome", outcome_text((enum outcome)o), r->tally.outcomes[o]);
    bad |= plain(out, r, "last_success_timestamp_seconds", "When a run last left nothing over; 0 is never.",
                 (double)last_success_ms / 1000, 3);
    bad |= plain(out, r, "last_run_timestamp_seconds", "When the latest run ended.", (double)r->finished_ms / 1000, 3);
    bad |= plain(out, r, "exit_code", "Exit status of the latest run.", (double)r->exit_code, 0);
    bad |= gauge(out, "stopped_by", "What ended the latest run is 1, all else is 0.");
    for (size_t k = 0; k < sizeof stop_kinds / sizeof stop_kinds[0]; k++) {
        const char *kind = run_report_stop_kind(r);
        bad |= labelled(out, r, "stopped_by", "kind", stop_kinds[k], kind != NULL && strcmp(kind, stop_kinds[k]) == 0);
    }
    int64_t took_ms = r->finished_ms > r->started_ms ? r->finished_ms - r->started_ms : 0;
    bad |= plain(out, r, "duration_seconds", "How long the latest run took.", (double)took_ms / 1000, 3);
    bad |= gauge(out, "requests", "API requests of the latest run by kind.");
    for (size_t k = 0; k < sizeof request_kinds / sizeof request_kinds[0]; k++)
        bad |= labelled(out, r, "requests", "kind", request_kinds[k], r->requests_by_kind[k]);
    bad |= plain(out, r, "removals_waiting", "Leads that wait to be removed.", (double)run_report_removals_waiting(r), 0);
    bad |= plain(out, r, "open_batches", "Batches whose outcome is not settled yet.", (double)r->open_batches, 0);
    bad |= plain(out, r, "open_jobs", "Background jobs that have not ended yet.", (double)r->open_jobs, 0);
    bad |= plain(out, r, "results_waiting", "Whether the table of results_to waits to be written.", r->results_wait, 0);
    /* A sync without a watermark has no lag, and so no sample. */
    if (watermark_lag_ms >= 0)
        bad |= plain(out, r, "watermark_lag_seconds", "Age of the watermark that the next run starts from.",
                     (double)watermark_lag_ms / 1000, 3);
    return bad;
}
