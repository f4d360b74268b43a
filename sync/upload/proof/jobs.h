/* Background jobs of moves. Internal to the upload. */
#ifndef SYNC_UPLOAD_PROOF_JOBS_H
#define SYNC_UPLOAD_PROOF_JOBS_H

#include "sync/upload/batch.h"

/* A background job of this run, from the moment it is known to the end of the upload. */
struct job {
    struct upload_job reported; /* for the report; strings are owned */
    struct job *next;
    struct batch_slice *slice; /* the entries it carries; NULL: the job is over, or the upload stopped waiting */
    struct batch_run *batch;   /* NULL: settled lead by lead, or left open */
    char *filters;             /* JSON; NULL: unknown */
    char from[TARGET_TEXT_N], to[TARGET_TEXT_N];
    int progress;
    int64_t created_ms, updated_ms;
    int64_t due_us, until_us; /* next poll; end of limits.job_wait */
    unsigned polls;
    uint64_t run;               /* that started it */
    bool warned, wait_reported; /* reported once: its odd status, and the waiting */
    bool alone;                 /* asked for by itself */
};

/* ---- jobs.c ---- */
/* The job that carries this slice is known: recorded, and polled from now on. `remote` NULL: only its id, of an earlier
 * run. */
void jobs_watch(struct batch_slice *s, struct str id, const struct remote_job *remote);
/* What the jobs of a batch have moved is known lead by lead: recorded. */
void jobs_batch_settled(struct batch_run *b);
void jobs_step(struct upload *u, int64_t now_us); /* polls the jobs that are due, gives up those past their limit */
int64_t jobs_due_us(const struct upload *u);      /* when there is something to do; INT64_MAX: never */
void jobs_give_up(struct upload *u);              /* stops waiting for jobs */
void jobs_forget(struct batch_run *b);            /* before it is freed */
void jobs_free(struct upload *u);

/* ---- job_find.c ---- */
/* The answer to the slice's request was lost: is there a job? */
void job_find(struct batch_slice *s);

#endif
