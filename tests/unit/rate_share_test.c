/* One budget for several processes: slots never lie closer than the limit, whoever asks, and a file of nonsense harms
 * nobody. */
#include "config.h"

#include "sync/api/http/rate_share.h"
#include "sync/base/clock.h"
#include "tests/unit/harness.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char path[256];
static struct err e;

static void setup(void)
{
    char *folder = unit_tmpdir();
    snprintf(path, sizeof path, "%s/rate", folder);
    free(folder);
    e = (struct err)ERR_INIT;
}

static void teardown(void)
{
    err_clear(&e);
    unlink(path);
    char *slash = strrchr(path, '/');
    *slash = '\0';
    rmdir(path);
}

static struct rate_share *share(unsigned per_second, unsigned per_minute)
{
    struct rate_share *s;
    ck_assert_msg(rate_share_open(path, per_second, per_minute, &s, &e) == 0, "%s", err_text(&e));
    return s;
}

START_TEST(two_clients_share)
{
    struct rate_share *a = share(100, 0), *b = share(100, 0);
    ck_assert_int_eq(rate_share_wait_us(a, 1000000), 0);
    ck_assert_int_eq(rate_share_wait_us(a, 1000000), 0); /* held, not reserved anew */
    rate_share_use(a);
    ck_assert_int_eq(rate_share_wait_us(b, 1000000), 10200);
    ck_assert_int_eq(rate_share_wait_us(a, 1000000), 20400);
    ck_assert_int_eq(rate_share_wait_us(b, 1010200), 0);
    rate_share_use(b);
    ck_assert_int_eq(rate_share_wait_us(a, 9000000), 0); /* late is fine, and one slot is saved up */
    rate_share_use(a);
    ck_assert_int_eq(rate_share_wait_us(b, 9000000), 0);
    rate_share_use(b);
    ck_assert_int_eq(rate_share_wait_us(a, 9000000), 0);
    rate_share_use(a);
    ck_assert_int_eq(rate_share_wait_us(b, 9000000), 10200);
    rate_share_free(a);
    rate_share_free(b);
    rate_share_free(NULL);
}
END_TEST

START_TEST(the_tighter_limit_counts)
{
    struct rate_share *s = share(100, 60);
    ck_assert_int_eq(rate_share_wait_us(s, 0), 0);
    rate_share_use(s);
    ck_assert_int_eq(rate_share_wait_us(s, 0), 1020000);
    rate_share_free(s);
    s = share(0, 0); /* no limit: nothing to share */
    ck_assert_int_eq(rate_share_wait_us(s, 0), 0);
    rate_share_free(s);
}
END_TEST

START_TEST(a_pause_is_everybodys)
{
    struct rate_share *a = share(100, 0), *b = share(100, 0);
    rate_share_pause(a, 1000, 5001000);
    rate_share_pause(a, 1000, 3001000); /* a shorter one changes nothing */
    ck_assert_int_eq(rate_share_wait_us(b, 1000), 5000000);
    rate_share_free(a);
    rate_share_free(b);
}
END_TEST

static void write_file(const void *bytes, size_t n)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, bytes, n), (ssize_t)n);
    close(fd);
}

START_TEST(nonsense_in_the_file)
{
    char bytes[64];
    for (size_t n = 0; n <= sizeof bytes; n += 8) {
        memset(bytes, 0x7f, sizeof bytes);
        write_file(bytes, n);
        struct rate_share *s = share(100, 0);
        ck_assert_int_eq(rate_share_wait_us(s, 1000), 0);
        rate_share_free(s);
    }
    /* Of this program, but from a boot whose clock was far ahead. */
    struct rate_share *s = share(100, 0);
    ck_assert_int_eq(rate_share_wait_us(s, 90000000000), 0);
    rate_share_use(s);
    ck_assert_int_eq(rate_share_wait_us(s, 1000), 0);
    rate_share_free(s);
}
END_TEST

START_TEST(files_that_cannot_be)
{
    struct rate_share *s;
    ck_assert_int_eq(symlink("/etc/passwd", path), 0);
    ck_assert_int_eq(rate_share_open(path, 1, 0, &s, &e), -1);
    ck_assert_int_eq(e.status, XS_STATE);
    err_clear(&e);
    unlink(path);
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    ck_assert_int_eq(rate_share_open(path, 1, 0, &s, &e), -1);
    ck_assert_int_eq(e.status, XS_STATE);
    err_clear(&e);
    ck_assert_int_eq(rate_share_open("/nonexistent/x", 1, 0, &s, &e), -1);
    unlink(path);
    s = share(1, 0);
    struct stat st;
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_uint_eq(st.st_mode & 0777, 0600);
    rate_share_free(s);
}
END_TEST

/* Four processes take slots as fast as they can; all slots together keep their distance. */
START_TEST(several_processes)
{
    enum { PROCESSES = 4, SLOTS = 200 };
    int out[2];
    ck_assert_int_eq(pipe(out), 0);
    int64_t now = clock_system()->mono_us(clock_system());
    for (int i = 0; i < PROCESSES; i++) {
        pid_t pid = fork();
        ck_assert_int_ge(pid, 0);
        if (pid != 0)
            continue;
        struct rate_share *s = share(1000, 0);
        for (int k = 0; k < SLOTS; k++) {
            int64_t slot = now + rate_share_wait_us(s, now);
            rate_share_use(s);
            if (write(out[1], &slot, sizeof slot) != (ssize_t)sizeof slot)
                _exit(1);
        }
        rate_share_free(s);
        _exit(0);
    }
    close(out[1]);
    static unsigned char taken[PROCESSES * SLOTS];
    int64_t slot;
    size_t n = 0;
    memset(taken, 0, sizeof taken);
    while (read(out[0], &slot, sizeof slot) == (ssize_t)sizeof slot) {
        int64_t number = (slot - now) / 1020;
        ck_assert_int_eq((slot - now) % 1020, 0);
        ck_assert_int_lt(number, PROCESSES * SLOTS);
        ck_assert_uint_eq(taken[number], 0);
        taken[number] = 1;
        n++;
    }
    ck_assert_uint_eq(n, PROCESSES * SLOTS);
    for (int i = 0, status; i < PROCESSES; i++)
        ck_assert(wait(&status) > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    close(out[0]);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("rate_share");
    TCase *t = tcase_create("rate_share");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, two_clients_share);
    tcase_add_test(t, the_tighter_limit_counts);
    tcase_add_test(t, a_pause_is_everybodys);
    tcase_add_test(t, nonsense_in_the_file);
    tcase_add_test(t, files_that_cannot_be);
    tcase_add_test(t, several_processes);
    suite_add_tcase(s, t);
    return unit_run(s);
}
