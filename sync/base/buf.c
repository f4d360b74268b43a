/* Growth doubles up to the maximum, so that n adds cost O(n), and a failed add leaves the buffer as it was. */
#include "config.h"

#include "sync/base/buf.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the first add allocates: a short line of text. */
enum { BUF_FIRST = 64 };

void buf_init(struct buf *b, size_t max)
{
    /* Nothing is allocated before the first byte: many buffers stay empty. */
    *b = (struct buf)BUF_INIT(max);
}

void buf_free(struct buf *b)
{
    free(b->p);
    buf_init(b, b->max);
}

void buf_reset(struct buf *b)
{
    b->n = 0;
}

/* Makes room for `bytes` in all. The NUL of buf_cstr() may stand one byte past the maximum. */
static int grow(struct buf *b, size_t bytes)
{
    size_t limit = b->max == SIZE_MAX ? SIZE_MAX : b->max + 1;
    size_t cap = b->cap == 0 ? BUF_FIRST : b->cap > limit / 2 ? limit : b->cap * 2;
    if (cap < bytes)
        cap = bytes;
    if (cap > limit)
        cap = limit;
    /* A failed realloc() leaves the old block, and with it everything that was added. */
    char *p = realloc(b->p, cap);
    if (p == NULL) {
        errno = ENOMEM;
        return -1;
    }
    b->p = p;
    b->cap = cap;
    return 0;
}

int buf_reserve(struct buf *b, size_t extra)
{
    /* Subtracted, not added: b->n never exceeds b->max, while the sum could wrap. */
    if (extra > b->max - b->n) {
        errno = EOVERFLOW;
        return -1;
    }
    return b->n + extra <= b->cap ? 0 : grow(b, b->n + extra);
}

int buf_add(struct buf *b, const void *p, size_t n)
{
    if (n == 0)
        return 0;
    if (buf_reserve(b, n) != 0)
        return -1;
    memcpy(b->p + b->n, p, n);
    b->n += n;
    return 0;
}

int buf_adds(struct buf *b, const char *text)
{
    return buf_add(b, text, strlen(text));
}

int buf_addc(struct buf *b, char c)
{
    /* There may be room for the NUL of a full buffer, so the maximum is asked for itself. */
    if ((b->n >= b->cap || b->n >= b->max) && buf_reserve(b, 1) != 0)
        return -1;
    b->p[b->n++] = c;
    return 0;
}

int buf_vaddf(struct buf *b, const char *fmt, va_list ap)
{
    /* Formatting may take two tries, and a va_list can be walked only once. */
    va_list again;
    va_copy(again, ap);
    /* The first try prints straight into what is left; most texts fit. */
    size_t room = b->cap - b->n;
    int n = vsnprintf(room > 0 ? b->p + b->n : NULL, room, fmt, ap);
    int result = -1;
    if (n < 0) {
        errno = EOVERFLOW;
        goto out;
    }
    size_t length = (size_t)n;
    if (length > b->max - b->n) {
        errno = EOVERFLOW;
        goto out;
    }
    if (length >= room) {
        /* vsnprintf wants its NUL, for which grow() leaves a byte past the maximum. */
        if (grow(b, b->n + length + 1) != 0)
            goto out;
        vsnprintf(b->p + b->n, b->cap - b->n, fmt, again);
    }
    b->n += length;
    result = 0;
out:
    va_end(again);
    return result;
}

int buf_addf(struct buf *b, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int result = buf_vaddf(b, fmt, ap);
    va_end(ap);
    return result;
}

int buf_add_varint(struct buf *b, unsigned long long v)
{
    /* Packed records consist of small numbers: nearly all of them take this way. */
    if (v < 0x80)
        return buf_addc(b, (char)v);
    /* Least significant group first; the high bit says that another follows. */
    char bytes[VARINT_MAX];
    return buf_add(b, bytes, (size_t)(varint_put(bytes, v) - bytes));
}

int buf_add_str(struct buf *b, struct str s)
{
    /* The length may fit where its bytes do not: a record is whole or absent. */
    size_t before = b->n;
    if (buf_add_varint(b, s.n) == 0 && buf_add(b, s.p, s.n) == 0)
        return 0;
    b->n = before;
    return -1;
}

int unpack_varint(const char **p, const char *end, unsigned long long *v)
{
    /* *p moves only when a number was read, so that a caller may try something else. */
    unsigned long long value = 0;
    const char *at = *p;
    if (at != end && (unsigned char)*at < 0x80) {
        *v = (unsigned char)*at;
        *p = at + 1;
        return 0;
    }
    for (unsigned shift = 0; shift < 7 * VARINT_MAX; shift += 7) {
        if (at == end)
            return -1;
        unsigned char byte = (unsigned char)*at++;
        unsigned long long bits = byte & 0x7f;
        /* The tenth byte holds one bit: more would be lost. */
        if (shift == 63 && bits > 1)
            return -1;
        value |= bits << shift;
        if ((byte & 0x80) == 0) {
            *p = at;
            *v = value;
            return 0;
        }
    }
    return -1;
}

int unpack_str(const char **p, const char *end, struct str *s)
{
    const char *at = *p;
    unsigned long long n;
    /* Compared with what is left, never added to the pointer first: n may be anything. */
    if (unpack_varint(&at, end, &n) != 0 || n > (size_t)(end - at))
        return -1;
    *s = (struct str){at, (size_t)n};
    *p = at + n;
    return 0;
}

/* grow() leaves room for this NUL even in a full buffer, so only memory can be short. */
const char *buf_cstr(struct buf *b)
{
    if (b->n == b->cap && grow(b, b->n + 1) != 0)
        return NULL;
    b->p[b->n] = '\0';
    return b->p;
}

struct str buf_str(const struct buf *b)
{
    return (struct str){b->p, b->n};
}
