#include "config.h"

#include "sync/pipeline/run_pull.h"

#include <stdlib.h>
#include <string.h>

#include "sync/model/lead_status.h"
#include "sync/pipeline/run_fill.h"
#include "sync/pipeline/run_int.h"
#include "sync/plan/target_names.h"

enum { LOOK_UP_ROWS = 256, RECORD_BYTES = 1 << 20 };

struct pull {
    struct run *run;
    const struct pull_sink *sink;
    struct pull_summary *summary;
    struct target_names names;
    struct buf address, record;
    uint64_t destination; /* the sink's name, for the state */
};

/* A lead of the pages, and what the state knows of it. */
struct pull_lead {
    struct page_lead page;
    bool owned;         /* the state knows the lead */
    struct hash128 key; /* if it is owned */
    struct known_lead known;
    struct str address; /* normalised; unchanged if it cannot be */
    int remembered;     /* the person's status */
};

void pull_summary_free(struct pull_summary *summary)
{
    free(summary->sync);
    summary->sync = NULL;
}

/* ---- one lead ---- */

static int next_lead(struct pull *p, uint64_t after, struct pull_lead *out, struct err *e)
{
    struct run *r = p->run;
    arena_reset(&r->row_arena);
    arena_reset(&r->known_arena);
    memset(out, 0, sizeof *out);
    return pages_next(remote_pages(r->compare.remote), after, true, &r->row_arena, &out->page, e);
}

static int join_state(struct pull *p, struct pull_lead *out, struct err *e)
{
    struct run *r = p->run;
    buf_reset(&p->address);
    out->address = out->page.email;
    if (out->page.email.n > 0 && mapping_email_key(out->page.email, &p->address) == 0)
        out->address = buf_str(&p->address);
    int rc = state_id_owner(r->state, &out->page.id, &out->key, e);
    if (rc == 1)
        rc = state_lead_get(r->state, &out->key, &r->known_arena, &out->known, e);
    out->owned = rc == 1;
    return rc < 0 ? -1 : state_person_status(r->state, out->address, &out->remembered, e);
}

/* How much a status says: who unsubscribed stays so, and an address that bounced is not merely skipped. */
static int weight(int status)
{
    switch (lead_status_reason(status)) {
    case REASON_UNSUBSCRIBED: return 3;
    case REASON_BOUNCED: return 2;
    case REASON_SKIPPED_THERE: return 1;
    default: return 0;
    }
}

/* What is known of a person is never lowered. */
static bool is_news(int there, int known)
{
    return weight(there) > weight(known);
}

/* ---- who unsubscribed or bounced ---- */

static int begin_record(struct run *r, struct err *e)
{
    if (r->record.id != 0)
        return 0;
    r->record = (struct run_record){.started_ms = r->report->started_ms, .status = "running", .begun = run_begun(r)};
    if (r->record.begun == NULL)
        return err_oom(e);
    if (state_run_start(r->state, &r->record, e) != 0)
        return -1;
    r->report->run = r->record.id;
    return 0;
}

/* The lead may be of no row: then the status counts for the person by the address alone. */
static int record_status(struct pull *p, const struct pull_lead *lead, struct err *e)
{
    struct run *r = p->run;
    bool news = is_news(lead->page.status, lead->remembered) ||
                (lead->owned && is_news(lead->page.status, lead->known.status));
    if (!news || (!lead->owned && lead->address.n == 0))
        return 0;
    const struct entry status = {.key = lead->key,
                                 .key_text = lead->known.key_text,
                                 .email = lead->address,
                                 .outcome = OUTCOME_UNCHANGED,
                                 .reason = lead_status_reason(lead->page.status)};
    uint32_t target = lead->owned ? lead->known.target : r->targets.v[0].number;
    if (begin_record(r, e) != 0 || state_entry_add(r->state, r->record.id, target, &status, e) != 0)
        return -1;
    p->summary->recorded++;
    return 0;
}

/* Before the records, so that a record already has what the state knows of the person. A run of its own keeps it, as with every
 * change of the state. */
static int record_statuses(struct pull *p, struct err *e)
{
    struct run *r = p->run;
    struct pull_lead lead = {.owned = false};
    int rc;
    while ((rc = next_lead(p, lead.page.n, &lead, e)) == 1) {
        /* Most leads are active: they need no look into the state. */
        if (lead_status_reason(lead.page.status) == REASON_NONE)
            continue;
        if (join_state(p, &lead, e) != 0 || record_status(p, &lead, e) != 0)
            return -1;
    }
    if (rc < 0 || r->record.id == 0)
        return rc;
    if (state_merge(r->state, r->refusal_context, e) != 0)
        return -1;
    r->report->status = "complete";
    run_fill_report(r);
    return run_write_record(r, e);
}

/* ---- records ---- */

static int is_forgotten(struct pull *p, const struct pull_lead *lead, bool *forgotten, struct err *e)
{
    *forgotten = false;
    return lead->address.n > 0 ? state_forgotten_address(p->run->state, lead->address, forgotten, e) : 0;
}

static void describe(struct pull *p, const struct pull_lead *lead, struct engagement_lead *out)
{
    const struct mapping *m = p->run->m;
    *out = (struct engagement_lead){
        .key = lead->known.key_text,
        .email = lead->page.email,
        .id = lead->page.id,
        .target = lead->page.placed ? &lead->page.place : NULL,
        .engagement = lead->page.engagement,
        .remembered = lead->remembered,
    };
    /* A state without texts has no keys; the address is one, unless the mapping has `key:`. */
    if (lead->owned && out->key.n == 0 && !m->has_key)
        out->key = lead->address;
    for (size_t i = 0; lead->page.placed && i < p->names.n; i++)
        if (target_eq(&p->names.v[i], &lead->page.place))
            out->target = &p->names.v[i];
}

static int digest_of(struct pull *p, const struct str cells[ENGAGEMENT_COLUMN_N], uint64_t *digest, struct err *e)
{
    int bad = 0;
    buf_reset(&p->record);
    for (size_t i = 0; i < ENGAGEMENT_COLUMN_N; i++)
        bad |= buf_addc(&p->record, cells[i].p != NULL ? '+' : '-') | buf_add_str(&p->record, cells[i]);
    if (bad != 0)
        return err_oom(e);
    *digest = hash_keyed64(state_secret(p->run->state), p->record.p, p->record.n);
    return 0;
}

static int write_lead(struct pull *p, const struct pull_lead *lead, bool since_last, struct err *e)
{
    struct run *r = p->run;
    struct engagement_lead described;
    struct str cells[ENGAGEMENT_COLUMN_N];
    uint64_t digest = 0;
    bool forgotten, same;
    if (is_forgotten(p, lead, &forgotten, e) != 0)
        return -1;
    if (forgotten) {
        p->summary->forgotten++;
        return state_pulled_forget(r->state, &lead->page.id, e);
    }
    describe(p, lead, &described);
    if (engagement_cells(&described, &r->row_arena, cells) != 0)
        return err_oom(e);
    if (digest_of(p, cells, &digest, e) != 0 ||
        state_pulled_is(r->state, p->destination, &lead->page.id, digest, &same, e) != 0)
        return -1;
    p->summary->keyless += cells[ENGAGEMENT_KEY].p == NULL;
    p->summary->unsubscribed += str_is(cells[ENGAGEMENT_UNSUBSCRIBED], "true");
    p->summary->bounced += str_is(cells[ENGAGEMENT_BOUNCED], "true");
    if (same && since_last)
        return 0;
    p->summary->given++;
    if (p->sink->add(p->sink->ctx, cells, e) != 0)
        return -1;
    return same ? 0 : state_pulled_put(r->state, p->destination, &lead->page.id, digest, e);
}

/* What the state remembers becomes durable after what it is about: a death between the two writes a record again. */
static int write_leads(struct pull *p, bool since_last, struct err *e)
{
    struct run *r = p->run;
    struct pull_lead lead = {.owned = false};
    bool fresh = false;
    int rc;
    p->destination = hash_keyed64(state_secret(r->state), p->sink->name, strlen(p->sink->name));
    if (p->sink->begin(p->sink->ctx, r->m->name, &fresh, e) != 0)
        return -1;
    while ((rc = next_lead(p, lead.page.n, &lead, e)) == 1) {
        const struct pages_progress progress = {.leads = p->summary->leads};
        if (p->summary->leads++ % LOOK_UP_ROWS == 0 && run_compare_step(r, &progress, e) != 0)
            return -1;
        if (join_state(p, &lead, e) != 0 || write_lead(p, &lead, since_last && !fresh, e) != 0)
            return -1;
    }
    if (rc < 0 || p->sink->finish(p->sink->ctx, &p->summary->written, e) != 0)
        return -1;
    return state_commit(r->state, e);
}

/* ---- the whole ---- */

static int pull_open(struct pull *p, struct err *e)
{
    struct run *r = p->run;
    if (run_open_for_pull(r, e) != 0 || run_compare_start(r, e) != 0)
        return -1;
    target_names_init(&p->names);
    for (size_t i = 0; i < r->targets.n; i++)
        target_names_add(&p->names, &r->targets.v[i].target);
    target_names_of_state(&p->names, r->state);
    p->summary->sync = strdup(r->m->name);
    return p->summary->sync != NULL ? 0 : err_oom(e);
}

int run_pull(const struct run_config *config, const struct pull_sink *sink, bool since_last, struct pull_summary *summary,
             struct err *e)
{
    struct run_report report;
    run_report_start(&report, config);
    struct run r = {.c = config, .report = &report, .tally = &report.tally};
    struct pull p = {.run = &r, .sink = sink, .summary = summary};
    *summary = (struct pull_summary){.started_ms = report.started_ms};
    buf_init(&p.address, RECORD_BYTES);
    buf_init(&p.record, 64 * RECORD_BYTES);
    int rc = pull_open(&p, e);
    if (rc == 0)
        rc = record_statuses(&p, e);
    if (rc == 0)
        rc = write_leads(&p, since_last, e);
    r.compare.used = rc == 0;
    summary->finished_ms = config->clock->wall_ms(config->clock);
    run_fill_costs(&report, r.api);
    summary->requests = report.requests_total;
    target_names_free(&p.names);
    buf_free(&p.address);
    buf_free(&p.record);
    run_close(&r);
    run_report_free(&report);
    return rc;
}
