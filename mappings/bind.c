/* Binds a mapping to the columns of a source: names become cell numbers, once per run. */
#include "config.h"

#include "mappings/convert/clean.h"
#include "mappings/file/compiled.h"
#include "sync/base/text.h"

#include <stdlib.h>
#include <string.h>

enum { LISTED_MAX = 60, UNUSED_SHOWN = 8, LIST_BYTES_MAX = 1 << 16 };

struct binder {
    struct mapping *m;
    struct diags *d;
    const struct str *columns;
    size_t n;
    const char **names; /* NUL-terminated, for suggestions; made when the first column is missing */
    bool *used, *strict;
    uint8_t *uses;
    bool lenient; /* the spec that is bound has `on_error: empty` */
    uint8_t use;  /* enum cell_use of the spec that is bound */
    const char **used_names;
    bool any_missing;
};

/* leadsync appends these columns to rejects, which people correct and import again. */
static bool is_own(struct str name)
{
    return name.n >= strlen(LEADSYNC_PREFIX) && memcmp(name.p, LEADSYNC_PREFIX, strlen(LEADSYNC_PREFIX)) == 0;
}

/* The first column with exactly this name, from `from` on; b->n: none. A similar name may mean another column. This runs
 * once per run, so a linear search is fast enough. */
static size_t find_from(const struct binder *b, struct str name, size_t from)
{
    size_t i = from;
    while (i < b->n && (!str_eq(b->columns[i], name) || is_own(name)))
        i++;
    return i;
}

/* Candidates for "did you mean": all columns but leadsync's own. */
static size_t candidates(struct binder *b)
{
    size_t n = 0;
    if (b->names == NULL)
        b->names = arena_calloc(b->d->arena, b->n + 1, sizeof *b->names);
    for (size_t i = 0; b->names != NULL && i < b->n; i++) {
        if (!is_own(b->columns[i]) && str_trim(b->columns[i]).n > 0)
            b->names[n++] = diag_show(b->d, b->columns[i]);
    }
    return n;
}

/* Reports the missing column at its line of the mapping, since the mapping may be wrong. */
static void missing(struct binder *b, struct str name, size_t at, size_t span)
{
    diag_add(b->d, at, span, "the source has no column '%s'", diag_show(b->d, name));
    if (b->d->latest == NULL)
        return;
    size_t n = candidates(b);
    const char *near = b->names != NULL ? str_nearest(name, b->names, n) : NULL;
    if (near != NULL)
        diag_help(b->d, "did you mean '%s'?", near);
}

/* Two columns have the same name, so the mapping is ambiguous. */
static void twice(struct binder *b, struct str name, size_t first, size_t second, size_t at, size_t span)
{
    diag_add(b->d, at, span, "the source has two columns '%s' (columns %zu and %zu)", diag_show(b->d, name), first + 1,
             second + 1);
    diag_help(b->d, "rename one of them in the source");
}

/* apply.c only needs the cell's number. `at` and `span`: where the mapping names the column. */
static void bind_name(struct binder *b, struct str name, size_t at, size_t span, size_t *index)
{
    size_t first = find_from(b, name, 0), second = find_from(b, name, first + 1);
    if (first >= b->n) {
        missing(b, name, at, span);
        b->any_missing = true;
    } else if (second < b->n) {
        twice(b, name, first, second, at, span);
    } else {
        *index = first;
        b->used[first] = true;
        b->strict[first] = b->strict[first] || !b->lenient;
        b->uses[first] |= b->use;
    }
}

static void bind_one(struct binder *b, struct source_column *column)
{
    bind_name(b, column->name, column->at, column->span, &column->index);
}

static void bind_template(struct binder *b, struct column *column)
{
    for (size_t i = 0; i < column->template.n; i++) {
        struct template_part *part = &column->template.parts[i];
        if (part->is_column)
            bind_name(b, part->text, column->template_at + part->offset, part->text.n, &part->column);
    }
}

/* Lists the columns of the source after all missing columns. */
static void report_columns(struct binder *b)
{
    struct buf text = BUF_INIT(LIST_BYTES_MAX);
    size_t n = candidates(b);
    int rc = b->names == NULL ? -1 : 0;
    for (size_t i = 0; rc == 0 && i < n && i < LISTED_MAX; i++)
        rc = buf_addf(&text, "%s%s", i > 0 ? ", " : "", b->names[i]);
    if (rc == 0 && n > LISTED_MAX)
        rc = buf_addf(&text, " and %zu more", n - LISTED_MAX);
    if (rc == 0)
        diag_help(b->d, n > 0 ? "the source has: %.*s" : "the source has no columns%.*s", STR_ARG(buf_str(&text)));
    buf_free(&text);
}

/* The column of the watermark is used, though no lead has it. */
static bool is_watermark(const struct mapping *m, struct str column)
{
    bool sql = m->source.kind == SOURCE_POSTGRES || m->source.kind == SOURCE_SQLITE;
    return sql && m->source.as.sql.watermark != NULL && str_is(column, m->source.as.sql.watermark);
}

/* The unused columns, and the names of the filled fields as campaigns know them. */
static int list_names(struct binder *b)
{
    struct mapping_impl *impl = b->m->impl;
    struct str *unused = arena_calloc(&b->m->arena, b->n + 1, sizeof *unused);
    struct str *filled = arena_calloc(&b->m->arena, impl->columns_n + 1, sizeof *filled);
    if (unused == NULL || filled == NULL)
        return -1;
    impl->unused_n = impl->filled_n = 0;
    for (size_t i = 0; i < b->n; i++) {
        if (!b->used[i] && !is_own(b->columns[i]) && !is_watermark(b->m, b->columns[i]) && str_trim(b->columns[i]).n > 0 &&
            arena_str(&b->m->arena, b->columns[i], &unused[impl->unused_n++]) != 0)
            return -1;
    }
    for (size_t i = 0; i < impl->columns_n; i++) {
        const struct column *column = &impl->columns[i];
        const char *name = column->slot < LEAD_FIELD_N ? lead_field_table[column->slot].payload : column->name;
        if (name[0] != '\0')
            filled[impl->filled_n++] = str_from(name);
    }
    for (size_t i = 0; i < b->n; i++) {
        struct str name = STR_NONE;
        if (b->used[i] && arena_str(&b->m->arena, b->columns[i], &name) != 0)
            return -1;
        b->used_names[i] = name.p;
    }
    impl->used = b->used;
    impl->strict = b->strict;
    impl->uses = b->uses;
    impl->used_names = b->used_names;
    impl->unused = unused;
    impl->filled = filled;
    return 0;
}

static uint8_t use_of(const struct column *column)
{
    uint8_t use = CELL_SENT;
    bool cleaned = column->map_n > 0;
    for (size_t i = 0; i < column->steps_n; i++)
        cleaned = cleaned || column->steps[i].op == TRANSFORM_CLEAN;
    if (!cleaned || column->origin == ORIGIN_TEMPLATE)
        use |= CELL_AS_IT_IS;
    if (column->slot == LEAD_FIRST_NAME || column->slot == LEAD_LAST_NAME)
        use |= CELL_OF_PERSON;
    return use;
}

/* Binds every column that the mapping names. A filter whose column is missing is an error; it would never match. */
static void bind_all(struct binder *b)
{
    struct mapping_impl *impl = b->m->impl;
    for (size_t i = 0; i < impl->columns_n; i++) {
        struct column *column = &impl->columns[i];
        b->lenient = column->origin == ORIGIN_COLUMN && column->empty_on_error;
        b->use = use_of(column);
        if (column->origin == ORIGIN_COLUMN)
            bind_one(b, &column->from);
        else if (column->origin == ORIGIN_TEMPLATE)
            bind_template(b, column);
        for (size_t k = 0; k < column->others_n; k++)
            bind_one(b, &column->others[k]);
    }
    b->lenient = false;
    b->use = CELL_SENT | CELL_AS_IT_IS;
    for (size_t i = 0; i < impl->keys_n; i++)
        bind_one(b, &impl->keys[i]);
    b->use = 0;
    for (size_t i = 0; i < impl->skips_n; i++)
        bind_one(b, &impl->skips[i].column);
    if (b->m->routes_n > 0)
        bind_one(b, &impl->route);
}

/* The named delimiter does not divide the header, but another one would: one mistake instead of one per column. */
bool mapping_undivided(struct mapping *m, const struct str *columns, size_t n, struct err *e)
{
    static const struct {
        char c;
        const char *one, *many, *text;
    } delimiters[] = {{';', "semicolon", "semicolons", "\";\""},
                      {',', "comma", "commas", "\",\""},
                      {'\t', "tab", "tabs", "tab"},
                      {'|', "bar", "bars", "\"|\""}};
    size_t most = 0, best = 0;

    if (n != 1 || m->source.kind != SOURCE_CSV || !m->source.as.csv.header || m->source.as.csv.delimiter == 0)
        return false;
    for (size_t i = 0; i < sizeof delimiters / sizeof delimiters[0]; i++) {
        size_t count = 0;
        for (size_t at = 0; at < columns[0].n; at++)
            count += columns[0].p[at] == delimiters[i].c;
        if (count > most) {
            most = count;
            best = i;
        }
    }
    if (most == 0)
        return false;
    struct diags d;
    diags_init(&d, NULL, STR_NONE, &m->arena);
    err_set(e, XS_CONFIG,
            "%s: the header has one column with %zu %s in it, '%s'; set the delimiter: %s %s, or omit it for automatic "
            "detection",
            m->source.as.csv.path, most, most == 1 ? delimiters[best].one : delimiters[best].many, diag_show(&d, columns[0]),
            m->impl->default_mapping ? "--delimiter" : "delimiter:", delimiters[best].text);
    return true;
}

/* Copies the names that it keeps: they belong to the connector, which may be closed before a report is written. */
int mapping_bind(struct mapping *m, const struct str *columns, size_t columns_n, struct err *e)
{
    if (m->impl->default_mapping && default_mapping_bind(m, columns, columns_n, e) != 0)
        return -1;
    /* A list of its own for mistakes of this source; the file itself had none. */
    struct diags d;
    diags_init(&d, m->impl->diags.file, m->impl->diags.text, &m->arena);
    struct binder b = {.m = m, .d = &d, .columns = columns, .n = columns_n};
    b.used = arena_calloc(&m->arena, columns_n + 1, sizeof *b.used);
    b.strict = arena_calloc(&m->arena, columns_n + 1, sizeof *b.strict);
    b.uses = arena_calloc(&m->arena, columns_n + 1, sizeof *b.uses);
    b.used_names = arena_calloc(&m->arena, columns_n + 1, sizeof *b.used_names);
    if (b.used == NULL || b.strict == NULL || b.uses == NULL || b.used_names == NULL)
        return err_oom(e);
    bind_all(&b);
    if (d.n > 0 && mapping_undivided(m, columns, columns_n, e))
        return -1;
    if (b.any_missing && d.n <= DIAG_MAX) {
        /* A help belongs to the latest mistake, but mistakes are printed by position: attach this help to the last one. */
        diags_select_last(&d);
        report_columns(&b);
    }
    if (diags_result(&d, XS_CONFIG, e) != 0) /* without a mapping, only that option names columns */
        return m->impl->default_mapping ? err_context(e, "%s: --skip-when", m->source.as.csv.path) : -1;
    skip_missed_bind(m);
    m->impl->bound_n = columns_n;
    for (m->impl->data_n = 0; m->impl->data_n < columns_n && !is_own(columns[m->impl->data_n]);)
        m->impl->data_n++;
    m->impl->has_email = m->impl->columns_n > 0 && m->impl->columns[0].slot == LEAD_EMAIL;
    return list_names(&b) != 0 ? err_oom(e) : 0;
}

const bool *mapping_used(const struct mapping *m)
{
    return m->impl->used;
}

const uint8_t *mapping_cell_uses(const struct mapping *m)
{
    return m->impl->uses;
}

bool mapping_is_placeholder(struct str cell, bool of_person)
{
    return !clean_leaves(cell.p, cell.n) && clean_is_placeholder(clean_trim(cell), of_person);
}

bool mapping_is_cut_number(struct str cell)
{
    return cell.n > 0 && memchr(cell.p, 'E', cell.n) != NULL && clean_is_cut_number(clean_trim(cell));
}

size_t mapping_unused(const struct mapping *m, const struct str **names)
{
    *names = m->impl->unused;
    return m->impl->unused_n;
}

size_t mapping_unused_text(const struct mapping *m, struct buf *out)
{
    const struct mapping_impl *impl = m->impl;

    size_t shown = impl->unused_n > UNUSED_SHOWN + 1 ? UNUSED_SHOWN : impl->unused_n;
    for (size_t i = 0; i < shown; i++)
        if (buf_addf(out, "%s%.*s", i > 0 ? ", " : "", STR_ARG(str_trim(impl->unused[i]))) != 0)
            break;
    if (shown < impl->unused_n)
        (void)buf_addf(out, " and %zu more (-v names all)", impl->unused_n - shown);
    return impl->unused_n;
}

size_t mapping_filled(const struct mapping *m, const struct str **names)
{
    *names = m->impl->filled;
    return m->impl->filled_n;
}

int mapping_origin(const struct mapping *m, size_t slot, const struct row *row, struct arena *scratch, struct str *out)
{
    const struct mapping_impl *impl = m->impl;
    *out = STR_NONE;
    for (size_t i = 0; i < impl->columns_n; i++) {
        const struct column *column = &impl->columns[i];
        if (column->slot != slot || column->origin == ORIGIN_VALUE)
            continue;
        if (column->origin == ORIGIN_TEMPLATE)
            return template_run(&column->template, row->cells, row->n, scratch, out) == 0 ? 1 : -1;
        size_t index = column_cell(column, row)->index;
        if (index >= row->n)
            return 0;
        const struct cell *cell = &row->cells[index];
        if (!cell->null)
            *out = (struct str){cell->p, cell->n};
        return 1;
    }
    return 0;
}

const struct removal *mapping_skip_then(const struct mapping *m, size_t i)
{
    return i < m->impl->skips_n ? &m->impl->skips[i].then : NULL;
}

size_t mapping_skip_values_n(const struct mapping *m)
{
    size_t n = 0;
    for (size_t i = 0; i < m->impl->skips_n; i++)
        n += m->impl->skips[i].values_n;
    return n;
}

struct skip_value mapping_skip_value(const struct mapping *m, size_t number)
{
    const struct skip_rule *rule = m->impl->skips;
    while (number > rule->values_n)
        number -= rule++->values_n;
    return (struct skip_value){(size_t)(rule - m->impl->skips) + 1, rule->column.name.p, rule->values[number - 1]};
}

bool mapping_key_column(const struct mapping *m, size_t i, struct str *name)
{
    if (i >= m->impl->keys_n)
        return false;
    *name = m->impl->keys[i].name;
    return true;
}

bool mapping_is_mangled(struct str cell)
{
    return cell.n > 3 && clean_is_mangled(cell);
}
