/* The records of pull in a table of PostgreSQL: inserted, updated when they differ, and left alone when they do not. */
#include "config.h"

#include "connectors/postgres/postgres_engagement.h"
#include "tests/unit/postgres_kit.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <string.h>

enum { LEADS = 2500 };

static char where[700]; /* without the password of pg_url, which --to refuses */
static struct str cells[ENGAGEMENT_COLUMN_N];

static void ask(const char *query, const char *want)
{
    PGconn *pg = PQconnectdb(pg_url);
    PGresult *result = PQexec(pg, query);
    ck_assert_msg(PQresultStatus(result) == PGRES_TUPLES_OK, "%s", PQerrorMessage(pg));
    ck_assert_str_eq(PQgetvalue(result, 0, 0), want);
    PQclear(result);
    PQfinish(pg);
}

static struct postgres_engagement *opened(const char *table, const char *sync, bool *fresh)
{
    struct postgres_engagement *w;
    struct err e = ERR_INIT;
    snprintf(where, sizeof where, "host=%s user=postgres dbname=postgres", pg_dir);
    ck_assert_msg(postgres_engagement_open(where, table, true, sync, 0, &w, fresh, &e) == 0, "%s", err_text(&e));
    return w;
}

/* Leads 1 to `n`, all with these opens, NULL: not told. */
static uint64_t put(struct postgres_engagement *w, unsigned n, const char *opens)
{
    struct err e = ERR_INIT;
    uint64_t changed;
    for (unsigned i = 1; i <= n; i++) {
        char id[UUID_TEXT_N];
        snprintf(id, sizeof id, "00000000-0000-0000-0000-%012u", i);
        memset(cells, 0, sizeof cells);
        cells[ENGAGEMENT_LEAD_ID] = str_from(id);
        cells[ENGAGEMENT_KEY] = STR("a\"b\\c,{d}");
        cells[ENGAGEMENT_STATUS] = STR("NULL");
        cells[ENGAGEMENT_OPENS] = str_from(opens);
        cells[ENGAGEMENT_OPENED] = STR("true");
        cells[ENGAGEMENT_OPENED_AT] = STR("2026-06-30T21:15:32.254Z");
        ck_assert_msg(postgres_engagement_add(w, cells, &e) == 0, "%s", err_text(&e));
    }
    ck_assert_msg(postgres_engagement_flush(w, &changed, &e) == 0, "%s", err_text(&e));
    return changed;
}

START_TEST(records_are_written_when_they_differ)
{
    bool fresh = false;
    struct postgres_engagement *w = opened("Engagement", "nightly", &fresh);
    ck_assert(fresh);
    ck_assert_ptr_nonnull(strstr(postgres_engagement_label(w), "table engagement"));
    ck_assert_uint_eq(put(w, LEADS, "1"), LEADS);
    postgres_engagement_close(w);
    ask("select count(*) || ' ' || min(key) || ' ' || min(status) || ' ' || max(opened_at) || ' ' || count(clicks) from engagement",
        "2500 a\"b\\c,{d} NULL 2026-06-30 21:15:32.254+00 0");
    w = opened("engagement", "nightly", &fresh);
    ck_assert(!fresh);
    ck_assert_uint_eq(put(w, LEADS, "1"), 0);
    ck_assert_uint_eq(put(w, 3, "2"), 3);
    ck_assert_uint_eq(put(w, 2, NULL), 5); /* since the opening */
    postgres_engagement_close(w);
    ask("select string_agg(n, ' ' order by n) from (select coalesce(opens, 0) || ':' || count(*) n from engagement group by opens) t",
        "0:2 1:2497 2:1");
    /* Another sync's leads are its own. */
    w = opened("engagement", "other", &fresh);
    ck_assert(fresh);
    ck_assert_uint_eq(put(w, 1, "9"), 1);
    postgres_engagement_close(w);
    ask("select count(*)::text from engagement where opens = 9 or (sync = 'nightly' and opens is null)", "3");
}
END_TEST

START_TEST(columns_are_added)
{
    pg_sql("create table older (sync text, lead_id uuid, key text, primary key (sync, lead_id))");
    struct postgres_engagement *w = opened("older", "nightly", NULL);
    ck_assert_uint_eq(put(w, 1, "1"), 1);
    postgres_engagement_close(w);
    ask("select opens::text from older", "1");
}
END_TEST

static void refused(const char *table, bool create, enum exit_status status, const char *why)
{
    struct err e = ERR_INIT;
    struct postgres_engagement *w;
    snprintf(where, sizeof where, "host=%s user=postgres dbname=postgres", pg_dir);
    ck_assert_int_eq(postgres_engagement_open(where, table, create, "nightly", 0, &w, NULL, &e), -1);
    ck_assert_ptr_null(w);
    ck_assert_int_eq(e.status, status);
    ck_assert_msg(strstr(err_text(&e), why) != NULL, "%s", err_text(&e));
    err_clear(&e);
}

START_TEST(tables_that_cannot_take_records)
{
    refused("absent", false, XS_CONFIG, "create table if not exists absent (sync text not null, key text");
    pg_sql("create table narrow (sync text, lead_id uuid, primary key (sync, lead_id))");
    refused("narrow", false, XS_CONFIG, "alter table narrow add key text, add email text, add target text");
    pg_sql("create table nosync (lead_id uuid)");
    refused("nosync", true, XS_CONFIG, "column \"sync\" of relation \"nosync\" does not exist");
    refused("1x", true, XS_CONFIG, "not a valid identifier");
    refused("a.b.c.d", true, XS_CONFIG, "improper");
}
END_TEST

START_TEST(passwords_are_refused)
{
    static const char *const with[] = {"postgresql://u:s3cret@h/d", "postgresql://u@h/d?password=s3cret",
                                       "host=h password=s3cret"};
    struct err e = ERR_INIT;
    for (size_t i = 0; i < sizeof with / sizeof with[0]; i++) {
        ck_assert_int_eq(postgres_engagement_check_url(with[i], &e), -1);
        ck_assert_int_eq(e.status, XS_USAGE);
        ck_assert_ptr_null(strstr(err_text(&e), "s3cret"));
        err_clear(&e);
    }
    ck_assert_int_eq(postgres_engagement_check_url("postgresql://u@h/d", &e), 0);
    ck_assert_int_eq(postgres_engagement_check_url("service=crm", &e), 0);
    ck_assert_int_eq(postgres_engagement_check_url("postgresql://u@h/p@d", &e), -1);
    ck_assert_int_eq(e.status, XS_USAGE);
    ck_assert_msg(strncmp(err_text(&e), "--to: postgres: url: ", 21) == 0, "%s", err_text(&e));
    err_clear(&e);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("postgres_engagement");
    TCase *t = tcase_create("all");
    tcase_set_timeout(t, 60);
    tcase_add_unchecked_fixture(t, pg_start, pg_stop);
    tcase_add_test(t, records_are_written_when_they_differ);
    tcase_add_test(t, columns_are_added);
    tcase_add_test(t, tables_that_cannot_take_records);
    tcase_add_test(t, passwords_are_refused);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return pg_run(suite());
}
