/* What the server says of the queries before it runs them: their columns, and what the watermark's column can do. */
#include "config.h"

#include "connectors/columns.h"
#include "connectors/postgres/postgres_catalog.h"
#include "connectors/postgres/postgres_int.h"
#include "connectors/sqltext.h"
#include "sync/base/text.h"

#include <stdlib.h>

/* Sends a step of the preparation and returns its result, or NULL with the error under a caret. */
static PGresult *describe_step(struct postgres_source *s, int sent, struct err *e)
{
    PGresult *result = NULL, *next;
    bool failed = sent == 0;

    while (!failed && (next = postgres_conn_result(&s->conn, &failed, e)) != NULL) {
        PQclear(result);
        result = next;
    }
    if (!failed && PQresultStatus(result) == PGRES_COMMAND_OK)
        return result;
    if (!failed || sent == 0)
        postgres_conn_fail(&s->conn, result, true, e);
    PQclear(result);
    return NULL;
}

static int postgres_set_columns(struct postgres_source *s, const PGresult *description, struct err *e)
{
    size_t n = (size_t)PQnfields(description);
    struct str *names = calloc(n + 1, sizeof *names);
    const char **types = calloc(n + 1, sizeof *types);
    PGresult *spelled = NULL;
    int status = -1;

    s->types = calloc(n + 1, sizeof *s->types);
    s->cells = calloc(n + 1, sizeof *s->cells);
    s->flaws = calloc(n + 1, sizeof *s->flaws);
    if (names == NULL || types == NULL || s->types == NULL || s->cells == NULL || s->flaws == NULL) {
        err_oom(e);
        goto done;
    }
    if (n == 0) {
        err_set(e, XS_CONFIG, "%s: query: must be one SELECT; it returns no columns", s->conn.label);
        goto done;
    }
    spelled = postgres_type_names(&s->conn, description, e);
    if (spelled == NULL)
        goto done;
    for (size_t i = 0; i < n; i++) {
        names[i] = str_from(PQfname(description, (int)i));
        types[i] = PQgetisnull(spelled, (int)i, 0) ? NULL : PQgetvalue(spelled, (int)i, 0);
        s->types[i] = PQftype(description, (int)i);
    }
    status = columns_set(&s->columns, names, types, n, s->conn.label, "give it a name of its own with AS in query:", e);
    s->base.columns = s->columns.list;
    s->base.columns_n = s->columns.n;
done:
    PQclear(spelled);
    free(types);
    free(names);
    return status;
}

static int no_mark_column(const struct postgres_source *s, const char *name, struct err *e)
{
    struct buf list = BUF_INIT(MESSAGE_MAX);

    err_set(e, XS_CONFIG, "%s: watermark: column \"%s\" is not in the query; it has %s", s->conn.label, name,
            columns_list(&s->columns, &list) == 0 ? buf_cstr(&list) : "others");
    buf_free(&list);
    return -1;
}

/* What an engine may know of the watermark. A column of another type is compared in another way even if a cast keeps the
 * type of :watermark, so the stored type names both. */
static int postgres_describe_mark(struct postgres_source *s, const struct sql_spec *spec,
                                  const struct postgres_mark_type *column, const PGresult *description, struct err *e)
{
    static const enum source_mark_kind kinds[] = {[PG_MARK_TIME] = MARK_TIME,
                                                  [PG_MARK_INTEGER] = MARK_NUMBER,
                                                  [PG_MARK_NUMBER] = MARK_NUMBER,
                                                  [PG_MARK_TEXT] = MARK_TEXT};
    const struct postgres_mark_type *type = s->mark.type;

    if (buf_adds(&s->type, column->name) != 0 ||
        (column != type && buf_addf(&s->type, ", compared as %s", type->name) != 0) || buf_cstr(&s->type) == NULL)
        return err_oom(e);
    if (postgres_origin_look(&s->conn, description, (int)s->mark_column, &s->origin, e) != 0)
        return -1;
    s->base.mark = (struct source_mark){.kind = kinds[type->kind],
                                        .type = s->type.p,
                                        .overlaps = s->mark.overlaps,
                                        .excludes_equal = sqltext_excludes_equal(spec->query),
                                        .reads_nulls = spec->full_query != NULL,
                                        .may_be_null = !s->origin.not_null || sqltext_has_outer_join(spec->query),
                                        .table = s->origin.table};
    return 0;
}

/* The type that the server gives :watermark decides how it is bound, compared and set back. */
static int postgres_set_mark(struct postgres_source *s, const struct sql_spec *spec, const PGresult *description,
                             struct err *e)
{
    const char *label = s->conn.label;

    if (spec->watermark == NULL)
        return s->uses == 0 ? 0
                            : err_set(e, XS_CONFIG, "%s: query: uses :watermark; name its column with watermark:", label);
    if (s->uses == 0)
        return err_set(e, XS_CONFIG,
                       "%s: watermark: is set, but query: does not use :watermark outside of quotes and comments "
                       "(… where %s > :watermark)",
                       label, spec->watermark);
    s->mark_column = columns_find(&s->columns, str_from(spec->watermark));
    if (s->mark_column < 0)
        return no_mark_column(s, spec->watermark, e);
    const struct postgres_mark_type *type = postgres_mark_type_find(PQparamtype(description, 0));
    if (type == NULL)
        return postgres_refuse_type(&s->conn, PQparamtype(description, 0), e);
    const struct postgres_mark_type *column = postgres_mark_type_find(PQftype(description, (int)s->mark_column));
    bool numbers = column != NULL && column->kind != PG_MARK_TIME && column->kind != PG_MARK_TEXT &&
                   type->kind != PG_MARK_TIME && type->kind != PG_MARK_TEXT;
    if (column == NULL || (column->kind != type->kind && !numbers))
        return err_set(e, XS_CONFIG,
                       "%s: watermark: column \"%s\" is %s, but :watermark is compared as %s; add a cast to one of "
                       "them",
                       label, spec->watermark,
                       s->base.columns[s->mark_column].type != NULL ? s->base.columns[s->mark_column].type : "text",
                       type->name);
    if (postgres_mark_init(&s->mark, type, spec, label, e) != 0)
        return -1;
    return postgres_describe_mark(s, spec, column, description, e);
}

/* Has the server parse a statement and say what it returns. NULL with the error under a caret. */
static PGresult *describe_sql(struct postgres_source *s, const char *sql, struct err *e)
{
    PGresult *result = describe_step(s, PQsendPrepare(s->conn.pg, "", sql, 0, NULL), e);

    PQclear(result);
    return result != NULL ? describe_step(s, PQsendDescribePrepared(s->conn.pg, ""), e) : NULL;
}

int postgres_describe(struct postgres_source *s, const struct sql_spec *spec, struct err *e)
{
    PGresult *result = describe_sql(s, buf_cstr(&s->query), e);

    if (result == NULL)
        return -1;
    int status = -1;
    if (PQnparams(result) > (s->uses > 0))
        err_set(e, XS_CONFIG, "%s: query: has a parameter besides :watermark, which is the only one that is bound",
                s->conn.label);
    else if (postgres_set_columns(s, result, e) == 0)
        status = postgres_set_mark(s, spec, result, e);
    PQclear(result);
    return status;
}

/* What a row of full_query: means is what a row of query: means: its columns have the same names, types and places. */
static int postgres_compare_columns(struct postgres_source *s, const PGresult *full, struct err *e)
{
    const size_t n = (size_t)PQnfields(full);

    if (n != s->columns.n)
        return err_set(e, XS_CONFIG, "%s: full_query: has %zu column%s and query: has %zu; select the same ones",
                       s->conn.label, n, text_plural(n), s->columns.n);
    for (size_t i = 0; i < n; i++) {
        struct str name = s->columns.list[i].name;
        if (str_cmp(name, str_from(PQfname(full, (int)i))) != 0)
            return err_set(e, XS_CONFIG, "%s: full_query: column %zu is \"%s\" and in query: \"%.*s\"; select the same ones",
                           s->conn.label, i + 1, PQfname(full, (int)i), STR_ARG(name));
        if (PQftype(full, (int)i) != s->types[i])
            return err_set(e, XS_CONFIG, "%s: full_query: column \"%.*s\" has another type than in query:; add a cast",
                           s->conn.label, STR_ARG(name));
    }
    return 0;
}

/* Judged with every read, so that a mistake shows tonight and not with the next full read. */
int postgres_describe_full(struct postgres_source *s, const struct sql_spec *spec, struct err *e)
{
    struct buf numbered = BUF_INIT(QUERY_MAX);
    PGresult *result = NULL;
    size_t uses = 0;
    int status = -1;

    if (spec->full_query == NULL)
        return 0;
    if (sqltext_number_watermark(spec->full_query, &numbered, &uses) != 0) {
        err_set(e, XS_CONFIG, "%s: full_query: is longer than %d bytes", s->conn.label, QUERY_MAX);
        goto done;
    }
    if (uses > 0) {
        err_set(e, XS_CONFIG, "%s: full_query: uses :watermark; leave the condition out: it reads every row", s->conn.label);
        goto done;
    }
    s->conn.query = spec->full_query;
    result = describe_sql(s, spec->full_query, e);
    if (result != NULL && PQnparams(result) > 0)
        err_set(e, XS_CONFIG, "%s: full_query: has a parameter; nothing is bound to it", s->conn.label);
    else if (result != NULL)
        status = postgres_compare_columns(s, result, e);
    s->conn.query = spec->query;
done:
    PQclear(result);
    buf_free(&numbered);
    return status;
}
