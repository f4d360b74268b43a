/* Members of an object: a key and its value in one call, so that no key can go without its value. */
#include "config.h"

#include "sync/base/jsonw.h"

#include "sync/base/clock.h"
#include "sync/base/hash.h"

void jsonw_member_object(struct jsonw *w, const char *key)
{
    jsonw_key(w, key);
    jsonw_object(w);
}

void jsonw_member_array(struct jsonw *w, const char *key)
{
    jsonw_key(w, key);
    jsonw_array(w);
}

void jsonw_member_str(struct jsonw *w, const char *key, struct str value)
{
    jsonw_key(w, key);
    jsonw_str(w, value);
}

void jsonw_member_str_or_null(struct jsonw *w, const char *key, struct str value)
{
    if (value.n > 0)
        jsonw_member_str(w, key, value);
    else
        jsonw_member_null(w, key);
}

void jsonw_member_text(struct jsonw *w, const char *key, const char *value)
{
    jsonw_key(w, key);
    jsonw_text(w, value);
}

void jsonw_member_int(struct jsonw *w, const char *key, int64_t value)
{
    jsonw_key(w, key);
    jsonw_int(w, value);
}

void jsonw_member_uint(struct jsonw *w, const char *key, uint64_t value)
{
    jsonw_key(w, key);
    jsonw_uint(w, value);
}

void jsonw_member_count(struct jsonw *w, const char *key, int64_t n)
{
    if (n >= 0)
        jsonw_member_int(w, key, n);
    else
        jsonw_member_null(w, key);
}

void jsonw_member_ordinal(struct jsonw *w, const char *key, uint64_t n)
{
    if (n > 0)
        jsonw_member_uint(w, key, n);
    else
        jsonw_member_null(w, key);
}

void jsonw_member_number(struct jsonw *w, const char *key, double value, int decimals)
{
    jsonw_key(w, key);
    jsonw_number(w, value, decimals);
}

void jsonw_member_bool(struct jsonw *w, const char *key, bool value)
{
    jsonw_key(w, key);
    jsonw_bool(w, value);
}

void jsonw_member_null(struct jsonw *w, const char *key)
{
    jsonw_key(w, key);
    jsonw_null(w);
}

void jsonw_member_raw(struct jsonw *w, const char *key, struct str json)
{
    if (json.n > 0) {
        jsonw_key(w, key);
        jsonw_raw(w, json);
    } else {
        jsonw_member_null(w, key);
    }
}

void jsonw_member_time(struct jsonw *w, const char *key, int64_t ms)
{
    char text[TIME_TEXT_N];
    jsonw_member_text(w, key, ms > 0 ? time_format(ms, text) : NULL);
}

void jsonw_member_uuid(struct jsonw *w, const char *key, const struct uuid *id)
{
    char text[UUID_TEXT_N];
    jsonw_member_text(w, key, id != NULL ? uuid_format(id, text) : NULL);
}
