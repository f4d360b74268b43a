#include "config.h"

#include "sync/base/buf.h"
#include "tests/unit/harness.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

START_TEST(grows_and_keeps_its_bytes)
{
    struct buf b = BUF_INIT(1 << 20);
    ck_assert_uint_eq(buf_str(&b).n, 0);
    for (int i = 0; i < 10000; i++)
        ck_assert_int_eq(buf_addf(&b, "%d,", i), 0);
    ck_assert_int_eq(strncmp(b.p, "0,1,2,3,", 8), 0);
    ck_assert_int_eq(strcmp(buf_cstr(&b) + b.n - 10, "9998,9999,"), 0);
    size_t cap = b.cap;
    buf_reset(&b);
    ck_assert_uint_eq(b.n, 0);
    ck_assert_uint_eq(b.cap, cap);
    ck_assert_str_eq(buf_cstr(&b), "");
    buf_free(&b);
    ck_assert_ptr_null(b.p);
    ck_assert_uint_eq(b.max, 1 << 20);
}
END_TEST

START_TEST(maximum_is_exact_for_every_adder)
{
    struct buf b = BUF_INIT(10);
    ck_assert_int_eq(buf_adds(&b, "0123456789"), 0);
    ck_assert_str_eq(buf_cstr(&b), "0123456789");
    errno = 0;
    ck_assert_int_eq(buf_addc(&b, 'x'), -1);
    ck_assert_int_eq(errno, EOVERFLOW);
    ck_assert_int_eq(buf_adds(&b, "x"), -1);
    ck_assert_int_eq(buf_addf(&b, "%d", 1), -1);
    ck_assert_int_eq(buf_add_varint(&b, 1), -1);
    ck_assert_int_eq(buf_reserve(&b, 1), -1);
    ck_assert_int_eq(buf_reserve(&b, SIZE_MAX), -1);
    ck_assert_int_eq(buf_add(&b, "", 0), 0);
    ck_assert_int_eq(buf_addf(&b, "%s", ""), 0);
    ck_assert_str_eq(buf_cstr(&b), "0123456789");
    b.n = 8;
    /* The length would fit, its bytes would not: neither is there. */
    ck_assert_int_eq(buf_add_str(&b, STR("abc")), -1);
    ck_assert_uint_eq(b.n, 8);
    ck_assert_int_eq(buf_addf(&b, "%s", "abc"), -1);
    ck_assert_uint_eq(b.n, 8);
    ck_assert_int_eq(buf_addf(&b, "%s", "ab"), 0);
    ck_assert_str_eq(buf_cstr(&b), "01234567ab");
    buf_free(&b);
    buf_init(&b, 0);
    ck_assert_int_eq(buf_addc(&b, 'x'), -1);
    ck_assert_str_eq(buf_cstr(&b), "");
    buf_free(&b);
}
END_TEST

START_TEST(short_memory)
{
    struct buf b = BUF_INIT(SIZE_MAX);
    ck_assert_int_eq(buf_adds(&b, "kept"), 0);
    errno = 0;
    ck_assert_int_eq(buf_reserve(&b, SIZE_MAX / 4), -1);
    ck_assert_int_eq(errno, ENOMEM);
    ck_assert_str_eq(buf_cstr(&b), "kept");
    buf_free(&b);
}
END_TEST

START_TEST(varints_come_back)
{
    static const unsigned long long values[] = {0, 1, 127, 128, 16383, 16384, UINT32_MAX, INT64_MAX, ULLONG_MAX};
    static const size_t lengths[] = {1, 1, 1, 2, 2, 3, 5, 9, 10};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        struct buf b = BUF_INIT(64);
        ck_assert_int_eq(buf_add_varint(&b, values[i]), 0);
        ck_assert_uint_eq(b.n, lengths[i]);
        const char *p = b.p;
        unsigned long long v = 42;
        ck_assert_int_eq(unpack_varint(&p, b.p + b.n, &v), 0);
        ck_assert(v == values[i]);
        ck_assert_ptr_eq(p, b.p + b.n);
        for (size_t cut = 0; cut < b.n; cut++) {
            p = b.p;
            ck_assert_int_eq(unpack_varint(&p, b.p + cut, &v), -1);
            ck_assert_ptr_eq(p, b.p);
        }
        buf_free(&b);
    }
}
END_TEST

START_TEST(malformed_records_are_refused)
{
    unsigned long long v;
    struct str s;
    const char *p = "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"; /* 65 bits */
    ck_assert_int_eq(unpack_varint(&p, p + 10, &v), -1);
    p = "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"; /* eleven bytes */
    ck_assert_int_eq(unpack_varint(&p, p + 11, &v), -1);
    p = "\x05"
        "abcd";
    ck_assert_int_eq(unpack_str(&p, p + 5, &s), -1);
    p = "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"
        "abcd"; /* the length of everything */
    ck_assert_int_eq(unpack_str(&p, p + 14, &s), -1);
    p = "\x03"
        "abcd";
    ck_assert_int_eq(unpack_str(&p, p + 5, &s), 0);
    ck_assert(str_is(s, "abc"));
    ck_assert_int_eq(*p, 'd');
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("buf");
    TCase *tc = tcase_create("buf");
    tcase_add_test(tc, grows_and_keeps_its_bytes);
    tcase_add_test(tc, maximum_is_exact_for_every_adder);
    tcase_add_test(tc, short_memory);
    tcase_add_test(tc, varints_come_back);
    tcase_add_test(tc, malformed_records_are_refused);
    suite_add_tcase(suite, tc);
    return unit_run(suite);
}
