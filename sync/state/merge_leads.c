#include "config.h"

#include "sync/state/merge_leads.h"

#include <stdlib.h>
#include <string.h>

struct table {
    sqlite3_vtab base;
    struct merge_leads *source;
};
struct cursor {
    sqlite3_vtab_cursor base;
    size_t at; /* in the list's order */
};

static int table_connect(sqlite3 *h, void *aux, int argc, const char *const *argv, sqlite3_vtab **out, char **message)
{
    (void)argc;
    (void)argv;
    (void)message;
    int rc = sqlite3_declare_vtab(h, "CREATE TABLE x(key, fingerprint, n, target, status, flags)");
    if (rc != SQLITE_OK)
        return rc;
    struct table *t = sqlite3_malloc(sizeof *t);
    if (t == NULL)
        return SQLITE_NOMEM;
    memset(t, 0, sizeof *t);
    t->source = aux;
    *out = &t->base;
    return SQLITE_OK;
}

static int table_disconnect(sqlite3_vtab *t)
{
    sqlite3_free(t);
    return SQLITE_OK;
}

/* There is one way to read it: all of it, by key. */
static int best_index(sqlite3_vtab *t, sqlite3_index_info *info)
{
    (void)t;
    info->estimatedCost = 1e6;
    info->orderByConsumed = info->nOrderBy == 1 && info->aOrderBy[0].iColumn == 0 && !info->aOrderBy[0].desc;
    return SQLITE_OK;
}

static int cursor_open(sqlite3_vtab *t, sqlite3_vtab_cursor **out)
{
    (void)t;
    struct cursor *c = sqlite3_malloc(sizeof *c);
    if (c == NULL)
        return SQLITE_NOMEM;
    memset(c, 0, sizeof *c);
    *out = &c->base;
    return SQLITE_OK;
}

static int cursor_close(sqlite3_vtab_cursor *c)
{
    sqlite3_free(c);
    return SQLITE_OK;
}

static struct merge_leads *source_of(sqlite3_vtab_cursor *c)
{
    void *t = c->pVtab;
    return ((struct table *)t)->source;
}

static struct cursor *cursor_of(sqlite3_vtab_cursor *c)
{
    void *p = c;
    return p;
}

static void skip_to_new(struct cursor *c)
{
    const struct fold_list *l = source_of(&c->base)->list;
    while (c->at < l->n && l->items[l->order[c->at]].op != FOLDED_NEW)
        c->at++;
}

static int cursor_filter(sqlite3_vtab_cursor *base, int number, const char *text, int argc, sqlite3_value **argv)
{
    (void)number;
    (void)text;
    (void)argc;
    (void)argv;
    struct cursor *c = cursor_of(base);
    c->at = 0;
    skip_to_new(c);
    return SQLITE_OK;
}

static int cursor_next(sqlite3_vtab_cursor *base)
{
    struct cursor *c = cursor_of(base);
    c->at++;
    skip_to_new(c);
    return SQLITE_OK;
}

static int cursor_eof(sqlite3_vtab_cursor *base)
{
    return cursor_of(base)->at >= source_of(base)->list->n;
}

static int cursor_column(sqlite3_vtab_cursor *base, sqlite3_context *ctx, int column)
{
    const struct merge_leads *m = source_of(base);
    const struct fold_item *item = &m->list->items[m->list->order[cursor_of(base)->at]];
    switch (column) {
    case 0:
        sqlite3_result_blob(ctx, item->key.b, sizeof item->key.b, SQLITE_STATIC);
        break;
    case 1:
        sqlite3_result_int64(ctx, (int64_t)item->fingerprint);
        break;
    case 2:
        sqlite3_result_int64(ctx, (int64_t)(m->places[item->ordinal] >> PLACE_BITS));
        break;
    case 3:
        sqlite3_result_int64(ctx, item->target);
        break;
    case 4:
        if (item->outcome != 0)
            sqlite3_result_int(ctx, (int8_t)item->reason);
        break;
    default:
        sqlite3_result_int64(ctx, item->run);
        break;
    }
    return SQLITE_OK;
}

static int cursor_rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *rowid)
{
    *rowid = (sqlite3_int64)cursor_of(base)->at;
    return SQLITE_OK;
}

int merge_leads_register(struct db *db, struct merge_leads *source, struct err *e)
{
    static const sqlite3_module module = {
        .xConnect = table_connect, /* no xCreate: it exists by its name alone */
        .xBestIndex = best_index,
        .xDisconnect = table_disconnect,
        .xOpen = cursor_open,
        .xClose = cursor_close,
        .xFilter = cursor_filter,
        .xNext = cursor_next,
        .xEof = cursor_eof,
        .xColumn = cursor_column,
        .xRowid = cursor_rowid,
    };
    return sqlite3_create_module(db->h, "merging", &module, source) == SQLITE_OK ? 0 : db_fail(db, e);
}
