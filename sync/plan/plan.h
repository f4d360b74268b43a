/* The decision for one row: what is wanted, held against what is remembered. Pure: no I/O, no clock, no state. */
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
    bool has_key;                    /* the identity is not the address: a row may come with another one */
    uint32_t stage_list;             /* number of the stage's list, which every mode moves leads out of; 0: none */
};

struct decision {
    enum op op;              /* OP_NONE: nothing is asked; `outcome` and `reason` say why */
    enum outcome outcome;    /* of OP_NONE */
    enum reason reason;
    uint32_t fields;         /* OP_UPDATE, and OP_MOVE of a row that changes too: a bit per core field to write */
    bool custom;             /* the same: some custom variable is to be written */
    bool move;               /* the row belongs into another target now */
    bool check;              /* OP_UPDATE, OP_MOVE, or unchanged: what was sent last may have been carried out or not, so that all
                              * values are held against the lead in Instantly */
    bool rekey;              /* OP_CREATE: the key has a lead with another address, which is left to `removed` */
};

/* `known` is needed for REMEMBERED_OTHER; `known_values` are its last written values under the wanted lead's shape, NULL
 * when they are not kept or cannot be read (then every present field counts as changed). `custom_changed` (may be
 * NULL) gets a flag per custom variable. */
void plan_decide(const struct plan_rules *rules, const struct remembered *remembered, const struct known_lead *known,
                 const struct lead *known_values, const struct lead *wanted, uint32_t wanted_target,
                 bool *custom_changed, struct decision *out);

/* The decision for a known lead whose row comes with another address: plan_decide() tells by the last written values; for
 * a caller who keeps only hashes of them. */
void plan_rekey(const struct plan_rules *rules, const struct known_lead *known, struct decision *out);

/* The last word on a decision for a lead that goes to a target of this kind: a person of this status (eligibility_recorded(),
 * eligibility_status_reason()) is not made active. Then the row is skipped whole, its new values are not written either. */
void plan_keep_out(enum reason status, enum target_kind to, struct decision *d);

/* Must `wanted` be written over `there`? Absent is never written, `overwrite` decides the rest. The email never is. */
bool plan_value_changes(const struct value *there, const struct value *wanted, enum overwrite overwrite);

/* The values to remember after a write: the wanted ones, and the old ones where the row says nothing any more. Values
 * borrow from both; `out->custom` has room for shape->custom_n. */
void plan_overlay(const struct lead *old, const struct lead *wanted, struct lead *out);

#endif
