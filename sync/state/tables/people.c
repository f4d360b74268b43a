/* Who unsubscribed, bounced or was skipped did so as a person. The lead table keeps a status by the row's key; a person
 * comes back under other keys as well: two records become one in a CRM, an address changes and changes back, a mapping
 * gets another `key:`. So the status is kept by the address, too, as a hash under the state's secret. */
#include "config.h"

#include "sync/state/tables/people.h"

#include "sync/base/text.h"
#include "sync/state/tables/fold.h"

enum { ADDRESS_MAX = 64 << 10, HASH_BYTES = 8 };

int people_address(const struct state *s, struct str address, uint64_t *hash, struct err *e)
{
    struct buf folded = BUF_INIT(ADDRESS_MAX);
    int rc = text_fold(str_trim(address), &folded) < 0 ? err_oom(e) : 0;
    if (rc == 0)
        *hash = values_email_hash(s, buf_str(&folded));
    buf_free(&folded);
    return rc;
}

/* A person who unsubscribed stays so, whatever else is found later. */
static int put(struct state *s, uint64_t address, int status, struct err *e)
{
    return db_run(&s->main, e,
                  "INSERT INTO people(address, status) VALUES(?, ?) ON CONFLICT(address) DO UPDATE"
                  " SET status = excluded.status WHERE status <> excluded.status AND status <> -2",
                  "ui", address, (int64_t)status);
}

/* The address among a lead's stored values: hashes have its own as their last. 1, 0 it has none, -1. */
static int stored_address(struct value_hasher *h, struct str packed, bool hashed, uint64_t *address, struct err *e)
{
    struct lead lead;
    *address = 0;
    if (packed.n < HASH_BYTES)
        return 0;
    if (hashed) {
        for (size_t i = packed.n - HASH_BYTES; i < packed.n; i++)
            *address = *address << 8 | (unsigned char)packed.p[i];
        return 1;
    }
    if (value_hasher_unpack(h, packed, &lead, e) < 0)
        return -1;
    if (!lead_has_email(&lead))
        return 0;
    const struct value *email = &lead.core[LEAD_EMAIL];
    return people_address(h->state, (struct str){email->p, email->n}, address, e) < 0 ? -1 : 1;
}

static int record_status_of_lead(struct value_hasher *h, const struct hash128 *key, int status, struct err *e)
{
    struct state *s = h->state;
    sqlite3_stmt *st;
    uint64_t address;
    int rc = db_query(&s->main, &st, e, "SELECT v.packed, l.flags FROM leads l JOIN lead_values v USING(n) WHERE l.key = ?",
                      "k", key);
    if (rc != 1)
        return rc;
    rc = stored_address(h, db_blob(st, 0), (sqlite3_column_int64(st, 1) & KNOWN_HASHED_VALUES) != 0, &address, e);
    sqlite3_reset(st);
    return rc == 1 ? put(s, address, status, e) : rc;
}

int people_record_status(struct value_hasher *h, const struct entry *entry, struct err *e)
{
    int status = lead_status_of_reason(entry->reason);
    uint64_t address;
    if (status == TARGET_STATUS_UNKNOWN)
        return 0;
    if (entry->email.n > 0 &&
        (people_address(h->state, entry->email, &address, e) < 0 || put(h->state, address, status, e) < 0))
        return -1;
    return record_status_of_lead(h, &entry->key, status, e);
}

/* ---- all leads of a known status ---- */

enum { COLUMN_STATUS = 2, COLUMN_KEY, COLUMN_FLAGS = 1 };

/* Called for each with its address; st stands on the lead's row. 0 go on, 1 enough, -1. */
typedef int person_fn(void *ctx, uint64_t address, sqlite3_stmt *st, struct err *e);

/* Those whose address is known. 1 when `fn` had enough, 0, -1. */
static int each_person(struct state *s, person_fn *fn, void *ctx, struct err *e)
{
    struct value_hasher h;
    sqlite3_stmt *st;
    value_hasher_init(&h, s);
    int more, rc = 0;
    more = db_query(&s->main, &st, e,
                    "SELECT v.packed, l.flags, l.status, l.key FROM leads l JOIN lead_values v USING(n)"
                    " WHERE l.status IN (-1, -2, -3)",
                    "");
    while (more == 1 && rc == 0) {
        uint64_t address;
        bool hashed = (sqlite3_column_int64(st, COLUMN_FLAGS) & KNOWN_HASHED_VALUES) != 0;
        rc = stored_address(&h, db_blob(st, 0), hashed, &address, e);
        if (rc == 1)
            rc = fn(ctx, address, st, e);
        if (rc == 0)
            more = db_next(&s->main, st, e);
        else
            sqlite3_reset(st);
    }
    value_hasher_free(&h);
    return more < 0 ? -1 : rc;
}

static int fill_one(void *ctx, uint64_t address, sqlite3_stmt *st, struct err *e)
{
    return put(ctx, address, sqlite3_column_int(st, COLUMN_STATUS), e);
}

int people_fill(void *state, struct err *e)
{
    /* The secret of the hashes. */
    return identity_load(state, e) < 0 ? -1 : each_person(state, fill_one, state, e);
}

int people_status(struct state *s, uint64_t address, int *status, struct err *e)
{
    sqlite3_stmt *st;
    int rc = db_query(&s->main, &st, e, "SELECT status FROM people WHERE address = ?", "u", address);
    if (rc == 1) {
        *status = sqlite3_column_int(st, 0);
        sqlite3_reset(st);
    }
    return rc;
}

struct missing {
    struct state *state;
    uint64_t n;
};

static int count_missing(void *ctx, uint64_t address, sqlite3_stmt *st, struct err *e)
{
    struct missing *missing = ctx;
    int status, known = people_status(missing->state, address, &status, e);
    (void)st;
    missing->n += known == 0;
    return known < 0 ? -1 : 0;
}

int people_missing(struct state *s, uint64_t *n, struct err *e)
{
    struct missing missing = {s, 0};
    int rc = each_person(s, count_missing, &missing, e);
    *n = missing.n;
    return rc;
}

struct wanted_person {
    uint64_t address;
    struct hash128 *key;
};

static int is_there(void *ctx, uint64_t address, sqlite3_stmt *st, struct err *e)
{
    struct wanted_person *wanted = ctx;
    int64_t flags = sqlite3_column_int64(st, COLUMN_FLAGS);
    (void)e;
    return address == wanted->address && (flags & (KNOWN_REMOVED | KNOWN_DELETED_THERE)) == 0 &&
           db_blob16(st, COLUMN_KEY, wanted->key->b);
}

int state_person_lead(struct state *s, struct str address, struct hash128 *key, struct err *e)
{
    struct wanted_person wanted = {.key = key};
    return people_address(s, address, &wanted.address, e) < 0 ? -1 : each_person(s, is_there, &wanted, e);
}
