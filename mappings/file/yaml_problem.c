#include "config.h"

#include "mappings/file/yaml_problem.h"

#include "sync/base/text.h"

#include <string.h>

/* The line around a byte. */
static struct str line_around(struct str text, size_t at)
{
    size_t start = at < text.n ? at : text.n, end = start;
    while (start > 0 && text.p[start - 1] != '\n' && text.p[start - 1] != '\r')
        start--;
    while (end < text.n && text.p[end] != '\n' && text.p[end] != '\r')
        end++;
    return (struct str){text.p + start, end - start};
}

/* Lines from 1, for messages that name a second place. */
static size_t line_of(struct str text, size_t at)
{
    size_t line, column;
    diag_place(text, at, &line, &column);
    return line;
}

/* libyaml has no codes for its problems, only words. The cases of the tests notice when one changes. */
static bool says(const char *text, const char *part)
{
    return text != NULL && strstr(text, part) != NULL;
}

/* A problem may lie at the end of the text. */
static char byte_at(struct str text, size_t at)
{
    return at < text.n ? text.p[at] : '\0';
}

/* The commonest mistake of all, and the hardest to see: the line is shown with an arrow. */
static void explain_tab(struct diags *d, size_t at)
{
    diag_add(d, at, 1, "tab character used for indentation");
    diag_help(d, "YAML indents with spaces; replace each tab with two spaces");
}

/* A quote that was meant to end on its line, and took the next one it met for its end. */
static bool explain_runaway_quote(struct diags *d, const struct yaml_problem *p)
{
    if (!p->quoted || line_of(d->text, p->quoted_at) == line_of(d->text, p->quoted_end))
        return false;
    diag_add(d, p->quoted_at, 1, "this quote is closed only on line %zu", line_of(d->text, p->quoted_end));
    diag_help(d, "close it on its own line");
    return true;
}

/* '@', '`' and '%' are kept for later by YAML; people meet '@' first. */
static void explain_token(struct diags *d, const struct yaml_problem *p)
{
    char c = byte_at(d->text, p->at);
    if (c == '\t') {
        explain_tab(d, p->at);
        return;
    }
    diag_add(d, p->at, 1, "a plain value cannot start with '%c'", c);
    diag_help(d, "put the value in quotes");
}

/* A line that should be KEY: VALUE and has no ':'. */
static void tell_no_colon(struct diags *d, struct str line)
{
    struct str key = str_trim(line);
    diag_add(d, (size_t)(key.p - d->text.p), key.n, "a ':' is missing on this line");
    diag_help(d, "write KEY: VALUE, with a space after the ':'");
}

/* Blanks only: a tab was told before. */
static size_t indentation(struct str line)
{
    size_t n = 0;
    while (n < line.n && line.p[n] == ' ')
        n++;
    return n;
}

/* libyaml tells of the first line with a ':' after a key without one, having read both as one long text. True when the
 * line above is such a key. */
static bool explain_key_above(struct diags *d, struct str line)
{
    size_t at = (size_t)(line.p - d->text.p);
    while (at > 0) {
        struct str above = line_around(d->text, at - 1);
        struct str words = str_trim(above);
        at = (size_t)(above.p - d->text.p);
        if (words.n == 0 || words.p[0] == '#')
            continue;
        if (memchr(words.p, ':', words.n) != NULL || indentation(above) != indentation(line))
            return false;
        tell_no_colon(d, above);
        return true;
    }
    return false;
}

/* A ':' too many: inside a value, or on a line that is indented deeper than the one above. */
static void explain_colon(struct diags *d, const struct yaml_problem *p)
{
    struct str line = line_around(d->text, p->at);
    size_t before = (size_t)(d->text.p + p->at - line.p);
    bool second = false;
    for (size_t i = 0; i + 1 < before; i++)
        second = second || (line.p[i] == ':' && line.p[i + 1] == ' ');
    if (!second && explain_key_above(d, line))
        return;
    diag_add(d, p->at, 1, "a ':' is not possible here");
    diag_help(d, second
                     ? "a value that holds ': ' needs quotes"
                     : "is the line indented like the one above, and does the line above end in ':' or in its value?");
}

/* An end of flow is due: the bracket that is open is the context. */
static void explain_open_bracket(struct diags *d, const struct yaml_problem *p)
{
    char open = byte_at(d->text, p->context_at), close = open == '{' ? '}' : ']';
    size_t line = line_of(d->text, p->context_at);
    if (line_of(d->text, p->at) != line) {
        diag_add(d, p->context_at, 1, "this '%c' is never closed", open);
        diag_help(d, "put a '%c' where it ends", close);
        return;
    }
    diag_add(d, p->at, 1, "expected ',' or '%c' here", close);
    diag_help(d, "the '%c' on line %zu is still open; text with braces, brackets or ', ' needs quotes", open, line);
}

/* The parser wanted the next key or item and met something else. What stands before it on the line tells what was
 * meant: a closed quote, closed braces, or nothing but blanks. */
static void explain_no_key(struct diags *d, const struct yaml_problem *p)
{
    struct str line = line_around(d->text, p->at);
    size_t before = (size_t)(d->text.p + p->at - line.p);
    size_t indent = indentation(line);
    char first = '\0';
    for (size_t i = indent; i < before && first == '\0'; i++) {
        if (line.p[i] == ':' && i + 2 < before)
            first = line.p[i + 2];
    }
    if (before > indent && (first == '"' || first == '\'')) {
        diag_add(d, p->at, 1, "something follows the closing quote");
        diag_help(d, "quote the whole value; inside single quotes write '' for a quote, inside double quotes \\\"");
    } else if (before > indent && (first == '{' || first == '[')) {
        diag_add(d, p->at, 1, "something follows the closing bracket");
        diag_help(d, "text with braces needs quotes: \"{Company} ({Country})\"");
    } else if (says(p->problem, "'-'")) {
        diag_add(d, p->at, 1, "expected '-' here: the list above goes on at this indentation");
        diag_help(d, "start each item with '- ', or indent this line like the key it belongs to");
    } else {
        diag_add(d, p->at, 1, "expected a key here");
        diag_help(d, "indent the keys of one level alike");
    }
}

/* In the order in which they are looked for: the first that is part of the problem wins. */
void yaml_problem_explain(struct diags *d, const struct yaml_problem *p)
{
    if (says(p->problem, "found a tab character")) {
        explain_tab(d, p->at);
    } else if (says(p->context, "quoted scalar") && says(p->problem, "unexpected end of stream")) {
        diag_add(d, p->context_at, 1, "this quote is never closed");
        diag_help(d, "a value that holds a quote needs the other kind of quotes around it");
    } else if (explain_runaway_quote(d, p)) {
        return;
    } else if (says(p->problem, "cannot start any token")) {
        explain_token(d, p);
    } else if (says(p->problem, "could not find expected ':'")) {
        tell_no_colon(d, line_around(d->text, p->context_at));
    } else if (says(p->problem, "mapping values are not allowed")) {
        explain_colon(d, p);
    } else if (says(p->problem, "unknown escape character") || says(p->problem, "hexdecimal number")) {
        diag_add(d, p->at, 1, "found unknown escape character");
        diag_help(d, "in double quotes write \\\\ for a backslash, or use single quotes");
    } else if (says(p->problem, "expected ',' or")) {
        explain_open_bracket(d, p);
    } else if (says(p->problem, "expected key") || says(p->problem, "expected '-'")) {
        explain_no_key(d, p);
    } else {
        diag_add(d, p->at, 1, "%s%s%s", p->problem != NULL ? p->problem : "not YAML", p->context != NULL ? " " : "",
                 p->context != NULL ? p->context : "");
    }
}

/* YAML's printable characters; U+FEFF inside the text and noncharacters are not among them. */
static bool is_printable(struct str text, size_t at)
{
    const unsigned char *p = (const unsigned char *)text.p + at;
    if (p[0] < 0x20)
        return p[0] == '\t' || p[0] == '\n' || p[0] == '\r';
    if (p[0] == 0x7F)
        return false;
    if (p[0] == 0xC2) /* C1 controls but NEL */
        return p[1] >= 0xA0 || p[1] == 0x85;
    if (p[0] == 0xEF)
        return !(p[1] == 0xBB && p[2] == 0xBF) && !(p[1] == 0xBF && p[2] >= 0xBE);
    return true;
}

/* Judged before the parser: libyaml would name the byte and no line, and a caret helps to find an umlaut. */
int yaml_problem_bytes(struct diags *d)
{
    struct str text = d->text;
    if (text.n >= 2 && (memcmp(text.p, "\xFF\xFE", 2) == 0 || memcmp(text.p, "\xFE\xFF", 2) == 0)) {
        diag_add(d, 0, 1, "the file is UTF-16");
        diag_help(d, "save the file as UTF-8");
        return -1;
    }
    size_t valid = text_utf8_prefix(text);
    for (size_t i = 0; i < valid; i++) {
        if (((unsigned char)text.p[i] & 0xC0) == 0x80 || is_printable(text, i))
            continue;
        unsigned char c = (unsigned char)text.p[i];
        diag_add(d, i, 1, c == '\0' ? "the file holds a NUL byte" : "this control character cannot stand in YAML");
        diag_help(d,
                  c == '\0' ? "is this a text file, saved as UTF-8?"
                            : "remove it, or write it as \\x%02X in double quotes",
                  c);
        return -1;
    }
    if (valid == text.n)
        return 0;
    diag_add(d, valid, 1, "this is not UTF-8 (byte 0x%02X)", (unsigned)(unsigned char)text.p[valid]);
    diag_help(d, "save the file as UTF-8 (it looks like Windows-1252/Latin-1)");
    return -1;
}
