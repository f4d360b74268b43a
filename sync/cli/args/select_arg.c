/* Translates the words of options into the numbers and constants of the API. An unknown word is an error before the first request,
 * because a filter that is left out would select every lead. */
#include "config.h"

#include "sync/cli/args/select_arg.h"

#include "sync/cli/command.h"
#include "sync/model/lead_status.h"

#include <stdlib.h>
#include <string.h>

#define AT(member) OPT_AT(common, select.member)

static const char *const yes_no[] = {"any", "yes", "no", NULL};
static const char *const enrichments[] = {"any", "enriched", "pending", "not-available", "error", NULL};
static const int enrichment_codes[] = {0, 1, 11, -1, -2};

/* clang-format off */
const struct opt select_arg_options[] = {
    {.name = "search", .kind = OPT_TEXT, .secret = true, .dest = AT(search), .arg = "TEXT",
     .help = "leads with this text in first name, last name or address"},
    {.name = "filter", .kind = OPT_TEXT, .dest = AT(filter), .arg = "FILTER",
     .help = "one of Instantly's filters: contacted, not-contacted, bounced, replied, interested, … (the man page "
             "lists all)"},
    {.name = "status", .kind = OPT_LIST, .dest = AT(statuses), .arg = "STATUS,...",
     .help = "leads with this status: new, active, paused, completed, bounced, unsubscribed, skipped, or its "
             "number"},
    {.name = "id", .kind = OPT_LIST, .secret = true, .dest = AT(ids), .arg = "UUID,...", .help = "leads with these ids"},
    {.name = "exclude-id", .kind = OPT_LIST, .secret = true, .dest = AT(excluded), .arg = "UUID,...",
     .help = "leave out the leads with these ids"},
    {.name = "email", .kind = OPT_LIST, .secret = true, .dest = AT(emails), .arg = "ADDRESS",
     .help = "leads with this address (repeatable)"},
    {.name = "in-campaign", .kind = OPT_CHOICE, .dest = AT(in_campaign), .choices = yes_no,
     .help = "yes: leads that are in a campaign; no: leads in none (any)"},
    {.name = "in-list", .kind = OPT_CHOICE, .dest = AT(in_list), .choices = yes_no,
     .help = "yes: leads that are in a list; no: leads in none (any)"},
    {.name = "user", .kind = OPT_LIST, .dest = AT(users), .arg = "UUID,...",
     .help = "leads that are assigned to these users"},
    {.name = "query", .kind = OPT_LIST, .dest = AT(queries), .arg = "QUERY",
     .help = "condition of a smart view, such as email-open,days=7,count=more:2 (repeatable)"},
    {.name = "smart-view", .kind = OPT_TEXT, .dest = AT(smart_view), .arg = "UUID", .help = "leads of this smart view"},
    {.name = "esp", .kind = OPT_TEXT, .dest = AT(esp), .arg = "PROVIDER",
     .help = "leads with this mail provider: google, microsoft, zoho, yahoo, …, or its number"},
    {.name = "esg", .kind = OPT_TEXT, .dest = AT(esg), .arg = "GATEWAY",
     .help = "leads with this security gateway: barracuda, mimecast, proofpoint, cisco, all or none"},
    {.name = "enrichment", .kind = OPT_CHOICE, .dest = AT(enrichment), .choices = enrichments,
     .help = "leads whose enrichment has this status"},
    {.name = "website-visitor", .kind = OPT_FLAG, .dest = AT(visitor), .help = "leads that were seen on the website"},
    {.name = "limit", .kind = OPT_INT, .dest = AT(limit), .arg = "N", .min = 0, .max = INT64_MAX,
     .help = "select at most N leads; 0 means no limit (0)"},
    {.name = NULL},
};
/* clang-format on */

bool select_arg_given(const struct common *c)
{
    const struct select_options *s = &c->select;
    return s->search != NULL || s->filter != NULL || s->statuses.n > 0 || s->ids.n > 0 || s->emails.n > 0 ||
           s->in_campaign != 0 || s->in_list != 0 || s->users.n > 0 || s->queries.n > 0 || s->smart_view != NULL ||
           s->esp != NULL || s->esg != NULL || s->enrichment != 0 || s->visitor;
}

int select_arg_place(const struct common *c, struct lead_edit *edit, struct target *out, struct err *e)
{
    const char *name = c->campaign != NULL ? c->campaign : c->list;
    if (name == NULL)
        return 0;
    if (*name == '\0')
        return err_set(e, XS_USAGE, "--%s is empty; give a name or a UUID", c->campaign != NULL ? "campaign" : "list");
    struct target_spec spec = {c->campaign != NULL ? TARGET_CAMPAIGN : TARGET_LIST, strdup(name)};
    if (spec.text == NULL)
        return err_oom(e);
    int rc = api_target_find(edit->api, &spec, true, &edit->arena, out, e);
    free(spec.text);
    if (rc == 0)
        target_names_add(&edit->places, out);
    return rc != 0 ? -1 : 1;
}

/* ---- lists of words ---- */

/* The next part of a comma-separated text; false at its end. */
static bool next_part(const char **at, struct str *part)
{
    if (*at == NULL)
        return false;
    size_t n = strcspn(*at, ",");
    *part = str_trim((struct str){*at, n});
    *at = (*at)[n] == ',' ? *at + n + 1 : NULL;
    return true;
}

static size_t parts_n(const struct opt_list *texts)
{
    size_t n = 0;
    struct str part;
    for (size_t i = 0; i < texts->n; i++)
        for (const char *at = texts->v[i]; next_part(&at, &part); n++)
            ;
    return n;
}

int select_arg_uuids(const struct opt_list *texts, const char *option, struct arena *arena, struct uuid **out, size_t *n,
                     struct err *e)
{
    struct str part;
    *n = 0;
    *out = arena_calloc(arena, parts_n(texts) + 1, sizeof **out);
    if (*out == NULL)
        return err_oom(e);
    for (size_t i = 0; i < texts->n; i++)
        for (const char *at = texts->v[i]; next_part(&at, &part); ++*n)
            if (uuid_parse(part, &(*out)[*n]) != 0)
                return err_set(e, XS_USAGE, "%s \"%.*s\" is not a UUID", option, STR_ARG(part));
    return 0;
}

const char *select_arg_status_text(int status, char out[SELECT_STATUS_TEXT_N])
{
    if (status == TARGET_STATUS_UNKNOWN)
        return "";
    const char *known = lead_status_text(status);
    if (known != NULL)
        return known;
    snprintf(out, SELECT_STATUS_TEXT_N, "status %d", status);
    return out;
}

static int fill_statuses(const struct opt_list *texts, struct lead_edit *edit, struct lead_selector *out, struct err *e)
{
    struct str part;
    int *v = arena_calloc(&edit->arena, parts_n(texts) + 1, sizeof *v);
    if (v == NULL)
        return err_oom(e);
    for (size_t i = 0; i < texts->n; i++)
        for (const char *at = texts->v[i]; next_part(&at, &part); out->statuses_n++)
            if (lead_status_find(part, &v[out->statuses_n]) != 0)
                return err_set(e, XS_USAGE,
                               "--status \"%.*s\" is not one of new, active, paused, completed, bounced, "
                               "unsubscribed, skipped",
                               STR_ARG(part));
    out->statuses = v;
    return 0;
}

static int fill_emails(const struct opt_list *texts, struct lead_edit *edit, struct leads_filter *f, struct err *e)
{
    struct str *v = arena_calloc(&edit->arena, texts->n + 1, sizeof *v);
    if (v == NULL)
        return err_oom(e);
    for (size_t i = 0; i < texts->n; i++) {
        v[i] = str_trim(str_from(texts->v[i]));
        if (v[i].n == 0 || memchr(v[i].p, '@', v[i].n) == NULL)
            return err_set(e, XS_USAGE, "--email \"%s\" is not an e-mail address", texts->v[i]);
    }
    f->contacts = v;
    f->contacts_n = texts->n;
    return 0;
}

static int fill_queries(const struct opt_list *texts, struct lead_edit *edit, struct leads_filter *f, struct err *e)
{
    struct leads_query *v = arena_calloc(&edit->arena, texts->n + 1, sizeof *v);
    if (v == NULL)
        return err_oom(e);
    for (size_t i = 0; i < texts->n; i++)
        if (leads_query_parse(str_from(texts->v[i]), &v[i], e) != 0)
            return -1;
    f->queries = v;
    f->queries_n = texts->n;
    return 0;
}

/* ---- single words ---- */

static int fill_filter(const char *name, struct leads_filter *f, struct err *e)
{
    enum { NAMES_MAX = 64 };
    const char *names[NAMES_MAX];
    size_t n = 0;
    if (name == NULL || (f->filter = leads_filter_find(str_from(name))) != NULL)
        return 0;
    for (; leads_filter_names[n] != NULL && n < NAMES_MAX; n++)
        names[n] = leads_filter_names[n];
    const char *nearest = str_nearest(str_from(name), names, n);
    return err_set(e, XS_USAGE,
                   "--filter \"%s\" is not one of Instantly's filters%s%s; leadsync help leads list names the "
                   "most used, the man page all",
                   name, nearest != NULL ? ", nearest is " : "", nearest != NULL ? nearest : "");
}

static int fill_words(const struct select_options *o, struct lead_selector *out, struct err *e)
{
    struct leads_filter *f = &out->filter;
    if (fill_filter(o->filter, f, e) != 0)
        return -1;
    if (o->search != NULL && *o->search == '\0')
        return err_set(e, XS_USAGE, "--search is empty and would select every lead; give a text");
    if (o->esp != NULL && (out->esp = leads_esp_find(str_from(o->esp))) < 0)
        return err_set(e, XS_USAGE,
                       "--esp \"%s\" is not one of queue, google, microsoft, zoho, airmail, yahoo, yandex, "
                       "web.de, libero, other, not-found",
                       o->esp);
    if (o->esg != NULL && (f->esg = leads_esg_find(str_from(o->esg))) == NULL)
        return err_set(e, XS_USAGE, "--esg \"%s\" is not one of queue, barracuda, mimecast, proofpoint, cisco, all, none",
                       o->esg);
    f->has_smart_view = o->smart_view != NULL;
    if (f->has_smart_view && uuid_parse(str_from(o->smart_view), &f->smart_view) != 0)
        return err_set(e, XS_USAGE, "--smart-view \"%s\" is not a UUID", o->smart_view);
    return 0;
}

int select_arg_fill(const struct common *c, struct lead_edit *edit, struct lead_selector *out, struct err *e)
{
    const struct select_options *o = &c->select;
    struct uuid *ids, *excluded, *users;
    *out = (struct lead_selector){.esp = -1, .limit = (uint64_t)o->limit};
    struct leads_filter *f = &out->filter;
    if (fill_words(o, out, e) != 0 || select_arg_uuids(&o->ids, "--id", &edit->arena, &ids, &f->ids_n, e) != 0 ||
        select_arg_uuids(&o->excluded, "--exclude-id", &edit->arena, &excluded, &out->excluded_n, e) != 0 ||
        select_arg_uuids(&o->users, "--user", &edit->arena, &users, &f->users_n, e) != 0 ||
        fill_statuses(&o->statuses, edit, out, e) != 0 || fill_emails(&o->emails, edit, f, e) != 0 ||
        fill_queries(&o->queries, edit, f, e) != 0)
        return -1;
    f->ids = ids;
    f->users = users;
    out->excluded = excluded;
    f->search = str_from(o->search);
    f->in_campaign = o->in_campaign == 0 ? -1 : o->in_campaign == 1;
    f->in_list = o->in_list == 0 ? -1 : o->in_list == 1;
    f->enrichment = enrichment_codes[o->enrichment];
    f->website_visitor = o->visitor;
    return 0;
}
