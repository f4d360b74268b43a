/* `results`: what happened to the rows of a run, except unchanged ones. */
#include "config.h"

#include "sync/base/log.h"
#include "sync/base/text.h"
#include "sync/cli/commands.h"
#include "sync/cli/out.h"
#include "sync/cli/history/results_pick.h"
#include "sync/cli/history/results_record.h"
#include "sync/cli/history/results_written.h"
#include "sync/cli/history/status_run.h"
#include "sync/cli/args/run_choice.h"
#include "sync/cli/args/run_words.h"
#include "sync/cli/args/state_arg.h"
#include "sync/state/state.h"
#include "sync/report/report_read.h"

#include <stdlib.h>
#include <string.h>

struct results_options {
    int64_t run;
    struct opt_list outcomes, reasons;
    const char *match;
    bool all, bom;
};

static const char *const formats[] = {"text", "json", "ndjson", "csv", "html", NULL};

/* clang-format off */
static const struct opt options[] = {
    {.name = "run", .kind = OPT_INT, .dest = OPT_AT(results_options, run), .arg = "ID", .min = 1, .max = INT64_MAX,
     .help = "show this run (the latest that read a source)"},
    {.name = "outcome", .kind = OPT_LIST, .dest = OPT_AT(results_options, outcomes), .arg = "OUTCOME,...",
     .help = "only these outcomes: created, changed, skipped, rejected, failed, deferred, removed"},
    {.name = "reason", .kind = OPT_LIST, .dest = OPT_AT(results_options, reasons), .arg = "REASON,...",
     .help = "only rows with these reasons, such as skip_when"},
    {.name = "match", .kind = OPT_TEXT, .dest = OPT_AT(results_options, match), .arg = "TEXT", .min = 1,
     .help = "only rows with this text or all its words, in upper or lower case, in key, lead id, detail, changes, the values last written "
             "for the lead, or the cells of a rejected row"},
    {.name = "all", .kind = OPT_FLAG, .dest = OPT_AT(results_options, all),
     .help = "text: also list the rows that were created, changed or removed, not only their counts"},
    {.name = "bom", .kind = OPT_FLAG, .dest = OPT_AT(results_options, bom),
     .help = "csv for a spreadsheet: start with a byte order mark, and use the delimiter of the source"},
    {.name = NULL},
};
/* clang-format on */

enum { ARENA_BYTES = 64 << 20, NAME_BYTES = 1 << 16, LOOK_BACK = 500 };

struct results_out {
    const struct invocation *inv;
    struct state *state;
    uint64_t run;
    struct run_record record; /* of that run; in the arena of results_command() */
    struct record_layout layout;
    struct results_pick pick;
    struct results_written written;
    bool chosen;                          /* the rows to show were chosen by an option */
    bool others;                          /* the other runs were looked through, too */
    bool cells_dropped;                   /* the run's raw rows are no longer kept */
    bool read_part;                       /* it read a part of its source, as the next one would */
    uint64_t counts[OUTCOME_N][REASON_N]; /* of the rows that are asked for */
    uint64_t removals[OUTCOME_N];         /* of leads whose removal failed or waits: these have no row */
    uint64_t unlisted;
    struct out out;
};

/* ---- rows ---- */

/* Text says of rows that went as planned how many there are, unless they are asked for. */
static bool results_is_listed(const struct results_out *r, const struct entry *entry)
{
    /* An edit by hand is of few leads, and who asks for it wants to see which. */
    bool by_hand = r->record.read == NULL || r->record.read[0] == '\0';
    return r->inv->common.output.format != FORMAT_TEXT || r->chosen || by_hand ||
           (entry->outcome != OUTCOME_CREATED && entry->outcome != OUTCOME_CHANGED && entry->outcome != OUTCOME_REMOVED);
}

/* Is it a lead that was to be removed, and was not? An edit by hand has no row either. */
static bool results_is_removal(const struct results_out *r, const struct entry *entry)
{
    bool read = r->record.read != NULL && r->record.read[0] != '\0';
    return read && entry->row == 0 && (entry->outcome == OUTCOME_FAILED || entry->outcome == OUTCOME_DEFERRED);
}

/* The values of a created lead, or which run has changed them since. */
static int add_written(struct results_out *r, struct entry *entry, bool text, struct arena *arena, struct err *e)
{
    struct buf shown = BUF_INIT(NAME_BYTES);
    uint64_t later;
    if (results_written_values(&r->written, entry, text, arena, &entry->changes, &later, e) != 0)
        return -1;
    if (later == 0)
        return 0;
    int bad = buf_addf(&shown, "%.*s%srun %llu has changed its values since", STR_ARG(entry->detail),
                       entry->detail.n > 0 ? "; " : "", (unsigned long long)later);
    bad = bad != 0 ? bad : arena_str(arena, buf_str(&shown), &entry->detail);
    buf_free(&shown);
    return bad != 0 ? err_oom(e) : 0;
}

static int take_row(struct results_out *r, const struct entry *entry, enum op op, uint32_t target, struct arena *arena,
                    struct err *e)
{
    if (!results_is_listed(r, entry)) {
        r->unlisted++;
        return 0;
    }
    bool text = r->inv->common.output.format == FORMAT_TEXT;
    struct entry filled = *entry;
    struct results_row row = {&filled, op, target, .written = false};
    if (entry->outcome == OUTCOME_CREATED && entry->changes.n == 0 && add_written(r, &filled, text, arena, e) != 0)
        return -1;
    row.written = filled.changes.n > 0 && entry->changes.n == 0;
    if (results_record_fill(&r->out.records, r->state, r->run, &row, arena, e) != 0)
        return -1;
    return out_record(&r->out, e);
}

/* Every row that is asked for; `counting`: it is only counted. */
static int results_visit_rows(struct results_out *r, bool counting, struct err *e)
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
        if (wanted > 0 && counting && results_is_removal(r, &entry))
            r->removals[entry.outcome]++;
        else if (wanted > 0 && counting)
            r->counts[entry.outcome][entry.reason]++;
        else if (wanted > 0)
            rc = take_row(r, &entry, op, target, &arena, e);
        arena_reset(&arena);
        if (rc != 0)
            break;
    }
done:
    state_results_close(results);
    arena_free(&arena);
    return rc;
}

/* What was searched, and which commands search the rest: of a skipped or unchanged row the state has no name. */
static int add_none(const struct results_out *r, struct buf *out, struct err *e)
{
    const struct invocation *inv = r->inv;
    const struct results_options *o = inv->options;
    int bad = buf_addf(
        out,
        "no match in what the state keeps of run %llu%s: key, lead id, detail, changes, the values last written for a "
        "lead, and the cells of rejected rows",
        (unsigned long long)r->run, r->others ? " and the other runs" : "");
    if (r->cells_dropped)
        bad |= buf_addf(out, " (the cells of run %llu are no longer kept; those of the latest 3 runs are)",
                        (unsigned long long)r->run);
    bad |= buf_adds(out, ". It keeps no names of skipped rows. To search the source: leadsync diff ");
    if (bad != 0)
        return err_oom(e);
    if (run_words_show_sync(r->state, inv->operands_n > 0 ? inv->operands[0] : NULL, out, e) != 0)
        return -1;
    bad = buf_adds(out, r->read_part ? " --full --match " : " --match ") | opt_show_quoted(o->match, out) |
          buf_adds(out, "; to search Instantly: leadsync leads list --match ") | opt_show_quoted(o->match, out);
    return bad != 0 ? err_oom(e) : 0;
}

/* As text says it where it lists the rows. */
static int report_none(const struct results_out *r, struct err *e)
{
    struct buf text = BUF_INIT(NAME_BYTES);
    int rc = add_none(r, &text, e);
    if (rc == 0)
        log_notice("%.*s", STR_ARG(buf_str(&text)));
    buf_free(&text);
    return rc;
}

enum { K_OUTCOME, K_ROWS, K_REASON, K_HELP, COUNT_COLUMNS };

static int results_add_count(struct record_writer *w, enum outcome outcome, uint64_t n, const char *reason, const char *help)
{
    if (n == 0)
        return 0;
    record_text(w, K_OUTCOME, outcome_text(outcome));
    record_colour(w, K_OUTCOME, record_outcome_colour(outcome));
    record_ordinal(w, K_ROWS, n);
    record_text(w, K_REASON, reason);
    record_text(w, K_HELP, help);
    record_colour(w, K_HELP, TABLE_DIM);
    return record_end(w);
}

/* How many rows have which outcome, and why in plain words. Returns what record_finish() does. */
static int add_count_table(struct results_out *r)
{
    static const struct record_column columns[COUNT_COLUMNS] = {
        [K_OUTCOME] = {RECORD_NAME("outcome")},
        [K_ROWS] = {RECORD_NAME("rows"), .align = TABLE_RIGHT},
        [K_REASON] = {RECORD_NAME("reason")},
        [K_HELP] = {RECORD_NAME("what it means"), .yield = TABLE_YIELDS},
    };
    static const struct record_layout layout = {.columns = columns, .columns_n = COUNT_COLUMNS, .hide_empty = true};
    struct record_writer w = out_table(&r->inv->common, &r->out.text);
    int bad = record_open(&w, &layout);
    for (int o = OUTCOME_NONE + 1; o < OUTCOME_N && bad == 0; o++) {
        const char *waits = o == OUTCOME_DEFERRED ? "removals of leads that wait; the detail says for what"
                                                  : "removals of leads that did not happen; the next full read tries again";
        for (int reason = 0; reason < REASON_N && bad == 0; reason++)
            bad = results_add_count(&w, (enum outcome)o, r->counts[o][reason], reason_text((enum reason)reason),
                                    reason != REASON_NONE ? reason_help((enum reason)reason) : NULL);
        bad = bad != 0 ? bad : results_add_count(&w, (enum outcome)o, r->removals[o], NULL, waits);
    }
    bad = bad != 0 ? bad : record_finish(&w);
    record_free(&w);
    return bad;
}

/* Before the rows in text. */
static int results_add_counts(struct results_out *r, struct err *e)
{
    struct buf *out = &r->out.text;
    bool searched = match_wants(&r->pick.match), any = false;
    for (int o = OUTCOME_NONE + 1; o < OUTCOME_N; o++) {
        any = any || r->removals[o] > 0;
        for (int reason = 0; reason < REASON_N; reason++)
            any = any || r->counts[o][reason] > 0;
    }
    int bad = buf_addf(out, "run %llu%s\n", (unsigned long long)r->run, !any && !searched ? " has no such rows" : "") |
              status_run_head(&r->record, out);
    if (any)
        bad |= add_count_table(r) | buf_addc(out, '\n');
    else if (searched && add_none(r, out, e) != 0)
        return -1;
    else if (searched)
        bad |= buf_addc(out, '\n');
    return bad != 0 ? err_oom(e) : 0;
}

/* Text counts the rows that it does not list. */
static int add_unlisted(struct results_out *r)
{
    if (r->unlisted == 0)
        return 0;
    return buf_adds(&r->out.text, r->out.records.n > 0 ? "\n" : "") |
           buf_addf(&r->out.text, "%llu row%s created, changed or removed: --all lists %s too\n",
                    (unsigned long long)r->unlisted, r->unlisted == 1 ? " was" : "s were", r->unlisted == 1 ? "it" : "them");
}

/* A spreadsheet opens a file with the delimiter of its own country, which is that of the source that it wrote. */
static int start_for_spreadsheet(struct results_out *r, struct err *e)
{
    struct arena arena;
    struct str header;
    arena_init(&arena, ARENA_BYTES);
    int found = state_header_get(r->state, r->run, &arena, &header, &r->layout.delimiter, e);
    arena_free(&arena);
    return found < 0 ? -1 : buf_adds(&r->out.text, OUT_BYTE_ORDER_MARK) == 0 ? 0 : err_oom(e);
}

static int results_show(struct results_out *r, struct err *e)
{
    static const struct record_page page = {.title = "What happened to each row", .noun = "row"};
    const struct results_options *o = r->inv->options;
    bool text = r->inv->common.output.format == FORMAT_TEXT;
    r->layout = results_record_layout;
    r->layout.page = &page;
    if ((o->bom && start_for_spreadsheet(r, e) != 0) || out_records(&r->out, &r->inv->common, &r->layout, e) != 0)
        return -1;
    if (text) {
        if (results_visit_rows(r, true, e) != 0)
            return -1;
        if (results_add_counts(r, e) != 0)
            return -1;
    }
    if (results_visit_rows(r, false, e) != 0)
        return -1;
    if (!text && match_wants(&r->pick.match) && r->out.records.n == 0 && report_none(r, e) != 0)
        return -1;
    if (out_records_end(&r->out, e) != 0)
        return -1;
    return !text || add_unlisted(r) == 0 ? 0 : err_oom(e);
}

/* ---- the run to show ---- */

/* The command of a run that read no source, such as "leads patch", from its report; else nothing. */
static int results_add_command(const struct run_record *run, struct buf *out)
{
    bool read = run->read != NULL && run->read[0] != '\0';
    struct buf command = BUF_INIT(1 << 20);
    int found = read ? 0 : report_read_text(run->report, NULL, "command", &command), bad = found < 0 ? -1 : 0;
    if (found == 1)
        bad = buf_adds(out, " (") | text_show(buf_str(&command), 0, out) | buf_addc(out, ')');
    buf_free(&command);
    return bad;
}

static int results_add_run(const struct run_record *run, const char *before, struct buf *out)
{
    return buf_addf(out, "%srun %llu", before, (unsigned long long)run->id) | results_add_command(run, out);
}

/* Names the other runs with a match, newest first: a later edit by hand may have changed what the shown run wrote. */
static int report_other_runs(struct results_out *r, const struct run_record *runs, size_t n, struct err *e)
{
    const struct results_options *o = r->inv->options;
    struct buf text = BUF_INIT(NAME_BYTES);
    size_t named = 0;
    int found = 0, bad = 0;
    for (size_t i = 0; i < n && found >= 0; i++) {
        found = runs[i].id != r->run ? results_pick_run_has(&r->pick, r->state, runs[i].id, e) : 0;
        if (found > 0)
            bad |= results_add_run(&runs[i], named++ > 0 ? ", " : "also in ", &text);
    }
    bad |= buf_adds(&text, "; see leadsync results --run N --match ") | opt_show_quoted(o->match, &text);
    if (found >= 0 && bad == 0 && named > 0)
        log_notice("%.*s", STR_ARG(buf_str(&text)));
    buf_free(&text);
    return found < 0 ? -1 : bad != 0 ? err_oom(e) : 0;
}

/* Edits by hand after the run, which its rows do not show: leads delete --run takes back what it created. */
static int report_later_edits(const struct results_out *r, struct arena *arena, struct err *e)
{
    struct run_record *runs;
    struct buf text = BUF_INIT(NAME_BYTES), command = BUF_INIT(NAME_BYTES);
    size_t n, named = 0;
    if (state_runs(r->state, LOOK_BACK, arena, &runs, &n, e) != 0)
        return -1;
    int bad = 0;
    for (size_t i = n; i-- > 0 && bad == 0;) {
        buf_reset(&command);
        bad = runs[i].id > r->run ? results_add_command(&runs[i], &command) : 0;
        if (bad == 0 && command.n > 0 && !str_is(buf_str(&command), " (resume)"))
            bad = results_add_run(&runs[i], named++ > 0 ? ", " : "", &text);
    }
    if (bad == 0 && named > 0)
        log_notice("leads were edited by hand after this run: %.*s; see leadsync results --run N", STR_ARG(buf_str(&text)));
    buf_free(&text);
    buf_free(&command);
    return bad == 0 ? 0 : err_oom(e);
}

/* Reports that another run than the latest is shown. */
static int report_shown_run(const struct run_record *first, const struct run_record *shown, struct err *e)
{
    struct buf text = BUF_INIT(NAME_BYTES);
    int bad = buf_addf(&text, "run %llu has no such row; ", (unsigned long long)first->id) |
              results_add_run(shown, "", &text);
    if (bad == 0)
        log_notice("%.*s has", STR_ARG(buf_str(&text)));
    buf_free(&text);
    return bad == 0 ? 0 : err_oom(e);
}

/* A search needs no run: without --run it shows the latest run that read a source, or else the newest run with a match. */
static int look_for_match(struct results_out *r, const struct run_record *first, bool named, struct arena *arena,
                          struct err *e)
{
    struct run_record *runs;
    struct str header;
    char delimiter;
    size_t n;
    int found = !match_wants(&r->pick.match) ? 0 : results_pick_run_has(&r->pick, r->state, first->id, e);
    if (found < 0 || !match_wants(&r->pick.match) || (named && found > 0))
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
        if (runs[i].id == first->id)
            continue;
        r->others = true;
        found = results_pick_run_has(&r->pick, r->state, runs[i].id, e);
        if (found > 0) {
            r->run = runs[i].id;
            r->record = runs[i];
            found = report_shown_run(first, &runs[i], e) == 0 ? 1 : -1;
        }
    }
    return found < 0 ? -1 : found > 0 ? report_other_runs(r, runs, n, e) : 0;
}

static int results_command(struct invocation *inv, struct err *e)
{
    const struct results_options *o = inv->options;
    struct results_out r = {.inv = inv};
    struct arena arena;
    struct run_record record;
    int rc = -1;
    if (o->bom && inv->common.output.format != FORMAT_CSV)
        return err_set(e, XS_USAGE, "--bom goes with --format csv");
    arena_init(&arena, ARENA_BYTES);
    r.chosen = o->all || o->outcomes.n > 0 || o->reasons.n > 0 || o->match != NULL;
    if (results_pick_init(&r.pick, &o->outcomes, &o->reasons, o->match, e) != 0 || state_arg_open(inv, &r.state, e) != 0 ||
        run_choice(r.state, (uint64_t)o->run, &arena, &record, e) != 0)
        goto done;
    r.run = record.id;
    r.record = record;
    if (o->run != 0 && run_choice_is_unread(&record))
        log_notice("run %llu ended with %d before it read a row: leadsync status --run %llu", (unsigned long long)record.id,
                   record.exit_code, (unsigned long long)record.id);
    r.read_part = record.read != NULL && strcmp(record.read, "incremental") == 0;
    if (look_for_match(&r, &record, o->run != 0, &arena, e) != 0 ||
        results_written_open(&r.written, r.state, r.run, e) != 0 || out_open(&r.out, inv, OUT_PRIVATE, e) != 0)
        goto done;
    if (results_show(&r, e) == 0)
        rc = out_commit(&r.out, e);
    if (rc == 0 && !r.chosen && inv->common.output.format == FORMAT_TEXT)
        rc = report_later_edits(&r, &arena, e);
done:
    out_abandon(&r.out);
    results_written_close(&r.written);
    results_pick_free(&r.pick);
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
            "created, changed or removed; JSON and CSV always do, and so does text of an edit\n"
            "by hand. Unchanged rows are not listed; rows of an open batch are listed as\n"
            "deferred. The row number counts data rows from 1; line is where the row starts\n"
            "in its file; op is the operation sent to Instantly; detail explains the reason;\n"
            "changes has the old and new values of an update, and the values of a created\n"
            "lead that no later run has changed (unless values: hashed). In text, a rejected\n"
            "row without an address shows its first cells, in parentheses, as its key. --match\n"
            "without --run shows the latest run that read a source, if it has a match, or\n"
            "else the newest run that has one; a note names the other runs with a match, such\n"
            "as edits by hand.",
    .examples = "leadsync results nightly.yaml --outcome rejected,failed\n"
                "leadsync results nightly.yaml --match ann@example.com\n"
                "leadsync results nightly.yaml --run 12 --format csv -o run12.csv",
    .groups = GROUP_OUTPUT | GROUP_STATE | GROUP_URL | GROUP_KEY | GROUP_CSV,
    .formats = formats,
    .options = options,
    .options_bytes = sizeof(struct results_options),
    .operands_max = 1,
    .run = results_command,
};
