/* A growable byte buffer, born with its maximum: nothing that grows from input grows for ever. */
#ifndef SYNC_BASE_BUF_H
#define SYNC_BASE_BUF_H

#include "sync/base/str.h"

#include <stdarg.h>
#include <stddef.h>

struct buf {
    char *p;    /* owned; NULL while empty and never grown */
    size_t n;   /* bytes in use */
    size_t cap; /* bytes allocated */
    size_t max; /* n never exceeds it */
};

#define BUF_INIT(maximum) \
    { \
        0, 0, 0, (maximum) \
    }

void buf_init(struct buf *b, size_t max);
void buf_free(struct buf *b);  /* frees and resets; the maximum stays */
void buf_reset(struct buf *b); /* n = 0, keeps the memory */

/* All adders: 0, or -1 with nothing added, errno ENOMEM or EOVERFLOW (the maximum would be passed). */
int buf_reserve(struct buf *b, size_t extra);
int buf_add(struct buf *b, const void *p, size_t n);
int buf_adds(struct buf *b, const char *text);
int buf_addc(struct buf *b, char c);
int buf_addf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int buf_vaddf(struct buf *b, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));

/* Little-endian base-128, for the packed records of the state and the spool. */
int buf_add_varint(struct buf *b, unsigned long long v);
enum { VARINT_MAX = 10 }; /* bytes of the longest */
static inline size_t varint_n(unsigned long long v)
{
    size_t n = 1;
    for (; v >= 0x80; v >>= 7)
        n++;
    return n;
}
/* The same into room that is known to be there; returns its end. */
static inline char *varint_put(char *at, unsigned long long v)
{
    for (; v >= 0x80; v >>= 7)
        *at++ = (char)((v & 0x7f) | 0x80);
    *at++ = (char)v;
    return at;
}
/* A length and the bytes. */
int buf_add_str(struct buf *b, struct str s);

/* Readers of packed records: advance *p towards end. 0, or -1 when the record is cut or malformed. */
int unpack_varint(const char **p, const char *end, unsigned long long *v);
int unpack_str(const char **p, const char *end, struct str *s); /* borrows from the record */

/* The bytes with a NUL after them; the buffer keeps them. NULL when out of memory. */
const char *buf_cstr(struct buf *b);
struct str buf_str(const struct buf *b);

#endif
