#include "config.h"

#include "sync/base/opt.h"
#include "tests/unit/harness.h"

#include <stdlib.h>
#include <string.h>

static const char *const formats[] = {"text", "json", "ndjson", "csv", NULL};

/* A command's options, and what they fill. */
static struct values {
    bool quiet, yes;
    int verbose, format;
    const char *output;
    int64_t memory, delay_ms, any;
    struct opt_list guards;
} values;

static const struct opt common[] = {
    {"quiet", 'q', OPT_FLAG, &values.quiet, NULL, "say less", 0, 0, NULL, OPT_INHERIT, false},
    {"verbose", 'v', OPT_COUNT, &values.verbose, NULL, "say more", 0, 0, NULL, OPT_INHERIT, false},
    {"output", 'o', OPT_TEXT, &values.output, "FILE", "write to FILE", 0, 0, NULL, OPT_INHERIT, false},
    {NULL, 0, OPT_FLAG, NULL, NULL, NULL, 0, 0, NULL, OPT_INHERIT, false},
};
static const struct opt own[] = {
    {"yes", 0, OPT_FLAG, &values.yes, NULL, "do not ask", 0, 0, NULL, OPT_INHERIT, false},
    {"memory", 0, OPT_INT, &values.memory, "MB", "use at most this much memory, in megabytes of a million bytes each", 8,
     4096, NULL, OPT_SAFETY, false},
    {"any", 0, OPT_INT, &values.any, "N", "any number", 0, 0, NULL, OPT_INHERIT, false},
    {"wait-lock", 0, OPT_DURATION, &values.delay_ms, "SECONDS", "wait for the lock", 0, 0, NULL, OPT_INHERIT, false},
    {"format", 0, OPT_CHOICE, &values.format, NULL, "how to print", 0, 0, formats, OPT_OUTPUT, false},
    {"guard", 0, OPT_LIST, &values.guards, "NAME=VALUE", "another limit", 0, 0, NULL, OPT_INHERIT, false},
    {"key-file", 0, OPT_TEXT, &values.output, "FILE", "the key", 0, 0, NULL, OPT_INHERIT, true},
    {NULL, 0, OPT_FLAG, NULL, NULL, NULL, 0, 0, NULL, OPT_INHERIT, false},
};
static const struct opt *const tables[] = {common, own, NULL};
static const struct opt typed[] = {
    {.name = "set", .kind = OPT_LIST, .secret = OPT_SECRET_VALUE},
    {NULL, 0, OPT_FLAG, NULL, NULL, NULL, 0, 0, NULL, OPT_INHERIT, false},
};
static const struct opt *const shown_tables[] = {common, own, typed, NULL};

static const char **operands;
static size_t operands_n;
static struct err e;

static char *line; /* the words that argv points into, kept until done() */

/* Parses a command line whose words are parted by bars. */
static int parse(const char *words)
{
    char *argv[32], *at = line = strdup(words);
    int argc = 0;
    argv[argc++] = (char[]){"sync"};
    for (char *word; (word = strsep(&at, "|")) != NULL;)
        argv[argc++] = word;
    argv[argc] = NULL;
    return opt_parse(argc, argv, tables, &operands, &operands_n, &e);
}

/* Forgets everything, so that tests in one process (CK_FORK=no) do not see each other. */
static void done(void)
{
    free(line);
    free(operands);
    operands = NULL;
    opt_list_free(&values.guards);
    values = (struct values){0};
    err_clear(&e);
}

START_TEST(options_stand_anywhere)
{
    setenv("POSIXLY_CORRECT", "1", 1);
    ck_assert_int_eq(parse("a.csv|-q|--output|x|-|-vv|--memory=64|-v|--|--yes|b"), 0);
    ck_assert(values.quiet);
    ck_assert(!values.yes);
    ck_assert_int_eq(values.verbose, 3);
    ck_assert_str_eq(values.output, "x");
    ck_assert_int_eq(values.memory, 64);
    ck_assert_uint_eq(operands_n, 4);
    ck_assert_str_eq(operands[0], "a.csv");
    ck_assert_str_eq(operands[1], "-");
    ck_assert_str_eq(operands[2], "--yes");
    ck_assert_str_eq(operands[3], "b");
    done();
}
END_TEST

START_TEST(every_kind_of_value)
{
    ck_assert_int_eq(parse("--wait-lock|10m|--format=ndjson|--guard|removed=5%|--guard=moved=1|-ofile|"
                           "--any=-9223372036854775808"),
                     0);
    ck_assert_int_eq(values.delay_ms, 600000);
    ck_assert_int_eq(values.format, 2);
    ck_assert_uint_eq(values.guards.n, 2);
    ck_assert_str_eq(values.guards.v[0], "removed=5%");
    ck_assert_str_eq(values.guards.v[1], "moved=1");
    ck_assert_str_eq(values.output, "file");
    ck_assert_int_eq(values.any, INT64_MIN);
    ck_assert_uint_eq(operands_n, 0);
    done();
    /* A value may look like an option. */
    ck_assert_int_eq(parse("--output|--yes"), 0);
    ck_assert_str_eq(values.output, "--yes");
    ck_assert(!values.yes);
    done();
    ck_assert_int_eq(parse("-o|-q|a"), 0);
    ck_assert_str_eq(values.output, "-q");
    done();
}
END_TEST

#define CHECK_USAGE(part, words) \
    do { \
        ck_assert_int_eq(parse(words), -1); \
        ck_assert_int_eq(e.status, XS_USAGE); \
        ck_assert_msg(strstr(err_text(&e), part) != NULL, "\"%s\" lacks \"%s\"", err_text(&e), part); \
        done(); \
    } while (0)

START_TEST(mistakes_are_explained)
{
    CHECK_USAGE("unknown option --outptu; did you mean --output?", "--outptu=x");
    CHECK_USAGE("unknown option --zzzzzz; --help", "a|--zzzzzz");
    CHECK_USAGE("unknown option --formal; did you mean --format?", "--formal");
    CHECK_USAGE("unknown option --forward; --help", "--forward"); /* two slips in a short word */
    CHECK_USAGE("unknown option --ant; --help", "--ant");         /* one in a very short one */
    CHECK_USAGE("unknown option -z; --help", "-qz");
    CHECK_USAGE("--output wants a value: FILE", "--output");
    CHECK_USAGE("--output wants a value: FILE", "-o");
    CHECK_USAGE("--format wants a value", "--format");
    CHECK_USAGE("--yes takes no value", "--yes=1");
    CHECK_USAGE("--memory: \"many\" is not a whole number", "--memory|many");
    CHECK_USAGE("--memory: \"+9\" is not a whole number", "--memory|+9");
    CHECK_USAGE("--memory: \" 9\" is not a whole number", "--memory| 9");
    CHECK_USAGE("--memory: \"9MB\" is not a whole number", "--memory|9MB");
    CHECK_USAGE("--memory: \"\" is not a whole number", "--memory=");
    CHECK_USAGE("7 is out of range; give 8 to 4096", "--memory=7");
    CHECK_USAGE("4097 is out of range", "--memory=4097");
    CHECK_USAGE("out of range", "--memory=99999999999999999999");
    CHECK_USAGE("fits 64 bits", "--any=99999999999999999999");
    CHECK_USAGE("--wait-lock: \"soon\" is not a duration", "--wait-lock|soon");
    CHECK_USAGE("did you mean \"json\"?", "--format=jsno");
    CHECK_USAGE("it is one of text, json, ndjson, csv", "--format=spreadsheet");
    CHECK_USAGE("unknown", "--=x");
}
END_TEST

START_TEST(abbreviations_are_refused)
{
    ck_assert_int_eq(parse("--outp=x|--ye"), -1);
    ck_assert_ptr_null(values.output);
    ck_assert(!values.yes);
    done();
    CHECK_USAGE("unknown option --outp; did you mean --output?", "--outp|x");
    CHECK_USAGE("unknown option --outp; did you mean --output?", "--outp=x");
    CHECK_USAGE("unknown option --ye; did you mean --yes?", "a|--ye");
    CHECK_USAGE("unknown option --wait; --help", "--wait|3"); /* a word of its own */
    CHECK_USAGE("unknown option --wait-l; did you mean --wait-lock?", "--wait-l|3");
}
END_TEST

START_TEST(help_is_wrapped)
{
    static const char expected[] = "what it does:\n"
                                   "  -q, --quiet              say less\n"
                                   "  -v, --verbose            say more\n"
                                   "  -o, --output FILE        write to FILE\n"
                                   "      --yes                do not ask\n"
                                   "      --any N              any number\n"
                                   "      --wait-lock SECONDS  wait for the lock\n"
                                   "      --guard NAME=VALUE   another limit\n"
                                   "      --key-file FILE      the key\n"
                                   "\n"
                                   "safety:\n"
                                   "      --memory MB          use at most this much\n"
                                   "                           memory, in megabytes of a\n"
                                   "                           million bytes each\n"
                                   "\n"
                                   "output:\n"
                                   "      --format text|json|ndjson|csv\n"
                                   "                           how to print\n";
    char *text = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&text, &n);
    ck_assert_ptr_nonnull(f);
    opt_help(f, tables, 52);
    ck_assert_int_eq(fclose(f), 0);
    ck_assert_str_eq(text, expected);
    free(text);
    /* A terminal narrower than the names still gets every word. */
    f = open_memstream(&text, &n);
    ck_assert_ptr_nonnull(f);
    opt_help(f, tables, 1);
    ck_assert_int_eq(fclose(f), 0);
    ck_assert_ptr_nonnull(strstr(text, " megabytes\n"));
    free(text);
}
END_TEST

/* What a run's record says was typed: enough to do it again, and nothing that opens a door or names a person. */
START_TEST(a_command_line_is_shown)
{
    static const struct {
        const char *words, *shown;
    } rows[] = {
        {"m.yaml|-qv|-o|out file.json", " m.yaml --quiet --verbose --output 'out file.json'"},
        {"--guard=removed=20%|--guard|moved=5|m.yaml", " --guard removed=20% --guard moved=5 m.yaml"},
        {"--key-file|sk-123|--key-file=sk-123", " --key-file ... --key-file ..."},
        {"-o|https://hc-ping.com/a-uuid", " --output https://hc-ping.com/..."},
        {"-o|http://127.0.0.1:8080", " --output http://127.0.0.1:8080"},
        {"-o|postgresql://u:p@ss@db.example.com:5432/crm?password=p", " --output postgresql://db.example.com:5432/..."},
        {"-o|https://u:p@example.com?key=k", " --output https://example.com/..."},
        {"-o|host=db Password=x", " --output ..."},
        {"ann@example.com|first_name=Ann|7f3a", " ... ... 7f3a"},
        {"--guard|Email=ann@example.com", " --guard ..."},
        {"--set|last_name=Ray; x -> y|--set=custom.a b=Bob", " --set last_name=... --set 'custom.a b='..."},
        {"--set|Ann|--set=a@b=c|--set|phone=", " --set ... --set ... --set phone=..."},
        {"0a11ca3e-0000-4000-8000-00000000de30|0a11ca3e|-o|0a11ca3e-0000-4000-8000-00000000de30",
         " ... 0a11ca3e --output 0a11ca3e-0000-4000-8000-00000000de30"},
        {"-o|it's|--|-x", " --output 'it'\\''s' -x"},
        {"-o|", " --output ''"},
        {"m.yaml|0123456789|0123456789|0123456789|0123456789|0123456789|0123456789",
         " m.yaml 0123456789 0123456789 0123456789 0123456789 0123 ..."},
    };
    char *argv[16], *words = strdup(rows[_i].words), *at = words;
    struct buf out = BUF_INIT(1024);
    int argc = 0;
    argv[argc++] = (char[]){"sync"};
    for (char *word; (word = strsep(&at, "|")) != NULL;)
        argv[argc++] = word;
    argv[argc] = NULL;
    ck_assert_int_eq(opt_show(argc, argv, shown_tables, 60, &out), 0);
    ck_assert_str_eq(buf_cstr(&out), rows[_i].shown);
    buf_free(&out);
    free(words);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("opt");
    TCase *tc = tcase_create("opt");
    tcase_add_test(tc, options_stand_anywhere);
    tcase_add_test(tc, every_kind_of_value);
    tcase_add_test(tc, mistakes_are_explained);
    tcase_add_test(tc, abbreviations_are_refused);
    tcase_add_test(tc, help_is_wrapped);
    tcase_add_loop_test(tc, a_command_line_is_shown, 0, 16);
    suite_add_tcase(suite, tc);
    return unit_run(suite);
}
