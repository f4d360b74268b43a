/* A tree of JSON takes many times the bytes of its text: "{}," is three bytes of text and 800 of memory. So what is
 * counted is not the text, but what json-c will allocate for it, by the brackets, commas and colons outside of strings. */
#include "config.h"

#include "sync/api/http/answer_reader.h"

#include "sync/api/answer/answer.h"
#include "sync/base/text.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

enum {
    TEXT_MAX = 512 * 1024,      /* an answer to 1000 leads is 100 to 400 KB, a page of 100 leads about 250 KB */
    ERROR_TEXT_MAX = 64 * 1024, /* an error's words stand at its start */
    HEAD_BYTES = 4096,          /* kept of an answer that is parsed piece by piece, for messages */
    RESERVE_TEXT_BYTES = 256 * 1024,

    /* What json-c 0.13 to 0.17 allocates on a 64-bit machine, rounded up. The longest string counts three times:
     * json-c collects each in one buffer first, which doubles when it is full. */
    OBJECT_BYTES = 800, /* with its first sixteen members */
    ARRAY_BYTES = 400,  /* with its first 32 elements */
    VALUE_BYTES = 96,
    MEMBER_BYTES = 160,
    COLLECTED_FACTOR = 2,
    WORST_FACTOR = 300, /* "{}," */
};

/* ---- what a tree takes ---- */

/* Counts on from where the piece before it ended. */
static size_t tree_bytes(struct tree_count *at, struct str s)
{
    size_t bytes = 0;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (at->in_string) {
            bytes++;
            if (++at->string_n > at->longest_n) {
                at->longest_n = at->string_n;
                bytes += COLLECTED_FACTOR;
            }
            if (at->escaped)
                at->escaped = false;
            else if (c == '\\')
                at->escaped = true;
            else if (c == '"')
                at->in_string = false;
            continue;
        }
        switch (c) {
        case '"':
            at->in_string = true;
            at->string_n = 0;
            break;
        case '{': bytes += OBJECT_BYTES; break;
        case '[': bytes += ARRAY_BYTES; break;
        case ',': bytes += VALUE_BYTES; break;
        case ':': bytes += MEMBER_BYTES; break;
        case ' ':
        case '\t':
        case '\r':
        case '\n': break;
        default: bytes++; break;
        }
    }
    return bytes;
}

/* ---- memory that is shared ---- */

/* Can the answer take `bytes` more? */
static enum transport_take claim(struct answer_reader *r, size_t bytes)
{
    struct answer_memory *m = r->memory;
    if (bytes > r->limit - r->used) {
        r->too_large = true;
        return TRANSPORT_TAKE_NEVER;
    }
    if (m->used + bytes > m->max && m->beyond != r) {
        if (m->beyond != NULL)
            return TRANSPORT_TAKE_LATER;
        m->beyond = r;
    }
    r->used += bytes;
    m->used += bytes;
    return TRANSPORT_TAKE_MORE;
}

static void give_back(struct answer_reader *r)
{
    r->memory->used -= r->used;
    r->used = 0;
    if (r->memory->beyond == r)
        r->memory->beyond = NULL;
}

/* ---- piece by piece ---- */

/* Pieces end anywhere, also within a character, whose first bytes wait in `tail` for the others. */
static bool is_utf8_so_far(struct answer_reader *r, struct str s)
{
    while (r->tail_n > 0 && s.n > 0) {
        r->tail[r->tail_n++] = *s.p++;
        s.n--;
        if (text_utf8_char(r->tail, r->tail_n) == r->tail_n)
            r->tail_n = 0;
        else if (r->tail_n == sizeof r->tail)
            return false;
    }
    if (s.n == 0)
        return true;
    size_t whole = text_utf8_prefix(s);
    r->tail_n = s.n - whole;
    if (r->tail_n >= sizeof r->tail)
        return false;
    memcpy(r->tail, s.p + whole, r->tail_n);
    return true;
}

static bool is_blank(struct str s)
{
    size_t i = 0;
    while (i < s.n && (s.p[i] == ' ' || s.p[i] == '\t' || s.p[i] == '\r' || s.p[i] == '\n'))
        i++;
    return i == s.n;
}

/* The answer can no longer become JSON: keep only its start. */
static void answer_reader_give_up(struct answer_reader *r)
{
    r->no_json = true;
    json_object_put(r->json);
    r->json = NULL;
    give_back(r);
}

static void feed(struct answer_reader *r, struct str s)
{
    bool good = is_utf8_so_far(r, s);
    if (good && r->json == NULL) {
        r->json = json_tokener_parse_ex(r->tokener, s.p, (int)s.n);
        enum json_tokener_error error = json_tokener_get_error(r->tokener);
        good = r->json != NULL || error == json_tokener_continue;
        if (r->json != NULL) {
            size_t used = json_tokener_get_parse_end(r->tokener);
            s = (struct str){s.p + used, s.n - used};
        } else {
            s.n = 0;
        }
    }
    if (!good || !is_blank(s))
        answer_reader_give_up(r);
}

/* The answer has become too long to be kept as text: what has come goes to a parser of its own. */
static enum transport_take begin_tree(struct answer_reader *r)
{
    r->tokener = answer_tokener();
    if (r->tokener == NULL) {
        r->too_large = true;
        return TRANSPORT_TAKE_NEVER;
    }
    size_t text_bytes = r->used;
    enum transport_take take = claim(r, tree_bytes(&r->count, buf_str(&r->text)));
    if (take != TRANSPORT_TAKE_MORE) {
        json_tokener_free(r->tokener);
        r->tokener = NULL;
        r->count = (struct tree_count){.in_string = false};
        return take;
    }
    feed(r, buf_str(&r->text));
    struct buf head = BUF_INIT(TEXT_MAX);
    if (buf_add(&head, r->text.p, r->text.n < HEAD_BYTES ? r->text.n : HEAD_BYTES) != 0)
        buf_reset(&head); /* then a message lacks the answer's words */
    buf_free(&r->text);
    r->text = head;
    if (!r->no_json) { /* which has given all of it back */
        r->used -= text_bytes;
        r->memory->used -= text_bytes;
    }
    return TRANSPORT_TAKE_MORE;
}

static enum transport_take take_tree(struct answer_reader *r, struct str piece)
{
    struct tree_count before = r->count;
    enum transport_take take = claim(r, tree_bytes(&r->count, piece));
    if (take == TRANSPORT_TAKE_MORE)
        feed(r, piece);
    else
        r->count = before; /* it comes again */
    return take;
}

/* ---- an answer ---- */

/* By kind: what the largest answer that makes sense takes as a tree, and a good deal more. A lead is up to 1 MB, since
 * that is the largest request; in practice 2.5 KB of text, which are 14 KB of tree. */
static const size_t limits[] = {
    [API_KIND_ADD] = (size_t)16 << 20,    /* 1000 created leads, even if each came whole */
    [API_KIND_LIST] = (size_t)64 << 20,   /* 100 leads of 600 KB */
    [API_KIND_PATCH] = (size_t)16 << 20,  /* a lead */
    [API_KIND_DELETE] = (size_t)16 << 20, /* a count, or a lead */
    [API_KIND_MOVE] = (size_t)16 << 20,   /* a job with 1000 ids */
    [API_KIND_JOBS] = (size_t)128 << 20,  /* 100 jobs, each of which may name 10 000 addresses (1.3 MB) */
    [API_KIND_OTHER] = (size_t)64 << 20,  /* 100 campaigns with their mails */
};
enum {
    LIMITS_N = sizeof limits / sizeof limits[0],
    MEMORY_DEFAULT = 256 << 20,
    MEMORY_SHARE = 8,       /* of --memory for all answers together */
    MEMORY_LEAST = 8 << 20, /* 64 answers to 1000 leads each */
    LIMIT_SHARE = 2,        /* of --memory for one answer */
    LIMIT_LEAST = 16 << 20,
};

void answer_memory_init(struct answer_memory *memory, size_t total)
{
    *memory = (struct answer_memory){.total = total != 0 ? total : MEMORY_DEFAULT};
    memory->max = memory->total / MEMORY_SHARE;
    if (memory->max < MEMORY_LEAST)
        memory->max = MEMORY_LEAST;
}

void answer_memory_free(struct answer_memory *memory)
{
    for (struct answer_reader *r = memory->spare, *next; r != NULL; r = next) {
        next = r->next;
        buf_free(&r->text);
        free(r);
    }
    memory->spare = NULL;
}

/* Readers are used again for their text's memory. */
struct answer_reader *answer_reader_open(struct answer_memory *memory, enum api_kind kind)
{
    struct answer_reader *r = memory->spare;
    if (r != NULL)
        memory->spare = r->next;
    else if ((r = calloc(1, sizeof *r)) == NULL)
        return NULL;
    else
        buf_init(&r->text, TEXT_MAX);
    size_t most = memory->total / LIMIT_SHARE;
    if (most < LIMIT_LEAST)
        most = LIMIT_LEAST;
    size_t limit = (size_t)kind < LIMITS_N ? limits[kind] : limits[API_KIND_OTHER];
    *r = (struct answer_reader){.memory = memory,
                                .limit = limit < most ? limit : most,
                                .text_max = TEXT_MAX,
                                .text = r->text};
    return r;
}

static enum transport_take take_text(struct answer_reader *r, struct str piece)
{
    enum transport_take take = claim(r, piece.n);
    if (take != TRANSPORT_TAKE_MORE || buf_add(&r->text, piece.p, piece.n) == 0)
        return take;
    r->too_large = true;
    return TRANSPORT_TAKE_NEVER;
}

enum transport_take answer_reader_take(struct answer_reader *r, int status, struct str piece)
{
    if (r->too_large)
        return TRANSPORT_TAKE_NEVER;
    if (r->no_json)
        return TRANSPORT_TAKE_MORE;
    if (status < 200 || status > 299) {
        size_t room = ERROR_TEXT_MAX - r->text.n;
        return take_text(r, (struct str){piece.p, piece.n < room ? piece.n : room});
    }
    if (r->tokener == NULL && piece.n + r->text.n <= r->text_max)
        return take_text(r, piece);
    enum transport_take take = r->tokener == NULL ? begin_tree(r) : TRANSPORT_TAKE_MORE;
    if (take != TRANSPORT_TAKE_MORE || r->no_json)
        return take;
    return take_tree(r, piece);
}

struct json_object *answer_reader_json(struct answer_reader *r, struct json_tokener *tokener, struct created_leads *created,
                                       bool *apart)
{
    *apart = false;
    if (r->no_json || r->too_large)
        return NULL;
    if (r->tokener != NULL) {
        bool usable = r->tail_n == 0 && answer_is_container(r->json);
        return usable ? json_object_get(r->json) : NULL;
    }
    struct json_object *json = created != NULL ? answer_parse_added(tokener, buf_str(&r->text), created) : NULL;
    if (json != NULL) {
        *apart = true;
        return json;
    }
    /* Only a text that could pass its limit is worth counting. */
    if (r->text.n > r->limit / WORST_FACTOR && tree_bytes(&r->count, buf_str(&r->text)) > r->limit) {
        r->too_large = true;
        return NULL;
    }
    return answer_parse(tokener, buf_str(&r->text));
}

void answer_reader_close(struct answer_reader **reader)
{
    struct answer_reader *r = *reader;
    if (r == NULL)
        return;
    *reader = NULL;
    give_back(r);
    json_object_put(r->json);
    r->json = NULL;
    if (r->tokener != NULL)
        json_tokener_free(r->tokener); /* json-c up to 0.16 does not take NULL */
    r->tokener = NULL;
    buf_reset(&r->text);
    if (r->text.cap > RESERVE_TEXT_BYTES)
        buf_free(&r->text);
    r->next = r->memory->spare;
    r->memory->spare = r;
}
