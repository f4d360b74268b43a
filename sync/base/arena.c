/* Blocks in a list, bump allocation in the newest. An arena that is reset soon holds one block as large as all that a
 * round needs, and then no longer calls malloc(): a chunk of rows costs a few additions per piece. */
#include "config.h"

#include "sync/base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* The first block is a page; every later one doubles, so that a large arena is a handful of blocks. */
enum { BLOCK_FIRST = 4096, ALIGN = alignof(max_align_t) };

/* Found by its `next`; the flexible array starts aligned for any type. */
struct arena_block {
    struct arena_block *next;
    size_t n; /* bytes of data */
    alignas(max_align_t) char data[];
};

void arena_init(struct arena *a, size_t max)
{
    *a = (struct arena){.max = max};
}

/* Allocation goes on at the start of this block. */
static void enter(struct arena *a, struct arena_block *block)
{
    a->head = block;
    a->at = block->data;
    a->end = block->data + block->n;
}

/* This block and all that are older. */
static void free_blocks(struct arena_block *block)
{
    while (block != NULL) {
        struct arena_block *next = block->next;
        free(block);
        block = next;
    }
}

void arena_reset(struct arena *a)
{
    a->used = 0;
    if (a->head == NULL)
        return;
    /* The newest is the largest, since sizes double. */
    free_blocks(a->head->next);
    a->head->next = NULL;
    enter(a, a->head);
}

void arena_free(struct arena *a)
{
    free_blocks(a->head);
    arena_init(a, a->max);
}

/* A new block of at least n bytes; what is left of the old one is not used again. */
static int add_block(struct arena *a, size_t n)
{
    size_t size = a->head == NULL ? BLOCK_FIRST : a->head->n;
    if (a->head != NULL && size <= a->max / 2)
        size *= 2;
    if (size < n)
        size = n;
    /* The sum with the head of the block must not wrap. */
    if (size > SIZE_MAX - sizeof(struct arena_block))
        return -1;
    /* Not cleared: arena_calloc() returns zeros. */
    struct arena_block *block = malloc(sizeof *block + size);
    if (block == NULL)
        return -1;
    block->next = a->head;
    block->n = size;
    enter(a, block);
    return 0;
}

void *arena_alloc(struct arena *a, size_t n)
{
    if (n > SIZE_MAX - ALIGN)
        return NULL;
    /* Everything is rounded up, so that the next one is aligned; nothing gets no bytes of its own, but an address. */
    size_t rounded = n == 0 ? ALIGN : (n + ALIGN - 1) / ALIGN * ALIGN;
    if (rounded > a->max - a->used)
        return NULL;
    if (rounded > (size_t)(a->end - a->at) && add_block(a, rounded) != 0)
        return NULL;
    void *p = a->at;
    a->at += rounded;
    a->used += rounded;
    return p;
}

void *arena_calloc(struct arena *a, size_t count, size_t size)
{
    /* A count from a file times a size of ours: the product is where overflows hide. */
    size_t n;
    if (__builtin_mul_overflow(count, size, &n))
        return NULL;
    void *p = arena_alloc(a, n);
    return p != NULL ? memset(p, 0, n) : NULL;
}

char *arena_dup(struct arena *a, const void *p, size_t n)
{
    /* The NUL is for those who print it; the length is what counts. */
    char *copy = n < SIZE_MAX ? arena_alloc(a, n + 1) : NULL;
    if (copy == NULL)
        return NULL;
    if (n > 0)
        memcpy(copy, p, n);
    copy[n] = '\0';
    return copy;
}

int arena_str(struct arena *a, struct str in, struct str *out)
{
    /* Nothing needs no memory, and many texts are empty. */
    if (in.n == 0) {
        *out = (struct str){"", 0};
        return 0;
    }
    char *copy = arena_dup(a, in.p, in.n);
    if (copy == NULL)
        return -1;
    *out = (struct str){copy, in.n};
    return 0;
}
