/* From a request to an answer: the order of gates a request passes, and the table of endpoints. No socket here. */
#ifndef SYNC_SANDBOX_SERVER_ROUTE_H
#define SYNC_SANDBOX_SERVER_ROUTE_H

#include "sync/sandbox/server/http.h"

/* Works the request: edge, key, limits, faults, route, scope, schema, endpoint. Fills the answer, whatever happens.
 * `mono_us` is when the request came (for the rate windows); w->now_ms must be set. */
void sim_route_serve(struct sim_world *w, struct sim_request *q, struct sim_answer *a, int64_t mono_us);

/* Works late writes and ends jobs whose time has come, in the order of their times. */
void sim_route_step(struct sim_world *w);

/* "POST /leads/add" for the number that counters.by_route counts under. */
const char *sim_route_name(size_t i);

/* Endpoints: 0 with the answer filled, or -1 when memory is short. A missing status is 200. */
typedef int sim_endpoint(struct sim_world *w, struct sim_request *q, struct sim_answer *a);

sim_endpoint sim_leads_add;                                                  /* add.c */
sim_endpoint sim_lead_create, sim_lead_get, sim_lead_patch, sim_lead_remove; /* leads.c */
sim_endpoint sim_lead_merge, sim_lead_set_interest, sim_lead_to_subsequence, sim_lead_from_subsequence;
sim_endpoint sim_leads_list, sim_leads_delete, sim_leads_assign;                                 /* many.c */
sim_endpoint sim_leads_move;                                                                     /* move.c */
sim_endpoint sim_jobs_list, sim_job_get;                                                         /* jobs.c */
sim_endpoint sim_campaigns_list, sim_campaign_get, sim_campaign_sending, sim_campaign_variables; /* places.c */
sim_endpoint sim_lists_list, sim_list_get, sim_list_create, sim_list_stats;
sim_endpoint sim_workspace_get, sim_plan_get, sim_blocks_list, sim_verify_start, sim_verify_get; /* account.c */
sim_endpoint sim_control_requests, sim_control_change;                                           /* control.c */
sim_endpoint sim_control_state;                                                                  /* dump.c */

#endif
