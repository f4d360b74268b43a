#include "config.h"

#include "sync/cli/history/status_page.h"

#include <inttypes.h>
#include <json.h>
#include <stdlib.h>
#include <string.h>

#include "sync/report/page/page.h"
#include "sync/report/page/page_chart.h"
#include "sync/report/page/page_table.h"

enum { STEPS = 60, TEXT_MAX = 1 << 20 };

/* A run and its report, which is JSON: the state keeps it as it was written. */
struct run_page {
    struct state *state;
    const struct run_record *run;
    struct json_object *report, *begun;
    uint64_t sent[STEPS]; /* rows by time */
    int64_t step_ms;
};

/* ---- the report ---- */

/* Borrowed; NULL: the member is missing, or null. `path` is like "rows.created". */
static struct json_object *report_at(struct json_object *of, const char *path)
{
    char key[32];
    while (of != NULL && *path != '\0') {
        size_t n = strcspn(path, ".");
        struct json_object *value = NULL;
        if (n >= sizeof key)
            return NULL;
        memcpy(key, path, n);
        key[n] = '\0';
        of = json_object_object_get_ex(of, key, &value) ? value : NULL;
        path += n + (path[n] == '.');
    }
    return of;
}

static const char *report_member_text(struct json_object *of, const char *path)
{
    struct json_object *value = report_at(of, path);
    return value != NULL ? json_object_get_string(value) : NULL;
}

static uint64_t report_count(struct json_object *of, const char *path)
{
    struct json_object *value = report_at(of, path);
    int64_t n = value != NULL ? json_object_get_int64(value) : 0;
    return n > 0 ? (uint64_t)n : 0;
}

static size_t report_length(struct json_object *of, const char *path)
{
    struct json_object *value = report_at(of, path);
    return json_object_is_type(value, json_type_array) ? json_object_array_length(value) : 0;
}

static struct json_object *report_item(struct json_object *of, const char *path, size_t i)
{
    return json_object_array_get_idx(report_at(of, path), i);
}

/* ---- the head ---- */

static int run_title(const struct run_page *p, struct buf *out)
{
    return buf_addf(out, "Run %" PRIu64 " of ", p->run->id) |
           page_cut(out, str_from(report_member_text(p->report, "sync")), PAGE_NAME_CHARS);
}

static int run_kind(const struct run_page *p, struct buf *out)
{
    return run_title(p, out) | buf_adds(out, ": ") | page_say(out, p->run->status);
}

/* What was done, in the order of the figures. */
static const struct run_operation {
    const char *member, *verb, *colour;
} operations[] = {
    {"rows.created", "created", "create"},
    {"rows.updated", "updated", "update"},
    {"rows.moved", "moved", "move"},
    {"rows.removed", "removed", "remove"},
};
enum { OPERATIONS = sizeof operations / sizeof operations[0] };

static int run_heading(const struct run_page *p, struct buf *out)
{
    const char *kind = report_member_text(p->report, "stopped_by.kind"), *between = " ";
    size_t left = 0;
    bool first = true;
    int bad = buf_addf(out, "Run %" PRIu64, p->run->id);
    for (size_t i = 0; i < OPERATIONS; i++)
        left += report_count(p->report, operations[i].member) > 0;
    if (left == 0)
        bad |= buf_adds(out, " changed nothing");
    for (size_t i = 0; i < OPERATIONS && bad == 0; i++) {
        uint64_t n = report_count(p->report, operations[i].member);
        if (n == 0)
            continue;
        left--;
        bad |= buf_adds(out, between) | buf_addf(out, "%s&nbsp;", operations[i].verb) |
               (first ? page_counted(out, n, "lead") : page_count(out, n));
        between = left == 1 ? " and " : ", ";
        first = false;
    }
    if (kind != NULL)
        bad |= buf_adds(out, ", and was stopped by ") | page_say(out, kind);
    return bad;
}

static int took_fact(const struct run_page *p, struct buf *out)
{
    double s = (double)(p->run->finished_ms - p->run->started_ms) / 1000;
    return page_fact(out, "Took") | (s < 120 ? buf_addf(out, "%.1f s", s) : buf_addf(out, "%.1f minutes", s / 60)) |
           page_fact_end(out);
}

static int run_facts(const struct run_page *p, struct buf *out)
{
    const char *user = report_member_text(p->begun, "actor.user"), *host = report_member_text(p->begun, "actor.host");
    int bad = buf_adds(out, "<dl class=\"facts\">\n") | page_fact_text(out, "Sync", report_member_text(p->report, "sync"));
    bad |= page_fact_time(out, "Started", p->run->started_ms) | took_fact(p, out);
    if (user != NULL && host != NULL)
        bad |= page_fact(out, "Begun by") | page_bdi(out, str_from(user), PAGE_NAME_CHARS) | buf_adds(out, " on ") |
               page_bdi(out, str_from(host), PAGE_NAME_CHARS) | page_fact_end(out);
    bad |= page_fact_text(out, "Source", report_member_text(p->report, "source.name")) |
           page_fact_text(out, "Read", p->run->read) | page_fact_text(out, "Plan", report_member_text(p->report, "plan.id"));
    return bad | page_fact(out, "Exit status") | buf_addf(out, "%d", p->run->exit_code) | page_fact_end(out) |
           buf_adds(out, "</dl>");
}

/* ---- notices ---- */

static int text_notice(struct buf *out, const char *weight, const char *heading, const char *text)
{
    if (text == NULL)
        return 0;
    return page_notice(out, weight, heading) | buf_adds(out, "<p>") | page_bdi(out, str_from(text), PAGE_WHOLE) |
           buf_adds(out, "</p>\n") | page_notice_end(out);
}

/* A count, and what to do about it. */
static int count_notice(const struct run_page *p, const char *member, const char *heading, const char *what, struct buf *out)
{
    uint64_t n = report_count(p->report, member);
    if (n == 0)
        return 0;
    return page_notice(out, "warn", heading) | buf_adds(out, "<p>") | page_counted(out, n, "row") | page_say(out, what) |
           buf_adds(out, "</p>\n") | page_notice_end(out);
}

static int run_notices(const struct run_page *p, struct buf *out)
{
    uint64_t waiting = report_count(p->report, "removals_waiting");
    int bad = text_notice(out, "stop", "This run was stopped", report_member_text(p->report, "stopped_by.message"));
    bad |= count_notice(p, "rows.rejected", "Rejected rows", ": correct the source; leadsync rejects lists them.", out);
    bad |= count_notice(p, "rows.failed", "Failed rows", ": leadsync results --outcome failed says why.", out);
    bad |= count_notice(p, "rows.deferred", "Rows that wait", ": the next sync takes them first.", out);
    bad |= count_notice(p, "rows.skipped_active", "Skipped, but active in Instantly", ": their leads may still be mailed.",
                        out);
    if (waiting > 0)
        bad |= page_notice(out, "warn", "Removals wait") | buf_adds(out, "<p>") | page_counted(out, waiting, "lead") |
               buf_adds(out, " to be removed.</p>\n") | page_notice_end(out);
    return bad | text_notice(out, "warn", "The table of results_to is not written",
                             report_member_text(p->report, "results_error"));
}

/* ---- figures ---- */

static int speed_figure(const struct run_page *p, struct buf *out)
{
    struct json_object *speed = report_at(p->report, "leads_per_second");
    struct buf text = BUF_INIT(TEXT_MAX);
    double n = speed != NULL ? json_object_get_double(speed) : 0;
    int bad = n <= 0 ? 0 : buf_addf(&text, n < 100 ? "%.1f" : "%.0f", n);
    if (bad == 0 && text.n > 0)
        bad = buf_cstr(&text) != NULL ? page_figure_text(out, "cost", text.p, "leads per second", NULL) : -1;
    buf_free(&text);
    return bad;
}

static int run_figures(const struct run_page *p, struct buf *out)
{
    struct json_object *r = p->report;
    int bad = page_figures(out, "What the run did");
    for (size_t i = 0; i < OPERATIONS; i++)
        bad |= page_figure(out, operations[i].colour, report_count(r, operations[i].member), operations[i].verb, NULL);
    bad |= page_figure(out, "same", report_count(r, "rows.unchanged"), "unchanged", NULL);
    bad |= page_figure(out, "left", report_count(r, "rows.skipped") + report_count(r, "rows.rejected"), "left out",
                       "skipped or rejected");
    bad |= page_figure(out, "left", report_count(r, "rows.failed") + report_count(r, "rows.deferred"), "not done",
                       "failed or deferred");
    bad |= page_figure(out, "cost", report_count(r, "requests.total"), "requests", NULL);
    return bad | speed_figure(p, out) | page_figures_end(out);
}

/* ---- charts ---- */

static int outcomes_chart(struct json_object *r, struct buf *out)
{
    const struct page_bar bars[] = {
        {STR("created"), NULL, report_count(r, "rows.created"), "create"},
        {STR("changed"), NULL, report_count(r, "rows.changed"), "update"},
        {STR("unchanged"), NULL, report_count(r, "rows.unchanged"), "same"},
        {STR("skipped"), NULL, report_count(r, "rows.skipped"), "left"},
        {STR("rejected"), NULL, report_count(r, "rows.rejected"), "remove"},
        {STR("failed"), NULL, report_count(r, "rows.failed"), "rekey"},
        {STR("deferred"), NULL, report_count(r, "rows.deferred"), "open"},
    };
    struct buf heading = BUF_INIT(TEXT_MAX);
    int bad = buf_adds(&heading, "What happened to the ") | page_counted(&heading, report_count(r, "rows.read"), "row");
    bad |= buf_cstr(&heading) != NULL ? page_stack(out, heading.p, bars, sizeof bars / sizeof bars[0]) : -1;
    buf_free(&heading);
    return bad;
}

static int throughput_chart(const struct run_page *p, struct buf *out)
{
    uint64_t rows = 0;
    for (size_t i = 0; i < STEPS; i++)
        rows += p->sent[i];
    if (rows == 0)
        return 0;
    return page_columns(out, &(struct page_columns){.heading = "Throughput: rows by the time at which their request left",
                                                    .counted = "rows",
                                                    .v = p->sent,
                                                    .n = STEPS,
                                                    .step_s = (double)p->step_ms / 1000});
}

static int run_reasons_chart(struct json_object *r, struct buf *out)
{
    struct page_bar bars[REASON_N];
    size_t n = 0;
    for (size_t i = REASON_NONE + 1; i < REASON_N; i++) {
        const char *reason = reason_text((enum reason)i);
        uint64_t count = report_count(report_at(r, "reasons"), reason);
        if (count > 0)
            bars[n++] = (struct page_bar){str_from(reason), reason_help((enum reason)i), count, "left"};
    }
    return page_bars(out, "Reasons", "Reason", "Rows", bars, n);
}

static int run_requests_chart(struct json_object *r, struct buf *out)
{
    const struct page_bar bars[] = {
        {STR("requests"), NULL, report_count(r, "requests.total"), "plain"},
        {STR("sent again"), "after an error or a lost connection", report_count(r, "requests.retried"), "plain"},
        {STR("rate-limited"), "Instantly asked to wait (429)", report_count(r, "requests.rate_limited"), "rekey"},
    };
    return page_bars(out, "Requests", "Requests", "Number", bars, sizeof bars / sizeof bars[0]);
}

static int run_guards_table(struct json_object *r, struct buf *out)
{
    size_t n = report_length(r, "guards");
    if (n == 0)
        return 0;
    int bad = page_guards(out);
    for (size_t i = 0; i < n; i++) {
        struct json_object *g = report_item(r, "guards", i);
        bool stops = json_object_get_boolean(report_at(g, "stops"));
        bad |= page_guard(out, str_from(report_member_text(g, "name")), report_count(g, "counted"), report_count(g, "of"),
                          str_from(report_member_text(g, "limit")), stops ? "stopped the run" : "passed",
                          stops ? "bad" : "good");
    }
    return bad | page_guards_end(out);
}

static int run_charts(const struct run_page *p, struct buf *out)
{
    struct json_object *r = p->report;
    return page_charts(out) | outcomes_chart(r, out) | throughput_chart(p, out) | run_reasons_chart(r, out) |
           run_requests_chart(r, out) | run_guards_table(r, out) | page_charts_end(out);
}

/* ---- lists ---- */

/* Counts of the members of an array: the first columns are texts, the others numbers. */
struct count_list {
    const char *array, *id, *heading, *noun;
    const struct page_column *columns;
    const char *const *members;
    size_t n;
};

static int count_list(const struct run_page *p, const struct count_list *l, struct buf *out)
{
    struct page_table t = {.id = l->id,
                           .heading = l->heading,
                           .noun = l->noun,
                           .instead = "--format json",
                           .columns = l->columns,
                           .columns_n = l->n};
    size_t n = report_length(p->report, l->array);
    if (n == 0)
        return 0;
    int bad = page_table_begin(&t, out);
    for (size_t i = 0; i < n && bad == 0; i++) {
        struct json_object *item = report_item(p->report, l->array, i);
        int wanted = page_table_row(&t, out);
        bad = wanted < 0 ? -1 : 0;
        for (size_t c = 0; wanted == 1 && c < l->n; c++)
            bad |= l->columns[c].kind == PAGE_KIND_NUMBER
                       ? page_table_digits(&t, out, str_from(report_member_text(item, l->members[c])))
                       : page_table_text(&t, out, str_from(report_member_text(item, l->members[c])));
        bad |= wanted == 1 ? page_table_row_end(&t, out) : 0;
    }
    bad |= page_table_end(&t, out);
    page_table_free(&t);
    return bad;
}

static int run_lists(const struct run_page *p, struct buf *out)
{
    static const struct page_column target_columns[] = {
        {"Name", PAGE_KIND_NAME},      {"Campaign or list", PAGE_KIND_TEXT}, {"Created", PAGE_KIND_NUMBER},
        {"Changed", PAGE_KIND_NUMBER}, {"Moved in", PAGE_KIND_NUMBER},       {"Removed", PAGE_KIND_NUMBER},
    };
    static const char *const target_members[] = {"name", "target", "created", "changed", "moved", "removed"};
    static const struct page_column job_columns[] = {
        {"Job", PAGE_KIND_NAME},     {"Type", PAGE_KIND_TEXT},      {"Status", PAGE_KIND_TEXT},
        {"Total", PAGE_KIND_NUMBER}, {"Success", PAGE_KIND_NUMBER}, {"Failed", PAGE_KIND_NUMBER},
    };
    static const char *const job_members[] = {"id", "type", "status", "total", "success", "failed"};
    const struct count_list targets = {"targets",      "targets", "Campaigns and lists", "target", target_columns,
                                       target_members, 6};
    const struct count_list jobs = {"jobs", "jobs", "Background jobs", "job", job_columns, job_members, 6};
    return count_list(p, &targets, out) | count_list(p, &jobs, out) |
           buf_addf(out,
                    "<p class=\"note\">What happened to each row: <code>leadsync results --run %" PRIu64 "</code></p>\n",
                    p->run->id);
}

/* ---- the end ---- */

static int run_footer(const struct run_page *p, struct buf *out)
{
    const struct {
        const char *label, *text;
    } lines[] = {
        {"command", report_member_text(p->begun, "actor.command")},
        {"leadsync", report_member_text(p->begun, "actor.version")},
        {"mapping SHA-256", report_member_text(p->begun, "mapping_sha256")},
        {"source SHA-256", report_member_text(p->report, "source.sha256")},
    };
    int bad = 0;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        if (lines[i].text != NULL && *lines[i].text != '\0')
            bad |= buf_adds(out, "<p>") | page_say(out, lines[i].label) | buf_adds(out, " <code>") |
                   page_text(out, str_from(lines[i].text)) | buf_adds(out, "</code></p>\n");
    return bad;
}

static int status_page_part(const struct run_page *p, struct str slot, struct buf *out)
{
    static const struct {
        const char *slot;
        int (*fill)(const struct run_page *p, struct buf *out);
    } parts[] = {
        {"title", run_title},   {"kind", run_kind},       {"heading", run_heading},
        {"facts", run_facts},   {"notices", run_notices}, {"figures", run_figures},
        {"charts", run_charts}, {"lists", run_lists},     {"footer", run_footer},
    };
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (str_is(slot, parts[i].slot))
            return parts[i].fill(p, out);
    return 0;
}

static int fill_page(const struct run_page *p, struct buf *out)
{
    struct page page;
    struct str slot;
    int more = page_open(&page) == 0 ? 1 : -1;
    while (more == 1 && (more = page_next(&page, out, &slot)) == 1)
        if (status_page_part(p, slot, out) != 0)
            more = -1;
    page_free(&page);
    return more;
}

int status_page(struct state *state, const struct run_record *run, struct buf *out, struct err *e)
{
    struct run_page p = {.state = state, .run = run};
    if (run->finished_ms == 0 || run->report == NULL)
        return err_set(e, XS_USAGE,
                       "run %" PRIu64 " has no report, because it has not ended; leadsync status --run %" PRIu64
                       " shows what is known of it",
                       run->id, run->id);
    p.step_ms = (run->finished_ms - run->started_ms) / STEPS + 1;
    if (state_run_sent(state, run->id, run->started_ms, p.step_ms, p.sent, STEPS, e) != 0)
        return -1;
    p.report = json_tokener_parse(run->report);
    p.begun = run->begun != NULL ? json_tokener_parse(run->begun) : NULL;
    int bad = fill_page(&p, out);
    json_object_put(p.report);
    json_object_put(p.begun);
    return bad == 0 ? 0 : err_oom(e);
}
