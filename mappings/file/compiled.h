/* The compiled mapping: the inside of `struct mapping`, shared by the loader, bind and apply. Internal to the room.
 * Everything lives in the mapping's arena, except memory that transform steps hold. */
#ifndef MAPPINGS_FILE_COMPILED_H
#define MAPPINGS_FILE_COMPILED_H

#include "mappings/file/diag.h"
#include "mappings/mapping.h"
#include "mappings/convert/template.h"
#include "mappings/convert/transform.h"
#include "mappings/file/yaml_tree.h"
#include "sync/model/row.h"

enum { MAPPING_BYTES_MAX = 128 << 20 }; /* of a mapping's arena: a file of 1 MiB of nothing but "a," */
enum { KEY_BYTES_MAX = 1024, CUSTOM_NAME_POINTS_MAX = 64 };
#define LEADSYNC_KEY "leadsync_key" /* the custom variable that holds `key:` */

/* A column of the source that the mapping names, and the position of that name in the file. */
struct source_column {
    struct str name;
    size_t at, span; /* bytes of the file */
    size_t index;    /* of the cell, after bind */
};

enum column_origin { ORIGIN_COLUMN, ORIGIN_TEMPLATE, ORIGIN_VALUE };
enum column_type { TYPE_STRING, TYPE_NUMBER, TYPE_BOOLEAN, TYPE_INTEREST, TYPE_UUID };
/* otherwise:, in the order of the schema's words. */
enum unmatched { UNMATCHED_REJECT, UNMATCHED_KEEP, UNMATCHED_EMPTY, UNMATCHED_SKIP, UNMATCHED_VALUE };

struct map_entry {
    struct str from, to; /* `to` empty: the value becomes empty */
};

/* One column spec: how a field or custom variable gets its value. */
struct column {
    const char *name;    /* of the field or variable */
    const char *label;   /* what a reject names: the source column, or `name` */
    unsigned slot;       /* enum lead_field, or LEAD_FIELD_N + number of the custom variable */
    bool plain;          /* hot: the cell as it is, no step, map or type */
    bool plain_if_clean; /* the same, but for the step `clean` */
    enum column_origin origin;
    struct source_column from;    /* ORIGIN_COLUMN */
    struct source_column *others; /* ORIGIN_COLUMN: used in turn if `from` is blank */
    size_t others_n;
    struct template template; /* ORIGIN_TEMPLATE */
    size_t template_at;       /* bytes of the file where the template's text begins */
    struct str value;         /* ORIGIN_VALUE */
    struct transform_step *steps;
    size_t steps_n;
    struct map_entry *map; /* by `from` */
    size_t map_n;
    enum unmatched otherwise;
    struct str otherwise_value;
    enum column_type type;
    struct value fallback; /* default:, typed; VALUE_ABSENT: none */
    bool required, clear;
    bool empty_on_error; /* on_error: empty */
};

#define SKIP_ANY "*"
struct skip_rule {
    struct source_column column;
    const struct str *values; /* trimmed and case-folded; SKIP_ANY: all but blanks and placeholders */
    size_t values_n;
    struct removal then;
    const char *const *opt_outs; /* other values that mean an opt-out in the column, after bind; NULL: unknown */
    bool missed;                 /* the warning about such a cell was given */
    bool cut;                    /* the warning about a row that lacks the column was given */
};

struct route_value {
    struct str value;
    size_t index; /* into mapping.routes */
};

struct mapping_impl {
    struct diags diags;     /* the file's text, for mistakes that only show when the source is known */
    struct column *columns; /* core fields in the order of lead_fields.def (email first), then custom variables */
    size_t columns_n;
    bool has_email; /* columns[0] is the address */
    struct skip_rule *skips;
    size_t skips_n;
    struct source_column *keys;
    size_t keys_n;
    struct source_column route;
    struct route_value *route_values;  /* sorted */
    size_t bound_n;                    /* columns of the source, after bind */
    size_t data_n;                     /* those before the first that leadsync adds to rejects */
    bool *used;                        /* by column of the source: something of the mapping names it */
    bool *strict;                      /* the same: an unusable cell of it rejects the row */
    uint8_t *uses;                     /* the same: enum cell_use */
    const char **used_names;           /* their names, for messages; NULL: not used */
    bool default_mapping, all_columns; /* a CSV without a mapping file */
    struct mapping_note *notes;        /* of its columns, after bind */
    size_t notes_n;
    const struct str *unused, *filled;
    size_t unused_n, filled_n;
    struct buf fold; /* of one cell, for skip_when */
};

/* A typed value of a text that is not empty; NULL, or why it does not fit. A UUID is written in lower case to
 * `scratch`; *oom is set when memory was short. */
const char *column_type_value(enum column_type type, struct str text, struct arena *scratch, struct value *out, bool *oom);

/* The result of one column spec for one row. COLUMN_ERROR: memory. */
enum column_result { COLUMN_VALUE, COLUMN_REJECT, COLUMN_SKIP, COLUMN_ERROR };
/* The whole order: from|template|value, apply, map, type, default, required. COLUMN_REJECT and COLUMN_SKIP come with
 * `flaw`; so does COLUMN_VALUE with *emptied, after on_error: empty dropped a value. For an address it always has the cell. */
enum column_result column_run(const struct column *column, const struct row *row, struct arena *scratch, struct value *out,
                              struct reject *flaw, bool *emptied);
/* The step map: alone, of a column that has one and a text that is not blank. */
enum column_result column_map(const struct column *column, struct str *text, struct reject *flaw);
/* The first of a spec's cells that is not blank, else its first cell. ORIGIN_COLUMN only. */
const struct source_column *column_cell(const struct column *column, const struct row *row);

/* Compiles the specs under fields: and custom_variables: of a checked or half-checked root; mistakes go to the diags.
 * Sets columns, shape and overwrite. */
void columns_compile(struct mapping *m, struct diags *d, const struct tree_node *root);
/* A column spec that copies one source column, cleaned; for a CSV without a mapping. */
struct column column_copy(const char *name, unsigned slot, struct str from);
/* Why a custom variable cannot have that name; NULL: it can. */
const char *custom_name_flaw(struct str name);

/* The rules between keys that a table cannot express. */
void rules_check(struct diags *d, const struct tree_node *root);
/* The same as a JSON array of schemas that all have to hold. Static. */
const char *rules_schema(void);

/* A ragged row with too few cells, made as wide as the columns in `scratch`: 1 with `out`; 0: the mapping rejects it, or it lacks
 * cells of the key, or has one cell only; -1 (memory). After bind. */
int row_width_fill_up(const struct mapping *m, const struct row *row, struct arena *scratch, struct row *out);
/* How many cells a ragged row has and should have, or what is left to do for one that `rejects` wrote, in `scratch`. 0/-1 (memory) */
int row_width_why(const struct mapping *m, const struct row *row, struct arena *scratch, const char **why);

/* The digest of everything in the tree that decides which lead a row makes. 0/-1. */
int digest_tree(const struct tree_node *root, uint64_t *out);
/* The same of a CSV without a mapping, after bind. 0/-1. */
int digest_default_mapping(const struct mapping *m, uint64_t *out);

/* mapping_load() of bytes in memory; `path` is what messages call them. */
int mapping_parse(const char *path, struct str bytes, struct mapping **out, struct err *e);
/* An empty mapping with the defaults of the schema table. NULL: out of memory. */
struct mapping *mapping_new(void);
/* Binds a CSV without a mapping: makes its column specs. */
int default_mapping_bind(struct mapping *m, const struct str *columns, size_t columns_n, struct err *e);
/* Adds notes about its columns for the user; `uses` comes from names_assign(). 0/-1 (memory). */
struct names_use;
int default_mapping_notes(struct mapping *m, const struct str *columns, const struct names_use *uses, size_t n);
/* Appends the text as it stands in single quotes in a shell. 0/-1 (buffer). */
int default_mapping_quote(struct str text, struct buf *out);
/* Which values mean an opt-out in the columns of skip_when. After the columns are known. */
void skip_missed_bind(struct mapping *m);
/* For a row that no rule leaves out: sets *warning, once per column, if a cell still looks like an opt-out. 0/-1 (memory). */
int skip_missed(struct mapping *m, const struct row *row, const char **warning);
/* The same for a row that becomes a lead and had `cells_n` cells: none in the column of a rule. */
int skip_cut(struct mapping *m, size_t cells_n, const char **warning);
/* Adds a value of skip_when, folded as cells are compared. 0/-1 (memory). */
int skip_value_add(struct mapping *m, struct skip_rule *rule, struct str *values, struct str text);
/* For a missing column: true, and reported with XS_CONFIG, if the header is one column because a delimiter other than the
 * named one divides it. */
bool mapping_undivided(struct mapping *m, const struct str *columns, size_t n, struct err *e);

#endif
