/* Turns the counts of a column into its line of the file. */
#include "config.h"

#include "mappings/init/init_propose.h"

#include "sync/model/lead.h"

#include <string.h>

/* One reason is shown as it is; several are shown as a summary. */
void propose_add(struct steps *steps, bool wanted, const char *text, const char *why)
{
    if (!wanted || steps->n == sizeof steps->text / sizeof steps->text[0])
        return;
    steps->text[steps->n++] = text;
    if (why != NULL)
        steps->why = steps->why == NULL || strcmp(steps->why, why) == 0 ? why : "cleans values of some rows";
}

/* The steps that a column's cells need, in an order that lets each see what the one before left. */
struct steps propose_steps(const struct look *look, int field)
{
    struct steps steps = {.n = 0};
    bool name = field == LEAD_FIRST_NAME || field == LEAD_LAST_NAME;
    propose_add(&steps, true, "clean", NULL);
    if (field == LEAD_EMAIL) { /* a later file may need it even if this one does not */
        propose_add(&steps, true, "email", look->wrapped > 0 ? "some have a name, quotes or signs around them" : NULL);
        return steps;
    }
    propose_add(&steps, look_some(look, look->html), "strip_html", "some hold HTML");
    propose_add(&steps, look->combining > 0, "nfc", "some accents are separate from their letter");
    propose_add(&steps, look->runs > 0 && look->long_ones == 0, "squeeze", "some hold several blanks or line breaks");
    propose_add(&steps, name && look_some(look, look->capitals + look->small), "title",
                "some are all capitals or small letters");
    propose_add(&steps, field == LEAD_PHONE && look->scientific > 0, "{replace: ['^[+-]?\\d([.,]\\d+)?E\\+\\d+$', \"\"]}",
                NULL);
    propose_add(&steps, field == LEAD_WEBSITE && look->profiles > 0,
                "{replace: ['(?i)^(https?://)?([\\w-]+\\.)*(linkedin\\.com|lnkd\\.in|xing\\.com)([/?#].*)?$', \"\"]}",
                "some are LinkedIn or Xing pages, not websites");
    propose_add(&steps, field == LEAD_WEBSITE && look->bare_hosts > 0 && look->bare_hosts + look->urls == look->filled,
                "url", "some lack the https://");
    return steps;
}

/* The comment for a proposed column. */
const char *propose_doubt(const struct look *look, int field)
{
    if (look->filled == 0)
        return "empty in all rows that init read";
    if (field == LEAD_EMAIL && look->emails < look->filled)
        return "unsure: some cells are not e-mail addresses; those rows are rejected";
    if (field == LEAD_PHONE && look->scientific > 0)
        return "a spreadsheet cut some numbers, as in 4.9E+11; these are left out";
    if (field == LEAD_WEBSITE && look->bare_hosts + look->urls < look->filled)
        return "unsure: some cells are not web addresses";
    if ((field == LEAD_FIRST_NAME || field == LEAD_LAST_NAME) && look->emails > 0)
        return "unsure: some cells are e-mail addresses";
    return NULL;
}

/* True if the cells fit a field that accepts no text. Otherwise such a field would reject every row. */
bool propose_fits(const struct look *look, int field)
{
    if (field == LEAD_LT_INTEREST_STATUS)
        return look->filled == 0 || look_all(look, look->interests);
    return field != LEAD_ASSIGNED_TO || look->filled == 0 || look_all(look, look->uuids);
}

/* The type of a variable, the steps that convert its cells, and the comment. */
const char *propose_type(const struct look *look, struct steps *steps, const char **unsure)
{
    bool sure;
    *unsure = NULL;
    switch (look_number(look, &sure)) {
    case LOOK_NUMBER: return "number";
    case LOOK_DOTS:
        *unsure = "unsure: is 1.234 more than a thousand? Then {replace: ['\\.', \"\"]} and type: number";
        return NULL;
    case LOOK_COMMA_GROUPS:
        propose_add(steps, true, "{replace: [',', \"\"]}", "commas between thousands");
        *unsure = sure ? NULL : "unsure: are the commas between thousands?";
        return "number";
    case LOOK_COMMA_DECIMALS:
        propose_add(steps, look->dot_groups > 0 || look->comma_decimals_sure > 0, "{replace: ['[\\s.]', \"\"]}",
                    "a decimal comma");
        propose_add(steps, true, "{replace: [',', \".\"]}", "a decimal comma");
        *unsure = sure ? NULL : "unsure: is it a decimal comma?";
        return "number";
    case LOOK_NO_NUMBER: break;
    }
    return look_all(look, look->booleans) && look->digits < look->filled ? "boolean" : NULL;
}
