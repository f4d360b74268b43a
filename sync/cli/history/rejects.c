/* `rejects`: the rejected and failed rows of a run as a CSV with the source's own columns, ready to be corrected and
 * fed in again. Every row is as wide as the header, because a spreadsheet makes it so anyway: what it saves must have each
 * cell under its name. The columns that are added are ignored when they are read. */
#include "config.h"

#include "sync/base/text.h"
#include "sync/cli/commands.h"
#include "sync/cli/out.h"
#include "sync/cli/args/run_choice.h"
#include "sync/cli/args/state_arg.h"
#include "sync/model/row.h"
#include "sync/state/state.h"

#include <stdlib.h>
#include <string.h>

struct rejects_options {
    int64_t run;
    bool bom;
};

static const char *const formats[] = {"csv", NULL};

static const struct opt options[] = {
    {.name = "run", .kind = OPT_INT, .dest = OPT_AT(rejects_options, run), .arg = "ID", .min = 1, .max = INT64_MAX,
     .help = "print the rows of this run (the latest)"},
    {.name = "bom", .kind = OPT_FLAG, .dest = OPT_AT(rejects_options, bom),
     .help = "start with a byte order mark, so that spreadsheets detect UTF-8"},
    {.name = NULL},
};

enum { ARENA_BYTES = 64 << 20, EXTRA_BYTES = 64 << 20 };

#define BYTE_ORDER_MARK "\xEF\xBB\xBF"

/* The columns that are added, in their order. The first one stands there only if a row of the run needs it. */
enum own { OWN_EXTRA, OWN_LINE, OWN_REASON, OWN_DETAIL, OWN_N, OWN_NONE = OWN_N };
static const char *const own_names[OWN_N] = {LEADSYNC_EXTRA, LEADSYNC_PREFIX "line", LEADSYNC_REASON,
                                             LEADSYNC_PREFIX "detail"};

/* How the rows are written. */
struct form {
    char delimiter;
    const enum own *columns; /* what each column of the source is; an own one comes from rejects that were fed in; the arena's */
    size_t n;                /* columns of the source */
    bool extra;              /* some row has more cells than that */
    uint64_t shown;          /* rows that were written */
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
    }
    form->columns = columns;
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

/* The cells of a row: those of the source's own columns in a line of `out`, the others in `surplus`. `out` NULL: only the
 * latter. */
static int take_cells(const struct form *form, struct str packed, struct out *out, bool *first, struct surplus *surplus,
                      struct err *e)
{
    const char *p = packed.p, *end = packed.p + packed.n;
    struct cell cell;
    int bad = 0;
    buf_reset(&surplus->text);
    surplus->cells = surplus->delimiters = 0;
    for (size_t i = 0; bad == 0; i++) {
        int rc = packed.n > 0 ? cells_next(&p, end, &cell) : 0;
        struct str text = rc > 0 ? (struct str){cell.p, cell.n} : STR_NONE;
        if (rc < 0)
            return damaged(e);
        if (rc == 0 && i >= form->n)
            break;
        enum own own = i < form->n ? form->columns[i] : OWN_EXTRA;
        if (own == OWN_NONE && out != NULL)
            bad = out_csv_cell(out, first, form->delimiter, text, false);
        /* What an earlier `rejects` found too much still is, and it is CSV text already. */
        else if (own == OWN_EXTRA && i < form->n && text.n > 0)
            bad = (surplus->cells++ > 0 ? buf_addc(&surplus->text, form->delimiter) : 0) |
                  buf_add(&surplus->text, text.p, text.n);
        else if (own == OWN_EXTRA && i >= form->n)
            bad = add_surplus(surplus, form->delimiter, text);
    }
    return bad == 0 ? 0 : err_oom(e);
}

static int add_own(struct out *out, bool *first, const struct form *form, const struct str cells[OWN_N], struct err *e)
{
    int bad = 0;
    for (size_t own = form->extra ? OWN_EXTRA : OWN_LINE; own < OWN_N; own++)
        bad |= out_csv_cell(out, first, form->delimiter, cells[own], false);
    return bad == 0 && out_csv_end(out, first) == 0 ? 0 : err_oom(e);
}

/* A row whose cells are not kept (`values: hashed`, a forgotten person) has empty ones. */
static int add_reject(struct out *out, const struct form *form, const struct entry *entry, struct surplus *extra,
                      struct err *e)
{
    bool first = true;
    char line[24];
    if (take_cells(form, entry->cells, out, &first, extra, e) != 0)
        return -1;
    snprintf(line, sizeof line, "%llu", (unsigned long long)entry->line);
    const struct str cells[OWN_N] = {buf_str(&extra->text), entry->line > 0 ? str_from(line) : STR_NONE,
                                     str_from(reason_text(entry->reason)), entry->detail};
    return add_own(out, &first, form, cells, e);
}

static int add_header(struct out *out, const struct form *form, struct str header, bool bom, struct surplus *extra,
                      struct err *e)
{
    bool first = true;
    struct str names[OWN_N];
    for (size_t own = 0; own < OWN_N; own++)
        names[own] = str_from(own_names[own]);
    if (bom && buf_adds(&out->text, BYTE_ORDER_MARK) != 0)
        return err_oom(e);
    if (take_cells(form, header, out, &first, extra, e) != 0)
        return -1;
    return add_own(out, &first, form, names, e);
}

/* Every row that is wanted. `out` NULL: only looks whether one of them has too many cells. */
static int visit_rows(struct state *state, uint64_t run_id, struct form *form, struct out *out, struct err *e)
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
            rc = add_reject(out, form, &entry, &extra, e), form->shown++;
        else if (wanted)
            rc = take_cells(form, entry.cells, NULL, NULL, &extra, e);
        form->extra |= extra.text.n > 0;
        arena_reset(&arena);
        if (rc < 0 || (out != NULL && out_flush(out, false, e) != 0)) {
            rc = -1;
            goto done;
        }
        if (out == NULL && form->extra) {
            rc = 0;
            goto done;
        }
    }
done:
    state_results_close(results);
    arena_free(&arena);
    buf_free(&extra.text);
    return rc;
}

static int run(struct invocation *inv, struct err *e)
{
    const struct rejects_options *o = inv->options;
    struct state *state = NULL;
    struct out out = {0};
    struct arena arena;
    struct run_record record;
    struct str header;
    struct form form = {0};
    struct surplus none = {.text = BUF_INIT(EXTRA_BYTES)};
    int rc = -1;
    arena_init(&arena, ARENA_BYTES);
    if (state_arg_open(inv, &state, e) != 0 || run_choice(state, (uint64_t)o->run, &arena, &record, e) != 0)
        goto done;
    int found = state_header_get(state, record.id, &arena, &header, &form.delimiter, e);
    if (found < 0)
        goto done;
    if (found == 0) {
        err_set(e, XS_STATE, "the rows of run %llu are no longer kept (those of the latest 3 runs are)",
                (unsigned long long)record.id);
        goto done;
    }
    if (read_header(&form, header, &arena, e) != 0 || visit_rows(state, record.id, &form, NULL, e) != 0 ||
        out_open(&out, inv, OUT_PRIVATE, e) != 0 || add_header(&out, &form, header, o->bom, &none, e) != 0 ||
        visit_rows(state, record.id, &form, &out, e) != 0)
        goto done;
    rc = out_commit(&out, e);
    if (rc == 0 && form.shown == 0)
        rc = run_choice_tell_rejects(state, &record, &arena, e);
done:
    out_abandon(&out);
    arena_free(&arena);
    buf_free(&none.text);
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
            "for 3 runs.",
    .examples = "leadsync rejects people.csv --campaign \"Q4 founders\" -o again.csv\n"
                "leadsync sync people.csv --campaign \"Q4 founders\" --input again.csv",
    .groups = GROUP_OUTPUT | GROUP_STATE | GROUP_URL | GROUP_KEY | GROUP_CSV,
    .formats = formats,
    .options = options,
    .options_bytes = sizeof(struct rejects_options),
    .operands_max = 1,
    .run = run,
};
