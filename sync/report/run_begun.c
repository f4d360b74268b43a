/* Who began a run and how, and why it ended. These members of the report are also in the run's record, from its start, and in
 * the ping of the watchdog. */
#include "config.h"

#include "sync/report/run_begun.h"

#include <stdlib.h>
#include <string.h>

#include "sync/base/log.h"

enum { MESSAGE_BYTES = 1 << 20 };

/* ---- who and how ---- */

static void actor(struct jsonw *w, const struct run_actor *a)
{
    if (a == NULL) {
        jsonw_member_null(w, "actor");
        return;
    }
    jsonw_member_object(w, "actor");
    jsonw_member_text(w, "user", a->user);
    jsonw_member_text(w, "host", a->host);
    jsonw_member_text(w, "version", a->version);
    jsonw_member_text(w, "command", a->command);
    jsonw_object_end(w);
}

/* True if a later override names the same guard; the last one counts. */
static bool run_begun_is_repeated(const struct run_report *report, size_t at)
{
    size_t n = strcspn(report->overrides[at], "=") + 1;
    for (size_t i = at + 1; i < report->overrides_n; i++)
        if (strncmp(report->overrides[i], report->overrides[at], n) == 0)
            return true;
    return false;
}

static void overrides(struct jsonw *w, const struct run_report *report)
{
    jsonw_member_object(w, "overrides");
    for (size_t i = 0; i < report->overrides_n; i++) {
        const char *text = report->overrides[i];
        size_t n = strcspn(text, "=");
        if (run_begun_is_repeated(report, i))
            continue;
        jsonw_key_str(w, (struct str){text, n});
        jsonw_text(w, text[n] == '=' ? text + n + 1 : "");
    }
    jsonw_object_end(w);
}

void run_begun_json(const struct run_report *report, struct jsonw *w)
{
    actor(w, report->actor);
    jsonw_member_text(w, "mapping_sha256", report->mapping_sha256[0] != '\0' ? report->mapping_sha256 : NULL);
    overrides(w, report);
    if (report->plan == NULL) {
        jsonw_member_null(w, "plan");
        return;
    }
    jsonw_member_object(w, "plan");
    jsonw_member_text(w, "id", report->plan);
    jsonw_object_end(w);
}

int run_report_begun(const struct run_report *report, struct buf *out)
{
    struct jsonw w;
    jsonw_init_output(&w, out);
    jsonw_object(&w);
    run_begun_json(report, &w);
    jsonw_object_end(&w);
    return jsonw_end(&w);
}

/* ---- why it ended ---- */

uint64_t run_report_removals_waiting(const struct run_report *r)
{
    uint64_t own = r->tally.removals_left + r->missing_waiting;
    return own > 0 ? own : r->removals_before;
}

/* Replaces *message by that of the error, without the key. */
static void note_message(const struct err *why, char **message)
{
    struct buf text = BUF_INIT(MESSAGE_BYTES);
    free(*message);
    *message = log_redact(str_from(err_text(why)), &text) == 0 ? str_dup(buf_str(&text)) : NULL;
    buf_free(&text);
}

void run_report_stopped(struct run_report *report, const struct err *why)
{
    report->exit_code = why->status;
    note_message(why, &report->stop_message);
}

void run_report_results_failed(struct run_report *report, const struct err *why)
{
    report->results_wait = true;
    note_message(why, &report->results_error);
}

const char *run_report_stop_kind(const struct run_report *report)
{
    switch (report->exit_code) {
    case XS_DONE:
    case XS_LEFT_OVER:
    case XS_CHANGES: break;
    case XS_GUARD: return report->plan != NULL ? "state" : "guard"; /* a plan that is stale */
    case XS_SOURCE:
    case XS_NO_SOURCE: return "source";
    case XS_USAGE:
    case XS_CONFIG: return "mapping";
    case XS_API: return "api";
    case XS_STATE:
    case XS_IO: return "state";
    case XS_LOCKED: return "lock";
    case XS_KEY: return "key";
    case XS_SIGINT:
    case XS_SIGTERM: return "signal";
    case XS_INTERNAL: return "internal";
    }
    return NULL;
}

void source_json(const char *name, const char *sha256, struct jsonw *w)
{
    if (name == NULL) {
        jsonw_member_null(w, "source");
        return;
    }
    jsonw_member_object(w, "source");
    jsonw_member_text(w, "name", name);
    jsonw_member_text(w, "sha256", sha256 != NULL && sha256[0] != '\0' ? sha256 : NULL);
    jsonw_object_end(w);
}

void guard_json(const struct run_guard *guard, struct jsonw *w)
{
    jsonw_object(w);
    jsonw_member_text(w, "name", guard->name);
    jsonw_member_text(w, "limit", guard->limit);
    jsonw_member_uint(w, "counted", guard->counted);
    jsonw_member_uint(w, "of", guard->of);
    jsonw_member_bool(w, "stops", guard->stops);
    jsonw_object_end(w);
}

void run_stopped_json(const struct run_report *report, struct jsonw *w)
{
    const char *kind = run_report_stop_kind(report);
    if (kind == NULL) {
        jsonw_member_null(w, "stopped_by");
        return;
    }
    jsonw_member_object(w, "stopped_by");
    jsonw_member_text(w, "kind", kind);
    jsonw_member_text(w, "message", report->stop_message);
    jsonw_member_array(w, "guards");
    for (size_t i = 0; i < report->guards_n; i++)
        if (report->exit_code == XS_GUARD && report->guards[i].stops)
            guard_json(&report->guards[i], w);
    jsonw_array_end(w);
    jsonw_object_end(w);
}

int run_report_ping(const struct run_report *report, struct buf *out)
{
    struct jsonw w;
    jsonw_init_output(&w, out);
    jsonw_object(&w);
    jsonw_member_text(&w, "sync", report->sync);
    jsonw_member_ordinal(&w, "run", report->run);
    jsonw_member_text(&w, "status", report->status);
    jsonw_member_int(&w, "exit_code", report->exit_code);
    run_stopped_json(report, &w);
    jsonw_member_text(&w, "results_error", report->results_error);
    tally_json(&report->tally, &w);
    jsonw_member_uint(&w, "removals_waiting", run_report_removals_waiting(report));
    jsonw_object_end(&w);
    return jsonw_end(&w);
}
