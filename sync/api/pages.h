/* Blocking reads of this room: one answer, or all pages of a list. For this room only. */
#ifndef SYNC_API_PAGES_H
#define SYNC_API_PAGES_H

#include "sync/api/api.h"

int pages_get(struct api *a, const char *path, bool optional, struct api_reply *reply, struct err *e);

/* Sees each item; 1: enough, 0: go on, -1: error. */
typedef int pages_item_fn(void *ctx, struct json_object *item, struct err *e);

/* Follows "PATH?limit=100QUERY" to its empty page. `denied` (may be NULL) is set instead of an error when the key may
 * not read it. 0/-1. */
int pages_each(struct api *a, const char *path, const char *query, bool *denied, pages_item_fn *see, void *ctx,
               struct err *e);

#endif
