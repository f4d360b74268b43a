/* `apply`: does what a saved plan says, and nothing else. The plan names the SYNC and its settings; key, API and outputs are those of
 * this command. */
#include "config.h"

#include "sync/cli/args/sync_arg.h"
#include "sync/cli/commands.h"
#include "sync/cli/run/runner.h"
#include "sync/planfile/plan_file.h"

#include <stdlib.h>
#include <string.h>

struct apply_options {
    struct plan_file *plan; /* no option sets it */
};

static const char *const formats[] = {"text", "json", NULL};

/* The words of the plan, parsed as those of a sync. */
struct planned_words {
    char **argv; /* "sync" and the words; owned */
    struct opt *options;
    void *sync_options;
    struct common common;
    const char **operands;
    size_t operands_n;
};

static void words_free(struct planned_words *w)
{
    for (struct opt *row = w->options; row != NULL && row->name != NULL; row++)
        if (row->kind == OPT_LIST)
            opt_list_free(row->dest);
    free(w->options);
    free(w->sync_options);
    free(w->operands);
    for (size_t i = 0; w->argv != NULL && w->argv[i] != NULL; i++)
        free(w->argv[i]);
    free(w->argv);
}

static int words_parse(struct planned_words *w, const struct plan_origin *origin, struct err *e)
{
    common_init(&w->common);
    w->argv = calloc(origin->words_n + 2, sizeof *w->argv);
    w->sync_options = calloc(1, command_sync.options_bytes + 1);
    w->options = command_options(&command_sync, &w->common, w->sync_options);
    if (w->argv == NULL || w->sync_options == NULL || w->options == NULL)
        return err_oom(e);
    if ((w->argv[0] = strdup(command_sync.name)) == NULL)
        return err_oom(e);
    for (size_t i = 0; i < origin->words_n; i++)
        if ((w->argv[i + 1] = strdup(origin->words[i])) == NULL)
            return err_oom(e);
    const struct opt *const tables[] = {w->options, NULL};
    if (opt_parse((int)origin->words_n + 1, w->argv, tables, &w->operands, &w->operands_n, e) != 0)
        return -1;
    return w->operands_n == 1 ? 0 : err_set(e, XS_SOURCE, "the plan does not name one SYNC; save it again");
}

/* What the plan says about the SYNC replaces what the command line says. */
static void take_words(struct invocation *inv, const struct planned_words *w)
{
    struct common *c = &inv->common;
    c->campaign = w->common.campaign;
    c->list = w->common.list;
    c->csv = w->common.csv;
    c->run.guards = w->common.run.guards;
    c->run.recreate = w->common.run.recreate;
    c->run.full = w->common.run.full; /* it takes up what was refused before */
    if (c->state == NULL)
        c->state = w->common.state;
    inv->operands = w->operands;
    inv->operands_n = w->operands_n;
}

/* On a terminal the run asks, once it knows that the plan is not stale. */
static int needs_yes(const struct invocation *inv, const struct plan_file *plan, struct err *e)
{
    const struct diff_summary *s = plan_file_summary(plan);
    const struct common *c = &inv->common;
    if (c->yes || s->remove == 0 || (c->terminal.in && c->terminal.err))
        return 0;
    return err_set(e, XS_USAGE, "the plan removes %llu lead%s: give --yes to apply it without a terminal",
                   (unsigned long long)s->remove, s->remove == 1 ? "" : "s");
}

static int apply_step(const struct invocation *inv, struct run_config *config, struct run_report *report, struct err *e)
{
    const struct apply_options *o = inv->options;
    config->plan = o->plan;
    if (plan_file_origin(o->plan)->remote)
        config->remote = RUN_REMOTE_PLAN;
    return run_sync(config, report, e);
}

static int apply_command(struct invocation *inv, struct err *e)
{
    struct planned_words words = {.argv = NULL};
    struct apply_options *o = inv->options;
    struct invocation planned = *inv;
    if (inv->operands_n == 0)
        return err_set(e, XS_USAGE, "missing FILE.plan; leadsync diff SYNC --save FILE.plan makes one");
    if (plan_file_open(inv->operands[0], &o->plan, e) != 0)
        return -1;
    int rc = 0;
    if (plan_file_origin(o->plan)->masked)
        rc = err_set(e, XS_USAGE, "%s is masked, so it lacks the values to write; apply the plan that it was made from",
                     inv->operands[0]);
    if (rc == 0)
        rc = words_parse(&words, plan_file_origin(o->plan), e);
    if (rc == 0)
        rc = needs_yes(inv, o->plan, e);
    if (rc == 0) {
        take_words(&planned, &words);
        rc = runner_run(&planned, apply_step, e);
        inv->status = planned.status;
    }
    words_free(&words);
    plan_file_close(o->plan);
    return rc;
}

const struct command command_apply = {
    .name = "apply",
    .usage = "FILE.plan",
    .summary = "do exactly what a saved plan says",
    .help = "Creates, updates, moves and removes what diff --save has put into the plan, without\n"
            "reading the source. People who unsubscribed, bounced or were forgotten since then\n"
            "are left out. If the mapping, the state, the workspace or a target has changed since\n"
            "the plan was saved, apply sends nothing, says what changed, and exits with 3. If it\n"
            "is interrupted, run the same command again. A plan that removes leads needs --yes\n"
            "without a terminal.",
    .examples = "leadsync diff nightly.yaml --save monday.plan\n"
                "leadsync diff monday.plan --format html -o monday.html\n"
                "leadsync apply monday.plan",
    .groups = GROUP_OUTPUT | GROUP_URL | GROUP_KEY | GROUP_STATE | GROUP_SETTLE | GROUP_TIME | GROUP_LOCK | GROUP_YES,
    .formats = formats,
    .options_bytes = sizeof(struct apply_options),
    .operands_max = 1,
    .run = apply_command,
};
