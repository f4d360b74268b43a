/* An entry: one row's part in a run, from the intent to the proven outcome. Batches hold entries; results, rejects, job
 * entries and the merge into the lead table read them. */
#ifndef SYNC_MODEL_ENTRY_H
#define SYNC_MODEL_ENTRY_H

#include "sync/base/arena.h"
#include "sync/base/buf.h"
#include "sync/base/hash.h"
#include "sync/model/reason.h"

#include <stdbool.h>
#include <stdint.h>

/* What a batch asks of the API. Stored: only ever append. */
enum op {
    OP_NONE,   /* nothing was asked: a row that mapping, plan or a stop decided */
    OP_CREATE, /* POST /leads/add */
    OP_UPDATE, /* PATCH /leads/{id} */
    OP_MOVE,   /* POST /leads/move */
    OP_REMOVE, /* DELETE /leads, by ids */
    OP_HAND,   /* a merge, a copy and the like, by hand: whether it was done cannot be read back */
    OP_N
};
const char *op_text(enum op op);

struct entry {
    /* the intent */
    struct hash128 key;   /* keyed hash of the normalised identity */
    uint64_t fingerprint; /* of target and values */
    uint64_t row, line;   /* as in struct row; row 0: not from the source (a removal) */
    struct str key_text;  /* the normalised identity; empty with `values: hashed` once settled */
    struct str email;     /* as sent; kept until settled */
    struct str values;    /* packed lead; empty where nothing is to be remembered */
    struct str hashes;    /* instead of `values`: what the state keeps of a lead with `values: hashed` */
    struct str cells;     /* packed cells of the row as read; kept for `rejects` unless the row succeeds */
    struct str
        cells_by_values; /* instead of `cells`: the same, as references into `values`, which must then stay unchanged */
    bool retried;        /* taken from the retry table */
    bool staged;         /* created in the stage's list: not where it belongs until its move is proved */
    bool by_user;        /* a removal that a user requested: its row does not create the lead again */
    bool by_address;     /* duplicate_in_source: another row has the address, and `fingerprint` is the address's */
    unsigned attempts;   /* runs before this one in which it failed for a reason of its own */
    /* the outcome */
    enum outcome outcome; /* OUTCOME_NONE while open */
    enum reason reason;
    int http_status;  /* 0: none */
    bool unproved;    /* values were or may have been written to the lead, and the outcome does not prove them */
    bool has_lead_id; /* in an intent: the lead that is written to, where its id is known */
    struct uuid lead_id;
    uint32_t from;      /* of a result: number of the place that a move left; 0: none. Not packed: the batch has it */
    struct str detail;  /* column and value of a reject, the API's message; may be empty */
    struct str changes; /* of an update, a list (change.h), or an older leadsync's text; may be empty */
};

/* A note: an entry without a row that changes only what the state knows of a lead. It is stored as OUTCOME_UNCHANGED with a
 * reason; only the functions below know which. */
enum note {
    NOTE_NONE,    /* no note: the row's lead is as the row wants it, or was met for the first time */
    NOTE_STATUS,  /* the row no longer waits; `reason` is what was found of the lead or its person, or REASON_NONE */
    NOTE_TAKEN,   /* another key has the lead now */
    NOTE_MET,     /* another row has met the lead while an earlier write to it might still be carried out */
    NOTE_WRITTEN, /* values were sent to the lead, and nothing proves them */
};
/* NOTE_TAKEN, NOTE_MET, NOTE_WRITTEN: of the key's lead while it has this id. Address, key text and detail may be added. */
struct entry entry_note(enum note note, const struct hash128 *key, const struct uuid *lead_id);
struct entry entry_note_status(const struct hash128 *key, enum reason reason);
/* Which note is an entry with OUTCOME_UNCHANGED? */
enum note entry_note_of(enum reason reason, bool has_lead_id, bool unproved, uint64_t fingerprint);

/* Packed records, length-prefixed so that a reader can skip; the intent and the outcome are separate records because
 * they are written at different times. An intent says key and address once, which are mostly bytes of the values. Strings of an unpacked entry borrow from the record. 0/-1. */
int entry_pack_intent(const struct entry *entry, struct buf *out);
int entry_unpack_intent(const char **p, const char *end, struct entry *out);
/* The packed cells, in either form: borrowed from the entry or from `scratch`, which is reset. 0, or -1: buffer, or with
 * errno EINVAL malformed. */
int entry_cells(const struct entry *entry, struct buf *scratch, struct str *out);
int entry_pack_outcome(const struct entry *entry, struct buf *out);
int entry_unpack_outcome(const char **p, const char *end, struct entry *out);

#endif
