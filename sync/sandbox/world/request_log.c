#include "sync/sandbox/world/request_log.h"

#include "sync/base/clock.h"

#include <stdlib.h>

enum { RING_N = 10000 };

struct sim_request_log {
    struct sim_request_log_entry entries[RING_N];
    uint64_t n; /* ever added */
};

struct sim_request_log *sim_request_log_new(void)
{
    return calloc(1, sizeof(struct sim_request_log));
}

void sim_request_log_free(struct sim_request_log *r)
{
    free(r);
}

void sim_request_log_clear(struct sim_request_log *r)
{
    r->n = 0;
}

void sim_request_log_add(struct sim_request_log *r, const struct sim_request_log_entry *entry)
{
    struct sim_request_log_entry *slot = &r->entries[r->n % RING_N];
    *slot = *entry;
    slot->n = ++r->n;
}

void sim_request_log_write(const struct sim_request_log *r, struct jsonw *w)
{
    char time[TIME_TEXT_N];
    jsonw_object(w);
    jsonw_member_uint(w, "total", r->n);
    jsonw_member_array(w, "requests");
    for (uint64_t i = r->n > RING_N ? r->n - RING_N : 0; i < r->n; i++) {
        const struct sim_request_log_entry *entry = &r->entries[i % RING_N];
        jsonw_object(w);
        jsonw_member_uint(w, "n", entry->n);
        jsonw_member_text(w, "at", time_format(entry->at_ms, time));
        jsonw_member_text(w, "method", entry->method);
        jsonw_member_text(w, "path", entry->path);
        jsonw_member_uint(w, "status", entry->status);
        jsonw_member_uint(w, "leads", entry->leads);
        jsonw_member_text(w, "fault", entry->fault[0] != '\0' ? entry->fault : NULL);
        jsonw_member_text(w, "unknown", entry->unknown[0] != '\0' ? entry->unknown : NULL);
        jsonw_member_bool(w, "workspace", entry->as_workspace);
        jsonw_object_end(w);
    }
    jsonw_array_end(w);
    jsonw_object_end(w);
}
