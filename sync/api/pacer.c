/* A bucket alone lets one request too many into some second: with a burst of b, b more than the rate; without one, the
 * two at both ends. The ring of departures answers the only question that matters, when was the N-th last one, in one
 * look, for the second and for the minute. */
#include "config.h"

#include "sync/api/pacer.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { SECOND_US = 1000000, MINUTE_US = 60000000 };

int pacer_init(struct pacer *p, unsigned per_second, unsigned per_minute)
{
    memset(p, 0, sizeof *p);
    if (per_second > PACER_LIMIT_MAX || per_minute > PACER_LIMIT_MAX) {
        errno = EINVAL;
        return -1;
    }
    p->per_second = per_second;
    p->per_minute = per_minute;
    p->log_cap = per_second > per_minute ? per_second : per_minute;
    if (p->log_cap == 0)
        return 0;
    p->log = calloc(p->log_cap, sizeof *p->log);
    if (p->log == NULL)
        return -1;

    /* Spread by the tighter unit that is given. The burst, a fifth of a second's worth, makes up for a loop that was
     * busy elsewhere and for the slack; the log keeps it from ever breaking the limit. */
    int64_t unit_us = per_second != 0 ? SECOND_US : MINUTE_US;
    int64_t limit = per_second != 0 ? per_second : per_minute;
    p->interval_ns = unit_us * 1000 / limit;
    int64_t burst = SECOND_US * limit / unit_us / 5;
    p->burst_ns = (burst > 1 ? burst - 1 : 0) * p->interval_ns;
    p->due_ns = INT64_MIN / 2;
    return 0;
}

void pacer_free(struct pacer *p)
{
    free(p->log);
    memset(p, 0, sizeof *p);
}

/* When the limit of `limit` per `window_us` lets the next one go: as soon as the departure that would be the
 * (limit + 1)-th with it has left the window. Pending ones are departures of this moment. */
static int64_t log_wait_us(const struct pacer *p, unsigned limit, int64_t window_us, int64_t now_us)
{
    if (limit == 0)
        return 0;
    if (p->pending >= limit)
        return PACER_BLOCKED;
    size_t back = limit - p->pending;
    if (p->log_n < back)
        return 0;
    /* The ring is as long as the larger limit, so what is looked up is always still there. */
    int64_t free_us = p->log[(p->log_n - back) % p->log_cap] + window_us + PACER_SLACK_US;
    return free_us > now_us ? free_us - now_us : 0;
}

int64_t pacer_wait_us(const struct pacer *p, int64_t now_us)
{
    if (p->log == NULL)
        return 0;
    int64_t wait_ns = p->due_ns - p->burst_ns - now_us * 1000;
    int64_t wait_us = wait_ns > 0 ? (wait_ns + 999) / 1000 : 0;
    int64_t second_us = log_wait_us(p, p->per_second, SECOND_US, now_us);
    int64_t minute_us = log_wait_us(p, p->per_minute, MINUTE_US, now_us);
    if (second_us > wait_us)
        wait_us = second_us;
    return minute_us > wait_us ? minute_us : wait_us;
}

void pacer_take(struct pacer *p, int64_t now_us)
{
    p->pending++;
    int64_t now_ns = now_us * 1000;
    p->due_ns = (p->due_ns > now_ns ? p->due_ns : now_ns) + p->interval_ns;
}

void pacer_left_again(struct pacer *p, int64_t now_us)
{
    if (p->log == NULL)
        return;
    p->log[p->log_n % p->log_cap] = now_us;
    p->log_n++;
}

void pacer_left(struct pacer *p, int64_t now_us)
{
    pacer_drop(p);
    pacer_left_again(p, now_us);
}

void pacer_drop(struct pacer *p)
{
    if (p->pending > 0)
        p->pending--;
}

double pacer_used(const struct pacer *p, int64_t now_us)
{
    if (p->log == NULL)
        return 0;
    size_t kept = p->log_n < p->log_cap ? p->log_n : p->log_cap, n = 0;
    while (n < kept && now_us - p->log[(p->log_n - 1 - n) % p->log_cap] < SECOND_US)
        n++;
    double used = (double)n * (double)p->interval_ns / 1e9;
    return used < 1 ? used : 1;
}
