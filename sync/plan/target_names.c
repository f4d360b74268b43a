#include "config.h"

#include "sync/plan/target_names.h"

#include <stdlib.h>
#include <string.h>

#include "sync/base/log.h"
#include "sync/state/state.h"

enum { ARENA_MAX = 16 << 20, STATE_BYTES = 4 << 20 };

void target_names_init(struct target_names *p)
{
    *p = (struct target_names){.v = NULL};
    arena_init(&p->arena, ARENA_MAX);
}

void target_names_free(struct target_names *p)
{
    arena_free(&p->arena);
    *p = (struct target_names){.v = NULL};
}

static const struct target *target_names_find(const struct target_names *p, const struct target *t)
{
    for (size_t i = 0; i < p->n; i++)
        if (target_eq(&p->v[i], t))
            return &p->v[i];
    return NULL;
}

bool target_names_know(const struct target_names *p, const struct target *t)
{
    return target_names_find(p, t) != NULL;
}

/* The arena keeps outgrown arrays, together at most as large as the present one. If memory is short, a name is missing. */
void target_names_add(struct target_names *p, const struct target *t)
{
    if (t->name == NULL || target_names_find(p, t) != NULL)
        return;
    if (p->n == p->cap) {
        size_t cap = p->cap == 0 ? 16 : 2 * p->cap;
        struct target *grown = arena_calloc(&p->arena, cap, sizeof *grown);
        if (grown == NULL)
            return;
        if (p->n > 0)
            memcpy(grown, p->v, p->n * sizeof *grown);
        p->v = grown;
        p->cap = cap;
    }
    char *name = arena_dup(&p->arena, t->name, strlen(t->name));
    if (name == NULL)
        return;
    p->v[p->n] = *t;
    p->v[p->n++].name = name;
}

/* Targets are numbered without gaps. */
void target_names_of_state(struct target_names *p, struct state *s)
{
    struct err e = ERR_INIT;
    struct arena arena;
    struct target t;
    arena_init(&arena, ARENA_MAX);
    for (uint32_t i = 1; state_target_get(s, i, &arena, &t, &e) == 1; i++) {
        target_names_add(p, &t);
        arena_reset(&arena);
    }
    arena_free(&arena);
    if (e.status != 0)
        log_detail("names of targets: %s", err_text(&e));
    err_clear(&e);
}

void target_names_of_file(struct target_names *p, const char *path, struct clock *clock)
{
    struct err e = ERR_INIT;
    struct state *s = NULL;
    const struct state_options options = {.path = path, .access = STATE_READ, .memory_max = STATE_BYTES, .clock = clock};
    if (state_open(&options, &s, &e) == 0)
        target_names_of_state(p, s);
    else if (e.status != 0)
        log_detail("names of targets: %s", err_text(&e));
    state_close(s);
    err_clear(&e);
}

void target_names_of_all(struct target_names *p, bool sandbox, const char *except, struct clock *clock)
{
    struct err e = ERR_INIT;
    char **paths = NULL;
    size_t n = 0;
    if (state_find_all(&paths, &n, &e) != 0)
        log_detail("names of targets: %s", err_text(&e));
    for (size_t i = 0; i < n; i++) {
        if (state_path_is_sandbox(paths[i]) == sandbox && (except == NULL || strcmp(paths[i], except) != 0))
            target_names_of_file(p, paths[i], clock);
        free(paths[i]);
    }
    free(paths);
    err_clear(&e);
}

int target_names_show(const struct target_names *p, const struct target *t, struct buf *out)
{
    const struct target *known = t->name == NULL ? target_names_find(p, t) : NULL;
    return target_show(known != NULL ? known : t, out);
}

int target_names_show_text(const struct target_names *p, const char *text, struct buf *out)
{
    char formatted[TARGET_TEXT_N];
    for (size_t i = 0; i < p->n; i++)
        if (strcmp(target_format(&p->v[i], formatted), text) == 0)
            return target_show(&p->v[i], out);
    return buf_adds(out, text);
}
