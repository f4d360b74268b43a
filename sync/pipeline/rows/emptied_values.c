/* Values that `on_error: empty` drops. They are counted over the whole read and reported once, with the first of them, so that
 * no value disappears unnoticed. */
#include "config.h"

#include "sync/pipeline/run_int.h"

#include "sync/base/log.h"
#include "sync/base/text.h"

int emptied_values_count(struct run *r, const struct row *row, const struct mapped *mapped, struct err *e)
{
    bool first = r->read.emptied == 0;
    r->read.emptied += mapped->emptied_n;
    if (!first || r->read.emptied == 0)
        return 0;
    buf_reset(&r->scratch.text);
    int bad = source_where(r->source, row, &r->scratch.text) | buf_adds(&r->scratch.text, ": ") |
              mapping_reject_text(&mapped->emptied[0], &r->scratch.text);
    const char *text = bad == 0 ? buf_cstr(&r->scratch.text) : NULL;
    r->read.emptied_first = text != NULL ? arena_dup(&r->run_arena, text, r->scratch.text.n) : NULL;
    return r->read.emptied_first != NULL ? 0 : err_oom(e);
}

void emptied_values_report(const struct run *r)
{
    if (r->read.emptied > 0)
        log_notice("%llu value%s left empty by on_error: empty, the first is %s", (unsigned long long)r->read.emptied,
                   r->read.emptied == 1 ? " is" : "s are", r->read.emptied_first);
}
