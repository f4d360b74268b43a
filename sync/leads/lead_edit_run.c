/* Who is meant by a run: what it created, to be taken back, or what it created and changed, to be moved. Each lead is looked
 * at by its id, wherever it is and whatever the state believes. */
#include "config.h"

#include "sync/leads/lead_edit_int.h"

#include <unistd.h>

#include "mappings/mapping.h"
#include "sync/base/log.h"
#include "sync/base/text.h"
#include "sync/report/report_read.h"

enum { RUN_ARENA_MAX = 64 << 20 };

/* The address of a lead that the state knows by this id, to hold what is found under it against. */
static int known_address(struct lead_edit *edit, struct edited_lead *lead, const struct known_lead *known,
                         struct arena *scratch, struct err *e)
{
    struct lead_shape shape;
    struct lead values;
    uint32_t id;
    if (known->hashes.n > 0)
        return arena_str(&edit->arena, known->hashes, &lead->known_hashes) == 0 ? 0 : err_oom(e);
    if (known->values.n == 0 || lead_packed_shape(known->values, &id) != 0)
        return 0;
    int rc = state_shape_get(edit->state, id, scratch, &shape, e);
    if (rc <= 0 || lead_unpack(known->values, &shape, scratch, &values) != 0 || !lead_has_email(&values))
        return rc < 0 ? -1 : 0;
    const struct value *email = &values.core[LEAD_EMAIL];
    return arena_str(&edit->arena, (struct str){email->p, email->n}, &lead->known_email) == 0 ? 0 : err_oom(e);
}

/* What the state believes of it. It may know another lead under the key by now (created again, or a new address): then
 * the key is not this lead's, and must not go with its removal. Moved away is not gone. */
static int recall(struct lead_edit *edit, struct edited_lead *lead, const struct entry *entry, struct arena *scratch,
                  struct err *e)
{
    struct known_lead known;
    int rc = state_lead_get(edit->state, &entry->key, scratch, &known, e);
    if (rc <= 0)
        return rc;
    if (known.has_lead_id && !uuid_eq(&known.lead_id, &lead->id)) {
        lead->key = (struct hash128){{0}};
        lead->known_absent = true;
        return 0;
    }
    if (known_address(edit, lead, &known, scratch, e) != 0)
        return -1;
    lead->known_absent = (known.flags & KNOWN_DELETED_THERE) != 0 ||
                         (known.flags & (KNOWN_REMOVED | KNOWN_AWAY)) == KNOWN_REMOVED;
    return 0;
}

static int take_lead(struct lead_edit *edit, const struct entry *entry, struct arena *scratch, struct err *e)
{
    struct edited_lead *lead = lead_edit_lead_new(edit, e);
    if (lead == NULL)
        return -1;
    lead->id = entry->lead_id;
    lead->has_id = true;
    lead->key = entry->key;
    if (recall(edit, lead, entry, scratch, e) != 0)
        return -1;
    return arena_str(&edit->arena, entry->key_text, &lead->key_text) == 0 &&
                   arena_str(&edit->arena, entry->key_text, &lead->email) == 0
               ? 0
               : err_oom(e);
}

/* What a run did to leads that it did not create. */
struct changes {
    uint64_t updates, moves;
    bool old_values; /* the results tell some */
};

static void count_change(struct changes *c, const struct entry *entry, enum op op)
{
    bool only_moved = op == OP_MOVE && entry->changes.n == 0;
    c->updates += !only_moved;
    c->moves += only_moved;
    c->old_values = c->old_values || entry->changes.n > 0;
}

static int read_run(struct lead_edit *edit, uint64_t run, bool changed, struct changes *changes, struct err *e)
{
    struct results *results;
    struct arena arena;
    struct entry entry;
    enum op op;
    uint32_t target;
    int rc;
    if (state_results_open(edit->state, run, &results, e) != 0)
        return -1;
    arena_init(&arena, RUN_ARENA_MAX);
    while ((rc = state_results_next(results, &arena, &entry, &op, &target, e)) > 0) {
        bool wanted = entry.outcome == OUTCOME_CREATED || (changed && entry.outcome == OUTCOME_CHANGED);
        if (entry.outcome == OUTCOME_CHANGED)
            count_change(changes, &entry, op);
        if (wanted && entry.has_lead_id && (rc = take_lead(edit, &entry, &arena, e)) != 0)
            break;
        arena_reset(&arena);
    }
    arena_free(&arena);
    state_results_close(results);
    return rc;
}

struct looked {
    struct lead_edit *edit;
    struct edited_lead **leads;
    bool *there;
    size_t n;
};

/* The id is that of another person's lead: an answer may have named the wrong one. */
static bool is_other_person(const struct lead_edit *edit, struct edited_lead *lead, struct str email)
{
    bool other = false;
    if (email.n > 0 && lead->known_hashes.n > 0)
        other = !state_address_unchanged(edit->state, lead->known_hashes, email);
    else if (email.n > 0 && lead->known_email.n > 0)
        other = !mapping_same_address(lead->known_email, email);
    if (other)
        lead->detail = STR("the lead that has its id has another address");
    return other;
}

static int see_present(void *ctx, const struct remote_lead *remote, struct err *e)
{
    struct looked *l = ctx;
    for (size_t i = 0; i < l->n; i++)
        if (uuid_eq(&l->leads[i]->id, &remote->id) && !is_other_person(l->edit, l->leads[i], remote->email)) {
            l->there[i] = true;
            return lead_edit_lead_read(l->edit, l->leads[i], remote, e);
        }
    return 0;
}

/* A list may lag behind, so that one that it leaves out is asked for itself: 1 it is there, 0, -1 */
static int ask_for_present(struct lead_edit *edit, struct edited_lead *lead, struct err *e)
{
    struct remote_lead remote;
    int found = by_hand_find(edit->api, &lead->id, &remote, e);
    if (found <= 0)
        return found;
    if (is_other_person(edit, lead, remote.email))
        return 0;
    return lead_edit_lead_read(edit, lead, &remote, e) != 0 ? -1 : 1;
}

/* The state learns of it with the deletion of the others, where it did not know already. */
static void is_missing(struct lead_edit *edit, struct edited_lead *lead, bool taken_back)
{
    lead_edit_outcome(lead, OUTCOME_SKIPPED, REASON_DELETED_THERE, 0);
    lead->missing = true;
    if (lead->detail.n == 0)
        lead->detail = STR("no longer in Instantly");
    edit->newly_absent += taken_back && !lead->known_absent;
}

/* Where they are now, and whether they are in a conversation. One that the list leaves out is asked for itself, unless the state
 * knew that it is gone. */
static int look_at(struct lead_edit *edit, size_t first, size_t n, bool taken_back, struct err *e)
{
    struct edited_lead *leads[LEADS_LIST_MAX];
    bool there[LEADS_LIST_MAX] = {false};
    static const struct hash128 none;
    for (size_t i = 0; i < n; i++)
        leads[i] = &edit->leads[first + i];
    struct looked looked = {edit, leads, there, n};
    if (lead_edit_look(edit, leads, n, see_present, &looked, e) != 0)
        return -1;
    for (size_t i = 0; i < n; i++) {
        bool sure = (leads[i]->known_absent && !hash128_eq(&leads[i]->key, &none)) || leads[i]->detail.n > 0;
        int found = there[i] ? 1 : sure ? 0 : ask_for_present(edit, leads[i], e);
        if (found < 0)
            return -1;
        if (found == 0)
            is_missing(edit, leads[i], taken_back);
        else if (taken_back && leads[i]->contacted)
            lead_edit_outcome(leads[i], OUTCOME_SKIPPED, REASON_CONTACTED, 0);
        /* Only a removal is news to the sync. With its key any other write would replace what the state knows of the lead. */
        if (!taken_back)
            leads[i]->key = none;
    }
    return 0;
}

/* Results are kept for some runs only: what the run's report counts and the state does not know is not passed over. */
static void count_unknown(struct lead_edit *edit, const struct run_record *run, bool changed, struct changes *changes)
{
    uint64_t known_changed = changes->updates + changes->moves;
    uint64_t reported_changed = report_read_rows(run->report, "changed");
    uint64_t reported = report_read_rows(run->report, "created") + (changed ? reported_changed : 0);
    if (reported_changed > known_changed)
        changes->updates += reported_changed - known_changed;
    edit->unknown = reported > edit->leads_n ? reported - edit->leads_n : 0;
    if (edit->unknown > 0)
        log_warning("run %llu created %s%llu more lead%s, whose id%s the state does not keep", (unsigned long long)run->id,
                    changed ? "or changed " : "", (unsigned long long)edit->unknown, text_plural(edit->unknown),
                    text_plural(edit->unknown));
}

/* Taking back means to delete what was created: the rest must not look as if it were undone, too. */
static void report_changes_stay(uint64_t run, const struct changes *c)
{
    unsigned long long id = run;
    if (c->updates > 0 && c->old_values)
        log_warning("%llu update%s of run %llu %s not taken back; %s old values are in leadsync results --run %llu",
                    (unsigned long long)c->updates, text_plural(c->updates), id, c->updates == 1 ? "is" : "are",
                    c->updates == 1 ? "its" : "their", id);
    else if (c->updates > 0)
        log_warning("%llu update%s of run %llu %s not taken back", (unsigned long long)c->updates, text_plural(c->updates),
                    id, c->updates == 1 ? "is" : "are");
    if (c->moves > 0)
        log_warning("%llu move%s of run %llu %s not taken back; leadsync move --run %llu moves leads of a run",
                    (unsigned long long)c->moves, text_plural(c->moves), id, c->moves == 1 ? "is" : "are", id);
}

int lead_edit_find_run(struct lead_edit *edit, uint64_t run, enum edit_run which, struct err *e)
{
    struct run_record record;
    struct changes changes = {0};
    if (edit->state == NULL && access(edit->c.state_path, F_OK) != 0)
        return state_missing(edit->c.state_path, e);
    if (lead_edit_state_open(edit, e) != 0)
        return -1;
    int rc = state_run_get(edit->state, run, &edit->arena, &record, e);
    if (rc == 0)
        return err_set(e, XS_USAGE, "sync \"%s\" has no run %llu; leadsync status lists its runs", state_sync(edit->state),
                       (unsigned long long)run);
    if (rc < 0 || read_run(edit, run, which == EDIT_RUN_WRITTEN, &changes, e) != 0)
        return -1;
    count_unknown(edit, &record, which == EDIT_RUN_WRITTEN, &changes);
    if (which == EDIT_RUN_CREATED)
        report_changes_stay(run, &changes);
    for (size_t at = 0; at < edit->leads_n; at += LEADS_LIST_MAX) {
        size_t n = edit->leads_n - at < LEADS_LIST_MAX ? edit->leads_n - at : LEADS_LIST_MAX;
        if (look_at(edit, at, n, which == EDIT_RUN_CREATED, e) != 0)
            return -1;
    }
    return 0;
}
