/* date: reads a time by one format and writes it by another.
 *
 * A subset of strftime(3) with strict reading: no locale (month names are English), no guess about missing parts. What
 * the written format needs, the format read must have; the compiler of the step checks this. */
#include "config.h"

#include "mappings/convert/transform_steps.h"

#include <string.h>

/* The part of a date that a field of a format provides when read, or needs when written. */
enum { YEAR = 1, MONTH = 2, DAY = 4, YDAY = 8, HOUR = 16, MINUTE = 32, SECOND = 64, ZONE = 128 };

struct moment {
    int year, month, day, yday, hour, minute, second, zone_minutes;
};

static const struct field {
    char letter;
    unsigned brings;
    unsigned char digits; /* most digits read and all digits written; 0: not a number */
    int min, max;
} fields[] = {
    {'Y', YEAR, 4, 0, 9999}, {'y', YEAR, 2, 0, 99}, {'m', MONTH, 2, 1, 12}, {'b', MONTH, 0, 0, 0}, {'B', MONTH, 0, 0, 0},
    {'d', DAY, 2, 1, 31},    {'e', DAY, 2, 1, 31},  {'j', YDAY, 3, 1, 366}, {'H', HOUR, 2, 0, 23}, {'M', MINUTE, 2, 0, 59},
    {'S', SECOND, 2, 0, 60}, {'z', ZONE, 0, 0, 0},  {'Z', ZONE, 0, 0, 0},
};

/* A compiled format: fields and the literal bytes between them. */
struct part {
    const struct field *field; /* NULL: literal */
    struct str text;
    bool digit_follows; /* the next field is a number without anything between: read all digits */
};

struct transform_date {
    struct part *in, *out;
    size_t in_n, out_n;
    unsigned brings; /* of the format read */
    bool writes_utc; /* the format written has %Z */
};

static const char *const month_names[12] = {"January", "February", "March",     "April",   "May",      "June",
                                            "July",    "August",   "September", "October", "November", "December"};

static const struct field *field_find(char letter)
{
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        if (fields[i].letter == letter)
            return &fields[i];
    return NULL;
}

/* Cuts one format. There are at most as many parts as bytes. */
static int compile_format(struct str format, size_t arg, struct arena *arena, struct part **parts, size_t *n,
                          struct flaw *flaw)
{
    const char *text = arena_dup(arena, format.p, format.n);
    struct part *p = arena_calloc(arena, format.n + 1, sizeof *p);

    if (text == NULL || p == NULL)
        return transform_flaw(flaw, FLAW_WHOLE, 0, "out of memory");
    if (format.n == 0)
        return transform_flaw(flaw, arg, 0, "the date format is empty; write one such as %Y-%m-%d");
    *n = 0;
    for (size_t i = 0; i < format.n; i++) {
        struct part *last = *n > 0 ? &p[*n - 1] : NULL;
        if (text[i] != '%' || (i + 1 < format.n && text[i + 1] == '%')) {
            i += text[i] == '%';
            if (last != NULL && last->field == NULL && last->text.p + last->text.n == text + i)
                last->text.n++;
            else
                p[(*n)++].text = (struct str){text + i, 1};
            continue;
        }
        const struct field *field = i + 1 < format.n ? field_find(text[i + 1]) : NULL;
        if (field == NULL)
            return transform_flaw(flaw, arg, i,
                                  "the date format has an unknown field; known are "
                                  "%Y %y %m %b %B %d %e %j %H %M %S %z %Z; write %% for a percent sign");
        if (last != NULL && last->field != NULL)
            last->digit_follows = field->digits > 0;
        p[(*n)++].field = field;
        i++;
    }
    *parts = p;
    return 0;
}

/* All fields that can be computed from those that were read. */
static unsigned derive(unsigned brings)
{
    if ((brings & (YEAR | YDAY)) == (YEAR | YDAY))
        brings |= MONTH | DAY;
    if ((brings & (YEAR | MONTH | DAY)) == (YEAR | MONTH | DAY))
        brings |= YDAY;
    return brings;
}

static bool has_field(const struct part *parts, size_t n, char letter)
{
    for (size_t i = 0; i < n; i++)
        if (parts[i].field != NULL && parts[i].field->letter == letter)
            return true;
    return false;
}

/* Where a format spells the field, for the caret. */
static size_t format_offset(struct str format, char letter)
{
    for (size_t i = 0; i + 1 < format.n; i++) {
        if (format.p[i] != '%')
            continue;
        if (format.p[i + 1] == letter)
            return i;
        i++;
    }
    return 0;
}

int transform_date_compile(const struct str *args, struct arena *arena, struct transform_step *out, struct flaw *flaw)
{
    struct transform_date *d = arena_calloc(arena, 1, sizeof *d);

    if (d == NULL)
        return transform_flaw(flaw, FLAW_WHOLE, 0, "out of memory");
    if (compile_format(args[0], 0, arena, &d->in, &d->in_n, flaw) != 0 ||
        compile_format(args[1], 1, arena, &d->out, &d->out_n, flaw) != 0)
        return -1;
    for (size_t i = 0; i < d->in_n; i++) {
        const struct field *field = d->in[i].field;
        if (field == NULL)
            continue;
        if ((d->brings & field->brings) != 0)
            return transform_flaw(flaw, 0, format_offset(args[0], field->letter),
                                  "the date format reads the same part of a date twice; keep one of them");
        d->brings |= field->brings;
    }
    for (size_t i = 0; i < d->out_n; i++) {
        const struct field *field = d->out[i].field;
        if (field != NULL && (derive(d->brings) & field->brings) == 0)
            return transform_flaw(flaw, 1, format_offset(args[1], field->letter),
                                  "the written date format has a field that the format read does not have");
    }
    /* A time in another zone may be in another day: to write it in UTC all of it must be known. */
    const unsigned whole = YEAR | MONTH | DAY | HOUR | MINUTE;
    d->writes_utc = has_field(d->out, d->out_n, 'Z');
    if (d->writes_utc && has_field(d->in, d->in_n, 'z') && (derive(d->brings) & whole) != whole)
        return transform_flaw(flaw, 1, format_offset(args[1], 'Z'),
                              "%Z writes the time in UTC; the format read must have a whole date with hour and minute");
    out->as.date = d;
    return 0;
}

static bool is_leap(int year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int month_days(int year, int month)
{
    static const unsigned char days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

/* A number of at most `digits` digits; all of them where another number follows. -1: there is none. */
static int read_number(struct str *s, unsigned digits, bool exactly)
{
    int v = 0;
    size_t i = 0;
    while (i < digits && i < s->n && s->p[i] >= '0' && s->p[i] <= '9')
        v = v * 10 + (s->p[i++] - '0');
    if (i == 0 || (exactly && i < digits))
        return -1;
    *s = (struct str){s->p + i, s->n - i};
    return v;
}

/* A month's name, whole or its first three letters. 1 to 12, or -1. */
static int read_month(struct str *s)
{
    for (int m = 0; m < 12; m++) {
        size_t whole = strlen(month_names[m]);
        for (size_t n = whole; n >= 3; n = n > 3 ? 3 : 0)
            if (s->n >= n && str_eq_nocase((struct str){s->p, n}, (struct str){month_names[m], n})) {
                *s = (struct str){s->p + n, s->n - n};
                return m + 1;
            }
    }
    return -1;
}

/* "+0200", "+02:00", "+02", "Z"; for %Z "UTC", "GMT" and "Z". 0, or -1. */
static int read_zone(struct str *s, char letter, int *minutes)
{
    static const struct str utc[] = {{"UTC", 3}, {"GMT", 3}, {"Z", 1}};

    *minutes = 0;
    for (size_t i = letter == 'Z' ? 0 : 2; i < 3; i++)
        if (s->n >= utc[i].n && str_eq_nocase((struct str){s->p, utc[i].n}, utc[i])) {
            *s = (struct str){s->p + utc[i].n, s->n - utc[i].n};
            return 0;
        }
    if (letter == 'Z' || s->n == 0 || (s->p[0] != '+' && s->p[0] != '-'))
        return -1;
    int sign = s->p[0] == '-' ? -1 : 1, m = 0;
    *s = (struct str){s->p + 1, s->n - 1};
    int h = read_number(s, 2, true);
    bool colon = s->n > 0 && s->p[0] == ':';
    if (colon)
        *s = (struct str){s->p + 1, s->n - 1};
    if (h >= 0 && (colon || (s->n > 0 && s->p[0] >= '0' && s->p[0] <= '9')))
        m = read_number(s, 2, true);
    if (h < 0 || h > 23 || m < 0 || m > 59)
        return -1;
    *minutes = sign * (h * 60 + m);
    return 0;
}

static int read_field(const struct part *part, struct str *s, struct moment *t)
{
    const struct field *field = part->field;
    /* Years and times are written in full everywhere; days and months are not (1/5/2026). */
    bool exactly = part->digit_follows || strchr("YyMSj", field->letter) != NULL;
    int v = 0;

    if (field->letter == 'z' || field->letter == 'Z')
        return read_zone(s, field->letter, &t->zone_minutes);
    if (field->letter == 'e' && s->n > 0 && s->p[0] == ' ') {
        *s = (struct str){s->p + 1, s->n - 1};
        exactly = false;
    }
    v = field->digits > 0 ? read_number(s, field->digits, exactly) : read_month(s);
    if (v < 0 || (field->digits > 0 && (v < field->min || v > field->max)))
        return -1;
    switch (field->letter) {
    case 'Y': t->year = v; break;
    case 'y': t->year = v < 69 ? 2000 + v : 1900 + v; break; /* as POSIX has it */
    case 'm':
    case 'b':
    case 'B': t->month = v; break;
    case 'd':
    case 'e': t->day = v; break;
    case 'j': t->yday = v; break;
    case 'H': t->hour = v; break;
    case 'M': t->minute = v; break;
    default: t->second = v; break;
    }
    return 0;
}

/* A literal, compared byte by byte; one blank in the format matches any number of blanks. */
static int read_literal(struct str text, struct str *s)
{
    for (size_t i = 0; i < text.n; i++) {
        if (s->n == 0 || s->p[0] != text.p[i])
            return -1;
        *s = (struct str){s->p + 1, s->n - 1};
        while (text.p[i] == ' ' && s->n > 0 && s->p[0] == ' ')
            *s = (struct str){s->p + 1, s->n - 1};
    }
    return 0;
}

static void yday_to_month(struct moment *t)
{
    t->day = t->yday;
    for (t->month = 1; t->day > month_days(t->year, t->month); t->month++)
        t->day -= month_days(t->year, t->month);
}

/* Does the day exist, and fills in the other view of it. A month or day without a year is taken in a leap year. */
static const char *complete(struct moment *t, unsigned brings)
{
    int year = (brings & YEAR) != 0 ? t->year : 2000;

    if ((brings & YDAY) != 0 && (brings & YEAR) != 0) {
        if (t->yday > (is_leap(year) ? 366 : 365))
            return "is a day that its year does not have";
        int month = t->month, day = t->day;
        yday_to_month(t);
        if (((brings & MONTH) != 0 && month != t->month) || ((brings & DAY) != 0 && day != t->day))
            return "has a day of the year that contradicts its date";
    }
    if ((derive(brings) & (MONTH | DAY)) == (MONTH | DAY) && t->day > month_days(year, t->month))
        return "is a day that its month does not have";
    if ((derive(brings) & (YEAR | MONTH | DAY)) == (YEAR | MONTH | DAY)) {
        t->yday = t->day;
        for (int m = 1; m < t->month; m++)
            t->yday += month_days(year, m);
    }
    return NULL;
}

/* Converts to UTC. The day changes by at most one, because offsets are below 24 hours. */
static const char *to_utc(struct moment *t)
{
    int minutes = t->hour * 60 + t->minute - t->zone_minutes;
    int step = minutes < 0 ? -1 : minutes >= 24 * 60 ? 1 : 0;

    t->zone_minutes = 0;
    minutes -= step * 24 * 60;
    t->hour = minutes / 60;
    t->minute = minutes % 60;
    t->day += step;
    t->yday += step;
    if (step < 0 && t->day == 0) {
        t->year -= t->month == 1;
        t->month = t->month == 1 ? 12 : t->month - 1;
        t->day = month_days(t->year, t->month);
    } else if (step > 0 && t->day > month_days(t->year, t->month)) {
        t->day = 1;
        t->year += t->month == 12;
        t->month = t->month == 12 ? 1 : t->month + 1;
    }
    if (t->year < 0 || t->year > 9999)
        return "is in a year that cannot be written";
    return complete(t, YEAR | MONTH | DAY);
}

static size_t write_number(char *to, int v, unsigned digits, char pad)
{
    for (unsigned i = digits; i-- > 0; v /= 10) {
        char digit = (char)('0' + v % 10);
        if (v == 0 && i + 1 < digits)
            digit = pad;
        to[i] = digit;
    }
    return digits;
}

static size_t write_field(const struct field *field, const struct moment *t, char *to)
{
    const char *name;
    int zone = t->zone_minutes < 0 ? -t->zone_minutes : t->zone_minutes;

    switch (field->letter) {
    case 'Y': return write_number(to, t->year, 4, '0');
    case 'y': return write_number(to, t->year % 100, 2, '0');
    case 'm': return write_number(to, t->month, 2, '0');
    case 'd': return write_number(to, t->day, 2, '0');
    case 'e': return write_number(to, t->day, 2, ' ');
    case 'j': return write_number(to, t->yday, 3, '0');
    case 'H': return write_number(to, t->hour, 2, '0');
    case 'M': return write_number(to, t->minute, 2, '0');
    case 'S': return write_number(to, t->second, 2, '0');
    case 'z': to[0] = t->zone_minutes < 0 ? '-' : '+'; return 1 + write_number(to + 1, zone / 60 * 100 + zone % 60, 4, '0');
    case 'Z': memcpy(to, "UTC", 3); return 3;
    default:
        name = month_names[t->month - 1];
        size_t n = field->letter == 'b' ? 3 : strlen(name);
        memcpy(to, name, n);
        return n;
    }
}

static int transform_date_write_all(const struct transform_date *d, const struct moment *t, struct arena *scratch,
                                    struct str *out)
{
    enum { FIELD_MAX_N = 9 }; /* "September" */
    size_t cap = 0, n = 0;

    for (size_t i = 0; i < d->out_n; i++)
        cap += d->out[i].field != NULL ? FIELD_MAX_N : d->out[i].text.n;
    char *to = arena_alloc(scratch, cap);
    if (to == NULL)
        return -1;
    for (size_t i = 0; i < d->out_n; i++) {
        if (d->out[i].field != NULL) {
            n += write_field(d->out[i].field, t, to + n);
        } else {
            memcpy(to + n, d->out[i].text.p, d->out[i].text.n);
            n += d->out[i].text.n;
        }
    }
    *out = (struct str){to, n};
    return 0;
}

int transform_date(const struct transform_step *step, struct str in, struct arena *scratch, struct str *out,
                   const char **why)
{
    const struct transform_date *d = step->as.date;
    struct moment t = {0, 1, 1, 1, 0, 0, 0, 0};
    struct str s;

    if (transform_trim(step, in, scratch, &s, why) != 0)
        return -1;
    *out = s;
    if (s.n == 0)
        return 0;
    for (size_t i = 0; i < d->in_n; i++)
        if ((d->in[i].field != NULL ? read_field(&d->in[i], &s, &t) : read_literal(d->in[i].text, &s)) != 0) {
            *why = "is not a date in the format that date: reads";
            return 0;
        }
    if (s.n != 0) {
        *why = "has more text after the date that date: reads";
        return 0;
    }
    *why = complete(&t, d->brings);
    if (*why == NULL && d->writes_utc && t.zone_minutes != 0)
        *why = to_utc(&t);
    return *why == NULL ? transform_date_write_all(d, &t, scratch, out) : 0;
}
