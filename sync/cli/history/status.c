/* `status`: the runs of a sync and what is still open, from its state; `--audit` checks the state itself. */
#include "config.h"

#include "sync/base/jsonw.h"
#include "sync/base/text.h"
#include "sync/cli/commands.h"
#include "sync/cli/out.h"
#include "sync/cli/args/run_choice.h"
#include "sync/cli/args/state_arg.h"
#include "sync/cli/history/status_page.h"
#include "sync/cli/history/status_run.h"
#include "sync/cli/history/status_waits.h"
#include "sync/state/state.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct status_options {
    int64_t limit, run;
    bool audit;
};

static const struct status_options defaults = {.limit = 10};
static const char *const formats[] = {"text", "json", "html", NULL};

/* clang-format off */
static const struct opt options[] = {
    {.name = "limit", .kind = OPT_INT, .dest = OPT_AT(status_options, limit), .arg = "N", .min = 1, .max = 10000,
     .help = "number of runs to list, newest first (10)"},
    {.name = "run", .kind = OPT_INT, .dest = OPT_AT(status_options, run), .arg = "ID", .min = 1, .max = INT64_MAX,
     .help = "show only this run, in full"},
    {.name = "audit", .kind = OPT_FLAG, .dest = OPT_AT(status_options, audit),
     .help = "check the state's invariants and list violations"},
    {.name = NULL},
};
/* clang-format on */

enum { ARENA_BYTES = 256 << 20, AUDIT_BYTES = 16 << 20 };

/* The newest runs, or the one that was asked for. */
static int gather_runs(struct state *state, const struct status_options *o, struct overview *v, struct err *e)
{
    if (o->run == 0)
        return state_runs(state, (size_t)o->limit, &v->arena, &v->runs, &v->runs_n, e);
    v->runs = arena_calloc(&v->arena, 1, sizeof *v->runs);
    if (v->runs == NULL)
        return err_oom(e);
    v->runs_n = 1;
    v->detailed = true;
    return run_choice(state, (uint64_t)o->run, &v->arena, v->runs, e);
}

/* A setting "RUN LEADS"; both are 0 when there is none. */
static int run_and_count(struct state *state, const char *name, uint64_t *run, uint64_t *count, struct err *e)
{
    const char *text;
    if (state_get(state, name, &text, e) != 0)
        return -1;
    if (text == NULL || sscanf(text, "%" SCNu64 " %" SCNu64, run, count) != 2)
        *run = *count = 0;
    return 0;
}

/* A setting, copied into the arena; NULL when it is unset. */
static int gather_text(struct state *state, const char *name, struct overview *v, char **out, struct err *e)
{
    const char *text;
    if (state_get(state, name, &text, e) != 0)
        return -1;
    *out = text != NULL ? arena_dup(&v->arena, text, strlen(text)) : NULL;
    return text == NULL || *out != NULL ? 0 : err_oom(e);
}

static int gather(struct state *state, const struct status_options *o, struct overview *v, struct err *e)
{
    if (gather_runs(state, o, v, e) != 0 || state_batches_open(state, &v->arena, &v->open, &v->open_n, e) != 0)
        return -1;
    for (size_t i = 0; i < v->open_n; i++)
        v->open_rows += v->open[i].entries_n;
    const char *removals;
    if (run_and_count(state, STATE_REMOVALS_WAIT, &v->removals_run, &v->removals, e) != 0 ||
        run_and_count(state, STATE_LEADS_KEPT, &v->kept_run, &v->kept, e) != 0)
        return -1;
    if (state_get(state, STATE_REMOVALS_LEFT, &removals, e) != 0)
        return -1;
    v->removals_need_all = removals != NULL;
    if (v->removals > 0 && gather_text(state, STATE_REMOVALS_WHY, v, &v->removals_why, e) != 0)
        return -1;
    const char *given_up;
    if (state_get(state, STATE_GIVEN_UP, &given_up, e) != 0)
        return -1;
    v->given_up = given_up != NULL ? strtoull(given_up, NULL, 10) : 0;
    if (state_unmerged_rows(state, &v->unmerged, e) != 0)
        return -1;
    v->retries = state_retries_n(state);
    if (state_retries_reasons(state, v->reasons, &v->retries_run, e) != 0 ||
        gather_text(state, STATE_RESULTS_ERROR, v, &v->results_error, e) != 0 ||
        state_patch_effect(state, &v->patch, e) != 0)
        return -1;
    v->at_work = state_lock_holder(state);
    return state_leads_there(state, &v->leads, e);
}

static int gather_jobs(struct state *state, struct overview *v, struct err *e)
{
    size_t kept = 0;
    if (job_views_ours(&v->jobs, state, e) != 0)
        return -1;
    for (size_t i = 0; i < v->jobs.n; i++)
        if (job_view_open(&v->jobs.v[i]))
            v->jobs.v[kept++] = v->jobs.v[i];
    v->jobs.n = kept;
    return 0;
}

/* What is known of an open batch: its intent is durable before its request leaves, and whether that left is in no file. */
struct batch_state_texts {
    const char *word, *sentence;
};

static struct batch_state_texts batch_state_texts(enum batch_state s)
{
    static const struct batch_state_texts texts[] = {
        [BATCH_PLANNED] = {"planned", "not sent yet"},
        [BATCH_SENT] = {"intent", "intent written; whether it was sent is not known"},
        [BATCH_UNKNOWN] = {"unknown", "sent, and no usable answer"},
        [BATCH_RETRY] = {"retry", "refused, to be sent again"},
        [BATCH_ACCEPTED] = {"accepted", "accepted"},
        [BATCH_DONE] = {"done", "settled"},
    };
    return (size_t)s < sizeof texts / sizeof texts[0] ? texts[s] : (struct batch_state_texts){"", ""};
}

/* ---- JSON ---- */

static void json_batch(struct jsonw *w, const struct batch *batch)
{
    jsonw_object(w);
    jsonw_member_uint(w, "batch", batch->id);
    jsonw_member_uint(w, "run", batch->run);
    jsonw_member_text(w, "op", op_text(batch->op));
    jsonw_member_text(w, "state", batch_state_texts(batch->state).word);
    jsonw_member_uint(w, "rows", batch->entries_n);
    jsonw_member_time(w, "sent_at", batch->sent_ms);
    jsonw_member_text(w, "job", batch->job);
    jsonw_object_end(w);
}

static int status_show_json(struct state *state, const struct overview *v, struct buf *out)
{
    struct jsonw w;
    jsonw_init_output(&w, out);
    jsonw_object(&w);
    jsonw_member_int(&w, "version", 1);
    jsonw_member_text(&w, "sync", state_sync(state));
    jsonw_member_uint(&w, "leads", v->leads);
    jsonw_member_uint(&w, "unmerged", v->unmerged);
    jsonw_member_uint(&w, "waiting", v->retries);
    jsonw_member_object(&w, "waiting_reasons");
    for (size_t r = REASON_NONE + 1; r < REASON_N; r++)
        if (v->reasons[r] > 0)
            jsonw_member_uint(&w, reason_text((enum reason)r), v->reasons[r]);
    jsonw_object_end(&w);
    jsonw_member_uint(&w, "given_up", v->given_up);
    jsonw_member_uint(&w, "removals_waiting", v->removals);
    jsonw_member_text(&w, "results_error", v->results_error);
    static const char *const effects[] = {[PATCH_MERGES] = "merges", [PATCH_REPLACES] = "replaces"};
    jsonw_member_object(&w, "patch");
    jsonw_member_text(&w, "variables", effects[v->patch.variables]);
    jsonw_member_time(&w, "seen_at", v->patch.seen_ms);
    jsonw_object_end(&w);
    status_waits_json(v, &w);
    jsonw_member_array(&w, "open");
    for (size_t i = 0; i < v->open_n; i++)
        json_batch(&w, &v->open[i]);
    jsonw_array_end(&w);
    jsonw_member_array(&w, "jobs");
    for (size_t i = 0; i < v->jobs.n; i++) {
        jsonw_object(&w);
        job_view_json(&w, &v->jobs.v[i]);
        jsonw_object_end(&w);
    }
    jsonw_array_end(&w);
    jsonw_member_array(&w, "runs");
    for (size_t i = 0; i < v->runs_n; i++)
        status_run_json(&w, &v->runs[i]);
    jsonw_array_end(&w);
    jsonw_object_end(&w);
    return jsonw_end(&w) | buf_addc(out, '\n');
}

/* ---- text ---- */

enum { R_RUN, R_STARTED, R_TOOK, R_STATUS, R_READ, R_EXIT, RUN_COLUMNS };
static const struct record_column run_columns[RUN_COLUMNS] = {
    [R_RUN] = {RECORD_NAME("run"), .align = TABLE_RIGHT},
    [R_STARTED] = {RECORD_NAME("started")},
    [R_TOOK] = {RECORD_NAME("took"), .align = TABLE_RIGHT},
    [R_STATUS] = {RECORD_NAME("status")},
    [R_READ] = {RECORD_NAME("read as")},
    [R_EXIT] = {RECORD_NAME("exit"), .align = TABLE_RIGHT},
};
/* clang-format off */
static const struct record_layout run_layout = {
    .columns = run_columns, .columns_n = RUN_COLUMNS, .all_columns = true, .table_rows = SIZE_MAX};
/* clang-format on */

static enum table_colour run_colour(const struct run_record *run)
{
    if (run->finished_ms == 0)
        return TABLE_YELLOW;
    return run->exit_code == XS_DONE ? TABLE_GREEN : run->exit_code == XS_LEFT_OVER ? TABLE_YELLOW : TABLE_RED;
}

static int status_add_run(struct record_writer *w, const struct run_record *run)
{
    char time[TIME_TEXT_N], took[32];
    record_count(w, R_RUN, (int64_t)run->id);
    record_copy(w, R_STARTED, str_from(time_format(run->started_ms, time)));
    record_text(w, R_STATUS, run->status);
    record_colour(w, R_STATUS, run_colour(run));
    record_text(w, R_READ, run->read);
    if (run->finished_ms > 0) {
        snprintf(took, sizeof took, "%.1f s", (double)(run->finished_ms - run->started_ms) / 1000.0);
        record_copy(w, R_TOOK, str_from(took));
        record_count(w, R_EXIT, run->exit_code);
    }
    return record_end(w);
}

/* A line a run, and below it what it did: more counts than a terminal has columns for. */
static int show_runs(const struct invocation *inv, const struct overview *v, struct buf *out)
{
    struct buf lines = BUF_INIT(TABLE_MAX_BYTES);
    struct record_writer w = out_table(&inv->common, &lines);
    int bad = record_open(&w, &run_layout);
    for (size_t i = 0; i < v->runs_n && bad == 0; i++)
        bad = status_add_run(&w, &v->runs[i]);
    bad = bad != 0 ? bad : record_finish(&w);
    record_free(&w);
    const char *p = lines.p, *end = bad == 0 ? lines.p + lines.n : lines.p;
    for (size_t i = 0; p < end && bad == 0; i++) {
        const char *newline = memchr(p, '\n', (size_t)(end - p));
        const char *next = newline != NULL ? newline + 1 : end;
        bad |= buf_add(out, p, (size_t)(next - p));
        if (i > 0 && i <= v->runs_n)
            bad |= status_run_show(v, &v->runs[i - 1], inv->common.terminal.columns, out);
        p = next;
    }
    buf_free(&lines);
    return bad;
}

/* Open batches in text: of a killed run there may be hundreds, and the runs below them are what one looks for. */
enum { OPEN_SHOWN = 10 };

static int status_add_batch(struct buf *out, const struct batch *batch)
{
    bool has_job = batch->job != NULL;
    return buf_addf(out, "  batch %" PRIu64 ": %s of %zu, %s%s%s\n", batch->id, op_text(batch->op), batch->entries_n,
                    batch_state_texts(batch->state).sentence, has_job ? ", job " : "", has_job ? batch->job : "");
}

static int show_jobs(struct state *state, struct overview *v, struct buf *out)
{
    int bad = v->jobs.n == 0 ? 0
                             : buf_addf(out, "background jobs: %zu open; leadsync jobs wait waits for them\n", v->jobs.n);
    for (size_t i = 0; i < v->jobs.n && i < OPEN_SHOWN; i++) {
        const struct job_view *job = &v->jobs.v[i];
        bad |= buf_addf(out, "  job %s: ", job->id) |
               text_show(str_from(job->status != NULL ? job->status : "no status known"), 0, out) |
               buf_addf(out, ", %" PRIu64 " lead%s", job->open_rows, text_plural(job->open_rows)) |
               buf_adds(out, job->to != NULL ? " to " : "") |
               text_show(str_from(job_end_name(state, job->to, &v->jobs.arena)), 0, out) | buf_addc(out, '\n');
    }
    if (v->jobs.n > OPEN_SHOWN)
        bad |= buf_addf(out, "  ... and %zu more (leadsync jobs lists them)\n", v->jobs.n - OPEN_SHOWN);
    return bad;
}

static bool is_alive(const struct overview *v)
{
    return v->runs_n > 0 && v->runs[0].status != NULL && strcmp(v->runs[0].status, "running") == 0;
}

static int status_show_text(const struct invocation *inv, struct state *state, struct overview *v, struct buf *out)
{
    int bad = buf_addf(out, "sync %s: %" PRIu64 " lead%s known", state_sync(state), v->leads, text_plural(v->leads));
    if (v->retries > 0)
        bad |= buf_addf(out, ", %" PRIu64 " row%s for the next sync", v->retries, v->retries == 1 ? " waits" : "s wait");
    bad |= buf_addc(out, '\n');
    bad |= status_waits_text(v, inv->common.terminal.columns, out);
    if (v->results_error != NULL)
        bad |= buf_adds(out,
                        "the table of results_to is not written; the next sync, or leadsync resume, writes it\n  because ") |
               text_show(str_from(v->results_error), 0, out) | buf_addc(out, '\n');
    if (v->kept > 0)
        bad |= buf_addf(out,
                        "%" PRIu64 " lead%s without a row in the source %s kept (removed: keep), as of run %" PRIu64 "\n",
                        v->kept, text_plural(v->kept), v->kept == 1 ? "is" : "are", v->kept_run);
    if (v->given_up > 0)
        bad |= buf_addf(out,
                        "%" PRIu64
                        " row%s given up: %s failed in five runs; the next sync reads the whole source and tries %s "
                        "again\n",
                        v->given_up, v->given_up == 1 ? " was" : "s were", v->given_up == 1 ? "it" : "they",
                        v->given_up == 1 ? "it" : "them");
    char effect[PATCH_EFFECT_TEXT_N];
    if (v->patch.variables != PATCH_UNKNOWN)
        bad |= buf_addf(out, "in this workspace a PATCH %s\n", state_patch_effect_text(&v->patch, effect));
    if (v->unmerged > 0)
        bad |= buf_addf(out, "journal: the outcome of %" PRIu64 " more row%s is known; the leads among them count %s\n",
                        v->unmerged, text_plural(v->unmerged), is_alive(v) ? "when the run ends" : "from the next run on");
    if (v->open_n > 0 && v->at_work != NULL)
        bad |= buf_addf(out, "open: %zu batch%s with %" PRIu64 " row%s; another run of this sync is active (%s)\n",
                        v->open_n, v->open_n == 1 ? "" : "es", v->open_rows, text_plural(v->open_rows), v->at_work);
    else if (v->open_n > 0)
        bad |= buf_addf(out, "open: %zu batch%s with %" PRIu64 " row%s; leadsync resume settles %s\n", v->open_n,
                        v->open_n == 1 ? "" : "es", v->open_rows, text_plural(v->open_rows), v->open_n == 1 ? "it" : "them");
    for (size_t i = 0; i < v->open_n && i < OPEN_SHOWN; i++)
        bad |= status_add_batch(out, &v->open[i]);
    if (v->open_n > OPEN_SHOWN)
        bad |= buf_addf(out, "  ... and %zu more (--format json lists them)\n", v->open_n - OPEN_SHOWN);
    bad |= show_jobs(state, v, out) | status_waits_todo(v, inv->common.terminal.columns, out);
    if (v->runs_n == 0)
        return bad | buf_adds(out, "no runs yet\n");
    return bad | buf_addc(out, '\n') | show_runs(inv, v, out);
}

/* ---- */

/* The findings are lines. */
static int audit_json(struct state *state, struct str findings, struct buf *out)
{
    struct jsonw w;
    jsonw_init_output(&w, out);
    jsonw_object(&w);
    jsonw_member_int(&w, "version", 1);
    jsonw_member_text(&w, "sync", state_sync(state));
    jsonw_member_array(&w, "violations");
    while (findings.n > 0) {
        const char *end = memchr(findings.p, '\n', findings.n);
        size_t n = end != NULL ? (size_t)(end - findings.p) : findings.n;
        jsonw_str(&w, (struct str){findings.p, n});
        n += end != NULL;
        findings = (struct str){findings.p + n, findings.n - n};
    }
    jsonw_array_end(&w);
    jsonw_object_end(&w);
    return jsonw_end(&w) | buf_addc(out, '\n');
}

static int audit(const struct invocation *inv, struct state *state, struct out *out, struct err *e)
{
    struct buf lines = BUF_INIT(AUDIT_BYTES);
    size_t violations = 0;
    int rc = state_audit(state, &lines, &violations, e);
    if (rc == 0 && inv->common.output.format == FORMAT_JSON)
        rc = audit_json(state, buf_str(&lines), &out->text);
    else if (rc == 0 && violations == 0)
        rc = buf_addf(&out->text, "sync %s: the state is sound\n", state_sync(state));
    else if (rc == 0)
        rc = buf_add(&out->text, lines.p, lines.n);
    if (rc == 0)
        rc = out_commit(out, e);
    else
        err_oom(e); /* keeps the audit's own error when there is one */
    if (rc == 0 && violations > 0)
        rc = err_set(e, XS_INTERNAL, "the state violates %zu of its invariants; please report this", violations);
    buf_free(&lines);
    return rc;
}

static int status_show(const struct invocation *inv, struct state *state, struct out *out, struct err *e)
{
    const struct status_options *o = inv->options;
    struct overview v = {0};
    int rc = -1;
    arena_init(&v.arena, ARENA_BYTES);
    job_views_init(&v.jobs);
    if (gather(state, o, &v, e) != 0 || gather_jobs(state, &v, e) != 0 || status_waits_name(inv, state, &v, e) != 0)
        goto done;
    if (inv->common.output.format == FORMAT_HTML) {
        rc = status_page(state, &v.runs[0], &out->text, e) == 0 ? out_commit(out, e) : -1;
        goto done;
    }
    int bad = inv->common.output.format == FORMAT_JSON ? status_show_json(state, &v, &out->text)
                                                       : status_show_text(inv, state, &v, &out->text);
    rc = bad == 0 ? out_commit(out, e) : err_oom(e);
done:
    free(v.at_work);
    arena_free(&v.arena);
    job_views_free(&v.jobs);
    return rc;
}

static int status_command(struct invocation *inv, struct err *e)
{
    const struct status_options *o = inv->options;
    struct state *state = NULL;
    struct out out = {0};
    int rc = -1;
    if (inv->common.output.format == FORMAT_HTML && (o->run == 0 || o->audit))
        return err_set(e, XS_USAGE, "--format html shows one finished run; %s",
                       o->audit ? "leave out --audit" : "name it with --run N");
    if (state_arg_open(inv, &state, e) != 0 || out_open(&out, inv, OUT_PUBLIC, e) != 0)
        goto done;
    rc = o->audit ? audit(inv, state, &out, e) : status_show(inv, state, &out, e);
done:
    out_abandon(&out);
    state_close(state);
    return rc;
}

const struct command command_status = {
    .name = "status",
    .usage = "[SYNC]",
    .summary = "show the runs of a sync and what is still open",
    .help = "Reads only the state and needs no API key. Without SYNC or --state, shows the\n"
            "sync of the latest run. With --audit, exits with 70 if an invariant of the state\n"
            "is violated.",
    .examples = "leadsync status nightly.yaml\n"
                "leadsync status nightly.yaml --audit",
    .groups = GROUP_OUTPUT | GROUP_STATE | GROUP_URL | GROUP_KEY | GROUP_CSV,
    .formats = formats,
    .options = options,
    .options_bytes = sizeof(struct status_options),
    .defaults = &defaults,
    .operands_max = 1,
    .run = status_command,
};
