/* The leads of a job. A job carries the leads of one batch, or of a part of it if the API has refused the whole batch. The batch
 * knows only its last job; the ids that each job echoes show which leads another job had. */
#include "config.h"

#include "sync/cli/jobs/job_entries.h"
#include "sync/api/api.h"

#include <stdlib.h>
#include <string.h>

enum { ARENA_BYTES = 512 << 20 };

const char *const entry_status_names[] = {"SUCCESS", "ERROR", "PENDING", NULL};

void job_entries_free(struct job_entries *entries)
{
    arena_free(&entries->arena);
    entries->v = NULL;
    entries->n = 0;
}

/* ---- ids that the job was asked for ---- */

struct id_set {
    struct uuid *v; /* in the arena */
    size_t n, cap;
};

static int by_bytes(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct uuid));
}

static bool has(const struct id_set *set, const struct entry *entry)
{
    return entry->has_lead_id && set->n > 0 && bsearch(&entry->lead_id, set->v, set->n, sizeof *set->v, by_bytes) != NULL;
}

/* Adds the ids that the job was asked for, unsorted. */
static int read_ids(const struct job_record *job, struct arena *arena, struct id_set *set, struct err *e)
{
    struct uuid *ids;
    size_t n;
    if (api_job_filter_ids(job->filters, arena, &ids, &n, e) != 0)
        return -1;
    if (set->n + n > set->cap) {
        size_t cap = 2 * (set->n + n);
        struct uuid *grown = arena_calloc(arena, cap, sizeof *grown);
        if (grown == NULL)
            return err_oom(e);
        if (set->n > 0)
            memcpy(grown, set->v, set->n * sizeof *grown);
        set->v = grown;
        set->cap = cap;
    }
    if (n > 0)
        memcpy(set->v + set->n, ids, n * sizeof *ids);
    set->n += n;
    return 0;
}

static bool may_share(const struct job_record *a, const struct job_view *b)
{
    return a->run == b->run && a->from != NULL && b->from != NULL && strcmp(a->from, b->from) == 0 && a->to != NULL &&
           b->to != NULL && strcmp(a->to, b->to) == 0;
}

/* Of the job, and of all others that its batches may have had. */
static int read_all_ids(struct state *state, const struct job_view *job, struct arena *arena, struct id_set *ids,
                        struct id_set *others, struct err *e)
{
    struct job_record *jobs;
    size_t n;
    if (state_jobs(state, arena, &jobs, &n, e) != 0)
        return -1;
    for (size_t i = 0; i < n; i++) {
        bool same = strcmp(jobs[i].id, job->id) == 0;
        if ((same || may_share(&jobs[i], job)) && read_ids(&jobs[i], arena, same ? ids : others, e) != 0)
            return -1;
    }
    struct id_set *const sets[] = {ids, others};
    for (size_t i = 0; i < 2; i++)
        if (sets[i]->n > 0)
            qsort(sets[i]->v, sets[i]->n, sizeof *sets[i]->v, by_bytes);
    return 0;
}

/* ---- entries ---- */

static void judge(struct job_entry *entry)
{
    switch (entry->entry.outcome) {
    case OUTCOME_NONE: entry->validation = entry->completion = ENTRY_PENDING; break;
    case OUTCOME_SKIPPED:
    case OUTCOME_REJECTED: /* decided by what was read before the job */
        entry->validation = entry->completion = ENTRY_ERROR;
        break;
    case OUTCOME_FAILED:
        entry->validation = ENTRY_SUCCESS;
        entry->completion = ENTRY_ERROR;
        break;
    case OUTCOME_DEFERRED:
        entry->validation = ENTRY_SUCCESS;
        entry->completion = ENTRY_PENDING;
        break;
    default: entry->validation = entry->completion = ENTRY_SUCCESS; break;
    }
}

static int job_entries_add(struct job_entries *all, const struct entry *entry, uint32_t from, uint32_t to, struct err *e)
{
    if (all->n == all->cap) {
        size_t cap = all->cap == 0 ? 256 : 2 * all->cap;
        struct job_entry *grown = arena_calloc(&all->arena, cap, sizeof *grown);
        if (grown == NULL)
            return err_oom(e);
        if (all->n > 0)
            memcpy(grown, all->v, all->n * sizeof *grown);
        all->v = grown;
        all->cap = cap;
    }
    struct job_entry *one = &all->v[all->n++];
    *one = (struct job_entry){.entry = *entry, .from = from, .to = to};
    judge(one);
    return 0;
}

/* Those that were left out before any job was asked for are in no job's ids: they go with the batch. */
static int job_entries_add_batch(struct job_entries *all, struct state *state, uint64_t id, const struct id_set *ids,
                                 const struct id_set *others, struct err *e)
{
    struct results *results;
    struct batch head;
    struct entry entry;
    enum op op;
    uint32_t target;
    int rc = state_batch_results_open(state, id, &all->arena, &head, &results, e);
    if (rc != 1)
        return rc;
    while ((rc = state_results_next(results, &all->arena, &entry, &op, &target, e)) == 1)
        if ((has(ids, &entry) || !has(others, &entry)) &&
            job_entries_add(all, &entry, head.source, target != 0 ? target : head.target, e) != 0) {
            rc = -1;
            break;
        }
    state_results_close(results);
    return rc;
}

/* A job that no batch names: its leads are looked for in its run, in what is open and in what is settled. */
static int add_by_ids(struct job_entries *all, struct state *state, const struct job_view *job, const struct id_set *ids,
                      struct err *e)
{
    struct results *results;
    struct batch *open;
    struct entry entry;
    enum op op;
    uint32_t target;
    size_t n;
    if (state_batches_open(state, &all->arena, &open, &n, e) != 0)
        return -1;
    for (size_t b = 0; b < n; b++)
        for (size_t i = 0; open[b].op == OP_MOVE && open[b].run == job->run && i < open[b].entries_n; i++)
            if (has(ids, &open[b].entries[i]) &&
                job_entries_add(all, &open[b].entries[i], open[b].source, open[b].target, e) != 0)
                return -1;
    if (state_results_open(state, job->run, &results, e) != 0)
        return -1;
    int rc;
    while ((rc = state_results_next(results, &all->arena, &entry, &op, &target, e)) == 1)
        if (op == OP_MOVE && has(ids, &entry) && job_entries_add(all, &entry, 0, target, e) != 0) {
            rc = -1;
            break;
        }
    state_results_close(results);
    return rc;
}

static int by_row(const void *a, const void *b)
{
    const struct job_entry *x = a, *y = b;
    /* Row 0 is a removal's: last, as in results. */
    uint64_t x_row = x->entry.row - 1, y_row = y->entry.row - 1;
    if (x_row != y_row)
        return x_row < y_row ? -1 : 1;
    return memcmp(&x->entry.lead_id, &y->entry.lead_id, sizeof x->entry.lead_id);
}

int job_entries_read(struct job_entries *all, struct state *state, const struct job_view *job, struct err *e)
{
    struct id_set ids = {.v = NULL}, others = {.v = NULL};
    uint64_t batch = 0;
    int rc;
    *all = (struct job_entries){.v = NULL};
    arena_init(&all->arena, ARENA_BYTES);
    if (read_all_ids(state, job, &all->arena, &ids, &others, e) != 0)
        return -1;
    while ((rc = state_batch_find(state, job->id, batch, &batch, e)) == 1)
        if (job_entries_add_batch(all, state, batch, &ids, &others, e) != 0)
            return -1;
    if (rc == 0 && all->n == 0 && ids.n > 0)
        rc = add_by_ids(all, state, job, &ids, e);
    if (rc != 0)
        return -1;
    if (all->n > 0)
        qsort(all->v, all->n, sizeof *all->v, by_row);
    for (size_t i = 0; i < all->n; i++)
        all->v[i].n = i + 1;
    return 0;
}
