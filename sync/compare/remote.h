/* What Instantly holds for the rows of a run.
 *
 * Opens with a full reading of the mapping's targets (pages.h), then asks for every lead that the state knows and no page has
 * shown. After that each row is answered from the file, without a request. Knows the state, and no source; decides nothing:
 * the plan compares what is found here with what the row wants. */
#ifndef SYNC_COMPARE_REMOTE_H
#define SYNC_COMPARE_REMOTE_H

#include "mappings/mapping.h"
#include "sync/compare/pages.h"
#include "sync/plan/targets.h"
#include "sync/state/state.h"

struct remote_config {
    struct state *state; /* borrowed, like all that follows; its lookups are started */
    struct api *api;
    struct clock *clock;
    const struct mapping *mapping;
    struct targets *targets;
    const char *path, *origin; /* as in struct pages_options */
    size_t memory_max;
    bool has_engagement; /* as in struct pages_options */
    pages_step_fn *step; /* called while it waits; may be NULL */
    void *ctx;
    /* Only these addresses and row keys are asked for, and no page is read; n 0: all pages. */
    const struct str *sample_addresses;
    size_t sample_n;
};

struct remote;
/* Reads. After a failure the file stays, and a later call goes on. *out, which is set after a failure too, must be closed after the
 * client is freed, because requests in flight call back into it. 0/-1 */
int remote_open(const struct remote_config *config, struct remote **out, struct err *e);
void remote_close(struct remote *r, bool keep); /* NULL is fine */
struct pages *remote_pages(struct remote *r);

enum remote_where {
    REMOTE_ABSENT, /* no lead was found, and the state knows of none */
    REMOTE_THERE,
    REMOTE_GONE, /* the state knows of a lead, and neither the pages nor a question for its id show it */
};

/* A row, and what the state remembers of its lead. */
struct remote_row {
    struct str key_text, email;
    const struct lead *wanted;      /* NULL: the row makes no lead */
    uint32_t target;                /* where the row belongs */
    const struct known_lead *known; /* NULL: the state does not know a lead */
    const struct lead *memory;      /* its values as last written; NULL: not kept */
    bool same;                      /* the state remembers just what the row wants */
};
struct remote_found {
    enum remote_where where;
    struct page_lead lead; /* REMOTE_THERE */
    /* Its values; where Instantly only spells the wanted value in another way, the wanted one. */
    struct lead values;
    uint32_t place; /* number of the lead's campaign or list; 0: it is in none */
    bool moved;     /* it is elsewhere than the state remembers, or than the row wants if the state knows no lead */
    bool edited;    /* a value differs from what the state remembers */
};
/* The arena must last as long as `out`. Notes that a row has met the lead. 0/-1 */
int remote_find(struct remote *r, const struct remote_row *row, struct arena *arena, struct remote_found *out,
                struct err *e);
/* Has a row met this lead? */
bool remote_is_met(const struct remote *r, uint64_t n);

#endif
