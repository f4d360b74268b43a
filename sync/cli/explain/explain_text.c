/* The text of `explain`: the sentence first, then the proof of it. */
#include "config.h"

#include "sync/cli/explain/explain.h"

#include "sync/base/text.h"
#include "sync/cli/args/select_arg.h"

#include <inttypes.h>
#include <string.h>

enum { CELL_BYTES = 1 << 20, SHOWN_CHARS = 200 };

/* ---- the row ---- */

static int add_value(struct str text, struct buf *out)
{
    return text.n == 0 ? buf_adds(out, "(empty)")
                       : buf_addc(out, '"') | text_show(text, SHOWN_CHARS, out) | buf_addc(out, '"');
}

/* "ANN@X.COM" -> apply: clean "ann@x.com" -> … `sent`: the row makes a lead, so a value that is absent is left out of it. */
static int add_field(const struct explained_field *f, bool sent, struct buf *out)
{
    int bad = buf_adds(out, "    ") | text_show(f->name, 0, out) | buf_adds(out, ": ");
    if (f->has_read)
        bad |= add_value(f->read, out);
    else
        bad |= buf_adds(out, "no column");
    for (size_t i = 0; i < f->steps_n; i++)
        bad |= buf_addf(out, " -> %s ", f->steps[i].step) | add_value(f->steps[i].value, out);
    const struct str last = f->steps_n > 0 ? f->steps[f->steps_n - 1].value : f->read;
    const struct str value = {f->value.p, f->value.n};
    if (f->value.kind == VALUE_ABSENT)
        bad |= buf_adds(out, sent ? " -> left out" : "");
    else if (f->value.kind == VALUE_NULL)
        bad |= buf_adds(out, " -> cleared in Instantly");
    else if ((!f->has_read && f->steps_n == 0) || !str_eq(last, value))
        bad |= buf_adds(out, " -> ") | add_value(value, out);
    return bad | buf_addc(out, '\n');
}

static int explain_text_rows(const struct explain *x, struct buf *out)
{
    int bad = 0;
    for (size_t i = 0; i < x->rows_n; i++) {
        const struct explained_row *row = &x->rows[i];
        bad |= buf_addf(out, "\nRow %" PRIu64, row->row);
        if (row->line > 0)
            bad |= buf_addf(out, ", line %" PRIu64, row->line);
        bad |= buf_addf(out, " of %s\n", x->source);
        for (size_t f = 0; f < row->fields_n; f++)
            bad |= add_field(&row->fields[f], row->left_out.n == 0, out);
        if (row->left_out.n > 0)
            bad |= buf_adds(out, "  left out: ") | text_show(row->left_out, 0, out) | buf_addc(out, '\n');
        bad |= buf_adds(out, "  the next sync: ") | text_show(row->decision, 0, out) | buf_addc(out, '\n');
    }
    if (x->read && x->rows_n == 0)
        bad |= buf_addf(out, "\n%s: none of its %" PRIu64 " rows has this key, address or lead\n", x->source, x->rows_read);
    return bad;
}

/* ---- Instantly ---- */

enum { N_WHERE, N_STATUS, N_EMAIL, N_ID, N_VERIFICATION, N_CREATED, NOW_COLUMNS };
static const struct record_column now_columns[NOW_COLUMNS] = {
    [N_WHERE] = {RECORD_NAME("where")},
    [N_STATUS] = {RECORD_NAME("status")},
    [N_EMAIL] = {RECORD_NAME("email")},
    [N_ID] = {RECORD_NAME("lead_id"), .yield = TABLE_YIELDS},
    [N_VERIFICATION] = {RECORD_NAME("verification"), .yield = TABLE_YIELDS},
    [N_CREATED] = {RECORD_NAME("created_at"), .yield = TABLE_YIELDS},
};
static const struct record_layout now_layout = {.columns = now_columns, .columns_n = NOW_COLUMNS, .hide_empty = true};

static int fill_now(const struct explain *x, const struct explained_lead *lead, struct record_writer *w)
{
    struct buf place = BUF_INIT(CELL_BYTES);
    char status[SELECT_STATUS_TEXT_N];
    int bad = lead->has_place ? target_names_show(&x->names, &lead->place, &place)
                              : buf_adds(&place, "no campaign and no list");
    record_copy(w, N_WHERE, buf_str(&place));
    record_copy(w, N_STATUS, str_from(select_arg_status_text(lead->status, status)));
    record_str(w, N_EMAIL, lead->email);
    record_uuid(w, N_ID, &lead->id);
    record_text(w, N_VERIFICATION, lead->verification);
    record_time(w, N_CREATED, lead->created_ms);
    buf_free(&place);
    return bad | record_end(w);
}

static int explain_text_now(const struct explain *x, struct buf *out)
{
    struct record_writer w = out_table(&x->inv->common, out);
    int bad = 0;
    if (x->not_asked != NULL)
        return buf_addf(out, "\nInstantly was not asked: %s\n", x->not_asked);
    if (!x->asked)
        return buf_adds(out, "\nInstantly was not asked (--offline)\n");
    if (x->leads_n == 0)
        return buf_adds(out, "\nIn Instantly now: no lead\n");
    bad = buf_adds(out, "\nIn Instantly now\n") | record_open(&w, &now_layout);
    for (size_t i = 0; i < x->leads_n && bad == 0; i++)
        bad = fill_now(x, &x->leads[i], &w);
    bad = bad != 0 ? bad : record_finish(&w);
    record_free(&w);
    return bad;
}

/* ---- a state ---- */

static int add_known(const struct explain *x, const struct explained_state *s, struct buf *out, struct err *e)
{
    int bad = 0;
    for (size_t i = 0; i < s->trace.leads_n; i++) {
        const struct traced_lead *lead = &s->trace.leads[i];
        struct target t;
        struct arena arena;
        if (!lead->known)
            continue;
        arena_init(&arena, CELL_BYTES);
        int found = state_target_get(s->state, lead->lead.target, &arena, &t, e);
        bad |= buf_adds(out, "  remembered: ");
        if (lead->lead.key_text.n > 0)
            bad |= buf_adds(out, "row key ") | text_show(lead->lead.key_text, 0, out) | buf_adds(out, ", ");
        bad |= found == 1 ? target_names_show(&x->names, &t, out) : buf_adds(out, "no place");
        bad |= buf_adds(out, (lead->lead.flags & KNOWN_CREATED) != 0 ? ", created by this sync" : ", met by this sync");
        if ((lead->lead.flags & KNOWN_REMOVED) != 0)
            bad |= buf_adds(out, ", removed by this sync");
        if ((lead->lead.flags & KNOWN_DELETED_THERE) != 0)
            bad |= buf_adds(out, ", deleted");
        if (lead->lead.has_lead_id) {
            char id[UUID_TEXT_N];
            bad |= buf_addf(out, ", lead %s", uuid_format(&lead->lead.lead_id, id));
        }
        bad |= buf_addc(out, '\n');
        arena_free(&arena);
        if (found < 0)
            return -1;
    }
    return bad != 0 ? err_oom(e) : 0;
}

static int add_history(struct explain *x, const struct explained_state *s, struct buf *out, struct err *e)
{
    struct record_writer w = out_table(&x->inv->common, out);
    int bad = record_open(&w, &explain_history_layout);
    for (size_t i = 0; i < s->trace.batches_n && bad == 0; i++) {
        if (explain_history_fill(&w, x, s, &s->trace.batches[i], e) != 0) {
            record_free(&w);
            return -1;
        }
        bad = record_end(&w);
    }
    bad = bad != 0 ? bad : record_finish(&w);
    record_free(&w);
    return bad != 0 ? err_oom(e) : 0;
}

static int add_state(struct explain *x, const struct explained_state *s, struct buf *out, struct err *e)
{
    int bad = buf_addf(out, "\nSync %s", s->sync != NULL ? s->sync : "without a name");
    if (s->workspace != NULL)
        bad |= buf_adds(out, ", workspace \"") | text_show(str_from(s->workspace), 0, out) | buf_addc(out, '"');
    bad |= buf_addf(out, " (%s)\n", s->path);
    /* The first line says it of the only one. */
    if (x->states_n > 1)
        bad |= buf_adds(out, "  why: ") | explain_why(x, s, out) | buf_addc(out, '\n');
    if (!explain_next_is_planned(x, s))
        bad |= buf_adds(out, "  next: ") | explain_next(x, s, out) | buf_addc(out, '\n');
    if (bad != 0)
        return err_oom(e);
    if (add_known(x, s, out, e) != 0)
        return -1;
    return s->trace.batches_n == 0 ? 0 : add_history(x, s, out, e);
}

int explain_text(struct explain *x, struct buf *out, struct err *e)
{
    if (explain_sentence(x, out) != 0 || buf_adds(out, ".\n") != 0 || explain_text_now(x, out) != 0 ||
        explain_text_rows(x, out) != 0)
        return err_oom(e);
    for (size_t i = 0; i < x->states_n; i++)
        if (add_state(x, &x->states[i], out, e) != 0)
            return -1;
    for (size_t i = 0; i < x->unread_n; i++)
        if (buf_addf(out, "\nnot looked into: %s\n", x->unread[i].why) != 0)
            return err_oom(e);
    return 0;
}
