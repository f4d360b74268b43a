#include "config.h"

#include "mappings/convert/host.h"

#include <idn2.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unicase.h>
#include <uninorm.h>
#include <unistr.h>

/* One byte of a host: L a letter or hyphen, D a digit, U a capital, 0 anything else. A table, because this code runs for
 * every row of a source. */
enum { L = 1, D = 2, U = 4 | 1 };
static const unsigned char host_byte[256] = {
    [0x2d] = L, /* - */
    [0x30] = D, D, D, D, D, D,          D, D, D, D, [0x41] = U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U,
    U,          U, U, U, U, [0x61] = L, L, L, L, L, L,          L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L,
};

static const char *label_check(const char *label, size_t n)
{
    if (n == 0)
        return "has an empty part between two dots of its domain";
    if (n > HOST_LABEL_MAX)
        return "has a part of more than 63 characters in its domain";
    if (label[0] == '-' || label[n - 1] == '-')
        return "has a domain part that starts or ends with a hyphen";
    return NULL;
}

static const char *foreign_byte(unsigned char c)
{
    if (c == '[' || c == ':')
        return "has an IP address for a domain; give it a domain name";
    if (c == '_')
        return "has an underscore in its domain; domains have letters, digits and hyphens";
    if (c == '@')
        return "has more than one @";
    if (c == ' ' || (c >= '\t' && c <= '\r'))
        return "has a blank inside its domain; remove it";
    if (c == ',' || c == ';')
        return c == ',' ? "has a comma in place of a dot?" : "has a semicolon in place of a dot?";
    if (c < 0x20 || c == 0x7f)
        return "has a control character in its domain";
    return "has a character in its domain that domains cannot have";
}

const char *host_check(struct str host, bool *has_upper)
{
    unsigned seen = 0, seen_label = 0;
    size_t start = 0, dots = 0;

    *has_upper = false;
    for (size_t i = 0; i < host.n; i++) {
        unsigned char c = (unsigned char)host.p[i];
        unsigned kind = host_byte[c];
        if (kind != 0) {
            seen_label |= kind;
            continue;
        }
        if (c != '.')
            return foreign_byte(c);
        const char *why = label_check(host.p + start, i - start);
        if (why != NULL)
            return i == 0 ? "has a domain that starts with a dot" : why;
        dots++;
        start = i + 1;
        seen |= seen_label;
        seen_label = 0;
    }
    if (host.n == 0)
        return "has no domain after the @";
    if (start == host.n)
        return "ends with a dot; remove it or use apply: [email]";
    const char *why = label_check(host.p + start, host.n - start);
    if (why != NULL)
        return why;
    if (dots == 0)
        return "has a domain without a dot";
    /* No top-level domain is a number (RFC 3696): this is an IP address or a part of one. */
    if ((seen_label & L) == 0)
        return dots == 3 && (seen & L) == 0 ? "has an IP address for a domain; give it a domain name"
                                            : "has a domain that ends in a number";
    if (host.n > HOST_MAX)
        return "has a domain of more than 253 characters";
    *has_upper = ((seen | seen_label) & 4) != 0;
    return NULL;
}

int host_lower(struct str in, struct arena *scratch, struct str *out)
{
    size_t i = 0;
    while (i < in.n && !(in.p[i] >= 'A' && in.p[i] <= 'Z'))
        i++;
    *out = in;
    if (i == in.n)
        return 0;
    char *copy = arena_alloc(scratch, in.n);
    if (copy == NULL)
        return -1;
    memcpy(copy, in.p, i);
    for (; i < in.n; i++)
        copy[i] = in.p[i] >= 'A' && in.p[i] <= 'Z' ? (char)(in.p[i] | 0x20) : in.p[i];
    out->p = copy;
    return 0;
}

/* Lower-cases one code point at a time, then composes (NFC); a name needs no other mapping. Full lower-casing is not used:
 * it turns one letter into two (U+0130) or looks at neighbours (final sigma), which IDNA does not. The caller frees the
 * NUL-terminated result; NULL when memory is short. */
static uint8_t *lower_nfc(struct str host, size_t *n)
{
    /* A small letter takes at most three bytes if its capital takes two, and never more than four. */
    uint8_t *lower = malloc(host.n * 2 + 4);
    size_t used = 0, at = 0;

    if (lower == NULL)
        return NULL;
    while (at < host.n) {
        ucs4_t c;
        int len = u8_mbtouc(&c, (const uint8_t *)host.p + at, host.n - at);
        int put = u8_uctomb(lower + used, uc_tolower(c), (ptrdiff_t)(host.n * 2 + 4 - used));
        if (len <= 0 || put <= 0)
            break;
        at += (size_t)len;
        used += (size_t)put;
    }
    uint8_t *nfc = u8_normalize(UNINORM_NFC, lower, used, NULL, n);
    free(lower);
    if (nfc == NULL)
        return NULL;
    uint8_t *ended = realloc(nfc, *n + 1);
    if (ended == NULL) {
        free(nfc);
        return NULL;
    }
    ended[*n] = 0;
    return ended;
}

/* Our own rules for a name before libidn2 sees it: valid UTF-8, and an ASCII part as in any other host. libidn2's own check
 * (IDN2_USE_STD3_ASCII_RULES) silently deletes invalid characters and reports success. A character whose small letter is an
 * ASCII one (the Kelvin sign, the dotted capital I) would turn the name into another name. */
static const char *unicode_check(struct str host)
{
    if (u8_check((const uint8_t *)host.p, host.n) != NULL)
        return "is not valid UTF-8";
    for (size_t i = 0, n; i < host.n; i += n) {
        ucs4_t c;
        n = (size_t)u8_mbtouc(&c, (const uint8_t *)host.p + i, host.n - i);
        if (c >= 0x80 && uc_tolower(c) < 0x80)
            return "has a character in its domain that internationalised domains cannot have";
        if (c < 0x80 && host_byte[c] == 0 && c != '.')
            return foreign_byte((unsigned char)c);
        /* libidn2 checks hyphens only when it may also map characters. */
        if (c == '-' && (i == 0 || host.p[i - 1] == '.' || i + 1 == host.n || host.p[i + 1] == '.'))
            return "has a domain part that starts or ends with a hyphen";
    }
    return NULL;
}

static const char *idn_verdict(int rc)
{
    switch (rc) {
    case IDN2_TOO_BIG_DOMAIN:
    case IDN2_TOO_BIG_LABEL:
    case IDN2_PUNYCODE_BIG_OUTPUT: return "has a domain that is too long in its ASCII form";
    case IDN2_UNASSIGNED:
    case IDN2_DISALLOWED: return "has a character in its domain that internationalised domains cannot have";
    default: return "has a domain that is not a valid internationalised name";
    }
}

/* Encodes strictly (IDNA 2008, no UTS 46 mapping) and decodes again. A name that comes back changed is refused. */
static int encode(const uint8_t *lower, char **ascii, const char **why)
{
    uint8_t *a = NULL;
    char *back = NULL;
    int rc = idn2_lookup_u8(lower, &a, IDN2_NFC_INPUT | IDN2_NO_TR46);
    if (rc == IDN2_OK)
        rc = idn2_to_unicode_8z8z((const char *)a, &back, 0);
    if (rc == IDN2_MALLOC) {
        idn2_free(a);
        return -1;
    }
    if (rc != IDN2_OK)
        *why = idn_verdict(rc);
    else if (strcmp(back, (const char *)lower) != 0)
        *why = "has a domain whose ASCII form stands for another name";
    idn2_free(back);
    if (*why != NULL) {
        idn2_free(a);
        a = NULL;
    }
    *ascii = (char *)a;
    return 0;
}

int host_to_ascii(struct str host, struct arena *scratch, struct str *out, const char **why)
{
    bool beyond_ascii = false, upper;
    size_t lower_n = 0;
    char *ascii = NULL;

    for (size_t i = 0; i < host.n; i++)
        beyond_ascii |= (unsigned char)host.p[i] >= 0x80;
    *out = host;
    *why = beyond_ascii ? unicode_check(host) : host_check(host, &upper);
    if (*why != NULL || !beyond_ascii)
        return 0;
    /* UTF-8 has at most four bytes per letter, and the ASCII form has at least one byte per letter. */
    if (host.n > 4 * HOST_MAX) {
        *why = "has a domain of more than 253 characters";
        return 0;
    }
    uint8_t *lower = lower_nfc(host, &lower_n);
    if (lower == NULL)
        return -1;
    int rc = encode(lower, &ascii, why);
    free(lower);
    if (rc != 0 || *why != NULL)
        return rc;
    *out = str_from(ascii);
    *why = host_check(*out, &upper);
    rc = arena_str(scratch, *out, out);
    idn2_free(ascii);
    return rc;
}

int host_to_unicode(struct str ascii, struct arena *scratch, struct str *out)
{
    char *name = arena_dup(scratch, ascii.p, ascii.n), *unicode = NULL;
    *out = ascii;
    if (name == NULL)
        return -1;
    int rc = idn2_to_unicode_8z8z(name, &unicode, 0);
    if (rc == IDN2_OK)
        rc = arena_str(scratch, str_from(unicode), out) == 0 ? IDN2_OK : IDN2_MALLOC;
    idn2_free(unicode);
    return rc == IDN2_MALLOC ? -1 : 0;
}
