#include "config.h"

#include "sync/base/clock.h"
#include "sync/base/stop.h"
#include "tests/unit/harness.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Tests in one process (CK_FORK=no) must not see each other's signals. */
static void setup(void)
{
    stop_set(0);
}

START_TEST(first_signal_sets_the_flag)
{
    stop_install();
    ck_assert_int_eq(stop_requested(), 0);
    raise(SIGTERM);
    ck_assert_int_eq(stop_requested(), SIGTERM);
    stop_set(0);
    ck_assert_int_eq(stop_requested(), 0);
    raise(SIGINT);
    ck_assert_int_eq(stop_requested(), SIGINT);
    stop_set(SIGTERM);
    ck_assert_int_eq(stop_requested(), SIGTERM);
}
END_TEST

static int status_after(int first, int second)
{
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        stop_install();
        raise(first);
        raise(second);
        _exit(1);
    }
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status));
    return WEXITSTATUS(status);
}

START_TEST(second_signal_leaves_at_once)
{
    ck_assert_int_eq(status_after(SIGINT, SIGINT), 130);
    ck_assert_int_eq(status_after(SIGTERM, SIGTERM), 143);
    ck_assert_int_eq(status_after(SIGINT, SIGTERM), 143);
}
END_TEST

START_TEST(broken_pipes_are_errors_not_deaths)
{
    int ends[2];
    stop_install();
    ck_assert_int_eq(pipe(ends), 0);
    close(ends[0]);
    ck_assert_int_eq(write(ends[1], "x", 1), -1);
    ck_assert_int_eq(errno, EPIPE);
    close(ends[1]);
}
END_TEST

/* Whether a process sleeps in the kernel: the word after its name in parentheses. */
static bool is_asleep(pid_t pid)
{
    char path[64], text[512] = "";
    snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
    FILE *f = fopen(path, "re");
    if (f == NULL)
        return false;
    size_t n = fread(text, 1, sizeof text - 1, f);
    fclose(f);
    text[n] = '\0';
    const char *name_end = strrchr(text, ')');
    return name_end != NULL && strncmp(name_end, ") S", 3) == 0;
}

START_TEST(blocking_calls_end)
{
    int ends[2];
    char byte;
    stop_install();
    ck_assert_int_eq(pipe(ends), 0);
    pid_t parent = getpid(), child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        while (!is_asleep(parent)) /* in read(), the only place where it waits */
            clock_system()->sleep_us(clock_system(), 10000);
        kill(parent, SIGTERM);
        _exit(0);
    }
    ck_assert_int_eq(read(ends[0], &byte, 1), -1);
    ck_assert_int_eq(errno, EINTR);
    ck_assert_int_eq(stop_requested(), SIGTERM);
    ck_assert_int_eq(waitpid(child, NULL, 0), child);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("stop");
    TCase *tc = tcase_create("stop");
    tcase_add_checked_fixture(tc, setup, NULL);
    tcase_add_test(tc, first_signal_sets_the_flag);
    tcase_add_test(tc, second_signal_leaves_at_once);
    tcase_add_test(tc, broken_pipes_are_errors_not_deaths);
    tcase_add_test(tc, blocking_calls_end);
    suite_add_tcase(suite, tc);
    return unit_run(suite);
}
