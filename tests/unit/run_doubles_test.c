/* Leads that are to be moved where another lead has their address already: kept and told once, or deleted. */
#include "config.h"

#include <stdio.h>

#include "tests/unit/engine_kit.h"

static struct ekit k;

static void setup(void)
{
    ekit_init(&k);
}

static void teardown(void)
{
    ekit_free(&k);
}

#define ARCHIVED "removed: {move_to: {list: " WORLD_ELSEWHERE "}%s}\n"
#define HEAD EKIT_HEAD EKIT_CAMPAIGN EKIT_KEYED "dedupe: target-only\nmode: mirror\nguards: {removed: none}\n"

static void mapping(const char *removed, const char *rest)
{
    char yaml[1024], gone[256];
    snprintf(gone, sizeof gone, ARCHIVED, removed);
    snprintf(yaml, sizeof yaml, "%s%s%s", HEAD, gone, rest);
    ekit_mapping(&k, yaml);
}

static void night(const char *email)
{
    char csv[200];
    snprintf(csv, sizeof csv, "id,email,first\n1,%s,Ann\n2,bob@example.com,Bob\n", email);
    ekit_csv(&k, csv);
    ekit_later(&k);
    ekit_sync(&k);
}

/* The address of row 1 comes, goes into the archive, comes again, and is to go there a second time. */
static void archive_twice(const char *removed, const char *rest)
{
    mapping(removed, rest);
    night("u@example.com");
    EKIT_COUNT(&k, CREATED, 2u);
    night("v@example.com");
    EKIT_ENDS(&k, XS_DONE);
    night("u@example.com");
    EKIT_ENDS(&k, XS_DONE);
    ck_assert_ptr_nonnull(world_find(k.world, WORLD_ELSEWHERE, "u@example.com"));
    ck_assert_ptr_nonnull(world_find(k.world, WORLD_CAMPAIGN, "u@example.com"));
    night("w@example.com");
}

static const char *const values[] = {"", "state: {values: hashed}\n"};

START_TEST(kept)
{
    archive_twice(_i < 2 ? "" : ", if_there: keep", values[_i % 2]);
    /* Told once … */
    EKIT_ENDS(&k, XS_LEFT_OVER);
    ck_assert_uint_eq(k.report.tally.removals_left, 1);
    ck_assert_ptr_nonnull(world_find(k.world, WORLD_CAMPAIGN, "u@example.com"));
    /* … and not asked for every night. */
    for (int i = 0; i < 2; i++) {
        night("w@example.com");
        EKIT_ENDS(&k, XS_DONE);
        EKIT_COUNT(&k, UNCHANGED, 2u);
        ck_assert_uint_eq(ekit_writes(&k), 0);
        ck_assert_uint_eq(k.world->n[WORLD_READ], 0);
    }
    k.config.full = true;
    night("w@example.com");
    EKIT_ENDS(&k, XS_LEFT_OVER);
    ck_assert_uint_eq(k.world->n[WORLD_MOVE], 1);
    k.config.full = false;
    /* Another place to go to is another question. */
    ekit_mapping(&k, HEAD "removed: {move_to: {list: " WORLD_LIST "}}\n");
    night("w@example.com");
    EKIT_ENDS(&k, XS_DONE);
    ck_assert_uint_eq(k.report.tally.outcomes[OUTCOME_REMOVED], 1);
    ck_assert_ptr_nonnull(world_find(k.world, WORLD_LIST, "u@example.com"));
}
END_TEST

/* Deleted, also when earlier nights have kept it; the one in the archive stays. */
START_TEST(deleted)
{
    bool later = _i >= 2;
    archive_twice(later ? "" : ", if_there: delete", values[_i % 2]);
    if (later) {
        EKIT_ENDS(&k, XS_LEFT_OVER);
        mapping(", if_there: delete", values[_i % 2]);
        night("w@example.com");
    }
    EKIT_ENDS(&k, XS_DONE);
    /* The third night's v went to the archive then; here it is u alone. */
    ck_assert_uint_eq(k.report.tally.outcomes[OUTCOME_REMOVED], 1);
    ck_assert_uint_eq(k.world->n[WORLD_DELETE], 1);
    ck_assert_uint_eq(k.world->n[WORLD_MOVE], 0);
    ck_assert_ptr_null(world_find(k.world, WORLD_CAMPAIGN, "u@example.com"));
    ck_assert_ptr_nonnull(world_find(k.world, WORLD_ELSEWHERE, "u@example.com"));
    ck_assert_ptr_nonnull(world_find(k.world, WORLD_ELSEWHERE, "v@example.com"));
    night("w@example.com");
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, UNCHANGED, 2u);
    ck_assert_uint_eq(ekit_writes(&k), 0);
}
END_TEST

/* Nobody of that address is there: moved as ever. */
START_TEST(moved_to_an_empty_target)
{
    mapping(", if_there: delete", "");
    night("u@example.com");
    night("v@example.com");
    EKIT_ENDS(&k, XS_DONE);
    ck_assert_uint_eq(k.world->n[WORLD_DELETE], 0);
    ck_assert_uint_eq(k.world->n[WORLD_MOVE], 1);
    ck_assert_ptr_nonnull(world_find(k.world, WORLD_ELSEWHERE, "u@example.com"));
}
END_TEST

/* It counts as a removal: the guard stops it before anything is looked for. */
START_TEST(guarded)
{
    archive_twice("", "");
    mapping(", if_there: delete", "");
    k.guard = "removed=0";
    night("w@example.com");
    EKIT_ENDS(&k, XS_GUARD);
    ck_assert_uint_eq(ekit_writes(&k), 0);
}
END_TEST

/* The row is back, and gone again: it is asked for once more. */
START_TEST(wanted_again)
{
    archive_twice("", "");
    night("u@example.com");
    EKIT_ENDS(&k, XS_DONE);
    world_delete(k.world, "u@example.com");
    ck_assert_ptr_null(world_find(k.world, WORLD_ELSEWHERE, "u@example.com"));
    night("x@example.com");
    EKIT_ENDS(&k, XS_DONE);
    ck_assert_ptr_nonnull(world_find(k.world, WORLD_ELSEWHERE, "u@example.com"));
}
END_TEST

/* A rule of skip_when has the same choice. */
START_TEST(of_a_rule)
{
    ekit_mapping(&k, EKIT_HEAD EKIT_CAMPAIGN EKIT_KEYED
                 "dedupe: target-only\nguards: {removed: none}\n"
                 "skip_when: [{column: first, in: [out], then: {move_to: {list: " WORLD_ELSEWHERE
                 "}, if_there: delete}}]\n");
    ekit_csv(&k, "id,email,first\n1,u@example.com,Ann\n2,bob@example.com,Bob\n");
    ekit_sync(&k);
    world_put(k.world, WORLD_ELSEWHERE, "U@example.com", "Old");
    ekit_csv(&k, "id,email,first\n1,u@example.com,Out\n2,bob@example.com,Out\n");
    ekit_later(&k);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    ck_assert_uint_eq(k.report.tally.outcomes[OUTCOME_REMOVED], 2);
    ck_assert_ptr_null(world_find(k.world, WORLD_CAMPAIGN, "u@example.com"));
    ck_assert_ptr_nonnull(world_find(k.world, WORLD_ELSEWHERE, "bob@example.com"));
    ck_assert_str_eq(world_value(k.world, WORLD_ELSEWHERE, "u@example.com", "first_name"), "Old");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("run_doubles");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, kept, 0, 4);
    tcase_add_loop_test(t, deleted, 0, 4);
    tcase_add_test(t, moved_to_an_empty_target);
    tcase_add_test(t, guarded);
    tcase_add_test(t, wanted_again);
    tcase_add_test(t, of_a_rule);
    suite_add_tcase(s, t);
    return unit_run(s);
}
