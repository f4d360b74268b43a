/* The diff masked: nothing of a person leaves in any format, and what is the same stays the same. */
#include "config.h"

#include "tests/unit/diff_kit.h"

#include <stdlib.h>
#include <string.h>

/* Each of these is in some value, key, cell, detail or warning. */
static const char *const personal[] = {
    "Geraldine", "geraldine", "Ostrovsky", "ostrovsky", "private-domain", "020 7946", "4711", "diabetic", "No 7", "019f0000",
};

static struct value string(const char *s)
{
    return (struct value){VALUE_STRING, s, strlen(s)};
}

static char warning[] = "people.csv:7: read as Windows-1252 from here on: Geraldine Ostrovsky";
static char *warning_texts[] = {warning};
static const struct diff_warnings warnings = {warning_texts, 1};
static const unsigned char secret[HASH_SECRET_N] = "a secret";
static struct str names[] = {{"seats", 5}, {"notes", 5}, {"vip", 3}};
static struct lead_shape shape = {1, 3, names};

static struct lead person(struct value custom[3])
{
    custom[0] = (struct value){VALUE_NUMBER, "4711", 4};
    custom[1] = string("diabetic");
    custom[2] = (struct value){VALUE_BOOL, "true", 4};
    struct lead lead = {.shape = &shape, .custom = custom};
    lead.core[LEAD_EMAIL] = string("Geraldine@Private-Domain.example");
    lead.core[LEAD_FIRST_NAME] = string("Geraldine");
    lead.core[LEAD_LAST_NAME] = string("Ostrovsky");
    lead.core[LEAD_PHONE] = string("+44 020 7946 0000");
    lead.core[LEAD_COMPANY_NAME] = string("");
    return lead;
}

static struct entry row_of(uint64_t row)
{
    return (struct entry){.row = row,
                          .line = row + 1,
                          .key_text = STR("geraldine@private-domain.example"),
                          .email = STR("Geraldine@Private-Domain.example"),
                          .cells = STR("Geraldine"),
                          .has_lead_id = true,
                          .lead_id.b = {0x01, 0x9f}};
}

static void leave_out(uint64_t row, enum outcome outcome, enum reason reason, struct str detail, const char *value)
{
    struct entry entry = row_of(row);
    entry.outcome = outcome;
    entry.reason = reason;
    entry.detail = detail;
    const struct diff_left_out l = {&entry, "Email Address", str_from(value)};
    ck_assert_int_eq(diff_left_out(diff, &l, &e), 0);
}

static struct str tell_masked(struct diff_options options, const unsigned char *by)
{
    struct value custom[2][3];
    struct lead old_lead = person(custom[0]), new_lead = person(custom[1]);
    struct entry one = row_of(1), two = row_of(2), removed = row_of(0);
    uint64_t reasons[REASON_N] = {0};
    bool written[3] = {true, true, true};
    new_lead.core[LEAD_LAST_NAME] = string("ostrovsky");
    removed.detail = STR("rule 2: column \"Notes\" is \"Geraldine, \"No 7\"\"");
    reasons[REASON_EMAIL_INVALID] = 1;
    options.mask = true;
    options.out = out;
    options.warnings = &warnings;
    const struct diff_head head = {.sync = "s", .source = "people.csv", .targets = &demo, .targets_n = 1, .secret = by};
    const struct diff_change create = {.op = OP_CREATE, .entry = &one, .target = &demo, .new_lead = &new_lead};
    const struct diff_change update = {.op = OP_UPDATE,
                                       .entry = &two,
                                       .target = &demo,
                                       .old_lead = &old_lead,
                                       .new_lead = &new_lead,
                                       .fields = 1U << LEAD_LAST_NAME | 1U << LEAD_PHONE,
                                       .custom = written};
    const struct diff_change move = {.op = OP_MOVE, .entry = &two, .target = &demo, .from = &gone};
    const struct diff_change removal = {.op = OP_REMOVE, .entry = &removed, .target = &demo, .old_lead = &old_lead};
    ck_assert_int_eq(diff_open(&options, &diff, &e), 0);
    ck_assert_int_eq(diff_head(diff, &head, &e), 0);
    ck_assert_int_eq(diff_change(diff, &create, &e), 0);
    ck_assert_int_eq(diff_change(diff, &update, &e), 0);
    ck_assert_int_eq(diff_change(diff, &move, &e), 0);
    leave_out(3, OUTCOME_REJECTED, REASON_EMAIL_INVALID, STR("Email: Geraldine Ostrovsky has no @"), "Geraldine Ostrovsky");
    leave_out(4, OUTCOME_SKIPPED, REASON_SKIP_WHEN, STR("rule 1: column \"Notes\" is \"diabetic\""), "diabetic");
    leave_out(5, OUTCOME_SKIPPED, REASON_DUPLICATE_IN_SOURCE, STR_NONE, "");
    ck_assert_int_eq(diff_change(diff, &removal, &e), 0);
    ck_assert_int_eq(diff_waiting(diff, &removal, &e), 0);
    return finish(&(struct diff_summary){.read = 5, .create = 1, .reasons = reasons});
}

START_TEST(nothing_of_a_person_leaves)
{
    tell_masked((struct diff_options){.format = (enum diff_format)(_i % DIFF_NONE),
                                      .all = _i >= DIFF_NONE,
                                      .remote = true,
                                      .left_out = true},
                secret);
    ck_assert_uint_gt(said_n, 0);
    for (size_t i = 0; i < sizeof personal / sizeof personal[0]; i++)
        ck_assert_msg(times(personal[i]) == 0, "%s in %s", personal[i], said);
}
END_TEST

START_TEST(structure_and_equality_stay)
{
    char address[36], pattern[80];
    tell_masked((struct diff_options){.format = DIFF_NDJSON}, secret);
    const char *key = strstr(said, "\"key\":\"masked-");
    ck_assert_ptr_nonnull(key);
    /* masked-12 digits, @, masked-8 digits: the key, and the field of the create in another spelling */
    snprintf(address, sizeof address, "%.*s", 35, key + 7);
    ck_assert_int_eq(strncmp(address + 19, "@masked-", 8), 0);
    ck_assert_int_eq(key[7 + 35], '"');
    ck_assert_uint_eq(times(address),
                      4 + 3 + 1 + 1 + 5); /* changes, left-out rows, the lead that waits, the field, and `email` */
    snprintf(pattern, sizeof pattern, "\"email\":[null,\"%s\"]", address);
    ck_assert_uint_eq(times(pattern), 1);
    /* A change of case is a change; equal values are equal. */
    const char *name = strstr(strstr(said, "\"op\":\"update\""), "\"last_name\":[\"masked-");
    ck_assert_ptr_nonnull(name);
    ck_assert_int_ne(strncmp(name + 14, name + 14 + 22, 19), 0);
    ck_assert_uint_eq(times("\"custom_variables.vip\":[true,true]"), 1);
    ck_assert_uint_eq(times("\"company_name\":[null,\"\"]"), 1);
    ck_assert_uint_eq(times("\"detail\":\"rule 1\""), 1);
    ck_assert_uint_eq(times("\"detail\":\"the e-mail address is not valid\""), 1);
    ck_assert_uint_eq(times("\"column\":\"Email Address\""), 3);
    ck_assert_uint_eq(times("\"row\":3,\"line\":4"), 1);
    ck_assert_uint_eq(times("\"lead_id\":null"), 5);
    ck_assert_uint_eq(times("\"masked\":true"), 1);
    ck_assert_uint_eq(times("\"warnings\":[\"(masked: standard error has it)\"]"), 1);
}
END_TEST

/* What a diff shows of another secret has nothing in common with it; without one, no two diffs have. */
START_TEST(masks_depend_on_the_secret)
{
    static const unsigned char other[HASH_SECRET_N] = "another";
    const struct diff_options options = {.format = DIFF_CSV};
    char *texts[4];
    const unsigned char *const by[] = {secret, secret, other, NULL};
    for (size_t i = 0; i < 4; i++) {
        tell_masked(options, by[i]);
        texts[i] = strdup(said);
        diff_kit_teardown();
        diff_kit_setup();
    }
    ck_assert_str_eq(texts[0], texts[1]);
    ck_assert_str_ne(texts[0], texts[2]);
    ck_assert_str_ne(texts[0], texts[3]);
    for (size_t i = 0; i < 4; i++)
        free(texts[i]);
}
END_TEST

/* The text is looked for in what is not shown. */
START_TEST(match_sees_what_is_masked)
{
    tell_masked((struct diff_options){.format = _i == 0 ? DIFF_TEXT : DIFF_JSON, .match = "diabetic"}, secret);
    ck_assert_uint_eq(times("diabetic"), 0);
    ck_assert_uint_eq(times("(masked)"), 1);
    ck_assert_uint_eq(times(_i == 0 ? "skipped: skip_when" : "\"outcome\":\"skipped\""), 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("diff_mask");
    TCase *tc = tcase_create("diff_mask");
    tcase_add_checked_fixture(tc, diff_kit_setup, diff_kit_teardown);
    tcase_add_loop_test(tc, nothing_of_a_person_leaves, 0, 2 * DIFF_NONE);
    tcase_add_test(tc, structure_and_equality_stay);
    tcase_add_test(tc, masks_depend_on_the_secret);
    tcase_add_loop_test(tc, match_sees_what_is_masked, 0, 2);
    suite_add_tcase(suite, tc);
    return unit_run(suite);
}
