/* The diff as one JSON document, and as one JSON object per line (NDJSON). Both consist of the same records.
 *
 * Every member is always present, and null if its value is not known. The document is assembled from records that waited in
 * files, so its brackets and commas are written here. */
#include "config.h"

#include "sync/base/clock.h"
#include "sync/report/diff_format.h"
#include "sync/report/run_begun.h"

/* ---- small parts ---- */

static void value(struct jsonw *w, const struct value *v)
{
    struct str text = {v->p, v->n};
    switch (v->kind) {
    case VALUE_STRING: jsonw_str(w, text); return;
    case VALUE_NUMBER:
    case VALUE_BOOL: jsonw_raw(w, text); return;
    case VALUE_ABSENT:
    case VALUE_NULL: break;
    }
    jsonw_null(w);
}

/* An empty cell is "", a missing one null. */
static void diff_json_cell(struct jsonw *w, const char *key, struct str text)
{
    if (text.p == NULL)
        jsonw_member_null(w, key);
    else
        jsonw_member_str(w, key, text);
}

static void target(struct jsonw *w, const char *key, const struct target *t)
{
    char id[UUID_TEXT_N];
    if (t == NULL) {
        jsonw_member_null(w, key);
        return;
    }
    jsonw_member_object(w, key);
    jsonw_member_text(w, "kind", target_kind_text(t->kind));
    jsonw_member_text(w, "id", uuid_format(&t->id, id));
    jsonw_member_text(w, "name", t->name);
    jsonw_object_end(w);
}

/* A record that is whole goes on, one that is not is no record. */
static int complete(struct jsonw *w, struct err *e)
{
    return jsonw_end(w) == 0 ? 0 : err_oom(e);
}

/* ---- records ---- */

static void fields(struct jsonw *w, const struct diff_change *change)
{
    struct diff_field field;
    jsonw_member_object(w, "fields");
    for (size_t at = 0; diff_field_next(change, &at, &field) == 1;) {
        struct buf name = BUF_INIT(sizeof "custom_variables." + field.name.n);
        if (!field.custom) {
            jsonw_key_str(w, field.name);
        } else if (buf_adds(&name, "custom_variables.") == 0 && buf_add(&name, field.name.p, field.name.n) == 0) {
            jsonw_key_str(w, buf_str(&name));
        } else {
            w->failed = true; /* memory: the record is not finished */
        }
        buf_free(&name);
        jsonw_array(w);
        value(w, &field.old_value);
        value(w, &field.new_value);
        jsonw_array_end(w);
    }
    jsonw_object_end(w);
}

static void change_members(struct jsonw *w, const struct diff_change *c)
{
    char id[UUID_TEXT_N];
    const struct entry *entry = c->entry;
    jsonw_member_text(w, "op", diff_kind_text(diff_kind_of(c)));
    jsonw_member_str_or_null(w, "key", entry->key_text);
    jsonw_member_ordinal(w, "row", entry->row);
    jsonw_member_ordinal(w, "line", entry->line);
    jsonw_member_text(w, "lead_id", entry->has_lead_id ? uuid_format(&entry->lead_id, id) : NULL);
    target(w, "target", c->target);
    target(w, "from", c->from);
    jsonw_member_bool(w, "certain", c->certain);
    fields(w, c);
}

static void left_out_members(struct jsonw *w, const struct diff_left_out *l)
{
    const struct entry *entry = l->entry;
    jsonw_member_ordinal(w, "row", entry->row);
    jsonw_member_ordinal(w, "line", entry->line);
    jsonw_member_str_or_null(w, "key", entry->key_text);
    jsonw_member_text(w, "column", l->column);
    jsonw_member_text(w, "outcome", outcome_text(entry->outcome));
    jsonw_member_text(w, "reason", entry->reason == REASON_NONE ? NULL : reason_text(entry->reason));
    diff_json_cell(w, "value", l->value);
    diff_json_cell(w, "detail", entry->detail);
}

static void diff_json_new_variables(struct jsonw *w, const struct diff_summary *s)
{
    if (s->new_variables == NULL) {
        jsonw_member_null(w, "new_variables");
        return;
    }
    jsonw_member_array(w, "new_variables");
    for (size_t i = 0; i < s->new_variables_n; i++)
        jsonw_text(w, s->new_variables[i]);
    jsonw_array_end(w);
}

static void requests(struct jsonw *w, const struct diff_summary *s)
{
    jsonw_member_object(w, "requests");
    jsonw_member_uint(w, "create", s->requests_create);
    jsonw_member_uint(w, "update", s->requests_update);
    jsonw_member_uint(w, "move", s->requests_move);
    jsonw_member_uint(w, "remove", s->requests_remove);
    jsonw_member_uint(w, "total", s->requests_create + s->requests_update + s->requests_move + s->requests_remove);
    if (s->seconds_at_limit < 0)
        jsonw_member_null(w, "seconds_at_limit");
    else
        jsonw_member_number(w, "seconds_at_limit", s->seconds_at_limit, 3);
    jsonw_object_end(w);
}

static void diff_json_reasons(struct jsonw *w, const struct diff_summary *s)
{
    jsonw_member_object(w, "reasons");
    for (size_t r = REASON_NONE + 1; s->reasons != NULL && r < REASON_N; r++)
        if (s->reasons[r] > 0)
            jsonw_member_uint(w, reason_text((enum reason)r), s->reasons[r]);
    jsonw_object_end(w);
}

static void diff_json_counts(struct jsonw *w, const struct diff_summary *s)
{
    jsonw_member_uint(w, "read", s->read);
    jsonw_member_uint(w, "create", s->create);
    jsonw_member_uint(w, "update", s->update);
    jsonw_member_uint(w, "move", s->move);
    jsonw_member_uint(w, "remove", s->remove);
    jsonw_member_uint(w, "changed", s->changed);
    jsonw_member_uint(w, "unchanged", s->unchanged);
    jsonw_member_uint(w, "skipped", s->skipped);
    jsonw_member_uint(w, "rejected", s->rejected);
    jsonw_member_uint(w, "duplicates", s->duplicates);
    jsonw_member_uint(w, "open", s->open);
}

static void guards(struct jsonw *w, const struct diff_summary *s)
{
    jsonw_member_array(w, "guards");
    for (size_t i = 0; i < s->guards_n; i++)
        guard_json(&s->guards[i], w);
    jsonw_array_end(w);
}

static void warnings(struct jsonw *w, const struct diff_warnings *list)
{
    jsonw_member_array(w, "warnings");
    for (size_t i = 0; list != NULL && i < list->n; i++)
        jsonw_text(w, list->v[i]);
    jsonw_array_end(w);
}

static void waiting(struct jsonw *w, const struct diff_summary *s)
{
    if (s->missing_waiting == 0) {
        jsonw_member_null(w, "waiting");
        return;
    }
    jsonw_member_object(w, "waiting");
    jsonw_member_uint(w, "leads", s->missing_waiting);
    jsonw_member_text(w, "why", s->waits_for);
    jsonw_object_end(w);
}

/* The head: what the diff compares, the guards and the warnings. */
static void about(struct jsonw *w, const struct diff *d, const struct diff_summary *s)
{
    char at[TIME_TEXT_N];
    jsonw_member_int(w, "version", 1);
    jsonw_member_text(w, "sync", d->head.sync);
    jsonw_member_text(w, "at", time_format(d->head.at_ms, at));
    jsonw_member_text(w, "mapping_sha256", s->mapping_sha256);
    jsonw_member_uint(w, "state_serial", s->state_serial);
    guards(w, s);
    warnings(w, d->options.warnings);
    waiting(w, s);
}

/* ---- one document ---- */

/* All changes wait, because the guards are printed before them. */
static int json_head(struct diff *d, struct err *e)
{
    (void)d;
    (void)e;
    return 0;
}

static int json_begin(struct diff *d, const struct diff_summary *s, struct err *e)
{
    struct buf text = BUF_INIT(d->record.max);
    struct jsonw w;
    jsonw_init_output(&w, &text);
    jsonw_object(&w);
    about(&w, d, s);
    jsonw_object_end(&w);
    int rc = complete(&w, e);
    /* The bracket stays open: the changes follow. */
    if (rc == 0 && (buf_add(&d->record, text.p, text.n - 1) != 0 || buf_adds(&d->record, ",\n\"changes\":[") != 0))
        rc = err_oom(e);
    buf_free(&text);
    return rc == 0 ? diff_pour(d, &d->changes, e) : rc;
}

/* A comma separates records; there is none before the first. */
static int separate(struct diff *d, uint64_t before, struct err *e)
{
    return buf_adds(&d->record, before > 0 ? ",\n" : "\n") == 0 ? 0 : err_oom(e);
}

static int json_change(struct diff *d, const struct diff_change *c, struct err *e)
{
    struct jsonw w;
    if (separate(d, d->changes_n, e) != 0)
        return -1;
    jsonw_init_output(&w, &d->record);
    jsonw_object(&w);
    change_members(&w, c);
    jsonw_object_end(&w);
    return complete(&w, e) == 0 ? diff_keep(d, &d->changes, e) : -1;
}

static int keep_left_out(struct diff *d, struct diff_later *later, const struct diff_left_out *l, struct err *e)
{
    struct jsonw w;
    if (separate(d, later->n, e) != 0)
        return -1;
    jsonw_init_output(&w, &d->record);
    jsonw_object(&w);
    left_out_members(&w, l);
    jsonw_object_end(&w);
    return complete(&w, e) == 0 ? diff_keep(d, later, e) : -1;
}

/* `rejects` are the rejected rows of `left_out`; they appear in both lists. */
static int json_left_out(struct diff *d, const struct diff_left_out *l, struct err *e)
{
    if (l->entry->outcome == OUTCOME_REJECTED && keep_left_out(d, &d->rejects, l, e) != 0)
        return -1;
    return keep_left_out(d, &d->left_out, l, e);
}

static int json_finish(struct diff *d, const struct diff_summary *s, struct err *e)
{
    struct buf text = BUF_INIT(d->record.max);
    struct jsonw w;
    int rc = -1;
    if (json_begin(d, s, e) != 0)
        goto done;
    if (buf_adds(&d->record, "],\n\"rejects\":[") != 0) {
        err_oom(e);
        goto done;
    }
    if (diff_pour(d, &d->rejects, e) != 0)
        goto done;
    if (buf_adds(&d->record, "],\n\"left_out\":[") != 0) {
        err_oom(e);
        goto done;
    }
    if (diff_pour(d, &d->left_out, e) != 0)
        goto done;
    jsonw_init_output(&w, &text);
    jsonw_object(&w);
    diff_json_new_variables(&w, s);
    requests(&w, s);
    diff_json_reasons(&w, s);
    jsonw_member_object(&w, "summary");
    diff_json_counts(&w, s);
    jsonw_object_end(&w);
    jsonw_object_end(&w);
    if (complete(&w, e) != 0)
        goto done;
    /* The object's own bracket was opened by the head. */
    if (buf_adds(&d->record, "],\n") != 0 || buf_add(&d->record, text.p + 1, text.n - 1) != 0 ||
        buf_addc(&d->record, '\n') != 0)
        err_oom(e);
    else
        rc = diff_write(d, e);
done:
    buf_free(&text);
    return rc;
}

const struct diff_format_ops diff_format_json = {json_head, json_change, json_left_out, json_finish};

/* ---- one object per line ---- */

/* NDJSON has no head; the summary is the last record. */
static int ndjson_head(struct diff *d, struct err *e)
{
    (void)d;
    (void)e;
    return 0;
}

static void ndjson_begin(struct diff *d, struct jsonw *w, const char *type)
{
    jsonw_init_output(w, &d->record);
    jsonw_object(w);
    jsonw_member_text(w, "type", type);
}

static int ndjson_end(struct diff *d, struct jsonw *w, struct err *e)
{
    jsonw_object_end(w);
    if (complete(w, e) != 0)
        return -1;
    return buf_addc(&d->record, '\n') == 0 ? diff_write(d, e) : err_oom(e);
}

static int ndjson_change(struct diff *d, const struct diff_change *c, struct err *e)
{
    struct jsonw w;
    ndjson_begin(d, &w, "change");
    change_members(&w, c);
    return ndjson_end(d, &w, e);
}

/* Once, in source order: the outcome says which ones are rejects. */
static int ndjson_left_out(struct diff *d, const struct diff_left_out *l, struct err *e)
{
    struct jsonw w;
    ndjson_begin(d, &w, "left_out");
    left_out_members(&w, l);
    return ndjson_end(d, &w, e);
}

static int ndjson_finish(struct diff *d, const struct diff_summary *s, struct err *e)
{
    struct jsonw w;
    ndjson_begin(d, &w, "summary");
    about(&w, d, s);
    diff_json_counts(&w, s);
    diff_json_new_variables(&w, s);
    requests(&w, s);
    diff_json_reasons(&w, s);
    return ndjson_end(d, &w, e);
}

const struct diff_format_ops diff_format_ndjson = {ndjson_head, ndjson_change, ndjson_left_out, ndjson_finish};
