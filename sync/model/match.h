/* --match: which rows have a text, in upper or lower case: one value has all of it, or each of its words is in some value.
 * A first and a last name stand in different cells. */
#ifndef SYNC_MODEL_MATCH_H
#define SYNC_MODEL_MATCH_H

#include "sync/base/buf.h"
#include "sync/model/lead.h"

#include <stdint.h>

enum { MATCH_WORDS = 64 };

struct match {
    struct buf wanted, folded; /* case-folded: the text, and scratch */
    unsigned words_n;          /* in `wanted`; 0: only the whole text counts */
    uint64_t found;            /* a bit for each word that a value of the present row has */
};

/* `text` NULL: nothing is looked for. After it, even failed: free. 0/-1 (memory) */
int match_init(struct match *m, const char *text);
void match_free(struct match *m);
/* Is a text looked for? If not, every row is wanted. */
bool match_wants(const struct match *m);
/* Call before the first value of each row: forgets the words that the row before had. */
void match_row(struct match *m);
/* 1/0/-1 (memory): with this text, these values of the lead, or these packed cells, the row has all that is looked for. */
int match_text(struct match *m, struct str text);
int match_lead(struct match *m, const struct lead *lead);
int match_cells(struct match *m, struct str packed);

#endif
