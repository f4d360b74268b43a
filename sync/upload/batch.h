/* A batch in memory, from its first row to the moment when every entry has its outcome. Internal to the upload.
 *
 * A batch owns its entries and its slices. A slice is a group of entries that travel in one request, or are read
 * together. A function that takes a slice takes it over: it sends it, lets it wait, or ends it with slice_free(). */
#ifndef SYNC_UPLOAD_BATCH_H
#define SYNC_UPLOAD_BATCH_H

#include "sync/base/buf.h"
#include "sync/plan/spool.h"
#include "sync/upload/upload.h"

struct job;
struct lead_read_calls;
struct operation;

/* The life of a batch. Up to LIFE_DURABLE it is one piece. Then each of its slices has a state of its own: a slice begins as
 * LIFE_DURABLE, takes one of the four states below it, and ends with slice_free(). The batch itself stays LIFE_DURABLE until
 * its last slice has ended.
 * Each line: a state, and the states that may follow it. docs/DESIGN.md has the picture, tests/cases/upload/batch_states.txt
 * the same table, and tests/unit/batch_states_test.c compares them. */
#define TO(state) (1U << LIFE_##state)
/* clang-format off */
#define BATCH_LIFE_TABLE(ROW)                                                                            \
    ROW(COLLECTING, TO(INTENT) | TO(DURABLE)) /* rows are added; one of an earlier run is durable */     \
    ROW(INTENT, TO(DURABLE) | TO(SETTLED))    /* written, not durable; a stop settles it as never sent */ \
    ROW(DURABLE, TO(CHECKING) | TO(SENT) | TO(PROVING) | TO(WAITING) | TO(SETTLED) | TO(LEFT_OPEN))      \
    ROW(CHECKING, TO(SENT) | TO(WAITING))     /* reads before the first write */                         \
    ROW(SENT, TO(PROVING) | TO(WAITING))      /* a write is under way */                                 \
    ROW(PROVING, TO(SENT) | TO(WAITING))      /* reads what the write has done */                        \
    ROW(WAITING, TO(CHECKING) | TO(SENT) | TO(PROVING)) /* for time, a job, a verdict, other requests */ \
    ROW(SETTLED, 0)                           /* every entry has its outcome, and the state knows */     \
    ROW(LEFT_OPEN, 0)                         /* the next run finds out, by reading only */
/* clang-format on */
/* clang-format off */
enum batch_life {
#define ROW(state, next) LIFE_##state,
    BATCH_LIFE_TABLE(ROW)
#undef ROW
    LIFE_N
};
/* clang-format on */
const char *batch_life_text(enum batch_life life);
bool batch_life_may(enum batch_life from, enum batch_life to);

/* An entry on its way, in the same form. */
#define TO_ENTRY(state) (1U << ENTRY_##state)
/* clang-format off */
#define ENTRY_STATE_TABLE(ROW)                                                                           \
    ROW(OPEN, TO_ENTRY(PATCHING) | TO_ENTRY(HELD) | TO_ENTRY(AS_WANTED) | TO_ENTRY(DONE))                \
    ROW(PATCHING, TO_ENTRY(OPEN) | TO_ENTRY(HELD) | TO_ENTRY(CONFIRMED) | TO_ENTRY(UNPROVED) |           \
                      TO_ENTRY(MISSING) | TO_ENTRY(AS_WANTED) | TO_ENTRY(DONE)) /* under way */          \
    ROW(HELD, TO_ENTRY(DONE))      /* refused, and not clear yet whether all are (refused_alike.c) */    \
    ROW(CONFIRMED, TO_ENTRY(DONE)) /* the answer to the PATCH names the new values */                    \
    ROW(UNPROVED, TO_ENTRY(DONE))  /* it does not; update_proof.c decides about both */                  \
    ROW(MISSING, TO_ENTRY(OPEN) | TO_ENTRY(DONE)) /* the PATCH found no lead under its id */             \
    ROW(AS_WANTED, TO_ENTRY(OPEN) | TO_ENTRY(HELD) | TO_ENTRY(DONE)) /* moves: has its values, may go */ \
    ROW(DONE, 0)                   /* has its outcome */
/* clang-format on */
/* clang-format off */
enum entry_state {
#define ROW(state, next) ENTRY_##state,
    ENTRY_STATE_TABLE(ROW)
#undef ROW
    ENTRY_STATES_N
};
/* clang-format on */
const char *batch_entry_state_text(enum entry_state state);
bool batch_entry_state_may(enum entry_state from, enum entry_state to);

/* What is kept of an entry besides the intent. */
struct entry_progress {
    enum entry_state state;
    uint64_t tag;              /* of struct planned */
    struct str why;            /* the planned entry's detail: why a removal is wanted */
    uint32_t fields;           /* updates and moves: core fields to write */
    struct str custom_changed; /* updates and moves: a byte per custom variable */
    bool takes_place;          /* creates: in the place of the lead `old_id`, */
    bool old_judged;           /* of whose person it is known by now whether that may be */
    struct uuid old_id;
    bool old_reimported;    /* found by its address: `old_id` is the id that it has now, not the one in the state */
    struct str old_address; /* found by its hash */
    bool listed;            /* the place was looked through for the address of a lead whose id is gone */
    uint64_t email_hash;    /* of the normalised address; 0: none */
    unsigned rounds;        /* PATCHes sent */
    bool written;           /* one of them may have been applied */
    bool shown;             /* by the read under way, as the right lead */
    bool partial;           /* the last PATCH left variables out of its body that the lead has, */
    uint32_t witness;       /* this one among them: it shows whether the lead still has them (update_unread.c) */
    enum outcome proved;    /* CONFIRMED, UNPROVED: the outcome when the values are there */
    int patch_status;       /* HTTP status of the answer to the last PATCH */
    bool met, ours;         /* creates: found in the target; and made by this request */
    bool stays_open;        /* creates: deferred, and its intent goes on in a batch of its own */
    enum reason status;     /* moves: what was found of the person before */
    bool there;             /* the last read found it in the stage's list */
    /* moves */
    enum place { PLACE_UNSEEN, PLACE_FROM, PLACE_TO, PLACE_ELSEWHERE } place; /* where it was seen last */
    bool patched;                                                             /* its values were written first */
    bool asked;             /* a request to move it may have been applied */
    bool named;             /* its job says that it has moved it */
    bool moved;             /* and was */
    bool took_double;       /* the row has another lead now, which was in the target already */
    bool created;           /* by this run, in the stage's list */
    bool pending, verified; /* its verdict is under way, is known */
    struct job *job;        /* the last one that carried it */
    struct value before;    /* one-shots: the value that the request changes; in the batch's arena */
};

/* Moves only: a batch of moves asks in rounds, one request after another (move.c). */
struct move_progress {
    struct batch_run *queue_next; /* in the upload's queue of batches that wait for their targets */
    bool queued, holds_targets;
    struct uuid *present; /* copies: leads with these addresses that existed before the request; owned */
    size_t present_n;
    size_t request_max; /* ids per request; halved when one is refused */
    unsigned rounds;    /* requests whose outcome stayed unknown, and of which no job was found */
};

enum { BATCH_UNNAMED_MAX = 8 };

struct batch_run {
    struct upload *u;
    struct batch_run *prev, *next;
    const struct operation *operation;
    const struct one_shot *one_shot; /* NULL: none, or of an earlier run */
    enum batch_life life;
    struct batch record;             /* as the state has it */
    struct entry_progress *progress; /* of record.entries, which live in the arena */
    size_t entries_cap;
    struct target target;
    struct target from; /* moves and removals: where the leads are; else all zero */
    struct arena arena;
    struct buf body; /* creates: of the first request, until it is handed over */
    unsigned open_n; /* entries without an outcome */
    struct batch_slice *slices;
    unsigned under_way_n;  /* slices, PATCHes and leads held by refused_alike.c */
    int64_t first_sent_ms; /* earliest moment at which anything of it may have been applied */
    int64_t skew_ms;
    bool earlier;       /* of an earlier run: settle by reading only */
    bool splits;        /* some of its entries stay open when it is settled */
    bool statuses_open; /* batch_entry_record_status() has recorded what is not durable yet */
    struct move_progress move;
    struct target unnamed[BATCH_UNNAMED_MAX]; /* where leads are whose details have only an id, see location.c */
    unsigned unnamed_n;
    bool unnamed_asked;
};

struct batch_slice {
    struct batch_run *batch;
    struct batch_slice *batch_prev, *batch_next; /* in the batch's list */
    struct batch_slice *next;                    /* in the list of those that wait for the same thing */
    enum batch_life life;
    int64_t due_us;
    void (*wake)(struct batch_slice *slice);
    unsigned round;   /* requests sent for these entries */
    unsigned attempt; /* reads done in this round */
    unsigned reads_n; /* list requests not answered yet */
    int http_status;  /* of the last write */
    /* creates: how the answer accounts for the leads that it does not prove (create_answer.c) */
    enum create_account {
        ACCOUNT_NONE,    /* there is no usable answer: they may have arrived */
        ACCOUNT_CLAIMED, /* it counts more leads as uploaded than it proves: they may have arrived */
        /* From here on it accounts for all that it uploaded: reading back finds reasons, not arrivals. */
        ACCOUNT_EXPLAINED, /* one reason explains all that are missing: absent_reason */
        ACCOUNT_AMBIGUOUS, /* the counters do not say which reason; fewer leads per request say more */
        ACCOUNT_SHORT,     /* they explain fewer leads than are missing, which may have arrived after all */
    } account;
    size_t asked_n;            /* leads of the request that was answered */
    enum reason absent_reason; /* from ACCOUNT_EXPLAINED on: why the ones found nowhere were not created */
    enum outcome absent_outcome;
    /* creates: what a refusal of this request means (create_refused.c) */
    enum create_trial { TRIAL_WHOLE, TRIAL_HALF, TRIAL_PROBE, TRIAL_OVER } trial;
    unsigned trial_epoch; /* TRIAL_HALF, TRIAL_PROBE: the trial that it is part of */
    bool taken;           /* one-shots: the API has accepted the request */
    bool counted;         /* removals: the answer counted them all as deleted */
    bool unlisted;        /* removals: the list did not show these leads before the DELETE, though they existed */
    /* lead_read.c */
    const struct lead_read_calls *read_calls;   /* of the read under way */
    const struct lead_read_calls *search;       /* lead_read_everywhere(): the caller's */
    unsigned attempts_before;                   /* lead_read_everywhere(): `attempt` as it was */
    void (*stopped)(struct batch_slice *slice); /* NULL, or in place of the operation's give_up() */
    const struct target *address_in;            /* where the read asks for the entries' addresses */
    bool spoilt;                                /* an answer of this read is missing */
    /* moves: reading the leads */
    struct job *job;   /* that is over, and whose leads are read */
    bool unseen_job;   /* which may still be running */
    int64_t pending_n; /* leads of the stage's list without a verdict, as last read; -1: not known */
    size_t n;
    uint32_t index[]; /* into the batch's entries */
};

/* ---- batch.c ---- */
/* Every change of state goes through here: of the slice, or with NULL of the batch itself. A change that is not in the table
 * ends the upload (XS_INTERNAL), or aborts the process if LEADSYNC_ABORT is set, as all tests set it. */
void batch_advance(struct batch_run *b, struct batch_slice *s, enum batch_life to);
/* What batch_advance() and batch_entry_advance() do with such a change. */
void batch_fail_step(struct batch_run *b, const char *what, const char *from, const char *to);
/* `from` is 0 but for moves and removals. A one-shot has its own operation, which the caller sets. */
struct batch_run *batch_new(struct upload *u, enum op op, uint32_t target, uint32_t from, size_t entries_max, struct err *e);
void batch_free(struct batch_run *b); /* with its slices; takes it out of the upload's list */
int batch_add(struct batch_run *b, const struct planned *planned, struct err *e);
/* Called when a slice or request ended. When nothing is under way: starts what comes next; else settles the batch, or
 * leaves it open, and frees it. */
void batch_check(struct batch_run *b);
/* Gives every entry without an outcome this one. */
void batch_all_done(struct batch_run *b, enum outcome outcome, enum reason reason);
/* Leaves the batch open in the state; its rows count as deferred: outcome_open. */
void batch_leave_open(struct batch_run *b);

/* ---- batch_entry.c ---- */
/* The same for an entry. Once it is done, as all entries of a batch that stays open are, late answers change nothing. */
void batch_entry_advance(struct batch_run *b, uint32_t i, enum entry_state to);
/* Gives one entry its outcome. */
void batch_entry_done(struct batch_run *b, uint32_t i, enum outcome outcome, enum reason reason, int http_status);
/* A create that may have been applied and must not be sent again before it was looked for again: its row is deferred as
 * outcome_open, and the next run begins with its open intent. */
void batch_entry_stays_open(struct batch_run *b, uint32_t i, int http_status);
/* The known outcomes of a batch that stays open: their rows count as deferred. */
void batch_entry_defer_known(struct batch_run *b, uint32_t i, enum reason open_reason);
/* A lead that has only reached the stage's list: its row is counted where the way ends. */
bool batch_entry_goes_on(const struct batch_run *b, uint32_t i);
/* Records in the state what was found of entry i's person at this address (REASON_NONE: nothing): a removal or a move makes
 * Instantly forget it, and a death between the two must not. batch_entry_commit_statuses() makes it durable. A failure of either
 * ends the upload. */
void batch_entry_record_status(struct batch_run *b, uint32_t i, enum reason status, struct str address);
void batch_entry_commit_statuses(struct batch_run *b);
/* Without a key and without an address the person of entry i was forgotten, or has none: no address is written down. */
bool batch_entry_may_name(const struct batch_run *b, uint32_t i);
/* The words about entry i that `results` shows. */
void batch_entry_detail(struct batch_run *b, uint32_t i, struct str text);
/* The ids of all entries, in the arena; NULL without memory. */
struct uuid *batch_entry_ids(struct batch_run *b);
/* The lead that entry i wants, from its packed values; the arena is reset by the caller. 0/-1. */
int batch_entry_lead(struct batch_run *b, uint32_t i, struct arena *arena, struct lead *out);

/* ---- slice.c ---- */
struct batch_slice *slice_new(struct batch_run *b, size_t n, struct err *e);
struct batch_slice *slice_of_all(struct batch_run *b, struct err *e);
/* Those of the n entries from `first` on that are still open, with nothing known of them but the round. NULL: memory. */
struct batch_slice *slice_of_open(const struct batch_slice *from, size_t first, size_t n, struct err *e);
void slice_free(struct batch_slice *s); /* and batch_check() */
/* Every entry of the slice gets the outcome. */
void slice_done(struct batch_slice *s, enum outcome outcome, enum reason reason, int http_status);
/* Every entry that the last read did not show gets the outcome; the slice goes on. */
void slice_unshown_done(struct batch_slice *s, enum outcome outcome, enum reason reason, int http_status);
/* Nothing more can be found out now: the batch stays open. */
void slice_leave_open(struct batch_slice *s);
/* The same, for a reason that ends the upload. */
void slice_fail(struct batch_slice *s, const struct err *e);
/* The slice reads: to check before the first write for its leads, or to prove one. */
void slice_read(struct batch_slice *s);
/* Waits until another part of the upload hands it on. */
void slice_park(struct batch_slice *s);
/* Waits for a moment. */
void slice_wait(struct batch_slice *s, int64_t us, void (*wake)(struct batch_slice *));
/* What is there is looked for ATTEMPTS_MAX times: at once and, each time as limits.settle scales it, 1, 2 and 4 s after the
 * attempt before; 5, 15 and 45 s when it may appear late. Waits for the attempt after the s->attempt that there were. */
enum { ATTEMPTS_MAX = 4, SETTLE_UNIT_MS = 7000 }; /* 1 + 2 + 4 s: limits.settle, unless the mapping says otherwise */
void slice_wait_attempt(struct batch_slice *s, bool late, void (*wake)(struct batch_slice *));
int64_t slice_late_reads_ms(const struct batch_run *b); /* how long all late attempts take */

#endif
