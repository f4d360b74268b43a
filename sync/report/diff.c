/* The output of a dry run: counts the records, keeps them and writes them. diff_record.c and diff_csv.c fill them, diff_text.c
 * prints them as lines.
 *
 * Records that come earlier than they are printed wait in temporary files, so that memory does not grow with them: left-out rows,
 * and in text and JSON all changes, because the guards are printed before them. */
#include "config.h"

#include "sync/report/diff_format.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "sync/base/file.h"

enum { RECORD_MAX = 64 << 20, POUR_BYTES = 64 << 10 };

/* Only the counts are wanted. */
static const struct diff_format_ops diff_format_none;

static const struct diff_format_ops *const formats[] = {
    [DIFF_TEXT] = &diff_format_text, [DIFF_JSON] = &diff_format_json, [DIFF_NDJSON] = &diff_format_ndjson,
    [DIFF_CSV] = &diff_format_csv,   [DIFF_HTML] = &diff_format_html, [DIFF_NONE] = &diff_format_none,
};

static int list_open(struct diff *d, struct diff_list *list, const struct record_layout *layout)
{
    list->records = (struct record_writer){.format = d->ops->format, .out = &d->record};
    return layout == NULL ? 0 : record_open(&list->records, layout);
}

static void list_close(struct diff_list *list)
{
    if (list->f != NULL)
        fclose(list->f);
    record_free(&list->records);
}

int diff_open(const struct diff_options *options, struct diff **out, struct err *e)
{
    struct diff *d = calloc(1, sizeof *d);
    if (d == NULL)
        return err_oom(e);
    d->options = *options;
    d->ops = formats[options->format];
    buf_init(&d->record, RECORD_MAX);
    const struct record_layout *changes = d->ops->changes;
    if (options->remote && changes == &diff_record_changes)
        changes = &diff_record_changes_remote;
    if (match_init(&d->match, options->match) != 0 || list_open(d, &d->changes, changes) != 0 ||
        list_open(d, &d->left_out, d->ops->left_outs) != 0 || list_open(d, &d->rejects, d->ops->left_outs) != 0 ||
        list_open(d, &d->waiting, changes) != 0 || list_open(d, &d->payloads, &diff_record_payloads) != 0 ||
        (d->ops->open != NULL && d->ops->open(d) != 0)) {
        diff_close(d);
        return err_oom(e);
    }
    *out = d;
    return 0;
}

void diff_close(struct diff *d)
{
    if (d == NULL)
        return;
    if (d->ops->close != NULL)
        d->ops->close(d);
    list_close(&d->changes);
    list_close(&d->left_out);
    list_close(&d->rejects);
    list_close(&d->waiting);
    list_close(&d->payloads);
    match_free(&d->match);
    diff_flows_free(&d->flows);
    diff_mask_free(d);
    buf_free(&d->record);
    free(d);
}

bool diff_has_changes(const struct diff *d)
{
    return d->changes_n + d->hidden_n > 0;
}

bool diff_wants_cells(const struct diff *d)
{
    return match_wants(&d->match);
}

/* ---- bytes ---- */

static int flush_out(struct diff *d)
{
    if (d->options.before_output != NULL && d->unflushed > 0)
        d->options.before_output(d->options.ctx);
    d->unflushed = 0;
    return fflush(d->options.out);
}

int diff_write(struct diff *d, struct err *e)
{
    size_t n = d->record.n;
    /* Flush explicitly, so that the progress line ends before the first byte leaves. */
    bool written = d->unflushed + n <= DIFF_OUT_BYTES || flush_out(d) == 0;
    written = written && (n == 0 || fwrite(d->record.p, 1, n, d->options.out) == n);
    d->unflushed += n;
    if (written && d->unflushed > DIFF_OUT_BYTES)
        written = flush_out(d) == 0;
    int errnum = errno;
    buf_reset(&d->record);
    return written ? 0 : err_errno(e, XS_IO, errnum, "cannot write the diff");
}

static int later_open(struct diff_list *list, struct err *e)
{
    int fd = file_unlinked_tmp(e);
    if (fd < 0)
        return -1;
    list->f = fdopen(fd, "w+");
    if (list->f != NULL)
        return 0;
    int errnum = errno;
    close(fd);
    return err_errno(e, XS_IO, errnum, "cannot keep the diff until its end");
}

int diff_keep(struct diff *d, struct diff_list *list, struct err *e)
{
    if (list->f == NULL && later_open(list, e) != 0)
        return -1;
    size_t n = d->record.n;
    if (n > 0 && fwrite(d->record.p, 1, n, list->f) != n)
        return err_errno(e, XS_IO, errno, "cannot write the temporary file of the diff");
    buf_reset(&d->record);
    return 0;
}

int diff_pour(struct diff *d, struct diff_list *list, struct err *e)
{
    if (diff_write(d, e) != 0)
        return -1;
    if (list->f == NULL)
        return 0;
    if (fflush(list->f) != 0)
        return err_errno(e, XS_IO, errno, "cannot write the temporary file of the diff");
    rewind(list->f);
    if (buf_reserve(&d->record, POUR_BYTES) != 0)
        return err_oom(e);
    for (;;) {
        d->record.n = fread(d->record.p, 1, POUR_BYTES, list->f);
        if (d->record.n == 0)
            break;
        if (diff_write(d, e) != 0)
            return -1;
    }
    if (ferror(list->f))
        return err_errno(e, XS_IO, errno, "cannot read the temporary file of the diff");
    return 0;
}

/* ---- what the formats share ---- */

uint64_t diff_requests_least(const struct diff_summary *s)
{
    return s->requests_create + s->requests_update + s->requests_move + s->requests_remove + s->move_reads;
}

enum diff_kind diff_kind_of(const struct diff_change *change)
{
    if (change->rekey)
        return DIFF_KIND_REKEY;
    switch (change->op) {
    case OP_CREATE: return DIFF_KIND_CREATE;
    case OP_MOVE: return DIFF_KIND_MOVE;
    case OP_REMOVE: return DIFF_KIND_REMOVE;
    default: return DIFF_KIND_UPDATE;
    }
}

const char *diff_kind_text(enum diff_kind kind)
{
    static const char *const texts[DIFF_KIND_N] = {"create", "update", "move", "remove", "rekey"};
    return texts[kind];
}

/* Values are only comparable if both leads have the same list of custom variables; otherwise the old value counts as absent. */
static struct value value_at(const struct lead *lead, const struct lead_shape *shape, size_t at)
{
    static const struct value absent = {VALUE_ABSENT, NULL, 0};
    if (lead == NULL)
        return absent;
    if (at < LEAD_FIELD_N)
        return lead->core[at];
    bool same_shape = lead->shape == shape || (lead->shape != NULL && lead->shape->id == shape->id);
    return same_shape ? lead->custom[at - LEAD_FIELD_N] : absent;
}

/* True if the change writes the field at this position. */
static bool is_written(const struct diff_change *c, size_t at, const struct value *new_value)
{
    if (c->op == OP_CREATE)
        return new_value->kind != VALUE_ABSENT;
    if (c->op != OP_UPDATE)
        return false;
    return at < LEAD_FIELD_N ? (c->fields >> at & 1) != 0 : c->custom != NULL && c->custom[at - LEAD_FIELD_N];
}

int diff_field_next(const struct diff_change *change, size_t *at, struct diff_field *out)
{
    const struct lead *lead = change->new_lead;
    if (lead == NULL)
        return 0;
    const struct lead_shape *shape = lead->shape;
    size_t n = LEAD_FIELD_N + (shape != NULL ? shape->custom_n : 0);
    while (*at < n) {
        size_t i = (*at)++;
        struct value new_value = value_at(lead, shape, i);
        if (!is_written(change, i, &new_value))
            continue;
        *out = (struct diff_field){
            .name = i < LEAD_FIELD_N ? str_from(lead_field_table[i].api) : shape->custom_names[i - LEAD_FIELD_N],
            .custom = i >= LEAD_FIELD_N,
            .old_value = value_at(change->old_lead, shape, i),
            .new_value = new_value,
        };
        return 1;
    }
    return 0;
}

int diff_field_name(const struct diff_field *field, struct buf *out)
{
    return buf_adds(out, field->custom ? DIFF_CUSTOM : "") | buf_add(out, field->name.p, field->name.n);
}

int diff_person(const struct diff_change *change, struct buf *out)
{
    const struct lead *lead = change->new_lead != NULL ? change->new_lead : change->old_lead;
    size_t from = out->n;
    int bad = 0;
    for (int f = LEAD_FIRST_NAME; lead != NULL && f <= LEAD_LAST_NAME; f++) {
        const struct value *v = &lead->core[f];
        if (v->kind == VALUE_STRING && v->n > 0)
            bad |= buf_adds(out, out->n > from ? " " : "") | buf_add(out, v->p, v->n);
    }
    return bad;
}

struct str diff_address(const struct diff_change *change)
{
    const struct lead *lead = change->new_lead != NULL ? change->new_lead : change->old_lead;
    if (change->entry->email.n > 0 || lead == NULL || lead->core[LEAD_EMAIL].kind != VALUE_STRING)
        return change->entry->email;
    return (struct str){lead->core[LEAD_EMAIL].p, lead->core[LEAD_EMAIL].n};
}

/* ---- events ---- */

/* Calls out of order are an internal error. */
static int expect(const struct diff *d, bool begun, struct err *e)
{
    if (d->begun == begun && !d->finished)
        return 0;
    return err_set(e, XS_INTERNAL, "diff records arrived out of order: please report");
}

int diff_head(struct diff *d, const struct diff_head *head, struct err *e)
{
    if (expect(d, false, e) != 0)
        return -1;
    d->begun = true;
    d->head = *head;
    if (d->options.has_at)
        d->head.at_ms = d->options.at_ms;
    if (d->options.mask && diff_mask_head(d, e) != 0)
        return -1;
    const struct diff_watch *watch = d->options.watch;
    if (watch != NULL && watch->head != NULL && watch->head(watch->ctx, &d->head, e) != 0)
        return -1;
    return d->ops->head != NULL ? d->ops->head(d, e) : 0;
}

int diff_change(struct diff *d, const struct diff_change *change, struct err *e)
{
    const struct diff_watch *watch = d->options.watch;
    struct diff_change seen = *change;
    if (expect(d, true, e) != 0)
        return -1;
    if (d->options.mask && diff_mask_change(d, &seen) != 0)
        return err_oom(e);
    if (watch != NULL && watch->change(watch->ctx, &seen, e) != 0)
        return -1;
    if (diff_flow_count(&d->flows, change) != 0)
        return err_oom(e);
    int shown = diff_match_change(d, change);
    if (shown <= 0) {
        d->hidden_n++;
        return shown < 0 ? err_oom(e) : 0;
    }
    d->kinds[diff_kind_of(change)]++;
    d->changes_n++;
    if (d->ops->change == NULL)
        return 0;
    if (d->ops->change(d, &d->changes.records, &seen) != 0)
        return err_oom(e);
    return d->ops->waits ? diff_keep(d, &d->changes, e) : diff_write(d, e);
}

int diff_waiting(struct diff *d, const struct diff_change *waits, struct err *e)
{
    if (expect(d, true, e) != 0)
        return -1;
    int shown = diff_match_waiting(d, waits);
    if (shown <= 0)
        return shown < 0 ? err_oom(e) : 0;
    d->waiting_n++;
    if (d->ops->waiting == NULL)
        return 0;
    struct diff_change seen = *waits;
    if ((d->options.mask && diff_mask_change(d, &seen) != 0) || d->ops->waiting(d, &d->waiting.records, &seen) != 0)
        return err_oom(e);
    return d->ops->waits ? diff_keep(d, &d->waiting, e) : diff_write(d, e);
}

bool diff_wants_payload(const struct diff *d)
{
    return d->options.payload && d->ops->payload != NULL && !d->options.summary;
}

int diff_payload(struct diff *d, const struct diff_payload *payload, struct err *e)
{
    if (expect(d, true, e) != 0)
        return -1;
    if (d->ops->payload(d, &d->payloads.records, payload) != 0)
        return err_oom(e);
    return d->ops->waits ? diff_keep(d, &d->payloads, e) : diff_write(d, e);
}

static int list_left_out(struct diff *d, struct diff_list *list, const struct diff_left_out *left_out, struct err *e)
{
    if (d->ops->left_out(d, &list->records, left_out) != 0)
        return err_oom(e);
    return d->ops->waits ? diff_keep(d, list, e) : diff_write(d, e);
}

int diff_left_out(struct diff *d, const struct diff_left_out *left_out, struct err *e)
{
    const struct diff_watch *watch = d->options.watch;
    struct diff_left_out seen = *left_out;
    if (expect(d, true, e) != 0)
        return -1;
    if (d->options.mask && diff_mask_left_out(d, &seen) != 0)
        return err_oom(e);
    if (watch != NULL && watch->left_out(watch->ctx, &seen, e) != 0)
        return -1;
    int shown = diff_match_left_out(d, left_out);
    if (shown <= 0)
        return shown < 0 ? err_oom(e) : 0;
    d->left_out_n++;
    if (d->ops->left_out == NULL)
        return 0;
    if (d->ops->rejects && seen.entry->outcome == OUTCOME_REJECTED && list_left_out(d, &d->rejects, &seen, e) != 0)
        return -1;
    return list_left_out(d, &d->left_out, &seen, e);
}

int diff_finish(struct diff *d, const struct diff_summary *summary, struct err *e)
{
    if (expect(d, true, e) != 0)
        return -1;
    if (d->options.mask && diff_mask_warnings(d) != 0)
        return err_oom(e);
    const struct diff_watch *watch = d->options.watch;
    if (watch != NULL && watch->finish != NULL &&
        watch->finish(watch->ctx, summary, d->options.mask ? &d->masked.warnings : d->options.warnings, e) != 0)
        return -1;
    if (d->ops->finish != NULL && d->ops->finish(d, summary, e) != 0)
        return -1;
    d->finished = true;
    if (flush_out(d) != 0)
        return err_errno(e, XS_IO, errno, "cannot write the diff");
    return 0;
}
