/* Every batch that touched the lead, oldest first: the columns of `results`, with the request beside them. In text
 * the run has its time beside it. */
#include "config.h"

#include "sync/cli/explain/explain.h"

#include "sync/cli/history/results_record.h"

#include <inttypes.h>
#include <json.h>
#include <string.h>

enum { C_RUN_STARTED_AT = RESULTS_COLUMN_N, C_SENT_AT, C_BATCH, C_JOB, C_BY, C_COMMAND, COLUMN_N };
enum { WHEN_BYTES = 64, MINUTE = 16, KEY_CHARS = 1 << 16, ACTOR_BYTES = 1 << 16 };

/* clang-format off */
static const struct record_column columns[COLUMN_N] = {
    [RESULTS_RUN] = {RECORD_NAME("run"), .kind = RECORD_NUMBER},
    RESULTS_COLUMNS
    [C_RUN_STARTED_AT] = {RECORD_NAME("run_started_at"), .left_out = RECORD_NOT_TEXT},
    [C_SENT_AT] = {RECORD_NAME("sent_at"), .left_out = RECORD_NOT_TEXT},
    [C_BATCH] = {RECORD_NAME("batch"), .kind = RECORD_NUMBER, .align = TABLE_RIGHT, .yield = TABLE_YIELDS},
    [C_JOB] = {RECORD_NAME("job"), .yield = TABLE_YIELDS},
    [C_BY] = {RECORD_NAME("by")},
    [C_COMMAND] = {RECORD_NAME("command")},
};
const struct record_layout explain_history_layout = {
    .columns = columns, .columns_n = COLUMN_N, .none = "", .hide_empty = true, .records_below = TABLE_READABLE,
    .table_rows = SIZE_MAX};
/* clang-format on */

/* "12, 2026-11-30 22:41" */
static void fill_when(struct record_writer *w, uint64_t run, int64_t ms)
{
    struct buf text = BUF_INIT(WHEN_BYTES);
    char at[TIME_TEXT_N];
    time_format(ms, at);
    at[10] = ' ';
    at[MINUTE] = '\0';
    if (buf_addf(&text, "%" PRIu64 ", %s", run, ms != 0 ? at : "?") == 0)
        record_copy(w, RESULTS_RUN, buf_str(&text));
    buf_free(&text);
}

static struct str json_text(struct json_object *of, const char *name)
{
    struct json_object *text;
    return json_object_object_get_ex(of, name, &text) && json_object_is_type(text, json_type_string)
               ? (struct str){json_object_get_string(text), (size_t)json_object_get_string_len(text)}
               : STR_NONE;
}

/* Who began the run, as "user@host", and its command line without what may be a person's data. */
static void fill_actor(struct record_writer *w, const struct run_record *run)
{
    struct json_object *begun = run->begun != NULL ? json_tokener_parse(run->begun) : NULL, *actor = NULL;
    struct buf by = BUF_INIT(ACTOR_BYTES);
    if (json_object_object_get_ex(begun, "actor", &actor)) {
        const struct str user = json_text(actor, "user"), host = json_text(actor, "host");
        if (user.n > 0 && buf_addf(&by, "%.*s@%.*s", STR_ARG(user), STR_ARG(host)) == 0)
            record_copy(w, C_BY, buf_str(&by));
        record_copy(w, C_COMMAND, json_text(actor, "command"));
    }
    buf_free(&by);
    json_object_put(begun);
}

int explain_history_fill(struct record_writer *w, struct explain *x, const struct explained_state *s,
                         const struct traced_batch *touched, struct err *e)
{
    struct entry entry = touched->entry;
    struct run_record run;
    struct results_row row = {&entry, touched->batch.op, touched->target, .written = false};
    int found = state_run_get(s->state, touched->batch.run, &x->arena, &run, e);
    if (found < 0)
        return -1;
    if (touched->batch.op == OP_MOVE)
        entry.from = touched->batch.source;
    /* The whole page is about one lead: its key and id stand above. */
    if (w->format == RECORD_TEXT) {
        entry.key_text = entry.cells = STR_NONE;
        entry.has_lead_id = false;
    }
    if (results_record_fill(w, s->state, touched->batch.run, &row, &x->arena, e) != 0)
        return -1;
    int64_t started_ms = found == 1 ? run.started_ms : 0;
    if (w->format == RECORD_TEXT)
        fill_when(w, touched->batch.run, touched->batch.sent_ms != 0 ? touched->batch.sent_ms : started_ms);
    record_time(w, C_RUN_STARTED_AT, started_ms);
    record_time(w, C_SENT_AT, touched->batch.sent_ms);
    if (touched->batch.op != OP_NONE)
        record_ordinal(w, C_BATCH, touched->batch.id);
    record_text(w, C_JOB, touched->batch.job);
    if (found == 1)
        fill_actor(w, &run);
    return 0;
}
