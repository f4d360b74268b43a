/* The parts of the diff's page that stand around its lists: head, notices, figures and charts. */
#ifndef SYNC_REPORT_DIFF_HTML_H
#define SYNC_REPORT_DIFF_HTML_H

#include "sync/report/diff_format.h"
#include "sync/report/page/page_table.h"

/* All borrowed. */
struct diff_html_parts {
    const struct diff *d;
    const struct diff_summary *summary;
    const struct page_field_count *fields; /* of the changes that are shown */
    size_t fields_n;
};

/* Appends what belongs into a slot of the template. An unknown slot stays empty. 0/-1 (memory) */
int diff_html_part(const struct diff_html_parts *p, struct str slot, struct buf *out);

#endif
