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
    const char *p = "\x05" "abc";
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

int main(void)
{
    Suite *suite = suite_create("row");
    TCase *tc = tcase_create("row");
    tcase_add_test(tc, there_and_back);
    tcase_add_test(tc, malformed_records_do_no_harm);
    suite_add_tcase(suite, tc);
    return unit_run(suite);
}
