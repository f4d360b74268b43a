/* The longest way of each operation, counted in requests. docs/WRITES.md describes the ways; the comments here name the step that each
 * number stands for. A bound may be generous, but no upload may exceed it: tests/cli/diff_cost.test counts. */
#include "config.h"

#include "sync/upload/cost.h"

#include "sync/api/api.h"
#include "sync/upload/operation.h"
#include "sync/upload/refused_alike.h"

/* A lead that no list shows: itself, then its address in source and target, as often as a list may lag. */
enum { SEARCH_MOST = 1 + 2 * ATTEMPTS_MAX };

static uint64_t lists(uint64_t n)
{
    return (n + LEADS_LIST_MAX - 1) / LEADS_LIST_MAX;
}

static unsigned halvings(uint64_t n)
{
    unsigned depth = 0;
    for (; n > 1; n = (n + 1) / 2)
        depth++;
    return depth;
}

/* Calls `most` for each request's share of n. */
static uint64_t in_batches(uint64_t n, uint64_t batch, uint64_t (*most)(uint64_t n))
{
    return n / batch * most(batch) + (n % batch > 0 ? most(n % batch) : 0);
}

/* One request of creates. Each request that is sent splits its leads (n - 1 times at most), or loses a lead that the refusal names, or
 * is about a single lead. The first ones can be lost and sent again, and refusals are tried with a few leads alone. After each
 * the leads are read back, as often as a list may lag; the first levels of halves need several lists. */
static uint64_t create_most(uint64_t n)
{
    uint64_t sends = 3 * n + 4 * ROUNDS_MAX + ALIKE_MIN;
    return sends * (1 + ATTEMPTS_MAX) + ATTEMPTS_MAX * lists(n) * (halvings(n) + ROUNDS_MAX);
}

uint64_t cost_create_most(uint64_t n, uint64_t batch, bool updates)
{
    return in_batches(n, batch, create_most) + (updates ? cost_update_most(n) : 0);
}

/* The old lead in a list, by its id, by its address. */
uint64_t cost_rekey_most(uint64_t n)
{
    return lists(n) + 2 * n;
}

/* Each lead: it is searched; it is written, read and searched again in each round; it is read by itself at last. The leads of a batch
 * are read together before, and after the last PATCH as often as a list may lag. */
uint64_t cost_update_most(uint64_t n)
{
    return n * (SEARCH_MOST + ROUNDS_MAX * (1 + 1 + SEARCH_MOST) + 1) + lists(n) * (1 + ATTEMPTS_MAX);
}

/* One batch of moves. Refusals halve the request and acceptances double it again, so that there are two requests per lead and a few
 * more. Each request can lose its answer, so that its job is searched; then its leads are read in lists, by themselves, and by
 * address in the target. A request without a job is sent again. */
static uint64_t move_most(uint64_t n)
{
    uint64_t sends = 2 * n + halvings(n);
    uint64_t proofs = ATTEMPTS_MAX * (lists(n) + n) + n + lists(n) + n;
    return lists(n) + n * SEARCH_MOST + ROUNDS_MAX * (sends + n * ATTEMPTS_MAX + proofs);
}

uint64_t cost_move_most(uint64_t n)
{
    return in_batches(n, LEADS_MOVE_MAX, move_most);
}

uint64_t cost_move_reads(uint64_t n)
{
    return 2 * lists(n);
}

/* Each lead can come to be read and removed apart from the others: it is searched; in each round it is deleted, read in lists and by
 * itself. */
static uint64_t remove_most(uint64_t n)
{
    return lists(n) * (1 + ATTEMPTS_MAX) + n * (SEARCH_MOST + ROUNDS_MAX * (1 + 2 * ATTEMPTS_MAX));
}

uint64_t cost_remove_most(uint64_t n)
{
    return in_batches(n, LEADS_DELETE_MAX, remove_most);
}

unsigned cost_waits_most(uint64_t batch)
{
    return 2 * ROUNDS_MAX + halvings(batch);
}
