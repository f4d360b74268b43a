#include "config.h"

#include "tests/unit/remove_kit.h"

#include <stdio.h>

void rkit_anew(struct ekit *k)
{
    static const char *const people[] = {"ann@example.com", "bob@example.com", "cyd@example.com", "dan@example.com"};
    for (size_t i = 0; i < 4; i++)
        world_delete(k->world, people[i]);
    ck_assert_int_eq(remove(k->state_path), 0);
}

void rkit_init(struct ekit *k)
{
    ekit_init(k);
    ekit_mapping(k, RKIT_MIRROR EKIT_FIELDS);
    ekit_csv(k, RKIT_FOUR);
    ekit_sync(k);
    EKIT_COUNT(k, CREATED, 4u);
    ekit_later(k);
}

void rkit_two_are_left(struct ekit *k)
{
    ck_assert(ekit_there(k, "ann@example.com") && ekit_there(k, "bob@example.com"));
    ck_assert_uint_eq(world_n(k->world), 2);
    ekit_later(k);
    ekit_sync(k);
    EKIT_ENDS(k, XS_DONE);
    EKIT_COUNT(k, UNCHANGED, 2u);
    EKIT_COUNT(k, REMOVED, 0u);
    ck_assert_uint_eq(ekit_writes(k), 0);
}
