/* --payload: the bodies of the requests that a sync would send, made by the same builders and grouped as the upload groups them. Without
 * --payload nothing is collected. A request is complete when it is full, or at the end. */
#include "config.h"

#include "sync/pipeline/run_int.h"

#include <stdlib.h>
#include <string.h>

enum { IDS_BODY_MAX = 1 << 20 };

/* The request under way of an operation between two places. */
struct payload_group {
    enum op op;
    struct target target, from; /* their names are not used */
    struct buf body;            /* of creates */
    struct uuid *ids;           /* of moves and removals; owned */
    size_t n, unknown_n;        /* leads; and those whose id is not known before they are created */
};

struct dry_payload {
    struct payload_group *groups;
    size_t groups_n;
};

static int hand_over(struct run *r, const struct payload_group *g, const char *method, const char *path, struct str body,
                     struct err *e)
{
    const struct diff_payload payload = {g->op, method, path, g->n + g->unknown_n, body};
    return diff_payload(r->diff, &payload, e);
}

static int send_ids(struct run *r, const struct payload_group *g, struct err *e)
{
    struct buf body = BUF_INIT(IDS_BODY_MAX);
    int rc = 0;
    if (g->op == OP_MOVE && g->n > 0)
        rc = api_leads_move_body(&(struct leads_move){g->from, g->target, g->ids, g->n, NULL}, &body, e);
    else if (g->n > 0)
        rc = api_leads_delete_body(&(struct leads_delete){g->from, g->ids, g->n}, &body, e);
    /* Without a known id there is no body yet. */
    if (rc == 0)
        rc = hand_over(r, g, g->op == OP_MOVE ? "POST" : "DELETE", g->op == OP_MOVE ? "/api/v2/leads/move" : "/api/v2/leads",
                       buf_str(&body), e);
    buf_free(&body);
    return rc;
}

/* Shows the request of the group, which is empty afterwards. */
static int payload_send(struct run *r, struct payload_group *g, struct err *e)
{
    int rc = 0;
    if (g->n + g->unknown_n == 0)
        return 0;
    if (g->op == OP_CREATE) {
        rc = api_leads_add_close(&g->body) != 0 ? err_oom(e)
                                                : hand_over(r, g, "POST", "/api/v2/leads/add", buf_str(&g->body), e);
        buf_free(&g->body);
        buf_init(&g->body, LEADS_ADD_MAX_BYTES);
    } else {
        rc = send_ids(r, g, e);
    }
    g->n = g->unknown_n = 0;
    return rc;
}

static struct payload_group *payload_group_of(struct run *r, enum op op, const struct diff_change *c, struct err *e)
{
    struct dry_payload *p = r->dry.payload;
    const struct target *target = c->target != NULL ? c->target : c->from, *from = c->from != NULL ? c->from : target;
    for (size_t i = 0; i < p->groups_n; i++) {
        struct payload_group *g = &p->groups[i];
        if (g->op == op && target_eq(&g->target, target) && (op == OP_CREATE || target_eq(&g->from, from)))
            return g;
    }
    struct payload_group *v = reallocarray(p->groups, p->groups_n + 1, sizeof *v);
    if (v == NULL) {
        err_oom(e);
        return NULL;
    }
    p->groups = v;
    struct payload_group *g = &v[p->groups_n];
    *g = (struct payload_group){.op = op, .target = *target, .from = *from, .body = BUF_INIT(LEADS_ADD_MAX_BYTES)};
    if (op != OP_CREATE && (g->ids = calloc(LEADS_MOVE_MAX, sizeof *g->ids)) == NULL) {
        err_oom(e);
        return NULL;
    }
    p->groups_n++;
    return g;
}

static int payload_create(struct run *r, struct payload_group *g, const struct diff_change *c, struct err *e)
{
    const struct leads_add add = upload_create_request(r->m, &g->target);
    if (g->n == (uint64_t)r->m->limits.batch && payload_send(r, g, e) != 0)
        return -1;
    for (int fits = 0; fits == 0;) {
        if (g->n == 0 && api_leads_add_open(&add, &g->body) != 0)
            return err_oom(e);
        fits = api_leads_add_lead(c->new_lead, &g->body);
        if (fits < 0)
            return err_oom(e);
        /* A lead that no request can carry was rejected before. */
        if (fits == 0 && (g->n == 0 || payload_send(r, g, e) != 0))
            return g->n == 0 ? err_set(e, XS_INTERNAL, "a lead does not fit a request: please report") : -1;
    }
    g->n++;
    return 0;
}

static int payload_ids(struct run *r, struct payload_group *g, const struct diff_change *c, struct err *e)
{
    size_t max = g->op == OP_MOVE ? LEADS_MOVE_MAX : LEADS_DELETE_MAX;
    if (g->n + g->unknown_n == max && payload_send(r, g, e) != 0)
        return -1;
    if (c->entry->has_lead_id && !c->entry->staged)
        g->ids[g->n++] = c->entry->lead_id;
    else
        g->unknown_n++;
    return 0;
}

/* As update.c fills it, but without the lead's other variables: only Instantly has them. */
static int payload_update(struct run *r, const struct diff_change *c, struct err *e)
{
    struct buf body = BUF_INIT(LEADS_ADD_MAX_BYTES);
    struct lead lead = *c->new_lead;
    const struct payload_group one = {.op = OP_UPDATE, .n = 1};
    char path[64] = "/api/v2/leads/";
    size_t n = c->custom != NULL ? lead.shape->custom_n : 0;
    struct lead_patch patch = {.id = c->entry->lead_id, .lead = &lead, .fields = c->fields};
    lead.custom = calloc(n + 1, sizeof *lead.custom);
    if (lead.custom == NULL)
        return err_oom(e);
    for (size_t i = 0; i < n; i++) {
        patch.custom = patch.custom || c->custom[i];
        lead.custom[i] = c->custom[i] ? c->new_lead->custom[i] : (struct value){VALUE_ABSENT, NULL, 0};
    }
    if (c->custom == NULL)
        lead.shape = NULL;
    uuid_format(&patch.id, path + strlen(path));
    int rc = api_lead_patch_body(&patch, &body, e);
    if (rc == 0)
        rc = hand_over(r, &one, "PATCH", path, buf_str(&body), e);
    free(lead.custom);
    buf_free(&body);
    return rc;
}

int dry_payload_change(struct run *r, const struct diff_change *c, struct err *e)
{
    if (!diff_wants_payload(r->diff))
        return 0;
    if (r->dry.payload == NULL && (r->dry.payload = calloc(1, sizeof *r->dry.payload)) == NULL)
        return err_oom(e);
    if (c->op == OP_UPDATE)
        return payload_update(r, c, e);
    bool moves = c->op == OP_MOVE ||
                 (c->op == OP_REMOVE && c->target != NULL && c->from != NULL && !target_eq(c->target, c->from));
    struct payload_group *g = payload_group_of(r, moves ? OP_MOVE : c->op, c, e);
    if (g == NULL)
        return -1;
    return g->op == OP_CREATE ? payload_create(r, g, c, e) : payload_ids(r, g, c, e);
}

int dry_payload_end(struct run *r, struct err *e)
{
    int rc = 0;
    for (size_t i = 0; r->dry.payload != NULL && rc == 0 && i < r->dry.payload->groups_n; i++)
        rc = payload_send(r, &r->dry.payload->groups[i], e);
    return rc;
}

void dry_payload_free(struct run *r)
{
    for (size_t i = 0; r->dry.payload != NULL && i < r->dry.payload->groups_n; i++) {
        buf_free(&r->dry.payload->groups[i].body);
        free(r->dry.payload->groups[i].ids);
    }
    if (r->dry.payload != NULL)
        free(r->dry.payload->groups);
    free(r->dry.payload);
    r->dry.payload = NULL;
}
