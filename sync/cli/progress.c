#include "config.h"

#include "sync/cli/progress.h"

#include "sync/base/log.h"
#include "sync/base/text.h"
#include "sync/model/entry.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* If stderr is not a terminal, `--progress always` writes whole lines, and fewer of them. */
enum { SHOWN_WAIT_MS = 1000 };
static const int64_t LINE_EVERY_US = INT64_C(5) * 1000 * 1000;

static void clear_line(void *ctx)
{
    struct progress *p = ctx;
    if (p->shown)
        fputs("\r\033[K", stderr);
    p->shown = false;
}

void progress_start(struct progress *p, const struct common *c)
{
    *p = (struct progress){
        .on = c->run.progress == PROGRESS_ALWAYS ||
              (c->run.progress == PROGRESS_AUTO && c->terminal.err && !c->quiet && c->log_format == 0),
        .terminal = c->terminal.err,
        .clock = c->clock,
    };
    p->started_us = p->clock->mono_us(p->clock);
    p->printed_us = p->started_us - LINE_EVERY_US;
    if (p->on && p->terminal)
        log_on_write(clear_line, p);
}

void progress_stop(struct progress *p)
{
    clear_line(p);
    if (p->on && p->terminal)
        log_on_write(NULL, NULL);
    p->on = false;
}

/* "1:02:03" or "02:03". */
static void add_time_left(struct buf *line, int64_t elapsed_us, double done)
{
    double left = (double)elapsed_us / 1e6 * (1.0 - done) / done;
    if (left > 359999.0)
        return;
    int64_t seconds = (int64_t)(left + 0.5);
    if (seconds >= 3600)
        buf_addf(line, ", %" PRId64 ":%02" PRId64 ":%02" PRId64 " left", seconds / 3600, seconds / 60 % 60, seconds % 60);
    else
        buf_addf(line, ", %02" PRId64 ":%02" PRId64 " left", seconds / 60, seconds % 60);
}

/* "updating", or "creating and moving". */
static bool line_doing(struct buf *line, unsigned ops)
{
    static const char *const words[OP_N] =
        {[OP_CREATE] = "creating", [OP_UPDATE] = "updating", [OP_MOVE] = "moving", [OP_REMOVE] = "removing"};
    bool any = false;
    for (int op = 0; op < OP_N; op++) {
        if ((ops & 1U << op) == 0 || words[op] == NULL)
            continue;
        buf_addf(line, "%s%s", any ? " and " : "", words[op]);
        any = true;
    }
    return any;
}

static void line_counts(struct buf *line, const struct run_progress *now)
{
    const struct {
        uint64_t n;
        const char *word;
    } counts[] = {{now->created, "created"}, {now->updated, "updated"}, {now->moved, "moved"}, {now->removed, "removed"}};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
        if (counts[i].n > 0)
            buf_addf(line, ", %" PRIu64 " %s", counts[i].n, counts[i].word);
}

static void line_rows(struct buf *line, const struct run_progress *now, int64_t elapsed_us)
{
    if (line_doing(line, now->ops) || (now->reads && buf_adds(line, "reading") == 0))
        buf_adds(line, ": ");
    if (!now->dry)
        buf_addf(line, "%" PRIu64 " of ", now->done);
    buf_addf(line, "%" PRIu64 " row%s", now->rows, text_plural(now->rows));
    if (now->done_share >= 0)
        buf_addf(line, " (%d %%)", (int)(now->done_share * 100.0)); /* 100 is when it is over */
    line_counts(line, now);
    buf_addf(line, ", %.0f rows/s", now->leads_per_second);
    if (now->done_share > 0.01 && now->done_share < 1)
        add_time_left(line, elapsed_us, now->done_share);
    if (now->limit_share >= 0)
        buf_addf(line, ", %.0f %% of the request limit", now->limit_share * 100.0);
}

static void line_wait(struct buf *line, const struct api_wait *wait)
{
    static const char *const words[API_WAITS_N] = {
        [API_WAIT_RATE_LIMIT] = "the API's rate limit (429)",
        [API_WAIT_LOCK] = "leads that are being moved (409)",
        [API_WAIT_SERVER] = "the API, which fails",
        [API_WAIT_CONNECTION] = "a connection to the API",
    };
    buf_addf(line, ", waiting for %s, next try in %" PRId64 " s", words[wait->kind], (wait->left_ms + 999) / 1000);
}

/* The number of leads to come is guessed from those that the state knows. */
static void line_targets(struct buf *line, const struct run_progress *now, int64_t elapsed_us)
{
    double seconds = (double)elapsed_us / 1e6;
    double share = now->leads_guessed > 0 ? (double)now->leads / (double)now->leads_guessed : -1;
    buf_addf(line, "reading the targets: %" PRIu64 " lead%s", now->leads, text_plural(now->leads));
    if (seconds > 0)
        buf_addf(line, ", %.0f leads/s", (double)now->leads / seconds);
    if (share > 0.01 && share < 1)
        add_time_left(line, elapsed_us, share);
}

void progress_line(const struct run_progress *now, int64_t elapsed_us, struct buf *line)
{
    if (now->reads_targets)
        line_targets(line, now, elapsed_us);
    else if (now->rows == 0 && now->open_batches > 0)
        buf_addf(line, "settling %" PRIu64 " batch%s of earlier runs", now->open_batches,
                 now->open_batches == 1 ? "" : "es");
    else if (now->held)
        buf_addf(line, "%" PRIu64 " row%s read; checking the limits (guards) before anything is written", now->rows,
                 text_plural(now->rows));
    else
        line_rows(line, now, elapsed_us);
    if (now->open_jobs > 0)
        buf_addf(line, ", waiting for %" PRIu64 " background job%s", now->open_jobs, now->open_jobs == 1 ? "" : "s");
    if (now->waits && now->wait.left_ms >= SHOWN_WAIT_MS)
        line_wait(line, &now->wait);
}

/* A line that wraps cannot be cleared, so it is cut. */
static size_t width_of(const struct progress *p)
{
    struct winsize size;
    if (!p->terminal || ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col < 2)
        return SIZE_MAX;
    return size.ws_col - 1U;
}

void progress_show(struct progress *p, const struct run_progress *now)
{
    enum { LINE_MAX_BYTES = 256 };
    if (!p->on)
        return;
    int64_t at = p->clock->mono_us(p->clock);
    if (!p->terminal && at - p->printed_us < LINE_EVERY_US)
        return;
    /* If the buffer is full, the end of the line is missing, which matters least. */
    struct buf line = BUF_INIT(LINE_MAX_BYTES);
    progress_line(now, at - p->started_us, &line);
    size_t width = width_of(p);
    line.n = line.n < width ? line.n : width;
    fprintf(stderr, p->terminal ? "\r%.*s\033[K" : "%.*s\n", STR_ARG(buf_str(&line)));
    fflush(stderr);
    buf_free(&line);
    p->shown = p->terminal;
    p->printed_us = at;
}

/* Names in the question come from Instantly, so each line is escaped for the terminal. */
static void show_question(const char *text)
{
    enum { QUESTION_MAX_BYTES = 1 << 16 };
    struct buf line = BUF_INIT(QUESTION_MAX_BYTES);
    while (*text != '\0') {
        size_t n = strcspn(text, "\n");
        if (text_show((struct str){text, n}, 0, &line) == 0)
            fprintf(stderr, "%.*s\n", STR_ARG(buf_str(&line)));
        buf_reset(&line);
        text += n + (text[n] == '\n');
    }
    buf_free(&line);
}

int consent_ask(const char *text)
{
    char *line = NULL;
    size_t size = 0;
    show_question(text);
    fputs("Go on? [y/N] ", stderr);
    fflush(stderr);
    ssize_t n = getline(&line, &size, stdin);
    while (n > 0 && (line[n - 1] == '\n' || line[n - 1] == '\r'))
        line[--n] = '\0';
    int yes = n > 0 && (strcasecmp(line, "y") == 0 || strcasecmp(line, "yes") == 0);
    free(line);
    return yes;
}
