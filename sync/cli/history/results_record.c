/* One line of `results`, as the texts of its columns. */
#include "config.h"

#include "sync/cli/history/results_record.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "sync/base/text.h"
#include "sync/model/change.h"

enum { NAME_BYTES = 1 << 16, CELLS_CHARS = 30 };

const char *const results_columns[COLUMN_N] = {"run",    "row",         "line", "key",    "outcome", "reason", "lead_id",
                                               "target", "http_status", "op",   "detail", "changes"};

static struct str number(uint64_t v, char *text, size_t size)
{
    if (v == 0)
        return STR_NONE;
    snprintf(text, size, "%llu", (unsigned long long)v);
    return str_from(text);
}

/* People know it by its name, programs by its id. */
static int show_target(const struct target *target, struct arena *arena, struct str *out)
{
    struct buf shown = BUF_INIT(NAME_BYTES);
    int bad = target_show(target, &shown);
    if (bad == 0)
        bad = arena_str(arena, buf_str(&shown), out);
    buf_free(&shown);
    return bad;
}

/* By its first filled cells people find a row again that has no address. */
static int show_cells(struct str cells, struct arena *arena, struct str *out)
{
    struct buf shown = BUF_INIT(NAME_BYTES);
    int bad = buf_addc(&shown, '(') | cells_show(cells, CELLS_CHARS, &shown) | buf_addc(&shown, ')');
    if (bad == 0 && shown.n > 2)
        bad = arena_str(arena, buf_str(&shown), out);
    buf_free(&shown);
    return bad;
}

static int show_changes(struct str changes, struct arena *arena, struct str *out, struct err *e)
{
    struct buf shown = BUF_INIT(NAME_BYTES);
    int bad = change_show(changes, &shown);
    if (bad != 0 && errno == EINVAL)
        err_set(e, XS_STATE, "the state holds damaged changes of a row; restore it from a backup");
    else if (bad != 0 || arena_str(arena, buf_str(&shown), out) != 0)
        bad = err_oom(e);
    buf_free(&shown);
    return bad;
}

int results_record_make(struct state *state, uint64_t run, const struct results_row *row, enum format format, struct arena *arena,
                        struct results_record *out, struct err *e)
{
    const struct entry *entry = row->entry;
    struct target target;
    memset(out, 0, sizeof *out);
    out->outcome = entry->outcome;
    if (format != FORMAT_TEXT) /* which says it first */
        out->v[C_RUN] = number(run, out->run, sizeof out->run);
    out->v[C_ROW] = number(entry->row, out->row, sizeof out->row);
    out->v[C_LINE] = number(entry->line, out->line, sizeof out->line);
    out->v[C_KEY] = entry->key_text;
    if (entry->key_text.n == 0 && entry->cells.n > 0 && format == FORMAT_TEXT &&
        show_cells(entry->cells, arena, &out->v[C_KEY]) != 0)
        return err_oom(e);
    out->v[C_OUTCOME] = str_from(outcome_text(entry->outcome));
    out->v[C_REASON] = str_from(reason_text(entry->reason));
    if (entry->has_lead_id)
        out->v[C_LEAD_ID] = str_from(uuid_format(&entry->lead_id, out->lead_id));
    int found = row->target == 0 ? 0 : state_target_get(state, row->target, arena, &target, e);
    if (found < 0)
        return -1;
    if (found > 0 && format != FORMAT_TEXT)
        out->v[C_TARGET] = str_from(target_format(&target, out->target));
    else if (found > 0 && show_target(&target, arena, &out->v[C_TARGET]) != 0)
        return err_oom(e);
    if (entry->http_status > 0)
        out->v[C_HTTP_STATUS] = number((uint64_t)entry->http_status, out->http, sizeof out->http);
    if (row->op != OP_NONE)
        out->v[C_OP] = str_from(op_text(row->op));
    out->v[C_DETAIL] = entry->detail;
    out->changes = entry->changes;
    return show_changes(entry->changes, arena, &out->v[C_CHANGES], e);
}
