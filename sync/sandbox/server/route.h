/* From a request to an answer: the order of gates a request passes, and the table of endpoints. No socket here. */
#ifndef SYNC_SANDBOX_SERVER_ROUTE_H
#define SYNC_SANDBOX_SERVER_ROUTE_H

#include "sync/sandbox/server/http.h"

/* Works the request: edge, key, limits, faults, route, scope, schema, endpoint. Fills the answer, whatever happens.
 * `mono_us` is when the request came (for the rate windows); w->now_ms must be set. */
void box_route_serve(struct box_world *w, struct box_request *q, struct box_answer *a, int64_t mono_us);

/* Works late writes and ends jobs whose time has come, in the order of their times. */
void box_route_step(struct box_world *w);

/* "POST /leads/add" for the number that counters.by_route counts under. */
const char *box_route_name(size_t i);

/* Endpoints: 0 with the answer filled, or -1 when memory is short. A missing status is 200. */
typedef int box_endpoint(struct box_world *w, struct box_request *q, struct box_answer *a);

box_endpoint box_leads_add;                                                  /* add.c */
box_endpoint box_lead_create, box_lead_get, box_lead_patch, box_lead_remove; /* leads.c */
box_endpoint box_lead_merge, box_lead_set_interest, box_lead_to_subsequence, box_lead_from_subsequence;
box_endpoint box_leads_list, box_leads_delete, box_leads_assign;           /* many.c */
box_endpoint box_leads_move;                                               /* move.c */
box_endpoint box_jobs_list, box_job_get;                                   /* jobs.c */
box_endpoint box_campaigns_list, box_campaign_get, box_campaign_variables; /* places.c */
box_endpoint box_lists_list, box_list_get, box_list_create, box_list_stats;
box_endpoint box_workspace_get, box_plan_get, box_blocks_list, box_verify_start, box_verify_get; /* account.c */
box_endpoint box_control_requests, box_control_change;                                           /* control.c */
box_endpoint box_control_state;                                                                  /* dump.c */

#endif
