/* Values that `on_error: empty` lets go: counted over the whole read and reported once, with the first of them, so that
 * nothing disappears in silence. */
#include "config.h"

#include "sync/pipeline/run_int.h"

#include "sync/base/log.h"
#include "sync/base/text.h"

int emptied_values_count(struct run *r, const struct row *row, const struct mapped *mapped, struct err *e)
{
    bool first = r->emptied == 0;
    r->emptied += mapped->emptied_n;
    if (!first || r->emptied == 0)
        return 0;
    buf_reset(&r->detail);
    int bad = source_where(r->source, row, &r->detail) | buf_adds(&r->detail, ": ") |
              mapping_reject_text(&mapped->emptied[0], &r->detail);
    const char *text = bad == 0 ? buf_cstr(&r->detail) : NULL;
    r->emptied_first = text != NULL ? arena_dup(&r->run_arena, text, r->detail.n) : NULL;
    return r->emptied_first != NULL ? 0 : err_oom(e);
}

void emptied_values_report(const struct run *r)
{
    if (r->emptied > 0)
        log_notice("%llu value%s left empty by on_error: empty, the first is %s", (unsigned long long)r->emptied,
                   r->emptied == 1 ? " is" : "s are", r->emptied_first);
}
