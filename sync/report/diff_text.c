/* The diff as text: the guards that would stop, a head, a short summary, the changes, the rows left out, and all counts. Long lists
 * end with the number of records not shown. */
#include "config.h"

#include "sync/base/clock.h"
#include "sync/base/text.h"
#include "sync/report/diff_text.h"

enum {
    CHANGES_A_KIND = 50,
    LEFT_OUT_SHOWN = 20,
    COLUMNS_DEFAULT = 100, /* if the width of the output is not known */
    DETAIL_COLUMNS = 400,
    KEY_COLUMNS = 80,
    CELLS_CHARS = 40,
    TARGET_COLUMNS = 60,
    /* The indent of the second and later parts of a line that is wider than the terminal. */
    HEAD_INDENT = 11,
    ROW_INDENT = 6,
    FIELD_INDENT = 8,
};

const struct diff_text_kind diff_text_kinds[DIFF_KIND_N] = {
    [DIFF_KIND_CREATE] = {"+", "\033[32m", "creates"}, [DIFF_KIND_UPDATE] = {"~", "\033[33m", "updates"},
    [DIFF_KIND_MOVE] = {">", "\033[36m", "moves"},     [DIFF_KIND_REMOVE] = {"-", "\033[31m", "removals"},
    [DIFF_KIND_REKEY] = {"=", "\033[35m", "rekeys"},
};

/* ---- small parts ---- */

int diff_text_paint(struct diff *d, const char *colour)
{
    return d->options.colour ? buf_adds(&d->record, colour) : 0;
}

int diff_text_show(struct diff *d, struct str text, size_t columns)
{
    return text_show(text, d->options.all ? 0 : columns, &d->record);
}

int diff_text_target(struct diff *d, const struct target *t)
{
    char id[UUID_TEXT_N];
    if (t == NULL)
        return buf_adds(&d->record, "(not known)");
    int bad = buf_addf(&d->record, "%s ", target_kind_text(t->kind));
    if (t->name == NULL)
        return bad | buf_adds(&d->record, uuid_format(&t->id, id));
    bad |= buf_addc(&d->record, '"') | diff_text_show(d, str_from(t->name), TARGET_COLUMNS) | buf_addc(&d->record, '"');
    return bad;
}

/* Absent, null and empty values look alike on a terminal but differ, so each has its own text. */
static int show_value(struct diff *d, const struct value *v, const char *absent)
{
    switch (v->kind) {
    case VALUE_ABSENT: return buf_adds(&d->record, absent);
    case VALUE_NULL: return buf_adds(&d->record, "(cleared)");
    case VALUE_STRING:
        if (v->n == 0)
            return buf_adds(&d->record, "(empty)");
        return buf_addc(&d->record, '"') | diff_text_show(d, (struct str){v->p, v->n}, DIFF_TEXT_VALUE_COLUMNS) |
               buf_addc(&d->record, '"');
    case VALUE_NUMBER:
    case VALUE_BOOL: break;
    }
    return diff_text_show(d, (struct str){v->p, v->n}, DIFF_TEXT_VALUE_COLUMNS);
}

int diff_text_end_line(struct diff *d, size_t from, size_t indent)
{
    if (d->options.columns == 0)
        return buf_addc(&d->record, '\n');
    struct buf line = BUF_INIT(d->record.max);
    int bad = buf_add(&line, d->record.p + from, d->record.n - from);
    if (bad == 0) {
        d->record.n = from;
        bad = text_wrap(buf_str(&line), d->options.columns, indent, &d->record) | buf_addc(&d->record, '\n');
    }
    buf_free(&line);
    return bad;
}

/* "row 3, line 4"; a removal has none. */
static int show_place(struct diff *d, const struct entry *entry)
{
    if (entry->row == 0)
        return 0;
    int bad = diff_text_paint(d, DIFF_TEXT_DIM) | buf_addf(&d->record, "  row %llu", (unsigned long long)entry->row);
    if (entry->line > 0)
        bad |= buf_addf(&d->record, ", line %llu", (unsigned long long)entry->line);
    return bad | diff_text_paint(d, DIFF_TEXT_OFF);
}

/* "+ ann@example.com"; that the address or key is empty is said only where it is: other rows without one go by their number, which
 * follows. */
static int show_key(struct diff *d, const char *before, const struct entry *entry)
{
    const char *missing = entry->reason == REASON_EMAIL_MISSING ? "row without an address"
                          : entry->reason == REASON_KEY_MISSING ? "row without a key"
                                                                : NULL;
    struct buf cells = BUF_INIT(d->record.max);
    int any = entry->key_text.n == 0 ? cells_show_name(before, entry->cells, CELLS_CHARS, &cells) : 0;
    int bad = any > 0 ? diff_text_show(d, buf_str(&cells), KEY_COLUMNS) : 0;
    buf_free(&cells);
    if (any != 0)
        return any < 0 || bad != 0 ? -1 : 0;
    if (entry->key_text.n == 0)
        return missing != NULL ? buf_addf(&d->record, "%s%s", before, missing) : 0;
    bad = buf_adds(&d->record, before) | diff_text_show(d, entry->key_text, KEY_COLUMNS);
    /* Under `key:` the key says little to people. */
    if (entry->email.n > 0 && !str_eq_nocase(entry->email, entry->key_text))
        bad |= buf_adds(&d->record, " (") | diff_text_show(d, entry->email, KEY_COLUMNS) | buf_addc(&d->record, ')');
    return bad;
}

/* ---- the head ---- */

/* The status is shown beside the name, because an active campaign mails people. */
static int head_target(struct diff *d, const struct target *t)
{
    char id[UUID_TEXT_N], status[TARGET_TEXT_N];
    size_t from = d->record.n;
    int bad = buf_adds(&d->record, "Target     ") | diff_text_target(d, t);
    if (t->name != NULL)
        bad |= buf_addf(&d->record, " %s", uuid_format(&t->id, id));
    if (t->kind == TARGET_CAMPAIGN) {
        bool active = t->status == CAMPAIGN_ACTIVE;
        bad |= buf_adds(&d->record, ", ") | diff_text_paint(d, active ? diff_text_kinds[DIFF_KIND_UPDATE].colour : "");
        bad |= t->status == TARGET_STATUS_UNKNOWN ? buf_adds(&d->record, "status not asked")
                                                  : buf_adds(&d->record, campaign_status_text(t->status, status));
        bad |= buf_adds(&d->record, active ? ": mail may go out at once" : "") |
               diff_text_paint(d, active ? DIFF_TEXT_OFF : "");
        if (t->sending != NULL)
            bad |= buf_adds(&d->record, "; ") | diff_text_paint(d, diff_text_kinds[DIFF_KIND_UPDATE].colour) |
                   buf_adds(&d->record, t->sending) | diff_text_paint(d, DIFF_TEXT_OFF);
    }
    return bad | diff_text_end_line(d, from, HEAD_INDENT);
}

static int head_line(struct diff *d, const char *label, struct str text)
{
    size_t from = d->record.n;
    return buf_adds(&d->record, label) | text_show(text, 0, &d->record) | diff_text_end_line(d, from, HEAD_INDENT);
}

/* What the lists leave out. The counts do not, so that is said, too. */
static int head_shown(struct diff *d)
{
    const struct diff_options *o = &d->options;
    struct buf text = BUF_INIT(d->record.max);
    size_t at = 0;
    int bad = buf_adds(&text, o->show != 0 ? "only " : "only changes and rows");
    for (const char *word, *comma = ""; (word = diff_show_next(o->show, &at)) != NULL; comma = ", ")
        bad |= buf_adds(&text, comma) | buf_adds(&text, word);
    if (o->match != NULL)
        bad |= buf_adds(&text, " with \"") | buf_adds(&text, o->match) | buf_addc(&text, '"');
    bad |= buf_adds(&text, "; counts and guards include all rows");
    bad |= head_line(d, "Shown      ", buf_str(&text));
    buf_free(&text);
    return bad;
}

static int text_head(struct diff *d)
{
    const struct diff_head *h = &d->head;
    char at[TIME_TEXT_N];
    int bad = head_line(d, "Sync       ", str_from(h->sync));
    bad |= head_line(d, "Workspace  ",
                     h->workspace != NULL ? str_from(h->workspace) : STR("(not known: no sync has read it yet)"));
    for (size_t i = 0; i < h->targets_n; i++)
        bad |= head_target(d, &h->targets[i]);
    bad |= head_line(d, "Source     ", str_from(h->source));
    bad |= head_line(d, "When       ", str_from(time_format(h->at_ms, at)));
    if (h->plan != NULL)
        bad |= head_line(d, "Plan       ", str_from(h->plan));
    for (size_t i = 0; i < h->overrides_n; i++) {
        struct buf allowed = BUF_INIT(d->record.max);
        bad |= buf_addf(&allowed, "--guard %s", h->overrides[i]) | head_line(d, "Allowed    ", buf_str(&allowed));
        buf_free(&allowed);
    }
    if (!d->options.summary && (d->options.match != NULL || d->options.show != 0))
        bad |= head_shown(d);
    if (d->options.mask)
        bad |= head_line(d, "Masked     ", STR("addresses, values and details; the same value has the same mask"));
    return bad | buf_addc(&d->record, '\n');
}

/* ---- changes ---- */

/* An update has a line a field, because old and new are to be compared. */
static int update_fields(struct diff *d, const struct diff_change *c)
{
    struct diff_field field;
    int bad = 0;
    for (size_t at = 0; bad == 0 && diff_field_next(c, &at, &field) == 1;) {
        size_t from = d->record.n;
        bad |= buf_adds(&d->record, "    ") | diff_text_show(d, field.name, DIFF_TEXT_VALUE_COLUMNS) |
               buf_adds(&d->record, ": ");
        bad |= show_value(d, &field.old_value, "(not known)") | buf_adds(&d->record, " -> ");
        bad |= show_value(d, &field.new_value, "(nothing)") | diff_text_end_line(d, from, FIELD_INDENT);
    }
    return bad;
}

/* A create is one line, cut at the width of the terminal, because its fields are those of the row. */
static int create_fields(struct diff *d, const struct diff_change *c)
{
    size_t columns = d->options.columns > 0 ? d->options.columns : COLUMNS_DEFAULT;
    struct buf all = BUF_INIT(d->record.max);
    struct diff_field field;
    int bad = 0;
    for (size_t at = 0; bad == 0 && diff_field_next(c, &at, &field) == 1;) {
        /* The address is the key on the line above, nearly always. */
        if (str_eq_nocase((struct str){field.new_value.p, field.new_value.n}, c->entry->key_text))
            continue;
        bad |= buf_adds(&all, all.n > 0 ? ", " : "") | buf_add(&all, field.name.p, field.name.n) | buf_adds(&all, ": ");
        bad |= field.new_value.kind == VALUE_NULL ? buf_adds(&all, "null")
                                                  : buf_add(&all, field.new_value.p, field.new_value.n);
        /* Shows the lead that a create replaces. */
        if (c->rekey && str_is(field.name, "email") && field.old_value.kind == VALUE_STRING)
            bad |= buf_adds(&all, " (was ") | buf_add(&all, field.old_value.p, field.old_value.n) | buf_addc(&all, ')');
    }
    size_t from = d->record.n;
    if (all.n > 0)
        bad |= buf_adds(&d->record, "    ") | diff_text_paint(d, DIFF_TEXT_DIM) |
               diff_text_show(d, buf_str(&all), columns > DIFF_TEXT_INDENT + 10 ? columns - DIFF_TEXT_INDENT : 10) |
               diff_text_paint(d, DIFF_TEXT_OFF) | diff_text_end_line(d, from, DIFF_TEXT_INDENT);
    buf_free(&all);
    return bad;
}

int diff_text_where(struct diff *d, enum diff_kind kind, const struct target *target, const struct target *from)
{
    /* A deletion has the place of its lead in either member. */
    if (kind == DIFF_KIND_REMOVE && (from == NULL || target == NULL || target_eq(from, target)))
        return buf_adds(&d->record, "deleted from ") | diff_text_target(d, from != NULL ? from : target);
    if (kind == DIFF_KIND_MOVE || kind == DIFF_KIND_REMOVE)
        return buf_adds(&d->record, kind == DIFF_KIND_REMOVE ? "moved from " : "from ") | diff_text_target(d, from) |
               buf_adds(&d->record, " to ") | diff_text_target(d, target);
    return buf_adds(&d->record, kind == DIFF_KIND_UPDATE ? "in " : "into ") | diff_text_target(d, target);
}

/* The target of a create is only shown if targets differ, and that of an update never. */
static int change_targets(struct diff *d, const struct diff_change *c)
{
    if (c->op == OP_UPDATE || (c->op == OP_CREATE && d->head.targets_n <= 1 && !c->entry->staged))
        return 0;
    return buf_adds(&d->record, "  ") | diff_text_where(d, diff_kind_of(c), c->target, c->from);
}

/* " (Ann Lee)": a removal has no fields that show who it is. */
static int show_person(struct diff *d, const struct diff_change *c)
{
    struct buf name = BUF_INIT(d->record.max);
    int bad = diff_person(c, &name);
    if (bad == 0 && name.n > 0)
        bad = buf_adds(&d->record, " (") | diff_text_show(d, buf_str(&name), KEY_COLUMNS) | buf_addc(&d->record, ')');
    buf_free(&name);
    return bad;
}

static int text_change(struct diff *d, struct record_writer *w, const struct diff_change *c)
{
    enum diff_kind kind = diff_kind_of(c);
    if (!d->options.all && d->kinds[kind] > CHANGES_A_KIND)
        return 0;
    record_lines(w);
    size_t from = d->record.n;
    int bad = diff_text_paint(d, diff_text_kinds[kind].colour) | buf_addf(&d->record, "%s", diff_text_kinds[kind].mark) |
              show_key(d, " ", c->entry);
    bad |= c->op == OP_REMOVE ? show_person(d, c) : 0;
    bad |= diff_text_paint(d, DIFF_TEXT_OFF) | change_targets(d, c) | show_place(d, c->entry);
    /* A removal has no fields; its detail says why the lead goes. */
    if (c->op == OP_REMOVE && c->entry->detail.n > 0)
        bad |= buf_adds(&d->record, ": ") | diff_text_show(d, c->entry->detail, DETAIL_COLUMNS);
    /* No create is certain, so that is printed once, with the counts. */
    if (!c->certain && c->op != OP_CREATE)
        bad |= buf_adds(&d->record, "  (uncertain)");
    if (c->drift)
        bad |= buf_adds(&d->record, "  (changed by hand)");
    bad |= diff_text_end_line(d, from, ROW_INDENT);
    bad |= c->op == OP_CREATE ? create_fields(d, c) : update_fields(d, c);
    return bad | record_end(w);
}

/* ---- waiting ---- */

static int text_waiting(struct diff *d, struct record_writer *w, const struct diff_change *c)
{
    if (!d->options.all && d->waiting_n > LEFT_OUT_SHOWN)
        return 0;
    record_lines(w);
    size_t from = d->record.n;
    int bad = show_key(d, "  ", c->entry) | show_person(d, c) | buf_adds(&d->record, "  in ") |
              diff_text_target(d, c->from) | diff_text_end_line(d, from, ROW_INDENT);
    return bad | record_end(w);
}

/* ---- left out ---- */

static int text_left_out(struct diff *d, struct record_writer *w, const struct diff_left_out *l)
{
    if (!d->options.all && d->left_out_n > LEFT_OUT_SHOWN)
        return 0;
    record_lines(w);
    bool rejected = l->entry->outcome == OUTCOME_REJECTED;
    size_t from = d->record.n;
    int bad = show_key(d, "  ", l->entry) | show_place(d, l->entry);
    bad |= buf_addf(&d->record, "  %s: ", outcome_text(l->entry->outcome)) |
           diff_text_paint(d, rejected ? diff_text_kinds[DIFF_KIND_REMOVE].colour : "");
    bad |= buf_adds(&d->record, reason_text(l->entry->reason)) | diff_text_paint(d, rejected ? DIFF_TEXT_OFF : "");
    /* The detail has column and value, too. */
    if (l->entry->detail.n > 0)
        bad |= buf_adds(&d->record, ", ") | diff_text_show(d, l->entry->detail, DETAIL_COLUMNS);
    else if (l->column != NULL)
        bad |= buf_adds(&d->record, ", column ") | diff_text_show(d, str_from(l->column), DIFF_TEXT_VALUE_COLUMNS) |
               buf_adds(&d->record, ": \"") | diff_text_show(d, l->value, DIFF_TEXT_VALUE_COLUMNS) |
               buf_addc(&d->record, '"');
    bad |= diff_text_end_line(d, from, ROW_INDENT);
    return bad | record_end(w);
}

/* ---- the end ---- */

/* In place of an empty list; says why it is empty. */
static int no_changes(struct diff *d)
{
    const struct diff_options *o = &d->options;
    size_t from = d->record.n;
    int bad = 0;
    if (o->match != NULL && d->left_out_n + d->waiting_n == 0)
        bad |= buf_adds(&d->record, "No row that would change or is left out has this text or all its words. Rows that stay "
                                    "unchanged are not listed; leadsync leads list --match finds leads in Instantly.");
    else if (d->hidden_n == 0)
        bad |= buf_adds(&d->record, "No changes.");
    else if (o->show == 0)
        bad |= buf_adds(&d->record, "No change has this text.");
    else
        bad |= buf_adds(&d->record, d->left_out_n + d->waiting_n > 0 ? "" : "Nothing to show.");
    if (d->record.n == from)
        return bad;
    return bad | diff_text_end_line(d, from, 0) | buf_addc(&d->record, '\n');
}

static int more_changes(struct diff *d)
{
    int bad = 0;
    for (size_t k = 0; k < DIFF_KIND_N && !d->options.all; k++)
        if (d->kinds[k] > CHANGES_A_KIND)
            bad |= buf_addf(&d->record, "... and %llu more %s (--all lists them)\n",
                            (unsigned long long)(d->kinds[k] - CHANGES_A_KIND), diff_text_kinds[k].plural);
    return bad | (d->changes_n == 0 ? no_changes(d) : buf_addc(&d->record, '\n'));
}

/* A list of `n` records under its title; the first ones are in the file. */
static int section(struct diff *d, const char *title, struct diff_list *list, uint64_t n, struct err *e)
{
    if (n == 0)
        return 0;
    int bad = diff_text_paint(d, DIFF_TEXT_BOLD) | buf_adds(&d->record, title) | diff_text_paint(d, DIFF_TEXT_OFF) |
              buf_addc(&d->record, '\n');
    if (bad != 0)
        return err_oom(e);
    if (diff_pour(d, list, e) != 0)
        return -1;
    if (n > list->records.n)
        bad |= buf_addf(&d->record, "  ... and %llu more (--all lists them)\n", (unsigned long long)(n - list->records.n));
    return bad == 0 && buf_addc(&d->record, '\n') == 0 ? 0 : err_oom(e);
}

static int lists(struct diff *d, struct err *e)
{
    if (diff_pour(d, &d->changes, e) != 0)
        return -1;
    if (more_changes(d) != 0)
        return err_oom(e);
    return section(d, "Left out", &d->left_out, d->left_out_n, e) != 0
               ? -1
               : section(d, "Leads without a row that are not removed yet", &d->waiting, d->waiting_n, e);
}

static int text_finish(struct diff *d, const struct diff_summary *s, struct err *e)
{
    /* Before a list, the short form makes the first screen; without one, the counts follow at once. */
    bool listed = d->changes_n + d->left_out_n + d->waiting_n > 0;
    if (diff_text_verdict(d, s) != 0 || text_head(d) != 0 || (listed && diff_text_short(d, s) != 0))
        return err_oom(e);
    if (!d->options.summary && lists(d, e) != 0)
        return -1;
    return diff_text_totals(d, s) == 0 ? diff_write(d, e) : err_oom(e);
}

const struct diff_format_ops diff_format_text = {
    .format = RECORD_TEXT,
    .changes = &diff_record_changes,
    .left_outs = &diff_record_left_outs,
    .waits = true,
    .change = text_change,
    .left_out = text_left_out,
    .waiting = text_waiting,
    .finish = text_finish,
};
