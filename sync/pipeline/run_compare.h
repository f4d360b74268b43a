/* What a run keeps that looks at what Instantly holds: --remote, verify, adopt and pull. Included by run_int.h. */
#ifndef SYNC_PIPELINE_RUN_COMPARE_H
#define SYNC_PIPELINE_RUN_COMPARE_H

#include "sync/compare/remote.h"
#include "sync/compare/verify.h"
#include "sync/model/entry.h"
#include "sync/plan/plan.h"

struct run;

/* What Instantly has of the row at hand (row_remote.c). Valid until the next row. */
struct row_remote {
    uint64_t row; /* The number of the row that was looked for last. */
    bool known;   /* The state knows a lead of the row, which should be in Instantly. */
    bool drift;   /* State and Instantly differ. */
    bool learns;  /* Instantly has a status of the person that the state does not have. */
    struct remote_found found;
};

/* What a run with --remote, verify and adopt keep. */
struct run_compare {
    struct remote *remote; /* NULL: no page is read. */
    struct remote_config config;
    bool used;             /* Every row is planned, so that the pages have served. */
    struct verify *verify; /* verify: takes the verdicts. Owned. */
    struct row_remote row;
    struct str *sample; /* The addresses of a sample, sorted; owned. */
    size_t sample_n;
    uint64_t sample_of;       /* The rows that it was drawn from. */
    uint64_t no_address;      /* Rows that make a lead without an address, which no sample has. */
    uint64_t left;            /* Leads that were moved by hand, and stay where they are. */
    uint64_t edited, deleted; /* Leads with drift, by kind. */
    uint64_t adopted, absent; /* adopt: leads taken into the state; rows that match no lead. */
};

/* ---- run_compare.c ---- */
/* Reads the pages of the targets, if the run asks for them. Blocks. */
int run_compare_start(struct run *r, struct err *e);
/* A pages_step_fn for a run: shows its progress, and ends it after a signal or at its deadline. */
int run_compare_step(void *run, const struct pages_progress *now, struct err *e);
/* After the client is freed. Pages that were not used yet stay for the next call. */
void run_compare_close(struct run *r);
/* True if the row is not in the sample. */
bool run_compare_unsampled(const struct run *r, struct str email);

/* ---- rows/row_remote.c ---- */
/* Replaces what the state remembers of a row's lead by what Instantly has. `same`: the state remembers just what the row wants.
 * `old` gets the lead's values, in old_lead. */
int row_remote_look(struct run *r, const struct entry *entry, const struct lead *lead, uint32_t target, bool same,
                    struct remembered *remembered, struct known_lead *known, struct lead *old_lead, const struct lead **old,
                    struct err *e);
/* Takes the decision for the row. 1: the row is done (adopt); 0; -1 */
int row_remote_decided(struct run *r, struct entry *entry, const struct decision *d, uint32_t target, const struct lead *old,
                       const struct lead *lead, struct err *e);
/* Reports what was found, once the rows are planned. */
void row_remote_report(struct run *r);

/* ---- rows/row_verify.c ---- */
/* Makes a verdict of the decision for the row. */
int row_verify_decided(struct run *r, struct entry *entry, const struct decision *d, uint32_t target, const struct lead *old,
                       const struct lead *lead, struct err *e);
/* A row was left out: its lead is not one that no row has. */
int row_verify_left_out(struct run *r, const struct entry *entry, uint32_t target, struct err *e);

/* ---- run_open.c, run.c: for pull ---- */
/* Opens and locks the state, finds the targets, and settles nothing. Opens no source. XS_STATE: there is no state. */
int run_open_for_pull(struct run *r, struct err *e);
/* Writes the report and the end of the run into its record. Durable. */
int run_write_record(struct run *r, struct err *e);

/* ---- run_state.c, rows/opt_out.c ---- */
/* The path of the state, there or not. The caller frees it. NULL: an error. */
char *run_state_path(const struct run *r, struct err *e);
/* True if the rule by which this row, or another of its person, opts out removes the lead. */
bool opt_out_entry_removes(struct run *r, const struct entry *entry);

#endif
