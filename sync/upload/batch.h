/* A batch while it is in memory, and the slices of it that travel together. Internal to the upload. */
#ifndef SYNC_UPLOAD_BATCH_H
#define SYNC_UPLOAD_BATCH_H

#include "sync/plan/changes.h"
#include "sync/upload/held_ids.h"
#include "sync/upload/missing_target.h"
#include "sync/upload/refused_alike.h"
#include "sync/upload/upload.h"

/* What is kept of an entry besides the intent. */
struct entry_progress {
    uint32_t fields;           /* updates and moves: core fields to write */
    struct str custom_changed; /* updates and moves: a byte per custom variable */
    bool takes_place;          /* creates: in the place of the lead `old_id`, */
    bool old_judged;           /* of whose person it is known by now whether that may be */
    struct uuid old_id;
    uint64_t email_hash;       /* of the normalised address; 0: none */
    unsigned rounds;           /* PATCHes sent */
    bool busy;                 /* a PATCH is under way */
    bool held;                 /* refused, and not clear yet whether all are (refused_alike.c) */
    bool shown;                /* by the look under way, as the right lead */
    enum { PATCH_OPEN, PATCH_GONE, PATCH_TOLD, PATCH_UNTOLD } patch; /* the answer to the last PATCH: 404, the lead with
                                * the new values, or one that does not tell them; the batch's last look decides */
    enum outcome proved;       /* PATCH_TOLD, PATCH_UNTOLD: the outcome when the values are there */
    int patch_status;          /* HTTP status of that answer */
    bool met, ours;            /* creates: found in the target; and made by this request */
    bool stays_open;           /* creates: deferred, and its intent goes on in a batch of its own */
    enum reason status;        /* moves: what was found of the person before */
    bool there;                /* found by the last look in the stage's list */
    /* moves */
    enum place { PLACE_UNSEEN, PLACE_FROM, PLACE_TO, PLACE_ELSEWHERE } place; /* where it was seen last */
    bool as_wanted;            /* its values were compared, or written */
    bool patched;              /* they were written */
    bool asked;                /* a request to move it may have been applied */
    bool named;                /* its job says that it has moved it */
    bool moved;                /* and was */
    bool took_double;          /* the row has another lead now, which was in the target already */
    bool created;              /* by this run, in the stage's list */
    bool pending, verified;    /* its verdict there is under way, is known */
    struct job *job;           /* the last one that carried it */
};

struct batch_run {
    struct upload *u;
    struct batch_run *prev, *next;
    struct batch record;       /* entries live in the arena */
    struct entry_progress *progress;
    size_t entries_cap;
    struct target target;
    struct target from;        /* moves and removals: where the leads are; else all zero */
    struct arena arena;
    struct buf body;           /* creates: of the first request, until it is handed over */
    unsigned open_n;           /* entries without an outcome */
    unsigned under_way_n;          /* slices and requests under way */
    int64_t first_sent_ms;     /* earliest moment at which anything of it may have been applied */
    int64_t skew_ms;
    bool earlier;              /* of an earlier run: settle by reading only */
    bool left_open;            /* stays open in the state */
    bool splits;               /* some of its entries stay open when it is settled */
    bool statuses_open;               /* something that is not durable yet */
    struct move *move;         /* moves; else NULL */
    void (*on_quiet)(struct batch_run *b); /* called once when a single slice is left */
};

/* Entries of one batch that travel in one request, or are looked for together. */
struct batch_slice {
    struct batch_run *batch;
    struct batch_slice *next;         /* in the list of those that wait for a moment */
    int64_t due_us;
    void (*wake)(struct batch_slice *slice);
    unsigned round;            /* requests sent for these entries */
    unsigned attempt;             /* read-backs done in this round */
    unsigned reads_n;          /* list requests not answered yet */
    /* creates, after an answer that does not prove them all: */
    bool attribute;            /* it accounts for all that it uploaded: reading back finds reasons, not arrivals */
    bool claimed;              /* it does not: they may have arrived, as after an answer that was lost */
    bool ambiguous;            /* attribute: the counters do not say which reason; fewer leads in a request tell more */
    bool unexplained;          /* attribute: they count fewer leads than are missing, which may have arrived after all */
    size_t asked_n;            /* leads of the request that was answered */
    enum reason absent_reason; /* attribute: why the ones found nowhere were not created */
    enum outcome absent_outcome;
    int http_status;
    /* creates: what a refusal of this request means (create_refused.c) */
    enum { TRIAL_WHOLE, TRIAL_HALF, TRIAL_PROBE, TRIAL_OVER } trial;
    unsigned trial_epoch;      /* TRIAL_HALF, TRIAL_PROBE: the trial that it is part of */
    bool counted;              /* removals: the answer counted them all as deleted */
    bool unlisted;             /* removals: leads that the list did not show before the DELETE, though they were there */
    /* lead_read.c */
    const struct lead_read_calls *read_calls; /* of the look under way */
    const struct lead_read_calls *search;     /* lead_read_everywhere(): the caller's */
    unsigned attempts_before;     /* lead_read_everywhere(): `look` as it was */
    void (*stopped)(struct batch_slice *slice); /* NULL, or called in place of leaving the batch open when a stop ends a wait */
    const struct target *address_in; /* where the look asks for the entries' addresses */
    bool spoilt;               /* an answer of this look is missing */
    /* moves: reading the leads */
    struct job *job;           /* that is over, and has to be held against what is there */
    bool unseen_job;           /* which may still be running */
    int64_t pending_n;         /* of the stage's list, when last asked; -1: not told */
    size_t n;
    uint32_t index[];          /* into the batch's entries */
};

/* Rows that are collected until they fill a batch: all with the same operation and the same ends. */
struct collect_group {
    enum op op;
    uint32_t target, from;
    struct batch_run *batch;         /* NULL between two batches */
};

struct upload {
    struct upload_config c;
    struct batch_run *batches;        /* all not settled */
    size_t batches_n;
    struct collect_group *groups;
    size_t groups_n;
    struct batch_run **ready;       /* closed, intent written, waiting for the commit */
    size_t ready_n, ready_cap;
    struct batch_slice *waiting;
    struct arena scratch;
    struct buf key;            /* scratch for normalised addresses */
    size_t body_n;             /* bytes of the body last closed: the next one will be about as large */
    struct lead_shape shape;
    struct err fatal;          /* what ended the upload; set once */
    bool stopping, plan_full[2];
    struct batch_slice *move_queue;        /* moves that wait until no other one of the run has their ends */
    struct address_list *address_lists; /* places that were looked through for addresses of which the state has hashes */
    struct lead_scan *lead_scans;  /* lists that were looked through before leads without an address went there */
    uint32_t *locked_targets;           /* targets held by jobs that are not waited for any more */
    size_t locked_targets_n;
    struct hash128 *open_keys; /* of rows whose move is left open; sorted when it is first asked */
    size_t open_keys_n;
    bool open_keys_sorted;
    struct job *jobs;          /* newest first */
    struct job *polled[JOBS_LIST_MAX]; /* in the list request that is under way */
    size_t polled_n;
    int64_t deadline_us, verify_until_us; /* 0: none */
    int64_t skew_ms;           /* last one the server told */
    int64_t started_ms;        /* wall clock */
    struct refused_alike refused[ENDPOINT_N];
    struct missing_target missing;
    uint64_t refused_judged;   /* leads refused when the caller was last asked what it makes of them */
    bool draining;             /* no more rows come before all batches are settled */
    struct held_ids held;      /* ids of the leads that this run has created or met */
};

enum {
    COMMIT_EVENTS = 16, /* a group commit takes at most this many batches */
    COMMIT_IDLE = 4,    /* and idle connections are worth one from here on */
};

/* ---- collect.c ---- */
/* Writes the intent of what was collected, if anything; the next commit sends it. */
int collect_close(struct upload *u, struct collect_group *g, struct err *e);
/* Counts a row that is not sent and keeps it for the next run; a removal is only counted. */
int upload_defer(struct upload *u, const struct planned *planned, enum reason reason, struct err *e);
/* ---- batch.c ---- */
/* `from` is 0 but for moves and removals. */
struct batch_run *batch_new(struct upload *u, enum op op, uint32_t target, uint32_t from, size_t entries_max, struct err *e);
void batch_free(struct batch_run *b);                     /* takes it out of the upload's list */
int batch_add(struct batch_run *b, const struct planned *p, struct err *e);
/* Gives one entry its outcome; the last one settles the batch when no part is under way. */
void batch_entry_done(struct batch_run *b, uint32_t i, enum outcome outcome, enum reason reason, int http_status);
/* Says in the state what was found of entry i's person at this address (REASON_NONE: nothing): a removal or a move makes
 * Instantly forget it, and a death between the two must not. batch_commit_statuses() makes it durable; a failure ends the upload. */
void batch_record_status(struct batch_run *b, uint32_t i, enum reason status, struct str address);
void batch_commit_statuses(struct batch_run *b);
/* The words about entry i that `results` shows. */
void batch_entry_detail(struct batch_run *b, uint32_t i, struct str text);
/* The same: where its lead is. */
void batch_entry_location(struct batch_run *b, uint32_t i, const struct remote_lead *remote);
/* Has entry i neither an outcome nor a request of its own that is not proved or understood yet? */
bool batch_entry_is_open(const struct batch_run *b, uint32_t i);
/* A create that may have been applied and must not be sent again before it was looked for again: its row is deferred as
 * outcome_open, and the next run begins with its open intent. */
void batch_entry_stays_open(struct batch_run *b, uint32_t i, int http_status);
/* Called when a slice or request ended: settles or gives up when nothing is left to do. */
void batch_check(struct batch_run *b);
/* Leaves the batch open in the state; its rows count as deferred: outcome_open. */
void batch_leave_open(struct batch_run *b);
struct batch_slice *slice_new(struct batch_run *b, size_t n, struct err *e);
struct batch_slice *slice_of_all(struct batch_run *b, struct err *e);
/* Those of the n entries from `first` on that are still open, with nothing known of them but the round. NULL: memory. */
struct batch_slice *slice_of_open(const struct batch_slice *from, size_t first, size_t n, struct err *e);
void slice_free(struct batch_slice *s);                     /* and batch_check() */
void slice_wait(struct batch_slice *s, int64_t us, void (*wake)(struct batch_slice *));
/* What is there is looked for ATTEMPTS_MAX times: at once and, each time as limits.settle scales it, 1, 2 and 4 s after the
 * look before; 5, 15 and 45 s where it may appear late. Waits for the look after the p->attempt that there were. */
enum { ATTEMPTS_MAX = 4, SETTLE_UNIT_MS = 7000 }; /* 1 + 2 + 4 s: limits.settle, unless the mapping says otherwise */
void slice_wait_attempt(struct batch_slice *s, bool late, void (*wake)(struct batch_slice *));
int64_t slice_late_reads_ms(const struct batch_run *b);   /* how long all late looks take */
void upload_fail(struct upload *u, const struct err *e); /* keeps a copy: the upload ends with it */
void upload_fail_oom(struct upload *u);
/* A packed lead, also one of an older list of custom variables: 0/-1. */
int upload_unpack(struct upload *u, struct str values, struct arena *arena, struct lead *out);
/* This target is held by a job that this run has waited for long enough: nothing more is sent into or out of it. */
void upload_lock_target(struct upload *u, uint32_t target);
bool upload_target_is_locked(const struct upload *u, uint32_t target);
bool upload_ended(const struct upload *u);           /* stopped or failed: nothing more is sent that writes */
/* The lead an entry wants, from its packed values; the arena is reset by the caller. 0/-1. */
int batch_entry_lead(struct batch_run *b, uint32_t i, struct arena *arena, struct lead *out);
uint64_t email_hash(struct upload *u, struct str email);

/* ---- lead_read.c ---- */
/* Is the lead in the campaign or list? */
bool target_holds(const struct target *t, const struct remote_lead *remote);
struct lead_read_calls {
    void (*seen)(struct batch_slice *s, uint32_t i, const struct remote_lead *remote); /* entry i's own lead; once a look */
    void (*done)(struct batch_slice *s);   /* progress[].shown tells which leads were seen */
    void (*failed)(struct batch_slice *s); /* an answer is missing, and the upload knows why, or a stop came */
};
/* One look at the leads of a slice that have no outcome and no PATCH under way. Each until its `done` or
 * `failed`. By leads/list with ids: what it does not show may be there. */
void lead_read_by_id(struct batch_slice *s, const struct lead_read_calls *calls);
/* GET /leads/{id}, a request each: what is not shown is not there under this id. */
void lead_read_each(struct batch_slice *s, const struct lead_read_calls *calls);
/* The same, for those that the look before it did not show. */
void lead_read_unshown(struct batch_slice *s, const struct lead_read_calls *calls);
/* Is the look under way still to show the k-th lead of the slice? */
bool lead_read_wants(const struct batch_slice *s, size_t k);
/* Other leads in the batch's target that have the entries' addresses. */
void lead_read_others(struct batch_slice *s, const struct lead_read_calls *calls);
/* Both, for leads that a list did not show: each lead is asked for itself, and one whose id is gone is looked for by its
 * address where it should be (moves: at both ends), as often as anything that may appear late. Found so, the entry has the
 * new id. What is not shown then is there no more. */
void lead_read_everywhere(struct batch_slice *s, const struct lead_read_calls *calls);
/* ---- address_list.c ---- */
/* Part of lead_read_everywhere(): finds the addresses of leads whose ids are gone and of which the state has hashes, and calls
 * lead_read_addresses_known(), or the slice's `stopped`. */
void address_list_read(struct batch_slice *s);
void lead_read_addresses_known(struct batch_slice *s);
void address_lists_free(struct upload *u);
/* ---- create.c ---- */
enum { ROUNDS_MAX = 4 }; /* requests for the same leads whose outcome stays unknown, before api_error */
/* The body of the batch's first request: opened, a lead added (1 it fits, 0 it does not, -1), closed and digested. */
int create_open(struct batch_run *b, struct err *e);
int create_add(struct batch_run *b, const struct planned *p, struct err *e);
int create_close(struct batch_run *b, struct err *e);
/* For a dry run: would a request carry this lead, if it carried no other? 1, 0 it is too large, -1 (memory). */
int create_fits(const struct mapping *m, const struct target *target, const struct lead *lead, struct err *e);
void create_send(struct batch_slice *s);
void create_slice_done(struct batch_slice *s, enum outcome outcome, enum reason reason, int http_status);
/* ---- create_refused.c ---- */
/* The slice's request was refused, surely not applied. */
void create_refused(struct batch_slice *s, const struct api_reply *reply);
/* Sends those of the n entries from `first` on that are still open. */
void create_send_slice(struct batch_slice *s, size_t first, size_t n, unsigned trial);
/* Asks again in halves, so that counters speak of fewer leads. */
void create_send_halves(struct batch_slice *s);
/* ---- create_answer.c ---- */
/* Which created leads of an answer are proved, and how many; their ids are this run's from now on. `sent_ms`: when the
 * request left, by our clock. The flags are in the arena. 0/-1. */
int create_answer_prove(struct batch_slice *s, const struct leads_added *a, int64_t sent_ms, struct arena *arena, bool **proved,
                 size_t *proved_n, struct err *e);
/* What the counters of the answer say about the leads that it does not prove. `rest` has those, and asked_n. */
void create_answer_explain(struct batch_slice *rest, const struct leads_added *a, size_t proved_n);
/* Why a lead that is elsewhere was not created. */
enum reason create_elsewhere_reason(const struct batch_run *b);
/* ---- update.c ---- */
void update_send(struct batch_slice *s);
void update_read(struct batch_slice *s);                   /* one of an earlier run: only looks */
/* Nothing of the batch is under way: looks for the leads whose PATCH found no lead, and then at all that were PATCHed. False:
 * there are none. */
bool update_finish(struct batch_run *b);
/* The values are there: the outcome of an update, and the first half of a move. */
void update_proved(struct batch_run *b, uint32_t i, enum outcome proved, int http_status);
/* PATCHes entry i (its lead_id): `fields` and the flagged custom variables of `lead`, over what `remote` (may be NULL)
 * has. When it is done the entry gets `proved`. */
void update_patch(struct batch_run *b, uint32_t i, struct lead *lead, uint32_t fields, const bool *custom,
                  const struct remote_lead *remote, enum outcome proved);
/* ---- move.c ---- */
void move_start(struct batch_slice *hold);                 /* the whole batch, its intent is durable */
void move_resume(struct batch_slice *hold);                /* one of an earlier run: only looks */
/* Nothing more is done for this slice: what may have been asked for stays open, the rest is deferred. */
void move_give_up(struct batch_slice *s, enum reason reason);
void move_stop_queued(struct upload *u);             /* those that wait for their ends will not get them */
/* ---- verify.c ---- */
/* The last look before a lead goes where the stage promotes to. One that is brought back from where gone ones go has the
 * verdict of the time when it was in the stage's list. True: it has one that keeps it out, or none yet, and is done. */
bool verify_keeps_back(struct batch_run *b, uint32_t i, const struct remote_lead *remote);
bool verify_wanted(const struct batch_run *b);           /* do its leads come out of the stage's list, and were to be verified? */
/* Waits for the verdicts. Entries that fail, or are not told in time, get their outcome. */
void verify_start(struct batch_slice *s);
/* ---- remove.c ---- */
void remove_start(struct batch_slice *s);                  /* looks first */
/* ---- jobs.c ---- */
void jobs_step(struct upload *u, int64_t now_us);   /* polls what is due, gives up what was waited for long enough */
int64_t jobs_due_us(const struct upload *u);        /* when there is something to do; INT64_MAX: never */
void jobs_give_up(struct upload *u);                /* jobs are not waited for any more */
void jobs_free(struct upload *u);
/* ---- lead_match.c ---- */
/* Does a lead that was found under entry i's id have another address than the one that is known of it? Then that id is as
 * good as gone: the lead is somebody else's, and must not be written to. An address that is not known differs from none;
 * without addresses the row keys are compared. */
bool lead_match_differs(struct batch_run *b, uint32_t i, const struct remote_lead *remote);
/* Entry i's id is gone, and a lead with its address has this one: from now on the entry is about that lead. False: it is
 * another key's. */
bool lead_match_relink(struct batch_run *b, uint32_t i, const struct remote_lead *remote);
/* ---- rekey.c ---- */
/* Before a batch is settled: rows that had another lead keep it as a lead of its own. In the same commit. */
int rekey_settle(struct batch_run *b, struct err *e);
/* Entry i meets a lead in the target. `ours`: by its age it may be this request's work; a lead that this run or the state
 * knows already is not, and then it becomes false. With a key of the mapping's own the lead may be another key's. `conflict`: the
 * row may not take it over, since two rows would write to one lead every night. Then the entry is done. */
int rekey_meet(struct batch_run *b, uint32_t i, const struct uuid *id, bool *ours, bool *conflict, struct err *e);
/* ---- rekey_check.c ---- */
void rekey_check(struct batch_slice *s);                    /* sends creates, after a look at whose place they take */
/* ---- lead_scan.c ---- */
void lead_scan_start(struct batch_slice *s);                   /* sends creates, after a look where that is needed */
void lead_scans_free(struct upload *u);
/* ---- create_proof.c ---- */
/* The hash of a row key, and that of the item of leads/list if it is a lead of the target that has one. */
uint64_t lead_scan_key_hash(const struct upload *u, struct str key);
bool lead_scan_key(const struct upload *u, const struct target *target, struct json_object *item, uint64_t *hash);
void create_proof_start(struct batch_slice *s);                /* looks now */
/* Which wanted values are not what is there? `ours`: we created it, and what the API does not tell is as we sent it. */
bool lead_match_changes(struct batch_run *b, uint32_t i, const struct lead *wanted, const struct remote_lead *remote, bool ours,
                      uint32_t *fields, bool *custom);

#endif
