/* The leads of targets, read page by page: kept, gone on with, and not believed when the pages contradict themselves. */
#include "sync/compare/pages.h"
#include "sync/compare/verify.h"
#include "tests/unit/queue_kit.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PLACE "0c000000-0000-0000-0000-000000000000"
#define OTHER "0d000000-0000-0000-0000-000000000000"
#define LEAD(n, place, email) \
    "{\"id\":\"" n "000000-0000-0000-0000-000000000000\",\"campaign\":\"" place "\",\"status\":1,\"email\":\"" email \
    "\",\"first_name\":\"Ann\",\"payload\":{\"seats\":5}}"
#define PAGE(leads, cursor) \
    "{\"items\":[" leads "],\"next_starting_after\":\"" cursor "000000-0000-0000-0000-000000000000\"}"
#define END "{\"items\":[]}"

static const struct str names[] = {{"seats", 5}};
static const struct lead_shape shape = {.id = 7, .custom_n = 1, .custom_names = names};
static struct arena arena;
static struct target place;
static char path[] = "pages-XXXXXX";

static struct pages *open_pages(const char *origin)
{
    struct pages *p;
    const struct pages_options options = {.path = path,
                                          .origin = origin,
                                          .clock = &fake_clock.base,
                                          .memory_max = 1 << 20,
                                          .shape = &shape};
    ck_assert_int_eq(pages_open(&options, &p, &e), 0);
    return p;
}

static void pages_setup(void)
{
    setup();
    arena_init(&arena, 1 << 20);
    memcpy(path, "pages-XXXXXX", sizeof path);
    close(mkstemp(path));
    place = (struct target){.kind = TARGET_CAMPAIGN, .status = TARGET_STATUS_UNKNOWN};
    ck_assert_int_eq(uuid_parse(STR(PLACE), &place.id), 0);
}

static void pages_teardown(void)
{
    teardown();
    arena_free(&arena);
    unlink(path);
}

static int read_it(struct pages *p)
{
    return pages_read(p, api, &place, 1, NULL, NULL, &e);
}

START_TEST(values_and_places)
{
    struct page_lead lead;
    struct pages *p = open_pages("here");
    says(200, PAGE(LEAD("01", PLACE, "Ann@Example.com") "," LEAD("02", PLACE, "bob@example.com"), "02"));
    says(200, END);
    ck_assert_int_eq(read_it(p), 0);
    ck_assert_uint_eq(pages_leads_n(p), 2);
    ck_assert_int_eq(pages_find_address(p, STR("ann@example.com"), &place, &arena, &lead, &e), 1);
    ck_assert(lead.read_by_page && lead.placed && target_eq(&lead.place, &place));
    ck_assert_uint_eq(lead.lead.shape->id, 7);
    ck_assert(str_is((struct str){lead.lead.custom[0].p, lead.lead.custom[0].n}, "5"));
    ck_assert_int_eq(pages_find_address(p, STR("no@example.com"), &place, &arena, &lead, &e), 0);
    pages_close(p, false);
    ck_assert_int_ne(access(path, F_OK), 0);
}
END_TEST

/* Kept only if it is asked for; pages_next() has leads of questions, too, if it is told so. */
START_TEST(engagement_is_kept)
{
    struct page_lead lead;
    struct pages *p;
    const struct pages_options options = {.origin = "here",
                                          .clock = &fake_clock.base,
                                          .memory_max = 1 << 20,
                                          .shape = &shape,
                                          .has_engagement = true};
    const struct uuid elsewhere = {{2}};
    ck_assert_int_eq(pages_open(&options, &p, &e), 0);
    says(200, PAGE(LEAD("01", PLACE, "a@b.co\",\"email_open_count\":3,\"x\":\""), "01"));
    says(200, END);
    ck_assert_int_eq(read_it(p), 0);
    says(200, "{\"items\":[" LEAD("02", OTHER, "b@b.co") "]}");
    ck_assert_int_eq(pages_ask_ids(p, api, &elsewhere, 1, NULL, NULL, &e), 0);
    ck_assert_int_eq(pages_next(p, 0, true, &arena, &lead, &e), 1);
    ck_assert(lead.engagement.opens == 3 && lead.engagement.clicks == ENGAGEMENT_UNTOLD && lead.engagement.status == 1);
    ck_assert_int_eq(pages_next(p, lead.n, false, &arena, &lead, &e), 0);
    ck_assert_int_eq(pages_next(p, 1, true, &arena, &lead, &e), 1);
    ck_assert(str_is(lead.email, "b@b.co") && lead.engagement.opens == ENGAGEMENT_UNTOLD);
    pages_close(p, false);
    p = open_pages("here");
    says(200, PAGE(LEAD("01", PLACE, "a@b.co\",\"email_open_count\":3,\"x\":\""), "01"));
    says(200, END);
    ck_assert_int_eq(read_it(p), 0);
    ck_assert_int_eq(pages_next(p, 0, true, &arena, &lead, &e), 1);
    ck_assert(lead.engagement.opens == ENGAGEMENT_UNTOLD && lead.engagement.status == ENGAGEMENT_UNTOLD);
    pages_close(p, false);
}
END_TEST

START_TEST(goes_on)
{
    struct pages *p = open_pages("here");
    says(200, PAGE(LEAD("01", PLACE, "a@b.co"), "01"));
    says(401, "{}");
    ck_assert_int_eq(read_it(p), -1);
    err_clear(&e);
    pages_close(p, true);
    teardown();
    setup();
    p = open_pages("here");
    says(200, PAGE(LEAD("02", PLACE, "c@b.co"), "02"));
    says(200, END);
    ck_assert_int_eq(read_it(p), 0);
    ck_assert_ptr_nonnull(strstr(fake.sent[0].body, "\"starting_after\":\"01000000-"));
    ck_assert_uint_eq(pages_leads_n(p), 2);
    pages_close(p, true);
    /* Read in full: nothing is asked for. Of another origin: from the start. */
    p = open_pages("here");
    ck_assert_int_eq(read_it(p), 0);
    ck_assert_uint_eq(pages_leads_n(p), 2);
    pages_close(p, true);
    p = open_pages("elsewhere");
    ck_assert_uint_eq(pages_leads_n(p), 0);
    pages_close(p, false);
}
END_TEST

static const char *const unsound[] = {
    PAGE(LEAD("02", PLACE, "a@b.co") "," LEAD("01", PLACE, "b@b.co"), "02"),
    PAGE(LEAD("02", PLACE, "a@b.co") "," LEAD("02", PLACE, "a@b.co"), "02"),
    PAGE(LEAD("02", OTHER, "a@b.co"), "02"),
};

START_TEST(unsound_pages)
{
    struct pages *p = open_pages("here");
    says(200, unsound[_i]);
    says(200, END);
    ck_assert_int_eq(read_it(p), -1);
    ck_assert_int_eq(e.status, XS_API);
    ck_assert_ptr_nonnull(strstr(err_text(&e), "not sound"));
    err_clear(&e);
    pages_close(p, true);
    ck_assert_int_ne(access(path, F_OK), 0);
}
END_TEST

static struct pages *open_split(void)
{
    struct uuid after;
    struct pages *p = open_pages("here");
    ck_assert_int_eq(uuid_parse(STR("02000000-0000-0000-0000-000000000000"), &after), 0);
    ck_assert_int_eq(pages_split(p, &place, &after, 1, &e), 0);
    return p;
}

#define THREE LEAD("01", PLACE, "a@b.co") "," LEAD("02", PLACE, "b@b.co") "," LEAD("03", PLACE, "c@b.co")

START_TEST(parts_that_fit)
{
    struct pages *p = open_split();
    says(200, PAGE(THREE, "03"));
    says(200, PAGE(LEAD("03", PLACE, "c@b.co"), "03"));
    says(200, END);
    ck_assert_int_eq(read_it(p), 0);
    ck_assert_uint_eq(pages_leads_n(p), 3);
    ck_assert_uint_eq(fake.sent_n, 3);
    ck_assert_ptr_nonnull(strstr(fake.sent[1].body, "\"starting_after\":\"02000000-"));
    pages_close(p, false);
}
END_TEST

/* What a part is answered whose beginning the API does not take for a cursor: the first page, nothing, a refusal. */
static const struct {
    int status;
    const char *body;
} misfits[] = {{200, PAGE(THREE, "03")}, {200, END}, {400, "{\"message\":\"unknown cursor\"}"}};

/* The lead at which the parts meet is deleted, and the API refuses it as a cursor: the second part begins after the last lead that
 * the first one has shown. */
START_TEST(a_part_begins_after_a_deleted_lead)
{
    struct pages *p = open_split();
    says(200, PAGE(LEAD("01", PLACE, "a@b.co") "," LEAD("03", PLACE, "c@b.co"), "03"));
    says(400, "{\"message\":\"unknown cursor\"}");
    says(200, PAGE(LEAD("03", PLACE, "c@b.co"), "03"));
    says(200, END);
    ck_assert_int_eq(read_it(p), 0);
    ck_assert_uint_eq(pages_leads_n(p), 2);
    ck_assert_uint_eq(fake.sent_n, 4);
    ck_assert_ptr_nonnull(strstr(fake.sent[2].body, "\"starting_after\":\"01000000-"));
    pages_close(p, false);
}
END_TEST

START_TEST(parts_that_do_not_fit)
{
    struct pages *p = open_split();
    says(200, PAGE(THREE, "03"));
    says(misfits[_i].status, misfits[_i].body);
    if (_i == 0)
        says(200, END);
    says(200, PAGE(THREE, "03"));
    says(200, END);
    ck_assert_int_eq(read_it(p), 0);
    ck_assert_uint_eq(pages_leads_n(p), 3);
    ck_assert_ptr_null(strstr(fake.sent[_i == 0 ? 3 : 2].body, "starting_after"));
    pages_close(p, false);
}
END_TEST

START_TEST(confidence)
{
    double low, high;
    verify_interval(0, 500, &low, &high);
    ck_assert(low == 0 && high > 0.0075 && high < 0.0077);
    verify_interval(50, 100, &low, &high);
    ck_assert(low > 0.403 && low < 0.405 && high > 0.595 && high < 0.597);
    verify_interval(0, 0, &low, &high);
    ck_assert(low == 0 && high == 1);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("pages");
    TCase *t = tcase_create("pages");
    tcase_add_checked_fixture(t, pages_setup, pages_teardown);
    tcase_add_test(t, values_and_places);
    tcase_add_test(t, engagement_is_kept);
    tcase_add_test(t, goes_on);
    tcase_add_loop_test(t, unsound_pages, 0, (int)(sizeof unsound / sizeof unsound[0]));
    tcase_add_test(t, parts_that_fit);
    tcase_add_test(t, a_part_begins_after_a_deleted_lead);
    tcase_add_loop_test(t, parts_that_do_not_fit, 0, (int)(sizeof misfits / sizeof misfits[0]));
    tcase_add_test(t, confidence);
    suite_add_tcase(s, t);
    return unit_run(s);
}
