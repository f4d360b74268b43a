/* Looks into the leads that were read, and asks for single ones that no page has shown. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "sync/compare/pages_int.h"

#define COLUMNS \
    "SELECT l.n, l.id, l.paged, l.status, l.email, l.packed, p.kind, p.id, l.engagement FROM leads l LEFT JOIN places p ON p.n = l.place "

/* Takes the lead on which the statement stands, and resets it. 1/-1 */
static int take(struct pages *p, sqlite3_stmt *st, struct arena *arena, struct page_lead *out, struct err *e)
{
    struct str packed = db_blob(st, 5);
    memset(out, 0, sizeof *out);
    out->n = (uint64_t)sqlite3_column_int64(st, 0);
    out->read_by_page = sqlite3_column_int(st, 2) != 0;
    out->status = sqlite3_column_int(st, 3);
    out->email = db_text(st, 4);
    out->placed = !db_is_null(st, 6) && db_blob16(st, 7, out->place.id.b);
    out->place.kind = sqlite3_column_int(st, 6) == TARGET_LIST ? TARGET_LIST : TARGET_CAMPAIGN;
    out->place.status = TARGET_STATUS_UNKNOWN;
    bool whole = db_blob16(st, 1, out->id.b);
    struct str engagement = db_blob(st, 8);
    if (engagement.n == sizeof out->engagement)
        memcpy(&out->engagement, engagement.p, engagement.n);
    else
        engagement_init(&out->engagement);
    int bad = arena_str(arena, packed, &packed) | arena_str(arena, out->email, &out->email);
    sqlite3_reset(st);
    if (bad != 0)
        return err_oom(e);
    if (!whole || lead_unpack(packed, &p->shape, arena, &out->lead) != 0)
        return err_set(e, XS_STATE, "%s: a damaged lead; delete the file", p->path);
    out->lead.shape = p->options.shape;
    return 1;
}

int pages_find_id(struct pages *p, const struct uuid *id, struct arena *arena, struct page_lead *out, struct err *e)
{
    sqlite3_stmt *st;
    int rc = db_query(&p->db, &st, e, COLUMNS "WHERE l.id = ?", "d", id);
    return rc == 1 ? take(p, st, arena, out, e) : rc;
}

/* The lead in `in` comes first, then those that a page has shown, then the oldest. */
#define ORDER " ORDER BY p.kind = ?2 AND p.id = ?3 DESC, l.paged DESC, l.id LIMIT 1"

int pages_find_key(struct pages *p, struct str row_key, const struct target *in, struct arena *arena, struct page_lead *out,
                   struct err *e)
{
    sqlite3_stmt *st;
    int rc = db_query(&p->db, &st, e, COLUMNS "WHERE l.row_key = ?1" ORDER, "tid", row_key, (int64_t)in->kind, &in->id);
    return rc == 1 ? take(p, st, arena, out, e) : rc;
}

int pages_find_address(struct pages *p, struct str address, const struct target *in, struct arena *arena,
                       struct page_lead *out, struct err *e)
{
    sqlite3_stmt *st;
    int rc = db_query(&p->db, &st, e, COLUMNS "WHERE l.address = ?1" ORDER, "tid", address, (int64_t)in->kind, &in->id);
    return rc == 1 ? take(p, st, arena, out, e) : rc;
}

int pages_find_double(struct pages *p, struct str address, const struct uuid *id, struct arena *arena, struct page_lead *out,
                      struct err *e)
{
    sqlite3_stmt *st;
    int rc = db_query(&p->db, &st, e, COLUMNS "WHERE l.address = ?1 AND l.paged AND l.id <> ?2 ORDER BY l.id LIMIT 1", "td",
                      address, id);
    return rc == 1 ? take(p, st, arena, out, e) : rc;
}

int pages_next(struct pages *p, uint64_t after, bool asked, struct arena *arena, struct page_lead *out, struct err *e)
{
    sqlite3_stmt *st;
    int rc = db_query(&p->db, &st, e, COLUMNS "WHERE l.n > ? AND (l.paged OR ?) ORDER BY l.n LIMIT 1", "ui", after,
                      (int64_t)asked);
    return rc == 1 ? take(p, st, arena, out, e) : rc;
}

/* ---- expected leads ---- */

int pages_expect(struct pages *p, const struct uuid *id, struct err *e)
{
    /* Temporary: what the state knows may be otherwise when a later call goes on with the file. */
    if (!p->expects && db_exec(&p->db, "CREATE TEMP TABLE expected(id BLOB PRIMARY KEY) WITHOUT ROWID", e) < 0)
        return -1;
    p->expects = true;
    return db_run(&p->db, e, "INSERT OR IGNORE INTO expected(id) VALUES(?)", "d", id) < 0 ? -1 : 0;
}

int pages_expected(struct pages *p, uint64_t *all, uint64_t *missing, struct err *e)
{
    int64_t n = 0, absent = 0;
    if (p->expects &&
        (db_int(&p->db, &n, 0, "SELECT count(*) FROM expected", e) < 0 ||
         db_int(&p->db, &absent, 0,
                "SELECT count(*) FROM expected x WHERE NOT EXISTS(SELECT 1 FROM leads l WHERE l.id = x.id)", e) < 0))
        return -1;
    *all = (uint64_t)n;
    *missing = (uint64_t)absent;
    return 0;
}

int pages_not_shown(struct pages *p, struct uuid *after, struct uuid *ids, size_t max, size_t *n, struct err *e)
{
    sqlite3_stmt *st;
    *n = 0;
    if (!p->expects)
        return 0;
    int rc = db_query(&p->db, &st, e,
                      "SELECT id FROM expected x WHERE id > ? AND NOT EXISTS(SELECT 1 FROM leads l WHERE l.id = x.id)"
                      " ORDER BY id LIMIT ?",
                      "du", after, (uint64_t)max);
    for (; rc == 1; rc = db_next(&p->db, st, e))
        if (db_blob16(st, 0, ids[*n].b))
            *after = ids[(*n)++];
    return rc;
}

/* ---- questions ---- */

static void pages_asked(void *ctx, const struct api_reply *reply)
{
    struct pages *p = ctx;
    struct err e = ERR_INIT;
    struct remote_lead remote;
    size_t at = 0;
    int64_t place;
    p->open--;
    if (p->failed.status != XS_DONE)
        return;
    if (reply->class == API_REFUSED && reply->http_status == 404)
        return;
    if (reply->class != API_OK) {
        if (reply->err != NULL && reply->err->status != XS_DONE)
            err_set(&p->failed, reply->err->status, "%s", err_text(reply->err));
        else
            err_set(&p->failed, XS_API, "cannot read leads: %d %.*s", reply->http_status, STR_ARG(reply->message));
        return;
    }
    while (api_reply_lead(reply, &at, &remote))
        if (pages_place_of(p, &remote, &place, &e) != 0 || pages_put(p, &remote, place, false, &e) != 0)
            break;
    if (e.status != XS_DONE)
        err_take(&p->failed, &e);
}

static int ask(struct pages *p, struct api *api, const struct leads_list *list, pages_step_fn *step, void *ctx,
               struct err *e)
{
    if (db_begin(&p->db, e) < 0 || api_leads_list(api, list, pages_asked, p, e) != 0)
        return -1;
    p->open++;
    return pages_wait(p, api, step, ctx, e) != 0 ? -1 : db_commit(&p->db, e);
}

int pages_ask_ids(struct pages *p, struct api *api, const struct uuid *ids, size_t n, pages_step_fn *step, void *ctx,
                  struct err *e)
{
    const struct leads_list list = {.ids = ids, .ids_n = n};
    return n == 0 ? 0 : ask(p, api, &list, step, ctx, e);
}

int pages_ask_addresses(struct pages *p, struct api *api, const struct str *addresses, size_t n, pages_step_fn *step,
                        void *ctx, struct err *e)
{
    const struct leads_list list = {.contacts = addresses, .contacts_n = n};
    return n == 0 ? 0 : ask(p, api, &list, step, ctx, e);
}

int pages_ask_lead(struct pages *p, struct api *api, const struct uuid *id, pages_step_fn *step, void *ctx, struct err *e)
{
    if (db_begin(&p->db, e) < 0 || api_lead_get(api, id, pages_asked, p, e) != 0)
        return -1;
    p->open++;
    return pages_wait(p, api, step, ctx, e) != 0 ? -1 : db_commit(&p->db, e);
}
