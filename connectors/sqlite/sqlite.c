/* Rows of one SELECT from an SQLite file, opened for reading only. One statement is one snapshot, so nothing that is
 * written meanwhile shows up half. */
#include "config.h"

#include "connectors/columns.h"
#include "connectors/drivers.h"
#include "connectors/sqlite/sqlite_mark.h"
#include "connectors/sqltext.h"
#include "sync/base/stop.h"
#include "sync/base/text.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    BUSY_MS = 5000,        /* as long a writer may keep us waiting */
    LOOK_UP_STEPS = 50000, /* virtual machine steps between two looks at the stop flag: some milliseconds */
    MESSAGE_MAX = 8192,
};

struct sqlite_source {
    struct source base;
    const char *path; /* the spec's */
    char *label;
    const char *query; /* whose place an error has. Borrowed */
    sqlite3 *db;
    sqlite3_stmt *stmt;
    struct columns columns;
    struct cell *cells;
    uint8_t *flaws; /* by column, of the row handed out */
    size_t field_max;
    uint64_t rows;
    bool runs;        /* the first row was asked for */
    long mark_column; /* -1: none */
    struct sqlite_mark mark;
    char *mark_type, *table, *column; /* of the watermark; SQLite's memory */
    const char *watermark;            /* after the clean end */
    int64_t deadline_us;              /* 0: none */
    bool ended;
};

static bool is_late(const struct sqlite_source *s)
{
    struct clock *clock = clock_system();

    return s->deadline_us != 0 && clock->mono_us(clock) >= s->deadline_us;
}

static int looked_up(void *arg)
{
    return stop_requested() != 0 || is_late(arg);
}

static void sqlite_close_source(struct source *self)
{
    struct sqlite_source *s = (struct sqlite_source *)self;

    sqlite3_finalize(s->stmt);
    sqlite3_close(s->db);
    sqlite_mark_free(&s->mark);
    columns_free(&s->columns);
    free(s->cells);
    sqlite3_free(s->mark_type);
    sqlite3_free(s->table);
    sqlite3_free(s->column);
    free(s->flaws);
    free(s->label);
    free(s);
}

/* What a failure means to the user depends on how far we came. */
static enum exit_status status_of(const struct sqlite_source *s, int code)
{
    switch (code & 0xff) {
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
    case SQLITE_FORMAT: return XS_SOURCE;
    case SQLITE_CANTOPEN:
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_READONLY: return XS_NO_SOURCE; /* a journal to be rolled back, and we may not */
    case SQLITE_IOERR: return s->rows > 0 ? XS_SOURCE : XS_NO_SOURCE;
    default: return s->runs ? XS_SOURCE : XS_CONFIG; /* the SQL was accepted: what is wrong when it runs is in a row */
    }
}

static const char *hint_of(int code)
{
    switch (code & 0xff) {
    case SQLITE_NOTADB: return "; is this an SQLite file?";
    case SQLITE_BUSY: return "; another program is writing: try again when it is done";
    case SQLITE_READONLY: return "; its last writer did not finish: open it once with a program that may write";
    default: return "";
    }
}

/* Does the header say that readers and writers meet in files beside it? */
static bool is_in_wal_mode(const char *path)
{
    unsigned char header[20] = {0};
    FILE *f = fopen(path, "rb");
    bool whole = f != NULL && fread(header, sizeof header, 1, f) == 1;

    if (f != NULL)
        fclose(f);
    return whole && header[18] == 2 && header[19] == 2;
}

/* SQLite's message, with a caret under the query where it knows the place. */
static int fail(struct sqlite_source *s, int code, struct err *e)
{
    struct buf caret = BUF_INIT(MESSAGE_MAX);
    int offset = -1;

    if ((code & 0xff) == SQLITE_NOMEM)
        return err_oom(e);
    if ((code & 0xff) == SQLITE_INTERRUPT && stop_requested() != 0)
        return err_set(e, (enum exit_status)(128 + stop_requested()), "%s: interrupted while reading", s->label);
    if ((code & 0xff) == SQLITE_INTERRUPT && is_late(s))
        return err_set(e, XS_LEFT_OVER, "%s: the time budget ended while reading", s->label);
    if (((code & 0xff) == SQLITE_CANTOPEN || (code & 0xff) == SQLITE_READONLY) && is_in_wal_mode(s->path))
        return err_set(
            e, XS_NO_SOURCE,
            "%s: is in WAL mode, for which SQLite has to write %s-shm and %s-wal, and this user cannot; "
            "make the file and its folder writable for this user, or name a copy that `sqlite3 %s \".backup COPY\"` "
            "makes",
            s->label, s->path, s->path, s->path);
#if SQLITE_VERSION_NUMBER >= 3038000
    offset = sqlite3_error_offset(s->db);
#endif
    if (offset >= 0 && sqltext_caret(str_from(s->query), (size_t)offset, &caret) != 0)
        buf_reset(&caret);
    err_set(e, status_of(s, code), "%s: %s%s%.*s", s->label, s->db != NULL ? sqlite3_errmsg(s->db) : sqlite3_errstr(code),
            hint_of(code), STR_ARG(buf_str(&caret)));
    buf_free(&caret);
    return -1;
}

static int open_file(struct sqlite_source *s, const struct sql_spec *spec, struct err *e)
{
    size_t n = strlen(spec->url) + sizeof "sqlite ";
    struct stat st;

    s->label = malloc(n);
    if (s->label == NULL)
        return err_oom(e);
    (void)stpcpy(stpcpy(s->label, "sqlite "), spec->url);
    s->base.label = s->label;
    s->path = spec->url;
    /* SQLite only says "unable to open" or "disk I/O error"; the system knows why. */
    if (access(spec->url, R_OK) != 0 || stat(spec->url, &st) != 0)
        return err_errno(e, XS_NO_SOURCE, errno, "%s: cannot be opened", s->label);
    if (S_ISDIR(st.st_mode))
        return err_set(e, XS_NO_SOURCE, "%s: is a directory; name a file in it", s->label);
    if (!S_ISREG(st.st_mode)) /* opening a FIFO would wait for its writer */
        return err_set(e, XS_NO_SOURCE, "%s: is not a regular file; name an SQLite file", s->label);
    int code = sqlite3_open_v2(spec->url, &s->db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL);
    if (code != SQLITE_OK)
        return fail(s, code, e);
    sqlite3_busy_timeout(s->db, BUSY_MS);
    sqlite3_progress_handler(s->db, LOOK_UP_STEPS, looked_up, s);
    return 0;
}

/* Is there a second statement behind the first? Blanks and comments are none. */
static bool is_blank_sql(sqlite3 *db, const char *tail)
{
    sqlite3_stmt *more = NULL;
    bool blank = sqlite3_prepare_v2(db, tail, -1, &more, NULL) == SQLITE_OK && more == NULL;

    sqlite3_finalize(more);
    return blank;
}

/* `key` is the mapping's name of this SQL. */
static int prepare(struct sqlite_source *s, const char *key, const char *sql, struct err *e)
{
    const char *tail = NULL;
    int code = sqlite3_prepare_v2(s->db, sql, -1, &s->stmt, &tail);

    s->query = sql;
    if (code != SQLITE_OK)
        return fail(s, code, e);
    if (s->stmt == NULL || sqlite3_column_count(s->stmt) == 0 || !sqlite3_stmt_readonly(s->stmt))
        return err_set(e, XS_CONFIG, "%s: %s: must be one SELECT; it returns no columns or writes", s->label, key);
    if (!is_blank_sql(s->db, tail))
        return err_set(e, XS_CONFIG, "%s: %s: must be one SELECT; remove the text after the first ;", s->label, key);
    return 0;
}

static int sqlite_set_columns(struct sqlite_source *s, struct err *e)
{
    size_t n = (size_t)sqlite3_column_count(s->stmt);
    struct str *names = calloc(n, sizeof *names);
    const char **types = calloc(n, sizeof *types);
    int status = -1;

    s->cells = calloc(n, sizeof *s->cells);
    s->flaws = calloc(n, sizeof *s->flaws);
    if (names == NULL || types == NULL || s->cells == NULL || s->flaws == NULL) {
        err_oom(e);
        goto done;
    }
    for (size_t i = 0; i < n; i++) {
        names[i] = str_from(sqlite3_column_name(s->stmt, (int)i));
        const char *type = sqlite3_column_decltype(s->stmt, (int)i);
        types[i] = type != NULL && sqlite_affinity(type) != AFFINITY_TEXT ? type : NULL;
    }
    status = columns_set(&s->columns, names, types, n, s->label, "give it a name of its own with AS in query:", e);
    s->base.columns = s->columns.list;
    s->base.columns_n = s->columns.n;
done:
    free(types);
    free(names);
    return status;
}

/* The first value of a query of our own about the watermark's table. NULL with the error; the caller finalizes. */
static sqlite3_stmt *ask_table(struct sqlite_source *s, const char *format, struct err *e)
{
    sqlite3_stmt *asked = NULL;
    char *sql = sqlite3_mprintf(format, s->column, s->table);
    int code = sql != NULL ? sqlite3_prepare_v2(s->db, sql, -1, &asked, NULL) : SQLITE_NOMEM;

    sqlite3_free(sql);
    if (code == SQLITE_OK && (code = sqlite3_step(asked)) == SQLITE_ROW)
        return asked;
    fail(s, code, e);
    sqlite3_finalize(asked);
    return NULL;
}

/* A declared type does not bind the values: a column of times may hold text today and numbers tomorrow, and every number is
 * below every text. So the type that is stored names what the greatest value is, too. */
static int name_type(struct sqlite_source *s, const char *type, struct err *e)
{
    const char *class = "";
    sqlite3_stmt *greatest = NULL;

    if (s->table != NULL && sqlite_affinity(type) != AFFINITY_INTEGER && sqlite_affinity(type) != AFFINITY_TEXT) {
        greatest = ask_table(s, "select max(%s) from %s", e);
        if (greatest == NULL)
            return -1;
        switch (sqlite3_column_type(greatest, 0)) {
        case SQLITE_INTEGER:
        case SQLITE_FLOAT: class = ", numbers"; break;
        case SQLITE_TEXT: class = ", text"; break;
        default: break;
        }
    }
    s->mark_type = sqlite3_mprintf("%s%s", type != NULL ? type : "expression", class);
    sqlite3_finalize(greatest);
    return s->mark_type != NULL ? 0 : err_oom(e);
}

/* Where the column comes from, and whether it may be NULL there: of an INTEGER PRIMARY KEY it may not. */
static int sqlite_describe_mark(struct sqlite_source *s, const struct sql_spec *spec, struct err *e)
{
    const int column = (int)s->mark_column;
    const char *type = sqlite3_column_decltype(s->stmt, column);
    bool not_null = false;

#ifdef HAVE_SQLITE3_COLUMN_ORIGIN_NAME
    const char *database = sqlite3_column_database_name(s->stmt, column);
    const char *table = sqlite3_column_table_name(s->stmt, column);
    const char *origin = sqlite3_column_origin_name(s->stmt, column);
    int no_null = 0, in_key = 0;
    if (table != NULL && origin != NULL &&
        sqlite3_table_column_metadata(s->db, database, table, origin, NULL, NULL, &no_null, &in_key, NULL) == SQLITE_OK) {
        not_null = no_null || (in_key && type != NULL && strcasecmp(type, "INTEGER") == 0);
        s->table = sqlite3_mprintf("\"%w\".\"%w\"", database, table);
        s->column = sqlite3_mprintf("\"%w\"", origin);
        if (s->table == NULL || s->column == NULL)
            return err_oom(e);
    }
#endif
    if (name_type(s, type, e) != 0)
        return -1;
    s->base.mark = (struct source_mark){.kind = sqlite_affinity(type) == AFFINITY_INTEGER ? MARK_NUMBER : MARK_NONE,
                                        .type = s->mark_type,
                                        .excludes_equal = sqltext_excludes_equal(spec->query),
                                        .reads_nulls = spec->full_query != NULL,
                                        .may_be_null = !not_null || sqltext_has_outer_join(spec->query),
                                        .table = s->table};
    return 0;
}

/* Finds the watermark's column. *parameter is the number of :watermark, the only one there may be. */
static int sqlite_set_mark(struct sqlite_source *s, const struct sql_spec *spec, struct clock *clock, int *parameter,
                           struct err *e)
{
    *parameter = sqlite3_bind_parameter_index(s->stmt, ":watermark");
    if (sqlite3_bind_parameter_count(s->stmt) != (*parameter > 0))
        return err_set(e, XS_CONFIG, "%s: query: has a parameter besides :watermark, which is the only one that is bound",
                       s->label);
    if (spec->watermark == NULL)
        return *parameter == 0
                   ? 0
                   : err_set(e, XS_CONFIG, "%s: query: uses :watermark; name its column with watermark:", s->label);
    if (*parameter == 0)
        return err_set(e, XS_CONFIG, "%s: watermark: is set, but query: does not use :watermark (… where %s > :watermark)",
                       s->label, spec->watermark);
    s->mark_column = columns_find(&s->columns, str_from(spec->watermark));
    if (s->mark_column < 0) {
        struct buf list = BUF_INIT(MESSAGE_MAX);
        err_set(e, XS_CONFIG, "%s: watermark: column \"%s\" is not in the query; it has %s", s->label, spec->watermark,
                columns_list(&s->columns, &list) == 0 ? buf_cstr(&list) : "others");
        buf_free(&list);
        return -1;
    }
    sqlite_mark_init(&s->mark, sqlite3_column_decltype(s->stmt, (int)s->mark_column), spec, s->label, clock->wall_ms(clock));
    return sqlite_describe_mark(s, spec, e);
}

static int sqlite_compare_columns(struct sqlite_source *s, sqlite3_stmt *full, struct err *e)
{
    const size_t n = (size_t)sqlite3_column_count(full);

    if (sqlite3_bind_parameter_count(full) > 0)
        return err_set(e, XS_CONFIG, "%s: full_query: has a parameter; leave the condition out: it reads every row",
                       s->label);
    if (n != s->columns.n)
        return err_set(e, XS_CONFIG, "%s: full_query: has %zu column%s and query: has %zu; select the same ones", s->label,
                       n, text_plural(n), s->columns.n);
    for (size_t i = 0; i < n; i++) {
        struct str name = s->columns.list[i].name;
        const char *full_name = sqlite3_column_name(full, (int)i);
        if (full_name == NULL)
            return err_oom(e);
        if (str_cmp(name, str_from(full_name)) != 0)
            return err_set(e, XS_CONFIG, "%s: full_query: column %zu is \"%s\" and in query: \"%.*s\"; select the same ones",
                           s->label, i + 1, full_name, STR_ARG(name));
    }
    return 0;
}

/* Judged with every read, so that a mistake shows tonight and not with the next full read, which runs it. */
static int prepare_full(struct sqlite_source *s, const struct sql_spec *spec, struct err *e)
{
    sqlite3_stmt *query = s->stmt;

    if (spec->full_query == NULL)
        return 0;
    s->stmt = NULL;
    int status = prepare(s, "full_query", spec->full_query, e);
    if (status == 0)
        status = sqlite_compare_columns(s, s->stmt, e);
    if (status == 0 && !s->base.mark.incremental) {
        sqlite3_finalize(query);
        return 0;
    }
    sqlite3_finalize(s->stmt);
    s->stmt = query;
    s->query = spec->query;
    return status;
}

static int count_nulls(struct sqlite_source *s, struct err *e)
{
    sqlite3_stmt *count = ask_table(s, "select sum(%s is null) from %s", e);

    if (count == NULL)
        return -1;
    s->base.mark.table_nulls = (uint64_t)sqlite3_column_int64(count, 0);
    sqlite3_finalize(count);
    return 0;
}

/* From the stored watermark on, or everything? */
static int choose_read(struct sqlite_source *s, const struct sql_spec *spec, const struct source_read *read, int parameter,
                       struct err *e)
{
    struct source_mark *mark = &s->base.mark;

    if (s->mark_column < 0)
        return 0;
    if (read->count_nulls && mark->table != NULL && mark->may_be_null && count_nulls(s, e) != 0)
        return -1;
    mark->incremental = read->watermark != NULL && read->watermark_type != NULL &&
                        strcmp(read->watermark_type, mark->type) == 0;
    if (sqlite_mark_bind(&s->mark, s->stmt, parameter, mark->incremental ? read->watermark : NULL, e) != 0)
        return -1;
    return prepare_full(s, spec, e);
}

static int sqlite_open_source(const struct source_spec *spec, const struct source_read *read, struct clock *clock,
                              struct source **out, struct err *e)
{
    struct sqlite_source *s = calloc(1, sizeof *s);
    const struct sql_spec *sql = &spec->as.sql;
    int parameter;

    if (s == NULL)
        return err_oom(e);
    s->base.ops = &source_sqlite;
    s->base.delimiter = ',';
    s->field_max = read->field_max;
    s->mark_column = -1;
    s->deadline_us = read->deadline_us;
    if (open_file(s, sql, e) != 0 || prepare(s, "query", sql->query, e) != 0 || sqlite_set_columns(s, e) != 0 ||
        sqlite_set_mark(s, sql, clock, &parameter, e) != 0 || choose_read(s, sql, read, parameter, e) != 0) {
        sqlite_close_source(&s->base);
        return -1;
    }
    *out = &s->base;
    return 0;
}

static enum reason sqlite_read_cell(struct sqlite_source *s, int i, struct cell *cell)
{
    bool null = sqlite3_column_type(s->stmt, i) == SQLITE_NULL;
    bool blob = sqlite3_column_type(s->stmt, i) == SQLITE_BLOB;
    const char *p = blob ? sqlite3_column_blob(s->stmt, i) : (const char *)sqlite3_column_text(s->stmt, i);
    size_t n = (size_t)sqlite3_column_bytes(s->stmt, i);

    *cell = (struct cell){p != NULL ? p : "", p != NULL ? n : 0, null};
    s->base.bytes_read += cell->n;
    if (cell->n > s->field_max)
        return REASON_FIELD_TOO_LONG;
    /* SQLite stores any bytes. No later step accepts a NUL in text. */
    if (!text_is_utf8((struct str){cell->p, cell->n}) || memchr(cell->p, '\0', cell->n) != NULL)
        return REASON_NOT_UTF8;
    return REASON_NONE;
}

static int sqlite_end_of_rows(struct sqlite_source *s, struct err *e)
{
    s->ended = true;
    if (s->mark_column >= 0 && sqlite_mark_finish(&s->mark, &s->watermark, &s->base.mark) != 0)
        return err_oom(e);
    /* Lets go of the read lock: writers wait for it. */
    sqlite3_reset(s->stmt);
    return 0;
}

static int sqlite_next_row(struct source *self, struct row *out, struct err *e)
{
    struct sqlite_source *s = (struct sqlite_source *)self;

    for (;;) {
        s->runs = true;
        int code = s->ended ? SQLITE_DONE : sqlite3_step(s->stmt);
        if (code == SQLITE_DONE)
            return s->ended ? 0 : sqlite_end_of_rows(s, e);
        if (code != SQLITE_ROW)
            return fail(s, code, e);
        if (s->mark_column >= 0) {
            bool null = sqlite3_column_type(s->stmt, (int)s->mark_column) == SQLITE_NULL;
            self->mark.null_rows += null;
            if (null && self->mark.incremental)
                continue;
            if (!null && sqlite_mark_see(&s->mark, s->stmt, (int)s->mark_column, &self->mark, e) != 0)
                return -1;
        }
        *out = (struct row){.number = ++s->rows, .cells = s->cells, .n = s->columns.n};
        for (size_t i = 0; i < s->columns.n; i++) {
            s->flaws[i] = (uint8_t)sqlite_read_cell(s, (int)i, &s->cells[i]);
            if (s->flaws[i] != REASON_NONE)
                out->flaws = s->flaws;
        }
        return 1;
    }
}

static const char *sqlite_watermark(struct source *self)
{
    return ((struct sqlite_source *)self)->watermark;
}

static void sqlite_cancel(struct source *self)
{
    sqlite3_interrupt(((struct sqlite_source *)self)->db);
}

const struct source_ops source_sqlite = {
    .name = "sqlite",
    .open = sqlite_open_source,
    .next = sqlite_next_row,
    .watermark = sqlite_watermark,
    .cancel = sqlite_cancel,
    .close = sqlite_close_source,
};
