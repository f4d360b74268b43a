/* The people that this state's syncs leave out: those in its own table, and those in the lists of its workspace. */
#include "config.h"

#include "sync/state/state_int.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* How old the last look at the lists' files may be. */
static const int64_t LISTS_FRESH_US = 1000000;

int state_forgotten(struct state *s, const struct hash128 *key, bool *forgotten, struct err *e)
{
    sqlite3_stmt *st;
    *forgotten = false;
    if (s->id.forgotten_n == 0)
        return 0;
    int rc = db_query(&s->main, &st, e, "SELECT 1 FROM forgotten WHERE key = ?", "k", key);
    *forgotten = rc == 1;
    if (rc == 1)
        sqlite3_reset(st);
    return rc < 0 ? -1 : 0;
}

/* ---- the lists of the workspace ---- */

static bool same_folder(const char *a, const char *b)
{
    struct stat x, y;
    return strcmp(a, b) == 0 || (stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino);
}

int state_list_folders(const char *state_path, char *folders[STATE_LISTS_MAX], size_t *n, struct err *e)
{
    struct err none = ERR_INIT;
    *n = 0;
    /* With neither HOME nor XDG_STATE_HOME a state that is named still has a folder. */
    char *folder = state_folder(state_path == NULL ? e : &none);
    err_clear(&none);
    if (folder != NULL)
        folders[(*n)++] = folder;
    else if (state_path == NULL)
        return -1;
    if (state_path == NULL)
        return 0;
    const char *slash = strrchr(state_path, '/');
    char *beside = slash == NULL         ? strdup(".")
                   : slash == state_path ? strdup("/")
                                         : strndup(state_path, (size_t)(slash - state_path));
    if (beside == NULL) {
        free(folder);
        *n = 0;
        return err_oom(e);
    }
    if (*n == 1 && same_folder(folder, beside))
        free(beside);
    else
        folders[(*n)++] = beside;
    return 0;
}

void lists_close(struct state *s)
{
    for (size_t i = 0; i < s->lists.n; i++)
        forget_list_free(&s->lists.list[i]);
    for (size_t i = 0; i < s->lists.folders_n; i++)
        free(s->lists.folders[i]);
    free(s->lists.workspace);
    s->lists = (struct lists){0};
}

static int forgotten_load(struct state *s, struct err *e)
{
    struct lists *l = &s->lists;
    for (size_t i = 0; i < l->n; i++)
        forget_list_free(&l->list[i]);
    for (l->n = 0; l->n < l->folders_n; l->n++)
        if (forget_list_load(l->folders[l->n], &l->list[l->n], e) != 0)
            return -1;
    l->looked_us = s->clock->mono_us(s->clock);
    return 0;
}

int state_lists_open(struct state *s, const char *beside, const char *workspace, struct err *e)
{
    lists_close(s);
    if (workspace == NULL && state_get(s, "workspace", &workspace, e) != 0)
        return -1;
    if (workspace != NULL && (s->lists.workspace = strdup(workspace)) == NULL)
        return err_oom(e);
    if (state_list_folders(beside != NULL ? beside : s->path, s->lists.folders, &s->lists.folders_n, e) != 0)
        return -1;
    s->lists.open = true;
    return forgotten_load(s, e);
}

/* A run can take hours, and a person can be forgotten meanwhile. */
static int refresh(struct state *s, struct err *e)
{
    struct lists *l = &s->lists;
    int64_t now_us = s->clock->mono_us(s->clock);
    if (now_us - l->looked_us < LISTS_FRESH_US)
        return 0;
    l->looked_us = now_us;
    for (size_t i = 0; i < l->n; i++)
        if (forget_list_changed(&l->list[i]))
            return forgotten_load(s, e);
    return 0;
}

int state_forgets(struct state *s, bool *any, struct err *e)
{
    *any = s->id.forgotten_n > 0;
    if ((!s->lists.open && state_lists_open(s, NULL, NULL, e) != 0) || refresh(s, e) != 0)
        return -1;
    for (size_t i = 0; i < s->lists.n; i++)
        *any = *any || s->lists.list[i].n > 0;
    return 0;
}

int64_t state_forgotten_at_ms(const struct state *s, struct str address)
{
    const struct forget_scope scope = {.host = s->id.api_host, .workspace = s->lists.workspace};
    for (size_t i = 0; i < s->lists.n; i++) {
        const struct forget_person *person = forget_list_find(&s->lists.list[i], &scope, address);
        if (person != NULL)
            return person->forgotten.at_ms;
    }
    return 0;
}

const char *state_forgotten_by(const struct state *s, struct str address)
{
    const struct forget_scope scope = {.host = s->id.api_host, .workspace = s->lists.workspace};
    const struct forget_person *person = NULL;
    for (size_t i = 0; i < s->lists.n && person == NULL; i++)
        person = forget_list_find(&s->lists.list[i], &scope, address);
    return person != NULL ? person->forgotten.by : NULL;
}

int state_forgotten_address(struct state *s, struct str address, bool *forgotten, struct err *e)
{
    const struct hash128 key = hash_keyed128(s->id.secret, address.p, address.n);
    bool any;
    *forgotten = false;
    if (state_forgets(s, &any, e) != 0)
        return -1;
    const struct forget_scope scope = {.host = s->id.api_host, .workspace = s->lists.workspace};
    for (size_t i = 0; any && i < s->lists.n && !*forgotten; i++)
        *forgotten = forget_list_find(&s->lists.list[i], &scope, address) != NULL;
    return *forgotten || !any ? 0 : state_forgotten(s, &key, forgotten, e);
}
