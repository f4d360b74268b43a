/* A digest of everything that decides about a row: two mappings with the same digest make the same leads from the same
 * rows. */
#include "config.h"

#include "mappings/file/compiled.h"
#include "sync/base/hash.h"

#include <string.h>

enum { CANON_MAX = 64 << 20 };

static int add_tree(struct buf *b, const struct tree_node *node, bool column_spec);

/* A tag, then the contents with their lengths, so that different trees have different bytes. */
static int add_children(struct buf *b, const struct tree_node *node, bool column_specs)
{
    if (buf_addc(b, node->kind == TREE_MAP ? 'm' : 'l') != 0 || buf_add_varint(b, node->n) != 0)
        return -1;
    for (const struct tree_node *child = node->first; child != NULL; child = child->next) {
        if ((child->key != NULL && buf_add_str(b, child->key->text) != 0) || add_tree(b, child, column_specs) != 0)
            return -1;
    }
    return 0;
}

/* A column's name alone is short for {from: name}, so both have the same digest. */
static int add_tree(struct buf *b, const struct tree_node *node, bool column_spec)
{
    if (node->kind != TREE_SCALAR)
        return add_children(b, node, false);
    if (column_spec && (buf_addc(b, 'm') != 0 || buf_add_varint(b, 1) != 0 || buf_add_str(b, STR("from")) != 0))
        return -1;
    return buf_addc(b, tree_is_null(node) ? '0' : 's') != 0 ? -1 : buf_add_str(b, node->text);
}

/* Adds the key's name, or its absence, first, so that a value that moves to another key changes the digest. */
static int add_key(struct buf *b, const struct tree_node *map, const char *key, bool column_specs)
{
    const struct tree_node *node = tree_get(map, key);
    if (buf_add_str(b, str_from(key)) != 0)
        return -1;
    if (node == NULL)
        return buf_addc(b, '-');
    return node->kind == TREE_SCALAR ? add_tree(b, node, false) : add_children(b, node, column_specs);
}

/* SHA-256 and not the keyed hash: the number must be the same on every machine and in every run. */
static int finish(struct buf *b, uint64_t *out)
{
    char hex[SHA256_HEX_N];
    if (sha256_hex(b->p, b->n, hex) != 0)
        return -1;
    uint64_t digest = 0;
    for (size_t i = 0; i < 16; i++)
        digest = digest << 4 | (unsigned)(hex[i] <= '9' ? hex[i] - '0' : hex[i] - 'a' + 10);
    *out = digest;
    return 0;
}

/* Not in it: limits, guards, the path of a file, comments, the order of lines in the file beyond what is said here. The
 * first byte distinguishes versions and kinds of this digest. */
int digest_tree(const struct tree_node *root, uint64_t *out)
{
    struct buf b = BUF_INIT(CANON_MAX);
    const struct tree_node *source = tree_get(root, "source")->first;
    int rc = buf_addc(&b, '\1') | buf_add_str(&b, source->key->text) | add_key(&b, source, "query", false) |
             add_key(&b, source, "header", false) | add_key(&b, source, "argv", false) | add_key(&b, root, "target", false) |
             add_key(&b, root, "route", false) | add_key(&b, root, "fields", true) |
             add_key(&b, root, "custom_variables", true) | add_key(&b, root, "skip_when", false) |
             add_key(&b, root, "key", false);
    /* Omitted if the mapping lacks it, so that mappings without it keep their digest. */
    if (rc == 0 && tree_get(source, "full_query") != NULL)
        rc = add_key(&b, source, "full_query", false);
    if (rc == 0)
        rc = finish(&b, out);
    buf_free(&b);
    return rc;
}

/* Adds nothing without rules, so that a CSV without them keeps its digest. */
static int add_rules(struct buf *b, const struct mapping_impl *impl)
{
    int rc = 0;
    for (size_t i = 0; i < impl->skips_n; i++) {
        rc |= buf_addc(b, 'o') | buf_add_str(b, impl->skips[i].column.name) | buf_add_varint(b, impl->skips[i].values_n);
        for (size_t k = 0; k < impl->skips[i].values_n; k++)
            rc |= buf_add_str(b, impl->skips[i].values[k]);
    }
    return rc;
}

/* The digest of a CSV without a mapping covers its matched columns and its target. The first byte was 2 before cells were
 * cleaned. */
int digest_default_mapping(const struct mapping *m, uint64_t *out)
{
    struct buf b = BUF_INIT(CANON_MAX);
    int rc = buf_addc(&b, '\3') | buf_addc(&b, m->target.kind == TARGET_LIST ? 'l' : 'c') |
             buf_add_str(&b, str_from(m->target.text));
    for (size_t i = 0; i < m->impl->columns_n; i++)
        rc |= buf_add_str(&b, str_from(m->impl->columns[i].name)) | buf_add_str(&b, m->impl->columns[i].from.name);
    rc |= add_rules(&b, m->impl);
    if (rc == 0)
        rc = finish(&b, out);
    buf_free(&b);
    return rc;
}
