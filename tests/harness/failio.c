/* An LD_PRELOAD object that makes one output call fail, or kills the process before it: the N-th write(), pwrite(),
 * fsync(), fdatasync(), ftruncate(), rename(), unlink() or send() of the process.
 *
 *   FAILIO_AT=N             which one, from 1; 0 or unset: none
 *   FAILIO_ERR=ENOSPC|EIO   what it fails with (EIO)
 *   FAILIO_STICKY=1         so do all after it, but for unlink(): a disk that stays full
 *   FAILIO_KILL=1           SIGKILL instead, just before the call; "after": when it has been done
 *   FAILIO_TORN=1           half of what was to be written or sent still is
 *   FAILIO_POWER=SEED       with FAILIO_KILL: the machine dies, not the process alone. What was written and not synced is
 *                           lost, there, or there in part, at random; what was unlinked may be back
 *   FAILIO_PATH=TEXT        counts only descriptors whose /proc/self/fd link, and paths that, contain TEXT
 *   FAILIO_SOCKETS=1        and sockets, whatever FAILIO_PATH says; recv() as well, when there was something to receive
 *   FAILIO_NAMED=1          no file without a name can be made, as on NFS
 *   FAILIO_COUNT_FILE=PATH  writes how many there were, at exit
 *
 * The power cut is powercut.h.  * stdio's own writes stay inside the C library and are not seen: use /dev/full for those. */
#define _GNU_SOURCE /* built on its own, without config.h */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include "powercut.h"

static struct {
    unsigned long at;
    int errnum;
    bool sticky, kill, after, torn, sockets, power, named;
    const char *path, *count_file;
} config;
static atomic_ulong count;

static bool is_set(const char *name)
{
    const char *value = getenv(name);
    return value != NULL && value[0] != '\0' && strcmp(value, "0") != 0;
}

__attribute__((constructor)) static void read_config(void)
{
    const char *at = getenv("FAILIO_AT"), *error = getenv("FAILIO_ERR");
    config.at = at != NULL ? strtoul(at, NULL, 10) : 0;
    config.errnum = error != NULL && strcmp(error, "ENOSPC") == 0 ? ENOSPC : EIO;
    config.sticky = is_set("FAILIO_STICKY");
    config.kill = is_set("FAILIO_KILL");
    config.after = config.kill && strcmp(getenv("FAILIO_KILL"), "after") == 0;
    config.sockets = is_set("FAILIO_SOCKETS");
    config.power = is_set("FAILIO_POWER");
    if (config.power)
        powercut_seed(strtoul(getenv("FAILIO_POWER"), NULL, 10));
    config.torn = is_set("FAILIO_TORN");
    config.named = is_set("FAILIO_NAMED");
    config.path = getenv("FAILIO_PATH");
    config.count_file = getenv("FAILIO_COUNT_FILE");
}

static bool path_counts(const char *path)
{
    return config.path == NULL || strstr(path, config.path) != NULL;
}

static bool is_socket(int fd)
{
    struct stat st;
    return fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode);
}

static bool fd_counts(int fd)
{
    char path[PATH_MAX];
    if (config.path == NULL || (config.sockets && is_socket(fd)))
        return true;
    return powercut_path(fd, path) == 0 && path_counts(path);
}

/* Is this the call that fails? */
static bool is_hit(bool counts)
{
    if (!counts)
        return false;
    unsigned long number = atomic_fetch_add(&count, 1) + 1;
    return config.at != 0 && (number == config.at || (config.sticky && number > config.at));
}

static void die(void)
{
    if (config.power)
        powercut();
    syscall(SYS_kill, getpid(), SIGKILL);
}

/* The end of a call that was hit. */
static int fail(void)
{
    if (config.kill)
        die();
    errno = config.errnum;
    return -1;
}

/* Is this the call that is the last one, when it is done? */
static bool is_last(bool hit)
{
    return hit && config.after;
}

/* Passes on the result of a call; dies first when it is the last one. */
static ssize_t done(bool last, ssize_t result)
{
    if (last)
        die();
    return result;
}

/* How much of n bytes is written before the failure. */
static size_t torn(size_t n)
{
    return config.torn ? n / 2 : 0;
}

ssize_t write(int fd, const void *p, size_t n)
{
    bool counts = fd_counts(fd), hit = is_hit(counts), last = is_last(hit);
    if (hit && !last) {
        if (torn(n) > 0)
            syscall(SYS_write, fd, p, torn(n));
        return fail();
    }
    if (counts && config.power && !is_socket(fd))
        powercut_write(fd, p, n, lseek(fd, 0, SEEK_CUR));
    return done(last, syscall(SYS_write, fd, p, n));
}

static ssize_t positioned_write(int fd, const void *p, size_t n, off_t at)
{
    bool counts = fd_counts(fd), hit = is_hit(counts), last = is_last(hit);
    if (hit && !last) {
        if (torn(n) > 0)
            syscall(SYS_pwrite64, fd, p, torn(n), at);
        return fail();
    }
    if (counts && config.power)
        powercut_write(fd, p, n, at);
    return done(last, syscall(SYS_pwrite64, fd, p, n, at));
}

ssize_t pwrite(int fd, const void *p, size_t n, off_t at)
{
    return positioned_write(fd, p, n, at);
}

ssize_t pwrite64(int fd, const void *p, size_t n, off64_t at)
{
    return positioned_write(fd, p, n, at);
}

ssize_t send(int fd, const void *p, size_t n, int flags)
{
    bool hit = is_hit(fd_counts(fd)), last = is_last(hit);
    if (!hit || last)
        return done(last, syscall(SYS_sendto, fd, p, n, flags, NULL, 0));
    if (torn(n) > 0)
        syscall(SYS_sendto, fd, p, torn(n), flags, NULL, 0);
    return fail();
}

/* Before: the answer has come and is not read. After: it is read and nothing was done with it. */
ssize_t recv(int fd, void *p, size_t n, int flags)
{
    if (!config.sockets)
        return syscall(SYS_recvfrom, fd, p, n, flags, NULL, NULL);
    ssize_t got = syscall(SYS_recvfrom, fd, p, n, flags, NULL, NULL);
    bool hit = is_hit(got > 0 && (flags & MSG_PEEK) == 0);
    return hit && !is_last(hit) ? fail() : done(is_last(hit), got);
}

static int synced(int fd, long call)
{
    bool counts = fd_counts(fd), hit = is_hit(counts), last = is_last(hit);
    if (hit && !last)
        return fail();
    int result = (int)syscall(call, fd);
    if (counts && config.power && result == 0)
        powercut_synced(fd);
    return (int)done(last, result);
}

int fsync(int fd)
{
    return synced(fd, SYS_fsync);
}

int fdatasync(int fd)
{
    return synced(fd, SYS_fdatasync);
}

static int cut(int fd, off_t n)
{
    bool counts = fd_counts(fd), hit = is_hit(counts), last = is_last(hit);
    if (hit && !last)
        return fail();
    if (counts && config.power)
        powercut_cut(fd, n);
    return (int)done(last, syscall(SYS_ftruncate, fd, n));
}

int ftruncate(int fd, off_t n)
{
    return cut(fd, n);
}

int ftruncate64(int fd, off64_t n)
{
    return cut(fd, n);
}

int open(const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    mode_t mode = va_arg(args, mode_t); /* whatever is there, where none was given: the kernel does not look at it */
    va_end(args);
    if (config.named && (flags & O_TMPFILE) == O_TMPFILE) {
        errno = EOPNOTSUPP;
        return -1;
    }
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

int rename(const char *from, const char *to)
{
    bool hit = is_hit(path_counts(from) || path_counts(to)), last = is_last(hit);
    if (hit && !last)
        return fail();
    return (int)done(last, syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0));
}

int unlink(const char *path)
{
    /* A full disk still lets go of files: only the N-th call itself fails here. */
    bool counts = path_counts(path);
    bool hit = is_hit(counts) && atomic_load(&count) == config.at, last = is_last(hit);
    if (hit && !last)
        return fail();
    if (counts && config.power)
        powercut_unlink(path);
    return (int)done(last, syscall(SYS_unlinkat, AT_FDCWD, path, 0));
}

__attribute__((destructor)) static void write_count(void)
{
    char text[32];
    if (config.count_file == NULL)
        return;
    int n = snprintf(text, sizeof text, "%lu\n", atomic_load(&count));
    int fd = open(config.count_file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd >= 0 && syscall(SYS_write, fd, text, (size_t)n) != n)
        syscall(SYS_unlinkat, AT_FDCWD, config.count_file, 0);
    if (fd >= 0)
        close(fd);
}
