/* Inside of hand_*.c. */
#ifndef SYNC_LEADS_LEAD_EDIT_INT_H
#define SYNC_LEADS_LEAD_EDIT_INT_H

#include "sync/leads/lead_edit.h"
#include "sync/state/state.h"
#include "sync/upload/upload.h"

/* ---- lead_edit.c ---- */

void lead_edit_outcome(struct edited_lead *lead, enum outcome outcome, enum reason reason, int http_status);
struct edited_lead *lead_edit_lead_new(struct lead_edit *edit,
                                       struct err *e); /* zeroed, valid until the next one is added */
/* Fills in what the API has of a lead. 0/-1 (memory) */
int lead_edit_lead_read(struct lead_edit *edit, struct edited_lead *lead, const struct remote_lead *remote, struct err *e);
/* Both in the same place, or both in none? */
bool lead_edit_same_place(const struct edited_lead *a, const struct edited_lead *b);

/* ---- lead_edit_find.c ---- */

/* leads/list by the ids of n leads, at most LEADS_LIST_MAX: sees those that are there. */
int lead_edit_look(struct lead_edit *edit, struct edited_lead *const *leads, size_t n, lead_edit_see_fn *see, void *ctx,
                   struct err *e);

/* ---- lead_edit_people.c ---- */

/* The key under which the state has the lead with this id: 1; 0 none, and all zeroes; -1. */
int lead_edit_owner(struct lead_edit *edit, const struct uuid *id, struct hash128 *key, struct err *e);
/* lead_edit_keep_back() of one lead, with the state as it is open or not. 0/-1 */
int lead_edit_keep_one(struct lead_edit *edit, struct edited_lead *lead, const struct target *to, struct err *e);
/* ---- lead_edit_state.c ---- */

/* Opens and locks the state (or opens it for reading in a dry run) and settles what is open in it. */
int lead_edit_state_open(struct lead_edit *edit, struct err *e);
/* Opens it for reading only, without a lock; lead_edit_state_close() after it. XS_STATE: there is none. */
int lead_edit_state_read(struct lead_edit *edit, struct err *e);
void lead_edit_state_close(struct lead_edit *edit);

/* Was a person with this address forgotten (leadsync forget)? 0/-1 */
int lead_edit_is_forgotten(struct lead_edit *edit, struct str email, bool *forgotten, struct err *e);

enum { ADDRESS_MAX = 64 << 10 }; /* bytes of a normalised address */

/* Outcomes that no request was needed for. */
int lead_edit_note(struct lead_edit *edit, struct edited_lead *lead, struct err *e);
/* What the journal says of a lead: its intent, and its outcome as far as it has one. Borrows from both. */
struct entry lead_edit_entry(const struct lead_edit *edit, const struct edited_lead *lead, enum op op, struct str values);
/* The state's number of a campaign or list; 0 for NULL. */
int lead_edit_target_number(struct lead_edit *edit, const struct target *t, uint32_t *number, struct err *e);

/* ---- lead_edit_upload.c ---- */

/* The values of a lead, packed as the state keeps them, in the edit's arena. 0/-1 (memory) */
int lead_edit_pack(struct lead_edit *edit, const struct lead *wanted, struct str *out, struct err *e);
int lead_edit_upload_open(struct lead_edit *edit, struct err *e);
void lead_edit_upload_close(struct lead_edit *edit);
/* The custom variables of what is wanted from now on: known to the state, and `wanted` has them from the upload's rules. */
int lead_edit_shape(struct lead_edit *edit, struct lead *wanted, struct err *e);
/* One of edit->leads, which gets its outcome while the upload is driven. `how` says operation, places and values; of its entry
 * only `values` and `by_user` count. */
int lead_edit_upload_add(struct lead_edit *edit, struct edited_lead *lead, const struct planned *how, struct err *e);
/* Drives the upload until all is settled or left open; after an error (`rc` -1) until nothing is in flight. Returns
 * `rc`, or -1 when this fails. */
int lead_edit_upload_drain(struct lead_edit *edit, int rc, struct err *e);

#endif
