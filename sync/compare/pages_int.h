/* What the files of the pages share. */
#ifndef SYNC_COMPARE_PAGES_INT_H
#define SYNC_COMPARE_PAGES_INT_H

#include "sync/base/arena.h"
#include "sync/base/buf.h"
#include "sync/base/file.h"
#include "sync/compare/pages.h"
#include "sync/state/db/db.h"

enum { PARTS_MAX = 64 }; /* of a target */

/* The reading of one part of a target. */
struct page_read {
    struct pages *pages;
    struct target target;
    int64_t place;
    uint64_t part;
    size_t parts_n;                 /* of the target; in its first part */
    struct str cursor;              /* to begin with; empty: the first page */
    struct uuid last, until;        /* the greatest id so far, or the one that the part begins after; the last of the part */
    bool has_last, has_until, done; /* done: by an earlier call */
    bool passed;                    /* a lead after `until` was met */
    bool misfit;                    /* the API did not take its beginning for a cursor */
    bool refused;                   /* and said so */
    uint64_t leads;
    uint64_t repeated; /* leads that came out of order */
    uint64_t foreign;  /* leads of another target */
};

struct pages {
    struct pages_options options;
    char *path; /* owned */
    int fd;     /* holds the lock of the file */
    bool resumable, hidden;
    int64_t age_ms; /* of what an earlier call has read */
    struct db db;
    struct lead_shape shape; /* the caller's, under the file's number */
    int64_t leads_n;
    unsigned open;               /* readings under way */
    unsigned uncommitted;        /* pages since the last commit */
    struct err failed;           /* the first error of a callback */
    struct page_read *abandoned; /* owned */
    pages_work_fn *work;         /* the caller's, while answers are awaited; NULL: none, or done */
    void *work_ctx;
    bool expects;       /* the table of expected ids exists */
    struct arena arena; /* of the lead under way */
    struct arena cursors;
    struct buf packed, address; /* of the lead under way */
};

/* Stores a lead. `paged`: a page of its target has shown it. 0/-1 */
int pages_put(struct pages *p, const struct remote_lead *remote, int64_t place, bool paged, struct err *e);
/* The number of a campaign or list in the file. 0/-1 */
int pages_place(struct pages *p, const struct target *t, int64_t *n, struct err *e);
/* The number of the place where the lead is; 0: nowhere. 0/-1 */
int pages_place_of(struct pages *p, const struct remote_lead *remote, int64_t *n, struct err *e);
/* Steps the API until no reading is under way. 0/-1 */
int pages_wait(struct pages *p, struct api *api, pages_step_fn *step, void *ctx, struct err *e);

#endif
