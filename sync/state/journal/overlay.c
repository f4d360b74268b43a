/* A dry run must not merge, but it must know what a merge would find: it folds the journal in memory, by the same
 * rules. */
#include "config.h"

#include "sync/state/lookup/lookup.h"
#include "sync/state/tables/people.h"
#include "sync/state/tables/values.h"

#include <stdlib.h>
#include <string.h>

enum { BYTES_AN_ITEM = sizeof(struct fold_item) + 4 + sizeof(struct overlay_source) + sizeof(struct overlay_lead) };

void overlay_free(struct overlay *o)
{
    free(o->leads);
    free(o->sources);
    free(o->people);
    arena_free(&o->arena);
    memset(o, 0, sizeof *o);
}

/* Which batch and entry an item came from, so that its values can be read again instead of being kept in memory. */
static int add_source(struct overlay *o, uint64_t batch, size_t entry, struct err *e)
{
    if (o->sources_n == o->sources_cap) {
        size_t cap = o->sources_cap == 0 ? 1024 : o->sources_cap * 2;
        struct overlay_source *grown = reallocarray(o->sources, cap, sizeof *grown);
        if (grown == NULL)
            return err_oom(e);
        o->sources = grown;
        o->sources_cap = cap;
    }
    o->sources[o->sources_n++] = (struct overlay_source){batch, (uint32_t)entry};
    return 0;
}

/* The state keeps statuses by address. What the journal has proved of a person counts for a dry run as well. */
static int add_person(struct state *s, struct overlay *o, const struct entry *entry, struct err *e)
{
    int status = lead_status_of_reason(entry->reason);
    uint64_t address;
    if (status == TARGET_STATUS_UNKNOWN || entry->email.n == 0)
        return 0;
    if (o->people_n == o->people_cap) {
        size_t cap = o->people_cap == 0 ? 64 : o->people_cap * 2;
        struct overlay_person *grown = reallocarray(o->people, cap, sizeof *grown);
        if (grown == NULL)
            return err_oom(e);
        o->people = grown;
        o->people_cap = cap;
    }
    if (people_address(s, entry->email, &address, e) < 0)
        return -1;
    o->people[o->people_n++] = (struct overlay_person){address, status};
    return 0;
}

static int person_compare(const void *a, const void *b)
{
    uint64_t x = ((const struct overlay_person *)a)->address, y = ((const struct overlay_person *)b)->address;
    return (x > y) - (x < y);
}

bool overlay_person(const struct overlay *o, uint64_t address, int *status)
{
    const struct overlay_person wanted = {.address = address};
    const struct overlay_person *found = o->people_n == 0
                                             ? NULL
                                             : bsearch(&wanted, o->people, o->people_n, sizeof *o->people, person_compare);
    if (found != NULL)
        *status = found->status;
    return found != NULL;
}

/* Settled batches are folded as a merge would fold them. Entries of open batches only mark their key as open, since their
 * outcome is unknown. */
static int overlay_collect(struct state *s, struct overlay *o, struct fold_list *l, struct err *e)
{
    struct journal_batch jb;
    uint64_t after = 0;
    for (;;) {
        arena_reset(&o->arena);
        int rc = journal_next(s, JOURNAL_ALL, after, &o->arena, &jb, e);
        if (rc != 1)
            return rc;
        if (l->n + jb.b.entries_n > l->max)
            return err_set(e, XS_STATE,
                           "%s: holds more of a run that died than fits into --memory; let "
                           "`leadsync resume` settle it first",
                           s->journal_path);
        bool open = jb.b.state != BATCH_DONE;
        for (size_t i = 0; i < jb.b.entries_n; i++) {
            if (!open && add_person(s, o, &jb.b.entries[i], e) < 0)
                return -1;
            if (!open && !fold_wants(&jb.b.entries[i], jb.b.op, true))
                continue;
            if (fold_list_add_entry(l, &jb.b.entries[i], jb.b.op, journal_entry_target(&jb, i), jb.b.run, open, e) < 0 ||
                add_source(o, jb.b.id, i, e) < 0)
                return -1;
        }
        after = jb.b.id;
    }
}

/* The lead as it is stored, or nothing. */
static int start_fold(struct state *s, const struct hash128 *key, struct fold *f, struct err *e)
{
    sqlite3_stmt *st;
    fold_init(f);
    int rc = db_query(&s->main, &st, e, "SELECT fingerprint, target, status, flags FROM leads WHERE key = ?", "k", key);
    if (rc != 1)
        return rc;
    f->known = true;
    f->fingerprint = (uint64_t)sqlite3_column_int64(st, 0);
    f->target = (uint32_t)sqlite3_column_int64(st, 1);
    f->status = db_is_null(st, 2) ? TARGET_STATUS_UNKNOWN : sqlite3_column_int(st, 2);
    f->flags = (uint32_t)sqlite3_column_int64(st, 3);
    sqlite3_reset(st);
    return 0;
}

/* The items are sorted: each group of equal keys starts with what is stored and takes its entries in their order. */
static int fold_all(struct state *s, struct overlay *o, struct fold_list *l, struct err *e)
{
    if (fold_list_sort(l, e) < 0)
        return -1;
    o->leads = calloc(l->n + 1, sizeof *o->leads);
    if (o->leads == NULL)
        return err_oom(e);
    for (size_t from = 0, to; from < l->n; from = to) {
        struct overlay_lead *lead = &o->leads[o->n++];
        to = fold_list_group(l, from);
        lead->key = l->items[from].key;
        if (start_fold(s, &lead->key, &lead->fold, e) < 0)
            return -1;
        for (size_t i = from; i < to; i++)
            fold_item(&lead->fold, &l->items[i]);
    }
    return 0;
}

int overlay_load(struct state *s, struct overlay *o, struct err *e)
{
    struct fold_list list;
    arena_init(&o->arena, ARENA_BATCH_MAX);
    if (!s->journal.open)
        return 0;
    fold_list_init(&list, s->memory_max / BYTES_AN_ITEM);
    int result = overlay_collect(s, o, &list, e) < 0 || fold_all(s, o, &list, e) < 0 ? -1 : 0;
    fold_list_free(&list);
    if (o->people_n > 0)
        qsort(o->people, o->people_n, sizeof *o->people, person_compare);
    return result;
}

static int lead_compare(const void *key, const void *lead)
{
    return memcmp(key, ((const struct overlay_lead *)lead)->key.b, sizeof(struct hash128));
}

const struct overlay_lead *overlay_find(const struct overlay *o, const struct hash128 *key)
{
    return o->n == 0 ? NULL : bsearch(key, o->leads, o->n, sizeof *o->leads, lead_compare);
}

/* Text and hash replace each other: a lead has its values in one of the two forms only. */
static int read_entry(struct state *s, struct overlay *o, uint32_t item, struct arena *arena, struct known_lead *out,
                      struct err *e)
{
    struct journal_batch jb;
    const struct overlay_source *source = &o->sources[item];
    arena_reset(&o->arena);
    int rc = journal_get(s, source->batch, &o->arena, &jb, e);
    if (rc < 0)
        return -1;
    if (rc == 0 || source->entry >= jb.b.entries_n)
        return err_set(e, XS_INTERNAL, "a batch vanished from %s; please report this", s->journal_path);
    const struct entry *entry = &jb.b.entries[source->entry];
    if (entry->values.n > 0 && arena_str(arena, entry->values, &out->values) < 0)
        return err_oom(e);
    if (entry->key_text.n > 0 && arena_str(arena, entry->key_text, &out->key_text) < 0)
        return err_oom(e);
    if (entry->values.n > 0)
        out->hashes = STR_NONE;
    if (entry->hashes.n > 0 && arena_str(arena, entry->hashes, &out->hashes) < 0)
        return err_oom(e);
    if (entry->hashes.n > 0)
        out->values = STR_NONE;
    return 0;
}

/* What is stored, then what the journal has changed. The values come from the last entry that brought them, else from the
 * last that proved the lead. */
int overlay_lead_get(struct state *s, struct overlay *o, const struct overlay_lead *lead, struct arena *arena,
                     struct known_lead *out, struct err *e)
{
    const struct fold *f = &lead->fold;
    if (lead_get_stored(s, &lead->key, arena, out, e) < 0)
        return -1;
    if (!f->known)
        return 0;
    out->fingerprint = f->fingerprint;
    out->target = f->target;
    out->status = f->status;
    out->flags = f->flags & KNOWN_PUBLIC;
    if (f->id_recorded) {
        out->lead_id = f->lead_id;
        out->has_lead_id = true;
    }
    uint32_t from = f->values_from != FOLD_NONE ? f->values_from : f->proven_from;
    if (from != FOLD_NONE && read_entry(s, o, from, arena, out, e) < 0)
        return -1;
    return 1;
}
