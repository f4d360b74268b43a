/* Bodies of the requests that are made by hand, from one table of keys. An endpoint that is given a key which it does
 * not take ignores it in silence, so the table says who takes what, and a key in the wrong place is an error here. */
#include "config.h"

#include "sync/api/by_hand.h"

#include "sync/api/body/body.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum endpoint { LIST = 1, MERGE = 2, INTEREST = 4, ASSIGN = 8, SUBSEQUENCE_MOVE = 16, SUBSEQUENCE_REMOVE = 32 };

/* KEY(id, name, endpoints that take it): everything that stands in these bodies. Targets have their own table. */
#define KEYS(KEY) \
    KEY(SEARCH, "search", LIST | ASSIGN) \
    KEY(FILTER, "filter", LIST | ASSIGN) \
    KEY(IN_CAMPAIGN, "in_campaign", LIST | ASSIGN) \
    KEY(IN_LIST, "in_list", LIST | ASSIGN) \
    KEY(CONTACTS, "contacts", LIST) \
    KEY(QUERIES, "queries", LIST | ASSIGN) \
    KEY(USERS, "organization_user_ids", LIST | ASSIGN) \
    KEY(ESG, "esg_code", LIST) \
    KEY(ENRICHMENT, "enrichment_status", LIST) \
    KEY(SMART_VIEW, "smart_view_id", LIST | ASSIGN) \
    KEY(VISITOR, "is_website_visitor", LIST) \
    KEY(DISTINCT, "distinct_contacts", LIST) \
    KEY(LIMIT, "limit", LIST | ASSIGN) \
    KEY(CURSOR, "starting_after", LIST) \
    KEY(LEAD, "lead_id", MERGE) \
    KEY(DESTINATION, "destination_lead_id", MERGE) \
    KEY(EMAIL, "lead_email", INTEREST) \
    KEY(INTEREST_VALUE, "interest_value", INTEREST) \
    KEY(AI_VALUE, "ai_interest_value", INTEREST) \
    KEY(NO_AUTO, "disable_auto_interest", INTEREST) \
    KEY(ID, "id", SUBSEQUENCE_MOVE | SUBSEQUENCE_REMOVE) \
    KEY(SUBSEQUENCE, "subsequence_id", SUBSEQUENCE_MOVE)

enum key {
#define KEY_ENUM(id, name, takes) K_##id,
    KEYS(KEY_ENUM)
#undef KEY_ENUM
};
static const struct {
    const char *name;
    unsigned takes;
} keys[] = {
#define KEY_ROW(id, name, takes) {name, takes},
    KEYS(KEY_ROW)
#undef KEY_ROW
};

struct body {
    struct jsonw w;
    enum endpoint to;
    const char *what;
    const char *misplaced; /* a key that the endpoint does not take */
};

static void open_body(struct body *b, enum endpoint to, const char *what, struct buf *out)
{
    *b = (struct body){.to = to, .what = what};
    jsonw_init(&b->w, out);
    jsonw_object(&b->w);
}

static void key(struct body *b, enum key k)
{
    if ((keys[k].takes & (unsigned)b->to) == 0)
        b->misplaced = keys[k].name;
    jsonw_key(&b->w, keys[k].name);
}

static int close_body(struct body *b, struct err *e)
{
    jsonw_object_end(&b->w);
    if (b->misplaced != NULL)
        return err_set(e, XS_INTERNAL, "%s does not take %s; please report this", b->what, b->misplaced);
    return body_end(&b->w, b->what, e);
}

static void text(struct body *b, enum key k, struct str value)
{
    if (value.n == 0)
        return;
    key(b, k);
    jsonw_str(&b->w, value);
}

static void flag(struct body *b, enum key k, bool on)
{
    if (!on)
        return;
    key(b, k);
    jsonw_bool(&b->w, true);
}

/* -1: not asked, which is not the same as no. */
static void yes_no(struct body *b, enum key k, int value)
{
    if (value < 0)
        return;
    key(b, k);
    jsonw_bool(&b->w, value != 0);
}

static void uuid(struct body *b, enum key k, const struct uuid *id)
{
    key(b, k);
    body_uuid(&b->w, id);
}

static void uuids(struct body *b, enum key k, const struct uuid *ids, size_t n)
{
    if (n == 0)
        return;
    key(b, k);
    jsonw_array(&b->w);
    for (size_t i = 0; i < n; i++)
        body_uuid(&b->w, &ids[i]);
    jsonw_array_end(&b->w);
}

/* ---- words ---- */

/* clang-format off */
const char *const leads_filter_names[] = {
    "FILTER_VAL_CONTACTED", "FILTER_VAL_NOT_CONTACTED", "FILTER_VAL_COMPLETED", "FILTER_VAL_UNSUBSCRIBED",
    "FILTER_VAL_ACTIVE", "FILTER_VAL_BOUNCED", "FILTER_VAL_SKIPPED", "FILTER_VAL_RISKY", "FILTER_VAL_INVALID",
    "FILTER_VAL_VALID", "FILTER_VAL_IN_SUBSEQUENCE", "FILTER_VAL_OPENED_NO_REPLY", "FILTER_VAL_COMPLETED_NO_REPLY",
    "FILTER_VAL_NO_OPENS", "FILTER_VAL_REPLIED", "FILTER_VAL_LINK_CLICKED", "FILTER_LEAD_INTERESTED",
    "FILTER_LEAD_NOT_INTERESTED", "FILTER_LEAD_MEETING_BOOKED", "FILTER_LEAD_MEETING_COMPLETED", "FILTER_LEAD_CLOSED",
    "FILTER_LEAD_OUT_OF_OFFICE", "FILTER_LEAD_WRONG_PERSON", "FILTER_LEAD_LOST", "FILTER_LEAD_NO_SHOW",
    "FILTER_LEAD_CUSTOM_LABEL_POSITIVE", "FILTER_LEAD_CUSTOM_LABEL_NEGATIVE", NULL,
};
/* clang-format on */

/* Small letters for capitals, - for _. */
static bool same_word(struct str typed, const char *word)
{
    if (typed.n != strlen(word))
        return false;
    for (size_t i = 0; i < typed.n; i++) {
        char c = typed.p[i] == '-' ? '_' : typed.p[i];
        char d = word[i] == '-' ? '_' : word[i];
        if (strncasecmp(&c, &d, 1) != 0)
            return false;
    }
    return true;
}

const char *leads_filter_find(struct str name)
{
    static const char *const prefixes[] = {"", "FILTER_VAL_", "FILTER_LEAD_"};
    for (size_t p = 0; p < sizeof prefixes / sizeof prefixes[0]; p++) {
        size_t n = strlen(prefixes[p]);
        for (size_t i = 0; leads_filter_names[i] != NULL; i++)
            if (strncmp(leads_filter_names[i], prefixes[p], n) == 0 && same_word(name, leads_filter_names[i] + n))
                return leads_filter_names[i];
    }
    return NULL;
}

struct word {
    const char *name, *api;
};

static const char *word_find(const struct word *words, struct str name)
{
    for (; words->name != NULL; words++)
        if (same_word(name, words->name) || str_is(name, words->api))
            return words->api;
    return NULL;
}

const char *leads_esg_find(struct str name)
{
    static const struct word words[] = {{"queue", "0"}, {"barracuda", "1"}, {"mimecast", "2"}, {"proofpoint", "3"},
                                        {"cisco", "4"}, {"all", "all"},     {"none", "none"},  {NULL, NULL}};
    return word_find(words, name);
}

int leads_esp_find(struct str name)
{
    static const struct word words[] = {{"queue", "0"},   {"google", "1"},  {"microsoft", "2"},    {"zoho", "3"},
                                        {"airmail", "8"}, {"yahoo", "9"},   {"yandex", "10"},      {"web.de", "12"},
                                        {"libero", "13"}, {"other", "999"}, {"not-found", "1000"}, {NULL, NULL}};
    const char *number = word_find(words, name);
    return number != NULL ? atoi(number) : -1;
}

/* ---- conditions of smart views ---- */

static const char *const actions[] = {"reply",      "email-open",  "last-contacted",
                                      "link-click", "lead-status", "lead-status-change",
                                      NULL};
static const char *const counts[] = {"more", "less", "equal", NULL};
static const char *const statuses[] = {"is", "is-not", NULL};
static const int64_t QUERY_NUMBER_MAX = 1000000;

static int find(const char *const *words, struct str word)
{
    for (int i = 0; words[i] != NULL; i++)
        if (same_word(word, words[i]))
            return i;
    return -1;
}

/* A whole number with an optional minus. 0/-1 */
static int number(struct str s, int64_t *out)
{
    bool minus = s.n > 0 && s.p[0] == '-';
    int64_t n = 0;
    if (s.n == (minus ? 1U : 0U))
        return -1;
    for (size_t i = minus ? 1 : 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9' || n > QUERY_NUMBER_MAX)
            return -1;
        n = n * 10 + (s.p[i] - '0');
    }
    *out = minus ? -n : n;
    return 0;
}

/* "more:3" */
static int word_and_number(const char *const *words, struct str s, int *word, int64_t *n)
{
    const char *colon = s.n > 0 ? memchr(s.p, ':', s.n) : NULL;
    if (colon == NULL)
        return -1;
    size_t at = (size_t)(colon - s.p);
    *word = find(words, (struct str){s.p, at});
    return *word < 0 ? -1 : number((struct str){colon + 1, s.n - at - 1}, n);
}

static int query_part(struct str part, struct leads_query *q)
{
    const char *equals = part.n > 0 ? memchr(part.p, '=', part.n) : NULL;
    if (equals == NULL)
        return -1;
    struct str name = {part.p, (size_t)(equals - part.p)};
    struct str value = {equals + 1, part.n - name.n - 1};
    if (str_is(name, "days"))
        return number(value, &q->days) == 0 && q->days >= 0 ? 0 : -1;
    if (str_is(name, "count"))
        return word_and_number(counts, value, &q->count_is, &q->count) == 0 && q->count >= 0 ? 0 : -1;
    return str_is(name, "status") ? word_and_number(statuses, value, &q->status_is, &q->status) : -1;
}

int leads_query_parse(struct str text, struct leads_query *out, struct err *e)
{
    struct str rest = text;
    bool first = true, more = true;
    *out = (struct leads_query){.action = -1, .days = -1, .count_is = -1, .status_is = -1};
    while (more) {
        const char *comma = rest.n > 0 ? memchr(rest.p, ',', rest.n) : NULL;
        struct str part = {rest.p, comma != NULL ? (size_t)(comma - rest.p) : rest.n};
        if (first ? (out->action = find(actions, part)) < 0 : query_part(part, out) != 0)
            return err_set(e, XS_USAGE,
                           "\"%.*s\" in the query \"%.*s\" is unknown: a query is one of reply, email-open, "
                           "last-contacted, link-click, lead-status, lead-status-change, and then ,days=N, "
                           ",count=more|less|equal:N or ,status=is|is-not:N",
                           STR_ARG(part), STR_ARG(text));
        more = comma != NULL;
        size_t used = part.n + (more ? 1 : 0);
        rest = (struct str){rest.p + used, rest.n - used};
        first = false;
    }
    return 0;
}

static void condition(struct jsonw *w, const char *name, const char *number_name, const char *word, int64_t n)
{
    jsonw_member_object(w, name);
    jsonw_member_int(w, number_name, n);
    jsonw_member_text(w, "condition", word);
    jsonw_object_end(w);
}

static void queries(struct body *b, const struct leads_query *q, size_t n)
{
    if (n == 0)
        return;
    key(b, K_QUERIES);
    jsonw_array(&b->w);
    for (; n > 0; n--, q++) {
        jsonw_object(&b->w);
        jsonw_member_text(&b->w, "actionType", actions[q->action]);
        jsonw_member_object(&b->w, "values");
        if (q->days >= 0)
            jsonw_member_int(&b->w, "occurrence-days", q->days);
        if (q->count_is >= 0)
            condition(&b->w, "occurrence-count", "count", counts[q->count_is], q->count);
        if (q->status_is >= 0)
            condition(&b->w, "lead-status", "status", statuses[q->status_is], q->status);
        jsonw_object_end(&b->w);
        jsonw_object_end(&b->w);
    }
    jsonw_array_end(&b->w);
}

/* ---- bodies ---- */

bool leads_contact_fits(struct str email)
{
    return body_contact_fits(email);
}

static void contacts(struct body *b, const struct str *emails, size_t n)
{
    if (n == 0)
        return;
    key(b, K_CONTACTS);
    jsonw_array(&b->w);
    for (size_t i = 0; i < n; i++)
        jsonw_str(&b->w, emails[i]);
    jsonw_array_end(&b->w);
}

int body_filtered_list(const struct leads_filter *f, unsigned limit, struct str cursor, struct buf *out, struct err *e)
{
    struct body b;
    if (f->contacts_n > LEADS_LIST_MAX || f->ids_n > LEADS_LIST_MAX || limit < 1 || limit > LEADS_LIST_MAX)
        return err_set(e, XS_INTERNAL,
                       "leads/list: %zu contacts, %zu ids and a page of %u leads, at most %d of each can "
                       "be asked for; please report this",
                       f->contacts_n, f->ids_n, limit, LEADS_LIST_MAX);
    open_body(&b, LIST, "leads/list", out);
    if (f->in != NULL)
        body_target(&b.w, TARGET_FILTER, f->in);
    text(&b, K_SEARCH, f->search);
    text(&b, K_FILTER, str_from(f->filter));
    yes_no(&b, K_IN_CAMPAIGN, f->in_campaign);
    yes_no(&b, K_IN_LIST, f->in_list);
    contacts(&b, f->contacts, f->contacts_n);
    if (f->ids_n > 0)
        body_ids(&b.w, f->ids, f->ids_n);
    uuids(&b, K_USERS, f->users, f->users_n);
    queries(&b, f->queries, f->queries_n);
    text(&b, K_ESG, str_from(f->esg));
    if (f->enrichment != 0) {
        key(&b, K_ENRICHMENT);
        jsonw_int(&b.w, f->enrichment);
    }
    if (f->has_smart_view)
        uuid(&b, K_SMART_VIEW, &f->smart_view);
    flag(&b, K_VISITOR, f->website_visitor);
    flag(&b, K_DISTINCT, f->distinct);
    key(&b, K_LIMIT);
    jsonw_uint(&b.w, limit);
    text(&b, K_CURSOR, cursor);
    return close_body(&b, e);
}

int body_leads_merge(const struct uuid *lead, const struct uuid *destination, struct buf *out, struct err *e)
{
    struct body b;
    if (uuid_eq(lead, destination))
        return err_set(e, XS_INTERNAL, "leads/merge: a lead cannot be merged into itself; please report this");
    open_body(&b, MERGE, "leads/merge", out);
    uuid(&b, K_LEAD, lead);
    uuid(&b, K_DESTINATION, destination);
    return close_body(&b, e);
}

int body_leads_interest(const struct leads_interest *i, struct buf *out, struct err *e)
{
    struct body b;
    if (i->email.n == 0)
        return err_set(e, XS_INTERNAL, "leads/update-interest-status: no address is given; please report this");
    open_body(&b, INTEREST, "leads/update-interest-status", out);
    text(&b, K_EMAIL, i->email);
    key(&b, K_INTEREST_VALUE);
    if (i->clear)
        jsonw_null(&b.w);
    else
        jsonw_int(&b.w, i->value);
    if (i->in != NULL)
        body_target(&b.w, TARGET_ADD, i->in);
    if (i->has_ai_value) {
        key(&b, K_AI_VALUE);
        jsonw_int(&b.w, i->ai_value);
    }
    flag(&b, K_NO_AUTO, i->disable_auto);
    return close_body(&b, e);
}

int body_leads_assign(const struct leads_assign *a, struct buf *out, struct err *e)
{
    struct body b;
    if (a->ids_n == 0 || a->ids_n > LEADS_MOVE_MAX || a->users_n == 0)
        return err_set(e, XS_INTERNAL,
                       "leads/bulk-assign: %zu ids to %zu users, 1 to %d ids can be sent; please report "
                       "this",
                       a->ids_n, a->users_n, LEADS_MOVE_MAX);
    open_body(&b, ASSIGN, "leads/bulk-assign", out);
    uuids(&b, K_USERS, a->users, a->users_n);
    body_ids(&b.w, a->ids, a->ids_n);
    if (a->in != NULL)
        body_target(&b.w, TARGET_FILTER, a->in);
    key(&b, K_LIMIT);
    jsonw_uint(&b.w, a->ids_n);
    return close_body(&b, e);
}

int body_leads_subsequence(const struct uuid *lead, const struct uuid *subsequence, struct buf *out, struct err *e)
{
    struct body b;
    open_body(&b, subsequence != NULL ? SUBSEQUENCE_MOVE : SUBSEQUENCE_REMOVE, "leads/subsequence", out);
    uuid(&b, K_ID, lead);
    if (subsequence != NULL)
        uuid(&b, K_SUBSEQUENCE, subsequence);
    return close_body(&b, e);
}
