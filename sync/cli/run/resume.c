/* `resume`: settles what earlier runs left open, and nothing else. */
#include "config.h"

#include "sync/base/log.h"
#include "sync/cli/commands.h"
#include "sync/cli/run/runner.h"

struct resume_options {
    int64_t run;
    bool journal_lost;
};

static const char *const formats[] = {"text", "json", NULL};

/* clang-format off */
static const struct opt options[] = {
    {.name = "run", .kind = OPT_INT, .dest = OPT_AT(resume_options, run), .arg = "ID", .min = 1, .max = INT64_MAX,
     .help = "settle only what this run left open (all runs)"},
    {.name = "journal-lost", .kind = OPT_FLAG, .dest = OPT_AT(resume_options, journal_lost),
     .help = "continue without a journal that is missing and cannot be restored"},
    {.name = NULL},
};
/* clang-format on */

static int resume(const struct invocation *inv, struct run_config *config, struct run_report *report, struct err *e)
{
    const struct resume_options *o = inv->options;
    config->resume_run = (uint64_t)o->run;
    config->journal_lost = o->journal_lost;
    int rc = run_resume(config, report, e);
    /* The text report shows it already. */
    if (rc == 0 && report->waiting_rows > 0 && inv->common.output.format != FORMAT_TEXT)
        log_notice("%llu row%s for the next sync", (unsigned long long)report->waiting_rows,
                   report->waiting_rows == 1 ? " waits" : "s wait");
    return rc;
}

static int resume_command(struct invocation *inv, struct err *e)
{
    return runner_run(inv, resume, e);
}

const struct command command_resume = {
    .name = "resume",
    .usage = "[SYNC]",
    .summary = "settle what earlier runs left open; reads no source, creates nothing",
    .help = "Reads back the outcome of requests that were never answered, and reports how\n"
            "many rows the next sync will take up (exit status 1 if there are any). Without\n"
            "SYNC it takes the only state; if there are several, it lists them.",
    .examples = "leadsync resume nightly.yaml",
    .groups = GROUP_OUTPUT | GROUP_URL | GROUP_KEY | GROUP_STATE | GROUP_CSV | GROUP_CSV_SEND | GROUP_SETTLE | GROUP_TIME |
              GROUP_LOCK | GROUP_YES,
    .formats = formats,
    .options = options,
    .options_bytes = sizeof(struct resume_options),
    .operands_max = 1,
    .run = resume_command,
};
