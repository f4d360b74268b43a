/* The decision for one row: compares the lead that the row makes with what the state remembers. Pure: no I/O, no clock. */
#ifndef SYNC_PLAN_PLAN_H
#define SYNC_PLAN_PLAN_H

#include "mappings/mapping.h"
#include "sync/model/entry.h"
#include "sync/state/state.h"

#include <stdbool.h>
#include <stdint.h>

struct plan_rules {
    enum sync_mode mode;
    const enum overwrite *overwrite; /* LEAD_FIELD_N core fields, then the custom variables */
    bool recreate;                   /* a lead deleted in Instantly is created again */
    bool has_key;                    /* the row key is not the address, so a row may get another address */
    uint32_t stage_list;             /* number of the stage's list, out of which every mode moves leads; 0: none */
};

struct decision {
    enum op op;           /* OP_NONE: nothing is sent, and `outcome` and `reason` say why */
    enum outcome outcome; /* of OP_NONE */
    enum reason reason;
    uint32_t fields; /* OP_UPDATE, and OP_MOVE of a row that changes too: a bit per core field to write */
    bool custom;     /* the same: a custom variable has to be written */
    bool move;       /* the row now belongs in another target */
    bool check;      /* OP_UPDATE, OP_MOVE or unchanged: the last write may or may not have taken effect, so all values are
                              * compared with the lead in Instantly */
    bool looks_back; /* OP_CREATE: the key had a lead with another address, which may be another key's now; if its person
                              * unsubscribed, bounced or was skipped, the row gets no new lead */
    bool rekey;      /* OP_CREATE: the key has a lead with another address, which is left to `removed` */
};

/* `known` is needed for REMEMBERED_OTHER; `known_values` are its last written values under the wanted lead's shape, NULL
 * when they are not kept or cannot be read (then every present field counts as changed). `custom_changed` (may be
 * NULL) gets a flag per custom variable. */
void plan_decide(const struct plan_rules *rules, const struct remembered *remembered, const struct known_lead *known,
                 const struct lead *known_values, const struct lead *wanted, uint32_t wanted_target, bool *custom_changed,
                 struct decision *out);

/* The decision for a known lead whose row has another address. plan_decide() finds that out from the last written values; this
 * is for callers that keep only hashes of them. */
void plan_rekey(const struct plan_rules *rules, const struct known_lead *known, struct decision *out);

/* Turns a decision into a skip if it would make a person with this status active in a target of this kind. The status comes from
 * eligibility_recorded() or lead_status_reason(). The new values of the row are not written either. */
void plan_keep_out(enum reason status, enum target_kind to, struct decision *d);

/* True if `wanted` has to be written over `there`. An absent value is never written; `overwrite` decides about the others. */
bool plan_value_changes(const struct value *there, const struct value *wanted, enum overwrite overwrite);

/* True if Instantly has the wanted value, in its own spelling: servers trim texts and write numbers their own way. */
bool plan_value_is(const struct value *there, const struct value *wanted);

/* A custom variable that an update does not write, and that the lead has: if the answer to a PATCH that does not name it still
 * shows it, PATCH merges. Its index; -1: there is none. `changed` has a flag per custom variable. */
int plan_witness(const struct mapping *m, const struct lead *wanted, const bool *changed);
/* True if an update writes nothing that depends on what Instantly has, once PATCH is known to merge: only variables change, and
 * a witness shows in the answer whether that is still so. */
bool plan_needs_no_read(const struct mapping *m, const struct lead *wanted, uint32_t fields, const bool *changed);

/* The values to remember after a write: the wanted ones, and the old ones where the row has no value. They borrow from both;
 * `out->custom` has room for shape->custom_n. */
void plan_overlay(const struct lead *old, const struct lead *wanted, struct lead *out);

#endif
