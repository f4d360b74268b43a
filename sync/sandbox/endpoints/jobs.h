/* Background jobs: their life by the clock, and how they are shown. What a move job does is move.c. */
#ifndef SYNC_SANDBOX_ENDPOINTS_JOBS_H
#define SYNC_SANDBOX_ENDPOINTS_JOBS_H

#include "sync/base/jsonw.h"
#include "sync/sandbox/server/http.h"
#include "sync/sandbox/world/world.h"

extern const char *const sim_job_mode_names[SIM_JOB_MODES];

/* Ends every job whose time has come, in the order of their times. Call before anything is answered. */
void sim_jobs_step(struct sim_world *w);
/* Adds a job that moves, and locks its places; with `lies` it will only say that it has moved. NULL when memory is
 * short. `filters` is copied. */
struct sim_job *sim_job_add(struct sim_world *w, uint32_t from, uint32_t from_list, uint32_t to, struct str filters,
                            bool lies);
/* Lets stuck jobs end at once. */
void sim_jobs_release(struct sim_world *w);

/* move.c: does the move and fills the counters. What memory does not allow makes the job fail. */
void sim_move_run(struct sim_world *w, struct sim_job *job);

/* As the API shows it; `fields`: only these members of data (comma list), p NULL: all. */
void sim_job_write(struct sim_world *w, const struct sim_job *job, struct str fields, struct jsonw *j);
/* For the store: everything, and back. sim_job_load: 0, 1 malformed, -1 out of memory. */
void sim_job_save(struct sim_world *w, const struct sim_job *job, struct jsonw *j);
int sim_job_load(struct sim_world *w, json_object *o);

#endif
