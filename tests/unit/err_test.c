#include "config.h"

#include "sync/base/err.h"
#include "tests/unit/harness.h"

#include <errno.h>
#include <string.h>

START_TEST(nothing_set_says_nothing)
{
    struct err e = ERR_INIT;
    ck_assert_int_eq(e.status, XS_DONE);
    ck_assert_str_eq(err_text(&e), "");
    err_clear(&e);
    err_context(&e, "people.csv");
    ck_assert_int_eq(e.status, XS_DONE);
    ck_assert_str_eq(err_text(&e), "");
}
END_TEST

START_TEST(lowest_message_is_kept)
{
    struct err e = ERR_INIT;
    ck_assert_int_eq(err_set(&e, XS_SOURCE, "line %d is cut", 7), -1);
    ck_assert_int_eq(err_set(&e, XS_INTERNAL, "reading failed"), -1);
    ck_assert_int_eq(err_errno(&e, XS_STATE, ENOSPC, "x"), -1);
    ck_assert_int_eq(err_oom(&e), -1);
    ck_assert_int_eq(e.status, XS_SOURCE);
    ck_assert_str_eq(err_text(&e), "line 7 is cut");
    ck_assert_int_eq(err_context(&e, "%s", "people.csv"), -1);
    ck_assert_int_eq(err_context(&e, "nightly"), -1);
    ck_assert_str_eq(err_text(&e), "nightly: people.csv: line 7 is cut");
    err_clear(&e);
    ck_assert_int_eq(e.status, XS_DONE);
    ck_assert_ptr_null(e.msg);
    err_set(&e, XS_GUARD, "again");
    ck_assert_int_eq(e.status, XS_GUARD);
    err_clear(&e);
}
END_TEST

START_TEST(an_error_is_handed_over_unless_there_is_one)
{
    struct err e = ERR_INIT, late = ERR_INIT, none = ERR_INIT;
    ck_assert_int_eq(err_take(&e, &none), -1);
    ck_assert_int_eq(err_copy(&e, &none), -1);
    ck_assert_int_eq(e.status, XS_DONE);
    ck_assert_ptr_null(e.msg);
    err_set(&late, XS_API, "no answer");
    ck_assert_int_eq(err_copy(&e, &late), -1);
    ck_assert_str_eq(err_text(&late), "no answer");
    ck_assert_str_eq(err_text(&e), "no answer");
    err_clear(&e);
    ck_assert_int_eq(err_take(&e, &late), -1);
    ck_assert_int_eq(e.status, XS_API);
    ck_assert_str_eq(err_text(&e), "no answer");
    ck_assert_int_eq(late.status, XS_DONE);
    err_set(&late, XS_IO, "disk full");
    ck_assert_int_eq(err_copy(&e, &late), -1);
    ck_assert_int_eq(err_take(&e, &late), -1);
    ck_assert_int_eq(e.status, XS_API);
    ck_assert_int_eq(late.status, XS_DONE);
    ck_assert_ptr_null(late.msg);
    err_clear(&e);
}
END_TEST

START_TEST(disk_faults_have_a_status_of_their_own)
{
    static const int disk[] = {ENOSPC, EDQUOT, EIO, EROFS, EFBIG};
    for (size_t i = 0; i < sizeof disk / sizeof disk[0]; i++) {
        struct err e = ERR_INIT;
        err_errno(&e, XS_STATE, disk[i], "cannot write %s", "a.db");
        ck_assert_int_eq(e.status, XS_IO);
        ck_assert_ptr_nonnull(strstr(err_text(&e), "cannot write a.db: "));
        ck_assert_ptr_nonnull(strstr(err_text(&e), strerror(disk[i])));
        err_clear(&e);
    }
    struct err e = ERR_INIT;
    err_errno(&e, XS_STATE, EACCES, "cannot write a.db");
    ck_assert_int_eq(e.status, XS_STATE);
    err_clear(&e);
}
END_TEST

START_TEST(out_of_memory_needs_none)
{
    struct err e = ERR_INIT;
    ck_assert_int_eq(err_oom(&e), -1);
    ck_assert_int_eq(e.status, XS_INTERNAL);
    ck_assert_ptr_nonnull(strstr(err_text(&e), "out of memory"));
    /* The static text must not be freed by either. */
    err_context(&e, "reading");
    ck_assert_ptr_nonnull(strstr(err_text(&e), "reading: out of memory"));
    err_clear(&e);
    err_oom(&e);
    err_clear(&e);
}
END_TEST

START_TEST(every_exit_status_is_in_the_table)
{
    static const enum exit_status all[] = {XS_DONE,      XS_LEFT_OVER, XS_CHANGES,  XS_GUARD,  XS_USAGE, XS_SOURCE,
                                           XS_NO_SOURCE, XS_API,       XS_INTERNAL, XS_STATE,  XS_IO,    XS_LOCKED,
                                           XS_KEY,       XS_CONFIG,    XS_SIGINT,   XS_SIGTERM};
    size_t n = 0;
    for (; exit_status_table[n].text != NULL; n++) {
        ck_assert_uint_lt(n, sizeof all / sizeof all[0]);
        ck_assert_int_eq(exit_status_table[n].status, all[n]);
        ck_assert_uint_gt(strlen(exit_status_table[n].text), 10);
    }
    ck_assert_uint_eq(n, sizeof all / sizeof all[0]);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("err");
    TCase *tc = tcase_create("err");
    tcase_add_test(tc, nothing_set_says_nothing);
    tcase_add_test(tc, lowest_message_is_kept);
    tcase_add_test(tc, an_error_is_handed_over_unless_there_is_one);
    tcase_add_test(tc, disk_faults_have_a_status_of_their_own);
    tcase_add_test(tc, out_of_memory_needs_none);
    tcase_add_test(tc, every_exit_status_is_in_the_table);
    suite_add_tcase(suite, tc);
    return unit_run(suite);
}
