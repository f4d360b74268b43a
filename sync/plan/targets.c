/* Resolves the names of targets to ids, once at the start of a run. */
#include "config.h"

#include "sync/plan/targets.h"

#include <stdlib.h>
#include <string.h>

enum { TARGETS_ARENA_MAX = 16 << 20, TARGET_UNMET = 1 << 30 };

static int targets_add(struct targets *t, struct run_target **out, struct err *e)
{
    struct run_target *v = realloc(t->v, (t->n + 1) * sizeof *v);
    if (v == NULL)
        return err_oom(e);
    t->v = v;
    *out = &v[t->n++];
    **out = (struct run_target){.target = {.status = TARGET_STATUS_UNKNOWN}};
    return 0;
}

static int targets_find_one(struct targets *t, const struct target_spec *spec, struct api *api, bool ask, struct err *e)
{
    struct run_target *rt;
    if (targets_add(t, &rt, e) != 0)
        return -1;
    rt->target.kind = spec->kind;
    if (api != NULL)
        return api_target_find(api, spec, ask, &t->arena, &rt->target, e);
    if (uuid_parse(str_from(spec->text), &rt->target.id) == 0)
        return 0;
    return err_set(e, XS_KEY,
                   "no API key, and %s \"%s\" is a name that only Instantly can turn into an id: set "
                   "INSTANTLY_API_KEY, or give the UUID",
                   target_kind_text(spec->kind), spec->text);
}

bool targets_promote_same(const struct mapping *m)
{
    const struct target_spec *promote = &m->stage.promote;
    return promote->kind == m->target.kind && strcmp(promote->text, m->target.text) == 0;
}

int targets_promote_judge(const struct mapping *m, const struct target *promote, const struct target *target, struct err *e)
{
    const struct target_spec *to = &m->stage.promote;
    if (target_eq(promote, target))
        return 0;
    return err_set(e, XS_CONFIG,
                   "stage: promotes leads to %s \"%s\", and target: is %s \"%s\": name the same target in both",
                   target_kind_text(to->kind), to->text, target_kind_text(m->target.kind), m->target.text);
}

/* Finds the list of the stage. It must promote to the target itself; otherwise it would be unclear where a lead belongs. */
static int find_stage(struct targets *t, const struct mapping *m, struct api *api, bool ask, struct err *e)
{
    if (targets_find_one(t, &m->stage.list, api, ask, e) != 0)
        return -1;
    t->created_n = t->n;
    if (targets_promote_same(m))
        return 0;
    if (targets_find_one(t, &m->stage.promote, api, ask, e) != 0)
        return -1;
    return targets_promote_judge(m, &t->v[--t->n].target, &t->v[0].target, e);
}

int targets_find(struct targets *t, const struct mapping *m, struct api *api, bool ask, struct err *e)
{
    *t = (struct targets){0};
    arena_init(&t->arena, TARGETS_ARENA_MAX);
    if (m->routes_n == 0) {
        if (targets_find_one(t, &m->target, api, ask, e) != 0)
            return -1;
    }
    for (size_t r = 0; r < m->routes_n; r++)
        if (targets_find_one(t, &m->routes[r].target, api, ask, e) != 0)
            return -1;
    if (m->routes_n > 0 && m->route_otherwise == OTHERWISE_TARGET &&
        targets_find_one(t, &m->route_default, api, ask, e) != 0)
        return -1;
    t->mapped_n = t->created_n = t->n;
    if (m->stage.on && find_stage(t, m, api, ask, e) != 0)
        return -1;
    const struct removal *removal;
    t->removals_at = t->n;
    for (size_t i = 0; (removal = targets_policy(m, i)) != NULL; i++)
        if (removal->policy == REMOVAL_MOVE && targets_find_one(t, &removal->to, api, ask, e) != 0)
            return -1;
    return 0;
}

int targets_ask_sending(struct targets *t, struct api *api, struct err *e)
{
    for (size_t i = 0; i < t->mapped_n; i++)
        if (t->v[i].target.status != TARGET_STATUS_UNKNOWN && api_target_sending(api, &t->v[i].target, e) != 0)
            return -1;
    return 0;
}

const struct removal *targets_policy(const struct mapping *m, size_t i)
{
    static const struct removal keep = {.policy = REMOVAL_KEEP};
    if (i > 0)
        return mapping_skip_then(m, i - 1);
    return m->mode == MODE_MIRROR ? &m->removed : &keep;
}

const struct run_target *targets_of_policy(const struct targets *t, const struct mapping *m, size_t i)
{
    size_t at = t->removals_at;
    for (size_t before = 0; before < i; before++)
        at += targets_policy(m, before)->policy == REMOVAL_MOVE;
    return targets_policy(m, i)->policy == REMOVAL_MOVE ? &t->v[at] : NULL;
}

int targets_number(struct targets *t, struct state *s, bool accept, struct err *e)
{
    for (size_t i = 0; i < t->n; i++) {
        if (state_target_put(s, &t->v[i].target, accept, &t->v[i].number, e) != 0)
            return -1;
        /* A dry run stores no number for a new target, but needs different numbers for different targets. */
        if (t->v[i].number == 0)
            t->v[i].number = TARGET_UNMET + (uint32_t)i;
    }
    return 0;
}

const struct target *targets_get(struct targets *t, struct state *s, uint32_t number, struct err *e)
{
    for (size_t i = 0; i < t->n; i++)
        if (t->v[i].number == number)
            return &t->v[i].target;
    struct target found;
    int rc = state_target_get(s, number, &t->arena, &found, e);
    if (rc < 0)
        return NULL;
    if (rc == 0) {
        err_set(e, XS_STATE, "the state has no target %u; restore the state from a backup", number);
        return NULL;
    }
    struct run_target *rt;
    if (targets_add(t, &rt, e) != 0)
        return NULL;
    *rt = (struct run_target){found, number};
    return &rt->target;
}

int targets_meet(struct targets *t, struct state *s, const struct target *place, uint32_t *number, struct err *e)
{
    struct run_target *rt;
    struct target met = *place;
    met.name = NULL;
    if (state_target_put(s, &met, false, number, e) != 0 || targets_add(t, &rt, e) != 0)
        return -1;
    /* As in targets_number(): a dry run stores no number. */
    if (*number == 0)
        *number = TARGET_UNMET + (uint32_t)t->n;
    *rt = (struct run_target){met, *number};
    return 0;
}

void targets_free(struct targets *t)
{
    free(t->v);
    arena_free(&t->arena);
    *t = (struct targets){0};
}
