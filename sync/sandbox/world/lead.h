/* A lead as JSON: read from a request, written as the API answers it. */
#ifndef SYNC_SANDBOX_WORLD_LEAD_H
#define SYNC_SANDBOX_WORLD_LEAD_H

#include "sync/base/jsonw.h"
#include "sync/sandbox/world/json.h"
#include "sync/sandbox/world/world.h"

/* Names in the API and inside `payload` (NULL: absent), by enum sim_field up to BF_API_N. */
struct sim_field_name {
    const char *api, *payload;
};
extern const struct sim_field_name sim_field_names[BF_API_N];

/* Lays the members of a request over `fields`: null makes a field absent, custom_variables replace or (merge)
 * overlay the old ones. The texts borrow from `o` and from `custom` (a scratch buffer, reset here), both of which
 * must outlive `fields`. `custom` must not hold the fields' own old texts. 0, or -1 when memory is short. */
int sim_fields_overlay(struct sim_fields *fields, json_object *o, bool merge, struct buf *custom);
/* Walks packed custom variables: 1 and a pair, 0 at the end. */
int sim_custom_next(struct str *packed, struct str *name, struct str *value_json);
void sim_custom_write(struct jsonw *w, struct str packed); /* as one object */

/* Sets lt_interest_status from a request body, where it is given. */
void sim_lead_interest(struct sim_world *w, struct sim_lead *lead, json_object *o);
/* 0: never verified, else the code of the API as of now. */
int sim_lead_verification(const struct sim_world *w, const struct sim_lead *lead);
/* The verdict that verification reaches for an address, by words in its local part. */
int sim_verdict(struct str email);
/* The whole lead, nulls left out. */
void sim_lead_write(struct sim_world *w, const struct sim_lead *lead, struct jsonw *j);
void sim_write_time(struct jsonw *j, const char *key, int64_t ms);

#endif
