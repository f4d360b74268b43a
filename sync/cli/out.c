#include "config.h"

#include "sync/cli/out.h"

#include <errno.h>

int out_open(struct out *o, const struct invocation *inv, mode_t mode, struct err *e)
{
    buf_init(&o->text, OUT_BUFFER_BYTES);
    return output_open(&o->file, inv->common.output.path, mode, e);
}

int out_flush(struct out *o, bool all, struct err *e)
{
    if (o->text.n == 0 || (!all && o->text.n < OUT_FLUSH_BYTES))
        return 0;
    if (fwrite(o->text.p, 1, o->text.n, o->file.f) != o->text.n)
        return err_errno(e, XS_IO, errno, "%s", o->file.path != NULL ? o->file.path : "stdout");
    buf_reset(&o->text);
    return 0;
}

int out_commit(struct out *o, struct err *e)
{
    if (out_flush(o, true, e) != 0)
        return -1;
    return output_commit(&o->file, e);
}

void out_abandon(struct out *o)
{
    record_free(&o->records);
    output_abandon(&o->file);
    buf_free(&o->text);
}

struct record_writer out_table(const struct common *c, struct buf *out)
{
    return (struct record_writer){.format = RECORD_TEXT,
                                  .width = c->terminal.columns,
                                  .colours = c->terminal.colour_out,
                                  .out = out};
}

int out_records(struct out *o, const struct common *c, const struct record_layout *layout, struct err *e)
{
    static const enum record_format formats[] = {[FORMAT_TEXT] = RECORD_TEXT,
                                                 [FORMAT_JSON] = RECORD_JSON,
                                                 [FORMAT_NDJSON] = RECORD_NDJSON,
                                                 [FORMAT_CSV] = RECORD_CSV,
                                                 [FORMAT_HTML] = RECORD_HTML};
    o->records = out_table(c, &o->text);
    o->records.format = formats[c->output.format];
    return record_open(&o->records, layout) == 0 ? 0 : err_oom(e);
}

int out_record(struct out *o, struct err *e)
{
    return record_end(&o->records) == 0 ? out_flush(o, false, e) : err_oom(e);
}

int out_records_end(struct out *o, struct err *e)
{
    return record_finish(&o->records) == 0 ? 0 : err_oom(e);
}
