/* Opens and locks the state of a run, and checks that it belongs to the key's workspace.
 *
 * The lock is taken before the first request, so that a run which has to wait or to give up has not used the API. */
#include "config.h"

#include "sync/pipeline/run_int.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sync/base/file.h"
#include "sync/base/log.h"
#include "sync/base/stop.h"
#include "sync/api/http/url.h"

enum { PEEK_BYTES = 8 << 20, WORDS_BYTES = 1 << 16 };

static int remove_entry(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st;
    (void)kind;
    (void)at;
    return remove(path);
}

/* A dry run without a state plans against an empty one, in a temporary folder that is removed at the end. */
static int open_scratch_state(struct run *r, struct state_options options, struct err *e)
{
    const char *tmp = getenv("TMPDIR");
    char *folder = path_join(tmp != NULL && tmp[0] == '/' ? tmp : "/tmp", "leadsync-dry-XXXXXX");
    if (folder == NULL)
        return err_oom(e);
    if (mkdtemp(folder) == NULL) {
        int rc = err_errno(e, XS_IO, errno, "cannot make a temporary folder");
        free(folder);
        return rc;
    }
    r->opening.scratch_state = folder;
    char *path = path_join(folder, "empty.db");
    options.access = STATE_WRITE;
    options.path = path;
    int rc = path == NULL ? err_oom(e) : state_open(&options, &r->state, e);
    if (rc == 0)
        rc = state_lock(r->state, 0, e);
    free(path);
    return rc;
}

/* The path of the state: as given, or in the default folder by the sync's name. The caller frees it. NULL: an error. */
static char *path_of(const struct run *r, bool loopback, struct err *e)
{
    if (r->c->state_path == NULL && r->m != NULL)
        return state_default_path(r->m->name, loopback, e);
    char *path = r->c->state_path != NULL ? strdup(r->c->state_path) : NULL;
    if (path == NULL)
        err_oom(e);
    return path;
}

char *run_state_path(const struct run *r, struct err *e)
{
    struct url url;
    if (url_check(r->c->api->base_url, XS_USAGE, "--api-url", &url, e) != 0)
        return NULL;
    char *path = path_of(r, url.loopback, e);
    url_free(&url);
    return path;
}

static int open_at(struct run *r, const char *path, const struct url *url, struct err *e)
{
    /* The upload needs a share of the memory for its bodies and batches. */
    size_t share = r->c->memory_max > ((size_t)96 << 20) ? r->c->memory_max - ((size_t)64 << 20) : r->c->memory_max / 2;
    struct state_options options = {
        .path = path,
        .access = r->diff != NULL ? STATE_READ : STATE_WRITE,
        .sync = r->m != NULL ? r->m->name : NULL,
        .api_host = url->loopback ? "loopback" : url->host,
        .values_hashed = r->m != NULL && r->m->values_hashed,
        .journal_lost = r->c->journal_lost,
        .claim = r->opening.claim,
        .memory_max = share,
        .clock = r->c->clock,
    };
    int rc = state_open(&options, &r->state, e);
    if (rc == 1)
        return r->diff != NULL ? open_scratch_state(r, options, e) : err_set(e, XS_STATE, "%s is missing", options.path);
    return rc == 0 && r->diff == NULL ? state_lock(r->state, r->c->wait_lock_ms, e) : rc;
}

/* Checks early that the state belongs to this sync and host, before the API is asked. A dry run, or a sync without a name,
 * opens the state later, when its targets are known. */
static int peek_at_state(const struct run *r, const char *path, const struct url *url, struct err *e)
{
    const struct state_options options = {
        .path = path,
        .access = STATE_READ,
        .sync = r->opening.named ? r->m->name : NULL,
        .api_host = url->loopback ? "loopback" : url->host,
        .memory_max = PEEK_BYTES,
        .clock = r->c->clock,
    };
    struct state *state = NULL;
    struct err unread = ERR_INIT;
    int rc = state_open(&options, &state, &unread);
    if (rc == 0 && r->diff == NULL && r->c->wait_lock_ms == 0)
        rc = state_check_lock(state, e);
    else if (rc < 0 && unread.status == XS_CONFIG)
        rc = err_set(e, XS_CONFIG, "%s", err_text(&unread));
    else
        rc = 0; /* Other faults of the file are reported when it is opened for the run. */
    err_clear(&unread);
    state_close(state);
    return rc;
}

/* Opens a state that exists. For a new one only the lock is taken, so that a run that cannot start creates no file. */
static int open_early(struct run *r, const char *path, const struct url *url, struct err *e)
{
    struct stat st;
    if (r->diff == NULL && r->read.kind != NULL && lstat(path, &st) != 0 && errno == ENOENT &&
        state_claim(path, r->c->clock, r->c->wait_lock_ms, &r->opening.claim, e) != 0)
        return -1;
    /* A sync without a name opens its state later, with the claim that it holds by then. */
    if (access(path, F_OK) != 0 || (r->opening.claim != NULL && !r->opening.named))
        return 0;
    return r->opening.named && r->diff == NULL ? open_at(r, path, url, e) : peek_at_state(r, path, url, e);
}

static int open_any(struct run *r, bool early, struct err *e)
{
    struct url url;
    if (r->state != NULL)
        return 0;
    if (url_check(r->c->api->base_url, XS_USAGE, "--api-url", &url, e) != 0)
        return -1;
    int rc = 0;
    char *path = path_of(r, url.loopback, e);
    if (path == NULL)
        rc = -1;
    /* resume creates no state. A mistyped name must not look like a state with nothing open. */
    else if (!early && r->read.kind == NULL && access(path, F_OK) != 0)
        rc = state_missing(path, e);
    else if (!early)
        rc = open_at(r, path, &url, e);
    else
        rc = open_early(r, path, &url, e);
    free(path);
    url_free(&url);
    return rc;
}

/* For a CSV without a mapping whose target is given by name, the state's name is not known yet. So the words of the command
 * line are locked for the whole run: with the same key, the same words mean the same target and the same state. */
static int claim_words(struct run *r, struct err *e)
{
    const struct api_config *api = r->c->api;
    const struct target_spec *target = &r->m->target;
    struct buf words = BUF_INIT(WORDS_BYTES), name = BUF_INIT(WORDS_BYTES);
    char hex[SHA256_HEX_N], *path = NULL;
    struct url url;
    int rc = -1;
    if (url_check(api->base_url, XS_USAGE, "--api-url", &url, e) != 0)
        return -1;
    if (buf_addf(&words, "%s\n%s\n%s\n%s\n%s", api->base_url, api->key, api->workspace != NULL ? api->workspace : "",
                 target_kind_text(target->kind), target->text) != 0 ||
        sha256_hex(words.p, words.n, hex) != 0 || buf_addf(&name, "%s-%.8s.name", r->m->name, hex) != 0 ||
        buf_cstr(&name) == NULL)
        err_oom(e);
    else if ((path = state_default_path(name.p, url.loopback, e)) != NULL)
        rc = state_claim(path, r->c->clock, r->c->wait_lock_ms, &r->opening.words_claim, e);
    if (words.p != NULL)
        explicit_bzero(words.p, words.n); /* The text contains the API key. */
    buf_free(&words);
    buf_free(&name);
    free(path);
    url_free(&url);
    return rc;
}

int run_state_early(struct run *r, struct err *e)
{
    if (r->opening.named || r->c->state_path != NULL)
        return open_any(r, true, e);
    return r->diff == NULL ? claim_words(r, e) : 0;
}

int run_state_open(struct run *r, struct err *e)
{
    return open_any(r, false, e);
}

/* ---- a run that could not start ---- */

/* A first run that fails creates a state only if source or API failed, so that `status` shows the failed night. A mistyped
 * command creates none. */
static bool is_worth_a_state(const struct run *r, const struct err *why)
{
    bool away = why->status == XS_NO_SOURCE || why->status == XS_SOURCE || why->status == XS_API;
    return away && r->m != NULL && r->m->path != NULL;
}

/* A new state is not bound to an API host yet, because the address may be what is wrong. */
static int open_to_note(struct run *r, const struct err *why, struct err *e)
{
    struct url url;
    int rc = -1;
    if (url_check(r->c->api->base_url, XS_USAGE, "--api-url", &url, e) != 0)
        return -1;
    char *path = path_of(r, url.loopback, e);
    bool there = path != NULL && access(path, F_OK) == 0;
    /* clang-format off */
    const struct state_options options = {
        .path = path,
        .access = STATE_WRITE,
        .sync = r->m != NULL ? r->m->name : NULL,
        .api_host = !there ? NULL : url.loopback ? "loopback" : url.host,
        .values_hashed = r->m != NULL && r->m->values_hashed,
        .claim = r->opening.claim,
        .memory_max = PEEK_BYTES,
        .clock = r->c->clock,
    };
    /* clang-format on */
    if (path != NULL && !there && !is_worth_a_state(r, why))
        err_set(e, XS_STATE, "%s: does not exist yet", path);
    else if (path != NULL && state_open(&options, &r->state, e) == 0)
        rc = state_lock(r->state, 0, e);
    free(path);
    url_free(&url);
    return rc;
}

/* A run that could not open its state reports what waits in it nevertheless, by a second, read-only opening. */
void run_state_count(struct run *r, const char *sync)
{
    struct err ignored = ERR_INIT;
    struct state *own = r->state;
    struct state_options options = {.access = STATE_READ, .memory_max = PEEK_BYTES, .clock = r->c->clock};
    struct url url = {.host = NULL};
    char *path = NULL;
    r->state = NULL;
    if (r->c->state_path != NULL)
        path = strdup(r->c->state_path);
    else if (url_check(r->c->api->base_url, XS_USAGE, "--api-url", &url, &ignored) == 0)
        path = state_default_path(sync, url.loopback, &ignored);
    options.path = path;
    if (path != NULL && state_open(&options, &r->state, &ignored) == 0)
        run_left_known(r, &ignored);
    if (ignored.status != XS_DONE)
        log_detail("cannot count what waits: %s", err_text(&ignored));
    state_close(r->state);
    r->state = own;
    free(path);
    url_free(&url);
    err_clear(&ignored);
}

static int note(struct run *r, const struct err *why, struct err *e)
{
    /* Without the lock the state belongs to another run. */
    if (why->status == XS_LOCKED) {
        if (r->opening.named)
            run_state_count(r, r->m->name);
        return -1;
    }
    if (r->state == NULL && (!r->opening.named || open_to_note(r, why, e) != 0))
        return -1;
    /* Discard what the run has begun to write. */
    state_rollback(r->state);
    if (run_left_known(r, e) != 0) {
        log_detail("cannot count what waits: %s", err_text(e));
        err_clear(e);
    }
    r->record =
        (struct run_record){.started_ms = r->report->started_ms, .status = "running", .read = "", .begun = run_begun(r)};
    if (r->record.begun == NULL || state_run_start(r->state, &r->record, e) != 0) {
        r->record.id = 0;
        return -1;
    }
    r->report->run = r->record.id;
    r->report->read = NULL;
    r->report->not_begun = true;
    return 0;
}

/* Best effort: a run that cannot be recorded must still end with its own error. */
int run_state_note(struct run *r, const struct err *why)
{
    struct err e = ERR_INIT;
    int rc = note(r, why, &e);
    if (rc != 0 && e.status != XS_DONE)
        log_detail("cannot record this run: %s", err_text(&e));
    err_clear(&e);
    return rc;
}

void run_state_report_holder(struct run *r)
{
    /* The temporary state of a dry run is held by that run itself. */
    char *who = r->opening.scratch_state == NULL ? state_lock_holder(r->state) : NULL;
    r->dry.summary.at_work = who != NULL;
    if (who != NULL)
        log_warning("another run of this sync is active (%s): the diff shows only what is settled so far", who);
    free(who);
}

void run_state_close(struct run *r)
{
    state_close(r->state);
    state_claim_free(r->opening.claim);
    state_claim_free(r->opening.words_claim);
    if (r->opening.scratch_state != NULL)
        nftw(r->opening.scratch_state, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    free(r->opening.scratch_state);
}

/* A dry run whose targets are ids goes on without the API. After one failure the API is not asked again. */
static int continue_without_api(struct run *r, struct err *e)
{
    if (r->diff == NULL || e->status != XS_API || stop_requested() != 0)
        return -1;
    log_warning("cannot read the key's workspace and the campaign's variables: %s", err_text(e));
    err_clear(e);
    r->dry.variables_unknown = true;
    return 0;
}

/* In another workspace every known lead would look deleted. */
int run_state_workspace(struct run *r, struct err *e)
{
    const char *known;
    if (state_get(r->state, "workspace", &known, e) < 0)
        return -1;
    /* A dry run asks only if the state has a workspace to compare with. */
    if (r->diff != NULL && (r->api == NULL || known == NULL))
        return 0;
    if (api_workspace_get(r->api, &r->run_arena, &r->workspace, e) != 0)
        return continue_without_api(r, e);
    if (r->workspace.notice != NULL)
        log_detail("%s", r->workspace.notice);
    if (r->workspace.id == NULL)
        return 0;
    if (known != NULL && strcmp(known, r->workspace.id) != 0)
        return err_set(e, XS_CONFIG,
                       "this state belongs to workspace %s, and the key to workspace %s (%s): use that "
                       "workspace's key, or another --state",
                       known, r->workspace.id, r->workspace.name != NULL ? r->workspace.name : "no name");
    if (r->diff != NULL)
        return 0;
    if (known == NULL && state_set(r->state, "workspace", r->workspace.id, e) != 0)
        return -1;
    /* Store the name for later dry runs, which do not ask for it. */
    if (state_get(r->state, "workspace_name", &known, e) != 0)
        return -1;
    bool same = known != NULL && r->workspace.name != NULL && strcmp(known, r->workspace.name) == 0;
    return same ? 0 : state_set(r->state, "workspace_name", r->workspace.name, e);
}

int run_state_lists(struct run *r, struct err *e)
{
    /* Path and workspace come from the run, because the temporary state of a dry run has neither. */
    return state_lists_open(r->state, r->c->state_path, r->workspace.id, e);
}
