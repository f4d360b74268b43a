/* The message for a refused value, and for a row that skip_when leaves out. The state keeps it and tables print it, so it is
 * one line of bounded length. */
#include "config.h"

#include "mappings/mapping.h"

#include "sync/base/text.h"
#include "sync/model/reason.h"

#include <string.h>

enum { SHOWN_BYTES_MAX = 300 };

/* A cut inside a word could keep part of an address, which `forget` would not find. */
static size_t whole_words(struct str s)
{
    size_t n = s.n;
    if (n <= SHOWN_BYTES_MAX)
        return n;
    for (n = SHOWN_BYTES_MAX; n > 0 && memchr(" ,;\t\r\n", s.p[n], 6) == NULL; n--)
        continue;
    return n;
}

static int show(struct str s, struct buf *out)
{
    size_t n = whole_words(s);
    return text_show((struct str){s.p, n}, 0, out) != 0 || (n < s.n && buf_adds(out, "\xe2\x80\xa6") != 0) ? -1 : 0;
}

static int quoted(const char *before, struct str s, struct buf *out)
{
    return buf_adds(out, before) != 0 || buf_addc(out, '"') != 0 || show(s, out) != 0 || buf_addc(out, '"') != 0 ? -1 : 0;
}

int mapping_reject_text(const struct reject *r, struct buf *out)
{
    const char *why = r->why != NULL ? r->why : reason_help(r->reason);
    bool worked = r->worked.n > 0 && !str_eq(str_trim(r->worked), str_trim(r->value));
    /* Bytes that are not text cannot be shown; the cause explains enough. */
    bool value = r->value.n > 0 && r->reason != REASON_NOT_UTF8 && (r->why != NULL || r->reason != REASON_FIELD_TOO_LONG);
    bool bad = (r->column != NULL && (show(str_from(r->column), out) != 0 || buf_adds(out, ": ") != 0)) ||
               (value && quoted("", r->value, out) != 0) ||
               (value && worked && (quoted(", which becomes ", r->worked, out) != 0 || buf_addc(out, ',') != 0)) ||
               (value && buf_addc(out, ' ') != 0) || buf_adds(out, why) != 0 ||
               (r->step != NULL && buf_addf(out, " (apply: %s)", r->step) != 0);
    return bad ? -1 : 0;
}

int mapping_skip_text(const struct mapping *m, size_t number, struct str cell, struct buf *out)
{
    struct skip_value v = mapping_skip_value(m, number);
    return buf_addf(out, "rule %zu: ", v.rule) != 0 || quoted("column ", str_from(v.column), out) != 0 ||
                   quoted(" is ", str_trim(cell), out) != 0
               ? -1
               : 0;
}
