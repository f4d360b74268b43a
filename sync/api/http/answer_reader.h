/* One answer while it arrives: what is kept of it, and how much memory that takes. For this room only.
 *
 * A short answer is kept as text and parsed when it is whole, so that only one tree is in memory at a time. A longer one
 * is parsed piece by piece, and its text is not kept. All answers under way share one allowance; when that is used up,
 * further answers wait, and one at a time may go on up to its own limit. */
#ifndef SYNC_API_HTTP_ANSWER_READER_H
#define SYNC_API_HTTP_ANSWER_READER_H

#include "sync/api/api.h"
#include "sync/api/http/transport.h"

struct json_tokener;
struct answer_reader;

/* Shared by all answers under way. */
struct answer_memory {
    size_t total;                       /* of the process: an answer's limit depends on it */
    size_t max, used;                   /* bytes for all answers together */
    const struct answer_reader *beyond; /* the one that may take more than is left; NULL: none does */
    struct answer_reader *spare;
};
/* `total`: --memory in bytes; 0: its default. An eighth of it is for answers. */
void answer_memory_init(struct answer_memory *memory, size_t total);
void answer_memory_free(struct answer_memory *memory);

struct answer_reader {
    struct answer_memory *memory;
    size_t limit;    /* bytes that this answer may take */
    size_t used;     /* of them; counted in memory->used too */
    bool too_large;  /* it would have passed its limit: nothing of it is usable */
    size_t text_max; /* a longer one is parsed piece by piece; 512 KB but for tests */
    struct buf text; /* the whole answer, or its start when it is parsed piece by piece */

    struct json_tokener *tokener; /* of an answer that is parsed piece by piece; NULL: it is text */
    struct json_object *json;     /* once its last bracket has come */
    bool no_json;
    struct tree_count {
        bool in_string, escaped;
        size_t string_n, longest_n;
    } count;      /* where counting stands */
    char tail[4]; /* the first bytes of a character that the last piece cut */
    size_t tail_n;

    struct answer_reader *next; /* of the spare ones */
};

/* For an answer to a request of this kind, which decides how much memory it may take. NULL without memory. */
struct answer_reader *answer_reader_open(struct answer_memory *memory, enum api_kind kind);
/* The next piece of an answer with this status. */
enum transport_take answer_reader_take(struct answer_reader *r, int status, struct str piece);
/* The whole answer as JSON, which the caller puts; NULL when it is none, or would take more than its limit. With
 * `created`, it is one to leads/add, whose leads may be read apart: see answer_parse_added(). */
struct json_object *answer_reader_json(struct answer_reader *r, struct json_tokener *tokener, struct created_leads *created,
                                       bool *apart);
/* Gives back what the answer took, and sets the pointer to NULL, which is fine, too. */
void answer_reader_close(struct answer_reader **reader);

#endif
