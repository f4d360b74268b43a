/* Columns that hold an opt-out ("Unsubscribed"), a consent, its opposite ("Subscribed"), or the cause of a bounce. */
#include "config.h"

#include "mappings/names/names.h"
#include "mappings/names/names_words.h"

#include <string.h>

static const char *const yes_values[] = {"1",   "true", "yes", "y",   "t",    "x",    "ja",
                                         "oui", "sí",   "si",  "sim", "wahr", "vrai", NULL};
static const char *const no_values[] = {"0",   "false", "no",  "n",      "f",    "nein", "non",
                                        "não", "nao",   "nee", "falsch", "faux", NULL};
static const char *const any_value[] = {"*", NULL};
static const char *const status_values[] = {"unsubscribed",   "opted out",      "no consent",
                                            "non-subscribed", "not subscribed", "bounced",
                                            "cleaned",        "blocked",        NULL};

/* Parts of a header's key that mean an opt-out at any position. */
/* clang-format off */
static const char *const signs[] = {
    "optout",       "optedout",      "unsubscr",      "donotcontact", "donotemail",   "donotmail",     "dontcontact",
    "dontemail",    "dontmail",      "nomail",        "noemail",      "blacklist",    "blocklist",     "suppress",
    "hardbounce",   "bounced",       "invalidemail",  "emailinvalid", "invalidaddress", "spamcomplain", "undeliverable",
    "abgemeldet",   "newsletterabmeld", "abbestellt", "widerspr",      "widerruf",      "sperr",        "nichtkontakt", "keinewerbung",  "unzustellbar",
    "desinscri",    "désinscri",     "désabonn",      "desabonn",     "nepascontacter", "listenoire",  "debaja",
    "nocontactar",  "listanegra",    "descadastr",    "cancelousubs", "nãocontatar",  "disiscri",      "noncontattare",
    "uitgeschreven", "afgemeld",     "nietmailen",    "nietbenaderen", "avregistrer", "avmeld",        "afmeldt",
    "wypisan",      "отписал",       "отписан"};
/* clang-format on */
/* Whole words that mean an opt-out: "DNC", "UNSUB_TIME", "Bounce Reason"; but "Trabajador" does not contain the word "Baja". */
static const char words_that_mean_it[] = "dnc|unsub|bounce|bounces|baja|abmeldung";
/* These are not opt-outs: a soft bounce is temporary, a rate counts mails, and an id or link belongs to the event. */
static const char words_against[] = "soft|rate|score|count|total|title|id|link|url";
/* A status column: one of its words means an opt-out. */
static const char *const statuses[] = {"marketingstatus", "subscriptionstatus", "newsletterstatus", "subscriberstatus",
                                       "optinstatus"};
/* The opposite: a consent to be mailed, so "no" is an opt-out. */
/* clang-format off */
static const char *const consents[] = {
    "optin",         "optedin",        "consent",         "einwillig",      "zustimm",       "acceptsmarketing", "acceptsemail",
    "acceptemail",   "abonniert",      "suscrito",        "subscrito",      "inscrito",      "iscritto",         "toestemming",
    "ingeschreven",  "samtykke",       "påmeldt",         "zgoda",          "согласи",       "подписан",         "emailpermission",
    "mailpermission", "marketingpermission", "contactpermission", "permissionto", "werbeerlaub", "werbungerlaubt", "maycontact",
    "mayemail",      "cancontact",     "canemail",        "oktoemail",      "oktomail",      "oktocontact",      "contactallowed",
    "emailallowed",  "emailable",      "mailable",        "contactable"};
/* clang-format on */
static const char consent_words[] = "subscribed|abonné|abonnée";
/* A newsletter is a consent only beside these words. Beside any other word the direction is unknown: a wrong guess would mail exactly
 * the people who do not want it. */
static const char newsletter_words[] =
    "newsletter|newsletters|subscribed|subscription|subscriber|active|aktiv|opt|in|optin|consent|marketing|email|mail|e|allowed|"
    "erlaubt|abonniert|abo|yes|ok|status|is|has|the|to|our";
/* Parts of a key that mean leaving, whatever else it names: "Newsletter-Abmeldung". */
static const char *const leaving[] = {"abmeldung", "abmelden", "abbestell", "austragung", "gekündigt", "kündigung",
                                      "cancel",    "storn",    "optout",    "unsub",      "signoff",   "signout",
                                      "désabo",    "desabo",   "désinscr",  "desinscr",   "baja",      "wypis",
                                      "uitschr",   "afmeld",   "avmeld"};
/* These words turn a consent into an opt-out: "No Consent", "Einwilligung widerrufen". */
static const char words_of_no[] = "no|not|non|never|without|kein|keine|nicht|ohne|sans|sin|geen|withdrawn|revoked";
/* These words describe a consent but not whether it was given. */
static const char words_beside_consent[] = "source|by|ip|ips|version|text|method|channel|language|provider|quelle|from|name";
/* The time or the cause of an opt-out: any value means an opt-out. */
static const char trace_words[] = "time|date|at|on|reason|mode|type|datum|grund|zeit|am|fecha|motivo|motif|raison|data";

static bool any_word_in(const struct names_words *w, const char *list)
{
    for (size_t i = 0; i < w->n; i++)
        if (names_word_in(w->words[i], list))
            return true;
    return false;
}

static bool any_part_in(const char *text, const char *const *parts, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strstr(text, parts[i]) != NULL)
            return true;
    return false;
}

/* The values that mean an opt-out in a column of consents, or NULL. */
static const char *const *consent_values(const char *text, const struct names_words *words)
{
    bool newsletter = any_word_in(words, "newsletter|newsletters");
    bool consent = any_word_in(words, consent_words) || any_part_in(text, consents, sizeof consents / sizeof consents[0]);
    if (!consent && !newsletter)
        return NULL;
    if (any_part_in(text, leaving, sizeof leaving / sizeof leaving[0]))
        return any_word_in(words, trace_words) ? any_value : yes_values;
    if (any_word_in(words, trace_words) || any_word_in(words, words_beside_consent))
        return NULL;
    if (any_word_in(words, words_of_no))
        return yes_values;
    for (size_t i = 0; !consent && i < words->n; i++)
        if (!names_word_in(words->words[i], newsletter_words))
            return NULL;
    return no_values;
}

const char *const *names_opt_out(struct str header)
{
    struct buf key = BUF_INIT(NAMES_HEADER_MAX);
    struct names_words words;
    int rc = names_words_split(header, &words);
    const char *text = rc == 0 && names_key(header, &key) == 0 && key.n > 0 ? buf_cstr(&key) : NULL;
    const char *const *values = NULL;

    bool possible = text != NULL && !any_word_in(&words, words_against);
    if (possible && any_part_in(text, statuses, sizeof statuses / sizeof statuses[0]))
        values = status_values;
    else if (possible &&
             (any_word_in(&words, words_that_mean_it) || any_part_in(text, signs, sizeof signs / sizeof signs[0])))
        values = any_word_in(&words, trace_words) ? any_value : yes_values;
    else if (possible)
        values = consent_values(text, &words);
    names_words_free(&words);
    buf_free(&key);
    return values;
}
