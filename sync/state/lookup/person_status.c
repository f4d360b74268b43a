/* The status of a person, by address: the table, and what an unmerged journal adds to it. */
#include "config.h"

#include "sync/state/lookup/lookup.h"
#include "sync/state/tables/people.h"

/* Most states have no such person: then an answer costs nothing. */
static int any_people(struct state *s, struct err *e)
{
    int64_t any;
    if (!s->people_counted) {
        if (db_int(&s->main, &any, 0, "SELECT EXISTS(SELECT 1 FROM people)", e) < 0)
            return -1;
        s->people_any = any != 0;
        s->people_counted = true;
    }
    return s->people_any;
}

int state_person_status(struct state *s, struct str address, int *status, struct err *e)
{
    const struct overlay *overlay = s->lookup != NULL ? &s->lookup->overlay : NULL;
    uint64_t hash;
    *status = TARGET_STATUS_UNKNOWN;
    int any = any_people(s, e);
    if (any < 0)
        return -1;
    if (address.n == 0 || (any == 0 && (overlay == NULL || overlay->people_n == 0)))
        return 0;
    if (people_address(s, address, &hash, e) < 0)
        return -1;
    if (overlay != NULL && overlay_person(overlay, hash, status))
        return 0;
    return any == 1 && people_status(s, hash, status, e) < 0 ? -1 : 0;
}
