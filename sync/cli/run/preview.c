/* `preview`: shows the first rows as the leads that they would become, or as they were read. Uses only source and mapping: no key,
 * no state, no request. */
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
#include "sync/pipeline/odd_cells.h"
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

/* clang-format off */
static const struct opt options[] = {
    {.name = "limit", .kind = OPT_INT, .dest = OPT_AT(preview_options, limit), .arg = "N", .min = 0, .max = INT64_MAX,
     .help = "number of rows to show; 0 is all (10)"},
    {.name = "raw", .kind = OPT_FLAG, .dest = OPT_AT(preview_options, raw),
     .help = "show rows as read from the source"},
    {.name = NULL},
};
/* clang-format on */

enum {
    LEFT_OUT_BYTES = 1 << 16,
    TEXT_BYTES = 1 << 20,
    SCRATCH_BYTES = 64 << 20,
    TABLE_ROWS = 500, /* a longer text preview comes in several tables, so that memory stays small */
    CELLS_CHARS = 40, /* of a row without an address */
    READABLE = 10,    /* terminal columns; with less for each, rows become blocks of lines */
};

/* The columns before the fields of a lead. */
enum { C_ROW, C_LEFT_OUT, C_TARGET, FIXED_COLUMNS };

/* In text, below the leads: cells whose value the mapping changes. */
enum { CHANGE_ROW, CHANGE_FIELD, CHANGE_READ, CHANGE_BECOMES, CHANGE_COLUMNS };
static const struct record_column change_columns[CHANGE_COLUMNS] = {
    [CHANGE_ROW] = {RECORD_NAME("row")},
    [CHANGE_FIELD] = {RECORD_NAME("field")},
    [CHANGE_READ] = {RECORD_NAME("as read")},
    [CHANGE_BECOMES] = {RECORD_NAME("becomes")},
};
/* clang-format off */
static const struct record_layout change_layout = {
    .columns = change_columns, .columns_n = CHANGE_COLUMNS, .title = "\nCells that get another value:\n", .none = "",
    .all_columns = true, .table_rows = SIZE_MAX};
/* clang-format on */

/* Values that on_error: empty drops. */
enum { EMPTIED_ROW, EMPTIED_VALUE, EMPTIED_COLUMNS };
static const struct record_column emptied_columns[EMPTIED_COLUMNS] = {
    [EMPTIED_ROW] = {RECORD_NAME("row")},
    [EMPTIED_VALUE] = {RECORD_NAME("value")},
};
/* clang-format off */
static const struct record_layout emptied_layout = {
    .columns = emptied_columns, .columns_n = EMPTIED_COLUMNS, .title = "\nLeft empty by on_error: empty:\n", .none = "",
    .all_columns = true, .table_rows = SIZE_MAX};
/* clang-format on */

/* One preview under way. */
struct preview {
    const struct invocation *inv;
    const struct preview_options *o;
    struct mapping *m;
    struct source *source;
    struct arena scratch;
    struct out out;
    struct record_column *columns; /* owned */
    struct record_layout layout;
    struct record_writer changes, emptied; /* text */
    struct odd_cells odd_cells;
    struct preview_raw raw;
};

/* ---- text ---- */

static int preview_make_layout(struct preview *p, struct err *e)
{
    bool raw = p->o->raw;
    size_t n = raw ? p->source->columns_n : FIXED_COLUMNS + LEAD_FIELD_N + p->m->shape.custom_n;
    p->columns = calloc(n + 1, sizeof *p->columns);
    if (p->columns == NULL)
        return err_oom(e);
    for (size_t i = 0; raw && i < n; i++)
        p->columns[i].name = p->source->columns[i].name;
    if (!raw) {
        p->columns[C_ROW].name = STR("row");
        p->columns[C_LEFT_OUT].name = STR("left out");
        p->columns[C_LEFT_OUT].yield = TABLE_BELOW;
        p->columns[C_TARGET].name = STR("target");
    }
    for (size_t f = 0; !raw && f < LEAD_FIELD_N; f++)
        p->columns[FIXED_COLUMNS + f].name = str_from(lead_field_table[f].api);
    for (size_t i = 0; !raw && i < p->m->shape.custom_n; i++)
        p->columns[FIXED_COLUMNS + LEAD_FIELD_N + i].name = p->m->shape.custom_names[i];
    p->layout = (struct record_layout){.columns = p->columns,
                                       .columns_n = n,
                                       .hide_empty = !raw,
                                       .all_columns = true,
                                       .records_below = READABLE,
                                       .table_rows = SIZE_MAX};
    return 0;
}

static int text_flush(struct preview *p, struct err *e)
{
    if (record_flush(&p->out.records) != 0 || record_flush(&p->changes) != 0 || record_flush(&p->emptied) != 0)
        return err_oom(e);
    return out_flush(&p->out, false, e);
}

/* The target of a mapped row. NULL: none is given, or no route matches. */
static const struct target_spec *target_of(const struct mapping *m, const struct mapped *mapped)
{
    if (m->routes_n == 0)
        return *m->target.text != '\0' ? &m->target : NULL;
    if (mapped->verdict != MAPPED_LEAD)
        return NULL;
    return mapped->target_index < m->routes_n ? &m->routes[mapped->target_index].target : &m->route_default;
}

static void text_value(struct record_writer *w, size_t column, const struct value *v)
{
    if (v->kind == VALUE_NULL) {
        record_text(w, column, "(cleared)");
        record_colour(w, column, TABLE_YELLOW);
    } else if (v->kind != VALUE_ABSENT) {
        record_str(w, column, (struct str){v->p, v->n});
    }
}

/* In quotes, so that blanks are visible; "(empty)" for an empty value. */
static int text_quoted(struct record_writer *w, size_t column, struct str text, enum table_colour colour)
{
    struct buf quoted = BUF_INIT(SCRATCH_BYTES);
    int bad = text.n > 0 ? buf_addf(&quoted, "\"%.*s\"", STR_ARG(text)) : buf_adds(&quoted, "(empty)");
    record_copy(w, column, buf_str(&quoted));
    record_colour(w, column, text.n > 0 ? colour : TABLE_DIM);
    buf_free(&quoted);
    return bad;
}

/* Prints a field beside the cell it was read from, if they differ. */
static int text_change(struct preview *p, const struct row *row, size_t slot, struct str name, const struct value *v)
{
    struct record_writer *w = &p->changes;
    struct str raw, made = v->kind == VALUE_ABSENT || v->kind == VALUE_NULL ? STR_NONE : (struct str){v->p, v->n};
    int bad = 0, found = mapping_origin(p->m, slot, row, &p->scratch, &raw);
    if (found <= 0)
        return found;
    if (str_eq(raw, made) || (made.n == 0 && str_trim(raw).n == 0))
        return 0;
    record_ordinal(w, CHANGE_ROW, row->number);
    record_colour(w, CHANGE_ROW, TABLE_DIM);
    record_str(w, CHANGE_FIELD, name);
    bad |= text_quoted(w, CHANGE_READ, raw, TABLE_PLAIN);
    /* Numbers and booleans have no quotes, as in JSON. */
    if (v->kind == VALUE_STRING) {
        bad |= text_quoted(w, CHANGE_BECOMES, made, TABLE_GREEN);
    } else {
        record_str(w, CHANGE_BECOMES, made.n > 0 ? made : STR("(empty)"));
        record_colour(w, CHANGE_BECOMES, TABLE_GREEN);
    }
    return bad | record_end(w);
}

static int text_changes(struct preview *p, const struct row *row, const struct mapped *mapped)
{
    const struct lead *lead = &mapped->lead;
    struct record_writer *w = &p->emptied;
    struct buf text = BUF_INIT(SCRATCH_BYTES);
    int bad = 0;
    for (size_t i = 0; i < mapped->emptied_n && bad == 0; i++) {
        buf_reset(&text);
        bad = mapping_reject_text(&mapped->emptied[i], &text);
        record_ordinal(w, EMPTIED_ROW, row->number);
        record_colour(w, EMPTIED_ROW, TABLE_DIM);
        record_str(w, EMPTIED_VALUE, buf_str(&text));
        record_colour(w, EMPTIED_VALUE, TABLE_YELLOW);
        bad |= record_end(w);
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

/* " (Cid; Acme)": a row without a key is known by its first cells. */
static int text_cells(const struct preview *p, const struct row *row, struct buf *out)
{
    struct buf packed = BUF_INIT(SCRATCH_BYTES);
    int bad = source_cells_pack(p->source, row, &packed);
    bad |= cells_show_name(" ", buf_str(&packed), CELLS_CHARS, out) < 0;
    buf_free(&packed);
    return bad;
}

/* "email_invalid: Email Address: \"ann@\" has no domain after the @", one after the other. */
static int text_left_out(const struct preview *p, const struct row *row, const struct mapped *mapped, struct buf *out)
{
    if (mapped->verdict == MAPPED_SKIP)
        if (buf_addf(out, "skipped: %s: ", reason_text(mapped->reason)) != 0 || skip_text(p, mapped, out) != 0)
            return -1;
    for (size_t i = 0; i < mapped->rejects_n; i++) {
        const struct reject *r = &mapped->rejects[i];
        if (buf_addf(out, "%s%s: ", i > 0 ? "; " : "", reason_text(r->reason)) != 0 || mapping_reject_text(r, out) != 0)
            return -1;
    }
    return mapped->verdict != MAPPED_LEAD && mapped->key_text.n == 0 ? text_cells(p, row, out) : 0;
}

static int text_lead(struct preview *p, const struct row *row, const struct mapped *mapped)
{
    struct record_writer *w = &p->out.records;
    struct buf text = BUF_INIT(TEXT_BYTES);
    const struct target_spec *target = target_of(p->m, mapped);
    /* A row that skip_when leaves out still makes a lead; one that the route leaves out does not. */
    bool has_lead = mapped->verdict == MAPPED_LEAD || (mapped->verdict == MAPPED_SKIP && mapped->reason == REASON_SKIP_WHEN);
    int bad = text_left_out(p, row, mapped, &text);
    record_ordinal(w, C_ROW, row->number);
    record_colour(w, C_ROW, TABLE_DIM);
    record_copy(w, C_LEFT_OUT, buf_str(&text));
    record_colour(w, C_LEFT_OUT, mapped->verdict == MAPPED_REJECT ? TABLE_RED : TABLE_YELLOW);
    /* The target is the same in every row unless a route decides. */
    if (p->m->routes_n > 0 && target != NULL)
        record_text(w, C_TARGET, target->text);
    for (size_t f = 0; has_lead && f < LEAD_FIELD_N; f++)
        text_value(w, FIXED_COLUMNS + f, &mapped->lead.core[f]);
    for (size_t i = 0; has_lead && i < p->m->shape.custom_n; i++)
        text_value(w, FIXED_COLUMNS + LEAD_FIELD_N + i, &mapped->lead.custom[i]);
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
    struct jsonw *w = record_object(&p->out.records);
    struct buf lead = BUF_INIT(SCRATCH_BYTES);
    int bad = 0;
    jsonw_member_uint(w, "row", row->number);
    jsonw_member_ordinal(w, "line", row->line);
    jsonw_member_str_or_null(w, "key", mapped->key_text);
    json_target(target_of(p->m, mapped), w);
    if (mapped->verdict == MAPPED_LEAD)
        bad = api_lead_json(&mapped->lead, &lead);
    jsonw_member_raw(w, "lead", buf_str(&lead));
    bad |= json_rejects("rejects", mapped->rejects, mapped->rejects_n, w);
    if (mapped->emptied_n > 0)
        bad |= json_rejects("emptied", mapped->emptied, mapped->emptied_n, w);
    if (mapped->verdict == MAPPED_SKIP)
        bad |= json_skip(p, mapped, w);
    buf_free(&lead);
    return bad;
}

/* ---- rows ---- */

/* Makes the row the record under way. 1/-1 */
static int show_mapped(struct preview *p, const struct row *row, struct err *e)
{
    struct mapped mapped;
    arena_reset(&p->scratch);
    if (mapping_apply(p->m, row, &p->scratch, &mapped, e) != 0)
        return -1;
    source_bind_warn(p->source, row, &mapped, true);
    if (odd_cells_see(&p->odd_cells, p->source, p->m, row, e) != 0)
        return -1;
    int bad = record_is_json(&p->out.records) ? json_lead(p, row, &mapped) : text_lead(p, row, &mapped);
    return bad == 0 ? 1 : err_oom(e);
}

static int show_rows(struct preview *p, struct err *e)
{
    struct record_writer *w = &p->out.records;
    struct row row;
    int rc = 0;
    uint64_t limit = p->o->limit > 0 ? (uint64_t)p->o->limit : UINT64_MAX;
    while (w->n < limit && (rc = source_next(p->source, &row, e)) > 0) {
        if (w->n > 0 && w->n % TABLE_ROWS == 0 && text_flush(p, e) != 0)
            return -1;
        rc = p->o->raw ? preview_raw_row(&p->raw, &row, w) : show_mapped(p, &row, e);
        if (rc < 0 || (rc > 0 && out_record(&p->out, e) != 0))
            return -1;
    }
    if (rc == 0 && p->source->changed != NULL)
        log_warning("%s: %s while it was read; rows may be missing or half old", p->source->label, p->source->changed);
    return rc < 0 ? -1 : 0;
}

static int preview_show(struct preview *p, struct err *e)
{
    p->changes = p->emptied = out_table(&p->inv->common, &p->out.text);
    if (record_open(&p->changes, &change_layout) != 0 || record_open(&p->emptied, &emptied_layout) != 0)
        return err_oom(e);
    if (preview_make_layout(p, e) != 0 || out_records(&p->out, &p->inv->common, &p->layout, e) != 0 || show_rows(p, e) != 0)
        return -1;
    odd_cells_report(&p->odd_cells);
    if (p->out.records.n == 0)
        log_notice("%s: no rows to show", p->source->label);
    if (out_records_end(&p->out, e) != 0)
        return -1;
    if (record_finish(&p->changes) != 0 || record_finish(&p->emptied) != 0)
        return err_oom(e);
    if (out_commit(&p->out, e) != 0)
        return -1;
    if (!p->o->raw && p->inv->common.output.format == FORMAT_TEXT && p->out.records.n > 0)
        log_notice("leadsync diff also finds duplicates, and people who opt out in another row");
    return 0;
}

/* ---- start ---- */

/* Columns meet fields; those that nothing uses are named, because a forgotten column looks like success. */
static int bind_columns(struct preview *p, struct err *e)
{
    if (source_bind(p->source, p->m, e) != 0)
        return -1;
    struct buf list = BUF_INIT(LEFT_OUT_BYTES);
    const struct str *unused;
    size_t n = mapping_unused(p->m, &unused);
    for (size_t i = 0; i < n; i++)
        log_detail("column \"%.*s\" is not used", STR_ARG(unused[i]));
    if (mapping_unused_text(p->m, &list) > 0)
        log_notice("columns that are not sent: %.*s", STR_ARG(buf_str(&list)));
    buf_free(&list);
    return 0;
}

static int preview_command(struct invocation *inv, struct err *e)
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
    if (out_open(&p.out, inv, OUT_PRIVATE, e) != 0)
        goto done;
    rc = preview_show(&p, e);
done:
    out_abandon(&p.out);
    odd_cells_free(&p.odd_cells);
    record_free(&p.changes);
    record_free(&p.emptied);
    free(p.columns);
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
    .groups = GROUP_OUTPUT | GROUP_CSV | GROUP_CSV_READ | GROUP_SOURCE,
    .formats = formats,
    .options = options,
    .options_bytes = sizeof(struct preview_options),
    .defaults = &defaults,
    .operands_max = 1,
    .run = preview_command,
};
