/* The leads of the stand-in, and what its parts share over json-c. */
#include "tests/harness/fake_world_int.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "sync/base/hash.h"

/* ---- small helpers over json-c ---- */

struct json_object *world_member(struct json_object *o, const char *name)
{
    struct json_object *v = NULL;
    return json_object_is_type(o, json_type_object) && json_object_object_get_ex(o, name, &v) ? v : NULL;
}

const char *world_text(struct json_object *o, const char *name)
{
    struct json_object *v = world_member(o, name);
    return json_object_is_type(v, json_type_string) ? json_object_get_string(v) : "";
}

void world_put_text(struct json_object *o, const char *name, const char *value)
{
    json_object_object_add(o, name, json_object_new_string(value));
}

void world_put_int(struct json_object *o, const char *name, int64_t value)
{
    json_object_object_add(o, name, json_object_new_int64(value));
}

bool world_starts(const char *s, const char *prefix)
{
    return strncasecmp(s, prefix, strlen(prefix)) == 0;
}

const char *world_keep(struct world *w, struct json_object *answer)
{
    json_object_array_add(w->bodies, answer);
    return json_object_to_json_string_ext(answer, JSON_C_TO_STRING_PLAIN);
}

const char *world_target_of(struct json_object *lead)
{
    return world_text(lead, "list_id")[0] != '\0' ? world_text(lead, "list_id") : world_text(lead, "campaign");
}

void world_refuse(struct world *w, int status, const char *message, struct fake_answer *a)
{
    struct json_object *o = json_object_new_object();
    world_put_int(o, "statusCode", status);
    world_put_text(o, "message", message);
    a->status = status;
    a->body = world_keep(w, o);
}

/* ---- leads ---- */

struct json_object *world_find(const struct world *w, const char *target, const char *email)
{
    for (size_t i = 0; email[0] != '\0' && i < world_n(w); i++) {
        struct json_object *lead = json_object_array_get_idx(w->leads, i);
        if (strcasecmp(world_text(lead, "email"), email) == 0 &&
            (target == NULL || strcmp(world_target_of(lead), target) == 0))
            return lead;
    }
    return NULL;
}

const char *world_value(const struct world *w, const char *target, const char *email, const char *name)
{
    struct json_object *lead = world_find(w, target, email), *v = world_member(lead, name);
    if (v == NULL)
        v = world_member(world_member(lead, "payload"), name);
    return v != NULL ? json_object_get_string(v) : "";
}

size_t world_n(const struct world *w)
{
    return json_object_array_length(w->leads);
}

/* What makes two leads doubles: their target, and the address in lower case or, without addresses, the row key. Owned by the
 * caller; NULL: no lead can be its double. */
static char *world_identity(struct json_object *lead)
{
    const char *email = world_text(lead, "email"), *key = world_text(world_member(lead, "payload"), "leadsync_key");
    const char *who = email[0] != '\0' ? email : key, *target = world_target_of(lead);
    if (who[0] == '\0')
        return NULL;
    size_t n = strlen(target) + strlen(who) + 3;
    char *text = malloc(n);
    if (text == NULL)
        abort();
    snprintf(text, n, "%s %c%s", target, email[0] != '\0' ? '@' : '#', who);
    for (char *c = text; email[0] != '\0' && *c != '\0'; c++)
        *c = (char)tolower((unsigned char)*c);
    return text;
}

static int world_compare_texts(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

size_t world_doubles(const struct world *w)
{
    size_t doubles = 0, n = 0;
    char **identities = calloc(world_n(w) + 1, sizeof *identities);
    if (identities == NULL)
        abort();
    for (size_t i = 0; i < world_n(w); i++)
        if ((identities[n] = world_identity(json_object_array_get_idx(w->leads, i))) != NULL)
            n++;
    qsort(identities, n, sizeof *identities, world_compare_texts);
    for (size_t i = 0; i < n; i++)
        doubles += i > 0 && strcmp(identities[i], identities[i - 1]) == 0;
    for (size_t i = 0; i < n; i++)
        free(identities[i]);
    free(identities);
    return doubles;
}

struct json_object *world_make(struct world *w, bool list, const char *target)
{
    struct json_object *lead = json_object_new_object();
    char id[UUID_TEXT_N], when[TIME_TEXT_N];
    unsigned long long ms = (unsigned long long)(w->clock->wall + w->skew_ms);
    snprintf(id, sizeof id, "%08llx-%04llx-7000-8000-%012x", ms >> 16 & 0xffffffff, ms & 0xffff, ++w->ids);
    world_put_text(lead, "id", id);
    world_put_text(lead, list ? "list_id" : "campaign", target);
    world_put_text(lead, "timestamp_created", time_format(w->clock->wall + w->skew_ms, when));
    world_put_int(lead, "status", 1);
    world_put_int(lead, "visible_ms", w->clock->wall + w->lag_ms);
    return lead;
}

void world_write_fields(struct json_object *lead, struct json_object *item)
{
    struct json_object_iter at;
    json_object_object_foreachC (item, at)
        json_object_object_add(lead, strcmp(at.key, "custom_variables") == 0 ? "payload" : at.key, json_object_get(at.val));
}

void world_put(struct world *w, const char *target, const char *email, const char *first_name)
{
    struct json_object *lead = world_make(w, strcmp(target, WORLD_CAMPAIGN) != 0, target);
    world_put_text(lead, "email", email);
    world_put_text(lead, "first_name", first_name);
    json_object_array_add(w->leads, lead);
}

void world_delete(struct world *w, const char *email)
{
    for (size_t i = 0; i < world_n(w); i++)
        if (strcasecmp(world_text(json_object_array_get_idx(w->leads, i), "email"), email) == 0) {
            json_object_array_del_idx(w->leads, i, 1);
            return;
        }
}

void world_set(struct world *w, const char *email, const char *name, int64_t value)
{
    struct json_object *lead = world_find(w, NULL, email);
    if (lead == NULL)
        abort();
    world_put_int(lead, name, value);
}

void world_reimport(struct world *w, const char *email)
{
    struct json_object *lead = world_find(w, NULL, email);
    char id[UUID_TEXT_N];
    if (lead == NULL)
        abort();
    snprintf(id, sizeof id, "01900000-0000-7000-8000-%012x", ++w->ids);
    world_put_text(lead, "id", id);
}

void world_exchange(struct world *w, const char *email, const char *other)
{
    struct json_object *lead = world_find(w, NULL, email);
    if (lead == NULL)
        abort();
    world_put_text(lead, "email", other);
}

void world_merge_fields(struct json_object *lead, struct json_object *item)
{
    struct json_object *payload, *custom = world_member(item, "custom_variables");
    struct json_object_iter at;
    if (custom == NULL || !json_object_object_get_ex(lead, "payload", &payload)) {
        world_write_fields(lead, item);
        return;
    }
    payload = json_object_get(payload);
    world_write_fields(lead, item);
    json_object_object_foreachC (custom, at)
        json_object_object_add(payload, at.key, json_object_get(at.val));
    json_object_object_add(lead, "payload", payload);
}

void world_move_to(struct json_object *lead, const char *target)
{
    bool list = strcmp(target, WORLD_CAMPAIGN) != 0;
    json_object_object_del(lead, list ? "campaign" : "list_id");
    world_put_text(lead, list ? "list_id" : "campaign", target);
}

void world_place(struct world *w, const char *email, const char *target)
{
    struct json_object *lead = world_find(w, NULL, email);
    if (lead == NULL)
        abort();
    world_move_to(lead, target);
}
