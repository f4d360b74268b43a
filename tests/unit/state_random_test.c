/* Two ways must say the same, whatever happened before: lookups by index and by point, and a reader that overlays an
 * unmerged journal against the writer after the merge. Seeds are in the test's number. */
#include "config.h"

#include "sync/state/lookup/lookup.h"
#include "tests/unit/state_kit.h"

#include <stdlib.h>
#include <string.h>

enum { PEOPLE = 60, PRINTS = 3, ROUNDS = 12 };

static struct kit k;
static uint64_t seed;

static uint64_t rnd(uint64_t n)
{
    seed = kit_mix(seed);
    return seed % n;
}

/* Fingerprints as they are: 64 bits that have nothing to do with each other. */
static uint64_t print(uint64_t i)
{
    return kit_mix(1000 + i);
}

static void decide(struct entry *entry)
{
    static const enum reason skips[] = {REASON_IN_WORKSPACE, REASON_BLOCKLISTED,   REASON_UNSUBSCRIBED,
                                        REASON_BOUNCED,      REASON_DELETED_THERE, REASON_CONTACTED};
    static const enum reason failures[] = {REASON_GONE_THERE, REASON_API_ERROR, REASON_ATTEMPTS_EXHAUSTED,
                                           REASON_MOVE_NOT_DONE};
    entry->outcome = (enum outcome)(1 + rnd(OUTCOME_N - 1));
    if (entry->outcome == OUTCOME_SKIPPED || entry->outcome == OUTCOME_REJECTED)
        entry->reason = skips[rnd(sizeof skips / sizeof skips[0])];
    else if (entry->outcome == OUTCOME_FAILED || entry->outcome == OUTCOME_DEFERRED)
        entry->reason = failures[rnd(sizeof failures / sizeof failures[0])];
    if (rnd(2) == 0) {
        entry->has_lead_id = true;
        entry->lead_id = kit_uuid(1000 * rnd(3) + entry->row);
    }
    if (rnd(4) == 0)
        entry->values = STR_NONE;
}

/* A batch of random outcomes, or loose ones. Two entries of a batch may have one key. */
static void happen(void)
{
    struct entry entries[8];
    size_t n = 1 + rnd(8);
    for (size_t i = 0; i < n; i++) {
        uint64_t person = 1 + rnd(PEOPLE);
        entries[i] = kit_entry(&k, person, print(rnd(PRINTS)));
        decide(&entries[i]);
    }
    if (rnd(4) != 0) {
        kit_batch(&k, (enum op)(OP_CREATE + rnd(OP_N - 1)), k.target, entries, n);
        return;
    }
    for (size_t i = 0; i < n; i++)
        kit_ok(&k, state_entry_add(k.s, k.run, k.target, &entries[i], &k.e));
    kit_ok(&k, state_commit(k.s, &k.e));
}

static unsigned in_file; /* lookups whose index was in a file */

/* Everything that lookups say, as text. */
static void ask(struct state *s, uint64_t hint, struct buf *out)
{
    struct lookup_options o = {.refusal_context = 1, .rows_hint = hint};
    for (uint64_t p = 0; p < PRINTS; p++) {
        kit_ok(&k, state_lookup_start(s, &o, &k.e));
        in_file += s->lookup->indexed && s->lookup->leads.place == INDEX_IN_FILE;
        for (uint64_t n = 1; n <= PEOPLE + 5; n++) {
            struct remembered r;
            struct known_lead lead;
            struct hash128 key = kit_key(&k, n);
            kit_ok(&k, state_lookup(s, &key, print(p), n, &r, &k.e));
            int rc = kit_ok(&k, state_lead_get(s, &key, &k.arena, &lead, &k.e));
            ck_assert_int_eq(buf_addf(out, "%d/%d %d", (int)r.kind, (int)r.reason, rc), 0);
            if (rc == 1)
                ck_assert_int_eq(buf_addf(out, " fp %llx id %d target %u status %d flags %u text %.*s values %llx",
                                          (unsigned long long)lead.fingerprint, lead.has_lead_id ? lead.lead_id.b[0] : -1,
                                          lead.target, lead.status, lead.flags, STR_ARG(lead.key_text),
                                          (unsigned long long)hash_keyed64(state_secret(s), lead.values.p, lead.values.n)),
                                 0);
            ck_assert_int_eq(buf_adds(out, "\n"), 0);
        }
    }
    /* Even ones are seen; the others must come, in order. */
    kit_ok(&k, state_lookup_start(s, &o, &k.e));
    for (uint64_t n = 2; n <= PEOPLE; n += 2) {
        struct remembered r;
        struct hash128 key = kit_key(&k, n);
        kit_ok(&k, state_lookup(s, &key, 1, n, &r, &k.e));
    }
    struct unseen *u;
    struct hash128 key;
    struct known_lead lead;
    uint64_t mark;
    kit_ok(&k, state_unseen_open(s, false, &u, &k.e));
    while (kit_ok(&k, state_unseen_next(u, &key, &k.arena, &lead, &mark, &k.e)) == 1)
        ck_assert_int_eq(buf_addf(out, "unseen %.*s\n", STR_ARG(lead.key_text)), 0);
    state_unseen_close(u);
    arena_reset(&k.arena);
}

/* A retry is only told to readers: for a writer it is what it would be without. */
static void mask_retries(struct buf *b)
{
    for (char *p = b->p, *end = b->p + b->n; p < end; p++)
        if ((p == b->p || p[-1] == '\n') && (*p == '5' || *p == '0' || *p == '2'))
            *p = '?';
}

static void all_results(struct state *s, uint64_t run, struct buf *out)
{
    struct results *r;
    struct entry entry;
    enum op op;
    uint32_t target;
    uint64_t last = 0;
    kit_ok(&k, state_results_open(s, run, &r, &k.e));
    while (kit_ok(&k, state_results_next(r, &k.arena, &entry, &op, &target, &k.e)) == 1) {
        ck_assert_uint_ge(entry.row, last);
        last = entry.row;
        ck_assert_int_eq(buf_addf(out, "%llu %d %d %d %u %.*s\n", (unsigned long long)entry.row, (int)op, (int)entry.outcome,
                                  (int)entry.reason, target, STR_ARG(entry.key_text)),
                         0);
    }
    state_results_close(r);
    arena_reset(&k.arena);
}

/* The first line that differs is enough to read. */
static void equal(struct buf *a, struct buf *b, const char *what)
{
    const char *x = buf_cstr(a), *y = buf_cstr(b);
    for (;;) {
        size_t n = strcspn(x, "\n"), m = strcspn(y, "\n");
        ck_assert_msg(n == m && memcmp(x, y, n) == 0, "%s: %.*s | %.*s", what, (int)n, x, (int)m, y);
        if (x[n] == '\0')
            return;
        x += n + 1;
        y += m + 1;
    }
}

START_TEST(both_ways_say_the_same)
{
    struct buf texts[6];
    for (size_t i = 0; i < 6; i++)
        buf_init(&texts[i], 1 << 22);
    seed = (uint64_t)_i;
    kit_init(&k);
    if (_i % 2 == 1)
        k.memory_max = 1 << 10; /* the index goes into a file */
    kit_open(&k, STATE_WRITE);
    for (int round = 0; round < ROUNDS; round++) {
        kit_run(&k);
        for (size_t i = 1 + rnd(6); i > 0; i--)
            happen();
        for (size_t i = 0; i < 6; i++)
            buf_reset(&texts[i]);
        k.memory_max <<= 10; /* what is unmerged must fit a reader */
        struct state *reader = kit_reader(&k);
        k.memory_max >>= 10;
        ask(reader, 0, &texts[0]);
        ask(reader, 1, &texts[1]);
        all_results(reader, k.run, &texts[4]);
        state_close(reader);
        equal(&texts[0], &texts[1], "a reader with and without index");
        kit_merge(&k);
        ask(k.s, 0, &texts[2]);
        ask(k.s, 1, &texts[3]);
        all_results(k.s, k.run, &texts[5]);
        equal(&texts[2], &texts[3], "a writer with and without index");
        equal(&texts[4], &texts[5], "results before and after the merge");
        mask_retries(&texts[0]);
        mask_retries(&texts[2]);
        equal(&texts[0], &texts[2], "a reader before, a writer after the merge");
        kit_audit(&k);
        arena_reset(&k.arena);
    }
    ck_assert_int_eq(in_file > 0, _i % 2 == 1);
    for (size_t i = 0; i < 6; i++)
        buf_free(&texts[i]);
    kit_free(&k);
}
END_TEST

START_TEST(open_batches_are_open_for_readers)
{
    kit_init(&k);
    kit_open(&k, STATE_WRITE);
    kit_run(&k);
    struct entry done = kit_entry(&k, 1, 11), open = kit_entry(&k, 2, 11);
    done.outcome = OUTCOME_CREATED;
    kit_batch(&k, OP_CREATE, k.target, &done, 1);
    struct batch b = {.run = k.run, .op = OP_CREATE, .target = k.target, .entries = &open, .entries_n = 1};
    kit_ok(&k, state_batch_add(k.s, &b, &k.e));
    kit_ok(&k, state_commit(k.s, &k.e));
    struct state *writer = k.s;
    k.s = kit_reader(&k);
    ck_assert_int_eq(kit_lookup(&k, 1, 11, 0).kind, REMEMBERED_SAME);
    ck_assert_int_eq(kit_lookup(&k, 2, 11, 0).kind, REMEMBERED_OPEN);
    ck_assert_int_eq(kit_lookup(&k, 2, 12, 1).kind, REMEMBERED_OPEN);
    state_close(k.s);
    k.memory_max = 10; /* a journal that does not fit is said to be so, not half read */
    k.s = kit_reader(&k);
    struct lookup_options o = {.rows_hint = 0};
    kit_failed(&k, state_lookup_start(k.s, &o, &k.e), XS_STATE, "leadsync resume");
    state_close(k.s);
    k.s = writer;
    kit_free(&k);
}
END_TEST

START_TEST(an_index_that_finds_no_room_is_done_without)
{
    struct entry entries[PEOPLE];
    kit_init(&k);
    k.memory_max = 1 << 10;
    kit_open(&k, STATE_WRITE);
    kit_run(&k);
    for (size_t i = 0; i < PEOPLE; i++) {
        entries[i] = kit_entry(&k, i + 1, 11);
        entries[i].outcome = OUTCOME_CREATED;
    }
    kit_batch(&k, OP_CREATE, k.target, entries, PEOPLE);
    kit_merge(&k);
    ck_assert_int_eq(kit_lookup(&k, 1, 11, 0).kind, REMEMBERED_SAME);
    ck_assert(k.s->lookup->indexed);
    ck_assert_int_eq(k.s->lookup->leads.place, INDEX_IN_FILE);
    setenv("TMPDIR", "/nowhere", 1);
    ck_assert_int_eq(kit_lookup(&k, 1, 11, 0).kind, REMEMBERED_SAME);
    ck_assert(!k.s->lookup->indexed);
    ck_assert_int_eq(kit_lookup(&k, 2, 12, 0).kind, REMEMBERED_OTHER);
    ck_assert_int_eq(kit_lookup(&k, PEOPLE + 1, 11, 0).kind, REMEMBERED_NOTHING);
    unsetenv("TMPDIR");
    kit_audit(&k);
    kit_free(&k);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("state_random");
    TCase *c = tcase_create("random");
    tcase_set_timeout(c, 120);
    tcase_add_loop_test(c, both_ways_say_the_same, 0, 16);
    tcase_add_test(c, open_batches_are_open_for_readers);
    tcase_add_test(c, an_index_that_finds_no_room_is_done_without);
    suite_add_tcase(s, c);
    return s;
}

int main(void)
{
    return unit_run(suite());
}
