/* What the tests of bodies and answers share: a parser, an arena, and ids as the API writes them. */
#ifndef TESTS_UNIT_ANSWER_KIT_H
#define TESTS_UNIT_ANSWER_KIT_H

#include "sync/api/answer/answer.h"
#include "sync/api/api.h"
#include "tests/unit/harness.h"

#include <json-c/json.h>

#define ID1 "019f1a0d-70d9-756a-bc19-c8b5cc3a0215"
#define ID2 "5c194eae-9382-4bf1-aff4-d9eaa90668e1"

extern struct err e;
extern struct arena arena;
extern struct json_tokener *tokener;

/* Checked fixture. */
void akit_setup(void);
void akit_teardown(void);
/* Of a text that is JSON; the caller puts it. */
struct json_object *parse(const char *text);
struct uuid uuid(const char *text);

#endif
