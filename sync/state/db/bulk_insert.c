/* The smallest virtual table: eponymous, one way to read it, no constraints, no order of its own. */
#include "config.h"

#include "sync/state/db/bulk_insert.h"

#include <string.h>

struct table {
    sqlite3_vtab base;
    struct bulk_insert *feed;
};
struct cursor {
    sqlite3_vtab_cursor base;
    struct bulk_insert *feed;
    bool any;
    sqlite3_int64 row;
};

static int table_connect(sqlite3 *h, void *aux, int argc, const char *const *argv, sqlite3_vtab **out, char **message)
{
    (void)argc;
    (void)argv;
    (void)message;
    int rc = sqlite3_declare_vtab(h, "CREATE TABLE x(c0, c1, c2, c3, c4, c5)");
    if (rc != SQLITE_OK)
        return rc;
    struct table *t = sqlite3_malloc(sizeof *t);
    if (t == NULL)
        return SQLITE_NOMEM;
    memset(t, 0, sizeof *t);
    t->feed = aux;
    *out = &t->base;
    return SQLITE_OK;
}

static int table_disconnect(sqlite3_vtab *t)
{
    sqlite3_free(t);
    return SQLITE_OK;
}

static int best_index(sqlite3_vtab *t, sqlite3_index_info *info)
{
    (void)t;
    info->estimatedCost = 1e6;
    return SQLITE_OK;
}

static int cursor_open(sqlite3_vtab *base, sqlite3_vtab_cursor **out)
{
    void *table = base;
    struct cursor *c = sqlite3_malloc(sizeof *c);
    if (c == NULL)
        return SQLITE_NOMEM;
    memset(c, 0, sizeof *c);
    c->feed = ((struct table *)table)->feed;
    *out = &c->base;
    return SQLITE_OK;
}

static int cursor_close(sqlite3_vtab_cursor *c)
{
    sqlite3_free(c);
    return SQLITE_OK;
}

static struct cursor *cursor_of(sqlite3_vtab_cursor *base)
{
    void *c = base;
    return c;
}

static int cursor_next(sqlite3_vtab_cursor *base)
{
    struct cursor *c = cursor_of(base);
    c->any = c->feed->next(c->feed->ctx);
    c->row++;
    return SQLITE_OK;
}

static int cursor_filter(sqlite3_vtab_cursor *base, int number, const char *text, int argc, sqlite3_value **argv)
{
    (void)number;
    (void)text;
    (void)argc;
    (void)argv;
    return cursor_next(base);
}

static int cursor_eof(sqlite3_vtab_cursor *base)
{
    return !cursor_of(base)->any;
}

static int cursor_column(sqlite3_vtab_cursor *base, sqlite3_context *out, int column)
{
    struct bulk_insert *f = cursor_of(base)->feed;
    f->column(f->ctx, out, column);
    return SQLITE_OK;
}

static int cursor_rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *row)
{
    *row = cursor_of(base)->row;
    return SQLITE_OK;
}

int bulk_insert_register(struct db *db, struct bulk_insert *f, struct err *e)
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
    return sqlite3_create_module(db->h, "feed", &module, f) == SQLITE_OK ? 0 : db_fail(db, e);
}
