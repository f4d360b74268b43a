/* Where states live when nobody says where. */
#include "config.h"

#include "sync/base/file.h"
#include "sync/state/state_int.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* XDG says that a path that is not absolute is to be ignored. */
char *state_folder(struct err *e)
{
    char *folder = NULL;
    const char *xdg = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    int n;
    if (xdg != NULL && xdg[0] == '/') {
        n = asprintf(&folder, "%s/leadsync", xdg);
    } else if (home != NULL && home[0] == '/') {
        n = asprintf(&folder, "%s/.local/state/leadsync", home);
    } else {
        err_set(e, XS_STATE, "neither XDG_STATE_HOME nor HOME names a folder; give --state PATH");
        return NULL;
    }
    if (n < 0) {
        err_oom(e);
        return NULL;
    }
    return folder;
}

char *state_default_path(const char *sync, bool sandbox, struct err *e)
{
    char *path = NULL;
    if (sync[0] == '\0' || sync[0] == '.' || strchr(sync, '/') != NULL) {
        err_set(e, XS_CONFIG, "\"%s\" cannot be the name of a sync: a file is called after it; give --state PATH",
                sync);
        return NULL;
    }
    char *folder = state_folder(e);
    if (folder != NULL && asprintf(&path, "%s/%s%s.db", folder, sync, sandbox ? ".sandbox" : "") < 0) {
        path = NULL;
        err_oom(e);
    }
    free(folder);
    return path;
}

bool state_path_is_sandbox(const char *path)
{
    static const char suffix[] = ".sandbox.db";
    size_t n = strlen(path), suffix_n = sizeof suffix - 1;
    return n > suffix_n && strcmp(path + n - suffix_n, suffix) == 0;
}

int state_missing(const char *path, struct err *e)
{
    bool sandbox = state_path_is_sandbox(path);
    char *other = NULL;
    int stem = (int)(strlen(path) - strlen(sandbox ? ".sandbox.db" : ".db"));
    if (stem < 0 || asprintf(&other, "%.*s%s", stem, path, sandbox ? ".db" : ".sandbox.db") < 0)
        other = NULL;
    if (other != NULL && access(other, F_OK) == 0)
        err_set(e, XS_STATE, "%s: there is no such state, but there is %s: INSTANTLY_API_URL (or --api-url) says whether "
                "it is about Instantly or a sandbox", path, other);
    else
        err_set(e, XS_STATE, "%s: there is no such state; has this sync run? --state PATH names another", path);
    free(other);
    return -1;
}

struct found {
    char *path; /* owned */
    struct timespec when;
};

/* A run writes at its start and at its end, to the file or to the WAL beside it. */
static void look(const char *path, const char *suffix, struct timespec *when)
{
    struct stat st;
    char *name = NULL;
    if (asprintf(&name, "%s%s", path, suffix) < 0)
        return;
    if (stat(name, &st) == 0 && (st.st_mtim.tv_sec > when->tv_sec ||
                                 (st.st_mtim.tv_sec == when->tv_sec && st.st_mtim.tv_nsec > when->tv_nsec)))
        *when = st.st_mtim;
    free(name);
}

static int newest_first(const void *a, const void *b)
{
    const struct found *x = a, *y = b;
    if (x->when.tv_sec != y->when.tv_sec)
        return x->when.tv_sec > y->when.tv_sec ? -1 : 1;
    if (x->when.tv_nsec != y->when.tv_nsec)
        return x->when.tv_nsec > y->when.tv_nsec ? -1 : 1;
    return strcmp(x->path, y->path);
}

static bool is_state_name(const char *name)
{
    size_t n = strlen(name);
    return name[0] != '.' && n > 3 && strcmp(name + n - 3, ".db") == 0;
}

static int add_found(struct found **all, size_t *n, const char *folder, const char *name, struct err *e)
{
    struct found *grown = reallocarray(*all, *n + 1, sizeof *grown);
    if (grown == NULL)
        return err_oom(e);
    *all = grown;
    struct found *f = &grown[*n];
    *f = (struct found){.path = path_join(folder, name)};
    if (f->path == NULL)
        return err_oom(e);
    look(f->path, "", &f->when);
    look(f->path, "-wal", &f->when);
    ++*n;
    return 0;
}

static int list_folder(const char *folder, struct found **all, size_t *n, struct err *e)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;
    int result = 0;
    if (dir == NULL)
        return errno == ENOENT ? 0 : err_errno(e, XS_STATE, errno, "%s", folder);
    while (result == 0 && (entry = readdir(dir)) != NULL)
        if (is_state_name(entry->d_name))
            result = add_found(all, n, folder, entry->d_name, e);
    closedir(dir);
    return result;
}

int state_find_all(char ***paths, size_t *n, struct err *e)
{
    struct found *all = NULL;
    size_t count = 0;
    int result = -1;
    *paths = NULL;
    *n = 0;
    char *folder = state_folder(e);
    if (folder == NULL || list_folder(folder, &all, &count, e) < 0)
        goto out;
    char **out = calloc(count + 1, sizeof *out);
    if (out == NULL) {
        err_oom(e);
        goto out;
    }
    if (count > 0)
        qsort(all, count, sizeof *all, newest_first);
    for (size_t i = 0; i < count; i++) {
        out[i] = all[i].path;
        all[i].path = NULL;
    }
    *paths = out;
    *n = count;
    result = 0;
out:
    for (size_t i = 0; i < count; i++)
        free(all[i].path);
    free(all);
    free(folder);
    return result;
}
