/* A wait is logged when it begins, because nothing else may be printed for minutes. Back-off makes many waits of
 * one trouble, so a line follows only when the episode has become three times as long, or five minutes longer, than the
 * last line said. */
#include "config.h"

#include "sync/api/http/waits.h"

#include "sync/base/log.h"

#include <string.h>

enum {
    REPORT_MS = 2000,  /* shorter waits are not logged */
    WARN_MS = 30000,   /* an episode of that length is a warning, which -q shows */
    GAP_US = 30000000, /* a wait that begins later than this after the last one begins an episode */
    LONGER_TIMES = 3,
    LONGER_US = 300000000,
    WHY_MAX = 4096,
    UTC_TEXT_N = 16,
};

void waits_init(struct waits *w, struct clock *clock)
{
    *w = (struct waits){.clock = clock};
    for (size_t i = 0; i < API_WAITS_N; i++)
        buf_init(&w->of[i].why, WHY_MAX);
}

void waits_free(struct waits *w)
{
    for (size_t i = 0; i < API_WAITS_N; i++)
        buf_free(&w->of[i].why);
}

struct buf *waits_why(struct waits *w, enum api_wait_kind kind)
{
    buf_reset(&w->of[kind].why);
    return &w->of[kind].why;
}

/* "18:03:05 UTC", by this machine's clock. */
static const char *utc(const struct waits *w, int64_t mono_us, char out[UTC_TEXT_N])
{
    char whole[TIME_TEXT_N];
    int64_t left_ms = (mono_us - w->clock->mono_us(w->clock)) / 1000;
    time_format(w->clock->wall_ms(w->clock) + left_ms, whole);
    memcpy(out, whole + 11, 8); /* of 2026-06-30T21:15:32.254Z */
    memcpy(out + 8, " UTC", 5);
    return out;
}

static void waits_report(const struct waits *w, enum api_wait_kind kind, int64_t delay_ms, int64_t end_us,
                         enum log_level level)
{
    const struct wait *x = &w->of[kind];
    char at[UTC_TEXT_N];
    long long seconds = (long long)(delay_ms + 999) / 1000;
    if (end_us != 0)
        log_msg(level, "%.*s; trying again until %s at the latest", STR_ARG(buf_str(&x->why)), utc(w, end_us, at));
    else if (kind == API_WAIT_RATE_LIMIT)
        log_msg(level, "%.*s; waiting until %s (%lld s)", STR_ARG(buf_str(&x->why)), utc(w, x->until_us, at), seconds);
    else
        log_msg(level, "%.*s; trying again at %s (in %lld s)", STR_ARG(buf_str(&x->why)), utc(w, x->until_us, at), seconds);
}

void waits_add(struct waits *w, enum api_wait_kind kind, int64_t delay_ms, int64_t end_us)
{
    struct wait *x = &w->of[kind];
    int64_t now_us = w->clock->mono_us(w->clock), until_us = now_us + delay_ms * 1000;
    if (x->until_us == 0 || now_us > x->until_us + GAP_US) {
        x->begun_us = now_us;
        x->reported_us = 0;
        x->warned = false;
    } else if (!x->over && until_us < x->until_us) {
        return; /* another request waits for longer */
    }
    x->until_us = until_us;
    x->over = false;
    if (delay_ms < REPORT_MS)
        return;
    int64_t length_us = until_us - x->begun_us, reported_us = x->reported_us - x->begun_us;
    bool warning = length_us >= WARN_MS * INT64_C(1000);
    bool longer = length_us >= LONGER_TIMES * reported_us || length_us >= reported_us + LONGER_US;
    /* The end that a line has named does not move. */
    if (x->reported_us != 0 && !(warning && !x->warned) && (end_us != 0 || !longer))
        return;
    waits_report(w, kind, delay_ms, end_us, warning ? LOG_WARNING : LOG_NOTICE);
    x->reported_us = until_us;
    x->warned = warning;
}

void waits_over(struct waits *w, enum api_wait_kind kind)
{
    w->of[kind].over = true;
}

/* The one that lasts longest among those not over for longer than `gap_us`; API_WAITS_N: none. */
static enum api_wait_kind longest(const struct waits *w, int64_t gap_us)
{
    int64_t now_us = w->clock->mono_us(w->clock);
    enum api_wait_kind kind = API_WAITS_N;
    for (size_t i = 0; i < API_WAITS_N; i++)
        if (w->of[i].until_us != 0 && !w->of[i].over && now_us <= w->of[i].until_us + gap_us &&
            (kind == API_WAITS_N || w->of[i].until_us > w->of[kind].until_us))
            kind = (enum api_wait_kind)i;
    return kind;
}

bool waits_now(const struct waits *w, struct api_wait *out)
{
    enum api_wait_kind kind = longest(w, 0);
    if (kind == API_WAITS_N)
        return false;
    *out = (struct api_wait){.kind = kind, .left_ms = (w->of[kind].until_us - w->clock->mono_us(w->clock)) / 1000};
    return true;
}

bool waits_last_word(const struct waits *w, struct err *e)
{
    enum api_wait_kind kind = longest(w, GAP_US);
    char at[UTC_TEXT_N];
    if (kind == API_WAITS_N)
        return false;
    const struct wait *x = &w->of[kind];
    if (x->until_us > w->clock->mono_us(w->clock))
        err_set(e, XS_API,
                "%.*s; the time that --max-seconds gives is over before the next try at %s: run the same command "
                "again then, or give more time",
                STR_ARG(buf_str(&x->why)), utc(w, x->until_us, at));
    else
        err_set(e, XS_API, "%.*s for as long as --max-seconds gives: run the same command again later, or give more time",
                STR_ARG(buf_str(&x->why)));
    return true;
}
