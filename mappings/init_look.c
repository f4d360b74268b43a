/* Looks at cells and counts. Nothing of what was seen is kept. */
#include "config.h"

#include "mappings/init_look.h"

#include "mappings/email.h"
#include "mappings/typed.h"
#include "sync/base/hash.h"
#include "sync/base/text.h"

#include <string.h>

enum { PROSE_BYTES = 200, SOME_OF = 20 };

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Blanks at the ends want `trim`, runs inside want `squeeze`; several words in a name column are whole names. */
static void look_at_blanks(struct look *look, struct str text, struct str trimmed)
{
    bool spaced = false, run = false;
    for (size_t i = 0; i < trimmed.n; i++) {
        bool blank = is_blank(trimmed.p[i]);
        spaced = spaced || blank;
        /* A line break is one too; a single blank is how words are divided. */
        run = run || (blank && (trimmed.p[i] != ' ' || (i > 0 && is_blank(trimmed.p[i - 1]))));
    }
    look->edges += trimmed.n != text.n;
    look->runs += run;
    look->spaced += spaced;
    look->long_ones += trimmed.n > PROSE_BYTES;
}

/* By ASCII letters alone: enough to see a list that was typed in capitals. */
static void look_at_case(struct look *look, struct str text)
{
    size_t upper = 0, lower = 0;
    for (size_t i = 0; i < text.n; i++) {
        upper += text.p[i] >= 'A' && text.p[i] <= 'Z';
        lower += text.p[i] >= 'a' && text.p[i] <= 'z';
    }
    look->capitals += upper > 1 && lower == 0;
    look->small += lower > 1 && upper == 0;
}

/* "&amp;", "&#39;": two letters or digits at least, and closed. "AT&T; Verizon" is none. */
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

/* "<b>", "</p>", "<br/>": a '<' and a letter or slash, and an '>' later. An address in angle brackets is none. */
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

/* Longer than the prefix: a bare "https://" is no address. */
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

/* "4.9E+11" as a spreadsheet shows what it took for a number. */
static bool is_scientific(struct str text)
{
    const char *e = memchr(text.p, 'E', text.n);
    struct str number;
    return e != NULL && typed_number(text, &number) == NULL;
}

/* What every cell would have to be for a column to have a type; counts are compared when all were seen. */
static void look_at_types(struct look *look, struct str text)
{
    struct str typed;
    struct uuid uuid;
    look->numbers += typed_number(text, &typed) == NULL;
    look->digits += text.n == 1 && (text.p[0] == '0' || text.p[0] == '1');
    look->booleans += typed_boolean(text, &typed) == NULL;
    look->interests += typed_interest(text, &typed) == NULL;
    look->uuids += uuid_parse(text, &uuid) == 0;
    look->scientific += is_scientific(text);
    look->urls += begins_nocase(text, "https://") || begins_nocase(text, "http://");
    look->bare_hosts += is_bare_host(text);
}

/* Addresses are judged unwrapped, so that "Name <a@b.co>" is seen for what it is. */
int look_at(struct look *look, struct str text, struct arena *scratch)
{
    struct str trimmed = str_trim(text);
    struct str address = email_unwrap(text);
    struct email email;
    look->filled++;
    look_at_blanks(look, text, trimmed);
    look_at_case(look, trimmed);
    look_at_types(look, trimmed);
    look->html += has_tag(trimmed) || has_entity(trimmed);
    look->combining += has_combining(trimmed);
    if (email_parse(address, scratch, &email) != 0)
        return -1;
    look->emails += email.why == NULL;
    look->wrapped += email.why == NULL && address.n != trimmed.n;
    return 0;
}

/* An empty column is of no type. */
bool look_all(const struct look *look, size_t count)
{
    return count > 0 && count == look->filled;
}

/* A single odd cell among hundreds does not make a step worth its place in the file. */
bool look_some(const struct look *look, size_t count)
{
    return count > 0 && count >= (look->filled + SOME_OF - 1) / SOME_OF;
}
