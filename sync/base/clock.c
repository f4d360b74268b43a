/* The only file that asks the system for the time or sleeps, and the text forms of times and durations. Calendar
 * arithmetic is done here, since timegm() and strptime() look at the time zone and the locale. */
#include "config.h"

#include "sync/base/clock.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { MS_PER_DAY = 86400 * 1000 };

/* ---- the clocks ---- */

/* For times that are shown or compared with a server's. It may jump: never measure a span with it. */
static int64_t system_wall_ms(struct clock *self)
{
    struct timespec now;
    (void)self;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* For spans. Its zero is the boot of the machine and means nothing. */
static int64_t system_mono_us(struct clock *self)
{
    struct timespec now;
    (void)self;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void system_sleep_us(struct clock *self, int64_t us)
{
    (void)self;
    if (us <= 0)
        return;
    struct timespec span = {.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};
    /* Not resumed after a signal: the caller checks the stop flag before it waits again. */
    clock_nanosleep(CLOCK_MONOTONIC, 0, &span, NULL);
}

struct clock *clock_system(void)
{
    /* Not const only because callers hold a struct clock *, which a fake one does write to. */
    static struct clock system_clock = {system_wall_ms, system_mono_us, system_sleep_us};
    return &system_clock;
}

/* `base` comes first, so a pointer to it is one to the whole. */
static struct clock_fake *fake_of(struct clock *self)
{
    return (struct clock_fake *)self;
}

static int64_t fake_wall_ms(struct clock *self)
{
    return fake_of(self)->wall;
}

static int64_t fake_mono_us(struct clock *self)
{
    return fake_of(self)->mono;
}

static void fake_sleep_us(struct clock *self, int64_t us)
{
    /* Sleeping is what makes this clock go: a back-off of an hour is over at once. */
    clock_fake_advance_us(fake_of(self), us);
}

void clock_fake_init(struct clock_fake *fake, int64_t wall_ms)
{
    *fake = (struct clock_fake){.base = {fake_wall_ms, fake_mono_us, fake_sleep_us}, .wall = wall_ms};
}

void clock_fake_advance_us(struct clock_fake *fake, int64_t us)
{
    if (us <= 0)
        return;
    /* Milliseconds come from the sum, so that a thousand steps of 1 us are one of 1 ms. */
    fake->wall += (fake->mono % 1000 + us) / 1000;
    fake->mono += us;
}

/* ---- times ---- */

/* Days since 1970-01-01 of a date in the proleptic Gregorian calendar, counted in 400-year eras from 0000-03-01, so
 * that the leap day is the last of its year. */
static int64_t days_from_date(int64_t year, int64_t month, int64_t day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

/* The way back, by the same eras. */
static void date_from_days(int64_t days, int *year, int *month, int *day)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t day_of_era = days - era * 146097;
    int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t shifted = (5 * day_of_year + 2) / 153;
    *day = (int)(day_of_year - (153 * shifted + 2) / 5 + 1);
    *month = (int)(shifted < 10 ? shifted + 3 : shifted - 9);
    *year = (int)(year_of_era + era * 400 + (*month <= 2));
}

const char *time_format(int64_t wall_ms, char out[TIME_TEXT_N])
{
    /* RFC 3339 has four digits for the year: what lies outside is shown as the nearest time that it can say. */
    int64_t first = days_from_date(0, 1, 1) * MS_PER_DAY, last = days_from_date(10000, 1, 1) * MS_PER_DAY - 1;
    int64_t ms = wall_ms < first ? first : wall_ms > last ? last : wall_ms;
    /* Rounded down, where C rounds towards zero. */
    int64_t days = ms / MS_PER_DAY - (ms % MS_PER_DAY < 0);
    int rest = (int)(ms - days * MS_PER_DAY);
    int year, month, day;
    date_from_days(days, &year, &month, &day);
    snprintf(out, TIME_TEXT_N, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", year, month, day, rest / 3600000, rest / 60000 % 60,
             rest / 1000 % 60, rest % 1000);
    return out;
}

/* Exactly n digits, up to a largest value. */
static bool take_digits(struct str *s, size_t n, int64_t max, int64_t *out)
{
    int64_t value = 0;
    if (s->n < n)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (s->p[i] < '0' || s->p[i] > '9')
            return false;
        value = value * 10 + (s->p[i] - '0');
    }
    s->p += n;
    s->n -= n;
    *out = value;
    return value <= max;
}

/* One character out of a set. */
static bool clock_take_char(struct str *s, const char *one_of)
{
    if (s->n == 0 || *s->p == '\0' || strchr(one_of, *s->p) == NULL)
        return false;
    s->p++;
    s->n--;
    return true;
}

/* ".5" is 500 ms; digits past the third are dropped. One digit at least. */
static bool take_fraction(struct str *s, int64_t *ms)
{
    int64_t weight = 100, digit;
    size_t digits = 0;
    for (; s->n > 0 && take_digits(s, 1, 9, &digit); digits++) {
        *ms += digit * weight;
        weight /= 10;
    }
    return digits > 0;
}

/* "Z" or "+01:00". "-00:00" (the local offset is not known) is the same instant. */
static bool take_offset(struct str *s, int64_t *minutes)
{
    int64_t hour, minute;
    *minutes = 0;
    if (clock_take_char(s, "Zz"))
        return true;
    bool west = s->n > 0 && *s->p == '-';
    if (!clock_take_char(s, "+-") || !take_digits(s, 2, 23, &hour) || !clock_take_char(s, ":") ||
        !take_digits(s, 2, 59, &minute))
        return false;
    *minutes = (hour * 60 + minute) * (west ? -1 : 1);
    return true;
}

int time_parse(struct str text, int64_t *wall_ms)
{
    int64_t year, month, day, hour, minute, second, fraction = 0, offset;
    /* Second 60 is a leap second and lands on the first of the next minute, as Unix time has it. */
    struct str s = text;
    if (!take_digits(&s, 4, 9999, &year) || !clock_take_char(&s, "-") || !take_digits(&s, 2, 12, &month) ||
        !clock_take_char(&s, "-") || !take_digits(&s, 2, 31, &day) || !clock_take_char(&s, "Tt ") ||
        !take_digits(&s, 2, 23, &hour) || !clock_take_char(&s, ":") || !take_digits(&s, 2, 59, &minute) ||
        !clock_take_char(&s, ":") || !take_digits(&s, 2, 60, &second))
        return -1;
    if (clock_take_char(&s, ".") && !take_fraction(&s, &fraction))
        return -1;
    if (!take_offset(&s, &offset) || s.n != 0 || month == 0 || day == 0)
        return -1;
    /* A day that its month lacks would come back as one of the next month. */
    int64_t days = days_from_date(year, month, day);
    int year_back, month_back, day_back;
    date_from_days(days, &year_back, &month_back, &day_back);
    if (day_back != day)
        return -1;
    *wall_ms = days * MS_PER_DAY + ((hour * 60 + minute - offset) * 60 + second) * 1000 + fraction;
    return 0;
}

/* ---- durations ---- */

int duration_parse(struct str text, int64_t *ms)
{
    static const struct {
        const char *unit;
        int64_t ms;
    } units[] = {{"", 1000}, {"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};
    /* Digits, perhaps a fraction, a unit. No sign: there is nothing to do with a negative wait. */
    struct str s = text;
    int64_t value = 0, digit, thousandths = 0;
    size_t digits = 0;
    for (; s.n > 0 && take_digits(&s, 1, 9, &digit); digits++)
        if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, digit, &value))
            return -1;
    if (digits == 0 || (clock_take_char(&s, ".") && !take_fraction(&s, &thousandths)))
        return -1;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (!str_is(s, units[i].unit))
            continue;
        if (__builtin_mul_overflow(value, units[i].ms, &value) ||
            __builtin_add_overflow(value, thousandths * units[i].ms / 1000, &value))
            return -1;
        *ms = value;
        return 0;
    }
    return -1;
}
