/* What the files of the pipeline share.
 *
 * run.c has the entry points and the loop over the source; run_open.c prepares a run. rows/ takes one row from the source to
 * a decision. phases/ holds back what has to wait, judges the guards, and sends creates, updates, moves and removals in that
 * order. run_left.c and run_fill.c finish the run: what the next run has to do, and the report. */
#ifndef SYNC_PIPELINE_RUN_INT_H
#define SYNC_PIPELINE_RUN_INT_H

#include "connectors/source.h"
#include "sync/pipeline/odd_cells.h"
#include "sync/pipeline/run.h"
#include "sync/pipeline/run_compare.h"
#include "sync/pipeline/run_dry.h"
#include "sync/pipeline/run_pulse.h"
#include "sync/plan/plan.h"
#include "sync/planfile/plan_file.h"
#include "sync/report/diff.h"
#include "sync/upload/upload.h"

/* How a run finds and locks its state before it knows the name of the sync. Used by run_open.c and run_state.c. */
struct run_opening {
    struct state_claim *claim;       /* The lock of a state that does not exist yet. NULL: no such lock is held. */
    struct state_claim *words_claim; /* The same for a CSV without a mapping, by its target's name. Held to the end. */
    bool named;                      /* The sync has its name. A CSV without a mapping needs the target's id for it. */
    char *scratch_state;             /* The folder of the empty state of a dry run without a state. Removed at the end. */
};

/* What is read, and how far. Used by run.c, run_open.c and rows/. */
struct run_read {
    const char *kind;                   /* "full", "incremental" or "partial". NULL: resume, which reads no source. */
    bool ended;                         /* The source was read to its end without an error. */
    bool whole;                         /* A full read has ended, and each of its rows is settled or remembered. */
    bool check_first;                   /* The journal is lost, so leads may exist that the state does not know. */
    uint64_t last_full_rows;            /* Rows of the last complete full read. 0: there was none. */
    uint64_t emptied;                   /* Values that on_error: empty has dropped. */
    char *emptied_first;                /* A description of the first of them, in run_arena. */
    struct odd_cells odd_cells;         /* Numbers that a spreadsheet has cut, and mangled letters. */
    struct conflicting_rows *conflicts; /* Owned by conflicting_rows.c. NULL: it is not needed. */
};

/* What differs between this mapping and the one of the last run. */
struct run_change {
    bool target;           /* `target:` names another campaign or list. */
    bool key;              /* `key:` names other columns than in the last complete run. */
    bool meets_other_keys; /* The state may know a row's lead under another key. */
};

/* Buffers for the row at hand. One row is at work at a time; each buffer is valid until its writer is called again.
 * entry->values points into `values` (row_plan.c), entry->cells and entry->cells_by_values into `cells` (row_cells.c). A
 * spool copies what it is given, so no entry that waits points here. */
struct row_scratch {
    const struct row *row; /* The row as it was read. NULL: it comes from a spool or the retry table. */
    struct hash128 key;    /* Its key, by which the state looks it up. */
    struct buf values;     /* Its packed lead. */
    struct buf cells;      /* Its packed cells. */
    struct buf text;       /* Scratch inside one function; no pointer into it is returned. */
    bool *custom_changed;  /* A flag per custom variable: an update writes it. */
};

/* Planned rows that wait, by what they wait for. NULL: nothing waits for that. */
struct run_spools {
    struct spool *guard;    /* For the verdict of the guards (guard_spool.c). NULL once the rows are released. */
    struct spool *dedupe;   /* duplicates: last or reject: for the end of the source (dedupe_spool.c). */
    struct spool *opt_out;  /* skip_when: for the end of the source, which shows who opts out (opt_out_spool.c). */
    struct spool *moves;    /* Moves wait for creates and updates (phases.c). */
    struct spool *removals; /* Removals wait for moves (phases.c). */
    struct spool *active;   /* Leads of skipped rows, which may still be mailed (active_check.c). */
    uint64_t hold_rows;     /* Rows to read before the guard spool is released. UINT64_MAX: all. */
    bool releasing;         /* The guards have let the rows pass, and they are on their way to the upload. */
};

/* What the guards count and report (guard.c). */
struct run_guards {
    struct buf tripped;     /* The messages of the guards that stop the run. */
    struct buf warnings;    /* A dry run: the messages of the guards that would stop a sync, one per line. */
    uint64_t known_there;   /* Leads that the state knows and that are in Instantly, before the first row. */
    uint64_t known_seen;    /* Those of them whose row was decided. */
    uint64_t updates;       /* Those of them that an update would change. */
    uint64_t promotions;    /* Moves out of the stage's list. The guard `moved` does not count them. */
    uint64_t returning;     /* Moves of leads that were moved away and whose row is back. */
    uint64_t judged_rows;   /* Rows read when the guard `rejected` was last judged. */
    bool rejected_reported; /* The guard `rejected` has reported that it is exceeded. */
};

/* What the next run has to know (run_left.c). */
struct run_left {
    bool hands_over;      /* Leads were left to rows that take them over, which may not have happened yet. */
    bool owners_unread;   /* Rows wait for leads whose own rows only a full read brings. */
    uint64_t others;      /* Retry rows that another mapping made. */
    uint64_t others_read; /* Those of them that this read has brought again. */
};

/* --new-rejects-only: what the last run rejected. */
struct run_old_rejects {
    uint64_t *hashes; /* Sorted; see row_plan_reject_hash(). */
    size_t n;
};

/* The record of a saved plan that is decided again (run_apply.c). */
struct run_apply {
    bool goes_on;                             /* An earlier run has applied a part of the plan, so rows may be unchanged. */
    bool planning;                            /* A row of these records is on its way to its decision. */
    const struct plan_record *first, *second; /* second: the move of the same row, or NULL. */
};

struct run {
    const struct run_config *c;
    struct mapping *m;
    struct run_report *report;
    struct tally *tally; /* That of the report. */
    struct diff *diff;   /* Takes the changes of a dry run. NULL: a real run. */
    struct api *api;     /* NULL: a dry run without an API key. */
    struct state *state;
    struct source *source;
    struct upload *upload; /* NULL in a dry run. */
    struct targets targets;
    struct target_names *target_names;     /* For lead_location_show(). NULL until it is first called. */
    struct refused_before *refused_before; /* Owned by refused_before.c. NULL until the first row that was refused before. */
    struct plan_rules rules;
    struct run_record record;
    struct workspace workspace;
    uint64_t refusal_context; /* A refusal is remembered only while mode, dedupe and block list stay the same. */
    int64_t started_us, deadline_us;
    struct arena row_arena;   /* Reset for each row. */
    struct arena known_arena; /* Reset before each look into the state. */
    struct arena run_arena;   /* Kept until the end of the run. */

    struct run_opening opening;
    struct run_read read;
    struct run_change change;
    struct row_scratch scratch;
    struct run_spools spools;
    struct run_guards guards;
    struct missing_rows *missing; /* Owned by missing.c. NULL before missing_start(). */
    struct run_left left;
    struct run_old_rejects old_rejects;
    struct run_dry dry;
    struct run_pulse pulse;
    struct run_compare compare;
    struct run_apply apply;
};

/* True if only a part of the source is read (--input or --limit, or a saved plan). Such a read says nothing about the other rows. */
static inline bool run_is_partial(const struct run *r)
{
    return r->c->partial_input || r->c->limit_rows > 0 || r->c->plan != NULL;
}

/* ---- run.c ---- */
void run_report_start(struct run_report *report, const struct run_config *c);
/* Plans all rows of a dry run, and judges the guards. 0/-1 */
int run_plan_rows(struct run *r, struct err *e);

/* True after a signal, or after --max-seconds. */
bool run_must_stop(const struct run *r);
/* The workspace as the state or the command line names it, without a request; NULL: neither does. 0/-1 */
int run_workspace_text(struct run *r, const char **out, struct err *e);

/* ---- run_apply.c ---- */
/* Opens the plan's columns as a source without rows. */
int run_apply_source(struct run *r, struct err *e);
/* Before the first request: XS_GUARD if the plan is stale, was applied already, or has a guard that stops it. */
int run_apply_check(struct run *r, struct err *e);
/* A row was decided: XS_GUARD if not as planned. */
int run_apply_agrees(struct run *r, const struct entry *entry, const struct decision *d, struct err *e);
/* Decides all rows of the plan. */
int run_apply_rows(struct run *r, struct err *e);

/* ---- run_open.c ---- */
/* Sets up memory and clock. run_open() calls it too. */
void run_init(struct run *r);
int run_open(struct run *r, struct err *e);
void run_close(struct run *r);
int run_open_for_resume(struct run *r, struct err *e);
/* Reads a setting that is a number; 0 if it is not set. */
int run_number_setting(struct run *r, const char *name, uint64_t *out, struct err *e);
/* After a complete run: stores the mapping's digest, with which the next run compares its own. */
int run_keep_mapping(struct run *r, struct err *e);
/* 1: the mapping is that of the last complete run; 0; -1 */
int run_is_last_mapping(struct run *r, struct err *e);
/* Chooses between a full read and one from the watermark, and sets r->read. After a change of the mapping every row is read.
 * The texts of *read live as long as the run. */
int run_choose_read(struct run *r, struct source_read *read, struct err *e);
/* Once the source is open: sets the kind of read that it does, which is full if the column's type is not the stored one. */
void run_report_read(struct run *r, const struct source_read *read);

/* ---- run_state.c ---- */
/* Before the first request: opens and locks the state, if its name does not need the target's id. A dry run, or a run whose
 * sync has no name yet, only checks that the state is its own. XS_CONFIG: it belongs to another sync or host. */
int run_state_early(struct run *r, struct err *e);
/* Opens the state if run_state_early() has not; creates one if there is none. */
int run_state_open(struct run *r, struct err *e);
/* Asks the API for the key's workspace. XS_CONFIG: the state belongs to another one. */
int run_state_workspace(struct run *r, struct err *e);
/* Reads the lists of forgotten people, once the state is locked and its workspace known. XS_STATE: a list is damaged. */
int run_state_lists(struct run *r, struct err *e);
/* Counts what waits in the state of `sync`, which this run may not write, for its report. */
void run_state_count(struct run *r, const char *sync);
/* Records a run that could not start, so that `status` shows it. -1: there is no record, because another run holds the
 * state, or because there is no state yet and `why` does not justify creating one. That is not an error. */
int run_state_note(struct run *r, const struct err *why);
void run_state_close(struct run *r);
/* A dry run: warns if another run is changing what it shows, and notes that for the summary. */
void run_state_report_holder(struct run *r);

/* ---- run_fill.c ---- */
/* Fills the report at the end of the run. If memory is short, parts of it are left out. */
void run_fill_report(struct run *r);
/* Who began the run and how, as JSON for its record. NULL: out of memory. */
const char *run_begun(struct run *r);

/* ---- run_progress.c ---- */
/* Updates the progress line if it is time. The upload also calls it at each of its steps. */
void run_show_progress(void *run);
/* Requests per second that the limits allow; negative if there is no limit. */
double run_request_limit(const struct limits *limits);

/* ---- run_left.c ---- */
/* Once the source is read, before the merge: warns if all known leads were deleted, or most people are elsewhere in Instantly. */
void run_left_warn(struct run *r);
/* After the merge of a complete full read: drops retry rows of other mappings, and the note of rows given up. */
int run_left_finish(struct run *r, struct err *e);
/* Counts what waits in the state for the next sync, for the report of a run that could not start. */
int run_left_known(struct run *r, struct err *e);
/* The same at the end of a run. It also notes which open batches another mapping made. */
int run_left_count(struct run *r, struct err *e);
/* True and an error (XS_API): the run wrote nothing, because the API answered none of its writes. */
bool run_left_unanswered(const struct run *r, struct err *e);
/* Notes in the state how many leads wait to be removed. The JSON report has no member for it; `status` shows it. */
int run_left_removals(struct run *r, struct err *e);
/* After a complete incremental read: removals that only waited for their rows to be read again wait no longer. */
int run_left_rows_read(struct run *r, struct err *e);

/* ---- run_results.c ---- */
/* The least number for a new run that the table of results_to: leaves free; 0: any. Blocks until the server answers. */
uint64_t run_results_number(const struct run *r);
/* After the merge: writes what results_to: asks for. -1: a warning was logged, and the next run writes it. */
int run_write_results(struct run *r);

/* ---- rows/row_plan.c ---- */
/* Before the first row: the mapping reports each row's key ahead of the rest, so that the state can prefetch it. */
void row_plan_listen(struct run *r);
/* Maps a row of the source, looks it up and decides on it. */
int row_plan_take(struct run *r, const struct row *row, struct err *e);
/* Reads a row that --limit leaves out, only to see whether a person opts out in it. */
int row_plan_pass(struct run *r, const struct row *row, struct err *e);
/* Decides on a mapped lead, or lets it wait. `entry` has row, line, key, texts and cells; the values are packed here. */
int row_plan_lead(struct run *r, struct entry *entry, const struct lead *lead, uint32_t target, struct err *e);
/* Decides on a row that was looked up. */
int row_plan_remembered(struct run *r, struct entry *entry, const struct lead *lead, uint32_t target,
                        struct remembered remembered, struct err *e);
/* Unpacks a lead, also one that was packed with an older list of custom variables. Strings borrow from `packed`. 1; 0: it
 * cannot be read; -1. */
int row_plan_unpack(struct run *r, struct str packed, struct arena *arena, struct lead *out, struct err *e);
/* Counts and records a row for which nothing is sent. `column` may be NULL. */
int row_plan_leave_out(struct run *r, struct entry *entry, uint32_t target, const char *column, struct str value,
                       struct err *e);
/* A hash of a reject's cells and reason, to recognise the same reject in the next run. */
uint64_t row_plan_reject_hash(const struct run *r, const struct entry *entry);

/* ---- rows/run_target.c ---- */
/* The target with this number. NULL: the state does not know it. */
const struct target *run_target(struct run *r, uint32_t number);
/* XS_GUARD: the mapping names another target than the last run, and the guard `moved` does not allow it. */
int run_target_check(struct run *r, struct err *e);

/* ---- rows/row_address.c: does nothing unless the mapping has a `key:` ---- */
/* A key that stands for an address in the sets of row keys; `what` separates its uses. False: there is no address. */
#define ROW_ADDRESS "\1email:"
bool row_address_key(struct run *r, const char *what, struct str email, struct hash128 *key);
/* Sets the detail of a row whose address, or key, row number `row` has as well; 0: its number is not known. 0/-1 */
int row_address_report_double(struct run *r, struct entry *entry, bool by_address, uint64_t row, struct err *e);
/* Notes that the row has or gets the lead of its address. *taken: it wants a new lead, but an earlier row has the address;
 * the detail names that row. 0/-1 */
int row_address_take(struct run *r, struct entry *entry, const struct decision *d, bool *taken, struct err *e);
/* *owned: a row of this read has a lead with the address, and came after another row of the address. Known at the end of
 * the source. 0/-1 */
int row_address_owned(struct run *r, struct str email, bool *owned, struct err *e);
/* *waits: that row only waited from an earlier run, so the source may no longer have it. 0/-1 */
int row_address_owner_waits(struct run *r, struct str email, bool *waits, struct err *e);
/* *has: a row of this read has or gets a lead with the address. 0/-1 */
int row_address_has(struct run *r, struct str email, bool *has, struct err *e);
/* A row wants a lead whose own row this run did not read. True: the row waits, and the next read is full and decides. False:
 * this read is full. `ctx` is the run. */
bool row_address_wait_for_full(void *ctx);
/* The row is left out because another row of this read has its address. Remembered with the address, so that a read of this
 * row alone need not wait for a full one. */
void row_address_lost(struct run *r, struct entry *entry);
/* Notes that a row without a lead wants one with this address, or was refused it. 0/-1 */
int row_address_want(struct run *r, struct str email, struct err *e);
int row_address_wanted(struct run *r, struct str email, bool *wanted, struct err *e);

/* ---- rows/row_cells.c ---- */
/* True if the cells of left-out rows are needed: for `rejects`, or for `diff --match`. */
bool row_cells_wanted(const struct run *r);
/* Packs the cells of the row at hand into the entry, unless the entry has cells. */
int row_cells_keep(struct run *r, struct entry *entry, struct err *e);
/* The same for a row that is sent: most bytes of its cells are in its values, and only the others are packed. */
int row_cells_keep_by_values(struct run *r, struct entry *entry, struct err *e);

/* ---- rows/row_key.c ---- */
/* Finds out whether the mapping's `key:` has changed since the last complete run. */
int row_key_check(struct run *r, struct err *e);
/* Together with the run's record, before the first intent: notes the change, so that the next run knows of it even if this
 * one dies. */
int row_key_note(struct run *r, struct err *e);
/* After a complete run: all leads are known under the new key. */
int row_key_keep(struct run *r, struct err *e);
/* Gives a row that is left out because of its address the person's lead, without a request. Under its old key the lead
 * would count as missing. */
int row_key_take_over(struct run *r, const struct entry *entry, struct err *e);

/* ---- rows/opt_out.c ---- */
/* Notes that the person of a row opts out, because a rule of skip_when matched the row. */
int opt_out_take(struct run *r, const struct mapped *mapped, const struct entry *entry, struct err *e);
/* True if the rule (from 1 on) removes leads that exist. In a partial read a rule only leaves rows out. */
bool opt_out_removes(const struct run *r, size_t rule);
/* True if a lead that stays may be mailed: it is in a campaign, and has not bounced, unsubscribed or been skipped. */
bool opt_out_may_mail(const struct target *target, const struct known_lead *known);
/* Sets the detail of the entry: rule, column and value that matched, and the lead that stays in a campaign. The text is in
 * row_arena. */
int opt_out_report(struct run *r, const struct mapped *mapped, struct entry *entry, const char **column, struct err *e);
/* Leaves out a row whose person opts out by another row of this read. 1; 0: the person does not; -1. */
int opt_out_leave(struct run *r, struct entry *entry, uint32_t target, struct err *e);
/* The number of the rule, from 1 on, in a mark of state_unseen_next() without STATE_OPTED_OUT. */
size_t opt_out_rule(const struct run *r, uint64_t mark);
/* Appends the rule of such a mark: `skip_when rule 1: column "Left" is "yes"`. 0/-1 */
int opt_out_text(const struct run *r, uint64_t mark, struct buf *out);

/* ---- rows/forgotten_rows.c ---- */
/* *forgotten: the row's person was forgotten (leadsync forget), in this state or in a list of the workspace. Matches by the
 * row's key and by its address, because another sync may know the person only by the address. */
int forgotten_rows_match(struct run *r, const struct entry *entry, bool *forgotten, struct err *e);
/* Strips personal data from the entry of a forgotten person, whatever the row is left out for. A rejected row that names
 * such a person in a cell stays rejected, without key, detail and cells. *erased: the entry was stripped. */
int forgotten_rows_erase(struct run *r, struct entry *entry, bool *erased, struct err *e);

/* ---- rows/emptied_values.c ---- */
/* Counts the values of a row that on_error: empty drops. 0/-1 */
int emptied_values_count(struct run *r, const struct row *row, const struct mapped *mapped, struct err *e);
void emptied_values_report(const struct run *r);

/* ---- rows/unused_columns.c ---- */
/* The variables of the mapping's campaign. 1; 0: the API cannot be asked, or did not answer a dry run; -1. */
int unused_columns_variables(struct run *r, struct str **names, size_t *n, struct err *e);
/* Warns of columns that a CSV without a mapping leaves out although the campaign has variables for them. 0/-1 */
int unused_columns_report(struct run *r, struct err *e);

/* ---- rows/lead_location.c ---- */
/* For the upload: appends `campaign "Demo" (campaign:UUID)`. 1; 0: the name is not known; -1 (memory) */
int lead_location_show(void *run, const struct target *location, struct buf *out);
/* Learns a name from Instantly. */
void lead_location_record(void *run, const struct target *named);
void lead_location_close(struct run *r);

/* ---- rows/refused_before.c ---- */
/* Gives a row that an earlier run refused the detail that it had then, with the number of that run; no detail if the latest
 * runs have none. 0/-1 */
int refused_before_detail(struct run *r, struct entry *entry, struct err *e);
void refused_before_close(struct run *r);

/* ---- phases/guard.c ---- */
enum { GUARD_REJECTED_MIN = 20 }; /* Fewer rejects never exceed the guard `rejected`. */
bool guard_exceeds(const struct guard_limit *limit, uint64_t n, uint64_t whole);
/* Records for the report what the guard has counted, and whether it stops the run. Once it stops the run, that stays. */
void guard_note(struct run *r, const char *name, const struct guard_limit *limit, uint64_t n, uint64_t whole, bool stops);
/* Judges and records the guard. True: it is exceeded. `judges` false: there is too little to judge. */
bool guard_judge(struct run *r, const char *name, const struct guard_limit *limit, bool judges, uint64_t n, uint64_t whole);
/* Writes the option with the smallest whole percentage that lets `n` of `whole` pass, and the one that lets all pass. */
enum { GUARD_ADVICE_N = 96 };
const char *guard_advice(const char *guard, uint64_t n, uint64_t whole, char text[GUARD_ADVICE_N]);
/* The message of a guard that is exceeded: its name, what happened to the run, where to look ("" or with ", " at its end),
 * what to do, and the option that allows it. */
struct guard_trip {
    const char *guard, *done, *see, *remedy, *allow;
};
/* Keeps the message, with what was counted, for guard_verdict(). A dry run warns instead. 0/-1 */
int guard_trip(struct run *r, const struct guard_trip *trip, struct err *e, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* A dry run: warns that a sync would stop, and keeps the text for the summary. 0/-1 (memory) */
int guard_foretell(struct run *r, const char *text, struct err *e);
bool guard_tripped(const struct run *r);
/* The detail of a row that the guards held back: their names. It is in run_arena; empty if no guard has stopped the run. */
int guard_detail(struct run *r, struct str *out, struct err *e);
/* XS_GUARD, with the messages of all guards that are exceeded. */
int guard_verdict(struct run *r, struct err *e);
/* Judges the guard `rejected` by the rows read so far. */
int guard_rejected(struct run *r, struct err *e);
/* The same as refusals arrive from Instantly, and then the verdict. -1: the run stops. */
int guard_refused(void *run, struct err *e);
/* Judges the guard `changed` by the rows planned so far. */
int guard_changed(struct run *r, struct err *e);
/* True if rows that are still to come may exceed the guard `changed`. Until they cannot, nothing is written. */
bool guard_changed_may_stop(const struct run *r);
/* At the end of the source: judges the guards `empty_source` and `source_shrank`. */
int guard_source(struct run *r, struct err *e);

/* ---- phases/guard_spool.c ---- */
/* Makes the spools that this run needs, and decides how many rows are held back. */
int guard_spool_start(struct run *r, struct err *e);
/* Takes a planned row: to its phase, to the guard spool, or once that is released to the upload. */
int guard_spool_put(struct run *r, const struct planned *planned, struct err *e);
/* After each row: judges the guards if it is time, and releases the rows held back. XS_GUARD */
int guard_spool_step(struct run *r, struct err *e);
/* At the end of the source: settles all spools, judges the guards for the last time, and sends what waits. */
int guard_spool_end(struct run *r, struct err *e);
/* The run ends before the release: rows held back count as deferred. `keep`: the retry table keeps their leads. */
int guard_spool_abandon(struct run *r, enum reason reason, bool keep, struct err *e);
/* Asks the user whether `rows` of the rows read may be sent, if the run may ask. XS_USAGE: no. */
int guard_spool_consent(struct run *r, uint64_t rows, struct err *e);
/* Hands one planned row to the upload, and steps the upload while it is full. */
int guard_spool_upload(struct run *r, const struct planned *planned, struct err *e);

/* ---- phases/dedupe_spool.c ---- */
int dedupe_spool_put(struct run *r, const struct entry *entry, const struct lead *lead, uint32_t target, struct err *e);
/* At the end of the source: plans the rows that win, and leaves out the others. */
int dedupe_spool_settle(struct run *r, struct err *e);

/* ---- phases/opt_out_spool.c ---- */
/* Keeps a row until it is known who opts out; `remembered` is what state_lookup() returned for it. */
int opt_out_spool_put(struct run *r, const struct entry *entry, uint32_t target, const struct remembered *remembered,
                      struct err *e);
/* At the end of the source: plans the rows whose person does not opt out. */
int opt_out_spool_settle(struct run *r, struct err *e);
/* The source was not read to its end: defers the rows that would send something. */
int opt_out_spool_abandon(struct run *r, enum reason reason, bool keep, struct str detail, struct err *e);

/* ---- phases/retry_rows.c ---- */
/* After the source: plans the rows of the retry table that the source did not bring again. */
int retry_rows_take(struct run *r, struct err *e);

/* ---- phases/phases.c ---- */
int phases_start(struct run *r, struct err *e);
/* True if this run may move or remove leads. Then the whole source is planned before the first write. */
bool phases_hold_all(struct run *r);
/* Keeps a move until creates and updates are settled, a removal until moves are. */
int phases_put(struct run *r, const struct planned *planned, struct err *e);
/* Judges the guard `moved`: moves as a share of the known leads in Instantly, including those that this run moves back. */
int phases_judge_moved(struct run *r, struct err *e);
/* Before anything is moved: checks that the key has the scope for reading jobs. XS_KEY */
int phases_check_scope(struct run *r, struct err *e);
/* Settles what is in the upload, then sends the moves, then the removals. */
int phases_apply(struct run *r, struct err *e);

/* ---- phases/stage.c ---- */
/* Where a new lead is created. With a stage that is its list, and the entry is marked as staged. */
uint32_t stage_target(const struct run *r, struct entry *entry, uint32_t target);
/* The number of the stage's list; 0: there is no stage. */
uint32_t stage_list(const struct run *r);
bool stage_is_promotion(const struct run *r, uint32_t from);
/* For the upload: takes the move of a lead that has reached the stage's list. */
int stage_put(void *run, const struct planned *move, struct err *e);

/* ---- phases/missing.c ---- */
int missing_start(struct run *r, struct err *e);
void missing_free(struct run *r);
/* For a row that makes no lead: its own lead is not missing for that. A rule of skip_when may remove it. */
int missing_protect(struct run *r, const struct mapped *mapped, const struct entry *entry, struct err *e);
/* The same for a row that lost to other rows of its key. */
int missing_protect_key(struct run *r, const struct hash128 *key, struct err *e);
/* *drops: a waiting row whose key the source no longer has is dropped, because its lead would be removed, or because
 * another row has its address. Known after missing_plan(). */
int missing_drops_retry(struct run *r, const struct entry *waiting, bool *drops, struct err *e);
/* Takes the row of this key out of the retry table. 0/-1 */
int missing_end_wait(struct run *r, const struct entry *waiting, struct err *e);
/* Counts `old`, whose place a row's new lead takes. That is a removal if the mapping removes leads. */
int missing_rekey(struct run *r, const struct known_lead *old, struct err *e);
uint64_t missing_rekeys(const struct run *r);
/* upload_config.superseded: the new lead exists, so the old one may be removed. */
int missing_superseded(void *run, const struct hash128 *key, const struct known_lead *old, struct err *e);
/* upload_config.read_whole. */
bool missing_read_whole(void *run);
/* At the end of the source: finds the leads that are no longer wanted, and judges the guard `removed`. */
int missing_plan(struct run *r, struct err *e);
/* The number of leads that are missing from the source and stay, because rows without a usable key may be theirs. */
uint64_t missing_waiting(const struct run *r);
/* ---- phases/missing_show.c: a dry run ---- */
/* `lead` NULL: its values are not known. */
int missing_show_removal(struct run *r, const struct planned *p, const struct lead *lead, bool certain, struct err *e);
int missing_show_waiting(struct run *r, const struct known_lead *known, struct err *e);
/* Appends which rows have no usable key, and what to do about them. 0/-1 (buffer) */
int missing_keyless_text(const struct run *r, struct buf *out);

/* ---- phases/destination_check.c ---- */
/* Turns planned removals into deletions where the policy says `if_there: delete` and another lead with the same address is
 * already in the destination. */
int destination_check_sort(struct run *r, struct err *e);

/* ---- phases/active_check.c ---- */
/* Notes the lead of a skipped row, which stays. */
int active_check_put(struct run *r, const struct known_lead *known, struct err *e);
/* Reads these leads in Instantly, counts the active ones, and warns. A dry run warns of those that may be active. */
int active_check_run(struct run *r, struct err *e);

#endif
