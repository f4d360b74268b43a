#include "config.h"

#include "mappings/names/names.h"
#include "mappings/names/names_words.h"

#include "sync/base/text.h"

#include <stdlib.h>
#include <string.h>

enum sureness { BEST, FIRST, SURE, WEAK, PAIR, MAYBE };

static const struct spellings {
    enum lead_field field;
    enum sureness sureness;
    const char *language, *list;
} table[] = {
#define NAMES(field, sureness, language, list) {LEAD_##field, sureness, language, list},
#include "mappings/names/names.def"
#undef NAMES
};
enum { TABLE_N = sizeof table / sizeof table[0] };

/* Which column of several gets the field. */
enum { RANK_MAYBE = 1, RANK_LIKELY, RANK_SPELLING, RANK_EXACT, RANK_BEST, RANK_NAMED /* as the mapping spells it */ };

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
 * holds names of people and would reject every row. */
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

static struct names_match matched(enum names_certainty certainty, enum lead_field field, int rank)
{
    return (struct names_match){.certainty = certainty, .field = field, .rank = rank};
}

/* By the table alone. The first line that is sure counts, else the first that knows the spelling. */
static struct names_match match_listed(struct str key)
{
    struct names_match found = {.certainty = NAMES_NONE};

    for (size_t i = 0; i < TABLE_N && found.certainty < NAMES_SPELLING; i++) {
        if ((found.certainty == NAMES_LIKELY && table[i].sureness > SURE) || !listed(key, table[i].list))
            continue;
        switch (table[i].sureness) {
        case BEST: found = matched(NAMES_SPELLING, table[i].field, RANK_BEST); break;
        case FIRST:
        case SURE:
            found = matched(NAMES_SPELLING, table[i].field, RANK_SPELLING);
            found.first = table[i].sureness == FIRST;
            break;
        case WEAK: found = matched(NAMES_LIKELY, table[i].field, RANK_LIKELY); break;
        case PAIR:
        case MAYBE:
            if (found.certainty == NAMES_NONE)
                found = matched(NAMES_MAYBE, table[i].field, RANK_MAYBE);
            break;
        }
    }
    return found;
}

static struct names_match match_key(struct str header, struct str key)
{
    int exact = exact_field(header, key);

    if (exact < 0)
        return match_listed(key);
    bool named = str_eq_nocase(str_trim(header), str_from(lead_field_table[exact].api));
    return matched(NAMES_EXACT, (enum lead_field)exact, named ? RANK_NAMED : RANK_EXACT);
}

/* "Emails" is a column of addresses, each cell one; "Jobs" and "Positions" are of a company. */
static struct names_match match_inner(struct str key)
{
    static const char *const plurals[] = {"", "s", "es"};
    struct names_match found = {.certainty = NAMES_NONE};

    for (size_t i = 0; i < sizeof plurals / sizeof plurals[0] && found.certainty == NAMES_NONE; i++) {
        size_t n = strlen(plurals[i]);
        if (key.n > n && memcmp(key.p + key.n - n, plurals[i], n) == 0)
            found = match_key(STR_NONE, (struct str){key.p, key.n - n});
        if (n > 0 && found.field != LEAD_EMAIL && found.field != LEAD_PHONE && found.field != LEAD_WEBSITE)
            found = (struct names_match){.certainty = NAMES_NONE};
    }
    return found;
}

/* Words that a tool puts around a name make the match less sure: "Lead Email", "Phone 1 - Value". A column that is not the
 * first of its kind may be unwanted. 0/-1 */
static int match_words(struct str header, struct names_match *found)
{
    struct names_words words;
    struct names_inner inner = {.second = false};
    struct buf key = BUF_INIT(NAMES_HEADER_MAX);
    int rc = names_words_split(header, &words);

    for (size_t step = 0; rc == 0 && found->certainty == NAMES_NONE; step++) {
        int got = names_words_inner(&words, step, &key, &inner);
        if (got <= 0) {
            rc = got;
            break;
        }
        *found = match_inner(inner.key);
    }
    if (found->certainty > NAMES_MAYBE)
        *found = inner.second ? matched(NAMES_MAYBE, found->field, RANK_MAYBE)
                              : (struct names_match){NAMES_LIKELY, found->field, RANK_LIKELY, found->first};
    names_words_free(&words);
    buf_free(&key);
    return rc;
}

static int match(struct str header, struct str key, struct names_match *out)
{
    *out = match_key(header, key);
    return out->certainty == NAMES_NONE ? match_words(header, out) : 0;
}

int names_find(struct str header, struct names_match *out)
{
    struct buf key = BUF_INIT(NAMES_HEADER_MAX);
    int rc = names_key(header, &key);

    *out = (struct names_match){.certainty = NAMES_NONE};
    if (rc == 0 && key.n > 0)
        rc = match(header, buf_str(&key), out);
    buf_free(&key);
    return rc != 0 ? -1 : out->certainty != NAMES_NONE;
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

/* "Name" beside "Vorname", "Nombre" beside "Apellidos": sure because of the other half. */
static void settle_pairs(struct column *columns, size_t n)
{
    for (size_t c = 0; c < n; c++) {
        if (columns[c].match.certainty != NAMES_MAYBE)
            continue;
        for (size_t i = 0; i < TABLE_N; i++) {
            enum lead_field other = table[i].field == LEAD_FIRST_NAME ? LEAD_LAST_NAME : LEAD_FIRST_NAME;
            if (table[i].sureness == PAIR && listed(buf_str(&columns[c].key), table[i].list) &&
                has_half(columns, n, other, table[i].language)) {
                columns[c].match = matched(NAMES_SPELLING, table[i].field, RANK_LIKELY);
                break;
            }
        }
    }
}

/* Is column `a` to be asked before column `b`, which claims the same field? */
static bool goes_before(const struct names_use *uses, size_t a, size_t b)
{
    const struct names_match *x = &uses[a].match, *y = &uses[b].match;
    if (x->rank != y->rank && (x->rank == RANK_BEST || y->rank == RANK_BEST))
        return x->rank == RANK_BEST;
    if (x->first != y->first)
        return x->first;
    return x->rank != y->rank ? x->rank > y->rank : a < b;
}

/* The columns that may fill `field` compete: one of the highest rank does. Of several addresses of one rank none wins, because
 * each is another identity. */
static void settle_field(struct names_use *uses, size_t n, enum lead_field field)
{
    size_t best = n, of_rank = 0;

    for (size_t i = 0; i < n; i++) {
        const struct names_match *m = &uses[i].match;
        if (m->certainty < NAMES_LIKELY || m->field != field)
            continue;
        bool higher = best == n || m->rank > uses[best].match.rank;
        bool same = best < n && m->rank == uses[best].match.rank;
        of_rank = higher ? 1 : of_rank + same;
        if (higher || (same && goes_before(uses, i, best)))
            best = i;
    }
    if (best == n)
        return;
    bool unclear = field == LEAD_EMAIL && of_rank > 1;
    if (!unclear)
        uses[best].field = (int)field;
    for (size_t i = 0; i < n; i++) {
        const struct names_match *m = &uses[i].match;
        bool claims = m->certainty >= NAMES_SPELLING || m->rank == uses[best].match.rank;
        if ((i != best || unclear) && m->certainty >= NAMES_LIKELY && m->field == field && claims)
            uses[i].rival = (int)field;
    }
}

size_t names_claims(const struct names_use *uses, size_t n, enum lead_field field, size_t *out)
{
    size_t found = 0;

    for (size_t i = 0; i < n; i++) {
        if (uses[i].field != (int)field && uses[i].rival != (int)field)
            continue;
        size_t at = found++;
        for (; at > 0 && goes_before(uses, i, out[at - 1]); at--)
            out[at] = out[at - 1];
        out[at] = i;
    }
    return found;
}

int names_assign(const struct str *columns, size_t n, struct names_use *uses)
{
    struct column *known = calloc(n > 0 ? n : 1, sizeof *known);
    int rc = known != NULL ? 0 : -1;

    for (size_t i = 0; rc == 0 && i < n; i++) {
        buf_init(&known[i].key, NAMES_HEADER_MAX);
        rc = names_key(columns[i], &known[i].key);
        if (rc == 0 && known[i].key.n > 0)
            rc = match(columns[i], buf_str(&known[i].key), &known[i].match);
    }
    if (rc == 0) {
        settle_pairs(known, n);
        for (size_t i = 0; i < n; i++)
            uses[i] = (struct names_use){.field = NAMES_UNUSED, .rival = NAMES_UNUSED, .match = known[i].match};
        for (int field = 0; field < LEAD_FIELD_N; field++)
            settle_field(uses, n, (enum lead_field)field);
    }
    for (size_t i = 0; known != NULL && i < n; i++)
        buf_free(&known[i].key);
    free(known);
    return rc;
}

/* Appends the spellings of one field, wrapped and indented: those that mean it by themselves (SURE), or those that need
 * their other half (PAIR). */
static int help_spellings(enum lead_field field, enum sureness sureness, struct buf *out)
{
    enum { COLUMNS = 100, INDENT = 4 };
    size_t column = COLUMNS;
    bool any = false;

    for (size_t i = 0; i < TABLE_N; i++) {
        bool sure = table[i].sureness <= WEAK;
        if (table[i].field != field || (sureness == SURE ? !sure : table[i].sureness != sureness))
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
        if (buf_addf(out, "  %s", lead_field_table[f].api) != 0 || help_spellings((enum lead_field)f, SURE, out) != 0 ||
            help_spellings((enum lead_field)f, PAIR, out) != 0 || buf_adds(out, "\n") != 0)
            return -1;
    }
    return 0;
}
