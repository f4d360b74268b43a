#include "config.h"

#include "sync/cli/history/results_written.h"

#include "mappings/mapping.h"
#include "sync/plan/changes.h"
#include "sync/state/forget/trace.h"

#include <stdlib.h>
#include <string.h>

/* 48 MB. A state with more updates after the shown run than that is rare, and its results are still listed, without values. */
enum { LATER_MAX = 2 << 20, ARENA_BYTES = 64 << 20, RUNS_MAX = 1000 };

static int later_compare(const void *a, const void *b)
{
    const struct later *x = a, *y = b;
    int order = memcmp(&x->key, &y->key, sizeof x->key);
    return order != 0 ? order : (x->run > y->run) - (x->run < y->run);
}

static int results_written_add(struct results_written *w, const struct hash128 *key, uint64_t run, struct err *e)
{
    if (w->later_n == LATER_MAX) {
        w->too_many = true;
        return 0;
    }
    if (w->later_n == w->later_cap) {
        size_t cap = w->later_cap == 0 ? 256 : w->later_cap * 2;
        struct later *grown = reallocarray(w->later, cap, sizeof *grown);
        if (grown == NULL)
            return err_oom(e);
        w->later = grown;
        w->later_cap = cap;
    }
    w->later[w->later_n++] = (struct later){*key, run};
    return 0;
}

static int results_written_read(struct results_written *w, uint64_t run, struct err *e)
{
    struct results *results = NULL;
    struct arena arena;
    struct entry entry;
    enum op op;
    uint32_t target;
    int rc = -1;
    arena_init(&arena, ARENA_BYTES);
    if (state_results_open_all(w->state, run, &results, e) != 0)
        goto done;
    while ((rc = state_results_next(results, &arena, &entry, &op, &target, e)) > 0) {
        bool wrote = entry.outcome == OUTCOME_CREATED || entry.outcome == OUTCOME_CHANGED;
        if (wrote && !hash128_is_zero(&entry.key) && results_written_add(w, &entry.key, run, e) != 0) {
            rc = -1;
            break;
        }
        arena_reset(&arena);
    }
done:
    state_results_close(results);
    arena_free(&arena);
    return rc;
}

int results_written_open(struct results_written *w, struct state *state, uint64_t run, struct err *e)
{
    struct run_record *runs;
    struct arena arena;
    size_t n = 0;
    *w = (struct results_written){.state = state};
    arena_init(&arena, ARENA_BYTES);
    int rc = state_runs(state, RUNS_MAX, &arena, &runs, &n, e);
    for (size_t i = 0; rc == 0 && i < n && runs[i].id > run; i++)
        rc = results_written_read(w, runs[i].id, e);
    arena_free(&arena);
    if (rc == 0 && w->later_n > 0)
        qsort(w->later, w->later_n, sizeof *w->later, later_compare);
    return rc;
}

void results_written_close(struct results_written *w)
{
    free(w->later);
    *w = (struct results_written){.state = NULL};
}

/* The first run that wrote to the lead afterwards; 0: none did. */
static uint64_t results_written_later(const struct results_written *w, const struct hash128 *key)
{
    size_t from = 0, to = w->later_n;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (memcmp(&w->later[middle].key, key, sizeof *key) < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return from < w->later_n && hash128_eq(&w->later[from].key, key) ? w->later[from].run : 0;
}

int results_written_values(struct results_written *w, const struct entry *entry, bool but_key, struct arena *arena,
                           struct str *changes, uint64_t *later, struct err *e)
{
    uint32_t fields = UINT32_MAX;
    struct known_lead known;
    struct lead lead;
    *changes = STR_NONE;
    *later = 0;
    if (w->too_many || hash128_is_zero(&entry->key))
        return 0;
    *later = results_written_later(w, &entry->key);
    int rc = *later == 0 ? state_lead_get(w->state, &entry->key, arena, &known, e) : 0;
    if (rc == 1)
        rc = state_values_unpack(w->state, known.values, arena, &lead, e);
    if (rc != 1)
        return rc;
    const struct value *email = &lead.core[LEAD_EMAIL];
    if (but_key && email->kind == VALUE_STRING && mapping_same_address(entry->key_text, (struct str){email->p, email->n}))
        fields &= ~(1U << LEAD_EMAIL);
    return changes_pack(arena, &lead, fields, NULL, NULL, NULL, changes) != 0 ? err_oom(e) : 0;
}
