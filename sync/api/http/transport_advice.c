#include "config.h"

#include "sync/api/http/transport_advice.h"

#include "sync/base/buf.h"

#include <stdlib.h>
#include <string.h>

enum { HOST_BYTES = 4096 };

/* The first of these that is set, in the order in which libcurl looks for them. */
static const char *first_set(const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const char *value = getenv(names[i]);
        if (value != NULL && value[0] != '\0')
            return names[i];
    }
    return NULL;
}

/* Do libcurl's words name the host of the API itself? */
static bool names_api(CURL *easy, const char *error)
{
    const char *url = NULL, *host;
    struct buf wanted = BUF_INIT(HOST_BYTES);
    if (curl_easy_getinfo(easy, CURLINFO_EFFECTIVE_URL, &url) != CURLE_OK || url == NULL ||
        (host = strstr(url, "://")) == NULL)
        return true;
    host += 3;
    bool named = buf_adds(&wanted, " to ") == 0 && buf_add(&wanted, host, strcspn(host, ":/")) == 0 &&
                 buf_addc(&wanted, ' ') == 0 && buf_cstr(&wanted) != NULL && strstr(error, wanted.p) != NULL;
    buf_free(&wanted);
    return named;
}

/* libcurl does not say whether it asked a proxy. Without exceptions it did; else its words have to name another host
 * than the API's. */
static bool is_of_proxy(CURL *easy, CURLcode result, const char *error, long proxy_status)
{
    static const char *const exceptions[] = {"no_proxy", "NO_PROXY"};
    bool always = first_set(exceptions, sizeof exceptions / sizeof exceptions[0]) == NULL;
    if (result == CURLE_COULDNT_RESOLVE_PROXY || result == CURLE_PROXY || proxy_status >= 300)
        return true;
    if (result == CURLE_OPERATION_TIMEDOUT)
        return always;
    return result == CURLE_COULDNT_CONNECT && (always || !names_api(easy, error));
}

void transport_advise(CURL *easy, CURLcode result, const char *error, struct transport_answer *answer)
{
    static const char *const proxies[] = {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"};
    long proxy_status = 0;
    const char *url = NULL;
    curl_easy_getinfo(easy, CURLINFO_HTTP_CONNECTCODE, &proxy_status);
    curl_easy_getinfo(easy, CURLINFO_EFFECTIVE_URL, &url);
    /* Plain http is for this machine, and goes through no proxy. */
    if (url != NULL && strncmp(url, "https:", 6) == 0 && is_of_proxy(easy, result, error, proxy_status))
        answer->proxy = first_set(proxies, sizeof proxies / sizeof proxies[0]);
    if (result == CURLE_PEER_FAILED_VERIFICATION)
        answer->advice =
            "nothing was sent: see whether the address and this machine's clock are right and who stands in between; "
            "an authority of your own is named by CURL_CA_BUNDLE or SSL_CERT_FILE";
    else if (result == CURLE_SSL_CACERT_BADFILE)
        answer->advice = "name a readable file of certificates by CURL_CA_BUNDLE or SSL_CERT_FILE, or unset them";
    else if (proxy_status == 407)
        answer->advice = "it asks who you are, so set it to http://USER:PASSWORD@HOST:PORT";
    else if (proxy_status >= 300 && proxy_status < 500 && proxy_status != 408 && proxy_status != 429)
        answer->advice = "it refuses; have it let this machine through to that host, or name the host in NO_PROXY";
}
