#include "config.h"

/* Answers that come in pieces: the same JSON wherever they are cut, and never more memory than they may take. */
#include "sync/api/answer/answer.h"
#include "sync/api/http/answer_reader.h"
#include "tests/unit/harness.h"

#include <json-c/json.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

static struct answer_memory memory;
static struct json_tokener *tokener;

static void setup(void)
{
    answer_memory_init(&memory, 0);
    tokener = answer_tokener();
}

static void teardown(void)
{
    ck_assert_uint_eq(memory.used, 0);
    ck_assert_ptr_null(memory.beyond);
    answer_memory_free(&memory);
    json_tokener_free(tokener);
}

/* One that parses from the first byte on. */
static struct answer_reader *open_tree(void)
{
    struct answer_reader *r = answer_reader_open(&memory, API_KIND_LIST);
    ck_assert_ptr_nonnull(r);
    r->text_max = 0;
    return r;
}

static const struct {
    const char *p;
    size_t n;
} bodies[] = {
#define BODY(text) \
    { \
        text, sizeof text - 1 \
    }
    BODY("{\"a\":[1,2.5,-3e2,true,null,\"x\\\"{,:\\\\\"],\"b\":{\"c\":\"d\\u00e9\\ud83d\\ude00\"}}"),
    BODY(" \r\n\t[ { } , [ ] ] \n "),
    BODY("{\"n\":\"J\xc3\xb6rg \xe2\x82\xac \xf0\x9f\x98\x80\"}"),
    BODY("{\"n\":\"\xff\"}"),
    BODY("{\"n\":\"\xc3\"}"),
    BODY("{\"n\":\"\xed\xa0\x80\"}"),
    BODY("{\"a\":1} \xc3"),
    BODY("{\"a\":1}x"),
    BODY("{\"a\":1}{}"),
    BODY("{\"a\":1}\0"),
    BODY("{\"a\":\0 1}"),
    BODY("{\"a\":1"),
    BODY("\"text\""),
    BODY("1e999 "),
    BODY("null"),
    BODY("[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"),
    BODY("<html>no</html>"),
    BODY("{'a':1}"),
#undef BODY
};

START_TEST(the_same_wherever_it_is_cut)
{
    struct str body = {bodies[_i].p, bodies[_i].n};
    struct json_object *whole = answer_parse(tokener, body);
    for (size_t size = 1; size <= body.n; size++) {
        struct answer_reader *r = open_tree();
        bool apart;
        for (size_t at = 0; at < body.n; at += size) {
            /* A copy without slack, so that a sanitizer sees a reader that goes too far. */
            size_t n = body.n - at < size ? body.n - at : size;
            char *piece = malloc(n);
            memcpy(piece, body.p + at, n);
            ck_assert_int_eq(answer_reader_take(r, 200, (struct str){piece, n}), TRANSPORT_TAKE_MORE);
            free(piece);
        }
        struct json_object *json = answer_reader_json(r, tokener, NULL, &apart);
        ck_assert_msg((json != NULL) == (whole != NULL), "%s, pieces of %zu", body.p, size);
        if (json != NULL)
            ck_assert_str_eq(json_object_to_json_string(json), json_object_to_json_string(whole));
        ck_assert(!r->too_large && !apart);
        json_object_put(json);
        answer_reader_close(&r);
        ck_assert_ptr_null(r);
    }
    json_object_put(whole);
}
END_TEST

/* Shapes that take much more memory than text: `start`, many times `piece`, `end`. */
static const struct {
    const char *start, *piece, *end;
} shapes[] = {
    {"[{}", ",{}", "]"},
    {"[[]", ",[]", "]"},
    {"[0", ",0", "]"},
    {"[\"\"", ",\"x\"", "]"},
    {"[\"\"", ",\"person@example.org\"", "]"},
    {"[{\"a\":1}", ",{\"a\":1,\"b\":\"x\",\"c\":null}", "]"},
    {"[{", "\"k%zu\":0,", "\"z\":0}]"},
    {"[\"", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "\"]"},
    {"[[[]]", ",[[],[[]]]", "]"},
};
enum { SHAPES_N = sizeof shapes / sizeof shapes[0] };

/* Gives it all until the answer is refused. */
static enum transport_take take_shape(struct answer_reader *r, int shape, size_t times)
{
    char piece[64];
    enum transport_take take = answer_reader_take(r, 200, str_from(shapes[shape].start));
    for (size_t i = 0; i < times && take == TRANSPORT_TAKE_MORE; i++) {
        struct buf b = BUF_INIT(sizeof piece);
        const char *number = strstr(shapes[shape].piece, "%zu");
        ck_assert_int_eq(number == NULL ? buf_adds(&b, shapes[shape].piece) : buf_addf(&b, "\"k%zu\":0,", i), 0);
        take = answer_reader_take(r, 200, buf_str(&b));
        buf_free(&b);
    }
    return take == TRANSPORT_TAKE_MORE ? answer_reader_take(r, 200, str_from(shapes[shape].end)) : take;
}

/* What is counted is at least what is allocated. */
START_TEST(no_tree_takes_more_than_is_counted)
{
#if defined(__GLIBC__) && (__GLIBC__ > 2 || __GLIBC_MINOR__ >= 33)
    struct answer_reader *r = open_tree();
    size_t before = mallinfo2().uordblks + mallinfo2().hblkhd;
    ck_assert_int_eq(take_shape(r, _i, 30000), TRANSPORT_TAKE_MORE);
    size_t after = mallinfo2().uordblks + mallinfo2().hblkhd;
    bool apart;
    struct json_object *json = answer_reader_json(r, tokener, NULL, &apart);
    ck_assert_ptr_nonnull(json);
    json_object_put(json);
    ck_assert_uint_ge(r->used, after - before);
    answer_reader_close(&r);
#endif
}
END_TEST

START_TEST(at_most_the_limit)
{
    struct answer_reader *r = open_tree();
    r->limit = 1 << 20;
    ck_assert_int_eq(take_shape(r, _i, 1000000), TRANSPORT_TAKE_NEVER);
    ck_assert(r->too_large);
    ck_assert_uint_le(memory.used, 1 << 20);
    ck_assert_int_eq(answer_reader_take(r, 200, STR("]")), TRANSPORT_TAKE_NEVER);
    bool apart;
    ck_assert_ptr_null(answer_reader_json(r, tokener, NULL, &apart));
    answer_reader_close(&r);
}
END_TEST

/* A text is short, but its tree need not be. */
START_TEST(a_short_text_with_a_large_tree)
{
    struct answer_reader *r = answer_reader_open(&memory, API_KIND_ADD);
    bool apart;
    r->limit = 1 << 20;
    ck_assert_int_eq(take_shape(r, 0, 10000), TRANSPORT_TAKE_MORE);
    ck_assert_ptr_null(r->tokener);
    struct created_leads created = {.v = NULL};
    ck_assert_ptr_null(answer_reader_json(r, tokener, &created, &apart));
    ck_assert(r->too_large);
    free(created.v);
    answer_reader_close(&r);
}
END_TEST

/* Text becomes a tree amid the answer: nothing is lost, and no more is held than the tree. */
START_TEST(a_text_that_grows_too_long)
{
    struct answer_reader *r = answer_reader_open(&memory, API_KIND_LIST);
    bool apart;
    r->text_max = 1000;
    ck_assert_int_eq(take_shape(r, 4, 1000), TRANSPORT_TAKE_MORE);
    ck_assert_ptr_nonnull(r->tokener);
    struct json_object *json = answer_reader_json(r, tokener, NULL, &apart);
    ck_assert_uint_eq(json_object_array_length(json), 1001);
    json_object_put(json);
    answer_reader_close(&r);
}
END_TEST

START_TEST(one_goes_beyond_and_the_others_wait)
{
    memory.max = 100000;
    struct answer_reader *a = open_tree(), *b = open_tree(), *d = open_tree();
    ck_assert_int_eq(take_shape(a, 0, 100), TRANSPORT_TAKE_MORE);
    ck_assert_int_eq(answer_reader_take(b, 200, STR("[{},{},{},{},{},{},{},{},{},{}")), TRANSPORT_TAKE_MORE);
    ck_assert_int_eq(answer_reader_take(b, 200, STR(",{},{},{},{},{},{},{},{},{},{}")), TRANSPORT_TAKE_MORE);
    ck_assert_ptr_eq(memory.beyond, b);
    ck_assert_int_eq(answer_reader_take(d, 200, STR("[\"[[[[\",{},{},{}")), TRANSPORT_TAKE_LATER);
    ck_assert_int_eq(answer_reader_take(d, 200, STR("[\"[[[[\",{},{},{}")), TRANSPORT_TAKE_LATER);
    answer_reader_close(&b);
    ck_assert_int_eq(answer_reader_take(d, 200, STR("[\"[[[[\",{},{},{}")), TRANSPORT_TAKE_MORE);
    ck_assert_int_eq(answer_reader_take(d, 200, STR("]")), TRANSPORT_TAKE_MORE);
    bool apart;
    struct json_object *json = answer_reader_json(d, tokener, NULL, &apart);
    ck_assert_str_eq(json_object_to_json_string_ext(json, JSON_C_TO_STRING_PLAIN), "[\"[[[[\",{},{},{}]");
    json_object_put(json);
    answer_reader_close(&a);
    answer_reader_close(&d);
}
END_TEST

/* The status and the words of an error count, however long its body is. */
START_TEST(an_error_is_cut)
{
    struct answer_reader *r = answer_reader_open(&memory, API_KIND_ADD);
    char piece[1000];
    bool apart;
    memset(piece, 'n', sizeof piece);
    for (int i = 0; i < 1000; i++)
        ck_assert_int_eq(answer_reader_take(r, 422, (struct str){piece, sizeof piece}), TRANSPORT_TAKE_MORE);
    ck_assert_uint_le(memory.used, 65536);
    ck_assert_uint_ge(r->text.n, 4096);
    ck_assert_ptr_null(answer_reader_json(r, tokener, NULL, &apart));
    ck_assert(!r->too_large);
    answer_reader_close(&r);
}
END_TEST

START_TEST(invalid_json_is_not_kept)
{
    struct answer_reader *r = answer_reader_open(&memory, API_KIND_ADD);
    char piece[1000];
    memset(piece, 'n', sizeof piece);
    for (int i = 0; i < 100000; i++)
        ck_assert_int_eq(answer_reader_take(r, 200, (struct str){piece, sizeof piece}), TRANSPORT_TAKE_MORE);
    ck_assert_uint_eq(memory.used, 0);
    ck_assert_uint_eq(r->text.n, 4096);
    ck_assert(!r->too_large);
    answer_reader_close(&r);
}
END_TEST

/* --memory decides how much all answers take, and one of them. */
START_TEST(limits_by_memory)
{
    static const struct {
        size_t total_mb, max_mb, list_mb, add_mb;
    } rows[] = {{0, 32, 64, 16}, {16, 8, 16, 16}, {64, 8, 32, 16}, {4096, 512, 64, 16}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct answer_memory m;
        answer_memory_init(&m, rows[i].total_mb << 20);
        struct answer_reader *list = answer_reader_open(&m, API_KIND_LIST), *add = answer_reader_open(&m, API_KIND_ADD);
        ck_assert_uint_eq(m.max, rows[i].max_mb << 20);
        ck_assert_uint_eq(list->limit, rows[i].list_mb << 20);
        ck_assert_uint_eq(add->limit, rows[i].add_mb << 20);
        answer_reader_close(&list);
        answer_reader_close(&add);
        answer_memory_free(&m);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("answer_reader");
    TCase *t = tcase_create("answer_reader");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, the_same_wherever_it_is_cut, 0, (int)(sizeof bodies / sizeof bodies[0]));
    tcase_add_loop_test(t, no_tree_takes_more_than_is_counted, 0, SHAPES_N);
    tcase_add_loop_test(t, at_most_the_limit, 0, SHAPES_N);
    tcase_add_test(t, a_short_text_with_a_large_tree);
    tcase_add_test(t, a_text_that_grows_too_long);
    tcase_add_test(t, one_goes_beyond_and_the_others_wait);
    tcase_add_test(t, an_error_is_cut);
    tcase_add_test(t, invalid_json_is_not_kept);
    tcase_add_test(t, limits_by_memory);
    suite_add_tcase(s, t);
    return unit_run(s);
}
