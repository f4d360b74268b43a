/* Loads a mapping file: reads it, checks everything, and fills the struct only if there are no mistakes. */
#include "config.h"

#include "mappings/file/compiled.h"
#include "mappings/file/schema.h"
#include "sync/base/clock.h"
#include "sync/base/file.h"
#include "sync/base/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { FOLD_MAX = 4 << 20 }; /* of one cell; connectors stop at 1 MiB, and folding may triple a character */

/* The defaults come from the table, as everything else of the format does. */
struct mapping *mapping_new(void)
{
    struct mapping *m = calloc(1, sizeof *m);
    if (m == NULL)
        return NULL;
    arena_init(&m->arena, MAPPING_BYTES_MAX);
    m->impl = arena_calloc(&m->arena, 1, sizeof *m->impl);
    if (m->impl != NULL)
        buf_init(&m->impl->fold, FOLD_MAX);
    if (m->impl == NULL || schema_defaults(&schema_root, m, &m->arena) != 0) {
        mapping_free(m);
        return NULL;
    }
    return m;
}

/* The arena holds everything but compiled regular expressions and the buffer for folding. */
void mapping_free(struct mapping *m)
{
    if (m == NULL)
        return;
    if (m->impl != NULL) {
        for (size_t i = 0; i < m->impl->columns_n; i++)
            transform_free(m->impl->columns[i].steps, m->impl->columns[i].steps_n);
        buf_free(&m->impl->fold);
    }
    arena_free(&m->arena);
    free(m);
}

/* A path as opened: relative ones hang below the mapping's folder. */
static int resolve(struct mapping *m, const char **path)
{
    char *joined = path_join(m->folder, *path);
    *path = joined != NULL ? arena_dup(&m->arena, joined, strlen(joined)) : NULL;
    free(joined);
    return *path != NULL ? 0 : -1;
}

/* {campaign: X} or {list: X}: one key, and the schema has judged which. Blanks around a name are a slip of quoting. */
static int read_target(struct mapping *m, const struct tree_node *node, struct target_spec *out)
{
    const struct tree_node *name = node->first;
    out->kind = str_is(name->key->text, "list") ? TARGET_LIST : TARGET_CAMPAIGN;
    struct str text = str_trim(name->text);
    out->text = arena_dup(&m->arena, text.p, text.n);
    return out->text != NULL ? 0 : -1;
}

/* keep, delete, or {move_to: target, if_there: keep|delete}; absent is keep. */
static int read_removal(struct mapping *m, const struct tree_node *node, struct removal *out)
{
    *out = (struct removal){.policy = REMOVAL_KEEP};
    if (node == NULL)
        return 0;
    if (node->kind == TREE_SCALAR) {
        out->policy = str_is(node->text, "delete") ? REMOVAL_DELETE : REMOVAL_KEEP;
        return 0;
    }
    const struct tree_node *if_there = tree_get(node, "if_there");
    out->policy = REMOVAL_MOVE;
    out->delete_if_there = if_there != NULL && str_is(if_there->text, "delete");
    return read_target(m, tree_get(node, "move_to"), &out->to);
}

/* A list of texts; they stay in the tree, which lives as long as the mapping. */
static int read_names(struct mapping *m, const struct tree_node *list, const struct str **names, size_t *n)
{
    struct str *out = arena_calloc(&m->arena, list->n, sizeof *out);
    if (out == NULL)
        return -1;
    *n = 0;
    for (const struct tree_node *item = list->first; item != NULL; item = item->next)
        out[(*n)++] = item->text;
    *names = out;
    return 0;
}

/* The scalars are stored by the table; what is left is the header as a list, and the path. "-" is stdin and no file; one
 * in the working folder stays as it is written, because messages name it with every line. */
static int read_csv(struct mapping *m, const struct tree_node *node)
{
    struct csv_spec *csv = &m->source.as.csv;
    const struct tree_node *header = tree_get(node, "header");
    if (header != NULL && header->kind == TREE_LIST) {
        csv->header = false;
        if (read_names(m, header, &csv->names, &csv->names_n) != 0)
            return -1;
    }
    return strcmp(csv->path, "-") == 0 || strcmp(m->folder, ".") == 0 ? 0 : resolve(m, &csv->path);
}

enum { OVERLAP_DEFAULT_MS = 5 * 60 * 1000 };

/* `overlap` stays as written for numeric watermarks, and is time for the others. A database file is a path like any. */
static int read_sql(struct mapping *m)
{
    struct sql_spec *sql = &m->source.as.sql;
    sql->overlap_ms = OVERLAP_DEFAULT_MS;
    if (sql->overlap != NULL)
        duration_parse(str_from(sql->overlap), &sql->overlap_ms);
    return m->source.kind == SOURCE_SQLITE ? resolve(m, &sql->url) : 0;
}

/* argv and env as execve() takes them. */
static int read_command(struct mapping *m, const struct tree_node *node)
{
    const struct tree_node *list = tree_get(node, "argv"), *env = tree_get(node, "env");
    const char **argv = arena_calloc(&m->arena, list->n + 1, sizeof *argv);
    const char **vars = arena_calloc(&m->arena, env != NULL ? env->n + 1 : 1, sizeof *vars);
    if (argv == NULL || vars == NULL)
        return -1;
    size_t n = 0;
    for (const struct tree_node *item = list->first; item != NULL; item = item->next)
        argv[n++] = item->text.p;
    /* "./export.sh" is beside the mapping; "psql" is found in PATH. */
    if (strchr(argv[0], '/') != NULL && strcmp(m->folder, ".") != 0 && resolve(m, &argv[0]) != 0)
        return -1;
    n = 0;
    for (const struct tree_node *item = env != NULL ? env->first : NULL; item != NULL; item = item->next) {
        struct buf b = BUF_INIT(YAML_TREE_BYTES_MAX * 2);
        if (buf_addf(&b, "%s=%s", item->key->text.p, item->text.p) == 0)
            vars[n] = arena_dup(&m->arena, b.p, b.n);
        buf_free(&b);
        if (vars[n++] == NULL)
            return -1;
    }
    m->source.as.command.argv = argv;
    m->source.as.command.env = vars;
    return 0;
}

/* The mapping has exactly one source. Its defaults and scalars go into a union, so the kind must be known first. */
static int read_source(struct mapping *m, const struct tree_node *source)
{
    static const char *const kinds[] =
        {[SOURCE_CSV] = "csv", [SOURCE_POSTGRES] = "postgres", [SOURCE_SQLITE] = "sqlite", [SOURCE_COMMAND] = "command"};
    const struct tree_node *node = source->first;
    m->source.kind = SOURCE_CSV;
    while (!str_is(node->key->text, kinds[m->source.kind]))
        m->source.kind++;
    char path[32] = "source.";
    const struct schema_key *key = schema_find(strcat(path, kinds[m->source.kind]));
    if (schema_defaults(key->type, m, &m->arena) != 0 || schema_store(node, key->type, m, &m->arena) != 0)
        return -1;
    switch (m->source.kind) {
    case SOURCE_CSV: return read_csv(m, node);
    case SOURCE_COMMAND: return read_command(m, node);
    default: return read_sql(m);
    }
}

/* Cases keep the order of the file, which numbers the targets; a sorted index beside them finds one by halving. */
static int compare_route(const void *a, const void *b)
{
    const struct route_value *x = a, *y = b;
    return str_cmp(x->value, y->value);
}

/* A column that bind.c will look up, and the position to report if it is missing. */
static struct source_column source_column(const struct tree_node *node)
{
    return (struct source_column){.name = node->text, .at = node->at, .span = node->span};
}

/* Cases are compared without the blanks around them; rules.c refuses values that have some. */
static int read_route(struct mapping *m, const struct tree_node *route)
{
    const struct tree_node *cases = tree_get(route, "cases"), *otherwise = tree_get(route, "otherwise");
    m->impl->route = source_column(tree_get(route, "column"));
    m->routes = arena_calloc(&m->arena, cases->n, sizeof *m->routes);
    m->impl->route_values = arena_calloc(&m->arena, cases->n, sizeof *m->impl->route_values);
    if (m->routes == NULL || m->impl->route_values == NULL)
        return -1;
    for (const struct tree_node *item = cases->first; item != NULL; item = item->next) {
        struct route_case *to = &m->routes[m->routes_n];
        to->value = str_trim(item->key->text);
        if (read_target(m, item, &to->target) != 0)
            return -1;
        m->impl->route_values[m->routes_n] = (struct route_value){.value = to->value, .index = m->routes_n};
        m->routes_n++;
    }
    qsort(m->impl->route_values, m->routes_n, sizeof *m->impl->route_values, compare_route);
    m->route_otherwise = OTHERWISE_REJECT;
    if (otherwise != NULL && otherwise->kind == TREE_SCALAR)
        m->route_otherwise = str_is(otherwise->text, "skip") ? OTHERWISE_SKIP : OTHERWISE_REJECT;
    if (otherwise == NULL || otherwise->kind == TREE_SCALAR)
        return 0;
    m->route_otherwise = OTHERWISE_TARGET;
    return read_target(m, otherwise, &m->route_default);
}

/* Values are folded here once, so that a row folds its own cell only when that is not ASCII. */
int skip_value_add(struct mapping *m, struct skip_rule *rule, struct str *values, struct str text)
{
    buf_reset(&m->impl->fold);
    if (text_fold(str_trim(text), &m->impl->fold) != 0 ||
        arena_str(&m->arena, buf_str(&m->impl->fold), &values[rule->values_n]) != 0)
        return -1;
    rule->values_n++;
    return 0;
}

static int read_skips(struct mapping *m, const struct tree_node *list)
{
    m->impl->skips = arena_calloc(&m->arena, list->n, sizeof *m->impl->skips);
    if (m->impl->skips == NULL)
        return -1;
    for (const struct tree_node *item = list->first; item != NULL; item = item->next) {
        struct skip_rule *rule = &m->impl->skips[m->impl->skips_n];
        const struct tree_node *in = tree_get(item, "in");
        struct str *values = arena_calloc(&m->arena, in->n, sizeof *values);
        if (values == NULL || read_removal(m, tree_get(item, "then"), &rule->then) != 0)
            return -1;
        for (const struct tree_node *value = in->first; value != NULL; value = value->next) {
            if (skip_value_add(m, rule, values, value->text) != 0)
                return -1;
        }
        rule->column = source_column(tree_get(item, "column"));
        rule->values = values;
        m->skip_removes = m->skip_removes || rule->then.policy != REMOVAL_KEEP;
        m->impl->skips_n++;
    }
    return 0;
}

/* With a key, the address no longer identifies a lead: has_key makes apply.c put the key into key_text. */
static int read_key(struct mapping *m, const struct tree_node *list)
{
    m->has_key = true;
    m->impl->keys = arena_calloc(&m->arena, list->n, sizeof *m->impl->keys);
    if (m->impl->keys == NULL)
        return -1;
    for (const struct tree_node *item = list->first; item != NULL; item = item->next)
        m->impl->keys[m->impl->keys_n++] = source_column(item);
    return 0;
}

/* Leads go to the list first; `promote` is their target after Instantly has verified the address. */
static int read_stage(struct mapping *m, const struct tree_node *node)
{
    m->stage.on = true;
    m->stage.list.kind = TARGET_LIST;
    struct str list = str_trim(tree_get(node, "list")->text);
    m->stage.list.text = arena_dup(&m->arena, list.p, list.n);
    return m->stage.list.text != NULL ? read_target(m, tree_get(node, "promote"), &m->stage.promote) : -1;
}

/* Everything but the columns. The tree was checked, so required keys exist. */
static int fill(struct mapping *m, const struct tree_node *root)
{
    const struct tree_node *node;
    if (schema_store(root, &schema_root, m, &m->arena) != 0 || read_source(m, tree_get(root, "source")) != 0 ||
        read_removal(m, tree_get(root, "removed"), &m->removed) != 0)
        return -1;
    if ((node = tree_get(root, "target")) != NULL && read_target(m, node, &m->target) != 0)
        return -1;
    if ((node = tree_get(root, "route")) != NULL && read_route(m, node) != 0)
        return -1;
    if ((node = tree_get(root, "skip_when")) != NULL && read_skips(m, node) != 0)
        return -1;
    if ((node = tree_get(root, "key")) != NULL && read_key(m, node) != 0)
        return -1;
    if ((node = tree_get(root, "stage")) != NULL && read_stage(m, node) != 0)
        return -1;
    return digest_tree(root, &m->digest);
}

/* Checks everything before it reports: the table, the rules between keys, and the columns. Each check tolerates what the
 * earlier ones refused. Fills the struct only from a file without mistakes. */
static int load_text(struct mapping *m, struct err *e)
{
    struct diags *d = &m->impl->diags;
    const struct tree_node *root = yaml_tree_parse(d);
    if (root != NULL && root->kind != TREE_MAP) {
        diag_add(d, root->at, root->span, "the file is not a mapping: it must begin with KEY: VALUE lines");
        diag_help(d, "'leadsync init SOURCE -o FILE' writes one to start from");
    } else if (root != NULL) {
        schema_check(d, root, &schema_root, "the mapping");
        rules_check(d, root);
        columns_compile(m, d, root);
    }
    if (diags_result(d, XS_CONFIG, e) != 0)
        return -1;
    return fill(m, root) != 0 ? err_oom(e) : 0;
}

/* Relative paths of the mapping start at its folder, not at the working folder of the command. */
static int set_path(struct mapping *m, const char *path)
{
    const char *slash = strrchr(path, '/');
    size_t folder_n = slash == NULL ? 0 : slash == path ? 1 : (size_t)(slash - path);
    m->path = arena_dup(&m->arena, path, strlen(path));
    m->folder = slash == NULL ? "." : arena_dup(&m->arena, path, folder_n);
    return m->path != NULL && m->folder != NULL ? 0 : -1;
}

/* The text is kept for the life of the mapping (1 MiB at most): a column that the source lacks is found
 * later, and its message still shows the line. */
int mapping_parse(const char *path, struct str bytes, struct mapping **out, struct err *e)
{
    struct mapping *m = mapping_new();
    struct str text;
    if (m == NULL || set_path(m, path) != 0 || arena_str(&m->arena, yaml_tree_text(bytes), &text) != 0) {
        mapping_free(m);
        return err_oom(e);
    }
    diags_init(&m->impl->diags, m->path, text, &m->arena);
    if (load_text(m, e) != 0) {
        mapping_free(m);
        return -1;
    }
    *out = m;
    return 0;
}

int mapping_load(const char *path, struct mapping **out, struct err *e)
{
    struct buf bytes = BUF_INIT(YAML_TREE_BYTES_MAX + 4); /* one byte over the limit, and a byte order mark */
    bool ours;
    int rc = file_read_ours(path, &bytes, &ours, XS_CONFIG, XS_CONFIG, e);
    if (rc == 0)
        rc = mapping_parse(path, buf_str(&bytes), out, e);
    /* Of the bytes that were parsed: the file may be another one by now. */
    if (rc == 0 && sha256_hex(bytes.p, bytes.n, (*out)->sha256) != 0) {
        mapping_free(*out);
        rc = err_set(e, XS_INTERNAL, "SHA-256 is not available");
    }
    /* Users who can write to a mapping could make the user of leadsync run any program. */
    if (rc == 0 && (*out)->source.kind == SOURCE_COMMAND && !ours)
        (*out)->source.as.command.foreign = (*out)->path;
    buf_free(&bytes);
    return rc;
}
