/* Reads the pages of the targets. Each page names the next one, so one target takes as long as its pages one after the other. A
 * large target is therefore read in parts side by side, which begin after leads that the state knows. That the API takes any lead
 * as a cursor is not documented. So the parts have to fit together: a part is read until it meets a lead of the next one, and if
 * that has no lead then, or shows one before its beginning, the target is read again from one end to the other. */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sync/base/log.h"
#include "sync/base/text.h"
#include "sync/compare/pages_int.h"

enum { CURSORS_MAX = 1 << 20, COMMIT_PAGES = 16, COMMIT_SHARE = 40, SHOWN_N = 256 };

/* `campaign "Demo"`, for a message. */
static const char *show_target(const struct target *t, char out[SHOWN_N])
{
    struct buf text = BUF_INIT(1 << 16);
    if (target_show(t, &text) != 0)
        buf_reset(&text);
    snprintf(out, SHOWN_N, "%.*s", STR_ARG(buf_str(&text)));
    buf_free(&text);
    return out;
}

static void fail(struct pages *p, struct err *e)
{
    if (p->failed.status == XS_DONE)
        err_take(&p->failed, e);
    err_clear(e);
}

/* ---- what comes ---- */

static enum leads_list_see page_lead_came(void *ctx, const struct remote_lead *remote)
{
    struct page_read *r = ctx;
    struct pages *p = r->pages;
    struct err e = ERR_INIT;
    if (p->failed.status != XS_DONE)
        return LIST_KEEP_LAST;
    if (!api_remote_is_in(remote, &r->target)) {
        r->foreign++;
        return LIST_DROP;
    }
    /* Pages come in the order of ids. One that goes back repeats leads, or the order is another one than the cursor's. */
    if (r->has_last && memcmp(remote->id.b, r->last.b, sizeof r->last.b) <= 0)
        r->repeated++;
    if (r->has_until && memcmp(remote->id.b, r->until.b, sizeof r->until.b) > 0) {
        r->passed = true;
        return LIST_KEEP_LAST; /* the next part has it */
    }
    r->last = remote->id;
    r->has_last = true;
    r->leads++;
    p->leads_n++;
    if (db_begin(&p->db, &e) < 0 || pages_put(p, remote, r->place, true, &e) < 0)
        fail(p, &e);
    return p->failed.status == XS_DONE ? LIST_DROP : LIST_KEEP_LAST;
}

/* Addresses come in no order, so that a commit of a few pages writes much of a large index. A kill loses a fortieth at most. */
static bool commit_is_due(struct pages *p)
{
    uint64_t read = (uint64_t)p->leads_n / LEADS_LIST_MAX;
    if (++p->uncommitted < COMMIT_PAGES || p->uncommitted < read / COMMIT_SHARE)
        return false;
    p->uncommitted = 0;
    return true;
}

static void page_came(void *ctx, struct str cursor)
{
    struct page_read *r = ctx;
    struct pages *p = r->pages;
    struct err e = ERR_INIT;
    /* The empty page at the end has no cursor; the one before it stays. */
    if (p->failed.status != XS_DONE || cursor.n == 0)
        return;
    if (db_begin(&p->db, &e) < 0 ||
        db_run(&p->db, &e, "UPDATE parts SET cursor = ?, leads = ? WHERE place = ? AND part = ?", "tuiu", cursor, r->leads,
               r->place, r->part) < 0 ||
        (commit_is_due(p) && db_commit(&p->db, &e) < 0))
        fail(p, &e);
}

static void not_sound(struct page_read *r, uint64_t n, const char *what, struct err *e)
{
    char text[SHOWN_N];
    err_set(e, XS_API, "the pages of %s are not sound: %" PRIu64 " leads %s; run again later", show_target(&r->target, text),
            n, what);
    r->pages->resumable = false;
}

static void pages_came(void *ctx, const struct api_reply *reply)
{
    struct page_read *r = ctx;
    struct pages *p = r->pages;
    struct err e = ERR_INIT;
    char text[SHOWN_N];
    p->open--;
    if (p->failed.status != XS_DONE)
        return;
    if (r->part > 0 && (reply->class == API_REFUSED || r->repeated > 0)) {
        r->misfit = true;
        r->refused = reply->class == API_REFUSED && r->leads == 0;
        return;
    }
    if (reply->class != API_OK) {
        if (reply->err != NULL && reply->err->status != XS_DONE)
            err_set(&e, reply->err->status, "%s", err_text(reply->err));
        else
            err_set(&e, XS_API, "cannot read the leads of %s: %d %.*s", show_target(&r->target, text), reply->http_status,
                    STR_ARG(reply->message));
    } else if (r->repeated > 0) {
        not_sound(r, r->repeated, "came twice or out of order", &e);
    } else if (r->foreign > 0) {
        not_sound(r, r->foreign, "are of another campaign or list", &e);
    } else if (db_begin(&p->db, &e) == 0) {
        r->done = true;
        db_run(&p->db, &e, "UPDATE parts SET done = 1, leads = ?, passed = ? WHERE place = ? AND part = ?", "uiiu", r->leads,
               (int64_t)r->passed, r->place, r->part);
    }
    if (e.status != XS_DONE)
        fail(p, &e);
}

/* ---- parts ---- */

static int put_part(struct pages *p, int64_t place, size_t part, const struct uuid *after, const struct uuid *until,
                    struct err *e)
{
    return db_run(&p->db, e, "INSERT INTO parts(place, part, after, until) VALUES(?, ?, ?, ?)", "iudd", place,
                  (uint64_t)part, after, until) < 0
               ? -1
               : 0;
}

static int parts_of(struct pages *p, int64_t place, int64_t *n, struct err *e)
{
    sqlite3_stmt *st;
    int rc = db_query(&p->db, &st, e, "SELECT count(*) FROM parts WHERE place = ?", "i", place);
    if (rc != 1)
        return -1;
    *n = sqlite3_column_int64(st, 0);
    sqlite3_reset(st);
    return 0;
}

int pages_split(struct pages *p, const struct target *target, const struct uuid *ids, size_t n, struct err *e)
{
    int64_t place, known;
    if (db_begin(&p->db, e) < 0 || pages_place(p, target, &place, e) < 0 || parts_of(p, place, &known, e) < 0)
        return -1;
    for (size_t i = 0; known == 0 && i <= n; i++)
        if (put_part(p, place, i, i > 0 ? &ids[i - 1] : NULL, i < n ? &ids[i] : NULL, e) < 0)
            return -1;
    return 0;
}

/* The parts of a place, as an earlier call has left them. */
static int load_parts(struct pages *p, int64_t place, const struct target *target, struct page_read *reads, size_t max,
                      size_t *n, struct err *e)
{
    sqlite3_stmt *st;
    int rc = db_query(&p->db, &st, e,
                      "SELECT part, after, until, cursor, leads, passed, done FROM parts WHERE place = ? ORDER BY part", "i",
                      place);
    *n = 0;
    for (; rc == 1 && *n < max; rc = db_next(&p->db, st, e)) {
        struct page_read *r = &reads[(*n)++];
        *r = (struct page_read){.pages = p, .target = *target, .place = place};
        r->part = (uint64_t)sqlite3_column_int64(st, 0);
        r->has_last = db_blob16(st, 1, r->last.b);
        r->has_until = db_blob16(st, 2, r->until.b);
        struct str cursor = db_text(st, 3);
        char text[UUID_TEXT_N];
        if (cursor.n == 0 && r->has_last)
            cursor = str_from(uuid_format(&r->last, text));
        else if (cursor.n > 0)
            r->has_last = uuid_parse(cursor, &r->last) == 0;
        r->leads = (uint64_t)sqlite3_column_int64(st, 4);
        r->passed = sqlite3_column_int(st, 5) != 0;
        r->done = sqlite3_column_int(st, 6) != 0;
        if (arena_str(&p->cursors, cursor, &r->cursor) != 0) {
            sqlite3_reset(st);
            return err_oom(e);
        }
    }
    return rc < 0 ? -1 : 0;
}

/* After a part has met a lead of the next one, that must have one; and if it has met none, no part after it has any. */
static bool parts_fit(const struct page_read *reads, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t after = 0;
        for (size_t k = i + 1; k < n; k++)
            after += reads[k].leads;
        if (reads[i].misfit || (i + 1 < n && reads[i].passed != (after > 0)))
            return false;
    }
    return true;
}

static int begin_parts(struct page_read *reads, size_t n, struct api *api, struct err *e)
{
    struct pages *p = reads[0].pages;
    uint64_t before = 0;
    char text[SHOWN_N];
    for (size_t i = 0; i < n; i++)
        before += reads[i].leads;
    if (before > 0)
        log_notice("%s: goes on after %" PRIu64 " lead%s that were read %" PRId64 " minute%s ago",
                   show_target(&reads[0].target, text), before, text_plural(before), p->age_ms / 60000,
                   text_plural((uint64_t)p->age_ms / 60000));
    for (size_t i = 0; i < n; i++) {
        struct page_read *r = &reads[i];
        const struct leads_list list = {.target = &r->target, .see = page_lead_came, .paged = page_came, .after = r->cursor};
        if (r->done)
            continue;
        if (api_leads_list(api, &list, pages_came, r, e) != 0)
            return -1;
        p->open++;
    }
    return 0;
}

/* The lead after which a part begins may be deleted, and then the API may refuse it as a cursor. The last lead of the part before it
 * was shown just now, and no lead lies between the two. */
static int begin_refused(struct page_read *reads, size_t n, struct api *api, bool *any, struct err *e)
{
    struct pages *p = reads[0].pages;
    char text[UUID_TEXT_N];
    for (size_t i = 1; i < n; i++) {
        struct page_read *r = &reads[i], *before = &reads[i - 1];
        if (!r->refused || !before->done || !before->has_last || uuid_eq(&before->last, &r->last))
            continue;
        r->last = before->last;
        r->refused = r->misfit = false;
        if (arena_str(&p->cursors, str_from(uuid_format(&r->last, text)), &r->cursor) != 0)
            return err_oom(e);
        const struct leads_list list = {.target = &r->target, .see = page_lead_came, .paged = page_came, .after = r->cursor};
        if (db_begin(&p->db, e) < 0 ||
            db_run(&p->db, e, "UPDATE parts SET after = ? WHERE place = ? AND part = ?", "diu", &r->last, r->place,
                   r->part) < 0 ||
            api_leads_list(api, &list, pages_came, r, e) != 0)
            return -1;
        p->open++;
        *any = true;
    }
    return 0;
}

/* Forgets the parts of a target, and what they have shown, so that it is read in one. */
static int join_parts(struct pages *p, struct page_read *reads, struct err *e)
{
    char text[SHOWN_N];
    int64_t place = reads[0].place;
    log_detail("%s: its parts do not fit together, so it is read again in one", show_target(&reads[0].target, text));
    if (db_begin(&p->db, e) < 0 || db_run(&p->db, e, "DELETE FROM leads WHERE place = ?", "i", place) < 0 ||
        db_run(&p->db, e, "DELETE FROM parts WHERE place = ?", "i", place) < 0 || put_part(p, place, 0, NULL, NULL, e) < 0)
        return -1;
    return db_int(&p->db, &p->leads_n, 0, "SELECT count(*) FROM leads WHERE paged", e) < 0 ? -1 : 0;
}

void pages_while_waiting(struct pages *p, pages_work_fn *work, void *ctx)
{
    p->work = work;
    p->work_ctx = ctx;
}

int pages_wait(struct pages *p, struct api *api, pages_step_fn *step, void *ctx, struct err *e)
{
    enum { STEP_MS = 200 };
    struct pages_progress progress;
    while (p->open > 0 && p->failed.status == XS_DONE) {
        if (api_step(api, p->work != NULL ? 0 : STEP_MS, e) != 0)
            return -1;
        int more = p->work != NULL ? p->work(p->work_ctx, e) : 0;
        if (more < 0)
            return -1;
        if (more == 0)
            p->work = NULL;
        progress = (struct pages_progress){.leads = (uint64_t)p->leads_n};
        if (step != NULL && step(ctx, &progress, e) != 0)
            return -1;
    }
    return p->failed.status != XS_DONE ? err_take(e, &p->failed) : 0;
}

/* One target's parts, in one array for all: they must stay where they are while requests are in flight. */
static int read_parts(struct pages *p, struct api *api, const struct target *targets, size_t n, struct page_read *reads,
                      pages_step_fn *step, void *ctx, bool *again, struct err *e)
{
    *again = false;
    for (size_t i = 0; i < n; i++) {
        struct page_read *of = &reads[i * PARTS_MAX];
        size_t parts_n;
        int64_t place;
        bool twice = false;
        for (size_t k = 0; k < i; k++)
            twice = twice || target_eq(&targets[k], &targets[i]);
        if (twice)
            continue;
        if (pages_split(p, &targets[i], NULL, 0, e) != 0 || pages_place(p, &targets[i], &place, e) < 0 ||
            load_parts(p, place, &targets[i], of, PARTS_MAX, &parts_n, e) != 0 || begin_parts(of, parts_n, api, e) != 0)
            return -1;
        of->parts_n = parts_n;
    }
    for (bool any = true; any;) {
        any = false;
        if (pages_wait(p, api, step, ctx, e) != 0)
            return -1;
        for (size_t i = 0; i < n; i++)
            if (reads[i * PARTS_MAX].parts_n > 0 &&
                begin_refused(&reads[i * PARTS_MAX], reads[i * PARTS_MAX].parts_n, api, &any, e) != 0)
                return -1;
    }
    for (size_t i = 0; i < n; i++) {
        struct page_read *of = &reads[i * PARTS_MAX];
        if (of->parts_n == 0 || parts_fit(of, of->parts_n))
            continue;
        *again = true;
        if (join_parts(p, of, e) != 0)
            return -1;
    }
    return db_commit(&p->db, e);
}

int pages_read(struct pages *p, struct api *api, const struct target *targets, size_t n, pages_step_fn *step, void *ctx,
               struct err *e)
{
    bool again = true;
    int rc = 0;
    for (int round = 0; rc == 0 && again && round < 2; round++) {
        struct page_read *reads = calloc((n + 1) * PARTS_MAX, sizeof *reads);
        if (reads == NULL)
            return err_oom(e);
        arena_init(&p->cursors, CURSORS_MAX);
        rc = read_parts(p, api, targets, n, reads, step, ctx, &again, e);
        arena_free(&p->cursors);
        /* After an error requests may be in flight that call back into `reads`: they are dropped with the client. */
        free(p->abandoned);
        p->abandoned = reads;
    }
    return rc;
}
