/* What the files of a run share. Internal: run.c the entry points, run_open.c what has to be there before the first row,
 * row_plan.c from a row to a decision, opt_out.c who opts out, guard_spool.c everything that waits, run_left.c what is
 * left for the next run, phases.c the order of creates, moves and removals, missing.c what is removed, active_check.c
 * what stays and may be mailed, guard.c what stops a run. */
#ifndef SYNC_PIPELINE_RUN_INT_H
#define SYNC_PIPELINE_RUN_INT_H

#include "connectors/source.h"
#include "sync/report/diff.h"
#include "sync/plan/plan.h"
#include "sync/pipeline/run.h"
#include "sync/upload/upload.h"

/* Moves of a dry run with the same ends. */
struct move_count {
    uint32_t from, to;
    uint64_t n;
};

struct run {
    const struct run_config *c;
    struct mapping *m;
    struct run_report *report;
    struct tally *tally;             /* the report's */
    struct diff *diff;               /* a dry run; NULL: a real one */
    bool asks, would_stop;           /* a dry run before the question of a real one; a guard would stop that */
    struct api *api;                 /* NULL: a dry run without a key */
    struct state *state;
    struct state_claim *claim;   /* the lock of a state that is still to be made; NULL: none */
    struct state_claim *words_claim; /* the same of a straight CSV whose target's id is not known yet; held to the end */
    bool named;                  /* the sync has its name: a straight CSV's needs the target's id */
    char *scratch_state;             /* folder of the empty state of a dry run that has none; removed at the end */
    struct source *source;
    struct targets targets;
    struct target_names *target_names;           /* names of campaigns and lists, for lead_location_show(); NULL until then */
    struct upload *upload;           /* NULL in a dry run */
    struct run_record record;
    struct workspace workspace;
    uint64_t refusal_context;
    const char *read_kind;           /* full incremental partial */
    bool eof;                        /* the source was read to its clean end */
    bool whole;                      /* a full read came to its end, and everything it brought is settled or remembered */
    bool hands_over;                 /* leads were left until other leads have taken their place, which may not have happened */
    bool owners_unread;              /* rows wait for leads whose own rows only a full read can tell of */
    uint64_t others, others_read;    /* retry rows that another mapping made, and how many of them the read has brought */

    struct arena row_arena, known_arena, run_arena;
    struct buf pack, detail, cells;
    struct hash128 key;              /* of the row at hand */
    const struct row *row;           /* the row at hand; NULL when it comes from elsewhere than the source */
    bool *custom_changed;            /* scratch, a flag a custom variable */
    struct plan_rules rules;

    struct spool *guard_spool;              /* planned rows before the guards' verdict; NULL once released */
    bool releases;                   /* the verdict is there, and they are on their way */
    struct spool *opt_out_spool;           /* skip_when: mapped rows, until the source's end says who opts out; else NULL */
    struct spool *dedupe_spool;           /* duplicates: last or reject: mapped rows until the source's end; else NULL */
    struct spool *moves, *removals;  /* what comes after creates and updates, see phases.c; NULL in a dry run */
    uint64_t promotions;             /* of the moves: out of the stage's list, which the guard does not count */
    uint64_t returning;              /* of the moves: leads that were moved away, and whose row is back */
    bool target_edited;              /* the mapping's `target:` is another one than that of the last run */
    bool reidentified;               /* the mapping's key is another one than that of the last complete run */
    bool meets_keys;                 /* a row may meet its lead under another key */
    struct spool *active_spool;            /* leads of skipped rows, see active_check.c; NULL: none */
    uint64_t may_mail;               /* of a dry run: how many of them a campaign may mail */
    struct missing_rows *missing;          /* what missing.c knows; owned, NULL before missing_start() */
    uint64_t hold_rows;              /* rows to read before the first write; UINT64_MAX: all */
    uint64_t emptied;                /* values that on_error: empty let go */
    char *emptied_first;             /* what is said of the first; in the run's arena */
    struct conflicting_rows *conflicts;             /* what conflicting_rows.c has seen; owned, NULL: the source's order is its own */
    struct buf tripped;              /* what guards said that stop the run */
    struct buf verdict;              /* a dry run: what those say that would stop a real one, a line each */
    uint64_t known_there;            /* leads in the state, and there, before the first row */
    uint64_t known_seen;             /* of them: those whose row was decided */
    uint64_t updates;                /* of them: those of which a field or variable would be written */
    bool rejected_told;              /* the guard `rejected` is among them, or a dry run has warned of it */
    uint64_t judged_rows;            /* rows read when the rejected guard last spoke */
    bool look_first;              /* the state may lack what earlier runs created: their journal is lost */
    uint64_t last_full_rows;         /* of the last complete full read; 0: none */

    uint64_t *old_rejects;           /* sorted hashes of the last run's rejects (--new-rejects-only) */
    size_t old_rejects_n;
    struct diff_summary summary;     /* counters of a dry run */
    bool variables_unknown;          /* asked once, and not answered */
    uint64_t lone_updates;           /* of a dry run: without a move */
    struct move_count *move_counts;
    size_t move_counts_n;
    uint64_t *creates_by_target;     /* a dry run's requests; per target of the mapping */
    struct run_pulse {               /* of the progress line */
        int64_t shown_us, rate_us;
        uint64_t requests;           /* at rate_us */
        double limit_share;
    } pulse;
    int64_t started_us, deadline_us;
};

/* ---- run.c ---- */
int run_plan_rows(struct run *r, struct err *e); /* all rows of a dry run, and what the guards say of them */

/* ---- run_open.c ---- */
void run_init(struct run *r); /* memory and clock; run_open() does it, too */
int run_open(struct run *r, struct err *e);
void run_close(struct run *r);
int run_open_for_resume(struct run *r, struct err *e);
/* Who begins the run and how, for its record; NULL: memory. */
const char *run_begun(struct run *r);
/* A setting that is a number; 0 when it is not set. */
int run_number_setting(struct run *r, const char *name, uint64_t *out, struct err *e);
int run_keep_mapping(struct run *r, struct err *e); /* after a complete run: its mapping is the one to compare with */
/* ---- unused_columns.c ---- */
/* The variables that the mapping's campaign has. 1; 0 when nobody can be asked, or a dry run got no answer; -1. */
int unused_columns_variables(struct run *r, struct str **names, size_t *n, struct err *e);
/* Warns of columns that a straight CSV leaves out and the campaign has variables for. 0/-1 */
int unused_columns_report(struct run *r, struct err *e);

/* ---- emptied_values.c ---- */
/* Counts what on_error: empty let go in a row. 0/-1 */
int emptied_values_count(struct run *r, const struct row *row, const struct mapped *mapped, struct err *e);
void emptied_values_report(const struct run *r);

/* ---- lead_location.c ---- */
/* For the upload: appends `campaign "Demo" (campaign:UUID)`, or the id alone. 0/-1 (memory) */
int lead_location_show(void *run, const struct target *there, struct buf *out);
void lead_location_close(struct run *r);

/* ---- run_fill.c ---- */
void run_fill_report(struct run *r); /* when all is done; short memory leaves parts out */

/* ---- run_progress.c ---- */
/* Tells the progress line, when it is time for that; also called by the upload at each of its steps. */
void run_show_progress(void *run);
/* Requests a second that the limits allow; <0: any number. */
double run_request_limit(const struct limits *limits);

/* ---- run_left.c ---- */
/* After the merge. Of a complete full read: nothing waits any more as another mapping made it, and nothing is given up. */
/* Before the merge, once all is read: warns when the rows of all known leads are skipped because the leads were deleted
 * in Instantly. */
void run_left_deleted(struct run *r);
int run_left_finish(struct run *r, struct err *e);
/* What earlier runs and this one left for the next sync. */
int run_left_count(struct run *r, struct err *e);
/* The report has no member for leads that wait to be removed; `status` reports them all the same. */
int run_left_removals(struct run *r, struct err *e);
/* After a read from a watermark that came to its end: removals that only waited for their rows to be read again wait no more. */
int run_left_rows_read(struct run *r, struct err *e);

/* ---- run_results.c ---- */
/* After the merge: writes what results_to: asks for. -1: it waits for the next run; why was said. */
/* The least number for a new run that `results_to:` leaves free; 0: any. Blocks for the server. */
uint64_t run_results_number(const struct run *r);
int run_write_results(struct run *r);

/* ---- conflicting_rows.c ---- */
/* Before the first row. Does nothing for a source whose rows come in an order of their own. 0/-1 */
int conflicting_rows_start(struct run *r, struct err *e);
/* A row of the source that makes a lead, with a digest of the lead's values. */
void conflicting_rows_add(struct run *r, const struct entry *entry, uint64_t digest);
/* Once the source was read: one warning of rows with one key and other values. */
void conflicting_rows_report(const struct run *r);
void conflicting_rows_free(struct run *r);

/* Is only a part of the source read, by --input or --limit? It says nothing about what it leaves out. */
static inline bool run_is_partial(const struct run *r)
{
    return r->c->partial_input || r->c->limit_rows > 0;
}

/* ---- row_plan.c ---- */
/* A row that a trial leaves out, read only for whoever opts out in it. */
int row_plan_pass(struct run *r, const struct row *row, struct err *e);
/* Before the first row: the mapping tells each row's key to `key` and to the state ahead of the rest. */
void row_plan_listen(struct run *r);
int row_plan_take(struct run *r, const struct row *row, struct err *e);
/* Decides on a mapped lead, or lets it wait; `entry` has row, line, key, texts and cells, values are packed here. */
int row_plan_lead(struct run *r, struct entry *entry, const struct lead *lead, uint32_t target, struct err *e);
/* The decision itself, of a row that was looked up. */
int row_plan_remembered(struct run *r, struct entry *entry, const struct lead *lead, uint32_t target,
                        struct remembered remembered, struct err *e);
/* A lead packed now or under an older list of custom variables, as one of today's; strings borrow from `packed`. 1, 0
 * when it cannot be read, -1. */
int row_plan_unpack(struct run *r, struct str packed, struct arena *arena, struct lead *out, struct err *e);
/* Counts and records a row that nothing is asked for. `column` may be NULL. */
int row_plan_leave_out(struct run *r, struct entry *entry, uint32_t target, const char *column, struct str value, struct err *e);
/* The reject itself, to tell a known one from a new one. */
uint64_t row_plan_reject_hash(const struct run *r, const struct entry *entry);

const struct target *run_target(struct run *r, uint32_t number); /* NULL: the state does not know it */

/* ---- row_address.c: without a key of the mapping's own all of it does nothing ---- */
/* What stands for the address among the row keys; `what` tells uses apart. False: there is none. */
#define ROW_ADDRESS "\1email:"
bool row_address_key(struct run *r, const char *what, struct str email, struct hash128 *key);
/* The detail of a row whose address, or key, is that of `row` as well; 0: not known, no detail. 0/-1 */
int row_address_report_double(struct run *r, struct entry *entry, bool by_address, uint64_t row, struct err *e);
/* The row has or gets a lead with its address. `taken`: it is to get one, but an earlier row has the address, which its detail
 * names. 0/-1 */
int row_address_take(struct run *r, struct entry *entry, const struct decision *d, bool *taken, struct err *e);
/* Has a row of this read, which came after another row of this address, a lead with it? Known at the source's end. 0/-1 */
int row_address_owned(struct run *r, struct str email, bool *owned, struct err *e);
/* The same, and that row only waited from an earlier run: the source may not have it any more. 0/-1 */
int row_address_owner_waits(struct run *r, struct str email, bool *waits, struct err *e);
/* Has or gets a row of this read a lead with the address? 0/-1 */
int row_address_has(struct run *r, struct str email, bool *has, struct err *e);
/* A row that waits wants a lead whose own row this run did not read. True: wait on, the next read will be full and tell. False: this
 * read was full. `ctx` is the run. */
bool row_address_wait_for_full(void *ctx);
/* A row without a lead of this address is to get one, or was refused it. 0/-1 */
int row_address_want(struct run *r, struct str email, struct err *e);
int row_address_wanted(struct run *r, struct str email, bool *wanted, struct err *e);

/* ---- dry_run.c ---- */
/* A dry run's change, or two: update and move. `from` is where a known lead is. */
int dry_run_show(struct run *r, const struct decision *d, struct entry *entry, uint32_t target, uint32_t from,
             const struct lead *old, const struct lead *lead, struct err *e);

/* ---- guard.c ---- */
enum { RUN_REJECTED_MIN = 20 }; /* fewer rejects are never too many */
bool guard_exceeds(const struct guard_limit *limit, uint64_t n, uint64_t whole);
/* For the report: what the guard has counted, and whether it stops the run. Once it does, that stays. */
void guard_note(struct run *r, const char *name, const struct guard_limit *limit, uint64_t n, uint64_t whole, bool stops);
/* Does it exceed the limit? Notes it; `speaks` false: it does not judge so few. */
bool guard_judge(struct run *r, const char *name, const struct guard_limit *limit, bool speaks, uint64_t n,
                     uint64_t whole);
/* The option with the smallest whole share that lets `n` of `whole` pass, and the one that lets all pass. In `text`. */
enum { GUARD_ADVICE_N = 96 };
const char *guard_advice(const char *guard, uint64_t n, uint64_t whole, char text[GUARD_ADVICE_N]);
/* A guard that is exceeded: its name, what became of the run, where to look ("" or with ", " at its end), what to do, and
 * the option that allows it. */
struct guard_trip {
    const char *guard, *done, *see, *remedy, *allow;
};
/* Keeps it for guard_verdict(), with what was counted; a dry run warns of it and keeps nothing. 0/-1 */
int guard_trip(struct run *r, const struct guard_trip *trip, struct err *e, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* A dry run: warns that a sync would stop, and keeps what is said for the summary. 0/-1 (memory) */
int guard_foretell(struct run *r, const char *text, struct err *e);
bool guard_tripped(const struct run *r);
/* The detail of a row that was not sent for the guards: which ones. Borrows from the run's arena; empty: none has stopped it. */
int guard_detail(struct run *r, struct str *out, struct err *e);
/* XS_GUARD with all that were exceeded. */
int guard_verdict(struct run *r, struct err *e);
/* Guard `rejected`, by the rows so far. */
int guard_rejected(struct run *r, struct err *e);
/* The same for rows that the mapping rejects and leads that Instantly refuses, as refusals come. -1: it stops the run. */
int guard_refused(void *run, struct err *e);
/* Guard `changed`, by the rows planned so far. */
int guard_changed(struct run *r, struct err *e);
/* May rows that are still to come make it stop the run? Until they cannot, nothing is written. */
bool guard_changed_may_stop(const struct run *r);
/* At the source's end: guards `empty_source` and `source_shrank`. */
int guard_source(struct run *r, struct err *e);

/* ---- guard_spool.c ---- */
int guard_spool_start(struct run *r, struct err *e);
int guard_spool_put(struct run *r, const struct planned *planned, struct err *e);
/* After each row: judges the guards when it is time, lets held rows go. XS_GUARD. */
int guard_spool_step(struct run *r, struct err *e);
/* The source is done: contest, last verdict, retries, all that is held. */
int guard_spool_end(struct run *r, struct err *e);
/* Ended before the release: held rows count as deferred; with `keep` the retry table keeps their leads. */
int guard_spool_abandon(struct run *r, enum reason reason, bool keep, struct err *e);
/* Asks whether `rows` of those that were read may be sent, if there is somebody to ask. XS_USAGE: no. */
int guard_spool_consent(struct run *r, uint64_t rows, struct err *e);
/* One planned row into the upload, which is stepped while it is full. */
int guard_spool_upload(struct run *r, const struct planned *planned, struct err *e);
int dedupe_spool_put(struct run *r, const struct entry *entry, const struct lead *lead, uint32_t target, struct err *e);

/* A row that is decided when it is known who opts out; `remembered` is what state_lookup() said of it. */
int opt_out_spool_put(struct run *r, const struct entry *entry, uint32_t target, const struct remembered *remembered,
                 struct err *e);

/* ---- row_cells.c ---- */
/* Packs the cells of the row at hand into the entry, unless it has them. */
int row_cells_keep(struct run *r, struct entry *entry, struct err *e);
bool row_cells_wanted(const struct run *r); /* for `rejects`, or for `diff --match` */
/* The same of a row that goes on with its values: nearly all bytes of its cells stand in those. */
int row_cells_keep_by_values(struct run *r, struct entry *entry, struct err *e);

/* ---- forgotten_rows.c ---- */
/* Was the person of this row forgotten (leadsync forget), in this state or in a list of the workspace? By the row's key, and by
 * its address: another sync of the workspace may know the person by that alone. */
int forgotten_rows_match(struct run *r, const struct entry *entry, bool *forgotten, struct err *e);
/* Whatever else a row is left out for: of a forgotten person nothing is written down again. A rejected row that names such a
 * person in a cell stays rejected, without key, detail and cells. *blotted: the row is one of these. */
int forgotten_rows_erase(struct run *r, struct entry *entry, bool *blotted, struct err *e);

/* ---- opt_out.c ---- */
/* A rule of skip_when has taken this row: notes that the person opts out. */
int opt_out_take(struct run *r, const struct mapped *mapped, const struct entry *entry, struct err *e);
/* Does the rule, from 1 on, want a lead that is there removed? A part of the source that was put in its place (--input) only
 * leaves rows out. */
bool opt_out_removes(const struct run *r, size_t rule);
/* May the lead, which stays, be mailed? In a list nobody is; a lead that bounced, unsubscribed or was skipped is not, either. */
bool opt_out_may_mail(const struct target *target, const struct known_lead *known);
/* Says in the entry which rule, column and value took it, and which lead stays in a campaign; the text is in the row's
 * arena. */
int opt_out_report(struct run *r, const struct mapped *mapped, struct entry *entry, const char **column, struct err *e);
/* Leaves out a row of a person who opts out by another row of this read: 1, 0 the row is none, -1. */
int opt_out_leave(struct run *r, struct entry *entry, uint32_t target, struct err *e);
/* The number of the rule, from 1 on, of a mark of state_unseen_next() without STATE_OPTED_OUT. */
size_t opt_out_rule(const struct run *r, uint64_t mark);

/* ---- stage.c ---- */
/* Where a new lead is created: in the stage's list where there is one, and then the entry says so. */
uint32_t stage_target(const struct run *r, struct entry *entry, uint32_t target);
/* The state's number of the stage's list; 0: there is none. */
uint32_t stage_list(const struct run *r);
bool stage_is_promotion(const struct run *r, uint32_t from);
/* For the upload: the move of a lead that has reached the list. */
int stage_put(void *run, const struct planned *move, struct err *e);

/* ---- phases.c ---- */
int phases_start(struct run *r, struct err *e);
/* May this run move or remove? Then the whole source is planned before the first write. */
bool phases_hold_all(struct run *r);
/* Moves wait until creates and updates are settled, removals until the moves are. */
int phases_put(struct run *r, const struct planned *planned, struct err *e);
/* The guard `moved`, and then all that have spoken, before the first write. XS_GUARD. */
int phases_judge(struct run *r, struct err *e);
/* Everything before is in the upload: settles it, then the moves, then the removals. */
int phases_apply(struct run *r, struct err *e);

/* ---- destination_check.c ---- */
/* Of the planned removals: those that would be moved where another lead has their address, and whose policy says
 * `if_there: delete`, become deletions. */
int destination_check_sort(struct run *r, struct err *e);

/* ---- run_state.c ---- */
/* Before the first request: opens and locks the state that is there, where its name does not need the target's id; of a
 * dry run, or while the sync has no name yet, only looks whose it is. XS_CONFIG: another sync's or another host's. */
int run_state_early(struct run *r, struct err *e);
/* The same for whatever is not open yet; makes one where there is none. */
int run_state_open(struct run *r, struct err *e);
int run_state_workspace(struct run *r, struct err *e); /* asks the API; XS_CONFIG: another workspace's */
/* Reads the lists of forgotten people, once the state is locked and its workspace known. XS_STATE: one is damaged. */
int run_state_lists(struct run *r, struct err *e);
/* A run that could not start: gives it its record all the same, so that `status` knows of it. -1: it gets none, because its
 * state cannot be written (another run has the lock, …), or because there is none yet and what ended the run says that
 * nobody may want one. Why is no error. */
int run_state_note(struct run *r, const struct err *why);
void run_state_close(struct run *r);
/* A dry run says so when another run is changing what it shows, and remembers it for the summary. */
void run_state_report_holder(struct run *r);

/* ---- run_target.c ---- */
int run_target_check(struct run *r, struct err *e); /* XS_GUARD: the mapping's target is another one, and may not be */

/* ---- row_key.c ---- */
int row_key_check(struct run *r, struct err *e);
/* With the record, before the first intent: however this run ends, the next one knows that leads may have keys of both. */
int row_key_note(struct run *r, struct err *e);
int row_key_keep(struct run *r, struct err *e); /* after a complete run */
/* A row that is left out for what is known of its address takes over the person's lead all the same, without a request:
 * under its old key it would be gone. */
int row_key_take_over(struct run *r, const struct entry *entry, struct err *e);

/* ---- active_check.c ---- */
/* The lead of a skipped row stays. */
int active_check_put(struct run *r, const struct known_lead *known, struct err *e);
/* Counts those that are active in Instantly, reads them there, and warns. A dry run warns of those that may be. */
int active_check_run(struct run *r, struct err *e);

/* ---- missing.c ---- */
int missing_start(struct run *r, struct err *e);
void missing_free(struct run *r);
/* A row makes no lead. Its own lead, if there is one, is not gone for that; a rule of skip_when may want it removed. */
int missing_spare(struct run *r, const struct mapped *mapped, const struct entry *entry, struct err *e);
/* The same for a row that lost to others of its key. */
int missing_spare_key(struct run *r, const struct hash128 *key, struct err *e);
/* Will the waiting row of a key that the source has no more be dropped, since its lead would be, or another row has its address?
 * Known once missing_plan() has been called. */
int missing_drops_retry(struct run *r, const struct entry *waiting, bool *drops, struct err *e);
/* Nothing of this key waits any more; where nothing waits, this does nothing. 0/-1 */
int missing_end_wait(struct run *r, const struct entry *waiting, struct err *e);
/* A row's new lead is to take the place of `old`; that counts as a removal where the mapping removes. */
int missing_rekey(struct run *r, const struct known_lead *old, struct err *e);
uint64_t missing_rekeys(const struct run *r);
/* It has: upload_config.superseded. */
int missing_superseded(void *run, const struct hash128 *key, const struct known_lead *old, struct err *e);
/* upload_config.read_whole. */
bool missing_read_whole(void *run);
/* The source was read to its end: finds the leads that are no longer wanted, and judges how many. */
int missing_plan(struct run *r, struct err *e);
/* How many leads are gone and stay all the same, because rows without a usable key may be theirs. */
uint64_t missing_waiting(const struct run *r);
/* Appends which rows these are, and what to do about them. 0/-1 (buffer) */
int missing_keyless_text(const struct run *r, struct buf *out);

#endif
