#include "config.h"

#include "connectors/spool.h"

#include "sync/base/file.h"
#include "sync/base/log.h"
#include "sync/base/stop.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    RECORD_MAX = 64 << 20,
    ROWS_PER_LOOK = 4096, /* rows between two looks at the stop flag */
};

struct spool {
    struct source base;
    struct source *inner;
    struct clock *clock;
    int64_t due_us;    /* when the rest is spooled */
    FILE *file;        /* NULL: rows pass through */
    struct buf record; /* the row being written or handed out */
    struct cell *cells;
    size_t cells_cap;
    uint8_t *flaws; /* of the row handed out; as many as cells_cap */
    bool failed;
};

/* What stands before a record's cells. */
struct record_head {
    uint64_t number, line, cells_bytes, cells_n, defect, flaws_n;
};

static void spool_close_source(struct source *self)
{
    struct spool *s = (struct spool *)self;

    source_close(s->inner);
    if (s->file != NULL)
        fclose(s->file);
    buf_free(&s->record);
    free(s->cells);
    free(s->flaws);
    free(s);
}

static int write_row(struct spool *s, const struct row *row, struct err *e)
{
    buf_reset(&s->record);
    if (cells_pack(row->cells, row->n, &s->record) != 0)
        return errno == EOVERFLOW ? err_set(e, XS_SOURCE, "%s: row %" PRIu64 " is larger than %d bytes", s->base.label,
                                            row->number, RECORD_MAX)
                                  : err_oom(e);
    const size_t flaws_n = row->flaws != NULL ? row->n : 0;
    const struct record_head head = {row->number, row->line, s->record.n, row->n, row->defect, flaws_n};
    if (fwrite(&head, sizeof head, 1, s->file) != 1 || fwrite(s->record.p, 1, s->record.n, s->file) != s->record.n ||
        (flaws_n > 0 && fwrite(row->flaws, 1, flaws_n, s->file) != flaws_n))
        return err_errno(e, XS_IO, errno, "%s: cannot be written to a temporary file (see TMPDIR)", s->base.label);
    return 0;
}

/* Reads all there is into the file, and lets go of the transaction. */
static int spool_fill(struct spool *s, struct err *e)
{
    struct row row;
    uint64_t rows = 0;
    int got;
    int fd = file_unlinked_tmp(e);

    if (fd < 0)
        return -1;
    s->file = fdopen(fd, "w+");
    if (s->file == NULL) {
        close(fd);
        return err_errno(e, XS_IO, errno, "cannot open a temporary file");
    }
    while ((got = source_next(s->inner, &row, e)) > 0) {
        if (++rows % ROWS_PER_LOOK == 0 && stop_requested() != 0)
            return err_set(e, (enum exit_status)(128 + stop_requested()), "%s: interrupted while reading", s->base.label);
        if (write_row(s, &row, e) != 0)
            return -1;
    }
    if (got < 0)
        return -1;
    if (fflush(s->file) != 0 || fseeko(s->file, 0, SEEK_SET) != 0)
        return err_errno(e, XS_IO, errno, "%s: cannot be written to a temporary file (see TMPDIR)", s->base.label);
    log_detail("%s: %" PRIu64 " row%s read ahead, so that the source need not wait for us", s->base.label, rows,
               rows == 1 ? " was" : "s were");
    return 0;
}

static int cannot_read_back(const struct spool *s, struct err *e)
{
    return err_set(e, XS_IO, "%s: a temporary file cannot be read back", s->base.label);
}

static int spool_read_cells(struct spool *s, size_t n, struct err *e)
{
    const char *p = s->record.p, *end = s->record.p + s->record.n;

    if (n > s->cells_cap) {
        struct cell *more = realloc(s->cells, n * sizeof *more);
        if (more == NULL)
            return err_oom(e);
        s->cells = more;
        uint8_t *flaws = realloc(s->flaws, n);
        if (flaws == NULL)
            return err_oom(e);
        s->flaws = flaws;
        s->cells_cap = n;
    }
    for (size_t i = 0; i < n; i++) {
        if (cells_next(&p, end, &s->cells[i]) != 1)
            return cannot_read_back(s, e);
    }
    return 1;
}

static int spool_read_row(struct spool *s, struct row *out, struct err *e)
{
    struct record_head head;

    if (fread(&head, sizeof head, 1, s->file) != 1)
        return feof(s->file) ? 0 : cannot_read_back(s, e);
    buf_reset(&s->record);
    if (buf_reserve(&s->record, head.cells_bytes + 1) != 0)
        return err_oom(e);
    s->record.n = head.cells_bytes;
    if (fread(s->record.p, 1, head.cells_bytes, s->file) != head.cells_bytes)
        return cannot_read_back(s, e);
    int got = spool_read_cells(s, head.cells_n, e);
    if (got > 0 && head.flaws_n > 0 && fread(s->flaws, 1, head.flaws_n, s->file) != head.flaws_n)
        return cannot_read_back(s, e);
    *out = (struct row){.number = head.number,
                        .line = head.line,
                        .cells = s->cells,
                        .n = head.cells_n,
                        .defect = (enum reason)head.defect,
                        .flaws = head.flaws_n > 0 ? s->flaws : NULL};
    return got;
}

static int spool_next_row(struct source *self, struct row *out, struct err *e)
{
    struct spool *s = (struct spool *)self;
    int got;

    if (s->failed)
        return err_set(e, XS_SOURCE, "%s: read again after an error", self->label);
    source_use(s->inner, self->used); /* what is not used is not spooled */
    if (s->file == NULL && s->clock->mono_us(s->clock) >= s->due_us && spool_fill(s, e) != 0)
        got = -1;
    else
        got = s->file != NULL ? spool_read_row(s, out, e) : source_next(s->inner, out, e);
    s->failed = got < 0;
    self->bytes_read = s->inner->bytes_read;
    self->mark = s->inner->mark;
    return got;
}

static const char *spool_watermark(struct source *self)
{
    struct source *inner = ((struct spool *)self)->inner;

    return inner->ops->watermark != NULL ? inner->ops->watermark(inner) : NULL;
}

static void spool_cancel(struct source *self)
{
    struct source *inner = ((struct spool *)self)->inner;

    if (inner->ops->cancel != NULL)
        inner->ops->cancel(inner);
}

static const struct source_ops spool_ops = {
    .name = "spool",
    .next = spool_next_row,
    .watermark = spool_watermark,
    .cancel = spool_cancel,
    .close = spool_close_source,
};

int spool_open(struct source *inner, struct clock *clock, int64_t after_us, struct source **out, struct err *e)
{
    struct spool *s = calloc(1, sizeof *s);

    *out = NULL;
    if (s == NULL) {
        source_close(inner);
        return err_oom(e);
    }
    s->base = *inner; /* columns, label and all: they live as long as inner does */
    s->base.ops = &spool_ops;
    s->inner = inner;
    s->clock = clock;
    s->due_us = clock->mono_us(clock) + after_us;
    buf_init(&s->record, RECORD_MAX);
    *out = &s->base;
    return 0;
}
