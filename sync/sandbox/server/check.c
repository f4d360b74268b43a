#include "sync/sandbox/server/check.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const type_names[] = {"string", "number", "integer", "boolean", "array", "object", "null"};

/* Every type that a value counts as: an integer is a number too. */
static unsigned types_of(json_object *o)
{
    switch (json_object_get_type(o)) {
    case json_type_null: return CK_NULL;
    case json_type_boolean: return CK_BOOLEAN;
    case json_type_double: {
        double v = json_object_get_double(o);
        /* 1.0 is an integer too, as in JSON Schema */
        bool whole = v > -9e15 && v < 9e15 && (double)(int64_t)v >= v && (double)(int64_t)v <= v;
        return whole ? CK_NUMBER | CK_INTEGER : CK_NUMBER;
    }
    case json_type_int: return CK_NUMBER | CK_INTEGER;
    case json_type_object: return CK_OBJECT;
    case json_type_array: return CK_ARRAY;
    case json_type_string: return CK_STRING;
    }
    return 0;
}

/* Says what is wrong at `path`. Returns 1, or -1 when memory is short. */
static int refuse(struct buf *why, const struct buf *path, const char *text)
{
    return buf_add(why, path->p, path->n) != 0 || buf_addc(why, ' ') != 0 || buf_adds(why, text) != 0 ? -1 : 1;
}

/* "must be string,null": the types in the order of the table above, whatever the shape says. */
static int refuse_types(struct buf *why, const struct buf *path, unsigned types)
{
    const char *comma = "must be ";
    if (buf_add(why, path->p, path->n) != 0 || buf_addc(why, ' ') != 0)
        return -1;
    for (size_t i = 0; i < sizeof type_names / sizeof type_names[0]; i++) {
        if ((types & 1u << i) == 0)
            continue;
        if (buf_adds(why, comma) != 0 || buf_adds(why, type_names[i]) != 0)
            return -1;
        comma = ",";
    }
    return 1;
}

/* Whether a comma list has the word. */
static bool check_in_list(const char *list, struct str word)
{
    for (const char *p = list; *p != '\0';) {
        size_t n = strcspn(p, ",");
        if (n == word.n && memcmp(p, word.p, n) == 0)
            return true;
        p += n + (p[n] == ',');
    }
    return false;
}

/* "email" as the API's schema validator (ajv) has it. It is stricter than what the API lets in as a lead: an address with
 * quotes, with letters beyond ASCII before the @ or with an underscore in the domain refuses the request. */
static bool format_email(struct str s)
{
    const char *at = s.n > 0 ? memchr(s.p, '@', s.n) : NULL, *end = s.p + s.n;
    bool dot = false;
    for (const char *p = s.p, *first = p; at != NULL && p < end; p++) {
        bool letter = (*p >= '0' && *p <= '9') || (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z');
        bool ends = p + 1 == end || p[1] == '.' || p + 1 == at;
        if (*p == '.' || p == at) {
            if (p == first || p + 1 == end)
                return false; /* nothing between two dots, or at an end */
            dot = dot || p > at;
            first = p + 1;
        } else if (p < at ? !letter && (*p == '\0' || strchr("!#$%&'*+/=?^_`{|}~-", *p) == NULL)
                          : !letter && (*p != '-' || p == first || ends)) {
            return false;
        }
    }
    return dot;
}

/* Only the formats that the API names; a time or an URL is not looked into. */
static int check_format(enum sim_format format, struct str s, const struct buf *path, struct buf *why)
{
    struct uuid id;
    if (format == FMT_UUID && uuid_parse(s, &id) != 0)
        return refuse(why, path, "must match format \"uuid\"");
    if (format == FMT_EMAIL && !format_email(s))
        return refuse(why, path, "must match format \"email\"");
    return 0;
}

/* Items of an array or the value of an integer; the two read differently. */
static int check_bound(bool items, int64_t min, int64_t max, int64_t n, const struct buf *path, struct buf *why)
{
    char text[96];
    if ((min == 0 && max == 0) || (n >= min && n <= max))
        return 0;
    int64_t limit = n < min ? min : max;
    if (items)
        snprintf(text, sizeof text, "must NOT have %s than %lld items", n < min ? "fewer" : "more", (long long)limit);
    else
        snprintf(text, sizeof text, "must be %s %lld", n < min ? ">=" : "<=", (long long)limit);
    return refuse(why, path, text);
}

static int check_shape(const struct sim_shape *shape, json_object *o, struct sim_unknown *unknown, struct buf *path,
                       struct buf *why);

/* `path` grows by the index of the item and is cut back, so that no text is made for what is right. */
static int check_items(const struct sim_member *m, json_object *array, struct sim_unknown *unknown, struct buf *path,
                       struct buf *why)
{
    size_t n = json_object_array_length(array), before = path->n;
    int rc = check_bound(true, m->min, m->max, (int64_t)n, path, why);
    for (size_t i = 0; i < n && rc == 0; i++) {
        json_object *item = json_object_array_get_idx(array, i);
        if (buf_addf(path, "/%zu", i) != 0)
            return -1;
        if (m->inside != NULL)
            rc = check_shape(m->inside, item, unknown, path, why);
        else if (m->item_types != 0 && (types_of(item) & m->item_types) == 0)
            rc = refuse_types(why, path, m->item_types);
        else if (json_object_is_type(item, json_type_string))
            rc = check_format(m->item_format, sim_json_str(item), path, why);
        path->n = before;
    }
    return rc;
}

/* Type first, then the allowed values, then what the type alone knows: the order of the real validator, which stops
 * at the first fault. */
static int check_value(const struct sim_member *m, json_object *value, struct sim_unknown *unknown, struct buf *path,
                       struct buf *why)
{
    unsigned types = types_of(value);
    if ((types & m->types) == 0)
        return refuse_types(why, path, m->types);
    if (types == CK_NULL)
        return 0;
    if (m->one_of != NULL &&
        !check_in_list(m->one_of,
                       str_from(types == CK_STRING ? json_object_get_string(value)
                                                   : json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN))))
        return refuse(why, path, "must be equal to one of the allowed values");
    switch (types) {
    case CK_STRING: return check_format(m->format, sim_json_str(value), path, why);
    case CK_ARRAY: return check_items(m, value, unknown, path, why);
    case CK_OBJECT: return m->inside != NULL ? check_shape(m->inside, value, unknown, path, why) : 0;
    case CK_NUMBER | CK_INTEGER: return check_bound(false, m->min, m->max, json_object_get_int64(value), path, why);
    default: return 0;
    }
}

static const struct sim_member *find_member(const struct sim_member *members, const char *name)
{
    for (const struct sim_member *m = members; m != NULL && m->name != NULL; m++)
        if (strcmp(m->name, name) == 0)
            return m;
    return NULL;
}

/* Whether the member is there, null or not: "required" is about names, not values. */
static bool has(json_object *o, struct str name)
{
    char key[64];
    if (name.n >= sizeof key)
        return false;
    memcpy(key, name.p, name.n);
    key[name.n] = '\0';
    return json_object_object_get_ex(o, key, NULL);
}

/* "a,b": the first that is missing is refused; for any_of all of them are named, as the server joins them. */
static int check_required(const struct sim_shape *shape, json_object *o, struct buf *path, struct buf *why)
{
    for (const char *p = shape->required; p != NULL && *p != '\0';) {
        size_t n = strcspn(p, ",");
        if (!has(o, (struct str){p, n}))
            return buf_addf(why, "%.*s must have required property '%.*s'", (int)path->n, path->p, (int)n, p) != 0 ? -1 : 1;
        p += n + (p[n] == ',');
    }
    for (const char *p = shape->any_of; p != NULL && *p != '\0';) {
        size_t n = strcspn(p, ",");
        if (has(o, (struct str){p, n})) {
            buf_reset(why);
            return 0;
        }
        if (buf_addf(why, "%.*s must have required property '%.*s', ", (int)path->n, path->p, (int)n, p) != 0)
            return -1;
        p += n + (p[n] == ',');
    }
    return shape->any_of == NULL ? 0 : refuse(why, path, "must match a schema in anyOf");
}

/* The first one is kept by its path, cut when it is longer. */
static void note_unknown(struct sim_unknown *unknown, const struct buf *path)
{
    if (unknown->n++ == 0)
        snprintf(unknown->first, sizeof unknown->first, "%.*s", (int)path->n, path->p);
}

/* Members in the order of the body; reports the first that is wrong. */
static int check_members(const struct sim_shape *shape, json_object *o, struct sim_unknown *unknown, struct buf *path,
                         struct buf *why)
{
    struct sim_member rest = {.types = shape->free_types};
    size_t before = path->n;
    int rc = 0;
    sim_json_each(o, i)
    {
        if (rc != 0)
            break;
        const char *key = json_object_iter_peek_name(&i);
        const struct sim_member *m = find_member(shape->members, key);
        if (m == NULL && shape->closed && unknown->refuse)
            return refuse(why, path, "must NOT have additional properties");
        if (m == NULL && shape->free_types != 0)
            m = &rest;
        if (buf_addc(path, '/') != 0 || buf_adds(path, key) != 0)
            return -1;
        if (m == NULL) {
            note_unknown(unknown, path);
            path->n = before;
            continue;
        }
        rc = check_value(m, json_object_iter_peek_value(&i), unknown, path, why);
        path->n = before;
    }
    return rc;
}

/* Count, required, then members: the order in which the real validator looks. */
static int check_shape(const struct sim_shape *shape, json_object *o, struct sim_unknown *unknown, struct buf *path,
                       struct buf *why)
{
    if (!json_object_is_type(o, json_type_object))
        return refuse_types(why, path, CK_OBJECT);
    if ((size_t)json_object_object_length(o) < shape->min_members) {
        char text[64];
        snprintf(text, sizeof text, "must NOT have fewer than %zu properties", shape->min_members);
        return refuse(why, path, text);
    }
    int rc = check_required(shape, o, path, why);
    return rc != 0 ? rc : check_members(shape, o, unknown, path, why);
}

int sim_check_body(const struct sim_shape *shape, json_object *body, struct sim_unknown *unknown, struct buf *why)
{
    struct buf path = BUF_INIT(SIM_BODY_MAX);
    int rc = buf_adds(&path, "body") != 0 ? -1 : check_shape(shape, body, unknown, &path, why);
    buf_free(&path);
    return rc;
}

/* Query values are texts; numbers and booleans are read from them, as the server coerces. */
static int check_query_value(const struct sim_member *m, struct str value, const struct buf *path, struct buf *why)
{
    char text[32];
    if ((m->types & CK_BOOLEAN) != 0)
        return str_is(value, "true") || str_is(value, "false") ? 0 : refuse_types(why, path, CK_BOOLEAN);
    if ((m->types & (CK_INTEGER | CK_NUMBER)) != 0) {
        char *end;
        if (value.n == 0 || value.n >= sizeof text)
            return refuse_types(why, path, m->types);
        memcpy(text, value.p, value.n);
        text[value.n] = '\0';
        long long n = strtoll(text, &end, 10);
        if (*end != '\0')
            return refuse_types(why, path, m->types);
        if (m->one_of == NULL)
            return check_bound(false, m->min, m->max, n, path, why);
    }
    if (m->one_of != NULL && !check_in_list(m->one_of, value))
        return refuse(why, path, "must be equal to one of the allowed values");
    return check_format(m->format, value, path, why);
}

/* Names that are not in the table pass by: the query schemas are open. */
int sim_check_query(const struct sim_member *members, const struct sim_request *q, struct buf *why)
{
    struct buf path = BUF_INIT(256);
    int rc = 0;
    for (const struct sim_member *m = members; m != NULL && m->name != NULL && rc == 0; m++) {
        struct str value = sim_query_get(q, m->name);
        buf_reset(&path);
        if (buf_addf(&path, "querystring/%s", m->name) != 0)
            rc = -1;
        else if (value.p != NULL)
            rc = check_query_value(m, value, &path, why);
    }
    buf_free(&path);
    return rc;
}
