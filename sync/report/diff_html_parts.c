#include "config.h"

#include "sync/base/text.h"
#include "sync/report/diff_html.h"
#include "sync/report/page/page.h"
#include "sync/report/page/page_chart.h"

#include <stdlib.h>
#include <string.h>

enum { FIELD_BARS = 12, TEXT_MAX = 1 << 20 };

/* ---- the head ---- */

static int part_title(const struct diff_html_parts *p, struct buf *out)
{
    return page_say(out, p->d->head.plan != NULL ? "Plan for " : "Dry run of ") |
           page_cut(out, str_from(p->d->head.sync), PAGE_NAME_CHARS);
}

static int part_kind(const struct diff_html_parts *p, struct buf *out)
{
    return page_say(out, p->d->head.plan != NULL ? "Saved plan for " : "Dry run of ") |
           page_bdi(out, str_from(p->d->head.sync), PAGE_NAME_CHARS) | page_say(out, ": nothing has been written");
}

/* "create 1,204 leads, update 312 and remove 4" */
static int operations(const struct diff_summary *s, struct buf *out)
{
    const struct {
        const char *verb;
        uint64_t n;
    } all[] = {{"create", s->create}, {"update", s->update}, {"move", s->move}, {"remove", s->remove}};
    size_t left = 0;
    bool first = true;
    int bad = 0;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        left += all[i].n > 0;
    for (size_t i = 0; i < sizeof all / sizeof all[0] && bad == 0; i++) {
        if (all[i].n == 0)
            continue;
        left--;
        bad |= buf_adds(out, first       ? " "
                             : left == 0 ? " and "
                                         : ", ") |
               buf_adds(out, all[i].verb) | buf_adds(out, "&nbsp;");
        bad |= first ? page_counted(out, all[i].n, "lead") : page_count(out, all[i].n);
        first = false;
    }
    return bad;
}

static int into(const struct diff_head *h, struct buf *out)
{
    if (h->targets_n == 0)
        return 0;
    if (h->targets_n > 1)
        return buf_addf(out, " in %zu campaigns and lists", h->targets_n);
    const struct target *t = &h->targets[0];
    if (t->name == NULL)
        return buf_addf(out, " in one %s", target_kind_text(t->kind));
    return buf_addf(out, " in %s \xe2\x80\x9c", target_kind_text(t->kind)) |
           page_bdi(out, str_from(t->name), PAGE_NAME_CHARS) | buf_adds(out, "\xe2\x80\x9d");
}

static int part_heading(const struct diff_html_parts *p, struct buf *out)
{
    const struct diff_summary *s = p->summary;
    if (s->create + s->update + s->move + s->remove == 0)
        return buf_adds(out, "A sync would change nothing") | into(&p->d->head, out);
    int bad = s->would_stop.n > 0 ? buf_adds(out, "A guard would stop this sync. Without it, the sync would")
                                  : buf_adds(out, "A sync would");
    return bad | operations(s, out) | into(&p->d->head, out);
}

/* Name, id, and whether leads that are added now get mail. */
static int target_fact(const struct target *t, struct buf *out)
{
    char id[UUID_TEXT_N], status[TARGET_TEXT_N];
    int bad = buf_addf(out, "<dd>%s ", target_kind_text(t->kind));
    bad |= t->name != NULL ? page_bdi(out, str_from(t->name), PAGE_NAME_CHARS) : buf_adds(out, uuid_format(&t->id, id));
    if (t->kind == TARGET_CAMPAIGN) {
        bool active = t->status == CAMPAIGN_ACTIVE;
        bad |= buf_addf(out, "<span class=\"state%s\">", active || t->sending != NULL ? " alert" : "");
        bad |= t->status == TARGET_STATUS_UNKNOWN ? buf_adds(out, "status not asked")
                                                  : page_say(out, campaign_status_text(t->status, status));
        bad |= active ? buf_adds(out, ": mail may go out at once") : 0;
        bad |= t->sending != NULL ? buf_adds(out, "; ") | page_say(out, t->sending) : 0;
        bad |= buf_adds(out, "</span>");
    }
    return bad | buf_adds(out, "</dd>");
}

static int part_facts(const struct diff_html_parts *p, struct buf *out)
{
    const struct diff_head *h = &p->d->head;
    int bad = buf_adds(out, "<dl class=\"facts\">\n");
    bad |= page_fact_text(out, "Workspace", h->workspace != NULL ? h->workspace : "not known: no sync has read it yet");
    if (h->targets_n > 0) {
        bad |= buf_adds(out, "<div><dt>") | buf_adds(out, h->targets_n > 1 ? "Targets" : "Target") | buf_adds(out, "</dt>");
        for (size_t i = 0; i < h->targets_n && bad == 0; i++)
            bad = target_fact(&h->targets[i], out);
        bad |= buf_adds(out, "</div>\n");
    }
    bad |= page_fact_text(out, "Source", h->source);
    bad |= page_fact_text(out, "Compared with",
                          p->d->options.remote ? "what Instantly holds now" : "what leadsync last wrote");
    bad |= page_fact_time(out, "Time", h->at_ms) | page_fact_text(out, "Plan", h->plan);
    for (size_t i = 0; i < h->overrides_n; i++)
        bad |= page_fact_text(out, "Allowed guard", h->overrides[i]);
    return bad | buf_adds(out, "</dl>");
}

/* ---- notices ---- */

/* The lines of a text as a list. */
static int line_items(struct str lines, struct buf *out)
{
    int bad = buf_adds(out, "<ul>\n");
    while (lines.n > 0 && bad == 0) {
        const char *newline = memchr(lines.p, '\n', lines.n);
        size_t n = newline != NULL ? (size_t)(newline - lines.p) : lines.n;
        bad = buf_adds(out, "<li>") | page_bdi(out, (struct str){lines.p, n}, PAGE_WHOLE) | buf_adds(out, "</li>\n");
        n += newline != NULL;
        lines = (struct str){lines.p + n, lines.n - n};
    }
    return bad | buf_adds(out, "</ul>\n");
}

static int text_items(char *const *texts, size_t n, struct buf *out)
{
    int bad = buf_adds(out, "<ul>\n");
    for (size_t i = 0; i < n; i++)
        bad |= buf_adds(out, "<li>") | page_bdi(out, str_from(texts[i]), PAGE_WHOLE) | buf_adds(out, "</li>\n");
    return bad | buf_adds(out, "</ul>\n");
}

/* A misspelt variable stays in Instantly for ever, so new ones are called out. */
static int new_variables(const struct diff_summary *s, struct buf *out)
{
    if (s->new_variables == NULL || s->new_variables_n == 0)
        return 0;
    int bad = page_notice(out, "warn", "New variables") |
              buf_adds(out, "<p>Instantly keeps a custom variable for ever. Are these spelt as intended? ");
    for (size_t i = 0; i < s->new_variables_n; i++)
        bad |= buf_adds(out, i > 0 ? ", <code>" : "<code>") | page_bdi(out, str_from(s->new_variables[i]), PAGE_NAME_CHARS) |
               buf_adds(out, "</code>");
    return bad | buf_adds(out, "</p>\n") | page_notice_end(out);
}

static int narrowed(const struct diff *d, struct buf *out)
{
    const struct diff_options *o = &d->options;
    if (o->match == NULL && o->show == 0 && !o->summary)
        return 0;
    int bad = page_notice(out, "info", "This page shows a part") |
              buf_adds(out, o->summary ? "<p>The lists are left out (<code>--summary</code>)." : "<p>The lists hold only ");
    if (!o->summary && o->show != 0) {
        size_t at = 0;
        const char *between = "";
        for (const char *word; (word = diff_show_next(o->show, &at)) != NULL; between = ", ")
            bad |= buf_adds(out, between) | buf_adds(out, word);
        bad |= buf_adds(out, o->match != NULL ? " with " : ".");
    }
    if (!o->summary && o->match != NULL)
        bad |= buf_adds(out, o->show == 0 ? "rows with \xe2\x80\x9c" : "\xe2\x80\x9c") |
               page_bdi(out, str_from(o->match), PAGE_NAME_CHARS) | buf_adds(out, "\xe2\x80\x9d.");
    return bad | buf_adds(out, " Figures and guards cover all rows.</p>\n") | page_notice_end(out);
}

static int room_notice(const struct diff_summary *s, struct buf *out)
{
    int64_t after = s->plan.limit - s->plan.used - (int64_t)s->create;
    if (!s->plan.known || after >= 0)
        return 0;
    return page_notice(out, "warn", "The workspace's plan is too small") | buf_adds(out, "<p>") |
           page_counted(out, (uint64_t)-after, "lead") |
           buf_adds(out, " may find no room and would wait (<code>plan_full</code>).</p>\n") | page_notice_end(out);
}

static int part_notices(const struct diff_html_parts *p, struct buf *out)
{
    const struct diff_summary *s = p->summary;
    const struct diff_warnings *warnings = p->d->options.warnings;
    int bad = 0;
    if (s->would_stop.n > 0)
        bad |= page_notice(out, "stop", "This sync would stop") | line_items(s->would_stop, out) | page_notice_end(out);
    bad |= room_notice(s, out) | narrowed(p->d, out) | new_variables(s, out);
    if (s->missing_waiting > 0)
        bad |= page_notice(out, "warn", "Removals wait") | buf_adds(out, "<p>") |
               page_counted(out, s->missing_waiting, "lead") |
               buf_adds(out, " missing from the source would not be removed yet: ") |
               page_bdi(out, str_from(s->waits_for), PAGE_WHOLE) | buf_adds(out, "</p>\n") | page_notice_end(out);
    if (s->open > 0)
        bad |= page_notice(out, "warn", "Open work") | buf_adds(out, "<p>") | page_counted(out, s->open, "row") |
               page_say(out, s->at_work ? " in batches of the active run, not settled yet."
                                        : " in batches that are not settled: leadsync resume makes the diff exact.") |
               buf_adds(out, "</p>\n") | page_notice_end(out);
    if (s->verifications > 0)
        bad |= page_notice(out, "warn", "Verification credits") | buf_adds(out, "<p>Verifying ") |
               page_counted(out, s->verifications, "new lead") | buf_adds(out, " spends credits.</p>\n") |
               page_notice_end(out);
    if (warnings != NULL && warnings->n > 0)
        bad |= page_notice(out, "warn", "Warnings") | text_items(warnings->v, warnings->n, out) | page_notice_end(out);
    return bad;
}

/* ---- figures ---- */

/* "at most 545; 12.0 s or more" */
static int cost_note(const struct diff_summary *s, struct buf *out)
{
    uint64_t most = s->most.create + s->most.update + s->most.move + s->most.remove;
    double seconds = s->least_seconds;
    int bad = 0;
    if (most > diff_requests_least(s))
        bad |= buf_adds(out, "at most ") | page_count(out, most) | buf_adds(out, "; ");
    if (diff_requests_least(s) == 0)
        return bad;
    if (seconds < 0)
        return bad | buf_adds(out, "no rate limit is configured");
    return bad |
           (seconds < 120 ? buf_addf(out, "%.1f s or more", seconds) : buf_addf(out, "%.0f minutes or more", seconds / 60));
}

static int cost_figure(const struct diff_summary *s, struct buf *out)
{
    struct buf note = BUF_INIT(TEXT_MAX);
    int bad = cost_note(s, &note);
    bad |= buf_cstr(&note) != NULL
               ? page_figure(out, "cost", diff_requests_least(s), "requests at least", *note.p != '\0' ? note.p : NULL)
               : -1;
    buf_free(&note);
    return bad;
}

/* What the workspace's plan has room for after the creates. */
static int room_figure(const struct diff_summary *s, struct buf *out)
{
    struct buf note = BUF_INIT(TEXT_MAX);
    int64_t room = s->plan.limit - s->plan.used, after = room - (int64_t)s->create;
    if (!s->plan.known)
        return 0;
    int bad = buf_adds(&note, "now ") | page_count(&note, room > 0 ? (uint64_t)room : 0) | buf_adds(&note, " of ") |
              page_count(&note, s->plan.limit > 0 ? (uint64_t)s->plan.limit : 0);
    bad |= buf_cstr(&note) != NULL
               ? page_figure(out, "cost", after > 0 ? (uint64_t)after : 0, "plan room afterwards", note.p)
               : -1;
    buf_free(&note);
    return bad;
}

static int part_figures(const struct diff_html_parts *p, struct buf *out)
{
    const struct diff_summary *s = p->summary;
    return page_figures(out, "What the sync would do") |
           page_figure(out, "create", s->create, "create", s->create > 0 ? "Instantly may already have some" : NULL) |
           page_figure(out, "update", s->update, "update", NULL) | page_figure(out, "move", s->move, "move", NULL) |
           page_figure(out, "remove", s->remove, "remove", NULL) |
           page_figure(out, "left", s->skipped + s->rejected, "left out",
                       s->rejected > 0 ? "some are rejected: correct them" : NULL) |
           page_figure(out, "same", s->unchanged, "unchanged", NULL) | cost_figure(s, out) | room_figure(s, out) |
           page_figures_end(out);
}

/* ---- charts ---- */

static int rows_chart(const struct diff_summary *s, struct buf *out)
{
    const struct page_bar bars[] = {
        {STR("create"), NULL, s->create, "create"},     {STR("change"), NULL, s->changed, "update"},
        {STR("unchanged"), NULL, s->unchanged, "same"}, {STR("skipped"), NULL, s->skipped, "left"},
        {STR("rejected"), NULL, s->rejected, "remove"}, {STR("open"), NULL, s->open, "open"},
    };
    struct buf heading = BUF_INIT(TEXT_MAX);
    int bad = buf_adds(&heading, "The ") | page_counted(&heading, s->read, "row") | buf_adds(&heading, " of the source");
    bad |= buf_cstr(&heading) != NULL ? page_stack(out, heading.p, bars, sizeof bars / sizeof bars[0]) : -1;
    buf_free(&heading);
    return bad;
}

static int reasons_chart(const struct diff_summary *s, struct buf *out)
{
    struct page_bar bars[REASON_N];
    size_t n = 0;
    for (size_t r = REASON_NONE + 1; s->reasons != NULL && r < REASON_N; r++)
        if (s->reasons[r] > 0)
            bars[n++] = (struct page_bar){str_from(reason_text((enum reason)r)), reason_help((enum reason)r), s->reasons[r],
                                          "left"};
    return page_bars(out, "Why rows are left out", "Reason", "Rows", bars, n);
}

static int by_count(const void *a, const void *b)
{
    const struct page_bar *x = a, *y = b;
    return x->n != y->n ? (x->n < y->n ? 1 : -1) : str_cmp(x->label, y->label);
}

static int fields_chart(const struct diff_html_parts *p, struct buf *out)
{
    struct page_bar *bars = calloc(p->fields_n + 1, sizeof *bars);
    size_t n = 0;
    if (bars == NULL)
        return -1;
    for (size_t i = 0; i < p->fields_n; i++)
        if (p->fields[i].n > 0)
            bars[n++] = (struct page_bar){{p->fields[i].name, p->fields[i].name_n}, NULL, p->fields[i].n, "update"};
    qsort(bars, n, sizeof *bars, by_count);
    int bad = page_bars(out, n > FIELD_BARS ? "The fields that change most often" : "Fields that change", "Field", "Leads",
                        bars, n > FIELD_BARS ? FIELD_BARS : n);
    free(bars);
    return bad;
}

static int requests_chart(const struct diff_summary *s, struct buf *out)
{
    const struct page_bar all[] = {
        {STR("to create"), NULL, s->requests_create, "create"},
        {STR("to update"), NULL, s->requests_update, "update"},
        {STR("to move"), NULL, s->requests_move, "move"},
        {STR("to remove"), NULL, s->requests_remove, "remove"},
        {STR("to read"), "leads before and after their moves", s->move_reads, "left"},
    };
    struct page_bar bars[sizeof all / sizeof all[0]];
    size_t n = 0;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (all[i].n > 0)
            bars[n++] = all[i];
    return page_bars(out, "Requests, at least", "Operation", "Requests", bars, n);
}

static int flow_label(const struct diff_flow *f, struct buf *label)
{
    const struct target *from = f->from != NULL ? f->from : f->target;
    bool moves = f->from != NULL && f->target != NULL && !target_eq(f->from, f->target);
    int bad = buf_adds(label, diff_kind_text(f->kind)) | buf_adds(label, moves ? " from " : " in ") |
              target_show(moves || f->kind == DIFF_KIND_REMOVE ? from : f->target, label);
    return moves ? bad | buf_adds(label, " to ") | target_show(f->target, label) : bad;
}

/* Operations in the order of the figures, the most leads first. */
static int flow_order(const void *a, const void *b)
{
    const struct diff_flow *x = a, *y = b;
    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    return x->n != y->n ? (x->n < y->n ? 1 : -1) : 0;
}

/* The labels stand in one buffer; it may move while it grows, so their places are numbers until it is complete. */
static int targets_chart(const struct diff_flows *flows, struct buf *out)
{
    struct buf labels = BUF_INIT(TEXT_MAX);
    struct page_bar *bars = calloc(flows->n + 1, sizeof *bars);
    struct diff_flow *sorted = calloc(flows->n + 1, sizeof *sorted);
    size_t at = 0;
    int bad = bars == NULL || sorted == NULL ? -1 : 0;
    if (bad == 0 && flows->n > 0) {
        memcpy(sorted, flows->v, flows->n * sizeof *sorted);
        qsort(sorted, flows->n, sizeof *sorted, flow_order);
    }
    for (size_t i = 0; i < flows->n && bad == 0; i++) {
        const struct diff_flow *f = &sorted[i];
        size_t from = labels.n;
        bars[i] = (struct page_bar){.n = f->n, .colour = diff_kind_text(f->kind)};
        bad = f->target == NULL && f->from == NULL ? buf_adds(&labels, diff_kind_text(f->kind)) : flow_label(f, &labels);
        bars[i].label.n = labels.n - from;
    }
    for (size_t i = 0; i < flows->n && bad == 0; at += bars[i++].label.n)
        bars[i].label.p = labels.p + at;
    if (bad == 0)
        bad = page_bars(out, "Where", "Operation and target", "Leads", bars, flows->n);
    buf_free(&labels);
    free(sorted);
    free(bars);
    return bad;
}

static int guards_table(const struct diff_summary *s, struct buf *out)
{
    if (s->guards_n == 0)
        return 0;
    int bad = page_guards(out);
    for (size_t i = 0; i < s->guards_n; i++) {
        const struct run_guard *g = &s->guards[i];
        bad |= page_guard(out, str_from(g->name), g->counted, g->of, str_from(g->limit), g->stops ? "would stop" : "passes",
                          g->stops ? "bad" : "good");
    }
    return bad | page_guards_end(out);
}

static int part_charts(const struct diff_html_parts *p, struct buf *out)
{
    const struct diff_summary *s = p->summary;
    return page_charts(out) | rows_chart(s, out) | reasons_chart(s, out) | fields_chart(p, out) |
           targets_chart(&p->d->flows, out) | requests_chart(s, out) | guards_table(s, out) | page_charts_end(out);
}

/* ---- the end ---- */

static int footer_line(struct buf *out, const char *label, const char *text)
{
    return text == NULL || *text == '\0' ? 0
                                         : buf_adds(out, "<p>") | page_say(out, label) | buf_adds(out, " <code>") |
                                               page_text(out, str_from(text)) | buf_adds(out, "</code></p>\n");
}

static int part_footer(const struct diff_html_parts *p, struct buf *out)
{
    const struct diff_summary *s = p->summary;
    int bad = 0;
    if (s->update > 0 && !p->d->options.remote)
        bad |= buf_adds(out, "<p>Old values are as leadsync last wrote them, without later edits in Instantly or by "
                             "hand.</p>\n");
    bad |= footer_line(out, "mapping SHA-256", s->mapping_sha256) | footer_line(out, "source SHA-256", s->source_sha256);
    if (s->state_serial > 0)
        bad |= buf_addf(out, "<p>state serial <code>%llu</code></p>\n", (unsigned long long)s->state_serial);
    return bad;
}

int diff_html_part(const struct diff_html_parts *p, struct str slot, struct buf *out)
{
    static const struct {
        const char *slot;
        int (*fill)(const struct diff_html_parts *p, struct buf *out);
    } parts[] = {
        {"title", part_title},     {"kind", part_kind},       {"heading", part_heading}, {"facts", part_facts},
        {"notices", part_notices}, {"figures", part_figures}, {"charts", part_charts},   {"footer", part_footer},
    };
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (str_is(slot, parts[i].slot))
            return parts[i].fill(p, out);
    return 0;
}
