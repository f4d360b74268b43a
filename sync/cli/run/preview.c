/* `preview`: the first rows as the leads they would become, or as they were read. Source and mapping only: no key, no
 * state, nothing sent. */
#include "config.h"

#include "connectors/source.h"
#include "mappings/mapping.h"
#include "sync/api/api.h"
#include "sync/base/jsonw.h"
#include "sync/base/log.h"
#include "sync/cli/commands.h"
#include "sync/cli/out.h"
#include "sync/cli/run/preview_raw.h"
#include "sync/cli/args/sync_arg.h"
#include "sync/report/table.h"
#include "sync/pipeline/source_bind.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct preview_options {
    int64_t limit;
    bool raw;
};

static const struct preview_options defaults = {.limit = 10};
static const char *const formats[] = {"text", "json", "ndjson", NULL};

static const struct opt options[] = {
    {.name = "limit", .kind = OPT_INT, .dest = OPT_AT(preview_options, limit), .arg = "N", .min = 0, .max = INT64_MAX,
     .help = "number of rows to show; 0 is all (10)"},
    {.name = "raw", .kind = OPT_FLAG, .dest = OPT_AT(preview_options, raw),
     .help = "show rows as read from the source"},
    {.name = NULL},
};

enum {
    LEFT_OUT_BYTES = 1 << 16,
    SCRATCH_BYTES = 64 << 20,
    TABLE_ROWS = 500, /* a longer text preview comes in several tables, so that memory stays small */
    FIXED_COLUMNS = 3, /* row, target, left out */
    CHANGE_COLUMNS = 4,
    EMPTIED_COLUMNS = 2,
    READABLE = 10, /* terminal columns; with less for each, rows become blocks of lines */
};

/* One preview under way. */
struct preview {
    const struct invocation *inv;
    const struct preview_options *o;
    struct mapping *m;
    struct source *source;
    struct arena scratch;
    struct out out;
    struct table table;
    struct table changes; /* text: what stands in a lead otherwise than in its row */
    struct table emptied; /* text: values that on_error: empty lets go */
    uint64_t shown;
    struct preview_raw raw;
};

/* ---- text ---- */

static size_t text_columns(const struct preview *p)
{
    return p->o->raw ? p->source->columns_n : FIXED_COLUMNS + LEAD_FIELD_N + p->m->shape.custom_n;
}

static int text_head(struct preview *p)
{
    static const char *const change_head[CHANGE_COLUMNS] = {"row", "field", "as read", "becomes"};
    struct table *t = &p->table;
    int bad = 0;
    table_init(t, text_columns(p), NULL);
    t->hide_empty = !p->o->raw;
    t->records_below = READABLE;
    table_init(&p->changes, CHANGE_COLUMNS, NULL);
    for (size_t i = 0; i < CHANGE_COLUMNS; i++)
        bad |= table_add(&p->changes, str_from(change_head[i]), TABLE_DIM);
    table_init(&p->emptied, EMPTIED_COLUMNS, NULL);
    bad |= table_add(&p->emptied, STR("row"), TABLE_DIM) | table_add(&p->emptied, STR("value"), TABLE_DIM);
    if (p->o->raw) {
        for (size_t i = 0; i < p->source->columns_n; i++)
            bad |= table_add(t, p->source->columns[i].name, TABLE_DIM);
        return bad;
    }
    bad |= table_add(t, STR("row"), TABLE_DIM);
    bad |= table_add(t, STR("left out"), TABLE_DIM);
    bad |= table_add(t, STR("target"), TABLE_DIM);
    for (int f = 0; f < LEAD_FIELD_N; f++)
        bad |= table_add(t, str_from(lead_field_table[f].api), TABLE_DIM);
    for (size_t i = 0; i < p->m->shape.custom_n; i++)
        bad |= table_add(t, p->m->shape.custom_names[i], TABLE_DIM);
    return bad;
}

/* A table below the leads, when it has more than its head. */
static int text_below(struct preview *p, struct table *t, size_t columns, const char *title)
{
    int bad = 0;
    if (t->cells.n > columns * sizeof(struct table_cell))
        bad = buf_adds(&p->out.text, title) |
              table_print(t, p->inv->common.columns, p->inv->common.colour_out, &p->out.text);
    table_free(t);
    return bad;
}

static int text_flush(struct preview *p, struct err *e)
{
    if (table_print(&p->table, p->inv->common.columns, p->inv->common.colour_out, &p->out.text) != 0)
        return err_oom(e);
    table_free(&p->table);
    if (text_below(p, &p->changes, CHANGE_COLUMNS, "\nWhat the mapping makes of these cells:\n") != 0 ||
        text_below(p, &p->emptied, EMPTIED_COLUMNS, "\nLeft empty by on_error: empty:\n") != 0)
        return err_oom(e);
    return out_flush(&p->out, false, e);
}

/* Where a mapped row would go; NULL when nothing says so, or a route could not tell. */
static const struct target_spec *target_of(const struct mapping *m, const struct mapped *mapped)
{
    if (m->routes_n == 0)
        return *m->target.text != '\0' ? &m->target : NULL;
    if (mapped->verdict != MAPPED_LEAD)
        return NULL;
    return mapped->target_index < m->routes_n ? &m->routes[mapped->target_index].target : &m->route_default;
}

static int text_value(struct table *t, const struct value *v)
{
    if (v->kind == VALUE_NULL)
        return table_add(t, STR("(cleared)"), TABLE_YELLOW);
    return table_add(t, v->kind == VALUE_ABSENT ? STR_NONE : (struct str){v->p, v->n}, TABLE_PLAIN);
}

/* In quotes, so that blanks are seen; "(empty)" for nothing. */
static int text_quoted(struct table *t, struct str text, enum table_colour colour)
{
    struct buf quoted = BUF_INIT(SCRATCH_BYTES);
    if (text.n == 0)
        return table_add(t, STR("(empty)"), TABLE_DIM);
    int bad = buf_addf(&quoted, "\"%.*s\"", STR_ARG(text)) != 0 || table_add(t, buf_str(&quoted), colour) != 0;
    buf_free(&quoted);
    return bad ? -1 : 0;
}

/* One field beside what it was read as, where the two differ. */
static int text_change(struct preview *p, const struct row *row, size_t slot, struct str name, const struct value *v)
{
    struct table *t = &p->changes;
    struct str raw, made = v->kind == VALUE_ABSENT || v->kind == VALUE_NULL ? STR_NONE : (struct str){v->p, v->n};
    char number[24];
    int found = mapping_origin(p->m, slot, row, &p->scratch, &raw);
    if (found <= 0)
        return found;
    if (str_eq(raw, made) || (made.n == 0 && str_trim(raw).n == 0))
        return 0;
    int n = snprintf(number, sizeof number, "%llu", (unsigned long long)row->number);
    int bad = table_add(t, (struct str){number, (size_t)n}, TABLE_DIM) | table_add(t, name, TABLE_PLAIN);
    bad |= text_quoted(t, raw, TABLE_PLAIN);
    /* Numbers and booleans stand without quotes, as they will in JSON. */
    return bad | (v->kind == VALUE_STRING ? text_quoted(t, made, TABLE_GREEN)
                                          : table_add(t, made.n > 0 ? made : STR("(empty)"), TABLE_GREEN));
}

static int text_changes(struct preview *p, const struct row *row, const struct mapped *mapped)
{
    const struct lead *lead = &mapped->lead;
    struct buf text = BUF_INIT(SCRATCH_BYTES);
    char number[24];
    int n = snprintf(number, sizeof number, "%llu", (unsigned long long)row->number), bad = 0;
    for (size_t i = 0; i < mapped->emptied_n && bad == 0; i++) {
        buf_reset(&text);
        bad = table_add(&p->emptied, (struct str){number, (size_t)n}, TABLE_DIM) |
              mapping_reject_text(&mapped->emptied[i], &text) | table_add(&p->emptied, buf_str(&text), TABLE_YELLOW);
    }
    buf_free(&text);
    for (size_t f = 0; f < LEAD_FIELD_N && bad == 0; f++)
        bad = text_change(p, row, f, str_from(lead_field_table[f].api), &lead->core[f]);
    for (size_t i = 0; i < p->m->shape.custom_n && bad == 0; i++)
        bad = text_change(p, row, LEAD_FIELD_N + i, p->m->shape.custom_names[i], &lead->custom[i]);
    return bad;
}

/* What a rule, a map or the route says of a row that it leaves out. */
static int skip_text(const struct preview *p, const struct mapped *mapped, struct buf *out)
{
    return mapped->skip_value > 0 ? mapping_skip_text(p->m, mapped->skip_value, mapped->skip_cell, out)
                                  : mapping_reject_text(&mapped->skip, out);
}

/* "email_invalid: Email Address: \"ann@\" has no domain after the @", one after the other. */
static int text_left_out(const struct preview *p, const struct mapped *mapped, struct buf *out)
{
    if (mapped->verdict == MAPPED_SKIP)
        return buf_addf(out, "skipped: %s: ", reason_text(mapped->reason)) != 0 ? -1 : skip_text(p, mapped, out);
    for (size_t i = 0; i < mapped->rejects_n; i++) {
        const struct reject *r = &mapped->rejects[i];
        if (buf_addf(out, "%s%s: ", i > 0 ? "; " : "", reason_text(r->reason)) != 0 || mapping_reject_text(r, out) != 0)
            return -1;
    }
    return 0;
}

static int text_lead(struct preview *p, const struct row *row, const struct mapped *mapped)
{
    struct table *t = &p->table;
    struct buf text = BUF_INIT(1 << 20);
    const struct target_spec *target = target_of(p->m, mapped);
    /* A row that skip_when leaves out is a lead all the same; one that the route leaves out is none. */
    bool has_lead = mapped->verdict == MAPPED_LEAD ||
                    (mapped->verdict == MAPPED_SKIP && mapped->reason == REASON_SKIP_WHEN);
    struct value none = {.kind = VALUE_ABSENT};
    int bad = buf_addf(&text, "%llu", (unsigned long long)row->number);
    bad |= table_add(t, buf_str(&text), TABLE_DIM);
    buf_reset(&text);
    bad |= text_left_out(p, mapped, &text);
    bad |= table_add(t, buf_str(&text), mapped->verdict == MAPPED_REJECT ? TABLE_RED : TABLE_YELLOW);
    /* The target is the same in every row unless a route decides. */
    bad |= table_add(t, p->m->routes_n > 0 && target != NULL ? str_from(target->text) : STR_NONE, TABLE_PLAIN);
    for (int f = 0; f < LEAD_FIELD_N; f++)
        bad |= text_value(t, has_lead ? &mapped->lead.core[f] : &none);
    for (size_t i = 0; i < p->m->shape.custom_n; i++)
        bad |= text_value(t, has_lead ? &mapped->lead.custom[i] : &none);
    if (mapped->verdict == MAPPED_LEAD)
        bad |= text_changes(p, row, mapped);
    buf_free(&text);
    return bad;
}

/* ---- JSON ---- */

static void json_target(const struct target_spec *target, struct jsonw *w)
{
    struct uuid id;
    char text[UUID_TEXT_N];
    if (target == NULL) {
        jsonw_member_null(w, "target");
        return;
    }
    bool is_id = uuid_parse(str_from(target->text), &id) == 0;
    jsonw_member_object(w, "target");
    jsonw_member_text(w, "kind", target_kind_text(target->kind));
    jsonw_member_text(w, "id", is_id ? uuid_format(&id, text) : NULL);
    jsonw_member_text(w, "name", is_id ? NULL : target->text);
    jsonw_object_end(w);
}

static int json_reject(const struct reject *r, struct jsonw *w)
{
    struct buf detail = BUF_INIT(SCRATCH_BYTES);
    int bad = mapping_reject_text(r, &detail);
    jsonw_object(w);
    jsonw_member_text(w, "column", r->column);
    jsonw_member_text(w, "reason", reason_text(r->reason));
    if (r->value.p != NULL)
        jsonw_member_str(w, "value", r->value);
    else
        jsonw_member_null(w, "value");
    jsonw_member_str(w, "detail", buf_str(&detail));
    jsonw_object_end(w);
    buf_free(&detail);
    return bad;
}

static int json_rejects(const char *key, const struct reject *rejects, size_t n, struct jsonw *w)
{
    int bad = 0;
    jsonw_member_array(w, key);
    for (size_t i = 0; i < n; i++)
        bad |= json_reject(&rejects[i], w);
    jsonw_array_end(w);
    return bad;
}

/* Which rule, map or route leaves the row out. */
static int json_skip(const struct preview *p, const struct mapped *mapped, struct jsonw *w)
{
    struct buf detail = BUF_INIT(SCRATCH_BYTES);
    int bad = skip_text(p, mapped, &detail);
    jsonw_member_str(w, "skipped", buf_str(&detail));
    buf_free(&detail);
    return bad;
}

/* `lead` is the very item that leads/add would get. */
static int json_lead(struct preview *p, const struct row *row, const struct mapped *mapped)
{
    struct jsonw w;
    struct buf lead = BUF_INIT(SCRATCH_BYTES);
    int bad = 0;
    jsonw_init_output(&w, &p->out.text);
    jsonw_object(&w);
    jsonw_member_uint(&w, "row", row->number);
    jsonw_member_ordinal(&w, "line", row->line);
    jsonw_member_str_or_null(&w, "key", mapped->key_text);
    json_target(target_of(p->m, mapped), &w);
    if (mapped->verdict == MAPPED_LEAD)
        bad = api_lead_json(&mapped->lead, &lead);
    jsonw_member_raw(&w, "lead", buf_str(&lead));
    bad |= json_rejects("rejects", mapped->rejects, mapped->rejects_n, &w);
    if (mapped->emptied_n > 0)
        bad |= json_rejects("emptied", mapped->emptied, mapped->emptied_n, &w);
    if (mapped->verdict == MAPPED_SKIP)
        bad |= json_skip(p, mapped, &w);
    jsonw_object_end(&w);
    buf_free(&lead);
    return jsonw_end(&w) | bad;
}

/* ---- rows ---- */

static int show_mapped(struct preview *p, const struct row *row, struct err *e)
{
    struct mapped mapped;
    arena_reset(&p->scratch);
    if (mapping_apply(p->m, row, &p->scratch, &mapped, e) != 0)
        return -1;
    source_bind_warn(p->source, row, &mapped);
    int bad = p->inv->common.format == FORMAT_TEXT ? text_lead(p, row, &mapped) : json_lead(p, row, &mapped);
    return bad == 0 ? 1 : err_oom(e);
}

/* What stands between two records: "," in an array, a new table now and then. */
static int before_row(struct preview *p, struct err *e)
{
    int bad = 0;
    if (p->inv->common.format == FORMAT_JSON)
        bad = buf_adds(&p->out.text, p->shown > 0 ? ",\n" : "");
    else if (p->inv->common.format == FORMAT_TEXT && p->shown > 0 && p->shown % TABLE_ROWS == 0)
        return text_flush(p, e) == 0 && text_head(p) == 0 ? 0 : err_oom(e);
    return bad == 0 ? 0 : err_oom(e);
}

static int show_rows(struct preview *p, struct err *e)
{
    struct row row;
    int rc = 0;
    uint64_t limit = p->o->limit > 0 ? (uint64_t)p->o->limit : UINT64_MAX;
    while (p->shown < limit && (rc = source_next(p->source, &row, e)) > 0) {
        bool left_out = p->o->raw && !preview_raw_has_shape(&p->raw, &row);
        if (!left_out && before_row(p, e) != 0)
            return -1;
        rc = p->o->raw ? preview_raw_row(&p->raw, &row, e) : show_mapped(p, &row, e);
        if (rc < 0)
            return -1;
        p->shown += (uint64_t)rc;
        if (rc > 0 && p->inv->common.format == FORMAT_NDJSON && buf_addc(&p->out.text, '\n') != 0)
            return err_oom(e);
        if (out_flush(&p->out, false, e) != 0)
            return -1;
    }
    if (rc == 0 && p->source->changed != NULL)
        log_warning("%s: %s while it was read; rows may be missing or half old", p->source->label, p->source->changed);
    return rc < 0 ? -1 : 0;
}

static int show(struct preview *p, struct err *e)
{
    enum format format = p->inv->common.format;
    if ((format == FORMAT_TEXT && text_head(p) != 0) || (format == FORMAT_JSON && buf_adds(&p->out.text, "[") != 0))
        return err_oom(e);
    if (show_rows(p, e) != 0)
        return -1;
    if (p->shown == 0)
        log_notice("%s: there is no row to show", p->source->label);
    if (format == FORMAT_TEXT && text_flush(p, e) != 0)
        return -1;
    if (format == FORMAT_JSON && buf_adds(&p->out.text, "]\n") != 0)
        return err_oom(e);
    return out_commit(&p->out, e);
}

/* ---- start ---- */

/* Columns meet fields; those that nothing uses are named, because a forgotten column looks like success. */
static int bind_columns(struct preview *p, struct err *e)
{
    if (source_bind(p->source, p->m, e) != 0)
        return -1;
    struct buf list = BUF_INIT(LEFT_OUT_BYTES);
    if (mapping_unused_text(p->m, &list) > 0)
        log_notice("left out: %.*s", STR_ARG(buf_str(&list)));
    buf_free(&list);
    return 0;
}

static int run(struct invocation *inv, struct err *e)
{
    struct preview p = {.inv = inv, .o = inv->options};
    int rc = -1;
    arena_init(&p.scratch, SCRATCH_BYTES);
    if (sync_arg_load(inv, false, &p.m, e) != 0)
        goto done;
    if (source_open(&p.m->source, NULL, inv->common.clock, &p.source, e) != 0)
        goto done;
    if (!p.o->raw && bind_columns(&p, e) != 0)
        goto done;
    if (p.o->raw && preview_raw_start(&p.raw, p.source, &p.m->source, e) != 0)
        goto done;
    p.raw.table = inv->common.format == FORMAT_TEXT ? &p.table : NULL;
    p.raw.json = &p.out.text;
    if (out_open(&p.out, inv, OUT_PRIVATE, e) != 0)
        goto done;
    rc = show(&p, e);
done:
    out_abandon(&p.out);
    table_free(&p.table);
    table_free(&p.changes);
    table_free(&p.emptied);
    source_close(p.source);
    arena_free(&p.scratch);
    preview_raw_free(&p.raw);
    mapping_free(p.m);
    return rc;
}

const struct command command_preview = {
    .name = "preview",
    .usage = "SYNC",
    .summary = "show the first rows as the leads they would become",
    .help = "Reads the first rows of the source. Shows the leads that the mapping makes of\n"
            "them, the cells whose value the mapping changes, and why rows are left out.\n"
            "Needs no API key and no target, and sends nothing.",
    .examples = "leadsync preview people.csv\n"
                "leadsync preview people.yaml --limit 50 --raw",
    .groups = GROUP_OUTPUT | GROUP_CSV | GROUP_SOURCE,
    .formats = formats,
    .options = options,
    .options_bytes = sizeof(struct preview_options),
    .defaults = &defaults,
    .operands_max = 1,
    .run = run,
};
