/* The table as a JSON Schema (draft-07, which editors' YAML servers promise to understand). */
#include "config.h"

#include "mappings/compiled.h"
#include "mappings/file/schema.h"
#include "mappings/convert/transform.h"
#include "sync/base/jsonw.h"

#include <string.h>

static void write_type(struct jsonw *w, const struct schema *type);

static void member(struct jsonw *w, const char *key, const char *value)
{
    jsonw_key(w, key);
    jsonw_text(w, value);
}

/* Where a number may be written without quotes: `from: 2024` is a column, `settle: 7` are seconds. */
static void types(struct jsonw *w, const char *one, const char *two, const char *three)
{
    jsonw_key(w, "type");
    jsonw_array(w);
    jsonw_text(w, one);
    jsonw_text(w, two);
    if (three != NULL)
        jsonw_text(w, three);
    jsonw_array_end(w);
}

/* Words are strings to YAML's reader too, but for true, false and numbers. */
static void write_words(struct jsonw *w, const char *const *words)
{
    jsonw_key(w, "enum");
    jsonw_array(w);
    for (size_t i = 0; words[i] != NULL; i++) {
        if (words[i][0] >= '0' && words[i][0] <= '9')
            jsonw_raw(w, str_from(words[i]));
        else
            jsonw_text(w, words[i]);
    }
    jsonw_array_end(w);
}

/* Fixed JSON from this file or the table; never anything foreign. */
static void write_raw(struct jsonw *w, const char *key, const char *json)
{
    jsonw_key(w, key);
    jsonw_raw(w, str_from(json));
}

/* A number within its bounds, or one of the words. */
static void write_count(struct jsonw *w, const struct schema *type)
{
    jsonw_key(w, "anyOf");
    jsonw_array(w);
    jsonw_object(w);
    member(w, "type", "integer");
    jsonw_key(w, "minimum");
    jsonw_int(w, type->min);
    jsonw_key(w, "maximum");
    jsonw_int(w, type->max);
    jsonw_object_end(w);
    if (type->words != NULL) {
        jsonw_object(w);
        write_words(w, type->words);
        jsonw_object_end(w);
    }
    jsonw_array_end(w);
}

/* clock.h reads the same: a number and a unit, or seconds. */
static void write_duration(struct jsonw *w, const struct schema *type)
{
    types(w, "string", "integer", NULL);
    jsonw_key(w, "minimum");
    jsonw_int(w, 0);
    member(w, "pattern", type->words != NULL ? "^([0-9]+(ms|s|m|h|d)?|never)$" : "^[0-9]+(ms|s|m|h|d)?$");
}

/* An editor must not underline what works, so patterns are wide: what only the program knows (an encoding that iconv
 * lacks, a regex that does not compile) it says itself. */
static void write_scalar(struct jsonw *w, const struct schema *type)
{
    switch (type->kind) {
    case SCHEMA_TEXT:
    case SCHEMA_PATH:
        types(w, "string", "number", NULL);
        member(w, "pattern", "\\S");
        break;
    case SCHEMA_UUID:
        member(w, "type", "string");
        member(w, "pattern", "^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$");
        break;
    case SCHEMA_NAME:
        types(w, "string", "integer", NULL);
        member(w, "pattern", "^[a-z0-9][a-z0-9._-]{0,63}$");
        break;
    case SCHEMA_WORD:
    case SCHEMA_SWITCH:
        write_words(w, type->words);
        break;
    case SCHEMA_BOOL:
        member(w, "type", "boolean");
        break;
    case SCHEMA_HEADER:
        write_raw(w, "enum", "[true]");
        break;
    case SCHEMA_TRISTATE:
        write_raw(w, "enum", "[\"auto\",true,false]");
        break;
    case SCHEMA_COUNT:
        write_count(w, type);
        break;
    case SCHEMA_DURATION:
    case SCHEMA_OVERLAP:
        write_duration(w, type);
        break;
    case SCHEMA_GUARD:
        types(w, "string", "integer", NULL);
        member(w, "pattern", "^([0-9]+(\\.[0-9]+)?%|[0-9]+|none)$");
        jsonw_key(w, "minimum");
        jsonw_int(w, 0);
        break;
    case SCHEMA_EMPTY_GUARD:
        write_raw(w, "enum", "[\"stop\",\"none\"]");
        break;
    case SCHEMA_DELIMITER:
        write_raw(w, "enum", "[\"auto\",\",\",\"comma\",\";\",\"semicolon\",\"tab\",\"\\t\",\"|\",\"bar\",\"pipe\"]");
        break;
    case SCHEMA_ENCODING:
        member(w, "type", "string");
        member(w, "pattern", "^[^/]{1,63}$");
        break;
    default:
        types(w, "string", "number", "boolean");
        break;
    }
}

/* One schema for each step, so that an editor completes them and knows their arguments. */
static void write_steps(struct jsonw *w)
{
    jsonw_key(w, "anyOf");
    jsonw_array(w);
    jsonw_object(w);
    jsonw_key(w, "enum");
    jsonw_array(w);
    for (size_t i = 0; i < TRANSFORM_N; i++) {
        if (transform_table[i].args_n == 0)
            jsonw_text(w, transform_table[i].name);
    }
    jsonw_array_end(w);
    jsonw_object_end(w);
    for (size_t i = 0; i < TRANSFORM_N; i++) {
        const struct transform_row *row = &transform_table[i];
        if (row->args_n == 0)
            continue;
        jsonw_object(w);
        member(w, "type", "object");
        member(w, "description", row->help);
        jsonw_key(w, "properties");
        jsonw_object(w);
        jsonw_key(w, row->name);
        jsonw_object(w);
        if (row->args_n == 1) {
            write_raw(w, "type", "[\"string\",\"number\"]");
        } else {
            member(w, "type", "array");
            write_raw(w, "items", "{\"type\":[\"string\",\"number\"]}");
            jsonw_key(w, "minItems");
            jsonw_uint(w, row->args_n);
            jsonw_key(w, "maxItems");
            jsonw_uint(w, row->args_n);
        }
        member(w, "description", row->args);
        jsonw_object_end(w);
        jsonw_object_end(w);
        jsonw_key(w, "required");
        jsonw_array(w);
        jsonw_text(w, row->name);
        jsonw_array_end(w);
        jsonw_key(w, "additionalProperties");
        jsonw_bool(w, false);
        jsonw_object_end(w);
    }
    jsonw_array_end(w);
}

static void write_type_or_null(struct jsonw *w, const struct schema *type, bool nullable)
{
    if (!nullable) {
        write_type(w, type);
        return;
    }
    jsonw_key(w, "anyOf");
    jsonw_array(w);
    jsonw_object(w);
    write_type(w, type);
    jsonw_object_end(w);
    jsonw_object(w);
    member(w, "type", "null");
    jsonw_object_end(w);
    jsonw_array_end(w);
}

/* Descriptions and examples are what an editor shows while somebody types. */
static void write_property(struct jsonw *w, const struct schema_key *key)
{
    jsonw_key(w, key->name);
    jsonw_object(w);
    member(w, "description", key->help);
    if (key->fallback != NULL)
        write_raw(w, "default", key->fallback);
    if (key->example != NULL) {
        jsonw_key(w, "examples");
        jsonw_array(w);
        jsonw_raw(w, str_from(key->example));
        jsonw_array_end(w);
    }
    write_type_or_null(w, key->type, (key->flags & KEY_NULL) != 0);
    jsonw_object_end(w);
}

static bool has_flag(const struct schema_key *keys, unsigned flag)
{
    for (; keys->name != NULL; keys++) {
        if ((keys->flags & flag) != 0)
            return true;
    }
    return false;
}

/* Exactly one of the choices is `oneOf` over `required`, which editors explain well enough. */
static void write_object(struct jsonw *w, const struct schema *type)
{
    member(w, "type", "object");
    jsonw_key(w, "additionalProperties");
    jsonw_bool(w, false);
    jsonw_key(w, "properties");
    jsonw_object(w);
    for (const struct schema_key *key = type->keys; key->name != NULL; key++)
        write_property(w, key);
    jsonw_object_end(w);
    if (has_flag(type->keys, KEY_REQUIRED)) {
        jsonw_key(w, "required");
        jsonw_array(w);
        for (const struct schema_key *key = type->keys; key->name != NULL; key++) {
            if ((key->flags & KEY_REQUIRED) != 0)
                jsonw_text(w, key->name);
        }
        jsonw_array_end(w);
    }
    if (!has_flag(type->keys, KEY_CHOICE))
        return;
    jsonw_key(w, "oneOf");
    jsonw_array(w);
    for (const struct schema_key *key = type->keys; key->name != NULL; key++) {
        if ((key->flags & KEY_CHOICE) == 0)
            continue;
        jsonw_object(w);
        jsonw_key(w, "required");
        jsonw_array(w);
        jsonw_text(w, key->name);
        jsonw_array_end(w);
        jsonw_object_end(w);
    }
    jsonw_array_end(w);
}

/* Free keys are properties by pattern; a list's items are all alike. */
static void write_items(struct jsonw *w, const struct schema *type)
{
    bool list = type->kind == SCHEMA_LIST;
    member(w, "type", list ? "array" : "object");
    if (type->not_empty) {
        jsonw_key(w, list ? "minItems" : "minProperties");
        jsonw_int(w, 1);
    }
    if (type->key_pattern != NULL) {
        jsonw_key(w, "propertyNames");
        jsonw_object(w);
        member(w, "pattern", type->key_pattern);
        jsonw_object_end(w);
    }
    jsonw_key(w, list ? "items" : "additionalProperties");
    jsonw_object(w);
    write_type_or_null(w, type->item, type->item_null);
    jsonw_object_end(w);
}

/* The column spec stands in twelve places: it is written once, and referred to. */
static void write_type(struct jsonw *w, const struct schema *type)
{
    if (type == &schema_column) {
        write_raw(w, "allOf", "[{\"$ref\":\"#/definitions/column\"}]");
        return;
    }
    if (schema_is_scalar(type)) {
        write_scalar(w, type);
    } else if (type->kind == SCHEMA_OBJECT) {
        write_object(w, type);
    } else if (type->kind == SCHEMA_STEP) {
        write_steps(w);
    } else if (type->kind != SCHEMA_ANY) {
        write_items(w, type);
    } else {
        jsonw_key(w, "anyOf");
        jsonw_array(w);
        for (size_t i = 0; type->any[i] != NULL; i++) {
            jsonw_object(w);
            write_type(w, type->any[i]);
            jsonw_object_end(w);
        }
        jsonw_array_end(w);
    }
}

/* One line without blanks: it is read by programs, and `leadsync schema | jq` shows it to people. */
int schema_json(struct buf *out)
{
    struct jsonw w;
    struct schema column = schema_column; /* a copy is not the one that is referred to */
    jsonw_init(&w, out);
    jsonw_object(&w);
    member(&w, "$schema", "http://json-schema.org/draft-07/schema#");
    member(&w, "title", "leadsync mapping");
    member(&w, "description", "Which rows of a source become which leads in Instantly.");
    write_type(&w, &schema_root);
    write_raw(&w, "allOf", rules_schema());
    jsonw_key(&w, "definitions");
    jsonw_object(&w);
    jsonw_key(&w, "column");
    jsonw_object(&w);
    write_type(&w, &column);
    jsonw_object_end(&w);
    jsonw_object_end(&w);
    jsonw_object_end(&w);
    return jsonw_end(&w);
}

/* A text file ends in a newline. */
int mapping_schema(struct buf *out)
{
    return schema_json(out) != 0 || buf_addc(out, '\n') != 0 ? -1 : 0;
}
