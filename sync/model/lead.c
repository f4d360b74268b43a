/* The packed form of a lead, which is made for every row of every run: sizes first, one reservation, then plain copies.
 *
 *     version byte · shape id · core fields · custom variables
 *
 * Core fields: a bit a field that is there (absent ones take nothing more), then a value each, in table order. Custom
 * variables: a value each, in shape order. A value: one number, length * 8 + kind, then its bytes. So no two different
 * leads have the same bytes, which the fingerprint relies on. */
#include "config.h"

#include "sync/model/lead.h"

#include <string.h>

enum { PACK_VERSION = 1, KIND_BITS = 3 };

_Static_assert(VALUE_BOOL < 1 << KIND_BITS, "a value's kind fits its bits");
_Static_assert(LEAD_FIELD_N <= 32, "a bit for each core field");

const struct lead_field_row lead_field_table[LEAD_FIELD_N] = {
#define LEAD_FIELD(id, api, payload, kind, patchable) [LEAD_##id] = {api, payload, LEAD_KIND_##kind, patchable},
#include "sync/model/lead_fields.def"
#undef LEAD_FIELD
};

/* Eleven names: a search in order is as fast as any other. */
int lead_field_find(struct str api_name)
{
    for (int i = 0; i < LEAD_FIELD_N; i++)
        if (str_is(api_name, lead_field_table[i].api))
            return i;
    return -1;
}

bool value_eq(const struct value *a, const struct value *b)
{
    return a->kind == b->kind && a->n == b->n && (a->n == 0 || memcmp(a->p, b->p, a->n) == 0);
}

/* ---- packing ---- */

/* Absent and null have no bytes, whatever a careless maker left in them. */
static size_t bytes_of(const struct value *v)
{
    return v->kind > VALUE_NULL ? v->n : 0;
}

/* Kind and length share a number: nearly all values cost one byte beside their own. */
static char *put_value(char *at, const struct value *v)
{
    size_t n = bytes_of(v);
    at = varint_put(at, (unsigned long long)n << KIND_BITS | v->kind);
    if (n > 0)
        memcpy(at, v->p, n);
    return at + n;
}

int lead_pack(const struct lead *lead, struct buf *out)
{
    size_t custom_n = lead->shape->custom_n;
    size_t most = 1 + 2 * VARINT_MAX;
    unsigned present = 0;
    for (unsigned i = 0; i < LEAD_FIELD_N; i++) {
        if (lead->core[i].kind == VALUE_ABSENT)
            continue;
        present |= 1u << i;
        most += VARINT_MAX + bytes_of(&lead->core[i]);
    }
    for (size_t i = 0; i < custom_n; i++)
        most += VARINT_MAX + bytes_of(&lead->custom[i]);
    /* The reservation is an upper bound: near the buffer's maximum a lead may be refused that would have fitted by a
     * few bytes a field. */
    if (buf_reserve(out, most) != 0)
        return -1;
    char *at = out->p + out->n;
    *at++ = PACK_VERSION;
    at = varint_put(at, lead->shape->id);
    at = varint_put(at, present);
    for (unsigned i = 0; i < LEAD_FIELD_N; i++)
        if (lead->core[i].kind != VALUE_ABSENT)
            at = put_value(at, &lead->core[i]);
    for (size_t i = 0; i < custom_n; i++)
        at = put_value(at, &lead->custom[i]);
    out->n = (size_t)(at - out->p);
    return 0;
}

/* ---- unpacking: every byte may be wrong ---- */

/* The version and the shape id; what another version means is not guessed. */
static int take_head(const char **at, const char *end, uint32_t *shape_id)
{
    unsigned long long id;
    if (*at == end || *(*at)++ != PACK_VERSION || unpack_varint(at, end, &id) != 0 || id > UINT32_MAX)
        return -1;
    *shape_id = (uint32_t)id;
    return 0;
}

/* One value, its bytes still in the record. */
static int lead_take_value(const char **at, const char *end, struct value *out)
{
    unsigned long long head;
    if (unpack_varint(at, end, &head) != 0)
        return -1;
    unsigned kind = head & ((1u << KIND_BITS) - 1);
    unsigned long long n = head >> KIND_BITS;
    if (kind > VALUE_BOOL || n > (size_t)(end - *at) || (kind <= VALUE_NULL && n > 0))
        return -1;
    *out = (struct value){(enum value_kind)kind, n > 0 ? *at : "", (size_t)n};
    *at += n;
    return 0;
}

int lead_packed_shape(struct str packed, uint32_t *shape_id)
{
    const char *at = packed.p;
    return packed.n > 0 ? take_head(&at, packed.p + packed.n, shape_id) : -1;
}

int lead_unpack(struct str packed, const struct lead_shape *shape, struct arena *arena, struct lead *out)
{
    const char *at = packed.p;
    uint32_t shape_id;
    unsigned long long present;
    if (packed.n == 0)
        return -1;
    const char *end = at + packed.n;
    if (take_head(&at, end, &shape_id) != 0 || shape_id != shape->id || unpack_varint(&at, end, &present) != 0 ||
        present >> LEAD_FIELD_N != 0)
        return -1;
    /* A value takes a byte at least: a short record cannot ask for much memory. */
    if (shape->custom_n > (size_t)(end - at))
        return -1;
    struct lead lead = {.shape = shape, .custom = arena_calloc(arena, shape->custom_n, sizeof *lead.custom)};
    if (lead.custom == NULL)
        return -1;
    for (unsigned i = 0; i < LEAD_FIELD_N; i++)
        if ((present >> i & 1) != 0 && (lead_take_value(&at, end, &lead.core[i]) != 0 || lead.core[i].kind == VALUE_ABSENT))
            return -1;
    for (size_t i = 0; i < shape->custom_n; i++)
        if (lead_take_value(&at, end, &lead.custom[i]) != 0)
            return -1;
    if (at != end)
        return -1;
    *out = lead;
    return 0;
}

bool lead_has_email(const struct lead *lead)
{
    const struct value *email = &lead->core[LEAD_EMAIL];
    return email->kind == VALUE_STRING && email->n > 0;
}
