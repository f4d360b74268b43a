#include "sync/sandbox/server/ring.h"

#include "sync/base/clock.h"

#include <stdlib.h>

enum { RING_N = 10000 };

struct box_ring {
    struct box_ring_entry entries[RING_N];
    uint64_t n; /* ever added */
};

struct box_ring *box_ring_new(void)
{
    return calloc(1, sizeof(struct box_ring));
}

void box_ring_free(struct box_ring *r)
{
    free(r);
}

void box_ring_clear(struct box_ring *r)
{
    r->n = 0;
}

void box_ring_add(struct box_ring *r, const struct box_ring_entry *entry)
{
    struct box_ring_entry *slot = &r->entries[r->n % RING_N];
    *slot = *entry;
    slot->n = ++r->n;
}

void box_ring_write(const struct box_ring *r, struct jsonw *w)
{
    char time[TIME_TEXT_N];
    jsonw_object(w);
    jsonw_key(w, "total");
    jsonw_uint(w, r->n);
    jsonw_key(w, "requests");
    jsonw_array(w);
    for (uint64_t i = r->n > RING_N ? r->n - RING_N : 0; i < r->n; i++) {
        const struct box_ring_entry *entry = &r->entries[i % RING_N];
        jsonw_object(w);
        jsonw_key(w, "n");
        jsonw_uint(w, entry->n);
        jsonw_key(w, "at");
        jsonw_text(w, time_format(entry->at_ms, time));
        jsonw_key(w, "method");
        jsonw_text(w, entry->method);
        jsonw_key(w, "path");
        jsonw_text(w, entry->path);
        jsonw_key(w, "status");
        jsonw_uint(w, entry->status);
        jsonw_key(w, "leads");
        jsonw_uint(w, entry->leads);
        jsonw_key(w, "fault");
        jsonw_text(w, entry->fault[0] != '\0' ? entry->fault : NULL);
        jsonw_key(w, "unknown");
        jsonw_text(w, entry->unknown[0] != '\0' ? entry->unknown : NULL);
        jsonw_key(w, "workspace");
        jsonw_bool(w, entry->as_workspace);
        jsonw_object_end(w);
    }
    jsonw_array_end(w);
    jsonw_object_end(w);
}
