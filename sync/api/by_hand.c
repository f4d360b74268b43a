/* Each request: method, path, body, and what an answer must have to prove anything. */
#include "config.h"

#include "sync/api/by_hand.h"

#include "sync/api/body/body.h"

#include <string.h>

enum { PATH_MAX_BYTES = 8000 }; /* the edge refuses longer addresses with 431 */

static const char *const method_get = "GET", *const method_post = "POST";

static void by_hand_start(struct by_hand *r, const char *method, enum api_kind kind, bool write, const char *must_have)
{
    *r = (struct by_hand){method, kind, write, must_have, BUF_INIT(PATH_MAX_BYTES), BUF_INIT(BODY_MAX_BYTES)};
}

static int set_path(struct by_hand *r, const char *path, struct err *e)
{
    if (buf_adds(&r->path, path) != 0 || buf_cstr(&r->path) == NULL)
        return err_oom(e);
    return 0;
}

static int lead_path(struct by_hand *r, const struct uuid *id, struct err *e)
{
    char path[64] = "/api/v2/leads/";
    uuid_format(id, path + strlen(path));
    return set_path(r, path, e);
}

int by_hand_list(struct by_hand *r, const struct leads_filter *filter, unsigned limit, struct str cursor, struct err *e)
{
    by_hand_start(r, method_post, API_KIND_LIST, false, NULL);
    return set_path(r, "/api/v2/leads/list", e) != 0 ? -1 : body_filtered_list(filter, limit, cursor, &r->body, e);
}

int by_hand_get(struct by_hand *r, const struct uuid *id, struct err *e)
{
    by_hand_start(r, method_get, API_KIND_OTHER, false, "id");
    return lead_path(r, id, e);
}

int by_hand_merge(struct by_hand *r, const struct uuid *lead, const struct uuid *destination, struct err *e)
{
    by_hand_start(r, method_post, API_KIND_OTHER, true, "id");
    return set_path(r, "/api/v2/leads/merge", e) != 0 ? -1 : body_leads_merge(lead, destination, &r->body, e);
}

/* Answers with a word and no id: "submitted" is all there is, what came of it has to be read back. */
int by_hand_interest(struct by_hand *r, const struct leads_interest *interest, struct err *e)
{
    by_hand_start(r, method_post, API_KIND_OTHER, true, NULL);
    return set_path(r, "/api/v2/leads/update-interest-status", e) != 0 ? -1 : body_leads_interest(interest, &r->body, e);
}

int by_hand_assign(struct by_hand *r, const struct leads_assign *assign, struct err *e)
{
    by_hand_start(r, method_post, API_KIND_OTHER, true, NULL);
    return set_path(r, "/api/v2/leads/bulk-assign", e) != 0 ? -1 : body_leads_assign(assign, &r->body, e);
}

int by_hand_subsequence(struct by_hand *r, const struct uuid *lead, const struct uuid *subsequence, struct err *e)
{
    by_hand_start(r, method_post, API_KIND_OTHER, true, "id");
    const char *path = subsequence != NULL ? "/api/v2/leads/subsequence/move" : "/api/v2/leads/subsequence/remove";
    return set_path(r, path, e) != 0 ? -1 : body_leads_subsequence(lead, subsequence, &r->body, e);
}

void by_hand_free(struct by_hand *r)
{
    buf_free(&r->path);
    buf_free(&r->body);
}

int by_hand_digest(const struct by_hand *r, char body_sha256[SHA256_HEX_N], struct err *e)
{
    body_sha256[0] = '\0';
    if (r->body.n > 0 && sha256_hex(r->body.p, r->body.n, body_sha256) != 0)
        return err_set(e, XS_INTERNAL, "no SHA-256 of a request; please report this");
    return 0;
}

static struct api_call by_hand_call(const struct by_hand *r)
{
    return (struct api_call){
        .method = r->method,
        .path = r->path.p,
        .body = buf_str(&r->body),
        .write = r->write,
        .kind = r->kind,
        .must_have = r->must_have,
    };
}

int by_hand_queue(struct api *a, const struct by_hand *r, api_done_fn *done, void *ctx, struct err *e)
{
    const struct api_call call = by_hand_call(r);
    return api_call(a, &call, done, ctx, e);
}

int by_hand_send(struct api *a, const struct by_hand *r, struct api_reply *reply, struct err *e)
{
    const struct api_call call = by_hand_call(r);
    return api_call_wait(a, &call, reply, e);
}
