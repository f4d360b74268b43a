/* Files are read whole under a limit, and written beside their place and renamed, so that no reader sees half a file
 * and a full disk keeps the old one. */
#include "config.h"

#include "sync/base/file.h"

#include "sync/base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- reading ---- */

static int read_all(int fd, const char *path, struct buf *out, enum exit_status missing, enum exit_status bad, struct err *e)
{
    /* Not by st_size: files in /proc say 0, and a growing one says yesterday's. */
    enum { CHUNK = 64 * 1024 };
    for (;;) {
        size_t room = out->max - out->n < CHUNK ? out->max - out->n : CHUNK;
        char past;
        if (room > 0 && buf_reserve(out, room) != 0)
            return err_oom(e);
        /* At the limit one more byte shows whether the file fits. */
        ssize_t got = room > 0 ? read(fd, out->p + out->n, room) : read(fd, &past, 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return err_errno(e, missing, errno, "cannot read %s", path);
        if (got == 0)
            return 0;
        if (room == 0)
            return err_set(e, bad, "%s is larger than %zu bytes; make it smaller", path, out->max);
        out->n += (size_t)got;
    }
}

int file_read(const char *path, struct buf *out, enum exit_status missing, enum exit_status bad, struct err *e)
{
    bool ours;
    return file_read_ours(path, out, &ours, missing, bad, e);
}

/* The folder that holds `path`. Caller frees; NULL when out of memory. */
static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (slash == NULL)
        return strdup(".");
    size_t n = (size_t)(slash - path);
    return n == 0 ? strdup("/") : strndup(path, n);
}

/* Owned by this user or root, and closed to the others' writes; in a sticky folder each owner's files are safe. */
static bool is_ours(const struct stat *st)
{
    return (st->st_uid == geteuid() || st->st_uid == 0) &&
           ((st->st_mode & (S_IWGRP | S_IWOTH)) == 0 || (S_ISDIR(st->st_mode) && (st->st_mode & S_ISVTX) != 0));
}

/* A user who can write to a folder can replace any file or program in it. */
static bool is_folder_ours(const char *path)
{
    struct stat st;
    char *folder = folder_of(path);
    bool ours = folder != NULL && stat(folder, &st) == 0 && is_ours(&st);
    free(folder);
    return ours;
}

int file_read_ours(const char *path, struct buf *out, bool *ours, enum exit_status missing, enum exit_status bad,
                   struct err *e)
{
    struct stat st;
    int result = -1;
    /* O_NONBLOCK: a pipe without a writer must not hang what will refuse it anyway. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return err_errno(e, missing, errno, "cannot open %s", path);
    if (fstat(fd, &st) != 0)
        err_errno(e, missing, errno, "cannot read %s", path);
    else if (!S_ISREG(st.st_mode))
        err_set(e, bad, "%s is %s; give a regular file", path, S_ISDIR(st.st_mode) ? "a folder" : "not a regular file");
    else {
        *ours = is_ours(&st) && is_folder_ours(path);
        result = read_all(fd, path, out, missing, bad, e);
    }
    close(fd);
    return result;
}

/* ---- folders and names ---- */

/* One folder. 0700: what the program makes is its user's business alone. */
static int make_one(const char *path, struct err *e)
{
    struct stat st;
    if (mkdir(path, 0700) == 0)
        return 0;
    int errnum = errno;
    /* Read-only and foreign parents are fine as long as they are there. */
    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        return 0;
    return err_errno(e, XS_STATE, errnum == EEXIST ? ENOTDIR : errnum, "cannot make folder %s", path);
}

int folder_make(const char *path, struct err *e)
{
    /* The path is cut at each slash in turn, and put together again. */
    char *part = strdup(path);
    if (part == NULL)
        return err_oom(e);
    int result = 0;
    for (char *at = part; result == 0 && *at != '\0';) {
        at += strspn(at, "/");
        at += strcspn(at, "/");
        char kept = *at;
        *at = '\0';
        result = make_one(part, e);
        *at = kept;
        at += strspn(at, "/");
    }
    free(part);
    return result;
}

int folder_sync(const char *path, struct err *e)
{
    /* A rename is on disk only when its folder is. */
    char *folder = folder_of(path);
    if (folder == NULL)
        return err_oom(e);
    int result = 0;
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        result = err_errno(e, XS_IO, errno, "cannot open folder %s", folder);
    /* EINVAL: a file system that has no such thing as a folder on disk. */
    else if (fsync(fd) != 0 && errno != EINVAL)
        result = err_errno(e, XS_IO, errno, "cannot write folder %s to disk", folder);
    if (fd >= 0)
        close(fd);
    free(folder);
    return result;
}

/* Only joined, never cleaned: "a/../b" can differ from "b" because of links. */
char *path_join(const char *folder, const char *name)
{
    char *path = NULL;
    size_t n = strlen(folder);
    if (name[0] == '/' || n == 0)
        return strdup(name);
    if (asprintf(&path, "%s%s%s", folder, folder[n - 1] == '/' ? "" : "/", name) < 0)
        return NULL;
    return path;
}

int file_unlinked_tmp(struct err *e)
{
    /* For rows that do not fit memory: without a name no other process can open them, and no crash leaves them behind. */
    const char *folder = getenv("TMPDIR");
    if (folder == NULL || folder[0] == '\0')
        folder = "/tmp";
    int fd = open(folder, O_TMPFILE | O_RDWR | O_EXCL | O_CLOEXEC, 0600);
    if (fd >= 0)
        return fd;
    /* Not every file system can make a file without a name. */
    char *template = path_join(folder, "tmp-XXXXXX");
    if (template == NULL)
        return err_oom(e);
    fd = mkostemp(template, O_CLOEXEC);
    if (fd < 0)
        err_errno(e, XS_IO, errno, "cannot make a temporary file in %s (set TMPDIR to another folder)", folder);
    else if (unlink(template) != 0) {
        err_errno(e, XS_IO, errno, "cannot unlink %s", template);
        close(fd);
        fd = -1;
    }
    free(template);
    return fd;
}

/* ---- new files ---- */

static int write_synced(int fd, const char *path, const char *p, size_t n, struct err *e)
{
    if (fchmod(fd, 0600) != 0) /* it was made so, but for what a umask took */
        return err_errno(e, XS_STATE, errno, "cannot set the mode of %s", path);
    while (n > 0) {
        ssize_t put = write(fd, p, n);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return err_errno(e, XS_IO, errno, "cannot write to %s", path);
        p += put;
        n -= (size_t)put;
    }
    return fsync(fd) == 0 ? 0 : err_errno(e, XS_IO, errno, "cannot write %s to disk", path);
}

/* link() refuses to replace; where a file system has no links, rename() after a look is the best there is. */
static int place(const char *tmp, const char *path, struct err *e)
{
    if (link(tmp, path) == 0) {
        unlink(tmp);
        return folder_sync(path, e);
    }
    int errnum = errno;
    if ((errnum == EPERM || errnum == EOPNOTSUPP) && access(path, F_OK) != 0 && rename(tmp, path) == 0)
        return folder_sync(path, e);
    unlink(tmp);
    return errnum == EEXIST ? 1 : err_errno(e, XS_STATE, errnum, "cannot make %s", path);
}

/* For file systems without O_TMPFILE (NFS, FAT), and where /proc is not mounted. */
static int publish_named(const char *path, const void *bytes, size_t n, struct err *e)
{
    char *tmp = NULL;
    if (asprintf(&tmp, "%s.new-XXXXXX", path) < 0)
        return err_oom(e);
    int result = -1;
    int fd = mkostemp(tmp, O_CLOEXEC);
    if (fd < 0) {
        err_errno(e, XS_STATE, errno, "cannot make %s", path);
        free(tmp);
        return -1;
    }
    if (write_synced(fd, path, bytes, n, e) == 0)
        result = place(tmp, path, e);
    else
        unlink(tmp);
    close(fd);
    free(tmp);
    return result;
}

int file_publish(const char *path, const void *bytes, size_t n, struct err *e)
{
    char *folder = folder_of(path), own[64];
    if (folder == NULL)
        return err_oom(e);
    int fd = open(folder, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
    free(folder);
    if (fd < 0)
        return publish_named(path, bytes, n, e);
    snprintf(own, sizeof own, "/proc/self/fd/%d", fd);
    int result = write_synced(fd, path, bytes, n, e);
    if (result == 0 && linkat(AT_FDCWD, own, AT_FDCWD, path, AT_SYMLINK_FOLLOW) == 0)
        result = folder_sync(path, e);
    else if (result == 0)
        result = errno == EEXIST ? 1 : publish_named(path, bytes, n, e);
    close(fd);
    return result;
}

/* ---- outputs ---- */

/* Opens what exists and is no regular file; it cannot be replaced by a rename. */
static int open_straight(struct output *o, const char *path, struct err *e)
{
    /* No O_CREAT and no O_TRUNC: it is there, and there is nothing to cut. */
    int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return err_errno(e, XS_STATE, errno, "cannot write to %s", path);
    o->f = fdopen(fd, "w");
    if (o->f == NULL) {
        close(fd);
        return err_oom(e);
    }
    return 0;
}

/* Opens ".NAME.XXXXXX" in the folder of the target: only there is a rename one step. */
static int open_beside(struct output *o, mode_t mode, struct err *e)
{
    char *folder = folder_of(o->path);
    const char *slash = strrchr(o->path, '/');
    int fd = -1;
    if (folder == NULL || asprintf(&o->tmp, "%s/.%s.XXXXXX", folder, slash != NULL ? slash + 1 : o->path) < 0) {
        o->tmp = NULL;
        free(folder);
        return err_oom(e);
    }
    free(folder);
    fd = mkostemp(o->tmp, O_CLOEXEC);
    if (fd < 0) {
        int errnum = errno;
        free(o->tmp);
        o->tmp = NULL;
        return err_errno(e, XS_STATE, errnum, "cannot create %s", o->path);
    }
    /* mkostemp makes 0600, which is right until the file is to be read by others. */
    if (fchmod(fd, mode) != 0)
        err_errno(e, XS_STATE, errno, "cannot set the mode of %s", o->path);
    else if ((o->f = fdopen(fd, "w")) != NULL)
        return 0;
    else
        err_oom(e);
    close(fd);
    return -1;
}

int output_open(struct output *o, const char *path, mode_t mode, struct err *e)
{
    struct stat st;
    *o = (struct output){0};
    if (path == NULL || strcmp(path, "-") == 0) {
        o->f = stdout;
        return 0;
    }
    bool exists = stat(path, &st) == 0;
    /* Behind a symbolic link it is the file that is replaced, not the link. */
    o->path = exists ? realpath(path, NULL) : strdup(path);
    if (o->path == NULL) {
        err_errno(e, XS_STATE, errno, "cannot write to %s", path);
        return -1;
    }
    int result;
    if (exists && S_ISDIR(st.st_mode))
        result = err_set(e, XS_STATE, "%s is a folder; give the name of a file", path);
    else if (exists && !S_ISREG(st.st_mode))
        result = open_straight(o, path, e);
    else
        result = open_beside(o, mode, e);
    if (result != 0)
        output_abandon(o);
    return result;
}

/* Flushes, and reports failures of earlier writes too: stdio remembers that they failed, but not why. */
static int flush(struct output *o, const char *name, struct err *e)
{
    if (fflush(o->f) != 0)
        return err_errno(e, XS_IO, errno, "cannot write to %s", name);
    struct stat st;
    if (ferror(o->f))
        return err_set(e, XS_IO, "cannot write to %s: an earlier write failed; %s", name,
                       fstat(fileno(o->f), &st) == 0 && (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode))
                           ? "the reader has exited"
                           : "is the disk full?");
    return 0;
}

/* Flush, to disk, into place, and the folder to disk: in this order, or a crash could leave an empty file there. */
static int commit_file(struct output *o, struct err *e)
{
    int result = flush(o, o->path, e);
    if (result == 0 && o->tmp != NULL && fsync(fileno(o->f)) != 0)
        result = err_errno(e, XS_IO, errno, "cannot write %s to disk", o->path);
    if (fclose(o->f) != 0 && result == 0)
        result = err_errno(e, XS_IO, errno, "cannot write to %s", o->path);
    o->f = NULL;
    if (result != 0 || o->tmp == NULL)
        return result;
    if (rename(o->tmp, o->path) != 0)
        return err_errno(e, XS_IO, errno, "cannot rename %s to %s", o->tmp, o->path);
    free(o->tmp);
    o->tmp = NULL;
    return folder_sync(o->path, e);
}

int output_commit(struct output *o, struct err *e)
{
    /* stdout stays open, since it is not ours; whatever is left of a file that failed goes. */
    int result = o->f == stdout ? flush(o, "standard output", e) : commit_file(o, e);
    output_abandon(o);
    return result;
}

void output_abandon(struct output *o)
{
    /* Logs nothing: the caller has reported an error already. */
    if (o->f != NULL && o->f != stdout)
        fclose(o->f);
    if (o->tmp != NULL)
        unlink(o->tmp);
    free(o->path);
    free(o->tmp);
    *o = (struct output){0};
}
