/* All that is known of a person, as one JSON object: the answer to a person who asks for their data. */
#include "config.h"

#include "sync/cli/history/forget.h"

#include "sync/api/body/body.h"
#include "sync/base/jsonw.h"
#include "sync/model/change.h"
#include "sync/model/lead_status.h"

#include <stdlib.h>
#include <string.h>

enum { PART_BYTES = 256 << 20, ARENA_BYTES = 64 << 20 };

/* A state's records, an array per kind; they come in an order of their own. */
struct export
{
    struct state *state;
    struct buf parts[PERSON_RECORD_N];
    struct arena arena;
};

static const char *const part_names[PERSON_RECORD_N] = {
    [PERSON_LEAD] = "leads",    [PERSON_STATUS] = "statuses",         [PERSON_REFUSAL] = "refusals",
    [PERSON_RETRY] = "retries", [PERSON_OPEN_BATCH] = "open_batches", [PERSON_RESULT] = "results",
    [PERSON_JOB] = "jobs",
};

/* ---- members ---- */

static int put_target(struct export *x, struct jsonw *w, uint32_t number, struct err *e)
{
    struct target t;
    char text[TARGET_TEXT_N];
    int rc = number == 0 ? 0 : state_target_get(x->state, number, &x->arena, &t, e);
    jsonw_member_text(w, "target", rc == 1 ? target_format(&t, text) : NULL);
    jsonw_member_text(w, "target_name", rc == 1 ? t.name : NULL);
    return rc < 0 ? -1 : 0;
}

static void put_values(struct jsonw *w, const struct lead *lead)
{
    if (lead == NULL) {
        jsonw_member_null(w, "values");
        return;
    }
    jsonw_member_object(w, "values");
    for (int f = 0; f < LEAD_FIELD_N; f++)
        body_value(w, str_from(lead_field_table[f].api), &lead->core[f]);
    jsonw_member_object(w, "custom_variables");
    for (size_t i = 0; i < lead->shape->custom_n; i++)
        body_value(w, lead->shape->custom_names[i], &lead->custom[i]);
    jsonw_object_end(w);
    jsonw_object_end(w);
}

/* The row as it was read, cell by cell. */
static void put_cells(struct jsonw *w, struct str packed)
{
    const char *p = packed.p, *end = packed.n > 0 ? packed.p + packed.n : packed.p;
    struct cell cell;
    if (packed.n == 0) {
        jsonw_member_null(w, "row_as_read");
        return;
    }
    jsonw_member_array(w, "row_as_read");
    while (cells_next(&p, end, &cell) == 1) {
        if (cell.null)
            jsonw_null(w);
        else
            jsonw_str(w, (struct str){cell.p, cell.n});
    }
    jsonw_array_end(w);
}

/* ---- records ---- */

static int put_lead(struct export *x, struct jsonw *w, const struct person_record *r, struct err *e)
{
    const struct known_lead *known = r->known;
    jsonw_member_str_or_null(w, "key", known->key_text);
    jsonw_member_uuid(w, "lead_id", known->has_lead_id ? &known->lead_id : NULL);
    jsonw_member_text(w, "status", lead_status_text(known->status));
    jsonw_member_bool(w, "created_by_sync", (known->flags & KNOWN_CREATED) != 0);
    jsonw_member_bool(w, "removed", (known->flags & KNOWN_REMOVED) != 0);
    jsonw_member_bool(w, "deleted_there", (known->flags & KNOWN_DELETED_THERE) != 0);
    jsonw_member_bool(w, "values_hashed", known->hashes.n > 0);
    put_values(w, r->values);
    return put_target(x, w, known->target, e);
}

static int put_entry(struct export *x, struct jsonw *w, const struct person_record *r, struct err *e)
{
    const struct entry *entry = r->entry;
    jsonw_member_ordinal(w, "row", entry->row);
    jsonw_member_ordinal(w, "line", entry->line);
    jsonw_member_str_or_null(w, "key", entry->key_text);
    jsonw_member_text(w, "op", r->op == OP_NONE ? NULL : op_text(r->op));
    jsonw_member_uuid(w, "lead_id", entry->has_lead_id ? &entry->lead_id : NULL);
    put_cells(w, entry->cells);
    return put_target(x, w, r->target, e);
}

static int put_result(struct export *x, struct jsonw *w, const struct person_record *r, struct err *e)
{
    const struct entry *entry = r->entry;
    jsonw_member_ordinal(w, "run", r->run->id);
    jsonw_member_time(w, "run_started_at", r->run->started_ms);
    jsonw_member_str_or_null(w, "outcome", str_from(outcome_text(entry->outcome)));
    jsonw_member_str_or_null(w, "reason", str_from(reason_text(entry->reason)));
    jsonw_member_ordinal(w, "http_status", (uint64_t)entry->http_status);
    jsonw_member_str_or_null(w, "detail", entry->detail);
    jsonw_key(w, "changes");
    if (change_json(entry->changes, w) != 0)
        return err_set(e, XS_STATE, "%s: the changes of a row are damaged; restore the file from a backup",
                       state_sync(x->state));
    return put_entry(x, w, r, e);
}

static int put_open(struct export *x, struct jsonw *w, const struct person_record *r, struct err *e)
{
    jsonw_member_ordinal(w, "run", r->batch->run);
    jsonw_member_time(w, "sent_at", r->batch->sent_ms);
    jsonw_member_str_or_null(w, "job", str_from(r->batch->job));
    jsonw_member_str_or_null(w, "email", r->entry->email);
    put_values(w, r->values);
    return put_entry(x, w, r, e);
}

static int put_retry(struct export *x, struct jsonw *w, const struct person_record *r, struct err *e)
{
    jsonw_member_ordinal(w, "attempts", r->entry->attempts);
    jsonw_member_str_or_null(w, "email", r->entry->email);
    put_values(w, r->values);
    return put_entry(x, w, r, e);
}

/* Its filters name other people, too, and stay out. */
static void put_job(struct jsonw *w, const struct job_record *job)
{
    jsonw_member_str_or_null(w, "id", str_from(job->id));
    jsonw_member_str_or_null(w, "type", str_from(job->type));
    jsonw_member_str_or_null(w, "status", str_from(job->status));
    jsonw_member_str_or_null(w, "from", str_from(job->from));
    jsonw_member_str_or_null(w, "to", str_from(job->to));
    jsonw_member_ordinal(w, "run", job->run);
    jsonw_member_time(w, "created_at", job->created_ms);
}

static int put_record(void *ctx, const struct person_record *r, struct err *e)
{
    struct export *x = ctx;
    struct buf *part = &x->parts[r->kind];
    struct jsonw w;
    int rc = 0;
    if (part->n > 0 && buf_addc(part, ',') != 0)
        return err_oom(e);
    jsonw_init_output(&w, part);
    jsonw_object(&w);
    switch (r->kind) {
    case PERSON_LEAD: rc = put_lead(x, &w, r, e); break;
    case PERSON_STATUS: jsonw_member_str_or_null(&w, "status", str_from(lead_status_text(r->status))); break;
    case PERSON_REFUSAL:
        jsonw_member_str_or_null(&w, "reason", str_from(reason_text(r->reason)));
        jsonw_member_time(&w, "at", r->at_ms);
        break;
    case PERSON_RETRY: rc = put_retry(x, &w, r, e); break;
    case PERSON_OPEN_BATCH: rc = put_open(x, &w, r, e); break;
    case PERSON_RESULT: rc = put_result(x, &w, r, e); break;
    case PERSON_JOB: put_job(&w, r->job); break;
    case PERSON_RECORD_N: break;
    }
    jsonw_object_end(&w);
    arena_reset(&x->arena);
    return rc != 0 ? -1 : jsonw_end(&w) == 0 ? 0 : err_oom(e);
}

/* ---- the document ---- */

static int put_parts(struct export *x, struct jsonw *w, struct err *e)
{
    for (int kind = 0; kind < PERSON_RECORD_N; kind++) {
        struct buf array = BUF_INIT(PART_BYTES);
        int bad = buf_addc(&array, '[') | buf_add(&array, x->parts[kind].p, x->parts[kind].n) | buf_addc(&array, ']');
        if (bad == 0)
            jsonw_member_raw(w, part_names[kind], buf_str(&array));
        buf_free(&array);
        if (bad != 0)
            return err_oom(e);
    }
    return 0;
}

static int read_state(struct forget_call *f, struct forget_state *s, struct export *x, struct err *e)
{
    int rc = forget_state_open(f, s, &x->state, e);
    if (rc == 0)
        rc = forget_state_keys(f, x->state, &s->keys, e);
    if (rc == 0)
        rc = state_person_visit(x->state, &f->person, put_record, x, e);
    state_close(x->state);
    x->state = NULL;
    return rc;
}

static int put_state(struct forget_call *f, struct forget_state *s, struct jsonw *w, struct err *e)
{
    struct export x = {.state = NULL};
    struct err failed = ERR_INIT;
    for (int kind = 0; kind < PERSON_RECORD_N; kind++)
        buf_init(&x.parts[kind], PART_BYTES);
    arena_init(&x.arena, ARENA_BYTES);
    int rc = 0;
    if (s->why == NULL && read_state(f, s, &x, &failed) != 0) {
        s->status = failed.status;
        s->why = strdup(err_text(&failed));
        rc = s->why == NULL ? err_oom(e) : 0;
    }
    err_clear(&failed);
    jsonw_object(w);
    jsonw_member_str_or_null(w, "state", str_from(s->path));
    jsonw_member_str_or_null(w, "sync", str_from(s->sync));
    jsonw_member_str_or_null(w, "workspace", str_from(s->workspace));
    jsonw_member_bool(w, "forgotten", s->keys > 0);
    jsonw_member_str_or_null(w, "unread", str_from(s->why));
    if (rc == 0 && s->why == NULL)
        rc = put_parts(&x, w, e);
    jsonw_object_end(w);
    for (int kind = 0; kind < PERSON_RECORD_N; kind++)
        buf_free(&x.parts[kind]);
    arena_free(&x.arena);
    return rc;
}

static int put_lists(struct forget_call *f, struct jsonw *w, struct err *e)
{
    const struct forget_scope scope = forget_call_scope(f);
    jsonw_member_array(w, "lists");
    for (size_t i = 0; i < f->folders_n; i++) {
        struct forget_list l;
        if (forget_list_load(f->folders[i], &l, e) != 0)
            return -1;
        const struct forget_person *p = forget_list_find(&l, &scope, f->person.address);
        if (p != NULL) {
            jsonw_object(w);
            jsonw_member_str_or_null(w, "list", str_from(l.path));
            jsonw_member_str_or_null(w, "workspace", str_from(p->workspace));
            jsonw_member_time(w, "forgotten_at", p->forgotten.at_ms);
            jsonw_object_end(w);
        }
        forget_list_free(&l);
    }
    jsonw_array_end(w);
    return 0;
}

int forget_export(struct forget_call *f, struct out *out, struct err *e)
{
    struct jsonw w;
    jsonw_init_output(&w, &out->text);
    jsonw_object(&w);
    jsonw_member_int(&w, "version", 1);
    jsonw_member_str_or_null(&w, "email", f->person.address);
    jsonw_member_time(&w, "at", f->c->clock->wall_ms(f->c->clock));
    if (put_lists(f, &w, e) != 0)
        return -1;
    jsonw_member_array(&w, "states");
    for (size_t i = 0; i < f->states_n; i++)
        if (put_state(f, &f->states[i], &w, e) != 0)
            return -1;
    jsonw_array_end(&w);
    jsonw_object_end(&w);
    return jsonw_end(&w) != 0 || buf_addc(&out->text, '\n') != 0 ? err_oom(e) : 0;
}
