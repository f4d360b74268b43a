/* Rows that take leads over from each other: a record gets another key under its address, rows swap their addresses or
 * hand them on. Each night ends with one lead per address, the right values in it, and nothing left to do. */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "sync/base/stop.h"
#include "tests/unit/engine_kit.h"

static struct ekit k;

/* clang-format off */
#define KEYED EKIT_HEAD EKIT_LIST EKIT_KEYED "guards: {removed: none, moved: none, source_shrank: none, rejected: none}\n" \
              "dedupe: target-only\n"
/* clang-format on */
#define HASHED "state: {values: hashed}\n"

enum { POLICIES = 4 };
static const char *const policies[POLICIES] = {
    "",
    "mode: mirror\n",
    "mode: mirror\nremoved: delete\n",
    "mode: mirror\nremoved: {move_to: {list: " WORLD_ELSEWHERE "}}\n",
};

#define HEAD "id,email,first\n"
#define THREE HEAD "1,ann@example.com,Ann\n2,bob@example.com,Bob\n3,cyd@example.com,Cyd\n"

/* What the night brings, after THREE. */
static const char *const nights[] = {
    /* another key under the same address, at either end of the source */
    HEAD "9,ann@example.com,Ann\n2,bob@example.com,Bob\n3,cyd@example.com,Cyd\n",
    HEAD "2,bob@example.com,Bob\n3,cyd@example.com,Cyd\n9,Ann@example.com,Anna\n",
    /* all keys are others, or shift by one */
    HEAD "7,ann@example.com,Ann\n8,bob@example.com,Bob\n9,cyd@example.com,Cyd\n",
    HEAD "2,ann@example.com,Ann\n3,bob@example.com,Bob\n4,cyd@example.com,Cyd\n",
    HEAD "4,cyd@example.com,Cyd\n3,bob@example.com,Bob\n2,ann@example.com,Ann\n",
    /* a swap, in both orders, and a round */
    HEAD "1,bob@example.com,Bobby\n2,ann@example.com,Anna\n3,cyd@example.com,Cyd\n",
    HEAD "3,cyd@example.com,Cyd\n2,ann@example.com,Ann\n1,bob@example.com,Bob\n",
    HEAD "1,bob@example.com,Bob\n2,cyd@example.com,Cyd\n3,ann@example.com,Ann\n",
    /* handed on, and a new address for the one who hands on */
    HEAD "1,bob@example.com,Bob\n2,eve@example.com,Eve\n3,cyd@example.com,Cyd\n",
    HEAD "2,eve@example.com,Eve\n1,bob@example.com,Bob\n3,cyd@example.com,Cyd\n",
    HEAD "1,eve@example.com,Eve\n9,ann@example.com,Ann\n2,bob@example.com,Bob\n3,cyd@example.com,Cyd\n",
    /* two records become one, under either key */
    HEAD "2,ann@example.com,Ann\n3,cyd@example.com,Cyd\n",
    HEAD "3,cyd@example.com,Cyd\n1,bob@example.com,Bob\n",
};
enum { NIGHTS = sizeof nights / sizeof nights[0] };

static void setup(void)
{
    ekit_init(&k);
}

static void teardown(void)
{
    ekit_free(&k);
}

static void mapping_with(int policy, bool hashed, const char *more)
{
    char text[2048];
    snprintf(text, sizeof text, "%s%s%s%s", KEYED, policies[policy], hashed ? HASHED : "", more);
    ekit_mapping(&k, text);
}

static void mapping(int policy, bool hashed)
{
    mapping_with(policy, hashed, "");
}

static void start(int policy, bool hashed)
{
    mapping(policy, hashed);
    ekit_csv(&k, THREE);
    ekit_sync(&k);
    EKIT_COUNT(&k, CREATED, 3u);
    ekit_later(&k);
}

/* Leads of an address in the target. */
static unsigned leads_of(const char *email)
{
    unsigned n = 0;
    for (size_t i = 0; i < json_object_array_length(k.world->leads); i++) {
        struct json_object *lead = json_object_array_get_idx(k.world->leads, i);
        const char *has = json_object_get_string(json_object_object_get(lead, "email"));
        const char *at = json_object_get_string(json_object_object_get(lead, "list_id"));
        n += has != NULL && strcasecmp(has, email) == 0 && at != NULL && strcmp(at, WORLD_LIST) == 0;
    }
    return n;
}

/* Each row's address has one lead, in its place and with the row's name; with `exactly` no other address is there. */
static void source_is_there(const char *csv, bool exactly)
{
    char text[1024], *rest = text;
    size_t n = 0;
    snprintf(text, sizeof text, "%s", csv + strlen(HEAD));
    for (char *line; (line = strsep(&rest, "\n")) != NULL && *line != '\0'; n++) {
        strsep(&line, ",");
        const char *email = strsep(&line, ",");
        ck_assert_msg(ekit_there(&k, email), "%s is not there: %s", email, ekit_text(&k));
        ck_assert_msg(leads_of(email) == 1, "%s is there %u times", email, leads_of(email));
        ck_assert_str_eq(world_value(k.world, WORLD_LIST, email, "first_name"), line);
    }
    for (size_t i = 0; exactly && i < json_object_array_length(k.world->leads); i++) {
        struct json_object *lead = json_object_array_get_idx(k.world->leads, i);
        const char *at = json_object_get_string(json_object_object_get(lead, "list_id"));
        n -= at != NULL && strcmp(at, WORLD_LIST) == 0;
    }
    ck_assert_uint_eq(exactly ? n : 0, 0);
}

static void nothing_to_do(size_t rows)
{
    ekit_later(&k);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, UNCHANGED, rows);
    ck_assert_uint_eq(ekit_writes(&k), 0);
}

static size_t rows_of(const char *csv)
{
    size_t lines = 0;
    for (; *csv != '\0'; csv++)
        lines += *csv == '\n';
    return lines - 1;
}

/* Night, policy, values. In one night, and nothing is created for a lead that is there. */
START_TEST(one_night)
{
    const char *csv = nights[_i / 2 / POLICIES];
    int policy = _i / 2 % POLICIES;
    start(policy, _i % 2 == 1);
    ekit_csv(&k, csv);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    ck_assert_uint_eq(ekit_outcome(&k, OUTCOME_CREATED), strstr(csv, "eve@") != NULL ? 1 : 0);
    source_is_there(csv, policy >= 2);
    nothing_to_do(rows_of(csv));
    /* And back. */
    ekit_csv(&k, THREE);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    source_is_there(THREE, policy >= 2);
    nothing_to_do(3);
}
END_TEST

/* Night, policy, values, batches, with other ids in Instantly. A lead that another row takes over is never removed. */
START_TEST(imported_again)
{
    const char *csv = nights[_i / 4 / POLICIES];
    int policy = _i / 4 % POLICIES;
    start(policy, _i % 2 == 1);
    mapping_with(policy, _i % 2 == 1, _i / 2 % 2 == 1 ? "limits: {batch: 1}\n" : "");
    world_reimport(k.world, "ann@example.com");
    world_reimport(k.world, "bob@example.com");
    world_reimport(k.world, "cyd@example.com");
    ekit_csv(&k, csv);
    for (int night = 0; night < 3; night++) {
        ekit_sync(&k);
        source_is_there(csv, policy >= 2 && night == 2);
        ekit_later(&k);
    }
    EKIT_ENDS(&k, XS_DONE);
}
END_TEST

/* Stopped at any request, with answers that are lost. */
START_TEST(stopped_anywhere)
{
    enum { STOPS = 12 };
    const char *csv = nights[_i / STOPS];
    int policy = _i % 2 == 0 ? 2 : _i % 4;
    start(policy, _i % 5 == 0);
    ekit_csv(&k, csv);
    k.world->stop_at = _i % STOPS / 2 + 1;
    if (_i % 2 == 1) {
        world_fault(k.world, WORLD_ADD, 1, 1, FAULT_LOST_AFTER);
        world_fault(k.world, WORLD_PATCH, 1, 1, FAULT_LOST_AFTER);
        world_fault(k.world, WORLD_DELETE, 1, 1, FAULT_LOST_AFTER);
    }
    ekit_sync(&k);
    stop_set(0);
    k.world->stop_at = 0;
    ekit_later(&k);
    if (_i % 3 == 0)
        ekit_resume(&k);
    for (int run = 0; run < 2; run++)
        ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    source_is_there(csv, policy >= 2);
    nothing_to_do(rows_of(csv));
}
END_TEST

/* The person does not become active again, under whichever key the row comes. */
START_TEST(unsubscribed)
{
    const char *csv = nights[_i / POLICIES];
    start(_i % POLICIES, false);
    world_set(k.world, "ann@example.com", "status", -2);
    ekit_csv(&k, csv);
    for (int night = 0; night < 3; night++) {
        ekit_sync(&k);
        EKIT_ENDS(&k, XS_DONE);
        ck_assert_uint_le(leads_of("ann@example.com"), 1);
        const char *status = world_value(k.world, WORLD_LIST, "ann@example.com", "status");
        ck_assert_msg(*status == '\0' || strcmp(status, "-2") == 0, "status %s", status);
        ekit_later(&k);
    }
    ck_assert_uint_eq(ekit_writes(&k), 0);
}
END_TEST

/* Two rows with one address stay two rows with one address: the one that has the lead keeps it, and no request asks. */
START_TEST(a_real_duplicate)
{
    static const char *const twins[] = {
        THREE "9,ann@example.com,Twin\n",
        HEAD "9,Ann@example.com,Twin\n1,ann@example.com,Ann\n2,bob@example.com,Bob\n3,cyd@example.com,Cyd\n",
        HEAD "2,ann@example.com,Bob\n1,ann@example.com,Ann\n3,cyd@example.com,Cyd\n",
    };
    start(_i % POLICIES, false);
    ekit_csv(&k, twins[_i / POLICIES]);
    for (int night = 0; night < 2; night++) {
        ekit_sync(&k);
        EKIT_ENDS(&k, XS_DONE);
        EKIT_REASON(&k, DUPLICATE_IN_SOURCE, 1u);
        ck_assert_uint_eq(ekit_writes(&k), 0);
        ekit_later(&k);
    }
    /* When its row goes, the other one has the lead. */
    ekit_csv(&k, HEAD "9,ann@example.com,Twin\n2,bob@example.com,Bob\n3,cyd@example.com,Cyd\n");
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, CREATED, 0u);
    EKIT_COUNT(&k, REMOVED, 0u);
    ck_assert_uint_eq(leads_of("ann@example.com"), 1);
    ck_assert_str_eq(world_value(k.world, WORLD_LIST, "ann@example.com", "first_name"), "Twin");
    nothing_to_do(3);
}
END_TEST

/* While a row has no key it may be the lead's, so nothing is taken over, and nothing is lost for it. */
START_TEST(a_row_without_a_key)
{
    start(_i, false);
    k.config.rejects_ok = true;
    ekit_csv(&k, HEAD "9,ann@example.com,Ann\n2,bob@example.com,Bob\n3,cyd@example.com,Cyd\n,x@example.com,X\n");
    ekit_sync(&k);
    EKIT_REASON(&k, DUPLICATE_IN_SOURCE, 1u);
    ck_assert(ekit_there(&k, "ann@example.com"));
    ekit_csv(&k, nights[0]);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    source_is_there(nights[0], true);
    nothing_to_do(3);
}
END_TEST

/* The same where rows wait for the end of the source, because one of them may opt out. */
START_TEST(a_duplicate_that_waits)
{
    ekit_mapping(&k, KEYED "skip_when: [{column: first, in: [out]}]\n");
    ekit_csv(&k, THREE "9,ann@example.com,Twin\n");
    for (int night = 0; night < 2; night++) {
        ekit_sync(&k);
        EKIT_ENDS(&k, XS_DONE);
        EKIT_REASON(&k, DUPLICATE_IN_SOURCE, 1u);
        ekit_later(&k);
    }
    ekit_csv(&k, HEAD "9,ann@example.com,Twin\n2,bob@example.com,Bob\n3,cyd@example.com,Cyd\n");
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    ck_assert_str_eq(world_value(k.world, WORLD_LIST, "ann@example.com", "first_name"), "Twin");
    nothing_to_do(3);
}
END_TEST

/* A run with rows that are told apart by another key is stopped at any request. The leads that it made or took over go back to
 * the rows of the right key: none is there twice, and none is gone. */
START_TEST(another_key_is_stopped)
{
    static const char more[] = THREE "4,dan@example.com,Dan\n5,eve@example.com,Eve\n";
    const char *right = _i % 2 == 0 ? KEYED "limits: {batch: 1, in_flight: 1, settle: 70ms}\nmode: mirror\nremoved: delete\n"
                                    : EKIT_HEAD EKIT_LIST EKIT_FIELDS "guards: {removed: none, source_shrank: none}\n"
                                                                      "mode: mirror\nremoved: delete\ndedupe: target-only\n";
    const char *wrong = _i % 2 == 0 ? EKIT_HEAD EKIT_LIST EKIT_FIELDS "limits: {batch: 1, in_flight: 1, settle: 70ms}\n"
                                    : KEYED "limits: {batch: 1, in_flight: 1, settle: 70ms}\n";
    bool first = _i % 4 / 2 == 1; /* the wrong mapping is the first of all */
    ekit_mapping(&k, right);
    ekit_csv(&k, THREE);
    if (!first)
        ekit_sync(&k);
    ekit_later(&k);
    ekit_mapping(&k, wrong);
    ekit_csv(&k, more);
    k.world->stop_at = _i / 4 + 1;
    ekit_sync(&k);
    stop_set(0);
    k.world->stop_at = 0;
    ekit_later(&k);
    ekit_mapping(&k, right);
    for (int run = 0; run < 3; run++)
        ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    source_is_there(more, true);
    ck_assert_uint_eq(world_n(k.world), 5);
    ekit_csv(&k, THREE);
    ekit_sync(&k);
    EKIT_COUNT(&k, REMOVED, 2u);
    source_is_there(THREE, true);
    nothing_to_do(3);
}
END_TEST

/* A row that was away when all others went back to their own keys comes later. */
START_TEST(another_key_and_a_row_that_was_away)
{
    static const char right[] = EKIT_HEAD EKIT_LIST EKIT_FIELDS "guards: {removed: none, source_shrank: none}\n"
                                                                "mode: mirror\nremoved: delete\ndedupe: target-only\n";
    const char *const sources[] = {THREE, THREE, HEAD "1,ann@example.com,Ann\n2,bob@example.com,Bob\n", THREE, THREE};
    for (int night = 0; night < 5; night++) {
        ekit_mapping(&k, night == 1 ? KEYED : right);
        ekit_csv(&k, sources[night]);
        ekit_sync(&k);
        EKIT_ENDS(&k, XS_DONE);
        EKIT_COUNT(&k, REMOVED, 0u);
        ekit_later(&k);
    }
    source_is_there(THREE, true);
    nothing_to_do(3);
}
END_TEST

/* The record that has the lead is gone, or another one by now, and the person's other record opts out. */
START_TEST(another_record_opts_out)
{
    static const char *const sources[] = {
        HEAD "9,ann@example.com,out\n2,bob@example.com,Bob\n3,cyd@example.com,Cyd\n",
        HEAD "1,anna@example.com,Ann\n9,ann@example.com,out\n2,bob@example.com,Bob\n3,cyd@example.com,Cyd\n",
    };
    start(_i % 2, false);
    ekit_mapping(&k, _i % 2 == 0 ? KEYED "skip_when: [{column: first, in: [out], then: delete}]\n"
                                 : KEYED "mode: mirror\nskip_when: [{column: first, in: [out], then: delete}]\n");
    ekit_csv(&k, sources[_i / 2]);
    /* An old lead is known as one from the next full read on. */
    for (int night = 0; night < 3; night++) {
        ekit_later(&k);
        ekit_sync(&k);
        EKIT_ENDS(&k, XS_DONE);
    }
    ck_assert_uint_eq(leads_of("ann@example.com"), 0);
    ck_assert_uint_eq(world_n(k.world), _i / 2 == 0 ? 2 : 3);
    ck_assert_uint_eq(ekit_writes(&k), 0);
}
END_TEST

/* A wrong key: made the lead, and the right mapping's row opts out. */
START_TEST(opting_out_after_another_key)
{
    static const char right[] = EKIT_HEAD EKIT_LIST EKIT_FIELDS
        "guards: {removed: none, source_shrank: none}\n"
        "skip_when: [{column: first, in: [Ann], then: delete}]\ndedupe: target-only\n";
    start(0, false);
    ekit_mapping(&k, right);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, REMOVED, 1u);
    ck_assert_uint_eq(leads_of("ann@example.com"), 0);
}
END_TEST

/* A row waits with its change, and its record gets another key. The waiting row is gone, so the lead is the new record's. */
START_TEST(a_waiting_row_gets_another_key)
{
    static const char changed[] = HEAD "1,ann@example.com,Anna\n2,bob@example.com,Bob\n3,cyd@example.com,Cyd\n";
    start(_i / 2, _i % 2 == 1);
    ekit_csv(&k, changed);
    world_fault(k.world, WORLD_PATCH, 1, 1000, FAULT_500);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_API);
    ck_assert_uint_eq(k.report.waiting_rows, 1);
    world_fault(k.world, WORLD_PATCH, 1, 1000, FAULT_NONE);
    ekit_later(&k);
    ekit_csv(&k, nights[0]);
    ekit_sync(&k);
    if (_i / 2 >= 2) { /* the change may still be carried out on a lead that is removed: one night more */
        EKIT_ENDS(&k, XS_LEFT_OVER);
        ekit_later(&k);
        ekit_sync(&k);
    }
    EKIT_ENDS(&k, XS_DONE);
    EKIT_REASON(&k, DUPLICATE_IN_SOURCE, 0u);
    ck_assert_uint_eq(k.report.waiting_rows, 0);
    source_is_there(nights[0], true);
    nothing_to_do(3);
}
END_TEST

/* Changes of two rows may still be carried out, and the rows swap their addresses. Each waits for the other's lead, but not
 * forever. */
START_TEST(a_swap_in_doubt)
{
    static const char changed[] = HEAD "1,ann@example.com,Anna\n2,bob@example.com,Bobby\n3,cyd@example.com,Cyd\n";
    start(_i / 2, _i % 2 == 1);
    ekit_csv(&k, changed);
    world_fault(k.world, WORLD_PATCH, 1, 1000, FAULT_500);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_API);
    world_fault(k.world, WORLD_PATCH, 1, 1000, FAULT_NONE);
    ekit_csv(&k, nights[5]);
    for (int night = 0; night < 3; night++) {
        ekit_later(&k);
        ekit_sync(&k);
    }
    EKIT_ENDS(&k, XS_DONE);
    source_is_there(nights[5], true);
    nothing_to_do(3);
}
END_TEST

/* A row waits to be created, and an earlier row gets its address. It is a duplicate then, and waits no more. */
START_TEST(a_waiting_row_loses_its_address)
{
    static const char *const twins[] = {
        HEAD
        "9,dan@example.com,Dan\n1,ann@example.com,Ann\n2,bob@example.com,Bob\n3,cyd@example.com,Cyd\n4,dan@example.com,Twin\n",
        HEAD "4,dan@example.com,Twin\n1,dan@example.com,Dan\n2,bob@example.com,Bob\n3,cyd@example.com,Cyd\n",
    };
    start(_i % POLICIES, false);
    ekit_csv(&k, THREE "4,dan@example.com,Dan\n");
    world_fault(k.world, WORLD_ADD, 1, 1000, FAULT_500);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_API);
    ck_assert_uint_eq(k.report.waiting_rows, 1);
    world_fault(k.world, WORLD_ADD, 1, 1000, FAULT_NONE);
    ekit_later(&k);
    ekit_csv(&k, twins[_i / POLICIES]);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_REASON(&k, DUPLICATE_IN_SOURCE, 1u);
    ck_assert_uint_eq(k.report.waiting_rows, 0);
    ck_assert_uint_eq(leads_of("dan@example.com"), 1);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("rekey_handover");
    TCase *c = tcase_create("rekey_handover");
    tcase_set_timeout(c, 60);
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_loop_test(c, one_night, 0, 2 * NIGHTS * POLICIES);
    tcase_add_loop_test(c, imported_again, 0, 4 * NIGHTS * POLICIES);
    tcase_add_loop_test(c, stopped_anywhere, 0, 12 * NIGHTS);
    tcase_add_loop_test(c, unsubscribed, 0, NIGHTS * POLICIES);
    tcase_add_loop_test(c, a_real_duplicate, 0, 3 * POLICIES);
    tcase_add_loop_test(c, a_row_without_a_key, 0, POLICIES);
    tcase_add_test(c, a_duplicate_that_waits);
    tcase_add_loop_test(c, another_key_is_stopped, 0, 4 * 10);
    tcase_add_test(c, another_key_and_a_row_that_was_away);
    tcase_add_loop_test(c, another_record_opts_out, 0, 4);
    tcase_add_test(c, opting_out_after_another_key);
    tcase_add_loop_test(c, a_waiting_row_gets_another_key, 0, 2 * POLICIES);
    tcase_add_loop_test(c, a_swap_in_doubt, 0, 2 * POLICIES);
    tcase_add_loop_test(c, a_waiting_row_loses_its_address, 0, 2 * POLICIES);
    suite_add_tcase(s, c);
    return s;
}

int main(void)
{
    return unit_run(suite());
}
