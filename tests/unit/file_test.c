#include "config.h"

#include "sync/base/file.h"
#include "tests/unit/harness.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static char *folder; /* of the test that runs; Check forks for each */

static void setup(void)
{
    folder = unit_tmpdir();
}

static void teardown(void)
{
    free(folder);
}

static char *in_folder(const char *name)
{
    char *path = path_join(folder, name);
    ck_assert_ptr_nonnull(path);
    return path;
}

static void make(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    ck_assert_ptr_nonnull(f);
    ck_assert_int_ge(fputs(text, f), 0);
    ck_assert_int_eq(fclose(f), 0);
}

static void check_content(const char *path, const char *text)
{
    struct buf b = BUF_INIT(4096);
    struct err e = ERR_INIT;
    ck_assert_msg(file_read(path, &b, XS_CONFIG, XS_CONFIG, &e) == 0, "%s", err_text(&e));
    ck_assert_str_eq(buf_cstr(&b), text);
    buf_free(&b);
}

static size_t files_in_folder(void)
{
    char command[256];
    snprintf(command, sizeof command, "ls -A '%s' | wc -l", folder);
    FILE *f = popen(command, "r");
    unsigned n = 0;
    ck_assert_ptr_nonnull(f);
    ck_assert_int_eq(fscanf(f, "%u", &n), 1);
    pclose(f);
    return n;
}

static void check_failed(struct err *e, enum exit_status status, const char *part)
{
    ck_assert_int_eq(e->status, status);
    ck_assert_msg(strstr(err_text(e), part) != NULL, "\"%s\" says nothing of \"%s\"", err_text(e), part);
    err_clear(e);
}

/* Of root's files everything but the mode is alike. */
START_TEST(who_can_write_to_it)
{
    static const struct {
        mode_t mode;
        bool ours;
    } cases[] = {{0600, true}, {0644, true}, {0755, true}, {0660, false}, {0620, false}, {0602, false}, {0646, false}};
    char *path = in_folder("mode");
    make(path, "x");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct err e = ERR_INIT;
        struct buf b = BUF_INIT(10);
        bool ours = !cases[i].ours;
        ck_assert_int_eq(chmod(path, cases[i].mode), 0);
        ck_assert_int_eq(file_read_ours(path, &b, &ours, XS_CONFIG, XS_CONFIG, &e), 0);
        ck_assert_msg(ours == cases[i].ours, "mode %o", (unsigned)cases[i].mode);
        buf_free(&b);
    }
    if (geteuid() == 0) {
        struct err e = ERR_INIT;
        struct buf b = BUF_INIT(10);
        bool ours = true;
        ck_assert_int_eq(chmod(path, 0600), 0);
        ck_assert_int_eq(chown(path, 65534, 65534), 0);
        ck_assert_int_eq(file_read_ours(path, &b, &ours, XS_CONFIG, XS_CONFIG, &e), 0);
        ck_assert(!ours);
        buf_free(&b);
    }
    free(path);
}
END_TEST

START_TEST(who_can_write_to_its_folder)
{
    static const struct {
        mode_t mode;
        bool ours;
    } cases[] = {{0700, true}, {0755, true}, {01777, true}, {0777, false}, {0775, false}, {0757, false}};
    char *held = in_folder("held"), *path = in_folder("held/mode");
    ck_assert_int_eq(mkdir(held, 0700), 0);
    make(path, "x");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct err e = ERR_INIT;
        struct buf b = BUF_INIT(10);
        bool ours = !cases[i].ours;
        ck_assert_int_eq(chmod(held, cases[i].mode), 0);
        ck_assert_int_eq(file_read_ours(path, &b, &ours, XS_CONFIG, XS_CONFIG, &e), 0);
        ck_assert_msg(ours == cases[i].ours, "mode %o", (unsigned)cases[i].mode);
        buf_free(&b);
    }
    free(held);
    free(path);
}
END_TEST

START_TEST(reads_up_to_the_limit)
{
    char *path = in_folder("a");
    struct err e = ERR_INIT;
    struct buf b = BUF_INIT(10);
    make(path, "0123456789");
    ck_assert_int_eq(file_read(path, &b, XS_NO_SOURCE, XS_SOURCE, &e), 0);
    ck_assert_str_eq(buf_cstr(&b), "0123456789");
    buf_free(&b);
    buf_init(&b, 9);
    ck_assert_int_eq(file_read(path, &b, XS_NO_SOURCE, XS_SOURCE, &e), -1);
    check_failed(&e, XS_SOURCE, "larger than 9 bytes");
    buf_free(&b);
    make(path, "");
    ck_assert_int_eq(file_read(path, &b, XS_NO_SOURCE, XS_SOURCE, &e), 0);
    ck_assert_uint_eq(b.n, 0);
    buf_free(&b);
    free(path);
}
END_TEST

START_TEST(what_is_not_a_file_is_reported)
{
    char *path = in_folder("missing"), *pipe_path = in_folder("pipe");
    struct err e = ERR_INIT;
    struct buf b = BUF_INIT(10);
    ck_assert_int_eq(file_read(path, &b, XS_NO_SOURCE, XS_SOURCE, &e), -1);
    check_failed(&e, XS_NO_SOURCE, "missing");
    ck_assert_int_eq(file_read(folder, &b, XS_NO_SOURCE, XS_SOURCE, &e), -1);
    check_failed(&e, XS_SOURCE, "is a folder");
    ck_assert_int_eq(mkfifo(pipe_path, 0600), 0);
    ck_assert_int_eq(file_read(pipe_path, &b, XS_NO_SOURCE, XS_SOURCE, &e), -1);
    check_failed(&e, XS_SOURCE, "not a regular file");
    free(path);
    free(pipe_path);
}
END_TEST

START_TEST(output_appears_whole_or_not_at_all)
{
    char *path = in_folder("out");
    struct err e = ERR_INIT;
    struct output o;
    struct stat st;
    make(path, "old");
    ck_assert_int_eq(output_open(&o, path, 0640, &e), 0);
    fputs("new", o.f);
    fflush(o.f);
    check_content(path, "old");
    output_abandon(&o);
    output_abandon(&o);
    check_content(path, "old");
    ck_assert_uint_eq(files_in_folder(), 1);
    ck_assert_int_eq(output_open(&o, path, 0640, &e), 0);
    fputs("new", o.f);
    ck_assert_int_eq(output_commit(&o, &e), 0);
    output_abandon(&o);
    check_content(path, "new");
    ck_assert_uint_eq(files_in_folder(), 1);
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_uint_eq(st.st_mode & 0777, 0640);
    free(path);
}
END_TEST

START_TEST(a_new_file_is_there_whole_and_replaces_none)
{
    char *path = in_folder("new"), *nowhere = in_folder("none/new");
    struct err e = ERR_INIT;
    struct stat st;
    mode_t before = umask(0777);
    ck_assert_int_eq(file_publish(path, "first", 5, &e), 0);
    umask(before);
    check_content(path, "first");
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_uint_eq(st.st_mode & 0777, 0600);
    ck_assert_int_eq(file_publish(path, "second", 6, &e), 1);
    check_content(path, "first");
    ck_assert_int_eq(file_publish(nowhere, "x", 1, &e), -1);
    check_failed(&e, XS_STATE, "none/new");
    ck_assert_uint_eq(files_in_folder(), 1);
    free(path);
    free(nowhere);
}
END_TEST

START_TEST(a_new_file_that_does_not_fit_leaves_nothing)
{
    char *path = in_folder("new"), bytes[8192] = "";
    struct err e = ERR_INIT;
    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &(struct rlimit){4096, 4096}), 0);
    ck_assert_int_eq(file_publish(path, bytes, sizeof bytes, &e), -1);
    check_failed(&e, XS_IO, "new");
    ck_assert_uint_eq(files_in_folder(), 0);
    free(path);
}
END_TEST

START_TEST(output_in_the_working_folder)
{
    struct err e = ERR_INIT;
    struct output o;
    ck_assert_int_eq(chdir(folder), 0);
    ck_assert_int_eq(output_open(&o, "plain", 0600, &e), 0);
    fputs("x", o.f);
    ck_assert_int_eq(output_commit(&o, &e), 0);
    check_content("plain", "x");
    ck_assert_int_eq(chdir("/"), 0);
}
END_TEST

START_TEST(output_through_a_link_keeps_the_link)
{
    char *path = in_folder("real"), *link_path = in_folder("link");
    struct err e = ERR_INIT;
    struct output o;
    struct stat st;
    make(path, "old");
    ck_assert_int_eq(symlink("real", link_path), 0);
    ck_assert_int_eq(output_open(&o, link_path, 0600, &e), 0);
    fputs("new", o.f);
    ck_assert_int_eq(output_commit(&o, &e), 0);
    ck_assert_int_eq(lstat(link_path, &st), 0);
    ck_assert(S_ISLNK(st.st_mode));
    check_content(path, "new");
    free(path);
    free(link_path);
}
END_TEST

START_TEST(output_that_cannot_be)
{
    char *path = in_folder("no/such/folder");
    struct err e = ERR_INIT;
    struct output o;
    ck_assert_int_eq(output_open(&o, path, 0600, &e), -1);
    check_failed(&e, XS_STATE, "no/such/folder");
    output_abandon(&o);
    ck_assert_int_eq(output_open(&o, folder, 0600, &e), -1);
    check_failed(&e, XS_STATE, "is a folder");
    ck_assert_uint_eq(files_in_folder(), 0);
    free(path);
}
END_TEST

START_TEST(a_full_device_is_reported)
{
    struct err e = ERR_INIT;
    struct output o;
    if (access("/dev/full", W_OK) != 0)
        return;
    ck_assert_int_eq(output_open(&o, "/dev/full", 0600, &e), 0);
    fputs("x", o.f);
    ck_assert_int_eq(output_commit(&o, &e), -1);
    check_failed(&e, XS_IO, "/dev/full");
    /* A write that failed long before the end is not forgotten. */
    ck_assert_int_eq(output_open(&o, "/dev/full", 0600, &e), 0);
    for (int i = 0; i < 100000; i++)
        fputs("x", o.f);
    ck_assert_int_eq(output_commit(&o, &e), -1);
    check_failed(&e, XS_IO, "/dev/full");
}
END_TEST

START_TEST(a_failing_stdout_is_reported)
{
    struct err e = ERR_INIT;
    struct output o;
    int ends[2];
    int kept = dup(1);
    signal(SIGPIPE, SIG_IGN);
    ck_assert_int_eq(fflush(stdout), 0);
    ck_assert_int_eq(pipe(ends), 0);
    close(ends[0]);
    ck_assert_int_eq(dup2(ends[1], 1), 1);
    close(ends[1]);
    ck_assert_int_eq(output_open(&o, "-", 0600, &e), 0);
    ck_assert_ptr_eq(o.f, stdout);
    fputs("x\n", o.f);
    int result = output_commit(&o, &e);
    ck_assert_int_eq(dup2(kept, 1), 1);
    clearerr(stdout);
    ck_assert_int_eq(result, -1);
    check_failed(&e, XS_IO, "standard output");
    ck_assert_int_eq(output_open(&o, NULL, 0600, &e), 0);
    ck_assert_int_eq(output_commit(&o, &e), 0);
}
END_TEST

START_TEST(folders)
{
    char *path = in_folder("a//b/c/"), *file = in_folder("file"), *below = in_folder("file/x");
    struct err e = ERR_INIT;
    struct stat st;
    ck_assert_int_eq(folder_make(path, &e), 0);
    ck_assert_int_eq(folder_make(path, &e), 0);
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_uint_eq(st.st_mode & 0777, 0700);
    ck_assert_int_eq(folder_sync(path, &e), 0);
    ck_assert_int_eq(folder_make("/", &e), 0);
    make(file, "");
    ck_assert_int_eq(folder_make(file, &e), -1);
    check_failed(&e, XS_STATE, "cannot make folder");
    ck_assert_int_eq(folder_make(below, &e), -1);
    check_failed(&e, XS_STATE, "cannot make folder");
    ck_assert_int_eq(folder_sync("/no/such/folder/x", &e), -1);
    check_failed(&e, XS_IO, "/no/such/folder");
    ck_assert_int_eq(chdir(folder), 0);
    ck_assert_int_eq(folder_make("rel/ative", &e), 0);
    ck_assert_int_eq(folder_sync("rel", &e), 0);
    ck_assert_int_eq(stat("rel/ative", &st), 0);
    ck_assert_int_eq(chdir("/"), 0);
    free(path);
    free(file);
    free(below);
}
END_TEST

START_TEST(joined_paths)
{
    static const char *const cases[][3] = {
        {"a", "b", "a/b"}, {"a/", "b", "a/b"}, {"/", "b", "/b"}, {"a", "/b", "/b"}, {"", "b", "b"}, {"a", "", "a/"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *path = path_join(cases[i][0], cases[i][1]);
        ck_assert_str_eq(path, cases[i][2]);
        free(path);
    }
}
END_TEST

START_TEST(temporary_files_have_no_name)
{
    struct err e = ERR_INIT;
    struct stat st;
    setenv("TMPDIR", folder, 1);
    int fd = file_unlinked_tmp(&e);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(fstat(fd, &st), 0);
    ck_assert_uint_eq(st.st_nlink, 0);
    ck_assert_uint_eq(st.st_mode & 0777, 0600);
    ck_assert_int_eq(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    ck_assert_int_eq(write(fd, "x", 1), 1);
    ck_assert_uint_eq(files_in_folder(), 0);
    close(fd);
    setenv("TMPDIR", "/no/such/folder", 1);
    ck_assert_int_eq(file_unlinked_tmp(&e), -1);
    check_failed(&e, XS_IO, "TMPDIR");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("file");
    TCase *tc = tcase_create("file");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, who_can_write_to_it);
    tcase_add_test(tc, who_can_write_to_its_folder);
    tcase_add_test(tc, reads_up_to_the_limit);
    tcase_add_test(tc, what_is_not_a_file_is_reported);
    tcase_add_test(tc, output_appears_whole_or_not_at_all);
    tcase_add_test(tc, a_new_file_is_there_whole_and_replaces_none);
    tcase_add_test(tc, a_new_file_that_does_not_fit_leaves_nothing);
    tcase_add_test(tc, output_in_the_working_folder);
    tcase_add_test(tc, output_through_a_link_keeps_the_link);
    tcase_add_test(tc, output_that_cannot_be);
    tcase_add_test(tc, a_full_device_is_reported);
    tcase_add_test(tc, a_failing_stdout_is_reported);
    tcase_add_test(tc, folders);
    tcase_add_test(tc, joined_paths);
    tcase_add_test(tc, temporary_files_have_no_name);
    suite_add_tcase(suite, tc);
    return unit_run(suite);
}
