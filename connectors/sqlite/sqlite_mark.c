#include "config.h"

#include "connectors/sqlite/sqlite_mark.h"

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

void sqlite_mark_init(struct sqlite_mark *m, const char *decltype_text, const struct sql_spec *spec, const char *label,
                      int64_t now_ms)
{
    *m = (struct sqlite_mark){.affinity = sqlite_affinity(decltype_text), .spec = spec, .label = label, .now_ms = now_ms};
    buf_init(&m->text, MARK_MAX);
}

void sqlite_mark_free(struct sqlite_mark *m)
{
    buf_free(&m->text);
}

/* "2026-06-30 21:15:32…" or a T between, or the date alone: the way SQLite's own functions write times. */
static size_t time_length(struct str text)
{
    static const char shape[] = "dddd-dd-dd dd:dd:dd";
    size_t i;

    for (i = 0; i < text.n && shape[i] != '\0'; i++) {
        bool fits = shape[i] == 'd'   ? isdigit((unsigned char)text.p[i])
                    : shape[i] == ' ' ? text.p[i] == ' ' || text.p[i] == 'T'
                                      : text.p[i] == shape[i];
        if (!fits)
            return 0;
    }
    return i == text.n && text.n == 10 ? 10 : i == 19 ? 19 : 0;
}

/* The time in milliseconds, fractions and offsets left out. The length of what was read, 0: no time. */
static size_t read_time(struct str text, int64_t *ms)
{
    char parsed[] = "0000-00-00T00:00:00Z";
    size_t length = time_length(text);

    if (length == 0)
        return 0;
    memcpy(parsed, text.p, length);
    parsed[10] = 'T';
    return time_parse(str_from(parsed), ms) == 0 ? length : 0; /* the 31st of February is text after all */
}

/* Writes a time as `like` is spelled, so that it compares as text. */
static int write_time(int64_t ms, struct str like, size_t length, struct buf *out)
{
    char text[TIME_TEXT_N];
    char between = length == 19 ? like.p[10] : 'T';

    time_format(ms, text);
    text[10] = between;
    return buf_add(out, text, length);
}

/* ---- overlap ---- */

static bool has_overlap(const struct sql_spec *spec)
{
    return spec->overlap != NULL && strtod(spec->overlap, NULL) > 0;
}

static int judge_number(const struct sqlite_mark *m, struct err *e)
{
    if (m->spec->overlap == NULL || sqltext_is_number(m->spec->overlap))
        return 0;
    return err_set(e, XS_CONFIG,
                   "%s: overlap: \"%s\" is a duration, but watermark column \"%s\" holds numbers; write a number", m->label,
                   m->spec->overlap, m->spec->watermark);
}

static int judge_text(const struct sqlite_mark *m, struct str text, struct err *e)
{
    int64_t ms;
    bool is_time = read_time(text, &ms) > 0;

    if (is_time && m->spec->overlap_ms > SQLTEXT_OVERLAP_MS_MAX)
        return err_set(e, XS_CONFIG, "%s: overlap: \"%s\" is longer than 3650d, the most for a time", m->label,
                       m->spec->overlap);
    if (is_time || !has_overlap(m->spec))
        return 0;
    return err_set(e, XS_CONFIG,
                   "%s: overlap: \"%s\" cannot be taken off text, which watermark column \"%s\" holds; set it to 0",
                   m->label, m->spec->overlap, m->spec->watermark);
}

/* ---- binding ---- */

static int bind_text(const struct sqlite_mark *m, sqlite3_stmt *stmt, int parameter, const char *stored, struct err *e)
{
    struct str text = str_from(stored);
    struct buf less = BUF_INIT(MARK_MAX);
    int64_t ms;

    if (judge_text(m, text, e) != 0)
        return -1;
    size_t length = m->spec->overlap_ms > 0 ? read_time(text, &ms) : 0;
    if (length > 0 && write_time(ms - m->spec->overlap_ms, text, length, &less) == 0)
        text = buf_str(&less);
    int code = sqlite3_bind_text(stmt, parameter, text.p, (int)text.n, SQLITE_TRANSIENT);
    buf_free(&less);
    return code == SQLITE_OK ? 0 : err_oom(e);
}

static int bind_smallest(const struct sqlite_mark *m, sqlite3_stmt *stmt, int parameter)
{
    if (m->affinity == AFFINITY_TEXT)
        return sqlite3_bind_text(stmt, parameter, "", 0, SQLITE_STATIC);
    if (m->affinity == AFFINITY_INTEGER)
        return sqlite3_bind_int64(stmt, parameter, INT64_MIN);
    return sqlite3_bind_double(stmt, parameter, -HUGE_VAL); /* below all numbers, which are below all text */
}

int sqlite_mark_bind(const struct sqlite_mark *m, sqlite3_stmt *stmt, int parameter, const char *stored, struct err *e)
{
    const char *overlap = m->spec->overlap != NULL ? m->spec->overlap : "0";
    char *end = NULL;

    /* Without this, the first value that is seen would end the read in the middle. */
    if (m->affinity == AFFINITY_INTEGER && judge_number(m, e) != 0)
        return -1;
    if (stored == NULL)
        return bind_smallest(m, stmt, parameter) == SQLITE_OK ? 0 : err_oom(e);
    /* As a number wherever it may be one: bound as text it would lie above every number, and nothing would be read. */
    if (m->affinity == AFFINITY_TEXT || *stored == '\0' || isspace((unsigned char)*stored))
        return bind_text(m, stmt, parameter, stored, e);
    errno = 0;
    long long integer = strtoll(stored, &end, 10);
    bool whole = errno == 0 && *end == '\0';
    double real = strtod(stored, &end);
    if (*end != '\0')
        return bind_text(m, stmt, parameter, stored, e);
    if (judge_number(m, e) != 0)
        return -1;
    if (!whole || strchr(overlap, '.') != NULL)
        return sqlite3_bind_double(stmt, parameter, real - strtod(overlap, NULL)) == SQLITE_OK ? 0 : err_oom(e);
    int64_t less;
    if (__builtin_sub_overflow((int64_t)integer, (int64_t)strtoll(overlap, NULL, 10), &less))
        less = INT64_MIN;
    return sqlite3_bind_int64(stmt, parameter, less) == SQLITE_OK ? 0 : err_oom(e);
}

/* ---- reading ---- */

static int see_text(struct sqlite_mark *m, struct str text, struct source_mark *out, struct err *e)
{
    int64_t ms;

    if (m->seen != SQLITE_TEXT) {
        if (judge_text(m, text, e) != 0)
            return -1;
        out->kind = read_time(text, &ms) > 0 ? MARK_TIME : MARK_TEXT;
        out->overlaps = out->kind == MARK_TIME && m->spec->overlap_ms > 0;
    }
    if (m->seen == SQLITE_TEXT && str_cmp(text, buf_str(&m->text)) <= 0)
        return 0;
    if (text.n >= MARK_MAX || memchr(text.p, '\0', text.n) != NULL)
        return 0; /* cannot be stored; a smaller mark is a safe one */
    buf_reset(&m->text);
    m->seen = SQLITE_TEXT;
    return buf_add(&m->text, text.p, text.n) == 0 ? 0 : err_oom(e);
}

static int see_number(struct sqlite_mark *m, double value, struct source_mark *out, struct err *e)
{
    if (!out->has_numbers) {
        if (judge_number(m, e) != 0)
            return -1;
        out->kind = out->kind == MARK_NONE ? MARK_NUMBER : out->kind;
        out->overlaps = out->overlaps || has_overlap(m->spec);
    }
    out->least = !out->has_numbers || value < out->least ? value : out->least;
    out->greatest = !out->has_numbers || value > out->greatest ? value : out->greatest;
    out->has_numbers = true;
    return 0;
}

int sqlite_mark_see(struct sqlite_mark *m, sqlite3_stmt *stmt, int column, struct source_mark *out, struct err *e)
{
    const char *text;
    int64_t integer;
    double real;

    switch (sqlite3_column_type(stmt, column)) {
    case SQLITE_INTEGER:
        integer = sqlite3_column_int64(stmt, column);
        if (see_number(m, (double)integer, out, e) != 0)
            return -1;
        if (m->seen == 0 || (m->seen == SQLITE_INTEGER && integer > m->integer) ||
            (m->seen == SQLITE_FLOAT && (double)integer > m->real)) {
            m->seen = SQLITE_INTEGER;
            m->integer = integer;
        }
        return 0;
    case SQLITE_FLOAT:
        real = sqlite3_column_double(stmt, column);
        if (!isfinite(real))
            return 0;
        if (see_number(m, real, out, e) != 0)
            return -1;
        if (m->seen == 0 || (m->seen == SQLITE_FLOAT && real > m->real) ||
            (m->seen == SQLITE_INTEGER && real > (double)m->integer)) {
            m->seen = SQLITE_FLOAT;
            m->real = real;
        }
        return 0;
    case SQLITE_TEXT:
        text = (const char *)sqlite3_column_text(stmt, column);
        return text == NULL ? err_oom(e)
                            : see_text(m, (struct str){text, (size_t)sqlite3_column_bytes(stmt, column)}, out, e);
    default: return 0; /* a blob cannot be a watermark */
    }
}

/* A time past the start of the read is no reason to skip what is written until then. */
static int finish_text(struct sqlite_mark *m, struct source_mark *out)
{
    struct buf now = BUF_INIT(MARK_MAX);
    int64_t ms;
    size_t length = read_time(buf_str(&m->text), &ms);
    int status = 0;

    if (length == 0)
        return 0;
    if (ms > m->now_ms) {
        status = write_time(m->now_ms, buf_str(&m->text), length, &now);
        buf_reset(&m->text);
        status = status == 0 ? buf_add(&m->text, now.p, now.n) : status;
        ms = m->now_ms;
    }
    out->has_age = true;
    out->age_ms = m->now_ms - ms;
    buf_free(&now);
    return status;
}

int sqlite_mark_finish(struct sqlite_mark *m, const char **value, struct source_mark *out)
{
    int status = 0;

    *value = NULL;
    if (m->seen == 0)
        return 0;
    if (m->seen == SQLITE_TEXT)
        status = finish_text(m, out);
    else if (m->seen == SQLITE_INTEGER)
        status = buf_addf(&m->text, "%" PRId64, m->integer);
    else
        status = buf_addf(&m->text, "%.17g", m->real);
    *value = status == 0 ? buf_cstr(&m->text) : NULL;
    return *value != NULL ? 0 : -1;
}
