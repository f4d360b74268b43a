#include "config.h"

#include "sync/cmd/progress.h"

#include "sync/base/log.h"
#include "sync/base/text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Where stderr is no terminal, `--progress always` writes whole lines, and not ten a second. */
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
        .on = c->progress == PROGRESS_ALWAYS ||
              (c->progress == PROGRESS_AUTO && c->terminal_err && !c->quiet && c->log_format == 0),
        .terminal = c->terminal_err,
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
        buf_addf(line, ", %" PRId64 ":%02" PRId64 ":%02" PRId64 " left", seconds / 3600, seconds / 60 % 60,
                 seconds % 60);
    else
        buf_addf(line, ", %02" PRId64 ":%02" PRId64 " left", seconds / 60, seconds % 60);
}

static void add_line(struct buf *line, const struct run_progress *now, int64_t elapsed_us)
{
    if (now->rows == 0 && now->open_batches > 0) {
        buf_addf(line, "settling %" PRIu64 " batch%s of earlier runs", now->open_batches,
                 now->open_batches == 1 ? "" : "es");
    } else if (now->held) {
        buf_addf(line, "%" PRIu64 " row%s read, held until the guards have spoken", now->rows, text_plural(now->rows));
    } else {
        buf_addf(line, "%" PRIu64 " of %" PRIu64 " row%s", now->done, now->rows, text_plural(now->rows));
        if (now->done_share >= 0)
            buf_addf(line, " (%d %%)", (int)(now->done_share * 100.0)); /* 100 is when it is over */
        buf_addf(line, ", %" PRIu64 " created, %.0f leads/s", now->created, now->leads_per_second);
        if (now->limit_share >= 0)
            buf_addf(line, ", %.0f %% of the request limit", now->limit_share * 100.0);
        if (now->done_share > 0.01 && now->done_share < 1)
            add_time_left(line, elapsed_us, now->done_share);
    }
    if (now->open_jobs > 0)
        buf_addf(line, ", waiting for %" PRIu64 " background job%s", now->open_jobs, now->open_jobs == 1 ? "" : "s");
}

void progress_show(struct progress *p, const struct run_progress *now)
{
    enum { LINE_MAX_BYTES = 256 };
    if (!p->on)
        return;
    int64_t at = p->clock->mono_us(p->clock);
    if (!p->terminal && at - p->printed_us < LINE_EVERY_US)
        return;
    /* A line that did not fit its buffer loses its end, which is the least of its news. */
    struct buf line = BUF_INIT(LINE_MAX_BYTES);
    add_line(&line, now, at - p->started_us);
    fprintf(stderr, p->terminal ? "\r%.*s\033[K" : "%.*s\n", STR_ARG(buf_str(&line)));
    fflush(stderr);
    buf_free(&line);
    p->shown = p->terminal;
    p->printed_us = at;
}

/* Names in the question come from Instantly: each line is made harmless before a terminal sees it. */
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
