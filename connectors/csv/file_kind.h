/* The kind of a file that is not a CSV: a spreadsheet, an archive, a web page. The first bytes decide; an unknown kind
 * counts as text. Our own table in place of libmagic: some twenty kinds that people take for a CSV, no data file to be
 * found at run time, and each with the sentence that helps. Does no I/O. */
#ifndef CONNECTORS_CSV_FILE_KIND_H
#define CONNECTORS_CSV_FILE_KIND_H

#include "sync/base/err.h"
#include "sync/base/str.h"

/* 0 when `head`, the first bytes of a file (512 are enough), may be the start of a CSV; else XS_SOURCE, which says what
 * the file called `label` is and what to do. */
int file_kind_refuse(struct str head, const char *label, struct err *e);

#endif
