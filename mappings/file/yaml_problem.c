/* libyaml says what is wrong; this file adds what to do about it. */
#include "config.h"

#include "mappings/file/yaml_problem.h"

#include "sync/base/text.h"

#include <string.h>

/* Help for a problem or its context, found by a part of libyaml's words. The first that fits is shown. If libyaml changes
 * its words one day, only the help is missing. */
static const struct hint {
    const char *part, *help;
} hints[] = {
    {"cannot start any token", "put a value that starts with '@', '`' or '%' in quotes"},
    {"unknown escape character", "in double quotes write \\\\ for a backslash, or use single quotes"},
    {"hexdecimal number", "in double quotes write \\\\ for a backslash, or use single quotes"},
    {"quoted scalar", "close the quote; a value that holds a quote needs the other kind of quotes around it"},
    {"could not find expected ':'", "write KEY: VALUE, with a space after the ':'"},
    {"mapping values are not allowed",
     "put a value that holds ': ' in quotes; write KEY: VALUE, with the keys of one level indented alike"},
    {"expected ',' or", "close the bracket; text with braces, brackets or ', ' needs quotes"},
    {"expected '-'", "start each item with '- ', or indent the line like the key that it belongs to"},
    {"expected key", "indent the keys of one level alike; "
                     "put a value that starts with a quote or brace in quotes as a whole"},
};

static size_t line_of(struct str text, size_t at)
{
    size_t line, column;
    diag_place(text, at, &line, &column);
    return line;
}

static void add_hint(struct diags *d, const struct yaml_problem *p)
{
    for (size_t i = 0; i < sizeof hints / sizeof hints[0]; i++)
        if ((p->problem != NULL && strstr(p->problem, hints[i].part) != NULL) ||
            (p->context != NULL && strstr(p->context, hints[i].part) != NULL)) {
            diag_help(d, "%s", hints[i].help);
            return;
        }
}

/* Does the context name what is never closed? Then the mistake is where that starts, not where libyaml gave up. */
static bool is_unclosed(const char *context)
{
    return strstr(context, "quoted scalar") != NULL || strstr(context, "simple key") != NULL ||
           strstr(context, "flow ") != NULL;
}

void yaml_problem_explain(struct diags *d, const struct yaml_problem *p)
{
    const char *problem = p->problem != NULL ? p->problem : "this is not YAML";
    size_t context_line = line_of(d->text, p->context_at), opened = line_of(d->text, p->quoted_at);

    if (p->context == NULL || context_line == line_of(d->text, p->at))
        diag_add(d, p->at, 1, "%s", problem);
    else if (is_unclosed(p->context))
        diag_add(d, p->context_at, 1, "%s %s", problem, p->context);
    else
        diag_add(d, p->at, 1, "%s %s, which starts on line %zu", problem, p->context, context_line);
    /* A quote that is not closed takes the next quote for its end, and libyaml complains only after that one. */
    if (p->quoted && opened != line_of(d->text, p->quoted_end))
        diag_help(d, "the quote on line %zu is closed only on line %zu; close it on its own line", opened,
                  line_of(d->text, p->quoted_end));
    else if (p->at < d->text.n && d->text.p[p->at] == '\t')
        diag_help(d, "YAML indents with spaces; replace each tab with two spaces");
    else
        add_hint(d, p);
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
                  c == '\0' ? "is this a text file, saved as UTF-8?" : "remove it, or write it as \\x%02X in double quotes",
                  c);
        return -1;
    }
    if (valid == text.n)
        return 0;
    diag_add(d, valid, 1, "this is not UTF-8 (byte 0x%02X)", (unsigned)(unsigned char)text.p[valid]);
    diag_help(d, "save the file as UTF-8 (it looks like Windows-1252/Latin-1)");
    return -1;
}
