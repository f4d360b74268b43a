/* Findings of `check` in the values of the source: why rows are rejected, values that on_error: empty drops, placeholders, and
 * numbers that a spreadsheet has cut. Each kind is counted per column, and reported with the first row that has it. */
#include "config.h"

#include "sync/preflight/check_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sync/base/text.h"
#include "sync/pipeline/odd_cells.h"

enum { SAMPLE_COLUMNS = 60, SAMPLE_BYTES = 4096 };

/* How often something occurred, and where first. */
struct check_first {
    uint64_t n, row, line;
    char *text; /* what is said of the first */
};

struct check_values {
    const struct source *source;
    size_t columns_n, slots_n;
    struct check_first *placeholders, *cut_numbers; /* by column of the source */
    struct check_first *emptied;                    /* by field, then custom variable */
    struct check_first rejects[REASON_N];
    struct odd_cells odd_cells; /* of which it reports the mangled ones */
};

int check_values_start(struct check *c, const struct source *source, struct err *e)
{
    struct check_values *v = calloc(1, sizeof *v);
    if (v == NULL)
        return err_oom(e);
    c->values = v;
    v->source = source;
    v->columns_n = source->columns_n;
    v->slots_n = LEAD_FIELD_N + c->m->shape.custom_n;
    v->placeholders = calloc(v->columns_n + 1, sizeof *v->placeholders);
    v->cut_numbers = calloc(v->columns_n + 1, sizeof *v->cut_numbers);
    v->emptied = calloc(v->slots_n, sizeof *v->emptied);
    return v->placeholders != NULL && v->cut_numbers != NULL && v->emptied != NULL ? 0 : err_oom(e);
}

static void first_free(struct check_first *first, size_t n)
{
    for (size_t i = 0; first != NULL && i < n; i++)
        free(first[i].text);
}

void check_values_stop(struct check *c)
{
    struct check_values *v = c->values;
    if (v == NULL)
        return;
    first_free(v->placeholders, v->columns_n);
    first_free(v->cut_numbers, v->columns_n);
    first_free(v->emptied, v->slots_n);
    first_free(v->rejects, REASON_N);
    odd_cells_free(&v->odd_cells);
    free(v->placeholders);
    free(v->cut_numbers);
    free(v->emptied);
    free(v);
    c->values = NULL;
}

/* True the first time; then the caller describes the occurrence. */
static bool count_cell(struct check_first *f, const struct row *row)
{
    if (f->n++ > 0)
        return false;
    f->row = row->number;
    f->line = row->line;
    return true;
}

static int keep(struct check_first *f, struct buf *text, struct err *e)
{
    const char *made = buf_cstr(text);
    f->text = made != NULL ? strdup(made) : NULL;
    return f->text != NULL ? 0 : err_oom(e);
}

static int keep_reject(struct check_first *f, const struct reject *reject, struct err *e)
{
    struct buf text = BUF_INIT(SAMPLE_BYTES);
    int rc = mapping_reject_text(reject, &text) != 0 ? err_oom(e) : keep(f, &text, e);
    buf_free(&text);
    return rc;
}

static int keep_cell(struct check_first *f, struct str cell, struct err *e)
{
    struct buf text = BUF_INIT(SAMPLE_BYTES);
    int rc = text_show(str_trim(cell), SAMPLE_COLUMNS, &text) != 0 ? err_oom(e) : keep(f, &text, e);
    buf_free(&text);
    return rc;
}

/* Cells are counted as read, also those of rejected rows. */
static int look_at_cells(struct check *c, const struct row *row, struct err *e)
{
    struct check_values *v = c->values;
    const uint8_t *uses = mapping_cell_uses(c->m);
    for (size_t i = 0; i < row->n && i < v->columns_n; i++) {
        struct str cell = {row->cells[i].p, row->cells[i].n};
        if ((uses[i] & CELL_SENT) == 0 || row->cells[i].null || row_flaw(row, i) != REASON_NONE || cell.n == 0)
            continue;
        bool of_person = (uses[i] & CELL_OF_PERSON) != 0;
        struct check_first *f = mapping_is_placeholder(cell, of_person) ? &v->placeholders[i]
                                : mapping_is_cut_number(cell)           ? &v->cut_numbers[i]
                                                                        : NULL;
        if (f != NULL && count_cell(f, row) && keep_cell(f, cell, e) != 0)
            return -1;
    }
    return 0;
}

int check_values_row(struct check *c, const struct row *row, const struct mapped *mapped, struct err *e)
{
    struct check_values *v = c->values;
    for (size_t i = 0; i < mapped->emptied_n; i++) {
        const struct reject *r = &mapped->emptied[i];
        if (count_cell(&v->emptied[r->slot], row) && keep_reject(&v->emptied[r->slot], r, e) != 0)
            return -1;
    }
    struct check_first *rejected = &v->rejects[mapped->reason];
    if (mapped->verdict == MAPPED_REJECT && count_cell(rejected, row) && keep_reject(rejected, &mapped->rejects[0], e) != 0)
        return -1;
    if (odd_cells_see(&v->odd_cells, v->source, c->m, row, e) != 0)
        return -1;
    return look_at_cells(c, row, e);
}

/* "row 3, line 4", or "row 3" if the source has no lines. */
static const char *place(const struct check_first *f, char out[64])
{
    int n = snprintf(out, 64, "row %llu", (unsigned long long)f->row);
    if (f->line > 0)
        snprintf(out + n, 64 - (size_t)n, ", line %llu", (unsigned long long)f->line);
    return out;
}

static void report_cells(struct check *c, const struct source *source, size_t column)
{
    const struct check_first *p = &c->values->placeholders[column], *cut = &c->values->cut_numbers[column];
    struct str name = source->columns[column].name;
    bool cleaned = (mapping_cell_uses(c->m)[column] & CELL_AS_IT_IS) == 0;
    char where[64];
    if (p->n > 0)
        check_report(c, cleaned ? FINDING_NOTICE : FINDING_WARNING, "source",
                     "column \"%.*s\": %llu cell%s a placeholder such as %s (first in %s); %s makes %s empty", STR_ARG(name),
                     (unsigned long long)p->n, p->n == 1 ? " holds" : "s hold", p->text, place(p, where),
                     cleaned ? "clean" : "apply: [clean]", p->n == 1 ? "it" : "them");
    if (cut->n > 0)
        check_report(
            c, FINDING_WARNING, "source",
            "column \"%.*s\": %llu number%s cut by a spreadsheet, such as %s (first in %s): the digits are lost; export "
            "the column as text again",
            STR_ARG(name), (unsigned long long)cut->n, cut->n == 1 ? " was" : "s were", cut->text, place(cut, where));
}

void check_values_report(struct check *c, const struct source *source)
{
    const struct check_values *v = c->values;
    char where[64];
    for (size_t r = 0; r < REASON_N; r++)
        if (v->rejects[r].n > 0)
            check_report(c, FINDING_WARNING, "source", "%s, first in %s: %s", reason_text((enum reason)r),
                         place(&v->rejects[r], where), v->rejects[r].text);
    for (size_t s = 0; s < v->slots_n; s++)
        if (v->emptied[s].n > 0)
            check_report(c, FINDING_NOTICE, "source", "%llu value%s left empty by on_error: empty, first in %s: %s",
                         (unsigned long long)v->emptied[s].n, v->emptied[s].n == 1 ? " is" : "s are",
                         place(&v->emptied[s], where), v->emptied[s].text);
    for (size_t i = 0; i < v->columns_n; i++)
        report_cells(c, source, i);
    struct buf text = BUF_INIT(SAMPLE_BYTES);
    const char *mangled = odd_cells_mangled_text(&v->odd_cells, &text) == 0 ? buf_cstr(&text) : NULL;
    if (mangled != NULL && text.n > 0)
        check_report(c, FINDING_WARNING, "source", "%s", mangled);
    buf_free(&text);
}
