#include "config.h"

#include "sync/cli/run/verify_list.h"
#include "sync/cli/run/verify_page.h"

#include <inttypes.h>

#include "sync/base/text.h"
#include "sync/model/change.h"

enum { HEAD_MAX = 1 << 20, TEXT_MAX = 1 << 20 };

enum { C_SIGN, C_KIND, C_KEY, C_ROW, C_LINE, C_LEAD_ID, C_TARGET, C_WHERE, C_CHANGES, COLUMN_N };

static const struct record_column columns[COLUMN_N] = {
    [C_SIGN] = {RECORD_NAME("sign")},
    [C_KIND] = {RECORD_NAME("kind")},
    [C_KEY] = {RECORD_NAME("key")},
    [C_ROW] = {RECORD_NAME("row"), .align = TABLE_RIGHT},
    [C_LINE] = {RECORD_NAME("line"), .align = TABLE_RIGHT, .left_out = RECORD_NOT_TEXT},
    [C_LEAD_ID] = {RECORD_NAME("lead_id"), .yield = TABLE_YIELDS},
    [C_TARGET] = {RECORD_NAME("target"), .yield = TABLE_REPEATS},
    [C_WHERE] = {RECORD_NAME("where")},
    [C_CHANGES] = {RECORD_NAME("changes"), .kind = RECORD_CHANGES},
};

static const char *const sign_texts[VERIFY_SIGN_N] = {"=", "*", "+", "-", "!"};
static const char *const sign_names[VERIFY_SIGN_N] = {"same", "differs", "missing", "surplus", "untold"};

/* ---- JSON ---- */

static void verify_json_place(struct jsonw *w, const char *key, const struct verify_list *l, const struct target *t)
{
    const struct target_names *names = verify_names(l->verify);
    const char *name = NULL;
    if (t == NULL) {
        jsonw_member_null(w, key);
        return;
    }
    for (size_t i = 0; i < names->n; i++)
        if (target_eq(&names->v[i], t))
            name = names->v[i].name;
    jsonw_member_object(w, key);
    jsonw_member_text(w, "kind", target_kind_text(t->kind));
    jsonw_member_uuid(w, "id", &t->id);
    jsonw_member_text(w, "name", name);
    jsonw_object_end(w);
}

static int json_item(const struct verify_list *l, const struct verify_item *item, struct jsonw *w)
{
    jsonw_member_text(w, "sign", sign_texts[item->sign]);
    jsonw_member_text(w, "kind", verify_kind_text(item->kind));
    jsonw_member_str_or_null(w, "key", item->key);
    jsonw_member_ordinal(w, "row", item->row);
    jsonw_member_ordinal(w, "line", item->line);
    jsonw_member_uuid(w, "lead_id", item->lead_id);
    verify_json_place(w, "target", l, item->target);
    verify_json_place(w, "where", l, item->where);
    jsonw_key(w, "fields");
    return change_json(item->changes, w);
}

static void json_counts(const struct verify_list *l, struct jsonw *w)
{
    const struct verify_counts *c = verify_counts(l->verify);
    jsonw_member_object(w, "counts");
    for (int s = 0; s < VERIFY_SIGN_N; s++)
        jsonw_member_uint(w, sign_names[s], c->signs[s]);
    jsonw_member_uint(w, "left_out", c->left_out);
    jsonw_member_uint(w, "leads", c->leads);
    jsonw_object_end(w);
    jsonw_member_object(w, "kinds");
    for (int k = VERIFY_NO_KIND + 1; k < VERIFY_KIND_N; k++)
        if (c->kinds[k] > 0)
            jsonw_member_uint(w, verify_kind_text((enum verify_kind)k), c->kinds[k]);
    jsonw_object_end(w);
    jsonw_member_object(w, "reasons");
    for (int r = 0; r < REASON_N; r++)
        if (c->reasons[r] > 0)
            jsonw_member_uint(w, reason_text((enum reason)r), c->reasons[r]);
    jsonw_object_end(w);
}

uint64_t verify_list_differences(const struct verify_counts *c)
{
    uint64_t n = 0;
    for (int s = VERIFY_SAME + 1; s < VERIFY_SIGN_N; s++)
        n += c->signs[s];
    return n;
}

static void json_sample(const struct verify_counts *c, struct jsonw *w)
{
    double low, high;
    if (c->sample == 0) {
        jsonw_member_null(w, "sample");
        return;
    }
    uint64_t judged = verify_list_differences(c) + c->signs[VERIFY_SAME];
    verify_interval(verify_list_differences(c), judged, &low, &high);
    jsonw_member_object(w, "sample");
    jsonw_member_uint(w, "rows", c->sample);
    jsonw_member_uint(w, "of", c->sample_of);
    jsonw_member_uint(w, "without_address", c->no_address);
    jsonw_member_number(w, "confidence", 0.95, 2);
    jsonw_member_number(w, "low", low, 6);
    jsonw_member_number(w, "high", high, 6);
    jsonw_object_end(w);
}

static void json_summary(const struct verify_list *l, struct jsonw *w)
{
    const struct target *t;
    jsonw_member_text(w, "sync", l->sync);
    jsonw_member_time(w, "at", l->at_ms);
    jsonw_member_array(w, "targets");
    for (size_t i = 0; verify_target(l->verify, i, &t); i++) {
        char text[TARGET_TEXT_N];
        jsonw_text(w, target_format(t, text));
    }
    jsonw_array_end(w);
    json_counts(l, w);
    json_sample(verify_counts(l->verify), w);
}

/* ---- text ---- */

static int text_sign(const struct verify_counts *c, enum verify_sign sign, const char *what, struct buf *out)
{
    return buf_addf(out, "%s %9" PRIu64 "  %s\n", sign_texts[sign], c->signs[sign], what);
}

static int text_sample(const struct verify_counts *c, struct buf *out)
{
    double low, high;
    uint64_t judged = verify_list_differences(c) + c->signs[VERIFY_SAME];
    int bad = 0;
    if (c->no_address > 0)
        bad = buf_addf(out, "\n%" PRIu64 " row%s no address, so the sample has none of %s.\n", c->no_address,
                       c->no_address == 1 ? " has" : "s have", c->no_address == 1 ? "its kind" : "them");
    if (c->sample == 0)
        return bad;
    verify_interval(verify_list_differences(c), judged, &low, &high);
    return bad |
           buf_addf(out,
                    "\nSample: %" PRIu64 " of %" PRIu64 " rows with an address. With 95 %% confidence, between %.2f %% and "
                    "%.2f %% of all such rows differ.\n",
                    c->sample, c->sample_of, low * 100, high * 100);
}

static int text_notes(const struct verify_counts *c, struct buf *out)
{
    int bad = 0;
    if (c->left_out > 0)
        bad |= buf_addf(out, "  %9" PRIu64 "  row%s that the mapping leaves alone:", c->left_out, text_plural(c->left_out));
    const char *comma = " ";
    for (int r = 0; r < REASON_N; r++) {
        if (c->reasons[r] == 0)
            continue;
        bad |= buf_addf(out, "%s%s %" PRIu64, comma, reason_text((enum reason)r), c->reasons[r]);
        comma = ", ";
    }
    bad |= c->left_out > 0 ? buf_addc(out, '\n') : 0;
    if (c->keyless > 0 && c->kinds[VERIFY_KEYLESS] > 0)
        bad |= buf_addf(out,
                        "\n%" PRIu64 " row%s no usable key, and leads without a row may be theirs: correct "
                        "%s.\n",
                        c->keyless, c->keyless == 1 ? " has" : "s have", c->keyless == 1 ? "it" : "them");
    if (c->kinds[VERIFY_UNSOUND] > 0)
        bad |= buf_adds(out, "\nThe pages have left out leads that are there: run again later.\n");
    if (c->unasked > 0)
        bad |= buf_addf(out, "\nOnly the first 10000 missing addresses were looked for in the rest of the workspace.\n");
    return bad | text_sample(c, out);
}

static int text_head(const struct verify_list *l, struct buf *out)
{
    const struct verify_counts *c = verify_counts(l->verify);
    const struct target *t;
    int bad = buf_addf(out, "%s: %" PRIu64 " lead%s in", l->sync, c->leads, text_plural(c->leads));
    for (size_t i = 0; verify_target(l->verify, i, &t); i++)
        bad |= buf_adds(out, i > 0 ? ", " : " ") | target_names_show(verify_names(l->verify), t, out);
    bad |= buf_adds(out, "\n\n");
    bad |= text_sign(c, VERIFY_SAME, "as the source wants it", out);
    bad |= text_sign(c, VERIFY_DIFFERS, "different", out);
    bad |= text_sign(c, VERIFY_MISSING, "missing in Instantly", out);
    bad |= text_sign(c, VERIFY_SURPLUS, "in the target and not in the source", out);
    if (c->signs[VERIFY_UNTOLD] > 0)
        bad |= text_sign(c, VERIFY_UNTOLD, "unclear", out);
    bad |= text_notes(c, out);
    return bad | (verify_list_differences(c) > 0 ? buf_addc(out, '\n') : 0);
}

/* ---- records ---- */

struct list_print {
    const struct verify_list *list;
    struct out *out;
    struct buf text; /* of the cells of one record */
};

static void text_place(struct list_print *p, size_t column, const struct target *t)
{
    struct record_writer *w = &p->out->records;
    if (w->format == RECORD_CSV || t == NULL) {
        record_target(w, column, t);
        return;
    }
    buf_reset(&p->text);
    if (target_names_show(verify_names(p->list->verify), t, &p->text) == 0)
        record_copy(w, column, buf_str(&p->text));
}

static int print_item(void *ctx, const struct verify_item *item, struct err *e)
{
    static const enum table_colour colours[VERIFY_SIGN_N] = {TABLE_DIM, TABLE_YELLOW, TABLE_GREEN, TABLE_RED, TABLE_RED};
    struct list_print *p = ctx;
    struct record_writer *w = &p->out->records;
    if (record_is_json(w)) {
        struct jsonw *json = record_object(w);
        if (w->format == RECORD_NDJSON)
            jsonw_member_text(json, "type", "difference");
        if (json_item(p->list, item, json) != 0)
            return err_oom(e);
        return out_record(p->out, e);
    }
    record_text(w, C_SIGN, sign_texts[item->sign]);
    record_colour(w, C_SIGN, colours[item->sign]);
    record_text(w, C_KIND, verify_kind_text(item->kind));
    record_copy(w, C_KEY, item->key.n > 0 ? item->key : item->email);
    record_ordinal(w, C_ROW, item->row);
    record_ordinal(w, C_LINE, item->line);
    record_uuid(w, C_LEAD_ID, item->lead_id);
    text_place(p, C_TARGET, item->target);
    text_place(p, C_WHERE, item->where);
    buf_reset(&p->text);
    if (w->format != RECORD_HTML && change_show(item->changes, &p->text) != 0)
        return err_oom(e);
    record_copy(w, C_CHANGES, w->format == RECORD_HTML ? item->changes : buf_str(&p->text));
    return out_record(p->out, e);
}

static int ndjson_summary(const struct verify_list *l, struct out *out, struct err *e)
{
    struct jsonw *json = record_object(&out->records);
    jsonw_member_text(json, "type", "summary");
    json_summary(l, json);
    return out_record(out, e);
}

/* The beginning of the document, up to its list. */
static int json_begin(const struct verify_list *l, struct buf *out)
{
    struct jsonw w;
    jsonw_init(&w, out);
    jsonw_object(&w);
    jsonw_member_int(&w, "version", 1);
    json_summary(l, &w);
    return buf_adds(out, ",\"differences\":[\n") != 0 || buf_cstr(out) == NULL ? -1 : 0;
}

int verify_list_print(const struct verify_list *list, struct out *out, struct err *e)
{
    const struct common *c = &list->inv->common;
    struct buf head = BUF_INIT(HEAD_MAX);
    struct list_print p = {.list = list, .out = out, .text = BUF_INIT(TEXT_MAX)};
    int rc = -1;
    if (json_begin(list, &head) != 0 || (c->output.format == FORMAT_TEXT && text_head(list, &out->text) != 0)) {
        err_oom(e);
        goto done;
    }
    struct verify_list shown = *list;
    const struct record_page page = {verify_page_part, &shown, "Differences", "difference"};
    const struct record_layout layout = {
        .columns = columns,
        .columns_n = COLUMN_N,
        .none = "",
        .hide_empty = true,
        .records_below = TABLE_READABLE,
        .json_open = head.p,
        .json_close = "]}\n",
        .page = &page,
    };
    if (out_records(out, c, &layout, e) != 0 || verify_each(list->verify, print_item, &p, e) != 0 ||
        (c->output.format == FORMAT_NDJSON && ndjson_summary(list, out, e) != 0) || out_records_end(out, e) != 0)
        goto done;
    rc = out_commit(out, e);
done:
    buf_free(&head);
    buf_free(&p.text);
    return rc;
}
