#include "config.h"

#include "sync/model/entry.h"
#include "tests/unit/harness.h"

#include <stdlib.h>
#include <string.h>

enum { MAX = 1 << 20 };

static struct entry sample(void)
{
    struct entry entry = {.fingerprint = 0x1122334455667788u,
                          .row = 1841,
                          .line = 99999999999,
                          .key_text = STR("ada@example.com"),
                          .email = STR("Ada@example.com"),
                          .values = STR("\1\0\0"),
                          .cells = STR("\2x"),
                          .retried = true,
                          .staged = true,
                          .by_address = true,
                          .attempts = 3,
                          .outcome = OUTCOME_FAILED,
                          .reason = REASON_GONE_THERE,
                          .http_status = 404,
                          .has_lead_id = true,
                          .detail = STR("no such lead"),
                          .changes = STR("first_name: Ann -> Anna")};
    memset(entry.key.b, 0xab, sizeof entry.key.b);
    memset(entry.lead_id.b, 0xcd, sizeof entry.lead_id.b);
    return entry;
}

/* One whose texts are all in its values. */
static struct entry sample_by_values(void)
{
    struct entry entry = sample();
    entry.values = STR("\1\0\1\x7c"
                       "ada@example.com"
                       "\x1a"
                       "Ada");
    entry.email = entry.key_text;
    entry.cells = STR_NONE;
    entry.cells_by_values = STR("\x1f\x08"
                                "\7\2"
                                "\4\2x"); /* as cells_shrink() writes them */
    return entry;
}

static struct str cells_of(const struct entry *entry)
{
    static struct buf scratch = BUF_INIT(MAX);
    struct str cells;
    ck_assert_int_eq(entry_cells(entry, &scratch, &cells), 0);
    return cells;
}

static void goes_there_and_back(struct entry in)
{
    struct entry out;
    struct buf b = BUF_INIT(MAX);
    ck_assert_int_eq(entry_pack_intent(&in, &b), 0);
    ck_assert_int_eq(entry_pack_outcome(&in, &b), 0);
    const char *p = b.p, *end = b.p + b.n;
    ck_assert_int_eq(entry_unpack_intent(&p, end, &out), 0);
    ck_assert_int_eq(out.outcome, OUTCOME_NONE);
    ck_assert(out.has_lead_id);
    ck_assert(uuid_eq(&out.lead_id, &in.lead_id));
    ck_assert_int_eq(entry_unpack_outcome(&p, end, &out), 0);
    ck_assert_ptr_eq(p, end);
    ck_assert(hash128_eq(&in.key, &out.key));
    ck_assert_uint_eq(out.fingerprint, in.fingerprint);
    ck_assert_uint_eq(out.row, 1841);
    ck_assert_uint_eq(out.line, 99999999999);
    ck_assert(str_eq(out.key_text, in.key_text));
    ck_assert(str_eq(out.email, in.email));
    ck_assert(str_eq(out.values, in.values));
    ck_assert(str_eq(out.hashes, in.hashes));
    if (in.cells.n > 0)
        ck_assert(str_eq(cells_of(&out), in.cells));
    else
        ck_assert(str_is(cells_of(&out), "\x10"
                                         "ada@example.com"
                                         "\4"
                                         "Ada"
                                         "\2x"));
    ck_assert(out.retried && out.staged && out.by_address);
    ck_assert_uint_eq(out.attempts, 3);
    ck_assert_int_eq(out.outcome, OUTCOME_FAILED);
    ck_assert_int_eq(out.reason, REASON_GONE_THERE);
    ck_assert_int_eq(out.http_status, 404);
    ck_assert(out.has_lead_id);
    ck_assert(uuid_eq(&out.lead_id, &in.lead_id));
    ck_assert_int_eq(out.unproved, in.unproved);
    ck_assert(str_eq(out.detail, in.detail));
    ck_assert(str_eq(out.changes, in.changes));
    /* What was read may be written again, as the merge does with rows that are to be tried once more. */
    struct buf again = BUF_INIT(MAX);
    ck_assert_int_eq(entry_pack_intent(&out, &again), 0);
    ck_assert_int_eq(entry_pack_outcome(&out, &again), 0);
    ck_assert(str_eq(buf_str(&again), buf_str(&b)));
    buf_free(&again);
    buf_free(&b);
}

/* A lead of which the state has hashes, and an outcome that does not prove what was written. */
static struct entry sample_of_hashes(void)
{
    struct entry entry = sample();
    entry.values = STR_NONE;
    entry.hashes = STR("01234567abcdefgh");
    entry.unproved = true;
    return entry;
}

START_TEST(there_and_back)
{
    goes_there_and_back(sample());
    goes_there_and_back(sample_by_values());
    goes_there_and_back(sample_of_hashes());
}
END_TEST

/* The record of version 1, every text in full. */
START_TEST(older_records_are_read)
{
    static const char record[] = "\x2e\0\0\0"
                                 "0123456789abcdef"
                                 "\1\0\0\0\0\0\0\0"
                                 "\7"
                                 "\x9"
                                 "\3ada"
                                 "\3Ada"
                                 "\6\1\0adaA"
                                 "\2\2x"
                                 "\1"
                                 "\2";
    const char *p = record, *end = record + sizeof record - 1;
    struct entry out;
    ck_assert_int_eq(entry_unpack_intent(&p, end, &out), 0);
    ck_assert_ptr_eq(p, end);
    ck_assert(str_is(out.key_text, "ada"));
    ck_assert(str_is(out.email, "Ada"));
    ck_assert(str_is(cells_of(&out), "\2x"));
    ck_assert(out.retried);
    ck_assert_uint_eq(out.attempts, 2);
}
END_TEST

START_TEST(texts_are_said_once)
{
    struct entry in = sample_by_values(), bare = in;
    struct buf b = BUF_INIT(MAX), without = BUF_INIT(MAX);
    bare.key_text = bare.email = bare.cells_by_values = STR_NONE;
    ck_assert_int_eq(entry_pack_intent(&in, &b), 0);
    ck_assert_int_eq(entry_pack_intent(&bare, &without), 0);
    ck_assert_uint_le(b.n, without.n + 12);
    buf_free(&b);
    buf_free(&without);
}
END_TEST

START_TEST(empty_entries)
{
    struct entry in = {0}, out = sample();
    struct buf b = BUF_INIT(MAX);
    ck_assert_int_eq(entry_pack_outcome(&in, &b), 0);
    const char *p = b.p;
    ck_assert_int_eq(entry_unpack_outcome(&p, b.p + b.n, &out), 0);
    ck_assert_int_eq(out.outcome, OUTCOME_NONE);
    ck_assert(!out.has_lead_id);
    ck_assert(uuid_is_nil(&out.lead_id));
    ck_assert_uint_eq(out.detail.n, 0);
    ck_assert_uint_eq(out.row, 1841); /* the intent's part is left alone */
    buf_reset(&b);
    ck_assert_int_eq(entry_pack_intent(&in, &b), 0);
    p = b.p;
    ck_assert_int_eq(entry_unpack_intent(&p, b.p + b.n, &out), 0);
    ck_assert(!out.retried);
    ck_assert(!out.has_lead_id);
    ck_assert_uint_eq(out.email.n, 0);
    buf_free(&b);
}
END_TEST

START_TEST(later_fields_are_skipped)
{
    struct entry in = sample(), out;
    struct buf b = BUF_INIT(MAX);
    ck_assert_int_eq(entry_pack_intent(&in, &b), 0);
    ck_assert_int_eq(buf_adds(&b, "new"), 0);
    b.p[0] = (char)(b.p[0] + 3);
    ck_assert_int_eq(entry_pack_intent(&in, &b), 0);
    const char *p = b.p, *end = b.p + b.n;
    ck_assert_int_eq(entry_unpack_intent(&p, end, &out), 0);
    ck_assert_int_eq(entry_unpack_intent(&p, end, &out), 0);
    ck_assert_ptr_eq(p, end);
    ck_assert_uint_eq(out.row, 1841);
    buf_free(&b);
}
END_TEST

typedef int packer(const struct entry *entry, struct buf *out);
typedef int unpacker(const char **p, const char *end, struct entry *out);

/* Cut and changed records fail or give something; ASan looks on that nothing outside is read. */
static void torture(struct entry in, packer *pack, unpacker *unpack)
{
    struct entry out = {0};
    struct buf b = BUF_INIT(MAX);
    ck_assert_int_eq(pack(&in, &b), 0);
    for (size_t cut = 0; cut < b.n; cut++) {
        char *copy = malloc(cut + 1);
        memcpy(copy, b.p, cut);
        const char *p = copy;
        ck_assert_int_eq(unpack(&p, copy + cut, &out), -1);
        ck_assert_ptr_eq(p, copy);
        free(copy);
    }
    for (size_t at = 0; at < b.n; at++) {
        for (unsigned byte = 0; byte < 256; byte++) {
            char *copy = malloc(b.n);
            memcpy(copy, b.p, b.n);
            copy[at] = (char)byte;
            const char *p = copy, *end = copy + b.n;
            if (unpack(&p, end, &out) == 0) {
                struct buf scratch = BUF_INIT(MAX);
                struct str cells;
                if (entry_cells(&out, &scratch, &cells) != 0)
                    ck_assert_uint_eq(scratch.n, 0);
                buf_free(&scratch);
                ck_assert(p > copy && p <= end);
                ck_assert_uint_lt((unsigned)out.outcome, OUTCOME_N);
                ck_assert_uint_lt((unsigned)out.reason, REASON_N);
            }
            free(copy);
        }
    }
    /* Wherever the buffer ends, nothing half is left in it. */
    for (size_t max = 0; max < b.n; max++) {
        struct buf small = BUF_INIT(max);
        ck_assert_int_eq(pack(&in, &small), -1);
        ck_assert_uint_eq(small.n, 0);
        buf_free(&small);
    }
    buf_free(&b);
}

START_TEST(malformed_records_do_no_harm)
{
    torture(sample(), entry_pack_intent, entry_unpack_intent);
    torture(sample_by_values(), entry_pack_intent, entry_unpack_intent);
    torture(sample_of_hashes(), entry_pack_intent, entry_unpack_intent);
    torture(sample(), entry_pack_outcome, entry_unpack_outcome);
}
END_TEST

static enum note note_of(const struct entry *entry)
{
    ck_assert_int_eq(entry->outcome, OUTCOME_UNCHANGED);
    return entry_note_of(entry->reason, entry->has_lead_id, entry->unproved, entry->fingerprint);
}

/* The pairs are stored: a journal of an older version has them, too. */
START_TEST(notes_are_outcomes_with_a_reason)
{
    static const struct {
        enum note note;
        enum reason reason;
        bool unproved;
    } stored[] = {
        {NOTE_TAKEN, REASON_GONE_THERE, false},
        {NOTE_MET, REASON_OUTCOME_OPEN, false},
        {NOTE_WRITTEN, REASON_OUTCOME_OPEN, true},
    };
    const struct hash128 key = {{1}};
    const struct uuid id = {{2}};
    for (size_t i = 0; i < sizeof stored / sizeof stored[0]; i++) {
        const struct entry entry = entry_note(stored[i].note, &key, &id);
        ck_assert_int_eq(note_of(&entry), stored[i].note);
        ck_assert_int_eq(entry.reason, stored[i].reason);
        ck_assert_int_eq(entry.unproved, stored[i].unproved);
        ck_assert(hash128_eq(&entry.key, &key) && entry.has_lead_id && uuid_eq(&entry.lead_id, &id));
    }
    struct entry status = entry_note_status(&key, REASON_BOUNCED);
    ck_assert_int_eq(note_of(&status), NOTE_STATUS);
    ck_assert_int_eq(status.reason, REASON_BOUNCED);
    /* A row that is unchanged, and a lead that was met for the first time, are no notes. */
    status.fingerprint = 3;
    ck_assert_int_eq(note_of(&status), NOTE_NONE);
    status = entry_note(NOTE_TAKEN, &key, &id);
    status.reason = REASON_NONE;
    ck_assert_int_eq(note_of(&status), NOTE_NONE);
}
END_TEST

START_TEST(ops_have_names)
{
    for (int op = 0; op < OP_N; op++)
        ck_assert_uint_gt(strlen(op_text((enum op)op)), 0);
    ck_assert_str_eq(op_text(OP_CREATE), "create");
    ck_assert_str_eq(op_text(OP_N), "unknown");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("entry");
    TCase *tc = tcase_create("entry");
    tcase_add_test(tc, there_and_back);
    tcase_add_test(tc, older_records_are_read);
    tcase_add_test(tc, texts_are_said_once);
    tcase_add_test(tc, empty_entries);
    tcase_add_test(tc, later_fields_are_skipped);
    tcase_add_test(tc, malformed_records_do_no_harm);
    tcase_add_test(tc, notes_are_outcomes_with_a_reason);
    tcase_add_test(tc, ops_have_names);
    suite_add_tcase(suite, tc);
    return unit_run(suite);
}
