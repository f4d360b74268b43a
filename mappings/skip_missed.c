/* Warns about values that look like an opt-out but match no rule of skip_when: a column with "ja" in most rows may have "yes"
 * in others. Also warns about rows that end before the column of a rule. One warning per column is enough to make the user look. */
#include "config.h"

#include "mappings/cells.h"
#include "mappings/file/compiled.h"
#include "mappings/convert/clean.h"
#include "mappings/names/names.h"
#include "sync/base/text.h"

#include <string.h>

enum { WARNING_MAX = 1 << 14, SHOWN_COLUMNS = 60 };

/* `*` matches every value, so the rule misses none. */
void skip_missed_bind(struct mapping *m)
{
    for (size_t i = 0; i < m->impl->skips_n; i++) {
        struct skip_rule *rule = &m->impl->skips[i];
        const char *const *values = names_opt_out(rule->column.name);
        rule->opt_outs = values != NULL && strcmp(values[0], SKIP_ANY) != 0 ? values : NULL;
    }
}

static bool is_listed(const struct skip_rule *rule, const char *value)
{
    for (size_t i = 0; i < rule->values_n; i++)
        if (str_is(rule->values[i], value))
            return true;
    return false;
}

/* 1: the cell has one of the values, -1: memory. */
static int looks_like_one(struct mapping *m, const struct skip_rule *rule, struct str text)
{
    struct buf *fold = &m->impl->fold;
    buf_reset(fold);
    if (text_fold(text, fold) != 0)
        return -1;
    for (size_t i = 0; rule->opt_outs[i] != NULL; i++)
        if (str_is(buf_str(fold), rule->opt_outs[i]))
            return 1;
    return 0;
}

static const char *make_warning(struct mapping *m, size_t number, struct str cell)
{
    const struct skip_rule *rule = &m->impl->skips[number];
    struct buf text = BUF_INIT(WARNING_MAX);
    const char *kept = NULL;
    int bad = buf_adds(&text, "column \"") | text_show(rule->column.name, SHOWN_COLUMNS, &text) |
              buf_adds(&text, "\" is \"") | text_show(cell, SHOWN_COLUMNS, &text) |
              buf_adds(&text, "\", which looks like an opt-out but is not a value of ");
    if (m->impl->default_mapping) {
        bad |= buf_adds(&text, "--skip-when; to leave out these people, too: --skip-when '") |
               default_mapping_quote(rule->column.name, &text);
        for (size_t i = 0; i < rule->values_n; i++)
            bad |= buf_adds(&text, i > 0 ? "," : "=") | default_mapping_quote(rule->values[i], &text);
        for (size_t i = 0; rule->opt_outs[i] != NULL; i++)
            if (!is_listed(rule, rule->opt_outs[i]))
                bad |= buf_addf(&text, ",%s", rule->opt_outs[i]);
        bad |= buf_adds(&text, "'");
    } else {
        bad |= buf_addf(&text, "skip_when rule %zu; to leave out these people, too, add it to in:", number + 1);
    }
    if (bad == 0)
        kept = arena_dup(&m->arena, text.p, text.n);
    buf_free(&text);
    return kept;
}

int skip_missed(struct mapping *m, const struct row *row, const char **warning)
{
    for (size_t i = 0; i < m->impl->skips_n; i++) {
        const struct skip_rule *rule = &m->impl->skips[i];
        if (rule->opt_outs == NULL || rule->missed || rule->column.index >= row->n)
            continue;
        struct str text = clean_trim_marks(cell_text(row, rule->column.index));
        int found = text.n > 0 && text_is_utf8(text) ? looks_like_one(m, rule, text) : 0;
        if (found == 0)
            continue;
        *warning = found > 0 ? make_warning(m, i, text) : NULL;
        for (size_t k = i; k < m->impl->skips_n; k++)
            m->impl->skips[k].missed |= m->impl->skips[k].column.index == rule->column.index;
        return *warning != NULL ? 0 : -1;
    }
    return 0;
}

static const char *make_cut_warning(struct mapping *m, size_t number)
{
    const struct skip_rule *rule = &m->impl->skips[number];
    bool option = m->impl->default_mapping;
    struct buf text = BUF_INIT(WARNING_MAX);
    const char *kept = NULL;
    int bad = buf_adds(&text, "the row ends before column \"") | text_show(rule->column.name, SHOWN_COLUMNS, &text) |
              buf_adds(&text, "\", so ");
    bad |= option ? buf_adds(&text, "--skip-when") : buf_addf(&text, "skip_when rule %zu", number + 1);
    bad |= buf_addf(&text, " cannot leave it out, nor other rows like it; to reject such rows: %s",
                    option ? "--short-rows reject" : "short_rows: reject");
    if (bad == 0)
        kept = arena_dup(&m->arena, text.p, text.n);
    buf_free(&text);
    return kept;
}

int skip_cut(struct mapping *m, size_t cells_n, const char **warning)
{
    for (size_t i = 0; i < m->impl->skips_n; i++) {
        const struct skip_rule *rule = &m->impl->skips[i];
        if (rule->cut || rule->column.index < cells_n)
            continue;
        for (size_t k = i; k < m->impl->skips_n; k++)
            m->impl->skips[k].cut |= m->impl->skips[k].column.index == rule->column.index;
        *warning = make_cut_warning(m, i);
        return *warning != NULL ? 0 : -1;
    }
    return 0;
}
