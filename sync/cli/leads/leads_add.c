/* `leads add` and `leads patch`: the values of leads. */
#include "config.h"

#include "sync/cli/leads/by_hand.h"
#include "sync/cli/leads/leads.h"
#include "sync/cli/args/select_arg.h"
#include "sync/cli/args/value_arg.h"

#include <string.h>

/* ---- add ---- */

static const char *const scopes[] = {"workspace", "any-campaign", "any-list", "target-only", NULL};
static const enum dedupe_scope scope_values[] = {DEDUPE_WORKSPACE, DEDUPE_ANY_CAMPAIGN, DEDUPE_ANY_LIST, DEDUPE_TARGET_ONLY};

struct add_options {
    struct value_options values;
    int dedupe;
    const char *blocklist;
    bool verify, force;
};

/* clang-format off */
static const struct opt add_table[] = {
    VALUE_ARG_OPTIONS(add_options, values),
    {.name = "dedupe", .kind = OPT_CHOICE, .dest = OPT_AT(add_options, dedupe), .choices = scopes,
     .help = "leave out leads that Instantly already has here"},
    {.name = "blocklist", .kind = OPT_TEXT, .dest = OPT_AT(add_options, blocklist), .arg = "UUID",
     .help = "check addresses against this block list (the workspace's default)"},
    {.name = "verify", .kind = OPT_FLAG, .dest = OPT_AT(add_options, verify),
     .help = "verify the addresses, which costs credits"},
    {.name = "force", .kind = OPT_FLAG, .dest = OPT_AT(add_options, force),
     .help = "also add people who unsubscribed, bounced, were skipped or forgotten"},
    {.name = NULL},
};
/* clang-format on */

/* One lead for each address, all with the same values; without an address the one that the values describe. */
static int make_leads(struct by_hand_call *call, struct arena *arena, struct lead **out, size_t *n, struct err *e)
{
    const struct add_options *o = call->inv->options;
    struct lead one;
    if (value_arg_lead(&o->values, false, arena, &one, e) != 0)
        return -1;
    if (call->operands_n > 0 && one.core[LEAD_EMAIL].kind != VALUE_ABSENT)
        return err_set(e, XS_USAGE, "the address is given twice, as ADDRESS and with --set email");
    *n = call->operands_n > 0 ? call->operands_n : 1;
    *out = arena_calloc(arena, *n, sizeof **out);
    if (*out == NULL)
        return err_oom(e);
    for (size_t i = 0; i < *n; i++) {
        (*out)[i] = one;
        if (call->operands_n == 0)
            break;
        const char *email = call->operands[i];
        if (strchr(email, '@') == NULL)
            return err_set(e, XS_USAGE, "\"%s\" is not an e-mail address", email);
        (*out)[i].core[LEAD_EMAIL] = (struct value){VALUE_STRING, email, strlen(email)};
    }
    return 0;
}

/* What the API would refuse, or take for something else, is said here. */
static int check_add(struct by_hand_call *call, struct err *e)
{
    const struct common *c = &call->inv->common;
    const struct add_options *o = call->inv->options;
    struct arena arena;
    struct lead *leads;
    struct uuid ignored;
    size_t n;
    int rc = 0;
    call->force = o->force;
    if (c->campaign == NULL && c->list == NULL)
        return err_set(e, XS_USAGE, "say where the lead goes: --campaign NAME or --list NAME");
    if (o->blocklist != NULL && uuid_parse(str_from(o->blocklist), &ignored) != 0)
        return err_set(e, XS_USAGE, "--blocklist \"%s\" is not a UUID", o->blocklist);
    arena_init(&arena, 16 << 20);
    if (make_leads(call, &arena, &leads, &n, e) != 0)
        rc = -1;
    else if (!lead_has_email(&leads[0]) && c->campaign != NULL)
        rc = err_set(e, XS_USAGE, "a campaign takes no lead without an address; give one");
    else if (!lead_has_email(&leads[0]) && leads[0].core[LEAD_FIRST_NAME].kind == VALUE_ABSENT &&
             leads[0].core[LEAD_LAST_NAME].kind == VALUE_ABSENT)
        rc = err_set(e, XS_USAGE, "the lead has no name; give an address, or --set first_name or last_name");
    arena_free(&arena);
    return rc;
}

static int leads_add_find_place(struct by_hand_call *call, struct err *e)
{
    int rc = select_arg_place(&call->inv->common, &call->edit, &call->place, e);
    call->has_place = rc > 0;
    return rc < 0 ? -1 : 0;
}

static int write_add(struct by_hand_call *call, struct err *e)
{
    const struct add_options *o = call->inv->options;
    const struct lead_edit_addition how = {.target = call->place,
                                           .blocklist = o->blocklist,
                                           .verify = o->verify,
                                           .dedupe = scope_values[o->dedupe]};
    struct lead *leads;
    size_t n;
    return make_leads(call, &call->edit.arena, &leads, &n, e) != 0 ? -1 : lead_edit_add(&call->edit, &how, leads, n, e);
}

static int run_add(struct invocation *inv, struct err *e)
{
    const struct by_hand_verb verb = {.check = check_add, .find = leads_add_find_place, .write = write_add, .makes = true};
    return by_hand_run(inv, &verb, e);
}

const struct command leads_add = {
    .name = "leads add",
    .usage = "[ADDRESS...] [SYNC]",
    .summary = "create leads in a campaign or list",
    .help = "Creates a lead for each ADDRESS, all with the values of --set; a list also takes\n"
            "one lead without an address. Leads that Instantly already has are left out and\n"
            "not changed. Leads added to an active campaign may be mailed at once. A person\n"
            "who unsubscribed, bounced or was skipped, in Instantly or in the state, is left\n"
            "out without --force.",
    .examples = "leadsync leads add ann@example.com --list Incoming --set first_name=Ann",
    .groups = BY_HAND_WRITES | GROUP_PLACE,
    .formats = by_hand_formats,
    .options = add_table,
    .options_bytes = sizeof(struct add_options),
    .operands_max = BY_HAND_OPERANDS,
    .run = run_add,
};

/* ---- patch ---- */

struct patch_options {
    struct value_options values;
};

/* clang-format off */
static const struct opt patch_table[] = {
    VALUE_ARG_OPTIONS(patch_options, values),
    {.name = "clear", .kind = OPT_LIST, .dest = OPT_AT(patch_options, values.clears), .arg = "NAME",
     .help = "clear this field or custom variable (repeatable)"},
    {.name = NULL},
};
/* clang-format on */

static int check_patch(struct by_hand_call *call, struct err *e)
{
    const struct patch_options *o = call->inv->options;
    struct arena arena;
    struct lead wanted;
    if (by_hand_needs_leads(call, e) != 0)
        return -1;
    if (o->values.texts.n + o->values.jsons.n + o->values.clears.n == 0)
        return err_set(e, XS_USAGE, "nothing to change; give --set NAME=TEXT, --set-json NAME=JSON or --clear NAME");
    arena_init(&arena, 16 << 20);
    int rc = value_arg_lead(&o->values, true, &arena, &wanted, e);
    arena_free(&arena);
    return rc;
}

static int write_patch(struct by_hand_call *call, struct err *e)
{
    const struct patch_options *o = call->inv->options;
    struct lead wanted;
    return value_arg_lead(&o->values, true, &call->edit.arena, &wanted, e) != 0 ? -1
                                                                                : lead_edit_patch(&call->edit, &wanted, e);
}

static int run_patch(struct invocation *inv, struct err *e)
{
    const struct by_hand_verb verb = {.check = check_patch, .find = by_hand_find_named, .write = write_patch};
    return by_hand_run(inv, &verb, e);
}

const struct command leads_patch = {
    .name = "leads patch",
    .usage = "LEAD... [SYNC]",
    .summary = "change fields and custom variables of leads",
    .help = "Changes the fields and variables of --set, --set-json and --clear, and leaves\n"
            "the rest. Custom variables are read first and sent as a complete set.",
    .examples = "leadsync leads patch ann@example.com --campaign \"Q4 founders\" --set phone=+15550100",
    .groups = BY_HAND_WRITES | GROUP_PLACE,
    .formats = by_hand_formats,
    .options = patch_table,
    .options_bytes = sizeof(struct patch_options),
    .operands_max = BY_HAND_OPERANDS,
    .run = run_patch,
};
