/* How many requests about leads an upload can need at most. A dry run shows it beside the least that it needs.
 *
 * The bounds hold however Instantly answers: with lost answers, with counters that explain nothing, with refusals and with ids that are
 * gone. They leave out what depends on time or on other users: repeats of requests that Instantly could not take (429, 5xx, no
 * connection), polls of background jobs and of verifications, and the pages of a list that has leads without an address, or hashed ones. */
#ifndef SYNC_UPLOAD_COST_H
#define SYNC_UPLOAD_COST_H

#include <stdbool.h>
#include <stdint.h>

/* Creates of n leads in one target, `batch` per request; with `updates`, leads that are met in the target are updated. */
uint64_t cost_create_most(uint64_t n, uint64_t batch, bool updates);
/* Leads that another address replaces are read before the create of the new lead. */
uint64_t cost_rekey_most(uint64_t n);
uint64_t cost_update_most(uint64_t n);
/* Moves of n leads from one target to another. */
uint64_t cost_move_most(uint64_t n);
/* The reads before and after such moves, at least. */
uint64_t cost_move_reads(uint64_t n);
uint64_t cost_remove_most(uint64_t n);
/* The longest waits between the reads of one request's leads, in units of limits.settle. */
unsigned cost_waits_most(uint64_t batch);

#endif
