/* What the server's catalogue says of a query's columns: how their types are spelled, which table a column is of, and
 * whether it may be NULL there. Knows nothing of rows that flow. */
#ifndef CONNECTORS_POSTGRES_POSTGRES_CATALOG_H
#define CONNECTORS_POSTGRES_POSTGRES_CATALOG_H

#include "connectors/postgres/postgres_conn.h"

/* Names of the types that are not text, as the server spells them: "integer", "timestamp with time zone". One row for each
 * column of a described statement; NULL for text. NULL with the error. The caller clears. */
PGresult *postgres_type_names(struct postgres_conn *c, const PGresult *description, struct err *e);

/* Refuses the type with which the server compares :watermark, by its name. XS_CONFIG. -1. */
int postgres_refuse_type(struct postgres_conn *c, Oid oid, struct err *e);

struct postgres_origin {
    char *table;   /* as SQL spells it; NULL: the column is an expression */
    char *column;  /* the same */
    bool not_null; /* the table forbids NULL. An outer join in the query still makes one */
};

/* Looks for column `i` of a described statement. 0/-1. The caller frees in either case. */
int postgres_origin_look(struct postgres_conn *c, const PGresult *description, int i, struct postgres_origin *out,
                         struct err *e);
/* Counts the rows of the table whose column is NULL; none when the server refuses to count. 0/-1. */
int postgres_origin_count_nulls(struct postgres_conn *c, const struct postgres_origin *origin, uint64_t *out, struct err *e);
void postgres_origin_free(struct postgres_origin *origin);

#endif
