/* CSV: the cases of tests/cases/csv at every chunk boundary, and the two ways of reading a row against each other. */
#include "config.h"

#include "connectors/csv/csvrows.h"
#include "tests/unit/csvcases.h"
#include "tests/unit/csvreference.h"
#include "tests/unit/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const case_files[] = {"lines",    "quotes", "ragged", "header",  "delimiter",
                                         "encoding", "kind",   "limits", "embedded"};
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

static uint32_t next_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

/* Rows of whole cells, most of them well-formed, or (`hostile`) the same bytes in any order. */
static void random_text(uint32_t *seed, bool hostile, char delimiter, struct buf *out)
{
    static const char *const cells[] = {
        "",          "a",        "bc d",       "\"\"",   "\"a\"",    "\"a,b;c\"", "\"a\"\"b\"",   "\"\"\"\"", "\"\"\"a\"",
        "\"a\"\"\"", "\"a\nb\"", "\"a\r\nb\"", "\"\r\"", "\"\n\n\"", "\xc3\xbc",  "\"\xc3\xbc\"", "'",        "\\",
    };
    static const char *const stray[] = {"a\"b",   "\"a\"b",  " \"a\"",  "\"a\" ",      "\"",       "\"a\"\"", "a\"",
                                        "\"\"\"", "6\" x\"", " a\"\"b", "\t\"a\nb\" ", "\"a\" \"", "=\"0\"",  " "};
    static const char *const ends[] = {"\n", "\r\n", "\r", "\n\n", "\r\r\n"};
    static const char alphabet[] = "ab,,,;\n\n\r\"\"\" ";
    size_t n = next_random(seed) % 40;

    for (size_t i = 0; i < n; i++) {
        if (hostile) {
            buf_addc(out, alphabet[next_random(seed) % (sizeof alphabet - 1)]);
            continue;
        }
        buf_adds(out, next_random(seed) % 60 == 0 ? stray[next_random(seed) % (sizeof stray / sizeof stray[0])]
                                                  : cells[next_random(seed) % (sizeof cells / sizeof cells[0])]);
        if (next_random(seed) % 4 > 0)
            buf_addc(out, delimiter);
        else
            buf_adds(out, ends[next_random(seed) % (sizeof ends / sizeof ends[0])]);
    }
}

/* What the reader makes of a text in reads of `chunk` bytes: 0 or -1, as csvrows_next() ended. */
static int read_text(struct str text, char delimiter, size_t chunk, FILE *f, struct buf *out)
{
    static const struct str names[] = {{"h", 1}, {"i", 1}};
    const struct csvrows_format format = {.delimiter = delimiter,
                                          .encoding = "UTF-8",
                                          .names = names,
                                          .names_n = 2,
                                          .embedded_rows = true,
                                          .silent = true,
                                          .field_max = 100};
    struct csvrows *rows = NULL;
    struct err e = ERR_INIT;
    struct input in;
    struct row row;
    int more;

    rewind(f);
    ck_assert_int_eq(ftruncate(fileno(f), 0), 0);
    ck_assert_uint_eq(fwrite(text.p, 1, text.n, f), text.n);
    rewind(f);
    ck_assert_int_eq(input_init(&in, fileno(f), "random", &e), 0);
    in.chunk_max = chunk;
    ck_assert_int_eq(csvrows_new(&in, &format, &rows, &e), 0);
    while ((more = csvrows_next(rows, &row, &e)) > 0)
        csvreference_row(row.cells, row.n, out);
    csvrows_free(rows);
    err_clear(&e);
    return more;
}

START_TEST(rows_are_what_another_reader_makes_of_them)
{
    FILE *f = tmpfile();
    unsigned sound_n = 0;
    enum { ROUNDS = 20000 };

    for (uint32_t round = 1; round <= ROUNDS; round++) {
        uint32_t seed = round * 2654435761u;
        char delimiter = ",;"[round % 2];
        struct buf text = BUF_INIT(4096), want = BUF_INIT(8192), got = BUF_INIT(8192);

        buf_adds(&text, "0");
        random_text(&seed, round % 3 == 0, delimiter, &text);
        bool sound = csvreference_rows(buf_str(&text), delimiter, &want);
        int end = read_text(buf_str(&text), delimiter, round % 6, f, &got);
        if (sound != (end == 0) || !str_eq(buf_str(&got), buf_str(&want)))
            ck_abort_msg("round %u: the reference (sound: %d) made\n%sours (%d) made\n%sof\n%s", round, sound,
                         buf_cstr(&want), end, buf_cstr(&got), buf_cstr(&text));
        sound_n += sound;
        buf_free(&text);
        buf_free(&want);
        buf_free(&got);
    }
    /* Neither all of them nor none: both ends were compared. */
    ck_assert_uint_gt(sound_n, ROUNDS / 4);
    ck_assert_uint_lt(sound_n, ROUNDS / 4 * 3);
    fclose(f);
}
END_TEST

/* A row that is longer than its window's limit, with quotes and without, and cells at the limit of a field. */
START_TEST(long_rows_are_cut_the_same_with_quotes_and_without)
{
    enum { LONG = 5000000, CELL = 1000 };
    static const struct str names[] = {{"h", 1}, {"i", 1}};
    const struct csvrows_format format = {.delimiter = ',',
                                          .encoding = "UTF-8",
                                          .names = names,
                                          .names_n = 2,
                                          .field_max = 1100000};
    for (int quoted = 0; quoted < 2; quoted++) {
        FILE *f = tmpfile();
        struct csvrows *rows = NULL;
        struct err e = ERR_INIT;
        struct input in;
        struct row row;
        for (int i = 0; i < LONG / CELL; i++)
            fprintf(f, quoted ? "\"%0*d\"," : "%0*d,", CELL, i);
        fprintf(f, "end\n1,%s\n", quoted ? "\"2\"" : "2");
        rewind(f);
        ck_assert_int_eq(input_init(&in, fileno(f), "long", &e), 0);
        ck_assert_int_eq(csvrows_new(&in, &format, &rows, &e), 0);
        ck_assert_int_eq(csvrows_next(rows, &row, &e), 1);
        ck_assert_int_eq(row.defect, REASON_FIELD_TOO_LONG);
        ck_assert_uint_eq(row.n, LONG / CELL + 1);
        ck_assert_int_eq(csvrows_next(rows, &row, &e), 1);
        ck_assert_int_eq(row.defect, REASON_NONE);
        ck_assert_uint_eq(row.line, 2);
        ck_assert_uint_eq(row.cells[1].n, 1);
        csvrows_free(rows);
        fclose(f);
    }
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("csv");
    TCase *t = tcase_create("csv");

    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, cases_are_read_as_written, 0, sizeof case_files / sizeof case_files[0]);
    tcase_add_test(t, rows_are_what_another_reader_makes_of_them);
    tcase_add_test(t, long_rows_are_cut_the_same_with_quotes_and_without);
    suite_add_tcase(suite, t);
    return suite;
}

int main(void)
{
    return unit_run(make_suite());
}
