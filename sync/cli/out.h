/* The output of a command: stdout or -o FILE, written in pieces from one buffer. */
#ifndef SYNC_CLI_OUT_H
#define SYNC_CLI_OUT_H

#include "sync/base/buf.h"
#include "sync/base/file.h"
#include "sync/cli/command.h"
#include "sync/report/record.h"

#include <stdbool.h>

enum { OUT_PRIVATE = 0600, OUT_PUBLIC = 0644, OUT_BUFFER_BYTES = 64 << 20, OUT_FLUSH_BYTES = 1 << 16 };

#define OUT_BYTE_ORDER_MARK "\xEF\xBB\xBF" /* makes a spreadsheet read UTF-8 */

struct out {
    struct output file;
    struct buf text;              /* what is not written yet */
    struct record_writer records; /* after out_records() */
};

/* `mode` is that of a FILE made by -o: OUT_PRIVATE when it holds lead data. */
int out_open(struct out *o, const struct invocation *inv, mode_t mode, struct err *e);
/* Writes the buffer if it is large enough, or if `all`. XS_IO */
int out_flush(struct out *o, bool all, struct err *e);
/* Writes the rest; a file appears now. */
int out_commit(struct out *o, struct err *e);
void out_abandon(struct out *o); /* safe after commit and on a zeroed struct */

/* ---- a list of records, in the format of the command ---- */

/* A writer of a text table, for record_open(). */
struct record_writer out_table(const struct common *c, struct buf *out);
/* Begins the list `o->records`, see record.h. 0/-1 (memory) */
int out_records(struct out *o, const struct common *c, const struct record_layout *layout, struct err *e);
/* Ends a record, and writes the buffer when it is worth it. */
int out_record(struct out *o, struct err *e);
/* Ends the list. */
int out_records_end(struct out *o, struct err *e);

#endif
