/* A person is forgotten in a workspace, and a workspace has many states: each dated export of a CSV without a mapping makes one. */
#include "config.h"

#include "sync/cli/history/forget.h"

#include "mappings/mapping.h"
#include "sync/base/log.h"
#include "sync/cli/args/state_arg.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ADDRESS_BYTES = 64 << 10, STATE_BYTES = 16 << 20, LIST_BYTES = 1 << 16 };

/* ---- who, and whose lists ---- */

static int take_address(struct forget_call *f, const char *email, struct err *e)
{
    struct str typed = str_from(email);
    if (mapping_email_key(typed, &f->address) != 0)
        return err_set(e, XS_USAGE, "\"%.*s\" is not an e-mail address; give the address of one person", STR_ARG(typed));
    if (mapping_email_unicode(buf_str(&f->address), &f->unicode) != 0)
        return err_oom(e);
    f->person = (struct person_name){.address = buf_str(&f->address), .unicode = buf_str(&f->unicode)};
    return 0;
}

/* In one spelling, as the API gives it. */
static int take_workspace(struct forget_call *f, struct err *e)
{
    struct uuid id;
    char text[UUID_TEXT_N];
    const char *given = f->c->connection.workspace;
    if (given == NULL)
        return 0;
    f->workspace = strdup(uuid_parse(str_from(given), &id) == 0 ? uuid_format(&id, text) : given);
    return f->workspace != NULL ? 0 : err_oom(e);
}

int forget_call_open(struct forget_call *f, const struct invocation *inv, const char *email, const char *sync,
                     const char *campaign, struct err *e)
{
    *f = (struct forget_call){.common = inv->common, .c = &f->common};
    f->common.campaign = campaign;
    buf_init(&f->address, ADDRESS_BYTES);
    buf_init(&f->unicode, ADDRESS_BYTES);
    if ((email != NULL && take_address(f, email, e) != 0) || take_workspace(f, e) != 0)
        return -1;
    if ((sync != NULL || f->c->state != NULL) && state_arg_find(f->c, sync, &f->named, e) != 0)
        return -1;
    f->host = state_host_name(f->c->connection.api.loopback ? "loopback" : f->c->connection.api.host, e);
    return f->host == NULL ? -1 : state_list_folders(f->named, f->folders, &f->folders_n, e);
}

static void free_state(struct forget_state *s)
{
    free(s->path);
    free(s->sync);
    free(s->workspace);
    free(s->workspace_name);
    free(s->why);
}

void forget_call_close(struct forget_call *f)
{
    for (size_t i = 0; i < f->states_n; i++)
        free_state(&f->states[i]);
    for (size_t i = 0; i < f->folders_n; i++)
        free(f->folders[i]);
    free(f->states);
    free(f->named);
    free(f->host);
    free(f->workspace);
    buf_free(&f->address);
    buf_free(&f->unicode);
}

struct forget_scope forget_call_scope(const struct forget_call *f)
{
    return (struct forget_scope){.host = f->host, .workspace = f->workspace};
}

/* ---- one state ---- */

/* Keeps what went wrong with a state and goes on with the next. -1: memory. */
static int keep_error(struct forget_state *s, struct err *failed, struct err *e)
{
    free(s->why);
    s->why = strdup(err_text(failed));
    s->status = failed->status;
    err_clear(failed);
    return s->why != NULL ? 0 : err_oom(e);
}

static int open_state(const struct forget_call *f, const char *path, enum state_access access_as, struct state **out,
                      struct err *e)
{
    const struct state_options options = {.path = path,
                                          .access = access_as,
                                          .memory_max = STATE_BYTES,
                                          .clock = f->c->clock};
    *out = NULL;
    /* Opening for writing would make one. */
    if (access(path, F_OK) != 0)
        return state_missing(path, e);
    int rc = state_open(&options, out, e);
    return rc > 0 ? state_missing(path, e) : rc;
}

int forget_state_open(const struct forget_call *f, const struct forget_state *s, struct state **out, struct err *e)
{
    return open_state(f, s->path, STATE_READ, out, e);
}

static int replace(char **to, const char *text, struct err *e)
{
    free(*to);
    *to = text != NULL ? strdup(text) : NULL;
    return text != NULL && *to == NULL ? err_oom(e) : 0;
}

static int identify(struct forget_state *s, struct state *state, struct err *e)
{
    const char *value;
    if (replace(&s->sync, state_sync(state), e) != 0 || state_get(state, "workspace", &value, e) != 0 ||
        replace(&s->workspace, value, e) != 0 || state_get(state, "workspace_name", &value, e) != 0)
        return -1;
    return replace(&s->workspace_name, value, e);
}

/* A state that does not say is better searched than left. */
static bool is_of_host(const struct forget_call *f, struct state *state)
{
    return state_host(state) == NULL || strcmp(state_host(state), f->host) == 0;
}

static bool is_of_workspace(const struct forget_call *f, const struct forget_state *s)
{
    return f->workspace == NULL || s->workspace == NULL || strcmp(f->workspace, s->workspace) == 0;
}

/* 1 it is one of this host's, 0 it is not, -1. */
static int forget_states_look_at(struct forget_call *f, struct forget_state *s, bool named, struct err *e)
{
    struct err failed = ERR_INIT;
    struct state *state = NULL;
    int rc = open_state(f, s->path, STATE_READ, &state, &failed);
    if (rc == 0)
        rc = identify(s, state, &failed);
    if (rc != 0) {
        state_close(state);
        bool sandbox = strcmp(f->host, "loopback") == 0;
        return keep_error(s, &failed, e) != 0 ? -1 : named || state_path_is_sandbox(s->path) == sandbox;
    }
    /* Which API it is about, a state that is named says itself. */
    if (named && state_host(state) != NULL)
        rc = replace(&f->host, state_host(state), e);
    rc = rc != 0 ? -1 : is_of_host(f, state);
    state_close(state);
    return rc;
}

/* ---- which states ---- */

static bool forget_states_is_listed(const struct forget_call *f, const char *path)
{
    struct stat a, b;
    for (size_t i = 0; i < f->states_n; i++)
        if (stat(path, &a) == 0 && stat(f->states[i].path, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino)
            return true;
    return false;
}

static int forget_states_add_state(struct forget_call *f, const char *path, bool named, struct err *e)
{
    struct forget_state s = {.path = strdup(path)};
    int rc = s.path == NULL ? err_oom(e) : forget_states_is_listed(f, path) ? 0 : forget_states_look_at(f, &s, named, e);
    struct forget_state *grown = rc == 1 ? reallocarray(f->states, f->states_n + 1, sizeof *grown) : NULL;
    if (grown == NULL) {
        free_state(&s);
        return rc == 1 ? err_oom(e) : rc;
    }
    f->states = grown;
    f->states[f->states_n++] = s;
    return 0;
}

static int add_folder(struct forget_call *f, struct err *e)
{
    struct err none = ERR_INIT;
    char **paths = NULL, *folder = state_folder(&none);
    size_t n = 0;
    /* Without HOME and XDG_STATE_HOME there is the state that was named, or forget_call_open() has failed. */
    int rc = folder != NULL ? state_find_all(&paths, &n, e) : 0;
    err_clear(&none);
    free(folder);
    for (size_t i = 0; i < n; i++) {
        if (rc == 0)
            rc = forget_states_add_state(f, paths[i], false, e);
        free(paths[i]);
    }
    free(paths);
    return rc;
}

static int add_choice(const struct forget_call *f, const struct forget_state *s, struct buf *list)
{
    for (const struct forget_state *before = f->states; before < s; before++)
        if (before->workspace != NULL && strcmp(before->workspace, s->workspace) == 0)
            return 0;
    return buf_addf(list, "\n  %s%s%s%s (%s)", s->workspace, s->workspace_name != NULL ? " \"" : "",
                    s->workspace_name != NULL ? s->workspace_name : "", s->workspace_name != NULL ? "\"" : "", s->path);
}

/* By --workspace, by the state that was named, else the only one that the states know. */
static int choose_workspace(struct forget_call *f, bool one, struct err *e)
{
    struct buf list = BUF_INIT(LIST_BYTES);
    const char *only = NULL;
    bool several = false;
    if (f->workspace != NULL)
        return 0;
    if (f->named != NULL && f->states[0].workspace != NULL)
        return replace(&f->workspace, f->states[0].workspace, e);
    for (size_t i = 0; i < f->states_n; i++) {
        const struct forget_state *s = &f->states[i];
        if (s->workspace == NULL)
            continue;
        several = several || (only != NULL && strcmp(s->workspace, only) != 0);
        only = s->workspace;
        if (add_choice(f, s, &list) != 0)
            break; /* the first ones will do */
    }
    int rc = 0;
    if (several && one)
        rc = err_set(e, XS_USAGE,
                     "the states here are of several workspaces; choose one with --workspace, SYNC or "
                     "--state:%s",
                     buf_cstr(&list) != NULL ? list.p : "");
    else if (!several && only != NULL)
        rc = replace(&f->workspace, only, e);
    buf_free(&list);
    return rc;
}

int forget_states_find(struct forget_call *f, bool one, struct err *e)
{
    size_t kept = 0;
    if ((f->named != NULL && forget_states_add_state(f, f->named, true, e) != 0) || add_folder(f, e) != 0 ||
        choose_workspace(f, one, e) != 0)
        return -1;
    for (size_t i = 0; i < f->states_n; i++) {
        if (is_of_workspace(f, &f->states[i]))
            f->states[kept++] = f->states[i];
        else
            free_state(&f->states[i]);
    }
    f->states_n = kept;
    return 0;
}

/* ---- counting ---- */

int forget_state_keys(const struct forget_call *f, struct state *state, uint64_t *keys, struct err *e)
{
    const struct hash128 key = hash_keyed128(state_secret(state), f->person.address.p, f->person.address.n);
    bool forgotten;
    if (state_forgotten(state, &key, &forgotten, e) != 0)
        return -1;
    *keys = forgotten;
    return 0;
}

static int count_one(struct forget_call *f, struct forget_state *s, struct err *e)
{
    struct state *state = NULL;
    int rc = forget_state_open(f, s, &state, e);
    if (rc == 0)
        rc = forget_state_keys(f, state, &s->keys, e);
    if (rc == 0)
        rc = state_person_count(state, &f->person, &s->counts, e);
    state_close(state);
    return rc;
}

int forget_states_count(struct forget_call *f, struct err *e)
{
    for (size_t i = 0; i < f->states_n; i++) {
        struct err failed = ERR_INIT;
        if (f->states[i].why == NULL && count_one(f, &f->states[i], &failed) != 0 &&
            keep_error(&f->states[i], &failed, e) != 0)
            return -1;
    }
    return 0;
}

/* ---- changing ---- */

typedef int change_fn(struct forget_call *f, struct forget_state *s, struct state *state, struct err *e);

static int erase(struct forget_call *f, struct forget_state *s, struct state *state, struct err *e)
{
    return state_forget(state, &f->person, &s->counts, e);
}

static int undo_in_state(struct forget_call *f, struct forget_state *s, struct state *state, struct err *e)
{
    return state_unforget(state, f->person.address, &s->keys, e);
}

/* A state that never forgot the person needs no lock: a run that holds it is nothing to wait for. */
static bool needs_no_undo(struct forget_call *f, struct forget_state *s)
{
    struct err unread = ERR_INIT;
    struct state *state = NULL;
    int rc = forget_state_open(f, s, &state, &unread);
    if (rc == 0)
        rc = forget_state_keys(f, state, &s->keys, &unread);
    state_close(state);
    err_clear(&unread);
    return rc == 0 && s->keys == 0;
}

static int change_one(struct forget_call *f, struct forget_state *s, change_fn *change, struct err *e)
{
    struct state *state = NULL;
    int rc = open_state(f, s->path, STATE_WRITE, &state, e);
    if (rc == 0)
        rc = state_lock(state, f->c->run.wait_lock_ms, e);
    /* One that could not be read before says only now whose it is. */
    if (rc == 0)
        rc = identify(s, state, e);
    if (rc == 0 && is_of_host(f, state) && is_of_workspace(f, s))
        rc = change(f, s, state, e);
    state_close(state);
    return rc;
}

static int change_all(struct forget_call *f, change_fn *change, struct err *e)
{
    for (size_t i = 0; i < f->states_n; i++) {
        struct forget_state *s = &f->states[i];
        struct err failed = ERR_INIT;
        free(s->why);
        s->why = NULL;
        s->counts = (struct forgotten){0};
        if (change == undo_in_state && needs_no_undo(f, s))
            continue;
        if (change_one(f, s, change, &failed) != 0 && keep_error(s, &failed, e) != 0)
            return -1;
    }
    return 0;
}

int forget_states_erase(struct forget_call *f, struct err *e)
{
    return change_all(f, erase, e);
}

int forget_states_undo(struct forget_call *f, struct err *e)
{
    return change_all(f, undo_in_state, e);
}

/* A disk that is full is worse than a file that cannot be used, and that is worse than a run to wait for. */
static bool is_worse(enum exit_status a, enum exit_status b)
{
    return b == XS_DONE || (b == XS_LOCKED && a != XS_LOCKED) || (a == XS_IO && b != XS_IO);
}

enum exit_status forget_states_left(const struct forget_call *f, size_t *n)
{
    enum exit_status worst = XS_DONE;
    *n = 0;
    for (size_t i = 0; i < f->states_n; i++) {
        if (f->states[i].why == NULL)
            continue;
        ++*n;
        log_warning("%s", f->states[i].why);
        if (is_worse(f->states[i].status, worst))
            worst = f->states[i].status;
    }
    return worst;
}
