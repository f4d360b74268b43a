#include "config.h"

#include "tests/unit/golden.h"

#include <stdio.h>
#include <stdlib.h>

#include "sync/base/file.h"
#include "tests/unit/harness.h"

void golden_is(const char *name, struct str actual)
{
    struct err e = ERR_INIT;
    struct buf wanted = BUF_INIT(1 << 20);
    char path[4096];
    snprintf(path, sizeof path, "%s/tests/cases/%s", unit_srcdir(), name);
    if (getenv("GOLDEN_WRITE") != NULL) {
        FILE *f = fopen(path, "w");
        ck_assert_ptr_nonnull(f);
        ck_assert_uint_eq(fwrite(actual.p, 1, actual.n, f), actual.n);
        ck_assert_int_eq(fclose(f), 0);
        return;
    }
    ck_assert_msg(file_read(path, &wanted, XS_IO, XS_IO, &e) == 0, "%s", err_text(&e));
    ck_assert_msg(str_eq(buf_str(&wanted), actual), "%s is not what was said:\n%.*s", path, STR_ARG(actual));
    buf_free(&wanted);
}
