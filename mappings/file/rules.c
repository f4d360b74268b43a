/* Rules between keys: combinations that the table allows but that are meaningless or harmful. */
#include "config.h"

#include "mappings/file/compiled.h"

#include <string.h>

#include "sync/base/hash.h"

enum { NAMES_COMPARED_MAX = 4096 };

static bool rules_is_word(const struct tree_node *node, const char *word)
{
    return node != NULL && node->kind == TREE_SCALAR && str_is(node->text, word);
}

static void removed_needs_mirror(struct diags *d, const struct tree_node *root)
{
    const struct tree_node *removed = tree_get(root, "removed");
    const struct tree_node *mode = tree_get(root, "mode");
    if (removed == NULL || rules_is_word(removed, "keep") || rules_is_word(mode, "mirror"))
        return;
    /* The schema reports an invalid mode, which may have been meant as mirror. */
    if (mode != NULL && !rules_is_word(mode, "create") && !rules_is_word(mode, "upsert"))
        return;
    diag_add(d, removed->key->at, removed->key->span, "'removed:' needs 'mode: mirror'");
    diag_help(d, "add 'mode: mirror' to handle leads whose rows are missing, or remove this line");
}

/* True if `target` is a list; `target` may be NULL or malformed. */
static bool may_be_list(const struct tree_node *target)
{
    return tree_get(target, "list") != NULL;
}

/* Only lists hold leads without an address, and only a key can identify such leads. */
static void address_or_key(struct diags *d, const struct tree_node *root)
{
    const struct tree_node *fields = tree_get(root, "fields"), *route = tree_get(root, "route");
    if (fields == NULL || fields->kind != TREE_MAP || tree_get(fields, "email") != NULL)
        return;
    bool list = may_be_list(tree_get(root, "target")) || may_be_list(tree_get(route, "otherwise"));
    const struct tree_node *cases = tree_get(route, "cases");
    for (const struct tree_node *to = cases != NULL ? cases->first : NULL; to != NULL; to = to->next)
        list = list || may_be_list(to);
    if (tree_get(root, "key") == NULL) {
        diag_add(d, fields->key->at, fields->key->span, "'fields:' needs 'email'");
        diag_help(d, "name the column of the address, as in email: Email Address%s",
                  list ? "; leads without an address need a 'key:' that identifies them" : "");
    } else if (!list || tree_get(root, "stage") != NULL) {
        diag_add(d, fields->key->at, fields->key->span, "'fields:' needs 'email': only lists hold leads without an address");
    } else if (tree_get(fields, "first_name") == NULL && tree_get(fields, "last_name") == NULL) {
        diag_add(d, fields->key->at, fields->key->span, "a lead without an address needs a first or last name");
        diag_help(d, "add first_name or last_name");
    }
}

/* stage: has one target for all rows, route: has a target per row, so they contradict each other. */
static void list_first(struct diags *d, const struct tree_node *root)
{
    const struct tree_node *stage = tree_get(root, "stage"), *route = tree_get(root, "route");
    const struct tree_node *verify = tree_get(stage, "verify"), *only = tree_get(stage, "only");
    if (stage != NULL && route != NULL) {
        diag_add(d, stage->key->at, stage->key->span, "'stage:' does not go with 'route:'");
        diag_help(d, "use 'target:' instead of 'route:', or write one file per target");
    }
    if (verify != NULL && rules_is_word(verify, "false") && !rules_is_word(only, "all")) {
        diag_add(d, verify->at, verify->span, "without verification no address is known to be valid");
        diag_help(d, "add 'only: all', or verify");
    }
}

/* `{campaign: NAME}` or `{list: NAME}`: NAME's node, or NULL. */
static const struct tree_node *place_of(const struct tree_node *target)
{
    const struct tree_node *place = target != NULL && target->kind == TREE_MAP && target->n == 1 ? target->first : NULL;
    return place != NULL && place->key != NULL && place->kind == TREE_SCALAR ? place : NULL;
}

/* A stage must promote to the target of the mapping. A name and a UUID may mean the same target; only Instantly knows, so the
 * start of a run checks that. */
static void promote_is_target(struct diags *d, const struct tree_node *root)
{
    const struct tree_node *promote = tree_get(tree_get(root, "stage"), "promote");
    const struct tree_node *to = place_of(promote), *target = place_of(tree_get(root, "target"));
    struct uuid to_id, target_id;
    if (to == NULL || target == NULL)
        return;
    struct str a = str_trim(to->text), b = str_trim(target->text);
    bool is_id = uuid_parse(a, &to_id) == 0;
    if (str_eq(to->key->text, target->key->text) &&
        (is_id != (uuid_parse(b, &target_id) == 0) || (is_id ? uuid_eq(&to_id, &target_id) : str_eq(a, b))))
        return;
    diag_add(d, to->at, to->span, "'promote:' must name the same target as 'target:'");
    diag_help(d, "write promote: {%s: %s}", diag_show(d, target->key->text), diag_show(d, b));
}

/* Reports the first name that a list has twice. The lists are short, so the nested loop is fast enough. */
static void given_twice(struct diags *d, const struct tree_node *list, const char *what)
{
    if (list == NULL || list->kind != TREE_LIST || list->n > NAMES_COMPARED_MAX)
        return;
    for (const struct tree_node *a = list->first; a != NULL; a = a->next) {
        for (const struct tree_node *b = a->next; b != NULL; b = b->next) {
            if (a->kind == TREE_SCALAR && b->kind == TREE_SCALAR && str_eq(a->text, b->text)) {
                diag_add(d, b->at, b->span, "%s '%s' is given twice", what, diag_show(d, b->text));
                return;
            }
        }
    }
}

/* The lists of columns under `from:`. */
static void from_once(struct diags *d, const struct tree_node *specs)
{
    for (const struct tree_node *spec = specs != NULL && specs->kind == TREE_MAP ? specs->first : NULL; spec != NULL;
         spec = spec->next)
        given_twice(d, tree_get(spec, "from"), "column");
}

/* Cases are compared without the blanks around them. */
static void cases_once(struct diags *d, const struct tree_node *root)
{
    const struct tree_node *cases = tree_get(tree_get(root, "route"), "cases");
    for (const struct tree_node *to = cases != NULL ? cases->first : NULL; to != NULL; to = to->next) {
        if (to->key == NULL || str_trim(to->key->text).n == to->key->text.n)
            continue;
        diag_add(d, to->key->at, to->key->span, "this value has blanks around it; values are compared without them");
        diag_help(d, "remove the blanks");
    }
}

/* Names that execve() accepts but that no program could look up. */
static void env_names(struct diags *d, const struct tree_node *root)
{
    const struct tree_node *env = tree_get(tree_get(tree_get(root, "source"), "command"), "env");
    for (const struct tree_node *var = env != NULL ? env->first : NULL; var != NULL; var = var->next) {
        struct str name = var->key != NULL ? var->key->text : STR_NONE;
        bool good = name.n > 0 && !(name.p[0] >= '0' && name.p[0] <= '9');
        for (size_t i = 0; i < name.n; i++)
            good = good && (name.p[i] == '_' || (name.p[i] >= '0' && name.p[i] <= '9') ||
                            ((name.p[i] | 0x20) >= 'a' && (name.p[i] | 0x20) <= 'z'));
        if (!good && var->key != NULL)
            diag_add(d, var->key->at, var->key->span, "'%s' is not a valid name of an environment variable",
                     diag_show(d, name));
        if (str_is(name, "INSTANTLY_API_KEY"))
            diag_add(d, var->key->at, var->key->span,
                     "keep the API key out of mappings; leadsync never passes it to a command");
    }
}

/* Without a watermark each read is a full one, which runs `query`. */
static void full_query_needs_watermark(struct diags *d, const struct tree_node *root)
{
    static const char *const kinds[] = {"postgres", "sqlite"};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        const struct tree_node *source = tree_get(tree_get(root, "source"), kinds[i]);
        const struct tree_node *full = tree_get(source, "full_query");
        if (full == NULL || tree_get(source, "watermark") != NULL)
            continue;
        diag_add(d, full->key->at, full->key->span, "'full_query:' needs 'watermark:'");
        diag_help(d, "name the watermark's column, or write this as 'query:'");
    }
}

/* Each rule reads the tree by itself and tolerates missing or malformed nodes, which the schema reports. */
void rules_check(struct diags *d, const struct tree_node *root)
{
    removed_needs_mirror(d, root);
    address_or_key(d, root);
    list_first(d, root);
    promote_is_target(d, root);
    given_twice(d, tree_get(root, "key"), "column");
    from_once(d, tree_get(root, "fields"));
    from_once(d, tree_get(root, "custom_variables"));
    given_twice(d, tree_get(tree_get(tree_get(root, "source"), "csv"), "header"), "column");
    cases_once(d, root);
    env_names(d, root);
    full_query_needs_watermark(d, root);
}

/* The same for editors and strangers' validators, as a list of schemas that all have to hold; `errorMessage` is what
 * some editors show in place of their own words. A rule about a value also requires its type, because the table
 * reports malformed values. */
static const char rules_text[] =
    "["
    /* removed_needs_mirror() */
    "{\"if\":{\"required\":[\"removed\"],\"properties\":{\"removed\":{\"not\":{\"enum\":[\"keep\"]}}}},"
    "\"then\":{\"required\":[\"mode\"],\"properties\":{\"mode\":{\"enum\":[\"mirror\"],"
    "\"errorMessage\":\"removed: needs mode: mirror\"}}}},"
    /* address_or_key() */
    "{\"if\":{\"required\":[\"fields\"],\"properties\":{\"fields\":{\"type\":\"object\","
    "\"not\":{\"required\":[\"email\"]}}}},"
    "\"then\":{\"required\":[\"key\"],\"not\":{\"required\":[\"stage\"]},"
    "\"errorMessage\":\"fields: needs email; only lists hold leads without an address, and they need a key:\","
    "\"properties\":{\"fields\":{\"anyOf\":[{\"required\":[\"first_name\"]},{\"required\":[\"last_name\"]}],"
    "\"errorMessage\":\"a lead without an address needs a first or last name\"}},"
    "\"anyOf\":[{\"required\":[\"target\"],\"properties\":{\"target\":{\"type\":\"object\",\"required\":[\"list\"]}}},"
    "{\"required\":[\"route\"],\"properties\":{\"route\":{\"type\":\"object\",\"anyOf\":["
    "{\"required\":[\"otherwise\"],\"properties\":{\"otherwise\":{\"type\":\"object\",\"required\":[\"list\"]}}},"
    "{\"required\":[\"cases\"],\"properties\":{\"cases\":{\"type\":\"object\",\"not\":"
    "{\"additionalProperties\":{\"not\":{\"type\":\"object\",\"required\":[\"list\"]}}}}}}]}}}]}},"
    /* list_first() */
    "{\"not\":{\"type\":\"object\",\"required\":[\"stage\",\"route\"]},"
    "\"errorMessage\":\"stage: does not go with route:\"},"
    "{\"properties\":{\"stage\":{\"if\":{\"required\":[\"verify\"],\"properties\":{\"verify\":{\"enum\":[false]}}},"
    "\"then\":{\"required\":[\"only\"],\"properties\":{\"only\":{\"enum\":[\"all\"]}}}}}},"
    /* promote_is_target(), as far as a schema can compare: the kinds */
    "{\"if\":{\"properties\":{\"target\":{\"required\":[\"campaign\"]}},\"required\":[\"target\"]},"
    "\"then\":{\"properties\":{\"stage\":{\"properties\":{\"promote\":{\"not\":{\"type\":\"object\","
    "\"required\":[\"list\"]},\"errorMessage\":\"promote: must name the same target as target:\"}}}}},"
    "\"else\":{\"properties\":{\"stage\":{\"properties\":{\"promote\":{\"not\":{\"type\":\"object\","
    "\"required\":[\"campaign\"]},\"errorMessage\":\"promote: must name the same target as target:\"}}}}}},"
    /* given_twice() */
    "{\"properties\":{\"key\":{\"uniqueItems\":true},\"source\":{\"properties\":{\"csv\":{\"properties\":"
    "{\"header\":{\"uniqueItems\":true}}}}}}},"
    /* from_once() */
    "{\"properties\":{\"fields\":{\"additionalProperties\":{\"properties\":{\"from\":{\"uniqueItems\":true}}}},"
    "\"custom_variables\":{\"additionalProperties\":{\"properties\":{\"from\":{\"uniqueItems\":true}}}}}},"
    /* cases_once() */
    "{\"properties\":{\"route\":{\"properties\":{\"cases\":{\"propertyNames\":"
    "{\"pattern\":\"^(\\\\S(.*\\\\S)?)?$\"}}}}}},"
    /* env_names() */
    "{\"properties\":{\"source\":{\"properties\":{\"command\":{\"properties\":{\"env\":{\"propertyNames\":"
    "{\"pattern\":\"^[A-Za-z_][A-Za-z0-9_]*$\",\"not\":{\"enum\":[\"INSTANTLY_API_KEY\"]}}}}}}}}},"
    /* full_query_needs_watermark() */
    "{\"properties\":{\"source\":{\"properties\":{\"postgres\":{\"dependencies\":{\"full_query\":[\"watermark\"]}},"
    "\"sqlite\":{\"dependencies\":{\"full_query\":[\"watermark\"]}}}}}}"
    "]";

const char *rules_schema(void)
{
    return rules_text;
}
