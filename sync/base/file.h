/* Files: read whole under a limit, write beside and rename, folders for state. */
#ifndef SYNC_BASE_FILE_H
#define SYNC_BASE_FILE_H

#include "sync/base/buf.h"
#include "sync/base/err.h"

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

/* Reads a regular file into `out` (its maximum is the limit). `missing` is the status for a file that is missing or
 * cannot be read, `bad` for one that is not a regular file or too large. */
int file_read(const char *path, struct buf *out, enum exit_status missing, enum exit_status bad, struct err *e);
/* The same. *ours: this user or root owns the very file that was read and the folder it is in, and no other user can write
 * to either; other users may write to a folder that is sticky. */
int file_read_ours(const char *path, struct buf *out, bool *ours, enum exit_status missing, enum exit_status bad,
                   struct err *e);

/* An output that appears whole or not at all: written to a temporary file in the same folder, fsynced and renamed by
 * output_commit(). path NULL or "-" is stdout, where commit only flushes. A path that names a device or a pipe is
 * written straight. */
struct output {
    FILE *f;
    char *path, *tmp; /* owned; NULL for stdout */
};
int output_open(struct output *o, const char *path, mode_t mode, struct err *e);
int output_commit(struct output *o, struct err *e); /* XS_IO when anything could not be written; closes */
void output_abandon(struct output *o);              /* removes the temporary file; safe after commit */

/* A new file of these bytes, 0600, that appears at `path` whole, on disk, or not at all, and never in place of another.
 * 0; 1 when there is one already, which stays as it is; -1: XS_STATE when it cannot be made, XS_IO when it cannot be
 * written. A death on the way leaves nothing behind, but for file systems that can make no file without a name. */
int file_publish(const char *path, const void *bytes, size_t n, struct err *e);

/* mkdir -p with 0700 for the folders it makes. */
int folder_make(const char *path, struct err *e);
/* fsync of the folder that holds `path`, after a rename or creation. */
int folder_sync(const char *path, struct err *e);
/* "a/b" from folder and name; an absolute name is returned alone. Caller frees; NULL when out of memory. */
char *path_join(const char *folder, const char *name);
/* An unlinked 0600 temporary file under $TMPDIR or /tmp. fd or -1. */
int file_unlinked_tmp(struct err *e);

#endif
