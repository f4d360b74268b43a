/* What went wrong before a request left, and what helps. For the transport over libcurl only. */
#ifndef SYNC_API_HTTP_TRANSPORT_ADVICE_H
#define SYNC_API_HTTP_TRANSPORT_ADVICE_H

#include "sync/api/http/transport.h"

#include <curl/curl.h>

/* Fills in the advice of an exchange that ended before anything left, and the variable that names the proxy where it was
 * the proxy that failed. `error`: libcurl's words. */
void transport_advise(CURL *easy, CURLcode result, const char *error, struct transport_answer *answer);

#endif
