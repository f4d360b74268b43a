/* The workspace: who it is, what its plan takes, its block list, and single verifications. */
#include "sync/sandbox/world/lead.h"
#include "sync/sandbox/server/route.h"

#include <stdlib.h>

enum { PAGE_USUAL = 10, PLAN_WITHOUT_LIMIT = 1000000000 };
static const int64_t workspace_since_ms = INT64_C(1735689600000);

/* The key check of every client: answers with what a workspace must have, and a plan. */
int sim_workspace_get(struct sim_world *w, struct sim_request *q, struct sim_answer *a)
{
    struct jsonw j;
    (void)q;
    jsonw_init(&j, &a->body);
    jsonw_object(&j);
    jsonw_member_uuid(&j, "id", &w->workspace);
    sim_write_time(&j, "timestamp_created", workspace_since_ms);
    sim_write_time(&j, "timestamp_updated", workspace_since_ms);
    jsonw_member_uuid(&j, "owner", &w->owner);
    jsonw_member_text(&j, "name", "Sandbox");
    jsonw_member_text(&j, "plan_id", "pid_hg_v1");
    jsonw_object_end(&j);
    return jsonw_end(&j);
}

/* Room is total_lead_limit less current_lead_count; without a limit of ours, the limit is out of reach. One plan
 * is shown, outreach or bundle by a knob: nothing here uses the others, and all of them are optional. */
int sim_plan_get(struct sim_world *w, struct sim_request *q, struct sim_answer *a)
{
    int64_t limit = w->knobs.plan_limit >= 0 ? w->knobs.plan_limit : PLAN_WITHOUT_LIMIT;
    const struct {
        const char *name;
        int64_t n;
    } numbers[] = {{"addons_qty", 0},
                   {"total_lead_limit", limit},
                   {"current_lead_count", (int64_t)w->leads.live},
                   {"base_lead_limit", limit}};
    struct jsonw j;
    (void)q;
    jsonw_init(&j, &a->body);
    jsonw_object(&j);
    jsonw_member_uuid(&j, "organization_id", &w->workspace);
    jsonw_member_text(&j, "organization_name", "Sandbox");
    jsonw_member_object(&j, "subscriptions");
    jsonw_member_object(&j, w->knobs.plan_is_bundle ? "bundle" : "outreach");
    jsonw_member_text(&j, "plan_name", "Hypergrowth");
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        jsonw_member_int(&j, numbers[i].name, numbers[i].n);
    jsonw_object_end(&j);
    jsonw_object_end(&j);
    jsonw_object_end(&j);
    return jsonw_end(&j);
}

/* --- block list --- */

/* `search` looks inside the value; domains are the entries without an @. */
static bool block_wanted(const struct sim_block *block, const struct sim_request *q)
{
    struct str search = sim_query_get(q, "search");
    if (str_is(sim_query_get(q, "domains_only"), "true") && !block->is_domain)
        return false;
    return sim_text_has(str_from(block->value), search);
}

/* In the order in which they were blocked; the cursor is the id of the last one shown. */
int sim_blocks_list(struct sim_world *w, struct sim_request *q, struct sim_answer *a)
{
    struct str limit_text = sim_query_get(q, "limit"), after = sim_query_get(q, "starting_after");
    long limit = limit_text.n > 0 ? strtol(limit_text.p, NULL, 10) : PAGE_USUAL, n = 0;
    struct uuid cursor;
    const struct sim_block *last = NULL;
    bool started = after.n == 0;
    struct jsonw j;
    if (!started && uuid_parse(after, &cursor) != 0)
        return sim_answer_error(a, 400, "querystring/starting_after must match format \"uuid\"");
    jsonw_init(&j, &a->body);
    jsonw_object(&j);
    jsonw_member_array(&j, "items");
    for (size_t i = 0; i < w->blocks_n && n < limit; i++) {
        const struct sim_block *block = &w->blocks[i];
        if (!started) {
            started = uuid_eq(&block->id, &cursor);
            continue;
        }
        if (!block_wanted(block, q))
            continue;
        jsonw_object(&j);
        jsonw_member_uuid(&j, "id", &block->id);
        sim_write_time(&j, "timestamp_created", block->created_ms);
        jsonw_member_uuid(&j, "organization_id", &w->workspace);
        jsonw_member_text(&j, "bl_value", block->value);
        jsonw_member_bool(&j, "is_domain", block->is_domain);
        jsonw_object_end(&j);
        last = block;
        n++;
    }
    jsonw_array_end(&j);
    if (last != NULL)
        jsonw_member_uuid(&j, "next_starting_after", &last->id);
    jsonw_object_end(&j);
    return jsonw_end(&j);
}

/* --- verification of one address --- */

/* Few addresses are ever verified one by one, so that a walk will do. */
static struct sim_verification *find_verification(struct sim_world *w, struct str email)
{
    for (size_t i = 0; i < w->verifications_n; i++)
        if (str_eq_nocase(email, str_from(w->verifications[i].email)))
            return &w->verifications[i];
    return NULL;
}

/* The verdict is in verification_status; `status` only says that asking worked. Clients mix them up. */
static int answer_verification(struct sim_world *w, const struct sim_verification *v, struct sim_answer *a)
{
    int verdict = sim_verdict(str_from(v->email));
    bool pending = w->now_ms < v->due_ms;
    struct jsonw j;
    jsonw_init(&j, &a->body);
    jsonw_object(&j);
    jsonw_member_text(&j, "status", "success");
    jsonw_member_text(&j, "email", v->email);
    jsonw_member_text(&j, "verification_status", pending ? "pending" : verdict == -1 ? "invalid" : "verified");
    if (pending)
        jsonw_member_text(&j, "catch_all", "pending");
    else
        jsonw_member_bool(&j, "catch_all", verdict == -3);
    jsonw_member_int(&j, "credits", 1000);
    jsonw_member_number(&j, "credits_used", 0.25, 2);
    jsonw_object_end(&j);
    return jsonw_end(&j);
}

/* Most answers are there at once; an address with "slow" in it stays pending for a while. */
int sim_verify_start(struct sim_world *w, struct sim_request *q, struct sim_answer *a)
{
    struct str email = sim_json_text(q->json, "email");
    if (!sim_email_valid(email))
        return sim_answer_error(a, 400, "body/email must match format \"email\"");
    struct sim_verification *v = find_verification(w, email);
    if (v == NULL) {
        v = sim_grow(w->verifications, w->verifications_n, &w->verifications_cap, sizeof *v);
        if (v == NULL)
            return -1;
        w->verifications = v;
        v += w->verifications_n;
        *v = (struct sim_verification){.email = str_dup(email), .due_ms = w->now_ms};
        if (v->email == NULL)
            return -1;
        if (sim_text_has(email, STR("slow")))
            v->due_ms += w->knobs.verify_ms;
        w->verifications_n++;
    }
    return answer_verification(w, v, a);
}

/* Never starts one: an address without an earlier request is 404. */
int sim_verify_get(struct sim_world *w, struct sim_request *q, struct sim_answer *a)
{
    if (!sim_email_valid(q->param))
        return sim_answer_error(a, 400, "params/email must match format \"email\"");
    const struct sim_verification *v = find_verification(w, q->param);
    return v == NULL ? sim_answer_not_found(a) : answer_verification(w, v, a);
}
