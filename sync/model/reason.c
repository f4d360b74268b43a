/* What each outcome and reason is called, and what each reason means. REASON_LIST in the header gives names and order,
 * the sentences stand here; help, reports and the documentation all read this table. */
#include "config.h"

#include "sync/model/reason.h"

static const struct word {
    const char *text, *help;
} outcomes[OUTCOME_N] = {
    [OUTCOME_NONE] = {.text = ""},
    [OUTCOME_CREATED] = {.text = "created"},
    [OUTCOME_CHANGED] = {.text = "changed"},
    [OUTCOME_UNCHANGED] = {.text = "unchanged"},
    [OUTCOME_SKIPPED] = {.text = "skipped"},
    [OUTCOME_REJECTED] = {.text = "rejected"},
    [OUTCOME_DEFERRED] = {.text = "deferred"},
    [OUTCOME_FAILED] = {.text = "failed"},
    [OUTCOME_REMOVED] = {.text = "removed"},
};

/* Each id of REASON_LIST needs its HELP_ here: a new reason without one does not compile. */
static const struct word reasons[REASON_N] = {[REASON_NONE] = {"", ""},
#define REASON_TEXT(id, text) [REASON_##id] = {text, HELP_##id},
#define HELP_DUPLICATE_IN_SOURCE "another row of the source has the same key"
#define HELP_SKIP_WHEN "a skip_when rule leaves the row out"
#define HELP_ROUTE_SKIP "no case of the route matches, and otherwise: skip leaves the row out"
#define HELP_IN_TARGET "the lead is already in the target, and mode: create never changes leads"
#define HELP_MODE_CREATE "the row of a known lead has changed, but mode: create never updates leads"
#define HELP_IN_WORKSPACE "the workspace already has this lead, and dedupe: workspace creates no second one"
#define HELP_IN_CAMPAIGN "a campaign already has this lead, and dedupe: any-campaign creates no second one"
#define HELP_IN_LIST "a list already has this lead, and dedupe: any-list creates no second one"
#define HELP_BLOCKLISTED "the address or its domain is on the block list"
#define HELP_UNSUBSCRIBED "the person has unsubscribed and is never made active again"
#define HELP_BOUNCED "mail to this address has bounced, and the lead is never made active again"
#define HELP_SKIPPED_THERE "the lead was marked as skipped in Instantly"
#define HELP_DELETED_THERE "the lead was deleted in Instantly (--recreate creates it again), or the person was forgotten"
#define HELP_CONTACTED "the lead is in a conversation, and contacted: keep does not move it"
#define HELP_EMAIL_MISSING "the row has no e-mail address"
#define HELP_EMAIL_INVALID "the e-mail address is not valid"
#define HELP_REQUIRED_MISSING "a required column is empty"
#define HELP_TYPE_INVALID "a value does not have the type that the mapping requires"
#define HELP_MAP_UNMATCHED "a value is not in the column's map, and otherwise: reject refuses it"
#define HELP_ROUTE_UNMATCHED "no case of the route matches, and otherwise: reject refuses the row"
#define HELP_RAGGED_ROW "the row has too many cells, or lacks some that it needs"
#define HELP_NOT_UTF8 "the row has bytes that are not UTF-8"
#define HELP_FIELD_TOO_LONG "a cell is longer than a field may be"
#define HELP_LEAD_TOO_LARGE "the lead as a whole is larger than the API accepts"
#define HELP_INCOMPLETE "Instantly counted the lead as incomplete: it needs an e-mail address, or a name in a list"
#define HELP_INVALID_THERE "Instantly counted the e-mail address as invalid"
#define HELP_REFUSED_THERE "Instantly refused this one lead; the detail says why"
#define HELP_KEY_MISSING "a column of the key is empty"
#define HELP_GONE_THERE "the lead to update no longer exists in Instantly"
#define HELP_MOVE_NOT_DONE "the move was requested, but the lead is not in its target"
#define HELP_EXISTS_IN_TARGET "the target already has another lead with this address"
#define HELP_API_ERROR "the request with this row kept failing"
#define HELP_ATTEMPTS_EXHAUSTED "the row itself failed in five runs; the next sync reads the whole source and tries it again"
#define HELP_UNATTRIBUTED "the outcome of this lead is unknown; leadsync does not guess"
#define HELP_PLAN_FULL "the plan has no room for more leads"
#define HELP_TIME_BUDGET "the time of --max-seconds was over"
#define HELP_INTERRUPTED "the run ended before this row was sent"
#define HELP_OUTCOME_OPEN "the request was sent and its outcome is not known yet; resume settles it"
#define HELP_JOB_OPEN "a background job of Instantly has not finished yet"
#define HELP_NOT_STORED "Instantly accepted the change, but a later read shows the lead without it"
#define HELP_VERIFICATION_OPEN "the verification of the address has not finished yet"
                                              REASON_LIST(REASON_TEXT)
#undef REASON_TEXT
};

/* The lists are short and this runs once an option, not once a row. */
static int find(const struct word *words, int n, struct str text)
{
    /* From 1: nothing is called NONE. */
    for (int i = 1; i < n; i++)
        if (str_is(text, words[i].text))
            return i;
    return -1;
}

/* Numbers come out of files, too: one that is unknown has an empty name. */
const char *outcome_text(enum outcome o)
{
    return (unsigned)o < OUTCOME_N ? outcomes[o].text : "";
}

const char *reason_text(enum reason r)
{
    return (unsigned)r < REASON_N ? reasons[r].text : "";
}

int outcome_find(struct str text)
{
    return find(outcomes, OUTCOME_N, text);
}

int reason_find(struct str text)
{
    return find(reasons, REASON_N, text);
}

bool reason_is_of_row(enum reason r)
{
    switch (r) {
    case REASON_GONE_THERE:
    case REASON_MOVE_NOT_DONE:
    case REASON_EXISTS_IN_TARGET:
    case REASON_NOT_STORED:
    case REASON_UNATTRIBUTED: return true;
    default: return false;
    }
}

const char *reason_help(enum reason r)
{
    return (unsigned)r < REASON_N ? reasons[r].help : "";
}

const char *reason_until(enum reason r)
{
    switch (r) {
    case REASON_PLAN_FULL: return "they wait until the plan has room: delete leads in Instantly, or enlarge the plan";
    case REASON_TIME_BUDGET: return "the next sync goes on with them";
    case REASON_OUTCOME_OPEN: return "they wait until a read shows the outcome";
    case REASON_JOB_OPEN: return "they wait until Instantly has finished the job (leadsync jobs)";
    case REASON_VERIFICATION_OPEN: return "they wait until Instantly has verified the address";
    case REASON_API_ERROR: return "the next sync sends them again";
    default: return reason_is_of_row(r) ? "the next sync tries again, in five runs at most" : "the next sync sends them";
    }
}
