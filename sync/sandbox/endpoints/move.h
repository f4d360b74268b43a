/* Moves: what a background job does to the leads, and how the API shows it. */
#ifndef SYNC_SANDBOX_ENDPOINTS_MOVE_H
#define SYNC_SANDBOX_ENDPOINTS_MOVE_H

#include "sync/base/jsonw.h"
#include "sync/sandbox/world/world.h"

/* Does the move of a job that ends, and fills its counters. If memory does not suffice, the job fails. world->carry_out */
void sim_move_run(struct sim_world *w, struct sim_job *job);

/* A job as the API shows it; `fields`: only these members of data (comma list), p NULL: all. */
void sim_job_write(struct sim_world *w, const struct sim_job *job, struct str fields, struct jsonw *j);

#endif
