/* Where the key comes from, in which order, and what is refused. Its text must never be in a message. */
#include "config.h"

#include "sync/cli/key.h"
#include "tests/unit/harness.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

static char path[512];

static void setup(void)
{
    char *folder = unit_tmpdir();
    snprintf(path, sizeof path, "%s/instantly_api_key", folder);
    free(folder);
    unsetenv("INSTANTLY_API_KEY");
    unsetenv("CREDENTIALS_DIRECTORY");
}

static void write_key(const char *bytes, size_t n, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, bytes, n), (ssize_t)n);
    ck_assert_int_eq(fchmod(fd, mode), 0);
    close(fd);
}

static void expect_key(const char *file, const char *text)
{
    struct api_key key;
    struct err e = ERR_INIT;
    ck_assert_msg(key_load(file, true, &key, &e) == 0, "%s", err_text(&e));
    ck_assert_str_eq(key.text, text);
    ck_assert_uint_eq(key.n, strlen(text));
    key_wipe(&key);
    ck_assert_ptr_null(key.text);
    key_wipe(&key);
}

/* `needle` stands in the message, `secret` (may be NULL) does not. */
static void expect_refusal(const char *file, enum exit_status status, const char *needle, const char *secret)
{
    struct api_key key;
    struct err e = ERR_INIT;
    ck_assert_int_eq(key_load(file, true, &key, &e), -1);
    ck_assert_msg(e.status == status, "status %d: %s", (int)e.status, err_text(&e));
    ck_assert_msg(strstr(err_text(&e), needle) != NULL, "%s", err_text(&e));
    if (secret != NULL)
        ck_assert_ptr_null(strstr(err_text(&e), secret));
    ck_assert_ptr_null(key.text);
    err_clear(&e);
}

START_TEST(test_file)
{
    write_key("abc==", 5, 0600);
    expect_key(path, "abc==");
    write_key("abc==\n", 6, 0400);
    expect_key(path, "abc==");
    write_key("abc==\r\n", 7, 0600);
    expect_key(path, "abc==");
}
END_TEST

START_TEST(test_file_refused)
{
    expect_refusal(path, XS_KEY, path, NULL);
    write_key("hush", 4, 0640);
    expect_refusal(path, XS_KEY, "chmod 600", "hush");
    write_key("hush", 4, 0604);
    expect_refusal(path, XS_KEY, "0604", "hush");
    write_key("", 0, 0600);
    expect_refusal(path, XS_KEY, "is empty", NULL);
    write_key("\n", 1, 0600);
    expect_refusal(path, XS_KEY, "is empty", NULL);
    write_key("hush\nhush", 9, 0600);
    expect_refusal(path, XS_KEY, "byte 5", "hush");
    write_key("hu\0sh", 5, 0600);
    expect_refusal(path, XS_KEY, "byte 3", "hu\0");
    write_key("\xef\xbb\xbfhush", 7, 0600);
    expect_refusal(path, XS_KEY, "byte 1", "hush");
    char long_key[KEY_MAX_BYTES + 10];
    memset(long_key, 'k', sizeof long_key);
    write_key(long_key, sizeof long_key, 0600);
    expect_refusal(path, XS_KEY, "more than an API key has", "kkkk");
}
END_TEST

/* Also by way of a link, which is not what is looked at. */
START_TEST(test_file_of_another_user)
{
    char other[600];
    if (geteuid() != 0)
        return;
    write_key("hush", 4, 0600);
    ck_assert_int_eq(chown(path, 65534, 65534), 0);
    expect_refusal(path, XS_KEY, "another user (uid 65534)", "hush");
    snprintf(other, sizeof other, "%s.link", path);
    ck_assert_int_eq(symlink(path, other), 0);
    expect_refusal(other, XS_KEY, "another user (uid 65534)", "hush");
    ck_assert_int_eq(unlink(other), 0);
}
END_TEST

START_TEST(test_no_regular_file)
{
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    expect_refusal(path, XS_KEY, "not a regular file", NULL);
    expect_refusal("/", XS_KEY, "not a regular file", NULL);
}
END_TEST

START_TEST(test_key_in_place_of_its_file)
{
    expect_refusal("ZmFrZS1rZXktZm9yLWEtdGVzdA==", XS_KEY, "not the key", "ZmFrZS1");
}
END_TEST

START_TEST(test_order)
{
    char folder[512];
    write_key("from-credential", 15, 0400);
    snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(path, '/') - path), path);
    setenv("INSTANTLY_API_KEY", "from-environment", 1);
    expect_key(NULL, "from-environment");
    ck_assert_ptr_null(getenv("INSTANTLY_API_KEY"));
    setenv("CREDENTIALS_DIRECTORY", folder, 1);
    setenv("INSTANTLY_API_KEY", "from-environment", 1);
    expect_key(NULL, "from-credential");
    char other[600];
    snprintf(other, sizeof other, "%s/other", folder);
    ck_assert_int_eq(rename(path, other), 0);
    setenv("INSTANTLY_API_KEY", "from-environment", 1);
    expect_key(NULL, "from-environment");
    ck_assert_int_eq(chmod(other, 0600), 0);
    setenv("INSTANTLY_API_KEY", "from-environment", 1);
    expect_key(other, "from-credential");
    ck_assert_ptr_null(getenv("INSTANTLY_API_KEY"));
}
END_TEST

/* An ACL for the service's user shows as group bits; "others" are too many even there. */
START_TEST(test_credential_modes)
{
    char folder[512];
    snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(path, '/') - path), path);
    setenv("CREDENTIALS_DIRECTORY", folder, 1);
    write_key("k", 1, 0440);
    expect_key(NULL, "k");
    write_key("k", 1, 0444);
    expect_refusal(NULL, XS_KEY, "0444", NULL);
}
END_TEST

START_TEST(test_environment)
{
    expect_refusal(NULL, XS_KEY, "INSTANTLY_API_KEY", NULL);
    setenv("INSTANTLY_API_KEY", "", 1);
    expect_refusal(NULL, XS_KEY, "INSTANTLY_API_KEY", NULL);
    setenv("INSTANTLY_API_KEY", "two words", 1);
    expect_refusal(NULL, XS_CONFIG, "byte 4", "two");
    ck_assert_ptr_null(getenv("INSTANTLY_API_KEY"));
}
END_TEST

START_TEST(test_not_required)
{
    struct api_key key;
    struct err e = ERR_INIT;
    ck_assert_int_eq(key_load(NULL, false, &key, &e), 0);
    ck_assert_ptr_null(key.text);
    setenv("INSTANTLY_API_KEY", "two words", 1);
    ck_assert_int_eq(key_load(NULL, false, &key, &e), -1);
    err_clear(&e);
}
END_TEST

START_TEST(test_stdin)
{
    int fds[2];
    ck_assert_int_eq(pipe(fds), 0);
    ck_assert_int_eq(write(fds[1], "piped\n", 6), 6);
    close(fds[1]);
    ck_assert_int_eq(dup2(fds[0], STDIN_FILENO), STDIN_FILENO);
    expect_key("-", "piped");
    expect_refusal("-", XS_KEY, "stdin is empty", NULL);
}
END_TEST

/* The bytes in the environment block, which /proc/PID/environ shows, are overwritten, not only unlinked. */
START_TEST(test_environment_is_overwritten)
{
    static char variable[] = "INSTANTLY_API_KEY=overwrite-me";
    struct api_key key;
    struct err e = ERR_INIT;
    ck_assert_int_eq(putenv(variable), 0);
    ck_assert_int_eq(key_load(NULL, true, &key, &e), 0);
    ck_assert_str_eq(key.text, "overwrite-me");
    ck_assert_ptr_null(strstr(variable, "overwrite"));
    ck_assert_int_eq(variable[sizeof variable - 2], '\0');
    ck_assert_int_eq(prctl(PR_GET_DUMPABLE, 0L, 0L, 0L, 0L), 0);
    key_wipe(&key);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("key");
    TCase *tc = tcase_create("sources");
    tcase_add_checked_fixture(tc, setup, NULL);
    tcase_add_test(tc, test_file);
    tcase_add_test(tc, test_file_refused);
    tcase_add_test(tc, test_file_of_another_user);
    tcase_add_test(tc, test_no_regular_file);
    tcase_add_test(tc, test_key_in_place_of_its_file);
    tcase_add_test(tc, test_order);
    tcase_add_test(tc, test_credential_modes);
    tcase_add_test(tc, test_environment);
    tcase_add_test(tc, test_not_required);
    tcase_add_test(tc, test_stdin);
    tcase_add_test(tc, test_environment_is_overwritten);
    suite_add_tcase(suite, tc);
    return unit_run(suite);
}
