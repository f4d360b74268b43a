/* The same as one JSON object. Members are documented in leadsync(1). */
#include "config.h"

#include "sync/cli/explain/explain.h"

#include "sync/api/body/body.h"

#include <string.h>

enum { TEXT_BYTES = 1 << 20, PART_BYTES = 64 << 20 };

static const char *const fates[] = {
    [FATE_NOTHING] = "unknown",   [FATE_STATUS] = "status_only",  [FATE_REFUSED] = "refused", [FATE_LEFT_OUT] = "left_out",
    [FATE_DELETED] = "deleted",   [FATE_REMOVED] = "removed",     [FATE_KNOWN] = "has_lead",  [FATE_WAITS] = "waits",
    [FATE_OPEN] = "outcome_open", [FATE_FORGOTTEN] = "forgotten",
};

/* A sentence that a function appends. */
typedef int sentence_fn(const struct explain *x, const struct explained_state *s, struct buf *out);
static int json_sentence(const struct explain *x, const struct explained_state *s, sentence_fn *say, const char *key,
                         struct jsonw *w)
{
    struct buf text = BUF_INIT(TEXT_BYTES);
    int bad = say(x, s, &text);
    jsonw_member_str(w, key, buf_str(&text));
    buf_free(&text);
    return bad;
}

static int whole_sentence(const struct explain *x, const struct explained_state *s, struct buf *out)
{
    (void)s;
    return explain_sentence(x, out);
}

static void json_place(const struct explain *x, const struct target *t, struct jsonw *w)
{
    char text[TARGET_TEXT_N];
    const char *name = t != NULL ? t->name : NULL;
    for (size_t i = 0; t != NULL && name == NULL && i < x->names.n; i++)
        if (target_eq(&x->names.v[i], t))
            name = x->names.v[i].name;
    jsonw_member_text(w, "target", t != NULL ? target_format(t, text) : NULL);
    jsonw_member_text(w, "target_name", name);
}

static void explain_json_now(const struct explain *x, struct jsonw *w)
{
    jsonw_member_object(w, "instantly");
    jsonw_member_bool(w, "asked", x->asked);
    jsonw_member_text(w, "not_asked", x->not_asked != NULL ? x->not_asked : x->asked ? NULL : "--offline");
    jsonw_member_array(w, "leads");
    for (size_t i = 0; i < x->leads_n; i++) {
        const struct explained_lead *lead = &x->leads[i];
        jsonw_object(w);
        jsonw_member_uuid(w, "id", &lead->id);
        jsonw_member_str_or_null(w, "email", lead->email);
        json_place(x, lead->has_place ? &lead->place : NULL, w);
        if (lead->status == TARGET_STATUS_UNKNOWN)
            jsonw_member_null(w, "status");
        else
            jsonw_member_int(w, "status", lead->status);
        jsonw_member_text(w, "verification", lead->verification);
        jsonw_member_time(w, "created_at", lead->created_ms);
        jsonw_object_end(w);
    }
    jsonw_array_end(w);
    jsonw_object_end(w);
}

static void json_field(const struct explained_field *f, struct jsonw *w)
{
    jsonw_object(w);
    jsonw_member_str(w, "name", f->name);
    if (f->has_read)
        jsonw_member_str(w, "read", f->read);
    else
        jsonw_member_null(w, "read");
    jsonw_member_array(w, "steps");
    for (size_t i = 0; i < f->steps_n; i++) {
        jsonw_object(w);
        jsonw_member_text(w, "step", f->steps[i].step);
        jsonw_member_str(w, "value", f->steps[i].value);
        jsonw_object_end(w);
    }
    jsonw_array_end(w);
    if (f->value.kind == VALUE_ABSENT)
        jsonw_member_null(w, "value");
    else
        body_value(w, STR("value"), &f->value);
    jsonw_object_end(w);
}

static void explain_json_rows(const struct explain *x, struct jsonw *w)
{
    if (!x->read) {
        jsonw_member_null(w, "source");
        return;
    }
    jsonw_member_object(w, "source");
    jsonw_member_text(w, "label", x->source);
    jsonw_member_uint(w, "rows_read", x->rows_read);
    jsonw_member_array(w, "rows");
    for (size_t i = 0; i < x->rows_n; i++) {
        const struct explained_row *row = &x->rows[i];
        jsonw_object(w);
        jsonw_member_ordinal(w, "row", row->row);
        jsonw_member_ordinal(w, "line", row->line);
        jsonw_member_str_or_null(w, "left_out", row->left_out);
        jsonw_member_text(w, "op", row->op);
        jsonw_member_str_or_null(w, "next", row->decision);
        jsonw_member_array(w, "fields");
        for (size_t f = 0; f < row->fields_n; f++)
            json_field(&row->fields[f], w);
        jsonw_array_end(w);
        jsonw_object_end(w);
    }
    jsonw_array_end(w);
    jsonw_object_end(w);
}

static int json_known(const struct explain *x, const struct explained_state *s, struct jsonw *w, struct err *e)
{
    jsonw_member_array(w, "remembered");
    for (size_t i = 0; i < s->trace.leads_n; i++) {
        const struct traced_lead *lead = &s->trace.leads[i];
        struct target t;
        struct arena arena;
        if (!lead->known && !lead->refused)
            continue;
        arena_init(&arena, TEXT_BYTES);
        int found = lead->known ? state_target_get(s->state, lead->lead.target, &arena, &t, e) : 0;
        jsonw_object(w);
        jsonw_member_str_or_null(w, "key", lead->lead.key_text);
        jsonw_member_uuid(w, "lead_id", lead->lead.has_lead_id ? &lead->lead.lead_id : NULL);
        json_place(x, found == 1 ? &t : NULL, w);
        jsonw_member_bool(w, "created_by_sync", (lead->lead.flags & KNOWN_CREATED) != 0);
        jsonw_member_bool(w, "removed", (lead->lead.flags & KNOWN_REMOVED) != 0);
        jsonw_member_bool(w, "deleted_there", (lead->lead.flags & KNOWN_DELETED_THERE) != 0);
        jsonw_member_text(w, "refused", lead->refused ? reason_text(lead->reason) : NULL);
        jsonw_member_time(w, "refused_at", lead->refused_ms);
        jsonw_object_end(w);
        arena_free(&arena);
        if (found < 0)
            return -1;
    }
    jsonw_array_end(w);
    return 0;
}

static int json_history(struct explain *x, const struct explained_state *s, struct jsonw *w, struct err *e)
{
    struct buf unused = BUF_INIT(PART_BYTES);
    struct record_writer records = {.format = RECORD_JSON, .out = &unused};
    int bad = record_open(&records, &explain_history_layout), rc = 0;
    jsonw_member_array(w, "history");
    for (size_t i = 0; i < s->trace.batches_n && bad == 0 && rc == 0; i++) {
        rc = explain_history_fill(&records, x, s, &s->trace.batches[i], e);
        bad = rc == 0 ? record_into(&records, w) : 0;
    }
    jsonw_array_end(w);
    record_free(&records);
    buf_free(&unused);
    return rc != 0 ? -1 : bad != 0 ? err_oom(e) : 0;
}

static int json_state(struct explain *x, const struct explained_state *s, struct jsonw *w, struct err *e)
{
    jsonw_object(w);
    jsonw_member_text(w, "sync", s->sync);
    jsonw_member_text(w, "state", s->path);
    jsonw_member_text(w, "workspace", s->workspace);
    jsonw_member_text(w, "fate", fates[s->fate]);
    if (json_sentence(x, s, explain_why, "why", w) != 0 || json_sentence(x, s, explain_next, "next", w) != 0)
        return err_oom(e);
    jsonw_member_bool(w, "forgotten", s->forgotten);
    if (s->trace.status == TARGET_STATUS_UNKNOWN)
        jsonw_member_null(w, "person_status");
    else
        jsonw_member_int(w, "person_status", s->trace.status);
    jsonw_member_uint(w, "waiting", s->trace.retries_n);
    if (json_known(x, s, w, e) != 0 || json_history(x, s, w, e) != 0)
        return -1;
    jsonw_object_end(w);
    return 0;
}

int explain_json(struct explain *x, struct buf *out, struct err *e)
{
    struct jsonw w;
    jsonw_init_output(&w, out);
    jsonw_object(&w);
    jsonw_member_int(&w, "version", 1);
    jsonw_member_str(&w, "who", x->who);
    jsonw_member_time(&w, "at", x->inv->common.clock->wall_ms(x->inv->common.clock));
    if (json_sentence(x, NULL, whole_sentence, "sentence", &w) != 0)
        return err_oom(e);
    explain_json_now(x, &w);
    explain_json_rows(x, &w);
    jsonw_member_array(&w, "states");
    for (size_t i = 0; i < x->states_n; i++)
        if (json_state(x, &x->states[i], &w, e) != 0)
            return -1;
    jsonw_array_end(&w);
    jsonw_member_array(&w, "unread");
    for (size_t i = 0; i < x->unread_n; i++) {
        jsonw_object(&w);
        jsonw_member_text(&w, "state", x->unread[i].path);
        jsonw_member_text(&w, "why", x->unread[i].why);
        jsonw_object_end(&w);
    }
    jsonw_array_end(&w);
    jsonw_object_end(&w);
    return jsonw_end(&w) != 0 || buf_addc(out, '\n') != 0 ? err_oom(e) : 0;
}
