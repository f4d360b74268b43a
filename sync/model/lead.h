/* A lead as the mapping wants it: plain data, no I/O, no JSON.
 *
 * Core fields stand in the fixed order of lead_fields.def, custom variables in the order of a shape that is fixed for a
 * run. Values borrow their bytes from the maker of the lead (the row, the mapping's scratch, a packed record). */
#ifndef SYNC_MODEL_LEAD_H
#define SYNC_MODEL_LEAD_H

#include "sync/base/arena.h"
#include "sync/base/buf.h"
#include "sync/base/hash.h"
#include "sync/base/str.h"

#include <stdbool.h>
#include <stdint.h>

enum lead_field {
#define LEAD_FIELD(id, api, payload, kind, patchable) LEAD_##id,
#include "sync/model/lead_fields.def"
#undef LEAD_FIELD
    LEAD_FIELD_N
};

enum lead_field_kind { LEAD_KIND_STRING, LEAD_KIND_NUMBER, LEAD_KIND_UUID };

struct lead_field_row {
    const char *api, *payload; /* payload "": not mirrored there */
    enum lead_field_kind kind;
    bool patchable;
};
extern const struct lead_field_row lead_field_table[LEAD_FIELD_N];
int lead_field_find(struct str api_name); /* enum lead_field or -1 */

enum value_kind {
    VALUE_ABSENT, /* the field is left out */
    VALUE_NULL,   /* sent as null: `empty: clear` */
    VALUE_STRING,
    VALUE_NUMBER, /* p is JSON number text, sent verbatim */
    VALUE_BOOL,   /* p is "true" or "false" */
};
struct value {
    enum value_kind kind;
    const char *p;
    size_t n;
};
bool value_eq(const struct value *a, const struct value *b); /* kind and bytes */

/* Names of the custom variables of a run, in mapping order. `id` is the state's number of this list of names. */
struct lead_shape {
    uint32_t id;
    size_t custom_n;
    const struct str *custom_names; /* borrowed */
};

struct lead {
    struct value core[LEAD_FIELD_N];
    const struct lead_shape *shape;
    struct value *custom; /* shape->custom_n of them */
};

/* Packed form: shape id, then every field's kind, length and bytes. The fingerprint hashes it, the journal and the
 * retry table keep it, values of the last write are compared in it. Appends to `out`. 0/-1 (buffer). */
int lead_pack(const struct lead *lead, struct buf *out);
/* The shape id a packed lead was made with. 0/-1. */
int lead_packed_shape(struct str packed, uint32_t *shape_id);
/* Values borrow from `packed`, `custom` comes from the arena. 0, or -1 on a malformed record, a foreign shape id or a
 * full arena. */
int lead_unpack(struct str packed, const struct lead_shape *shape, struct arena *arena, struct lead *out);
/* True if the lead has a non-empty e-mail address. */
bool lead_has_email(const struct lead *lead);

#endif
