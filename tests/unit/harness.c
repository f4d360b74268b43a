/* Check prints one TAP line a test; automake's TAP driver reads them. */
#include "config.h"

#include "tests/unit/harness.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char *tmpdirs[64];
static size_t tmpdirs_n;
static pid_t tmpdirs_owner;

/* AddressSanitizer asks for it: allocations that cannot succeed return NULL there too, so that tests may try them. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1";
}

/* Check's time limits are there for what hangs, which can be told from a busy machine by patience alone. Before main(),
 * because Check asks when a test case is made. */
__attribute__((constructor)) static void set_environment(void)
{
    setenv("CK_TIMEOUT_MULTIPLIER", "20", 0);
    setenv("LEADSYNC_ABORT", "1", 1); /* a step outside the tables of the upload aborts */
}

static int remove_entry(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st;
    (void)kind;
    (void)at;
    return remove(path);
}

static void remove_tmpdirs(void)
{
    /* Check forks for each test: only the process that made a folder removes it. */
    if (getpid() != tmpdirs_owner)
        return;
    for (size_t i = 0; i < tmpdirs_n; i++) {
        nftw(tmpdirs[i], remove_entry, 16, FTW_DEPTH | FTW_PHYS);
        free(tmpdirs[i]);
    }
    tmpdirs_n = 0;
}

char *unit_tmpdir(void)
{
    char template[] = "/tmp/leadsync-unit-XXXXXX";
    ck_assert_ptr_nonnull(mkdtemp(template));
    if (tmpdirs_owner != getpid()) {
        tmpdirs_owner = getpid();
        tmpdirs_n = 0;
        atexit(remove_tmpdirs);
    }
    ck_assert_uint_lt(tmpdirs_n, sizeof tmpdirs / sizeof tmpdirs[0]);
    tmpdirs[tmpdirs_n] = strdup(template);
    ck_assert_ptr_nonnull(tmpdirs[tmpdirs_n]);
    tmpdirs_n++;
    return strdup(template);
}

const char *unit_srcdir(void)
{
    const char *dir = getenv("srcdir");
    return dir != NULL ? dir : ".";
}

int unit_run(Suite *suite)
{
    SRunner *runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
