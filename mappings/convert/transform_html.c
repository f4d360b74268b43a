/* strip_html: the text of a bit of HTML, for fields that are mailed as plain text.
 *
 * This is not an HTML parser: descriptions in CRM exports are fragments, often broken. It removes closed tags and keeps
 * everything else, so a lone "<" in "salary < 50k" survives. The result is text and must be escaped again
 * before it is put into HTML. */
#include "config.h"

#include "mappings/convert/transform_steps.h"

#include <string.h>
#include <unistr.h>

struct out_text {
    char *p;
    size_t n;
    bool gap; /* a removed tag separates two words here */
};

static bool transform_html_is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool name_is(struct str name, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq_nocase(name, str_from(names[i])))
            return true;
    return false;
}

/* Tags that end a line or a cell on the page, so that the words on both sides stay separate. */
static bool breaks_words(struct str name)
{
    static const char *const names[] = {"br", "p",          "div",     "li",      "ul", "ol", "tr",    "td",
                                        "th", "table",      "hr",      "h1",      "h2", "h3", "h4",    "h5",
                                        "h6", "blockquote", "section", "article", "dt", "dd", "option"};
    return name_is(name, names, sizeof names / sizeof names[0]);
}

/* Elements whose content is never text. */
static bool is_opaque(struct str name)
{
    static const char *const names[] = {"script", "style", "head", "title"};
    return name_is(name, names, sizeof names / sizeof names[0]);
}

/* One behind the `>` of a tag that starts at s[at], attributes in quotes respected; 0 when it is never closed. */
static size_t tag_end(struct str s, size_t at)
{
    char quote = 0, before = 0;

    for (size_t i = at + 1; i < s.n; i++) {
        char c = s.p[i];
        if (quote != 0) {
            if (c == quote)
                quote = 0;
        } else if ((c == '"' || c == '\'') && before == '=') {
            quote = c;
        } else if (c == '>') {
            return i + 1;
        } else if (c == '<') {
            return 0; /* the first "<" did not start a tag */
        }
        if (c != ' ')
            before = c;
    }
    return 0;
}

static struct str tag_name(struct str s, size_t at)
{
    size_t start = at + 1 + (s.p[at + 1] == '/'), i = start;
    while (i < s.n && (transform_html_is_letter(s.p[i]) || (s.p[i] >= '0' && s.p[i] <= '9')))
        i++;
    return (struct str){s.p + start, i - start};
}

/* Where the content of an opaque element ends: at its end tag, or at the end of all. */
static size_t opaque_end(struct str s, size_t at, struct str name)
{
    for (; at + 2 + name.n <= s.n; at++)
        if (s.p[at] == '<' && s.p[at + 1] == '/' && str_eq_nocase((struct str){s.p + at + 2, name.n}, name)) {
            size_t end = tag_end(s, at);
            return end != 0 ? end : s.n;
        }
    return s.n;
}

/* Appends text; a gap before it becomes a blank unless there is one, or nothing to part it from. */
static void transform_html_add(struct out_text *out, const char *p, size_t n)
{
    static const char blanks[] = " \t\r\n";
    if (out->gap && out->n > 0 && memchr(blanks, out->p[out->n - 1], 4) == NULL && memchr(blanks, p[0], 4) == NULL)
        out->p[out->n++] = ' ';
    out->gap = false;
    memcpy(out->p + out->n, p, n);
    out->n += n;
}

/* A `<` at s[at]: 1 with *next behind the tag, comment or element, 0 when it is text. */
static int skip_markup(struct str s, size_t at, struct out_text *out, size_t *next)
{
    char first = at + 1 < s.n ? s.p[at + 1] : 0;

    if (at + 4 <= s.n && memcmp(s.p + at, "<!--", 4) == 0) {
        const char *end = memmem(s.p + at + 4, s.n - at - 4, "-->", 3);
        *next = end != NULL ? (size_t)(end - s.p) + 3 : 0;
    } else if (transform_html_is_letter(first) || (first == '/' && at + 2 < s.n && transform_html_is_letter(s.p[at + 2])) ||
               first == '!' || first == '?') {
        *next = tag_end(s, at);
        if (*next != 0 && first != '!' && first != '?') {
            struct str name = tag_name(s, at);
            if (first != '/' && is_opaque(name) && s.p[*next - 2] != '/')
                *next = opaque_end(s, *next, name);
            out->gap |= breaks_words(name);
        }
    } else {
        *next = 0;
    }
    return *next != 0;
}

static uint32_t numeric_entity(struct str name)
{
    bool hex = name.n > 1 && (name.p[1] | 0x20) == 'x';
    uint32_t c = 0;
    size_t i = hex ? 2 : 1;

    if (i == name.n)
        return 0;
    for (; i < name.n; i++) {
        char d = name.p[i];
        uint32_t v = d >= '0' && d <= '9'                            ? (uint32_t)(d - '0')
                     : hex && (d | 0x20) >= 'a' && (d | 0x20) <= 'f' ? (uint32_t)((d | 0x20) - 'a' + 10)
                                                                     : 99;
        if (v == 99 || c > 0x10ffff)
            return 0;
        c = c * (hex ? 16 : 10) + v;
    }
    /* Controls other than line breaks and tabs, halves of surrogate pairs and what is past Unicode stay as written. */
    if (c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff) || (c < 0x20 && c != '\n' && c != '\t' && c != '\r') ||
        (c >= 0x7f && c < 0xa0))
        return 0;
    return c;
}

/* The character that "&name;" at s[at] stands for and where it ends; 0: none that is known. */
static uint32_t entity(struct str s, size_t at, size_t *next)
{
    static const struct {
        const char *name;
        uint32_t c;
    } known[] = {{"amp", '&'},      {"lt", '<'},       {"gt", '>'},       {"quot", '"'},      {"apos", '\''},
                 {"nbsp", 0xa0},    {"ndash", 0x2013}, {"mdash", 0x2014}, {"lsquo", 0x2018},  {"rsquo", 0x2019},
                 {"ldquo", 0x201c}, {"rdquo", 0x201d}, {"bull", 0x2022},  {"hellip", 0x2026}, {"euro", 0x20ac},
                 {"copy", 0xa9},    {"reg", 0xae},     {"trade", 0x2122}, {"auml", 0xe4},     {"ouml", 0xf6},
                 {"uuml", 0xfc},    {"Auml", 0xc4},    {"Ouml", 0xd6},    {"Uuml", 0xdc},     {"szlig", 0xdf},
                 {"eacute", 0xe9},  {"egrave", 0xe8},  {"agrave", 0xe0},  {"ccedil", 0xe7},   {"ntilde", 0xf1},
                 {"aacute", 0xe1},  {"iacute", 0xed},  {"oacute", 0xf3}};
    enum { NAME_MAX_N = 10 };
    size_t end = at + 1;

    while (end < s.n && end - at <= NAME_MAX_N && s.p[end] != ';')
        end++;
    if (end >= s.n || s.p[end] != ';' || end == at + 1)
        return 0;
    struct str name = {s.p + at + 1, end - at - 1};
    *next = end + 1;
    if (name.p[0] == '#')
        return numeric_entity(name);
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (str_is(name, known[i].name))
            return known[i].c;
    return 0;
}

int transform_strip_html(const struct transform_step *step, struct str in, struct arena *scratch, struct str *out,
                         const char **why)
{
    (void)step;
    (void)why;
    *out = in;
    if (memchr(in.p, '<', in.n) == NULL && memchr(in.p, '&', in.n) == NULL)
        return 0;
    /* Never longer than the input: the shortest tag that leaves a blank has three bytes, an entity is longer than its
     * character in UTF-8. */
    struct out_text text = {arena_alloc(scratch, in.n), 0, false};
    size_t at = 0, next = 0;
    bool comments_close = true;

    if (text.p == NULL)
        return -1;
    while (at < in.n) {
        uint32_t c;
        bool comment = in.p[at] == '<' && in.n - at >= 4 && memcmp(in.p + at, "<!--", 4) == 0;
        if (in.p[at] == '<' && (!comment || comments_close)) {
            if (skip_markup(in, at, &text, &next)) {
                at = next;
                continue;
            }
            /* No end of a comment from here to the end of the text: do not look for one again at every later start. */
            comments_close &= !comment;
        } else if (in.p[at] == '&' && (c = entity(in, at, &next)) != 0) {
            uint8_t bytes[6];
            int n = u8_uctomb(bytes, c, sizeof bytes);
            transform_html_add(&text, (const char *)bytes, n > 0 ? (size_t)n : 0);
            at = next;
            continue;
        }
        transform_html_add(&text, in.p + at++, 1);
    }
    *out = text.n == in.n && memcmp(text.p, in.p, in.n) == 0 ? in : (struct str){text.p, text.n};
    return 0;
}
