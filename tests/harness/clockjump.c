/* Preloaded: the wall clock jumps while the program runs. From the CLOCKJUMP_AT-th look at it on (1), it is off by
 * CLOCKJUMP_S seconds. Clocks that cannot be set go on as they are. */
#define _GNU_SOURCE /* built on its own, without config.h */
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static atomic_ulong looks;

static long jump_s(void)
{
    const char *at = getenv("CLOCKJUMP_AT"), *s = getenv("CLOCKJUMP_S");
    unsigned long look = atomic_fetch_add(&looks, 1) + 1;
    return s != NULL && look >= (at != NULL ? strtoul(at, NULL, 10) : 1) ? strtol(s, NULL, 10) : 0;
}

int clock_gettime(clockid_t clock, struct timespec *out)
{
    int result = (int)syscall(SYS_clock_gettime, clock, out);
    if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        out->tv_sec += jump_s();
    return result;
}

int gettimeofday(struct timeval *restrict out, void *restrict zone)
{
    struct timespec now;
    (void)zone;
    if (clock_gettime(CLOCK_REALTIME, &now) != 0)
        return -1;
    *out = (struct timeval){now.tv_sec, now.tv_nsec / 1000};
    return 0;
}

time_t time(time_t *out)
{
    struct timespec now;
    if (clock_gettime(CLOCK_REALTIME, &now) != 0)
        return -1;
    if (out != NULL)
        *out = now.tv_sec;
    return now.tv_sec;
}
