/* Moving leads: the request that starts a job, and what the job does when its time has come. */
#include "sync/sandbox/endpoints/move.h"
#include "sync/sandbox/world/lead.h"
#include "sync/sandbox/endpoints/select.h"
#include "sync/sandbox/server/route.h"
#include "sync/sandbox/world/jobs.h"

#include <stdlib.h>
#include <string.h>

enum { EMAILS_SHOWN = 10000, EMAILS_MAX = 64 << 20 };

/* --- the request --- */

/* 0 if not given; sets `missing` if the given one does not exist. */
static uint32_t move_find_place(struct sim_world *w, json_object *body, const char *name, bool is_campaign, bool *missing)
{
    struct uuid id;
    if (uuid_parse(sim_json_text(body, name), &id) != 0)
        return 0;
    uint32_t no = sim_place_by_id(w, &id, is_campaign);
    if (no == 0)
        *missing = true;
    return no;
}

/* The answer is the job, pending, with the body echoed under data.filters: the only trace by which a client that
 * lost the answer finds its job again. */
static int start_job(struct sim_world *w, struct sim_request *q, uint32_t from, uint32_t from_list, uint32_t to,
                     struct sim_answer *a)
{
    struct buf filters = BUF_INIT(SIM_BODY_MAX * 6);
    struct jsonw j;
    jsonw_init(&j, &filters);
    sim_json_write(&j, q->json); /* the whole body comes back, unknown members too */
    struct sim_job *job = jsonw_end(&j) == 0
                              ? sim_job_add(w, from, from_list, to, buf_str(&filters), a->fault.lie == SIM_LIE_JOB)
                              : NULL;
    buf_free(&filters);
    if (job == NULL)
        return -1;
    jsonw_init(&j, &a->body);
    sim_job_write(w, job, STR_NONE, &j);
    return jsonw_end(&j);
}

/* Only a source, a target and free ends are asked for. A body whose selector has a wrong name in it moves the whole
 * source, as the real one does. */
int sim_leads_move(struct sim_world *w, struct sim_request *q, struct sim_answer *a)
{
    bool missing = false;
    struct sim_selector s;
    if (sim_json_text(q->json, "campaign").p == NULL && sim_json_text(q->json, "list_id").p == NULL)
        return sim_answer_error(a, 400, "A source campaign or list is required for bulk move operations");
    bool to_campaign = sim_json_text(q->json, "to_campaign_id").p != NULL;
    if (to_campaign == (sim_json_text(q->json, "to_list_id").p != NULL))
        return sim_answer_error(a, 400, "A destination campaign or list is required for bulk move operations");
    uint32_t from = move_find_place(w, q->json, "campaign", true, &missing);
    uint32_t from_list = move_find_place(w, q->json, "list_id", false, &missing);
    uint32_t to = to_campaign ? move_find_place(w, q->json, "to_campaign_id", true, &missing)
                              : move_find_place(w, q->json, "to_list_id", false, &missing);
    if (missing)
        return sim_answer_not_found(a);
    if (sim_place_locked(w, from) || sim_place_locked(w, from_list) || sim_place_locked(w, to))
        return sim_answer_locked(w, a);
    int rc = sim_select_parse(w, q->json, "campaign", &s, a); /* refuses what the job could not do */
    if (rc != 0)
        return rc < 0 ? -1 : 0;
    sim_select_free(&s);
    return start_job(w, q, from, from_list, to, a);
}

/* --- the job --- */

struct move {
    struct sim_world *w;
    struct sim_job *job;
    json_object *body;
    bool to_campaign, copy, check, check_campaigns, reset_interest;
    struct jsonw emails;
    size_t emails_n;
};

/* Whether another lead, outside of source and target, has that address in a campaign. */
static bool in_other_campaign(struct move *m, struct str email)
{
    sim_each_by_email(&m->w->leads, email, no)
    {
        uint32_t place = sim_table_at(&m->w->leads, no)->place;
        if (place != 0 && place != m->job->from && place != m->job->to && sim_place_at(m->w, place)->is_campaign)
            return true;
    }
    return false;
}

/* Why a lead stays, as the counter that says so; NULL: it goes. */
static int64_t *why_not(struct move *m, uint32_t no)
{
    struct str email = sim_lead_email(sim_table_at(&m->w->leads, no));
    if (m->to_campaign && email.n == 0)
        return &m->job->missing_email;
    if (sim_block_has(m->w, email))
        return &m->job->blocked;
    if (m->check && email.n > 0 && sim_world_has(m->w, email, m->job->to))
        return &m->job->duplicated;
    if (m->check_campaigns && m->to_campaign && email.n > 0 && in_other_campaign(m, email))
        return &m->job->elsewhere;
    return NULL;
}

/* assigned_to of the request, where given. */
static int move_assign(struct move *m, uint32_t no)
{
    struct str user = sim_json_text(m->body, "assigned_to");
    struct sim_fields fields;
    if (user.p == NULL)
        return 0;
    sim_lead_fields(sim_table_at(&m->w->leads, no), &fields);
    fields.f[BF_ASSIGNED] = user;
    return sim_world_lead_set(m->w, no, &fields);
}

static void name_moved(struct move *m, const struct sim_lead *lead)
{
    if (sim_lead_email(lead).n > 0 && m->emails_n++ < EMAILS_SHOWN)
        jsonw_str(&m->emails, sim_lead_email(lead));
}

/* Moves one lead, or a copy of it. 1 done, 0 no room for a copy, -1 out of memory. */
static int move_one(struct move *m, uint32_t no)
{
    struct sim_world *w = m->w;
    struct sim_lead *lead = sim_table_at(&w->leads, no);
    struct sim_fields fields;
    if (m->copy) {
        if (sim_world_room(w) < 1)
            return 0;
        sim_lead_fields(lead, &fields);
        uint32_t twin = sim_world_lead_add(w, &fields, m->job->to);
        if (twin == 0)
            return -1;
        struct sim_lead *copy = sim_table_at(&w->leads, twin);
        copy->has_interest = lead->has_interest;
        copy->interest = lead->interest;
        copy->verify_due_ms = lead->verify_due_ms;
        lead = copy;
        no = twin;
        w->counters.copied++;
    } else {
        lead->place_was = lead->place;
        lead->place = m->job->to;
        lead->moved_ms = w->now_ms;
        w->counters.moved++;
    }
    lead->status = 1;
    lead->updated_ms = w->now_ms;
    if (m->reset_interest)
        lead->has_interest = false;
    if (move_assign(m, no) != 0)
        return -1;
    sim_world_lead_changed(w, no);
    name_moved(m, lead);
    return 1;
}

/* Counts as it goes, so that a job that fails midway shows its progress. */
static int move_all(struct move *m, const struct sim_numbers *leads)
{
    struct sim_job *job = m->job;
    size_t stop = leads->n;
    if (job->mode == SIM_JOB_FAIL || job->mode == SIM_JOB_CANCEL || job->mode == SIM_JOB_PARTIAL)
        stop = leads->n / 2; /* nothing is taken back: half of them are there, half still here */
    job->total = (int64_t)leads->n;
    job->missing_email = m->to_campaign ? 0 : -1;
    for (size_t i = 0; i < stop; i++) {
        if (job->mode == SIM_JOB_LIES) {
            name_moved(m, sim_table_at(&m->w->leads, leads->v[i]));
            job->moved++;
            continue;
        }
        int64_t *counter = why_not(m, leads->v[i]);
        if (counter != NULL) {
            (*counter)++;
            continue;
        }
        int rc = move_one(m, leads->v[i]);
        if (rc < 0)
            return -1;
        if (rc == 0)
            break;
        job->moved++;
    }
    return 0;
}

/* Selected when the job runs, not when it was asked for: what has left the source meanwhile is not moved. */
static int select_and_move(struct move *m)
{
    struct sim_selector s;
    struct sim_answer ignored; /* the request was accepted with the same body, so nothing is refused here */
    struct sim_numbers leads = {0};
    sim_answer_init(&ignored);
    int rc = sim_select_parse(m->w, m->body, "campaign", &s, &ignored);
    if (rc == 0) {
        int64_t limit = sim_json_int(m->body, "limit", 0);
        s.limit = limit > 0 ? limit : INT64_MAX;
        s.not_in_verification = sim_json_true(m->body, "skip_leads_in_verification");
        s.never = s.never || m->job->mode == SIM_JOB_ZERO;
        rc = sim_select_run(m->w, &s, &leads);
        if (rc == 0)
            rc = move_all(m, &leads);
        sim_select_free(&s);
    }
    free(leads.v);
    sim_answer_free(&ignored);
    return rc;
}

/* Whatever happens, the job ends; short memory makes it fail. */
void sim_move_run(struct sim_world *w, struct sim_job *job)
{
    struct buf emails = BUF_INIT(EMAILS_MAX);
    struct move m = {.w = w, .job = job, .to_campaign = sim_place_at(w, job->to)->is_campaign};
    int rc = sim_json_parse(str_from(job->filters), &m.body);
    m.copy = sim_json_true(m.body, "copy_leads");
    m.check = sim_json_true(m.body, "check_duplicates");
    m.check_campaigns = sim_json_true(m.body, "check_duplicates_in_campaigns");
    m.reset_interest = sim_json_true(m.body, "reset_interest_status");
    jsonw_init(&m.emails, &emails);
    jsonw_array(&m.emails);
    if (rc == 0)
        rc = select_and_move(&m);
    jsonw_array_end(&m.emails);
    if (jsonw_end(&m.emails) == 0)
        job->emails = str_dup(buf_str(&emails));
    if (rc != 0 || job->emails == NULL)
        job->status = "failed";
    buf_free(&emails);
    json_object_put(m.body);
}
