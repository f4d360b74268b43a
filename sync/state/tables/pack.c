/* A record is one or two bytes of flags and then only what the flags say is there. */
#include "config.h"

#include "sync/state/tables/pack.h"

#include <string.h>

enum {
    SAME = 0x01,      /* outcome, reason and HTTP status as before */
    NEXT_ROW = 0x02,  /* row = last row + 1 */
    NEXT_LINE = 0x04, /* line = last line + 1, or 0 as before */
    NEXT_LEAD = 0x08, /* lead = last lead + 1 */
    LEAD = 0x10,      /* a lead number follows */
    KEY = 0x20,       /* key and key text follow */
    LEAD_ID = 0x40,   /* the lead id follows */
    MORE = 0x80,      /* a second byte of flags follows */
};
enum { HTTP_MAX = 999 };
enum {
    DETAIL = 0x01,
    TARGET = 0x02, /* not the batch's */
    RETRIED = 0x04,
    CHANGES = 0x08,
};

static unsigned long long zigzag(uint64_t to, uint64_t from)
{
    int64_t d = (int64_t)(to - from);
    return ((unsigned long long)d << 1) ^ (unsigned long long)(d >> 63);
}

static uint64_t unzigzag(unsigned long long v, uint64_t from)
{
    return from + ((v >> 1) ^ (0 - (v & 1)));
}

uint64_t result_order(uint64_t row)
{
    return row == 0 ? (uint64_t)INT64_MAX : row;
}

void result_packer_init(struct result_packer *p, uint32_t target, struct buf *out)
{
    memset(p, 0, sizeof *p);
    p->out = out;
    p->target = target;
}

static unsigned flags_of(const struct result_packer *p, const struct result *r, unsigned *more)
{
    const struct entry *a = &p->last.entry, *b = &r->entry;
    unsigned flags = 0;
    if (a->outcome == b->outcome && a->reason == b->reason && a->http_status == b->http_status)
        flags |= SAME;
    if (b->row == a->row + 1)
        flags |= NEXT_ROW;
    if (a->line == 0 ? b->line == 0 : b->line == a->line + 1)
        flags |= NEXT_LINE;
    if (r->lead == 0)
        flags |= KEY;
    else
        flags |= r->lead == p->last.lead + 1 ? NEXT_LEAD : LEAD;
    if (b->has_lead_id)
        flags |= LEAD_ID;
    *more = (b->detail.n > 0 ? DETAIL : 0u) | (r->target != p->target ? TARGET : 0u) | (b->retried ? RETRIED : 0u) |
            (b->changes.n > 0 ? CHANGES : 0u);
    return *more != 0 ? flags | MORE : flags;
}

/* HTTP statuses have three digits; whatever else came is no status. */
static unsigned http_of(const struct entry *e)
{
    return e->http_status > 0 && e->http_status <= HTTP_MAX ? (unsigned)e->http_status : 0;
}

static int pack_fields(struct result_packer *p, const struct result *r, unsigned flags, unsigned more)
{
    struct buf *out = p->out;
    const struct entry *a = &p->last.entry, *b = &r->entry;
    if (buf_addc(out, (char)flags) < 0 || ((flags & MORE) && buf_addc(out, (char)more) < 0))
        return -1;
    if (!(flags & SAME) &&
        (buf_add_varint(out, b->outcome) < 0 || buf_add_varint(out, b->reason) < 0 || buf_add_varint(out, http_of(b)) < 0))
        return -1;
    if (!(flags & NEXT_ROW) && buf_add_varint(out, zigzag(b->row, a->row)) < 0)
        return -1;
    /* A line without a step of one is 0 (none) or a distance; a zero needs its own mark because 0 is not a distance. */
    if (!(flags & NEXT_LINE) && buf_add_varint(out, b->line == 0 ? 0 : zigzag(b->line, a->line) + 1) < 0)
        return -1;
    if ((flags & LEAD) && buf_add_varint(out, zigzag(r->lead, p->last.lead)) < 0)
        return -1;
    if ((flags & KEY) && (buf_add(out, b->key.b, sizeof b->key.b) < 0 || buf_add_str(out, b->key_text) < 0))
        return -1;
    if ((flags & LEAD_ID) && buf_add(out, b->lead_id.b, sizeof b->lead_id.b) < 0)
        return -1;
    if ((more & DETAIL) && buf_add_str(out, b->detail) < 0)
        return -1;
    if ((more & TARGET) && buf_add_varint(out, r->target) < 0)
        return -1;
    return (more & CHANGES) ? buf_add_str(out, b->changes) : 0;
}

int result_pack(struct result_packer *p, const struct result *r)
{
    unsigned more;
    unsigned flags = flags_of(p, r, &more);
    size_t before = p->out->n;
    if (pack_fields(p, r, flags, more) < 0) {
        p->out->n = before;
        return -1;
    }
    uint64_t lead = p->last.lead;
    p->last = *r;
    /* An entry without a lead does not break the row of numbers. */
    if (r->lead == 0)
        p->last.lead = lead;
    return 0;
}

void result_unpacker_init(struct result_unpacker *u, uint32_t target, struct str blob)
{
    memset(u, 0, sizeof *u);
    u->at = blob.p;
    u->end = blob.n > 0 ? blob.p + blob.n : blob.p;
    u->target = target;
}

static int take_byte(struct result_unpacker *u, unsigned *v)
{
    if (u->at == u->end)
        return -1;
    *v = (unsigned char)*u->at++;
    return 0;
}

static int take(struct result_unpacker *u, void *out, size_t n)
{
    if ((size_t)(u->end - u->at) < n)
        return -1;
    memcpy(out, u->at, n);
    u->at += n;
    return 0;
}

static int take_verdict(struct result_unpacker *u, struct entry *e)
{
    unsigned long long outcome, reason, http;
    if (unpack_varint(&u->at, u->end, &outcome) < 0 || unpack_varint(&u->at, u->end, &reason) < 0 ||
        unpack_varint(&u->at, u->end, &http) < 0 || outcome >= OUTCOME_N || reason >= REASON_N || http > HTTP_MAX)
        return -1;
    e->outcome = (enum outcome)outcome;
    e->reason = (enum reason)reason;
    e->http_status = (int)http;
    return 0;
}

static int take_place(struct result_unpacker *u, struct entry *e, unsigned flags)
{
    unsigned long long v;
    uint64_t line = e->line;
    if (flags & NEXT_ROW)
        e->row++;
    else if (unpack_varint(&u->at, u->end, &v) == 0)
        e->row = unzigzag(v, e->row);
    else
        return -1;
    if (flags & NEXT_LINE)
        e->line = line == 0 ? 0 : line + 1;
    else if (unpack_varint(&u->at, u->end, &v) == 0)
        e->line = v == 0 ? 0 : unzigzag(v - 1, line);
    else
        return -1;
    return 0;
}

static int take_lead(struct result_unpacker *u, struct result *r, unsigned flags)
{
    unsigned long long v;
    struct entry *e = &r->entry;
    e->key_text = STR_NONE;
    memset(&e->key, 0, sizeof e->key);
    if (flags & KEY) {
        r->lead = 0;
        if (take(u, e->key.b, sizeof e->key.b) < 0 || unpack_str(&u->at, u->end, &e->key_text) < 0)
            return -1;
    } else if (flags & NEXT_LEAD) {
        r->lead++;
    } else if ((flags & LEAD) && unpack_varint(&u->at, u->end, &v) == 0) {
        r->lead = unzigzag(v, r->lead);
    } else {
        return -1;
    }
    e->has_lead_id = (flags & LEAD_ID) != 0;
    memset(&e->lead_id, 0, sizeof e->lead_id);
    return e->has_lead_id ? take(u, e->lead_id.b, sizeof e->lead_id.b) : 0;
}

int result_unpack(struct result_unpacker *u, struct result *out)
{
    unsigned flags, more = 0;
    unsigned long long target = u->target;
    uint64_t lead = u->last.lead;
    struct result r = u->last;
    if (u->at == u->end)
        return 0;
    if (take_byte(u, &flags) < 0 || ((flags & MORE) && take_byte(u, &more) < 0))
        return -1;
    if (!(flags & SAME) && take_verdict(u, &r.entry) < 0)
        return -1;
    if (take_place(u, &r.entry, flags) < 0 || take_lead(u, &r, flags) < 0)
        return -1;
    r.entry.detail = r.entry.changes = STR_NONE;
    if ((more & DETAIL) && unpack_str(&u->at, u->end, &r.entry.detail) < 0)
        return -1;
    if ((more & TARGET) && (unpack_varint(&u->at, u->end, &target) < 0 || target > UINT32_MAX))
        return -1;
    if ((more & CHANGES) && unpack_str(&u->at, u->end, &r.entry.changes) < 0)
        return -1;
    r.target = (uint32_t)target;
    r.entry.retried = (more & RETRIED) != 0;
    u->last = r;
    if (r.lead == 0)
        u->last.lead = lead;
    *out = r;
    return 1;
}

int reject_pack(struct buf *out, size_t position, struct str cells)
{
    size_t before = out->n;
    if (buf_add_varint(out, position) == 0 && buf_add_str(out, cells) == 0)
        return 0;
    out->n = before;
    return -1;
}

int reject_unpack(const char **p, const char *end, size_t *position, struct str *cells)
{
    unsigned long long at;
    if (*p == end)
        return 0;
    if (unpack_varint(p, end, &at) < 0 || unpack_str(p, end, cells) < 0)
        return -1;
    *position = (size_t)at;
    return 1;
}
