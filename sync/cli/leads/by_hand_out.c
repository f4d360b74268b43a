/* The report of a command by hand: what happened to its leads. JSON has all of them, text those that did not go as planned. */
#include "config.h"

#include "sync/cli/leads/by_hand.h"

#include "sync/base/jsonw.h"
#include "sync/base/opt.h"
#include "sync/base/text.h"
#include "sync/cli/args/run_words.h"
#include "sync/cli/args/select_arg.h"

#include <inttypes.h>
#include <string.h>

const char *const by_hand_formats[] = {"text", "json", "ndjson", "csv", NULL};

enum { TEXT_LEADS = 50, PLACE_BYTES = 1 << 16 };

enum column { C_ID, C_EMAIL, C_PLACE, C_OUTCOME, C_REASON, C_HTTP_STATUS, C_DETAIL, COLUMN_N };
static const struct record_column columns[COLUMN_N] = {
    [C_ID] = {RECORD_NAME("lead_id"), .yield = TABLE_YIELDS},
    [C_EMAIL] = {RECORD_NAME("email")},
    [C_PLACE] = {RECORD_NAME("in"), .yield = TABLE_REPEATS},
    [C_OUTCOME] = {RECORD_NAME("outcome")},
    [C_REASON] = {RECORD_NAME("reason")},
    [C_HTTP_STATUS] = {RECORD_NAME("http_status"), .kind = RECORD_NUMBER, .yield = TABLE_YIELDS},
    [C_DETAIL] = {RECORD_NAME("detail")},
};
/* clang-format off */
static const struct record_layout layout = {
    .columns = columns, .columns_n = COLUMN_N, .none = "", .hide_empty = true, .records_below = TABLE_READABLE};
/* clang-format on */

static void by_hand_fill(struct record_writer *w, const struct edited_lead *lead)
{
    record_uuid(w, C_ID, lead->has_id ? &lead->id : NULL);
    record_str(w, C_EMAIL, lead->email);
    record_target(w, C_PLACE, lead->has_place ? &lead->place : NULL);
    record_text(w, C_OUTCOME, outcome_text(lead->outcome));
    /* Removing a lead is what the user asked for, and good news here. */
    record_colour(w, C_OUTCOME, lead->outcome == OUTCOME_REMOVED ? TABLE_GREEN : record_outcome_colour(lead->outcome));
    record_text(w, C_REASON, reason_text(lead->reason));
    record_ordinal(w, C_HTTP_STATUS, (uint64_t)lead->http_status);
    record_str(w, C_DETAIL, lead->detail);
}

/* NDJSON and CSV: the leads, and nothing else. */
static int report_leads(const struct lead_edit *edit, struct out *out, struct err *e)
{
    for (size_t i = 0; i < edit->leads_n; i++) {
        by_hand_fill(&out->records, &edit->leads[i]);
        if (out_record(out, e) != 0)
            return -1;
    }
    return out_records_end(out, e);
}

/* ---- the whole ---- */

static void write_job(struct jsonw *w, const struct upload_job *job)
{
    jsonw_object(w);
    jsonw_member_text(w, "id", job->id);
    jsonw_member_text(w, "status", job->status);
    jsonw_member_count(w, "total", job->total);
    jsonw_member_count(w, "moved", job->moved);
    jsonw_member_count(w, "duplicated", job->duplicated);
    jsonw_member_count(w, "missing_email", job->missing_email);
    jsonw_member_count(w, "in_other_campaigns", job->in_other_campaigns);
    jsonw_member_count(w, "blocklisted", job->blocklisted);
    jsonw_object_end(w);
}

/* Counts of a move: leads proved in the destination, leads whose address the destination had, and leads no longer in the source. */
struct move_counts {
    uint64_t moved, duplicated, missing;
};

static struct move_counts count_moves(const struct lead_edit *edit)
{
    struct move_counts n = {0};
    for (size_t i = 0; i < edit->leads_n; i++) {
        n.moved += edit->leads[i].outcome == OUTCOME_CHANGED;
        n.duplicated += edit->leads[i].reason == REASON_EXISTS_IN_TARGET;
        n.missing += edit->leads[i].reason == REASON_GONE_THERE;
    }
    return n;
}

/* Of those that a run created: gone before we came. In JSON they are among the skipped. */
static size_t count_missing(const struct lead_edit *edit)
{
    size_t n = 0;
    for (size_t i = 0; i < edit->leads_n; i++)
        n += edit->leads[i].missing;
    return n;
}

static void write_counts(struct jsonw *w, const struct lead_edit *edit)
{
    jsonw_member_object(w, "outcomes");
    for (int o = OUTCOME_NONE + 1; o < OUTCOME_N; o++)
        jsonw_member_uint(w, outcome_text((enum outcome)o), lead_edit_count(edit, (enum outcome)o));
    jsonw_object_end(w);
}

static int report_json(const struct by_hand_call *call, bool written, enum exit_status status, struct out *out)
{
    const struct lead_edit *edit = &call->edit;
    struct jsonw w;
    int bad = 0;
    jsonw_init_output(&w, &out->text);
    jsonw_object(&w);
    jsonw_member_count(&w, "version", 1);
    jsonw_member_text(&w, "command", call->inv->command->name);
    jsonw_member_bool(&w, "dry_run", call->inv->common.dry_run);
    jsonw_member_count(&w, "run", written && edit->run != 0 ? (int64_t)edit->run : -1);
    jsonw_member_count(&w, "selected", (int64_t)edit->leads_n);
    write_counts(&w, edit);
    if (strcmp(call->inv->command->name, "move") == 0) {
        struct move_counts n = count_moves(edit);
        jsonw_member_count(&w, "moved", (int64_t)n.moved);
        jsonw_member_count(&w, "duplicated", (int64_t)n.duplicated);
        jsonw_member_count(&w, "missing", (int64_t)n.missing);
    }
    if (strcmp(call->inv->command->name, "leads delete") == 0)
        jsonw_member_count(&w, "not_there", (int64_t)count_missing(edit));
    jsonw_member_array(&w, "jobs");
    const struct upload_job *job;
    for (size_t i = 0; (job = lead_edit_job(edit, i)) != NULL; i++)
        write_job(&w, job);
    jsonw_array_end(&w);
    jsonw_member_array(&w, "leads");
    for (size_t i = 0; i < edit->leads_n; i++) {
        by_hand_fill(&out->records, &edit->leads[i]);
        bad |= record_into(&out->records, &w);
    }
    jsonw_array_end(&w);
    jsonw_member_count(&w, "exit_code", (int64_t)status);
    jsonw_object_end(&w);
    return bad | jsonw_end(&w) | buf_addc(&out->text, '\n');
}

/* ---- text ---- */

/* What the command did with leads of this outcome; OUTCOME_NONE: what it would do. */
static const char *done_word(const struct by_hand_call *call, enum outcome outcome)
{
    const char *name = call->inv->command->name;
    bool moves = strcmp(name, "move") == 0 && !call->move.copy;
    if (outcome != OUTCOME_NONE && outcome != OUTCOME_CHANGED)
        return outcome_text(outcome);
    return moves                               ? "moved"
           : outcome == OUTCOME_CHANGED        ? outcome_text(outcome)
           : strcmp(name, "move") == 0         ? "copied"
           : strcmp(name, "leads delete") == 0 ? "deleted"
           : strcmp(name, "leads merge") == 0  ? "merged"
                                               : "changed";
}

static int head(const struct by_hand_call *call, struct buf *out)
{
    const struct lead_edit *edit = &call->edit;
    int bad = buf_addf(out, "%zu lead%s", edit->leads_n, edit->leads_n == 1 ? "" : "s");
    const char *between = ": ";
    size_t missing = count_missing(edit);
    for (int o = OUTCOME_NONE + 1; o < OUTCOME_N; o++) {
        size_t n = lead_edit_count(edit, (enum outcome)o) - (o == OUTCOME_SKIPPED ? missing : 0);
        if (n == 0)
            continue;
        bad |= buf_addf(out, "%s%zu %s", between, n, done_word(call, (enum outcome)o));
        between = ", ";
    }
    if (missing > 0) {
        bad |= buf_addf(out, "%s%zu no longer in Instantly", between, missing);
        between = ", ";
    }
    size_t would = by_hand_open_n(edit);
    if (would > 0)
        bad |= buf_addf(out, "%s%zu would be %s; nothing was changed", between, would, done_word(call, OUTCOME_NONE));
    bad |= buf_addc(out, '\n');
    const struct upload_job *job;
    for (size_t i = 0; (job = lead_edit_job(edit, i)) != NULL; i++) {
        bad |= buf_addf(out, "job %s: ", job->id) | text_show(str_from(job->status), 0, out);
        if (job->moved >= 0)
            bad |= buf_addf(out, ", %" PRId64 " moved", job->moved);
        if (job->duplicated > 0)
            bad |= buf_addf(out, ", %" PRId64 " already in the destination", job->duplicated);
        bad |= buf_addc(out, '\n');
    }
    return bad;
}

static bool is_plain(const struct edited_lead *lead)
{
    return lead->outcome == OUTCOME_CREATED || lead->outcome == OUTCOME_CHANGED || lead->outcome == OUTCOME_REMOVED ||
           lead->outcome == OUTCOME_NONE || lead->missing;
}

/* Where the lead is, by name: the other formats have the id. */
static int fill_place(struct lead_edit *edit, const struct edited_lead *lead, struct record_writer *w)
{
    struct buf place = BUF_INIT(PLACE_BYTES);
    int bad = lead->has_place ? lead_edit_place_show(edit, &lead->place, &place) : 0;
    record_copy(w, C_PLACE, buf_str(&place));
    buf_free(&place);
    return bad;
}

/* Which run it was, and the command that shows its leads with old and new values later. */
static int by_hand_add_run(struct by_hand_call *call, struct buf *out, struct err *e)
{
    const struct common *c = &call->inv->common;
    struct lead_edit *edit = &call->edit;
    struct buf words = BUF_INIT(PLACE_BYTES);
    int rc = run_words_show_sync(edit->state, call->sync, &words, e);
    /* No run names a SYNC, or --state is enough. */
    if (rc == 0 && call->sync == NULL && (c->state != NULL || str_is(buf_str(&words), "SYNC")))
        buf_reset(&words);
    int bad = rc != 0 ? 0 : buf_addf(out, "recorded as run %llu of sync ", (unsigned long long)edit->run);
    if (rc == 0) {
        bad |= text_show(str_from(state_sync(edit->state)), 0, out);
        bad |= buf_addf(out, "; leadsync results %.*s%s--run %llu", STR_ARG(buf_str(&words)), words.n > 0 ? " " : "",
                        (unsigned long long)edit->run);
    }
    if (rc == 0 && c->state != NULL)
        bad |= buf_adds(out, " --state ") | opt_show_quoted(c->state, out);
    if (rc == 0)
        bad |= buf_adds(out, " lists its leads, and what changed in them\n");
    buf_free(&words);
    return rc != 0 ? -1 : bad != 0 ? err_oom(e) : 0;
}

/* Undoing a run leaves its rows in the source, and unlike other deletions does not keep the sync from adding them. */
static int add_comes_back(const struct by_hand_call *call, struct buf *out)
{
    if (!call->of_run || lead_edit_count(&call->edit, OUTCOME_REMOVED) == 0)
        return 0;
    return buf_adds(out,
                    "a later sync creates these leads again while their rows are in the source; take the rows out, or use "
                    "leadsync forget EMAIL\n");
}

/* Lists all leads if they are few; of many, those that did not go as meant. */
static int report_text(struct by_hand_call *call, struct out *out)
{
    struct lead_edit *edit = &call->edit;
    struct record_writer *w = &out->records;
    size_t left = 0;
    int bad = head(call, &out->text);
    for (size_t i = 0; i < edit->leads_n; i++) {
        if (edit->leads_n > TEXT_LEADS && is_plain(&edit->leads[i]))
            continue;
        if (w->n == TEXT_LEADS) {
            left++;
            continue;
        }
        by_hand_fill(w, &edit->leads[i]);
        bad |= fill_place(edit, &edit->leads[i], w) | record_end(w);
    }
    bad |= record_finish(w);
    if (left > 0)
        bad |= buf_addf(&out->text, "... and %zu more (--format json lists them)\n", left);
    return bad;
}

int by_hand_report(struct by_hand_call *call, bool written, enum exit_status status, struct out *out, struct err *e)
{
    const struct common *c = &call->inv->common;
    int rc = out_records(out, c, &layout, e);
    if (rc != 0)
        return -1;
    switch (c->output.format) {
    case FORMAT_TEXT:
        rc = c->quiet || report_text(call, out) == 0 ? 0 : err_oom(e);
        if (rc == 0 && !c->quiet && written && call->edit.run != 0 && call->edit.state != NULL)
            rc = by_hand_add_run(call, &out->text, e);
        if (rc == 0 && !c->quiet && written && add_comes_back(call, &out->text) != 0)
            rc = err_oom(e);
        break;
    case FORMAT_JSON: rc = report_json(call, written, status, out) == 0 ? 0 : err_oom(e); break;
    case FORMAT_NDJSON:
    case FORMAT_CSV:
    case FORMAT_HTML: rc = report_leads(&call->edit, out, e); break;
    }
    return rc == 0 ? out_commit(out, e) : -1;
}
