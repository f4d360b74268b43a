/* The watermark of a PostgreSQL source: which types can carry one, where a first read begins, which value was the
 * greatest, and the SQL with which the server limits it to now() and takes the overlap off. No I/O.
 *
 * Values are compared here while rows flow, because the server cannot be asked meanwhile. Whatever is kept was read, so
 * where its order is not the server's (a collation, digits beyond a long double) rows are read twice, never lost. */
#ifndef CONNECTORS_POSTGRES_POSTGRES_MARK_H
#define CONNECTORS_POSTGRES_POSTGRES_MARK_H

#include "connectors/source.h"
#include "sync/base/buf.h"
#include "sync/base/err.h"
#include "sync/model/source_spec.h"

#include <stdint.h>

enum postgres_mark_kind { PG_MARK_TIME, PG_MARK_INTEGER, PG_MARK_NUMBER, PG_MARK_TEXT };

struct postgres_mark_type {
    uint32_t oid;
    const char *name;
    enum postgres_mark_kind kind;
    const char *smallest; /* bound when nothing is stored; never NULL, which compares with nothing */
    const char *store;    /* SQL of the value to store from $1 the greatest, and of its age in milliseconds; NULL: the
                           * greatest as it is */
    const char *bind;     /* SQL of the value to bind from $1 the stored one and $2 the overlap; NULL: as it is stored */
};

/* NULL: no such type can be a watermark. */
const struct postgres_mark_type *postgres_mark_type_find(uint32_t oid);

struct postgres_mark {
    const struct postgres_mark_type *type;
    bool seen;
    bool overlaps;   /* the overlap is more than nothing */
    int64_t time_us; /* the greatest value, by kind */
    long double number;
    struct buf text;    /* as the server wrote it */
    struct buf overlap; /* as $2 wants it */
};

/* Errors: XS_CONFIG, an overlap that does not go with the type. `label` and `column` are for messages. */
int postgres_mark_init(struct postgres_mark *m, const struct postgres_mark_type *type, const struct sql_spec *spec,
                       const char *label, struct err *e);
void postgres_mark_free(struct postgres_mark *m);

/* Takes note of a value that is not NULL, of numbers in `out`, too. 0/-1 (memory). */
int postgres_mark_see(struct postgres_mark *m, struct str value, struct source_mark *out);

/* Microseconds since 2000 of a date or time as DateStyle ISO writes it, offsets, BC and infinities included. 0/-1. */
int postgres_time_parse(struct str text, int64_t *us);

#endif
