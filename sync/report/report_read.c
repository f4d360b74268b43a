/* Reports are JSON that leadsync has written itself. This is why json-c is used here, outside of the API room. */
#include "config.h"

#include "sync/report/report_read.h"

#include <json-c/json.h>

/* The caller frees *whole. NULL: the report has no such member. */
static struct json_object *report_read_member(const char *report, const char *of, const char *name,
                                              struct json_object **whole)
{
    struct json_object *object, *member = NULL;
    object = *whole = report != NULL ? json_tokener_parse(report) : NULL;
    if (of != NULL && !json_object_object_get_ex(*whole, of, &object))
        object = NULL;
    return json_object_object_get_ex(object, name, &member) ? member : NULL;
}

uint64_t report_read_rows(const char *report, const char *name)
{
    struct json_object *whole, *n = report_read_member(report, "rows", name, &whole);
    uint64_t count = n != NULL ? json_object_get_uint64(n) : 0;
    json_object_put(whole);
    return count;
}

bool report_read_has_rows(const char *report)
{
    struct json_object *whole;
    bool has = report_read_member(report, NULL, "rows", &whole) != NULL;
    json_object_put(whole);
    return has;
}

int report_read_text(const char *report, const char *of, const char *name, struct buf *out)
{
    struct json_object *whole, *text = report_read_member(report, of, name, &whole);
    int rc = 0;
    if (json_object_is_type(text, json_type_string))
        rc = buf_add(out, json_object_get_string(text), (size_t)json_object_get_string_len(text)) == 0 ? 1 : -1;
    json_object_put(whole);
    return rc;
}
