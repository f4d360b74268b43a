/* What the two halves of the text diff share: diff_text.c prints the head and the lists, diff_text_sum.c the counts before and
 * after them.
 *
 * All functions append to d->record and return 0/-1 (memory). Names and values come from foreign files, so they go through
 * diff_text_show(), and no escape sequence of theirs reaches the terminal. */
#ifndef SYNC_REPORT_DIFF_TEXT_H
#define SYNC_REPORT_DIFF_TEXT_H

#include "sync/report/diff_format.h"

enum {
    DIFF_TEXT_VALUE_COLUMNS = 60,
    DIFF_TEXT_INDENT = 4, /* of the second and later parts of a line that is wider than the terminal */
};

#define DIFF_TEXT_BOLD "\033[1m"
#define DIFF_TEXT_DIM "\033[2m"
#define DIFF_TEXT_OFF "\033[0m"

struct diff_text_kind {
    const char *mark, *colour, *plural;
};
extern const struct diff_text_kind diff_text_kinds[DIFF_KIND_N];

/* Does nothing without colours. */
int diff_text_paint(struct diff *d, const char *colour);
/* Foreign text, cut at this width unless all is wanted. */
int diff_text_show(struct diff *d, struct str text, size_t columns);
/* `campaign "Q4 founders"`; NULL: "(not known)" */
int diff_text_target(struct diff *d, const struct target *t);
/* "into …", "in …", "from … to …", "deleted from …": where the leads of a change are and will be. */
int diff_text_where(struct diff *d, enum diff_kind kind, const struct target *target, const struct target *from);
/* Ends the line that begins at `from`, and wraps it between words if it is wider than the terminal. */
int diff_text_end_line(struct diff *d, size_t from, size_t indent);

/* ---- diff_text_sum.c ---- */

/* "1 row", "2 rows" */
int diff_text_plural(struct diff *d, uint64_t n, const char *noun);
/* The guards that would stop the sync. */
int diff_text_verdict(struct diff *d, const struct diff_summary *s);
/* What happens to which leads, why rows are left out, and what it costs, in a few lines before the lists. */
int diff_text_short(struct diff *d, const struct diff_summary *s);
/* All counts, after the lists. */
int diff_text_totals(struct diff *d, const struct diff_summary *s);

#endif
