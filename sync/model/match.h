/* --match: which values have a text, in upper or lower case. */
#ifndef SYNC_MODEL_MATCH_H
#define SYNC_MODEL_MATCH_H

#include "sync/base/buf.h"
#include "sync/model/lead.h"

struct match {
    struct buf wanted, folded; /* case-folded: the text, and scratch */
};

/* `text` NULL: nothing is looked for. After it, even failed: free. 0/-1 (memory) */
int match_init(struct match *m, const char *text);
void match_free(struct match *m);
/* Is a text looked for? If not, every row is wanted. */
bool match_wants(const struct match *m);
/* 1/0/-1 (memory): the text itself, a value of the lead, a packed cell. An empty one never has it. */
int match_text(struct match *m, struct str text);
int match_lead(struct match *m, const struct lead *lead);
int match_cells(struct match *m, struct str packed);

#endif
