/* Columns by which somebody said not to be mailed, or that say why mail would not arrive. */
#include "config.h"

#include "mappings/names.h"
#include "mappings/names_words.h"

#include <string.h>

const char *const names_opt_out_values[] = {"1", "true", "yes", "y", "t", "x", "ja", "oui", "sí", "si", "sim", NULL};

/* Parts of a header's key that mean it wherever they stand. */
static const char *const signs[] = {
    "optout",       "optedout",      "unsubscr",      "donotcontact", "donotemail",   "donotmail",     "dontcontact",
    "dontemail",    "dontmail",      "nomail",        "noemail",      "blacklist",    "blocklist",     "suppress",
    "hardbounce",   "bounced",       "invalidemail",  "emailinvalid", "invalidaddress", "spamcomplain", "undeliverable",
    "abgemeldet",   "widerspr",      "widerruf",      "sperr",        "nichtkontakt", "keinewerbung",  "unzustellbar",
    "desinscri",    "désinscri",     "désabonn",      "desabonn",     "nepascontacter", "listenoire",  "debaja",
    "nocontactar",  "listanegra",    "descadastr",    "cancelousubs", "nãocontatar",  "disiscri",      "noncontattare",
    "uitgeschreven", "afgemeld",     "nietmailen",    "nietbenaderen", "avregistrer", "avmeld",        "afmeldt",
    "wypisan",      "отписал",       "отписан"};
/* Whole words that mean it: "DNC", "UNSUB_TIME", "Bounce Reason"; but "Trabajador" is no "Baja". */
static const char words_that_mean_it[] = "dnc|unsub|bounce|bounces|baja";
/* Of these nobody opted out by: a soft bounce passes, a rate is of the mails, and an id of what caused it. */
static const char words_against[] = "soft|rate|score|count|total|title|id";
/* When it happened or why: any value means that it did. */
static const char trace_words[] = "time|date|at|on|reason|mode|datum|grund|zeit|am|fecha|motivo|motif|raison|data";

static bool any_word_in(const struct names_words *w, const char *list)
{
    for (size_t i = 0; i < w->n; i++)
        if (names_word_in(w->words[i], list))
            return true;
    return false;
}

bool names_opt_out(struct str header, bool *any_value)
{
    struct buf key = BUF_INIT(NAMES_HEADER_MAX);
    struct names_words words;
    int rc = names_words_split(header, &words);
    const char *text = rc == 0 && names_key(header, &key) == 0 && key.n > 0 ? buf_cstr(&key) : NULL;
    bool found = text != NULL && any_word_in(&words, words_that_mean_it);

    for (size_t i = 0; text != NULL && i < sizeof signs / sizeof signs[0] && !found; i++)
        found = strstr(text, signs[i]) != NULL;
    found = found && !any_word_in(&words, words_against);
    *any_value = found && any_word_in(&words, trace_words);
    names_words_free(&words);
    buf_free(&key);
    return found;
}
