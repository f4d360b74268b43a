/* A header name as words: "E-mail 1 - Value" is e, mail, 1 and value; "professionalEmail*" is professional and email.
 * For names.c and names_opt_out.c. Knows no field. */
#ifndef MAPPINGS_NAMES_NAMES_WORDS_H
#define MAPPINGS_NAMES_NAMES_WORDS_H

#include "sync/base/buf.h"
#include "sync/base/str.h"

#include <stdbool.h>
#include <stddef.h>

enum { NAMES_HEADER_MAX = 4096, NAMES_WORDS_MAX = 16 };

struct names_words {
    struct str words[NAMES_WORDS_MAX]; /* case-folded; in `text` */
    size_t n;                          /* 0: no words, or more of them than any name has */
    struct buf text;
};

/* Splits a header at blanks and signs, before capitals ("lastName") and before digits. 0, or -1 out of memory; names_words_free()
 * in any case. */
int names_words_split(struct str header, struct names_words *out);
void names_words_free(struct names_words *words);

/* The key of a header (text_header_key), in `out`; empty when the header is too long to be a name. 0/-1 (memory). */
int names_key(struct str header, struct buf *out);

/* Is `word` one of a list that is divided by |? */
bool names_word_in(struct str word, const char *list);

/* What stands around the name of a field. */
struct names_inner {
    struct str key; /* of what is left, in the caller's buffer */
    bool second;    /* it is not the first of its kind: "E-mail 2 - Value", "Home Phone" */
};

/* Takes words from around a name, one more at each call, until too few are left: first numbers and "Value", then what stands behind the
 * name ("- Work", "(required)"), then what stands before it ("Lead", "Prospect"). `step` counts the calls, from 0 on; the
 * first takes nothing but signs. 1 with the key of what is left, 0 there is nothing more to take, -1 out of memory. */
int names_words_inner(struct names_words *words, size_t step, struct buf *out, struct names_inner *inner);

#endif
