/* Steps that know addresses and URLs. URL libraries change text while they parse it (1.2.3 becomes 1.2.0.3) and would send
 * a value that the source does not have. These steps either keep the bytes or refuse the value. */
#include "config.h"

#include "mappings/convert/email.h"
#include "mappings/convert/host.h"
#include "mappings/convert/transform_steps.h"

#include <string.h>
#include <unistr.h>

/* True if the step has nothing to remove and nothing to lower. Most addresses take this path, and only the field judges
 * them. */
static bool is_plain(struct str s, bool as_spelled)
{
    bool domain = false;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool upper = c >= 'A' && c <= 'Z';
        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && !upper && memchr("@.-_+", c, 5) == NULL)
            return false;
        if (upper && domain && !as_spelled)
            return false;
        domain = domain || c == '@';
    }
    return s.n > 0 && s.p[s.n - 1] != '.';
}

/* Text that is not an address stays as it is, because the field `email` explains the fault better than a step could. */
int transform_email(const struct transform_step *step, struct str in, struct arena *scratch, struct str *out,
                    const char **why)
{
    struct email email;
    struct str repaired;

    (void)why;
    *out = in;
    if (is_plain(in, step->as.as_spelled))
        return 0;
    if (email_repair(in, scratch, &repaired) != 0 || email_parse(repaired, scratch, &email) != 0)
        return -1;
    if (email.why != NULL)
        return 0;
    *out = email.send;
    if (step->as.as_spelled)
        return 0;
    const char *at = memrchr(email.send.p, '@', email.send.n);
    size_t local_n = (size_t)(at + 1 - email.send.p);
    struct str domain = {at + 1, email.send.n - local_n}, lower;
    if (host_lower(domain, scratch, &lower) != 0)
        return -1;
    if (lower.p == domain.p)
        return 0;
    char *joined = arena_alloc(scratch, email.send.n);
    if (joined == NULL)
        return -1;
    memcpy(joined, email.send.p, local_n);
    memcpy(joined + local_n, lower.p, lower.n);
    out->p = joined;
    return 0;
}

/* The parts of a URL that the two steps below use. Everything borrows from the input. */
struct url {
    bool has_scheme;       /* http or https */
    struct str host, rest; /* rest: from behind "//", or all of it */
};

/* "name:" at the start, which is a scheme unless a port follows. 0: there is none. */
static size_t scheme_n(struct str s)
{
    size_t i = 0;
    while (i < s.n && (((s.p[i] | 0x20) >= 'a' && (s.p[i] | 0x20) <= 'z') ||
                       (i > 0 && ((s.p[i] >= '0' && s.p[i] <= '9') || strchr("+.-", s.p[i]) != NULL))))
        i++;
    if (i == 0 || i == s.n || s.p[i] != ':')
        return 0;
    bool port = i + 1 < s.n && s.p[i + 1] >= '0' && s.p[i + 1] <= '9';
    return port ? 0 : i;
}

static const char *port_check(struct str port)
{
    unsigned v = 0;
    for (size_t i = 0; i < port.n; i++) {
        if (port.p[i] < '0' || port.p[i] > '9' || i == 5)
            return "has a port that is not a number";
        v = v * 10 + (unsigned)(port.p[i] - '0');
    }
    return port.n == 0 || v == 0 || v > 65535 ? "has a port outside 1 to 65535" : NULL;
}

static const char *bytes_check(struct str s)
{
    const uint8_t *at = (const uint8_t *)s.p, *end = at + s.n;
    while (at < end) {
        ucs4_t c;
        at += u8_mbtouc(&c, at, (size_t)(end - at));
        if (transform_is_blank(c))
            return "has a blank inside and is not a web address";
        if (c < 0x20 || (c >= 0x7f && c < 0xa0) || c == '<' || c == '>' || c == '"' || c == '\\')
            return "has a character that web addresses cannot have";
    }
    return NULL;
}

static const char *url_split(struct str s, struct url *out)
{
    const char *why = bytes_check(s);
    size_t scheme = scheme_n(s), n = 0;

    if (why != NULL)
        return why;
    *out = (struct url){false, STR_NONE, s};
    if (scheme > 0) {
        struct str name = {s.p, scheme};
        if (!str_eq_nocase(name, STR("http")) && !str_eq_nocase(name, STR("https")))
            return "has a scheme other than http and https";
        out->has_scheme = true;
        out->rest = (struct str){s.p + scheme + 1, s.n - scheme - 1};
    }
    bool slashes = out->rest.n >= 2 && out->rest.p[0] == '/' && out->rest.p[1] == '/';
    if (out->has_scheme && !slashes)
        return "lacks the // after its scheme";
    if (slashes)
        out->rest = (struct str){out->rest.p + 2, out->rest.n - 2};
    while (n < out->rest.n && strchr("/?#", out->rest.p[n]) == NULL)
        n++;
    out->host = (struct str){out->rest.p, n};
    if (memchr(out->host.p, '@', n) != NULL)
        return "has a user name in front of its host";
    const char *colon = n > 0 ? memchr(out->host.p, ':', n) : NULL;
    if (colon != NULL) {
        out->host.n = (size_t)(colon - out->host.p);
        return port_check((struct str){colon + 1, n - out->host.n - 1});
    }
    return NULL;
}

/* The verdicts of a host complete "the address …"; here the value may be neither an address nor have an @. */
static int host_of_url(struct str s, struct arena *scratch, struct url *url, struct str *ascii, const char **why)
{
    *why = url_split(s, url);
    if (*why != NULL)
        return 0;
    if (url->host.n > 0 && url->host.p[url->host.n - 1] == '.')
        url->host.n--; /* the root, which URLs may spell out */
    if (host_to_ascii(url->host, scratch, ascii, why) != 0)
        return -1;
    if (*why != NULL)
        *why = "is not a web address: it has no proper host name";
    return 0;
}

int transform_url(const struct transform_step *step, struct str in, struct arena *scratch, struct str *out, const char **why)
{
    struct url url;
    struct str ascii, s;

    (void)step;
    if (transform_trim(step, in, scratch, &s, why) != 0)
        return -1;
    *out = s;
    if (s.n == 0)
        return 0;
    if (host_of_url(s, scratch, &url, &ascii, why) != 0)
        return -1;
    if (*why != NULL || url.has_scheme)
        return 0;
    char *to = arena_alloc(scratch, sizeof "https://" - 1 + url.rest.n);
    if (to == NULL)
        return -1;
    memcpy(to, "https://", sizeof "https://" - 1);
    memcpy(to + sizeof "https://" - 1, url.rest.p, url.rest.n);
    *out = (struct str){to, sizeof "https://" - 1 + url.rest.n};
    return 0;
}

/* The part without "www." when a whole name is left of it: www.example.com, but not www.com. */
static struct str without_www(struct str host)
{
    struct str rest = {host.p + 4, host.n - 4};
    if (host.n > 4 && memcmp(host.p, "www.", 4) == 0 && memchr(rest.p, '.', rest.n) != NULL)
        return rest;
    return host;
}

int transform_domain(const struct transform_step *step, struct str in, struct arena *scratch, struct str *out,
                     const char **why)
{
    struct str s, ascii;
    struct url url;
    struct email email = {NULL, STR_NONE, STR_NONE};

    if (transform_trim(step, in, scratch, &s, why) != 0)
        return -1;
    *out = s;
    if (s.n == 0)
        return 0;
    if (memchr(s.p, '@', s.n) != NULL && email_parse(email_unwrap(s), scratch, &email) != 0)
        return -1;
    if (email.key.n > 0) {
        const char *at = memrchr(email.key.p, '@', email.key.n);
        ascii = (struct str){at + 1, email.key.n - (size_t)(at + 1 - email.key.p)};
    } else {
        if (host_of_url(s, scratch, &url, &ascii, why) != 0)
            return -1;
        if (*why != NULL)
            return 0;
        if (host_lower(ascii, scratch, &ascii) != 0)
            return -1;
    }
    *out = without_www(ascii);
    return 0;
}
