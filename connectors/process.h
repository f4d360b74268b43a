/* A program whose output is read: started without a shell, in a clean environment and a process group of its own, so
 * that a key in ours never reaches it, and it never outlives us. */
#ifndef CONNECTORS_PROCESS_H
#define CONNECTORS_PROCESS_H

#include "sync/base/clock.h"
#include "sync/base/err.h"

#include <stdint.h>
#include <sys/types.h>

struct process {
    pid_t pid;           /* 0: none, or ended and waited for */
    int out;             /* its stdout, -1: none */
    int64_t deadline_us; /* its end is not waited for past this moment of the clock's mono; 0: none */
};

#define PROCESS_NONE \
    { \
        0, -1, 0 \
    }

/* Starts argv (NULL-terminated; argv[0] is looked for in PATH unless it has a slash). It inherits stderr, PATH, HOME,
 * LANG and PG*, and gets `env` ("NAME=VALUE", NULL-terminated, may be NULL) over these; stdin is empty, all other
 * descriptors are closed. Errors: XS_NO_SOURCE when it cannot be started. */
int process_start(struct process *p, const char *const *argv, const char *const *env, const char *label, struct err *e);

/* Waits until it has exited. Errors: XS_SOURCE when it did not exit with 0; XS_SIGINT or XS_SIGTERM when a signal came
 * while it kept running without output, XS_LEFT_OVER when the deadline did. */
int process_wait(struct process *p, struct clock *clock, const char *label, struct err *e);

/* Ends it if it still runs: its group is asked to terminate, and killed if it has not ended after two seconds. A process
 * that the kernel cannot end (it waits for a disk) is left after two more. */
void process_close(struct process *p, struct clock *clock);

/* Closes all descriptors from `first` on. Safe between fork() and exec. */
void process_close_from(int first);

#endif
