/* What the state has on record of a run: also of one that could not start, and of one that another kept out. */
#include "config.h"

#include <json-c/json.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/engine_kit.h"

static struct ekit k;
static struct arena arena;
static const struct run_actor actor = {"ops", "crm-1", "1.2.3", "leadsync sync nightly.yaml"};
static const char *const overrides[] = {"removed=20%"};

static void setup(void)
{
    ekit_init(&k);
    arena_init(&arena, 1 << 20);
    k.config.actor = &actor;
    k.config.overrides = overrides;
    k.config.overrides_n = 1;
}

static void teardown(void)
{
    arena_free(&arena);
    ekit_free(&k);
}

static struct state *state_of(enum state_access access)
{
    struct state *s = NULL;
    struct err e = ERR_INIT;
    const struct state_options options = {.path = k.state_path,
                                          .access = access,
                                          .memory_max = 8 << 20,
                                          .clock = &k.clock.base};
    ck_assert_msg(state_open(&options, &s, &e) >= 0, "%s", err_text(&e));
    return s;
}

/* How many runs are on record; `latest` gets the newest. */
static size_t recorded(struct run_record *latest)
{
    struct err e = ERR_INIT;
    struct run_record *runs = NULL;
    size_t n = 0;
    struct state *s = state_of(STATE_READ);
    if (s == NULL)
        return 0;
    ck_assert_msg(state_runs(s, 100, &arena, &runs, &n, &e) == 0, "%s", err_text(&e));
    state_close(s);
    if (n > 0)
        *latest = runs[0];
    return n;
}

static void on_record(size_t n, enum exit_status status, const char *kind, const char *message)
{
    struct run_record run;
    EKIT_ENDS(&k, status);
    ck_assert_uint_eq(recorded(&run), n);
    ck_assert_uint_eq(run.id, k.report.run);
    ck_assert_int_eq(run.exit_code, status);
    ck_assert_str_eq(run.status, status == XS_DONE ? "complete" : "failed");
    ck_assert_int_gt(run.finished_ms, 0);
    struct json_object *report = json_tokener_parse(run.report), *begun = json_tokener_parse(run.begun);
    struct json_object *stop = json_object_object_get(report, "stopped_by");
    ck_assert_int_eq(stop == NULL, kind == NULL);
    if (stop != NULL) {
        ck_assert_str_eq(json_object_get_string(json_object_object_get(stop, "kind")), kind);
        ck_assert_ptr_nonnull(strstr(json_object_get_string(json_object_object_get(stop, "message")), message));
    }
    static const char *const members[] = {"actor", "mapping_sha256", "overrides"};
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        struct json_object *now = json_object_object_get(begun, members[i]);
        ck_assert_msg(now != NULL && json_object_equal(now, json_object_object_get(report, members[i])), "%s", members[i]);
    }
    json_object_put(report);
    json_object_put(begun);
}

/* The night in which the source or the API was away is a run, the first one included; the next one is not disturbed by it. */
START_TEST(who_could_not_start_is_on_record)
{
    unlink(k.csv_path);
    ekit_sync(&k);
    on_record(1, XS_NO_SOURCE, "source", "people.csv");
    ck_assert_str_eq(ekit_setting(&k, "target"), "");
    ekit_csv(&k, EKIT_THREE);
    ekit_sync(&k);
    on_record(2, XS_DONE, NULL, NULL);
    EKIT_COUNT(&k, CREATED, 3u);
    unlink(k.csv_path);
    ekit_sync(&k);
    on_record(3, XS_NO_SOURCE, "source", "people.csv");
    /* What reads the latest rows passes it over. */
    struct run_record run;
    recorded(&run);
    ck_assert_str_eq(run.read, "");
    ekit_csv(&k, EKIT_THREE);
    ekit_later(&k);
    world_fault(k.world, WORLD_OTHER, 1, 1000, FAULT_401);
    world_fault(k.world, WORLD_TARGET, 1, 1000, FAULT_401);
    ekit_sync(&k);
    on_record(4, XS_KEY, "key", "");
    ekit_later(&k);
    ekit_resume(&k);
    on_record(5, XS_DONE, NULL, NULL);
}
END_TEST

/* A mapping that is still being written is no night: there is nothing to look back at. */
START_TEST(a_first_slip_makes_no_state)
{
    struct run_record run;
    ekit_csv(&k, EKIT_THREE);
    ekit_mapping(&k, EKIT_HEAD EKIT_LIST "fields: {email: mail}\n");
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_CONFIG);
    ck_assert_uint_eq(k.report.run, 0);
    ck_assert_int_ne(access(k.state_path, F_OK), 0);
    ekit_mapping(&k, EKIT_HEAD EKIT_LIST EKIT_FIELDS);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    ekit_mapping(&k, EKIT_HEAD EKIT_LIST "fields: {email: mail}\n");
    ekit_sync(&k);
    on_record(2, XS_CONFIG, "mapping", "mail");
    ck_assert_uint_eq(recorded(&run), 2);
}
END_TEST

/* Whoever holds the lock writes the state, and nobody else does. */
START_TEST(who_was_kept_out_is_not)
{
    struct err e = ERR_INIT;
    struct run_record run;
    ekit_csv(&k, EKIT_THREE);
    ekit_sync(&k);
    struct state *holder = state_of(STATE_WRITE);
    ck_assert_msg(state_lock(holder, 0, &e) == 0, "%s", err_text(&e));
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_LOCKED);
    ck_assert_str_eq(run_report_stop_kind(&k.report), "lock");
    ck_assert_ptr_nonnull(strstr(k.report.stop_message, "another run"));
    ck_assert_uint_eq(recorded(&run), 1);
    unlink(k.csv_path);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_NO_SOURCE);
    ck_assert_uint_eq(recorded(&run), 1);
    ck_assert_uint_eq(k.report.run, 0);
    state_close(holder);
}
END_TEST

/* Leads by target add up to those of the run. */
START_TEST(counts_by_target)
{
    ekit_mapping(&k, "version: 1\nname: nightly\nsource: {csv: {path: people.csv}}\nmode: mirror\nremoved: delete\n"
                     "route: {column: seg, cases: {a: {list: " WORLD_LIST "}, b: {campaign: " WORLD_CAMPAIGN "}}}\n"
                     "fields: {email: email, first_name: first}\nguards: {moved: none, removed: none}\n");
    ekit_csv(&k, "email,first,seg\nann@example.com,Ann,a\nbob@example.com,Bob,a\ncyd@example.com,Cyd,b\n");
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    ck_assert_uint_eq(k.report.targets_n, 2);
    ck_assert_str_eq(k.report.targets[0].target, "list:" WORLD_LIST);
    ck_assert_uint_eq(k.report.targets[0].created, 2);
    ck_assert_uint_eq(k.report.targets[1].created, 1);
    ekit_later(&k);
    ekit_csv(&k, "email,first,seg\nann@example.com,Anna,a\nbob@example.com,Bob,b\ndan@example.com,Dan,b\n");
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    const struct run_target_counts *list = &k.report.targets[0], *campaign = &k.report.targets[1];
    ck_assert_uint_eq(list->changed, 1);
    ck_assert_uint_eq(list->moved + list->created + list->removed, 0);
    ck_assert_uint_eq(campaign->created, 1);
    ck_assert_uint_eq(campaign->changed, 1);
    ck_assert_uint_eq(campaign->moved, 1);
    ck_assert_uint_eq(campaign->removed, 1);
}
END_TEST

/* A trial: the first rows, and nothing that only a whole read may do. The next full run goes on. */
START_TEST(a_trial_of_the_first_rows)
{
    struct run_record run;
    static const char mirror[] = EKIT_HEAD EKIT_LIST EKIT_FIELDS "mode: mirror\nremoved: delete\nguards: {removed: none}\n"
                                                                 "skip_when: [{column: first, in: [out]}]\n";
    static const char five[] = "email,first\nann@example.com,Ann\nbob@example.com,Bob\nnobody,N\n"
                               "cyd@example.com,Cyd\nann@example.com,out\n";
    ekit_mapping(&k, mirror);
    ekit_csv(&k, five);
    k.config.limit_rows = 2;
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    ck_assert_uint_eq(k.report.tally.read, 2);
    EKIT_COUNT(&k, CREATED, 1u); /* Ann opts out in the last row */
    EKIT_COUNT(&k, SKIPPED, 1u);
    ck_assert_str_eq(k.report.read, "partial");
    ck_assert_uint_eq(recorded(&run), 1);
    ck_assert_str_eq(run.read, "partial");
    ck_assert_str_eq(ekit_setting(&k, "digest"), "");
    ck_assert_str_eq(ekit_setting(&k, "last_full_rows"), "");
    /* Whoever stands further down is not gone. */
    k.config.limit_rows = 0;
    ekit_csv(&k, "email,first\nbob@example.com,Bob\ncyd@example.com,Cyd\n");
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, UNCHANGED, 1u);
    EKIT_COUNT(&k, CREATED, 1u);
    ekit_csv(&k, "email,first\nbob@example.com,Bobby\n");
    k.config.limit_rows = 1;
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, CHANGED, 1u);
    EKIT_COUNT(&k, REMOVED, 0u);
    ck_assert_str_eq(ekit_setting(&k, "last_full_rows"), "2");
    /* More than there are is all of them, and a trial all the same. A reject counts as one of the rows. */
    k.config.limit_rows = 3;
    ekit_csv(&k, five);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_LEFT_OVER);
    ck_assert_uint_eq(k.report.tally.read, 3);
    EKIT_COUNT(&k, REJECTED, 1u);
    ck_assert(ekit_there(&k, "cyd@example.com"));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("run_record");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, who_could_not_start_is_on_record);
    tcase_add_test(t, a_first_slip_makes_no_state);
    tcase_add_test(t, who_was_kept_out_is_not);
    tcase_add_test(t, counts_by_target);
    tcase_add_test(t, a_trial_of_the_first_rows);
    suite_add_tcase(s, t);
    return unit_run(s);
}
