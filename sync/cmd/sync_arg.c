/* What SYNC is, is told by its name, not by looking inside: a file that says it is YAML and is broken should be told
 * what is wrong with its YAML. */
#include "config.h"

#include "sync/cmd/sync_arg.h"

#include "sync/base/log.h"
#include "sync/state/state.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* One scalar of the mapping that a straight CSV takes as an option of the same name. */
struct scalar {
    const char *name;
    size_t offset; /* of a const char * in struct common */
};
static const struct scalar scalars[] = {
    {"delimiter", offsetof(struct common, delimiter)},
    {"encoding", offsetof(struct common, encoding)},
    {"mode", offsetof(struct common, mode)},
    {"dedupe", offsetof(struct common, dedupe)},
    {"duplicates", offsetof(struct common, duplicates)},
    {"contacted", offsetof(struct common, contacted)},
    {"blocklist", offsetof(struct common, blocklist)},
    {"batch", offsetof(struct common, batch)},
    {"in_flight", offsetof(struct common, in_flight)},
    {"requests_per_second", offsetof(struct common, per_second)},
    {"requests_per_minute", offsetof(struct common, per_minute)},
    {"settle", offsetof(struct common, settle)},
    {"job_wait", offsetof(struct common, job_wait)},
    {"retry_refused", offsetof(struct common, retry_refused)},
    {"values", offsetof(struct common, values)},
    {"keep_runs", offsetof(struct common, keep_runs)},
};
enum { SCALARS_N = sizeof scalars / sizeof scalars[0], STATE_READ_BYTES = 32 << 20 };

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
    if (c->campaign != NULL || c->list != NULL || c->all_columns)
        return err_set(e, XS_USAGE, "%s go with a CSV file; %s says itself where its leads go",
                       c->all_columns ? "--campaign, --list and --all-columns" : "--campaign and --list", path);
    for (size_t i = 0; i < SCALARS_N; i++)
        if (scalar_value(c, &scalars[i]) != NULL)
            return err_set(e, XS_USAGE, "%s: %s stands in the mapping; as an option it goes with a CSV file only", path,
                           scalars[i].name);
    return mapping_load(path, out, e);
}

static int load_csv(const struct common *c, const char *path, bool need_target, struct mapping **out, struct err *e)
{
    struct mapping_option options[SCALARS_N];
    size_t options_n = 0;
    const char *name = c->campaign != NULL ? c->campaign : c->list;
    if (name == NULL && need_target)
        return err_set(e, XS_USAGE, "%s: say where the leads go: --campaign NAME or --list NAME", path);
    if (name != NULL && *name == '\0')
        return err_set(e, XS_USAGE, "%s is empty; give a name or a UUID", c->campaign != NULL ? "--campaign" : "--list");
    for (size_t i = 0; i < SCALARS_N; i++) {
        const char *value = scalar_value(c, &scalars[i]);
        if (value != NULL)
            options[options_n++] = (struct mapping_option){scalars[i].name, value};
    }
    struct target_spec target = {.kind = c->list != NULL ? TARGET_LIST : TARGET_CAMPAIGN};
    if (name != NULL && (target.text = strdup(name)) == NULL)
        return err_oom(e);
    int rc = mapping_for_csv(path, name != NULL ? &target : NULL, c->all_columns, options, options_n, out, e);
    free(target.text);
    return rc;
}

/* --guard NAME=VALUE, once each, in the order given. */
static int apply_guards(const struct common *c, struct mapping *m, struct err *e)
{
    for (size_t i = 0; i < c->guards.n; i++) {
        const char *equals = strchr(c->guards.v[i], '=');
        char name[32];
        if (equals == NULL || equals == c->guards.v[i] || (size_t)(equals - c->guards.v[i]) >= sizeof name - 8)
            return err_set(e, XS_USAGE, "--guard \"%s\" is not NAME=VALUE, as in removed=20%%", c->guards.v[i]);
        snprintf(name, sizeof name, "guards.%.*s", (int)(equals - c->guards.v[i]), c->guards.v[i]);
        if (mapping_override(m, &(struct mapping_option){name, equals + 1}, e) != 0)
            return -1;
    }
    return 0;
}

int sync_arg_load(const struct invocation *inv, bool need_target, struct mapping **out, struct err *e)
{
    const struct common *c = &inv->common;
    struct mapping *m = NULL;
    if (inv->operands_n == 0)
        return command_needs_operand(inv, e);
    const char *path = inv->operands[0];
    bool is_csv = strcmp(path, "-") == 0 || ends_in(path, ".csv") || ends_in(path, ".tsv") || ends_in(path, ".txt");
    bool has_target = c->campaign != NULL || c->list != NULL;
    int rc;
    if (ends_in(path, ".yaml") || ends_in(path, ".yml"))
        rc = load_mapping_file(c, path, &m, e);
    else if (is_csv || has_target)
        rc = load_csv(c, path, need_target, &m, e);
    else
        return err_set(e, XS_USAGE, "%s is neither a mapping (*.yaml) nor a CSV file (*.csv, with --campaign or --list)",
                       path);
    if (rc == 0 && c->input != NULL)
        rc = mapping_override(m, &(struct mapping_option){"input", c->input}, e);
    if (rc == 0)
        rc = apply_guards(c, m, e);
    if (rc == 0 && c->no_exec && m->source.kind == SOURCE_COMMAND)
        rc = err_set(e, XS_CONFIG, "%s: its source is a command, and --no-exec forbids to run one", path);
    if (rc != 0) {
        mapping_free(m);
        return -1;
    }
    *out = m;
    return 0;
}

/* ---- the state ---- */

/* Several states and none named: for a reader the latest will do, a writer must not guess. */
static int choose_state(char **paths, size_t n, bool reading, char **path, struct err *e)
{
    if (n == 0)
        return err_set(e, XS_STATE, "there is no state yet; run a sync first, or give --state PATH");
    if (n > 1 && !reading) {
        struct buf list = BUF_INIT(1 << 16);
        for (size_t i = 0; i < n; i++)
            if (buf_addf(&list, "%s%s", i > 0 ? "\n  " : "  ", paths[i]) != 0)
                break; /* the first ones will do */
        const char *text = buf_cstr(&list);
        err_set(e, XS_USAGE, "which sync? give SYNC, or --state with one of\n%s", text != NULL ? text : "");
        buf_free(&list);
        return -1;
    }
    *path = strdup(paths[0]);
    if (*path == NULL)
        return err_oom(e);
    if (n > 1)
        log_notice("state %s (of the latest run; give SYNC or --state for another)", *path);
    return 0;
}

int sync_arg_state(const struct common *c, const struct mapping *mapping, bool reading, char **path, struct err *e)
{
    char **paths = NULL;
    size_t n = 0;
    *path = NULL;
    if (c->state != NULL) {
        *path = strdup(c->state);
        return *path != NULL ? 0 : err_oom(e);
    }
    if (mapping != NULL) {
        *path = state_default_path(mapping->name, c->api_loopback, e);
        return *path != NULL ? 0 : -1;
    }
    if (state_find_all(&paths, &n, e) != 0)
        return -1;
    int rc = choose_state(paths, n, reading, path, e);
    for (size_t i = 0; i < n; i++)
        free(paths[i]);
    free(paths);
    return rc;
}

/* A straight CSV's name ends in a digest of the target's id, which only the API could make of a target's name. */
static int complete_name(struct mapping *m, struct err *e)
{
    struct uuid id;
    char text[UUID_TEXT_N];
    if (m->path != NULL)
        return 0;
    if (uuid_parse(str_from(m->target.text), &id) != 0)
        return err_set(e, XS_USAGE, "give the UUID of the %s in place of its name, or --state PATH without SYNC",
                       target_kind_text(m->target.kind));
    return mapping_name_target(m, uuid_format(&id, text), e);
}

int sync_arg_open_state(const struct invocation *inv, struct state **out, struct err *e)
{
    struct mapping *m = NULL;
    char *path = NULL;
    int rc = -1;
    if (inv->operands_n > 0 && (sync_arg_load(inv, true, &m, e) != 0 || complete_name(m, e) != 0))
        goto done;
    if (sync_arg_state(&inv->common, m, true, &path, e) != 0)
        goto done;
    struct state_options options = {
        .path = path,
        .access = STATE_READ,
        .sync = m != NULL ? m->name : NULL,
        .memory_max = STATE_READ_BYTES,
        .clock = inv->common.clock,
    };
    rc = state_open(&options, out, e);
    if (rc > 0)
        rc = err_set(e, XS_STATE, "%s: there is no such state; has this sync ever run? --state PATH names another", path);
done:
    free(path);
    mapping_free(m);
    return rc;
}
