#include "config.h"

#include "sync/model/row.h"
#include "tests/unit/harness.h"

#include <stdlib.h>
#include <string.h>

static const struct cell cells[] = {
    {"a,b", 3, false}, {"", 0, false}, {NULL, 0, true}, {"\0\n", 2, false}, {"\xff", 1, false},
};
enum { N = sizeof cells / sizeof cells[0] };

START_TEST(there_and_back)
{
    struct buf b = BUF_INIT(1024);
    struct cell cell;
    ck_assert_int_eq(cells_pack(cells, N, &b), 0);
    const char *p = b.p, *end = b.p + b.n;
    for (size_t i = 0; i < N; i++) {
        ck_assert_int_eq(cells_next(&p, end, &cell), 1);
        ck_assert_uint_eq(cell.n, cells[i].n);
        ck_assert_int_eq(cell.null, cells[i].null);
        if (cell.n > 0)
            ck_assert_mem_eq(cell.p, cells[i].p, cell.n);
    }
    ck_assert_int_eq(cells_next(&p, end, &cell), 0);
    ck_assert_int_eq(cells_next(&p, end, &cell), 0);
    buf_reset(&b);
    ck_assert_int_eq(cells_pack(cells, 0, &b), 0);
    ck_assert_uint_eq(b.n, 0);
    buf_free(&b);
}
END_TEST

START_TEST(malformed_records_do_no_harm)
{
    struct buf b = BUF_INIT(1024);
    struct cell cell;
    ck_assert_int_eq(cells_pack(cells, N, &b), 0);
    for (size_t at = 0; at < b.n; at++) {
        for (unsigned byte = 0; byte < 256; byte++) {
            char *copy = malloc(b.n);
            memcpy(copy, b.p, b.n);
            copy[at] = (char)byte;
            const char *p = copy, *end = copy + b.n;
            int got;
            while ((got = cells_next(&p, end, &cell)) == 1)
                ck_assert(cell.n == 0 || cell.p + cell.n <= end);
            ck_assert(got == -1 || p == end);
            free(copy);
        }
    }
    const char *p = "\x05"
                    "abc";
    ck_assert_int_eq(cells_next(&p, p + 4, &cell), -1);
    for (size_t max = 0; max < b.n; max++) {
        struct buf small = BUF_INIT(max);
        ck_assert_int_eq(cells_pack(cells, N, &small), -1);
        ck_assert_uint_eq(small.n, 0);
        buf_free(&small);
    }
    buf_free(&b);
}
END_TEST

/* There and back, expanded into memory of its own so that ASan sees a byte too many. Returns the bytes it took. */
static size_t comes_back(const struct cell *row, size_t n, struct str base)
{
    struct buf packed = BUF_INIT(1 << 16), small = BUF_INIT(1 << 16), b = BUF_INIT(1 << 16);
    ck_assert_int_eq(cells_pack(row, n, &packed), 0);
    ck_assert_int_eq(cells_shrink(row, n, base, &small), 0);
    ck_assert_int_eq(cells_expand(buf_str(&small), base, &b), 0);
    ck_assert(str_eq(buf_str(&b), buf_str(&packed)));
    size_t took = small.n;
    buf_free(&packed);
    buf_free(&small);
    buf_free(&b);
    return took;
}

START_TEST(cells_are_found_by_another_text)
{
    static const struct cell row[] = {
        {"ada@example.com", 15, false}, {"Ada", 3, false}, {"Lovelace", 8, false}, {NULL, 0, true},
        {"not in it", 9, false},        {"Ada", 3, false}, {"", 0, false},
    };
    enum { ROW_N = sizeof row / sizeof row[0] };
    struct str base = STR("\1\x7c"
                          "ada@example.com"
                          "\x1a"
                          "Ada"
                          "\x42"
                          "Lovelace");
    /* Four of two bytes each; no value, and an empty one; one as it is. */
    ck_assert_uint_eq(comes_back(row, ROW_N, base), 4 * 2 + 2 * 2 + 2 + 9);
    comes_back(row, ROW_N, STR_NONE);
    ck_assert_uint_eq(comes_back(row, 0, base), 0);
    for (size_t max = 0; max < 23; max++) {
        struct buf tight = BUF_INIT(max);
        ck_assert_int_eq(cells_shrink(row, ROW_N, base, &tight), -1);
        ck_assert_uint_eq(tight.n, 0);
        buf_free(&tight);
    }
    struct buf small = BUF_INIT(1024);
    ck_assert_int_eq(cells_shrink(row, ROW_N, base, &small), 0);
    for (size_t max = 0; max < 30; max++) {
        struct buf tight = BUF_INIT(max);
        ck_assert_int_eq(cells_expand(buf_str(&small), base, &tight), -1);
        ck_assert_uint_eq(tight.n, 0);
        buf_free(&tight);
    }
    buf_free(&small);
}
END_TEST

START_TEST(any_cells_come_back)
{
    char bytes[300];
    unsigned long long random = 1;
    for (size_t round = 0; round < 20000; round++) {
        size_t n = round % sizeof bytes, base_n = round % 7 * 20;
        for (size_t i = 0; i < n; i++) {
            random = random * 6364136223846793005u + 1442695040888963407u;
            bytes[i] = (char)((random >> 33) % (round % 2 == 0 ? 6 : 256)); /* few values: cells that are in the base */
        }
        struct cell row[3] = {{bytes, n / 5, n % 11 == 0}, {bytes + n / 3, n / 4, false}, {bytes + n / 2, n / 2, false}};
        if (row[0].null)
            row[0].n = 0;
        comes_back(row, 3, (struct str){bytes + n / 3, base_n < n - n / 3 ? base_n : n - n / 3});
    }
}
END_TEST

START_TEST(malformed_shrunk_cells_do_no_harm)
{
    struct str base = STR("\1\x1a"
                          "Ada"
                          "\x42"
                          "Lovelace");
    struct buf small = BUF_INIT(1024), out = BUF_INIT(4096);
    static const struct cell row[] = {{"Ada", 3, false}, {"Lovelace", 8, false}, {"x", 1, false}};
    ck_assert_int_eq(cells_shrink(row, 3, base, &small), 0);
    struct str shrunk = buf_str(&small);
    for (size_t at = 0; at < shrunk.n; at++) {
        for (unsigned byte = 0; byte < 256; byte++) {
            char *copy = malloc(shrunk.n);
            memcpy(copy, shrunk.p, shrunk.n);
            copy[at] = (char)byte;
            buf_reset(&out);
            if (cells_expand((struct str){copy, shrunk.n}, base, &out) != 0)
                ck_assert_uint_eq(out.n, 0);
            free(copy);
        }
    }
    ck_assert_int_eq(cells_expand(STR("\x07\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), base, &out), -1);
    ck_assert_int_eq(cells_expand((struct str){shrunk.p, 1}, base, &out), -1);
    buf_free(&small);
    buf_free(&out);
}
END_TEST

static void is_shown(const struct cell *row, size_t n, size_t chars, const char *wanted)
{
    struct buf packed = BUF_INIT(1024), out = BUF_INIT(1024);
    ck_assert_int_eq(cells_pack(row, n, &packed), 0);
    ck_assert_int_eq(cells_show(buf_str(&packed), chars, &out), 0);
    ck_assert_uint_eq(out.n, strlen(wanted));
    ck_assert_mem_eq(out.n > 0 ? out.p : "", wanted, out.n);
    buf_free(&packed);
    buf_free(&out);
}

START_TEST(filled_cells_have_a_fixed_width)
{
    static const struct cell row[] = {{"", 0, false}, {"Tom", 3, false}, {NULL, 0, true}, {"Jör\xffg", 6, false}};
    is_shown(row, 4, 30, "Tom; Jör?g");
    is_shown(row, 4, 10, "Tom; Jör?g");
    is_shown(row, 4, 9, "Tom; Jör?…");
    is_shown(row, 4, 7, "Tom; Jö…");
    is_shown(row, 4, 3, "Tom…");
    is_shown(row, 2, 3, "Tom");
    is_shown(row, 1, 3, "");
    is_shown(row, 0, 3, "");
    struct buf none = BUF_INIT(16), small = BUF_INIT(4);
    ck_assert_int_eq(cells_show(STR_NONE, 3, &none), 0);
    ck_assert_uint_eq(none.n, 0);
    struct buf packed = BUF_INIT(64);
    ck_assert_int_eq(cells_pack(row, 4, &packed), 0);
    ck_assert_int_eq(cells_show(buf_str(&packed), 30, &small), -1);
    buf_free(&packed);
    buf_free(&none);
    buf_free(&small);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("row");
    TCase *tc = tcase_create("row");
    tcase_add_test(tc, there_and_back);
    tcase_add_test(tc, malformed_records_do_no_harm);
    tcase_add_test(tc, cells_are_found_by_another_text);
    tcase_add_test(tc, any_cells_come_back);
    tcase_add_test(tc, malformed_shrunk_cells_do_no_harm);
    tcase_add_test(tc, filled_cells_have_a_fixed_width);
    suite_add_tcase(suite, tc);
    return unit_run(suite);
}
