/* Rows below the data, such as "Summe: 60 Kontakte" at the end of a report. */
#ifndef MAPPINGS_FOOTER_H
#define MAPPINGS_FOOTER_H

#include "sync/model/row.h"

#include <stdbool.h>
#include <stddef.h>

/* A source of so few columns has no footer: each of its rows looks like one. */
enum { FOOTER_CELLS = 2 };

/* The end of a detail. */
#define FOOTER_HINT "the row looks like a footer: delete the line, or leave it out with skip_when"

/* Is any byte of it a letter, or no ASCII? */
bool footer_has_letter(struct str text);
/* What begins a row of sums, in the languages of common exports; NULL: it is another text. None of them is a person's name. */
const char *footer_total_word(struct str text);
/* One row alone: true if the first filled of its first `columns_n` cells is a text that no person has as a name, and only
 * numbers follow. Only a word of sums may stand behind the first column. Never true of a source without lines. */
bool footer_looks_like(const struct row *row, size_t columns_n);

#endif
