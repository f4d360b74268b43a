#include "config.h"

#include "mappings/convert/profile.h"

#include <string.h>

/* What stands before the host: "https://", "//" or nothing. */
static size_t before_host(struct str s)
{
    static const char *const schemes[] = {"https://", "http://", "//"};
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        size_t n = strlen(schemes[i]);
        if (s.n > n && str_eq_nocase((struct str){s.p, n}, (struct str){schemes[i], n}))
            return n;
    }
    return 0;
}

bool profile_page(struct str s)
{
    static const char *const hosts[] = {"linkedin.com", "lnkd.in", "xing.com"};
    size_t at = before_host(s), end = at;
    while (end < s.n && memchr("/:?#", s.p[end], 4) == NULL)
        end++;
    struct str host = {s.p + at, end - at};
    if (host.n > 0 && host.p[host.n - 1] == '.')
        host.n--; /* the root, which URLs may spell out */
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        size_t n = strlen(hosts[i]);
        if (host.n >= n && str_eq_nocase((struct str){host.p + host.n - n, n}, (struct str){hosts[i], n}) &&
            (host.n == n || host.p[host.n - n - 1] == '.'))
            return true;
    }
    return false;
}
