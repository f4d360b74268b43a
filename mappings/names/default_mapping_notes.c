/* Notes for the user about the columns of a CSV without a mapping: several columns claim one field, a column may hold a field
 * that stays empty, or a column looks like an opt-out. Each note ends with what to do. */
#include "config.h"

#include "mappings/file/compiled.h"
#include "mappings/file/yaml_write.h"
#include "mappings/names/names.h"

#include <string.h>

enum { NOTE_MAX = 1 << 14, SHOWN_COLUMNS = 12 /* of those that claim one field */ };

static int default_mapping_notes_add(struct mapping *m, bool warning, const struct buf *text)
{
    struct mapping_note *note = &m->impl->notes[m->impl->notes_n];
    note->warning = warning;
    note->text = arena_dup(&m->arena, text->p, text->n);
    m->impl->notes_n += note->text != NULL;
    return note->text != NULL ? 0 : -1;
}

/* "A", "B" and "C" */
static void put_names(struct buf *out, const struct str *columns, const size_t *claims, size_t n)
{
    for (size_t i = 0; i < n; i++)
        buf_addf(out, "%s\"%.*s\"", i == 0 ? "" : i + 1 == n ? " and " : ", ", STR_ARG(columns[claims[i]]));
}

/* `field: {from: [A, B]}`, as it stands in a mapping. */
static void put_list(struct buf *out, enum lead_field field, const struct str *columns, const size_t *claims, size_t n)
{
    struct yaml_writer w = {.out = out};
    buf_addf(out, "%s: {from: [", lead_field_table[field].api);
    for (size_t i = 0; i < n; i++) {
        yaml_put(&w, i > 0 ? ", " : "");
        yaml_put_scalar(&w, columns[claims[i]]);
    }
    yaml_put(&w, "]}");
}

/* Reports that only one of several possible columns is used. This is a warning if the columns are equally good, and a notice
 * if the used one has a better name. A text that does not fit its buffer is cut. */
static int note_claims(struct mapping *m, enum lead_field field, const struct str *columns, const struct names_use *uses,
                       const size_t *claims, size_t n)
{
    struct buf text = BUF_INIT(NOTE_MAX);
    size_t used = claims[0], equal = 0;
    for (size_t i = 0; i < n; i++)
        used = uses[claims[i]].field == (int)field ? claims[i] : used;
    for (size_t i = 0; i < n; i++)
        equal += uses[claims[i]].match.rank == uses[used].match.rank;
    n = n < SHOWN_COLUMNS ? n : SHOWN_COLUMNS;
    buf_addf(&text, "%s: columns ", m->source.as.csv.path);
    put_names(&text, columns, claims, n);
    buf_addf(&text,
             " could each be %s; \"%.*s\" is used. To take the first that is filled, write a mapping (leadsync init) with ",
             lead_field_table[field].api, STR_ARG(columns[used]));
    put_list(&text, field, columns, claims, n);
    int rc = default_mapping_notes_add(m, equal > 1, &text);
    buf_free(&text);
    return rc;
}

/* A field that stays empty although a column may hold it. Without a note for website and personalization: those
 * columns mostly hold a LinkedIn page, or notes about a lead. */
static int note_maybes(struct mapping *m, enum lead_field field, const struct str *columns, const struct names_use *uses,
                       size_t columns_n, size_t *maybes)
{
    size_t n = 0;
    for (size_t i = 0; i < columns_n; i++) {
        if (uses[i].field == (int)field)
            return 0;
        if (n < SHOWN_COLUMNS && uses[i].match.certainty == NAMES_MAYBE && uses[i].match.field == field &&
            names_opt_out(columns[i]) == NULL)
            maybes[n++] = i;
    }
    if (n == 0 || field == LEAD_EMAIL || field == LEAD_WEBSITE || field == LEAD_PERSONALIZATION)
        return 0;
    struct buf text = BUF_INIT(NOTE_MAX);
    buf_addf(&text, "%s: %s stays empty, but ", m->source.as.csv.path, lead_field_table[field].api);
    put_names(&text, columns, maybes, n);
    buf_addf(&text, " may hold it; write a mapping (leadsync init), or rename %s to \"%s\"",
             n == 1 ? "the column" : "one of them", lead_field_table[field].api);
    int rc = default_mapping_notes_add(m, false, &text);
    buf_free(&text);
    return rc;
}

/* A single quote stands for itself as '\''. */
int default_mapping_quote(struct str text, struct buf *out)
{
    int bad = 0;
    for (size_t i = 0; i < text.n; i++)
        bad |= text.p[i] == '\'' ? buf_adds(out, "'\\''") : buf_addc(out, text.p[i]);
    return bad;
}

static int note_opt_out(struct mapping *m, struct str column, const char *const *values)
{
    struct buf text = BUF_INIT(NOTE_MAX);
    buf_addf(&text, "%s: column \"%.*s\" looks like an opt-out but leaves no row out; ", m->source.as.csv.path,
             STR_ARG(column));
    if (memchr(column.p, '=', column.n) != NULL) { /* the option would end the name there */
        buf_adds(&text, "write a mapping with skip_when: (leadsync init)");
    } else {
        buf_adds(&text, "to leave out these people: --skip-when '");
        default_mapping_quote(column, &text);
        for (size_t i = 0; values[i] != NULL; i++)
            buf_addf(&text, "%s%s", i > 0 ? "," : "=", values[i]);
        buf_adds(&text, "'");
    }
    int rc = default_mapping_notes_add(m, true, &text);
    buf_free(&text);
    return rc;
}

static bool has_rule(const struct mapping_impl *impl, struct str column)
{
    for (size_t i = 0; i < impl->skips_n; i++)
        if (str_eq(impl->skips[i].column.name, column))
            return true;
    return false;
}

int default_mapping_notes(struct mapping *m, const struct str *columns, const struct names_use *uses, size_t n)
{
    struct mapping_impl *impl = m->impl;
    size_t *claims = arena_calloc(&m->arena, n + 1, sizeof *claims);
    impl->notes = arena_calloc(&m->arena, n + LEAD_FIELD_N, sizeof *impl->notes);
    impl->notes_n = 0;
    if (claims == NULL || impl->notes == NULL)
        return -1;
    for (int field = 0; field < LEAD_FIELD_N; field++) {
        size_t claims_n = names_claims(uses, n, (enum lead_field)field, claims);
        if (claims_n > 1 && note_claims(m, (enum lead_field)field, columns, uses, claims, claims_n) != 0)
            return -1;
        if (claims_n == 0 && note_maybes(m, (enum lead_field)field, columns, uses, n, claims) != 0)
            return -1;
    }
    for (size_t i = 0; i < n; i++) {
        const char *const *values = names_opt_out(columns[i]);
        if (uses[i].field < 0 && values != NULL && !has_rule(impl, columns[i]) && note_opt_out(m, columns[i], values) != 0)
            return -1;
    }
    return 0;
}

size_t mapping_notes(const struct mapping *m, const struct mapping_note **notes)
{
    *notes = m->impl->notes;
    return m->impl->notes_n;
}
