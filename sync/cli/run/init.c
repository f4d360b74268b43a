/* `init`: writes a commented mapping file for a source, from its first rows. Needs no key. */
#include "config.h"

#include "mappings/names/first_line.h"
#include "mappings/init/init.h"
#include "mappings/mapping.h"

#include "connectors/source.h"
#include "connectors/sqltext.h"
#include "sync/base/arena.h"
#include "sync/base/log.h"
#include "sync/base/text.h"
#include "sync/cli/commands.h"
#include "sync/cli/args/csv_name.h"
#include "sync/cli/out.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

struct init_options {
    const char *query, *name, *campaign, *list, *delimiter, *encoding, *embedded_rows;
    int64_t rows;
};

enum { ROWS_DEFAULT = 1000, ROWS_MAX = 1000000, NAMES_BYTES = 16 << 20 };
static const struct init_options defaults = {.rows = ROWS_DEFAULT};

#define AT(member) OPT_AT(init_options, member)
/* clang-format off */
static const struct opt options[] = {
    {.name = "query", .kind = OPT_TEXT, .dest = AT(query), .arg = "SQL",
     .help = "read this query from SOURCE, a PostgreSQL connection (service=crm) or a SQLite file"},
    {.name = "campaign", .kind = OPT_TEXT, .dest = AT(campaign), .arg = "NAME|UUID",
     .help = "name this campaign as the target"},
    {.name = "list", .kind = OPT_TEXT, .dest = AT(list), .arg = "NAME|UUID",
     .help = "name this list as the target"},
    {.name = "name", .kind = OPT_TEXT, .dest = AT(name), .arg = "NAME",
     .help = "name of the sync (made from SOURCE)"},
    {.name = "delimiter", .kind = OPT_TEXT, .dest = AT(delimiter), .arg = "CHAR",
     .help = "column delimiter: auto, one of , ; | or comma, semicolon, bar, tab (auto)"},
    {.name = "encoding", .kind = OPT_TEXT, .dest = AT(encoding), .arg = "NAME",
     .help = "character encoding: auto, or an iconv name (auto)"},
    {.name = "embedded-rows", .kind = OPT_TEXT, .dest = AT(embedded_rows), .arg = "POLICY",
     .help = "refuse or allow quoted cells that contain whole rows (refuse)"},
    {.name = "rows", .kind = OPT_INT, .dest = AT(rows), .arg = "N", .min = 0, .max = ROWS_MAX,
     .help = "number of rows to examine (1000)"},
    {.name = NULL},
};
/* clang-format on */

/* ---- what SOURCE is ---- */

static bool is_postgres(const char *source)
{
    return strncmp(source, "postgresql://", 13) == 0 || strncmp(source, "postgres://", 11) == 0 ||
           (strchr(source, '=') != NULL && access(source, F_OK) != 0);
}

/* Every user can read the command line, and the mapping is meant to be shared, so a password is refused. */
static bool has_password(const char *connection)
{
    const char *authority = strstr(connection, "://");
    if (authority != NULL) {
        size_t n = strcspn(authority + 3, "/?");
        const char *at = memrchr(authority + 3, '@', n);
        if (at != NULL && memchr(authority + 3, ':', (size_t)(at - authority - 3)) != NULL)
            return true;
    }
    return strcasestr(connection, "password=") != NULL;
}

static int parse_delimiter(const char *text, char *out, struct err *e)
{
    *out = '\0';
    if (text == NULL || mapping_delimiter(str_from(text), out) == 0)
        return 0;
    return err_set(e, XS_USAGE, "--delimiter \"%s\" is not one of auto, comma, semicolon, bar and tab", text);
}

/* The first read would need a value for it, and init writes no watermark: column. */
static int refuse_watermark(const char *query, struct err *e)
{
    struct buf text = BUF_INIT(NAMES_BYTES);
    size_t uses;
    int rc = sqltext_number_watermark(query, &text, &uses) != 0 ? err_oom(e) : 0;
    buf_free(&text);
    return rc != 0 || uses == 0 ? rc
                                : err_set(e, XS_CONFIG,
                                          "--query: init reads a query without :watermark; leave the condition out and "
                                          "add it to the mapping afterwards, as docs/POSTGRES.md shows");
}

static int make_spec(const char *source, const struct init_options *o, struct source_spec *spec, struct err *e)
{
    *spec = (struct source_spec){.kind = SOURCE_CSV};
    if (o->query == NULL) {
        if (is_postgres(source))
            return err_set(e, XS_USAGE, "give the query to read from the database: --query 'select …'");
        spec->as.csv = (struct csv_spec){.path = source, .header = true};
        if (o->encoding != NULL && strcmp(o->encoding, "auto") != 0)
            spec->as.csv.encoding = o->encoding;
        spec->as.csv.embedded_rows = o->embedded_rows != NULL && strcmp(o->embedded_rows, "allow") == 0;
        if (o->embedded_rows != NULL && !spec->as.csv.embedded_rows && strcmp(o->embedded_rows, "refuse") != 0)
            return err_set(e, XS_USAGE, "--embedded-rows \"%s\" is neither refuse nor allow", o->embedded_rows);
        return parse_delimiter(o->delimiter, &spec->as.csv.delimiter, e);
    }
    if (o->delimiter != NULL || o->encoding != NULL || o->embedded_rows != NULL)
        return err_set(e, XS_USAGE, "--delimiter, --encoding and --embedded-rows are for CSV files, not for --query");
    if (refuse_watermark(o->query, e) != 0)
        return -1;
    spec->kind = is_postgres(source) ? SOURCE_POSTGRES : SOURCE_SQLITE;
    spec->as.sql = (struct sql_spec){.url = source, .query = o->query, .spool = -1};
    if (spec->kind == SOURCE_POSTGRES && has_password(source))
        return err_set(e, XS_USAGE,
                       "the connection holds a password, which a command line shows to every user of this "
                       "machine; use ~/.pgpass or a service file");
    return 0;
}

/* ---- paths, as they are to stand in the file ---- */

static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *folder = slash == NULL ? strdup(".") : strndup(path, slash == path ? 1 : (size_t)(slash - path));
    char *real = folder != NULL ? realpath(folder, NULL) : NULL;
    free(folder);
    return real;
}

/* A mapping's paths are relative to its own folder: the bare name where both lie together, else the whole path. Caller
 * frees; NULL with the error set. */
static char *path_in_file(const char *source, const char *output, struct err *e)
{
    bool beside = output == NULL || strcmp(output, "-") == 0 || strchr(output, '/') == NULL;
    if (beside || strcmp(source, "-") == 0 || *source == '/') {
        char *same = strdup(source);
        if (same == NULL)
            err_oom(e);
        return same;
    }
    char *path = NULL, *from = folder_of(source), *to = folder_of(output);
    const char *slash = strrchr(source, '/');
    if (to == NULL)
        err_errno(e, XS_STATE, errno, "%s", output);
    else if (from != NULL && strcmp(from, to) == 0)
        path = strdup(slash != NULL ? slash + 1 : source);
    else
        path = realpath(source, NULL);
    if (path == NULL)
        err_errno(e, XS_NO_SOURCE, errno, "%s", source);
    free(from);
    free(to);
    return path;
}

/* ---- opening ---- */

/* "email" for the column of the addresses, "column_2" for another. In the arena; NULL when it is full. */
static struct str *make_up_names(size_t n, size_t email, struct arena *arena)
{
    struct str *names = arena_calloc(arena, n, sizeof *names);
    for (size_t i = 0; names != NULL && i < n; i++) {
        char text[32];
        int text_n = i == email ? snprintf(text, sizeof text, "email") : snprintf(text, sizeof text, "column_%zu", i + 1);
        if (arena_str(arena, (struct str){text, (size_t)text_n}, &names[i]) != 0)
            return NULL;
    }
    return names;
}

static struct str *names_of(const struct source *source, struct arena *arena)
{
    struct str *names = arena_calloc(arena, source->columns_n + 1, sizeof *names);
    for (size_t i = 0; names != NULL && i < source->columns_n; i++)
        names[i] = source->columns[i].name;
    return names;
}

/* What the looks at a file left to be said. */
struct first_look {
    bool unsure;         /* the first line was taken for data */
    const char *assumed; /* the encoding, where it was assumed */
    bool whole;          /* of the second look: every row was looked at */
};

/* Only a file can be read a second time. */
static bool init_is_file(const char *path)
{
    struct stat st;
    return strcmp(path, "-") != 0 && stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

/* Judges by the rows below it whether the first line is a header. */
static int judge_first_line(struct source *source, const struct str *names, struct first_line_verdict *out, struct err *e)
{
    struct first_line *look = first_line_new(names, source->columns_n);
    struct row row;
    int found = 1, rc = look != NULL ? 0 : -1;
    for (int i = 0; i < FIRST_LINE_ROWS && rc == 0; i++) {
        /* A row that cannot be read is reported in the second read. */
        struct err later = ERR_INIT;
        found = source_next(source, &row, &later);
        err_clear(&later);
        if (found <= 0)
            break;
        rc = first_line_see(look, &row);
    }
    if (rc == 0)
        *out = first_line_judge(look);
    first_line_free(look);
    return rc == 0 ? 0 : err_oom(e);
}

/* What cannot be read twice is taken for what it is mostly: a file with a header. */
static int open_stream(struct invocation *inv, const struct source_spec *spec, struct arena *arena, struct source **source,
                       struct err *e)
{
    if (source_open(spec, NULL, inv->common.clock, source, e) != 0)
        return -1;
    struct str *names = names_of(*source, arena);
    if (names == NULL)
        return err_oom(e);
    if (spec->kind == SOURCE_CSV && first_line_address(names, (*source)->columns_n) >= 0)
        return err_set(e, XS_SOURCE,
                       "%s: the first line holds an e-mail address, so it is data and not a header; "
                       "save it to a file, which can be read a second time",
                       (*source)->label);
    return 0;
}

/* The file is opened twice: to see what its first line is, and as what it is. What is odd about its first
 * rows is reported the second time. */
static int open_file(struct invocation *inv, struct source_spec *spec, struct arena *arena, struct source **source,
                     struct first_look *seen, struct err *e)
{
    struct first_line_verdict verdict;
    struct source *first = NULL;
    int rc = -1;
    spec->as.csv.first_look = true;
    if (source_open(spec, NULL, inv->common.clock, &first, e) != 0)
        return -1;
    size_t n = first->columns_n;
    struct str *names = names_of(first, arena);
    if (names == NULL) {
        err_oom(e);
        goto done;
    }
    if (judge_first_line(first, names, &verdict, e) != 0)
        goto done;
    spec->as.csv.first_look = false;
    if (verdict.kind == FIRST_LINE_TITLE) {
        err_set(
            e, XS_CONFIG,
            "%s:%llu: this line looks like the header; remove the lines above it (as with: tail -n +%llu FILE >NEW), and "
            "run init again",
            first->label, (unsigned long long)verdict.header_line, (unsigned long long)verdict.header_line);
        goto done;
    }
    if (verdict.kind == FIRST_LINE_DATA) {
        seen->unsure = verdict.unsure;
        spec->as.csv.header = false;
        spec->as.csv.names = make_up_names(n, verdict.email, arena);
        spec->as.csv.names_n = n;
        if (spec->as.csv.names == NULL) {
            err_oom(e);
            goto done;
        }
    }
    /* What was assumed was said, and need not be said again. */
    const char *encoding = spec->as.csv.encoding, *assumed = first->encoding_assumed;
    if (assumed != NULL) {
        seen->assumed = arena_dup(arena, assumed, strlen(assumed));
        spec->as.csv.encoding = seen->assumed;
    }
    rc = assumed != NULL && seen->assumed == NULL ? err_oom(e) : source_open(spec, NULL, inv->common.clock, source, e);
    spec->as.csv.encoding = encoding;
done:
    source_close(first);
    return rc;
}

static int open_source(struct invocation *inv, struct source_spec *spec, struct arena *arena, struct source **source,
                       struct first_look *seen, struct err *e)
{
    *seen = (struct first_look){0};
    return spec->kind == SOURCE_CSV && init_is_file(spec->as.csv.path) ? open_file(inv, spec, arena, source, seen, e)
                                                                       : open_stream(inv, spec, arena, source, e);
}

/* ---- the look ---- */

static int read_rows(struct source *source, int64_t rows, struct arena *arena, struct mapping_init **out, bool *whole,
                     struct err *e)
{
    struct row row;
    struct str *names = names_of(source, arena);
    if (names == NULL)
        return err_oom(e);
    int rc = mapping_init_new(names, source->columns_n, out, e);
    while (rc == 0 && rows-- > 0) {
        int found = source_next(source, &row, e);
        *whole = found == 0;
        if (found <= 0)
            return found;
        rc = mapping_init_see(*out, &row, e);
    }
    return rc;
}

/* The sync that this CSV had without a mapping: the mapping goes on with its leads, unless the user names another sync. 1/0/-1 */
static int find_known(const struct invocation *inv, const struct source_spec *spec, const struct target_spec *target,
                      struct csv_sync *known, struct err *e)
{
    const struct init_options *o = inv->options;
    const char *source = inv->operands[0];
    *known = (struct csv_sync){.name = NULL};
    if (o->name != NULL || spec->kind != SOURCE_CSV)
        return 0;
    int rc = csv_name_of_file(&inv->common, source, target->text != NULL ? target : NULL, known, e);
    if (rc == 1)
        log_notice("%s went to %s \"%s\" without a mapping; the new mapping goes on with its %llu lead%s, and writes their "
                   "fields as before",
                   source, target_kind_text(known->kind), known->target, (unsigned long long)known->leads,
                   text_plural(known->leads));
    else if (rc == 0 && known->several > 1)
        log_notice(
            "%s went to %zu campaigns or lists without a mapping; for a mapping that goes on with the leads of one of "
            "them, run init with its --campaign or --list",
            source, known->several);
    return rc;
}

/* The name of the sync, if no option gives it, of a connection: its service, database or host, which end its label. NULL: the
 * source has a path. */
static const char *name_of_connection(const struct source_spec *spec, const struct source *source)
{
    const char *equals = spec->kind == SOURCE_POSTGRES ? strrchr(source->label, '=') : NULL;
    return equals != NULL ? equals + 1 : spec->kind == SOURCE_POSTGRES ? "leads" : NULL;
}

static int write_file(const struct invocation *inv, const struct mapping_init *init, struct source_spec *spec,
                      const struct source *source, const struct first_look *seen, struct err *e)
{
    const struct init_options *o = inv->options;
    struct out out = {0};
    const char *given = o->list != NULL ? o->list : o->campaign;
    struct target_spec target = {.kind = o->list != NULL ? TARGET_LIST : TARGET_CAMPAIGN};
    struct csv_sync known = {.name = NULL};
    char *path = NULL;
    int rc = -1, goes_on;
    if (given != NULL && (target.text = strdup(given)) == NULL) {
        err_oom(e);
        goto done;
    }
    goes_on = find_known(inv, spec, &target, &known, e);
    if (goes_on < 0)
        goto done;
    if (goes_on > 0 && target.text == NULL) {
        target = (struct target_spec){known.kind, known.target};
        known.target = NULL;
    }
    if (spec->kind == SOURCE_POSTGRES)
        path = strdup(spec->as.sql.url);
    else
        path = path_in_file(spec->kind == SOURCE_CSV ? spec->as.csv.path : spec->as.sql.url, inv->common.output.path, e);
    if (path == NULL) {
        err_oom(e);
        goto done;
    }
    if (spec->kind == SOURCE_CSV) {
        spec->as.csv.path = path;
        spec->as.csv.delimiter = source->delimiter;
    } else {
        spec->as.sql.url = path;
    }
    const struct mapping_init_file file = {
        .schema = PKGDATADIR "/mapping.schema.json",
        .label = strcmp(inv->operands[0], "-") == 0 ? source->label : inv->operands[0],
        .name = o->name != NULL ? o->name
                : goes_on > 0   ? known.name
                                : name_of_connection(spec, source),
        .goes_on = goes_on > 0,
        .source = spec,
        .target = target.text != NULL ? &target : NULL,
        .names_made_up = spec->kind == SOURCE_CSV && !spec->as.csv.header,
        .header_unsure = seen->unsure,
        .whole = seen->whole,
        .encoding_assumed = seen->assumed != NULL ? seen->assumed : source->encoding_assumed,
    };
    if (out_open(&out, inv, OUT_PUBLIC, e) == 0 && mapping_init_write(init, &file, &out.text, e) == 0)
        rc = out_commit(&out, e);
done:
    out_abandon(&out);
    csv_name_free(&known);
    free(target.text);
    free(path);
    return rc;
}

static int init_command(struct invocation *inv, struct err *e)
{
    const struct init_options *o = inv->options;
    const char *output = inv->common.output.path;
    struct source_spec spec;
    struct source *source = NULL;
    struct mapping_init *init = NULL;
    struct arena arena;
    struct first_look seen;
    int rc = -1;
    if (inv->operands_n == 0)
        return err_set(e, XS_USAGE, "missing SOURCE; usage: leadsync init SOURCE [-o FILE]");
    if (o->campaign != NULL && o->list != NULL)
        return err_set(e, XS_USAGE, "--campaign and --list exclude each other; leads go to one of them");
    /* A mapping is edited by hand, so it is never overwritten. */
    if (output != NULL && strcmp(output, "-") != 0 && access(output, F_OK) == 0)
        return err_set(e, XS_STATE, "%s exists; remove it, or give another name with -o", output);
    arena_init(&arena, NAMES_BYTES);
    if (make_spec(inv->operands[0], o, &spec, e) != 0 || open_source(inv, &spec, &arena, &source, &seen, e) != 0 ||
        read_rows(source, o->rows, &arena, &init, &seen.whole, e) != 0)
        goto done;
    rc = write_file(inv, init, &spec, source, &seen, e);
    if (rc == 0 && output != NULL && strcmp(output, "-") != 0)
        log_notice("%s written; review it, then run: leadsync preview %s", output, output);
done:
    mapping_init_free(init);
    source_close(source);
    arena_free(&arena);
    return rc;
}

const struct command command_init = {
    .name = "init",
    .usage = "SOURCE",
    .summary = "examine a source and write a commented mapping file for it",
    .help = "Examines the columns and rows of a CSV file, or of a query with --query, and\n"
            "writes a mapping; comments say what it found and what is uncertain. The file\n"
            "contains no values of rows. An existing file is not overwritten.",
    .examples = "leadsync init people.csv -o people.yaml\n"
                "leadsync init \"service=crm\" --query \"select email, name from customers\" -o crm.yaml",
    .groups = GROUP_OUTPUT | GROUP_URL,
    .options = options,
    .options_bytes = sizeof(struct init_options),
    .defaults = &defaults,
    .operands_max = 1,
    .run = init_command,
};
