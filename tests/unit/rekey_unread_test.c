/* Rows that meet the lead of another key in an incremental read, which does not tell whether that key still has a row: they wait, and
 * the next read is full. */
#include "config.h"

#include <strings.h>

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

/* Leads of an address in the target. */
static unsigned leads_of(const char *email)
{
    unsigned n = 0;
    for (size_t i = 0; i < json_object_array_length(k.world->leads); i++) {
        struct json_object *lead = json_object_array_get_idx(k.world->leads, i);
        const char *has = json_object_get_string(json_object_object_get(lead, "email"));
        n += has != NULL && strcasecmp(has, email) == 0;
    }
    return n;
}

/* clang-format off */
#define CRM(more) "version: 1\nname: nightly\nsource: {sqlite: {path: crm.db, query: \"select id, email, first, at from p " \
                  "where at > :watermark order by at\", watermark: at, full_every: 7d}}\n" EKIT_LIST EKIT_KEYED "dedupe: target-only\n" more
/* clang-format on */

static void crm_night(const char *change, bool fault, enum exit_status status, const char *read)
{
    ekit_crm(&k, change);
    world_fault(k.world, WORLD_PATCH, 1, 1000, fault ? FAULT_500 : FAULT_NONE);
    ekit_sync(&k);
    EKIT_ENDS(&k, status);
    ck_assert_str_eq(k.report.read, read);
    ekit_later(&k);
}

static void crm_start(const char *yaml)
{
    ekit_mapping(&k, yaml);
    crm_night("create table p (id text, email text, first text, at integer not null); insert into p values "
              "('1', 'ann@example.com', 'Ann', 10), ('2', 'bob@example.com', 'Bob', 20)",
              false, XS_DONE, "full");
}

/* The takeover is done: one lead with the new values, and a night more has nothing to do. */
static void ann_is_anna(void)
{
    ck_assert_uint_eq(k.report.waiting_rows, 0);
    ck_assert_uint_eq(leads_of("ann@example.com"), 1);
    ck_assert_str_eq(world_value(k.world, WORLD_LIST, "ann@example.com", "first_name"), "Anna");
    crm_night("", false, XS_DONE, "incremental");
}

/* Only a full read knows that nobody else wants the lead. Where the takeover fails in one, the row waits for the next, which is at
 * once. */
START_TEST(a_takeover_that_fails)
{
    crm_start(CRM(""));
    k.config.full = true;
    crm_night("update p set id = '9', first = 'Anna', at = 30 where id = '1'", true, XS_LEFT_OVER, "full");
    k.config.full = false;
    crm_night("", false, XS_LEFT_OVER, "incremental");
    ck_assert_uint_eq(k.report.waiting_rows, 1);
    crm_night("", false, XS_DONE, "full");
    ann_is_anna();
}
END_TEST

/* The lead's row waits, was not read again, and may be gone: the record that has its address waits for a full read. */
START_TEST(an_owner_that_waits)
{
    crm_start(CRM(""));
    crm_night("update p set first = 'Anna', at = 30 where id = '1'", true, XS_API, "incremental");
    crm_night("update p set id = '9', first = 'Annie', at = 40 where id = '1'", false, XS_LEFT_OVER, "incremental");
    crm_night("", false, XS_DONE, "full");
    ck_assert_uint_eq(k.report.waiting_rows, 0);
    ck_assert_str_eq(world_value(k.world, WORLD_LIST, "ann@example.com", "first_name"), "Annie");
    crm_night("", false, XS_DONE, "incremental");
}
END_TEST

/* The lead of a row that is gone was left to a row that did not get it, and that row has another address by the next night. */
START_TEST(a_lead_that_was_left_to_a_row)
{
    crm_start(CRM("mode: mirror\nremoved: delete\nguards: {removed: none, source_shrank: none}\n"));
    k.config.full = true;
    crm_night("update p set id = '9', first = 'Anna', at = 30 where id = '1'", true, XS_LEFT_OVER, "full");
    k.config.full = false;
    crm_night("update p set email = 'eve@example.com', at = 40 where id = '9'", false, XS_DONE, "full");
    ck_assert(!ekit_there(&k, "ann@example.com"));
    ck_assert(ekit_there(&k, "eve@example.com"));
    crm_night("", false, XS_DONE, "incremental");
}
END_TEST

/* A record has another key, and its lead is that of a key that was not read. */
START_TEST(another_key)
{
    crm_start(CRM(""));
    crm_night("update p set id = '9', first = 'Anna', at = 30 where id = '1'", false, XS_LEFT_OVER, "incremental");
    ck_assert_uint_eq(k.report.waiting_rows, 1);
    crm_night("", false, XS_DONE, "full");
    ann_is_anna();
}
END_TEST

/* A full read found the lead free, and the takeover failed. The row that waits is read once more, and the other key is not. */
START_TEST(a_waiting_row_that_comes_again)
{
    crm_start(CRM(""));
    k.config.full = true;
    crm_night("update p set id = '9', first = 'Anna', at = 30 where id = '1'", true, XS_LEFT_OVER, "full");
    k.config.full = false;
    crm_night("update p set first = 'Annie', at = 40 where id = '9'", false, XS_LEFT_OVER, "incremental");
    ck_assert_uint_eq(k.report.waiting_rows, 1);
    crm_night("", false, XS_DONE, "full");
    ck_assert_uint_eq(k.report.waiting_rows, 0);
    ck_assert_uint_eq(leads_of("ann@example.com"), 1);
    ck_assert_str_eq(world_value(k.world, WORLD_LIST, "ann@example.com", "first_name"), "Annie");
}
END_TEST

/* Two records of one person: a full read has found that one of them has the lead, so that a change of the other needs no more of
 * them. Its next address does. */
START_TEST(a_second_record)
{
    crm_start(CRM(""));
    crm_night("insert into p values ('9', 'ann@example.com', 'Twin', 30)", false, XS_LEFT_OVER, "incremental");
    crm_night("", false, XS_DONE, "full");
    EKIT_REASON(&k, DUPLICATE_IN_SOURCE, 1u);
    crm_night("update p set first = 'Twins', at = 40 where id = '9'", false, XS_DONE, "incremental");
    EKIT_REASON(&k, DUPLICATE_IN_SOURCE, 1u);
    crm_night("update p set email = 'bob@example.com', at = 50 where id = '9'", false, XS_LEFT_OVER, "incremental");
    crm_night("", false, XS_DONE, "full");
    EKIT_REASON(&k, DUPLICATE_IN_SOURCE, 1u);
    crm_night("update p set email = 'ann@example.com', at = 60 where id = '9'", false, XS_LEFT_OVER, "incremental");
    crm_night("delete from p where id = '1'", false, XS_DONE, "full");
    ck_assert_str_eq(world_value(k.world, WORLD_LIST, "ann@example.com", "first_name"), "Twins");
    crm_night("update p set email = 'bob@example.com', at = 70 where id = '9'", false, XS_LEFT_OVER, "incremental");
}
END_TEST

/* A row writes to the lead that it meets and cannot take it over, since the run is stopped; then it is gone, and the lead's own row
 * finds its values again. */
START_TEST(a_takeover_that_is_stopped)
{
    crm_start(CRM(""));
    k.config.full = true;
    ekit_crm(&k, "update p set id = '9', first = 'Anna', at = 30 where id = '1'");
    world_fault(k.world, WORLD_PATCH, 1, 1, FAULT_LOST_AFTER);
    world_fault(k.world, WORLD_READ, 3, 1000, FAULT_500);
    ekit_sync(&k);
    ck_assert_int_ne(k.report.exit_code, XS_DONE);
    ck_assert_str_eq(world_value(k.world, WORLD_LIST, "ann@example.com", "first_name"), "Anna");
    ekit_later(&k);
    ekit_crm(&k, "update p set id = '1', first = 'Ann', at = 10 where id = '9'");
    for (int night = 0; night < 4; night++) {
        ekit_sync(&k);
        ekit_later(&k);
    }
    EKIT_ENDS(&k, XS_DONE);
    ck_assert_str_eq(world_value(k.world, WORLD_LIST, "ann@example.com", "first_name"), "Ann");
    ck_assert_uint_eq(leads_of("ann@example.com"), 1);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("rekey_unread");
    TCase *c = tcase_create("rekey_unread");
    tcase_set_timeout(c, 60);
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_test(c, a_takeover_that_fails);
    tcase_add_test(c, an_owner_that_waits);
    tcase_add_test(c, a_lead_that_was_left_to_a_row);
    tcase_add_test(c, another_key);
    tcase_add_test(c, a_waiting_row_that_comes_again);
    tcase_add_test(c, a_second_record);
    tcase_add_test(c, a_takeover_that_is_stopped);
    suite_add_tcase(s, c);
    return s;
}

int main(void)
{
    return unit_run(suite());
}
