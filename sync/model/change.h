/* What a request changed in a lead, field by field: a packed list that keeps each value's kind, for `results`. Pure.
 *
 * A leadsync before state version 5 kept a text ("first_name: Ann -> Anna; …") in place of a list. It stays as it is. */
#ifndef SYNC_MODEL_CHANGE_H
#define SYNC_MODEL_CHANGE_H

#include "sync/base/jsonw.h"
#include "sync/model/lead.h"

struct change {
    struct str name;            /* "first_name", "custom_variables.seats" */
    struct value before, after; /* VALUE_ABSENT: absent or unknown */
};

enum {
    CHANGE_KEPT_BYTES = 4096,  /* a longer text is cut, and ends with … */
    CHANGE_LIST_BYTES = 32768, /* changes after that are left out */
    CHANGE_SHOWN_BYTES = 500,  /* the same limits of the list as text */
    CHANGE_TEXT_BYTES = 4000,
};

/* Appends to a list, which may be empty. 0/-1 (buffer) */
int change_add(const struct change *change, struct buf *list);
/* Iterates a list: 1 with the change, which borrows from it; 0 at the end; -1 malformed. */
int change_next(const char **p, const char *end, struct change *out);
/* True if `list` is the text of an older leadsync. */
bool change_is_text(struct str list);
/* Appends "first_name: Ann -> Anna; custom_variables.seats: 3 -> 4". 0, or -1: buffer, or with errno EINVAL malformed */
int change_show(struct str list, struct buf *out);
/* The same of a lead that was created: "first_name: Anna; custom_variables.seats: 4". */
int change_show_created(struct str list, struct buf *out);
/* Writes {"first_name":["Ann","Anna"],"custom_variables.seats":[3,4]}; of a text {"":"…"}; null if empty. 0, or -1 malformed, with
 * nothing written */
int change_json(struct str list, struct jsonw *w);

#endif
