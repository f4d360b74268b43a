/* `verify`: compares what the targets hold with what the source wants. Writes nothing, not even the state. */
#include "config.h"

#include "sync/cli/commands.h"
#include "sync/cli/run/runner.h"
#include "sync/cli/run/verify_list.h"

struct verify_options {
    int64_t sample;
};

enum { SAMPLE_MOST = 1000000 };

static const char *const formats[] = {"text", "json", "ndjson", "csv", "html", NULL};

/* clang-format off */
static const struct opt options[] = {
    {.name = "sample", .section = OPT_SAFETY, .kind = OPT_INT, .dest = OPT_AT(verify_options, sample), .arg = "N", .min = 1,
     .max = SAMPLE_MOST, .help = "compare N rows, chosen at random; the result says how sure it is"},
    {.name = NULL},
};
/* clang-format on */

static bool differs(struct verify *v)
{
    const struct verify_counts *c = verify_counts(v);
    for (int s = VERIFY_SAME + 1; s < VERIFY_SIGN_N; s++)
        if (c->signs[s] > 0)
            return true;
    return false;
}

static int compare(struct invocation *inv, struct runner *runner, struct out *out, struct err *e)
{
    const struct verify_options *o = inv->options;
    struct run_report report = {0};
    struct verify *verify = NULL;
    runner->config.remote = RUN_REMOTE_VERIFY;
    runner->config.sample_rows = (uint64_t)o->sample;
    progress_start(&runner->progress, &inv->common);
    int rc = run_verify(&runner->config, &verify, &report, e);
    progress_stop(&runner->progress);
    if (rc == 0) {
        const struct verify_list list = {inv, verify, report.sync, report.started_ms};
        inv->status = differs(verify) ? XS_CHANGES : XS_DONE;
        rc = verify_list_print(&list, out, e);
    }
    verify_free(verify);
    run_report_free(&report);
    return rc;
}

static int verify_command(struct invocation *inv, struct err *e)
{
    struct runner runner;
    struct out out = {0};
    if (inv->operands_n == 0)
        return command_needs_operand(inv, e);
    /* Not as a dry run, so that its many requests share the rate with other processes; the run itself only reads. */
    int rc = runner_open(&runner, inv, true, false, e);
    if (rc == 0)
        rc = out_open(&out, inv, OUT_PRIVATE, e);
    if (rc == 0)
        rc = compare(inv, &runner, &out, e);
    out_abandon(&out);
    runner_close(&runner);
    return rc;
}

const struct command command_verify = {
    .name = "verify",
    .usage = "SYNC",
    .summary = "compare what Instantly holds with what the source wants",
    .help = "Reads every lead of the mapping's campaigns and lists, a hundred per request, then\n"
            "the source, and lists the differences: * a lead differs, + a lead is missing,\n"
            "- a lead has no row in the source, ! the result is unclear. Writes nothing, not\n"
            "even the state. If it is interrupted, the same command goes on within half an hour.\n"
            "Exits with 2 if there are differences.",
    .examples = "leadsync verify people.csv --campaign \"Q4 founders\"\n"
                "leadsync verify nightly.yaml --format csv -o differences.csv\n"
                "leadsync verify nightly.yaml --sample 500",
    .groups = GROUP_OUTPUT | GROUP_URL | GROUP_KEY | GROUP_STATE | GROUP_CSV | GROUP_CSV_READ | GROUP_CSV_SEND |
              GROUP_SOURCE | GROUP_PLAN,
    .formats = formats,
    .options = options,
    .options_bytes = sizeof(struct verify_options),
    .operands_max = 1,
    .run = verify_command,
};
