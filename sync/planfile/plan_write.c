/* Writes a plan while its dry run goes on. Every byte passes put(), which also feeds the digest. */
#include "config.h"

#include "sync/planfile/plan_file_int.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sync/base/file.h"
#include "sync/base/jsonw.h"

#define COUNT(member) \
    { \
#member, offsetof(struct diff_summary, member) \
    }
const struct plan_count plan_counts[] = {
    COUNT(read),
    COUNT(create),
    COUNT(update),
    COUNT(move),
    COUNT(remove),
    COUNT(changed),
    COUNT(unchanged),
    COUNT(skipped),
    COUNT(rejected),
    COUNT(duplicates),
    COUNT(open),
    COUNT(requests_create),
    COUNT(requests_update),
    COUNT(requests_move),
    COUNT(requests_remove),
    COUNT(missing_waiting),
    COUNT(verifications),
    COUNT(move_reads),
    COUNT(most.create),
    COUNT(most.update),
    COUNT(most.move),
    COUNT(most.remove),
    COUNT(state_serial),
};
const size_t plan_counts_n = sizeof plan_counts / sizeof plan_counts[0];
const struct plan_count plan_seconds[] = {COUNT(seconds_at_limit), COUNT(least_seconds), COUNT(most.seconds)};
const size_t plan_seconds_n = sizeof plan_seconds / sizeof plan_seconds[0];

struct plan_write {
    struct diff_watch watch;
    struct plan_origin origin;
    struct output file;
    struct sha256 *digest;
    struct buf line;
};

/* ---- bytes ---- */

/* Ends the line and writes it. `failed`: what the JSON writer says. */
static int put(struct plan_write *w, int failed, struct err *e)
{
    if (failed != 0 || buf_addc(&w->line, '\n') != 0)
        return err_oom(e);
    bool written = fwrite(w->line.p, 1, w->line.n, w->file.f) == w->line.n;
    int errnum = errno;
    sha256_add(&w->digest, w->line.p, w->line.n);
    buf_reset(&w->line);
    return written ? 0 : err_errno(e, XS_IO, errnum, "cannot write the plan");
}

static struct jsonw begin(struct plan_write *w, const char *type)
{
    struct jsonw json;
    jsonw_init(&json, &w->line);
    jsonw_object(&json);
    if (type != NULL)
        jsonw_member_text(&json, "type", type);
    return json;
}

static int end(struct plan_write *w, struct jsonw *json, struct err *e)
{
    jsonw_object_end(json);
    return put(w, jsonw_end(json), e);
}

/* ---- pieces ---- */

static void put_target(struct jsonw *json, const char *key, const struct target *target)
{
    if (target == NULL) {
        jsonw_member_null(json, key);
        return;
    }
    if (key != NULL)
        jsonw_member_object(json, key);
    else
        jsonw_object(json);
    jsonw_member_text(json, "kind", target_kind_text(target->kind));
    jsonw_member_uuid(json, "id", &target->id);
    jsonw_member_text(json, "name", target->name);
    jsonw_member_int(json, "status", target->status);
    jsonw_member_text(json, "sending", target->sending);
    jsonw_object_end(json);
}

/* A number is an object with its text, because readers of JSON would change how it is written. */
static void put_value(struct jsonw *json, struct str name, const struct value *v)
{
    struct str text = {v->p, v->n};
    if (v->kind == VALUE_ABSENT)
        return;
    jsonw_key_str(json, name);
    switch (v->kind) {
    case VALUE_STRING: jsonw_str(json, text); break;
    case VALUE_BOOL: jsonw_raw(json, text); break;
    case VALUE_NUMBER:
        jsonw_object(json);
        jsonw_member_str(json, "number", text);
        jsonw_object_end(json);
        break;
    default: jsonw_null(json);
    }
}

static void put_lead(struct jsonw *json, const char *key, const struct lead *lead)
{
    if (lead == NULL) {
        jsonw_member_null(json, key);
        return;
    }
    jsonw_member_object(json, key);
    for (size_t f = 0; f < LEAD_FIELD_N; f++)
        put_value(json, str_from(lead_field_table[f].api), &lead->core[f]);
    jsonw_member_object(json, "custom_variables");
    for (size_t c = 0; lead->shape != NULL && c < lead->shape->custom_n; c++)
        put_value(json, lead->shape->custom_names[c], &lead->custom[c]);
    jsonw_object_end(json);
    jsonw_object_end(json);
}

/* The fields that an update writes. */
static void put_fields(struct jsonw *json, const struct diff_change *change)
{
    const struct lead_shape *shape = change->new_lead != NULL ? change->new_lead->shape : NULL;
    jsonw_member_array(json, "fields");
    for (size_t f = 0; f < LEAD_FIELD_N; f++)
        if ((change->fields >> f & 1) != 0)
            jsonw_text(json, lead_field_table[f].api);
    jsonw_array_end(json);
    jsonw_member_array(json, "custom_fields");
    for (size_t c = 0; change->custom != NULL && shape != NULL && c < shape->custom_n; c++)
        if (change->custom[c])
            jsonw_str(json, shape->custom_names[c]);
    jsonw_array_end(json);
}

static void put_entry(struct jsonw *json, const struct entry *entry)
{
    jsonw_member_str_or_null(json, "key", entry->key_text);
    jsonw_member_str_or_null(json, "email", entry->email);
    jsonw_member_ordinal(json, "row", entry->row);
    jsonw_member_ordinal(json, "line", entry->line);
    jsonw_member_uuid(json, "lead_id", entry->has_lead_id ? &entry->lead_id : NULL);
    jsonw_member_str_or_null(json, "detail", entry->detail);
}

/* The row as it was read, if the dry run has it. */
static void put_cells(struct jsonw *json, const struct entry *entry)
{
    const char *p = entry->cells.p, *end = p + entry->cells.n;
    struct cell cell;
    if (entry->cells.n == 0)
        return;
    jsonw_member_array(json, "cells");
    while (cells_next(&p, end, &cell) == 1)
        if (cell.null)
            jsonw_null(json);
        else
            jsonw_str(json, (struct str){cell.p, cell.n});
    jsonw_array_end(json);
}

static void put_texts(struct jsonw *json, const char *key, const char *const *texts, size_t n)
{
    jsonw_member_array(json, key);
    for (size_t i = 0; i < n; i++)
        jsonw_text(json, texts[i]);
    jsonw_array_end(json);
}

static void put_names(struct jsonw *json, const char *key, const struct str *names, size_t n)
{
    jsonw_member_array(json, key);
    for (size_t i = 0; i < n; i++)
        jsonw_str(json, names[i]);
    jsonw_array_end(json);
}

/* Masks of the plan are made with a secret of its own, so that those of two showings agree. It comes from the state's secret, which
 * it does not reveal. A masked plan has none: its secret would let a reader test guesses. */
static int put_mask_secret(struct jsonw *json, const unsigned char *secret)
{
    enum { PARTS = HASH_SECRET_N / 32 };
    unsigned char input[HASH_SECRET_N + 1];
    char hex[PARTS * (SHA256_HEX_N - 1) + 1] = "";
    memcpy(input, secret, HASH_SECRET_N);
    for (unsigned char i = 0; i < PARTS; i++) {
        input[HASH_SECRET_N] = i;
        if (sha256_hex(input, sizeof input, hex + (size_t)i * (SHA256_HEX_N - 1)) != 0)
            return -1;
    }
    jsonw_member_text(json, "mask_secret", hex);
    return 0;
}

/* ---- the watch ---- */

static int write_head(void *ctx, const struct diff_head *head, struct err *e)
{
    struct plan_write *w = ctx;
    struct jsonw json = begin(w, NULL);
    jsonw_member_int(&json, "leadsync_plan", PLAN_VERSION);
    jsonw_member_text(&json, "program", "leadsync " PACKAGE_VERSION);
    jsonw_member_text(&json, "sync", head->sync);
    jsonw_member_text(&json, "source", head->source);
    jsonw_member_text(&json, "workspace", head->workspace);
    jsonw_member_time(&json, "at", head->at_ms);
    jsonw_member_int(&json, "at_ms", head->at_ms);
    jsonw_member_bool(&json, "has_key", head->has_key);
    jsonw_member_bool(&json, "remote", w->origin.remote);
    jsonw_member_bool(&json, "masked", w->origin.masked);
    jsonw_member_uint(&json, "last_run", head->last_run);
    jsonw_member_array(&json, "targets");
    for (size_t i = 0; i < head->targets_n; i++)
        put_target(&json, NULL, &head->targets[i]);
    jsonw_array_end(&json);
    put_texts(&json, "overrides", head->overrides, head->overrides_n);
    if (!w->origin.masked && head->last_run > 0 && head->secret != NULL && put_mask_secret(&json, head->secret) != 0)
        return err_set(e, XS_INTERNAL, "the mask of the plan could not be made: please report");
    put_texts(&json, "arguments", w->origin.words, w->origin.words_n);
    put_names(&json, "columns", head->columns, head->columns_n);
    put_names(&json, "variables", head->shape != NULL ? head->shape->custom_names : NULL,
              head->shape != NULL ? head->shape->custom_n : 0);
    return end(w, &json, e);
}

static int write_change(void *ctx, const struct diff_change *change, struct err *e)
{
    struct plan_write *w = ctx;
    struct jsonw json = begin(w, "change");
    jsonw_member_text(&json, "op", op_text(change->op));
    jsonw_member_bool(&json, "rekey", change->rekey);
    put_entry(&json, change->entry);
    put_target(&json, "target", change->target);
    put_target(&json, "from", change->from);
    jsonw_member_bool(&json, "certain", change->certain);
    jsonw_member_bool(&json, "drift", change->drift);
    put_fields(&json, change);
    put_lead(&json, "old", change->old_lead);
    put_lead(&json, "new", change->new_lead);
    return end(w, &json, e);
}

static int write_left_out(void *ctx, const struct diff_left_out *left_out, struct err *e)
{
    struct plan_write *w = ctx;
    struct jsonw json = begin(w, "left_out");
    put_entry(&json, left_out->entry);
    jsonw_member_text(&json, "outcome", outcome_text(left_out->entry->outcome));
    jsonw_member_text(&json, "reason", reason_text(left_out->entry->reason));
    jsonw_member_text(&json, "column", left_out->column);
    jsonw_member_str(&json, "value", left_out->value);
    put_cells(&json, left_out->entry);
    return end(w, &json, e);
}

static void put_guards(struct jsonw *json, const struct diff_summary *s)
{
    jsonw_member_array(json, "guards");
    for (size_t i = 0; i < s->guards_n; i++) {
        jsonw_object(json);
        jsonw_member_text(json, "name", s->guards[i].name);
        jsonw_member_text(json, "limit", s->guards[i].limit);
        jsonw_member_uint(json, "counted", s->guards[i].counted);
        jsonw_member_uint(json, "of", s->guards[i].of);
        jsonw_member_bool(json, "stops", s->guards[i].stops);
        jsonw_object_end(json);
    }
    jsonw_array_end(json);
    jsonw_member_str(json, "would_stop", s->would_stop);
}

static int write_summary(void *ctx, const struct diff_summary *s, const struct diff_warnings *warnings, struct err *e)
{
    struct plan_write *w = ctx;
    struct jsonw json = begin(w, "summary");
    for (size_t i = 0; i < plan_counts_n; i++)
        jsonw_member_uint(&json, plan_counts[i].name, *(const uint64_t *)((const char *)s + plan_counts[i].offset));
    for (size_t i = 0; i < plan_seconds_n; i++)
        jsonw_member_number(&json, plan_seconds[i].name, *(const double *)((const char *)s + plan_seconds[i].offset), 3);
    if (s->plan.known) {
        jsonw_member_object(&json, "workspace_plan");
        jsonw_member_int(&json, "used", s->plan.used);
        jsonw_member_int(&json, "limit", s->plan.limit);
        jsonw_object_end(&json);
    }
    jsonw_member_text(&json, "waits_for", s->waits_for);
    jsonw_member_bool(&json, "at_work", s->at_work);
    jsonw_member_text(&json, "mapping_sha256", s->mapping_sha256);
    jsonw_member_text(&json, "source_sha256", s->source_sha256);
    jsonw_member_object(&json, "reasons");
    for (int i = 0; s->reasons != NULL && i < REASON_N; i++)
        if (s->reasons[i] > 0)
            jsonw_member_uint(&json, reason_text((enum reason)i), s->reasons[i]);
    jsonw_object_end(&json);
    put_guards(&json, s);
    if (s->new_variables != NULL)
        put_texts(&json, "new_variables", s->new_variables, s->new_variables_n);
    put_texts(&json, "warnings", warnings != NULL ? (const char *const *)warnings->v : NULL,
              warnings != NULL ? warnings->n : 0);
    return end(w, &json, e);
}

/* ---- */

int plan_write_open(const char *path, const struct plan_origin *origin, struct plan_write **out, struct err *e)
{
    struct plan_write *w = calloc(1, sizeof *w);
    *out = NULL;
    if (w == NULL)
        return err_oom(e);
    w->origin = *origin;
    w->watch = (struct diff_watch){write_change, write_left_out, w, write_head, write_summary};
    buf_init(&w->line, PLAN_LINE_MAX);
    w->digest = sha256_begin();
    if (w->digest == NULL || output_open(&w->file, path, 0600, e) != 0) {
        if (w->digest == NULL)
            err_oom(e);
        plan_write_close(w);
        return -1;
    }
    *out = w;
    return 0;
}

const struct diff_watch *plan_write_watch(struct plan_write *w)
{
    return &w->watch;
}

int plan_write_commit(struct plan_write *w, char id[SHA256_HEX_N], struct err *e)
{
    sha256_end(&w->digest, id);
    if (id[0] == '\0')
        return err_set(e, XS_INTERNAL, "the digest of the plan could not be made: please report");
    struct jsonw json = begin(w, "end");
    jsonw_member_text(&json, "id", id);
    return end(w, &json, e) != 0 ? -1 : output_commit(&w->file, e);
}

void plan_write_close(struct plan_write *w)
{
    char unused[SHA256_HEX_N];
    if (w == NULL)
        return;
    if (w->digest != NULL)
        sha256_end(&w->digest, unused);
    output_abandon(&w->file);
    buf_free(&w->line);
    free(w);
}
