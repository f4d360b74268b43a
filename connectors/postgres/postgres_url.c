#include "config.h"

#include "connectors/postgres/postgres_url.h"

#include "sync/base/buf.h"
#include "sync/base/str.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { LABEL_MAX = 16384 };

const char *postgres_url_option(const PQconninfoOption *options, const char *keyword)
{
    for (; options != NULL && options->keyword != NULL; options++) {
        if (strcmp(options->keyword, keyword) == 0 && options->val != NULL && *options->val != '\0')
            return options->val;
    }
    return NULL;
}

/* The part behind "postgresql://"; NULL: the string is no URL. */
static const char *after_scheme(const char *url)
{
    static const char *const schemes[] = {"postgresql://", "postgres://"};

    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        if (strncmp(url, schemes[i], strlen(schemes[i])) == 0)
            return url + strlen(schemes[i]);
    }
    return NULL;
}

/* libpq ends the password at the first '@', and user and host at the first '/' or '?'. A URL with a further '@' before
 * its query most likely has a password with such a character, of which libpq would take a part for the host. */
static bool url_is_ambiguous(const char *rest)
{
    const size_t authority_n = strcspn(rest, "/?"), before_query_n = strcspn(rest, "?");
    const char *at = memchr(rest, '@', before_query_n), *colon = memchr(rest, ':', authority_n);

    if (at == NULL) /* "user:pass?word@host" */
        return colon != NULL && strchr(rest + before_query_n, '@') != NULL;
    return at >= rest + authority_n || memchr(at + 1, '@', (size_t)(rest + before_query_n - at) - 1) != NULL;
}

/* A list of ports has digits and commas; anything else is a piece of something else. */
static bool port_is_number(const char *port)
{
    return port == NULL || port[strspn(port, "0123456789,")] == '\0';
}

/* NULL, or what is wrong. Says nothing of what the string holds, since any part of it may be a part of a password. */
static const char *postgres_url_parse(const char *url, PQconninfoOption **options)
{
    const char *rest = after_scheme(url);

    *options = NULL;
    if (rest == NULL && strchr(url, '=') == NULL)
        return strpbrk(url, ":/@") != NULL ? "is neither a URL nor the name of a database" : NULL;
    if (rest != NULL && url_is_ambiguous(rest))
        return "has an '@', '/', '?' or '#' that is not percent-encoded";
    *options = PQconninfoParse(url, NULL);
    if (*options == NULL)
        return "is no connection string";
    const char *dbname = postgres_url_option(*options, "dbname");
    if (!port_is_number(postgres_url_option(*options, "port")))
        return "has a port that is not a number";
    if (dbname != NULL && strstr(dbname, "://") != NULL)
        return "has a URL as its dbname";
    return NULL;
}

/* Names the place by what the user wrote: the service, or host and database. */
static int add_place(const char *url, const PQconninfoOption *options, struct buf *out)
{
    const char *service = postgres_url_option(options, "service");
    const char *host = postgres_url_option(options, "host");
    const char *dbname = options != NULL ? postgres_url_option(options, "dbname") : *url != '\0' ? url : NULL;

    if (service != NULL)
        return buf_addf(out, " service=%s", service);
    if (host != NULL && buf_addf(out, " host=%s", host) != 0)
        return -1;
    return dbname != NULL ? buf_addf(out, " dbname=%s", dbname) : 0;
}

int postgres_url_label(const char *url, char **label, struct err *e)
{
    struct buf text = BUF_INIT(LABEL_MAX);
    PQconninfoOption *options;
    const char *wrong = postgres_url_parse(url, &options);
    int status = -1;

    *label = NULL;
    if (wrong != NULL) {
        err_set(e, XS_CONFIG,
                "postgres: url: %s; write postgresql://user@host/database or \"service=name\", and percent-encode "
                "special characters of a password: %%40 for @, %%23 for #, %%2F for /, %%3A for :, %%3F for ?, %%25 for %%",
                wrong);
    } else if (buf_adds(&text, "postgres") != 0 || add_place(url, options, &text) != 0 ||
               (*label = str_dup(buf_str(&text))) == NULL) {
        err_oom(e);
    } else {
        status = 0;
    }
    PQconninfoFree(options);
    buf_free(&text);
    return status;
}
