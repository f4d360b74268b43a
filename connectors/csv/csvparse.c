/* libcsv has two modes, and neither is right: lax, a stray quote may swallow the rest of the file; strict, a quote inside an
 * unquoted cell is an error. Here it is strict, and stops at each quote that it does not like. Its state then says which
 * kind of cell it is in, and it is helped over what is harmless. */
#include "config.h"

#include "connectors/csv/csvparse.h"

/* libcsv would trim blanks from both ends of any cell. */
static int no_space(unsigned char c)
{
    (void)c;
    return 0;
}

static int space(unsigned char c)
{
    return csvparse_is_blank((char)c);
}

int csvparse_init(struct csvparse *p, char delimiter, size_t block, void (*on_cell)(void *, size_t, void *),
                  void (*on_row)(int, void *), void *arg)
{
    *p = (struct csvparse){.on_cell = on_cell, .on_row = on_row, .arg = arg};
    if (csv_init(&p->parser, CSV_STRICT | CSV_STRICT_FINI) != 0)
        return -1;
    csv_set_delim(&p->parser, (unsigned char)delimiter);
    csv_set_space_func(&p->parser, no_space);
    csv_set_blk_size(&p->parser, block);
    return 0;
}

void csvparse_free(struct csvparse *p)
{
    csv_free(&p->parser);
}

static size_t feed(struct csvparse *p, const char *text, size_t n)
{
    return csv_parse(&p->parser, text, n, p->on_cell, p->on_row, p->arg);
}

/* Nothing but blanks has been read of the cell. */
static bool is_still_blank(const struct csvparse *p)
{
    for (size_t i = 0; i < p->parser.entry_pos; i++)
        if (!csvparse_is_blank((char)p->parser.entry_buf[i]))
            return false;
    return !p->cut;
}

/* An unquoted cell, up to its end or that of the text: its quotes are characters. */
static size_t feed_unquoted(struct csvparse *p, const char *text, size_t n)
{
    size_t end = 0;

    while (end < n && text[end] != (char)p->parser.delim_char && text[end] != '\n' && text[end] != '\r')
        end++;
    csv_set_quote(&p->parser, '\0');
    size_t taken = feed(p, text, end);
    csv_set_quote(&p->parser, CSV_QUOTE);
    return taken;
}

/* Blanks behind a closing quote. libcsv counts those that its space function calls so, and takes them off the cell; one
 * of them is enough. */
static size_t feed_blanks(struct csvparse *p, const char *text, size_t n)
{
    size_t end = 0;

    csv_set_space_func(&p->parser, space);
    size_t taken = feed(p, text, 1);
    csv_set_space_func(&p->parser, no_space);
    while (taken > 0 && end < n && csvparse_is_blank(text[end]) && text[end] != (char)p->parser.delim_char)
        end++;
    return end;
}

/* Behind a stop of libcsv, which took nothing of `text`: how many bytes it was helped over, 0: it is an error. */
static size_t help(struct csvparse *p, const char *text, size_t n)
{
    if (p->parser.quoted)
        return csvparse_is_blank(*text) ? feed_blanks(p, text, n) : 0;
    if (!is_still_blank(p))
        return feed_unquoted(p, text, n);
    /* The quote opens the cell after all. */
    p->parser.quoted = 1;
    p->parser.entry_pos = 0;
    return 1;
}

size_t csvparse_feed(struct csvparse *p, const char *text, size_t n)
{
    for (size_t at = 0;;) {
        at += feed(p, text + at, n - at);
        if (at == n || csvparse_no_memory(p))
            return at;
        size_t helped = help(p, text + at, n - at);
        if (helped == 0)
            return at;
        at += helped;
    }
}

int csvparse_end(struct csvparse *p)
{
    return csv_fini(&p->parser, p->on_cell, p->on_row, p->arg);
}

bool csvparse_no_memory(const struct csvparse *p)
{
    return p->parser.status == CSV_ENOMEM;
}

bool csvparse_met_backslash(const struct csvparse *p)
{
    size_t behind = p->parser.spaces + 1; /* what libcsv has put behind the text: the quote, and blanks */

    return p->parser.quoted && p->parser.entry_pos > behind && p->parser.entry_buf[p->parser.entry_pos - behind - 1] == '\\';
}

/* What libcsv may want to take back, a closing quote and blanks behind it, stays. */
void csvparse_limit(struct csvparse *p, size_t max)
{
    if (p->parser.entry_pos <= max)
        return;
    p->parser.entry_pos = p->parser.spaces + 1;
    p->cut = true;
}
