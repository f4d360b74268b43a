/* Columns that a CSV without a mapping leaves out although the campaign has a variable for them. Without a value, {{seats}}
 * leaves a gap in every mail. The campaign is asked only if a column is left out. */
#include "config.h"

#include "sync/pipeline/run_int.h"

#include "sync/base/log.h"
#include "sync/base/stop.h"
#include "sync/base/text.h"

enum { NAME_MAX_BYTES = 4096 };

/* Compares header names as people type them: "First Seats" and first_seats are the same. */
static int same_key(struct str a, struct str b, bool *same)
{
    struct buf left = BUF_INIT(NAME_MAX_BYTES), right = BUF_INIT(NAME_MAX_BYTES);
    int rc = a.n > NAME_MAX_BYTES / 4 || b.n > NAME_MAX_BYTES / 4 ? 1 : 0;
    if (rc == 0)
        rc = text_header_key(a, &left) != 0 || text_header_key(b, &right) != 0 ? -1 : 0;
    *same = rc == 0 && str_eq(buf_str(&left), buf_str(&right));
    buf_free(&left);
    buf_free(&right);
    return rc < 0 ? -1 : 0;
}

static void report_column(struct str column, struct str variable, const char *campaign)
{
    if (str_eq(column, variable))
        log_warning("column \"%.*s\" is left out, and campaign \"%s\" has a variable {{%.*s}}: --all-columns sends it",
                    STR_ARG(column), campaign, STR_ARG(variable));
    else
        log_warning("column \"%.*s\" is left out, and campaign \"%s\" has a variable {{%.*s}}: rename the "
                    "column to that name and give --all-columns, or write a mapping (leadsync init)",
                    STR_ARG(column), campaign, STR_ARG(variable));
}

int unused_columns_variables(struct run *r, struct str **names, size_t *n, struct err *e)
{
    const struct target *t = &r->targets.v[0].target;
    if (r->api == NULL || t->kind != TARGET_CAMPAIGN || r->dry.variables_unknown)
        return 0;
    if (api_campaign_variables(r->api, t, &r->run_arena, names, n, e) == 0)
        return 1;
    /* A dry run whose target is an id asks nothing else, and goes on without an answer. */
    if (r->diff == NULL || e->status != XS_API || stop_requested() != 0)
        return -1;
    log_warning("cannot read the campaign's variables: %s", err_text(e));
    err_clear(e);
    r->dry.variables_unknown = true;
    return 0;
}

int unused_columns_report(struct run *r, struct err *e)
{
    const struct target *t = &r->targets.v[0].target;
    const struct str *unused;
    struct str *variables;
    size_t n, unused_n = mapping_unused(r->m, &unused);
    if (r->m->path != NULL || unused_n == 0)
        return 0;
    int rc = unused_columns_variables(r, &variables, &n, e);
    if (rc != 1)
        return rc;
    for (size_t i = 0; i < unused_n; i++) {
        for (size_t k = 0; k < n; k++) {
            bool same;
            if (same_key(unused[i], variables[k], &same) != 0)
                return err_oom(e);
            if (same)
                report_column(unused[i], variables[k], t->name != NULL ? t->name : r->m->target.text);
        }
    }
    return 0;
}
