/* The parser of quoted rows: libcsv, with the rules for quotes that files in the wild follow.
 *
 * A quote inside an unquoted cell is a character. Blanks (spaces and tabs) before an opening quote and behind a closing one
 * are passed over; all other blanks are kept. Text behind a closing quote is an error, and so is a quote that is never
 * closed. Pure; knows nothing of lines. */
#ifndef CONNECTORS_CSV_CSVPARSE_H
#define CONNECTORS_CSV_CSVPARSE_H

#include <csv.h>
#include <stdbool.h>
#include <stddef.h>

struct csvparse {
    struct csv_parser parser;
    void (*on_cell)(void *cell, size_t n, void *arg);
    void (*on_row)(int end, void *arg);
    void *arg;
    bool cut; /* the cell that is being read has lost bytes; `on_cell` may clear it */
};

/* What is passed over around a quoted cell; a delimiter is none, whatever this says of it. */
static inline bool csvparse_is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* `block`: bytes by which the buffer of a cell grows. 0/-1 (memory); free after success only. */
int csvparse_init(struct csvparse *p, char delimiter, size_t block, void (*on_cell)(void *, size_t, void *),
                  void (*on_row)(int, void *), void *arg);
void csvparse_free(struct csvparse *p);

/* How many of the bytes were taken: all of them, or those before the one where the row makes no sense or memory ended. */
size_t csvparse_feed(struct csvparse *p, const char *text, size_t n);
/* After the last byte: 0, or -1 when a quote was never closed. */
int csvparse_end(struct csvparse *p);
/* After an error: it was memory. */
bool csvparse_no_memory(const struct csvparse *p);
/* After an error: the quote that closed the cell stands behind a backslash, as programs write it that escape quotes so. */
bool csvparse_met_backslash(const struct csvparse *p);
/* Drops the bytes of a cell that is longer than `max`, and notes it in `cut`. */
void csvparse_limit(struct csvparse *p, size_t max);

#endif
