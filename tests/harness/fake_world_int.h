/* What the parts of fake_world share: fake_world.c answers requests and spoils answers, fake_world_leads.c has the
 * leads, fake_world_jobs.c the moves, fake_world_lies.c the answers that are not true. */
#ifndef TESTS_HARNESS_FAKE_WORLD_INT_H
#define TESTS_HARNESS_FAKE_WORLD_INT_H

#include "tests/harness/fake_world.h"

/* ---- json-c ---- */

/* NULL if it is missing or not an object. */
struct json_object *world_member(struct json_object *o, const char *name);
/* "" when there is no such text. */
const char *world_text(struct json_object *o, const char *name);
void world_put_text(struct json_object *o, const char *name, const char *value);
void world_put_int(struct json_object *o, const char *name, int64_t value);
bool world_starts(const char *s, const char *prefix); /* in any case */
/* Takes the answer over; it stays readable until the end, because the body of an answer borrows from here. */
const char *world_keep(struct world *w, struct json_object *answer);
void world_refuse(struct world *w, int status, const char *message, struct fake_answer *a);

/* ---- leads ---- */

const char *world_target_of(struct json_object *lead);
/* A new lead, which the caller adds. */
struct json_object *world_make(struct world *w, bool list, const char *target);
/* Writes members of an add or a PATCH to what leads/list shows. */
void world_write_fields(struct json_object *lead, struct json_object *item);
/* The same, but variables that the lead has and `item` does not name stay. */
void world_merge_fields(struct json_object *lead, struct json_object *item);
/* Changes where the lead is. */
void world_move_to(struct json_object *lead, const char *target);

/* ---- lies ---- */

/* Spoils created_leads of an answer to leads/add. */
void world_lie_created(struct world *w, struct fake_answer *a, enum world_fault fault);

/* ---- moves ---- */

/* Works the jobs that are due. */
void world_step_jobs(struct world *w);
/* Is the target an end of a job that runs? */
bool world_is_locked(const struct world *w, const char *target);
void world_answer_move(struct world *w, struct json_object *body, struct fake_answer *a);
void world_answer_jobs(struct world *w, const char *path, struct fake_answer *a);
void world_answer_job(struct world *w, const char *id, struct fake_answer *a);

#endif
