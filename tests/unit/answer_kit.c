#include "config.h"

#include "tests/unit/answer_kit.h"

struct err e;
struct arena arena;
struct json_tokener *tokener;

void akit_setup(void)
{
    e = (struct err)ERR_INIT;
    arena_init(&arena, 64 << 20);
    tokener = answer_tokener();
}

void akit_teardown(void)
{
    err_clear(&e);
    arena_free(&arena);
    json_tokener_free(tokener);
}

struct json_object *parse(const char *text)
{
    struct json_object *json = answer_parse(tokener, str_from(text));
    ck_assert_msg(json != NULL, "%s", text);
    return json;
}

struct uuid uuid(const char *text)
{
    struct uuid id;
    ck_assert_int_eq(uuid_parse(str_from(text), &id), 0);
    return id;
}
