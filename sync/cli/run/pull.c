/* `pull`: the engagement of the targets' leads, into a CSV or a table of PostgreSQL. */
#include "config.h"

#include "connectors/postgres/postgres_engagement.h"
#include "sync/base/log.h"
#include "sync/base/text.h"
#include "sync/cli/commands.h"
#include "sync/cli/out.h"
#include "sync/cli/out_check.h"
#include "sync/cli/run/runner.h"
#include "sync/pipeline/run_pull.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct pull_options {
    const char *to, *table;
    bool create, since_last;
};

static const char *const formats[] = {"text", "json", NULL};

/* clang-format off */
static const struct opt options[] = {
    {.name = "to", .section = OPT_OUTPUT, .kind = OPT_TEXT, .dest = OPT_AT(pull_options, to), .arg = "FILE.csv|URL", .min = 1,
     .help = "write to this CSV file, or to the PostgreSQL database of this URL, without a password"},
    {.name = "table", .section = OPT_OUTPUT, .kind = OPT_TEXT, .dest = OPT_AT(pull_options, table), .arg = "NAME", .min = 1,
     .help = "table of the database"},
    {.name = "create", .section = OPT_OUTPUT, .kind = OPT_FLAG, .dest = OPT_AT(pull_options, create),
     .help = "create the table if it is missing, and add columns that it lacks"},
    {.name = "since-last", .section = OPT_OUTPUT, .kind = OPT_FLAG, .dest = OPT_AT(pull_options, since_last),
     .help = "write only leads that changed since the last pull to the same place"},
    {.name = NULL},
};
/* clang-format on */
static const struct pull_options defaults = {.table = "leadsync_engagement"};

/* ---- where to ---- */

struct pull_place {
    const struct pull_options *options;
    bool is_file;
    int64_t deadline_us;
    char *full; /* of a file: its path, with the folder resolved; owned */
    struct out csv;
    struct record_column columns[ENGAGEMENT_COLUMN_N];
    struct record_layout layout;
    struct postgres_engagement *table;
};

static int pull_csv_begin(void *ctx, const char *sync, bool *fresh, struct err *e)
{
    struct pull_place *p = ctx;
    (void)sync;
    *fresh = false; /* a file of changes has only the changes, whatever became of the file before it */
    for (size_t i = 0; i < ENGAGEMENT_COLUMN_N; i++)
        p->columns[i] = (struct record_column){
            .name = engagement_column_table[i].name,
            .kind = strcmp(engagement_column_table[i].sql_type, "bigint") == 0 ? RECORD_NUMBER : RECORD_STRING,
        };
    p->layout = (struct record_layout){.columns = p->columns, .columns_n = ENGAGEMENT_COLUMN_N, .guard = true};
    buf_init(&p->csv.text, OUT_BUFFER_BYTES);
    p->csv.records = (struct record_writer){.format = RECORD_CSV, .out = &p->csv.text};
    if (record_open(&p->csv.records, &p->layout) != 0)
        return err_oom(e);
    return output_open(&p->csv.file, p->options->to, OUT_PRIVATE, e);
}

static int pull_csv_add(void *ctx, const struct str cells[ENGAGEMENT_COLUMN_N], struct err *e)
{
    struct pull_place *p = ctx;
    for (size_t i = 0; i < ENGAGEMENT_COLUMN_N; i++)
        record_str(&p->csv.records, i, cells[i]);
    return out_record(&p->csv, e);
}

static int pull_csv_finish(void *ctx, uint64_t *written, struct err *e)
{
    struct pull_place *p = ctx;
    *written = p->csv.records.n;
    return out_records_end(&p->csv, e) != 0 ? -1 : out_commit(&p->csv, e);
}

/* Connects again, because reading the pages can take longer than a pooler keeps an idle connection. */
static int pull_table_begin(void *ctx, const char *sync, bool *fresh, struct err *e)
{
    struct pull_place *p = ctx;
    return postgres_engagement_open(p->options->to, p->options->table, p->options->create, sync, p->deadline_us, &p->table,
                                    fresh, e);
}

static int pull_table_add(void *ctx, const struct str cells[ENGAGEMENT_COLUMN_N], struct err *e)
{
    struct pull_place *p = ctx;
    return postgres_engagement_add(p->table, cells, e);
}

static int pull_table_finish(void *ctx, uint64_t *written, struct err *e)
{
    struct pull_place *p = ctx;
    return postgres_engagement_flush(p->table, written, e);
}

/* A table that cannot be written is found before the pages are read, and not after an hour. */
static int try_table(struct pull_place *p, char **name, struct err *e)
{
    struct postgres_engagement *w;
    if (postgres_engagement_open(p->options->to, p->options->table, p->options->create, "", p->deadline_us, &w, NULL, e) !=
        0)
        return -1;
    *name = strdup(postgres_engagement_label(w));
    postgres_engagement_close(w);
    return *name != NULL ? 0 : err_oom(e);
}

static bool is_csv(const char *to)
{
    size_t n = strlen(to);
    return n > strlen(".csv") && strcasecmp(to + n - strlen(".csv"), ".csv") == 0;
}

static bool is_database(const char *to)
{
    return strncmp(to, "postgresql://", strlen("postgresql://")) == 0 ||
           strncmp(to, "postgres://", strlen("postgres://")) == 0 || (strchr(to, '=') != NULL && !is_csv(to));
}

/* Before anything is opened: is --to a file that may be replaced, or a URL without a password? */
static int pull_check_to(struct invocation *inv, struct pull_place *p, struct err *e)
{
    const char *to = p->options->to;
    if (to == NULL)
        return err_set(e, XS_USAGE, "missing --to; write --to FILE.csv or --to postgresql://user@host/database");
    p->is_file = !is_database(to);
    if (!p->is_file)
        return postgres_engagement_check_url(to, e);
    if (!is_csv(to))
        return err_set(e, XS_USAGE,
                       "--to %s: is neither a CSV file nor a database; write --to FILE.csv or --to "
                       "postgresql://user@host/database",
                       to);
    if (p->options->create || p->options->table != defaults.table)
        return err_set(e, XS_USAGE, "--table and --create are for a database; leave them out with --to FILE.csv");
    inv->common.output.to = to;
    return out_check(inv, e);
}

/* ---- the summary ---- */

static int pull_json(const struct pull_place *p, const struct pull_summary *s, const char *name, struct buf *out)
{
    struct jsonw w;
    jsonw_init(&w, out);
    jsonw_object(&w);
    jsonw_member_uint(&w, "version", 1);
    jsonw_member_text(&w, "sync", s->sync);
    jsonw_member_text(&w, "to", name);
    jsonw_member_bool(&w, "since_last", p->options->since_last);
    jsonw_member_time(&w, "started_at", s->started_ms);
    jsonw_member_time(&w, "finished_at", s->finished_ms);
    jsonw_member_uint(&w, "leads", s->leads);
    jsonw_member_uint(&w, "written", s->written);
    jsonw_member_uint(&w, "unsubscribed", s->unsubscribed);
    jsonw_member_uint(&w, "bounced", s->bounced);
    jsonw_member_uint(&w, "recorded", s->recorded);
    jsonw_member_uint(&w, "without_key", s->keyless);
    jsonw_member_uint(&w, "forgotten", s->forgotten);
    jsonw_member_uint(&w, "requests", s->requests);
    jsonw_object_end(&w);
    return jsonw_end(&w) | buf_addc(out, '\n');
}

static int pull_text(const struct pull_summary *s, const char *name, struct buf *out)
{
    int bad = buf_addf(out, "%s: %" PRIu64 " lead%s read, %" PRIu64 " new or changed record%s written to ", s->sync,
                       s->leads, text_plural(s->leads), s->written, text_plural(s->written)) |
              text_show(str_from(name), 0, out) | buf_addc(out, '\n');
    bad |= buf_addf(out, "%9" PRIu64 "  unsubscribed\n%9" PRIu64 "  bounced\n", s->unsubscribed, s->bounced);
    if (s->recorded > 0)
        bad |= buf_addf(out, "%9" PRIu64 "  of these are new to the state, so the next sync protects them\n", s->recorded);
    if (s->keyless > 0)
        bad |= buf_addf(out, "%9" PRIu64 "  without a key, because the state does not know the lead\n", s->keyless);
    if (s->forgotten > 0)
        bad |= buf_addf(out, "%9" PRIu64 "  left out, because the person was forgotten\n", s->forgotten);
    return bad;
}

static int print_summary(const struct invocation *inv, const struct pull_place *p, const struct pull_summary *s,
                         const char *name, struct out *out, struct err *e)
{
    int bad = 0;
    if (inv->common.output.format == FORMAT_JSON)
        bad = pull_json(p, s, name, &out->text);
    else if (!inv->common.quiet)
        bad = pull_text(s, name, &out->text);
    return bad == 0 ? out_commit(out, e) : err_oom(e);
}

/* ---- the command ---- */

static int pull_to(struct invocation *inv, struct runner *runner, struct pull_place *p, struct out *out, struct err *e)
{
    const struct pull_sink file = {p, p->full, pull_csv_begin, pull_csv_add, pull_csv_finish};
    struct pull_sink sink = file;
    struct pull_summary summary = {0};
    char *name = NULL;
    if (!p->is_file) {
        if (try_table(p, &name, e) != 0)
            return -1;
        sink = (struct pull_sink){p, name, pull_table_begin, pull_table_add, pull_table_finish};
    }
    runner->config.remote = RUN_REMOTE_PULL;
    progress_start(&runner->progress, &inv->common);
    int rc = run_pull(&runner->config, &sink, p->options->since_last, &summary, e);
    progress_stop(&runner->progress);
    if (rc == 0)
        rc = print_summary(inv, p, &summary, p->is_file ? p->options->to : name, out, e);
    pull_summary_free(&summary);
    free(name);
    return rc;
}

static int pull_command(struct invocation *inv, struct err *e)
{
    struct pull_place place = {.options = inv->options};
    struct runner runner;
    struct out out = {0};
    if (inv->operands_n == 0)
        return command_needs_operand(inv, e);
    if (pull_check_to(inv, &place, e) != 0)
        return -1;
    const struct common *c = &inv->common;
    place.deadline_us = c->run.max_ms > 0 ? c->clock->mono_us(c->clock) + c->run.max_ms * 1000 : 0;
    int rc = runner_open(&runner, inv, true, false, e);
    if (rc == 0 && place.is_file && (place.full = out_full_path(place.options->to)) == NULL)
        rc = err_set(e, XS_STATE, "--to %s: its folder does not exist; create it first", place.options->to);
    if (rc == 0)
        rc = out_open(&out, inv, OUT_PUBLIC, e);
    if (rc == 0)
        rc = pull_to(inv, &runner, &place, &out, e);
    postgres_engagement_close(place.table);
    out_abandon(&place.csv);
    free(place.full);
    out_abandon(&out);
    runner_close(&runner);
    return rc;
}

const struct command command_pull = {
    .name = "pull",
    .usage = "SYNC --to FILE.csv|URL",
    .summary = "bring back who opened, replied, unsubscribed or bounced",
    .help = "Reads every lead of the mapping's campaigns and lists, and writes a record per lead:\n"
            "row key, address, status, interest, opens, clicks, replies, verification. The CSV\n"
            "file is replaced as a whole. In a table each record is inserted or updated. Records\n"
            "in the state who unsubscribed or bounced, so that the next sync protects them. Sends\n"
            "no write to Instantly. If it is interrupted, the same command goes on within half an\n"
            "hour. docs/PULL.md has the columns and a query that leaves these people out.",
    .examples = "leadsync pull nightly.yaml --to engagement.csv\n"
                "leadsync pull nightly.yaml --to postgresql://leadsync@db/crm --table sales.engagement --create\n"
                "leadsync pull nightly.yaml --to 'service=crm_write' --since-last",
    .groups = GROUP_OUTPUT | GROUP_URL | GROUP_KEY | GROUP_STATE | GROUP_CSV | GROUP_TIME | GROUP_LOCK,
    .formats = formats,
    .options = options,
    .options_bytes = sizeof(struct pull_options),
    .defaults = &defaults,
    .operands_max = 1,
    .run = pull_command,
};
