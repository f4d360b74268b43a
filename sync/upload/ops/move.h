/* What the files of a move share. Internal to the upload: move.c the life of a batch and its requests, move_look.c reads
 * the leads before and after, jobs.c follows the background jobs, job_find.c finds the
 * one whose id was lost.
 *
 * A batch of moves goes one way at a time: look at its leads, PATCH those that change, POST, follow the job, look at what
 * the job does not prove. All steps are parts of the work; one part, `hold`, stays until the end, and when it is the only
 * one left (work_check) move_next() decides what comes next. */
#ifndef SYNC_UPLOAD_OPS_MOVE_H
#define SYNC_UPLOAD_OPS_MOVE_H

#include "sync/upload/work.h"

struct move {
    struct part *hold;
    struct part *gate_next;    /* in the list of those that wait for their ends */
    size_t request_max;        /* ids a request; halved where one is refused */
    unsigned rounds;           /* requests whose outcome stayed unknown, and that no job was found of */
    bool holds_ends;
};

/* A background job of this run, from the moment it is known to the end of the upload. */
struct job {
    struct upload_job told;    /* what the report says; strings are owned */
    struct job *next;
    struct part *part;         /* the entries it carries; NULL: over, or not waited for any more */
    struct work *work;         /* NULL: settled lead by lead, or left open */
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
void move_next(struct work *w);
/* The job of this part has ended, and said so in `remote`; NULL: it is not there any more. Owns the part. */
void move_job_over(struct part *p, struct job *job, const struct remote_job *remote);
/* The request's answer was lost, and no job is found. Owns the part. */
void move_no_job(struct part *p);
/* Proved where it belongs. */
void move_proved(struct work *w, uint32_t i, int http_status);
/* The ids of a part; NULL without memory. In the scratch arena, which is reset. */
struct uuid *move_ids(const struct part *p);
/* A text about the entry for `results`, in the work's arena. */
void move_detail(struct work *w, uint32_t i, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* ---- move_look.c ---- */
/* Where are they, may they go, what has to be written first? Owns the part. */
void move_look_before(struct part *p);
/* Where have they come to? `job` NULL: none is known. Owns the part. */
void move_look_after(struct part *p, struct job *job);

/* ---- jobs.c, job_find.c ---- */
/* The job that carries this part is known: recorded, and polled from now on. Owns the part; `remote` NULL: only its id,
 * of an earlier run. */
void job_watch(struct part *p, struct str id, const struct remote_job *remote);
/* The answer to the part's request was lost: is there a job? Owns the part. */
void job_find(struct part *p);
/* The "items" of an answer of the job list; NULL when it has none. */
struct json_object *job_items(const struct api_reply *reply);
/* What the jobs of a work have moved is known lead by lead: recorded. */
void job_settled(struct work *w);

#endif
