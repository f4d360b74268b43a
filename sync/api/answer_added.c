/* The answer to leads/add is one list of up to a thousand created leads. As a whole it is a tree of six thousand pieces,
 * a megabyte that is built, read once and taken down; lead by lead the same few pieces are used again and again, and stay
 * in the cache. json-c parses either way, and what is not plain goes the way of every other answer. */
#include "config.h"

#include "sync/api/answer.h"
#include "sync/api/api.h"

#include "sync/base/text.h"

#include <json-c/json.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

static const struct str list_key = {"\"created_leads\"", sizeof "\"created_leads\"" - 1};

/* Behind JSON's blanks, and behind `c` where it stands there; NULL where it does not. */
static const char *behind(const char *p, const char *end, char c)
{
    while (p < end && (*p == ' ' || *p == '\t' || *p == '\r' || *p == '\n'))
        p++;
    return p < end && *p == c ? p + 1 : NULL;
}

static bool has(struct str text, char c)
{
    return text.n > 0 && memchr(text.p, c, text.n) != NULL;
}

/* Where the list's first item is looked for: the key is at the top, for nothing but one object is open before it. A
 * backslash could hide a quote, and with it what is a string and what is not. */
static const char *find_list(struct str body)
{
    const char *key = str_find(body, list_key), *end = body.p + body.n;
    const char *open = body.n > 0 ? behind(body.p, end, '{') : NULL;
    if (key == NULL || open == NULL || open > key)
        return NULL;
    struct str head = {open, (size_t)(key - open)};
    if (has(head, '{') || has(head, '}') || has(head, '[') || has(head, ']') || has(head, '\\'))
        return NULL;
    const char *p = behind(key + list_key.n, end, ':');
    return p != NULL ? behind(p, end, '[') : NULL;
}

static int keep(struct created_leads *out, const struct added_lead *lead)
{
    if (out->n == out->cap) {
        size_t cap = out->cap == 0 ? 1024 : 2 * out->cap;
        struct added_lead *v = reallocarray(out->v, cap, sizeof *v);
        if (v == NULL)
            return -1;
        out->v = v;
        out->cap = cap;
    }
    out->v[out->n++] = *lead;
    return 0;
}

/* One item from *p on. */
static int take_item(struct json_tokener *tokener, const char **p, const char *end, struct created_leads *out)
{
    struct added_lead lead;
    int64_t index;
    json_tokener_reset(tokener);
    struct json_object *item = json_tokener_parse_ex(tokener, *p, (int)(end - *p));
    bool usable = json_tokener_get_error(tokener) == json_tokener_success && answer_int(item, "index", &index) &&
                  index >= 0 && index <= UINT32_MAX && answer_uuid(item, "id", &lead.id);
    json_object_put(item);
    if (!usable)
        return -1;
    *p += json_tokener_get_parse_end(tokener);
    lead.index = (uint32_t)index;
    return keep(out, &lead);
}

/* Items and commas up to the bracket, which *p then points at. */
static int take_items(struct json_tokener *tokener, const char **p, const char *end, struct created_leads *out)
{
    const char *next = behind(*p, end, ']');
    for (bool more = next == NULL; more;) {
        if (take_item(tokener, p, end, out) != 0)
            return -1;
        const char *comma = behind(*p, end, ',');
        next = behind(*p, end, ']');
        more = comma != NULL;
        if (more)
            *p = comma;
    }
    if (next == NULL)
        return -1;
    *p = next - 1;
    return 0;
}

/* The answer without what stands between the brackets. */
static struct json_object *parse_rest(struct json_tokener *tokener, struct str body, const char *from, const char *to)
{
    struct buf rest = BUF_INIT(body.n);
    struct str tail = {to, (size_t)(body.p + body.n - to)};
    struct json_object *json = NULL;
    /* json-c takes the last of two members with one name, and a backslash can spell it in other words. */
    if (!has(tail, '\\') && str_find(tail, list_key) == NULL && buf_add(&rest, body.p, (size_t)(from - body.p)) == 0 &&
        buf_add(&rest, tail.p, tail.n) == 0)
        json = answer_parse(tokener, buf_str(&rest));
    buf_free(&rest);
    return json;
}

struct json_object *answer_parse_added(struct json_tokener *tokener, struct str body, struct created_leads *out)
{
    const char *from = body.n <= INT_MAX && text_is_utf8(body) ? find_list(body) : NULL, *to = from;
    out->n = 0;
    if (from == NULL)
        return NULL;
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_ALLOW_TRAILING_CHARS);
    int taken = take_items(tokener, &to, body.p + body.n, out);
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
    return taken == 0 ? parse_rest(tokener, body, from, to) : NULL;
}
