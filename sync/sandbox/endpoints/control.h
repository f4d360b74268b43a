/* What the files of the test control share. A handler: 0 done, 1 the value is wrong, -1 out of memory. */
#ifndef SYNC_SANDBOX_ENDPOINTS_CONTROL_H
#define SYNC_SANDBOX_ENDPOINTS_CONTROL_H

#include "sync/sandbox/world/json.h"
#include "sync/sandbox/server/route.h"
#include "sync/sandbox/world/world.h"

typedef int control_change(struct sim_world *w, json_object *value);

/* Calls `each` for every text of an array. */
int control_texts(struct sim_world *w, json_object *array, int (*each)(struct sim_world *, struct str));
/* Calls `each` for every member of an object. */
int control_members(struct sim_world *w, json_object *o, int (*each)(struct sim_world *, struct str, json_object *));
/* A campaign wins over a list of the same name. 0: there is none. */
uint32_t control_place(struct sim_world *w, struct str text);

control_change control_add, control_status, control_interest, control_contacted, control_engaged, control_edit, control_move,
    control_delete, control_change_ids;

#endif
