/* A table that is written once from front to back and then only read; see index.h for why it may be so simple. */
#include "config.h"

#include "sync/state/index.h"

#include <stdlib.h>
#include <string.h>

__extension__ typedef unsigned __int128 wide;

static uint64_t load_be64(const unsigned char *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    v = __builtin_bswap64(v);
#endif
    return v;
}

uint64_t key_high(const struct hash128 *key)
{
    return load_be64(key->b);
}

uint64_t key_low(const struct hash128 *key)
{
    return load_be64(key->b + 8);
}

size_t key_scale(uint64_t high, size_t n)
{
    return (size_t)((wide)high * n >> 64);
}

/* Filled to 4/5: linear probing then takes 3 steps for a hit and 13 for a miss, all in a row. */
static size_t slots_for(uint64_t n)
{
    return (size_t)(n + n / 4 + 8);
}

size_t index_bytes(uint64_t n)
{
    return slots_for(n) * sizeof(struct index_slot) + slots_for(n) / 8 + 1;
}

int index_init(struct index *x, uint64_t n, struct err *e)
{
    memset(x, 0, sizeof *x);
    if (n > SIZE_MAX / 32)
        return err_oom(e);
    x->slots_n = slots_for(n);
    x->slots = calloc(x->slots_n, sizeof *x->slots);
    x->seen = calloc(x->slots_n / 8 + 1, 1);
    if (x->slots == NULL || x->seen == NULL) {
        index_free(x);
        return err_oom(e);
    }
    return 0;
}

void index_free(struct index *x)
{
    free(x->slots);
    free(x->seen);
    memset(x, 0, sizeof *x);
}

/* 0 marks an empty slot. */
static uint64_t tag_of(const struct hash128 *key)
{
    uint64_t tag = key_low(key);
    return tag == 0 ? 1 : tag;
}

int index_add(struct index *x, const struct hash128 *key, uint64_t fingerprint, struct err *e)
{
    /* One slot stays empty, so that every search ends. */
    if (x->used + 1 >= x->slots_n)
        return err_set(e, XS_STATE,
                       "the state holds more leads than it says; it is damaged: see `leadsync status --audit`");
    size_t i = key_scale(key_high(key), x->slots_n);
    while (x->slots[i].tag != 0)
        i = i + 1 == x->slots_n ? 0 : i + 1;
    x->slots[i] = (struct index_slot){tag_of(key), fingerprint};
    x->used++;
    return 0;
}

int64_t index_find(const struct index *x, const struct hash128 *key)
{
    if (x->used == 0)
        return -1;
    uint64_t tag = tag_of(key);
    size_t i = key_scale(key_high(key), x->slots_n);
    while (x->slots[i].tag != 0) {
        if (x->slots[i].tag == tag)
            return (int64_t)i;
        i = i + 1 == x->slots_n ? 0 : i + 1;
    }
    return -1;
}

void index_prefetch(const struct index *x, const struct hash128 *key)
{
    if (x->used == 0)
        return;
    size_t i = key_scale(key_high(key), x->slots_n), next = i + 64 / sizeof *x->slots;
    __builtin_prefetch(&x->slots[i]);
    __builtin_prefetch(&x->slots[next < x->slots_n ? next : i]); /* the search may go on into the next line */
    __builtin_prefetch(&x->seen[i / 8], 1);
}

bool index_seen(const struct index *x, int64_t slot)
{
    return (x->seen[slot / 8] >> (slot % 8) & 1) != 0;
}

void index_mark(struct index *x, int64_t slot)
{
    x->seen[slot / 8] = (unsigned char)(x->seen[slot / 8] | 1u << (slot % 8));
}
