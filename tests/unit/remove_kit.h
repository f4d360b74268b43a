/* What the tests of removals share: a mirror whose first night made four leads. */
#ifndef TESTS_UNIT_REMOVE_KIT_H
#define TESTS_UNIT_REMOVE_KIT_H

#include "tests/unit/engine_kit.h"

#define RKIT_OPEN_GUARDS "guards: {removed: none, moved: none, source_shrank: none, empty_source: none, rejected: none}\n"
#define RKIT_MIRROR EKIT_HEAD EKIT_LIST "mode: mirror\nremoved: delete\n" RKIT_OPEN_GUARDS
#define RKIT_FOUR "email,first\nann@example.com,Ann\nbob@example.com,Bob\ncyd@example.com,Cyd\ndan@example.com,Dan\n"
#define RKIT_TWO "email,first\nann@example.com,Ann\nbob@example.com,Bob\n"

/* The first night is over, and the next has come. */
void rkit_init(struct ekit *k);
/* Another sync, in a world without people. */
void rkit_anew(struct ekit *k);
/* Ann and Bob, and nobody else; the same rows once more ask for nothing. */
void rkit_two_are_left(struct ekit *k);

#endif
