/* Writes the proposed file: what is sure as YAML, what is not as a comment that becomes YAML without its '#'. */
#include "config.h"

#include "mappings/init/init.h"

#include "mappings/file/compiled.h"
#include "mappings/init/init_look.h"
#include "mappings/init/init_propose.h"
#include "mappings/init/init_writer.h"
#include "mappings/names/names_words.h"
#include "sync/base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEY_MAX = 1 << 16, FOOTER_ROWS_MAX = 3 };

/* ---- columns ---- */

/* True if most of the web addresses are LinkedIn pages, which are not websites of the person or company. */
static bool is_profile(const struct look *look)
{
    return look->profiles * 2 > look->filled;
}

/* Dutch exports keep the "van der" of a last name in a column of its own. Its index; n if there is none, or
 * if a template cannot hold its name. */
static size_t particle_column(const struct mapping_init *init)
{
    static const char *const names[] = {"tussenvoegsel", "tussenvoegsels", "voorvoegsel", "voorvoegsels"};
    size_t last = 0;
    while (last < init->n && init->uses[last].field != LEAD_LAST_NAME)
        last++;
    for (size_t i = 0; last < init->n && i < init->n; i++) {
        for (size_t k = 0; k < sizeof names / sizeof names[0]; k++) {
            if (str_eq_nocase(init->columns[i], str_from(names[k])) && init->uses[i].field < 0 &&
                strpbrk(init->columns[last].p, "{}") == NULL)
                return i;
        }
    }
    return init->n;
}

/* The particle before the name; the arena's copies of names end in a NUL. */
static void put_last_name(struct init_writer *w, struct str particle, struct str column)
{
    struct buf text = BUF_INIT(KEY_MAX);
    if (buf_addf(&text, "{%.*s} {%.*s}", STR_ARG(particle), STR_ARG(column)) != 0)
        w->yaml.failed = true;
    yaml_put(&w->yaml, "{template: ");
    yaml_put_scalar(&w->yaml, buf_str(&text));
    buf_free(&text);
}

/* "from: Column", or "from: [A, B]" where several columns claim the field: the first that is filled counts. */
static void put_from(struct init_writer *w, const size_t *columns, size_t n)
{
    yaml_put(&w->yaml, n > 1 ? "{from: [" : "{from: ");
    for (size_t i = 0; i < n; i++) {
        yaml_put(&w->yaml, i > 0 ? ", " : "");
        yaml_put_scalar(&w->yaml, w->init->columns[columns[i]]);
    }
    yaml_put(&w->yaml, n > 1 ? "]" : "");
}

/* "NAME: Column" or "NAME: {from: Column, apply: […], type: …}". `particle`: the column before it, or empty. Only an
 * invalid address rejects the row. */
static void put_column(struct init_writer *w, struct str name, struct str particle, const size_t *columns, size_t n,
                       const struct steps *steps, const char *type)
{
    bool address = str_is(name, lead_field_table[LEAD_EMAIL].api);
    yaml_put_scalar(&w->yaml, name);
    yaml_put(&w->yaml, ": ");
    if (particle.n > 0)
        put_last_name(w, particle, w->init->columns[columns[0]]);
    else
        put_from(w, columns, n);
    for (size_t i = 0; i < steps->n; i++) {
        yaml_put(&w->yaml, i == 0 ? ", apply: [" : ", ");
        yaml_put(&w->yaml, steps->text[i]);
        yaml_put(&w->yaml, i + 1 == steps->n ? "]" : "");
    }
    if (type != NULL) {
        yaml_put(&w->yaml, ", type: ");
        yaml_put(&w->yaml, type);
    }
    yaml_put(&w->yaml, address ? "}" : ", on_error: empty}");
}

/* A mapping that goes on with leads first writes the field as these have it: from the one column, only cleaned. A replacement stays,
 * because it only empties bad values, and an empty value changes no lead. True if that is another line than the proposal, which then
 * follows as a comment. */
static bool put_as_sent(struct init_writer *w, const size_t *columns, size_t n, int field, const struct steps *steps,
                        bool particle)
{
    struct steps plain = {.n = 0};
    size_t base = field == LEAD_EMAIL ? 2 : 1, used = 0;
    for (size_t i = 0; i < steps->n; i++)
        if (i < base || strncmp(steps->text[i], "{replace:", strlen("{replace:")) == 0)
            plain.text[plain.n++] = steps->text[i];
    if (!w->file->goes_on || (n == 1 && steps->n == plain.n && !particle))
        return false;
    while (used + 1 < n && w->init->uses[columns[used]].field != field)
        used++;
    yaml_put(&w->yaml, "  ");
    put_column(w, str_from(lead_field_table[field].api), STR_NONE, &columns[used], 1, &plain, NULL);
    yaml_put_note(&w->yaml, "as sent until now");
    yaml_end_line(&w->yaml);
    return true;
}

/* A sure line is YAML; a line that would reject every row is a comment. */
static void put_field(struct init_writer *w, const size_t *columns, size_t n, int field, const char *why)
{
    size_t particle = field == LEAD_LAST_NAME && n == 1 ? particle_column(w->init) : w->init->n;
    struct look look = w->init->looks[columns[0]];
    for (size_t i = 1; i < n; i++)
        look_add(&look, &w->init->looks[columns[i]]);
    struct steps steps = propose_steps(&look, field);
    const char *unsure = why != NULL ? why : propose_doubt(&look, field);
    bool fits = propose_fits(&look, field);
    bool commented = !fits || put_as_sent(w, columns, n, field, &steps, particle < w->init->n);
    yaml_put(&w->yaml, commented ? "  # " : "  ");
    put_column(w, str_from(lead_field_table[field].api), particle < w->init->n ? w->init->columns[particle] : STR_NONE,
               columns, n, &steps, NULL);
    if (!fits)
        yaml_put_note(&w->yaml, field == LEAD_ASSIGNED_TO ? "unsure: takes the UUID of a user; the cells are not UUIDs"
                                                          : "unsure: takes a number; words need map: {word: number}");
    else if (unsure != NULL)
        yaml_put_note(&w->yaml, unsure);
    else if (n > 1)
        yaml_put_note(&w->yaml, "the first that is filled");
    else if (steps.why != NULL)
        yaml_put_note(&w->yaml, steps.why);
    yaml_end_line(&w->yaml);
}

/* Rates columns without addresses as the column of the addresses: by an @ in a cell, else by the name. */
static size_t email_likeness(const struct mapping_init *init, size_t i)
{
    struct buf key = BUF_INIT(NAMES_HEADER_MAX);
    bool named = names_key(init->columns[i], &key) == 0 && key.n > 0 && strstr(buf_cstr(&key), "mail") != NULL &&
                 names_opt_out(init->columns[i]) == NULL;
    buf_free(&key);
    return init->looks[i].at_signs > 0 ? 2 + init->looks[i].at_signs : named;
}

/* The column of the addresses: by its name, else the one with the most addresses. */
static size_t email_column(const struct mapping_init *init, const char **why)
{
    size_t best = 0, several = 0, like = 0;
    *why = NULL;
    if (init->email < init->n)
        return init->email;
    for (size_t i = 0; i < init->n; i++) {
        several += init->looks[i].emails > 0;
        if (init->looks[i].emails > init->looks[best].emails)
            best = i;
    }
    *why = several > 1   ? "unsure: several columns hold e-mail addresses"
           : several > 0 ? "unsure: recognized by its cells, not by its name"
                         : "please correct: no column seems to hold e-mail addresses";
    for (size_t i = 0; several == 0 && i < init->n; i++) {
        size_t likeness = email_likeness(init, i);
        best = likeness > like ? i : best;
        like = likeness > like ? likeness : like;
    }
    return best;
}

/* Is there a column for the field already? */
static bool is_filled(const struct mapping_init *init, int field)
{
    for (size_t i = 0; i < init->n; i++) {
        if (init->uses[i].field == field || init->uses[i].rival == field)
            return true;
    }
    return false;
}

/* A column "Site" is the website if every cell is a web address. Names such as "URL" may be of a page about the lead. Leads that were
 * sent without it stay as they are. */
static bool is_website_by_cells(const struct init_writer *w, size_t i)
{
    static const char *const names[] = {"Site", "Web", "Internet", "Domain", "Company domain"};
    const struct look *look = &w->init->looks[i];
    bool named = false;
    for (size_t k = 0; k < sizeof names / sizeof names[0]; k++)
        named = named || str_eq_nocase(str_trim(w->init->columns[i]), str_from(names[k]));
    return named && !w->file->goes_on && look_all(look, look->bare_hosts + look->urls);
}

/* A name that may mean the field: a commented line, if no other column fills the field. */
static void put_maybes(struct init_writer *w, size_t email)
{
    const struct mapping_init *init = w->init;
    bool has_website = false;
    for (size_t i = 0; i < init->n; i++) {
        struct names_match match;
        if (i == email || init->uses[i].field >= 0 || names_find(init->columns[i], &match) != 1 ||
            match.field == LEAD_EMAIL || is_filled(init, (int)match.field) ||
            (match.field == LEAD_WEBSITE && is_profile(&init->looks[i])))
            continue;
        struct steps steps = propose_steps(&init->looks[i], (int)match.field);
        bool whole = match.field == LEAD_FIRST_NAME && init->looks[i].spaced * 2 > init->looks[i].filled;
        propose_add(&steps, whole, "{replace: ['\\s.*$', '']}", "");
        bool sites = match.field == LEAD_WEBSITE && !has_website && is_website_by_cells(w, i);
        has_website = has_website || sites;
        yaml_put(&w->yaml, sites ? "  " : "  # ");
        put_column(w, str_from(lead_field_table[match.field].api), STR_NONE, &i, 1, &steps, NULL);
        yaml_put_note(&w->yaml, sites   ? "recognized by its cells"
                                : whole ? "unsure: are these whole names? Then the first word is used"
                                        : "unsure: the name may mean something else");
        yaml_end_line(&w->yaml);
    }
}

/* In the order in which the API lists them, whatever the order of the columns. */
static void put_fields(struct init_writer *w, size_t email, const char *email_why)
{
    const struct mapping_init *init = w->init;
    yaml_put(&w->yaml,
             "# Lead field: column. 'apply' cleans a value, in this order. 'on_error: empty' drops a value that does not\n"
             "# fit, and keeps the person. 'leadsync schema' lists all that is possible.\nfields:\n");
    if (w->file->goes_on)
        yaml_put(
            &w->yaml,
            "  # The leads have these values already. A commented line is a proposal that would change them: to use it,\n"
            "  # remove its '# ' and the line above it.\n");
    w->yaml.line = w->yaml.out->n;
    put_field(w, &email, 1, LEAD_EMAIL, email_why);
    size_t *claims = calloc(init->n + 1, sizeof *claims);
    w->yaml.failed = w->yaml.failed || claims == NULL;
    for (int field = LEAD_EMAIL + 1; field < LEAD_FIELD_N && !w->yaml.failed; field++) {
        size_t n = 0, claims_n = names_claims(init->uses, init->n, (enum lead_field)field, claims);
        for (size_t i = 0; i < claims_n; i++)
            if (claims[i] != email)
                claims[n++] = claims[i];
        if (n > 0)
            put_field(w, claims, n, field, NULL);
    }
    free(claims);
    put_maybes(w, email);
    yaml_end_line(&w->yaml);
}

/* ---- what is left ---- */

/* A variable's name for a column: the column's own name if it is allowed. */
static void put_variable(struct init_writer *w, size_t i)
{
    const struct mapping_init *init = w->init;
    struct str column = init->columns[i], name = str_trim(column);
    struct steps steps = propose_steps(&init->looks[i], LEAD_FIELD_N);
    struct names_match match;
    struct buf other = BUF_INIT(256);
    if (custom_name_flaw(name) != NULL) { /* use the number of the column instead */
        if (buf_addf(&other, "column_%zu", init->cells[i] + 1) != 0)
            w->yaml.failed = true;
        name = buf_str(&other);
    }
    const char *unsure, *type = propose_type(&init->looks[i], &steps, &unsure);
    yaml_put(&w->yaml, "#   ");
    put_column(w, name, STR_NONE, &i, 1, &steps, type);
    if (is_profile(&init->looks[i]) && init->looks[i].filled > 0 && names_find(column, &match) == 1 &&
        match.field == LEAD_WEBSITE)
        yaml_put_note(&w->yaml, "LinkedIn or Xing pages, not websites");
    else if (init->looks[i].filled == 0 && init->rows > init->defects)
        yaml_put_note(&w->yaml, "empty in all rows that init read");
    else if (unsure != NULL)
        yaml_put_note(&w->yaml, unsure);
    else if (steps.why != NULL)
        yaml_put_note(&w->yaml, steps.why);
    yaml_end_line(&w->yaml);
    buf_free(&other);
}

/* True if the column is in the list of a field. The address has no such list. */
static bool fills_rival(const struct mapping_init *init, size_t i)
{
    return init->uses[i].rival >= 0 && init->uses[i].rival != LEAD_EMAIL;
}

/* All lines are comments: variables are personal data, and sending one is useful only if a campaign uses it. */
static void put_variables(struct init_writer *w, size_t email)
{
    const struct mapping_init *init = w->init;
    size_t n = 0, particle = particle_column(init);
    for (size_t i = 0; i < init->n; i++) {
        if (i == email || init->uses[i].field >= 0 || fills_rival(init, i) || i == particle)
            continue;
        if (n++ == 0)
            yaml_put(&w->yaml, "# Columns that are not used yet. Remove the '# ' from this key and from each line that a "
                               "campaign uses as\n# {{name}}:\n# custom_variables:\n");
        w->yaml.line = w->yaml.out->n;
        put_variable(w, i);
    }
    if (n > 0)
        yaml_end_line(&w->yaml);
}

/* The rule for one column. A column that should hold a date or a cause can also hold yes and no. */
static void put_skip(struct init_writer *w, size_t i, const char *const *values)
{
    const struct look *look = &w->init->looks[i];
    bool any = strcmp(values[0], "*") == 0, answers = look->answers == look->filled;
    if (any && answers && look->filled > 0) {
        values = names_opt_out(STR("unsubscribed"));
        any = false;
    }
    yaml_put(&w->yaml, "  - {column: ");
    yaml_put_scalar(&w->yaml, w->init->columns[i]);
    for (size_t k = 0; values[k] != NULL; k++) {
        yaml_put(&w->yaml, k > 0 ? "\", \"" : ", in: [\"");
        yaml_put(&w->yaml, values[k]);
    }
    yaml_put(&w->yaml, "\"]}");
    if (any)
        yaml_put_note(&w->yaml, "any value");
    else if (!answers && (strcmp(values[0], "1") == 0 || strcmp(values[0], "0") == 0))
        yaml_put_note(&w->yaml, "unsure: some values are neither yes nor no");
    yaml_end_line(&w->yaml);
}

/* The text of a footer is a value, so it does not get into the file; the reader adds it. Many such rows are not a footer. */
static void put_footer(struct init_writer *w, bool has_rules)
{
    const struct mapping_init *init = w->init;
    char text[256];
    if (!w->file->whole || init->footer_rows == 0 || init->footer_rows > FOOTER_ROWS_MAX || init->footer_rows == init->rows)
        return;
    snprintf(text, sizeof text,
             "# Line %" PRIu64
             ", at the end, looks like a footer. To leave it out, put its text into this rule and remove the '# '.\n"
             "# A text that changes with every file, such as a date, does not work.\n",
             init->footer_line);
    yaml_put(&w->yaml, text);
    yaml_put(&w->yaml, has_rules ? "#   - {column: " : "# skip_when:\n#   - {column: ");
    yaml_put_scalar(&w->yaml, init->columns[0]);
    yaml_put(&w->yaml, ", in: [TEXT]}\n");
    w->yaml.line = w->yaml.out->n;
    if (!has_rules)
        yaml_end_line(&w->yaml);
}

/* Such a word is no lead's data, so the rule is complete. */
static void put_totals(struct init_writer *w, bool has_rules)
{
    const struct mapping_init *init = w->init;
    char note[64];
    for (size_t i = 0; i < init->totals_n; i++) {
        if (i == 0 && !has_rules)
            yaml_put(&w->yaml, "# Rows that are left out.\nskip_when:\n");
        w->yaml.line = w->yaml.out->n;
        yaml_put(&w->yaml, "  - {column: ");
        yaml_put_scalar(&w->yaml, init->columns[init->totals[i].column]);
        yaml_put(&w->yaml, ", in: [");
        yaml_put_text(&w->yaml, init->totals[i].word);
        yaml_put(&w->yaml, "]}");
        snprintf(note, sizeof note, "no person: the sums in line %" PRIu64, init->totals[i].line);
        yaml_put_note(&w->yaml, note);
        yaml_end_line(&w->yaml);
    }
}

/* Opt-out columns must not be overlooked, so their rule is not a comment. */
static void put_skips(struct init_writer *w, size_t email)
{
    const struct mapping_init *init = w->init;
    size_t n = 0;
    for (size_t i = 0; i < init->n && !w->yaml.failed; i++) {
        const char *const *values = i != email ? names_opt_out(init->columns[i]) : NULL;
        if (values == NULL)
            continue;
        if (n++ == 0)
            yaml_put(
                &w->yaml,
                "# Rows that are left out. Please check that these values mean an opt-out. A rule keeps the leads that are\n"
                "# in Instantly already; 'then: delete' in its braces deletes them there.\nskip_when:\n");
        w->yaml.line = w->yaml.out->n;
        put_skip(w, i, values);
    }
    put_totals(w, n > 0);
    n += init->totals_n;
    put_footer(w, n > 0);
    if (n > 0)
        yaml_end_line(&w->yaml);
}

/* What the reader should decide before the first run. */
static void put_tail(struct init_writer *w, size_t email)
{
    const struct mapping_init *init = w->init;
    size_t defects = init->defects;
    char text[160];
    for (size_t n = 0; email < init->n && n <= init->cells[email]; n++)
        defects += init->short_rows[n];
    if (init->repeated > 0) {
        snprintf(
            text, sizeof text,
            "# Rows that repeat the address of an earlier row, among those that init read: %zu. The first one counts:\n",
            init->repeated);
        yaml_put(&w->yaml, text);
        yaml_put(&w->yaml, "duplicates: first                             # first | last | reject\n\n");
    }
    if (defects > 0) {
        snprintf(
            text, sizeof text,
            "# %zu of %zu row%s cannot be read (too many cells, or too few); 'leadsync preview --limit 0' names them.\n\n",
            defects, init->rows, text_plural(init->rows));
        yaml_put(&w->yaml, text);
    }
    if (init->twins > 0) {
        snprintf(
            text, sizeof text,
            "# %zu columns are left out because other columns have the same names. To use them, rename them in the source.\n\n",
            init->twins);
        yaml_put(&w->yaml, text);
    }
    yaml_put(&w->yaml,
             "mode: upsert                                  # create: add leads · upsert: add and update · mirror: "
             "upsert, then apply\n"
             "                                              # 'removed' to leads whose row is missing from the source\n"
             "# removed: keep                               # mirror only: keep | delete | {move_to: {list: Gone}}\n");
}

/* The proposed file must load, whatever the names of the columns are. */
static int verify(const struct mapping_init *init, struct str text, struct err *e)
{
    struct mapping *m = NULL;
    struct err why = ERR_INIT;
    int rc = mapping_parse("proposal.yaml", text, &m, &why);
    if (rc == 0)
        rc = mapping_bind(m, init->columns, init->n, &why);
    mapping_free(m);
    if (rc != 0)
        err_set(e, XS_INTERNAL, "the proposed mapping is not valid, please report:\n%s", err_text(&why));
    err_clear(&why);
    return rc;
}

/* Columns whose cells are not websites, whatever their names are. */
static void drop_profiles(const struct mapping_init *init, struct names_use *uses)
{
    memcpy(uses, init->uses, init->n * sizeof *uses);
    for (size_t i = 0; i < init->n; i++) {
        if ((uses[i].field == LEAD_WEBSITE || uses[i].rival == LEAD_WEBSITE) && is_profile(&init->looks[i]))
            uses[i].field = uses[i].rival = NAMES_UNUSED;
    }
}

/* Writes the source first, then the target, the fields, and the rows to leave out. */
static int init_write_write_all(struct init_writer *w, struct err *e)
{
    size_t start = w->yaml.out->n;
    const char *email_why;
    size_t email = email_column(w->init, &email_why);
    init_put_head(w);
    put_fields(w, email, email_why);
    put_variables(w, email);
    put_skips(w, email);
    put_tail(w, email);
    if (w->yaml.foreign)
        return err_set(e, XS_USAGE, "a mapping file cannot hold a path or query that is not UTF-8; rename the file");
    if (w->yaml.failed)
        return err_oom(e);
    return verify(w->init, (struct str){w->yaml.out->p + start, w->yaml.out->n - start}, e);
}

int mapping_init_write(const struct mapping_init *init, const struct mapping_init_file *file, struct buf *out, struct err *e)
{
    struct mapping_init seen = *init;
    struct init_writer w = {.yaml = {.out = out, .line = out->n}, .init = &seen, .file = file};
    seen.uses = calloc(init->n + 1, sizeof *seen.uses);
    if (seen.uses == NULL)
        return err_oom(e);
    drop_profiles(init, seen.uses);
    int rc = init_write_write_all(&w, e);
    free(seen.uses);
    return rc;
}
