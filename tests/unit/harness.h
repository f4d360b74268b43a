/* What every unit test program shares: a main() that runs one Check suite and prints TAP on stdout. */
#ifndef TESTS_UNIT_HARNESS_H
#define TESTS_UNIT_HARNESS_H

#include <check.h>

/* Runs the suite and prints TAP. Returns the exit status for main(): 0 when every test passed. */
int unit_run(Suite *suite);

/* Makes a fresh folder that is removed at exit; the caller owns the string. */
char *unit_tmpdir(void);

/* Folder of the sources, for data-driven cases ($srcdir, or "." by hand). */
const char *unit_srcdir(void);

#endif
