/* The list of people who are forgotten: one file in a folder of states, for every sync of a workspace, also for one that
 * is new. It holds a keyed hash per person, never an address. Its secret is in the file, so a reader of the file can
 * test guesses.
 *
 * A text of lines: a head, the secret, a line per person, and an end with their number and a SHA-256 of all before it.
 * Readers take no lock: the file is replaced whole. Writers take turns by a lock file beside it. Knows no state, and
 * takes addresses as mapping_email_key() spells them. */
#ifndef SYNC_STATE_FORGET_LIST_H
#define SYNC_STATE_FORGET_LIST_H

#include "sync/base/buf.h"
#include "sync/base/err.h"
#include "sync/base/hash.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

/* Whose list: an API host as state_host_name() spells it, and a workspace. NULL is "not known": such a reader obeys every
 * line of the host, and every reader of the host obeys such a line. */
struct forget_scope {
    const char *host, *workspace;
};

/* The time of a change of the list, and its user ("ops@crm-1"); NULL: unknown. A blank in it becomes an underscore. */
struct forget_act {
    int64_t at_ms;
    const char *by;
};

struct forget_person {
    struct hash128 hash;
    struct forget_act forgotten;
    struct forget_act undone; /* at_ms 0: the person is still forgotten; else the line is only a record */
    const char *host,
        *workspace; /* borrowed from the list's text, like the texts above; workspace NULL: of every workspace */
};

struct forget_list {
    char *path; /* owned */
    unsigned char secret[HASH_SECRET_N];
    struct buf text;              /* the file, cut into strings */
    struct forget_person *people; /* owned; sorted by hash */
    size_t n;
    struct stat file; /* what was read, for forget_list_changed() */
};

/* Reads the list in `folder`. No file is an empty list. XS_STATE: the file is damaged, cut short, newer, cannot be read,
 * or another user may change it; it is never ignored. `out` needs no init; forget_list_free() after success. */
int forget_list_load(const char *folder, struct forget_list *out, struct err *e);
void forget_list_free(struct forget_list *l); /* fine on a zeroed list */
/* Is there another file now than the one that was read? */
bool forget_list_changed(const struct forget_list *l);

/* Does this line concern that scope? Also lines of which only the record is left. */
bool forget_list_concerns(const struct forget_person *person, const struct forget_scope *scope);
/* The first line that concerns the scope and that still forgets the person; NULL: none. Borrowed. */
const struct forget_person *forget_list_find(const struct forget_list *l, const struct forget_scope *scope,
                                             struct str address);

/* Adds the person, durably, unless a line for this scope or a wider one is there. Makes the folder and the file when
 * they are missing. XS_STATE, XS_IO: the list is as before. */
int forget_list_add(const char *folder, const struct forget_scope *scope, struct str address, const struct forget_act *act,
                    bool *added, struct err *e);
/* Ends every line of the person that concerns the scope, and keeps it as a record; *removed is how many. */
int forget_list_remove(const char *folder, const struct forget_scope *scope, struct str address,
                       const struct forget_act *act, size_t *removed, struct err *e);

#endif
