#include "config.h"

#include "connectors/postgres/postgres_mark.h"

#include "connectors/sqltext.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { MARK_MAX = 1 << 20 }; /* bytes of a text that is a watermark */

/* A time past now() is no reason to skip what is written until then. The age is in milliseconds; -infinity's is infinite. */
/* clang-format off */
#define STORE_TIME(now, value, type) \
    "select v::text, (extract(epoch from " now ") - extract(epoch from v)) * 1000 from (select least(" now ", " value ")" \
    type " as v) t"
/* clang-format on */
#define BIND_TIME(value, type) "select (" value " - $2::interval)" type "::text"
/* Whole numbers stay within their type, or the query could not bind them. */
#define BIND_INTEGER(smallest) "select greatest(floor($1::numeric - $2::numeric), " smallest "::numeric)::text"

/* https://www.postgresql.org/docs/current/catalog-pg-type.html; these numbers never change. */
static const struct postgres_mark_type type_table[] = {
    {1184, "timestamp with time zone", PG_MARK_TIME, "-infinity", STORE_TIME("pg_catalog.now()", "$1::timestamptz", ""),
     BIND_TIME("$1::timestamptz", "")},
    {1114, "timestamp without time zone", PG_MARK_TIME, "-infinity", STORE_TIME("localtimestamp", "$1::timestamp", ""),
     BIND_TIME("$1::timestamp", "")},
    {1082, "date", PG_MARK_TIME, "-infinity", STORE_TIME("localtimestamp", "$1::timestamp", "::date"),
     BIND_TIME("$1::timestamp", "::date")},
    {21, "smallint", PG_MARK_INTEGER, "-32768", NULL, BIND_INTEGER("'-32768'")},
    {23, "integer", PG_MARK_INTEGER, "-2147483648", NULL, BIND_INTEGER("'-2147483648'")},
    {20, "bigint", PG_MARK_INTEGER, "-9223372036854775808", NULL, BIND_INTEGER("'-9223372036854775808'")},
    {1700, "numeric", PG_MARK_NUMBER, "-Infinity", NULL, "select ($1::numeric - $2::numeric)::text"},
    {700, "real", PG_MARK_NUMBER, "-Infinity", NULL, "select ($1::float4 - $2::float4)::text"},
    {701, "double precision", PG_MARK_NUMBER, "-Infinity", NULL, "select ($1::float8 - $2::float8)::text"},
    {25, "text", PG_MARK_TEXT, "", NULL, NULL},
    {1043, "character varying", PG_MARK_TEXT, "", NULL, NULL},
    {1042, "character", PG_MARK_TEXT, "", NULL, NULL},
};

const struct postgres_mark_type *postgres_mark_type_find(uint32_t oid)
{
    for (size_t i = 0; i < sizeof type_table / sizeof type_table[0]; i++) {
        if (type_table[i].oid == oid)
            return &type_table[i];
    }
    return NULL;
}

static int set_overlap(struct postgres_mark *m, const struct sql_spec *spec, const char *label, struct err *e)
{
    const char *overlap = spec->overlap;
    int status = 0;

    switch (m->type->kind) {
    case PG_MARK_TIME:
        if (spec->overlap_ms > SQLTEXT_OVERLAP_MS_MAX)
            return err_set(e, XS_CONFIG, "%s: overlap: \"%s\" is longer than 3650d, the most for a time", label, overlap);
        m->overlaps = spec->overlap_ms > 0;
        status = buf_addf(&m->overlap, "%" PRId64 " milliseconds", spec->overlap_ms);
        break;
    case PG_MARK_INTEGER:
    case PG_MARK_NUMBER:
        if (overlap != NULL && !sqltext_is_number(overlap))
            return err_set(e, XS_CONFIG,
                           "%s: overlap: \"%s\" is a duration, but :watermark is compared as %s; write a number", label,
                           overlap, m->type->name);
        m->overlaps = overlap != NULL && strtod(overlap, NULL) > 0;
        status = buf_adds(&m->overlap, overlap != NULL ? overlap : "0");
        break;
    case PG_MARK_TEXT:
        if (overlap != NULL && strtod(overlap, NULL) > 0)
            return err_set(e, XS_CONFIG,
                           "%s: overlap: \"%s\" cannot be taken off text, which :watermark is compared as; set it "
                           "to 0, or cast to a time or a number",
                           label, overlap);
        break;
    }
    return status == 0 ? 0 : err_oom(e);
}

int postgres_mark_init(struct postgres_mark *m, const struct postgres_mark_type *type, const struct sql_spec *spec,
                       const char *label, struct err *e)
{
    *m = (struct postgres_mark){.type = type};
    buf_init(&m->text, MARK_MAX);
    buf_init(&m->overlap, 256);
    return set_overlap(m, spec, label, e);
}

void postgres_mark_free(struct postgres_mark *m)
{
    buf_free(&m->text);
    buf_free(&m->overlap);
}

/* Reads digits, at most `most` of them. */
static bool take_number(const char **p, const char *end, int most, int64_t *out)
{
    const char *start = *p;

    for (*out = 0; *p < end && *p - start < most && isdigit((unsigned char)**p); ++*p)
        *out = *out * 10 + (**p - '0');
    return *p > start;
}

static bool take_char(const char **p, const char *end, char c)
{
    if (*p == end || **p != c)
        return false;
    ++*p;
    return true;
}

/* Days since 2000-01-01 in the proleptic Gregorian calendar; year 0 is 1 BC. Counted in eras of 400 years from March, so
 * that the leap day is the last of its year. */
static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

    return era * 146097 + day_of_era - 730425;
}

/* " 21:15:32.254" to microseconds, when there is one. */
static bool take_clock(const char **p, const char *end, int64_t *us)
{
    int64_t h, min, s, fraction = 0;

    *us = 0;
    if (!take_char(p, end, ' '))
        return true;
    if (*p < end && **p == 'B') { /* " BC" after a date */
        --*p;
        return true;
    }
    if (!take_number(p, end, 2, &h) || !take_char(p, end, ':') || !take_number(p, end, 2, &min) || !take_char(p, end, ':') ||
        !take_number(p, end, 2, &s))
        return false;
    if (take_char(p, end, '.')) {
        const char *start = *p;
        if (!take_number(p, end, 6, &fraction))
            return false;
        for (long digits = *p - start; digits < 6; digits++)
            fraction *= 10;
    }
    *us = ((h * 60 + min) * 60 + s) * 1000000 + fraction;
    return true;
}

/* "+02", "-03:30", "+00:53:28": the offset of a time with time zone. */
static bool take_offset(const char **p, const char *end, int64_t *us)
{
    int64_t part[3] = {0, 0, 0};

    *us = 0;
    if (*p == end || (**p != '+' && **p != '-'))
        return true;
    int64_t sign = *(*p)++ == '-' ? -1 : 1;
    for (int i = 0; i < 3; i++) {
        if ((i > 0 && !take_char(p, end, ':')))
            break;
        if (!take_number(p, end, 2, &part[i]))
            return false;
    }
    *us = sign * ((part[0] * 60 + part[1]) * 60 + part[2]) * 1000000;
    return true;
}

int postgres_time_parse(struct str text, int64_t *us)
{
    const char *p = text.p, *end = text.p + text.n;
    int64_t year, month, day, clock, offset;

    if (str_is(text, "infinity") || str_is(text, "-infinity")) {
        *us = text.p[0] == '-' ? INT64_MIN : INT64_MAX;
        return 0;
    }
    if (!take_number(&p, end, 6, &year) || !take_char(&p, end, '-') || !take_number(&p, end, 2, &month) ||
        !take_char(&p, end, '-') || !take_number(&p, end, 2, &day) || !take_clock(&p, end, &clock) ||
        !take_offset(&p, end, &offset))
        return -1;
    if (end - p == 3 && memcmp(p, " BC", 3) == 0) {
        year = 1 - year;
        p = end;
    }
    if (p != end || month < 1 || month > 12 || __builtin_mul_overflow(days_of(year, month, day), INT64_C(86400000000), us) ||
        __builtin_add_overflow(*us, clock - offset, us))
        return -1;
    return 0;
}

static void count_number(double number, struct source_mark *out)
{
    if (!out->has_numbers || number < out->least)
        out->least = number;
    if (!out->has_numbers || number > out->greatest)
        out->greatest = number;
    out->has_numbers = true;
}

/* Is the value greater than all before? What cannot be compared is not: a smaller mark is a safe one. */
static bool is_greater(struct postgres_mark *m, struct str value, struct source_mark *out)
{
    char spelled[64];
    int64_t time_us;
    long double number;

    switch (m->type->kind) {
    case PG_MARK_TIME:
        if (postgres_time_parse(value, &time_us) != 0 || (m->seen && time_us <= m->time_us))
            return false;
        m->time_us = time_us;
        return true;
    case PG_MARK_INTEGER:
    case PG_MARK_NUMBER:
        /* NaN and Infinity are above all numbers: nothing would ever be read again. They have no digit at the start. */
        if (value.n >= sizeof spelled || value.n == 0 || !isdigit((unsigned char)value.p[value.p[0] == '-' && value.n > 1]))
            return false;
        memcpy(spelled, value.p, value.n);
        spelled[value.n] = '\0';
        number = strtold(spelled, NULL);
        count_number((double)number, out);
        if ((m->seen && number <= m->number))
            return false;
        m->number = number;
        return true;
    case PG_MARK_TEXT: return value.n < MARK_MAX && (!m->seen || str_cmp(value, buf_str(&m->text)) > 0);
    }
    return false;
}

int postgres_mark_see(struct postgres_mark *m, struct str value, struct source_mark *out)
{
    if (!is_greater(m, value, out))
        return 0;
    m->seen = true;
    buf_reset(&m->text);
    return buf_add(&m->text, value.p, value.n);
}
