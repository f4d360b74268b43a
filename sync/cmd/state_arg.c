/* Which state a command works on. A reader may take the latest; a writer must be told, or must have no choice. */
#include "config.h"

#include "sync/cmd/state_arg.h"

#include "sync/base/log.h"
#include "sync/cmd/sync_arg.h"
#include "sync/state/state.h"

#include <stdlib.h>
#include <string.h>

enum { STATE_READ_BYTES = 32 << 20, LIST_BYTES = 1 << 16 };

/* Several states and none named: for a reader the latest will do, a writer must not guess. */
static int choose_state(char **paths, size_t n, bool reading, char **path, struct err *e)
{
    if (n == 0)
        return err_set(e, XS_STATE, "there is no state yet; run a sync first, or give --state PATH");
    if (n > 1 && !reading) {
        struct buf list = BUF_INIT(LIST_BYTES);
        for (size_t i = 0; i < n; i++)
            if (buf_addf(&list, "%s%s", i > 0 ? "\n  " : "  ", paths[i]) != 0)
                break; /* the first ones will do */
        const char *text = buf_cstr(&list);
        err_set(e, XS_USAGE, "which sync? give SYNC, or --state with one of\n%s", text != NULL ? text : "");
        buf_free(&list);
        return -1;
    }
    *path = strdup(paths[0]);
    if (*path == NULL)
        return err_oom(e);
    if (n > 1)
        log_notice("state %s (of the latest run; give SYNC or --state for another)", *path);
    return 0;
}

int state_arg_path(const struct common *c, const struct mapping *mapping, bool reading, char **path, struct err *e)
{
    char **paths = NULL;
    size_t n = 0;
    *path = NULL;
    if (c->state != NULL) {
        *path = strdup(c->state);
        return *path != NULL ? 0 : err_oom(e);
    }
    if (mapping != NULL) {
        *path = state_default_path(mapping->name, c->api.loopback, e);
        return *path != NULL ? 0 : -1;
    }
    if (state_find_all(&paths, &n, e) != 0)
        return -1;
    int rc = choose_state(paths, n, reading, path, e);
    for (size_t i = 0; i < n; i++)
        free(paths[i]);
    free(paths);
    return rc;
}

/* A straight CSV's name ends in a digest of the target's id, which only the API could make of a target's name. */
static int complete_name(struct mapping *m, struct err *e)
{
    struct uuid id;
    char text[UUID_TEXT_N];
    if (m->path != NULL)
        return 0;
    if (uuid_parse(str_from(m->target.text), &id) != 0)
        return err_set(e, XS_USAGE, "give the UUID of the %s in place of its name, or --state PATH without SYNC",
                       target_kind_text(m->target.kind));
    return mapping_name_target(m, uuid_format(&id, text), e);
}

int state_arg_open(const struct invocation *inv, struct state **out, struct err *e)
{
    struct mapping *m = NULL;
    char *path = NULL;
    int rc = -1;
    if (inv->operands_n > 0 && (sync_arg_load(inv, true, &m, e) != 0 || complete_name(m, e) != 0))
        goto done;
    if (state_arg_path(&inv->common, m, true, &path, e) != 0)
        goto done;
    struct state_options options = {
        .path = path,
        .access = STATE_READ,
        .sync = m != NULL ? m->name : NULL,
        .memory_max = STATE_READ_BYTES,
        .clock = inv->common.clock,
    };
    rc = state_open(&options, out, e);
    if (rc > 0)
        rc = err_set(e, XS_STATE, "%s: there is no such state; has this sync run? --state PATH names another", path);
done:
    free(path);
    mapping_free(m);
    return rc;
}
