#include "config.h"

#include "sync/cli/run/verify_page.h"

#include "sync/report/page/page.h"
#include "sync/report/page/page_chart.h"

enum { TEXT_MAX = 1 << 20 };

static int verify_page_title(const struct verify_list *l, struct buf *out)
{
    return page_say(out, "Verification of ") | page_cut(out, str_from(l->sync), PAGE_NAME_CHARS);
}

static int verify_page_kind(const struct verify_list *l, struct buf *out)
{
    return page_say(out, "Verification of ") | page_bdi(out, str_from(l->sync), PAGE_NAME_CHARS) |
           page_say(out, ": Instantly compared with the source, nothing has been written");
}

static int verify_page_heading(const struct verify_list *l, struct buf *out)
{
    const struct verify_counts *c = verify_counts(l->verify);
    uint64_t n = verify_list_differences(c);
    if (n == 0)
        return buf_adds(out, "Instantly holds what the source wants: ") | page_counted(out, c->signs[VERIFY_SAME], "lead") |
               buf_adds(out, " compared, no difference");
    return page_counted(out, n, "difference") | buf_adds(out, " between Instantly and the source, ") |
           page_counted(out, c->signs[VERIFY_SAME], "lead") | buf_adds(out, " as wanted");
}

static int verify_page_facts(const struct verify_list *l, struct buf *out)
{
    const struct target *t;
    struct buf names = BUF_INIT(TEXT_MAX);
    int bad = buf_adds(out, "<dl class=\"facts\">\n") | page_fact_text(out, "Sync", l->sync);
    for (size_t i = 0; verify_target(l->verify, i, &t) && bad == 0; i++)
        bad = buf_adds(&names, i > 0 ? ", " : "") | target_names_show(verify_names(l->verify), t, &names);
    bad |= buf_cstr(&names) != NULL ? page_fact_text(out, "Compared", names.p) : -1;
    buf_free(&names);
    return bad | page_fact_time(out, "Time", l->at_ms) | buf_adds(out, "</dl>");
}

static int sample_notice(const struct verify_counts *c, struct buf *out)
{
    double low, high;
    if (c->sample == 0)
        return 0;
    uint64_t n = verify_list_differences(c);
    verify_interval(n, n + c->signs[VERIFY_SAME], &low, &high);
    return page_notice(out, "info", "A sample") | buf_adds(out, "<p>") | page_counted(out, c->sample, "row") |
           buf_adds(out, " of ") | page_count(out, c->sample_of) |
           buf_addf(out,
                    " with an address. With 95 %% confidence, between %.2f %% and %.2f %% of all such rows differ.</p>\n",
                    low * 100, high * 100) |
           page_notice_end(out);
}

static int verify_page_notices(const struct verify_list *l, struct buf *out)
{
    const struct verify_counts *c = verify_counts(l->verify);
    int bad = sample_notice(c, out);
    if (c->keyless > 0 && c->kinds[VERIFY_KEYLESS] > 0)
        bad |= page_notice(out, "warn", "Rows without a usable key") | buf_adds(out, "<p>") |
               page_counted(out, c->keyless, "row") |
               buf_adds(out, " without a usable key: leads without a row may be theirs. Correct these rows.</p>\n") |
               page_notice_end(out);
    if (c->kinds[VERIFY_UNSOUND] > 0)
        bad |= page_notice(out, "warn", "Incomplete pages") |
               buf_adds(out, "<p>The pages left out leads that Instantly has. Run again later.</p>\n") |
               page_notice_end(out);
    if (c->unasked > 0)
        bad |= page_notice(out, "info", "Not all missing leads were looked for") |
               buf_adds(out, "<p>Only the first 10,000 missing addresses were looked for in the rest of the "
                             "workspace.</p>\n") |
               page_notice_end(out);
    return bad;
}

static int verify_page_figures(const struct verify_list *l, struct buf *out)
{
    const struct verify_counts *c = verify_counts(l->verify);
    return page_figures(out, "What the comparison found") |
           page_figure(out, "same", c->signs[VERIFY_SAME], "= as wanted", NULL) |
           page_figure(out, "update", c->signs[VERIFY_DIFFERS], "* differ", NULL) |
           page_figure(out, "create", c->signs[VERIFY_MISSING], "+ missing", "in the source, not in Instantly") |
           page_figure(out, "remove", c->signs[VERIFY_SURPLUS], "- surplus", "in the target, not in the source") |
           page_figure(out, "rekey", c->signs[VERIFY_UNTOLD], "! unclear", NULL) |
           page_figure(out, "left", c->left_out, "rows left alone", "by the mapping") | page_figures_end(out);
}

static int verify_page_charts(const struct verify_list *l, struct buf *out)
{
    const struct verify_counts *c = verify_counts(l->verify);
    const struct page_bar signs[] = {
        {STR("as wanted"), NULL, c->signs[VERIFY_SAME], "same"},
        {STR("differ"), NULL, c->signs[VERIFY_DIFFERS], "update"},
        {STR("missing"), NULL, c->signs[VERIFY_MISSING], "create"},
        {STR("surplus"), NULL, c->signs[VERIFY_SURPLUS], "remove"},
        {STR("unclear"), NULL, c->signs[VERIFY_UNTOLD], "rekey"},
    };
    struct page_bar kinds[VERIFY_KIND_N], reasons[REASON_N];
    size_t kinds_n = 0, reasons_n = 0;
    for (int k = VERIFY_NO_KIND + 1; k < VERIFY_KIND_N; k++)
        if (c->kinds[k] > 0)
            kinds[kinds_n++] = (struct page_bar){str_from(verify_kind_text((enum verify_kind)k)), NULL, c->kinds[k],
                                                 "update"};
    for (int r = REASON_NONE + 1; r < REASON_N; r++)
        if (c->reasons[r] > 0)
            reasons[reasons_n++] = (struct page_bar){str_from(reason_text((enum reason)r)), reason_help((enum reason)r),
                                                     c->reasons[r], "left"};
    return page_charts(out) | page_stack(out, "All that was compared", signs, sizeof signs / sizeof signs[0]) |
           page_bars(out, "Kinds of difference", "Kind", "Differences", kinds, kinds_n) |
           page_bars(out, "Why the mapping leaves rows alone", "Reason", "Rows", reasons, reasons_n) | page_charts_end(out);
}

int verify_page_part(void *ctx, struct str slot, struct buf *out)
{
    static const struct {
        const char *slot;
        int (*fill)(const struct verify_list *l, struct buf *out);
    } parts[] = {
        {"title", verify_page_title},   {"kind", verify_page_kind},       {"heading", verify_page_heading},
        {"facts", verify_page_facts},   {"notices", verify_page_notices}, {"figures", verify_page_figures},
        {"charts", verify_page_charts},
    };
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (str_is(slot, parts[i].slot))
            return parts[i].fill(ctx, out);
    return 0;
}
