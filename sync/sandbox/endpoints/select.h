/* Selectors: which leads a body means. One reading for list, move, delete and assign.
 *
 * As in the real API: what a body does not restrict is selected. An empty `ids` restricts nothing (what the API does
 * with one is not known; the dangerous reading is the one that shows a client's mistake). */
#ifndef SYNC_SANDBOX_ENDPOINTS_SELECT_H
#define SYNC_SANDBOX_ENDPOINTS_SELECT_H

#include "sync/sandbox/server/http.h"

struct sim_numbers {
    uint32_t *v; /* owned */
    size_t n, cap;
};

struct sim_selector {
    struct sim_numbers ids, excluded, contacts; /* sorted; of contacts: every lead with one of the addresses */
    bool by_ids, by_contacts;
    struct str search, filter; /* borrowed from the body; p NULL: none */
    bool by_place;
    uint32_t campaign, list;       /* either; 0 in both with by_place: a place that does not exist */
    int in_campaign, in_list;      /* -1: not asked */
    bool by_status, by_esp, never; /* never: asks for something that no lead here is */
    int status;
    int64_t esp;
    json_object *users; /* array of user ids, borrowed; NULL: any */
    int64_t lag_ms;     /* new and moved leads show this much later; 0: at once */
    bool not_in_verification;
    uint32_t after; /* numbers above it only */
    int64_t limit;
};

/* Names of the place members: campaign/list_id, or campaign_id/list_id. 0; 1 when the body asks for something the
 * sandbox cannot do (the answer says what); -1 when memory is short. */
int sim_select_parse(struct sim_world *w, json_object *body, const char *campaign_name, struct sim_selector *s,
                     struct sim_answer *a);
void sim_select_free(struct sim_selector *s);
/* The numbers of the leads, in the order of their ids, at most s->limit. 0/-1. */
int sim_select_run(struct sim_world *w, const struct sim_selector *s, struct sim_numbers *out);

#endif
