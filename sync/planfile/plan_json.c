/* The members of a plan's lines: each with its kind, and copied where it has to outlive the line. */
#include "config.h"

#include "sync/planfile/plan_file_int.h"

#include <string.h>

int plan_bad(const struct plan_file *p, struct err *e, const char *what)
{
    return err_set(e, XS_SOURCE, "%s:%llu: %s; save the plan again with leadsync diff --save", p->path,
                   (unsigned long long)p->line_n, what);
}

struct json_object *plan_member(struct json_object *o, const char *key)
{
    struct json_object *v = NULL;
    json_object_object_get_ex(o, key, &v);
    return v;
}

struct str plan_text(struct json_object *v)
{
    if (!json_object_is_type(v, json_type_string))
        return STR_NONE;
    return (struct str){json_object_get_string(v), (size_t)json_object_get_string_len(v)};
}

bool plan_member_is(struct json_object *o, const char *key, const char *text)
{
    return str_is(plan_text(plan_member(o, key)), text);
}

bool plan_truth(struct json_object *o, const char *key)
{
    struct json_object *v = plan_member(o, key);
    return json_object_is_type(v, json_type_boolean) && json_object_get_boolean(v);
}

int64_t plan_number(struct json_object *o, const char *key)
{
    struct json_object *v = plan_member(o, key);
    return json_object_is_type(v, json_type_int) ? json_object_get_int64(v) : 0;
}

uint64_t plan_count(struct json_object *o, const char *key)
{
    int64_t n = plan_number(o, key);
    return n > 0 ? (uint64_t)n : 0;
}

int plan_copy_text(struct arena *arena, struct json_object *v, struct str *out)
{
    *out = STR_NONE;
    struct str text = plan_text(v);
    return text.n == 0 ? 0 : arena_str(arena, text, out);
}

/* A text with a NUL; NULL for null. A NUL inside it would hide its rest, so such a text is refused. */
int plan_copy_cstr(struct plan_file *p, struct arena *arena, struct json_object *v, char **out, struct err *e)
{
    struct str text = plan_text(v);
    *out = NULL;
    if (!json_object_is_type(v, json_type_string))
        return 0;
    if (memchr(text.p, 0, text.n) != NULL)
        return plan_bad(p, e, "a text has a NUL character");
    *out = arena_dup(arena, text.p, text.n);
    return *out != NULL ? 0 : err_oom(e);
}

int plan_copy_texts(struct plan_file *p, struct json_object *list, char ***out, size_t *n, struct err *e)
{
    size_t length = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;
    char **texts = arena_calloc(&p->arena, length + 1, sizeof *texts);
    if (texts == NULL)
        return err_oom(e);
    for (size_t i = 0; i < length; i++)
        if (plan_copy_cstr(p, &p->arena, json_object_array_get_idx(list, i), &texts[i], e) != 0)
            return -1;
        else if (texts[i] == NULL)
            return plan_bad(p, e, "a list of texts has another value");
    *out = texts;
    *n = length;
    return 0;
}

int plan_copy_names(struct plan_file *p, struct json_object *list, const struct str **out, size_t *n, struct err *e)
{
    size_t length = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;
    struct str *names = length <= PLAN_LIST_MAX ? arena_calloc(&p->arena, length + 1, sizeof *names) : NULL;
    if (names == NULL)
        return length <= PLAN_LIST_MAX ? err_oom(e) : plan_bad(p, e, "a list is too long");
    for (size_t i = 0; i < length; i++)
        if (plan_copy_text(&p->arena, json_object_array_get_idx(list, i), &names[i]) != 0)
            return err_oom(e);
    *out = names;
    *n = length;
    return 0;
}

/* 1 with the target, 0 it is null, -1 */
int plan_read_target(struct plan_file *p, struct arena *arena, struct json_object *o, struct target *out, struct err *e)
{
    if (o == NULL)
        return 0;
    bool list = plan_member_is(o, "kind", "list");
    *out = (struct target){.kind = list ? TARGET_LIST : TARGET_CAMPAIGN, .status = (int)plan_number(o, "status")};
    if ((!list && !plan_member_is(o, "kind", "campaign")) || uuid_parse(plan_text(plan_member(o, "id")), &out->id) != 0)
        return plan_bad(p, e, "a campaign or list is malformed");
    char *sending;
    if (plan_copy_cstr(p, arena, plan_member(o, "name"), &out->name, e) != 0 ||
        plan_copy_cstr(p, arena, plan_member(o, "sending"), &sending, e) != 0)
        return -1;
    out->sending = sending;
    return 1;
}
