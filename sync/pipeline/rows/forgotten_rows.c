/* Rows of people who were forgotten (leadsync forget). They are left out, and no personal data of them is recorded.
 *
 * A rejected row has no usable address, but a forgotten address may be in one of its cells: beside another address, or in a
 * row that is cut short. So every word of such a row that looks like an address is checked. */
#include "config.h"

#include "sync/pipeline/run_int.h"

#include <string.h>

#include "sync/base/clock.h"

enum { DAY_CHARS = 10 }; /* of an RFC 3339 time */

static int is_forgotten_word(struct run *r, struct str word, bool *forgotten, struct err *e)
{
    buf_reset(&r->scratch.text);
    if (mapping_email_key(word, &r->scratch.text) != 0)
        return 0;
    return state_forgotten_address(r->state, buf_str(&r->scratch.text), forgotten, e);
}

int forgotten_rows_match(struct run *r, const struct entry *entry, bool *forgotten, struct err *e)
{
    bool any;
    *forgotten = false;
    if (state_forgets(r->state, &any, e) != 0)
        return -1;
    if (!any)
        return 0;
    if (entry->key_text.n > 0 && state_forgotten(r->state, &entry->key, forgotten, e) != 0)
        return -1;
    return *forgotten || entry->email.n == 0 ? 0 : is_forgotten_word(r, entry->email, forgotten, e);
}

/* True for characters that separate addresses. A dot does not, because addresses contain dots. */
static bool separates(char c, const char *more)
{
    return (unsigned char)c <= ' ' || strchr(",;:<>()[]{}\"|\\", c) != NULL || strchr(more, c) != NULL;
}

/* Checks each word with an @, without punctuation at its ends. `more` has further separators. */
static int find_words(struct run *r, struct str text, const char *more, bool *found, struct err *e)
{
    while (text.n > 0 && !*found) {
        size_t n = 0;
        while (n < text.n && !separates(text.p[n], more))
            n++;
        struct str word = {text.p, n};
        while (word.n > 0 && strchr(".'!?*", word.p[0]) != NULL)
            word = (struct str){word.p + 1, word.n - 1};
        while (word.n > 0 && strchr(".'!?*", word.p[word.n - 1]) != NULL)
            word.n--;
        if (word.n > 0 && memchr(word.p, '@', word.n) != NULL && is_forgotten_word(r, word, found, e) != 0)
            return -1;
        text = (struct str){text.p + n, text.n - n};
        if (text.n > 0)
            text = (struct str){text.p + 1, text.n - 1};
    }
    return 0;
}

/* These characters may be part of an address or separate two, so both are tried. */
static int find_in_text(struct run *r, struct str text, bool *found, struct err *e)
{
    static const char *const more[] = {"", "/&=?'"};
    if (text.n == 0 || memchr(text.p, '@', text.n) == NULL)
        return 0;
    for (size_t i = 0; i < sizeof more / sizeof more[0] && !*found; i++)
        if (find_words(r, text, more[i], found, e) != 0)
            return -1;
    return 0;
}

static int find_in_row(struct run *r, const struct entry *entry, bool *found, struct err *e)
{
    const char *p = entry->cells.p, *end = entry->cells.n > 0 ? p + entry->cells.n : p;
    struct cell cell;
    for (size_t i = 0; r->scratch.row != NULL && i < r->scratch.row->n && !*found; i++)
        if (find_in_text(r, (struct str){r->scratch.row->cells[i].p, r->scratch.row->cells[i].n}, found, e) != 0)
            return -1;
    while (p != end && !*found && cells_next(&p, end, &cell) == 1)
        if (find_in_text(r, (struct str){cell.p, cell.n}, found, e) != 0)
            return -1;
    return 0;
}

/* Why the row is left out, without a word about the person. */
static int forgotten_rows_explain(struct run *r, struct str email, struct str *out, struct err *e)
{
    char day[TIME_TEXT_N] = "";
    buf_reset(&r->scratch.text);
    if (email.n > 0 && mapping_email_key(email, &r->scratch.text) == 0) {
        int64_t at_ms = state_forgotten_at_ms(r->state, buf_str(&r->scratch.text));
        if (at_ms != 0)
            time_format(at_ms, day);
    }
    buf_reset(&r->scratch.text);
    int bad = buf_addf(&r->scratch.text, "this person was removed with leadsync forget%s%.*s", day[0] != '\0' ? " on " : "",
                       DAY_CHARS, day);
    return bad == 0 && arena_str(&r->row_arena, buf_str(&r->scratch.text), out) == 0 ? 0 : err_oom(e);
}

/* A dry run records nothing, so it may show the row. */
static void erase(const struct run *r, struct entry *entry)
{
    if (r->diff != NULL)
        return;
    memset(&entry->key, 0, sizeof entry->key);
    entry->key_text = entry->email = entry->values = entry->cells = entry->cells_by_values = STR_NONE;
}

int forgotten_rows_erase(struct run *r, struct entry *entry, bool *erased, struct err *e)
{
    bool any, forgotten, named = false;
    struct str why = STR_NONE;
    *erased = false;
    if (forgotten_rows_match(r, entry, &forgotten, e) != 0 || state_forgets(r->state, &any, e) != 0)
        return -1;
    if (!forgotten && any && entry->outcome == OUTCOME_REJECTED && find_in_row(r, entry, &named, e) != 0)
        return -1;
    if (!forgotten && !named)
        return 0;
    if (forgotten) {
        entry->outcome = OUTCOME_SKIPPED;
        entry->reason = REASON_DELETED_THERE;
        if (forgotten_rows_explain(r, entry->email, &why, e) != 0)
            return -1;
    }
    erase(r, entry);
    entry->detail = why;
    *erased = true;
    return 0;
}
