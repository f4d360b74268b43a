/* A table that is written once from front to back and then only read; see index.h for why it may be so simple. */
#include "config.h"

#include "sync/state/lookup/index.h"

#include "sync/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    WRITE_SLOTS = 4096, /* of a file, written at once */
    PROBE_SLOTS = 16,   /* of a file, read at once: nearly always enough */
};

/* Filled to 4/5: linear probing then takes 3 steps for a hit and 13 for a miss, all in a row. */
static size_t slots_for(uint64_t n)
{
    return (size_t)(n + n / 4 + 8);
}

static size_t bits_for(size_t slots_n)
{
    return slots_n / 8 + 1;
}

size_t index_bytes(uint64_t n, enum index_place place)
{
    size_t slots = slots_for(n);
    return (place == INDEX_IN_MEMORY ? slots * sizeof(struct index_slot) : 0) + bits_for(slots);
}

/* Zeroed pages, large ones where the system has them: every search is at another place, and with small pages it misses
 * the TLB as well as the cache. */
static int map_slots(struct index *x, struct err *e)
{
    size_t bytes = x->slots_n * sizeof *x->slots;
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        return err_oom(e);
    (void)madvise(p, bytes, MADV_HUGEPAGE); /* a kernel without them goes on as it can */
    x->slots = p;
    return 0;
}

int index_init(struct index *x, uint64_t n, enum index_place place, struct err *e)
{
    *x = (struct index){.place = place, .fd = -1};
    if (n > SIZE_MAX / 32)
        return err_oom(e);
    x->slots_n = slots_for(n);
    if (place == INDEX_IN_MEMORY) {
        x->seen = calloc(bits_for(x->slots_n), 1);
        return x->seen == NULL ? err_oom(e) : map_slots(x, e);
    }
    x->slots = calloc(WRITE_SLOTS, sizeof *x->slots);
    if (x->slots == NULL)
        return err_oom(e);
    x->fd = file_unlinked_tmp(e);
    return x->fd < 0 ? -1 : 0;
}

void index_free(struct index *x)
{
    if (x->place == INDEX_IN_FILE)
        free(x->slots);
    else if (x->slots != NULL)
        munmap(x->slots, x->slots_n * sizeof *x->slots);
    if (x->place == INDEX_IN_FILE && x->fd >= 0)
        close(x->fd);
    free(x->seen);
    *x = (struct index){.fd = -1};
}

/* 0 marks an empty slot. */
static uint64_t tag_of(const struct hash128 *key)
{
    uint64_t tag = hash128_low(key);
    return tag == 0 ? 1 : tag;
}

/* ---- in a file ---- */

/* What stands between the parts that are written stays a hole, and reads as empty slots. */
static int write_slots(struct index *x, struct err *e)
{
    const char *p = (const char *)x->slots;
    size_t n = (x->next - x->first) * sizeof *x->slots, done = 0;
    while (done < n) {
        ssize_t put = pwrite(x->fd, p + done, n - done, (off_t)(x->first * sizeof *x->slots + done));
        if (put < 0 && errno != EINTR)
            return err_errno(e, XS_IO, errno, "writing the temporary file of the index; make room in $TMPDIR");
        done += put > 0 ? (size_t)put : 0;
    }
    memset(x->slots, 0, n);
    return 0;
}

/* Keys come in order, so each slot is behind the one before. The last ones may stand behind the table's end. */
static int add_to_file(struct index *x, size_t home, struct index_slot slot, struct err *e)
{
    if (home < x->home)
        return err_set(e, XS_STATE, "the state's leads are out of order; it is damaged: see `leadsync status --audit`");
    size_t at = home < x->next ? x->next : home;
    if (at - x->first >= WRITE_SLOTS) {
        if (write_slots(x, e) < 0)
            return -1;
        x->first = at;
    }
    x->slots[at - x->first] = slot;
    x->home = home;
    x->next = at + 1;
    return 0;
}

/* Slots from `at` on; 0 of them at the end of the file. */
static ssize_t read_slots(const struct index *x, size_t at, struct index_slot out[PROBE_SLOTS], struct err *e)
{
    for (;;) {
        ssize_t got = pread(x->fd, out, PROBE_SLOTS * sizeof *out, (off_t)(at * sizeof *out));
        if (got >= 0)
            return got / (ssize_t)sizeof *out;
        if (errno != EINTR)
            return err_errno(e, XS_IO, errno, "reading the temporary file of the index");
    }
}

static int find_in_file(const struct index *x, size_t at, uint64_t tag, int64_t *slot, uint64_t *fingerprint, struct err *e)
{
    struct index_slot probe[PROBE_SLOTS];
    ssize_t n;
    for (; (n = read_slots(x, at, probe, e)) > 0; at += (size_t)n) {
        for (ssize_t i = 0; i < n; i++) {
            if (probe[i].tag == 0)
                return 0;
            if (probe[i].tag == tag) {
                *slot = (int64_t)at + i;
                *fingerprint = probe[i].fingerprint;
                return 1;
            }
        }
    }
    return (int)n;
}

/* ---- either way ---- */

int index_add(struct index *x, const struct hash128 *key, uint64_t fingerprint, struct err *e)
{
    /* One slot stays empty, so that every search ends. */
    if (x->used + 1 >= x->slots_n)
        return err_set(e, XS_STATE,
                       "the state holds more leads than it claims; it is damaged: see `leadsync "
                       "status --audit`");
    const struct index_slot slot = {tag_of(key), fingerprint};
    size_t i = hash_scale(hash128_high(key), x->slots_n);
    x->used++;
    if (x->place == INDEX_IN_FILE)
        return add_to_file(x, i, slot, e);
    while (x->slots[i].tag != 0)
        i = i + 1 == x->slots_n ? 0 : i + 1;
    x->slots[i] = slot;
    return 0;
}

int index_done(struct index *x, struct err *e)
{
    if (x->place == INDEX_IN_MEMORY)
        return 0;
    if (write_slots(x, e) < 0)
        return -1;
    (void)posix_fadvise(x->fd, 0, 0, POSIX_FADV_RANDOM); /* a hint */
    free(x->slots);
    x->slots = NULL;
    x->seen = calloc(bits_for(x->next > x->slots_n ? x->next : x->slots_n), 1);
    return x->seen == NULL ? err_oom(e) : 0;
}

int index_find(const struct index *x, const struct hash128 *key, int64_t *slot, uint64_t *fingerprint, struct err *e)
{
    if (x->used == 0)
        return 0;
    uint64_t tag = tag_of(key);
    size_t i = hash_scale(hash128_high(key), x->slots_n);
    if (x->place == INDEX_IN_FILE)
        return find_in_file(x, i, tag, slot, fingerprint, e);
    for (; x->slots[i].tag != 0; i = i + 1 == x->slots_n ? 0 : i + 1) {
        if (x->slots[i].tag == tag) {
            *slot = (int64_t)i;
            *fingerprint = x->slots[i].fingerprint;
            return 1;
        }
    }
    return 0;
}

void index_prefetch(const struct index *x, const struct hash128 *key)
{
    if (x->used == 0)
        return;
    size_t i = hash_scale(hash128_high(key), x->slots_n), next = i + 64 / sizeof *x->slots;
    __builtin_prefetch(&x->seen[i / 8], 1);
    if (x->place == INDEX_IN_FILE)
        return;
    __builtin_prefetch(&x->slots[i]);
    __builtin_prefetch(&x->slots[next < x->slots_n ? next : i]); /* the search may go on into the next line */
}

bool index_seen(const struct index *x, int64_t slot)
{
    return (x->seen[slot / 8] >> (slot % 8) & 1) != 0;
}

void index_mark(struct index *x, int64_t slot)
{
    x->seen[slot / 8] = (unsigned char)(x->seen[slot / 8] | 1u << (slot % 8));
}
