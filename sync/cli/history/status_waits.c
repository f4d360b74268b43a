/* `status` is read in the morning after a bad night: each thing that waits is shown with its count, with what it waits for, and with
 * the command that takes it up. No row is named here, because the output may be public; the command that lists the rows is. */
#include "config.h"

#include "sync/cli/history/status_waits.h"

#include "sync/base/opt.h"
#include "sync/base/text.h"
#include "sync/cli/args/run_words.h"

#include <inttypes.h>
#include <json.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_BYTES = 1 << 16, LINE_BYTES = 1 << 20, WIDTH_DEFAULT = 80 };

int status_waits_name(const struct invocation *inv, struct state *state, struct overview *v, struct err *e)
{
    struct buf name = BUF_INIT(NAME_BYTES);
    int rc = run_words_show_sync(state, inv->operands_n > 0 ? inv->operands[0] : NULL, &name, e);
    if (rc == 0 && inv->common.state != NULL)
        rc = (buf_adds(&name, " --state ") | opt_show_quoted(inv->common.state, &name)) != 0 ? err_oom(e) : 0;
    v->words = rc == 0 && buf_cstr(&name) != NULL ? arena_dup(&v->arena, name.p, name.n) : NULL;
    buf_free(&name);
    return rc != 0 ? -1 : v->words == NULL ? err_oom(e) : 0;
}

/* ---- after a run that failed ---- */

/* What ends the trouble, for a message that says only what it was. NULL: the message says it, as that of a guard does. */
static const char *status_waits_remedy(int exit_code)
{
    switch (exit_code) {
    case XS_SOURCE: return "correct the source";
    case XS_NO_SOURCE: return "make the source available (its path, its permissions, or its server)";
    case XS_API: return "wait until Instantly answers";
    case XS_LOCKED: return "wait until the other run has ended";
    case XS_KEY: return "correct the API key; leadsync check says what it lacks";
    case XS_CONFIG: return "correct the mapping or its target; leadsync check says what is wrong";
    case XS_STATE: return "restore the state, or correct the path that the message names";
    case XS_IO: return "free space on the disk";
    case XS_INTERNAL: return "report the error; leadsync status --audit checks the state";
    default: return NULL;
    }
}

static uint64_t status_waits_rejected_rows(const struct run_record *run)
{
    struct json_object *report = run->report != NULL ? json_tokener_parse(run->report) : NULL, *rows, *n;
    uint64_t rejected = 0;
    if (json_object_object_get_ex(report, "rows", &rows) && json_object_object_get_ex(rows, "rejected", &n))
        rejected = json_object_get_uint64(n);
    json_object_put(report);
    return rejected;
}

/* A saved plan that was refused has changed nothing, so that what was to be done before is still to be done. */
static bool status_waits_refused_plan(const struct run_record *run)
{
    return run->exit_code == XS_GUARD && run->begun != NULL && strstr(run->begun, "\"plan\":{") != NULL;
}

/* What is to be done, without a full stop, and the command for it. Both stay empty if nothing is. */
static int status_waits_add_todo(const struct overview *v, struct buf *what, struct buf *command)
{
    size_t latest = 0;
    while (latest < v->runs_n && status_waits_refused_plan(&v->runs[latest]))
        latest++;
    const struct run_record *run = latest < v->runs_n ? &v->runs[latest] : NULL;
    if (run == NULL || run->finished_ms == 0 || v->detailed)
        return 0;
    const char *cure = status_waits_remedy(run->exit_code);
    const char *verb = "sync", *more = "";
    int bad = 0;
    uint64_t rejected = run->exit_code == XS_LEFT_OVER ? status_waits_rejected_rows(run) : 0;
    if (cure != NULL) {
        bad = buf_addf(what,
                       "run %" PRIu64 " ended with %d: %s, then run the sync again; it continues, and sends no row twice",
                       run->id, run->exit_code, cure);
    } else if (run->exit_code == XS_SIGINT || run->exit_code == XS_SIGTERM) {
        bad = buf_addf(what, "run %" PRIu64 " was interrupted; the next one continues", run->id);
    } else if (run->exit_code == XS_GUARD) {
        bad = buf_addf(what, "a guard stopped run %" PRIu64 " (below); see what it would have done", run->id);
        verb = "diff";
    } else if (rejected > 0) {
        bad = buf_addf(what, "run %" PRIu64 " rejected %" PRIu64 " row%s; write %s to a file, and correct %s there", run->id,
                       rejected, text_plural(rejected), rejected == 1 ? "it" : "them", rejected == 1 ? "it" : "them");
        verb = "rejects";
        more = " --bom -o again.csv";
    } else {
        return 0;
    }
    return bad | buf_addf(command, "leadsync %s %s%s", verb, v->words, more);
}

/* One sentence, parted at the width of the terminal. A command is never parted, so that it can be copied. */
static int status_waits_add_sentence(const struct buf *line, size_t columns, size_t indent, struct buf *out)
{
    return text_wrap(buf_str(line), columns > 0 ? columns : WIDTH_DEFAULT, indent, out) | buf_addc(out, '\n');
}

int status_waits_todo(const struct overview *v, size_t columns, struct buf *out)
{
    struct buf what = BUF_INIT(LINE_BYTES), command = BUF_INIT(LINE_BYTES);
    int bad = buf_adds(&what, "to do: ") | status_waits_add_todo(v, &what, &command);
    if (command.n > 0)
        bad |= buf_addc(out, '\n') | status_waits_add_sentence(&what, columns, 2, out) |
               buf_addf(out, "  %.*s\n", STR_ARG(buf_str(&command)));
    buf_free(&what);
    buf_free(&command);
    return bad;
}

/* ---- rows ---- */

static uint64_t status_waits_without_reason(const struct overview *v)
{
    uint64_t known = 0;
    for (size_t r = REASON_NONE + 1; r < REASON_N; r++)
        known += v->reasons[r];
    return v->retries > known ? v->retries - known : 0;
}

/* Rows of a run that is pruned have no known reason. */
static int status_waits_add_rows(const struct overview *v, size_t columns, struct buf *out)
{
    struct buf line = BUF_INIT(LINE_BYTES);
    int bad = 0;
    for (size_t r = REASON_NONE + 1; r < REASON_N; r++) {
        if (v->reasons[r] == 0)
            continue;
        bad |= buf_addf(&line, "  %" PRIu64 " %s: %s; %s", v->reasons[r], reason_text((enum reason)r),
                        reason_help((enum reason)r), reason_until((enum reason)r)) |
               status_waits_add_sentence(&line, columns, 4, out);
        buf_reset(&line);
    }
    if (status_waits_without_reason(v) > 0)
        bad |= buf_addf(out, "  %" PRIu64 " of runs whose results are no longer kept\n", status_waits_without_reason(v));
    buf_free(&line);
    if (v->retries_run > 0)
        bad |= buf_addf(out, "  to list them:    leadsync results %s --run %" PRIu64 " --outcome failed,deferred\n",
                        v->words, v->retries_run);
    return bad | buf_addf(out, "  to send them:    leadsync sync %s\n", v->words);
}

/* ---- leads to be removed ---- */

static int status_waits_add_removals(const struct overview *v, size_t columns, struct buf *out)
{
    struct buf line = BUF_INIT(LINE_BYTES);
    int bad = buf_addf(out, "%" PRIu64 " lead%s to be removed%s\n", v->removals, v->removals == 1 ? " waits" : "s wait",
                       v->removals_need_all ? "; the next sync reads the whole source" : "");
    if (v->removals_why != NULL)
        bad |= buf_addf(&line, "  because %s", v->removals_why) | status_waits_add_sentence(&line, columns, 4, out);
    buf_free(&line);
    return bad | buf_addf(out, "  to list them:    leadsync results %s --run %" PRIu64 " --outcome failed,deferred\n",
                          v->words, v->removals_run);
}

int status_waits_text(const struct overview *v, size_t columns, struct buf *out)
{
    return (v->retries > 0 ? status_waits_add_rows(v, columns, out) : 0) |
           (v->removals > 0 ? status_waits_add_removals(v, columns, out) : 0);
}

/* ---- JSON ---- */

static void status_waits_json_one(struct jsonw *w, const char *what, const char *reason, uint64_t n, const char *until,
                                  const char *verb, const char *words)
{
    struct buf command = BUF_INIT(NAME_BYTES);
    jsonw_object(w);
    jsonw_member_text(w, "what", what);
    jsonw_member_text(w, "reason", reason);
    jsonw_member_uint(w, "count", n);
    jsonw_member_text(w, "until", until);
    if (buf_addf(&command, "leadsync %s %s", verb, words) == 0)
        jsonw_member_text(w, "command", buf_cstr(&command));
    jsonw_object_end(w);
    buf_free(&command);
}

void status_waits_json(const struct overview *v, struct jsonw *w)
{
    struct buf what = BUF_INIT(LINE_BYTES), command = BUF_INIT(LINE_BYTES);
    if (status_waits_add_todo(v, &what, &command) == 0 && command.n > 0) {
        jsonw_member_object(w, "todo");
        jsonw_member_text(w, "what", buf_cstr(&what));
        jsonw_member_text(w, "command", buf_cstr(&command));
        jsonw_object_end(w);
    } else {
        jsonw_member_null(w, "todo");
    }
    buf_free(&what);
    buf_free(&command);
    jsonw_member_array(w, "waits");
    for (size_t r = REASON_NONE + 1; r < REASON_N; r++)
        if (v->reasons[r] > 0)
            status_waits_json_one(w, "rows", reason_text((enum reason)r), v->reasons[r], reason_until((enum reason)r),
                                  "sync", v->words);
    if (status_waits_without_reason(v) > 0)
        status_waits_json_one(w, "rows", NULL, status_waits_without_reason(v), NULL, "sync", v->words);
    if (v->open_n > 0)
        status_waits_json_one(w, "batches", NULL, v->open_n, "the outcome of their requests is known", "resume", v->words);
    if (v->jobs.n > 0)
        status_waits_json_one(w, "jobs", NULL, v->jobs.n, "Instantly has finished them", "jobs wait", v->words);
    if (v->removals > 0)
        status_waits_json_one(w, "removals", NULL, v->removals,
                              v->removals_why != NULL ? v->removals_why : "the next full read", "sync", v->words);
    if (v->given_up > 0)
        status_waits_json_one(w, "rows", reason_text(REASON_ATTEMPTS_EXHAUSTED), v->given_up,
                              "a sync has read the whole source", "sync", v->words);
    if (v->results_error != NULL)
        status_waits_json_one(w, "results_table", NULL, 1, v->results_error, "resume", v->words);
    jsonw_array_end(w);
}
