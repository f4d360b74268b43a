/* Loads the SYNC operand. Its name decides what it is, not its content, so that a broken YAML file is reported as YAML. */
#include "config.h"

#include "sync/cli/args/sync_arg.h"

#include "sync/base/file.h"
#include "sync/cli/out_check.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* A scalar of the mapping that is an option for a CSV without a mapping. */
struct scalar {
    const char *option, *path; /* on the command line, in a mapping */
    size_t offset;             /* of a const char * in struct common */
};
static const struct scalar scalars[] = {
    {"--delimiter", "delimiter", offsetof(struct common, csv.delimiter)},
    {"--encoding", "encoding", offsetof(struct common, csv.encoding)},
    {"--short-rows", "short_rows", offsetof(struct common, csv.short_rows)},
    {"--embedded-rows", "embedded_rows", offsetof(struct common, csv.embedded_rows)},
    {"--mode", "mode", offsetof(struct common, csv.mode)},
    {"--dedupe", "dedupe", offsetof(struct common, csv.dedupe)},
    {"--duplicates", "duplicates", offsetof(struct common, csv.duplicates)},
    {"--contacted", "contacted", offsetof(struct common, csv.contacted)},
    {"--blocklist", "blocklist", offsetof(struct common, csv.blocklist)},
    {"--batch", "limits.batch", offsetof(struct common, csv.batch)},
    {"--in-flight", "limits.in_flight", offsetof(struct common, csv.in_flight)},
    {"--requests-per-second", "limits.requests_per_second", offsetof(struct common, csv.per_second)},
    {"--requests-per-minute", "limits.requests_per_minute", offsetof(struct common, csv.per_minute)},
    {"--settle", "limits.settle", offsetof(struct common, csv.settle)},
    {"--job-wait", "limits.job_wait", offsetof(struct common, csv.job_wait)},
    {"--retry-refused", "retry_refused", offsetof(struct common, csv.retry_refused)},
    {"--values", "state.values", offsetof(struct common, csv.values)},
    {"--keep-runs", "state.keep_runs", offsetof(struct common, csv.keep_runs)},
};
enum { SCALARS_N = sizeof scalars / sizeof scalars[0] };

static const char *scalar_value(const struct common *c, const struct scalar *scalar)
{
    const char *value;
    memcpy(&value, (const char *)c + scalar->offset, sizeof value);
    return value;
}

static bool ends_in(const char *text, const char *suffix)
{
    size_t n = strlen(text), suffix_n = strlen(suffix);
    return n > suffix_n && strcasecmp(text + n - suffix_n, suffix) == 0;
}

/* ---- loading ---- */

static int load_mapping_file(const struct common *c, const char *path, struct mapping **out, struct err *e)
{
    if (c->campaign != NULL || c->list != NULL || c->csv.all_columns)
        return err_set(e, XS_USAGE, "%s go with a CSV file; %s says itself where its leads go",
                       c->csv.all_columns ? "--campaign, --list and --all-columns" : "--campaign and --list", path);
    if (c->csv.skip_when.n > 0)
        return err_set(e, XS_USAGE, "--skip-when goes with a CSV file; in %s it is the key skip_when", path);
    for (size_t i = 0; i < SCALARS_N; i++)
        if (scalar_value(c, &scalars[i]) != NULL)
            return err_set(e, XS_USAGE, "%s goes with a CSV file; in %s it is the key %s", scalars[i].option, path,
                           scalars[i].path);
    return mapping_load(path, out, e);
}

static int load_csv(const struct common *c, const char *path, bool need_target, struct mapping **out, struct err *e)
{
    size_t options_n = 0;
    const char *name = c->campaign != NULL ? c->campaign : c->list;
    if (name == NULL && need_target)
        return err_set(e, XS_USAGE, "%s: say where the leads go: --campaign NAME or --list NAME", path);
    if (name != NULL && *name == '\0')
        return err_set(e, XS_USAGE, "%s is empty; give a name or a UUID", c->campaign != NULL ? "--campaign" : "--list");
    /* The empty name stands for no target. */
    struct target_spec target = {c->list != NULL ? TARGET_LIST : TARGET_CAMPAIGN, strdup(name != NULL ? name : "")};
    struct mapping_option *options = calloc(SCALARS_N + c->csv.skip_when.n, sizeof *options);
    if (target.text == NULL || options == NULL) {
        free(target.text);
        free(options);
        return err_oom(e);
    }
    for (size_t i = 0; i < SCALARS_N; i++) {
        const char *value = scalar_value(c, &scalars[i]);
        if (value != NULL)
            options[options_n++] = (struct mapping_option){scalars[i].path, value};
    }
    for (size_t i = 0; i < c->csv.skip_when.n; i++)
        options[options_n++] = (struct mapping_option){"skip_when", c->csv.skip_when.v[i]};
    int rc = mapping_for_csv(path, &target, c->csv.all_columns, options, options_n, out, e);
    free(target.text);
    free(options);
    return rc;
}

/* --guard NAME=VALUE, once each, in the order given. */
static int apply_guards(const struct common *c, struct mapping *m, struct err *e)
{
    for (size_t i = 0; i < c->run.guards.n; i++) {
        const char *equals = strchr(c->run.guards.v[i], '=');
        char name[64];
        size_t n = equals != NULL ? (size_t)(equals - c->run.guards.v[i]) : 0;
        if (n == 0 || n >= sizeof name - sizeof "guards.")
            return err_set(e, XS_USAGE, "--guard \"%s\" is not NAME=VALUE, as in removed=20%%", c->run.guards.v[i]);
        snprintf(name, sizeof name, "guards.%.*s", (int)n, c->run.guards.v[i]);
        if (mapping_override(m, &(struct mapping_option){name, equals + 1}, e) != 0)
            return err_context(e, "--guard %s", c->run.guards.v[i]);
    }
    return 0;
}

bool sync_arg_is_mapping(const char *operand)
{
    return ends_in(operand, ".yaml") || ends_in(operand, ".yml");
}

bool sync_arg_is_csv(const char *operand)
{
    return ends_in(operand, ".csv") || ends_in(operand, ".tsv") || ends_in(operand, ".txt");
}

static bool is_spreadsheet(const char *path)
{
    return ends_in(path, ".xlsx") || ends_in(path, ".xls") || ends_in(path, ".ods") || ends_in(path, ".numbers");
}

bool sync_arg_is(const char *operand)
{
    return sync_arg_is_mapping(operand) || sync_arg_is_csv(operand);
}

int sync_arg_load_path(const struct common *c, const char *path, bool need_target, struct mapping **out, struct err *e)
{
    struct mapping *m = NULL;
    bool has_target = c->campaign != NULL || c->list != NULL;
    int rc;
    if (sync_arg_is_mapping(path))
        rc = load_mapping_file(c, path, &m, e);
    else if (strcmp(path, "-") == 0 || sync_arg_is_csv(path) || has_target)
        rc = load_csv(c, path, need_target, &m, e);
    else
        return err_set(e, XS_USAGE, "%s is neither a mapping (*.yaml) nor a CSV file (*.csv, with --campaign or --list)%s",
                       path, is_spreadsheet(path) ? "; save the spreadsheet as \"CSV UTF-8\" and use that file" : "");
    if (rc == 0)
        rc = out_check_source(c, m, e);
    if (rc == 0 && c->source.input != NULL) {
        rc = mapping_override(m, &(struct mapping_option){"input", c->source.input}, e);
        if (rc == 0)
            rc = out_check_source(c, m, e);
    }
    if (rc == 0)
        rc = apply_guards(c, m, e);
    /* At a terminal the user reads the warning. */
    if (rc == 0 && m->source.kind == SOURCE_CSV)
        m->source.as.csv.uncertain_encoding = c->terminal.in && c->terminal.err;
    if (rc == 0 && c->source.no_exec && m->source.kind == SOURCE_COMMAND)
        rc = err_set(e, XS_CONFIG, "%s: the source is a command, which --no-exec does not run; leave out --no-exec", path);
    if (rc != 0) {
        mapping_free(m);
        return -1;
    }
    *out = m;
    return 0;
}

int sync_arg_load(const struct invocation *inv, bool need_target, struct mapping **out, struct err *e)
{
    if (inv->operands_n == 0)
        return command_needs_operand(inv, e);
    return sync_arg_load_path(&inv->common, inv->operands[0], need_target, out, e);
}

/* ---- words ---- */

static int add_word(struct sync_words *w, const char *word, struct err *e)
{
    char **grown = reallocarray(w->v, w->n + 2, sizeof *grown);
    if (grown == NULL)
        return err_oom(e);
    w->v = grown;
    w->v[w->n] = strdup(word);
    w->v[w->n + 1] = NULL;
    return w->v[w->n++] != NULL ? 0 : err_oom(e);
}

static int add_option(struct sync_words *w, const char *option, const char *value, struct err *e)
{
    return value == NULL ? 0 : add_word(w, option, e) != 0 || add_word(w, value, e) != 0 ? -1 : 0;
}

static int add_values(struct sync_words *w, const char *option, const struct opt_list *values, struct err *e)
{
    for (size_t i = 0; i < values->n; i++)
        if (add_option(w, option, values->v[i], e) != 0)
            return -1;
    return 0;
}

/* A path that does not exist yet gets the present folder before it. */
static int add_path(struct sync_words *w, const char *option, const char *path, struct err *e)
{
    char *full = path != NULL ? realpath(path, NULL) : NULL, *here = NULL;
    int rc = 0;
    if (path == NULL)
        return 0;
    if (full == NULL && (here = realpath(".", NULL)) != NULL)
        full = path_join(here, path);
    if (full == NULL)
        rc = err_oom(e);
    else if (option != NULL)
        rc = add_option(w, option, full, e);
    else
        rc = add_word(w, full, e);
    free(here);
    free(full);
    return rc;
}

int sync_arg_words(const struct invocation *inv, struct sync_words *out, struct err *e)
{
    const struct common *c = &inv->common;
    *out = (struct sync_words){.v = NULL};
    if (add_path(out, NULL, inv->operands[0], e) != 0 || add_path(out, "--state", c->state, e) != 0 ||
        add_option(out, "--campaign", c->campaign, e) != 0 || add_option(out, "--list", c->list, e) != 0)
        return -1;
    for (size_t i = 0; i < SCALARS_N; i++)
        if (add_option(out, scalars[i].option, scalar_value(c, &scalars[i]), e) != 0)
            return -1;
    if ((c->csv.all_columns && add_word(out, "--all-columns", e) != 0) ||
        (c->run.recreate && add_word(out, "--recreate", e) != 0) || (c->run.full && add_word(out, "--full", e) != 0))
        return -1;
    return add_values(out, "--skip-when", &c->csv.skip_when, e) != 0 || add_values(out, "--guard", &c->run.guards, e) != 0
               ? -1
               : 0;
}

void sync_words_free(struct sync_words *w)
{
    for (size_t i = 0; i < w->n; i++)
        free(w->v[i]);
    free(w->v);
    *w = (struct sync_words){.v = NULL};
}
