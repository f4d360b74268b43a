/* `results`: what became of the rows of a run, but for those that needed nothing. */
#include "config.h"

#include "sync/base/jsonw.h"
#include "sync/base/log.h"
#include "sync/base/text.h"
#include "sync/cli/commands.h"
#include "sync/cli/out.h"
#include "sync/cli/history/results_pick.h"
#include "sync/cli/history/results_record.h"
#include "sync/cli/args/run_choice.h"
#include "sync/cli/args/state_arg.h"
#include "sync/cli/table.h"
#include "sync/model/change.h"
#include "sync/state/state.h"

#include <stdlib.h>
#include <string.h>

struct results_options {
    int64_t run;
    struct opt_list outcomes, reasons;
    const char *match;
    bool all;
};

static const char *const formats[] = {"text", "json", "ndjson", "csv", NULL};

static const struct opt options[] = {
    {.name = "run", .kind = OPT_INT, .dest = OPT_AT(results_options, run), .arg = "ID", .min = 1, .max = INT64_MAX,
     .help = "show this run (the latest)"},
    {.name = "outcome", .kind = OPT_LIST, .dest = OPT_AT(results_options, outcomes), .arg = "OUTCOME,…",
     .help = "only these outcomes: created, changed, skipped, rejected, failed, deferred, removed"},
    {.name = "reason", .kind = OPT_LIST, .dest = OPT_AT(results_options, reasons), .arg = "REASON,…",
     .help = "only rows with these reasons, such as skip_when"},
    {.name = "match", .kind = OPT_TEXT, .dest = OPT_AT(results_options, match), .arg = "TEXT", .min = 1,
     .help = "only rows with this text, in upper or lower case, in key, lead id, detail, changes, the values last written "
             "for the lead, or the cells of a rejected row"},
    {.name = "all", .kind = OPT_FLAG, .dest = OPT_AT(results_options, all),
     .help = "text: also list the rows that were created, changed or removed, not only their counts"},
    {.name = NULL},
};

enum { ARENA_BYTES = 64 << 20, TABLE_ROWS = 1000, NAME_BYTES = 1 << 16, COUNT_COLUMNS = 4, LOOK_BACK = 500 };

static const enum table_align column_align[COLUMN_N] = {
    [C_RUN] = TABLE_RIGHT, [C_ROW] = TABLE_RIGHT, [C_LINE] = TABLE_RIGHT, [C_HTTP_STATUS] = TABLE_RIGHT};
static const enum table_yield column_yield[COLUMN_N] = {[C_LEAD_ID] = TABLE_YIELDS,
                                                        [C_TARGET] = TABLE_REPEATS,
                                                        [C_HTTP_STATUS] = TABLE_YIELDS,
                                                        [C_OP] = TABLE_YIELDS};
static bool column_is_number(size_t column)
{
    return column_align[column] == TABLE_RIGHT;
}

struct results_out {
    const struct invocation *inv;
    struct state *state;
    uint64_t run;
    struct results_pick pick;
    bool chosen;                          /* the rows to show were chosen by an option */
    bool earlier;                         /* earlier runs were looked through, too, and have no such row */
    bool cells_dropped;                   /* the run's raw rows are no longer kept */
    bool read_part;                       /* it read a part of its source, as the next one would */
    uint64_t counts[OUTCOME_N][REASON_N]; /* of the rows that are asked for */
    uint64_t unlisted;
    struct out out;
    struct table table;
    uint64_t shown;
};

/* ---- formats ---- */

static enum table_colour outcome_colour(enum outcome outcome)
{
    switch (outcome) {
    case OUTCOME_CREATED:
    case OUTCOME_CHANGED:
        return TABLE_GREEN;
    case OUTCOME_REJECTED:
    case OUTCOME_FAILED:
        return TABLE_RED;
    case OUTCOME_DEFERRED:
    case OUTCOME_REMOVED:
        return TABLE_YELLOW;
    default:
        return TABLE_PLAIN;
    }
}

static int add_text(struct results_out *r, const struct results_record *record)
{
    int bad = 0;
    for (size_t c = 0; c < COLUMN_N; c++)
        bad |= table_add(&r->table, record->v[c], c == C_OUTCOME ? outcome_colour(record->outcome) : TABLE_PLAIN);
    return bad;
}

static int add_csv(struct results_out *r, const struct results_record *record)
{
    bool first = true;
    int bad = 0;
    for (size_t c = 0; c < COLUMN_N; c++)
        bad |= out_csv_cell(&r->out, &first, ',', record->v[c], true);
    return bad | out_csv_end(&r->out, &first);
}

static int add_json(struct results_out *r, const struct results_record *record)
{
    struct jsonw w;
    jsonw_init_output(&w, &r->out.text);
    jsonw_object(&w);
    for (size_t c = 0; c < COLUMN_N; c++) {
        jsonw_key(&w, results_columns[c]);
        if (record->v[c].n == 0)
            jsonw_null(&w);
        else if (c == C_CHANGES)
            change_json(record->changes, &w); /* show_changes() has read it: it is well-formed */
        else if (column_is_number(c))
            jsonw_raw(&w, record->v[c]);
        else
            jsonw_str(&w, record->v[c]);
    }
    jsonw_object_end(&w);
    return jsonw_end(&w);
}

static int text_head(struct results_out *r)
{
    int bad = 0;
    table_init(&r->table, COLUMN_N, column_align);
    r->table.hide_empty = true;
    r->table.yield = column_yield;
    r->table.records_below = TABLE_READABLE;
    for (size_t c = 0; c < COLUMN_N; c++)
        bad |= table_add(&r->table, str_from(results_columns[c]), TABLE_DIM);
    return bad;
}

static int text_flush(struct results_out *r)
{
    int bad = table_print(&r->table, r->inv->common.columns, r->inv->common.colour_out, &r->out.text);
    table_free(&r->table);
    return bad;
}

static int add_head(struct results_out *r)
{
    bool first = true;
    int bad = 0;
    switch (r->inv->common.format) {
    case FORMAT_TEXT:
        return text_head(r);
    case FORMAT_JSON:
        return buf_adds(&r->out.text, "[");
    case FORMAT_CSV:
        for (size_t c = 0; c < COLUMN_N; c++)
            bad |= out_csv_cell(&r->out, &first, ',', str_from(results_columns[c]), false);
        return bad | out_csv_end(&r->out, &first);
    default:
        return 0;
    }
}

static int add_record(struct results_out *r, const struct results_record *record)
{
    int bad = 0;
    switch (r->inv->common.format) {
    case FORMAT_TEXT:
        if (r->shown > 0 && r->shown % TABLE_ROWS == 0)
            bad = text_flush(r) | text_head(r);
        bad |= add_text(r, record);
        break;
    case FORMAT_JSON:
        bad = buf_adds(&r->out.text, r->shown > 0 ? ",\n" : "") | add_json(r, record);
        break;
    case FORMAT_NDJSON:
        bad = add_json(r, record) | buf_addc(&r->out.text, '\n');
        break;
    case FORMAT_CSV:
        bad = add_csv(r, record);
        break;
    }
    r->shown++;
    return bad;
}

static int add_tail(struct results_out *r)
{
    int bad = 0;
    if (r->inv->common.format == FORMAT_JSON)
        return buf_adds(&r->out.text, "]\n");
    if (r->inv->common.format != FORMAT_TEXT)
        return 0;
    if (r->shown > 0)
        bad = text_flush(r);
    if (r->unlisted > 0 && r->shown > 0)
        bad |= buf_adds(&r->out.text, "\n");
    if (r->unlisted > 0)
        bad |= buf_addf(&r->out.text, "%llu row%s created, changed or removed: --all lists %s too\n",
                        (unsigned long long)r->unlisted, r->unlisted == 1 ? " was" : "s were", r->unlisted == 1 ? "it" : "them");
    return bad;
}

/* ---- rows ---- */

/* Text says of rows that went as planned how many there are, unless they are asked for. */
static bool is_listed(const struct results_out *r, const struct entry *entry)
{
    return r->inv->common.format != FORMAT_TEXT || r->chosen ||
           (entry->outcome != OUTCOME_CREATED && entry->outcome != OUTCOME_CHANGED && entry->outcome != OUTCOME_REMOVED);
}

static int take_row(struct results_out *r, const struct entry *entry, enum op op, uint32_t target, struct arena *arena,
                    struct err *e)
{
    struct results_record record;
    if (!is_listed(r, entry)) {
        r->unlisted++;
        return 0;
    }
    if (results_record_make(r->state, r->run, &(struct results_row){entry, op, target}, r->inv->common.format, arena, &record, e) != 0)
        return -1;
    return add_record(r, &record) == 0 ? 0 : err_oom(e);
}

/* Every row that is asked for; `counting`: it is only counted. */
static int visit_rows(struct results_out *r, bool counting, struct err *e)
{
    struct results *results = NULL;
    struct arena arena;
    struct entry entry;
    enum op op;
    uint32_t target;
    int rc = -1;
    arena_init(&arena, ARENA_BYTES);
    if (state_results_open_all(r->state, r->run, &results, e) != 0)
        goto done;
    while ((rc = state_results_next(results, &arena, &entry, &op, &target, e)) > 0) {
        int wanted = results_pick_has(&r->pick, r->state, &entry, e);
        rc = wanted < 0 ? -1 : 0;
        if (wanted > 0 && counting)
            r->counts[entry.outcome][entry.reason]++;
        else if (wanted > 0)
            rc = take_row(r, &entry, op, target, &arena, e);
        arena_reset(&arena);
        if (rc != 0 || out_flush(&r->out, false, e) != 0) {
            rc = -1;
            goto done;
        }
    }
done:
    state_results_close(results);
    arena_free(&arena);
    return rc;
}

/* What was searched, and where the row may be all the same: of a skipped row the state has no name. */
static int add_none(const struct results_out *r, struct buf *out)
{
    const struct invocation *inv = r->inv;
    const struct results_options *o = inv->options;
    int bad = buf_addf(out, "no row of run %llu%s has this text in key, lead id, detail, changes, the values last written for its lead, or the "
                            "cells of a rejected row",
                       (unsigned long long)r->run, r->earlier ? " or of the runs before it" : "");
    if (r->cells_dropped)
        bad |= buf_addf(out, " (the cells of run %llu are no longer kept; those of the latest 3 runs are)", (unsigned long long)r->run);
    bad |= buf_adds(out, "; of a skipped row only key and detail are kept: to search the source, run leadsync diff ");
    bad |= inv->operands_n > 0 ? opt_show_quoted(inv->operands[0], out) : buf_adds(out, "SYNC");
    return bad | buf_adds(out, r->read_part ? " --full --match " : " --match ") | opt_show_quoted(o->match, out);
}

/* As text says it where it lists the rows. */
static int tell_none(const struct results_out *r)
{
    struct buf text = BUF_INIT(NAME_BYTES);
    int bad = add_none(r, &text);
    if (bad == 0)
        log_notice("%.*s", STR_ARG(buf_str(&text)));
    buf_free(&text);
    return bad;
}

/* Before the rows: how many there are of which kind, and in plain words why. */
static int add_counts(struct results_out *r)
{
    static const enum table_align align[COUNT_COLUMNS] = {TABLE_LEFT, TABLE_RIGHT};
    static const enum table_yield yield[COUNT_COLUMNS] = {TABLE_STAYS, TABLE_STAYS, TABLE_STAYS, TABLE_YIELDS};
    struct table t;
    char number[24];
    uint64_t sum = 0;
    table_init(&t, COUNT_COLUMNS, align);
    t.hide_empty = true;
    t.yield = yield;
    int bad = table_add(&t, STR("outcome"), TABLE_DIM) | table_add(&t, STR("rows"), TABLE_DIM) |
              table_add(&t, STR("reason"), TABLE_DIM) | table_add(&t, STR("what it means"), TABLE_DIM);
    for (int o = OUTCOME_NONE + 1; o < OUTCOME_N; o++)
        for (int reason = 0; reason < REASON_N; reason++) {
            uint64_t n = r->counts[o][reason];
            if (n == 0)
                continue;
            sum += n;
            snprintf(number, sizeof number, "%llu", (unsigned long long)n);
            bad |= table_add(&t, str_from(outcome_text((enum outcome)o)), outcome_colour((enum outcome)o)) |
                   table_add(&t, str_from(number), TABLE_PLAIN) |
                   table_add(&t, str_from(reason_text((enum reason)reason)), TABLE_PLAIN) |
                   table_add(&t, reason != REASON_NONE ? str_from(reason_help((enum reason)reason)) : STR_NONE, TABLE_DIM);
        }
    bad |= buf_addf(&r->out.text, "run %llu%s\n", (unsigned long long)r->run,
                    sum == 0 && !match_wants(&r->pick.match) ? " has no such rows" : "");
    if (sum == 0 && match_wants(&r->pick.match))
        bad |= add_none(r, &r->out.text) | buf_addc(&r->out.text, '\n');
    if (sum > 0)
        bad |= table_print(&t, r->inv->common.columns, r->inv->common.colour_out, &r->out.text) | buf_addc(&r->out.text, '\n');
    table_free(&t);
    return bad;
}

static int show(struct results_out *r, struct err *e)
{
    if (r->inv->common.format == FORMAT_TEXT) {
        if (visit_rows(r, true, e) != 0)
            return -1;
        if (add_counts(r) != 0)
            return err_oom(e);
    }
    if (add_head(r) != 0)
        return err_oom(e);
    if (visit_rows(r, false, e) != 0)
        return -1;
    if (r->inv->common.format != FORMAT_TEXT && match_wants(&r->pick.match) && r->shown == 0 && tell_none(r) != 0)
        return err_oom(e);
    return add_tail(r) == 0 ? 0 : err_oom(e);
}

/* Who looks for a person need not know the run: the newest that has a match is shown, where --run names none. */
static int look_for_match(struct results_out *r, const struct run_record *first, bool named, struct arena *arena, struct err *e)
{
    struct run_record *runs;
    struct str header;
    char delimiter;
    size_t n;
    int found = !match_wants(&r->pick.match) ? 1 : results_pick_run_has(&r->pick, r->state, first->id, e);
    if (found != 0)
        return found < 0 ? -1 : 0;
    if (named) {
        bool read = first->read != NULL && first->read[0] != '\0';
        int kept = read ? state_header_get(r->state, first->id, arena, &header, &delimiter, e) : 1;
        r->cells_dropped = kept == 0;
        return kept < 0 ? -1 : 0;
    }
    if (state_runs(r->state, LOOK_BACK, arena, &runs, &n, e) != 0)
        return -1;
    for (size_t i = 0; i < n && found == 0; i++) {
        if (runs[i].id >= first->id)
            continue;
        r->earlier = true;
        found = results_pick_run_has(&r->pick, r->state, runs[i].id, e);
        if (found > 0) {
            r->run = runs[i].id;
            log_notice("run %llu has no such row; run %llu has", (unsigned long long)first->id, (unsigned long long)r->run);
        }
    }
    return found < 0 ? -1 : 0;
}

static int run(struct invocation *inv, struct err *e)
{
    const struct results_options *o = inv->options;
    struct results_out r = {.inv = inv};
    struct arena arena;
    struct run_record record;
    int rc = -1;
    arena_init(&arena, ARENA_BYTES);
    r.chosen = o->all || o->outcomes.n > 0 || o->reasons.n > 0 || o->match != NULL;
    if (results_pick_init(&r.pick, &o->outcomes, &o->reasons, o->match, e) != 0 || state_arg_open(inv, &r.state, e) != 0 ||
        run_choice(r.state, (uint64_t)o->run, &arena, &record, e) != 0)
        goto done;
    r.run = record.id;
    r.read_part = record.read != NULL && strcmp(record.read, "incremental") == 0;
    if (look_for_match(&r, &record, o->run != 0, &arena, e) != 0 || out_open(&r.out, inv, OUT_PRIVATE, e) != 0)
        goto done;
    if (show(&r, e) == 0)
        rc = out_commit(&r.out, e);
done:
    out_abandon(&r.out);
    results_pick_free(&r.pick);
    table_free(&r.table);
    arena_free(&arena);
    state_close(r.state);
    return rc;
}

const struct command command_results = {
    .name = "results",
    .usage = "[SYNC]",
    .summary = "list every row of a run that was not unchanged, and removed leads",
    .help = "Counts the rows of the run by outcome and reason, and lists the rows that were\n"
            "skipped, rejected, failed or deferred. --all also lists the rows that were\n"
            "created, changed or removed; JSON and CSV always do. Unchanged rows are not\n"
            "listed; rows of an open batch are listed as deferred. The row number counts data\n"
            "rows from 1; line is where the row starts in its file; op is the operation sent\n"
            "to Instantly; detail explains the reason; changes has the old and new values of\n"
            "an update (unless values: hashed). In text, a row without an address shows its\n"
            "first cells, in parentheses, as its key. --match without --run shows the newest\n"
            "run with a matching row.",
    .examples = "leadsync results nightly.yaml --outcome rejected,failed\n"
                "leadsync results nightly.yaml --match ann@example.com\n"
                "leadsync results nightly.yaml --run 12 --format csv -o run12.csv",
    .groups = GROUP_OUTPUT | GROUP_STATE | GROUP_URL | GROUP_KEY | GROUP_CSV,
    .formats = formats,
    .options = options,
    .options_bytes = sizeof(struct results_options),
    .operands_max = 1,
    .run = run,
};
