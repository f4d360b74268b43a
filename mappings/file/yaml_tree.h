/* A YAML file as a tree of nodes with their places: the subset that a mapping may use.
 *
 * One document of mappings, lists and scalars. Refused with a friendly message: anchors, aliases, tags, merge keys, a second
 * document, the same key twice, anything deeper than 64 or larger than 1 MiB, bytes that are not UTF-8. Scalars keep
 * their text; what it means is the schema's business. Knows nothing of mappings. Does no I/O. */
#ifndef MAPPINGS_FILE_YAML_TREE_H
#define MAPPINGS_FILE_YAML_TREE_H

#include "mappings/file/diag.h"
#include "sync/base/arena.h"

#include <stdbool.h>
#include <stddef.h>

enum { YAML_TREE_BYTES_MAX = 1 << 20, YAML_TREE_DEPTH_MAX = 64 };

enum tree_kind { TREE_SCALAR, TREE_LIST, TREE_MAP };

struct tree_node {
    enum tree_kind kind;
    bool plain;                    /* a scalar without quotes: only such a one may mean null, true or a number */
    size_t at, span;               /* bytes of the text, for diag_add() */
    struct str text;               /* of a scalar; a NUL follows */
    const struct tree_node *key;   /* of a mapping's value; else NULL */
    const struct tree_node *first; /* children of a list or mapping, in order */
    const struct tree_node *next;
    size_t n; /* number of children */
};

/* Parses d->text (without a byte order mark, see yaml_tree_text) into the arena of `d`. NULL if it is not
 * usable YAML; `d` has the reasons. */
const struct tree_node *yaml_tree_parse(struct diags *d);

/* The text behind a UTF-8 byte order mark, or all of it. */
struct str yaml_tree_text(struct str bytes);

/* Value of a key of a mapping; NULL if the node is NULL, is not a mapping, or lacks the key. */
const struct tree_node *tree_get(const struct tree_node *map, const char *key);
/* Is it null as YAML writes it: ~, null or nothing, without quotes? */
bool tree_is_null(const struct tree_node *node);

#endif
