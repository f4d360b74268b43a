/* A bucket alone lets one request too many into some second: with a burst of b, b more than the rate; without one, the
 * two at both ends. The ring of departures answers the only question that matters, when was the N-th last one, in one
 * look, for the second and for the minute. */
#include "config.h"

#include "sync/api/http/pacer.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { SECOND_US = 1000000, MINUTE_US = 60000000, USED_MIN_US = 200000 };

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

    /* Spread by the tighter unit that is given. The burst, a twentieth of a second's worth, makes up for a loop that was
     * busy elsewhere and for the slack; the log keeps it from ever breaking the limit. */
    int64_t unit_us = per_second != 0 ? SECOND_US : MINUTE_US;
    int64_t limit = per_second != 0 ? per_second : per_minute;
    p->interval_ns = unit_us * 1000 / limit;
    int64_t burst = SECOND_US * limit / unit_us / 20;
    p->burst_ns = (burst > 1 ? burst - 1 : 0) * p->interval_ns;
    p->due_ns = INT64_MIN / 2;
    p->trust = 1;
    return 0;
}

void pacer_free(struct pacer *p)
{
    free(p->log);
    memset(p, 0, sizeof *p);
}

/* The ring is as long as the larger limit, so it always has the departure that is looked up. */
static struct pacer_departure *departure(const struct pacer *p, size_t nth)
{
    return &p->log[nth % p->log_cap];
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
    size_t nth = p->log_n - back;
    int64_t slack_us = nth < PACER_NEW_N && nth < limit ? PACER_NEW_SLACK_US : PACER_SLACK_US;
    int64_t free_us = departure(p, nth)->at_us + window_us + slack_us;
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

/* What leaves now has waited for the `limit`-th last one, and for its lateness. Steers what that costs on average. */
static void adjust_trust(struct pacer *p, unsigned limit)
{
    static const double step = 0.001;
    if (limit == 0 || p->log_n < limit)
        return;
    const struct pacer_departure *d = departure(p, p->log_n - limit);
    p->trust += step * (1 - (double)(d->at_us - d->left_us) / PACER_BUDGET_US);
    p->trust = p->trust > 1 ? 1 : p->trust < 0 ? 0 : p->trust;
}

void pacer_take(struct pacer *p, int64_t now_us)
{
    adjust_trust(p, p->per_second);
    p->pending++;
    int64_t now_ns = now_us * 1000;
    p->due_ns = (p->due_ns > now_ns ? p->due_ns : now_ns) + p->interval_ns;
}

void pacer_left_again(struct pacer *p, int64_t now_us)
{
    if (p->log == NULL)
        return;
    int64_t last_us = p->log_n > 0 ? departure(p, p->log_n - 1)->at_us : now_us;
    *departure(p, p->log_n) = (struct pacer_departure){now_us, now_us > last_us ? now_us : last_us};
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

void pacer_arrived(struct pacer *p, size_t nth, int64_t at_us)
{
    if (p->log == NULL || nth >= p->log_n || p->log_n - nth > p->log_cap)
        return; /* it counts no longer */
    int64_t left_us = departure(p, nth)->left_us;
    at_us = left_us + (int64_t)((double)(at_us - left_us) * p->trust);
    for (size_t i = nth; i < p->log_n && departure(p, i)->at_us < at_us; i++)
        departure(p, i)->at_us = at_us;
}

double pacer_used(const struct pacer *p, int64_t now_us)
{
    if (p->log == NULL)
        return 0;
    size_t kept = p->log_n < p->log_cap ? p->log_n : p->log_cap, n = 0;
    int64_t since_us = now_us;
    while (n < kept && now_us - departure(p, p->log_n - 1 - n)->left_us < SECOND_US)
        since_us = departure(p, p->log_n - 1 - n++)->left_us;
    int64_t span_us = n < p->log_n ? SECOND_US : now_us - since_us;
    if (span_us < USED_MIN_US)
        span_us = USED_MIN_US;
    double used = (double)n * (double)p->interval_ns / 1e3 / (double)span_us;
    return used < 1 ? used : 1;
}
