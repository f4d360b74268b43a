/* The first part of a proposed file: what it is, its name, its source and its target. */
#include "config.h"

#include "mappings/init/init.h"

#include "mappings/file/compiled.h"
#include "mappings/init/init_look.h"
#include "mappings/init/init_yaml.h"
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
    init_put_note(w, w->file->goes_on ? "of the sync that this file had without a mapping: goes on with its leads"
                                      : "identity of this sync in its state; do not change it later");
    init_end_line(w);
}

/* The first comment explains the file and the next steps to a new user. */
static void put_head(struct init_writer *w)
{
    if (w->file->schema != NULL && strpbrk(w->file->schema, "\r\n") == NULL) {
        init_put(w, "# yaml-language-server: $schema=");
        init_put(w, w->file->schema);
        init_end_line(w);
    }
    init_put(w, "# Which columns of ");
    init_put_shown(w, str_from(w->file->label));
    init_put(w, " become which fields of a lead: a proposal, based on the names of its\n");
    char seen[96];
    snprintf(seen, sizeof seen, "# columns and a look at %zu row%s. Change what you like, then try it: ", w->init->rows,
             w->init->rows == 1 ? "" : "s");
    init_put(w, seen);
    init_put(w, "'leadsync preview' shows the leads,\n# 'leadsync check' verifies the rest, 'leadsync diff' says what "
                "would be sent.\nversion: 1");
    init_end_line(w);
    init_head_put_name(w);
    init_end_line(w);
}

/* Writes the detected format, so that a later file in another format causes an error and no guess. An assumed encoding is
 * not written, because the next export may be UTF-8. */
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
        char note[160];
        snprintf(note, sizeof note, "read as %s; are its accents right in 'leadsync preview'?", w->file->encoding_assumed);
        init_put(w, "    encoding: ");
        init_put_text(w, csv->encoding != NULL ? csv->encoding : "auto");
        if (csv->encoding == NULL)
            init_put_note(w, note);
        init_end_line(w);
    }
    if (csv->embedded_rows) {
        init_put(w, "    embedded_rows: allow");
        init_end_line(w);
    }
    if (w->file->names_made_up && w->file->header_unsure)
        init_put(w, "    # unsure: the first line has gaps and no known name, so it counts as data. If it holds "
                    "names,\n    # give every column a name there, and run init again. init invented these names: choose "
                    "better ones, here and below.\n");
    else if (w->file->names_made_up)
        init_put(w, "    # The first line is data, so init invented these column names: choose better "
                    "ones, here and below.\n");
    for (size_t i = 0; i < csv->names_n && !csv->header; i++) {
        init_put(w, i == 0 ? "    header: [" : ", ");
        init_put_scalar(w, csv->names[i]);
        init_put(w, i + 1 == csv->names_n ? "]\n" : "");
    }
}

/* The source as the user gave it, including a password in a connection string. */
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

/* The default target is a list, because a list sends no mail. */
static void put_target(struct init_writer *w)
{
    const struct target_spec *target = w->file->target;
    init_put(w, "# Where the leads go: {campaign: NAME} or {list: NAME}; a UUID works like a name.\n");
    w->line = w->out->n;
    init_put(w, target != NULL && target->kind == TARGET_CAMPAIGN ? "target: {campaign: " : "target: {list: ");
    init_put_text(w, target != NULL ? target->text : "name of your list");
    init_put(w, "}");
    if (target == NULL)
        init_put_note(w, "please fill in");
    init_end_line(w);
    init_end_line(w);
}

void init_put_head(struct init_writer *w)
{
    put_head(w);
    put_source(w);
    put_target(w);
}
