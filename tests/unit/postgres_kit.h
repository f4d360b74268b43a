/* What the tests with PostgreSQL share: a real server that lives in a scratch folder and listens on a socket there
 * alone, with a table p of three rows and a role "reader" that may do nothing. */
#ifndef TESTS_UNIT_POSTGRES_KIT_H
#define TESTS_UNIT_POSTGRES_KIT_H

#include "tests/unit/harness.h"
#include "tests/unit/rowtext.h"

extern char *pg_dir;     /* the folder of the socket */
extern char pg_url[600]; /* the superuser's, with a password that must not be seen anywhere */

/* As unit_run(); where there is no server to test with, says so and passes. */
int pg_run(Suite *suite);
/* Unchecked fixture: one server for all tests of a program. */
void pg_start(void);
void pg_stop(void);
/* Runs statements as the superuser; fails the test with what the server says. */
void pg_sql(const char *sql);
/* Runs a shell command. */
__attribute__((format(printf, 1, 2))) int pg_shell(const char *fmt, ...);
/* Fails unless the server has, within some seconds, no session whose query sleeps; they have to sleep for longer. */
void pg_no_sleepers(void);

#endif
