/* Updates without a read before them.
 *
 * Whether a PATCH merges custom variables with those of the lead, or replaces them, is not documented. Under "replaces" the
 * complete set has to be sent, which has to be read first. So answers are looked at: one PATCH of a lead that was read leaves
 * out a variable, the witness, and the answer shows whether the lead still has it. The state keeps what was seen, with its date.
 *
 * Once PATCH merges, an update that changes only variables is sent without a read, if its lead has a witness by the row. So
 * every answer shows again that PATCH merges. What it did yesterday may not be so today: the first such PATCH of a run goes
 * alone, the others wait for its answer. The first answer without the witness ends it: the lost variables are sent again,
 * from the row, which the intent has. A crash before that leaves the intent open; the next run compares all values.
 *
 * Moves, edits by hand and `if-empty` always read first. */
#include "config.h"

#include "sync/upload/upload_int.h"

#include <string.h>

#include "sync/base/log.h"
#include "sync/plan/plan.h"
#include "sync/upload/proof/proof.h"

enum { TRIAL_WAIT_US = 5 * 1000 * 1000 };
static const int64_t doubt_after_ms = INT64_C(30) * 24 * 3600 * 1000; /* "replaces" is looked at again after this time */

/* ---- what is known ---- */

static bool update_unread_may(const struct batch_run *b)
{
    const struct upload *u = b->u;
    return b->record.op == OP_UPDATE && !b->earlier && !u->c.by_hand && !u->patch.off;
}

static void update_unread_record(struct upload *u, enum patch_variables seen)
{
    struct err e = ERR_INIT;
    struct patch_use *patch = &u->patch;
    bool news = seen != patch->known.variables, first = news || !patch->agreed;
    char text[PATCH_EFFECT_TEXT_N];
    patch->known = (struct patch_effect){seen, u->c.clock->wall_ms(u->c.clock)};
    patch->agreed = seen == PATCH_MERGES;
    if (news)
        log_notice("a PATCH in this workspace %s; updates of variables alone %s",
                   state_patch_effect_text(&patch->known, text),
                   seen == PATCH_MERGES ? "need no read before them" : "are read before they are written");
    if (first && state_patch_effect_set(u->c.state, &patch->known, &e) != 0)
        upload_fail(u, &e);
    err_clear(&e);
}

/* ---- sending ---- */

static bool update_unread_flags(const struct batch_run *b, uint32_t i, const struct wanted_lead *wanted)
{
    const struct str *changed = &b->progress[i].custom_changed;
    if (changed->n != wanted->lead.shape->custom_n)
        return false;
    for (size_t c = 0; c < changed->n; c++)
        wanted->custom[c] = changed->p[c] != 0;
    return true;
}

/* Sends entry i, if it needs no read. */
static bool update_unread_send(struct batch_run *b, uint32_t i)
{
    const struct mapping *m = b->u->c.mapping;
    const struct entry_progress *progress = &b->progress[i];
    struct wanted_lead wanted;
    bool sends = progress->custom_changed.n > 0 && progress->state == ENTRY_OPEN && wanted_lead_open(b, i, &wanted) == 0;
    if (!sends)
        return false;
    if (update_unread_flags(b, i, &wanted) && plan_needs_no_read(m, &wanted.lead, progress->fields, wanted.custom)) {
        b->progress[i].witness = (uint32_t)plan_witness(m, &wanted.lead, wanted.custom);
        update_patch(b, i, &wanted, NULL, OUTCOME_CHANGED);
    } else {
        sends = false;
    }
    wanted_lead_free(&wanted);
    return sends;
}

static void update_unread_wake(struct batch_slice *s)
{
    if (s->batch->u->patch.trial)
        update_read(s); /* its answer takes too long */
    else
        update_unread_start(s);
}

void update_unread_start(struct batch_slice *s)
{
    struct batch_run *b = s->batch;
    struct patch_use *patch = &b->u->patch;
    size_t n = 0;
    if (!update_unread_may(b) || patch->known.variables != PATCH_MERGES) {
        update_read(s);
        return;
    }
    for (size_t k = 0; k < s->n; k++) {
        uint32_t i = s->index[k];
        if (patch->trial || !update_unread_send(b, i))
            s->index[n++] = i;
    }
    s->n = n;
    if (n == 0)
        slice_free(s);
    else if (patch->trial)
        slice_wait(s, TRIAL_WAIT_US, update_unread_wake);
    else
        update_read(s);
}

/* Slices that wait for the trial go on in the next step. */
static void update_unread_trial_over(struct upload *u)
{
    u->patch.trial = false;
    for (struct batch_slice *s = u->waiting; s != NULL; s = s->next)
        if (s->wake == update_unread_wake)
            s->due_us = 0;
}

void update_unread_probe(struct batch_run *b, uint32_t i, struct wanted_lead *wanted, const struct remote_lead *remote)
{
    const struct upload *u = b->u;
    const struct patch_use *patch = &u->patch;
    const struct patch_effect *known = &patch->known;
    bool stale = u->c.clock->wall_ms(u->c.clock) - known->seen_ms > doubt_after_ms;
    bool unsure = known->variables == PATCH_UNKNOWN || patch->doubtful || (known->variables == PATCH_REPLACES && stale);
    bool writes = false;
    struct value there;
    if (!update_unread_may(b) || !unsure || patch->trial || b->progress[i].rounds > 0)
        return;
    for (size_t c = 0; c < wanted->lead.shape->custom_n; c++)
        writes = writes || wanted->custom[c];
    /* Only a variable that the row has too: a crash right after a PATCH that loses it must not lose its value. */
    int witness = writes ? plan_witness(u->c.mapping, &wanted->lead, wanted->custom) : -1;
    if (witness < 0)
        return;
    api_remote_custom(remote, wanted->lead.shape->custom_names[witness], &there);
    if (there.kind == VALUE_ABSENT || !plan_value_is(&there, &wanted->lead.custom[witness]))
        return;
    wanted->left_out = (size_t)witness + 1;
    b->progress[i].witness = (uint32_t)witness;
}

/* ---- answers ---- */

bool update_unread_kept(const struct batch_run *b, uint32_t i, const struct remote_lead *remote)
{
    const struct entry_progress *progress = &b->progress[i];
    struct value there;
    if (!progress->partial)
        return true;
    api_remote_custom(remote, b->u->c.mapping->shape.custom_names[progress->witness], &there);
    return there.kind > VALUE_NULL;
}

int update_unread_flag_lost(struct batch_run *b, uint32_t i, struct wanted_lead *wanted, const struct remote_lead *remote)
{
    struct entry_progress *progress = &b->progress[i];
    const enum overwrite *rules = b->u->c.mapping->overwrite;
    size_t n = wanted->lead.shape->custom_n;
    char *flags = arena_calloc(&b->arena, n + 1, 1);
    if (flags == NULL)
        return -1;
    for (size_t c = 0; c < n; c++) {
        struct value there;
        api_remote_custom(remote, wanted->lead.shape->custom_names[c], &there);
        bool lost = there.kind <= VALUE_NULL && wanted->lead.custom[c].kind > VALUE_NULL &&
                    rules[LEAD_FIELD_N + c] == OVERWRITE_ALWAYS;
        flags[c] = lost || (c < progress->custom_changed.n && progress->custom_changed.p[c] != 0);
    }
    progress->custom_changed = (struct str){flags, n};
    return 0;
}

/* The answer is the lead as it is now, so that no read is needed before its variables are sent again. */
static void update_unread_repair(struct batch_run *b, uint32_t i, const struct remote_lead *remote, enum outcome proved)
{
    struct wanted_lead wanted;
    char id[UUID_TEXT_N];
    log_notice("a PATCH has removed custom variables of lead %s; sending them again", uuid_format(&remote->id, id));
    if (wanted_lead_open(b, i, &wanted) == 0) {
        if (update_unread_flag_lost(b, i, &wanted, remote) != 0)
            upload_fail_oom(b->u);
        update_unread_flags(b, i, &wanted);
        wanted.fields = b->progress[i].fields;
        batch_entry_advance(b, i, ENTRY_OPEN);
        update_patch(b, i, &wanted, remote, proved);
    }
    wanted_lead_free(&wanted);
}

bool update_unread_learns(struct batch_run *b, uint32_t i, const struct api_reply *reply, enum outcome proved)
{
    struct patch_use *patch = &b->u->patch;
    struct remote_lead remote;
    struct err ignored = ERR_INIT;
    if (!b->progress[i].partial || api_remote_lead_read(reply->json, &remote, &ignored) != 0) {
        err_clear(&ignored);
        return false;
    }
    bool kept = update_unread_kept(b, i, &remote);
    /* A single variable may also have been removed by hand. The next lead that is read shows which it was. */
    patch->doubtful = !kept && patch->known.variables == PATCH_MERGES;
    update_unread_record(b->u, kept ? PATCH_MERGES : PATCH_REPLACES);
    update_unread_trial_over(b->u);
    if (!kept)
        update_unread_repair(b, i, &remote, proved);
    return !kept;
}

void update_unread_untold(struct batch_run *b, uint32_t i, const struct api_reply *reply)
{
    struct entry_progress *progress = &b->progress[i];
    struct remote_lead remote;
    struct err ignored = ERR_INIT;
    char id[UUID_TEXT_N];
    if (!progress->partial)
        return;
    if (reply->class == API_OK && api_remote_lead_read(reply->json, &remote, &ignored) == 0 &&
        lead_match_differs(b, i, &remote))
        log_warning("row %llu: lead %s has another address in Instantly than in the state, and its variables were written",
                    (unsigned long long)b->record.entries[i].row, uuid_format(&remote.id, id));
    err_clear(&ignored);
    /* A lead that is gone, or a refused value, says nothing about variables. */
    b->u->patch.off = b->u->patch.off || reply->class == API_OK || reply->class == API_UNKNOWN;
    update_unread_trial_over(b->u);
}
