/* Only one host may run a sync, and no lock reaches another host. What shows from here: the hosts of the runs on record, and leads of
 * the target that this state has never met. Neither proves a second host, so both are notices. */
#include "config.h"

#include "sync/preflight/check_int.h"

#include <json.h>
#include <string.h>

#include "sync/api/by_hand.h"
#include "sync/base/text.h"

/* One page of leads per target: more would make a check slow. */
enum { HOSTS_SHOWN = 4, LEADS_SAMPLE = 100 };

/* ---- the hosts of runs ---- */

/* The host on which the run was begun, in the arena; NULL: it is not on record. */
static const char *host_of(const struct run_record *run, struct arena *arena)
{
    struct json_object *begun = run->begun != NULL ? json_tokener_parse(run->begun) : NULL, *actor, *host;
    const char *text = NULL;
    if (json_object_object_get_ex(begun, "actor", &actor) && json_object_object_get_ex(actor, "host", &host) &&
        json_object_is_type(host, json_type_string) && json_object_get_string_len(host) > 0)
        text = arena_dup(arena, json_object_get_string(host), (size_t)json_object_get_string_len(host));
    json_object_put(begun);
    return text;
}

static bool add_host(const char *hosts[HOSTS_SHOWN], size_t *n, const char *host)
{
    for (size_t i = 0; i < *n; i++)
        if (strcmp(hosts[i], host) == 0)
            return false;
    if (*n == HOSTS_SHOWN)
        return false;
    hosts[(*n)++] = host;
    return true;
}

int check_others_hosts(struct check *c, struct state *s, struct arena *arena, struct err *e)
{
    enum { RUNS_LOOKED_AT = 30 };
    const char *hosts[HOSTS_SHOWN];
    struct run_record *runs;
    size_t runs_n, n = 0;
    if (state_runs(s, RUNS_LOOKED_AT, arena, &runs, &runs_n, e) != 0)
        return -1;
    if (c->config->actor != NULL && c->config->actor->host != NULL && c->config->actor->host[0] != '\0')
        add_host(hosts, &n, c->config->actor->host);
    size_t here = n;
    uint64_t newest = 0;
    for (size_t i = 0; i < runs_n; i++) {
        const char *host = host_of(&runs[i], arena);
        if (host != NULL && add_host(hosts, &n, host) && newest == 0 && n > here)
            newest = runs[i].id;
    }
    if (n <= here || here == 0)
        return 0;
    struct str names[HOSTS_SHOWN];
    for (size_t i = here; i < n; i++)
        names[i - here] = str_from(hosts[i]);
    check_report(
        c, FINDING_NOTICE, "state",
        "this host is %s, and run %llu was made on another one (%s): if that host still runs this sync, stop one of the "
        "two, because they undo each other's changes (OPERATIONS.md, \"A second host by mistake\")",
        hosts[0], (unsigned long long)newest, check_list(c, names, n - here));
    return 0;
}

/* ---- the leads of the targets ---- */

struct sample {
    struct state *state; /* NULL: there is none yet */
    size_t looked_at, unknown;
};

static int see_lead(void *ctx, const struct remote_lead *lead, struct err *e)
{
    struct sample *sample = ctx;
    struct hash128 key;
    int known = sample->state != NULL ? state_id_owner(sample->state, &lead->id, &key, e) : 0;
    if (known < 0)
        return -1;
    sample->unknown += known == 0;
    return ++sample->looked_at == LEADS_SAMPLE;
}

/* A failure is no finding: the run needs other requests, and those are checked. */
void check_others_leads(struct check *c, struct state *s)
{
    for (const struct check_target *t = c->targets; t != NULL && c->api != NULL; t = t->next) {
        struct err ignored = ERR_INIT;
        struct sample sample = {.state = s};
        const struct leads_filter filter = {.in = &t->target, .in_campaign = -1, .in_list = -1};
        int rc = t->own ? by_hand_each(c->api, &filter, see_lead, &sample, &ignored) : -1;
        err_clear(&ignored);
        if (rc != 0 || sample.unknown == 0)
            continue;
        check_report(
            c, FINDING_NOTICE, "target",
            "%s \"%s\": this state does not know %zu of the %zu lead%s looked at: they were added by hand, by another sync, by a run that this state does not have, or "
            "by this sync on another host; leadsync verify lists all of them%s",
            target_kind_text(t->target.kind), t->target.name != NULL ? t->target.name : "", sample.unknown, sample.looked_at,
            text_plural(sample.looked_at),
            s == NULL ? ", and leadsync adopt takes those of the source into a new state" : "");
    }
}
