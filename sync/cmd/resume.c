/* `resume`: settles what earlier runs left open, and nothing else. */
#include "config.h"

#include "sync/cmd/commands.h"
#include "sync/cmd/runner.h"

static const char *const formats[] = {"text", "json", NULL};

static int run(struct invocation *inv, struct err *e)
{
    return runner_run(inv, run_resume, e);
}

const struct command command_resume = {
    .name = "resume",
    .usage = "[SYNC]",
    .summary = "settle what earlier runs left open; reads no source, creates nothing",
    .help = "Reads back the outcome of requests that were never answered, and says how many\n"
            "rows the next sync will take up (exit status 1 when there are some). Without\n"
            "SYNC it takes the only state there is; when there are several it lists them.",
    .groups = GROUP_OUTPUT | GROUP_URL | GROUP_KEY | GROUP_STATE | GROUP_CSV | GROUP_SETTLE,
    .formats = formats,
    .operands_max = 1,
    .run = run,
};
