/* The format of a mapping file as one table: what validates files and options, fills `struct mapping`, and is printed
 * as a JSON Schema. A new key is one line of schema_table.c (and what it means in load.c).
 *
 * Knows YAML trees and types of values; not what a mapping does with them. */
#ifndef MAPPINGS_FILE_SCHEMA_H
#define MAPPINGS_FILE_SCHEMA_H

#include "mappings/file/diag.h"
#include "mappings/file/yaml_tree.h"
#include "sync/base/arena.h"
#include "sync/base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum schema_kind {
    /* scalars, and what is stored for them */
    SCHEMA_TEXT,        /* const char *: not empty */
    SCHEMA_PATH,        /* const char *: a file, made relative to the mapping's folder by the loader */
    SCHEMA_UUID,        /* const char *: lower case */
    SCHEMA_NAME,        /* const char *: name of a sync */
    SCHEMA_WORD,        /* int: index into words */
    SCHEMA_SWITCH,      /* bool: is it the second of two words? */
    SCHEMA_BOOL,        /* bool */
    SCHEMA_HEADER,      /* bool: only true; a file without header names its columns */
    SCHEMA_TRISTATE,    /* int: -1 for "auto", 0, 1 */
    SCHEMA_COUNT,       /* unsigned: min..max; a word stands for 0 */
    SCHEMA_DURATION,    /* int64_t: milliseconds, min..max; a word stands for 0 */
    SCHEMA_OVERLAP,     /* const char *: a duration or a plain number, as written */
    SCHEMA_GUARD,       /* struct guard_limit: 10%, a number, none */
    SCHEMA_EMPTY_GUARD, /* struct guard_limit: stop, none */
    SCHEMA_DELIMITER,   /* char: 0 for "auto" */
    SCHEMA_ENCODING,    /* const char *: NULL for "auto" */
    SCHEMA_SCALAR,      /* nothing: any text, number or boolean */
    /* composites, which the loader reads itself */
    SCHEMA_STEP,   /* of apply: a word, or one key with its arguments */
    SCHEMA_OBJECT, /* fixed keys */
    SCHEMA_DICT,   /* free keys, each an `item` */
    SCHEMA_LIST,   /* of `item` */
    SCHEMA_ANY,    /* one of `any`, chosen by the shape of the node */
};

enum schema_flag {
    KEY_REQUIRED = 1, /* must be there */
    KEY_CHOICE = 2,   /* exactly one of the object's choices must be there */
    KEY_NULL = 4,     /* null is a value, and the default */
    KEY_OPTION = 8,   /* may be given as an option with a CSV without a mapping */
};

struct schema_key;
struct schema {
    enum schema_kind kind;
    const char *what;         /* completes "must be …"; NULL with words: the words */
    const char *const *words; /* NULL-terminated */
    int64_t min, max;
    const struct schema_key *keys;   /* OBJECT: ends in a NULL name */
    const char *noun;                /* OBJECT: what a key is called when it is unknown; NULL: "key" */
    const char *elsewhere;           /* OBJECT: where an unknown key may belong, as help; NULL: nowhere */
    const struct schema *item;       /* DICT, LIST */
    const struct schema *const *any; /* ANY: NULL-terminated; at most one scalar, one list, one object or dict */
    const char *key_pattern;         /* DICT: of its keys, as a JSON Schema says it; NULL: any text */
    bool item_null;                  /* DICT: null is a value */
    bool not_empty;                  /* DICT, LIST: at least one */
};

#define NOT_STORED ((size_t)-1)
struct schema_key {
    const char *name;
    const struct schema *type;
    unsigned flags;
    size_t offset;        /* in struct mapping; NOT_STORED: the loader reads the node */
    const char *fallback; /* the default as JSON; NULL: none */
    const char *example;  /* as JSON; NULL: none */
    const char *help;     /* one sentence for people who edit the file */
};

/* The whole file, and parts of it, from schema_table.c. */
extern const struct schema schema_root;
extern const struct schema schema_column;
extern const struct schema schema_step; /* one item of apply: */

/* Judges a node and everything in it; `name` is what messages call it. True when nothing is wrong. Mistakes go to `d`,
 * or nowhere when it is NULL. */
bool schema_check(struct diags *d, const struct tree_node *node, const struct schema *type, const char *name);

/* Writes the scalars of a checked object (and of the objects in it) into `base`, a struct mapping. Members
 * without a node keep their values. 0, or -1 when memory is short. */
int schema_store(const struct tree_node *node, const struct schema *type, void *base, struct arena *arena);

/* Writes the defaults of an object and of its inner objects, but not of choices. 0, or -1 when memory is short. */
int schema_defaults(const struct schema *type, void *base, struct arena *arena);

/* Finds a key by its path, "limits.batch"; '-' is as good as '_'. NULL when there is none. */
const struct schema_key *schema_find(const char *path);

/* Does a scalar's text fit? `plain` as in struct tree_node. */
bool scalar_fits(const struct schema *type, struct str text, bool plain);
/* What it must be, for "NAME must be …": the table's words or phrase. Never NULL. */
const char *scalar_must(const struct schema *type, struct arena *arena);
/* Stores a checked scalar's text. 0/-1 (memory). */
int scalar_store(const struct schema *type, struct str text, void *dest, struct arena *arena);
bool schema_is_scalar(const struct schema *type);

#endif
