/* `jobs entries`: what happened to each lead of a background job. Instantly reports totals only; the state has the leads. */
#include "config.h"

#include "sync/cli/jobs/job_entries.h"
#include "sync/cli/jobs/jobs.h"
#include "sync/cli/out.h"
#include "sync/cli/args/state_arg.h"

#include <inttypes.h>

enum { LIMIT_USUAL = 100, LIMIT_MOST = 1000000, MESSAGE_BYTES = 1 << 16 };

struct entries_options {
    int completion, validation; /* enum entry_status; -1: any */
    int64_t limit, skip;
};

static const struct entries_options defaults = {.completion = -1, .validation = -1, .limit = LIMIT_USUAL};
static const char *const formats[] = {"text", "json", "ndjson", "csv", NULL};

/* clang-format off */
static const struct opt options[] = {
    {.name = "completion-status", .kind = OPT_CHOICE, .dest = OPT_AT(entries_options, completion),
     .choices = entry_status_names,
     .help = "only entries whose lead moved (SUCCESS), did not (ERROR), or is not settled (PENDING)"},
    {.name = "validation-status", .kind = OPT_CHOICE, .dest = OPT_AT(entries_options, validation),
     .choices = entry_status_names, .help = "only entries whose lead may be moved (SUCCESS), or may not (ERROR)"},
    {.name = "limit", .kind = OPT_INT, .dest = OPT_AT(entries_options, limit), .arg = "N", .min = 1, .max = LIMIT_MOST,
     .help = "number of entries to show (100)"},
    {.name = "skip", .kind = OPT_INT, .dest = OPT_AT(entries_options, skip), .arg = "N", .min = 0, .max = INT64_MAX,
     .help = "number of entries to skip before them (0)"},
    {.name = NULL},
};
/* clang-format on */

/* What is printed: a page of what the filters let through. */
struct page {
    const struct invocation *inv;
    const struct entries_options *o;
    struct state *state;
    const struct job_view *job;
    struct arena arena;
    const struct job_entry **v; /* in the arena */
    size_t n, total;            /* on the page; in all */
};

static int select_page(struct page *p, const struct job_entries *all, struct err *e)
{
    uint64_t skip = (uint64_t)p->o->skip, limit = (uint64_t)p->o->limit;
    p->v = arena_calloc(&p->arena, all->n + 1, sizeof *p->v);
    if (p->v == NULL)
        return err_oom(e);
    for (size_t i = 0; i < all->n; i++) {
        const struct job_entry *entry = &all->v[i];
        if ((p->o->completion >= 0 && (int)entry->completion != p->o->completion) ||
            (p->o->validation >= 0 && (int)entry->validation != p->o->validation))
            continue;
        if (p->total++ >= skip && p->n < limit)
            p->v[p->n++] = entry;
    }
    return 0;
}

static bool has_next(const struct page *p)
{
    return (uint64_t)p->o->skip + p->n < p->total;
}

/* ---- pieces ---- */

static struct str target_text(struct page *p, uint32_t number, char text[TARGET_TEXT_N])
{
    struct err ignored = ERR_INIT;
    struct target t;
    bool known = number != 0 && state_target_get(p->state, number, &p->arena, &t, &ignored) == 1;
    err_clear(&ignored);
    return known ? str_from(target_format(&t, text)) : STR_NONE;
}

static struct str from_text(struct page *p, const struct job_entry *entry, char text[TARGET_TEXT_N])
{
    struct str from = target_text(p, entry->from, text);
    return from.n > 0 ? from : str_from(p->job->from);
}

static struct str to_text(struct page *p, const struct job_entry *entry, char text[TARGET_TEXT_N])
{
    struct str to = target_text(p, entry->to, text);
    return to.n > 0 ? to : str_from(p->job->to);
}

/* Why not: the reason's word, which scripts may look for, and what it means or what the API said. Empty: no reason. */
static struct str message(struct page *p, const struct job_entry *entry, enum entry_status status)
{
    struct str out = STR_NONE;
    if (status == ENTRY_SUCCESS || entry->entry.reason == REASON_NONE)
        return out;
    struct str more = entry->entry.detail.n > 0 ? entry->entry.detail : str_from(reason_help(entry->entry.reason));
    struct buf text = BUF_INIT(MESSAGE_BYTES);
    if (buf_addf(&text, "%s: %.*s", reason_text(entry->entry.reason), STR_ARG(more)) == 0 &&
        arena_str(&p->arena, buf_str(&text), &out) != 0)
        out = STR_NONE;
    buf_free(&text);
    return out.n > 0 ? out : str_from(reason_text(entry->entry.reason));
}

/* ---- records ---- */

enum column { C_ROW, C_KEY, C_LEAD_ID, C_FROM, C_TO, C_VALIDATION, C_COMPLETION, C_MESSAGE, COLUMN_N };

/* JSON has members of its own, see json_entry(). All leads of a job go the same way: text says it once, above the table. */
static const struct record_column columns[COLUMN_N] = {
    [C_ROW] = {RECORD_NAME("row"), .align = TABLE_RIGHT},
    [C_KEY] = {RECORD_NAME("key")},
    [C_LEAD_ID] = {RECORD_NAME("lead_id"), .yield = TABLE_YIELDS},
    [C_FROM] = {RECORD_NAME("from"), .left_out = RECORD_NOT_TEXT},
    [C_TO] = {RECORD_NAME("to"), .left_out = RECORD_NOT_TEXT},
    [C_VALIDATION] = {RECORD_NAME("validation_status")},
    [C_COMPLETION] = {RECORD_NAME("completion_status")},
    [C_MESSAGE] = {RECORD_NAME("message")},
};
/* clang-format off */
static const struct record_layout layout = {
    .columns = columns, .columns_n = COLUMN_N, .none = "", .hide_empty = true, .records_below = TABLE_READABLE,
    .json_open = "{\"_data\":[", .json_close = "],\"_meta\":"};
/* clang-format on */

static void jobs_entries_fill(struct record_writer *w, struct page *p, const struct job_entry *entry)
{
    static const enum table_colour colours[ENTRY_STATUS_N] =
        {[ENTRY_SUCCESS] = TABLE_GREEN, [ENTRY_ERROR] = TABLE_RED, [ENTRY_PENDING] = TABLE_YELLOW};
    char from[TARGET_TEXT_N], to[TARGET_TEXT_N];
    record_ordinal(w, C_ROW, entry->entry.row);
    record_str(w, C_KEY, entry->entry.key_text);
    record_uuid(w, C_LEAD_ID, entry->entry.has_lead_id ? &entry->entry.lead_id : NULL);
    record_copy(w, C_FROM, from_text(p, entry, from));
    record_copy(w, C_TO, to_text(p, entry, to));
    record_text(w, C_VALIDATION, entry_status_names[entry->validation]);
    record_text(w, C_COMPLETION, entry_status_names[entry->completion]);
    record_colour(w, C_COMPLETION, colours[entry->completion]);
    record_str(w, C_MESSAGE, message(p, entry, entry->completion));
}

static void add_result(struct jsonw *w, const struct job_entry *entry)
{
    if (entry->entry.outcome == OUTCOME_NONE) {
        jsonw_member_null(w, "completionResult");
        return;
    }
    jsonw_member_object(w, "completionResult");
    jsonw_member_str_or_null(w, "outcome", str_from(outcome_text(entry->entry.outcome)));
    jsonw_member_str_or_null(w, "reason", str_from(reason_text(entry->entry.reason)));
    jsonw_member_ordinal(w, "http_status", (uint64_t)entry->entry.http_status);
    jsonw_object_end(w);
}

static void add_data(struct jsonw *w, struct page *p, const struct job_entry *entry)
{
    char id[UUID_TEXT_N], from[TARGET_TEXT_N], to[TARGET_TEXT_N];
    jsonw_member_object(w, "data");
    jsonw_member_str_or_null(w, "key", entry->entry.key_text);
    jsonw_member_text(w, "lead_id", entry->entry.has_lead_id ? uuid_format(&entry->entry.lead_id, id) : NULL);
    jsonw_member_str_or_null(w, "from", from_text(p, entry, from));
    jsonw_member_str_or_null(w, "to", to_text(p, entry, to));
    jsonw_object_end(w);
}

static void json_entry(struct jsonw *w, struct page *p, const struct job_entry *entry)
{
    char id[128];
    snprintf(id, sizeof id, "%s-%zu", p->job->id, entry->n);
    jsonw_member_text(w, "id", id);
    jsonw_member_int(w, "createdAt", p->job->created_ms);
    jsonw_member_int(w, "updatedAt", p->job->updated_ms);
    add_data(w, p, entry);
    jsonw_member_text(w, "validationStatus", entry_status_names[entry->validation]);
    jsonw_member_str_or_null(w, "validationMessage", message(p, entry, entry->validation));
    jsonw_member_null(w, "validationResult"); /* what was found wrong is all in the message */
    jsonw_member_text(w, "completionStatus", entry_status_names[entry->completion]);
    jsonw_member_str_or_null(w, "completionMessage", message(p, entry, entry->completion));
    add_result(w, entry);
    jsonw_member_text(w, "backgroundJob", p->job->id);
}

/* As a query to be asked for next, with every filter in it. */
static int next_text(const struct page *p, struct buf *out)
{
    int bad = buf_addf(out, "?skip=%" PRId64 "&limit=%" PRId64, p->o->skip + (int64_t)p->n, p->o->limit);
    if (p->o->completion >= 0)
        bad |= buf_addf(out, "&completionStatus=%s", entry_status_names[p->o->completion]);
    if (p->o->validation >= 0)
        bad |= buf_addf(out, "&validationStatus=%s", entry_status_names[p->o->validation]);
    return bad;
}

static int add_meta(const struct page *p, struct buf *out)
{
    struct buf next = BUF_INIT(1024);
    struct jsonw w;
    int bad = has_next(p) ? next_text(p, &next) : 0;
    jsonw_init_output(&w, out);
    jsonw_object(&w);
    jsonw_member_uint(&w, "total", p->total);
    jsonw_member_str_or_null(&w, "next", buf_str(&next));
    jsonw_object_end(&w);
    bad |= jsonw_end(&w);
    buf_free(&next);
    return bad;
}

static int print_head(struct page *p, struct buf *out)
{
    if (p->inv->common.output.format != FORMAT_TEXT)
        return 0;
    return buf_addf(out, "job %s, from %s to %s: %zu %s\n", p->job->id, job_end_name(p->state, p->job->from, &p->arena),
                    job_end_name(p->state, p->job->to, &p->arena), p->total, p->total == 1 ? "entry" : "entries");
}

static int jobs_entries_print_tail(const struct page *p, struct buf *out)
{
    if (p->inv->common.output.format == FORMAT_JSON)
        return add_meta(p, out) | buf_adds(out, "}\n");
    if (p->inv->common.output.format != FORMAT_TEXT || !has_next(p))
        return 0;
    return buf_addf(out, "%zu more: --skip %" PRId64 "\n", p->total - (size_t)p->o->skip - p->n, p->o->skip + (int64_t)p->n);
}

static int print_records(struct page *p, struct out *out, struct err *e)
{
    struct record_writer *w = &out->records;
    for (size_t i = 0; i < p->n; i++) {
        if (record_is_json(w))
            json_entry(record_object(w), p, p->v[i]);
        else
            jobs_entries_fill(w, p, p->v[i]);
        if (out_record(out, e) != 0)
            return -1;
    }
    return out_records_end(out, e);
}

static int jobs_entries_print(struct page *p, struct err *e)
{
    struct out out = {0};
    int rc = -1;
    if (out_open(&out, p->inv, OUT_PRIVATE, e) != 0 || out_records(&out, &p->inv->common, &layout, e) != 0)
        goto done;
    if (print_head(p, &out.text) != 0) {
        err_oom(e);
        goto done;
    }
    if (print_records(p, &out, e) != 0)
        goto done;
    rc = jobs_entries_print_tail(p, &out.text) == 0 ? out_commit(&out, e) : err_oom(e);
done:
    out_abandon(&out);
    return rc;
}

/* ---- */

static int jobs_entries_command(struct invocation *inv, struct err *e)
{
    enum { PAGE_BYTES = 256 << 20 };
    struct page p = {.inv = inv, .o = inv->options};
    struct job_entries all = {.v = NULL};
    struct job_views views;
    const char *id;
    int rc = -1;
    arena_init(&p.arena, PAGE_BYTES);
    job_views_init(&views);
    if (jobs_one_id(inv, &id, e) != 0 ||
        state_arg_open_sync(&inv->common, jobs_sync_operand(inv), STATE_READ, false, &p.state, e) != 0 ||
        job_views_ours(&views, p.state, e) != 0)
        goto done;
    p.job = job_views_find(&views, str_from(id));
    if (p.job == NULL) {
        err_set(e, XS_USAGE,
                "sync \"%s\" did not start the job %s, so its leads are unknown; leadsync jobs show has its "
                "counts; name another sync with SYNC or --state",
                state_sync(p.state), id);
        goto done;
    }
    if (job_entries_read(&all, p.state, p.job, e) == 0 && select_page(&p, &all, e) == 0)
        rc = jobs_entries_print(&p, e);
done:
    job_entries_free(&all);
    job_views_free(&views);
    arena_free(&p.arena);
    state_close(p.state);
    return rc;
}

const struct command command_jobs_entries = {
    .name = "jobs entries",
    .usage = "ID [SYNC]",
    .summary = "show what happened to each lead of a job that leadsync started",
    .help = "Lists one entry per lead, in the order of the rows, from the state alone.\n"
            "Validation is ERROR if the lead was not moved because it unsubscribed, bounced,\n"
            "was skipped or is in a conversation. Completion is SUCCESS if the lead is proved\n"
            "to be in its destination, and PENDING until leadsync resume or the next sync\n"
            "settles the job.",
    .examples = "leadsync jobs entries 6a4431f44bcfcb421d06d78e --completion-status ERROR",
    .groups = GROUP_OUTPUT | GROUP_STATE | GROUP_URL | GROUP_KEY | GROUP_CSV,
    .formats = formats,
    .options = options,
    .options_bytes = sizeof(struct entries_options),
    .defaults = &defaults,
    .operands_max = 2,
    .run = jobs_entries_command,
};
