/* The sentences of `explain`: why the lead is where it is, and what comes next. Each state has one fate (explain_states.c), and each
 * fate one pair of sentences. */
#include "config.h"

#include "sync/cli/explain/explain.h"

#include "sync/base/text.h"
#include "sync/cli/args/select_arg.h"
#include "sync/model/lead_status.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { DAY_BYTES = 16, ARENA_BYTES = 1 << 16 };

/* "2026-11-30 22:41", UTC; empty if not known. */
static int add_day(int64_t ms, const char *before, struct buf *out)
{
    char text[TIME_TEXT_N];
    if (ms == 0)
        return 0;
    time_format(ms, text);
    text[DAY_BYTES] = '\0';
    text[10] = ' ';
    return buf_addf(out, "%s%s UTC", before, text);
}

/* The record of the entry's run, in the arena. False: it is no longer kept. */
static bool explain_run(const struct explained_state *s, const struct traced_batch *b, struct arena *arena,
                        struct run_record *run)
{
    struct err ignored = ERR_INIT;
    bool found = state_run_get(s->state, b->batch.run, arena, run, &ignored) == 1;
    err_clear(&ignored);
    return found;
}

static int64_t explain_when(const struct explained_state *s, const struct traced_batch *b)
{
    struct run_record run;
    struct arena arena;
    int64_t ms = b->batch.sent_ms;
    arena_init(&arena, ARENA_BYTES << 8);
    if (ms == 0 && explain_run(s, b, &arena, &run))
        ms = run.started_ms;
    arena_free(&arena);
    return ms;
}

/* Only runs of a sync read a source. */
static bool is_by_hand(const struct explained_state *s, const struct traced_batch *b)
{
    struct run_record run;
    struct arena arena;
    arena_init(&arena, ARENA_BYTES << 8);
    bool by_hand = explain_run(s, b, &arena, &run) && (run.read == NULL || run.read[0] == '\0');
    arena_free(&arena);
    return by_hand;
}

static int explain_why_place(const struct explain *x, const struct explained_state *s, uint32_t number, const char *before,
                             struct buf *out)
{
    struct err ignored = ERR_INIT;
    struct target t;
    struct arena arena;
    int bad = 0;
    arena_init(&arena, ARENA_BYTES);
    if (number != 0 && state_target_get(s->state, number, &arena, &t, &ignored) == 1)
        bad = buf_adds(out, before) | target_names_show(&x->names, &t, out);
    arena_free(&arena);
    err_clear(&ignored);
    return bad;
}

static int add_reason(const struct traced_batch *b, struct buf *out)
{
    const struct entry *entry = &b->entry;
    int bad = 0;
    if (entry->reason != REASON_NONE)
        bad = buf_addf(out, ": %s, %s", reason_text(entry->reason), reason_help(entry->reason));
    if (entry->detail.n > 0)
        bad |= buf_adds(out, " (") | text_show(entry->detail, 0, out) | buf_addc(out, ')');
    return bad;
}

static const struct traced_batch *open_batch(const struct explained_state *s)
{
    for (size_t i = 0; i < s->trace.batches_n; i++)
        if (s->trace.batches[i].batch.state != BATCH_DONE)
            return &s->trace.batches[i];
    return s->last;
}

static const char *op_phrase(enum op op)
{
    switch (op) {
    case OP_CREATE: return "creates";
    case OP_UPDATE: return "updates";
    case OP_MOVE: return "moves";
    case OP_REMOVE: return "removes";
    default: return "changes";
    }
}

static int why_known(const struct explain *x, const struct explained_state *s, struct buf *out)
{
    const struct known_lead *lead = &s->lead->lead;
    int bad = 0;
    if (s->made != NULL)
        bad = buf_addf(out, "run %" PRIu64 " created the lead", s->made->batch.run) |
              explain_why_place(x, s, s->made->target, " in ", out) | add_day(explain_when(s, s->made), " on ", out);
    else
        bad = buf_adds(out, (lead->flags & KNOWN_CREATED) != 0
                                ? "the sync created the lead; the results of that run are no longer kept"
                                : "the lead was in Instantly before the sync met it");
    if (s->put != NULL && (s->made == NULL || s->put->batch.id > s->made->batch.id))
        bad |= buf_addf(out, ", and run %" PRIu64 " %s it%s", s->put->batch.run,
                        s->put->batch.op == OP_MOVE ? "moved" : "changed", is_by_hand(s, s->put) ? " by hand" : "") |
               (s->put->batch.op == OP_MOVE ? explain_why_place(x, s, s->put->target, " to ", out) : 0) |
               add_day(explain_when(s, s->put), " on ", out);
    if (s->made == NULL || s->made->target != lead->target)
        bad |= explain_why_place(x, s, lead->target, "; it belongs in ", out);
    if (s->removal_waits) {
        bad |= buf_addf(out, "; since run %" PRIu64 " its removal waits", s->last->batch.run);
        if (s->last->entry.detail.n > 0)
            bad |= buf_adds(out, " (") | text_show(s->last->entry.detail, 0, out) | buf_addc(out, ')');
    }
    /* A failed or deferred row that waits no longer was done since. */
    if (s->last != NULL && (s->last->entry.outcome == OUTCOME_SKIPPED || s->last->entry.outcome == OUTCOME_REJECTED) &&
        (s->put == NULL || s->last->batch.id > s->put->batch.id))
        bad |= buf_addf(out, "; run %" PRIu64 " %s its row", s->last->batch.run,
                        s->last->entry.outcome == OUTCOME_SKIPPED ? "left out" : outcome_text(s->last->entry.outcome)) |
               add_reason(s->last, out);
    return bad;
}

/* " (row 9, line 10)"; nothing for a lead without a row. */
static int add_row_number(uint64_t row, uint64_t line, struct buf *out)
{
    int bad = row > 0 ? buf_addf(out, " (row %" PRIu64, row) : 0;
    if (row > 0 && line > 0)
        bad |= buf_addf(out, ", line %" PRIu64, line);
    return row > 0 ? bad | buf_addc(out, ')') : 0;
}

static int why_left_out(const struct explained_state *s, struct buf *out)
{
    const enum outcome outcome = s->last->entry.outcome;
    const char *verb = outcome == OUTCOME_SKIPPED    ? "left the row out"
                       : outcome == OUTCOME_REJECTED ? "rejected the row"
                       : outcome == OUTCOME_CREATED  ? "created the lead"
                       : outcome == OUTCOME_CHANGED  ? "changed the lead"
                       : outcome == OUTCOME_REMOVED  ? "removed the lead"
                                                     : "last met the lead";
    return buf_addf(out, "run %" PRIu64 " %s", s->last->batch.run, verb) |
           add_row_number(s->last->entry.row, s->last->entry.line, out) | add_day(explain_when(s, s->last), " on ", out) |
           add_reason(s->last, out);
}

/* NULL: it is no longer on record. */
static const struct traced_batch *last_removal(const struct explained_state *s)
{
    const struct traced_batch *last = NULL;
    for (size_t i = 0; i < s->trace.batches_n; i++)
        if (s->trace.batches[i].entry.outcome == OUTCOME_REMOVED)
            last = &s->trace.batches[i];
    return last;
}

static int why_removed(const struct explain *x, const struct explained_state *s, struct buf *out)
{
    const struct traced_batch *last = last_removal(s);
    if (last == NULL)
        return buf_adds(out, "the sync removed the lead; the results of that run are no longer kept");
    int bad = buf_addf(out, "run %" PRIu64 " removed the lead", last->batch.run);
    if (last->batch.op == OP_MOVE)
        bad |= explain_why_place(x, s, last->target, " by moving it to ", out);
    bad |= add_day(explain_when(s, last), " on ", out);
    if (is_by_hand(s, last))
        return bad | buf_adds(out, ", by hand");
    return bad | (last->entry.reason != REASON_NONE || last->entry.detail.n > 0
                      ? add_reason(last, out)
                      : buf_adds(out, ": its row was missing from the source"));
}

static int why_waits(const struct explained_state *s, struct buf *out)
{
    const struct entry *entry = &s->trace.retries[0].entry;
    if (s->last == NULL)
        return buf_adds(out, "the row waits to be sent again");
    return buf_addf(out, "run %" PRIu64 " could not finish the row", s->last->batch.run) | add_reason(s->last, out) |
           (entry->attempts > 0 ? buf_addf(out, ", %u failed attempt%s", entry->attempts, text_plural(entry->attempts)) : 0);
}

static int why_open(const struct explained_state *s, struct buf *out)
{
    const struct traced_batch *b = open_batch(s);
    return buf_addf(out, "run %" PRIu64 " has a request that %s the lead", b->batch.run, op_phrase(b->batch.op)) |
           add_day(b->batch.sent_ms, ", sent on ", out) |
           (b->batch.job != NULL ? buf_addf(out, ", background job %s", b->batch.job) : 0) |
           buf_adds(out, ", and its outcome is not known yet");
}

static const char *status_words(int status)
{
    return status == LEAD_STATUS_BOUNCED        ? "the person's address bounced"
           : status == LEAD_STATUS_UNSUBSCRIBED ? "the person unsubscribed"
                                                : "Instantly skipped the person";
}

int explain_why(const struct explain *x, const struct explained_state *s, struct buf *out)
{
    switch (s->fate) {
    case FATE_FORGOTTEN:
        return buf_adds(out, "the person was forgotten with leadsync forget") | add_day(s->forgotten_ms, " on ", out) |
               (s->forgotten_by != NULL ? buf_adds(out, " by ") | text_show(str_from(s->forgotten_by), 0, out) : 0);
    case FATE_OPEN: return why_open(s, out);
    case FATE_WAITS: return why_waits(s, out);
    case FATE_KNOWN: return why_known(x, s, out);
    case FATE_REMOVED: return why_removed(x, s, out);
    case FATE_DELETED:
        if (s->last != NULL && s->last->entry.outcome == OUTCOME_REMOVED)
            return buf_addf(out, "run %" PRIu64 " deleted the lead by hand (leadsync leads delete)", s->last->batch.run) |
                   add_day(explain_when(s, s->last), " on ", out);
        return buf_adds(out, "the lead was deleted in Instantly");
    case FATE_LEFT_OUT: return why_left_out(s, out);
    case FATE_REFUSED:
        return buf_addf(out, "an earlier run could not add the row: %s, %s", reason_text(s->lead->reason),
                        reason_help(s->lead->reason)) |
               add_day(s->lead->refused_ms, ", on ", out);
    case FATE_STATUS: return buf_addf(out, "%s; nothing else is known here", status_words(s->trace.status));
    case FATE_NOTHING: break;
    }
    return buf_adds(out, "nothing is known of it");
}

/* A lead whose sync skipped a row last may have another row, which is not left out. */
static int next_after_skip(const struct explained_state *s, struct buf *out)
{
    const struct traced_batch *skipped = s->last, *kept = s->put != NULL ? s->put : s->made;
    if (s->fate != FATE_KNOWN || skipped->entry.reason != REASON_DUPLICATE_IN_SOURCE || skipped->entry.row == 0)
        return buf_adds(out, "the next sync leaves the row out again, unless the row or the mapping changes");
    int bad = buf_addf(out, "with the same source, row %" PRIu64 " is left out again; ", skipped->entry.row);
    /* Row numbers of an earlier run may be of another file. */
    if (kept != NULL && kept->batch.run == skipped->batch.run && kept->entry.row > 0)
        bad |= buf_addf(out, "row %" PRIu64, kept->entry.row);
    else
        bad |= buf_adds(out, "the other row of the lead");
    return bad | buf_adds(out, " is kept up to date");
}

static int next_after_removal(const struct explained_state *s, struct buf *out)
{
    const struct traced_batch *last = last_removal(s);
    if (s->last != NULL && s->last->entry.outcome == OUTCOME_SKIPPED)
        return next_after_skip(s, out);
    if ((s->lead->lead.flags & KNOWN_AWAY) != 0)
        return buf_adds(out, "if the row comes back, the next sync moves the lead back");
    /* Undone by hand: the row need not have left the source. */
    return buf_adds(out, last != NULL && is_by_hand(s, last)
                             ? "if the row is still in the source, the next sync creates the lead again"
                             : "if the row comes back, the next sync creates the lead again");
}

/* An open request comes first, and a ban has its own way out, whatever the rows say. */
bool explain_next_is_planned(const struct explain *x, const struct explained_state *s)
{
    return x->rows_n > 0 && s->fate != FATE_OPEN && s->fate != FATE_FORGOTTEN && s->fate != FATE_DELETED;
}

static int next_of_rows(const struct explain *x, struct buf *out)
{
    int bad = 0;
    for (size_t i = 0; i < x->rows_n; i++)
        bad |= buf_addf(out, "%srow %" PRIu64 ": ", i > 0 ? "; " : "", x->rows[i].row) |
               text_show(x->rows[i].decision, 0, out);
    return bad;
}

int explain_next(const struct explain *x, const struct explained_state *s, struct buf *out)
{
    if (explain_next_is_planned(x, s))
        return next_of_rows(x, out);
    switch (s->fate) {
    case FATE_FORGOTTEN:
        return buf_adds(out, "the next sync leaves the row out; leadsync leads delete removes a lead that Instantly still "
                             "has, and leadsync forget --undo allows the person again");
    case FATE_OPEN: return buf_adds(out, "the next sync, or leadsync resume, first finds out what the request did");
    case FATE_WAITS: return buf_adds(out, "the next sync sends the row again, if the source still has it");
    case FATE_KNOWN:
        if (s->removal_waits)
            return buf_adds(out,
                            "the next full read removes the lead if the source still has no row of it and nothing holds the "
                            "removal back; leadsync status says what does");
        if (x->read)
            return buf_adds(out, "the source has no row of the lead; leadsync diff says whether the next sync removes it");
        if (s->last != NULL && s->last->entry.outcome == OUTCOME_SKIPPED)
            return next_after_skip(s, out);
        return buf_adds(out,
                        "the next sync does nothing while the row is unchanged, and updates the lead when the row changes");
    case FATE_REMOVED: return next_after_removal(s, out);
    case FATE_DELETED: return buf_adds(out, "the next sync does not create the lead again; leadsync sync --recreate does");
    case FATE_LEFT_OUT:
        /* Of a run that was killed only the journal knows it. */
        if (s->last->entry.outcome == OUTCOME_CREATED || s->last->entry.outcome == OUTCOME_CHANGED ||
            s->last->entry.outcome == OUTCOME_REMOVED)
            return buf_adds(out, "the next sync, or leadsync resume, first takes this from the journal into the state");
        return buf_adds(out, "the next sync leaves the row out again, unless the row or the mapping changes");
    case FATE_REFUSED:
        return buf_adds(out, "the next sync tries again when the row changes, after retry_refused:, or with --full");
    case FATE_STATUS: return buf_adds(out, "the next sync does not make the person active again");
    case FATE_NOTHING: break;
    }
    return buf_adds(out, "the next sync creates the lead if the source has its row");
}

/* ---- the headline ---- */

/* Is the lead where the state believes it to be? */
static bool is_remembered(const struct explained_state *s, const struct explained_lead *lead)
{
    struct err ignored = ERR_INIT;
    struct target t;
    struct arena arena;
    bool same = false;
    if (s == NULL || s->fate != FATE_KNOWN || !lead->has_place)
        return false;
    arena_init(&arena, ARENA_BYTES);
    if (state_target_get(s->state, s->lead->lead.target, &arena, &t, &ignored) == 1)
        same = target_eq(&t, &lead->place);
    arena_free(&arena);
    err_clear(&ignored);
    return same;
}

static int add_now(const struct explain *x, const struct explained_state *s, struct buf *out)
{
    char word[SELECT_STATUS_TEXT_N];
    int bad = 0;
    if (!x->asked)
        return 0;
    if (x->leads_n == 0)
        return buf_adds(out, s != NULL && s->fate == FATE_KNOWN ? "; but Instantly has no such lead now"
                                                                : "; Instantly has no such lead now");
    if (x->leads_n == 1 && is_remembered(s, &x->leads[0]))
        return buf_adds(out, x->leads[0].status < 0 ? "; it is there now, but " : "; it is there now") |
               (x->leads[0].status < 0 ? buf_adds(out, status_words(x->leads[0].status)) : 0);
    bad = buf_adds(out, "; now it is in ");
    for (size_t i = 0; i < x->leads_n; i++) {
        bad |= buf_adds(out, i == 0 ? "" : i + 1 < x->leads_n ? ", " : " and ");
        bad |= x->leads[i].has_place ? target_names_show(&x->names, &x->leads[i].place, out)
                                     : buf_adds(out, "no campaign and no list");
        if (x->leads[i].status < 0)
            bad |= buf_addf(out, " (%s)", select_arg_status_text(x->leads[i].status, word));
    }
    return bad;
}

static int add_row(const struct explain *x, struct buf *out)
{
    if (!x->read || x->rows_n > 0)
        return 0;
    return buf_addf(out, "; the source has no row of it (%" PRIu64 " row%s read)", x->rows_read, text_plural(x->rows_read));
}

/* The commands that find a name, or an address that is not valid, in what the state keeps and in the source. */
static int add_searches(const struct explain *x, struct buf *out)
{
    const struct str sync = x->sync_words.n > 0 ? x->sync_words : STR("SYNC");
    char *who = strndup(x->who.p, x->who.n);
    int bad = who == NULL
                  ? -1
                  : buf_addf(out,
                             " as an address, a row key, a lead id or a cell of a rejected row; the source is searched with "
                             "leadsync diff %.*s --match ",
                             STR_ARG(sync)) |
                        opt_show_quoted(who, out) | buf_adds(out, ", earlier runs with leadsync results --match ") |
                        opt_show_quoted(who, out);
    free(who);
    return bad;
}

int explain_sentence(const struct explain *x, struct buf *out)
{
    const struct explained_state *s = explain_states_first(x);
    int bad = text_show(x->who, 0, out) | buf_adds(out, ": ");
    if (s == NULL && x->rows_n > 0 && x->rows[0].left_out.n > 0)
        bad |= buf_adds(out, "the mapping leaves its row out") | add_row_number(x->rows[0].row, x->rows[0].line, out) |
               buf_adds(out, ": ") | text_show(x->rows[0].left_out, 0, out);
    else if (s == NULL && x->rows_n > 0)
        bad |= buf_addf(out, "row %" PRIu64 " of the source has it, and no run has met that row yet", x->rows[0].row);
    else if (s == NULL)
        bad |= buf_addf(out, "no state knows it (%zu looked into)", x->looked_into) |
               (x->query.person.address.n == 0 && x->query.lead_id == NULL ? add_searches(x, out) : 0);
    else
        bad |= explain_why(x, s, out);
    return bad | add_now(x, s, out) | add_row(x, out);
}
