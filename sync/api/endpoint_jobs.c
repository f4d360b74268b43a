/* Moves, removals and the background jobs that follow. */
#include "config.h"

#include "sync/api/body/body.h"
#include "sync/api/http/queue.h"

#include <string.h>

int api_leads_move(struct api *a, const struct leads_move *move, api_done_fn *done, void *ctx, struct err *e)
{
    struct request r = {
        .method = "POST",
        .body = BUF_INIT(BODY_MAX_BYTES),
        .expected = {true, true, "id", json_type_string},
        .kind = API_KIND_MOVE,
        .done = done,
        .ctx = ctx,
    };
    if (body_leads_move(move, &r.body, e) != 0) {
        buf_free(&r.body);
        return -1;
    }
    r.path = str_dup(STR("/api/v2/leads/move"));
    return queue_add(a, &r, e);
}

int api_leads_delete(struct api *a, const struct leads_delete *del, api_done_fn *done, void *ctx, struct err *e)
{
    struct request r = {
        .method = "DELETE",
        .body = BUF_INIT(BODY_MAX_BYTES),
        .expected = {true, true, "count", json_type_int},
        .kind = API_KIND_DELETE,
        .done = done,
        .ctx = ctx,
    };
    if (body_leads_delete(del, &r.body, e) != 0) {
        buf_free(&r.body);
        return -1;
    }
    r.path = str_dup(STR("/api/v2/leads"));
    return queue_add(a, &r, e);
}

int api_lead_delete(struct api *a, const struct uuid *id, api_done_fn *done, void *ctx, struct err *e)
{
    struct request r = {
        .method = "DELETE",
        .body = BUF_INIT(0),
        .expected = {true, true, "id", json_type_string},
        .kind = API_KIND_DELETE,
        .done = done,
        .ctx = ctx,
    };
    char path[64] = "/api/v2/leads/";
    uuid_format(id, path + strlen(path));
    r.path = str_dup(str_from(path));
    return queue_add(a, &r, e);
}

/* ---- jobs ---- */

enum { PATH_MAX_BYTES = 8000 }; /* the edge refuses longer addresses with 431 */

static int ask(struct api *a, struct buf *path, const char *member, enum json_type type, bool urgent, api_done_fn *done,
               void *ctx, struct err *e)
{
    struct request r = {
        .method = "GET",
        .path = str_dup(buf_str(path)),
        .body = BUF_INIT(0),
        .expected = {false, true, member, type},
        .kind = API_KIND_JOBS,
        .urgent = urgent,
        .done = done,
        .ctx = ctx,
    };
    return queue_add(a, &r, e);
}

static int too_long(struct err *e)
{
    return err_set(e, XS_INTERNAL, "background-jobs: the question does not fit an address; please report this");
}

static int add_ids(struct buf *path, const struct jobs_list *list)
{
    if (buf_adds(path, "&ids=") != 0)
        return -1;
    for (size_t i = 0; i < list->ids_n; i++)
        if ((i > 0 && buf_addc(path, ',') != 0) || body_url_escape(list->ids[i], path) != 0)
            return -1;
    return 0;
}

int api_jobs_list(struct api *a, const struct jobs_list *list, api_done_fn *done, void *ctx, struct err *e)
{
    char source[UUID_TEXT_N];
    if (list->ids_n > JOBS_LIST_MAX || (list->ids_n == 0) == (list->moved_from == NULL))
        return err_set(e, XS_INTERNAL, "background-jobs: %zu ids, 1 to %d or a source can be asked for; please report this",
                       list->ids_n, JOBS_LIST_MAX);
    struct buf path = BUF_INIT(PATH_MAX_BYTES);
    bool made = buf_adds(&path, "/api/v2/background-jobs?limit=100") == 0 &&
                (list->ids_n > 0 ? add_ids(&path, list) == 0
                                 : buf_addf(&path, "&type=move-leads&entity_id=%s&sort_column=created_at&sort_order=desc",
                                            uuid_format(&list->moved_from->id, source)) == 0);
    int r = made ? ask(a, &path, "items", json_type_array, list->urgent, done, ctx, e) : too_long(e);
    buf_free(&path);
    return r;
}

int api_job_get(struct api *a, struct str id, const char *data_fields, api_done_fn *done, void *ctx, struct err *e)
{
    if (id.n == 0)
        return err_set(e, XS_INTERNAL, "background-jobs: no id is given; please report this");
    struct buf path = BUF_INIT(PATH_MAX_BYTES);
    bool made = buf_adds(&path, "/api/v2/background-jobs/") == 0 && body_url_escape(id, &path) == 0 &&
                (data_fields == NULL || buf_addf(&path, "?data_fields=%s", data_fields) == 0);
    int r = made ? ask(a, &path, "id", json_type_string, false, done, ctx, e) : too_long(e);
    buf_free(&path);
    return r;
}
