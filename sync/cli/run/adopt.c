/* `adopt`: takes the leads of the targets that rows of the source match into the state, and sends nothing. */
#include "config.h"

#include "sync/cli/commands.h"
#include "sync/cli/run/runner.h"

static const char *const formats[] = {"text", "json", NULL};

static int adopt_step(const struct invocation *inv, struct run_config *config, struct run_report *report, struct err *e)
{
    (void)inv; /* adopt has no options of its own. */
    config->remote = RUN_REMOTE_ADOPT;
    config->partial_input = true; /* it removes no lead and moves no watermark */
    return run_sync(config, report, e);
}

static int adopt_command(struct invocation *inv, struct err *e)
{
    return inv->operands_n == 0 ? command_needs_operand(inv, e) : runner_run(inv, adopt_step, e);
}

const struct command command_adopt = {
    .name = "adopt",
    .usage = "SYNC",
    .summary = "take the leads of the targets that rows match into the state",
    .help = "Reads every lead of the mapping's campaigns and lists, then the source. Stores the\n"
            "leads that rows match in the state: id, values, and who unsubscribed or bounced.\n"
            "Sends no write to Instantly. The next diff is then true, on a workspace that\n"
            "leadsync has not filled, or after a lost state. If it is interrupted, run the\n"
            "same command again.",
    .examples = "leadsync adopt nightly.yaml\n"
                "leadsync diff nightly.yaml",
    .groups = GROUP_OUTPUT | GROUP_URL | GROUP_KEY | GROUP_STATE | GROUP_CSV | GROUP_CSV_READ | GROUP_CSV_SEND |
              GROUP_SOURCE | GROUP_PLAN | GROUP_SETTLE | GROUP_TIME | GROUP_LOCK,
    .formats = formats,
    .operands_max = 1,
    .run = adopt_command,
};
