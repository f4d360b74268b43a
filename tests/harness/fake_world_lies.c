/* Good answers to leads/add that are not true. */
#include "tests/harness/fake_world_int.h"

#include <stdio.h>

#include "sync/base/hash.h"

/* Takes out of the answer the entries that the lie leaves unnamed. */
static struct json_object *named_entries(struct json_object *created, enum world_fault fault)
{
    struct json_object *named = json_object_new_array();
    size_t n = json_object_array_length(created);
    for (size_t i = 0; i < n; i++) {
        struct json_object *entry = json_object_array_get_idx(created, i);
        bool omitted = fault == FAULT_EMPTY_CREATED_AFTER ||
                       (fault == FAULT_NAMELESS_OMITTED_AFTER && world_text(entry, "email")[0] == '\0') ||
                       ((fault == FAULT_HALF_CREATED_AFTER || fault == FAULT_HALF_COUNTED_AFTER) && i < n / 2);
        if (!omitted)
            json_object_array_add(named, json_object_get(entry));
    }
    return named;
}

static void spoil_entry(struct world *w, struct json_object *entry, size_t i, int64_t sent_n, const char *first_id,
                        enum world_fault fault)
{
    if (fault == FAULT_SHIFTED_AFTER)
        world_put_int(entry, "index", (json_object_get_int64(world_member(entry, "index")) + 1) % sent_n);
    if (fault == FAULT_SAME_ID_AFTER)
        world_put_text(entry, "id", first_id);
    if (fault == FAULT_OLD_ID_AFTER)
        world_put_text(entry, "id", world_text(json_object_array_get_idx(w->leads, i), "id"));
    if (fault == FAULT_NO_EMAIL_AFTER || (fault == FAULT_EMAIL_MISSING_AFTER && i == 0))
        json_object_object_del(entry, "email");
}

void world_lie_created(struct world *w, struct fake_answer *a, enum world_fault fault)
{
    char first_id[UUID_TEXT_N] = "";
    struct json_object *o = json_tokener_parse(a->body), *created = world_member(o, "created_leads");
    if (!json_object_is_type(created, json_type_array)) {
        json_object_put(o);
        return;
    }
    struct json_object *named = named_entries(created, fault);
    size_t n = json_object_array_length(named);
    if (n > 0)
        snprintf(first_id, sizeof first_id, "%s", world_text(json_object_array_get_idx(named, 0), "id"));
    for (size_t i = 0; i < n; i++)
        spoil_entry(w, json_object_array_get_idx(named, i), i, json_object_get_int64(world_member(o, "total_sent")),
                    first_id, fault);
    if (fault == FAULT_HALF_COUNTED_AFTER)
        world_put_int(o, "leads_uploaded", (int64_t)n);
    json_object_object_add(o, "created_leads", named);
    a->body = world_keep(w, o);
}
