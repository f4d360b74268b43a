/* What a format of a list of records is: one `const struct record_format_ops`, its line in the table of record.c, and its
 * word in `enum record_format`. record.h is for printers; this is for formats alone. */
#ifndef SYNC_REPORT_RECORD_FORMAT_H
#define SYNC_REPORT_RECORD_FORMAT_H

#include "sync/report/record.h"

/* All members append to w->out and return 0/-1 (memory). */
struct record_format_ops {
    unsigned left_out; /* the flag of columns that this format does not show: RECORD_NOT_… */
    bool is_json;      /* records are JSON objects: record_object() and record_json() may be used */
    /* What stands before the first record. Also a list without records has it. */
    int (*begin)(struct record_writer *w);
    /* Writes the cells, or ends what record_object() or record_lines() began. */
    int (*record)(struct record_writer *w);
    /* Prints the records that are kept, see record_flush(). NULL: none are */
    int (*flush)(struct record_writer *w);
    /* What follows the last record. `begin` was called, `flush` was not. */
    int (*finish)(struct record_writer *w);
    /* Frees what the format keeps in w. NULL: nothing */
    void (*free)(struct record_writer *w);
};
extern const struct record_format_ops record_format_text, record_format_json, record_format_ndjson, record_format_csv,
    record_format_html;

bool record_shows(const struct record_writer *w, size_t column);

/* What JSON writes before and after a record that stands by itself. */
int record_json_before(struct record_writer *w);
int record_json_after(struct record_writer *w);
void record_json_members(const struct record_writer *w, struct jsonw *json);

#endif
