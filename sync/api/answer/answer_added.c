/* The answer to leads/add is one list of up to a thousand created leads. As a whole it is a tree of six thousand pieces,
 * a megabyte that is built, read once and taken down; some leads at a time, the same few pieces are used again and again
 * and stay in the cache.
 *
 * The list is what stands between the first bracket of the answer and the last one, cut behind any brace and comma.
 * Should a cut be within a string or an object, then json-c finds the part before it to be no list, and the answer goes
 * the way of every other one.
 *
 * What is around the list is parsed with nothing between its brackets. No others are left there that could make a list:
 * if created_leads is one, it is this one, whatever else has that name and however it is spelled. By JSON's grammar the
 * whole is then the same with the parts between the brackets, put together with commas. */
#include "config.h"

#include "sync/api/answer/answer.h"
#include "sync/api/api.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

enum {
    PART_BYTES = 2048,      /* about twenty leads */
    PART_MAX_BYTES = 65536, /* a larger one holds something else than leads, which may take much memory as a tree */
    NAMES_MAX = 64 << 20,   /* as large as an answer may be */
};

static const struct str list_key = {"\"created_leads\"", sizeof "\"created_leads\"" - 1};

/* Skips JSON's blanks and then `c`; NULL if `c` does not follow. */
static const char *behind(const char *p, const char *end, char c)
{
    while (p < end && (*p == ' ' || *p == '\t' || *p == '\r' || *p == '\n'))
        p++;
    return p < end && *p == c ? p + 1 : NULL;
}

/* Behind the list's opening bracket, the first of the answer. */
static const char *find_list(struct str body)
{
    const char *key = str_find(body, list_key), *end = body.p + body.n;
    if (key == NULL || memchr(body.p, '[', (size_t)(key - body.p)) != NULL)
        return NULL;
    const char *p = behind(key + list_key.n, end, ':');
    return p != NULL ? behind(p, end, '[') : NULL;
}

static int keep(struct created_leads *out, const struct added_lead *lead)
{
    struct added_lead *kept;
    if (out->n == out->cap) {
        size_t cap = out->cap == 0 ? 1024 : 2 * out->cap;
        struct added_lead *v = reallocarray(out->v, cap, sizeof *v);
        if (v == NULL)
            return -1;
        out->v = v;
        out->cap = cap;
    }
    kept = &out->v[out->n++];
    *kept = *lead;
    /* The JSON is taken down with its part. */
    if (lead->email.n > 0)
        return arena_str(&out->names, lead->email, &kept->email);
    return arena_str(&out->names, lead->first_name, &kept->first_name) != 0 ||
                   arena_str(&out->names, lead->last_name, &kept->last_name) != 0
               ? -1
               : 0;
}

static struct str text_or_none(struct json_object *item, const char *name)
{
    struct str text;
    return answer_str(item, name, &text) ? text : STR_NONE;
}

const char *answer_added_lead(struct json_object *item, struct added_lead *out)
{
    int64_t index;
    *out = (struct added_lead){.email = text_or_none(item, "email")};
    if (!answer_int(item, "index", &index) || index < 0 || index > UINT32_MAX)
        return "index";
    out->index = (uint32_t)index;
    if (!answer_uuid(item, "id", &out->id))
        return "id";
    if (out->email.n == 0) {
        out->first_name = text_or_none(item, "first_name");
        out->last_name = text_or_none(item, "last_name");
    }
    return NULL;
}

/* Items of one part, as a list of its own. */
static int take_part(struct json_tokener *tokener, struct str items, struct buf *scratch, struct created_leads *out)
{
    buf_reset(scratch);
    if (items.n > PART_MAX_BYTES || buf_addc(scratch, '[') != 0 || buf_add(scratch, items.p, items.n) != 0 ||
        buf_addc(scratch, ']') != 0)
        return -1;
    struct json_object *list = answer_parse(tokener, buf_str(scratch));
    size_t n = list != NULL ? json_object_array_length(list) : 0;
    int rc = n > 0 ? 0 : -1; /* nothing between two commas is no list */
    for (size_t i = 0; rc == 0 && i < n; i++) {
        struct added_lead lead;
        rc = answer_added_lead(json_object_array_get_idx(list, i), &lead) == NULL ? keep(out, &lead) : -1;
    }
    json_object_put(list);
    return rc;
}

/* How many bytes from the start are one part: all, or up to a brace that a comma follows. */
static size_t part_n(struct str items)
{
    static const struct str cut = {"},", 2};
    if (items.n <= PART_BYTES)
        return items.n;
    const char *at = str_find((struct str){items.p + PART_BYTES, items.n - PART_BYTES}, cut);
    return at != NULL ? (size_t)(at + 1 - items.p) : items.n;
}

/* What stands between the brackets. */
static int take_items(struct json_tokener *tokener, struct str items, struct created_leads *out)
{
    struct buf scratch = BUF_INIT(items.n + 2);
    const char *closed = items.p + items.n + 1; /* behind the bracket */
    int rc = 0;
    bool more = behind(items.p, closed, ']') != closed;
    while (rc == 0 && more) {
        size_t n = part_n(items);
        rc = take_part(tokener, (struct str){items.p, n}, &scratch, out);
        more = n < items.n; /* then there is a comma */
        items.p += n + more;
        items.n -= n + more;
    }
    buf_free(&scratch);
    return rc;
}

/* The answer without what stands between the brackets; NULL when they are not those of created_leads. */
static struct json_object *parse_rest(struct json_tokener *tokener, struct str body, const char *from, const char *to)
{
    struct buf rest = BUF_INIT(body.n);
    struct json_object *json = NULL, *list;
    if (buf_add(&rest, body.p, (size_t)(from - body.p)) == 0 && buf_add(&rest, to, (size_t)(body.p + body.n - to)) == 0)
        json = answer_parse(tokener, buf_str(&rest));
    buf_free(&rest);
    if (answer_array(json, "created_leads", &list))
        return json;
    json_object_put(json);
    return NULL;
}

struct json_object *answer_parse_added(struct json_tokener *tokener, struct str body, struct created_leads *out)
{
    const char *from = find_list(body), *to = from != NULL ? memrchr(from, ']', (size_t)(body.p + body.n - from)) : NULL;
    out->n = 0;
    if (out->names.max == 0)
        arena_init(&out->names, NAMES_MAX);
    arena_reset(&out->names);
    if (to == NULL || take_items(tokener, (struct str){from, (size_t)(to - from)}, out) != 0)
        return NULL;
    return parse_rest(tokener, body, from, to);
}

void created_leads_free(struct created_leads *created)
{
    free(created->v);
    if (created->names.max > 0)
        arena_free(&created->names);
    *created = (struct created_leads){.v = NULL};
}
