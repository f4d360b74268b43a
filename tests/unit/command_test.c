/* The command table: sound by itself, parsed by its own options, and honest in its help. */
#include "config.h"

#include "tests/unit/cmd_kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Every command that can be run: a family is its verbs. NULL-terminated. */
static const struct command *const *every_command(void)
{
    static const struct command *all[128];
    size_t n = 0;
    for (size_t i = 0; command_table[i] != NULL; i++) {
        const struct command *const alone[] = {command_table[i], NULL};
        const struct command *const *part = alone[0]->verbs != NULL ? alone[0]->verbs : alone;
        for (; *part != NULL; part++) {
            ck_assert_uint_lt(n + 1, sizeof all / sizeof all[0]);
            all[n++] = *part;
        }
    }
    all[n] = NULL;
    return all;
}

static void summary_is_sound(const struct command *c)
{
    ck_assert_ptr_nonnull(c->help);
    ck_assert_msg(c->summary[strlen(c->summary) - 1] != '.', "%s: summary ends in a full stop", c->name);
}

START_TEST(test_table_is_sound)
{
    for (const struct command *const *p = every_command(); *p != NULL; p++) {
        const struct command *c = *p;
        summary_is_sound(c);
        ck_assert_ptr_nonnull(c->usage);
        ck_assert(c->run != NULL);
        struct opt *all = command_options(c, NULL, NULL);
        ck_assert_ptr_nonnull(all);
        for (const struct opt *a = all; a->name != NULL; a++) {
            ck_assert_ptr_nonnull(a->help);
            ck_assert_msg((a->kind == OPT_CHOICE) == (a->choices != NULL), "%s --%s", c->name, a->name);
            for (const struct opt *b = all; b < a; b++) {
                ck_assert_msg(strcmp(a->name, b->name) != 0, "%s has --%s twice", c->name, a->name);
                ck_assert_msg(a->letter == 0 || a->letter != b->letter, "%s has -%c twice", c->name, a->letter);
            }
        }
        free(all);
    }
}
END_TEST

/* A family is found by its name, its verbs by their second word, and it does nothing itself. */
START_TEST(test_families_are_sound)
{
    for (size_t i = 0; command_table[i] != NULL; i++) {
        const struct command *family = command_table[i];
        ck_assert_ptr_eq(command_find(family->name), family);
        if (family->verbs == NULL)
            continue;
        summary_is_sound(family);
        ck_assert(family->run == NULL && family->options == NULL && family->formats == NULL && family->groups == 0);
        bool has_default = family->verb_default == NULL;
        for (size_t v = 0; family->verbs[v] != NULL; v++) {
            const struct command *verb = family->verbs[v];
            size_t n = strlen(family->name);
            ck_assert_msg(strncmp(verb->name, family->name, n) == 0 && verb->name[n] == ' ',
                          "%s: a verb of %s is named by both words", verb->name, family->name);
            ck_assert_ptr_eq(command_verb_find(family, verb->name + n + 1), verb);
            ck_assert_ptr_null(verb->verbs);
            has_default |= verb == family->verb_default;
        }
        ck_assert_msg(has_default, "the default verb of %s is none of its verbs", family->name);
        ck_assert_int_eq(RUN("leadsync", family->name, "frobnicate"), XS_USAGE);
        TOLD("has no verb \"frobnicate\"");
        ck_assert_int_eq(RUN("leadsync", "help", family->name, "frobnicate"), XS_USAGE);
        TOLD("has no verb \"frobnicate\"");
        ck_assert_int_eq(RUN("leadsync", family->name, "-h"), XS_DONE);
        SAID("verbs:");
        if (family->verb_default == NULL) {
            ck_assert_int_eq(RUN("leadsync", family->name), XS_USAGE);
            ck_assert_int_eq(RUN("leadsync", family->name, "--quiet"), XS_USAGE);
            TOLD("options follow the verb");
        }
    }
}
END_TEST

START_TEST(test_no_command)
{
    ck_assert_int_eq(RUN("leadsync"), XS_USAGE);
    TOLD("usage: leadsync COMMAND");
}
END_TEST

START_TEST(test_unknown_command)
{
    ck_assert_int_eq(RUN("leadsync", "hepl"), XS_USAGE);
    TOLD("did you mean \"help\"?");
    ck_assert_int_eq(RUN("leadsync", "frobnicate"), XS_USAGE);
    TOLD("unknown command \"frobnicate\"");
    ck_assert_int_eq(RUN("leadsync", "--quiet", "help"), XS_USAGE);
    TOLD("options follow the command");
    ck_assert_int_eq(RUN("leadsync", "help", "hepl"), XS_USAGE);
    TOLD("did you mean \"help\"?");
}
END_TEST

START_TEST(test_help_and_version)
{
    ck_assert_int_eq(RUN("leadsync", "--help"), XS_DONE);
    SAID("exit status:");
    ck_assert_int_eq(RUN("leadsync", "--version"), XS_DONE);
    ck_assert_str_eq(said, "leadsync " PACKAGE_VERSION "\n");
    ck_assert_int_eq(RUN("leadsync", "help", "--version"), XS_DONE);
    ck_assert_str_eq(said, "leadsync " PACKAGE_VERSION "\n");
    for (size_t i = 0; command_table[i] != NULL; i++) {
        ck_assert_int_eq(RUN("leadsync", command_table[i]->name, "--help"), XS_DONE);
        SAID(command_table[i]->help);
        ck_assert_int_eq(RUN("leadsync", "help", command_table[i]->name), XS_DONE);
        SAID(command_table[i]->help);
    }
    for (const struct command *const *p = every_command(); *p != NULL; p++) {
        char words[64];
        snprintf(words, sizeof words, "%s", (*p)->name);
        const char *first = strtok(words, " "), *second = strtok(NULL, " ");
        ck_assert_int_eq(second == NULL ? RUN("leadsync", first, "--help") : RUN("leadsync", first, second, "--help"),
                         XS_DONE);
        SAID((*p)->help);
        SAID("--log-format");
        ck_assert(strstr(said, "--api-key KEY") == NULL && strstr(told, "--api-key KEY") == NULL);
        ck_assert_int_eq(second == NULL ? RUN("leadsync", "help", first) : RUN("leadsync", "help", first, second), XS_DONE);
        SAID((*p)->help);
    }
}
END_TEST

/* Somebody else would see it in `ps`: it is refused, and not repeated. */
START_TEST(test_key_in_argv)
{
    ck_assert_int_eq(RUN("leadsync", "help", "--api-key", "s3cret"), XS_USAGE);
    TOLD("INSTANTLY_API_KEY");
    ck_assert(strstr(told, "s3cret") == NULL && strstr(said, "s3cret") == NULL);
    ck_assert_int_eq(RUN("leadsync", "help", "--api-key=s3cret"), XS_USAGE);
    ck_assert(strstr(told, "s3cret") == NULL && strstr(said, "s3cret") == NULL);
}
END_TEST

START_TEST(test_usage_errors)
{
    ck_assert_int_eq(RUN("leadsync", "help", "--wrods"), XS_USAGE);
    TOLD("--words");
    ck_assert_int_eq(RUN("leadsync", "help", "help", "help"), XS_USAGE);
    TOLD("unexpected argument");
    ck_assert_int_eq(RUN("leadsync", "help", "help", "help", "help"), XS_USAGE);
    TOLD("unexpected argument");
    ck_assert_int_eq(RUN("leadsync", "help", "-q", "-v"), XS_USAGE);
    TOLD("exclude each other");
    ck_assert_int_eq(RUN("leadsync", "help", "--log-format", "xml"), XS_USAGE);
    TOLD("json");
    ck_assert_int_eq(RUN("leadsync", "help", "--log-format=json", "nothing"), XS_USAGE);
    TOLD("{\"time\":");
}
END_TEST

START_TEST(test_words)
{
    ck_assert_int_eq(RUN("leadsync", "help", "--words"), XS_DONE);
    for (size_t i = 0; command_table[i] != NULL; i++)
        SAID(command_table[i]->name);
    ck_assert_int_eq(RUN("leadsync", "help", "--words", "help"), XS_DONE);
    SAID("--words\n");
    ck_assert_ptr_null(strstr(said, "--api-key\n"));
}
END_TEST

/* Every option of every command has its entry in the man page, and so has every command. */
START_TEST(test_man_page)
{
    char path[1024], wanted[128];
    static char page[1 << 18];
    snprintf(path, sizeof path, "%s/docs/leadsync.1", unit_srcdir());
    FILE *file = fopen(path, "r");
    ck_assert_msg(file != NULL, "%s is missing", path);
    page[fread(page, 1, sizeof page - 1, file)] = '\0';
    fclose(file);
    for (const struct command *const *p = every_command(); *p != NULL; p++) {
        const struct command *c = *p;
        snprintf(wanted, sizeof wanted, "\n.It Cm %s", c->name);
        ck_assert_msg(strstr(page, wanted) != NULL, "the man page lacks the command %s", c->name);
        struct opt *all = command_options(c, NULL, NULL);
        ck_assert_ptr_nonnull(all);
        for (const struct opt *o = all; o->name != NULL; o++) {
            snprintf(wanted, sizeof wanted, " Fl -%s", o->name);
            const char *at = strstr(page, wanted);
            while (at != NULL && strchr(" \n", at[strlen(wanted)]) == NULL)
                at = strstr(at + 1, wanted);
            ck_assert_msg(at != NULL, "the man page lacks --%s of %s", o->name, c->name);
        }
        free(all);
    }
    for (const struct exit_status_row *row = exit_status_table; row->text != NULL; row++) {
        snprintf(wanted, sizeof wanted, "\n.It %d\n", (int)row->status);
        ck_assert_msg(strstr(page, wanted) != NULL, "the man page lacks exit status %d", (int)row->status);
    }
}
END_TEST

/* What command_where_to_report() writes to stderr. */
static const char *written_by_report(const char *message, const char *address)
{
    static char text[4096];
    FILE *file = tmpfile();
    int saved = dup(STDERR_FILENO);
    ck_assert(file != NULL && saved >= 0);
    dup2(fileno(file), STDERR_FILENO);
    command_where_to_report(message, address);
    dup2(saved, STDERR_FILENO);
    close(saved);
    rewind(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    return text;
}

START_TEST(test_where_to_report)
{
    const char *text = written_by_report("leads/move: no list is given; please report this", "bugs@example.com");
    ck_assert_ptr_nonnull(strstr(text, "report it to bugs@example.com; attach"));
    ck_assert_ptr_nonnull(strstr(text, "never the key or lead data"));
    ck_assert_str_eq(written_by_report("out of memory; lower --memory or free some", "bugs@example.com"), "");
    ck_assert_str_eq(written_by_report("no list is given; please report this", ""), "");
}
END_TEST

START_TEST(test_help_names_where_to_report)
{
    static char text[1 << 14];
    for (int set = 0; set < 2; set++) {
        FILE *file = tmpfile();
        ck_assert_ptr_nonnull(file);
        command_help_all(file, set ? "bugs@example.com" : "");
        rewind(file);
        text[fread(text, 1, sizeof text - 1, file)] = '\0';
        fclose(file);
        ck_assert_int_eq(strstr(text, "report bugs to ") != NULL, set);
        ck_assert_int_eq(strstr(text, "\nreport bugs to bugs@example.com\n") != NULL, set);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("command");
    TCase *tc = tcase_create("dispatch");
    tcase_add_test(tc, test_table_is_sound);
    tcase_add_test(tc, test_families_are_sound);
    tcase_add_test(tc, test_no_command);
    tcase_add_test(tc, test_unknown_command);
    tcase_add_test(tc, test_help_and_version);
    tcase_add_test(tc, test_key_in_argv);
    tcase_add_test(tc, test_usage_errors);
    tcase_add_test(tc, test_words);
    tcase_add_test(tc, test_man_page);
    tcase_add_test(tc, test_where_to_report);
    tcase_add_test(tc, test_help_names_where_to_report);
    suite_add_tcase(suite, tc);
    return unit_run(suite);
}
