/* The first part of a proposed file: what it is, its name, its source and its target. */
#include "config.h"

#include "mappings/init/init.h"

#include "mappings/file/compiled.h"
#include "mappings/init/init_look.h"
#include "mappings/init/init_writer.h"
#include "sync/base/text.h"

#include <stdio.h>
#include <string.h>

/* "My Leads (2).csv" as "my-leads-2". */
static void init_head_put_name(struct init_writer *w)
{
    const char *from = w->file->name != NULL ? w->file->name : w->file->label;
    const char *slash = strrchr(from, '/'), *dot;
    char name[TEXT_SLUG_MAX + 1];
    from = slash != NULL ? slash + 1 : from;
    dot = w->file->name == NULL ? strrchr(from, '.') : NULL;
    size_t n = text_slug((struct str){from, dot != NULL ? (size_t)(dot - from) : strlen(from)}, name);
    yaml_put(&w->yaml, "name: ");
    if (n == 0)
        yaml_put(&w->yaml, "leads");
    else if (name[0] >= 'a' && yaml_is_plain((struct str){name, n}))
        yaml_put_bytes(&w->yaml, name, n);
    else {
        yaml_put(&w->yaml, "\"");
        yaml_put_bytes(&w->yaml, name, n);
        yaml_put(&w->yaml, "\"");
    }
    yaml_put_note(&w->yaml, w->file->goes_on ? "of the sync that this file had without a mapping: goes on with its leads"
                                             : "identity of this sync in its state; do not change it later");
    yaml_end_line(&w->yaml);
}

/* The first comment explains the file and the next steps to a new user. */
static void put_head(struct init_writer *w)
{
    if (w->file->schema != NULL && strpbrk(w->file->schema, "\r\n") == NULL) {
        yaml_put(&w->yaml, "# yaml-language-server: $schema=");
        yaml_put(&w->yaml, w->file->schema);
        yaml_end_line(&w->yaml);
    }
    yaml_put(&w->yaml, "# Which columns of ");
    yaml_put_shown(&w->yaml, str_from(w->file->label));
    yaml_put(&w->yaml, " become which fields of a lead: a proposal, based on the names of its\n");
    char seen[96];
    snprintf(seen, sizeof seen, "# columns and a look at %zu row%s. Change what you like, then try it: ", w->init->rows,
             w->init->rows == 1 ? "" : "s");
    yaml_put(&w->yaml, seen);
    yaml_put(&w->yaml,
             "'leadsync preview' shows the leads,\n# 'leadsync check' verifies the rest, 'leadsync diff' says what "
             "would be sent.\nversion: 1");
    yaml_end_line(&w->yaml);
    init_head_put_name(w);
    yaml_end_line(&w->yaml);
}

/* Writes the detected format, so that a later file in another format causes an error and no guess. An assumed encoding is
 * not written, because the next export may be UTF-8. */
static void put_csv(struct init_writer *w, const struct csv_spec *csv)
{
    yaml_put(&w->yaml, "  csv:\n    path: ");
    yaml_put_text(&w->yaml, csv->path);
    yaml_end_line(&w->yaml);
    if (csv->delimiter != 0 && csv->delimiter != ',') {
        yaml_put(&w->yaml, "    delimiter: ");
        yaml_put(&w->yaml, csv->delimiter == '\t' ? "tab" : (const char[]){'"', csv->delimiter, '"', '\0'});
        yaml_end_line(&w->yaml);
    }
    if (csv->encoding != NULL || w->file->encoding_assumed != NULL) {
        char note[160];
        snprintf(note, sizeof note, "read as %s; are its accents right in 'leadsync preview'?", w->file->encoding_assumed);
        yaml_put(&w->yaml, "    encoding: ");
        yaml_put_text(&w->yaml, csv->encoding != NULL ? csv->encoding : "auto");
        if (csv->encoding == NULL)
            yaml_put_note(&w->yaml, note);
        yaml_end_line(&w->yaml);
    }
    if (csv->embedded_rows) {
        yaml_put(&w->yaml, "    embedded_rows: allow");
        yaml_end_line(&w->yaml);
    }
    if (w->file->names_made_up && w->file->header_unsure)
        yaml_put(&w->yaml,
                 "    # unsure: the first line has gaps and no known name, so it counts as data. If it holds "
                 "names,\n    # give every column a name there, and run init again. init invented these names: choose "
                 "better ones, here and below.\n");
    else if (w->file->names_made_up)
        yaml_put(&w->yaml, "    # The first line is data, so init invented these column names: choose better "
                           "ones, here and below.\n");
    for (size_t i = 0; i < csv->names_n && !csv->header; i++) {
        yaml_put(&w->yaml, i == 0 ? "    header: [" : ", ");
        yaml_put_scalar(&w->yaml, csv->names[i]);
        yaml_put(&w->yaml, i + 1 == csv->names_n ? "]\n" : "");
    }
}

/* The source as the user gave it, including a password in a connection string. */
static void put_source(struct init_writer *w)
{
    const struct source_spec *source = w->file->source;
    yaml_put(&w->yaml, "source:\n");
    if (source->kind == SOURCE_CSV) {
        put_csv(w, &source->as.csv);
    } else if (source->kind == SOURCE_COMMAND) {
        yaml_put(&w->yaml, "  command:\n    argv: [");
        for (size_t i = 0; source->as.command.argv[i] != NULL; i++) {
            yaml_put(&w->yaml, i > 0 ? ", " : "");
            yaml_put_text(&w->yaml, source->as.command.argv[i]);
        }
        yaml_put(&w->yaml, source->as.command.ndjson ? "]\n    format: ndjson\n" : "]\n");
    } else {
        yaml_put(&w->yaml, source->kind == SOURCE_POSTGRES ? "  postgres:\n    url: " : "  sqlite:\n    path: ");
        yaml_put_text(&w->yaml, source->as.sql.url);
        yaml_put(&w->yaml, "\n    query: ");
        yaml_put_block(&w->yaml, source->as.sql.query);
        yaml_put(&w->yaml,
                 "    # To read only what changed, add `where updated_at > :watermark` to query: and these two lines:\n"
                 "    # watermark: updated_at\n"
                 "    # full_query: the same columns without :watermark, for full reads\n");
    }
    w->yaml.line = w->yaml.out->n;
    yaml_end_line(&w->yaml);
}

/* The default target is a list, because a list sends no mail. */
static void put_target(struct init_writer *w)
{
    const struct target_spec *target = w->file->target;
    yaml_put(&w->yaml, "# Where the leads go: {campaign: NAME} or {list: NAME}; a UUID works like a name.\n");
    w->yaml.line = w->yaml.out->n;
    yaml_put(&w->yaml, target != NULL && target->kind == TARGET_CAMPAIGN ? "target: {campaign: " : "target: {list: ");
    yaml_put_text(&w->yaml, target != NULL ? target->text : "name of your list");
    yaml_put(&w->yaml, "}");
    if (target == NULL)
        yaml_put_note(&w->yaml, "please fill in");
    yaml_end_line(&w->yaml);
    yaml_end_line(&w->yaml);
}

void init_put_head(struct init_writer *w)
{
    put_head(w);
    put_source(w);
    put_target(w);
}
