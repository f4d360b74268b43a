/* What the tests of the diff share: a diff that is written into memory, and its events. */
#ifndef TESTS_UNIT_DIFF_KIT_H
#define TESTS_UNIT_DIFF_KIT_H

#include "sync/report/diff.h"
#include "tests/unit/harness.h"

#include <stdio.h>

extern struct err e;
extern struct diff *diff;
extern char *said; /* the output so far; complete after finish() */
extern size_t said_n;
extern FILE *out;
extern struct target demo, gone; /* a campaign, and a list with an escape sequence in its name */

void diff_kit_setup(void);
void diff_kit_teardown(void);

/* Opens the diff and gives it its head. */
void start(struct diff_options options);
void create(const char *key, uint64_t row);
void update(const char *key, uint64_t row, bool old_known);
void left_out(const char *key, uint64_t row, enum outcome outcome, enum reason reason, const char *column, struct str value);
/* Ends it, and returns what it printed. */
struct str finish(const struct diff_summary *summary);
/* A diff with one of everything. */
struct str tell_all(struct diff_options options);
/* How often the output has this text. */
unsigned times(const char *what);

#endif
