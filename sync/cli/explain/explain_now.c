/* One question to the API: by address, or by the lead's id. A lead can be in several places, and Instantly shows each as one. */
#include "config.h"

#include "sync/cli/explain/explain.h"

#include "sync/cli/client.h"

#include <stdlib.h>
#include <string.h>

enum { STEP_MS = 200 };

static const char no_key[] = "there is no API key";

struct question {
    struct explain *x;
    bool answered, out_of_memory;
    struct err *failed;
};

static int keep_lead(struct explain *x, const struct remote_lead *remote)
{
    if (x->leads_n == x->leads_cap) {
        size_t cap = x->leads_cap == 0 ? 8 : x->leads_cap * 2;
        struct explained_lead *grown = arena_calloc(&x->arena, cap, sizeof *grown);
        if (grown == NULL)
            return -1;
        if (x->leads_n > 0)
            memcpy(grown, x->leads, x->leads_n * sizeof *grown);
        x->leads = grown;
        x->leads_cap = cap;
    }
    struct explained_lead *lead = &x->leads[x->leads_n++];
    *lead = (struct explained_lead){.id = remote->id,
                                    .has_place = remote->has_campaign || remote->has_list,
                                    .status = remote->status,
                                    .created_ms = remote->created_ms};
    lead->place.kind = remote->has_campaign ? TARGET_CAMPAIGN : TARGET_LIST;
    lead->place.id = remote->has_campaign ? remote->campaign : remote->list;
    lead->verification = remote->verdict != VERDICT_NONE ? lead_verdict_text(remote->verdict) : NULL;
    return arena_str(&x->arena, remote->email, &lead->email);
}

/* The API ignores filters that it does not know, so each lead is compared with the question. */
static bool is_meant(const struct explain *x, const struct remote_lead *remote, struct str address)
{
    return (x->query.lead_id != NULL && uuid_eq(&remote->id, x->query.lead_id)) ||
           (address.n > 0 && str_eq_nocase(remote->email, address));
}

static void explain_answered(void *ctx, const struct api_reply *reply)
{
    struct question *q = ctx;
    struct remote_lead remote;
    size_t at = 0;
    q->answered = true;
    if (reply->class == API_REFUSED && reply->http_status == 404)
        return;
    if (reply->class != API_OK) {
        err_set(q->failed, XS_API, "%.*s", STR_ARG(reply->message.n > 0 ? reply->message : STR("no usable answer")));
        return;
    }
    const struct str address = explain_states_address(q->x);
    while (api_reply_lead(reply, &at, &remote))
        if (is_meant(q->x, &remote, address) && keep_lead(q->x, &remote) != 0)
            q->out_of_memory = true;
}

static int wait_for(struct api *a, struct question *q, struct err *e)
{
    while (!q->answered)
        if (api_step(a, STEP_MS, e) != 0)
            return -1;
    return 0;
}

/* Places that no state has a name of. A place that cannot be read keeps its id. */
static void learn_places(struct explain *x, struct api *a)
{
    for (size_t i = 0; i < x->leads_n; i++) {
        struct api_reply reply;
        struct target named;
        struct err ignored = ERR_INIT;
        const struct target *place = &x->leads[i].place;
        if (x->leads[i].has_place && !target_names_know(&x->names, place) &&
            api_target_get_wait(a, place, &reply, &ignored) == 0 && api_target_read(&reply, place, &x->arena, &named))
            target_names_add(&x->names, &named);
        err_clear(&ignored);
    }
}

static int ask(struct explain *x, struct api *a, struct err *failed, struct err *e)
{
    struct question q = {.x = x, .failed = failed};
    struct str address = explain_states_address(x);
    const struct leads_list list = {.contacts = &address, .contacts_n = 1};
    int rc;
    if (address.n > 0)
        rc = api_leads_list(a, &list, explain_answered, &q, failed);
    else
        rc = api_lead_get(a, x->query.lead_id, explain_answered, &q, failed);
    if (rc == 0)
        rc = wait_for(a, &q, failed);
    if (q.out_of_memory)
        return err_oom(e);
    if (rc == 0 && failed->status == XS_DONE) {
        x->asked = true;
        learn_places(x, a);
    }
    return 0;
}

/* Only the API that a state belongs to knows its leads. */
static bool explain_now_of_host(const struct explain *x, struct err *e)
{
    char *host = state_host_name(x->inv->common.connection.api.loopback ? "loopback" : x->inv->common.connection.api.host,
                                 e);
    const struct explained_state *first = explain_states_first(x);
    bool same = host != NULL && (first == NULL || first->host == NULL || strcmp(first->host, host) == 0);
    free(host);
    return same;
}

/* With the key that the runner has loaded. */
static int ask_by_runner(struct explain *x, const struct runner *runner, struct err *failed, struct err *e)
{
    struct api *a = NULL;
    if (runner->key.text == NULL) {
        x->not_asked = no_key;
        return 0;
    }
    int rc = api_new(&runner->api, NULL, x->inv->common.clock, &a, failed) != 0 ? 0 : ask(x, a, failed, e);
    api_free(a);
    return rc;
}

static int ask_by_client(struct explain *x, struct err *failed, struct err *e)
{
    struct client client = {.common = NULL};
    int opened = client_open(&client, &x->inv->common, false, true, failed), rc = 0;
    if (opened > 0)
        x->not_asked = no_key;
    else if (opened == 0)
        rc = ask(x, client.api, failed, e);
    client_close(&client);
    return rc;
}

int explain_now_ask(struct explain *x, const struct runner *runner, struct err *e)
{
    struct err failed = ERR_INIT;
    if (explain_states_address(x).n == 0 && x->query.lead_id == NULL) {
        x->not_asked = "no address and no lead id is known";
        return 0;
    }
    if (!explain_now_of_host(x, e)) {
        x->not_asked = "the state belongs to another API than --api-url names";
        return 0;
    }
    int rc = runner != NULL ? ask_by_runner(x, runner, &failed, e) : ask_by_client(x, &failed, e);
    if (rc == 0 && !x->asked && x->not_asked == NULL) {
        x->not_asked = arena_dup(&x->arena, err_text(&failed), strlen(err_text(&failed)));
        rc = x->not_asked == NULL ? err_oom(e) : 0;
    }
    err_clear(&failed);
    return rc;
}
