/* Where a lead is that this run did not create: by name, when this state or another one of the folder knows the id. The
 * states are read once, when the first such lead is met. */
#include "config.h"

#include "sync/pipeline/run_int.h"

#include <stdlib.h>

#include "sync/api/http/url.h"
#include "sync/plan/places.h"

/* A name is a courtesy: without the other states there is the id. */
static struct places *load(const struct run *r)
{
    struct err ignored = ERR_INIT;
    struct url url;
    struct places *p = malloc(sizeof *p);
    if (p == NULL)
        return NULL;
    places_init(p);
    places_of_state(p, r->state);
    if (url_check(r->c->api->base_url, XS_USAGE, "--api-url", &url, &ignored) == 0) {
        char *own = r->c->state_path == NULL && r->m != NULL ? state_default_path(r->m->name, url.loopback, &ignored) : NULL;
        places_of_all(p, url.loopback, own != NULL ? own : r->c->state_path, r->c->clock);
        free(own);
        url_free(&url);
    }
    err_clear(&ignored);
    return p;
}

int run_where(void *run, const struct target *there, struct buf *out)
{
    struct run *r = run;
    char id[TARGET_TEXT_N];
    if (r->places == NULL && (r->places = load(r)) == NULL)
        return buf_adds(out, target_format(there, id));
    size_t start = out->n;
    if (places_show(r->places, there, out) != 0)
        return -1;
    /* The id alone when there is no name. */
    if (out->n == start || out->p[out->n - 1] != '"') {
        out->n = start;
        return buf_adds(out, target_format(there, id));
    }
    return buf_addf(out, " (%s)", target_format(there, id));
}

void run_where_close(struct run *r)
{
    if (r->places != NULL)
        places_free(r->places);
    free(r->places);
    r->places = NULL;
}
