/* Planned rows that wait, for the verdict of the guards or for the end of the source. They are in memory up to a limit, then in
 * an unlinked temporary file with mode 0600. First in, first out; all are put before the first is got. */
#ifndef SYNC_PLAN_SPOOL_H
#define SYNC_PLAN_SPOOL_H

#include "sync/base/err.h"
#include "sync/model/entry.h"
#include "sync/model/lead.h"
#include "sync/state/state.h"

#include <stdbool.h>
#include <stdint.h>

/* A row with its decision, on its way to the upload. The strings of `entry` are borrowed. */
struct one_shot;

struct planned {
    enum op op;
    uint32_t target; /* the state's number */
    uint32_t from;   /* moves: where it is now */
    struct entry entry;
    uint64_t tag;                    /* what upload_config.settled() gets; not spooled */
    const struct lead *lead;         /* creates: what entry.values has packed; NULL: unpack it */
    uint32_t fields;                 /* updates: a bit per core field to write */
    bool created;                    /* moves: of a lead that this run created, whose row counts as created */
    bool delete_if_there;            /* moves: deleted if the destination has another lead with its address */
    bool takes_place;                /* creates: replaces a lead that has another address than the row */
    struct uuid old_id;              /* that lead */
    struct remembered remembered;    /* rows that wait for their decision: what the state knows of them */
    struct str custom_changed;       /* updates: a byte 0/1 per custom variable of the entry's shape; empty: none */
    const struct one_shot *one_shot; /* a request by hand, see upload.h; NULL: what `op` says; not spooled */
};

struct spool;
int spool_new(size_t memory_max, struct spool **out, struct err *e);
void spool_free(struct spool *s);
int spool_put(struct spool *s, const struct planned *planned, struct err *e); /* copies */
/* 1 with the next one, whose strings are valid until the next call; 0: the spool is empty; -1. Nothing may be put after the
 * first get. */
int spool_get(struct spool *s, struct planned *out, struct err *e);
uint64_t spool_n(const struct spool *s);           /* records not yet taken */
bool spool_has(const struct spool *s, enum op op); /* true if a record with this operation was put */

#endif
