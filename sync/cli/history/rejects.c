/* `rejects`: the rejected and failed rows of a run as a CSV with the source's own columns, ready to be corrected and
 * fed in again. Every row is as wide as the header, because a spreadsheet makes it so anyway: what it saves must have each
 * cell under its name. The columns that are added are ignored when they are read. */
#include "config.h"

#include "sync/base/log.h"
#include "sync/base/text.h"
#include "sync/cli/commands.h"
#include "sync/cli/out.h"
#include "sync/cli/args/run_choice.h"
#include "sync/cli/args/state_arg.h"
#include "sync/model/row.h"
#include "sync/state/state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct rejects_options {
    int64_t run;
    bool bom;
};

static const char *const formats[] = {"csv", NULL};

/* clang-format off */
static const struct opt options[] = {
    {.name = "run", .kind = OPT_INT, .dest = OPT_AT(rejects_options, run), .arg = "ID", .min = 1, .max = INT64_MAX,
     .help = "print the rows of this run (the latest)"},
    {.name = "bom", .kind = OPT_FLAG, .dest = OPT_AT(rejects_options, bom),
     .help = "start with a byte order mark, so that spreadsheets detect UTF-8"},
    {.name = NULL},
};
/* clang-format on */

enum { ARENA_BYTES = 64 << 20, EXTRA_BYTES = 64 << 20, RUNS_MAX = 100 };

/* The columns that are added, in their order. The first one stands there only if a row of the run needs it. */
enum own { OWN_EXTRA, OWN_LINE, OWN_REASON, OWN_DETAIL, OWN_N, OWN_NONE = OWN_N };
static const char *const own_names[OWN_N] = {LEADSYNC_EXTRA, LEADSYNC_PREFIX "line", LEADSYNC_REASON,
                                             LEADSYNC_PREFIX "detail"};

/* How the rows are written. Arrays are the arena's. */
struct form {
    char delimiter;
    const enum own *columns; /* what each column of the source is; an own one comes from rejects that were fed in */
    size_t n;                /* columns of the source */
    size_t source_n;         /* columns that leadsync did not add */
    bool extra;              /* some row has more cells than that */
    struct record_layout layout;
};

static int damaged(struct err *e)
{
    return err_set(e, XS_STATE, "the state holds a damaged row; restore it from a backup");
}

static int read_header(struct form *form, struct str header, struct arena *arena, struct err *e)
{
    const char *p = header.p, *end = header.p + header.n;
    struct cell cell;
    int rc;
    for (form->n = 0; (rc = cells_next(&p, end, &cell)) > 0; form->n++)
        continue;
    if (rc < 0)
        return damaged(e);
    enum own *columns = arena_calloc(arena, form->n + 1, sizeof *columns);
    if (columns == NULL)
        return err_oom(e);
    p = header.p;
    for (size_t i = 0; cells_next(&p, end, &cell) > 0; i++) {
        columns[i] = OWN_EXTRA;
        while (columns[i] < OWN_N && !str_is((struct str){cell.p, cell.n}, own_names[columns[i]]))
            columns[i]++;
        form->source_n += columns[i] == OWN_NONE;
    }
    form->columns = columns;
    return 0;
}

/* The columns of the output: those of the source, then the own ones. */
static int rejects_make_layout(struct form *form, struct str header, struct arena *arena, struct err *e)
{
    struct record_column *columns = arena_calloc(arena, form->source_n + OWN_N, sizeof *columns);
    const char *p = header.p, *end = header.p + header.n;
    struct cell cell;
    size_t n = 0;
    if (columns == NULL)
        return err_oom(e);
    for (size_t i = 0; cells_next(&p, end, &cell) > 0; i++)
        if (form->columns[i] == OWN_NONE)
            columns[n++].name = (struct str){cell.p, cell.n};
    for (size_t own = 0; own < OWN_N; own++)
        columns[n++] = (struct record_column){.name = str_from(own_names[own])};
    if (!form->extra)
        columns[form->source_n + OWN_EXTRA].left_out = RECORD_NOT_CSV;
    form->layout = (struct record_layout){.columns = columns, .columns_n = n, .delimiter = form->delimiter};
    return 0;
}

/* What has no column, as the CSV text of the cells that stand there. Blank cells at its end are no loss. */
struct surplus {
    struct buf text;
    size_t cells, delimiters; /* seen; written */
};

static int add_surplus(struct surplus *s, char delimiter, struct str cell)
{
    size_t before = s->cells++;
    int bad = 0;
    if (str_trim(cell).n == 0)
        return 0;
    for (; s->delimiters < before; s->delimiters++)
        bad |= buf_addc(&s->text, delimiter);
    return bad | text_csv_cell(cell, false, &s->text);
}

/* The cells of a row: those of the source's own columns become cells of the record, the others go into `surplus`. `w` NULL:
 * only the latter. */
static int take_cells(const struct form *form, struct str packed, struct record_writer *w, struct surplus *surplus,
                      struct err *e)
{
    const char *p = packed.p, *end = packed.n > 0 ? packed.p + packed.n : packed.p;
    struct cell cell;
    size_t column = 0;
    int bad = 0, rc;
    buf_reset(&surplus->text);
    surplus->cells = surplus->delimiters = 0;
    for (size_t i = 0; bad == 0 && (rc = cells_next(&p, end, &cell)) != 0; i++) {
        if (rc < 0)
            return damaged(e);
        struct str text = {cell.p, cell.n};
        enum own own = i < form->n ? form->columns[i] : OWN_EXTRA;
        if (own == OWN_NONE && w != NULL)
            record_str(w, column++, text);
        /* What an earlier `rejects` found too much still is, and it is CSV text already. */
        else if (own == OWN_EXTRA && i < form->n && text.n > 0)
            bad = (surplus->cells++ > 0 ? buf_addc(&surplus->text, form->delimiter) : 0) |
                  buf_add(&surplus->text, text.p, text.n);
        else if (own == OWN_EXTRA && i >= form->n)
            bad = add_surplus(surplus, form->delimiter, text);
    }
    return bad == 0 ? 0 : err_oom(e);
}

/* A row whose cells are not kept (`values: hashed`, a forgotten person) has empty ones. */
static int add_reject(struct out *out, const struct form *form, const struct entry *entry, struct surplus *extra,
                      struct err *e)
{
    struct record_writer *w = &out->records;
    if (take_cells(form, entry->cells, w, extra, e) != 0)
        return -1;
    record_str(w, form->source_n + OWN_EXTRA, buf_str(&extra->text));
    record_ordinal(w, form->source_n + OWN_LINE, entry->line);
    record_text(w, form->source_n + OWN_REASON, reason_text(entry->reason));
    record_str(w, form->source_n + OWN_DETAIL, entry->detail);
    return out_record(out, e);
}

/* Every row that is wanted. `out` NULL: only looks whether one of them has too many cells. */
static int rejects_visit_rows(struct state *state, uint64_t run_id, struct form *form, struct out *out, struct err *e)
{
    struct results *results = NULL;
    struct surplus extra = {.text = BUF_INIT(EXTRA_BYTES)};
    struct arena arena;
    struct entry entry;
    enum op op;
    uint32_t target;
    int rc = -1;
    arena_init(&arena, ARENA_BYTES);
    if (state_results_open(state, run_id, &results, e) != 0)
        goto done;
    while ((rc = state_results_next(results, &arena, &entry, &op, &target, e)) > 0) {
        /* A removal that failed has no row. */
        bool wanted = (entry.outcome == OUTCOME_REJECTED || entry.outcome == OUTCOME_FAILED) && entry.row > 0;
        if (wanted && out != NULL)
            rc = add_reject(out, form, &entry, &extra, e);
        else if (wanted)
            rc = take_cells(form, entry.cells, NULL, &extra, e);
        form->extra |= extra.text.n > 0;
        arena_reset(&arena);
        if (rc < 0)
            goto done;
        rc = 0;
        if (out == NULL && form->extra)
            goto done;
    }
done:
    state_results_close(results);
    arena_free(&arena);
    buf_free(&extra.text);
    return rc;
}

/* Writes the rows of a run into the open output, up to the commit. `form` has the delimiter. */
static int rejects_write(struct invocation *inv, struct state *state, uint64_t run_id, struct str header, struct form *form,
                         struct arena *arena, struct out *out, struct err *e)
{
    const struct rejects_options *o = inv->options;
    if (read_header(form, header, arena, e) != 0 || rejects_visit_rows(state, run_id, form, NULL, e) != 0 ||
        rejects_make_layout(form, header, arena, e) != 0 || out_open(out, inv, OUT_PRIVATE, e) != 0 ||
        out_records(out, &inv->common, &form->layout, e) != 0)
        return -1;
    if (o->bom && buf_adds(&out->text, OUT_BYTE_ORDER_MARK) != 0)
        return err_oom(e);
    return rejects_visit_rows(state, run_id, form, out, e) != 0 || out_records_end(out, e) != 0 ? -1 : 0;
}

static void rejects_skip_mark(FILE *f)
{
    static const char mark[] = OUT_BYTE_ORDER_MARK;
    char start[sizeof mark - 1];
    if (fread(start, 1, sizeof start, f) != sizeof start || memcmp(start, mark, sizeof start) != 0)
        rewind(f);
}

/* Has the file that -o names the bytes that stand in `out` now? A byte order mark is no difference: --bom may come and go
 * between two calls. 1/0/-1 */
static int rejects_file_has(struct out *out, struct err *e)
{
    if (out_flush(out, true, e) != 0)
        return -1;
    if (fflush(out->file.f) != 0)
        return err_errno(e, XS_IO, errno, "cannot write to %s", out->file.path);
    FILE *old = fopen(out->file.path, "re"), *new = fopen(out->file.tmp, "re");
    int result = -1;
    if (old == NULL || new == NULL) {
        err_errno(e, XS_STATE, errno, "cannot read %s", old == NULL ? out->file.path : out->file.tmp);
    } else {
        int a, b;
        rejects_skip_mark(old);
        rejects_skip_mark(new);
        do {
            a = getc(old);
            b = getc(new);
        } while (a == b && a != EOF);
        result = a == b && !ferror(old) && !ferror(new);
    }
    if (old != NULL)
        fclose(old);
    if (new != NULL)
        fclose(new);
    return result;
}

/* Renames the file to "FILE~", as editors do. */
static int rejects_move_aside(const char *path, struct err *e)
{
    char *aside = NULL;
    if (asprintf(&aside, "%s~", path) < 0)
        return err_oom(e);
    int rc = rename(path, aside) == 0 ? 0 : err_errno(e, XS_IO, errno, "cannot keep %s as %s", path, aside);
    if (rc == 0)
        log_notice("%s was edited, so its old content is kept in %s", path, aside);
    free(aside);
    return rc;
}

/* Rows are corrected in the file that -o names, so a file with other bytes than leadsync wrote is kept aside. What an earlier run
 * rejected may be replaced: a script that writes one file every night goes on. `out` holds the rows of `run_id`. */
static int rejects_keep_corrections(struct invocation *inv, struct state *state, uint64_t run_id, struct out *out,
                                    struct arena *arena, struct err *e)
{
    struct stat st;
    struct run_record *runs;
    size_t n;
    if (out->file.tmp == NULL || stat(out->file.path, &st) != 0 || st.st_size == 0)
        return 0;
    int same = rejects_file_has(out, e);
    if (same == 0 && state_runs(state, RUNS_MAX, arena, &runs, &n, e) != 0)
        same = -1;
    for (size_t i = 0; same == 0 && i < n; i++) {
        struct str header;
        struct form form = {0};
        struct out earlier = {0};
        same = runs[i].id == run_id ? 0 : state_header_get(state, runs[i].id, arena, &header, &form.delimiter, e);
        if (same > 0)
            same = rejects_write(inv, state, runs[i].id, header, &form, arena, &earlier, e) == 0
                       ? rejects_file_has(&earlier, e)
                       : -1;
        out_abandon(&earlier);
    }
    return same == 0 ? rejects_move_aside(out->file.path, e) : same < 0 ? -1 : 0;
}

static int rejects_command(struct invocation *inv, struct err *e)
{
    const struct rejects_options *o = inv->options;
    struct state *state = NULL;
    struct out out = {0};
    struct arena arena;
    struct run_record record;
    struct str header;
    struct form form = {0};
    int rc = -1;
    arena_init(&arena, ARENA_BYTES);
    if (state_arg_open(inv, &state, e) != 0 || run_choice(state, (uint64_t)o->run, &arena, &record, e) != 0)
        goto done;
    int found = state_header_get(state, record.id, &arena, &header, &form.delimiter, e);
    if (found < 0)
        goto done;
    if (found == 0 && run_choice_is_unread(&record)) {
        err_set(e, XS_STATE, "run %llu ended with %d before it read a row: leadsync status --run %llu",
                (unsigned long long)record.id, record.exit_code, (unsigned long long)record.id);
        goto done;
    }
    if (found == 0) {
        err_set(e, XS_STATE,
                "the rows of run %llu are no longer kept (those of the latest 3 runs are); leadsync sync SYNC --full reads "
                "every row again, and rejects those that are still wrong",
                (unsigned long long)record.id);
        goto done;
    }
    if (rejects_write(inv, state, record.id, header, &form, &arena, &out, e) != 0 ||
        rejects_keep_corrections(inv, state, record.id, &out, &arena, e) != 0)
        goto done;
    rc = out_commit(&out, e);
    const char *file = inv->common.output.path;
    if (rc == 0 && file != NULL && strcmp(file, "-") != 0)
        log_notice("%zu row%s written to %s", (size_t)out.records.n, text_plural(out.records.n), file);
    /* An incremental run reads only rows that changed. Rows that an earlier run rejected are rejected still. */
    bool incremental = o->run == 0 && record.read != NULL && strcmp(record.read, "incremental") == 0;
    if (rc == 0 && (out.records.n == 0 || incremental))
        rc = run_choice_report_rejects(state, &record, &arena, e);
done:
    out_abandon(&out);
    arena_free(&arena);
    state_close(state);
    return rc;
}

const struct command command_rejects = {
    .name = "rejects",
    .usage = "[SYNC]",
    .summary = "print rejected and failed rows as CSV, to correct and read again with --input",
    .help = "Prints the source's own header and cells as they were read; each row is as wide\n"
            "as the header. The columns leadsync_line, leadsync_reason and leadsync_detail\n"
            "follow. If a row has more cells than the header, the column leadsync_extra\n"
            "before them holds the surplus. A sync ignores columns named leadsync_*, but\n"
            "rejects a row again if its leadsync_extra is not empty. Rejected rows are kept\n"
            "for 3 runs. -o keeps a file that was edited as FILE~.",
    .examples = "leadsync rejects people.csv --campaign \"Q4 founders\" -o again.csv\n"
                "leadsync sync people.csv --campaign \"Q4 founders\" --input again.csv",
    .groups = GROUP_OUTPUT | GROUP_STATE | GROUP_URL | GROUP_KEY | GROUP_CSV,
    .formats = formats,
    .options = options,
    .options_bytes = sizeof(struct rejects_options),
    .operands_max = 1,
    .run = rejects_command,
};
