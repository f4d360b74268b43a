/* What the files of a move share. Internal to the upload: move.c the life of a batch and its requests, move_read.c reads
 * the leads before and after, jobs.c follows the background jobs, job_find.c finds the
 * one whose id was lost.
 *
 * A batch of moves goes one way at a time: look at its leads, PATCH those that change, POST, follow the job, look at what
 * the job does not prove. All steps are slices of the batch; one slice, `hold`, stays until the end, and when it is the only
 * one left (batch_check) move_next() decides what comes next. */
#ifndef SYNC_UPLOAD_OPS_MOVE_H
#define SYNC_UPLOAD_OPS_MOVE_H

#include "sync/upload/batch.h"

struct move {
    struct batch_slice *hold;
    struct batch_slice *queue_next;    /* in the list of those that wait for their ends */
    size_t request_max;        /* ids a request; halved where one is refused */
    unsigned rounds;           /* requests whose outcome stayed unknown, and that no job was found of */
    bool holds_targets;
};

/* A background job of this run, from the moment it is known to the end of the upload. */
struct job {
    struct upload_job told;    /* what the report says; strings are owned */
    struct job *next;
    struct batch_slice *slice;         /* the entries it carries; NULL: over, or not waited for any more */
    struct batch_run *batch;         /* NULL: settled lead by lead, or left open */
    char *filters;             /* JSON; NULL: not told */
    char from[TARGET_TEXT_N], to[TARGET_TEXT_N];
    int progress;
    int64_t created_ms, updated_ms;
    int64_t due_us, until_us;  /* next poll; end of limits.job_wait */
    unsigned polls;
    uint64_t run;              /* that started it */
    bool warned, said, alone;  /* told of its odd status, and of the waiting, once; asked for by itself */
};

/* ---- move.c ---- */
void move_next(struct batch_run *b);
/* The job of this slice has ended, and said so in `remote`; NULL: it is not there any more. */
void move_job_over(struct batch_slice *s, struct job *job, const struct remote_job *remote);
/* The request's answer was lost, and no job is found. */
void move_no_job(struct batch_slice *s);
/* Proved where it belongs. */
void move_proved(struct batch_run *b, uint32_t i, int http_status);
/* The ids of a slice; NULL without memory. In the scratch arena, which is reset. */
struct uuid *move_ids(const struct batch_slice *s);
/* A text about the entry for `results`, in the batch's arena. */
void move_detail(struct batch_run *b, uint32_t i, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* ---- move_read.c ---- */
/* Where are they, may they go, what has to be written first? */
void move_check(struct batch_slice *s);
/* Where have they come to? `job` NULL: none is known. */
void move_prove(struct batch_slice *s, struct job *job);

/* ---- jobs.c, job_find.c ---- */
/* The job that carries this slice is known: recorded, and polled from now on. ; `remote` NULL: only its id,
 * of an earlier run. */
void jobs_watch(struct batch_slice *s, struct str id, const struct remote_job *remote);
/* The answer to the slice's request was lost: is there a job? */
void job_find(struct batch_slice *s);
/* The "items" of an answer of the job list; NULL when it has none. */
struct json_object *job_items(const struct api_reply *reply);
/* What the jobs of a batch have moved is known lead by lead: recorded. */
void jobs_batch_settled(struct batch_run *b);

#endif
