/* Collects what init needs to know: the columns, which of them holds the address, and what their cells have in common. */
#include "config.h"

#include "mappings/init/init.h"

#include "mappings/file/compiled.h"
#include "mappings/convert/email.h"
#include "mappings/footer.h"
#include "mappings/init/init_look.h"
#include "sync/base/text.h"

#include <stdlib.h>
#include <string.h>

enum { ARENA_MAX = 64 << 20, SCRATCH_MAX = 16 << 20, SEEN_SLOTS = 1 << 16 };

/* leadsync's own columns are never data, and a mapping file cannot hold a name that is not text. */
static bool usable(struct str name)
{
    bool own = name.n >= strlen(LEADSYNC_PREFIX) && memcmp(name.p, LEADSYNC_PREFIX, strlen(LEADSYNC_PREFIX)) == 0;
    return !own && str_trim(name).n > 0 && text_is_utf8(name) && memchr(name.p, 0, name.n) == NULL;
}

/* True if another column has the same name, which makes a mapping ambiguous. Runs once per file, so a linear search is fast
 * enough. */
static bool has_twin(const struct str *columns, size_t n, size_t i)
{
    for (size_t k = 0; k < n; k++)
        if (k != i && str_eq(columns[k], columns[i]))
            return true;
    return false;
}

/* Names are copied, since the connector may be closed before the file is written. */
static int init_columns(struct mapping_init *init, const struct str *columns, size_t n)
{
    init->columns = arena_calloc(&init->arena, n, sizeof *init->columns);
    init->cells = arena_calloc(&init->arena, n, sizeof *init->cells);
    init->looks = arena_calloc(&init->arena, n, sizeof *init->looks);
    init->uses = arena_calloc(&init->arena, n, sizeof *init->uses);
    init->short_rows = arena_calloc(&init->arena, n + 1, sizeof *init->short_rows);
    init->seen = arena_calloc(&init->arena, SEEN_SLOTS, sizeof *init->seen);
    if (init->columns == NULL || init->cells == NULL || init->looks == NULL || init->uses == NULL || init->seen == NULL ||
        init->short_rows == NULL)
        return -1;
    for (size_t i = 0; i < n; i++) {
        bool twin = usable(columns[i]) && has_twin(columns, n, i);
        if (twin || !usable(columns[i])) {
            init->twins += twin;
            init->left_out += !twin;
            continue;
        }
        if (arena_str(&init->arena, columns[i], &init->columns[init->n]) != 0)
            return -1;
        init->cells[init->n++] = i;
    }
    init->source_n = n;
    init->email = init->n;
    return names_assign(init->columns, init->n, init->uses);
}

/* Matches the names first, because counting repeated addresses needs their column. */
int mapping_init_new(const struct str *columns, size_t n, struct mapping_init **out, struct err *e)
{
    *out = NULL;
    struct mapping_init *init = calloc(1, sizeof *init);
    if (init == NULL)
        return err_oom(e);
    arena_init(&init->arena, ARENA_MAX);
    arena_init(&init->scratch, SCRATCH_MAX);
    if (init_columns(init, columns, n) != 0) {
        mapping_init_free(init);
        return err_oom(e);
    }
    if (init->n == 0) {
        mapping_init_free(init);
        return err_set(e, XS_SOURCE, "the source has no usable columns; add a header line");
    }
    for (size_t i = 0; i < init->n; i++) {
        if (init->uses[i].field == LEAD_EMAIL)
            init->email = i;
    }
    *out = init;
    return 0;
}

void mapping_init_free(struct mapping_init *init)
{
    if (init == NULL)
        return;
    arena_free(&init->arena);
    arena_free(&init->scratch);
    free(init);
}

/* Counts repeated addresses. FNV-1a is good enough for a count; a table that is half full accepts no further entry. */
static int look_for_repeats(struct mapping_init *init, struct str text)
{
    struct email email;
    if (email_parse(email_unwrap(text), &init->scratch, &email) != 0)
        return -1;
    if (email.why != NULL || init->seen_n >= SEEN_SLOTS / 2)
        return 0;
    uint64_t hash = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < email.key.n; i++)
        hash = (hash ^ (unsigned char)email.key.p[i]) * UINT64_C(1099511628211);
    hash |= 1; /* 0 is a free slot */
    for (size_t i = (size_t)(hash >> 32) % SEEN_SLOTS;; i = (i + 1) % SEEN_SLOTS) {
        if (init->seen[i] == hash) {
            init->repeated++;
            return 0;
        }
        if (init->seen[i] == 0) {
            init->seen[i] = hash;
            init->seen_n++;
            return 0;
        }
    }
}

/* True if the row is usable. A row that ends early is usable if it has the address, whose column is not known yet. */
static bool takes_row(struct mapping_init *init, const struct row *row)
{
    if (row->defect == REASON_RAGGED_ROW && row_may_be_filled_up(row, init->source_n)) {
        init->short_rows[row->found > 0 ? row->found : row->n]++;
        return true;
    }
    return row->defect == REASON_NONE && row->n == init->source_n;
}

/* A text in one cell and at most numbers beside it, and no address: a row below the data, as reports have. Returns the number of
 * filled cells, 0 for another row. `*column`: of the text, which comes first. */
static size_t footer_cells(const struct mapping_init *init, const struct row *row, size_t *column)
{
    size_t filled = 0;
    *column = init->source_n;
    if (row->line == 0 || init->source_n <= FOOTER_CELLS)
        return 0;
    for (size_t i = 0; i < row->n && i < init->source_n; i++) {
        struct str text = str_trim((struct str){row->cells[i].p, row->cells[i].n});
        bool word = footer_has_letter(text);
        if (memchr(text.p, '@', text.n) != NULL || (word && filled > 0) || (text.n > 0 && !word && filled == 0))
            return 0;
        if (word)
            *column = i;
        filled += text.n > 0;
    }
    return filled;
}

/* A row of sums may have many numbers and stand anywhere; another footer has one at most, and only the end shows that it is one. */
static void look_for_footer(struct mapping_init *init, const struct row *row)
{
    size_t cell, column = 0, filled = footer_cells(init, row, &cell);
    if (filled == 0) {
        init->footer_rows = 0;
        return;
    }
    const char *word = footer_total_word(str_trim((struct str){row->cells[cell].p, row->cells[cell].n}));
    while (column < init->n && init->cells[column] != cell)
        column++;
    bool known = false;
    for (size_t i = 0; word != NULL && i < init->totals_n; i++)
        known = known || (init->totals[i].word == word && init->totals[i].column == column);
    if (word != NULL && column < init->n) {
        if (!known && init->totals_n < TOTALS_MAX)
            init->totals[init->totals_n++] = (struct total){word, column, row->line};
        return;
    }
    if (filled > FOOTER_CELLS || cell != 0 || init->cells[0] != 0)
        init->footer_rows = 0;
    else if (init->footer_rows++ == 0)
        init->footer_line = row->line;
}

/* Skips unusable cells. If a field uses them, their rows are rejected, and `preview` names them. */
int mapping_init_see(struct mapping_init *init, const struct row *row, struct err *e)
{
    init->rows++;
    look_for_footer(init, row);
    if (!takes_row(init, row)) {
        init->defects++;
        return 0;
    }
    arena_reset(&init->scratch);
    for (size_t i = 0; i < init->n && init->cells[i] < row->n; i++) {
        const struct cell *cell = &row->cells[init->cells[i]];
        struct str text = {cell->p, cell->n};
        if (cell->null || row_flaw(row, init->cells[i]) != REASON_NONE || str_trim(text).n == 0 || !text_is_utf8(text))
            continue;
        if (look_at(&init->looks[i], text, &init->scratch) != 0 || (i == init->email && look_for_repeats(init, text) != 0))
            return err_oom(e);
    }
    return 0;
}
