/* The diff as one JSON document, and as one JSON object per line (NDJSON). Both consist of the records of diff_record.c. The
 * document is assembled from lists that waited in files, so their brackets are written here. */
#include "config.h"

#include "sync/base/clock.h"
#include "sync/report/diff_format.h"
#include "sync/report/run_begun.h"

/* ---- parts ---- */

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

static void seconds_member(struct jsonw *w, const char *name, double seconds)
{
    if (seconds < 0)
        jsonw_member_null(w, name);
    else
        jsonw_member_number(w, name, seconds, 3);
}

static void least_requests(struct jsonw *w, const struct diff_summary *s)
{
    jsonw_member_object(w, "least");
    jsonw_member_uint(w, "total", diff_requests_least(s));
    seconds_member(w, "seconds", s->least_seconds);
    jsonw_object_end(w);
}

static void most_requests(struct jsonw *w, const struct diff_most *most)
{
    jsonw_member_object(w, "most");
    jsonw_member_uint(w, "create", most->create);
    jsonw_member_uint(w, "update", most->update);
    jsonw_member_uint(w, "move", most->move);
    jsonw_member_uint(w, "remove", most->remove);
    jsonw_member_uint(w, "total", most->create + most->update + most->move + most->remove);
    seconds_member(w, "seconds", most->seconds);
    jsonw_object_end(w);
}

static void requests(struct jsonw *w, const struct diff_summary *s)
{
    jsonw_member_object(w, "requests");
    jsonw_member_uint(w, "create", s->requests_create);
    jsonw_member_uint(w, "update", s->requests_update);
    jsonw_member_uint(w, "move", s->requests_move);
    jsonw_member_uint(w, "remove", s->requests_remove);
    jsonw_member_uint(w, "total", s->requests_create + s->requests_update + s->requests_move + s->requests_remove);
    seconds_member(w, "seconds_at_limit", s->seconds_at_limit);
    least_requests(w, s);
    most_requests(w, &s->most);
    jsonw_object_end(w);
}

/* Creates are the most that the plan can need: Instantly may have some of the leads already. */
static void workspace_plan(struct jsonw *w, const struct diff_summary *s)
{
    if (!s->plan.known) {
        jsonw_member_null(w, "workspace_plan");
        return;
    }
    jsonw_member_object(w, "workspace_plan");
    jsonw_member_int(w, "leads", s->plan.used);
    jsonw_member_int(w, "limit", s->plan.limit);
    jsonw_member_int(w, "room", s->plan.limit - s->plan.used);
    jsonw_member_int(w, "room_after", s->plan.limit - s->plan.used - (int64_t)s->create);
    jsonw_object_end(w);
}

static void costs(struct jsonw *w, const struct diff_summary *s)
{
    requests(w, s);
    jsonw_member_uint(w, "verifications", s->verifications);
    workspace_plan(w, s);
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

/* What the lists leave out, so that a short list is not taken for all. */
static void narrowing(struct jsonw *w, const struct diff *d)
{
    const struct diff_options *o = &d->options;
    if (o->show == 0 && o->match == NULL && !o->summary) {
        jsonw_member_null(w, "shown");
        return;
    }
    jsonw_member_object(w, "shown");
    if (o->show == 0) {
        jsonw_member_null(w, "op");
    } else {
        size_t at = 0;
        jsonw_member_array(w, "op");
        for (const char *word; (word = diff_show_next(o->show, &at)) != NULL;)
            jsonw_text(w, word);
        jsonw_array_end(w);
    }
    jsonw_member_text(w, "match", o->match);
    jsonw_member_bool(w, "summary", o->summary);
    jsonw_object_end(w);
}

static void target_member(struct jsonw *w, const char *name, const struct target *t)
{
    if (t == NULL) {
        jsonw_member_null(w, name);
        return;
    }
    jsonw_member_object(w, name);
    diff_json_target(w, t);
    jsonw_object_end(w);
}

/* The operations by target: what the summary counts, split. */
static void by_target(struct jsonw *w, const struct diff *d)
{
    jsonw_member_array(w, "by_target");
    for (size_t i = 0; i < d->flows.n; i++) {
        const struct diff_flow *f = &d->flows.v[i];
        jsonw_object(w);
        jsonw_member_text(w, "op", diff_kind_text(f->kind));
        target_member(w, "target", f->target);
        target_member(w, "from", f->from);
        jsonw_member_uint(w, "leads", f->n);
        jsonw_object_end(w);
    }
    jsonw_array_end(w);
}

/* The head: what the diff compares, the guards and the warnings. */
static void about(struct jsonw *w, const struct diff *d, const struct diff_summary *s)
{
    char at[TIME_TEXT_N];
    jsonw_member_int(w, "version", 1);
    jsonw_member_text(w, "sync", d->head.sync);
    jsonw_member_text(w, "at", time_format(d->head.at_ms, at));
    jsonw_member_text(w, "mapping_sha256", s->mapping_sha256);
    source_json(d->head.source, s->source_sha256, w);
    jsonw_member_uint(w, "state_serial", s->state_serial);
    guards(w, s);
    warnings(w, d->options.warnings);
    waiting(w, s);
    narrowing(w, d);
    jsonw_member_bool(w, "masked", d->options.mask);
    jsonw_member_array(w, "overrides");
    for (size_t i = 0; i < d->head.overrides_n; i++)
        jsonw_text(w, d->head.overrides[i]);
    jsonw_array_end(w);
    if (d->head.plan == NULL) {
        jsonw_member_null(w, "plan");
        return;
    }
    jsonw_member_object(w, "plan");
    jsonw_member_text(w, "id", d->head.plan);
    jsonw_object_end(w);
}

/* ---- one document ---- */

/* The members of the document that stand together are an object here; its opening or closing bracket is cut off. */
static int document_part(struct diff *d, const struct diff_summary *s, bool first, struct err *e)
{
    struct buf text = BUF_INIT(d->record.max);
    struct jsonw w;
    jsonw_init_output(&w, &text);
    jsonw_object(&w);
    if (first) {
        about(&w, d, s);
    } else {
        diff_json_new_variables(&w, s);
        costs(&w, s);
        diff_json_reasons(&w, s);
        jsonw_member_object(&w, "summary");
        diff_json_counts(&w, s);
        jsonw_object_end(&w);
        by_target(&w, d);
    }
    jsonw_object_end(&w);
    int bad = jsonw_end(&w);
    if (bad == 0)
        bad = buf_add(&d->record, text.p + (first ? 0 : 1), text.n - 1);
    buf_free(&text);
    return bad == 0 ? 0 : err_oom(e);
}

static int document_list(struct diff *d, const char *open, struct diff_list *list, struct err *e)
{
    return buf_adds(&d->record, open) == 0 ? diff_pour(d, list, e) : err_oom(e);
}

static int json_finish(struct diff *d, const struct diff_summary *s, struct err *e)
{
    if (document_part(d, s, true, e) != 0 || document_list(d, ",\n\"changes\":[", &d->changes, e) != 0 ||
        document_list(d, "],\n\"rejects\":[", &d->rejects, e) != 0 ||
        document_list(d, "],\n\"left_out\":[", &d->left_out, e) != 0 ||
        document_list(d, "],\n\"waiting_leads\":[", &d->waiting, e) != 0 ||
        (d->options.payload && document_list(d, "],\n\"payloads\":[", &d->payloads, e) != 0))
        return -1;
    if (buf_adds(&d->record, "],\n") != 0)
        return err_oom(e);
    if (document_part(d, s, false, e) != 0)
        return -1;
    return buf_addc(&d->record, '\n') == 0 ? diff_write(d, e) : err_oom(e);
}

const struct diff_format_ops diff_format_json = {
    .format = RECORD_JSON,
    .changes = &diff_record_changes,
    .left_outs = &diff_record_left_outs,
    .waits = true,
    .rejects = true,
    .change = diff_record_change,
    .left_out = diff_record_left_out,
    .waiting = diff_record_waiting,
    .payload = diff_record_payload,
    .finish = json_finish,
};

/* ---- one object per line ---- */

/* NDJSON has no head; the summary is the last record. */
static int ndjson_finish(struct diff *d, const struct diff_summary *s, struct err *e)
{
    struct jsonw *w = record_object(&d->changes.records);
    jsonw_member_text(w, "type", "summary");
    about(w, d, s);
    diff_json_counts(w, s);
    diff_json_new_variables(w, s);
    costs(w, s);
    diff_json_reasons(w, s);
    by_target(w, d);
    return record_end(&d->changes.records) == 0 ? diff_write(d, e) : err_oom(e);
}

/* A left-out row comes once, in source order: its outcome says whether it is a reject. */
const struct diff_format_ops diff_format_ndjson = {
    .format = RECORD_NDJSON,
    .changes = &diff_record_changes,
    .left_outs = &diff_record_left_outs,
    .change = diff_record_change,
    .left_out = diff_record_left_out,
    .waiting = diff_record_waiting,
    .payload = diff_record_payload,
    .finish = ndjson_finish,
};
