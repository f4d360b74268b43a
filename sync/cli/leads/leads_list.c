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
#include "sync/report/table.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

struct list_options {
    struct opt_list columns;
    const char *match;
    bool distinct;
};

static const struct opt list_table[] = {
    {.name = "columns", .kind = OPT_LIST, .dest = OPT_AT(list_options, columns), .arg = "NAME,…",
     .help = "members of a lead to show in text and CSV; custom.NAME is a custom variable"},
    {.name = "match", .kind = OPT_TEXT, .dest = OPT_AT(list_options, match), .arg = "TEXT", .min = 1,
     .help = "only leads with this text, in upper or lower case, in a value; leadsync filters, not Instantly"},
    {.name = "distinct", .kind = OPT_FLAG, .dest = OPT_AT(list_options, distinct),
     .help = "only one lead per address"},
    {.name = NULL},
};

static const char *const usual_columns[] = {"id", "email", "first_name", "last_name", "company_name", "status", "in",
                                            "timestamp_created"};
static const enum table_yield usual_yield[] = {
    TABLE_YIELDS, TABLE_STAYS, TABLE_STAYS, TABLE_STAYS, TABLE_STAYS, TABLE_STAYS, TABLE_REPEATS, TABLE_YIELDS};
enum { USUAL_N = sizeof usual_columns / sizeof usual_columns[0], TABLE_ROWS = 1000, COLUMNS_MAX = 256,
       SHOWN_COLUMNS = 320, SHOWN_BYTES = 16 << 10, PLACE_BYTES = 1 << 16, MATCH_BYTES = 64 << 20 };

/* Where leads are printed, one after the other. */
struct printer {
    const struct invocation *inv;
    struct out out;
    struct table table;
    struct lead_edit *edit;       /* knows names */
    struct buf place;
    const char *columns[COLUMNS_MAX];
    char *owned;             /* the text that columns point into; NULL: the usual ones */
    size_t columns_n;
    bool whole;              /* text: nothing is cut or left out */
    struct buf match, folded; /* case-folded; match is empty: every lead */
    uint64_t shown, limit;    /* limit 0: all */
};

/* ---- columns ---- */

static int choose_columns(struct printer *p, const struct opt_list *texts, struct err *e)
{
    struct buf all = BUF_INIT(1 << 16);
    memcpy(p->columns, usual_columns, sizeof usual_columns);
    p->columns_n = USUAL_N;
    if (texts->n == 0)
        return 0;
    p->columns_n = 0;
    p->whole = true;
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
        if (p->columns_n == COLUMNS_MAX)
            return err_set(e, XS_USAGE, "--columns has more than %d names", COLUMNS_MAX);
        p->columns[p->columns_n++] = name;
    }
    return p->columns_n > 0 ? 0 : err_set(e, XS_USAGE, "--columns is empty");
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
    if (p->inv->common.format != FORMAT_TEXT || lead_edit_place_show(p->edit, &t, &p->place) != 0)
        return str_from(target_format(&t, scratch));
    return buf_str(&p->place);
}

/* Scalars as they are, anything else as JSON. Borrowed from the lead, the printer, or from `scratch`. */
static struct str cell(struct printer *p, const struct remote_lead *lead, const char *name, char scratch[TARGET_TEXT_N])
{
    struct json_object *member;
    struct value v;
    if (strncmp(name, "custom.", 7) == 0) {
        api_remote_custom(lead, str_from(name + 7), &v);
        return value_text(&v);
    }
    if (strcmp(name, "in") == 0)
        return place(p, lead, scratch);
    if (strcmp(name, "status") == 0)
        return str_from(select_arg_status_text(lead->status, scratch));
    if (!json_object_object_get_ex(lead->object, name, &member) || member == NULL)
        return STR_NONE;
    if (json_object_is_type(member, json_type_string))
        return (struct str){json_object_get_string(member), (size_t)json_object_get_string_len(member)};
    return str_from(json_object_to_json_string_ext(member, JSON_C_TO_STRING_PLAIN));
}

/* ---- formats ---- */

static int table_head(struct printer *p)
{
    int bad = 0;
    table_init(&p->table, p->columns_n, NULL);
    p->table.yield = p->whole ? NULL : usual_yield;
    p->table.records_below = p->whole ? TABLE_WHOLE : TABLE_READABLE / 2; /* names are short */
    for (size_t c = 0; c < p->columns_n; c++)
        bad |= table_add(&p->table, str_from(p->columns[c]), TABLE_DIM);
    return bad;
}

static int table_flush(struct printer *p)
{
    int bad = table_print(&p->table, p->inv->common.columns, p->inv->common.colour_out, &p->out.text);
    table_free(&p->table);
    return bad;
}

static int print_head(struct printer *p)
{
    bool first = true;
    int bad = 0;
    switch (p->inv->common.format) {
    case FORMAT_TEXT: return table_head(p);
    case FORMAT_JSON: return buf_addc(&p->out.text, '[');
    case FORMAT_NDJSON: return 0;
    case FORMAT_CSV:
        for (size_t c = 0; c < p->columns_n; c++)
            bad |= out_csv_cell(&p->out, &first, ',', str_from(p->columns[c]), false);
        return bad | out_csv_end(&p->out, &first);
    }
    return 0;
}

static int print_cells(struct printer *p, const struct remote_lead *lead)
{
    char scratch[TARGET_TEXT_N];
    bool first = true, csv = p->inv->common.format == FORMAT_CSV;
    int bad = 0;
    for (size_t c = 0; c < p->columns_n; c++) {
        struct str text = cell(p, lead, p->columns[c], scratch);
        bad |= csv ? out_csv_cell(&p->out, &first, ',', text, true) : table_add(&p->table, text, TABLE_PLAIN);
    }
    return csv ? bad | out_csv_end(&p->out, &first) : bad;
}

/* Has a value of this object the text? Names of members do not count. 1/0/-1 (memory) */
static int has_match(struct printer *p, struct json_object *json)
{
    int found = 0;
    if (json_object_is_type(json, json_type_object)) {
        struct json_object_iterator at = json_object_iter_begin(json), end = json_object_iter_end(json);
        for (; found == 0 && !json_object_iter_equal(&at, &end); json_object_iter_next(&at))
            found = has_match(p, json_object_iter_peek_value(&at));
        return found;
    }
    const char *text = json != NULL ? json_object_get_string(json) : NULL;
    if (text == NULL)
        return 0;
    buf_reset(&p->folded);
    return text_fold(str_from(text), &p->folded) != 0 ? -1 : str_find(buf_str(&p->folded), buf_str(&p->match)) != NULL;
}

static int print_lead(void *ctx, const struct remote_lead *lead, struct err *e)
{
    struct printer *p = ctx;
    int matches = p->match.n > 0 ? has_match(p, lead->object) : 1;
    if (matches <= 0)
        return matches < 0 ? err_oom(e) : 0;
    enum format format = p->inv->common.format;
    const char *json = format == FORMAT_JSON || format == FORMAT_NDJSON
                           ? json_object_to_json_string_ext(lead->object, JSON_C_TO_STRING_PLAIN |
                                                                              JSON_C_TO_STRING_NOSLASHESCAPE)
                           : NULL;
    int bad = 0;
    if (format == FORMAT_TEXT && p->shown > 0 && p->shown % TABLE_ROWS == 0)
        bad = table_flush(p) | table_head(p);
    if (json != NULL)
        bad |= buf_adds(&p->out.text, format == FORMAT_JSON && p->shown > 0 ? ",\n" : "") |
               jsonw_copy_output(str_from(json), &p->out.text) |
               buf_adds(&p->out.text, format == FORMAT_NDJSON ? "\n" : "");
    else
        bad |= print_cells(p, lead);
    p->shown++;
    if (bad != 0)
        return err_oom(e);
    return out_flush(&p->out, false, e) != 0 ? -1 : p->shown == p->limit;
}

static int print_tail(struct printer *p, struct err *e)
{
    int bad = 0;
    if (p->inv->common.format == FORMAT_TEXT)
        bad = p->shown > 0 ? table_flush(p) : buf_adds(&p->out.text, "no leads\n");
    else if (p->inv->common.format == FORMAT_JSON)
        bad = buf_adds(&p->out.text, "]\n");
    return bad != 0 ? err_oom(e) : out_commit(&p->out, e);
}

static void printer_close(struct printer *p)
{
    out_abandon(&p->out);
    table_free(&p->table);
    buf_free(&p->place);
    buf_free(&p->match);
    buf_free(&p->folded);
    free(p->owned);
}

/* ---- list ---- */

/* Where the leads of a mapping go; a route has no single place. */
static int place_of_mapping(struct by_hand_call *call, struct err *e)
{
    struct mapping *m = NULL;
    if (mapping_load(call->sync, &m, e) != 0)
        return -1;
    int rc = m->routes_n > 0 ? err_set(e, XS_USAGE, "%s routes leads to several targets; choose one with --campaign or --list", call->sync)
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
static int find_place(struct by_hand_call *call, struct err *e)
{
    int rc = select_arg_place(&call->inv->common, &call->edit, &call->place, e);
    if (rc != 0 || call->sync == NULL)
        return rc;
    return (sync_arg_is_mapping(call->sync) ? place_of_mapping(call, e) : place_of_csv(call, e)) != 0 ? -1 : 1;
}

static int list(struct by_hand_call *call, struct printer *p, const struct list_options *o, struct err *e)
{
    struct lead_selector selector;
    if (call->operands_n > 0)
        return err_set(e, XS_USAGE, "%s is not a SYNC; to show a lead by id or address, run leadsync leads get", call->operands[0]);
    if (select_arg_fill(&call->inv->common, &call->edit, &selector, e) != 0)
        return -1;
    int place = find_place(call, e);
    if (place < 0)
        return -1;
    selector.filter.in = place > 0 ? &call->place : NULL;
    selector.filter.distinct = o->distinct;
    if (o->match != NULL) {
        p->limit = selector.limit; /* of those that match */
        selector.limit = 0;
    }
    if ((o->match != NULL && text_fold(str_from(o->match), &p->match) != 0) || print_head(p) != 0)
        return err_oom(e);
    return lead_edit_each(&call->edit, &selector, print_lead, p, e) != 0 ? -1 : print_tail(p, e);
}

static int run_list(struct invocation *inv, struct err *e)
{
    const struct list_options *o = inv->options;
    struct by_hand_call call = {.inv = inv};
    struct printer p = {.inv = inv, .edit = &call.edit, .place = BUF_INIT(PLACE_BYTES), .match = BUF_INIT(MATCH_BYTES),
                        .folded = BUF_INIT(MATCH_BYTES)};
    int rc = -1;
    if (choose_columns(&p, &o->columns, e) == 0 && by_hand_open(&call, inv, false, e) == 0 &&
        out_open(&p.out, inv, OUT_PRIVATE, e) == 0)
        rc = list(&call, &p, o, e);
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
    .run = run_list,
};

/* ---- get ---- */

static bool is_address(const char *word)
{
    return strchr(word, '@') != NULL;
}

/* 1 found, 0 there is none, -1 */
static int get_id(struct by_hand_call *call, struct printer *p, const char *word, struct err *e)
{
    struct json_object *json;
    struct remote_lead lead;
    struct uuid id;
    if (uuid_parse(str_from(word), &id) != 0)
        return err_set(e, XS_USAGE, "\"%s\" is neither a lead's id nor an address", word);
    int there = lead_edit_get(&call->edit, &id, &json, e);
    if (there <= 0)
        return there;
    return api_remote_lead_read(json, &lead, e) != 0 || print_lead(p, &lead, e) != 0 ? -1 : 1;
}

static int get_address(struct by_hand_call *call, struct printer *p, const char *word, struct err *e)
{
    struct str email = str_from(word);
    uint64_t before = p->shown;
    const struct lead_selector selector = {
        .filter = {.contacts = &email, .contacts_n = 1, .in = call->has_place ? &call->place : NULL, .in_campaign = -1,
                   .in_list = -1},
        .esp = -1};
    return lead_edit_each(&call->edit, &selector, print_lead, p, e) != 0 ? -1 : p->shown > before;
}

/* The address is what was typed, and escaped like all that comes from outside. */
static int report_missing(const char *word)
{
    struct buf shown = BUF_INIT(SHOWN_BYTES);
    int bad = text_show(str_from(word), SHOWN_COLUMNS, &shown);
    const char *text = buf_cstr(&shown);
    if (is_address(word))
        log_warning("no lead has the address %s", bad == 0 && text != NULL ? text : "given");
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
    if (print_head(p) != 0)
        return err_oom(e);
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
    return print_tail(p, e);
}

static int run_get(struct invocation *inv, struct err *e)
{
    const struct list_options *o = inv->options;
    struct by_hand_call call = {.inv = inv};
    struct printer p = {.inv = inv, .edit = &call.edit, .place = BUF_INIT(PLACE_BYTES), .match = BUF_INIT(MATCH_BYTES),
                        .folded = BUF_INIT(MATCH_BYTES), .whole = true};
    int rc = -1;
    if (choose_columns(&p, &o->columns, e) == 0 && by_hand_sort(&call, e) == 0 && by_hand_needs_leads(&call, e) == 0 &&
        by_hand_open(&call, inv, false, e) == 0 && out_open(&p.out, inv, OUT_PRIVATE, e) == 0)
        rc = get(&call, &p, e);
    printer_close(&p);
    by_hand_close(&call);
    return rc;
}

static const struct opt get_table[] = {
    {.name = "columns", .kind = OPT_LIST, .dest = OPT_AT(list_options, columns), .arg = "NAME,…",
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
