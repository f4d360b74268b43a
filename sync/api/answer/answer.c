/* json-c is lenient even in its strict mode, and its getters convert. So each getter here checks the type first. Ids
 * stay text until they are parsed. */
#include "config.h"

#include "sync/api/answer/answer.h"

#include "sync/base/clock.h"
#include "sync/base/text.h"

#include <json-c/json.h>
#include <limits.h>
#include <math.h>
#include <string.h>

enum { DEPTH_MAX = 32 }; /* answers nest five deep; a deeper one is an attack on the stack */

struct json_tokener *answer_tokener(void)
{
    struct json_tokener *tokener = json_tokener_new_ex(DEPTH_MAX);
    if (tokener != NULL)
        json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
    return tokener;
}

bool answer_is_container(struct json_object *json)
{
    return json_object_is_type(json, json_type_object) || json_object_is_type(json, json_type_array);
}

struct json_object *answer_parse(struct json_tokener *tokener, struct str body)
{
    /* Only JSON's own blanks: str_trim() knows more. */
    while (body.n > 0 && strchr(" \t\r\n", body.p[body.n - 1]) != NULL && body.p[body.n - 1] != '\0')
        body.n--;
    /* json-c could look at the bytes too, one by one. */
    if (body.n == 0 || body.n > INT_MAX || !text_is_utf8(body))
        return NULL;
    json_tokener_reset(tokener);
    struct json_object *json = json_tokener_parse_ex(tokener, body.p, (int)body.n);
    /* A NUL byte ends the text for json-c, and a value may be followed by another one: the end must be the end. */
    bool whole = json != NULL && json_tokener_get_error(tokener) == json_tokener_success &&
                 json_tokener_get_parse_end(tokener) == body.n;
    if (whole && answer_is_container(json))
        return json;
    json_object_put(json);
    return NULL;
}

static struct json_object *member(struct json_object *object, const char *key, enum json_type type)
{
    struct json_object *value;
    if (!json_object_is_type(object, json_type_object) || !json_object_object_get_ex(object, key, &value))
        return NULL;
    return json_object_is_type(value, type) ? value : NULL;
}

bool answer_str(struct json_object *object, const char *key, struct str *out)
{
    struct json_object *value = member(object, key, json_type_string);
    if (value == NULL)
        return false;
    *out = (struct str){json_object_get_string(value), (size_t)json_object_get_string_len(value)};
    return true;
}

/* json-c takes NaN, Infinity and 1e400 even when strict; none of them is JSON. */
static bool is_finite(struct json_object *value)
{
    return !json_object_is_type(value, json_type_double) || isfinite(json_object_get_double(value));
}

bool answer_exact(struct json_object *value)
{
    if (!is_finite(value))
        return false;
    return !json_object_is_type(value, json_type_int) ||
           (json_object_get_uint64(value) != UINT64_MAX && json_object_get_int64(value) != INT64_MIN);
}

/* The unsigned view finds larger integers; it is 0 for negative ones. */
bool answer_int(struct json_object *object, const char *key, int64_t *out)
{
    struct json_object *value = member(object, key, json_type_int);
    if (value == NULL || json_object_get_uint64(value) > INT64_MAX || !answer_exact(value))
        return false;
    *out = json_object_get_int64(value);
    return true;
}

bool answer_uuid(struct json_object *object, const char *key, struct uuid *out)
{
    struct str text;
    return answer_str(object, key, &text) && uuid_parse(text, out) == 0;
}

bool answer_time(struct json_object *object, const char *key, int64_t *ms)
{
    struct str text;
    return answer_str(object, key, &text) && time_parse(text, ms) == 0;
}

bool answer_object(struct json_object *object, const char *key, struct json_object **out)
{
    *out = member(object, key, json_type_object);
    return *out != NULL;
}

bool answer_array(struct json_object *object, const char *key, struct json_object **out)
{
    *out = member(object, key, json_type_array);
    return *out != NULL;
}

void answer_value(struct json_object *value, struct value *out)
{
    *out = (struct value){VALUE_ABSENT, NULL, 0};
    switch (json_object_get_type(value)) {
    case json_type_string:
        *out = (struct value){VALUE_STRING, json_object_get_string(value), (size_t)json_object_get_string_len(value)};
        break;
    case json_type_int:
    case json_type_double: /* json-c keeps the text of a parsed double */
        if (!is_finite(value))
            break;
        out->kind = VALUE_NUMBER;
        out->p = json_object_to_json_string_length(value, JSON_C_TO_STRING_PLAIN, &out->n);
        break;
    case json_type_boolean:
        out->kind = VALUE_BOOL;
        out->p = json_object_get_boolean(value) ? "true" : "false";
        out->n = strlen(out->p);
        break;
    default: break;
    }
}
