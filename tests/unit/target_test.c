#include "config.h"

#include "sync/model/target.h"
#include "tests/unit/harness.h"

START_TEST(text_forms)
{
    struct target a = {.kind = TARGET_CAMPAIGN, .status = 1}, b;
    char out[TARGET_TEXT_N];
    ck_assert_int_eq(uuid_parse(STR("0191D2C3-5e6f-7a8b-9c0d-e1f2a3b4c5d6"), &a.id), 0);
    ck_assert_str_eq(target_format(&a, out), "campaign:0191d2c3-5e6f-7a8b-9c0d-e1f2a3b4c5d6");
    b = a;
    b.status = 2;
    ck_assert(target_eq(&a, &b));
    b.kind = TARGET_LIST;
    ck_assert(!target_eq(&a, &b));
    ck_assert_str_eq(target_format(&b, out), "list:0191d2c3-5e6f-7a8b-9c0d-e1f2a3b4c5d6");
    b = a;
    b.id.b[0] ^= 1;
    ck_assert(!target_eq(&a, &b));
    ck_assert_str_eq(target_kind_text(TARGET_CAMPAIGN), "campaign");
    ck_assert_str_eq(target_kind_text(TARGET_LIST), "list");
}
END_TEST

START_TEST(campaign_statuses)
{
    char out[TARGET_TEXT_N];
    ck_assert_str_eq(campaign_status_text(-99, out), "account suspended");
    ck_assert_str_eq(campaign_status_text(0, out), "draft");
    ck_assert_str_eq(campaign_status_text(1, out), "active");
    ck_assert_str_eq(campaign_status_text(4, out), "running subsequences");
    ck_assert_str_eq(campaign_status_text(TARGET_STATUS_UNKNOWN, out), "not asked");
    ck_assert_str_eq(campaign_status_text(7, out), "unknown (7)");
    ck_assert_str_eq(campaign_status_text(-2147483647 - 1, out), "unknown (-2147483648)");
}
END_TEST

static void shows(const struct target *t, const char *want)
{
    struct buf out = BUF_INIT(200);
    ck_assert_int_eq(target_show(t, &out), 0);
    ck_assert_str_eq(buf_cstr(&out), want);
    buf_free(&out);
}

START_TEST(for_people)
{
    char name[] = "Q4 \x1b[2J", long_name[] = "a name that does not fit";
    struct target t = {.kind = TARGET_LIST, .name = name};
    struct buf small = BUF_INIT(10);
    ck_assert_int_eq(uuid_parse(STR("0191d2c3-5e6f-7a8b-9c0d-e1f2a3b4c5d6"), &t.id), 0);
    shows(&t, "list \"Q4 \\u{1b}[2J\"");
    t.name = NULL;
    shows(&t, "list 0191d2c3-5e6f-7a8b-9c0d-e1f2a3b4c5d6");
    t.name = long_name;
    ck_assert_int_ne(target_show(&t, &small), 0);
    buf_free(&small);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("target");
    TCase *tc = tcase_create("target");
    tcase_add_test(tc, text_forms);
    tcase_add_test(tc, campaign_statuses);
    tcase_add_test(tc, for_people);
    suite_add_tcase(suite, tc);
    return unit_run(suite);
}
