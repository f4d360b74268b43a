/* `sync`: diff and apply in one streaming pass. `sync --dry-run` is `diff`, and takes its options. */
#include "config.h"

#include "mappings/mapping.h"
#include "sync/cli/commands.h"
#include "sync/cli/run/differ.h"
#include "sync/cli/run/runner.h"

struct sync_options {
    bool dry_run;
    struct differ_options diff;
};

static const char *const formats[] = {"text", "json", "ndjson", "csv", "html", NULL};

/* clang-format off */
static const struct opt options[] = {
    {.name = "dry-run", .letter = 'n', .section = OPT_SAFETY, .kind = OPT_FLAG, .dest = OPT_AT(sync_options, dry_run),
     .help = "only show what would change, as leadsync diff does"},
    DIFFER_OPTIONS(sync_options, diff., OPT_DRY_RUN),
    {.name = "remote", .kind = OPT_FLAG, .dest = OPT_AT(sync_options, diff.remote),
     .help = "read every lead of the targets, and plan against what Instantly holds"},
    {.name = NULL},
};
/* clang-format on */

static int sync_step(const struct invocation *inv, struct run_config *config, struct run_report *report, struct err *e)
{
    const struct sync_options *o = inv->options;
    if (o->diff.remote)
        config->remote = RUN_REMOTE_PLAN;
    return run_sync(config, report, e);
}

static int sync_command(struct invocation *inv, struct err *e)
{
    const struct sync_options *o = inv->options;
    const char *of_diff = differ_given(&o->diff);
    if (o->dry_run)
        return differ_run(inv, &o->diff, e);
    if (of_diff != NULL)
        return err_set(e, XS_USAGE, "--%s goes with --dry-run", of_diff);
    if (inv->common.output.format == FORMAT_NDJSON || inv->common.output.format == FORMAT_CSV)
        return err_set(e, XS_USAGE, "--format ndjson and csv go with --dry-run; a run's report is text or json");
    if (inv->common.output.format == FORMAT_HTML)
        return err_set(e, XS_USAGE,
                       "--format html goes with --dry-run; leadsync status --run N --format html makes the page of a run");
    if (inv->operands_n == 0)
        return command_needs_operand(inv, e);
    return runner_run(inv, sync_step, e);
}

/* Lists the header names that a CSV without a mapping may have. */
static int help_more(FILE *out, struct err *e)
{
    enum { NAMES_MAX_BYTES = 1 << 16 };
    struct buf names = BUF_INIT(NAMES_MAX_BYTES);
    if (mapping_names_help(&names) != 0) {
        buf_free(&names);
        return err_oom(e);
    }
    fprintf(out,
            "\ncolumns of a CSV without a mapping (upper or lower case, blanks, _ - . do not matter, nor do\n"
            "additions of tools: Lead Email, E-mail 1 - Value, Phone (Work), First Name*):\n%.*s",
            STR_ARG(buf_str(&names)));
    buf_free(&names);
    return 0;
}

const struct command command_sync = {
    .name = "sync",
    .usage = "SYNC",
    .summary = "read the source and create, update, move and remove leads accordingly",
    .help = "Settles what an earlier run left open, then reads the source once and writes\n"
            "leads as the mapping says. After any interruption, run the same command again:\n"
            "it ends in the state that an undisturbed run would have reached. It asks only at\n"
            "a terminal; guards stop a run that would remove, move or change too many leads,\n"
            "or whose source shrank.",
    .examples = "leadsync sync people.csv --campaign \"Q4 founders\" --dry-run\n"
                "leadsync sync people.csv --campaign \"Q4 founders\"\n"
                "leadsync sync nightly.yaml -q --max-seconds 3600 --report report.json",
    .groups = GROUP_OUTPUT | GROUP_URL | GROUP_KEY | GROUP_STATE | GROUP_CSV | GROUP_CSV_READ | GROUP_CSV_SEND |
              GROUP_SOURCE | GROUP_PLAN | GROUP_SETTLE | GROUP_TIME | GROUP_LOCK | GROUP_APPLY | GROUP_YES,
    .formats = formats,
    .options = options,
    .options_bytes = sizeof(struct sync_options),
    .operands_max = 1,
    .run = sync_command,
    .help_more = help_more,
};
