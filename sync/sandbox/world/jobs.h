/* Background jobs: their life by the clock, and how the store keeps them. What a job moves is endpoints/move.c. */
#ifndef SYNC_SANDBOX_WORLD_JOBS_H
#define SYNC_SANDBOX_WORLD_JOBS_H

#include "sync/base/jsonw.h"
#include "sync/sandbox/world/json.h"
#include "sync/sandbox/world/world.h"

extern const char *const sim_job_mode_names[SIM_JOB_MODES];

/* Ends every job whose time has come, in the order of their times; world->carry_out() does what each was made for. Call before
 * anything is answered. */
void sim_jobs_step(struct sim_world *w);
/* Adds a job that moves, and locks its places; with `lies` it will only say that it has moved. NULL when memory is
 * short. `filters` is copied. */
struct sim_job *sim_job_add(struct sim_world *w, uint32_t from, uint32_t from_list, uint32_t to, struct str filters,
                            bool lies);
/* Lets stuck jobs end at once. */
void sim_jobs_release(struct sim_world *w);
/* The status that the API shows now, and the progress in percent. */
const char *sim_job_status(const struct sim_world *w, const struct sim_job *job, int *progress);

/* For the store: everything, and back. sim_job_load: 0, 1 malformed, -1 out of memory. */
void sim_job_save(struct sim_world *w, const struct sim_job *job, struct jsonw *j);
int sim_job_load(struct sim_world *w, json_object *o);

#endif
