/* Chooses the state of a command. A command that only reads may take the state of the latest run. A command that writes needs
 * --state or SYNC, unless there is only one state. */
#include "config.h"

#include "sync/cli/args/state_arg.h"

#include "sync/base/log.h"
#include "sync/cli/args/csv_name.h"
#include "sync/cli/out_check.h"
#include "sync/cli/args/state_list.h"
#include "sync/cli/args/state_note.h"
#include "sync/cli/args/sync_arg.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { STATE_BYTES = 32 << 20, LIST_BYTES = 1 << 16 };

/* When the latest run of a state began and ended, in milliseconds. */
struct run_times {
    int64_t started_ms, finished_ms; /* INT64_MAX: still open */
};

static struct run_times latest_run(const struct common *c, const char *path)
{
    struct err e = ERR_INIT;
    struct state *state = NULL;
    struct arena arena;
    struct run_record run;
    struct run_times times = {0};
    const struct state_options options = {.path = path, .access = STATE_READ, .memory_max = STATE_BYTES, .clock = c->clock};
    arena_init(&arena, STATE_BYTES);
    if (state_open(&options, &state, &e) == 0 && state_run_get(state, 0, &arena, &run, &e) == 1)
        times = (struct run_times){run.started_ms, run.finished_ms > 0 ? run.finished_ms : INT64_MAX};
    else if (e.status != 0)
        log_detail("not looked at: %s", err_text(&e));
    err_clear(&e);
    state_close(state);
    arena_free(&arena);
    return times;
}

/* Finds the state of the run that began last. The states are read for that, because the time of a file may come from a reader or a
 * copy. Of equal ones, and if no state can be read, it is the first: the file that was written last. */
static const char *find_latest(const struct common *c, char **paths, size_t n)
{
    size_t best = 0;
    struct run_times latest = {0};
    for (size_t i = 0; n > 1 && i < n; i++) {
        struct run_times t = latest_run(c, paths[i]);
        if (t.started_ms > latest.started_ms || (t.started_ms == latest.started_ms && t.finished_ms > latest.finished_ms)) {
            best = i;
            latest = t;
        }
    }
    return paths[best];
}

/* There are several states and none is named: a command that reads takes the latest, one that writes must not guess. */
static int choose_state(const struct common *c, char **paths, size_t n, bool reading, char **path, struct err *e)
{
    if (n == 0)
        return err_set(e, XS_STATE, "there is no state yet; run a sync first, or give --state PATH");
    if (n > 1 && !reading) {
        struct buf list = BUF_INIT(LIST_BYTES);
        for (size_t i = 0; i < n; i++)
            if (state_list_add(c, paths[i], &list) != 0)
                break; /* The first ones are enough. */
        const char *text = buf_cstr(&list);
        err_set(e, XS_USAGE, "%zu states exist here; choose one with SYNC (its mapping or CSV) or --state:%s", n,
                text != NULL ? text : "");
        buf_free(&list);
        return -1;
    }
    *path = strdup(find_latest(c, paths, n));
    if (*path == NULL)
        return err_oom(e);
    if (n > 1)
        state_note(c, *path);
    return 0;
}

int state_arg_path(const struct common *c, const struct mapping *mapping, bool reading, char **path, struct err *e)
{
    char **paths = NULL;
    size_t n = 0;
    *path = NULL;
    if (c->state != NULL) {
        *path = strdup(c->state);
        return *path != NULL ? 0 : err_oom(e);
    }
    if (mapping != NULL) {
        *path = state_default_path(mapping->name, c->connection.api.loopback, e);
        return *path != NULL ? 0 : -1;
    }
    if (state_find_all(&paths, &n, e) != 0)
        return -1;
    int rc = choose_state(c, paths, n, reading, path, e);
    for (size_t i = 0; i < n; i++)
        free(paths[i]);
    free(paths);
    return rc;
}

/* A command that writes must not create a state that the user expects to exist. */
static int must_be_there(const char *path, struct err *e)
{
    if (access(path, F_OK) == 0 || errno != ENOENT)
        return 0; /* Opening it reports other errors. */
    return state_missing(path, e);
}

/* The state is opened without a name, so that its setting `values` stays as it is. The name is checked here. */
static int check_sync(const struct state *state, const struct mapping *m, const char *path, struct err *e)
{
    if (m == NULL || state_name_is(state_sync(state), m->name))
        return 0;
    return err_set(e, XS_CONFIG, "%s is the state of sync \"%s\", not of \"%s\"; give the --state of that sync", path,
                   state_sync(state), m->name);
}

/* For a CSV without a target: finds the only state of that name. 1 with the path; 0: there is none; -1 */
static int find_by_stem(const struct common *c, const char *sync, char **path, struct err *e)
{
    struct mapping *m = NULL;
    struct buf list = BUF_INIT(LIST_BYTES);
    size_t found = 0;
    int rc = sync_arg_load_path(c, sync, false, &m, e);
    if (rc == 0)
        rc = csv_name_find_states(c, m->name, path, &found, &list, e);
    if (rc == 0 && found > 1)
        rc = err_set(e, XS_USAGE,
                     "%s goes to several campaigns or lists; give --campaign NAME, --list NAME, or a --state:%s", sync,
                     buf_cstr(&list) != NULL ? list.p : "");
    buf_free(&list);
    mapping_free(m);
    return rc != 0 ? -1 : found == 1;
}

/* The path of the state of `sync`, and its mapping if one was loaded. XS_STATE: there is none. */
static int state_arg_find_state(const struct common *c, const char *sync, bool reading, struct mapping **m, char **path,
                                struct err *e)
{
    int found = 0;
    if (sync != NULL && c->state == NULL && c->campaign == NULL && c->list == NULL && sync_arg_is_csv(sync))
        found = find_by_stem(c, sync, path, e);
    if (found < 0)
        return -1;
    if (found == 0 && sync != NULL && (sync_arg_load_path(c, sync, true, m, e) != 0 || csv_name_complete(c, *m, e) != 0))
        return -1;
    if (found == 0 && state_arg_path(c, *m, reading, path, e) != 0)
        return -1;
    return must_be_there(*path, e);
}

int state_arg_find(const struct common *c, const char *sync, char **path, struct err *e)
{
    struct mapping *m = NULL;
    *path = NULL;
    int rc = state_arg_find_state(c, sync, true, &m, path, e);
    mapping_free(m);
    if (rc != 0) {
        free(*path);
        *path = NULL;
    }
    return rc;
}

int state_arg_open_sync(const struct common *c, const char *sync, enum state_access access, bool asks_api,
                        struct state **out, struct err *e)
{
    struct mapping *m = NULL;
    char *path = NULL;
    int rc = -1;
    *out = NULL;
    if (state_arg_find_state(c, sync, access == STATE_READ, &m, &path, e) != 0)
        goto done;
    const char *host = c->connection.api.loopback ? "loopback" : c->connection.api.host;
    const struct state_options options = {.path = path,
                                          .access = access,
                                          .api_host = asks_api ? host : NULL,
                                          .memory_max = STATE_BYTES,
                                          .clock = c->clock};
    rc = state_open(&options, out, e);
    if (rc > 0)
        rc = must_be_there(path, e) != 0
                 ? -1
                 : err_set(e, XS_STATE, "%s: removed while leadsync was reading it; run the command again", path);
    if (rc == 0)
        rc = check_sync(*out, m, path, e) != 0 ? -1 : out_check_state(c, *out, e);
    if (rc == 0 && access == STATE_WRITE)
        rc = state_lock(*out, c->run.wait_lock_ms, e);
done:
    if (rc != 0) {
        state_close(*out);
        *out = NULL;
    }
    free(path);
    mapping_free(m);
    return rc;
}

int state_arg_open(const struct invocation *inv, struct state **out, struct err *e)
{
    return state_arg_open_sync(&inv->common, inv->operands_n > 0 ? inv->operands[0] : NULL, STATE_READ, false, out, e);
}
