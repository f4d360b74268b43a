/* Reads back what run_report.c wrote: the reports of earlier runs, as the state keeps them. */
#ifndef SYNC_REPORT_REPORT_READ_H
#define SYNC_REPORT_REPORT_READ_H

#include "sync/base/buf.h"

#include <stdbool.h>
#include <stdint.h>

/* The count of `rows` with this name, such as "created". 0 when the report does not have it, or is NULL. */
uint64_t report_read_rows(const char *report, const char *name);
/* Has the report counts of rows at all? A run that was killed left none. */
bool report_read_has_rows(const char *report);
/* Appends the text member `name` of the object `of` (NULL: of the report itself). 1, 0 there is none, -1 (memory) */
int report_read_text(const char *report, const char *of, const char *name, struct buf *out);

#endif
