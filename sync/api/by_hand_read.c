/* Leads read one page or one lead at a time, with the caller waiting.
 *
 * The cursor of leads/list comes with the last page, too, and one that stands still would be followed for ever. */
#include "config.h"

#include "sync/api/by_hand.h"

#include "sync/api/answer/answer.h"

#include <json-c/json.h>

enum { CURSOR_MAX_BYTES = 4096 };

/* Sends the request and frees it. */
static int by_hand_ask(struct api *a, struct by_hand *request, int made, struct api_reply *reply, struct err *e)
{
    int rc = made == 0 ? by_hand_send(a, request, reply, e) : -1;
    by_hand_free(request);
    return rc;
}

/* Keeps the cursor of the next page: 1, or 0 when there is none. */
static int by_hand_next_cursor(struct json_object *page, size_t items_n, struct buf *cursor, struct err *e)
{
    struct json_object *next = NULL;
    struct str text;
    json_object_object_get_ex(page, "next_starting_after", &next);
    if (items_n == 0 || next == NULL)
        return 0;
    if (!answer_str(page, "next_starting_after", &text) || str_eq(text, buf_str(cursor)))
        return err_set(e, XS_API, "leads/list: the cursor of a page leads nowhere: try again later");
    buf_reset(cursor);
    if (text.n == 0)
        return 0;
    return buf_add(cursor, text.p, text.n) == 0 ? 1 : err_oom(e);
}

static int by_hand_see_page(struct json_object *page, struct json_object *items, by_hand_lead_fn *see, void *ctx,
                            struct buf *cursor, struct err *e)
{
    size_t n = json_object_array_length(items);
    for (size_t i = 0; i < n; i++) {
        struct remote_lead lead;
        if (api_remote_lead_read(json_object_array_get_idx(items, i), &lead, e) != 0)
            return -1;
        int rc = see(ctx, &lead, e);
        if (rc != 0)
            return rc < 0 ? -1 : 0;
    }
    return by_hand_next_cursor(page, n, cursor, e);
}

int by_hand_each(struct api *a, const struct leads_filter *filter, by_hand_lead_fn *see, void *ctx, struct err *e)
{
    struct buf cursor = BUF_INIT(CURSOR_MAX_BYTES);
    int more = 1;
    while (more > 0) {
        struct by_hand request;
        struct api_reply reply;
        struct json_object *items;
        int made = by_hand_list(&request, filter, LEADS_LIST_MAX, buf_str(&cursor), e);
        more = by_hand_ask(a, &request, made, &reply, e);
        if (more != 0)
            break;
        if (reply.class != API_OK || !answer_array(reply.json, "items", &items)) {
            more = err_set(e, XS_API,
                           "leads/list: no usable answer (%d %.*s): see whether the selection is right, or try "
                           "again later",
                           reply.http_status, STR_ARG(reply.message));
            break;
        }
        /* `see` may ask for more, such as the name of a campaign, and the page must outlive that answer. */
        struct json_object *page = json_object_get(reply.json);
        more = by_hand_see_page(page, items, see, ctx, &cursor, e);
        json_object_put(page);
    }
    buf_free(&cursor);
    return more < 0 ? -1 : 0;
}

int by_hand_find(struct api *a, const struct uuid *id, struct remote_lead *out, struct err *e)
{
    struct by_hand request;
    struct api_reply reply;
    char text[UUID_TEXT_N];
    int made = by_hand_get(&request, id, e);
    if (by_hand_ask(a, &request, made, &reply, e) != 0)
        return -1;
    if (reply.class == API_OK)
        return api_remote_lead_read(reply.json, out, e) == 0 ? 1 : -1;
    if (reply.http_status == 404)
        return 0;
    return err_set(e, XS_API, "lead %s cannot be read (%d %.*s): see whether the id is right", uuid_format(id, text),
                   reply.http_status, STR_ARG(reply.message));
}
