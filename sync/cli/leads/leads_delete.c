/* `leads delete`: leads by name, by selection, or what a run created. */
#include "config.h"

#include "sync/cli/leads/by_hand.h"
#include "sync/cli/leads/leads.h"
#include "sync/cli/args/select_arg.h"

#include <inttypes.h>

#include "sync/base/text.h"

struct delete_options {
    int64_t run;
    bool all;
};

/* clang-format off */
static const struct opt options[] = {
    {.name = "run", .kind = OPT_INT, .dest = OPT_AT(delete_options, run), .arg = "ID", .min = 1, .max = INT64_MAX,
     .help = "the leads that this run created, except those in a conversation"},
    {.name = "all", .kind = OPT_FLAG, .dest = OPT_AT(delete_options, all), .help = "all leads of --campaign or --list"},
    {.name = NULL},
};
/* clang-format on */

static int leads_delete_check(struct by_hand_call *call, struct err *e)
{
    const struct delete_options *o = call->inv->options;
    return o->run == 0 ? by_hand_check_selected(call, o->all, e) : by_hand_check_run(call, o->all, e);
}

static int leads_delete_find(struct by_hand_call *call, struct err *e)
{
    const struct delete_options *o = call->inv->options;
    return o->run > 0 ? lead_edit_find_run(&call->edit, (uint64_t)o->run, EDIT_RUN_CREATED, e)
                      : by_hand_find_selected(call, o->all, e);
}

/* A run may have been of another workspace than the reader has in mind. */
static int in_workspace(const struct lead_edit *edit, struct buf *text)
{
    if (edit->workspace == NULL)
        return buf_adds(text, " in a workspace whose name the key may not read");
    return buf_adds(text, " in workspace ") | text_show(str_from(edit->workspace), 0, text);
}

static int leads_delete_describe(struct by_hand_call *call, struct buf *text)
{
    struct lead_edit *edit = &call->edit;
    const struct delete_options *o = call->inv->options;
    size_t n = by_hand_open_n(edit), kept = 0;
    int bad = buf_addf(text, "delete %zu lead%s", n, n == 1 ? "" : "s");
    for (size_t i = 0; i < edit->leads_n; i++)
        kept += edit->leads[i].outcome == OUTCOME_SKIPPED && !edit->leads[i].missing;
    bad |= by_hand_places_text(call, " of ", text);
    if (o->run > 0)
        bad |= in_workspace(edit, text) | buf_addf(text, ", which run %" PRId64 " created", o->run);
    if (kept > 0)
        bad |= buf_addf(text, "; %zu stay%s, because there is a conversation with them", kept, kept == 1 ? "s" : "");
    return bad | by_hand_missing_text(edit, text);
}

static int leads_delete_write(struct by_hand_call *call, struct err *e)
{
    return lead_edit_delete(&call->edit, e);
}

static int leads_delete_command(struct invocation *inv, struct err *e)
{
    const struct delete_options *o = inv->options;
    const struct by_hand_verb verb = {.asks = true,
                                      .check = leads_delete_check,
                                      .find = leads_delete_find,
                                      .describe = leads_delete_describe,
                                      .write = leads_delete_write,
                                      .of_run = o->run > 0};
    return by_hand_run(inv, &verb, e);
}

const struct command leads_delete = {
    .name = "leads delete",
    .usage = "[LEAD...] [SYNC]",
    .summary = "delete leads, or undo the creates of a run",
    .help = "Deletes the leads that are named or selected, by id, 100 per request. The sync\n"
            "that created a lead skips its row from then on (skipped: deleted_there), unless\n"
            "it runs with --recreate. --run deletes the leads that a run created and that\n"
            "have not been contacted since; the next sync that reads their rows creates them\n"
            "again. Deleting a lead also deletes its history.",
    .examples = "leadsync leads delete ann@example.com --campaign \"Q4 founders\"\n"
                "leadsync leads delete --run 1 people.csv --dry-run",
    .groups = BY_HAND_ASKS | GROUP_PLACE | GROUP_SELECT,
    .formats = by_hand_formats,
    .options = options,
    .options_bytes = sizeof(struct delete_options),
    .operands_max = BY_HAND_OPERANDS,
    .run = leads_delete_command,
};
