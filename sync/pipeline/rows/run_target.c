/* Targets by number, and the check for an edited `target:`. It would move every lead, so the run stops first. A dry run warns
 * and shows the moves. */
#include "config.h"

#include "sync/pipeline/run_int.h"

#include <string.h>

#include "sync/base/log.h"
#include "sync/plan/target_names.h"

/* Names both targets by name if their names differ, else by id. */
static void report_edited(struct run *r, const char *then, const char *now, struct err *verdict)
{
    struct target_names places;
    struct buf was = BUF_INIT(1 << 16), is = BUF_INIT(1 << 16);
    target_names_init(&places);
    target_names_of_state(&places, r->state);
    target_names_add(&places, &r->targets.v[0].target);
    int bad = target_names_show_text(&places, then, &was) | target_names_show_text(&places, now, &is);
    bool named = bad == 0 && buf_cstr(&was) != NULL && buf_cstr(&is) != NULL && strcmp(was.p, is.p) != 0;
    err_set(verdict, XS_GUARD,
            "the mapping's target changed from %s to %s, which would move every lead of this sync: "
            "change it back, or allow it with --guard moved=100%%",
            named ? was.p : then, named ? is.p : now);
    buf_free(&was);
    buf_free(&is);
    target_names_free(&places);
}

int run_target_check(struct run *r, struct err *e)
{
    char now[TARGET_TEXT_N];
    const char *then;
    struct err verdict = ERR_INIT;
    const struct guard_limit *moved = &r->m->guards.moved;
    if (r->m->routes_n > 0)
        return 0;
    target_format(&r->targets.v[0].target, now);
    if (state_get(r->state, "target", &then, e) < 0)
        return -1;
    r->change.target = then != NULL && strcmp(then, now) != 0;
    if (r->change.target && !(moved->kind == GUARD_SHARE && moved->value >= 1.0) && moved->kind != GUARD_NONE) {
        uint64_t known;
        report_edited(r, then, now, &verdict);
        if (state_leads_there(r->state, &known, e) != 0)
            return -1;
        guard_note(r, "moved", moved, known, known, true);
        if (r->diff == NULL)
            return err_take(e, &verdict);
        int rc = guard_foretell(r, err_text(&verdict), e);
        err_clear(&verdict);
        if (rc != 0)
            return -1;
    }
    return r->diff == NULL && (then == NULL || r->change.target) ? state_set(r->state, "target", now, e) : 0;
}
