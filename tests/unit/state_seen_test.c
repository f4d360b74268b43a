/* The index and the set of seen keys, against a plain array; spilling to the temporary file included. */
#include "config.h"

#include "tests/unit/state_kit.h"

#include "sync/state/lookup/index.h"
#include "sync/state/tables/pack.h"
#include "sync/state/lookup/seen.h"

#include <stdlib.h>
#include <string.h>

static struct hash128 key_of(uint64_t n)
{
    struct hash128 key;
    for (unsigned half = 0; half < 2; half++) {
        uint64_t v = kit_mix(2 * n + half);
        memcpy(key.b + (size_t)half * 8, &v, 8);
    }
    return key;
}

static int by_key(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct hash128));
}

/* The first n keys, in order: a file wants them so. */
static struct hash128 *sorted_keys(size_t n)
{
    struct hash128 *keys = calloc(n, sizeof *keys);
    ck_assert_ptr_nonnull(keys);
    for (size_t i = 0; i < n; i++)
        keys[i] = key_of(i);
    qsort(keys, n, sizeof *keys, by_key);
    return keys;
}

static int find(const struct index *x, struct hash128 key, int64_t *slot, uint64_t *fingerprint)
{
    struct err e = ERR_INIT;
    int found = index_find(x, &key, slot, fingerprint, &e);
    ck_assert_msg(found >= 0, "%s", err_text(&e));
    return found;
}

/* _i: enum index_place. */
START_TEST(index_finds_what_was_added_and_nothing_else)
{
    enum { N = 20000 };
    struct index x;
    struct err e = ERR_INIT;
    struct hash128 *keys = sorted_keys(N);
    int64_t slot;
    uint64_t fingerprint;
    ck_assert_int_eq(index_init(&x, N, (enum index_place)_i, &e), 0);
    ck_assert_int_eq(find(&x, (struct hash128){{1}}, &slot, &fingerprint), 0);
    for (size_t n = 0; n < N; n++)
        ck_assert_int_eq(index_add(&x, &keys[n], n, &e), 0);
    ck_assert_int_eq(index_done(&x, &e), 0);
    for (size_t n = 0; n < N; n++) {
        index_prefetch(&x, &keys[n]);
        ck_assert_int_eq(find(&x, keys[n], &slot, &fingerprint), 1);
        ck_assert_uint_eq(fingerprint, n);
        ck_assert(!index_seen(&x, slot));
        if (n % 3 == 0)
            index_mark(&x, slot);
        ck_assert_int_eq(find(&x, key_of(N + n), &slot, &fingerprint), 0);
    }
    for (size_t n = 0; n < N; n++) {
        ck_assert_int_eq(find(&x, keys[n], &slot, &fingerprint), 1);
        ck_assert_int_eq(index_seen(&x, slot), n % 3 == 0);
    }
    index_free(&x);
    free(keys);
}
END_TEST

START_TEST(index_takes_what_it_says)
{
    ck_assert_uint_le(index_bytes(20000, INDEX_IN_MEMORY), 20000 * 21 + 200);
    ck_assert_uint_le(index_bytes(5000000, INDEX_IN_FILE), 1 << 20);
}
END_TEST

/* Keys that all belong to the last slot, and twice the same one. */
START_TEST(index_goes_on_behind_the_end)
{
    enum { N = 300 };
    struct index x;
    struct err e = ERR_INIT;
    struct hash128 key;
    int64_t slot;
    uint64_t fingerprint;
    memset(key.b, 0xff, sizeof key.b);
    ck_assert_int_eq(index_init(&x, N, (enum index_place)_i, &e), 0);
    for (unsigned n = 0; n < N; n++) {
        key.b[14] = (unsigned char)(n >> 8);
        key.b[15] = (unsigned char)n;
        ck_assert_int_eq(index_add(&x, &key, n, &e), 0);
    }
    ck_assert_int_eq(index_add(&x, &key, 777, &e), 0);
    ck_assert_int_eq(index_done(&x, &e), 0);
    for (unsigned n = 0; n < N; n++) {
        key.b[14] = (unsigned char)(n >> 8);
        key.b[15] = (unsigned char)n;
        ck_assert_int_eq(find(&x, key, &slot, &fingerprint), 1);
        ck_assert_uint_eq(fingerprint, n);
        ck_assert(!index_seen(&x, slot));
        index_mark(&x, slot);
    }
    key.b[14] = 0xff;
    ck_assert_int_eq(find(&x, key, &slot, &fingerprint), 0);
    index_free(&x);
}
END_TEST

START_TEST(index_is_full_at_its_end_not_past_it)
{
    struct index x;
    struct err e = ERR_INIT;
    struct hash128 *keys = sorted_keys(1000);
    int64_t slot;
    uint64_t n = 0, fingerprint;
    ck_assert_int_eq(index_init(&x, 4, (enum index_place)_i, &e), 0);
    while (n < 1000 && index_add(&x, &keys[n], n, &e) == 0)
        n++;
    ck_assert_uint_lt(n, 1000);
    ck_assert_int_eq(e.status, XS_STATE);
    err_clear(&e);
    ck_assert_int_eq(index_done(&x, &e), 0);
    ck_assert_int_eq(find(&x, key_of(5000), &slot, &fingerprint), 0);
    index_free(&x);
    free(keys);
}
END_TEST

START_TEST(index_in_a_file_wants_keys_in_order_and_room)
{
    struct index x;
    struct err e = ERR_INIT;
    ck_assert_int_eq(index_init(&x, 4, INDEX_IN_FILE, &e), 0);
    ck_assert_int_eq(index_add(&x, &(struct hash128){{200}}, 1, &e), 0);
    ck_assert_int_eq(index_add(&x, &(struct hash128){{100}}, 1, &e), -1);
    ck_assert_int_eq(e.status, XS_STATE);
    err_clear(&e);
    index_free(&x);
    setenv("TMPDIR", "/nowhere", 1);
    ck_assert_int_eq(index_init(&x, 4, INDEX_IN_FILE, &e), -1);
    ck_assert_int_eq(e.status, XS_IO);
    err_clear(&e);
    index_free(&x);
    unsetenv("TMPDIR");
}
END_TEST

/* _i: memory in KB; the small ones spill many runs, with filters and without. */
START_TEST(seen_is_exact)
{
    enum { N = 60000 };
    struct seen s;
    struct err e = ERR_INIT;
    uint64_t row;
    seen_init(&s, (size_t)_i << 10);
    for (uint64_t n = 0; n < N; n++) {
        struct hash128 key = key_of(n);
        seen_prefetch(&s, &key); /* also before there is a table */
        ck_assert_int_eq(seen_put(&s, &key, n + 1, &row, &e), 0);
        if (n % 7 == 0) {
            struct hash128 old = key_of(kit_mix(n) % (n + 1));
            ck_assert_int_eq(seen_put(&s, &old, 999999, &row, &e), 1);
            ck_assert_uint_eq(row, kit_mix(n) % (n + 1) + 1);
        }
    }
    ck_assert_int_eq(s.runs_n > 0, _i < 2000);
    for (uint64_t n = 0; n < 2 * N; n++) {
        struct hash128 key = key_of(n);
        row = 0;
        ck_assert_int_eq(seen_find(&s, &key, &row, &e), n < N);
        ck_assert_uint_eq(row, n < N ? n + 1 : 0);
    }
    seen_free(&s);
}
END_TEST

START_TEST(seen_knows_odd_keys)
{
    struct seen s;
    struct err e = ERR_INIT;
    struct hash128 zero = {{0}}, ones;
    uint64_t row = 77;
    memset(ones.b, 0xff, sizeof ones.b);
    seen_init(&s, 0);
    ck_assert_int_eq(seen_find(&s, &zero, NULL, &e), 0);
    ck_assert_int_eq(seen_put(&s, &zero, 0, &row, &e), 0);
    ck_assert_int_eq(seen_put(&s, &ones, UINT64_C(1) << 50, &row, &e), 0);
    ck_assert_int_eq(seen_put(&s, &ones, 3, &row, &e), 1);
    ck_assert_uint_eq(row, 0); /* too large a row to remember */
    /* All keys in the last slot: they go round the end. */
    for (unsigned char i = 0; i < 200; i++) {
        ones.b[10] = i;
        ck_assert_int_eq(seen_put(&s, &ones, i + 1u, &row, &e), 0);
    }
    for (unsigned char i = 0; i < 200; i++) {
        ones.b[10] = i;
        ck_assert_int_eq(seen_find(&s, &ones, &row, &e), 1);
        ck_assert_uint_eq(row, i + 1u);
    }
    seen_free(&s);
    seen_free(&(struct seen){0});
}
END_TEST

START_TEST(seen_cannot_spill_without_a_place)
{
    struct seen s;
    struct err e = ERR_INIT;
    int rc = 0;
    setenv("TMPDIR", "/nonexistent", 1);
    seen_init(&s, 1 << 10);
    for (uint64_t n = 0; n < 5000 && rc == 0; n++) {
        struct hash128 key = key_of(n);
        rc = seen_put(&s, &key, n, NULL, &e);
    }
    ck_assert_int_eq(rc, -1);
    ck_assert_int_ne(e.status, XS_DONE);
    err_clear(&e);
    seen_free(&s);
}
END_TEST

/* ---- packed results ---- */

static struct result random_result(uint64_t seed, uint64_t i)
{
    uint64_t x = kit_mix(seed * 1000 + i);
    struct result r = {.target = x % 5 == 0 ? 9 : 4};
    struct entry *e = &r.entry;
    e->row = x % 11 == 0 ? 0 : x % 3 == 0 ? x : i + 1;
    e->line = x % 2 == 0 ? 0 : x % 13 == 0 ? UINT64_MAX : i + 2;
    e->outcome = (enum outcome)(x / 16 % OUTCOME_N);
    e->reason = (enum reason)(x / 64 % REASON_N);
    e->http_status = x % 3 == 0 ? 200 : 0;
    e->retried = x % 17 == 0;
    r.lead = x % 4 == 0 ? 0 : x % 5 == 0 ? x >> 5 : i + 1;
    e->has_lead_id = x % 6 == 0;
    if (e->has_lead_id)
        e->lead_id = kit_uuid(x);
    if (r.lead == 0) {
        e->key = key_of(x);
        e->key_text = STR("somebody@example.com");
    }
    if (x % 7 == 0)
        e->detail = STR("because");
    return r;
}

static void same(const struct result *a, const struct result *b)
{
    ck_assert_uint_eq(a->lead, b->lead);
    ck_assert_uint_eq(a->target, b->target);
    ck_assert_uint_eq(a->entry.row, b->entry.row);
    ck_assert_uint_eq(a->entry.line, b->entry.line);
    ck_assert_int_eq(a->entry.outcome, b->entry.outcome);
    ck_assert_int_eq(a->entry.reason, b->entry.reason);
    ck_assert_int_eq(a->entry.http_status, b->entry.http_status);
    ck_assert_int_eq(a->entry.retried, b->entry.retried);
    ck_assert_int_eq(a->entry.has_lead_id, b->entry.has_lead_id);
    ck_assert(uuid_eq(&a->entry.lead_id, &b->entry.lead_id));
    ck_assert(hash128_eq(&a->entry.key, &b->entry.key));
    ck_assert(str_eq(a->entry.key_text, b->entry.key_text));
    ck_assert(str_eq(a->entry.detail, b->entry.detail));
}

START_TEST(results_unpack_as_they_were_packed)
{
    enum { N = 300 };
    struct buf out = BUF_INIT(1 << 20);
    struct result_packer p;
    struct result_unpacker u;
    struct result r;
    result_packer_init(&p, 4, &out);
    for (uint64_t i = 0; i < N; i++) {
        r = random_result((uint64_t)_i, i);
        ck_assert_int_eq(result_pack(&p, &r), 0);
    }
    result_unpacker_init(&u, 4, buf_str(&out));
    for (uint64_t i = 0; i < N; i++) {
        struct result want = random_result((uint64_t)_i, i);
        ck_assert_int_eq(result_unpack(&u, &r), 1);
        same(&want, &r);
    }
    ck_assert_int_eq(result_unpack(&u, &r), 0);
    /* Whatever is cut or flipped, reading ends. */
    for (size_t i = 0; i < 2000; i++) {
        uint64_t x = kit_mix(i + (uint64_t)_i * 7919);
        size_t n = 1 + x % out.n;
        out.p[x / 7 % n] ^= (char)(1 + x % 255);
        result_unpacker_init(&u, 4, (struct str){out.p, n});
        size_t steps = 0;
        while (result_unpack(&u, &r) == 1)
            ck_assert_uint_le(++steps, n);
    }
    buf_free(&out);
}
END_TEST

START_TEST(created_rows_take_a_byte_each)
{
    struct buf out = BUF_INIT(4000);
    struct result_packer p;
    result_packer_init(&p, 4, &out);
    for (uint64_t i = 0; i < 1000; i++) {
        struct result r = {.target = 4, .lead = 100000 + i};
        r.entry.row = 5000 + i;
        r.entry.line = 5001 + i;
        r.entry.outcome = OUTCOME_CREATED;
        r.entry.http_status = 200;
        ck_assert_int_eq(result_pack(&p, &r), 0);
    }
    ck_assert_uint_le(out.n, 1020);
    /* A full buffer leaves what was packed as it was. */
    struct buf small = BUF_INIT(10);
    struct result r = {.target = 4, .entry = {.key_text = STR("long enough not to fit")}};
    result_packer_init(&p, 4, &small);
    ck_assert_int_eq(result_pack(&p, &r), -1);
    ck_assert_uint_eq(small.n, 0);
    ck_assert_int_eq(reject_pack(&small, 3, STR("long enough not to fit")), -1);
    ck_assert_uint_eq(small.n, 0);
    buf_free(&small);
    buf_free(&out);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("state_seen");
    TCase *c = tcase_create("index and seen");
    tcase_set_timeout(c, 60);
    tcase_add_loop_test(c, index_finds_what_was_added_and_nothing_else, INDEX_IN_MEMORY, INDEX_IN_FILE + 1);
    tcase_add_test(c, index_takes_what_it_says);
    tcase_add_loop_test(c, index_goes_on_behind_the_end, INDEX_IN_MEMORY, INDEX_IN_FILE + 1);
    tcase_add_loop_test(c, index_is_full_at_its_end_not_past_it, INDEX_IN_MEMORY, INDEX_IN_FILE + 1);
    tcase_add_test(c, index_in_a_file_wants_keys_in_order_and_room);
    tcase_add_loop_test(c, seen_is_exact, 64, 65);
    tcase_add_loop_test(c, seen_is_exact, 40, 41);
    tcase_add_loop_test(c, seen_is_exact, 400, 401);
    tcase_add_loop_test(c, seen_is_exact, 8000, 8001);
    tcase_add_test(c, seen_knows_odd_keys);
    tcase_add_test(c, seen_cannot_spill_without_a_place);
    suite_add_tcase(s, c);
    c = tcase_create("packed results");
    tcase_add_loop_test(c, results_unpack_as_they_were_packed, 0, 10);
    tcase_add_test(c, created_rows_take_a_byte_each);
    suite_add_tcase(s, c);
    return s;
}

int main(void)
{
    return unit_run(suite());
}
