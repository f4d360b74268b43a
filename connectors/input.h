/* Bytes from a file, a pipe or a terminal.
 *
 * Knows nothing of what they mean. Blocks until bytes are there, but never past a signal: a read of a pipe ends when a
 * stop was asked for (sync/base/stop.h). */
#ifndef CONNECTORS_INPUT_H
#define CONNECTORS_INPUT_H

#include "sync/base/err.h"
#include "sync/base/hash.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct input {
    int fd;                /* borrowed: the opener closes it */
    const char *label;     /* for messages; borrowed */
    size_t chunk_max;      /* maximum of bytes per read; 0: as many as fit. Tests make it tiny */
    bool may_block;        /* a pipe, a socket or a terminal */
    int64_t deadline_us;   /* of the system's mono: no wait after it; 0: none. Set by the caller */
    uint64_t bytes;        /* handed out so far */
    bool ended;            /* the end was met */
    struct sha256 *digest; /* of the bytes that were handed out, if the opener began one; the opener ends it */
};

/* Looks at the descriptor. Errors: XS_NO_SOURCE when it is closed or a directory. */
int input_init(struct input *in, int fd, const char *label, struct err *e);

/* 1 with *got > 0 bytes at `p`, 0 at the end, -1. Errors: XS_NO_SOURCE (the read failed), XS_IO (the disk did),
 * XS_SIGINT or XS_SIGTERM (a signal asked to stop while nothing came), XS_LEFT_OVER (so did the deadline). */
int input_read(struct input *in, void *p, size_t room, size_t *got, struct err *e);

#endif
