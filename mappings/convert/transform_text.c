/* Steps that need no knowledge of what a text means: blanks, case, composition, digits, length. */
#include "config.h"

#include "mappings/convert/transform_steps.h"

#include <string.h>
#include <unicase.h>
#include <unictype.h>
#include <unigbrk.h>
#include <uninorm.h>
#include <unistr.h>

enum { GRAPHEMES_MAX = 1000000, GRAPHEMES_DIGITS = 7 };

bool transform_is_blank(uint32_t c)
{
    if (c < 0x80)
        return c == ' ' || (c >= '\t' && c <= '\r');
    /* U+200B zero-width space, U+2060 word joiner and U+FEFF, once a byte order mark, are not White_Space. */
    return uc_is_property_white_space(c) || c == 0x200b || c == 0x2060 || c == 0xfeff;
}

int transform_trim(const struct transform_step *step, struct str in, struct arena *scratch, struct str *out,
                   const char **why)
{
    const uint8_t *start = (const uint8_t *)in.p, *end = start + in.n;
    ucs4_t c;

    (void)step;
    (void)scratch;
    (void)why;
    while (start < end) {
        int n = u8_mbtouc(&c, start, (size_t)(end - start));
        if (!transform_is_blank(c))
            break;
        start += n;
    }
    while (end > start) {
        const uint8_t *last = u8_prev(&c, end, start);
        if (last == NULL || !transform_is_blank(c))
            break;
        end = last;
    }
    *out = (struct str){(const char *)start, (size_t)(end - start)};
    return 0;
}

int transform_squeeze(const struct transform_step *step, struct str in, struct arena *scratch, struct str *out,
                      const char **why)
{
    const uint8_t *at = (const uint8_t *)in.p, *end = at + in.n;
    bool in_run = false, changed = false;
    size_t n = 0;
    char *to = arena_alloc(scratch, in.n); /* never longer: each run becomes one byte */

    (void)step;
    (void)why;
    if (to == NULL)
        return -1;
    while (at < end) {
        ucs4_t c;
        int len = u8_mbtouc(&c, at, (size_t)(end - at));
        bool blank = transform_is_blank(c);
        changed |= blank && (in_run || c != ' ');
        if (blank && !in_run)
            to[n++] = ' ';
        if (!blank) {
            memcpy(to + n, at, (size_t)len);
            n += (size_t)len;
        }
        in_run = blank;
        at += len;
    }
    *out = changed ? (struct str){to, n} : in;
    return 0;
}

/* Case of plain ASCII, which most cells are. 1 when done, 0 when there is more than ASCII, -1 when memory is short. */
static int ascii_case(struct str in, char first, char last, struct arena *scratch, struct str *out)
{
    unsigned char beyond = 0;
    bool change = false;

    for (size_t i = 0; i < in.n; i++) {
        beyond |= (unsigned char)in.p[i];
        change |= in.p[i] >= first && in.p[i] <= last;
    }
    if (beyond >= 0x80)
        return 0;
    *out = in;
    if (!change)
        return 1;
    char *to = arena_alloc(scratch, in.n);
    if (to == NULL)
        return -1;
    for (size_t i = 0; i < in.n; i++)
        to[i] = in.p[i] >= first && in.p[i] <= last ? (char)(in.p[i] ^ 0x20) : in.p[i];
    out->p = to;
    return 1;
}

typedef uint8_t *unicode_case(const uint8_t *s, size_t n, const char *language, uninorm_t form, uint8_t *out, size_t *out_n);

/* Uses ASCII rules if they are enough, otherwise Unicode's tables. */
static int other_case(struct str in, char first, char last, unicode_case *by_unicode, struct arena *scratch, struct str *out)
{
    size_t n = 0;
    int rc = ascii_case(in, first, last, scratch, out);

    if (rc != 0)
        return rc < 0 ? -1 : 0;
    uint8_t *result = by_unicode((const uint8_t *)in.p, in.n, NULL, NULL, NULL, &n);
    return transform_keep(result, n, in, scratch, out);
}

int transform_lower(const struct transform_step *step, struct str in, struct arena *scratch, struct str *out,
                    const char **why)
{
    (void)step;
    (void)why;
    return other_case(in, 'A', 'Z', u8_tolower, scratch, out);
}

int transform_upper(const struct transform_step *step, struct str in, struct arena *scratch, struct str *out,
                    const char **why)
{
    (void)step;
    (void)why;
    return other_case(in, 'a', 'z', u8_toupper, scratch, out);
}

int transform_nfc(const struct transform_step *step, struct str in, struct arena *scratch, struct str *out, const char **why)
{
    size_t n = 0, i = 0;

    (void)step;
    (void)why;
    while (i < in.n && (unsigned char)in.p[i] < 0x80)
        i++;
    *out = in;
    if (i == in.n)
        return 0; /* ASCII is composed already */
    uint8_t *result = u8_normalize(UNINORM_NFC, (const uint8_t *)in.p, in.n, NULL, &n);
    return transform_keep(result, n, in, scratch, out);
}

/* Digits of all scripts become ASCII ones: a phone number that was typed in Arabic can still be dialled. */
int transform_digits(const struct transform_step *step, struct str in, struct arena *scratch, struct str *out,
                     const char **why)
{
    const uint8_t *at = (const uint8_t *)in.p, *end = at + in.n;
    size_t n = 0;
    char *to = arena_alloc(scratch, in.n);

    (void)step;
    (void)why;
    if (to == NULL)
        return -1;
    while (at < end) {
        ucs4_t c;
        at += u8_mbtouc(&c, at, (size_t)(end - at));
        int digit = c < 0x80 ? (c >= '0' && c <= '9' ? (int)c - '0' : -1) : uc_decimal_value(c);
        if (digit >= 0)
            to[n++] = (char)('0' + digit);
        else if ((c == '+' || c == 0xff0b) && n == 0)
            to[n++] = '+'; /* U+FF0B is the full-width one */
        else if (c == '(' && n > 0 && to[0] == '+' && end - at >= 2 && at[0] == '0' && at[1] == ')')
            at++; /* "+49 (0)30": the zero is dialled inside the country only */
    }
    if (n == 1 && to[0] == '+')
        n = 0;
    *out = n == in.n && memcmp(to, in.p, n) == 0 ? in : (struct str){to, n};
    return 0;
}

int transform_truncate_compile(const struct str *args, struct arena *arena, struct transform_step *out, struct flaw *flaw)
{
    size_t n = 0;

    (void)arena;
    for (size_t i = 0; i < args[0].n; i++) {
        if (args[0].p[i] < '0' || args[0].p[i] > '9' || i == GRAPHEMES_DIGITS)
            return transform_flaw(flaw, 0, i, "truncate takes a number of characters from 1 to 1000000");
        n = n * 10 + (size_t)(args[0].p[i] - '0');
    }
    if (n == 0 || n > GRAPHEMES_MAX)
        return transform_flaw(flaw, 0, 0, "truncate takes a number of characters from 1 to 1000000");
    out->as.graphemes = n;
    return 0;
}

/* The end of the character, as a reader counts them, that starts at `at`. The library's own iteration (1.0) looks at two
 * code points at a time, which is not enough for flags (GB12: a pair of regional indicators) and for people joined to a
 * family (GB11: emoji, zero-width joiner, emoji). */
static const uint8_t *character_end(const uint8_t *at, const uint8_t *end)
{
    ucs4_t before, c;
    at += u8_mbtouc(&before, at, (size_t)(end - at));
    bool emoji = uc_is_property_extended_pictographic(before); /* so far an emoji and what modifies it */
    bool joined = false;                                       /* an emoji and a joiner */
    size_t flags = uc_graphemeclusterbreak_property(before) == GBP_RI;

    while (at < end) {
        int n = u8_mbtouc(&c, at, (size_t)(end - at));
        int kind = uc_graphemeclusterbreak_property(c);
        bool is_emoji = uc_is_property_extended_pictographic(c);
        bool ends = uc_is_grapheme_break(before, c);
        if (kind == GBP_RI && flags > 0)
            ends = flags % 2 == 0;
        if (ends && !(joined && is_emoji))
            break;
        flags = kind == GBP_RI ? flags + 1 : 0;
        joined = emoji && c == 0x200d;
        emoji = is_emoji || (emoji && kind == GBP_EXTEND);
        before = c;
        at += n;
    }
    return at;
}

int transform_truncate(const struct transform_step *step, struct str in, struct arena *scratch, struct str *out,
                       const char **why)
{
    const uint8_t *start = (const uint8_t *)in.p, *at = start, *end = at + in.n;

    (void)scratch;
    (void)why;
    *out = in;
    if (in.n <= step->as.graphemes)
        return 0; /* no character is shorter than a byte */
    for (size_t i = 0; i < step->as.graphemes && at < end; i++)
        at = character_end(at, end);
    out->n = (size_t)(at - start);
    return 0;
}
