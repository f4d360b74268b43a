/* Reading JSON the way a JavaScript server does: json-c, with its leniencies shut, and getters that check types. */
#ifndef SYNC_SANDBOX_WORLD_JSON_H
#define SYNC_SANDBOX_WORLD_JSON_H

#include "sync/base/jsonw.h"
#include "sync/base/str.h"

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

/* for (every member of an object): `i` is a struct json_object_iterator. (json-c's own loop needs a GNU extension.) */
#define sim_json_each(o, i) \
    for (struct json_object_iterator i = json_object_iter_begin(o), i##_end = json_object_iter_end(o); \
         !json_object_iter_equal(&i, &i##_end); json_object_iter_next(&i))

/* Parses one complete document. 0 and *out (the caller puts it; NULL is the document `null`), 1 when it is not JSON,
 * -1 when memory is short. */
int sim_json_parse(struct str text, json_object **out);

/* The same with a parser that is used again and again. 0 or 1. */
int sim_json_parse_with(struct json_tokener *parser, struct str text, json_object **out);

/* A member, NULL when it is absent or null. Borrowed. */
json_object *sim_json_get(json_object *o, const char *key);
/* The text of a string member, STR_NONE otherwise. Borrowed from the object. */
struct str sim_json_text(json_object *o, const char *key);
bool sim_json_true(json_object *o, const char *key);
/* The number of a member, cut to an integer; `fallback` if it is not a number. */
int64_t sim_json_int(json_object *o, const char *key, int64_t fallback);
struct str sim_json_str(json_object *string); /* the bytes of a string object */

/* Writes any json-c value through the writer. */
void sim_json_write(struct jsonw *w, json_object *o);

#endif
