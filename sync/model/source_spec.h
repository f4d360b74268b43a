/* What a mapping says about its source: filled by mappings/, read by connectors/, which do not know each other.
 * The maker of the spec (the mapping's arena) owns all strings. */
#ifndef SYNC_MODEL_SOURCE_SPEC_H
#define SYNC_MODEL_SOURCE_SPEC_H

#include "sync/base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum source_kind { SOURCE_CSV, SOURCE_POSTGRES, SOURCE_SQLITE, SOURCE_COMMAND, SOURCE_KIND_N };

struct csv_spec {
    const char *path;          /* as opened: already made relative to the mapping's folder; "-" is stdin */
    char delimiter;            /* 0: find it */
    bool delimiter_may_differ; /* one that does not divide the first row gives way to one that does */
    const char *encoding;      /* NULL: find it; else an iconv name */
    bool uncertain_encoding;   /* one that had to be guessed among several is used, with a warning; else it is an error */
    bool utf8_first;           /* a file that is UTF-8 throughout is read as that, whatever `encoding` is */
    bool header;               /* the first row names the columns */
    bool first_look;           /* a later read follows, and reports what is odd about the first rows */
    const struct str *names;   /* header: [names]; used when header is false */
    size_t names_n;
    bool embedded_rows;       /* a quoted cell may hold whole rows */
    bool short_rows_rejected; /* a row with too few cells is ragged, and not filled up */
    bool header_may_stand;    /* with names: a first row of nothing but them is a header, as `rejects` writes one */
};

struct sql_spec {
    const char *url; /* postgres: libpq connection string; sqlite: path */
    const char *query;
    const char *watermark;  /* column, or NULL */
    const char *full_query; /* read in place of `query` by a full read; NULL: `query` from the smallest value on */
    int64_t overlap_ms;     /* for times: as written, or the default */
    const char *overlap;    /* as written: a duration or a number; NULL: not written */
    int64_t full_every_ms;  /* 0: never */
    int64_t statement_timeout_ms;
    int spool; /* -1 auto, 0, 1 */
};

struct command_spec {
    const char *const *argv; /* NULL-terminated */
    bool ndjson;             /* else CSV */
    const char *const *env;  /* "NAME=VALUE", NULL-terminated */
    const char *foreign;     /* the file that names it, where others can change that: it is not run; else NULL */
};

struct source_spec {
    enum source_kind kind;
    union {
        struct csv_spec csv;
        struct sql_spec sql;
        struct command_spec command;
    } as;
};

#endif
