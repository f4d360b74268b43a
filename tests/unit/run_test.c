/* Whole runs over several nights: guards, duplicates, the retry table, watermarks, and what is remembered. */
#include "config.h"

#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sync/base/stop.h"
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

static unsigned writes(void)
{
    return k.world->n[WORLD_ADD] + k.world->n[WORLD_PATCH];
}

/* ---- guards ---- */

static void rows_with_rejects(int good, int bad)
{
    FILE *f = fopen(k.csv_path, "w");
    ck_assert_ptr_nonnull(f);
    fputs("email,first\n", f);
    for (int i = 0; i < bad; i++)
        fprintf(f, "nobody%d,F\n", i);
    for (int i = 0; i < good; i++)
        fprintf(f, "p%d@example.com,F\n", i);
    fclose(f);
}

START_TEST(guard_rejected)
{
    /* 19 are too few to judge, a share is a share: 20 of 400 is no more than 5%. */
    rows_with_rejects(0, 19);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_LEFT_OVER);
    EKIT_COUNT(&k, REJECTED, 19u);
    rows_with_rejects(380, 20);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_LEFT_OVER);
    EKIT_COUNT(&k, CREATED, 380u);
}
END_TEST

START_TEST(guard_rejected_stops)
{
    rows_with_rejects(100, 21);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_GUARD);
    EKIT_COUNT(&k, REJECTED, 21u);
    EKIT_COUNT(&k, DEFERRED, 100u);
    ck_assert_uint_eq(writes(), 0);
    ck_assert_uint_eq(k.report.waiting_rows, 0); /* a guard is not got round by the retry table */
    k.guard = "rejected=none";
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_LEFT_OVER);
    EKIT_COUNT(&k, CREATED, 100u);
}
END_TEST

START_TEST(guard_empty_source)
{
    /* Nothing is suspicious while nothing is known. */
    ekit_csv(&k, "email,first\n");
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    ekit_people(&k, "p", 5);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    ekit_csv(&k, "email,first\n");
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_GUARD);
    k.guard = "empty_source=none";
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_GUARD); /* it has shrunk, too */
    ekit_mapping(&k, EKIT_HEAD EKIT_LIST EKIT_FIELDS "guards: {source_shrank: none}\n");
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
}
END_TEST

START_TEST(guard_source_shrank)
{
    ekit_people(&k, "p", 100);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    world_count(k.world);
    ekit_people(&k, "q", 49);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_GUARD);
    EKIT_COUNT(&k, DEFERRED, 49u);
    ck_assert_uint_eq(writes(), 0);
    ck_assert_str_eq(ekit_setting(&k, "last_full_rows"), "100");
    /* Half of it is allowed, and becomes what the next run compares with. */
    ekit_people(&k, "q", 50);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, CREATED, 50u);
    ck_assert_str_eq(ekit_setting(&k, "last_full_rows"), "50");
}
END_TEST

START_TEST(guards_are_not_for_partial_input)
{
    ekit_people(&k, "p", 100);
    ekit_sync(&k);
    ekit_people(&k, "q", 1);
    k.config.partial_input = true;
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, CREATED, 1u);
    ck_assert_str_eq(k.report.read, "partial");
    ck_assert_str_eq(ekit_setting(&k, "last_full_rows"), "100");
}
END_TEST

/* An edited target concerns every lead: said first, and done when that is allowed. */
START_TEST(guard_target)
{
    ekit_people(&k, "p", 3);
    ekit_sync(&k);
    ekit_mapping(&k, EKIT_HEAD EKIT_CAMPAIGN EKIT_FIELDS);
    world_count(k.world);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_GUARD);
    ck_assert_uint_eq(writes(), 0);
}
END_TEST

/* More rows belong elsewhere than the guard allows: nothing is written, and the sum closes all the same. */
START_TEST(guard_moved)
{
    static const char *const rest[] = {"", "duplicates: last\n"};
    char yaml[1024];
    snprintf(yaml, sizeof yaml, "%sroute: {column: seg, cases: {a: {list: %s}, b: {campaign: %s}}}\n%s%s", EKIT_HEAD,
             WORLD_LIST, WORLD_CAMPAIGN, EKIT_FIELDS, rest[_i]);
    ekit_mapping(&k, yaml);
    ekit_csv(&k, "email,first,seg\nann@example.com,Ann,a\nbob@example.com,Bob,a\n");
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    ekit_csv(&k, "email,first,seg\ncyd@example.com,Cyd,a\nann@example.com,Ann,b\nbob@example.com,Bob,a\n");
    world_count(k.world);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_GUARD);
    EKIT_COUNT(&k, DEFERRED, 2u);
    EKIT_COUNT(&k, UNCHANGED, 1u);
    ck_assert_uint_eq(writes(), 0);
}
END_TEST

/* ---- duplicates ---- */

#define TWICE "email,first\nann@example.com,First\nbob@example.com,Bob\nAnn@Example.com,Last\n"

START_TEST(duplicates_first)
{
    ekit_csv(&k, TWICE);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, CREATED, 2u);
    EKIT_REASON(&k, DUPLICATE_IN_SOURCE, 1u);
    ck_assert_str_eq(world_value(k.world, WORLD_LIST, "ann@example.com", "first_name"), "First");
}
END_TEST

START_TEST(duplicates_last)
{
    ekit_mapping(&k, EKIT_HEAD EKIT_LIST EKIT_FIELDS "duplicates: last\n");
    ekit_csv(&k, TWICE);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, CREATED, 2u);
    EKIT_COUNT(&k, SKIPPED, 1u);
    ck_assert_str_eq(world_value(k.world, WORLD_LIST, "ann@example.com", "first_name"), "Last");
    world_count(k.world);
    ekit_sync(&k);
    EKIT_COUNT(&k, UNCHANGED, 2u);
    ck_assert_uint_eq(writes(), 0);
}
END_TEST

START_TEST(duplicates_reject)
{
    ekit_mapping(&k, EKIT_HEAD EKIT_LIST EKIT_FIELDS "duplicates: reject\n");
    ekit_csv(&k, TWICE);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_LEFT_OVER);
    EKIT_COUNT(&k, CREATED, 1u);
    EKIT_COUNT(&k, REJECTED, 2u);
    EKIT_REASON(&k, DUPLICATE_IN_SOURCE, 2u);
}
END_TEST

/* Rejected rows do not compete: the one that can be used is used. */
START_TEST(only_clean_rows_compete)
{
    ekit_mapping(&k, EKIT_HEAD EKIT_LIST "fields: {email: email, first_name: {from: first, required: true}}\n"
                                         "duplicates: last\n");
    ekit_csv(&k, "email,first\nann@example.com,First\nann@example.com,\n");
    ekit_sync(&k);
    EKIT_COUNT(&k, CREATED, 1u);
    EKIT_COUNT(&k, REJECTED, 1u);
}
END_TEST

/* Two rows with keys of their own and one address: the second is said to be one. */
START_TEST(one_address_under_two_keys)
{
    ekit_mapping(&k, EKIT_HEAD EKIT_LIST EKIT_KEYED);
    ekit_csv(&k, "email,first,id\nann@example.com,Ann,1\nann@example.com,Anna,2\n");
    ekit_sync(&k);
    EKIT_COUNT(&k, CREATED, 1u);
    EKIT_REASON(&k, DUPLICATE_IN_SOURCE, 1u);
    ck_assert_uint_eq(k.world->leads_asked, 1);
}
END_TEST

/* ---- the retry table ---- */

static void fail_once(void)
{
    ekit_csv(&k, "email,first\nann@example.com,Ann\n");
    world_fault(k.world, WORLD_ADD, 1, 1000, FAULT_500);
    ekit_sync(&k);
    EKIT_REASON(&k, API_ERROR, 1u);
    ck_assert_uint_eq(k.report.waiting_rows, 1);
    world_count(k.world);
}

START_TEST(retries_without_their_row)
{
    fail_once();
    ekit_csv(&k, "email,first\nbob@example.com,Bob\n");
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, CREATED, 2u);
    ck_assert_uint_eq(k.report.tally.read, 2);
    ck_assert_uint_eq(k.report.tally.retried, 1);
    ck_assert_uint_eq(k.report.waiting_rows, 0);
}
END_TEST

START_TEST(retries_replaced_by_their_row)
{
    fail_once();
    ekit_csv(&k, "email,first\nann@example.com,Anna\n");
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, CREATED, 1u);
    ck_assert_uint_eq(k.report.tally.read, 1);
    ck_assert_str_eq(world_value(k.world, WORLD_LIST, "ann@example.com", "first_name"), "Anna");
    ck_assert_uint_eq(k.report.waiting_rows, 0);
}
END_TEST

/* A row that was read, then spoilt: the good one of the night before still is retried, or dropped, never both. */
START_TEST(attempts_are_exhausted)
{
    fail_once();
    ekit_csv(&k, "email,first\n");
    ekit_mapping(&k, EKIT_HEAD EKIT_LIST EKIT_FIELDS "guards: {source_shrank: none, empty_source: none}\n");
    for (int run = 2; run <= 5; run++) {
        world_fault(k.world, WORLD_ADD, 1, 1000, FAULT_500);
        ekit_sync(&k);
        EKIT_REASON(&k, API_ERROR, 1u);
        world_count(k.world);
    }
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_LEFT_OVER);
    EKIT_REASON(&k, ATTEMPTS_EXHAUSTED, 1u);
    ck_assert_uint_eq(writes(), 0);
    ck_assert_uint_eq(k.report.waiting_rows, 0);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    ck_assert_uint_eq(k.report.tally.read, 0);
}
END_TEST

/* A failed update is tried again by the next run without its row. */
START_TEST(retried_updates)
{
    ekit_csv(&k, "email,first\nann@example.com,Ann\nbob@example.com,Bob\n");
    ekit_sync(&k);
    ekit_csv(&k, "email,first\nann@example.com,Anna\nbob@example.com,Bob\n");
    world_count(k.world);
    world_fault(k.world, WORLD_PATCH, 1, 1000, FAULT_500);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_LEFT_OVER);
    world_count(k.world);
    ekit_csv(&k, "email,first\nbob@example.com,Bob\n");
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, CHANGED, 1u);
    ck_assert_uint_eq(k.world->n[WORLD_ADD], 0);
    ck_assert_str_eq(world_value(k.world, WORLD_LIST, "ann@example.com", "first_name"), "Anna");
}
END_TEST

/* ---- refusals ---- */

START_TEST(refusals_are_remembered_until)
{
    ekit_csv(&k, "email,first\nblocked1@example.com,B\nann@example.com,Ann\n");
    ekit_sync(&k);
    EKIT_REASON(&k, BLOCKLISTED, 1u);
    world_count(k.world);
    ekit_sync(&k);
    ck_assert_uint_eq(writes(), 0);
    switch (_i) {
    case 0: k.config.full = true; break;
    case 1: ekit_csv(&k, "email,first\nblocked1@example.com,Bert\nann@example.com,Ann\n"); break;
    case 2: k.clock.wall += (int64_t)31 * 24 * 3600 * 1000; break;
    case 3: ekit_mapping(&k, EKIT_HEAD EKIT_LIST EKIT_FIELDS "dedupe: target-only\n"); break;
    case 4: ekit_mapping(&k, EKIT_HEAD EKIT_LIST EKIT_FIELDS "custom_variables: {origin: {value: x}}\n"); break;
    default: ekit_mapping(&k, EKIT_HEAD EKIT_LIST EKIT_FIELDS "blocklist: " WORLD_ELSEWHERE "\n"); break;
    }
    ekit_sync(&k);
    ck_assert_uint_eq(k.world->n[WORLD_ADD], 1);
    ck_assert_uint_eq(k.world->leads_asked, 1);
    EKIT_REASON(&k, BLOCKLISTED, 1u);
    world_count(k.world);
    k.config.full = false;
    ekit_sync(&k);
    ck_assert_uint_eq(writes(), 0);
    EKIT_REASON(&k, BLOCKLISTED, 1u);
}
END_TEST

/* ---- the exit status of rejects ---- */

START_TEST(rejects_and_exit_status)
{
    rows_with_rejects(3, 1);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_LEFT_OVER);
    k.config.rejects_ok = true;
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    k.config.rejects_ok = false;
    k.config.new_rejects_only = true;
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    rows_with_rejects(3, 2);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_LEFT_OVER);
    /* A run that reads no source has no rejects to compare with. */
    ekit_resume(&k);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
}
END_TEST

/* ---- the forgotten ---- */

static void forget(const char *email)
{
    const struct state_options options = {
        .path = k.state_path, .access = STATE_WRITE, .memory_max = 8 << 20, .clock = &k.clock.base};
    struct state *s = NULL;
    struct err e = ERR_INIT;
    struct buf text = BUF_INIT(256);
    struct forgotten counts;
    ck_assert_msg(state_open(&options, &s, &e) == 0 && state_lock(s, 0, &e) == 0, "%s", err_text(&e));
    ck_assert_int_eq(mapping_email_key(str_from(email), &text), 0);
    struct hash128 key = hash_keyed128(state_secret(s), text.p, text.n);
    ck_assert_msg(state_forget(s, str_from(email), &key, &counts, &e) == 0, "%s", err_text(&e));
    state_close(s);
    buf_free(&text);
}

static bool is_anywhere(const char *text)
{
    char command[1024];
    snprintf(command, sizeof command, "grep -q -i -a '%s' '%s'*", text, k.state_path);
    return system(command) == 0;
}

/* Whatever the key of the sync is, and whatever else is wrong with the row: nobody brings her back, and she is not
 * written down again. */
START_TEST(nobody_brings_the_forgotten_back)
{
    bool keyed = _i == 1;
    ekit_mapping(&k, keyed ? EKIT_HEAD EKIT_LIST "fields: {email: email, first_name: {from: first, required: true}}\n"
                                                 "key: [id]\n"
                           : EKIT_HEAD EKIT_LIST "fields: {email: email, first_name: {from: first, required: true}}\n");
    ekit_csv(&k, "email,first,id\nann@example.com,Ann,1\nbob@example.com,Bob,2\n");
    ekit_sync(&k);
    EKIT_COUNT(&k, CREATED, 2u);
    forget("ANN@example.com");
    ck_assert(!is_anywhere("ann@"));
    unsigned before = writes();
    /* The old key, a new one, a row that is rejected, a duplicate. */
    ekit_csv(&k, "email,first,id\nann@example.com,Anna,1\nAnn@example.com,Anna,3\nann@example.com,,1\n"
                 "ann@example.com,Anna,3\nbob@example.com,Bob,2\n");
    for (int run = 0; run < 2; run++) {
        k.config.recreate = run == 1;
        ekit_sync(&k);
        EKIT_ENDS(&k, XS_DONE);
        EKIT_COUNT(&k, UNCHANGED, 1u);
        EKIT_COUNT(&k, SKIPPED, 4u);
        EKIT_REASON(&k, DELETED_THERE, 4u);
        ck_assert_uint_eq(writes(), before);
        ck_assert_msg(!is_anywhere("ann@") && !is_anywhere("anna"), "run %d", run);
    }
}
END_TEST

/* ---- whose state ---- */

START_TEST(another_workspace)
{
    ekit_people(&k, "p", 3);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    world_count(k.world);
    k.world->workspace = WORLD_ELSEWHERE;
    ekit_people(&k, "q", 3);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_CONFIG);
    ck_assert_uint_eq(writes(), 0);
    k.world->workspace = WORLD_WORKSPACE;
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
}
END_TEST

START_TEST(another_host)
{
    ekit_people(&k, "p", 3);
    ekit_sync(&k);
    k.api.base_url = "https://elsewhere.example";
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_CONFIG);
}
END_TEST

/* ---- a mapping that changes ---- */

START_TEST(a_variable_more_and_less)
{
    ekit_csv(&k, "email,first,seats\nann@example.com,Ann,3\nbob@example.com,Bob,4\n");
    ekit_sync(&k);
    ekit_mapping(&k, EKIT_HEAD EKIT_LIST EKIT_FIELDS "custom_variables: {seats: seats}\n");
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, CHANGED, 2u);
    ck_assert_str_eq(world_value(k.world, WORLD_LIST, "bob@example.com", "seats"), "4");
    ekit_mapping(&k, EKIT_HEAD EKIT_LIST EKIT_FIELDS);
    world_count(k.world);
    ekit_sync(&k);
    EKIT_COUNT(&k, UNCHANGED, 2u);
    ck_assert_uint_eq(writes(), 0);
    ck_assert_str_eq(world_value(k.world, WORLD_LIST, "bob@example.com", "seats"), "4");
}
END_TEST

/* `overwrite: if-empty` keeps what somebody else wrote, `never` fills nothing in later. */
START_TEST(hashed_values)
{
    ekit_mapping(&k, EKIT_HEAD EKIT_LIST EKIT_FIELDS "state: {values: hashed}\n");
    ekit_csv(&k, "email,first\nann@example.com,Ann\nbob@example.com,Bob\n");
    ekit_sync(&k);
    EKIT_COUNT(&k, CREATED, 2u);
    world_count(k.world);
    ekit_csv(&k, "email,first\nAnn@Example.com,Ann\nbob@example.com,Robert\n");
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, CHANGED, 1u);
    EKIT_COUNT(&k, UNCHANGED, 1u);
    ck_assert_uint_eq(k.world->n[WORLD_PATCH], 1);
}
END_TEST

/* ---- watermarks ---- */

static char crm[512];

static void sql(const char *text)
{
    sqlite3 *db;
    char *why = NULL;
    ck_assert_int_eq(sqlite3_open(crm, &db), SQLITE_OK);
    ck_assert_msg(sqlite3_exec(db, text, NULL, NULL, &why) == SQLITE_OK, "%s", why);
    sqlite3_close(db);
}

#define SQL_HEAD "version: 1\nname: nightly\nsource: {sqlite: {path: crm.db, query: \"select email, first, at from p where " \
                 "at > :watermark order by at\"}}\n"

static void start_crm(void)
{
    snprintf(crm, sizeof crm, "%s/crm.db", k.dir);
    sql("create table p (email text, first text, at integer); insert into p values ('ann@example.com', 'Ann', 10),"
        " ('bob@example.com', 'Bob', 20)");
    ekit_mapping(&k, SQL_HEAD EKIT_LIST EKIT_FIELDS);
    k.watermark = "at";
}

START_TEST(watermark_advances)
{
    start_crm();
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    ck_assert_str_eq(k.report.read, "full");
    EKIT_COUNT(&k, CREATED, 2u);
    ck_assert_str_eq(ekit_setting(&k, "watermark"), "20");
    sql("insert into p values ('cyd@example.com', 'Cyd', 30)");
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    ck_assert_str_eq(k.report.read, "incremental");
    ck_assert_uint_eq(k.report.tally.read, 1);
    ck_assert_str_eq(ekit_setting(&k, "watermark"), "30");
    /* Nothing new is nothing wrong, and moves nothing. */
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    ck_assert_uint_eq(k.report.tally.read, 0);
    ck_assert_str_eq(ekit_setting(&k, "watermark"), "30");
    ck_assert_str_eq(ekit_setting(&k, "last_full_rows"), "2");
}
END_TEST

/* A change of what rows become, --full, and time since the last full read: everything is read again. */
START_TEST(watermark_is_left)
{
    start_crm();
    ekit_sync(&k);
    switch (_i) {
    case 0: k.config.full = true; break;
    case 1: ekit_mapping(&k, SQL_HEAD EKIT_LIST "fields: {email: email, first_name: {from: first, apply: [upper]}}\n"); break;
    case 2:
        k.full_every_ms = (int64_t)7 * 24 * 3600 * 1000;
        k.clock.wall += (int64_t)8 * 24 * 3600 * 1000;
        break;
    default: ekit_mapping(&k, SQL_HEAD EKIT_LIST EKIT_FIELDS "custom_variables: {origin: {value: x}}\n"); break;
    }
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    ck_assert_str_eq(k.report.read, "full");
    ck_assert_uint_eq(k.report.tally.read, 2);
}
END_TEST

/* Limits and guards decide nothing about rows. */
START_TEST(watermark_is_kept)
{
    start_crm();
    ekit_sync(&k);
    ekit_mapping(&k, SQL_HEAD EKIT_LIST EKIT_FIELDS "limits: {batch: 7}\nguards: {rejected: 50%}\n");
    ekit_sync(&k);
    ck_assert_str_eq(k.report.read, "incremental");
}
END_TEST

/* It passes rows only when they are settled or remembered. */
START_TEST(watermark_needs_proof)
{
    start_crm();
    switch (_i) {
    case 0: world_fault(k.world, WORLD_ADD, 1, 1000, FAULT_401); break;
    case 1: world_fault(k.world, WORLD_ADD, 1, 1, FAULT_LOST_AFTER); world_fault(k.world, WORLD_READ, 1, 1000, FAULT_500); break;
    case 2: k.world->stop_at = 1; break;
    case 3: world_fault(k.world, WORLD_ADD, 1, 1000, FAULT_NOT_SENT); break;
    default: stop_set(SIGINT); break;
    }
    ekit_sync(&k);
    ck_assert_int_ne(k.report.exit_code, XS_DONE);
    ck_assert_str_eq(ekit_setting(&k, "watermark"), "");
    stop_set(0);
    world_count(k.world);
    k.clock.wall += 60000;
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    ck_assert_uint_eq(world_n(k.world), 2);
    ck_assert_str_eq(ekit_setting(&k, "watermark"), "20");
}
END_TEST

/* A bad row is passed: it waits in the retry table, or is remembered as refused. */
START_TEST(watermark_passes_a_bad_row)
{
    start_crm();
    world_fault(k.world, WORLD_ADD, 1, 1000, FAULT_500);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_LEFT_OVER);
    EKIT_REASON(&k, API_ERROR, 2u);
    ck_assert_str_eq(ekit_setting(&k, "watermark"), "20");
    world_count(k.world);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    ck_assert_uint_eq(k.report.tally.retried, 2);
    EKIT_COUNT(&k, CREATED, 2u);
}
END_TEST

/* Between the settled batch and its night: an incremental run settles what an interrupted one left. */
START_TEST(open_batch_over_an_incremental_run)
{
    start_crm();
    ekit_sync(&k);
    sql("insert into p values ('cyd@example.com', 'Cyd', 30)");
    world_count(k.world);
    world_fault(k.world, WORLD_ADD, 1, 1, _i == 0 ? FAULT_LOST_AFTER : FAULT_LOST);
    world_fault(k.world, WORLD_READ, 1, 1000, FAULT_500);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_API);
    ck_assert_str_eq(ekit_setting(&k, "watermark"), "20");
    sql("update p set at = 5 where email = 'cyd@example.com'"); /* it does not come again */
    world_count(k.world);
    k.clock.wall += 60000;
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    ck_assert_uint_eq(world_n(k.world), 3);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("run");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, guard_rejected);
    tcase_add_test(t, guard_rejected_stops);
    tcase_add_test(t, guard_empty_source);
    tcase_add_test(t, guard_source_shrank);
    tcase_add_test(t, guards_are_not_for_partial_input);
    tcase_add_test(t, guard_target);
    tcase_add_loop_test(t, guard_moved, 0, 2);
    tcase_add_test(t, duplicates_first);
    tcase_add_test(t, duplicates_last);
    tcase_add_test(t, duplicates_reject);
    tcase_add_test(t, only_clean_rows_compete);
    tcase_add_test(t, one_address_under_two_keys);
    tcase_add_test(t, retries_without_their_row);
    tcase_add_test(t, retries_replaced_by_their_row);
    tcase_add_test(t, attempts_are_exhausted);
    tcase_add_test(t, retried_updates);
    tcase_add_loop_test(t, refusals_are_remembered_until, 0, 6);
    tcase_add_test(t, rejects_and_exit_status);
    tcase_add_loop_test(t, nobody_brings_the_forgotten_back, 0, 2);
    tcase_add_test(t, another_workspace);
    tcase_add_test(t, another_host);
    tcase_add_test(t, a_variable_more_and_less);
    tcase_add_test(t, hashed_values);
    tcase_add_test(t, watermark_advances);
    tcase_add_loop_test(t, watermark_is_left, 0, 4);
    tcase_add_test(t, watermark_is_kept);
    tcase_add_loop_test(t, watermark_needs_proof, 0, 5);
    tcase_add_test(t, watermark_passes_a_bad_row);
    tcase_add_loop_test(t, open_batch_over_an_incremental_run, 0, 2);
    suite_add_tcase(s, t);
    return unit_run(s);
}
