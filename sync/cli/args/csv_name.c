#include "config.h"

#include "sync/cli/args/csv_name.h"

#include "sync/base/log.h"
#include "sync/base/text.h"
#include "sync/cli/client.h"
#include "sync/cli/args/state_list.h"
#include "sync/state/state.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DIGEST_N = 8, STATE_BYTES = 4 << 20, ARENA_BYTES = 4 << 20, LIST_BYTES = 1 << 14 };

struct search {
    const struct common *c;
    const struct mapping *m;
    struct arena arena;
    struct uuid found; /* the id that the target's name means in the last state that knows it */
    size_t n;          /* states that know it */
    struct buf list;   /* of them, for a message */
};

/* True if this is the name of a sync of this file into the target with that id. */
static bool is_name_of(const struct mapping *m, const char *sync, const struct uuid *id)
{
    char text[UUID_TEXT_N], hex[SHA256_HEX_N];
    size_t stem_n = strlen(m->name);
    return strlen(sync) == stem_n + 1 + DIGEST_N && strncmp(sync, m->name, stem_n) == 0 && sync[stem_n] == '-' &&
           sha256_hex(uuid_format(id, text), UUID_TEXT_N - 1, hex) == 0 && strncmp(sync + stem_n + 1, hex, DIGEST_N) == 0;
}

/* 1: the state is of this file and target; 0 */
static int look_into(struct search *s, struct state *state, struct err *e)
{
    struct target t;
    int rc;
    for (uint32_t number = 1; (rc = state_target_get(state, number, &s->arena, &t, e)) == 1; number++)
        if (t.kind == s->m->target.kind && t.name != NULL && strcmp(t.name, s->m->target.text) == 0 &&
            is_name_of(s->m, state_sync(state), &t.id)) {
            s->found = t.id;
            return 1;
        }
    return rc;
}

/* Skip a state that cannot be read, because it may belong to another sync. */
static int csv_name_look_at(struct search *s, const char *path)
{
    struct err e = ERR_INIT;
    struct state *state = NULL;
    const struct state_options options = {.path = path,
                                          .access = STATE_READ,
                                          .memory_max = STATE_BYTES,
                                          .clock = s->c->clock};
    int rc = state_open(&options, &state, &e);
    if (rc == 0)
        rc = look_into(s, state, &e);
    else if (rc > 0)
        rc = 0;
    state_close(state);
    if (rc < 0)
        log_detail("not looked at: %s", err_text(&e));
    err_clear(&e);
    if (rc <= 0)
        return 0;
    if (state_list_add(s->c, path, &s->list) != 0)
        log_detail("%s: not listed", path); /* The first paths are enough. */
    s->n++;
    return 0;
}

/* States of a sandbox and of Instantly are kept apart. */
static int look_around(struct search *s, struct err *e)
{
    char **paths;
    size_t n;
    if (s->c->state != NULL)
        return csv_name_look_at(s, s->c->state);
    if (state_find_all(&paths, &n, e) != 0)
        return -1;
    for (size_t i = 0; i < n; i++) {
        if (state_path_is_sandbox(paths[i]) == s->c->connection.api.loopback)
            csv_name_look_at(s, paths[i]);
        free(paths[i]);
    }
    free(paths);
    return 0;
}

/* 1 with the id, 0 without a key. */
static int csv_name_ask(struct search *s, struct err *e)
{
    struct client client;
    struct target t;
    int rc = client_open(&client, s->c, false, true, e);
    if (rc == 0)
        rc = api_target_find(client.api, &s->m->target, true, &s->arena, &t, e);
    client_close(&client);
    if (rc == 0)
        s->found = t.id;
    return rc < 0 ? -1 : rc == 0;
}

static int unknown(struct search *s, struct err *e)
{
    const char *kind = target_kind_text(s->m->target.kind), *list = buf_cstr(&s->list);
    if (s->n > 1)
        return err_set(e, XS_USAGE, "several states know %s \"%s\" under different ids; give its id, or a --state:%s", kind,
                       s->m->target.text, list != NULL ? list : "");
    return err_set(e, XS_STATE,
                   "no state here syncs %s into %s \"%s\"; give the %s's UUID, --state PATH, or an API key "
                   "to look the name up",
                   s->m->name, kind, s->m->target.text, kind);
}

int csv_name_complete(const struct common *c, struct mapping *m, struct err *e)
{
    struct search s = {.c = c, .m = m, .list = BUF_INIT(LIST_BYTES)};
    char text[UUID_TEXT_N];
    if (m->path != NULL)
        return 0;
    arena_init(&s.arena, ARENA_BYTES);
    int rc = uuid_parse(str_from(m->target.text), &s.found) == 0 ? 1 : look_around(&s, e);
    if (rc == 0)
        rc = s.n == 1 ? 1 : csv_name_ask(&s, e);
    if (rc == 0)
        rc = unknown(&s, e);
    if (rc > 0)
        rc = mapping_name_target(m, uuid_format(&s.found, text), e);
    buf_free(&s.list);
    arena_free(&s.arena);
    return rc;
}

char *csv_name_likely_state(const struct common *c, struct mapping *m)
{
    struct search s = {.c = c, .m = m, .list = BUF_INIT(LIST_BYTES)};
    struct err ignored = ERR_INIT;
    char text[UUID_TEXT_N], hex[SHA256_HEX_N], *path = NULL;
    struct buf name = BUF_INIT(LIST_BYTES);
    if (m->path != NULL || c->state != NULL)
        return NULL;
    arena_init(&s.arena, ARENA_BYTES);
    bool found = uuid_parse(str_from(m->target.text), &s.found) == 0 || (look_around(&s, &ignored) == 0 && s.n == 1);
    if (found && sha256_hex(uuid_format(&s.found, text), UUID_TEXT_N - 1, hex) == 0 &&
        buf_addf(&name, "%s-%.*s", m->name, DIGEST_N, hex) == 0 && buf_cstr(&name) != NULL)
        path = state_default_path(name.p, c->connection.api.loopback, &ignored);
    err_clear(&ignored);
    buf_free(&name);
    buf_free(&s.list);
    arena_free(&s.arena);
    return path;
}

/* True if this is a state of the CSV with that name, with any target: STEM-DIGEST.db, or STEM-DIGEST.sandbox.db. */
static bool is_of_stem(const char *path, const char *stem, bool loopback)
{
    const char *slash = strrchr(path, '/'), *name = slash != NULL ? slash + 1 : path;
    size_t n = strlen(stem);
    return strncmp(name, stem, n) == 0 && name[n] == '-' && strspn(name + n + 1, "0123456789abcdef") == DIGEST_N &&
           strcmp(name + n + 1 + DIGEST_N, loopback ? ".sandbox.db" : ".db") == 0;
}

int csv_name_find_states(const struct common *c, const char *stem, char **path, size_t *found, struct buf *list,
                         struct err *e)
{
    char **paths = NULL;
    size_t n = 0;
    *path = NULL;
    *found = 0;
    if (state_find_all(&paths, &n, e) != 0)
        return -1;
    for (size_t i = 0; i < n; i++) {
        bool fits = is_of_stem(paths[i], stem, c->connection.api.loopback);
        if (fits && list != NULL && state_list_add(c, paths[i], list) != 0)
            log_detail("%s: not listed", paths[i]); /* The first ones are enough. */
        if (fits && (*found)++ == 0)
            *path = paths[i];
        else
            free(paths[i]);
    }
    free(paths);
    if (*found > 1) {
        free(*path);
        *path = NULL;
    }
    return 0;
}

/* What a mapping must know to go on with the leads of this state. A state that cannot be read counts as none. 1/0/-1 */
static int csv_name_take(const struct common *c, const char *path, struct csv_sync *out, struct err *e)
{
    struct err ignored = ERR_INIT;
    struct state *state = NULL;
    struct arena arena;
    struct target t;
    char id[UUID_TEXT_N], slug[TEXT_SLUG_MAX + 1];
    int rc = 0;
    const struct state_options options = {.path = path, .access = STATE_READ, .memory_max = STATE_BYTES, .clock = c->clock};
    arena_init(&arena, ARENA_BYTES);
    bool opened = access(path, R_OK) == 0 && state_open(&options, &state, &ignored) == 0;
    /* Messages give the number that `status` gives. A state whose leads are gone still knows who is not to come back. */
    out->leads = 0;
    if (opened && state_leads_n(state) > 0 && state_leads_there(state, &out->leads, &ignored) == 0 &&
        text_slug(str_from(state_sync(state)), slug) > 0 && state_target_get(state, 1, &arena, &t, &ignored) == 1) {
        out->name = strdup(slug);
        out->kind = t.kind;
        out->target = strdup(t.name != NULL ? t.name : uuid_format(&t.id, id));
        rc = out->name != NULL && out->target != NULL ? 1 : err_oom(e);
    }
    err_clear(&ignored);
    state_close(state);
    arena_free(&arena);
    return rc;
}

void csv_name_free(struct csv_sync *s)
{
    free(s->name);
    free(s->target);
    *s = (struct csv_sync){.name = NULL};
}

int csv_name_of_file(const struct common *c, const char *path, const struct target_spec *target, struct csv_sync *out,
                     struct err *e)
{
    static char nothing[] = "";
    static const struct target_spec none = {TARGET_CAMPAIGN, nothing};
    struct mapping *m = NULL;
    char *file = NULL;
    *out = (struct csv_sync){.name = NULL};
    int rc = mapping_for_csv(path, target != NULL ? target : &none, false, NULL, 0, &m, e);
    if (rc == 0 && target != NULL)
        file = csv_name_likely_state(c, m);
    else if (rc == 0)
        rc = csv_name_find_states(c, m->name, &file, &out->several, NULL, e);
    if (rc == 0 && file != NULL)
        rc = csv_name_take(c, file, out, e);
    if (rc <= 0) {
        free(out->name);
        free(out->target);
        *out = (struct csv_sync){.several = out->several};
    }
    free(file);
    mapping_free(m);
    return rc;
}

int csv_name_warn_other(const struct common *c, const struct mapping *m, struct state *state, struct err *e)
{
    struct arena arena;
    struct run_record run;
    struct target t;
    struct csv_sync straight = {.name = NULL};
    char id[UUID_TEXT_N];
    if (m->path == NULL || m->source.kind != SOURCE_CSV || m->routes_n > 0 || c->state != NULL)
        return 0;
    arena_init(&arena, ARENA_BYTES);
    int rc = state_run_get(state, 0, &arena, &run, e);
    rc = rc != 0 ? rc < 0 ? -1 : 0 : state_target_get(state, 1, &arena, &t, e);
    if (rc == 1) {
        uuid_format(&t.id, id);
        const struct target_spec target = {t.kind, id};
        rc = csv_name_of_file(c, m->source.as.csv.path, &target, &straight, e);
    }
    if (rc == 1 && strcmp(straight.name, m->name) != 0)
        log_warning(
            "%s: sync %s, which had no mapping, knows %llu lead%s of this file in this %s, and this sync starts without "
            "them; to go on with these leads, write name: %s into the mapping before the first sync",
            m->path, straight.name, (unsigned long long)straight.leads, straight.leads == 1 ? "" : "s",
            target_kind_text(t.kind), straight.name);
    csv_name_free(&straight);
    arena_free(&arena);
    return rc < 0 ? -1 : 0;
}
