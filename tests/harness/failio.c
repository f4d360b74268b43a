/* An LD_PRELOAD object that makes one output call fail, or kills the process before it: the N-th write(), pwrite(),
 * fsync(), fdatasync(), ftruncate(), rename(), unlink() or send() of the process.
 *
 *   FAILIO_AT=N             which one, from 1; 0 or unset: none
 *   FAILIO_ERR=ENOSPC|EIO   what it fails with (EIO)
 *   FAILIO_STICKY=1         so do all after it, but for unlink(): a disk that stays full
 *   FAILIO_KILL=1           SIGKILL instead: a power cut just before the call
 *   FAILIO_TORN=1           half of what was to be written or sent still is
 *   FAILIO_PATH=TEXT        counts only descriptors whose /proc/self/fd link, and paths that, contain TEXT
 *   FAILIO_COUNT_FILE=PATH  writes how many there were, at exit
 *
 * stdio's own writes stay inside the C library and are not seen: use /dev/full for those. */
#define _GNU_SOURCE /* built on its own, without config.h */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

static struct {
    unsigned long at;
    int errnum;
    bool sticky, kill, torn;
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
    config.torn = is_set("FAILIO_TORN");
    config.path = getenv("FAILIO_PATH");
    config.count_file = getenv("FAILIO_COUNT_FILE");
}

static bool path_counts(const char *path)
{
    return config.path == NULL || strstr(path, config.path) != NULL;
}

static bool fd_counts(int fd)
{
    char link[64], path[PATH_MAX];
    if (config.path == NULL)
        return true;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path - 1);
    if (n < 0)
        return false;
    path[n] = '\0';
    return path_counts(path);
}

/* Is this the call that fails? */
static bool is_hit(bool counts)
{
    if (!counts)
        return false;
    unsigned long number = atomic_fetch_add(&count, 1) + 1;
    return config.at != 0 && (number == config.at || (config.sticky && number > config.at));
}

/* The end of a call that was hit. */
static int fail(void)
{
    if (config.kill)
        syscall(SYS_kill, getpid(), SIGKILL);
    errno = config.errnum;
    return -1;
}

/* How much of n bytes is written before the failure. */
static size_t torn(size_t n)
{
    return config.torn ? n / 2 : 0;
}

ssize_t write(int fd, const void *p, size_t n)
{
    if (!is_hit(fd_counts(fd)))
        return syscall(SYS_write, fd, p, n);
    if (torn(n) > 0)
        syscall(SYS_write, fd, p, torn(n));
    return fail();
}

static ssize_t positioned_write(int fd, const void *p, size_t n, off_t at)
{
    if (!is_hit(fd_counts(fd)))
        return syscall(SYS_pwrite64, fd, p, n, at);
    if (torn(n) > 0)
        syscall(SYS_pwrite64, fd, p, torn(n), at);
    return fail();
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
    if (!is_hit(fd_counts(fd)))
        return syscall(SYS_sendto, fd, p, n, flags, NULL, 0);
    if (torn(n) > 0)
        syscall(SYS_sendto, fd, p, torn(n), flags, NULL, 0);
    return fail();
}

int fsync(int fd)
{
    return is_hit(fd_counts(fd)) ? fail() : (int)syscall(SYS_fsync, fd);
}

int fdatasync(int fd)
{
    return is_hit(fd_counts(fd)) ? fail() : (int)syscall(SYS_fdatasync, fd);
}

int ftruncate(int fd, off_t n)
{
    return is_hit(fd_counts(fd)) ? fail() : (int)syscall(SYS_ftruncate, fd, n);
}

int ftruncate64(int fd, off64_t n)
{
    return is_hit(fd_counts(fd)) ? fail() : (int)syscall(SYS_ftruncate, fd, n);
}

int rename(const char *from, const char *to)
{
    if (is_hit(path_counts(from) || path_counts(to)))
        return fail();
    return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

int unlink(const char *path)
{
    /* A full disk still lets go of files: only the N-th call itself fails here. */
    bool counts = path_counts(path);
    bool hit = is_hit(counts) && atomic_load(&count) == config.at;
    return hit ? fail() : (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
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
