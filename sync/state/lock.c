/* Locks of the open file description (OFD): freed by the kernel when the process dies, however it dies, and not by the
 * closing of some other descriptor of the same file, as the older kind is. Byte 0 is the sync's lock; byte 1 is held
 * shared by whoever reads the journal, so that it is not removed under a reader. */
#include "config.h"

#include "sync/base/text.h"
#include "sync/state/state_int.h"

#include <errno.h>
#include <fcntl.h>
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

static int say_held(const struct state *s, int fd, struct err *e)
{
    char *who = holder(fd);
    err_set(e, XS_LOCKED, "another run of this sync (%s) holds %s; wait for it, or give --wait-lock SECONDS",
            who != NULL ? who : "pid unknown", s->lock_path);
    free(who);
    return -1;
}

/* The lock's file while somebody holds it, for the caller to close; -1 else. */
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
    say_held(s, fd, e);
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

static int write_holder(struct state *s, int fd, struct err *e)
{
    char host[HOST_MAX] = "", since[TIME_TEXT_N];
    char text[LOCK_TEXT_MAX];
    if (gethostname(host, sizeof host - 1) < 0)
        strcpy(host, "this host");
    int n = snprintf(text, sizeof text, "pid %ld on %s, since %s\n", (long)getpid(), host,
                     time_format(s->clock->wall_ms(s->clock), since));
    if (ftruncate(fd, 0) < 0 || pwrite(fd, text, (size_t)n, 0) != n)
        return err_errno(e, XS_STATE, errno, "%s", s->lock_path);
    return 0;
}

static int open_lock_file(struct state *s, struct err *e)
{
    int fd = open(s->lock_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return err_errno(e, XS_STATE, errno, "%s", s->lock_path);
    if (fchmod(fd, 0600) < 0 && errno != EPERM) {
        err_errno(e, XS_STATE, errno, "%s", s->lock_path);
        close(fd);
        return -1;
    }
    return fd;
}

int state_lock(struct state *s, int64_t wait_ms, struct err *e)
{
    if (s->lock_fd >= 0)
        return 0;
    if (s->access != STATE_WRITE)
        return err_set(e, XS_INTERNAL, "%s: a state opened for reading takes no lock; please report this", s->path);
    int fd = open_lock_file(s, e);
    if (fd < 0)
        return -1;
    int64_t until_us = s->clock->mono_us(s->clock) + wait_ms * 1000;
    while (lock_byte(fd, F_WRLCK, LOCK_SYNC, false) < 0) {
        int errnum = errno;
        int64_t left_us = until_us - s->clock->mono_us(s->clock);
        if (is_taken(errnum) && left_us > 0) {
            s->clock->sleep_us(s->clock, left_us < LOCK_POLL_US ? left_us : LOCK_POLL_US);
            continue;
        }
        if (is_taken(errnum))
            say_held(s, fd, e);
        else
            err_errno(e, XS_STATE, errnum, "%s: locking", s->lock_path);
        close(fd);
        return -1;
    }
    if (write_holder(s, fd, e) < 0) {
        close(fd);
        return -1;
    }
    s->lock_fd = fd;
    /* What was read before the lock may be what a run was just changing: its journal may have come since, or gone, and
     * what is written into a file without a name is lost with the process. */
    journal_close(s);
    s->journal.next_batch = 0;
    if (identity_load(s, e) < 0 || journal_open(s, false, e) < 0 || journal_check(s, e) < 0)
        return -1;
    /* An older leadsync did not note its journal. */
    return s->journal.open ? journal_note(s, e) : 0;
}

int lock_guard_share(struct state *s, struct err *e)
{
    s->guard_fd = open(s->lock_path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    /* Without a lock file nobody has ever written, and without the right to read it nobody can be held off. */
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
    /* Whoever writes the state holds the lock; a reader can only ask. */
    if (s->lock_fd >= 0)
        return true;
    struct flock range = {.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = LOCK_SYNC, .l_len = 1};
    /* Without the file nobody ever locked; what cannot be asked is not said to have died. */
    if (s->guard_fd < 0)
        return access(s->lock_path, F_OK) == 0;
    return fcntl(s->guard_fd, F_OFD_GETLK, &range) < 0 || range.l_type != F_UNLCK;
}
