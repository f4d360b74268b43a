/* Counts the changes per operation and target, for the summary. All changes count, shown or not. */
#include "config.h"

#include "sync/report/diff_format.h"

#include <stdlib.h>
#include <string.h>

/* A copy of its own: the pipeline can move its targets while rows are read. */
static struct target *copy_target(const struct target *t)
{
    struct target *copy = malloc(sizeof *copy);
    if (copy == NULL)
        return NULL;
    *copy = *t;
    copy->sending = NULL;
    if (t->name != NULL && (copy->name = strdup(t->name)) == NULL) {
        free(copy);
        return NULL;
    }
    return copy;
}

static void free_target(struct target *t)
{
    if (t != NULL)
        free(t->name);
    free(t);
}

static bool is_target(const struct target *a, const struct target *b)
{
    return a == NULL || b == NULL ? a == b : target_eq(a, b);
}

static bool is_flow(const struct diff_flow *f, enum diff_kind kind, const struct diff_change *c)
{
    return f->kind == kind && is_target(f->target, c->target) && is_target(f->from, c->from);
}

static int add_flow(struct diff_flows *flows, enum diff_kind kind, const struct diff_change *c)
{
    struct diff_flow *v = reallocarray(flows->v, flows->n + 1, sizeof *v);
    if (v == NULL)
        return -1;
    flows->v = v;
    struct diff_flow *f = &v[flows->n];
    *f = (struct diff_flow){.kind = kind};
    if ((c->target != NULL && (f->target = copy_target(c->target)) == NULL) ||
        (c->from != NULL && (f->from = copy_target(c->from)) == NULL)) {
        free_target(f->target);
        return -1;
    }
    flows->n++;
    return 0;
}

int diff_flow_count(struct diff_flows *flows, const struct diff_change *c)
{
    enum diff_kind kind = diff_kind_of(c);
    /* Neighbouring rows mostly have the same target. */
    if (flows->n == 0 || !is_flow(&flows->v[flows->last], kind, c)) {
        size_t i = 0;
        while (i < flows->n && !is_flow(&flows->v[i], kind, c))
            i++;
        if (i == flows->n && add_flow(flows, kind, c) != 0)
            return -1;
        flows->last = i;
    }
    flows->v[flows->last].n++;
    return 0;
}

void diff_flows_free(struct diff_flows *flows)
{
    for (size_t i = 0; i < flows->n; i++) {
        free_target(flows->v[i].target);
        free_target(flows->v[i].from);
    }
    free(flows->v);
    *flows = (struct diff_flows){.v = NULL};
}
