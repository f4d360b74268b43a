/* A mapping: what a sync file says, validated, and the stage that turns rows into leads.
 *
 * Knows the format of the file and the rules of columns; does no I/O besides reading the mapping file, and knows nothing
 * of connectors, the state or the API. Everything inside a mapping lives in its arena until mapping_free(). */
#ifndef MAPPINGS_MAPPING_H
#define MAPPINGS_MAPPING_H

#include "sync/base/arena.h"
#include "sync/base/err.h"
#include "sync/base/hash.h"
#include "sync/model/lead.h"
#include "sync/model/row.h"
#include "sync/model/source_spec.h"
#include "sync/model/target.h"

#include <stdbool.h>
#include <stdint.h>

enum sync_mode { MODE_CREATE, MODE_UPSERT, MODE_MIRROR };
enum removal_policy { REMOVAL_KEEP, REMOVAL_DELETE, REMOVAL_MOVE }; /* removed: and skip_when … then: */
enum duplicates_policy { DUPLICATES_FIRST, DUPLICATES_LAST, DUPLICATES_REJECT };
enum dedupe_scope { DEDUPE_WORKSPACE, DEDUPE_ANY_CAMPAIGN, DEDUPE_ANY_LIST, DEDUPE_TARGET_ONLY };
enum overwrite { OVERWRITE_ALWAYS, OVERWRITE_IF_EMPTY, OVERWRITE_NEVER };

struct removal {
    enum removal_policy policy;
    struct target_spec to; /* REMOVAL_MOVE */
    bool delete_if_there;  /* REMOVAL_MOVE, if the target has another lead with the address: delete the lead; else keep it */
};

/* A guard's limit: a share of the whole, a plain number, or none. */
struct guard_limit {
    enum { GUARD_NONE, GUARD_SHARE, GUARD_COUNT, GUARD_STOP } kind;
    double value; /* share as 0.1 for 10%, or the number */
};

struct limits {
    unsigned batch;               /* 1..1000 leads per request */
    unsigned in_flight;           /* 0: auto */
    unsigned requests_per_second; /* 0: no limit */
    unsigned requests_per_minute; /* 0: no limit */
    int64_t settle_ms;            /* sum of the waits of a read-back, 1 + 2 + 4 s */
    int64_t job_wait_ms;
};

struct mapping {
    /* the file */
    const char *path;   /* NULL: a CSV without a mapping */
    const char *folder; /* that relative paths of the mapping are relative to */
    const char *name;   /* the sync's identity in the state */
    struct source_spec source;
    struct target_spec target; /* when `routes_n` is 0 */
    const char *route_column;
    struct route_case {
        struct str value;
        struct target_spec target;
    } * routes;
    size_t routes_n;
    enum { OTHERWISE_REJECT, OTHERWISE_SKIP, OTHERWISE_TARGET } route_otherwise;
    struct target_spec route_default; /* OTHERWISE_TARGET */
    enum sync_mode mode;
    struct removal removed;
    enum duplicates_policy duplicates;
    enum dedupe_scope dedupe;
    bool contacted_move;
    struct stage {
        bool on, verify, only_valid;
        struct target_spec list, promote;
    } stage;
    const char *blocklist; /* UUID or NULL */
    struct limits limits;
    struct guards {
        struct guard_limit removed, moved, changed, rejected, keyless, empty_source, source_shrank, deleted_there;
    } guards;
    int64_t retry_refused_ms;
    const char *results_url, *results_table; /* results_to: postgres; NULL: nowhere */
    bool results_create;                     /* create the table if it is missing */
    bool values_hashed;
    unsigned keep_runs;
    bool has_key;      /* `key:` is given: identity is not the e-mail */
    bool skip_removes; /* a rule of skip_when has `then:` delete or move_to */

    /* the compiled columns */
    struct lead_shape shape;         /* custom variables in mapping order (`leadsync_key` last when has_key) */
    const enum overwrite *overwrite; /* LEAD_FIELD_N, then the custom variables */
    uint64_t digest;                 /* of all that decides which lead a row makes: query, fields, variables, key, target,
                                           route; not of limits, guards, comments */
    char sha256[SHA256_HEX_N];       /* of the file's bytes; of a CSV without a mapping: of its target and options */
    struct mapping_impl *impl;
    struct arena arena;

    /* A callback that gets a row's key before the rest of the row is mapped, so that the caller can prefetch the key's
     * record. The key is the key_text of the `struct mapped` that follows. NULL: no callback. */
    void (*key_known)(void *ctx, struct str key_text);
    void *key_known_ctx;
};

/* Loads and validates a file. On mistakes: XS_CONFIG, and *all* of them are in the message, each as
 * "file:line:column: text", the line itself and a caret. Whether others can write to the file is noted where its source is
 * a command; the state of the file system is not looked at otherwise. */
int mapping_load(const char *path, struct mapping **out, struct err *e);

/* Scalars of the mapping that are options with a CSV without a mapping, and overrides of a run (`--guard NAME=VALUE`). */
struct mapping_option {
    const char *name, *value;
};

/* A CSV without a mapping: columns are matched to lead fields by name when it is bound. An option "skip_when", which may be
 * given several times, is COLUMN=VALUE[,VALUE…]: a rule of skip_when. The name is the file's stem; the
 * engine completes it with the target's id (mapping_name_target). `all_columns` sends the others as custom variables. */
int mapping_for_csv(const char *csv_path, const struct target_spec *target, bool all_columns,
                    const struct mapping_option *options, size_t options_n, struct mapping **out, struct err *e);
/* Appends "-" and the first 8 hex digits of SHA-256 of the target's id (36 lower-case characters) to the name. */
int mapping_name_target(struct mapping *m, const char *target_id, struct err *e);
/* One option of a run over a loaded mapping: guards.* by `--guard`, source path by `--input`. XS_USAGE. */
int mapping_override(struct mapping *m, const struct mapping_option *option, struct err *e);
/* "auto" (0), one of , ; | and tab, or its name: comma, semicolon, bar, pipe, tab. -1: unknown. Pure. */
int mapping_delimiter(struct str text, char *out);
void mapping_free(struct mapping *m); /* NULL is fine */

/* Binds column names to the mapping, once per run, before the first row. A column that the mapping names and the source
 * lacks: XS_CONFIG, naming those it has. For a CSV without a mapping this is where columns meet fields. */
int mapping_bind(struct mapping *m, const struct str *columns, size_t columns_n, struct err *e);
/* Notes about the columns of a CSV without a mapping, after bind: several columns that claim one field, and columns that look
 * like an opt-out but leave no row out. Whole sentences that begin with the file; borrowed. With a mapping file there are no
 * notes, because its author decided. */
struct mapping_note {
    bool warning; /* else worth a notice */
    const char *text;
};
size_t mapping_notes(const struct mapping *m, const struct mapping_note **notes);
/* By column of the source, after bind: does the mapping use it, be it to skip rows, as key or for its route? Borrowed. */
const bool *mapping_used(const struct mapping *m);
/* How the cells of a source column reach a lead, after bind: a sum of these values per column. Borrowed. */
enum cell_use {
    CELL_SENT = 1,      /* as a value, a part of one, or the key */
    CELL_AS_IT_IS = 2,  /* somewhere without the step `clean`, and without a map */
    CELL_OF_PERSON = 4, /* as a first or last name */
};
const uint8_t *mapping_cell_uses(const struct mapping *m);
/* Is the whole cell a placeholder that `clean` makes empty; a long number that a spreadsheet has cut ("4.91E+11")? */
bool mapping_is_placeholder(struct str cell, bool of_person);
bool mapping_is_cut_number(struct str cell);
/* Does it look like UTF-8 that was read as Windows-1252 ("JÃ¤ger")? */
bool mapping_is_mangled(struct str cell);
/* Source columns that no field uses, after bind; borrowed. `leadsync_*` columns are not among them. */
size_t mapping_unused(const struct mapping *m, const struct str **names);
/* The same as text: the first names, separated by commas, and how many more there are. */
size_t mapping_unused_text(const struct mapping *m, struct buf *out);
/* Lead fields and custom variables a mapping fills, by name as templates of a campaign know them ("firstName", …). */
size_t mapping_filled(const struct mapping *m, const struct str **names);

/* The i-th column of `key:`; false past the last, and without a key. */
bool mapping_key_column(const struct mapping *m, size_t i, struct str *name);
/* `then` of the i-th rule of skip_when, NULL past the last. */
const struct removal *mapping_skip_then(const struct mapping *m, size_t i);
/* True if a bound mapping has a rule of skip_when for this column; names are compared as in a CSV's header. 1/0/-1 (memory) */
int mapping_skips_by(const struct mapping *m, struct str column);
/* The values of the rules of skip_when are numbered from 1. */
struct skip_value {
    size_t rule; /* from 1 on */
    const char *column;
    struct str value; /* trimmed and case-folded */
};
/* Appends `rule 1: column "Opt-out" is "yes"` for a value's number and the cell that has it; the reason, skip_when, stands
 * beside it wherever it is shown. 0/-1 (buffer) */
int mapping_skip_text(const struct mapping *m, size_t number, struct str cell, struct buf *out);
size_t mapping_skip_values_n(const struct mapping *m);
struct skip_value mapping_skip_value(const struct mapping *m, size_t number);

enum mapped_verdict { MAPPED_LEAD, MAPPED_SKIP, MAPPED_REJECT };

struct reject {
    const char *column; /* source column or field at fault; may be NULL */
    enum reason reason;
    struct str value;  /* the cell as the source has it, or what the template made; may be empty */
    struct str worked; /* what steps had made of it when it was refused; empty: it was refused as it is */
    const char *why;   /* completes "the value …"; NULL: the reason says it all */
    const char *step;  /* the step of apply: that refused it, or NULL */
    size_t slot;       /* the field, as in mapping_origin(); of values that are left empty */
};

/* Appends 'Website: "n/a" is not a web address (apply: url)': column, value and cause on one line, with control and
 * invisible characters as \u{1b}. A long value is cut, but never inside a word. 0/-1 (buffer). */
int mapping_reject_text(const struct reject *r, struct buf *out);

/* What one row became. Everything borrows from the row, the mapping and `scratch` of mapping_apply(). */
struct mapped {
    enum mapped_verdict verdict;
    enum reason reason;           /* of a skip; of the first reject */
    struct lead lead;             /* MAPPED_LEAD, and MAPPED_SKIP by skip_when (its key is needed) */
    struct str key_text;          /* normalised identity; empty: none could be made */
    struct str email_key;         /* normalised address, empty without one: what the API's answers are compared with */
    size_t target_index;          /* 0 without a route; else the route case; routes_n: otherwise */
    size_t skip_value;            /* number of the value by which a rule of skip_when left the row out; else 0 */
    struct str skip_cell;         /* the cell that has it, as read */
    struct reject skip;           /* the other cause of a skip: `otherwise: skip` of a map or of the route */
    const struct reject *rejects; /* all faults of the row */
    size_t rejects_n;
    const struct reject *emptied; /* values that `on_error: empty` dropped */
    size_t emptied_n;
    const char *warning; /* a warning about this row, once per mapping; NULL: none */
    bool usual;          /* other rows of this source, and its later reads, may have the same: a notice in a run */
};

/* Maps one row. A defect of the row, or a flaw in a used cell, rejects it. The caller resets `scratch`, once per row or per
 * chunk. 0, or -1 for errors that are not the row's fault (memory, a template over its limit). */
int mapping_apply(struct mapping *m, const struct row *row, struct arena *scratch, struct mapped *out, struct err *e);

/* The original text of a field of that row's lead: the cell of its column, or its filled template. It shows what steps, map
 * and default changed. `slot`: enum lead_field, or LEAD_FIELD_N + number of the custom variable. 1; 0 if the field has no
 * column (`value:`, leadsync_key, a field that the mapping does not fill); -1 out of memory. */
int mapping_origin(const struct mapping *m, size_t slot, const struct row *row, struct arena *scratch, struct str *out);

/* Visits what each step made of that field, in order: "apply: clean", "map", "default". Steps that changed nothing are left out,
 * and a step that refuses the value is the last one. 0; -1: out of memory, or `visit` returned it. */
typedef int mapping_step_fn(void *ctx, const char *step, struct str made);
int mapping_steps(const struct mapping *m, size_t slot, const struct row *row, struct arena *scratch, mapping_step_fn *visit,
                  void *ctx);

/* Normalises an e-mail address given by hand (explain, forget, --contacts) to the identity used in the state. 0, or -1
 * if it is not an address. Appends to out. */
int mapping_email_key(struct str address, struct buf *out);
/* True if these are two spellings of one address. Text that is not an address only equals itself. */
bool mapping_same_address(struct str a, struct str b);
/* The second spelling of such an identity: its domain beyond ASCII. Appends nothing when there is none. 0/-1 (memory) */
int mapping_email_unicode(struct str key, struct buf *out);

/* The JSON Schema (draft-07) of the format, from the table that validates it. */
int mapping_schema(struct buf *out);

/* The table of header names that a CSV without a mapping understands, for `sync --help` and init: field and its spellings. */
int mapping_names_help(struct buf *out);

#endif
