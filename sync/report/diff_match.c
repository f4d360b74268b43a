/* Which changes and left-out rows a diff shows: --op, --match and --summary. */
#include "config.h"

#include "sync/report/diff_format.h"

static const struct {
    const char *word;
    unsigned bit;
} shows[] = {
    {"create", DIFF_SHOW_CREATE},     {"update", DIFF_SHOW_UPDATE},   {"move", DIFF_SHOW_MOVE},
    {"remove", DIFF_SHOW_REMOVE},     {"rekey", DIFF_SHOW_REKEY},     {"skipped", DIFF_SHOW_SKIPPED},
    {"rejected", DIFF_SHOW_REJECTED}, {"waiting", DIFF_SHOW_WAITING},
};
enum { SHOWS_N = sizeof shows / sizeof shows[0] };

int diff_show_find(struct str word, unsigned *show)
{
    for (size_t i = 0; i < SHOWS_N; i++)
        if (str_is(word, shows[i].word)) {
            *show |= shows[i].bit;
            return 0;
        }
    return -1;
}

const char *diff_show_next(unsigned show, size_t *at)
{
    while (*at < SHOWS_N)
        if ((show & shows[(*at)++].bit) != 0)
            return shows[*at - 1].word;
    return NULL;
}

static bool is_wanted(const struct diff *d, const char *word)
{
    unsigned bit = 0;
    if (d->options.summary)
        return false;
    return d->options.show == 0 || diff_show_find(str_from(word), &bit) != 0 || (d->options.show & bit) != 0;
}

static int of_entry(struct match *m, const struct entry *entry)
{
    char id[UUID_TEXT_N];
    const struct str texts[] = {entry->key_text, entry->email, entry->detail,
                                entry->has_lead_id ? str_from(uuid_format(&entry->lead_id, id)) : STR_NONE};
    int found = 0;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0] && found == 0; i++)
        found = match_text(m, texts[i]);
    return found != 0 ? found : match_cells(m, entry->cells);
}

static int match_change(struct diff *d, const struct diff_change *c, const char *word)
{
    const struct lead *leads[] = {c->new_lead, c->old_lead};
    if (!is_wanted(d, word))
        return 0;
    match_row(&d->match);
    int found = match_wants(&d->match) ? of_entry(&d->match, c->entry) : 1;
    for (size_t i = 0; i < sizeof leads / sizeof leads[0] && found == 0; i++)
        if (leads[i] != NULL)
            found = match_lead(&d->match, leads[i]);
    return found;
}

int diff_match_change(struct diff *d, const struct diff_change *c)
{
    return match_change(d, c, diff_kind_text(diff_kind_of(c)));
}

int diff_match_waiting(struct diff *d, const struct diff_change *waits)
{
    return match_change(d, waits, DIFF_WAITING);
}

int diff_finds(struct diff *d, const struct entry *entry)
{
    if (!match_wants(&d->match))
        return 0;
    match_row(&d->match);
    return of_entry(&d->match, entry);
}

int diff_match_left_out(struct diff *d, const struct diff_left_out *l)
{
    if (!is_wanted(d, outcome_text(l->entry->outcome)))
        return 0;
    match_row(&d->match);
    int found = match_wants(&d->match) ? of_entry(&d->match, l->entry) : 1;
    return found != 0 ? found : match_text(&d->match, l->value);
}
