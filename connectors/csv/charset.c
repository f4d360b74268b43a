#include "config.h"

#include "connectors/csv/charset.h"

#include "sync/base/text.h"

#include <iconv.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <uchardet/uchardet.h>
#include <unictype.h>
#include <unistr.h>

enum {
    SAMPLE_MAX = 32 * 1024, /* bytes of words that are judged: some thousand names */
    WORDS_ENOUGH = 20,      /* words beyond ASCII from which on the library is right about languages that it knows */
    ODD_SHARE = 20,         /* one odd word in this many is a typing error */
};

/* What spreadsheets and mail programs save. The library's names on the left; a reading on the right that is a superset
 * (Windows-1252 has signs where ISO-8859-1 has controls that no text holds). `always`: a reading worth a try even when the
 * library proposes another, in this order. */
static const struct page {
    const char *proposed, *name;
    bool always;
} page_table[] = {
    {"WINDOWS-1252", "WINDOWS-1252", true},
    {"ISO-8859-1", "WINDOWS-1252", false},
    {"ISO-8859-3", "WINDOWS-1252", false}, /* no program saves these three; they are proposed for a few Western names */
    {"ISO-8859-10", "WINDOWS-1252", false},
    {"ISO-8859-14", "WINDOWS-1252", false},
    {"ISO-8859-15", "ISO-8859-15", false},
    {"MACINTOSH", "MACINTOSH", true},
    {"WINDOWS-1250", "WINDOWS-1250", true},
    {"WINDOWS-1251", "WINDOWS-1251", true},
    {"WINDOWS-1253", "WINDOWS-1253", true},
    {"WINDOWS-1254", "WINDOWS-1254", false},
    {"ISO-8859-9", "WINDOWS-1254", false},
    {"WINDOWS-1255", "WINDOWS-1255", false},
    {"ISO-8859-8", "WINDOWS-1255", false},
    {"WINDOWS-1256", "WINDOWS-1256", false},
    {"WINDOWS-1257", "WINDOWS-1257", false},
    {"ISO-8859-13", "WINDOWS-1257", false},
    {"WINDOWS-1258", "WINDOWS-1258", false},
    {"ISO-8859-2", "ISO-8859-2", false},
    {"ISO-8859-5", "ISO-8859-5", false},
    {"ISO-8859-7", "ISO-8859-7", false},
    {"ISO-8859-16", "ISO-8859-16", false},
    {"KOI8-R", "KOI8-R", false},
    {"IBM866", "IBM866", false},
    {"IBM852", "IBM852", false},
    {"TIS-620", "TIS-620", false},
    {"SHIFT_JIS", "CP932", false},
    {"EUC-JP", "EUC-JP", false},
    {"EUC-KR", "CP949", false},
    {"UHC", "CP949", false},
    {"GB18030", "GB18030", false},
    {"BIG5", "BIG5", false},
};

enum { PAGES = sizeof page_table / sizeof page_table[0] };

/* The sample as one code page reads it. */
struct reading {
    const char *name;
    struct buf text; /* its words, one per line */
};

/* Signs that stand at a word without being a part of it: before its first letter, behind its last one, or (an
 * apostrophe, a dash) between two letters. */
static bool is_sign_before(ucs4_t c)
{
    return u32_strchr((const uint32_t[]){0x201c, 0x201e, 0x2018, 0x201a, 0x2019, 0xab, 0xbb, 0x2013, 0x2014, 0xa9, 0xa7,
                                         0xa1, 0xbf, 0x2022, 0xb7, 0x2026, 0x2116, 0},
                      c) != NULL;
}

static bool is_sign_behind(ucs4_t c)
{
    return u32_strchr((const uint32_t[]){0x201d, 0x201c, 0x2019, 0xab, 0xbb, 0x2013, 0x2014, 0x20ac, 0x2122, 0xae, 0xa9,
                                         0xb0, 0xb2, 0xb3, 0x2026, 0xaa, 0xba, 0},
                      c) != NULL;
}

static bool is_sign_between(ucs4_t c)
{
    return u32_strchr((const uint32_t[]){0x2019, 0x2013, 0x2014, 0xb7, 0xb4, 0}, c) != NULL;
}

static bool charset_is_letter(ucs4_t c)
{
    /* Letters to Unicode, signs in a name: the ordinals, the florin and marks that stand alone. */
    if (c == 0xaa || c == 0xba || c == 0x192)
        return false;
    return uc_is_general_category_withtable(c, (UC_CATEGORY_MASK_L & ~(uint32_t)UC_CATEGORY_MASK_Lm) | UC_CATEGORY_MASK_M);
}

/* Could this be a written word? Counts its letters. */
static bool charset_is_word(struct str word, size_t *letters, size_t *beyond)
{
    const uint8_t *p = (const uint8_t *)word.p, *end = p + word.n;
    const uc_script_t *script = NULL;
    ucs4_t c = 0, before = 0;

    for (int n; p < end; p += n, before = c) {
        n = u8_mbtouc(&c, p, (size_t)(end - p));
        ucs4_t after = 0;
        if (p + n < end)
            u8_mbtouc(&after, p + n, (size_t)(end - p - n));
        if (uc_is_general_category_withtable(c, UC_CATEGORY_MASK_Cc | UC_CATEGORY_MASK_Co | UC_CATEGORY_MASK_Cn))
            return false;
        if (!charset_is_letter(c)) {
            bool behind = charset_is_letter(before), ahead = charset_is_letter(after);
            if (c >= 0x80 && ((behind && ahead && !is_sign_between(c)) || (behind && !ahead && !is_sign_behind(c)) ||
                              (!behind && ahead && !is_sign_before(c))))
                return false;
            continue;
        }
        (*letters)++;
        *beyond += c >= 0x80;
        const uc_script_t *of = uc_script(c);
        bool common = of == NULL || strcmp(of->name, "Common") == 0 || strcmp(of->name, "Inherited") == 0;
        if (!common && script != NULL && of != script &&
            (strcmp(of->name, "Latin") == 0 || strcmp(script->name, "Latin") == 0))
            return false;
        script = common ? script : of;
        if (c >= 0x80 && uc_is_property_uppercase(c) && charset_is_letter(before) && uc_is_property_lowercase(before))
            return false;
    }
    return true;
}

/* A text whose letters are mostly beyond ASCII is in another script, not in Latin letters with accents. */
static bool is_latin_in_disguise(const struct buf *text, size_t letters, size_t beyond)
{
    ucs4_t c = 0;

    for (size_t i = 0; i < text->n;) {
        int n = u8_mbtouc(&c, (const uint8_t *)text->p + i, text->n - i);
        if (c >= 0x80 && charset_is_letter(c)) {
            const uc_script_t *of = uc_script(c);
            return of != NULL && strcmp(of->name, "Latin") == 0 && beyond * 3 > letters * 2;
        }
        i += (size_t)n;
    }
    return false;
}

/* Reads the words as `name` would. 1: it makes words of them; 0: it does not; -1: no memory. */
static int read_as(struct str words, const char *name, struct reading *r)
{
    iconv_t cd = iconv_open("UTF-8", name);
    char *in = (char *)(uintptr_t)words.p;
    size_t in_n = words.n, letters = 0, beyond = 0, odd = 0, n = 0;

    r->name = name;
    buf_init(&r->text, SIZE_MAX);
    if (cd == (iconv_t)-1)
        return 0; /* a C library with fewer code pages */
    int rc = buf_reserve(&r->text, words.n * 4);
    if (rc == 0) {
        char *out = r->text.p;
        size_t left = words.n * 4;
        if (iconv(cd, &in, &in_n, &out, &left) == 0)
            r->text.n = (size_t)(out - r->text.p);
    }
    iconv_close(cd);
    if (rc != 0)
        return -1;
    const char *p = r->text.p, *stop;
    for (size_t left = r->text.n; left > 0 && (stop = memchr(p, '\n', left)) != NULL; p = stop + 1, n++) {
        odd += !charset_is_word((struct str){p, (size_t)(stop - p)}, &letters, &beyond);
        left -= (size_t)(stop - p) + 1;
    }
    return n > 0 && odd * ODD_SHARE <= n && !is_latin_in_disguise(&r->text, letters, beyond);
}

/* Bytes that end a word. Two-byte code pages have ASCII letters as second bytes, and none of these. */
static bool is_between_words(char c)
{
    return (c >= 0 && c <= ' ') || strchr(",;|\"<>()", c) != NULL;
}

/* The words of a sample, one per line: those beyond ASCII into `high`, all into `all`. Addresses and numbers prove nothing. */
static int collect_words(struct str bytes, struct buf *all, struct buf *high, size_t *high_n)
{
    int rc = 0;

    for (size_t at = 0, stop; at < bytes.n && all->n < SAMPLE_MAX && rc == 0; at = stop + 1) {
        bool beyond = false, word = false;
        for (stop = at; stop < bytes.n && !is_between_words(bytes.p[stop]); stop++) {
            beyond |= (unsigned char)bytes.p[stop] >= 0x80;
            word = true;
        }
        if (!word || memchr(bytes.p + at, '@', stop - at) != NULL)
            continue;
        rc = buf_add(all, bytes.p + at, stop - at) != 0 || buf_addc(all, '\n') != 0;
        if (rc == 0 && beyond) {
            rc = buf_add(high, bytes.p + at, stop - at) != 0 || buf_addc(high, '\n') != 0;
            ++*high_n;
        }
    }
    return rc == 0 ? 0 : -1;
}

/* What the library proposes, as a row of the table; NULL: a code page that no program saves, or nothing. */
static int propose(const struct buf *all, const struct page **page)
{
    uchardet_t u = uchardet_new();

    *page = NULL;
    if (u == NULL)
        return -1;
    if (uchardet_handle_data(u, all->p, all->n) == 0) {
        uchardet_data_end(u);
        for (size_t i = 0; i < PAGES; i++) {
            if (strcasecmp(page_table[i].proposed, uchardet_get_charset(u)) == 0)
                *page = &page_table[i];
        }
    }
    uchardet_delete(u);
    return 0;
}

static bool same_text(const struct reading *a, const struct reading *b)
{
    return a->text.n == b->text.n && memcmp(a->text.p, b->text.p, a->text.n) == 0;
}

/* Adds "word" (code page), of the first word that two readings do not share. */
static int show_reading(const struct reading *r, size_t line, bool with_name, struct buf *out)
{
    const char *p = r->text.p, *end = p + r->text.n;

    for (const char *stop; line > 0 && (stop = memchr(p, '\n', (size_t)(end - p))) != NULL; line--)
        p = stop + 1;
    const char *stop = memchr(p, '\n', (size_t)(end - p));
    if (buf_addc(out, '"') != 0 || text_show((struct str){p, (size_t)((stop != NULL ? stop : end) - p)}, 40, out) != 0 ||
        buf_addc(out, '"') != 0)
        return -1;
    return with_name ? buf_addf(out, " (%s)", r->name) : 0;
}

/* The first line in which two readings differ; 0 where they do not. */
static size_t first_difference(const struct reading *a, const struct reading *b)
{
    size_t line = 0;

    for (size_t i = 0; i < a->text.n && i < b->text.n; i++) {
        if (a->text.p[i] != b->text.p[i])
            return line;
        line += a->text.p[i] == '\n';
    }
    return 0;
}

/* The reading to use among those that make words: the library's, under the commonest name that gives the same text; else
 * the first. What Windows-1252 reads as well is only certain when the library agrees, or has had enough text. */
static const struct reading *choose(const struct reading *list, size_t n, const struct page *page, size_t words,
                                    bool *certain)
{
    const struct reading *first = &list[0], *proposed = NULL, *other = NULL;

    for (size_t i = 0; i < n; i++) {
        if (page != NULL && strcmp(list[i].name, page->name) == 0)
            proposed = &list[i];
        if (!same_text(&list[i], first))
            other = &list[i];
    }
    bool western = strcmp(first->name, "WINDOWS-1252") == 0;
    *certain = other == NULL || (proposed != NULL && (!western || same_text(proposed, first) || words >= WORDS_ENOUGH));
    if (other == NULL || proposed == NULL)
        return first;
    for (; !same_text(first, proposed); first++)
        ;
    return first;
}

static int charset_describe(const struct reading *list, size_t n, const struct reading *chosen, struct charset_guess *g)
{
    const struct reading *other = chosen;

    for (size_t i = 0; i < n && same_text(other, chosen); i++)
        other = &list[i];
    if (g->certain || same_text(other, chosen))
        return show_reading(chosen, 0, false, &g->shown);
    size_t line = first_difference(chosen, other);
    return show_reading(chosen, line, true, &g->shown) != 0 || buf_adds(&g->shown, " or ") != 0 ||
                   show_reading(other, line, true, &g->shown) != 0
               ? -1
               : 0;
}

/* Tries each code page on the words. Number of those that make words, -1 without memory. */
static int read_all(struct str words, const struct page *page, struct reading list[PAGES])
{
    int n = 0;

    for (size_t i = 0; i < PAGES; i++) {
        const struct page *p = &page_table[i];
        if (!p->always && p != page)
            continue;
        if (p == page && strcmp(p->name, "WINDOWS-1252") == 0 && !p->always)
            continue; /* tried already, as itself */
        int got = read_as(words, p->name, &list[n]);
        if (got <= 0)
            buf_free(&list[n].text);
        if (got < 0)
            return -1;
        n += got;
    }
    return n;
}

int charset_guess(struct str bytes, struct charset_guess *g, struct err *e)
{
    struct buf all = BUF_INIT(SIZE_MAX), high = BUF_INIT(SIZE_MAX);
    struct reading list[PAGES] = {{0}};
    const struct page *page = NULL;
    size_t words = 0;
    int n = -1;

    *g = (struct charset_guess){.name = "WINDOWS-1252", .shown = BUF_INIT(SIZE_MAX)};
    int rc = collect_words(bytes, &all, &high, &words);
    if (rc == 0)
        rc = propose(&all, &page);
    if (rc == 0)
        rc = n = high.n > 0 ? read_all(buf_str(&high), page, list) : 0;
    if (n > 0) {
        const struct reading *chosen = choose(list, (size_t)n, page, words, &g->certain);
        g->name = chosen->name;
        rc = charset_describe(list, (size_t)n, chosen, g);
    }
    for (int i = 0; i < n; i++)
        buf_free(&list[i].text);
    buf_free(&all);
    buf_free(&high);
    return rc < 0 ? err_oom(e) : 0;
}

void charset_guess_free(struct charset_guess *g)
{
    buf_free(&g->shown);
}

bool charset_is_code_page(const char *name)
{
    static const char *const families[] = {"windows-", "cp125", "iso-8859", "iso8859", "iso_8859",
                                           "latin",    "l1",    "mac",      "koi8"};

    for (size_t i = 0; i < sizeof families / sizeof families[0]; i++) {
        if (strncasecmp(name, families[i], strlen(families[i])) == 0)
            return true;
    }
    return false;
}

bool charset_looks_like_utf8(struct str bytes)
{
    size_t valid = 0, other = 0;

    for (size_t i = 0, n; i < bytes.n; i += n) {
        n = text_utf8_char(bytes.p + i, bytes.n - i);
        if (n > 1)
            valid++;
        other += n == 0;
        n = n > 0 ? n : 1;
    }
    return valid > other;
}
