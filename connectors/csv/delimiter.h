/* Which delimiter a CSV uses: found, and confirmed by its header, or asked for. Pure: looks at a sample only. */
#ifndef CONNECTORS_CSV_DELIMITER_H
#define CONNECTORS_CSV_DELIMITER_H

#include "sync/base/err.h"
#include "sync/base/str.h"
#include "sync/model/row.h"

#include <stdbool.h>
#include <stddef.h>

/* Finds it among , ; tab | in the first rows of a file, quotes respected. `whole`: the sample ends where the file does,
 * so that its last row counts. `names_n`: columns the mapping lists where the file has no header, else 0.
 * Errors: XS_CONFIG, asking for `delimiter:`, when none or several agree with the header. `label` is for that message. */
int delimiter_find(struct str sample, bool whole, size_t names_n, const char *label, char *out, struct err *e);

/* The delimiter through which the first row of the sample is a header of these names (columns_header_is()), 0 when there is
 * none. Errors: memory. */
int delimiter_find_header(struct str sample, bool whole, const struct str *names, size_t n, char *out, struct err *e);

/* `*delimiter` is named, but a spreadsheet may have saved the file with another: where it leaves the first row in one piece
 * and the search finds one that divides it, that one is put in its place. Errors: memory; that nothing is found is none. */
int delimiter_find_other(struct str sample, bool whole, size_t names_n, const char *label, char *delimiter, struct err *e);

/* Is this line a note on the delimiter to Excel, "sep=;", and no header? Finding the delimiter obeys it; the reader of
 * the header skips it. `cells` is the line as any delimiter divides it. */
bool delimiter_is_note(const struct cell *cells, size_t n);

/* Is the first line "Notes:", as LinkedIn writes above its header, and does the delimiter divide half of the rows below it? The
 * reader of the header then skips the rows of one cell. Short memory means no. */
bool delimiter_notes_above(struct str sample, bool whole, char delimiter);

/* "," or "tab", as a mapping spells it. Static, NULL for others. */
const char *delimiter_text(char delimiter);

#endif
