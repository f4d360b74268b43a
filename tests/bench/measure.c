/* What a whole process costs, start to end.
 *
 * usage: measure FILE COMMAND [ARGUMENT...]
 *
 * Runs COMMAND and writes one line to FILE: wall seconds, user seconds, system seconds, peak RSS in KiB, exit status.
 * Exits with COMMAND's status (128 + the signal that ended it). */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double seconds(struct timeval t)
{
    return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int fail(const char *what)
{
    fprintf(stderr, "measure: %s: %s\n", what, strerror(errno));
    return 74;
}

int main(int argc, char **argv)
{
    struct rusage used;
    int status;
    if (argc < 3) {
        fputs("usage: measure FILE COMMAND [ARGUMENT...]\n", stderr);
        return 64;
    }
    double start = now();
    /* vfork, since a forked child's peak would start at this process's own. */
    pid_t pid = vfork();
    if (pid == 0) {
        execvp(argv[2], argv + 2);
        _exit(127);
    }
    if (pid < 0)
        return fail("vfork");
    while (wait4(pid, &status, 0, &used) < 0)
        if (errno != EINTR)
            return fail("wait4");
    double wall = now() - start;
    int code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    FILE *out = fopen(argv[1], "w");
    if (out == NULL)
        return fail(argv[1]);
    fprintf(out, "%.4f %.4f %.4f %ld %d\n", wall, seconds(used.ru_utime), seconds(used.ru_stime), used.ru_maxrss, code);
    if (fclose(out) != 0)
        return fail(argv[1]);
    return code;
}
