/* Cases of tests/cases/csv: read from text, run against the CSV reader. */
#ifndef TESTS_UNIT_CSVCASES_H
#define TESTS_UNIT_CSVCASES_H

#include "sync/base/buf.h"

#include <stdbool.h>
#include <stddef.h>

struct csvcase {
    char title[200];
    unsigned line;       /* of the case file */
    char delimiter;      /* 0: auto */
    char encoding[64];   /* "": auto */
    struct str names[8]; /* header: a,b,c */
    size_t names_n;
    size_t field_max; /* 0: default */
    bool alone, slow, may_stand, may_differ, uncertain, embedded_rows;
    struct buf input, expect;
    char names_text[200];
};

/* Turns \n \xHH \{N*x} of `text` into bytes. Fails the test on a mistake. */
void csvcase_unescape(const char *text, struct buf *out);
/* The next case of an open file: false at its end. Free it with csvcase_free(). */
bool csvcase_read(void *file, unsigned *line, struct csvcase *out);
void csvcase_free(struct csvcase *c);

/* What the reader makes of the input in reads of at most `chunk` bytes (0: large ones), in the notation of the cases. */
void csvcase_run(const struct csvcase *c, size_t chunk, struct buf *out);

#endif
