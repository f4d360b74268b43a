#include "config.h"

#include "sync/cli/jobs/job_list.h"

#include "sync/cli/out.h"

const char *const job_list_formats[] = {"text", "json", "ndjson", "csv", NULL};

enum column {
    C_ID,
    C_TYPE,
    C_STATUS,
    C_PROGRESS,
    C_TOTAL,
    C_SUCCESS,
    C_FAILED,
    C_FROM,
    C_TO,
    C_RUN,
    C_CREATED,
    C_UPDATED,
    C_OPEN,
    COLUMN_N
};

/* JSON has the members of job_view_json(). The id stays in a narrow table: `jobs show` wants it. */
static const struct record_column columns[COLUMN_N] = {
    [C_ID] = {RECORD_NAME("id")},
    [C_TYPE] = {RECORD_NAME("type"), .yield = TABLE_REPEATS},
    [C_STATUS] = {RECORD_NAME("status")},
    [C_PROGRESS] = {RECORD_NAME("progress"), .align = TABLE_RIGHT},
    [C_TOTAL] = {RECORD_NAME("total"), .align = TABLE_RIGHT},
    [C_SUCCESS] = {RECORD_NAME("success"), .align = TABLE_RIGHT},
    [C_FAILED] = {RECORD_NAME("failed"), .align = TABLE_RIGHT},
    [C_FROM] = {RECORD_NAME("from"), .yield = TABLE_REPEATS},
    [C_TO] = {RECORD_NAME("to"), .yield = TABLE_REPEATS},
    [C_RUN] = {RECORD_NAME("run"), .align = TABLE_RIGHT},
    [C_CREATED] = {RECORD_NAME("created_at"), .yield = TABLE_YIELDS},
    [C_UPDATED] = {RECORD_NAME("updated_at"), .yield = TABLE_YIELDS},
    [C_OPEN] = {RECORD_NAME("not settled"), .align = TABLE_RIGHT, .left_out = RECORD_NOT_CSV},
};

static enum table_colour colour_of(const struct job_view *view)
{
    return job_view_failed(view) ? TABLE_RED : job_view_open(view) ? TABLE_YELLOW : TABLE_GREEN;
}

static void job_list_fill(struct record_writer *w, const struct job_view *view)
{
    record_text(w, C_ID, view->id);
    record_text(w, C_TYPE, view->type);
    record_text(w, C_STATUS, view->status);
    record_colour(w, C_STATUS, colour_of(view));
    record_count(w, C_PROGRESS, view->progress);
    record_count(w, C_TOTAL, view->total);
    record_count(w, C_SUCCESS, view->success);
    record_count(w, C_FAILED, view->failed);
    record_text(w, C_FROM, view->from);
    record_text(w, C_TO, view->to);
    record_ordinal(w, C_RUN, view->run);
    record_time(w, C_CREATED, view->created_ms);
    record_time(w, C_UPDATED, view->updated_ms);
    record_ordinal(w, C_OPEN, view->open_rows);
}

static int print_jobs(struct out *out, struct state *state, struct job_views *views, struct err *e)
{
    struct record_writer *w = &out->records;
    for (size_t i = 0; i < views->n; i++) {
        const struct job_view *view = &views->v[i];
        if (record_is_json(w))
            job_view_json(record_object(w), view);
        else
            job_list_fill(w, view);
        if (w->format == RECORD_TEXT) {
            record_text(w, C_FROM, job_end_name(state, view->from, &views->arena));
            record_text(w, C_TO, job_end_name(state, view->to, &views->arena));
            if (view->absent)
                record_text(w, C_STATUS, "no longer in Instantly");
        }
        if (out_record(out, e) != 0)
            return -1;
    }
    return out_records_end(out, e);
}

int job_list_print(const struct invocation *inv, struct state *state, struct job_views *views, const char *none,
                   struct err *e)
{
    const struct record_layout layout = {.columns = columns,
                                         .columns_n = COLUMN_N,
                                         .none = none,
                                         .hide_empty = true,
                                         .records_below = TABLE_READABLE};
    struct out out = {0};
    int rc = -1;
    if (out_open(&out, inv, OUT_PUBLIC, e) == 0 && out_records(&out, &inv->common, &layout, e) == 0 &&
        print_jobs(&out, state, views, e) == 0)
        rc = out_commit(&out, e);
    out_abandon(&out);
    return rc;
}
