/* Shared by the files of the PostgreSQL source: the source itself, and the step that describes its queries. */
#ifndef CONNECTORS_POSTGRES_POSTGRES_INT_H
#define CONNECTORS_POSTGRES_POSTGRES_INT_H

#include "connectors/columns.h"
#include "connectors/postgres/postgres_catalog.h"
#include "connectors/postgres/postgres_conn.h"
#include "connectors/postgres/postgres_mark.h"
#include "connectors/source.h"

enum {
    QUERY_MAX = 1 << 20,
    MESSAGE_MAX = 8192,
};

struct postgres_source {
    struct source base;
    struct postgres_conn conn;
    struct buf query;              /* with $1 for :watermark */
    size_t uses;                   /* of :watermark */
    struct buf type;               /* of the watermark, as it is stored */
    struct postgres_origin origin; /* of the watermark's column */
    struct columns columns;
    Oid *types; /* by column */
    struct cell *cells;
    uint8_t *flaws; /* by column, of the row handed out */
    PGresult *row;  /* that the cells borrow from */
    size_t field_max;
    bool bytes_unchecked; /* the server does not know its encoding: bytes may be anything */
    uint64_t rows;
    long mark_column; /* -1: none */
    struct postgres_mark mark;
    char *watermark; /* after the clean end */
    bool ended, failed;
};

/* Prepares the query, and sets the columns and the watermark of `s`. Blocks as postgres_conn.h says.
 * Errors: XS_CONFIG when the query is not one SELECT, or does not fit watermark:; else what the connection says. */
int postgres_describe(struct postgres_source *s, const struct sql_spec *spec, struct err *e);
/* Compares the columns of full_query:, if the mapping has one, with those of the query: before every read, so that a mistake
 * shows tonight and not with the next full read. */
int postgres_describe_full(struct postgres_source *s, const struct sql_spec *spec, struct err *e);

#endif
