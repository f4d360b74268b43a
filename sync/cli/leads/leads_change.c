/* `leads interest`, `leads assign`, `leads subsequence`, `leads merge`: what is not a value of a lead, or not only. */
#include "config.h"

#include "sync/cli/leads/by_hand.h"
#include "sync/cli/leads/leads.h"
#include "sync/cli/args/select_arg.h"

#include <stdlib.h>
#include <string.h>

static int describe_leads(const struct by_hand_call *call, const char *what, struct buf *text)
{
    size_t n = by_hand_open_n(&call->edit);
    return buf_addf(text, "%s %zu lead%s", what, n, n == 1 ? "" : "s");
}

/* ---- interest ---- */

struct interest_options {
    const char *value;
    int64_t ai_value;
    bool disable_auto;
};

enum { AI_UNSET = INT32_MAX };
static const struct interest_options interest_defaults = {.ai_value = AI_UNSET};

/* clang-format off */
static const struct opt interest_table[] = {
    {.name = "value", .kind = OPT_TEXT, .dest = OPT_AT(interest_options, value), .arg = "INTEREST",
     .help = "lead (none), out-of-office, interested, meeting-booked, meeting-completed, won, not-interested, "
             "wrong-person, lost, no-show, or the number of a label"},
    {.name = "ai-value", .kind = OPT_INT, .dest = OPT_AT(interest_options, ai_value), .arg = "N", .min = -1000000,
     .max = 1000000, .help = "set the AI interest value of the leads"},
    {.name = "no-auto", .kind = OPT_FLAG, .dest = OPT_AT(interest_options, disable_auto),
     .help = "turn off automatic interest detection for these leads"},
    {.name = NULL},
};
/* clang-format on */

static const struct {
    const char *name;
    int value;
} interests[] = {
    {"out-of-office", 0},   {"interested", 1},    {"meeting-booked", 2}, {"meeting-completed", 3}, {"won", 4},
    {"not-interested", -1}, {"wrong-person", -2}, {"lost", -3},          {"no-show", -4},
};

/* A word, or the number of a label that the workspace made. 0/-1 */
static int interest_find(const char *text, struct leads_interest *out)
{
    char *end;
    out->clear = strcmp(text, "lead") == 0;
    if (out->clear)
        return 0;
    for (size_t i = 0; i < sizeof interests / sizeof interests[0]; i++) {
        if (strcmp(interests[i].name, text) == 0) {
            out->value = interests[i].value;
            return 0;
        }
    }
    long n = strtol(text, &end, 10);
    out->value = (int)n;
    return *text != '\0' && *end == '\0' && n >= -1000000 && n <= 1000000 ? 0 : -1;
}

static int make_interest(struct by_hand_call *call, struct leads_interest *out, struct err *e)
{
    const struct interest_options *o = call->inv->options;
    *out = (struct leads_interest){.in = call->has_place ? &call->place : NULL,
                                   .disable_auto = o->disable_auto,
                                   .has_ai_value = o->ai_value != AI_UNSET,
                                   .ai_value = (int)o->ai_value};
    if (o->value == NULL)
        return err_set(e, XS_USAGE, "missing interest; give --value interested, or another of leadsync help leads interest");
    if (interest_find(o->value, out) != 0)
        return err_set(e, XS_USAGE, "--value \"%s\" is not an interest; see leadsync help leads interest", o->value);
    return 0;
}

static int check_interest(struct by_hand_call *call, struct err *e)
{
    struct leads_interest ignored;
    if (by_hand_needs_leads(call, e) != 0 || make_interest(call, &ignored, e) != 0)
        return -1;
    return 0;
}

/* The request goes by address and changes every lead that has it there: all of them are meant, and shown. */
static int find_interest(struct by_hand_call *call, struct err *e)
{
    struct lead_edit *edit = &call->edit;
    if (select_arg_place(&call->inv->common, edit, &call->place, e) < 0)
        return -1;
    call->has_place = call->inv->common.campaign != NULL || call->inv->common.list != NULL;
    const struct target *in = call->has_place ? &call->place : NULL;
    for (size_t i = 0; i < call->operands_n; i++) {
        struct str word = str_from(call->operands[i]);
        size_t before = edit->leads_n;
        const struct lead_selector selector =
            {.filter = {.contacts = &word, .contacts_n = 1, .in = in, .in_campaign = -1, .in_list = -1}, .esp = -1};
        if (memchr(word.p, '@', word.n) != NULL && lead_edit_find(edit, &selector, e) != 0)
            return -1;
        /* A word that is an id, or an address without a lead: this reports what is missing. */
        if (edit->leads_n == before && lead_edit_find_one(edit, word, in, e) != 0)
            return -1;
    }
    return 0;
}

static int describe_interest(struct by_hand_call *call, struct buf *text)
{
    const struct interest_options *o = call->inv->options;
    return describe_leads(call, "set the interest of", text) | buf_addf(text, " to %s", o->value);
}

static int write_interest(struct by_hand_call *call, struct err *e)
{
    struct leads_interest how;
    return make_interest(call, &how, e) != 0 ? -1 : lead_edit_interest(&call->edit, &how, e);
}

static int run_interest(struct invocation *inv, struct err *e)
{
    const struct by_hand_verb verb = {.asks = true,
                                      .check = check_interest,
                                      .find = find_interest,
                                      .describe = describe_interest,
                                      .write = write_interest};
    return by_hand_run(inv, &verb, e);
}

const struct command leads_interest = {
    .name = "leads interest",
    .usage = "LEAD... [SYNC]",
    .summary = "set the interest status of leads",
    .help = "The API takes the interest by address: every lead with the address is changed,\n"
            "or only the one in --campaign or --list. The API answers before the change\n"
            "shows, so the command reads the leads until it does; exits with 1 if it does not\n"
            "show.",
    .examples = "leadsync leads interest ann@example.com --value meeting-booked --campaign \"Q4 founders\"",
    .groups = BY_HAND_ASKS | GROUP_PLACE,
    .formats = by_hand_formats,
    .options = interest_table,
    .options_bytes = sizeof(struct interest_options),
    .defaults = &interest_defaults,
    .operands_max = BY_HAND_OPERANDS,
    .run = run_interest,
};

/* ---- assign ---- */

struct assign_options {
    struct opt_list users;
    bool all;
};

/* clang-format off */
static const struct opt assign_table[] = {
    {.name = "to", .kind = OPT_LIST, .dest = OPT_AT(assign_options, users), .arg = "UUID,...",
     .help = "users that get the leads; several users share them"},
    {.name = "all", .kind = OPT_FLAG, .dest = OPT_AT(assign_options, all), .help = "all leads of --campaign or --list"},
    {.name = NULL},
};
/* clang-format on */

static int users_of(struct by_hand_call *call, struct arena *arena, struct uuid **users, size_t *n, struct err *e)
{
    const struct assign_options *o = call->inv->options;
    if (o->users.n == 0)
        return err_set(e, XS_USAGE, "missing user; give --to with the id of a user of the workspace");
    return select_arg_uuids(&o->users, "--to", arena, users, n, e);
}

static int check_assign(struct by_hand_call *call, struct err *e)
{
    const struct assign_options *o = call->inv->options;
    struct arena arena;
    struct uuid *users;
    size_t n;
    arena_init(&arena, 1 << 20);
    int rc = users_of(call, &arena, &users, &n, e);
    arena_free(&arena);
    return rc == 0 ? by_hand_check_selected(call, o->all, e) : -1;
}

static int find_assign(struct by_hand_call *call, struct err *e)
{
    const struct assign_options *o = call->inv->options;
    return by_hand_find_selected(call, o->all, e);
}

static int describe_assign(struct by_hand_call *call, struct buf *text)
{
    const struct assign_options *o = call->inv->options;
    int bad = describe_leads(call, "assign", text) | buf_adds(text, " to");
    for (size_t i = 0; i < o->users.n; i++)
        bad |= buf_addf(text, "%s %s", i > 0 ? "," : "", o->users.v[i]);
    return bad;
}

static int write_assign(struct by_hand_call *call, struct err *e)
{
    struct uuid *users;
    size_t n;
    return users_of(call, &call->edit.arena, &users, &n, e) != 0 ? -1 : lead_edit_assign(&call->edit, users, n, e);
}

static int run_assign(struct invocation *inv, struct err *e)
{
    const struct by_hand_verb verb = {.asks = true,
                                      .check = check_assign,
                                      .find = find_assign,
                                      .describe = describe_assign,
                                      .write = write_assign};
    return by_hand_run(inv, &verb, e);
}

const struct command leads_assign = {
    .name = "leads assign",
    .usage = "[LEAD...] [SYNC]",
    .summary = "assign leads to users of the workspace",
    .help = "Assigns the leads that are named or selected to one user, or spreads them over\n"
            "several. The API answers before the change shows, so the command reads the leads\n"
            "until it does; exits with 1 if it does not show.",
    .examples = "leadsync leads assign --campaign \"Q4 founders\" --all --to 0b1f6a52-6c3f-4f63-9a0e-2f4c7a5f1d20",
    .groups = BY_HAND_ASKS | GROUP_PLACE | GROUP_SELECT,
    .formats = by_hand_formats,
    .options = assign_table,
    .options_bytes = sizeof(struct assign_options),
    .operands_max = BY_HAND_OPERANDS,
    .run = run_assign,
};

/* ---- subsequence ---- */

struct subsequence_options {
    const char *to;
    bool remove, force;
};

/* clang-format off */
static const struct opt subsequence_table[] = {
    {.name = "to", .kind = OPT_TEXT, .dest = OPT_AT(subsequence_options, to), .arg = "UUID",
     .help = "the subsequence to put the leads into"},
    {.name = "remove", .kind = OPT_FLAG, .dest = OPT_AT(subsequence_options, remove),
     .help = "take the leads out of their subsequence"},
    {.name = "force", .kind = OPT_FLAG, .dest = OPT_AT(subsequence_options, force),
     .help = "also put in people who unsubscribed, bounced, were skipped or forgotten"},
    {.name = NULL},
};
/* clang-format on */

static int check_subsequence(struct by_hand_call *call, struct err *e)
{
    const struct subsequence_options *o = call->inv->options;
    struct uuid ignored;
    call->force = o->force;
    if (by_hand_needs_leads(call, e) != 0)
        return -1;
    if ((o->to != NULL) == o->remove)
        return err_set(e, XS_USAGE, "give either --to with a subsequence's id, or --remove");
    if (o->to != NULL && uuid_parse(str_from(o->to), &ignored) != 0)
        return err_set(e, XS_USAGE, "--to \"%s\" is not a UUID", o->to);
    return 0;
}

static int write_subsequence(struct by_hand_call *call, struct err *e)
{
    const struct subsequence_options *o = call->inv->options;
    struct uuid to;
    bool into = o->to != NULL && uuid_parse(str_from(o->to), &to) == 0;
    return lead_edit_subsequence(&call->edit, into ? &to : NULL, e);
}

static int run_subsequence(struct invocation *inv, struct err *e)
{
    const struct by_hand_verb verb = {.check = check_subsequence, .find = by_hand_find_named, .write = write_subsequence};
    return by_hand_run(inv, &verb, e);
}

const struct command leads_subsequence = {
    .name = "leads subsequence",
    .usage = "LEAD... [SYNC]",
    .summary = "put leads into a subsequence, or take them out",
    .help = "Sends one request per lead; the answer says which subsequence the lead is in. A\n"
            "person who unsubscribed, bounced or was skipped, in Instantly or in the state,\n"
            "is left out without --force.",
    .examples = "leadsync leads subsequence ann@example.com --to 5c194eae-9382-4bf1-aff4-d9eaa90668e1",
    .groups = BY_HAND_WRITES | GROUP_PLACE,
    .formats = by_hand_formats,
    .options = subsequence_table,
    .options_bytes = sizeof(struct subsequence_options),
    .operands_max = BY_HAND_OPERANDS,
    .run = run_subsequence,
};

/* ---- merge ---- */

struct merge_options {
    bool force;
};

/* clang-format off */
static const struct opt merge_table[] = {
    {.name = "force", .kind = OPT_FLAG, .dest = OPT_AT(merge_options, force),
     .help = "also merge people who unsubscribed, bounced, were skipped or forgotten"},
    {.name = NULL},
};
/* clang-format on */

static int check_merge(struct by_hand_call *call, struct err *e)
{
    const struct merge_options *o = call->inv->options;
    call->force = o->force;
    if (call->operands_n == 2 && strcmp(call->operands[0], call->operands[1]) != 0)
        return 0;
    return err_set(e, XS_USAGE, "give two leads, the one to be merged and the one that stays");
}

/* Half a merge is none: both must be there, and be two. */
static int find_merge(struct by_hand_call *call, struct err *e)
{
    if (by_hand_find_named(call, e) != 0)
        return -1;
    if (call->edit.leads_n != 2)
        return err_set(e, XS_USAGE, "both words name the same lead");
    for (size_t i = 0; i < 2; i++)
        if (call->edit.leads[i].outcome != OUTCOME_NONE)
            call->edit.leads[1 - i].outcome = OUTCOME_UNCHANGED;
    return 0;
}

static int describe_merge(struct by_hand_call *call, struct buf *text)
{
    char from[UUID_TEXT_N], to[UUID_TEXT_N];
    return buf_addf(text, "merge lead %s into lead %s, which cannot be undone", uuid_format(&call->edit.leads[0].id, from),
                    uuid_format(&call->edit.leads[1].id, to));
}

static int write_merge(struct by_hand_call *call, struct err *e)
{
    return lead_edit_merge(&call->edit, e);
}

static int run_merge(struct invocation *inv, struct err *e)
{
    const struct by_hand_verb verb = {.asks = true,
                                      .check = check_merge,
                                      .find = find_merge,
                                      .describe = describe_merge,
                                      .write = write_merge};
    return by_hand_run(inv, &verb, e);
}

const struct command leads_merge = {
    .name = "leads merge",
    .usage = "LEAD DESTINATION [SYNC]",
    .summary = "merge a lead into another one",
    .help = "Copies the values that DESTINATION lacks from LEAD. Instantly may keep LEAD. If\n"
            "the answer to a merge is lost, the merge is reported as failed (unattributed)\n"
            "and not sent again. A LEAD that unsubscribed, bounced or was skipped is not\n"
            "merged into a lead of a campaign without --force.",
    .examples = "leadsync leads merge ann@old.example ann@example.com",
    .groups = BY_HAND_ASKS | GROUP_PLACE,
    .formats = by_hand_formats,
    .options = merge_table,
    .options_bytes = sizeof(struct merge_options),
    .operands_max = 3,
    .run = run_merge,
};
