/* What the tests of moves share: a sync with a route that has three leads in a list, and the night after, on which two
 * of them belong into the campaign. */
#ifndef TESTS_UNIT_MOVE_KIT_H
#define TESTS_UNIT_MOVE_KIT_H

#include "tests/unit/engine_kit.h"

#define MKIT_ROUTED \
    EKIT_HEAD "route: {column: seg, cases: {l: {list: " WORLD_LIST "}, c: {campaign: " WORLD_CAMPAIGN \
              "}, e: {list: " WORLD_ELSEWHERE "}}}\n"
#define MKIT_UNGUARDED "guards: {moved: none}\n"
#define MKIT_FIELDS "fields: {email: email, first_name: first}\ncustom_variables: {seats: seats}\n"

/* The first night: three in the list. */
#define MKIT_BEFORE "email,first,seats,seg\nann@example.com,Ann,1,l\nbob@example.com,Bob,2,l\ncyd@example.com,Cyd,3,l\n"
/* The second: two of them belong into the campaign. */
#define MKIT_AFTER "email,first,seats,seg\nann@example.com,Ann,1,c\nbob@example.com,Bob,2,c\ncyd@example.com,Cyd,3,l\n"

/* The first night is over, the source of the second is there. */
void mkit_init(struct ekit *k);
bool mkit_in_campaign(const struct ekit *k, const char *email);
/* Ann and Bob are in the campaign, Cyd is in the list, and nobody is there twice. */
void mkit_ends_as_wanted(const struct ekit *k);
/* Nothing is left to do: the same rows once more write nothing. */
void mkit_is_settled(struct ekit *k);

#endif
