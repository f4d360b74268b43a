#include "config.h"

#include "mappings/file/yaml_tree.h"

#include "mappings/file/yaml_problem.h"
#include "sync/base/text.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

/* The state of one parse. libyaml counts characters; places here are bytes, so a cursor walks beside it. */
struct builder {
    struct diags *d;
    yaml_parser_t parser;
    size_t chars, bytes; /* the cursor: this many characters are this many bytes */
    struct frame {
        struct tree_node *node;
        const struct tree_node **tail; /* where the next child is linked */
        const struct tree_node *key;   /* of a mapping: read, its value is due */
    } stack[YAML_TREE_DEPTH_MAX];
    size_t depth;
    struct tree_node *root;
    struct yaml_problem problem;
};

struct str yaml_tree_text(struct str bytes)
{
    if (bytes.n >= 3 && memcmp(bytes.p, "\xEF\xBB\xBF", 3) == 0)
        return (struct str){bytes.p + 3, bytes.n - 3};
    return bytes;
}

/* Marks mostly grow, so that the cursor only moves forward: one walk through the file in all. */
static size_t byte_of(struct builder *b, size_t chars)
{
    struct str text = b->d->text;
    if (chars < b->chars) /* marks of a problem's context lie behind */
        b->chars = b->bytes = 0;
    while (b->chars < chars && b->bytes < text.n) {
        b->bytes++;
        while (b->bytes < text.n && ((unsigned char)text.p[b->bytes] & 0xC0) == 0x80)
            b->bytes++;
        b->chars++;
    }
    return b->bytes;
}

/* What this subset of YAML leaves out. Anchors and merge keys make a small file large, tags make types of text; a
 * mapping needs none of them. */
static int yaml_tree_refuse(struct builder *b, const yaml_event_t *event, const char *what, const char *help)
{
    diag_add(b->d, byte_of(b, event->start_mark.index), 1, "%s", what);
    diag_help(b->d, "%s", help);
    return -1;
}

/* Kept in the diagnostics, which then refuse to be printed as if they were complete. */
static int oom(struct builder *b)
{
    b->d->oom = true;
    return -1;
}

/* The text of a node may be long; a caret under a block would run to its end, so only scalars have a span. */
static struct tree_node *node_new(struct builder *b, const yaml_event_t *event, enum tree_kind kind)
{
    struct tree_node *node = arena_calloc(b->d->arena, 1, sizeof *node);
    if (node == NULL) {
        oom(b);
        return NULL;
    }
    node->kind = kind;
    node->at = byte_of(b, event->start_mark.index);
    node->span = kind == TREE_SCALAR ? byte_of(b, event->end_mark.index) - node->at : 1;
    return node;
}

/* "<<" in quotes is a key like any other. */
static bool is_merge_key(const struct tree_node *key)
{
    return key->plain && str_is(key->text, "<<");
}

/* Adds a node to the tree: as the root, an item, a key or a key's value. */
static int attach(struct builder *b, struct tree_node *node)
{
    if (b->depth == 0) {
        b->root = node;
        return 0;
    }
    struct frame *top = &b->stack[b->depth - 1];
    if (top->node->kind == TREE_MAP && top->key == NULL) {
        if (node->kind == TREE_SCALAR && !is_merge_key(node)) {
            top->key = node;
            return 0;
        }
        if (node->kind == TREE_SCALAR) {
            diag_add(b->d, node->at, node->span, "merge keys are not supported");
            diag_help(b->d, "write the keys out");
            return -1;
        }
        const char *p = b->d->text.p + node->at;
        bool braces = node->at > 0 && p[0] == '{' && p[-1] == '{';
        diag_add(b->d, braces ? node->at - 1 : node->at, 1, "a %s cannot be used as a key",
                 node->kind == TREE_MAP ? "mapping" : "list");
        if (node->kind == TREE_MAP)
            diag_help(b->d, braces
                                ? "template braces need quotes: \"{{ ... }}\"; a column stands in single ones: \"{Company}\""
                                : "text with braces needs quotes: \"{Company} ({Country})\"");
        return -1;
    }
    node->key = top->key;
    top->key = NULL;
    *top->tail = node;
    top->tail = &node->next;
    top->node->n++;
    return 0;
}

/* Text is copied with a NUL behind it, so that names and paths can be handed on as they are. */
static int on_scalar(struct builder *b, const yaml_event_t *event)
{
    if (event->data.scalar.anchor != NULL)
        return yaml_tree_refuse(b, event, "anchors are not supported", "repeat the value at each place that needs it");
    if (event->data.scalar.tag != NULL)
        return yaml_tree_refuse(b, event, "tags are not supported", "leave the '!' out, or put the value in quotes");
    struct tree_node *node = node_new(b, event, TREE_SCALAR);
    if (node == NULL)
        return -1;
    yaml_scalar_style_t style = event->data.scalar.style;
    node->plain = style == YAML_PLAIN_SCALAR_STYLE;
    struct str text = {(const char *)event->data.scalar.value, event->data.scalar.length};
    node->text = (struct str){arena_dup(b->d->arena, text.p, text.n), text.n};
    if (node->text.p == NULL)
        return oom(b);
    if (memchr(text.p, '\0', text.n) != NULL) { /* "\0" in double quotes */
        diag_add(b->d, node->at, node->span, "a value may not hold a NUL character");
        return -1;
    }
    b->problem.quoted = style == YAML_SINGLE_QUOTED_SCALAR_STYLE || style == YAML_DOUBLE_QUOTED_SCALAR_STYLE;
    b->problem.quoted_at = node->at;
    b->problem.quoted_end = node->at + node->span;
    return attach(b, node);
}

/* The depth is counted here and not by the caller's recursion, since the time libyaml takes for a row
 * of '[' grows with its square: stopped early, it never gets there. */
static int on_start(struct builder *b, const yaml_event_t *event)
{
    bool map = event->type == YAML_MAPPING_START_EVENT;
    if ((map ? event->data.mapping_start.anchor : event->data.sequence_start.anchor) != NULL)
        return yaml_tree_refuse(b, event, "anchors are not supported", "repeat the value at each place that needs it");
    if ((map ? event->data.mapping_start.tag : event->data.sequence_start.tag) != NULL)
        return yaml_tree_refuse(b, event, "tags are not supported", "leave the '!' out");
    if (b->depth == YAML_TREE_DEPTH_MAX)
        return yaml_tree_refuse(b, event, "this is nested too deeply", "a mapping needs fewer than ten levels");
    struct tree_node *node = node_new(b, event, map ? TREE_MAP : TREE_LIST);
    if (node == NULL || attach(b, node) != 0)
        return -1;
    b->stack[b->depth++] = (struct frame){.node = node, .tail = &node->first};
    return 0;
}

static int compare_keys(const void *a, const void *b)
{
    const struct tree_node *const *x = a, *const *y = b;
    int order = str_cmp((*x)->key->text, (*y)->key->text);
    if (order != 0)
        return order;
    return (*x)->key->at < (*y)->key->at ? -1 : (*x)->key->at > (*y)->key->at;
}

/* Finds keys that are given twice, which libyaml allows. Sorting puts equal keys beside each other in any number. */
static int on_end(struct builder *b)
{
    struct tree_node *node = b->stack[--b->depth].node;
    b->problem.quoted = false;
    if (node->kind != TREE_MAP || node->n < 2)
        return 0;
    const struct tree_node **sorted = malloc(node->n * sizeof *sorted);
    if (sorted == NULL)
        return oom(b);
    size_t n = 0;
    for (const struct tree_node *child = node->first; child != NULL; child = child->next)
        sorted[n++] = child;
    qsort(sorted, n, sizeof *sorted, compare_keys);
    const struct tree_node *kept = sorted[0]->key;
    for (size_t i = 1; i < n; i++) {
        const struct tree_node *key = sorted[i]->key;
        if (!str_eq(kept->text, key->text)) {
            kept = key;
            continue;
        }
        size_t line = 0, column;
        if (b->d->n < DIAG_MAX) /* a place costs a walk through the file */
            diag_place(b->d->text, kept->at, &line, &column);
        diag_add(b->d, key->at, key->span, "key '%s' is given twice (first on line %zu)", diag_show(b->d, key->text), line);
        diag_help(b->d, "remove one of the two");
    }
    free(sorted);
    return 0;
}

/* One event at a time; nothing is kept but the open collections. */
static int on_event(struct builder *b, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        if (b->root != NULL)
            return yaml_tree_refuse(b, event, "a second document starts here",
                                    "a mapping file is one document; remove the '---'");
        return 0;
    case YAML_ALIAS_EVENT:
        return yaml_tree_refuse(b, event, "aliases are not supported",
                                "put a value that begins with '*' in quotes, or write it out");
    case YAML_SCALAR_EVENT: return on_scalar(b, event);
    case YAML_SEQUENCE_START_EVENT:
    case YAML_MAPPING_START_EVENT: return on_start(b, event);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT: return on_end(b);
    default: return 0;
    }
}

/* The parser's own complaint, with places made of its marks. After it nothing more can be read. */
static int yaml_tree_explain(struct builder *b)
{
    const yaml_parser_t *parser = &b->parser;
    if (parser->error == YAML_MEMORY_ERROR)
        return oom(b);
    b->problem.problem = parser->problem;
    b->problem.context = parser->context;
    b->problem.at = byte_of(b, parser->problem_mark.index);
    b->problem.context_at = parser->context != NULL ? byte_of(b, parser->context_mark.index) : b->problem.at;
    if (parser->error == YAML_READER_ERROR)
        b->problem.at = b->problem.context_at = parser->problem_offset;
    yaml_problem_explain(b->d, &b->problem);
    return -1;
}

/* Until the stream ends: what follows the first document must be nothing. */
static int read_events(struct builder *b)
{
    for (;;) {
        yaml_event_t event;
        if (!yaml_parser_parse(&b->parser, &event))
            return yaml_tree_explain(b);
        bool end = event.type == YAML_STREAM_END_EVENT;
        int rc = end ? 0 : on_event(b, &event);
        yaml_event_delete(&event);
        if (end || rc != 0)
            return rc;
    }
}

const struct tree_node *yaml_tree_parse(struct diags *d)
{
    if (d->text.n > YAML_TREE_BYTES_MAX) {
        diag_add(d, 0, 1, "the file is larger than %d KiB", YAML_TREE_BYTES_MAX / 1024);
        diag_help(d, "is this the mapping, or the data?");
        return NULL;
    }
    if (yaml_problem_bytes(d) != 0)
        return NULL;
    struct builder *b = calloc(1, sizeof *b);
    if (b == NULL || !yaml_parser_initialize(&b->parser)) {
        free(b);
        d->oom = true;
        return NULL;
    }
    b->d = d;
    /* An explicit encoding keeps libyaml from looking for a mark that was stripped already. */
    yaml_parser_set_encoding(&b->parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&b->parser, (const unsigned char *)(d->text.p != NULL ? d->text.p : ""), d->text.n);
    int rc = read_events(b);
    const struct tree_node *root = b->root;
    if (rc == 0 && root == NULL) {
        diag_add(d, 0, 1, "the file is empty");
        diag_help(d, "'leadsync init SOURCE -o FILE' writes one to start from");
    }
    yaml_parser_delete(&b->parser);
    free(b);
    return rc == 0 ? root : NULL;
}

/* A walk: mappings that are looked into by name have a dozen keys. */
const struct tree_node *tree_get(const struct tree_node *map, const char *key)
{
    if (map == NULL || map->kind != TREE_MAP)
        return NULL;
    for (const struct tree_node *child = map->first; child != NULL; child = child->next) {
        if (str_is(child->key->text, key))
            return child;
    }
    return NULL;
}

bool tree_is_null(const struct tree_node *node)
{
    return node->kind == TREE_SCALAR && node->plain &&
           (node->text.n == 0 || str_is(node->text, "~") || str_is(node->text, "null"));
}
