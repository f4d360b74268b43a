/* What became of the leads of a by-hand command. JSON has everything; the text names those that did not go as meant. */
#include "config.h"

#include "sync/cli/leads/by_hand.h"

#include "sync/base/jsonw.h"
#include "sync/base/text.h"
#include "sync/cli/args/select_arg.h"
#include "sync/report/table.h"

#include <inttypes.h>
#include <string.h>

const char *const by_hand_formats[] = {"text", "json", "ndjson", "csv", NULL};

enum { TEXT_LEADS = 50, PLACE_BYTES = 1 << 16 };
enum column { C_ID, C_EMAIL, C_PLACE, C_OUTCOME, C_REASON, C_HTTP_STATUS, C_DETAIL, COLUMN_N };
static const char *const column_names[COLUMN_N] = {"lead_id", "email", "in", "outcome", "reason", "http_status", "detail"};
static const enum table_yield column_yield[COLUMN_N] = {
    [C_ID] = TABLE_YIELDS, [C_PLACE] = TABLE_REPEATS, [C_HTTP_STATUS] = TABLE_YIELDS};

struct record {
    struct str v[COLUMN_N];
    char id[UUID_TEXT_N], place[TARGET_TEXT_N], http[16];
};

static void make_record(const struct edited_lead *lead, struct record *r)
{
    memset(r, 0, sizeof *r);
    if (lead->has_id)
        r->v[C_ID] = str_from(uuid_format(&lead->id, r->id));
    r->v[C_EMAIL] = lead->email;
    if (lead->has_place)
        r->v[C_PLACE] = str_from(target_format(&lead->place, r->place));
    r->v[C_OUTCOME] = str_from(outcome_text(lead->outcome));
    r->v[C_REASON] = str_from(reason_text(lead->reason));
    if (lead->http_status > 0) {
        snprintf(r->http, sizeof r->http, "%d", lead->http_status);
        r->v[C_HTTP_STATUS] = str_from(r->http);
    }
    r->v[C_DETAIL] = lead->detail;
}

/* ---- records ---- */

static void write_lead(struct jsonw *w, const struct edited_lead *lead)
{
    struct record r;
    make_record(lead, &r);
    jsonw_object(w);
    for (size_t c = 0; c < COLUMN_N; c++) {
        jsonw_key(w, column_names[c]);
        if (r.v[c].n == 0)
            jsonw_null(w);
        else if (c == C_HTTP_STATUS)
            jsonw_raw(w, r.v[c]);
        else
            jsonw_str(w, r.v[c]);
    }
    jsonw_object_end(w);
}

static int report_ndjson(const struct lead_edit *edit, struct out *out, struct err *e)
{
    for (size_t i = 0; i < edit->leads_n; i++) {
        struct jsonw w;
        jsonw_init_output(&w, &out->text);
        write_lead(&w, &edit->leads[i]);
        if (jsonw_end(&w) != 0 || buf_addc(&out->text, '\n') != 0)
            return err_oom(e);
        if (out_flush(out, false, e) != 0)
            return -1;
    }
    return 0;
}

static int report_csv(const struct lead_edit *edit, struct out *out, struct err *e)
{
    bool first = true;
    int bad = 0;
    for (size_t c = 0; c < COLUMN_N; c++)
        bad |= out_csv_cell(out, &first, ',', str_from(column_names[c]), false);
    bad |= out_csv_end(out, &first);
    for (size_t i = 0; i < edit->leads_n && bad == 0; i++) {
        struct record r;
        make_record(&edit->leads[i], &r);
        for (size_t c = 0; c < COLUMN_N; c++)
            bad |= out_csv_cell(out, &first, ',', r.v[c], false);
        bad |= out_csv_end(out, &first);
        if (bad == 0 && out_flush(out, false, e) != 0)
            return -1;
    }
    return bad == 0 ? 0 : err_oom(e);
}

/* ---- the whole ---- */

static void count(struct jsonw *w, const char *key, int64_t n)
{
    jsonw_key(w, key);
    if (n < 0)
        jsonw_null(w);
    else
        jsonw_int(w, n);
}

static void write_job(struct jsonw *w, const struct lead_edit_job *job)
{
    jsonw_object(w);
    jsonw_key(w, "id");
    jsonw_text(w, job->id);
    jsonw_key(w, "status");
    jsonw_str(w, job->status);
    count(w, "total", job->total);
    count(w, "moved", job->moved);
    count(w, "duplicated", job->duplicated);
    count(w, "missing_email", job->missing_email);
    count(w, "in_other_campaigns", job->in_other_campaigns);
    count(w, "blocklisted", job->blocklisted);
    jsonw_object_end(w);
}

/* Of a move: proved in the destination, somebody with the address was there, and not found in the source any more. */
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
    jsonw_key(w, "outcomes");
    jsonw_object(w);
    for (int o = OUTCOME_NONE + 1; o < OUTCOME_N; o++) {
        jsonw_key(w, outcome_text((enum outcome)o));
        jsonw_uint(w, lead_edit_count(edit, (enum outcome)o));
    }
    jsonw_object_end(w);
}

static int report_json(const struct by_hand_call *call, bool written, enum exit_status status, struct buf *out)
{
    const struct lead_edit *edit = &call->edit;
    struct jsonw w;
    jsonw_init_output(&w, out);
    jsonw_object(&w);
    count(&w, "version", 1);
    jsonw_key(&w, "command");
    jsonw_text(&w, call->inv->command->name);
    jsonw_key(&w, "dry_run");
    jsonw_bool(&w, call->inv->common.dry_run);
    count(&w, "run", written && edit->run != 0 ? (int64_t)edit->run : -1);
    count(&w, "selected", (int64_t)edit->leads_n);
    write_counts(&w, edit);
    if (strcmp(call->inv->command->name, "move") == 0) {
        struct move_counts n = count_moves(edit);
        count(&w, "moved", (int64_t)n.moved);
        count(&w, "duplicated", (int64_t)n.duplicated);
        count(&w, "missing", (int64_t)n.missing);
    }
    if (strcmp(call->inv->command->name, "leads delete") == 0)
        count(&w, "not_there", (int64_t)count_missing(edit));
    jsonw_key(&w, "jobs");
    jsonw_array(&w);
    for (size_t i = 0; i < edit->jobs_n; i++)
        write_job(&w, &edit->jobs[i]);
    jsonw_array_end(&w);
    jsonw_key(&w, "leads");
    jsonw_array(&w);
    for (size_t i = 0; i < edit->leads_n; i++)
        write_lead(&w, &edit->leads[i]);
    jsonw_array_end(&w);
    count(&w, "exit_code", (int64_t)status);
    jsonw_object_end(&w);
    return jsonw_end(&w) | buf_addc(out, '\n');
}

/* ---- text ---- */

static enum table_colour colour_of(enum outcome outcome)
{
    switch (outcome) {
    case OUTCOME_CREATED:
    case OUTCOME_CHANGED:
    case OUTCOME_REMOVED: return TABLE_GREEN;
    case OUTCOME_REJECTED:
    case OUTCOME_FAILED: return TABLE_RED;
    case OUTCOME_DEFERRED: return TABLE_YELLOW;
    default: return TABLE_PLAIN;
    }
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
        bad |= buf_addf(out, "%s%zu %s", between, n, outcome_text((enum outcome)o));
        between = ", ";
    }
    if (missing > 0) {
        bad |= buf_addf(out, "%s%zu not there any more", between, missing);
        between = ", ";
    }
    size_t meant = by_hand_open_n(edit);
    if (meant > 0)
        bad |= buf_addf(out, "%s%zu meant, nothing was changed", between, meant);
    bad |= buf_addc(out, '\n');
    for (size_t i = 0; i < edit->jobs_n; i++) {
        const struct lead_edit_job *job = &edit->jobs[i];
        bad |= buf_addf(out, "job %s: ", job->id) | text_show(job->status, 0, out);
        if (job->moved >= 0)
            bad |= buf_addf(out, ", %" PRId64 " moved", job->moved);
        if (job->duplicated > 0)
            bad |= buf_addf(out, ", %" PRId64 " there already", job->duplicated);
        bad |= buf_addc(out, '\n');
    }
    return bad;
}

static bool is_plain(const struct edited_lead *lead)
{
    return lead->outcome == OUTCOME_CREATED || lead->outcome == OUTCOME_CHANGED || lead->outcome == OUTCOME_REMOVED ||
           lead->outcome == OUTCOME_NONE || lead->missing;
}

/* Records have the id of where a lead is, people read its name. */
static int show_place(struct lead_edit *edit, const struct edited_lead *lead, struct buf *place, struct record *r)
{
    buf_reset(place);
    int bad = lead->has_place ? lead_edit_place_show(edit, &lead->place, place) : 0;
    r->v[C_PLACE] = buf_str(place);
    return bad;
}

/* A few are all shown; of many, those that did not go as meant. */
static int report_text(struct by_hand_call *call, struct buf *out)
{
    struct lead_edit *edit = &call->edit;
    struct table t;
    struct buf place = BUF_INIT(PLACE_BYTES);
    size_t shown = 0, left = 0;
    int bad = head(call, out);
    table_init(&t, COLUMN_N, NULL);
    t.hide_empty = true;
    t.yield = column_yield;
    t.records_below = TABLE_READABLE;
    for (size_t c = 0; c < COLUMN_N; c++)
        bad |= table_add(&t, str_from(column_names[c]), TABLE_DIM);
    for (size_t i = 0; i < edit->leads_n; i++) {
        struct record r;
        if (edit->leads_n > TEXT_LEADS && is_plain(&edit->leads[i]))
            continue;
        if (shown == TEXT_LEADS) {
            left++;
            continue;
        }
        make_record(&edit->leads[i], &r);
        bad |= show_place(edit, &edit->leads[i], &place, &r);
        for (size_t c = 0; c < COLUMN_N; c++)
            bad |= table_add(&t, r.v[c], c == C_OUTCOME ? colour_of(edit->leads[i].outcome) : TABLE_PLAIN);
        shown++;
    }
    if (shown > 0)
        bad |= table_print(&t, call->inv->common.columns, call->inv->common.colour_out, out);
    if (left > 0)
        bad |= buf_addf(out, "... and %zu more (--format json lists them)\n", left);
    table_free(&t);
    buf_free(&place);
    return bad;
}

int by_hand_report(struct by_hand_call *call, bool written, enum exit_status status, struct out *out, struct err *e)
{
    int rc = 0;
    switch (call->inv->common.format) {
    case FORMAT_TEXT:
        rc = call->inv->common.quiet || report_text(call, &out->text) == 0 ? 0 : err_oom(e);
        break;
    case FORMAT_JSON:
        rc = report_json(call, written, status, &out->text) == 0 ? 0 : err_oom(e);
        break;
    case FORMAT_NDJSON:
        rc = report_ndjson(&call->edit, out, e);
        break;
    case FORMAT_CSV:
        rc = report_csv(&call->edit, out, e);
        break;
    }
    return rc == 0 ? out_commit(out, e) : -1;
}
