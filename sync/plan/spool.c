/* A queue of packed records with length prefixes, in a buffer that overflows into a file. */
#include "config.h"

#include "sync/plan/spool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "sync/base/file.h"

enum { SPOOL_CHUNK = 1 << 20, SPOOL_RECORD_MAX = 64 << 20 };
enum { SPOOL_CREATED = 1, SPOOL_DELETE_IF_THERE = 2, SPOOL_WAITS = 4, SPOOL_TAKES_PLACE = 8 };

struct spool {
    struct buf chunk;  /* being written, or being read */
    struct buf record; /* scratch for packing, and for the cells of the record last read */
    size_t memory_max;
    int fd; /* -1 while everything fits into memory */
    off_t file_size, file_at;
    size_t chunk_at; /* reading: bytes of the chunk that are taken */
    bool reading;
    uint64_t n;
    unsigned ops; /* a bit per operation that was put */
};

int spool_new(size_t memory_max, struct spool **out, struct err *e)
{
    struct spool *s = calloc(1, sizeof *s);
    if (s == NULL)
        return err_oom(e);
    s->memory_max = memory_max > SPOOL_CHUNK ? memory_max : SPOOL_CHUNK;
    buf_init(&s->chunk, s->memory_max + SPOOL_RECORD_MAX);
    buf_init(&s->record, SPOOL_RECORD_MAX);
    s->fd = -1;
    *out = s;
    return 0;
}

void spool_free(struct spool *s)
{
    if (s == NULL)
        return;
    if (s->fd >= 0)
        close(s->fd);
    buf_free(&s->chunk);
    buf_free(&s->record);
    free(s);
}

static int write_chunk(struct spool *s, struct err *e)
{
    if (s->fd < 0 && (s->fd = file_unlinked_tmp(e)) < 0)
        return -1;
    for (size_t at = 0; at < s->chunk.n;) {
        ssize_t n = pwrite(s->fd, s->chunk.p + at, s->chunk.n - at, s->file_size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_errno(e, XS_IO, errno, "cannot write the temporary file of held rows");
        at += (size_t)n;
        s->file_size += n;
    }
    buf_reset(&s->chunk);
    return 0;
}

static int pack(const struct planned *p, struct buf *out)
{
    const struct remembered *known = &p->remembered;
    int flags = (p->created ? SPOOL_CREATED : 0) | (p->delete_if_there ? SPOOL_DELETE_IF_THERE : 0) |
                (known->waits ? SPOOL_WAITS : 0) | (p->takes_place ? SPOOL_TAKES_PLACE : 0);
    if (buf_addc(out, (char)p->op) != 0 || buf_addc(out, (char)flags) != 0 || buf_addc(out, (char)known->kind) != 0 ||
        buf_addc(out, (char)known->reason) != 0 || (p->takes_place && buf_add(out, p->old_id.b, sizeof p->old_id.b) != 0) ||
        buf_add_varint(out, p->target) != 0 || buf_add_varint(out, p->from) != 0 || buf_add_varint(out, p->fields) != 0 ||
        buf_add_varint(out, known->first_row) != 0 || buf_add_str(out, p->custom_changed) != 0 ||
        entry_pack_intent(&p->entry, out) != 0)
        return -1;
    return entry_pack_outcome(&p->entry, out);
}

static int unpack(struct str record, struct buf *scratch, struct planned *out)
{
    const char *p = record.p, *end = record.p + record.n;
    unsigned long long target, from, fields, first_row;
    if (record.n < 4)
        return -1;
    const int flags = p[1];
    *out = (struct planned){.op = (enum op)p[0],
                            .created = (flags & SPOOL_CREATED) != 0,
                            .delete_if_there = (flags & SPOOL_DELETE_IF_THERE) != 0,
                            .remembered = {.kind = (enum remembered_kind)p[2],
                                           .reason = (enum reason)p[3],
                                           .waits = (flags & SPOOL_WAITS) != 0}};
    p += 4;
    if ((flags & SPOOL_TAKES_PLACE) != 0) {
        if ((size_t)(end - p) < sizeof out->old_id.b)
            return -1;
        out->takes_place = true;
        memcpy(out->old_id.b, p, sizeof out->old_id.b);
        p += sizeof out->old_id.b;
    }
    if (unpack_varint(&p, end, &target) != 0 || unpack_varint(&p, end, &from) != 0 || unpack_varint(&p, end, &fields) != 0 ||
        unpack_varint(&p, end, &first_row) != 0 || unpack_str(&p, end, &out->custom_changed) != 0)
        return -1;
    out->target = (uint32_t)target;
    out->from = (uint32_t)from;
    out->fields = (uint32_t)fields;
    out->remembered.first_row = first_row;
    if (entry_unpack_intent(&p, end, &out->entry) != 0 || entry_unpack_outcome(&p, end, &out->entry) != 0)
        return -1;
    /* The row may get other values later, so its cells are stored in full. */
    if (entry_cells(&out->entry, scratch, &out->entry.cells) != 0)
        return -1;
    out->entry.cells_by_values = STR_NONE;
    return 0;
}

int spool_put(struct spool *s, const struct planned *planned, struct err *e)
{
    buf_reset(&s->record);
    if (pack(planned, &s->record) != 0 || buf_add_str(&s->chunk, buf_str(&s->record)) != 0)
        return err_oom(e);
    s->n++;
    s->ops |= 1U << planned->op;
    return s->chunk.n >= s->memory_max ? write_chunk(s, e) : 0;
}

/* Keeps the incomplete record at the end of the chunk, and reads the next bytes after it. 1; 0 at the end; -1 */
static int read_chunk(struct spool *s, struct err *e)
{
    size_t rest = s->chunk.n - s->chunk_at;
    if (rest > 0)
        memmove(s->chunk.p, s->chunk.p + s->chunk_at, rest);
    s->chunk.n = rest;
    s->chunk_at = 0;
    if (s->file_at == s->file_size)
        return 0;
    size_t want = (size_t)(s->file_size - s->file_at);
    if (want > SPOOL_CHUNK)
        want = SPOOL_CHUNK;
    if (buf_reserve(&s->chunk, want) != 0)
        return err_oom(e);
    ssize_t n = pread(s->fd, s->chunk.p + s->chunk.n, want, s->file_at);
    if (n < 0 && errno == EINTR)
        return 1;
    if (n <= 0)
        return err_errno(e, XS_IO, n < 0 ? errno : EIO, "cannot read the temporary file of held rows");
    s->chunk.n += (size_t)n;
    s->file_at += n;
    return 1;
}

static int start_reading(struct spool *s, struct err *e)
{
    s->reading = true;
    s->chunk_at = 0;
    /* If nothing was written to the file, the records are read from memory; otherwise the file gets the rest, in order. */
    return s->fd >= 0 ? write_chunk(s, e) : 0;
}

int spool_get(struct spool *s, struct planned *out, struct err *e)
{
    if (!s->reading && start_reading(s, e) != 0)
        return -1;
    for (;;) {
        const char *p = s->chunk.p == NULL ? "" : s->chunk.p + s->chunk_at;
        const char *end = s->chunk.p == NULL ? p : s->chunk.p + s->chunk.n;
        struct str record;
        if (p < end && unpack_str(&p, end, &record) == 0) {
            s->chunk_at = (size_t)(p - s->chunk.p);
            s->n--;
            return unpack(record, &s->record, out) == 0
                       ? 1
                       : err_set(e, XS_INTERNAL, "a held row cannot be read back: please report");
        }
        int more = read_chunk(s, e);
        if (more < 0)
            return -1;
        if (more == 0)
            return s->chunk.n == 0 ? 0 : err_set(e, XS_INTERNAL, "a held row is cut: please report");
    }
}

uint64_t spool_n(const struct spool *s)
{
    return s->n;
}

bool spool_has(const struct spool *s, enum op op)
{
    return (s->ops >> op & 1) != 0;
}
