/* What a loaded mapping holds: every key of the format, the defaults, overrides, names and digests. */
#include "config.h"

#include "mappings/mapping.h"
#include "tests/unit/harness.h"
#include "tests/unit/mapping_cases.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SMALL "version: 1\nname: small\nsource: {csv: {path: people.csv}}\ntarget: {campaign: ' Q4 founders '}\n"
#define FIELDS "fields: {email: Mail}\n"

static char *dir;

static void setup(void)
{
    dir = unit_tmpdir();
    ck_assert_int_eq(chdir(dir), 0);
}

static void teardown(void)
{
    free(dir);
}

/* Loads a text as DIR/m.yaml by its absolute path. */
static struct mapping *load(const char *text)
{
    struct mapping *m = NULL;
    struct err e = ERR_INIT;
    char path[4096];
    snprintf(path, sizeof path, "%s/m.yaml", dir);
    case_write(path, str_from(text));
    ck_assert_msg(mapping_load(path, &m, &e) == 0, "%s", err_text(&e));
    return m;
}

static void refuse(const char *text, const char *part)
{
    struct mapping *m = NULL;
    struct err e = ERR_INIT;
    case_write("m.yaml", str_from(text));
    ck_assert_int_eq(mapping_load("m.yaml", &m, &e), -1);
    ck_assert_int_eq(e.status, XS_CONFIG);
    ck_assert_msg(strstr(err_text(&e), part) != NULL, "%s", err_text(&e));
    ck_assert_ptr_null(m);
    err_clear(&e);
}

START_TEST(defaults)
{
    struct mapping *m = load(SMALL FIELDS);
    char path[4096];
    snprintf(path, sizeof path, "%s/people.csv", dir);
    ck_assert_str_eq(m->name, "small");
    ck_assert_str_eq(m->folder, dir);
    ck_assert_int_eq(m->source.kind, SOURCE_CSV);
    ck_assert_str_eq(m->source.as.csv.path, path);
    ck_assert_int_eq(m->source.as.csv.delimiter, 0);
    ck_assert_ptr_null(m->source.as.csv.encoding);
    ck_assert(m->source.as.csv.header);
    ck_assert_int_eq(m->target.kind, TARGET_CAMPAIGN);
    ck_assert_str_eq(m->target.text, "Q4 founders");
    ck_assert_uint_eq(m->routes_n, 0);
    ck_assert_int_eq(m->mode, MODE_UPSERT);
    ck_assert_int_eq(m->removed.policy, REMOVAL_KEEP);
    ck_assert_int_eq(m->duplicates, DUPLICATES_FIRST);
    ck_assert_int_eq(m->dedupe, DEDUPE_WORKSPACE);
    ck_assert(!m->contacted_move && !m->stage.on && !m->has_key && !m->values_hashed);
    ck_assert_ptr_null(m->blocklist);
    ck_assert_ptr_null(m->results_url);
    ck_assert_uint_eq(m->limits.batch, 1000);
    ck_assert_uint_eq(m->limits.in_flight, 0);
    ck_assert_uint_eq(m->limits.requests_per_second, 50);
    ck_assert_uint_eq(m->limits.requests_per_minute, 3000);
    ck_assert_int_eq(m->limits.settle_ms, 7000);
    ck_assert_int_eq(m->limits.job_wait_ms, 600000);
    ck_assert_int_eq(m->guards.removed.kind, GUARD_SHARE);
    ck_assert_double_eq_tol(m->guards.removed.value, 0.1, 1e-12);
    ck_assert_double_eq_tol(m->guards.rejected.value, 0.05, 1e-12);
    ck_assert_double_eq_tol(m->guards.source_shrank.value, 0.5, 1e-12);
    ck_assert_int_eq(m->guards.empty_source.kind, GUARD_STOP);
    ck_assert_int_eq(m->retry_refused_ms, INT64_C(30) * 86400 * 1000);
    ck_assert_uint_eq(m->keep_runs, 30);
    ck_assert_uint_eq(m->shape.custom_n, 0);
    ck_assert_int_eq(m->overwrite[LEAD_PHONE], OVERWRITE_ALWAYS);
    mapping_free(m);
}
END_TEST

START_TEST(everything)
{
    struct mapping *m = load(
        "version: 1\nname: all.of_it-1\n"
        "source: {csv: {path: /data/p.csv, delimiter: tab, encoding: windows-1252, header: [id, mail, seg, x]}}\n"
        "route: {column: seg, cases: {smb: {campaign: S}, ent: {list: E}}, otherwise: {list: Rest}}\n"
        "mode: mirror\nremoved: {if_there: delete, move_to: {list: Gone}}\n"
        "skip_when:\n  - {column: x, in: [y], then: {move_to: {list: Out}, if_there: keep}}\n"
        "  - {column: x, in: [z], then: {move_to: {campaign: Win}, if_there: delete}}\n"
        "fields:\n  email: mail\n  phone: {from: x, overwrite: never}\n  job_title: {from: x, overwrite: if-empty}\n"
        "custom_variables: {b: x, a: {from: x, overwrite: never}}\n"
        "key: [id]\nduplicates: reject\ndedupe: target-only\ncontacted: move\n"
        "blocklist: 01890F4A-7B6C-7CC0-98C4-DC0C0C07398F\n"
        "limits: {batch: 10, in_flight: 8, requests_per_second: 0, requests_per_minute: 6000, settle: 500ms,\n"
        "  job_wait: 1h}\n"
        "guards: {removed: 500, moved: 2.5%, rejected: none, empty_source: none, source_shrank: 0%}\n"
        "retry_refused: 0\nresults_to: {postgres: {url: 'service=crm', table: out, create: true}}\n"
        "state: {values: hashed, keep_runs: 3}\n");
    const struct csv_spec *csv = &m->source.as.csv;
    ck_assert_str_eq(csv->path, "/data/p.csv");
    ck_assert_int_eq(csv->delimiter, '\t');
    ck_assert_str_eq(csv->encoding, "windows-1252");
    ck_assert(!csv->header);
    ck_assert_uint_eq(csv->names_n, 4);
    ck_assert(str_is(csv->names[3], "x"));
    ck_assert_str_eq(m->route_column, "seg");
    ck_assert_uint_eq(m->routes_n, 2);
    ck_assert(str_is(m->routes[1].value, "ent"));
    ck_assert_int_eq(m->routes[1].target.kind, TARGET_LIST);
    ck_assert_int_eq(m->route_otherwise, OTHERWISE_TARGET);
    ck_assert_str_eq(m->route_default.text, "Rest");
    ck_assert_int_eq(m->mode, MODE_MIRROR);
    ck_assert_int_eq(m->removed.policy, REMOVAL_MOVE);
    ck_assert_str_eq(m->removed.to.text, "Gone");
    ck_assert(m->removed.delete_if_there);
    ck_assert(!mapping_skip_then(m, 0)->delete_if_there);
    ck_assert(mapping_skip_then(m, 1)->delete_if_there);
    ck_assert_str_eq(mapping_skip_then(m, 1)->to.text, "Win");
    ck_assert_int_eq(m->duplicates, DUPLICATES_REJECT);
    ck_assert_int_eq(m->dedupe, DEDUPE_TARGET_ONLY);
    ck_assert(m->contacted_move && m->has_key && m->values_hashed);
    ck_assert_str_eq(m->blocklist, "01890f4a-7b6c-7cc0-98c4-dc0c0c07398f");
    ck_assert_uint_eq(m->limits.batch, 10);
    ck_assert_uint_eq(m->limits.in_flight, 8);
    ck_assert_uint_eq(m->limits.requests_per_second, 0);
    ck_assert_int_eq(m->limits.settle_ms, 500);
    ck_assert_int_eq(m->limits.job_wait_ms, 3600000);
    ck_assert_int_eq(m->guards.removed.kind, GUARD_COUNT);
    ck_assert_double_eq(m->guards.removed.value, 500);
    ck_assert_double_eq_tol(m->guards.moved.value, 0.025, 1e-12);
    ck_assert_int_eq(m->guards.rejected.kind, GUARD_NONE);
    ck_assert_int_eq(m->guards.empty_source.kind, GUARD_NONE);
    ck_assert_int_eq(m->guards.source_shrank.kind, GUARD_SHARE);
    ck_assert_int_eq(m->retry_refused_ms, 0);
    ck_assert_str_eq(m->results_url, "service=crm");
    ck_assert_str_eq(m->results_table, "out");
    ck_assert(m->results_create);
    ck_assert_uint_eq(m->keep_runs, 3);
    ck_assert_int_eq(m->overwrite[LEAD_PHONE], OVERWRITE_NEVER);
    ck_assert_int_eq(m->overwrite[LEAD_JOB_TITLE], OVERWRITE_IF_EMPTY);
    ck_assert_int_eq(m->overwrite[LEAD_FIELD_N + 1], OVERWRITE_NEVER);
    ck_assert_uint_eq(m->shape.custom_n, 3);
    ck_assert(str_is(m->shape.custom_names[0], "b"));
    ck_assert(str_is(m->shape.custom_names[2], "leadsync_key"));
    mapping_free(m);
}
END_TEST

START_TEST(sources)
{
    struct mapping *m = load("version: 1\nname: x\ntarget: {list: L}\nfields: {email: e}\n"
                             "source: {postgres: {url: 'service=crm', query: 'select 1', watermark: u, overlap: 90,\n"
                             "  full_every: never, statement_timeout: 10m, spool: false}}\n");
    const struct sql_spec *sql = &m->source.as.sql;
    ck_assert_int_eq(m->source.kind, SOURCE_POSTGRES);
    ck_assert_str_eq(sql->watermark, "u");
    ck_assert_str_eq(sql->overlap, "90");
    ck_assert_int_eq(sql->overlap_ms, 90000);
    ck_assert_int_eq(sql->full_every_ms, 0);
    ck_assert_int_eq(sql->statement_timeout_ms, 600000);
    ck_assert_int_eq(sql->spool, 0);
    mapping_free(m);

    m = load("version: 1\nname: x\ntarget: {list: L}\nfields: {email: e}\nsource: {postgres: {url: u, query: q}}\n");
    ck_assert_int_eq(m->source.as.sql.spool, -1);
    ck_assert_int_eq(m->source.as.sql.overlap_ms, 300000);
    ck_assert_ptr_null(m->source.as.sql.overlap);
    ck_assert_ptr_null(m->source.as.sql.full_query);
    ck_assert_int_eq(m->source.as.sql.full_every_ms, INT64_C(7) * 86400 * 1000);
    ck_assert_ptr_null(m->source.as.sql.watermark);
    mapping_free(m);

    char path[4096];
    snprintf(path, sizeof path, "%s/a.db", dir);
    m = load("version: 1\nname: x\ntarget: {list: L}\nfields: {email: e}\nsource: {sqlite: {path: a.db, query: q}}\n");
    ck_assert_int_eq(m->source.kind, SOURCE_SQLITE);
    ck_assert_str_eq(m->source.as.sql.url, path);
    mapping_free(m);

    snprintf(path, sizeof path, "%s/./x.sh", dir);
    m = load("version: 1\nname: x\ntarget: {list: L}\nfields: {email: e}\n"
             "source: {command: {argv: [./x.sh, -n, 5], format: ndjson, env: {A: b, C: 7}}}\n");
    ck_assert_int_eq(m->source.kind, SOURCE_COMMAND);
    const struct command_spec *command = &m->source.as.command;
    ck_assert_str_eq(command->argv[0], path);
    ck_assert_str_eq(command->argv[2], "5");
    ck_assert_ptr_null(command->argv[3]);
    ck_assert(command->ndjson);
    ck_assert_str_eq(command->env[0], "A=b");
    ck_assert_str_eq(command->env[1], "C=7");
    ck_assert_ptr_null(command->env[2]);
    mapping_free(m);

    m = load("version: 1\nname: x\ntarget: {campaign: C}\nfields: {email: e}\nsource: {csv: {path: '-'}}\n"
             "stage: {list: In, promote: {campaign: C}, only: all, verify: false}\n");
    ck_assert_str_eq(m->source.as.csv.path, "-");
    ck_assert(m->stage.on && !m->stage.verify && !m->stage.only_valid);
    ck_assert_str_eq(m->stage.list.text, "In");
    ck_assert_int_eq(m->stage.promote.kind, TARGET_CAMPAIGN);
    mapping_free(m);
}
END_TEST

/* A name and a UUID may be the same place, and one UUID has several spellings. */
START_TEST(a_stage_ends_at_the_target)
{
    static const struct {
        const char *target, *promote;
        bool same;
    } cases[] = {
        {"{campaign: C}", "{campaign: ' C '}", true},
        {"{campaign: C}", "{campaign: c}", false},
        {"{campaign: C}", "{list: C}", false},
        {"{campaign: C}", "{campaign: 01890f4a-7b6c-7cc0-98c4-dc0c0c07398f}", true},
        {"{campaign: 01890f4a-7b6c-7cc0-98c4-dc0c0c07398f}", "{campaign: 01890F4A-7B6C-7CC0-98C4-DC0C0C07398F}", true},
        {"{campaign: 01890f4a-7b6c-7cc0-98c4-dc0c0c07398f}", "{campaign: 11890f4a-7b6c-7cc0-98c4-dc0c0c07398f}", false},
    };
    char text[1024];
    snprintf(text, sizeof text,
             "version: 1\nname: x\nsource: {csv: {path: p.csv}}\ntarget: %s\n" FIELDS "stage: {list: In, promote: %s}\n",
             cases[_i].target, cases[_i].promote);
    if (cases[_i].same)
        mapping_free(load(text));
    else
        refuse(text, "'promote:' must name the same target as 'target:'");
}
END_TEST

START_TEST(unreadable)
{
    struct mapping *m = NULL;
    struct err e = ERR_INIT;
    ck_assert_int_eq(mapping_load("none.yaml", &m, &e), -1);
    ck_assert_int_eq(e.status, XS_CONFIG);
    err_clear(&e);
    ck_assert_int_eq(mapping_load(".", &m, &e), -1);
    ck_assert_int_eq(e.status, XS_CONFIG);
    err_clear(&e);

    struct buf big = BUF_INIT(2 << 20);
    while (big.n <= 1 << 20)
        ck_assert_int_eq(buf_adds(&big, "# comment comment comment\n"), 0);
    case_write("m.yaml", (struct str){big.p, (1 << 20) + 1});
    ck_assert_int_eq(mapping_load("m.yaml", &m, &e), -1);
    ck_assert_int_eq(e.status, XS_CONFIG);
    err_clear(&e);
    buf_free(&big);
}
END_TEST

/* More mistakes than are shown are counted. */
START_TEST(many_mistakes)
{
    struct buf text = BUF_INIT(1 << 20);
    ck_assert_int_eq(buf_adds(&text, SMALL FIELDS), 0);
    for (int i = 0; i < 150; i++)
        ck_assert_int_eq(buf_addf(&text, "k%d: 1\n", i), 0);
    refuse(buf_cstr(&text), "and 50 more mistakes");
    buf_free(&text);
}
END_TEST

START_TEST(byte_order_mark)
{
    mapping_free(load("\xEF\xBB\xBF" SMALL FIELDS));
    refuse("\xEF\xBB\xBF\xEF\xBB\xBF" SMALL FIELDS, "m.yaml:1:1: this control character");
}
END_TEST

static uint64_t digest_of(const char *text)
{
    struct mapping *m = load(text);
    uint64_t digest = m->digest;
    mapping_free(m);
    return digest;
}

START_TEST(digest)
{
    uint64_t base = digest_of(SMALL FIELDS);
    ck_assert_uint_eq(base, digest_of("# comment\n" SMALL "limits: {batch: 5}\nguards: {moved: none}\n" FIELDS));
    ck_assert_uint_eq(base, digest_of(SMALL "fields:\n  email: {from: \"Mail\"}\n"));
    ck_assert_uint_ne(base, digest_of(SMALL "fields: {email: mail}\n"));
    ck_assert_uint_ne(base, digest_of(SMALL FIELDS "custom_variables: {a: b}\n"));
    ck_assert_uint_ne(base, digest_of(SMALL FIELDS "key: [id]\n"));
    ck_assert_uint_ne(base, digest_of(SMALL FIELDS "skip_when: [{column: a, in: [b]}]\n"));
    ck_assert_uint_ne(digest_of(SMALL "fields: {email: a, first_name: b}\n"),
                      digest_of(SMALL "fields: {email: a, last_name: b}\n"));
    /* A null in a map is not the word. */
    ck_assert_uint_ne(digest_of(SMALL "fields: {email: a, phone: {from: b, map: {c: null}}}\n"),
                      digest_of(SMALL "fields: {email: a, phone: {from: b, map: {c: 'null'}}}\n"));
}
END_TEST

START_TEST(overrides)
{
    struct err e = ERR_INIT;
    struct mapping *m = load(SMALL FIELDS);
    ck_assert_int_eq(mapping_override(m, &(struct mapping_option){"guards.moved", "100%"}, &e), 0);
    ck_assert_double_eq_tol(m->guards.moved.value, 1, 1e-12);
    ck_assert_int_eq(mapping_override(m, &(struct mapping_option){"removed", "7"}, &e), 0);
    ck_assert_int_eq(m->guards.removed.kind, GUARD_COUNT);
    ck_assert_int_eq(mapping_override(m, &(struct mapping_option){"empty-source", "none"}, &e), 0);
    ck_assert_int_eq(m->guards.empty_source.kind, GUARD_NONE);
    ck_assert_int_eq(mapping_override(m, &(struct mapping_option){"input", "part.csv"}, &e), 0);
    ck_assert_str_eq(m->source.as.csv.path, "part.csv");
    ck_assert_int_eq(mapping_override(m, &(struct mapping_option){"delimiter", ";"}, &e), 0);
    ck_assert_int_eq(m->source.as.csv.delimiter, ';');
    ck_assert_int_eq(mapping_override(m, &(struct mapping_option){"encoding", "latin1"}, &e), 0);
    ck_assert_int_eq(mapping_override(m, &(struct mapping_option){"encoding", "auto"}, &e), 0);
    ck_assert_ptr_null(m->source.as.csv.encoding);
    ck_assert_int_eq(mapping_override(m, &(struct mapping_option){"blocklist", "null"}, &e), 0);
    static const struct mapping_option bad[] = {
        {"guards.moved", "much"}, {"guards.gone", "1"},     {"input", ""},      {"name", "x"},     {"fields", "x"},
        {"limits.batch", "1.5"},  {"blocklist", "nothing"}, {"encoding", "//"}, {"source", "csv"}, {"", ""},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ck_assert_msg(mapping_override(m, &bad[i], &e) == -1, "%s=%s is taken", bad[i].name, bad[i].value);
        ck_assert_int_eq(e.status, XS_USAGE);
        err_clear(&e);
    }
    mapping_free(m);
    m = load("version: 1\nname: x\ntarget: {list: L}\nfields: {email: e}\nsource: {command: {argv: [ls]}}\n");
    /* A file takes the place of any source. */
    ck_assert_int_eq(mapping_override(m, &(struct mapping_option){"input", "x"}, &e), 0);
    ck_assert_int_eq(m->source.kind, SOURCE_CSV);
    ck_assert_str_eq(m->source.as.csv.path, "x");
    mapping_free(m);
}
END_TEST

static void check_stem(const char *path, const char *name)
{
    struct err e = ERR_INIT;
    struct mapping *m = NULL;
    char text[] = "L";
    struct target_spec target = {TARGET_LIST, text};
    ck_assert_int_eq(mapping_for_csv(path, &target, false, NULL, 0, &m, &e), 0);
    ck_assert_str_eq(m->name, name);
    mapping_free(m);
}

START_TEST(default_mapping_names)
{
    check_stem("a/b/people.csv", "people");
    check_stem("My Leads (2).v1.CSV", "My Leads (2).v1");
    check_stem("noending", "noending");
    check_stem(".csv", "_csv");
    check_stem("-", "stdin");
    check_stem("a\nb.csv", "a_b");
    check_stem("0123456789012345678901234567890123456789012345678901234\xC3\xA4.csv",
               "0123456789012345678901234567890123456789012345678901234");
    check_stem("012345678901234567890123456789012345678901234567890123\xC3\xA4.csv",
               "012345678901234567890123456789012345678901234567890123");

    struct err e = ERR_INIT;
    struct mapping *m = NULL;
    char text[] = "L";
    struct target_spec target = {TARGET_LIST, text};
    ck_assert_int_eq(mapping_for_csv("people.csv", &target, false, NULL, 0, &m, &e), 0);
    ck_assert_int_eq(mapping_name_target(m, "no-uuid", &e), -1);
    err_clear(&e);
    /* printf 01890f4a-7b6c-7cc0-98c4-dc0c0c07398f | sha256sum */
    ck_assert_int_eq(mapping_name_target(m, "01890F4A-7b6c-7cc0-98c4-dc0c0c07398f", &e), 0);
    ck_assert_str_eq(m->name, "people-ced38796");
    ck_assert_ptr_null(m->path);
    ck_assert_uint_eq(m->limits.batch, 1000);
    mapping_free(m);
}
END_TEST

/* Binding a straight CSV again starts afresh. */
START_TEST(bind_again)
{
    struct err e = ERR_INIT;
    struct mapping *m = NULL;
    char text[] = "L";
    struct target_spec target = {TARGET_LIST, text};
    const struct str first[] = {STR("email"), STR("Region")}, second[] = {STR("x"), STR("email")};
    const struct str *names;
    ck_assert_int_eq(mapping_for_csv("people.csv", &target, true, NULL, 0, &m, &e), 0);
    ck_assert_int_eq(mapping_bind(m, first, 2, &e), 0);
    ck_assert_uint_eq(mapping_filled(m, &names), 2);
    ck_assert_int_eq(mapping_bind(m, second, 2, &e), 0);
    ck_assert_uint_eq(mapping_filled(m, &names), 2);
    ck_assert(str_is(names[1], "x"));
    ck_assert_uint_eq(m->shape.custom_n, 1);
    mapping_free(m);
}
END_TEST

/* Memory that runs out is no fault of the row. */
START_TEST(apply_without_memory)
{
    struct err e = ERR_INIT;
    struct mapping *m = load(SMALL "fields: {email: Mail, first_name: {template: '{Mail}!'}}\n");
    const struct str columns[] = {STR("Mail")};
    ck_assert_int_eq(mapping_bind(m, columns, 1, &e), 0);
    static const char mail[] = "A@example.com";
    const struct cell cell = {mail, sizeof mail - 1, false}, broken_cell = {"", 0, false};
    int failed = 0;
    for (size_t max = 0; max < 1024; max += 16) {
        for (int bad = 0; bad < 2; bad++) {
            struct row row = {.number = 1, .cells = bad != 0 ? &broken_cell : &cell, .n = 1};
            struct arena scratch;
            struct mapped mapped;
            arena_init(&scratch, max);
            if (mapping_apply(m, &row, &scratch, &mapped, &e) != 0) {
                failed++;
                ck_assert_int_eq(e.status, XS_INTERNAL);
                err_clear(&e);
            }
            arena_free(&scratch);
        }
    }
    ck_assert_int_gt(failed, 2);
    ck_assert_int_lt(failed, 64);
    mapping_free(m);
}
END_TEST

START_TEST(email_key)
{
    struct buf out = BUF_INIT(1024), tiny = BUF_INIT(3);
    ck_assert_int_eq(mapping_email_key(STR(" Ann@EXAMPLE.com "), &out), 0);
    ck_assert_str_eq(buf_cstr(&out), "ann@example.com");
    ck_assert_int_eq(mapping_email_key(STR("ann"), &out), -1);
    ck_assert_int_eq(mapping_email_key(STR_NONE, &out), -1);
    ck_assert_int_eq(mapping_email_key(STR("ann@example.com"), &tiny), -1);
    buf_free(&out);
    buf_free(&tiny);
}
END_TEST

START_TEST(texts)
{
    struct buf out = BUF_INIT(1 << 20), tiny = BUF_INIT(64);
    ck_assert_int_eq(mapping_schema(&out), 0);
    ck_assert_ptr_nonnull(strstr(buf_cstr(&out), "\"lt_interest_status\""));
    ck_assert_ptr_nonnull(strstr(buf_cstr(&out), "\"additionalProperties\":false"));
    ck_assert_int_eq(mapping_schema(&tiny), -1);
    buf_reset(&out);
    ck_assert_int_eq(mapping_names_help(&out), 0);
    ck_assert_uint_gt(out.n, 100);
    buf_free(&out);
    buf_free(&tiny);
    mapping_free(NULL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("mapping_load");
    TCase *tc = tcase_create("load");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, defaults);
    tcase_add_test(tc, everything);
    tcase_add_test(tc, sources);
    tcase_add_loop_test(tc, a_stage_ends_at_the_target, 0, 6);
    tcase_add_test(tc, unreadable);
    tcase_add_test(tc, many_mistakes);
    tcase_add_test(tc, byte_order_mark);
    tcase_add_test(tc, digest);
    tcase_add_test(tc, overrides);
    tcase_add_test(tc, default_mapping_names);
    tcase_add_test(tc, bind_again);
    tcase_add_test(tc, apply_without_memory);
    tcase_add_test(tc, email_key);
    tcase_add_test(tc, texts);
    suite_add_tcase(suite, tc);
    return unit_run(suite);
}
