#include "config.h"

#include "mappings/names.h"

#include "sync/base/text.h"

#include <stdlib.h>
#include <string.h>

enum sureness { SURE, PAIR, MAYBE };

static const struct spellings {
    enum lead_field field;
    enum sureness sureness;
    const char *language, *list;
} table[] = {
#define NAMES(field, sureness, language, list) {LEAD_##field, sureness, language, list},
#include "mappings/names.def"
#undef NAMES
};
enum { TABLE_N = sizeof table / sizeof table[0] };

enum { HEADER_MAX = 4096 }; /* bytes of a header's key; a longer one is no name that anybody knows */

/* Is `key` (as text_header_key makes them) the spelling? What the key leaves out is skipped here. */
static bool spelled_as(struct str key, const char *spelling, size_t n)
{
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        if (spelling[i] == ' ' || spelling[i] == '-' || spelling[i] == '_' || spelling[i] == '.')
            continue;
        if (at == key.n || key.p[at++] != spelling[i])
            return false;
    }
    return at == key.n;
}

static bool listed(struct str key, const char *list)
{
    while (*list != 0) {
        size_t n = strcspn(list, "|");
        if (spelled_as(key, list, n))
            return true;
        list += n + (list[n] == '|');
    }
    return false;
}

/* The API's own name. Fields that take an id or a number are known under exactly that name only: a column "Assigned To"
 * has names of people in it, and would reject every row. */
static int exact_field(struct str header, struct str key)
{
    for (int f = 0; f < LEAD_FIELD_N; f++) {
        const char *api = lead_field_table[f].api;
        if (lead_field_table[f].kind == LEAD_KIND_STRING ? spelled_as(key, api, strlen(api))
                                                         : str_eq_nocase(str_trim(header), str_from(api)))
            return f;
    }
    return -1;
}

/* The key of a header; empty when it is too long to be one. 0/-1. */
static int header_key(struct str header, struct buf *out)
{
    buf_reset(out);
    if (header.n > HEADER_MAX / 4)
        return 0; /* folding makes at most three bytes of one */
    return text_header_key(header, out);
}

static struct names_match match(struct str header, struct str key)
{
    struct names_match found = {NAMES_NONE, LEAD_EMAIL};
    int exact = exact_field(header, key);

    if (exact >= 0)
        return (struct names_match){NAMES_EXACT, (enum lead_field)exact};
    for (size_t i = 0; i < TABLE_N && found.certainty != NAMES_SPELLING; i++)
        if (listed(key, table[i].list) && (table[i].sureness == SURE || found.certainty == NAMES_NONE)) {
            found.certainty = table[i].sureness == SURE ? NAMES_SPELLING : NAMES_MAYBE;
            found.field = table[i].field;
        }
    return found;
}

int names_find(struct str header, struct names_match *out)
{
    struct buf key = BUF_INIT(HEADER_MAX);
    int rc = header_key(header, &key);

    *out = (struct names_match){NAMES_NONE, LEAD_EMAIL};
    if (rc == 0 && key.n > 0)
        *out = match(header, buf_str(&key));
    buf_free(&key);
    return rc != 0 ? -1 : out->certainty != NAMES_NONE;
}

bool names_opt_out(struct str header)
{
    static const char *const signs[] = {
        "optout",      "optedout",  "unsubscribe", "donotcontact",  "donotemail", "donotmail",    "abgemeldet",
        "desinscri",   "désinscri", "debaja",      "bounced",       "nomail",     "descadastr",   "werbesperre",
        "nichtkontakt", "disiscri", "désabonn",    "uitgeschreven", "afgemeld",   "cancelousubs", "werbewiderspruch"};
    struct buf key = BUF_INIT(HEADER_MAX);
    const char *text = header_key(header, &key) == 0 && key.n > 0 ? buf_cstr(&key) : NULL;
    bool found = text != NULL && strcmp(text, "baja") == 0; /* but not "trabajador" */

    for (size_t i = 0; text != NULL && i < sizeof signs / sizeof signs[0] && !found; i++)
        found = strstr(text, signs[i]) != NULL;
    buf_free(&key);
    return found;
}

/* What is known of one column while the columns are compared with each other. */
struct column {
    struct buf key;
    struct names_match match;
};

/* Is some column sure to be `field` in this language? */
static bool has_half(const struct column *columns, size_t n, enum lead_field field, const char *language)
{
    for (size_t i = 0; i < TABLE_N; i++) {
        if (table[i].field != field || table[i].sureness != SURE || strcmp(table[i].language, language) != 0)
            continue;
        for (size_t c = 0; c < n; c++)
            if (columns[c].match.certainty == NAMES_SPELLING && listed(buf_str(&columns[c].key), table[i].list))
                return true;
    }
    return false;
}

/* "Name" beside "Vorname", "Nombre" beside "Apellidos": sure after all. */
static void settle_pairs(struct column *columns, size_t n)
{
    for (size_t c = 0; c < n; c++) {
        if (columns[c].match.certainty != NAMES_MAYBE)
            continue;
        for (size_t i = 0; i < TABLE_N; i++) {
            enum lead_field other = table[i].field == LEAD_FIRST_NAME ? LEAD_LAST_NAME : LEAD_FIRST_NAME;
            if (table[i].sureness == PAIR && listed(buf_str(&columns[c].key), table[i].list) &&
                has_half(columns, n, other, table[i].language)) {
                columns[c].match = (struct names_match){NAMES_SPELLING, table[i].field};
                break;
            }
        }
    }
}

static int field_of(const struct column *columns, size_t n, size_t c)
{
    const struct names_match *own = &columns[c].match;
    bool shared = false;

    if (own->certainty < NAMES_SPELLING)
        return NAMES_UNUSED;
    for (size_t i = 0; i < n; i++) {
        const struct names_match *other = &columns[i].match;
        if (i == c || other->certainty < NAMES_SPELLING || other->field != own->field)
            continue;
        if (other->certainty > own->certainty)
            return NAMES_UNUSED;
        shared |= other->certainty == own->certainty;
    }
    return shared ? NAMES_AMBIGUOUS : (int)own->field;
}

int names_assign(const struct str *columns, size_t n, int *fields)
{
    struct column *known = calloc(n > 0 ? n : 1, sizeof *known);
    int rc = known != NULL ? 0 : -1;

    for (size_t i = 0; rc == 0 && i < n; i++) {
        buf_init(&known[i].key, HEADER_MAX);
        rc = header_key(columns[i], &known[i].key);
        if (rc == 0 && known[i].key.n > 0)
            known[i].match = match(columns[i], buf_str(&known[i].key));
    }
    if (rc == 0) {
        settle_pairs(known, n);
        for (size_t i = 0; i < n; i++)
            fields[i] = field_of(known, n, i);
    }
    for (size_t i = 0; known != NULL && i < n; i++)
        buf_free(&known[i].key);
    free(known);
    return rc;
}

/* Appends the spellings of one field and sureness, wrapped and indented. */
static int help_spellings(enum lead_field field, enum sureness sureness, struct buf *out)
{
    enum { COLUMNS = 100, INDENT = 4 };
    size_t column = COLUMNS;
    bool any = false;

    for (size_t i = 0; i < TABLE_N; i++) {
        if (table[i].field != field || table[i].sureness != sureness)
            continue;
        for (const char *at = table[i].list; *at != 0;) {
            size_t n = strcspn(at, "|"), width = text_width((struct str){at, n}) + 2;
            if (any && buf_adds(out, ",") != 0)
                return -1;
            if (!any && sureness == PAIR && buf_adds(out, "\n    beside its other half in the same language:") != 0)
                return -1;
            if (column + width > COLUMNS) {
                if (buf_adds(out, "\n    ") != 0)
                    return -1;
                column = INDENT;
            } else if (buf_adds(out, " ") != 0) {
                return -1;
            }
            if (buf_add(out, at, n) != 0)
                return -1;
            column += width;
            any = true;
            at += n + (at[n] == '|');
        }
    }
    return 0;
}

int names_help(struct buf *out)
{
    for (int f = 0; f < LEAD_FIELD_N; f++) {
        if (buf_addf(out, "  %s", lead_field_table[f].api) != 0 ||
            help_spellings((enum lead_field)f, SURE, out) != 0 || help_spellings((enum lead_field)f, PAIR, out) != 0 ||
            buf_adds(out, "\n") != 0)
            return -1;
    }
    return 0;
}
