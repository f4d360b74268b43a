/* Compares a tree with the table. It reports each mistake at its position and goes on. */
#include "config.h"

#include "mappings/file/schema.h"

#include <string.h>

enum { NAMES_MAX = 64, PATH_MAX_BYTES = 128 };

/* Names of the keys of an object, for "did you mean"; at most max. */
static size_t key_names(const struct schema_key *keys, const char **names, size_t max)
{
    size_t n = 0;
    for (; keys[n].name != NULL && n < max; n++)
        names[n] = keys[n].name;
    return n;
}

/* Objects have a dozen keys, so a linear search is fast enough. */
static const struct schema_key *key_find(const struct schema_key *keys, struct str name)
{
    for (; keys->name != NULL; keys++) {
        if (str_is(name, keys->name))
            return keys;
    }
    return NULL;
}

/* Reports the mistake and returns false, so that callers can return its result. */
static bool wrong(struct diags *d, const struct tree_node *node, const char *name, const char *what)
{
    if (d == NULL)
        return false;
    if (node->kind == TREE_SCALAR && tree_is_null(node))
        diag_add(d, node->key != NULL && node->span == 0 ? node->key->at : node->at,
                 node->key != NULL && node->span == 0 ? node->key->span : node->span, "%s is empty; it must be %s", name,
                 what);
    else if (node->kind == TREE_SCALAR)
        diag_add(d, node->at, node->span, "%s must be %s, not '%s'", name, what, diag_show(d, node->text));
    else
        diag_add(d, node->at, node->span, "%s must be %s, not a %s", name, what,
                 node->kind == TREE_MAP ? "mapping" : "list");
    return false;
}

/* What a node of this type must be, as far as it can be said without the table's words. */
static const char *must_be(struct diags *d, const struct schema *type)
{
    if (type->what != NULL || type->words == NULL || d == NULL)
        return type->what != NULL ? type->what : "";
    return scalar_must(type, d->arena);
}

static bool check_scalar(struct diags *d, const struct tree_node *node, const struct schema *type, const char *name)
{
    if (node->kind != TREE_SCALAR || tree_is_null(node))
        return wrong(d, node, name, must_be(d, type));
    if (scalar_fits(type, node->text, node->plain))
        return true;
    if (d == NULL)
        return false;
    const char *must = scalar_must(type, d->arena);
    wrong(d, node, name, must);
    size_t words_n = 0;
    while (type->words != NULL && type->words[words_n] != NULL)
        words_n++;
    const char *near = str_nearest(node->text, type->words, words_n);
    if (near != NULL)
        diag_help(d, "did you mean '%s'?", near);
    else if (type->kind == SCHEMA_BOOL || type->kind == SCHEMA_TRISTATE)
        diag_help(d, "write true or false, without quotes");
    return false;
}

/* Unknown keys are mistakes, because a mistyped guard would otherwise have no effect. */
static bool check_unknown(struct diags *d, const struct tree_node *child, const struct schema *type, const char *name)
{
    const char *names[NAMES_MAX];
    if (d == NULL)
        return false;
    diag_add(d, child->key->at, child->key->span, "unknown %s '%s' in %s", type->noun != NULL ? type->noun : "key",
             diag_show(d, child->key->text), name);
    diag_nearest(d, child->key->text, names, key_names(type->keys, names, NAMES_MAX));
    if (type->elsewhere != NULL)
        diag_help(d, "%s", type->elsewhere);
    return false;
}

/* "csv, postgres, sqlite or command", in the diags' arena. */
static const char *choices(struct diags *d, const struct schema_key *keys)
{
    struct buf b = BUF_INIT(1024);
    size_t n = 0, at = 0;
    for (const struct schema_key *k = keys; k->name != NULL; k++)
        n += (k->flags & KEY_CHOICE) != 0;
    int rc = 0;
    for (const struct schema_key *k = keys; k->name != NULL; k++) {
        if ((k->flags & KEY_CHOICE) == 0)
            continue;
        rc |= buf_addf(&b, "%s%s", at == 0 ? "" : at + 1 < n ? ", " : " or ", k->name);
        at++;
    }
    const char *kept = rc == 0 ? arena_dup(d->arena, b.p, b.n) : NULL;
    buf_free(&b);
    if (kept == NULL)
        d->oom = true;
    return kept != NULL ? kept : "";
}

/* A missing key has no position, so it is reported where the object begins. If several choices are set, the message is at
 * the second one and names the first. */
static bool check_presence(struct diags *d, const struct tree_node *node, const struct schema *type, const char *name)
{
    bool good = true, has_choices = false;
    const struct tree_node *chosen = NULL;
    for (const struct schema_key *k = type->keys; k->name != NULL; k++) {
        const struct tree_node *child = tree_get(node, k->name);
        if ((k->flags & KEY_REQUIRED) != 0 && child == NULL) {
            good = false;
            if (d != NULL)
                diag_add(d, node->at, node->span, "%s needs '%s:'", name, k->name);
            if (d != NULL && k->example != NULL)
                diag_help(d, "%s, as in %s: %s", k->help, k->name, k->example);
        }
        if ((k->flags & KEY_CHOICE) == 0)
            continue;
        has_choices = true;
        if (child != NULL && chosen != NULL) {
            good = false;
            if (d != NULL) {
                diag_add(d, child->key->at, child->key->span, "%s already has '%s:'; it takes exactly one of %s", name,
                         chosen->key->text.p, choices(d, type->keys));
                diag_help(d, "remove one of the two");
            }
        }
        if (child != NULL && chosen == NULL)
            chosen = child;
    }
    if (has_choices && chosen == NULL) {
        good = false;
        if (d != NULL)
            diag_add(d, node->at, node->span, "%s needs exactly one of %s", name, choices(d, type->keys));
    }
    return good;
}

/* Known keys are judged even when others are wrong; messages name a value by its key. */
static bool check_object(struct diags *d, const struct tree_node *node, const struct schema *type, const char *name)
{
    bool good = check_presence(d, node, type, name);
    for (const struct tree_node *child = node->first; child != NULL; child = child->next) {
        const struct schema_key *key = key_find(type->keys, child->key->text);
        if (key == NULL) {
            good = check_unknown(d, child, type, name);
            continue;
        }
        if ((key->flags & KEY_NULL) != 0 && tree_is_null(child))
            continue;
        if (!schema_check(d, child, key->type, key->name))
            good = false;
    }
    return good;
}

/* Lists and free mappings: every child is an item of the same type. */
static bool check_items(struct diags *d, const struct tree_node *node, const struct schema *type, const char *name)
{
    if (type->not_empty && node->n == 0) {
        if (d != NULL)
            diag_add(d, node->at, node->span, "%s is empty; it must be %s", name, type->what);
        return false;
    }
    bool good = true;
    for (const struct tree_node *child = node->first; child != NULL; child = child->next) {
        if (type->item_null && tree_is_null(child))
            continue;
        const char *shown = name;
        if (child->key != NULL && d != NULL)
            shown = diag_show(d, child->key->text);
        if (!schema_check(d, child, type->item, shown))
            good = false;
    }
    return good;
}

/* The shape only: whether the step exists and its arguments fit is judged where it is compiled. */
static bool check_step(struct diags *d, const struct tree_node *node, const char *name)
{
    static const char what[] = "a step such as trim, or one with its arguments such as {truncate: 80}";
    if (node->kind == TREE_SCALAR)
        return tree_is_null(node) ? wrong(d, node, name, what) : true;
    if (node->kind != TREE_MAP || node->n != 1)
        return wrong(d, node, name, what);
    const struct tree_node *args = node->first;
    if (args->kind == TREE_MAP)
        return wrong(d, args, args->key->text.p, "its argument, or a list of them");
    for (const struct tree_node *arg = args->first; arg != NULL; arg = arg->next) {
        if (arg->kind != TREE_SCALAR)
            return wrong(d, arg, "an argument", "text or a number");
    }
    return true;
}

/* Picks one of several types by the shape of the node and does not try them in turn: a message about the wrong alternative
 * would mislead the reader. */
static bool takes(const struct schema *type, enum tree_kind kind)
{
    if (kind == TREE_SCALAR)
        return schema_is_scalar(type);
    if (kind == TREE_LIST)
        return type->kind == SCHEMA_LIST;
    return type->kind == SCHEMA_OBJECT || type->kind == SCHEMA_DICT;
}

/* Depth is bounded by the tree's, so that walking by recursion is safe. */
bool schema_check(struct diags *d, const struct tree_node *node, const struct schema *type, const char *name)
{
    if (type->kind == SCHEMA_ANY) {
        for (size_t i = 0; type->any[i] != NULL; i++) {
            if (takes(type->any[i], node->kind))
                return schema_check(d, node, type->any[i], name);
        }
        return wrong(d, node, name, must_be(d, type));
    }
    if (type->kind == SCHEMA_STEP)
        return check_step(d, node, name);
    if (schema_is_scalar(type))
        return check_scalar(d, node, type, name);
    if (!takes(type, node->kind))
        return wrong(d, node, name, must_be(d, type));
    return type->kind == SCHEMA_OBJECT ? check_object(d, node, type, name) : check_items(d, node, type, name);
}

/* The scalar among several types is the first one of them. */
static const struct schema *stored_type(const struct schema *type)
{
    return type->kind == SCHEMA_ANY ? type->any[0] : type;
}

/* Only after the check: a scalar that does not fit would be stored as something else. */
int schema_store(const struct tree_node *node, const struct schema *type, void *base, struct arena *arena)
{
    for (const struct tree_node *child = node->first; child != NULL; child = child->next) {
        const struct schema_key *key = key_find(type->keys, child->key->text);
        if (key == NULL)
            continue;
        int rc = 0;
        if (child->kind == TREE_MAP && key->type->kind == SCHEMA_OBJECT)
            rc = schema_store(child, key->type, base, arena);
        else if (child->kind == TREE_SCALAR && !tree_is_null(child) && key->offset != NOT_STORED)
            rc = scalar_store(stored_type(key->type), child->text, (char *)base + key->offset, arena);
        if (rc != 0)
            return -1;
    }
    return 0;
}

/* Choices are left out: the members of sources share their memory, and only one of them will be there. */
int schema_defaults(const struct schema *type, void *base, struct arena *arena)
{
    for (const struct schema_key *key = type->keys; key->name != NULL; key++) {
        int rc = 0;
        if (key->type->kind == SCHEMA_OBJECT && (key->flags & KEY_CHOICE) == 0) {
            rc = schema_defaults(key->type, base, arena);
        } else if (key->offset != NOT_STORED && key->fallback != NULL && strcmp(key->fallback, "null") != 0) {
            struct str text = str_from(key->fallback);
            if (text.n >= 2 && text.p[0] == '"') /* a JSON string without escapes */
                text = (struct str){text.p + 1, text.n - 2};
            rc = scalar_store(stored_type(key->type), text, (char *)base + key->offset, arena);
        }
        if (rc != 0)
            return -1;
    }
    return 0;
}

/* Options are written with hyphens, keys with underscores; both are taken for both. */
static bool same_name(const char *path, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++) {
        if ((path[i] == '-' ? '_' : path[i]) != name[i]) /* stops at the name's NUL */
            return false;
    }
    return name[n] == '\0';
}

/* "limits.batch" is the key batch of the object under limits. */
const struct schema_key *schema_find(const char *path)
{
    const struct schema *type = &schema_root;
    for (;;) {
        size_t n = strcspn(path, ".");
        if (type->kind != SCHEMA_OBJECT)
            return NULL;
        const struct schema_key *key = type->keys;
        while (key->name != NULL && !same_name(path, n, key->name))
            key++;
        if (key->name == NULL)
            return NULL;
        if (path[n] == '\0')
            return key;
        type = key->type;
        path += n + 1;
    }
}
