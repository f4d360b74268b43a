/* Turns one row into a lead or into its rejects. This runs for every row of every source: unchanged values point into
 * cells, and new values come from the caller's scratch arena. */
#include "config.h"

#include "mappings/cells.h"
#include "mappings/convert/clean.h"
#include "mappings/file/compiled.h"
#include "mappings/convert/email.h"
#include "mappings/footer.h"
#include "sync/base/text.h"

#include <string.h>

struct applier {
    struct mapping *m;
    const struct row *row;
    struct arena *scratch;
    struct mapped *out;
    struct reject *rejects, *emptied;
    bool skipped; /* by a map's otherwise: skip */
};

/* The arena of a chunk is full, which is not the row's fault. */
static int apply_out_of_memory(struct err *e)
{
    return err_set(e, XS_INTERNAL, "a row does not fit into the memory of one chunk; raise --memory");
}

/* The number of rejects is bounded: one per column, one each for the key, the route and every skip rule, and one for the
 * row. */
static int reject_flaw(struct applier *a, const struct reject *flaw)
{
    const struct mapping_impl *impl = a->m->impl;
    if (a->rejects == NULL) {
        a->rejects = arena_calloc(a->scratch, impl->columns_n + impl->skips_n + impl->keys_n + 4, sizeof *a->rejects);
        if (a->rejects == NULL)
            return -1;
    }
    a->rejects[a->out->rejects_n++] = *flaw;
    return 0;
}

static int reject(struct applier *a, const char *column, enum reason reason, struct str value, const char *why)
{
    return reject_flaw(a, &(struct reject){.column = column, .reason = reason, .value = value, .why = why});
}

/* At most one per column, and one for the address. */
static int note_emptied(struct applier *a, const struct reject *flaw)
{
    if (a->emptied == NULL) {
        a->emptied = arena_calloc(a->scratch, a->m->impl->columns_n + 1, sizeof *a->emptied);
        if (a->emptied == NULL)
            return -1;
    }
    a->emptied[a->out->emptied_n++] = *flaw;
    a->out->emptied = a->emptied;
    return 0;
}

/* ---- identity ---- */

static void set_key(struct applier *a, struct str key_text)
{
    a->out->key_text = key_text;
    if (a->m->key_known != NULL)
        a->m->key_known(a->m->key_known_ctx, key_text);
}

/* Cells of a composite key, joined by '|'; a '|' or '\' inside a cell is written behind a '\', so that two keys are
 * never equal by accident. */
static int join_key(struct applier *a, struct str *out)
{
    const struct mapping_impl *impl = a->m->impl;
    size_t n = impl->keys_n;
    for (size_t i = 0; i < impl->keys_n; i++)
        n += 2 * str_trim(cell_text(a->row, impl->keys[i].index)).n;
    char *p = arena_alloc(a->scratch, n), *at = p;
    if (p == NULL)
        return -1;
    for (size_t i = 0; i < impl->keys_n; i++) {
        struct str part = str_trim(cell_text(a->row, impl->keys[i].index));
        if (i > 0)
            *at++ = '|';
        for (size_t k = 0; k < part.n; k++) {
            if (part.p[k] == '|' || part.p[k] == '\\')
                *at++ = '\\';
            *at++ = part.p[k];
        }
    }
    *out = (struct str){p, (size_t)(at - p)};
    return 0;
}

/* Why the row has no key or no address. */
static const char *no_value(const struct applier *a)
{
    return footer_looks_like(a->row, a->m->impl->data_n) ? "no value; " FOOTER_HINT : "no value";
}

/* `key:` as identity. 0, or -1 when memory is short; a fault of the key is a reject. */
static int identity_by_key(struct applier *a)
{
    const struct mapping_impl *impl = a->m->impl;
    for (size_t i = 0; i < impl->keys_n; i++) {
        struct str cell = cell_text(a->row, impl->keys[i].index);
        const char *name = impl->keys[i].name.p;
        if (is_blank(cell))
            return reject(a, name, REASON_KEY_MISSING, STR_NONE, no_value(a));
        if (!cell_is_utf8(a->row, cell))
            return reject(a, name, REASON_NOT_UTF8, cell, NULL);
        if (cell.n > KEY_BYTES_MAX)
            return reject(a, name, REASON_FIELD_TOO_LONG, cell, "is longer than the 1024 bytes of a key");
    }
    struct str key = str_trim(cell_text(a->row, impl->keys[0].index));
    if (impl->keys_n > 1 && join_key(a, &key) != 0)
        return -1;
    set_key(a, key);
    /* The last custom variable holds the key, so that leadsync can find a lead without an address again. */
    a->out->lead.custom[a->m->shape.custom_n - 1] = (struct value){VALUE_STRING, key.p, key.n};
    return 0;
}

/* The target that a row's route chose, or the only one. */
static const struct target_spec *row_target(const struct applier *a)
{
    if (a->m->routes_n == 0)
        return &a->m->target;
    return a->out->target_index < a->m->routes_n ? &a->m->routes[a->out->target_index].target : &a->m->route_default;
}

/* True if this row's lead may have no address. Only lists hold such leads, and only a key identifies them. */
static bool address_optional(const struct applier *a)
{
    return a->m->has_key && !a->m->stage.on && row_target(a)->kind == TARGET_LIST;
}

/* The row has no address. `flaw`: the fault of its column; NULL: the mapping has no column for it. */
static int address_missing(struct applier *a, const struct reject *flaw)
{
    struct reject missing = flaw != NULL ? *flaw : (struct reject){.column = "email"};
    if (address_optional(a))
        return 0;
    missing.reason = REASON_EMAIL_MISSING;
    if (is_blank(missing.value))
        missing.value = STR_NONE;
    if (missing.why == NULL)
        missing.why = missing.value.n == 0 ? no_value(a) : "leaves no value";
    return reject_flaw(a, &missing);
}

/* The address of a lead: the text that is sent, and the identity. `column`: its spec, or NULL; `flaw`: column and cell.
 * 0/-1 (memory). */
static int identity_by_email(struct applier *a, const struct column *column, struct reject *flaw)
{
    struct value *value = &a->out->lead.core[LEAD_EMAIL];
    struct email email;
    if (value->kind != VALUE_STRING)
        return address_missing(a, flaw);
    struct str raw = {value->p, value->n};
    if (email_parse(raw, a->scratch, &email) != 0)
        return -1;
    if (email.why != NULL) {
        *value = (struct value){.kind = VALUE_ABSENT};
        flaw->reason = REASON_EMAIL_INVALID;
        flaw->worked = raw;
        flaw->why = email.why;
        return column->empty_on_error && address_optional(a) ? note_emptied(a, flaw) : reject_flaw(a, flaw);
    }
    *value = (struct value){VALUE_STRING, email.send.p, email.send.n};
    a->out->email_key = email.key;
    if (!a->m->has_key)
        set_key(a, email.key);
    return 0;
}

/* Instantly requires a name for a lead without an address. */
static int name_needed(struct applier *a)
{
    const struct value *core = a->out->lead.core;
    if (core[LEAD_EMAIL].kind == VALUE_STRING || !address_optional(a) || a->out->rejects_n > 0 ||
        core[LEAD_FIRST_NAME].kind == VALUE_STRING || core[LEAD_LAST_NAME].kind == VALUE_STRING)
        return 0;
    return reject(a, NULL, REASON_INCOMPLETE, STR_NONE, "a lead without an address needs a first or last name");
}

/* ---- rows that are left out ---- */

/* 1 with the value's number in *which, from 1 on; 0; -1 no memory. */
static int rule_matches(struct applier *a, const struct skip_rule *rule, struct str cell, size_t *which)
{
    struct str text = clean_trim_marks(cell);
    struct buf *fold = &a->m->impl->fold;
    if (!text_is_ascii(text)) {
        buf_reset(fold);
        if (text_fold(text, fold) != 0)
            return -1;
        text = buf_str(fold);
    }
    for (size_t i = 0; i < rule->values_n; i++) {
        bool any = str_is(rule->values[i], SKIP_ANY) && text.n > 0 && !clean_is_placeholder(text, false);
        if (any || str_eq_nocase(text, rule->values[i])) {
            *which = i + 1;
            return 1;
        }
    }
    return 0;
}

/* The first rule that matches the row: 1 with skip_value, 0 none, -1 no memory. A cell that cannot be compared rejects the
 * row, because it may hold an opt-out. A row that is too short has only some of the columns. */
static int skip_when(struct applier *a)
{
    const struct mapping_impl *impl = a->m->impl;
    size_t before = 0, which;
    for (size_t i = 0; i < impl->skips_n; before += impl->skips[i].values_n, i++) {
        const struct skip_rule *rule = &impl->skips[i];
        if (rule->column.index >= a->row->n)
            continue;
        struct str cell = cell_text(a->row, rule->column.index);
        if (!cell_is_utf8(a->row, cell)) {
            if (reject(a, rule->column.name.p, REASON_NOT_UTF8, cell, NULL) != 0)
                return -1;
            continue;
        }
        int matches = rule_matches(a, rule, cell, &which);
        if (matches < 0)
            return -1;
        if (matches > 0) {
            a->out->skip_value = before + which;
            a->out->skip_cell = cell;
            return 1;
        }
    }
    return skip_missed(a->m, a->row, &a->out->warning);
}

/* Sets target_index. 1 when the route skips the row, 0, -1 no memory. */
static int route(struct applier *a)
{
    const struct mapping *m = a->m;
    if (m->routes_n == 0)
        return 0;
    struct str cell = cell_text(a->row, m->impl->route.index), value = str_trim(cell);
    size_t low = 0, high = m->routes_n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = str_cmp(value, m->impl->route_values[middle].value);
        if (order == 0) {
            a->out->target_index = m->impl->route_values[middle].index;
            return 0;
        }
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    a->out->target_index = m->routes_n;
    if (m->route_otherwise == OTHERWISE_REJECT) {
        bool text = cell_is_utf8(a->row, cell);
        return reject(a, m->route_column, text ? REASON_ROUTE_UNMATCHED : REASON_NOT_UTF8, cell,
                      !text          ? NULL
                      : value.n == 0 ? "no value, which matches no case of the route"
                                     : "matches no case of the route");
    }
    if (m->route_otherwise != OTHERWISE_SKIP)
        return 0;
    a->out->skip = (struct reject){.column = m->route_column,
                                   .reason = REASON_ROUTE_SKIP,
                                   .value = cell,
                                   .why = "matches no case of the route, and otherwise: skip leaves the row out"};
    return 1;
}

/* ---- a row ---- */

/* The common case of a plain column: the cell is sent as it is, without a call. */
static bool take_plain(const struct column *column, const struct row *row, struct value *out)
{
    const struct cell *cell = &row->cells[column->from.index];
    if ((!column->plain && !column->plain_if_clean) || row->flaws != NULL || cell->null || cell->n == 0 ||
        (unsigned char)cell->p[0] - 0x21u >= 0x5Eu || !cell_is_utf8(row, (struct str){cell->p, cell->n}) ||
        (!column->plain && !clean_leaves(cell->p, cell->n)))
        return false;
    *out = (struct value){VALUE_STRING, cell->p, cell->n};
    return true;
}

/* Runs one column and checks the result if it is the address. 0/-1. */
static int take_column(struct applier *a, const struct column *column)
{
    struct value *value = column->slot < LEAD_FIELD_N ? &a->out->lead.core[column->slot]
                                                      : &a->out->lead.custom[column->slot - LEAD_FIELD_N];
    struct reject flaw;
    bool emptied;
    if (take_plain(column, a->row, value)) {
        if (column->slot != LEAD_EMAIL)
            return 0;
        flaw = (struct reject){.column = column->label, .value = {value->p, value->n}, .slot = column->slot};
        return identity_by_email(a, column, &flaw);
    }
    enum column_result result = column_run(column, a->row, a->scratch, value, &flaw, &emptied);
    if (result == COLUMN_ERROR)
        return -1;
    if (result != COLUMN_VALUE)
        *value = (struct value){.kind = VALUE_ABSENT};
    if (result == COLUMN_REJECT)
        return reject_flaw(a, &flaw);
    if (result == COLUMN_SKIP) {
        a->out->skip = a->skipped ? a->out->skip : flaw;
        a->skipped = true;
        return 0;
    }
    if (emptied && (column->slot != LEAD_EMAIL || address_optional(a)) && note_emptied(a, &flaw) != 0)
        return -1;
    return column->slot == LEAD_EMAIL ? identity_by_email(a, column, &flaw) : 0;
}

/* The address comes first, so that its fault is the row's reason. */
static int take_columns(struct applier *a)
{
    const struct mapping_impl *impl = a->m->impl;
    if (!impl->has_email && identity_by_email(a, NULL, NULL) != 0)
        return -1;
    for (size_t i = 0; i < impl->columns_n; i++) {
        if (take_column(a, &impl->columns[i]) != 0)
            return -1;
    }
    return name_needed(a);
}

static bool has_cell(const struct applier *a, size_t index)
{
    return index < a->row->n && row_flaw(a->row, index) == REASON_NONE;
}

/* True if the row has usable cells for all columns of the spec. A short row may lack them. */
static bool has_column(const struct applier *a, const struct column *column)
{
    bool all = true;

    if (column->origin == ORIGIN_COLUMN)
        all = has_cell(a, column->from.index);
    for (size_t i = 0; i < column->others_n; i++)
        all = all && has_cell(a, column->others[i].index);
    for (size_t i = 0; column->origin == ORIGIN_TEMPLATE && i < column->template.n; i++)
        all = all && (!column->template.parts[i].is_column || has_cell(a, column->template.parts[i].column));
    return all;
}

/* Only the identity, for a row that is left out or rejected anyway. Its other faults do not matter then. */
static int identity_only(struct applier *a)
{
    const struct mapping_impl *impl = a->m->impl;
    size_t rejects_n = a->out->rejects_n;
    if ((a->m->has_key && identity_by_key(a) != 0) ||
        (impl->has_email && has_column(a, &impl->columns[0]) && take_column(a, &impl->columns[0]) != 0))
        return -1;
    a->out->rejects_n = rejects_n;
    a->out->emptied_n = 0;
    return 0;
}

/* A row that is left out has no faults, so this drops the rejects found so far. */
static int skip(struct applier *a, enum reason reason)
{
    a->out->verdict = MAPPED_SKIP;
    a->out->reason = reason;
    a->out->rejects_n = a->out->emptied_n = 0;
    return 0;
}

/* Rules that leave rows out come before the checks, so that users need not correct rows that are skipped anyway. */
static int map_row(struct applier *a)
{
    int rc = skip_when(a);
    if (rc < 0)
        return -1;
    if (rc > 0)
        return identity_only(a) != 0 ? -1 : skip(a, REASON_SKIP_WHEN);
    rc = route(a);
    if (rc < 0)
        return -1;
    if (rc > 0)
        return identity_only(a) != 0 ? -1 : skip(a, REASON_ROUTE_SKIP);
    if ((a->m->has_key && identity_by_key(a) != 0) || take_columns(a) != 0)
        return -1;
    if (a->skipped)
        return skip(a, REASON_SKIP_WHEN);
    a->out->verdict = MAPPED_LEAD;
    return 0;
}

/* The first used column whose cell is unusable; bound_n: none. Unused columns are not checked, and neither are columns that
 * only specs with `on_error: empty` use. */
static size_t flawed_column(const struct applier *a)
{
    const struct mapping_impl *impl = a->m->impl;
    size_t i = a->row->flaws != NULL ? 0 : impl->bound_n;
    while (i < impl->bound_n && (!impl->strict[i] || row_flaw(a->row, i) == REASON_NONE))
        i++;
    return i;
}

/* A row that cannot be used may still hold an opt-out. `column`: bound_n, or the column of the unusable cell. */
static int defective_row(struct applier *a, enum reason defect, size_t column)
{
    const bool of_cell = column < a->m->impl->bound_n;
    int rc = skip_when(a);
    if (rc > 0)
        return identity_only(a) != 0 ? -1 : skip(a, REASON_SKIP_WHEN);
    a->out->rejects_n = 0;
    struct str value = of_cell ? cell_shown(a->row, column) : STR_NONE;
    const char *why = cell_why(value);
    if (rc < 0 || (defect == REASON_RAGGED_ROW && row_width_why(a->m, a->row, a->scratch, &why) != 0) ||
        reject(a, of_cell ? a->m->impl->used_names[column] : NULL, defect, value, why) != 0)
        return -1;
    /* The other cells may still identify the row. */
    return of_cell ? identity_only(a) : 0;
}

/* Maps one row. Clears the lead's arrays first; each function sets its own members. */
int mapping_apply(struct mapping *m, const struct row *row, struct arena *scratch, struct mapped *out, struct err *e)
{
    struct applier a = {.m = m, .row = row, .scratch = scratch, .out = out};
    memset(out, 0, sizeof *out);
    out->lead.shape = &m->shape;
    out->lead.custom = arena_calloc(scratch, m->shape.custom_n + 1, sizeof *out->lead.custom);
    if (out->lead.custom == NULL)
        return apply_out_of_memory(e);
    struct row whole;
    const size_t cells_n = row->found > 0 ? row->found : row->n;
    int filled = row->defect == REASON_RAGGED_ROW ? row_width_fill_up(m, row, scratch, &whole) : 0;
    if (filled < 0)
        return apply_out_of_memory(e);
    a.row = row = filled > 0 ? &whole : row;
    enum reason defect = row->defect != REASON_NONE   ? row->defect
                         : row->n != m->impl->bound_n ? REASON_RAGGED_ROW
                                                      : REASON_NONE;
    size_t flawed = defect == REASON_NONE ? flawed_column(&a) : m->impl->bound_n;
    if (flawed < m->impl->bound_n)
        defect = row_flaw(row, flawed);
    int rc = defect == REASON_NONE ? map_row(&a) : defective_row(&a, defect, flawed);
    if (rc == 0 && filled > 0 && out->verdict == MAPPED_LEAD && out->rejects_n == 0 && out->warning == NULL) {
        rc = skip_cut(m, cells_n, &out->warning);
        out->usual = out->warning != NULL;
    }
    if (rc != 0)
        return apply_out_of_memory(e);
    if (out->rejects_n > 0) {
        out->verdict = MAPPED_REJECT;
        out->reason = a.rejects[0].reason;
        out->rejects = a.rejects;
        out->emptied_n = 0;
    }
    return 0;
}
