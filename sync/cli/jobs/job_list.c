#include "config.h"

#include "sync/cli/jobs/job_list.h"

#include "sync/cli/out.h"
#include "sync/report/table.h"

#include <inttypes.h>

const char *const job_list_formats[] = {"text", "json", "ndjson", "csv", NULL};

/* The columns of CSV; text has one more, which no program needs: what is not settled. */
enum column {
    C_ID, C_TYPE, C_STATUS, C_PROGRESS, C_TOTAL, C_SUCCESS, C_FAILED, C_FROM, C_TO, C_RUN, C_CREATED, C_UPDATED, C_OPEN,
    COLUMN_N
};
enum { CSV_COLUMN_N = C_OPEN };
static const char *const column_names[COLUMN_N] = {"id",     "type",   "status", "progress", "total",      "success",
                                                   "failed", "from",   "to",     "run",      "created_at", "updated_at",
                                                   "not settled"};
static const enum table_align column_align[COLUMN_N] = {
    [C_PROGRESS] = TABLE_RIGHT, [C_TOTAL] = TABLE_RIGHT, [C_SUCCESS] = TABLE_RIGHT,
    [C_FAILED] = TABLE_RIGHT,   [C_RUN] = TABLE_RIGHT,   [C_OPEN] = TABLE_RIGHT};
/* The id stays: `jobs show` wants it. */
static const enum table_yield column_yield[COLUMN_N] = {
    [C_TYPE] = TABLE_REPEATS, [C_FROM] = TABLE_REPEATS, [C_TO] = TABLE_REPEATS, [C_CREATED] = TABLE_YIELDS,
    [C_UPDATED] = TABLE_YIELDS};

/* One job as texts; bytes in the arrays and the view. */
struct record {
    struct str v[COLUMN_N];
    char numbers[COLUMN_N][24];
    char created[TIME_TEXT_N], updated[TIME_TEXT_N];
};

static struct str number(int64_t v, char text[24])
{
    if (v < 0)
        return STR_NONE;
    snprintf(text, 24, "%" PRId64, v);
    return str_from(text);
}

static void make_record(const struct job_view *view, struct record *r)
{
    *r = (struct record){.v = {{0}}};
    const int64_t numbers[COLUMN_N] = {
        [C_PROGRESS] = view->progress, [C_TOTAL] = view->total, [C_SUCCESS] = view->success, [C_FAILED] = view->failed,
        [C_RUN] = view->run > 0 ? (int64_t)view->run : -1, [C_OPEN] = view->open_rows > 0 ? (int64_t)view->open_rows : -1};
    for (size_t c = 0; c < COLUMN_N; c++)
        if (column_align[c] == TABLE_RIGHT)
            r->v[c] = number(numbers[c], r->numbers[c]);
    r->v[C_ID] = str_from(view->id);
    r->v[C_TYPE] = str_from(view->type);
    r->v[C_STATUS] = str_from(view->status);
    r->v[C_FROM] = str_from(view->from);
    r->v[C_TO] = str_from(view->to);
    if (view->created_ms > 0)
        r->v[C_CREATED] = str_from(time_format(view->created_ms, r->created));
    if (view->updated_ms > 0)
        r->v[C_UPDATED] = str_from(time_format(view->updated_ms, r->updated));
}

static enum table_colour colour_of(const struct job_view *view)
{
    return job_view_failed(view) ? TABLE_RED : job_view_open(view) ? TABLE_YELLOW : TABLE_GREEN;
}

/* A workspace may have more jobs than one table holds. */
static int print_table(const struct invocation *inv, struct state *state, const struct job_view *v, size_t n,
                       struct arena *arena, struct buf *out)
{
    struct table t;
    struct record r;
    int bad = 0;
    table_init(&t, COLUMN_N, column_align);
    t.hide_empty = true;
    t.yield = column_yield;
    t.records_below = TABLE_READABLE;
    for (size_t c = 0; c < COLUMN_N; c++)
        bad |= table_add(&t, str_from(column_names[c]), TABLE_DIM);
    for (size_t i = 0; i < n; i++) {
        make_record(&v[i], &r);
        r.v[C_FROM] = str_from(job_end_name(state, v[i].from, arena));
        r.v[C_TO] = str_from(job_end_name(state, v[i].to, arena));
        if (v[i].gone)
            r.v[C_STATUS] = STR("not there any more");
        for (size_t c = 0; c < COLUMN_N; c++)
            bad |= table_add(&t, r.v[c], c == C_STATUS ? colour_of(&v[i]) : TABLE_PLAIN);
    }
    bad |= table_print(&t, inv->common.columns, inv->common.colour_out, out);
    table_free(&t);
    return bad;
}

static int print_text(const struct invocation *inv, struct state *state, struct job_views *views, const char *none,
                      struct buf *out)
{
    enum { TABLE_ROWS = 1000 };
    int bad = views->n == 0 ? buf_adds(out, none) : 0;
    for (size_t i = 0; i < views->n; i += TABLE_ROWS)
        bad |= print_table(inv, state, &views->v[i], views->n - i < TABLE_ROWS ? views->n - i : TABLE_ROWS,
                           &views->arena, out);
    return bad;
}

static int print_csv(const struct job_views *views, struct out *out)
{
    struct record r;
    bool first = true;
    int bad = 0;
    for (size_t c = 0; c < CSV_COLUMN_N; c++)
        bad |= out_csv_cell(out, &first, ',', str_from(column_names[c]), false);
    bad |= out_csv_end(out, &first);
    for (size_t i = 0; i < views->n; i++) {
        make_record(&views->v[i], &r);
        for (size_t c = 0; c < CSV_COLUMN_N; c++)
            bad |= out_csv_cell(out, &first, ',', r.v[c], false);
        bad |= out_csv_end(out, &first);
    }
    return bad;
}

static int print_object(const struct job_view *view, struct buf *out)
{
    struct jsonw w;
    jsonw_init_output(&w, out);
    jsonw_object(&w);
    job_view_json(&w, view);
    jsonw_object_end(&w);
    return jsonw_end(&w);
}

static int print_json(const struct job_views *views, bool lines, struct buf *out)
{
    int bad = lines ? 0 : buf_addc(out, '[');
    for (size_t i = 0; i < views->n; i++) {
        if (!lines && i > 0)
            bad |= buf_adds(out, ",\n");
        bad |= print_object(&views->v[i], out);
        if (lines)
            bad |= buf_addc(out, '\n');
    }
    return lines ? bad : bad | buf_adds(out, "]\n");
}

int job_list_print(const struct invocation *inv, struct state *state, struct job_views *views, const char *none,
                   struct err *e)
{
    struct out out = {0};
    int rc = -1, bad = 0;
    if (out_open(&out, inv, OUT_PUBLIC, e) != 0)
        goto done;
    switch (inv->common.format) {
    case FORMAT_TEXT: bad = print_text(inv, state, views, none, &out.text); break;
    case FORMAT_CSV: bad = print_csv(views, &out); break;
    case FORMAT_JSON: bad = print_json(views, false, &out.text); break;
    case FORMAT_NDJSON: bad = print_json(views, true, &out.text); break;
    }
    rc = bad == 0 ? out_commit(&out, e) : err_oom(e);
done:
    out_abandon(&out);
    return rc;
}
