/* Which rows `results` shows. */
#include "config.h"

#include "sync/cli/history/results_pick.h"

#include "sync/model/change.h"
#include "sync/state/forget/trace.h"

#include <string.h>

enum { ARENA_BYTES = 64 << 20, CHANGES_BYTES = 1 << 20 };

/* --outcome may be repeated and may hold commas. None: all but unchanged. */
static int choose_outcomes(const struct opt_list *texts, bool wanted[OUTCOME_N], struct err *e)
{
    for (int o = OUTCOME_NONE + 1; o < OUTCOME_N; o++)
        wanted[o] = texts->n == 0 && o != OUTCOME_UNCHANGED;
    for (size_t i = 0; i < texts->n; i++) {
        for (const char *part = texts->v[i];;) {
            struct str name = {part, strcspn(part, ",")};
            int outcome = outcome_find(name);
            if (outcome <= OUTCOME_NONE || outcome == OUTCOME_UNCHANGED) /* which no row is recorded with */
                return err_set(e, XS_USAGE,
                               "--outcome \"%.*s\" is not one of created, changed, skipped, rejected, failed, deferred, "
                               "removed",
                               STR_ARG(name));
            wanted[outcome] = true;
            if (part[name.n] == '\0')
                break;
            part += name.n + 1;
        }
    }
    return 0;
}

/* --reason, in the same way. None: every one. */
static int choose_reasons(const struct opt_list *texts, bool wanted[REASON_N], struct err *e)
{
    for (int i = 0; i < REASON_N; i++)
        wanted[i] = texts->n == 0;
    for (size_t i = 0; i < texts->n; i++) {
        for (const char *part = texts->v[i];;) {
            struct str name = {part, strcspn(part, ",")};
            int reason = reason_find(name);
            if (reason < 0)
                return err_set(e, XS_USAGE, "--reason \"%.*s\" is not a reason; docs/ERRORS.md lists them", STR_ARG(name));
            wanted[reason] = true;
            if (part[name.n] == '\0')
                break;
            part += name.n + 1;
        }
    }
    return 0;
}

int results_pick_init(struct results_pick *pick, const struct opt_list *outcomes, const struct opt_list *reasons,
                      const char *match, struct err *e)
{
    buf_init(&pick->changes, CHANGES_BYTES);
    arena_init(&pick->arena, ARENA_BYTES);
    if (match_init(&pick->match, match) != 0)
        return err_oom(e);
    return choose_outcomes(outcomes, pick->wanted, e) != 0 ? -1 : choose_reasons(reasons, pick->reasons, e);
}

void results_pick_free(struct results_pick *pick)
{
    match_free(&pick->match);
    buf_free(&pick->changes);
    arena_free(&pick->arena);
}

/* As people read them: "first_name: Ann -> Anna". */
static int in_changes(struct results_pick *pick, struct str changes)
{
    buf_reset(&pick->changes);
    return change_show(changes, &pick->changes) != 0 ? -1 : match_text(&pick->match, buf_str(&pick->changes));
}

/* The values that were last written for the lead of this key, perhaps by a later run: a result has none. 1/0/-1 */
static int in_lead(struct results_pick *pick, struct state *state, const struct hash128 *key, struct err *e)
{
    struct known_lead known;
    struct lead lead;
    static const struct hash128 none;
    if (hash128_eq(key, &none))
        return 0;
    arena_reset(&pick->arena);
    int rc = state_lead_get(state, key, &pick->arena, &known, e);
    if (rc == 1)
        rc = state_values_unpack(state, known.values, &pick->arena, &lead, e);
    if (rc != 1)
        return rc;
    int found = match_lead(&pick->match, &lead);
    return found < 0 ? err_oom(e) : found;
}

int results_pick_has(struct results_pick *pick, struct state *state, const struct entry *entry, struct err *e)
{
    char id[UUID_TEXT_N];
    if (!pick->wanted[entry->outcome] || !pick->reasons[entry->reason])
        return 0;
    if (!match_wants(&pick->match))
        return 1;
    const struct str texts[] = {entry->key_text, entry->detail,
                                entry->has_lead_id ? str_from(uuid_format(&entry->lead_id, id)) : STR_NONE};
    match_row(&pick->match);
    int found = in_changes(pick, entry->changes);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0] && found == 0; i++)
        found = match_text(&pick->match, texts[i]);
    /* Of rows that are to be corrected the cells are kept: a name may be all that is known of a person. */
    if (found == 0)
        found = match_cells(&pick->match, entry->cells);
    if (found != 0)
        return found < 0 ? err_oom(e) : 1;
    return in_lead(pick, state, &entry->key, e);
}

int results_pick_run_has(struct results_pick *pick, struct state *state, uint64_t run, struct err *e)
{
    struct results *results = NULL;
    struct arena arena;
    struct entry entry;
    enum op op;
    uint32_t target;
    int rc = -1, found = 0;
    arena_init(&arena, ARENA_BYTES);
    if (state_results_open_all(state, run, &results, e) != 0)
        goto done;
    while (found == 0 && (rc = state_results_next(results, &arena, &entry, &op, &target, e)) > 0) {
        found = results_pick_has(pick, state, &entry, e);
        arena_reset(&arena);
    }
    rc = found != 0 ? found : rc;
done:
    state_results_close(results);
    arena_free(&arena);
    return rc;
}
