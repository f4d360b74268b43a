/* LD_PRELOAD: a disk whose fsync takes SLOW_FSYNC_MS (8) longer, as an ordinary SSD without a cache does. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static int slow(const char *name, int fd)
{
    const char *text = getenv("SLOW_FSYNC_MS");
    struct timespec t = {.tv_nsec = (text != NULL ? strtol(text, NULL, 10) : 8) * 1000000};
    int (*real)(int);
    *(void **)&real = dlsym(RTLD_NEXT, name);
    nanosleep(&t, NULL);
    return real(fd);
}

int fsync(int fd)
{
    return slow("fsync", fd);
}

int fdatasync(int fd)
{
    return slow("fdatasync", fd);
}
