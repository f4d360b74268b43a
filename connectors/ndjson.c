/* json-c 0.16 is lenient where it matters here, even when told to be strict: an integer beyond 64 bits becomes the
 * largest there is, half a surrogate pair becomes U+FFFD, and NaN, Infinity, `00`, `1.` and 'text' are taken. All of them
 * are looked for, since nothing may change on its way. */
#include "config.h"

#include "connectors/ndjson.h"

#include "sync/base/text.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <json-c/json_object_iterator.h>
#include <stdlib.h>
#include <string.h>

enum {
    LINE_FIRST = 64 * 1024,
    LINE_MIN_MAX = 4 * 1024 * 1024, /* bytes of a line: this, or four times field_max if more */
};

struct ndjson {
    struct input *in;
    size_t field_max, line_max;
    struct json_tokener *tokener;
    struct columns columns;
    struct cell *cells;
    uint8_t *flaws;             /* of the cells */
    struct json_object *object; /* of the row handed out: cells borrow from it */
    bool first_waits;           /* the first object was read for its keys and not handed out yet */
    bool failed;

    char *window;
    size_t cap, at, end;
    uint64_t lines;  /* read so far */
    uint64_t number; /* rows */
};

enum line_state { LINE_ERROR = -1, LINE_END, LINE_READ, LINE_TOO_LONG };

/* Makes room and reads on. 1, 0 at the end, -1. */
static int ndjson_fill(struct ndjson *r, struct err *e)
{
    size_t got = 0;

    if (r->at > 0) {
        memmove(r->window, r->window + r->at, r->end - r->at);
        r->end -= r->at;
        r->at = 0;
    }
    if (r->end == r->cap) {
        char *more = realloc(r->window, r->cap * 2);
        if (more == NULL)
            return err_oom(e);
        r->window = more;
        r->cap *= 2;
    }
    int state = r->in->ended ? 0 : input_read(r->in, r->window + r->end, r->cap - r->end, &got, e);
    r->end += got;
    return state;
}

/* The next line that is not blank, without its end. A line that is too long is skipped to its end. */
static enum line_state read_line(struct ndjson *r, struct str *line, struct err *e)
{
    size_t searched = 0;
    bool too_long = false;

    for (;;) {
        char *start = r->window + r->at;
        char *lf = memchr(start + searched, '\n', r->end - r->at - searched);
        bool last = lf == NULL && r->in->ended;
        if (last && r->at == r->end && !too_long)
            return LINE_END;
        if (lf != NULL || last) {
            *line = (struct str){start, (lf != NULL ? (size_t)(lf - r->window) : r->end) - r->at};
            r->at += line->n + (lf != NULL);
            r->lines++;
            searched = 0;
            if (too_long)
                return LINE_TOO_LONG;
            if (str_trim(*line).n > 0)
                return LINE_READ;
            continue;
        }
        searched = r->end - r->at;
        if (searched >= r->line_max) {
            too_long = true;
            r->at = r->end;
            searched = 0;
        }
        if (ndjson_fill(r, e) < 0)
            return LINE_ERROR;
    }
}

static bool hex4(const char *p, const char *end, unsigned *out)
{
    *out = 0;
    if (end - p < 4)
        return false;
    for (int i = 0; i < 4; i++) {
        const char *digit = memchr("0123456789abcdefABCDEF", p[i], 22);
        if (digit == NULL)
            return false;
        *out = *out * 16 + (p[i] <= '9' ? (unsigned)(p[i] - '0') : (unsigned)((p[i] | 0x20) - 'a') + 10);
    }
    return true;
}

/* Are all \u escapes characters: no NUL, no half of a surrogate pair? */
static bool escapes_are_text(struct str line)
{
    const char *end = line.p + line.n;
    unsigned code, low;

    for (const char *p = line.p; (p = memchr(p, '\\', (size_t)(end - p))) != NULL;) {
        if (end - p < 2)
            break;
        if (p[1] != 'u' || !hex4(p + 2, end, &code)) {
            p += 2;
            continue;
        }
        p += 6;
        if (code == 0 || (code >= 0xdc00 && code <= 0xdfff))
            return false;
        if (code < 0xd800 || code > 0xdbff)
            continue;
        if (end - p < 6 || p[0] != '\\' || p[1] != 'u' || !hex4(p + 2, end, &low) || low < 0xdc00 || low > 0xdfff)
            return false;
        p += 6;
    }
    return true;
}

/* Behind the string whose opening quote stands at `p`. */
static const char *skip_string(const char *p, const char *end)
{
    for (p++; p < end && *p != '"'; p++)
        p += *p == '\\';
    return p < end ? p + 1 : end;
}

static bool is_digit(const char *p, const char *end)
{
    return p < end && *p >= '0' && *p <= '9';
}

/* Is this, which json-c takes, the JSON of RFC 8259 outside of its strings, too? */
static bool is_strict(struct str line)
{
    const char *end = line.p + line.n;
    char before = ' ';

    for (const char *p = line.p; p < end; before = *p++) {
        if (*p == '"')
            p = skip_string(p, end) - 1;
        else if (*p == '\'' || *p == 'N' || *p == 'I' || (*p == '.' && !is_digit(p + 1, end)) ||
                 (*p == '0' && strchr(":,[ \t", before) != NULL && is_digit(p + 1, end)))
            return false;
    }
    return true;
}

/* Behind a value that ends at a ',' or '}' of the object around it. */
static const char *skip_value(const char *p, const char *end)
{
    size_t depth = 0;

    while (p < end && (depth > 0 || (*p != ',' && *p != '}'))) {
        if (*p == '"') {
            p = skip_string(p, end);
            continue;
        }
        depth += *p == '{' || *p == '[';
        depth -= *p == '}' || *p == ']';
        p++;
    }
    return p;
}

/* A member's value as it is written in the line, of which json-c keeps no text; empty when its name is written with
 * escapes. Of two with one name the last counts, as for json-c. */
static struct str written_value(struct str line, struct str name)
{
    const char *end = line.p + line.n, *p = memchr(line.p, '{', line.n);
    struct str found = STR_NONE;

    while (p != NULL && (p = memchr(p, '"', (size_t)(end - p))) != NULL) {
        const char *name_end = skip_string(p, end);
        struct str written = {p + 1, (size_t)(name_end - p) - 2};
        const char *colon = memchr(name_end, ':', (size_t)(end - name_end));
        if (colon == NULL)
            break;
        p = skip_value(colon + 1, end);
        if (str_eq(written, name))
            found = str_trim((struct str){colon + 1, (size_t)(p - colon) - 1});
    }
    return found;
}

static int malformed(const struct ndjson *r, const char *why, struct err *e)
{
    return err_set(e, XS_SOURCE, "%s:%" PRIu64 ": %s; write one JSON object per line", r->in->label, r->lines, why);
}

static int ndjson_parse(struct ndjson *r, struct str line, struct err *e)
{
    json_object_put(r->object);
    r->object = NULL;
    if (memchr(line.p, '\0', line.n) != NULL)
        return malformed(r, "a NUL byte", e);
    json_tokener_reset(r->tokener);
    r->object = json_tokener_parse_ex(r->tokener, line.p, (int)line.n);
    enum json_tokener_error state = json_tokener_get_error(r->tokener);
    if (state == json_tokener_continue)
        return malformed(r, "the object is not closed", e);
    if (state != json_tokener_success)
        return malformed(r, json_tokener_error_desc(state), e);
    struct str rest = {line.p + json_tokener_get_parse_end(r->tokener), 0};
    rest.n = (size_t)(line.p + line.n - rest.p);
    if (!json_object_is_type(r->object, json_type_object) || str_trim(rest).n > 0)
        return malformed(r, "this is not one object", e);
    return is_strict(line) ? 0 : malformed(r, "NaN, Infinity, a number such as 00 or 1., or a single quote is no JSON", e);
}

/* An integer that json-c has cut to what it can hold is not written in the line that way. */
static bool is_cut_integer(struct json_object *value, struct str line)
{
    const char *text = json_object_get_string(value);

    if (strcmp(text, "18446744073709551615") != 0 && strcmp(text, "-9223372036854775808") != 0 &&
        strcmp(text, "9223372036854775807") != 0)
        return false;
    return memmem(line.p, line.n, text, strlen(text)) == NULL;
}

/* Is it text? `escapes_bad`: somewhere in the line an escape is none, and json-c has made U+FFFD or a NUL of it. */
static bool cell_is_text(const struct cell *cell, bool escapes_bad)
{
    if (escapes_bad && (memchr(cell->p, '\0', cell->n) != NULL || memmem(cell->p, cell->n, "\xef\xbf\xbd", 3) != NULL))
        return false;
    return text_is_utf8((struct str){cell->p, cell->n});
}

static enum reason ndjson_read_cell(struct ndjson *r, struct str name, struct json_object *value, struct str line,
                                    bool escapes_bad, struct cell *cell)
{
    enum json_type type = json_object_get_type(value);

    *cell = (struct cell){"", 0, type == json_type_null};
    if (type == json_type_null)
        return REASON_NONE;
    if (type == json_type_object || type == json_type_array || (type == json_type_int && is_cut_integer(value, line))) {
        struct str written = written_value(line, name);
        *cell = (struct cell){written.p != NULL ? written.p : "", written.n, false};
        return REASON_TYPE_INVALID;
    }
    cell->p = json_object_get_string(value);
    cell->n = type == json_type_string ? (size_t)json_object_get_string_len(value) : strlen(cell->p);
    if (cell->n > r->field_max)
        return REASON_FIELD_TOO_LONG;
    return type == json_type_string && !cell_is_text(cell, escapes_bad) ? REASON_NOT_UTF8 : REASON_NONE;
}

static void ndjson_read_cells(struct ndjson *r, struct str line, struct row *out)
{
    const bool escapes_bad = !escapes_are_text(line);
    size_t met = 0;

    for (size_t i = 0; i < r->columns.n; i++) {
        struct json_object *value = NULL;
        struct str name = r->columns.list[i].name;
        met += json_object_object_get_ex(r->object, name.p, &value) != 0;
        r->flaws[i] = (uint8_t)ndjson_read_cell(r, name, value, line, escapes_bad, &r->cells[i]);
        if (r->flaws[i] != REASON_NONE)
            out->flaws = r->flaws;
    }
    if (met != (size_t)json_object_object_length(r->object))
        out->defect = REASON_RAGGED_ROW;
    out->cells = r->cells;
    out->n = r->columns.n;
}

int ndjson_next(struct ndjson *r, struct row *out, struct err *e)
{
    struct str line = STR_NONE;
    enum line_state state = LINE_READ;

    if (r->failed)
        return err_set(e, XS_SOURCE, "%s: read again after an error", r->in->label);
    if (r->first_waits)
        line = (struct str){r->window, r->at}; /* nothing has moved since */
    else
        state = read_line(r, &line, e);
    if (state == LINE_END)
        return 0;
    if (state == LINE_ERROR) {
        r->failed = true;
        return -1;
    }
    *out = (struct row){.number = ++r->number, .line = r->lines};
    if (state == LINE_TOO_LONG) {
        out->defect = REASON_FIELD_TOO_LONG;
    } else {
        if (!r->first_waits && ndjson_parse(r, line, e) != 0) {
            r->failed = true;
            return -1;
        }
        ndjson_read_cells(r, line, out);
    }
    r->first_waits = false;
    return 1;
}

static int ndjson_set_columns(struct ndjson *r, struct err *e)
{
    size_t n = 0;
    struct str *names = malloc(((size_t)json_object_object_length(r->object) + 1) * sizeof *names);

    if (names == NULL)
        return err_oom(e);
    struct json_object_iterator at = json_object_iter_begin(r->object), end = json_object_iter_end(r->object);
    bool text = true;
    for (; !json_object_iter_equal(&at, &end); json_object_iter_next(&at)) {
        names[n] = str_from(json_object_iter_peek_name(&at));
        text = text && cell_is_text(&(struct cell){names[n].p, names[n].n, false}, true);
        n++;
    }
    int status = !text   ? malformed(r, "a key of the first object is not UTF-8", e)
                 : n > 0 ? columns_set(&r->columns, names, NULL, n, r->in->label, "give it a name", e)
                         : malformed(r, "the first object has no keys", e);
    free(names);
    r->cells = calloc(n + 1, sizeof *r->cells);
    r->flaws = calloc(n + 1, sizeof *r->flaws);
    return r->cells == NULL || r->flaws == NULL ? err_oom(e) : status;
}

static int read_first(struct ndjson *r, struct err *e)
{
    struct str line;

    switch (read_line(r, &line, e)) {
    case LINE_ERROR: return -1;
    case LINE_END: return err_set(e, XS_SOURCE, "%s: is empty: not a single row", r->in->label);
    case LINE_TOO_LONG: return malformed(r, "the first line is too long", e);
    case LINE_READ: break;
    }
    if (line.n >= 3 && memcmp(line.p, "\xef\xbb\xbf", 3) == 0) {
        line.p += 3;
        line.n -= 3;
    }
    if (ndjson_parse(r, line, e) != 0)
        return -1;
    r->first_waits = true;
    return ndjson_set_columns(r, e);
}

int ndjson_new(struct input *in, size_t field_max, struct ndjson **out, struct err *e)
{
    struct ndjson *r = calloc(1, sizeof *r);

    *out = NULL;
    if (r == NULL)
        return err_oom(e);
    r->in = in;
    r->field_max = field_max;
    r->line_max = field_max > LINE_MIN_MAX / 4 ? field_max * 4 : LINE_MIN_MAX;
    r->cap = LINE_FIRST;
    r->window = malloc(r->cap);
    r->tokener = json_tokener_new();
    if (r->window == NULL || r->tokener == NULL) {
        err_oom(e);
        goto fail;
    }
    json_tokener_set_flags(r->tokener, JSON_TOKENER_STRICT);
    if (read_first(r, e) != 0)
        goto fail;
    *out = r;
    return 0;

fail:
    ndjson_free(r);
    return -1;
}

void ndjson_free(struct ndjson *r)
{
    if (r == NULL)
        return;
    json_object_put(r->object);
    if (r->tokener != NULL)
        json_tokener_free(r->tokener);
    columns_free(&r->columns);
    free(r->cells);
    free(r->flaws);
    free(r->window);
    free(r);
}

const struct columns *ndjson_columns(const struct ndjson *r)
{
    return &r->columns;
}
