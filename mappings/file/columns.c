/* Compiles column specs. Faults of a step, a template or a default are reported at their position in the file. */
#include "config.h"

#include "mappings/file/compiled.h"
#include "mappings/file/schema.h"
#include "mappings/convert/typed.h"
#include "sync/base/text.h"

#include <stdlib.h>
#include <string.h>

enum { STEP_ARGS_MAX = 8 };

struct compiler {
    struct mapping *m;
    struct diags *d;
    enum overwrite *overwrite; /* LEAD_FIELD_N, then the custom variables */
};

/* Where a scalar's text begins in the file: after the quote. Escapes before `offset` shift the caret, so a position past
 * the scalar becomes its start. */
static size_t text_at(const struct tree_node *node, size_t offset)
{
    size_t at = node->at + (node->plain ? 0 : 1) + offset;
    return at < node->at + node->span ? at : node->at;
}

/* Short memory is not a mistake of the file. It is recorded once, and the final print reports it. */
static int columns_out_of_memory(struct compiler *c)
{
    c->d->oom = true;
    return -1;
}

/* The compilers of steps name the wrong argument and the offset in it; this function turns both into a position in the file.
 * A wrong number of arguments is reported at the step's name. */
static void report_flaw(struct compiler *c, const struct tree_node *step, const struct tree_node *args,
                        const struct flaw *flaw)
{
    const struct tree_node *at = step->kind == TREE_MAP ? step->first->key : step;
    if (flaw->arg == FLAW_WHOLE || args == NULL) {
        diag_add(c->d, at->at, at->span, "%s", flaw->text);
        return;
    }
    at = args->kind == TREE_LIST ? args->first : args;
    for (size_t i = 0; i < flaw->arg && at->next != NULL; i++)
        at = at->next;
    size_t begin = flaw->offset > 0 ? text_at(at, flaw->offset) : at->at;
    diag_add(c->d, begin, begin == at->at ? at->span : 1, "%s", flaw->text);
}

/* One item of apply:. `trim` stands alone, `truncate: 80` has one argument, `replace: [a, b]` a list of them. Extra
 * arguments are dropped, since their number is already a mistake. */
static int compile_step(struct compiler *c, const struct tree_node *node, struct transform_step *out)
{
    struct str args[STEP_ARGS_MAX];
    size_t n = 0;
    const struct tree_node *given = node->kind == TREE_MAP ? node->first : NULL;
    struct str name = given != NULL ? given->key->text : node->text;
    if (given != NULL && given->kind == TREE_SCALAR)
        args[n++] = given->text;
    for (const struct tree_node *a = given != NULL ? given->first : NULL; a != NULL && n < STEP_ARGS_MAX; a = a->next)
        args[n++] = a->text;
    struct flaw flaw = {.arg = FLAW_WHOLE};
    if (transform_compile(name, args, n, &c->m->arena, out, &flaw) == 0)
        return 0;
    report_flaw(c, node, given, &flaw);
    return -1;
}

/* "Null" is a placeholder in any column but those of names. */
static void know_field(const struct column *column, struct transform_step *step)
{
    if (step->op == TRANSFORM_CLEAN)
        step->as.clean.of_person = column->slot == LEAD_FIRST_NAME || column->slot == LEAD_LAST_NAME;
}

/* Keeps the steps that compile even if others do not, so that mapping_free() frees them. */
static int compile_steps(struct compiler *c, const struct tree_node *list, struct column *column)
{
    if (list == NULL || list->n == 0)
        return 0;
    if (list->kind != TREE_LIST)
        return -1;
    int rc = 0;
    column->steps = arena_calloc(&c->m->arena, list->n, sizeof *column->steps);
    if (column->steps == NULL)
        return columns_out_of_memory(c);
    for (const struct tree_node *item = list->first; item != NULL; item = item->next) {
        if (!schema_check(NULL, item, &schema_step, "") || compile_step(c, item, &column->steps[column->steps_n]) != 0)
            rc = -1;
        else
            know_field(column, &column->steps[column->steps_n++]);
    }
    return rc;
}

/* Sorted once for a binary search per row, because maps of countries or stages may be long. */
static int compare_entries(const void *a, const void *b)
{
    const struct map_entry *x = a, *y = b;
    return str_cmp(x->from, y->from);
}

/* map: and otherwise:. A null or an empty text in the map makes the value empty. */
static int compile_map(struct compiler *c, const struct tree_node *map, const struct tree_node *otherwise,
                       struct column *column)
{
    static const char *const words[] = {"reject", "keep", "empty", "skip"};
    if (otherwise != NULL && map == NULL) {
        diag_add(c->d, otherwise->key->at, otherwise->key->span, "'otherwise' needs a 'map:'");
        diag_help(c->d, "use 'default:' for empty values");
        return -1;
    }
    if (map == NULL)
        return 0;
    column->map = arena_calloc(&c->m->arena, map->n, sizeof *column->map);
    if (column->map == NULL)
        return columns_out_of_memory(c);
    for (const struct tree_node *item = map->first; item != NULL; item = item->next)
        column->map[column->map_n++] = (struct map_entry){.from = item->key->text,
                                                          .to = tree_is_null(item) ? STR_NONE : item->text};
    qsort(column->map, column->map_n, sizeof *column->map, compare_entries);
    if (otherwise != NULL && otherwise->kind == TREE_MAP) {
        column->otherwise = UNMATCHED_VALUE;
        column->otherwise_value = otherwise->first->text;
    }
    for (unsigned i = 0; otherwise != NULL && otherwise->kind == TREE_SCALAR && i < 4; i++) {
        if (str_is(otherwise->text, words[i]))
            column->otherwise = (enum unmatched)i;
    }
    return 0;
}

/* typed.c has a reader for each kind of JSON value. The text itself is sent, so that no digit is lost. */
const char *column_type_value(enum column_type type, struct str text, struct arena *scratch, struct value *out, bool *oom)
{
    struct str typed = text;
    struct uuid uuid;
    const char *why = NULL;
    out->kind = VALUE_STRING;
    switch (type) {
    case TYPE_STRING: break;
    case TYPE_NUMBER:
        why = typed_number(text, &typed);
        out->kind = VALUE_NUMBER;
        break;
    case TYPE_INTEREST:
        why = typed_interest(text, &typed);
        out->kind = VALUE_NUMBER;
        break;
    case TYPE_BOOLEAN:
        why = typed_boolean(text, &typed);
        out->kind = VALUE_BOOL;
        break;
    case TYPE_UUID:
        if (uuid_parse(text, &uuid) != 0)
            return "is not a UUID";
        char lower[UUID_TEXT_N];
        typed = (struct str){arena_dup(scratch, uuid_format(&uuid, lower), UUID_TEXT_N - 1), UUID_TEXT_N - 1};
        *oom = typed.p == NULL;
        break;
    }
    out->p = typed.p;
    out->n = typed.n;
    return why;
}

/* A constant of the file must fit the type; otherwise every row would be rejected. */
static int check_constant(struct compiler *c, const struct tree_node *node, const struct column *column, struct value *out)
{
    bool oom = false;
    if (str_trim(node->text).n == 0) {
        diag_add(c->d, node->at, node->span, "'%s' is empty", node->key->text.p);
        diag_help(c->d, "leave the key out: an empty value leaves the field out of the lead");
        return -1;
    }
    const char *why = column_type_value(column->type, node->text, &c->m->arena, out, &oom);
    if (oom)
        return columns_out_of_memory(c);
    if (why == NULL)
        return 0;
    return diag_add(c->d, node->at, node->span, "the value '%s' %s", diag_show(c->d, node->text), why);
}

/* The API fixes the types of lead fields, so a mapping cannot change them. */
static enum column_type core_type(unsigned slot)
{
    if (slot >= LEAD_FIELD_N)
        return TYPE_STRING;
    switch (lead_field_table[slot].kind) {
    case LEAD_KIND_NUMBER: return TYPE_INTEREST;
    case LEAD_KIND_UUID: return TYPE_UUID;
    default: return TYPE_STRING;
    }
}

/* type: is for custom variables. For a lead field it may only repeat the type of the API. */
static int compile_type(struct compiler *c, const struct tree_node *type, struct column *column)
{
    column->type = core_type(column->slot);
    if (type == NULL)
        return 0;
    enum column_type wanted = str_is(type->text, "number")    ? TYPE_NUMBER
                              : str_is(type->text, "boolean") ? TYPE_BOOLEAN
                                                              : TYPE_STRING;
    if (column->slot >= LEAD_FIELD_N) {
        column->type = wanted;
        return 0;
    }
    if (wanted == (column->type == TYPE_INTEREST ? TYPE_NUMBER : TYPE_STRING))
        return 0;
    diag_add(c->d, type->at, type->span, "%s is always a %s", column->name,
             column->type == TYPE_INTEREST ? "number" : "string");
    diag_help(c->d, "leave 'type:' out; custom variables may have another type");
    return -1;
}

/* `from: [Mobile, Phone]`. A reject of an empty value names all of these columns. */
static int compile_list(struct compiler *c, const struct tree_node *list, struct column *column)
{
    struct buf label = BUF_INIT(MAPPING_BYTES_MAX);
    int bad = 0;
    column->others = arena_calloc(&c->m->arena, list->n, sizeof *column->others);
    if (column->others == NULL)
        return columns_out_of_memory(c);
    for (const struct tree_node *item = list->first; item != NULL; item = item->next) {
        struct source_column from = {.name = item->text, .at = item->at, .span = item->span};
        bad |= (label.n > 0 ? buf_adds(&label, ", ") : 0) | buf_add(&label, item->text.p, item->text.n);
        if (item == list->first)
            column->from = from;
        else
            column->others[column->others_n++] = from;
    }
    column->label = bad == 0 ? arena_dup(&c->m->arena, label.p, label.n) : NULL;
    buf_free(&label);
    return column->label == NULL ? columns_out_of_memory(c) : 0;
}

/* The origin of the text. The schema ensures that exactly one of the three keys is set. */
static int compile_origin(struct compiler *c, const struct tree_node *spec, struct column *column)
{
    const struct tree_node *node = NULL;
    if (spec->kind == TREE_SCALAR || (node = tree_get(spec, "from")) != NULL) {
        node = spec->kind == TREE_SCALAR ? spec : node;
        column->origin = ORIGIN_COLUMN;
        if (node->kind == TREE_LIST)
            return compile_list(c, node, column);
        column->from = (struct source_column){.name = node->text, .at = node->at, .span = node->span};
        column->label = node->text.p;
        return 0;
    }
    if ((node = tree_get(spec, "value")) != NULL) {
        struct value unused;
        column->origin = ORIGIN_VALUE;
        column->value = node->text;
        /* Without steps and a map, this text is what is sent. */
        return column->steps_n + column->map_n > 0 ? 0 : check_constant(c, node, column, &unused);
    }
    node = tree_get(spec, "template");
    column->origin = ORIGIN_TEMPLATE;
    column->template_at = node->at + (node->plain ? 0 : 1);
    struct flaw flaw = {.arg = FLAW_WHOLE};
    if (template_compile(node->text, &c->m->arena, &column->template, &flaw) == 0)
        return 0;
    return diag_add(c->d, text_at(node, flaw.offset), 1, "%s", flaw.text);
}

/* What happens to an empty value, and what an update may change. Reports every mistake, not only the first. */
static int compile_rest(struct compiler *c, const struct tree_node *spec, struct column *column)
{
    const struct tree_node *fallback = tree_get(spec, "default"), *required = tree_get(spec, "required");
    const struct tree_node *empty = tree_get(spec, "empty"), *overwrite = tree_get(spec, "overwrite");
    const struct tree_node *on_error = tree_get(spec, "on_error");
    int rc = 0;
    column->empty_on_error = on_error != NULL && str_is(on_error->text, "empty");
    column->required = required != NULL && (required->text.p[0] == 't' || required->text.p[0] == 'T');
    column->clear = empty != NULL && str_is(empty->text, "clear");
    if (overwrite != NULL)
        c->overwrite[column->slot] = str_is(overwrite->text, "never")      ? OVERWRITE_NEVER
                                     : str_is(overwrite->text, "if-empty") ? OVERWRITE_IF_EMPTY
                                                                           : OVERWRITE_ALWAYS;
    if (column->clear && (column->slot == LEAD_EMAIL || column->slot == LEAD_LT_INTEREST_STATUS)) {
        diag_add(c->d, empty->at, empty->span, "%s cannot be cleared: Instantly takes no null for it", column->name);
        diag_help(c->d, "leave 'empty:' out");
        rc = -1;
    }
    if (fallback == NULL)
        return rc;
    if (column->slot == LEAD_EMAIL) {
        diag_add(c->d, fallback->at, fallback->span, "email cannot have a default: many rows would become one person");
        diag_help(c->d, "leave 'default:' out; a row without an address is rejected");
        return -1;
    }
    return check_constant(c, fallback, column, &column->fallback) != 0 ? -1 : rc;
}

/* Set last, because it sums up the spec for the hot path. */
static void set_plain(struct column *column)
{
    bool clean = column->steps_n == 1 && column->steps[0].op == TRANSFORM_CLEAN && !column->steps[0].as.clean.website;
    bool one_cell = column->origin == ORIGIN_COLUMN && column->others_n == 0;
    bool as_it_is = one_cell && column->map_n == 0 && column->type == TYPE_STRING;
    column->plain = as_it_is && column->steps_n == 0;
    column->plain_if_clean = as_it_is && clean;
}

/* A whole spec. Compiles every part even after a mistake, so that users can correct all mistakes at once. */
static int compile_column(struct compiler *c, const struct tree_node *spec, unsigned slot, struct column *column)
{
    *column = (struct column){.name = spec->key->text.p, .label = spec->key->text.p, .slot = slot};
    int rc = compile_steps(c, tree_get(spec, "apply"), column);
    if (!schema_check(NULL, spec, &schema_column, ""))
        return -1; /* the schema reported its mistakes; the compiler of steps reports the others */
    if (compile_type(c, tree_get(spec, "type"), column) != 0)
        rc = -1;
    if (compile_map(c, tree_get(spec, "map"), tree_get(spec, "otherwise"), column) != 0)
        rc = -1;
    if (compile_origin(c, spec, column) != 0 || compile_rest(c, spec, column) != 0)
        rc = -1;
    set_plain(column);
    return rc;
}

/* Instantly reads variables back beside the lead's own fields, in one object: a variable with the name of a field would
 * overwrite the field in that object, and the next comparison would find a change that no one made. A template cannot use
 * names with braces. Names longer than 64 characters were never seen to work. */
const char *custom_name_flaw(struct str name)
{
    static const char *const reserved[] = {"campaign", "list_id"};
    size_t points = 0;
    if (name.n == 0 || str_trim(name).n != name.n)
        return "has blanks around it, or is blank";
    for (size_t i = 0; i < name.n; i++) {
        unsigned char c = (unsigned char)name.p[i];
        if (c < 0x20 || c == 0x7F || c == '{' || c == '}')
            return "has a brace or a control character, so no campaign could use it";
        points += (c & 0xC0) != 0x80;
    }
    if (points > CUSTOM_NAME_POINTS_MAX)
        return "is longer than 64 characters";
    if (name.n >= strlen(LEADSYNC_PREFIX) && memcmp(name.p, LEADSYNC_PREFIX, strlen(LEADSYNC_PREFIX)) == 0)
        return "begins with leadsync_, which is reserved";
    for (size_t i = 0; i < LEAD_FIELD_N; i++) {
        if (str_is(name, lead_field_table[i].api) || str_is(name, lead_field_table[i].payload))
            return "is a lead field, which the variable would hide";
    }
    for (size_t i = 0; i < sizeof reserved / sizeof reserved[0]; i++) {
        if (str_is(name, reserved[i]))
            return "is used by Instantly itself";
    }
    return NULL;
}

/* Reported at the key, before the mistakes of its spec. */
static void check_name(struct compiler *c, const struct tree_node *key)
{
    const char *why = custom_name_flaw(key->text);
    if (why == NULL)
        return;
    diag_add(c->d, key->at, key->span, "a custom variable cannot be called '%s': the name %s", diag_show(c->d, key->text),
             why);
    diag_help(c->d, strstr(why, "lead field") != NULL ? "put it under 'fields:'" : "choose another name");
}

/* The spec of a column of a CSV without a mapping: one cell, cleaned. All mappings share its steps, which hold no memory. */
struct column column_copy(const char *name, unsigned slot, struct str from)
{
    static struct transform_step value[] = {{.op = TRANSFORM_CLEAN}};
    static struct transform_step person[] = {{.op = TRANSFORM_CLEAN, .as.clean.of_person = true}};
    static struct transform_step address[] = {{.op = TRANSFORM_CLEAN}, {.op = TRANSFORM_EMAIL, .as.as_spelled = true}};
    static struct transform_step website[] = {{.op = TRANSFORM_CLEAN, .as.clean.website = true}};
    bool of_person = slot == LEAD_FIRST_NAME || slot == LEAD_LAST_NAME;
    struct column column = {.name = name, .label = from.p, .slot = slot, .from = {.name = from}, .type = core_type(slot)};
    column.steps = slot == LEAD_EMAIL ? address : slot == LEAD_WEBSITE ? website : of_person ? person : value;
    column.steps_n = slot == LEAD_EMAIL ? 2 : 1;
    set_plain(&column);
    return column;
}

/* The order is fixed by lead_fields.def for fields and by the file for variables: packed leads of the state depend on
 * this order, and the address comes first, so that its fault is a row's first reason. This also runs for broken files;
 * it skips nodes that are not specs, which the schema has reported. */
void columns_compile(struct mapping *m, struct diags *d, const struct tree_node *root)
{
    const struct tree_node *fields = tree_get(root, "fields"), *custom = tree_get(root, "custom_variables");
    size_t custom_n = custom != NULL && custom->kind == TREE_MAP ? custom->n : 0, at = 0;
    /* `leadsync_key` is the last variable when there is a key. */
    size_t shape_n = custom_n + (tree_get(root, "key") != NULL);
    struct compiler c = {.m = m, .d = d};
    struct str *names = arena_calloc(&m->arena, shape_n + 1, sizeof *names);
    c.overwrite = arena_calloc(&m->arena, LEAD_FIELD_N + shape_n, sizeof *c.overwrite);
    m->impl->columns = arena_calloc(&m->arena, LEAD_FIELD_N + custom_n, sizeof *m->impl->columns);
    if (names == NULL || c.overwrite == NULL || m->impl->columns == NULL) {
        columns_out_of_memory(&c);
        return;
    }
    for (unsigned slot = 0; slot < LEAD_FIELD_N; slot++) {
        const struct tree_node *spec = tree_get(fields, lead_field_table[slot].api);
        if (spec != NULL)
            compile_column(&c, spec, slot, &m->impl->columns[m->impl->columns_n++]);
    }
    for (const struct tree_node *spec = custom_n > 0 ? custom->first : NULL; spec != NULL; spec = spec->next) {
        check_name(&c, spec->key);
        names[at] = spec->key->text;
        compile_column(&c, spec, LEAD_FIELD_N + (unsigned)at, &m->impl->columns[m->impl->columns_n++]);
        at++;
    }
    if (shape_n > custom_n)
        names[at] = STR(LEADSYNC_KEY);
    m->shape = (struct lead_shape){.custom_n = shape_n, .custom_names = names};
    m->overwrite = c.overwrite;
}
