/* A diff into memory, for the tests of its formats: one of everything. */
#include "config.h"

#include "tests/unit/diff_kit.h"

#include <stdlib.h>
#include <string.h>

static struct uuid uuid(const char *text)
{
    struct uuid u;
    ck_assert_int_eq(uuid_parse(str_from(text), &u), 0);
    return u;
}

static struct value text(const char *s)
{
    return (struct value){VALUE_STRING, s, strlen(s)};
}

struct err e;
struct diff *diff;
char *said;
size_t said_n;
FILE *out;
static char demo_name[] = "Q4 founders", gone_name[] = "Gone \x1b[31m";
struct target demo, gone;
static struct str names[] = {{"seats", 5}, {"origin", 6}};
static struct lead_shape shape = {1, 2, names};

void diff_kit_setup(void)
{
    e = (struct err)ERR_INIT;
    demo = (struct target){TARGET_CAMPAIGN, uuid("5c194eae-9382-4bf1-aff4-d9eaa90668e1"), demo_name, 1, NULL};
    gone = (struct target){TARGET_LIST, uuid("c737308b-aec0-4a0f-bd51-d6feefd8df6b"), gone_name, TARGET_STATUS_UNKNOWN,
                           NULL};
    said = NULL;
    diff = NULL;
    out = open_memstream(&said, &said_n);
    ck_assert_ptr_nonnull(out);
}

void diff_kit_teardown(void)
{
    diff_close(diff);
    fclose(out);
    free(said);
    err_clear(&e);
}

static char warning[] = "a column that says who opted out is not used";
static char *warning_texts[] = {warning};
static const struct diff_warnings warnings = {warning_texts, 1};

void start(struct diff_options options)
{
    options.warnings = &warnings;
    const struct diff_head head = {.sync = "nightly-customers",
                                   .source = "people.csv",
                                   .workspace = "Acme",
                                   .targets = &demo,
                                   .targets_n = 1,
                                   .at_ms = 1782854132254};
    options.out = options.out != NULL ? options.out : out;
    ck_assert_int_eq(diff_open(&options, &diff, &e), 0);
    ck_assert_int_eq(diff_head(diff, &head, &e), 0);
}

struct str finish(const struct diff_summary *summary)
{
    ck_assert_msg(diff_finish(diff, summary, &e) == 0, "%s", err_text(&e));
    return (struct str){said, said_n};
}

void create(const char *key, uint64_t row)
{
    struct value custom[2] = {{VALUE_NUMBER, "12", 2}, {VALUE_ABSENT, NULL, 0}};
    struct lead lead = {.shape = &shape, .custom = custom};
    struct entry entry = {.row = row, .line = row + 1, .key_text = str_from(key)};
    lead.core[LEAD_EMAIL] = text(key);
    lead.core[LEAD_FIRST_NAME] = text("=cmd()");
    lead.core[LEAD_COMPANY_NAME] = (struct value){VALUE_NULL, NULL, 0};
    struct diff_change c = {.op = OP_CREATE, .entry = &entry, .target = &demo, .new_lead = &lead};
    ck_assert_msg(diff_change(diff, &c, &e) == 0, "%s", err_text(&e));
}

void update(const char *key, uint64_t row, bool old_known)
{
    struct value old_custom[2] = {{VALUE_NUMBER, "12", 2}, {VALUE_STRING, "", 0}};
    struct value new_custom[2] = {{VALUE_NUMBER, "13", 2}, {VALUE_BOOL, "true", 4}};
    bool custom[2] = {true, false};
    struct lead old_lead = {.shape = &shape, .custom = old_custom}, new_lead = {.shape = &shape, .custom = new_custom};
    struct entry entry = {.row = row, .key_text = str_from(key), .has_lead_id = true};
    entry.lead_id = uuid("019f0000-0000-7000-8000-000000000001");
    old_lead.core[LEAD_FIRST_NAME] = text("Ann");
    new_lead.core[LEAD_FIRST_NAME] = text("Anna \"B\"\n\x1b[0m");
    new_lead.core[LEAD_PHONE] = text("not written");
    struct diff_change c = {.op = OP_UPDATE,
                            .entry = &entry,
                            .target = &demo,
                            .certain = true,
                            .old_lead = old_known ? &old_lead : NULL,
                            .new_lead = &new_lead,
                            .fields = 1U << LEAD_FIRST_NAME,
                            .custom = custom};
    ck_assert_int_eq(diff_change(diff, &c, &e), 0);
}

void left_out(const char *key, uint64_t row, enum outcome outcome, enum reason reason, const char *column, struct str value)
{
    struct entry entry = {.row = row, .line = row + 1, .key_text = str_from(key), .outcome = outcome, .reason = reason};
    struct diff_left_out l = {&entry, column, value};
    ck_assert_int_eq(diff_left_out(diff, &l, &e), 0);
}

/* One of everything. */
struct str tell_all(struct diff_options options)
{
    static const char *const new_variables[] = {"seats"};
    struct entry moved = {.row = 3, .line = 4, .key_text = STR("eve@example.com"), .has_lead_id = true};
    struct entry removed = {.key_text = STR("old@example.com"), .has_lead_id = true};
    struct diff_change move = {.op = OP_MOVE, .entry = &moved, .target = &demo, .from = &gone, .certain = true};
    struct diff_change rekey = {.op = OP_CREATE, .rekey = true, .entry = &moved, .target = &demo};
    struct diff_change delete = {.op = OP_REMOVE, .entry = &removed, .from = &demo, .certain = false};
    uint64_t reasons[REASON_N] = {0};
    reasons[REASON_EMAIL_INVALID] = 1;
    reasons[REASON_DUPLICATE_IN_SOURCE] = 1;
    moved.lead_id = removed.lead_id = uuid("019f0000-0000-7000-8000-000000000002");
    start(options);
    create("ann@example.com", 1);
    left_out("", 2, OUTCOME_REJECTED, REASON_EMAIL_INVALID, "Email Address", STR("ann@\x1b[2J"));
    update("bob@example.com", 2, true);
    left_out("ann@example.com", 5, OUTCOME_SKIPPED, REASON_DUPLICATE_IN_SOURCE, NULL, STR_NONE);
    update("cid@example.com", 4, false);
    ck_assert_int_eq(diff_change(diff, &move, &e), 0);
    ck_assert_int_eq(diff_change(diff, &rekey, &e), 0);
    ck_assert_int_eq(diff_change(diff, &delete, &e), 0);
    struct lead waits = {0};
    waits.core[LEAD_FIRST_NAME] = text("Ida");
    waits.core[LEAD_LAST_NAME] = text("Wait\x1b");
    const struct entry waiting = {.key_text = STR("7"), .email = STR("ida@example.com"), .detail = STR(DIFF_NO_ROW)};
    const struct diff_change wait = {.op = OP_REMOVE, .entry = &waiting, .from = &demo, .certain = true, .old_lead = &waits};
    ck_assert_int_eq(diff_waiting(diff, &wait, &e), 0);
    static const struct run_guard guards[] = {
        {.name = "rejected", .limit = "5%", .counted = 1, .of = 9, .stops = false},
        {.name = "removed", .limit = "10%", .counted = 3, .of = 20, .stops = true},
    };
    return finish(
        &(struct diff_summary){.guards = guards,
                               .guards_n = 2,
                               .state_serial = 1782854132001,
                               .would_stop = STR(
                                   "guard `removed`: 3 of 20 known leads would be removed\nguard \x1b[2J: two\n"),
                               .mapping_sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
                               .read = 7,
                               .create = 2,
                               .update = 2,
                               .move = 1,
                               .remove = 1,
                               .changed = 3,
                               .unchanged = 0,
                               .skipped = 1,
                               .rejected = 1,
                               .duplicates = 1,
                               .open = 0,
                               .requests_create = 1,
                               .requests_update = 2,
                               .requests_move = 1,
                               .requests_remove = 1,
                               .seconds_at_limit = 0.1,
                               .least_seconds = 0.12,
                               .move_reads = 2,
                               .most = {.create = 20, .update = 30, .move = 40, .remove = 50, .seconds = 14.5},
                               .plan = {.known = true, .used = 990, .limit = 1000},
                               .verifications = 2,
                               .new_variables = new_variables,
                               .new_variables_n = 1,
                               .reasons = reasons,
                               .missing_waiting = 3,
                               .waits_for = "1 row has no usable key (line 7): correct it"});
}

unsigned times(const char *what)
{
    unsigned n = 0;
    for (const char *p = said; (p = strstr(p, what)) != NULL; p++)
        n++;
    return n;
}
