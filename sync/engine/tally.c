/* Row counts and the sum that has to close. */
#include "config.h"

#include "sync/engine/tally.h"

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
    jsonw_key(w, "rows");
    jsonw_object(w);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        jsonw_key(w, rows[i].name);
        jsonw_uint(w, rows[i].n);
    }
    jsonw_object_end(w);
    jsonw_key(w, "reasons");
    jsonw_object(w);
    for (size_t r = REASON_NONE + 1; r < REASON_N; r++)
        if (t->reasons[r] > 0) {
            jsonw_key(w, reason_text((enum reason)r));
            jsonw_uint(w, t->reasons[r]);
        }
    jsonw_object_end(w);
}
