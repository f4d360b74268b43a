#include "config.h"

#include "mappings/convert/email.h"

#include "mappings/convert/host.h"
#include "sync/base/text.h"

#include <libpsl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unicase.h>
#include <unictype.h>
#include <uninorm.h>
#include <unistr.h>

/* One byte of a local part: A as in RFC 5321's atext, U a capital among them, X beyond ASCII (RFC 6531). */
enum { A = 1, U = 2 | 1, X = 4 };
static const unsigned char local_byte[256] = {
    [0x21] = A, 0, A, A, A, A, A, 0, 0, A, A, 0, A, 0, A,    /* !"#$%&'()*+,-./ */
    [0x30] = A, A, A, A, A, A, A, A, A, A, 0, 0, 0, A, 0, A, /* 0-9:;<=>? */
    [0x40] = 0, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, 0, 0, 0, A, A,
    [0x60] = A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, 0,
    [0x80] = X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
    [0xa0] = X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
    [0xc0] = X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
    [0xe0] = X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
};

static bool email_is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* True if the word around the only @ could be an address and other text stands beside it: "ann@example.com (work)",
 * "Ann | a@b.co". False for one word and a blank in front, which may be a name or an address with a blank inside. */
static bool beside_text(struct str s)
{
    const char *at = memchr(s.p, '@', s.n), *from = at, *to = at + 1, *end = s.p + s.n;
    size_t blanks = 0;
    bool upper;

    while (from > s.p && from[-1] != '|' && (local_byte[(unsigned char)from[-1]] != 0 || from[-1] == '.'))
        from--;
    for (const char *p = s.p; p < from; p++)
        blanks += email_is_blank(*p);
    while (to < end && ((*to >= '0' && *to <= '9') || (*to | 0x20) >= 'a' || *to == '.' || *to == '-'))
        to++;
    struct str host = {at + 1, (size_t)(to - at - 1)};
    host.n -= host.n > 0 && to < end && to[-1] == '.';
    bool before = from > s.p && (blanks > 1 || memchr("([|", from[-1], 3) != NULL);
    bool after = to < end && (email_is_blank(*to) || memchr(",;|()[]/?\"'", *to, 11) != NULL);
    return (before || after) && from < at && host_check(host, &upper) == NULL;
}

/* What people write instead of an address. Called only when the text is known to be invalid. */
static const char *email_explain(struct str s, const char *otherwise)
{
    size_t ats = 0;
    bool blank = false, several = false;

    if (s.n >= 7 && str_eq_nocase((struct str){s.p, 7}, STR("mailto:")))
        return "starts with 'mailto:'; remove it or use apply: [email]";
    for (size_t i = 0; i < s.n; i++) {
        ats += s.p[i] == '@';
        blank |= email_is_blank(s.p[i]);
        several |= s.p[i] == ',' || s.p[i] == ';' || s.p[i] == '|';
    }
    if (ats > 1 && (several || blank))
        return "looks like several addresses; give one per row";
    if (memchr(s.p, '<', s.n) != NULL || memchr(s.p, '>', s.n) != NULL)
        return "is written as 'Name <address>'; keep the address alone or use apply: [email]";
    char last = s.p[s.n - 1];
    if (ats == 1 && (last == ',' || last == ';'))
        return "ends with a comma or semicolon; remove it or use apply: [email]";
    if (ats == 1 && (last == '"' || last == '\''))
        return "ends with a quote; remove it or use apply: [email]";
    if (ats == 0)
        return "has no @";
    if (ats > 1)
        return "has more than one @";
    if (s.p[0] == '@')
        return "has nothing before the @";
    if (beside_text(s))
        return "has other text beside the address; keep the address alone";
    if (blank)
        return "has a blank inside; remove it";
    return otherwise;
}

/* A blank beyond ASCII, such as the no-break space, looks like a plain one, so the message must name it. */
static bool other_blank(const char *p, size_t n, uint32_t *c)
{
    ucs4_t found;
    if ((unsigned char)*p < 0xc2 || u8_mbtoucr(&found, (const uint8_t *)p, n) < 2 || !uc_is_property_white_space(found))
        return false;
    *c = found;
    return true;
}

/* Copy and paste leaves invisible characters; the address looks right, so the message names each one by its number. In a
 * domain it would make another domain, and no step removes it. */
static const char *explain_hidden(struct str s, const char *otherwise, struct arena *scratch)
{
    enum { TEXT_N = 100 };
    const char *at = s.n > 0 ? memrchr(s.p, '@', s.n) : NULL;
    uint32_t c = 0, found = 0;
    bool in_domain = false;

    for (size_t i = 0; i < s.n && !in_domain; i++)
        if (text_hidden_char(s.p + i, s.n - i, &c) != 0 || other_blank(s.p + i, s.n - i, &c)) {
            in_domain = at != NULL && s.p + i > at;
            found = found == 0 || in_domain ? c : found;
        }
    if (found == 0)
        return otherwise;
    char *text = arena_alloc(scratch, TEXT_N);
    if (text == NULL)
        return otherwise;
    snprintf(text, TEXT_N,
             in_domain ? "has an invisible character, U+%04X, in its domain; remove it"
                       : "has an invisible character, U+%04X; remove it or use apply: [email]",
             (unsigned)found);
    return text;
}

/* RFC 5321's Quoted-string. 1 with the length up to and including the closing quote; 0 when the text is not one. */
static int quoted_local(struct str s, size_t *end, unsigned *seen)
{
    for (size_t i = 1; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c == '"') {
            *end = i + 1;
            return i > 1;
        }
        if (c == '\\' && ++i < s.n)
            c = (unsigned char)s.p[i];
        if (c < 0x20 || c > 0x7e)
            return 0;
        *seen |= local_byte[c];
    }
    return 0;
}

/* The local part. NULL with *end at the @ and the kinds of bytes in *seen, else the verdict. */
static const char *scan_local(struct str s, size_t *end, unsigned *seen)
{
    size_t i = 0, dot = 0; /* dot: the byte after the last dot, where no other dot and no end may stand */

    if (s.p[0] == '"') {
        if (!quoted_local(s, end, seen) || *end == s.n || s.p[*end] != '@')
            return email_explain(s, "has a quoted part before the @ that is not well-formed");
        return NULL;
    }
    for (; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        unsigned kind = local_byte[c];
        if (kind != 0) {
            *seen |= kind;
            continue;
        }
        if (c == '@')
            break;
        if (c != '.')
            return email_explain(s, c < 0x20 || c == 0x7f ? "has a control character before the @"
                                                          : "has a character before the @ that needs quotes");
        if (i == dot)
            return email_explain(s, i == 0 ? "starts with a dot" : "has two dots in a row before the @");
        dot = i + 1;
    }
    if (i == s.n || i == 0)
        return email_explain(s, "has no @");
    if (i == dot)
        return email_explain(s, "has a dot just before the @");
    *end = i;
    return NULL;
}

/* RFC 6531 lets letters of all scripts into a local part. Blanks, controls and invisible characters are
 * leftovers of copy and paste, and an address that contains one is not the address that was meant. */
static const char *unicode_local(struct str local)
{
    const uint8_t *at = (const uint8_t *)local.p, *end = at + local.n;

    if (u8_check(at, local.n) != NULL)
        return "is not valid UTF-8";
    while (at < end) {
        ucs4_t c;
        at += u8_mbtouc(&c, at, (size_t)(end - at));
        if (c >= 0x80 && (uc_is_general_category_withtable(c, UC_CATEGORY_MASK_Z | UC_CATEGORY_MASK_C) ||
                          uc_is_property_default_ignorable_code_point(c)))
            return "has an invisible character before the @; type the address again";
    }
    return NULL;
}

/* Case-folded and composed. The allocation passes at once: a local part has 64 bytes at most. Composition turns
 * the Greek question mark into a semicolon, which an address cannot have. */
static int fold_local(struct str local, struct arena *scratch, struct str *out, const char **why)
{
    size_t n = 0;
    uint8_t *folded = u8_casefold((const uint8_t *)local.p, local.n, NULL, UNINORM_NFC, NULL, &n);
    if (folded == NULL)
        return -1;
    for (size_t i = 0; i < n; i++)
        if (local_byte[folded[i]] == 0 && folded[i] != '.')
            *why = "has a character before the @ that addresses cannot have";
    int rc = arena_str(scratch, (struct str){(const char *)folded, n}, out);
    free(folded);
    return rc;
}

static int join(struct str local, struct str domain, struct arena *scratch, struct str *out)
{
    char *p = arena_alloc(scratch, local.n + 1 + domain.n);
    if (p == NULL)
        return -1;
    memcpy(p, local.p, local.n);
    p[local.n] = '@';
    memcpy(p + local.n + 1, domain.p, domain.n);
    *out = (struct str){p, local.n + 1 + domain.n};
    return 0;
}

/* The address is not plain ASCII, so its parts are encoded and folded one by one. */
static int finish_unicode(struct str local, struct str domain, bool fold, struct arena *scratch, struct email *out)
{
    struct str ascii, key_local, key_domain;

    if (fold && (out->why = unicode_local(local)) != NULL)
        return 0;
    if (host_to_ascii(domain, scratch, &ascii, &out->why) != 0)
        return -1;
    if (out->why != NULL)
        return 0;
    if (local.n + 1 + ascii.n > EMAIL_MAX) {
        out->why = "is longer than 254 characters";
        return 0;
    }
    if ((fold ? fold_local(local, scratch, &key_local, &out->why) : host_lower(local, scratch, &key_local)) != 0)
        return -1;
    if (out->why != NULL)
        return 0;
    out->send = (struct str){local.p, local.n + 1 + domain.n};
    if ((ascii.p != domain.p && join(local, ascii, scratch, &out->send) != 0) ||
        host_lower(ascii, scratch, &key_domain) != 0 || join(key_local, key_domain, scratch, &out->key) != 0) {
        out->send = STR_NONE;
        return -1;
    }
    return 0;
}

static int parse(struct str s, struct arena *scratch, struct email *out)
{
    size_t at = 0;
    unsigned seen = 0;
    bool upper = false;

    *out = (struct email){NULL, STR_NONE, STR_NONE};
    if (s.n == 0) {
        out->why = "is empty";
        return 0;
    }
    out->why = scan_local(s, &at, &seen);
    if (out->why == NULL && at > EMAIL_LOCAL_MAX)
        out->why = email_explain(s, "has more than 64 characters before the @");
    if (out->why != NULL)
        return 0;

    struct str local = {s.p, at}, domain = {s.p + at + 1, s.n - at - 1};
    const char *why = host_check(domain, &upper);
    bool unicode_domain = false;
    for (size_t i = 0; why != NULL && i < domain.n; i++)
        unicode_domain |= (unsigned char)domain.p[i] >= 0x80;
    if (unicode_domain || ((seen & X) != 0 && why == NULL))
        return finish_unicode(local, domain, (seen & X) != 0, scratch, out);
    if (why != NULL) {
        out->why = email_explain(s, why);
        return 0;
    }
    if (s.n > EMAIL_MAX) {
        out->why = "is longer than 254 characters";
        return 0;
    }
    if ((upper || (seen & (U & ~A)) != 0) && host_lower(s, scratch, &out->key) != 0)
        return -1;
    out->send = s;
    if (out->key.p == NULL)
        out->key = s;
    return 0;
}

int email_parse(struct str raw, struct arena *scratch, struct email *out)
{
    struct str s = str_trim(raw);
    if (parse(s, scratch, out) != 0)
        return -1;
    if (out->why != NULL)
        out->why = explain_hidden(s, out->why, scratch);
    return 0;
}

bool email_tld_unknown(struct str key)
{
    const psl_ctx_t *list = psl_builtin();
    const char *dot = key.p != NULL ? memrchr(key.p, '.', key.n) : NULL;
    char tld[HOST_LABEL_MAX + 1];

    if (list == NULL || dot == NULL)
        return false; /* a libpsl built without its list knows no domain, so none is reported as unknown */
    size_t n = key.n - (size_t)(dot + 1 - key.p);
    if (n > HOST_LABEL_MAX)
        return false;
    memcpy(tld, dot + 1, n);
    tld[n] = 0;
    /* Reserved for samples (RFC 2606), so it is not a typing error. */
    if (strcmp(tld, "example") == 0)
        return false;
    return psl_is_public_suffix2(list, tld, PSL_TYPE_ICANN | PSL_TYPE_NO_STAR_RULE) == 0;
}
