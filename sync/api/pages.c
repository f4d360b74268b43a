/* Pages of a GET endpoint, followed by cursor to the empty one: a cursor comes back even with a short last page
 * (observed). */
#include "config.h"

#include "sync/api/pages.h"

#include "sync/api/answer/answer.h"
#include "sync/api/body/body.h"

#include <json-c/json.h>

enum {
    PATH_MAX_BYTES = 8000, /* the edge refuses longer addresses with 431 */
    PAGES_MAX = 1000,
};

int pages_get(struct api *a, const char *path, bool optional, struct api_reply *reply, struct err *e)
{
    struct api_call call = {.method = "GET", .path = path, .optional = optional, .urgent = true, .kind = API_KIND_OTHER};
    return api_call_wait(a, &call, reply, e);
}

int pages_each(struct api *a, const char *path, const char *query, bool *denied, pages_item_fn *see, void *ctx,
               struct err *e)
{
    struct buf url = BUF_INIT(PATH_MAX_BYTES), cursor = BUF_INIT(PATH_MAX_BYTES);
    int r = -1;
    for (unsigned page = 0; page < PAGES_MAX; page++) {
        struct api_reply reply;
        buf_reset(&url);
        bool made = buf_addf(&url, "%s?limit=100%s", path, query) == 0 &&
                    (cursor.n == 0 ||
                     (buf_adds(&url, "&starting_after=") == 0 && body_url_escape(buf_str(&cursor), &url) == 0)) &&
                    buf_cstr(&url) != NULL;
        if (!made) {
            err_set(e, XS_CONFIG, "%s: the name to look for is too long", path);
            goto out;
        }
        if (pages_get(a, url.p, denied != NULL, &reply, e) != 0)
            goto out;
        if (reply.class == API_REFUSED && reply.http_status == 403 && denied != NULL) {
            *denied = true;
            r = 0;
            goto out;
        }
        struct json_object *items;
        if (reply.class != API_OK || !answer_array(reply.json, "items", &items)) {
            err_set(e, XS_API, "%s: no usable answer (%d %.*s)", path, reply.http_status, STR_ARG(reply.message));
            goto out;
        }
        size_t n = json_object_array_length(items);
        for (size_t i = 0; i < n; i++) {
            int seen = see(ctx, json_object_array_get_idx(items, i), e);
            r = seen < 0 ? -1 : 0;
            if (seen != 0)
                goto out;
        }
        struct str next;
        if (n == 0 || !answer_str(reply.json, "next_starting_after", &next) || next.n == 0) {
            r = 0;
            goto out;
        }
        r = -1;
        if (str_eq(next, buf_str(&cursor)))
            break;
        buf_reset(&cursor);
        if (buf_add(&cursor, next.p, next.n) != 0)
            break;
    }
    err_set(e, XS_API, "%s: the pages of the answer do not end: try again later", path);
out:
    buf_free(&url);
    buf_free(&cursor);
    return r;
}
