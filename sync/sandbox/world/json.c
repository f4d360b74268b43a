#include "sync/sandbox/world/json.h"

#include <limits.h>
#include <string.h>

/* One token outside of strings that is a bare word: only three are JSON. */
static size_t word_length(const char *p, size_t left)
{
    static const char *const words[] = {"true", "false", "null"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        size_t n = strlen(words[i]);
        if (left >= n && memcmp(p, words[i], n) == 0)
            return n;
    }
    return 0;
}

/* json-c takes 'single quotes', NaN, comments and raw control characters even when told to be strict; a server in
 * JavaScript takes none of them. */
static bool is_plain(struct str text)
{
    bool in_string = false;
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (in_string) {
            if (c == '\\')
                i++;
            else if (c == '"')
                in_string = false;
            else if (c < 0x20)
                return false;
        } else if (c == '"') {
            in_string = true;
        } else if (c == 't' || c == 'f' || c == 'n') {
            size_t n = word_length(text.p + i, text.n - i);
            if (n == 0)
                return false;
            i += n - 1;
        } else if (c == 0 || strchr("{}[]:,0123456789+-.eE \t\r\n", c) == NULL) {
            return false;
        }
    }
    return !in_string;
}

int sim_json_parse(struct str text, json_object **out)
{
    struct json_tokener *parser = json_tokener_new();
    if (parser == NULL)
        return -1;
    int rc = sim_json_parse_with(parser, text, out);
    json_tokener_free(parser);
    return rc;
}

int sim_json_parse_with(struct json_tokener *parser, struct str text, json_object **out)
{
    *out = NULL;
    if (text.n == 0 || text.n > INT_MAX || !is_plain(text))
        return 1;
    json_tokener_reset(parser);
    json_tokener_set_flags(parser, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    json_object *o = json_tokener_parse_ex(parser, text.p, (int)text.n);
    enum json_tokener_error error = json_tokener_get_error(parser);
    bool whole = json_tokener_get_parse_end(parser) >= text.n;
    if (error == json_tokener_continue) { /* a bare number or word ends only with the text */
        o = json_tokener_parse_ex(parser, "", 1);
        error = json_tokener_get_error(parser);
    }
    if (error != json_tokener_success || !whole) {
        json_object_put(o);
        return 1;
    }
    *out = o;
    return 0;
}

json_object *sim_json_get(json_object *o, const char *key)
{
    json_object *value = NULL;
    if (!json_object_is_type(o, json_type_object))
        return NULL;
    json_object_object_get_ex(o, key, &value);
    return value;
}

struct str sim_json_str(json_object *string)
{
    if (!json_object_is_type(string, json_type_string))
        return STR_NONE;
    return (struct str){json_object_get_string(string), (size_t)json_object_get_string_len(string)};
}

struct str sim_json_text(json_object *o, const char *key)
{
    return sim_json_str(sim_json_get(o, key));
}

bool sim_json_true(json_object *o, const char *key)
{
    json_object *value = sim_json_get(o, key);
    return json_object_is_type(value, json_type_boolean) && json_object_get_boolean(value);
}

int64_t sim_json_int(json_object *o, const char *key, int64_t fallback)
{
    json_object *value = sim_json_get(o, key);
    if (!json_object_is_type(value, json_type_int) && !json_object_is_type(value, json_type_double))
        return fallback;
    return json_object_get_int64(value);
}

/* In the order in which the members came. */
static void write_object(struct jsonw *w, json_object *o)
{
    jsonw_object(w);
    sim_json_each(o, i)
    {
        jsonw_key(w, json_object_iter_peek_name(&i));
        sim_json_write(w, json_object_iter_peek_value(&i));
    }
    jsonw_object_end(w);
}

void sim_json_write(struct jsonw *w, json_object *o)
{
    switch (json_object_get_type(o)) {
    case json_type_object: write_object(w, o); break;
    case json_type_array:
        jsonw_array(w);
        for (size_t i = 0; i < json_object_array_length(o); i++)
            sim_json_write(w, json_object_array_get_idx(o, i));
        jsonw_array_end(w);
        break;
    case json_type_string: jsonw_str(w, sim_json_str(o)); break;
    case json_type_null: jsonw_null(w); break;
    case json_type_boolean: jsonw_bool(w, json_object_get_boolean(o)); break;
    case json_type_int:
    case json_type_double:
        /* json-c keeps the spelling of a double, so that "1.50" stays "1.50" */
        jsonw_raw(w, str_from(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN)));
        break;
    }
}
