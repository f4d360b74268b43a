/* Which rows `results` shows. */
#include "config.h"

#include "sync/cli/history/results_pick.h"

#include "sync/base/text.h"

#include <string.h>

enum { MATCH_BYTES = 64 << 20 };

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
                               "--outcome \"%.*s\" is none of created, changed, skipped, rejected, failed, deferred, "
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
            int reason = REASON_NONE + 1;
            while (reason < REASON_N && !str_is(name, reason_text((enum reason)reason)))
                reason++;
            if (reason == REASON_N)
                return err_set(e, XS_USAGE, "--reason \"%.*s\" is no reason; docs/ERRORS.md and man leadsync list them",
                               STR_ARG(name));
            wanted[reason] = true;
            if (part[name.n] == '\0')
                break;
            part += name.n + 1;
        }
    }
    return 0;
}

int results_pick_init(struct results_pick *pick, const struct opt_list *outcomes, const struct opt_list *reasons, const char *match,
                      struct err *e)
{
    buf_init(&pick->match, MATCH_BYTES);
    buf_init(&pick->folded, MATCH_BYTES);
    if (choose_outcomes(outcomes, pick->wanted, e) != 0 || choose_reasons(reasons, pick->reasons, e) != 0)
        return -1;
    return match == NULL || text_fold(str_from(match), &pick->match) == 0 ? 0 : err_oom(e);
}

void results_pick_free(struct results_pick *pick)
{
    buf_free(&pick->match);
    buf_free(&pick->folded);
}

/* 1/0/-1 (memory) */
static int has_match(struct results_pick *pick, struct str text)
{
    if (text.n == 0)
        return 0;
    buf_reset(&pick->folded);
    return text_fold(text, &pick->folded) != 0 ? -1 : str_find(buf_str(&pick->folded), buf_str(&pick->match)) != NULL;
}

int results_pick_has(struct results_pick *pick, const struct entry *entry)
{
    char id[UUID_TEXT_N];
    if (!pick->wanted[entry->outcome] || !pick->reasons[entry->reason])
        return 0;
    if (pick->match.n == 0)
        return 1;
    const struct str texts[] = {entry->key_text, entry->detail, entry->changes,
                                entry->has_lead_id ? str_from(uuid_format(&entry->lead_id, id)) : STR_NONE};
    int found = 0;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0] && found == 0; i++)
        found = has_match(pick, texts[i]);
    /* Of rows that are to be corrected the cells are kept: a name may be all that is known of a person. */
    struct cell cell;
    const char *p = entry->cells.p, *end = p != NULL ? p + entry->cells.n : p;
    while (found == 0 && p != end && cells_next(&p, end, &cell) > 0)
        found = has_match(pick, (struct str){cell.p, cell.n});
    return found;
}

int results_pick_run_has(struct results_pick *pick, struct state *state, uint64_t run, struct err *e)
{
    struct results *results = NULL;
    struct arena arena;
    struct entry entry;
    enum op op;
    uint32_t target;
    int rc = -1, found = 0;
    arena_init(&arena, MATCH_BYTES);
    if (state_results_open_all(state, run, &results, e) != 0)
        goto done;
    while (found == 0 && (rc = state_results_next(results, &arena, &entry, &op, &target, e)) > 0) {
        found = results_pick_has(pick, &entry);
        arena_reset(&arena);
    }
    if (found < 0)
        err_oom(e);
    rc = found != 0 ? found : rc;
done:
    state_results_close(results);
    arena_free(&arena);
    return rc;
}
