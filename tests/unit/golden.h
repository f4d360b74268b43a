/* Texts held against files under tests/cases/: what people and scripts see must not change by accident. */
#ifndef TESTS_UNIT_GOLDEN_H
#define TESTS_UNIT_GOLDEN_H

#include "sync/base/str.h"

/* Fails the test unless `actual` is what the file holds. With GOLDEN_WRITE set in the environment it writes the file
 * instead: look at the difference before it is committed. */
void golden_is(const char *name, struct str actual);

#endif
