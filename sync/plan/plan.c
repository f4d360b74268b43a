/* The decision for one row. docs/WRITES.md has the rules: "What a row becomes". */
#include "config.h"

#include "sync/plan/plan.h"

#include <stdlib.h>
#include <string.h>

#include "sync/plan/eligibility.h"

static bool is_empty(const struct value *v)
{
    return v->kind == VALUE_ABSENT || v->kind == VALUE_NULL || (v->kind == VALUE_STRING && v->n == 0);
}

bool plan_value_changes(const struct value *there, const struct value *wanted, enum overwrite overwrite)
{
    /* A value that became empty is not a change: clearing must be asked for (`empty: clear` gives VALUE_NULL). */
    if (wanted->kind == VALUE_ABSENT)
        return false;
    if (is_empty(wanted) && is_empty(there))
        return false;
    if (value_eq(there, wanted))
        return false;
    switch (overwrite) {
    case OVERWRITE_ALWAYS: return true;
    case OVERWRITE_IF_EMPTY: return is_empty(there);
    case OVERWRITE_NEVER: return false;
    }
    return false;
}

static bool is_same_number(const struct value *there, const struct value *wanted)
{
    enum { NUMBER_MAX = 64 };
    char x[NUMBER_MAX], y[NUMBER_MAX];
    if (there->kind != VALUE_NUMBER || wanted->kind != VALUE_NUMBER || there->n >= sizeof x || wanted->n >= sizeof y)
        return false;
    memcpy(x, there->p, there->n);
    memcpy(y, wanted->p, wanted->n);
    x[there->n] = y[wanted->n] = '\0';
    return strtod(x, NULL) == strtod(y, NULL);
}

bool plan_value_is(const struct value *there, const struct value *wanted)
{
    if (!plan_value_changes(there, wanted, OVERWRITE_ALWAYS))
        return true;
    if (there->kind <= VALUE_NULL || wanted->kind <= VALUE_NULL)
        return false;
    return is_same_number(there, wanted) ||
           str_eq(str_trim((struct str){there->p, there->n}), str_trim((struct str){wanted->p, wanted->n}));
}

static struct str text_of(const struct value *v)
{
    return v->kind == VALUE_STRING ? (struct str){v->p, v->n} : STR_NONE;
}

/* True if the row has the address of another person, not another spelling of the same. A row without an address changes
 * nothing. */
static bool other_address(const struct lead *old, const struct lead *wanted)
{
    struct str was = text_of(&old->core[LEAD_EMAIL]), is = text_of(&wanted->core[LEAD_EMAIL]);
    return is.n > 0 && !mapping_same_address(was, is);
}

void plan_keep_out(enum reason status, enum target_kind to, struct decision *d)
{
    bool activates = d->op == OP_CREATE || (d->op == OP_MOVE && to == TARGET_CAMPAIGN);
    if (activates && status != REASON_NONE)
        *d = (struct decision){.op = OP_NONE, .outcome = OUTCOME_SKIPPED, .reason = status};
}

void plan_rekey(const struct plan_rules *rules, const struct known_lead *known, struct decision *out)
{
    *out = (struct decision){.op = OP_NONE, .outcome = OUTCOME_SKIPPED, .reason = REASON_MODE_CREATE};
    if (rules->mode == MODE_CREATE)
        return;
    *out = (struct decision){.op = OP_CREATE, .rekey = true};
    plan_keep_out(lead_status_reason(known->status), TARGET_LIST, out);
}

/* Compares with the value that was last written. NULL: it is not known, so clearing the field may be necessary. */
static bool changes_since(const struct value *written, const struct value *wanted, enum overwrite overwrite)
{
    static const struct value absent = {VALUE_ABSENT, NULL, 0};
    if (written == NULL && wanted->kind == VALUE_NULL)
        return overwrite == OVERWRITE_ALWAYS;
    return plan_value_changes(written != NULL ? written : &absent, wanted, overwrite);
}

static void decide_known(const struct plan_rules *rules, const struct known_lead *known, const struct lead *known_values,
                         const struct lead *wanted, uint32_t wanted_target, bool *custom_changed, struct decision *out)
{
    out->move = known->target != wanted_target;
    for (int f = 0; f < LEAD_FIELD_N; f++) {
        const struct value *old = known_values != NULL ? &known_values->core[f] : NULL;
        /* An address cannot be patched, and one that differs only in spelling is the same person. */
        if (f != LEAD_EMAIL && changes_since(old, &wanted->core[f], rules->overwrite[f]))
            out->fields |= 1U << f;
    }
    for (size_t c = 0; c < wanted->shape->custom_n; c++) {
        const struct value *old = known_values != NULL ? &known_values->custom[c] : NULL;
        bool changes = changes_since(old, &wanted->custom[c], rules->overwrite[LEAD_FIELD_N + c]);
        if (custom_changed != NULL)
            custom_changed[c] = changes;
        out->custom = out->custom || changes;
    }
    if (!out->move && out->fields == 0 && !out->custom) {
        out->outcome = OUTCOME_UNCHANGED;
    } else if (rules->mode == MODE_CREATE && out->move && known->target == rules->stage_list) {
        /* The second half of a create: values stay as they were created. */
        out->op = OP_MOVE;
        out->fields = 0;
        out->custom = false;
        if (custom_changed != NULL)
            memset(custom_changed, 0, wanted->shape->custom_n * sizeof *custom_changed);
    } else if (rules->mode == MODE_CREATE) {
        out->outcome = OUTCOME_SKIPPED;
        out->reason = REASON_MODE_CREATE;
    } else {
        out->op = out->move ? OP_MOVE : OP_UPDATE;
    }
}

/* A refusal is counted again under the outcome it had the first time. */
static enum outcome outcome_of_refusal(enum reason reason)
{
    switch (reason) {
    case REASON_INVALID_THERE:
    case REASON_REFUSED_THERE:
    case REASON_INCOMPLETE:
    case REASON_EMAIL_MISSING:
    case REASON_LEAD_TOO_LARGE: return OUTCOME_REJECTED;
    default: return OUTCOME_SKIPPED;
    }
}

/* Decides on a row whose lead this sync removed. False: the lead was only moved away, and is moved back like any other. */
static bool decide_returned(const struct plan_rules *rules, const struct known_lead *known, const struct lead *known_values,
                            const struct lead *wanted, struct decision *out)
{
    /* The move reset its status in Instantly, so only the status recorded before is known. */
    enum reason status = lead_status_reason(known->status);
    if (status != REASON_NONE) {
        out->outcome = OUTCOME_SKIPPED;
        out->reason = status;
        return true;
    }
    if ((known->flags & KNOWN_AWAY) != 0)
        return false;
    out->op = OP_CREATE;
    out->looks_back = rules->has_key && known->has_lead_id && known_values != NULL && other_address(known_values, wanted);
    return true;
}

void plan_decide(const struct plan_rules *rules, const struct remembered *remembered, const struct known_lead *known,
                 const struct lead *known_values, const struct lead *wanted, uint32_t wanted_target, bool *custom_changed,
                 struct decision *out)
{
    *out = (struct decision){.op = OP_NONE};
    switch (remembered->kind) {
    case REMEMBERED_SEEN:
        out->outcome = OUTCOME_SKIPPED;
        out->reason = REASON_DUPLICATE_IN_SOURCE;
        return;
    case REMEMBERED_SAME: out->outcome = OUTCOME_UNCHANGED; return;
    case REMEMBERED_REFUSED:
        out->outcome = outcome_of_refusal(remembered->reason);
        out->reason = remembered->reason;
        return;
    case REMEMBERED_OPEN:
        out->outcome = OUTCOME_DEFERRED;
        out->reason = REASON_OUTCOME_OPEN;
        return;
    case REMEMBERED_FORGOTTEN:
        /* A forgotten person counts as deleted, even with `--recreate`. */
        out->outcome = OUTCOME_SKIPPED;
        out->reason = REASON_DELETED_THERE;
        return;
    case REMEMBERED_NOTHING:
    case REMEMBERED_RETRY: out->op = OP_CREATE; return;
    case REMEMBERED_OTHER: break;
    }
    if ((known->flags & KNOWN_DELETED_THERE) != 0) {
        enum reason status = lead_status_reason(known->status);
        out->op = rules->recreate && status == REASON_NONE ? OP_CREATE : OP_NONE;
        out->outcome = out->op == OP_CREATE ? OUTCOME_NONE : OUTCOME_SKIPPED;
        out->reason = out->op == OP_CREATE ? REASON_NONE : rules->recreate ? status : REASON_DELETED_THERE;
        return;
    }
    if ((known->flags & KNOWN_REMOVED) != 0 && decide_returned(rules, known, known_values, wanted, out))
        return;
    if (!known->has_lead_id) {
        /* Its id is not known. Creating it again is safe, because the API counts a repeat as a duplicate. */
        out->op = OP_CREATE;
        return;
    }
    if (rules->has_key && known_values != NULL && other_address(known_values, wanted)) {
        plan_rekey(rules, known, out);
        return;
    }
    decide_known(rules, known, known_values, wanted, wanted_target, custom_changed, out);
    out->check = (known->flags & KNOWN_UNSURE) != 0 && rules->mode != MODE_CREATE &&
                 (out->op == OP_UPDATE || out->op == OP_MOVE || out->outcome == OUTCOME_UNCHANGED);
}

int plan_witness(const struct mapping *m, const struct lead *wanted, const bool *changed)
{
    size_t n = wanted->shape->id == m->shape.id ? wanted->shape->custom_n : 0;
    /* The row key comes last and is looked at first: no mail shows it, and every lead of the mapping has it. */
    for (size_t i = n; i-- > 0;) {
        size_t c = m->has_key ? i : n - 1 - i;
        if (!changed[c] && m->overwrite[LEAD_FIELD_N + c] == OVERWRITE_ALWAYS && !is_empty(&wanted->custom[c]))
            return (int)c;
    }
    return -1;
}

bool plan_needs_no_read(const struct mapping *m, const struct lead *wanted, uint32_t fields, const bool *changed)
{
    bool any = false;
    if (wanted->shape->id != m->shape.id)
        return false; /* a row of an older mapping: the rules are in another order */
    for (size_t c = 0; c < wanted->shape->custom_n; c++) {
        any = any || changed[c];
        if (changed[c] && m->overwrite[LEAD_FIELD_N + c] != OVERWRITE_ALWAYS)
            return false;
    }
    return any && fields == 0 && plan_witness(m, wanted, changed) >= 0;
}

void plan_overlay(const struct lead *old, const struct lead *wanted, struct lead *out)
{
    for (int f = 0; f < LEAD_FIELD_N; f++)
        out->core[f] = wanted->core[f].kind != VALUE_ABSENT || old == NULL ? wanted->core[f] : old->core[f];
    out->shape = wanted->shape;
    for (size_t c = 0; c < wanted->shape->custom_n; c++)
        out->custom[c] = wanted->custom[c].kind != VALUE_ABSENT || old == NULL ? wanted->custom[c] : old->custom[c];
}
