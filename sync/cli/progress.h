/* The progress line of a run, and the question before it. */
#ifndef SYNC_CLI_PROGRESS_H
#define SYNC_CLI_PROGRESS_H

#include "sync/cli/common.h"
#include "sync/pipeline/run.h"

struct progress {
    bool on, terminal;
    bool shown; /* the line is on the terminal, and must be cleared before other output */
    struct clock *clock;
    int64_t started_us, printed_us;
};

/* Decides by --progress, -q and the terminal whether there is a line, and makes log lines clear it first. */
void progress_start(struct progress *p, const struct common *c);
/* Appends the line's text. */
void progress_line(const struct run_progress *now, int64_t elapsed_us, struct buf *line);
void progress_show(struct progress *p, const struct run_progress *now);
void progress_stop(struct progress *p); /* clears the line; the log forgets it */

/* Shows `text` on stderr and reads a line from stdin: 1 for yes, 0 for anything else. */
int consent_ask(const char *text);

#endif
