#include "config.h"

#include "connectors/sqltext.h"

#include "sync/base/text.h"

#include <string.h>
#include <strings.h>

enum {
    CARET_COLUMN_MAX = 80, /* a caret further right cuts the start of its line */
    CARET_LEAD = 40,       /* bytes shown before it then */
    LINE_WIDTH_MAX = 120,
};

static bool sqltext_is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (unsigned char)c >= 0x80;
}

static bool sqltext_is_word(char c)
{
    return sqltext_is_letter(c) || (c >= '0' && c <= '9') || c == '$';
}

/* Behind the closing quote; a doubled one is text, and so is one behind a backslash where those escape. */
static const char *skip_quoted(const char *p, bool backslash)
{
    char quote = *p++;

    for (; *p != '\0'; p++) {
        if (backslash && *p == '\\' && p[1] != '\0')
            p++;
        else if (*p == quote && p[1] == quote)
            p++;
        else if (*p == quote)
            return p + 1;
    }
    return p;
}

/* Comments of this kind nest. */
static const char *skip_comment(const char *p)
{
    unsigned depth = 0;

    while (*p != '\0') {
        if (p[0] == '/' && p[1] == '*') {
            depth++;
            p += 2;
        } else if (p[0] == '*' && p[1] == '/') {
            p += 2;
            if (--depth == 0)
                break;
        } else {
            p++;
        }
    }
    return p;
}

/* Behind $tag$ … $tag$, or behind the $ when it opens no quote. */
static const char *skip_dollar(const char *p)
{
    const char *tag_end = p + 1;

    if (sqltext_is_letter(*tag_end))
        while (sqltext_is_word(*tag_end) && *tag_end != '$')
            tag_end++;
    if (*tag_end != '$')
        return p + 1;
    size_t n = (size_t)(tag_end - p) + 1;
    for (const char *at = tag_end + 1; (at = strchr(at, '$')) != NULL; at++) {
        if (strncmp(at, p, n) == 0)
            return at + n;
    }
    return p + strlen(p);
}

/* Behind the piece of text that starts here and holds no parameter; at least one character. */
static const char *skip_piece(const char *p)
{
    if (sqltext_is_word(*p) && *p != '$') {
        bool escapes = (*p == 'e' || *p == 'E') && p[1] == '\'';
        if (escapes)
            return skip_quoted(p + 1, true);
        while (sqltext_is_word(*p))
            p++;
        return p;
    }
    if (*p == '\'' || *p == '"')
        return skip_quoted(p, false);
    if (*p == '$')
        return skip_dollar(p);
    if (p[0] == '-' && p[1] == '-')
        return p + strcspn(p, "\r\n");
    if (p[0] == '/' && p[1] == '*')
        return skip_comment(p);
    if (p[0] == ':' && p[1] == ':') {
        p += 2; /* a cast: what follows is a type */
        while (sqltext_is_word(*p))
            p++;
        return p;
    }
    return p + 1;
}

int sqltext_number_watermark(const char *query, struct buf *out, size_t *uses)
{
    static const char name[] = ":watermark";
    static const char number[] = "$1        ";
    const size_t n = sizeof name - 1;

    _Static_assert(sizeof name == sizeof number, "positions are kept");
    *uses = 0;
    for (const char *p = query; *p != '\0';) {
        if (strncmp(p, name, n) == 0 && !sqltext_is_word(p[n])) {
            if (buf_add(out, number, n) != 0)
                return -1;
            ++*uses;
            p += n;
            continue;
        }
        const char *next = skip_piece(p);
        if (buf_add(out, p, (size_t)(next - p)) != 0)
            return -1;
        p = next;
    }
    return 0;
}

bool sqltext_is_ordered(const char *query)
{
    int depth = 0;

    for (const char *p = query; *p != '\0'; p = skip_piece(p)) {
        depth += *p == '(';
        depth -= *p == ')';
        if (depth == 0 && strncasecmp(p, "order", 5) == 0 && !sqltext_is_word(p[5])) {
            const char *next = p + 5;
            while (*next != '\0' && strchr(" \t\r\n", *next) != NULL)
                next++;
            if (strncasecmp(next, "by", 2) == 0 && !sqltext_is_word(next[2]))
                return true;
        }
    }
    return false;
}

bool sqltext_excludes_equal(const char *query)
{
    static const char name[] = ":watermark";
    char last = '\0'; /* before the piece, blanks and brackets left out */

    for (const char *p = query; *p != '\0';) {
        if (strncmp(p, name, sizeof name - 1) == 0 && !sqltext_is_word(p[sizeof name - 1]) && last == '>')
            return true;
        const char *next = skip_piece(p);
        if (strchr(" \t\r\n(", *p) == NULL && strncmp(p, "--", 2) != 0 && strncmp(p, "/*", 2) != 0)
            last = *p;
        p = next;
    }
    return false;
}

static bool word_is(struct str word, const char *const *words)
{
    for (; *words != NULL; words++) {
        if (word.n == strlen(*words) && strncasecmp(word.p, *words, word.n) == 0)
            return true;
    }
    return false;
}

bool sqltext_has_outer_join(const char *query)
{
    static const char *const outer[] = {"left", "right", "full", "outer", NULL}, *const join[] = {"join", NULL};
    struct str before = {NULL, 0};

    for (const char *p = query; *p != '\0';) {
        const char *next = skip_piece(p);
        if (sqltext_is_letter(*p)) {
            struct str word = {p, (size_t)(next - p)};
            if (word_is(word, join) && word_is(before, outer))
                return true;
            before = word;
        }
        p = next;
    }
    return false;
}

size_t sqltext_char_offset(struct str query, size_t chars)
{
    size_t at = 0;

    for (; chars > 0 && at < query.n; chars--) {
        at++;
        while (at < query.n && ((unsigned char)query.p[at] & 0xc0) == 0x80)
            at++;
    }
    return at;
}

int sqltext_caret(struct str query, size_t offset, struct buf *out)
{
    size_t line = 1, start = 0, end;

    if (offset > query.n)
        offset = query.n;
    for (size_t i = 0; i < offset; i++) {
        if (query.p[i] == '\n') {
            line++;
            start = i + 1;
        }
    }
    for (end = offset; end < query.n && query.p[end] != '\n' && query.p[end] != '\r';)
        end++;
    if (text_width((struct str){query.p + start, offset - start}) > CARET_COLUMN_MAX) {
        start = offset - CARET_LEAD;
        while (start < offset && ((unsigned char)query.p[start] & 0xc0) == 0x80)
            start++;
    }

    /* Tabs would be shown as escapes, which spoil the caret's column: print a blank each. */
    struct buf plain = BUF_INIT(query.n + 1);
    int status = -1;
    for (size_t i = start; i < end; i++) {
        if (buf_addc(&plain, query.p[i] == '\t' ? ' ' : query.p[i]) != 0)
            goto done;
    }
    if (buf_addf(out, "\n%5zu | ", line) != 0 || text_show(buf_str(&plain), LINE_WIDTH_MAX, out) != 0 ||
        buf_adds(out, "\n      | ") != 0)
        goto done;
    for (size_t i = text_width((struct str){plain.p, offset - start}); i > 0; i--) {
        if (buf_addc(out, ' ') != 0)
            goto done;
    }
    status = buf_addc(out, '^');
done:
    buf_free(&plain);
    return status;
}

bool sqltext_is_number(const char *text)
{
    size_t digits = strspn(text, "0123456789");

    text += digits;
    if (*text == '.') {
        size_t fraction = strspn(text + 1, "0123456789");
        digits += fraction;
        text += 1 + fraction;
    }
    return digits > 0 && *text == '\0';
}
