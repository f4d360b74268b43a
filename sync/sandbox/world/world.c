#include "sync/sandbox/world/world.h"

#include "sync/base/file.h"
#include "sync/sandbox/world/request_log.h"
#include "sync/sandbox/world/store.h"

#include <stdlib.h>
#include <string.h>

enum { JOB_MS_USUAL = 300, ESP_MS_USUAL = 6000, KEY_FILE_MAX = 4096 };
/* Lead ids of a seeded sandbox start here, so that they depend on nothing but the seed and the order. It is a moment in
 * the future: a client may doubt that a lead was made by its request when the id says that it is older. */
static const int64_t seeded_epoch_ms = INT64_C(4102444800000);

/* The new part is cleared: records count on it. */
void *sim_grow(void *array, size_t n, size_t *cap, size_t size)
{
    if (n < *cap)
        return array;
    size_t grown = *cap == 0 ? 16 : *cap * 2;
    void *p = reallocarray(array, grown, size);
    if (p == NULL)
        return NULL;
    memset((char *)p + *cap * size, 0, (grown - *cap) * size);
    *cap = grown;
    return p;
}

static int load_key(struct sim_world *w, const char *path, struct err *e)
{
    struct buf text = BUF_INIT(KEY_FILE_MAX);
    if (path == NULL)
        return 0;
    if (file_read(path, &text, XS_USAGE, XS_USAGE, e) != 0) {
        buf_free(&text);
        return err_context(e, "key file of the sandbox");
    }
    w->key = str_dup(str_trim(buf_str(&text)));
    buf_free(&text);
    return w->key != NULL ? 0 : err_oom(e);
}

static int init_knobs(struct sim_world *w, const struct sandbox_config *c, struct err *e)
{
    int64_t job_ms = c->job_ms > 0 ? c->job_ms : JOB_MS_USUAL;
    w->knobs = (struct sim_knobs){.rate_per_second = c->rate_per_second,
                                  .rate_per_minute = c->rate_per_minute,
                                  .latency_ms = c->latency_ms,
                                  .plan_limit = c->plan_limit,
                                  .read_lag_ms = c->read_lag_ms,
                                  .job_ms = job_ms,
                                  .verify_ms = job_ms,
                                  .esp_ms = ESP_MS_USUAL,
                                  .spec_strict = c->spec_strict,
                                  .patch_merges = c->patch_merges,
                                  .plan_partial = c->plan_partial,
                                  .refuse_unknown = c->refuse_unknown,
                                  .job_mode_left = -1};
    if (c->scopes != NULL && (w->knobs.scopes = strdup(c->scopes)) == NULL)
        return err_oom(e);
    return load_key(w, c->key_file, e);
}

int sim_world_init(struct sim_world *w, const struct sandbox_config *c, struct err *e)
{
    *w = (struct sim_world){.seed = c->seed};
    sim_table_init(&w->leads, c->seed, c->ignore_case_off);
    sim_window_init(&w->accepted_1s, 1000000);
    sim_window_init(&w->accepted_60s, 60000000);
    sim_window_init(&w->seen_1s, 1000000);
    sim_window_init(&w->seen_60s, 60000000);
    if (uuid_parse(STR(SANDBOX_WORKSPACE), &w->workspace) != 0 || uuid_parse(STR(SANDBOX_OWNER), &w->owner) != 0 ||
        uuid_parse(STR(SANDBOX_BLOCKLIST), &w->blocklist) != 0)
        return err_set(e, XS_INTERNAL, "the sandbox's own ids are malformed: please report");
    w->ring = sim_request_log_new();
    if (w->ring == NULL)
        return err_oom(e);
    if (init_knobs(w, c, e) != 0)
        return -1;
    return sim_faults_set(&w->faults, c->faults, c->seed, e);
}

void sim_late_free(struct sim_late *late)
{
    free(late->method);
    free(late->path);
    free(late->type);
    free(late->body);
}

void sim_world_free(struct sim_world *w)
{
    for (size_t i = 0; i < w->late_n; i++)
        sim_late_free(&w->late[i]);
    free(w->late);
    for (size_t i = 0; i < w->places_n; i++) {
        for (size_t v = 0; v < w->places[i].vars_n; v++)
            free(w->places[i].vars[v]);
        free(w->places[i].vars);
        free(w->places[i].name);
        free(w->places[i].mail);
        free(w->places[i].diagnosis);
    }
    for (size_t i = 0; i < w->jobs_n; i++) {
        free(w->jobs[i].filters);
        free(w->jobs[i].emails);
    }
    for (size_t i = 0; i < w->blocks_n; i++)
        free(w->blocks[i].value);
    for (size_t i = 0; i < w->verifications_n; i++)
        free(w->verifications[i].email);
    free(w->places);
    free(w->jobs);
    free(w->blocks);
    free(w->verifications);
    free(w->knobs.scopes);
    free(w->key);
    sim_table_free(&w->leads);
    sim_window_free(&w->accepted_1s);
    sim_window_free(&w->accepted_60s);
    sim_window_free(&w->seen_1s);
    sim_window_free(&w->seen_60s);
    sim_faults_free(&w->faults);
    sim_request_log_free(w->ring);
    *w = (struct sim_world){0};
}

/* Version 4 in form. With a seed it depends on the seed and on how many were made before. */
static struct uuid made_up_id(struct sim_world *w)
{
    uint64_t base = w->seed != 0 ? w->seed : (uint64_t)w->now_ms;
    uint64_t a = sim_mix(base ^ sim_mix(++w->ids_made)), b = sim_mix(a);
    struct uuid id;
    for (unsigned i = 0; i < 8; i++) {
        id.b[i] = (unsigned char)(a >> 8 * i);
        id.b[8 + i] = (unsigned char)(b >> 8 * i);
    }
    id.b[6] = (unsigned char)((id.b[6] & 0x0f) | 0x40);
    id.b[8] = (unsigned char)((id.b[8] & 0x3f) | 0x80);
    return id;
}

/* --- places --- */

struct sim_place *sim_place_at(struct sim_world *w, uint32_t no)
{
    return &w->places[no - 1];
}

bool sim_place_locked(struct sim_world *w, uint32_t no)
{
    return no != 0 && sim_place_at(w, no)->locks > 0;
}

uint32_t sim_place_by_id(const struct sim_world *w, const struct uuid *id, bool is_campaign)
{
    for (size_t i = 0; i < w->places_n; i++)
        if (w->places[i].is_campaign == is_campaign && uuid_eq(&w->places[i].id, id))
            return (uint32_t)i + 1;
    return 0;
}

/* An id, or the exact name; of equal names the first. */
uint32_t sim_place_by_text(const struct sim_world *w, struct str text, bool is_campaign)
{
    struct uuid id;
    if (uuid_parse(text, &id) == 0)
        return sim_place_by_id(w, &id, is_campaign);
    for (size_t i = 0; i < w->places_n; i++)
        if (w->places[i].is_campaign == is_campaign && str_is(text, w->places[i].name))
            return (uint32_t)i + 1;
    return 0;
}

uint32_t sim_place_add(struct sim_world *w, struct str name, bool is_campaign, const struct uuid *id)
{
    struct sim_place *grown = sim_grow(w->places, w->places_n, &w->places_cap, sizeof *w->places);
    if (grown == NULL)
        return 0;
    w->places = grown;
    struct sim_place *place = &w->places[w->places_n];
    *place = (struct sim_place){.is_campaign = is_campaign, .created_ms = w->now_ms, .updated_ms = w->now_ms};
    place->name = str_dup(name);
    if (place->name == NULL)
        return 0;
    place->id = id != NULL ? *id : made_up_id(w);
    w->places_n++;
    return (uint32_t)w->places_n;
}

/* A campaign has a few dozen at most, so that a walk beats a table. */
int sim_place_var(struct sim_world *w, uint32_t no, struct str name)
{
    struct sim_place *place = sim_place_at(w, no);
    for (size_t i = 0; i < place->vars_n; i++)
        if (str_is(name, place->vars[i]))
            return 0;
    char **vars = sim_grow(place->vars, place->vars_n, &place->vars_cap, sizeof *vars);
    if (vars == NULL)
        return -1;
    place->vars = vars;
    if ((vars[place->vars_n] = str_dup(name)) == NULL)
        return -1;
    place->vars_n++;
    sim_place_changed(w, no);
    return 0;
}

void sim_place_changed(struct sim_world *w, uint32_t no)
{
    sim_place_at(w, no)->updated_ms = w->now_ms;
    sim_store_note_place(w, no);
}

/* --- leads --- */

/* Not yet noted for the store: the caller adds what else it knows, then calls sim_world_lead_changed. */
uint32_t sim_world_lead_add(struct sim_world *w, const struct sim_fields *fields, uint32_t place)
{
    uint32_t no = w->leads.n + 1;
    /* the clock may jump back; ids never do */
    int64_t id_ms = w->seed != 0 ? seeded_epoch_ms + no : w->now_ms;
    if (id_ms < w->last_id_ms)
        id_ms = w->last_id_ms;
    struct sim_lead *lead = sim_table_put(&w->leads, no, fields);
    if (lead == NULL)
        return 0;
    w->last_id_ms = id_ms;
    lead->id = sim_lead_id(w->seed, id_ms, no);
    lead->place = lead->place_was = place;
    lead->created_ms = lead->updated_ms = w->now_ms;
    lead->touched_ms = w->now_ms + w->knobs.esp_ms;
    bool in_campaign = place != 0 && sim_place_at(w, place)->is_campaign;
    lead->status = in_campaign || w->knobs.spec_strict ? 1 : 0;
    w->counters.created++;
    /* Looking up the mail provider later touches every lead with that address. */
    struct str email = fields->f[BF_EMAIL];
    sim_each_by_email(&w->leads, email, twin) sim_table_at(&w->leads, twin)->touched_ms = lead->touched_ms;
    return no;
}

int sim_world_lead_set(struct sim_world *w, uint32_t no, const struct sim_fields *fields)
{
    /* `fields` may borrow from the lead: the table packs before it frees */
    return sim_table_set(&w->leads, sim_table_at(&w->leads, no), fields);
}

void sim_world_lead_changed(struct sim_world *w, uint32_t no)
{
    sim_store_note_lead(w, no);
}

void sim_world_lead_delete(struct sim_world *w, uint32_t no)
{
    sim_store_note_deleted(w, no);
    sim_table_delete(&w->leads, no);
    w->counters.deleted++;
}

/* The id carries the lead's number, so a lead with a new id is a new record at the end of the table. */
int sim_world_new_ids(struct sim_world *w, uint32_t place)
{
    uint32_t last = w->leads.n;
    for (uint32_t no = 1; no <= last; no++) {
        const struct sim_lead *old = sim_table_at(&w->leads, no);
        struct sim_fields fields;
        if (old->text == NULL || old->place != place)
            continue;
        sim_lead_fields(old, &fields);
        uint32_t new_no = sim_world_lead_add(w, &fields, old->place);
        if (new_no == 0)
            return -1;
        struct sim_lead *lead = sim_table_at(&w->leads, new_no);
        lead->contacted_ms = old->contacted_ms;
        lead->interest_ms = old->interest_ms;
        lead->verify_due_ms = old->verify_due_ms;
        lead->opened_ms = old->opened_ms, lead->clicked_ms = old->clicked_ms, lead->replied_ms = old->replied_ms;
        lead->opens = old->opens, lead->clicks = old->clicks, lead->replies = old->replies;
        lead->interest = old->interest;
        lead->status = old->status;
        lead->has_interest = old->has_interest;
        lead->alone = old->alone;
        sim_world_lead_changed(w, new_no);
        sim_world_lead_delete(w, no);
    }
    return 0;
}

/* A person has as many leads as places; the chain is short. */
bool sim_world_has(struct sim_world *w, struct str email, uint32_t place)
{
    sim_each_by_email(&w->leads, email, no) if (sim_table_at(&w->leads, no)->place == place) return true;
    return false;
}

bool sim_world_has_kind(struct sim_world *w, struct str email, bool campaigns, bool lists, uint32_t but_not)
{
    sim_each_by_email(&w->leads, email, no)
    {
        uint32_t place = sim_table_at(&w->leads, no)->place;
        if (place == but_not)
            continue;
        bool is_campaign = place != 0 && sim_place_at(w, place)->is_campaign;
        if ((campaigns && is_campaign) || (lists && place != 0 && !is_campaign) || (campaigns && lists))
            return true;
    }
    return false;
}

/* Never less than none, also where the limit was lowered below what is stored. */
int64_t sim_world_room(const struct sim_world *w)
{
    if (w->knobs.plan_limit < 0)
        return INT64_MAX;
    int64_t room = w->knobs.plan_limit - (int64_t)w->leads.live;
    return room > 0 ? room : 0;
}

/* --- block list --- */

/* Blocked twice is blocked once. */
int sim_block_add(struct sim_world *w, struct str value)
{
    struct sim_block *blocks = sim_grow(w->blocks, w->blocks_n, &w->blocks_cap, sizeof *blocks);
    if (blocks == NULL)
        return -1;
    w->blocks = blocks;
    for (size_t i = 0; i < w->blocks_n; i++)
        if (str_eq_nocase(str_from(blocks[i].value), value))
            return 0;
    char *copy = str_dup(value);
    if (copy == NULL)
        return -1;
    bool is_domain = memchr(value.p, '@', value.n) == NULL;
    blocks[w->blocks_n++] =
        (struct sim_block){.id = made_up_id(w), .value = copy, .is_domain = is_domain, .created_ms = w->now_ms};
    sim_store_note_block(w, w->blocks_n - 1);
    return 0;
}

/* A domain blocks all of its addresses, not those of its subdomains. */
bool sim_block_has(const struct sim_world *w, struct str email)
{
    if (w->blocks_n == 0 || email.n == 0)
        return false;
    const char *at = memchr(email.p, '@', email.n);
    struct str domain = at == NULL ? STR_NONE : (struct str){at + 1, email.n - (size_t)(at + 1 - email.p)};
    for (size_t i = 0; i < w->blocks_n; i++)
        if (str_eq_nocase(str_from(w->blocks[i].value), w->blocks[i].is_domain ? domain : email))
            return true;
    return false;
}

bool sim_text_has(struct str text, struct str word)
{
    for (size_t i = 0; word.n <= text.n && i + word.n <= text.n; i++)
        if (str_eq_nocase((struct str){text.p + i, word.n}, word))
            return true;
    return word.n == 0;
}

/* Stricter would be no help: the real check is not known, and a sandbox that refuses what the API takes misleads. */
bool sim_email_valid(struct str email)
{
    const char *at = email.n > 0 ? memchr(email.p, '@', email.n) : NULL;
    if (at == NULL || at == email.p || email.n > 254)
        return false;
    const char *domain = at + 1, *end = email.p + email.n;
    for (const char *p = email.p; p < end; p++)
        if ((unsigned char)*p <= ' ' || *p == 0x7f || (*p == '@' && p != at) || strchr("<>(),;:\"[]\\", *p) != NULL)
            return false;
    if (domain == end || *domain == '.' || end[-1] == '.' || memchr(domain, '.', (size_t)(end - domain)) == NULL)
        return false;
    for (const char *p = domain; p + 1 < end; p++)
        if (p[0] == '.' && p[1] == '.')
            return false;
    return true;
}
