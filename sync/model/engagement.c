#include "config.h"

#include "sync/model/engagement.h"

#include "sync/base/clock.h"
#include "sync/model/lead_status.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#define ENGAGEMENT_ROW(id, name, type) {{(name), sizeof(name) - 1}, type},
const struct engagement_column_row engagement_column_table[ENGAGEMENT_COLUMN_N] = {ENGAGEMENT_COLUMNS(ENGAGEMENT_ROW)};

/* The documented values. lead_status.h has those of the status. */
struct number_word {
    int64_t number;
    const char *word;
};
static const struct number_word interest_words[] = {
    {0, "out_of_office"},   {1, "interested"},    {2, "meeting_booked"}, {3, "meeting_completed"}, {4, "won"},
    {-1, "not_interested"}, {-2, "wrong_person"}, {-3, "lost"},          {-4, "no_show"},          {0, NULL},
};
static const struct number_word verification_words[] = {
    {1, "verified"}, {11, "pending"},   {12, "pending"},    {-1, "invalid"},
    {-2, "risky"},   {-3, "catch_all"}, {-4, "job_change"}, {0, NULL},
};

void engagement_init(struct engagement *g)
{
    g->status = g->interest = g->verification = g->opens = g->clicks = g->replies = ENGAGEMENT_UNTOLD;
    g->contacted_ms = g->opened_ms = g->clicked_ms = g->replied_ms = g->updated_ms = g->stepped = ENGAGEMENT_UNTOLD;
}

static bool is_told(int64_t n)
{
    return n != ENGAGEMENT_UNTOLD;
}

/* A number that the API does not document, such as the user's own label of interest, has no word. */
static struct str word_of(const struct number_word *words, int64_t number)
{
    for (; is_told(number) && words->word != NULL; words++)
        if (words->number == number)
            return str_from(words->word);
    return STR_NONE;
}

static int put_number(struct arena *arena, int64_t n, struct str *cell)
{
    char text[32];
    if (!is_told(n))
        return 0;
    snprintf(text, sizeof text, "%" PRId64, n);
    return arena_str(arena, str_from(text), cell);
}

static int put_time(struct arena *arena, int64_t ms, struct str *cell)
{
    char text[TIME_TEXT_N];
    return is_told(ms) ? arena_str(arena, str_from(time_format(ms, text)), cell) : 0;
}

/* PostgreSQL's texts have no NUL, and an address from JSON can have one. */
static int put_text(struct arena *arena, struct str text, struct str *cell)
{
    if (text.n == 0)
        return 0;
    if (memchr(text.p, '\0', text.n) == NULL) {
        *cell = text;
        return 0;
    }
    if (arena_str(arena, text, cell) != 0)
        return -1;
    for (char *p = (char *)(uintptr_t)cell->p; p < cell->p + cell->n; p++)
        if (*p == '\0')
            *p = '?';
    return 0;
}

enum known { NOT_KNOWN, KNOWN_NO, KNOWN_YES };

static struct str known_cell(enum known known)
{
    return known == KNOWN_YES ? STR("true") : known == KNOWN_NO ? STR("false") : STR_NONE;
}

/* A count that is there decides. Without one only the time of such an event proves something. */
static enum known has_happened(int64_t count, int64_t ms)
{
    if (is_told(count))
        return count > 0 ? KNOWN_YES : KNOWN_NO;
    return is_told(ms) ? KNOWN_YES : NOT_KNOWN;
}

/* The API leaves out a time that is null, so a missing one does not prove that the lead was never written to. */
static enum known is_contacted(const struct engagement *g)
{
    bool proved = is_told(g->contacted_ms) || is_told(g->stepped) || has_happened(g->opens, g->opened_ms) == KNOWN_YES ||
                  has_happened(g->clicks, g->clicked_ms) == KNOWN_YES ||
                  has_happened(g->replies, g->replied_ms) == KNOWN_YES;
    return proved ? KNOWN_YES : NOT_KNOWN;
}

/* A move by hand makes the lead active again in Instantly, and the person stays unsubscribed. */
static enum known has_status(const struct engagement_lead *lead, int status)
{
    if (lead->remembered == status || lead->engagement.status == status)
        return KNOWN_YES;
    return is_told(lead->engagement.status) ? KNOWN_NO : NOT_KNOWN;
}

int engagement_cells(const struct engagement_lead *lead, struct arena *arena, struct str cells[ENGAGEMENT_COLUMN_N])
{
    const struct engagement *g = &lead->engagement;
    char id[UUID_TEXT_N], target[TARGET_TEXT_N];
    memset(cells, 0, ENGAGEMENT_COLUMN_N * sizeof *cells);
    int bad = put_text(arena, lead->key, &cells[ENGAGEMENT_KEY]) | put_text(arena, lead->email, &cells[ENGAGEMENT_EMAIL]) |
              arena_str(arena, str_from(uuid_format(&lead->id, id)), &cells[ENGAGEMENT_LEAD_ID]);
    if (lead->target != NULL) {
        bad |= arena_str(arena, str_from(target_format(lead->target, target)), &cells[ENGAGEMENT_TARGET]);
        if (lead->target->name != NULL)
            bad |= put_text(arena, str_from(lead->target->name), &cells[ENGAGEMENT_TARGET_NAME]);
    }
    if (g->status >= INT_MIN && g->status <= INT_MAX)
        cells[ENGAGEMENT_STATUS] = str_from(lead_status_text((int)g->status));
    cells[ENGAGEMENT_INTEREST] = word_of(interest_words, g->interest);
    cells[ENGAGEMENT_VERIFICATION] = word_of(verification_words, g->verification);
    cells[ENGAGEMENT_CONTACTED] = known_cell(is_contacted(g));
    cells[ENGAGEMENT_OPENED] = known_cell(has_happened(g->opens, g->opened_ms));
    cells[ENGAGEMENT_CLICKED] = known_cell(has_happened(g->clicks, g->clicked_ms));
    cells[ENGAGEMENT_REPLIED] = known_cell(has_happened(g->replies, g->replied_ms));
    cells[ENGAGEMENT_BOUNCED] = known_cell(has_status(lead, LEAD_STATUS_BOUNCED));
    cells[ENGAGEMENT_UNSUBSCRIBED] = known_cell(has_status(lead, LEAD_STATUS_UNSUBSCRIBED));
    bad |= put_number(arena, g->status, &cells[ENGAGEMENT_STATUS_NUMBER]) |
           put_number(arena, g->interest, &cells[ENGAGEMENT_INTEREST_NUMBER]) |
           put_number(arena, g->verification, &cells[ENGAGEMENT_VERIFICATION_NUMBER]) |
           put_number(arena, g->opens, &cells[ENGAGEMENT_OPENS]) | put_number(arena, g->clicks, &cells[ENGAGEMENT_CLICKS]) |
           put_number(arena, g->replies, &cells[ENGAGEMENT_REPLIES]);
    bad |= put_time(arena, g->contacted_ms, &cells[ENGAGEMENT_CONTACTED_AT]) |
           put_time(arena, g->opened_ms, &cells[ENGAGEMENT_OPENED_AT]) |
           put_time(arena, g->clicked_ms, &cells[ENGAGEMENT_CLICKED_AT]) |
           put_time(arena, g->replied_ms, &cells[ENGAGEMENT_REPLIED_AT]) |
           put_time(arena, g->updated_ms, &cells[ENGAGEMENT_LAST_CHANGE]);
    return bad != 0 ? -1 : 0;
}
