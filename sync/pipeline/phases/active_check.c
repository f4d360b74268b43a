/* Leads that stay although their row was skipped. A campaign goes on mailing those that are active in it. The state does not know
 * which are active, so they are read in Instantly. A dry run asks nothing, and counts those that may be active. */
#include "config.h"

#include "sync/pipeline/run_int.h"

#include <stdio.h>

#include "sync/base/log.h"
#include "sync/model/lead_status.h"

enum { SPOOL_MEMORY = 4 << 20 };
enum { ACTIVE_SHOWN = 3 }; /* Leads named in a message. */

int active_check_put(struct run *r, const struct known_lead *known, struct err *e)
{
    const struct planned p = {.op = OP_NONE, .entry = {.has_lead_id = true, .lead_id = known->lead_id}};
    if (!known->has_lead_id)
        return 0;
    if (r->diff != NULL) {
        r->dry.may_mail += opt_out_may_mail(run_target(r, known->target), known);
        return 0;
    }
    if (r->spools.active == NULL && spool_new(SPOOL_MEMORY, &r->spools.active, e) != 0)
        return -1;
    return spool_put(r->spools.active, &p, e);
}

struct active_check {
    struct run *run;
    unsigned open_n;
    struct uuid active[ACTIVE_SHOWN];
};

/* Names only the first leads; `results` lists the rows of all. */
static void report_active(const struct run *r, const struct uuid *ids)
{
    uint64_t n = r->diff != NULL ? r->dry.may_mail : r->tally->skipped_active;
    char shown[ACTIVE_SHOWN * (UUID_TEXT_N + 2) + 8] = "", id[UUID_TEXT_N];
    size_t used = 0;
    for (size_t i = 0; ids != NULL && i < ACTIVE_SHOWN && i < n; i++)
        used += (size_t)snprintf(shown + used, sizeof shown - used, "%s%s", i > 0 ? ", " : " (lead ",
                                 uuid_format(&ids[i], id));
    if (used > 0)
        snprintf(shown + used, sizeof shown - used, "%s)", n > ACTIVE_SHOWN ? ", ..." : "");
    if (n > 0)
        log_warning(
            "%llu skipped row%s a lead that %s active in a campaign, which %s on mailing it%s: %s, or pause the lead in "
            "Instantly",
            (unsigned long long)n, n == 1 ? " has" : "s have", r->diff != NULL ? "may be" : "is",
            r->diff != NULL ? "may go" : "goes", shown,
            r->m->path == NULL ? "leadsync leads delete ADDRESS deletes such a lead"
                               : "give the rule of skip_when a `then: delete` or `then: {move_to: ...}`");
}

static void active_check_answered(void *ctx, const struct api_reply *reply)
{
    struct active_check *watch = ctx;
    struct remote_lead lead;
    for (size_t at = 0; reply->class == API_OK && api_reply_lead(reply, &at, &lead);) {
        /* Leads in a list are not mailed, whatever their status. */
        if (!lead.has_campaign || lead.status != LEAD_STATUS_ACTIVE)
            continue;
        uint64_t *active = &watch->run->tally->skipped_active;
        if (*active < ACTIVE_SHOWN)
            watch->active[*active] = lead.id;
        ++*active;
    }
    if (reply->class != API_OK && reply->class != API_CANCELLED)
        log_notice("could not read whether leads of skipped rows are active (%d %.*s)", reply->http_status,
                   STR_ARG(reply->message));
    watch->open_n--;
}

static int active_check_send(struct active_check *watch, struct err *e)
{
    struct run *r = watch->run;
    struct uuid ids[LEADS_LIST_MAX];
    struct planned p;
    struct leads_list list = {.ids = ids};
    int rc = 1;
    while (list.ids_n < LEADS_LIST_MAX && (rc = spool_get(r->spools.active, &p, e)) == 1)
        ids[list.ids_n++] = p.entry.lead_id;
    if (rc < 0 || list.ids_n == 0)
        return rc;
    if (api_leads_list(r->api, &list, active_check_answered, watch, e) != 0)
        return -1;
    watch->open_n++;
    return 1;
}

int active_check_run(struct run *r, struct err *e)
{
    /* Not on the stack, because an answer may still arrive after an error. */
    struct active_check *watch = arena_calloc(&r->run_arena, 1, sizeof *watch);
    if (r->diff != NULL) {
        report_active(r, NULL);
        return 0;
    }
    int rc = r->spools.active != NULL ? 1 : 0, more = rc;
    if (watch == NULL)
        return err_oom(e);
    watch->run = r;
    while ((more == 1 || watch->open_n > 0) && rc >= 0) {
        if (upload_stopped(r->upload))
            more = 0;
        if (more == 1 && !api_full(r->api))
            rc = more = active_check_send(watch, e);
        else
            rc = upload_step(r->upload, 1000, e);
    }
    report_active(r, watch->active);
    return rc < 0 ? -1 : 0;
}
