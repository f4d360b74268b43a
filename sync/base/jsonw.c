/* Strings are what takes the time: they are searched eight bytes at a time for what JSON escapes, and clean runs are
 * copied whole. Numbers are printed by hand for the same reason. */
#include "config.h"

#include "sync/base/jsonw.h"

#include "sync/base/text.h"

#include <errno.h>
#include <math.h>
#include <string.h>

void jsonw_init(struct jsonw *w, struct buf *out)
{
    *w = (struct jsonw){.out = out};
}

void jsonw_init_output(struct jsonw *w, struct buf *out)
{
    *w = (struct jsonw){.out = out, .for_people = true};
}

/* Reports the first failure; errno would be another by the end. */
static void fail(struct jsonw *w, int errnum)
{
    if (!w->failed)
        w->errnum = errnum;
    w->failed = true;
}

static void add(struct jsonw *w, const char *p, size_t n)
{
    if (!w->failed && buf_add(w->out, p, n) != 0)
        fail(w, errno);
}

/* Is there a comma before the next value? A document is one value: a second one at the top is a mistake of the
 * caller. */
static bool comma_before(struct jsonw *w)
{
    bool comma = w->need_comma;
    if (comma && w->depth == 0)
        fail(w, EINVAL);
    w->need_comma = true;
    return comma;
}

static void separate(struct jsonw *w)
{
    if (comma_before(w))
        add(w, ",", 1);
}

/* Nesting is counted, not remembered: a writer that closes the wrong bracket is found by any test that parses. */
static void open(struct jsonw *w, const char *bracket)
{
    separate(w);
    add(w, bracket, 1);
    w->depth++;
    w->need_comma = false;
}

static void close(struct jsonw *w, const char *bracket)
{
    if (w->depth == 0) {
        fail(w, EINVAL);
        return;
    }
    add(w, bracket, 1);
    w->depth--;
    w->need_comma = true;
}

void jsonw_object(struct jsonw *w)
{
    open(w, "{");
}

void jsonw_object_end(struct jsonw *w)
{
    close(w, "}");
}

void jsonw_array(struct jsonw *w)
{
    open(w, "[");
}

void jsonw_array_end(struct jsonw *w)
{
    close(w, "]");
}

/* ---- strings ---- */

static const uint64_t ones = 0x0101010101010101u, highs = 0x8080808080808080u;

/* The high bit of a byte is set when the byte is below 0x20, a quote, a backslash or not ASCII. Bytes above a hit may
 * be set by its borrow; only whether there is any is asked. */
static uint64_t unclean(uint64_t word)
{
    uint64_t quote = word ^ ones * '"', backslash = word ^ ones * '\\';
    return ((word - ones * 0x20) | (quote - ones) | (backslash - ones) | word) & highs;
}

/* The same question for one byte, where the words end or one has hit. */
static bool clean_byte(unsigned char c)
{
    return c >= 0x20 && c != '"' && c != '\\' && c < 0x80;
}

/* Number of leading bytes that are copied as they are. */
static size_t clean_prefix(const char *p, size_t n)
{
    size_t i = 0;
    for (; i + 8 <= n; i += 8) {
        uint64_t word;
        memcpy(&word, p + i, 8);
        if (unclean(word) != 0)
            break;
    }
    while (i < n && clean_byte((unsigned char)p[i]))
        i++;
    return i;
}

/* Takes clean bytes and well-formed characters from the start of s. */
static size_t plain_prefix(const struct jsonw *w, struct str s)
{
    size_t i = 0;
    uint32_t code;
    if (s.n == 0) /* no arithmetic on a string that has no bytes */
        return 0;
    for (;;) {
        i += clean_prefix(s.p + i, s.n - i);
        if (i == s.n || (unsigned char)s.p[i] < 0x80)
            return i;
        size_t length = text_utf8_char(s.p + i, s.n - i);
        if (length == 0 || (w->for_people && text_hidden_char(s.p + i, length, &code) > 0))
            return i;
        i += length;
    }
}

static void add_unit(struct jsonw *w, uint32_t unit)
{
    static const char digits[] = "0123456789abcdef";
    add(w, (const char[]){'\\', 'u', digits[unit >> 12], digits[unit >> 8 & 15], digits[unit >> 4 & 15], digits[unit & 15]},
        6);
}

/* A hidden character; beyond U+FFFF it takes two units. */
static void add_hidden(struct jsonw *w, uint32_t code)
{
    if (code > 0xffff) {
        add_unit(w, 0xd800 + ((code - 0x10000) >> 10));
        code = 0xdc00 + ((code - 0x10000) & 0x3ff);
    }
    add_unit(w, code);
}

/* One byte that needs an escape. A byte that is not UTF-8 becomes U+FFFD: JSON has no other way to carry it. */
static void add_escaped(struct jsonw *w, unsigned char c)
{
    static const char shorts[] = "\"\"\\\\\bb\ff\nn\rr\tt"; /* pairs: the byte, its letter */
    for (size_t i = 0; i + 1 < sizeof shorts; i += 2) {
        if ((unsigned char)shorts[i] != c)
            continue;
        add(w, (const char[]){'\\', shorts[i + 1]}, 2);
        return;
    }
    if (c >= 0x80)
        add(w, "\xef\xbf\xbd", 3);
    else
        add_unit(w, c);
}

/* The slow way, for the few strings that need an escape: runs of plain bytes, and an escape between them. */
static void add_unclean(struct jsonw *w, struct str s, size_t plain)
{
    add(w, "\"", 1);
    for (;;) {
        add(w, s.p, plain);
        if (plain == s.n)
            break;
        uint32_t code;
        size_t n = w->for_people ? text_hidden_char(s.p + plain, s.n - plain, &code) : 0;
        if (n > 0)
            add_hidden(w, code);
        else
            add_escaped(w, (unsigned char)s.p[plain]);
        n = n > 0 ? n : 1;
        s.p += plain + n;
        s.n -= plain + n;
        plain = plain_prefix(w, s);
    }
    add(w, "\"", 1);
}

/* Copies clean bytes while they are looked at; `to` has room for them all. Returns how many it took before it met
 * something else, which the caller looks at more closely. */
static size_t copy_clean(char *to, const char *p, size_t n)
{
    size_t i = 0;
    for (uint64_t word; i + 8 <= n; i += 8) {
        memcpy(&word, p + i, 8);
        if (unclean(word) != 0)
            return i;
        memcpy(to + i, &word, 8);
    }
    for (; i < n && clean_byte((unsigned char)p[i]); i++)
        to[i] = p[i];
    return i;
}

/* A string with the comma before it and the colon after it, if needed. */
static void add_string(struct jsonw *w, struct str s, bool colon)
{
    enum { AROUND_N = 4 }; /* comma, two quotes, colon */
    bool comma = comma_before(w);
    if (w->failed)
        return;
    size_t plain = 0;
    if (buf_reserve(w->out, s.n + AROUND_N) == 0) {
        /* Nearly every string: one reservation, one copy. */
        char *start = w->out->p + w->out->n, *at = start;
        if (comma)
            *at++ = ',';
        *at++ = '"';
        size_t clean = copy_clean(at, s.p, s.n);
        plain = clean == s.n ? clean : clean + plain_prefix(w, (struct str){s.p + clean, s.n - clean});
        if (plain == s.n) {
            if (clean < s.n)
                memcpy(at + clean, s.p + clean, s.n - clean);
            at += s.n;
            *at++ = '"';
            if (colon)
                *at++ = ':';
            w->out->n += (size_t)(at - start);
            return;
        }
    } else {
        plain = plain_prefix(w, s);
    }
    if (comma)
        add(w, ",", 1);
    add_unclean(w, s, plain);
    if (colon)
        add(w, ":", 1);
}

void jsonw_key_plain(struct jsonw *w, struct str quoted)
{
    if (w->depth == 0)
        fail(w, EINVAL);
    separate(w);
    add(w, quoted.p, quoted.n);
    w->need_comma = false;
}

void jsonw_key_str(struct jsonw *w, struct str key)
{
    if (w->depth == 0)
        fail(w, EINVAL);
    add_string(w, key, true);
    w->need_comma = false;
}

void jsonw_key(struct jsonw *w, const char *key)
{
    jsonw_key_str(w, str_from(key));
}

void jsonw_str(struct jsonw *w, struct str s)
{
    add_string(w, s, false);
}

void jsonw_text(struct jsonw *w, const char *s)
{
    if (s == NULL)
        jsonw_null(w);
    else
        jsonw_str(w, str_from(s));
}

/* ---- everything else ---- */

/* 2^64 - 1 has twenty. */
enum { DIGITS_MAX = 20 };

static void add_digits(struct jsonw *w, uint64_t v)
{
    /* From the last digit to the first, without a format to be read each time. */
    char digits[DIGITS_MAX];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + v % 10);
        v /= 10;
    } while (v > 0);
    add(w, digits + at, sizeof digits - at);
}

void jsonw_int(struct jsonw *w, int64_t v)
{
    separate(w);
    if (v < 0)
        add(w, "-", 1);
    /* Negated as unsigned, where the smallest number has a counterpart. */
    add_digits(w, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

void jsonw_uint(struct jsonw *w, uint64_t v)
{
    separate(w);
    add_digits(w, v);
}

void jsonw_number(struct jsonw *w, double v, int decimals)
{
    /* JSON knows no infinity; null is at least honest. */
    if (!isfinite(v)) {
        jsonw_null(w);
        return;
    }
    /* The program never calls setlocale(LC_NUMERIC): the point is a point. */
    separate(w);
    if (!w->failed && buf_addf(w->out, "%.*f", decimals, v) != 0)
        fail(w, errno);
}

void jsonw_bool(struct jsonw *w, bool v)
{
    jsonw_raw(w, v ? STR("true") : STR("false"));
}

void jsonw_null(struct jsonw *w)
{
    jsonw_raw(w, STR("null"));
}

/* In JSON, hidden characters stand in strings only, where each has an escape. */
static void copy_output(struct jsonw *w, struct str json)
{
    size_t from = 0;
    for (size_t i = 0; i < json.n;) {
        uint32_t code;
        size_t n = text_hidden_char(json.p + i, json.n - i, &code);
        if (n > 0) {
            add(w, json.p + from, i - from);
            add_hidden(w, code);
            from = i + n;
        }
        i += n > 0 ? n : 1;
    }
    if (from < json.n)
        add(w, json.p + from, json.n - from);
}

void jsonw_raw(struct jsonw *w, struct str json)
{
    /* Taken at its word: who hands over raw JSON has made or checked it. */
    separate(w);
    if (w->for_people)
        copy_output(w, json);
    else
        add(w, json.p, json.n);
}

int jsonw_copy_output(struct str json, struct buf *out)
{
    struct jsonw w = {.out = out};
    copy_output(&w, json);
    errno = w.failed ? w.errnum : errno;
    return w.failed ? -1 : 0;
}

int jsonw_end(struct jsonw *w)
{
    /* need_comma at the top means that a value was written. */
    if (w->depth != 0 || !w->need_comma)
        fail(w, EINVAL);
    if (!w->failed)
        return 0;
    errno = w->errnum;
    return -1;
}
