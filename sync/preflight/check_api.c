/* The part of `check` that needs the API: key and scopes, targets with their status, variables, block list. All requests use
 * a client that cannot write. */
#include "config.h"

#include "sync/preflight/check_int.h"

#include <stdlib.h>
#include <string.h>

#include "sync/base/text.h"
#include "sync/plan/targets.h"

/* Statuses of a campaign that `check` reports; campaign_status_text() has their names. */

/* ---- key and scopes ---- */

static int check_key(struct check *c)
{
    struct err e = ERR_INIT;
    struct api_config config = *c->config->api;
    config.read_only = true;
    if (config.key == NULL || *config.key == '\0') {
        err_set(&e, XS_KEY, "no API key: set INSTANTLY_API_KEY, or give --api-key-file");
        check_error(c, "key", &e);
        return -1;
    }
    if (api_new(&config, c->config->transport, c->config->clock, &c->api, &e) != 0 ||
        api_workspace_get(c->api, &c->arena, &c->workspace, &e) != 0 || api_plan_get(c->api, &c->workspace, &e) != 0) {
        check_error(c, "key", &e);
        return -1;
    }
    if (c->workspace.id != NULL)
        check_report(c, FINDING_OK, "key", "accepted, of workspace \"%s\" %s",
                     c->workspace.name != NULL ? c->workspace.name : "", c->workspace.id);
    else
        check_report(c, FINDING_OK, "key", "accepted");
    if (c->workspace.notice != NULL)
        check_report(c, FINDING_NOTICE, "key", "%s", c->workspace.notice);
    if (c->workspace.plan_notice != NULL)
        check_report(c, FINDING_NOTICE, "plan", "%s", c->workspace.plan_notice);
    return 0;
}

/* True if the mapping treats leads that are no longer wanted by this policy. */
static bool has_policy(const struct mapping *m, enum removal_policy policy)
{
    const struct removal *removal;
    for (size_t i = 0; (removal = targets_policy(m, i)) != NULL; i++)
        if (removal->policy == policy)
            return true;
    return false;
}

static bool deletes_doubles(const struct mapping *m)
{
    const struct removal *removal;
    for (size_t i = 0; (removal = targets_policy(m, i)) != NULL; i++)
        if (removal->delete_if_there)
            return true;
    return false;
}

/* True if the mapping can move leads, which needs the scope for reading jobs. */
static bool may_move(const struct mapping *m)
{
    return (m->routes_n > 0 && m->mode != MODE_CREATE) || m->stage.on || has_policy(m, REMOVAL_MOVE);
}

/* Sends one harmless request that needs the scope. 0; -1: no further request makes sense. */
static int try_scope(struct check *c, const struct api_call *call, const char *scope)
{
    struct err e = ERR_INIT;
    struct api_reply reply;
    if (api_call_wait(c->api, call, &reply, &e) != 0) {
        check_error(c, "key", &e);
        return -1;
    }
    if (reply.class == API_REFUSED && reply.http_status == 403) {
        err_set(&e, XS_KEY, "the key lacks the scope %s: add it in Instantly, Settings, API keys", scope);
        check_error(c, "key", &e);
    } else if (reply.class == API_OK) {
        check_report(c, FINDING_OK, "key", "has the scope %s", scope);
    } else {
        check_report(c, FINDING_WARNING, "key", "whether it has the scope %s is unknown (%d %.*s)", scope, reply.http_status,
                     STR_ARG(reply.message));
    }
    return 0;
}

/* Scopes that the mapping does not need only make a stolen key more dangerous. */
static int try_excess(struct check *c, const struct api_call *needless)
{
    struct err e = ERR_INIT;
    struct api_reply reply;
    if (api_call_wait(c->api, needless, &reply, &e) != 0) {
        check_error(c, "key", &e);
        return -1;
    }
    if (reply.class == API_OK)
        check_report(c, FINDING_NOTICE, "key",
                     "has more scopes than this mapping needs, such as background-jobs:read; docs/CRON.md lists "
                     "the necessary ones");
    return 0;
}

static int check_scopes(struct check *c)
{
    const struct mapping *m = c->m;
    const struct api_call leads = {.method = "POST",
                                   .path = "/api/v2/leads/list",
                                   .body = STR("{\"limit\":1}"),
                                   .optional = true,
                                   .urgent = true,
                                   .kind = API_KIND_LIST};
    const struct api_call jobs = {.method = "GET",
                                  .path = "/api/v2/background-jobs?limit=1",
                                  .optional = true,
                                  .urgent = true,
                                  .kind = API_KIND_JOBS};
    if (try_scope(c, &leads, "leads:read") != 0)
        return -1;
    if ((may_move(m) ? try_scope(c, &jobs, "background-jobs:read") : try_excess(c, &jobs)) != 0)
        return -1;
    bool updates = m->mode != MODE_CREATE || may_move(m), deletes = has_policy(m, REMOVAL_DELETE) || deletes_doubles(m);
    check_report(c, FINDING_NOTICE, "key", "cannot verify leads:create%s%s without writing; check the scopes in Instantly",
                 updates ? ", leads:update" : "", deletes ? ", leads:delete" : "");
    return 0;
}

/* ---- variables ---- */

static bool is_in(struct str name, const struct str *names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(names[i], name))
            return true;
    return false;
}

static bool is_core(struct str name)
{
    for (size_t f = 0; f < LEAD_FIELD_N; f++)
        if (str_is(name, lead_field_table[f].payload))
            return true;
    return false;
}

/* Lists the names that `others` lacks, in the arena, without the variable of the row key. NULL: out of memory. */
static struct str *difference(struct check *c, const struct str *names, size_t n, const struct str *others, size_t others_n,
                              bool skip_core, size_t *out_n)
{
    struct str *out = arena_calloc(&c->arena, n + 1, sizeof *out);
    *out_n = 0;
    for (size_t i = 0; out != NULL && i < n; i++)
        if (!is_in(names[i], others, others_n) && !(skip_core && is_core(names[i])) && !str_is(names[i], "leadsync_key"))
            out[(*out_n)++] = names[i];
    return out;
}

/* Reports variables that the mails use and the mapping leaves empty for some or all leads: they leave gaps in mails. Sets *mails
 * if the sequence has mails. */
static int check_sequence(struct check *c, const struct target *t, const char *campaign, const struct str *filled,
                          size_t filled_n, bool *mails)
{
    struct err e = ERR_INIT;
    struct str *used;
    size_t used_n, missing_n;
    int rc = api_campaign_used(c->api, t, &c->arena, &used, &used_n, &e);
    struct str *missing = rc > 0 ? difference(c, used, used_n, filled, filled_n, false, &missing_n) : NULL;
    if (rc < 0 || (rc > 0 && missing == NULL && err_oom(&e) != 0)) {
        check_error(c, "variables", &e);
        return -1;
    }
    *mails = rc > 0;
    if (rc == 0)
        return 0;
    if (missing_n > 0)
        check_report(c, FINDING_WARNING, "variables",
                     "the sequence of campaign \"%s\" uses variables that the mapping leaves empty: %s", campaign,
                     check_list(c, missing, missing_n));
    for (size_t i = 0; i < used_n; i++) {
        uint64_t empty = check_count_empty(c, used[i]);
        if (empty > 0 && is_in(used[i], filled, filled_n))
            check_report(c, FINDING_WARNING, "variables",
                         "the sequence of campaign \"%s\" uses {{%.*s}}, which is empty for %llu of %llu lead%s: give it a "
                         "default:, or required: true",
                         campaign, STR_ARG(used[i]), (unsigned long long)empty, (unsigned long long)c->leads,
                         text_plural(c->leads));
    }
    return 0;
}

/* Reports variables that the mapping leaves empty, and new ones: a misspelt name stays in Instantly for ever. */
static int check_variables(struct check *c, const struct target *t)
{
    struct err e = ERR_INIT;
    const struct str *filled;
    struct str *known = NULL;
    size_t names_n, fresh_n, missing_n, filled_n = mapping_filled(c->m, &filled);
    if (api_campaign_variables(c->api, t, &c->arena, &known, &names_n, &e) != 0) {
        check_error(c, "variables", &e);
        return -1;
    }
    const char *campaign = t->name != NULL ? t->name : "";
    struct str *fresh = difference(c, filled, filled_n, known, names_n, true, &fresh_n);
    struct str *missing = difference(c, known, names_n, filled, filled_n, false, &missing_n);
    if (fresh == NULL || missing == NULL) {
        err_oom(&e);
        check_error(c, "variables", &e);
        return -1;
    }
    bool mails = false;
    if (check_sequence(c, t, campaign, filled, filled_n, &mails) != 0)
        return -1;
    /* If the sequence is known, variables that no mail uses are harmless. Otherwise any of them may be used. */
    if (missing_n > 0)
        check_report(c, mails ? FINDING_NOTICE : FINDING_WARNING, "variables",
                     "campaign \"%s\" has variables that the mapping leaves empty: %s", campaign,
                     check_list(c, missing, missing_n));
    if (fresh_n > 0)
        check_report(c, FINDING_NOTICE, "variables", "new in campaign \"%s\", for everyone who uses it: %s", campaign,
                     check_list(c, fresh, fresh_n));
    if (missing_n == 0 && fresh_n == 0)
        check_report(c, FINDING_OK, "variables", "campaign \"%s\" has those of the mapping, and no others", campaign);
    return 0;
}

/* ---- targets ---- */

static void report_target(struct check *c, const struct target *t)
{
    char id[UUID_TEXT_N], text[TARGET_TEXT_N];
    const char *name = t->name != NULL ? t->name : "";
    uuid_format(&t->id, id);
    if (t->kind == TARGET_LIST) {
        check_report(c, FINDING_OK, "target", "list \"%s\" %s", name, id);
        return;
    }
    const char *status = campaign_status_text(t->status, text);
    if (t->status == CAMPAIGN_ACTIVE)
        check_report(c, FINDING_WARNING, "target", "campaign \"%s\" %s is ACTIVE: mail may go out at once", name, id);
    else if (t->status < 0 && t->status >= CAMPAIGN_SUSPENDED)
        check_report(c, FINDING_WARNING, "target", "campaign \"%s\" %s: %s, so it sends no mail", name, id, status);
    else
        check_report(c, FINDING_OK, "target", "campaign \"%s\" %s is %s", name, id, status);
    if (t->sending != NULL)
        check_report(c, FINDING_WARNING, "target", "campaign \"%s\": %s", name, t->sending);
}

/* 0; 1: it does not exist; -1: no further request makes sense. */
static int check_target(struct check *c, const struct target_spec *spec, bool own, struct target *found)
{
    struct err e = ERR_INIT;
    if (spec->text == NULL || *spec->text == '\0')
        return 1;
    if (api_target_find(c->api, spec, true, &c->arena, found, &e) != 0) {
        int rc = e.status == XS_CONFIG ? 1 : -1;
        check_error(c, "target", &e);
        return rc;
    }
    if (api_target_sending(c->api, found, &e) != 0) {
        check_error(c, "target", &e);
        return -1;
    }
    report_target(c, found);
    struct check_target *kept = arena_alloc(&c->arena, sizeof *kept);
    if (kept == NULL) {
        err_oom(&e);
        check_error(c, "target", &e);
        return -1;
    }
    *kept = (struct check_target){*found, own, c->targets};
    c->targets = kept;
    if (own && c->bound && found->kind == TARGET_CAMPAIGN && check_variables(c, found) != 0)
        return -1;
    return 0;
}

static int check_routes(struct check *c)
{
    struct target found;
    for (size_t r = 0; r < c->m->routes_n; r++)
        if (check_target(c, &c->m->routes[r].target, true, &found) < 0)
            return -1;
    if (c->m->route_otherwise == OTHERWISE_TARGET && check_target(c, &c->m->route_default, true, &found) < 0)
        return -1;
    return 0;
}

/* The stage ends at the target, which was reported already. A name and a UUID are compared by lookup. */
static int check_stage(struct check *c)
{
    struct err e = ERR_INIT;
    struct target found;
    if (check_target(c, &c->m->stage.list, false, &found) < 0)
        return -1;
    if (targets_promote_same(c->m))
        return 0;
    int rc = check_target(c, &c->m->stage.promote, false, &found);
    if (rc == 0 && c->target != NULL && targets_promote_judge(c->m, &found, c->target, &e) != 0)
        check_error(c, "target", &e);
    return rc < 0 ? -1 : 0;
}

static int check_targets(struct check *c)
{
    struct target found;
    if (c->m->routes_n > 0) {
        if (check_routes(c) != 0)
            return -1;
    } else {
        int rc = check_target(c, &c->m->target, true, &found);
        if (rc < 0)
            return -1;
        if (rc == 0 && (c->target = arena_alloc(&c->arena, sizeof found)) != NULL)
            *c->target = found;
    }
    if (c->m->stage.on && check_stage(c) != 0)
        return -1;
    const struct removal *removal;
    for (size_t i = 0; (removal = targets_policy(c->m, i)) != NULL; i++)
        if (removal->policy == REMOVAL_MOVE && check_target(c, &removal->to, false, &found) < 0)
            return -1;
    return 0;
}

/* ---- block list ---- */

/* Looks up any address, only to see whether the lookup is allowed. */
static void check_blocklist(struct check *c)
{
    struct err e = ERR_INIT;
    const char *notice = NULL;
    if (api_blocklisted(c->api, STR("someone@example.com"), &notice, &e) < 0)
        check_error(c, "block list", &e);
    else if (notice != NULL)
        check_report(c, FINDING_NOTICE, "block list", "%s", notice);
    else
        check_report(c, FINDING_OK, "block list", "can be read");
}

void check_api(struct check *c)
{
    /* After an error that would end a run, such as a refused key, all further requests would fail the same way. */
    if (check_key(c) == 0 && check_scopes(c) == 0 && check_targets(c) == 0)
        check_blocklist(c);
}
