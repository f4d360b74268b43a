/* Packed entries: a length, then the fields in order. A reader that meets an unknown tail skips it, so that fields may
 * be appended later; it never reads past the length. Every byte may be wrong: a state is a file, and files are copied,
 * cut and edited. */
#include "config.h"

#include "sync/model/entry.h"

#include "sync/model/row.h"

#include <string.h>

enum { /* flags of an intent */
       INTENT_RETRIED = 1,
       INTENT_LEAD_ID = 2,
       INTENT_KEY_IN_VALUES = 4, /* instead of the text: where it stands in the values, and its length */
       INTENT_EMAIL_IN_VALUES = 8,
       INTENT_CELLS_BY_VALUES = 16, /* as cells_shrink() has them */
       INTENT_STAGED = 32,
       INTENT_BY_USER = 64,
       INTENT_BY_ADDRESS = 128,
       INTENT_HASHES = 256, /* at the end, where a version that does not know them skips them */
};
enum { OUTCOME_LEAD_ID = 1, OUTCOME_UNPROVED = 2 }; /* flags of an outcome */

/* Words of the reports and of the diff. */
const char *op_text(enum op op)
{
    static const char *const texts[OP_N] = {
        [OP_NONE] = "none", [OP_CREATE] = "create", [OP_UPDATE] = "update",
        [OP_MOVE] = "move", [OP_REMOVE] = "remove", [OP_HAND] = "by_hand",
    };
    return (unsigned)op < OP_N ? texts[op] : "unknown";
}

/* ---- notes ---- */

struct entry entry_note(enum note note, const struct hash128 *key, const struct uuid *lead_id)
{
    return (struct entry){
        .key = *key,
        .has_lead_id = true,
        .lead_id = *lead_id,
        .outcome = OUTCOME_UNCHANGED,
        .reason = note == NOTE_TAKEN ? REASON_GONE_THERE : REASON_OUTCOME_OPEN,
        .unproved = note == NOTE_WRITTEN,
    };
}

struct entry entry_note_status(const struct hash128 *key, enum reason reason)
{
    return (struct entry){.key = *key, .outcome = OUTCOME_UNCHANGED, .reason = reason};
}

enum note entry_note_of(enum reason reason, bool has_lead_id, bool unproved, uint64_t fingerprint)
{
    if (!has_lead_id)
        return fingerprint == 0 ? NOTE_STATUS : NOTE_NONE;
    switch (reason) {
    case REASON_GONE_THERE: return NOTE_TAKEN;
    case REASON_OUTCOME_OPEN: return unproved ? NOTE_WRITTEN : NOTE_MET;
    default: return NOTE_NONE;
    }
}

/* ---- the frame ---- */

/* Four bytes of length, little-endian, written when the record is whole. */
enum { FRAME_N = 4 };

/* Leaves room for the length. */
static int frame_open(struct buf *out, size_t *start)
{
    *start = out->n;
    return buf_add(out, "\0\0\0\0", FRAME_N);
}

/* Closes the record, or takes back what a failed one left. */
static int frame_close(struct buf *out, size_t start, int result)
{
    size_t n = out->n - start;
    if (result == 0 && n >= FRAME_N && n - FRAME_N <= UINT32_MAX) {
        uint32_t length = (uint32_t)(n - FRAME_N);
        for (unsigned i = 0; i < FRAME_N; i++)
            out->p[start + i] = (char)(length >> (8 * i) & 0xff);
        return 0;
    }
    out->n = start;
    return -1;
}

/* Finds the record at *p: its fields are from *p to *frame_end. */
static int frame_enter(const char **p, const char *end, const char **frame_end)
{
    uint32_t length = 0;
    if (end - *p < FRAME_N)
        return -1;
    for (unsigned i = 0; i < FRAME_N; i++)
        length |= (uint32_t)(unsigned char)(*p)[i] << (8 * i);
    if (length > (size_t)(end - *p) - FRAME_N)
        return -1;
    *p += FRAME_N;
    *frame_end = *p + length;
    return 0;
}

/* ---- the fields ---- */

/* Fixed, not a varint: hashes have no small values. */
static int add_u64(struct buf *out, uint64_t v)
{
    char bytes[8];
    for (unsigned i = 0; i < 8; i++)
        bytes[i] = (char)(v >> (8 * i) & 0xff);
    return buf_add(out, bytes, sizeof bytes);
}

/* The only place that reads raw bytes, and the only check that they are there. */
static int take_bytes(const char **at, const char *end, void *out, size_t n)
{
    if ((size_t)(end - *at) < n)
        return -1;
    memcpy(out, *at, n);
    *at += n;
    return 0;
}

static int take_u64(const char **at, const char *end, uint64_t *v)
{
    unsigned char bytes[8];
    if (take_bytes(at, end, bytes, sizeof bytes) != 0)
        return -1;
    *v = 0;
    for (unsigned i = 0; i < 8; i++)
        *v |= (uint64_t)bytes[i] << (8 * i);
    return 0;
}

/* A number no greater than max. */
static int take_number(const char **at, const char *end, unsigned long long max, unsigned long long *v)
{
    return unpack_varint(at, end, v) == 0 && *v <= max ? 0 : -1;
}

/* ---- intent ---- */

/* A text that stands in the values is written as its place there, and `flag` says so. */
static int add_text(struct buf *out, struct str text, struct str values, unsigned flag, unsigned *flags)
{
    const char *found = str_find(values, text);
    if (found == NULL)
        return buf_add_str(out, text);
    size_t at = (size_t)(found - values.p);
    *flags |= flag;
    return buf_add_varint(out, varint_n(at) + varint_n(text.n)) != 0 || buf_add_varint(out, at) != 0
               ? -1
               : buf_add_varint(out, text.n);
}

int entry_pack_intent(const struct entry *entry, struct buf *out)
{
    size_t start;
    bool by_values = entry->cells.n == 0 && entry->cells_by_values.n > 0;
    unsigned flags = (by_values ? INTENT_CELLS_BY_VALUES : 0) | (entry->retried ? INTENT_RETRIED : 0) |
                     (entry->has_lead_id ? INTENT_LEAD_ID : 0) | (entry->staged ? INTENT_STAGED : 0) |
                     (entry->by_user ? INTENT_BY_USER : 0) | (entry->by_address ? INTENT_BY_ADDRESS : 0) |
                     (entry->hashes.n > 0 ? INTENT_HASHES : 0);
    int result = frame_open(out, &start) == 0 && buf_add(out, entry->key.b, sizeof entry->key.b) == 0 &&
                         add_u64(out, entry->fingerprint) == 0 && buf_add_varint(out, entry->row) == 0 &&
                         buf_add_varint(out, entry->line) == 0 &&
                         add_text(out, entry->key_text, entry->values, INTENT_KEY_IN_VALUES, &flags) == 0 &&
                         add_text(out, entry->email, entry->values, INTENT_EMAIL_IN_VALUES, &flags) == 0 &&
                         buf_add_str(out, entry->values) == 0 &&
                         buf_add_str(out, by_values ? entry->cells_by_values : entry->cells) == 0 &&
                         buf_add_varint(out, flags) == 0 && buf_add_varint(out, entry->attempts) == 0 &&
                         (!entry->has_lead_id || buf_add(out, entry->lead_id.b, sizeof entry->lead_id.b) == 0) &&
                         (entry->hashes.n == 0 || buf_add_str(out, entry->hashes) == 0)
                     ? 0
                     : -1;
    return frame_close(out, start, result);
}

/* The text whose place in the values was read. */
static int take_text(struct str values, struct str *text)
{
    const char *at = text->p, *end = at + text->n;
    unsigned long long from, n;
    if (unpack_varint(&at, end, &from) != 0 || unpack_varint(&at, end, &n) != 0 || at != end || n > values.n ||
        from > values.n - n)
        return -1;
    *text = (struct str){values.p + from, (size_t)n};
    return 0;
}

int entry_unpack_intent(const char **p, const char *end, struct entry *out)
{
    const char *at = *p, *frame_end;
    unsigned long long row, line, flags, attempts;
    struct entry entry = {0};
    if (frame_enter(&at, end, &frame_end) != 0 || take_bytes(&at, frame_end, entry.key.b, sizeof entry.key.b) != 0 ||
        take_u64(&at, frame_end, &entry.fingerprint) != 0 || unpack_varint(&at, frame_end, &row) != 0 ||
        unpack_varint(&at, frame_end, &line) != 0 || unpack_str(&at, frame_end, &entry.key_text) != 0 ||
        unpack_str(&at, frame_end, &entry.email) != 0 || unpack_str(&at, frame_end, &entry.values) != 0 ||
        unpack_str(&at, frame_end, &entry.cells) != 0 || unpack_varint(&at, frame_end, &flags) != 0 ||
        take_number(&at, frame_end, UINT32_MAX, &attempts) != 0 ||
        ((flags & INTENT_LEAD_ID) != 0 && take_bytes(&at, frame_end, entry.lead_id.b, sizeof entry.lead_id.b) != 0) ||
        ((flags & INTENT_HASHES) != 0 && unpack_str(&at, frame_end, &entry.hashes) != 0))
        return -1;
    /* Unknown flags are a later version's and do not concern this one. */
    if (((flags & INTENT_KEY_IN_VALUES) != 0 && take_text(entry.values, &entry.key_text) != 0) ||
        ((flags & INTENT_EMAIL_IN_VALUES) != 0 && take_text(entry.values, &entry.email) != 0))
        return -1;
    if ((flags & INTENT_CELLS_BY_VALUES) != 0) {
        entry.cells_by_values = entry.cells;
        entry.cells = STR_NONE;
    }
    entry.row = row;
    entry.line = line;
    entry.retried = (flags & INTENT_RETRIED) != 0;
    entry.attempts = (unsigned)attempts;
    entry.has_lead_id = (flags & INTENT_LEAD_ID) != 0;
    entry.staged = (flags & INTENT_STAGED) != 0;
    entry.by_user = (flags & INTENT_BY_USER) != 0;
    entry.by_address = (flags & INTENT_BY_ADDRESS) != 0;
    *out = entry;
    *p = frame_end;
    return 0;
}

int entry_cells(const struct entry *entry, struct buf *scratch, struct str *out)
{
    *out = entry->cells;
    if (entry->cells.n > 0 || entry->cells_by_values.n == 0)
        return 0;
    buf_reset(scratch);
    if (cells_expand(entry->cells_by_values, entry->values, scratch) != 0)
        return -1;
    *out = buf_str(scratch);
    return 0;
}

/* ---- outcome ---- */

int entry_pack_outcome(const struct entry *entry, struct buf *out)
{
    /* A lead id is there or not: most rows have none to tell, and 16 zeros each would be most of the record. */
    size_t start;
    int http_status = entry->http_status > 0 ? entry->http_status : 0;
    unsigned flags = (entry->has_lead_id ? OUTCOME_LEAD_ID : 0) | (entry->unproved ? OUTCOME_UNPROVED : 0);
    int result = frame_open(out, &start) == 0 && buf_add_varint(out, entry->outcome) == 0 &&
                         buf_add_varint(out, entry->reason) == 0 && buf_add_varint(out, (unsigned)http_status) == 0 &&
                         buf_add_varint(out, flags) == 0 &&
                         (!entry->has_lead_id || buf_add(out, entry->lead_id.b, sizeof entry->lead_id.b) == 0) &&
                         buf_add_str(out, entry->detail) == 0 &&
                         (entry->changes.n == 0 || buf_add_str(out, entry->changes) == 0)
                     ? 0
                     : -1;
    return frame_close(out, start, result);
}

int entry_unpack_outcome(const char **p, const char *end, struct entry *out)
{
    const char *at = *p, *frame_end;
    unsigned long long outcome, reason, http_status, flags;
    struct uuid lead_id = {{0}};
    struct str detail, changes = STR_NONE;
    if (frame_enter(&at, end, &frame_end) != 0 || take_number(&at, frame_end, OUTCOME_N - 1, &outcome) != 0 ||
        take_number(&at, frame_end, REASON_N - 1, &reason) != 0 ||
        take_number(&at, frame_end, INT32_MAX, &http_status) != 0 || unpack_varint(&at, frame_end, &flags) != 0)
        return -1;
    bool has_lead_id = (flags & OUTCOME_LEAD_ID) != 0;
    if ((has_lead_id && take_bytes(&at, frame_end, lead_id.b, sizeof lead_id.b) != 0) ||
        unpack_str(&at, frame_end, &detail) != 0 || (at < frame_end && unpack_str(&at, frame_end, &changes) != 0))
        return -1;
    /* The intent was unpacked into the same entry before: only the outcome is touched. */
    out->outcome = (enum outcome)outcome;
    out->reason = (enum reason)reason;
    out->http_status = (int)http_status;
    out->unproved = (flags & OUTCOME_UNPROVED) != 0;
    out->has_lead_id = has_lead_id;
    out->lead_id = lead_id;
    out->detail = detail;
    out->changes = changes;
    *p = frame_end;
    return 0;
}
