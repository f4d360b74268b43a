/* The leads that the targets of a mapping hold, read page by page into a temporary database.
 *
 * The database is a file beside the state, so that memory stays flat and a killed reading goes on where it was. It is removed
 * when it has served its purpose. It knows leads as plain values under the mapping's list of custom variables; it knows no
 * rows and decides nothing. */
#ifndef SYNC_COMPARE_PAGES_H
#define SYNC_COMPARE_PAGES_H

#include "sync/api/api.h"
#include "sync/base/clock.h"
#include "sync/model/lead.h"

/* How far a reading is. */
struct pages_progress {
    uint64_t leads, pages;
    uint64_t expected; /* leads in all, as far as the caller could guess; 0: not known */
};

struct pages_options {
    const char *path;   /* of the file; NULL: a nameless one, which no later call can go on with */
    const char *origin; /* host, workspace and mapping: a file of another origin is not used again */
    struct clock *clock;
    size_t memory_max;              /* bytes for SQLite's cache */
    const struct lead_shape *shape; /* borrowed */
    bool has_key;                   /* leads carry the row key in a custom variable */
    bool has_engagement;            /* keep what the API says of a lead beside its fields */
};

/* Where the pages of a state wait: beside it, where a later call finds them. Owned by the caller; NULL: memory. */
char *pages_path(const char *state_path, struct err *e);
/* A run that writes makes the pages old that another command has begun to read. No file is fine. 0/-1 */
int pages_forget(const char *state_path, struct err *e);

struct pages;
/* Opens the file, or makes it. A file of another origin, or an old one, is replaced. 0/-1 */
int pages_open(const struct pages_options *options, struct pages **out, struct err *e);
/* `keep`: the file stays, so that the next call can go on. NULL is fine. */
void pages_close(struct pages *p, bool keep);
/* Takes the file's name away, so that no later call goes on with it. */
void pages_hide(struct pages *p);

/* Before pages_read(): lets the target be read in parts side by side, which begin after these leads of it (sorted, at most 63).
 * Nothing if an earlier call has begun to read it. */
int pages_split(struct pages *p, const struct target *target, const struct uuid *ids, size_t n, struct err *e);

/* Called between two steps of the API. -1 with an error stops the reading. */
typedef int pages_step_fn(void *ctx, const struct pages_progress *progress, struct err *e);
/* A piece of work of the caller, for the time in which pages_read() waits for answers: 1 there is more, 0, -1. */
typedef int pages_work_fn(void *ctx, struct err *e);
void pages_while_waiting(struct pages *p, pages_work_fn *work, void *ctx);
/* Reads every page of these targets, all targets at once, as fast as the request limit allows. What an earlier call has read
 * is not read again. Blocks. XS_API: the pages cannot be trusted (they repeat leads, or hold leads of other targets). */
int pages_read(struct pages *p, struct api *api, const struct target *targets, size_t n, pages_step_fn *step, void *ctx,
               struct err *e);
/* Asks for these leads in the whole workspace, by id or by address, and adds those that are found. At most LEADS_LIST_MAX.
 * Blocks. */
int pages_ask_ids(struct pages *p, struct api *api, const struct uuid *ids, size_t n, pages_step_fn *step, void *ctx,
                  struct err *e);
/* The same for one lead, by GET: no list can leave it out. */
int pages_ask_lead(struct pages *p, struct api *api, const struct uuid *id, pages_step_fn *step, void *ctx, struct err *e);
int pages_ask_addresses(struct pages *p, struct api *api, const struct str *addresses, size_t n, pages_step_fn *step,
                        void *ctx, struct err *e);

/* A lead that was read. Its values are in the arena it was asked for with. */
struct page_lead {
    uint64_t n; /* its number in the file, from 1 on */
    struct uuid id;
    struct target place; /* name NULL; the kind and id of the campaign or list */
    bool placed;         /* false: it is in no campaign and no list */
    bool read_by_page;   /* false: only a question by id or address has shown it */
    int status;          /* TARGET_STATUS_UNKNOWN when absent */
    struct str email;
    struct engagement engagement; /* all untold without `has_engagement` */
    struct lead lead;
};
/* 1/0/-1. By key or address: the lead in `in` if there is one, else any. *others: more leads have the same. */
int pages_find_id(struct pages *p, const struct uuid *id, struct arena *arena, struct page_lead *out, struct err *e);
int pages_find_key(struct pages *p, struct str row_key, const struct target *in, struct arena *arena, struct page_lead *out,
                   struct err *e);
/* `address` is normalised (mapping_email_key()). */
int pages_find_address(struct pages *p, struct str address, const struct target *in, struct arena *arena,
                       struct page_lead *out, struct err *e);
/* Another lead than this one with its address, in another of the targets that were read: 1/0/-1. */
int pages_find_double(struct pages *p, struct str address, const struct uuid *id, struct arena *arena, struct page_lead *out,
                      struct err *e);
/* The first lead after number `after` that was read by page; with `asked`, also by a question for it. 1/0/-1 */
int pages_next(struct pages *p, uint64_t after, bool asked, struct arena *arena, struct page_lead *out, struct err *e);
/* Notes the id of a lead that should exist, until the pages are closed. 0/-1 */
int pages_expect(struct pages *p, const struct uuid *id, struct err *e);
/* How many ids were noted, and how many of them no page and no question has shown. 0/-1 */
int pages_expected(struct pages *p, uint64_t *all, uint64_t *missing, struct err *e);
/* Up to `max` of these ids, in ascending order after `*after`, that no page and no question has shown; `*after` becomes the last of
 * them. Begin with zeros. 0/-1 */
int pages_not_shown(struct pages *p, struct uuid *after, struct uuid *ids, size_t max, size_t *n, struct err *e);
/* Leads that were read by page. */
uint64_t pages_leads_n(const struct pages *p);

#endif
