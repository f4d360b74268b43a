/* Counts rows by outcome and reason, and checks that the outcomes add up to the rows read. */
#include "config.h"

#include "sync/report/tally.h"

#include <stdlib.h>

void tally_free(struct tally *t)
{
    free(t->targets);
    t->targets = NULL;
    t->targets_n = 0;
}

static struct tally_target *find_target(struct tally *t, uint32_t number)
{
    for (size_t i = 0; i < t->targets_n; i++)
        if (t->targets[i].number == number)
            return &t->targets[i];
    struct tally_target *grown = realloc(t->targets, (t->targets_n + 1) * sizeof *grown);
    if (grown == NULL)
        return NULL;
    t->targets = grown;
    t->targets[t->targets_n] = (struct tally_target){.number = number};
    return &t->targets[t->targets_n++];
}

int tally_in_target(struct tally *t, const struct tally_change *change)
{
    bool created = change->outcome == OUTCOME_CREATED, changed = change->outcome == OUTCOME_CHANGED;
    bool removed = change->outcome == OUTCOME_REMOVED;
    if (!created && !changed && !removed && !change->moved)
        return 0;
    struct tally_target *target = find_target(t, change->number);
    if (target == NULL)
        return -1;
    /* Unsigned arithmetic: adding -1 subtracts one. */
    uint64_t by = (uint64_t)(int64_t)change->by;
    target->created += created ? by : 0;
    target->changed += changed ? by : 0;
    target->removed += removed ? by : 0;
    target->moved += change->moved ? by : 0;
    return 0;
}

void tally_row(struct tally *t, enum outcome outcome, enum reason reason)
{
    t->outcomes[outcome]++;
    if (reason != REASON_NONE)
        t->reasons[reason]++;
}

void tally_row_undo(struct tally *t, enum outcome outcome, enum reason reason)
{
    t->outcomes[outcome]--;
    if (reason != REASON_NONE)
        t->reasons[reason]--;
}

void tally_removal(struct tally *t, enum outcome outcome)
{
    if (outcome == OUTCOME_REMOVED)
        t->outcomes[OUTCOME_REMOVED]++;
    else if (outcome != OUTCOME_SKIPPED)
        t->removals_left++;
}

uint64_t tally_decided(const struct tally *t)
{
    static const enum outcome of_rows[] = {OUTCOME_CREATED,  OUTCOME_CHANGED,  OUTCOME_UNCHANGED, OUTCOME_SKIPPED,
                                           OUTCOME_REJECTED, OUTCOME_DEFERRED, OUTCOME_FAILED};
    uint64_t sum = 0;
    for (size_t i = 0; i < sizeof of_rows / sizeof of_rows[0]; i++)
        sum += t->outcomes[of_rows[i]];
    return sum;
}

bool tally_closes(const struct tally *t)
{
    return tally_decided(t) == t->read && t->outcomes[OUTCOME_NONE] == 0;
}

void tally_cut_short(struct tally *t)
{
    for (uint64_t n = tally_decided(t); n < t->read; n++)
        tally_row(t, OUTCOME_DEFERRED, REASON_INTERRUPTED);
}

void tally_json(const struct tally *t, struct jsonw *w)
{
    const struct {
        const char *name;
        uint64_t n;
    } rows[] = {
        {"read", t->read},
        {"created", t->outcomes[OUTCOME_CREATED]},
        {"changed", t->outcomes[OUTCOME_CHANGED]},
        {"updated", t->updated},
        {"moved", t->moved},
        {"unchanged", t->outcomes[OUTCOME_UNCHANGED]},
        {"skipped", t->outcomes[OUTCOME_SKIPPED]},
        {"rejected", t->outcomes[OUTCOME_REJECTED]},
        {"failed", t->outcomes[OUTCOME_FAILED]},
        {"deferred", t->outcomes[OUTCOME_DEFERRED]},
        {"removed", t->outcomes[OUTCOME_REMOVED]},
        {"settled", t->settled},
        {"retried", t->retried},
        {"skipped_active", t->skipped_active},
    };
    jsonw_member_object(w, "rows");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        jsonw_member_uint(w, rows[i].name, rows[i].n);
    jsonw_object_end(w);
    jsonw_member_object(w, "reasons");
    for (size_t r = REASON_NONE + 1; r < REASON_N; r++)
        if (t->reasons[r] > 0)
            jsonw_member_uint(w, reason_text((enum reason)r), t->reasons[r]);
    jsonw_object_end(w);
}
