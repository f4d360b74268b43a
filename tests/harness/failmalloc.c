/* An LD_PRELOAD object that makes one allocation fail: the N-th malloc(), calloc() or realloc() of the process.
 *
 *   FAILMALLOC_AT=N            which one, from 1; 0 or unset: none
 *   FAILMALLOC_SPARE=A:B       those made by libraries whose file names contain A or B do not fail (json-c does not look
 *                              at what its own strdup() gives, libcrypto not at the result of its start)
 *   FAILMALLOC_COUNT_FILE=PATH writes how many there were, at exit
 *
 * A test counts first and then runs once for each N (tests/harness/faults.sh). Works over AddressSanitizer of gcc too,
 * with ASAN_OPTIONS=verify_asan_link_order=0. */
#define _GNU_SOURCE /* built on its own, without config.h */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct {
    void *(*malloc)(size_t n);
    void *(*calloc)(size_t count, size_t size);
    void *(*realloc)(void *p, size_t n);
    void (*free)(void *p);
} next;
static atomic_ulong count;
static unsigned long fail_at;
static const char *spare;
static _Thread_local int in_glibc; /* in a function of the C library that aborts when it gets no memory */
static atomic_int started;         /* 0 not yet · 1 looking for the real functions · 2 ready */

/* dlsym() may allocate before there is anything to allocate with; what it gets then is never freed. */
static _Alignas(16) char early[16384];
static size_t early_n;

static void *early_alloc(size_t n)
{
    n = (n + 15) / 16 * 16;
    if (n > sizeof early - early_n)
        return NULL;
    void *p = early + early_n;
    early_n += n;
    return p;
}

static int is_early(const void *p)
{
    uintptr_t at = (uintptr_t)p, first = (uintptr_t)early;
    return at >= first && at < first + sizeof early;
}

/* ISO C has no cast from an object pointer to a function pointer. */
static void resolve(void *function, const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);
    memcpy(function, &found, sizeof found);
}

static int ready(void)
{
    if (started == 2)
        return 1;
    if (started == 1)
        return 0;
    started = 1;
    resolve(&next.malloc, "malloc");
    resolve(&next.calloc, "calloc");
    resolve(&next.realloc, "realloc");
    resolve(&next.free, "free");
    started = 2;
    return 1;
}

/* Not at the first allocation: that may come before there is an environment. */
__attribute__((constructor)) static void read_config(void)
{
    const char *at = getenv("FAILMALLOC_AT");
    fail_at = at != NULL ? strtoul(at, NULL, 10) : 0;
    spare = getenv("FAILMALLOC_SPARE");
}

static int is_spared(const void *caller)
{
    Dl_info info;
    if (spare == NULL || dladdr(caller, &info) == 0 || info.dli_fname == NULL)
        return 0;
    for (const char *name = spare; *name != '\0';) {
        size_t n = strcspn(name, ":");
        if (n > 0 && memmem(info.dli_fname, strlen(info.dli_fname), name, n) != NULL)
            return 1;
        name += n + (name[n] == ':');
    }
    return 0;
}

static int fails(const void *caller)
{
    if (atomic_fetch_add(&count, 1) + 1 != fail_at || in_glibc || is_spared(caller))
        return 0;
    errno = ENOMEM;
    return 1;
}

void *malloc(size_t n)
{
    if (!ready())
        return early_alloc(n);
    return fails(__builtin_return_address(0)) ? NULL : next.malloc(n);
}

void *calloc(size_t number, size_t size)
{
    if (!ready())
        return early_alloc(number * size); /* fresh, hence clear */
    return fails(__builtin_return_address(0)) ? NULL : next.calloc(number, size);
}

void *realloc(void *p, size_t n)
{
    if (!ready() || is_early(p)) {
        /* Where the old one ends is not known; it cannot end after the pool. */
        void *bigger = ready() ? next.malloc(n) : early_alloc(n);
        size_t most = (uintptr_t)early + sizeof early - (uintptr_t)p;
        if (bigger != NULL && p != NULL)
            memcpy(bigger, p, n < most ? n : most);
        return bigger;
    }
    return fails(__builtin_return_address(0)) ? NULL : next.realloc(p, n);
}

/* The C library's version calls malloc() by itself, so the caller would be unknown. */
char *strdup(const char *text)
{
    size_t n = strlen(text) + 1;
    char *copy = !ready() ? early_alloc(n) : fails(__builtin_return_address(0)) ? NULL : next.malloc(n);
    if (copy != NULL)
        memcpy(copy, text, n);
    return copy;
}

/* glibc asserts that the table of its name services could be made (nss_database.c). */
struct passwd *getpwuid(uid_t uid)
{
    struct passwd *(*real)(uid_t uid);

    resolve(&real, "getpwuid");
    in_glibc = 1;
    struct passwd *found = real(uid);
    in_glibc = 0;
    return found;
}

void free(void *p)
{
    if (p != NULL && !is_early(p) && ready())
        next.free(p);
}

__attribute__((destructor)) static void write_count(void)
{
    char text[32];
    const char *path = getenv("FAILMALLOC_COUNT_FILE");
    if (path == NULL)
        return;
    int n = snprintf(text, sizeof text, "%lu\n", atomic_load(&count));
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    /* A missing count fails its test. */
    if (fd >= 0 && write(fd, text, (size_t)n) != n)
        unlink(path);
    if (fd >= 0)
        close(fd);
}
