/* The record of pull: a cell per column, and nothing that Instantly has not said. */
#include "config.h"

#include "sync/model/engagement.h"
#include "sync/model/lead_status.h"
#include "tests/unit/harness.h"

#include <stdio.h>
#include <string.h>

static struct arena arena;
static struct str cells[ENGAGEMENT_COLUMN_N];
static struct engagement_lead lead;
static char name[] = "Demo";
static struct target campaign;

static void setup(void)
{
    arena_init(&arena, 1 << 20);
    ck_assert_int_eq(uuid_parse(STR("01890f4a-7b6c-7cc0-98c4-dc0c0c07398f"), &lead.id), 0);
    campaign = (struct target){.kind = TARGET_CAMPAIGN, .id = lead.id, .name = name};
    lead.key = lead.email = STR_NONE;
    lead.target = NULL;
    lead.remembered = TARGET_STATUS_UNKNOWN;
    engagement_init(&lead.engagement);
}

static void teardown(void)
{
    arena_free(&arena);
}

/* "name=cell" of each cell that is not empty, with a blank between. */
static const char *record(void)
{
    static char text[2000];
    size_t n = 0;
    ck_assert_int_eq(engagement_cells(&lead, &arena, cells), 0);
    text[0] = '\0';
    for (size_t i = 0; i < ENGAGEMENT_COLUMN_N; i++)
        if (cells[i].p != NULL && i != ENGAGEMENT_LEAD_ID)
            n += (size_t)snprintf(text + n, sizeof text - n, "%s%.*s=%.*s", n > 0 ? " " : "",
                                  STR_ARG(engagement_column_table[i].name), STR_ARG(cells[i]));
    ck_assert_uint_lt(n, sizeof text);
    return text;
}

START_TEST(what_is_not_known_is_empty)
{
    ck_assert_str_eq(record(), "");
    ck_assert(str_is(cells[ENGAGEMENT_LEAD_ID], "01890f4a-7b6c-7cc0-98c4-dc0c0c07398f"));
}
END_TEST

START_TEST(everything_is_known)
{
    lead.key = STR("7");
    lead.email = STR("a\0b@example.com");
    lead.target = &campaign;
    lead.engagement = (struct engagement){.status = 3,
                                          .interest = -4,
                                          .verification = -3,
                                          .opens = 2,
                                          .clicks = 0,
                                          .replies = 1,
                                          .contacted_ms = 1782854132254,
                                          .opened_ms = 1782854132255,
                                          .clicked_ms = ENGAGEMENT_UNTOLD,
                                          .replied_ms = 1782854132256,
                                          .updated_ms = 1782854132257,
                                          .stepped = 1};
    ck_assert_str_eq(
        record(), "key=7 email=a?b@example.com target=campaign:01890f4a-7b6c-7cc0-98c4-dc0c0c07398f target_name=Demo "
                  "status=completed status_number=3 interest=no_show interest_number=-4 contacted=true "
                  "contacted_at=2026-06-30T21:15:32.254Z opened=true opens=2 opened_at=2026-06-30T21:15:32.255Z "
                  "clicked=false clicks=0 replied=true replies=1 replied_at=2026-06-30T21:15:32.256Z bounced=false "
                  "unsubscribed=false verification=catch_all verification_number=-3 last_change=2026-06-30T21:15:32.257Z");
}
END_TEST

START_TEST(each_number_has_its_word)
{
    static const struct {
        int64_t status, interest, verification;
        const char *want;
    } rows[] = {
        {0, 0, 1, "new out_of_office verified"},
        {1, 1, 11, "active interested pending"},
        {2, 2, 12, "paused meeting_booked pending"},
        {3, 3, -1, "completed meeting_completed invalid"},
        {-1, 4, -2, "bounced won risky"},
        {-2, -1, -3, "unsubscribed not_interested catch_all"},
        {-3, -2, -4, "skipped wrong_person job_change"},
        {77, -3, 77, " lost "},
        {INT64_MAX, 5, INT64_MIN + 1, "  "},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char got[100];
        lead.engagement.status = rows[i].status;
        lead.engagement.interest = rows[i].interest;
        lead.engagement.verification = rows[i].verification;
        ck_assert_int_eq(engagement_cells(&lead, &arena, cells), 0);
        snprintf(got, sizeof got, "%.*s %.*s %.*s", STR_ARG(cells[ENGAGEMENT_STATUS]), STR_ARG(cells[ENGAGEMENT_INTEREST]),
                 STR_ARG(cells[ENGAGEMENT_VERIFICATION]));
        ck_assert_str_eq(got, rows[i].want);
        ck_assert(cells[ENGAGEMENT_STATUS_NUMBER].n > 0 && cells[ENGAGEMENT_INTEREST_NUMBER].n > 0);
    }
}
END_TEST

/* A count that is absent leaves only what a time proves. */
START_TEST(what_proves_what)
{
    lead.engagement.opened_ms = 1782854132254;
    ck_assert_str_eq(record(), "contacted=true opened=true opened_at=2026-06-30T21:15:32.254Z");
    engagement_init(&lead.engagement);
    lead.engagement.stepped = 1;
    ck_assert_str_eq(record(), "contacted=true");
    engagement_init(&lead.engagement);
    lead.engagement.replies = 0;
    ck_assert_str_eq(record(), "replied=false replies=0");
}
END_TEST

START_TEST(what_is_remembered_is_not_lowered)
{
    lead.remembered = LEAD_STATUS_UNSUBSCRIBED;
    ck_assert_str_eq(record(), "unsubscribed=true");
    lead.engagement.status = 1;
    ck_assert_str_eq(record(), "status=active status_number=1 bounced=false unsubscribed=true");
    lead.engagement.status = -1;
    ck_assert_str_eq(record(), "status=bounced status_number=-1 bounced=true unsubscribed=true");
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("engagement");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, what_is_not_known_is_empty);
    tcase_add_test(t, everything_is_known);
    tcase_add_test(t, each_number_has_its_word);
    tcase_add_test(t, what_proves_what);
    tcase_add_test(t, what_is_remembered_is_not_lowered);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return unit_run(suite());
}
