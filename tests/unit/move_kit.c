#include "config.h"

#include "tests/unit/move_kit.h"

void mkit_init(struct ekit *k)
{
    ekit_init(k);
    ekit_mapping(k, MKIT_ROUTED MKIT_FIELDS MKIT_UNGUARDED);
    ekit_csv(k, MKIT_BEFORE);
    ekit_sync(k);
    EKIT_COUNT(k, CREATED, 3u);
    ekit_later(k);
    ekit_csv(k, MKIT_AFTER);
}

bool mkit_in_campaign(const struct ekit *k, const char *email)
{
    return world_find(k->world, WORLD_CAMPAIGN, email) != NULL;
}

void mkit_ends_as_wanted(const struct ekit *k)
{
    ck_assert(mkit_in_campaign(k, "ann@example.com") && mkit_in_campaign(k, "bob@example.com"));
    ck_assert(ekit_there(k, "cyd@example.com"));
    ck_assert_uint_eq(world_n(k->world), 3);
}

void mkit_is_settled(struct ekit *k)
{
    world_count(k->world);
    ekit_sync(k);
    EKIT_ENDS(k, XS_DONE);
    EKIT_COUNT(k, UNCHANGED, (uint64_t)k->report.tally.read);
    ck_assert_uint_eq(ekit_writes(k), 0);
}
