/* Time, injected: nothing else in the program asks the system what time it is or waits for it to pass. */
#ifndef SYNC_BASE_CLOCK_H
#define SYNC_BASE_CLOCK_H

#include "sync/base/str.h"

#include <stdint.h>

struct clock {
    int64_t (*wall_ms)(struct clock *self);           /* Unix time, milliseconds; may jump */
    int64_t (*mono_us)(struct clock *self);           /* microseconds that only grow */
    void (*sleep_us)(struct clock *self, int64_t us); /* may return early on a signal */
};

struct clock *clock_system(void); /* static, never freed */

/* A clock that stands still until it is slept on or moved; tests of back-off take no time. */
struct clock_fake {
    struct clock base;
    int64_t wall, mono;
};
void clock_fake_init(struct clock_fake *fake, int64_t wall_ms);
void clock_fake_advance_us(struct clock_fake *fake, int64_t us);

/* RFC 3339 in UTC with milliseconds: 2026-06-30T21:15:32.254Z */
enum { TIME_TEXT_N = 32 };
const char *time_format(int64_t wall_ms, char out[TIME_TEXT_N]); /* returns out */
/* Any RFC 3339 time with Z or an offset. 0/-1. */
int time_parse(struct str text, int64_t *wall_ms);
/* "7s" "10m" "5h" "30d" "250ms", or a plain number of seconds. 0/-1. */
int duration_parse(struct str text, int64_t *ms);

#endif
