/* Memory that is freed all at once: one arena a chunk of rows, a mapping, an answer. Born with its maximum. */
#ifndef SYNC_BASE_ARENA_H
#define SYNC_BASE_ARENA_H

#include "sync/base/str.h"

#include <stddef.h>

struct arena_block;
struct arena {
    struct arena_block *head;
    char *at, *end;
    size_t used, max;
};

void arena_init(struct arena *a, size_t max);
void arena_reset(struct arena *a); /* keeps one block for reuse; everything handed out is gone */
void arena_free(struct arena *a);

/* Aligned for any type, not cleared; arena_calloc clears. NULL when memory is short or the maximum is reached. */
void *arena_alloc(struct arena *a, size_t n);
void *arena_calloc(struct arena *a, size_t count, size_t size); /* checks the product */
char *arena_dup(struct arena *a, const void *p, size_t n);      /* copy with a NUL after it */
int arena_str(struct arena *a, struct str in, struct str *out); /* 0/-1 */

#endif
