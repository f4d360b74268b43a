/* Requests of edits by hand: one at a time, each built whole before it is sent, so that an intent can hold
 * the digest of the very bytes that leave.
 *
 *   by_hand_move(&request, …) ─▶ by_hand_digest() into the journal ─▶ by_hand_send(), waits ─▶ by_hand_free()
 *
 * The API ignores keys that it does not know, and a filter that is ignored selects everything. So no body takes a key
 * from a caller: every key stands in one table (body_by_hand.c) with the endpoints that take it, and a filter that its
 * endpoint does not take is refused here. Knows no state and no consent. */
#ifndef SYNC_API_BY_HAND_H
#define SYNC_API_BY_HAND_H

#include "sync/api/api.h"

/* ---- which leads ---- */

/* Condition of a smart view: something happened, how often, how lately; or a status. -1: not asked. */
struct leads_query {
    int action; /* of reply, email-open, last-contacted, link-click, lead-status, lead-status-change */
    int64_t days;
    int count_is; /* of more, less, equal */
    int64_t count;
    int status_is; /* of is, is-not */
    int64_t status;
};
/* "email-open,days=7,count=more:3" or "lead-status,status=is:1". XS_USAGE. */
int leads_query_parse(struct str text, struct leads_query *out, struct err *e);

/* Documented names FILTER_…; the part after FILTER_VAL_ or FILTER_LEAD_ will do, in any case, with - for _. The whole
 * name, static; NULL: unknown. */
const char *leads_filter_find(struct str name);
extern const char *const leads_filter_names[]; /* NULL-terminated */
/* Security gateways ("none", "barracuda" …) by name or number to the API's word; NULL: unknown. */
const char *leads_esg_find(struct str name);
/* Mail providers ("google", "microsoft" …) by name or number; -1: unknown. */
int leads_esp_find(struct str name);

/* The filters of leads/list. What is empty is not asked. */
struct leads_filter {
    const struct target *in;
    struct str search;          /* in names and addresses */
    const char *filter;         /* of leads_filter_names */
    int in_campaign, in_list;   /* 1, 0, or -1: not asked */
    const struct str *contacts; /* at most LEADS_LIST_MAX */
    size_t contacts_n;
    const struct uuid *ids; /* at most LEADS_LIST_MAX */
    size_t ids_n;
    const struct uuid *users; /* owners of the leads */
    size_t users_n;
    const struct leads_query *queries;
    size_t queries_n;
    const char *esg; /* of leads_esg_find() */
    int enrichment;  /* 1, 11, -1, -2; 0: not asked */
    bool has_smart_view;
    struct uuid smart_view;
    bool website_visitor;
    bool distinct; /* one lead an address; the cursor is then an address */
};
/* Takes the API's format "email" this address among contacts? Where not, it has to be searched for. */
bool leads_contact_fits(struct str email);

/* ---- requests ---- */

struct by_hand {
    const char *method;
    enum api_kind kind;
    bool write;
    const char *must_have; /* a text member without which an answer proves nothing; NULL: none */
    struct buf path, body; /* owned */
};

/* Builders: 0, or -1 (XS_INTERNAL: what must not be sent; by_hand_free() is due then too). */

/* A page of leads/list: `limit` 1..LEADS_LIST_MAX, `cursor` empty for the first. */
int by_hand_list(struct by_hand *r, const struct leads_filter *filter, unsigned limit, struct str cursor, struct err *e);
int by_hand_get(struct by_hand *r, const struct uuid *id, struct err *e);
/* POST /leads/merge: the destination takes what it lacks. */
int by_hand_merge(struct by_hand *r, const struct uuid *lead, const struct uuid *destination, struct err *e);
/* POST /leads/update-interest-status: of each lead with this address, in one target or (NULL) anywhere. */
struct leads_interest {
    struct str email;
    bool clear; /* back to "Lead", in place of `value` */
    int value;
    const struct target *in;
    bool has_ai_value;
    int ai_value;
    bool disable_auto;
};
int by_hand_interest(struct by_hand *r, const struct leads_interest *interest, struct err *e);
/* POST /leads/bulk-assign, by ids; several users share the leads between them. */
struct leads_assign {
    const struct target *in; /* NULL: wherever they are */
    const struct uuid *ids;  /* 1..LEADS_MOVE_MAX */
    size_t ids_n;
    const struct uuid *users;
    size_t users_n;
};
int by_hand_assign(struct by_hand *r, const struct leads_assign *assign, struct err *e);
/* POST /leads/subsequence/move, or …/remove with `subsequence` NULL. */
int by_hand_subsequence(struct by_hand *r, const struct uuid *lead, const struct uuid *subsequence, struct err *e);

/* Calls `see` for each lead of the list, page by page: 0 go on, 1 enough, -1 error. Waits. 0/-1 */
typedef int by_hand_lead_fn(void *ctx, const struct remote_lead *lead, struct err *e);
int by_hand_each(struct api *a, const struct leads_filter *filter, by_hand_lead_fn *see, void *ctx, struct err *e);
/* One lead: 1, 0 it does not exist, -1. Waits. The lead borrows from the answer, until the next call on `a`. */
int by_hand_find(struct api *a, const struct uuid *id, struct remote_lead *out, struct err *e);

void by_hand_free(struct by_hand *r); /* safe on a zeroed struct, and twice */

/* Of the body; "" without a body. */
int by_hand_digest(const struct by_hand *r, char body_sha256[SHA256_HEX_N], struct err *e);
/* Queues it as api_call() does; the request may be freed then. 0/-1 */
int by_hand_queue(struct api *a, const struct by_hand *r, api_done_fn *done, void *ctx, struct err *e);
/* Sends and waits as api_call_wait() does; reply strings and JSON are valid until the next call on `a`. */
int by_hand_send(struct api *a, const struct by_hand *r, struct api_reply *reply, struct err *e);

#endif
