/* A record of the list: a mark, the name, and two values as lead.c packs them. No field's name begins with the mark, so that
 * a list differs from the text of an older leadsync in its first byte. */
#include "config.h"

#include "sync/model/change.h"

#include <errno.h>
#include <string.h>

#include "sync/base/text.h"

enum { RECORD_MARK = 0x01, KIND_BITS = 3 };

/* ---- packing ---- */

static int add_value(const struct value *v, struct buf *list)
{
    struct str text = v->kind > VALUE_NULL ? (struct str){v->p, v->n} : STR_NONE;
    bool cut = v->kind == VALUE_STRING && text.n > CHANGE_KEPT_BYTES;
    const struct str more = STR("…");
    if (cut)
        text.n = text_utf8_prefix((struct str){text.p, CHANGE_KEPT_BYTES});
    size_t n = text.n + (cut ? more.n : 0);
    return buf_add_varint(list, (unsigned long long)n << KIND_BITS | v->kind) | buf_add(list, text.p, text.n) |
           (cut ? buf_add(list, more.p, more.n) : 0);
}

int change_add(const struct change *change, struct buf *list)
{
    size_t before = list->n;
    if (before > CHANGE_LIST_BYTES)
        return 0;
    if ((buf_addc(list, RECORD_MARK) | buf_add_str(list, change->name) | add_value(&change->before, list) |
         add_value(&change->after, list)) == 0)
        return 0;
    list->n = before;
    return -1;
}

static int change_take_value(const char **p, const char *end, struct value *out)
{
    unsigned long long v;
    if (unpack_varint(p, end, &v) != 0)
        return -1;
    unsigned kind = (unsigned)(v & ((1U << KIND_BITS) - 1));
    unsigned long long n = v >> KIND_BITS;
    if (kind > VALUE_BOOL || n > (size_t)(end - *p))
        return -1;
    *out = (struct value){(enum value_kind)kind, *p, (size_t)n};
    *p += n;
    return 0;
}

int change_next(const char **p, const char *end, struct change *out)
{
    const char *at = *p;
    struct change change;
    if (at == end)
        return 0;
    if (*at++ != RECORD_MARK || unpack_str(&at, end, &change.name) != 0 ||
        change_take_value(&at, end, &change.before) != 0 || change_take_value(&at, end, &change.after) != 0)
        return -1;
    *out = change;
    *p = at;
    return 1;
}

bool change_is_text(struct str list)
{
    return list.n > 0 && list.p[0] != RECORD_MARK;
}

/* ---- text ---- */

static int show_value(const struct value *v, struct buf *out)
{
    if (v->kind == VALUE_ABSENT)
        return buf_adds(out, "(nothing)");
    if (v->kind == VALUE_NULL)
        return buf_adds(out, "(cleared)");
    if (v->n == 0)
        return buf_adds(out, "(empty)");
    struct str text = {v->p, v->n};
    if (text.n <= CHANGE_SHOWN_BYTES)
        return buf_add(out, text.p, text.n);
    text.n = CHANGE_SHOWN_BYTES;
    return buf_add(out, text.p, text_utf8_prefix(text)) | buf_adds(out, "…");
}

static int change_show_list(struct str list, bool created, struct buf *out)
{
    const char *p = list.p, *end = list.n > 0 ? p + list.n : p;
    struct change change;
    size_t start = out->n;
    int rc = 0;
    if (change_is_text(list))
        return buf_add(out, list.p, list.n);
    while (out->n - start <= CHANGE_TEXT_BYTES && (rc = change_next(&p, end, &change)) == 1) {
        int bad = buf_addf(out, "%s%.*s: ", out->n > start ? "; " : "", STR_ARG(change.name));
        if (!created)
            bad |= show_value(&change.before, out) | buf_adds(out, " -> ");
        if ((bad | show_value(&change.after, out)) != 0)
            return -1;
    }
    if (rc < 0)
        errno = EINVAL;
    return rc < 0 ? -1 : 0;
}

int change_show(struct str list, struct buf *out)
{
    return change_show_list(list, false, out);
}

int change_show_created(struct str list, struct buf *out)
{
    return change_show_list(list, true, out);
}

/* ---- JSON ---- */

static void value_json(const struct value *v, struct jsonw *w)
{
    struct str text = {v->p, v->n};
    if (v->kind == VALUE_STRING)
        jsonw_str(w, text);
    else if (v->kind == VALUE_NUMBER || v->kind == VALUE_BOOL)
        jsonw_raw(w, text);
    else
        jsonw_null(w);
}

int change_json(struct str list, struct jsonw *w)
{
    const char *p = list.p, *end = list.n > 0 ? p + list.n : p;
    struct change change;
    int rc;
    if (list.n == 0) {
        jsonw_null(w);
        return 0;
    }
    if (change_is_text(list)) {
        jsonw_object(w);
        jsonw_member_str(w, "", list);
        jsonw_object_end(w);
        return 0;
    }
    while ((rc = change_next(&p, end, &change)) == 1)
        continue;
    if (rc < 0)
        return -1;
    jsonw_object(w);
    for (p = list.p; change_next(&p, end, &change) == 1;) {
        jsonw_key_str(w, change.name);
        jsonw_array(w);
        value_json(&change.before, w);
        value_json(&change.after, w);
        jsonw_array_end(w);
    }
    jsonw_object_end(w);
    return 0;
}
