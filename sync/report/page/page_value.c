#include "config.h"

#include "sync/report/page/page_value.h"

#include "sync/base/text.h"

#include <stdbool.h>

/* Marks help the eye only if at least this part of the longer value is the same. */
enum { COMMON_PART = 3 };

static bool within_char(struct str s, size_t at)
{
    return at < s.n && ((unsigned char)s.p[at] & 0xc0) == 0x80;
}

/* Does a character begin here that has no width, such as an accent? It belongs to the one before. */
static bool joins(struct str s, size_t at)
{
    if (at >= s.n || (unsigned char)s.p[at] < 0x80)
        return false;
    size_t n = text_utf8_char(s.p + at, s.n - at);
    return n > 0 && text_width((struct str){s.p + at, n}) == 0;
}

/* Can the values be parted here? */
static bool parts(struct str s, size_t at)
{
    return !within_char(s, at) && !joins(s, at);
}

void page_value_compare(struct str a, struct str b, struct page_value_marks *out)
{
    size_t shorter = a.n < b.n ? a.n : b.n, longer = a.n < b.n ? b.n : a.n, first = 0, last = 0;
    while (first < shorter && a.p[first] == b.p[first])
        first++;
    while (first > 0 && (!parts(a, first) || !parts(b, first)))
        first--;
    while (last < shorter - first && a.p[a.n - last - 1] == b.p[b.n - last - 1])
        last++;
    while (last > 0 && (!parts(a, a.n - last) || !parts(b, b.n - last)))
        last--;
    if (first + last < longer / COMMON_PART)
        first = last = 0;
    *out = (struct page_value_marks){
        .before = {a.p, first},
        .removed = {a.p + first, a.n - first - last},
        .added = {b.p + first, b.n - first - last},
        .after = {a.p + a.n - last, last},
    };
}
