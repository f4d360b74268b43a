/* The life of an edit, its requests and its waits. */
#include "config.h"

#include "sync/leads/lead_edit_int.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "sync/base/log.h"
#include "sync/base/stop.h"
#include "sync/api/http/url.h"
#include "sync/upload/missing_target.h"
#include "sync/plan/eligibility.h"

enum { ARENA_MAX = 512 << 20, LOOKS = 4, SHOWN_MAX = 1 << 16 };
static const int64_t SETTLE_UNIT_MS = 7000; /* 1 + 2 + 4 s */
static const int64_t STEP_MS = 250;
static const int64_t looks_ms[LOOKS - 1] = {1000, 2000, 4000};

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
    for (size_t i = 0; i < edit->leads_n; i++)
        json_object_put(edit->leads[i].before);
    free(edit->leads);
    *edit = (struct lead_edit){0};
}

/* ---- requests ---- */

bool lead_edit_interrupted(struct lead_edit *edit)
{
    edit->stopped = edit->stopped || stop_requested() != 0;
    return edit->stopped;
}

int lead_edit_ask(struct lead_edit *edit, struct by_hand *request, struct api_reply *reply, struct err *e)
{
    int rc = by_hand_send(edit->api, request, reply, e);
    by_hand_free(request);
    return rc;
}

int lead_edit_send(struct lead_edit *edit, struct by_hand *request, struct api_reply *reply, enum lead_edit_sent *sent,
                   struct err *e)
{
    *reply = (struct api_reply){.class = API_UNKNOWN};
    int rc = by_hand_send(edit->api, request, reply, e);
    by_hand_free(request);
    switch (reply->class) {
    case API_OK: *sent = EDIT_DONE; break;
    case API_REFUSED:
    case API_PLAN_FULL: *sent = EDIT_REFUSED; break;
    case API_UNKNOWN: *sent = EDIT_UNKNOWN; break;
    case API_FAILED:
    case API_FATAL:
    case API_CANCELLED: *sent = EDIT_NOT; break;
    }
    if (reply->class == API_CANCELLED)
        edit->stopped = true;
    return rc;
}

static int lead_edit_wait_ms(struct lead_edit *edit, int64_t ms, struct err *e)
{
    int64_t until_us = edit->c.clock->mono_us(edit->c.clock) + ms * 1000;
    while (!lead_edit_interrupted(edit)) {
        int64_t left_ms = (until_us - edit->c.clock->mono_us(edit->c.clock) + 999) / 1000;
        if (left_ms <= 0)
            return 1;
        if (api_step(edit->api, left_ms < STEP_MS ? left_ms : STEP_MS, e) != 0)
            return -1;
    }
    return 0;
}

int lead_edit_wait_look(struct lead_edit *edit, unsigned look, struct err *e)
{
    if (look >= LOOKS)
        return 0;
    return lead_edit_wait_ms(edit, looks_ms[look - 1] * edit->c.settle_ms / SETTLE_UNIT_MS, e);
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

bool lead_edit_place_learn(struct lead_edit *edit, const struct target *t)
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
    if (edit->keeps_before && lead->before == NULL)
        lead->before = json_object_get(remote->object);
    lead->status = remote->status;
    lead->contacted = eligibility_contacted(remote);
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

static int refused_as(struct lead_edit *edit, struct lead_edit_write *w, enum outcome outcome, enum reason reason,
                      const struct api_reply *reply, struct err *e)
{
    struct str words;
    if (arena_str(&edit->arena, reply->message, &words) != 0)
        return err_oom(e);
    for (size_t i = 0; i < w->n; i++) {
        lead_edit_outcome(w->leads[i], outcome, reason, reply->http_status);
        w->leads[i]->detail = words;
    }
    return 0;
}

int lead_edit_refused(struct lead_edit *edit, struct lead_edit_write *w, const struct api_reply *reply, struct err *e)
{
    if (reply->class == API_PLAN_FULL)
        return refused_as(edit, w, OUTCOME_DEFERRED, REASON_PLAN_FULL, reply, e);
    if (reply->http_status == 409) /* somebody else's job held the place for too long */
        return refused_as(edit, w, OUTCOME_DEFERRED, REASON_JOB_OPEN, reply, e);
    if (reply->http_status == 404)
        return refused_as(edit, w, OUTCOME_FAILED, REASON_GONE_THERE, reply, e);
    return refused_as(edit, w, OUTCOME_REJECTED, REASON_REFUSED_THERE, reply, e);
}

int lead_edit_refused_in(struct lead_edit *edit, struct lead_edit_write *w, const struct api_reply *reply, struct err *e)
{
    if (reply->class != API_REFUSED || reply->http_status != 404)
        return lead_edit_refused(edit, w, reply, e);
    if (refused_as(edit, w, OUTCOME_DEFERRED, REASON_INTERRUPTED, reply, e) != 0)
        return -1;
    struct str words = w->leads[0]->detail;
    struct buf shown = BUF_INIT(SHOWN_MAX);
    struct api_reply seen;
    if (lead_edit_place_show(edit, w->to, &shown) != 0)
        err_oom(e);
    else if (api_target_get_wait(edit->api, w->to, &seen, e) == 0)
        missing_target_err("POST /leads/bulk-assign", words, w->to, buf_str(&shown), &seen, e);
    buf_free(&shown);
    return -1;
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
