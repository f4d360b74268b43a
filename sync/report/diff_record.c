/* The records of the diff: a change, and a row that is left out. Every member is always present, and null if its value is not
 * known. Text prints the same records as lines of its own (diff_text.c); CSV has a record per field (diff_csv.c). */
#include "config.h"

#include "sync/report/diff_format.h"

enum {
    C_TYPE,
    C_OP,
    C_KEY,
    C_ROW,
    C_LINE,
    C_LEAD_ID,
    C_TARGET,
    C_FROM,
    C_CERTAIN,
    C_FIELDS,
    C_EMAIL,
    C_NAME,
    C_DETAIL,
    C_DRIFT,
    CHANGE_N
};
static const struct record_column change_columns[CHANGE_N] = {
    [C_TYPE] = {RECORD_NAME("type"), .left_out = RECORD_NOT_DOCUMENT},
    [C_OP] = {RECORD_NAME("op")},
    [C_KEY] = {RECORD_NAME("key")},
    [C_ROW] = {RECORD_NAME("row"), .kind = RECORD_NUMBER},
    [C_LINE] = {RECORD_NAME("line"), .kind = RECORD_NUMBER},
    [C_LEAD_ID] = {RECORD_NAME("lead_id")},
    [C_TARGET] = {RECORD_NAME("target"), .kind = RECORD_VALUE},
    [C_FROM] = {RECORD_NAME("from"), .kind = RECORD_VALUE},
    [C_CERTAIN] = {RECORD_NAME("certain"), .kind = RECORD_VALUE},
    [C_FIELDS] = {RECORD_NAME("fields"), .kind = RECORD_VALUE},
    [C_EMAIL] = {RECORD_NAME("email")},
    [C_NAME] = {RECORD_NAME("name")},
    [C_DETAIL] = {RECORD_NAME("detail")},
    [C_DRIFT] = {RECORD_NAME("drift"), .kind = RECORD_VALUE},
};
/* The lists are members of a document: diff_json.c writes their brackets. */
const struct record_layout diff_record_changes = {.columns = change_columns, .columns_n = C_DRIFT, .json_open = "\n"};
const struct record_layout diff_record_changes_remote = {.columns = change_columns,
                                                         .columns_n = CHANGE_N,
                                                         .json_open = "\n"};

enum { L_TYPE, L_ROW, L_LINE, L_KEY, L_COLUMN, L_OUTCOME, L_REASON, L_VALUE, L_DETAIL, LEFT_OUT_N };
static const struct record_column left_out_columns[LEFT_OUT_N] = {
    [L_TYPE] = {RECORD_NAME("type"), .left_out = RECORD_NOT_DOCUMENT},
    [L_ROW] = {RECORD_NAME("row"), .kind = RECORD_NUMBER},
    [L_LINE] = {RECORD_NAME("line"), .kind = RECORD_NUMBER},
    [L_KEY] = {RECORD_NAME("key")},
    [L_COLUMN] = {RECORD_NAME("column"), .kind = RECORD_CELL},
    [L_OUTCOME] = {RECORD_NAME("outcome")},
    [L_REASON] = {RECORD_NAME("reason")},
    [L_VALUE] = {RECORD_NAME("value"), .kind = RECORD_CELL},
    [L_DETAIL] = {RECORD_NAME("detail"), .kind = RECORD_CELL},
};
const struct record_layout diff_record_left_outs = {.columns = left_out_columns, .columns_n = LEFT_OUT_N, .json_open = "\n"};

enum { P_TYPE, P_OP, P_METHOD, P_PATH, P_LEADS, P_BODY, PAYLOAD_N };
static const struct record_column payload_columns[PAYLOAD_N] = {
    [P_TYPE] = {RECORD_NAME("type"), .left_out = RECORD_NOT_DOCUMENT},
    [P_OP] = {RECORD_NAME("op")},
    [P_METHOD] = {RECORD_NAME("method")},
    [P_PATH] = {RECORD_NAME("path")},
    [P_LEADS] = {RECORD_NAME("leads"), .kind = RECORD_NUMBER},
    [P_BODY] = {RECORD_NAME("body"), .kind = RECORD_VALUE},
};
const struct record_layout diff_record_payloads = {.columns = payload_columns, .columns_n = PAYLOAD_N, .json_open = "\n"};

/* ---- values as JSON ---- */

static void write_value(struct jsonw *json, const struct value *v)
{
    struct str text = {v->p, v->n};
    switch (v->kind) {
    case VALUE_STRING: jsonw_str(json, text); return;
    case VALUE_NUMBER:
    case VALUE_BOOL: jsonw_raw(json, text); return;
    case VALUE_ABSENT:
    case VALUE_NULL: break;
    }
    jsonw_null(json);
}

static void write_fields(struct jsonw *json, const struct diff_change *change)
{
    struct diff_field field;
    jsonw_object(json);
    for (size_t at = 0; diff_field_next(change, &at, &field) == 1;) {
        struct buf name = BUF_INIT(sizeof DIFF_CUSTOM + field.name.n);
        if (diff_field_name(&field, &name) == 0)
            jsonw_key_str(json, buf_str(&name));
        else
            json->failed = true; /* memory: the record is not finished */
        buf_free(&name);
        jsonw_array(json);
        write_value(json, &field.old_value);
        write_value(json, &field.new_value);
        jsonw_array_end(json);
    }
    jsonw_object_end(json);
}

static int fill_fields(struct record_writer *w, const struct diff_change *change)
{
    struct buf text = BUF_INIT(w->out->max);
    struct jsonw json;
    jsonw_init_output(&json, &text);
    write_fields(&json, change);
    int bad = jsonw_end(&json);
    record_copy(w, C_FIELDS, buf_str(&text));
    buf_free(&text);
    return bad;
}

void diff_json_target(struct jsonw *w, const struct target *target)
{
    jsonw_member_text(w, "kind", target_kind_text(target->kind));
    jsonw_member_uuid(w, "id", &target->id);
    jsonw_member_text(w, "name", target->name);
}

static int fill_target(struct record_writer *w, size_t column, const struct target *target)
{
    struct buf text = BUF_INIT(w->out->max);
    struct jsonw json;
    if (target == NULL)
        return 0;
    jsonw_init_output(&json, &text);
    jsonw_object(&json);
    diff_json_target(&json, target);
    jsonw_object_end(&json);
    int bad = jsonw_end(&json);
    record_copy(w, column, buf_str(&text));
    buf_free(&text);
    return bad;
}

/* ---- records ---- */

static int record_change(struct diff *d, struct record_writer *w, const struct diff_change *c, const char *type,
                         const char *op)
{
    const struct entry *entry = c->entry;
    struct buf name = BUF_INIT(w->out->max);
    if (diff_person(c, &name) != 0) {
        buf_free(&name);
        return -1;
    }
    record_copy(w, C_NAME, buf_str(&name));
    buf_free(&name);
    record_str(w, C_EMAIL, diff_address(c));
    record_text(w, C_TYPE, type);
    record_text(w, C_OP, op);
    record_str(w, C_KEY, entry->key_text);
    record_ordinal(w, C_ROW, entry->row);
    record_ordinal(w, C_LINE, entry->line);
    record_uuid(w, C_LEAD_ID, entry->has_lead_id ? &entry->lead_id : NULL);
    record_str(w, C_DETAIL, entry->detail);
    record_text(w, C_CERTAIN, c->certain ? "true" : "false");
    if (d->options.remote)
        record_text(w, C_DRIFT, c->drift ? "true" : "false");
    if (fill_target(w, C_TARGET, c->target) != 0 || fill_target(w, C_FROM, c->from) != 0 || fill_fields(w, c) != 0)
        return -1;
    return record_end(w);
}

int diff_record_change(struct diff *d, struct record_writer *w, const struct diff_change *c)
{
    return record_change(d, w, c, "change", diff_kind_text(diff_kind_of(c)));
}

int diff_record_waiting(struct diff *d, struct record_writer *w, const struct diff_change *waits)
{
    return record_change(d, w, waits, DIFF_WAITING, DIFF_WAITING);
}

int diff_record_payload(struct diff *d, struct record_writer *w, const struct diff_payload *payload)
{
    (void)d;
    record_text(w, P_TYPE, "payload");
    record_text(w, P_OP, op_text(payload->op));
    record_text(w, P_METHOD, payload->method);
    record_text(w, P_PATH, payload->path);
    record_count(w, P_LEADS, (int64_t)payload->leads);
    record_str(w, P_BODY, payload->body);
    return record_end(w);
}

int diff_record_left_out(struct diff *d, struct record_writer *w, const struct diff_left_out *l)
{
    const struct entry *entry = l->entry;
    (void)d;
    record_text(w, L_TYPE, "left_out");
    record_ordinal(w, L_ROW, entry->row);
    record_ordinal(w, L_LINE, entry->line);
    record_str(w, L_KEY, entry->key_text);
    record_text(w, L_COLUMN, l->column);
    record_text(w, L_OUTCOME, outcome_text(entry->outcome));
    record_text(w, L_REASON, entry->reason == REASON_NONE ? NULL : reason_text(entry->reason));
    record_str(w, L_VALUE, l->value);
    record_str(w, L_DETAIL, entry->detail);
    return record_end(w);
}
