#include "config.h"

#include "sync/api/http/second_chance.h"

#include "sync/base/log.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* Up to the next slash or the query. */
static struct str next_segment(const char **path)
{
    struct str segment = {*path, strcspn(*path, "/?")};
    *path += segment.n;
    if (**path == '/')
        ++*path;
    return segment;
}

/* Names of endpoints have no digits; ids do. */
static bool is_id(struct str segment)
{
    for (size_t i = 0; i < segment.n; i++)
        if (isdigit((unsigned char)segment.p[i]))
            return true;
    return false;
}

static bool same_endpoint(const char *a, const char *b)
{
    while (*a != '\0' && *a != '?' && *b != '\0' && *b != '?') {
        struct str x = next_segment(&a), y = next_segment(&b);
        if (!(is_id(x) && is_id(y)) && !str_eq(x, y))
            return false;
    }
    return (*a == '\0' || *a == '?') && (*b == '\0' || *b == '?');
}

static bool has_worked(const struct second_chance *s, const struct request *r)
{
    for (size_t i = 0; i < s->n; i++)
        if (strcmp(s->worked[i].method, r->method) == 0 && same_endpoint(s->worked[i].path, r->path))
            return true;
    return false;
}

static void note(struct second_chance *s, const struct request *r)
{
    if (s->n == SECOND_CHANCE_ENDPOINTS || has_worked(s, r))
        return;
    char *path = str_dup(str_from(r->path));
    if (path == NULL)
        return; /* harmless: this endpoint gets no second chance */
    s->worked[s->n].method = r->method;
    s->worked[s->n++].path = path;
}

int64_t second_chance_ms(struct second_chance *s, struct request *r, enum verdict verdict,
                         const struct transport_answer *answer, int64_t now_us)
{
    if (verdict == VERDICT_OK)
        note(s, r);
    if (verdict != VERDICT_SCOPE || r->chance_taken || !has_worked(s, r))
        return -1;
    r->chance_taken = true;
    int64_t ms = answer->retry_after_ms > SECOND_CHANCE_MS ? answer->retry_after_ms : SECOND_CHANCE_MS;
    if (ms > SECOND_CHANCE_MAX_MS)
        ms = SECOND_CHANCE_MAX_MS;
    if (now_us >= s->reported_us) {
        log_notice("%s %.*s: the API answers 403, though it allowed this before; sending it again in %lld s", r->method,
                   (int)strcspn(r->path, "?"), r->path, (long long)(ms / 1000));
        s->reported_us = now_us + ms * 1000;
    }
    return ms;
}

void second_chance_free(struct second_chance *s)
{
    while (s->n > 0)
        free(s->worked[--s->n].path);
}
