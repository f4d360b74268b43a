/* A CSV without a mapping file: options in place of keys, and columns matched to lead fields by name.
 * Also options of one run over a loaded mapping, which are the same scalars of the same table. */
#include "config.h"

#include "mappings/file/compiled.h"
#include "mappings/names/first_line.h"
#include "mappings/names/names.h"
#include "mappings/names/names_words.h"
#include "mappings/file/schema.h"
#include "sync/base/opt.h"
#include "sync/base/text.h"

#include <stdlib.h>
#include <string.h>

enum { STEM_BYTES_MAX = 55, OPTION_PATH_MAX = 96, LISTED_MAX = 60, SHOWN_BYTES_MAX = 1 << 14, OPTIONS_BYTES_MAX = 1 << 20 };

static const char *const aliases[][2] = {
    {"delimiter", "source.csv.delimiter"},
    {"encoding", "source.csv.encoding"},
    {"short_rows", "source.csv.short_rows"},
    {"embedded_rows", "source.csv.embedded_rows"},
};

/* The key behind an option: its path, one of the aliases, or a guard's name alone. NULL: there is none. */
static const struct schema_key *option_find(const char *name)
{
    char guard[OPTION_PATH_MAX] = "guards.";
    for (size_t i = 0; i < sizeof aliases / sizeof aliases[0]; i++) {
        if (strcmp(name, aliases[i][0]) == 0)
            return schema_find(aliases[i][1]);
    }
    const struct schema_key *key = schema_find(name);
    if (key != NULL && (key->flags & KEY_OPTION) != 0)
        return key;
    if (strlen(name) + strlen(guard) >= sizeof guard)
        return NULL;
    key = schema_find(strcat(guard, name));
    return key != NULL && (key->flags & KEY_OPTION) != 0 ? key : NULL;
}

/* Suggestions for an unknown name: every option of the table, with the paths of the nested ones. */
static int unknown_option(struct mapping *m, const char *name, struct err *e)
{
    static const char *const nested[] = {"limits", "guards", "state"};
    const char *names[64];
    size_t n = 0;
    for (const struct schema_key *key = schema_root.keys; key->name != NULL && n < 32; key++) {
        if ((key->flags & KEY_OPTION) != 0)
            names[n++] = key->name;
    }
    for (size_t i = 0; i < sizeof aliases / sizeof aliases[0]; i++)
        names[n++] = aliases[i][0];
    for (size_t i = 0; i < sizeof nested / sizeof nested[0]; i++) {
        for (const struct schema_key *key = schema_find(nested[i])->type->keys; key->name != NULL && n < 64; key++) {
            char path[OPTION_PATH_MAX];
            size_t outer = strlen(nested[i]), inner = strlen(key->name);
            if ((key->flags & KEY_OPTION) == 0 || outer + inner + 2 > sizeof path)
                continue;
            memcpy(path, nested[i], outer);
            path[outer] = '.';
            memcpy(path + outer + 1, key->name, inner + 1);
            names[n] = arena_dup(&m->arena, path, outer + inner + 1);
            if (names[n++] == NULL)
                return err_oom(e);
        }
    }
    struct diags d;
    diags_init(&d, NULL, STR_NONE, &m->arena);
    diag_add(&d, 0, 0, "unknown option '%s'", diag_show(&d, str_from(name)));
    diag_nearest(&d, str_from(name), names, n);
    return diags_result(&d, XS_USAGE, e);
}

/* The same check and the same store as for a file; only the words around the message differ. The members of a source
 * share their memory: one of a CSV must not be written into a query. */
static int option_store(struct mapping *m, const struct mapping_option *option, struct err *e)
{
    const struct schema_key *key = option_find(option->name);
    struct str text = str_from(option->value);
    if (key == NULL)
        return unknown_option(m, option->name, e);
    bool of_csv = key->offset >= offsetof(struct mapping, source) && key->offset < offsetof(struct mapping, target);
    if (of_csv && m->source.kind != SOURCE_CSV)
        return err_set(e, XS_USAGE, "%s is for CSV sources", option->name);
    void *dest = (char *)m + key->offset;
    if ((key->flags & KEY_NULL) != 0 && str_is(text, "null")) {
        const char *none = NULL;
        memcpy(dest, &none, sizeof none);
        return 0;
    }
    if (!scalar_fits(key->type, text, true)) {
        struct diags d;
        diags_init(&d, NULL, STR_NONE, &m->arena);
        diag_add(&d, 0, 0, "%s must be %s, not '%s'", option->name, scalar_must(key->type, &m->arena), diag_show(&d, text));
        return diags_result(&d, XS_USAGE, e);
    }
    return scalar_store(key->type, text, dest, &m->arena) != 0 ? err_oom(e) : 0;
}

/* `--input`: a CSV in place of any source, relative to where the command runs, with the columns that the source has. It
 * may be what `rejects` wrote, which is UTF-8 and has a header, whatever the source is, and what a spreadsheet made of it. */
static int set_input(struct mapping *m, const char *path, struct err *e)
{
    const char *kept = arena_dup(&m->arena, path, strlen(path));
    if (kept == NULL)
        return err_oom(e);
    if (path[0] == '\0')
        return err_set(e, XS_USAGE, "--input needs the path of a file");
    if (m->source.kind != SOURCE_CSV)
        m->source = (struct source_spec){.kind = SOURCE_CSV, .as.csv = {.header = true}};
    m->source.as.csv.path = kept;
    m->source.as.csv.utf8_first = true;
    m->source.as.csv.header_may_stand = true;
    m->source.as.csv.delimiter_may_differ = true;
    return 0;
}

/* Everything but --input is a key of the table. */
int mapping_override(struct mapping *m, const struct mapping_option *option, struct err *e)
{
    return strcmp(option->name, "input") == 0 ? set_input(m, option->value, e) : option_store(m, option, e);
}

/* The file's name without folder and ending; what no file name of the state should hold becomes '_'. */
static const char *stem(struct mapping *m, const char *path)
{
    const char *slash = strrchr(path, '/');
    struct str name = str_from(strcmp(path, "-") == 0 ? "stdin" : slash != NULL ? slash + 1 : path);
    for (size_t i = name.n; i-- > 1;) {
        if (name.p[i] == '.') {
            name.n = i;
            break;
        }
    }
    size_t n = name.n < STEM_BYTES_MAX ? name.n : STEM_BYTES_MAX;
    while (n > 0 && n < name.n && ((unsigned char)name.p[n] & 0xC0) == 0x80)
        n--;
    char *out = arena_dup(&m->arena, name.p, n);
    for (size_t i = 0; out != NULL && i < n; i++) {
        if ((unsigned char)out[i] < 0x20 || out[i] == 0x7F || out[i] == '/' || (i == 0 && out[i] == '.'))
            out[i] = '_';
    }
    return out;
}

/* "COLUMN=VALUE[,VALUE…]", as a rule of skip_when is. A rule only leaves rows out; only a mapping can say what happens to the
 * existing leads of these rows. */
static int add_skip(struct mapping *m, const char *text, struct err *e)
{
    const char *equals = strchr(text, '=');
    struct skip_rule *rule = &m->impl->skips[m->impl->skips_n];
    struct str column = {text, equals != NULL ? (size_t)(equals - text) : 0};
    if (str_trim(column).n == 0)
        return err_set(e, XS_USAGE, "--skip-when \"%s\" is not COLUMN=VALUE[,VALUE...], as in 'Opted Out=yes,1'", text);
    struct str list = str_from(equals + 1);
    size_t n = 1;
    for (size_t i = 0; i < list.n; i++)
        n += list.p[i] == ',';
    struct str *values = arena_calloc(&m->arena, n, sizeof *values);
    if (values == NULL || arena_str(&m->arena, column, &rule->column.name) != 0)
        return err_oom(e);
    for (size_t at = 0; at <= list.n;) {
        const char *comma = memchr(list.p + at, ',', list.n - at);
        size_t end = comma != NULL ? (size_t)(comma - list.p) : list.n;
        struct str value = {list.p + at, end - at};
        if (n > 1 && str_trim(value).n == 0)
            return err_set(e, XS_USAGE,
                           "--skip-when \"%s\" has an empty value among others; for blank cells give "
                           "'%.*s=' by itself",
                           text, STR_ARG(column));
        if (skip_value_add(m, rule, values, value) != 0)
            return err_oom(e);
        at = end + 1;
    }
    rule->values = values;
    m->impl->skips_n++;
    return 0;
}

static int take_options(struct mapping *m, const struct mapping_option *options, size_t n, struct err *e)
{
    m->impl->skips = arena_calloc(&m->arena, n + 1, sizeof *m->impl->skips);
    if (m->impl->skips == NULL)
        return err_oom(e);
    for (size_t i = 0; i < n; i++)
        if ((strcmp(options[i].name, "skip_when") == 0 ? add_skip(m, options[i].value, e)
                                                       : option_store(m, &options[i], e)) != 0)
            return -1;
    return 0;
}

/* The settings that a file would have: the target, and the options in the order of their table. */
static int digest_options(struct mapping *m, const struct mapping_option *options, size_t n, struct err *e)
{
    struct buf text = BUF_INIT(OPTIONS_BYTES_MAX);
    int rc = buf_addc(&text, m->impl->all_columns ? 'a' : '-') | buf_addc(&text, m->target.kind == TARGET_LIST ? 'l' : 'c') |
             buf_add_str(&text, str_from(m->target.text));
    for (size_t i = 0; i < n; i++)
        rc |= buf_add_str(&text, str_from(options[i].name)) | buf_add_str(&text, str_from(options[i].value));
    if (rc != 0)
        err_oom(e);
    else if (sha256_hex(text.p, text.n, m->sha256) != 0)
        rc = err_set(e, XS_INTERNAL, "SHA-256 is not available");
    buf_free(&text);
    return rc == 0 ? 0 : -1;
}

/* The command that writes a mapping for the file, as it can be typed. */
static const char *init_command(struct mapping *m, const char *path)
{
    struct buf text = BUF_INIT(SHOWN_BYTES_MAX);
    const char *kept = NULL;
    if ((buf_adds(&text, "leadsync init ") | opt_show_quoted(path, &text)) == 0)
        kept = arena_dup(&m->arena, text.p, text.n);
    buf_free(&text);
    return kept != NULL ? kept : "leadsync init FILE";
}

/* Makes a mapping of defaults. Settings that need a decision (removals, routes, keys) have no option, so a CSV without a
 * mapping can only add and update leads. */
int mapping_for_csv(const char *csv_path, const struct target_spec *target, bool all_columns,
                    const struct mapping_option *options, size_t options_n, struct mapping **out, struct err *e)
{
    struct mapping *m = mapping_new();
    if (m == NULL)
        return err_oom(e);
    m->folder = ".";
    m->source.kind = SOURCE_CSV;
    m->impl->default_mapping = true;
    /* This mapping removes nothing, and the next list may have the same name: browsers call every download export.csv. */
    m->guards.source_shrank.kind = m->guards.empty_source.kind = GUARD_NONE;
    m->impl->all_columns = all_columns;
    const struct schema_key *csv = schema_find("source.csv");
    m->source.as.csv.path = arena_dup(&m->arena, csv_path, strlen(csv_path));
    m->name = stem(m, csv_path);
    m->target.kind = target->kind;
    m->target.text = arena_dup(&m->arena, target->text, strlen(target->text));
    if (m->source.as.csv.path == NULL || m->name == NULL || m->target.text == NULL ||
        schema_defaults(csv->type, m, &m->arena) != 0) {
        err_oom(e);
        goto failed;
    }
    if (take_options(m, options, options_n, e) != 0 || digest_options(m, options, options_n, e) != 0)
        goto failed;
    if (m->mode == MODE_MIRROR) {
        const char *init = init_command(m, csv_path);
        err_set(e, XS_USAGE, "a CSV without a mapping file never removes leads; for mode mirror write a mapping: %s", init);
        goto failed;
    }
    *out = m;
    return 0;
failed:
    mapping_free(m);
    return -1;
}

/* One CSV sent to two targets is two syncs. This hashes the id and not the name, because a campaign may be renamed. */
int mapping_name_target(struct mapping *m, const char *target_id, struct err *e)
{
    struct uuid id;
    char text[UUID_TEXT_N], hex[SHA256_HEX_N];
    struct buf name = BUF_INIT(4096);
    int rc = -1;
    if (uuid_parse(str_from(target_id), &id) != 0)
        err_set(e, XS_INTERNAL, "the target's id is not a UUID");
    else if (sha256_hex(uuid_format(&id, text), UUID_TEXT_N - 1, hex) != 0)
        err_set(e, XS_INTERNAL, "SHA-256 is not available");
    else if (buf_addf(&name, "%s-%.8s", m->name, hex) != 0 || (m->name = arena_dup(&m->arena, name.p, name.n)) == NULL)
        err_oom(e);
    else
        rc = 0;
    buf_free(&name);
    return rc;
}

/* ---- bind ---- */

/* Finds the column of the address. If no name or several names mean it, the user must decide. */
static int no_address(struct mapping *m, const struct str *columns, const struct names_use *uses, size_t n, struct err *e)
{
    struct buf shown = BUF_INIT(SHOWN_BYTES_MAX);
    bool several = false;
    for (size_t i = 0; i < n; i++)
        several = several || uses[i].rival == LEAD_EMAIL;
    int rc = 0;
    size_t listed = 0;
    for (size_t i = 0; i < n && listed < LISTED_MAX && rc == 0; i++) {
        if (str_trim(columns[i]).n == 0)
            continue;
        if (several && uses[i].rival != LEAD_EMAIL)
            continue;
        rc = (listed++ > 0 ? buf_adds(&shown, ", ") : 0) | text_show(columns[i], 60, &shown);
    }
    const char *list = rc == 0 ? buf_cstr(&shown) : NULL;
    const char *path = m->source.as.csv.path, *init = init_command(m, path);
    if (list == NULL)
        err_oom(e);
    else if (several)
        err_set(e, XS_CONFIG,
                "%s: several columns could be the e-mail address: %s; rename one to 'email', or write a mapping: %s", path,
                list, init);
    else if (first_line_address(columns, n) >= 0)
        err_set(e, XS_CONFIG,
                "%s: the first line holds an e-mail address, so it is data and not a header; this writes a mapping with "
                "names for the columns: %s",
                path, init);
    else if (listed == 1 && n > 1)
        err_set(
            e, XS_CONFIG,
            "%s: the first line has one cell, \"%s\", so it may be a title; remove the lines above the header, whose line "
            "this names: %s",
            path, list, init);
    else
        err_set(
            e, XS_CONFIG,
            "%s: no column name is known to mean the e-mail address; the columns are: %s; rename one to 'email', or write a "
            "mapping: %s",
            path, list, init);
    buf_free(&shown);
    return -1;
}

/* A column whose name a variable cannot have stays unused; the run names it on stderr. */
static bool is_sent(const struct mapping *m, struct str name, int field)
{
    return m->impl->all_columns && field < 0 && custom_name_flaw(name) == NULL && text_is_utf8(name);
}

/* Refuses several columns of one name if one of them would be sent, because the choice is ambiguous. Ignores unused ones. */
static int refuse_twins(const struct mapping *m, const struct str *columns, const struct names_use *uses, size_t n,
                        struct err *e)
{
    struct buf shown = BUF_INIT(SHOWN_BYTES_MAX);
    size_t pairs = 0;
    int rc = 0;
    for (size_t k = 1; k < n && rc == 0; k++) {
        size_t i = 0;
        while (i < k && !str_eq(columns[i], columns[k]))
            i++;
        bool used = uses[i].field != NAMES_UNUSED || uses[k].field != NAMES_UNUSED || uses[k].rival == LEAD_EMAIL ||
                    is_sent(m, columns[k], uses[k].field);
        if (i == k || !used || pairs++ >= LISTED_MAX)
            continue;
        rc = buf_addf(&shown, "%scolumns %zu and %zu are both named \"", pairs > 1 ? ", " : "", i + 1, k + 1) |
             text_show(columns[k], 60, &shown) | buf_addc(&shown, '"');
    }
    if (rc != 0)
        err_oom(e);
    else if (pairs > 0)
        rc = err_set(e, XS_CONFIG, "%s: %s, and only one column of each name can be sent; rename the others",
                     m->source.as.csv.path, buf_cstr(&shown));
    buf_free(&shown);
    return rc;
}

/* Core fields in their order, then what is sent as custom variables in the order of the file. */
static int make_columns(struct mapping *m, const struct str *columns, const struct names_use *uses, size_t n)
{
    struct mapping_impl *impl = m->impl;
    struct str *names = arena_calloc(&m->arena, n + 1, sizeof *names);
    enum overwrite *overwrite = arena_calloc(&m->arena, LEAD_FIELD_N + n, sizeof *overwrite);
    impl->columns = arena_calloc(&m->arena, n + 1, sizeof *impl->columns);
    impl->columns_n = 0;
    if (names == NULL || overwrite == NULL || impl->columns == NULL)
        return -1;
    size_t custom_n = 0;
    for (int slot = 0; slot <= LEAD_FIELD_N; slot++) {
        for (size_t i = 0; i < n; i++) {
            bool core = slot < LEAD_FIELD_N && uses[i].field == slot;
            if (!core && !(slot == LEAD_FIELD_N && is_sent(m, columns[i], uses[i].field)))
                continue;
            struct str from = {arena_dup(&m->arena, columns[i].p, columns[i].n), columns[i].n};
            if (from.p == NULL)
                return -1;
            if (!core)
                names[custom_n++] = from;
            unsigned to = core ? (unsigned)slot : LEAD_FIELD_N + (unsigned)custom_n - 1;
            impl->columns[impl->columns_n++] = column_copy(core ? lead_field_table[slot].api : from.p, to, from);
        }
    }
    m->shape = (struct lead_shape){.custom_n = custom_n, .custom_names = names};
    m->overwrite = overwrite;
    return digest_default_mapping(m, &m->digest);
}

/* A rule names its column as columns are matched to fields: exactly, else by its key if only one column has that key. If none has
 * it, mapping_bind() reports it. 0/-1 (memory). */
static int find_skip_columns(struct mapping *m, const struct str *columns, size_t n)
{
    struct buf wanted = BUF_INIT(NAMES_HEADER_MAX), key = BUF_INIT(NAMES_HEADER_MAX);
    int rc = 0;
    for (size_t r = 0; r < m->impl->skips_n && rc == 0; r++) {
        struct str *name = &m->impl->skips[r].column.name;
        size_t found = n, several = 0;
        rc = names_key(*name, &wanted);
        for (size_t i = 0; i < n && rc == 0; i++) {
            bool same = str_eq(columns[i], *name);
            rc = names_key(columns[i], &key);
            if (!same && (wanted.n == 0 || !str_eq(buf_str(&wanted), buf_str(&key))))
                continue;
            several = same ? 0 : several + 1;
            found = i;
            if (same)
                break;
        }
        if (rc == 0 && found < n && several <= 1)
            rc = arena_str(&m->arena, columns[found], name);
    }
    buf_free(&wanted);
    buf_free(&key);
    return rc;
}

int mapping_skips_by(const struct mapping *m, struct str column)
{
    struct buf wanted = BUF_INIT(NAMES_HEADER_MAX), key = BUF_INIT(NAMES_HEADER_MAX);
    int found = names_key(column, &wanted) != 0 ? -1 : 0;
    for (size_t i = 0; i < m->impl->skips_n && found == 0; i++)
        found = str_eq(m->impl->skips[i].column.name, column) ? 1
                : names_key(m->impl->skips[i].column.name, &key) != 0
                    ? -1
                    : wanted.n > 0 && str_eq(buf_str(&wanted), buf_str(&key));
    buf_free(&wanted);
    buf_free(&key);
    return found;
}

/* Columns meet fields. Bound again (another read of the file), it starts afresh. */
int default_mapping_bind(struct mapping *m, const struct str *columns, size_t columns_n, struct err *e)
{
    struct names_use *uses = calloc(columns_n + 1, sizeof *uses);
    if (uses == NULL || names_assign(columns, columns_n, uses) != 0) {
        free(uses);
        return err_oom(e);
    }
    bool address = false;
    for (size_t i = 0; i < columns_n; i++)
        address = address || uses[i].field == LEAD_EMAIL;
    int rc = refuse_twins(m, columns, uses, columns_n, e);
    if (rc == 0 && !address)
        rc = mapping_undivided(m, columns, columns_n, e) ? -1 : no_address(m, columns, uses, columns_n, e);
    if (rc == 0 && (make_columns(m, columns, uses, columns_n) != 0 || find_skip_columns(m, columns, columns_n) != 0 ||
                    default_mapping_notes(m, columns, uses, columns_n) != 0))
        rc = err_oom(e);
    free(uses);
    return rc;
}

/* Public wrapper for names_help(). */
int mapping_names_help(struct buf *out)
{
    return names_help(out);
}
