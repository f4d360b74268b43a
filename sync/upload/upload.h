/* The upload: planned rows become batches, batches become requests, answers become outcomes.
 *
 * Each batch is an intent in the state before its first byte leaves (group commit) and is settled there when every entry
 * has a proven outcome. What was sent without a usable answer is read back, never sent again blindly. One thread: the
 * caller asks upload_full(), adds, and steps. README.md says in which order to read the files.
 *
 * Creates and updates may be under way together. Moves and removals hold their campaigns and lists against everything
 * else (409), so the caller calls upload_drain() between creates, moves and removals: see phases.c. */
#ifndef SYNC_UPLOAD_UPLOAD_H
#define SYNC_UPLOAD_UPLOAD_H

#include "sync/api/by_hand.h"
#include "sync/plan/spool.h"
#include "sync/report/tally.h"
#include "sync/plan/targets.h"

/* A request by hand that is sent once. Leads with the same request travel together when one request can carry them. It lives
 * until the upload is drained. What it wants of each lead is in entry.values, so that resume can look for it:
 *   interest      lt_interest_status
 *   assign        assigned_to: the users' ids with commas between them
 *   subsequence   the custom variable "subsequence_id", null for none
 *   merge         nothing: no lead shows that it was merged */
struct one_shot {
    enum one_shot_kind { ONE_SHOT_INTEREST, ONE_SHOT_ASSIGN, ONE_SHOT_SUBSEQUENCE, ONE_SHOT_MERGE, ONE_SHOT_N } kind;
    struct leads_interest interest;
    const struct uuid *users; /* assign; owned by the caller */
    size_t users_n;
    bool leaves;             /* subsequence: the leads are taken out of theirs */
    struct uuid subsequence; /* that they are put into */
};

struct upload_config {
    struct state *state;
    struct api *api;
    const struct mapping *mapping; /* bound */
    struct targets *targets;
    struct clock *clock;
    struct tally *tally; /* gets each row's outcome when it is settled */
    uint64_t run;
    enum reason stop_reason; /* of rows that a stop leaves unsent; may be changed until then */
    /* With a stage: gets the move of each lead that is proved to be in the stage's list. That move counts the row. */
    int (*staged)(void *ctx, const struct planned *move, struct err *e);
    bool reidentified; /* the mapping's key is another one than that of the last complete run */
    /* NULL, or called for each lead whose place another one has taken: it is known under `key` now. */
    int (*superseded)(void *ctx, const struct hash128 *key, const struct known_lead *old, struct err *e);
    /* NULL, or: has this run read the whole source, with a key in each row? Then a key that it has not met has no row. */
    bool (*read_whole)(void *ctx);
    /* NULL, or: is the next read full if a row waits now for a lead whose own row this run did not read? */
    bool (*wait_for_full)(void *ctx);
    /* NULL, or appends what people call the place where a lead is: 1, 0 its name is not known and nothing is appended, -1
     * (memory). Then `location_record` gets each name that Instantly has answered with. */
    int (*where)(void *ctx, const struct target *there, struct buf *out);
    void (*location_record)(void *ctx, const struct target *named);
    /* NULL, or called when Instantly has refused more leads: -1 ends the upload with its error. */
    int (*refused)(void *ctx, struct err *e);
    /* NULL, or called for each entry of this run when its outcome is on record; an entry that stays open is deferred. `tag` is
     * the tag of its struct planned. */
    void (*settled)(void *ctx, uint64_t tag, const struct entry *entry);
    const struct leads_move_options *move_options; /* NULL: as a sync moves */
    bool force;                                    /* moves take people who unsubscribed, bounced or were skipped, too */
    bool no_wait; /* a job is left to run once no other batch waits for its source or target */
    bool by_hand; /* a user asked for each lead by its id: one that is elsewhere by now is failed, not skipped */
    void (*stepped)(void *ctx); /* NULL, or called at each step: time to show something */
    void *ctx;
    uint32_t promote, stage_list; /* where those moves go, and come from; 0: no stage */
    bool check_first;       /* the state may not know what is there: leads without an address are looked for before they
                                    * are sent */
    int64_t known_until_ms; /* wall clock: no lead that the state knows was made after this moment */
    uint64_t settle_run;    /* upload_settle_open() looks at this run's batches only; 0: at all */
};

/* A background job that the upload started or waited for. */
struct upload_job {
    char id[64];
    char *type, *status;            /* the API's words; "vanished" if the job no longer exists */
    int64_t total, success, failed; /* leads asked for, proved moved, not moved; -1: not known yet */
    int64_t moved, duplicated, missing_email, in_other_campaigns, blocklisted; /* as Instantly counts them; -1: unknown */
    bool open;                                                                 /* not ended when it was seen last */
};

struct upload;
int upload_new(const struct upload_config *config, struct upload **out, struct err *e);
void upload_free(struct upload *u);

/* Takes a planned operation; copies it. May close a batch. 0/-1.
 *   OP_CREATE  target
 *   OP_UPDATE  target, entry.lead_id, fields and custom_changed
 *   OP_MOVE    from and target (two different ones), entry.lead_id; with fields or custom_changed it is updated first
 *   OP_REMOVE  from and target (the same; 0: the lead is in no campaign and no list), entry.lead_id
 *   OP_UPDATE or OP_HAND with one_shot: target (0: none, or several), entry.lead_id; OP_UPDATE: entry.values has core fields alone
 * An entry without a key belongs to no row: no other lead replaces one whose id is missing.
 * Entries of row 0 are removals: they count in `removed` only, and leave nothing in the retry table. */
int upload_add(struct upload *u, const struct planned *planned, struct err *e);
/* create.c, for a dry run: a request of creates, still without leads. */
struct leads_add upload_create_request(const struct mapping *m, const struct target *target);
/* create.c, for a dry run: would a request carry this lead, if it carried no other? 1, 0 it is too large, -1 (memory). */
int upload_create_fits(const struct mapping *m, const struct target *target, const struct lead *lead, struct err *e);
/* Step before adding more. */
bool upload_full(const struct upload *u);
/* One bounded turn: commit what is due, submit, move bytes, settle. Waits at most timeout_ms. -1 ends the run: the state
 * failed, or the API is fatal (key, scope, unreachable); then call upload_stop() and upload_drain(). */
int upload_step(struct upload *u, int64_t timeout_ms, struct err *e);
/* Closes the open groups and steps until all is settled; then more may be added. A signal or the deadline turns into
 * upload_stop(). */
int upload_drain(struct upload *u, struct err *e);
/* No new work: what has not left is settled as deferred with `reason`, what is in flight ends, what would have to be
 * waited for stays open in the state and its rows count as deferred: outcome_open. */
void upload_stop(struct upload *u, enum reason reason);
/* After this moment (mono_us) upload_drain() stops by itself, as does upload_step(); 0: never. */
void upload_deadline(struct upload *u, int64_t mono_us);
uint64_t upload_open_n(const struct upload *u); /* batches not settled */
unsigned upload_ops(const struct upload *u);    /* what these do: a bit per enum op */
/* Was it stopped, for any reason? Then rows were left unsent. */
bool upload_stopped(const struct upload *u);
/* Background jobs in the order in which they became known; NULL past the last. Valid until the next step. */
const struct upload_job *upload_job(const struct upload *u, size_t i);
/* Is a move of this row still under way, left open by an earlier run? Then the row has to wait for it. */
bool upload_key_is_open(struct upload *u, const struct hash128 *key);

/* Settles what earlier runs left open, by reading back only; sends nothing that writes. Rows that are proven count as
 * `settled`; those that did not arrive go to the retry table. Steps until done. */
int upload_settle_open(struct upload *u, struct err *e);

/* rekey.c: true if the row of the entry's lead has another lead by now, with another address. Its key text is that row's. */
/* The row has another address now, so this lead no longer belongs to it, even if the new lead fails. 0/-1 */
int upload_rekey_leaves(struct state *s, const struct uuid *id, struct err *e);
/* Has a row of this run taken the lead over from another key? Then it is not removed for that key. 0/-1 */
int upload_rekey_is_taken(struct state *s, const struct uuid *id, bool *taken, struct err *e);
bool upload_rekey_is_old(struct state *s, const struct entry *entry);

#endif
