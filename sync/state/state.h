/* The state: what leadsync remembers of a sync. One SQLite file, the only checkpoint.
 *
 * While a run goes on, intents and outcomes are appended to a journal (a second SQLite file beside it, NAME.db.journal,
 * gone when nothing is open); state_merge() folds the proven outcomes into the lead table in key order, once a run.
 * Knows entries and packed leads, not what they mean to the API, and nothing of sources. docs/STATE.md is the format.
 *
 * Whatever writes needs STATE_WRITE and state_lock() before it, else XS_INTERNAL; errors of any call: XS_STATE (the
 * file is not usable), XS_IO (disk full or broken), XS_LOCKED (another program is in the way). After an error nothing
 * of the last group is committed; close and open again. Every call may block for the disk.
 *
 * Durability: nothing given to this room is durable before state_commit() returns. All writes go through it in group
 * commits; a crash loses at most what was not committed, never a part of a batch. */
#ifndef SYNC_STATE_STATE_H
#define SYNC_STATE_STATE_H

#include "sync/base/arena.h"
#include "sync/base/clock.h"
#include "sync/base/err.h"
#include "sync/base/hash.h"
#include "sync/model/entry.h"
#include "sync/model/lead.h"
#include "sync/model/row.h"
#include "sync/model/target.h"
#include "sync/state/settings.h"

#include <stdbool.h>
#include <stdint.h>

struct state;

/* ---- opening ---- */
enum state_access {
    STATE_READ,  /* mode=ro, no lock, nothing written, a missing file is STATE_MISSING */
    STATE_WRITE, /* created when missing, migrated when older, locked by state_lock() */
};
struct state_claim;
struct state_options {
    const char *path;
    enum state_access access;
    const char *sync;          /* name; NULL: whatever the file holds */
    const char *api_host;      /* remembered; another one is XS_CONFIG; every loopback port is "loopback" */
    bool values_hashed;        /* false without `sync`: as the file has it */
    bool journal_lost;         /* a missing journal is lost: the state is opened and locked without it */
    struct state_claim *claim; /* borrowed until state_lock(), which takes its lock over; NULL: none */
    size_t memory_max;         /* bytes for caches, the index and sorting */
    struct clock *clock;
};
/* 0 · 1 when access is STATE_READ and there is no file (out is NULL) · -1: XS_STATE (not one of ours, corrupt, newer),
 * XS_IO, XS_CONFIG (another host or sync name inside). The path is resolved: symbolic links are followed, and a file with
 * several hard links is XS_STATE, as is one whose journal is missing (a state that was moved without it). */
int state_open(const struct state_options *options, struct state **out, struct err *e);
void state_close(struct state *s); /* NULL is fine; what was not committed is lost */

/* The kernel lock of this sync, freed by death. XS_LOCKED names pid, host and since when. Waits up to `wait_ms`. */
int state_lock(struct state *s, int64_t wait_ms, struct err *e);

/* Takes the lock of a state that is still to be made, so that of two first runs one knows of the other before either asks
 * the API anything. Makes the folder and the lock's file only. Errors as of state_lock(). */
int state_claim(const char *path, struct clock *clock, int64_t wait_ms, struct state_claim **out, struct err *e);
/* After state_close(). NULL is fine. A lock that no state took over is freed, and what was made for it removed. */
void state_claim_free(struct state_claim *c);

/* Opened by `journal_lost` and locked: did its journal turn out to be missing? */
bool state_journal_is_lost(const struct state *s);
/* Forgets the journal that is lost; with the next state_commit(). */
int state_journal_give_up(struct state *s, struct err *e);

/* For a reader: XS_LOCKED, as above, when a run holds the lock now; else 0. Never blocks. */
int state_check_lock(const struct state *s, struct err *e);
/* For a reader: who holds it now, as "pid 7 on host, since 2026-…"; NULL if no process does. Caller frees. */
char *state_lock_holder(const struct state *s);

/* $XDG_STATE_HOME/leadsync, or ~/.local/state/leadsync; there or not. Caller frees. NULL with XS_STATE: neither is set. */
char *state_folder(struct err *e);
/* $XDG_STATE_HOME/leadsync/NAME.db (or ~/.local/state/…; NAME.sandbox.db on loopback); if there is no such file, the state whose
 * name is NAME in a mapping (state_name_is()). Caller frees. */
char *state_default_path(const char *sync, bool sandbox, struct err *e);
/* Is this the sync's name? A CSV without a mapping may have a name that no mapping can have, and a mapping goes on with it:
 * "People-1a2b3c4d" is people-1a2b3c4d (text_slug()). */
bool state_name_is(const char *stored, const char *sync);
/* The file that `path` names, which exists: absolute, symbolic links followed. XS_STATE when it has more than one hard link,
 * because a lock and a journal stand beside each name. Caller frees, also after an error. */
int state_path_resolve(const char *path, char **out, struct err *e);
/* What a state's name is followed by in the names of its files, "" among them; NULL-terminated. */
extern const char *const state_suffixes[];
/* Does a file of this path belong to a state: one that is there, known by its first bytes, or one of the default folder,
 * known by its name? */
bool state_owns_path(const char *path);
/* Is it a sandbox's by its name? Rehearsals and real ones do not stand in for each other. */
bool state_path_is_sandbox(const char *path);
/* Fails with XS_STATE for a missing state, and names the state of the other kind if that exists. -1. */
int state_missing(const char *path, struct err *e);
/* The states in the default folder, newest run first; caller frees each and the array. */
int state_find_all(char ***paths, size_t *n, struct err *e);

/* ---- small facts ---- */
const unsigned char *state_secret(const struct state *s); /* HASH_SECRET_N bytes, made once with the state */
const char *state_sync(const struct state *s);
const char *state_host(const struct state *s); /* as state_host_name() spells it; NULL: not known yet */
/* "loopback" for every loopback address, else the host as given, lower case. Caller frees. */
char *state_host_name(const char *host, struct err *e);
/* Free-form settings of the sync: "workspace", "watermark", "digest", …; NULL when unset. Borrowed until next get. */
int state_get(struct state *s, const char *name, const char **value, struct err *e);
int state_set(struct state *s, const char *name, const char *value, struct err *e); /* NULL removes */
/* The names of those with a life of their own are in settings.h. */

/* What a PATCH does to the custom variables that it does not name, as an answer showed it last (update_unread.c). */
struct patch_effect {
    enum patch_variables { PATCH_UNKNOWN, PATCH_MERGES, PATCH_REPLACES } variables;
    int64_t seen_ms; /* wall clock; 0: never */
};
/* Kept as a setting. One that cannot be read counts as unknown. 0/-1 */
int state_patch_effect(struct state *s, struct patch_effect *out, struct err *e);
int state_patch_effect_set(struct state *s, const struct patch_effect *effect, struct err *e);
/* "merges custom variables (seen 2026-11-30T02:00:00Z)", "may merge or replace custom variables (not seen yet)". */
enum { PATCH_EFFECT_TEXT_N = 96 };
const char *state_patch_effect_text(const struct patch_effect *effect, char out[PATCH_EFFECT_TEXT_N]);

/* Targets are small numbers inside the state. `put` refuses (XS_CONFIG) a name that used to mean another id unless
 * `accept`; a state open for reading notes neither. */
int state_target_put(struct state *s, const struct target *t, bool accept, uint32_t *number, struct err *e);
/* Notes how a target is called, for people only: what the name means to the sync stays as it is. Durable with the next
 * commit. */
int state_target_called(struct state *s, const struct target *t, struct err *e);
/* 1/0/-1 */
int state_target_get(struct state *s, uint32_t number, struct arena *arena, struct target *out, struct err *e);
/* The number of this list of custom-variable names; with STATE_READ an unknown list gets number 0. */
int state_shape_put(struct state *s, const struct str *names, size_t n, uint32_t *id, struct err *e);
/* 1/0/-1 */
int state_shape_get(struct state *s, uint32_t id, struct arena *arena, struct lead_shape *out, struct err *e);

/* ---- what is remembered of a lead ---- */
enum remembered_kind {
    REMEMBERED_NOTHING,
    REMEMBERED_SAME,      /* a lead of ours with this fingerprint: nothing to do */
    REMEMBERED_OTHER,     /* a lead of ours, but another fingerprint, or one that was removed, is gone there, or whose last
                       * operation failed: state_lead_get() has more */
    REMEMBERED_REFUSED,   /* refused before with this fingerprint and context: count `reason` again, send nothing */
    REMEMBERED_OPEN,      /* in a batch that is not settled (only seen with STATE_READ) */
    REMEMBERED_RETRY,     /* in the retry table with this fingerprint (only seen with STATE_READ, after a crash) */
    REMEMBERED_SEEN,      /* this key was looked up in this run before: a duplicate in the source */
    REMEMBERED_FORGOTTEN, /* state_forget() removed it: never add it again */
};
struct remembered {
    enum remembered_kind kind;
    enum reason reason;
    uint64_t first_row; /* REMEMBERED_SEEN: the row it was first seen in, where known */
    bool waits;         /* an older form of the row waits in the retry table: an entry of this run takes its place */
};
struct lookup_options {
    uint64_t refusal_context;  /* dedupe, block list and target: refusals under another context do not count */
    int64_t refusals_since_ms; /* older refusals do not count */
    bool ignore_refusals;      /* --full */
    uint64_t rows_hint;        /* expected rows of the source, 0: not known; decides between index and lookups */
};
/* Prepares lookups: loads the in-memory index (16 B slots) when it pays and fits memory_max, else keeps prepared point
 * lookups. With STATE_READ the settled part of an unmerged journal is overlaid. */
int state_lookup_start(struct state *s, const struct lookup_options *options, struct err *e);
/* A hint: state_lookup() of this key comes soon. Costs nothing, says nothing. */
void state_lookup_soon(const struct state *s, const struct hash128 *key);
/* Looks up one row's key and marks it seen. `row` is remembered for messages about duplicates. Hot path: no allocation
 * but the growth of the seen set, which past memory_max moves to an unlinked temporary file. 0/-1. */
int state_lookup(struct state *s, const struct hash128 *key, uint64_t fingerprint, uint64_t row, struct remembered *out,
                 struct err *e);
/* Without marking: was the key refused for this reason, with this fingerprint? 0/-1 */
int state_was_refused(struct state *s, const struct hash128 *key, uint64_t fingerprint, enum reason reason, bool *was,
                      struct err *e);
/* A row with this key was read that makes no lead (rejected, skipped). It does not compete with other rows for the key,
 * but the lead is not unseen, and the row replaces an older one in the retry table. `mark` (1 … 2^40-1) comes
 * back from state_unseen_next(); the first one of a key counts. */
int state_mark_protected(struct state *s, const struct hash128 *key, uint64_t mark, struct err *e);
/* A row was read by which a person opts out. It wins over every other row of this key, before it or after it: the lead
 * comes from state_unseen_next() with this mark (1 … 2^40-1) and STATE_OPTED_OUT, seen or not; the first mark of a key
 * counts. A key may also be any other hash that stands for the person. */
int state_opt_out(struct state *s, const struct hash128 *key, uint64_t mark, struct err *e);
/* 1 with the mark, 0, -1 */
int state_opted_out(struct state *s, const struct hash128 *key, uint64_t *mark, struct err *e);
bool state_any_opted_out(const struct state *s);
#define STATE_OPTED_OUT (UINT64_C(1) << 62)
/* Without marking: was a row with this key read in this run, spared ones too? */
int state_seen(struct state *s, const struct hash128 *key, bool *seen, struct err *e);
uint64_t state_leads_n(struct state *s); /* leads known, gone ones too, before this run's merge */
/* Of those, the ones that are neither removed nor gone there. Kept by the merge; only a state that an older leadsync wrote
 * is counted, once. 0/-1 */
int state_leads_there(struct state *s, uint64_t *n, struct err *e);

struct known_lead {
    uint64_t fingerprint; /* 0: to be looked at, whatever the row says (removed, gone, an operation failed) */
    struct uuid lead_id;
    bool has_lead_id;
    bool unsettled;      /* state_unseen_next(): it is in an open batch */
    uint32_t target;     /* number */
    int status;          /* -1, -2, -3 when a skipped entry proved it; else TARGET_STATUS_UNKNOWN */
    uint32_t flags;      /* KNOWN_* */
    struct str key_text; /* in the arena; empty with values: hashed */
    struct str values;   /* packed lead of the last proven write; empty when none, or with values: hashed */
    struct str hashes;   /* with values: hashed, what state_value_unchanged() compares with; else empty */
};
enum {
    KNOWN_CREATED = 1, /* by this sync, else matched */
    KNOWN_REMOVED = 2, /* by this sync */
    KNOWN_DELETED_THERE = 4,
    KNOWN_AWAY = 16,   /* removed by moving it: it is in `target`, and can be moved back */
    KNOWN_STAYS = 32,  /* was to be removed by moving it, and where it should go another lead has its address */
    KNOWN_UNSURE = 64, /* a change or removal was sent whose outcome was not found out: what Instantly has is to be looked
                        * at, whatever is remembered. In two runs, because it may still be carried out during the first */
};
/* 1/0/-1 */
int state_lead_get(struct state *s, const struct hash128 *key, struct arena *arena, struct known_lead *out, struct err *e);
/* What is known of the person with this address, whatever key the person has or had: -1, -2, -3, as a merge recorded it
 * with an entry that found it; else TARGET_STATUS_UNKNOWN. Spellings that differ by more than the case of letters are
 * the caller's to normalise. Costs nothing while no person's status is known. 0/-1 */
int state_person_status(struct state *s, struct str address, int *status, struct err *e);
/* The key of a lead of that person that is there, under whatever key it is known, when its status is: 1/0/-1. Reads all leads of
 * a known status. */
int state_person_lead(struct state *s, struct str address, struct hash128 *key, struct err *e);
/* The key that has the lead with this Instantly id: 1/0/-1. The first call after the opening or a merge may read all
 * leads. What the journal has and no merge has taken is not known. */
int state_id_owner(struct state *s, const struct uuid *id, struct hash128 *key, struct err *e);
/* With values: hashed, was this the lead's address, in whatever spelling? */
bool state_address_unchanged(const struct state *s, struct str hashes, struct str email);
/* The hash that an address, in whatever spelling, has among those of its lead; 0 without memory. And the i-th of those; false:
 * no further one. */
uint64_t state_address_hash(const struct state *s, struct str email);
bool state_hash_at(struct str hashes, size_t i, uint64_t *hash);
/* With values: hashed, has this field the value (and kind) that was last written? `field` is the API's name, or the
 * custom variable's. */
bool state_value_unchanged(const struct state *s, struct str hashes, const char *field, bool custom, const struct value *v);
/* Leads that no row of this run wants, in key order: 1/0/-1. Neither those that were removed or are gone there, nor those
 * in an open batch; but a state that is open for reading does not settle those first, and returns them
 * too. `mark` gets 0 if no row had the key, else that of state_mark_protected() or state_opt_out(); with `marked` only the latter are
 * returned. Looks at the lookups of this run: state_lookup_start() before. */
struct unseen;
int state_unseen_open(struct state *s, bool marked, struct unseen **out, struct err *e);
int state_unseen_next(struct unseen *u, struct hash128 *key, struct arena *arena, struct known_lead *out, uint64_t *mark,
                      struct err *e);
/* Leads passed so far that are neither removed nor gone, whether a row wanted them or not. */
uint64_t state_unseen_live(const struct unseen *u);
void state_unseen_close(struct unseen *u);

/* ---- runs ---- */
struct run_record {
    uint64_t id;
    int64_t started_ms, finished_ms; /* 0: still open, or it died */
    const char *status;              /* running complete partial interrupted (or killed) failed */
    const char *read;                /* full incremental partial; NULL (read back: ""): no source was read */
    const char *report;              /* the run's report as JSON; NULL while running, and when it is damaged */
    int exit_code;
    uint64_t mapping;  /* digest of the mapping that it began with; 0: it had none, or it is not known */
    const char *begun; /* JSON: who began the run and how (run_report_begun()); NULL: not known */
};
/* Sets id to the next number, which is at least the id that is given. Durable, with all before it. */
int state_run_start(struct state *s, struct run_record *run, struct err *e);
int state_run_finish(struct state *s, const struct run_record *run, struct err *e);
/* A number that is greater after each run and each change by hand, except a run that ended with an error and changed nothing (a
 * guard stopped it, its source was away). It never comes again, also not when an older copy
 * of the state is restored, as long as the clock goes forward. 0: no run has written the state. */
int state_serial(struct state *s, uint64_t *serial, struct err *e);
/* id 0: the latest. 1/0/-1 */
int state_run_get(struct state *s, uint64_t id, struct arena *arena, struct run_record *out, struct err *e);
/* Newest first. */
int state_runs(struct state *s, size_t limit, struct arena *arena, struct run_record **out, size_t *n, struct err *e);

/* ---- batches and entries ---- */
enum batch_state {
    BATCH_PLANNED,  /* intent durable, nothing sent */
    BATCH_SENT,     /* may have left */
    BATCH_UNKNOWN,  /* sent, no usable answer */
    BATCH_RETRY,    /* surely not applied, will be sent again */
    BATCH_ACCEPTED, /* a job id is known (moves) */
    BATCH_DONE,     /* every entry has an outcome */
};
struct batch {
    uint64_t id; /* grows; set by state_batch_add */
    uint64_t run;
    enum op op;
    enum batch_state state;
    uint32_t target; /* where to */
    uint32_t source; /* moves and removals: where from; else 0 */
    int64_t sent_ms; /* wall clock just before the request left; 0: not yet */
    int64_t skew_ms; /* server's Date minus ours when last seen */
    int http_status;
    char body_sha256[SHA256_HEX_N]; /* of the request body, "" for none */
    const char *job;                /* background job id, or NULL */
    struct entry *entries;
    size_t entries_n;
};
/* Appends the intent: the batch and its entries. Not durable until state_commit(). Copies everything. */
int state_batch_add(struct state *s, struct batch *b, struct err *e);
/* Changes state, sent_ms, http_status, job of an open batch. */
int state_batch_update(struct state *s, const struct batch *b, struct err *e);
/* Gives every entry its outcome and the batch BATCH_DONE. `entries` as in the intent, same order. */
int state_batch_settle(struct state *s, const struct batch *b, struct err *e);
/* An entry that never was in a batch: decided by mapping, plan or a stop. Deferred and failed ones carry `values` and
 * go to the retry table at the merge. Packed a thousand at a time. */
int state_entry_add(struct state *s, uint64_t run, uint32_t target, const struct entry *entry, struct err *e);
/* Header of the source, kept with the run for `rejects`. */
int state_header_put(struct state *s, uint64_t run, struct str packed_header, char delimiter, struct err *e);

/* Makes everything so far durable: the journal first, then settings and records, so that a setting (a watermark) is
 * never durable before the outcomes that it speaks of. */
int state_commit(struct state *s, struct err *e);
/* Drops what was not committed of settings and records. Before the first batch only. */
void state_rollback(struct state *s);
/* Events since the last commit, and the age of the oldest in microseconds: who drives decides when to commit. */
size_t state_pending(const struct state *s, int64_t *age_us);

/* Open batches (state below BATCH_DONE) of earlier runs or this one, oldest first; all in the arena. */
int state_batches_open(struct state *s, struct arena *arena, struct batch **out, size_t *n, struct err *e);

/* Rows of batches that are settled in the journal and not merged yet: their outcome is certain, and the lead table lacks it. */
int state_unmerged_rows(struct state *s, uint64_t *rows, struct err *e);

/* Commits, then folds every settled batch and entry of the journal into leads, refusals, retry table and results,
 * idempotently, in one transaction: a crash in the middle leaves all or nothing. Created, changed and linked (unchanged
 * with an id) entries become known leads; skipped and rejected ones refusals (under `refusal_context`) when op is not
 * OP_NONE; failed and deferred ones with values go to the retry table, with one attempt more after a failure that is of the
 * row itself; whatever settles leaves the retry table. A lead that an entry finds unsubscribed, bounced, skipped, deleted or gone is marked so. A failed or deferred
 * entry takes the fingerprint from a lead that has it, so that the row is looked at again. Entries whose key is all
 * zeroes have no key and are only listed. Ends the run's lookups: state_lookup_start() again after it. */
int state_merge(struct state *s, uint64_t refusal_context, struct err *e);
/* Drops results of runs older than the newest `keep_runs`, raw rows of runs older than the newest 3; only runs that read
 * a source are counted. */
int state_prune(struct state *s, unsigned keep_runs, struct err *e);

/* The retry table, in row order, as entries of op OP_NONE with values, attempts, target and the digest of the mapping that
 * made them (0: not known): 1/0/-1. */
struct retries;
int state_retries_open(struct state *s, struct retries **out, struct err *e);
int state_retries_next(struct retries *r, struct arena *arena, struct entry *out, uint32_t *target, uint64_t *mapping,
                       struct err *e);
void state_retries_close(struct retries *r);
uint64_t state_retries_n(struct state *s);
/* Adds up why they wait, by the results of the runs that left them. A row whose run is pruned is not counted. *newest is the
 * newest of these runs; 0: none waits. 0/-1 */
int state_retries_reasons(struct state *s, uint64_t reasons[REASON_N], uint64_t *newest, struct err *e);
/* How many of them another mapping than this one made. 0/-1 */
int state_retries_of_others(struct state *s, uint64_t mapping, uint64_t *n, struct err *e);
/* Drops those; *n is their number. After a merge. 0/-1 */
int state_retries_drop_others(struct state *s, uint64_t mapping, uint64_t *n, struct err *e);

/* Results of a run in row order, removals (row 0) last, from merged and unmerged parts alike: 1/0/-1. An entry has key,
 * key text, row, line, retried, outcome, reason, HTTP status, lead id, detail and cells. With values: hashed there is
 * no text and there are no cells; of a forgotten person there is no key. A row that was in two batches of the run (created
 * in one, moved in the next) comes once, as the later one left it. */
struct results;
int state_results_open(struct state *s, uint64_t run, struct results **out, struct err *e);
/* The same, with the rows of batches that are still open: deferred as job_open or outcome_open, as the run's report counts
 * them. */
int state_results_open_all(struct state *s, uint64_t run, struct results **out, struct err *e);
int state_results_next(struct results *r, struct arena *arena, struct entry *out, enum op *op, uint32_t *target,
                       struct err *e);
void state_results_close(struct results *r);
int state_header_get(struct state *s, uint64_t run, struct arena *arena, struct str *packed_header, char *delimiter,
                     struct err *e); /* 1/0/-1 */

/* How many rows the requests of a run carried, by when each request left: counts[i] are those of step i after `from_ms`; what
 * left before or after is in the first or last. Of settled batches and those in the journal. */
int state_run_sent(struct state *s, uint64_t run, int64_t from_ms, int64_t step_ms, uint64_t *counts, size_t n,
                   struct err *e);

/* ---- batches by job ---- */
/* The first batch above `after` that this background job carried, settled or not: 1/0/-1. */
int state_batch_find(struct state *s, const char *job, uint64_t after, uint64_t *id, struct err *e);
/* A batch by id: its head (without entries) in the arena, and its entries as results, OUTCOME_NONE while it is open:
 * 1/0/-1. Close with state_results_close() at 1. */
int state_batch_results_open(struct state *s, uint64_t id, struct arena *arena, struct batch *head, struct results **out,
                             struct err *e);

/* ---- background jobs ---- */
struct job_record {
    const char *id;            /* the API's */
    const char *type, *status; /* as the API has them */
    int progress;              /* percent */
    const char *filters;       /* JSON, or NULL */
    uint64_t total, success, failed;
    const char *from, *to; /* "campaign:UUID"; NULL: none */
    uint64_t run;
    int64_t created_ms, updated_ms;
};
int state_job_put(struct state *s, const struct job_record *job, struct err *e); /* replaces the one of that id */
/* 1/0/-1 */
int state_job_get(struct state *s, const char *id, struct arena *arena, struct job_record *out, struct err *e);
/* Newest first. */
int state_jobs(struct state *s, struct arena *arena, struct job_record **out, size_t *n, struct err *e);

/* ---- what pull has written ---- */
/* `destination` is a hash of the file or table, `digest` one of the whole record, both under state_secret(). Was this record the
 * latest that was written of the lead? 0/-1 */
int state_pulled_is(struct state *s, uint64_t destination, const struct uuid *lead, uint64_t digest, bool *is,
                    struct err *e);
/* Notes it; durable with the next commit. */
int state_pulled_put(struct state *s, uint64_t destination, const struct uuid *lead, uint64_t digest, struct err *e);
/* Forgets what was written of the lead, in every destination. */
int state_pulled_forget(struct state *s, const struct uuid *lead, struct err *e);

/* ---- one person ---- */
/* A person by the address: as mapping_email_key() spells it, and with its domain beyond ASCII, as raw cells may have it;
 * empty: there is no such spelling. */
struct person_name {
    struct str address, unicode;
};
/* One thing that is known of a person. What its kind does not have is NULL or 0. */
enum person_record_kind {
    PERSON_LEAD,       /* known, values */
    PERSON_STATUS,     /* status: of the address, by whatever key */
    PERSON_REFUSAL,    /* reason, at_ms */
    PERSON_RETRY,      /* entry, target, values */
    PERSON_OPEN_BATCH, /* batch, entry, values */
    PERSON_RESULT,     /* run, entry, op, target */
    PERSON_JOB,        /* job */
    PERSON_RECORD_N
};
struct person_record {
    enum person_record_kind kind;
    const struct known_lead *known;
    const struct lead *values; /* NULL: not kept, or as hashes */
    const struct entry *entry;
    const struct batch *batch;
    const struct run_record *run;
    const struct job_record *job;
    enum op op;
    uint32_t target; /* number */
    enum reason reason;
    int64_t at_ms;
    int status; /* -1 bounced, -2 unsubscribed, -3 skipped */
};
/* Valid during the call. 0/-1 */
typedef int person_visit_fn(void *ctx, const struct person_record *record, struct err *e);
/* Reads every table, also what only the journal has; the first call that fails ends it. Another person's raw row that has
 * this address as a part of its own is no record of this person. */
int state_person_visit(struct state *s, const struct person_name *name, person_visit_fn *visit, void *ctx, struct err *e);
/* Counts them: leads, and everything else. */
struct forgotten {
    uint64_t leads, others;
};
int state_person_count(struct state *s, const struct person_name *name, struct forgotten *counts, struct err *e);

/* ---- forgetting ---- */
/* Removes each person with this address from every table, whatever the sync's key is, and leaves their keys and that of the
 * address so that state_lookup() says REMEMBERED_FORGOTTEN. Durable at return, and the file is rewritten, so that
 * nothing is left in free pages (XS_LOCKED: a reader was in the way of the last part; calling again does it). Refused
 * (XS_STATE) while a batch is open or the journal is not merged. */
/* `counts`: what was known of the person, as state_person_count() counts it. */
int state_forget(struct state *s, const struct person_name *name, struct forgotten *counts, struct err *e);
/* Takes the address, and the keys that were forgotten with it, off the state's own table; *keys is how many. Nothing of
 * what was removed comes back. Durable at return. */
int state_unforget(struct state *s, struct str address, uint64_t *keys, struct err *e);
/* Was this row key forgotten in this state? Cheap when none was. */
int state_forgotten(struct state *s, const struct hash128 *key, bool *forgotten, struct err *e);

/* The lists of the workspace (forget_list.h) are in the folder of states, and in the state's own folder if that is another
 * one. Caller frees the folders. `state_path` may be NULL; XS_STATE: then there is no folder at all. */
enum { STATE_LISTS_MAX = 2 };
int state_list_folders(const char *state_path, char *folders[STATE_LISTS_MAX], size_t *n, struct err *e);
/* Reads the lists that this state obeys; call it with the lock, so that a later `forget` waits for this run. `beside`: a
 * path to use in place of the state's own; `workspace`: its id, if the state does not have it yet. NULL: as in the
 * state. XS_STATE: a list is damaged, and a run must not go on. */
int state_lists_open(struct state *s, const char *beside, const char *workspace, struct err *e);
/* Is anybody forgotten, here or in a list? */
int state_forgets(struct state *s, bool *any, struct err *e);
/* Was the person with this address (as mapping_email_key() spells it) forgotten, in this state or in a list that it
 * obeys? Opens the lists when they are not open; looks again, once per second at most, whether they have changed. */
int state_forgotten_address(struct state *s, struct str address, bool *forgotten, struct err *e);
/* Since when, by the lists that were read last; 0: only the state knows of it, which keeps no date. */
int64_t state_forgotten_at_ms(const struct state *s, struct str address);
/* Who did it, as "user@host"; NULL: not known. Borrowed until the list is read again. */
const char *state_forgotten_by(const struct state *s, struct str address);

/* Checks the invariants (docs/STATE.md): SQLite's integrity, every batch's entries against its state, ids unique, no
 * key both lead and refusal, report sums. Appends one line per violation to `out`; 0 even then, -1 when it cannot look.
 */
int state_audit(struct state *s, struct buf *out, size_t *violations, struct err *e);

#endif
