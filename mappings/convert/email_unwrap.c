/* Extracts an address from the text that people and programs write around it. */
#include "config.h"

#include "mappings/convert/clean.h"
#include "mappings/convert/email.h"
#include "sync/base/text.h"

#include <string.h>

enum { ZWNJ = 0x200c, ZWJ = 0x200d };

/* An opening and a closing quote of any kind, as bytes of UTF-8. */
static const char *const quotes[] =
    {"\"",           "'",        "`",       "\xe2\x80\x9c", "\xe2\x80\x9d", "\xe2\x80\x9e", "\xe2\x80\x98", "\xe2\x80\x99",
     "\xe2\x80\x9a", "\xc2\xab", "\xc2\xbb"};

static size_t quote_at_start(struct str s)
{
    for (size_t i = 0; i < sizeof quotes / sizeof quotes[0]; i++) {
        size_t n = strlen(quotes[i]);
        if (s.n >= n && memcmp(s.p, quotes[i], n) == 0)
            return n;
    }
    return 0;
}

static size_t quote_at_end(struct str s)
{
    for (size_t i = 0; i < sizeof quotes / sizeof quotes[0]; i++) {
        size_t n = strlen(quotes[i]);
        if (s.n >= n && memcmp(s.p + s.n - n, quotes[i], n) == 0)
            return n;
    }
    return 0;
}

/* No domain ends with a quote, so a quote at the end always encloses the address. At the start, "Ann Lee"@example.com may
 * have a quote of its own, which is then closed before the @. */
static struct str without_quotes(struct str s)
{
    size_t end = quote_at_end(s), start = quote_at_start(s);
    bool own = start == 1 && s.p[0] == '"' && end == 0 && s.n > 1 && memchr(s.p + 1, '"', s.n - 1) != NULL;

    s.n -= end;
    if (start > 0 && start <= s.n && !own)
        s = (struct str){s.p + start, s.n - start};
    return s;
}

/* What stands between the last `open` and the `close` at the end: "Name <a@b.co>", "Name (a@b.co)". An address in front of
 * round brackets is not a name. */
static struct str bracketed(struct str s, char open, char close, bool name_only)
{
    const char *at = s.n > 0 && s.p[s.n - 1] == close ? memrchr(s.p, open, s.n) : NULL;

    if (at == NULL)
        return s;
    struct str inside = {at + 1, s.n - (size_t)(at + 1 - s.p) - 1};
    if (name_only && (memchr(s.p, '@', (size_t)(at - s.p)) != NULL || memchr(inside.p, '@', inside.n) == NULL))
        return s;
    return inside;
}

static struct str without_mailto(struct str s)
{
    if (s.n < 7 || !str_eq_nocase((struct str){s.p, 7}, STR("mailto:")))
        return s;
    s = (struct str){s.p + 7, s.n - 7};
    const char *query = memchr(s.p, '?', s.n);
    if (query != NULL)
        s.n = (size_t)(query - s.p);
    return s;
}

/* Each turn removes at least one byte, so the loop ends. */
struct str email_unwrap(struct str raw)
{
    struct str s = clean_trim_marks(raw);

    for (size_t before = s.n + 1; s.n > 0 && s.n < before;) {
        before = s.n;
        s = bracketed(s, '<', '>', false);
        s = bracketed(s, '(', ')', true);
        s = without_mailto(s);
        s = without_quotes(s);
        while (s.n > 0 && memchr(";,.", s.p[s.n - 1], 3) != NULL)
            s.n--;
        s = clean_trim_marks(s);
    }
    return s;
}

/* Joiners belong to words in some scripts; beside an ASCII letter they are leftovers of copy and paste. */
static bool is_leftover(struct str s, size_t i, size_t n, uint32_t c)
{
    bool after_ascii = i == 0 || (unsigned char)s.p[i - 1] < 0x80;
    bool before_ascii = i + n == s.n || (unsigned char)s.p[i + n] < 0x80;
    return (c != ZWNJ && c != ZWJ) || after_ascii || before_ascii;
}

/* Only before the @: without the character, a domain would become another domain, so such an address is refused. */
int email_repair(struct str raw, struct arena *scratch, struct str *out)
{
    struct str s = email_unwrap(raw);
    const char *at = s.n > 0 ? memchr(s.p, '@', s.n) : NULL;
    size_t local_n = at != NULL ? (size_t)(at - s.p) : 0, kept = 0;
    char *to = NULL;

    *out = s;
    for (size_t i = 0, n; i < local_n; i += n) {
        uint32_t c = 0;
        n = text_hidden_char(s.p + i, s.n - i, &c);
        bool leftover = n > 0 && is_leftover(s, i, n, c);
        if (leftover && to == NULL) {
            to = arena_alloc(scratch, s.n);
            if (to == NULL)
                return -1;
            memcpy(to, s.p, kept = i);
        }
        n = n > 0 ? n : 1;
        if (to != NULL && !leftover) {
            memcpy(to + kept, s.p + i, n);
            kept += n;
        }
    }
    if (to == NULL)
        return 0;
    memcpy(to + kept, at, s.n - local_n);
    *out = (struct str){to, kept + s.n - local_n};
    return 0;
}
