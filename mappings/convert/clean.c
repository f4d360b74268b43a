/* The step `clean`. Only whole cells are judged: "NULL" is a placeholder, "NULL Records" a company. */
#include "config.h"

#include "mappings/convert/clean.h"
#include "mappings/convert/profile.h"

#include "mappings/convert/transform_steps.h"

#include <string.h>
#include <unistr.h>

enum { HASHES_MIN = 3, EXPONENT_DIGITS = 2 };

/* Invisible characters that copying leaves around a text. Inside a text some of them join letters or emoji, so they count
 * at its ends only. Tags (U+E0020 and on) do not: the flag of Scotland ends with one. */
static bool is_edge(uint32_t c, bool marks)
{
    if (c < 0x80)
        return c == ' ' || (c >= '\t' && c <= '\r');
    return transform_is_blank(c) || c == 0xad || c == 0x180e || c == 0x200c || c == 0x200d || (c >= 0x2061 && c <= 0x2064) ||
           (marks && (c == 0x200e || c == 0x200f || (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x206f)));
}

static struct str trim(struct str s, bool marks)
{
    const uint8_t *start = (const uint8_t *)s.p, *end = start + s.n;
    ucs4_t c;

    while (start < end) {
        int n = u8_mbtouc(&c, start, (size_t)(end - start));
        if (!is_edge(c, marks))
            break;
        start += n;
    }
    while (end > start) {
        const uint8_t *last = u8_prev(&c, end, start);
        if (last == NULL || !is_edge(c, marks))
            break;
        end = last;
    }
    return (struct str){(const char *)start, (size_t)(end - start)};
}

struct str clean_trim(struct str s)
{
    return trim(s, false);
}

struct str clean_trim_marks(struct str s)
{
    return trim(s, true);
}

/* "Null", "Nan": a capital, then small letters only. */
static bool is_capitalised(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (i == 0 ? s.p[i] < 'A' || s.p[i] > 'Z' : s.p[i] < 'a' || s.p[i] > 'z')
            return false;
    return s.n > 0;
}

static bool is_hashes(struct str s)
{
    size_t n = 0;
    while (n < s.n && s.p[n] == '#')
        n++;
    return n >= HASHES_MIN && n == s.n;
}

bool clean_is_placeholder(struct str s, bool of_person)
{
    static const char *const words[] = {"null",  "n/a",     "nan",     "none",   "undefined", "#n/a",
                                        "#ref!", "#value!", "#div/0!", "#name?", "#null!",    "#num!"};

    if (str_is(s, "\\N") || is_hashes(s))
        return true;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (str_eq_nocase(s, str_from(words[i])))
            return !of_person || !is_capitalised(s);
    return false;
}

static size_t clean_digits_at(struct str s, size_t at)
{
    size_t n = 0;
    while (at + n < s.n && s.p[at + n] >= '0' && s.p[at + n] <= '9')
        n++;
    return n;
}

bool clean_is_cut_number(struct str s)
{
    size_t at = s.n > 0 && (s.p[0] == '-' || s.p[0] == '+');

    if (clean_digits_at(s, at) != 1)
        return false;
    at++;
    if (at < s.n && (s.p[at] == '.' || s.p[at] == ',')) {
        size_t fraction = clean_digits_at(s, at + 1);
        if (fraction == 0)
            return false;
        at += 1 + fraction;
    }
    return at + 2 < s.n && s.p[at] == 'E' && s.p[at + 1] == '+' && clean_digits_at(s, at + 2) >= EXPONENT_DIGITS &&
           at + 2 + clean_digits_at(s, at + 2) == s.n;
}

/* The second byte of two of a Latin letter (0x80 to 0xBF), as Windows-1252 shows it. */
static bool is_second_byte(ucs4_t c)
{
    static const uint16_t others[] = {0x20ac, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030,
                                      0x0160, 0x2039, 0x0152, 0x017d, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
                                      0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0x017e, 0x0178};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (c == others[i])
            return true;
    return c >= 0x80 && c <= 0xbf && c != 0xa0; /* a blank may follow a real "Ã" */
}

bool clean_is_mangled(struct str s)
{
    const char *end = s.p + s.n, *p = s.p;
    /* "Ã" is C3 83 in UTF-8; the first byte of all of them. */
    while ((p = memchr(p, 0xc3, (size_t)(end - p))) != NULL && end - p > 3) {
        ucs4_t c;
        if ((unsigned char)p[1] == 0x83 && u8_mbtoucr(&c, (const uint8_t *)p + 2, (size_t)(end - p - 2)) > 0 &&
            is_second_byte(c))
            return true;
        p++;
    }
    return false;
}

/* True if the text after an apostrophe is an address, or would be a formula, a number or a date to a spreadsheet: then the
 * apostrophe is a text guard. Before letters it belongs to the text: 't Hooft, 's-Hertogenbosch, '68er Verlag. */
static bool is_guarded(struct str s)
{
    bool letters = false, blank = false, at_sign = false;

    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        letters |= (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
        letters |= c >= 0x80;
        blank |= c == ' ' || c == '\t';
        at_sign |= c == '@' && i > 0;
    }
    if (s.n == 0 || s.p[s.n - 1] == '\'')
        return false; /* 'quoted' */
    return memchr("=+-@", s.p[0], 4) != NULL || (!letters && clean_digits_at(s, 0) > 0) || (at_sign && !blank);
}

/* ="0047": the formula that keeps a spreadsheet from counting. Quotes inside are doubled; other formulas are not guards. */
static int formula_text(struct str s, struct arena *scratch, struct str *out)
{
    struct str inner = {s.p + 2, s.n - 3};
    size_t pairs = 0, n = 0;

    *out = s;
    for (size_t i = 0; i < inner.n; i++) {
        if (inner.p[i] != '"')
            continue;
        if (i + 1 == inner.n || inner.p[i + 1] != '"')
            return 0;
        pairs++;
        i++;
    }
    *out = inner;
    if (pairs == 0)
        return 0;
    char *to = arena_alloc(scratch, inner.n - pairs);
    if (to == NULL)
        return -1;
    for (size_t i = 0; i < inner.n; i++) {
        to[n++] = inner.p[i];
        i += inner.p[i] == '"';
    }
    *out = (struct str){to, n};
    return 0;
}

int transform_clean(const struct transform_step *step, struct str in, struct arena *scratch, struct str *out,
                    const char **why)
{
    struct str s = in;

    (void)why;
    *out = in;
    if (clean_leaves(in.p, in.n)) {
        out->n = step->as.clean.website && profile_page(in) ? 0 : in.n;
        return 0;
    }
    /* A guard may enclose another guard, with blanks around each. Every turn removes at least one byte, so the loop ends. */
    for (;;) {
        struct str before = s = clean_trim(s);
        if (s.n > 1 && s.p[0] == '\'' && is_guarded((struct str){s.p + 1, s.n - 1}))
            s = (struct str){s.p + 1, s.n - 1};
        else if (s.n > 2 && s.p[0] == '=' && s.p[1] == '"' && s.p[s.n - 1] == '"' && formula_text(s, scratch, &s) != 0)
            return -1;
        if (s.n == before.n)
            break;
    }
    bool nothing = clean_is_placeholder(s, step->as.clean.of_person) || (step->as.clean.website && profile_page(s));
    *out = nothing ? (struct str){s.p, 0} : s;
    return 0;
}
