/* Whole runs over several nights: the retry table, refusals, and what is remembered. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "sync/base/log.h"
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

/* A failed update is tried again by the next run without its row. */
START_TEST(retried_updates)
{
    ekit_csv(&k, "email,first\nann@example.com,Ann\nbob@example.com,Bob\n");
    ekit_sync(&k);
    ekit_csv(&k, "email,first\nann@example.com,Anna\nbob@example.com,Bob\n");
    world_count(k.world);
    world_fault(k.world, WORLD_PATCH, 1, 1000, FAULT_500);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_API);
    world_count(k.world);
    ekit_csv(&k, "email,first\nbob@example.com,Bob\n");
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, CHANGED, 1u);
    ck_assert_uint_eq(k.world->n[WORLD_ADD], 0);
    ck_assert_str_eq(world_value(k.world, WORLD_LIST, "ann@example.com", "first_name"), "Anna");
}
END_TEST

/* A night in which Instantly reads but does not write: as an outage it ends with 69, and the rows wait as ever. */
START_TEST(no_write_is_answered)
{
    const bool one_is = _i == 1;
    ekit_csv(&k, "email,first\nann@example.com,Ann\nbob@example.com,Bob\n");
    ekit_sync(&k);
    ekit_csv(&k, "email,first\nann@example.com,Anna\nbob@example.com,Bobby\n");
    world_count(k.world);
    world_fault(k.world, WORLD_PATCH, one_is ? 2 : 1, 1000, FAULT_500);
    ekit_sync(&k);
    EKIT_ENDS(&k, one_is ? XS_LEFT_OVER : XS_API);
    EKIT_REASON(&k, API_ERROR, one_is ? 1u : 2u);
    ck_assert_str_eq(k.report.status, one_is ? "partial" : "failed");
    if (!one_is)
        ck_assert_ptr_nonnull(
            strstr(k.report.stop_message, "had a usable answer (the last PATCH was answered with 500 oops)"));
    world_count(k.world);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, CHANGED, one_is ? 1u : 2u);
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
    ck_assert_uint_eq(ekit_writes(&k), 0);
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
    ck_assert_uint_eq(ekit_writes(&k), 0);
    EKIT_REASON(&k, BLOCKLISTED, 1u);
}
END_TEST

/* ---- the forgotten ---- */

static void forget(const char *email)
{
    const struct state_options options = {.path = k.state_path,
                                          .access = STATE_WRITE,
                                          .memory_max = 8 << 20,
                                          .clock = &k.clock.base};
    struct state *s = NULL;
    struct err e = ERR_INIT;
    struct buf text = BUF_INIT(256);
    struct forgotten counts;
    ck_assert_msg(state_open(&options, &s, &e) == 0 && state_lock(s, 0, &e) == 0, "%s", err_text(&e));
    ck_assert_int_eq(mapping_email_key(str_from(email), &text), 0);
    const struct person_name person = {.address = buf_str(&text)};
    ck_assert_msg(state_forget(s, &person, &counts, &e) == 0, "%s", err_text(&e));
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
START_TEST(no_row_brings_the_forgotten_back)
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
    unsigned before = ekit_writes(&k);
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
        ck_assert_uint_eq(ekit_writes(&k), before);
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
    ck_assert_uint_eq(ekit_writes(&k), 0);
    k.world->workspace = WORLD_WORKSPACE;
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
}
END_TEST

/* Learnt while the clock was 70 years ahead, a refusal counts as learnt when a right clock first meets it. */
START_TEST(refusals_of_a_clock_that_was_ahead)
{
    const int64_t day_ms = (int64_t)24 * 3600 * 1000;
    ekit_csv(&k, "email,first\nblocked1@example.com,B\nann@example.com,Ann\n");
    k.clock.wall += 70 * 365 * day_ms;
    ekit_sync(&k);
    EKIT_REASON(&k, BLOCKLISTED, 1u);
    k.clock.wall -= 70 * 365 * day_ms;
    for (int night = 0; night < 2; night++) {
        world_count(k.world);
        k.clock.wall += night * 31 * day_ms;
        ekit_sync(&k);
        EKIT_REASON(&k, BLOCKLISTED, 1u);
        ck_assert_uint_eq(k.world->n[WORLD_ADD], (unsigned)night);
    }
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
    ck_assert_uint_eq(ekit_writes(&k), 0);
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

/* ---- all leads deleted ---- */

/* Does a run with -q say so? */
static bool warns_of_deleted(void)
{
    char text[2000] = "";
    FILE *log = tmpfile();
    ck_assert_ptr_nonnull(log);
    log_configure(&(struct log_config){.level = LOG_WARNING, .out = log});
    ekit_sync(&k);
    log_configure(&(struct log_config){.level = LOG_NOTICE});
    rewind(log);
    size_t n = fread(text, 1, sizeof text - 1, log);
    text[n] = '\0';
    fclose(log);
    return strstr(text, "no longer has any lead that this sync knows") != NULL && strstr(text, "--recreate") != NULL;
}

START_TEST(all_leads_deleted)
{
    ekit_csv(&k, "email,first\nann@example.com,Ann\nbob@example.com,Bob\n");
    ekit_sync(&k);
    json_object_array_del_idx(k.world->leads, 0, 1);
    ekit_csv(&k, "email,first\nann@example.com,Anna\nbob@example.com,Bobby\n");
    ck_assert(!warns_of_deleted());
    EKIT_REASON(&k, GONE_THERE, 1u);
    ck_assert(!warns_of_deleted()); /* one is there */
    EKIT_REASON(&k, DELETED_THERE, 1u);
    json_object_array_del_idx(k.world->leads, 0, 1);
    ekit_csv(&k, "email,first\nann@example.com,Anne\nbob@example.com,Rob\n");
    ck_assert(!warns_of_deleted());
    EKIT_REASON(&k, GONE_THERE, 1u);
    ck_assert(warns_of_deleted());
    EKIT_ENDS(&k, XS_DONE);
    EKIT_REASON(&k, DELETED_THERE, 2u);
    ekit_csv(&k, "email,first\n");
    ck_assert(!warns_of_deleted()); /* it says nothing of rows that were not read */
}
END_TEST

int main(void)
{
    Suite *s = suite_create("run");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, retries_without_their_row);
    tcase_add_test(t, retries_replaced_by_their_row);
    tcase_add_test(t, retried_updates);
    tcase_add_loop_test(t, no_write_is_answered, 0, 2);
    tcase_add_loop_test(t, refusals_are_remembered_until, 0, 6);
    tcase_add_test(t, refusals_of_a_clock_that_was_ahead);
    tcase_add_loop_test(t, no_row_brings_the_forgotten_back, 0, 2);
    tcase_add_test(t, another_workspace);
    tcase_add_test(t, another_host);
    tcase_add_test(t, a_variable_more_and_less);
    tcase_add_test(t, hashed_values);
    tcase_add_test(t, all_leads_deleted);
    suite_add_tcase(s, t);
    return unit_run(s);
}
