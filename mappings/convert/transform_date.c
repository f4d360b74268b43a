/* date: reads a time by one format and writes it by another.
 *
 * strptime(3) and strftime(3) in the C locale, which the program never leaves: month names are English. Reading is stricter than
 * strptime: no blank before a number, years and minutes with all their digits, no day that its month does not have, and no
 * guess about missing parts. What the written format needs, the format read must have; the compiler of the step checks this. */
#include "config.h"

#include "mappings/convert/transform_steps.h"
#include "sync/base/buf.h"

#include <string.h>
#include <time.h>

/* The part of a date that a field of a format provides when read, or needs when written. */
enum { YEAR = 1, MONTH = 2, DAY = 4, YDAY = 8, HOUR = 16, MINUTE = 32, SECOND = 64, ZONE = 128 };

static const struct field {
    char letter;
    unsigned brings;
    unsigned char digits; /* most digits read; 0: not a number */
    bool exactly; /* all digits are needed: years and times are written in full everywhere, days are not (1/5/2026) */
} fields[] = {
    {'Y', YEAR, 4, true},   {'y', YEAR, 2, true},  {'m', MONTH, 2, false}, {'b', MONTH, 0, false}, {'B', MONTH, 0, false},
    {'d', DAY, 2, false},   {'e', DAY, 2, false},  {'j', YDAY, 3, true},   {'H', HOUR, 2, false},  {'M', MINUTE, 2, true},
    {'S', SECOND, 2, true}, {'z', ZONE, 0, false}, {'Z', ZONE, 0, false},
};

/* A compiled format: fields and the literal bytes between them. */
struct part {
    const struct field *field; /* NULL: literal */
    struct str text;
    bool digit_follows; /* the next field is a number without anything between: read all digits */
};

struct transform_date {
    struct part *in;
    size_t in_n;
    const char *out; /* for strftime() */
    size_t out_max;  /* most bytes that it writes */
    unsigned brings; /* of the format read */
    bool writes_utc; /* the format written has %Z */
};

enum { CENTURIES = 1900, LEAP_YEAR = 2000 - CENTURIES, DAY_SECONDS = 24 * 60 * 60, FIELD_MAX_N = 9 /* "September" */ };

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

/* The format for strftime(): a year has four digits, also before 1000. */
static const char *written_format(const struct part *parts, size_t n, struct arena *arena, size_t *max)
{
    struct buf text = BUF_INIT(SIZE_MAX);
    const char *format = NULL;
    int bad = 0;
    *max = 1;
    for (size_t i = 0; i < n; i++) {
        const struct field *field = parts[i].field;
        *max += field != NULL ? FIELD_MAX_N : parts[i].text.n;
        if (field != NULL)
            bad |= buf_addf(&text, field->letter == 'Y' ? "%%04%c" : "%%%c", field->letter);
        for (size_t b = 0; field == NULL && b < parts[i].text.n; b++)
            bad |= buf_adds(&text, parts[i].text.p[b] == '%' ? "%" : "") | buf_addc(&text, parts[i].text.p[b]);
    }
    if (bad == 0)
        format = arena_dup(arena, buf_cstr(&text), text.n + 1);
    buf_free(&text);
    return format;
}

int transform_date_compile(const struct str *args, struct arena *arena, struct transform_step *out, struct flaw *flaw)
{
    struct transform_date *d = arena_calloc(arena, 1, sizeof *d);
    struct part *written;
    size_t written_n;

    if (d == NULL)
        return transform_flaw(flaw, FLAW_WHOLE, 0, "out of memory");
    if (compile_format(args[0], 0, arena, &d->in, &d->in_n, flaw) != 0 ||
        compile_format(args[1], 1, arena, &written, &written_n, flaw) != 0)
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
    for (size_t i = 0; i < written_n; i++) {
        const struct field *field = written[i].field;
        if (field != NULL && (derive(d->brings) & field->brings) == 0)
            return transform_flaw(flaw, 1, format_offset(args[1], field->letter),
                                  "the written date format has a field that the format read does not have");
    }
    /* A time in another zone may be in another day: to write it in UTC all of it must be known. */
    const unsigned whole = YEAR | MONTH | DAY | HOUR | MINUTE;
    d->writes_utc = has_field(written, written_n, 'Z');
    if (d->writes_utc && has_field(d->in, d->in_n, 'z') && (derive(d->brings) & whole) != whole)
        return transform_flaw(flaw, 1, format_offset(args[1], 'Z'),
                              "%Z writes the time in UTC; the format read must have a whole date with hour and minute");
    d->out = written_format(written, written_n, arena, &d->out_max);
    out->as.date = d;
    return d->out != NULL ? 0 : transform_flaw(flaw, FLAW_WHOLE, 0, "out of memory");
}

/* One field by strptime(). That skips blanks before a number, reads fewer digits, and leaves the second digit of 71 when a day is
 * wanted: all are refused. 0/-1 */
static int read_one(const char **s, const char *format, size_t digits, bool exactly, struct tm *t)
{
    size_t n = strspn(*s, "0123456789");
    if (digits > 0 && (n == 0 || (exactly && n < digits)))
        return -1;
    const char *end = strptime(*s, format, t);
    if (end == NULL || (digits > 0 && (size_t)(end - *s) != (n < digits ? n : digits)))
        return -1;
    *s = end;
    return 0;
}

/* "+0200", "+02:00", "+02", "Z"; for %Z "UTC", "GMT" and "Z". 0/-1 */
static int read_zone(const char **s, char letter, struct tm *t)
{
    static const struct str utc[] = {{"UTC", 3}, {"GMT", 3}, {"Z", 1}};
    for (size_t i = letter == 'Z' ? 0 : 2; i < 3; i++)
        if (str_eq_nocase((struct str){*s, strnlen(*s, utc[i].n)}, utc[i])) {
            *s += utc[i].n;
            return 0;
        }
    if (letter == 'Z' || (**s != '+' && **s != '-') || read_one(s, "%z", 0, false, t) != 0)
        return -1;
    return **s != ':' && t->tm_gmtoff > -DAY_SECONDS && t->tm_gmtoff < DAY_SECONDS ? 0 : -1;
}

static int read_field(const struct part *part, const char **s, struct tm *t, int *yday)
{
    const struct field *field = part->field;
    const char format[] = {'%', field->letter, '\0'};
    bool exactly = part->digit_follows || field->exactly;
    if (field->brings == ZONE)
        return read_zone(s, field->letter, t);
    if (field->letter == 'e' && **s == ' ') {
        (*s)++;
        exactly = false;
    }
    if (field->digits == 0 && **s == ' ')
        return -1;
    if (read_one(s, format, field->digits, exactly, t) != 0)
        return -1;
    /* Other fields compute the day of the year again, so it is kept apart. */
    if (field->brings == YDAY)
        *yday = t->tm_yday;
    return t->tm_sec <= 60 ? 0 : -1;
}

/* A literal, compared byte by byte; one blank in the format matches any number of blanks. */
static int read_literal(struct str text, const char **s)
{
    for (size_t i = 0; i < text.n; i++) {
        if (**s == '\0' || **s != text.p[i])
            return -1;
        (*s)++;
        if (text.p[i] == ' ')
            *s += strspn(*s, " ");
    }
    return 0;
}

/* Does the day exist, and fills in the other view of it. A month or day without a year is taken in a leap year. */
static const char *complete(struct tm *t, int yday, unsigned brings)
{
    struct tm day = {.tm_year = (brings & YEAR) != 0 ? t->tm_year : LEAP_YEAR, .tm_mon = t->tm_mon, .tm_mday = t->tm_mday};
    if ((brings & (YEAR | YDAY)) == (YEAR | YDAY)) {
        day.tm_mon = 0;
        day.tm_mday = yday + 1;
    }
    int year = day.tm_year, month = day.tm_mon;
    timegm(&day); /* a day that does not exist becomes one of the next month or year */
    if ((brings & (YEAR | YDAY)) == (YEAR | YDAY)) {
        if (day.tm_year != year)
            return "is a day that its year does not have";
        if (((brings & MONTH) != 0 && day.tm_mon != t->tm_mon) || ((brings & DAY) != 0 && day.tm_mday != t->tm_mday))
            return "has a day of the year that contradicts its date";
    } else if (day.tm_mon != month) {
        return "is a day that its month does not have";
    }
    t->tm_mon = day.tm_mon;
    t->tm_mday = day.tm_mday;
    t->tm_yday = (derive(brings) & (YEAR | MONTH | DAY)) == (YEAR | MONTH | DAY) ? day.tm_yday : yday;
    return NULL;
}

/* A leap second stays one. */
static const char *to_utc(struct tm *t)
{
    int second = t->tm_sec;
    time_t east = t->tm_gmtoff; /* timegm() clears it */
    t->tm_sec = 0;
    time_t at = timegm(t) - east;
    gmtime_r(&at, t);
    t->tm_sec = second;
    return t->tm_year < -CENTURIES || t->tm_year > 9999 - CENTURIES ? "is in a year that cannot be written" : NULL;
}

int transform_date(const struct transform_step *step, struct str in, struct arena *scratch, struct str *out,
                   const char **why)
{
    const struct transform_date *d = step->as.date;
    struct tm t = {.tm_year = -CENTURIES, .tm_mday = 1};
    int yday = 0;

    if (transform_trim(step, in, scratch, out, why) != 0)
        return -1;
    if (out->n == 0)
        return 0;
    const char *text = arena_dup(scratch, out->p, out->n), *s = text;
    if (text == NULL)
        return -1;
    for (size_t i = 0; i < d->in_n; i++)
        if ((d->in[i].field != NULL ? read_field(&d->in[i], &s, &t, &yday) : read_literal(d->in[i].text, &s)) != 0) {
            *why = "is not a date in the format that date: reads";
            return 0;
        }
    if (s != text + out->n) {
        *why = "has more text after the date that date: reads";
        return 0;
    }
    *why = complete(&t, yday, d->brings);
    if (*why == NULL && d->writes_utc && t.tm_gmtoff != 0)
        *why = to_utc(&t);
    if (*why != NULL)
        return 0;
    char *to = arena_alloc(scratch, d->out_max);
    if (to == NULL)
        return -1;
    t.tm_zone = "UTC";
/* The format was checked when it was compiled. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    *out = (struct str){to, strftime(to, d->out_max, d->out, &t)};
#pragma GCC diagnostic pop
    return 0;
}
