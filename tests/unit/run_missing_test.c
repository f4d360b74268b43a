/* Who is no longer wanted: rows that are gone, rows that say so, and what must not be taken for either. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "sync/base/log.h"
#include "tests/unit/remove_kit.h"

static struct ekit k;

static void setup(void)
{
    rkit_init(&k);
}

static void teardown(void)
{
    ekit_free(&k);
}

/* ---- who is gone ---- */

/* A row is a row, whatever became of it; and one without a key may be anybody's. */
static const struct {
    const char *rows;
    uint64_t removed;
    enum exit_status status;
} sources[] = {
    {RKIT_TWO "Cyd@Example.com,Andr\xe9\n", 1, XS_DONE},
    {RKIT_TWO "cyd@example.com,Cyd\ncyd@example.com,Twin\n", 1, XS_DONE},
    {RKIT_TWO "nobody,X\n", 0, XS_LEFT_OVER},
    {RKIT_TWO "cyd@example.com\n", 0, XS_LEFT_OVER},
    {RKIT_TWO ",Dan\n", 0, XS_LEFT_OVER},
    {"email,first\n", 4, XS_DONE},
};

START_TEST(rows_that_count)
{
    ekit_csv(&k, sources[_i].rows);
    k.config.rejects_ok = true;
    ekit_sync(&k);
    EKIT_ENDS(&k, sources[_i].status);
    EKIT_COUNT(&k, REMOVED, sources[_i].removed);
    ck_assert_uint_eq(world_n(k.world), 4 - sources[_i].removed);
}
END_TEST

#define KEYLESS(guard, more) \
    EKIT_HEAD EKIT_LIST EKIT_FIELDS "mode: mirror\nremoved: delete\n" more "guards: {removed: none, keyless: " guard "}\n"
#define SKIP_TOTAL "skip_when: [{column: first, in: [total]}, {column: email, in: [\"end\", \"\"]}]\n"

/* So many rows without a key as the guard allows, and lines that a rule leaves out, are nobody's. */
static const struct {
    const char *mapping, *rows;
    uint64_t removed, waiting;
} keyless[] = {
    {KEYLESS("1", ""), RKIT_TWO ",Dan\n", 2, 0},
    {KEYLESS("1", ""), RKIT_TWO ",Dan\ntotal\n", 0, 2},
    {KEYLESS("50%", ""), RKIT_TWO ",Dan\ntotal\n", 2, 0},
    {KEYLESS("none", ""), RKIT_TWO ",Dan\ntotal\nend\n", 2, 0},
    {KEYLESS("0", SKIP_TOTAL), RKIT_TWO "nobody,Total\nend\n,x\nend,of,file\n", 2, 0},
    {KEYLESS("0", SKIP_TOTAL), RKIT_TWO "nobody,Total\nend of file\n", 0, 2},
    {KEYLESS("0", ""), RKIT_TWO ",\n\n , \n", 2, 0},
};

START_TEST(rows_without_a_key)
{
    ekit_mapping(&k, keyless[_i].mapping);
    ekit_csv(&k, keyless[_i].rows);
    k.config.rejects_ok = true;
    ekit_sync(&k);
    EKIT_ENDS(&k, keyless[_i].waiting > 0 ? XS_LEFT_OVER : XS_DONE);
    EKIT_COUNT(&k, REMOVED, keyless[_i].removed);
    ck_assert_uint_eq(k.report.missing_waiting, keyless[_i].waiting);
    ck_assert_int_eq(k.report.missing_waits_for != NULL, keyless[_i].waiting > 0);
}
END_TEST

START_TEST(rows_without_a_key_are_named)
{
    ekit_csv(&k, RKIT_TWO ",A\n\n,B\nx\n,C\n");
    ekit_sync(&k);
    ck_assert_str_eq(k.report.missing_waits_for,
                     "4 rows have no usable key (lines 4, 6, 7, ...): correct them, leave them out with "
                     "skip_when, or allow them with --guard keyless=4");
}
END_TEST

/* `removed: keep`, the default: leads whose row is gone stay, and a complete read says how many. */
static const struct {
    const char *rules, *rows;
    const char *says; /* NULL: nothing of the kind */
} kept[] = {
    {"mode: mirror\n", RKIT_TWO, "2 leads are missing from the source and kept (removed: keep)\n"},
    {"mode: mirror\n", RKIT_TWO "cyd@example.com,Cyd\n", "1 lead is missing from the source and kept (removed: keep)\n"},
    {"mode: mirror\n", RKIT_FOUR, NULL},
    {"mode: mirror\n", RKIT_TWO "cyd@example.com\ndan@example.com,Dan\n", NULL}, /* a rejected row is a row */
    {"mode: mirror\n", RKIT_TWO ",Dan\n", NULL},
    {"mode: upsert\n", RKIT_TWO, NULL},
};

START_TEST(rows_gone_and_leads_kept)
{
    char yaml[1024], text[4096] = "";
    FILE *log = tmpfile();
    ck_assert_ptr_nonnull(log);
    snprintf(yaml, sizeof yaml, EKIT_HEAD EKIT_LIST EKIT_FIELDS RKIT_OPEN_GUARDS "%s", kept[_i].rules);
    ekit_mapping(&k, yaml);
    ekit_csv(&k, kept[_i].rows);
    log_configure(&(struct log_config){.level = LOG_NOTICE, .out = log});
    ekit_sync(&k);
    log_configure(&(struct log_config){.level = LOG_NOTICE});
    rewind(log);
    ck_assert_uint_lt(fread(text, 1, sizeof text - 1, log), sizeof text - 1);
    ck_assert_int_eq(fclose(log), 0);
    EKIT_COUNT(&k, REMOVED, 0u);
    ck_assert_uint_eq(world_n(k.world), 4);
    ck_assert_msg(kept[_i].says != NULL ? strstr(text, kept[_i].says) != NULL : strstr(text, "and kept") == NULL, "%s",
                  text);
}
END_TEST

/* Whenever somebody asks for the time, the source's writer ends another line. */
static int64_t (*time_before)(struct clock *clock);

static int64_t write_meanwhile(struct clock *clock)
{
    FILE *f = fopen(k.csv_path, "a");
    ck_assert_ptr_nonnull(f);
    ck_assert_int_ge(fputs("\n", f), 0);
    ck_assert_int_eq(fclose(f), 0);
    return time_before(clock);
}

static void sync_while_written(bool written)
{
    time_before = k.clock.base.mono_us;
    if (written)
        k.clock.base.mono_us = write_meanwhile;
    ekit_sync(&k);
    k.clock.base.mono_us = time_before;
}

START_TEST(a_changed_source_makes_no_lead_missing)
{
    ekit_mapping(&k, EKIT_HEAD EKIT_LIST EKIT_FIELDS "mode: mirror\nremoved: delete\nguards: {removed: none}\n");
    ekit_csv(&k, RKIT_TWO "new@example.com,New\n");
    sync_while_written(true);
    EKIT_ENDS(&k, XS_LEFT_OVER);
    EKIT_COUNT(&k, CREATED, 1u);
    EKIT_COUNT(&k, REMOVED, 0u);
    ck_assert(k.report.source_changed);
    ck_assert_str_eq(k.report.status, "partial");
    ck_assert_str_eq(k.report.read, "partial");
    /* Against four rows, and not against those three, one row is too few. */
    ekit_later(&k);
    ekit_csv(&k, "email,first\nann@example.com,Ann\n");
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_GUARD);
    ekit_csv(&k, RKIT_TWO);
    sync_while_written(false);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, REMOVED, 3u);
}
END_TEST

START_TEST(a_source_that_changes_is_not_complete)
{
    ekit_mapping(&k, EKIT_HEAD EKIT_LIST EKIT_FIELDS);
    ekit_csv(&k, RKIT_FOUR);
    sync_while_written(true);
    EKIT_ENDS(&k, XS_LEFT_OVER);
    ck_assert_str_eq(k.report.status, "partial");
    ekit_csv(&k, RKIT_FOUR);
    sync_while_written(false);
    EKIT_ENDS(&k, XS_DONE);
}
END_TEST

/* All rows of a key lose, and yet they are rows of that key. */
START_TEST(losers_are_rows)
{
    ekit_mapping(&k, RKIT_MIRROR EKIT_FIELDS "duplicates: reject\n");
    k.config.rejects_ok = true;
    ekit_csv(&k, RKIT_TWO "cyd@example.com,A\ncyd@example.com,B\n");
    ekit_sync(&k);
    EKIT_COUNT(&k, REMOVED, 1u);
    ck_assert(ekit_there(&k, "cyd@example.com") && !ekit_there(&k, "dan@example.com"));
}
END_TEST

START_TEST(partial_reads_remove_no_lead)
{
    ekit_csv(&k, RKIT_TWO);
    k.config.partial_input = _i == 0;
    k.config.max_ms = _i == 1 ? 1 : 0;
    if (_i == 2)
        ekit_mapping(&k, EKIT_HEAD EKIT_LIST RKIT_OPEN_GUARDS EKIT_FIELDS "mode: upsert\n");
    ekit_sync(&k);
    EKIT_COUNT(&k, REMOVED, 0u);
    ck_assert_uint_eq(k.world->n[WORLD_DELETE], 0);
    ck_assert_uint_eq(world_n(k.world), 4);
}
END_TEST

/* The guard judges before the first write, whatever else is to be written. */
START_TEST(guard_before_the_first_write)
{
    ekit_mapping(&k, EKIT_HEAD EKIT_LIST EKIT_FIELDS "mode: mirror\nremoved: delete\n"
                                                     "guards: {removed: 25%, source_shrank: none}\n");
    ekit_csv(&k, "email,first\nann@example.com,Anna\nnew@example.com,New\nbob@example.com,Bob\n");
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_GUARD);
    ck_assert_uint_eq(ekit_writes(&k), 0);
    ck_assert_ptr_nonnull(strstr(err_text(&k.e), "2 of 4 known leads"));
    k.guard = "removed=2";
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, REMOVED, 2u);
    EKIT_COUNT(&k, CREATED, 1u);
    EKIT_COUNT(&k, CHANGED, 1u);
    /* Leads that were removed are no longer known for this: one of three is more than a quarter. */
    k.guard = NULL;
    ekit_csv(&k, RKIT_TWO);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_GUARD);
    ck_assert_ptr_nonnull(strstr(err_text(&k.e), "1 of 3 known leads"));
}
END_TEST

/* What waits in the retry table is dropped with its row. */
START_TEST(waiting_rows_go_with_their_row)
{
    ekit_csv(&k, RKIT_FOUR "eve@example.com,Eve\n");
    world_fault(k.world, WORLD_ADD, 1, 99, FAULT_LOST);
    ekit_sync(&k);
    EKIT_COUNT(&k, FAILED, 1u);
    ekit_later(&k);
    ekit_csv(&k, RKIT_FOUR);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    ck_assert_uint_eq(k.world->n[WORLD_ADD], 0);
    ck_assert_uint_eq(k.report.waiting_rows, 0);
    ck_assert_uint_eq(k.report.tally.read, 4);
}
END_TEST

/* ---- rows that say so ---- */

#define LEFT "skip_when: [{column: first, in: [left], then: delete}]\n"

START_TEST(a_row_says_so)
{
    static const char *const modes[] = {"upsert", "create", "mirror"};
    char mapping[1024];
    snprintf(mapping, sizeof mapping, EKIT_HEAD EKIT_LIST EKIT_FIELDS RKIT_OPEN_GUARDS LEFT "mode: %s\n", modes[_i]);
    ekit_mapping(&k, mapping);
    ekit_csv(&k, RKIT_TWO "cyd@example.com,LEFT\ndan@example.com,Dan\nnew@example.com,left\n");
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, SKIPPED, 2u);
    EKIT_COUNT(&k, REMOVED, 1u);
    ck_assert(!ekit_there(&k, "cyd@example.com") && ekit_there(&k, "dan@example.com"));
    ekit_later(&k);
    ekit_sync(&k);
    EKIT_COUNT(&k, REMOVED, 0u);
    ck_assert_uint_eq(ekit_writes(&k), 0);
    ekit_csv(&k, RKIT_FOUR);
    ekit_sync(&k);
    EKIT_COUNT(&k, CREATED, 1u);
}
END_TEST

/* One row wants the lead, and another one opts out: that one wins, wherever it stands. */
START_TEST(opting_out_wins)
{
    static const char *const reads[] = {
        RKIT_FOUR "cyd@example.com,left\n",
        "email,first\ncyd@example.com,left\nann@example.com,Ann\nbob@example.com,Bob\ncyd@example.com,Cyd\ndan@example.com,Dan\n",
        "email,first\nann@example.com,Ann\nbob@example.com,Bob\ncyd@example.com,Other\ndan@example.com,Dan\ncyd@example.com,left\n",
        RKIT_FOUR "cyd@example.com,Twin\ncyd@example.com,left,too long\n",
    };
    static const char *const rules[] = {LEFT, LEFT "duplicates: last\n", LEFT "duplicates: reject\n"};
    char mapping[1024];
    snprintf(mapping, sizeof mapping, RKIT_MIRROR EKIT_FIELDS "%s", rules[_i % 3]);
    ekit_mapping(&k, mapping);
    ekit_csv(&k, reads[_i / 3]);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, REMOVED, 1u);
    EKIT_COUNT(&k, UNCHANGED, 3u);
    EKIT_REASON(&k, SKIP_WHEN, _i / 3 == 3 ? 3u : 2u);
    ck_assert(!ekit_there(&k, "cyd@example.com"));
    ck_assert_uint_eq(k.world->n[WORLD_ADD] + k.world->n[WORLD_PATCH], 0);
}
END_TEST

/* Whoever opts out has no lead yet, and gets none; nor does the same address under another key. */
START_TEST(opting_out_before_there_is_a_lead)
{
    static const char *const keyed[] = {
        "id,email,first\n1,eve@example.com,Eve\n2,fay@example.com,Fay\n1,eve@example.com,left\n",
        "id,email,first\n1,eve@example.com,left\n2,fay@example.com,Fay\n1,eve@example.com,Eve\n",
        "id,email,first\n1,eve@example.com,Eve\n2,fay@example.com,Fay\n3,EVE@example.com,left\n",
        "id,email,first\n3,eve@example.com,left\n2,fay@example.com,Fay\n1,Eve@Example.com,Eve\n",
        "id,email,first\n,eve@example.com,left\n2,fay@example.com,Fay\n1,eve@example.com,Eve\n",
        "id,email,first\n2,fay@example.com,Fay\n1,eve@example.com,Eve\n1,,left,ragged\n",
    };
    ekit_mapping(&k, EKIT_HEAD EKIT_LIST EKIT_KEYED RKIT_OPEN_GUARDS LEFT);
    rkit_anew(&k);
    ekit_csv(&k, keyed[_i]);
    for (int night = 0; night < 2; night++) {
        ekit_sync(&k);
        EKIT_ENDS(&k, XS_DONE);
        EKIT_REASON(&k, SKIP_WHEN, 2u);
        ck_assert(ekit_there(&k, "fay@example.com") && !ekit_there(&k, "eve@example.com"));
        ekit_later(&k);
    }
    EKIT_COUNT(&k, UNCHANGED, 1u);
}
END_TEST

/* A row that waits to be tried again is dropped when its person opts out under another key. */
START_TEST(opting_out_of_what_waits)
{
    ekit_mapping(&k, EKIT_HEAD EKIT_LIST EKIT_KEYED RKIT_OPEN_GUARDS LEFT);
    rkit_anew(&k);
    ekit_csv(&k, "id,email,first\n1,eve@example.com,Eve\n2,fay@example.com,Fay\n");
    world_fault(k.world, WORLD_ADD, 1, 99, FAULT_LOST);
    ekit_sync(&k);
    EKIT_COUNT(&k, FAILED, 2u);
    ekit_later(&k);
    ekit_csv(&k, "id,email,first\n9,eve@example.com,left\n");
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, CREATED, 1u);
    EKIT_REASON(&k, SKIP_WHEN, 1u); /* the row that waited gives way to the one that is in the source */
    ck_assert(ekit_there(&k, "fay@example.com") && !ekit_there(&k, "eve@example.com"));
    ck_assert_uint_eq(k.report.waiting_rows, 0);
}
END_TEST

/* From a watermark on, too; and a removal that was left is wanted again, so the watermark waits for it. */
START_TEST(a_row_says_so_later)
{
    ekit_crm(
        &k,
        "create table p (email text, first text, at integer not null); insert into p values ('ann@example.com', 'Ann', 10),"
        " ('bob@example.com', 'Bob', 20), ('cyd@example.com', 'Cyd', 30), ('dan@example.com', 'Dan', 40)");
    ekit_mapping(&k, "version: 1\nname: nightly\nsource: {sqlite: {path: crm.db, query: \"select email, first, at from p "
                     "where at > :watermark order by at\", watermark: at}}\n" EKIT_LIST RKIT_OPEN_GUARDS EKIT_FIELDS LEFT
                     "mode: mirror\n"
                     "removed: delete\n");
    ekit_sync(&k);
    EKIT_COUNT(&k, UNCHANGED, 4u);
    ekit_crm(
        &k,
        "update p set first = 'left', at = 50 where email = 'cyd@example.com'; delete from p where email = 'dan@example.com'");
    world_fault(k.world, WORLD_DELETE, 1, 99, FAULT_400);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_LEFT_OVER);
    ck_assert_str_eq(k.report.read, "incremental");
    ck_assert_str_eq(ekit_setting(&k, "watermark"), "40");
    ekit_later(&k);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, REMOVED, 1u);
    EKIT_COUNT(&k, SKIPPED, 1u);
    ck_assert_str_eq(ekit_setting(&k, "watermark"), "50");
    ck_assert(!ekit_there(&k, "cyd@example.com"));
    /* Whose row is gone shows in a full read only. */
    ck_assert(ekit_there(&k, "dan@example.com"));
    ck_assert_str_eq(ekit_setting(&k, "removals_wait"), "");
    k.config.full = true;
    ekit_sync(&k);
    EKIT_COUNT(&k, REMOVED, 1u);
    ck_assert(!ekit_there(&k, "dan@example.com"));
}
END_TEST

/* No read from a watermark wants them again. */
START_TEST(gone_and_left)
{
    ekit_crm(
        &k,
        "create table p (email text, first text, at integer not null); insert into p values ('ann@example.com', 'Ann', 10),"
        " ('bob@example.com', 'Bob', 20), ('cyd@example.com', 'Cyd', 30)");
    ekit_mapping(&k, "version: 1\nname: nightly\nsource: {sqlite: {path: crm.db, query: \"select email, first, at from p "
                     "where at > :watermark order by at\", watermark: at}}\n" EKIT_LIST RKIT_OPEN_GUARDS EKIT_FIELDS
                     "mode: mirror\n"
                     "removed: delete\n");
    world_fault(k.world, WORLD_DELETE, 1, 99, FAULT_400);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_LEFT_OVER);
    ck_assert_str_eq(k.report.read, "full");
    ck_assert(ekit_there(&k, "dan@example.com"));
    ekit_later(&k);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    ck_assert_str_eq(k.report.read, "full");
    EKIT_COUNT(&k, REMOVED, 1u);
    ck_assert_str_eq(ekit_setting(&k, "removals_wait"), "");
    ekit_sync(&k);
    ck_assert_str_eq(k.report.read, "incremental");
}
END_TEST

/* They wait for a row to get a key, which a read from a watermark may never see: each run says so until a full read has decided. */
START_TEST(gone_and_waiting)
{
    ekit_crm(
        &k,
        "create table p (email text, first text, at integer not null); insert into p values ('ann@example.com', 'Ann', 10),"
        " ('bob@example.com', 'Bob', 20), (null, 'Cyd', 30)");
    ekit_mapping(&k, "version: 1\nname: nightly\nsource: {sqlite: {path: crm.db, query: \"select email, first, at from p "
                     "where at > :watermark order by at\", watermark: at}}\n" EKIT_LIST RKIT_OPEN_GUARDS EKIT_FIELDS
                     "mode: mirror\n"
                     "removed: delete\n");
    k.config.rejects_ok = true;
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_LEFT_OVER);
    ck_assert_uint_eq(k.report.missing_waiting, 2);
    k.config.limit_rows = 1;
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_LEFT_OVER);
    ck_assert_uint_eq(k.report.removals_before, 2);
    ck_assert(k.report.removals_need_all);
    k.config.limit_rows = 0;
    ekit_crm(&k, "update p set email = 'cyd@example.com' where first = 'Cyd'");
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    ck_assert_str_eq(k.report.read, "full");
    EKIT_COUNT(&k, REMOVED, 1u);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    ck_assert_str_eq(k.report.read, "incremental");
}
END_TEST

START_TEST(skipped_and_active)
{
    ekit_mapping(&k,
                 EKIT_HEAD EKIT_CAMPAIGN "dedupe: target-only\n" EKIT_FIELDS "skip_when: [{column: first, in: [left]}]\n");
    rkit_anew(&k);
    ekit_sync(&k);
    EKIT_COUNT(&k, CREATED, 4u);
    ekit_csv(&k, "email,first\nann@example.com,left\nbob@example.com,left\ncyd@example.com,Cyd\ndan@example.com,left\n");
    world_set(k.world, "ann@example.com", "status", 1);
    world_set(k.world, "bob@example.com", "status", 3);
    world_place(k.world, "dan@example.com", WORLD_ELSEWHERE);
    ekit_later(&k);
    if (_i == 1)
        world_fault(k.world, WORLD_READ, 1, 99, FAULT_400);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, SKIPPED, 3u);
    EKIT_COUNT(&k, REMOVED, 0u);
    ck_assert_uint_eq(ekit_writes(&k), 0);
    ck_assert_uint_le(k.world->n[WORLD_READ], 2);
    ck_assert_uint_eq(k.report.tally.skipped_active, _i == 0 ? 1 : 0);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("run_missing");
    TCase *c = tcase_create("all");
    tcase_set_timeout(c, 60);
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_loop_test(c, rows_that_count, 0, (int)(sizeof sources / sizeof sources[0]));
    tcase_add_loop_test(c, rows_without_a_key, 0, (int)(sizeof keyless / sizeof keyless[0]));
    tcase_add_test(c, rows_without_a_key_are_named);
    tcase_add_loop_test(c, rows_gone_and_leads_kept, 0, (int)(sizeof kept / sizeof kept[0]));
    tcase_add_test(c, a_changed_source_makes_no_lead_missing);
    tcase_add_test(c, a_source_that_changes_is_not_complete);
    tcase_add_test(c, losers_are_rows);
    tcase_add_loop_test(c, partial_reads_remove_no_lead, 0, 3);
    tcase_add_test(c, guard_before_the_first_write);
    tcase_add_test(c, waiting_rows_go_with_their_row);
    tcase_add_loop_test(c, a_row_says_so, 0, 3);
    tcase_add_loop_test(c, opting_out_wins, 0, 12);
    tcase_add_loop_test(c, opting_out_before_there_is_a_lead, 0, 6);
    tcase_add_test(c, opting_out_of_what_waits);
    tcase_add_test(c, a_row_says_so_later);
    tcase_add_test(c, gone_and_left);
    tcase_add_test(c, gone_and_waiting);
    tcase_add_loop_test(c, skipped_and_active, 0, 2);
    suite_add_tcase(s, c);
    return s;
}

int main(void)
{
    return unit_run(suite());
}
