/* A CSV as a file, a pipe or stdin: what is missing, changes while it is read, or does not come. */
#include "config.h"

#include "connectors/source.h"
#include "sync/base/stop.h"
#include "tests/unit/harness.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct source_spec csv_spec(const char *path)
{
    return (struct source_spec){.kind = SOURCE_CSV, .as.csv = {.path = path, .header = true}};
}

static void write_file(const char *path, const char *mode, const char *text)
{
    FILE *f = fopen(path, mode);

    ck_assert_ptr_nonnull(f);
    fputs(text, f);
    fclose(f);
}

START_TEST(unavailable_files)
{
    char *dir = unit_tmpdir();
    char missing[300];
    struct source *s = NULL;
    struct err e = ERR_INIT;

    snprintf(missing, sizeof missing, "%s/none.csv", dir);
    struct source_spec spec = csv_spec(missing);
    ck_assert_int_eq(source_open(&spec, NULL, clock_system(), &s, &e), -1);
    ck_assert_int_eq(e.status, XS_NO_SOURCE);
    ck_assert_ptr_nonnull(strstr(err_text(&e), "none.csv: cannot be opened"));
    err_clear(&e);

    spec = csv_spec(dir);
    ck_assert_int_eq(source_open(&spec, NULL, clock_system(), &s, &e), -1);
    ck_assert_int_eq(e.status, XS_NO_SOURCE);
    ck_assert_ptr_nonnull(strstr(err_text(&e), "is a directory"));
    err_clear(&e);

    spec = csv_spec("/dev/null");
    ck_assert_int_eq(source_open(&spec, NULL, clock_system(), &s, &e), -1);
    ck_assert_int_eq(e.status, XS_SOURCE);
    err_clear(&e);
    free(dir);
}
END_TEST

START_TEST(stdin_is_read_and_places_are_named)
{
    char *dir = unit_tmpdir();
    char path[300];
    struct source *s = NULL;
    struct err e = ERR_INIT;
    struct row row;
    struct buf where = BUF_INIT(1000);

    snprintf(path, sizeof path, "%s/p.csv", dir);
    write_file(path, "w", "a;b\n\n1;2\n");
    ck_assert_ptr_nonnull(freopen(path, "r", stdin));
    struct source_spec spec = csv_spec("-");
    ck_assert_int_eq(source_open(&spec, NULL, clock_system(), &s, &e), 0);
    ck_assert_str_eq(s->label, "stdin");
    ck_assert_int_eq(s->delimiter, ';');
    ck_assert_uint_eq(s->bytes_total, 9);
    ck_assert_uint_eq(s->columns_n, 2);
    ck_assert_int_eq(source_next(s, &row, &e), 1);
    ck_assert_int_eq(source_where(s, &row, &where), 0);
    ck_assert_str_eq(buf_cstr(&where), "stdin:3");
    ck_assert_int_eq(source_next(s, &row, &e), 0);
    ck_assert_int_eq(source_next(s, &row, &e), 0);
    ck_assert_uint_eq(s->bytes_read, 9);
    source_close(s);

    struct source sql = {.label = "sqlite crm.db"};
    buf_reset(&where);
    ck_assert_int_eq(source_where(&sql, &(struct row){.number = 17}, &where), 0);
    ck_assert_str_eq(buf_cstr(&where), "row 17 of sqlite crm.db");
    buf_free(&where);
    free(dir);
}
END_TEST

static void write_rows(const char *path, unsigned n)
{
    FILE *f = fopen(path, "w");

    ck_assert_ptr_nonnull(f);
    fputs("a,b\n", f);
    for (unsigned i = 0; i < n; i++)
        fprintf(f, "%u,0123456789\n", i);
    fclose(f);
}

START_TEST(a_file_that_is_cut_while_read_is_an_error)
{
    char *dir = unit_tmpdir();
    char path[300];
    struct source *s = NULL;
    struct err e = ERR_INIT;
    struct row row;
    int got;

    snprintf(path, sizeof path, "%s/p.csv", dir);
    write_rows(path, 100000);
    struct source_spec spec = csv_spec(path);
    ck_assert_int_eq(source_open(&spec, NULL, clock_system(), &s, &e), 0);
    ck_assert_int_eq(source_next(s, &row, &e), 1);
    ck_assert_int_eq(truncate(path, 1000000), 0);
    while ((got = source_next(s, &row, &e)) > 0)
        continue;
    ck_assert_int_eq(got, -1);
    ck_assert_int_eq(e.status, XS_SOURCE);
    ck_assert_ptr_nonnull(strstr(err_text(&e), "was cut from"));
    err_clear(&e);
    source_close(s);
    free(dir);
}
END_TEST

/* Opens a file of many rows and reads the first; `then` is done to it before the rest is read. */
static const char *changed_by(void (*then)(const char *path), unsigned *rows)
{
    char *dir = unit_tmpdir();
    char path[300];
    struct source *s = NULL;
    struct err e = ERR_INIT;
    struct row row;

    snprintf(path, sizeof path, "%s/p.csv", dir);
    write_rows(path, 100000);
    struct source_spec spec = csv_spec(path);
    ck_assert_int_eq(source_open(&spec, NULL, clock_system(), &s, &e), 0);
    ck_assert_int_eq(source_next(s, &row, &e), 1);
    then(path);
    for (*rows = 1; source_next(s, &row, &e) > 0; ++*rows)
        ck_assert_ptr_null(s->changed);
    ck_assert_int_eq(e.status, XS_DONE);
    const char *changed = s->changed;
    ck_assert_int_eq(source_next(s, &row, &e), 0);
    ck_assert_ptr_eq(s->changed, changed);
    source_close(s);
    free(dir);
    return changed;
}

static void leave_alone(const char *path)
{
    (void)path;
}

static void add_row(const char *path)
{
    write_file(path, "a", "new,row\n");
}

static void add_half_a_row(const char *path)
{
    write_file(path, "a", "100000,x\n100001,0123");
}

static void put_another_in_its_place(const char *path)
{
    char other[400];

    snprintf(other, sizeof other, "%s.new", path);
    write_rows(other, 3);
    ck_assert_int_eq(rename(other, path), 0);
}

static void unlink_it(const char *path)
{
    ck_assert_int_eq(unlink(path), 0);
}

START_TEST(a_file_that_changes_while_read_says_so)
{
    unsigned rows;

    ck_assert_ptr_null(changed_by(leave_alone, &rows));
    ck_assert_uint_eq(rows, 100000);
    ck_assert_str_eq(changed_by(add_row, &rows), "was written to");
    ck_assert_uint_eq(rows, 100001);
    /* What may be half a row is none. */
    ck_assert_str_eq(changed_by(add_half_a_row, &rows), "was written to");
    ck_assert_uint_eq(rows, 100001);
    ck_assert_str_eq(changed_by(put_another_in_its_place, &rows), "was replaced");
    ck_assert_uint_eq(rows, 100000);
    ck_assert_str_eq(changed_by(unlink_it, &rows), "was replaced");
}
END_TEST

START_TEST(a_pipe_that_brings_nothing_does_not_outlive_a_signal)
{
    int ends[2];
    struct source *s = NULL;
    struct err e = ERR_INIT;

    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
    stop_set(SIGTERM);
    struct source_spec spec = csv_spec("-");
    ck_assert_int_eq(source_open(&spec, NULL, clock_system(), &s, &e), -1);
    ck_assert_int_eq(e.status, XS_SIGTERM);
    stop_set(0);
    err_clear(&e);
    close(ends[0]);
    close(ends[1]);
}
END_TEST

/* Opening a FIFO waits for no writer; reading does, and has its end. */
START_TEST(a_fifo_waits_for_its_writer)
{
    char *dir = unit_tmpdir();
    char path[600], command[700];
    struct clock *clock = clock_system();
    const struct source_read late = {.deadline_us = clock->mono_us(clock) + 100000};
    struct source *s = NULL;
    struct err e = ERR_INIT;
    struct row row;

    snprintf(path, sizeof path, "%s/people.csv", dir);
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    struct source_spec spec = csv_spec(path);
    ck_assert_int_eq(source_open(&spec, &late, clock, &s, &e), -1);
    ck_assert_int_eq(e.status, XS_LEFT_OVER);
    err_clear(&e);
    stop_set(SIGTERM);
    ck_assert_int_eq(source_open(&spec, NULL, clock, &s, &e), -1);
    ck_assert_int_eq(e.status, XS_SIGTERM);
    err_clear(&e);
    stop_set(0);
    snprintf(command, sizeof command, "(sleep 0.3; printf 'a\\nx\\n'; sleep 0.3; printf 'y\\n') >%s &", path);
    ck_assert_int_eq(system(command), 0);
    ck_assert_msg(source_open(&spec, NULL, clock, &s, &e) == 0, "%s", err_text(&e));
    ck_assert_int_eq(source_next(s, &row, &e), 1);
    ck_assert_int_eq(source_next(s, &row, &e), 1);
    ck_assert_int_eq(source_next(s, &row, &e), 0);
    source_close(s);
    free(dir);
}
END_TEST

START_TEST(a_pipe_is_read_to_its_end)
{
    int ends[2];
    struct source *s = NULL;
    struct err e = ERR_INIT;
    struct row row;

    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(write(ends[1], "a,b\n1,\"2\n3\"\n", 12), 12);
    close(ends[1]);
    ck_assert_int_eq(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
    close(ends[0]);
    struct source_spec spec = csv_spec("-");
    ck_assert_int_eq(source_open(&spec, NULL, clock_system(), &s, &e), 0);
    ck_assert_uint_eq(s->bytes_total, 0);
    ck_assert_int_eq(source_next(s, &row, &e), 1);
    ck_assert_uint_eq(row.cells[1].n, 3);
    ck_assert_int_eq(source_next(s, &row, &e), 0);
    source_close(s);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("csv_file");
    TCase *t = tcase_create("csv_file");

    tcase_set_timeout(t, 60);
    tcase_add_test(t, unavailable_files);
    tcase_add_test(t, stdin_is_read_and_places_are_named);
    tcase_add_test(t, a_file_that_is_cut_while_read_is_an_error);
    tcase_add_test(t, a_file_that_changes_while_read_says_so);
    tcase_add_test(t, a_pipe_that_brings_nothing_does_not_outlive_a_signal);
    tcase_add_test(t, a_fifo_waits_for_its_writer);
    tcase_add_test(t, a_pipe_is_read_to_its_end);
    suite_add_tcase(suite, t);
    return suite;
}

int main(void)
{
    return unit_run(make_suite());
}
