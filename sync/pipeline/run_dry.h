/* What a dry run counts, and what its two files share. For the pipeline alone: run_int.h includes it. */
#ifndef SYNC_PIPELINE_RUN_DRY_H
#define SYNC_PIPELINE_RUN_DRY_H

#include "sync/plan/plan.h"
#include "sync/report/diff.h"

struct run;
struct dry_payload;

/* Moves of a dry run from one target to another. */
struct move_count {
    uint32_t from, to;
    uint64_t n;
};

/* What a dry run counts for its summary. Requests are counted as the upload would group them. */
struct run_dry {
    bool asks;              /* The dry run before the question of a real run. */
    bool would_stop;        /* A guard would stop the sync. */
    bool variables_unknown; /* The API was asked once for the campaign's variables, and did not answer. */
    struct diff_summary summary;
    struct patch_effect patch;
    uint64_t lone_updates, batch_read; /* Updates without a move; the last batch of them that is read first, from 1. */
    uint64_t rekeys;
    struct dry_payload *payload; /* NULL: nothing was collected */
    struct move_count *move_counts;
    size_t move_counts_n;
    uint64_t *creates_by_target; /* One count per target of the mapping. */
    uint64_t may_mail;           /* Leads of skipped rows that a campaign may mail. */
};

/* ---- rows/dry_cost.c ---- */

/* Fills the requests, the seconds and the plan of the summary, when all rows are planned. Blocks with --remote, which asks for the
 * plan. 0/-1 */
int dry_cost_fill(struct run *r, struct err *e);

/* ---- rows/dry_payload.c ---- */
/* Adds the change to the body of its request, if the diff wants bodies. 0/-1 */
int dry_payload_change(struct run *r, const struct diff_change *c, struct err *e);
/* Shows the requests that are not full. */
int dry_payload_end(struct run *r, struct err *e);
void dry_payload_free(struct run *r);

/* ---- rows/dry_run.c ---- */
/* Shows a change, and adds it to the body of its request. */
int dry_run_change(struct run *r, const struct diff_change *c, struct err *e);
/* Hands a change to the diff, or two: update and move. `from` is where a known lead is. */
int dry_run_show(struct run *r, const struct decision *d, struct entry *entry, uint32_t target, uint32_t from,
                 const struct lead *old, const struct lead *lead, struct err *e);

#endif
