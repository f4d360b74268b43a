/* Runs a command from options to outputs. All that can fail without the API (mapping, key, outputs) comes first, so that a mistake
 * in --report does not show after an hour of uploading. */
#include "config.h"

#include "sync/cli/run/runner.h"

#include "sync/cli/run/mapping_name.h"

#include "sync/base/file.h"
#include "sync/base/log.h"
#include "sync/cli/client.h"
#include "sync/cli/commands.h"
#include "sync/cli/out.h"
#include "sync/cli/ping.h"
#include "sync/cli/args/csv_name.h"
#include "sync/cli/args/run_words.h"
#include "sync/cli/args/state_arg.h"
#include "sync/cli/args/sync_arg.h"
#include "sync/state/state.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HISTORY_RUNS = 1000, HISTORY_BYTES = 64 << 20 };

/* ---- opening ---- */

static void show_progress(void *ctx, const struct run_progress *now)
{
    struct runner *r = ctx;
    progress_show(&r->progress, now);
}

static int runner_ask(void *ctx, const char *text)
{
    struct runner *r = ctx;
    progress_stop(&r->progress);
    int yes = consent_ask(text);
    progress_start(&r->progress, &r->inv->common);
    return yes;
}

static int runner_opened(void *ctx, struct state *state, const struct mapping *m, struct err *e)
{
    const struct runner *r = ctx;
    return csv_name_warn_other(&r->inv->common, m, state, e) != 0 ? -1 : run_words_warn_dropped(state, m, e);
}

/* A CSV without a mapping into a campaign is the only sync in which mail may go out although the user has not read a mapping. So
 * the user is asked, if there is a terminal. A plan is always asked about. */
static bool must_ask(const struct runner *r)
{
    const struct common *c = &r->inv->common;
    bool terminal = !c->yes && c->terminal.in && c->terminal.err;
    if (r->inv->command == &command_apply)
        return terminal;
    bool applies = (r->inv->command->groups & GROUP_APPLY) != 0;
    return applies && r->mapping != NULL && r->mapping->path == NULL && r->mapping->target.kind == TARGET_CAMPAIGN &&
           terminal;
}

static bool reads_stdin(const struct mapping *m)
{
    return m != NULL && m->source.kind == SOURCE_CSV && strcmp(m->source.as.csv.path, "-") == 0;
}

static void fill_api(struct runner *r, bool read_only)
{
    const struct common *c = &r->inv->common;
    const struct limits *limits = r->mapping != NULL ? &r->mapping->limits : NULL;
    r->api = (struct api_config){
        .base_url = c->connection.api.base,
        .key = r->key.text,
        .workspace = c->connection.workspace,
        .user_agent = CLIENT_USER_AGENT,
        .requests_per_second = limits != NULL ? limits->requests_per_second : CLIENT_PER_SECOND,
        .requests_per_minute = limits != NULL ? limits->requests_per_minute : CLIENT_PER_MINUTE,
        .in_flight = limits != NULL ? limits->in_flight : 0,
        .memory_max = (size_t)c->run.memory_mb << 20,
        .read_only = read_only,
        .rate_share = r->rate_share,
    };
}

static void fill_config(struct runner *r)
{
    const struct common *c = &r->inv->common;
    r->config = (struct run_config){
        .mapping = r->mapping,
        .state_path = r->state_path,
        .api = &r->api,
        .clock = c->clock,
        .memory_max = (size_t)c->run.memory_mb << 20,
        .max_ms = c->run.max_ms,
        .wait_lock_ms = c->run.wait_lock_ms,
        .full = c->run.full,
        .partial_input = c->source.input != NULL,
        .limit_rows = (uint64_t)c->run.trial_rows,
        .recreate = c->run.recreate,
        .accept_target = c->run.accept_target,
        .rejects_ok = c->run.rejects_ok,
        .new_rejects_only = c->run.new_rejects_only,
        .no_exec = c->source.no_exec,
        .actor = &r->actor.shown,
        .overrides = c->run.guards.v,
        .overrides_n = c->run.guards.n,
        .progress = show_progress,
        .consent = must_ask(r) ? runner_ask : NULL,
        .opened = runner_opened,
        .ctx = r,
    };
}

int runner_open(struct runner *r, const struct invocation *inv, bool key_needed, bool read_only, struct err *e)
{
    const struct common *c = &inv->common;
    *r = (struct runner){.inv = inv, .ping_body = BUF_INIT(OUT_BUFFER_BYTES)};
    if (actor_find(inv, &r->actor, e) != 0)
        return -1;
    if (inv->operands_n > 0 && sync_arg_load(inv, true, &r->mapping, e) != 0)
        return -1;
    bool key_on_stdin = c->connection.api_key_file != NULL && strcmp(c->connection.api_key_file, "-") == 0;
    if (key_on_stdin && reads_stdin(r->mapping))
        return err_set(e, XS_USAGE, "both the API key and the source would be read from stdin; give one as a file");
    if (key_load(c->connection.api_key_file, key_needed, &r->key, e) != 0)
        return -1;
    common_log(c, r->key.text);
    /* The run itself finds the default path, because the name of a CSV without a mapping is only complete then. */
    if ((c->state != NULL || r->mapping == NULL) && state_arg_path(c, NULL, false, &r->state_path, e) != 0)
        return -1;
    if (r->mapping == NULL && access(r->state_path, F_OK) != 0)
        return state_missing(r->state_path, e);
    /* A dry run sends a handful of requests and leaves no file. */
    if (!read_only)
        r->rate_share = client_rate_share(c, &r->key);
    fill_api(r, read_only);
    fill_config(r);
    return 0;
}

void runner_close(struct runner *r)
{
    progress_stop(&r->progress);
    log_repeats(LOG_PLAIN);
    common_log(&r->inv->common, NULL);
    key_wipe(&r->key);
    mapping_free(r->mapping);
    actor_free(&r->actor);
    buf_free(&r->ping_body);
    free(r->state_path);
    free(r->rate_share);
}

/* ---- after the run ---- */

struct outputs {
    struct out main;
    struct output report, metrics;
};

static int outputs_open(struct outputs *o, const struct invocation *inv, struct err *e)
{
    const struct common *c = &inv->common;
    if (c->run.report != NULL && output_open(&o->report, c->run.report, OUT_PUBLIC, e) != 0)
        return -1;
    if (c->run.metrics_file != NULL && output_open(&o->metrics, c->run.metrics_file, OUT_PUBLIC, e) != 0)
        return -1;
    return out_open(&o->main, inv, OUT_PUBLIC, e);
}

static void outputs_abandon(struct outputs *o)
{
    output_abandon(&o->report);
    output_abandon(&o->metrics);
    out_abandon(&o->main);
}

static int write_text(struct output *o, const struct buf *text, struct err *e)
{
    fwrite(text->p, 1, text->n, o->f); /* The commit reports failures. */
    return output_commit(o, e);
}

/* What only the state knows about earlier runs. */
struct history {
    int64_t last_success_ms; /* 0: none */
    int64_t watermark_ms;    /* what the watermark stands for; 0: there is none, or it is not a time */
};

static int read_history(struct state *state, struct arena *arena, struct history *h, struct err *e)
{
    struct run_record *runs;
    size_t n;
    const char *ms = NULL;
    if (state_runs(state, HISTORY_RUNS, arena, &runs, &n, e) != 0 || state_get(state, "watermark_ms", &ms, e) != 0)
        return -1;
    /* Only runs that read a source count: resume or an edit by hand may succeed while the sync has failed for days. */
    for (size_t i = 0; i < n && h->last_success_ms == 0; i++)
        if (runs[i].finished_ms > 0 && runs[i].exit_code == XS_DONE && runs[i].read != NULL && runs[i].read[0] != '\0')
            h->last_success_ms = runs[i].finished_ms;
    h->watermark_ms = ms != NULL ? strtoll(ms, NULL, 10) : 0;
    return 0;
}

/* Read from the file, because the run may have failed before it opened the state. */
static struct history find_history(const struct runner *r, const struct run_report *report)
{
    struct err e = ERR_INIT;
    struct state *state = NULL;
    struct arena arena;
    struct history h = {0};
    char *path = NULL;
    arena_init(&arena, HISTORY_BYTES);
    if (r->state_path != NULL)
        path = strdup(r->state_path);
    else
        path = state_default_path(report->sync, r->inv->common.connection.api.loopback, &e);
    struct state_options options = {.path = path,
                                    .access = STATE_READ,
                                    .memory_max = HISTORY_BYTES,
                                    .clock = r->inv->common.clock};
    if (path == NULL || state_open(&options, &state, &e) < 0 || (state != NULL && read_history(state, &arena, &h, &e) != 0))
        log_warning("the metrics omit earlier runs: %s", err_text(&e));
    if (report->exit_code == XS_DONE)
        h.last_success_ms = report->finished_ms;
    err_clear(&e);
    state_close(state);
    arena_free(&arena);
    free(path);
    return h;
}

static int write_main(struct out *out, const struct invocation *inv, const struct run_report *report, struct err *e)
{
    int bad = 0;
    /* A run that ended before it began has only its message; an empty table would hide it. */
    if (inv->common.output.format == FORMAT_TEXT && (report->run == 0 || report->not_begun))
        return 0;
    if (inv->common.output.format == FORMAT_JSON)
        bad = run_report_json(report, &out->text) | buf_addc(&out->text, '\n');
    else if (!inv->common.quiet)
        bad = run_report_text(report, inv->common.terminal.colour_out, &out->text);
    return bad == 0 ? out_commit(out, e) : err_oom(e);
}

static int write_report(struct output *o, const struct run_report *report, struct err *e)
{
    struct buf text = BUF_INIT(OUT_BUFFER_BYTES);
    int rc = run_report_json(report, &text) == 0 && buf_addc(&text, '\n') == 0 ? write_text(o, &text, e) : err_oom(e);
    buf_free(&text);
    return rc;
}

static int write_metrics(struct output *o, const struct runner *r, const struct run_report *report, struct err *e)
{
    struct buf text = BUF_INIT(OUT_BUFFER_BYTES);
    struct history h = find_history(r, report);
    int64_t lag_ms = h.watermark_ms > 0 ? report->finished_ms - h.watermark_ms : -1;
    int bad = run_report_metrics(report, h.last_success_ms, lag_ms, &text);
    int rc = bad == 0 ? write_text(o, &text, e) : err_oom(e);
    buf_free(&text);
    return rc;
}

/* Write every output, even if others fail, and report the first failure. */
static int write_outputs(struct outputs *o, const struct runner *r, const struct run_report *report, struct err *e)
{
    int rc = write_main(&o->main, r->inv, report, e);
    if (o->report.f != NULL)
        rc |= write_report(&o->report, report, e);
    if (o->metrics.f != NULL)
        rc |= write_metrics(&o->metrics, r, report, e);
    return rc;
}

/* cron mails what is printed, so a run that leaves work over prints a line even with -q. */
static void report_left_over(const struct common *c, const struct run_report *report)
{
    struct buf line = BUF_INIT(OUT_BUFFER_BYTES);
    if ((c->quiet || c->syslog) && report->exit_code == XS_LEFT_OVER && run_report_brief(report, &line) == 0)
        log_warning("%.*s", STR_ARG(buf_str(&line)));
    buf_free(&line);
}

/* A failed ping is only a warning, so that a watchdog cannot stop the run. */
static void ping(const struct common *c, enum ping_what what, struct str body)
{
    struct err e = ERR_INIT;
    if (c->run.ping != NULL && ping_send(c->run.ping, what, body, CLIENT_USER_AGENT, c->clock, &e) != 0)
        log_warning("%s", err_text(&e));
    err_clear(&e);
}

/* True if the source can be read twice. */
static bool runner_is_file(const struct mapping *m)
{
    struct stat st;
    return m->source.kind == SOURCE_CSV && stat(m->source.as.csv.path, &st) == 0 && S_ISREG(st.st_mode);
}

/* Asks before the run, so that a refusal leaves nothing behind. It loads a mapping of its own, because a run changes its mapping. */
static int ask_first(struct runner *r, struct err *e)
{
    struct run_config config = r->config;
    /* A plan is not planned twice, so the run itself asks. */
    if (config.consent == NULL || r->inv->command == &command_apply || !runner_is_file(r->mapping))
        return 0;
    if (sync_arg_load(r->inv, true, &config.mapping, e) != 0)
        return -1;
    config.max_ms = 0; /* the time belongs to the run */
    log_repeats(LOG_NOTE);
    progress_start(&r->progress, &r->inv->common);
    int rc = run_ask(&config, e);
    progress_stop(&r->progress);
    log_repeats(rc == 0 ? LOG_SKIP : LOG_PLAIN);
    mapping_free(config.mapping);
    r->config.consent = NULL;
    return rc;
}

/* The body of the last ping. */
static void note_end(struct runner *r, const struct run_report *report)
{
    buf_reset(&r->ping_body);
    if (run_report_ping(report, &r->ping_body) != 0)
        buf_reset(&r->ping_body);
}

static int run_open(struct runner *r, struct invocation *inv, runner_step *step, struct err *e)
{
    struct outputs outputs = {0};
    struct run_report report = {0};
    struct err late = ERR_INIT;
    int rc = -1;
    if (outputs_open(&outputs, inv, e) != 0)
        goto done;
    ping(&inv->common, PING_START, STR_NONE);
    progress_start(&r->progress, &inv->common);
    rc = step(inv, &r->config, &report, e);
    progress_stop(&r->progress);
    inv->status = report.exit_code;
    note_end(r, &report);
    report_left_over(&inv->common, &report);
    /* A run that never started has nothing to report. */
    if (report.sync != NULL && write_outputs(&outputs, r, &report, &late) != 0) {
        if (rc == 0)
            rc = err_take(e, &late);
        else
            log_error("%s", err_text(&late));
    }
done:
    err_clear(&late);
    run_report_free(&report);
    outputs_abandon(&outputs);
    return rc;
}

/* Metrics and record of a run that failed before it began, for example without a key, if its mapping could be loaded. */
static void report_not_begun(struct runner *r, const struct err *why)
{
    struct err e = ERR_INIT;
    struct outputs outputs = {0};
    struct run_report report;
    fill_api(r, false);
    fill_config(r);
    /* Only the path is needed, so errors do not matter here. */
    r->config.state_path = r->inv->common.state;
    run_not_begun(&r->config, why, &report);
    note_end(r, &report);
    if (report.sync == NULL)
        err_oom(&e);
    else if (outputs_open(&outputs, r->inv, &e) == 0)
        write_outputs(&outputs, r, &report, &e);
    if (e.status != XS_DONE)
        log_error("%s", err_text(&e));
    err_clear(&e);
    run_report_free(&report);
    outputs_abandon(&outputs);
}

/* Is it missing, empty, or an earlier report? The mapping that could not be loaded would have named the files of the user. */
static bool is_ours(const char *path, const char *start)
{
    char head[16] = "";
    FILE *f = path != NULL ? fopen(path, "re") : NULL;
    if (f == NULL)
        return path != NULL;
    size_t n = fread(head, 1, sizeof head - 1, f);
    fclose(f);
    return n == 0 || strncmp(head, start, strlen(start)) == 0;
}

/* Report, metrics and ping of a run whose mapping could not be loaded. Nothing goes to stdout or -o. */
static void report_without_mapping(struct runner *r, const struct err *why)
{
    const struct common *c = &r->inv->common;
    struct err e = ERR_INIT;
    struct outputs outputs = {0};
    struct run_report report;
    char *name = mapping_name_guess(r->inv->operands[0]);
    if (name == NULL) {
        log_error("not enough memory for a report");
        return;
    }
    fill_api(r, false);
    fill_config(r);
    r->config.state_path = c->state;
    run_without_mapping(&r->config, name, why, &report);
    note_end(r, &report);
    int rc = 0;
    if (is_ours(c->run.report, "{") && (rc = output_open(&outputs.report, c->run.report, OUT_PUBLIC, &e)) == 0)
        rc = write_report(&outputs.report, &report, &e);
    if (rc == 0 && is_ours(c->run.metrics_file, "# ") &&
        (rc = output_open(&outputs.metrics, c->run.metrics_file, OUT_PUBLIC, &e)) == 0)
        rc = write_metrics(&outputs.metrics, r, &report, &e);
    if (rc != 0)
        log_error("%s", err_text(&e));
    err_clear(&e);
    run_report_free(&report);
    outputs_abandon(&outputs);
    free(name);
}

int runner_run(struct invocation *inv, runner_step *step, struct err *e)
{
    struct runner r;
    int rc = runner_open(&r, inv, true, false, e);
    if (rc == 0)
        rc = ask_first(&r, e);
    if (rc == 0)
        rc = run_open(&r, inv, step, e);
    else if (r.mapping != NULL && r.mapping->path != NULL)
        report_not_begun(&r, e);
    else if (r.mapping == NULL && inv->operands_n > 0 && sync_arg_is_mapping(inv->operands[0]) && e->status == XS_CONFIG)
        report_without_mapping(&r, e);
    /* Ping even if there was no run: a broken mapping is a case for the watchdog. */
    bool well = rc == 0 && inv->status == XS_DONE;
    ping(&inv->common, well ? PING_SUCCESS : PING_FAIL, well ? STR_NONE : buf_str(&r.ping_body));
    runner_close(&r);
    return rc;
}
