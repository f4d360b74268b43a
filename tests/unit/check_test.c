/* `check` against a scripted API: what it finds, what it ends with, and that it never writes. */
#include "config.h"

#include "sync/preflight/check.h"
#include "sync/state/state.h"
#include "tests/harness/fake_transport.h"
#include "tests/unit/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ID "5c194eae-9382-4bf1-aff4-d9eaa90668e1"
#define WORKSPACE "0a11ca3e-0000-4000-8000-00000000b0c5"

/* What the API says, by the beginning of the path; tests put their own rows before these. */
struct rule {
    const char *path;
    int status;
    const char *body;
};
enum { RULES_MAX = 16 };
static struct rule rules[RULES_MAX];
static size_t rules_n;
static const struct rule usual[] = {
    {"/api/v2/workspaces/current", 200, "{\"id\":\"" WORKSPACE "\",\"name\":\"Acme\"}"},
    {"/api/v2/workspace-billing", 200,
     "{\"subscriptions\":{\"outreach\":{\"total_lead_limit\":100,\"current_lead_count\":40}}}"},
    {"/api/v2/leads/list", 200, "{\"items\":[]}"},
    {"/api/v2/background-jobs", 200, "{\"items\":[]}"},
    {"/api/v2/campaigns/" ID, 200,
     "{\"id\":\"" ID "\",\"name\":\"Demo\",\"status\":2,\"core_variables\":{\"firstName\":\"\"},"
     "\"custom_variables\":{\"seats\":\"\"}}"},
    {"/api/v2/campaigns?", 200, "{\"items\":[{\"id\":\"" ID "\",\"name\":\"Demo\",\"status\":2}]}"},
    {"/api/v2/lead-lists", 200, "{\"items\":[]}"},
    {"/api/v2/block-lists-entries", 200, "{\"items\":[]}"},
};

static struct clock_fake fake_clock;
static struct fake_transport *fake;
static struct api_config api;
static struct mapping *mapping;
static struct run_config config;
static struct err e;
static struct buf findings;
static char *folder;

static void answer(void *ctx, const struct transport_request *request, struct fake_answer *a)
{
    (void)ctx;
    /* The brake is below: nothing that changes anything may even try. */
    ck_assert(strcmp(request->method, "GET") == 0 || strcmp(request->path, "/api/v2/leads/list") == 0);
    for (size_t i = 0; i < rules_n; i++)
        if (strncmp(request->path, rules[i].path, strlen(rules[i].path)) == 0) {
            *a = (struct fake_answer){.status = rules[i].status, .body = rules[i].body};
            return;
        }
    ck_abort_msg("nobody expected %s", request->path);
}

static void rule(const char *path, int status, const char *body)
{
    memmove(rules + 1, rules, rules_n * sizeof *rules);
    rules[0] = (struct rule){path, status, body};
    rules_n++;
}

/* "level what: text" a line. */
static void found(void *ctx, const struct finding *f)
{
    static const char *const levels[] = {"ok", "notice", "warning", "error"};
    (void)ctx;
    ck_assert_int_eq(buf_addf(&findings, "%s %s: %s\n", levels[f->level], f->what, f->text), 0);
}

static void write_file(const char *name, const char *text, char path[512])
{
    snprintf(path, 512, "%s/%s", folder, name);
    FILE *f = fopen(path, "w");
    ck_assert_ptr_nonnull(f);
    ck_assert_int_ge(fputs(text, f), 0);
    ck_assert_int_eq(fclose(f), 0);
}

#define CSV "Email,First,Seats,Extra\nann@example.com,Ann,3,x\nnobody,Bob,4,x\n"
#define HEAD "version: 1\nname: nightly\nsource: {csv: {path: people.csv}}\ntarget: {campaign: Demo}\n"
#define FIELDS "fields: {email: Email, first_name: First}\n"
#define SEATS "custom_variables: {seats: {from: Seats, type: number}}\n"

static void load(const char *yaml, const char *csv)
{
    char path[512];
    write_file("people.csv", csv, path);
    write_file("nightly.yaml", yaml, path);
    mapping_free(mapping);
    mapping = NULL;
    ck_assert_msg(mapping_load(path, &mapping, &e) == 0, "%s", err_text(&e));
    config.mapping = mapping;
}

static void setup(void)
{
    e = (struct err)ERR_INIT;
    folder = unit_tmpdir();
    memcpy(rules, usual, sizeof usual);
    rules_n = sizeof usual / sizeof usual[0];
    clock_fake_init(&fake_clock, 1782854132254);
    fake = calloc(1, sizeof *fake);
    ck_assert_ptr_nonnull(fake);
    fake_transport_init(fake, &fake_clock);
    fake->on_request = answer;
    buf_init(&findings, 1 << 20);
    api = (struct api_config){.base_url = "https://api.example", .key = "k", .user_agent = "t"};
    mapping = NULL;
    static char state[512];
    snprintf(state, sizeof state, "%s/state.db", folder);
    config = (struct run_config){.api = &api, .transport = &fake->base, .clock = &fake_clock.base, .state_path = state};
}

static void teardown(void)
{
    mapping_free(mapping);
    fake_transport_done(fake);
    free(fake);
    buf_free(&findings);
    free(folder);
    err_clear(&e);
}

static int check(void)
{
    int rc = check_run(&config, found, NULL, &e);
    ck_assert_ptr_nonnull(buf_cstr(&findings));
    return rc;
}

static void says(const char *line)
{
    ck_assert_msg(strstr(findings.p, line) != NULL, "no \"%s\" in\n%s", line, findings.p);
}

static void says_not(const char *line)
{
    ck_assert_msg(strstr(findings.p, line) == NULL, "\"%s\" in\n%s", line, findings.p);
}

START_TEST(all_is_well)
{
    load(HEAD FIELDS SEATS, CSV);
    ck_assert_msg(check() == 0, "%s", findings.p);
    says("ok mapping: nightly: fits the 4 columns");
    says("notice mapping: 1 column is not used: Extra\n");
    says("2 rows, 1 becomes a lead, 0 skipped, 1 rejected: email_invalid 1\n");
    says("ok key: accepted, of workspace \"Acme\" " WORKSPACE);
    says("ok key: has the scope leads:read\n");
    says("notice key: has more scopes than this mapping needs, such as background-jobs:read");
    says("notice key: cannot verify leads:create, leads:update without");
    says("ok target: campaign \"Demo\" " ID " is paused\n");
    says("ok variables: campaign \"Demo\"");
    says("ok block list: can be read\n");
    says("state.db: does not exist yet");
    says("ok plan: 40 of 100 leads are in use, room for 60; a sync would add 1 at most\n");
    ck_assert_ptr_null(strstr(findings.p, "warning variables"));
    ck_assert_int_eq(e.status, XS_DONE);
    /* Nothing was made on disk. */
    FILE *f = fopen(config.state_path, "r");
    ck_assert_ptr_null(f);
}
END_TEST

START_TEST(variables_are_compared)
{
    rule("/api/v2/campaigns/" ID, 200,
         "{\"id\":\"" ID "\",\"core_variables\":{\"firstName\":\"\",\"lastName\":\"\"},"
         "\"custom_variables\":{\"Sheats\":\"\",\"leadsync_key\":\"\"}}");
    load(HEAD FIELDS SEATS, CSV);
    ck_assert_int_eq(check(), 0);
    says("warning variables: campaign \"Demo\" has variables that the mapping leaves empty: lastName, Sheats\n");
    says("notice variables: new in campaign \"Demo\", for everyone who uses it: seats\n");
}
END_TEST

/* What the mails use counts more than what the campaign has heard of. */
START_TEST(the_sequence_is_read)
{
    rule("/api/v2/campaigns/" ID, 200,
         "{\"id\":\"" ID "\",\"core_variables\":{\"firstName\":\"\"},\"custom_variables\":{\"old\":\"\",\"seats\":\"\"},"
         "\"sequences\":[{\"steps\":[{\"type\":\"email\",\"variants\":["
         "{\"subject\":\"{{ firstName }}, {{RANDOM | hi {{plan}} | {{accountSignature}}}}\","
         "\"body\":\"{{seats}} {{city|town}} {{plan}} {{ {{x\"},"
         "{\"subject\":\"{{off}}\",\"body\":\"\",\"v_disabled\":true}, 5]}, null]},"
         "{\"steps\":[{\"variants\":[{\"subject\":\"{{second}}\"}]}]}]}");
    load(HEAD FIELDS SEATS, CSV "cleo@example.com,,,x\ndan@example.com,Dan,4,x\n");
    ck_assert_int_eq(check(), 0);
    says("warning variables: the sequence of campaign \"Demo\" uses variables that the mapping leaves empty: plan\n");
    says("warning variables: the sequence of campaign \"Demo\" uses {{firstName}}, which is empty for 1 of 3 leads: give");
    says("warning variables: the sequence of campaign \"Demo\" uses {{seats}}, which is empty for 1 of 3 leads: give");
    says("notice variables: campaign \"Demo\" has variables that the mapping leaves empty: old\n");
    says_not("off");
    says_not("second");
    says_not("accountSignature");
}
END_TEST

/* A campaign without mails yet says nothing of what they will use. */
START_TEST(no_sequence_yet)
{
    static const char *const none[] = {"[]", "null", "{}", "[5]", "[{\"steps\":[]}]", "[{\"steps\":null}]"};
    static char body[512];
    snprintf(body, sizeof body, "{\"id\":\"" ID "\",\"custom_variables\":{\"old\":\"\"},\"sequences\":%s}", none[_i]);
    rule("/api/v2/campaigns/" ID, 200, body);
    load(HEAD FIELDS, CSV);
    ck_assert_int_eq(check(), 0);
    says("warning variables: campaign \"Demo\" has variables that the mapping leaves empty: old\n");
}
END_TEST

START_TEST(active_and_ill_campaigns)
{
    static const char *const pages[] = {
        "{\"items\":[{\"id\":\"" ID "\",\"name\":\"Demo\",\"status\":1}]}",
        "{\"items\":[{\"id\":\"" ID "\",\"name\":\"Demo\",\"status\":-1}]}",
    };
    rule("/api/v2/campaigns?", 200, pages[_i]);
    load(HEAD FIELDS, CSV);
    ck_assert_int_eq(check(), 0);
    says(_i == 0 ? "warning target: campaign \"Demo\" " ID " is ACTIVE: mail may go out at once\n"
                 : "warning target: campaign \"Demo\" " ID ": accounts unhealthy, so it sends no mail\n");
}
END_TEST

START_TEST(every_mistake_is_reported)
{
    rule("/api/v2/campaigns?", 200, "{\"items\":[]}");
    load(HEAD "fields: {email: E-mail address}\n", CSV);
    ck_assert_int_eq(check(), -1);
    ck_assert_int_eq(e.status, XS_CONFIG);
    says("error mapping: ");
    says("E-mail address");
    says("error target: ");
    says("ok block list");
    says_not("variables:");
}
END_TEST

START_TEST(the_worst_status_wins)
{
    rule("/api/v2/leads/list", 403, "{\"message\":\"Forbidden\"}");
    load(HEAD "fields: {email: nowhere}\n", CSV);
    ck_assert_int_eq(check(), -1);
    ck_assert_int_eq(e.status, XS_KEY);
    says("error mapping: ");
    says("error key: the key lacks the scope leads:read");
    says("target: campaign"); /* the check went on */
}
END_TEST

START_TEST(a_refused_key_ends_the_asking)
{
    rule("/api/v2/workspaces", 401, "{\"statusCode\":401,\"error\":\"Unauthorized\",\"message\":\"Invalid API key\"}");
    load(HEAD FIELDS, CSV);
    ck_assert_int_eq(check(), -1);
    ck_assert_int_eq(e.status, XS_KEY);
    says("error key: ");
    says_not("target:");
    says("state: ");
}
END_TEST

START_TEST(no_key)
{
    api.key = NULL;
    config.transport = NULL;
    load(HEAD FIELDS, CSV);
    ck_assert_int_eq(check(), -1);
    ck_assert_int_eq(e.status, XS_KEY);
    says("INSTANTLY_API_KEY");
    fake->base.free(&fake->base);
}
END_TEST

START_TEST(what_the_key_may_not_read_is_a_notice)
{
    rule("/api/v2/workspace", 403, "{\"message\":\"Forbidden\"}");
    rule("/api/v2/block-lists-entries", 403, "{\"message\":\"Forbidden\"}");
    load(HEAD FIELDS, CSV);
    ck_assert_msg(check() == 0, "%s", findings.p);
    says("ok key: accepted\n");
    says("notice key: ");
    says("notice block list: ");
    says("notice plan: the key may not read the plan (scope workspace_billing:read)");
}
END_TEST

START_TEST(a_full_plan_is_a_warning)
{
    rule("/api/v2/workspace-billing", 200,
         "{\"subscriptions\":{\"bundle\":{\"total_lead_limit\":30,\"current_lead_count\":40}}}");
    load(HEAD FIELDS, CSV);
    ck_assert_int_eq(check(), 0);
    says("warning plan: 40 of 30 leads are in use, room for 0; a sync would add 1 at most: what does not fit is deferred");
}
END_TEST

START_TEST(a_missing_source)
{
    char path[512];
    load(HEAD FIELDS, CSV);
    snprintf(path, sizeof path, "%s/people.csv", folder);
    ck_assert_int_eq(remove(path), 0);
    ck_assert_int_eq(check(), -1);
    ck_assert_int_eq(e.status, XS_NO_SOURCE);
    says("error source: ");
    says("target: campaign");
}
END_TEST

START_TEST(a_key_with_only_the_needed_scopes)
{
    load(HEAD FIELDS SEATS, CSV);
    rule("/api/v2/background-jobs", 403, "{\"message\":\"Forbidden\"}");
    ck_assert_msg(check() == 0, "%s", findings.p);
    says_not("may do more");
    says_not("background-jobs");
}
END_TEST

START_TEST(routes_and_moves_need_more)
{
    load("version: 1\nname: nightly\nsource: {csv: {path: people.csv}}\nmode: mirror\n"
         "route: {column: Seats, cases: {\"3\": {campaign: Demo}}, otherwise: {list: Rest}}\nremoved: delete\n" FIELDS,
         CSV);
    rule("/api/v2/background-jobs", 403, "{\"message\":\"Forbidden\"}");
    ck_assert_int_eq(check(), -1);
    ck_assert_int_eq(e.status, XS_KEY);
    says("error key: the key lacks the scope background-jobs:read");
    says("leads:update, leads:delete without writing");
    says("target: campaign \"Demo\"");
    says("error target: no list is named \"Rest\"");
}
END_TEST

/* As a sync skips them; where all of them are rejected, that they are not counted is said. */
START_TEST(duplicates_are_counted)
{
    load(_i == 0 ? HEAD FIELDS : HEAD FIELDS "duplicates: reject\n", CSV "ANN@example.com,Ann,3,x\n");
    ck_assert_msg(check() == 0, "%s", findings.p);
    says(_i == 0 ? "3 rows, 1 becomes a lead, 1 skipped, 1 rejected: duplicate_in_source 1, email_invalid 1\n"
                 : "3 rows, 2 become leads, 0 skipped, 1 rejected: email_invalid 1, before duplicates\n");
    says("a sync would add 1 at most\n");
}
END_TEST

/* The target's name and an id are compared only once Instantly has told whose the id is; the same words cost nothing. */
START_TEST(a_stage_ends_at_the_target)
{
    static const char *const promotes[] = {"Demo", ID, WORKSPACE};
    char yaml[1024];
    snprintf(yaml, sizeof yaml, HEAD FIELDS "stage: {list: " ID ", promote: {campaign: %s}}\n", promotes[_i]);
    load(yaml, CSV);
    rule("/api/v2/lead-lists/" ID, 200, "{\"id\":\"" ID "\",\"name\":\"In\"}");
    rule("/api/v2/campaigns/" ID, 200, "{\"id\":\"" ID "\",\"name\":\"Demo\",\"status\":2}");
    rule("/api/v2/campaigns/" WORKSPACE, 200, "{\"id\":\"" WORKSPACE "\",\"name\":\"Other\",\"status\":2}");
    int rc = check();
    says("ok target: list \"In\"");
    ck_assert_msg(rc == (_i == 2 ? -1 : 0), "%s", findings.p);
    if (_i == 2) {
        ck_assert_int_eq(e.status, XS_CONFIG);
        says("error target: stage: promotes leads to campaign \"" WORKSPACE "\", and target: is campaign \"Demo\"");
    } else {
        says_not("error");
    }
}
END_TEST

/* Known leads need no room; another workspace's state is refused. */
START_TEST(the_state_is_looked_at)
{
    struct state *s;
    struct run_record run = {.started_ms = 1782854132254, .status = "running", .read = "full"};
    const struct state_options options = {.path = config.state_path,
                                          .access = STATE_WRITE,
                                          .sync = "nightly",
                                          .api_host = "api.example",
                                          .memory_max = 32 << 20,
                                          .clock = &fake_clock.base};
    ck_assert_msg(state_open(&options, &s, &e) == 0, "%s", err_text(&e));
    ck_assert_int_eq(state_lock(s, 0, &e), 0);
    ck_assert_int_eq(state_run_start(s, &run, &e), 0);
    ck_assert_int_eq(state_set(s, "workspace", _i == 0 ? WORKSPACE : ID, &e), 0);
    ck_assert_int_eq(state_commit(s, &e), 0);
    state_close(s);
    load(HEAD FIELDS, CSV);
    if (_i == 0) {
        ck_assert_msg(check() == 0, "%s", findings.p);
        says("state.db: 0 leads known, last run 2026-06-30T21:15:32.254Z, interrupted\n");
    } else {
        ck_assert_int_eq(check(), -1);
        ck_assert_int_eq(e.status, XS_CONFIG);
        says("belongs to workspace " ID);
    }
}
END_TEST

START_TEST(a_straight_csv)
{
    char path[512], name[] = "Demo";
    struct target_spec spec = {TARGET_CAMPAIGN, name};
    write_file("people.csv", "Email,First Name,Odd\nann@example.com,Ann,1\n", path);
    ck_assert_int_eq(mapping_for_csv(path, &spec, false, NULL, 0, &mapping, &e), 0);
    config.mapping = mapping;
    ck_assert_msg(check() == 0, "%s", findings.p);
    says("1 column is not used: Odd\n");
    ck_assert_uint_eq(strlen(mapping->name), strlen("people-01234567"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("check");
    TCase *tc = tcase_create("check");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, all_is_well);
    tcase_add_test(tc, variables_are_compared);
    tcase_add_test(tc, the_sequence_is_read);
    tcase_add_loop_test(tc, no_sequence_yet, 0, 6);
    tcase_add_loop_test(tc, active_and_ill_campaigns, 0, 2);
    tcase_add_test(tc, every_mistake_is_reported);
    tcase_add_test(tc, the_worst_status_wins);
    tcase_add_test(tc, a_refused_key_ends_the_asking);
    tcase_add_test(tc, no_key);
    tcase_add_test(tc, what_the_key_may_not_read_is_a_notice);
    tcase_add_test(tc, a_full_plan_is_a_warning);
    tcase_add_test(tc, a_missing_source);
    tcase_add_test(tc, a_key_with_only_the_needed_scopes);
    tcase_add_test(tc, routes_and_moves_need_more);
    tcase_add_loop_test(tc, duplicates_are_counted, 0, 2);
    tcase_add_loop_test(tc, a_stage_ends_at_the_target, 0, 3);
    tcase_add_loop_test(tc, the_state_is_looked_at, 0, 2);
    tcase_add_test(tc, a_straight_csv);
    suite_add_tcase(suite, tc);
    return unit_run(suite);
}
