/* A streaming JSON writer into a buffer: it adds commas and nesting, the buffer has the memory.
 * Errors stick: after a failed add every call does nothing, and jsonw_end() reports it. */
#ifndef SYNC_BASE_JSONW_H
#define SYNC_BASE_JSONW_H

#include "sync/base/buf.h"

#include <stdbool.h>
#include <stdint.h>

struct uuid;

struct jsonw {
    struct buf *out; /* borrowed */
    unsigned depth;
    bool need_comma, failed;
    bool for_people; /* see jsonw_init_output() */
    int errnum;      /* why it failed */
};

void jsonw_init(struct jsonw *w, struct buf *out);
/* For what a command prints: characters that a terminal acts on, or does not show (C1, bidi, without width), become
 * \u escapes, which are the same JSON. What is sent to the API keeps its bytes. */
void jsonw_init_output(struct jsonw *w, struct buf *out);
/* The same for JSON that something else has written. 0/-1. */
int jsonw_copy_output(struct str json, struct buf *out);
void jsonw_object(struct jsonw *w);
void jsonw_object_end(struct jsonw *w);
void jsonw_array(struct jsonw *w);
void jsonw_array_end(struct jsonw *w);
void jsonw_key(struct jsonw *w, const char *key);
void jsonw_key_str(struct jsonw *w, struct str key);
void jsonw_key_plain(struct jsonw *w, struct str quoted); /* one that is JSON already: "name": with quotes and colon */
void jsonw_str(struct jsonw *w, struct str s);            /* bytes that are not UTF-8 become U+FFFD */
void jsonw_text(struct jsonw *w, const char *s);          /* NULL writes null */
void jsonw_int(struct jsonw *w, int64_t v);
void jsonw_uint(struct jsonw *w, uint64_t v);
void jsonw_number(struct jsonw *w, double v, int decimals); /* not finite: null */
void jsonw_bool(struct jsonw *w, bool v);
void jsonw_null(struct jsonw *w);
void jsonw_raw(struct jsonw *w, struct str json); /* one complete JSON value, verbatim */

/* A member of the open object: key and value. These are in jsonw_member.c. */
void jsonw_member_object(struct jsonw *w, const char *key); /* opens it; jsonw_object_end() closes it */
void jsonw_member_array(struct jsonw *w, const char *key);  /* opens it; jsonw_array_end() closes it */
void jsonw_member_str(struct jsonw *w, const char *key, struct str value);
void jsonw_member_str_or_null(struct jsonw *w, const char *key, struct str value); /* empty writes null */
void jsonw_member_text(struct jsonw *w, const char *key, const char *value);       /* NULL writes null */
void jsonw_member_int(struct jsonw *w, const char *key, int64_t value);
void jsonw_member_uint(struct jsonw *w, const char *key, uint64_t value);
void jsonw_member_count(struct jsonw *w, const char *key, int64_t n);    /* below 0 (not known) writes null */
void jsonw_member_ordinal(struct jsonw *w, const char *key, uint64_t n); /* counts from 1; 0 (none) writes null */
void jsonw_member_number(struct jsonw *w, const char *key, double value, int decimals);
void jsonw_member_bool(struct jsonw *w, const char *key, bool value);
void jsonw_member_null(struct jsonw *w, const char *key);
void jsonw_member_raw(struct jsonw *w, const char *key, struct str json);        /* empty writes null */
void jsonw_member_time(struct jsonw *w, const char *key, int64_t ms);            /* UTC; 0 (not yet) writes null */
void jsonw_member_uuid(struct jsonw *w, const char *key, const struct uuid *id); /* NULL writes null */

/* 0 when everything was written and every bracket closed; -1 with errno of the buffer (or EINVAL). */
int jsonw_end(struct jsonw *w);

#endif
