/* CSV: the cases of tests/cases/csv at every chunk boundary, the two ways of reading a row against each other, and files
 * that are missing or change. */
#include "config.h"

#include "connectors/csvrows.h"
#include "connectors/source.h"
#include "sync/base/log.h"
#include "sync/base/stop.h"
#include "tests/unit/csvcases.h"
#include "tests/unit/harness.h"

#include <csv.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const case_files[] = {"lines", "quotes", "ragged", "header", "delimiter", "encoding", "limits"};
static const size_t chunks[] = {0, 1, 2, 3, 7, 64, 4096};

/* Line by line: `warning` and `error` lines name a part of what came, others all of it. The encoding warning may come
 * before the columns or before the row, whichever the chunks bring first: warnings are compared apart. */
static bool line_matches(const char *want, size_t want_n, const char *got, size_t got_n)
{
    size_t head = strncmp(want, "error ", 6) == 0 ? 9 : strncmp(want, "warning ", 8) == 0 ? 8 : 0;

    if (head == 0)
        return want_n == got_n && memcmp(want, got, got_n) == 0;
    return got_n >= head && memcmp(want, got, head) == 0 && memmem(got, got_n, want + head, want_n - head) != NULL;
}

static bool lines_match(const char *want, const char *got, bool warnings)
{
    for (;;) {
        while (*want != '\0' && (strncmp(want, "warning ", 8) == 0) != warnings)
            want += strcspn(want, "\n") + 1;
        while (*got != '\0' && (strncmp(got, "warning ", 8) == 0) != warnings)
            got += strcspn(got, "\n") + 1;
        if (*want == '\0' || *got == '\0')
            return *want == *got;
        size_t want_n = strcspn(want, "\n"), got_n = strcspn(got, "\n");
        if (!line_matches(want, want_n, got, got_n))
            return false;
        want += want_n + 1;
        got += got_n + 1;
    }
}

/* Expected text has its \xHH turned into bytes, so that cells which are not UTF-8 can be written. */
static void expand_hex(struct buf *b)
{
    struct buf out = BUF_INIT(b->max);
    char hex[3] = "";

    for (const char *p = buf_cstr(b); *p != '\0'; p++) {
        if (p[0] == '\\' && p[1] == 'x') {
            memcpy(hex, p + 2, 2);
            buf_addc(&out, (char)strtol(hex, NULL, 16));
            p += 3;
        } else if (p[0] == '\\' && p[1] == '\\') {
            buf_add(&out, p++, 2);
        } else {
            buf_addc(&out, *p);
        }
    }
    buf_free(b);
    *b = out;
}

START_TEST(cases_are_read_as_written)
{
    char *path = NULL;
    struct csvcase c;
    unsigned line = 0, cases = 0;

    ck_assert_int_gt(asprintf(&path, "%s/tests/cases/csv/%s.case", unit_srcdir(), case_files[_i]), 0);
    FILE *f = fopen(path, "r");
    ck_assert_msg(f != NULL, "%s is missing", path);
    while (csvcase_read(f, &line, &c)) {
        cases++;
        expand_hex(&c.expect);
        for (size_t i = 0; i < sizeof chunks / sizeof chunks[0]; i++) {
            struct buf got = BUF_INIT(64 << 20);
            if (c.slow && chunks[i] > 0 && chunks[i] < 4096)
                continue;
            csvcase_run(&c, chunks[i], &got);
            if (!lines_match(buf_cstr(&c.expect), buf_cstr(&got), false) ||
                !lines_match(buf_cstr(&c.expect), buf_cstr(&got), true)) {
                fprintf(stderr, "%s:%u: %s, reads of %zu: expected\n%sgot\n%.4000s", path, c.line, c.title, chunks[i],
                        buf_cstr(&c.expect), buf_cstr(&got));
                ck_abort_msg("%s:%u differs", path, c.line);
            }
            buf_free(&got);
        }
        csvcase_free(&c);
    }
    csvcase_free(&c);
    ck_assert_uint_gt(cases, 4);
    fclose(f);
    free(path);
}
END_TEST

/* The reference: libcsv alone over the whole text, with rows and cells written down the same way. */
struct reference {
    struct buf text;
    size_t cells;
};

static void reference_cell(void *cell, size_t n, void *arg)
{
    struct reference *ref = arg;

    buf_addf(&ref->text, "[%.*s]", (int)n, (char *)cell);
    ref->cells++;
}

static void reference_row(int end, void *arg)
{
    struct reference *ref = arg;

    (void)end;
    buf_addf(&ref->text, "%zu\n", ref->cells);
    ref->cells = 0;
}

static int no_space(unsigned char c)
{
    (void)c;
    return 0;
}

static uint32_t next_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

static void random_text(uint32_t *seed, struct buf *out)
{
    static const char alphabet[] = "ab,,,\n\n\r\"\" ";
    size_t n = next_random(seed) % 60;

    buf_adds(out, "h,i\n");
    for (size_t i = 0; i < n; i++)
        buf_addc(out, alphabet[next_random(seed) % (sizeof alphabet - 1)]);
}

START_TEST(rows_without_quotes_are_what_libcsv_makes_of_them)
{
    for (uint32_t round = 1; round <= 2000; round++) {
        uint32_t seed = round * 2654435761u;
        struct csvcase c = {.delimiter = ',', .input = BUF_INIT(1024)};
        struct reference ref = {BUF_INIT(4096), 0};
        struct csv_parser parser;
        struct csvrows *rows = NULL;
        struct err e = ERR_INIT;
        struct input in;
        struct row row;
        struct buf got = BUF_INIT(4096);
        FILE *f = tmpfile();

        random_text(&seed, &c.input);
        csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI);
        csv_set_space_func(&parser, no_space);
        bool sound = csv_parse(&parser, c.input.p, c.input.n, reference_cell, reference_row, &ref) == c.input.n &&
                     csv_fini(&parser, reference_cell, reference_row, &ref) == 0;
        csv_free(&parser);

        fwrite(c.input.p, 1, c.input.n, f);
        fflush(f);
        rewind(f);
        ck_assert_int_eq(input_init(&in, fileno(f), "random", &e), 0);
        in.chunk_max = 1 + round % 5;
        struct csvrows_format format = {.delimiter = ',', .header = true, .field_max = 100};
        ck_assert_int_eq(csvrows_new(&in, &format, &rows, &e), 0);
        buf_adds(&got, "[h][i]2\n");
        int more;
        while ((more = csvrows_next(rows, &row, &e)) > 0) {
            for (size_t i = 0; i < row.n; i++)
                buf_addf(&got, "[%.*s]", (int)row.cells[i].n, row.cells[i].p);
            buf_addf(&got, "%zu\n", row.n);
        }
        ck_assert_msg(sound == (more == 0), "round %u: libcsv %d, ours %d: %s", round, sound, more, err_text(&e));
        if (sound)
            ck_assert_str_eq(buf_cstr(&got), buf_cstr(&ref.text));
        csvrows_free(rows);
        err_clear(&e);
        buf_free(&got);
        buf_free(&ref.text);
        buf_free(&c.input);
        fclose(f);
    }
}
END_TEST

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

START_TEST(files_that_cannot_be_had)
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

START_TEST(a_file_that_grows_while_read_is_warned_about)
{
    char *dir = unit_tmpdir(), text[400] = "";
    char path[300];
    struct source *s = NULL;
    struct err e = ERR_INIT;
    struct row row;
    unsigned rows = 0;
    FILE *log = tmpfile();

    snprintf(path, sizeof path, "%s/p.csv", dir);
    write_rows(path, 100000);
    log_configure(&(struct log_config){.level = LOG_WARNING, .out = log});
    struct source_spec spec = csv_spec(path);
    ck_assert_int_eq(source_open(&spec, NULL, clock_system(), &s, &e), 0);
    write_file(path, "a", "new,row\n");
    while (source_next(s, &row, &e) > 0)
        rows++;
    ck_assert_uint_eq(rows, 100001);
    rewind(log);
    ck_assert_ptr_nonnull(fgets(text, sizeof text, log));
    ck_assert_ptr_nonnull(strstr(text, "was written to while it was read"));
    source_close(s);
    log_configure(&(struct log_config){.level = LOG_NOTICE});
    fclose(log);
    free(dir);
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
    Suite *suite = suite_create("csv");
    TCase *t = tcase_create("csv");

    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, cases_are_read_as_written, 0, sizeof case_files / sizeof case_files[0]);
    tcase_add_test(t, rows_without_quotes_are_what_libcsv_makes_of_them);
    tcase_add_test(t, files_that_cannot_be_had);
    tcase_add_test(t, stdin_is_read_and_places_are_named);
    tcase_add_test(t, a_file_that_is_cut_while_read_is_an_error);
    tcase_add_test(t, a_file_that_grows_while_read_is_warned_about);
    tcase_add_test(t, a_pipe_that_brings_nothing_does_not_outlive_a_signal);
    tcase_add_test(t, a_pipe_is_read_to_its_end);
    suite_add_tcase(suite, t);
    return suite;
}

int main(void)
{
    return unit_run(make_suite());
}
