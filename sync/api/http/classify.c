/* Error bodies come in three dialects (message, error, detail), as HTML of the edge, as plain text, or not at all; the
 * status decides where it can, and words only where one status means several things (403, 409). */
#include "config.h"

#include "sync/api/http/classify.h"

#include "sync/base/text.h"

#include <ctype.h>
#include <json-c/json.h>
#include <string.h>
#include <strings.h>

/* ---- status and body to verdict ---- */

enum body_test { ANY, NO_JSON, IS_PLAN_FULL, IS_MOVING, IS_NO_ROUTE };

/* First match counts. That a 4xx other than the listed ones was not executed follows from the API's framework, which
 * checks before its handlers run; 408 and 425 are a proxy's words and prove nothing. 501 says that nothing carries out such
 * a request. */
static const struct rule {
    int from, to;
    enum body_test test;
    enum verdict verdict;
} rules[] = {
    {200, 299, ANY, VERDICT_OK},
    {300, 399, ANY, VERDICT_REDIRECT},
    {401, 401, ANY, VERDICT_KEY},
    {402, 402, ANY, VERDICT_UNPAID},
    {403, 403, IS_PLAN_FULL, VERDICT_PLAN_FULL},
    {403, 403, NO_JSON, VERDICT_EDGE},
    {403, 403, ANY, VERDICT_SCOPE},
    {404, 404, IS_NO_ROUTE, VERDICT_CLOSED},
    {405, 405, ANY, VERDICT_CLOSED},
    {408, 408, ANY, VERDICT_LOST},
    {409, 409, IS_MOVING, VERDICT_LOCKED},
    {410, 410, ANY, VERDICT_CLOSED},
    {425, 425, ANY, VERDICT_LOST},
    {426, 426, ANY, VERDICT_CLOSED},
    {429, 429, ANY, VERDICT_THROTTLED},
    {451, 451, ANY, VERDICT_CLOSED},
    {400, 499, ANY, VERDICT_REFUSED},
    {501, 501, ANY, VERDICT_CLOSED},
};

static const char *const message_keys[] = {"message", "error", "detail"};
enum { MESSAGE_KEYS_N = sizeof message_keys / sizeof message_keys[0] };

static bool contains_nocase(struct str text, const char *needle)
{
    size_t n = strlen(needle);
    for (size_t i = 0; i + n <= text.n; i++)
        if (strncasecmp(text.p + i, needle, n) == 0)
            return true;
    return false;
}

/* Some frameworks answer an array of messages: the first is said. */
static bool string_member(struct json_object *json, const char *key, struct str *out)
{
    struct json_object *value;
    if (!json_object_is_type(json, json_type_object) || !json_object_object_get_ex(json, key, &value))
        return false;
    if (json_object_is_type(value, json_type_array) && json_object_array_length(value) > 0)
        value = json_object_array_get_idx(value, 0);
    if (!json_object_is_type(value, json_type_string))
        return false;
    *out = (struct str){json_object_get_string(value), (size_t)json_object_get_string_len(value)};
    return true;
}

static bool has_words(struct json_object *json, const char *needle)
{
    struct str text;
    for (size_t i = 0; i < MESSAGE_KEYS_N; i++)
        if (string_member(json, message_keys[i], &text) && contains_nocase(text, needle))
            return true;
    return false;
}

/* The framework's words for a path or method that nothing serves: "Route POST:/api/v2/leads/add not found". */
static bool is_no_route(struct json_object *json)
{
    static const char before[] = "route ", after[] = " not found";
    struct str text;
    return string_member(json, message_keys[0], &text) && text.n > sizeof before + sizeof after &&
           strncasecmp(text.p, before, sizeof before - 1) == 0 &&
           strncasecmp(text.p + text.n - (sizeof after - 1), after, sizeof after - 1) == 0;
}

static bool body_passes(enum body_test test, struct json_object *json)
{
    switch (test) {
    case NO_JSON: return !json_object_is_type(json, json_type_object);
    case IS_PLAN_FULL: return has_words(json, "lead limit reached") || has_words(json, "remaining uploads:");
    case IS_MOVING: return has_words(json, "move-leads job in progress");
    case IS_NO_ROUTE: return is_no_route(json);
    case ANY: break;
    }
    return true;
}

/* A 2xx is as good as its body: a proxy's page, a cut answer or an `error` in a 200 say nothing about the effect. */
static enum verdict judge_success(const struct expected *expected, const struct transport_answer *answer,
                                  struct json_object *json)
{
    if (json == NULL)
        return str_trim(answer->body).n == 0 && !expected->needs_answer ? VERDICT_OK : VERDICT_LOST;
    struct json_object *member;
    if (expected->member != NULL) {
        bool found = json_object_is_type(json, json_type_object) &&
                     json_object_object_get_ex(json, expected->member, &member) &&
                     json_object_is_type(member, expected->member_type);
        return found ? VERDICT_OK : VERDICT_LOST;
    }
    /* Seen on other endpoints: 200 with nothing but an error. */
    struct str text;
    bool has_data = json_object_is_type(json, json_type_object) &&
                    (json_object_object_get_ex(json, "id", NULL) || json_object_object_get_ex(json, "status", NULL) ||
                     json_object_object_get_ex(json, "items", NULL));
    return expected->write && !has_data && string_member(json, "error", &text) ? VERDICT_LOST : VERDICT_OK;
}

enum verdict classify(const struct expected *expected, const struct transport_answer *answer, struct json_object *json)
{
    switch (answer->end) {
    case TRANSPORT_NOT_SENT: return VERDICT_NOT_SENT;
    case TRANSPORT_REFUSED: return VERDICT_DRY;
    case TRANSPORT_LOST: return VERDICT_LOST;
    case TRANSPORT_ANSWERED: break;
    }
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        const struct rule *r = &rules[i];
        if (answer->status < r->from || answer->status > r->to || !body_passes(r->test, json))
            continue;
        if (r->verdict == VERDICT_OK)
            return judge_success(expected, answer, json);
        /* 302 is how some gateways answer after they did what was asked; only a read may call it a wrong address. */
        if (r->verdict == VERDICT_REDIRECT && expected->write)
            return VERDICT_LOST;
        return r->verdict;
    }
    return VERDICT_LOST; /* 5xx, 520-527 and whatever no standard knows */
}

/* ---- the API's words ---- */

/* Foreign text for a terminal and a log: bytes that are not UTF-8 are shown as escapes, controls become blanks. */
int classify_message(const struct transport_answer *answer, struct json_object *json, struct buf *out)
{
    struct str text = STR_NONE;
    bool found = false;
    for (size_t i = 0; i < MESSAGE_KEYS_N && !found; i++)
        found = string_member(json, message_keys[i], &text) && text.n != 0;
    if (!found && json == NULL && answer->end == TRANSPORT_ANSWERED) {
        text = str_trim(answer->body);
        if (text.n != 0 && text.p[0] == '<')
            return buf_adds(out, "(an HTML page)");
    }
    if (text.n > MESSAGE_MAX) {
        text.n = MESSAGE_MAX;
        while (text.n > 0 && ((unsigned char)text.p[text.n] & 0xC0) == 0x80)
            text.n--;
    }
    if (!text_is_utf8(text))
        return text_show(text, MESSAGE_MAX, out);
    if (buf_reserve(out, text.n) != 0)
        return -1;
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (buf_addc(out, c < 0x20 || c == 0x7F ? ' ' : text.p[i]) != 0)
            return -1;
    }
    return 0;
}

/* Only the first number after the words counts; a sign or none at all says nothing. */
int64_t classify_room(struct str message)
{
    static const char before[] = "remaining uploads:";
    size_t n = sizeof before - 1;
    for (size_t i = 0; i + n <= message.n; i++) {
        if (strncasecmp(message.p + i, before, n) != 0)
            continue;
        i += n;
        while (i < message.n && message.p[i] == ' ')
            i++;
        int64_t room = -1;
        for (; i < message.n && isdigit((unsigned char)message.p[i]) && room < 1000000000; i++)
            room = (room < 0 ? 0 : room) * 10 + (message.p[i] - '0');
        return room;
    }
    return -1;
}

/* ---- what ends a run ---- */

/* Documented per operation in the published schema; first match counts, NULL method: any. */
static const struct {
    const char *method, *prefix, *scope;
} scopes[] = {
    {"POST", "/api/v2/leads/list", "leads:read"},
    {"POST", "/api/v2/leads/add", "leads:create"},
    {"POST", "/api/v2/leads/", "leads:update"}, /* move, merge, subsequence, interest, assign */
    {"POST", "/api/v2/leads", "leads:create"},
    {"GET", "/api/v2/leads", "leads:read"},
    {"PATCH", "/api/v2/leads", "leads:update"},
    {"DELETE", "/api/v2/leads", "leads:delete"},
    {NULL, "/api/v2/background-jobs", "background-jobs:read"},
    {"GET", "/api/v2/lead-lists", "lead_lists:read"},
    {"POST", "/api/v2/lead-lists", "lead_lists:create"},
    {"GET", "/api/v2/campaigns", "campaigns:read"},
    {NULL, "/api/v2/campaigns", "campaigns:update"},
    {NULL, "/api/v2/block-lists-entries", "block_list_entries:read"},
    {"GET", "/api/v2/email-verification", "email_verifications:read"},
    {"POST", "/api/v2/email-verification", "email_verifications:create"},
    {NULL, "/api/v2/workspaces", "workspaces:read"},
    {NULL, "/api/v2/workspace-billing", "workspace_billing:read"},
};

const char *classify_scope(const char *method, const char *path)
{
    for (size_t i = 0; i < sizeof scopes / sizeof scopes[0]; i++)
        if ((scopes[i].method == NULL || strcmp(scopes[i].method, method) == 0) &&
            strncmp(path, scopes[i].prefix, strlen(scopes[i].prefix)) == 0)
            return scopes[i].scope;
    return NULL;
}

int classify_fatal(enum verdict verdict, const char *method, const char *path, const struct transport_answer *answer,
                   struct str message, struct err *e)
{
    int status = answer->status;
    const char *scope;
    switch (verdict) {
    case VERDICT_KEY:
        return err_set(e, XS_KEY,
                       "the API refused the key (%d: %.*s): set INSTANTLY_API_KEY or --api-key-file to a "
                       "valid API v2 key of this workspace",
                       status, STR_ARG(message));
    case VERDICT_UNPAID:
        return err_set(e, XS_KEY, "the workspace's plan does not allow %s %s (%d: %.*s): renew or upgrade the plan", method,
                       path, status, STR_ARG(message));
    case VERDICT_SCOPE:
        scope = classify_scope(method, path);
        return err_set(e, XS_KEY,
                       "the key may not %s %s (%d: %.*s): give it the scope %s, or set INSTANTLY_API_KEY to a key "
                       "that has it",
                       method, path, status, STR_ARG(message), scope != NULL ? scope : "that this call needs");
    case VERDICT_CLOSED:
        return err_set(e, XS_API,
                       "%s %s: Instantly %s this request, whatever it carries (%d%s%.*s): check whether %sa newer "
                       "leadsync exists, or ask Instantly's support; then run the same command again",
                       method, path, status != 404 ? "no longer accepts" : "does not accept", status,
                       message.n > 0 ? " " : "", STR_ARG(message),
                       status != 404 ? "" : "--api-url is the API's address, and whether ");
    case VERDICT_EDGE:
        return err_set(e, XS_API,
                       "refused at the API's edge, before the API saw the request (%d: %.*s): this host or its "
                       "User-Agent is blocked; try from another network or ask Instantly's support",
                       status, STR_ARG(message));
    case VERDICT_REDIRECT:
        return err_set(e, XS_API,
                       "the API answered %d to %s %s, and redirects are never followed: set --api-url to the "
                       "API's own address",
                       status, method, path);
    case VERDICT_DRY:
        return err_set(e, XS_INTERNAL, "%s %s: %s; please report this", method, path,
                       answer->detail != NULL ? answer->detail : "refused");
    default: return err_set(e, XS_INTERNAL, "%s %s: verdict %d ends no run", method, path, (int)verdict);
    }
}
