/* Messages to the operator: stderr lines as text or JSON, syslog on request. Never lead data unless verbose, never the
 * API key. Data for programs goes to stdout and not through here. */
#ifndef SYNC_BASE_LOG_H
#define SYNC_BASE_LOG_H

#include "sync/base/buf.h"

#include <stdbool.h>
#include <stdio.h>

enum log_level { LOG_ERROR, LOG_WARNING, LOG_NOTICE, LOG_DETAIL, LOG_DEBUG };

struct log_config {
    enum log_level level; /* messages above it are dropped; notice unless told; -q warning, -v detail, -vv debug */
    bool json;            /* {"time","level","message"} a line */
    bool colour;          /* text only */
    bool syslog;          /* also to syslog(3) */
    bool journal;         /* "<3>" priority prefixes, because stderr is the journal */
    const char *secret;   /* borrowed; every occurrence in a message is replaced by "***"; NULL: none */
    FILE *out;            /* NULL: stderr */
};

/* Copies the config. The sink is the one mutable global besides the signal flag. */
void log_configure(const struct log_config *config);
bool log_enabled(enum log_level level);
/* One message, one write. Control, escape and bidi characters are shown as \u{1b}. A newline inside starts a line that
 * is indented by two blanks (in JSON it stays "\n"). errno is kept. */
void log_msg(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
#define log_error(...) log_msg(LOG_ERROR, __VA_ARGS__)
#define log_warning(...) log_msg(LOG_WARNING, __VA_ARGS__)
#define log_notice(...) log_msg(LOG_NOTICE, __VA_ARGS__)
#define log_detail(...) log_msg(LOG_DETAIL, __VA_ARGS__)
#define log_debug(...) log_msg(LOG_DEBUG, __VA_ARGS__)

/* A step that is done twice, first as a dry run, need not log everything twice: LOG_SKIP leaves out, once each, what was
 * logged under LOG_NOTE. LOG_DROP leaves everything out. LOG_PLAIN forgets it. Errors are always said. */
enum log_repeat { LOG_PLAIN, LOG_NOTE, LOG_SKIP, LOG_DROP };
void log_repeats(enum log_repeat repeat);

/* Called with every warning, as it is logged but for escapes; NULL: none. */
void log_watch(void (*warned)(void *ctx, struct str message), void *ctx);
/* Appends a message as it would be logged: with "***" for the secret. For messages that are kept elsewhere. 0/-1 (memory) */
int log_redact(struct str message, struct buf *out);

/* stdout and stderr share a terminal: called before a log line while a progress line is shown. NULL: none. */
void log_on_write(void (*clear_line)(void *), void *ctx);

#endif
