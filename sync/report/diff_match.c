/* --match in a diff: which changes and left-out rows are shown. */
#include "config.h"

#include "sync/report/diff_format.h"

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

int diff_match_change(struct diff *d, const struct diff_change *c)
{
    const struct lead *leads[] = {c->new_lead, c->old_lead};
    match_row(&d->match);
    int found = match_wants(&d->match) ? of_entry(&d->match, c->entry) : 1;
    for (size_t i = 0; i < sizeof leads / sizeof leads[0] && found == 0; i++)
        if (leads[i] != NULL)
            found = match_lead(&d->match, leads[i]);
    return found;
}

int diff_match_left_out(struct diff *d, const struct diff_left_out *l)
{
    match_row(&d->match);
    int found = match_wants(&d->match) ? of_entry(&d->match, l->entry) : 1;
    return found != 0 ? found : match_text(&d->match, l->value);
}
