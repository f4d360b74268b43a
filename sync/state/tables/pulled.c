/* What `pull` has written of a lead, as a digest. Times of the API do not tell that: the clock of the server, leads whose update
 * time stays, and late effects that only touch it would each make a comparison by time miss a lead or repeat it. */
#include "config.h"

#include "sync/state/state_int.h"

int state_pulled_is(struct state *s, uint64_t destination, const struct uuid *lead, uint64_t digest, bool *is, struct err *e)
{
    sqlite3_stmt *st;
    int rc = db_query(&s->main, &st, e, "SELECT 1 FROM pulled WHERE lead = ? AND destination = ? AND digest = ?", "duu",
                      lead, destination, digest);
    *is = rc == 1;
    if (rc == 1)
        sqlite3_reset(st);
    return rc < 0 ? -1 : 0;
}

int state_pulled_put(struct state *s, uint64_t destination, const struct uuid *lead, uint64_t digest, struct err *e)
{
    return state_write_begin(s, e) < 0 ? -1
                                       : db_run(&s->main, e,
                                                "INSERT INTO pulled(lead, destination, digest) VALUES(?, ?, ?)"
                                                " ON CONFLICT(lead, destination) DO UPDATE SET digest = excluded.digest",
                                                "duu", lead, destination, digest);
}

int state_pulled_forget(struct state *s, const struct uuid *lead, struct err *e)
{
    return state_write_begin(s, e) < 0 ? -1 : db_run(&s->main, e, "DELETE FROM pulled WHERE lead = ?", "d", lead);
}
