/* The pages of leads/list: put together to one answer, however many questions they take. */
#include "tests/unit/queue_kit.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

static struct {
    unsigned n;
    enum api_class class;
    size_t items;
    char text[300];
} listed;

static void on_listed(void *ctx, const struct api_reply *reply)
{
    (void)ctx;
    listed.n++;
    listed.class = reply->class;
    listed.items = reply->class == API_OK ? json_object_array_length(reply->json) : 0;
    snprintf(listed.text, sizeof listed.text, "%s", reply->err != NULL ? err_text(reply->err) : "");
}

static void list_with(struct leads_list l)
{
    memset(&listed, 0, sizeof listed);
    ck_assert_int_eq(api_leads_list(api, &l, on_listed, NULL, &e), 0);
    drain();
    ck_assert_uint_eq(listed.n, 1);
}

static void list(size_t items_max)
{
    list_with((struct leads_list){.items_max = items_max});
}

START_TEST(all_pages)
{
    says(200, "{\"items\":[1,2],\"next_starting_after\":\"a\"}");
    says(502, "<html>");
    says(200, "{\"items\":[3],\"next_starting_after\":\"b\"}");
    says(200, "{\"items\":[]}");
    list(0);
    ck_assert_int_eq(listed.class, API_OK);
    ck_assert_uint_eq(listed.items, 3);
    ck_assert_str_eq(fake.sent[1].body, "{\"limit\":100,\"starting_after\":\"a\"}");
    ck_assert_str_eq(fake.sent[2].body, fake.sent[1].body);
    ck_assert_str_eq(fake.sent[3].body, "{\"limit\":100,\"starting_after\":\"b\"}");
    ck_assert(!fake.sent[0].write);
}
END_TEST

#define LEAD_WITH(status) "{\"id\":\"01010000-0000-0000-0000-000000000000\",\"status\":" status "}"
static char pages[60][160]; /* the transport borrows what it says */

/* Even statuses are kept, and 6 is all that was wanted. What is no lead is not shown. */
static enum leads_list_see see_even(void *ctx, const struct remote_lead *lead)
{
    (void)ctx;
    return lead->status == 6 ? LIST_KEEP_LAST : lead->status % 2 == 0 ? LIST_KEEP : LIST_DROP;
}

START_TEST(only_what_is_wanted)
{
    /* As many pages as it takes, whatever may be kept. */
    for (int i = 0; i < 40; i++) {
        char *page = pages[i];
        snprintf(page, sizeof pages[i], "{\"items\":[4," LEAD_WITH("%d") "],\"next_starting_after\":\"%d\"}",
                 i == 7 ? 2 : 2 * i + 101, i);
        says(200, page);
    }
    says(200, "{\"items\":[" LEAD_WITH("6") "," LEAD_WITH("8") "],\"next_starting_after\":\"x\"}");
    list_with((struct leads_list){.items_max = 2, .see = see_even});
    ck_assert_int_eq(listed.class, API_OK);
    ck_assert_uint_eq(listed.items, 2); /* 2 and 6 */
    ck_assert_uint_eq(fake.sent_n, 41);
}
END_TEST

/* By ids the page with the last of them is the end; a lead that was not asked for ends nothing. */
START_TEST(all_ids_are_shown)
{
    static const struct uuid ids[] = {{{1, 1}}, {{1, 2}}};
    static const char first[] = "01010000-0000-0000-0000-000000000000", second[] = "01020000-0000-0000-0000-000000000000";
    snprintf(pages[0], sizeof pages[0], "{\"items\":[{\"id\":\"%s\"}],\"next_starting_after\":\"a\"}", second);
    says(200, "{\"items\":[{\"id\":\"01030000-0000-0000-0000-000000000000\"},{}],\"next_starting_after\":\"x\"}");
    says(200, pages[0]);
    snprintf(pages[1], sizeof pages[1], "{\"items\":[{\"id\":\"%s\"}],\"next_starting_after\":\"b\"}", first);
    says(200, pages[1]);
    list_with((struct leads_list){.ids = ids, .ids_n = 2});
    ck_assert_int_eq(listed.class, API_OK);
    ck_assert_uint_eq(listed.items, 4);
    ck_assert_uint_eq(fake.sent_n, 3);
}
END_TEST

START_TEST(cursors_in_a_circle)
{
    for (int i = 0; i < 60; i++) {
        char *page = pages[i];
        snprintf(page, sizeof pages[i], "{\"items\":[1],\"next_starting_after\":\"%d\"}", i < 3 ? i : 3 + i % 5);
        says(200, page);
    }
    list_with((struct leads_list){.see = see_even});
    ck_assert_int_eq(listed.class, API_FAILED);
    ck_assert_ptr_nonnull(strstr(listed.text, "leads nowhere"));
    ck_assert_uint_lt(fake.sent_n, 20);
}
END_TEST

static const struct {
    const char *first, *second;
    size_t max, items; /* items when it ends well */
    bool ends_well;
} page_rows[] = {
    {"{\"items\":[]}", NULL, 0, 0, true},
    {"{\"items\":[1]}", NULL, 0, 1, true},
    {"{\"items\":[1],\"next_starting_after\":null}", NULL, 0, 1, true},
    {"{\"items\":[1],\"next_starting_after\":\"\"}", NULL, 0, 1, true},
    {"{\"items\":[],\"next_starting_after\":\"a\"}", NULL, 0, 0, true},
    {"{\"items\":[1],\"next_starting_after\":7}", NULL, 0, 0, false},
    {"{\"items\":[1],\"next_starting_after\":\"a\"}", "{\"items\":[2],\"next_starting_after\":\"a\"}", 0, 0, false},
    {"{\"items\":[1,2,3]}", NULL, 2, 0, false},
    {"{\"items\":[1,2],\"next_starting_after\":\"a\"}", "{\"items\":[3]}", 2, 0, false},
};

START_TEST(odd_pages)
{
    says(200, page_rows[_i].first);
    if (page_rows[_i].second != NULL)
        says(200, page_rows[_i].second);
    list(page_rows[_i].max);
    ck_assert_msg((listed.class == API_OK) == page_rows[_i].ends_well, "%s", page_rows[_i].first);
    if (listed.class == API_OK)
        ck_assert_uint_eq(listed.items, page_rows[_i].items);
    else
        ck_assert_int_eq(listed.class, API_FAILED);
}
END_TEST

START_TEST(a_page_that_fails)
{
    says(200, "{\"items\":[1],\"next_starting_after\":\"a\"}");
    says(400, "{\"message\":\"no\"}");
    list(0);
    ck_assert_int_eq(listed.class, API_REFUSED);
}
END_TEST

static void list_contacts(const struct str *contacts, size_t n)
{
    list_with((struct leads_list){.contacts = contacts, .contacts_n = n});
}

/* One odd address in `contacts` would have all of them refused. */
START_TEST(odd_contacts_are_searched_for)
{
    const struct str contacts[] = {STR("\"x y\"@b.c"), STR("a@b.c"), STR("j\u00fcrgen@b.c"), STR("d@e.f")};
    says(200, "{\"items\":[1,2],\"next_starting_after\":\"a\"}");
    says(200, "{\"items\":[]}");
    says(200, "{\"items\":[3],\"next_starting_after\":\"a\"}");
    says(200, "{\"items\":[4]}");
    says(200, "{\"items\":[]}");
    list_contacts(contacts, 4);
    ck_assert_int_eq(listed.class, API_OK);
    ck_assert_uint_eq(listed.items, 4);
    ck_assert_uint_eq(fake.sent_n, 5);
    ck_assert_str_eq(fake.sent[0].body, "{\"contacts\":[\"a@b.c\",\"d@e.f\"],\"limit\":100}");
    ck_assert_str_eq(fake.sent[2].body, "{\"search\":\"\\\"x y\\\"@b.c\",\"limit\":100}");
    ck_assert_str_eq(fake.sent[3].body, "{\"search\":\"\\\"x y\\\"@b.c\",\"limit\":100,\"starting_after\":\"a\"}");
    ck_assert_str_eq(fake.sent[4].body, "{\"search\":\"j\u00fcrgen@b.c\",\"limit\":100}");
}
END_TEST

/* Never a question without a selector; and one that fails ends the look. */
START_TEST(only_odd_contacts)
{
    const struct str contacts[] = {STR("j\u00fcrgen@b.c"), STR("a@b_c.de")};
    says(200, "{\"items\":[1]}");
    says(400, "{\"message\":\"no\"}");
    list_contacts(contacts, 2);
    ck_assert_int_eq(listed.class, API_REFUSED);
    ck_assert_uint_eq(fake.sent_n, 2);
    ck_assert_str_eq(fake.sent[0].body, "{\"search\":\"j\u00fcrgen@b.c\",\"limit\":100}");
}
END_TEST

static char cursors[256];

static void note_cursor(void *ctx, struct str cursor)
{
    (void)ctx;
    size_t n = strlen(cursors);
    snprintf(cursors + n, sizeof cursors - n, "%.*s|", STR_ARG(cursor));
}

/* A list that is read in full begins at a cursor, and does not end with a full page that has none. */
START_TEST(every_page)
{
    static char full[100 * 60];
    size_t n = (size_t)snprintf(full, sizeof full, "{\"items\":[");
    for (int i = 0; i < 100; i++)
        n += (size_t)snprintf(full + n, sizeof full - n, "%s{\"id\":\"%08x-0000-0000-0000-000000000000\"}", i > 0 ? "," : "",
                              i);
    snprintf(full + n, sizeof full - n, "]}");
    cursors[0] = '\0';
    says(200, full);
    says(200, "{\"items\":[{\"id\":\"00000064-0000-0000-0000-000000000000\"}],\"next_starting_after\":\"z\"}");
    says(200, "{\"items\":[]}");
    list_with((struct leads_list){.paged = note_cursor, .after = STR("start")});
    ck_assert_int_eq(listed.class, API_OK);
    ck_assert_uint_eq(listed.items, 101);
    ck_assert_str_eq(fake.sent[0].body, "{\"limit\":100,\"starting_after\":\"start\"}");
    ck_assert_str_eq(fake.sent[1].body, "{\"limit\":100,\"starting_after\":\"00000063-0000-0000-0000-000000000000\"}");
    ck_assert_str_eq(cursors, "00000063-0000-0000-0000-000000000000|z||");
}
END_TEST

START_TEST(dropped_half_way)
{
    struct leads_list l = {0};
    says(200, "{\"items\":[1],\"next_starting_after\":\"a\"}");
    ck_assert_int_eq(api_leads_list(api, &l, on_listed, NULL, &e), 0);
    ck_assert_int_eq(api_step(api, 0, &e), 0); /* api_free() in teardown has to free the rest */
    ck_assert_uint_eq(api_queued(api), 1);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("leads_list");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, all_pages);
    tcase_add_test(t, only_what_is_wanted);
    tcase_add_test(t, all_ids_are_shown);
    tcase_add_test(t, cursors_in_a_circle);
    tcase_add_loop_test(t, odd_pages, 0, (int)(sizeof page_rows / sizeof page_rows[0]));
    tcase_add_test(t, a_page_that_fails);
    tcase_add_test(t, odd_contacts_are_searched_for);
    tcase_add_test(t, only_odd_contacts);
    tcase_add_test(t, every_page);
    tcase_add_test(t, dropped_half_way);
    suite_add_tcase(s, t);
    return unit_run(s);
}
