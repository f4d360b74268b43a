/* `diff`: the dry run. Nothing that could change anything leaves the process, and the state is opened read-only. */
#include "config.h"

#include "sync/base/log.h"
#include "sync/cli/commands.h"
#include "sync/cli/out.h"
#include "sync/cli/pager.h"
#include "sync/cli/run/diff_against.h"
#include "sync/cli/run/differ.h"
#include "sync/cli/args/sync_arg.h"
#include "sync/cli/run/runner.h"
#include "sync/planfile/plan_file.h"

#include <stdlib.h>
#include <string.h>

#include <sys/stat.h>
#include <unistd.h>

static const char *const formats[] = {"text", "json", "ndjson", "csv", "html", NULL};

/* clang-format off */
static const struct opt options[] = {
    DIFFER_OPTIONS(differ_options, , OPT_OUTPUT),
    {.name = "remote", .kind = OPT_FLAG, .dest = OPT_AT(differ_options, remote),
     .help = "read every lead of the targets, and plan against what Instantly holds"},
    {.name = "against", .kind = OPT_TEXT, .dest = OPT_AT(differ_options, against), .arg = "OTHER", .min = 1,
     .help = "of FILE.plan: list what differs from run:N, another plan, or what SYNC would do now"},
    {.name = NULL},
};
/* clang-format on */

static enum diff_format diff_format_of(enum format format)
{
    switch (format) {
    case FORMAT_JSON: return DIFF_JSON;
    case FORMAT_NDJSON: return DIFF_NDJSON;
    case FORMAT_CSV: return DIFF_CSV;
    case FORMAT_HTML: return DIFF_HTML;
    default: return DIFF_TEXT;
    }
}

/* Ends the progress line before the first byte of output, because output on the same terminal, or through a pipe to it, would mix
 * with it. */
static void end_progress(void *ctx)
{
    struct runner *runner = ctx;
    progress_stop(&runner->progress);
}

static bool is_regular(FILE *f)
{
    struct stat st;
    return fstat(fileno(f), &st) == 0 && S_ISREG(st.st_mode);
}

/* Keeps a logged warning for the diff. If memory is short it is left out there; stderr has it. */
static void keep_warning(void *ctx, struct str message)
{
    struct diff_warnings *list = ctx;
    char **grown = reallocarray(list->v, list->n + 1, sizeof *grown);
    if (grown == NULL)
        return;
    list->v = grown;
    list->v[list->n] = str_dup(message);
    list->n += list->v[list->n] != NULL;
}

static void free_warnings(struct diff_warnings *list)
{
    for (size_t i = 0; i < list->n; i++)
        free(list->v[i]);
    free(list->v);
}

/* --op can be repeated and can have commas. */
static int choose_ops(const struct opt_list *texts, unsigned *show, struct err *e)
{
    for (size_t i = 0; i < texts->n; i++)
        for (const char *part = texts->v[i]; part != NULL;) {
            struct str word = {part, strcspn(part, ",")};
            if (diff_show_find(word, show) != 0)
                return err_set(e, XS_USAGE, "--op \"%.*s\" is not one of " DIFF_SHOW_WORDS, STR_ARG(word));
            part = part[word.n] == ',' ? part + word.n + 1 : NULL;
        }
    return 0;
}

/* Fills what only the options decide. XS_USAGE */
static int differ_choose(const struct differ_options *o, struct diff_options *out, struct err *e)
{
    out->has_at = o->at != NULL;
    if (out->has_at && time_parse(str_from(o->at), &out->at_ms) != 0)
        return err_set(e, XS_USAGE, "--at \"%s\" is not a time with its zone, such as 2026-06-30T21:15:32Z", o->at);
    out->all = o->all;
    out->remote = o->remote;
    out->match = o->match;
    out->summary = o->summary;
    out->mask = o->mask;
    out->left_out = o->left_out;
    out->payload = o->payload;
    if (o->payload && o->mask)
        return err_set(e, XS_USAGE, "--payload shows requests as they are sent, so --mask cannot go with it");
    return choose_ops(&o->op, &out->show, e);
}

/* Where the decisions come from: a dry run, or a saved plan. */
struct diff_origin {
    struct runner *runner;  /* NULL: a plan */
    struct plan_file *plan; /* NULL: a dry run */
};

/* Fills `diff`, and counts the rejected rows. */
static int diff_fill(const struct invocation *inv, const struct diff_origin *from, struct diff *diff, uint64_t *rejected,
                     struct err *e)
{
    struct run_report report = {0};
    if (from->plan != NULL) {
        *rejected = plan_file_summary(from->plan)->rejected;
        return plan_file_show(from->plan, diff, e);
    }
    progress_start(&from->runner->progress, &inv->common);
    int rc = run_diff(&from->runner->config, diff, &report, e);
    progress_stop(&from->runner->progress);
    *rejected = report.tally.outcomes[OUTCOME_REJECTED];
    run_report_free(&report);
    return rc;
}

/* Runs the dry run or reads the plan, once the output is open. */
static int diff_show(struct invocation *inv, const struct differ_options *o, struct diff_options *shown,
                     const struct diff_origin *from, struct output *out, struct err *e)
{
    struct diff *diff = NULL;
    uint64_t rejected;
    struct pager pager = {.pid = -1};
    int rc = -1;
    shown->format = diff_format_of(inv->common.output.format);
    shown->colour = inv->common.terminal.colour_out;
    shown->columns = inv->common.terminal.columns;
    shown->before_output = from->runner == NULL || is_regular(out->f) ? NULL : end_progress;
    shown->ctx = from->runner;
    if (shown->format == DIFF_TEXT && !o->no_pager && pager_open(&pager, &inv->common) != 0)
        return err_oom(e);
    shown->out = pager.f != NULL ? pager.f : out->f;
    /* setvbuf() ignores a size without a buffer, and the buffer must live as long as stdout. */
    static char buffer[DIFF_OUT_BUFFER_BYTES];
    fflush(shown->out);
    setvbuf(shown->out, buffer, _IOFBF, sizeof buffer);
    if (diff_open(shown, &diff, e) != 0)
        goto done;
    rc = diff_fill(inv, from, diff, &rejected, e);
    if (rc != 0)
        goto done;
    if (o->exit_code)
        inv->status = diff_has_changes(diff) ? XS_CHANGES : rejected > 0 ? XS_LEFT_OVER : XS_DONE;
    rc = output_commit(out, e);
done:
    pager_close(&pager);
    diff_close(diff);
    return rc;
}

/* A plan may have been approved, so none is replaced. */
static int refuse_other_plan(const char *path, struct err *e)
{
    if (access(path, F_OK) != 0)
        return 0;
    return err_set(e, XS_USAGE, "--save %s: the file exists; a plan is never replaced: give another name, or remove it",
                   path);
}

/* Shows, and saves the plan if that is asked for. */
static int show_and_save(struct invocation *inv, const struct differ_options *o, struct diff_options *shown,
                         const struct diff_origin *from, const struct plan_origin *origin, struct err *e)
{
    struct output out = {0};
    struct plan_write *save = NULL;
    char id[SHA256_HEX_N];
    int rc = o->save != NULL ? refuse_other_plan(o->save, e) : 0;
    if (rc == 0)
        rc = output_open(&out, inv->common.output.path, OUT_PRIVATE, e);
    if (rc == 0 && o->save != NULL)
        rc = plan_write_open(o->save, origin, &save, e);
    if (rc == 0 && save != NULL)
        shown->watch = plan_write_watch(save);
    if (rc == 0)
        rc = diff_show(inv, o, shown, from, &out, e);
    if (rc == 0 && save != NULL)
        rc = plan_write_commit(save, id, e);
    if (rc == 0 && save != NULL)
        log_notice("%s: saved plan %s%s", o->save, id, o->mask ? " (masked, so it cannot be applied)" : "");
    plan_write_close(save);
    output_abandon(&out);
    return rc;
}

static int run_on_plan(struct invocation *inv, const struct differ_options *o, struct diff_options *shown, struct err *e)
{
    struct plan_file *plan;
    if (o->payload)
        return err_set(e, XS_USAGE, "--payload goes with a SYNC; %s is a plan, which has no requests", inv->operands[0]);
    if (o->remote)
        return err_set(e, XS_USAGE, "--remote goes with a SYNC; %s is a plan, which is shown without the API",
                       inv->operands[0]);
    if (plan_file_open(inv->operands[0], &plan, e) != 0)
        return -1;
    if (o->against != NULL) {
        int compared = o->save != NULL || inv->common.output.format == FORMAT_HTML
                           ? err_set(e, XS_USAGE, "--against prints a list as text, JSON, NDJSON or CSV, and saves no plan")
                           : diff_against(inv, plan, o->against, e);
        plan_file_close(plan);
        return compared;
    }
    struct plan_origin origin = *plan_file_origin(plan);
    shown->warnings = plan_file_warnings(plan);
    shown->remote = origin.remote;
    origin.masked = origin.masked || o->mask;
    if (origin.masked)
        origin.words_n = 0; /* they may name a person */
    int rc = show_and_save(inv, o, shown, &(struct diff_origin){.plan = plan}, &origin, e);
    plan_file_close(plan);
    return rc;
}

static int run_on_source(struct invocation *inv, const struct differ_options *o, struct diff_options *shown, struct err *e)
{
    struct runner runner;
    struct diff_warnings warnings = {.v = NULL};
    struct sync_words words = {.v = NULL};
    log_watch(keep_warning, &warnings);
    /* With --remote the many requests share the rate with other processes; the run itself only reads. */
    int rc = runner_open(&runner, inv, o->remote, !o->remote, e);
    if (rc == 0 && o->save != NULL && !o->mask)
        rc = sync_arg_words(inv, &words, e);
    if (rc == 0) {
        const struct plan_origin origin = {(const char *const *)words.v, words.n, o->remote, o->mask};
        shown->warnings = &warnings;
        if (o->remote)
            runner.config.remote = RUN_REMOTE_PLAN;
        rc = show_and_save(inv, o, shown, &(struct diff_origin){.runner = &runner}, &origin, e);
    }
    log_watch(NULL, NULL);
    free_warnings(&warnings);
    sync_words_free(&words);
    runner_close(&runner);
    return rc;
}

int differ_run(struct invocation *inv, const struct differ_options *o, struct err *e)
{
    struct diff_options shown = {.warnings = NULL};
    if (differ_choose(o, &shown, e) != 0)
        return -1;
    if (inv->operands_n == 0)
        return command_needs_operand(inv, e);
    if (o->payload && inv->common.output.format != FORMAT_JSON && inv->common.output.format != FORMAT_NDJSON)
        return err_set(e, XS_USAGE, "--payload goes with --format json or ndjson");
    if (o->against != NULL && !plan_file_is(inv->operands[0]))
        return err_set(e, XS_USAGE, "--against compares a saved plan: leadsync diff FILE.plan --against OTHER");
    if (o->save != NULL && !plan_file_is(o->save))
        return err_set(e, XS_USAGE, "--save %s: the name of a plan ends in .plan", o->save);
    return plan_file_is(inv->operands[0]) ? run_on_plan(inv, o, &shown, e) : run_on_source(inv, o, &shown, e);
}

const char *differ_given(const struct differ_options *o)
{
    const struct {
        bool given;
        const char *name;
    } options_given[] = {
        {o->exit_code, "exit-code"}, {o->op.n > 0, "op"},       {o->match != NULL, "match"}, {o->summary, "summary"},
        {o->mask, "mask"},           {o->left_out, "left-out"}, {o->payload, "payload"},     {o->all, "all"},
        {o->at != NULL, "at"},       {o->no_pager, "no-pager"}, {o->save != NULL, "save"},
    };
    for (size_t i = 0; i < sizeof options_given / sizeof options_given[0]; i++)
        if (options_given[i].given)
            return options_given[i].name;
    return NULL;
}

static int diff_command(struct invocation *inv, struct err *e)
{
    return differ_run(inv, inv->options, e);
}

const struct command command_diff = {
    .name = "diff",
    .usage = "SYNC|FILE.plan",
    .summary = "show what a sync would create, update, move and remove, and why rows are left out",
    .help = "Plans every row as sync would, and changes nothing. Decisions from the source,\n"
            "the mapping and the state are exact; decisions that depend on Instantly, such as\n"
            "whether a lead exists elsewhere, are marked uncertain. Needs no API key if\n"
            "targets are UUIDs. Rejected rows change the exit status only with --exit-code.\n"
            "FILE.plan is a plan that --save has written; it is shown without source and API.",
    .examples = "leadsync diff people.csv --campaign \"Q4 founders\"\n"
                "leadsync diff people.yaml --op remove,rejected\n"
                "leadsync diff people.yaml --exit-code --format json -o changes.json\n"
                "leadsync diff people.yaml --format html -o changes.html",
    .groups = GROUP_OUTPUT | GROUP_URL | GROUP_KEY | GROUP_STATE | GROUP_CSV | GROUP_CSV_READ | GROUP_CSV_SEND |
              GROUP_SOURCE | GROUP_PLAN,
    .formats = formats,
    .options = options,
    .options_bytes = sizeof(struct differ_options),
    .operands_max = 1,
    .run = diff_command,
};
