/* The counts of the text diff: a short form before the lists, and all of them after the lists. */
#include "config.h"

#include "sync/base/text.h"
#include "sync/report/diff_text.h"

#include <stdlib.h>
#include <string.h>

enum {
    FLOWS_SHOWN = 12,  /* targets of one operation */
    REASONS_SHOWN = 5, /* of the short form */
    /* The indent of the second and later parts of a line that is wider than the terminal. */
    COUNT_INDENT = 23,
    REASON_INDENT = 33,
};

/* ---- lines ---- */

int diff_text_plural(struct diff *d, uint64_t n, const char *noun)
{
    return buf_addf(&d->record, "%llu %s%s", (unsigned long long)n, noun, n == 1 ? "" : "s");
}

static int title(struct diff *d, const char *text)
{
    return diff_text_paint(d, DIFF_TEXT_BOLD) | buf_adds(&d->record, text) | diff_text_paint(d, DIFF_TEXT_OFF) |
           buf_addc(&d->record, '\n');
}

/* "  create            2  " */
static int begin_line(struct diff *d, const char *what, uint64_t n)
{
    return buf_addf(&d->record, "  %-10s %8llu  ", what, (unsigned long long)n);
}

static int count_line(struct diff *d, const char *what, uint64_t n, const char *note)
{
    if (n == 0)
        return 0;
    size_t from = d->record.n;
    return buf_addf(&d->record, "  %-10s %8llu%s%s", what, (unsigned long long)n, *note != '\0' ? "  " : "", note) |
           diff_text_end_line(d, from, COUNT_INDENT);
}

/* A line per target of the operation; `what` stands before the first one. */
static int flow_lines(struct diff *d, enum diff_kind kind, const char *what)
{
    uint64_t rest = 0;
    size_t shown = 0, hidden = 0;
    int bad = 0;
    for (size_t i = 0; i < d->flows.n; i++) {
        const struct diff_flow *f = &d->flows.v[i];
        if (f->kind != kind)
            continue;
        if (shown == FLOWS_SHOWN && !d->options.all) {
            rest += f->n;
            hidden++;
            continue;
        }
        size_t from = d->record.n;
        bad |= begin_line(d, shown++ == 0 ? what : "", f->n) | diff_text_where(d, kind, f->target, f->from) |
               diff_text_end_line(d, from, COUNT_INDENT);
    }
    size_t from = d->record.n;
    if (hidden > 0)
        bad |= begin_line(d, "", rest) | buf_addf(&d->record, "in %zu more targets (--all lists them)", hidden) |
               diff_text_end_line(d, from, COUNT_INDENT);
    return bad;
}

/* The same below the count of the operation. The head names the target of creates and updates if there is only one. */
static int flow_targets(struct diff *d, enum diff_kind kind)
{
    size_t n = 0;
    for (size_t i = 0; i < d->flows.n; i++)
        n += d->flows.v[i].kind == kind;
    return n > 1 || kind == DIFF_KIND_MOVE || kind == DIFF_KIND_REMOVE ? flow_lines(d, kind, "") : 0;
}

/* Leads without a row that stay for now, and what makes them go. */
static int waiting_line(struct diff *d, const struct diff_summary *s, bool in_short)
{
    if (s->missing_waiting == 0)
        return 0;
    size_t from = d->record.n;
    int bad = begin_line(d, "waiting", s->missing_waiting) |
              buf_adds(&d->record, s->missing_waiting == 1 ? "lead has no row and is not removed yet"
                                                           : "leads have no row and are not removed yet");
    if (in_short)
        bad |= buf_adds(&d->record, ": a row without a key could be theirs (see the end)");
    else if (s->waits_for != NULL)
        bad |= buf_adds(&d->record, ", because a row without a key could be theirs: ") |
               text_show(str_from(s->waits_for), 0, &d->record);
    return bad | diff_text_end_line(d, from, COUNT_INDENT);
}

/* ---- requests ---- */

static uint64_t most_total(const struct diff_summary *s)
{
    return s->most.create + s->most.update + s->most.move + s->most.remove;
}

/* "at most 545 requests if answers are lost or explain nothing" */
static int most_note(struct diff *d, const struct diff_summary *s)
{
    return buf_addf(&d->record, "at most %llu requests if answers are lost or explain nothing",
                    (unsigned long long)most_total(s));
}

static int plan_line(struct diff *d, const struct diff_summary *s)
{
    size_t from = d->record.n;
    int64_t room = s->plan.limit - s->plan.used, after = room - (int64_t)s->create;
    if (!s->plan.known)
        return 0;
    int bad = buf_addf(&d->record, "The plan has room for %lld of %lld leads", (long long)room, (long long)s->plan.limit);
    bad |= after >= 0 ? buf_addf(&d->record, ", and afterwards for at least %lld", (long long)after)
                      : buf_addf(&d->record, ": %lld of the creates may find no room, and would wait", (long long)-after);
    return bad | diff_text_end_line(d, from, DIFF_TEXT_INDENT);
}

static int cost_least(struct diff *d, const struct diff_summary *s)
{
    const struct {
        const char *what;
        uint64_t n;
        /* clang-format off */
    } parts[] = {
        {"create", s->requests_create}, {"update", s->requests_update}, {"move", s->requests_move},
        {"remove", s->requests_remove}, {"read", s->move_reads},
    };
    /* clang-format on */
    uint64_t total = diff_requests_least(s);
    int bad = buf_addc(&d->record, '\n');
    size_t from = d->record.n;
    bad |= buf_adds(&d->record, total > 0 ? "Costs at least " : "Costs ") | diff_text_plural(d, total, "request");
    const char *before = " (";
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (parts[i].n > 0) {
            bad |= buf_addf(&d->record, "%s%s %llu", before, parts[i].what, (unsigned long long)parts[i].n);
            before = ", ";
        }
    bad |= buf_adds(&d->record, total > 0 ? ")" : "");
    if (s->least_seconds >= 0 && total > 0)
        bad |= buf_addf(&d->record, ", at least %.1f s at the configured limit", s->least_seconds);
    return bad | diff_text_end_line(d, from, DIFF_TEXT_INDENT);
}

static int cost(struct diff *d, const struct diff_summary *s)
{
    int bad = cost_least(d, s);
    size_t from = d->record.n;
    if (most_total(s) > 0) {
        bad |= buf_adds(&d->record, "Costs ") | most_note(d, s);
        if (s->most.seconds >= 0)
            bad |= buf_addf(&d->record, ", and at most %.0f s with all waits", s->most.seconds);
        bad |= buf_adds(&d->record, " (besides repeats after 429 and 5xx, and polls of jobs)") |
               diff_text_end_line(d, from, DIFF_TEXT_INDENT);
    }
    if (s->patch != NULL)
        bad |= buf_addf(&d->record, "In this workspace a PATCH %s\n", s->patch);
    bad |= plan_line(d, s);
    if (s->verifications > 0)
        bad |= buf_adds(&d->record, "Verifying ") | diff_text_plural(d, s->verifications, "new lead") |
               buf_adds(&d->record, " spends verification credits\n");
    return bad;
}

/* ---- before the lists ---- */

/* The guards that would stop the sync come first of all. */
int diff_text_verdict(struct diff *d, const struct diff_summary *s)
{
    struct str rest = s->would_stop;
    int bad = 0;
    if (rest.n == 0)
        return 0;
    for (size_t n; rest.n > 0; rest = (struct str){rest.p + n, rest.n - n}) {
        const char *newline = memchr(rest.p, '\n', rest.n);
        n = newline != NULL ? (size_t)(newline - rest.p) + 1 : rest.n;
        size_t from = d->record.n;
        bad |= diff_text_paint(d, diff_text_kinds[DIFF_KIND_REMOVE].colour) |
               buf_adds(&d->record, "This sync would stop: ") | diff_text_paint(d, DIFF_TEXT_OFF);
        bad |= text_show((struct str){rest.p, newline != NULL ? n - 1 : n}, 0, &d->record) |
               diff_text_end_line(d, from, DIFF_TEXT_INDENT);
    }
    return bad | buf_addc(&d->record, '\n');
}

/* Why rows are left out: each reason in words. Open rows have a line of their own. */
static int short_reasons(struct diff *d, const struct diff_summary *s)
{
    int bad = 0;
    size_t shown = 0, rest = 0;
    for (size_t r = REASON_NONE + 1; s->reasons != NULL && r < REASON_N; r++) {
        if (s->reasons[r] == 0 || r == REASON_OUTCOME_OPEN || r == REASON_JOB_OPEN)
            continue;
        if (shown == REASONS_SHOWN) {
            rest++;
            continue;
        }
        size_t from = d->record.n;
        bad |= begin_line(d, shown++ == 0 ? "left out" : "", s->reasons[r]) |
               buf_addf(&d->record, "%s: %s", reason_text((enum reason)r), reason_help((enum reason)r)) |
               diff_text_end_line(d, from, COUNT_INDENT);
    }
    if (rest > 0)
        bad |= buf_addf(&d->record, "%*s%zu more reason%s, listed at the end\n", COUNT_INDENT, "", rest,
                        rest == 1 ? "" : "s");
    return bad;
}

int diff_text_short(struct diff *d, const struct diff_summary *s)
{
    size_t from;
    int bad = title(d, "In short");
    bad |= flow_lines(d, DIFF_KIND_CREATE, "create") | flow_lines(d, DIFF_KIND_REKEY, "rekey") |
           flow_lines(d, DIFF_KIND_UPDATE, "update") | flow_lines(d, DIFF_KIND_MOVE, "move") |
           flow_lines(d, DIFF_KIND_REMOVE, "remove");
    bad |= waiting_line(d, s, true) | short_reasons(d, s);
    bad |= count_line(d, "unchanged", s->unchanged, "");
    bad |= count_line(d, "open", s->open, "rows of an earlier run whose outcome is not known yet");
    from = d->record.n;
    if (diff_requests_least(s) > 0)
        bad |= begin_line(d, "requests", diff_requests_least(s)) | buf_adds(&d->record, "or more, ") | most_note(d, s) |
               diff_text_end_line(d, from, COUNT_INDENT);
    bad |= count_line(d, "credits", s->verifications, "new leads that are verified");
    from = d->record.n;
    if (s->guards_n > 0)
        bad |= buf_adds(&d->record, s->would_stop.n > 0
                                        ? "A guard would stop this sync before its first write: see the first line."
                                        : "No guard would stop this sync.") |
               diff_text_end_line(d, from, DIFF_TEXT_INDENT);
    return bad | buf_addc(&d->record, '\n');
}

/* ---- after the lists ---- */

static int diff_text_counts(struct diff *d, const struct diff_summary *s)
{
    int bad = diff_text_paint(d, DIFF_TEXT_BOLD) | diff_text_plural(d, s->read, "row") | buf_adds(&d->record, " read") |
              diff_text_paint(d, DIFF_TEXT_OFF) | buf_addc(&d->record, '\n');
    bad |= count_line(d, "create", s->create, "uncertain: Instantly may already have some of them");
    bad |= flow_targets(d, DIFF_KIND_CREATE) | flow_targets(d, DIFF_KIND_REKEY);
    bad |= count_line(d, "changed", s->changed, "");
    bad |= count_line(d, "  update", s->update,
                      d->options.remote
                          ? "old values as Instantly holds them now"
                          : "old values as leadsync last wrote them, without later edits in Instantly or by hand");
    bad |= flow_targets(d, DIFF_KIND_UPDATE);
    bad |= count_line(d, "  move", s->move, "") | flow_targets(d, DIFF_KIND_MOVE);
    bad |= count_line(d, "unchanged", s->unchanged, "");
    bad |= count_line(d, "skipped", s->skipped, "");
    bad |= count_line(d, "rejected", s->rejected, "");
    bad |= count_line(d, "duplicates", s->duplicates, "counted among the skipped or rejected");
    bad |= count_line(d, "open", s->open,
                      s->at_work ? "in batches of the active run, not settled yet"
                                 : "in batches that are not settled: leadsync resume makes the diff exact");
    bad |= count_line(d, "remove", s->remove, "leads whose rows are missing, or that skip_when removes");
    bad |= flow_targets(d, DIFF_KIND_REMOVE) | waiting_line(d, s, false);
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
               diff_text_end_line(d, from, REASON_INDENT);
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
               diff_text_show(d, str_from(s->new_variables[i]), DIFF_TEXT_VALUE_COLUMNS);
    return bad | diff_text_end_line(d, from, DIFF_TEXT_INDENT);
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
    return bad | diff_text_end_line(d, from, DIFF_TEXT_INDENT);
}

int diff_text_totals(struct diff *d, const struct diff_summary *s)
{
    return diff_text_counts(d, s) | diff_text_reasons(d, s) | diff_text_new_variables(d, s) | diff_text_guards(d, s) |
           cost(d, s);
}
