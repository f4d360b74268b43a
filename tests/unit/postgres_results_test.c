/* Outcomes back into PostgreSQL, and what is told of the role that reads. */
#include "config.h"

#include "connectors/postgres/postgres_results.h"
#include "connectors/postgres/postgres_role.h"
#include "tests/unit/postgres_kit.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <string.h>

/* The value that the one column of the one row of `query` has. */
static void ask(const char *query, const char *want)
{
    PGconn *pg = PQconnectdb(pg_url);
    PGresult *result = PQexec(pg, query);

    ck_assert_msg(PQresultStatus(result) == PGRES_TUPLES_OK, "%s", PQerrorMessage(pg));
    ck_assert_str_eq(PQgetvalue(result, 0, 0), want);
    PQclear(result);
    PQfinish(pg);
}

START_TEST(results_are_written_as_they_are)
{
    static const char *const keys[] = {"NULL", "a\"b\\c,{d}", "", " ", "José\n", "a"};
    struct postgres_results *w = NULL;
    struct err e = ERR_INIT;
    struct result_row row = {.run = 7, .outcome = "created", .http_status = 200, .at_ms = 1782854132254};

    ck_assert_int_eq(postgres_results_open(pg_url, "lead_out", false, "nightly", 0, &w, &e), -1);
    ck_assert_int_eq(e.status, XS_CONFIG);
    ck_assert_ptr_nonnull(strstr(err_text(&e), "create table lead_out (run bigint"));
    err_clear(&e);
    for (int again = 0; again < 2; again++) {
        ck_assert_msg(postgres_results_open(pg_url, "lead_out", true, "nightly", 0, &w, &e) == 0, "%s", err_text(&e));
        ck_assert_ptr_nonnull(strstr(postgres_results_label(w), "table lead_out"));
        for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
            row.row = i + 1;
            row.key = str_from(keys[i]);
            ck_assert_int_eq(postgres_results_add(w, &row, &e), 0);
        }
        /* Two records of one row: the one that went wrong stays, whichever came first. */
        row.outcome = again == 0 ? "failed" : "changed";
        ck_assert_int_eq(postgres_results_add(w, &row, &e), 0);
        row.outcome = again == 0 ? "created" : "failed";
        row.reason = STR("api_error");
        row.lead_id = STR("01890f4a-7b6c-7cc0-98c4-dc0c0c07398f");
        ck_assert_int_eq(postgres_results_add(w, &row, &e), 0);
        ck_assert_int_eq(postgres_results_flush(w, &e), 0);
        ck_assert_int_eq(postgres_results_flush(w, &e), 0);
        postgres_results_close(w);
        row.outcome = "created";
        row.reason = row.lead_id = STR_NONE;
    }
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        char query[200];
        snprintf(query, sizeof query, "select key from lead_out where \"row\" = %zu", i + 1);
        ask(query, keys[i]);
    }
    ask("select count(*) from lead_out", "6");
    ask("select string_agg(distinct sync || run || coalesce(line::text, '-') || http_status || at, ',') from lead_out",
        "nightly7-2002026-06-30 21:15:32.254+00");
    ask("select outcome || reason || lead_id from lead_out where \"row\" = 6",
        "failedapi_error01890f4a-7b6c-7cc0-98c4-dc0c0c07398f");
}
END_TEST

/* What goes wrong, to the message; `made` is what the user has made for a table. */
static void refused(const char *made, const char *table, enum exit_status status, const char *why)
{
    struct err e = ERR_INIT;
    struct postgres_results *w;
    bool missing, narrow;

    pg_sql(made);
    ck_assert_int_eq(postgres_results_check(pg_url, table, false, &missing, &narrow, &e), -1);
    ck_assert_int_eq(e.status, status);
    err_clear(&e);
    ck_assert_int_eq(postgres_results_open(pg_url, table, true, "nightly", 0, &w, &e), -1);
    ck_assert_ptr_null(w);
    ck_assert_int_eq(e.status, status);
    ck_assert_msg(strstr(err_text(&e), why) != NULL, "%s", err_text(&e));
    err_clear(&e);
}

START_TEST(tables_that_cannot_take_results)
{
    refused("create table other (a int)", "other", XS_CONFIG, "column \"sync\" of relation \"other\" does not exist");
    refused("create table keyless (like lead_out)", "keyless", XS_CONFIG, "no unique or exclusion constraint matching");
    refused("create table texts (like lead_out including all); alter table texts alter line type date using null", "texts",
            XS_CONFIG, "column \"line\" is of type date but expression is of type bigint");
    refused("select 1", "a.b.c.d", XS_CONFIG, "improper");
    refused("select 1", "1x", XS_CONFIG, "not a valid identifier");
}
END_TEST

START_TEST(roles_are_looked_at)
{
    char where[700];
    struct postgres_role role;
    struct err e = ERR_INIT;

    ck_assert_int_eq(postgres_role_look(pg_url, &role, &e), 0);
    ck_assert(role.superuser);
    ck_assert_str_eq(role.name, "postgres");
    postgres_role_free(&role);
    snprintf(where, sizeof where, "host=%s user=reader dbname=postgres", pg_dir);
    ck_assert_int_eq(postgres_role_look(where, &role, &e), 0);
    ck_assert(!role.superuser && !role.creates);
    ck_assert_uint_eq(role.writable_n, 0);
    ck_assert_ptr_null(role.example);
    postgres_role_free(&role);
    /* However it came by it. */
    pg_sql("create role editors; grant delete on p to editors; grant editors to reader; alter role reader createdb");
    ck_assert_int_eq(postgres_role_look(where, &role, &e), 0);
    ck_assert(role.creates);
    ck_assert_uint_eq(role.writable_n, 1);
    ck_assert_str_eq(role.example, "p");
    postgres_role_free(&role);
    pg_sql("revoke editors from reader; alter role reader nocreatedb");
    ck_assert_int_eq(postgres_role_look("host=/nowhere", &role, &e), -1);
    ck_assert_int_eq(e.status, XS_NO_SOURCE);
    postgres_role_free(&role);
    err_clear(&e);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("postgres_results");
    TCase *t = tcase_create("all");

    tcase_set_timeout(t, 60);
    tcase_add_unchecked_fixture(t, pg_start, pg_stop);
    tcase_add_test(t, results_are_written_as_they_are);
    tcase_add_test(t, tables_that_cannot_take_results);
    tcase_add_test(t, roles_are_looked_at);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return pg_run(suite());
}
