/* Locks of the open file description (OFD): freed by the kernel when the process dies, however it dies, and not by the
 * closing of some other descriptor of the same file, as the older kind is. Byte 0 is the sync's lock. Readers of the
 * journal hold byte 1 shared, so that it is not removed under a reader. */
#include "config.h"

#include "sync/base/file.h"
#include "sync/base/text.h"
#include "sync/state/state_int.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LOCK_SYNC = 0, LOCK_JOURNAL = 1 };
enum { LOCK_POLL_US = 100000, LOCK_TEXT_MAX = 512, HOST_MAX = 256 };

static int lock_byte(int fd, short kind, off_t byte, bool wait)
{
    struct flock range = {.l_type = kind, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};
    int rc;
    do {
        rc = fcntl(fd, wait ? F_OFD_SETLKW : F_OFD_SETLK, &range);
    } while (rc < 0 && errno == EINTR);
    return rc;
}

static bool is_taken(int errnum)
{
    return errnum == EAGAIN || errnum == EACCES;
}

/* "pid 123 on host, since 2026-…" as the holder wrote it, made safe to show. Caller frees; NULL when memory is short.
 */
static char *holder(int fd)
{
    char raw[LOCK_TEXT_MAX];
    struct buf shown = BUF_INIT(8 * LOCK_TEXT_MAX);
    ssize_t n = pread(fd, raw, sizeof raw, 0);
    struct str text = str_trim((struct str){raw, n > 0 ? (size_t)n : 0});
    if (text.n == 0)
        text = STR("pid not written yet");
    char *out = text_show(text, 200, &shown) == 0 ? str_dup(buf_str(&shown)) : NULL;
    buf_free(&shown);
    return out;
}

static int report_held(const char *lock_path, int fd, struct err *e)
{
    char *who = holder(fd);
    err_set(e, XS_LOCKED, "another run of this sync (%s) holds %s; wait for it, or give --wait-lock SECONDS",
            who != NULL ? who : "pid unknown", lock_path);
    free(who);
    return -1;
}

/* The lock's file while another process holds the lock, for the caller to close; else -1. */
static int open_held(const struct state *s)
{
    struct flock range = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = LOCK_SYNC, .l_len = 1};
    int fd = open(s->lock_path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 || (fcntl(fd, F_OFD_GETLK, &range) == 0 && range.l_type != F_UNLCK))
        return fd;
    close(fd);
    return -1;
}

void lock_name_holder(const struct state *s, struct err *e)
{
    int fd = open_held(s);
    if (fd < 0)
        return;
    err_clear(e);
    report_held(s->lock_path, fd, e);
    close(fd);
}

char *state_lock_holder(const struct state *s)
{
    int fd = open_held(s);
    if (fd < 0)
        return NULL;
    char *who = holder(fd);
    close(fd);
    return who;
}

int state_check_lock(const struct state *s, struct err *e)
{
    err_clear(e);
    lock_name_holder(s, e);
    return e->status == XS_LOCKED ? -1 : 0;
}

static int write_holder(const char *lock_path, struct clock *clock, int fd, struct err *e)
{
    char host[HOST_MAX] = "", since[TIME_TEXT_N];
    char text[LOCK_TEXT_MAX];
    if (gethostname(host, sizeof host - 1) < 0)
        strcpy(host, "this host");
    int n = snprintf(text, sizeof text, "pid %ld on %s, since %s\n", (long)getpid(), host,
                     time_format(clock->wall_ms(clock), since));
    if (ftruncate(fd, 0) < 0 || pwrite(fd, text, (size_t)n, 0) != n)
        return err_errno(e, XS_STATE, errno, "%s", lock_path);
    return 0;
}

static int open_lock_file(const char *lock_path, struct err *e)
{
    int fd = open(lock_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return err_errno(e, XS_STATE, errno, "%s", lock_path);
    if (fchmod(fd, 0600) < 0 && errno != EPERM) {
        err_errno(e, XS_STATE, errno, "%s", lock_path);
        close(fd);
        return -1;
    }
    return fd;
}

/* A run that could not start removes the file that it made: a lock on a file without a name excludes no process. */
static bool is_removed(int fd)
{
    struct stat st;
    return fstat(fd, &st) == 0 && st.st_nlink == 0;
}

/* Returns the descriptor that holds the lock, or -1. */
static int take_lock(const char *lock_path, struct clock *clock, int64_t wait_ms, struct err *e)
{
    int fd = open_lock_file(lock_path, e);
    int64_t until_us = clock->mono_us(clock) + wait_ms * 1000;
    while (fd >= 0) {
        if (lock_byte(fd, F_WRLCK, LOCK_SYNC, false) == 0) {
            if (!is_removed(fd))
                break;
            close(fd);
            fd = open_lock_file(lock_path, e);
            continue;
        }
        int errnum = errno;
        int64_t left_us = until_us - clock->mono_us(clock);
        if (is_taken(errnum) && left_us > 0) {
            clock->sleep_us(clock, left_us < LOCK_POLL_US ? left_us : LOCK_POLL_US);
            continue;
        }
        if (is_taken(errnum))
            report_held(lock_path, fd, e);
        else
            err_errno(e, XS_STATE, errnum, "%s: locking", lock_path);
        close(fd);
        return -1;
    }
    if (fd >= 0 && write_holder(lock_path, clock, fd, e) < 0) {
        close(fd);
        return -1;
    }
    return fd;
}

/* ---- before there is a state ---- */

struct state_claim {
    char *path, *lock_path;
    int fd;    /* -1: a state has taken it over */
    bool made; /* this run created the lock's file */
};

/* As state_path_resolve() will spell it when the file is there. */
static char *future_path(const char *path, struct err *e)
{
    char *copy = strdup(path), *folder = NULL, *out = NULL;
    const char *slash = strrchr(path, '/'), *parent = copy != NULL ? dirname(copy) : NULL;
    if (parent == NULL)
        err_oom(e);
    else if (folder_make(parent, e) < 0)
        err_context(e, "%s", path);
    else if ((folder = realpath(parent, NULL)) == NULL)
        err_errno(e, XS_STATE, errno, "%s", parent);
    else if ((out = path_join(folder, slash != NULL ? slash + 1 : path)) == NULL)
        err_oom(e);
    free(folder);
    free(copy);
    return out;
}

int state_claim(const char *path, struct clock *clock, int64_t wait_ms, struct state_claim **out, struct err *e)
{
    struct state_claim *c = calloc(1, sizeof *c);
    *out = NULL;
    if (c == NULL)
        return err_oom(e);
    c->fd = -1;
    c->path = future_path(path, e);
    if (c->path != NULL && asprintf(&c->lock_path, "%s.lock", c->path) < 0) {
        c->lock_path = NULL;
        err_oom(e);
    }
    c->made = c->lock_path != NULL && access(c->lock_path, F_OK) < 0;
    c->fd = c->lock_path != NULL ? take_lock(c->lock_path, clock, wait_ms, e) : -1;
    if (c->fd < 0) {
        c->made = false;
        state_claim_free(c);
        return -1;
    }
    *out = c;
    return 0;
}

void state_claim_free(struct state_claim *c)
{
    if (c == NULL)
        return;
    /* Still locked, so that a waiting process finds it removed. */
    if (c->fd >= 0 && c->made && access(c->path, F_OK) < 0)
        unlink(c->lock_path);
    if (c->fd >= 0)
        close(c->fd);
    free(c->path);
    free(c->lock_path);
    free(c);
}

/* The lock's descriptor of a claim of this state, or -1. */
static int claimed(struct state *s)
{
    struct state_claim *c = s->claim;
    if (c == NULL || c->fd < 0 || strcmp(c->lock_path, s->lock_path) != 0)
        return -1;
    int fd = c->fd;
    c->fd = -1;
    return fd;
}

/* What was read before the lock may be what a run was just changing: its journal may have come since, or gone, and what is
 * written into a file without a name is lost with the process. */
static int read_again(struct state *s, struct err *e)
{
    journal_close(s);
    s->journal.next_batch = 0;
    if (wal_pair_check(s, e) < 0 || identity_load(s, e) < 0 || journal_open(s, false, e) < 0 || journal_check(s, e) < 0 ||
        journal_pair_check(s, e) < 0)
        return -1;
    /* An older leadsync did not note its journal. */
    return s->journal.open ? journal_note(s, e) : 0;
}

int state_lock(struct state *s, int64_t wait_ms, struct err *e)
{
    if (s->lock_fd >= 0)
        return 0;
    if (s->access != STATE_WRITE)
        return err_set(e, XS_INTERNAL, "%s: a state opened for reading takes no lock; please report this", s->path);
    int fd = claimed(s);
    if (fd < 0)
        fd = take_lock(s->lock_path, s->clock, wait_ms, e);
    if (fd < 0)
        return -1;
    s->lock_fd = fd;
    if (read_again(s, e) == 0)
        return 0;
    /* Without the lock nothing is written, also not that this run failed: the files that do not fit stay as they are. */
    journal_close(s);
    s->lock_fd = -1;
    close(fd);
    return -1;
}

int lock_guard_share(struct state *s, struct err *e)
{
    s->guard_fd = open(s->lock_path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    /* Without a lock file no process has written yet, and without the right to read it no process can be held off. */
    if (s->guard_fd < 0)
        return 0;
    /* The writer holds this byte for the time of three unlinks. */
    if (lock_byte(s->guard_fd, F_RDLCK, LOCK_JOURNAL, true) < 0)
        return err_errno(e, XS_STATE, errno, "%s: locking", s->lock_path);
    return 0;
}

int lock_guard_take(struct state *s, struct err *e)
{
    if (s->lock_fd < 0)
        return err_set(e, XS_INTERNAL, "%s: the journal is removed without the lock; please report this", s->path);
    if (lock_byte(s->lock_fd, F_WRLCK, LOCK_JOURNAL, false) == 0)
        return 1;
    return is_taken(errno) ? 0 : err_errno(e, XS_STATE, errno, "%s: locking", s->lock_path);
}

void lock_guard_free(struct state *s)
{
    lock_byte(s->lock_fd, F_UNLCK, LOCK_JOURNAL, false);
}

bool lock_is_held(const struct state *s)
{
    /* A writer of the state holds the lock; a reader can only ask. */
    if (s->lock_fd >= 0)
        return true;
    struct flock range = {.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = LOCK_SYNC, .l_len = 1};
    /* Without the file no process ever locked. A lock that cannot be read does not count as dead. */
    if (s->guard_fd < 0)
        return access(s->lock_path, F_OK) == 0;
    return fcntl(s->guard_fd, F_OFD_GETLK, &range) < 0 || range.l_type != F_UNLCK;
}
