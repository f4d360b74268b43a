/* Cases as text: one a line, fields divided by " => ", `#` begins a comment line.
 *
 * Inside a field \s is a blank (for the ends, where it would not be seen), \t \n \r \\ as in C, \xHH a byte, \u{HEX} a
 * character, and \e nothing at all, for an empty field. */
#ifndef TESTS_UNIT_CONVERT_CASES_H
#define TESTS_UNIT_CONVERT_CASES_H

#include "sync/base/str.h"

#include <stddef.h>

enum { CASE_FIELDS_MAX = 4 };

struct test_case {
    size_t line;
    struct str fields[CASE_FIELDS_MAX];
    size_t n;
};

/* NULL: as expected; else what was not, in memory that the next call may reuse. */
typedef const char *case_check(const struct test_case *c);

/* Runs every case of tests/cases/NAME, prints each that fails, and fails the test when one did, when there are fewer than
 * `least`, or when the file has a line that is no case. */
void cases_run(const char *name, size_t least, case_check *check);

/* printf into memory of its own, for what a check returns. */
const char *case_said(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
