/* Hashes, by libraries: XXH3 with a secret for keys and fingerprints, SHA-256 for what leaves the host. */
#ifndef SYNC_BASE_HASH_H
#define SYNC_BASE_HASH_H

#include "sync/base/str.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { HASH_SECRET_N = 192 }; /* bytes; XXH3_SECRET_DEFAULT_SIZE */

/* 16 bytes in canonical (big-endian) order, so that memcmp order is stable across machines. */
struct hash128 {
    unsigned char b[16];
};

struct hash128 hash_keyed128(const unsigned char secret[HASH_SECRET_N], const void *p, size_t n);
uint64_t hash_keyed64(const unsigned char secret[HASH_SECRET_N], const void *p, size_t n);
bool hash128_eq(const struct hash128 *a, const struct hash128 *b);
bool hash128_is_zero(const struct hash128 *h);
/* A half as a number: a larger first half is a larger hash. Inline, because a lookup calls it for each row. */
static inline uint64_t hash128_half(const struct hash128 *h, size_t at)
{
    uint64_t v;
    memcpy(&v, h->b + at, sizeof v);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    v = __builtin_bswap64(v);
#endif
    return v;
}
static inline uint64_t hash128_high(const struct hash128 *h)
{
    return hash128_half(h, 0);
}
static inline uint64_t hash128_low(const struct hash128 *h)
{
    return hash128_half(h, 8);
}
/* A first half scaled to 0 … n-1, in order. */
static inline size_t hash_scale(uint64_t high, size_t n)
{
    __extension__ typedef unsigned __int128 wide;
    return (size_t)((wide)high * n >> 64);
}

/* Random bytes from the kernel. 0, or -1 with errno. */
int random_bytes(void *p, size_t n);

enum { SHA256_HEX_N = 65 };
/* Lower-case hex with a NUL. 0/-1 (the library failed). */
int sha256_hex(const void *p, size_t n, char out[SHA256_HEX_N]);
enum { SHA256_BASE64_N = 45 };
/* The same in base64, as policies of web pages have it. */
int sha256_base64(const void *p, size_t n, char out[SHA256_BASE64_N]);
/* The digest in hex of bytes that come in parts. sha256_end() frees it; NULL, of all three, is a digest that is not known (out is ""). */
struct sha256;
struct sha256 *sha256_begin(void);
void sha256_add(struct sha256 **s, const void *p, size_t n);
void sha256_end(struct sha256 **s, char out[SHA256_HEX_N]);

/* UUIDs: text in any case to 16 bytes and back, lower case. Opaque: no version is checked. */
struct uuid {
    unsigned char b[16];
};
enum { UUID_TEXT_N = 37 };
int uuid_parse(struct str text, struct uuid *out); /* 0/-1 */
const char *uuid_format(const struct uuid *u, char out[UUID_TEXT_N]);
bool uuid_eq(const struct uuid *a, const struct uuid *b);
bool uuid_is_nil(const struct uuid *u);

#endif
