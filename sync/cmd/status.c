/* `status`: the runs of a sync and what is still open, from its state; `--audit` checks the state itself. */
#include "config.h"

#include "sync/base/jsonw.h"
#include "sync/base/text.h"
#include "sync/cmd/commands.h"
#include "sync/cmd/job_view.h"
#include "sync/cmd/out.h"
#include "sync/cmd/state_arg.h"
#include "sync/cmd/table.h"
#include "sync/state/state.h"

#include <inttypes.h>
#include <json.h>
#include <stdlib.h>
#include <string.h>

struct status_options {
    int64_t limit;
    bool audit;
};

static const struct status_options defaults = {.limit = 10};
static const char *const formats[] = {"text", "json", NULL};

static const struct opt options[] = {
    {.name = "limit", .kind = OPT_INT, .dest = OPT_AT(status_options, limit), .arg = "N", .min = 1, .max = 10000,
     .help = "runs to list, the newest first (10)"},
    {.name = "audit", .kind = OPT_FLAG, .dest = OPT_AT(status_options, audit),
     .help = "check the state's invariants and list what violates them"},
    {.name = NULL},
};

enum { ARENA_BYTES = 256 << 20, AUDIT_BYTES = 16 << 20 };

/* What is shown, gathered before anything is printed. */
struct overview {
    struct arena arena;
    struct run_record *runs;
    size_t runs_n;
    struct batch *open;
    size_t open_n;
    uint64_t open_rows, leads, retries;
    uint64_t given_up; /* rows, since the last complete full read */
    uint64_t unmerged; /* rows whose outcome is in the journal only */
    uint64_t removals, removals_run; /* leads that the latest run with such left to be removed */
    struct job_views jobs; /* those that are not over, or not settled */
};

static int gather(struct state *state, size_t limit, struct overview *v, struct err *e)
{
    if (state_runs(state, limit, &v->arena, &v->runs, &v->runs_n, e) != 0 ||
        state_batches_open(state, &v->arena, &v->open, &v->open_n, e) != 0)
        return -1;
    for (size_t i = 0; i < v->open_n; i++)
        v->open_rows += v->open[i].entries_n;
    const char *removals;
    if (state_get(state, STATE_REMOVALS_WAIT, &removals, e) != 0)
        return -1;
    if (removals != NULL && sscanf(removals, "%" SCNu64 " %" SCNu64, &v->removals_run, &v->removals) != 2)
        v->removals = v->removals_run = 0;
    const char *given_up;
    if (state_get(state, STATE_GIVEN_UP, &given_up, e) != 0)
        return -1;
    v->given_up = given_up != NULL ? strtoull(given_up, NULL, 10) : 0;
    if (state_unmerged_rows(state, &v->unmerged, e) != 0)
        return -1;
    v->retries = state_retries_n(state);
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

static void json_time(struct jsonw *w, const char *key, int64_t ms)
{
    char text[TIME_TEXT_N];
    jsonw_key(w, key);
    jsonw_text(w, ms > 0 ? time_format(ms, text) : NULL);
}

static void json_run(struct jsonw *w, const struct run_record *run)
{
    jsonw_object(w);
    jsonw_key(w, "run");
    jsonw_uint(w, run->id);
    json_time(w, "started_at", run->started_ms);
    json_time(w, "finished_at", run->finished_ms);
    jsonw_key(w, "status");
    jsonw_text(w, run->status);
    jsonw_key(w, "read");
    jsonw_text(w, run->read);
    jsonw_key(w, "exit_code");
    if (run->finished_ms > 0)
        jsonw_int(w, run->exit_code);
    else
        jsonw_null(w);
    jsonw_key(w, "report");
    if (run->report != NULL)
        jsonw_raw(w, str_from(run->report));
    else
        jsonw_null(w);
    jsonw_object_end(w);
}

static void json_batch(struct jsonw *w, const struct batch *batch)
{
    jsonw_object(w);
    jsonw_key(w, "batch");
    jsonw_uint(w, batch->id);
    jsonw_key(w, "run");
    jsonw_uint(w, batch->run);
    jsonw_key(w, "op");
    jsonw_text(w, op_text(batch->op));
    jsonw_key(w, "state");
    jsonw_text(w, batch_state_texts(batch->state).word);
    jsonw_key(w, "rows");
    jsonw_uint(w, batch->entries_n);
    json_time(w, "sent_at", batch->sent_ms);
    jsonw_key(w, "job");
    jsonw_text(w, batch->job);
    jsonw_object_end(w);
}

static int show_json(struct state *state, const struct overview *v, struct buf *out)
{
    struct jsonw w;
    jsonw_init_output(&w, out);
    jsonw_object(&w);
    jsonw_key(&w, "version");
    jsonw_int(&w, 1);
    jsonw_key(&w, "sync");
    jsonw_text(&w, state_sync(state));
    jsonw_key(&w, "leads");
    jsonw_uint(&w, v->leads);
    jsonw_key(&w, "unmerged");
    jsonw_uint(&w, v->unmerged);
    jsonw_key(&w, "waiting");
    jsonw_uint(&w, v->retries);
    jsonw_key(&w, "given_up");
    jsonw_uint(&w, v->given_up);
    jsonw_key(&w, "removals_waiting");
    jsonw_uint(&w, v->removals);
    jsonw_key(&w, "open");
    jsonw_array(&w);
    for (size_t i = 0; i < v->open_n; i++)
        json_batch(&w, &v->open[i]);
    jsonw_array_end(&w);
    jsonw_key(&w, "jobs");
    jsonw_array(&w);
    for (size_t i = 0; i < v->jobs.n; i++) {
        jsonw_object(&w);
        job_view_json(&w, &v->jobs.v[i]);
        jsonw_object_end(&w);
    }
    jsonw_array_end(&w);
    jsonw_key(&w, "runs");
    jsonw_array(&w);
    for (size_t i = 0; i < v->runs_n; i++)
        json_run(&w, &v->runs[i]);
    jsonw_array_end(&w);
    jsonw_object_end(&w);
    return jsonw_end(&w) | buf_addc(out, '\n');
}

/* ---- text ---- */

enum { RUN_COLUMNS = 6, WIDTH_DEFAULT = 80, INDENT = 5, LINE_BYTES = 4096 };

static const enum table_align run_align[RUN_COLUMNS] = {TABLE_RIGHT, TABLE_LEFT, TABLE_RIGHT,
                                                        TABLE_LEFT,  TABLE_LEFT, TABLE_RIGHT};

static int add_number(struct table *t, int64_t v)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRId64, v);
    return table_add(t, str_from(text), TABLE_PLAIN);
}

static enum table_colour run_colour(const struct run_record *run)
{
    if (run->finished_ms == 0)
        return TABLE_YELLOW;
    return run->exit_code == XS_DONE ? TABLE_GREEN : run->exit_code == XS_LEFT_OVER ? TABLE_YELLOW : TABLE_RED;
}

static int add_run(struct table *t, const struct run_record *run)
{
    char time[TIME_TEXT_N], took[32] = "", code[16] = "";
    time_format(run->started_ms, time);
    if (run->finished_ms > 0) {
        snprintf(took, sizeof took, "%.1f s", (double)(run->finished_ms - run->started_ms) / 1000.0);
        snprintf(code, sizeof code, "%d", run->exit_code);
    }
    int bad = add_number(t, (int64_t)run->id);
    bad |= table_add(t, str_from(time), TABLE_PLAIN);
    bad |= table_add(t, str_from(took), TABLE_PLAIN);
    bad |= table_add(t, str_from(run->status), run_colour(run));
    bad |= table_add(t, str_from(run->read), TABLE_PLAIN);
    bad |= table_add(t, str_from(code), TABLE_PLAIN);
    return bad;
}

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

/* What became of the rows: the outcomes add up to what was read, what follows them does not count rows. What was done by
 * hand read none, and begins with its `command`. */
static int add_counts(struct json_object *rows, const char *read_as, const char *command, struct buf *out)
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
    int bad = buf_adds(out, alive ? "still at work" : "stopped in the middle of its work");
    if (batches > 0)
        bad |= buf_addf(out, ": %zu batch%s with %" PRIu64 " row%s %s open", batches, batches == 1 ? "" : "es", rows,
                        text_plural(rows), batches == 1 ? "is" : "are");
    if (!alive)
        bad |= buf_adds(out, batches > 0 ? "; the next sync or leadsync resume goes on" : "; nothing of it is open any more");
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

static int show_run(const struct invocation *inv, const struct overview *v, const struct run_record *run, struct buf *out)
{
    struct json_object *report = run->report != NULL ? json_tokener_parse(run->report) : NULL, *rows = NULL;
    struct json_object *command = NULL;
    struct buf line = BUF_INIT(LINE_BYTES);
    int bad = 0;
    if (report != NULL && json_object_object_get_ex(report, "rows", &rows))
        bad = add_counts(rows, run->read, json_object_object_get_ex(report, "command", &command)
                                              ? json_object_get_string(command) : NULL, &line);
    else if (run->finished_ms == 0)
        bad = add_unfinished(v, run, &line);
    if (v->removals > 0 && v->removals_run == run->id)
        bad |= buf_addf(&line, "%s%" PRIu64 " lead%s to be removed", line.n > 0 ? "; " : "", v->removals,
                        v->removals == 1 ? " waits" : "s wait");
    bad |= add_wrapped(buf_str(&line), inv->common.columns > 0 ? inv->common.columns : WIDTH_DEFAULT, out);
    buf_free(&line);
    json_object_put(report);
    return bad;
}

/* A line a run, and below it what it did: more counts than a terminal has columns for. */
static int show_runs(const struct invocation *inv, const struct overview *v, struct buf *out)
{
    static const char *const names[RUN_COLUMNS] = {"run", "started", "took", "status", "read as", "exit"};
    struct buf lines = BUF_INIT(TABLE_MAX_BYTES);
    struct table t;
    int bad = 0;
    table_init(&t, RUN_COLUMNS, run_align);
    for (size_t i = 0; i < RUN_COLUMNS; i++)
        bad |= table_add(&t, str_from(names[i]), TABLE_DIM);
    for (size_t i = 0; i < v->runs_n; i++)
        bad |= add_run(&t, &v->runs[i]);
    bad |= table_print(&t, inv->common.columns, inv->common.colour_out, &lines);
    const char *p = lines.p, *end = bad == 0 ? lines.p + lines.n : lines.p;
    for (size_t i = 0; p < end && bad == 0; i++) {
        const char *newline = memchr(p, '\n', (size_t)(end - p));
        const char *next = newline != NULL ? newline + 1 : end;
        bad |= buf_add(out, p, (size_t)(next - p));
        if (i > 0 && i <= v->runs_n)
            bad |= show_run(inv, v, &v->runs[i - 1], out);
        p = next;
    }
    table_free(&t);
    buf_free(&lines);
    return bad;
}

/* Open batches in text: of a killed run there may be hundreds, and the runs below them are what one looks for. */
enum { OPEN_SHOWN = 10 };

static int add_batch(struct buf *out, const struct batch *batch)
{
    bool has_job = batch->job != NULL;
    return buf_addf(out, "  batch %" PRIu64 ": %s of %zu, %s%s%s\n", batch->id, op_text(batch->op), batch->entries_n,
                    batch_state_texts(batch->state).sentence, has_job ? ", job " : "", has_job ? batch->job : "");
}

static int show_jobs(struct state *state, struct overview *v, struct buf *out)
{
    int bad = v->jobs.n == 0 ? 0 : buf_addf(out, "background jobs: %zu open; leadsync jobs wait waits for them\n", v->jobs.n);
    for (size_t i = 0; i < v->jobs.n && i < OPEN_SHOWN; i++) {
        const struct job_view *job = &v->jobs.v[i];
        bad |= buf_addf(out, "  job %s: ", job->id) |
               text_show(str_from(job->status != NULL ? job->status : "no status known"), 0, out) |
               buf_addf(out, ", %" PRIu64 " lead%s", job->open_rows, text_plural(job->open_rows)) | buf_adds(out, job->to != NULL ? " to " : "") |
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

static int show_text(const struct invocation *inv, struct state *state, struct overview *v, struct buf *out)
{
    int bad = buf_addf(out, "sync %s: %" PRIu64 " lead%s known", state_sync(state), v->leads, text_plural(v->leads));
    if (v->retries > 0)
        bad |= buf_addf(out, ", %" PRIu64 " row%s for the next sync", v->retries, v->retries == 1 ? " waits" : "s wait");
    bad |= buf_addc(out, '\n');
    if (v->given_up > 0)
        bad |= buf_addf(out, "%" PRIu64 " row%s given up: %s failed in five runs; the next sync reads the whole source and tries %s "
                        "again\n", v->given_up, v->given_up == 1 ? " was" : "s were", v->given_up == 1 ? "it" : "they",
                        v->given_up == 1 ? "it" : "them");
    if (v->unmerged > 0)
        bad |= buf_addf(out, "journal: the outcome of %" PRIu64 " more row%s is known; the leads among them count %s\n",
                        v->unmerged, text_plural(v->unmerged),
                        is_alive(v) ? "when the run ends" : "from the next run on");
    if (v->open_n > 0)
        bad |= buf_addf(out, "open: %zu batch%s with %" PRIu64 " row%s; leadsync resume settles %s\n", v->open_n,
                        v->open_n == 1 ? "" : "es", v->open_rows, text_plural(v->open_rows),
                        v->open_n == 1 ? "it" : "them");
    for (size_t i = 0; i < v->open_n && i < OPEN_SHOWN; i++)
        bad |= add_batch(out, &v->open[i]);
    if (v->open_n > OPEN_SHOWN)
        bad |= buf_addf(out, "  ... and %zu more (--format json lists them)\n", v->open_n - OPEN_SHOWN);
    bad |= show_jobs(state, v, out);
    if (v->runs_n == 0)
        return bad | buf_adds(out, "no runs yet\n");
    return bad | buf_addc(out, '\n') | show_runs(inv, v, out);
}

/* ---- */

static int audit(struct state *state, struct out *out, struct err *e)
{
    struct buf lines = BUF_INIT(AUDIT_BYTES);
    size_t violations = 0;
    int rc = state_audit(state, &lines, &violations, e);
    if (rc == 0 && violations == 0)
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

static int show(const struct invocation *inv, struct state *state, struct out *out, struct err *e)
{
    const struct status_options *o = inv->options;
    struct overview v = {0};
    int rc = -1;
    arena_init(&v.arena, ARENA_BYTES);
    job_views_init(&v.jobs);
    if (gather(state, (size_t)o->limit, &v, e) != 0 || gather_jobs(state, &v, e) != 0)
        goto done;
    int bad = inv->common.format == FORMAT_JSON ? show_json(state, &v, &out->text)
                                                : show_text(inv, state, &v, &out->text);
    rc = bad == 0 ? out_commit(out, e) : err_oom(e);
done:
    arena_free(&v.arena);
    job_views_free(&v.jobs);
    return rc;
}

static int run(struct invocation *inv, struct err *e)
{
    const struct status_options *o = inv->options;
    struct state *state = NULL;
    struct out out = {0};
    int rc = -1;
    if (state_arg_open(inv, &state, e) != 0 || out_open(&out, inv, OUT_PUBLIC, e) != 0)
        goto done;
    rc = o->audit ? audit(state, &out, e) : show(inv, state, &out, e);
done:
    out_abandon(&out);
    state_close(state);
    return rc;
}

const struct command command_status = {
    .name = "status",
    .usage = "[SYNC]",
    .summary = "show the runs of a sync and what is still open",
    .help = "Reads the state only, and works without a key. Without SYNC or --state it is\n"
            "the sync of the latest run. With --audit, checks the state's invariants: exit\n"
            "status 70 when one is violated.",
    .examples = "leadsync status nightly.yaml\n"
                "leadsync status nightly.yaml --audit",
    .groups = GROUP_OUTPUT | GROUP_STATE | GROUP_URL | GROUP_KEY | GROUP_CSV,
    .formats = formats,
    .options = options,
    .options_bytes = sizeof(struct status_options),
    .defaults = &defaults,
    .operands_max = 1,
    .run = run,
};
