/* Nearly all data is ASCII: every function here runs over it in words and calls libunistring for the rest only. */
#include "config.h"

#include "sync/base/text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unicase.h>
#include <unictype.h>
#include <uninorm.h>
#include <uniwidth.h>

static const uint64_t ones = 0x0101010101010101u, high_bits = 0x8080808080808080u;

/* Number of leading ASCII bytes, found eight at a time. */
static size_t ascii_prefix(const char *p, size_t n)
{
    size_t i = 0;
    for (; i + 8 <= n; i += 8) {
        uint64_t word;
        memcpy(&word, p + i, 8);
        if ((word & high_bits) != 0)
            break;
    }
    while (i < n && (unsigned char)p[i] < 0x80)
        i++;
    return i;
}

/* 10xxxxxx: inside a character, never at its start. */
static bool continues(unsigned char c)
{
    return (c & 0xc0) == 0x80;
}

size_t text_utf8_char(const char *p, size_t n)
{
    const unsigned char *c = (const unsigned char *)p;
    if (n == 0)
        return 0;
    if (c[0] < 0x80)
        return 1;
    /* The ranges of Unicode's table 3-7: no overlong form, no surrogate, nothing past U+10FFFF. */
    if (c[0] >= 0xc2 && c[0] <= 0xdf)
        return n >= 2 && continues(c[1]) ? 2 : 0;
    if (c[0] >= 0xe0 && c[0] <= 0xef) {
        unsigned char low = c[0] == 0xe0 ? 0xa0 : 0x80, high = c[0] == 0xed ? 0x9f : 0xbf;
        return n >= 3 && c[1] >= low && c[1] <= high && continues(c[2]) ? 3 : 0;
    }
    if (c[0] >= 0xf0 && c[0] <= 0xf4) {
        unsigned char low = c[0] == 0xf0 ? 0x90 : 0x80, high = c[0] == 0xf4 ? 0x8f : 0xbf;
        return n >= 4 && c[1] >= low && c[1] <= high && continues(c[2]) && continues(c[3]) ? 4 : 0;
    }
    return 0;
}

/* Alternates between words of ASCII and single characters; either alone would be slow on the other's text. */
size_t text_utf8_prefix(struct str s)
{
    size_t i = 0;
    if (s.n == 0)
        return 0; /* nothing may have no address, and no arithmetic on it */
    for (;;) {
        i += ascii_prefix(s.p + i, s.n - i);
        if (i == s.n)
            return i;
        size_t length = text_utf8_char(s.p + i, s.n - i);
        if (length == 0)
            return i;
        i += length;
    }
}

bool text_is_utf8(struct str s)
{
    return text_utf8_prefix(s) == s.n;
}

bool text_is_ascii(struct str s)
{
    return ascii_prefix(s.p, s.n) == s.n;
}

/* ---- folding ---- */

/* Lower-cases the ASCII letters of eight bytes: the high bit of each sum says whether the byte is at least 'A', and
 * whether it is past 'Z'; bytes that are not ASCII are left alone. */
static uint64_t fold_word(uint64_t word)
{
    uint64_t low = word & ~high_bits;
    uint64_t from_a = low + ones * (0x80 - 'A'), past_z = low + ones * (0x80 - 'Z' - 1);
    return word | (from_a & ~past_z & ~word & high_bits) >> 2;
}

/* The tail goes through the same arithmetic in a word that is filled in part. */
static void fold_ascii(char *out, const char *in, size_t n)
{
    uint64_t word = 0;
    for (; n >= 8; n -= 8, in += 8, out += 8) {
        memcpy(&word, in, 8);
        word = fold_word(word);
        memcpy(out, &word, 8);
    }
    if (n == 0)
        return;
    memcpy(&word, in, n);
    word = fold_word(word);
    memcpy(out, &word, n);
}

/* Appends what libunistring makes of s, in place where it fits. */
static int fold_unicode(struct str s, uninorm_t norm, struct buf *out)
{
    /* A folded character takes at most three times its bytes (U+0390 becomes three of two bytes); where the buffer's
     * maximum is nearer, libunistring allocates, and buf_add() decides. */
    bool in_place = s.n <= SIZE_MAX / 3 && buf_reserve(out, s.n * 3) == 0;
    size_t length = in_place ? out->cap - out->n : 0;
    uint8_t *room = in_place ? (uint8_t *)out->p + out->n : NULL;
    uint8_t *folded = u8_casefold((const uint8_t *)s.p, s.n, NULL, norm, room, &length);
    if (folded == NULL)
        return -1;
    if (folded == room && length <= out->max - out->n) {
        out->n += length;
        return 0;
    }
    int result = buf_add(out, folded, length);
    if (folded != room)
        free(folded);
    return result;
}

/* One way in for both kinds of folding, so that the fast path is taken everywhere. */
static int fold(struct str s, uninorm_t norm, struct buf *out)
{
    if (s.n == 0)
        return 0;
    /* In bytes that are not text only ASCII letters have a case. */
    if (!text_is_ascii(s) && text_is_utf8(s))
        return fold_unicode(s, norm, out);
    if (buf_reserve(out, s.n) != 0)
        return -1;
    fold_ascii(out->p + out->n, s.p, s.n);
    out->n += s.n;
    return 0;
}

int text_fold(struct str s, struct buf *out)
{
    return fold(s, NULL, out);
}

/* ---- characters ---- */

/* One character of s: its code point and its bytes; a byte that is not UTF-8 comes alone, as -1. */
static int32_t text_take_char(struct str *s)
{
    const unsigned char *c = (const unsigned char *)s->p;
    size_t length = text_utf8_char(s->p, s->n);
    int32_t code = -1;
    if (length == 1)
        code = c[0];
    else if (length == 2)
        code = (c[0] & 0x1f) << 6 | (c[1] & 0x3f);
    else if (length == 3)
        code = (c[0] & 0x0f) << 12 | (c[1] & 0x3f) << 6 | (c[2] & 0x3f);
    else if (length == 4)
        code = (c[0] & 0x07) << 18 | (c[1] & 0x3f) << 12 | (c[2] & 0x3f) << 6 | (c[3] & 0x3f);
    length = length == 0 ? 1 : length;
    s->p += length;
    s->n -= length;
    return code;
}

int text_header_key(struct str s, struct buf *out)
{
    size_t start = out->n;
    if (fold(s, UNINORM_NFC, out) != 0)
        return -1;
    if (out->n == start)
        return 0; /* nothing was added, and the buffer may have no memory yet */
    /* Taken out after folding, in place: what remains is never longer. */
    struct str rest = {out->p + start, out->n - start};
    size_t kept = start;
    while (rest.n > 0) {
        const char *from = rest.p;
        int32_t code = text_take_char(&rest);
        bool dropped = code == '_' || code == '-' || code == '.' || code == 0xfeff ||
                       (code >= 0 && uc_is_property_white_space((ucs4_t)code));
        if (dropped)
            continue;
        size_t length = (size_t)(rest.p - from);
        memmove(out->p + kept, from, length);
        kept += length;
    }
    out->n = kept;
    return 0;
}

/* ---- showing ---- */

/* Characters that move the cursor, reorder text or hide in it. */
static bool is_unsafe(int32_t code)
{
    /* Nearly every character that is not ASCII is a letter of Europe or one above the ranges. */
    if (code > 0xad && code < 0x34f)
        return false;
    static const struct {
        int32_t first, last;
    } ranges[] = {
        {0x00, 0x1f},       {0x7f, 0x9f},                                         /* controls, escape among them */
        {0x061c, 0x061c},   {0x200e, 0x200f}, {0x202a, 0x202e}, {0x2066, 0x2069}, /* bidi */
        {0x2028, 0x2029},   {0xfeff, 0xfeff}, {0xfff9, 0xfffb},                   /* line breaks, BOM, annotations */
        {0xad, 0xad},       {0x34f, 0x34f},   {0x180e, 0x180e}, {0x200b, 0x200d}, /* no width: an address that */
        {0x2060, 0x2064},   {0x206a, 0x206f},                                     /* looks right and is not */
        {0xe0000, 0xe007f},                                                       /* tags: invisible ASCII */
        {0x115f, 0x1160},   {0x17b4, 0x17b5}, {0x3164, 0x3164}, {0xffa0, 0xffa0}, /* letters that are blank */
    };
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++)
        if (code >= ranges[i].first && code <= ranges[i].last)
            return true;
    return false;
}

size_t text_hidden_char(const char *p, size_t n, uint32_t *code)
{
    struct str s = {p, n};
    int32_t found = n > 0 && (unsigned char)*p >= 0x80 ? text_take_char(&s) : -1;
    if (found < 0 || !is_unsafe(found))
        return 0;
    *code = (uint32_t)found;
    return n - s.n;
}

/* Room for "\u{10ffff}". */
enum { ESCAPE_N = 16 };

/* How the character that starts s is shown: the bytes, in s or in `escape`, and its columns. Advances s. */
static struct str show_char(struct str *s, char escape[ESCAPE_N], size_t *columns)
{
    static const char digits[] = "0123456789abcdef";
    const char *from = s->p;
    int32_t code = text_take_char(s);
    if (code >= 0 && !is_unsafe(code)) {
        int width = code < 0x7f ? 1 : uc_width((ucs4_t)code, "UTF-8");
        *columns = width > 0 ? (size_t)width : 0;
        return (struct str){from, (size_t)(s->p - from)};
    }
    uint32_t value = code >= 0 ? (uint32_t)code : (unsigned char)*from;
    size_t n = 0;
    escape[n++] = '\\';
    escape[n++] = code >= 0 ? 'u' : 'x';
    escape[n++] = '{';
    int shift = 20;
    while (shift > 0 && value >> shift == 0)
        shift -= 4;
    for (; shift >= 0; shift -= 4)
        escape[n++] = digits[value >> shift & 15];
    escape[n++] = '}';
    *columns = n;
    return (struct str){escape, n};
}

/* What text_show() would take, so that a table can be laid out before it is printed. */
size_t text_width(struct str s)
{
    char escape[ESCAPE_N];
    size_t width = 0, columns;
    while (s.n > 0) {
        show_char(&s, escape, &columns);
        width += columns;
    }
    return width;
}

size_t text_fitting(struct str s, size_t columns)
{
    char escape[ESCAPE_N];
    struct str rest = s;
    size_t used = 0, n = 0, width;
    while (rest.n > 0) {
        show_char(&rest, escape, &width);
        used += width;
        if (used > columns && n > 0)
            break;
        n = s.n - rest.n;
    }
    return n;
}

int text_show(struct str s, size_t max_columns, struct buf *out)
{
    static const char ellipsis[] = "\xe2\x80\xa6";
    char escape[ESCAPE_N];
    size_t start = out->n, columns, used = 0;
    size_t fits = out->n; /* where the text ends if it must be cut: one column is left for the ellipsis */
    while (s.n > 0) {
        struct str shown = show_char(&s, escape, &columns);
        if (max_columns > 0 && used + columns > max_columns) {
            out->n = fits;
            if (buf_adds(out, ellipsis) == 0)
                return 0;
            goto fail;
        }
        if (buf_add(out, shown.p, shown.n) != 0)
            goto fail;
        used += columns;
        if (used < max_columns)
            fits = out->n;
    }
    return 0;
fail:
    out->n = start;
    return -1;
}

/* ---- escaping ---- */

const char *text_plural(unsigned long long n)
{
    return n == 1 ? "" : "s";
}

/* Every delimiter in use counts, so that a cell is right whichever the file has. */
static bool must_quote(char c)
{
    return c == ',' || c == ';' || c == '\t' || c == '|' || c == '"' || c == '\r' || c == '\n';
}

int text_csv_cell(struct str s, bool guard, struct buf *out)
{
    size_t start = out->n;
    bool quoted = false;
    for (size_t i = 0; i < s.n && !quoted; i++)
        quoted = must_quote(s.p[i]);
    /* Spreadsheets run cells that start like this as formulas. */
    bool guarded = guard && s.n > 0 && s.p[0] != '\0' && strchr("=+-@\t\r", s.p[0]) != NULL;
    if ((quoted && buf_addc(out, '"') != 0) || (guarded && buf_addc(out, '\'') != 0))
        goto fail;
    while (s.n > 0) {
        const char *quote = quoted ? memchr(s.p, '"', s.n) : NULL;
        size_t run = quote != NULL ? (size_t)(quote - s.p) + 1 : s.n;
        if (buf_add(out, s.p, run) != 0 || (quote != NULL && buf_addc(out, '"') != 0))
            goto fail;
        s.p += run;
        s.n -= run;
    }
    if (quoted && buf_addc(out, '"') != 0)
        goto fail;
    return 0;
fail:
    out->n = start;
    return -1;
}

/* U+0300 to U+036F: an accent that stands apart from its letter. */
static bool is_accent(const char *p, size_t n)
{
    unsigned char a = (unsigned char)p[0], b = n > 1 ? (unsigned char)p[1] : 0;
    return (a == 0xCC && b >= 0x80) || (a == 0xCD && b >= 0x80 && b <= 0xAF);
}

size_t text_slug(struct str s, char *out)
{
    size_t n = 0, apart_n = 0;
    /* Without memory, or of bytes that are not UTF-8, a letter with an accent is a sign like others. */
    uint8_t *apart = text_is_ascii(s) || !text_is_utf8(s)
                         ? NULL
                         : u8_normalize(UNINORM_NFD, (const uint8_t *)s.p, s.n, NULL, &apart_n);
    if (apart != NULL)
        s = (struct str){(const char *)apart, apart_n};
    for (size_t i = 0; i < s.n && n < TEXT_SLUG_MAX; i++) {
        char c = s.p[i] >= 'A' && s.p[i] <= 'Z' ? (char)(s.p[i] | 0x20) : s.p[i];
        bool alnum = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (alnum || (n > 0 && (c == '.' || c == '_')))
            out[n++] = c;
        else if (is_accent(s.p + i, s.n - i))
            i++;
        else if (n > 0 && out[n - 1] != '-')
            out[n++] = '-';
    }
    while (n > 0 && out[n - 1] == '-')
        n--;
    out[n] = '\0';
    free(apart);
    return n;
}
