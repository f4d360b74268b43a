/* What a run leaves for the next one: counts for the report, and notes in the state that the next run reads. */
#include "config.h"

#include "sync/pipeline/run_int.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sync/base/log.h"
#include "sync/base/text.h"

static void report_others(const struct run *r)
{
    uint64_t dropped = r->left.others - r->left.others_read;
    if (r->left.others == 0)
        return;
    if (!r->read.whole)
        log_notice("%" PRIu64
                   " row%s of earlier runs wait%s as another mapping made %s: not sent; the next sync reads the whole "
                   "source in place of %s",
                   r->left.others, text_plural(r->left.others), r->left.others == 1 ? "s" : "",
                   r->left.others == 1 ? "it" : "them", r->left.others == 1 ? "it" : "them");
    else if (dropped == 0)
        log_notice("%" PRIu64
                   " row%s of earlier runs waited as another mapping made %s: not sent; the source has brought all "
                   "of them again",
                   r->left.others, text_plural(r->left.others), r->left.others == 1 ? "it" : "them");
    else
        log_warning("%" PRIu64
                    " row%s of earlier runs waited as another mapping made %s: not sent; the source no longer has "
                    "%" PRIu64 " of them, which are dropped",
                    r->left.others, text_plural(r->left.others), r->left.others == 1 ? "it" : "them", dropped);
}

int run_left_finish(struct run *r, struct err *e)
{
    uint64_t dropped;
    if (r->read.whole && (state_retries_drop_others(r->state, r->m->digest, &dropped, e) != 0 ||
                          state_set(r->state, STATE_GIVEN_UP, NULL, e) != 0))
        return -1;
    r->report->others_wait = r->read.whole ? 0 : r->left.others;
    report_others(r);
    return 0;
}

static void warn_deleted(struct run *r)
{
    uint64_t there, skipped = r->tally->reasons[REASON_DELETED_THERE];
    struct err e = ERR_INIT;
    if (skipped == 0 || state_leads_n(r->state) == 0)
        return;
    if (state_leads_there(r->state, &there, &e) != 0)
        log_warning("%s", err_text(&e));
    else if (there == 0)
        log_warning("Instantly no longer has any lead that this sync knows: %" PRIu64 " row%s skipped as deleted_there; "
                    "to create the leads again, use --recreate",
                    skipped, skipped == 1 ? " is" : "s are");
    err_clear(&e);
}

static void warn_elsewhere(const struct run *r)
{
    const uint64_t *reasons = r->tally->reasons;
    uint64_t elsewhere = reasons[REASON_IN_WORKSPACE] + reasons[REASON_IN_CAMPAIGN] + reasons[REASON_IN_LIST];
    if (elsewhere <= r->tally->read / 2)
        return;
    log_warning("%" PRIu64 " of %" PRIu64
                " rows are left out because Instantly has these people elsewhere; leadsync results says "
                "where. To add them here as well, use dedupe: target-only (or --dedupe target-only)",
                elsewhere, r->tally->read);
}

/* These people may have opted out, and go on being mailed where their lead is now. */
static void warn_moved_away(const struct run *r)
{
    uint64_t n = r->tally->removals_elsewhere;
    if (n > 0)
        log_warning("%" PRIu64
                    " lead%s that this sync wanted to remove %s moved in Instantly, and stay%s there: leadsync results "
                    "names the place; remove such a lead with leadsync leads delete",
                    n, text_plural(n), n == 1 ? "was" : "were", n == 1 ? "s" : "");
}

void run_left_warn(struct run *r)
{
    warn_deleted(r);
    warn_moved_away(r);
    warn_elsewhere(r);
}

/* A later run settles the batch. If another mapping wrote it, its rows have to be compared again then. */
static int note_open_batch(struct run *r, const struct batch *b, struct err *e)
{
    struct run_record run;
    int rc = b->run != r->record.id ? state_run_get(r->state, b->run, &r->known_arena, &run, e) : 0;
    if (rc != 1)
        return rc;
    return run.mapping != r->m->digest ? state_set(r->state, STATE_OTHER_MAPPING, "1", e) : 0;
}

/* Counts the leads that an earlier run left to be removed. A complete read has deleted that note. */
static int count_removals(struct run *r, struct err *e)
{
    uint64_t of_run;
    const char *waiting;
    if (state_get(r->state, STATE_REMOVALS_WAIT, &waiting, e) < 0)
        return -1;
    if (waiting == NULL || sscanf(waiting, "%" SCNu64 " %" SCNu64, &of_run, &r->report->removals_before) != 2)
        r->report->removals_before = 0;
    if (state_get(r->state, STATE_REMOVALS_LEFT, &waiting, e) < 0)
        return -1;
    r->report->removals_need_all = waiting != NULL;
    return 0;
}

/* What waits in the state. *open: the open batches, in known_arena. */
static int count_waiting(struct run *r, struct batch **open, struct err *e)
{
    size_t n;
    const char *results_error;
    arena_reset(&r->known_arena);
    if (state_batches_open(r->state, &r->known_arena, open, &n, e) != 0 ||
        state_get(r->state, STATE_RESULTS_ERROR, &results_error, e) != 0)
        return -1;
    r->report->results_wait = results_error != NULL;
    r->report->open_batches = n;
    r->report->waiting_rows = state_retries_n(r->state);
    if (run_number_setting(r, STATE_GIVEN_UP, &r->report->given_up, e) != 0 || count_removals(r, e) != 0)
        return -1;
    r->report->open_jobs = 0;
    for (size_t i = 0; i < n; i++) {
        r->report->waiting_rows += (*open)[i].entries_n;
        r->report->open_jobs += (*open)[i].job != NULL;
    }
    return 0;
}

int run_left_known(struct run *r, struct err *e)
{
    struct batch *open;
    return count_waiting(r, &open, e);
}

int run_left_count(struct run *r, struct err *e)
{
    struct batch *open;
    if (count_waiting(r, &open, e) != 0)
        return -1;
    for (size_t i = 0; r->read.kind != NULL && i < r->report->open_batches; i++)
        if (note_open_batch(r, &open[i], e) != 0)
            return -1;
    return 0;
}

/* Every write of the run went unanswered, and no read proved an effect: the API is unreachable rather than the rows at
 * fault. */
bool run_left_unanswered(const struct run *r, struct err *e)
{
    const struct tally *t = r->tally;
    /* A lost answer is harmless if a read shows the effect, also that of an earlier run. */
    bool proved = t->outcomes[OUTCOME_CREATED] + t->outcomes[OUTCOME_CHANGED] + t->outcomes[OUTCOME_REMOVED] + t->updated +
                      t->moved + t->settled >
                  0;
    bool left = t->outcomes[OUTCOME_FAILED] + t->outcomes[OUTCOME_DEFERRED] + t->removals_left > 0 ||
                r->report->open_batches > 0;
    return r->api != NULL && left && !proved && api_writes_unanswered(r->api, e);
}

/* True for removals of leads whose rows are missing: only a full read finds them again. Removals that a row asks for are found
 * again when the row is read again, because the watermark stays before it. */
static bool are_of_full_read(const struct run *r, const char *read_kind)
{
    return targets_policy(r->m, 0)->policy != REMOVAL_KEEP && strcmp(read_kind, "full") == 0;
}

int run_left_rows_read(struct run *r, struct err *e)
{
    const char *waiting;
    struct run_record run = {.read = "full"};
    if (state_get(r->state, STATE_REMOVALS_WAIT, &waiting, e) < 0)
        return -1;
    if (waiting == NULL)
        return 0;
    arena_reset(&r->known_arena);
    if (state_run_get(r->state, strtoull(waiting, NULL, 10), &r->known_arena, &run, e) < 0)
        return -1;
    return are_of_full_read(r, run.read) ? state_set(r->state, STATE_REMOVALS_LEFT, "1", e)
                                         : state_set(r->state, STATE_REMOVALS_WAIT, NULL, e);
}

/* Removals that wait are noted with the number of their run, from which a later run learns
 * whether only a full read finds them again. */
int run_left_removals(struct run *r, struct err *e)
{
    char text[64];
    uint64_t waiting = r->tally->removals_left + r->report->missing_waiting;
    bool full = waiting > 0 && r->read.kind != NULL && are_of_full_read(r, r->read.kind);
    snprintf(text, sizeof text, "%" PRIu64 " %" PRIu64, r->record.id, waiting);
    /* A lead was left to a row that waits now. If that row no longer wants it later, only a full read notices. */
    bool handed = r->left.hands_over && r->tally->outcomes[OUTCOME_DEFERRED] + r->tally->outcomes[OUTCOME_FAILED] > 0;
    if (r->left.owners_unread || handed) {
        log_notice("deferred rows may take over leads of other rows: the next sync reads the whole source");
        if (state_set(r->state, STATE_OWNERS_UNREAD, "1", e) != 0)
            return -1;
    }
    if (full && state_set(r->state, STATE_REMOVALS_LEFT, "1", e) != 0)
        return -1;
    if (waiting == 0)
        return 0;
    return state_set(r->state, STATE_REMOVALS_WAIT, text, e) != 0 ||
                   state_set(r->state, STATE_REMOVALS_WHY, r->report->missing_waits_for, e) != 0
               ? -1
               : 0;
}
