/* The types of scalars: which texts are valid, and what is stored for them. One function checks, one stores; both use the
 * same readers. */
#include "config.h"

#include "mappings/mapping.h"
#include "mappings/file/schema.h"
#include "sync/base/clock.h"
#include "sync/base/hash.h"

#include <iconv.h>
#include <stdlib.h>
#include <string.h>

enum { DIGITS_MAX = 15 }; /* more digits cannot be a number of leads, seconds or requests */

/* Words are compared as they are: YAML has no case to fold, and `Upsert` is more likely a slip than a wish. */
static int word_index(const char *const *words, struct str text)
{
    for (int i = 0; words != NULL && words[i] != NULL; i++) {
        if (str_is(text, words[i]))
            return i;
    }
    return -1;
}

/* A plain decimal number without sign. 0/-1. */
static int read_count(struct str text, int64_t *out)
{
    int64_t v = 0;
    if (text.n == 0 || text.n > DIGITS_MAX)
        return -1;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9')
            return -1;
        v = v * 10 + (text.p[i] - '0');
    }
    *out = v;
    return 0;
}

/* Digits with at most one point among them: strtod would take "inf", "0x1" and a locale's comma. 0/-1. */
static int read_decimal(struct str text, double *out)
{
    size_t points = 0;
    if (text.n == 0 || text.n > DIGITS_MAX || text.p[0] == '.' || text.p[text.n - 1] == '.')
        return -1;
    double value = 0, scale = 1;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (c == '.') {
            points++;
            continue;
        }
        if (c < '0' || c > '9')
            return -1;
        value = value * 10 + (c - '0');
        scale = points > 0 ? scale * 10 : scale;
    }
    *out = value / scale;
    return points <= 1 ? 0 : -1;
}

static bool read_plain_number(struct str text)
{
    double value;
    return read_decimal(text, &value) == 0;
}

/* A share above 100% could never stop a run, so it is a mistake. */
static int read_guard(struct str text, struct guard_limit *out)
{
    if (str_is(text, "none")) {
        *out = (struct guard_limit){.kind = GUARD_NONE};
        return 0;
    }
    if (text.n > 1 && text.p[text.n - 1] == '%') {
        double percent;
        if (read_decimal((struct str){text.p, text.n - 1}, &percent) != 0 || percent > 100)
            return -1;
        *out = (struct guard_limit){.kind = GUARD_SHARE, .value = percent / 100};
        return 0;
    }
    int64_t count;
    if (read_count(text, &count) != 0)
        return -1;
    *out = (struct guard_limit){.kind = GUARD_COUNT, .value = (double)count};
    return 0;
}

/* The three spellings of YAML 1.2. `yes` and `on` are text there, and are refused rather than guessed. */
static int read_bool(struct str text, bool *out)
{
    *out = str_is(text, "true") || str_is(text, "True") || str_is(text, "TRUE");
    return *out || str_is(text, "false") || str_is(text, "False") || str_is(text, "FALSE") ? 0 : -1;
}

/* A tab cannot be seen, and a shell takes some of the others for its own: each has a name, too. */
int mapping_delimiter(struct str text, char *out)
{
    static const struct {
        const char *name;
        char c;
    } names[] = {{"auto", 0}, {"comma", ','}, {"semicolon", ';'}, {"tab", '\t'}, {"bar", '|'}, {"pipe", '|'}};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (str_is(text, names[i].name) || (names[i].c != 0 && text.n == 1 && text.p[0] == names[i].c)) {
            *out = names[i].c;
            return 0;
        }
    }
    return -1;
}

/* Asks iconv, because the known names depend on the machine. */
static bool is_encoding(struct str text)
{
    char name[64];
    if (text.n == 0 || text.n >= sizeof name)
        return false;
    if (str_is(text, "auto"))
        return true;
    for (size_t i = 0; i < text.n; i++) { /* "//IGNORE" would drop what does not fit */
        if (text.p[i] == '/')
            return false;
        name[i] = text.p[i];
    }
    name[text.n] = '\0';
    iconv_t cd = iconv_open("UTF-8", name);
    if (cd == (iconv_t)-1)
        return false;
    iconv_close(cd);
    return true;
}

/* The name becomes a file name, a lock and a label of metrics: nothing in it may need quoting anywhere. */
static bool is_name(struct str text)
{
    if (text.n == 0 || text.n > 64)
        return false;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        bool alnum = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (!alnum && (i == 0 || (c != '.' && c != '_' && c != '-')))
            return false;
    }
    return true;
}

bool schema_is_scalar(const struct schema *type)
{
    return type->kind <= SCHEMA_SCALAR;
}

/* Uses the readers that also store, so that every accepted text can be stored. */
bool scalar_fits(const struct schema *type, struct str text, bool plain)
{
    int64_t number;
    bool yes;
    char c;
    struct uuid uuid;
    struct guard_limit guard;
    switch (type->kind) {
    case SCHEMA_TEXT:
    case SCHEMA_PATH: return str_trim(text).n > 0;
    case SCHEMA_UUID: return uuid_parse(text, &uuid) == 0;
    case SCHEMA_NAME: return is_name(text);
    case SCHEMA_WORD:
    case SCHEMA_SWITCH: return word_index(type->words, text) >= 0;
    case SCHEMA_BOOL: return plain && read_bool(text, &yes) == 0;
    case SCHEMA_HEADER: return plain && read_bool(text, &yes) == 0 && yes;
    case SCHEMA_TRISTATE: return str_is(text, "auto") || (plain && read_bool(text, &yes) == 0);
    case SCHEMA_COUNT:
        return word_index(type->words, text) >= 0 ||
               (read_count(text, &number) == 0 && number >= type->min && number <= type->max);
    case SCHEMA_DURATION:
        return word_index(type->words, text) >= 0 ||
               (duration_parse(text, &number) == 0 && number >= type->min && number <= type->max);
    case SCHEMA_OVERLAP:
        /* A plain number may count anything; what is too long for a time is seen with the column. */
        return duration_parse(text, &number) == 0 && (number <= type->max || read_plain_number(text));
    case SCHEMA_GUARD: return read_guard(text, &guard) == 0;
    case SCHEMA_EMPTY_GUARD: return str_is(text, "stop") || str_is(text, "none");
    case SCHEMA_DELIMITER: return mapping_delimiter(text, &c) == 0;
    case SCHEMA_ENCODING: return is_encoding(text);
    default: return true;
    }
}

/* "create, upsert or mirror": the words themselves are the best help. */
const char *scalar_must(const struct schema *type, struct arena *arena)
{
    if (type->what != NULL)
        return type->what;
    struct buf b = BUF_INIT(4096);
    int rc = 0;
    for (size_t i = 0; type->words[i] != NULL; i++)
        rc |= buf_addf(&b, "%s%s", i == 0 ? "" : type->words[i + 1] != NULL ? ", " : " or ", type->words[i]);
    const char *kept = rc == 0 ? arena_dup(arena, b.p, b.n) : NULL;
    buf_free(&b);
    return kept != NULL ? kept : "another word";
}

/* Members are written by memcpy(): the table knows their offset and kind, not their type. */
static int store_text(const char *text, size_t n, void *dest, struct arena *arena)
{
    const char *kept = arena_dup(arena, text, n);
    if (kept == NULL)
        return -1;
    memcpy(dest, &kept, sizeof kept);
    return 0;
}

/* One spelling, so that equal ids are equal texts. */
static int store_uuid(struct str text, void *dest, struct arena *arena)
{
    struct uuid uuid;
    char lower[UUID_TEXT_N];
    if (uuid_parse(text, &uuid) != 0)
        return -1;
    return store_text(uuid_format(&uuid, lower), UUID_TEXT_N - 1, dest, arena);
}

static void store_guard(struct str text, void *dest)
{
    struct guard_limit guard = {.kind = GUARD_STOP};
    if (!str_is(text, "stop"))
        read_guard(text, &guard);
    memcpy(dest, &guard, sizeof guard);
}

/* A word stands for 0, which is what "auto" and "never" are in the struct. */
static void store_number(const struct schema *type, struct str text, void *dest)
{
    int64_t number = 0;
    if (word_index(type->words, text) < 0 && type->kind == SCHEMA_DURATION)
        duration_parse(text, &number);
    else if (word_index(type->words, text) < 0)
        read_count(text, &number);
    if (type->kind == SCHEMA_DURATION) {
        memcpy(dest, &number, sizeof number);
    } else {
        unsigned small = (unsigned)number;
        memcpy(dest, &small, sizeof small);
    }
}

int scalar_store(const struct schema *type, struct str text, void *dest, struct arena *arena)
{
    bool yes;
    int word;
    switch (type->kind) {
    case SCHEMA_UUID: return store_uuid(text, dest, arena);
    case SCHEMA_ENCODING:
        if (str_is(text, "auto")) {
            const char *none = NULL;
            memcpy(dest, &none, sizeof none);
            return 0;
        }
        return store_text(text.p, text.n, dest, arena);
    case SCHEMA_TEXT:
    case SCHEMA_PATH:
    case SCHEMA_NAME:
    case SCHEMA_OVERLAP: return store_text(text.p, text.n, dest, arena);
    case SCHEMA_WORD:
        word = word_index(type->words, text);
        memcpy(dest, &word, sizeof word);
        return 0;
    case SCHEMA_SWITCH:
        yes = word_index(type->words, text) == 1;
        memcpy(dest, &yes, sizeof yes);
        return 0;
    case SCHEMA_BOOL:
    case SCHEMA_HEADER:
        read_bool(text, &yes);
        memcpy(dest, &yes, sizeof yes);
        return 0;
    case SCHEMA_TRISTATE:
        word = str_is(text, "auto") ? -1 : read_bool(text, &yes) == 0 && yes;
        memcpy(dest, &word, sizeof word);
        return 0;
    case SCHEMA_COUNT:
    case SCHEMA_DURATION: store_number(type, text, dest); return 0;
    case SCHEMA_GUARD:
    case SCHEMA_EMPTY_GUARD: store_guard(text, dest); return 0;
    case SCHEMA_DELIMITER: return mapping_delimiter(text, dest);
    default: return 0;
    }
}
