/* Another address under a known key: the new lead is there before the old one goes, the old one is never forgotten, and
 * no lead ever belongs to two keys. */
#include "config.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "sync/base/stop.h"
#include "tests/unit/engine_kit.h"

static struct ekit k;

#define GUARDS "guards: {removed: none, source_shrank: none, rejected: none}\n"
#define KEYED EKIT_HEAD EKIT_LIST EKIT_KEYED GUARDS
#define MIRROR KEYED "mode: mirror\nremoved: delete\n"
#define THREE "id,email,first\n1,ann@example.com,Ann\n2,bob@example.com,Bob\n3,cyd@example.com,Cyd\n"
#define CHANGED "id,email,first\n1,eve@example.com,Ann\n2,bob@example.com,Bob\n3,CYD@example.com,Cyd\n"

static void start(const char *mapping)
{
    ekit_mapping(&k, mapping);
    ekit_csv(&k, THREE);
    ekit_sync(&k);
    EKIT_COUNT(&k, CREATED, 3u);
    ekit_later(&k);
    ekit_csv(&k, CHANGED);
}

static void setup(void)
{
    ekit_init(&k);
}

static void teardown(void)
{
    ekit_free(&k);
}

/* Eve is there in Ann's place, and it stays so without a request. */
static void is_done(void)
{
    ck_assert(ekit_there(&k, "eve@example.com") && ekit_there(&k, "bob@example.com"));
    ck_assert(ekit_there(&k, "cyd@example.com"));
    ck_assert(!ekit_there(&k, "ann@example.com"));
    ck_assert_uint_eq(world_n(k.world), 3);
    ekit_later(&k);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, UNCHANGED, 3u);
    ck_assert_uint_eq(k.world->n[WORLD_ADD] + k.world->n[WORLD_DELETE] + k.world->n[WORLD_PATCH], 0);
}

START_TEST(another_address)
{
    start(_i == 0 ? MIRROR : MIRROR "state: {values: hashed}\n");
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, CREATED, 1u);
    EKIT_COUNT(&k, REMOVED, 1u);
    EKIT_COUNT(&k, UNCHANGED, 2u);
    is_done();
}
END_TEST

START_TEST(the_old_one_stays)
{
    static const char *const mappings[] = {KEYED, KEYED "mode: mirror\n", KEYED "mode: create\n"};
    start(mappings[_i]);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, REMOVED, 0u);
    ck_assert_uint_eq(ekit_outcome(&k, OUTCOME_CREATED), _i < 2 ? 1 : 0);
    ck_assert_uint_eq(ekit_reason(&k, REASON_MODE_CREATE), _i < 2 ? 0 : 1);
    ck_assert(ekit_there(&k, "ann@example.com"));
    ck_assert_uint_eq(world_n(k.world), _i < 2 ? 4 : 3);
    if (_i == 2)
        return;
    /* Once the mapping says so it goes, too. */
    ekit_mapping(&k, MIRROR);
    ekit_sync(&k);
    EKIT_COUNT(&k, REMOVED, 1u);
    is_done();
}
END_TEST

/* Without the new lead the old one is all there is. */
START_TEST(refused)
{
    start(MIRROR);
    ekit_csv(&k, "id,email,first\n1,blocked1@example.com,Ann\n2,bob@example.com,Bob\n3,cyd@example.com,Cyd\n");
    for (int night = 0; night < 2; night++) {
        ekit_sync(&k);
        EKIT_ENDS(&k, XS_DONE);
        EKIT_REASON(&k, BLOCKLISTED, 1u);
        EKIT_COUNT(&k, REMOVED, 0u);
        ck_assert(ekit_there(&k, "ann@example.com"));
        ck_assert_uint_eq(k.world->n[WORLD_ADD], night == 0 ? 1 : 0);
        ekit_later(&k);
    }
    ekit_csv(&k, "id,email,first\n1,ann@example.com,Anna\n2,bob@example.com,Bob\n3,cyd@example.com,Cyd\n");
    ekit_sync(&k);
    EKIT_COUNT(&k, CHANGED, 1u);
    ck_assert_str_eq(world_value(k.world, WORLD_LIST, "ann@example.com", "first_name"), "Anna");
}
END_TEST

START_TEST(unsubscribed_as_a_person)
{
    start(MIRROR);
    world_set(k.world, "ann@example.com", "status", -2);
    /* Known from a removal and a return. */
    ekit_csv(&k, "id,email,first\n2,bob@example.com,Bob\n3,cyd@example.com,Cyd\n");
    ekit_sync(&k);
    EKIT_COUNT(&k, REMOVED, 1u);
    ekit_csv(&k, CHANGED);
    ekit_sync(&k);
    EKIT_REASON(&k, UNSUBSCRIBED, 1u);
    ck_assert(!ekit_there(&k, "eve@example.com"));
}
END_TEST

/* Only Instantly knows it, by the old lead. */
START_TEST(unsubscribed_there)
{
    static const struct {
        int status;
        enum reason reason;
    } statuses[] = {{-2, REASON_UNSUBSCRIBED}, {-1, REASON_BOUNCED}, {-3, REASON_SKIPPED_THERE}};
    static const char *const mappings[] = {KEYED, MIRROR, MIRROR "state: {values: hashed}\n"};
    start(mappings[_i % 3]);
    world_set(k.world, "ann@example.com", "status", statuses[_i / 3].status);
    for (int night = 0; night < 2; night++) {
        ekit_sync(&k);
        EKIT_ENDS(&k, XS_DONE);
        ck_assert_uint_eq(ekit_reason(&k, statuses[_i / 3].reason), 1);
        EKIT_COUNT(&k, CREATED, 0u);
        EKIT_COUNT(&k, REMOVED, 0u);
        ck_assert(ekit_there(&k, "ann@example.com") && !ekit_there(&k, "eve@example.com"));
        ck_assert_uint_eq(k.world->n[WORLD_ADD], 0);
        ck_assert_uint_le(k.world->n[WORLD_READ], night == 0 ? 2 : 0);
        ekit_later(&k);
    }
    /* The person is known by both addresses. */
    ekit_csv(&k, "id,email,first\n1,eve@example.com,Ann\n2,bob@example.com,Bob\n3,cyd@example.com,Cyd\n"
                 "8,ann@example.com,Ann\n9,eve@example.com,Eve\n");
    ekit_sync(&k);
    ck_assert_uint_eq(ekit_reason(&k, statuses[_i / 3].reason), 3);
    EKIT_COUNT(&k, CREATED, 0u);
}
END_TEST

/* All leads were exported and imported again: the old id is gone, and the old address tells. */
START_TEST(unsubscribed_and_imported_again)
{
    static const char *const mappings[] = {KEYED, MIRROR, KEYED "state: {values: hashed}\n",
                                           MIRROR "state: {values: hashed}\n"};
    start(mappings[_i]);
    world_set(k.world, "ann@example.com", "status", -2);
    world_reimport(k.world, "ann@example.com");
    ekit_sync(&k);
    ck_assert_uint_eq(ekit_reason(&k, REASON_UNSUBSCRIBED), 1);
    EKIT_COUNT(&k, CREATED, 0u);
    ck_assert(!ekit_there(&k, "eve@example.com"));
    ekit_later(&k);
    ekit_sync(&k);
    EKIT_COUNT(&k, CREATED, 0u);
}
END_TEST

/* The old lead has another id since the import, and it is removed by that one. */
START_TEST(imported_again)
{
    start(_i == 0 ? MIRROR : MIRROR "state: {values: hashed}\n");
    world_reimport(k.world, "ann@example.com");
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, CREATED, 1u);
    EKIT_COUNT(&k, REMOVED, 1u);
    is_done();
}
END_TEST

/* Under a wrong key: the lead went over to its address, and the person unsubscribed. Under the right key the row brings another
 * address. */
START_TEST(unsubscribed_under_another_key)
{
    static const char hashed[] = "state: {values: hashed}\n";
    char right[1024], wrong[1024];
    snprintf(right, sizeof right, "%s%s", KEYED "mode: mirror\n", _i == 0 ? "" : hashed);
    snprintf(wrong, sizeof wrong, "%s%s", EKIT_HEAD EKIT_LIST EKIT_FIELDS GUARDS "mode: mirror\n", _i == 0 ? "" : hashed);
    start(right);
    ekit_mapping(&k, wrong);
    ekit_csv(&k, THREE);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    world_set(k.world, "ann@example.com", "status", -2);
    ekit_mapping(&k, right);
    ekit_csv(&k, CHANGED);
    for (int night = 0; night < 2; night++) {
        ekit_later(&k);
        ekit_sync(&k);
        EKIT_ENDS(&k, XS_DONE);
        EKIT_COUNT(&k, CREATED, 0u);
        EKIT_REASON(&k, UNSUBSCRIBED, 1u);
        ck_assert(!ekit_there(&k, "eve@example.com"));
    }
}
END_TEST

/* A look that fails leaves the row to the next run. */
START_TEST(not_looked_at)
{
    start(MIRROR);
    world_set(k.world, "ann@example.com", "status", -2);
    world_fault(k.world, WORLD_READ, 1, 99, FAULT_400);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_API);
    EKIT_COUNT(&k, DEFERRED, 1u);
    ck_assert_uint_eq(k.world->n[WORLD_ADD], 0);
    ekit_later(&k);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_REASON(&k, UNSUBSCRIBED, 1u);
    ck_assert_uint_eq(k.world->n[WORLD_ADD], 0);
}
END_TEST

/* A stop at any request, with answers that are lost: nothing is forgotten, nothing doubled. */
START_TEST(stopped_anywhere)
{
    start(MIRROR);
    k.world->stop_at = _i / 2 + 1;
    if (_i % 2 == 1) {
        world_fault(k.world, WORLD_ADD, 1, 1, FAULT_LOST_AFTER);
        world_fault(k.world, WORLD_DELETE, 1, 1, FAULT_LOST_AFTER);
    }
    ekit_sync(&k);
    stop_set(0);
    k.world->stop_at = 0;
    ck_assert(ekit_there(&k, "ann@example.com") || ekit_there(&k, "eve@example.com"));
    ekit_later(&k);
    if (_i % 3 == 0)
        ekit_resume(&k);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    is_done();
}
END_TEST

/* Within two seconds the address changes and changes back, and the answer to the last create is lost: the lead that is
 * there is the old one, young as it is. It is not removed in place of the new one, which is there in the end. */
START_TEST(back_within_two_seconds)
{
    static const char back[] = "id,email,first\n1,ann@example.com,Ann\n";
    ekit_mapping(&k, KEYED "dedupe: target-only\n");
    ekit_csv(&k, back);
    ekit_sync(&k);
    EKIT_COUNT(&k, CREATED, 1u);
    ekit_csv(&k, "id,email,first\n1,eve@example.com,Ann\n");
    ekit_sync(&k);
    ck_assert(ekit_there(&k, "ann@example.com") && ekit_there(&k, "eve@example.com"));
    ekit_csv(&k, back);
    ekit_mapping(&k, MIRROR "dedupe: target-only\n");
    world_count(k.world);
    world_fault(k.world, WORLD_ADD, 1, 1, FAULT_LOST_AFTER);
    /* When the run is stopped before it can look, the next one looks before it plans anything. */
    k.world->stop_at = _i;
    ekit_sync(&k);
    EKIT_COUNT(&k, CREATED, 0u);
    stop_set(0);
    world_count(k.world);
    for (int run = 0; run < 3; run++)
        ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, UNCHANGED, 1u);
    ck_assert(ekit_there(&k, "ann@example.com"));
    ck_assert_uint_eq(world_n(k.world), 1);
}
END_TEST

START_TEST(counted_by_the_guard)
{
    start(EKIT_HEAD EKIT_LIST EKIT_KEYED "mode: mirror\nremoved: delete\nguards: {removed: 30%, source_shrank: none}\n");
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_GUARD);
    ck_assert_uint_eq(k.world->n[WORLD_ADD] + k.world->n[WORLD_DELETE], 0);
    ck_assert_ptr_nonnull(strstr(err_text(&k.e), "1 of 3 known leads"));
}
END_TEST

/* Back to the old address, whose lead was kept: taken up again, not doubled, and not an old one any more. */
START_TEST(there_and_back)
{
    start(KEYED "dedupe: target-only\n");
    ekit_sync(&k);
    ck_assert_uint_eq(world_n(k.world), 4);
    ekit_csv(&k, THREE);
    ekit_later(&k);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, UNCHANGED, 3u);
    ck_assert_uint_eq(world_n(k.world), 4);
    ekit_mapping(&k, MIRROR "dedupe: target-only\n");
    ekit_later(&k);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, REMOVED, 1u);
    ck_assert(ekit_there(&k, "ann@example.com") && !ekit_there(&k, "eve@example.com"));
    ck_assert_uint_eq(world_n(k.world), 3);
}
END_TEST

/* ---- the mapping's key is another one ---- */

/* Every lead would be gone, and every row new: the rows take over the leads instead. */
START_TEST(another_key)
{
    static const char by_email[] = EKIT_HEAD EKIT_LIST "fields: {email: email, first_name: first}\n" GUARDS
                                                       "mode: mirror\nremoved: delete\n";
    start(_i % 2 == 0 ? by_email : MIRROR);
    ekit_csv(&k, THREE);
    ekit_mapping(&k, _i % 2 == 0 ? MIRROR : by_email);
    if (_i >= 2) {
        /* Not all in the first night. */
        k.world->stop_at = 1 + _i / 2;
        ekit_sync(&k);
        stop_set(0);
        k.world->stop_at = 0;
        ekit_later(&k);
    }
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, REMOVED, 0u);
    EKIT_COUNT(&k, CREATED, 0u);
    EKIT_COUNT(&k, SKIPPED, 0u);
    ck_assert_uint_eq(world_n(k.world), 3);
    for (int night = 0; night < 2; night++) {
        ekit_later(&k);
        ekit_sync(&k);
        EKIT_ENDS(&k, XS_DONE);
        EKIT_COUNT(&k, UNCHANGED, 3u);
        EKIT_COUNT(&k, REMOVED, 0u);
    }
    ekit_csv(&k, "id,email,first\n1,ann@example.com,Ann\n2,bob@example.com,Bob\n");
    ekit_sync(&k);
    EKIT_COUNT(&k, REMOVED, 1u);
    ck_assert(!ekit_there(&k, "cyd@example.com"));
    ck_assert_uint_eq(world_n(k.world), 2);
}
END_TEST

/* ---- one address, two keys ---- */

static const char *const shared[] = {
    THREE "4,ann@example.com,Twin\n",
    "id,email,first\n4,Ann@Example.com,Twin\n1,ann@example.com,Ann\n2,bob@example.com,Bob\n3,cyd@example.com,Cyd\n",
    "id,email,first\n1,ann@example.com,Ann\n2,ann@example.com,Bob\n3,cyd@example.com,Cyd\n",
    "id,email,first\n2,ann@example.com,Bob\n1,ann@example.com,Ann\n3,cyd@example.com,Cyd\n",
};

START_TEST(one_address_one_key)
{
    start(_i % 2 == 0 ? KEYED : KEYED "state: {values: hashed}\n");
    ekit_csv(&k, shared[_i / 2]);
    for (int night = 0; night < 2; night++) {
        ekit_sync(&k); /* the audit says whether two keys have one lead */
        EKIT_ENDS(&k, XS_DONE);
        EKIT_COUNT(&k, CHANGED, 0u);
        ck_assert_str_eq(world_value(k.world, WORLD_LIST, "ann@example.com", "first_name"), "Ann");
        ekit_later(&k);
    }
}
END_TEST

/* Another row takes over the lead that a row leaves behind, in the same night. */
START_TEST(handed_on)
{
    start(KEYED);
    ekit_csv(&k, "id,email,first\n1,eve@example.com,Ann\n2,ann@example.com,Bob\n3,cyd@example.com,Cyd\n");
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, CREATED, 1u);
    EKIT_COUNT(&k, CHANGED, 1u);
    ck_assert_str_eq(world_value(k.world, WORLD_LIST, "ann@example.com", "first_name"), "Bob");
    ekit_later(&k);
    ekit_sync(&k);
    EKIT_COUNT(&k, UNCHANGED, 3u);
}
END_TEST

/* An old lead that waits for its removal is not removed when another row asks for its address: that row takes it over. */
START_TEST(handed_on_in_a_mirror)
{
    start(MIRROR "dedupe: target-only\n");
    k.config.rejects_ok = true;
    ekit_csv(&k, "id,email,first\n1,eve@example.com,Ann\n2,bob@example.com,Bob\n3,cyd@example.com,Cyd\n,x@example.com,X\n");
    ekit_sync(&k);
    EKIT_COUNT(&k, REMOVED, 0u);
    ck_assert(ekit_there(&k, "ann@example.com"));
    ekit_csv(&k, CHANGED "4,ann@example.com,Dan\n");
    ekit_later(&k);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, CREATED, 0u);
    EKIT_COUNT(&k, CHANGED, 1u);
    EKIT_COUNT(&k, REMOVED, 0u);
    ck_assert_str_eq(world_value(k.world, WORLD_LIST, "ann@example.com", "first_name"), "Dan");
    ck_assert_uint_eq(world_n(k.world), 4);
    ekit_later(&k);
    ekit_sync(&k);
    EKIT_COUNT(&k, UNCHANGED, 4u);
    EKIT_COUNT(&k, REMOVED, 0u);
}
END_TEST

/* Ann opts out and is moved away. While a wrong key: is in the mapping she opts in again and gets a new lead. Under the
 * right key her row takes that lead, and the other one stays where it was moved to. */
START_TEST(moved_away_and_created_by_another_key)
{
    static const char *const modes[] = {"", "mode: mirror\nremoved: delete\n",
                                        "mode: mirror\nremoved: {move_to: {list: " WORLD_ELSEWHERE "}}\n"};
    static const char opts_out[] = "skip_when: [{column: first, in: [out], then: {move_to: {list: " WORLD_ELSEWHERE "}}}]\n"
                                   "dedupe: target-only\nlimits: {settle: 70ms}\n"
                                   "guards: {removed: none, moved: none, source_shrank: none}\n";
    static const char later[] = "id,email,first\n1,ann@example.com,Anna\n2,bob@example.com,Bob\n3,cyd@example.com,Cyd\n";
    char right[1024], wrong[1024];
    snprintf(right, sizeof right, "%s%s%s", EKIT_HEAD EKIT_LIST EKIT_FIELDS, opts_out, modes[_i / 2 % 3]);
    snprintf(wrong, sizeof wrong, "%s%s", EKIT_HEAD EKIT_LIST EKIT_KEYED, opts_out);
    start(right);
    ekit_csv(&k, "id,email,first\n1,ann@example.com,out\n2,bob@example.com,Bob\n3,cyd@example.com,Cyd\n");
    ekit_sync(&k);
    EKIT_COUNT(&k, REMOVED, 1u);
    ekit_mapping(&k, wrong);
    ekit_csv(&k, THREE);
    ekit_sync(&k);
    EKIT_COUNT(&k, CREATED, 1u);
    ekit_mapping(&k, right);
    ekit_csv(&k, _i % 2 == 0 ? THREE : later);
    k.world->stop_at = _i / 6;
    ekit_sync(&k);
    if (_i / 6 > 0) {
        stop_set(0);
        k.world->stop_at = 0;
        ekit_later(&k);
        ekit_sync(&k);
    }
    for (int night = 0; night < 2; night++) {
        EKIT_ENDS(&k, XS_DONE);
        EKIT_COUNT(&k, REMOVED, 0u);
        ck_assert(ekit_there(&k, "bob@example.com") && ekit_there(&k, "cyd@example.com"));
        ck_assert_str_eq(world_value(k.world, WORLD_LIST, "ann@example.com", "first_name"), _i % 2 == 0 ? "Ann" : "Anna");
        ck_assert_ptr_nonnull(world_find(k.world, WORLD_ELSEWHERE, "ann@example.com"));
        ck_assert_uint_eq(world_n(k.world), 4);
        ekit_later(&k);
        ekit_sync(&k);
    }
    EKIT_COUNT(&k, UNCHANGED, 3u);
    ck_assert_uint_eq(ekit_writes(&k), 0);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("rekey");
    TCase *c = tcase_create("rekey");
    tcase_set_timeout(c, 60);
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_loop_test(c, another_address, 0, 2);
    tcase_add_loop_test(c, the_old_one_stays, 0, 3);
    tcase_add_test(c, refused);
    tcase_add_test(c, unsubscribed_as_a_person);
    tcase_add_loop_test(c, unsubscribed_there, 0, 9);
    tcase_add_loop_test(c, unsubscribed_and_imported_again, 0, 4);
    tcase_add_loop_test(c, imported_again, 0, 2);
    tcase_add_loop_test(c, unsubscribed_under_another_key, 0, 2);
    tcase_add_test(c, not_looked_at);
    tcase_add_loop_test(c, stopped_anywhere, 0, 20);
    tcase_add_loop_test(c, back_within_two_seconds, 0, 6);
    tcase_add_test(c, counted_by_the_guard);
    tcase_add_test(c, there_and_back);
    tcase_add_loop_test(c, another_key, 0, 10);
    tcase_add_loop_test(c, one_address_one_key, 0, 2 * (int)(sizeof shared / sizeof shared[0]));
    tcase_add_test(c, handed_on);
    tcase_add_test(c, handed_on_in_a_mirror);
    tcase_add_loop_test(c, moved_away_and_created_by_another_key, 0, 6 * 14);
    suite_add_tcase(s, c);
    return s;
}

int main(void)
{
    return unit_run(suite());
}
