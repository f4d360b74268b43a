/* `move`: leads from one campaign or list into another, by hand. */
#include "config.h"

#include "sync/cli/leads/by_hand.h"
#include "sync/cli/commands.h"
#include "sync/cli/args/select_arg.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct move_options {
    const char *to_campaign, *to_list, *assign;
    int64_t run;
    bool all, copy, allow_duplicates, check_campaigns, reset_interest, skip_in_verification, ignore_clauses, no_wait, force;
    int64_t job_wait_ms;
};

#define AT(member) OPT_AT(move_options, member)
/* clang-format off */
static const struct opt options[] = {
    {.name = "to-campaign", .kind = OPT_TEXT, .dest = AT(to_campaign), .arg = "NAME|UUID",
     .help = "move the leads into this campaign"},
    {.name = "to-list", .kind = OPT_TEXT, .dest = AT(to_list), .arg = "NAME|UUID",
     .help = "move the leads into this list"},
    {.name = "run", .kind = OPT_INT, .dest = AT(run), .arg = "ID", .min = 1, .max = INT64_MAX,
     .help = "move the leads that this run created or changed, wherever they are now"},
    {.name = "all", .kind = OPT_FLAG, .dest = AT(all), .help = "all leads of --campaign or --list"},
    {.name = "copy", .kind = OPT_FLAG, .dest = AT(copy),
     .help = "keep the leads and create copies, which count against the plan"},
    {.name = "allow-duplicates", .kind = OPT_FLAG, .dest = AT(allow_duplicates),
     .help = "also move leads whose address the destination already has"},
    {.name = "check-campaigns", .kind = OPT_FLAG, .dest = AT(check_campaigns),
     .help = "leave out leads whose address is in any other campaign"},
    {.name = "reset-interest", .kind = OPT_FLAG, .dest = AT(reset_interest),
     .help = "reset the leads' interest status"},
    {.name = "assign-to", .kind = OPT_TEXT, .dest = AT(assign), .arg = "UUID",
     .help = "assign the leads to this user"},
    {.name = "skip-in-verification", .kind = OPT_FLAG, .dest = AT(skip_in_verification),
     .help = "leave out leads whose address is being verified"},
    {.name = "ignore-clauses", .kind = OPT_FLAG, .dest = AT(ignore_clauses),
     .help = "ignore the saved lead-finder clauses of the source"},
    {.name = "force", .kind = OPT_FLAG, .dest = AT(force),
     .help = "also move people who unsubscribed, bounced, were skipped or forgotten"},
    {.name = "no-wait", .kind = OPT_FLAG, .dest = AT(no_wait),
     .help = "start the job and leave it to leadsync jobs wait"},
    {.name = "job-wait", .kind = OPT_DURATION, .dest = AT(job_wait_ms), .arg = "TIME",
     .help = "how long to wait for a job, or for another job that blocks it (10m)"},
    {.name = NULL},
};
/* clang-format on */

/* A source must be named: a selection alone would be taken from anywhere. A run knows its leads. */
static int move_check(struct by_hand_call *call, struct err *e)
{
    const struct move_options *o = call->inv->options;
    const struct common *c = &call->inv->common;
    struct leads_move_options *how = &call->move;
    if (o->run == 0 && c->campaign == NULL && c->list == NULL)
        return err_set(
            e, XS_USAGE,
            "missing source: name the campaign or list where the leads are, with --campaign NAME or --list NAME, or take the leads "
            "of a run with --run ID");
    if ((o->to_campaign == NULL) == (o->to_list == NULL))
        return err_set(e, XS_USAGE, "missing destination; give either --to-campaign NAME or --to-list NAME");
    if (o->run == 0 && call->operands_n == 0 && !select_arg_given(c) && !o->all)
        return err_set(e, XS_USAGE, "no leads selected; name or select some, or give --all for the whole %s",
                       c->campaign != NULL ? "campaign" : "list");
    *how = (struct leads_move_options){
        .copy = o->copy,
        .allow_duplicates = o->allow_duplicates,
        .check_campaigns = o->check_campaigns,
        .reset_interest = o->reset_interest,
        .skip_in_verification = o->skip_in_verification,
        .ignore_clauses = o->ignore_clauses,
        .assign = o->assign != NULL,
    };
    if (o->assign != NULL && uuid_parse(str_from(o->assign), &how->assigned_to) != 0)
        return err_set(e, XS_USAGE, "--assign-to \"%s\" is not a UUID", o->assign);
    call->no_wait = o->no_wait;
    call->job_wait_ms = o->job_wait_ms;
    call->force = o->force;
    return o->run > 0 ? by_hand_check_run(call, o->all, e) : by_hand_check_selected(call, o->all, e);
}

static int find_destination(struct by_hand_call *call, struct target *to, struct err *e)
{
    const struct move_options *o = call->inv->options;
    struct target_spec spec = {o->to_campaign != NULL ? TARGET_CAMPAIGN : TARGET_LIST,
                               strdup(o->to_campaign != NULL ? o->to_campaign : o->to_list)};
    int rc = spec.text == NULL ? err_oom(e) : api_target_find(call->edit.api, &spec, true, &call->edit.arena, to, e);
    free(spec.text);
    if (rc == 0)
        target_names_add(&call->edit.places, to);
    return rc;
}

/* Those that are in the destination already have nothing to do, and those that are nowhere cannot be moved from there. */
static int find_of_run(struct by_hand_call *call, uint64_t run, struct err *e)
{
    if (lead_edit_find_run(&call->edit, run, EDIT_RUN_WRITTEN, e) != 0)
        return -1;
    for (size_t i = 0; i < call->edit.leads_n; i++) {
        struct edited_lead *lead = &call->edit.leads[i];
        if (lead->outcome != OUTCOME_NONE || (lead->has_place && !target_eq(&lead->place, &call->destination)))
            continue;
        lead->outcome = lead->has_place ? OUTCOME_UNCHANGED : OUTCOME_FAILED;
        lead->reason = lead->has_place ? REASON_NONE : REASON_MOVE_NOT_DONE;
        if (!lead->has_place)
            lead->detail = STR("it is in no campaign and no list");
    }
    return 0;
}

static int move_find(struct by_hand_call *call, struct err *e)
{
    const struct move_options *o = call->inv->options;
    if (find_destination(call, &call->destination, e) != 0)
        return -1;
    if ((o->run > 0 ? find_of_run(call, (uint64_t)o->run, e) : by_hand_find_selected(call, o->all, e)) != 0)
        return -1;
    if (o->run == 0 && target_eq(&call->place, &call->destination))
        return err_set(e, XS_USAGE, "source and destination are the same; give another destination");
    return lead_edit_keep_back(&call->edit, &call->destination, e);
}

static int move_describe(struct by_hand_call *call, struct buf *text)
{
    const struct move_options *o = call->inv->options;
    size_t n = by_hand_open_n(&call->edit);
    size_t kept = lead_edit_kept_n(&call->edit) + lead_edit_count(&call->edit, OUTCOME_REJECTED);
    int bad = buf_addf(text, "%s %zu lead%s", o->copy ? "copy" : "move", n, n == 1 ? "" : "s");
    bad |= by_hand_places_text(call, " from ", text) | buf_adds(text, " to ");
    bad |= by_hand_place_text(&call->edit, &call->destination, text);
    if (o->run > 0)
        bad |= buf_addf(text, ", which run %" PRId64 " created or changed", o->run) |
               by_hand_missing_text(&call->edit, text);
    if (kept > 0)
        bad |= buf_addf(text, "; %zu stay, because they bounced, unsubscribed, were skipped or have no address", kept);
    return bad;
}

static int move_write(struct by_hand_call *call, struct err *e)
{
    const struct move_options *o = call->inv->options;
    return lead_edit_move(&call->edit, o->run > 0 ? NULL : &call->place, &call->destination, e);
}

static int move_command(struct invocation *inv, struct err *e)
{
    const struct move_options *o = inv->options;
    const struct by_hand_verb verb = {.asks = true,
                                      .check = move_check,
                                      .find = move_find,
                                      .describe = move_describe,
                                      .write = move_write,
                                      .of_run = o->run > 0};
    return by_hand_run(inv, &verb, e);
}

const struct command command_move = {
    .name = "move",
    .usage = "[LEAD...] [SYNC]",
    .summary = "move leads between campaigns and lists by hand",
    .help = "Moves leads into --to-campaign or --to-list. With --campaign or --list, which\n"
            "says where they are now, name the leads, select them, or give --all. With --run,\n"
            "moves the leads that this run created or changed. Shows how many there are and\n"
            "asks, then moves them by id, 1000 per background job. Waits for the jobs and\n"
            "verifies each lead, because a job can succeed and still move nothing. Leads that\n"
            "bounced, unsubscribed or were skipped, in Instantly or in the state, are not\n"
            "moved into a campaign without --force, because a move makes them active again.",
    .examples = "leadsync move ann@example.com --campaign \"Q4 founders\" --to-list Later\n"
                "leadsync move --list Incoming --all --to-campaign \"Q4 founders\" --dry-run\n"
                "leadsync move --run 1 people.csv --to-campaign \"Q3 founders\"",
    .groups = BY_HAND_ASKS | GROUP_PLACE | GROUP_SELECT,
    .formats = by_hand_formats,
    .options = options,
    .options_bytes = sizeof(struct move_options),
    .operands_max = BY_HAND_OPERANDS,
    .run = move_command,
};
