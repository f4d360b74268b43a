/* What exports leave in cells beside the data: placeholders for missing values, text guards and cut numbers of
 * spreadsheets, blanks and invisible characters around a value.
 *
 * Pure value functions over valid UTF-8; they know nothing of rows, columns or the mapping file, and allocate nothing. */
#ifndef MAPPINGS_CONVERT_CLEAN_H
#define MAPPINGS_CONVERT_CLEAN_H

#include "sync/base/str.h"

#include <stdbool.h>

enum { CLEAN_WORD_MAX = 9 }; /* bytes of the longest placeholder that begins with a letter */

/* Is the whole cell a placeholder: NULL, N/A, #N/A and a spreadsheet's other errors, nan, none, \N, undefined, ########?
 * Case-folded, but where the cell is `of_person`, a first or last name: "Null", "Nan" and "None" are people's names. */
bool clean_is_placeholder(struct str trimmed, bool of_person);

/* "4.91E+11", "4,91E+11": a long number as a spreadsheet shows and saves it, with its last digits gone. */
bool clean_is_cut_number(struct str trimmed);
/* "JÃ¤ger": UTF-8 that was read as Windows-1252. */
bool clean_is_mangled(struct str s);

/* Without blanks, line ends and characters without width at both ends. Borrows from `s`. */
struct str clean_trim(struct str s);
/* The same, and without marks of direction, which belong to a text in Hebrew or Arabic but to no address or answer. */
struct str clean_trim_marks(struct str s);

/* True if both ends of the text show that `clean` leaves it as it is. Most cells of most files take this path. */
static inline bool clean_leaves(const char *p, size_t n)
{
    unsigned char first = n > 0 ? (unsigned char)p[0] : 0, last = n > 0 ? (unsigned char)p[n - 1] : 0;
    if ((unsigned)(first - 0x21) >= 0x5e || (unsigned)(last - 0x21) >= 0x5e)
        return false; /* a blank or what is not ASCII */
    switch (first) {
    case '\'':
    case '=':
    case '#':
    case '\\': return false;
    case 'N':
    case 'n':
    case 'U':
    case 'u': return n > CLEAN_WORD_MAX;
    default: return true;
    }
}

#endif
