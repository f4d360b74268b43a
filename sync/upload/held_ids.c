/* Ids of leads that this run knows as its own: an id belongs to one lead, so an answer that gives one twice is wrong.
 *
 * A run may create millions of leads, and memory is bounded. The set keeps the latest ids, at least HELD_MIN of them, as
 * 64-bit tags in two tables: the older table is dropped when the newer one is full. Two ids with one tag are a false
 * alarm, which costs a read. */
#include "config.h"

#include "sync/upload/held_ids.h"

#include <stdlib.h>
#include <string.h>

enum { SLOTS_FIRST = 1024, SLOTS_MAX = 1 << 19 };

_Static_assert(SLOTS_MAX / 2 >= HELD_MIN, "a full table holds at least HELD_MIN ids");

/* Ids are made in the order of time, or are random: every part of one goes into the tag. 0 is an empty slot. */
static uint64_t held_ids_tag_of(const struct uuid *id)
{
    uint64_t halves[2];
    memcpy(halves, id->b, sizeof halves);
    uint64_t mixed = (halves[0] ^ (halves[1] << 29 | halves[1] >> 35)) * UINT64_C(0x9e3779b97f4a7c15);
    mixed ^= mixed >> 32;
    mixed *= UINT64_C(0xd6e8feb86659fd93);
    return mixed != 0 ? mixed : 1;
}

/* The slot that has the tag, or the empty one for it. */
static uint64_t *held_ids_slot_of(const struct held_table *t, uint64_t tag)
{
    size_t at = (size_t)(tag >> 20) & (t->slots_n - 1);
    while (t->slots[at] != 0 && t->slots[at] != tag)
        at = (at + 1) & (t->slots_n - 1);
    return &t->slots[at];
}

static bool held_ids_table_has(const struct held_table *t, uint64_t tag)
{
    return t->slots_n > 0 && *held_ids_slot_of(t, tag) == tag;
}

static int held_ids_table_new(struct held_table *t, size_t slots_n)
{
    *t = (struct held_table){calloc(slots_n, sizeof *t->slots), slots_n, 0};
    return t->slots != NULL ? 0 : -1;
}

/* Doubles the newer table, or starts another one when it is as large as it may be. */
static int held_ids_make_room(struct held_ids *held)
{
    struct held_table bigger, *now = &held->now;
    size_t slots_n = now->slots_n == 0 ? SLOTS_FIRST : now->slots_n < SLOTS_MAX ? 2 * now->slots_n : SLOTS_MAX;
    if (held_ids_table_new(&bigger, slots_n) != 0)
        return -1;
    if (now->slots_n == SLOTS_MAX) {
        free(held->before.slots);
        held->before = *now;
    } else {
        for (size_t i = 0; i < now->slots_n; i++)
            if (now->slots[i] != 0)
                *held_ids_slot_of(&bigger, now->slots[i]) = now->slots[i];
        bigger.used = now->used;
        free(now->slots);
    }
    *now = bigger;
    return 0;
}

void held_ids_prefetch(const struct held_ids *held, const struct uuid *id)
{
    if (held->now.slots_n > 0)
        __builtin_prefetch(&held->now.slots[(size_t)(held_ids_tag_of(id) >> 20) & (held->now.slots_n - 1)], 1);
}

bool held_ids_has(const struct held_ids *held, const struct uuid *id)
{
    uint64_t tag = held_ids_tag_of(id);
    return held_ids_table_has(&held->now, tag) || held_ids_table_has(&held->before, tag);
}

/* At most half of the slots are used, so that a search ends after a few steps. */
int held_ids_add(struct held_ids *held, const struct uuid *id)
{
    uint64_t tag = held_ids_tag_of(id);
    if (held->now.used >= held->now.slots_n / 2 && held_ids_make_room(held) != 0)
        return -1;
    uint64_t *slot = held_ids_slot_of(&held->now, tag);
    held->now.used += *slot == 0;
    *slot = tag;
    return 0;
}

void held_ids_free(struct held_ids *held)
{
    free(held->now.slots);
    free(held->before.slots);
    *held = (struct held_ids){0};
}
