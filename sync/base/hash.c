/* Two kinds of hash, for two kinds of reader: fast and keyed for what stays here, SHA-256 for what others compare. */
#include "config.h"

#include "sync/base/hash.h"

#include <errno.h>
#include <openssl/evp.h>
#include <string.h>
#include <sys/random.h>
#include <xxhash.h>

/* Lower case everywhere: what is compared as text must have one spelling. */
static const char hex_digits[] = "0123456789abcdef";

struct hash128 hash_keyed128(const unsigned char secret[HASH_SECRET_N], const void *p, size_t n)
{
    /* The canonical form is big-endian everywhere: a state may move to another machine. */
    XXH128_canonical_t canonical;
    struct hash128 out;
    XXH128_canonicalFromHash(&canonical, XXH3_128bits_withSecret(p, n, secret, HASH_SECRET_N));
    memcpy(out.b, canonical.digest, sizeof out.b);
    return out;
}

uint64_t hash_keyed64(const unsigned char secret[HASH_SECRET_N], const void *p, size_t n)
{
    return XXH3_64bits_withSecret(p, n, secret, HASH_SECRET_N);
}

/* Not in constant time: what is compared here is no secret. */
bool hash128_eq(const struct hash128 *a, const struct hash128 *b)
{
    return memcmp(a->b, b->b, sizeof a->b) == 0;
}

bool hash128_is_zero(const struct hash128 *h)
{
    static const struct hash128 zero;
    return hash128_eq(h, &zero);
}

int random_bytes(void *p, size_t n)
{
    char *at = p;
    while (n > 0) {
        /* May give less than was asked for when a signal comes, but never bytes of low quality. */
        ssize_t got = getrandom(at, n, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        at += got;
        n -= (size_t)got;
    }
    return 0;
}

/* Writes 2n digits and returns where they end; no NUL. */
static char *hex(char *out, const unsigned char *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        *out++ = hex_digits[p[i] >> 4];
        *out++ = hex_digits[p[i] & 15];
    }
    return out;
}

int sha256_hex(const void *p, size_t n, char out[SHA256_HEX_N])
{
    /* One call a request body or file: fetching the algorithm each time is little beside that. */
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned digest_n = 0;
    if (EVP_Digest(p, n, digest, &digest_n, EVP_sha256(), NULL) != 1 || digest_n * 2 + 1 != SHA256_HEX_N)
        return -1;
    *hex(out, digest, digest_n) = '\0';
    return 0;
}

int sha256_base64(const void *p, size_t n, char out[SHA256_BASE64_N])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned digest_n = 0;
    if (EVP_Digest(p, n, digest, &digest_n, EVP_sha256(), NULL) != 1 || (digest_n + 2) / 3 * 4 + 1 != SHA256_BASE64_N)
        return -1;
    EVP_EncodeBlock((unsigned char *)out, digest, (int)digest_n);
    return 0;
}

/* An EVP_MD_CTX under a name of our own, so that no header of the library is needed to use it. */
struct sha256 *sha256_begin(void)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    if (ctx != NULL && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) != 1) {
        EVP_MD_CTX_free(ctx);
        ctx = NULL;
    }
    return (struct sha256 *)ctx;
}

void sha256_add(struct sha256 **s, const void *p, size_t n)
{
    char ignored[SHA256_HEX_N];
    if (*s != NULL && EVP_DigestUpdate((EVP_MD_CTX *)*s, p, n) != 1)
        sha256_end(s, ignored);
}

void sha256_end(struct sha256 **s, char out[SHA256_HEX_N])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned digest_n = 0;
    out[0] = '\0';
    if (*s != NULL && EVP_DigestFinal_ex((EVP_MD_CTX *)*s, digest, &digest_n) == 1 && digest_n * 2 + 1 == SHA256_HEX_N)
        *hex(out, digest, digest_n) = '\0';
    EVP_MD_CTX_free((EVP_MD_CTX *)*s);
    *s = NULL;
}

/* By hand, since isxdigit() asks the locale and strtol() takes blanks and signs. */
static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* 8-4-4-4-12: a hyphen stands before these bytes. */
static bool hyphen_before(size_t byte)
{
    return byte == 4 || byte == 6 || byte == 8 || byte == 10;
}

int uuid_parse(struct str text, struct uuid *out)
{
    /* Only the one form with hyphens: a name of 32 hex digits is a name. */
    struct uuid parsed;
    if (text.n != UUID_TEXT_N - 1)
        return -1;
    const char *p = text.p;
    for (size_t i = 0; i < sizeof parsed.b; i++) {
        if (hyphen_before(i) && *p++ != '-')
            return -1;
        int high = hex_value(p[0]), low = hex_value(p[1]);
        if (high < 0 || low < 0)
            return -1;
        parsed.b[i] = (unsigned char)(high << 4 | low);
        p += 2;
    }
    /* Written last, so that a failure leaves what the caller had. */
    *out = parsed;
    return 0;
}

const char *uuid_format(const struct uuid *u, char out[UUID_TEXT_N])
{
    char *at = out;
    for (size_t i = 0; i < sizeof u->b; i++) {
        if (hyphen_before(i))
            *at++ = '-';
        at = hex(at, &u->b[i], 1);
    }
    *at = '\0';
    return out;
}

bool uuid_eq(const struct uuid *a, const struct uuid *b)
{
    return memcmp(a->b, b->b, sizeof a->b) == 0;
}

bool uuid_is_nil(const struct uuid *u)
{
    static const struct uuid nil;
    return uuid_eq(u, &nil);
}
