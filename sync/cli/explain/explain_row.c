/* The rows of the source that are meant. The first pass maps them step by step; the second is a dry run of the whole sync, because
 * what happens to a row can depend on the others: duplicates, opt-outs, guards. */
#include "config.h"

#include "sync/cli/explain/explain.h"

#include "connectors/source.h"
#include "mappings/mapping.h"
#include "sync/cli/args/sync_arg.h"
#include "sync/pipeline/source_bind.h"
#include "sync/report/diff.h"

#include <string.h>

enum { SCRATCH_BYTES = 64 << 20, ROWS_MAX = 20, TEXT_BYTES = 1 << 20 };

struct reading {
    struct explain *x;
    struct mapping *m;
    struct source *source;
    struct arena scratch;
    const struct row *row;
    struct explained_field *field; /* whose steps are visited */
};

static int keep(struct explain *x, struct str *text)
{
    return arena_str(&x->arena, *text, text);
}

/* ---- which rows ---- */

static bool is_of_lead(const struct explain *x, struct str key_text)
{
    for (size_t i = 0; i < x->states_n && key_text.n > 0; i++)
        for (size_t k = 0; k < x->states[i].trace.leads_n; k++)
            if (str_eq(x->states[i].trace.leads[k].lead.key_text, key_text))
                return true;
    return false;
}

static bool explain_row_is_meant(const struct explain *x, const struct mapped *mapped)
{
    const struct str address = explain_states_address(x);
    if (address.n > 0 && str_eq(mapped->email_key, address))
        return true;
    if (x->query.key_text.n > 0 && str_eq(mapped->key_text, x->query.key_text))
        return true;
    return is_of_lead(x, mapped->key_text);
}

/* A row that makes no lead may lack its key: its cells are searched for what was asked. */
static bool names_who(const struct explain *x, const struct mapped *mapped, const struct row *row)
{
    if (mapped->verdict == MAPPED_LEAD || (mapped->verdict == MAPPED_SKIP && mapped->key_text.n > 0))
        return false;
    for (size_t i = 0; i < row->n; i++)
        if (explain_is_who(x, &row->cells[i]))
            return true;
    return false;
}

/* ---- one row ---- */

static int keep_step(void *ctx, const char *step, struct str made)
{
    struct reading *r = ctx;
    struct explained_field *field = r->field;
    struct explained_step *grown = arena_calloc(&r->x->arena, field->steps_n + 1, sizeof *grown);
    if (grown == NULL)
        return -1;
    if (field->steps_n > 0)
        memcpy(grown, field->steps, field->steps_n * sizeof *grown);
    field->steps = grown;
    grown[field->steps_n] = (struct explained_step){arena_dup(&r->x->arena, step, strlen(step)), made};
    return grown[field->steps_n].step == NULL ? -1 : keep(r->x, &grown[field->steps_n++].value);
}

static int keep_field(struct reading *r, struct explained_row *out, size_t slot, struct str name, const struct value *value)
{
    struct explained_field *field = &out->fields[out->fields_n];
    *field = (struct explained_field){.name = name, .value = *value};
    int found = mapping_origin(r->m, slot, r->row, &r->scratch, &field->read);
    field->has_read = found > 0;
    if (found < 0 || (value->kind == VALUE_ABSENT && (found == 0 || field->read.n == 0)))
        return found < 0 ? -1 : 0;
    r->field = field;
    if (mapping_steps(r->m, slot, r->row, &r->scratch, keep_step, r) != 0 || keep(r->x, &field->name) != 0 ||
        keep(r->x, &field->read) != 0)
        return -1;
    if (value->kind == VALUE_STRING || value->kind == VALUE_NUMBER || value->kind == VALUE_BOOL) {
        struct str text = {value->p, value->n};
        if (keep(r->x, &text) != 0)
            return -1;
        field->value.p = text.p;
    }
    out->fields_n++;
    return 0;
}

static int keep_left_out(struct reading *r, struct explained_row *out, const struct mapped *mapped)
{
    struct buf text = BUF_INIT(TEXT_BYTES);
    int bad = 0;
    if (mapped->verdict == MAPPED_SKIP) {
        bad = buf_addf(&text, "%s: ", reason_text(mapped->reason));
        bad |= mapped->skip_value > 0 ? mapping_skip_text(r->m, mapped->skip_value, mapped->skip_cell, &text)
                                      : mapping_reject_text(&mapped->skip, &text);
    }
    for (size_t i = 0; i < mapped->rejects_n && bad == 0; i++)
        bad = buf_addf(&text, "%s%s: ", i > 0 ? "; " : "", reason_text(mapped->rejects[i].reason)) |
              mapping_reject_text(&mapped->rejects[i], &text);
    out->left_out = buf_str(&text);
    bad |= keep(r->x, &out->left_out);
    buf_free(&text);
    return bad;
}

static int keep_row(struct reading *r, const struct mapped *mapped)
{
    struct explain *x = r->x;
    size_t n = LEAD_FIELD_N + r->m->shape.custom_n;
    if (x->rows == NULL && (x->rows = arena_calloc(&x->arena, ROWS_MAX, sizeof *x->rows)) == NULL)
        return -1;
    if (x->rows_n == ROWS_MAX)
        return 0;
    struct explained_row *out = &x->rows[x->rows_n++];
    *out = (struct explained_row){.row = r->row->number, .line = r->row->line};
    out->fields = arena_calloc(&x->arena, n, sizeof *out->fields);
    if (out->fields == NULL || keep_left_out(r, out, mapped) != 0)
        return -1;
    for (size_t f = 0; f < LEAD_FIELD_N; f++)
        if (keep_field(r, out, f, str_from(lead_field_table[f].api), &mapped->lead.core[f]) != 0)
            return -1;
    for (size_t i = 0; i < r->m->shape.custom_n && mapped->lead.custom != NULL; i++)
        if (keep_field(r, out, LEAD_FIELD_N + i, r->m->shape.custom_names[i], &mapped->lead.custom[i]) != 0)
            return -1;
    return 0;
}

static int explain_row_read_all(struct reading *r, struct err *e)
{
    struct mapped mapped;
    struct row row;
    int rc;
    while ((rc = source_next(r->source, &row, e)) > 0) {
        r->x->rows_read++;
        r->row = &row;
        arena_reset(&r->scratch);
        if (mapping_apply(r->m, &row, &r->scratch, &mapped, e) != 0)
            return -1;
        bool meant = explain_row_is_meant(r->x, &mapped) || names_who(r->x, &mapped, &row);
        if (meant && keep_row(r, &mapped) != 0)
            return err_oom(e);
    }
    return rc;
}

/* ---- the plan ---- */

static struct explained_row *find_row(struct explain *x, uint64_t number)
{
    for (size_t i = 0; i < x->rows_n; i++)
        if (x->rows[i].row == number)
            return &x->rows[i];
    return NULL;
}

static int decide(struct explain *x, struct explained_row *row, const char *op, struct buf *text, struct err *e)
{
    struct str decision = buf_str(text);
    int bad = keep(x, &decision);
    buf_free(text);
    if (bad != 0)
        return err_oom(e);
    row->op = op;
    row->decision = decision;
    return 0;
}

static int explain_row_change(void *ctx, const struct diff_change *change, struct err *e)
{
    struct explain *x = ctx;
    struct explained_row *row = change->entry->row > 0 ? find_row(x, change->entry->row) : NULL;
    struct buf text = BUF_INIT(TEXT_BYTES);
    if (row == NULL)
        return 0;
    const char *op = op_text(change->op);
    int bad = buf_adds(&text, op);
    if (row->decision.n > 0) { /* an update before a move */
        buf_reset(&text);
        bad = buf_addf(&text, "%.*s, then %s", STR_ARG(row->decision), op);
    }
    if (change->op == OP_CREATE || change->op == OP_MOVE)
        bad |= buf_adds(&text, change->op == OP_CREATE ? " the lead in " : " the lead to ") |
               target_show(change->target, &text);
    else if (change->op == OP_UPDATE)
        bad |= buf_adds(&text, " the lead");
    if (!change->certain)
        bad |= buf_adds(&text, ", if Instantly allows it (only Instantly knows)");
    if (bad != 0) {
        buf_free(&text);
        return err_oom(e);
    }
    return decide(x, row, op, &text, e);
}

static int explain_row_left_out(void *ctx, const struct diff_left_out *left_out, struct err *e)
{
    struct explain *x = ctx;
    struct explained_row *row = find_row(x, left_out->entry->row);
    struct buf text = BUF_INIT(TEXT_BYTES);
    if (row == NULL)
        return 0;
    int bad = buf_addf(&text, "leave the row out: %s (%s)", reason_text(left_out->entry->reason),
                       reason_help(left_out->entry->reason));
    if (left_out->entry->detail.n > 0)
        bad |= buf_adds(&text, ": ") | buf_add(&text, left_out->entry->detail.p, left_out->entry->detail.n);
    if (bad != 0) {
        buf_free(&text);
        return err_oom(e);
    }
    return decide(x, row, NULL, &text, e);
}

static int plan_rows(struct explain *x, struct runner *runner, struct err *e)
{
    const struct diff_watch watch = {.change = explain_row_change, .left_out = explain_row_left_out, .ctx = x};
    const struct diff_options options = {.format = DIFF_NONE, .watch = &watch};
    struct run_report report = {0};
    struct diff *diff = NULL;
    int rc = diff_open(&options, &diff, e);
    if (rc == 0)
        rc = run_diff(&runner->config, diff, &report, e);
    run_report_free(&report);
    diff_close(diff);
    for (size_t i = 0; i < x->rows_n && rc == 0; i++)
        if (x->rows[i].decision.n == 0)
            x->rows[i].decision = STR("nothing: the row is as the sync last wrote it, or a request of it is still open");
    return rc;
}

/* ---- */

static int read_source(struct reading *r, struct err *e)
{
    int rc = source_open(&r->m->source, NULL, r->x->inv->common.clock, &r->source, e);
    if (rc == 0)
        rc = source_bind(r->source, r->m, e);
    if (rc == 0)
        rc = explain_row_read_all(r, e);
    if (rc == 0) {
        const char *label = r->source->label;
        r->x->source = arena_dup(&r->x->arena, label, strlen(label));
        rc = r->x->source == NULL ? err_oom(e) : 0;
    }
    source_close(r->source);
    return rc;
}

int explain_row_read(struct explain *x, struct runner *runner, struct err *e)
{
    struct invocation shifted = *x->inv;
    struct reading r = {.x = x};
    shifted.operands = x->inv->operands + 1;
    shifted.operands_n = x->inv->operands_n - 1;
    arena_init(&r.scratch, SCRATCH_BYTES);
    int rc = runner_open(runner, &shifted, false, true, e);
    runner->inv = x->inv;
    /* A mapping of its own, because the dry run binds the runner's. */
    if (rc == 0)
        rc = sync_arg_load(&shifted, true, &r.m, e);
    if (rc == 0)
        rc = read_source(&r, e);
    if (rc == 0 && x->rows_n > 0)
        rc = plan_rows(x, runner, e);
    x->read = rc == 0;
    mapping_free(r.m);
    arena_free(&r.scratch);
    return rc;
}
