#include "config.h"

#include "mappings/names/names_words.h"

#include "sync/base/text.h"

#include <string.h>

/* Whose the value is, or of which kind, where tools say so: "Lead Email", "Prospect First Name", "Person - Email - Work". */
static const char owners[] =
    "lead|prospect|contact|person|people|customer|client|recipient|subscriber|user|member|employee|attendee|candidate|"
    "kontakt|ansprechpartner|kunde";
static const char first_kinds[] = "primary|main|default|work|business|professional|office|geschäftlich|dienstlich|beruflich";
static const char other_kinds[] = "home|personal|private|privat|other|secondary|alternate|alternative|additional";
static const char remarks[] = "required|optional|mandatory|pflicht|pflichtfeld";

static bool names_words_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_sign(char c)
{
    return c != '\0' && strchr(" \t\r\n_-.:*/()[]{}#?,;|=\"", c) != NULL;
}

/* Does a new word begin at `i`, without a sign before it? */
static bool begins_word(struct str s, size_t i)
{
    char before = s.p[i - 1], c = s.p[i];
    bool small = before >= 'a' && before <= 'z', capital = c >= 'A' && c <= 'Z';
    return (small && capital) || names_words_is_digit(before) != names_words_is_digit(c);
}

static int add_word(struct names_words *out, struct str word, size_t ends[])
{
    if (text_header_key(word, &out->text) != 0)
        return -1;
    ends[out->n] = out->text.n;
    out->n += out->text.n > (out->n > 0 ? ends[out->n - 1] : 0);
    return 0;
}

/* Words are found in the header and folded one by one; a name of too many words has none. */
int names_words_split(struct str header, struct names_words *out)
{
    size_t ends[NAMES_WORDS_MAX + 1], start = 0;

    out->n = 0;
    buf_init(&out->text, NAMES_HEADER_MAX);
    if (header.n > NAMES_HEADER_MAX / 4)
        return 0;
    for (size_t i = 0; i <= header.n; i++) {
        bool sign = i == header.n || is_sign(header.p[i]);
        if (!sign && (i == start || !begins_word(header, i)))
            continue;
        if (i > start && out->n == NAMES_WORDS_MAX) {
            out->n = 0;
            return 0;
        }
        if (i > start && add_word(out, (struct str){header.p + start, i - start}, ends) != 0)
            return -1;
        start = sign ? i + 1 : i;
    }
    for (size_t i = 0, at = 0; i < out->n; at = ends[i++])
        out->words[i] = (struct str){out->text.p + at, ends[i] - at};
    return 0;
}

void names_words_free(struct names_words *words)
{
    buf_free(&words->text);
}

int names_key(struct str header, struct buf *out)
{
    buf_reset(out);
    if (header.n > NAMES_HEADER_MAX / 4)
        return 0; /* folding makes at most three bytes of one */
    return text_header_key(header, out);
}

bool names_word_in(struct str word, const char *list)
{
    while (*list != '\0') {
        size_t n = strcspn(list, "|");
        if (str_eq(word, (struct str){list, n}))
            return true;
        list += n + (list[n] == '|');
    }
    return false;
}

static void take(struct names_words *w, size_t i)
{
    memmove(&w->words[i], &w->words[i + 1], (w->n - i - 1) * sizeof w->words[0]);
    w->n--;
}

/* "E-mail 1 - Value": Google numbers what a person has several of. `second`: by a number other than 1. */
static bool take_numbers(struct names_words *w, bool *second)
{
    bool any = false;
    for (size_t i = w->n; i-- > 0;) {
        if (!names_words_is_digit(w->words[i].p[0]) || w->n == 1)
            continue;
        *second = *second || !str_is(w->words[i], "1");
        take(w, i);
        any = true;
    }
    if (any && w->n > 1 && str_is(w->words[w->n - 1], "value"))
        take(w, w->n - 1);
    return any;
}

static bool take_end(struct names_words *w, size_t i, const char *more, bool *second)
{
    bool other = names_word_in(w->words[i], other_kinds);
    if (w->n == 1 || (!other && !names_word_in(w->words[i], first_kinds) && !names_word_in(w->words[i], more)))
        return false;
    *second = *second || other;
    take(w, i);
    return true;
}

int names_words_inner(struct names_words *w, size_t step, struct buf *out, struct names_inner *inner)
{
    if (step == 0)
        *inner = (struct names_inner){.second = false};
    if (w->n == 0 || (step > 0 && !take_numbers(w, &inner->second) && !take_end(w, w->n - 1, remarks, &inner->second) &&
                      !take_end(w, 0, owners, &inner->second)))
        return 0;
    buf_reset(out);
    for (size_t i = 0; i < w->n; i++)
        if (buf_add(out, w->words[i].p, w->words[i].n) != 0)
            return -1;
    inner->key = buf_str(out);
    return 1;
}
