/* A status belongs to the person: it is known by the address, whatever key the person had. */
#include "config.h"

#include "tests/unit/state_kit.h"

#include "sync/state/state_int.h"

static struct kit k;

static void setup(void)
{
    kit_start(&k);
}

static void teardown(void)
{
    kit_free(&k);
}

static int status_in(struct state *s, const char *address)
{
    int status;
    kit_ok(&k, state_person_status(s, str_from(address), &status, &k.e));
    return status;
}

static int status_of(uint64_t n)
{
    return status_in(k.s, kit_text(&k, n).p);
}

/* Person n under a key that is not the address. */
static struct entry keyed(struct entry entry, uint64_t key)
{
    entry.key = kit_key(&k, 1000 + key);
    entry.key_text = kit_text(&k, 1000 + key);
    return entry;
}

static void found(struct entry entry, enum reason reason)
{
    entry.email = entry.values = STR_NONE;
    entry.row = 0;
    entry.fingerprint = 0;
    kit_one(&k, OP_REMOVE, kit_with(entry, OUTCOME_REMOVED, reason));
}

static void hash_values(void)
{
    kit_close(&k);
    k.hashed = true;
    kit_open(&k, STATE_WRITE);
    kit_run(&k);
}

START_TEST(known_by_the_address)
{
    if (_i == 1)
        hash_values();
    struct entry lead = keyed(kit_created(&k, 1, 11), 1);
    kit_one(&k, OP_CREATE, lead);
    ck_assert_int_eq(status_of(1), TARGET_STATUS_UNKNOWN);
    found(lead, REASON_UNSUBSCRIBED);
    ck_assert_int_eq(status_of(1), -2);
    ck_assert_int_eq(status_in(k.s, " PERSON1@Example.com"), -2);
    ck_assert_int_eq(status_of(2), TARGET_STATUS_UNKNOWN);
    ck_assert_int_eq(status_in(k.s, ""), TARGET_STATUS_UNKNOWN);
    kit_close(&k);
    kit_open(&k, STATE_READ);
    ck_assert_int_eq(status_of(1), -2);
    kit_audit(&k);
}
END_TEST

/* A row that is left out for what is known of its key has another address of that person. */
START_TEST(known_by_every_address_of_a_row)
{
    struct entry lead = keyed(kit_created(&k, 1, 11), 1), other = keyed(kit_entry(&k, 2, 12), 1);
    struct entry nameless = kit_with(kit_entry(&k, 5, 0), OUTCOME_UNCHANGED, REASON_BOUNCED);
    kit_one(&k, OP_CREATE, lead);
    other.values = STR_NONE;
    other = kit_with(other, OUTCOME_SKIPPED, REASON_SKIPPED_THERE);
    kit_ok(&k, state_entry_add(k.s, k.run, k.target, &other, &k.e));
    kit_merge(&k);
    ck_assert_int_eq(status_of(1), -3);
    ck_assert_int_eq(status_of(2), -3);
    /* A lead that this state never had, met by hand. */
    memset(&nameless.key, 0, sizeof nameless.key);
    nameless.key_text = nameless.values = STR_NONE;
    kit_ok(&k, state_entry_add(k.s, k.run, k.target, &nameless, &k.e));
    kit_merge(&k);
    ck_assert_int_eq(status_of(5), -1);
    kit_audit(&k);
}
END_TEST

START_TEST(the_lead_of_a_person_is_found_by_the_address)
{
    if (_i == 1)
        hash_values();
    struct entry lead = keyed(kit_created(&k, 1, 11), 1), skipped = keyed(kit_entry(&k, 1, 12), 1);
    struct hash128 key;
    kit_one(&k, OP_CREATE, lead);
    ck_assert_int_eq(kit_ok(&k, state_person_lead(k.s, STR("person1@example.com"), &key, &k.e)), 0);
    skipped = kit_with(skipped, OUTCOME_SKIPPED, REASON_UNSUBSCRIBED);
    kit_ok(&k, state_entry_add(k.s, k.run, k.target, &skipped, &k.e));
    kit_merge(&k);
    ck_assert_int_eq(kit_ok(&k, state_person_lead(k.s, STR("Person1@example.com"), &key, &k.e)), 1);
    ck_assert(hash128_eq(&key, &lead.key));
    ck_assert_int_eq(kit_ok(&k, state_person_lead(k.s, STR("person2@example.com"), &key, &k.e)), 0);
    found(lead, REASON_UNSUBSCRIBED);
    ck_assert_int_eq(kit_ok(&k, state_person_lead(k.s, STR("person1@example.com"), &key, &k.e)), 0);
}
END_TEST

START_TEST(unsubscribed_is_the_last_word)
{
    struct entry lead = kit_created(&k, 1, 11);
    kit_one(&k, OP_CREATE, lead);
    found(lead, REASON_BOUNCED);
    ck_assert_int_eq(status_of(1), -1);
    found(lead, REASON_UNSUBSCRIBED);
    ck_assert_int_eq(status_of(1), -2);
    found(lead, REASON_BOUNCED);
    ck_assert_int_eq(status_of(1), -2);
}
END_TEST

/* A run that died before its merge: a dry run knows what it found. */
START_TEST(a_reader_knows_what_is_not_merged)
{
    struct entry lead = kit_created(&k, 1, 11);
    const struct lookup_options options = {0};
    kit_one(&k, OP_CREATE, lead);
    lead.values = STR_NONE;
    for (int settled = 0; settled < 2; settled++) {
        struct batch b = {.run = k.run, .op = OP_REMOVE, .target = k.target, .entries = &lead, .entries_n = 1};
        kit_ok(&k, state_batch_add(k.s, &b, &k.e));
        lead = kit_with(lead, OUTCOME_REMOVED, REASON_UNSUBSCRIBED);
        if (settled == 1)
            kit_ok(&k, state_batch_settle(k.s, &b, &k.e));
        kit_ok(&k, state_commit(k.s, &k.e));
        struct state *reader = kit_reader(&k);
        kit_ok(&k, state_lookup_start(reader, &options, &k.e));
        ck_assert_int_eq(status_in(reader, "person1@example.com"), settled == 1 ? -2 : TARGET_STATUS_UNKNOWN);
        state_close(reader);
    }
}
END_TEST

START_TEST(forgotten_with_the_person)
{
    struct entry lead = kit_created(&k, 1, 11);
    const struct person_name person = {.address = kit_text(&k, 1)};
    struct forgotten counts;
    int64_t n;
    kit_one(&k, OP_CREATE, lead);
    found(lead, REASON_UNSUBSCRIBED);
    kit_ok(&k, state_forget(k.s, &person, &counts, &k.e));
    kit_ok(&k, db_int(&k.s->main, &n, 0, "SELECT count(*) FROM people", &k.e));
    ck_assert_int_eq(n, 0);
    kit_audit(&k);
}
END_TEST

/* ---- taken up from version 2 ---- */

static void make_old(void)
{
    kit_ok(&k, db_exec(&k.s->main,
                       "DROP TABLE people; DROP TABLE pulled; ALTER TABLE retries DROP COLUMN run; "
                       "ALTER TABLE runs DROP COLUMN mapping; ALTER TABLE runs DROP COLUMN begun; PRAGMA user_version = 2",
                       &k.e));
    kit_close(&k);
}

START_TEST(an_older_state_decides_by_its_leads)
{
    if (_i == 1)
        hash_values();
    static const enum reason reasons[] = {REASON_UNSUBSCRIBED, REASON_BOUNCED, REASON_SKIPPED_THERE, REASON_NONE};
    for (uint64_t n = 1; n <= 4; n++) {
        struct entry lead = n % 2 == 0 ? kit_created(&k, n, 11) : keyed(kit_created(&k, n, 11), n);
        lead.lead_id = kit_uuid(n);
        kit_one(&k, OP_CREATE, lead);
        found(lead, reasons[n - 1]);
    }
    make_old();
    kit_open(&k, STATE_WRITE);
    static const int statuses[] = {-2, -1, -3, TARGET_STATUS_UNKNOWN};
    for (uint64_t n = 1; n <= 4; n++)
        ck_assert_int_eq(status_of(n), statuses[n - 1]);
    kit_audit(&k);
}
END_TEST

/* All or nothing: a state that cannot be read to its end stays what it was. */
START_TEST(a_step_that_fails_leaves_the_older_state)
{
    struct state *s;
    struct db db;
    int64_t version, tables;
    struct entry lead = kit_created(&k, 1, 11);
    const struct state_options options = {.path = k.path,
                                          .access = STATE_WRITE,
                                          .memory_max = 64 << 20,
                                          .clock = &k.clock.base};
    kit_one(&k, OP_CREATE, lead);
    found(lead, REASON_BOUNCED);
    kit_ok(&k, db_exec(&k.s->main, "UPDATE lead_values SET packed = x'ffffffffffffffffffff'", &k.e));
    make_old();
    kit_failed(&k, state_open(&options, &s, &k.e), XS_STATE, "from version 2 to 3");
    kit_ok(&k, db_open(&db, k.path, true, &k.e));
    kit_ok(&k, db_int(&db, &version, 0, "PRAGMA user_version", &k.e));
    kit_ok(&k, db_int(&db, &tables, 0, "SELECT count(*) FROM sqlite_master WHERE name = 'people'", &k.e));
    ck_assert_int_eq(version, 2);
    ck_assert_int_eq(tables, 0);
    db_close(&db);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("state_people");
    TCase *c = tcase_create("all");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_set_timeout(c, 60);
    tcase_add_loop_test(c, known_by_the_address, 0, 2);
    tcase_add_test(c, known_by_every_address_of_a_row);
    tcase_add_loop_test(c, the_lead_of_a_person_is_found_by_the_address, 0, 2);
    tcase_add_test(c, unsubscribed_is_the_last_word);
    tcase_add_test(c, a_reader_knows_what_is_not_merged);
    tcase_add_test(c, forgotten_with_the_person);
    tcase_add_loop_test(c, an_older_state_decides_by_its_leads, 0, 2);
    tcase_add_test(c, a_step_that_fails_leaves_the_older_state);
    suite_add_tcase(s, c);
    return s;
}

int main(void)
{
    return unit_run(suite());
}
