/* libcurl reads the dates; Retry-After is read here, see the header. */
#include "config.h"

#include "sync/api/http/http_time.h"

#include <ctype.h>
#include <curl/curl.h>
#include <string.h>

enum { DATE_MAX = 63 };

int http_date_parse(struct str text, int64_t *ms)
{
    char line[DATE_MAX + 1];
    text = str_trim(text);
    if (text.n == 0 || text.n > DATE_MAX)
        return -1;
    memcpy(line, text.p, text.n);
    line[text.n] = '\0';
    time_t seconds = curl_getdate(line, NULL);
    if (seconds < 0)
        return -1;
    *ms = (int64_t)seconds * 1000;
    return 0;
}

int64_t retry_after_parse(struct str text, int64_t now_ms)
{
    text = str_trim(text);
    if (text.n == 0)
        return -1;
    int64_t ms = 0, until_ms;
    if (isdigit((unsigned char)text.p[0])) {
        /* The standard knows whole seconds; a fraction ("1.5") is seen and is rounded up. */
        size_t i = 0;
        for (; i < text.n && isdigit((unsigned char)text.p[i]); i++)
            if (ms <= RETRY_AFTER_MAX_MS)
                ms = ms * 10 + (text.p[i] - '0') * 1000;
        if (i < text.n && text.p[i] == '.') {
            while (++i < text.n && isdigit((unsigned char)text.p[i]))
                ;
            ms += 1000;
        }
        if (i != text.n)
            return -1;
    } else if (http_date_parse(text, &until_ms) == 0) {
        ms = until_ms - now_ms;
    } else {
        return -1;
    }
    return ms < 0 ? 0 : ms > RETRY_AFTER_MAX_MS ? RETRY_AFTER_MAX_MS : ms;
}
