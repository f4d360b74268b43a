/* A message is formatted whole, the secret taken out, then made safe to look at, and written by one write(2), so that
 * lines of several processes do not mix. A failure here cannot be reported. */
#include "config.h"

#include "sync/base/log.h"

#include "sync/base/buf.h"
#include "sync/base/clock.h"
#include "sync/base/jsonw.h"
#include "sync/base/log_syslog.h"
#include "sync/base/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* More than a mapping with a mistake in every line; a longer message is cut. */
enum { MESSAGE_MAX = 256 * 1024, NOTED_MAX = 1024 * 1024 };

/* What is plain information has no prefix: it is read by people, most of the time. */
static const struct level_row {
    const char *name, *prefix, *colour;
    int severity; /* of syslog and of the journal's prefixes */
} levels[] = {
    [LOG_ERROR] = {"error", "error: ", "\033[1;31m", 3},
    [LOG_WARNING] = {"warning", "warning: ", "\033[1;33m", 4},
    [LOG_NOTICE] = {"notice", "", "", 5},
    [LOG_DETAIL] = {"detail", "", "", 6},
    [LOG_DEBUG] = {"debug", "debug: ", "\033[2m", 7},
};

/* The one mutable state of the log; it belongs to the process, like stderr. */
static struct sink {
    struct log_config config;
    void (*clear_line)(void *);
    void *clear_ctx;
    enum log_repeat repeat;
    struct buf noted; /* messages, each with a NUL behind it */
    void (*warned)(void *ctx, struct str message);
    void *warned_ctx;
} sink = {.config = {.level = LOG_NOTICE}, .noted = {.max = NOTED_MAX}};

void log_configure(const struct log_config *config)
{
    sink.config = *config;
}

void log_repeats(enum log_repeat repeat)
{
    sink.repeat = repeat;
    if (repeat == LOG_PLAIN)
        buf_free(&sink.noted);
}

/* Was it said before, and is to be left out? Without memory it is said again. */
static bool is_repeat(const char *text, size_t n)
{
    struct buf *noted = &sink.noted;
    if (sink.repeat == LOG_DROP)
        return true;
    if (sink.repeat == LOG_NOTE && buf_add(noted, text, n + 1) != 0)
        return false;
    for (size_t at = 0; sink.repeat == LOG_SKIP && at < noted->n; at += strlen(noted->p + at) + 1) {
        if (strcmp(noted->p + at, text) != 0)
            continue;
        memmove(noted->p + at, noted->p + at + n + 1, noted->n - at - n - 1);
        noted->n -= n + 1;
        return true;
    }
    return false;
}

void log_watch(void (*warned)(void *ctx, struct str message), void *ctx)
{
    sink.warned = warned;
    sink.warned_ctx = ctx;
}

void log_on_write(void (*clear_line)(void *), void *ctx)
{
    sink.clear_line = clear_line;
    sink.clear_ctx = ctx;
}

bool log_enabled(enum log_level level)
{
    return level <= sink.config.level;
}

/* To the descriptor, past stdio: a buffered line could be lost in a crash or torn by a neighbour's. */
static void write_all(const char *p, size_t n)
{
    FILE *out = sink.config.out != NULL ? sink.config.out : stderr;
    if (sink.clear_line != NULL)
        sink.clear_line(sink.clear_ctx);
    fflush(out);
    while (n > 0) {
        ssize_t written = write(fileno(out), p, n);
        if (written < 0 && errno == EINTR)
            continue;
        /* A closed terminal or a full disk under a log file: the run goes on, its report has the numbers. */
        if (written < 0)
            return;
        p += written;
        n -= (size_t)written;
    }
}

enum { SECRET_MIN = 4 };

/* Copies the message without the secret. Done before anything is cut or escaped: a part of it must not get out. */
int log_redact(struct str message, struct buf *out)
{
    struct str secret = str_from(sink.config.secret);
    /* No key is that short; taking out single letters would only garble the message. */
    while (secret.n >= SECRET_MIN && message.n > 0) {
        const char *hit = memmem(message.p, message.n, secret.p, secret.n);
        if (hit == NULL)
            break;
        if (buf_add(out, message.p, (size_t)(hit - message.p)) != 0 || buf_adds(out, "***") != 0)
            return -1;
        message.n -= (size_t)(hit - message.p) + secret.n;
        message.p = hit + secret.n;
    }
    return buf_add(out, message.p, message.n);
}

/* A message may have lines (a mapping's mistakes, each with its caret). The ones after the first are indented, so that
 * a newline in foreign data cannot pass for a message of its own. */
static int show_lines(struct str message, const char *between, struct buf *out)
{
    for (;;) {
        const char *newline = message.n > 0 ? memchr(message.p, '\n', message.n) : NULL;
        struct str line = {message.p, newline != NULL ? (size_t)(newline - message.p) : message.n};
        if (text_show(line, 0, out) != 0)
            return -1;
        if (newline == NULL)
            return 0;
        message.p = newline + 1;
        message.n -= line.n + 1;
        if (message.n > 0 && buf_adds(out, between) != 0)
            return -1;
    }
}

/* "<3>": journald reads a line's priority from it, and takes it off. */
static int add_journal_prefix(const struct level_row *level, struct buf *out)
{
    return sink.config.journal ? buf_addf(out, "<%d>", level->severity) : 0;
}

/* A line for people, each of its lines with the prefix that the journal wants. */
static int make_text(const struct level_row *level, struct str message, struct buf *out)
{
    bool colour = sink.config.colour && level->colour[0] != '\0';
    struct buf between = BUF_INIT(64);
    int result = -1;
    if (buf_addc(&between, '\n') == 0 && add_journal_prefix(level, &between) == 0 && buf_adds(&between, "  ") == 0 &&
        buf_cstr(&between) != NULL && add_journal_prefix(level, out) == 0 &&
        (!colour || buf_adds(out, level->colour) == 0) && buf_adds(out, level->prefix) == 0 &&
        (!colour || buf_adds(out, "\033[0m") == 0) && show_lines(message, between.p, out) == 0 && buf_addc(out, '\n') == 0)
        result = 0;
    buf_free(&between);
    return result;
}

/* A line for programs. Colour means nothing there, the rest of the safety does. */
static int make_json(const struct level_row *level, struct str message, struct buf *out)
{
    char time_text[TIME_TEXT_N];
    struct clock *clock = clock_system();
    struct buf shown = BUF_INIT(out->max);
    struct jsonw w;
    int result = -1;
    if (show_lines(message, "\n", &shown) != 0 || add_journal_prefix(level, out) != 0)
        goto out;
    jsonw_init_output(&w, out);
    jsonw_object(&w);
    jsonw_member_text(&w, "time", time_format(clock->wall_ms(clock), time_text));
    jsonw_member_text(&w, "level", level->name);
    jsonw_member_str(&w, "message", buf_str(&shown));
    jsonw_object_end(&w);
    if (jsonw_end(&w) == 0)
        result = buf_addc(out, '\n');
out:
    buf_free(&shown);
    return result;
}

/* syslogd mangles newlines in its own way: one line there is one line. */
static int send_syslog(const struct level_row *level, struct str message)
{
    struct buf line = BUF_INIT(16 * MESSAGE_MAX);
    int result = -1;
    if (show_lines(message, " ", &line) == 0 && buf_cstr(&line) != NULL) {
        log_syslog(level->severity, line.p);
        result = 0;
    }
    buf_free(&line);
    return result;
}

/* Everything between the formatted text and the line on its way; -1 when memory was short. */
static int emit(const struct level_row *level, struct str formatted)
{
    /* Escaping makes of one byte at most eight, JSON of each of these at most two. */
    struct buf message = BUF_INIT(SIZE_MAX), line = BUF_INIT(20 * MESSAGE_MAX);
    int result = -1;
    if (log_redact(formatted, &message) != 0)
        goto out;
    if (message.n > MESSAGE_MAX)
        message.n = MESSAGE_MAX;
    if (level == &levels[LOG_WARNING] && sink.warned != NULL)
        sink.warned(sink.warned_ctx, buf_str(&message));
    if ((sink.config.json ? make_json : make_text)(level, buf_str(&message), &line) != 0)
        goto out;
    write_all(line.p, line.n);
    if (sink.config.syslog && send_syslog(level, buf_str(&message)) != 0)
        goto out;
    result = 0;
out:
    buf_free(&message);
    buf_free(&line);
    return result;
}

void log_msg(enum log_level level, const char *fmt, ...)
{
    static const char lost[] = "error: out of memory: a message was lost\n";
    if (!log_enabled(level))
        return;
    /* Messages name what has just failed: errno must survive them. */
    int errnum = errno;
    char *text = NULL;
    va_list ap;
    va_start(ap, fmt);
    int n = vasprintf(&text, fmt, ap);
    va_end(ap);
    if (n >= 0 && level != LOG_ERROR && is_repeat(text, (size_t)n))
        ;
    else if (n < 0 || emit(&levels[level], (struct str){text, (size_t)n}) != 0)
        write_all(lost, sizeof lost - 1);
    if (n >= 0)
        free(text);
    errno = errnum;
}
