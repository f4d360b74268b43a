/* Counts properties of cells. Keeps no values. */
#include "config.h"

#include "mappings/init/init_look.h"

#include "mappings/convert/clean.h"
#include "mappings/convert/email.h"
#include "mappings/convert/profile.h"
#include "mappings/convert/transform.h"
#include "mappings/convert/typed.h"
#include "sync/base/hash.h"
#include "sync/base/text.h"

#include <string.h>
#include <unictype.h>
#include <unistr.h>

/* A longer row of digits is an id or a phone number, not a quantity. As a number it could lose its last digits in a double
 * (15), or its meaning (9). */
enum { PROSE_BYTES = 200, SOME_OF = 20, WHOLE_DIGITS = 9, NUMBER_DIGITS = 15, NUMBER_BYTES = 40 };

static bool init_look_is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Runs of blanks want `squeeze`; several words in a name column are whole names. */
static void look_at_blanks(struct look *look, struct str trimmed)
{
    bool spaced = false, run = false;
    for (size_t i = 0; i < trimmed.n; i++) {
        bool blank = init_look_is_blank(trimmed.p[i]);
        spaced = spaced || blank;
        /* A line break is one too; a single blank is how words are divided. */
        run = run || (blank && (trimmed.p[i] != ' ' || (i > 0 && init_look_is_blank(trimmed.p[i - 1]))));
    }
    look->runs += run;
    look->spaced += spaced;
    look->long_ones += trimmed.n > PROSE_BYTES;
}

/* Enough to see a list that was typed in capitals. */
static void look_at_case(struct look *look, struct str text)
{
    size_t upper = 0, lower = 0;
    const uint8_t *at = (const uint8_t *)text.p, *end = at + text.n;
    while (at < end) {
        ucs4_t c;
        at += u8_mbtouc(&c, at, (size_t)(end - at));
        upper += uc_is_property_uppercase(c);
        lower += uc_is_property_lowercase(c);
    }
    look->capitals += upper > 1 && lower == 0;
    look->small += lower > 1 && upper == 0;
}

/* "&amp;", "&#39;": two letters or digits at least, and closed. "AT&T; Verizon" has no entity. */
static bool has_entity(struct str text)
{
    for (size_t i = 0; i + 3 < text.n; i++) {
        if (text.p[i] != '&')
            continue;
        size_t k = i + 1;
        while (k < text.n && (text.p[k] == '#' || (text.p[k] >= '0' && text.p[k] <= '9') ||
                              ((text.p[k] | 0x20) >= 'a' && (text.p[k] | 0x20) <= 'z')))
            k++;
        if (k > i + 2 && k < text.n && text.p[k] == ';')
            return true;
    }
    return false;
}

/* "<b>", "</p>", "<br/>": a '<' and a letter or slash, and an '>' later. An address in angle brackets is not a tag. */
static bool has_tag(struct str text)
{
    const char *open = memchr(text.p, '<', text.n), *end = text.p + text.n;
    if (open == NULL || end - open < 3 || (open[1] != '/' && ((open[1] | 0x20) < 'a' || (open[1] | 0x20) > 'z')))
        return false;
    const char *close = memchr(open, '>', (size_t)(end - open));
    return close != NULL && memchr(open, '@', (size_t)(close - open)) == NULL;
}

/* U+0300 to U+036F. */
static bool has_combining(struct str text)
{
    for (size_t i = 0; i + 1 < text.n; i++) {
        unsigned char a = (unsigned char)text.p[i], b = (unsigned char)text.p[i + 1];
        if ((a == 0xCC && b >= 0x80) || (a == 0xCD && b >= 0x80 && b <= 0xAF))
            return true;
    }
    return false;
}

/* Longer than the prefix: a bare "https://" is not an address. */
static bool begins_nocase(struct str text, const char *prefix)
{
    size_t n = strlen(prefix);
    return text.n > n && str_eq_nocase((struct str){text.p, n}, (struct str){prefix, n});
}

/* A dot among letters, digits and hyphens, and no blank: "example.com/de", not "Dr. Who" or "12.50". */
static bool is_bare_host(struct str text)
{
    size_t dots = 0, letters = 0;
    for (size_t i = 0; i < text.n && text.p[i] != '/'; i++) {
        char c = text.p[i];
        if (c == '.')
            dots += i > 0;
        else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'z')
            letters++;
        else if (c != '-' && !(c >= '0' && c <= '9') && ((unsigned char)c & 0x80) == 0)
            return false;
    }
    return dots > 0 && letters > 2 && text.p[text.n - 1] != '.';
}

/* How many digits follow, and what they are. */
static size_t init_look_digits_at(struct str text, size_t at)
{
    size_t n = 0;
    while (at + n < text.n && text.p[at + n] >= '0' && text.p[at + n] <= '9')
        n++;
    return n;
}

/* "1,234,567": digits in groups of three behind `separator`. How many groups follow the first; `*end` is behind
 * them. */
static size_t groups_at(struct str text, size_t at, char separator, size_t *end)
{
    size_t groups = 0, first = init_look_digits_at(text, at);
    *end = at + first;
    if (first == 0 || first > 3)
        return 0;
    while (*end < text.n && text.p[*end] == separator && init_look_digits_at(text, *end + 1) == 3) {
        *end += 4;
        groups++;
    }
    return groups;
}

/* The no-break blanks that divide thousands become plain ones; nothing where the text is too long for a number. */
static struct str plain_blanks(struct str text, char room[NUMBER_BYTES])
{
    size_t n = 0;
    if (text.n > NUMBER_BYTES)
        return STR_NONE;
    for (size_t i = 0; i < text.n; i++) {
        size_t left = text.n - i;
        size_t blank = left > 1 && memcmp(text.p + i, "\xc2\xa0", 2) == 0       ? 2 /* no-break */
                       : left > 2 && memcmp(text.p + i, "\xe2\x80\xaf", 3) == 0 ? 3 /* the narrow one */
                                                                                : 0;
        room[n++] = blank > 0 ? ' ' : text.p[i];
        i += blank > 0 ? blank - 1 : 0;
    }
    return (struct str){room, n};
}

/* Spreadsheets write numbers for people: 1,234.50 here, 1.234,50 there, 1 234,50 elsewhere. */
static void look_at_numbers(struct look *look, struct str cell)
{
    char room[NUMBER_BYTES];
    struct str number, text = plain_blanks(cell, room);
    size_t at = text.n > 0 && text.p[0] == '-', digits = 0, end;
    for (size_t i = 0; i < text.n; i++)
        digits += text.p[i] >= '0' && text.p[i] <= '9';
    bool whole = digits + at == text.n && digits > 0;
    if (digits > NUMBER_DIGITS || (whole && digits > WHOLE_DIGITS))
        return;
    bool json = typed_number(text, &number) == NULL;
    look->numbers += json;
    look->digits += text.n == 1 && (text.p[0] == '0' || text.p[0] == '1');
    look->whole += whole && json;

    size_t groups = groups_at(text, at, '.', &end), fraction;
    look->dot_groups += groups > 0 && end == text.n;
    if (groups == 0) {
        groups = groups_at(text, at, ' ', &end);
        look->blank_groups += groups > 0 && end == text.n;
    }
    if (groups == 0)
        end = at + init_look_digits_at(text, at);
    fraction = end > at && end < text.n && text.p[end] == ',' ? init_look_digits_at(text, end + 1) : 0;
    if (fraction > 0 && end + 1 + fraction == text.n) {
        look->comma_decimals++;
        look->comma_decimals_sure += groups > 0 || fraction != 3;
    }
    groups = groups_at(text, at, ',', &end);
    fraction = end < text.n && text.p[end] == '.' ? init_look_digits_at(text, end + 1) : 0;
    if (groups > 0 && (end == text.n || (fraction > 0 && end + 1 + fraction == text.n))) {
        look->comma_groups++;
        look->comma_groups_sure += groups > 1 || fraction > 0;
    }
}

enum look_number look_number(const struct look *look, bool *sure)
{
    *sure = true;
    if (look->digits == look->filled)
        return LOOK_NO_NUMBER; /* 0 and 1 alone may be a number or a yes: then it stays text */
    if (look_all(look, look->numbers)) {
        /* All that have a dot have it before three digits. */
        *sure = look->dot_groups == 0 || look->whole + look->dot_groups < look->numbers;
        return *sure ? LOOK_NUMBER : LOOK_DOTS;
    }
    if (look->comma_groups > 0 && look_all(look, look->numbers + look->comma_groups)) {
        *sure = look->comma_groups_sure > 0;
        return LOOK_COMMA_GROUPS;
    }
    size_t others = look->whole + look->dot_groups + look->blank_groups;
    if (look->comma_decimals > 0 && look_all(look, others + look->comma_decimals)) {
        *sure = look->comma_decimals_sure > 0;
        return LOOK_COMMA_DECIMALS;
    }
    return LOOK_NO_NUMBER;
}

/* Yes and no in the languages of common exports. */
static bool is_answer(struct str text)
{
    static const char *const words[] = {"y",  "n",   "x",   "ja",  "nein", "nee",  "oui",    "non",  "si",
                                        "sí", "sim", "não", "nao", "wahr", "vrai", "falsch", "faux", "-"};
    struct str typed;
    if (typed_boolean(text, &typed) == NULL)
        return true;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (str_eq_nocase(text, str_from(words[i])))
            return true;
    }
    return false;
}

/* What every cell would have to be for a column to have a type; counts are compared when all were seen. */
static void look_at_types(struct look *look, struct str text)
{
    struct str typed;
    struct uuid uuid;
    look_at_numbers(look, text);
    look->booleans += typed_boolean(text, &typed) == NULL;
    look->answers += is_answer(text);
    look->interests += typed_interest(text, &typed) == NULL;
    look->uuids += uuid_parse(text, &uuid) == 0;
    look->scientific += clean_is_cut_number(text);
    look->urls += begins_nocase(text, "https://") || begins_nocase(text, "http://");
    look->bare_hosts += is_bare_host(text);
    look->profiles += profile_page(text);
}

/* Cells are judged as `clean` leaves them, which stands in every proposed line; addresses as the step `email` does, so that
 * "Name <a@b.co>" counts as an address. */
int look_at(struct look *look, struct str text, struct arena *scratch)
{
    static const struct transform_step clean = {.op = TRANSFORM_CLEAN};
    struct str trimmed, address;
    struct email email;
    const char *why;
    if (transform_run(&clean, 1, text, scratch, &trimmed, &why) != 0 || email_repair(text, scratch, &address) != 0)
        return -1;
    if (trimmed.n == 0)
        return 0;
    look->filled++;
    look->at_signs += memchr(trimmed.p, '@', trimmed.n) != NULL;
    look_at_blanks(look, trimmed);
    look_at_case(look, trimmed);
    look_at_types(look, trimmed);
    look->html += has_tag(trimmed) || has_entity(trimmed);
    look->combining += has_combining(trimmed);
    if (email_parse(address, scratch, &email) != 0)
        return -1;
    look->emails += email.why == NULL;
    look->wrapped += email.why == NULL && address.n != str_trim(text).n;
    return 0;
}

void look_add(struct look *to, const struct look *from)
{
    size_t a[sizeof *to / sizeof(size_t)], b[sizeof *to / sizeof(size_t)];
    memcpy(a, to, sizeof a);
    memcpy(b, from, sizeof b);
    for (size_t i = 0; i < sizeof a / sizeof a[0]; i++)
        a[i] += b[i];
    memcpy(to, a, sizeof a);
}

/* An empty column has no type. */
bool look_all(const struct look *look, size_t count)
{
    return count > 0 && count == look->filled;
}

/* A single odd cell among hundreds does not justify a step in the file. */
bool look_some(const struct look *look, size_t count)
{
    return count > 0 && count >= (look->filled + SOME_OF - 1) / SOME_OF;
}
