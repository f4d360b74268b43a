/* Where states live by default, and which file the name of a state means. */
#include "config.h"

#include "sync/base/file.h"
#include "sync/base/text.h"
#include "sync/state/schema.h"
#include "sync/state/state_int.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
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

bool state_name_is(const char *stored, const char *sync)
{
    char slug[TEXT_SLUG_MAX + 1];
    return strcmp(stored, sync) == 0 || (text_slug(str_from(stored), slug) > 0 && strcmp(slug, sync) == 0);
}

/* The only state in the folder whose name a mapping would spell like this. Caller frees; NULL: there is none, there are several,
 * or the folder cannot be read, which opening the state reports. */
static char *find_spelled_otherwise(const char *folder, const char *sync, const char *ending)
{
    char *found = NULL;
    size_t n = 0, ending_n = strlen(ending);
    DIR *dir = opendir(folder);
    struct dirent *entry;
    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        size_t name_n = strlen(entry->d_name);
        char *name = name_n > ending_n && strcmp(entry->d_name + name_n - ending_n, ending) == 0
                         ? strndup(entry->d_name, name_n - ending_n)
                         : NULL;
        if (name != NULL && state_name_is(name, sync) && n++ == 0)
            found = path_join(folder, entry->d_name);
        free(name);
    }
    if (dir != NULL)
        closedir(dir);
    if (n > 1) {
        free(found);
        found = NULL;
    }
    return found;
}

char *state_default_path(const char *sync, bool sandbox, struct err *e)
{
    const char *ending = sandbox ? ".sandbox.db" : ".db";
    char *path = NULL;
    if (sync[0] == '\0' || sync[0] == '.' || strchr(sync, '/') != NULL) {
        err_set(e, XS_CONFIG, "\"%s\" cannot be the name of a sync: a file is called after it; give --state PATH", sync);
        return NULL;
    }
    char *folder = state_folder(e);
    if (folder != NULL && asprintf(&path, "%s/%s%s", folder, sync, ending) < 0) {
        path = NULL;
        err_oom(e);
    }
    char *other = path != NULL && access(path, F_OK) != 0 && errno == ENOENT ? find_spelled_otherwise(folder, sync, ending)
                                                                             : NULL;
    if (other != NULL) {
        free(path);
        path = other;
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
    struct stat st;
    bool sandbox = state_path_is_sandbox(path);
    char *other = NULL;
    if (lstat(path, &st) == 0 && S_ISLNK(st.st_mode))
        return err_set(e, XS_STATE,
                       "%s: is a symbolic link to a missing file; restore that file (is its disk mounted?), or "
                       "remove the link",
                       path);
    int stem = (int)(strlen(path) - strlen(sandbox ? ".sandbox.db" : ".db"));
    if (stem < 0 || asprintf(&other, "%.*s%s", stem, path, sandbox ? ".db" : ".sandbox.db") < 0)
        other = NULL;
    if (other != NULL && access(other, F_OK) == 0)
        err_set(e, XS_STATE,
                "%s: the state does not exist, but %s does; INSTANTLY_API_URL (or --api-url) decides between "
                "Instantly and a sandbox",
                path, other);
    else
        err_set(e, XS_STATE, "%s: the state does not exist; run the sync first, or name another with --state PATH", path);
    free(other);
    return -1;
}

/* ---- one state, one name ---- */

/* A state is published under a name of its own first (file_publish()); a death may leave that name behind. */
static bool is_of_creation(const char *name, const char *base)
{
    static const char suffix[] = ".new-";
    size_t n = strlen(base);
    return strncmp(name, base, n) == 0 && strncmp(name + n, suffix, sizeof suffix - 1) == 0;
}

/* Looks in the file's own folder for its other hard links. *links loses those that are left from its creation; the name
 * of another one is returned, for the caller to free. NULL: it is in another folder, or the folder cannot be read. */
static char *find_other_name(const char *path, const struct stat *file, nlink_t *links)
{
    const char *base = strrchr(path, '/') + 1;
    char *folder = strndup(path, (size_t)(base - path)), *found = NULL;
    DIR *dir = folder != NULL ? opendir(folder) : NULL;
    struct dirent *entry;
    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        struct stat st;
        if (strcmp(entry->d_name, base) == 0 || fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
            st.st_ino != file->st_ino || st.st_dev != file->st_dev)
            continue;
        if (is_of_creation(entry->d_name, base))
            --*links;
        else if (found == NULL)
            found = path_join(folder, entry->d_name);
    }
    if (dir != NULL)
        closedir(dir);
    free(folder);
    return found;
}

int state_path_resolve(const char *path, char **out, struct err *e)
{
    struct stat st;
    *out = realpath(path, NULL);
    if (*out == NULL || stat(*out, &st) < 0)
        return err_errno(e, XS_STATE, errno, "%s", path);
    nlink_t links = st.st_nlink;
    char *other = links > 1 ? find_other_name(*out, &st, &links) : NULL;
    if (links > 1)
        err_set(e, XS_STATE,
                "%s: has %lu names (hard links%s%s), and each name would have a lock and a journal of its own; "
                "remove the other names, or replace this one by a copy: cp FILE COPY && mv COPY FILE",
                path, (unsigned long)links, other != NULL ? "; another is " : "", other != NULL ? other : "");
    free(other);
    return links > 1 ? -1 : 0;
}

/* ---- the files of a state ---- */

const char *const state_suffixes[] = {"",     ".journal", ".journal-wal", ".journal-shm", ".lock",
                                      "-wal", "-shm",     "-journal",     ".remote",      NULL};

/* SQLite's file format, 1.3.15: the number stands in the header in big-endian. */
static bool has_application_id(const char *path, uint32_t wanted)
{
    enum { AT = 68 };
    unsigned char id[4];
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    bool has = fd >= 0 && pread(fd, id, sizeof id, AT) == sizeof id &&
               ((uint32_t)id[0] << 24 | (uint32_t)id[1] << 16 | (uint32_t)id[2] << 8 | id[3]) == wanted;
    if (fd >= 0)
        close(fd);
    return has;
}

static bool is_state_name(const char *name)
{
    size_t n = strlen(name);
    return name[0] != '.' && n > 3 && strcmp(name + n - 3, ".db") == 0;
}

/* Is it, or would it be, a state of the default folder, or a list of forgotten people? */
static bool is_default(const char *path)
{
    struct err ignored = ERR_INIT;
    struct stat one, other;
    const char *slash = strrchr(path, '/');
    char *standard = state_folder(&ignored), *folder = slash != NULL ? strndup(path, (size_t)(slash - path)) : strdup(".");
    const char *name = slash != NULL ? slash + 1 : path;
    bool is = standard != NULL && folder != NULL && is_state_name(name);
    /* The folder may still have to be made. */
    if (is && stat(standard, &one) == 0)
        is = stat(folder, &other) == 0 && one.st_dev == other.st_dev && one.st_ino == other.st_ino;
    else if (is)
        is = strcmp(standard, folder) == 0;
    free(standard);
    free(folder);
    err_clear(&ignored);
    return is || strcmp(name, "forgotten.list") == 0;
}

bool state_owns_path(const char *path)
{
    size_t n = strlen(path);
    bool owns = has_application_id(path, JOURNAL_APPLICATION_ID);
    for (const char *const *suffix = state_suffixes; !owns && *suffix != NULL; suffix++) {
        size_t suffix_n = strlen(*suffix);
        char *stem = n > suffix_n && strcmp(path + n - suffix_n, *suffix) == 0 ? strndup(path, n - suffix_n) : NULL;
        owns = stem != NULL && (has_application_id(stem, STATE_APPLICATION_ID) || is_default(stem));
        free(stem);
    }
    return owns;
}

/* ---- the default folder ---- */

struct found {
    char *path; /* owned */
    struct timespec when;
    dev_t device;
    ino_t inode;
    bool link; /* a symbolic link */
};

/* A run writes at its start and at its end, to the file or to the WAL beside it. An empty WAL is a reader's. */
static void look(const char *path, const char *suffix, struct timespec *when)
{
    struct stat st;
    char *name = NULL;
    if (asprintf(&name, "%s%s", path, suffix) < 0)
        return;
    if (stat(name, &st) == 0 && st.st_size > 0 &&
        (st.st_mtim.tv_sec > when->tv_sec || (st.st_mtim.tv_sec == when->tv_sec && st.st_mtim.tv_nsec > when->tv_nsec)))
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

/* A state that the folder has twice, once as a symbolic link, is one state. */
static struct found *find_same(struct found *all, size_t n, const struct found *f)
{
    for (size_t i = 0; f->inode != 0 && i < n; i++)
        if (all[i].inode == f->inode && all[i].device == f->device && (all[i].link || f->link))
            return &all[i];
    return NULL;
}

static int add_found(struct found **all, size_t *n, const char *folder, const char *name, struct err *e)
{
    struct stat st;
    struct found *grown = reallocarray(*all, *n + 1, sizeof *grown);
    if (grown == NULL)
        return err_oom(e);
    *all = grown;
    struct found f = {.path = path_join(folder, name)};
    if (f.path == NULL)
        return err_oom(e);
    f.link = lstat(f.path, &st) == 0 && S_ISLNK(st.st_mode);
    if (stat(f.path, &st) == 0) {
        f.device = st.st_dev;
        f.inode = st.st_ino;
    }
    look(f.path, "", &f.when);
    look(f.path, "-wal", &f.when);
    struct found *same = find_same(grown, *n, &f);
    if (same == NULL) {
        grown[(*n)++] = f;
        return 0;
    }
    /* The file's own name is the one to show. */
    char *other = same->link ? same->path : f.path;
    if (same->link)
        *same = f;
    free(other);
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
