/* The options, environment and terminal that many commands share.
 *
 * The tables have offsets into struct common (see command.h). Nothing here opens a file, uses the API or reads the key; key.h,
 * args/sync_arg.h and args/state_arg.h do that when a command needs it. */
#ifndef SYNC_CLI_COMMON_H
#define SYNC_CLI_COMMON_H

#include "sync/base/clock.h"
#include "sync/base/err.h"
#include "sync/base/opt.h"
#include "sync/api/http/url.h"

#include <stdbool.h>
#include <stdint.h>

/* Groups of shared options; a command names those it can use. */
enum {
    GROUP_URL = 1 << 0,    /* where the API is */
    GROUP_KEY = 1 << 8,    /* the key and the workspace */
    GROUP_OUTPUT = 1 << 1, /* --format, -o */
    GROUP_STATE = 1 << 2,  /* --state */
    GROUP_CSV = 1 << 3,    /* a CSV without a mapping: its target; accepts the settings below, which help shows if named */
    GROUP_SOURCE = 1 << 4, /* what is read instead of the mapping's source */
    GROUP_PLAN = 1 << 5,   /* options that change which rows are written: sync and diff */
    GROUP_SETTLE = 1 << 6, /* a run that may write: sync and resume */
    GROUP_APPLY = 1 << 7,  /* sync alone */
    GROUP_TIME = 1 << 9,   /* --max-seconds */
    GROUP_LOCK = 1 << 10,  /* --wait-lock: commands that write the state */
    GROUP_PLACE = 1 << 11, /* --campaign, --list: where leads are, or are added */
    GROUP_CSV_READ = 1 << 16, /* shown: how a CSV without a mapping becomes leads */
    GROUP_CSV_SEND = 1 << 17, /* shown: how its leads are sent and remembered */
    GROUP_SELECT = 1 << 12,   /* conditions that select leads */
    GROUP_CONSENT = 1 << 13,  /* a write by hand that asks first */
    GROUP_BY_HAND = 1 << 14,  /* commands that write by hand */
    GROUP_YES = 1 << 15,      /* --yes: commands that may ask, and related ones, so that scripts can always give it */
};

enum progress_mode { PROGRESS_AUTO, PROGRESS_ALWAYS, PROGRESS_NEVER };
enum format { FORMAT_TEXT, FORMAT_JSON, FORMAT_NDJSON, FORMAT_CSV, FORMAT_HTML };

/* Texts as typed; sync/cli/args/select_arg.c reads them. */
struct select_options {
    const char *search, *filter, *esp, *esg, *smart_view;
    struct opt_list ids, excluded, emails, users, queries, statuses;
    int in_campaign, in_list, enrichment; /* choices; 0: not asked */
    bool visitor;
    int64_t limit;
};

/* Where the API is, and who asks it: GROUP_URL, GROUP_KEY. */
struct connection_options {
    const char *refused_key; /* --api-key, which exists to be refused */
    const char *api_url;
    const char *api_key_file, *workspace;
    struct url api; /* where the key may be sent; set by common_finish() */
};

/* GROUP_OUTPUT */
struct output_options {
    int format_choice;  /* index into the command's formats */
    enum format format; /* set by common_finish() */
    const char *path;   /* -o; NULL: stdout */
    const char *to;     /* pull --to, if it is a file; set by the command */
};

/* Settings of a CSV file without a mapping, GROUP_CSV: texts for mapping_for_csv(); NULL: not given. */
struct csv_options {
    bool all_columns;
    struct opt_list skip_when;
    const char *delimiter, *encoding, *short_rows, *embedded_rows;
    const char *mode, *dedupe, *duplicates, *contacted, *blocklist;
    const char *batch, *in_flight, *per_second, *per_minute, *settle, *job_wait, *retry_refused;
    const char *values, *keep_runs;
};

/* GROUP_SOURCE */
struct source_options {
    const char *input;
    bool no_exec;
};

/* What a run does and where it reports. */
struct run_options {
    int64_t memory_mb; /* GROUP_PLAN */
    bool full, recreate, accept_target;
    struct opt_list guards;
    const char *report, *metrics_file, *ping; /* GROUP_SETTLE */
    int progress;
    int64_t max_ms;                    /* GROUP_TIME; 0: no limit */
    int64_t wait_lock_ms;              /* GROUP_LOCK */
    bool rejects_ok, new_rejects_only; /* GROUP_APPLY */
    int64_t trial_rows;                /* --limit; 0: all */
};

/* The terminal, if there is one; set by common_finish(). */
struct terminal {
    bool in, err;                /* stdin, stderr are terminals */
    bool colour_out, colour_err; /* stdout, stderr may be coloured */
    unsigned columns;            /* width of stdout; 0: no terminal, no limit */
};

struct common {
    /* of every command */
    bool help, version, quiet, no_color, syslog;
    int verbose, log_format;
    struct connection_options connection;
    struct output_options output;
    const char *state;           /* GROUP_STATE */
    const char *campaign, *list; /* GROUP_CSV: where a CSV file goes; GROUP_PLACE: where leads are */
    struct csv_options csv;
    struct source_options source;
    struct run_options run;
    bool yes;                     /* GROUP_YES */
    bool dry_run;                 /* GROUP_CONSENT */
    int64_t look_ms;              /* GROUP_BY_HAND */
    struct select_options select; /* GROUP_SELECT */
    struct terminal terminal;
    struct clock *clock;
};

/* Tables by group: offsets into struct common. */
struct common_group {
    unsigned group; /* 0: every command */
    const struct opt *options;
    enum opt_section section; /* of options without a section */
};
extern const struct common_group common_groups[]; /* ends in NULL options */
extern const struct opt select_arg_options[];     /* the table of GROUP_SELECT */

void common_init(struct common *c);
/* Checks the parsed options and the environment, and sets URL, format, log and colours. XS_CONFIG: a bad environment variable.
 * `formats` is the command's list or NULL, `groups` its groups. */
int common_finish(struct common *c, unsigned groups, const char *const *formats, struct err *e);
/* Configures the log from the options; `secret` (may be NULL) is never shown in it. */
void common_log(const struct common *c, const char *secret);
void common_free(struct common *c);

#endif
