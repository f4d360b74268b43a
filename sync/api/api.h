/* The client of the Instantly API v2: asynchronous calls, paced and retried, classified.
 *
 * body builds and reads JSON, endpoint is one async call each, queue is the only place with rate, retry and priority,
 * transport moves bytes. This room only *classifies* an answer; what it means for rows is decided in sync/upload.
 * Facts about the API are marked where they are used with what is known of them: documented, observed, inferred. */
#ifndef SYNC_API_API_H
#define SYNC_API_API_H

#include "sync/base/arena.h"
#include "sync/base/clock.h"
#include "sync/base/err.h"
#include "sync/base/hash.h"
#include "sync/model/engagement.h"
#include "sync/model/lead.h"
#include "sync/model/target.h"

#include <stdbool.h>
#include <stdint.h>

struct json_object;
struct transport;

/* What an answer means for the request, not for its leads. */
enum api_class {
    API_OK,        /* 2xx with a usable answer */
    API_REFUSED,   /* 400, 404, 413, 422 …: this body, surely not applied */
    API_PLAN_FULL, /* 403 "Lead limit reached": surely not applied; `room` has the remaining uploads */
    API_UNKNOWN,   /* a write whose bytes may have left and that has no usable answer: read back */
    API_FAILED,    /* a read that kept failing, or a write that surely never left and kept not leaving: `err` says */
    API_FATAL,     /* key, scope, plan unpaid, closed endpoint, edge refusal: the run ends; `err` has the status */
    API_CANCELLED, /* taken back by api_cancel_queued() before it left: surely not applied */
};

struct api_reply {
    enum api_class class;
    int http_status;                     /* 0: no answer */
    struct str message;                  /* the API's words, cleaned, cut at 300 bytes; may be empty */
    struct err *err;                     /* API_FAILED, API_FATAL: borrowed */
    struct json_object *json;            /* parsed answer, also of errors; NULL when empty or no JSON; borrowed */
    const struct created_leads *created; /* of api_leads_add(): they are not in the json; NULL: they are; borrowed */
    int64_t room;                        /* API_PLAN_FULL: remaining uploads, -1 when not said */
    int64_t sent_wall_ms;                /* when the (last) attempt left; 0: never did */
    int64_t skew_ms;                     /* server Date minus ours, 0 when not told */
    unsigned attempts;
};
typedef void api_done_fn(void *ctx, const struct api_reply *reply);

struct api_config {
    const char *base_url;   /* without a trailing slash; https, or http to loopback (checked here: XS_USAGE) */
    const char *key;        /* borrowed for the client's life */
    const char *workspace;  /* sent as x-as-workspace; NULL: none */
    const char *user_agent; /* "leadsync/VERSION" */
    unsigned requests_per_second, requests_per_minute; /* 0: no limit */
    unsigned in_flight;                                /* 0: auto, 24 growing to 64 by measured latency */
    size_t memory_max;      /* bytes that the process may take, of which answers get a share; 0: 256 MiB */
    bool read_only;         /* a dry run: whatever is not a GET or POST /leads/list is refused in the transport */
    const char *rate_share; /* path of the budget shared by all processes of this user; NULL: not shared */
};

struct api;
/* `transport` NULL: libcurl. Takes it over. */
int api_new(const struct api_config *config, struct transport *transport, struct clock *clock, struct api **out,
            struct err *e);
void api_free(struct api *a); /* requests in flight are dropped without their callbacks */

/* One bounded turn: sends what may be sent, waits at most `timeout_ms` for something to happen, calls back what is
 * done. Callbacks may queue new requests, but must not step. With nothing to do it just waits, so that it is also the
 * place to sleep. 0, or -1 (XS_INTERNAL, XS_API when the transport itself broke). */
int api_step(struct api *a, int64_t timeout_ms, struct err *e);
/* The look-ups that block give up at this time of the monotonic clock (XS_API); 0: when the API has failed often. */
void api_wait_until(struct api *a, int64_t mono_us);
/* A request that a move job keeps out (409) is sent again until the job lets go; after this long it is API_REFUSED with
 * 409, surely not applied. 0: as long as it takes. */
void api_lock_wait(struct api *a, int64_t ms);
/* What the API makes requests wait for. Waits of two seconds and more are logged as they begin: a note, from half a minute on
 * a warning. */
enum api_wait_kind {
    API_WAIT_RATE_LIMIT, /* 429: nothing is sent */
    API_WAIT_LOCK,       /* 409 of a move job: its requests wait */
    API_WAIT_SERVER,     /* 5xx, or no usable answer: a read waits */
    API_WAIT_CONNECTION, /* nothing gets through */
    API_WAITS_N,
};
struct api_wait {
    enum api_wait_kind kind;
    int64_t left_ms; /* until the next try */
};
/* The longest wait under way; false: none. */
bool api_waits(const struct api *a, struct api_wait *out);
/* True and an error (XS_API) if writes left and none of them had a usable answer, neither a success nor a refusal. */
bool api_writes_unanswered(const struct api *a, struct err *e);
/* When the caller's time is over: true and an error (XS_API) that says what the API made it wait for, if it did. */
bool api_last_word(const struct api *a, struct err *e);
bool api_full(const struct api *a);     /* more queued than can be in flight: step before adding */
size_t api_queued(const struct api *a); /* waiting plus in flight */
/* Calls back everything that has not left with API_CANCELLED (first signal, time budget). What is in flight is answered
 * as usual, but where it would have been sent again it is API_CANCELLED too. */
void api_cancel_queued(struct api *a);

/* From the deadline or the first signal on, in each turn: what is in flight is awaited for API_LAST_WAIT_MS more, and the
 * first call says so in one line. Then true, and requests that have no answer are called back for the last time: writes
 * with API_UNKNOWN, reads with API_CANCELLED. Their later answers are dropped. */
enum { API_LAST_WAIT_MS = 30000 };
bool api_last_wait(struct api *a);

struct api_counts {
    uint64_t total, retried, rate_limited;
    uint64_t by_kind[8]; /* enum api_kind */
    int64_t latency_us;  /* smoothed */
};
enum api_kind {
    API_KIND_ADD,
    API_KIND_LIST,
    API_KIND_PATCH,
    API_KIND_DELETE,
    API_KIND_MOVE,
    API_KIND_JOBS,
    API_KIND_OTHER,
};
void api_get_counts(const struct api *a, struct api_counts *out);

/* ---- endpoints; 0 when queued (the callback will come, once), -1 when the request cannot be built ---- */

/* One lead as an item of leads/add: the only builder of it. Appends JSON; nulls are written, absent fields not (a null
 * lt_interest_status neither: the API has none, and a new lead without it is the same). 0/-1 with nothing appended. */
int api_lead_json(const struct lead *lead, struct buf *out);

/* A request around its leads. The body is written as the leads come, once: what is digested for the intent, which is
 * durable before the request leaves, are the bytes that are sent. */
struct leads_add {
    struct target target;
    const char *blocklist_id; /* NULL: the workspace's default */
    bool verify_on_import;
    enum leads_add_skip { SKIP_NOTHING, SKIP_IN_WORKSPACE, SKIP_IN_CAMPAIGN, SKIP_IN_LIST } skip;
};
enum { LEADS_ADD_MAX_LEADS = 1000, LEADS_ADD_MAX_BYTES = 1000000 };
/* Everything before the first lead. `body` is empty and born with LEADS_ADD_MAX_BYTES. 0/-1 (memory). */
int api_leads_add_open(const struct leads_add *add, struct buf *body);
/* Adds a lead: 1, 0 when the body would pass its maximum, -1 (memory). What is 0 or -1 has added nothing. */
int api_leads_add_lead(const struct lead *lead, struct buf *body);
int api_leads_add_close(struct buf *body); /* 0/-1 (memory) */
/* Queues the closed body, which is taken over, also when it fails. leads_n: 1..1000. */
int api_leads_add(struct api *a, struct buf *body, size_t leads_n, api_done_fn *done, void *ctx, struct err *e);

struct added_lead {
    uint32_t index;
    struct uuid id;
    struct str email;                 /* as the answer has it; empty when it has none */
    struct str first_name, last_name; /* the same, of a lead that it names without an address */
};
struct created_leads {
    struct added_lead *v; /* owned by the client, with the texts */
    size_t n, cap;
    struct arena names; /* the texts */
};
/* The answer of leads/add, typed. Counters that are missing are -1. created: index (position in the request) and id;
 * an index out of range or given twice is a violation and makes the parse fail: API_UNKNOWN for the caller. */
struct leads_added {
    int64_t total_sent, uploaded, in_blocklist, duplicated, skipped, invalid_email, incomplete, duplicate_email;
    int64_t remaining_in_plan;        /* -1: not told */
    const struct added_lead *created; /* in the arena, or borrowed from the reply */
    size_t created_n;
};
int api_leads_added_read(const struct api_reply *reply, size_t sent_n, struct arena *arena, struct leads_added *out,
                         struct err *e);

struct remote_lead;
/* leads/list: at most 100 of contacts or ids, or none of both with a target; follows the cursor itself and calls back
 * once with all items of all pages as a JSON array in reply->json (items_max bounds them). By ids, it ends with the page
 * that shows the last of them. With `see`, only what it keeps
 * is in there, so that a list of any length can be looked through; after LIST_KEEP_LAST no page is asked for. Items are re-filtered by the
 * caller: the API ignores keys that it does not know. An address that the API's format "email" does not take is searched
 * for instead, a request each, and a search finds parts of addresses and names too. */
struct leads_list {
    const struct target *target; /* NULL: the whole workspace */
    const struct str *contacts;
    size_t contacts_n;
    const struct uuid *ids;
    size_t ids_n;
    size_t items_max; /* of those that are kept; 0: 100 000 */
    /* Called for each lead as its page comes, and may be NULL: all are kept. An item that is not a lead is dropped. */
    enum leads_list_see { LIST_DROP, LIST_KEEP, LIST_KEEP_LAST } (*see)(void *ctx, const struct remote_lead *lead);
    /* For a list that is read in full: called after the leads of each page, with the cursor of the next page. A full page
     * without a cursor is not believed to be the last: its last lead becomes the cursor. NULL: not called. */
    void (*paged)(void *ctx, struct str cursor);
    struct str after; /* with `paged`: the cursor to begin with; empty: the first page */
    bool urgent;      /* before queued writes: a read-back that others wait for */
};
enum { LEADS_LIST_MAX = 100 };
int api_leads_list(struct api *a, const struct leads_list *list, api_done_fn *done, void *ctx, struct err *e);

/* GET /leads/{id}: the lead itself, which no list can leave out. A missing lead is API_REFUSED with 404. */
int api_lead_get(struct api *a, const struct uuid *id, api_done_fn *done, void *ctx, struct err *e);

enum { REMOTE_NO_INTEREST = -1000000 };

/* A lead as the API returns it, from an item of leads/list or a PATCH answer; strings borrow from the JSON. */
struct remote_lead {
    struct uuid id;
    bool has_campaign, has_list, has_subsequence;
    struct uuid campaign, list, subsequence;
    int status; /* TARGET_STATUS_UNKNOWN when absent */
    struct str email;
    enum lead_verdict {               /* of the verification of its address */
                        VERDICT_NONE, /* never verified */
                        VERDICT_PENDING,
                        VERDICT_VALID,
                        VERDICT_INVALID,
                        VERDICT_RISKY,
                        VERDICT_CATCH_ALL,
                        VERDICT_JOB_CHANGE,
                        VERDICT_UNKNOWN, /* one that is not documented */
    } verdict;
    int64_t created_ms, updated_ms; /* 0 when absent or malformed */
    int64_t interest;               /* lt_interest_status; REMOTE_NO_INTEREST when absent */
    int64_t opens, clicks, replies; /* 0 when absent */
    struct json_object *object;     /* for api_remote_field() and api_remote_custom() */
};
/* "invalid", "risky" …: for messages. */
const char *lead_verdict_text(enum lead_verdict verdict);
int api_remote_lead_read(struct json_object *item, struct remote_lead *out, struct err *e);
/* What the item says of the lead beside its fields. */
void api_remote_engagement(const struct remote_lead *lead, struct engagement *out);
/* The next lead of an answer, which is a list of leads or one lead; *at begins as 0. Skips unreadable items. False: none is
 * left. */
bool api_reply_lead(const struct api_reply *reply, size_t *at, struct remote_lead *out);
/* The answer of GET /lead-lists/{id}/verification-stats: how many leads wait for their verdict; -1: it does not say. */
int64_t api_list_pending_read(const struct api_reply *reply);
/* Number of the lead's mail provider; -1: not known. */
int api_remote_esp(const struct remote_lead *lead);
/* Is the lead in the campaign or list? */
bool api_remote_is_in(const struct remote_lead *lead, const struct target *target);
/* The member of the API's object with this name, texts as they are and anything else as JSON; empty when there is none. */
struct str api_remote_member(const struct remote_lead *lead, const char *name);
/* Calls take() with the text of each value, also of nested objects, until it returns something else than 0; returns that. */
int api_remote_each_text(const struct remote_lead *lead, int (*take)(void *ctx, struct str text), void *ctx);
/* The whole object as JSON; borrowed until the next call. */
const char *api_remote_json(const struct remote_lead *lead);
/* Keeps what the lead borrows after its answer is gone, until api_remote_release(). */
void api_remote_keep(const struct remote_lead *lead);
void api_remote_release(const struct remote_lead *lead);
/* Was the person written to, or has the person answered? */
bool api_remote_is_contacted(const struct remote_lead *lead);
/* Value of a core field or custom variable as the API returns it (payload), VALUE_ABSENT without one. */
void api_remote_field(const struct remote_lead *lead, enum lead_field field, struct value *out);
void api_remote_custom(const struct remote_lead *lead, struct str name, struct value *out);

/* PATCH /leads/{id}: `fields` has a bit per changed core field; with `custom` the complete set of variables is sent:
 * the remote payload (may be NULL) without core keys and objects, overlaid with the lead's variables. Without `remote` only the
 * lead's own variables are sent, which is the complete set only if PATCH merges. */
struct lead_patch {
    struct uuid id;
    const struct lead *lead;
    uint32_t fields;
    bool custom;
    const struct remote_lead *remote;
    struct str without; /* this variable of the remote payload is left out, to see what PATCH does to it; empty: none */
};
/* XS_SOURCE: the lead's values are too large for a request. */
int api_lead_patch(struct api *a, const struct lead_patch *patch, api_done_fn *done, void *ctx, struct err *e);
/* For a dry run: 1, 0 where that would be so, -1. */
int api_lead_patch_body(const struct lead_patch *patch, struct buf *out, struct err *e);
int api_lead_patch_fits(const struct lead_patch *patch, struct err *e);

/* ---- moves, removals, background jobs ---- */

/* POST /leads/move, by ids out of one target into another; always with check_duplicates, without resetting the interest
 * status, and bounded by the number of ids. Answers a background job (api_remote_job_read). Refused here: no ids, more
 * than LEADS_MOVE_MAX, source equal to destination. The digest is of the exact body. */
enum { LEADS_MOVE_MAX = 1000 };
/* Options of a move; a sync leaves all of them false. */
struct leads_move_options {
    bool copy;             /* new leads are made, which take room in the plan */
    bool allow_duplicates; /* leads whose address is in the destination go too, else they stay */
    bool check_campaigns;  /* leads whose address is in any other campaign stay */
    bool reset_interest;
    bool skip_in_verification;
    bool ignore_clauses; /* saved clauses of the source that narrow what is selected */
    bool assign;
    struct uuid assigned_to;
};
struct leads_move {
    struct target from, to;
    const struct uuid *ids;
    size_t ids_n;
    const struct leads_move_options *options; /* NULL: what a sync asks for */
};
/* The exact bodies of these requests, appended. 0/-1 */
int api_leads_move_body(const struct leads_move *move, struct buf *out, struct err *e);
int api_leads_move_digest(const struct leads_move *move, char body_sha256[SHA256_HEX_N], struct err *e);
int api_leads_move(struct api *a, const struct leads_move *move, api_done_fn *done, void *ctx, struct err *e);

/* DELETE /leads, by ids out of one target, bounded by their number. Refused here: no ids (which would mean all), more
 * than LEADS_DELETE_MAX. The answer's count may be smaller: unknown ids are no error. */
struct leads_delete {
    struct target from;
    const struct uuid *ids;
    size_t ids_n;
};
enum { LEADS_DELETE_MAX = 100 };
int api_leads_delete_body(const struct leads_delete *del, struct buf *out, struct err *e);
int api_leads_delete_digest(const struct leads_delete *del, char body_sha256[SHA256_HEX_N], struct err *e);
int api_leads_delete(struct api *a, const struct leads_delete *del, api_done_fn *done, void *ctx, struct err *e);
/* DELETE /leads/{id}: the only way for a lead that is in no campaign and no list. Answers the lead. */
int api_lead_delete(struct api *a, const struct uuid *id, api_done_fn *done, void *ctx, struct err *e);
int api_leads_deleted_read(struct json_object *json, int64_t *count, struct err *e);

/* GET /background-jobs: at most JOBS_LIST_MAX by ids, or the newest hundred moves out of a target (to find the job of a
 * move whose answer was lost). Jobs are the members of "items" in the answer. */
struct jobs_list {
    const struct str *ids;
    size_t ids_n;
    const struct target *moved_from;
    bool urgent;
};
enum { JOBS_LIST_MAX = 100 };
int api_jobs_list(struct api *a, const struct jobs_list *list, api_done_fn *done, void *ctx, struct err *e);
/* GET /background-jobs/{id}. `data_fields`: comma list of the members of `data` wanted, so that no poll carries ten
 * thousand addresses; NULL: all. A 404 is API_REFUSED. */
int api_job_get(struct api *a, struct str id, const char *data_fields, api_done_fn *done, void *ctx, struct err *e);

/* A status that is not known is one to wait for; the counts of a job show what it did, never its status alone. */
enum job_status {
    JOB_UNKNOWN,
    JOB_PENDING,
    JOB_RUNNING,
    JOB_DRAINING,
    JOB_PAUSED,
    JOB_SUCCESS,
    JOB_FAILED,
    JOB_CANCELLED,
};
enum job_status job_status_find(struct str text);
bool job_status_is_final(enum job_status status);
struct remote_job {
    struct str id, type, status_text, entity_id; /* borrow from the JSON; empty when absent */
    enum job_status status;
    int64_t progress;               /* 0..100, -1 when absent; says little */
    int64_t created_ms, updated_ms; /* 0 when absent or malformed */
    /* of a move; -1 when not told */
    int64_t total, moved, duplicated, missing_email, in_other_campaigns, blocklisted;
    struct json_object *object;
};
int api_remote_job_read(struct json_object *item, struct remote_job *out, struct err *e);
/* An answer of api_jobs_list() that has a list of jobs? */
bool api_reply_has_jobs(const struct api_reply *reply);
/* Its next job; *at begins as 0. Skips unreadable items. False: none is left. */
bool api_reply_job(const struct api_reply *reply, size_t *at, struct remote_job *out);
/* What the job says that it was asked, as JSON; NULL when it does not. Borrowed until the next call. */
const char *api_remote_job_filters(const struct remote_job *job);
/* The ids of leads in such filters, in the arena; none when they have none or are NULL. 0/-1 (memory) */
int api_job_filter_ids(const char *filters, struct arena *arena, struct uuid **ids, size_t *n, struct err *e);
/* Was the job asked to move some of these ids, and no others, between these ends? A run may have left some of them out. */
bool api_remote_job_within(const struct remote_job *job, const struct leads_move *move);
/* Addresses it says it has moved (the API names at most ten thousand); array in the arena, bytes in the JSON. */
int api_remote_job_moved(const struct remote_job *job, struct arena *arena, struct str **emails, size_t *n, struct err *e);

/* Plain calls: method is "GET", "POST", "PATCH" or "DELETE"; path starts with "/api/v2/"; body is JSON or empty.
 * For the endpoints that need no shaping of their own. `write` says whether an unknown outcome matters. */
struct api_call {
    const char *method, *path;
    struct str body;
    bool write, urgent;
    bool optional; /* a missing scope or a closed endpoint is API_REFUSED, not the end of the run */
    enum api_kind kind;
    const char *must_have; /* a text member without which an answer proves nothing; NULL: none */
};
int api_call(struct api *a, const struct api_call *call, api_done_fn *done, void *ctx, struct err *e);
/* Queues and steps until answered; for start-up checks and by-hand commands. `reply` strings and json are valid until
 * the next call on `a`. -1 for API_FAILED and API_FATAL too (`reply` is filled), never for API_REFUSED: the caller
 * reads reply->class. A read stops early on a signal (XS_SIGINT, XS_SIGTERM); a write that may have left is waited for,
 * because its answer is the proof of what it did, and one that has not is API_CANCELLED. */
int api_call_wait(struct api *a, const struct api_call *call, struct api_reply *reply, struct err *e);

/* ---- look-ups at start, blocking through api_call_wait ---- */
/* Name or UUID to target; `ask` false takes a UUID without asking (name NULL then). None or several of a name:
 * XS_CONFIG with candidates. */
int api_target_find(struct api *a, const struct target_spec *spec, bool ask, struct arena *arena, struct target *out,
                    struct err *e);
/* GET of a campaign or list by its id, for the callback, or waited for as api_call_wait() does: API_REFUSED with 404 where
 * it is not in the workspace. */
int api_target_get(struct api *a, const struct target *t, api_done_fn *done, void *ctx, struct err *e);
int api_target_get_wait(struct api *a, const struct target *t, struct api_reply *reply, struct err *e);
/* Is that the answer to `asked`, and has it been read? The name is in the arena; NULL: the answer has none. */
bool api_target_read(const struct api_reply *reply, const struct target *asked, struct arena *arena, struct target *out);
/* Asks why a campaign sends no mail now, which its status alone does not say: no sending account, out of schedule, a limit that is
 * reached. Sets t->sending; leaves it as its status has it for a list, or if the key may not read it. 0/-1 */
int api_target_sending(struct api *a, struct target *t, struct err *e);
struct workspace {
    const char *id, *name;          /* NULL when the key may not read it */
    int64_t lead_limit, lead_count; /* -1: not known */
    const char *notice;             /* why the workspace is not known, or NULL */
    const char *plan_notice;        /* why the plan's room is not known, or NULL */
};
int api_workspace_get(struct api *a, struct arena *arena, struct workspace *out, struct err *e);
/* Adds the plan's room to it: a request of its own, which a sync does not spend, since a full plan says so itself. */
int api_plan_get(struct api *a, struct workspace *out, struct err *e);
/* Variables a campaign knows, core and custom, as JSON keys; 0 names for a list. */
int api_campaign_variables(struct api *a, const struct target *t, struct arena *arena, struct str **names, size_t *n,
                           struct err *e);

/* Variables that the mails of a campaign's sequence use. 1; 0 when it has no mail yet, or the key may not read it; -1. */
int api_campaign_used(struct api *a, const struct target *t, struct arena *arena, struct str **names, size_t *n,
                      struct err *e);

/* Background jobs, one by one: by ids (at most JOBS_LIST_MAX; missing ones are left out), or with ids_n 0
 * all of the workspace, newest first. `see`: 1 enough, 0 go on, -1 error. 0/-1 */
typedef int api_job_fn(void *ctx, const struct remote_job *job, struct err *e);
int api_jobs_each(struct api *a, const struct str *ids, size_t ids_n, api_job_fn *see, void *ctx, struct err *e);
/* One: 1 when it was seen, 0 when there is none, -1. */
int api_job_find(struct api *a, struct str id, api_job_fn *see, void *ctx, struct err *e);
/* What a job of any kind reports about its work; -1 and "" if it does not. */
struct job_report {
    int64_t total, success, failed;
    char from[TARGET_TEXT_N], to[TARGET_TEXT_N];
};
void api_remote_job_report(const struct remote_job *job, struct job_report *out);

/* Is the address, or its domain, on the block list? 1/0, -1 on error. `notice`: static text when the key may not read
 * it (then 0), else NULL. */
int api_blocklisted(struct api *a, struct str email, const char **notice, struct err *e);

#endif
