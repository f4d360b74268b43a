#include "config.h"

#include "sync/model/match.h"

#include "sync/base/text.h"
#include "sync/model/row.h"

enum { MATCH_BYTES = 64 << 20 };

/* The next word of the text from `at` on; an empty one after the last. */
static struct str next_word(struct str text, size_t *at)
{
    while (*at < text.n && text.p[*at] == ' ')
        ++*at;
    size_t start = *at;
    while (*at < text.n && text.p[*at] != ' ')
        ++*at;
    return (struct str){text.p + start, *at - start};
}

int match_init(struct match *m, const char *text)
{
    buf_init(&m->wanted, MATCH_BYTES);
    buf_init(&m->folded, MATCH_BYTES);
    m->words_n = 0;
    m->found = 0;
    if (text == NULL)
        return 0;
    if (text_fold(str_from(text), &m->wanted) != 0)
        return -1;
    size_t at = 0;
    while (next_word(buf_str(&m->wanted), &at).n > 0)
        m->words_n++;
    /* A text with more words than bits is looked for as a whole only. */
    m->words_n = m->words_n <= MATCH_WORDS ? m->words_n : 0;
    return 0;
}

void match_free(struct match *m)
{
    buf_free(&m->wanted);
    buf_free(&m->folded);
}

bool match_wants(const struct match *m)
{
    return m->wanted.n > 0;
}

void match_row(struct match *m)
{
    m->found = 0;
}

int match_text(struct match *m, struct str text)
{
    if (text.n == 0)
        return 0;
    buf_reset(&m->folded);
    if (text_fold(text, &m->folded) != 0)
        return -1;
    if (str_find(buf_str(&m->folded), buf_str(&m->wanted)) != NULL)
        return 1;
    size_t at = 0;
    for (unsigned i = 0; i < m->words_n; i++)
        if (str_find(buf_str(&m->folded), next_word(buf_str(&m->wanted), &at)) != NULL)
            m->found |= UINT64_C(1) << i;
    return m->words_n > 0 && m->found == UINT64_MAX >> (MATCH_WORDS - m->words_n);
}

static int match_value(struct match *m, const struct value *v)
{
    return v->kind > VALUE_NULL ? match_text(m, (struct str){v->p, v->n}) : 0;
}

int match_lead(struct match *m, const struct lead *lead)
{
    int found = 0;
    for (int f = 0; f < LEAD_FIELD_N && found == 0; f++)
        found = match_value(m, &lead->core[f]);
    for (size_t c = 0; lead->shape != NULL && c < lead->shape->custom_n && found == 0; c++)
        found = match_value(m, &lead->custom[c]);
    return found;
}

int match_cells(struct match *m, struct str packed)
{
    const char *p = packed.p, *end = packed.n > 0 ? p + packed.n : p;
    struct cell cell;
    int found = 0;
    while (found == 0 && cells_next(&p, end, &cell) > 0)
        found = match_text(m, (struct str){cell.p, cell.n});
    return found;
}
