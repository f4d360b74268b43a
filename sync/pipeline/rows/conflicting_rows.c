/* Rows with the same key in one read. With different values and without ORDER BY the server chooses which of them comes first, so
 * their lead may be written again in every run. They are only reported. Other rows of a key show the number of its first row.
 *
 * A table of fixed size remembers one row per slot. Keys that share a slot replace each other, so in a long source some of
 * these rows are not counted. */
#include "config.h"

#include "sync/pipeline/run_int.h"
#include "sync/pipeline/rows/conflicting_rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "connectors/sqltext.h"
#include "sync/base/log.h"

/* With more known leads than that the table is not worth its memory: the state remembers the row of a new key. */
enum { SLOTS_BITS = 17, LEADS_MAX = 1 << 16, PAIRS_SHOWN = 3, PAIRS_BYTES = 200 };

struct conflict_slot {
    unsigned char key[8]; /* Bytes of the key's hash; other bytes choose the slot. */
    uint64_t digest, row; /* Row 0: the slot is empty. */
};

struct conflicting_rows {
    struct conflict_slot *slots;
    bool unordered;          /* Which row comes first is chance, so conflicts are reported. */
    uint64_t n;              /* Rows with other values than an earlier row of their key. */
    char pairs[PAIRS_BYTES]; /* The first of them, for the message. */
};

static const char *query_of(const struct run *r)
{
    const struct source_spec *spec = &r->m->source;
    bool sql = spec->kind == SOURCE_POSTGRES || spec->kind == SOURCE_SQLITE;
    bool whole = sql && spec->as.sql.full_query != NULL && strcmp(r->read.kind, "full") == 0;

    return !sql ? NULL : whole ? spec->as.sql.full_query : spec->as.sql.query;
}

int conflicting_rows_start(struct run *r, struct err *e)
{
    const char *query = query_of(r);
    bool unordered = query != NULL && !sqltext_is_ordered(query);

    if (r->m->duplicates == DUPLICATES_REJECT || (!unordered && state_leads_n(r->state) > LEADS_MAX))
        return 0;
    r->read.conflicts = calloc(1, sizeof *r->read.conflicts);
    if (r->read.conflicts != NULL)
        r->read.conflicts->unordered = unordered;
    if (r->read.conflicts != NULL)
        r->read.conflicts->slots = calloc((size_t)1 << SLOTS_BITS, sizeof *r->read.conflicts->slots);
    return r->read.conflicts != NULL && r->read.conflicts->slots != NULL ? 0 : err_oom(e);
}

static void add_pair(struct conflicting_rows *f, uint64_t earlier, uint64_t later)
{
    size_t n = strlen(f->pairs);

    if (f->n <= PAIRS_SHOWN)
        snprintf(f->pairs + n, sizeof f->pairs - n, "%s%llu and %llu", n > 0 ? ", " : "", (unsigned long long)earlier,
                 (unsigned long long)later);
}

/* The slot for the key, and whether the key is in it. */
static struct conflict_slot *slot_of(const struct conflicting_rows *f, const struct hash128 *key, bool *has)
{
    uint32_t number;

    memcpy(&number, key->b + sizeof f->slots->key, sizeof number);
    struct conflict_slot *slot = &f->slots[number & ((1U << SLOTS_BITS) - 1)];
    *has = slot->row != 0 && memcmp(slot->key, key->b, sizeof slot->key) == 0;
    return slot;
}

uint64_t conflicting_rows_first(const struct run *r, const struct hash128 *key)
{
    bool has = false;
    const struct conflict_slot *slot = r->read.conflicts != NULL ? slot_of(r->read.conflicts, key, &has) : NULL;

    return has ? slot->row : 0;
}

void conflicting_rows_add(struct run *r, const struct entry *entry, uint64_t digest)
{
    struct conflicting_rows *f = r->read.conflicts;
    bool same_key;

    if (f == NULL || entry->row == 0)
        return;
    struct conflict_slot *slot = slot_of(f, &entry->key, &same_key);
    if (same_key && f->unordered && slot->digest != digest) {
        f->n++;
        add_pair(f, slot->row, entry->row);
    }
    if (same_key)
        return;
    memcpy(slot->key, entry->key.b, sizeof slot->key);
    slot->digest = digest;
    slot->row = entry->row;
}

void conflicting_rows_report(const struct run *r)
{
    const struct conflicting_rows *f = r->read.conflicts;

    if (f != NULL && f->n > 0)
        log_warning(
            "%s: %llu row%s the key of an earlier row and other values (rows %s%s): which of them counts may change with "
            "every run; add `order by` to the query, or let it return one row per key",
            r->source->label, (unsigned long long)f->n, f->n == 1 ? " has" : "s have", f->pairs,
            f->n > PAIRS_SHOWN ? ", …" : "");
}

void conflicting_rows_free(struct run *r)
{
    if (r->read.conflicts != NULL)
        free(r->read.conflicts->slots);
    free(r->read.conflicts);
    r->read.conflicts = NULL;
}
