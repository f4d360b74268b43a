/* Counting rows: each in exactly one outcome, with a reason from the closed list. Pure. */
#ifndef SYNC_REPORT_TALLY_H
#define SYNC_REPORT_TALLY_H

#include "sync/base/jsonw.h"
#include "sync/model/reason.h"

#include <stdbool.h>
#include <stdint.h>

/* What was done in a target, by the state's number of it. */
struct tally_target {
    uint32_t number;
    uint64_t created, changed; /* rows */
    uint64_t moved, removed;   /* leads that were moved into it, and removed from it */
};

struct tally {
    uint64_t read;                /* rows of the source and of the retry table */
    uint64_t outcomes[OUTCOME_N]; /* OUTCOME_REMOVED counts leads, not rows */
    uint64_t reasons[REASON_N];
    uint64_t updated, moved;      /* operations proved in this run */
    uint64_t settled;             /* rows of earlier runs that were settled in this one */
    uint64_t retried;             /* rows taken from the retry table */
    uint64_t removals_left;       /* planned removals that failed or were deferred; leads, not rows */
    uint64_t removals_elsewhere;  /* leads that were to be removed, and that another user has moved */
    uint64_t removals_undone;     /* removals that an earlier run had begun and not done; a sync decides on them again */
    uint64_t skipped_active;      /* skipped rows whose lead is active in Instantly */
    uint64_t known_rejects;       /* rejected now as in the run before */
    uint64_t refused;             /* by Instantly in this run, with an error: refused_there */
    uint64_t found_bad;           /* rejected in this run by Instantly's counters and verdicts on addresses */
    uint64_t refused_before;      /* rejected as remembered: refused by an earlier run, and unchanged since */
    struct tally_target *targets; /* owned */
    size_t targets_n;
};

void tally_free(struct tally *t);
/* Something that was done in a target. */
struct tally_change {
    uint32_t number;
    enum outcome outcome; /* of the row or removal; only created, changed and removed count */
    bool moved;           /* the lead was moved into the target */
    int by;               /* 1, or -1 to take a row back */
};
int tally_in_target(struct tally *t, const struct tally_change *change); /* 0/-1 (memory) */

void tally_row(struct tally *t, enum outcome outcome, enum reason reason);
/* Takes back what tally_row() counted. */
void tally_row_undo(struct tally *t, enum outcome outcome, enum reason reason);
/* Counts a removal, which is a lead and not a row: removed, or left. A lead that must not be touched (skipped) is neither. */
void tally_removal(struct tally *t, enum outcome outcome);
/* Rows that have their outcome: created + changed + unchanged + skipped + rejected + failed + deferred. */
uint64_t tally_decided(const struct tally *t);
/* All that were read are decided. */
bool tally_closes(const struct tally *t);
/* After an error: counts the rows without an outcome as deferred. They are not recorded, so the next run reads them again. Not
 * called if the run came to its end, because then the sum must close by itself. */
void tally_cut_short(struct tally *t);
/* The "rows" and "reasons" members of a report into an open object. */
void tally_json(const struct tally *t, struct jsonw *w);

#endif
