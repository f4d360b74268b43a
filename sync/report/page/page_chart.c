#include "config.h"

#include "sync/report/page/page_chart.h"

#include "sync/report/page/page.h"

/* ---- figures ---- */

int page_figures(struct buf *out, const char *label)
{
    return buf_adds(out, "<ul class=\"figures\" aria-label=\"") | page_say(out, label) | buf_adds(out, "\">\n");
}

static int figure_end(struct buf *out, const char *label, const char *note)
{
    int bad = buf_adds(out, "</b> <span>") | page_say(out, label) | buf_adds(out, "</span>");
    if (note != NULL)
        bad |= buf_adds(out, " <small>") | page_say(out, note) | buf_adds(out, "</small>");
    return bad | buf_adds(out, "</li>\n");
}

int page_figure(struct buf *out, const char *colour, uint64_t n, const char *label, const char *note)
{
    return buf_addf(out, "<li class=\"%s%s\"><b>", colour, n == 0 ? " zero" : "") | page_count(out, n) |
           figure_end(out, label, note);
}

int page_figure_text(struct buf *out, const char *colour, const char *text, const char *label, const char *note)
{
    return buf_addf(out, "<li class=\"%s\"><b>", colour) | page_say(out, text) | figure_end(out, label, note);
}

int page_figures_end(struct buf *out)
{
    return buf_adds(out, "</ul>\n");
}

/* ---- charts ---- */

int page_charts(struct buf *out)
{
    return buf_adds(out, "<div class=\"charts\">\n");
}

int page_charts_end(struct buf *out)
{
    return buf_adds(out, "</div>\n");
}

static int chart_begin(struct buf *out, const char *class, const char *heading)
{
    return buf_addf(out, "<section class=\"chart%s%s\"><h2>", *class != '\0' ? " " : "", class) | page_say(out, heading) |
           buf_adds(out, "</h2>\n");
}

static uint64_t sum_of(const struct page_bar *bars, size_t n)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += bars[i].n;
    return sum;
}

int page_stack(struct buf *out, const char *heading, const struct page_bar *bars, size_t n)
{
    uint64_t sum = sum_of(bars, n);
    double at = 0;
    if (sum == 0)
        return 0;
    int bad = chart_begin(out, "wide", heading);
    bad |= buf_adds(out, "<svg class=\"stack\" viewBox=\"0 0 1000 24\" preserveAspectRatio=\"none\" aria-hidden=\"true\">");
    for (size_t i = 0; i < n; i++) {
        double width = (double)bars[i].n * 1000 / (double)sum;
        if (bars[i].n > 0)
            bad |= buf_addf(out, "<rect class=\"%s\" x=\"%.3f\" width=\"%.3f\" height=\"24\"/>", bars[i].colour, at, width);
        at += width;
    }
    bad |= buf_adds(out, "</svg>\n<ul class=\"legend\">\n");
    for (size_t i = 0; i < n; i++)
        if (bars[i].n > 0)
            bad |= buf_addf(out, "<li class=\"%s\"><b>", bars[i].colour) | page_count(out, bars[i].n) |
                   buf_adds(out, "</b> ") | page_text(out, bars[i].label) | buf_adds(out, "</li>\n");
    return bad | buf_adds(out, "</ul></section>\n");
}

/* The caption says for a screen reader what the heading says to the eye. */
static int chart_table(struct buf *out, const char *heading, const char *what, const char *counted)
{
    return buf_adds(out, "<table class=\"bars\"><caption class=\"hidden\">") | page_say(out, heading) |
           buf_adds(out, "</caption>\n<thead class=\"hidden\"><tr><th scope=\"col\">") | page_say(out, what) |
           buf_adds(out, "</th><th scope=\"col\">") | page_say(out, counted) |
           buf_adds(out, "</th></tr></thead>\n<tbody>\n");
}

int page_bars(struct buf *out, const char *heading, const char *what, const char *counted, const struct page_bar *bars,
              size_t n)
{
    uint64_t most = 1;
    if (n == 0)
        return 0;
    for (size_t i = 0; i < n; i++)
        most = bars[i].n > most ? bars[i].n : most;
    int bad = chart_begin(out, "list", heading) | chart_table(out, heading, what, counted);
    for (size_t i = 0; i < n && bad == 0; i++) {
        bad |= buf_adds(out, "<tr><th scope=\"row\">") | page_bdi(out, bars[i].label, PAGE_NAME_CHARS);
        if (bars[i].help != NULL)
            bad |= buf_adds(out, " <small>") | page_say(out, bars[i].help) | buf_adds(out, "</small>");
        bad |= buf_adds(out, "</th><td><b>") | page_count(out, bars[i].n);
        bad |=
            buf_addf(out,
                     "</b><svg viewBox=\"0 0 1000 8\" preserveAspectRatio=\"none\" aria-hidden=\"true\"><rect class=\"%s\" "
                     "width=\"%.3f\" height=\"8\"/></svg></td></tr>\n",
                     bars[i].colour, (double)bars[i].n * 1000 / (double)most);
    }
    return bad | buf_adds(out, "</tbody></table></section>\n");
}

int page_guards(struct buf *out)
{
    return chart_begin(out, "", "Guards") |
           buf_adds(out,
                    "<table class=\"plain\"><caption class=\"hidden\">Guards</caption><thead><tr><th scope=\"col\">guard"
                    "</th><th scope=\"col\">counted</th><th scope=\"col\">limit</th><th scope=\"col\">verdict</th>"
                    "</tr></thead><tbody>\n");
}

int page_guard(struct buf *out, struct str name, uint64_t counted, uint64_t of, struct str limit, const char *verdict,
               const char *colour)
{
    return buf_adds(out, "<tr><th scope=\"row\">") | page_text(out, name) | buf_adds(out, "</th><td>") |
           page_count(out, counted) | buf_adds(out, " of ") | page_count(out, of) | buf_adds(out, "</td><td>") |
           page_text(out, limit) | buf_addf(out, "</td><td><span class=\"tag %s\">%s</span></td></tr>\n", colour, verdict);
}

int page_guards_end(struct buf *out)
{
    return buf_adds(out, "</tbody></table></section>\n");
}

/* ---- over time ---- */

static int column_time(struct buf *out, double s)
{
    return s < 1     ? buf_addf(out, "%.0f ms", s * 1000)
           : s < 120 ? buf_addf(out, "%.1f s", s)
                     : buf_addf(out, "%.1f min", s / 60);
}

int page_columns(struct buf *out, const struct page_columns *c)
{
    uint64_t most = 1;
    if (c->n == 0)
        return 0;
    for (size_t i = 0; i < c->n; i++)
        most = c->v[i] > most ? c->v[i] : most;
    double width = 1000 / (double)c->n;
    int bad = chart_begin(out, "wide", c->heading);
    bad |= buf_addf(out, "<p class=\"axis\">at most ") | page_count(out, most) | buf_addf(out, " %s in ", c->counted) |
           column_time(out, c->step_s) | buf_adds(out, "</p>\n");
    bad |= buf_adds(out,
                    "<svg class=\"columns\" viewBox=\"0 0 1000 120\" preserveAspectRatio=\"none\" aria-hidden=\"true\">");
    for (size_t i = 0; i < c->n && bad == 0; i++) {
        double height = (double)c->v[i] * 120 / (double)most;
        bad = buf_addf(out, "<rect class=\"plain\" x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\"/>",
                       (double)i * width, 120 - height, width > 2 ? width - 1 : width, height);
    }
    bad |= buf_adds(out, "</svg>\n<p class=\"axis ends\"><span>start</span><span>") |
           column_time(out, c->step_s * (double)c->n) |
           buf_adds(out, "</span></p>\n<details><summary>As a table</summary>\n");
    bad |= buf_adds(out, "<table class=\"plain\"><thead><tr><th scope=\"col\">after</th><th scope=\"col\">") |
           page_say(out, c->counted) | buf_adds(out, "</th></tr></thead><tbody>\n");
    for (size_t i = 0; i < c->n && bad == 0; i++)
        bad = buf_adds(out, "<tr><th scope=\"row\">") | column_time(out, c->step_s * (double)i) |
              buf_adds(out, "</th><td>") | page_count(out, c->v[i]) | buf_adds(out, "</td></tr>\n");
    return bad | buf_adds(out, "</tbody></table></details></section>\n");
}
