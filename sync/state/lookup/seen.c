/* Slots are chosen as in the index, by scaling the key to the table, so the table is all but sorted: growing it copies
 * from front to back, and writing it out as a sorted run needs no sort to speak of. */
#include "config.h"

#include "sync/state/lookup/seen.h"

#include "sync/base/file.h"
#include "sync/state/lookup/index.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    SLOTS_FIRST = 1024,
    BLOCK_SLOTS = 256, /* 4 KB a read */
    FILTER_BITS = 8,   /* a key: 2 % of the misses read a block */
    FILTER_HASHES = 5,
};
static const uint64_t ROW_MAX = (UINT64_C(1) << 40) - 1;

_Static_assert(sizeof(struct seen_slot) == 16, "a slot is packed");

void seen_init(struct seen *s, size_t memory_max)
{
    memset(s, 0, sizeof *s);
    s->fd = -1;
    s->memory_max = memory_max;
    /* While a table grows, the old one (5/6 of the new) still exists. */
    s->slots_max = memory_max / 5 * 2 / sizeof *s->slots;
    if (s->slots_max < SLOTS_FIRST)
        s->slots_max = SLOTS_FIRST;
}

/* Empty ones: zeroed pages, large where the system has them, since every search is at another place. */
static struct seen_slot *slots_new(size_t n)
{
    size_t bytes = n * sizeof(struct seen_slot);
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        return NULL;
    (void)madvise(p, bytes, MADV_HUGEPAGE); /* a kernel without them goes on as it can */
    return p;
}

static void slots_free(struct seen_slot *slots, size_t n)
{
    if (slots != NULL)
        munmap(slots, n * sizeof *slots);
}

void seen_free(struct seen *s)
{
    for (size_t i = 0; i < s->runs_n; i++) {
        free(s->runs[i].fences);
        free(s->runs[i].filter);
    }
    free(s->runs);
    slots_free(s->slots, s->slots_n);
    free(s->block);
    if (s->slots_max > 0 && s->fd >= 0)
        close(s->fd);
    memset(s, 0, sizeof *s);
    s->fd = -1;
}

/* ---- slots ---- */

/* Asked for every step of every search: two words, and no call. */
static bool slot_empty(const struct seen_slot *slot)
{
    uint64_t halves[2];
    memcpy(halves, slot, sizeof halves);
    return (halves[0] | halves[1]) == 0;
}

/* Nearly all that are asked differ in the first word. */
static bool slot_has(const struct seen_slot *slot, const struct seen_slot *want)
{
    return memcmp(slot->key, want->key, 8) == 0 && memcmp(slot->key + 8, want->key + 8, sizeof slot->key - 8) == 0;
}

static void slot_set(struct seen_slot *slot, const struct hash128 *key, uint64_t row)
{
    if (row > ROW_MAX)
        row = 0;
    memcpy(slot->key, key->b, sizeof slot->key);
    for (size_t i = 0; i < sizeof slot->row; i++)
        slot->row[i] = (unsigned char)(row >> (8 * (sizeof slot->row - 1 - i)));
    /* Eleven zero bytes of a keyed hash do not happen by themselves, but a test may make them. */
    if (slot_empty(slot))
        slot->key[sizeof slot->key - 1] = 1;
}

static uint64_t slot_row(const struct seen_slot *slot)
{
    uint64_t row = 0;
    for (size_t i = 0; i < sizeof slot->row; i++)
        row = row << 8 | slot->row[i];
    return row;
}

static uint64_t slot_high(const struct seen_slot *slot)
{
    uint64_t v;
    memcpy(&v, slot->key, sizeof v);
    return be64toh(v);
}

/* The slot of the key, or the empty one where it belongs. */
static struct seen_slot *table_find(const struct seen *s, const struct seen_slot *want)
{
    size_t i = hash_scale(slot_high(want), s->slots_n);
    while (!slot_empty(&s->slots[i]) && !slot_has(&s->slots[i], want))
        i = i + 1 == s->slots_n ? 0 : i + 1;
    return &s->slots[i];
}

/* The empty slot for an absent key. */
static struct seen_slot *table_place(const struct seen *s, const struct seen_slot *want)
{
    size_t i = hash_scale(slot_high(want), s->slots_n);
    while (!slot_empty(&s->slots[i]))
        i = i + 1 == s->slots_n ? 0 : i + 1;
    return &s->slots[i];
}

/* ---- runs in the file ---- */

/* Bits of the filter are picked by two independent parts of the key, combined. */
static size_t filter_bit(const struct seen_slot *slot, unsigned i, size_t bits)
{
    uint64_t a, b;
    memcpy(&a, slot->key, sizeof a);
    memcpy(&b, slot->key + 3, sizeof b);
    uint64_t h = (a * UINT64_C(0x9e3779b97f4a7c15)) + i * ((b * UINT64_C(0xc2b2ae3d27d4eb4f)) | 1);
    return hash_scale(h, bits);
}

static bool filter_may_have(const struct seen_run *run, const struct seen_slot *slot)
{
    if (run->filter == NULL)
        return true;
    for (unsigned i = 0; i < FILTER_HASHES; i++) {
        size_t bit = filter_bit(slot, i, run->filter_bits);
        if ((run->filter[bit / 8] >> (bit % 8) & 1) == 0)
            return false;
    }
    return true;
}

static int read_block(struct seen *s, size_t run, size_t at, struct err *e)
{
    if (s->block != NULL && s->block_run == run && s->block_at == at)
        return 0;
    if (s->block == NULL && (s->block = malloc(BLOCK_SLOTS * sizeof *s->block)) == NULL)
        return err_oom(e);
    size_t n = s->runs[run].n - at * BLOCK_SLOTS;
    size_t want = (n < BLOCK_SLOTS ? n : BLOCK_SLOTS) * sizeof *s->block;
    off_t offset = (off_t)(s->runs[run].offset + (int64_t)(at * BLOCK_SLOTS * sizeof *s->block));
    s->block_run = SIZE_MAX; /* what is in it now is of no block */
    for (size_t have = 0; have < want;) {
        ssize_t got = pread(s->fd, (char *)s->block + have, want - have, offset + (off_t)have);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return err_errno(e, XS_IO, got < 0 ? errno : EIO, "reading the temporary file of seen keys");
        have += (size_t)got;
    }
    s->block_run = run;
    s->block_at = at;
    return 0;
}

/* 1/0/-1; row is set at 1. */
static int run_find(struct seen *s, size_t run, const struct seen_slot *want, uint64_t *row, struct err *e)
{
    const struct seen_run *r = &s->runs[run];
    uint64_t high = slot_high(want);
    /* The last block that starts at or before the key. Slots are in order of the whole key, and blocks could share
     * their first eight bytes only if 256 keys did. */
    size_t low = 0, top = r->fences_n;
    while (top - low > 1) {
        size_t middle = low + (top - low) / 2;
        if (r->fences[middle] <= high)
            low = middle;
        else
            top = middle;
    }
    for (size_t at = low;; at--) {
        if (read_block(s, run, at, e) < 0)
            return -1;
        size_t n = r->n - at * BLOCK_SLOTS < BLOCK_SLOTS ? r->n - at * BLOCK_SLOTS : BLOCK_SLOTS;
        size_t a = 0, b = n;
        while (a < b) {
            size_t m = a + (b - a) / 2;
            int c = memcmp(s->block[m].key, want->key, sizeof want->key);
            if (c == 0) {
                *row = slot_row(&s->block[m]);
                return 1;
            }
            if (c < 0)
                a = m + 1;
            else
                b = m;
        }
        /* Equal first halves may have begun in the block before. */
        if (at == 0 || r->fences[at] != high)
            return 0;
    }
}

static int write_all(int fd, const void *p, size_t n, int64_t offset, struct err *e)
{
    for (size_t done = 0; done < n;) {
        ssize_t put = pwrite(fd, (const char *)p + done, n - done, (off_t)(offset + (int64_t)done));
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return err_errno(e, XS_IO, errno, "writing the temporary file of seen keys; make room in $TMPDIR");
        done += (size_t)put;
    }
    return 0;
}

/* Insertion: every slot is a few places from where it belongs, but for the few that went round the end of the table. */
static void sort_slots(struct seen_slot *slots, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        struct seen_slot slot = slots[i];
        size_t at = i;
        for (; at > 0 && memcmp(slots[at - 1].key, slot.key, sizeof slot.key) > 0; at--)
            slots[at] = slots[at - 1];
        slots[at] = slot;
    }
}

/* Filters may take as much again as the table; past that, runs go without. */
static void filter_make(struct seen *s, struct seen_run *run, const struct seen_slot *sorted)
{
    size_t bytes = run->n * FILTER_BITS / 8 + 1;
    if (s->filters_bytes + bytes > s->memory_max)
        return;
    run->filter = calloc(bytes, 1);
    if (run->filter == NULL)
        return;
    run->filter_bits = bytes * 8;
    s->filters_bytes += bytes;
    for (size_t i = 0; i < run->n; i++) {
        for (unsigned k = 0; k < FILTER_HASHES; k++) {
            size_t bit = filter_bit(&sorted[i], k, run->filter_bits);
            run->filter[bit / 8] = (unsigned char)(run->filter[bit / 8] | 1u << (bit % 8));
        }
    }
}

/* The table becomes a sorted run of the file, and is empty again. */
static int spill(struct seen *s, struct err *e)
{
    struct seen_run run = {.offset = s->file_bytes, .n = s->used};
    size_t n = 0;
    if (s->fd < 0 && (s->fd = file_unlinked_tmp(e)) < 0)
        return -1;
    struct seen_run *runs = reallocarray(s->runs, s->runs_n + 1, sizeof *runs);
    if (runs == NULL)
        return err_oom(e);
    s->runs = runs;
    for (size_t i = 0; i < s->slots_n; i++)
        if (!slot_empty(&s->slots[i]))
            s->slots[n++] = s->slots[i];
    sort_slots(s->slots, n);
    run.fences_n = (n + BLOCK_SLOTS - 1) / BLOCK_SLOTS;
    run.fences = calloc(run.fences_n, sizeof *run.fences);
    if (run.fences == NULL)
        return err_oom(e);
    for (size_t i = 0; i < run.fences_n; i++)
        run.fences[i] = slot_high(&s->slots[i * BLOCK_SLOTS]);
    if (write_all(s->fd, s->slots, n * sizeof *s->slots, s->file_bytes, e) < 0) {
        free(run.fences);
        return -1;
    }
    filter_make(s, &run, s->slots);
    s->file_bytes += (int64_t)(n * sizeof *s->slots);
    s->runs[s->runs_n++] = run;
    memset(s->slots, 0, s->slots_n * sizeof *s->slots);
    s->used = 0;
    return 0;
}

/* ---- the set ---- */

/* By a fifth: between 2/3 and 4/5 of the slots are then in use, 20 to 24 bytes a key. */
static int make_room(struct seen *s, struct err *e)
{
    if (s->used < s->slots_n / 5 * 4)
        return 0;
    size_t n = s->slots_n == 0 ? SLOTS_FIRST : s->slots_n + s->slots_n / 5;
    if (s->slots_n > 0 && n > s->slots_max)
        return spill(s, e);
    struct seen bigger = {.slots = slots_new(n), .slots_n = n};
    if (bigger.slots == NULL)
        return err_oom(e);
    for (size_t i = 0; i < s->slots_n; i++)
        if (!slot_empty(&s->slots[i]))
            *table_place(&bigger, &s->slots[i]) = s->slots[i];
    slots_free(s->slots, s->slots_n);
    s->slots = bigger.slots;
    s->slots_n = n;
    return 0;
}

static int find_slot(struct seen *s, const struct seen_slot *want, uint64_t *row, struct err *e)
{
    if (s->slots_n > 0) {
        const struct seen_slot *slot = table_find(s, want);
        if (!slot_empty(slot)) {
            *row = slot_row(slot);
            return 1;
        }
    }
    for (size_t i = 0; i < s->runs_n; i++) {
        int found = filter_may_have(&s->runs[i], want) ? run_find(s, i, want, row, e) : 0;
        if (found != 0)
            return found;
    }
    return 0;
}

void seen_prefetch(const struct seen *s, const struct hash128 *key)
{
    if (s->slots_n > 0)
        __builtin_prefetch(&s->slots[hash_scale(hash128_high(key), s->slots_n)], 1);
}

int seen_find(struct seen *s, const struct hash128 *key, uint64_t *row, struct err *e)
{
    struct seen_slot want;
    uint64_t first = 0;
    slot_set(&want, key, 1);
    int found = find_slot(s, &want, &first, e);
    if (found == 1 && row != NULL)
        *row = first;
    return found;
}

int seen_put(struct seen *s, const struct hash128 *key, uint64_t row, uint64_t *first_row, struct err *e)
{
    struct seen_slot want;
    uint64_t first = 0;
    slot_set(&want, key, row);
    int found = find_slot(s, &want, &first, e);
    if (found == 1 && first_row != NULL)
        *first_row = first;
    if (found != 0)
        return found;
    if (make_room(s, e) < 0)
        return -1;
    *table_place(s, &want) = want;
    s->used++;
    return 0;
}
