/* Answers: JSON in, by json-c under its strict rules, and getters that never mistake one type for another (json-c's own
 * turn a string into a number and a missing member into 0). For this room only. */
#ifndef SYNC_API_ANSWER_ANSWER_H
#define SYNC_API_ANSWER_ANSWER_H

#include "sync/base/hash.h"
#include "sync/model/lead.h"

#include <json-c/json_types.h>
#include <stdbool.h>

struct json_tokener;
struct created_leads;
struct added_lead;

/* A tokener for answer_parse(); NULL when out of memory. */
struct json_tokener *answer_tokener(void);
bool answer_is_container(struct json_object *json); /* an object or an array */
/* Exactly one JSON object or array and blanks around it; NULL otherwise. The caller puts it. */
struct json_object *answer_parse(struct json_tokener *tokener, struct str body);
/* An answer to leads/add whose created leads are read some at a time into `out` (which is used again and again), and are an
 * empty list in the JSON. NULL when it is not plain: then it is for answer_parse(), and `out` means nothing. */
struct json_object *answer_parse_added(struct json_tokener *tokener, struct str body, struct created_leads *out);
void created_leads_free(struct created_leads *created); /* fine on a zeroed one */
/* An item of created_leads; texts borrow from it. NULL, or the member that it lacks and must have. */
const char *answer_added_lead(struct json_object *item, struct added_lead *out);

/* True and the member when it is there and of that type. Strings borrow from the JSON. `object` may be anything. */
bool answer_str(struct json_object *object, const char *key, struct str *out);
bool answer_int(struct json_object *object, const char *key, int64_t *out); /* an integer that fits; 5.0 is none */
bool answer_uuid(struct json_object *object, const char *key, struct uuid *out);
bool answer_time(struct json_object *object, const char *key, int64_t *ms);
bool answer_object(struct json_object *object, const char *key, struct json_object **out);
bool answer_array(struct json_object *object, const char *key, struct json_object **out);

/* A stored scalar as a value; VALUE_ABSENT for null, objects, arrays and numbers that are none. */
void answer_value(struct json_object *member, struct value *out);
/* False for a number that cannot be written as it was read: an integer that json-c has clamped, NaN, infinity. */
bool answer_exact(struct json_object *member);

#endif
