/* Why a row was refused before, in the words of the run that refused it: the state remembers only the reason. The results
 * of the latest runs are read once, when the first such row is met. */
#include "config.h"

#include "sync/pipeline/run_int.h"

#include <stdlib.h>
#include <string.h>

enum { RUNS_BACK = 3, RECALL_BYTES = 16 << 20, SLOTS_FIRST = 1 << 10 };

struct recalled {
    struct hash128 key;
    enum reason reason;
    struct str detail; /* empty: a free slot */
};
struct refused_before {
    struct arena arena;     /* the texts; when it is full, further rows have none */
    struct recalled *slots; /* open addressing */
    size_t n, slots_n;
};

static struct recalled *find(const struct refused_before *c, const struct hash128 *key)
{
    size_t i;
    memcpy(&i, key, sizeof i);
    for (i &= c->slots_n - 1; c->slots[i].detail.n > 0 && !hash128_eq(&c->slots[i].key, key);)
        i = (i + 1) & (c->slots_n - 1);
    return &c->slots[i];
}

static int grow(struct refused_before *c)
{
    struct refused_before more = {.slots_n = c->slots_n == 0 ? SLOTS_FIRST : 2 * c->slots_n};
    if (more.slots_n * sizeof *more.slots > RECALL_BYTES || (more.slots = calloc(more.slots_n, sizeof *more.slots)) == NULL)
        return -1;
    for (size_t i = 0; i < c->slots_n; i++)
        if (c->slots[i].detail.n > 0)
            *find(&more, &c->slots[i].key) = c->slots[i];
    free(c->slots);
    c->slots = more.slots;
    c->slots_n = more.slots_n;
    return 0;
}

/* A newer run's words come first, and stay. Those that were recalled themselves name the run that found them. */
static void put(struct refused_before *c, const struct entry *entry, uint64_t run)
{
    static const struct hash128 none;
    struct buf text = BUF_INIT(1 << 16);
    if (entry->detail.n == 0 || (entry->outcome != OUTCOME_SKIPPED && entry->outcome != OUTCOME_REJECTED) ||
        hash128_eq(&entry->key, &none) || (2 * c->n >= c->slots_n && grow(c) != 0))
        return;
    struct recalled *slot = find(c, &entry->key);
    int bad = buf_add(&text, entry->detail.p, entry->detail.n);
    if (str_find(entry->detail, STR("; found in run ")) == NULL)
        bad |= buf_addf(&text, "; found in run %llu", (unsigned long long)run);
    struct str detail;
    if (slot->detail.n == 0 && bad == 0 && arena_str(&c->arena, buf_str(&text), &detail) == 0) {
        *slot = (struct recalled){entry->key, entry->reason, detail};
        c->n++;
    }
    buf_free(&text);
}

static int read_run(struct refused_before *c, struct state *state, uint64_t run, struct err *e)
{
    struct results *results = NULL;
    struct arena arena;
    struct entry entry;
    enum op op;
    uint32_t target;
    int rc = -1;
    arena_init(&arena, RECALL_BYTES);
    if (state_results_open(state, run, &results, e) == 0)
        while ((rc = state_results_next(results, &arena, &entry, &op, &target, e)) > 0) {
            put(c, &entry, run);
            arena_reset(&arena);
        }
    state_results_close(results);
    arena_free(&arena);
    return rc;
}

static int refused_before_load(struct run *r, struct refused_before *c, struct err *e)
{
    struct arena arena;
    struct run_record *runs;
    size_t n, read_n = 0;
    arena_init(&arena, RECALL_BYTES);
    int rc = state_runs(r->state, 2 * RUNS_BACK + 1, &arena, &runs, &n, e);
    for (size_t i = 0; rc == 0 && i < n && read_n < RUNS_BACK; i++) {
        if (runs[i].id == r->record.id || runs[i].read == NULL || runs[i].read[0] == '\0')
            continue;
        rc = read_run(c, r->state, runs[i].id, e);
        read_n++;
    }
    arena_free(&arena);
    return rc;
}

int refused_before_detail(struct run *r, struct entry *entry, struct err *e)
{
    if (r->refused_before == NULL) {
        r->refused_before = calloc(1, sizeof *r->refused_before);
        if (r->refused_before == NULL)
            return err_oom(e);
        arena_init(&r->refused_before->arena, RECALL_BYTES);
        if (refused_before_load(r, r->refused_before, e) != 0)
            return -1;
    }
    if (r->refused_before->slots_n == 0)
        return 0;
    const struct recalled *slot = find(r->refused_before, &entry->key);
    if (slot->detail.n > 0 && slot->reason == entry->reason && arena_str(&r->row_arena, slot->detail, &entry->detail) != 0)
        return err_oom(e);
    return 0;
}

void refused_before_close(struct run *r)
{
    if (r->refused_before != NULL) {
        arena_free(&r->refused_before->arena);
        free(r->refused_before->slots);
    }
    free(r->refused_before);
    r->refused_before = NULL;
}
