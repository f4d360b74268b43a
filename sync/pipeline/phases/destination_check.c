/* Leads that are to be moved although another lead in the destination has their address, and whose policy says
 * `if_there: delete`.
 *
 * A move would leave such a lead where it is (exists_in_target), in every run. So before the first removal Instantly is asked
 * which leads have the addresses, and these moves become deletions. A lead that is not found stays a move, which is harmless. */
#include "config.h"

#include "sync/pipeline/run_int.h"

#include "sync/base/log.h"

enum { CHUNK_BYTES = 64 << 20, ADDRESS_MAX = 64 << 10, SPOOL_MEMORY = 8 << 20 };

/* Removals whose addresses are looked up in one request. */
struct chunk {
    struct run *run;
    struct arena arena; /* their strings */
    struct planned planned[LEADS_LIST_MAX];
    uint64_t hashes[LEADS_LIST_MAX]; /* of their addresses; 0: none */
    size_t n;
    bool waits;         /* an answer is still to come */
    bool by_id;         /* the request asks for the leads' own addresses; else for other leads with them */
    uint64_t deleted_n; /* in all chunks */
};

static uint64_t address_hash(const struct run *r, struct str email)
{
    struct buf normal = BUF_INIT(ADDRESS_MAX);
    uint64_t hash = 0;
    if (email.n > 0 && mapping_email_key(email, &normal) == 0)
        hash = hash_keyed64(state_secret(r->state), normal.p, normal.n);
    buf_free(&normal);
    return hash;
}

static bool is_in(const struct target *t, const struct remote_lead *lead)
{
    return t->kind == TARGET_CAMPAIGN ? lead->has_campaign && uuid_eq(&lead->campaign, &t->id)
                                      : lead->has_list && uuid_eq(&lead->list, &t->id);
}

static void take_address(struct chunk *c, const struct remote_lead *lead)
{
    for (size_t i = 0; i < c->n; i++) {
        struct entry *entry = &c->planned[i].entry;
        if (entry->email.n == 0 && uuid_eq(&entry->lead_id, &lead->id) &&
            arena_str(&c->arena, lead->email, &entry->email) == 0)
            c->hashes[i] = address_hash(c->run, entry->email);
    }
}

/* `lead` is another lead with the address, in the destination. It stays, and the one that was to move there is deleted. */
static void take_double(struct chunk *c, const struct remote_lead *lead)
{
    uint64_t hash = address_hash(c->run, lead->email);
    for (size_t i = 0; i < c->n && hash != 0; i++) {
        struct planned *p = &c->planned[i];
        const struct target *to = p->op == OP_MOVE && c->hashes[i] == hash ? run_target(c->run, p->target) : NULL;
        if (to == NULL || !is_in(to, lead) || uuid_eq(&p->entry.lead_id, &lead->id))
            continue;
        p->op = OP_REMOVE;
        p->target = p->from;
        c->deleted_n++;
    }
}

static void destination_check_answered(void *ctx, const struct api_reply *reply)
{
    struct chunk *c = ctx;
    struct remote_lead lead;
    for (size_t at = 0; reply->class == API_OK && api_reply_lead(reply, &at, &lead);)
        (c->by_id ? take_address : take_double)(c, &lead);
    if (reply->class != API_OK && reply->class != API_CANCELLED)
        log_notice("could not search for other leads with the addresses of leads to be moved (%d %.*s)", reply->http_status,
                   STR_ARG(reply->message));
    c->waits = false;
}

static int ask_instantly(struct chunk *c, struct leads_list *list, struct err *e)
{
    struct run *r = c->run;
    if (list->ids_n + list->contacts_n == 0 || upload_stopped(r->upload))
        return 0;
    if (api_leads_list(r->api, list, destination_check_answered, c, e) != 0)
        return -1;
    c->waits = true;
    while (c->waits)
        if (upload_step(r->upload, 1000, e) != 0)
            return -1;
    return 0;
}

/* With `values: hashed` the state has no addresses, so Instantly is asked for them. */
static int find_addresses(struct chunk *c, struct err *e)
{
    struct uuid ids[LEADS_LIST_MAX];
    struct leads_list list = {.ids = ids, .urgent = true};
    for (size_t i = 0; i < c->n; i++)
        if (c->planned[i].entry.email.n == 0)
            ids[list.ids_n++] = c->planned[i].entry.lead_id;
    c->by_id = true;
    return ask_instantly(c, &list, e);
}

static int find_doubles(struct chunk *c, struct err *e)
{
    struct str contacts[LEADS_LIST_MAX];
    struct leads_list list = {.contacts = contacts, .urgent = true};
    for (size_t i = 0; i < c->n; i++)
        if (c->hashes[i] != 0)
            contacts[list.contacts_n++] = c->planned[i].entry.email;
    c->by_id = false;
    return ask_instantly(c, &list, e);
}

static int check_chunk(struct chunk *c, struct spool *out, struct err *e)
{
    if (find_addresses(c, e) != 0 || find_doubles(c, e) != 0)
        return -1;
    for (size_t i = 0; i < c->n; i++)
        if (spool_put(out, &c->planned[i], e) != 0)
            return -1;
    c->n = 0;
    arena_reset(&c->arena);
    return 0;
}

static int chunk_add(struct chunk *c, const struct planned *p, struct err *e)
{
    struct planned *kept = &c->planned[c->n];
    *kept = *p;
    kept->custom_changed = kept->entry.values = kept->entry.cells = kept->entry.cells_by_values = STR_NONE;
    kept->entry.detail = STR_NONE;
    if (arena_str(&c->arena, p->entry.key_text, &kept->entry.key_text) != 0 ||
        arena_str(&c->arena, p->entry.email, &kept->entry.email) != 0)
        return err_oom(e);
    c->hashes[c->n++] = address_hash(c->run, p->entry.email);
    return 0;
}

static bool is_needed(const struct run *r)
{
    const struct removal *removal;
    for (size_t i = 0; (removal = targets_policy(r->m, i)) != NULL; i++)
        if (removal->delete_if_there)
            return spool_has(r->spools.removals, OP_MOVE);
    return false;
}

int destination_check_sort(struct run *r, struct err *e)
{
    struct spool *in = r->spools.removals, *out = NULL;
    struct planned planned;
    int rc;
    if (!is_needed(r))
        return 0;
    /* Not on the stack, because an answer may still arrive after an error. */
    struct chunk *c = arena_calloc(&r->run_arena, 1, sizeof *c);
    if (c == NULL)
        return err_oom(e);
    c->run = r;
    arena_init(&c->arena, CHUNK_BYTES);
    if (upload_drain(r->upload, e) != 0 || spool_new(SPOOL_MEMORY, &out, e) != 0)
        return -1;
    r->spools.removals = out;
    while ((rc = spool_get(in, &planned, e)) == 1) {
        bool looked_for = planned.op == OP_MOVE && planned.delete_if_there;
        if ((looked_for ? chunk_add(c, &planned, e) : spool_put(out, &planned, e)) != 0 ||
            (c->n == LEADS_LIST_MAX && check_chunk(c, out, e) != 0)) {
            rc = -1;
            break;
        }
    }
    if (rc == 0)
        rc = check_chunk(c, out, e);
    if (c->deleted_n > 0)
        log_notice("%llu lead%s deleted, not moved, because another lead with the same address is there (if_there: delete)",
                   (unsigned long long)c->deleted_n, c->deleted_n == 1 ? " is" : "s are");
    spool_free(in);
    c->n = 0; /* An answer that arrives after an error finds no leads. */
    arena_free(&c->arena);
    return rc;
}
