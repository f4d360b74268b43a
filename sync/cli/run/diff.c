/* `diff`: the dry run. Nothing that could change anything leaves the process, and the state is opened read-only. */
#include "config.h"

#include "sync/base/log.h"
#include "sync/cli/commands.h"
#include "sync/cli/out.h"
#include "sync/cli/pager.h"
#include "sync/cli/run/differ.h"
#include "sync/cli/run/runner.h"

#include <stdlib.h>
#include <string.h>

#include <sys/stat.h>

static const char *const formats[] = {"text", "json", "ndjson", "csv", "html", NULL};

/* clang-format off */
static const struct opt options[] = {
    DIFFER_OPTIONS(differ_options, , ""),
    {.name = "remote", .kind = OPT_FLAG, .dest = OPT_AT(differ_options, remote),
     .help = "read every lead of the targets, and plan against what Instantly holds"},
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
    return choose_ops(&o->op, &out->show, e);
}

/* Runs the dry run, once runner and output are open. */
static int diff_show(struct invocation *inv, const struct differ_options *o, struct diff_options *shown,
                     struct runner *runner, struct output *out, struct err *e)
{
    struct run_report report = {0};
    struct diff *diff = NULL;
    struct pager pager = {.pid = -1};
    int rc = -1;
    shown->format = diff_format_of(inv->common.output.format);
    shown->colour = inv->common.terminal.colour_out;
    shown->columns = inv->common.terminal.columns;
    shown->before_output = is_regular(out->f) ? NULL : end_progress;
    shown->ctx = runner;
    if (shown->format == DIFF_TEXT && !o->no_pager && pager_open(&pager, &inv->common) != 0)
        return err_oom(e);
    shown->out = pager.f != NULL ? pager.f : out->f;
    /* setvbuf() ignores a size without a buffer, and the buffer must live as long as stdout. */
    static char buffer[DIFF_OUT_BUFFER_BYTES];
    fflush(shown->out);
    setvbuf(shown->out, buffer, _IOFBF, sizeof buffer);
    if (diff_open(shown, &diff, e) != 0)
        goto done;
    if (o->remote)
        runner->config.remote = RUN_REMOTE_PLAN;
    progress_start(&runner->progress, &inv->common);
    rc = run_diff(&runner->config, diff, &report, e);
    progress_stop(&runner->progress);
    if (rc != 0)
        goto done;
    if (o->exit_code)
        inv->status = diff_has_changes(diff)                        ? XS_CHANGES
                      : report.tally.outcomes[OUTCOME_REJECTED] > 0 ? XS_LEFT_OVER
                                                                    : XS_DONE;
    rc = output_commit(out, e);
done:
    pager_close(&pager);
    run_report_free(&report);
    diff_close(diff);
    return rc;
}

int differ_run(struct invocation *inv, const struct differ_options *o, struct err *e)
{
    struct runner runner;
    struct output out = {0};
    struct diff_warnings warnings = {.v = NULL};
    struct diff_options shown = {.warnings = &warnings};
    if (differ_choose(o, &shown, e) != 0)
        return -1;
    if (inv->operands_n == 0)
        return command_needs_operand(inv, e);
    log_watch(keep_warning, &warnings);
    /* With --remote the many requests share the rate with other processes; the run itself only reads. */
    int rc = runner_open(&runner, inv, o->remote, !o->remote, e);
    if (rc == 0)
        rc = output_open(&out, inv->common.output.path, OUT_PRIVATE, e);
    if (rc == 0)
        rc = diff_show(inv, o, &shown, &runner, &out, e);
    log_watch(NULL, NULL);
    free_warnings(&warnings);
    output_abandon(&out);
    runner_close(&runner);
    return rc;
}

const char *differ_given(const struct differ_options *o)
{
    const struct {
        bool given;
        const char *name;
    } options_given[] = {
        {o->exit_code, "exit-code"}, {o->op.n > 0, "op"}, {o->match != NULL, "match"}, {o->summary, "summary"},
        {o->mask, "mask"},           {o->all, "all"},     {o->at != NULL, "at"},       {o->no_pager, "no-pager"},
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
    .usage = "SYNC",
    .summary = "show what a sync would create, update, move and remove, and why rows are left out",
    .help = "Plans every row as sync would, and changes nothing. Decisions from the source,\n"
            "the mapping and the state are exact; decisions that depend on Instantly, such as\n"
            "whether a lead exists elsewhere, are marked uncertain. Needs no API key if\n"
            "targets are UUIDs. Rejected rows change the exit status only with --exit-code.",
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
