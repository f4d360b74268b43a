/* The upload as its own files see it. Internal to the upload. */
#ifndef SYNC_UPLOAD_UPLOAD_INT_H
#define SYNC_UPLOAD_UPLOAD_INT_H

#include "sync/upload/batch.h"
#include "sync/upload/held_ids.h"
#include "sync/upload/missing_target.h"
#include "sync/upload/operation.h"
#include "sync/upload/refused_alike.h"

/* Rows that are collected until they fill a batch: all with the same operation, source and target. */
struct collect_group {
    enum op op;
    uint32_t target, from;
    struct batch_run *batch; /* NULL between two batches */
};

/* What this run knows of the custom variables that a PATCH does not name (update_unread.c). */
struct patch_use {
    struct patch_effect known;
    bool agreed;   /* an answer of this run has shown that PATCH merges: updates need no read first */
    bool trial;    /* the PATCH that shows it is under way; others wait for its answer */
    bool off;      /* an answer did not show the variables: this run reads first */
    bool doubtful; /* the last answer contradicted what was known */
};

struct upload {
    struct upload_config c;
    struct batch_run *batches; /* all not settled */
    size_t batches_n;
    unsigned locations_asked; /* names of campaigns and lists that location.c has asked for */
    struct collect_group *groups;
    size_t groups_n;
    struct batch_run **ready; /* closed, intent written, waiting for the commit */
    size_t ready_n, ready_cap;
    struct batch_slice *waiting; /* for a moment */
    size_t body_n;               /* bytes of the body last closed: the next one will be about as large */
    struct err fatal;            /* what ended the upload; set once */
    bool stopping, plan_full[2];
    struct batch_run *move_queue;       /* moves that wait until no other one of the run uses their source and target */
    struct address_list *address_lists; /* targets that were read for addresses of which the state has hashes */
    struct lead_scan *lead_scans;       /* lists that were read before leads without an address were sent */
    uint32_t *locked_targets;           /* held by jobs that the upload no longer waits for */
    size_t locked_targets_n;
    struct hash128 *open_keys; /* of rows whose move is left open; sorted at the first lookup */
    size_t open_keys_n;
    bool open_keys_sorted;
    struct job *jobs;                  /* newest first */
    struct job *polled[JOBS_LIST_MAX]; /* in the list request that is under way */
    size_t polled_n;
    int64_t deadline_us, verify_until_us; /* 0: none */
    int64_t skew_ms;                      /* the server's Date minus ours, as last seen */
    int64_t started_ms;                   /* wall clock */
    struct refused_alike refused[ENDPOINT_N];
    struct missing_target missing;
    uint64_t refused_judged; /* number of refused leads at the last call of `refused` */
    bool draining;           /* no row is added before all batches are settled */
    struct patch_use patch;
    struct held_ids held; /* ids of the leads that this run has created or met */
};

enum {
    COMMIT_EVENTS = 16, /* a group commit takes at most this many batches */
    COMMIT_IDLE = 4,    /* and idle connections are worth one from here on */
};

/* ---- upload.c ---- */
void upload_fail(struct upload *u, const struct err *e); /* keeps a copy: the upload ends with it */
void upload_fail_oom(struct upload *u);
bool upload_ended(const struct upload *u); /* stopped or failed: nothing more is sent that writes */
/* This target is held by a job that this run has waited for long enough: nothing more is sent into or out of it. */
void upload_lock_target(struct upload *u, uint32_t target);
bool upload_target_is_locked(const struct upload *u, uint32_t target);
/* A packed lead, also one of an older list of custom variables: 0/-1. */
int upload_unpack(struct upload *u, struct str values, struct arena *arena, struct lead *out);
/* Of the normalised address; 0 when it is none. */
uint64_t upload_email_hash(struct upload *u, struct str email);

/* ---- collect.c ---- */
/* Puts a row into its group; a full group is closed. */
int collect_add(struct upload *u, const struct planned *planned, struct err *e);
/* Writes the intent of what was collected, if anything; the next commit sends it. */
int collect_close(struct upload *u, struct collect_group *g, struct err *e);
/* Counts a row that is not sent and keeps it for the next run; a removal is only counted. */
int collect_defer(struct upload *u, const struct planned *planned, enum reason reason, struct err *e);

/* ---- recover.c ---- */
/* Finds out by reading what a batch of an earlier run has done, and settles it. */
int recover_batch(struct upload *u, struct batch *record, struct err *e);

#endif
