/* libcurl takes the address apart, because libcurl is what sends the key: another parser could read another host. */
#include "config.h"

#include "sync/api/http/url.h"

#include "sync/base/str.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* libcurl writes every form of an IPv4 address as four numbers ("127.1" too). No name but "localhost" is looked at: a
 * name would have to be looked up, and the next lookup could have another answer. */
static bool is_loopback(const char *host)
{
    struct in_addr v4;
    struct in6_addr v6;
    if (strcasecmp(host, "localhost") == 0)
        return true;
    if (inet_pton(AF_INET6, host, &v6) == 1)
        return IN6_IS_ADDR_LOOPBACK(&v6);
    return inet_pton(AF_INET, host, &v4) == 1 && ntohl(v4.s_addr) >> 24 == 127;
}

static bool has(CURLU *u, CURLUPart part)
{
    char *text = NULL;
    bool is_there = curl_url_get(u, part, &text, 0) == CURLUE_OK;
    curl_free(text);
    return is_there;
}

/* NULL, or what is wrong with the address. */
static const char *url_judge(CURLU *u, const char *text)
{
    size_t scheme_n = strncasecmp(text, "https://", 8) == 0 ? 8 : strncasecmp(text, "http://", 7) == 0 ? 7 : 0;
    if (scheme_n == 0)
        return "does not start with https://";
    /* libcurl skips a third slash, and converts names that are not ASCII: neither is an intended address. */
    if (text[scheme_n] == '/')
        return "has no valid host and port";
    for (const char *p = text; *p != '\0'; p++)
        if ((unsigned char)*p <= ' ' || (unsigned char)*p >= 0x7f || *p == '\\')
            return "has a blank, backslash, control or non-ASCII character";
    if (curl_url_set(u, CURLUPART_URL, text, 0) != CURLUE_OK)
        return "has no valid host and port";
    if (has(u, CURLUPART_QUERY) || has(u, CURLUPART_FRAGMENT))
        return "has a query or fragment";
    return has(u, CURLUPART_USER) || has(u, CURLUPART_PASSWORD) ? "has a user name" : NULL;
}

/* The host as libcurl will connect to it, without the brackets of an IPv6 address; NULL: memory. */
static char *host_of(CURLU *u)
{
    char *text = NULL;
    if (curl_url_get(u, CURLUPART_HOST, &text, 0) != CURLUE_OK)
        return NULL;
    size_t n = strlen(text);
    bool brackets = n > 1 && text[0] == '[' && text[n - 1] == ']';
    char *host = brackets ? strndup(text + 1, n - 2) : strdup(text);
    curl_free(text);
    return host;
}

/* Length of the address without the slashes at its end. */
static size_t base_length(const char *text)
{
    size_t n = strlen(text);
    while (n > 0 && text[n - 1] == '/')
        n--;
    return n;
}

int url_check(const char *text, enum exit_status bad, const char *what, struct url *out, struct err *e)
{
    *out = (struct url){0};
    CURLU *u = curl_url();
    if (u == NULL)
        return err_oom(e);
    /* A message quotes nothing of an address that cannot be read: it may hold a password, or be the key itself. */
    const char *wrong = url_judge(u, text);
    if (wrong != NULL)
        err_set(e, bad, "%s: the address %s; give one like https://api.instantly.ai", what, wrong);
    else if ((out->host = host_of(u)) == NULL || (out->base = strndup(text, base_length(text))) == NULL)
        err_oom(e);
    curl_url_cleanup(u);
    if (out->base == NULL) {
        url_free(out);
        return -1;
    }

    out->loopback = is_loopback(out->host);
    size_t n = strlen(out->base);
    int rc = 0;
    if (strncasecmp(text, "https://", 8) != 0 && !out->loopback)
        rc = err_set(e, bad,
                     "%s: \"%s\" would send the API key in clear text; plain http is for this machine only, "
                     "use https://",
                     what, text);
    else if (n >= 7 && strcasecmp(out->base + n - 7, "/api/v2") == 0)
        rc = err_set(e, bad, "%s: \"%s\": leave out /api/v2; leadsync adds it to each call", what, text);
    if (rc != 0)
        url_free(out);
    return rc;
}

void url_free(struct url *url)
{
    free(url->base);
    free(url->host);
    *url = (struct url){0};
}
