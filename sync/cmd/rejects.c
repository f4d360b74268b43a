/* `rejects`: the rejected and failed rows of a run as a CSV with the source's own columns, ready to be corrected and
 * fed in again: the two columns that are added are ignored when they are read. */
#include "config.h"

#include "sync/base/log.h"
#include "sync/cmd/commands.h"
#include "sync/cmd/out.h"
#include "sync/cmd/run_choice.h"
#include "sync/cmd/state_arg.h"
#include "sync/model/row.h"
#include "sync/state/state.h"

#include <stdlib.h>
#include <string.h>

struct rejects_options {
    int64_t run;
};

static const char *const formats[] = {"csv", NULL};

static const struct opt options[] = {
    {.name = "run", .kind = OPT_INT, .dest = OPT_AT(rejects_options, run), .arg = "ID", .min = 1, .max = INT64_MAX,
     .help = "of this run (the latest)"},
    {.name = NULL},
};

enum { ARENA_BYTES = 64 << 20 };

#define LINE_COLUMN STR(LEADSYNC_PREFIX "line")
#define REASON_COLUMN STR(LEADSYNC_PREFIX "reason")

/* How the rows are written. */
struct form {
    char delimiter;
    const bool *stale; /* a column of the source that is ours, from rejects that were fed in; the arena's */
    size_t n;          /* columns of the source */
};

static int damaged(struct err *e)
{
    return err_set(e, XS_STATE, "the state holds a damaged row; restore it from a backup");
}

static int count_cells(struct str packed, size_t *n, struct err *e)
{
    const char *p = packed.p, *end = packed.p + packed.n;
    struct cell cell;
    int rc;
    for (*n = 0; (rc = cells_next(&p, end, &cell)) > 0; ++*n)
        continue;
    return rc == 0 ? 0 : damaged(e);
}

static int find_stale(struct form *form, struct str header, struct arena *arena, struct err *e)
{
    const char *p = header.p, *end = header.p + header.n;
    struct cell cell;
    bool *stale;
    if (count_cells(header, &form->n, e) != 0)
        return -1;
    stale = arena_alloc(arena, form->n + 1);
    if (stale == NULL)
        return err_oom(e);
    for (size_t i = 0; cells_next(&p, end, &cell) > 0; i++) {
        struct str name = {cell.p, cell.n};
        stale[i] = str_eq(name, LINE_COLUMN) || str_eq(name, REASON_COLUMN);
    }
    form->stale = stale;
    return 0;
}

/* The cells as they were read, but for what an earlier `rejects` had added. A ragged row keeps its number of cells:
 * filled up, it would pass unseen next time. What had been added to it stands at its end: columns are counted from there. */
static int add_cells(struct out *out, bool *first, const struct form *form, struct str packed, struct err *e)
{
    const char *p = packed.p, *end = packed.p + packed.n;
    struct cell cell;
    size_t n;
    if (count_cells(packed, &n, e) != 0)
        return -1;
    for (size_t i = 0; cells_next(&p, end, &cell) > 0; i++) {
        bool stale = i + form->n >= n && form->stale[i + form->n - n];
        if (!stale && out_csv_cell(out, first, form->delimiter, (struct str){cell.p, cell.n}, false) != 0)
            return err_oom(e);
    }
    return 0;
}

/* A row whose cells are not kept (`values: hashed`, a forgotten person) is as wide as the others. */
static int add_blanks(struct out *out, bool *first, const struct form *form, struct err *e)
{
    for (size_t i = 0; i < form->n; i++)
        if (!form->stale[i] && out_csv_cell(out, first, form->delimiter, STR_NONE, false) != 0)
            return err_oom(e);
    return 0;
}

static int add_reject(struct out *out, const struct form *form, const struct entry *entry, struct err *e)
{
    bool first = true;
    char line[24];
    snprintf(line, sizeof line, "%llu", (unsigned long long)entry->line);
    if ((entry->cells.n > 0 ? add_cells(out, &first, form, entry->cells, e) : add_blanks(out, &first, form, e)) != 0)
        return -1;
    if (out_csv_cell(out, &first, form->delimiter, entry->line > 0 ? str_from(line) : STR_NONE, false) != 0 ||
        out_csv_cell(out, &first, form->delimiter, str_from(reason_text(entry->reason)), false) != 0 ||
        out_csv_end(out, &first) != 0)
        return err_oom(e);
    return 0;
}

static int add_header(struct out *out, const struct form *form, struct str header, struct err *e)
{
    bool first = true;
    if (add_cells(out, &first, form, header, e) != 0)
        return -1;
    if (out_csv_cell(out, &first, form->delimiter, LINE_COLUMN, false) != 0 ||
        out_csv_cell(out, &first, form->delimiter, REASON_COLUMN, false) != 0 || out_csv_end(out, &first) != 0)
        return err_oom(e);
    return 0;
}

static int add_rows(struct state *state, uint64_t run_id, const struct form *form, struct out *out, struct err *e)
{
    struct results *results = NULL;
    struct arena arena;
    struct entry entry;
    enum op op;
    uint32_t target;
    int rc = -1;
    arena_init(&arena, ARENA_BYTES);
    if (state_results_open(state, run_id, &results, e) != 0)
        goto done;
    while ((rc = state_results_next(results, &arena, &entry, &op, &target, e)) > 0) {
        bool wanted = entry.outcome == OUTCOME_REJECTED || entry.outcome == OUTCOME_FAILED;
        /* A removal that failed has no row. */
        if (wanted && entry.row > 0 && add_reject(out, form, &entry, e) != 0)
            rc = -1;
        arena_reset(&arena);
        if (rc < 0 || out_flush(out, false, e) != 0) {
            rc = -1;
            goto done;
        }
    }
done:
    state_results_close(results);
    arena_free(&arena);
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
    struct form form;
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
    if (find_stale(&form, header, &arena, e) != 0 || out_open(&out, inv, OUT_PRIVATE, e) != 0 ||
        add_header(&out, &form, header, e) != 0 ||
        add_rows(state, record.id, &form, &out, e) != 0)
        goto done;
    rc = out_commit(&out, e);
done:
    out_abandon(&out);
    arena_free(&arena);
    state_close(state);
    return rc;
}

const struct command command_rejects = {
    .name = "rejects",
    .usage = "[SYNC]",
    .summary = "print the rejected and failed rows as CSV, to be corrected and fed in again",
    .help = "Prints the source's own columns, header and cells as they were read, with\n"
            "leadsync_line and leadsync_reason added; a sync ignores these two when the\n"
            "corrected file is read, and they are replaced when that has rejects again. Rows are kept for 3 runs.",
    .groups = GROUP_OUTPUT | GROUP_STATE | GROUP_URL | GROUP_KEY | GROUP_CSV,
    .formats = formats,
    .options = options,
    .options_bytes = sizeof(struct rejects_options),
    .operands_max = 1,
    .run = run,
};
