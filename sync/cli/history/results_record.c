#include "config.h"

#include "sync/cli/history/results_record.h"

#include "sync/base/text.h"
#include "sync/model/change.h"

#include <errno.h>

enum { NAME_BYTES = 1 << 16, CHANGES_BYTES = 1 << 20, CELLS_CHARS = 30 };

/* clang-format off */
/* Text names the run in its first line. */
static const struct record_column columns[RESULTS_COLUMN_N] = {
    [RESULTS_RUN] = {RECORD_NAME("run"), .kind = RECORD_NUMBER, .left_out = RECORD_NOT_TEXT},
    RESULTS_COLUMNS
};
/* clang-format on */

/* clang-format off */
const struct record_layout results_record_layout = {
    .columns = columns, .columns_n = RESULTS_COLUMN_N, .none = "", .hide_empty = true, .records_below = TABLE_READABLE, .guard = true};
/* clang-format on */

/* A row without an address is found again by its first filled cells. */
static int fill_cells(struct record_writer *w, struct str cells)
{
    struct buf shown = BUF_INIT(NAME_BYTES);
    int any = cells_show_name("", cells, CELLS_CHARS, &shown);
    if (any > 0)
        record_copy(w, RESULTS_KEY, buf_str(&shown));
    buf_free(&shown);
    return any < 0 ? -1 : 0;
}

static int fill_target(struct record_writer *w, const struct target *target)
{
    struct buf shown = BUF_INIT(NAME_BYTES);
    int bad = 0;
    if (w->format != RECORD_TEXT) {
        record_target(w, RESULTS_TARGET, target);
        return 0;
    }
    bad = target_show(target, &shown);
    record_copy(w, RESULTS_TARGET, buf_str(&shown));
    buf_free(&shown);
    return bad;
}

/* -1 with EINVAL: malformed. */
static int changes_json(struct str changes, struct buf *out)
{
    struct jsonw json;
    jsonw_init_output(&json, out);
    if (change_json(changes, &json) == 0)
        return jsonw_end(&json);
    errno = EINVAL;
    return -1;
}

static int fill_changes(struct record_writer *w, struct str changes, bool created, struct err *e)
{
    struct buf shown = BUF_INIT(CHANGES_BYTES);
    if (changes.n == 0)
        return 0;
    if (w->format == RECORD_HTML) {
        record_copy(w, RESULTS_CHANGES, changes);
        return 0;
    }
    int bad = record_is_json(w) ? changes_json(changes, &shown)
              : created         ? change_show_created(changes, &shown)
                                : change_show(changes, &shown);
    if (bad != 0 && errno == EINVAL)
        err_set(e, XS_STATE, "the state holds damaged changes of a row; restore it from a backup");
    else if (bad != 0)
        err_oom(e);
    record_copy(w, RESULTS_CHANGES, buf_str(&shown));
    buf_free(&shown);
    return bad;
}

/* Where the lead of a move was; of a removal, after why it goes. */
static int results_record_from(struct state *state, const struct entry *entry, struct arena *arena, struct str *out,
                               struct err *e)
{
    struct target from;
    bool moved = entry->outcome == OUTCOME_CHANGED || entry->outcome == OUTCOME_REMOVED;
    if (!moved || entry->from == 0 || (entry->detail.n > 0 && entry->outcome != OUTCOME_REMOVED))
        return 0;
    int found = state_target_get(state, entry->from, arena, &from, e);
    if (found <= 0)
        return found;
    struct buf shown = BUF_INIT(NAME_BYTES);
    int bad = entry->detail.n > 0 ? buf_addf(&shown, "%.*s; ", STR_ARG(entry->detail)) : 0;
    bad |= buf_adds(&shown, "from ") | target_show(&from, &shown);
    if (bad == 0)
        bad = arena_str(arena, buf_str(&shown), out);
    buf_free(&shown);
    return bad == 0 ? 0 : err_oom(e);
}

int results_record_fill(struct record_writer *w, struct state *state, uint64_t run, const struct results_row *row,
                        struct arena *arena, struct err *e)
{
    const struct entry *entry = row->entry;
    struct target target;
    record_ordinal(w, RESULTS_RUN, run);
    record_ordinal(w, RESULTS_ROW, entry->row);
    record_ordinal(w, RESULTS_LINE, entry->line);
    record_str(w, RESULTS_KEY, entry->key_text);
    if (entry->key_text.n == 0 && entry->cells.n > 0 && w->format == RECORD_TEXT && fill_cells(w, entry->cells) != 0)
        return err_oom(e);
    record_text(w, RESULTS_OUTCOME, outcome_text(entry->outcome));
    record_colour(w, RESULTS_OUTCOME, record_outcome_colour(entry->outcome));
    record_text(w, RESULTS_REASON, reason_text(entry->reason));
    record_uuid(w, RESULTS_LEAD_ID, entry->has_lead_id ? &entry->lead_id : NULL);
    int found = row->target == 0 ? 0 : state_target_get(state, row->target, arena, &target, e);
    if (found < 0)
        return -1;
    if (found > 0 && fill_target(w, &target) != 0)
        return err_oom(e);
    record_text(w, RESULTS_TARGET_NAME, found > 0 ? target.name : NULL);
    record_ordinal(w, RESULTS_HTTP_STATUS, (uint64_t)entry->http_status);
    record_text(w, RESULTS_OP, row->op != OP_NONE ? op_text(row->op) : NULL);
    struct str detail = entry->detail;
    if (results_record_from(state, entry, arena, &detail, e) < 0)
        return -1;
    /* Only `leads delete` removes a lead for this reason, or one that belongs to no row; a sync skips the row of such a lead. */
    if (detail.n == 0 && row->op == OP_REMOVE && entry->outcome == OUTCOME_REMOVED &&
        (entry->reason == REASON_DELETED_THERE || hash128_is_zero(&entry->key)))
        detail = STR("deleted by leads delete");
    if (detail.n == 0 && entry->key_text.n > 0 && row->op == OP_NONE && entry->outcome == OUTCOME_SKIPPED &&
        entry->reason == REASON_DELETED_THERE)
        detail = str_from(REASON_DELETED_THERE_DETAIL);
    record_str(w, RESULTS_DETAIL, detail);
    return fill_changes(w, entry->changes, row->written, e);
}
