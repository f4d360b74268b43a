/* All that is known of a person, as one JSON object: what somebody who asks for their data is given. */
#include "config.h"

#include "sync/cli/history/forget.h"

#include "sync/api/body/body.h"
#include "sync/base/jsonw.h"
#include "sync/model/change.h"

#include <stdlib.h>
#include <string.h>

enum { PART_BYTES = 256 << 20, ARENA_BYTES = 64 << 20 };

/* A state's records, an array per kind; they come in an order of their own. */
struct export {
    struct state *state;
    struct buf parts[PERSON_RECORD_N];
    struct arena arena;
};

static const char *const part_names[PERSON_RECORD_N] = {
    [PERSON_LEAD] = "leads",           [PERSON_STATUS] = "statuses", [PERSON_REFUSAL] = "refusals", [PERSON_RETRY] = "retries",
    [PERSON_OPEN_BATCH] = "open_batches", [PERSON_RESULT] = "results",   [PERSON_JOB] = "jobs",
};

/* ---- members ---- */

static void put_text(struct jsonw *w, const char *key, struct str text)
{
    jsonw_key(w, key);
    if (text.n == 0)
        jsonw_null(w);
    else
        jsonw_str(w, text);
}

static void put_number(struct jsonw *w, const char *key, uint64_t n)
{
    jsonw_key(w, key);
    if (n == 0)
        jsonw_null(w);
    else
        jsonw_uint(w, n);
}

static void put_time(struct jsonw *w, const char *key, int64_t ms)
{
    char text[TIME_TEXT_N];
    jsonw_key(w, key);
    jsonw_text(w, ms == 0 ? NULL : time_format(ms, text));
}

static void put_id(struct jsonw *w, bool has, const struct uuid *id)
{
    char text[UUID_TEXT_N];
    jsonw_key(w, "lead_id");
    jsonw_text(w, has ? uuid_format(id, text) : NULL);
}

static int put_target(struct export *x, struct jsonw *w, uint32_t number, struct err *e)
{
    struct target t;
    char text[TARGET_TEXT_N];
    int rc = number == 0 ? 0 : state_target_get(x->state, number, &x->arena, &t, e);
    jsonw_key(w, "target");
    jsonw_text(w, rc == 1 ? target_format(&t, text) : NULL);
    jsonw_key(w, "target_name");
    jsonw_text(w, rc == 1 ? t.name : NULL);
    return rc < 0 ? -1 : 0;
}

static void put_values(struct jsonw *w, const struct lead *lead)
{
    jsonw_key(w, "values");
    if (lead == NULL) {
        jsonw_null(w);
        return;
    }
    jsonw_object(w);
    for (int f = 0; f < LEAD_FIELD_N; f++)
        body_value(w, str_from(lead_field_table[f].api), &lead->core[f]);
    jsonw_key(w, "custom_variables");
    jsonw_object(w);
    for (size_t i = 0; i < lead->shape->custom_n; i++)
        body_value(w, lead->shape->custom_names[i], &lead->custom[i]);
    jsonw_object_end(w);
    jsonw_object_end(w);
}

static const char *status_text(int status)
{
    switch (status) {
    case -1: return "bounced";
    case -2: return "unsubscribed";
    case -3: return "skipped";
    default: return NULL;
    }
}

/* The row as it was read, cell by cell. */
static void put_cells(struct jsonw *w, struct str packed)
{
    const char *p = packed.p, *end = packed.n > 0 ? packed.p + packed.n : packed.p;
    struct cell cell;
    jsonw_key(w, "row_as_read");
    if (packed.n == 0) {
        jsonw_null(w);
        return;
    }
    jsonw_array(w);
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
    put_text(w, "key", known->key_text);
    put_id(w, known->has_lead_id, &known->lead_id);
    jsonw_key(w, "status");
    jsonw_text(w, status_text(known->status));
    jsonw_key(w, "created_by_sync");
    jsonw_bool(w, (known->flags & KNOWN_CREATED) != 0);
    jsonw_key(w, "removed");
    jsonw_bool(w, (known->flags & KNOWN_REMOVED) != 0);
    jsonw_key(w, "deleted_there");
    jsonw_bool(w, (known->flags & KNOWN_DELETED_THERE) != 0);
    jsonw_key(w, "values_hashed");
    jsonw_bool(w, known->hashes.n > 0);
    put_values(w, r->values);
    return put_target(x, w, known->target, e);
}

static int put_entry(struct export *x, struct jsonw *w, const struct person_record *r, struct err *e)
{
    const struct entry *entry = r->entry;
    put_number(w, "row", entry->row);
    put_number(w, "line", entry->line);
    put_text(w, "key", entry->key_text);
    jsonw_key(w, "op");
    jsonw_text(w, r->op == OP_NONE ? NULL : op_text(r->op));
    put_id(w, entry->has_lead_id, &entry->lead_id);
    put_cells(w, entry->cells);
    return put_target(x, w, r->target, e);
}

static int put_result(struct export *x, struct jsonw *w, const struct person_record *r, struct err *e)
{
    const struct entry *entry = r->entry;
    put_number(w, "run", r->run->id);
    put_time(w, "run_started_at", r->run->started_ms);
    put_text(w, "outcome", str_from(outcome_text(entry->outcome)));
    put_text(w, "reason", str_from(reason_text(entry->reason)));
    put_number(w, "http_status", (uint64_t)entry->http_status);
    put_text(w, "detail", entry->detail);
    jsonw_key(w, "changes");
    if (change_json(entry->changes, w) != 0)
        return err_set(e, XS_STATE, "%s: the changes of a row are damaged; restore the file from a backup", state_sync(x->state));
    return put_entry(x, w, r, e);
}

static int put_open(struct export *x, struct jsonw *w, const struct person_record *r, struct err *e)
{
    put_number(w, "run", r->batch->run);
    put_time(w, "sent_at", r->batch->sent_ms);
    put_text(w, "job", str_from(r->batch->job));
    put_text(w, "email", r->entry->email);
    put_values(w, r->values);
    return put_entry(x, w, r, e);
}

static int put_retry(struct export *x, struct jsonw *w, const struct person_record *r, struct err *e)
{
    put_number(w, "attempts", r->entry->attempts);
    put_text(w, "email", r->entry->email);
    put_values(w, r->values);
    return put_entry(x, w, r, e);
}

/* Its filters name other people, too, and stay out. */
static void put_job(struct jsonw *w, const struct job_record *job)
{
    put_text(w, "id", str_from(job->id));
    put_text(w, "type", str_from(job->type));
    put_text(w, "status", str_from(job->status));
    put_text(w, "from", str_from(job->from));
    put_text(w, "to", str_from(job->to));
    put_number(w, "run", job->run);
    put_time(w, "created_at", job->created_ms);
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
    case PERSON_STATUS: put_text(&w, "status", str_from(status_text(r->status))); break;
    case PERSON_REFUSAL:
        put_text(&w, "reason", str_from(reason_text(r->reason)));
        put_time(&w, "at", r->at_ms);
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
        jsonw_key(w, part_names[kind]);
        if (bad == 0)
            jsonw_raw(w, buf_str(&array));
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
    put_text(w, "state", str_from(s->path));
    put_text(w, "sync", str_from(s->sync));
    put_text(w, "workspace", str_from(s->workspace));
    jsonw_key(w, "forgotten");
    jsonw_bool(w, s->keys > 0);
    put_text(w, "unread", str_from(s->why));
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
    jsonw_key(w, "lists");
    jsonw_array(w);
    for (size_t i = 0; i < f->folders_n; i++) {
        struct forget_list l;
        if (forget_list_load(f->folders[i], &l, e) != 0)
            return -1;
        const struct forget_person *p = forget_list_find(&l, &scope, f->person.address);
        if (p != NULL) {
            jsonw_object(w);
            put_text(w, "list", str_from(l.path));
            put_text(w, "workspace", str_from(p->workspace));
            put_time(w, "forgotten_at", p->at_ms);
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
    jsonw_key(&w, "version");
    jsonw_int(&w, 1);
    put_text(&w, "email", f->person.address);
    put_time(&w, "at", f->c->clock->wall_ms(f->c->clock));
    if (put_lists(f, &w, e) != 0)
        return -1;
    jsonw_key(&w, "states");
    jsonw_array(&w);
    for (size_t i = 0; i < f->states_n; i++)
        if (put_state(f, &f->states[i], &w, e) != 0)
            return -1;
    jsonw_array_end(&w);
    jsonw_object_end(&w);
    return jsonw_end(&w) != 0 || buf_addc(&out->text, '\n') != 0 ? err_oom(e) : 0;
}
