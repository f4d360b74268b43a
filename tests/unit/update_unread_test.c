/* Whether a PATCH merges custom variables is learned from answers; then updates of variables need no read before them. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/engine_kit.h"

static struct ekit k;

#define SEATS EKIT_FIELDS "custom_variables: {seats: {from: seats, type: number}, plan: plan, city: city}\n"
#define HEADER "email,first,seats,plan,city\n"
enum { PEOPLE = 5 };

static void setup(void)
{
    ekit_init(&k);
    ekit_mapping(&k, EKIT_HEAD EKIT_LIST SEATS "guards: {changed: none}\n");
}

static void teardown(void)
{
    ekit_free(&k);
}

static const char *address(int i)
{
    static char text[64];
    snprintf(text, sizeof text, "p%d@example.com", i);
    return text;
}

/* The source of the next night, whose run has not begun: every row has n seats. */
static void dawn(int n)
{
    struct buf csv = BUF_INIT(1 << 16);
    ck_assert_int_eq(buf_adds(&csv, HEADER), 0);
    for (int i = 0; i < PEOPLE; i++)
        ck_assert_int_eq(buf_addf(&csv, "%s,Ann,%d,pro,Rome\n", address(i), n), 0);
    ekit_csv(&k, buf_cstr(&csv));
    buf_free(&csv);
    ekit_later(&k);
}

static void seats(int n)
{
    dawn(n);
    ekit_sync(&k);
}

static void value_is(int i, const char *name, const char *value)
{
    ck_assert_msg(strcmp(world_value(k.world, WORLD_LIST, address(i), name), value) == 0, "%s of lead %d: %s, not %s", name,
                  i, world_value(k.world, WORLD_LIST, address(i), name), value);
}

static void all_have(const char *n)
{
    for (int i = 0; i < PEOPLE; i++) {
        value_is(i, "seats", n);
        value_is(i, "plan", "pro");
        value_is(i, "city", "Rome");
    }
}

static void set_variable(int i, const char *name, const char *value)
{
    struct json_object *payload;
    json_object_object_get_ex(world_find(k.world, WORLD_LIST, address(i)), "payload", &payload);
    if (value != NULL)
        json_object_object_add(payload, name, json_object_new_string(value));
    else
        json_object_object_del(payload, name);
}

static void learned(const char *what)
{
    const char *setting = ekit_setting(&k, "patch_variables");
    ck_assert_msg(strncmp(setting, what, strlen(what)) == 0 && (what[0] != '\0' || setting[0] == '\0'), "\"%s\", not \"%s\"",
                  setting, what);
}

/* Creates everybody, and learns in a second run that PATCH merges. */
static void learn_merging(void)
{
    k.world->patch_merges = true;
    seats(1);
    EKIT_COUNT(&k, CREATED, (uint64_t)PEOPLE);
    learned("");
    seats(2);
    learned("merges 20");
    all_have("2");
}

#define REQUESTS(reads, patches) \
    ck_assert_msg(k.world->n[WORLD_READ] == (reads) && k.world->n[WORLD_PATCH] == (patches), "%u reads and %u PATCHes", \
                  k.world->n[WORLD_READ], k.world->n[WORLD_PATCH])

START_TEST(merging_is_learned_and_saves_the_read)
{
    k.world->patch_merges = true;
    seats(1);
    set_variable(0, "theirs", "kept");
    seats(2);
    EKIT_ENDS(&k, XS_DONE);
    REQUESTS(2, PEOPLE);
    learned("merges 20");
    seats(3);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, CHANGED, (uint64_t)PEOPLE);
    REQUESTS(1, PEOPLE); /* only the proof is read */
    all_have("3");
    value_is(0, "theirs", "kept");
}
END_TEST

START_TEST(replacing_is_learned_with_one_more_request)
{
    seats(1);
    set_variable(0, "theirs", "kept");
    seats(2);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, CHANGED, (uint64_t)PEOPLE);
    REQUESTS(2, PEOPLE + 1);
    learned("replaces 20");
    all_have("2");
    value_is(0, "theirs", "kept");
    seats(3);
    REQUESTS(2, PEOPLE);
    all_have("3");
    value_is(0, "theirs", "kept");
}
END_TEST

/* Between two runs, or in the middle of one, PATCH begins to replace. */
START_TEST(the_first_answer_that_contradicts_is_repaired)
{
    learn_merging();
    k.world->merges_until = (unsigned)_i;
    k.world->patch_merges = _i > 0;
    seats(3);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, CHANGED, (uint64_t)PEOPLE);
    all_have("3");
    learned("replaces 20");
    /* Leads whose PATCH was under way get a second one. The first PATCH of a run is alone. */
    ck_assert_uint_le(k.world->n[WORLD_PATCH], _i == 0 ? PEOPLE + 2 : 2 * PEOPLE);
    k.world->patch_merges = false;
    seats(4);
    REQUESTS(2, PEOPLE);
    all_have("4");
}
END_TEST

/* Nobody else's variables are at risk: the others are read before they are written. */
START_TEST(only_the_first_lead_can_lose_variables_of_others)
{
    learn_merging();
    for (int i = 0; i < PEOPLE; i++)
        set_variable(i, "theirs", "kept");
    k.world->patch_merges = false;
    seats(3);
    all_have("3");
    unsigned lost = 0;
    for (int i = 0; i < PEOPLE; i++)
        lost += world_value(k.world, WORLD_LIST, address(i), "theirs")[0] == '\0';
    ck_assert_uint_le(lost, 1);
}
END_TEST

START_TEST(a_variable_removed_by_hand_is_no_proof_of_replacing)
{
    learn_merging();
    set_variable(0, "plan", NULL);
    set_variable(0, "city", NULL);
    seats(3);
    EKIT_ENDS(&k, XS_DONE);
    all_have("3");
    learned("merges 20");
    seats(4);
    REQUESTS(1, PEOPLE);
}
END_TEST

static const enum world_fault silent[] = {FAULT_IGNORED, FAULT_GARBAGE_AFTER, FAULT_500_AFTER, FAULT_LOST_AFTER, FAULT_500};

START_TEST(an_answer_without_the_variables_teaches_nothing)
{
    k.world->patch_merges = true;
    seats(1);
    dawn(2);
    world_fault(k.world, WORLD_PATCH, 1, 99, silent[_i]);
    ekit_sync(&k);
    learned("");
    seats(3);
    all_have("3");
    learned("merges 20");
}
END_TEST

/* The answer to a PATCH without a read is lost, and the PATCH has removed the other variables, or done nothing. */
START_TEST(a_lost_answer_is_read_and_repaired)
{
    learn_merging();
    k.world->patch_merges = false;
    dawn(3);
    world_fault(k.world, WORLD_PATCH, 1, 1, silent[_i]);
    ekit_sync(&k);
    if (silent[_i] == FAULT_IGNORED) {
        EKIT_REASON(&k, NOT_STORED, 1u);
        ekit_sync(&k);
    }
    EKIT_ENDS(&k, XS_DONE);
    all_have("3");
    seats(4);
    all_have("4");
}
END_TEST

/* What the answer has to show must be known: rows without such a variable are read first, and so is `if-empty`. */
START_TEST(an_update_without_a_witness_reads_first)
{
    static const char *const variables[] = {
        "custom_variables: {seats: {from: seats, type: number}}\n",
        "custom_variables: {seats: {from: seats, type: number, overwrite: if-empty}, plan: plan, city: city}\n",
        "custom_variables: {seats: {from: seats, type: number}, plan: {from: plan, overwrite: never}}\n",
    };
    learn_merging();
    char mapping[1024];
    snprintf(mapping, sizeof mapping, "%s%s", EKIT_HEAD EKIT_LIST EKIT_FIELDS "guards: {changed: none}\n", variables[_i]);
    ekit_mapping(&k, mapping);
    seats(3);
    if (_i != 1) {
        seats(4);
        REQUESTS(2, PEOPLE);
        value_is(1, "seats", "4");
    } else {
        value_is(1, "seats", "2");
    }
    value_is(1, "plan", "pro");
}
END_TEST

/* Its answer names another person: the row fails, and the run reads first again. */
START_TEST(an_id_that_names_another_person)
{
    learn_merging();
    world_exchange(k.world, address(0), address(1));
    seats(3);
    EKIT_ENDS(&k, XS_DONE);
    all_have("3");
}
END_TEST

START_TEST(a_lead_that_is_gone_teaches_nothing)
{
    learn_merging();
    world_delete(k.world, address(0));
    seats(3);
    EKIT_REASON(&k, GONE_THERE, 1u);
    EKIT_COUNT(&k, CHANGED, (uint64_t)PEOPLE - 1);
    learned("merges 20");
    for (int i = 1; i < PEOPLE; i++)
        value_is(i, "seats", "3");
}
END_TEST

/* The row key is the witness of a mapping that has one. */
START_TEST(the_row_key_is_a_witness)
{
    ekit_mapping(&k, EKIT_HEAD EKIT_LIST EKIT_FIELDS
                 "custom_variables: {seats: {from: seats, type: number}}\nkey: [email]\nguards: {changed: none}\n");
    k.world->patch_merges = true;
    seats(1);
    seats(2);
    seats(3);
    EKIT_ENDS(&k, XS_DONE);
    REQUESTS(1, PEOPLE);
    value_is(1, "seats", "3");
    ck_assert_str_ne(world_value(k.world, WORLD_LIST, address(1), "leadsync_key"), "");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("update_unread");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, merging_is_learned_and_saves_the_read);
    tcase_add_test(t, replacing_is_learned_with_one_more_request);
    tcase_add_loop_test(t, the_first_answer_that_contradicts_is_repaired, 0, 4);
    tcase_add_test(t, only_the_first_lead_can_lose_variables_of_others);
    tcase_add_test(t, a_variable_removed_by_hand_is_no_proof_of_replacing);
    tcase_add_loop_test(t, an_answer_without_the_variables_teaches_nothing, 0, 5);
    tcase_add_loop_test(t, a_lost_answer_is_read_and_repaired, 0, 5);
    tcase_add_loop_test(t, an_update_without_a_witness_reads_first, 0, 3);
    tcase_add_test(t, an_id_that_names_another_person);
    tcase_add_test(t, a_lead_that_is_gone_teaches_nothing);
    tcase_add_test(t, the_row_key_is_a_witness);
    suite_add_tcase(s, t);
    return unit_run(s);
}
