/* With a `key:` in the mapping, several rows may have one address, but only one of them may have the lead.
 *
 * A row that already has the lead keeps it, wherever it is in the source; otherwise the first row gets it. All others are left
 * out as duplicate_in_source. The state's sets of row keys also hold the addresses, as keys with a prefix. */
#include "config.h"

#include "sync/pipeline/run_int.h"

#include <string.h>

/* Prefixes of the keys, by what the rows of this run say about an address. */
static const char OWNED[] = "\1owned:";   /* A row has the lead, and another row with the address came before it. */
static const char WAITED[] = "\1waited:"; /* The same, and the row that has it comes from the retry table. */
static const char WANTED[] = "\1wanted:"; /* A row wants a new lead, or was refused it. */

bool row_address_key(struct run *r, const char *what, struct str email, struct hash128 *key)
{
    buf_reset(&r->scratch.text);
    if (!r->m->has_key || email.n == 0 || buf_adds(&r->scratch.text, what) != 0 ||
        mapping_email_key(email, &r->scratch.text) != 0)
        return false;
    *key = hash_keyed128(state_secret(r->state), r->scratch.text.p, r->scratch.text.n);
    return true;
}

static int address_mark(struct run *r, const char *what, struct str email, struct err *e)
{
    struct hash128 key;
    return row_address_key(r, what, email, &key) ? state_mark_protected(r->state, &key, 1, e) : 0;
}

static int address_is(struct run *r, const char *what, struct str email, bool *is, struct err *e)
{
    struct hash128 key;
    *is = false;
    return row_address_key(r, what, email, &key) ? state_seen(r->state, &key, is, e) : 0;
}

int row_address_owned(struct run *r, struct str email, bool *owned, struct err *e)
{
    return address_is(r, OWNED, email, owned, e);
}

int row_address_owner_waits(struct run *r, struct str email, bool *waits, struct err *e)
{
    return address_is(r, WAITED, email, waits, e);
}

int row_address_has(struct run *r, struct str email, bool *has, struct err *e)
{
    return address_is(r, ROW_ADDRESS, email, has, e);
}

bool row_address_wait_for_full(void *ctx)
{
    struct run *r = ctx;
    bool full = r->read.kind == NULL || strcmp(r->read.kind, "full") == 0;
    r->left.owners_unread = r->left.owners_unread || !full;
    return !full;
}

void row_address_lost(struct run *r, struct entry *entry)
{
    entry->by_address = r->m->has_key;
    if (entry->by_address)
        entry->fingerprint = state_address_hash(r->state, entry->email);
}

int row_address_wanted(struct run *r, struct str email, bool *wanted, struct err *e)
{
    return address_is(r, WANTED, email, wanted, e);
}

int row_address_want(struct run *r, struct str email, struct err *e)
{
    return address_mark(r, WANTED, email, e);
}

int row_address_report_double(struct run *r, struct entry *entry, bool by_address, uint64_t row, struct err *e)
{
    struct buf text = BUF_INIT(128);
    int bad = row > 0
                  ? buf_addf(&text, "the %s is that of row %llu", by_address ? "address" : "key", (unsigned long long)row)
                  : buf_addf(&text, "another row of this read has the %s", by_address ? "address" : "key");
    bad |= arena_str(&r->row_arena, buf_str(&text), &entry->detail);
    buf_free(&text);
    return bad == 0 ? 0 : err_oom(e);
}

int row_address_take(struct run *r, struct entry *entry, const struct decision *d, bool *taken, struct err *e)
{
    struct remembered remembered;
    struct hash128 key;
    *taken = false;
    if ((d->op == OP_NONE && d->outcome != OUTCOME_UNCHANGED) || !row_address_key(r, ROW_ADDRESS, entry->email, &key))
        return 0;
    if (state_lookup(r->state, &key, entry->fingerprint, entry->row, &remembered, e) != 0)
        return -1;
    if (remembered.kind != REMEMBERED_SEEN)
        return 0;
    *taken = d->op == OP_CREATE;
    if (*taken)
        return row_address_report_double(r, entry, true, remembered.first_row, e);
    if (entry->retried && address_mark(r, WAITED, entry->email, e) != 0)
        return -1;
    return address_mark(r, OWNED, entry->email, e);
}
