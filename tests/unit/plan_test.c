/* Decisions, from cases in text: tests/cases/plan/ says what is remembered, what is wanted, and what follows. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sync/plan/eligibility.h"
#include "sync/plan/plan.h"
#include "tests/unit/harness.h"

/* A case is a line: NAME | setting=value … | expectation. Settings:
 *   remembered=nothing|same|other|refused:REASON|open|retry|seen|forgotten     (other)
 *   mode=create|upsert|mirror (upsert) · recreate · moved · no_id · deleted · no_values · key (the identity is no address)
 *   removed · away (removed by moving) · unsure (what was sent last may still be carried out) · status=N (what is known of the person by the key) · person=N (by the address)
 *   campaign (where the lead goes; else a list)
 *   overwrite=always|if-empty|never (always; of first_name and seats)
 *   old.FIELD=VALUE, new.FIELD=VALUE of email, first_name, last_name, seats; VALUE is text, "-" absent, "null" a null,
 *   "" (nothing) the empty text, #N a number
 * Expectation: "create", "rekey", "move", "update FIELD,…", or "OUTCOME REASON"; "+move" when the row belongs elsewhere as well,
 * "check" when all values are held against Instantly. */

struct fixture {
    struct plan_rules rules;
    enum overwrite overwrite[LEAD_FIELD_N + 1];
    struct remembered remembered;
    struct known_lead known;
    struct lead old, wanted;
    struct value old_custom[1], wanted_custom[1];
    bool no_values, moved, campaign;
    int person;
};

static const struct str names[] = {{"seats", 5}};
static const struct lead_shape shape = {1, 1, names};

static struct value value(char *text)
{
    if (strcmp(text, "-") == 0)
        return (struct value){VALUE_ABSENT, NULL, 0};
    if (strcmp(text, "null") == 0)
        return (struct value){VALUE_NULL, NULL, 0};
    if (text[0] == '#')
        return (struct value){VALUE_NUMBER, text + 1, strlen(text) - 1};
    return (struct value){VALUE_STRING, text, strlen(text)};
}

static struct value *field(struct lead *lead, const char *name)
{
    if (strcmp(name, "seats") == 0)
        return &lead->custom[0];
    int f = lead_field_find(str_from(name));
    ck_assert_msg(f >= 0, "no field %s", name);
    return &lead->core[f];
}

static int pick(const char *const *all, size_t n, const char *text)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(all[i], text) == 0)
            return (int)i;
    ck_abort_msg("unknown word %s", text);
    return -1;
}
#define PICK(all, text) pick(all, sizeof(all) / sizeof(all)[0], text)

static void set_remembered(struct fixture *f, char *text)
{
    static const char *const kinds[] = {"nothing", "same", "other", "refused", "open", "retry", "seen", "forgotten"};
    char *reason = strchr(text, ':');
    if (reason != NULL) {
        *reason++ = '\0';
        int r = reason_find(str_from(reason));
        ck_assert_msg(r >= 0, "no reason %s", reason);
        f->remembered.reason = (enum reason)r;
    }
    f->remembered.kind = (enum remembered_kind)PICK(kinds, text);
}

static void set(struct fixture *f, char *setting)
{
    static const char *const modes[] = {"create", "upsert", "mirror"};
    static const char *const overwrites[] = {"always", "if-empty", "never"};
    char *v = strchr(setting, '=');
    if (v != NULL)
        *v++ = '\0';
    if (strcmp(setting, "remembered") == 0)
        set_remembered(f, v);
    else if (strcmp(setting, "mode") == 0)
        f->rules.mode = (enum sync_mode)PICK(modes, v);
    else if (strcmp(setting, "overwrite") == 0)
        f->overwrite[LEAD_FIRST_NAME] = f->overwrite[LEAD_FIELD_N] = (enum overwrite)PICK(overwrites, v);
    else if (strcmp(setting, "recreate") == 0)
        f->rules.recreate = true;
    else if (strcmp(setting, "moved") == 0)
        f->moved = true;
    else if (strcmp(setting, "no_id") == 0)
        f->known.has_lead_id = false;
    else if (strcmp(setting, "no_values") == 0)
        f->no_values = true;
    else if (strcmp(setting, "deleted") == 0)
        f->known.flags |= KNOWN_DELETED_THERE;
    else if (strcmp(setting, "removed") == 0)
        f->known.flags |= KNOWN_REMOVED;
    else if (strcmp(setting, "away") == 0)
        f->known.flags |= KNOWN_REMOVED | KNOWN_AWAY;
    else if (strcmp(setting, "unsure") == 0)
        f->known.flags |= KNOWN_UNSURE;
    else if (strcmp(setting, "status") == 0)
        f->known.status = atoi(v);
    else if (strcmp(setting, "person") == 0)
        f->person = atoi(v);
    else if (strcmp(setting, "campaign") == 0)
        f->campaign = true;
    else if (strcmp(setting, "staged") == 0)
        f->rules.stage_list = f->known.target;
    else if (strcmp(setting, "key") == 0)
        f->rules.has_key = true;
    else if (strncmp(setting, "old.", 4) == 0)
        *field(&f->old, setting + 4) = value(v);
    else if (strncmp(setting, "new.", 4) == 0)
        *field(&f->wanted, setting + 4) = value(v);
    else
        ck_abort_msg("unknown setting %s", setting);
}

static void describe(const struct fixture *f, const struct decision *d, const bool *custom, char *out, size_t n)
{
    char *end = out;
    if (d->op == OP_NONE)
        end += snprintf(out, n, "%s%s%s", outcome_text(d->outcome), d->reason != REASON_NONE ? " " : "",
                        reason_text(d->reason));
    bool writes = (d->op == OP_UPDATE || d->op == OP_MOVE) && (d->fields != 0 || d->custom);
    if (writes)
        end += snprintf(out, n, "update ");
    else if (d->op != OP_NONE)
        end += snprintf(out, n, "%s", d->rekey ? "rekey" : d->op == OP_CREATE ? "create" : "move");
    bool first = true;
    for (int i = 0; writes && i < LEAD_FIELD_N; i++)
        if ((d->fields & 1U << i) != 0) {
            end += snprintf(end, n - (size_t)(end - out), "%s%s", first ? "" : ",", lead_field_table[i].api);
            first = false;
        }
    if (writes && d->custom)
        end += snprintf(end, n - (size_t)(end - out), "%sseats", first ? "" : ",");
    if (writes) {
        ck_assert_int_eq(custom[0], d->custom);
        ck_assert_int_eq(d->op == OP_MOVE, d->move);
    }
    if (writes && d->move)
        snprintf(end, n - (size_t)(end - out), " +move");
    if (d->check)
        snprintf(out + strlen(out), n - strlen(out), " check");
    (void)f;
}

static void run_case(const char *where, char *settings, const char *expected)
{
    struct fixture f = {.remembered = {.kind = REMEMBERED_OTHER}};
    bool custom[1] = {false};
    struct decision d;
    char got[200], *save = NULL;
    f.rules = (struct plan_rules){.mode = MODE_UPSERT, .overwrite = f.overwrite};
    f.known = (struct known_lead){.has_lead_id = true, .target = 1, .fingerprint = 7, .status = TARGET_STATUS_UNKNOWN};
    f.old.shape = f.wanted.shape = &shape;
    f.old.custom = f.old_custom;
    f.wanted.custom = f.wanted_custom;
    f.old.core[LEAD_EMAIL] = f.wanted.core[LEAD_EMAIL] = (struct value){VALUE_STRING, "ann@example.com", 15};
    for (char *s = strtok_r(settings, " ", &save); s != NULL; s = strtok_r(NULL, " ", &save))
        set(&f, s);
    plan_decide(&f.rules, &f.remembered, &f.known, f.no_values ? NULL : &f.old, &f.wanted, f.moved ? 2 : 1, custom, &d);
    const struct decision decided = d;
    enum reason status = lead_status_reason(f.known.status);
    plan_keep_out(status != REASON_NONE ? status : lead_status_reason(f.person), f.campaign ? TARGET_CAMPAIGN : TARGET_LIST,
                  &d);
    describe(&f, &d, custom, got, sizeof got);
    ck_assert_msg(strcmp(got, expected) == 0, "%s: %s, not %s", where, got, expected);
    /* Flags are optional, the decision does not hang on them. */
    struct decision again;
    plan_decide(&f.rules, &f.remembered, &f.known, f.no_values ? NULL : &f.old, &f.wanted, f.moved ? 2 : 1, NULL, &again);
    ck_assert(again.op == decided.op && again.outcome == decided.outcome && again.fields == decided.fields &&
              again.custom == decided.custom);
}

static char *trim(char *s)
{
    while (*s == ' ')
        s++;
    for (size_t n = strlen(s); n > 0 && strchr(" \n", s[n - 1]) != NULL; n--)
        s[n - 1] = '\0';
    return s;
}

START_TEST(decisions)
{
    char path[512], line[512];
    int n = 0;
    snprintf(path, sizeof path, "%s/tests/cases/plan/decide.txt", unit_srcdir());
    FILE *f = fopen(path, "r");
    ck_assert_msg(f != NULL, "%s", path);
    while (fgets(line, sizeof line, f) != NULL) {
        char *name = trim(line), *settings = strchr(name, '|');
        if (name[0] == '#' || name[0] == '\0')
            continue;
        ck_assert_msg(settings != NULL && strchr(settings + 1, '|') != NULL, "not a case: %s", line);
        *settings++ = '\0';
        char *expected = strchr(settings, '|');
        *expected++ = '\0';
        run_case(trim(name), settings, trim(expected));
        n++;
    }
    fclose(f);
    ck_assert_int_ge(n, 40);
}
END_TEST

/* What is remembered after a write: the row's values, and what it leaves unsaid stays. */
START_TEST(overlay)
{
    struct value old_custom[1] = {{VALUE_NUMBER, "3", 1}}, wanted_custom[1] = {{VALUE_ABSENT, NULL, 0}}, custom[1];
    struct lead old = {.shape = &shape, .custom = old_custom}, wanted = {.shape = &shape, .custom = wanted_custom};
    struct lead out = {.custom = custom};
    old.core[LEAD_FIRST_NAME] = (struct value){VALUE_STRING, "Ann", 3};
    old.core[LEAD_LAST_NAME] = (struct value){VALUE_STRING, "Old", 3};
    wanted.core[LEAD_FIRST_NAME] = (struct value){VALUE_STRING, "Anna", 4};
    wanted.core[LEAD_LAST_NAME] = (struct value){VALUE_NULL, NULL, 0};
    plan_overlay(&old, &wanted, &out);
    ck_assert(value_eq(&out.core[LEAD_FIRST_NAME], &wanted.core[LEAD_FIRST_NAME]));
    ck_assert_int_eq(out.core[LEAD_LAST_NAME].kind, VALUE_NULL);
    ck_assert_int_eq(out.core[LEAD_PHONE].kind, VALUE_ABSENT);
    ck_assert(value_eq(&out.custom[0], &old_custom[0]));
    plan_overlay(NULL, &wanted, &out);
    ck_assert_int_eq(out.custom[0].kind, VALUE_ABSENT);
    ck_assert(out.shape == &shape);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("plan");
    TCase *t = tcase_create("all");
    tcase_add_test(t, decisions);
    tcase_add_test(t, overlay);
    suite_add_tcase(s, t);
    return unit_run(s);
}
