#include "config.h"

#include "sync/cli/history/status_run.h"

#include "sync/base/text.h"

#include <inttypes.h>
#include <json.h>
#include <stdlib.h>
#include <string.h>

enum { WIDTH_DEFAULT = 80, INDENT = 5, LINE_BYTES = 1 << 20, SHA_SHOWN = 12 };

static struct json_object *parse(const char *text)
{
    return text != NULL ? json_tokener_parse(text) : NULL;
}

/* Borrowed; NULL: the member is missing, or null. */
static struct json_object *member(struct json_object *of, const char *key)
{
    struct json_object *value = NULL;
    return of != NULL && json_object_object_get_ex(of, key, &value) ? value : NULL;
}

static const char *text_of(struct json_object *of, const char *key)
{
    struct json_object *value = member(of, key);
    return value != NULL ? json_object_get_string(value) : NULL;
}

/* ---- JSON ---- */

/* What a run has on record from its start, see run_report_begun(). */
static const char *const begun_members[] = {"actor", "mapping_sha256", "overrides"};

static void raw_member(struct jsonw *w, const char *key, struct json_object *of)
{
    struct json_object *value = member(of, key);
    const char *json = value != NULL ? json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN) : NULL;
    jsonw_member_raw(w, key, str_from(json));
}

void status_run_json(struct jsonw *w, const struct run_record *run)
{
    jsonw_object(w);
    jsonw_member_uint(w, "run", run->id);
    jsonw_member_time(w, "started_at", run->started_ms);
    jsonw_member_time(w, "finished_at", run->finished_ms);
    jsonw_member_text(w, "status", run->status);
    jsonw_member_text(w, "read", run->read);
    if (run->finished_ms > 0)
        jsonw_member_int(w, "exit_code", run->exit_code);
    else
        jsonw_member_null(w, "exit_code");
    struct json_object *report = parse(run->report), *begun = parse(run->begun);
    raw_member(w, "stopped_by", report);
    for (size_t i = 0; i < sizeof begun_members / sizeof begun_members[0]; i++)
        raw_member(w, begun_members[i], begun);
    jsonw_member_raw(w, "report", str_from(run->report));
    jsonw_object_end(w);
    json_object_put(report);
    json_object_put(begun);
}

/* ---- text ---- */

/* Appends a count and its name when there is anything to count. */
static int add_count(struct json_object *rows, const char *name, const char *text, const char **between, struct buf *out)
{
    struct json_object *count;
    int64_t n = json_object_object_get_ex(rows, name, &count) ? json_object_get_int64(count) : 0;
    if (n <= 0)
        return 0;
    int bad = buf_addf(out, "%s%" PRId64 " %s", *between, n, text);
    *between = ", ";
    return bad;
}

/* The outcomes of the rows, which add up to the rows read, and then counts of leads. An edit by hand reads no rows, so its line
 * begins with its `command`. */
static int status_run_add_counts(struct json_object *rows, const char *read_as, const char *command, struct buf *out)
{
    static const char *const outcomes[] = {"created", "changed", "unchanged", "skipped", "rejected", "failed", "deferred"};
    static const char *const operations[][2] = {{"updated", "updated"},
                                                {"moved", "moved"},
                                                {"removed", "removed"},
                                                {"settled", "of earlier runs settled"},
                                                {"skipped_active", "skipped but active there"}};
    struct json_object *read = NULL;
    int64_t n = json_object_object_get_ex(rows, "read", &read) ? json_object_get_int64(read) : 0;
    bool looked = read != NULL && read_as != NULL && read_as[0] != '\0';
    int bad = looked ? buf_addf(out, "%" PRId64 " read", n) : command != NULL ? buf_adds(out, command) : 0;
    const char *between = out->n > 0 ? ": " : "";
    for (size_t i = 0; i < sizeof outcomes / sizeof outcomes[0]; i++)
        bad |= add_count(rows, outcomes[i], outcomes[i], &between, out);
    between = between[0] == ',' ? "; " : between;
    for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++)
        bad |= add_count(rows, operations[i][0], operations[i][1], &between, out);
    return bad;
}

/* `sync --limit N`: a partial read that is meant to be one. The option stands in the command line on record. */
static int add_trial(const struct run_record *run, struct json_object *begun, struct buf *out)
{
    static const char option[] = "--limit";
    const char *command = text_of(member(begun, "actor"), "command");
    uint64_t rows = 0;
    if (command == NULL || run->read == NULL || strcmp(run->read, "partial") != 0)
        return 0;
    for (; *(command += strcspn(command, " ")) != '\0';) {
        const char *word = ++command, *value = word + sizeof option - 1;
        if (strncmp(word, option, sizeof option - 1) == 0 && (*value == ' ' || *value == '='))
            rows = strtoull(value + 1, NULL, 10);
    }
    return rows == 0
               ? 0
               : buf_addf(out, "%sa trial of the first %" PRIu64 " row%s", out->n > 0 ? "; " : "", rows, text_plural(rows));
}

/* Was it begun by `resume`? Options may stand before that word. */
static bool is_resume(const struct run_record *run, struct json_object *begun)
{
    const char *command = text_of(member(begun, "actor"), "command");
    if (command == NULL || (run->read != NULL && run->read[0] != '\0'))
        return false;
    while (*(command += strcspn(command, " ")) != '\0') {
        command++;
        struct str word = {command, strcspn(command, " ")};
        if (str_is(word, "sync"))
            return false;
        if (str_is(word, "resume"))
            return true;
    }
    return false;
}

/* A run that was killed left no report. What it had begun is in its batches. */
static int add_unfinished(const struct overview *v, const struct run_record *run, struct buf *out)
{
    uint64_t rows = 0;
    size_t batches = 0;
    for (size_t i = 0; i < v->open_n; i++) {
        batches += v->open[i].run == run->id;
        rows += v->open[i].run == run->id ? v->open[i].entries_n : 0;
    }
    bool alive = run->status != NULL && strcmp(run->status, "running") == 0;
    int bad = buf_adds(out, alive ? "still at work" : "stopped before its end");
    if (batches > 0)
        bad |= buf_addf(out, ": %zu batch%s with %" PRIu64 " row%s %s open", batches, batches == 1 ? "" : "es", rows,
                        text_plural(rows), batches == 1 ? "is" : "are");
    if (!alive)
        bad |= buf_adds(out, batches > 0 ? "; the next sync or leadsync resume continues" : "; nothing is open");
    return bad;
}

/* Appends text in lines of at most `columns`, indented; broken between words. */
static int add_wrapped(struct str text, size_t columns, struct buf *out)
{
    size_t width = columns > INDENT + 20 ? columns - INDENT : 20;
    int bad = 0;
    while (text.n > 0 && bad == 0) {
        size_t n = text.n;
        if (n > width)
            for (n = width; n > 0 && text.p[n] != ' '; n--)
                continue;
        n = n > 0 ? n : width;
        bad = buf_addf(out, "%*s%.*s\n", INDENT, "", (int)n, text.p);
        n += n < text.n && text.p[n] == ' ';
        text = (struct str){text.p + n, text.n - n};
    }
    return bad;
}

/* What ended the run. A message of several lines, as a caret below a query has, keeps them as they are. */
static int show_stop(struct json_object *report, size_t columns, struct buf *out)
{
    struct json_object *stop = member(report, "stopped_by");
    struct buf line = BUF_INIT(LINE_BYTES);
    const char *kind = text_of(stop, "kind"), *message = text_of(stop, "message");
    if (kind == NULL)
        return 0;
    const char *rest = message != NULL ? message : "";
    size_t n = strcspn(rest, "\n");
    int bad = buf_addf(&line, "stopped by %s: ", kind) | buf_add(&line, rest, n) | add_wrapped(buf_str(&line), columns, out);
    for (rest += n; *rest != '\0' && bad == 0; rest += n) {
        rest++;
        n = strcspn(rest, "\n");
        bad |= n > 0 ? buf_addf(out, "%*s%.*s\n", INDENT, "", (int)n, rest) : 0;
    }
    buf_free(&line);
    return bad;
}

/* The reasons of the rows, in the order of the report. */
static int show_reasons(struct json_object *report, size_t columns, struct buf *out)
{
    struct json_object *reasons = member(report, "reasons");
    struct buf line = BUF_INIT(LINE_BYTES);
    const char *between = "reasons: ";
    int bad = 0;
    if (!json_object_is_type(reasons, json_type_object))
        return 0;
    struct json_object_iterator at = json_object_iter_begin(reasons), end = json_object_iter_end(reasons);
    for (; !json_object_iter_equal(&at, &end); json_object_iter_next(&at)) {
        bad |= buf_addf(&line, "%s%s %" PRId64, between, json_object_iter_peek_name(&at),
                        json_object_get_int64(json_object_iter_peek_value(&at)));
        between = ", ";
    }
    bad |= add_wrapped(buf_str(&line), columns, out);
    buf_free(&line);
    return bad;
}

/* The run did its work, but the table of results_to: could not be written. */
static int show_results_error(struct json_object *report, size_t columns, struct buf *out)
{
    const char *message = text_of(report, "results_error");
    struct buf line = BUF_INIT(LINE_BYTES);
    int bad = message == NULL ? 0
                              : buf_adds(&line, "results_to: ") | text_show(str_from(message), 0, &line) |
                                    add_wrapped(buf_str(&line), columns, out);
    buf_free(&line);
    return bad;
}

static int add_text(struct buf *out, const char *before, const char *text)
{
    return text != NULL && *text != '\0' ? buf_adds(out, before) | text_show(str_from(text), 0, out) : 0;
}

static int add_overrides(struct json_object *overrides, struct buf *out)
{
    int bad = 0;
    if (!json_object_is_type(overrides, json_type_object))
        return 0;
    struct json_object_iterator at = json_object_iter_begin(overrides), end = json_object_iter_end(overrides);
    for (; !json_object_iter_equal(&at, &end); json_object_iter_next(&at))
        bad |= add_text(out, ", --guard ", json_object_iter_peek_name(&at)) |
               add_text(out, "=", json_object_get_string(json_object_iter_peek_value(&at)));
    return bad;
}

/* Who, where, with which mapping, and what the command line allowed. */
static int show_begin(struct json_object *begun, bool detailed, size_t columns, struct buf *out)
{
    struct json_object *actor = member(begun, "actor"), *overrides = member(begun, "overrides");
    const char *sha256 = text_of(begun, "mapping_sha256");
    struct buf line = BUF_INIT(LINE_BYTES);
    int bad = add_text(&line, "by ", text_of(actor, "user")) | add_text(&line, " on ", text_of(actor, "host"));
    if (detailed)
        bad |= add_text(&line, ", leadsync ", text_of(actor, "version"));
    if (sha256 != NULL)
        bad |= buf_addf(&line, "%smapping %.*s", line.n > 0 ? ", " : "", detailed ? (int)strlen(sha256) : SHA_SHOWN, sha256);
    bad |= add_overrides(overrides, &line);
    bad |= add_wrapped(buf_str(&line), columns, out);
    buf_reset(&line);
    if (detailed)
        bad |= add_text(&line, "command: ", text_of(actor, "command")) | add_wrapped(buf_str(&line), columns, out);
    buf_reset(&line);
    if (detailed)
        bad |= add_text(&line, "plan: ", text_of(member(begun, "plan"), "id")) | add_wrapped(buf_str(&line), columns, out);
    buf_free(&line);
    return bad;
}

int status_run_head(const struct run_record *run, struct buf *out)
{
    char at[TIME_TEXT_N];
    struct json_object *begun = parse(run->begun), *actor = member(begun, "actor");
    bool over = run->finished_ms > 0;
    int bad = buf_adds(out, run->status != NULL ? run->status : "unknown");
    if (!over)
        bad |= buf_adds(out, " (rows that it did not reach are not listed)");
    bad |= buf_addf(out, ", %s", time_format(run->started_ms, at)) | add_text(out, " by ", text_of(actor, "user")) |
           add_text(out, " on ", text_of(actor, "host")) | buf_addc(out, '\n') |
           add_text(out, "", text_of(actor, "command"));
    if (text_of(actor, "command") != NULL)
        bad |= buf_addc(out, '\n');
    json_object_put(begun);
    return bad;
}

static int64_t number_of(struct json_object *of, const char *key)
{
    struct json_object *value = member(of, key);
    return value != NULL ? json_object_get_int64(value) : 0;
}

static int show_targets(struct json_object *report, struct buf *out)
{
    struct json_object *targets = member(report, "targets");
    size_t n = json_object_is_type(targets, json_type_array) ? json_object_array_length(targets) : 0;
    int bad = 0;
    for (size_t i = 0; i < n; i++) {
        struct json_object *t = json_object_array_get_idx(targets, i);
        const char *target = text_of(t, "target"), *name = text_of(t, "name");
        bad |= buf_addf(out, "%*s", INDENT, "");
        if (target != NULL && name != NULL)
            bad |= buf_addf(out, "%.*s", (int)strcspn(target, ":"), target) | add_text(out, " \"", name) |
                   buf_addc(out, '"');
        else
            bad |= add_text(out, "", target);
        bad |= buf_addf(out, ": %" PRId64 " created, %" PRId64 " changed, %" PRId64 " moved in, %" PRId64 " removed\n",
                        number_of(t, "created"), number_of(t, "changed"), number_of(t, "moved"), number_of(t, "removed"));
    }
    return bad;
}

/* What the run read, and what its guards counted. */
static int show_basis(struct json_object *report, size_t columns, struct buf *out)
{
    struct json_object *source = member(report, "source"), *guards = member(report, "guards");
    size_t n = json_object_is_type(guards, json_type_array) ? json_object_array_length(guards) : 0;
    struct buf line = BUF_INIT(LINE_BYTES);
    int bad = add_text(&line, "source: ", text_of(source, "name")) | add_text(&line, " ", text_of(source, "sha256")) |
              add_wrapped(buf_str(&line), columns, out);
    buf_reset(&line);
    for (size_t i = 0; i < n; i++) {
        struct json_object *g = json_object_array_get_idx(guards, i);
        bad |= add_text(&line, i == 0 ? "guards: " : ", ", text_of(g, "name"));
        bad |= buf_addf(&line, " %" PRId64 " of %" PRId64, number_of(g, "counted"), number_of(g, "of"));
        bad |= add_text(&line, " (limit ", text_of(g, "limit")) | buf_addc(&line, ')');
    }
    bad |= add_wrapped(buf_str(&line), columns, out);
    buf_free(&line);
    return bad;
}

int status_run_show(const struct overview *v, const struct run_record *run, size_t columns, struct buf *out)
{
    struct json_object *report = parse(run->report), *begun = parse(run->begun), *rows = member(report, "rows");
    struct buf line = BUF_INIT(LINE_BYTES);
    size_t width = columns > 0 ? columns : WIDTH_DEFAULT;
    int bad = 0;
    if (rows != NULL)
        bad = status_run_add_counts(rows, run->read, is_resume(run, begun) ? "resume" : text_of(report, "command"), &line);
    else if (run->finished_ms == 0)
        bad = add_unfinished(v, run, &line);
    bad |= add_trial(run, begun, &line);
    if (v->removals > 0 && v->removals_run == run->id)
        bad |= buf_addf(&line, "%s%" PRIu64 " lead%s to be removed", line.n > 0 ? "; " : "", v->removals,
                        v->removals == 1 ? " waits" : "s wait");
    bad |= add_wrapped(buf_str(&line), width, out) | show_reasons(report, width, out) | show_stop(report, width, out) |
           show_results_error(report, width, out);
    /* Of each run, also if the one above began alike: who looks for a lifted guard must not find it beside the wrong run. */
    bad |= show_begin(begun, v->detailed, width, out);
    if (v->detailed)
        bad |= show_targets(report, out) | show_basis(report, width, out);
    buf_free(&line);
    json_object_put(report);
    json_object_put(begun);
    return bad;
}
