/* Where the key may be sent. A key in clear text on a network is a lost key, so plain http is for this machine only,
 * and "this machine" is judged by the address itself: a name would have to be looked up, and could answer differently
 * the next time. "localhost" is the one exception everybody expects. */
#include "config.h"

#include "sync/base/url.h"

#include "sync/base/str.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The parts of SCHEME://HOST[:PORT][/PATH]; all borrow from the text. */
struct url_parts {
    bool https;
    struct str host; /* without the brackets of an IPv6 address */
    struct str port; /* empty: none */
};

static bool is_ipv6(struct str host, bool *loopback)
{
    char text[INET6_ADDRSTRLEN];
    struct in6_addr v6;
    if (host.n >= sizeof text)
        return false;
    memcpy(text, host.p, host.n);
    text[host.n] = '\0';
    if (inet_pton(AF_INET6, text, &v6) != 1)
        return false;
    if (loopback != NULL)
        *loopback = IN6_IS_ADDR_LOOPBACK(&v6);
    return true;
}

static bool host_is_loopback(struct str host)
{
    char text[INET_ADDRSTRLEN];
    struct in_addr v4;
    bool loopback = false;
    if (str_eq_nocase(host, STR("localhost")))
        return true;
    if (is_ipv6(host, &loopback))
        return loopback;
    if (host.n >= sizeof text)
        return false;
    memcpy(text, host.p, host.n);
    text[host.n] = '\0';
    return inet_pton(AF_INET, text, &v4) == 1 && ntohl(v4.s_addr) >> 24 == 127;
}

static bool port_is_valid(struct str port)
{
    unsigned value = 0;
    if (port.n == 0 || port.n > 5)
        return false;
    for (size_t i = 0; i < port.n; i++) {
        if (port.p[i] < '0' || port.p[i] > '9')
            return false;
        value = value * 10 + (unsigned)(port.p[i] - '0');
    }
    return value >= 1 && value <= 65535;
}

/* Splits HOST[:PORT] or [IPV6][:PORT]. 0/-1. */
static int split_authority(struct str authority, struct url_parts *out)
{
    const char *end = authority.p + authority.n, *after;
    if (authority.n > 0 && authority.p[0] == '[') {
        after = memchr(authority.p, ']', authority.n);
        if (after == NULL)
            return -1;
        out->host = (struct str){authority.p + 1, (size_t)(after - authority.p) - 1};
        if (!is_ipv6(out->host, NULL))
            return -1;
        after++;
    } else {
        after = memchr(authority.p, ':', authority.n);
        if (after == NULL)
            after = end;
        out->host = (struct str){authority.p, (size_t)(after - authority.p)};
    }
    out->port = STR_NONE;
    if (after < end) {
        if (*after != ':')
            return -1;
        out->port = (struct str){after + 1, (size_t)(end - after) - 1};
        if (!port_is_valid(out->port))
            return -1;
    }
    return out->host.n > 0 ? 0 : -1;
}

/* NULL when the address is well-formed, else what is wrong with it. */
static const char *url_split(const char *url, struct url_parts *out)
{
    const char *rest;
    /* Parsers disagree about such bytes, and where they disagree, the key goes somewhere else than was judged. */
    for (const char *p = url; *p != '\0'; p++)
        if ((unsigned char)*p <= ' ' || (unsigned char)*p >= 0x7f || *p == '\\')
            return "has a blank, backslash, control or non-ASCII character";
    if (strncasecmp(url, "https://", 8) == 0) {
        out->https = true;
        rest = url + 8;
    } else if (strncasecmp(url, "http://", 7) == 0) {
        out->https = false;
        rest = url + 7;
    } else {
        return "does not start with https://";
    }
    if (strpbrk(rest, "?#") != NULL)
        return "has a query or fragment";
    struct str authority = {rest, strcspn(rest, "/")};
    if (memchr(authority.p, '@', authority.n) != NULL)
        return "has a user name";
    for (const char *p = authority.p + authority.n; *p != '\0'; p++)
        if (!isalnum((unsigned char)*p) && strchr("/.-_~", *p) == NULL)
            return "has a path with odd characters";
    return split_authority(authority, out) == 0 ? NULL : "has no valid host and port";
}

int url_check(const char *url, enum exit_status bad, const char *what, struct url *out, struct err *e)
{
    struct url_parts parts;
    *out = (struct url){0};
    const char *wrong = url_split(url, &parts);
    /* Quotes nothing of an address that cannot be read: it may hold a password, or be the key itself. */
    if (wrong != NULL)
        return err_set(e, bad, "%s: the address %s; give one like https://api.instantly.ai", what, wrong);
    out->loopback = host_is_loopback(parts.host);
    if (!parts.https && !out->loopback)
        return err_set(e, bad, "%s: \"%s\" would send the API key in clear text; plain http is for this machine only, "
                               "use https://",
                       what, url);
    size_t n = strlen(url);
    while (n > 0 && url[n - 1] == '/')
        n--;
    if (n >= 7 && strncasecmp(url + n - 7, "/api/v2", 7) == 0 && n > (size_t)(parts.host.p - url) + parts.host.n)
        return err_set(e, bad, "%s: \"%s\": leave out /api/v2, it is added to each call", what, url);
    out->base = strndup(url, n);
    out->host = str_dup(parts.host);
    if (out->base == NULL || out->host == NULL) {
        url_free(out);
        return err_oom(e);
    }
    return 0;
}

void url_free(struct url *url)
{
    free(url->base);
    free(url->host);
    *url = (struct url){0};
}
