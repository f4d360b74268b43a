#include "config.h"

#include "connectors/columns.h"

#include "sync/base/text.h"

#include <stdlib.h>
#include <string.h>

enum {
    SHOWN_WIDTH = 60, /* terminal columns of a name in a message */
    LISTED_MAX = 40,  /* names in a message */
};

static int name_cmp(const void *a, const void *b)
{
    const struct column *left = *(const struct column *const *)a;
    const struct column *right = *(const struct column *const *)b;

    return str_cmp(left->name, right->name);
}

static int refuse_twice(const struct column *list, const struct column *one, const struct column *other, const char *label,
                        const char *remedy, struct err *e)
{
    const struct column *first = one < other ? one : other, *second = one < other ? other : one;
    struct buf shown = BUF_INIT(4096);

    if (text_show(one->name, SHOWN_WIDTH, &shown) != 0)
        buf_reset(&shown);
    err_set(e, XS_CONFIG, "%s: columns %zu and %zu are both named \"%.*s\"; %s", label, (size_t)(first - list) + 1,
            (size_t)(second - list) + 1, STR_ARG(buf_str(&shown)), remedy);
    buf_free(&shown);
    return -1;
}

bool columns_is_ours(struct str name)
{
    size_t n = strlen(LEADSYNC_PREFIX);

    return name.n >= n && memcmp(name.p, LEADSYNC_PREFIX, n) == 0;
}

/* Every column has a name, and no two that could be read have the same. Sorted, since headers may be thousands wide. */
static int check(const struct columns *columns, const char *label, const char *remedy, struct err *e)
{
    const struct column **sorted = malloc((columns->n + 1) * sizeof *sorted);
    int status = 0;

    if (sorted == NULL)
        return err_oom(e);
    for (size_t i = 0; i < columns->n && status == 0; i++) {
        sorted[i] = &columns->list[i];
        if (str_trim(columns->list[i].name).n == 0)
            status = err_set(e, XS_CONFIG, "%s: column %zu of %zu has no name; %s", label, i + 1, columns->n, remedy);
    }
    if (status == 0)
        qsort(sorted, columns->n, sizeof *sorted, name_cmp);
    for (size_t i = 1; i < columns->n && status == 0; i++) {
        if (str_eq(sorted[i - 1]->name, sorted[i]->name) && !columns_is_ours(sorted[i]->name))
            status = refuse_twice(columns->list, sorted[i - 1], sorted[i], label, remedy, e);
    }
    free(sorted);
    return status;
}

int columns_set(struct columns *columns, const struct str *names, const char *const *types, size_t n, const char *label,
                const char *remedy, struct err *e)
{
    size_t total = 0, at = 0;

    for (size_t i = 0; i < n; i++)
        total += names[i].n + 1 + (types != NULL && types[i] != NULL ? strlen(types[i]) + 1 : 0);
    *columns = (struct columns){calloc(n + 1, sizeof *columns->list), n, malloc(total + 1)};
    if (columns->list == NULL || columns->bytes == NULL) {
        columns_free(columns);
        return err_oom(e);
    }
    for (size_t i = 0; i < n; i++) {
        if (names[i].n > 0)
            memcpy(columns->bytes + at, names[i].p, names[i].n);
        columns->list[i].name = (struct str){columns->bytes + at, names[i].n};
        at += names[i].n;
        columns->bytes[at++] = '\0';
        if (types != NULL && types[i] != NULL) {
            size_t type_n = strlen(types[i]) + 1;
            columns->list[i].type = memcpy(columns->bytes + at, types[i], type_n);
            at += type_n;
        }
    }
    if (remedy != NULL && check(columns, label, remedy, e) != 0) {
        columns_free(columns);
        return -1;
    }
    return 0;
}

void columns_free(struct columns *columns)
{
    free(columns->list);
    free(columns->bytes);
    *columns = (struct columns){NULL, 0, NULL};
}

/* Written in the order of the names, a name is found where it is looked for first; after a foreign cell nothing matters. */
void columns_header_cell(struct columns_header *look, struct str cell)
{
    size_t at = look->cells++;
    bool own = columns_is_ours(cell), listed = at < look->n && str_eq(cell, look->names[at]);

    look->ours += own;
    for (size_t i = 0; i < look->n && !own && !listed && !look->foreign; i++)
        listed = str_eq(cell, look->names[i]);
    look->foreign |= !own && !listed;
}

bool columns_header_is(const struct columns_header *look)
{
    return !look->foreign && look->cells > look->ours && (look->ours > 0 || look->cells == look->n);
}

long columns_find(const struct columns *columns, struct str name)
{
    for (size_t i = 0; i < columns->n; i++) {
        if (str_eq(columns->list[i].name, name))
            return (long)i;
    }
    return -1;
}

int columns_list(const struct columns *columns, struct buf *out)
{
    for (size_t i = 0; i < columns->n; i++) {
        if (i == LISTED_MAX)
            return buf_addf(out, " and %zu more", columns->n - i);
        if (buf_adds(out, i > 0 ? ", \"" : "\"") != 0 || text_show(columns->list[i].name, SHOWN_WIDTH, out) != 0 ||
            buf_addc(out, '"') != 0)
            return -1;
    }
    return 0;
}
