/* `sandbox`: the local stand-in for the API. Options in, sync/sandbox does the rest. */
#include "config.h"

#include "sync/sandbox/sandbox.h"

#include "sync/base/log.h"
#include "sync/cli/commands.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct sandbox_options {
    int64_t port, seed, latency_ms, plan_limit, read_lag_ms, job_ms;
    const char *key_file, *store, *rate, *faults, *scopes;
    struct opt_list campaigns, lists;
    int patch, plan_full, unknown_keys;
    bool spec_strict, case_sensitive;
};

enum { JOB_DEFAULT_MS = 300, RATE_MAX = 1000000 };
/* clang-format off */
static const struct sandbox_options defaults = {
    .latency_ms = 0, .plan_limit = -1, .job_ms = JOB_DEFAULT_MS, .rate = "100/s,6000/min"};
/* clang-format on */

static const char *const patch_modes[] = {"replace", "merge", NULL};
static const char *const unknown_modes[] = {"drop", "refuse", NULL};
static const char *const plan_modes[] = {"refuse", "partial", NULL};

#define AT(member) OPT_AT(sandbox_options, member)
/* clang-format off */
static const struct opt options[] = {
    {.name = "port", .kind = OPT_INT, .dest = AT(port), .arg = "PORT", .min = 0, .max = 65535,
     .help = "listen on this port of 127.0.0.1; 0 is any free port (0)"},
    {.name = "key", .kind = OPT_TEXT, .dest = AT(key_file), .arg = "FILE", .min = 1,
     .help = "accept only the key in FILE (accept any key)"},
    {.name = "campaign", .kind = OPT_LIST, .dest = AT(campaigns), .arg = "NAME[:STATUS]",
     .help = "add a campaign beside Demo; STATUS is draft, active, paused or completed (draft; repeatable)"},
    {.name = "list", .kind = OPT_LIST, .dest = AT(lists), .arg = "NAME",
     .help = "add a list beside Incoming (repeatable)"},
    {.name = "store", .kind = OPT_TEXT, .dest = AT(store), .arg = "FILE", .min = 1,
     .help = "keep all data in FILE across restarts (memory only)"},
    {.name = "seed", .kind = OPT_INT, .dest = AT(seed), .arg = "N", .min = 0, .max = INT64_MAX,
     .help = "seed of ids and faults, for repeatable runs"},
    {.name = "rate", .kind = OPT_TEXT, .dest = AT(rate), .arg = "RATE",
     .help = "rate limit as N/s,N/min; 0 is no limit (100/s,6000/min)"},
    {.name = "latency", .kind = OPT_INT, .dest = AT(latency_ms), .arg = "MS", .min = 0, .max = 600000,
     .help = "milliseconds before each answer"},
    {.name = "plan-limit", .kind = OPT_INT, .dest = AT(plan_limit), .arg = "N", .min = 0, .max = INT64_MAX,
     .help = "number of leads that the plan allows (no limit)"},
    {.name = "faults", .kind = OPT_TEXT, .dest = AT(faults), .arg = "PLAN",
     .help = "faults by route, such as 'POST /leads/add:drop-after=2%,429=1%;…': drop-before, drop-after, 500, "
             "500-after, 503, 429, truncate, garbage, empty, slow, hang, hang-after, late-write, late-hang; or "
             "false answers: empty-created, nameless-omitted, uploaded-unlisted, shifted-index, same-id, "
             "patch-ignored, delete-ignored, job-lies, list-empty, list-lag"},
    {.name = "spec-strict", .kind = OPT_FLAG, .dest = AT(spec_strict),
     .help = "return status 1 for leads in lists, as the published enum says, instead of the observed 0"},
    {.name = "unknown-keys", .kind = OPT_CHOICE, .dest = AT(unknown_keys), .choices = unknown_modes,
     .help = "drop unknown keys of a request body, as the API does, or refuse the request"},
    {.name = "patch", .kind = OPT_CHOICE, .dest = AT(patch), .choices = patch_modes,
     .help = "make the custom variables of a PATCH replace the old ones, or merge with them"},
    {.name = "plan-full", .kind = OPT_CHOICE, .dest = AT(plan_full), .choices = plan_modes,
     .help = "refuse a request over the plan limit, or accept the part that fits"},
    {.name = "read-lag", .kind = OPT_INT, .dest = AT(read_lag_ms), .arg = "MS", .min = 0, .max = 600000,
     .help = "milliseconds until a new lead appears in lists"},
    {.name = "job-time", .kind = OPT_INT, .dest = AT(job_ms), .arg = "MS", .min = 0, .max = 600000,
     .help = "milliseconds that a background job takes (300)"},
    {.name = "scopes", .kind = OPT_TEXT, .dest = AT(scopes), .arg = "LIST",
     .help = "scopes of the key, separated by commas (all)"},
    {.name = "case-sensitive", .kind = OPT_FLAG, .dest = AT(case_sensitive),
     .help = "treat addresses that differ only in case as different"},
    {.name = NULL},
};
/* clang-format on */

/* One "N/s" or "N/min" of the text. 0/-1. */
static int parse_rate(const char *part, size_t n, struct sandbox_config *config)
{
    char *end;
    errno = 0;
    unsigned long value = strtoul(part, &end, 10);
    if (errno != 0 || end == part || part[0] == '-' || part[0] == '+' || value > RATE_MAX)
        return -1;
    struct str unit = {end, (size_t)(part + n - end)};
    if (str_is(unit, "/s"))
        config->rate_per_second = (unsigned)value;
    else if (str_is(unit, "/min"))
        config->rate_per_minute = (unsigned)value;
    else
        return -1;
    return 0;
}

static int parse_rates(const char *text, struct sandbox_config *config, struct err *e)
{
    config->rate_per_second = config->rate_per_minute = 0;
    if (strcmp(text, "0") == 0)
        return 0;
    for (const char *part = text;;) {
        size_t n = strcspn(part, ",");
        if (parse_rate(part, n, config) != 0)
            return err_set(e, XS_USAGE, "--rate \"%s\" is not like 100/s,6000/min, or 0 for no limit", text);
        if (part[n] == '\0')
            return 0;
        part += n + 1;
    }
}

static int sandbox_command(struct invocation *inv, struct err *e)
{
    const struct sandbox_options *o = inv->options;
    struct sandbox_config config = {
        .port = (uint16_t)o->port,
        .key_file = o->key_file,
        .campaigns = o->campaigns.v,
        .campaigns_n = o->campaigns.n,
        .lists = o->lists.v,
        .lists_n = o->lists.n,
        .store = o->store,
        .seed = (uint64_t)o->seed,
        .latency_ms = o->latency_ms,
        .plan_limit = o->plan_limit,
        .faults = o->faults,
        .spec_strict = o->spec_strict,
        .refuse_unknown = o->unknown_keys == 1,
        .patch_merges = o->patch == 1,
        .plan_partial = o->plan_full == 1,
        .read_lag_ms = o->read_lag_ms,
        .job_ms = o->job_ms,
        .scopes = o->scopes,
        .ignore_case_off = o->case_sensitive,
    };
    struct sandbox *sandbox = NULL;
    int rc = -1;
    if (parse_rates(o->rate, &config, e) != 0 || sandbox_start(&config, &sandbox, e) != 0)
        goto done;
    /* Scripts wait for this line to learn the port: it must not linger in a buffer. */
    printf("http://127.0.0.1:%u\n", (unsigned)sandbox_port(sandbox));
    if (command_flush(e) != 0)
        goto done;
    rc = sandbox_serve(sandbox, e);
done:
    sandbox_free(sandbox);
    return rc;
}

const struct command command_sandbox = {
    .name = "sandbox",
    .usage = "",
    .summary = "run a local stand-in for the Instantly API",
    .help = "Serves a strict imitation of the API on 127.0.0.1, with its limits, counters,\n"
            "jobs and locks, for rehearsals and tests. The first line on stdout is its\n"
            "address, for --api-url or INSTANTLY_API_URL of other commands. It starts with a\n"
            "campaign Demo and a list Incoming. GET /__state shows all its data. SIGTERM or\n"
            "Ctrl-C stops it.",
    .examples = "leadsync sandbox --campaign \"Q4 founders:active\" --plan-limit 5000\n"
                "leadsync sandbox --port 8080 --store sandbox.db --faults 'POST /leads/add:drop-after=2%'",
    .options = options,
    .options_bytes = sizeof(struct sandbox_options),
    .defaults = &defaults,
    .run = sandbox_command,
};
