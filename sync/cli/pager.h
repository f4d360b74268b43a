/* Long text on a terminal, page by page: a stream into $PAGER.
 *
 * The pager starts with the first byte. It is a convenience: if it cannot start, the text goes to the terminal, and if it ends early,
 * as after `q`, the rest of the text is dropped. Neither is an error. */
#ifndef SYNC_CLI_PAGER_H
#define SYNC_CLI_PAGER_H

#include "sync/cli/common.h"

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

struct pager {
    FILE *f; /* NULL: no pager is wanted */
    const char *command;
    int fd; /* -1: not started */
    pid_t pid;
    bool gone;                   /* it ended early */
    struct sigaction *interrupt; /* owned: how SIGINT was handled before */
};

/* Opens p->f if stdout is a terminal that can move its cursor and $PAGER (less) is not empty or "cat". 0/-1 (memory) */
int pager_open(struct pager *p, const struct common *c);
/* Flushes p->f and waits until the user leaves the pager. Safe if no pager was opened. */
void pager_close(struct pager *p);

#endif
