/* What the tests of commands share: a command is run in this process, and what it wrote is kept. */
#ifndef TESTS_UNIT_CMD_KIT_H
#define TESTS_UNIT_CMD_KIT_H

#include "sync/cli/command.h"
#include "tests/unit/harness.h"

#include <string.h>

extern char said[1 << 20]; /* stdout of the last command */
extern char told[1 << 16]; /* its stderr */

/* As the program does with these words; at most 24 of them. */
enum exit_status cmd_run(const char *const *words, size_t n);

#define RUN(...) \
    cmd_run((const char *const[]){__VA_ARGS__}, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))
#define WELL(...) ck_assert_msg(RUN(__VA_ARGS__) == XS_DONE, "%s", told)
#define SAID(text) ck_assert_msg(strstr(said, text) != NULL, "\"%s\" is not in: %s", text, said)
#define NOT_SAID(text) ck_assert_msg(strstr(said, text) == NULL, "\"%s\" is in: %s", text, said)
#define TOLD(text) ck_assert_msg(strstr(told, text) != NULL, "\"%s\" is not in: %s", text, told)

#endif
