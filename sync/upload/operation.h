/* What a batch may ask of the API: one table entry per operation, and the functions that the files of ops/ share.
 * A new operation is a file of its own and a line in operation.c. Internal to the upload. */
#ifndef SYNC_UPLOAD_OPERATION_H
#define SYNC_UPLOAD_OPERATION_H

#include "sync/upload/batch.h"
#include "sync/upload/refused_alike.h"

struct operation {
    const char *name;
    size_t entries_max; /* per batch; 0: limits.batch of the mapping */
    /* NULL, or called for a batch that is still empty. 0/-1 */
    int (*open)(struct batch_run *b, struct err *e);
    /* NULL, or why no row may join this batch now; REASON_NONE: it may. The row is deferred with it. */
    enum reason (*refuses)(const struct batch_run *b);
    /* NULL, or adds the row to the request, before batch_add(): 1, 0 the request has no room for it, -1. */
    int (*add)(struct batch_run *b, const struct planned *planned, struct err *e);
    /* NULL, or before the intent is written: the digest of the request's body. 0/-1 */
    int (*close)(struct batch_run *b, struct err *e);
    /* The intent is durable: checks what has to be known first, then sends. The slice has all entries. */
    void (*start)(struct batch_slice *s);
    /* The batch is of an earlier run: finds out by reading what was done. NULL: that cannot be found out. */
    void (*resume)(struct batch_slice *s);
    /* NULL, or nothing of the batch is under way: starts what comes next, or false when there is nothing. */
    bool (*next)(struct batch_run *b);
    /* The answer to a PATCH of this batch was lost: reads the lead. */
    void (*patch_lost)(struct batch_slice *s);
    /* A stop ends a wait of this slice. */
    void (*give_up)(struct batch_slice *s);
    /* NULL, or the batch stays open in the state. */
    void (*left_open)(struct batch_run *b);
    /* NULL, or a batch of this operation is gone. */
    void (*freed)(struct upload *u);
    /* One-shots, else NULL: see one_shot.c. Builds the request for these n entries. 0/-1 */
    int (*request)(const struct batch_run *b, const uint32_t *index, size_t n, struct by_hand *request, struct err *e);
    bool each; /* one-shots: a request of its own for each lead */
    /* One-shots, each NULL or: a lead was read before the request; all were, and those that are gone have their outcome; the API
     * has accepted the request. `answered` returns true when it took the slice over. */
    void (*seen)(struct batch_run *b, uint32_t i, const struct remote_lead *remote);
    void (*checked)(struct batch_slice *s);
    bool (*answered)(struct batch_slice *s, const struct api_reply *reply);
};
extern const struct operation create_operation, update_operation, move_operation, remove_operation, one_shot_operation;
extern const struct operation interest_operation, assign_operation, subsequence_operation, merge_operation;
/* NULL: there is no such operation. */
const struct operation *operation_of(enum op op);
const struct operation *one_shot_operation_of(enum one_shot_kind kind);

enum { ROUNDS_MAX = 4 }; /* requests for the same leads whose outcome stays unknown, before api_error */

/* ---- create.c ---- */
void create_send(struct batch_slice *s);
/* Sends those of the n entries from `first` on that are still open, in a slice of their own. */
void create_send_slice(struct batch_slice *s, size_t first, size_t n, enum create_trial trial);
/* Asks again in halves, so that counters and refusals speak of fewer leads. */
void create_send_halves(struct batch_slice *s, enum create_trial trial);
/* Why a lead that is elsewhere was not created. */
enum reason create_elsewhere_reason(const struct batch_run *b);

/* ---- create_refused.c ---- */
/* The slice's request was refused, surely not applied. */
void create_refused(struct batch_slice *s, const struct api_reply *reply);

/* ---- create_answer.c ---- */
/* Which created leads of an answer are proved, and how many; their ids are this run's from now on. `sent_ms`: when the
 * request left, by our clock. The flags are in the arena. 0/-1. */
int create_answer_prove(struct batch_slice *s, const struct leads_added *a, int64_t sent_ms, struct arena *arena,
                        bool **proved, size_t *proved_n, struct err *e);
/* What the counters of the answer say about the leads that it does not prove. `rest` has those, and asked_n. */
void create_answer_explain(struct batch_slice *rest, const struct leads_added *a, size_t proved_n);

/* ---- rekey_check.c ---- */
/* Sends creates; before that, reads the leads whose place they take. */
void rekey_check(struct batch_slice *s);
/* Was the lead whose place the k-th lead of the slice takes not found yet? */
bool rekey_check_wants(const struct batch_slice *s, size_t k);
/* address_list_read() has looked for hashed addresses: goes on with rekey_check(). */
void rekey_check_addresses_known(struct batch_slice *s);

/* ---- update.c ---- */
/* Reads the leads and writes what they lack; those of an earlier run are only read. */
void update_read(struct batch_slice *s);
/* Nothing of the batch is under way: looks for the leads whose PATCH found no lead, then proves all that were PATCHed.
 * False: there are none. */
bool update_next(struct batch_run *b);
struct wanted_lead;
/* PATCHes entry i (its lead_id): the flagged fields and custom variables of `wanted`, over what `remote` has (NULL: it was not
 * read, and only the flagged ones are sent). When it is done the entry gets `proved`. */
void update_patch(struct batch_run *b, uint32_t i, struct wanted_lead *wanted, const struct remote_lead *remote,
                  enum outcome proved);

/* ---- update_unread.c ---- */
/* Sends those updates of the slice that need no read first, and reads the others. */
void update_unread_start(struct batch_slice *s);
/* Before the PATCH of a lead that was read: may leave a variable out of the body, to learn what PATCH does to it. */
void update_unread_probe(struct batch_run *b, uint32_t i, struct wanted_lead *wanted, const struct remote_lead *remote);
/* The answer to a PATCH proves its values: learns from it. True: it shows that the lead has lost variables, and another PATCH
 * with them is under way. */
bool update_unread_learns(struct batch_run *b, uint32_t i, const struct api_reply *reply, enum outcome proved);
/* The PATCH had another answer, or none. */
void update_unread_untold(struct batch_run *b, uint32_t i, const struct api_reply *reply);
/* Does the lead still have the variables that the last PATCH left out? Always true if it named all. */
bool update_unread_kept(const struct batch_run *b, uint32_t i, const struct remote_lead *remote);
/* Flags the variables that the lead has lost, so that they are written with the changed ones. 0/-1 (memory) */
int update_unread_flag_lost(struct batch_run *b, uint32_t i, struct wanted_lead *wanted, const struct remote_lead *remote);

/* ---- move.c ---- */
/* Proved to be in its target. */
void move_proved(struct batch_run *b, uint32_t i, int http_status);
/* Ends the work for this slice: entries that may have been requested stay open, the others are deferred. */
void move_give_up(struct batch_slice *s, enum reason reason);
/* The job of this slice has ended with the status in `remote`; NULL: the job no longer exists. */
void move_job_over(struct batch_slice *s, struct job *job, const struct remote_job *remote);
/* The answer was lost, and no job is found. */
void move_no_job(struct batch_slice *s);
void move_read_failed(struct batch_slice *s); /* move_give_up(), because of a stop or a failed read */
void move_stop_queued(struct upload *u);      /* those that wait for their targets will not get them */
/* The ids of a slice; NULL without memory. */
struct uuid *move_ids(const struct batch_slice *s, struct arena *arena);
/* A text about the entry for `results`, in the batch's arena. */
void move_detail(struct batch_run *b, uint32_t i, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* ---- move_check.c ---- */
/* Where are the leads, may they go, what has to be written first? */
void move_check(struct batch_slice *s);
void move_check_leads(struct batch_slice *s); /* the same, after what copies need to know first */

/* ---- remove.c ---- */
void remove_send(struct batch_slice *s);
/* The reads or the deletion cannot go on. What was never sent was surely not done; the rest stays open. */
void remove_give_up(struct batch_slice *s, enum reason reason);
void remove_read_failed(struct batch_slice *s); /* the same, because of a stop or a failed read */

/* ---- one_shot.c ---- */
int one_shot_close(struct batch_run *b, struct err *e);
void one_shot_start(struct batch_slice *s);

/* ---- verify.c ---- */
/* The last check before a lead goes where the stage promotes to. One that is brought back from where removed ones go has
 * the verdict of the time when it was in the stage's list. True: it has one that keeps it out, or none yet, and is done. */
bool verify_keeps_back(struct batch_run *b, uint32_t i, const struct remote_lead *remote);
/* Do its leads come out of the stage's list, and were to be verified? */
bool verify_wanted(const struct batch_run *b);
/* Waits for the verdicts. Entries that fail, or have none in time, get their outcome. */
void verify_start(struct batch_slice *s);

#endif
