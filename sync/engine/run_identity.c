/* What rows are told apart by. When the mapping's `key:` is another one than before, no row finds its lead by its key:
 * every row meets its lead in Instantly anew and takes it over, and until all have done so nobody is gone. */
#include "config.h"

#include "sync/engine/run_int.h"

#include <string.h>

#include "sync/base/log.h"

enum { IDENTITY_MAX = 1 << 20 };

/* "email", or the columns of `key:`. NULL without memory. */
static const char *identity(const struct run *r, struct buf *text)
{
    struct str column;
    int rc = r->m->has_key ? 0 : buf_adds(text, "email");
    for (size_t i = 0; rc == 0 && mapping_key_column(r->m, i, &column); i++)
        rc = buf_adds(text, i == 0 ? "key " : ", ") != 0 || buf_add(text, column.p, column.n) != 0 ? -1 : 0;
    return rc == 0 ? buf_cstr(text) : NULL;
}

int run_identity_check(struct run *r, struct err *e)
{
    struct buf text = BUF_INIT(IDENTITY_MAX);
    const char *then, *now = identity(r, &text);
    int rc = now == NULL ? err_oom(e) : state_get(r->state, "identity", &then, e) < 0 ? -1 : 0;
    if (rc == 0 && then != NULL && strcmp(then, now) != 0 && state_leads_n(r->state) > 0) {
        r->reidentified = true;
        log_notice("rows were told apart by %s and are now by %s: in this run each row takes over the lead that it finds in "
                   "its target, and none counts as gone", then, now);
    }
    buf_free(&text);
    return rc;
}

int run_identity_keep(struct run *r, struct err *e)
{
    const struct tally *t = r->tally;
    /* A row that has to wait has not taken its lead over yet. */
    if (r->reidentified && t->outcomes[OUTCOME_FAILED] + t->outcomes[OUTCOME_DEFERRED] > 0)
        return 0;
    struct buf text = BUF_INIT(IDENTITY_MAX);
    const char *now = identity(r, &text);
    int rc = now == NULL ? err_oom(e) : state_set(r->state, "identity", now, e);
    buf_free(&text);
    return rc;
}
