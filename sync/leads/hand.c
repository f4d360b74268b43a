/* The life of a hand, its requests and its waits. */
#include "config.h"

#include "sync/leads/hand_int.h"

#include <stdlib.h>
#include <string.h>

#include "sync/base/log.h"
#include "sync/base/stop.h"
#include "sync/base/url.h"
#include "sync/upload/missing_target.h"
#include "sync/plan/people.h"

enum { ARENA_MAX = 512 << 20, LOOKS = 4, SHOWN_MAX = 1 << 16 };
static const int64_t SETTLE_UNIT_MS = 7000; /* 1 + 2 + 4 s */
static const int64_t STEP_MS = 250;
static const int64_t looks_ms[LOOKS - 1] = {1000, 2000, 4000};

int hand_open(struct hand *h, const struct hand_config *config, struct err *e)
{
    *h = (struct hand){.c = *config};
    arena_init(&h->arena, ARENA_MAX);
    places_init(&h->places);
    h->started_ms = config->clock->wall_ms(config->clock);
    if (api_new(config->api, NULL, config->clock, &h->api, e) != 0)
        return -1;
    api_lock_wait(h->api, config->job_wait_ms);
    return 0;
}

void hand_close(struct hand *h)
{
    api_free(h->api);
    state_close(h->state);
    arena_free(&h->arena);
    places_free(&h->places);
    free(h->leads);
    free(h->jobs);
    *h = (struct hand){0};
}

/* ---- requests ---- */

bool hand_interrupted(struct hand *h)
{
    h->stopped = h->stopped || stop_requested() != 0;
    return h->stopped;
}

int hand_ask(struct hand *h, struct by_hand *request, struct api_reply *reply, struct err *e)
{
    int rc = by_hand_send(h->api, request, reply, e);
    by_hand_free(request);
    return rc;
}

int hand_send(struct hand *h, struct by_hand *request, struct api_reply *reply, enum hand_sent *sent, struct err *e)
{
    *reply = (struct api_reply){.class = API_UNKNOWN};
    int rc = by_hand_send(h->api, request, reply, e);
    by_hand_free(request);
    switch (reply->class) {
    case API_OK: *sent = HAND_DONE; break;
    case API_REFUSED:
    case API_PLAN_FULL: *sent = HAND_REFUSED; break;
    case API_UNKNOWN: *sent = HAND_UNKNOWN; break;
    case API_FAILED:
    case API_FATAL:
    case API_CANCELLED: *sent = HAND_NOT; break;
    }
    if (reply->class == API_CANCELLED)
        h->stopped = true;
    return rc;
}

int hand_wait_ms(struct hand *h, int64_t ms, struct err *e)
{
    int64_t until_us = h->c.clock->mono_us(h->c.clock) + ms * 1000;
    while (!hand_interrupted(h)) {
        int64_t left_ms = (until_us - h->c.clock->mono_us(h->c.clock) + 999) / 1000;
        if (left_ms <= 0)
            return 1;
        if (api_step(h->api, left_ms < STEP_MS ? left_ms : STEP_MS, e) != 0)
            return -1;
    }
    return 0;
}

int hand_wait_look(struct hand *h, unsigned look, struct err *e)
{
    if (look >= LOOKS)
        return 0;
    return hand_wait_ms(h, looks_ms[look - 1] * h->c.settle_ms / SETTLE_UNIT_MS, e);
}

/* ---- leads ---- */

/* The state that is written to comes first and is not opened again beside its lock. */
static void find_places(struct hand *h)
{
    struct err e = ERR_INIT;
    struct url url;
    h->has_places = true;
    if (h->state != NULL)
        places_of_state(&h->places, h->state);
    else if (h->c.state_path != NULL)
        places_of_file(&h->places, h->c.state_path, h->c.clock);
    if (url_check(h->c.api->base_url, XS_USAGE, "--api-url", &url, &e) == 0) {
        places_of_all(&h->places, url.loopback, h->c.state_path, h->c.clock);
        url_free(&url);
    }
    err_clear(&e);
}

void hand_place_learn(struct hand *h, const struct target *t)
{
    struct err e = ERR_INIT;
    char id[UUID_TEXT_N];
    struct target found;
    const struct target_spec spec = {t->kind, id};
    uuid_format(&t->id, id);
    if (!h->has_places)
        find_places(h);
    if (t->name != NULL || places_know(&h->places, t))
        return;
    if (api_target_find(h->api, &spec, true, &h->arena, &found, &e) == 0)
        places_add(&h->places, &found);
    else
        log_detail("names of targets: %s", err_text(&e));
    err_clear(&e);
}

int hand_place_show(struct hand *h, const struct target *t, struct buf *out)
{
    if (!h->has_places && t->name == NULL)
        find_places(h);
    return places_show(&h->places, t, out);
}

struct hand_lead *hand_lead_add(struct hand *h, struct err *e)
{
    if (h->leads_n == h->leads_cap) {
        size_t cap = h->leads_cap == 0 ? 64 : 2 * h->leads_cap;
        struct hand_lead *grown = reallocarray(h->leads, cap, sizeof *grown);
        if (grown == NULL) {
            err_oom(e);
            return NULL;
        }
        h->leads = grown;
        h->leads_cap = cap;
    }
    struct hand_lead *lead = &h->leads[h->leads_n++];
    *lead = (struct hand_lead){.status = TARGET_STATUS_UNKNOWN};
    return lead;
}

int hand_lead_told(struct hand *h, struct hand_lead *lead, const struct remote_lead *remote, struct err *e)
{
    lead->id = remote->id;
    lead->has_id = true;
    lead->status = remote->status;
    lead->contacted = people_contacted(remote);
    lead->has_place = remote->has_campaign || remote->has_list;
    lead->place = (struct target){.kind = remote->has_campaign ? TARGET_CAMPAIGN : TARGET_LIST,
                                  .id = remote->has_campaign ? remote->campaign : remote->list,
                                  .status = TARGET_STATUS_UNKNOWN};
    return arena_str(&h->arena, remote->email, &lead->email) == 0 ? 0 : err_oom(e);
}

bool hand_same_place(const struct hand_lead *a, const struct hand_lead *b)
{
    return a->has_place == b->has_place && (!a->has_place || target_eq(&a->place, &b->place));
}

void hand_outcome(struct hand_lead *lead, enum outcome outcome, enum reason reason, int http_status)
{
    lead->outcome = outcome;
    lead->reason = reason;
    lead->http_status = http_status;
}

static int refused_as(struct hand *h, struct hand_write *w, enum outcome outcome, enum reason reason,
                      const struct api_reply *reply, struct err *e)
{
    struct str words;
    if (arena_str(&h->arena, reply->message, &words) != 0)
        return err_oom(e);
    for (size_t i = 0; i < w->n; i++) {
        hand_outcome(w->leads[i], outcome, reason, reply->http_status);
        w->leads[i]->detail = words;
    }
    return 0;
}

int hand_refused(struct hand *h, struct hand_write *w, const struct api_reply *reply, struct err *e)
{
    if (reply->class == API_PLAN_FULL)
        return refused_as(h, w, OUTCOME_DEFERRED, REASON_PLAN_FULL, reply, e);
    if (reply->http_status == 409) /* somebody else's job held the place for too long */
        return refused_as(h, w, OUTCOME_DEFERRED, REASON_JOB_OPEN, reply, e);
    if (reply->http_status == 404)
        return refused_as(h, w, OUTCOME_FAILED, REASON_GONE_THERE, reply, e);
    return refused_as(h, w, OUTCOME_REJECTED, REASON_REFUSED_THERE, reply, e);
}

int hand_refused_in(struct hand *h, struct hand_write *w, const struct api_reply *reply, struct err *e)
{
    const char *call = w->op == OP_CREATE ? "POST /leads/add" : w->from != NULL ? "POST /leads/move"
                                                                               : "POST /leads/bulk-assign";
    const struct target *ends[] = {w->to, w->from};
    int found = 1;
    if (reply->class != API_REFUSED || reply->http_status != 404)
        return hand_refused(h, w, reply, e);
    if (refused_as(h, w, OUTCOME_DEFERRED, REASON_INTERRUPTED, reply, e) != 0)
        return -1;
    struct str words = w->leads[0]->detail;
    for (size_t i = 0; i < sizeof ends / sizeof ends[0] && found > 0; i++) {
        struct buf shown = BUF_INIT(SHOWN_MAX);
        struct api_reply seen;
        if (ends[i] == NULL)
            continue;
        if (hand_place_show(h, ends[i], &shown) != 0)
            found = err_oom(e);
        else if (api_target_get_wait(h->api, ends[i], &seen, e) != 0)
            found = -1;
        else
            found = missing_target_err(call, words, ends[i], buf_str(&shown), &seen, e);
        buf_free(&shown);
    }
    return -1;
}

size_t hand_count(const struct hand *h, enum outcome outcome)
{
    size_t n = 0;
    for (size_t i = 0; i < h->leads_n; i++)
        n += h->leads[i].outcome == outcome;
    return n;
}

enum exit_status hand_status(const struct hand *h)
{
    size_t left = hand_count(h, OUTCOME_REJECTED) + hand_count(h, OUTCOME_FAILED) + hand_count(h, OUTCOME_DEFERRED);
    return left > 0 || h->unknown > 0 ? XS_LEFT_OVER : XS_DONE;
}
