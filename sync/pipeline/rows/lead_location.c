/* The location of a lead that this run did not create, by name if this state, another one in the folder or Instantly knows
 * it. The states are read once, for the first such lead. */
#include "config.h"

#include "sync/pipeline/run_int.h"

#include <stdlib.h>

#include "sync/api/http/url.h"
#include "sync/plan/target_names.h"

/* Reads the names. Without the other states the id is shown. */
static struct target_names *lead_location_load(const struct run *r)
{
    struct err ignored = ERR_INIT;
    struct url url;
    struct target_names *p = malloc(sizeof *p);
    if (p == NULL)
        return NULL;
    target_names_init(p);
    target_names_of_state(p, r->state);
    if (url_check(r->c->api->base_url, XS_USAGE, "--api-url", &url, &ignored) == 0) {
        char *own = r->c->state_path == NULL && r->m != NULL ? state_default_path(r->m->name, url.loopback, &ignored) : NULL;
        target_names_of_all(p, url.loopback, own != NULL ? own : r->c->state_path, r->c->clock);
        free(own);
        url_free(&url);
    }
    err_clear(&ignored);
    return p;
}

int lead_location_show(void *run, const struct target *there, struct buf *out)
{
    struct run *r = run;
    char id[TARGET_TEXT_N];
    if (r->target_names == NULL && (r->target_names = lead_location_load(r)) == NULL)
        return -1;
    if (!target_names_know(r->target_names, there))
        return 0;
    return target_names_show(r->target_names, there, out) != 0 || buf_addf(out, " (%s)", target_format(there, id)) != 0 ? -1
                                                                                                                        : 1;
}

void lead_location_record(void *run, const struct target *named)
{
    struct run *r = run;
    if (r->target_names != NULL)
        target_names_add(r->target_names, named);
}

void lead_location_close(struct run *r)
{
    if (r->target_names != NULL)
        target_names_free(r->target_names);
    free(r->target_names);
    r->target_names = NULL;
}
