/* The diff as text: a head, the changes, the rows left out, the counts with their reasons, and the cost in requests.
 *
 * Names and values come from foreign files, so all of them go through text_show(), and no escape sequence reaches the terminal.
 * Long lists end with the number of records not shown. */
#include "config.h"

#include "sync/base/clock.h"
#include "sync/base/text.h"
#include "sync/report/diff_format.h"

#include <stdlib.h>
#include <string.h>

enum {
    CHANGES_A_KIND = 50,
    LEFT_OUT_SHOWN = 20,
    COLUMNS_DEFAULT = 100, /* if the width of the output is not known */
    VALUE_COLUMNS = 60,
    DETAIL_COLUMNS = 400,
    KEY_COLUMNS = 80,
    CELLS_CHARS = 40,
    TARGET_COLUMNS = 60,
    INDENT = 4, /* of a create's fields */
    /* The indent of the second and later parts of a line that is wider than the terminal. */
    HEAD_INDENT = 11,
    ROW_INDENT = 6,
    FIELD_INDENT = 8,
    COUNT_INDENT = 23,
    REASON_INDENT = 33,
};

#define DIM "\033[2m"
#define BOLD "\033[1m"
#define OFF "\033[0m"

static const struct kind_row {
    const char *mark, *colour, *plural;
} kinds[DIFF_KIND_N] = {
    [DIFF_KIND_CREATE] = {"+", "\033[32m", "creates"}, [DIFF_KIND_UPDATE] = {"~", "\033[33m", "updates"},
    [DIFF_KIND_MOVE] = {">", "\033[36m", "moves"},     [DIFF_KIND_REMOVE] = {"-", "\033[31m", "removals"},
    [DIFF_KIND_REKEY] = {"=", "\033[35m", "rekeys"},
};

/* ---- small parts; all append to d->record, where the records are, and return 0/-1 ---- */

static int paint(struct diff *d, const char *colour)
{
    return d->options.colour ? buf_adds(&d->record, colour) : 0;
}

static int show(struct diff *d, struct str text, size_t columns)
{
    return text_show(text, d->options.all ? 0 : columns, &d->record);
}

static int show_target(struct diff *d, const struct target *t)
{
    char id[UUID_TEXT_N];
    if (t == NULL)
        return buf_adds(&d->record, "(not known)");
    int bad = buf_addf(&d->record, "%s ", target_kind_text(t->kind));
    if (t->name == NULL)
        return bad | buf_adds(&d->record, uuid_format(&t->id, id));
    bad |= buf_addc(&d->record, '"') | show(d, str_from(t->name), TARGET_COLUMNS) | buf_addc(&d->record, '"');
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
        return buf_addc(&d->record, '"') | show(d, (struct str){v->p, v->n}, VALUE_COLUMNS) | buf_addc(&d->record, '"');
    case VALUE_NUMBER:
    case VALUE_BOOL: break;
    }
    return show(d, (struct str){v->p, v->n}, VALUE_COLUMNS);
}

/* Ends the line that begins at `from`, and wraps it between words if it is wider than the terminal. */
static int end_line(struct diff *d, size_t from, size_t indent)
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
    int bad = paint(d, DIM) | buf_addf(&d->record, "  row %llu", (unsigned long long)entry->row);
    if (entry->line > 0)
        bad |= buf_addf(&d->record, ", line %llu", (unsigned long long)entry->line);
    return bad | paint(d, OFF);
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
    int bad = any > 0 ? show(d, buf_str(&cells), KEY_COLUMNS) : 0;
    buf_free(&cells);
    if (any != 0)
        return any < 0 || bad != 0 ? -1 : 0;
    if (entry->key_text.n == 0)
        return missing != NULL ? buf_addf(&d->record, "%s%s", before, missing) : 0;
    bad = buf_adds(&d->record, before) | show(d, entry->key_text, KEY_COLUMNS);
    /* Under `key:` the key says little to people. */
    if (entry->email.n > 0 && !str_eq_nocase(entry->email, entry->key_text))
        bad |= buf_adds(&d->record, " (") | show(d, entry->email, KEY_COLUMNS) | buf_addc(&d->record, ')');
    return bad;
}

/* ---- the head ---- */

/* The status is shown beside the name, because an active campaign mails people. */
static int head_target(struct diff *d, const struct target *t)
{
    char id[UUID_TEXT_N], status[TARGET_TEXT_N];
    size_t from = d->record.n;
    int bad = buf_adds(&d->record, "Target     ") | show_target(d, t);
    if (t->name != NULL)
        bad |= buf_addf(&d->record, " %s", uuid_format(&t->id, id));
    if (t->kind == TARGET_CAMPAIGN) {
        bool active = t->status == 1;
        bad |= buf_adds(&d->record, ", ") | paint(d, active ? kinds[DIFF_KIND_UPDATE].colour : "");
        bad |= t->status == TARGET_STATUS_UNKNOWN ? buf_adds(&d->record, "status not asked")
                                                  : buf_adds(&d->record, campaign_status_text(t->status, status));
        bad |= buf_adds(&d->record, active ? ": mail may go out at once" : "") | paint(d, active ? OFF : "");
        if (t->sending != NULL)
            bad |= buf_adds(&d->record, "; ") | paint(d, kinds[DIFF_KIND_UPDATE].colour) | buf_adds(&d->record, t->sending) |
                   paint(d, OFF);
    }
    return bad | end_line(d, from, HEAD_INDENT);
}

static int head_line(struct diff *d, const char *label, struct str text)
{
    size_t from = d->record.n;
    return buf_adds(&d->record, label) | text_show(text, 0, &d->record) | end_line(d, from, HEAD_INDENT);
}

/* A note that the counts include rows that --match leaves out. */
static int head_match(struct diff *d)
{
    struct buf text = BUF_INIT(d->record.max);
    int bad = buf_addf(&text, "only changes and rows with \"%s\"; counts and guards include all rows", d->options.match);
    bad |= head_line(d, "Shown      ", buf_str(&text));
    buf_free(&text);
    return bad;
}

static int text_head(struct diff *d, struct err *e)
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
    if (d->options.match != NULL)
        bad |= head_match(d);
    bad |= buf_addc(&d->record, '\n');
    return bad == 0 ? diff_keep(d, &d->changes, e) : err_oom(e);
}

/* ---- changes ---- */

/* An update has a line a field, because old and new are to be compared. */
static int update_fields(struct diff *d, const struct diff_change *c)
{
    struct diff_field field;
    int bad = 0;
    for (size_t at = 0; bad == 0 && diff_field_next(c, &at, &field) == 1;) {
        size_t from = d->record.n;
        bad |= buf_adds(&d->record, "    ") | show(d, field.name, VALUE_COLUMNS) | buf_adds(&d->record, ": ");
        bad |= show_value(d, &field.old_value, "(not known)") | buf_adds(&d->record, " -> ");
        bad |= show_value(d, &field.new_value, "(nothing)") | end_line(d, from, FIELD_INDENT);
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
        bad |= buf_adds(&d->record, "    ") | paint(d, DIM) |
               show(d, buf_str(&all), columns > INDENT + 10 ? columns - INDENT : 10) | paint(d, OFF) |
               end_line(d, from, INDENT);
    buf_free(&all);
    return bad;
}

/* Shows locations: the target of a create if targets differ, source and destination of a move, and the destination of a removed
 * lead. */
static int change_targets(struct diff *d, const struct diff_change *c)
{
    int bad = 0;
    const struct target *from = c->from;
    if (c->op == OP_REMOVE && from == NULL)
        from = c->target;
    bool elsewhere = c->op == OP_MOVE || (c->target != NULL && c->from != NULL && !target_eq(from, c->target));
    if (c->op == OP_CREATE && (d->head.targets_n > 1 || c->entry->staged) && c->target != NULL)
        return buf_adds(&d->record, "  into ") | show_target(d, c->target);
    if (c->op != OP_MOVE && c->op != OP_REMOVE)
        return 0;
    if (c->op == OP_REMOVE)
        bad |= buf_adds(&d->record, elsewhere ? "  moved" : "  deleted");
    bad |= buf_adds(&d->record, c->op == OP_REMOVE ? " from " : "  from ") | show_target(d, from);
    if (elsewhere)
        bad |= buf_adds(&d->record, " to ") | show_target(d, c->target);
    return bad;
}

static int text_change(struct diff *d, struct record_writer *w, const struct diff_change *c)
{
    enum diff_kind kind = diff_kind_of(c);
    if (!d->options.all && d->kinds[kind] > CHANGES_A_KIND)
        return 0;
    record_lines(w);
    size_t from = d->record.n;
    int bad = paint(d, kinds[kind].colour) | buf_addf(&d->record, "%s", kinds[kind].mark) | show_key(d, " ", c->entry);
    bad |= paint(d, OFF) | change_targets(d, c) | show_place(d, c->entry);
    /* A removal has no fields; its detail says why the lead goes. */
    if (c->op == OP_REMOVE && c->entry->detail.n > 0)
        bad |= buf_adds(&d->record, ": ") | show(d, c->entry->detail, DETAIL_COLUMNS);
    /* No create is certain, so that is printed once, with the counts. */
    if (!c->certain && c->op != OP_CREATE)
        bad |= buf_adds(&d->record, "  (uncertain)");
    if (c->drift)
        bad |= buf_adds(&d->record, "  (changed by hand)");
    bad |= end_line(d, from, ROW_INDENT);
    bad |= c->op == OP_CREATE ? create_fields(d, c) : update_fields(d, c);
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
           paint(d, rejected ? kinds[DIFF_KIND_REMOVE].colour : "");
    bad |= buf_adds(&d->record, reason_text(l->entry->reason)) | paint(d, rejected ? OFF : "");
    /* The detail has column and value, too. */
    if (l->entry->detail.n > 0)
        bad |= buf_adds(&d->record, ", ") | show(d, l->entry->detail, DETAIL_COLUMNS);
    else if (l->column != NULL)
        bad |= buf_adds(&d->record, ", column ") | show(d, str_from(l->column), VALUE_COLUMNS) |
               buf_adds(&d->record, ": \"") | show(d, l->value, VALUE_COLUMNS) | buf_addc(&d->record, '"');
    bad |= end_line(d, from, ROW_INDENT);
    return bad | record_end(w);
}

/* ---- the end ---- */

/* "1 row", "2 rows" */
static int plural(struct diff *d, uint64_t n, const char *noun)
{
    return buf_addf(&d->record, "%llu %s%s", (unsigned long long)n, noun, n == 1 ? "" : "s");
}

static int none_matches(struct diff *d)
{
    size_t from = d->record.n;
    return buf_adds(
               &d->record,
               "No row that would change or is left out has this text or all its words. Rows that stay unchanged are not "
               "listed; leadsync leads list --match finds leads in Instantly.") |
           end_line(d, from, 0) | buf_addc(&d->record, '\n');
}

static int more_changes(struct diff *d)
{
    int bad = 0;
    for (size_t k = 0; k < DIFF_KIND_N && !d->options.all; k++)
        if (d->kinds[k] > CHANGES_A_KIND)
            bad |= buf_addf(&d->record, "... and %llu more %s (--all lists them)\n",
                            (unsigned long long)(d->kinds[k] - CHANGES_A_KIND), kinds[k].plural);
    if (d->options.match != NULL && d->changes_n == 0 && d->left_out_n == 0)
        return bad | none_matches(d);
    const char *none = d->hidden_n > 0 ? "No change has this text.\n\n" : "No changes.\n\n";
    return bad | buf_adds(&d->record, d->changes_n == 0 ? none : "\n");
}

static int diff_text_count_line(struct diff *d, const char *what, uint64_t n, const char *note)
{
    if (n == 0)
        return 0;
    size_t from = d->record.n;
    return buf_addf(&d->record, "  %-10s %8llu%s%s", what, (unsigned long long)n, *note != '\0' ? "  " : "", note) |
           end_line(d, from, COUNT_INDENT);
}

static int diff_text_counts(struct diff *d, const struct diff_summary *s)
{
    int bad = paint(d, BOLD) | plural(d, s->read, "row") | buf_adds(&d->record, " read") | paint(d, OFF) |
              buf_addc(&d->record, '\n');
    bad |= diff_text_count_line(d, "create", s->create, "uncertain: Instantly may already have some of them");
    bad |= diff_text_count_line(d, "changed", s->changed, "");
    bad |= diff_text_count_line(d, "  update", s->update,
                                "old values as leadsync last wrote them, without later edits in Instantly or by hand");
    bad |= diff_text_count_line(d, "  move", s->move, "");
    bad |= diff_text_count_line(d, "unchanged", s->unchanged, "");
    bad |= diff_text_count_line(d, "skipped", s->skipped, "");
    bad |= diff_text_count_line(d, "rejected", s->rejected, "");
    bad |= diff_text_count_line(d, "duplicates", s->duplicates, "counted among the skipped or rejected");
    bad |= diff_text_count_line(d, "open", s->open,
                                s->at_work ? "in batches of the active run, not settled yet"
                                           : "in batches that are not settled: leadsync resume makes the diff exact");
    bad |= diff_text_count_line(d, "remove", s->remove, "leads whose rows are missing, or that skip_when removes");
    bad |= diff_text_count_line(d, "waiting", s->missing_waiting, "missing, but not removed while rows have no usable key");
    return bad;
}

static int diff_text_reasons(struct diff *d, const struct diff_summary *s)
{
    int bad = 0;
    bool any = false;
    for (size_t r = REASON_NONE + 1; s->reasons != NULL && r < REASON_N; r++) {
        if (s->reasons[r] == 0)
            continue;
        bad |= any ? 0 : buf_adds(&d->record, "\nReasons\n");
        any = true;
        size_t from = d->record.n;
        bad |= buf_addf(&d->record, "  %-20s %8llu  %s", reason_text((enum reason)r), (unsigned long long)s->reasons[r],
                        reason_help((enum reason)r)) |
               end_line(d, from, REASON_INDENT);
    }
    return bad;
}

/* New variables get a line, because a misspelt one stays in Instantly for ever. */
static int diff_text_new_variables(struct diff *d, const struct diff_summary *s)
{
    if (s->new_variables == NULL || s->new_variables_n == 0)
        return 0;
    int bad = buf_addc(&d->record, '\n');
    size_t from = d->record.n;
    for (size_t i = 0; i < s->new_variables_n; i++)
        bad |= buf_adds(&d->record, i == 0 ? "New variables in the campaign: " : ", ") |
               show(d, str_from(s->new_variables[i]), VALUE_COLUMNS);
    return bad | end_line(d, from, INDENT);
}

/* True for a share above the limit. A share of too few rows does not stop the run. */
static bool diff_text_is_over(const struct run_guard *g)
{
    char *end;
    double percent = strtod(g->limit, &end);
    return end != g->limit && strcmp(end, "%") == 0 && (double)g->counted > percent / 100 * (double)g->of;
}

/* "removed 3 of 20 (limit 10%)" for each judged guard, those that would stop the sync first. */
static int diff_text_guards(struct diff *d, const struct diff_summary *s)
{
    size_t stops = 0;
    if (s->guards_n == 0)
        return 0;
    for (size_t i = 0; i < s->guards_n; i++)
        stops += s->guards[i].stops;
    int bad = buf_addc(&d->record, '\n');
    size_t from = d->record.n;
    bad |= stops == 0 ? buf_adds(&d->record, "Guards: none would stop: ")
                      : buf_addf(&d->record, "Guards: %zu would stop: ", stops);
    for (size_t n = 0, k = 0; k < 2 * s->guards_n; k++) {
        const struct run_guard *g = &s->guards[k % s->guards_n];
        if (g->stops != (k < s->guards_n))
            continue;
        const char *note = g->stops ? ", exceeded" : diff_text_is_over(g) ? ", too few to stop" : "";
        bad |= buf_addf(&d->record, "%s%s %llu of %llu (limit %s%s)", n++ > 0 ? ", " : "", g->name,
                        (unsigned long long)g->counted, (unsigned long long)g->of, g->limit, note);
    }
    return bad | end_line(d, from, INDENT);
}

static int cost(struct diff *d, const struct diff_summary *s)
{
    const struct {
        const char *what;
        uint64_t n;
        /* clang-format off */
    } parts[] = {
        {"create", s->requests_create}, {"update", s->requests_update}, {"move", s->requests_move},
        {"remove", s->requests_remove},
    };
    /* clang-format on */
    uint64_t total = 0;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        total += parts[i].n;
    /* The number of requests is a minimum: lookups and waiting for jobs depend on the answers of Instantly. */
    int bad = buf_addc(&d->record, '\n');
    size_t from = d->record.n;
    bad |= buf_adds(&d->record, total > 0 ? "Costs at least " : "Costs ") | plural(d, total, "request");
    const char *before = " (";
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (parts[i].n > 0) {
            bad |= buf_addf(&d->record, "%s%s %llu", before, parts[i].what, (unsigned long long)parts[i].n);
            before = ", ";
        }
    bad |= buf_adds(&d->record, total > 0 ? ")" : "");
    if (s->seconds_at_limit >= 0 && total > 0)
        bad |= buf_addf(&d->record, ", at least %.1f s at the configured limit", s->seconds_at_limit);
    bad |= end_line(d, from, INDENT);
    if (s->verifications > 0)
        bad |= buf_adds(&d->record, "Verifying ") | plural(d, s->verifications, "new lead") |
               buf_adds(&d->record, " spends verification credits\n");
    return bad;
}

/* The guards that would stop the sync are printed before the changes. */
static int verdict(struct diff *d, const struct diff_summary *s)
{
    struct str rest = s->would_stop;
    int bad = 0;
    if (rest.n == 0)
        return 0;
    for (size_t n; rest.n > 0; rest = (struct str){rest.p + n, rest.n - n}) {
        const char *newline = memchr(rest.p, '\n', rest.n);
        n = newline != NULL ? (size_t)(newline - rest.p) + 1 : rest.n;
        size_t from = d->record.n;
        bad |= paint(d, kinds[DIFF_KIND_REMOVE].colour) | buf_adds(&d->record, "This sync would stop: ") | paint(d, OFF);
        bad |= text_show((struct str){rest.p, newline != NULL ? n - 1 : n}, 0, &d->record) | end_line(d, from, INDENT);
    }
    return bad | buf_addc(&d->record, '\n');
}

static int text_finish(struct diff *d, const struct diff_summary *s, struct err *e)
{
    if (verdict(d, s) != 0)
        return err_oom(e);
    if (diff_pour(d, &d->changes, e) != 0)
        return -1;
    int bad = more_changes(d);
    if (d->left_out.records.n > 0) {
        bad |= paint(d, BOLD) | buf_adds(&d->record, "Left out") | paint(d, OFF) | buf_addc(&d->record, '\n');
        if (bad == 0 && diff_pour(d, &d->left_out, e) != 0)
            return -1;
        if (d->left_out_n > d->left_out.records.n)
            bad |= buf_addf(&d->record, "  ... and %llu more (--all lists them)\n",
                            (unsigned long long)(d->left_out_n - d->left_out.records.n));
        bad |= buf_addc(&d->record, '\n');
    }
    bad |= diff_text_counts(d, s) | diff_text_reasons(d, s) | diff_text_new_variables(d, s) | diff_text_guards(d, s) |
           cost(d, s);
    return bad == 0 ? diff_write(d, e) : err_oom(e);
}

const struct diff_format_ops diff_format_text = {
    .format = RECORD_TEXT,
    .changes = &diff_record_changes,
    .left_outs = &diff_record_left_outs,
    .waits = true,
    .change = text_change,
    .left_out = text_left_out,
    .head = text_head,
    .finish = text_finish,
};
