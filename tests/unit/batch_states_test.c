/* The states of a batch and of an entry, and which may follow which: the tables in the header, the case file and
 * docs/DESIGN.md say the same. */
#include "config.h"

#include "sync/base/buf.h"
#include "sync/upload/upload_int.h"
#include "tests/unit/harness.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static void add_row(struct buf *out, const char *name, bool first)
{
    ck_assert_int_eq(buf_addf(out, first ? "%-10s ->" : " %s", name), 0);
}

static void print_tables(struct buf *out)
{
    ck_assert_int_eq(buf_adds(out, "batch:\n"), 0);
    for (int from = 0; from < LIFE_N; from++) {
        add_row(out, batch_life_text((enum batch_life)from), true);
        for (int to = 0; to < LIFE_N; to++)
            if (batch_life_may((enum batch_life)from, (enum batch_life)to))
                add_row(out, batch_life_text((enum batch_life)to), false);
        ck_assert_int_eq(buf_addc(out, '\n'), 0);
    }
    ck_assert_int_eq(buf_adds(out, "entry:\n"), 0);
    for (int from = 0; from < ENTRY_STATES_N; from++) {
        add_row(out, batch_entry_state_text((enum entry_state)from), true);
        for (int to = 0; to < ENTRY_STATES_N; to++)
            if (batch_entry_state_may((enum entry_state)from, (enum entry_state)to))
                add_row(out, batch_entry_state_text((enum entry_state)to), false);
        ck_assert_int_eq(buf_addc(out, '\n'), 0);
    }
}

static void read_file(const char *name, struct buf *out)
{
    char path[512], chunk[4096];
    size_t n;
    snprintf(path, sizeof path, "%s/%s", unit_srcdir(), name);
    FILE *f = fopen(path, "r");
    ck_assert_msg(f != NULL, "%s", path);
    while ((n = fread(chunk, 1, sizeof chunk, f)) > 0)
        ck_assert_int_eq(buf_add(out, chunk, n), 0);
    fclose(f);
}

START_TEST(the_tables_are_the_ones_in_the_case_file)
{
    struct buf tables = BUF_INIT(1 << 16), cases = BUF_INIT(1 << 16);
    print_tables(&tables);
    read_file("tests/cases/upload/batch_states.txt", &cases);
    ck_assert_str_eq(buf_cstr(&tables), buf_cstr(&cases));
    buf_free(&tables);
    buf_free(&cases);
}
END_TEST

START_TEST(the_guide_quotes_the_tables)
{
    struct buf cases = BUF_INIT(1 << 16), guide = BUF_INIT(1 << 20);
    read_file("tests/cases/upload/batch_states.txt", &cases);
    read_file("docs/DESIGN.md", &guide);
    ck_assert_ptr_nonnull(strstr(buf_cstr(&guide), buf_cstr(&cases)));
    buf_free(&cases);
    buf_free(&guide);
}
END_TEST

static void step_outside_the_batch_table(void)
{
    struct upload upload = {.fatal = ERR_INIT};
    struct batch_run batch = {.u = &upload, .operation = &create_operation};
    batch_advance(&batch, NULL, LIFE_SENT);
}

static void step_outside_the_entry_table(void)
{
    struct upload upload = {.fatal = ERR_INIT};
    struct entry_progress progress = {.state = ENTRY_HELD};
    struct batch_run batch = {.u = &upload, .operation = &create_operation, .progress = &progress};
    batch_entry_advance(&batch, 0, ENTRY_OPEN);
}

/* A process of its own, also where Check does not fork (CK_FORK=no). */
static void ck_assert_aborts(void (*step)(void))
{
    int status;
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        const struct rlimit no_core = {0, 0};
        setrlimit(RLIMIT_CORE, &no_core);
        step();
        _exit(0);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFSIGNALED(status));
    ck_assert_int_eq(WTERMSIG(status), SIGABRT);
}

START_TEST(a_step_that_is_not_in_the_table_aborts_a_test)
{
    ck_assert_aborts(step_outside_the_batch_table);
    ck_assert_aborts(step_outside_the_entry_table);
}
END_TEST

START_TEST(a_step_that_is_not_in_the_table_ends_the_upload)
{
    unsetenv("LEADSYNC_ABORT");
    struct upload upload = {.fatal = ERR_INIT};
    struct entry_progress progress = {.state = ENTRY_HELD};
    struct batch_run batch = {.u = &upload, .operation = &create_operation, .progress = &progress};
    batch_advance(&batch, NULL, LIFE_INTENT);
    batch_advance(&batch, NULL, LIFE_DURABLE);
    ck_assert_int_eq(upload.fatal.status, XS_DONE);
    batch_advance(&batch, NULL, LIFE_COLLECTING);
    ck_assert_int_eq(upload.fatal.status, XS_INTERNAL);
    ck_assert_ptr_nonnull(strstr(err_text(&upload.fatal), "cannot go from DURABLE to COLLECTING"));
    err_clear(&upload.fatal);
    batch_entry_advance(&batch, 0, ENTRY_PATCHING);
    ck_assert_int_eq(upload.fatal.status, XS_INTERNAL);
    ck_assert_ptr_nonnull(strstr(err_text(&upload.fatal), "cannot go from HELD to PATCHING"));
    err_clear(&upload.fatal);
    /* A late answer changes nothing. */
    progress.state = ENTRY_DONE;
    batch_entry_advance(&batch, 0, ENTRY_OPEN);
    ck_assert_int_eq(upload.fatal.status, XS_DONE);
    ck_assert_int_eq(progress.state, ENTRY_DONE);
    setenv("LEADSYNC_ABORT", "1", 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("batch_states");
    TCase *tc = tcase_create("batch_states");
    tcase_add_test(tc, the_tables_are_the_ones_in_the_case_file);
    tcase_add_test(tc, the_guide_quotes_the_tables);
    tcase_add_test(tc, a_step_that_is_not_in_the_table_ends_the_upload);
    tcase_add_test(tc, a_step_that_is_not_in_the_table_aborts_a_test);
    suite_add_tcase(suite, tc);
    return unit_run(suite);
}
