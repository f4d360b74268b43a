#include "config.h"

#include "sync/base/arena.h"
#include "tests/unit/harness.h"

#include <stdalign.h>
#include <stdint.h>
#include <string.h>

START_TEST(pieces_are_aligned_and_apart)
{
    struct arena a;
    char *last = NULL;
    arena_init(&a, 1 << 20);
    for (size_t n = 0; n < 500; n++) {
        char *p = arena_alloc(&a, n);
        ck_assert_ptr_nonnull(p);
        ck_assert_uint_eq((uintptr_t)p % alignof(max_align_t), 0);
        ck_assert_ptr_ne(p, last);
        memset(p, (int)(n & 0xff), n);
        last = p;
    }
    ck_assert_int_eq((unsigned char)last[498], 499 & 0xff);
    arena_free(&a);
}
END_TEST

START_TEST(reset_keeps_a_block)
{
    struct arena a;
    arena_init(&a, 1 << 20);
    arena_reset(&a);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 100; i++)
            ck_assert_ptr_nonnull(arena_alloc(&a, 1000));
        arena_reset(&a);
        ck_assert_ptr_nonnull(a.head);
        ck_assert_uint_eq(a.used, 0);
    }
    const void *head = a.head;
    ck_assert_ptr_nonnull(arena_alloc(&a, 1000));
    ck_assert_ptr_eq(a.head, head);
    arena_free(&a);
    ck_assert_ptr_null(a.head);
    ck_assert_ptr_nonnull(arena_alloc(&a, 10));
    arena_free(&a);
}
END_TEST

START_TEST(maximum_holds)
{
    struct arena a;
    arena_init(&a, 1024);
    ck_assert_ptr_null(arena_alloc(&a, 1025));
    ck_assert_ptr_nonnull(arena_alloc(&a, 1024));
    ck_assert_ptr_null(arena_alloc(&a, 1));
    ck_assert_ptr_null(arena_alloc(&a, 0));
    arena_reset(&a);
    ck_assert_ptr_nonnull(arena_alloc(&a, 1));
    ck_assert_ptr_null(arena_alloc(&a, 1024));
    ck_assert_ptr_null(arena_alloc(&a, SIZE_MAX));
    ck_assert_ptr_null(arena_dup(&a, "x", SIZE_MAX));
    arena_free(&a);
}
END_TEST

START_TEST(cleared_and_copied)
{
    struct arena a;
    struct str out;
    arena_init(&a, 1 << 16);
    memset(arena_alloc(&a, 256), 0xff, 256);
    arena_reset(&a);
    unsigned char *zeros = arena_calloc(&a, 16, 16);
    for (int i = 0; i < 256; i++)
        ck_assert_int_eq(zeros[i], 0);
    ck_assert_ptr_null(arena_calloc(&a, SIZE_MAX / 2, 3));
    ck_assert_str_eq(arena_dup(&a, "abcdef", 3), "abc");
    ck_assert_str_eq(arena_dup(&a, NULL, 0), "");
    ck_assert_int_eq(arena_str(&a, STR("xyz"), &out), 0);
    ck_assert(str_is(out, "xyz"));
    ck_assert_int_eq(out.p[3], '\0');
    arena_free(&a);
    arena_init(&a, 2);
    ck_assert_int_eq(arena_str(&a, STR("xyz"), &out), -1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("arena");
    TCase *tc = tcase_create("arena");
    tcase_add_test(tc, pieces_are_aligned_and_apart);
    tcase_add_test(tc, reset_keeps_a_block);
    tcase_add_test(tc, maximum_holds);
    tcase_add_test(tc, cleared_and_copied);
    suite_add_tcase(suite, tc);
    return unit_run(suite);
}
