/* Rows that wait: what goes in comes out, in order and whole, from memory and from the file. And the tally's sum. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <signal.h>

#include "sync/plan/spool.h"
#include "sync/report/tally.h"
#include "tests/unit/harness.h"

static struct err e;
static struct spool *s;

static void setup(void)
{
    e = (struct err)ERR_INIT;
    ck_assert_int_eq(spool_new(0, &s, &e), 0);
}

static void teardown(void)
{
    spool_free(s);
    err_clear(&e);
}

enum { BYTES_MAX = 40000 };
static char bytes[BYTES_MAX];

static uint64_t mix(uint64_t x)
{
    x = (x ^ (x >> 31)) * 0x9e3779b97f4a7c15U;
    return x ^ (x >> 29);
}

/* Everything about record n hangs on n alone; sizes from nothing to some kilobytes. */
static struct planned make(uint64_t n, size_t size_max)
{
    uint64_t h = mix(n + 1);
    struct planned p = {.op = n % 3 == 0 ? OP_NONE : n % 3 == 1 ? OP_CREATE : OP_UPDATE};
    p.target = (uint32_t)(h % 1000);
    p.from = (uint32_t)(h % 7);
    p.fields = (uint32_t)(h % 4096);
    p.created = h % 3 == 0;
    p.delete_if_there = h % 5 == 0;
    p.takes_place = h % 7 == 0;
    if (p.takes_place)
        memcpy(p.old_id.b, &h, sizeof h);
    p.remembered = (struct remembered){.kind = (enum remembered_kind)(h % 8),
                                       .reason = (enum reason)(h % REASON_N),
                                       .waits = h % 11 == 0,
                                       .first_row = h % 1000};
    p.custom_changed = (struct str){bytes, h % 9};
    p.entry.row = n + 1;
    p.entry.line = 2 * n + 2;
    p.entry.fingerprint = h;
    memcpy(p.entry.key.b, &h, sizeof h);
    p.entry.key_text = (struct str){bytes + h % 100, h % 50};
    p.entry.email = (struct str){bytes + h % 200, h % 60};
    p.entry.values = (struct str){bytes + h % 300, mix(h) % (size_max + 1)};
    p.entry.cells = (struct str){bytes + h % 400, h % 300};
    p.entry.retried = h % 2 == 0;
    p.entry.attempts = (unsigned)(h % 5);
    return p;
}

static void put(uint64_t n, size_t size_max)
{
    struct planned p = make(n, size_max);
    ck_assert_msg(spool_put(s, &p, &e) == 0, "%s", err_text(&e));
}

static void same(uint64_t n, size_t size_max, const struct planned *p)
{
    struct planned w = make(n, size_max);
    ck_assert_uint_eq(p->entry.row, w.entry.row);
    ck_assert_uint_eq(p->entry.line, w.entry.line);
    ck_assert(p->op == w.op && p->target == w.target && p->from == w.from && p->fields == w.fields);
    ck_assert(p->created == w.created && p->delete_if_there == w.delete_if_there && p->takes_place == w.takes_place);
    ck_assert(uuid_eq(&p->old_id, &w.old_id));
    ck_assert(p->remembered.kind == w.remembered.kind && p->remembered.reason == w.remembered.reason &&
              p->remembered.waits == w.remembered.waits && p->remembered.first_row == w.remembered.first_row);
    ck_assert(p->entry.fingerprint == w.entry.fingerprint && hash128_eq(&p->entry.key, &w.entry.key));
    ck_assert(str_eq(p->custom_changed, w.custom_changed) && str_eq(p->entry.key_text, w.entry.key_text));
    ck_assert(str_eq(p->entry.email, w.entry.email) && str_eq(p->entry.values, w.entry.values));
    ck_assert(str_eq(p->entry.cells, w.entry.cells));
    ck_assert(p->entry.retried == w.entry.retried && p->entry.attempts == w.entry.attempts);
}

static void take_all(uint64_t n, size_t size_max)
{
    struct planned p;
    for (uint64_t i = 0; i < n; i++) {
        ck_assert_uint_eq(spool_n(s), n - i);
        ck_assert_msg(spool_get(s, &p, &e) == 1, "%llu: %s", (unsigned long long)i, err_text(&e));
        same(i, size_max, &p);
    }
    ck_assert_int_eq(spool_get(s, &p, &e), 0);
    ck_assert_int_eq(spool_get(s, &p, &e), 0);
    ck_assert_uint_eq(spool_n(s), 0);
}

START_TEST(empty)
{
    take_all(0, 0);
}
END_TEST

START_TEST(in_memory)
{
    for (uint64_t i = 0; i < 100; i++)
        put(i, 100);
    take_all(100, 100);
}
END_TEST

/* Sizes around the memory's limit and the chunk in which a file is read. */
START_TEST(through_a_file)
{
    static const size_t sizes[] = {1, 100, 5000, 30000};
    uint64_t n = _i == 3 ? 400 : _i == 2 ? 1500 : 8000;
    for (uint64_t i = 0; i < n; i++)
        put(i, sizes[_i]);
    take_all(n, sizes[_i]);
}
END_TEST

/* A record larger than a chunk of the file. */
START_TEST(a_large_record)
{
    size_t n = 3 << 20;
    char *large = malloc(n);
    struct planned p, w = make(1, 10);
    ck_assert_ptr_nonnull(large);
    for (size_t i = 0; i < n; i++)
        large[i] = (char)mix(i);
    put(0, 10);
    w.entry.values = (struct str){large, n};
    ck_assert_int_eq(spool_put(s, &w, &e), 0);
    put(2, 10);
    ck_assert_int_eq(spool_get(s, &p, &e), 1);
    same(0, 10, &p);
    ck_assert_int_eq(spool_get(s, &p, &e), 1);
    ck_assert(str_eq(p.entry.values, w.entry.values));
    ck_assert_int_eq(spool_get(s, &p, &e), 1);
    same(2, 10, &p);
    ck_assert_int_eq(spool_get(s, &p, &e), 0);
    free(large);
}
END_TEST

START_TEST(chance)
{
    uint64_t n = mix((uint64_t)_i) % 3000;
    size_t size_max = mix((uint64_t)_i + 50) % 3000;
    for (uint64_t i = 0; i < n; i++)
        put(i, size_max);
    take_all(n, size_max);
}
END_TEST

/* The temporary file may not grow any more: an I/O error that says so, and no crash. */
START_TEST(a_full_disk)
{
    const struct rlimit none = {0, 0};
    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &none), 0);
    int rc = 0;
    for (uint64_t i = 0; rc == 0 && i < 1000; i++) {
        struct planned p = make(i, 30000);
        rc = spool_put(s, &p, &e);
    }
    ck_assert_int_eq(rc, -1);
    ck_assert_int_eq(e.status, XS_IO);
}
END_TEST

START_TEST(tally_sum)
{
    struct tally t = {0};
    ck_assert(tally_closes(&t));
    for (int o = OUTCOME_CREATED; o <= OUTCOME_FAILED; o++) {
        t.read++;
        ck_assert(!tally_closes(&t));
        tally_row(&t, (enum outcome)o, o == OUTCOME_SKIPPED ? REASON_IN_TARGET : REASON_NONE);
        ck_assert(tally_closes(&t));
    }
    t.read += 2;
    tally_cut_short(&t);
    ck_assert(tally_closes(&t));
    ck_assert_uint_eq(t.outcomes[OUTCOME_DEFERRED], 3);
    ck_assert_uint_eq(t.reasons[REASON_INTERRUPTED], 2);
    ck_assert_uint_eq(t.reasons[REASON_IN_TARGET], 1);
    ck_assert_uint_eq(t.reasons[REASON_NONE], 0);
    /* Removed leads are not rows. */
    tally_row(&t, OUTCOME_REMOVED, REASON_NONE);
    ck_assert(tally_closes(&t));
    /* A row without an outcome, a row twice. */
    t.read++;
    tally_row(&t, OUTCOME_NONE, REASON_NONE);
    ck_assert(!tally_closes(&t));
    t.outcomes[OUTCOME_NONE] = 0;
    tally_row(&t, OUTCOME_CREATED, REASON_NONE);
    ck_assert(tally_closes(&t));
    tally_row(&t, OUTCOME_CREATED, REASON_NONE);
    ck_assert(!tally_closes(&t));
}
END_TEST

int main(void)
{
    for (size_t i = 0; i < BYTES_MAX; i++)
        bytes[i] = (char)mix(i);
    Suite *suite = suite_create("spool");
    TCase *t = tcase_create("all");
    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, empty);
    tcase_add_test(t, in_memory);
    tcase_add_loop_test(t, through_a_file, 0, 4);
    tcase_add_test(t, a_large_record);
    tcase_add_loop_test(t, chance, 0, 12);
    tcase_add_test(t, a_full_disk);
    tcase_add_test(t, tally_sum);
    suite_add_tcase(suite, t);
    return unit_run(suite);
}
