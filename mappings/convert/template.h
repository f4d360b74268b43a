/* Templates of column specs: "{Company} ({Country})", with `{{` and `}}` for braces.
 *
 * Knows no mapping file and no source: columns are found by a callback once a run, values come as an array of cells. */
#ifndef MAPPINGS_CONVERT_TEMPLATE_H
#define MAPPINGS_CONVERT_TEMPLATE_H

#include "mappings/convert/flaw.h"
#include "sync/base/arena.h"
#include "sync/base/str.h"
#include "sync/model/row.h"

#include <stdbool.h>
#include <stddef.h>

enum { TEMPLATE_OUTPUT_MAX = 1 << 20 }; /* bytes one run may make */

struct template_part {
    bool is_column;
    struct str text; /* literal bytes, or the column's name (blanks around it trimmed) */
    size_t offset;   /* of the part in the template's text, for carets */
    size_t column;   /* index of the cell; set by the caller before template_run() */
};

struct template
{
    struct template_part *parts;
    size_t n;
};

/* Compiles a text of valid UTF-8. Everything is copied into `arena`. 0, or -1 with `flaw`: a brace that is not closed, a
 * lone `}`, an empty name, a template without any column (`value:` is for that). */
int template_compile(struct str text, struct arena *arena, struct template *out, struct flaw *flaw);

/* Fills in the cells; a NULL cell is empty. All columns empty or blank make the whole empty. `*out` borrows from the cell
 * when the template is one column and nothing else, else from `scratch`. 0, or -1 with errno ENOMEM (arena exhausted) or
 * EOVERFLOW (more than TEMPLATE_OUTPUT_MAX). A column beyond cells_n is empty. */
int template_run(const struct template *t, const struct cell *cells, size_t cells_n, struct arena *scratch, struct str *out);

#endif
