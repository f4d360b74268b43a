#include "config.h"

#include "tests/unit/engine_kit.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sync/base/log.h"
#include "sync/base/stop.h"

void ekit_write(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    ck_assert_ptr_nonnull(f);
    ck_assert_int_ge(fputs(text, f), 0);
    ck_assert_int_eq(fclose(f), 0);
}

void ekit_init(struct ekit *k)
{
    memset(k, 0, sizeof *k);
    k->e = (struct err)ERR_INIT;
    k->dir = unit_tmpdir();
    snprintf(k->state_path, sizeof k->state_path, "%s/state.db", k->dir);
    snprintf(k->csv_path, sizeof k->csv_path, "%s/people.csv", k->dir);
    snprintf(k->yaml_path, sizeof k->yaml_path, "%s/nightly.yaml", k->dir);
    clock_fake_init(&k->clock, 1782854132254);
    k->world = malloc(sizeof *k->world);
    ck_assert_ptr_nonnull(k->world);
    world_init(k->world, &k->clock);
    k->api = (struct api_config){.base_url = "https://api.example", .key = "k", .user_agent = "t"};
    k->config =
        (struct run_config){.api = &k->api, .clock = &k->clock.base, .state_path = k->state_path, .memory_max = 64 << 20};
    ekit_mapping(k, EKIT_HEAD EKIT_LIST EKIT_FIELDS);
    stop_set(0);
}

void ekit_free(struct ekit *k)
{
    stop_set(0);
    run_report_free(&k->report);
    err_clear(&k->e);
    world_free(k->world);
    free(k->world);
    free(k->dir);
}

void ekit_mapping(struct ekit *k, const char *yaml)
{
    ekit_write(k->yaml_path, yaml);
}

void ekit_csv(struct ekit *k, const char *text)
{
    ekit_write(k->csv_path, text);
}

void ekit_people(struct ekit *k, const char *prefix, unsigned n)
{
    FILE *f = fopen(k->csv_path, "w");
    ck_assert_ptr_nonnull(f);
    fputs("email,first\n", f);
    for (unsigned i = 0; i < n; i++)
        fprintf(f, "%s%u@example.com,First %u\n", prefix, i, i);
    ck_assert_int_eq(fclose(f), 0);
}

void ekit_crm(struct ekit *k, const char *sql)
{
    char path[600];
    sqlite3 *db;
    char *why = NULL;
    snprintf(path, sizeof path, "%s/crm.db", k->dir);
    ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
    ck_assert_msg(sqlite3_exec(db, sql, NULL, NULL, &why) == SQLITE_OK, "%s", why);
    sqlite3_close(db);
}

void ekit_later(struct ekit *k)
{
    k->clock.wall += 24 * 3600 * 1000;
    world_count(k->world);
    k->world->leads_deleted = 0;
}

unsigned ekit_writes(const struct ekit *k)
{
    const unsigned *n = k->world->n;
    return n[WORLD_ADD] + n[WORLD_PATCH] + n[WORLD_MOVE] + n[WORLD_DELETE];
}

bool ekit_there(const struct ekit *k, const char *email)
{
    return world_find(k->world, WORLD_LIST, email) != NULL;
}

static struct state *open_read(struct ekit *k)
{
    const struct state_options options = {.path = k->state_path,
                                          .access = STATE_READ,
                                          .memory_max = 8 << 20,
                                          .clock = &k->clock.base};
    struct state *s = NULL;
    struct err e = ERR_INIT;
    int rc = state_open(&options, &s, &e);
    ck_assert_msg(rc >= 0, "%s", err_text(&e));
    return s;
}

static void audit(struct ekit *k)
{
    struct buf lines = BUF_INIT(1 << 20);
    struct err e = ERR_INIT;
    size_t n = 0;
    struct state *s = open_read(k);
    if (s != NULL) {
        ck_assert_msg(state_audit(s, &lines, &n, &e) == 0, "%s", err_text(&e));
        ck_assert_msg(n == 0, "%s", buf_cstr(&lines));
    }
    state_close(s);
    buf_free(&lines);
}

/* The results of the run list each row that the report counts as waiting for an open batch. */
static void open_rows_are_listed(struct ekit *k)
{
    struct arena arena;
    struct results *results;
    struct entry entry;
    enum op op;
    uint32_t target;
    uint64_t listed = 0;
    struct err e = ERR_INIT;
    struct state *s = open_read(k);
    ck_assert_ptr_nonnull(s);
    arena_init(&arena, 64 << 20);
    ck_assert_msg(state_results_open_all(s, k->report.run, &results, &e) == 0, "%s", err_text(&e));
    while (state_results_next(results, &arena, &entry, &op, &target, &e) == 1)
        listed += entry.row != 0 && (entry.reason == REASON_OUTCOME_OPEN || entry.reason == REASON_JOB_OPEN);
    ck_assert_msg(e.status == XS_DONE, "%s", err_text(&e));
    state_results_close(results);
    arena_free(&arena);
    state_close(s);
    ck_assert_uint_eq(listed, ekit_reason(k, REASON_OUTCOME_OPEN) + ekit_reason(k, REASON_JOB_OPEN));
}

static int run(struct ekit *k, int (*go)(const struct run_config *, struct run_report *, struct err *))
{
    struct mapping *m = NULL;
    run_report_free(&k->report);
    memset(&k->report, 0, sizeof k->report);
    err_clear(&k->e);
    ck_assert_msg(mapping_load(k->yaml_path, &m, &k->e) == 0, "%s", err_text(&k->e));
    if (k->guard != NULL) {
        char name[64];
        snprintf(name, sizeof name, "%.*s", (int)strcspn(k->guard, "="), k->guard);
        const struct mapping_option option = {name, strchr(k->guard, '=') + 1};
        ck_assert_msg(mapping_override(m, &option, &k->e) == 0, "%s", err_text(&k->e));
    }
    k->config.mapping = m;
    k->config.transport = &k->world->t.base;
    int rc = go(&k->config, &k->report, &k->e);
    ck_assert_int_eq(rc != 0, k->e.status != XS_DONE);
    if (rc != 0)
        ck_assert_int_eq(k->report.exit_code, k->e.status);
    ck_assert_int_ne(k->report.exit_code, XS_INTERNAL);
    if (k->report.run != 0)
        ck_assert_msg(tally_closes(&k->report.tally), "%llu read", (unsigned long long)k->report.tally.read);
    ck_assert_uint_eq(world_doubles(k->world), 0);
    mapping_free(m);
    k->config.mapping = NULL;
    audit(k);
    if (k->report.run != 0)
        open_rows_are_listed(k);
    return (int)k->report.exit_code;
}

int ekit_sync(struct ekit *k)
{
    return run(k, run_sync);
}

int ekit_resume(struct ekit *k)
{
    return run(k, run_resume);
}

uint64_t ekit_outcome(const struct ekit *k, enum outcome outcome)
{
    return k->report.tally.outcomes[outcome];
}

uint64_t ekit_reason(const struct ekit *k, enum reason reason)
{
    return k->report.tally.reasons[reason];
}

const char *ekit_setting(struct ekit *k, const char *name)
{
    static char text[256];
    struct err e = ERR_INIT;
    const char *value = NULL;
    struct state *s = open_read(k);
    if (s == NULL)
        return "";
    ck_assert_msg(state_get(s, name, &value, &e) >= 0, "%s", err_text(&e));
    snprintf(text, sizeof text, "%s", value != NULL ? value : "");
    state_close(s);
    return text;
}

const char *ekit_text(const struct ekit *k)
{
    static struct buf text = BUF_INIT(1 << 16);
    buf_reset(&text);
    for (int o = 0; o < OUTCOME_N; o++)
        if (k->report.tally.outcomes[o] > 0)
            buf_addf(&text, "%s %llu, ", outcome_text((enum outcome)o), (unsigned long long)k->report.tally.outcomes[o]);
    for (int r = 0; r < REASON_N; r++)
        if (k->report.tally.reasons[r] > 0)
            buf_addf(&text, "%s %llu, ", reason_text((enum reason)r), (unsigned long long)k->report.tally.reasons[r]);
    buf_addf(&text, "%llu batches open, %llu rows wait", (unsigned long long)k->report.open_batches,
             (unsigned long long)k->report.waiting_rows);
    return buf_cstr(&text);
}
