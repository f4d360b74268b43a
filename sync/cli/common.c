/* The tables of shared options, and the environment and terminal of the process. A bad option is a usage error (XS_USAGE), a bad
 * environment variable a configuration error (XS_CONFIG). */
#include "config.h"

#include "sync/cli/common.h"

#include "sync/base/hash.h"
#include "sync/base/log.h"
#include "sync/cli/command.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define PRODUCTION_URL "https://api.instantly.ai"

enum { LOOK_DEFAULT_MS = 7000, MEMORY_DEFAULT_MB = 256, MEMORY_LEAST_MB = 16, MEMORY_MOST_MB = 1 << 20 };
static const int64_t LONGEST_S = INT64_C(30) * 86400;

static const char *const log_formats[] = {"text", "json", NULL};
static const char *const progress_modes[] = {"auto", "always", "never", NULL};

#define AT(member) OPT_AT(common, member)

/* clang-format off */
static const struct opt base_options[] = {
    {.name = "quiet", .letter = 'q', .kind = OPT_FLAG, .dest = AT(quiet), .help = "print only warnings and errors"},
    {.name = "verbose", .letter = 'v', .kind = OPT_COUNT, .dest = AT(verbose),
     .help = "print more messages, down to single rows; twice: also debug messages"},
    {.name = "log-format", .kind = OPT_CHOICE, .dest = AT(log_format), .choices = log_formats,
     .help = "print messages as text, or as one JSON object per line"},
    {.name = "syslog", .kind = OPT_FLAG, .dest = AT(syslog), .help = "also send messages to syslog"},
    {.name = "no-color", .kind = OPT_FLAG, .dest = AT(no_color),
     .help = "print without colours, as with NO_COLOR set"},
    {.name = "help", .letter = 'h', .kind = OPT_FLAG, .dest = AT(help),
     .help = "show what this command does and its options"},
    {.name = "version", .kind = OPT_FLAG, .dest = AT(version), .help = "show the version of leadsync"},
    /* Exists only to be refused with a reason. Otherwise it would be accepted as short for --api-key-file. */
    {.name = "api-key", .kind = OPT_TEXT, .dest = AT(connection.refused_key), .arg = "KEY", .help = NULL,
     .secret = true},
    {.name = NULL},
};
/* clang-format on */

/* clang-format off */
static const struct opt url_options[] = {
    {.name = "api-url", .kind = OPT_TEXT, .dest = AT(connection.api_url), .arg = "URL", .min = 1,
     .help = "API address; plain http only to this machine (INSTANTLY_API_URL, else " PRODUCTION_URL ")"},
    {.name = NULL},
};
/* clang-format on */

/* clang-format off */
static const struct opt key_options[] = {
    /* Secret, because a user may give the key itself by mistake. */
    {.name = "api-key-file", .kind = OPT_TEXT, .dest = AT(connection.api_key_file), .arg = "FILE", .min = 1,
     .secret = true,
     .help = "read the API key from FILE, or from stdin if FILE is - (systemd credential instantly_api_key, else "
             "INSTANTLY_API_KEY)"},
    {.name = "workspace", .kind = OPT_TEXT, .dest = AT(connection.workspace), .arg = "UUID",
     .help = "act on this workspace of the key's workspace group"},
    {.name = NULL},
};
/* clang-format on */

/* clang-format off */
static const struct opt output_options[] = {
    {.name = "format", .kind = OPT_CHOICE, .dest = AT(output.format_choice), .help = "output format"},
    {.name = "output", .letter = 'o', .kind = OPT_TEXT, .dest = AT(output.path), .arg = "FILE", .min = 1,
     .help = "write to FILE instead of stdout; FILE appears complete or not at all"},
    {.name = NULL},
};
/* clang-format on */

/* clang-format off */
static const struct opt state_options[] = {
    {.name = "state", .kind = OPT_TEXT, .dest = AT(state), .arg = "PATH", .min = 1,
     .help = "state file (LEADSYNC_STATE, else NAME.db in $XDG_STATE_HOME/leadsync)"},
    {.name = NULL},
};
/* clang-format on */

/* Of a CSV file without a mapping. A mapping has its own values for all of these, so that with one they are refused. */
/* clang-format off */
static const struct opt csv_options[] = {
    {.name = "campaign", .kind = OPT_TEXT, .dest = AT(campaign), .arg = "NAME|UUID",
     .help = "for a CSV file without a mapping: the campaign that its leads go to"},
    {.name = "list", .kind = OPT_TEXT, .dest = AT(list), .arg = "NAME|UUID",
     .help = "for a CSV file without a mapping: the list that its leads go to"},
    {.name = NULL},
};
/* clang-format on */

/* How the file becomes leads. */
/* clang-format off */
static const struct opt csv_read_options[] = {
    {.name = "all-columns", .kind = OPT_FLAG, .dest = AT(csv.all_columns),
     .help = "make custom variables of the columns that match no lead field"},
    {.name = "skip-when", .kind = OPT_LIST, .dest = AT(csv.skip_when), .arg = "COLUMN=VALUE[,VALUE...]", .min = 1,
     .help = "skip rows with one of these values in this column, such as opt-outs; * is any value (repeatable)"},
    {.name = "delimiter", .kind = OPT_TEXT, .dest = AT(csv.delimiter), .arg = "CHAR",
     .help = "column delimiter: auto, one of , ; | or comma, semicolon, bar, tab (auto)"},
    {.name = "encoding", .kind = OPT_TEXT, .dest = AT(csv.encoding), .arg = "NAME",
     .help = "character encoding: auto, or an iconv name (auto)"},
    {.name = "short-rows", .kind = OPT_TEXT, .dest = AT(csv.short_rows), .arg = "POLICY",
     .help = "pad or reject rows with too few cells (pad)"},
    {.name = "embedded-rows", .kind = OPT_TEXT, .dest = AT(csv.embedded_rows), .arg = "POLICY",
     .help = "refuse or allow quoted cells that contain whole rows (refuse)"},
    {.name = "mode", .kind = OPT_TEXT, .dest = AT(csv.mode), .arg = "MODE",
     .help = "create: only add new leads; upsert: also update known leads (upsert)"},
    {.name = "dedupe", .kind = OPT_TEXT, .dest = AT(csv.dedupe), .arg = "SCOPE",
     .help = "skip new leads that Instantly already has here: workspace, any-campaign, any-list or target-only "
             "(workspace)"},
    {.name = "duplicates", .kind = OPT_TEXT, .dest = AT(csv.duplicates), .arg = "POLICY",
     .help = "for rows with the same address: use the first, use the last, or reject (first)"},
    {.name = "contacted", .kind = OPT_TEXT, .dest = AT(csv.contacted), .arg = "POLICY",
     .help = "keep or move leads that are in a conversation and now belong to another target (keep)"},
    {.name = "blocklist", .kind = OPT_TEXT, .dest = AT(csv.blocklist), .arg = "UUID",
     .help = "check addresses against this block list (the workspace's default)"},
    {.name = NULL},
};
/* clang-format on */

/* How the leads are sent and remembered. */
/* clang-format off */
static const struct opt csv_send_options[] = {
    {.name = "batch", .kind = OPT_TEXT, .dest = AT(csv.batch), .arg = "N",
     .help = "leads per request, 1 to 1000 (1000)"},
    {.name = "in-flight", .kind = OPT_TEXT, .dest = AT(csv.in_flight), .arg = "N",
     .help = "concurrent requests: auto, or a number (auto)"},
    {.name = "requests-per-second", .kind = OPT_TEXT, .dest = AT(csv.per_second), .arg = "N",
     .help = "use at most N requests per second; 0 is no limit (50)"},
    {.name = "requests-per-minute", .kind = OPT_TEXT, .dest = AT(csv.per_minute), .arg = "N",
     .help = "use at most N requests per minute; 0 is no limit (3000)"},
    {.name = "settle", .kind = OPT_TEXT, .dest = AT(csv.settle), .arg = "TIME",
     .help = "total time to look for a write of unknown outcome before sending it again (7s)"},
    {.name = "job-wait", .kind = OPT_TEXT, .dest = AT(csv.job_wait), .arg = "TIME",
     .help = "how long to wait for a background job (10m)"},
    {.name = "retry-refused", .kind = OPT_TEXT, .dest = AT(csv.retry_refused), .arg = "TIME",
     .help = "time after which a refused lead is tried again (30d)"},
    {.name = "values", .kind = OPT_TEXT, .dest = AT(csv.values), .arg = "HOW",
     .help = "keep values in the state, or only their hashes: kept or hashed (kept)"},
    {.name = "keep-runs", .kind = OPT_TEXT, .dest = AT(csv.keep_runs), .arg = "N",
     .help = "number of runs whose results are kept (30)"},
    {.name = NULL},
};
/* clang-format on */

/* clang-format off */
static const struct opt source_options[] = {
    {.name = "input", .kind = OPT_TEXT, .dest = AT(source.input), .arg = "FILE", .min = 1,
     .help = "read this CSV instead of the source, in one partial run: no removals, no new watermark"},
    {.name = "no-exec", .kind = OPT_FLAG, .dest = AT(source.no_exec),
     .help = "refuse a mapping whose source is a command"},
    {.name = NULL},
};
/* clang-format on */

/* clang-format off */
static const struct opt plan_options[] = {
    {.name = "memory", .kind = OPT_INT, .dest = AT(run.memory_mb), .arg = "MB", .min = MEMORY_LEAST_MB,
     .max = MEMORY_MOST_MB, .help = "memory in MB for the index and for sorting (256)"},
    {.name = "full", .kind = OPT_FLAG, .dest = AT(run.full),
     .help = "read the whole source whatever the watermark, and try refused leads again"},
    {.name = "guard", .section = OPT_SAFETY, .kind = OPT_LIST, .dest = AT(run.guards), .arg = "NAME=VALUE",
     .help = "change a guard's limit for this run: removed, moved, changed, rejected, keyless, empty_source, "
             "source_shrank"},
    {.name = "recreate", .kind = OPT_FLAG, .dest = AT(run.recreate),
     .help = "create again leads that were deleted in Instantly"},
    {.name = "accept-target", .section = OPT_SAFETY, .kind = OPT_FLAG, .dest = AT(run.accept_target),
     .help = "accept that the target's name now refers to another id"},
    {.name = NULL},
};
/* clang-format on */

/* clang-format off */
static const struct opt settle_options[] = {
    {.name = "report", .kind = OPT_TEXT, .dest = AT(run.report), .arg = "FILE", .min = 1,
     .help = "write the run's report to FILE as JSON, without lead data"},
    {.name = "metrics-file", .kind = OPT_TEXT, .dest = AT(run.metrics_file), .arg = "FILE", .min = 1,
     .help = "write the run's metrics to FILE for the Prometheus textfile collector"},
    {.name = "ping", .kind = OPT_TEXT, .dest = AT(run.ping), .arg = "URL", .min = 1,
     .help = "call URL/start before the run, and URL or URL/fail after it"},
    {.name = "progress", .kind = OPT_CHOICE, .dest = AT(run.progress), .choices = progress_modes,
     .help = "show a progress line on stderr: auto (on a terminal), always or never (auto)"},
    {.name = NULL},
};
/* clang-format on */

/* clang-format off */
static const struct opt time_options[] = {
    {.name = "max-seconds", .kind = OPT_DURATION, .dest = AT(run.max_ms), .arg = "N",
     .help = "start no new work after N seconds; 0 means no limit (0)"},
    {.name = NULL},
};
/* clang-format on */

/* clang-format off */
static const struct opt lock_options[] = {
    {.name = "wait-lock", .kind = OPT_DURATION, .dest = AT(run.wait_lock_ms), .arg = "SECONDS",
     .help = "wait this long for another run of this sync to end (0)"},
    {.name = NULL},
};
/* clang-format on */

/* clang-format off */
static const struct opt apply_options[] = {
    {.name = "limit", .section = OPT_SAFETY, .kind = OPT_INT, .dest = AT(run.trial_rows), .arg = "N", .min = 1,
     .max = INT64_MAX, .help = "trial run: take only the first N rows; no removals, no new watermark"},
    {.name = "rejects-ok", .kind = OPT_FLAG, .dest = AT(run.rejects_ok),
     .help = "exit 0 if only rejected rows are left over"},
    {.name = "new-rejects-only", .kind = OPT_FLAG, .dest = AT(run.new_rejects_only),
     .help = "do not exit 1 for rows already rejected, unchanged, by an earlier run"},
    {.name = NULL},
};
/* clang-format on */

/* clang-format off */
static const struct opt yes_options[] = {
    {.name = "yes", .kind = OPT_FLAG, .dest = AT(yes),
     .help = "do not ask; required without a terminal if the command always asks"},
    {.name = NULL},
};
/* clang-format on */

static const struct opt place_options[] = {
    {.name = "campaign", .kind = OPT_TEXT, .dest = AT(campaign), .arg = "NAME|UUID", .help = "leads of this campaign"},
    {.name = "list", .kind = OPT_TEXT, .dest = AT(list), .arg = "NAME|UUID", .help = "leads of this list"},
    {.name = NULL},
};

/* clang-format off */
static const struct opt consent_options[] = {
    {.name = "dry-run", .letter = 'n', .kind = OPT_FLAG, .dest = AT(dry_run),
     .help = "only show which leads are selected; change nothing"},
    {.name = NULL},
};
/* clang-format on */

/* clang-format off */
static const struct opt by_hand_options[] = {
    {.name = "settle", .kind = OPT_DURATION, .dest = AT(look_ms), .arg = "TIME",
     .help = "total time to look for a write whose answer is inconclusive (7s)"},
    {.name = NULL},
};
/* clang-format on */

const struct common_group common_groups[] = {
    {GROUP_OUTPUT, output_options, OPT_OUTPUT},
    {GROUP_URL, url_options, OPT_CONNECTION},
    {GROUP_KEY, key_options, OPT_CONNECTION},
    {GROUP_STATE, state_options, OPT_WHAT},
    {GROUP_CSV, csv_options, OPT_SOURCE},
    {GROUP_CSV_READ, csv_read_options, OPT_CSV},
    {GROUP_CSV_SEND, csv_send_options, OPT_CSV},
    {GROUP_SOURCE, source_options, OPT_SOURCE},
    {GROUP_PLAN, plan_options, OPT_WHAT},
    {GROUP_SETTLE, settle_options, OPT_OUTPUT},
    {GROUP_TIME, time_options, OPT_SAFETY},
    {GROUP_LOCK, lock_options, OPT_SAFETY},
    {GROUP_APPLY, apply_options, OPT_SAFETY},
    {GROUP_PLACE, place_options, OPT_WHAT},
    {GROUP_SELECT, select_arg_options, OPT_WHAT},
    {GROUP_YES, yes_options, OPT_SAFETY},
    {GROUP_CONSENT, consent_options, OPT_SAFETY},
    {GROUP_BY_HAND, by_hand_options, OPT_CONNECTION},
    {0, base_options, OPT_OUTPUT},
    {0, NULL, OPT_INHERIT},
};

void common_init(struct common *c)
{
    memset(c, 0, sizeof *c);
    c->run.memory_mb = MEMORY_DEFAULT_MB;
    c->look_ms = LOOK_DEFAULT_MS;
    c->clock = clock_system();
}

void common_free(struct common *c)
{
    url_free(&c->connection.api);
}

/* ---- terminal ---- */

static bool terminal_takes_colour(void)
{
    const char *term = getenv("TERM");
    return term != NULL && *term != '\0' && strcmp(term, "dumb") != 0;
}

/* The width of the terminal; 0: stdout is not a terminal. */
static unsigned stdout_columns(void)
{
    struct winsize size;
    if (!isatty(STDOUT_FILENO))
        return 0;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    return 80;
}

/* systemd sets JOURNAL_STREAM to the device and inode of the journal's stream. */
static bool stderr_is_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    struct stat st;
    char *end;
    if (stream == NULL || fstat(STDERR_FILENO, &st) != 0)
        return false;
    unsigned long long device = strtoull(stream, &end, 10);
    if (*end != ':')
        return false;
    unsigned long long inode = strtoull(end + 1, &end, 10);
    return *end == '\0' && device == st.st_dev && inode == st.st_ino;
}

static void find_terminal(struct common *c)
{
    const char *no_color = getenv("NO_COLOR");
    bool colour = !c->no_color && (no_color == NULL || *no_color == '\0') && terminal_takes_colour();
    bool to_stdout = c->output.path == NULL || strcmp(c->output.path, "-") == 0;
    c->terminal.in = isatty(STDIN_FILENO);
    c->terminal.err = isatty(STDERR_FILENO);
    c->terminal.colour_err = colour && c->terminal.err;
    c->terminal.colour_out = colour && to_stdout && isatty(STDOUT_FILENO);
    c->terminal.columns = to_stdout ? stdout_columns() : 0;
}

void common_log(const struct common *c, const char *secret)
{
    struct log_config config = {
        .level = LOG_NOTICE,
        .json = c->log_format == 1,
        .colour = c->terminal.colour_err,
        .syslog = c->syslog,
        .journal = stderr_is_journal(),
        .secret = secret,
    };
    if (c->verbose > 0)
        config.level = c->verbose == 1 ? LOG_DETAIL : LOG_DEBUG;
    if (c->quiet)
        config.level = LOG_WARNING;
    log_configure(&config);
}

/* ---- judging ---- */

static int finish_format(struct common *c, const char *const *formats, struct err *e)
{
    static const char *const names[] = {[FORMAT_TEXT] = "text",
                                        [FORMAT_JSON] = "json",
                                        [FORMAT_NDJSON] = "ndjson",
                                        [FORMAT_CSV] = "csv",
                                        [FORMAT_HTML] = "html"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(names[i], formats[c->output.format_choice]) == 0) {
            c->output.format = (enum format)i;
            /* A page is for a browser; on a terminal it would only push away what is there. */
            if (i == FORMAT_HTML && c->terminal.columns > 0)
                return err_set(e, XS_USAGE,
                               "--format html: standard output is a terminal; add -o FILE.html, and open the file in a "
                               "browser");
            return 0;
        }
    }
    return err_set(e, XS_INTERNAL, "format \"%s\" is in a command's table only", formats[c->output.format_choice]);
}

static int finish_api(struct common *c, struct err *e)
{
    const char *url = c->connection.api_url, *variable = getenv("INSTANTLY_API_URL");
    if (url != NULL)
        return url_check(url, XS_USAGE, "--api-url", &c->connection.api, e);
    if (variable != NULL && *variable != '\0')
        return url_check(variable, XS_CONFIG, "INSTANTLY_API_URL", &c->connection.api, e);
    return url_check(PRODUCTION_URL, XS_INTERNAL, "the built-in address", &c->connection.api, e);
}

/* Refuses the address of a database, which would otherwise be taken for a file name. */
static int finish_state(struct common *c, struct err *e)
{
    const char *what = "--state";
    enum exit_status bad = XS_USAGE;
    if (c->state == NULL) {
        const char *variable = getenv("LEADSYNC_STATE");
        c->state = variable != NULL && *variable != '\0' ? variable : NULL;
        what = "LEADSYNC_STATE";
        bad = XS_CONFIG;
    }
    if (c->state == NULL)
        return 0;
    if (*c->state == '\0')
        return err_set(e, bad, "%s is empty; give the path of a state file", what);
    /* The address may contain a password, so the message leaves it out. */
    if (strncmp(c->state, "postgresql://", 13) == 0 || strncmp(c->state, "postgres://", 11) == 0)
        return err_set(e, bad, "%s names a PostgreSQL server; this version keeps its state in a file only", what);
    /* SQLite would not take these for file names. */
    if (strcmp(c->state, ":memory:") == 0 || strncmp(c->state, "file:", 5) == 0)
        return err_set(e, bad, "%s %s: not the path of a state file; give one (./%s for a file of this name)", what,
                       c->state, c->state);
    return 0;
}

static int finish_texts(const struct common *c, struct err *e)
{
    struct uuid ignored;
    if (c->connection.refused_key != NULL)
        return err_set(e, XS_USAGE,
                       "--api-key is refused: every user of this machine can read a command line; put the key into "
                       "INSTANTLY_API_KEY or into a file for --api-key-file, and replace a key that you gave here");
    if (c->quiet && c->verbose > 0)
        return err_set(e, XS_USAGE, "--quiet and --verbose exclude each other");
    if (c->connection.workspace != NULL && uuid_parse(str_from(c->connection.workspace), &ignored) != 0)
        return err_set(e, XS_USAGE, "--workspace \"%s\" is not a UUID; Instantly shows it under Settings",
                       c->connection.workspace);
    if (c->campaign != NULL && c->list != NULL)
        return err_set(e, XS_USAGE, "--campaign and --list exclude each other; leads go to one of them");
    if (c->run.ping != NULL && strncmp(c->run.ping, "https://", 8) != 0 && strncmp(c->run.ping, "http://", 7) != 0)
        return err_set(e, XS_USAGE, "--ping \"%s\" is not an http or https URL", c->run.ping);
    if (c->run.max_ms > LONGEST_S * 1000 || c->run.wait_lock_ms > LONGEST_S * 1000)
        return err_set(e, XS_USAGE, "%s is longer than 30 days",
                       c->run.max_ms > LONGEST_S * 1000 ? "--max-seconds" : "--wait-lock");
    return 0;
}

int common_finish(struct common *c, unsigned groups, const char *const *formats, struct err *e)
{
    find_terminal(c);
    common_log(c, NULL);
    if (finish_texts(c, e) != 0)
        return -1;
    if (formats != NULL && finish_format(c, formats, e) != 0)
        return -1;
    if ((groups & GROUP_URL) != 0 && finish_api(c, e) != 0)
        return -1;
    return (groups & GROUP_STATE) != 0 ? finish_state(c, e) : 0;
}
