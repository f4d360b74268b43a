/* Cells that show what a program did to the source before: numbers that a spreadsheet has cut ("4.91E+11"), and text that
 * was UTF-8 and was read as Windows-1252 ("JÃ¤ger"). Counted over the read, and warned of once. */
#ifndef SYNC_PIPELINE_ODD_CELLS_H
#define SYNC_PIPELINE_ODD_CELLS_H

#include "connectors/source.h"
#include "mappings/mapping.h"

struct odd_cell {
    uint64_t n;  /* how many there are */
    char *first; /* owned; "people.csv:12: column \"Phone\": 4.91E+11" */
};
struct odd_cells {
    struct odd_cell cut, mangled;
};

/* Counts those of a row's columns that are sent. The mapping is bound. 0/-1 (memory) */
int odd_cells_see(struct odd_cells *o, const struct source *source, const struct mapping *m, const struct row *row,
                  struct err *e);
/* Appends what there is to say of one kind, or nothing. Texts for odd_cells_report() and for a finding of check. 0/-1 (memory) */
int odd_cells_cut_text(const struct odd_cells *o, struct buf *out);
int odd_cells_mangled_text(const struct odd_cells *o, struct buf *out);
/* Logs a warning of each kind. */
void odd_cells_report(const struct odd_cells *o);
void odd_cells_free(struct odd_cells *o);

#endif
