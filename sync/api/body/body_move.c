/* Moves and removals. The API reads a selector without ids as "all of them", and a key that it does not know as no
 * selector at all: seen for real, with a whole list moved. So ids and a source are always there, and `limit` bounds the
 * damage that a misreading could do. */
#include "config.h"

#include "sync/api/body/body.h"

static int check_ids(const char *what, size_t n, size_t max, struct err *e)
{
    if (n > 0 && n <= max)
        return 0;
    return err_set(e, XS_INTERNAL, "%s: %zu ids, 1 to %zu can be sent; please report this", what, n, max);
}

/* Refuses a target that was not filled in. */
static int check_target(const char *what, const struct target *target, struct err *e)
{
    if (!uuid_is_nil(&target->id))
        return 0;
    return err_set(e, XS_INTERNAL, "%s: no %s is given; please report this", what, target_kind_text(target->kind));
}

/* Leaves out options that were not set: the tests cover the API's behaviour without them. */
static void add_options(struct jsonw *w, const struct leads_move_options *o)
{
    jsonw_member_bool(w, "check_duplicates", !o->allow_duplicates);
    jsonw_member_bool(w, "reset_interest_status", o->reset_interest);
    if (o->copy)
        jsonw_member_bool(w, "copy_leads", true);
    if (o->check_campaigns)
        jsonw_member_bool(w, "check_duplicates_in_campaigns", true);
    if (o->skip_in_verification)
        jsonw_member_bool(w, "skip_leads_in_verification", true);
    if (o->ignore_clauses)
        jsonw_member_bool(w, "ignore_resource_filter_clauses", true);
    if (o->assign)
        jsonw_member_uuid(w, "assigned_to", &o->assigned_to);
}

int body_leads_move(const struct leads_move *move, struct buf *out, struct err *e)
{
    static const struct leads_move_options of_a_sync;
    if (check_ids("leads/move", move->ids_n, LEADS_MOVE_MAX, e) != 0 || check_target("leads/move", &move->from, e) != 0 ||
        check_target("leads/move", &move->to, e) != 0)
        return -1;
    if (target_eq(&move->from, &move->to))
        return err_set(e, XS_INTERNAL, "leads/move: source and destination are the same; please report this");
    struct jsonw w;
    jsonw_init(&w, out);
    jsonw_object(&w);
    body_ids(&w, move->ids, move->ids_n);
    body_target(&w, TARGET_FILTER, &move->from);
    body_target(&w, TARGET_DESTINATION, &move->to);
    add_options(&w, move->options != NULL ? move->options : &of_a_sync);
    jsonw_member_uint(&w, "limit", move->ids_n);
    jsonw_object_end(&w);
    return body_end(&w, "leads/move", e);
}

int body_leads_delete(const struct leads_delete *del, struct buf *out, struct err *e)
{
    if (check_ids("DELETE /leads", del->ids_n, LEADS_DELETE_MAX, e) != 0 ||
        check_target("DELETE /leads", &del->from, e) != 0)
        return -1;
    struct jsonw w;
    jsonw_init(&w, out);
    jsonw_object(&w);
    body_target(&w, TARGET_ADD, &del->from);
    body_ids(&w, del->ids, del->ids_n);
    jsonw_member_uint(&w, "limit", del->ids_n);
    jsonw_object_end(&w);
    return body_end(&w, "DELETE /leads", e);
}

static int digest(const struct buf *body, char body_sha256[SHA256_HEX_N], struct err *e)
{
    if (sha256_hex(body->p, body->n, body_sha256) != 0)
        return err_set(e, XS_INTERNAL, "no SHA-256 of a request; please report this");
    return 0;
}

int api_leads_move_body(const struct leads_move *move, struct buf *out, struct err *e)
{
    return body_leads_move(move, out, e);
}

int api_leads_delete_body(const struct leads_delete *del, struct buf *out, struct err *e)
{
    return body_leads_delete(del, out, e);
}

int api_leads_move_digest(const struct leads_move *move, char body_sha256[SHA256_HEX_N], struct err *e)
{
    struct buf body = BUF_INIT(BODY_MAX_BYTES);
    int r = body_leads_move(move, &body, e) == 0 ? digest(&body, body_sha256, e) : -1;
    buf_free(&body);
    return r;
}

int api_leads_delete_digest(const struct leads_delete *del, char body_sha256[SHA256_HEX_N], struct err *e)
{
    struct buf body = BUF_INIT(BODY_MAX_BYTES);
    int r = body_leads_delete(del, &body, e) == 0 ? digest(&body, body_sha256, e) : -1;
    buf_free(&body);
    return r;
}
