/* title: capitals for names.
 *
 * Works word by word, and only on words in all capitals or all small letters. "McDonald", "DeShawn", "O'Brien" and "iPhone"
 * stay as they are, and so does text in scripts without case. The rules:
 * - particles stay small inside a name ("LUDWIG VAN BEETHOVEN" -> "Ludwig van Beethoven") and become capital at its start,
 *   unless the name beside them shows that they were meant to be small ("van der Berg" stays);
 * - "MCDONALD" and "McDONALD" become "McDonald"; "MACDONALD" becomes "Macdonald", because it looks like "MACHADO";
 * - two consonants are initials ("TJ SMITH" -> "TJ Smith"); numerals (II, III, IV) and a few titles have fixed spellings;
 * - the sharp s has no capital in use: "WEIß" was typed in capitals, and becomes "Weiß";
 * - Dutch ij before a consonant is one letter: "IJSBRAND" becomes "IJsbrand", "IJEOMA" "Ijeoma";
 * - in a word with a dotted capital İ or a Ğ the plain I is the Turkish one without a dot: "YILDIRIMOĞLU". Other words
 *   have no such sign, so they keep the ordinary I. */
#include "config.h"

#include "mappings/convert/transform_steps.h"

#include <stdlib.h>
#include <string.h>
#include <unicase.h>
#include <unictype.h>
#include <unistr.h>

enum { SHORT_N = 5 }; /* longest entry of the tables below, in letters */

static const struct spelling {
    const char *lower, *spelled;
    bool inside_only; /* not as the first word of a name */
} spellings[] = {
    {"ii", "II", true},     {"iii", "III", true}, {"iv", "IV", true},   {"vii", "VII", true}, {"viii", "VIII", true},
    {"jr", "Jr", false},    {"sr", "Sr", false},  {"dr", "Dr", false},  {"mr", "Mr", false},  {"mrs", "Mrs", false},
    {"ms", "Ms", false},    {"st", "St", false},  {"ng", "Ng", false},  {"phd", "PhD", true}, {"mba", "MBA", true},
    {"gmbh", "GmbH", true}, {"llc", "LLC", true}, {"ltd", "Ltd", true},
};

static const char *const particles[] = {
    "af",    "al",  "ap",  "av",  "bin", "bint", "da",  "das", "de",  "degli", "dei", "del",
    "della", "den", "der", "di",  "do",  "dos",  "du",  "el",  "ibn", "la",    "las", "le",
    "les",   "los", "op",  "ten", "ter", "van",  "vom", "von", "y",   "zu",    "zum", "zur",
};

/* A writer over the arena; every letter is written by put(), which remembers when something differs. */
struct title {
    char *p;
    size_t n, cap;
    bool mixed; /* some word of the text has both cases, so its writer used the shift key */
};

enum word_case { CASE_NONE, CASE_UPPER, CASE_LOWER, CASE_MIXED };

/* A small letter that has a capital: the others (ß, ª) look the same in words of capitals. */
static bool is_small(ucs4_t c)
{
    return uc_is_property_lowercase(c) && uc_toupper(c) != c;
}

static enum word_case word_case(struct str word)
{
    const uint8_t *at = (const uint8_t *)word.p, *end = at + word.n;
    bool upper = false, lower = false;

    while (at < end) {
        ucs4_t c = *at;
        at += u8_mbtouc(&c, at, (size_t)(end - at));
        upper |= c < 0x80 ? c >= 'A' && c <= 'Z'
                          : uc_is_property_uppercase(c) || uc_is_general_category(c, UC_TITLECASE_LETTER);
        lower |= c < 0x80 ? c >= 'a' && c <= 'z' : is_small(c) || uc_is_general_category(c, UC_TITLECASE_LETTER);
    }
    return upper && lower ? CASE_MIXED : upper ? CASE_UPPER : lower ? CASE_LOWER : CASE_NONE;
}

static void put_bytes(struct title *t, const char *p, size_t n)
{
    if (n <= t->cap - t->n) { /* always: transform_title() allocates for the worst case */
        memcpy(t->p + t->n, p, n);
        t->n += n;
    }
}

static void put(struct title *t, ucs4_t c)
{
    uint8_t bytes[6];
    int n = u8_uctomb(bytes, c, sizeof bytes);
    if (n > 0)
        put_bytes(t, (const char *)bytes, (size_t)n);
}

/* Letters and the marks on them; what stands between two of them does not end a word's part. */
static bool transform_title_is_letter(ucs4_t c)
{
    if (c < 0x80)
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    return uc_is_general_category_withtable(c, UC_CATEGORY_MASK_L | UC_CATEGORY_MASK_M);
}

static bool is_apostrophe(ucs4_t c)
{
    return c == '\'' || c == 0x2019 || c == 0x02bc;
}

/* How many letters follow, up to three. */
static size_t letters_from(const uint8_t *at, const uint8_t *end)
{
    size_t n = 0;
    ucs4_t c;
    for (int len; n < 3 && at < end && (len = u8_mbtouc(&c, at, (size_t)(end - at))) > 0 && transform_title_is_letter(c);
         at += len)
        n++;
    return n;
}

/* Does a capital follow the apostrophe? O'Brien, D'Angelo, Dell'Acqua: yes. John's, Let's, Sa'ad: no. */
static bool capital_after_apostrophe(size_t before, size_t after)
{
    return after >= 3 || (before == 1 && after == 2);
}

/* Letters that only Turkish and its kin have, and that go with an I without a dot. */
static bool is_turkish(struct str word)
{
    for (size_t i = 0; i + 1 < word.n; i++)
        if (((unsigned char)word.p[i] == 0xc4) && ((unsigned char)word.p[i + 1] == 0xb0 || /* I with a dot */
                                                   (unsigned char)word.p[i + 1] == 0x9e))  /* G with a breve */
            return true;
    return false;
}

/* The Dutch letter ij, which is capital as a whole. Before a vowel these are two letters: Ijaz, Ijeoma. */
static bool is_dutch_ij(const uint8_t *at, const uint8_t *end)
{
    return end - at > 2 && (at[0] | 0x20) == 'i' && (at[1] | 0x20) == 'j' && at[2] < 0x80 &&
           transform_title_is_letter(at[2]) && strchr("aeiouyj", at[2] | 0x20) == NULL;
}

/* One part of a word, between blanks and hyphens, none of whose letters has the case that was meant. */
static void transform_title_put_name(struct title *t, struct str part)
{
    const uint8_t *start = (const uint8_t *)part.p, *at = start, *end = at + part.n;
    size_t run = 0; /* letters since the start of the part or since the last sign inside it */
    bool capital = true, digit_before = false, turkish = is_turkish(part);

    while (at < end) {
        ucs4_t c;
        int len = u8_mbtouc(&c, at, (size_t)(end - at));
        at += len;
        if (transform_title_is_letter(c)) {
            bool last = letters_from(at, end) == 0, dutch = capital && run == 0 && is_dutch_ij(at - len, end);
            ucs4_t small = c == 'I' && turkish ? 0x131 : uc_tolower(c);
            if (capital && !digit_before)
                put(t, uc_totitle(c));
            else
                put(t, small == 0x3c3 && last && run > 0 ? 0x3c2 : small); /* sigma has a form for the end of a word */
            capital = dutch || (run == 1 && (c == 'c' || c == 'C') && (start[0] | 0x20) == 'm' && at - start == 2 &&
                                letters_from(at, end) >= 3);
            run++;
            continue;
        }
        digit_before = uc_is_general_category(c, UC_DECIMAL_DIGIT_NUMBER);
        capital = is_apostrophe(c) ? capital_after_apostrophe(run, letters_from(at, end)) : true;
        run = 0;
        put_bytes(t, (const char *)at - len, (size_t)len);
    }
}

static bool is_particle(const char *lower)
{
    for (size_t i = 0; i < sizeof particles / sizeof particles[0]; i++)
        if (strcmp(particles[i], lower) == 0)
            return true;
    return false;
}

/* The letters of a short ASCII word in lower case, signs at its ends left out; "" when it is long or has others inside. */
static void short_word(struct str part, char lower[SHORT_N + 1], size_t *before)
{
    size_t i = 0, n = 0;
    while (i < part.n && (part.p[i] == '(' || part.p[i] == '"'))
        i++;
    *before = i;
    for (;
         i < part.n && n < SHORT_N && transform_title_is_letter((unsigned char)part.p[i]) && (unsigned char)part.p[i] < 0x80;
         i++)
        lower[n++] = (char)(part.p[i] | 0x20);
    while (i < part.n && strchr(".,);\"", part.p[i]) != NULL)
        i++;
    lower[i == part.n ? n : 0] = 0;
}

static void put_part(struct title *t, struct str part, bool first, bool last, bool upper)
{
    char lower[SHORT_N + 1];
    size_t before;

    short_word(part, lower, &before);
    size_t n = strlen(lower);
    for (size_t i = 0; n > 0 && i < sizeof spellings / sizeof spellings[0]; i++)
        if (strcmp(spellings[i].lower, lower) == 0 && !(first && spellings[i].inside_only)) {
            put_bytes(t, part.p, before);
            put_bytes(t, spellings[i].spelled, n);
            put_bytes(t, part.p + before + n, part.n - before - n);
            return;
        }
    /* A particle has a name behind it: "ANH LE" ends in a name, and so does "VAN". A lone capital is an initial. */
    bool particle = n > (upper ? 1 : 0) && is_particle(lower) && before + n == part.n;
    /* "Silva e Souza", "Puig i Cadafalch": a lone small letter between capitalised words means "and". */
    particle |= n == 1 && !upper && t->mixed && !first && part.n == 1;
    if (particle && !last && (!first || (t->mixed && !upper)))
        put_bytes(t, lower, n);
    else if (n == 2 && upper && strpbrk(lower, "aeiouy") == NULL && (last || strcmp(lower, "mc") != 0))
        put_bytes(t, part.p, part.n);
    else
        transform_title_put_name(t, part);
}

/* "McDONALD" and "MacDONALD" count as capitals although their prefix is mixed. The length of the prefix, else 0. */
static size_t mac_prefix(struct str word)
{
    size_t n = word.n > 5 && memcmp(word.p, "Mac", 3) == 0 ? 3 : word.n > 4 && memcmp(word.p, "Mc", 2) == 0 ? 2 : 0;
    return n > 0 && word_case((struct str){word.p + n, word.n - n}) == CASE_UPPER ? n : 0;
}

static void put_word(struct title *t, struct str word, bool first, bool last)
{
    enum word_case kind = word_case(word);
    size_t mac = kind == CASE_MIXED ? mac_prefix(word) : 0;

    if (mac > 0) {
        put_bytes(t, word.p, mac);
        word = (struct str){word.p + mac, word.n - mac};
    } else if (kind == CASE_NONE || kind == CASE_MIXED) {
        put_bytes(t, word.p, word.n);
        return;
    }
    for (size_t start = 0; start <= word.n;) {
        const char *hyphen = memchr(word.p + start, '-', word.n - start);
        size_t end = hyphen != NULL ? (size_t)(hyphen - word.p) : word.n;
        put_part(t, (struct str){word.p + start, end - start}, first && start == 0, last && end == word.n,
                 kind != CASE_LOWER);
        if (end < word.n)
            put_bytes(t, "-", 1);
        start = end + 1;
    }
}

/* The next run of bytes that are, or are not, blanks. */
static struct str next_run(struct str in, size_t at, bool *blank)
{
    size_t start = at;
    while (at < in.n) {
        ucs4_t c;
        int len = u8_mbtouc(&c, (const uint8_t *)in.p + at, in.n - at);
        bool is = transform_is_blank(c);
        if (at == start)
            *blank = is;
        else if (is != *blank)
            break;
        at += (size_t)len;
    }
    return (struct str){in.p + start, at - start};
}

int transform_title(const struct transform_step *step, struct str in, struct arena *scratch, struct str *out,
                    const char **why)
{
    /* No case mapping of one code point to one makes two bytes more than three, or one more than two. */
    struct title t = {arena_alloc(scratch, in.n * 2), 0, in.n * 2, false};
    bool blank = false, first = true, changes = false;
    struct str words;

    if (t.p == NULL || transform_trim(step, in, scratch, &words, why) != 0)
        return -1;
    for (size_t at = 0; at < in.n;) {
        struct str run = next_run(in, at, &blank);
        enum word_case kind = blank ? CASE_NONE : word_case(run);
        t.mixed |= kind == CASE_MIXED;
        changes |= kind != CASE_NONE;
        at += run.n;
    }
    *out = in;
    if (!changes)
        return 0;
    for (size_t at = 0; at < in.n;) {
        struct str run = next_run(in, at, &blank);
        at += run.n;
        if (blank) {
            put_bytes(&t, run.p, run.n);
            continue;
        }
        put_word(&t, run, first, in.p + at >= words.p + words.n);
        first = false;
    }
    if (t.n != in.n || memcmp(t.p, in.p, t.n) != 0)
        *out = (struct str){t.p, t.n};
    return 0;
}
