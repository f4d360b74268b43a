/* Edits by hand: leads are found, read and changed without a source, through the same client, upload, journal and job table as
 * a run of a sync.
 *
 *   lead_edit_open ─▶ lead_edit_find… (which leads) ─▶ the caller shows, asks ─▶ lead_edit_begin ─▶ a write ─▶ lead_edit_end
 *
 * The leads are found first and then named by id: no write has a filter, because a filter that the API does not know selects
 * every lead. Each write is a planned operation, or one with a struct one_shot, in an upload of its own, which proves and records
 * it (sync/upload). Blocks; a signal ends it after the requests in flight.
 *
 * Entries of these writes have no key, so the state's leads stay as they are: to the sync an edit by hand is an edit in Instantly.
 * Only a deletion is recorded with the key: one of lead_edit_find_run() as taken back, any other as a user's wish (deleted_there). */
#ifndef SYNC_LEADS_LEAD_EDIT_H
#define SYNC_LEADS_LEAD_EDIT_H

#include "sync/api/by_hand.h"
#include "sync/plan/target_names.h"
#include "sync/plan/targets.h"
#include "sync/report/tally.h"
#include "sync/upload/upload.h"
#include "sync/model/entry.h"
#include "sync/model/reason.h"

struct batch;
struct run_actor;
struct state;

struct lead_edit_config {
    const struct api_config *api; /* read_only: a dry run */
    struct clock *clock;
    const char *command;           /* its words, for the record: "leads interest"; NULL: not told */
    const struct run_actor *actor; /* who does it, see run.h; NULL: not known */
    const char *state_path;        /* where writes are journaled; made when it is missing. NULL: reads only */
    int64_t wait_lock_ms;
    int64_t settle_ms;   /* sum of the waits of a read-back; 7000 is 1 + 2 + 4 s */
    bool force;          /* people who unsubscribed, bounced or were skipped are written to as well */
    int64_t job_wait_ms; /* for a job of ours, and for others' that hold a place */
    bool no_wait;        /* a job of ours is started and not awaited */
    struct leads_move_options move;
};

/* A selected lead, and its outcome. Strings live in the edit's arena. */
struct edited_lead {
    struct uuid id;
    bool has_id;
    struct str email;
    struct target place; /* where it is; has_place false: in none */
    bool has_place;
    int status;         /* as the API has it; TARGET_STATUS_UNKNOWN when not told */
    bool contacted;     /* there is a conversation, see people.h */
    struct hash128 key; /* the sync's, of leads that are to be deleted; else zero */
    bool ours;          /* lead_edit_delete() found `key`: the sync learns that a user deleted the lead */
    struct str key_text;
    bool forgotten;                       /* `leadsync forget` removed this person from the state */
    bool kept;                            /* left out for the person's sake: unsubscribed, bounced, skipped or forgotten */
    bool missing;                         /* lead_edit_find_run(): no longer in Instantly: skipped, deleted_there */
    struct str known_email, known_hashes; /* lead_edit_find_run(): the lead's address, as the state knows it */
    bool known_absent;                    /* lead_edit_find_run(): removed or gone, as far as the state knows */
    enum outcome outcome;                 /* OUTCOME_NONE: not decided yet */
    enum reason reason;
    int http_status;
    struct str detail; /* the API's words */
    bool added;        /* to the upload, by lead_edit_interest() */
};

struct lead_edit {
    struct lead_edit_config c;
    struct api *api;
    struct state *state;   /* NULL until lead_edit_begin() or lead_edit_find_run() */
    struct upload *upload; /* of this run; NULL until lead_edit_begin() */
    struct mapping rules;  /* what the upload takes from a mapping */
    struct targets targets;
    struct tally uploaded;
    bool looks_up; /* its lookups have started */
    uint64_t run;  /* 0: nothing was written */
    int64_t started_ms;
    struct arena arena;
    struct edited_lead *leads; /* owned: who is meant */
    size_t leads_n, leads_cap;
    const struct target *adds_to;  /* where an addition puts the leads; NULL: there is none */
    const struct target *moves_to; /* where a move takes the leads; NULL: they stay where they are */
    size_t newly_absent;           /* lead_edit_find_run(): missing, which the state does not know yet */
    uint64_t unknown;              /* lead_edit_find_run(): created by that run, and no longer in the state */
    bool stopped;                  /* by a signal: what was not sent is deferred */
    const char *workspace;         /* its name, once the state is open; NULL: not known */
    struct target_names places;    /* names, from the states of this machine; filled when the first is wanted */
    bool has_places;
};

/* lead_edit_close() is due after a failure too. */
int lead_edit_open(struct lead_edit *edit, const struct lead_edit_config *config, struct err *e);
void lead_edit_close(struct lead_edit *edit);

/* ---- who is meant ---- */

struct lead_selector {
    struct leads_filter filter; /* contacts and ids may be more than one request takes */
    const struct uuid *excluded;
    size_t excluded_n;
    const int *statuses; /* only leads of these statuses; n 0: any */
    size_t statuses_n;
    int esp;        /* mail provider; -1: any */
    uint64_t limit; /* 0: all */
};
/* Gets each lead as the API has it: 0 go on, 1 enough, -1 error. */
typedef int lead_edit_see_fn(void *ctx, const struct remote_lead *lead, struct err *e);
/* Calls `see` for each selected lead, page by page. Each lead is compared with the selector again, as far as it shows, because the
 * API ignores filters that it does not know. XS_USAGE: a combination that the API cannot answer. */
int lead_edit_each(struct lead_edit *edit, const struct lead_selector *selector, lead_edit_see_fn *see, void *ctx,
                   struct err *e);
/* The same into edit->leads. */
int lead_edit_find(struct lead_edit *edit, const struct lead_selector *selector, struct err *e);
/* Adds one lead to edit->leads by id or address, with `in` only a lead of that target. XS_USAGE: several leads have the address;
 * the error names them. A lead that does not exist is added as failed: gone_there. */
int lead_edit_find_one(struct lead_edit *edit, struct str id_or_email, const struct target *in, struct err *e);
enum edit_run {
    EDIT_RUN_CREATED, /* what it created, to be taken back: leads with a conversation come as skipped: contacted */
    EDIT_RUN_WRITTEN, /* what it created or changed */
};
/* Adds the leads of this run to edit->leads. Each is read by its id, wherever it is and whatever the state says of it. Leads that no
 * longer exist are `missing`. EDIT_RUN_CREATED warns of what else the run changed. Reads the state, which is locked from here on.
 * XS_USAGE: no such run. */
int lead_edit_find_run(struct lead_edit *edit, uint64_t run, enum edit_run which, struct err *e);

/* ---- writes: each needs lead_edit_begin() before and works on edit->leads that have no outcome yet ---- */

/* Opens and locks the state, settles what earlier writes left open, and starts a record of this one. */
int lead_edit_begin(struct lead_edit *edit, struct err *e);
/* The leads could not be looked up, for the reason in `why`: on record, if there is a state and it can be written. */
void lead_edit_record_failure(struct lead_edit *edit, const struct err *why);
/* Merges, and writes the record. Due after lead_edit_begin(), whatever happened in between; `rc` and `e` say what. */
int lead_edit_end(struct lead_edit *edit, int rc, struct err *e);

struct lead_edit_addition {
    struct target target;
    enum dedupe_scope dedupe;
    const char *blocklist; /* UUID; NULL: the workspace's default */
    bool verify;
};
/* New leads of these values, all with the same custom variables. */
int lead_edit_add(struct lead_edit *edit, const struct lead_edit_addition *how, struct lead *leads, size_t n, struct err *e);
/* Sets what `wanted` has (its custom variables over those that are there). */
int lead_edit_patch(struct lead_edit *edit, struct lead *wanted, struct err *e);
/* `how` says all but the address. Proved by reading back. */
int lead_edit_interest(struct lead_edit *edit, const struct leads_interest *how, struct err *e);
int lead_edit_assign(struct lead_edit *edit, const struct uuid *users, size_t users_n, struct err *e);
int lead_edit_subsequence(struct lead_edit *edit, const struct uuid *subsequence, struct err *e);
/* edit->leads[0] into edit->leads[1]. */
int lead_edit_merge(struct lead_edit *edit, struct err *e);
int lead_edit_delete(struct lead_edit *edit, struct err *e);
/* All of edit->leads are in `from`; NULL: each is where its `place` says, and has one. Leads that must not go there (people.h)
 * are skipped. lead_edit_config.move says how. */
int lead_edit_move(struct lead_edit *edit, const struct target *from, const struct target *to, struct err *e);
/* Which of edit->leads must not be made active again: sets their outcome, so that a preview can tell. `to`: they are to be
 * moved there; NULL: they are to be made active in another way. Judges by the status in edit->leads and by the state, if one
 * exists; `force` ignores both. 0/-1 */
int lead_edit_keep_back(struct lead_edit *edit, const struct target *to, struct err *e);
/* How many were kept back because of the person's status; a lead without an address is not counted. */
size_t lead_edit_kept_n(const struct lead_edit *edit);

/* ---- what came of it ---- */

/* Asks Instantly for the name of a place that no state knows. Without an answer there is the id. true: it was asked. */
bool lead_edit_target_record(struct lead_edit *edit, const struct target *t);
/* Appends where a lead is, by name as far as one is known: see places.h. 0/-1 (memory) */
int lead_edit_place_show(struct lead_edit *edit, const struct target *t, struct buf *out);

/* Background jobs in the order in which they became known; NULL past the last. Valid until the next write. */
const struct upload_job *lead_edit_job(const struct lead_edit *edit, size_t i);
size_t lead_edit_count(const struct lead_edit *edit, enum outcome outcome);
/* XS_DONE or XS_LEFT_OVER. */
enum exit_status lead_edit_status(const struct lead_edit *edit);

#endif
