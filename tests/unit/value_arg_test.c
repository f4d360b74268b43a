/* Values of leads from a command line. */
#include "sync/cli/args/value_arg.h"
#include "tests/unit/harness.h"

#include <string.h>

static struct arena arena;
static struct err e;
static struct lead lead;
static struct value_options o;
static const char *texts[8], *jsons[8], *clears[8];

static void setup(void)
{
    arena_init(&arena, 1 << 20);
    e = (struct err)ERR_INIT;
    o = (struct value_options){{texts, 0}, {jsons, 0}, {clears, 0}};
}

static void teardown(void)
{
    arena_free(&arena);
    err_clear(&e);
}

static void is_value(const struct value *v, enum value_kind kind, const char *text)
{
    ck_assert_int_eq(v->kind, kind);
    ck_assert_msg(str_is((struct str){v->p, v->n}, text), "\"%.*s\" is not \"%s\"", (int)v->n, v->p, text);
}

START_TEST(every_kind)
{
    texts[o.texts.n++] = "first_name=Ada = Augusta";
    texts[o.texts.n++] = "last_name=";
    texts[o.texts.n++] = "lt_interest_status=-2";
    texts[o.texts.n++] = "assigned_to=019F1A0D-70d9-756a-bc19-c8b5cc3a0215";
    texts[o.texts.n++] = "custom.color=red";
    jsons[o.jsons.n++] = "custom.seats=12345678901234567890";
    jsons[o.jsons.n++] = "custom.paying=true";
    jsons[o.jsons.n++] = "custom.note=\"a \\u00e9\"";
    clears[o.clears.n++] = "phone";
    clears[o.clears.n++] = "custom.old";
    ck_assert_int_eq(value_arg_lead(&o, true, &arena, &lead, &e), 0);
    is_value(&lead.core[LEAD_FIRST_NAME], VALUE_STRING, "Ada = Augusta");
    is_value(&lead.core[LEAD_LAST_NAME], VALUE_STRING, "");
    is_value(&lead.core[LEAD_LT_INTEREST_STATUS], VALUE_NUMBER, "-2");
    ck_assert_int_eq(lead.core[LEAD_ASSIGNED_TO].kind, VALUE_STRING);
    ck_assert_int_eq(lead.core[LEAD_PHONE].kind, VALUE_NULL);
    ck_assert_int_eq(lead.core[LEAD_WEBSITE].kind, VALUE_ABSENT);
    ck_assert_uint_eq(lead.shape->custom_n, 5);
    ck_assert(str_is(lead.shape->custom_names[0], "color"));
    is_value(&lead.custom[0], VALUE_STRING, "red");
    is_value(&lead.custom[1], VALUE_NUMBER, "12345678901234567890");
    is_value(&lead.custom[2], VALUE_BOOL, "true");
    is_value(&lead.custom[3], VALUE_STRING, "a \xc3\xa9");
    ck_assert_int_eq(lead.custom[4].kind, VALUE_NULL);
}
END_TEST

static void is_refused(bool patch, const char *why)
{
    ck_assert_int_eq(value_arg_lead(&o, patch, &arena, &lead, &e), -1);
    ck_assert_int_eq(e.status, XS_USAGE);
    ck_assert_msg(strstr(err_text(&e), why) != NULL, "\"%s\" is not in: %s", why, err_text(&e));
    err_clear(&e);
}

START_TEST(slips)
{
    static const struct {
        const char *text, *why;
    } bad[] = {
        {"first_name", "is not NAME=VALUE"},
        {"=x", "is not NAME=VALUE"},
        {"firstname=x", "\"first_name\"?"},
        {"custom.=x", "has no field"},
        {"lt_interest_status=5", "not an interest status"},
        {"lt_interest_status=", "interest"},
        {"assigned_to=me", "is a UUID"},
        {"status=1", "has no field"},
    };
    o.texts.n = 1;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        texts[0] = bad[i].text;
        is_refused(false, bad[i].why);
    }
    texts[0] = "email=a@x.example";
    is_refused(true, "cannot be changed");
    ck_assert_int_eq(value_arg_lead(&o, false, &arena, &lead, &e), 0);
    texts[0] = "custom.a=1";
    texts[1] = "custom.a=2";
    o.texts.n = 2;
    is_refused(true, "given twice");
    o.texts.n = 0;
    clears[0] = "lt_interest_status";
    o.clears.n = 1;
    is_refused(true, "leads interest");
}
END_TEST

START_TEST(json_slips)
{
    static const char *const bad[] = {"",   "007",  "1,5",    "1e400", "nul", "null", "[1]",
                                      "{}", "TRUE", "\"open", "1 ",    "NaN", "'a'"};
    char text[32];
    o.jsons.n = 1;
    jsons[0] = text;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        snprintf(text, sizeof text, "custom.n=%s", bad[i]);
        is_refused(true, "is not a number, true, false or a quoted text");
    }
    snprintf(text, sizeof text, "phone=5");
    is_refused(true, "is a text");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("value_arg");
    TCase *tc = tcase_create("values");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, every_kind);
    tcase_add_test(tc, slips);
    tcase_add_test(tc, json_slips);
    suite_add_tcase(suite, tc);
    return unit_run(suite);
}
