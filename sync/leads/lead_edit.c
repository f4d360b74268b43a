/* The life of an edit, its requests and its waits. */
#include "config.h"

#include "sync/leads/lead_edit_int.h"

#include <stdlib.h>
#include <string.h>

#include "sync/base/log.h"
#include "sync/api/http/url.h"
#include "sync/plan/eligibility.h"

enum { ARENA_MAX = 512 << 20 };

int lead_edit_open(struct lead_edit *edit, const struct lead_edit_config *config, struct err *e)
{
    *edit = (struct lead_edit){.c = *config};
    arena_init(&edit->arena, ARENA_MAX);
    target_names_init(&edit->places);
    edit->started_ms = config->clock->wall_ms(config->clock);
    if (api_new(config->api, NULL, config->clock, &edit->api, e) != 0)
        return -1;
    api_lock_wait(edit->api, config->job_wait_ms);
    return 0;
}

void lead_edit_close(struct lead_edit *edit)
{
    lead_edit_upload_close(edit);
    api_free(edit->api);
    state_close(edit->state);
    arena_free(&edit->arena);
    target_names_free(&edit->places);
    free(edit->leads);
    *edit = (struct lead_edit){0};
}

/* ---- leads ---- */

/* The state that is written to comes first and is not opened again beside its lock. */
static void find_places(struct lead_edit *edit)
{
    struct err e = ERR_INIT;
    struct url url;
    edit->has_places = true;
    if (edit->state != NULL)
        target_names_of_state(&edit->places, edit->state);
    else if (edit->c.state_path != NULL)
        target_names_of_file(&edit->places, edit->c.state_path, edit->c.clock);
    if (url_check(edit->c.api->base_url, XS_USAGE, "--api-url", &url, &e) == 0) {
        target_names_of_all(&edit->places, url.loopback, edit->c.state_path, edit->c.clock);
        url_free(&url);
    }
    err_clear(&e);
}

bool lead_edit_target_record(struct lead_edit *edit, const struct target *t)
{
    struct err e = ERR_INIT;
    char id[UUID_TEXT_N];
    struct target found;
    const struct target_spec spec = {t->kind, id};
    uuid_format(&t->id, id);
    if (!edit->has_places)
        find_places(edit);
    if (t->name != NULL || target_names_know(&edit->places, t))
        return false;
    if (api_target_find(edit->api, &spec, true, &edit->arena, &found, &e) == 0)
        target_names_add(&edit->places, &found);
    else
        log_detail("names of targets: %s", err_text(&e));
    err_clear(&e);
    return true;
}

int lead_edit_place_show(struct lead_edit *edit, const struct target *t, struct buf *out)
{
    if (!edit->has_places && t->name == NULL)
        find_places(edit);
    return target_names_show(&edit->places, t, out);
}

struct edited_lead *lead_edit_lead_new(struct lead_edit *edit, struct err *e)
{
    if (edit->leads_n == edit->leads_cap) {
        size_t cap = edit->leads_cap == 0 ? 64 : 2 * edit->leads_cap;
        struct edited_lead *grown = reallocarray(edit->leads, cap, sizeof *grown);
        if (grown == NULL) {
            err_oom(e);
            return NULL;
        }
        edit->leads = grown;
        edit->leads_cap = cap;
    }
    struct edited_lead *lead = &edit->leads[edit->leads_n++];
    *lead = (struct edited_lead){.status = TARGET_STATUS_UNKNOWN};
    return lead;
}

int lead_edit_lead_read(struct lead_edit *edit, struct edited_lead *lead, const struct remote_lead *remote, struct err *e)
{
    lead->id = remote->id;
    lead->has_id = true;
    lead->status = remote->status;
    lead->contacted = api_remote_is_contacted(remote);
    lead->has_place = remote->has_campaign || remote->has_list;
    lead->place = (struct target){.kind = remote->has_campaign ? TARGET_CAMPAIGN : TARGET_LIST,
                                  .id = remote->has_campaign ? remote->campaign : remote->list,
                                  .status = TARGET_STATUS_UNKNOWN};
    return arena_str(&edit->arena, remote->email, &lead->email) == 0 ? 0 : err_oom(e);
}

bool lead_edit_same_place(const struct edited_lead *a, const struct edited_lead *b)
{
    return a->has_place == b->has_place && (!a->has_place || target_eq(&a->place, &b->place));
}

void lead_edit_outcome(struct edited_lead *lead, enum outcome outcome, enum reason reason, int http_status)
{
    lead->outcome = outcome;
    lead->reason = reason;
    lead->http_status = http_status;
}

const struct upload_job *lead_edit_job(const struct lead_edit *edit, size_t i)
{
    return edit->upload != NULL ? upload_job(edit->upload, i) : NULL;
}

size_t lead_edit_count(const struct lead_edit *edit, enum outcome outcome)
{
    size_t n = 0;
    for (size_t i = 0; i < edit->leads_n; i++)
        n += edit->leads[i].outcome == outcome;
    return n;
}

enum exit_status lead_edit_status(const struct lead_edit *edit)
{
    size_t left = lead_edit_count(edit, OUTCOME_REJECTED) + lead_edit_count(edit, OUTCOME_FAILED) +
                  lead_edit_count(edit, OUTCOME_DEFERRED);
    return left > 0 || edit->unknown > 0 ? XS_LEFT_OVER : XS_DONE;
}
