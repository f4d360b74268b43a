#include "config.h"

#include "sync/base/log.h"
#include "sync/base/buf.h"
#include "sync/base/clock.h"
#include "tests/unit/harness.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Everything that was logged to `f` since the last call; caller frees. */
static char *logged(FILE *f)
{
    char *text = calloc(1, 1 << 20);
    ck_assert_ptr_nonnull(text);
    ck_assert_int_ge(pread(fileno(f), text, (1 << 20) - 1, 0), 0);
    ck_assert_int_eq(ftruncate(fileno(f), 0), 0);
    rewind(f);
    return text;
}

static void check_logged(FILE *f, const char *expected)
{
    char *text = logged(f);
    ck_assert_str_eq(text, expected);
    free(text);
}

START_TEST(levels)
{
    struct log_config config = {.level = LOG_NOTICE, .out = tmpfile()};
    log_configure(&config);
    ck_assert(log_enabled(LOG_NOTICE));
    ck_assert(!log_enabled(LOG_DETAIL));
    log_error("no %s", "key");
    log_warning("w");
    log_notice("n");
    log_detail("d");
    log_debug("g");
    check_logged(config.out, "error: no key\nwarning: w\nn\n");
    config.level = LOG_DEBUG;
    log_configure(&config);
    log_detail("d");
    log_debug("g");
    check_logged(config.out, "d\ndebug: g\n");
    config.level = LOG_WARNING;
    log_configure(&config);
    log_notice("n");
    check_logged(config.out, "");
    fclose(config.out);
}
END_TEST

START_TEST(foreign_text_is_made_safe)
{
    struct log_config config = {.level = LOG_NOTICE, .out = tmpfile()};
    log_configure(&config);
    log_notice("a\x1b[2Jb\xe2\x80\xae"
               "c\xff\rd");
    check_logged(config.out, "a\\u{1b}[2Jb\\u{202e}c\\x{ff}\\u{d}d\n");
    /* Lines after the first cannot pass for messages. */
    log_error("two mistakes:\nerror: one\n\nlast\n");
    check_logged(config.out, "error: two mistakes:\n  error: one\n  \n  last\n");
    log_notice("%s", "");
    check_logged(config.out, "\n");
    fclose(config.out);
}
END_TEST

START_TEST(secret_never_shows)
{
    struct log_config config = {.level = LOG_NOTICE, .secret = "k3y-\"abc", .out = tmpfile()};
    log_configure(&config);
    log_notice("k3y-\"abck3y-\"abc Bearer k3y-\"abc; k3y-\"ab");
    check_logged(config.out, "****** Bearer ***; k3y-\"ab\n");
    config.json = true;
    log_configure(&config);
    log_notice("xk3y-\"abcx");
    char *text = logged(config.out);
    ck_assert_ptr_nonnull(strstr(text, "\"message\":\"x***x\""));
    free(text);
    config.json = false;
    config.secret = ""; /* would be found everywhere */
    log_configure(&config);
    log_notice("abc");
    check_logged(config.out, "abc\n");
    fclose(config.out);
}
END_TEST

START_TEST(secret_is_taken_out_before_the_cut)
{
    /* The message is cut in the middle of the secret, which is gone by then. */
    struct log_config config = {.level = LOG_NOTICE, .secret = "SECRETSECRET", .out = tmpfile()};
    enum { N = 256 * 1024 };
    char *fill = malloc(N + 1);
    ck_assert_ptr_nonnull(fill);
    memset(fill, 'x', N);
    fill[N - 6] = '\0';
    log_configure(&config);
    log_notice("%sSECRETSECRET", fill);
    char *text = logged(config.out);
    ck_assert_uint_gt(strlen(text), N - 6);
    ck_assert_ptr_null(strstr(text, "SECRET"));
    free(text);
    free(fill);
    fclose(config.out);
}
END_TEST

START_TEST(json_lines)
{
    struct log_config config = {.level = LOG_NOTICE, .json = true, .colour = true, .out = tmpfile()};
    char time_text[TIME_TEXT_N];
    log_configure(&config);
    log_warning("a \"b\"\nc\x1b");
    char *text = logged(config.out);
    ck_assert_int_eq(strncmp(text, "{\"time\":\"2", 10), 0);
    memcpy(time_text, text + 9, 24);
    int64_t ms;
    ck_assert_int_eq(time_parse((struct str){time_text, 24}, &ms), 0);
    ck_assert_str_eq(text + 9 + 24, "\",\"level\":\"warning\",\"message\":\"a \\\"b\\\"\\nc\\\\u{1b}\"}\n");
    free(text);
    fclose(config.out);
}
END_TEST

START_TEST(journal_prefixes_and_colours)
{
    struct log_config config = {.level = LOG_DEBUG, .journal = true, .out = tmpfile()};
    log_configure(&config);
    log_error("e\nf");
    log_notice("n");
    log_detail("d");
    log_debug("g");
    check_logged(config.out, "<3>error: e\n<3>  f\n<5>n\n<6>d\n<7>debug: g\n");
    config.journal = false;
    config.colour = true;
    log_configure(&config);
    log_error("e");
    log_notice("n");
    check_logged(config.out, "\033[1;31merror: \033[0me\nn\n");
    config.syslog = true; /* nobody listens here; it must not hurt */
    log_configure(&config);
    log_notice("n\nm");
    check_logged(config.out, "n\n  m\n");
    fclose(config.out);
}
END_TEST

static void count_call(void *ctx)
{
    ++*(int *)ctx;
}

START_TEST(progress_is_cleared_first_and_errno_kept)
{
    struct log_config config = {.level = LOG_NOTICE, .out = tmpfile()};
    int calls = 0;
    log_configure(&config);
    log_on_write(count_call, &calls);
    errno = ENOENT;
    log_notice("a");
    ck_assert_int_eq(errno, ENOENT);
    log_debug("dropped");
    ck_assert_int_eq(calls, 1);
    log_on_write(NULL, NULL);
    log_notice("b");
    ck_assert_int_eq(calls, 1);
    check_logged(config.out, "a\nb\n");
    fclose(config.out);
}
END_TEST

/* A step that is done twice says each thing once, and what is new; afterwards everything again. */
START_TEST(repeats_are_left_out)
{
    struct log_config config = {.level = LOG_NOTICE, .out = tmpfile()};
    log_configure(&config);
    log_repeats(LOG_NOTE);
    log_notice("a");
    log_warning("b");
    log_notice("a");
    log_repeats(LOG_SKIP);
    log_notice("a");
    log_warning("b");
    log_warning("b");
    log_error("e");
    log_notice("c");
    log_repeats(LOG_PLAIN);
    log_notice("a");
    check_logged(config.out, "a\nwarning: b\na\nwarning: b\nerror: e\nc\na\n");
    fclose(config.out);
}
END_TEST

START_TEST(a_sink_that_is_full_is_survived)
{
    struct log_config config = {.level = LOG_NOTICE, .out = fopen("/dev/full", "w")};
    if (config.out == NULL)
        return;
    log_configure(&config);
    log_error("lost");
    fclose(config.out);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("log");
    TCase *tc = tcase_create("log");
    tcase_add_test(tc, levels);
    tcase_add_test(tc, foreign_text_is_made_safe);
    tcase_add_test(tc, secret_never_shows);
    tcase_add_test(tc, secret_is_taken_out_before_the_cut);
    tcase_add_test(tc, json_lines);
    tcase_add_test(tc, journal_prefixes_and_colours);
    tcase_add_test(tc, progress_is_cleared_first_and_errno_kept);
    tcase_add_test(tc, repeats_are_left_out);
    tcase_add_test(tc, a_sink_that_is_full_is_survived);
    suite_add_tcase(suite, tc);
    return unit_run(suite);
}
