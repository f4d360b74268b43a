/* Refuses outputs that would replace a file that the command needs. Files are compared by device and inode; one that does not exist
 * yet, by its folder and name. */
#include "config.h"

#include "sync/cli/out_check.h"

#include "sync/base/file.h"

#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OUTPUTS_N = 4 };
struct output_option {
    const char *option, *path; /* path NULL: not given */
};

static void list_outputs(const struct common *c, struct output_option out[OUTPUTS_N])
{
    out[0] = (struct output_option){"-o", c->output.path};
    out[1] = (struct output_option){"--report", c->run.report};
    out[2] = (struct output_option){"--metrics-file", c->run.metrics_file};
    out[3] = (struct output_option){"--to", c->output.to};
}

/* True if the output replaces a file. Standard output, a pipe or a device is only written to. */
static bool replaces_file(const char *path)
{
    struct stat st;
    return path != NULL && strcmp(path, "-") != 0 && (stat(path, &st) != 0 || S_ISREG(st.st_mode));
}

char *out_full_path(const char *path)
{
    char *copy = strdup(path), *folder = copy != NULL ? realpath(dirname(copy), NULL) : NULL;
    const char *slash = strrchr(path, '/');
    char *out = folder != NULL ? path_join(folder, slash != NULL ? slash + 1 : path) : NULL;
    free(folder);
    free(copy);
    return out;
}

static bool is_same_file(const char *a, const char *b)
{
    struct stat of_a, of_b;
    bool a_there = stat(a, &of_a) == 0;
    bool b_there = strcmp(b, "-") == 0 ? fstat(STDIN_FILENO, &of_b) == 0 : stat(b, &of_b) == 0;
    if (a_there && b_there)
        return of_a.st_dev == of_b.st_dev && of_a.st_ino == of_b.st_ino;
    if (a_there || b_there)
        return false;
    char *full_a = out_full_path(a), *full_b = out_full_path(b);
    bool same = full_a != NULL && full_b != NULL && strcmp(full_a, full_b) == 0;
    free(full_a);
    free(full_b);
    return same;
}

/* Refuses every output that is `path` (NULL: none) or `path` with the suffix. */
static int refuse_path(const struct common *c, const char *path, const char *suffix, const char *role, struct err *e)
{
    struct output_option outputs[OUTPUTS_N];
    char *full = NULL;
    int rc = 0;
    if (path == NULL)
        return 0;
    if (asprintf(&full, "%s%s", path, suffix) < 0)
        return err_oom(e);
    list_outputs(c, outputs);
    for (size_t i = 0; rc == 0 && i < OUTPUTS_N; i++)
        if (replaces_file(outputs[i].path) && is_same_file(outputs[i].path, full))
            rc = err_set(e, XS_USAGE, "%s %s: would replace %s; name another file", outputs[i].option, outputs[i].path,
                         role);
    free(full);
    return rc;
}

/* A state that does not exist yet is recognised by its name. */
static int refuse_state(const struct common *c, struct err *e)
{
    struct output_option outputs[OUTPUTS_N];
    list_outputs(c, outputs);
    for (size_t i = 0; i < OUTPUTS_N; i++)
        if (replaces_file(outputs[i].path) && state_owns_path(outputs[i].path))
            return err_set(e, XS_USAGE, "%s %s: would replace a state, or a file that belongs to one; name another file",
                           outputs[i].option, outputs[i].path);
    for (const char *const *suffix = state_suffixes; *suffix != NULL; suffix++)
        if (refuse_path(c, c->state, *suffix, "the state of --state, or a file that belongs to it", e) != 0)
            return -1;
    return 0;
}

static int refuse_twins(const struct common *c, struct err *e)
{
    struct output_option outputs[OUTPUTS_N];
    list_outputs(c, outputs);
    for (size_t i = 0; i < OUTPUTS_N; i++)
        for (size_t k = 0; k < i; k++)
            if (replaces_file(outputs[i].path) && replaces_file(outputs[k].path) &&
                is_same_file(outputs[i].path, outputs[k].path))
                return err_set(e, XS_USAGE, "%s and %s both write to %s; give each a file of its own", outputs[k].option,
                               outputs[i].option, outputs[i].path);
    return 0;
}

int out_check(const struct invocation *inv, struct err *e)
{
    const struct common *c = &inv->common;
    if (c->output.path == NULL && c->run.report == NULL && c->run.metrics_file == NULL && c->output.to == NULL)
        return 0;
    for (size_t i = 0; i < inv->operands_n; i++)
        if (refuse_path(c, inv->operands[i], "", "a file that the command reads", e) != 0)
            return -1;
    return refuse_path(c, c->source.input, "", "the file of --input", e) != 0 ||
                   refuse_path(c, c->connection.api_key_file, "", "the file with the API key", e) != 0 ||
                   refuse_state(c, e) != 0
               ? -1
               : refuse_twins(c, e);
}

int out_check_source(const struct common *c, const struct mapping *m, struct err *e)
{
    static const char *const of_sqlite[] = {"", "-wal", "-shm", "-journal"};
    static const char role[] = "the source of the mapping, or a file that belongs to it";
    const struct source_spec *spec = &m->source;
    if (spec->kind == SOURCE_CSV)
        return refuse_path(c, spec->as.csv.path, "", role, e);
    if (spec->kind != SOURCE_SQLITE)
        return 0;
    for (size_t i = 0; i < sizeof of_sqlite / sizeof of_sqlite[0]; i++)
        if (refuse_path(c, spec->as.sql.url, of_sqlite[i], role, e) != 0)
            return -1;
    return 0;
}

int out_check_state(const struct common *c, struct state *s, struct err *e)
{
    const char *path;
    if (state_get(s, STATE_SOURCE_FILE, &path, e) != 0)
        return -1;
    return refuse_path(c, path, "", "the source of this sync", e);
}
