#include "config.h"

#include "connectors/sqlite_mark.h"

#include "connectors/sqltext.h"
#include "sync/base/clock.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MARK_MAX = 1 << 20 }; /* bytes of a text that is a watermark */

static bool mentions(const char *text, const char *word)
{
    return strcasestr(text, word) != NULL;
}

enum sqlite_affinity sqlite_affinity(const char *decltype_text)
{
    if (decltype_text == NULL)
        return AFFINITY_NONE;
    if (mentions(decltype_text, "INT"))
        return AFFINITY_INTEGER;
    if (mentions(decltype_text, "CHAR") || mentions(decltype_text, "CLOB") || mentions(decltype_text, "TEXT"))
        return AFFINITY_TEXT;
    if (mentions(decltype_text, "BLOB") || *decltype_text == '\0')
        return AFFINITY_NONE;
    return AFFINITY_NUMBER;
}

void sqlite_mark_init(struct sqlite_mark *m, const char *decltype_text, const struct sql_spec *spec, int64_t now_ms)
{
    *m = (struct sqlite_mark){.affinity = sqlite_affinity(decltype_text), .now_ms = now_ms, .overlap_ms = spec->overlap_ms};
    buf_init(&m->text, MARK_MAX);
    if (spec->overlap != NULL && sqltext_is_number(spec->overlap))
        m->overlap = spec->overlap;
    /* DATETIME has number affinity and mostly holds text: only INTEGER says for sure that these are numbers. */
    m->overlap_misfit = m->overlap == NULL && spec->overlap != NULL && m->affinity == AFFINITY_INTEGER &&
                        strcmp(spec->overlap, SQLTEXT_OVERLAP_DEFAULT) != 0;
}

void sqlite_mark_free(struct sqlite_mark *m)
{
    buf_free(&m->text);
}

int sqlite_mark_bind(const struct sqlite_mark *m, sqlite3_stmt *stmt, int parameter, const char *stored)
{
    char *end = NULL;

    if (stored == NULL && m->affinity == AFFINITY_TEXT)
        return sqlite3_bind_text(stmt, parameter, "", 0, SQLITE_STATIC);
    if (stored == NULL && m->affinity == AFFINITY_INTEGER)
        return sqlite3_bind_int64(stmt, parameter, INT64_MIN);
    if (stored == NULL)
        return sqlite3_bind_double(stmt, parameter, -HUGE_VAL); /* below all numbers, which are below all text */
    /* As a number wherever it may be one: bound as text it would lie above every number, and nothing would be read. */
    if (m->affinity != AFFINITY_TEXT && *stored != '\0' && !isspace((unsigned char)*stored)) {
        errno = 0;
        long long integer = strtoll(stored, &end, 10);
        if (errno == 0 && *end == '\0')
            return sqlite3_bind_int64(stmt, parameter, integer);
        double real = strtod(stored, &end);
        if (*end == '\0')
            return sqlite3_bind_double(stmt, parameter, real);
    }
    return sqlite3_bind_text(stmt, parameter, stored, -1, SQLITE_TRANSIENT);
}

static int see_text(struct sqlite_mark *m, const char *p, size_t n)
{
    struct str text = {p, n};

    if (m->seen == SQLITE_TEXT && str_cmp(text, buf_str(&m->text)) <= 0)
        return 0;
    if (n >= MARK_MAX || memchr(p, '\0', n) != NULL)
        return 0; /* cannot be stored; a smaller mark is a safe one */
    buf_reset(&m->text);
    m->seen = SQLITE_TEXT;
    return buf_add(&m->text, p, n);
}

int sqlite_mark_see(struct sqlite_mark *m, sqlite3_stmt *stmt, int column)
{
    const char *text;
    int64_t integer;
    double real;

    switch (sqlite3_column_type(stmt, column)) {
    case SQLITE_INTEGER:
        integer = sqlite3_column_int64(stmt, column);
        if (m->seen == 0 || (m->seen == SQLITE_INTEGER && integer > m->integer) ||
            (m->seen == SQLITE_FLOAT && (double)integer > m->real)) {
            m->seen = SQLITE_INTEGER;
            m->integer = integer;
        }
        return 0;
    case SQLITE_FLOAT:
        real = sqlite3_column_double(stmt, column);
        if (isfinite(real) && (m->seen == 0 || (m->seen == SQLITE_FLOAT && real > m->real) ||
                               (m->seen == SQLITE_INTEGER && real > (double)m->integer))) {
            m->seen = SQLITE_FLOAT;
            m->real = real;
        }
        return 0;
    case SQLITE_TEXT:
        text = (const char *)sqlite3_column_text(stmt, column);
        return text != NULL ? see_text(m, text, (size_t)sqlite3_column_bytes(stmt, column)) : -1;
    default:
        return 0; /* a blob is no mark */
    }
}

/* "2026-06-30 21:15:32…" or a T between, or the date alone: the way SQLite's own functions write times. */
static size_t time_length(const char *p, size_t n)
{
    static const char shape[] = "dddd-dd-dd dd:dd:dd";
    size_t i;

    for (i = 0; i < n && shape[i] != '\0'; i++) {
        bool fits = shape[i] == 'd'   ? isdigit((unsigned char)p[i])
                    : shape[i] == ' ' ? p[i] == ' ' || p[i] == 'T'
                                      : p[i] == shape[i];
        if (!fits)
            return 0;
    }
    return i == n && n == 10 ? 10 : i == 19 ? 19 : 0;
}

/* The wall time less the overlap, in the column's own spelling so that it compares as text. Fractions and offsets are
 * dropped, which only makes it smaller. 0/-1 (memory). */
static int finish_time(struct sqlite_mark *m, size_t length)
{
    char parsed[] = "0000-00-00T00:00:00Z", text[TIME_TEXT_N];
    char between = length == 19 ? m->text.p[10] : 'T';
    int64_t seen_ms;

    memcpy(parsed, m->text.p, length);
    parsed[10] = 'T';
    if (time_parse(str_from(parsed), &seen_ms) != 0)
        return 0; /* the 31st of February: text after all */
    int64_t stored_ms = (seen_ms < m->now_ms ? seen_ms : m->now_ms) - m->overlap_ms;
    m->is_time = true;
    m->age_ms = m->now_ms - stored_ms;
    if (stored_ms == seen_ms)
        return 0;
    time_format(stored_ms, text);
    text[10] = between;
    buf_reset(&m->text);
    return buf_add(&m->text, text, length);
}

static int finish_number(struct sqlite_mark *m)
{
    int64_t less;
    bool whole = m->overlap == NULL || strchr(m->overlap, '.') == NULL;

    buf_reset(&m->text);
    if (m->seen == SQLITE_INTEGER && whole) {
        if (__builtin_sub_overflow(m->integer, m->overlap != NULL ? strtoll(m->overlap, NULL, 10) : 0, &less))
            less = INT64_MIN;
        return buf_addf(&m->text, "%" PRId64, less);
    }
    double value = m->seen == SQLITE_INTEGER ? (double)m->integer : m->real;
    return buf_addf(&m->text, "%.17g", value - (m->overlap != NULL ? strtod(m->overlap, NULL) : 0));
}

int sqlite_mark_finish(struct sqlite_mark *m, const char **out)
{
    int status = 0;

    *out = NULL;
    if (m->seen == 0)
        return 0;
    if (m->seen == SQLITE_TEXT) {
        size_t length = time_length(m->text.p, m->text.n);
        if (length > 0)
            status = finish_time(m, length);
    } else {
        status = finish_number(m);
    }
    *out = status == 0 ? buf_cstr(&m->text) : NULL;
    return *out != NULL ? 0 : -1;
}
