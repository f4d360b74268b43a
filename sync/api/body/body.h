/* Request bodies: JSON out, by the streaming writer into one buffer. For this room only; knows no queue and no answer.
 *
 * The API ignores keys that it does not know on its filter endpoints, and a filter without a selector means everything:
 * a wrong key or an empty list of ids deletes or moves a whole campaign. So every key that names a target stands in one
 * table (body.c), and builders refuse empty selectors. All builders append to `out`; 0/-1 with XS_INTERNAL for what
 * must not be sent, out of memory included. */
#ifndef SYNC_API_BODY_BODY_H
#define SYNC_API_BODY_BODY_H

#include "sync/api/api.h"
#include "sync/base/jsonw.h"

enum { BODY_MAX_BYTES = 1000000 }; /* the API's framework takes 1 MiB */

/* The key under which an endpoint takes a target differs: in bodies of leads/add and DELETE /leads, in filters of
 * leads/list and leads/move, as the place to move to. */
enum target_role { TARGET_ADD, TARGET_FILTER, TARGET_DESTINATION };
void body_target(struct jsonw *w, enum target_role role, const struct target *target);
void body_uuid(struct jsonw *w, const struct uuid *id);
/* Core field or custom variable with its key; absent ones are left out. */
void body_value(struct jsonw *w, struct str key, const struct value *value);
/* "ids": [...] */
void body_ids(struct jsonw *w, const struct uuid *ids, size_t n);
/* Closes the body. */
int body_end(struct jsonw *w, const char *what, struct err *e);

int body_leads_list(const struct leads_list *list, struct buf *out, struct err *e);
/* leads/list of what has `text` in its address or names; `target` may be NULL. An empty text would mean everything and
 * is refused. */
int body_leads_search(const struct target *target, struct str text, struct buf *out, struct err *e);
/* Whether the API's own format "email" takes the address among `contacts`; one that it does not take refuses the whole
 * request. Addresses with quotes, letters beyond ASCII before the @ or `_` in the domain can exist nevertheless. */
bool body_contact_fits(struct str email);
/* The body of the page after `cursor`, from the one of the first page. */
int body_next_page(struct str first, struct str cursor, struct buf *out, struct err *e);
int body_leads_move(const struct leads_move *move, struct buf *out, struct err *e);
int body_leads_delete(const struct leads_delete *del, struct buf *out, struct err *e);
int body_lead_patch(const struct lead_patch *patch, struct buf *out, struct err *e);

/* By hand (by_hand.h): all keys but those of targets and ids stand in one table, with the endpoints that take them. */
struct leads_filter;
struct leads_interest;
struct leads_assign;
int body_filtered_list(const struct leads_filter *filter, unsigned limit, struct str cursor, struct buf *out, struct err *e);
int body_leads_merge(const struct uuid *lead, const struct uuid *destination, struct buf *out, struct err *e);
int body_leads_interest(const struct leads_interest *interest, struct buf *out, struct err *e);
int body_leads_assign(const struct leads_assign *assign, struct buf *out, struct err *e);
int body_leads_subsequence(const struct uuid *lead, const struct uuid *subsequence, struct buf *out, struct err *e);

/* Percent-encodes everything but unreserved characters, for paths and queries. 0/-1. */
int body_url_escape(struct str text, struct buf *out);

#endif
