/* The table as a JSON Schema (draft-07, which editors' YAML servers promise to understand). */
#include "config.h"

#include "mappings/file/compiled.h"
#include "mappings/file/schema.h"
#include "mappings/convert/transform.h"
#include "sync/base/jsonw.h"

#include <string.h>

static void write_type(struct jsonw *w, const struct schema *type);

/* Where a number may be written without quotes: `from: 2024` is a column, `settle: 7` are seconds. */
static void types(struct jsonw *w, const char *one, const char *two, const char *three)
{
    jsonw_member_array(w, "type");
    jsonw_text(w, one);
    jsonw_text(w, two);
    if (three != NULL)
        jsonw_text(w, three);
    jsonw_array_end(w);
}

/* Words are strings to YAML's reader too, but for true, false and numbers. */
static void write_words(struct jsonw *w, const char *const *words)
{
    jsonw_member_array(w, "enum");
    for (size_t i = 0; words[i] != NULL; i++) {
        if (words[i][0] >= '0' && words[i][0] <= '9')
            jsonw_raw(w, str_from(words[i]));
        else
            jsonw_text(w, words[i]);
    }
    jsonw_array_end(w);
}

/* A number within its bounds, or one of the words. */
static void write_count(struct jsonw *w, const struct schema *type)
{
    jsonw_member_array(w, "anyOf");
    jsonw_object(w);
    jsonw_member_text(w, "type", "integer");
    jsonw_member_int(w, "minimum", type->min);
    jsonw_member_int(w, "maximum", type->max);
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
    jsonw_member_int(w, "minimum", 0);
    jsonw_member_text(w, "pattern", type->words != NULL ? "^([0-9]+(ms|s|m|h|d)?|never)$" : "^[0-9]+(ms|s|m|h|d)?$");
}

/* An editor must not underline valid text, so the patterns are wide. leadsync itself reports what only it can check: an
 * encoding that iconv lacks, a regex that does not compile. */
static void write_scalar(struct jsonw *w, const struct schema *type)
{
    switch (type->kind) {
    case SCHEMA_TEXT:
    case SCHEMA_PATH:
        types(w, "string", "number", NULL);
        jsonw_member_text(w, "pattern", "\\S");
        break;
    case SCHEMA_UUID:
        jsonw_member_text(w, "type", "string");
        jsonw_member_text(w, "pattern", "^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$");
        break;
    case SCHEMA_NAME:
        types(w, "string", "integer", NULL);
        jsonw_member_text(w, "pattern", "^[a-z0-9][a-z0-9._-]{0,63}$");
        break;
    case SCHEMA_WORD:
    case SCHEMA_SWITCH: write_words(w, type->words); break;
    case SCHEMA_BOOL: jsonw_member_text(w, "type", "boolean"); break;
    case SCHEMA_HEADER: jsonw_member_raw(w, "enum", STR("[true]")); break;
    case SCHEMA_TRISTATE: jsonw_member_raw(w, "enum", STR("[\"auto\",true,false]")); break;
    case SCHEMA_COUNT: write_count(w, type); break;
    case SCHEMA_DURATION:
    case SCHEMA_OVERLAP: write_duration(w, type); break;
    case SCHEMA_GUARD:
        types(w, "string", "integer", NULL);
        jsonw_member_text(w, "pattern", "^([0-9]+(\\.[0-9]+)?%|[0-9]+|none)$");
        jsonw_member_int(w, "minimum", 0);
        break;
    case SCHEMA_EMPTY_GUARD: jsonw_member_raw(w, "enum", STR("[\"stop\",\"none\"]")); break;
    case SCHEMA_DELIMITER:
        jsonw_member_raw(w, "enum",
                         STR("[\"auto\",\",\",\"comma\",\";\",\"semicolon\",\"tab\",\"\\t\",\"|\",\"bar\",\"pipe\"]"));
        break;
    case SCHEMA_ENCODING:
        jsonw_member_text(w, "type", "string");
        jsonw_member_text(w, "pattern", "^[^/]{1,63}$");
        break;
    default: types(w, "string", "number", "boolean"); break;
    }
}

/* One schema for each step, so that an editor completes them and knows their arguments. */
static void write_steps(struct jsonw *w)
{
    jsonw_member_array(w, "anyOf");
    jsonw_object(w);
    jsonw_member_array(w, "enum");
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
        jsonw_member_text(w, "type", "object");
        jsonw_member_text(w, "description", row->help);
        jsonw_member_object(w, "properties");
        jsonw_member_object(w, row->name);
        if (row->args_n == 1) {
            jsonw_member_raw(w, "type", STR("[\"string\",\"number\"]"));
        } else {
            jsonw_member_text(w, "type", "array");
            jsonw_member_raw(w, "items", STR("{\"type\":[\"string\",\"number\"]}"));
            jsonw_member_uint(w, "minItems", row->args_n);
            jsonw_member_uint(w, "maxItems", row->args_n);
        }
        jsonw_member_text(w, "description", row->args);
        jsonw_object_end(w);
        jsonw_object_end(w);
        jsonw_member_array(w, "required");
        jsonw_text(w, row->name);
        jsonw_array_end(w);
        jsonw_member_bool(w, "additionalProperties", false);
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
    jsonw_member_array(w, "anyOf");
    jsonw_object(w);
    write_type(w, type);
    jsonw_object_end(w);
    jsonw_object(w);
    jsonw_member_text(w, "type", "null");
    jsonw_object_end(w);
    jsonw_array_end(w);
}

/* Editors show descriptions and examples while the user types. */
static void write_property(struct jsonw *w, const struct schema_key *key)
{
    jsonw_member_object(w, key->name);
    jsonw_member_text(w, "description", key->help);
    if (key->fallback != NULL)
        jsonw_member_raw(w, "default", str_from(key->fallback));
    if (key->example != NULL) {
        jsonw_member_array(w, "examples");
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
    jsonw_member_text(w, "type", "object");
    jsonw_member_bool(w, "additionalProperties", false);
    jsonw_member_object(w, "properties");
    for (const struct schema_key *key = type->keys; key->name != NULL; key++)
        write_property(w, key);
    jsonw_object_end(w);
    if (has_flag(type->keys, KEY_REQUIRED)) {
        jsonw_member_array(w, "required");
        for (const struct schema_key *key = type->keys; key->name != NULL; key++) {
            if ((key->flags & KEY_REQUIRED) != 0)
                jsonw_text(w, key->name);
        }
        jsonw_array_end(w);
    }
    if (!has_flag(type->keys, KEY_CHOICE))
        return;
    jsonw_member_array(w, "oneOf");
    for (const struct schema_key *key = type->keys; key->name != NULL; key++) {
        if ((key->flags & KEY_CHOICE) == 0)
            continue;
        jsonw_object(w);
        jsonw_member_array(w, "required");
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
    jsonw_member_text(w, "type", list ? "array" : "object");
    if (type->not_empty)
        jsonw_member_int(w, list ? "minItems" : "minProperties", 1);
    if (type->key_pattern != NULL) {
        jsonw_member_object(w, "propertyNames");
        jsonw_member_text(w, "pattern", type->key_pattern);
        jsonw_object_end(w);
    }
    jsonw_member_object(w, list ? "items" : "additionalProperties");
    write_type_or_null(w, type->item, type->item_null);
    jsonw_object_end(w);
}

/* The column spec stands in twelve places: it is written once, and referred to. */
static void write_type(struct jsonw *w, const struct schema *type)
{
    if (type == &schema_column) {
        jsonw_member_raw(w, "allOf", STR("[{\"$ref\":\"#/definitions/column\"}]"));
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
        jsonw_member_array(w, "anyOf");
        for (size_t i = 0; type->any[i] != NULL; i++) {
            jsonw_object(w);
            write_type(w, type->any[i]);
            jsonw_object_end(w);
        }
        jsonw_array_end(w);
    }
}

/* One line without blanks: it is read by programs, and `leadsync schema | jq` shows it to people. */
static int schema_json(struct buf *out)
{
    struct jsonw w;
    struct schema column = schema_column; /* a copy is not the one that is referred to */
    jsonw_init(&w, out);
    jsonw_object(&w);
    jsonw_member_text(&w, "$schema", "http://json-schema.org/draft-07/schema#");
    jsonw_member_text(&w, "title", "leadsync mapping");
    jsonw_member_text(&w, "description", "Which rows of a source become which leads in Instantly.");
    write_type(&w, &schema_root);
    jsonw_member_raw(&w, "allOf", str_from(rules_schema()));
    jsonw_member_object(&w, "definitions");
    jsonw_member_object(&w, "column");
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
