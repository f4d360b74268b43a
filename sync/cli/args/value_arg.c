#include "config.h"

#include "sync/cli/args/value_arg.h"

#include "mappings/convert/typed.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

static const struct str custom_prefix = {"custom.", 7};

struct filling {
    struct lead *lead;
    struct lead_shape *shape;
    struct str *names; /* the shape's */
    bool patch;
    struct arena *arena;
};

/* Finds the field or custom variable for the value, and refuses a second value for it. */
static struct value *place_of(struct filling *f, const char *option, struct str name, int *field, struct err *e)
{
    struct value *v = NULL;
    *field = lead_field_find(name);
    if (*field >= 0) {
        v = &f->lead->core[*field];
    } else if (name.n > custom_prefix.n && memcmp(name.p, custom_prefix.p, custom_prefix.n) == 0) {
        struct str custom = {name.p + custom_prefix.n, name.n - custom_prefix.n};
        size_t i = 0;
        while (i < f->shape->custom_n && !str_eq(f->names[i], custom))
            i++;
        if (i == f->shape->custom_n)
            f->names[f->shape->custom_n++] = custom;
        v = &f->lead->custom[i];
    } else {
        const char *known[LEAD_FIELD_N];
        for (size_t i = 0; i < LEAD_FIELD_N; i++)
            known[i] = lead_field_table[i].api;
        const char *nearest = str_nearest(name, known, LEAD_FIELD_N);
        err_set(e, XS_USAGE, "%s: a lead has no field \"%.*s\"; a custom variable would be custom.%.*s%s%s%s", option,
                STR_ARG(name), STR_ARG(name), nearest != NULL ? ", did you mean \"" : "", nearest != NULL ? nearest : "",
                nearest != NULL ? "\"?" : "");
        return NULL;
    }
    if (v->kind != VALUE_ABSENT) {
        err_set(e, XS_USAGE, "%s: %.*s is given twice", option, STR_ARG(name));
        return NULL;
    }
    if (f->patch && *field >= 0 && !lead_field_table[*field].patchable) {
        err_set(e, XS_USAGE, "%s: the %.*s of a lead cannot be changed; add a new lead and delete this one", option,
                STR_ARG(name));
        return NULL;
    }
    return v;
}

/* Each core field has one type, whatever the user has typed. */
static int fit_field(const char *option, struct str name, int field, struct value *v, struct err *e)
{
    struct uuid ignored;
    struct str text = {v->p, v->n}, interest;
    const char *why;
    if (field < 0)
        return 0;
    switch (lead_field_table[field].kind) {
    case LEAD_KIND_NUMBER:
        if (v->kind == VALUE_NULL)
            return err_set(e, XS_USAGE, "%s: %.*s cannot be cleared so; leadsync leads interest --value lead does it",
                           option, STR_ARG(name));
        why = typed_interest(text, &interest);
        if (why != NULL)
            return err_set(e, XS_USAGE, "%s: the value \"%.*s\" of %.*s %s", option, STR_ARG(text), STR_ARG(name), why);
        v->kind = VALUE_NUMBER;
        return 0;
    case LEAD_KIND_UUID:
        if (v->kind != VALUE_NULL && uuid_parse(text, &ignored) != 0)
            return err_set(e, XS_USAGE, "%s: %.*s is a UUID, not \"%.*s\"", option, STR_ARG(name), STR_ARG(text));
        return 0;
    case LEAD_KIND_STRING:
        if (v->kind != VALUE_STRING && v->kind != VALUE_NULL)
            return err_set(e, XS_USAGE, "%s: %.*s is a text", option, STR_ARG(name));
        return 0;
    }
    return 0;
}

/* "NAME=REST" */
static int value_arg_split(const char *option, const char *text, struct str *name, struct str *rest, struct err *e)
{
    const char *equals = strchr(text, '=');
    if (equals == NULL || equals == text)
        return err_set(e, XS_USAGE, "%s \"%s\" is not NAME=VALUE, as in first_name=Ada", option, text);
    *name = (struct str){text, (size_t)(equals - text)};
    *rest = str_from(equals + 1);
    return 0;
}

/* Parses a scalar. A number keeps its text, because it is sent as typed. */
static int json_value(struct filling *f, struct str text, struct value *v)
{
    struct str copy;
    if (str_is(text, "true") || str_is(text, "false")) {
        v->kind = VALUE_BOOL;
        return 0;
    }
    struct str number;
    if (typed_number(text, &number) == NULL && str_eq(text, number)) {
        v->kind = VALUE_NUMBER;
        return 0;
    }
    struct json_object *json = text.n > 0 && text.p[0] == '"' ? json_tokener_parse(text.p) : NULL;
    int rc = -1;
    if (json_object_is_type(json, json_type_string) &&
        arena_str(f->arena, (struct str){json_object_get_string(json), (size_t)json_object_get_string_len(json)}, &copy) ==
            0) {
        *v = (struct value){VALUE_STRING, copy.p, copy.n};
        rc = 0;
    }
    json_object_put(json);
    return rc;
}

enum { KIND_TEXT, KIND_JSON, KIND_CLEAR };

static int value_arg_fill(struct filling *f, const struct opt_list *list, const char *option, int kind, struct err *e)
{
    for (size_t i = 0; i < list->n; i++) {
        struct str name = str_from(list->v[i]), rest = STR_NONE;
        int field;
        if (kind != KIND_CLEAR && value_arg_split(option, list->v[i], &name, &rest, e) != 0)
            return -1;
        struct value *v = place_of(f, option, name, &field, e);
        if (v == NULL)
            return -1;
        *v = (struct value){kind == KIND_CLEAR ? VALUE_NULL : VALUE_STRING, rest.p, rest.n};
        if (kind == KIND_JSON && json_value(f, rest, v) != 0)
            return err_set(e, XS_USAGE, "%s \"%s\": the value after = is not a number, true, false or a quoted text", option,
                           list->v[i]);
        if (fit_field(option, name, field, v, e) != 0)
            return -1;
    }
    return 0;
}

int value_arg_lead(const struct value_options *o, bool patch, struct arena *arena, struct lead *out, struct err *e)
{
    size_t most = o->texts.n + o->jsons.n + o->clears.n;
    struct filling f = {out, arena_calloc(arena, 1, sizeof *f.shape), arena_calloc(arena, most + 1, sizeof *f.names), patch,
                        arena};
    *out = (struct lead){.shape = f.shape, .custom = arena_calloc(arena, most + 1, sizeof *out->custom)};
    if (f.shape == NULL || f.names == NULL || out->custom == NULL)
        return err_oom(e);
    f.shape->custom_names = f.names;
    return value_arg_fill(&f, &o->texts, "--set", KIND_TEXT, e) != 0 ||
                   value_arg_fill(&f, &o->jsons, "--set-json", KIND_JSON, e) != 0 ||
                   value_arg_fill(&f, &o->clears, "--clear", KIND_CLEAR, e) != 0
               ? -1
               : 0;
}
