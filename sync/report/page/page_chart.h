/* Figures and charts of a page. Each chart is a table with a bar per row, or has one beside it, so that a screen reader has the
 * numbers. Lengths are proportional to the counts, from zero. All functions append to `out`. 0/-1 (memory) */
#ifndef SYNC_REPORT_PAGE_PAGE_CHART_H
#define SYNC_REPORT_PAGE_PAGE_CHART_H

#include "sync/base/buf.h"

#include <stddef.h>
#include <stdint.h>

struct page_bar {
    struct str label;
    const char *help; /* a sentence of the program; NULL: none */
    uint64_t n;
    const char *colour; /* a class of page.css: an operation, or "plain" */
};

/* A large number in a row of such: page_figures() before the first and page_figures_end() after the last. */
int page_figures(struct buf *out, const char *label);
int page_figure(struct buf *out, const char *colour, uint64_t n, const char *label, const char *note);
int page_figures_end(struct buf *out);
/* The same with a text in place of the number. */
int page_figure_text(struct buf *out, const char *colour, const char *text, const char *label, const char *note);

/* The charts stand between page_charts() and page_charts_end(). */
int page_charts(struct buf *out);
int page_charts_end(struct buf *out);
/* One bar parted by the counts, and what the parts are. Parts that are 0 are left out; nothing, if all are. */
int page_stack(struct buf *out, const char *heading, const struct page_bar *bars, size_t n);
/* A bar per line. `what` and `counted` head the columns. Nothing, if n is 0. */
int page_bars(struct buf *out, const char *heading, const char *what, const char *counted, const struct page_bar *bars,
              size_t n);

/* Columns over time, from left to right: n counts of `step_s` seconds each. */
struct page_columns {
    const char *heading, *counted; /* "Rows over time", "rows" */
    const uint64_t *v;
    size_t n;
    double step_s;
};
int page_columns(struct buf *out, const struct page_columns *c);

/* The guards of a run: page_guards(), one page_guard() each, page_guards_end(). */
int page_guards(struct buf *out);
int page_guard(struct buf *out, struct str name, uint64_t counted, uint64_t of, struct str limit, const char *verdict,
               const char *colour);
int page_guards_end(struct buf *out);

#endif
