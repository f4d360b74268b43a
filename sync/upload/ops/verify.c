/* stage: waiting for the verification of what landed in the stage's list, before the move out of it.
 *
 * Instantly verifies what comes in by leads/add and tells no job id for it (documented): what is known is each lead's
 * verification_status, and how many of the list are still pending. So a look is one request for the list's numbers, and
 * the leads are read only when there is news, or when waiting may be in vain. What is not verified when `limits.job_wait`
 * is over stays in the list and is taken up by the next run; all batches of a run share that time. Every verification
 * costs credits, so nothing is ever asked to be verified a second time. */
#include "config.h"

#include "sync/upload/ops/move.h"

#include <json-c/json.h>
#include <stdlib.h>

#include "sync/base/log.h"

enum { WAIT_MIN_MS = 1000, WAIT_MAX_MS = 30000 };

/* Documented values of verification_status; a lead that was never verified has none. */
enum { VERIFIED = 1, PENDING = 11, PENDING_JOB = 12, INVALID = -1, RISKY = -2, CATCH_ALL = -3, JOB_CHANGE = -4 };

static const char *verdict_text(int64_t status)
{
    switch (status) {
    case INVALID: return "invalid";
    case RISKY: return "risky";
    case CATCH_ALL: return "catch-all";
    case JOB_CHANGE: return "job change";
    default: return "unknown";
    }
}

static void ask_for_numbers(struct part *p);

/* ---- waiting ---- */

static void wait_on(struct part *p)
{
    struct upload *u = p->work->u;
    int64_t now_us = u->c.clock->mono_us(u->c.clock), wait_ms = WAIT_MIN_MS;
    if (upload_ended(u)) {
        move_give_up(p, u->c.stop_reason);
        return;
    }
    if (now_us >= u->verify_until_us) {
        for (size_t k = 0; k < p->n; k++)
            work_entry_done(p->work, p->index[k], OUTCOME_DEFERRED, REASON_VERIFICATION_OPEN, 0);
        part_free(p);
        return;
    }
    for (unsigned look = 0; look < p->look && wait_ms < WAIT_MAX_MS; look++)
        wait_ms *= 2;
    p->look++;
    wait_ms = (wait_ms < WAIT_MAX_MS ? wait_ms : WAIT_MAX_MS) * u->c.mapping->limits.settle_ms / SETTLE_UNIT_MS;
    int64_t left_us = u->verify_until_us - now_us;
    part_wait(p, wait_ms * 1000 < left_us ? wait_ms * 1000 : left_us, ask_for_numbers);
}

/* ---- the leads ---- */

struct verify_read {
    struct part *part;
    size_t first, n; /* slice of the part's index */
};

/* Its verification_status: 1, the verdict; 0, there is none, or none yet, which `pending` tells apart. */
static int verdict_read(const struct remote_lead *remote, int64_t *verdict, bool *pending)
{
    struct json_object *status;
    *pending = false;
    if (!json_object_object_get_ex(remote->object, "verification_status", &status) ||
        !json_object_is_type(status, json_type_int))
        return 0;
    *verdict = json_object_get_int64(status);
    *pending = *verdict == PENDING || *verdict == PENDING_JOB;
    return !*pending;
}

static void refuse(struct work *w, uint32_t i, int64_t verdict)
{
    move_detail(w, i, "verification: %s", verdict_text(verdict));
    work_entry_done(w, i, OUTCOME_REJECTED, REASON_INVALID_THERE, 0);
}

/* Still pending, or not yet begun: it keeps waiting. */
static void take_lead(struct part *p, uint32_t i, const struct remote_lead *remote)
{
    struct work *w = p->work;
    struct aim *aim = &w->aims[i];
    int64_t verdict;
    aim->there = true;
    aim->verified = verdict_read(remote, &verdict, &aim->pending);
    if (aim->verified && verdict != VERIFIED && w->u->c.mapping->stage.only_valid)
        refuse(w, i, verdict);
}

static void take_items(const struct verify_read *r, struct json_object *items)
{
    struct part *p = r->part;
    size_t n = json_object_is_type(items, json_type_array) ? json_object_array_length(items) : 0;
    for (size_t item = 0; item < n; item++) {
        struct remote_lead remote;
        struct err e = ERR_INIT;
        if (api_remote_lead_read(json_object_array_get_idx(items, item), &remote, &e) == 0)
            for (size_t k = r->first; k < r->first + r->n; k++)
                if (uuid_eq(&p->work->batch.entries[p->index[k]].lead_id, &remote.id)) {
                    take_lead(p, p->index[k], &remote);
                    break;
                }
        err_clear(&e);
    }
}

/* A lead of an earlier run whose verdict will not come: somebody has taken it out of the list, or it was there before and
 * nobody ever asked for its verification. */
static bool is_vain(const struct part *p, const struct aim *aim)
{
    bool looked_long = !aim->created && p->look >= LOOKS_MAX;
    return looked_long && (!aim->there || (!aim->pending && p->pending_n == 0));
}

/* Whoever is not there is left to the look before the move, which says what became of it. */
static void give_up_waiting(struct work *w, uint32_t i)
{
    if (!w->aims[i].there)
        return;
    w->aims[i].verified = !w->u->c.mapping->stage.only_valid;
    if (w->aims[i].verified)
        return;
    move_detail(w, i, "it was never verified");
    work_entry_done(w, i, OUTCOME_DEFERRED, REASON_VERIFICATION_OPEN, 0);
}

static void all_read(struct part *p)
{
    struct work *w = p->work;
    size_t n = 0;
    for (size_t k = 0; k < p->n; k++) {
        uint32_t i = p->index[k];
        if (w->batch.entries[i].outcome != OUTCOME_NONE || w->aims[i].verified)
            continue;
        if (is_vain(p, &w->aims[i]))
            give_up_waiting(w, i);
        else
            p->index[n++] = i;
    }
    p->n = n;
    if (n == 0)
        part_free(p);
    else
        wait_on(p);
}

/* A look that failed is one without news: the next one may tell. What ends the run is told by upload_ended(). */
static void leads_answered(void *ctx, const struct api_reply *reply)
{
    struct verify_read *r = ctx;
    struct part *p = r->part;
    if (reply->class == API_OK)
        take_items(r, reply->json);
    else if (reply->class == API_FATAL)
        upload_fail(p->work->u, reply->err);
    free(r);
    if (--p->reads_n == 0)
        all_read(p);
}

static int read_slice(struct part *p, size_t first, size_t n, struct err *e)
{
    struct uuid ids[LEADS_LIST_MAX];
    for (size_t k = 0; k < n; k++)
        ids[k] = p->work->batch.entries[p->index[first + k]].lead_id;
    struct verify_read *r = malloc(sizeof *r);
    if (r == NULL)
        return err_oom(e);
    *r = (struct verify_read){p, first, n};
    const struct leads_list list = {.ids = ids, .ids_n = n};
    if (api_leads_list(p->work->u->c.api, &list, leads_answered, r, e) != 0) {
        free(r);
        return -1;
    }
    p->reads_n++;
    return 0;
}

static void read_leads(struct part *p)
{
    struct err e = ERR_INIT;
    int rc = 0;
    p->reads_n = 1; /* until all are asked */
    for (size_t k = 0; k < p->n; k++)
        p->work->aims[p->index[k]].there = false;
    for (size_t first = 0; rc == 0 && first < p->n; first += LEADS_LIST_MAX)
        rc = read_slice(p, first, p->n - first < LEADS_LIST_MAX ? p->n - first : LEADS_LIST_MAX, &e);
    if (rc != 0)
        upload_fail(p->work->u, &e);
    err_clear(&e);
    if (--p->reads_n == 0)
        all_read(p);
}

/* ---- the list's numbers ---- */

static int64_t number(struct json_object *o, const char *name)
{
    struct json_object *v;
    return json_object_object_get_ex(o, name, &v) && json_object_is_type(v, json_type_int) ? json_object_get_int64(v) : 0;
}

/* How many of the list wait for their verdict; -1: not told. */
static int64_t pending_in(const struct api_reply *reply)
{
    struct json_object *stats;
    if (reply->class != API_OK || !json_object_is_type(reply->json, json_type_object) ||
        !json_object_object_get_ex(reply->json, "stats", &stats) || !json_object_is_type(stats, json_type_object))
        return -1;
    return number(stats, "verification_job_pending_leadfinder") + number(stats, "verification_job_pending_user");
}

static void numbers_answered(void *ctx, const struct api_reply *reply)
{
    struct part *p = ctx;
    struct upload *u = p->work->u;
    int64_t pending = pending_in(reply);
    bool news = pending <= 0 || pending != p->pending_n;
    p->pending_n = pending;
    if (reply->class == API_FATAL)
        upload_fail(u, reply->err);
    if (upload_ended(u) || (!news && u->c.clock->mono_us(u->c.clock) < u->verify_until_us))
        wait_on(p);
    else
        read_leads(p);
}

static void ask_for_numbers(struct part *p)
{
    struct work *w = p->work;
    struct err e = ERR_INIT;
    char id[UUID_TEXT_N];
    struct buf path = BUF_INIT(256);
    const char *text = NULL;
    if (buf_addf(&path, "/api/v2/lead-lists/%s/verification-stats", uuid_format(&w->from.id, id)) == 0)
        text = buf_cstr(&path);
    const struct api_call call = {.method = "GET", .path = text, .optional = true, .kind = API_KIND_OTHER};
    if (text == NULL || api_call(w->u->c.api, &call, numbers_answered, p, &e) != 0) {
        if (text == NULL)
            err_oom(&e);
        upload_fail(w->u, &e);
        wait_on(p);
    }
    err_clear(&e);
    buf_free(&path);
}

/* ---- the beginning ---- */

/* Who leaves the list for another place, since the row is gone, is not asked for a verdict. */
static bool goes_where_verified_belong(const struct work *w)
{
    const struct stage *stage = &w->u->c.mapping->stage;
    return stage->on && stage->verify && !w->earlier && w->batch.target == w->u->c.promote;
}

bool verify_wanted(const struct work *w)
{
    return goes_where_verified_belong(w) && w->batch.source == w->u->c.stage_list;
}

bool verify_keeps_back(struct work *w, uint32_t i, const struct remote_lead *remote)
{
    int64_t verdict;
    bool pending;
    if (!goes_where_verified_belong(w) || w->aims[i].verified)
        return false;
    bool known = verdict_read(remote, &verdict, &pending);
    if (known && verdict != VERIFIED && w->u->c.mapping->stage.only_valid)
        refuse(w, i, verdict);
    else if (!known && (pending || w->batch.source == w->u->c.stage_list))
        work_entry_done(w, i, OUTCOME_DEFERRED, REASON_VERIFICATION_OPEN, 0);
    return w->batch.entries[i].outcome != OUTCOME_NONE;
}

void verify_start(struct part *p)
{
    struct upload *u = p->work->u;
    if (u->verify_until_us == 0) {
        u->verify_until_us = u->c.clock->mono_us(u->c.clock) + u->c.mapping->limits.job_wait_ms * 1000;
        log_detail("waiting for the verification of what is in the stage's list");
    }
    p->pending_n = -1;
    ask_for_numbers(p);
}
