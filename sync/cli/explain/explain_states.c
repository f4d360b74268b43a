/* Each state of the folder is opened for reading and asked; those that know nothing are closed again. */
#include "config.h"

#include "sync/cli/explain/explain.h"

#include "sync/cli/args/run_words.h"
#include "sync/cli/args/state_arg.h"

#include <stdlib.h>
#include <string.h>

enum { STATE_BYTES = 16 << 20, WORDS_BYTES = 1 << 16 };

static int keep_unread(struct explain *x, const char *path, struct err *failed, struct err *e)
{
    if (x->unread_n == x->unread_cap) {
        size_t cap = x->unread_cap == 0 ? 8 : x->unread_cap * 2;
        struct explain_unread *grown = reallocarray(x->unread, cap, sizeof *grown);
        if (grown == NULL)
            return err_oom(e);
        x->unread = grown;
        x->unread_cap = cap;
    }
    struct explain_unread one = {.path = arena_dup(&x->arena, path, strlen(path)),
                                 .why = arena_dup(&x->arena, err_text(failed), strlen(err_text(failed)))};
    err_clear(failed);
    x->unread[x->unread_n++] = one;
    return one.path != NULL && one.why != NULL ? 0 : err_oom(e);
}

static int keep_text(struct explain *x, const char *text, const char **out, struct err *e)
{
    *out = text != NULL ? arena_dup(&x->arena, text, strlen(text)) : NULL;
    return text == NULL || *out != NULL ? 0 : err_oom(e);
}

/* ---- what a trace means ---- */

static const struct traced_lead *find_lead(const struct trace *t, uint32_t flags, bool with)
{
    for (size_t i = 0; i < t->leads_n; i++)
        if (t->leads[i].known && ((t->leads[i].lead.flags & flags) != 0) == with)
            return &t->leads[i];
    return NULL;
}

static bool is_open(const struct trace *t)
{
    for (size_t i = 0; i < t->batches_n; i++)
        if (t->batches[i].batch.state != BATCH_DONE)
            return true;
    return false;
}

static bool is_left_out(const struct explained_state *s)
{
    return s->last != NULL && (s->last->entry.outcome == OUTCOME_SKIPPED || s->last->entry.outcome == OUTCOME_REJECTED);
}

static const struct traced_lead *find_refused(const struct trace *t)
{
    for (size_t i = 0; i < t->leads_n; i++)
        if (t->leads[i].refused)
            return &t->leads[i];
    return NULL;
}

static void explain_judge(struct explained_state *s)
{
    const struct trace *t = &s->trace;
    const struct traced_lead *there = find_lead(t, KNOWN_REMOVED | KNOWN_DELETED_THERE, false);
    const struct traced_lead *deleted = find_lead(t, KNOWN_DELETED_THERE, true);
    const struct traced_lead *removed = find_lead(t, KNOWN_REMOVED, true);
    for (size_t i = 0; i < t->leads_n; i++)
        s->forgotten = s->forgotten || t->leads[i].forgotten;
    for (size_t i = 0; i < t->batches_n; i++) {
        const struct traced_batch *b = &t->batches[i];
        s->last = b;
        if (b->entry.outcome == OUTCOME_CREATED)
            s->made = b;
        if (b->entry.outcome == OUTCOME_CHANGED)
            s->put = b;
    }
    s->lead = there != NULL ? there : deleted != NULL ? deleted : removed;
    if (s->forgotten)
        s->fate = FATE_FORGOTTEN;
    else if (is_open(t))
        s->fate = FATE_OPEN;
    else if (t->retries_n > 0)
        s->fate = FATE_WAITS;
    else if (there != NULL)
        s->fate = FATE_KNOWN;
    else if (deleted != NULL)
        s->fate = FATE_DELETED;
    else if (removed != NULL)
        s->fate = FATE_REMOVED;
    else if (is_left_out(s) || s->last != NULL)
        s->fate = FATE_LEFT_OUT;
    else if ((s->lead = find_refused(t)) != NULL)
        s->fate = FATE_REFUSED;
    else if (t->status != TARGET_STATUS_UNKNOWN)
        s->fate = FATE_STATUS;
}

/* Only the newest run that left removals waiting has some that still wait; a complete full read takes the note away. */
static int explain_states_removal(struct explained_state *s, struct err *e)
{
    const struct traced_batch *last = s->last;
    const char *waiting;
    bool removal = s->fate == FATE_KNOWN && last != NULL && last->entry.row == 0 &&
                   (last->entry.outcome == OUTCOME_DEFERRED || last->entry.outcome == OUTCOME_FAILED);
    if (!removal)
        return 0;
    if (state_get(s->state, STATE_REMOVALS_WAIT, &waiting, e) < 0)
        return -1;
    s->removal_waits = waiting != NULL && strtoull(waiting, NULL, 10) == last->batch.run;
    return 0;
}

/* ---- one state ---- */

static int explain_states_identify(struct explain *x, struct explained_state *s, struct err *e)
{
    const char *workspace;
    bool listed = false;
    if (state_get(s->state, "workspace_name", &workspace, e) != 0 || keep_text(x, workspace, &s->workspace, e) != 0 ||
        keep_text(x, state_sync(s->state), &s->sync, e) != 0 || keep_text(x, state_host(s->state), &s->host, e) != 0)
        return -1;
    if (x->query.person.address.n == 0)
        return 0;
    if (state_forgotten_address(s->state, x->query.person.address, &listed, e) != 0)
        return -1;
    s->forgotten = listed;
    s->forgotten_ms = listed ? state_forgotten_at_ms(s->state, x->query.person.address) : 0;
    return keep_text(x, listed ? state_forgotten_by(s->state, x->query.person.address) : NULL, &s->forgotten_by, e);
}

static int read_one(struct explain *x, const char *path, struct explained_state *s, struct err *e)
{
    const struct state_options options = {.path = path,
                                          .access = STATE_READ,
                                          .memory_max = STATE_BYTES,
                                          .clock = x->inv->common.clock};
    int rc = state_open(&options, &s->state, e);
    if (rc != 0)
        return rc > 0 ? state_missing(path, e) : -1;
    if (keep_text(x, path, &s->path, e) != 0 || explain_states_identify(x, s, e) != 0 ||
        state_trace(s->state, &x->query, &x->arena, &s->trace, e) != 0)
        return -1;
    explain_judge(s);
    if (s->fate == FATE_NOTHING) {
        if (explain_cells_find(x, s, e) != 0)
            return -1;
        explain_judge(s);
    }
    return explain_states_removal(s, e);
}

/* For the command that searches the source. Which of several syncs is meant, the reader knows. */
static int keep_sync_words(struct explain *x, struct state *state, const char *sync, struct err *e)
{
    struct buf words = BUF_INIT(WORDS_BYTES);
    struct run_record newest;
    x->sync_words = STR_NONE;
    int rc = x->looked_into > 1 ? 0 : run_words_show_sync(state, sync, &words, e);
    int found = rc == 0 ? state_run_get(state, 0, &x->arena, &newest, e) : -1;
    bool part = found == 1 && newest.read != NULL && strcmp(newest.read, "incremental") == 0;
    if (found >= 0 &&
        ((part && buf_adds(&words, " --full") != 0) || arena_str(&x->arena, buf_str(&words), &x->sync_words) != 0))
        rc = err_oom(e);
    buf_free(&words);
    return found < 0 ? -1 : rc;
}

static int take_state(struct explain *x, const char *path, const char *sync, struct err *e)
{
    struct explained_state s = {.path = NULL};
    struct err failed = ERR_INIT;
    x->looked_into++;
    if (read_one(x, path, &s, &failed) != 0) {
        state_close(s.state);
        return keep_unread(x, path, &failed, e);
    }
    if (s.fate == FATE_NOTHING) {
        target_names_of_state(&x->names, s.state);
        int rc = keep_sync_words(x, s.state, sync, e);
        state_close(s.state);
        return rc;
    }
    if (x->states_n == x->states_cap) {
        size_t cap = x->states_cap == 0 ? 8 : x->states_cap * 2;
        struct explained_state *grown = reallocarray(x->states, cap, sizeof *grown);
        if (grown == NULL) {
            state_close(s.state);
            return err_oom(e);
        }
        x->states = grown;
        x->states_cap = cap;
    }
    target_names_of_state(&x->names, s.state);
    x->states[x->states_n++] = s;
    return 0;
}

int explain_states_read(struct explain *x, const char *sync, struct err *e)
{
    const struct common *c = &x->inv->common;
    char **paths = NULL, *named = NULL;
    size_t n = 0;
    int rc;
    if (sync != NULL || c->state != NULL) {
        rc = state_arg_find(c, sync, &named, e);
        if (rc == 0)
            rc = take_state(x, named, sync, e);
        free(named);
        return rc;
    }
    rc = state_find_all(&paths, &n, e);
    for (size_t i = 0; i < n; i++) {
        if (rc == 0)
            rc = take_state(x, paths[i], NULL, e);
        free(paths[i]);
    }
    free(paths);
    return rc;
}

void explain_states_close(struct explain *x)
{
    for (size_t i = 0; i < x->states_n; i++)
        state_close(x->states[i].state);
    free(x->states);
    free(x->unread);
}

const struct explained_state *explain_states_first(const struct explain *x)
{
    const struct explained_state *first = NULL;
    for (size_t i = 0; i < x->states_n; i++)
        if (first == NULL || x->states[i].fate > first->fate)
            first = &x->states[i];
    return first;
}

struct str explain_states_address(const struct explain *x)
{
    if (x->query.person.address.n > 0)
        return x->query.person.address;
    for (size_t i = 0; i < x->states_n; i++) {
        const struct trace *t = &x->states[i].trace;
        for (size_t k = 0; k < t->leads_n; k++) {
            const struct lead *values = t->leads[k].values;
            if (values != NULL && values->core[LEAD_EMAIL].kind == VALUE_STRING)
                return (struct str){values->core[LEAD_EMAIL].p, values->core[LEAD_EMAIL].n};
        }
        for (size_t k = 0; k < t->retries_n; k++)
            if (t->retries[k].entry.email.n > 0)
                return t->retries[k].entry.email;
    }
    return STR_NONE;
}
