/* The one flag that a signal handler sets. Handlers are installed without SA_RESTART, so that a blocking call ends with
 * EINTR and its caller gets to look at the flag. */
#include "config.h"

#include "sync/base/stop.h"

#include <signal.h>
#include <stddef.h>
#include <unistd.h>

/* The handler writes it and all code reads it: hence volatile, and of the only allowed type. */
static volatile sig_atomic_t first_signal;

static void on_signal(int signo)
{
    /* A second signal: the user does not want to wait for requests in flight. Only _exit() is safe here. */
    if (first_signal != 0)
        _exit(128 + signo);
    first_signal = signo;
}

void stop_install(void)
{
    struct sigaction stop = {.sa_handler = on_signal}, ignore = {.sa_handler = SIG_IGN};
    sigemptyset(&stop.sa_mask);
    sigaddset(&stop.sa_mask, SIGINT);
    sigaddset(&stop.sa_mask, SIGTERM);
    sigemptyset(&ignore.sa_mask);
    sigaction(SIGINT, &stop, NULL);
    sigaction(SIGTERM, &stop, NULL);
    /* A reader that went away, or a file that is as large as it may be (ulimit -f), is an error of the write, reported
     * like any other. */
    sigaction(SIGPIPE, &ignore, NULL);
    sigaction(SIGXFSZ, &ignore, NULL);
}

/* Cheap enough to be asked in every turn of every loop. */
int stop_requested(void)
{
    return (int)first_signal;
}

void stop_set(int signo)
{
    first_signal = signo;
}
