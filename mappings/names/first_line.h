/* What the first line of a CSV file is: the names of its columns, data already, or a title above the names.
 *
 * For `init`, which reads unknown files. Decides by the line itself and by the rows below it; keeps counts and never a
 * value. Does no I/O. */
#ifndef MAPPINGS_NAMES_FIRST_LINE_H
#define MAPPINGS_NAMES_FIRST_LINE_H

#include "sync/base/str.h"
#include "sync/model/row.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FIRST_LINE_ROWS = 20 }; /* that are worth showing */

enum first_line_kind {
    FIRST_LINE_HEADER, /* names, or nothing says otherwise; they may have gaps, which are the source's to refuse */
    FIRST_LINE_DATA,
    FIRST_LINE_TITLE, /* the names stand further down */
};

struct first_line_verdict {
    enum first_line_kind kind;
    bool unsure;          /* data: it has no address itself; what speaks for it are the rows below */
    size_t email;         /* data: column of the addresses */
    uint64_t header_line; /* title: where the names stand */
};

struct first_line;

/* Takes the line as it was divided. NULL: out of memory. */
struct first_line *first_line_new(const struct str *cells, size_t n);
/* One of the rows below, in order; ragged ones, too. 0/-1 (memory). */
int first_line_see(struct first_line *look, const struct row *row);
struct first_line_verdict first_line_judge(const struct first_line *look);
void first_line_free(struct first_line *look); /* NULL is fine */

/* The first of these cells that is an e-mail address, of which no column is called; -1: none is. */
long first_line_address(const struct str *cells, size_t n);

#endif
