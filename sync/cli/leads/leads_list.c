/* `leads list` and `leads get`: leads as Instantly has them. */
#include "config.h"

#include "sync/base/jsonw.h"
#include "sync/base/log.h"
#include "sync/base/text.h"
#include "sync/cli/leads/by_hand.h"
#include "sync/cli/leads/leads.h"
#include "sync/cli/args/select_arg.h"
#include "sync/cli/args/state_arg.h"
#include "sync/cli/args/sync_arg.h"
#include "sync/model/match.h"

#include <stdlib.h>
#include <string.h>

struct list_options {
    struct opt_list columns;
    const char *match;
    bool distinct;
};

/* clang-format off */
static const struct opt list_table[] = {
    {.name = "columns", .kind = OPT_LIST, .dest = OPT_AT(list_options, columns), .arg = "NAME,...",
     .help = "members of a lead to show in text and CSV; custom.NAME is a custom variable"},
    {.name = "match", .kind = OPT_TEXT, .dest = OPT_AT(list_options, match), .arg = "TEXT", .min = 1,
     .help = "only leads whose values have this text, in upper or lower case, or all its words; leadsync filters, not Instantly"},
    {.name = "distinct", .kind = OPT_FLAG, .dest = OPT_AT(list_options, distinct),
     .help = "only one lead per address"},
    {.name = NULL},
};
/* clang-format on */

static const struct record_column usual_columns[] = {
    {RECORD_NAME("id"), .yield = TABLE_YIELDS},
    {RECORD_NAME("email")},
    {RECORD_NAME("first_name")},
    {RECORD_NAME("last_name")},
    {RECORD_NAME("company_name")},
    {RECORD_NAME("status")},
    {RECORD_NAME("in"), .yield = TABLE_REPEATS},
    {RECORD_NAME("timestamp_created"), .yield = TABLE_YIELDS},
};
enum {
    USUAL_N = sizeof usual_columns / sizeof usual_columns[0],
    COLUMNS_MAX = 256,
    SHOWN_COLUMNS = 320,
    SHOWN_BYTES = 16 << 10,
    PLACE_BYTES = 1 << 16,
    PLACES_MAX = 20
};

/* Where leads are printed, one after the other. */
struct printer {
    const struct invocation *inv;
    struct out out;
    struct record_layout layout;
    struct record_column columns[COLUMNS_MAX];
    struct lead_edit *edit; /* knows names */
    struct buf place;
    char *owned; /* the text that names of columns point into; NULL: the usual ones */
    bool whole;  /* text: nothing is cut or left out */
    struct match match;
    unsigned asked_n; /* names of places that Instantly was asked for */
    uint64_t limit;   /* 0: all */
};

/* ---- columns ---- */

static int choose_columns(struct printer *p, const struct opt_list *texts, struct err *e)
{
    struct buf all = BUF_INIT(1 << 16);
    size_t *n = &p->layout.columns_n;
    p->whole = p->whole || texts->n > 0;
    p->layout = (struct record_layout){.columns = p->columns,
                                       .none = "no leads\n",
                                       .all_columns = p->whole,
                                       .guard = true,
                                       /* names are short */
                                       .records_below = p->whole ? TABLE_WHOLE : TABLE_READABLE / 2};
    if (texts->n == 0) {
        memcpy(p->columns, usual_columns, sizeof usual_columns);
        *n = USUAL_N;
        return 0;
    }
    for (size_t i = 0; i < texts->n; i++)
        if (buf_addf(&all, "%s%s", i > 0 ? "," : "", texts->v[i]) != 0)
            break;
    const char *text = buf_cstr(&all);
    p->owned = text != NULL ? strdup(text) : NULL;
    buf_free(&all);
    if (p->owned == NULL)
        return err_oom(e);
    char *save = NULL;
    for (char *name = strtok_r(p->owned, ",", &save); name != NULL; name = strtok_r(NULL, ",", &save)) {
        if (*n == COLUMNS_MAX)
            return err_set(e, XS_USAGE, "--columns has more than %d names", COLUMNS_MAX);
        p->columns[(*n)++] = (struct record_column){.name = str_from(name)};
    }
    return *n > 0 ? 0 : err_set(e, XS_USAGE, "--columns is empty");
}

static struct str value_text(const struct value *v)
{
    return v->kind == VALUE_ABSENT || v->kind == VALUE_NULL ? STR_NONE : (struct str){v->p, v->n};
}

/* People read the name of where a lead is, programs its id. */
static struct str place(struct printer *p, const struct remote_lead *lead, char scratch[TARGET_TEXT_N])
{
    struct target t = {.kind = lead->has_campaign ? TARGET_CAMPAIGN : TARGET_LIST,
                       .id = lead->has_campaign ? lead->campaign : lead->list};
    if (!lead->has_campaign && !lead->has_list)
        return STR_NONE;
    buf_reset(&p->place);
    if (p->inv->common.output.format == FORMAT_TEXT && p->asked_n < PLACES_MAX)
        p->asked_n += lead_edit_target_record(p->edit, &t);
    if (p->inv->common.output.format != FORMAT_TEXT || lead_edit_place_show(p->edit, &t, &p->place) != 0)
        return str_from(target_format(&t, scratch));
    return buf_str(&p->place);
}

/* Scalars as they are, anything else as JSON. Borrowed from the lead, the printer, or from `scratch`. */
static struct str cell(struct printer *p, const struct remote_lead *lead, const char *name, char scratch[TARGET_TEXT_N])
{
    struct value v;
    if (strncmp(name, "custom.", 7) == 0) {
        api_remote_custom(lead, str_from(name + 7), &v);
        return value_text(&v);
    }
    if (strcmp(name, "in") == 0)
        return place(p, lead, scratch);
    if (strcmp(name, "status") == 0)
        return str_from(select_arg_status_text(lead->status, scratch));
    return api_remote_member(lead, name);
}

/* ---- printing ---- */

static void leads_list_fill(struct printer *p, const struct remote_lead *lead)
{
    char scratch[TARGET_TEXT_N];
    for (size_t c = 0; c < p->layout.columns_n; c++)
        record_copy(&p->out.records, c, cell(p, lead, p->columns[c].name.p, scratch));
}

static int leads_list_match(void *ctx, struct str text)
{
    return match_text(ctx, text);
}

static int print_lead(void *ctx, const struct remote_lead *lead, struct err *e)
{
    struct printer *p = ctx;
    match_row(&p->match);
    /* The text is looked for in the values, not in the names of the members. */
    int matches = match_wants(&p->match) ? api_remote_each_text(lead, leads_list_match, &p->match) : 1;
    if (matches <= 0)
        return matches < 0 ? err_oom(e) : 0;
    struct record_writer *w = &p->out.records;
    if (record_is_json(w)) {
        if (record_json(w, str_from(api_remote_json(lead))) != 0)
            return err_oom(e);
        if (out_flush(&p->out, false, e) != 0)
            return -1;
    } else {
        leads_list_fill(p, lead);
        if (out_record(&p->out, e) != 0)
            return -1;
    }
    return w->n == p->limit;
}

static int leads_list_print_tail(struct printer *p, struct err *e)
{
    return out_records_end(&p->out, e) == 0 ? out_commit(&p->out, e) : -1;
}

static void printer_close(struct printer *p)
{
    out_abandon(&p->out);
    buf_free(&p->place);
    match_free(&p->match);
    free(p->owned);
}

/* ---- list ---- */

static bool is_address(const char *word)
{
    return strchr(word, '@') != NULL;
}

/* Where the leads of a mapping go; a route has no single place. */
static int place_of_mapping(struct by_hand_call *call, struct err *e)
{
    struct mapping *m = NULL;
    if (mapping_load(call->sync, &m, e) != 0)
        return -1;
    int rc = m->routes_n > 0
                 ? err_set(e, XS_USAGE, "%s routes leads to several targets; choose one with --campaign or --list",
                           call->sync)
                 : api_target_find(call->edit.api, &m->target, true, &call->edit.arena, &call->place, e);
    mapping_free(m);
    return rc;
}

/* Where a CSV went: its state knows. */
static int place_of_csv(struct by_hand_call *call, struct err *e)
{
    struct state *state;
    if (state_arg_open_sync(&call->inv->common, call->sync, STATE_READ, true, &state, e) != 0)
        return -1;
    int rc = state_target_get(state, 1, &call->edit.arena, &call->place, e);
    state_close(state);
    return rc > 0 ? 0 : rc < 0 ? -1 : err_set(e, XS_USAGE, "%s: its state knows no campaign or list; give one", call->sync);
}

/* The place of --campaign or --list, else that of the SYNC among the words: 1, 0 there is none, -1 */
static int leads_list_find_place(struct by_hand_call *call, struct err *e)
{
    int rc = select_arg_place(&call->inv->common, &call->edit, &call->place, e);
    if (rc != 0 || call->sync == NULL)
        return rc;
    return (sync_arg_is_mapping(call->sync) ? place_of_mapping(call, e) : place_of_csv(call, e)) != 0 ? -1 : 1;
}

/* A word that looks like a person is searched for by another command. */
static int leads_list_refuse(const char *word, struct err *e)
{
    struct buf text = BUF_INIT(SHOWN_BYTES);
    struct uuid id;
    bool lead = is_address(word) || uuid_parse(str_from(word), &id) == 0;
    int bad = buf_adds(&text, lead ? "leadsync leads get " : "leadsync leads list --match ") | opt_show_quoted(word, &text);
    err_set(e, XS_USAGE, "%s is not a SYNC; to %s: %s", word, lead ? "show this lead" : "search for leads with this text",
            bad == 0 && buf_cstr(&text) != NULL ? text.p : "leadsync leads list --match TEXT");
    buf_free(&text);
    return -1;
}

/* Nothing was listed: where it was looked for, and which command looks further. */
static int leads_list_report_none(const struct by_hand_call *call, const struct list_options *o, bool placed)
{
    struct buf text = BUF_INIT(SHOWN_BYTES);
    int bad = buf_adds(&text, "no lead ") |
              (placed ? buf_adds(&text, "in ") | target_show(&call->place, &text) : buf_adds(&text, "of the workspace")) |
              buf_adds(&text, o->match != NULL ? " has this text" : " meets the conditions");
    if (o->match != NULL && placed)
        bad |= buf_adds(&text, "; to search the whole workspace: leadsync leads list --match ") |
               opt_show_quoted(o->match, &text);
    else if (o->match != NULL && is_address(o->match))
        bad |= buf_adds(&text, "; what the syncs know of the address: leadsync explain ") | opt_show_quoted(o->match, &text);
    else if (o->match != NULL)
        bad |= buf_adds(&text, "; to search the source of a sync: leadsync diff SYNC --match ") |
               opt_show_quoted(o->match, &text);
    if (bad == 0)
        log_notice("%.*s", STR_ARG(buf_str(&text)));
    buf_free(&text);
    return bad;
}

static int leads_list_print(struct by_hand_call *call, struct printer *p, const struct list_options *o, struct err *e)
{
    struct lead_selector selector;
    if (call->operands_n > 0)
        return leads_list_refuse(call->operands[0], e);
    if (select_arg_fill(&call->inv->common, &call->edit, &selector, e) != 0)
        return -1;
    int place = leads_list_find_place(call, e);
    if (place < 0)
        return -1;
    selector.filter.in = place > 0 ? &call->place : NULL;
    selector.filter.distinct = o->distinct;
    if (o->match != NULL) {
        p->limit = selector.limit; /* of those that match */
        selector.limit = 0;
    }
    if (match_init(&p->match, o->match) != 0)
        return err_oom(e);
    if (out_records(&p->out, &p->inv->common, &p->layout, e) != 0)
        return -1;
    if (lead_edit_each(&call->edit, &selector, print_lead, p, e) != 0)
        return -1;
    if (p->out.records.n == 0 && leads_list_report_none(call, o, place > 0) != 0)
        return err_oom(e);
    return leads_list_print_tail(p, e);
}

static int leads_list_command(struct invocation *inv, struct err *e)
{
    const struct list_options *o = inv->options;
    struct by_hand_call call = {.inv = inv};
    struct printer p = {.inv = inv, .edit = &call.edit, .place = BUF_INIT(PLACE_BYTES)};
    int rc = -1;
    if (choose_columns(&p, &o->columns, e) == 0 && by_hand_open(&call, inv, false, e) == 0 &&
        out_open(&p.out, inv, OUT_PRIVATE, e) == 0)
        rc = leads_list_print(&call, &p, o, e);
    printer_close(&p);
    by_hand_close(&call);
    return rc;
}

const struct command leads_list = {
    .name = "leads list",
    .usage = "[SYNC]",
    .summary = "list leads in Instantly, all pages",
    .help = "Lists every lead of the workspace, of a campaign or list, or of the targets of\n"
            "SYNC, that meets all conditions. JSON and NDJSON show leads as the API returns\n"
            "them; text and CSV show the columns of --columns. Needs no state.",
    .examples = "leadsync leads list --campaign \"Q4 founders\" --format csv -o leads.csv\n"
                "leadsync leads list nightly.yaml --search ann",
    .groups = BY_HAND_READS | GROUP_PLACE | GROUP_SELECT,
    .formats = by_hand_formats,
    .options = list_table,
    .options_bytes = sizeof(struct list_options),
    .operands_max = 1,
    .run = leads_list_command,
};

/* ---- get ---- */

/* 1 found, 0 there is none, -1 */
static int get_id(struct by_hand_call *call, struct printer *p, const char *word, struct err *e)
{
    struct remote_lead lead;
    struct uuid id;
    if (uuid_parse(str_from(word), &id) != 0)
        return err_set(e, XS_USAGE, "\"%s\" is neither a lead's id nor an address", word);
    int there = by_hand_find(call->edit.api, &id, &lead, e);
    if (there <= 0)
        return there;
    /* print_lead() may ask for the name of its place, and the lead must outlive that answer. */
    api_remote_keep(&lead);
    bool bad = print_lead(p, &lead, e) < 0;
    api_remote_release(&lead);
    return bad ? -1 : 1;
}

static int get_address(struct by_hand_call *call, struct printer *p, const char *word, struct err *e)
{
    struct str email = str_from(word);
    uint64_t before = p->out.records.n;
    const struct lead_selector selector = {.filter = {.contacts = &email,
                                                      .contacts_n = 1,
                                                      .in = call->has_place ? &call->place : NULL,
                                                      .in_campaign = -1,
                                                      .in_list = -1},
                                           .esp = -1};
    return lead_edit_each(&call->edit, &selector, print_lead, p, e) != 0 ? -1 : p->out.records.n > before;
}

/* The address is what was typed, and escaped like all that comes from outside. */
static int report_missing(const char *word)
{
    struct buf shown = BUF_INIT(SHOWN_BYTES);
    int bad = text_show(str_from(word), SHOWN_COLUMNS, &shown);
    const char *text = buf_cstr(&shown);
    if (is_address(word))
        log_warning("no lead has the address %s; leadsync explain shows what the syncs know of it",
                    bad == 0 && text != NULL ? text : "given");
    else
        log_warning("there is no lead %s in this workspace", word);
    buf_free(&shown);
    return bad;
}

static int get(struct by_hand_call *call, struct printer *p, struct err *e)
{
    int place = select_arg_place(&call->inv->common, &call->edit, &call->place, e);
    if (place < 0)
        return -1;
    call->has_place = place > 0;
    if (out_records(&p->out, &p->inv->common, &p->layout, e) != 0)
        return -1;
    for (size_t i = 0; i < call->operands_n; i++) {
        const char *word = call->operands[i];
        int found = is_address(word) ? get_address(call, p, word, e) : get_id(call, p, word, e);
        if (found < 0)
            return -1;
        if (found == 0) {
            if (report_missing(word) != 0)
                return err_oom(e);
            call->inv->status = XS_LEFT_OVER;
        }
    }
    return leads_list_print_tail(p, e);
}

static int run_get(struct invocation *inv, struct err *e)
{
    const struct list_options *o = inv->options;
    struct by_hand_call call = {.inv = inv};
    struct printer p = {.inv = inv, .edit = &call.edit, .place = BUF_INIT(PLACE_BYTES), .whole = true};
    int rc = -1;
    if (choose_columns(&p, &o->columns, e) == 0 && by_hand_sort(&call, e) == 0 && by_hand_needs_leads(&call, e) == 0 &&
        by_hand_open(&call, inv, false, e) == 0 && out_open(&p.out, inv, OUT_PRIVATE, e) == 0)
        rc = get(&call, &p, e);
    printer_close(&p);
    by_hand_close(&call);
    return rc;
}

static const struct opt get_table[] = {
    {.name = "columns",
     .kind = OPT_LIST,
     .dest = OPT_AT(list_options, columns),
     .arg = "NAME,...",
     .help = "members of a lead to show in text and CSV; custom.NAME is a custom variable"},
    {.name = NULL},
};

const struct command leads_get = {
    .name = "leads get",
    .usage = "LEAD... [SYNC]",
    .summary = "show leads by id or address",
    .help = "An address shows every lead that has it, or only those in --campaign or --list.\n"
            "Exits with 1 when a lead does not exist. Needs no state.",
    .examples = "leadsync leads get ann@example.com --format json",
    .groups = BY_HAND_READS | GROUP_PLACE,
    .formats = by_hand_formats,
    .options = get_table,
    .options_bytes = sizeof(struct list_options),
    .operands_max = BY_HAND_OPERANDS,
    .run = run_get,
};
