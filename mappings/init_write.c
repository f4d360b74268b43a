/* Writes the proposed file: what is sure as YAML, what is not as a comment that becomes YAML without its '#'. */
#include "config.h"

#include "mappings/init.h"

#include "mappings/compiled.h"
#include "mappings/init_look.h"
#include "mappings/init_propose.h"
#include "mappings/init_yaml.h"
#include "sync/base/text.h"

#include <stdio.h>
#include <string.h>

enum { NAME_BYTES_MAX = 64, KEY_MAX = 1 << 16 };

/* ---- the head ---- */

/* "My Leads (2).csv" as "my-leads-2". */
static void put_name(struct init_writer *w)
{
    const char *from = w->file->name != NULL ? w->file->name : w->file->label;
    const char *slash = strrchr(from, '/'), *dot;
    char name[NAME_BYTES_MAX + 1];
    size_t n = 0;
    from = slash != NULL ? slash + 1 : from;
    dot = w->file->name == NULL ? strrchr(from, '.') : NULL;
    for (const char *p = from; *p != '\0' && p != dot && n < NAME_BYTES_MAX; p++) {
        char c = *p >= 'A' && *p <= 'Z' ? (char)(*p | 0x20) : *p;
        bool alnum = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (alnum || (n > 0 && (c == '.' || c == '_')))
            name[n++] = c;
        else if (n > 0 && name[n - 1] != '-')
            name[n++] = '-';
    }
    while (n > 0 && name[n - 1] == '-')
        n--;
    init_put(w, "name: ");
    if (n == 0)
        init_put(w, "leads");
    else if (name[0] >= 'a' && init_is_plain((struct str){name, n}))
        init_put_bytes(w, name, n);
    else {
        init_put(w, "\"");
        init_put_bytes(w, name, n);
        init_put(w, "\"");
    }
    init_put_note(w, "identity of this sync in its state; do not change it later");
    init_end_line(w);
}

/* The first comment tells a reader who has never seen such a file what it is and what to do next. */
static void put_head(struct init_writer *w)
{
    if (w->file->schema != NULL && strpbrk(w->file->schema, "\r\n") == NULL) {
        init_put(w, "# yaml-language-server: $schema=");
        init_put(w, w->file->schema);
        init_end_line(w);
    }
    init_put(w, "# Which columns of ");
    init_put_shown(w, str_from(w->file->label));
    init_put(w, " become which fields of a lead: a proposal, made from the names of its\n");
    char seen[96];
    snprintf(seen, sizeof seen, "# columns and a look at %zu row%s. Change what you like, then try it: ", w->init->rows,
             w->init->rows == 1 ? "" : "s");
    init_put(w, seen);
    init_put(w, "'leadsync preview' shows the leads,\n# 'leadsync check' verifies the rest, 'leadsync diff' says what "
                "would be sent.\nversion: 1");
    init_end_line(w);
    put_name(w);
    init_end_line(w);
}

/* What was found out is written down, so that a later file of another kind is noticed and not guessed at. */
static void put_csv(struct init_writer *w, const struct csv_spec *csv)
{
    init_put(w, "  csv:\n    path: ");
    init_put_text(w, csv->path);
    init_end_line(w);
    if (csv->delimiter != 0 && csv->delimiter != ',') {
        init_put(w, "    delimiter: ");
        init_put(w, csv->delimiter == '\t' ? "tab" : (const char[]){'"', csv->delimiter, '"', '\0'});
        init_end_line(w);
    }
    if (csv->encoding != NULL || w->file->encoding_assumed != NULL) {
        init_put(w, "    encoding: ");
        init_put_text(w, csv->encoding != NULL ? csv->encoding : w->file->encoding_assumed);
        if (csv->encoding == NULL)
            init_put_note(w, "unsure: the file is not UTF-8; are its accents right in 'leadsync preview'?");
        init_end_line(w);
    }
    if (csv->embedded_rows) {
        init_put(w, "    embedded_rows: allow");
        init_end_line(w);
    }
    if (w->file->names_made_up && w->file->header_unsure)
        init_put(w, "    # unsure: the first line has gaps and no name that is known, so it was taken for data. If it does "
                    "hold names,\n    # give every column one there, and run init again. These names were made up: give "
                    "them better ones, here and below.\n");
    else if (w->file->names_made_up)
        init_put(w, "    # The first line is data already. These names of the columns were made up: give them better "
                    "ones, here and below.\n");
    for (size_t i = 0; i < csv->names_n && !csv->header; i++) {
        init_put(w, i == 0 ? "    header: [" : ", ");
        init_put_scalar(w, csv->names[i]);
        init_put(w, i + 1 == csv->names_n ? "]\n" : "");
    }
}

/* The source as it was given. Passwords are not looked for: a connection string belongs to who wrote it. */
static void put_source(struct init_writer *w)
{
    const struct source_spec *source = w->file->source;
    init_put(w, "source:\n");
    if (source->kind == SOURCE_CSV) {
        put_csv(w, &source->as.csv);
    } else if (source->kind == SOURCE_COMMAND) {
        init_put(w, "  command:\n    argv: [");
        for (size_t i = 0; source->as.command.argv[i] != NULL; i++) {
            init_put(w, i > 0 ? ", " : "");
            init_put_text(w, source->as.command.argv[i]);
        }
        init_put(w, source->as.command.ndjson ? "]\n    format: ndjson\n" : "]\n");
    } else {
        init_put(w, source->kind == SOURCE_POSTGRES ? "  postgres:\n    url: " : "  sqlite:\n    path: ");
        init_put_text(w, source->as.sql.url);
        init_put(w, "\n    query: ");
        init_put_block(w, source->as.sql.query);
        init_put(w, "    # To read only what changed, add `where updated_at > :watermark` to query: and these two lines:\n"
                    "    # watermark: updated_at\n"
                    "    # full_query: the same columns without :watermark, for full reads\n");
    }
    w->line = w->out->n;
    init_end_line(w);
}

/* A list by default: nobody is mailed from there. */
static void put_target(struct init_writer *w)
{
    const struct target_spec *target = w->file->target;
    init_put(w, "# Where the leads go: {campaign: NAME} or {list: NAME}; a UUID is as good as a name.\n");
    w->line = w->out->n;
    init_put(w, target != NULL && target->kind == TARGET_CAMPAIGN ? "target: {campaign: " : "target: {list: ");
    init_put_text(w, target != NULL ? target->text : "name of your list");
    init_put(w, "}");
    if (target == NULL)
        init_put_note(w, "please fill in");
    init_end_line(w);
    init_end_line(w);
}

/* ---- columns ---- */

/* Dutch exports keep the "van der" of a last name in a column of its own. Its place, or n; it is none where its name
 * cannot stand in a template. */
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
        w->failed = true;
    init_put(w, "{template: ");
    init_put_scalar(w, buf_str(&text));
    buf_free(&text);
}

/* "NAME: Column" or "NAME: {from: Column, apply: […], type: …}". `particle`: the column before it, or empty. */
static void put_column(struct init_writer *w, struct str name, struct str particle, struct str column,
                       const struct steps *steps, const char *type)
{
    init_put_scalar(w, name);
    init_put(w, ": ");
    if (steps->n == 0 && type == NULL) {
        init_put_scalar(w, column);
        return;
    }
    if (particle.n > 0) {
        put_last_name(w, particle, column);
    } else {
        init_put(w, "{from: ");
        init_put_scalar(w, column);
    }
    for (size_t i = 0; i < steps->n; i++) {
        init_put(w, i == 0 ? ", apply: [" : ", ");
        init_put(w, steps->text[i]);
        init_put(w, i + 1 == steps->n ? "]" : "");
    }
    if (type != NULL) {
        init_put(w, ", type: ");
        init_put(w, type);
    }
    init_put(w, "}");
}

/* A line that is sure is YAML; one that would reject every row stands as a comment. */
static void put_field(struct init_writer *w, size_t i, int field, const char *why)
{
    const struct look *look = &w->init->looks[i];
    size_t particle = field == LEAD_LAST_NAME ? particle_column(w->init) : w->init->n;
    struct look seen = *look;
    seen.edges += particle < w->init->n; /* most names have no particle, and a blank before them then */
    struct steps steps = propose_steps(&seen, field);
    const char *unsure = why != NULL ? why : propose_doubt(look, field);
    bool fits = propose_fits(look, field);
    init_put(w, fits ? "  " : "  # ");
    put_column(w, str_from(lead_field_table[field].api),
               particle < w->init->n ? w->init->columns[particle] : STR_NONE, w->init->columns[i], &steps, NULL);
    if (!fits)
        init_put_note(w, field == LEAD_ASSIGNED_TO ? "unsure: takes the UUID of a user, and the cells are none"
                                          : "unsure: takes a number; words need map: {word: number}");
    else if (unsure != NULL)
        init_put_note(w, unsure);
    else if (steps.n > 0)
        init_put_note(w, steps.why);
    init_end_line(w);
}

/* The column of the addresses: by its name, else the one with most of them in its cells. */
static size_t email_column(const struct mapping_init *init, const char **why)
{
    size_t best = 0, several = 0;
    *why = NULL;
    if (init->email < init->n)
        return init->email;
    for (size_t i = 0; i < init->n; i++) {
        several += init->looks[i].emails > 0;
        if (init->looks[i].emails > init->looks[best].emails)
            best = i;
    }
    *why = several > 1   ? "unsure: several columns hold e-mail addresses"
           : several > 0 ? "unsure: known by its cells, not by its name"
                         : "please correct: no column looks like e-mail addresses";
    return best;
}

/* Is there a column for the field already? */
static bool is_filled(const struct mapping_init *init, int field)
{
    for (size_t i = 0; i < init->n; i++) {
        if (init->uses[i].field == field)
            return true;
    }
    return false;
}

/* A name that may mean the field: a line to take the '#' from, unless the field is filled already. */
static void put_maybes(struct init_writer *w, size_t email)
{
    const struct mapping_init *init = w->init;
    for (size_t i = 0; i < init->n; i++) {
        struct names_match match;
        if (i == email || init->uses[i].field >= 0 || names_find(init->columns[i], &match) != 1 ||
            match.field == LEAD_EMAIL || is_filled(init, (int)match.field))
            continue;
        struct steps steps = propose_steps(&init->looks[i], (int)match.field);
        bool whole = match.field == LEAD_FIRST_NAME && init->looks[i].spaced * 2 > init->looks[i].filled;
        propose_add(&steps, whole, "{replace: ['\\s.*$', '']}", "");
        init_put(w, "  # ");
        put_column(w, str_from(lead_field_table[match.field].api), STR_NONE, init->columns[i], &steps, NULL);
        init_put_note(w, whole                                    ? "unsure: whole names? the first word is taken then"
                : init->uses[i].rival >= 0 ? "unsure: another column claims this field too"
                                                     : "unsure: the name may mean something else");
        init_end_line(w);
    }
}

/* In the order in which the API lists them, whatever the order of the columns. */
static void put_fields(struct init_writer *w, size_t email, const char *email_why)
{
    const struct mapping_init *init = w->init;
    init_put(w, "# Lead field: column. 'apply' cleans a value, in this order; 'leadsync schema' lists all that is "
                "possible.\nfields:\n");
    w->line = w->out->n;
    put_field(w, email, LEAD_EMAIL, email_why);
    for (int field = LEAD_EMAIL + 1; field < LEAD_FIELD_N; field++) {
        for (size_t i = 0; i < init->n; i++) {
            if (init->uses[i].field == field && i != email)
                put_field(w, i, field, NULL);
        }
    }
    put_maybes(w, email);
    init_end_line(w);
}

/* ---- what is left ---- */

/* A variable's name of a column's: as it is where it can be. */
static void put_variable(struct init_writer *w, size_t i)
{
    const struct mapping_init *init = w->init;
    struct str column = init->columns[i], name = str_trim(column);
    struct steps steps = propose_steps(&init->looks[i], LEAD_FIELD_N);
    struct buf other = BUF_INIT(256);
    if (custom_name_flaw(name) != NULL) { /* another name is at hand: its number among the columns */
        if (buf_addf(&other, "column_%zu", init->cells[i] + 1) != 0)
            w->failed = true;
        name = buf_str(&other);
    }
    const char *unsure, *type = propose_type(&init->looks[i], &steps, &unsure);
    init_put(w, "#   ");
    put_column(w, name, STR_NONE, column, &steps, type);
    if (init->looks[i].filled == 0 && init->rows > init->defects)
        init_put_note(w, "empty in all rows that were looked at");
    else if (unsure != NULL)
        init_put_note(w, unsure);
    else if (steps.n > 0)
        init_put_note(w, steps.why);
    init_end_line(w);
    buf_free(&other);
}

/* All in comments: a variable is only worth sending when a campaign uses it, and every one is somebody's data. */
static void put_variables(struct init_writer *w, size_t email)
{
    const struct mapping_init *init = w->init;
    size_t n = 0, particle = particle_column(init);
    for (size_t i = 0; i < init->n; i++) {
        if (i == email || init->uses[i].field >= 0 || i == particle)
            continue;
        if (n++ == 0)
            init_put(w, "# Columns that are not used yet. Take the '# ' from this key and from each line that a "
                        "campaign is to use as\n# {{name}}:\n# custom_variables:\n");
        w->line = w->out->n;
        put_variable(w, i);
    }
    if (n > 0)
        init_end_line(w);
}

/* Columns by which somebody said not to be mailed are not to be overlooked. */
static void put_skips(struct init_writer *w, size_t email)
{
    const struct mapping_init *init = w->init;
    size_t n = 0;
    bool any_value;
    for (size_t i = 0; i < init->n && !w->failed; i++) {
        if (i == email || !names_opt_out(init->columns[i], &any_value))
            continue;
        if (n++ == 0)
            init_put(w, "# Rows that stay out. Please check that these are the values that mean it.\nskip_when:\n");
        w->line = w->out->n;
        init_put(w, "  - {column: ");
        init_put_scalar(w, init->columns[i]);
        init_put(w, ", in: [\"1\", \"true\", \"yes\", \"y\", \"t\", \"x\", \"ja\", \"oui\", \"sí\", "
                    "\"si\", \"sim\"]}");
        if (init->looks[i].answers < init->looks[i].filled)
            init_put_note(w, "unsure: other values than yes and no were seen");
        init_end_line(w);
    }
    if (n > 0)
        init_end_line(w);
}

/* What the reader should decide before the first run. */
static void put_tail(struct init_writer *w)
{
    const struct mapping_init *init = w->init;
    char text[160];
    if (init->repeated > 0) {
        snprintf(text, sizeof text,
                 "# Rows that repeat the address of another one, among those looked at: %zu. The first one counts:\n",
                 init->repeated);
        init_put(w, text);
        init_put(w, "duplicates: first                             # first | last | reject\n\n");
    }
    if (init->defects > 0) {
        snprintf(text, sizeof text,
                 "# %zu of %zu row%s cannot be read (a cell too many or too few); 'leadsync preview --limit 0' names them.\n\n",
                 init->defects, init->rows, text_plural(init->rows));
        init_put(w, text);
    }
    if (init->twins > 0) {
        snprintf(text, sizeof text, "# %zu columns are left out, for their names stand twice: rename them in the source to use them.\n\n",
                 init->twins);
        init_put(w, text);
    }
    init_put(w, "mode: upsert                                  # create: add leads · upsert: add and update · mirror: "
                "and treat the gone\n");
}

/* What is handed out must load, whatever the columns are called. */
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

/* Written in the order in which people think: from where, to where, what, and what not. */
int mapping_init_write(const struct mapping_init *init, const struct mapping_init_file *file, struct buf *out,
                       struct err *e)
{
    struct init_writer w = {.init = init, .file = file, .out = out, .line = out->n};
    size_t start = out->n;
    const char *email_why;
    size_t email = email_column(init, &email_why);
    put_head(&w);
    put_source(&w);
    put_target(&w);
    put_fields(&w, email, email_why);
    put_variables(&w, email);
    put_skips(&w, email);
    put_tail(&w);
    if (w.foreign)
        return err_set(e, XS_USAGE,
                       "a path or query that is not UTF-8 cannot stand in a mapping file; rename the file");
    if (w.failed)
        return err_oom(e);
    return verify(init, (struct str){out->p + start, out->n - start}, e);
}
