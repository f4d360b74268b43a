/* Changes and left-out rows of a plan, from JSON to the records of a dry run. */
#include "config.h"

#include "sync/planfile/plan_file_int.h"

#include <string.h>

static int read_value(struct plan_file *p, struct json_object *v, struct value *out, struct err *e)
{
    struct str text = plan_text(v);
    *out = (struct value){.kind = VALUE_NULL};
    switch (json_object_get_type(v)) {
    case json_type_null: return 0;
    case json_type_string: out->kind = VALUE_STRING; break;
    case json_type_boolean:
        out->kind = VALUE_BOOL;
        text = str_from(json_object_get_boolean(v) ? "true" : "false");
        break;
    case json_type_object:
        out->kind = VALUE_NUMBER;
        text = plan_text(plan_member(v, "number"));
        if (text.n == 0 || strspn(text.p, "0123456789+-.eE") != text.n)
            return plan_bad(p, e, "a number is malformed");
        break;
    default: return plan_bad(p, e, "a value is of no known kind");
    }
    struct str copy = STR_NONE;
    if (text.n > 0 && arena_str(&p->slot->arena, text, &copy) != 0)
        return err_oom(e);
    out->p = copy.n > 0 ? copy.p : "";
    out->n = copy.n;
    return 0;
}

/* 1 with the lead, 0 it is null, -1 */
static int read_lead(struct plan_file *p, struct json_object *o, struct lead *out, struct err *e)
{
    struct json_object *v, *custom = plan_member(o, "custom_variables");
    *out = (struct lead){.shape = &p->shape};
    if (o == NULL)
        return 0;
    out->custom = arena_calloc(&p->slot->arena, p->shape.custom_n + 1, sizeof *out->custom);
    if (out->custom == NULL)
        return err_oom(e);
    for (size_t f = 0; f < LEAD_FIELD_N; f++)
        if (json_object_object_get_ex(o, lead_field_table[f].api, &v) && read_value(p, v, &out->core[f], e) != 0)
            return -1;
    for (size_t c = 0; c < p->shape.custom_n; c++) {
        const char *name = arena_dup(&p->slot->arena, p->shape.custom_names[c].p, p->shape.custom_names[c].n);
        if (name == NULL)
            return err_oom(e);
        if (json_object_object_get_ex(custom, name, &v) && read_value(p, v, &out->custom[c], e) != 0)
            return -1;
    }
    return 1;
}

static int read_fields(struct plan_file *p, struct json_object *o, struct diff_change *change, struct err *e)
{
    struct json_object *fields = plan_member(o, "fields"), *custom = plan_member(o, "custom_fields");
    size_t n = json_object_is_type(fields, json_type_array) ? json_object_array_length(fields) : 0;
    for (size_t i = 0; i < n; i++) {
        int field = lead_field_find(plan_text(json_object_array_get_idx(fields, i)));
        if (field < 0)
            return plan_bad(p, e, "a field has an unknown name");
        change->fields |= 1U << field;
    }
    memset(p->slot->custom, 0, p->shape.custom_n * sizeof *p->slot->custom);
    n = json_object_is_type(custom, json_type_array) ? json_object_array_length(custom) : 0;
    for (size_t i = 0; i < n; i++) {
        struct str name = plan_text(json_object_array_get_idx(custom, i));
        size_t c = 0;
        while (c < p->shape.custom_n && !str_eq(p->shape.custom_names[c], name))
            c++;
        if (c == p->shape.custom_n)
            return plan_bad(p, e, "a variable has an unknown name");
        p->slot->custom[c] = true;
    }
    change->custom = n > 0 ? p->slot->custom : NULL;
    return 0;
}

static int read_entry(struct plan_file *p, struct json_object *o, struct entry *out, struct err *e)
{
    *out = (struct entry){.row = plan_count(o, "row"), .line = plan_count(o, "line")};
    struct str id = plan_text(plan_member(o, "lead_id"));
    out->has_lead_id = id.n > 0;
    if (id.n > 0 && uuid_parse(id, &out->lead_id) != 0)
        return plan_bad(p, e, "the id of a lead is malformed");
    if (plan_copy_text(&p->slot->arena, plan_member(o, "key"), &out->key_text) != 0 ||
        plan_copy_text(&p->slot->arena, plan_member(o, "email"), &out->email) != 0 ||
        plan_copy_text(&p->slot->arena, plan_member(o, "detail"), &out->detail) != 0)
        return err_oom(e);
    return 0;
}

static int read_change(struct plan_file *p, struct json_object *o, struct plan_record *out, struct err *e)
{
    static const enum op ops[] = {OP_CREATE, OP_UPDATE, OP_MOVE, OP_REMOVE};
    struct diff_change *change = &out->change;
    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++)
        if (plan_member_is(o, "op", op_text(ops[i])))
            change->op = ops[i];
    if (change->op == OP_NONE)
        return plan_bad(p, e, "an operation is unknown");
    int to = plan_read_target(p, &p->slot->arena, plan_member(o, "target"), &p->slot->targets[0], e);
    int from = to < 0 ? -1 : plan_read_target(p, &p->slot->arena, plan_member(o, "from"), &p->slot->targets[1], e);
    int old = from < 0 ? -1 : read_lead(p, plan_member(o, "old"), &p->slot->leads[0], e);
    int new = old < 0 ? -1 : read_lead(p, plan_member(o, "new"), &p->slot->leads[1], e);
    if (new < 0 || read_fields(p, o, change, e) != 0)
        return -1;
    bool removes = change->op == OP_REMOVE;
    if ((removes ? from : to) == 0 || (!removes && new == 0) || (removes && !out->entry.has_lead_id && !p->origin.masked))
        return plan_bad(p, e, "a change lacks its lead, campaign or list");
    change->rekey = plan_truth(o, "rekey");
    change->certain = plan_truth(o, "certain");
    change->drift = plan_truth(o, "drift");
    change->entry = &out->entry;
    change->target = to == 1 ? &p->slot->targets[0] : NULL;
    change->from = from == 1 ? &p->slot->targets[1] : NULL;
    change->old_lead = old == 1 ? &p->slot->leads[0] : NULL;
    change->new_lead = new == 1 ? &p->slot->leads[1] : NULL;
    out->kind = PLAN_CHANGE;
    return 1;
}

static int read_cells(struct plan_file *p, struct json_object *list, struct str *out, struct err *e)
{
    size_t n = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;
    struct cell *cells = n <= PLAN_LIST_MAX ? arena_calloc(&p->slot->arena, n + 1, sizeof *cells) : NULL;
    struct buf packed = BUF_INIT(PLAN_LINE_MAX);
    if (cells == NULL)
        return n <= PLAN_LIST_MAX ? err_oom(e) : plan_bad(p, e, "a row has too many cells");
    for (size_t i = 0; i < n; i++) {
        struct str text = plan_text(json_object_array_get_idx(list, i));
        cells[i] = (struct cell){text.p, text.n, json_object_array_get_idx(list, i) == NULL};
    }
    int failed = n > 0 ? cells_pack(cells, n, &packed) != 0 || arena_str(&p->slot->arena, buf_str(&packed), out) != 0 : 0;
    buf_free(&packed);
    return failed ? err_oom(e) : 0;
}

static int read_left_out(struct plan_file *p, struct json_object *o, struct plan_record *out, struct err *e)
{
    int outcome = outcome_find(plan_text(plan_member(o, "outcome"))),
        reason = reason_find(plan_text(plan_member(o, "reason")));
    if (outcome < 0 || (reason < 0 && plan_text(plan_member(o, "reason")).n > 0))
        return plan_bad(p, e, "an outcome or reason is unknown");
    out->entry.outcome = (enum outcome)outcome;
    out->entry.reason = reason < 0 ? REASON_NONE : (enum reason)reason;
    out->left_out.entry = &out->entry;
    char *column;
    if (plan_copy_cstr(p, &p->slot->arena, plan_member(o, "column"), &column, e) != 0)
        return -1;
    out->left_out.column = column;
    if (read_cells(p, plan_member(o, "cells"), &out->entry.cells, e) != 0)
        return -1;
    if (plan_copy_text(&p->slot->arena, plan_member(o, "value"), &out->left_out.value) != 0)
        return err_oom(e);
    out->kind = PLAN_LEFT_OUT;
    return 1;
}

int plan_record_read(struct plan_file *p, struct json_object *o, struct plan_record *out, struct err *e)
{
    bool change = plan_member_is(o, "type", "change"), left_out = plan_member_is(o, "type", "left_out");
    if (!change && !left_out)
        return plan_member_is(o, "type", "summary") ? 0 : plan_bad(p, e, "a record is of no known type");
    if (read_entry(p, o, &out->entry, e) != 0)
        return -1;
    return change ? read_change(p, o, out, e) : read_left_out(p, o, out, e);
}
