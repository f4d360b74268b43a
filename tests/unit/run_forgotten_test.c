/* A run leaves out who is on the workspace's list of forgotten people, also with a state that never knew the person. */
#include "config.h"

#include "sync/state/forget_list.h"
#include "tests/unit/engine_kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct ekit k;

static const struct forget_scope here = {"api.example", WORLD_WORKSPACE}, elsewhere = {"api.example", WORLD_ELSEWHERE},
                                 anywhere = {"api.example", NULL}, abroad = {"loopback", WORLD_WORKSPACE};

/* The list beside the state; the folder of all states is another one. */
static void setup(void)
{
    char home[600];
    ekit_init(&k);
    snprintf(home, sizeof home, "%s/home", k.dir);
    ck_assert_int_eq(setenv("XDG_STATE_HOME", home, 1), 0);
    ekit_csv(&k, EKIT_THREE);
}

static void teardown(void)
{
    ekit_free(&k);
}

static void forget_in(const char *folder, const struct forget_scope *scope, const char *address)
{
    const struct forget_act act = {1, NULL};
    struct err e = ERR_INIT;
    bool added;
    ck_assert_msg(forget_list_add(folder, scope, str_from(address), &act, &added, &e) == 0 && added, "%s", err_text(&e));
}

static void ann_is_left_out(void)
{
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, SKIPPED, 1u);
    EKIT_REASON(&k, DELETED_THERE, 1u);
    ck_assert(!ekit_there(&k, "ann@example.com"));
    ck_assert(ekit_there(&k, "bob@example.com"));
}

static bool state_has(const char *text)
{
    char command[1024];
    snprintf(command, sizeof command, "grep -q -i -a '%s' '%s'*", text, k.state_path);
    return system(command) == 0;
}

START_TEST(a_new_state_obeys_the_list)
{
    static const struct forget_scope *const scopes[] = {&here, &anywhere};
    if (_i % 2 == 1)
        ekit_mapping(&k, EKIT_HEAD EKIT_LIST EKIT_KEYED);
    ekit_csv(&k, "email,first,id\nAnn@example.com,Ann,1\nbob@example.com,Bob,2\n");
    forget_in(k.dir, scopes[_i / 2], "ann@example.com");
    for (int run = 0; run < 2; run++) {
        k.config.recreate = k.config.full = run == 1;
        ekit_sync(&k);
        ann_is_left_out();
        ck_assert(!state_has("ann@") && state_has("bob@"));
    }
}
END_TEST

START_TEST(the_folder_of_all_states_has_a_list_too)
{
    char folder[700];
    snprintf(folder, sizeof folder, "%s/home/leadsync", k.dir);
    forget_in(folder, &here, "ann@example.com");
    ekit_sync(&k);
    ann_is_left_out();
    ck_assert(!state_has("ann@"));
}
END_TEST

START_TEST(other_workspaces_and_hosts_have_other_lists)
{
    forget_in(k.dir, &elsewhere, "ann@example.com");
    forget_in(k.dir, &abroad, "bob@example.com");
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, CREATED, 3u);
}
END_TEST

/* A row that cannot be read may name the person in any cell: it is counted with its reason, and not kept as it was read. */
START_TEST(a_row_that_cannot_be_read_is_not_kept)
{
    static const char *const rows[] = {
        "ann@example.com; bob@example.com,Xaver", "\"Ann <ANN@example.com>\",Xaver",
        "dan@,Xaver: ann@example.com.",           "dan@example.com,Xaver,mailto:ann@example.com",
        "ann@example.com/dan@example.com,Xaver",  "\"Xaver\nann@example.com\",",
    };
    static const char *const others[] = {"joann@example.com; dan@example.com,Xaver", "ann@example.com.example@,Xaver"};
    bool is_other = _i >= (int)(sizeof rows / sizeof rows[0]);
    char csv[400];
    snprintf(csv, sizeof csv, "email,first\n%s\ncyd@example.com,Cyd\n",
             is_other ? others[(size_t)_i - sizeof rows / sizeof rows[0]] : rows[_i]);
    ekit_mapping(&k, EKIT_HEAD EKIT_LIST EKIT_FIELDS "guards: {rejected: none}\n");
    ekit_csv(&k, csv);
    forget_in(k.dir, &here, "ann@example.com");
    for (int run = 0; run < 2; run++) {
        k.config.new_rejects_only = run == 1;
        ekit_sync(&k);
        EKIT_ENDS(&k, run == 0 ? XS_LEFT_OVER : XS_DONE);
        EKIT_COUNT(&k, REJECTED, 1u);
        EKIT_REASON(&k, DELETED_THERE, 0u);
        ck_assert(state_has("xaver") == is_other);
        ck_assert(is_other || !state_has("ann@"));
    }
    ck_assert_uint_eq(k.report.tally.known_rejects, 1);
}
END_TEST

/* A key that may not read its workspace: better too careful. */
START_TEST(without_a_workspace_every_list_of_the_host_counts)
{
    forget_in(k.dir, &elsewhere, "ann@example.com");
    k.world->workspace = NULL;
    ekit_sync(&k);
    ann_is_left_out();
}
END_TEST

START_TEST(a_known_lead_is_not_written_again)
{
    ekit_sync(&k);
    EKIT_COUNT(&k, CREATED, 3u);
    forget_in(k.dir, &here, "ann@example.com");
    k.clock.mono += 2000000;
    unsigned before = ekit_writes(&k);
    ekit_csv(&k, "email,first\nann@example.com,Anna\nbob@example.com,Bob\ncyd@example.com,Cyd\n");
    ekit_sync(&k);
    EKIT_REASON(&k, DELETED_THERE, 1u);
    EKIT_COUNT(&k, UNCHANGED, 2u);
    ck_assert_uint_eq(ekit_writes(&k), before);
    ck_assert(!state_has("anna"));
}
END_TEST

/* Failed before, forgotten, and not in the source any more: the retry table does not bring the person back. */
START_TEST(a_row_that_waits_is_not_tried_again)
{
    world_fault(k.world, WORLD_ADD, 1, 1, FAULT_FULL);
    ekit_sync(&k);
    ck_assert_uint_eq(ekit_outcome(&k, OUTCOME_DEFERRED), 3);
    forget_in(k.dir, &here, "ann@example.com");
    world_count(k.world);
    ekit_csv(&k, "email,first\nbob@example.com,Bob\ncyd@example.com,Cyd\n");
    ekit_sync(&k);
    EKIT_REASON(&k, DELETED_THERE, 1u);
    EKIT_COUNT(&k, CREATED, 2u);
    ck_assert(!ekit_there(&k, "ann@example.com"));
}
END_TEST

static int yes_after_forgetting(void *ctx, const char *text)
{
    (void)ctx;
    (void)text;
    forget_in(k.dir, &here, "ann@example.com");
    clock_fake_advance_us(&k.clock, 2000000);
    return 1;
}

/* Forgotten when the row was planned already, and not sent yet. */
START_TEST(a_running_sync_obeys_the_list)
{
    k.config.consent = yes_after_forgetting;
    ekit_sync(&k);
    ann_is_left_out();
    EKIT_COUNT(&k, CREATED, 2u);
    ck_assert(!state_has("ann@"));
}
END_TEST

START_TEST(a_damaged_list_stops_the_run)
{
    char path[700];
    snprintf(path, sizeof path, "%s/forgotten.list", k.dir);
    ekit_write(path, "leadsync forgotten people, format 1\n");
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_STATE);
    ck_assert_ptr_nonnull(strstr(err_text(&k.e), "forgotten.list"));
    ck_assert_uint_eq(ekit_writes(&k), 0);
    ck_assert_int_eq(unlink(path), 0);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, CREATED, 3u);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("run_forgotten");
    TCase *c = tcase_create("all");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_set_timeout(c, 60);
    tcase_add_loop_test(c, a_new_state_obeys_the_list, 0, 4);
    tcase_add_loop_test(c, a_row_that_cannot_be_read_is_not_kept, 0, 8);
    tcase_add_test(c, the_folder_of_all_states_has_a_list_too);
    tcase_add_test(c, other_workspaces_and_hosts_have_other_lists);
    tcase_add_test(c, without_a_workspace_every_list_of_the_host_counts);
    tcase_add_test(c, a_known_lead_is_not_written_again);
    tcase_add_test(c, a_row_that_waits_is_not_tried_again);
    tcase_add_test(c, a_running_sync_obeys_the_list);
    tcase_add_test(c, a_damaged_list_stops_the_run);
    suite_add_tcase(s, c);
    return s;
}

int main(void)
{
    return unit_run(suite());
}
