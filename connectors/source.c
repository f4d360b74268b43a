#include "config.h"

#include "connectors/source.h"

#include "connectors/columns.h"

#include "connectors/drivers.h"
#include "connectors/spool.h"

#include <inttypes.h>
#include <stdlib.h>

/* As source_spec.h has them; anything else is auto. */
enum { SPOOL_NEVER = 0, SPOOL_ALWAYS = 1 };

/* In the order of enum source_kind. */
static const struct source_ops *const driver_table[SOURCE_KIND_N] = {
    [SOURCE_CSV] = &source_csv,
    [SOURCE_POSTGRES] = &source_postgres,
    [SOURCE_SQLITE] = &source_sqlite,
    [SOURCE_COMMAND] = &source_command,
};

/* What `read` means when it is NULL or leaves things out. */
static struct source_read read_or_default(const struct source_read *read)
{
    struct source_read full = {.watermark = NULL, .field_max = 0};

    if (read != NULL)
        full = *read;
    if (full.field_max == 0)
        full.field_max = SOURCE_FIELD_MAX;
    return full;
}

int source_open(const struct source_spec *spec, const struct source_read *read, struct clock *clock, struct source **out,
                struct err *e)
{
    const struct source_read full = read_or_default(read);

    *out = NULL;
    if ((unsigned)spec->kind >= SOURCE_KIND_N)
        return err_set(e, XS_INTERNAL, "source of unknown kind %u: please report", (unsigned)spec->kind);
    if (driver_table[spec->kind]->open(spec, &full, clock, out, e) != 0)
        return -1;
    bool has_snapshot = spec->kind == SOURCE_POSTGRES || spec->kind == SOURCE_SQLITE;
    if (!has_snapshot || spec->as.sql.spool == SPOOL_NEVER)
        return 0;
    return spool_open(*out, clock, spec->as.sql.spool == SPOOL_ALWAYS ? 0 : SPOOL_AUTO_AFTER_US, out, e);
}

void source_use(struct source *s, const bool *used)
{
    s->used = used;
}

/* Only what is used can reject a row; and a photo that nothing uses should not be carried along with its lead. */
static int leave_out_unused(struct source *s, struct row *row, struct err *e)
{
    bool flawed = false;

    if (s->kept == NULL)
        s->kept = calloc(s->columns_n + 1, sizeof *s->kept);
    if (s->kept == NULL)
        return err_oom(e);
    for (size_t i = 0; i < row->n && i < s->columns_n; i++) {
        bool left_out = row_flaw(row, i) != REASON_NONE && !s->used[i];
        flawed |= row_flaw(row, i) != REASON_NONE && s->used[i];
        s->kept[i] = left_out ? (struct cell){"", 0, true} : row->cells[i];
    }
    row->cells = s->kept;
    if (!flawed)
        row->flaws = NULL;
    return 0;
}

int source_next(struct source *s, struct row *out, struct err *e)
{
    int got = s->ops->next(s, out, e);
    /* A ragged row keeps its cells: which of them is whose is not known. */
    if (got > 0 && out->flaws != NULL && s->used != NULL && out->n == s->columns_n && leave_out_unused(s, out, e) != 0)
        return -1;
    if (got > 0)
        out->utf8 = out->defect == REASON_NONE && out->flaws == NULL;
    return got;
}

void source_close(struct source *s)
{
    if (s == NULL)
        return;
    free(s->kept);
    s->ops->close(s);
}

int source_where(const struct source *s, const struct row *row, struct buf *out)
{
    if (row->line != 0)
        return buf_addf(out, "%s:%" PRIu64, s->label, row->line);
    return buf_addf(out, "row %" PRIu64 " of %s", row->number, s->label);
}

int source_cells_pack(const struct source *s, const struct row *row, struct buf *out)
{
    static const struct cell empty = {.p = ""};
    int bad = 0;
    for (size_t i = 0; bad == 0 && i < row->n; i++) {
        struct str name = i < s->columns_n ? s->columns[i].name : STR_NONE;
        bool added = columns_is_ours(name) && !str_is(name, LEADSYNC_EXTRA);
        bad = cells_pack(added ? &empty : &row->cells[i], 1, out);
    }
    return bad;
}
