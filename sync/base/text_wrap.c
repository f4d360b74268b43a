/* Lines for a terminal: parted between words, so that the terminal does not part them within one. */
#include "config.h"

#include "sync/base/text.h"

enum { LEAST_COLUMNS = 20 /* beside the indent; a narrower terminal gets none */ };

/* Bytes of a colour sequence at the start, which takes no column: ESC [ digits m. 0: there is none. */
static size_t colour_bytes(struct str s)
{
    size_t n = 2;
    if (s.n < 3 || s.p[0] != '\x1b' || s.p[1] != '[')
        return 0;
    while (n < s.n && ((s.p[n] >= '0' && s.p[n] <= '9') || s.p[n] == ';'))
        n++;
    return n < s.n && s.p[n] == 'm' ? n + 1 : 0;
}

/* Bytes of the first line; *next is where the second one starts. A line ends before a blank. Only a word that is wider than
 * a line is parted itself. */
static size_t line_bytes(struct str text, size_t columns, size_t *next)
{
    size_t used = 0, at = 0, word_end = 0;
    bool in_word = false;
    while (at < text.n) {
        struct str rest = {text.p + at, text.n - at};
        size_t n = colour_bytes(rest);
        if (n > 0) {
            at += n;
            continue;
        }
        if (*rest.p == ' ' && in_word)
            word_end = at;
        in_word = *rest.p != ' ';
        n = text_fitting(rest, 1);
        size_t width = text_width((struct str){rest.p, n});
        if (used + width > columns && used > 0)
            break;
        used += width;
        at += n;
    }
    *next = at;
    if (at == text.n || word_end == 0)
        return at;
    for (*next = word_end; *next < text.n && text.p[*next] == ' ';)
        ++*next;
    return word_end;
}

int text_wrap(struct str line, size_t columns, size_t indent, struct buf *out)
{
    size_t start = out->n, left = columns;
    if (columns == 0)
        return buf_add(out, line.p, line.n);
    if (indent + LEAST_COLUMNS > columns)
        indent = 0;
    while (line.n > 0) {
        size_t next, n = line_bytes(line, left, &next);
        if (buf_add(out, line.p, n) != 0)
            goto fail;
        line = (struct str){line.p + next, line.n - next};
        left = columns - indent;
        if (line.n == 0)
            break;
        if (buf_addc(out, '\n') != 0)
            goto fail;
        for (size_t i = 0; i < indent; i++)
            if (buf_addc(out, ' ') != 0)
                goto fail;
    }
    return 0;
fail:
    out->n = start;
    return -1;
}
