/* Borrowed strings: comparisons, trimming, and the nearest word for "did you mean". */
#include "config.h"

#include "sync/base/str.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* printf() takes an int for a precision, and a negative one would mean "all". */
int str_len_int(struct str s)
{
    return s.n > INT_MAX ? INT_MAX : (int)s.n;
}

struct str str_from(const char *text)
{
    return text != NULL ? (struct str){text, strlen(text)} : STR_NONE;
}

bool str_eq(struct str a, struct str b)
{
    /* memcmp must not see the NULL of an empty string. */
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool str_is(struct str a, const char *text)
{
    return str_eq(a, str_from(text));
}

/* Not tolower(): that one asks the locale, and Turkish has another idea of I. */
static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

bool str_eq_nocase(struct str a, struct str b)
{
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++)
        if (lower(a.p[i]) != lower(b.p[i]))
            return false;
    return true;
}

/* Bytes, not characters: of UTF-8 that is the order of code points. */
int str_cmp(struct str a, struct str b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int order = n == 0 ? 0 : memcmp(a.p, b.p, n);
    if (order != 0)
        return order;
    return a.n < b.n ? -1 : a.n > b.n;
}

/* Length of the blank at the start of s, 0 when there is none. */
static size_t blank_at(const char *p, size_t n)
{
    if (*p == ' ' || (*p >= '\t' && *p <= '\r'))
        return 1;
    if (n >= 2 && memcmp(p, "\xc2\xa0", 2) == 0)
        return 2;
    if (n >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0)
        return 3;
    return 0;
}

/* Length of the blank that ends at p + n. UTF-8 is self-synchronising: a match of these bytes is the whole
 * character. */
static size_t blank_before(const char *p, size_t n)
{
    for (size_t back = 1; back <= 3 && back <= n; back++)
        if (blank_at(p + n - back, back) == back)
            return back;
    return 0;
}

/* NBSP comes from web pages, the BOM from files that were joined; both look like nothing at all. */
struct str str_trim(struct str s)
{
    size_t blank;
    while (s.n > 0 && (blank = blank_at(s.p, s.n)) > 0) {
        s.p += blank;
        s.n -= blank;
    }
    while (s.n > 0 && (blank = blank_before(s.p, s.n)) > 0)
        s.n -= blank;
    return s;
}

const char *str_find(struct str in, struct str what)
{
    /* memmem() is never slow, but makes a table for each search; for short texts their first byte is enough. */
    enum { SHORT_MAX = 64 };
    if (what.n == 0 || what.n > in.n)
        return NULL;
    if (what.n > SHORT_MAX)
        return memmem(in.p, in.n, what.p, what.n);
    const char *at = in.p, *last = in.p + in.n - what.n;
    while (at <= last && (at = memchr(at, what.p[0], (size_t)(last - at) + 1)) != NULL) {
        if (memcmp(at, what.p, what.n) == 0)
            return at;
        at++;
    }
    return NULL;
}

char *str_dup(struct str s)
{
    /* s.n + 1 cannot wrap: no object is as large as that. */
    char *copy = malloc(s.n + 1);
    if (copy == NULL)
        return NULL;
    if (s.n > 0)
        memcpy(copy, s.p, s.n);
    copy[s.n] = '\0';
    return copy;
}

/* Longer words than this are not typing slips of option, key or column names worth guessing at. */
enum { NEAREST_MAX = 63 };

/* Of the three ways to get to a cell of the table: drop, add, replace. */
static unsigned min3(unsigned a, unsigned b, unsigned c)
{
    unsigned m = a < b ? a : b;
    return m < c ? m : c;
}

/* Edit distance where a swap of two neighbours is one slip (optimal string alignment), without regard to ASCII case. */
static unsigned distance(struct str a, struct str b)
{
    /* Three rows of the table are enough: a swap looks back two. */
    unsigned rows[3][NEAREST_MAX + 1];
    unsigned *before = rows[0], *last = rows[1], *now = rows[2];
    for (size_t j = 0; j <= b.n; j++)
        last[j] = before[j] = (unsigned)j;
    for (size_t i = 1; i <= a.n; i++) {
        now[0] = (unsigned)i;
        for (size_t j = 1; j <= b.n; j++) {
            char x = lower(a.p[i - 1]), y = lower(b.p[j - 1]);
            now[j] = min3(last[j] + 1, now[j - 1] + 1, last[j - 1] + (x != y));
            if (i > 1 && j > 1 && x == lower(b.p[j - 2]) && lower(a.p[i - 2]) == y && before[j - 2] + 1 < now[j])
                now[j] = before[j - 2] + 1;
        }
        unsigned *spare = before;
        before = last;
        last = now;
        now = spare;
    }
    return last[b.n];
}

/* One slip in three letters; a word of two letters must be nearly right. */
static size_t slips_in_text(size_t n)
{
    return (n + 2) / 3;
}

static size_t slips_in_command(size_t n)
{
    return n < 4 ? 0 : n < 8 ? 1 : 2;
}

static const char *nearest(struct str word, const char *const *candidates, size_t n, size_t (*slips)(size_t))
{
    const char *best = NULL;
    unsigned best_distance = 0;
    if (word.n == 0 || word.n > NEAREST_MAX)
        return NULL;
    for (size_t i = 0; i < n; i++) {
        struct str candidate = str_from(candidates[i]);
        if (candidate.n > NEAREST_MAX)
            continue;
        unsigned d = distance(word, candidate);
        size_t longer = word.n > candidate.n ? word.n : candidate.n;
        if (d > slips(longer) || d >= longer)
            continue;
        if (best == NULL || d < best_distance) {
            best = candidates[i];
            best_distance = d;
        }
    }
    return best;
}

const char *str_nearest(struct str word, const char *const *candidates, size_t n)
{
    return nearest(word, candidates, n, slips_in_text);
}

const char *str_near_miss(struct str word, const char *const *candidates, size_t n)
{
    return nearest(word, candidates, n, slips_in_command);
}
