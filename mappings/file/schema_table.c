/* The table. Read it as the reference of the format: every key, its type, its default, and what it is for. */
#include "config.h"

#include "mappings/mapping.h"
#include "mappings/file/schema.h"

#include <stddef.h>

#define AT(member) offsetof(struct mapping, member)
#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define END \
    { \
        NULL, NULL, 0, NOT_STORED, NULL, NULL, NULL \
    }

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE };
#define DAY ((int64_t)24 * HOUR)

/* ---- scalars ---- */

static const struct schema text = {.kind = SCHEMA_TEXT, .what = "text"};
static const struct schema path = {.kind = SCHEMA_PATH, .what = "the path of a file"};
static const struct schema scalar = {.kind = SCHEMA_SCALAR, .what = "text, a number, true or false"};
static const struct schema yes_no = {.kind = SCHEMA_BOOL, .what = "true or false"};
static const struct schema version = {.kind = SCHEMA_WORD, .words = WORDS("1"), .what = "1"};
static const struct schema sync_name =
    {.kind = SCHEMA_NAME,
     .what = "lower-case letters, digits, '.', '_' and '-', beginning with a letter or digit, 64 at most"};
static const struct schema uuid = {.kind = SCHEMA_UUID, .what = "a UUID such as 01890f4a-7b6c-7cc0-98c4-dc0c0c07398f"};
static const struct schema guard = {.kind = SCHEMA_GUARD, .what = "a share from 0% to 100%, a plain number, or none"};
static const struct schema empty_guard = {.kind = SCHEMA_EMPTY_GUARD, .what = "stop or none"};
static const struct schema column_name = {.kind = SCHEMA_TEXT, .what = "the name of a column of the source"};
/* clang-format off */
static const struct schema duration = {
    .kind = SCHEMA_DURATION, .what = "a duration such as 30s, 10m, 5h or 7d, 3650d at most", .min = 0, .max = 3650 * DAY};
/* clang-format on */

/* clang-format off */
static const struct schema some_columns = {
    .kind = SCHEMA_LIST, .what = "a list of columns such as [customer_id]", .item = &column_name, .not_empty = true};
/* clang-format on */

/* ---- source ---- */

static const struct schema delimiter = {.kind = SCHEMA_DELIMITER, .what = "auto, \",\", \";\", tab or \"|\""};
static const struct schema encoding = {.kind = SCHEMA_ENCODING,
                                       .what = "auto or a name that iconv knows, such as windows-1252"};
static const struct schema header_true = {.kind = SCHEMA_HEADER, .what = "true, or a list of column names"};
static const struct schema header = {.kind = SCHEMA_ANY,
                                     .what = "true, or a list of column names",
                                     .any = (const struct schema *const[]){&header_true, &some_columns, NULL}};
static const struct schema short_rows = {.kind = SCHEMA_SWITCH, .words = WORDS("pad", "reject")};
static const struct schema embedded_rows = {.kind = SCHEMA_SWITCH, .words = WORDS("refuse", "allow")};
static const struct schema csv =
    {.kind = SCHEMA_OBJECT,
     .what = "a mapping such as {path: people.csv}",
     .keys = (const struct schema_key[]){
         {"path", &path, KEY_REQUIRED, AT(source.as.csv.path), NULL, "\"people.csv\"",
          "the file, relative to this one; \"-\" is stdin"},
         {"delimiter", &delimiter, KEY_OPTION, AT(source.as.csv.delimiter), "\"auto\"", NULL,
          "the character between cells; auto detects it, and stops the run if it is unsure"},
         {"encoding", &encoding, KEY_OPTION, AT(source.as.csv.encoding), "\"auto\"", "\"windows-1252\"",
          "character set of the file; auto tries a byte order mark, then UTF-8, then detects the code page and warns"},
         {"header", &header, 0, AT(source.as.csv.header), "true", "[\"email\", \"name\"]",
          "true: the first line names the columns; a list names them here, and the first line is data"},
         {"short_rows", &short_rows, KEY_OPTION, AT(source.as.csv.short_rows_rejected), "\"pad\"", NULL,
          "rows with too few cells: pad adds empty cells to rows that have at least two cells and the key's column"},
         {"embedded_rows", &embedded_rows, KEY_OPTION, AT(source.as.csv.embedded_rows), "\"refuse\"", NULL,
          "quoted cells that hold whole rows: refuse stops the run, because an extra quote is the usual cause"},
         END}};

static const struct schema overlap = {.kind = SCHEMA_OVERLAP,
                                      .what = "a duration such as 5m, 3650d at most, or a plain number",
                                      .max = 3650 * DAY};
static const struct schema spool = {.kind = SCHEMA_TRISTATE, .what = "auto, true or false"};
/* clang-format off */
static const struct schema full_every = {.kind = SCHEMA_DURATION, .what = "a duration such as 7d, 3650d at most, or never",
                                         .words = WORDS("never"), .min = 0, .max = 3650 * DAY};
/* clang-format on */

/* What both databases have: a watermark and how full and incremental reads go by it. */
/* clang-format off */
#define WATERMARK_KEYS                                                                                                \
    {"query", &text, KEY_REQUIRED, AT(source.as.sql.query), NULL, "\"select email, first_name from people\"",         \
     "the rows to read; :watermark stands for where the last read ended"},                                            \
    {"watermark", &column_name, 0, AT(source.as.sql.watermark), NULL, "\"updated_at\"",                               \
     "the column that grows with every change; the query compares it with :watermark"},                                   \
    {"full_query", &text, 0, AT(source.as.sql.full_query), NULL, "\"select email, first_name, updated_at from people\"", \
     "the query of a full read: the same columns without :watermark, so that it also returns rows whose watermark is NULL"}, \
    {"overlap", &overlap, 0, AT(source.as.sql.overlap), NULL, "\"5m\"",                                               \
     "how far before the watermark the next read begins: a duration for times (default 5m), a number for numbers " \
     "(default 0)"},                                                                                               \
    {"full_every", &full_every, 0, AT(source.as.sql.full_every_ms), "\"7d\"", "\"never\"",                            \
     "the next read after this time is a full one; 0 is never"}
/* clang-format on */

static const struct schema postgres =
    {.kind = SCHEMA_OBJECT,
     .what = "a mapping such as {url: \"service=crm\", query: \"select …\"}",
     .keys = (const struct schema_key[]){
         {"url", &text, KEY_REQUIRED, AT(source.as.sql.url), NULL, "\"service=crm\"",
          "libpq connection string; keep passwords in a passfile"},
         WATERMARK_KEYS,
         {"statement_timeout", &duration, 0, AT(source.as.sql.statement_timeout_ms), "0", "\"10m\"",
          "the server cancels the query after this time; 0 is never"},
         {"spool", &spool, 0, AT(source.as.sql.spool), "\"auto\"", NULL,
          "copy the rows to a temporary file first, so that the query ends before leads are sent"},
         END}};
static const struct schema sqlite = {.kind = SCHEMA_OBJECT,
                                     .what = "a mapping such as {path: crm.db, query: \"select …\"}",
                                     .keys = (const struct schema_key[]){{"path", &path, KEY_REQUIRED, AT(source.as.sql.url),
                                                                          NULL, "\"crm.db\"",
                                                                          "the database file, relative to this one"},
                                                                         WATERMARK_KEYS,
                                                                         END}};

static const struct schema argument = {.kind = SCHEMA_SCALAR, .what = "an argument of the program"};
/* clang-format off */
static const struct schema argv = {
    .kind = SCHEMA_LIST, .what = "a list such as [./export.sh, --all]", .item = &argument, .not_empty = true};
/* clang-format on */
/* clang-format off */
static const struct schema env = {.kind = SCHEMA_DICT, .what = "a mapping of names to values", .item = &scalar,
                                  .key_pattern = "^[A-Za-z_][A-Za-z0-9_]*$"};
/* clang-format on */
static const struct schema command_format = {.kind = SCHEMA_SWITCH, .words = WORDS("csv", "ndjson")};
static const struct schema command =
    {.kind = SCHEMA_OBJECT,
     .what = "a mapping such as {argv: [./export.sh, --all]}",
     .keys = (const struct schema_key[]){
         {"argv", &argv, KEY_REQUIRED, NOT_STORED, NULL, "[\"./export.sh\", \"--all\"]",
          "the program and its arguments; no shell is involved, and a path is relative to this file"},
         {"format", &command_format, 0, AT(source.as.command.ndjson), "\"csv\"", NULL, "what the program writes"},
         {"env", &env, 0, NOT_STORED, "{}", "{\"REGION\": \"eu\"}", "environment added to a clean one"},
         END}};

/* clang-format off */
static const struct schema source = {
    .kind = SCHEMA_OBJECT,
    .what = "a mapping such as {csv: {path: people.csv}}",
    .keys = (const struct schema_key[]){
        {"csv", &csv, KEY_CHOICE, NOT_STORED, NULL, NULL, "a CSV file"},
        {"postgres", &postgres, KEY_CHOICE, NOT_STORED, NULL, NULL, "a query to a PostgreSQL server"},
        {"sqlite", &sqlite, KEY_CHOICE, NOT_STORED, NULL, NULL, "a query to an SQLite file"},
        {"command", &command, KEY_CHOICE, NOT_STORED, NULL, NULL, "a program's output; its exit status counts"},
        END}};
/* clang-format on */

/* ---- where leads go ---- */

static const struct schema target = {.kind = SCHEMA_OBJECT,
                                     .what = "a mapping such as {campaign: Q4 founders} or {list: Incoming}",
                                     .keys = (const struct schema_key[]){{"campaign", &text, KEY_CHOICE, NOT_STORED, NULL,
                                                                          "\"Q4 founders\"", "name or UUID of a campaign"},
                                                                         {"list", &text, KEY_CHOICE, NOT_STORED, NULL,
                                                                          "\"Incoming\"", "name or UUID of a lead list"},
                                                                         END}};

/* clang-format off */
static const struct schema cases = {
    .kind = SCHEMA_DICT, .what = "a mapping of values to targets", .item = &target, .not_empty = true};
/* clang-format on */
static const struct schema otherwise_word = {.kind = SCHEMA_WORD,
                                             .what = "reject, skip or a target such as {list: Others}",
                                             .words = WORDS("reject", "skip")};
static const struct schema route_otherwise = {.kind = SCHEMA_ANY,
                                              .what = "reject, skip or a target such as {list: Others}",
                                              .any = (const struct schema *const[]){&otherwise_word, &target, NULL}};
static const struct schema route =
    {.kind = SCHEMA_OBJECT,
     .what = "a mapping with column, cases and otherwise",
     .keys = (const struct schema_key[]){{"column", &column_name, KEY_REQUIRED, AT(route_column), NULL, "\"segment\"",
                                          "the column that decides"},
                                         {"cases", &cases, KEY_REQUIRED, NOT_STORED, NULL,
                                          "{\"smb\": {\"campaign\": \"SMB\"}}", "its values, each with its target"},
                                         {"otherwise", &route_otherwise, 0, NOT_STORED, "\"reject\"", "\"skip\"",
                                          "any other value: reject, skip, or a target"},
                                         END}};

static const struct schema removed_word = {.kind = SCHEMA_WORD,
                                           .what = "keep, delete or {move_to: {list: …}}",
                                           .words = WORDS("keep", "delete")};
static const struct schema if_there = {.kind = SCHEMA_WORD, .words = WORDS("keep", "delete")};
static const struct schema removed_move =
    {.kind = SCHEMA_OBJECT,
     .what = "keep, delete or {move_to: {list: …}}",
     .keys = (const struct schema_key[]){{"move_to", &target, KEY_REQUIRED, NOT_STORED, NULL, "{\"list\": \"Gone\"}",
                                          "where such leads are moved"},
                                         {"if_there", &if_there, 0, NOT_STORED, "\"keep\"", "\"delete\"",
                                          "what happens to the lead if the target has another lead with its address"},
                                         END}};
static const struct schema removal = {.kind = SCHEMA_ANY,
                                      .what = "keep, delete or {move_to: {list: …}}",
                                      .any = (const struct schema *const[]){&removed_word, &removed_move, NULL}};

static const struct schema stage_only = {.kind = SCHEMA_SWITCH, .words = WORDS("all", "valid")};
static const struct schema stage =
    {.kind = SCHEMA_OBJECT,
     .what = "a mapping such as {list: Incoming, promote: {campaign: Q4 founders}}",
     .keys = (const struct schema_key[]){{"list", &text, KEY_REQUIRED, NOT_STORED, NULL, "\"Incoming\"",
                                          "name or UUID of the list where leads land first"},
                                         {"verify", &yes_no, 0, AT(stage.verify), "true", NULL,
                                          "have Instantly verify the addresses"},
                                         {"promote", &target, KEY_REQUIRED, NOT_STORED, NULL,
                                          "{\"campaign\": \"Q4 founders\"}", "where leads move on to"},
                                         {"only", &stage_only, 0, AT(stage.only_valid), "\"valid\"", NULL,
                                          "which leads move on: valid (a valid address) or all"},
                                         END}};

/* ---- columns ---- */

const struct schema schema_step = {.kind = SCHEMA_STEP, .what = "a step"};
static const struct schema steps = {.kind = SCHEMA_LIST,
                                    .what = "a list of steps such as [trim, title]",
                                    .item = &schema_step};
static const struct schema map = {.kind = SCHEMA_DICT,
                                  .what = "a mapping of values such as {new: 0, won: 4}",
                                  .item = &scalar,
                                  .item_null = true,
                                  .not_empty = true};
static const struct schema unmatched_word = {.kind = SCHEMA_WORD,
                                             .what = "reject, keep, empty, skip or {value: X}",
                                             .words = WORDS("reject", "keep", "empty", "skip")};
static const struct schema unmatched_value = {.kind = SCHEMA_OBJECT,
                                              .what = "reject, keep, empty, skip or {value: X}",
                                              .keys = (const struct schema_key[]){{"value", &scalar, KEY_REQUIRED,
                                                                                   NOT_STORED, NULL, "\"other\"",
                                                                                   "the value taken instead"},
                                                                                  END}};
static const struct schema unmatched = {.kind = SCHEMA_ANY,
                                        .what = "reject, keep, empty, skip or {value: X}",
                                        .any = (const struct schema *const[]){&unmatched_word, &unmatched_value, NULL}};
static const struct schema column_type = {.kind = SCHEMA_WORD, .words = WORDS("string", "number", "boolean")};
static const struct schema empty = {.kind = SCHEMA_WORD, .words = WORDS("omit", "clear")};
static const struct schema overwrite = {.kind = SCHEMA_WORD, .words = WORDS("always", "if-empty", "never")};
static const struct schema on_error = {.kind = SCHEMA_WORD, .words = WORDS("reject", "empty")};
static const struct schema column_or_columns =
    {.kind = SCHEMA_ANY,
     .what = "the name of a column of the source, or a list of them such as [Mobile, Phone]",
     .any = (const struct schema *const[]){&column_name, &some_columns, NULL}};
static const struct schema column_long = {
    .kind = SCHEMA_OBJECT,
    .what = "the name of a column, or a mapping such as {from: Column}",
    .keys = (const struct schema_key[]){
        {"from", &column_or_columns, KEY_CHOICE, NOT_STORED, NULL, "\"Email Address\"",
         "the column with the value; of a list of columns, the first whose cell is not blank"},
        {"template", &text, KEY_CHOICE, NOT_STORED, NULL, "\"{Company} ({Country})\"",
         "text with columns in braces; {{ and }} are braces; empty if all its columns are empty"},
        {"value", &scalar, KEY_CHOICE, NOT_STORED, NULL, "\"import-2026\"", "the same text for every row"},
        {"apply", &steps, 0, NOT_STORED, "[]", "[\"trim\", \"title\"]", "steps that clean the value, in order"},
        {"map", &map, 0, NOT_STORED, NULL, "{\"new\": 0, \"won\": 4}",
         "exact values and their replacements; empty values are not mapped"},
        {"otherwise", &unmatched, 0, NOT_STORED, "\"reject\"", "\"empty\"",
         "what happens to a value that the map does not have"},
        {"type", &column_type, 0, NOT_STORED, "\"string\"", "\"number\"",
         "how a custom variable is sent; a value that does not fit the type rejects the row"},
        {"default", &scalar, 0, NOT_STORED, NULL, "\"there\"", "the value to use if the value is empty"},
        {"required", &yes_no, 0, NOT_STORED, "false", NULL, "reject the row when the value is empty"},
        {"empty", &empty, 0, NOT_STORED, "\"omit\"", NULL,
         "omit: an empty value leaves the field out; clear: it clears what Instantly has"},
        {"overwrite", &overwrite, 0, NOT_STORED, "\"always\"", NULL,
         "whether an update changes the field: always, only if it is empty in Instantly, or never"},
        {"on_error", &on_error, 0, NOT_STORED, "\"reject\"", "\"empty\"",
         "a value that a step or the type refuses: reject the row, or make the value empty (check and preview count these)"},
        END}};
const struct schema schema_column = {.kind = SCHEMA_ANY,
                                     .what = "the name of a column, or a mapping such as {from: Column}",
                                     .any = (const struct schema *const[]){&column_name, &column_long, NULL}};

/* One sentence a field; lead_fields.def is the list, and a field without a sentence does not compile. */
#define HELP_EMAIL "the e-mail address; it identifies the lead unless key: is set"
#define HELP_FIRST_NAME "first name, {{firstName}} in campaigns"
#define HELP_LAST_NAME "last name, {{lastName}} in campaigns"
#define HELP_COMPANY_NAME "company, {{companyName}} in campaigns"
#define HELP_JOB_TITLE "job title, {{jobTitle}} in campaigns"
#define HELP_PHONE "phone number"
#define HELP_WEBSITE "web address"
#define HELP_PERSONALIZATION "a line or a whole text for this lead, {{personalization}} in campaigns"
#define HELP_LT_INTEREST_STATUS \
    "interest status as a number: 0 out of office, 1 interested, 2 meeting booked, 3 meeting " \
    "completed, 4 won, -1 not interested, -2 wrong person, -3 lost, -4 no show"
#define HELP_PL_VALUE_LEAD "value of the opportunity"
#define HELP_ASSIGNED_TO "UUID of the user who owns the lead"
static const struct schema fields = {.kind = SCHEMA_OBJECT,
                                     .what = "a mapping of lead fields to columns",
                                     .noun = "lead field",
                                     .elsewhere = "a value of any other name goes under 'custom_variables:'",
                                     .keys = (const struct schema_key[]){
#define LEAD_FIELD(id, api, payload, kind, patchable) {api, &schema_column, 0, NOT_STORED, NULL, NULL, HELP_##id},
#include "sync/model/lead_fields.def"
#undef LEAD_FIELD
                                         END}};
static const struct schema custom_variables = {.kind = SCHEMA_DICT,
                                               .what = "a mapping of variable names to columns",
                                               .item = &schema_column,
                                               .key_pattern = "^[^{}\\u0000-\\u001f]{1,64}$"};

/* ---- rows ---- */

/* clang-format off */
static const struct schema skip_in = {
    .kind = SCHEMA_LIST, .what = "a list of values such as [\"1\", \"yes\"]", .item = &scalar, .not_empty = true};
/* clang-format on */
static const struct schema skip_rule = {
    .kind = SCHEMA_OBJECT,
    .what = "a mapping such as {column: opted_out, in: [\"1\", \"yes\"]}",
    .keys = (const struct schema_key[]){
        {"column", &column_name, KEY_REQUIRED, NOT_STORED, NULL, "\"opted_out\"", "the column to look at"},
        {"in", &skip_in, KEY_REQUIRED, NOT_STORED, NULL, "[\"1\", \"true\", \"yes\"]",
         "values that leave a row out; blanks around them and case do not matter; \"*\" is any value but a placeholder such as NULL"},
        {"then", &removal, 0, NOT_STORED, "\"keep\"", NULL, "what happens to the existing lead of such a row"},
        END}};
static const struct schema skip_when = {.kind = SCHEMA_LIST,
                                        .item = &skip_rule,
                                        .what = "a list of rules such as [{column: opted_out, in: [\"1\", \"yes\"]}]"};

static const struct schema mode = {.kind = SCHEMA_WORD, .words = WORDS("create", "upsert", "mirror")};
static const struct schema duplicates = {.kind = SCHEMA_WORD, .words = WORDS("first", "last", "reject")};
static const struct schema dedupe = {.kind = SCHEMA_WORD,
                                     .words = WORDS("workspace", "any-campaign", "any-list", "target-only")};
static const struct schema contacted = {.kind = SCHEMA_SWITCH, .words = WORDS("keep", "move")};

/* ---- pace, brakes, state ---- */

static const struct schema batch = {.kind = SCHEMA_COUNT, .what = "a whole number from 1 to 1000", .min = 1, .max = 1000};
/* clang-format off */
static const struct schema in_flight = {
    .kind = SCHEMA_COUNT, .what = "auto, or a whole number from 1 to 64", .words = WORDS("auto"), .min = 1, .max = 64};
/* clang-format on */
/* clang-format off */
static const struct schema rate = {
    .kind = SCHEMA_COUNT, .what = "a whole number of requests up to 1000000; 0 removes the limit", .min = 0, .max = 1000000};
/* clang-format on */
static const struct schema limits =
    {.kind = SCHEMA_OBJECT,
     .what = "a mapping such as {batch: 500}",
     .keys = (const struct schema_key[]){
         {"batch", &batch, KEY_OPTION, AT(limits.batch), "1000", NULL, "leads per request, 1000 at most"},
         {"in_flight", &in_flight, KEY_OPTION, AT(limits.in_flight), "\"auto\"", "8",
          "requests in progress at the same time"},
         {"requests_per_second", &rate, KEY_OPTION, AT(limits.requests_per_second), "50", NULL,
          "the workspace allows 100, shared by all programs that use its keys; 0 removes the limit"},
         {"requests_per_minute", &rate, KEY_OPTION, AT(limits.requests_per_minute), "3000", NULL,
          "the workspace allows 6000, shared by all programs that use its keys; 0 removes the limit"},
         {"settle", &duration, KEY_OPTION, AT(limits.settle_ms), "\"7s\"", NULL,
          "total time to wait for a write to appear in Instantly when the outcome of its request is unknown"},
         {"job_wait", &duration, KEY_OPTION, AT(limits.job_wait_ms), "\"10m\"", NULL,
          "how long a run waits for background jobs; the next run checks the rest"},
         END}};
static const struct schema guards =
    {.kind = SCHEMA_OBJECT,
     .what = "a mapping such as {removed: 5%}",
     .keys = (const struct schema_key[]){
         {"removed", &guard, KEY_OPTION, AT(guards.removed), "\"10%\"", "\"500\"",
          "stop before removing more leads than this"},
         {"moved", &guard, KEY_OPTION, AT(guards.moved), "\"10%\"", NULL, "stop before moving more leads than this"},
         {"changed", &guard, KEY_OPTION, AT(guards.changed), "\"50%\"", "\"none\"",
          "stop before updating more of the known leads than this"},
         {"rejected", &guard, KEY_OPTION, AT(guards.rejected), "\"5%\"", NULL, "stop if more rows than this are rejected"},
         {"keyless", &guard, KEY_OPTION, AT(guards.keyless), "\"0\"", NULL,
          "postpone removals if more rows than this have no usable key; rows that skip_when leaves out do not count"},
         {"empty_source", &empty_guard, KEY_OPTION, AT(guards.empty_source), "\"stop\"", NULL,
          "stop if the source has no rows but had some before"},
         {"source_shrank", &guard, KEY_OPTION, AT(guards.source_shrank), "\"50%\"", NULL,
          "stop if the source has lost more rows than this since the last complete read"},
         {"deleted_there", &guard, KEY_OPTION, AT(guards.deleted_there), "\"50%\"", NULL,
          "with --remote: stop if Instantly no longer has more of the known leads than this"},
         END}};
static const struct schema results_postgres =
    {.kind = SCHEMA_OBJECT,
     .what = "a mapping such as {url: \"service=crm\", table: lead_results}",
     .keys = (const struct schema_key[]){{"url", &text, KEY_REQUIRED, AT(results_url), NULL, "\"service=crm\"",
                                          "libpq connection string"},
                                         {"table", &text, KEY_REQUIRED, AT(results_table), NULL, "\"lead_results\"",
                                          "the table for the outcomes"},
                                         {"create", &yes_no, 0, AT(results_create), "false", NULL,
                                          "create the table if it is missing"},
                                         END}};
static const struct schema results_to =
    {.kind = SCHEMA_OBJECT,
     .what = "null, or a mapping such as {postgres: {url: \"service=crm\", table: lead_results}}",
     .keys = (const struct schema_key[]){{"postgres", &results_postgres, KEY_REQUIRED, NOT_STORED, NULL, NULL,
                                          "a table of a PostgreSQL server"},
                                         END}};
static const struct schema values = {.kind = SCHEMA_SWITCH, .words = WORDS("kept", "hashed")};
/* clang-format off */
static const struct schema keep_runs = {
    .kind = SCHEMA_COUNT, .what = "a whole number from 1 to 100000", .min = 1, .max = 100000};
/* clang-format on */
static const struct schema state =
    {.kind = SCHEMA_OBJECT,
     .what = "a mapping such as {values: hashed}",
     .keys = (const struct schema_key[]){
         {"values", &values, KEY_OPTION, AT(values_hashed), "\"kept\"", NULL,
          "hashed: the state holds no plain values, but someone who has the file can test guesses"},
         {"keep_runs", &keep_runs, KEY_OPTION, AT(keep_runs), "30", NULL, "runs whose results are kept"},
         END}};

const struct schema schema_root =
    {.kind = SCHEMA_OBJECT,
     .what = "a mapping that begins with 'version: 1'",
     .keys = (const struct schema_key[]){
         {"version", &version, KEY_REQUIRED, NOT_STORED, NULL, "1", "version of this format"},
         {"name", &sync_name, KEY_REQUIRED, AT(name), NULL, "\"nightly-customers\"",
          "the sync's identity in its state; do not change it later"},
         {"source", &source, KEY_REQUIRED, NOT_STORED, NULL, "{\"csv\": {\"path\": \"people.csv\"}}",
          "where the rows come from; exactly one"},
         {"target", &target, KEY_CHOICE, NOT_STORED, NULL, "{\"campaign\": \"Q4 founders\"}", "where the leads go"},
         {"route", &route, KEY_CHOICE, NOT_STORED, NULL, NULL, "instead of target: a column decides where each lead goes"},
         {"mode", &mode, KEY_OPTION, AT(mode), "\"upsert\"", NULL,
          "create only adds leads; upsert also updates them; mirror also applies removed: to leads whose rows are missing"},
         {"removed", &removal, 0, NOT_STORED, "\"keep\"", "{\"move_to\": {\"list\": \"Gone\"}}",
          "mirror only: what happens to leads whose rows are missing from the source"},
         {"fields", &fields, KEY_REQUIRED, NOT_STORED, NULL, "{\"email\": \"Email Address\"}",
          "the lead's fields, each with its column"},
         {"custom_variables", &custom_variables, 0, NOT_STORED, NULL,
          "{\"seats\": {\"from\": \"Seats\", \"type\": \"number\"}}", "additional values, {{name}} in campaigns"},
         {"skip_when", &skip_when, 0, NOT_STORED, NULL, NULL, "rows to leave out"},
         {"key", &some_columns, 0, NOT_STORED, NULL, "[\"customer_id\"]",
          "the columns that identify a row (default: the e-mail address)"},
         {"duplicates", &duplicates, KEY_OPTION, AT(duplicates), "\"first\"", NULL,
          "which of several rows with the same key to use"},
         {"dedupe", &dedupe, KEY_OPTION, AT(dedupe), "\"workspace\"", NULL,
          "where to look for an existing lead, which is then not created again"},
         {"contacted", &contacted, KEY_OPTION, AT(contacted_move), "\"keep\"", NULL,
          "what happens to a lead in a conversation when its route changes"},
         {"stage", &stage, 0, NOT_STORED, NULL, NULL,
          "send leads to a list first, have their addresses verified, then move them on"},
         {"blocklist", &uuid, KEY_NULL | KEY_OPTION, AT(blocklist), "null", NULL,
          "UUID of a block list; null is the workspace's default"},
         {"limits", &limits, 0, NOT_STORED, NULL, NULL, "pace"},
         {"guards", &guards, 0, NOT_STORED, NULL, NULL, "safety limits: what a run may change before it stops"},
         {"retry_refused", &duration, KEY_OPTION, AT(retry_refused_ms), "\"30d\"", NULL,
          "retry a row that Instantly refused after this time; a changed row is retried at once"},
         {"results_to", &results_to, KEY_NULL, NOT_STORED, "null", NULL, "write the outcomes back to a database"},
         {"state", &state, 0, NOT_STORED, NULL, NULL, "what the local state keeps"},
         END}};
